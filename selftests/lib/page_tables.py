# SPDX-License-Identifier: GPL-2.0
"""Tables of a page in docs that are written from kept figures. A table stands between
"<!-- KIND: NAME -->" and the next empty line."""
import os
import re
import sys

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")


def write(page, kind, tables):
    """Writes them, or with --check tells by the exit code whether the page has them."""
    path = os.path.join(DOCS, page)
    with open(path, encoding="utf-8") as f:
        old = new = f.read()
    for name, text in tables.items():
        new, n = re.subn(rf"(<!-- {kind}: {name} -->\n).*?(?=\n\n)",
                         lambda m, text=text: m[1] + text.rstrip("\n"), new, flags=re.DOTALL)
        if n != 1:
            sys.exit(f"docs/{page} has {n} places for the table {name}")
    if sys.argv[1:] == ["--check"]:
        sys.exit(new != old and f"docs/{page} is not current: run {sys.argv[0]}")
    with open(path, "w", encoding="utf-8") as f:
        f.write(new)
