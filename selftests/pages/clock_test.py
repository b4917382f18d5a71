#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The page that Cockpit and LuCI share, left open for hours: how often it asks. The
browser's own clock is wound on, and a router that answers without delay, or late, stands
in for the real one.

    clock_test.py		called by check.sh
"""

import sys

from alone import Alone
from webdriver import wait

HOUR = 3600 * 1000
MOUNT = """
    window.asked = { show: [], session: [] };
    const answers = { show: '[{"proto":"esp","mode":"on","sessions":0}]', session: "[]" };
    window.have = (there, listed) => {
        answers.show = JSON.stringify([{ proto: "esp", mode: "on", sessions: there }]);
        answers.session = JSON.stringify(Array(listed).fill({ proto: "esp", client: "10.0.0.1" }));
    };
    const { mount } = await import("/page.js");
    mount(document.body, {
        tool: ([word]) => { window.asked[word].push(Date.now()); return new Promise((resolve) =>
            arguments[0] ? setTimeout(() => resolve(answers[word]), arguments[0])
                         : resolve(answers[word])); },
        mayWrite: async () => true,
        translate: (text) => text,
    });"""
HIDE = """
    Object.defineProperty(document, "hidden", { configurable: true, get: () => arguments[0] });
    document.dispatchEvent(new Event("visibilitychange"));"""


class Test(Alone):
    """The tests, in order."""

    def clock(self, **policy):
        """Chromium's virtual time."""
        self.page.call("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setVirtualTimePolicy", "params": policy})

    def now(self):
        """The page's time in milliseconds."""
        return self.page.run("return Date.now()")

    def pass_time(self, milliseconds):
        """Wind the clock on; what the page asked meanwhile, and how long that was for it."""
        self.page.run("window.asked.show.length = window.asked.session.length = 0")
        begin = self.now()
        self.clock(policy="advance", budget=milliseconds)
        wait(lambda: self.now() >= begin + milliseconds, 60)
        asked = self.page.run("return window.asked")
        return asked, self.now() - begin

    def hours(self):
        """An hour each."""
        self.clock(policy="pause")
        self.page.run(MOUNT, 0)
        asked, passed = self.pass_time(HOUR)
        gaps = [b - a for a, b in zip(asked["show"], asked["show"][1:])]
        self.tap.ok("an hour has passed", HOUR <= passed < HOUR + 60000, passed)
        self.tap.ok("an hour: the page kept asking", 700 <= len(asked["show"]) <= 721,
                    len(asked["show"]))
        self.tap.ok("an hour: never twice within 5 s", min(gaps, default=0) >= 5000, min(gaps, default=0))
        self.tap.is_("an hour: for the sessions as often as for the switches",
                     abs(len(asked["session"]) - len(asked["show"])) <= 1, True)
        self.page.run(HIDE, True)
        asked, passed = self.pass_time(HOUR)
        self.tap.is_("an hour hidden: not once", [len(asked["show"]), len(asked["session"])], [0, 0])
        self.page.run(HIDE, False)
        asked, passed = self.pass_time(1000)
        self.tap.is_("seen again: at once", len(asked["show"]), 1)

        self.page.run("document.body.replaceChildren()")
        self.pass_time(20000)
        asked, passed = self.pass_time(HOUR)
        self.tap.is_("an hour after it was left for another: not once", len(asked["show"]), 0)
        self.page.run(MOUNT, 7000)
        asked, passed = self.pass_time(HOUR)
        gaps = [b - a for a, b in zip(asked["show"], asked["show"][1:])]
        self.tap.ok("a router that takes 7 s to answer is not asked meanwhile",
                    len(gaps) > 500 and min(gaps) >= 7000, f"{len(gaps)}, {min(gaps, default=0)}")

    def shown(self, there, listed):
        """What the page says with so many sessions, of which the tool lists some."""
        self.page.run("window.have(arguments[0], arguments[1])", there, listed)
        self.pass_time(10000)
        return self.page.run("return [document.querySelectorAll('tbody')[1].rows.length,"
                             " document.body.innerText.match(/[0-9]+ are shown.*/)?.[0] ?? '']")

    def many(self):
        """As many sessions as the page lists, and more."""
        self.page.run("document.body.replaceChildren()")
        self.page.run(MOUNT, 0)
        self.tap.is_("100 sessions", self.shown(100, 100), [100, ""])
        self.tap.is_("517 sessions: it says how many are not listed", self.shown(517, 100),
                     [100, "100 are shown, and there are 417 more."])
        self.tap.is_("one again", self.shown(1, 1), [1, ""])


if __name__ == "__main__":
    test = Test(9517)
    sys.exit(test.run(test.hours, test.many))
