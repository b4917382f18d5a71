#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check the dashboard and the alert rules against metrics that the tool printed.

    prometheus_check.py METRICS...    prints what is wrong, and how many
                                      expressions were checked

Every metric that an expression names has to be one that the tool prints, every
label one that this metric has. METRICS are outputs of stats --prometheus and of
the script metrics.
"""

import json
import pathlib
import re
import sys

import yaml

DIR = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "prometheus"
ADDED_BY_PROMETHEUS = {"instance", "job"}


def metrics(paths):
    """Names, with their labels."""
    found = {}
    for path in paths:
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            match = re.match(r"# TYPE (\S+)", line)
            if match:
                found.setdefault(match[1], set())
            match = re.match(r"(\w+)(?:\{(.*)\})? ", line)
            if match and not line.startswith("#"):
                found.setdefault(match[1], set()).update(
                    re.findall(r'(\w+)="', match[2] or ""))
    return found


def expressions():
    """Of the rules and of the dashboard, with where they are."""
    rules = yaml.safe_load((DIR / "vpnpass-alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
            assert rule["annotations"]["summary"] and rule["labels"]["severity"]
    board = json.loads((DIR / "vpnpass-dashboard.json").read_text(encoding="utf-8"))
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def main(paths):
    """See the top of the file."""
    known = metrics(paths)
    count = 0
    for place, expr in expressions():
        count += 1
        for name, selector in re.findall(r"(vpnpass_\w+)(?:\{([^}]*)\})?", expr):
            if name not in known:
                print(f"{place}: there is no metric {name}")
                continue
            for label in re.findall(r"(\w+)=", selector):
                if label not in known[name] | ADDED_BY_PROMETHEUS:
                    print(f"{place}: {name} has no label {label}")
    print(count)


main(sys.argv[1:])
