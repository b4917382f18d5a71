#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The corpus of a fuzz target, a file a seed, for libFuzzer and for the tests.

    corpus.py TARGET DIRECTORY        write it there: what mkcorpus_*.py makes, and what
                                      fuzzing has found, out of corpus/TARGET
    corpus.py --add TARGET FILE...    keep what was found

corpus/TARGET has a seed a line, in hexadecimal digits.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def write(target, directory):
    directory.mkdir(parents=True, exist_ok=True)
    maker = HERE / f"mkcorpus_{target.split('_')[0]}.py"
    subprocess.run([sys.executable, maker, directory], check=True)
    for line in (HERE / "corpus" / target).read_text().split():
        seed = bytes.fromhex(line)
        (directory / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


def add(target, files):
    path = HERE / "corpus" / target
    seeds = set(path.read_text().split() if path.exists() else [])
    seeds |= {Path(f).read_bytes().hex() for f in files}
    path.write_text("".join(f"{s}\n" for s in sorted(seeds) if s))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--add"]:
        add(sys.argv[2], sys.argv[3:])
    else:
        write(sys.argv[1], Path(sys.argv[2]))
