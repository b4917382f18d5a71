#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The page that Cockpit and LuCI share: that every error of the tool's is shown as text
wherever it happens, and how the page looks on a telephone. The router is one of the test's.

    shown_test.py		called by check.sh
"""

import json
import os
import pathlib
import sys

from alone import Alone
from webdriver import wait

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs/schema/vpnpass.json"
CODES = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]["error"]["properties"]["code"]["enum"]
SETTING = {"value": 3600, "min": 1, "max": 864000, "default": 3600, "unit": "s"}
COMMAND = "nft 'insert rule inet fw4 forward handle 3 iifname { \"lan1\", \"lan2\" } oifname \"wan\" accept'"
GOOD = {
    "show": [{"proto": proto, "mode": "on", "sessions": 1, "settings": {"timeout": SETTING}}
             for proto in ("pptp", "l2tp", "ike", "esp", "natt")],
    "session": [{"proto": "esp", "client": "2001:db8:1234:5678:9abc:def0:1234:5678",
                 "peer": "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "age": 3723,
                 "bytes_out": 123456789, "bytes_in": 123456789, "state": "paired"}],
    "doctor": [{"finding": "nft-drop", "severity": "error", "proto": "ike", "seen": "a rule drops it",
                "meaning": "The firewall throws it away.", "do": "Accept it.",
                "commands": [COMMAND]}],
}
# a router whose answers are GOOD, but for what window.fails has instead
MOUNT = """
    const [good, fails] = arguments, { mount } = await import("/page.js");
    const { answer } = await import("/model.js");
    const says = async (what) => JSON.stringify(window.fails[what] ?? good[what] ?? []);
    window.fails = fails;
    document.body.replaceChildren();
    mount(document.body, {
        tool: ([word]) => says(word),
        setMode: async () => { answer(await says("setMode")); },
        setSetting: async () => { answer(await says("setSetting")); },
        remedy: async () => { const said = answer(await says("remedy")); return said.join(); },
        mayWrite: async () => true,
        translate: (text) => text,
    });"""
CLICK = "document.querySelector(arguments[0]).click()"
TYPE = """const input = document.querySelector(arguments[0]); input.value = arguments[1];
    input.form.requestSubmit()"""
# as LuCI's bootstrap theme has it, dark
THEME = """body { background: #222; color: #fff; } h1, h2, h3 { color: #bfbfbf; }
    th, td { color: #ccc; } label { color: #ddd; }
    button { background: #6a6a6a; color: #fff; border: 0; } input { background: #222; color: #bfbfbf; }"""
# WCAG 2.2, 2.5.8: what is to be hit with a finger, and is not in a line of text
SMALL = """return [...document.querySelectorAll("button, label:has(input), summary, input:not([type=radio])")]
    .filter((e) => e.checkVisibility()).map((e) => [e.outerHTML.slice(0, 60), e.getBoundingClientRect()])
    .filter(([, r]) => r.height < 24 || r.width < 24).map(([html]) => html)"""
WIDE = """return [...document.querySelectorAll("*")].filter((e) => e.checkVisibility() &&
    e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((e) => e.outerHTML.slice(0, 80))"""


class Test(Alone):
    """The tests, in order."""

    def mount(self, fails=None):
        """The page, over a router that fails so."""
        self.page.run(MOUNT, GOOD, fails or {})
        wait(lambda: "Asking the router" not in self.page.text("[role=status]"))

    def press(self, css):
        """What can be pressed, once it is there."""
        wait(lambda: self.page.run("return !!document.querySelector(arguments[0])", css))
        self.page.run(CLICK, css)

    def doing(self, what):
        """Do what makes the page call it."""
        if what == "setMode":
            self.press("tr[data-proto=esp] input[value=block]")
        elif what == "setSetting":
            self.page.run(TYPE, "#vpnpass-esp-timeout", "1200")
        elif what in ("doctor", "remedy"):
            self.page.run(TYPE, "#vpnpass-host", "vpn.example")
        if what == "remedy":
            self.press("article button")
            self.press("dialog button[value=yes]")

    def errors(self):
        """Each code of the schema, wherever the page asks the tool."""
        for what in ("show", "session", "doctor", "setMode", "setSetting", "remedy"):
            missed = []
            for code in CODES:
                error = {"text": f"Nothing of {what} for {code}.", "code": code,
                         "hint": f"Mend {code} first."}
                failed = [*GOOD.get(what, []), {"error": error}] if code == "refused" else {
                    "version": "1", "error": error}
                self.mount({what: failed})
                self.doing(what)
                if not wait(lambda e=error: all(text in self.page.text("[role=alert]")
                                                for text in (e["text"], e["hint"])), 5):
                    missed.append((code, self.page.text("[role=alert]")))
            self.tap.is_(f"an error of {what} is shown as text, with what helps, whichever of "
                         f"{len(CODES)} it is", missed, [])

    def judge(self, name, picture):
        """What axe-core says of all of the page, and of its dialog."""
        axe = os.environ.get("VPNPASS_AXE", "")
        self.mount({"show": [*GOOD["show"], {"error": {"text": "x", "code": "refused"}}]})
        alert = wait(lambda: self.page.run("return document.querySelector('[role=alert]').outerHTML"))
        self.mount()
        self.page.run("document.querySelector('details').open = true;"
                      "document.querySelector('[role=alert]').outerHTML = arguments[0]", alert)
        self.doing("doctor")
        wait(lambda: self.page.text("article"))
        self.page.screenshot(pathlib.Path(os.environ["VPNPASS_SHOTS"]) / f"{picture}.png")
        for part in ("the page", "the dialog"):
            if part == "the dialog":
                self.press("article button")
            if os.path.exists(axe):
                self.tap.is_(f"{name}: axe-core finds no serious fault in {part}",
                             self.page.axe(axe), [])
            else:
                self.tap.skip(f"{name}: axe-core", "axe-core could not be installed")

    def colours(self):
        """Light, dark as the user prefers it, and dark as a theme of LuCI's makes its page."""
        self.judge("a light page", "light")
        self.page.dark(True)
        self.judge("a dark page", "dark")
        self.page.dark(False)
        self.page.run("const style = document.createElement('style'); style.textContent = arguments[0];"
                      "document.head.prepend(style)", THEME)
        self.judge("a dark theme", "theme")
        self.page.run("document.head.querySelector('style').remove()")

    def narrow(self):
        """A telephone: all of the page, then the dialog over it."""
        self.page.screen(320, 640)
        self.mount()
        self.page.run("document.querySelector('details').open = true")
        self.doing("doctor")
        wait(lambda: self.page.text("article"))
        self.tap.is_("320 pixels: nothing is beyond the edge", self.page.run(WIDE), [])
        self.tap.is_("320 pixels: whatever is to be pressed can be hit", self.page.run(SMALL), [])
        shots = pathlib.Path(os.environ["VPNPASS_SHOTS"])
        self.page.screenshot(shots / "narrow.png")
        self.press("article button")
        self.tap.is_("320 pixels: the dialog is not, either", self.page.run(WIDE), [])
        self.page.screenshot(shots / "narrow-dialog.png")


if __name__ == "__main__":
    test = Test(9518)
    sys.exit(test.run(test.errors, test.colours, test.narrow))
