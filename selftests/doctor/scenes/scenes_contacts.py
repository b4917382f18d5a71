# SPDX-License-Identifier: GPL-2.0
# The doctor is asked about nobody, and judges the gateways that clients had to do with lately:
# those that have connections, and those that clients are heard asking.
from words import FWD, forward, fw, half, lost, says, tells
USUAL = stage.USUAL
C1, SERVER = "192.168.1.2", stage.SERVER
LIST = """
    set bad { type ipv4_addr; flags interval; elements = { 203.0.113.128/25, %s }; }"""

# --- rules ------------------------------------------------------------------------
Scene("a blocklist has the gateway that a client asks", traffic=[("c1", ["ike"])], truth=lost(*USUAL),
      nft=forward("ip daddr @bad drop", extra=LIST % "198.51.100.0/24"), find=["nft-drop - error"],
      check=lambda found, rc, err: tells("nft-drop", f"of {C1} with {SERVER}")(found, rc, err) + [
          f"not for it alone: {c}" for f in found if f["finding"] == "nft-drop" for c in f["commands"]
          if c.count("accept") != c.count("addr " + SERVER)])
Scene("healthy: a blocklist has other gateways", traffic=[("c1", ["ike"])],
      nft=forward("ip daddr @bad drop", extra=LIST % "198.51.100.2"))
Scene("healthy: a blocklist, and nobody asks", nft=forward("ip daddr @bad drop", extra=LIST % SERVER),
      truth=lost(*USUAL))
Scene("a blocklist before connection tracking has the gateway", traffic=[("c1", ["natt"])],
      truth=lost(*USUAL), find=["nft-drop - error"], check=tells("nft-drop", f"of {C1} with {SERVER}"),
      nft=fw(LIST % SERVER + """
    chain pre { type filter hook prerouting priority raw
        ip daddr @bad counter drop }"""))
Scene("one client may not use IKE", traffic=[("c1", ["ike"])], truth=lost("ike"),
      nft=forward(f"ip saddr {C1} udp dport 500 drop"), find=["nft-drop ike error"], cure=True,
      check=tells("nft-drop", f"of {C1} with {SERVER}"))
Scene("healthy: another client may not use IKE", traffic=[("c1", ["ike"])],
      nft=forward("ip saddr 192.168.1.77 udp dport 500 drop"))
Scene("healthy: guests may not ask the gateway that others use", traffic=[("c1", ["ike"])],
      nft=forward(f'iifname "lan2" ip daddr {SERVER} drop'))
Scene("iptables: a rule about the gateway that a client asks", traffic=[("c1", ["openvpn"])],
      do=[f"iptables -A FORWARD -d {SERVER} -p udp -j REJECT"], truth=lost("ike", "natt", "l2tp", "openvpn"),
      find=["nft-drop openvpn warning"], check=says(f"iptables -I FORWARD 1 -i lan1 -o wan -d {SERVER}"))

# --- IPsec policies of the router's -------------------------------------------------
def xfrm(*policies, family=""):
    return ["ip %s xfrm policy add %s" % (family, p) for p in policies]


Scene("an IPsec policy blocks all ESP that is forwarded", truth=lost("esp"), find=["route-blocked esp error"],
      do=xfrm("dir fwd src 0.0.0.0/0 dst 0.0.0.0/0 proto esp action block"),
      check=tells("route-blocked", "dir fwd", "ESP"))
Scene("an IPsec policy of IPv6 blocks IKE", truth=lost("ike6"), six=True, find=["route-blocked ike error"],
      do=xfrm("dir out src ::/0 dst 2000::/3 proto udp dport 500 action block priority 5", family="-6"),
      kinds=("ike", "natt", "esp"), may=["route-blocked"])
Scene("an IPsec policy blocks the answers of NAT-T", truth=half("natt"), find=["route-blocked natt error"],
      do=xfrm("dir out src 0.0.0.0/0 dst 192.168.0.0/16 proto udp sport 4500 action block"),
      check=tells("route-blocked", "the answers of", "NAT-T"))
Scene("an IPsec policy blocks the gateway that a client uses", before=[("c1", ["natt"])], kinds=("web",),
      last=xfrm(f"dir fwd src 192.168.1.0/24 dst {SERVER} action block"), may=["needs-no-help natt"],
      find=["route-blocked - error"], check=tells("route-blocked", SERVER))
Scene("healthy: IPsec policies block others, or come behind one that allows", before=[("c1", ["ike"])], do=xfrm(
    "dir fwd src 10.9.0.0/16 dst 0.0.0.0/0 action block",
    "dir fwd src 0.0.0.0/0 dst 192.0.2.0/24 action block",
    "dir fwd src 0.0.0.0/0 dst 0.0.0.0/0 proto tcp dport 25 action block",
    "dir in src 0.0.0.0/0 dst 0.0.0.0/0 proto esp action block",
    "dir fwd src 0.0.0.0/0 dst 0.0.0.0/0 proto esp action block mark 0x7 mask 0xff",
    "dir fwd src 192.168.0.0/16 dst 0.0.0.0/0 action allow priority 10",
    "dir fwd src 0.0.0.0/0 dst 203.0.113.2 action allow priority 10",
    "dir fwd src 0.0.0.0/0 dst 0.0.0.0/0 proto udp action block priority 2000"))
Scene("healthy: HOST: IPsec policies block mail, and other clients", args=(SERVER,), peer=("ike", "natt"), do=xfrm(
    f"dir fwd src 0.0.0.0/0 dst {SERVER} proto tcp dport 25 action block",
    f"dir fwd src 10.9.0.0/16 dst {SERVER} action block"), may=["host-answers", "host-refuses"])

# --- routes -----------------------------------------------------------------------
USED = dict(before=[("c1", ["natt"])], may=["needs-no-help natt"])
Scene("a gateway that a client uses gets a route of type blackhole", **USED,
      last=[f"ip route add blackhole {SERVER}"], find=["route-blocked - error"],
      check=tells("route-blocked", SERVER, C1))
Scene("a gateway that a client uses gets no route by a mark", **USED, nft=fw("""
    chain pre { type filter hook prerouting priority mangle
        meta mark set 0x66 }"""), last=["ip rule add priority 100 fwmark 0x66 prohibit"],
      find=["route-blocked - error"])
Scene("NAT-T with a gateway that a client uses is prohibited by its port", **USED,
      last=["ip rule add priority 100 ipproto udp dport 4500 prohibit"],
      find=["route-blocked - error"], check=tells("route-blocked", "NAT-T"))
Scene("healthy: what no rule marks may not leave, and all is marked", **USED, nft=fw("""
    chain pre { type filter hook prerouting priority mangle
        iifname "lan*" meta mark set 0x10 }"""),
      ip=["rule add priority 100 fwmark 0x10 table 77", "route add default via 203.0.113.1 table 77",
          "rule add priority 110 iif lan1 unreachable", "rule add priority 111 iif lan2 unreachable"])
Scene("healthy: a mark of the connection's that is not known chooses the way", **USED, nft=fw("""
    chain pre { type filter hook prerouting priority mangle
        ct mark set numgen random mod 2 offset 0x10
        meta mark set ct mark }"""), needs="nft_numgen",
      ip=["rule add priority 110 fwmark 0x12 unreachable"])
Scene("a rule of policy routing refuses ESP", ip=["rule add priority 50 ipproto esp blackhole"],
      truth=lost("esp"), find=["route-blocked esp error"], check=tells("route-blocked", "rule 50", "ESP"))
Scene("HOST: a rule of policy routing refuses GRE that comes from a LAN", args=(SERVER,), peer=("ike",),
      ip=[f"rule add priority 50 iif lan1 to {SERVER} ipproto gre prohibit"], kinds=("ike", "gre"),
      truth=lost("gre"), find=["route-blocked pptp error"], may=["host-answers", "host-refuses"])
HALF = half("esp")
Scene("a rule of policy routing refuses the answers of ESP", truth=HALF, find=["route-blocked esp error"],
      ip=["rule add priority 50 iif wan to 192.168.0.0/16 ipproto esp prohibit"],
      check=tells("route-blocked", "rule 50", "the answers of", "ESP"))
Scene("a rule of policy routing of IPv6 refuses ESP", six=True, truth=lost("esp6"),
      do=["ip -6 rule add priority 50 ipproto esp blackhole"], find=["route-blocked esp error"],
      check=tells("route-blocked", "rule 50", "ip -6 rule", "ESP"))
Scene("a rule of policy routing of IPv6 refuses the answers of ESP", six=True, truth=half("esp6"),
      do=["ip -6 rule add priority 50 iif wan ipproto esp prohibit"], find=["route-blocked esp error"],
      check=tells("route-blocked", "rule 50", "ip -6 rule", "the answers of"))
Scene("answers of NAT-T with a gateway that a client uses are prohibited by their port", **USED,
      last=["ip rule add priority 50 iif wan ipproto udp sport 4500 prohibit"], find=["route-blocked - error"],
      check=tells("route-blocked", f"what goes to {C1}", SERVER, "NAT-T"))
Scene("HOST: a LAN's IKE alone is prohibited by its port", args=(SERVER,), peer=("ike", "natt"), truth=lost("ike"),
      ip=["rule add priority 50 iif lan1 ipproto udp dport 500 prohibit"], find=["route-blocked - error"],
      may=["host-answers", "host-refuses"], check=tells("route-blocked", "lan1", "IKE"))
Scene("HOST of IPv6: its answers are kept from a LAN by a rule of routing", args=(stage.SERVER6,), six=True,
      do=["ip -6 rule add priority 50 iif wan to 2001:db8:1::/64 prohibit"], truth=half(
          "ike6", "natt6", "esp6", "l2tp6", "openvpn6") | lost("pptp6", "web6"),
      find=["route-blocked - error"], may=["host-silent", "host-answers", "host-refuses", "route-blocked"],
      check=tells("route-blocked", "lan1", "the answers of"))
Scene("a mark has ESP refused by a rule of policy routing", truth=lost("esp"), nft=fw("""
    chain pre { type filter hook prerouting priority mangle
        iifname "lan1" meta l4proto esp meta mark set 0x9 }"""), find=["route-blocked esp error"],
      ip=["rule add priority 50 fwmark 0x9/0xff ipproto esp prohibit"])
Scene("healthy: a rule of policy routing refuses what one before it sends on its way", six=True, do=[
    "for i in 1 2; do ip rule add priority 40 iif lan$i ipproto esp table 77; done",
    "ip route add default via 203.0.113.1 table 77; ip rule add priority 45 iif wan lookup main",
    "ip rule add priority 50 ipproto esp prohibit; ip rule add priority 40000 ipproto gre prohibit",
    "ip -6 rule add priority 40 iif lan1 table 77; ip -6 rule add priority 40 iif lan2 table 77",
    "ip -6 route add default via 2001:db8:f::1 table 77",
    "ip -6 rule add priority 41 iif wan lookup main",
    "ip -6 rule add priority 50 ipproto esp blackhole"], kinds=("esp", "ike"))
Scene("healthy: rules of policy routing of IPv6 refuse what others have", six=True, do=[
    "ip -6 rule add priority 50 from 2001:db8:77::/48 ipproto esp blackhole",
    "ip -6 rule add priority 51 fwmark 0x9 ipproto gre blackhole",
    "ip -6 rule add priority 52 iif wan to 2001:db8:88::/48 ipproto esp prohibit",
    "ip -6 rule add priority 53 not iif wan ipproto esp lookup main"])
Scene("healthy: rules of policy routing refuse what others have", ip=[
    "rule add priority 50 from 192.168.77.0/24 ipproto esp blackhole",
    "rule add priority 51 ipproto sctp prohibit", "rule add priority 52 fwmark 0x9 ipproto gre blackhole",
    "rule add priority 53 to 192.0.2.0/24 ipproto esp unreachable"])
