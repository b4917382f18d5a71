#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A router's web server for LuCI's page: files, and ubus over JSON-RPC with as much of
rpcd as the page uses, by the page's own ACL.

    luci_server.py PORT INSTALLED [RESOURCES]

RESOURCES is LuCI's own folder luci-static/resources; without it luci_stub.js stands in.
exec runs in the guest. uci is held here as rpcd holds it: what a session has set is
staged, apply commits it and takes it back unless it is confirmed in time, and meanwhile
no other apply is taken. A commit goes to the guest's /run/uci and from there through
our init script, as procd would have it. Sessions: "writer" has both groups of the ACL,
"reader" the first, and neither has anything of LuCI's own but what its pages begin with.
"""

import fnmatch
import http.server
import json
import pathlib
import re
import shlex
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
ROOT = pathlib.Path(sys.argv[2])
LUCI = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
FILES = TOP / "packaging/openwrt/vpnpass/files"
INIT = (f"UCI_DIR=/run/uci APPLY=/usr/libexec/vpnpass/apply KEEP=/bin/true RUN=/run "
        f"sh {TOP / 'selftests/install/openwrt/rc.common'} {FILES / 'vpnpass.init'}")
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
ACL = json.loads((ROOT / "usr/share/rpcd/acl.d/luci-app-vpnpass.json").read_text())
ACL = ACL["luci-app-vpnpass"]
# LuCI's own calls when a page begins
# rpcd hands on so many bytes of what a program prints
MOST = 256 * 1024
BEGIN = {("luci", "getFeatures"): (0, {}), ("session", "access"): (0, {"access": True}),
         ("uci", "changes"): (0, {"changes": {}}), ("file", "list"): (4, None)} if LUCI else {}
# the head of a page as LuCI makes it
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>LuCI</title>
<meta name="viewport" content="width=device-width">
<script src="/luci-static/resources/cbi.js"></script>
<script src="/luci-static/resources/luci.js"></script>
<script>const session = new URLSearchParams(location.search).get("session") || "writer";
L = new LuCI({ media: "/luci-static/bootstrap", resource: "/luci-static/resources",
scriptname: "/cgi-bin/luci", pathinfo: "/admin/network/vpnpass", documentroot: "/www",
requestpath: ["admin", "network", "vpnpass"], dispatchpath: ["admin", "network", "vpnpass"],
pollinterval: 5, ubuspath: "/ubus/", sessionid: session, token: session,
nodespec: { satisfied: true, readonly: session !== "writer" }, apply_rollback: 90,
apply_holdoff: 4, apply_timeout: 5, apply_display: 1.5, rollback_token: null });</script>
</head><body><ul id="indicators"></ul><main id="maincontent"><div id="view"><script>
L.require("ui").then((ui) => ui.instantiateView("vpnpass"));</script></div></main></body></html>
"""


def guest(script, *args):
    """Run a command there."""
    return subprocess.run([HERE / "in_guest", script, *args], capture_output=True, text=True,
                          check=False)


# ubus' status codes
OK, NOT_FOUND, NO_DATA, PERMISSION_DENIED = 0, 4, 5, 6


class Uci:
    """One configuration, and what sessions have staged for it."""

    def __init__(self, text):
        self.sections, self.staged, name = {}, {}, None
        self.applying, self.was, self.timer = None, None, None
        self.lock = threading.RLock()
        self.reload = threading.Lock()
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

    def write(self, then):
        """Into the guest; an init script's action may follow, as procd begins it: later."""
        script = f"mkdir -p /run/uci; printf %s {shlex.quote(self.text())} > /run/uci/vpnpass"
        with self.reload:
            done = guest("bash", "-c", f"{script}; {then}")
        if done.returncode:
            print(done.stdout, done.stderr, file=sys.stderr, flush=True)

    def committed(self):
        """There is a new configuration."""
        threading.Thread(target=self.write, args=[f"{INIT} reload"]).start()

    def seen_by(self, session):
        """With what the session has staged."""
        sections = {name: dict(section) for name, section in self.sections.items()}
        for name, values in self.staged.get(session, []):
            sections.setdefault(name, {".name": name}).update(values)
        return sections

    def stage(self, session, name, values):
        """What is as it was is not staged."""
        now = self.seen_by(session).get(name, {})
        new = {key: value for key, value in values.items() if now.get(key) != value}
        if new:
            self.staged.setdefault(session, []).append((name, new))

    def get(self, session, params):
        """uci get"""
        return OK, {"values": self.seen_by(session)}

    def add(self, session, params):
        """uci add, of sections with a name"""
        self.stage(session, params["name"], {".type": params["type"], ".name": params["name"],
                                             **params.get("values", {})})
        return OK, {"section": params["name"]}

    def set(self, session, params):
        """uci set"""
        if params["section"] not in self.seen_by(session):
            return NOT_FOUND, None
        self.stage(session, params["section"], params["values"])
        return OK, None

    def apply(self, session, params):
        """uci apply with rollback"""
        if self.applying:
            return PERMISSION_DENIED, None
        if not params.get("rollback"):
            raise ValueError("an apply that is not taken back by itself")
        self.was, self.applying = self.sections, session
        if self.staged.get(session):
            self.sections = self.seen_by(session)
            del self.staged[session]
            self.committed()
        self.timer = threading.Timer(params["timeout"], self.roll_back)
        self.timer.start()
        return OK, None

    def roll_back(self):
        """Nobody has confirmed."""
        with self.lock:
            self.sections, self.applying = self.was, None
            self.committed()

    def confirm(self, session, params):
        """uci confirm"""
        if self.applying != session:
            return PERMISSION_DENIED if self.applying else NO_DATA, None
        self.timer.cancel()
        self.applying = None
        return OK, None


UCI = Uci((FILES / "vpnpass.config").read_text())
UCI.write("true")


def may(session, scope, name, permission):
    """Whether the ACL grants it to the session."""
    groups = ["read"] if session == "reader" else ["read", "write"]
    for group in groups:
        granted = ACL[group].get(scope, {})
        if isinstance(granted, list):
            granted = {pattern: [group] for pattern in granted}
        for pattern, permissions in granted.items():
            if permission in permissions and fnmatch.fnmatchcase(name, pattern):
                return True
    return False


def execute(session, params):
    """file exec"""
    if params.get("env"):
        return PERMISSION_DENIED, None
    words = [params["command"], *(params.get("params") or [])]
    if not any(may(session, "file", name, "exec") for name in (words[0], " ".join(words))):
        return PERMISSION_DENIED, None
    # the log has the tool's name, as that of the other page
    if words[0] == "/usr/sbin/vpnpass":
        words[0] = "vpnpass"
    if words[0] == "/etc/init.d/vpnpass":
        words = ["bash", "-c", f"{INIT} {words[1]}"]
    done = guest(*words)
    return OK, {"code": done.returncode, "stdout": done.stdout[:MOST], "stderr": done.stderr}


def call(session, obj, method, params):
    """A call of ubus: its status and its answer. What ubus does not have is an error of
    the page's, and there is no answer at all."""
    if (obj, method) == ("file", "exec"):
        return execute(session, params)
    handler = {"get": UCI.get, "add": UCI.add, "set": UCI.set, "apply": UCI.apply,
               "confirm": UCI.confirm}[method] if obj == "uci" else None
    if not handler:
        raise ValueError(f"ubus has no {obj} {method}")
    if "config" in params and not may(session, "uci", params["config"],
                                      "read" if method == "get" else "write"):
        return PERMISSION_DENIED, None
    with UCI.lock:
        return handler(session, params)


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
        if path == "/" and LUCI:
            self.answer(200, "text/html", PAGE.encode())
            return
        own = ROOT / "www" / path.lstrip("/")
        if LUCI and not own.is_file():
            own = LUCI / path.removeprefix("/luci-static/resources/")
        file = {"/": HERE / "luci.html", "/luci_stub.js": HERE / "luci_stub.js"}.get(path, own)
        if ".." in path or not file.is_file():
            self.answer(404, "text/plain", b"")
        else:
            self.answer(200, TYPES.get(file.suffix, "application/octet-stream"),
                        file.read_bytes())

    def do_POST(self):
        """Calls of ubus, as uhttpd takes them: one, or several at once."""
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if isinstance(data, list):
            result = [self.ubus(message) for message in data]
        else:
            result = self.ubus(data)
        self.answer(200, "application/json", json.dumps(result).encode())

    def ubus(self, data):
        """The answer to one message."""
        answer = {"jsonrpc": "2.0", "id": data["id"]}
        if data["method"] != "call":
            return {**answer, "result": {}}
        session, obj, method, params = data["params"]
        # LuCI's own settings are luci-base's to grant
        if LUCI and (obj, method, params.get("config")) == ("uci", "get", "luci"):
            answer["result"] = [OK, {"values": {}}]
        elif (obj, method) in BEGIN or may(session, "ubus", obj, method):
            status, result = BEGIN.get((obj, method)) or call(session, obj, method, params)
            answer["result"] = [status] if result is None else [status, result]
        else:
            answer["error"] = {"code": -32002, "message": "Access denied"}
        return answer

    def log_message(self, *args):
        """No log."""


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
