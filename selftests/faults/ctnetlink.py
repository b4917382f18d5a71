#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Entries with a conntrack helper by ctnetlink, as conntrackd commits them, which
conntrack(8) has no option for.

usage: ctnetlink.py create PROTO CLIENT PEER PUBLIC [PORT [REPLY-ZONE]]
       ctnetlink.py unhelp PROTO CLIENT PEER
Prints nothing; exit code 1 with the kernel's error.
"""
import os
import socket
import struct
import sys

NFNETLINK, REQUEST, ACK, EXCL, CREATE = 12, 1, 4, 0x200, 0x400
NESTED = 0x8000
TUPLE_ORIG, TUPLE_REPLY, STATUS, HELP, NAT_SRC, TIMEOUT = 1, 2, 3, 5, 6, 7
SEEN_REPLY, ASSURED, CONFIRMED = 2, 4, 8


def attr(kind, data):
    d = struct.pack("=HH", 4 + len(data), kind) + data
    return d + bytes(-len(d) % 4)


def flow(kind, proto, src, dst, port, zone=0):
    ip = attr(NESTED | 1, attr(1, socket.inet_aton(src)) + attr(2, socket.inet_aton(dst)))
    l4 = attr(1, bytes([proto]))
    if port:
        l4 += attr(2, struct.pack(">H", port)) + attr(3, struct.pack(">H", port))
    zone = attr(3, struct.pack(">H", zone)) if zone else b""
    return attr(NESTED | kind, ip + attr(NESTED | 2, l4) + zone)


def source_nat(public, port):
    ports = attr(1, struct.pack(">H", port)) + attr(2, struct.pack(">H", port))
    addr = socket.inet_aton(public)
    return attr(NESTED | NAT_SRC, attr(1, addr) + attr(2, addr) +
                (attr(NESTED | 3, ports) if port else b""))


def request(flags, body):
    nl = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NFNETLINK)
    nl.bind((0, 0))
    body = struct.pack("=BBH", socket.AF_INET, 0, 0) + body
    nl.send(struct.pack("=IHHII", 16 + len(body), 0x100, REQUEST | ACK | flags, 1, 0) + body)
    err = struct.unpack_from("=i", nl.recv(4096), 16)[0]
    if err:
        sys.exit(os.strerror(-err))


def create(proto, client, peer, public, port="0", zone="0"):
    request(CREATE | EXCL,
            flow(TUPLE_ORIG, int(proto), client, peer, int(port)) +
            flow(TUPLE_REPLY, int(proto), peer, client, int(port), int(zone)) +
            source_nat(public, int(port)) +
            attr(STATUS, struct.pack(">I", SEEN_REPLY | ASSURED | CONFIRMED)) +
            attr(TIMEOUT, struct.pack(">I", 600)) +
            attr(NESTED | HELP, attr(1, b"vpnpass\0")))


def unhelp(proto, client, peer):
    request(0, flow(TUPLE_ORIG, int(proto), client, peer, 0) +
            attr(NESTED | HELP, attr(1, b"\0")))


{"create": create, "unhelp": unhelp}[sys.argv[1]](*sys.argv[2:])
