# SPDX-License-Identifier: GPL-2.0
"""The page that Cockpit and LuCI share, without either: a web server with its files, and an
empty page into which a test mounts it, over a router of the test's own."""

import functools
import http.server
import pathlib
import threading

from webdriver import Browser, Tap

PAGES = pathlib.Path(__file__).resolve().parents[2] / "packaging/pages"
EMPTY = b"""<!DOCTYPE html><html lang="en"><title>vpnpass</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="page.css"><body></body></html>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """The page's files, and an empty page to mount it in."""

    def do_GET(self):
        """A file."""
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *args):
        """No log."""


def serve():
    """The address of the empty page."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=PAGES))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


class Alone:
    """A test in a browser on the empty page."""

    def __init__(self, port):
        """PORT is chromedriver's."""
        self.tap = Tap()
        self.page = Browser(port)
        self.page.get(serve())

    def run(self, *steps):
        """All of them; what goes to the console is a failure."""
        try:
            for step in steps:
                step()
            self.tap.is_("nothing on the console", self.page.complaints(), [])
        finally:
            self.page.close()
        return self.tap.done()
