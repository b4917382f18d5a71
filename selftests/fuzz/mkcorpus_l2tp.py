#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write the seeds of fuzz_l2tp: one packet each, behind a byte that says UDP
or IP. Usage: mkcorpus_l2tp.py DIRECTORY"""

import os
import struct
import sys

UDP, IP = b"\0", b"\1"


def avp(kind, value, flags=0x8000, vendor=0):
    return struct.pack(">HHH", flags | (6 + len(value)), vendor,
                       kind) + value


def u16(value):
    return struct.pack(">H", value)


def u32(value):
    return struct.pack(">I", value)


def control(version, ids, kind=None, *avps, ns=1, nr=2):
    """ids: the header's 4 bytes of tunnel and session, or connection ID"""
    body = b"".join(avps)
    if kind is not None:
        body = avp(0, u16(kind)) + body
    return struct.pack(">HH", 0xc800 | version, 12 + len(body)) + ids + \
        struct.pack(">HH", ns, nr) + body


def seeds():
    tunnel = u16(0x1f2e) + u16(0)
    session = u16(0x1f2e) + u16(0xabcd)
    ccid = u32(0x0a0b0c0d)
    hidden = 0xc000
    yield "v2-sccrq", UDP + control(
        2, bytes(4), 1, avp(2, u16(0x100)), avp(7, b"lac.example"),
        avp(3, u32(3)), avp(9, u16(0x1f2e)), avp(8, b"vendor", 0))
    yield "v2-sccrp", UDP + control(2, tunnel, 2, avp(9, u16(1)))
    yield "v2-hidden", UDP + control(
        2, tunnel, 2, avp(36, u32(5), 0x8000), avp(9, bytes(6), hidden))
    yield "v2-icrq", UDP + control(2, tunnel, 10, avp(14, u16(0xabcd)),
                                   avp(15, u32(1)))
    yield "v2-cdn", UDP + control(
        2, session, 14, avp(1, u16(2) + u16(7) + b"busy"),
        avp(14, u16(0xabcd)))
    yield "v2-stopccn", UDP + control(2, tunnel, 4, avp(9, u16(1)),
                                      avp(1, u16(6)))
    yield "v2-zlb", UDP + control(2, tunnel)
    yield "v2-hybrid", UDP + control(2, bytes(4), 1, avp(9, u16(5)),
                                     avp(61, u32(0x01020304), 0))
    yield "v2-unknown", UDP + control(
        2, tunnel, 16, avp(9, u16(5), 0, 9), avp(102, u16(5)),
        avp(9, u16(5), 0x8400))
    yield "v2-twice", UDP + control(2, tunnel, 2, avp(9, u16(5)),
                                    avp(9, u16(6)))
    yield "v2-many", UDP + control(2, tunnel, 2, *[avp(8, b"")] * 70)
    yield "v2-data", UDP + u16(2) + session + b"\xff\x03\xc0\x21"
    yield "v2-data-all", UDP + bytes.fromhex(
        "4b0200121f2eabcd010203040002aabbff03")
    yield "v3-sccrq", UDP + control(3, bytes(4), 1, avp(61, u32(0xdeadbeef)))
    yield "v3-icrp", UDP + control(3, ccid, 11, avp(63, u32(0x11223344)),
                                   avp(64, bytes(8), hidden))
    yield "v3-ack", UDP + control(3, ccid, 20)
    yield "v3-data", UDP + u16(3) + u16(0) + u32(0x11223344) + bytes(8)
    yield "v3-ip-cdn", IP + bytes(4) + control(
        3, ccid, 14, avp(1, u16(3)), avp(63, u32(0x11223344)),
        avp(64, u32(0x55667788)))
    yield "v3-ip-zlb", IP + bytes(4) + control(3, ccid)
    yield "v3-ip-data", IP + u32(0x11223344) + bytes(12)


def main():
    where = sys.argv[1]
    os.makedirs(where, exist_ok=True)
    for name, packet in seeds():
        with open(os.path.join(where, name), "wb") as f:
            f.write(packet)


if __name__ == "__main__":
    main()
