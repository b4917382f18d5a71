#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The access list of LuCI's page by OpenWrt's own rpcd: somebody who has logged in with its
read group, and somebody with both, call what acl_calls.py lists, as a web server would.

    rpcd_test.py INSTALLED PREFIX

INSTALLED is where the page's package is, PREFIX where ubus, uci and rpcd are installed.
Programs that may be called are stubs, which is done in a mount namespace of its own.
Called by check.sh rpcd, as root.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from acl_calls import APPLIES, READS, REFUSED, RELOAD, WRITES
from webdriver import Tap, wait

INSTALLED, PREFIX = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
WORK = INSTALLED.parent / "rpcd"
STUBS = ["/usr/sbin/vpnpass", "/usr/sbin/nft", "/etc/init.d/vpnpass", "/etc/init.d/firewall",
         *(f"/usr/libexec/vpnpass/{name}" for name in ("apply", "examine", "persist", "remedy", "state"))]
PASSWORD = "passthrough"
PERMISSION_DENIED = 6
USERS = """config login
	option username 'reader'
	option password '{0}'
	list read 'luci-app-vpnpass'

config login
	option username 'writer'
	option password '{0}'
	list read 'luci-app-vpnpass'
	list write 'luci-app-vpnpass'
"""


def cover(folder):
    """Let a folder be written to, without anybody else seeing it."""
    upper, work = WORK / f"upper{folder}", WORK / f"work{folder}"
    for path in (pathlib.Path(folder), upper, work):
        path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={folder},upperdir={upper},workdir={work}", folder], check=True)


def set_up():
    """The router's files."""
    WORK.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", WORK], check=True)
    for folder in ("/usr", "/etc", str(PREFIX)):
        cover(folder)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    for stub in map(pathlib.Path, STUBS):
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.unlink(missing_ok=True)
        stub.write_text("#!/bin/sh\necho '[]'\n")
        stub.chmod(0o755)
    config = pathlib.Path("/etc/config")
    config.mkdir(exist_ok=True)
    secret = subprocess.run(["openssl", "passwd", "-1", PASSWORD], capture_output=True, text=True,
                            check=True).stdout.strip()
    (config / "rpcd").write_text(USERS.format(secret))
    (config / "vpnpass").write_text("config proto 'esp'\n\toption mode 'on'\n")
    (config / "network").write_text("config interface 'lan'\n")
    (config / "firewall").write_text("config zone 'wan'\n")
    acls = PREFIX / "share/rpcd/acl.d"
    acls.mkdir(parents=True, exist_ok=True)
    shutil.copy(INSTALLED / "usr/share/rpcd/acl.d/luci-app-vpnpass.json", acls)


def ubus(obj, method, params):
    """A call: its status, which is the negative exit code, and what it answers."""
    done = subprocess.run([PREFIX / "bin/ubus", "-s", WORK / "socket", "call", obj, method,
                           json.dumps(params)], capture_output=True, text=True, check=False)
    return -done.returncode % 256, json.loads(done.stdout or "{}")


def call(session, obj, method, params):
    """The status of a session's call: the web server asks for the method, rpcd for the rest."""
    access = ubus("session", "access", {"ubus_rpc_session": session, "scope": "ubus",
                                        "object": obj, "function": method})[1]["access"]
    return ubus(obj, method, {**params, "ubus_rpc_session": session})[0] if access else \
        PERMISSION_DENIED


def main():
    """All of it."""
    set_up()
    tap = Tap()
    environment = {**os.environ, "LD_LIBRARY_PATH": str(PREFIX / "lib")}
    os.environ.update(environment)
    daemons = [subprocess.Popen([PREFIX / "sbin/ubusd", "-s", WORK / "socket"])]
    wait((WORK / "socket").exists)
    daemons.append(subprocess.Popen([PREFIX / "sbin/rpcd", "-s", WORK / "socket"]))
    wait(lambda: ubus("session", "list", {})[0] == 0)
    session = {}
    for user in ("reader", "writer"):
        status, answer = ubus("session", "login", {"username": user, "password": PASSWORD})
        tap.is_(f"rpcd: a {user} logs in", status, 0)
        session[user] = answer["ubus_rpc_session"]
    for user, calls in (("reader", READS), ("writer", READS + WRITES)):
        tap.is_(f"rpcd: what is granted to a {user}",
                [c for c in calls if call(session[user], *c) != 0], [])
    for user, calls in (("writer", REFUSED), ("reader", REFUSED + WRITES + APPLIES + RELOAD)):
        tap.is_(f"rpcd: what is refused to a {user}",
                [c for c in calls if call(session[user], *c) != PERMISSION_DENIED], [])
    for daemon in reversed(daemons):
        daemon.terminate()
        daemon.wait()
    return tap.done()


if __name__ == "__main__":
    if "VPNPASS_UNSHARED" not in os.environ:
        os.environ["VPNPASS_UNSHARED"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--pid", "--fork", sys.executable, *sys.argv])
    sys.exit(main())
