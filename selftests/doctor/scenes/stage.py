# SPDX-License-Identifier: GPL-2.0
# The network that scenes are set in, and packets to measure what is true in it:
#
#   c1 192.168.1.2 ---- lan1 +---+
#   c2 192.168.2.2 ---- lan2 | r | wan 203.0.113.2 ---- 203.0.113.1 g (198.51.100.1)
#                            +---+
# Sockets are made inside the namespaces by this one process: starting programs is
# what takes the time where the CPU is emulated.
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import subprocess
import time

PREFIX = "" if os.environ.get("VPNPASS_VM") else "sc%d-" % os.getpid()
SERVER = "198.51.100.1"
CLIENTS = {"c1": "192.168.1.2", "c2": "192.168.2.2"}
PIPE = subprocess.PIPE
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
NSDIR = "/run/netns/"
# How long nothing has to come until it counts as lost, in seconds; what is said to be lost
# and was slow makes a scene fail elsewhere.
PATIENCE = 0.4 if os.environ.get("VPNPASS_VM") else 0.08

# what is sent: (IP protocol, port of the server, own port or 0)
KINDS = {
    "ike": (17, 500, 500), "natt": (17, 4500, 4500), "l2tp": (17, 1701, 0),
    "openvpn": (17, 1194, 0), "wireguard": (17, 51820, 0), "esp": (50, 0, 0),
    "gre": (47, 0, 0), "l2tp3": (115, 0, 0), "pptp": (6, 1723, 0), "web": (6, 443, 0),
    "ah": (51, 0, 0), "gre0": (47, 0, 0), "gre0key": (47, 0, 0), "eoip": (47, 0, 0),
    "wireguard2": (17, 5182, 0), "openvpn2": (17, 5194, 0), "openvpn3": (6, 8443, 0),
    "openvpn4": (17, 5195, 0), "quic": (17, 443, 0), "epdg": (17, 53, 0),
}
# GRE of PPTP's kind, and of no version; what WireGuard and OpenVPN begin with, and answer
RAW = {"wireguard2": b"\1\0\0\0" + b"x" * 144, "openvpn2": b"\x38" + b"x" * 8 + bytes(5),
       "openvpn4": b"\x50" + b"x" * 8 + b"\x0f\0\0\1" + b"x" * 340,
       "quic": b"\x50" + b"x" * 352,
       "openvpn3": b"\0\x0e\x38" + b"x" * 8 + bytes(5),
       # a question for the address of an operator's gateway (RFC 1035 4.1)
       "epdg": bytes.fromhex("123401000001000000000000") + b"".join(
           bytes([len(w)]) + w for w in b"epdg.epc.mnc001.mcc001.pub.3gppnetwork.org.".split(b".")
       ) + bytes.fromhex("00010001"),
       "gre0": bytes.fromhex("00000800") + b"data",
       "gre0key": bytes.fromhex("20000800" "00000007") + b"data",
       "eoip": bytes.fromhex("20016400" "002a" "0700") + b"x" * 42,
       51: bytes.fromhex("3204000000001234" "00000001") + b"x" * 40,
       50: bytes.fromhex("0000100100000001") + b"x" * 24,
       47: bytes.fromhex("3001880b00040001") + b"\0\0\0\1" + b"data",
       115: bytes.fromhex("0000123400000000")}
ANSWERS = {"wireguard2": b"\2\0\0\0" + b"x" * 88,
           "openvpn2": b"\x40" + b"x" * 8 + b"\1" + bytes(4) + b"x" * 8 + bytes(4)}
ANSWERS["quic"] = ANSWERS["openvpn4"] = b"\x40" + b"x" * 65
ANSWERS["openvpn3"] = b"\0\x1a" + ANSWERS["openvpn2"]
USUAL = ("ike", "natt", "esp", "pptp", "l2tp", "openvpn", "web")


def enter(name):
    fd = home if name is None else os.open(NSDIR + PREFIX + name, os.O_RDONLY)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns " + str(name))
    if fd != home:
        os.close(fd)


def sock(name, kind, proto=0):
    enter(name)
    try:
        s = socket.socket(socket.AF_INET, kind, proto)
    finally:
        enter(None)
    s.setblocking(False)
    return s


def begin(name, args, **kw):
    """Starts a program in a namespace, which it has from this process."""
    enter(name)
    try:
        return subprocess.Popen(args, text=True, **kw)
    finally:
        enter(None)


def run(name, args, text=None):
    """A program in a namespace; its exit code and output."""
    p = begin(name, args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(text)
    return p.returncode, out, err


def forget(name):
    """What conntrack -F does, by one message to ctnetlink."""
    enter(name)
    try:
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    finally:
        enter(None)
    s.send(struct.pack("=IHHIIBBH", 20, 0x102, 5, 1, 0, 0, 0, 0))
    s.recv(4096)
    s.close()


def ip(name, lines):
    args = ["ip"] + (["-n", PREFIX + name] if name else []) + ["-batch", "-"]
    rc, out, err = run(None, args, "\n".join(lines) + "\n")
    if rc:
        raise RuntimeError("ip: " + err)


def sysctl(name, settings):
    enter(name)
    try:
        for key, value in settings.items():
            with open("/proc/sys/net/" + key, "w") as f:
                f.write(str(value))
    finally:
        enter(None)


def up():
    p = PREFIX
    ip(None, ["netns add " + p + n for n in ("r", "c1", "c2", "g")] + [
        f"link add lan1 netns {p}r type veth peer name eth0 netns {p}c1",
        f"link add lan2 netns {p}r type veth peer name eth0 netns {p}c2",
        f"link add wan netns {p}r type veth peer name eth0 netns {p}g"])
    ip("r", ["link set lo up", "addr add 192.168.1.1/24 dev lan1", "link set lan1 up",
             "addr add 192.168.2.1/24 dev lan2", "link set lan2 up",
             "addr add 203.0.113.2/24 dev wan", "link set wan up",
             "route add default via 203.0.113.1"])
    for n, a in CLIENTS.items():
        ip(n, ["link set lo up", f"addr add {a}/24 dev eth0", "link set eth0 up",
               "route add default via " + a[:-1] + "1"])
    ip("g", ["link set lo up", f"addr add {SERVER}/32 dev lo", "addr add 203.0.113.1/24 dev eth0",
             "link set eth0 up", "route add 192.168.0.0/16 via 203.0.113.2"])
    sysctl("r", {"ipv4/ip_forward": 1, "ipv4/conf/all/rp_filter": 0, "ipv4/conf/wan/rp_filter": 0,
                 "ipv4/conf/lan1/rp_filter": 0, "ipv4/conf/lan2/rp_filter": 0})
    for n in ("c1", "c2", "g"):
        sysctl(n, {"ipv4/icmp_ratelimit": 0})


def down():
    lines = "".join("netns del %s%s\n" % (PREFIX, n) for n in ("r", "c1", "c2", "g"))
    run(None, ["ip", "-force", "-batch", "-"], lines)


def tun(name, device):
    """A tunnel interface that has somebody at its other end, who reads nothing."""
    enter(name)
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", device.encode(), 0x1001))
    finally:
        enter(None)
    return fd


class Server:
    """The gateway: answers every kind, except those in mute."""

    def __init__(self, name="g", mute=(), shut=False, echo=()):
        self.echo = echo
        self.mute, self.socks, self.streams, self.seen = set(mute), [], [], {}
        for kind, (proto, port, _) in () if shut else KINDS.items():
            if proto == 6:
                s = sock(name, socket.SOCK_STREAM)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if kind not in self.mute:
                    s.bind((SERVER, port))
                    s.listen(8)
            elif proto == 17:
                s = sock(name, socket.SOCK_DGRAM)
                s.bind((SERVER, port))
            else:
                s = sock(name, socket.SOCK_RAW, proto)
                s.bind((SERVER, 0))
            self.socks.append((kind, s))

    def serve(self, got):
        for kind, s in self.socks:
            while True:
                try:
                    if KINDS[kind][0] == 6:
                        self.streams.append((kind, s.accept()[0]))
                        self.streams[-1][1].setblocking(False)
                        got.add(kind)
                        continue
                    data, who = s.recvfrom(2048)
                except OSError:
                    break
                got.add(kind)
                self.seen[kind] = who[0]
                if kind not in self.mute:
                    if s.type == socket.SOCK_RAW:
                        data = data[(data[0] & 15) * 4:]
                        who = (who[0], 0)
                    data = data if kind in self.echo else ANSWERS.get(kind, data)
                    try:
                        s.sendto(data, who)
                    except OSError:
                        pass

        for kind, s in self.streams:
            try:
                data = s.recv(2048)
                if data:
                    s.send(data if kind in self.echo else ANSWERS.get(kind, data))
            except OSError:
                pass

    def close(self):
        for _, s in self.socks + self.streams:
            s.close()


class Client:
    """A client that sends kinds of packets and sees what is answered."""

    def __init__(self, name, kinds, to=SERVER, stranger=False):
        self.to, self.socks, self.refused = to, {}, set()
        for kind in kinds:
            proto, _, own = KINDS[kind]
            if proto == 6:
                s = sock(name, socket.SOCK_STREAM)
            elif proto == 17:
                s = sock(name, socket.SOCK_DGRAM)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("", 0 if stranger else own))
                s.setsockopt(socket.SOL_IP, 11, 1)      # IP_RECVERR
            else:
                s = sock(name, socket.SOCK_RAW, proto)
            self.socks[kind] = s

    def send(self):
        for kind, s in self.socks.items():
            proto, port, _ = KINDS[kind]
            try:
                if proto == 6:
                    up = s.connect_ex((self.to, port)) in (0, errno.EISCONN)
                    if up and kind in RAW:
                        s.send(RAW[kind])
                else:
                    s.sendto(RAW.get(kind, RAW.get(proto, b"x" * 40)), (self.to, port))
            except OSError:
                pass

    def answered(self, kind):
        s = self.socks[kind]
        if KINDS[kind][0] == 6:
            _, w, _ = select.select([], [s], [], 0)
            if w and s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.refused.add(kind)
            return bool(w) and kind not in self.refused
        try:
            while True:
                data, who = s.recvfrom(2048)
                if who[0] == self.to:
                    return True
        except OSError:
            return False

    def close(self):
        for s in self.socks.values():
            s.close()


def measure(name, kinds, server, to=SERVER, wait=PATIENCE):
    """What becomes of each kind: yes, half (the answer is lost), or lost."""
    client, got, back = Client(name, kinds, to), set(), set()
    client.send()
    end = time.monotonic() + wait
    while len(back) < len(kinds) and time.monotonic() < end:
        server.serve(got)
        for kind in kinds:
            if kind not in back and client.answered(kind):
                back.add(kind)
        time.sleep(0.002)
    client.close()
    return {k: "yes" if k in back else "half" if k in got else "lost" for k in kinds}


def scan(target, into, kinds=USUAL, wait=PATIENCE / 2):
    """What a stranger outside gets through to a client."""
    enter(into)
    try:
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    finally:
        enter(None)
    ear.setblocking(False)
    # a client of the gateway's namespace, from ports that no connection has
    client, seen = Client("g", kinds, target, stranger=True), set()
    client.send()
    end = time.monotonic() + wait
    while time.monotonic() < end:
        try:
            data, info = ear.recvfrom(128)
        except OSError:
            time.sleep(0.002)
            continue
        if info[2] == 4 or socket.inet_ntoa(data[16:20]) != target:
            continue
        for kind in kinds:
            proto, port, _ = KINDS[kind]
            if data[9] == proto and (not port or data[22] << 8 | data[23] == port):
                seen.add(kind)
    client.close()
    ear.close()
    return seen
