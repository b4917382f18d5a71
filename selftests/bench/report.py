#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turns what guest measured into a table and JSON, and judges the goals.

usage: report.py [--json FILE] [--seconds N] DIR
Exit code 1 when a goal is missed or packets were lost, 2 usage.
"""
import argparse
import json
import os
import statistics
import sys

GOAL_PINNED = 0.85      # of what stock conntrack and NAT add to forwarding
GOAL_GROWTH = 1.02      # most pins against one pin, what the router does in all
GOAL_UNRELATED = 1.01   # UDP through NAT, everything loaded, against nothing
REPEAT_WARN = 0.5       # %: more than this between repetitions is suspicious


def text(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return f.read()


class Row:
    """One thing measured; times[0] is the warm-up."""

    def __init__(self, name, direction, sessions):
        self.name, self.direction, self.sessions = name, direction, sessions
        self.times, self.lost = [], 0

    def add(self, sent, arrived, ns):
        self.times.append(ns / sent)
        self.packets = sent
        # the sender's rows are those whose packets must not arrive
        self.lost += arrived if self.name.startswith("sender") else sent - arrived

    @property
    def value(self):
        return statistics.median(self.times[1:])

    @property
    def spread(self):
        kept = self.times[1:]
        return 100 * (max(kept) - min(kept)) / self.value


def read_rows(folder):
    rows = {}
    for line in text(folder, "raw").splitlines():
        name, direction, sessions, _, *figures = line.split()
        key = (name, direction, int(sessions))
        rows.setdefault(key, Row(*key)).add(*map(int, figures))
    return rows


def unpaired(folder):
    """{sessions: how many of them took more than one round of packets}"""
    found = {}
    if os.path.exists(os.path.join(folder, "unpaired")):
        for line in text(folder, "unpaired").splitlines():
            sessions, _, paired = map(int, line.split())
            found.setdefault(sessions, sessions - paired)
    return found


def slabs(folder, when):
    """{cache: (bytes in objects, bytes in pages)}"""
    found = {}
    for line in text(folder, "slab." + when).splitlines()[2:]:
        f = line.split()
        found[f[0]] = (int(f[1]) * int(f[3]), int(f[14]) * int(f[5]) * 4096)
    return found


def meminfo(folder, when):
    return {k: int(v.split()[0]) * 1024 for k, v in
            (line.split(":") for line in text(folder, "mem." + when).splitlines())}


def memory(folder, sessions):
    """Bytes a session, three ways; the caches that grew most."""
    a, b = slabs(folder, "before"), slabs(folder, "after")
    objects = {k: (b[k][0] - a.get(k, (0, 0))[0]) / sessions for k in b}
    pages = sum(b[k][1] - a.get(k, (0, 0))[1] for k in b)
    ma, mb = meminfo(folder, "before"), meminfo(folder, "after")
    return {
        "sessions": sessions,
        "slab_objects": round(sum(objects.values())),
        "slab_pages": round(pages / sessions),
        "mem_available": round((ma["MemAvailable"] - mb["MemAvailable"]) / sessions),
        "caches": {k: round(v) for k, v in
                   sorted(objects.items(), key=lambda i: -i[1]) if v >= 16},
    }


class Report:
    """What all the rows say together. Figures are instructions a packet."""

    def __init__(self, folder):
        self.rows = read_rows(folder)
        self.pins = sorted(k[2] for k in self.rows if k[0] == "pinned" and k[1] == "out")
        self.most = self.pins[-1]
        self.folder = folder
        self.bad = []

    def router(self, name, direction, sessions):
        """Without the sender's part."""
        kind = "sender-udp" if "udp" in name else "sender-esp"
        return (self.rows[name, direction, sessions].value -
                self.rows[kind, direction, 0].value)

    def added(self, name, direction, sessions):
        plain = "plain-udp" if "udp" in name else "plain"
        return (self.router(name, direction, sessions) -
                self.router(plain, direction, 1))

    def setup(self, name, sessions):
        """The first exchange of a session over the same one later on."""
        row = self.rows[name, "setup", sessions]
        first, again = (t * row.packets / sessions for t in row.times[:2])
        return {"sessions": sessions, "packets": row.packets // sessions,
                "instructions": round(first - again),
                "per_giga": round(1e9 / (first - again)) if first > again else None}

    def goals(self):
        def mean(f):
            return (f("out") + f("in")) / 2

        def pinned(n):
            return (mean(lambda d: self.added("pinned", d, n)) /
                    mean(lambda d: self.added("stock", d, 1)))

        for n in self.pins:
            yield f"pinned, {n}: added cost to stock's", pinned(n), GOAL_PINNED
        for d in ("out", "in"):
            yield (f"{self.most} pins to {self.pins[0]}, {d}",
                   self.router("pinned", d, self.most) /
                   self.router("pinned", d, self.pins[0]), GOAL_GROWTH)
        for n in (0, self.most):
            for d in ("out", "in"):
                yield (f"unrelated UDP, {n} pins, {d}",
                       self.router("udp-loaded", d, n) /
                       self.router("udp-stock", d, 0), GOAL_UNRELATED)

    def complaints(self):
        for row in self.rows.values():
            if row.lost:
                yield f"{row.name} {row.direction} {row.sessions}: {row.lost} packets astray"
        clock = int(text(self.folder, "clock"))
        if not 10e6 <= clock < 10.3e6:
            yield f"the clock does not count instructions: {clock} in a loop of 10000000"

    def result(self, seconds):
        figures = [{
            "name": r.name, "direction": r.direction, "sessions": r.sessions,
            "instructions": round(self.router(*k)), "added": round(self.added(*k)),
            "spread_percent": round(r.spread, 2),
        } for k, r in self.rows.items()
            if r.direction != "setup" and not r.name.startswith("sender")]
        return {
            "kernel": text(self.folder, "release").strip(),
            "modules": text(self.folder, "modules").split(),
            "packets": self.rows["plain", "out", 1].packets,
            "seconds": seconds,
            "figures": figures,
            "sender": round(self.rows["sender-esp", "out", 0].value),
            # the first session of all pays for what is made once
            "setup": {name: [self.setup(*k[::2]) for k in self.rows
                             if k[:2] == (name, "setup") and k[2] > 1]
                      for name in ("stock", "pinned")},
            "slow_to_pair": unpaired(self.folder),
            "memory": memory(self.folder, self.most),
            "goals": [{"name": n, "value": round(v, 4), "limit": g, "met": v <= g}
                      for n, v, g in self.goals()],
            "complaints": list(self.complaints()),
        }


def show(r, out):
    def line(*a):
        print(*a, file=out)

    line(f"Instructions per packet on {r['kernel']}: {r['packets']} packets a measurement,")
    line(f"the sender's {r['sender']} subtracted. Loaded: {' '.join(r['modules'])}.\n")
    line(f"{'':14}{'direction':>10}{'sessions':>10}{'router':>8}{'added':>7}{'spread':>9}")
    for f in r["figures"]:
        flag = "  !" if f["spread_percent"] > REPEAT_WARN else ""
        line(f"{f['name']:14}{f['direction']:>10}{f['sessions']:>10}"
             f"{f['instructions']:>8}{f['added']:>7}{f['spread_percent']:>7} %{flag}")
    line("\nSetting a session up: its first exchange of packets, over the same one later")
    for name, rows in r["setup"].items():
        for s in rows:
            line(f"{name:14}{s['sessions']:>6} sessions, {s['packets']} packets each: "
                 f"{s['instructions']} instructions, {s['per_giga']} sessions per 10^9")
    for n, late in r["slow_to_pair"].items():
        line(f"{late} of {n} sessions were not paired by then, and took more packets")
    m = r["memory"]
    line(f"\nMemory per session, {m['sessions']} sessions, their connections included: "
         f"{m['slab_objects']} bytes in slab")
    line(f"objects, {m['slab_pages']} in slab pages, {m['mem_available']} of MemAvailable "
         "(hash tables too). Caches:")
    line("  " + ", ".join(f"{k} {v}" for k, v in m["caches"].items()))
    line("\nGoals")
    for g in r["goals"]:
        line(f"{'met   ' if g['met'] else 'MISSED'} {g['name']:44}{g['value']:.4f}"
             f"  at most {g['limit']}")
    for c in r["complaints"]:
        line("WRONG  " + c)
    line(f"\n{r['seconds']} s")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--json", metavar="FILE")
    p.add_argument("--seconds", type=int, default=0)
    p.add_argument("dir")
    args = p.parse_args()
    r = Report(args.dir).result(args.seconds)
    # with the JSON on the standard output the table goes elsewhere
    show(r, sys.stderr if args.json == "-" else sys.stdout)
    if args.json == "-":
        json.dump(r, sys.stdout, indent=1)
        print()
    elif args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(r, f, indent=1)
            f.write("\n")
    sys.exit(0 if not r["complaints"] and all(g["met"] for g in r["goals"]) else 1)


main()
