#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Single crafted packets for the test scripts, and a receiver that counts.

pkt.py send --src A --dst B --proto esp|ah|gre|udp|icmp|NUMBER [FIELDS]
	esp, ah  --spi N --seq N (a body of --len zero bytes follows)
	gre      --key N (call ID), --seq N; version 1 as in PPTP (RFC 2637 4.1)
	udp      --sport N --dport N
	icmp     --type N --code N --mtu N; quotes a packet when --qproto is given:
	         --qsrc --qdst --qproto --qspi/--qkey/--qsport/--qdport, its IP
	         header and --qlen (8) bytes, as RFC 792 routers do
	any      --hex BYTES as the payload; --cut N keeps only N bytes of it
	--count N --rate N (packets a second) --ttl N
	and FIELDS: another one, with the first's fields but for those; a program takes
	seconds to begin where the CPU is emulated
pkt.py count --seconds S [--proto P] [--until N] [--from A]
	prints "FROM TO PROTO NUMBER COUNT" (number: SPI, GRE key or ports) for
	what arrives here, and "total N" last; stops early after N packets.
IPv4 and IPv6 by the form of the addresses. Needs CAP_NET_RAW.
"""
import argparse
import collections
import ipaddress
import select
import socket
import struct
import sys
import time

PROTO = {"icmp": 1, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "icmp6": 58}
IPV6_HDRINCL = 36


def number(text):
    return int(text, 0)


def proto_number(name, six):
    if name == "icmp" and six:
        return PROTO["icmp6"]
    return PROTO[name] if name in PROTO else int(name, 0)


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(src, dst, proto, length):
    if src.version == 6:
        return src.packed + dst.packed + struct.pack("!II", length, proto)
    return src.packed + dst.packed + struct.pack("!BBH", 0, proto, length)


def ip_packet(src, dst, proto, ttl, payload):
    if src.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, ttl) + src.packed + dst.packed + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, ttl, proto, 0) + src.packed + dst.packed
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return head + payload


def udp(src, dst, sport, dport, body):
    head = struct.pack("!HHHH", sport, dport, 8 + len(body), 0)
    total = checksum(pseudo(src, dst, 17, len(head + body)) + head + body) or 0xFFFF
    return head[:6] + struct.pack("!H", total) + body


def body_of(kind, a, src, dst, prefix=""):
    """The bytes after the IP header; prefix "q" picks the quoted packet's fields."""
    def get(name):
        return getattr(a, prefix + name)

    data = bytes.fromhex(a.hex) if a.hex is not None and not prefix else bytes(a.len)
    if kind == "esp":
        return struct.pack("!II", get("spi"), a.seq) + data
    if kind == "ah":
        return struct.pack("!BBHII", 4, 4, 0, get("spi"), a.seq) + bytes(12) + data
    if kind == "gre":
        # enhanced GRE: key and sequence present, version 1, protocol PPP
        return struct.pack("!HHHHI", 0x3001, 0x880B, len(data), get("key"), a.seq) + data
    if kind == "udp":
        return udp(src, dst, get("sport"), get("dport"), data)
    return data


def icmp(a, src, dst):
    six = src.version == 6
    rest = bytes.fromhex(a.hex or "")
    if a.qproto:
        qsrc, qdst = ipaddress.ip_address(a.qsrc), ipaddress.ip_address(a.qdst)
        inner = body_of(a.qproto, a, qsrc, qdst, "q")
        quoted = ip_packet(qsrc, qdst, proto_number(a.qproto, six), 63, inner)
        rest = quoted[:(40 if six else 20) + a.qlen]
    head = struct.pack("!BBHI", a.type, a.code, 0, a.mtu)
    total = checksum((pseudo(src, dst, 58, 8 + len(rest)) if six else b"") + head + rest)
    return head[:2] + struct.pack("!H", total) + head[4:] + rest


def send(a):
    src, dst = ipaddress.ip_address(a.src), ipaddress.ip_address(a.dst)
    six = dst.version == 6
    proto = proto_number(a.proto, six)
    body = icmp(a, src, dst) if a.proto == "icmp" else body_of(a.proto, a, src, dst)
    if a.cut is not None:
        body = body[:a.cut]
    packet = ip_packet(src, dst, proto, a.ttl, body)
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    if six:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
    start = time.monotonic()
    for i in range(a.count):
        sock.sendto(packet, (a.dst, 0))
        if a.rate:
            time.sleep(max(0.0, start + (i + 1) / a.rate - time.monotonic()))


def parse(packet):
    """(from, to, protocol, number) of an IP packet, or None."""
    if packet[0] >> 4 == 6 and len(packet) >= 40:
        proto, off = packet[6], 40
        src, dst = packet[8:24], packet[24:40]
    elif packet[0] >> 4 == 4 and len(packet) >= 20:
        proto, off = packet[9], (packet[0] & 15) * 4
        src, dst = packet[12:16], packet[16:20]
    else:
        return None
    rest = packet[off:]
    num = "-"
    if proto == 50 and len(rest) >= 4:
        num = "0x%08x" % struct.unpack("!I", rest[:4])
    elif proto == 51 and len(rest) >= 8:
        num = "0x%08x" % struct.unpack("!I", rest[4:8])
    elif proto == 47 and len(rest) >= 8:
        num = str(struct.unpack("!H", rest[6:8])[0])
    elif proto == 17 and len(rest) >= 4:
        num = "%d>%d" % struct.unpack("!HH", rest[:4])
    elif proto in (1, 58) and len(rest) >= 2:
        num = "%d/%d" % (rest[0], rest[1])
    return str(ipaddress.ip_address(src)), str(ipaddress.ip_address(dst)), proto, num


def count(a):
    # ETH_P_ALL sees what leaves as well: only what is for this host counts
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    seen = collections.Counter()
    end = time.monotonic() + a.seconds
    print("ready", flush=True)
    while not a.until or sum(seen.values()) < a.until:
        left = end - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            break
        packet, addr = sock.recvfrom(65535)
        if addr[2] == socket.PACKET_OUTGOING or addr[1] not in (0x0800, 0x86DD):
            continue
        key = parse(packet)
        if not key or (a.proto and key[2] != proto_number(a.proto, ":" in key[0])):
            continue
        if not a.source or key[0] == a.source:
            seen[key] += 1
    for key, n in sorted(seen.items(), key=str):
        print(*key, n)
    print("total", sum(seen.values()))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="command", required=True)
    s = sub.add_parser("send")
    for name in ("src", "dst", "proto"):
        s.add_argument("--" + name, required=True)
    for name in ("spi", "qspi"):
        s.add_argument("--" + name, type=number, default=0x1000)
    for name in ("key", "qkey", "sport", "qsport", "dport", "qdport", "type", "code", "mtu"):
        s.add_argument("--" + name, type=number, default=0)
    for name, value in (("seq", 1), ("len", 24), ("qlen", 8), ("count", 1), ("ttl", 64), ("cut", None)):
        s.add_argument("--" + name, type=number, default=value)
    s.add_argument("--rate", type=float, default=0)
    for name in ("hex", "qsrc", "qdst", "qproto"):
        s.add_argument("--" + name)
    c = sub.add_parser("count")
    c.add_argument("--seconds", type=float, required=True)
    c.add_argument("--proto")
    c.add_argument("--until", type=int, default=0)
    c.add_argument("--from", dest="source")
    words = [[]]
    for word in sys.argv[1:]:
        if word == "and":
            words.append(words[0][:])
        else:
            words[-1].append(word)
    for a in [p.parse_args(w) for w in words]:
        send(a) if a.command == "send" else count(a)


if __name__ == "__main__":
    sys.exit(main())
