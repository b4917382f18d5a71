# SPDX-License-Identifier: GPL-2.0
# Several uplinks, and addresses that change: what is stuck with the old one, and what is not.
from words import forward, fw, tells
TWO = ["link add lte type veth peer name eth1 netns %sg" % stage.PREFIX,
       "addr add 10.20.30.40/24 dev lte", "link set lte up"]
# the other provider lets no address pass that is not its own
OTHER = ["ip addr add 10.20.30.1/24 dev eth1 && ip link set eth1 up",
         "nft 'add table netdev f; add chain netdev f c { type filter hook ingress device eth1 "
         "priority 0; }; add rule netdev f c ip saddr != 10.20.30.0/24 drop'"]
NAT = """table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "wan" %s
    oifname "lte" %s; }; }
"""
BOTH, STATIC = NAT % ("masquerade", "masquerade"), NAT % ("snat to 203.0.113.2", "snat to 10.20.30.40")
UPLINKS = dict(ip=TWO, gdo=OTHER, nat=False, sysctl={"ipv4/conf/lte/rp_filter": 0}, may=[
    "double-nat", "one-client", "natt-unused", "needs-no-help"])
SWITCH = ["ip route replace default via 10.20.30.1"]
Scene("NAT-T stays with the address of the uplink that was, after a failover", **UPLINKS, nft=STATIC,
      before=[("c1", ["natt"])], last=SWITCH, traffic=[("c1", ["natt"])],
      find=["stale-address natt error"], cure=True, kept=["natt"],
      check=tells("stale-address", "192.168.1.2", "leaves by lte with 203.0.113.2"))
Scene("ESP stays with the address of the uplink that was, after a failover", **UPLINKS, nft=STATIC,
      before=[("c1", ["esp", "ike"])], last=SWITCH, traffic=[("c1", ["esp"])],
      find=["stale-address esp error"])
Scene("healthy: the kernel ends what is masqueraded when it leaves by another uplink", **UPLINKS,
      nft=BOTH, before=[("c1", ["natt"])], last=SWITCH, traffic=[("c1", ["natt"])])
Scene("healthy: a VPN that begins after a failover", **UPLINKS, nft=BOTH,
      before=[("c2", ["natt"])], last=SWITCH, traffic=[("c1", ["natt"])],
      find=["needs-no-help natt info"])
Scene("healthy: a VPN stays with the uplink that its connection is marked for", sysctl=UPLINKS["sysctl"], ip=[
    *TWO, "rule add priority 100 fwmark 0x2 table 77", "route add default via 10.20.30.1 table 77"],
      gdo=OTHER, nat=False, nft=BOTH + fw("""
    chain pre { type filter hook prerouting priority mangle
        ct state new iifname "lan1" udp dport 4500 ct mark set 0x2
        iifname "lan1" meta mark set ct mark }"""), before=[("c1", ["natt"])], traffic=[("c1", ["natt"])],
      find=["needs-no-help natt info"])
ONE = """table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "wan" snat to %s; }; }
"""
CHANGE = ["ip addr add 203.0.113.9/24 dev wan", "ip addr del 203.0.113.2/24 dev wan",
          "ip addr add 203.0.113.9/24 dev wan; ip route add default via 203.0.113.1",
          "nft 'flush chain ip nat post; add rule ip nat post oifname wan snat to 203.0.113.9'",
          "ip netns exec %sg nft 'add table ip f; add chain ip f o { type filter hook output priority 0; }; "
          "add rule ip f o ip daddr 203.0.113.2 drop'" % stage.PREFIX]
Scene("NAT-T stays with an address that the provider has taken back", nat=False,
      nft=ONE % "203.0.113.2", before=[("c1", ["natt"])], last=CHANGE,
      traffic=[("c1", ["natt"])], find=["stale-address natt error"], cure=True, kept=["natt"],
      check=tells("stale-address", "leaves by wan with 203.0.113.2"))
Scene("healthy: an address that is routed to this router, and a server that says nothing", nat=False,
      nft=ONE % "198.51.100.200-198.51.100.201", gip=["route add 198.51.100.200/31 via 203.0.113.2"],
      mute=["natt"], truth={"natt": "half"}, traffic=[("c1", ["natt"])])
Scene("healthy: iptables, an address that is routed to this router", nat=False, do=[
    "iptables -t nat -A POSTROUTING -o wan -j SNAT --to-source 198.51.100.200"],
      gip=["route add 198.51.100.200 via 203.0.113.2"], mute=["natt"], truth={"natt": "half"},
      traffic=[("c1", ["natt"])])

# --- answers that come by another uplink ----------------------------------------------
ASYMMETRIC = dict(ip=[*TWO, "route add default via 10.20.30.1 dev lte metric 600"], gdo=[
    OTHER[0], "sysctl -qw net.ipv4.conf.all.arp_announce=2", "ip route add 203.0.113.2/32 via 10.20.30.40 dev eth1"], nat=False, nft=BOTH)
UDP = ("ike", "natt", "esp", "l2tp", "openvpn")
for name, settings in (("at the interface", {"ipv4/conf/all/rp_filter": 0, "ipv4/conf/lte/rp_filter": 1}),
                       ("for all", {"ipv4/conf/all/rp_filter": 1, "ipv4/conf/lte/rp_filter": 0})):
    Scene(f"answers come in by another uplink, whose filter of sources is strict, {name}", **ASYMMETRIC,
          sysctl=settings, truth={k: "half" for k in UDP} | {"pptp": "lost", "web": "lost"},
          traffic=[("c1", ["natt"])], find=["reverse-path - warning"], cure=True,
          check=lambda found, rc, err: tells("reverse-path", "lte")(found, rc, err) + [
              f"loosens more: {f['commands']}" for f in found
              if f["finding"] == "reverse-path" and any("conf.all" in c for c in f["commands"])])
Scene("healthy: answers come in by another uplink, whose filter of sources is loose", **ASYMMETRIC,
      sysctl={"ipv4/conf/lte/rp_filter": 2}, traffic=[("c1", ["natt"])], find=["needs-no-help natt info"])

# --- a route with several next hops ---------------------------------------------------
def several(seed, **kw):
    """By this seed of the kernel's hash c1 goes by lte to the server, and the router by wan."""
    return dict(ip=[*TWO, "route del default", "route add default nexthop via 203.0.113.1 dev wan nexthop "
                    "via 10.20.30.1 dev lte"], gdo=OTHER[:1], nat=False, needs="a seed for routes with several ways",
                sysctl={"ipv4/conf/lte/rp_filter": 0, "ipv4/fib_multipath_hash_seed": seed}, **kw)


SEED = 4
PEER = dict(args=(stage.SERVER,), peer=("ike", "natt"), may=["double-nat", "host-answers", "host-refuses"])
Scene("HOST: one of two next hops drops ESP", **several(SEED), **PEER, truth={"esp": "lost"}, cure=True,
      nft=BOTH + forward('oifname "lte" meta l4proto esp drop'), find=["nft-drop esp error"])
Scene("HOST: one of two next hops is a small path", **several(SEED), **PEER, nft=BOTH,
      last=["ip link set lte mtu 1000"], find=["small-mtu - warning"], check=tells("small-mtu", "lte", "1000"))
Scene("healthy: HOST: two next hops, and a rule about a third", **several(SEED), **PEER, nft=BOTH + forward(
    'oifname "dsl" meta l4proto esp drop'))
Scene("a line out that takes small packets alone", last=["ip link set wan mtu 1000"],
      find=["small-mtu - warning"], check=tells("small-mtu", "wan", "1000"))
Scene("healthy: a line out of PPPoE's size", last=["ip link set wan mtu 1492"])
