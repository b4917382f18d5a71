#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Ask the kernel to restore a session, with nothing checked on the way.

    session_restore.py NAME=VALUE...

Attributes by their names in uapi/vpnpass.yaml, as often and in the order that
they are given. An address is written as such or as x:HEX, a pin as
KIND/DIR/NUMBER[/IDLE], an attribute by its number as 99=x:HEX. Prints "ok COUNT"
or the kernel's words. Used by test_restore.sh, where the tool would not let
through what the kernel has to refuse.
"""

import errno
import ipaddress
import pathlib
import socket
import struct
import sys

import yaml

SPEC = yaml.safe_load((pathlib.Path(__file__).resolve().parents[2]
                       / "uapi" / "vpnpass.yaml").read_text(encoding="utf-8"))
SETS = {s["name"]: s["attributes"] for s in SPEC["attribute-sets"]}
COMMANDS = [op["name"] for op in SPEC["operations"]["list"]]


def attr(number, payload):
    """One attribute, padded."""
    head = struct.pack("=HH", 4 + len(payload), number)
    return head + payload + b"\0" * (-len(payload) % 4)


def number_of(aset, name):
    """The number of an attribute, and its type."""
    for number, a in enumerate(SETS[aset], 1):
        if a["name"] == name:
            return number, a["type"]
    return int(name), "binary"


def pin(text):
    """KIND/DIR/NUMBER[/IDLE]; a part may be missing."""
    names = ("kind", "dir", "number", "idle")
    out = b""
    for name, part in zip(names, text.split("/")):
        number, kind = number_of("pin", name)
        if part:
            out += attr(number, struct.pack("=Q" if kind == "u64" else "=I", int(part, 0)))
    return out


def encode(word):
    """One NAME=VALUE of the command line."""
    name, value = word.split("=", 1)
    number, kind = number_of("session", name)
    if value.startswith("x:"):
        return attr(number, bytes.fromhex(value[2:]))
    if kind == "nest":
        return attr(number | 0x8000, pin(value))
    if kind == "string":
        return attr(number, value.encode() + b"\0")
    if kind == "binary":
        return attr(number, ipaddress.ip_address(value).packed)
    return attr(number, struct.pack("=I", int(value)))


def attrs(data):
    """Type and payload of each."""
    while len(data) >= 4:
        length, number = struct.unpack_from("=HH", data)
        yield number & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


def talk(sock, kind, command, payload):
    """Send one request; the first answer as (errno, its attributes)."""
    genl = struct.pack("=BBH", command, 1, 0) + payload
    sock.send(struct.pack("=IHHII", 16 + len(genl), kind, 5, 1, 0) + genl)
    data = sock.recv(65536)
    length, got, flags, _, _ = struct.unpack_from("=IHHII", data)
    if got != 2:
        return 0, dict(attrs(data[20:length]))
    error = -struct.unpack_from("=i", data, 16)[0]
    skip = 36
    if error and not flags & 0x100:
        skip = 20 + ((struct.unpack_from("=I", data, 20)[0] + 3) & ~3)
    return error, dict(attrs(data[skip:length]))


def main(words):
    """See the top of the file."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    sock.bind((0, 0))
    sock.setsockopt(270, 11, 1)     # SOL_NETLINK, NETLINK_EXT_ACK
    sock.setsockopt(270, 10, 1)     # NETLINK_CAP_ACK
    _, family = talk(sock, 16, 3, attr(2, b"vpnpass\0"))
    sock.close()
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    sock.bind((0, 0))
    sock.setsockopt(270, 11, 1)
    sock.setsockopt(270, 10, 1)
    error, answer = talk(sock, struct.unpack("=H", family[1])[0],
                         COMMANDS.index("session-restore") + 1,
                         b"".join(encode(w) for w in words))
    if error:
        print(errno.errorcode[error], answer.get(1, b"").rstrip(b"\0").decode())
    else:
        number, _ = number_of("session", "count")
        print("ok", struct.unpack("=I", answer[number])[0])


main(sys.argv[1:])
