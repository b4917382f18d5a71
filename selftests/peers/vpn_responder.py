#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A gateway that answers first messages, once it has checked every byte.

    vpn_responder.py [BEHAVIOUR...]

ike, natt     accept; ike=refuse NO_PROPOSAL_CHOSEN, ike=v1 answers only IKEv1
pptp          accepts; pptp=mute takes the connection and says nothing
l2tp          accepts; l2tp=move answers from port 41701
openvpn       resets; wireguard echoes
addr=A        only at this IPv4 address

Prints "ready", then "SERVICE good" or "SERVICE bad REASON" for each message.
Only the services named listen. Used by the tests in selftests/doctor.
"""

import select
import socket
import struct
import sys

NOTIFY_NO_PROPOSAL = 14


class Bad(Exception):
    """A message is not what the standard says."""


def need(condition, reason):
    if not condition:
        raise Bad(reason)


def substructures(data, more):
    """RFC 7296 3.3.1 and 3.3.2: yields the bodies, checks the chain."""
    while data:
        need(len(data) >= 8, "short substructure")
        last, zero, length = struct.unpack_from("!BBH", data)
        need(zero == 0 and 8 <= length <= len(data), "substructure length")
        need(last == (more if length < len(data) else 0), "last substructure")
        yield data[4:length]
        data = data[length:]


def check_sa(body):
    (proposal,) = substructures(body, 2)
    number, proto, spi, count = proposal[:4]
    need((number, proto, spi) == (1, 1, 0), "proposal header")
    kinds = set()
    transforms = list(substructures(proposal[4:], 3))
    need(len(transforms) == count, "number of transforms")
    for t in transforms:
        kinds.add(t[0])
        need(t[1] == 0, "reserved byte of a transform")
        need(len(t) in (4, 8), "length of a transform")
        need(len(t) == 4 or t[4:6] == b"\x80\x0e", "attribute of a transform")
    need(kinds == {1, 2, 3, 4}, "kinds of transform")


def check_sa_init(data):
    spi_i, spi_r, payload, version, exchange, flags, mid, length = struct.unpack_from(
        "!8s8sBBBBLL", data)
    need(spi_i != bytes(8) and spi_r == bytes(8), "SPIs")
    need((version, exchange, flags, mid) == (0x20, 34, 0x08, 0), "header")
    need(length == len(data), "length of the message")
    seen, at = [], 28
    while payload:
        following, critical, size = struct.unpack_from("!BBH", data, at)
        need(critical == 0 and size >= 4 and at + size <= len(data), "payload header")
        body = data[at + 4:at + size]
        if payload == 33:
            check_sa(body)
        elif payload == 34:
            need(body[:4] == b"\x00\x0e\x00\x00" and len(body) == 260, "KE payload")
            need(body[4] < 0x80 and any(body[4:]), "public value")
        elif payload == 40:
            need(16 <= len(body) <= 256, "nonce")
        seen.append(payload)
        payload, at = following, at + size
    need(at == len(data) and seen == [33, 34, 40], f"payloads {seen}")


def check_main_mode(data):
    cookie_i, cookie_r, payload, version, exchange, flags, mid, length = struct.unpack_from(
        "!8s8sBBBBLL", data)
    need(cookie_i != bytes(8) and cookie_r == bytes(8), "cookies")
    need((payload, version, exchange, flags, mid) == (1, 0x10, 2, 0, 0), "header")
    need(length == len(data), "length of the message")
    following, zero, size, doi, situation = struct.unpack_from("!BBHLL", data, 28)
    need((following, zero, doi, situation) == (0, 0, 1, 1), "SA payload")
    need(28 + size == len(data), "length of the SA")
    following, zero, size, number, proto, spi, count = struct.unpack_from("!BBHBBBB", data, 40)
    need((following, zero, number, proto, spi, count) == (0, 0, 1, 1, 0, 1), "proposal")
    need(40 + size == len(data), "length of the proposal")
    following, zero, size, number, kind, reserved = struct.unpack_from("!BBHBBH", data, 48)
    need((following, zero, number, kind, reserved) == (0, 0, 1, 1, 0), "transform")
    need(48 + size == len(data) and (size - 8) % 4 == 0, "length of the transform")


def ike_answer(data, how):
    version = data[17] >> 4
    if version == 1:
        check_main_mode(data)
    else:
        check_sa_init(data)
    if how == "v1" and version != 1:
        return None
    spis = data[:8] + b"\xaa" * 8
    if version == 1:
        return spis + struct.pack("!BBBBLL", 1, 0x10, 2, 0, 0, len(data)) + data[28:]
    if how == "refuse":
        notify = struct.pack("!BBHBBH", 0, 0, 8, 0, 0, NOTIFY_NO_PROPOSAL)
        return spis + struct.pack("!BBBBLL", 41, 0x20, 34, 0x20, 0, 36) + notify
    return spis + struct.pack("!BBBBLL", 33, 0x20, 34, 0x20, 0, len(data)) + data[28:]


def natt_answer(data, how):
    need(data[:4] == bytes(4), "no marker")
    answer = ike_answer(data[4:], how)
    return answer and bytes(4) + answer


def l2tp_answer(data, _how):
    flags, length, tunnel, session, ns, nr = struct.unpack_from("!HHHHHH", data)
    need(flags == 0xc802 and length == len(data), "header")
    need((tunnel, session, ns, nr) in ((0, 0, 0, 0), (77, 0, 1, 1)), "numbers")
    avps, at = {}, 12
    while at < length:
        bits, vendor, kind = struct.unpack_from("!HHH", data, at)
        size = bits & 0x3ff
        need(bits & 0xfc00 == 0x8000 and vendor == 0 and size >= 6, "AVP header")
        avps[kind] = data[at + 6:at + size]
        at += size
    need(at == length and 0 in avps and list(avps)[0] == 0, "AVPs")
    if avps[0] == b"\x00\x04":
        need(tunnel == 77 and len(avps[9]) == 2 and avps[1] == b"\x00\x01", "StopCCN")
        return None
    need(avps[0] == b"\x00\x01" and tunnel == 0, "message type")
    need(avps[2] == b"\x01\x00" and len(avps[3]) == 4 and avps[7], "AVPs of SCCRQ")
    need(len(avps[9]) == 2 and avps[9] != bytes(2), "tunnel ID")
    body = b"".join(struct.pack("!HHH", 0x8000 | (6 + len(v)), 0, k) + v for k, v in (
        (0, b"\x00\x02"), (2, b"\x01\x00"), (3, b"\x00\x00\x00\x03"), (7, b"peer"),
        (9, struct.pack("!H", 77))))
    return struct.pack("!HH2sHHH", 0xc802, 12 + len(body), avps[9], 0, 0, 1) + body


def openvpn_answer(data, _how):
    need(len(data) == 14 and data[0] == 7 << 3, "opcode and length")
    need(data[1:9] != bytes(8) and data[9:] == bytes(5), "session, acks, packet")
    return (bytes([8 << 3]) + b"\xbb" * 8 + b"\x01" + bytes(4) + data[1:9] + bytes(4))


def echo(data, _how):
    return data


def pptp_answer(data):
    if len(data) >= 16 and data[8:10] == b"\x00\x03":
        need(data == struct.pack("!HHLHHBBH", 16, 1, 0x1a2b3c4d, 3, 0, 1, 0, 0), "stop")
        return None
    need(len(data) == 156, "length of the message")
    length, kind, magic, message, zero, version, zero1, framing, bearer, _ch, _fw = \
        struct.unpack_from("!HHLHHHHLLHH", data)
    need((length, kind, magic, message) == (156, 1, 0x1a2b3c4d, 1), "header")
    need((zero, version, zero1, framing, bearer) == (0, 0x0100, 0, 3, 3), "fields")
    need(data[28:92].rstrip(b"\0") and data[91] == 0 and data[155] == 0, "names")
    return struct.pack("!HHLHHHBBLLHH64s64s", 156, 1, 0x1a2b3c4d, 2, 0, 0x0100, 1, 0,
                       3, 3, 0, 1, b"peer", b"test")


UDP = {
    "ike": (500, ike_answer), "natt": (4500, natt_answer), "l2tp": (1701, l2tp_answer),
    "openvpn": (1194, openvpn_answer), "wireguard": (51820, echo),
}


def say(text):
    print(text, flush=True)


def one_datagram(name, how, sock, elsewhere):
    data, peer = sock.recvfrom(4096)
    try:
        answer = UDP[name][1](data, how)
        say(f"{name} good")
    except (Bad, struct.error, KeyError, IndexError, ValueError) as reason:
        say(f"{name} bad {reason!r} {data.hex()}")
        return
    if answer:
        (elsewhere if how == "move" else sock).sendto(answer, peer)


def one_stream(how, conn):
    data = conn.recv(4096)
    if not data:
        return False
    try:
        answer = pptp_answer(data)
        say("pptp good")
    except (Bad, struct.error) as reason:
        say(f"pptp bad {reason!r} {data.hex()}")
        return True
    if answer and how != "mute":
        conn.sendall(answer)
    return True


def main():
    behaviour = dict((a.split("=") + [""])[:2] for a in sys.argv[1:])
    at = "::ffff:" + behaviour.pop("addr") if "addr" in behaviour else "::"
    sockets = {}
    elsewhere = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    elsewhere.bind((at, 41701))
    for name, how in behaviour.items():
        if name == "pptp":
            sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((at, 1723))
            sock.listen()
        else:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            sock.bind((at, UDP[name][0]))
        sockets[sock] = name
    say("ready")
    while True:
        for sock in select.select(list(sockets), [], [])[0]:
            name = sockets[sock]
            if name == "pptp":
                sockets[sock.accept()[0]] = "pptp connection"
            elif name == "pptp connection":
                if not one_stream(behaviour["pptp"], sock):
                    del sockets[sock]
                    sock.close()
            else:
                one_datagram(name, behaviour[name], sock, elsewhere)


main()
