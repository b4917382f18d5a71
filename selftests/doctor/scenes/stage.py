# SPDX-License-Identifier: GPL-2.0
# The network that scenes are set in, and packets to measure what is true in it:
#
#   c1 192.168.1.2 ---- lan1 +---+
#   c2 192.168.2.2 ---- lan2 | r | wan 203.0.113.2 ---- 203.0.113.1 g (198.51.100.1)
#                            +---+
# It has IPv6 as well in scenes that want it, and when it is scanned from outside.
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
SERVER, SERVER6 = "198.51.100.1", "2001:db8:100::1"
CLIENTS = {"c1": "192.168.1.2", "c2": "192.168.2.2"}
CLIENTS6 = {"c1": "2001:db8:1::2", "c2": "2001:db8:2::2"}
ROUTER, ROUTER6 = "203.0.113.2", "2001:db8:f::2"
STRANGER, STRANGER6 = "203.0.113.1", "2001:db8:f::1"
# by interface: both ends of its cable have one that is known beforehand
MACS = {name: ("02:00:00:00:%02x:01" % i, "02:00:00:00:%02x:02" % i)
        for i, name in enumerate(("lan1", "lan2", "wan"))}
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
SCANNED = tuple(k for k in KINDS if k not in RAW)
USUAL = ("ike", "natt", "esp", "pptp", "l2tp", "openvpn", "web")


def enter(name):
    fd = home if name is None else os.open(NSDIR + PREFIX + name, os.O_RDONLY)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns " + str(name))
    if fd != home:
        os.close(fd)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def sock(name, kind, proto=0, family=socket.AF_INET):
    enter(name)
    try:
        s = socket.socket(family, kind, proto)
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
        f"link add {n} address {MACS[n][0]} netns {p}r "
        f"type veth peer name eth0 address {MACS[n][1]} netns {p}{end}"
        for n, end in (("lan1", "c1"), ("lan2", "c2"), ("wan", "g"))])
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
    for n in MACS:
        await_carrier("r", n)


def await_carrier(name, device):
    """The kernel says it a moment after the other end is up."""
    s, end = sock(name, socket.SOCK_DGRAM), time.monotonic() + 5
    request = struct.pack("16sH22x", device.encode(), 0)
    while time.monotonic() < end:
        if struct.unpack("16xH22x", fcntl.ioctl(s, 0x8913, request))[0] & 0x40:
            break
        time.sleep(0.01)
    s.close()


def down():
    lines = "".join("netns del %s%s\n" % (PREFIX, n) for n in ("r", "c1", "c2", "g"))
    run(None, ["ip", "-force", "-batch", "-"], lines)


def up6():
    """IPv6 everywhere. Neighbours are told, as rules may drop what finds them."""
    near = {n: m[1] for n, m in MACS.items()}
    bridged = not run("r", ["ip", "link", "show", "br0"])[0]
    device = {"lan1": "br0" if bridged else "lan1", "lan2": "lan2"}
    # first of all, as with its address a device loses the neighbours that it was told
    if bridged:
        ip("r", [f"link set br0 address {MACS['lan1'][0]}"])
    ip("r", [f"addr add 2001:db8:{n[3:]}::1/64 dev {d} nodad" for n, d in device.items()] +
       [f"addr add {ROUTER6}/64 dev wan nodad", f"route add default via {STRANGER6}"] +
       [f"neigh replace {a} lladdr {near[n]} dev {device.get(n, n)} nud permanent" for n, a in (
           ("lan1", CLIENTS6["c1"]), ("lan2", CLIENTS6["c2"]), ("wan", STRANGER6))])
    for n, lan in (("c1", "lan1"), ("c2", "lan2")):
        net = CLIENTS6[n][:-1]
        ip(n, [f"addr add {net}2/64 dev eth0 nodad", f"route add default via {net}1",
               f"neigh replace {net}1 lladdr {MACS[lan][0]} dev eth0 nud permanent"])
    ip("g", [f"addr add {SERVER6}/128 dev lo nodad", f"addr add {STRANGER6}/64 dev eth0 nodad",
             f"route add 2001:db8::/32 via {ROUTER6}",
             f"neigh replace {ROUTER6} lladdr {MACS['wan'][0]} dev eth0 nud permanent"])
    sysctl("r", {"ipv6/conf/all/forwarding": 1})
    for n in ("r", "c1", "c2", "g"):
        await_addresses(n)


def await_addresses(name):
    """The kernel takes new addresses of IPv6 into use a moment later, also without DAD."""
    end, tentative = time.monotonic() + 5, 0x40
    while time.monotonic() < end:
        enter(name)
        try:
            with open("/proc/net/if_inet6") as f:
                lines = [line.split() for line in f]
        finally:
            enter(None)
        if not any(w[0].startswith("20010db8") and int(w[4], 16) & tentative for w in lines):
            return
        time.sleep(0.01)


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

    def __init__(self, name="g", mute=(), shut=False, echo=(), six=False):
        self.echo = echo
        self.mute, self.socks, self.streams, self.seen = set(mute), [], [], {}
        for address in () if shut else (SERVER, SERVER6) if six else (SERVER,):
            for kind in KINDS:
                self.open(name, kind, address)

    def open(self, name, kind, address):
        (proto, port, _), family = KINDS[kind], family_of(address)
        if proto == 6:
            s = sock(name, socket.SOCK_STREAM, 0, family)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if kind not in self.mute:
                s.bind((address, port))
                s.listen(8)
        elif proto == 17:
            s = sock(name, socket.SOCK_DGRAM, 0, family)
            s.bind((address, port))
        else:
            s = sock(name, socket.SOCK_RAW, proto, family)
            s.bind((address, 0))
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
                        data = data[(data[0] & 15) * 4:] if s.family == socket.AF_INET else data
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

    def __init__(self, name, kinds, to=SERVER, ports=None):
        self.to, self.socks, self.refused = to, {}, set()
        family = family_of(to)
        for kind in kinds:
            proto, port, own = KINDS[kind]
            own = {None: own, "any": 0, "server": port}[ports]
            at = "" if not ports else STRANGER if family == socket.AF_INET else STRANGER6
            if proto == 6:
                s = sock(name, socket.SOCK_STREAM, 0, family)
            elif proto == 17:
                s = sock(name, socket.SOCK_DGRAM, 0, family)
            else:
                s = sock(name, socket.SOCK_RAW, proto, family)
            if own:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((at, own))
            if proto == 17 and family == socket.AF_INET:
                s.setsockopt(socket.SOL_IP, 11, 1)      # IP_RECVERR
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


class Ear:
    """What arrives at a client, from which interface its rules see it all."""

    def __init__(self, name):
        enter(name)
        try:
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        finally:
            enter(None)
        self.sock.setblocking(False)
        self.name, self.own = name, {CLIENTS[name]: "IPv4", CLIENTS6[name]: "IPv6"}

    def hear(self, seen):
        try:
            while True:
                data, info = self.sock.recvfrom(128)
                if info[2] != 4:
                    self.take(data, seen)
        except OSError:
            pass

    def take(self, data, seen):
        six = data[0] >> 4 == 6
        to = (socket.inet_ntop(socket.AF_INET6, data[24:40]) if six else
              socket.inet_ntoa(data[16:20]))
        proto, at = (data[6], 42) if six else (data[9], 22)
        for kind in SCANNED if to in self.own else ():
            if KINDS[kind][:2] == (proto, data[at] << 8 | data[at + 1] if proto in (6, 17) else 0):
                seen.add((self.name, self.own[to], kind))


class Door:
    """What the router itself takes in; of TCP that is what it answers."""

    def __init__(self):
        self.socks = []
        for six, family in enumerate((socket.AF_INET, socket.AF_INET6)):
            for kind in SCANNED:
                proto, port, _ = KINDS[kind]
                kind_of = {6: socket.SOCK_STREAM, 17: socket.SOCK_DGRAM}.get(proto, socket.SOCK_RAW)
                s = sock("r", kind_of, 0 if port else proto, family)
                if six and port:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if port:
                    s.bind(("", port))
                if proto == 6:
                    s.listen(8)
                self.socks.append((("r", "IPv6" if six else "IPv4", kind), s))

    def hear(self, seen):
        for what, s in self.socks:
            try:
                if s.type == socket.SOCK_STREAM:
                    s.accept()[0].close()
                else:
                    s.recvfrom(128)
                seen.add(what)
            except OSError:
                pass

    def close(self):
        for _, s in self.socks:
            s.close()


def scan(wait=PATIENCE):
    """What a stranger outside gets through to the clients and into the router, by IPv4 and
    IPv6, from ports of his own and from those that a VPN server has."""
    ears, door, seen = [Ear(n) for n in CLIENTS], Door(), set()
    strangers = [Client("g", SCANNED, to, ports) for ports in ("any", "server")
                 for to in (*CLIENTS.values(), *CLIENTS6.values(), ROUTER, ROUTER6)]
    for s in strangers:
        s.send()
    end, known = time.monotonic() + wait, 0
    while time.monotonic() < end:
        for ear in (*ears, door):
            ear.hear(seen)
        if len(seen) > known:
            end, known = time.monotonic() + wait, len(seen)
        time.sleep(0.002)
    for s in strangers:
        s.close()
    for ear in ears:
        ear.sock.close()
    door.close()
    return seen
