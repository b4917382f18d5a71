#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check uapi/vpnpass.yaml against a schema of the kernel's Documentation/netlink.

    spec_check.py SCHEMA
"""

import pathlib
import sys

import jsonschema
import yaml

SPEC = pathlib.Path(__file__).resolve().parents[2] / "uapi" / "vpnpass.yaml"


def main(schema):
    """Exit code 1 and what is wrong, if anything is."""
    schema = yaml.safe_load(pathlib.Path(schema).read_text(encoding="utf-8"))
    spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(spec))
    for error in errors:
        print(f"{list(error.absolute_path)}: {error.message[:200]}")
    return 1 if errors else 0


sys.exit(main(sys.argv[1]))
