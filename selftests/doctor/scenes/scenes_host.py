# SPDX-License-Identifier: GPL-2.0
# vpnpass doctor HOST: the way, the rules, and what comes back, in words. The server
# of the scenes says nothing that a VPN would understand; peers/vpn_responder.py does.
from words import FWD, lost, tells
HOST = (stage.SERVER,)
CLIENT = (stage.SERVER, "from", "192.168.1.2")
ALL = ("ike", "natt", "pptp", "l2tp", "openvpn")


def answers(*protos):
    return ["host-answers %s info" % p for p in protos]


Scene("HOST: it answers everything", args=HOST, peer=ALL, kinds=(), find=answers(*ALL), code=0)
Scene("HOST: it answers everything, for a client", args=CLIENT, peer=ALL, kinds=(),
      find=answers(*ALL), code=0)
Scene("HOST: only IKE and NAT-T", args=HOST, peer=("ike", "natt=refuse"), kinds=(), code=0, find=[
    *answers("ike", "natt"), "host-refuses pptp info", "host-refuses l2tp info",
    "host-refuses openvpn info"])
Scene("HOST: nothing there, and it says so", args=HOST, shut=True, kinds=(), code=3, find=[
    "host-refuses %s warning" % p for p in ALL], check=tells("host-refuses", stage.SERVER, "itself"))
Scene("HOST: silent", args=HOST, kinds=(), gdo=[
    "nft 'add table ip deaf; add chain ip deaf in { type filter hook input priority 0; policy drop; }'"],
      find=["host-silent %s warning" % p for p in ALL], code=3)
Scene("HOST: somebody before it says no", args=HOST, kinds=(), peer=("natt",), gdo=[
    "nft 'add table ip no; add chain ip no in { type filter hook input priority 0; }; "
    "add rule ip no in ip daddr 198.51.100.1 udp dport 500 reject with icmp admin-prohibited'",
    "ip addr del 198.51.100.1/32 dev lo", "ip addr add 198.51.100.1/32 dev lo"],
      find=answers("natt") + ["host-refuses ike *", "host-refuses pptp *", "host-refuses l2tp *",
                              "host-refuses openvpn *"])
Scene("HOST: a route of type blackhole", args=HOST, ip=["route add blackhole 198.51.100.1"],
      truth=lost(*stage.USUAL), find=["route-blocked - error"], code=3)
Scene("HOST: a route of type prohibit", args=HOST, ip=["route add prohibit 198.51.100.0/24"],
      truth=lost(*stage.USUAL), find=["route-blocked - error"])
Scene("HOST: no route", args=HOST, ip=["route del default"], truth=lost(*stage.USUAL),
      find=["no-route - error"], may=["no-default-route"])
Scene("HOST: a rule of policy routing by the port", args=HOST, peer=ALL, ip=[
    "rule add priority 50 ipproto udp dport 4500 prohibit"], kinds=("ike", "natt", "esp"),
      truth=lost("natt"), find=["route-blocked - error", "host-refuses natt *",
                                *answers("ike", "pptp", "l2tp", "openvpn")])
Scene("HOST: the client's own table has no way", args=CLIENT, peer=ALL, ip=[
    "rule add priority 50 iif lan1 unreachable"], truth=lost(*stage.USUAL),
      find=["no-route - error", *answers(*ALL)])
Scene("HOST: an IPsec policy blocks", args=HOST, do=[
    "ip xfrm policy add dir out src 0.0.0.0/0 dst 198.51.100.1/32 action block",
    "ip xfrm policy add dir fwd src 0.0.0.0/0 dst 198.51.100.1/32 action block"],
      truth=lost(*stage.USUAL), find=["route-blocked - error"],
      may=["host-refuses", "host-silent"])
Scene("HOST: a small path", args=HOST, peer=ALL, ip=["route add 198.51.100.1 via 203.0.113.1 mtu 1000"],
      find=["small-mtu - warning", *answers(*ALL)])
Scene("HOST: a rule drops what goes to it", args=HOST, peer=ALL, nft="""table inet fw {
    chain forward { %s policy accept
        ip daddr 198.51.100.1 udp dport 500 drop; }
}
""" % FWD, truth=lost("ike"), find=["nft-drop ike error", *answers(*ALL)], cure=True)
Scene("HOST: a blocklist has it", args=HOST, peer=ALL, nft="""table inet fw {
    set bad { type ipv4_addr; flags interval; elements = { 198.51.100.0/24, 192.0.2.0/24 }; }
    chain forward { %s policy accept
        ip daddr @bad drop; }
}
""" % FWD, truth=lost(*stage.USUAL), find=["nft-drop - error", *answers(*ALL)], cure=True)
Scene("HOST: a rule about another host", args=HOST, peer=ALL, nft="""table inet fw {
    chain forward { %s policy accept
        ip daddr 198.51.100.2 drop
        ip saddr 192.168.1.9 meta l4proto esp drop; }
}
""" % FWD, find=answers(*ALL), code=0)
Scene("HOST: a rule about this client alone", args=CLIENT, peer=ALL, nft="""table inet fw {
    chain forward { %s policy accept
        ip saddr 192.168.1.2 meta l4proto esp drop; }
}
""" % FWD, truth=lost("esp"), find=["nft-drop esp error", *answers(*ALL)], cure=True)
Scene("HOST: a rule about another client", args=(stage.SERVER, "from", "192.168.2.2"), peer=ALL,
      nft="""table inet fw {
    chain forward { %s policy accept
        ip saddr 192.168.1.2 meta l4proto esp drop; }
}
""" % FWD, truth=lost("esp"), find=answers(*ALL), code=0)
Scene("HOST: this router drops the answers itself", args=HOST, peer=ALL, nft="""table inet fw {
    chain in { type filter hook input priority filter; policy drop
        iifname "lo" accept
        tcp sport 1723 accept; }
}
""", find=["answers-dropped ike error", "answers-dropped natt error", "answers-dropped l2tp error",
           "answers-dropped openvpn error", *answers("pptp")],
      check=tells("answers-dropped", "the policy of table inet fw, chain in", stage.SERVER))
Scene("HOST: this router drops an answer by a rule with a set", args=HOST, peer=ALL,
      nft="""table inet fw {
    set late { type ipv4_addr . inet_proto; elements = { 198.51.100.1 . udp }; }
    chain in { type filter hook input priority filter; policy accept
        ct state established udp sport 4500 ip saddr . meta l4proto @late drop; }
}
""", find=["answers-dropped natt error", "host-answers ike", *answers("pptp", "l2tp", "openvpn")],
      may=["nft-drop natt"])
Scene("HOST: this router drops its own question", args=HOST, peer=ALL, nft="""table inet fw {
    chain out { type filter hook output priority filter; policy accept
        meta l4proto udp ip daddr 198.51.100.0/24 udp dport 1701 drop; }
}
""", find=["nft-drop l2tp", *answers("ike", "natt", "pptp", "openvpn")])
Scene("HOST: two faults, a rule and a dead service", args=HOST, peer=("natt", "openvpn"), nft="""table inet fw {
    chain forward { %s policy accept
        meta l4proto esp drop; }
}
""" % FWD, truth=lost("esp"), find=["nft-drop esp error", *answers("natt", "openvpn")],
      may=["host-refuses"], cure=True)
Scene("HOST: strangers may not ask", args=HOST, peer=ALL, kinds=(), code=2, user=65534,
      find=answers(*ALL), may=["not-examined"])


def lose(rule):
    return ["nft 'add table netdev isp; add chain netdev isp c { type filter hook ingress device eth0 "
            "priority 0; }; add rule netdev isp c %s drop'" % rule]


for how in ((), ("ike",), ("natt",)):
    names = how or ("ike", "natt")
    REFUSED = ["host-refuses %s info" % p for p in ALL if p not in names]
    by = ", ".join(names)
    Scene(f"HOST: packets of IKE that are large are lost on the way ({by})", args=HOST, peer=names,
          gdo=lose("meta length > 1300"), find=[*answers(*names), *REFUSED, f"large-lost {names[-1]} warning"],
          check=tells("large-lost", "1400 bytes in one packet"))
    Scene(f"HOST: fragments of IKE are lost on the way ({by})", args=HOST, peer=names,
          gdo=lose("ip frag-off & 0x3fff != 0"),
          find=[*answers(*names), *REFUSED, f"large-lost {names[-1]} warning"],
          check=tells("large-lost", "1900 bytes in two fragments"))
Scene("healthy: HOST: the line takes small packets alone, and the kernel heeds it", args=HOST, peer=("ike", "natt"),
      gip=["link set eth0 mtu 1280"], ip=["link set wan mtu 1280"], code=0,
      find=[*answers("ike", "natt"), *("host-refuses %s info" % p for p in ("pptp", "l2tp", "openvpn"))])
