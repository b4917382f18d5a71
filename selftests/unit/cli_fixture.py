#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write the kernel's side of a conversation, or read the tool's.

    cli_fixture.py SCENE...  > replies    scenes one after the other; N*SCENE is
                                          one N times
    cli_fixture.py mutate STEM COUNT SCENE...   files STEM.0 and on, all with
                                          other bytes changed
    cli_fixture.py decode    < sent       requests, one a line

Used by test_cli.sh. Attribute numbers come from the spec, not from the header
that the tool is built with. Unknown attributes are strewn in everywhere.
"""

import errno
import ipaddress
import pathlib
import random
import struct
import sys

import yaml

SPEC = yaml.safe_load((pathlib.Path(__file__).resolve().parents[2]
                       / "uapi" / "vpnpass.yaml").read_text(encoding="utf-8"))
SETS = {s["name"]: [a["name"] for a in s["attributes"]] for s in SPEC["attribute-sets"]}
TYPES = {s["name"]: {a["name"]: a for a in s["attributes"]} for s in SPEC["attribute-sets"]}
# a part of a set has the numbers and types of the whole
for part in SPEC["attribute-sets"]:
    if "subset-of" in part:
        SETS[part["name"]] = SETS[part["subset-of"]]
        TYPES[part["name"]] = TYPES[part["subset-of"]]
COMMANDS = [op["name"] for op in SPEC["operations"]["list"]]
OP_SET = {op["name"]: op["attribute-set"] for op in SPEC["operations"]["list"]}

FAMILY = 0x21
NLMSG_ERROR, NLMSG_DONE, SOCKET_ERROR = 2, 3, 0xffff
MULTI, DUMP_INTR, CAPPED, TLVS = 2, 0x10, 0x100, 0x200
NESTED = 0x8000


def attr(number, payload):
    """One attribute, padded."""
    head = struct.pack("=HH", 4 + len(payload), number)
    return head + payload + b"\0" * (-len(payload) % 4)


def message(kind, payload, flags=0, seq=0):
    """One netlink message, padded."""
    head = struct.pack("=IHHII", 16 + len(payload), kind, flags, seq, 0)
    return head + payload + b"\0" * (-len(payload) % 4)


def encode(aset, values):
    """Attributes of a set from (name, value) pairs, and one of the future."""
    out = attr(1000, b"from the future")
    for name, value in values:
        number = SETS[aset].index(name) + 1
        kind = TYPES[aset][name]["type"]
        if isinstance(value, bytes):
            out += attr(number, value)
        elif kind == "nest":
            out += attr(number | NESTED, encode(TYPES[aset][name]["nested-attributes"], value))
        elif kind == "string":
            out += attr(number, value.encode() + b"\0")
        elif kind == "binary":
            out += attr(number, ipaddress.ip_address(value).packed)
        else:
            out += attr(number, struct.pack("=I" if kind == "u32" else "=Q", value))
    return out


def vpnpass(command, values, flags=MULTI, seq=0):
    """A message of the family."""
    genl = struct.pack("=BBH", COMMANDS.index(command) + 1, 1, 0)
    return message(FAMILY, genl + encode(OP_SET[command], values), flags, seq)


def error(number, text=None, offset=None):
    """An error or, with 0, an acknowledgement."""
    payload = struct.pack("=i", -number) + struct.pack("=IHHII", 16, FAMILY, 0, 0, 0)
    if text:
        payload += attr(1, text.encode() + b"\0")
    if offset is not None:
        payload += attr(2, struct.pack("=I", offset))
    return message(NLMSG_ERROR, payload, CAPPED | (TLVS if text or offset is not None else 0))


def done(number=0, text=None):
    """The end of a dump."""
    payload = struct.pack("=i", -number) + (attr(1, text.encode() + b"\0") if text else b"")
    return message(NLMSG_DONE, payload, MULTI | (TLVS if text else 0))


def family():
    """The controller knows the family and its group."""
    group = attr(1, attr(1, b"events\0") + attr(2, struct.pack("=I", 77)))
    genl = struct.pack("=BBH", 1, 2, 0)
    return message(0x10, genl + attr(2, b"vpnpass\0") + attr(1, struct.pack("=H", FAMILY))
                   + attr(7, group)) + error(0)


def setting(name, value, unit):
    """A setting as the kernel describes it."""
    return ("setting", [("name", name), ("value", value), ("minimum", 0), ("maximum", 10000),
                        ("unit", unit), ("default", 2000)])


def proto(name, mode=1, sessions=2, pins=4):
    """A protocol with two settings and two counters."""
    return vpnpass("proto-get", [
        ("name", name), ("mode", mode), ("sessions", sessions), ("pins", pins),
        setting("hold_time", 1500, "ms"), setting("strict", 0, ""),
        ("counter", [("name", "pinned"), ("value", 2 ** 40)]),
        ("counter", [("name", "malformed"), ("value", 0)])])


def pin(kind, direction, number, state=1, nat=None):
    """A pin of a session."""
    more = [] if nat is None else [("nat-number", nat)]
    return ("pin", [("kind", kind), ("dir", direction), ("number", number), ("idle", 1250),
                    ("state", state)] + more)


def session(name="esp", client="192.168.1.10", peer="203.0.113.5", pins=()):
    """The attributes of a session."""
    return [("id", 7), ("proto", name), ("client", client), ("peer", peer),
            ("local", "198.51.100.1"), ("age", 3723456), ("idle", 250), ("packets-out", 1000),
            ("bytes-out", 1000000), ("packets-in", 234), ("bytes-in", 234567),
            ("state", "paired"), *pins]


def session6(name, pins):
    """A session whose addresses take as much room as they can."""
    return [("id", 8), ("proto", name), ("client", "2001:db8:1111:2222:3333:4444:5555:6666"),
            ("peer", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"),
            ("local", "2001:db8:9999:8888:7777:6666:5555:4444"), ("age", 3723456),
            ("idle", 3723456), ("packets-out", 10 ** 9), ("bytes-out", 10 ** 12),
            ("packets-in", 10 ** 9), ("bytes-in", 10 ** 12), ("state", "established"), *pins]


CONN = [("dest", "203.0.113.6"), ("zone", 5), ("zone-reply", 5), ("device", "wan"),
        ("lifetime", 1800250)]
ESP_PINS = (pin(0, 0, 0xc0000001), pin(0, 0, 0xc2), pin(0, 1, 0xd0000001, state=0))
OTHER_PINS = (pin(1, 0, 5, nat=9), pin(2, 0, 0x1122334455667788), pin(3, 1, 6), pin(4, 1, 7),
              pin(99, 0, 8))


def event(kind, *values):
    """A message of the events group; 1 h 1 s 42 ns after 1970 began."""
    return vpnpass("event-ntf", [("type", kind), ("time", 3601000000042), *values], 0, 1)


EVENTS = [
    event(2, ("proto", "esp"), ("mode", 2)),
    event(3, ("proto", "esp"), ("setting", [("name", "hold_time"), ("value", 5)])),
    event(5, ("proto", "esp"), ("session", session()), pin(0, 1, 0xd0000001)),
    message(SOCKET_ERROR, struct.pack("=i", errno.ENOBUFS)),
    event(1, ("proto", "esp"), ("session", session()), ("reason", "quote \" and\ttab")),
    event(4711),
]
LOGGED = [
    event(0, ("proto", "esp"), ("session", session(pins=ESP_PINS))),
    event(1, ("proto", "esp"), ("session", session(pins=ESP_PINS)),
          ("reason", "quote \" back\\slash ] and\ttab")),
    event(2, ("proto", "pptp"), ("mode", 2)),
    event(4, ("proto", "esp"), ("session", session()), ("reason", "max_per_client")),
]

PROTOS = proto("esp") + proto("ike", mode=0, sessions=0, pins=0)

SCENES = {
    "family": family(),
    "nofamily": error(errno.ENOENT),
    "ok": error(0),
    "eperm": error(errno.EPERM),
    "hidden": error(errno.EPERM, "sessions are shown to CAP_NET_ADMIN alone"),
    "protos": PROTOS + done(),
    "protoson": proto("esp") + proto("ike", 1, 2, 2) + done(),
    "noprotos": done(),
    "pptp": proto("pptp", mode=2) + done(),
    "newproto": proto("quic", mode=7) + done(),
    "nomemory": vpnpass("proto-get", [
        ("name", "esp"), ("mode", 1), ("sessions", 0), ("pins", 0),
        ("counter", [("name", "no_memory"), ("value", 3)]),
        ("counter", [("name", "pin_failed"), ("value", 1)])]) + done(),
    "bareproto": vpnpass("proto-get", [("name", "esp")]) + done(),
    "wrongsizes": vpnpass("proto-get", [("name", "esp"), ("mode", b"\1"), ("sessions", b""),
                                        ("pins", b"123456"), ("counter", b"\4")]) + done(),
    "nosetting": error(errno.EINVAL, "no such setting", 16 + 4 + 8 + 4),
    "badvalue": error(errno.ERANGE, "value out of range", 16 + 4 + 8 + 4 + 16),
    "plainerror": error(errno.EBUSY),
    "doneerror": done(errno.ENOMEM, "table is being resized"),
    "sessions": vpnpass("session-get", session(pins=ESP_PINS))
                + vpnpass("session-get", session("pptp", "2001:db8::10", pins=OTHER_PINS))
                + done(),
    "onesession": vpnpass("session-get", session(pins=ESP_PINS)) + done(),
    "busysession": vpnpass("session-get", [(n, v + 1000 if n == "bytes-out" else v)
                                            for n, v in session()]) + done(),
    "moresessions": vpnpass("session-get", session(pins=ESP_PINS) + CONN),
    "manypins": vpnpass("session-get", session(pins=[
        pin(0, d, 0xc0000000 + i) for d in (0, 1) for i in range(8)])) + done(),
    "baresession": vpnpass("session-get", [("proto", "esp"), ("client", b"\1\2")]) + done(),
    "nosessions": done(),
    "foreign": vpnpass("session-get", session(client="192.0.2.99"), MULTI, 0xdead)
               + message(NLMSG_DONE, struct.pack("=i", 0), MULTI, 0xdead),
    "torn": vpnpass("session-get", session(client="192.0.2.98"), MULTI | DUMP_INTR)
            + done(),
    "evil": vpnpass("session-get", [("proto", "e\033[31m\"\\\n"), ("state", b"\xff\xc3\xa4\0"),
                                    ("client", "192.0.2.1")]) + done(),
    "sessions6": vpnpass("session-get", session6("esp", [
        pin(0, d, 0xc0000000 + i) for d in (0, 1) for i in range(8)]))
                 + vpnpass("session-get", session6("ike", [
                     pin(2, d, 0x1122334455667788 + i) for d in (0, 1) for i in range(4)]))
                 + done(),
    "learned": vpnpass("session-get", session(pins=ESP_PINS) + CONN)
               + vpnpass("session-get", session("pptp", pins=OTHER_PINS)) + done(),
    "restored": vpnpass("session-restore", [("count", 2)], 0) + error(0),
    "eopnotsupp": error(errno.EOPNOTSUPP),
    "edquot": error(errno.EDQUOT, "a limit on sessions is reached"),
    "allprotos": b"".join(proto(n) for n in ("esp", "ike", "natt", "pptp", "l2tp")) + done(),
    "mixed": proto("esp") + vpnpass("proto-get", [
        ("name", "ike"), ("mode", 1), ("sessions", 0), ("pins", 0),
        ("counter", [("name", "pinned"), ("value", 7)]),
        ("counter", [("name", "from-the.future"), ("value", 1)])]) + done(),
    "monitored": vpnpass("proto-get", [
        ("name", "esp"), ("mode", 1), ("sessions", 1), ("pins", 3),
        setting("max_sessions", 4096, "sessions"), setting("strict", 0, ""),
        *(("counter", [("name", name), ("value", 5)]) for name in (
            "sessions_new", "sessions_end", "limit_client", "limit_peer", "limit_sessions",
            "conflict", "malformed", "no_memory"))]) + done(),
    "flushed": vpnpass("session-flush", [("count", 3)], 0) + error(0),
    "events": b"".join(EVENTS),
    "logged": b"".join(LOGGED),
    "mode": EVENTS[0],
    "truncated": message(FAMILY, b"\1"),
    "emptyack": message(NLMSG_ERROR, b"\0"),
}


def decode_attrs(aset, data):
    """name=value of a run of attributes."""
    out = []
    while len(data) >= 4:
        length, number = struct.unpack_from("=HH", data)
        payload, name = data[4:length], SETS[aset][(number & 0x3fff) - 1]
        info = TYPES[aset][name]
        if info["type"] == "nest":
            assert number & NESTED, "nest without its flag"
            value = "{" + decode_attrs(info["nested-attributes"], payload) + "}"
        elif info["type"] == "string":
            value = payload.rstrip(b"\0").decode()
        elif info["type"] == "binary":
            value = str(ipaddress.ip_address(payload))
        else:
            value = str(int.from_bytes(payload, sys.byteorder))
        out.append(f"{name}={value}")
        data = data[(length + 3) & ~3:]
    return " ".join(out)


def decode(data):
    """Print the requests to the family, those to the controller left out."""
    while data:
        length, kind, flags, _, _ = struct.unpack_from("=IHHII", data)
        if kind == FAMILY:
            name = COMMANDS[data[16] - 1]
            verb = "dump" if flags & 0x300 == 0x300 else "do"
            print(f"{verb} {name} {decode_attrs(OP_SET[name], data[20:length])}".rstrip())
        data = data[(length + 3) & ~3:]


def scene(word):
    """The messages of SCENE or N*SCENE."""
    count, _, name = word.rpartition("*")
    return SCENES[name] * int(count or 1)


def mutate(seed, data):
    """Change some bytes after the answer of the controller."""
    rng, data = random.Random(seed), bytearray(data)
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(SCENES["family"]), len(data))] = rng.choice(
            (0, 1, 2, 4, 0x7f, 0x80, 0xff, rng.randrange(256)))
    return bytes(data)


def main(args):
    """See the top of the file."""
    if args == ["decode"]:
        decode(sys.stdin.buffer.read())
    elif args[0] == "mutate":
        data = b"".join(scene(word) for word in args[3:])
        for seed in range(int(args[2])):
            pathlib.Path(f"{args[1]}.{seed}").write_bytes(mutate(seed, data))
    else:
        sys.stdout.buffer.write(b"".join(scene(word) for word in args))


main(sys.argv[1:])
