#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes the tables of docs/pairing.md from the kept figures of "make sim-matrix".

usage: tables.py [--check]
With --check nothing is written; exit code 1 when the page and the figures differ.
"""
import csv
import os
import sys
from statistics import mean

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import page_tables

HOSTILE = (("spoof5", "5 spoofed packets a second"), ("spoof50", "50"), ("spoof500", "500"),
           ("repeat", "an IKE_AUTH repeated for ever"),
           ("spis", "40 new SPIs a second of one client"),
           ("answers", "a client that answers everything"))
POLICIES = ("first", "pair")


def figures():
    """The lines of each cell, one a seed, by policy, network, scene, hostile, IKE, clients."""
    cells = {}
    for policy in POLICIES:
        with open(os.path.join(HERE, "results", policy + ".tsv"), encoding="utf-8") as kept:
            for line in csv.DictReader(kept, delimiter="\t"):
                key = tuple(line[k] for k in ("policy", "net", "scene", "hostile", "ike", "clients"))
                cells.setdefault(key, []).append(line)
    return cells


def cell(lines):
    m = {k: mean(float(line[k]) for line in lines)
         for k in ("up", "median_ms", "p99_ms", "lost", "wrong_end", "copies_1000")}
    return (f"{round(m['up'], 2):g}; {m['median_ms']:.0f}, {m['p99_ms']:.0f}; "
            f"{m['lost']:.2f}; {m['wrong_end']:.2f}; {m['copies_1000']:.0f}")


def row(cells, titles, *key):
    return "| " + " | ".join(titles + [cell(cells[(p, *key)]) for p in POLICIES]) + " |\n"


def tables():
    cells = figures()
    networks = hostile = ""
    for policy, net, scene, _, ike, n in cells:
        if policy == POLICIES[0] and scene == "ten":
            networks += row(cells, [net, n, "in sight" if ike == "ike" else "not"],
                            net, scene, "none", ike, n)
    for name, title in HOSTILE:
        hostile += row(cells, [title], "model", "mix", name, "ike", "20")
    return {"networks": "| network | clients | IKE | first policy, with its gate | this |\n"
                        "|---|---|---|---|---|\n" + networks,
            "hostile": "| hostile, 20 clients, scene mix, IKE in sight | first policy | this |\n"
                       "|---|---|---|\n" + hostile}


page_tables.write("pairing.md", "sim", tables())
