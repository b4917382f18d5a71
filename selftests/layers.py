#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check the files of each module against kmod/LAYERS.

    layers.py OBJECTS    OBJECTS: a folder in which the modules were built

The symbols of the objects say which file uses which. Prints each use of a later file by
an earlier one, and each file that LAYERS does not have or has in vain.
"""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


def modules(top):
    """Folder: the names of its C files, those of folders below it as folder/name."""
    found = {}
    for path in sorted((top / "kmod").glob("*/**/*.c")):
        if not path.name.endswith(".mod.c") and "fallback" not in path.parts:
            folder, name = path.relative_to(top / "kmod").with_suffix("").as_posix().split("/", 1)
            found.setdefault(folder, []).append(name)
    return found


def order(text):
    """Folder: {name: (place, group)}. A group in brackets has one number."""
    folders = {}
    folder, group = None, 0
    for word in re.findall(r"[\w/]+:|[\w/]+|[()]", re.sub(r"#.*", "", text)):
        if word.endswith(":"):
            folder = folders.setdefault(word[:-1], {})
        elif word == "(":
            group += 1
        elif word == ")":
            group += 1
        else:
            folder[word] = (len(folder), group if group % 2 else 0)
    return folders


def uses(top, objects, folder):
    """Name: {name of the file that it uses: symbols}."""
    defined, wanted = {}, {}
    for name in modules(top)[folder]:
        path = objects / "kmod" / folder / f"{name}.o"
        if not path.exists():
            continue
        wanted[name] = set()
        for line in subprocess.run(["nm", path], capture_output=True, text=True,
                                   check=True).stdout.splitlines():
            kind, symbol = line.split()[-2:]
            if kind == "U":
                wanted[name].add(symbol)
            elif kind.isupper():
                defined[symbol] = name
    graph = {name: {} for name in wanted}
    for name, symbols in wanted.items():
        for symbol in sorted(symbols):
            if defined.get(symbol, name) != name:
                graph[name].setdefault(defined[symbol], []).append(symbol)
    return graph


def circles(graph):
    """Sets of more than one file each of which uses, by way of others, all of the set."""
    reach = {}
    for name in graph:
        seen, todo = set(), list(graph[name])
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo += graph[at]
        reach[name] = seen
    return {frozenset([name, *(o for o in reach[name] if name in reach[o])])
            for name in graph if name in reach[name]}


def check(top, objects):
    """What is wrong, a line each."""
    built = (top / "Kbuild").read_text()
    wanted = order((top / "kmod" / "LAYERS").read_text())
    for folder, names in modules(top).items():
        places = wanted.get(folder, {})
        graph = uses(top, objects, folder)
        for name in names:
            if name not in places:
                yield f"kmod/{folder}/{name}.c has no place in kmod/LAYERS"
            elif name not in graph and re.search(rf"\b{name}\.o\b", built):
                yield f"kmod/{folder}/{name}.c was not built"
        for name in sorted(set(places) - set(names)):
            yield f"kmod/LAYERS: there is no kmod/{folder}/{name}.c"
        for name, used in graph.items():
            for other, symbols in used.items():
                if name not in places or other not in places:
                    continue
                (at, group), (other_at, other_group) = places[name], places[other]
                if other_at > at and not (group and group == other_group):
                    yield f"kmod/{folder}: {name} uses {', '.join(symbols)} of {other}, above it"


if __name__ == "__main__":
    faults = list(check(TOP, Path(sys.argv[1])))
    print(*faults, sep="\n", end="\n" if faults else "")
    sys.exit(bool(faults))
