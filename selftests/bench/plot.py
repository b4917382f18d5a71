# SPDX-License-Identifier: GPL-2.0
"""The benchmark's figures as an SVG: what a packet costs by the number of PPTP
calls, and for each protocol. Called by report.py."""
import math
from html import escape

WIDTH, HEIGHT = 900, 400
TOP, BOTTOM = 70, 330
COLOUR = {"plain": "#bbbbbb", "stock": "#5b8db8", "intree": "#c44e52", "vpnpass": "#2f7d4f"}
LABEL = {"plain": "plain forwarding", "stock": "stock conntrack and NAT",
         "intree": "in-tree helper", "vpnpass": "vpnpass"}
SHORT = {"esp": "ESP", "gre": "GRE", "ike": "IKE", "natt": "NAT-T ESP", "natt-ike": "NAT-T IKE",
         "l2tp": "L2TP", "l2tpv3": "L2TPv3", "udp": "other UDP"}


class Svg:
    """Lines of SVG, in pixels."""

    def __init__(self):
        self.parts = []

    def text(self, x, y, s, anchor="middle", size=11, colour="#222"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
                          f'font-size="{size}" fill="{colour}">{escape(s)}</text>')

    def line(self, x1, y1, x2, y2, colour="#ddd"):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{colour}"/>')

    def rect(self, x, y, w, h, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" '
                          f'fill="{colour}"/>')

    def curve(self, points, colour):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                          'stroke-width="2"/>')
        for x, y in points:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')

    def whole(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">\n'
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' +
                "\n".join(self.parts) + "\n</svg>\n")


def mean(r, what, kind, sessions):
    """Of both directions; None when it was not measured."""
    found = [f["instructions"] for f in r["figures"]
             if (f["what"], f["kind"], f["sessions"]) == (what, kind, sessions)]
    return sum(found) / len(found) if found else None


def calls(svg, r, left, right):
    """Both axes logarithmic: the in-tree helper's list is walked per packet."""
    counts = sorted({f["sessions"] for f in r["figures"]
                     if f["kind"] == "gre" and f["what"] == "vpnpass"})
    if len(counts) < 2:
        return
    lo, hi = 3, 6       # powers of ten

    def x(n):
        return left + (right - left) * math.log(n / counts[0]) / math.log(counts[-1] / counts[0])

    def y(v):
        return BOTTOM - (BOTTOM - TOP) * (math.log10(v) - lo) / (hi - lo)

    svg.text((left + right) / 2, TOP - 12, "PPTP: instructions a GRE packet, by calls", size=13)
    for e in range(lo, hi + 1):
        svg.line(left, y(10 ** e), right, y(10 ** e))
        svg.text(left - 6, y(10 ** e) + 4, f"{10 ** e:,}", anchor="end")
    for n in counts:
        svg.text(x(n), BOTTOM + 16, f"{n:,}")
    for what in ("intree", "vpnpass"):
        points = [(x(n), y(mean(r, what, "gre", n))) for n in counts
                  if mean(r, what, "gre", n)]
        if points:
            svg.curve(points, COLOUR[what])


def protocols(svg, r, left, right):
    """One group of bars a protocol; ours with the most sessions measured."""
    kinds = list(dict.fromkeys(f["kind"] for f in r["figures"]
                               if f["what"] == "vpnpass" and f["kind"] in SHORT))
    whats = ("plain", "stock", "intree", "vpnpass")
    most = {k: max(f["sessions"] for f in r["figures"]
                   if f["kind"] == k and f["what"] == "vpnpass") for k in kinds}
    value = {(k, w): mean(r, w, k, most[k] if w == "vpnpass" else 1)
             for k in kinds for w in whats}
    top = 1000 * math.ceil(max(v for v in value.values() if v) / 1000)
    step = (right - left) / len(kinds)

    def y(v):
        return BOTTOM - (BOTTOM - TOP) * v / top

    svg.text((left + right) / 2, TOP - 12,
             "Instructions a packet; vpnpass with the most sessions, others with 1", size=13)
    for v in range(0, top + 1, 1000):
        svg.line(left, y(v), right, y(v))
        svg.text(left - 6, y(v) + 4, f"{v:,}", anchor="end")
    for n, k in enumerate(kinds):
        here = [w for w in whats if value[k, w]]
        wide = step * 0.8 / len(here)
        for m, w in enumerate(here):
            svg.rect(left + step * (n + 0.1) + m * wide, y(value[k, w]), wide,
                     BOTTOM - y(value[k, w]), COLOUR[w])
        svg.text(left + step * (n + 0.5), BOTTOM + 16, SHORT[k], size=10)
        svg.text(left + step * (n + 0.5), BOTTOM + 28, f"{most[k]:,}", size=9, colour="#777")


def save(r, name):
    svg = Svg()
    svg.text(20, 24, f"vpnpass: what a packet costs the router, on Linux {r['kernel']}",
             anchor="start", size=15)
    x = 20
    for w, label in LABEL.items():
        svg.rect(x, HEIGHT - 38, 10, 10, COLOUR[w])
        svg.text(x + 14, HEIGHT - 29, label, anchor="start")
        x += 40 + 6.5 * len(label)
    svg.text(20, HEIGHT - 10, f"{r['command']}: a VM whose clock counts instructions, the "
             "sender's subtracted, mean of both directions", anchor="start", colour="#777")
    calls(svg, r, 75, 340)
    protocols(svg, r, 400, WIDTH - 15)
    with open(name, "w", encoding="utf-8") as f:
        f.write(svg.whole())
