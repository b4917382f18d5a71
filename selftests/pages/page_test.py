#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A page in chromium, the router in a guest behind it: what is clicked is read back
from the kernel, what fails is shown as text.

    page_test.py cockpit|luci URL KEPT [USER PASSWORD]
                        KEPT: a shell line that prints what the next start will have
                        USER: who has to log in to Cockpit, and may use sudo
Called by check.sh and install/test_cockpit.sh; $VPNPASS_RPC is in_guest's, $VPNPASS_SHOTS where pictures go.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

from acl_calls import APPLIES, READS, REFUSED, RELOAD, WRITES
from webdriver import DOWN, RETURN, Browser, Tap, wait

HERE = pathlib.Path(__file__).resolve().parent
WORKS = "esp_pings 1 -c 2 -i 100 -w 1000"
MODULES = "vpnpass vpnpass_esp vpnpass_ike vpnpass_pptp vpnpass_l2tp"
GATEWAY = "vpn.example"
RPC = pathlib.Path(os.environ["VPNPASS_RPC"])


def guest(*words):
    """Run it there: exit code and output."""
    done = subprocess.run([HERE / "in_guest", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def mode(proto):
    """What the kernel says."""
    show = json.loads(guest("vpnpass", "-j", "show", proto)[1])
    return show[0]["mode"]


def looks(since):
    """How often the page has asked for the switches since then."""
    lines = (RPC / "log").read_text().splitlines()
    return sum(float(line.split()[0]) > since and line.endswith("vpnpass -j show")
               for line in lines)


def uci_show():
    """uci show vpnpass, as a dictionary, of what is committed."""
    values, section = {}, ""
    for line in guest("cat", "/run/uci/vpnpass")[1].splitlines():
        kind, *words = shlex.split(line)
        if kind == "config":
            section = f"vpnpass.{words[1]}"
            values[section] = words[0]
        else:
            values[f"{section}.{words[0]}"] = words[1]
    return values


# a call of ubus: "OK", or why not
CALL = """const answer = await (await fetch('/ubus', { method: 'POST', body: JSON.stringify({
    jsonrpc: '2.0', id: 1, method: 'call', params: [...arguments].slice(0, 4) }) })).json();
    return answer.error ? answer.error.message : answer.result[0] || 'OK'"""


class Test:
    """The tests, in order; each leaves the page as it found it."""

    def __init__(self, kind, url, kept, *login):
        self.kind, self.kept, self.login = kind, kept, login
        self.tap, self.url = Tap(), url
        self.page = Browser(9515 if kind == "cockpit" else 9516)
        self.uci_was = {}

    def radio(self, proto, state):
        """The button for a state."""
        return f"tr[data-proto={proto}] input[value={state}]"

    def enabled(self, proto):
        """Whether its switch can be turned."""
        return self.page.run("return !document.querySelector(arguments[0]).disabled",
                             f"tr[data-proto={proto}] fieldset")

    def press(self, proto, state):
        """Click on it, once it can be: a change before it may not be through yet."""
        wait(lambda: self.enabled(proto), 30)
        self.page.click(self.radio(proto, state))

    def checked(self, proto):
        """The state that the page shows."""
        return self.page.run("return document.querySelector(arguments[0])?.value",
                             f"tr[data-proto={proto}] input:checked")

    def conf(self):
        """What the next start will have."""
        return subprocess.run(["bash", "-c", self.kept], capture_output=True, text=True,
                              check=False).stdout

    def uci_changed(self, after, **wanted):
        """That uci show vpnpass has changed by that, and by nothing else, since the last time."""
        if self.kind != "luci":
            return
        now = uci_show()
        self.tap.is_(f"uci show vpnpass: {after}", {
            key.removeprefix("vpnpass."): now.get(key) for key in {*now, *self.uci_was}
            if now.get(key) != self.uci_was.get(key)},
            {key.replace("_", ".", 1): value for key, value in wanted.items()})
        self.uci_was = now

    def test_login(self):
        """By Cockpit's form, PAM and sudo."""
        if not self.login:
            return
        user, password = self.login
        self.page.get(self.url.split("/cockpit/")[0] + "/vpnpass")
        usable = """const button = document.querySelector('#login-button');
            return !!button && button.offsetParent !== null && !button.disabled"""
        for word in ("wrong", password):
            wait(lambda: self.page.run(usable), 120)
            self.page.type("#login-user-input", user)
            self.page.type("#login-password-input", word)
            self.page.click("#login-button")
            if word != password:
                self.tap.ok("a wrong password is refused", wait(
                    lambda: "Wrong user name or password" in self.page.text("body"), 60),
                    self.page.text("body"))
        self.tap.ok("the form lets the user in", wait(
            lambda: self.page.find("#super-user-indicator button"), 120), self.page.text("body"))
        self.tap.ok("the page is in Cockpit's menu", wait(
            lambda: "VPN passthrough" in self.page.text("nav"), 60), self.page.text("nav"))
        frame = "iframe[name='cockpit1:localhost/vpnpass']"
        text = f"return document.querySelector(\"{frame}\")?.contentDocument?.body.innerText"
        self.tap.ok("without administrative access one may look only", wait(
            lambda: "not change anything" in (self.page.run(text) or "")
            and "shown to administrators" in self.page.run(text)
            and "did not work" not in self.page.run(text), 60), self.page.run(text))
        self.page.click("#super-user-indicator button")
        field = "[role=dialog] input[type=password]"
        wait(lambda: self.page.find(field), 60)
        self.page.type(field, password)
        self.page.keys(RETURN)
        self.tap.ok("sudo's password gives administrative access", wait(
            lambda: "Administrative" in self.page.text("#super-user-indicator"), 90),
            self.page.text("body"))
        self.tap.ok("and the switches can be used", wait(lambda: self.page.run(
            f"return document.querySelector(\"{frame}\").contentDocument"
            ".querySelector('fieldset').disabled") is False, 60), self.page.run(text))
        self.page.screenshot(pathlib.Path(os.environ["VPNPASS_SHOTS"]) / "cockpit-shell.png")
        said = self.page.complaints()
        self.tap.ok("the browser has nothing to say but that the password was wrong",
                    said and all("/cockpit/login" in line for line in said), said)

    def test_shown(self):
        """Protocols and sessions."""
        self.page.get(self.url)
        rows = "return [...document.querySelectorAll('tr[data-proto]')].map((e) => e.dataset.proto)"
        wait(lambda: len(self.page.run(rows)) == 6, 60)
        self.tap.is_("a row for each protocol, IPsec as one above its parts", self.page.run(rows),
                     ["pptp", "l2tp", "ipsec", "ike", "esp", "natt"])
        self.tap.is_("the states are the kernel's", [self.checked(p) for p in ("pptp", "esp")],
                     [mode("pptp"), mode("esp")])
        sessions = wait(lambda: "10.0.2.2" in self.page.text("section tbody")
                        and self.page.text("section:nth-of-type(2) tbody"))
        self.tap.ok("both clients' sessions are listed", sessions and "10.0.1.2" in sessions
                    and sessions.count("192.0.2.2") == 2, sessions)
        self.uci_was = uci_show() if self.kind == "luci" else {}

    def test_looks(self):
        """How it looks, and to whom."""
        self.page.screenshot(pathlib.Path(os.environ["VPNPASS_SHOTS"]) / f"{self.kind}.png")
        axe = os.environ.get("VPNPASS_AXE", "")
        if not os.path.exists(axe):
            self.tap.skip("axe-core finds no serious fault", "axe-core could not be installed")
        else:
            self.page.run("document.querySelector('details').open = true")
            self.tap.is_("axe-core finds no serious fault", self.page.axe(axe), [])
        self.page.resize(500, 900)
        self.tap.ok("a narrow screen needs no scrolling sideways", self.page.run(
            "document.querySelector('.vpnpass').style.width = '320px';"
            "const e = document.querySelector('.vpnpass');"
            "const fits = e.scrollWidth <= e.clientWidth; e.style.width = ''; return fits"))
        self.page.resize(1000, 900)

    def test_switch(self):
        """Off and on again, by mouse and by keyboard."""
        for state in ("off", "block", "on"):
            self.press("pptp", state)
            self.tap.ok(f"PPTP {state}: the kernel has it",
                        wait(lambda s=state: mode("pptp") == s, 30), mode("pptp"))
            self.tap.ok(f"PPTP {state}: the page too", wait(
                lambda s=state: self.enabled("pptp") and self.checked("pptp") == s, 30),
                self.checked("pptp"))
            self.tap.ok(f"PPTP {state}: and the next start",
                        wait(lambda s=state: ["pptp", s] in [w.split()[-2:] for w in
                                                            self.conf().splitlines()], 20),
                        self.conf())
            self.uci_changed(f"PPTP {state}", pptp_mode=state)
        self.press("ipsec", "block")
        wait(lambda: mode("ike") == "block" and self.checked("ipsec") == "block", 30)
        self.tap.is_("IPsec is IKE and ESP", [mode("ike"), mode("esp"), mode("natt")],
                     ["block", "block", "on"])
        self.uci_changed("IPsec blocked", ike_mode="block", esp_mode="block")
        self.press("ipsec", "on")
        wait(lambda: self.checked("ipsec") == "on" and mode("esp") == "on", 30)
        self.uci_changed("IPsec on", ike_mode="on", esp_mode="on")
        wait(lambda: self.enabled("l2tp"), 30)
        self.page.run("document.querySelector(arguments[0]).focus()", self.radio("l2tp", "on"))
        self.page.keys(DOWN)
        self.tap.ok("by keyboard", wait(lambda: mode("l2tp") == "off", 30), mode("l2tp"))
        wait(lambda: self.checked("l2tp") == "off", 20)
        self.press("l2tp", "on")
        wait(lambda: mode("l2tp") == "on", 30)
        for proto in ("ike", "esp", "natt"):
            for state in ("off", "on"):
                self.press(proto, state)
                self.tap.ok(f"{proto} {state}: the kernel has it",
                            wait(lambda p=proto, s=state: mode(p) == s, 30), mode(proto))
        self.uci_changed("each off and on")
        guest("vpnpass", "set", "pptp", "off")
        wait(lambda: self.checked("pptp") == "off", 20)
        self.press("pptp", "on")
        self.tap.ok("on again after somebody's command, whatever the configuration says",
                    wait(lambda: mode("pptp") == "on", 30), mode("pptp"))
        self.uci_changed("a command's switch taken back")
        if self.kind == "luci":
            self.tap.is_("an apply that nobody confirms", self.page.run(
                CALL, "writer", "uci", "apply", {"timeout": 3, "rollback": True}), "OK")
            self.press("pptp", "block")
            self.tap.ok("is waited for", wait(lambda: mode("pptp") == "block", 30), self.page.text(
                "[role=alert]"))
            self.press("pptp", "on")
            wait(lambda: mode("pptp") == "on" and self.checked("pptp") == "on", 30)
            self.uci_changed("PPTP block and on")

    def test_settings(self):
        """A value that is, and one that is not."""
        self.page.run("document.querySelector('details').open = true")
        field = "#vpnpass-esp-timeout"
        save = "document.querySelector(arguments[0]).form.requestSubmit()"
        self.page.type(field, "999999999")
        self.page.run(save, field)
        self.tap.ok("a value out of range is said so", wait(
            lambda: "timeout has to be a number from 1 to 864000" in self.page.text("[role=alert]")),
            self.page.text("[role=alert]"))
        self.page.type(field, "1200")
        self.page.type("#vpnpass-esp-max_sessions", "1000")
        self.page.run(save, field)
        values = lambda: [json.loads(guest("vpnpass", "-j", "show", "esp")[1])[0]["settings"][key]
                          ["value"] for key in ("timeout", "max_sessions")]
        self.tap.ok("two settings at once: the kernel has both",
                    wait(lambda: values() == [1200, 1000], 30), values())
        self.uci_changed("two settings", esp_timeout="1200", esp_max_sessions="1000")
        self.tap.ok("and the error is gone", wait(lambda: not self.page.text("[role=alert]")))
        self.page.run("document.querySelector('details').open = false")

    def test_doctor(self):
        """A rule in the way, found by its gateway's name, and taken out of it."""
        self.page.type("#vpnpass-host", "-n")
        self.page.click(".vpnpass-doctor button")
        self.tap.is_("what is no host is not asked about", self.page.run(
            "return document.querySelector('#vpnpass-host').getAttribute('aria-invalid')"), "true")
        if guest("vpnpass", "-j", "doctor", GATEWAY)[0] not in (0, 3):
            self.tap.skip("doctor HOST", "this tool has no doctor HOST")
            return
        guest("nft", "add table inet planted; add chain inet planted f "
              "{ type filter hook forward priority 0; }; "
              "add rule inet planted f ip daddr 192.0.2.2 ip protocol esp drop")
        guest("--here", WORKS)
        self.page.type("#vpnpass-host", GATEWAY)
        self.page.click(".vpnpass-doctor button")
        found = wait(lambda: self.page.text("article"), 90)
        self.tap.ok("the planted rule is found", found and "planted" in found, found)
        if self.kind == "cockpit":
            self.page.screenshot(pathlib.Path(os.environ["VPNPASS_SHOTS"]) / "doctor.png")
        if not self.page.run("return !!document.querySelector('article.vpnpass-error button')"):
            self.tap.skip("its command", "this tool's doctor gives no commands")
            return
        command = self.page.text("article.vpnpass-error .vpnpass-command code").split("\n")[0]
        self.page.click("article.vpnpass-error .vpnpass-command button")
        self.tap.is_("the dialog shows the command", self.page.text("dialog code"), command)
        self.page.click("dialog button[value=no]")
        self.tap.ok("not confirmed, not run", guest("--here", WORKS)[0] != 0)
        self.page.click("article.vpnpass-error .vpnpass-command button")
        self.page.click("dialog button[value=yes]")
        self.tap.ok("confirmed: the VPN works", wait(
            lambda: guest("--here", WORKS)[0] == 0, 60),
            self.page.text("[role=alert]"))
        guest("nft", "delete table inet planted")

    def test_acl(self):
        """rpcd refuses what the page's ACL does not grant; the page's calls it grants."""
        if self.kind != "luci":
            return
        no = {"Access denied", 6}
        for session, calls in (("reader", READS), ("writer", READS + WRITES)):
            self.tap.is_(f"ACL: what is granted to a {session}",
                         [c for c in calls if self.page.run(CALL, session, *c) != "OK"], [])
        for session, calls in (("writer", REFUSED),
                               ("reader", REFUSED + WRITES + APPLIES + RELOAD)):
            self.tap.is_(f"ACL: what is refused to a {session}",
                         [c for c in calls if self.page.run(CALL, session, *c) not in no], [])
        self.page.get(self.url + "?session=reader")
        self.tap.ok("who may only read is told so, and finds nothing to press", wait(
            lambda: "not change" in self.page.text("[role=status]") and self.page.run(
                "return [...document.querySelectorAll('fieldset')].every((f) => f.disabled)"), 30))
        self.page.get(self.url)
        wait(lambda: self.checked("pptp"), 30)

    def test_polling(self):
        """Not too often, and not when nobody looks. A page that runs the tool by itself is not
        counted; clock_test.py has more."""
        if self.login:
            return
        begin = time.time()
        time.sleep(16)
        count = looks(begin)
        self.tap.ok("no more than once in 5 s", 2 <= count <= 4, f"{count} times in 16 s")
        hide = ("Object.defineProperty(document, 'hidden', { configurable: true,"
                " get: () => arguments[0] }); document.dispatchEvent(new Event('visibilitychange'))")
        self.page.run(hide.replace("arguments[0]", "true"))
        time.sleep(3)
        begin = time.time()
        time.sleep(12)
        self.tap.is_("not while it is hidden", looks(begin), 0)
        self.page.run(hide.replace("arguments[0]", "false"))
        self.tap.ok("again when it is seen", wait(lambda: looks(begin) > 0, 10))

    def test_errors(self):
        """What the tool says goes to the page."""
        guest("--here", "unload_modules")
        self.tap.ok("no module: the tool's words and advice", wait(
            lambda: "not loaded" in self.page.text("[role=alert]")
            and "modprobe" in self.page.text("[role=alert]"), 60),
            self.page.text("[role=alert]"))
        guest("--here", "load_modules " + MODULES)
        self.tap.ok("it goes when the module is back",
                    wait(lambda: not self.page.text("[role=alert]"), 60))

    def run(self):
        """All of them."""
        try:
            for name in ("login", "shown", "looks", "switch", "settings", "doctor", "acl", "polling", "errors"):
                getattr(self, f"test_{name}")()
            self.tap.is_("nothing on the console", self.page.complaints(), [])
        except Exception as error:
            self.tap.ok("the page can be driven", False,
                        f"{error!r}\n{self.page.complaints()}\n{self.page.text('body')[:2000]}")
            raise
        finally:
            self.page.close()
        return self.tap.done()


if __name__ == "__main__":
    sys.exit(Test(*sys.argv[1:]).run())
