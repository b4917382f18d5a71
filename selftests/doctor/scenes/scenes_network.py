# SPDX-License-Identifier: GPL-2.0
# What kind of line the router is on, and what is no fault of it.
from words import lost, wan_lines
USUAL = stage.USUAL
HOME = """table inet fw { chain forward { type filter hook forward priority filter; policy drop
    ct state established,related accept
    iifname "lan*" oifname "wan" accept; }
}
"""
# --- healthy lines ---------------------------------------------------------------
Scene("healthy: a public address and a default route")
Scene("a private address: another NAT is before it", ip=wan_lines("192.168.178.20"),
      gip=["addr add 192.168.178.1/24 dev eth0"], find=["double-nat - warning"])
Scene("a carrier's address", ip=wan_lines("100.64.3.4"), gip=["addr add 100.64.3.1/24 dev eth0"],
      find=["cgnat - warning"])
Scene("healthy: PPPoE beside the modem's address", ip=[
    "addr flush dev wan", "addr add 203.0.113.2/24 dev wan", "route add default via 203.0.113.1",
    "link add eth9 type veth peer name modem", "addr add 192.168.100.2/24 dev eth9",
    "link set eth9 up", "link set modem up",
    "route add default via 192.168.100.1 dev eth9 metric 500"],
      nat=False, nft="""table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname { "wan", "eth9" } masquerade; }; }
""")
Scene("healthy: the modem's address on the same interface", ip=["addr add 192.168.100.2/24 dev wan"])
Scene("healthy: wg-quick beside the line", tun=["wg0"], ip=[
    "addr add 10.66.0.2/32 dev wg0", "link set wg0 up", "rule add priority 32764 not fwmark 0xca6c table 51820",
    "rule add priority 32763 table main suppress_prefixlength 0",
    "route add default dev wg0 table 51820"], kinds=())
Scene("healthy: a WireGuard server on the router", tun=["wg0"], ip=[
    "addr add 10.66.0.1/24 dev wg0", "link set wg0 up"])
Scene("healthy: Tailscale", tun=["tailscale0"], ip=[
    "addr add 100.101.102.103/32 dev tailscale0", "link set tailscale0 up",
    "route add 100.64.0.0/10 dev tailscale0 table 52", "rule add priority 5270 table 52"],
      nft="""table ip filter { chain ts-forward {
        iifname "tailscale0" meta mark set mark and 0xff00ffff xor 0x40000
        meta mark and 0xff0000 == 0x40000 accept
        oifname "tailscale0" ip saddr 100.64.0.0/10 drop
        oifname "tailscale0" accept; }
    chain FORWARD { type filter hook forward priority filter; policy accept
        jump ts-forward; }
}
table ip tsnat { chain post { type nat hook postrouting priority srcnat
        meta mark and 0xff0000 == 0x40000 masquerade; }
}
""")
Scene("healthy: Tailscale's exit node is used", tun=["tailscale0"], ip=[
    "addr add 100.101.102.103/32 dev tailscale0", "link set tailscale0 up",
    "route add default dev tailscale0 table 52", "rule add priority 5270 fwmark 0x1 table 52"])
Scene("healthy: DS-Lite", tun=["ds-wan"], ip=[
    "addr add 192.0.0.2/29 dev ds-wan", "link set ds-wan up", "route del default",
    "route add default dev ds-wan", "addr flush dev wan",
    "addr add 2001:db8::2/64 dev wan nodad", "route add default via 2001:db8::1"],
      nat=False, kinds=(), find=["shared-address - info"])
Scene("healthy: 464XLAT", tun=["clat"], ip=[
    "addr add 192.0.0.4/32 dev clat", "link set clat up", "route del default",
    "route add default dev clat", "addr flush dev wan",
    "addr add 2001:db8::2/64 dev wan nodad", "route add default via 2001:db8::1"],
      nat=False, kinds=(), nft="""table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "clat" masquerade; }; }
""", find=["shared-address - info"])
Scene("healthy: all goes through a VPN", tun=["tun0"], ip=[
    "addr add 10.8.0.6/24 dev tun0", "link set tun0 up", "route del default",
    "route add default dev tun0", "route add 198.51.100.9 via 203.0.113.1"], nat=False, kinds=(),
      nft="""table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "tun0" masquerade; }; }
""", find=["tunnel-uplink - info"])
Scene("healthy: a second uplink stands by", ip=[
    "link add lte type veth peer name ltep", "addr add 10.20.30.40/24 dev lte", "link set lte up",
    "link set ltep up", "route add default via 10.20.30.1 dev lte metric 600"], nat=False,
      nft="""table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname { "wan", "lte" } masquerade; }; }
""")
Scene("healthy: a VRF for the management", ip=[
    "link add mgmt type veth peer name mgmtp", "addr add 10.99.0.2/24 dev mgmt", "link set mgmt up",
    "link set mgmtp up", "route add default via 10.99.0.1 dev mgmt table 900"])
Scene("healthy: a VRF of the kernel's for the management", needs="VRFs", ip=[
    "link add vrfm type vrf table 900", "link set vrfm up",
    "link add mgmt type veth peer name mgmtp", "link set mgmt master vrfm",
    "addr add 10.99.0.2/24 dev mgmt", "link set mgmt up", "link set mgmtp up",
    "route add default via 10.99.0.1 table 900"])
Scene("healthy: all leaves by PPP in a tunnel", needs="PPP", nat=False, kinds=(), do=[
    "pppd nodetach noauth nodefaultroute noipdefault ipcp-accept-remote ipcp-accept-local local "
    "10.7.0.1:10.7.0.2 pty 'pppd notty noauth nodefaultroute local 10.7.0.2:10.7.0.1 ifname pppe' "
    "ifname ppp7 > /run/pppd.log 2>&1 & for i in $(seq 100); do ip -4 addr show dev ppp7 2> /dev/null "
    "| grep -q 10.7 && break; sleep 0.2; done; ip route replace default dev ppp7"],
      nft="""table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "ppp7" masquerade; }; }
""", find=["tunnel-uplink - info"])
Scene("healthy: a plain host of a LAN", ip=[
    "link del lan1", "link del lan2", *wan_lines("192.168.178.20")], nat=False, kinds=(),
      sysctl={"ipv4/ip_forward": 0}, code=3,
      check=lambda found, rc, err: [f["finding"] for f in found if f["finding"] != "not-loaded"])
Scene("healthy: a host with containers", ip=[
    "link del lan1", "link del lan2", *wan_lines("192.168.178.20"),
    "link add docker0 type veth peer name vethd", "addr add 172.17.0.1/16 dev docker0",
    "link set docker0 up", "link set vethd up"], nat=False, kinds=(),
      nft="""table ip nat { chain POSTROUTING { type nat hook postrouting priority srcnat
    ip saddr 172.17.0.0/16 oifname != "docker0" masquerade; }
}
""")
Scene("healthy: a host with two networks that forwards nothing", ip=wan_lines("192.168.178.20"), nat=False,
      sysctl={"ipv4/ip_forward": 0}, kinds=())
Scene("healthy: an inner router without NAT", nat=False, ip=wan_lines("192.168.178.20"),
      gip=["addr add 192.168.178.1/24 dev eth0", "route replace 192.168.1.0/24 via 192.168.178.20",
           "route replace 192.168.2.0/24 via 192.168.178.20"])
Scene("healthy: unused interfaces are down", ip=[
    "link add spare type veth peer name sparep", "link add spare2 type veth peer name spare2p",
    "addr add 192.168.50.1/24 dev spare2"])

# --- the home user's first problems -----------------------------------------------
Scene("the cable is out", gip=["link set eth0 down"], truth=lost(*USUAL), find=["link-down - error"])
Scene("the interface is off", ip=["link set wan down"], truth=lost(*USUAL), find=["link-down - error"],
      may=["not-examined"])
# a loop in place of a DHCP client sets the routes as soon as it can
DHCP = ("ip link set wan down; (for i in $(seq 300); do ip route add default via 203.0.113.1; ip -6 route add "
        "default via 2001:db8:f::1 dev wan; sleep 0.1; done) > /dev/null 2>&1 &")
STATEFUL = HOME + """table inet in { chain in { type filter hook input priority filter; policy drop
    ct state established,related accept
    meta l4proto ipv6-icmp accept; }
}
"""
Scene("the interface is off, and what has an address for it waits", six=True, nft=STATEFUL, do=[DHCP], cure=True,
      sysctl={"ipv6/conf/wan/keep_addr_on_down": 1, "ipv6/conf/wan/accept_dad": 0}, truth=lost(*USUAL, *(k + "6" for k in USUAL)),
      find=["link-down - error"], may=["not-examined"])
Scene("DHCP gave nothing", ip=["addr flush dev wan"], truth=lost(*USUAL), find=["no-address - error"],
      may=["not-examined"])
Scene("DHCP gave nothing, and the router took an address of its own", ip=[
    "addr flush dev wan", "addr add 169.254.7.9/16 dev wan"], truth=lost(*USUAL),
      find=["no-address - error"])
Scene("there is no default route", ip=["route del default"], truth=lost(*USUAL),
      before=[("c1", ["web", "ike"])], find=["no-default-route - error"])
Scene("both sides have one network", ip=wan_lines("192.168.1.20"), truth=lost(*USUAL),
      find=["same-subnet - error"], may=["double-nat"])
Scene("nothing is forwarded", nft=HOME, sysctl={"ipv4/ip_forward": 0}, truth=lost(*USUAL),
      find=["forwarding-off - error"], cure=True)
Scene("one LAN is not forwarded", nft=HOME, sysctl={"ipv4/conf/lan1/forwarding": 0}, truth=lost(*USUAL),
      find=["forwarding-off - warning"], cure=True)
Scene("there is no NAT", nat=False, gip=["route del 192.168.0.0/16"],
      truth={k: "half" for k in USUAL if k not in ("pptp", "web")} | lost("pptp", "web"),
      find=["no-nat - error"], cure=True)
