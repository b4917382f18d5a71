# SPDX-License-Identifier: GPL-2.0
"""A browser for tests: as much of the W3C WebDriver protocol as they need, and
test points in TAP."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage",
             "--force-device-scale-factor=1"]
TAB, DOWN, SPACE, RETURN = "\ue004", "\ue015", " ", "\ue007"


class Browser:
    """One window."""

    def __init__(self, port, size=(1000, 900)):
        self.base = f"http://127.0.0.1:{port}"
        self.profile = tempfile.mkdtemp(prefix="vpnpass-browser.")
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}", "--silent"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(lambda: self.call("GET", "/status")["ready"], 30)
        options = {"args": ARGUMENTS + [f"--user-data-dir={self.profile}",
                                        f"--window-size={size[0]},{size[1]}"]}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "acceptInsecureCerts": True, "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += f"/session/{answer['sessionId']}"

    def call(self, method, path, data=None):
        """One request of the protocol."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.base + path, body, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].split("\n")[0]) from error

    def close(self):
        """End it; nothing of it stays."""
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
            shutil.rmtree(self.profile, ignore_errors=True)

    def get(self, url):
        """Go there."""
        self.call("POST", "/url", {"url": url})

    def run(self, script, *args):
        """What JavaScript returns; a promise is waited for."""
        return self.call("POST", "/execute/async", {"script": f"""
            const done = arguments[arguments.length - 1];
            Promise.resolve((async function() {{ {script} }}).apply(null, arguments))
                .then(done, (e) => done("failed: " + e));""", "args": list(args)})

    def find(self, css):
        """The element; an error if there is none."""
        return self.call("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        """Click on it."""
        self.call("POST", f"/element/{self.find(css)}/click", {})

    def type(self, css, text):
        """Type into what has been emptied."""
        element = self.find(css)
        self.call("POST", f"/element/{element}/clear", {})
        self.call("POST", f"/element/{element}/value", {"text": text})

    def keys(self, text):
        """Press keys, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [
            {"type": "key", "id": "keyboard", "actions": actions}]})

    def text(self, css):
        """All text of all such elements."""
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".map((e) => e.innerText).join('\\n')", css)

    def resize(self, width, height):
        """Of the window."""
        self.call("POST", "/window/rect", {"width": width, "height": height})

    def screen(self, width, height):
        """A telephone's screen, which may be narrower than a window can be."""
        self.call("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride", "params": {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}})

    def dark(self, wanted):
        """Whether the user prefers dark pages."""
        self.call("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setEmulatedMedia", "params": {"features": [
                {"name": "prefers-color-scheme", "value": "dark" if wanted else "light"}]}})

    def screenshot(self, path):
        """A PNG of the page from its top to its end."""
        import base64
        size = self.run("const e = document.documentElement;"
                        "return [e.scrollWidth, e.scrollHeight]")
        data = self.call("POST", "/goog/cdp/execute", {"cmd": "Page.captureScreenshot", "params": {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}}})["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def complaints(self):
        """What the page wrote to the console as errors."""
        return [e["message"] for e in self.call("POST", "/se/log", {"type": "browser"})
                if e["level"] == "SEVERE" and "favicon" not in e["message"]]

    def axe(self, path):
        """Serious and critical faults that axe-core finds."""
        # as the debugger does it: the page's own policy forbids scripts from elsewhere
        self.call("POST", "/goog/cdp/execute", {"cmd": "Runtime.evaluate", "params": {
            "expression": pathlib.Path(path).read_text(encoding="utf-8")}})
        return self.run("""
            const found = await axe.run(document.querySelector('.vpnpass'));
            return found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
                .map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 100)).join(', '));""")


def wait(what, seconds=20):
    """Until it holds; its last value."""
    until = time.monotonic() + seconds
    while True:
        try:
            value = what()
        except (OSError, RuntimeError, KeyError, TypeError):
            value = None
        if value or time.monotonic() > until:
            return value
        time.sleep(0.2)


class Tap:
    """Test points."""

    def __init__(self):
        self.n = self.bad = 0

    def ok(self, name, good, text=""):
        """One point; the text says what was seen."""
        self.n += 1
        self.bad += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}", flush=True)
        if not good and text != "":
            print("# " + str(text).replace("\n", "\n# "), flush=True)
        return good

    def is_(self, name, got, wanted):
        """Two values that are to be the same."""
        return self.ok(name, got == wanted, f"got {got!r}, wanted {wanted!r}")

    def skip(self, name, why):
        """A point that cannot be tried here."""
        self.n += 1
        print(f"ok {self.n} - {name} # SKIP {why}", flush=True)

    def done(self):
        """The plan; the exit code."""
        print(f"1..{self.n}", flush=True)
        return 1 if self.bad else 0
