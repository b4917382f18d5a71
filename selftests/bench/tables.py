#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes the tables of docs/performance.md from the kept figures of "make bench".

usage: tables.py [--check]
With --check nothing is written; exit code 1 when the page and the figures differ.
"""
import json
import os
import sys

from report import GOAL_FAST, rival

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import page_tables

FIGURES = os.path.join(HERE, "results", "6.1.json")
ROWS = (("esp", "IPsec ESP"), ("gre", "PPTP's GRE"), ("ike", "IKE, port 500"),
        ("natt", "NAT-T, ESP in UDP"), ("natt-ike", "NAT-T, IKE"), ("l2tp", "L2TP, port 1701"),
        ("l2tpv3", "L2TPv3, protocol 115"), ("udp", "UDP that is none of these"))
MANY = 20000


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


class Tables:
    def __init__(self, kept):
        self.packets_of = {(f["what"], f["kind"], f["direction"], f["sessions"]):
                           f["instructions"] for f in kept["figures"]}
        self.setup_of = {(s["what"], s["kind"], s["sessions"]): s for s in kept["setup"]}
        self.memory_of = {m["kind"]: m["slab_objects"] for m in kept["memory"]}

    def cell(self, what, kind, sessions):
        both = [self.packets_of.get((what, kind, d, sessions)) for d in ("out", "in")]
        return "-" if None in both else " / ".join(f"{n:,}" for n in both)

    def stock(self, kind):
        helper = " (in-tree helper)" if rival(kind) == "intree" else ""
        return self.cell(rival(kind), kind, 1) + helper

    def packets(self):
        return table(["", "plain", "stock NAT, 1", "vpnpass, 1 session", "1,000", f"{MANY:,}"],
                     [[title, self.cell("plain", kind, 1), self.stock(kind)] +
                      [self.cell("vpnpass", kind, n) for n in (1, 1000, MANY)]
                      for kind, title in ROWS])

    def fast(self):
        """By the router's part of stock's cost, beside the goal."""
        rows = []
        for kind, title in ROWS:
            if ("fast", kind, "in", 1) not in self.packets_of:
                continue
            rows.append([title, self.stock(kind), self.cell("vpnpass", kind, 1)] +
                        [self.cell("fast", kind, n) for n in (1, MANY)] +
                        [" / ".join(f"{self.part(kind, d):.3f}" for d in ("out", "in"))])
        rows.append(["UDP, the kernel's flowtable", self.stock("udp"), "-"] +
                    [self.cell("flowtable", "udp", n) for n in (1, MANY)] + ["-"])
        return table(["", "stock, 1", "vpnpass, 1", "fast, 1 session", f"{MANY:,}",
                      f"{MANY:,} to stock (goal {GOAL_FAST})"], rows)

    def part(self, kind, d):
        return self.packets_of["fast", kind, d, MANY] / self.packets_of[rival(kind), kind, d, 1]

    def calls(self):
        return table(["PPTP calls", "in-tree helper", "vpnpass"],
                     [[f"{n:,}", self.cell("intree", "gre", n), self.cell("vpnpass", "gre", n)]
                      for n in (1, 100, 1000, 4000, MANY)])

    def setup(self):
        rows = []
        for kind, title in ROWS:
            ours = self.setup_of.get(("vpnpass", kind, MANY))
            theirs = self.setup_of.get((rival(kind), kind, 1000))
            if ours and theirs:
                rows.append([title, f"{theirs['instructions']:,}", f"{ours['instructions']:,}",
                             f"{ours['per_giga']:,}", f"{self.memory_of[kind]:,}"])
        return table(["", "stock or in-tree: set-up", "vpnpass: set-up",
                      "sessions per 10^9 instructions", "slab bytes a session"], rows)


def main():
    with open(FIGURES, encoding="utf-8") as f:
        tables = Tables(json.load(f))
    page_tables.write("performance.md", "bench", {
        name: getattr(tables, name)() for name in ("packets", "fast", "calls", "setup")})


main()
