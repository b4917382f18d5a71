# SPDX-License-Identifier: GPL-2.0
"""Calls of ubus that the access list of LuCI's page grants or refuses: object, method and
parameters. For page_test.py, by our own server, and rpcd_test.py, by OpenWrt's."""

TOOL, LIBEXEC = "/usr/sbin/vpnpass", "/usr/libexec/vpnpass"


def execs(*lines):
    """The execution of each command line."""
    return [("file", "exec", {"command": line[0], "params": line[1:]}) for line in lines]


OURS = {"config": "vpnpass", "section": "esp", "values": {"mode": "on"}}
OTHER = {"config": "firewall", "section": "wan", "values": {"input": "ACCEPT"}}
# granted to who may look, and to who may change
READS = execs([TOOL, "-j", "show"], [TOOL, "-j", "session", "limit", "100"],
              [TOOL, "-j", "doctor"], [f"{LIBEXEC}/examine", "192.0.2.2"]) + [
                  ("uci", "get", {"config": "vpnpass"})]
# granted to who may change
WRITES = execs([f"{LIBEXEC}/remedy", "true", "192.0.2.2"]) + [("uci", "set", OURS)]
APPLIES = [("uci", "apply", {"timeout": 3, "rollback": True}), ("uci", "confirm", {})]
RELOAD = execs(["/etc/init.d/vpnpass", "reload"])
# refused to both
REFUSED = execs(
    [TOOL, "-j", "set", "esp", "off"], [TOOL, "-j", "session"], [TOOL, "-j", "session", "flush"],
    [TOOL, "-j", "session", "limit", "1000"], [TOOL, "show"], [TOOL, "-j", "show", "esp"],
    [TOOL], [TOOL, "-j"], [TOOL, "restore", "/tmp/x"], [TOOL, "-j", "save", "/etc/passwd"],
    [TOOL, "-j", "doctor", "192.0.2.2"], [TOOL, "-j", "doctor", "probe", "192.0.2.2"],
    [TOOL, "-j", "doctor", "--watch"], [TOOL, "-j", "monitor"], [f"{LIBEXEC}/examine"],
    [f"{LIBEXEC}/remedy"], [f"{LIBEXEC}/apply", "/tmp/x"], [f"{LIBEXEC}/state", "save"],
    [f"{LIBEXEC}/persist", "esp", "off"], ["/usr/sbin/nft", "list"], ["/bin/sh", "-c", "true"],
    ["/etc/init.d/vpnpass", "stop"], ["/etc/init.d/vpnpass"],
    ["/etc/init.d/firewall", "reload"]) + [
        ("uci", "get", {"config": "network"}), ("uci", "set", OTHER), ("uci", "commit", OURS),
        ("uci", "delete", OURS), ("file", "read", {"path": "/etc/shadow"}),
        ("file", "write", {"path": "/etc/passwd", "data": ""}), ("system", "reboot", {}),
        ("session", "grant", {})]
