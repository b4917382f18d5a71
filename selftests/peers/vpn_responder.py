#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A gateway that answers first messages, once it has checked every byte.

    vpn_responder.py [BEHAVIOUR...]

ike, natt     accept; ike=refuse NO_PROPOSAL_CHOSEN, ike=v2-refuse the same and nothing
              to IKEv1; with addr=, it says what it sees
              (RFC 7296 2.23, RFC 3947 3.2); ike=cookie wants a cookie first and then
              group 19, ike=forced hides its own address, ike=nat is asked by another
              ike=v1 answers only IKEv1, ike=v1-too refuses IKEv2; ike=v1-sha256 takes
              that, ike=v1-old knows no NAT-T, ike=v1-forced and ike=v1-nat as
              above, ike=v1-mute says nothing to a key, ike=v1-secret that it has no
              secret; ike=v1-refuse
iketcp        accepts IKE by TCP 4500 (RFC 9329)
pptp          accepts; pptp=mute takes the connection and says nothing
l2tp          accepts; l2tp=move answers from port 41701
openvpn       resets; wireguard echoes
addr=A        only at this IPv4 address

Prints "ready", then "SERVICE good" or "SERVICE bad REASON" for each message.
Only the services named listen. Used by the tests in selftests/doctor.
"""

import hashlib
import select
import socket
import struct
import sys

NOTIFY_NO_PROPOSAL, NOTIFY_INVALID_KE, NOTIFY_COOKIE = 14, 17, 16390
NAT_SOURCE, NAT_DESTINATION = 16388, 16389
COOKIE = b"a cookie of ours"
KEY_SIZES = {14: 256, 19: 64}
# IKEv1: sizes of groups, hashes by their numbers; how it says that it knows NAT-T
MODP_SIZES = {14: 256, 5: 192, 2: 128}
HASHES = {2: hashlib.sha1, 4: hashlib.sha256}
NAT_T = hashlib.md5(b"RFC 3947").digest()
chosen_v1 = {}


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
    for at, proposal in enumerate(substructures(body, 2), 1):
        number, proto, spi, count = proposal[:4]
        need((number, proto, spi) == (at, 1, 0), "proposal header")
        kinds = set()
        transforms = list(substructures(proposal[4:], 3))
        need(len(transforms) == count, "number of transforms")
        for t in transforms:
            kinds.add(t[0])
            need(t[1] == 0, "reserved byte of a transform")
            need(len(t) in (4, 8), "length of a transform")
            need(len(t) == 4 or t[4:6] == b"\x80\x0e", "attribute of a transform")
        need(kinds in ({1, 2, 3, 4}, {1, 2, 4}), "kinds of transform")


def check_notify(body):
    proto, spi, kind = struct.unpack_from("!BBH", body)
    need((proto, spi) == (0, 0), "notification header")
    return kind, body[4:]


def check_sa_init(data):
    """The payloads by their kinds, and notifications by theirs."""
    spi_i, spi_r, payload, version, exchange, flags, mid, length = struct.unpack_from(
        "!8s8sBBBBLL", data)
    need(spi_i != bytes(8) and spi_r == bytes(8), "SPIs")
    need((version, exchange, flags, mid) == (0x20, 34, 0x08, 0), "header")
    need(length == len(data), "length of the message")
    seen, at, found, notified = [], 28, {}, {}
    while payload:
        following, critical, size = struct.unpack_from("!BBH", data, at)
        need(critical == 0 and size >= 4 and at + size <= len(data), "payload header")
        body = data[at + 4:at + size]
        if payload == 33:
            check_sa(body)
        elif payload == 34:
            group, zero = struct.unpack_from("!HH", body)
            need(zero == 0 and len(body) == 4 + KEY_SIZES[group], "KE payload")
            need(group == 19 or body[4] < 0x80 and any(body[4:]), "public value")
        elif payload == 40:
            need(16 <= len(body) <= 256, "nonce")
        elif payload == 41:
            kind, value = check_notify(body)
            notified[kind] = value
        seen.append(payload)
        found[payload] = body
        payload, at = following, at + size
    first = [41] if NOTIFY_COOKIE in notified else []
    filling = [43] if len(data) in (1400, 1900) else []
    need(at == len(data) and seen == first + [33, 34, 40, 41, 41] + filling, f"payloads {seen}")
    return found, notified


def nat_hash(spis, address, port, name=hashlib.sha1):
    return name(spis + socket.inet_aton(address) + struct.pack("!H", port)).digest()


def notify(kind, value, following=0):
    return struct.pack("!BBHBBH", following, 0, 8 + len(value), 0, 0, kind) + value


def sights(spis, ends, how):
    """What we see, unless nobody told us our own address."""
    (us, port), (peer, peer_port) = ends
    if not us:
        return 0, b""
    own = bytes(20) if how == "forced" else nat_hash(spis, us, port)
    return 41, notify(NAT_SOURCE, own, 41) + notify(
        NAT_DESTINATION, nat_hash(spis, peer, peer_port))


def v2(spis, payload, body):
    return spis + struct.pack("!BBBBLL", payload, 0x20, 34, 0x20, 0, 28 + len(body)) + body


def sa_init_answer(data, how, ends):
    found, notified = check_sa_init(data)
    bare, spis = data[:8] + bytes(8), data[:8] + b"\xaa" * 8
    if ends[0][0] and how != "nat":
        need(notified[NAT_DESTINATION] == nat_hash(bare, *ends[0]), "hash of our address")
    if how == "refuse":
        return v2(spis, 41, notify(NOTIFY_NO_PROPOSAL, b""))
    if how == "cookie" and notified.get(NOTIFY_COOKIE) != COOKIE:
        return v2(bare, 41, notify(NOTIFY_COOKIE, COOKIE))
    if how == "cookie" and found[34][:2] != b"\0\x13":
        return v2(bare, 41, notify(NOTIFY_INVALID_KE, b"\0\x13"))
    following, more = sights(spis, ends, how)
    kinds = [33, 34, 40, following]
    return v2(spis, 33, b"".join(
        struct.pack("!BBH", after, 0, 4 + len(found[kind])) + found[kind]
        for kind, after in zip(kinds, kinds[1:])) + more)


def attributes(data):
    """RFC 2408 3.3: those of two bytes, all that we are sent."""
    for kind, value in struct.iter_unpack("!HH", data):
        need(kind & 0x8000, "an attribute with a length")
        yield kind & 0x7fff, value


def payloads_v1(data, kind):
    """Yields kind and body, checks the chain."""
    at = 28
    while kind:
        following, zero, size = struct.unpack_from("!BBH", data, at)
        need(zero == 0 and size >= 4 and at + size <= len(data), "payload header")
        yield kind, data[at + 4:at + size]
        kind, at = following, at + size
    need(at == len(data), "length of the payloads")


def check_offer(body):
    """The transforms, as they are, and what is in them."""
    doi, situation, following, zero, size, number, proto, spi, count = struct.unpack_from(
        "!LLBBHBBBB", body)
    need((doi, situation, following, zero) == (1, 1, 0, 0), "SA payload")
    need((number, proto, spi) == (1, 1, 0) and size == len(body) - 8, "proposal")
    transforms = list(substructures(body[16:], 3))
    need(len(transforms) == count, "number of transforms")
    for at, t in enumerate(transforms, 1):
        need(t[:4] == bytes([at, 1, 0, 0]), "transform header")
        have = dict(attributes(t[4:]))
        need(have[1] in (5, 7) and have[2] in (2, 4) and have[3] in (1, 3), "transform")
        need(have[4] in MODP_SIZES and (have[1] == 7) == (14 in have), "group, bits of the key")
        need((have[11], have[12]) == (1, 28800), "life")
        yield t, have


def check_key(data, payloads, chosen, ends, how):
    kinds, bodies = zip(*payloads)
    need(kinds == (4, 10, 20, 20), f"payloads {kinds}")
    need(len(bodies[0]) == MODP_SIZES[chosen[4]] and 0 < bodies[0][0] < 0x80, "public value")
    need(8 <= len(bodies[1]) <= 256, "nonce")
    if ends[0][0] and how != "v1-nat":
        need(bodies[2] == nat_hash(data[:16], *ends[0], HASHES[chosen[2]]), "our address")


def v1(spis, payloads, exchange=2):
    kinds = [kind for kind, _ in payloads] + [0]
    body = b"".join(struct.pack("!BBH", following, 0, 4 + len(value)) + value
                    for following, (_, value) in zip(kinds[1:], payloads))
    return spis + struct.pack("!BBBBLL", kinds[0], 0x10, exchange, 0, 0, 28 + len(body)) + body


def notify_v1(spis, kind):
    return v1(spis, [(11, struct.pack("!LBBH", 1, 1, 0, kind))], 5)


def sights_v1(spis, ends, how, name):
    if not ends[0][0]:
        return []
    own = bytes(name().digest_size) if how == "v1-forced" else nat_hash(spis, *ends[0], name)
    return [(20, nat_hash(spis, *ends[1], name)), (20, own)]


def main_mode_answer(data, how, ends):
    cookie_i, cookie_r, payload, version, exchange, flags, mid, length = struct.unpack_from(
        "!8s8sBBBBLL", data)
    need(cookie_i != bytes(8), "cookie")
    need((version, exchange, flags, mid) == (0x10, 2, 0, 0), "header")
    need(length == len(data), "length of the message")
    payloads, spis = list(payloads_v1(data, payload)), cookie_i + b"\xaa" * 8
    if cookie_r != bytes(8):
        need(data[:16] == spis and how != "v1-old", "cookies")
        check_key(data, payloads, chosen_v1[cookie_i], ends, how)
        if how == "v1-mute":
            return None
        if how == "v1-secret":
            return notify_v1(spis, 17)
        return v1(spis, payloads[:2] + sights_v1(spis, ends, how, HASHES[chosen_v1[cookie_i][2]]))
    need([kind for kind, _ in payloads] == [1, 13] and payloads[1][1] == NAT_T, "payloads")
    offers = list(check_offer(payloads[0][1]))
    if how == "v2-refuse":
        return None
    if how in ("refuse", "v1-refuse"):
        return notify_v1(cookie_i + bytes(8), 14)
    # group, hash, authentication
    want = (5, 4, 3) if how == "v1-sha256" else (14, 2, 1)
    taken, have = next((t, h) for t, h in offers if (h[4], h[2], h[3]) == want)
    chosen_v1[cookie_i] = have
    body = payloads[0][1][:8] + struct.pack(
        "!LLL", 12 + len(taken), 1 << 24 | 1 << 16 | 1, 4 + len(taken)) + taken
    known = [] if how == "v1-old" else [(13, NAT_T)]
    return v1(spis, [(1, body), (13, b"another's vendor"), *known])


def ike_answer(data, how, ends):
    if data[17] >> 4 == 1:
        return main_mode_answer(data, how, ends)
    if how in ("v1-too", "v2-refuse"):
        how = "refuse"
    answer = sa_init_answer(data, how, ends)
    return None if how.startswith("v1") else answer


def natt_answer(data, how, ends):
    need(data[:4] == bytes(4), "no marker")
    answer = ike_answer(data[4:], how, ends)
    return answer and bytes(4) + answer


def iketcp_answer(data):
    need(data[:6] == b"IKETCP", "prefix")
    need(struct.unpack_from("!H", data, 6)[0] == len(data) - 6, "length of the message")
    answer = natt_answer(data[8:], "", ((None, 0), (None, 0)))
    return struct.pack("!H", 2 + len(answer)) + answer


def l2tp_answer(data, _how, _ends):
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


def openvpn_answer(data, _how, _ends):
    need(len(data) == 14 and data[0] == 7 << 3, "opcode and length")
    need(data[1:9] != bytes(8) and data[9:] == bytes(5), "session, acks, packet")
    return (bytes([8 << 3]) + b"\xbb" * 8 + b"\x01" + bytes(4) + data[1:9] + bytes(4))


def echo(data, _how, _ends):
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


TCP = {"pptp": (1723, pptp_answer), "iketcp": (4500, iketcp_answer)}
UDP = {
    "ike": (500, ike_answer), "natt": (4500, natt_answer), "l2tp": (1701, l2tp_answer),
    "openvpn": (1194, openvpn_answer), "wireguard": (51820, echo),
}


def say(text):
    print(text, flush=True)


def one_datagram(name, how, sock, elsewhere, addr):
    data, peer = sock.recvfrom(4096)
    ends = (addr, UDP[name][0]), (peer[0].replace("::ffff:", ""), peer[1])
    try:
        answer = UDP[name][1](data, how, ends)
        say(f"{name} good")
    except (Bad, struct.error, KeyError, IndexError, ValueError) as reason:
        say(f"{name} bad {reason!r} {data.hex()}")
        return
    if answer:
        (elsewhere if how == "move" else sock).sendto(answer, peer)


def one_stream(name, how, conn):
    data = conn.recv(4096)
    if not data:
        return False
    try:
        answer = TCP[name][1](data)
        say(f"{name} good")
    except (Bad, struct.error, KeyError, IndexError, ValueError) as reason:
        say(f"{name} bad {reason!r} {data.hex()}")
        return True
    if answer and how != "mute":
        conn.sendall(answer)
    return True


def main():
    behaviour = dict((a.split("=") + [""])[:2] for a in sys.argv[1:])
    addr = behaviour.pop("addr", None)
    at = "::ffff:" + addr if addr else "::"
    sockets, streams = {}, {}
    elsewhere = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    elsewhere.bind((at, 41701))
    for name, how in behaviour.items():
        if name in TCP:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((at, TCP[name][0]))
            sock.listen()
        else:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            sock.bind((at, UDP[name][0]))
        sockets[sock] = name
    say("ready")
    while True:
        for sock in select.select([*sockets, *streams], [], [])[0]:
            if sock in streams:
                name = streams[sock]
                if not one_stream(name, behaviour[name], sock):
                    del streams[sock]
                    sock.close()
            elif sockets[sock] in TCP:
                streams[sock.accept()[0]] = sockets[sock]
            else:
                name = sockets[sock]
                one_datagram(name, behaviour[name], sock, elsewhere, addr)


main()
