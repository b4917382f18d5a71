#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write the seeds of fuzz_pptp_ctl.c: mkcorpus_pptp.py DIRECTORY.

The input's format is told at the head of fuzz_pptp_ctl.c.
"""
import os
import struct
import sys

IN, OUT, RAW = 0x00, 0x80, 0x40
COOKIE = 0x1A2B3C4D


def msg(who, kind, first=0, second=0, result=1):
    """A whole message that the target itself puts together."""
    return struct.pack(">BHHB", who | kind, first, second, result)


def raw(who, octets):
    """Octets as they are."""
    return bytes([who | RAW, len(octets)]) + octets


def head(length=16, kind=12, msgtype=1, cookie=COOKIE):
    """A header of RFC 2637 2, right or wrong."""
    return struct.pack(">HHIHH", length, msgtype, cookie, kind, 0)


def outgoing(pns, own, peer):
    """An outgoing call asked for by @pns."""
    pac = pns ^ OUT
    return [msg(pns, 7, own), msg(pac, 8, peer, own)]


def incoming(pac, own, peer):
    """An incoming call announced by @pac."""
    pns = pac ^ OUT
    return [msg(pac, 9, own), msg(pns, 10, peer, own), msg(pac, 11, peer)]


START = [msg(IN, 1), msg(OUT, 2)]
CLEAR = struct.pack(">HH", 1, 0)

SEEDS = {
    "client": START + outgoing(IN, 1, 2) + [
        msg(IN, 15, 2), msg(IN, 5), msg(OUT, 6), msg(OUT, 15, 1),
        msg(OUT, 14, 1), msg(IN, 12, 1), msg(OUT, 13, 2), msg(IN, 3),
        msg(OUT, 4)],
    "server": [msg(OUT, 1), msg(IN, 2)] + outgoing(OUT, 7, 7) + [
        msg(OUT, 12, 7), msg(IN, 13, 7)],
    "incoming": START + incoming(OUT, 3, 4) + incoming(IN, 5, 6) + [
        msg(IN, 13, 5), msg(OUT, 13, 3)],
    "two-calls": START + outgoing(IN, 0, 0) + outgoing(IN, 1, 1) + [
        msg(IN, 12, 0), msg(OUT, 13, 0)],
    "refused": START + [
        msg(IN, 7, 9), msg(OUT, 8, 0, 9, 4), msg(OUT, 7, 1),
        msg(IN, 8, 0, 1, 2)],
    "early-clear": START + [
        msg(IN, 7, 9), msg(IN, 12, 9), msg(OUT, 13, 77), msg(IN, 7, 9),
        msg(IN, 12, 9), msg(OUT, 8, 78, 9), msg(OUT, 13, 78)],
    "own-in-peers-place": outgoing(IN, 9, 8) + [msg(OUT, 13, 9)],
    "again": outgoing(IN, 9, 8) + outgoing(IN, 9, 7) + [msg(OUT, 8, 6, 9)],
    "unknown-types": [msg(IN, 0), msg(IN, 16), msg(OUT, 31)] +
                     outgoing(IN, 1, 1),
    "long": [raw(IN, head(40) + b"\0\1" + b"\x1a\x2b\x3c\x4d" * 6 + b"zz")] +
            outgoing(IN, 1, 1),
    "coalesced": [raw(IN, (head() + CLEAR) * 12)],
    "length-0": outgoing(IN, 1, 1) + [raw(IN, head(0)), msg(IN, 12, 1)],
    "length-65535": outgoing(IN, 1, 1) + [raw(OUT, head(65535)), msg(OUT, 14, 1)],
    "short": [raw(IN, head(15) + b"abc")],
    "management": [raw(IN, head(msgtype=2) + CLEAR)],
    "cookie": [raw(OUT, head(cookie=0x1A2B3C4C) + CLEAR)],
    "shifted": [raw(IN, b"\0" + head() + CLEAR)],
    "dead-in-mid-field": [raw(IN, head(168, 7) + b"\x12"),
                          raw(OUT, head(0)), raw(IN, b"\x34" + b"p" * 154)],
    "many": [t for i in range(20) for t in outgoing(IN, i * 77, i)],
    "block": [t for i in range(6) for t in outgoing(IN, 0x1200 + i, i)],
}


def main():
    """One file per seed and flavour of number shortage."""
    where = sys.argv[1]
    os.makedirs(where, exist_ok=True)
    for name, turns in SEEDS.items():
        for scarce in range(4):
            with open(os.path.join(where, f"{name}-{scarce}"), "wb") as out:
                out.write(bytes([scarce, len(name)]) + b"".join(turns))


if __name__ == "__main__":
    main()
