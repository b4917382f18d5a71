#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turns what guest measured into tables and JSON, and judges it.

usage: report.py [--json FILE] [--svg FILE] [--save] [--check] [--seconds N] DIR
Exit code 1 when a goal is missed or packets were lost; with --check instead
when a figure of ours is worse than in results/X.Y.json, 4 without that file.
"""
import argparse
import json
import os
import sys

import plot

HERE = os.path.dirname(os.path.abspath(__file__))
GOAL_PINNED = 0.85      # ESP: of what stock conntrack and NAT add to forwarding
GOAL_GROWTH = 1.02      # most sessions against one, what the router does in all
GOAL_UNRELATED = 1.01   # what is not ours, everything loaded, against nothing
GOAL_FAST = 0.45        # the fast way, of what the router does on stock
GOAL_WORSE = 1.03       # against the baseline
REPEAT_WARN = 0.5       # %: more than this between repetitions is suspicious
WHATS = ("plain", "stock", "flowtable", "intree", "vpnpass", "fast")
TITLE = {"esp": "ESP", "gre": "PPTP's GRE", "ike": "IKE, port 500",
         "natt": "NAT-T, ESP in UDP", "natt-ike": "NAT-T, IKE", "l2tp": "L2TP, port 1701",
         "l2tpv3": "L2TPv3, protocol 115", "udp": "UDP, unrelated",
         "own-esp": "the router's own ESP", "own-ike": "the router's own IKE",
         "quiet": "its ESP, nothing tracked"}
OTHERS = ("udp", "own-esp", "own-ike", "quiet")


def text(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return f.read()


class Row:
    """One thing measured. The first of several times is the warm-up."""

    def __init__(self, key):
        self.what, self.kind, self.direction, self.sessions = key
        self.times, self.lost = [], 0

    def add(self, sent, arrived, ns):
        self.times.append(ns / sent)
        self.packets = sent
        self.lost += arrived if self.ends else sent - arrived

    @property
    def ends(self):
        """Must the packets end in the router? Guest counts its own there."""
        return self.what == "sender" or (self.direction == "in" and self.kind != "udp" and
                                         self.kind in OTHERS)

    @property
    def kept(self):
        return self.times[1:] or self.times

    @property
    def value(self):
        """The least: what else the kernel does now and then only adds."""
        return min(self.kept)

    @property
    def spread(self):
        return 100 * (max(self.kept) - min(self.kept)) / self.value


def read_rows(folder):
    rows = {}
    for line in text(folder, "raw").splitlines():
        what, kind, direction, sessions, _, *figures = line.split()
        key = (what, kind, direction, int(sessions))
        rows.setdefault(key, Row(key)).add(*map(int, figures))
    return rows


def unpaired(folder):
    """{sessions: how many of them took more than one round of packets}"""
    found = {}
    if os.path.exists(os.path.join(folder, "unpaired")):
        for line in text(folder, "unpaired").splitlines():
            sessions, _, paired = map(int, line.split())
            found.setdefault(sessions, sessions - paired)
    return found


def slabs(folder, name):
    """{cache: (bytes in objects, bytes in pages)}"""
    found = {}
    for line in text(folder, "slab." + name).splitlines()[2:]:
        f = line.split()
        found[f[0]] = (int(f[1]) * int(f[3]), int(f[14]) * int(f[5]) * 4096)
    return found


def meminfo(folder, name, item):
    for line in text(folder, "mem." + name).splitlines():
        if line.startswith(item + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError("no " + item)


def memory(folder, tail):
    """Bytes a session or netns, three ways; what is per CPU; the caches that grew most."""
    kind, sessions = tail.split(".")
    sessions = int(sessions)
    a, b = slabs(folder, "before." + tail), slabs(folder, "after." + tail)
    objects = {k: (b[k][0] - a.get(k, (0, 0))[0]) / sessions for k in b}
    pages = sum(b[k][1] - a.get(k, (0, 0))[1] for k in b)
    grown = {k: meminfo(folder, "after." + tail, k) - meminfo(folder, "before." + tail, k)
             for k in ("MemAvailable", "Percpu")}
    return {
        "kind": kind, "sessions": sessions,
        "slab_objects": round(sum(objects.values())),
        "slab_pages": round(pages / sessions),
        "mem_available": round(-grown["MemAvailable"] / sessions),
        "percpu": round(grown["Percpu"] / sessions),
        "caches": {k: round(v) for k, v in
                   sorted(objects.items(), key=lambda i: -i[1]) if v >= 16},
    }


def rival(kind):
    """What a kind is compared with: PPTP's GRE needs a helper on stock, too."""
    return "intree" if kind == "gre" else "stock"


class Report:
    """What all the rows say together. Figures are instructions a packet."""

    def __init__(self, folder):
        self.rows = read_rows(folder)
        self.folder = folder
        self.kinds = list(dict.fromkeys(r.kind for r in self.rows.values()
                                        if r.what == "vpnpass" and r.kind not in OTHERS and
                                        r.kind != "netns"))

    def counts(self, what, kind, direction="out"):
        return sorted(k[3] for k in self.rows if k[:3] == (what, kind, direction))

    def router(self, what, kind, direction, sessions):
        """Without the sender's part, which the router is itself of its own packets."""
        sender = self.rows.get(("sender", kind, direction, 200 if direction == "setup" else 1))
        cost = self.rows[what, kind, direction, sessions].value
        return cost - sender.value if sender else cost

    def added(self, what, kind, direction, sessions):
        """To forwarding; None of what is not forwarded."""
        if ("plain", kind, direction, 1) not in self.rows:
            return None
        return (self.router(what, kind, direction, sessions) -
                self.router("plain", kind, direction, 1))

    def setup(self, row):
        """All that the router does for a session's first packets."""
        key = (row.what, row.kind, row.direction, row.sessions)
        per = row.packets // row.sessions
        cost = self.router(*key) * per
        return {"what": row.what, "kind": row.kind, "sessions": row.sessions,
                "packets": per, "instructions": round(cost), "per_giga": round(1e9 / cost)}

    def goals_esp(self):
        def mean(*key):
            return sum(self.added(*key[:2], d, key[2]) for d in ("out", "in"))

        for n in self.counts("vpnpass", "esp"):
            yield (f"esp, {n}: added cost to stock's",
                   mean("vpnpass", "esp", n) / mean("stock", "esp", 1), GOAL_PINNED)

    def goals_others(self):
        """Against the same without our modules, earlier in the same boot."""
        for kind in OTHERS:
            for d in ("out", "in"):
                yield (f"{TITLE[kind]}, {d}", self.router("vpnpass", kind, d, 1) /
                       self.router("stock", kind, d, 1), GOAL_UNRELATED)
        ours, stock = (next(r for r in self.rows.values() if (r.what, r.kind) == (w, "netns"))
                       for w in ("vpnpass", "stock"))
        yield "an idle netns, to make", ours.value / stock.value, GOAL_UNRELATED
        ours, stock = (memory(self.folder, f"netns-{w}.{ours.sessions}")
                       for w in ("vpnpass", "stock"))
        for k in ("slab_objects",):
            yield f"an idle netns, {k}", ours[k] / stock[k], GOAL_UNRELATED

    def goals_fast(self):
        """Against stock, and against the kernel's flowtable, which has UDP alone."""
        for kind in self.kinds:
            for d in ("out", "in"):
                for n in self.counts("fast", kind, d):
                    cost = self.router("fast", kind, d, n)
                    yield (f"fast {kind} {d}, {n}: to {rival(kind)}'s with 1",
                           cost / self.router(rival(kind), kind, d, 1), GOAL_FAST)
                    yield (f"fast {kind} {d}, {n}: to a flowtable's UDP",
                           cost / self.router("flowtable", "udp", d, 1), 1)

    def goals(self):
        """(name, value, limit)"""
        for kind in self.kinds:
            if kind == "esp":
                yield from self.goals_esp()
            for d in ("out", "in"):
                counts = self.counts("vpnpass", kind)
                cost = {n: self.router("vpnpass", kind, d, n) for n in counts}
                for n in counts if kind != "esp" else ():
                    yield (f"{kind} {d}, {n}: to {rival(kind)}'s with 1",
                           cost[n] / self.router(rival(kind), kind, d, 1), 1)
                if len(counts) > 1:
                    yield (f"{kind} {d}: {counts[-1]} sessions to {counts[0]}",
                           cost[counts[-1]] / cost[counts[0]], GOAL_GROWTH)
        yield from self.goals_fast()
        yield from self.goals_others()

    def complaints(self):
        for r in self.rows.values():
            # of what is in doubt when a session begins others get copies
            if r.lost > 0 or r.lost and r.direction != "setup":
                yield f"{r.what} {r.kind} {r.direction} {r.sessions}: {r.lost} packets astray"
        clock = int(text(self.folder, "clock"))
        if not 10e6 <= clock < 10.3e6:
            yield f"the clock does not count instructions: {clock} in a loop of 10000000"

    def figures(self):
        for key, r in self.rows.items():
            if r.direction != "setup" and r.what != "sender":
                added = self.added(*key)
                yield {"what": r.what, "kind": r.kind, "direction": r.direction,
                       "sessions": r.sessions, "instructions": round(self.router(*key)),
                       "added": added if added is None else round(added),
                       "spread_percent": round(r.spread, 2)}

    def result(self, seconds):
        return {
            "command": "make bench",
            "kernel": text(self.folder, "release").strip(),
            "modules": text(self.folder, "modules").split(),
            "packets": self.rows["plain", "udp", "out", 1].packets,
            "seconds": seconds,
            "figures": list(self.figures()),
            "setup": [self.setup(r) for r in self.rows.values() if r.direction == "setup"
                      and r.what != "sender" and r.sessions > 1],
            "slow_to_pair": unpaired(self.folder),
            "memory": [memory(self.folder, name.removeprefix("slab.after."))
                       for name in sorted(os.listdir(self.folder))
                       if name.startswith("slab.after.")],
            "goals": [{"name": n, "value": round(v, 4), "limit": g, "met": v <= g}
                      for n, v, g in self.goals()],
            "complaints": list(self.complaints()),
        }


# --- tables -------------------------------------------------------------------
def table(out, head, rows):
    print("| " + " | ".join(head) + " |", file=out)
    print("|" + "---|" * len(head), file=out)
    for r in rows:
        print("| " + " | ".join(r) + " |", file=out)
    print(file=out)


def cost_rows(r):
    """A line for each protocol: plain, stock or in-tree, ours by sessions."""
    by = {(f["what"], f["kind"], f["sessions"], f["direction"]): f["instructions"]
          for f in r["figures"]}

    def cell(*key):
        return " / ".join(str(by[(*key, d)]) for d in ("out", "in")
                          if (*key, d) in by) or "-"

    counts = sorted({k[2] for k in by if k[0] == "vpnpass" and k[1] != "gre"})
    fast = sorted({k[2] for k in by if k[0] == "fast"})
    yield ["", "plain", "stock, 1", "flowtable, 1", "in-tree, 1"] + \
        [f"vpnpass, {n:,}" for n in counts] + [f"fast, {n:,}" for n in fast]
    for kind in dict.fromkeys(k[1] for k in by):
        yield [TITLE[kind]] + \
            [cell(w, kind, 1) for w in ("plain", "stock", "flowtable", "intree")] + \
            [cell("vpnpass", kind, n) for n in counts] + [cell("fast", kind, n) for n in fast]


def call_rows(r):
    gre = {(f["what"], f["sessions"], f["direction"]): f["instructions"]
           for f in r["figures"] if f["kind"] == "gre"}
    for n in sorted({k[1] for k in gre}):
        if ("vpnpass", n, "out") in gre:
            yield [f"{n:,}"] + [" / ".join(f"{gre[w, n, d]:,}" for d in ("out", "in"))
                                if (w, n, "out") in gre else "-"
                                for w in ("intree", "vpnpass")]


def show(r, out):
    def line(s=""):
        print(s, file=out)

    line(f"Instructions per packet on {r['kernel']}, out / in, {r['packets']} packets a "
         "measurement, the sender's subtracted.\n")
    table(out, *(lambda rows: (rows[0], rows[1:]))(list(cost_rows(r))))
    calls = list(call_rows(r))
    if calls:
        table(out, ["PPTP calls", "in-tree", "vpnpass"], calls)
    table(out, ["set-up", "", "sessions", "packets", "instructions a session", "sessions per 10^9"],
          [[s["kind"], s["what"], f"{s['sessions']:,}", str(s["packets"]),
            f"{s['instructions']:,}", f"{s['per_giga']:,}"] for s in r["setup"]])
    for n, late in r["slow_to_pair"].items():
        line(f"{late} of {n} ESP sessions were not paired by then, and took more packets\n")
    if r["memory"]:
        table(out, ["memory", "sessions", "bytes a session in slab objects", "in slab pages",
                    "of MemAvailable", "largest"],
              [[m["kind"], f"{m['sessions']:,}", f"{m['slab_objects']:,}",
                f"{m['slab_pages']:,}", f"{m['mem_available']:,}",
                ", ".join(f"{k} {v}" for k, v in list(m["caches"].items())[:4])]
               for m in r["memory"]])
    for f in r["figures"]:
        if f["spread_percent"] > REPEAT_WARN:
            line(f"NOTE   {f['what']} {f['kind']} {f['direction']} {f['sessions']}: "
                 f"repetitions differ by {f['spread_percent']} %")
    for g in r["goals"]:
        line(f"{'met   ' if g['met'] else 'MISSED'} {g['name']:44}{g['value']:.4f}"
             f"  at most {g['limit']}")
    for c in r["complaints"]:
        line("WRONG  " + c)
    line(f"\n{r['seconds']} s")


# --- against the baseline -------------------------------------------------------
def baseline(kernel):
    return os.path.join(HERE, "results", ".".join(kernel.split(".")[:2]) + ".json")


def comparable(r):
    """{name: value}, all of ours that is better when smaller"""
    found = {}
    for f in r["figures"]:
        if f["what"] in ("vpnpass", "fast"):
            of = "fast " if f["what"] == "fast" else ""
            found[f"{of}{f['kind']} {f['direction']} {f['sessions']}"] = f["instructions"]
    for s in r["setup"]:
        if s["what"] == "vpnpass":
            found[f"{s['kind']} set-up {s['sessions']}"] = s["instructions"]
    for m in r["memory"]:
        if m["kind"] != "netns-stock":
            found[f"{m['kind']} memory {m['sessions']}"] = m["slab_objects"]
    return found


def check(r, out):
    """Exit code"""
    try:
        with open(baseline(r["kernel"]), encoding="utf-8") as f:
            old = comparable(json.load(f))
    except FileNotFoundError:
        print(f"no baseline for {r['kernel']}", file=out)
        return 4
    new = comparable(r)
    both = [k for k in new if k in old]
    worse = [k for k in both if new[k] > GOAL_WORSE * old[k]]
    slow = [g for g in r["goals"] if g["name"].startswith("fast ") and not g["met"]]
    for g in slow:
        print(f"MISSED {g['name']:44}{g['value']:.4f}  at most {g['limit']}", file=out)
    for k in both:
        if k in worse or new[k] * GOAL_WORSE < old[k]:
            print(f"{'WORSE ' if k in worse else 'better'} {k:32}{old[k]:>8} ->{new[k]:>8}"
                  f"  {100 * (new[k] / old[k] - 1):+.1f} %", file=out)
    print(f"{len(both)} figures compared with the baseline, {len(worse)} worse by more than "
          f"{100 * GOAL_WORSE - 100:.0f} %", file=out)
    return 1 if worse or slow or not both or r["complaints"] else 0


def save_json(r, name):
    with open(name, "w", encoding="utf-8") as f:
        json.dump(r, f, indent=1)
        f.write("\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--json", metavar="FILE")
    p.add_argument("--svg", metavar="FILE")
    p.add_argument("--save", action="store_true")
    p.add_argument("--check", action="store_true")
    p.add_argument("--seconds", type=int, default=0)
    p.add_argument("dir")
    args = p.parse_args()
    r = Report(args.dir).result(args.seconds)
    # with the JSON on the standard output the tables go elsewhere
    out = sys.stderr if args.json == "-" else sys.stdout
    show(r, out)
    if args.json == "-":
        json.dump(r, sys.stdout, indent=1)
        print()
    elif args.json:
        save_json(r, args.json)
    if args.svg:
        plot.save(r, args.svg)
    ret = check(r, out) if args.check else \
        int(bool(r["complaints"]) or not all(g["met"] for g in r["goals"]))
    if args.save:
        name = baseline(r["kernel"])
        os.makedirs(os.path.dirname(name), exist_ok=True)
        save_json(r, name)
        plot.save(r, name.removesuffix(".json") + ".svg")
    sys.exit(ret)


if __name__ == "__main__":
    main()
