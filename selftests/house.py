#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Numbers about the sources, for comparing a tree with an earlier one.

    house.py [-v] [OBJECTS]    OBJECTS: a folder in which the modules were built; with
                               -v each comment and name that was counted is printed

Prints lines of C, comments that begin with a word that needs the line before it,
functions that other files can call and whose name is one word (but for main() and the
fuzzers' entry, which others have named), and with OBJECTS files that lie in circles.
"""

import re
import subprocess
import sys
from pathlib import Path

import layers

TOP = Path(__file__).resolve().parents[1]
FIRST_WORD = re.compile(r"(\.\.\.|who|whom|whose|what|so|one|of|it|its|they|them|their|he|him|his)\b"
                        r"|\.\.\.", re.I)
COMMENT = re.compile(r"/\*(.*?)\*/|(?<!:)//(.*?)$", re.S | re.M)
FUNCTION = re.compile(r"^(?!static|extern|typedef|struct \w+ \{|union|enum|return|else)"
                      r"[a-z][\w \t\*]*?[\s\*](\w+)\([^;{}]*\)\s*\n\{", re.M)


def sources(folder):
    out = subprocess.run(["git", "ls-files", f"{folder}/*.c", f"{folder}/*.h"], cwd=TOP,
                         capture_output=True, text=True, check=True).stdout
    return [TOP / f for f in out.split() if "_gen." not in f]


def comments(text):
    """The comments of a source, stripped of their frames."""
    for m in COMMENT.finditer(text):
        words = " ".join(re.sub(r"^[ \t]*\*", "", line).strip()
                         for line in (m[1] or m[2] or "").splitlines()).strip("* -")
        if words and not words.startswith("SPDX"):
            yield words


def unclear(words):
    return bool(FIRST_WORD.match(words))


def one_word(name, folder):
    if name in ("main", "LLVMFuzzerTestOneInput"):
        return False
    for prefix in ("vpnpass_", f"{folder}_"):
        name = name.removeprefix(prefix)
    return "_" not in name


def count(folder, verbose):
    lines, n, bad, functions, short = 0, 0, [], 0, []
    for path in sources(folder):
        text = path.read_text()
        lines += text.count("\n")
        for words in comments(text):
            n += 1
            if unclear(words):
                bad.append(f"{path.relative_to(TOP)}: {words[:90]}")
        for m in FUNCTION.finditer(text):
            functions += 1
            if one_word(m[1], path.parent.name):
                short.append(f"{path.relative_to(TOP)}: {m[1]}()")
    print(f"{folder}: {lines} lines; {len(bad)} of {n} comments begin unclearly "
          f"({100 * len(bad) / n:.1f} %); {len(short)} of {functions} functions have a name "
          f"of one word ({100 * len(short) / max(functions, 1):.1f} %)")
    if verbose:
        print(*bad, *short, sep="\n")


def main():
    args = sys.argv[1:]
    verbose = "-v" in args
    args = [a for a in args if a != "-v"]
    for folder in ("kmod", "tools", "selftests"):
        count(folder, verbose)
    for objects in args[:1]:
        modules = layers.modules(TOP)
        circles = [c for m in modules for c in layers.circles(layers.uses(TOP, Path(objects), m))]
        print(f"kmod: {sum(map(len, circles))} of {sum(map(len, modules.values()))} files in circles")


if __name__ == "__main__":
    main()
