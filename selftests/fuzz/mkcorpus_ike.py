#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write the seeds of fuzz_ike: dialogues of IKE messages, as its input has
them (flags, length, datagram). Usage: mkcorpus_ike.py DIRECTORY"""

import hashlib
import os
import struct
import sys

I_SPI = bytes.fromhex("1122334455667788")
R_SPI = bytes.fromhex("a9aabbccddeeff01")
NONE = bytes(8)
NATT, IN, CUT, NEW = 1, 2, 4, 8


def payload(following, body):
    return struct.pack(">BBH", following, 0, 4 + len(body)) + body


def chain(*payloads):
    """(type, body)... -> first type, bytes"""
    out = b""
    for n, (_, body) in enumerate(payloads):
        following = payloads[n + 1][0] if n + 1 < len(payloads) else 0
        out += payload(following, body)
    return (payloads[0][0] if payloads else 0), out


def ike(version, exchange, flags, mid, rspi, content, ispi=I_SPI):
    first, body = content
    return ispi + rspi + struct.pack(
        ">BBBBII", first, version << 4, exchange, flags, mid,
        28 + len(body)) + body


def frame(flags, datagram):
    if flags & NATT and len(datagram) >= 28:
        datagram = bytes(4) + datagram
    return struct.pack(">BH", flags, len(datagram)) + datagram


def notify(kind, data=b""):
    return 41, struct.pack(">BBH", 0, 0, kind) + data


def sk(size):
    return 46, payload(33, bytes(size - 4))


def skf(num, total, size=60):
    return 53, payload(0, struct.pack(">HH", num, total) + bytes(size))


def v1_crypt(size):
    return 8, bytes(size)


SA2 = (33, bytes.fromhex("00000024010100030300000c01000014800e0100"
                         "0300000802000005000000080400001f"))
SA1 = (1, bytes.fromhex("0000000100000001"))
NATD = [notify(16388, bytes(20)), notify(16389, bytes(20))]


def v2_up(natt=0):
    return [
        frame(0, ike(2, 34, 8, 0, NONE,
                     chain(SA2, (34, bytes(36)), (40, bytes(32)), *NATD,
                           notify(16430)))),
        frame(IN, ike(2, 34, 0x20, 0, R_SPI,
                      chain(SA2, (34, bytes(36)), (40, bytes(32)), *NATD))),
        frame(natt, ike(2, 35, 8, 1, R_SPI, sk(200))),
        frame(natt | IN, ike(2, 35, 0x20, 1, R_SPI, sk(180))),
    ]


def v1_up(mode=2):
    vendor = (13, hashlib.md5(b"RFC 3947").digest())
    ke = (4, bytes(16))
    out = [frame(0, ike(1, mode, 0, 0, NONE, chain(SA1, vendor)))]
    if mode == 4:
        return out + [
            frame(IN, ike(1, 4, 0, 0, R_SPI, chain(SA1, ke, vendor))),
            frame(0, ike(1, 4, 1, 0, R_SPI, v1_crypt(32)))]
    return out + [
        frame(IN, ike(1, 2, 0, 0, R_SPI, chain(SA1, vendor))),
        frame(0, ike(1, 2, 0, 0, R_SPI,
                     chain(ke, (10, bytes(8)), (20, bytes(16)),
                           (20, bytes(16))))),
        frame(IN, ike(1, 2, 0, 0, R_SPI, chain(ke, (130, bytes(16))))),
        frame(NATT, ike(1, 2, 1, 0, R_SPI, v1_crypt(40))),
        frame(NATT | IN, ike(1, 2, 1, 0, R_SPI, v1_crypt(40)))]


def quick(mid, flags, asker=0):
    answer = IN - asker
    return [frame(asker, ike(1, 32, 1, mid, R_SPI, v1_crypt(160))),
            frame(answer, ike(1, 32, flags, mid, R_SPI, v1_crypt(160))),
            frame(asker, ike(1, 32, flags, mid, R_SPI, v1_crypt(32))),
            frame(answer, ike(1, 32, flags, mid, R_SPI, v1_crypt(48)))]


def v1_fragment(num, last):
    return 132, payload(0, struct.pack(">HBB", 1, num, last) + bytes(20))


def seeds():
    child = [frame(0, ike(2, 36, 8, 2, R_SPI, sk(200))),
             frame(IN, ike(2, 36, 0x20, 2, R_SPI, sk(200)))]
    gateway_child = [frame(IN, ike(2, 36, 0, 0, R_SPI, sk(200))),
                     frame(0, ike(2, 36, 0x28, 0, R_SPI, sk(200)))]
    yield "v2-up", v2_up()
    yield "v2-natt", v2_up(NATT) + [
        frame(NATT, b"\xff"),
        frame(NATT, bytes.fromhex("c0ffee0100000001") + bytes(16))]
    yield "v2-children", v2_up() + child + gateway_child + child
    yield "v2-retry", [
        frame(0, ike(2, 34, 8, 0, NONE, chain(SA2))),
        frame(IN, ike(2, 34, 0x20, 0, NONE, chain(notify(16390, bytes(8))))),
        frame(0, ike(2, 34, 8, 0, NONE, chain(notify(16390, bytes(8)), SA2))),
        frame(IN, ike(2, 34, 0x20, 0, R_SPI, chain(notify(17, b"\0\x13")))),
        frame(IN, ike(2, 34, 0x20, 0, R_SPI, chain(notify(14))))]
    yield "v2-fragments", v2_up()[:2] + [
        frame(0, ike(2, 35, 8, 1, R_SPI, skf(2, 2))),
        frame(0, ike(2, 35, 8, 1, R_SPI, skf(1, 2))),
        frame(IN | CUT, ike(2, 35, 0x20, 1, R_SPI, skf(3, 3))),
        frame(IN, ike(2, 35, 0x20, 1, R_SPI, skf(1, 3))),
        frame(IN, ike(2, 35, 0x20, 1, R_SPI, skf(2, 3)))]
    yield "v2-eap", v2_up() + [
        frame(0, ike(2, 35, 8, 2, R_SPI, sk(60))),
        frame(IN, ike(2, 35, 0x20, 2, R_SPI, sk(60))),
        frame(0, ike(2, 35, 8, 3, R_SPI, sk(60))),
        frame(IN, ike(2, 35, 0x20, 3, R_SPI, sk(180)))]
    yield "v2-followup", v2_up() + child + [
        frame(0, ike(2, 44, 8, 3, R_SPI, sk(200))),
        frame(IN, ike(2, 44, 0x20, 3, R_SPI, sk(200)))]
    yield "v2-adopted", child + [
        frame(NEW | IN, ike(2, 37, 8, 5, R_SPI, sk(40))),
        frame(0, ike(2, 37, 0x20, 5, R_SPI, sk(40)))]
    yield "v2-clear", v2_up() + [
        frame(IN, ike(2, 37, 0x20, 2, R_SPI, chain(notify(4)))),
        frame(IN, ike(2, 37, 0, 2, R_SPI,
                      chain((42, bytes.fromhex("01000000")))))]
    yield "v1-main", v1_up() + quick(7, 1) + quick(8, 1, IN)
    yield "v1-commit", v1_up() + quick(7, 3)[:3] + [
        frame(IN, ike(1, 5, 1, 7, R_SPI, v1_crypt(48)))] + quick(9, 3)
    yield "v1-aggressive", v1_up(4) + quick(7, 1)
    yield "v1-fragments", v1_up() + [
        frame(0, ike(1, 2, 0, 0, R_SPI, v1_fragment(1, 0))),
        frame(CUT, ike(1, 2, 0, 0, R_SPI, v1_fragment(2, 1)))
    ] + quick(7, 1)[2:]
    yield "v1-delete", v1_up()[:2] + [
        frame(IN, ike(1, 5, 0, 9, R_SPI, chain(
            (11, bytes.fromhex("000000010100000e")),
            (12, bytes.fromhex("0000000101100001") + I_SPI + R_SPI)))),
        *v1_up()]


def main():
    where = sys.argv[1]
    os.makedirs(where, exist_ok=True)
    for name, frames in seeds():
        with open(os.path.join(where, name), "wb") as f:
            f.write(b"".join(frames))


if __name__ == "__main__":
    main()
