#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Add the SPIs of kinds.c to the ESP sessions of a file that "vpnpass save" wrote.

    spis.py FILE [CLIENTS]

The benchmark sends ESP alone, from 200 clients of a gateway in step: whose an SPI is
cannot be concluded from that, and the router is told.
"""
import ipaddress
import sys
import zlib

CLIENTS = int(ipaddress.ip_address("10.1.0.1"))
PEERS = int(ipaddress.ip_address("198.18.0.1"))


def scramble(x):
    """As in kinds.c."""
    x ^= x >> 16
    x = x * 0x7feb352d & 0xffffffff
    x ^= x >> 15
    x = x * 0x846ca68b & 0xffffffff
    return x ^ x >> 16


def main(path, clients=200):
    """See the top of the file."""
    body = []
    with open(path, encoding="ascii") as f:
        for line in f.read().splitlines()[:-1]:
            if line.startswith("\tspi "):
                continue
            body.append(line)
            words = line.split()
            if words[:2] != ["session", "esp"]:
                continue
            number = int(ipaddress.ip_address(words[3])) - CLIENTS
            number += (int(ipaddress.ip_address(words[5])) - PEERS) * int(clients)
            for direction, name in enumerate(("out", "in")):
                spi = scramble(0x1000000 + 2 * number + direction)
                body.append(f"\tspi {name} 0x{spi:08x} idle 0.000")
    text = "\n".join(body) + "\n"
    with open(path, "w", encoding="ascii") as f:
        f.write(f"{text}sum {zlib.crc32(text.encode()):08x}\n")


main(*sys.argv[1:])
