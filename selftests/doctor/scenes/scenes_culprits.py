# SPDX-License-Identifier: GPL-2.0
# The usual three culprits in more disguises: a firewall of this router's, the provider, and
# a second NAT. Other files have the plain ones; docs/doctor-scenes.md has a table of all.
from words import FWD, forward, half, lost, tells, wan
RAW = "type filter hook prerouting priority raw;"
USUAL = stage.USUAL


# --- this router's firewall -------------------------------------------------------
Scene("local: ESP is not tracked, so that it leaves untranslated", truth=half("esp"), nft="""
table inet fw { chain pre { %s
    iifname "lan*" meta l4proto esp notrack; }; }
""" % RAW, gip=["route del 192.168.0.0/16"], find=["nft-notrack esp error"], cure=True)
Scene("local: IKE and NAT-T are not tracked, by one rule", truth=half("ike", "natt"), nft="""
table inet fw { chain pre { %s
    udp dport { 500, 4500 } notrack; }; }
""" % RAW, gip=["route del 192.168.0.0/16"], find=["nft-notrack ike error", "nft-notrack natt error"], cure=True)
Scene("local: what is not tracked is dropped", truth=lost("natt"), nft="""
table inet fw {
    chain pre { %s
        udp dport 4500 notrack }
    chain forward { %s policy accept
        ct state { invalid, untracked } drop; }
}
""" % (RAW, FWD), find=["nft-notrack natt error", "nft-drop natt error"], check=lambda found, rc, err: [
          f"not safe: {f['commands']}" for f in found if f["finding"] == "nft-notrack" and f["commands"]])
Scene("healthy: what is invalid is dropped, and VPNs are not", nft=forward("ct state invalid drop"))
Scene("healthy: DNS is not tracked, and what is not tracked is dropped", nft="""
table inet fw {
    chain pre { %s
        udp dport 53 notrack }
    chain forward { %s policy accept
        ct state untracked drop; }
}
""" % (RAW, FWD))
Scene("local: a limit lets one packet a day through", before=[("c1", ["esp"])] * 3, kinds=("ike", "web"),
      nft=forward("meta l4proto esp limit rate over 1/day burst 1 packets counter drop"),
      find=["nft-drop esp warning"], may=["one-client"], check=tells("nft-drop", "has dropped"))
Scene("local: a quota that is used up", truth=lost("esp"), needs="nft_quota",
      before=[("c1", ["esp"])] * 2,
      nft=forward("meta l4proto esp quota over 1 bytes counter drop"), find=["nft-drop esp warning"])
Scene("local: closed at all hours", truth=lost("ike"), before=[("c1", ["ike"])],
      nft=forward('udp dport 500 meta day { 0, 1, 2, 3, 4, 5, 6 } counter drop'),
      find=["nft-drop ike warning"], check=tells("nft-drop", "has dropped"))
Scene("local: senders of IKE are put on a list, and dropped", truth=lost("ike"),
      before=[("c1", ["ike"])], nft=forward(
          "udp dport 500 add @seen { ip saddr timeout 1h } counter drop", extra="""
    set seen { type ipv4_addr; flags dynamic, timeout; size 64; }"""), find=["nft-drop ike *"])
Scene("local: only so many connections", truth=lost("natt"), before=[("c1", ["natt"])],
      needs="nft_connlimit", nft=forward("udp dport 4500 ct count over 0 counter drop"),
      find=["nft-drop natt warning"])
Scene("healthy: a limit, a quota and a count that are far away", needs="nft_quota", nft=forward(
    "meta l4proto esp limit rate over 9000/second burst 900 packets counter drop\n"
    "udp dport 500 quota over 9000 mbytes counter drop"), before=[("c1", ["ike", "esp"])],
      find=["one-client esp info", "natt-unused ike info"])
Scene("local: where it leaves by an interface", truth=lost("esp"), needs="egress", nft="""
table netdev n {
    chain e { type filter hook egress device "wan" priority 0; ip protocol esp drop; }
}
""", find=["nft-drop esp error"], cure=True)
BRIDGE = ["link add br0 type bridge", "addr flush dev lan1", "link set lan1 master br0",
          "link set br0 up", "addr add 192.168.1.1/24 dev br0"]
Scene("healthy: the LAN is a bridge", ip=BRIDGE)
Scene("local: in the bridge that the LAN is", ip=BRIDGE, needs="nf_tables_bridge", truth=lost("esp"), nft="""
table bridge b { chain pre { type filter hook prerouting priority 0;
    ip protocol esp drop; }; }
""", find=["nft-drop esp error"], cure=True)
Scene("local: in the bridge, where it comes in to be routed, by a set", ip=BRIDGE, needs="nf_tables_bridge",
      truth=lost("ike", "natt"), nft="""
table bridge b { chain in { type filter hook input priority 0;
    iifname "lan1" udp dport { 500, 4500 } drop; }; }
""", find=["nft-drop ike error", "nft-drop natt error"], cure=True)
Scene("local: in the bridge, answers", ip=BRIDGE, needs="nf_tables_bridge", truth=half("natt"), nft="""
table bridge b { chain out { type filter hook output priority 0;
    oifname "lan1" udp sport 4500 drop; }; }
""", args=(stage.SERVER,), find=["nft-drop natt error"], may=["host-silent", "host-refuses"], cure=True)
Scene("local: at a port of the bridge", ip=BRIDGE, truth=lost("esp"), nft="""
table netdev n {
    chain i { type filter hook ingress device "lan1" priority 0; ip protocol esp drop; }
}
""", find=["nft-drop esp error"], cure=True)
Scene("healthy: a bridge drops what it bridges", ip=BRIDGE, needs="nf_tables_bridge", nft="""
table bridge b { chain f { type filter hook forward priority 0; policy drop; }; }
""")
Scene("healthy: a bridge drops others", ip=BRIDGE, needs="nf_tables_bridge", nft="""
table bridge b { chain in { type filter hook input priority 0;
    iifname "lan9" drop
    ip protocol ospf drop
    ether type ip6 drop; }; }
""")
MARKED = """
table inet fw { chain pre { type filter hook prerouting priority mangle;
    meta l4proto esp meta mark set 0x66; }; }
"""
Scene("local: a mark sends ESP into a hole", args=(stage.SERVER,), truth=lost("esp"), nft=MARKED,
      ip=["rule add priority 100 fwmark 0x66 blackhole"], find=["route-blocked - error"],
      may=["host-silent", "host-refuses"], check=tells("route-blocked", "ESP", "marks with 0x66"))
Scene("healthy: a mark has a table of its own", args=(stage.SERVER,), nft=MARKED, shut=True,
      kinds=(), ip=["rule add priority 100 fwmark 0x66 table 77",
                    "route add default via 203.0.113.1 table 77"], may=["host-refuses"])

# --- the provider -------------------------------------------------------------------
def isp(rule, hook="input"):
    return ["nft 'add table ip isp; add chain ip isp c { type filter hook %s priority 0; }; "
            "add rule ip isp c %s'" % (hook, rule)]


PING = ("c1", ["ike", "natt"])
Scene("provider: 4500 alone, while 500 is answered", gdo=isp("udp dport 4500 drop"),
      truth=lost("natt"), traffic=[PING], find=["path-silent natt error"])
Scene("provider: ESP alone, while IKE is answered", gdo=isp("meta l4proto esp drop"),
      truth=lost("esp"), traffic=[("c1", ["ike", "esp"])],
      find=["path-silent esp error", "natt-unused ike info"])
Scene("provider: GRE alone, while PPTP's control connection is answered", gdo=isp("meta l4proto gre drop"),
      kinds=("pptp", "gre"), truth=lost("gre"), traffic=[("c1", ["pptp", "gre"])],
      find=["path-silent pptp error"])
Scene("provider: only the answers of OpenVPN", gdo=isp("udp sport 1194 drop", "output"),
      truth=half("openvpn"), traffic=[("c1", ["openvpn"])], find=["path-silent openvpn error"])
Scene("provider: IKE is refused as prohibited", truth=lost("ike"),
      gdo=isp("udp dport 500 reject with icmp type admin-prohibited"), traffic=[("c1", ["ike"])],
      find=["path-refused ike error"],
      check=tells("path-refused", "198.51.100.1", "administratively prohibited"))
Scene("provider: a port is refused as if nobody were there", truth=lost("openvpn"),
      gdo=isp("udp dport 1194 reject"), traffic=[("c1", ["openvpn"])],
      find=["path-refused openvpn error"], check=tells("path-refused", "port unreachable"))
# A VPN that fell silent is neither said to work nor called silent: it may have nothing to say.
Scene("provider: NAT-T after its first packets", mute=["ike"], kinds=("web",),
      before=[("c1", ["natt"])], gdo=isp("udp dport 4500 quota over 100 bytes drop"),
      needs="nft_quota", traffic=[("c1", ["natt", "ike"])], find=["path-silent ike error"])
Scene("provider: nothing large, which small packets do not show", gdo=isp("meta length > 1000 drop"),
      traffic=[("c1", ["ike", "natt"])], find=["needs-no-help natt info"])
Scene("provider: all of a VPN's, and the Web is answered", truth=lost("ike", "natt", "esp", "pptp", "l2tp", "openvpn"),
      gdo=isp("ip protocol != tcp drop; add rule ip isp c tcp dport 1723 drop"),
      traffic=[("c1", ["ike", "natt", "esp", "pptp", "l2tp", "openvpn", "web"])],
      find=["path-silent %s error" % p for p in ("ike", "natt", "esp", "pptp", "l2tp", "openvpn")])

# --- a second NAT -----------------------------------------------------------------------
Scene("second NAT: a modem in router mode", find=["double-nat - warning"], **wan("10.0.0.15"))
Scene("second NAT: a network of 172.16/12", find=["double-nat - warning"], **wan("172.31.9.4"))
Scene("second NAT: a telephone's", find=["double-nat - warning"], **wan(
    "192.168.43.20", "link set wan down", "link set wan name usb0", "link set usb0 up",
    "route add default via 192.168.43.1 dev usb0"), nat=False, nft="""
table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "usb0" masquerade; }; }
""")
Scene("second NAT: the end of the carrier's range", find=["cgnat - warning"], **wan("100.127.255.9"))
Scene("second NAT: behind one of two uplinks", kinds=(), needs="routes with several ways", nat=False, nft="""
table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname { "wan", "lte" } masquerade; }; }
""", ip=["link add lte type veth peer name ltep", "addr add 10.20.30.40/24 dev lte", "link set lte up",
         "link set ltep up", "route del default",
         "route add default nexthop via 203.0.113.1 dev wan nexthop via 10.20.30.1 dev lte"],
      find=["double-nat - warning"], check=tells("double-nat", "lte", "10.20.30.40"))
for address in ("172.32.0.7", "100.128.0.7", "192.169.1.7", "11.0.0.7"):
    Scene(f"healthy: {address}, which only looks like another NAT's", **wan(address))

# --- two of them at once -----------------------------------------------------------------
NO_ESP = forward("meta l4proto esp drop")
NO_IKE = forward("udp dport 500 drop")
HOME = forward('ct state established,related accept\niifname "lan*" oifname "wan" accept', policy="drop")
Scene("two faults: a rule drops ESP, and the provider IKE", nft=NO_ESP, gdo=isp("udp dport 500 drop"),
      truth=lost("esp", "ike"), traffic=[("c1", ["ike", "esp"])],
      find=["nft-drop esp error", "path-silent ike error"])
Scene("two faults: a rule drops IKE, and there is a second NAT", nft=NO_IKE, truth=lost("ike"),
      find=["nft-drop ike error", "double-nat - warning"], cure=True, **wan("192.168.178.20"))
Scene("two faults: the provider drops NAT-T, and translates", gdo=isp("udp dport 4500 drop"),
      truth=lost("natt"), traffic=[("c1", ["natt"])],
      find=["path-silent natt error", "cgnat - warning"], **wan("100.64.3.4"))
Scene("two faults: the provider drops ESP, and refuses IKE", truth=lost("esp", "ike"),
      gdo=isp("meta l4proto esp drop; add rule ip isp c udp dport 500 reject with icmp type admin-prohibited"),
      traffic=[("c1", ["ike", "esp"])], find=["path-silent esp error", "path-refused ike error"])
Scene("two faults: nothing is forwarded, and a rule drops ESP", nft=HOME.replace(
    "ct state", "meta l4proto esp drop\nct state"), sysctl={"ipv4/ip_forward": 0}, truth=lost(*USUAL),
      find=["forwarding-off - error", "nft-drop esp error"], cure=True)
Scene("two faults: one LAN is not forwarded, and a rule drops IKE", nft=NO_IKE,
      sysctl={"ipv4/conf/lan2/forwarding": 0}, truth=lost("ike"),
      find=["forwarding-off - warning", "nft-drop ike error"], cure=True)
Scene("two faults: there is no NAT, and a rule drops IKE", nat=False, nft=NO_IKE,
      gip=["route del 192.168.0.0/16"], truth=half("natt", "esp", "l2tp", "openvpn") | lost("ike", "pptp", "web"),
      find=["no-nat - error", "nft-drop ike error"], cure=True)
Scene("two faults: the bridge drops ESP, and a rule behind it IKE", ip=BRIDGE, needs="nf_tables_bridge", nft=NO_IKE + """
table bridge b { chain pre { type filter hook prerouting priority 0;
    ip protocol esp drop; }; }
""", truth=lost("esp", "ike"), find=["nft-drop esp error", "nft-drop ike error"], cure=True)
Scene("two faults: a client sends AH, and a rule drops IKE", nft=NO_IKE, truth=lost("ike"),
      traffic=[("c1", ["ah"])], find=["ah ah error", "nft-drop ike error"], cure=True)
Scene("two faults: two clients of native ESP, and a rule drops IKE", nft=NO_IKE, truth=lost("ike"),
      traffic=[("c1", ["esp"]), ("c2", ["esp"])], find=["nat-clash esp error", "nft-drop ike error"])
Scene("two faults: a small path, and a blocklist", args=(stage.SERVER,), shut=True, nft=forward(
    "ip daddr @bad drop", extra="set bad { type ipv4_addr; elements = { 198.51.100.1 }; }"),
      ip=["route add 198.51.100.1 via 203.0.113.1 mtu 1000"], kinds=("ike",), truth=lost("ike"),
      find=["small-mtu - warning", "nft-drop - error"], may=["host-refuses"])
Scene("two faults: NAT-T is not tracked, and OpenVPN is dropped", gip=["route del 192.168.0.0/16"],
      truth=half("natt") | lost("openvpn"), nft=forward("udp dport 1194 drop", extra="""
    chain pre { %s
        iifname "lan*" udp dport 4500 notrack }""" % RAW),
      find=["nft-notrack natt error", "nft-drop openvpn warning"], cure=True)
