#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check what the tool printed against docs/schema/vpnpass.json.

    schema_check.py < answers               lines "DEFINITION<TAB>JSON"
    schema_check.py DEFINITION < answers    lines "JSON"

The schema lets members be added; here a member that it does not list is a
fault, so that none is printed without being documented. A definition that is
never used is one, too, unless one is named. Prints the faults and how many answers were checked.
"""

import json
import pathlib
import sys

import jsonschema

PATH = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schema" / "vpnpass.json"


def tighten(node):
    """Forbid what an object does not list."""
    if isinstance(node, dict):
        if "properties" in node or "patternProperties" in node:
            node.setdefault("additionalProperties", False)
        for value in node.values():
            tighten(value)
    elif isinstance(node, list):
        for value in node:
            tighten(value)


def main(only=None):
    """Check standard input."""
    schema = json.loads(PATH.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    tighten(schema)
    commands = list(schema["$defs"])
    commands = set(commands[:commands.index("failure")])
    used, count = set(), 0
    for line in sys.stdin:
        name, _, text = (only, "", line) if only else line.rstrip("\n").partition("\t")
        answer = json.loads(text)
        if isinstance(answer, dict) and set(answer) == {"version", "error"}:
            name = "failed"
        used.add(name)
        count += 1
        validator = jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{name}"})
        for error in validator.iter_errors(answer):
            print(f"{name}: {list(error.absolute_path)}: {error.message[:300]}")
    for name in sorted(commands - used if not only else ()):
        print(f"{name}: no answer of this kind was checked")
    print(count)


if __name__ == "__main__":
    main(*sys.argv[1:])
