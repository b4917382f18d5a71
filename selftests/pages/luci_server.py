#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A router's web server for LuCI's page: files, and calls that rpcd would take, by the
page's own ACL.

    luci_server.py PORT INSTALLED

exec runs in the guest; uci is held here, and a commit goes to the guest's
/etc/config and from there through our init script, as procd would have it.
Sessions: "writer" has both groups of the ACL, "reader" the first.
"""

import fnmatch
import http.server
import json
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
ROOT = pathlib.Path(sys.argv[2])
FILES = TOP / "packaging/openwrt/vpnpass/files"
STUB = TOP / "selftests/install/openwrt/rc.common"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
ACL = json.loads((ROOT / "usr/share/rpcd/acl.d/luci-app-vpnpass.json").read_text())
ACL = ACL["luci-app-vpnpass"]


def guest(script, *args):
    """Run a command there."""
    return subprocess.run([HERE / "in_guest", script, *args], capture_output=True, text=True,
                          check=False)


class Uci:
    """One configuration: sections by name, changes staged until they are applied."""

    def __init__(self, text):
        self.sections, name = {}, None
        for line in text.splitlines():
            match = re.match(r"\s*(config|option)\s+(\S+)\s+'([^']*)'", line)
            if match and match[1] == "config":
                name = match[3]
                self.sections[name] = {".type": match[2], ".name": name}
            elif match:
                self.sections[name][match[2]] = match[3]

    def text(self):
        """As a file of /etc/config."""
        out = ""
        for name, section in self.sections.items():
            out += f"config {section['.type']} '{name}'\n"
            out += "".join(f"\toption {key} '{value}'\n" for key, value in section.items()
                           if not key.startswith("."))
        return out

    def commit(self):
        """Into the guest, and in force."""
        script = (f"mkdir -p /run/uci; printf %s {shlex.quote(self.text())} > /run/uci/vpnpass; "
                  f"UCI_DIR=/run/uci APPLY=/usr/libexec/vpnpass/apply KEEP=/bin/true RUN=/run "
                  f"sh {STUB} {FILES / 'vpnpass.init'} reload")
        done = guest("bash", "-c", script)
        if done.returncode:
            print(done.stdout, done.stderr, file=sys.stderr, flush=True)


UCI = Uci((FILES / "vpnpass.config").read_text())


def may(session, scope, name, permission):
    """Whether the ACL grants it to the session."""
    groups = ["read"] if session == "reader" else ["read", "write"]
    for group in groups:
        granted = ACL[group].get(scope, {})
        if isinstance(granted, list):
            if name in granted and (permission == "read" or group == "write"):
                return True
            continue
        for pattern, permissions in granted.items():
            if permission in permissions and fnmatch.fnmatchcase(name, pattern):
                return True
    return False


def call(session, obj, method, params):
    """A call of ubus: its answer, or None when it is refused."""
    if (obj, method) == ("file", "exec"):
        words = [params["command"], *params.get("params", [])]
        if not any(may(session, "file", name, "exec") for name in (words[0], " ".join(words))):
            return None
        # the log has the tool's name, as that of the other page
        if words[0] == "/usr/sbin/vpnpass":
            words[0] = "vpnpass"
        done = guest(*words)
        return {"code": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
    if obj == "uci":
        if not may(session, "uci", "vpnpass", "read" if method == "get" else "write"):
            return None
        if method == "get":
            return {"values": UCI.sections}
        if method == "set":
            for name, values in params["values"].items():
                UCI.sections.setdefault(name, {".name": name}).update(values)
            return {}
        if method == "apply":
            UCI.commit()
            return {}
    raise ValueError(f"ubus has no {obj} {method}")


class Handler(http.server.BaseHTTPRequestHandler):
    """Files and calls."""

    def answer(self, status, kind, data):
        """Send it."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        """A file."""
        path = self.path.partition("?")[0]
        file = {"/": HERE / "luci.html", "/luci_stub.js": HERE / "luci_stub.js"}.get(
            path, ROOT / "www" / path.lstrip("/"))
        if ".." in path or not file.is_file():
            self.answer(404, "text/plain", b"")
        else:
            self.answer(200, TYPES.get(file.suffix, "application/octet-stream"),
                        file.read_bytes())

    def do_POST(self):
        """A call."""
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        result = call(data["session"], data["object"], data["method"], data["params"])
        if result is None:
            self.answer(403, "application/json", b"{}")
        else:
            self.answer(200, "application/json", json.dumps(result).encode())

    def log_message(self, *args):
        """No log."""


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
