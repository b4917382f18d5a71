# SPDX-License-Identifier: GPL-2.0
# Routers as homes, users of OpenWrt and small offices have them: odd ones on which all is
# well, and faults that are common there.
from words import FWD, forward, fw, half, lost, says, tells, wan_lines
USUAL = stage.USUAL
EST = "ct state established,related accept\n"
HOME = forward(EST + 'iifname "lan*" oifname "wan" accept', "drop")
# the gateway knows no way to private addresses
FAR = ["route del 192.168.0.0/16"]


def nat(rules):
    return "table ip nat { chain post { type nat hook postrouting priority srcnat\n%s; }; }\n" % rules


def mac(n):
    return "02:00:00:00:77:%02x" % n


# --- healthy ---------------------------------------------------------------------------
Scene("healthy: DNS is taken by the router, and DNS by TLS, QUIC and mail are shut", nft=HOME.replace(
    EST, EST + 'tcp dport { 25, 853 } reject\nudp dport { 443, 853 } reject\n') + """
table ip dns { chain pre { type nat hook prerouting priority dstnat
    iifname "lan*" udp dport 53 redirect to :53
    iifname "lan*" tcp dport 53 redirect to :53; }; }
""", before=[("c1", ["ike", "pptp"])])
Scene("healthy: the address is alone in its network, with a gateway on the link", ip=[
    "addr flush dev wan", "addr add 203.0.113.2/32 dev wan",
    "route add default via 203.0.113.1 dev wan onlink"])
Scene("healthy: a host of virtual machines, whose way out is a bridge", ip=[
    "addr flush dev wan", "link add vmbr0 type bridge", "link set wan master vmbr0", "link set vmbr0 up",
    "addr add 203.0.113.2/24 dev vmbr0", "route add default via 203.0.113.1",
    "addr flush dev lan1", "link add vmbr1 type bridge", "link set lan1 master vmbr1",
    "link set vmbr1 up", "addr add 192.168.1.1/24 dev vmbr1"], nat=False,
      nft=nat('ip saddr 192.168.0.0/16 oifname "vmbr0" masquerade'))
Scene("healthy: ports are forwarded to a VPN's server inside, from outside alone", nft="""
table ip ports { chain pre { type nat hook prerouting priority dstnat
    iifname "wan" udp dport { 500, 4500, 1701 } dnat to 192.168.2.2
    iifname "wan" tcp dport 1723 dnat to 192.168.2.2; }; }
""" + HOME.replace(EST, EST + "ct status dnat accept\n"), before=[("c1", ["ike", "natt"])],
      find=["needs-no-help natt info"])
Scene("healthy: a queue of an intrusion prevention, which lets pass what nobody reads", nft=forward(
    EST + 'iifname "lan*" oifname "wan" queue num 0 bypass', "drop").replace(
        "queue num 0 bypass", "queue flags bypass to 0"), needs="nft_queue")
Scene("healthy: lists of attackers that are empty or have others", nft=forward(
    "ip saddr @attackers counter drop\nip daddr @attackers counter drop\nip saddr @seen drop\n" + EST +
    'iifname "lan*" oifname "wan" accept', "drop", """
    set attackers { type ipv4_addr; flags interval, timeout; elements = { 192.0.2.0/24 timeout 1h }; }
    set seen { type ipv4_addr; flags dynamic, timeout; timeout 1h; }"""), before=[("c1", ["ike"])])
Scene("healthy: several networks are translated to one address each", nat=False, ip=[
    "addr add 203.0.113.9/24 dev wan"], nft=nat(
        'oifname "wan" snat to ip saddr map { 192.168.1.0/24 : 203.0.113.9, 192.168.2.0/24 : 203.0.113.2 }'))
Scene("healthy: a router with one leg, in the network of its clients", ip=[
    "link del wan", "link del lan2", "route add default via 192.168.1.254"], nat=False,
      nft=nat('oifname "lan1" masquerade'), kinds=(), may=["double-nat", "not-examined"])
Scene("healthy: guests are a VLAN of the same cable", ip=[
    "link add link lan2 name lan2.20 type vlan id 20", "addr add 192.168.20.1/24 dev lan2.20",
    "link set lan2.20 up"], nft=HOME.replace('iifname "lan*"', 'iifname { "lan1", "lan2" }'),
      needs="VLANs")
Scene("healthy: ZeroTier's network beside the LAN", ip=[
    "link add zt7nnig26 type veth peer name ztp", "addr add 10.147.17.5/24 dev zt7nnig26",
    "link set zt7nnig26 up", "link set ztp up"], nft=HOME)
Scene("healthy: all leaves by a VPN but for one LAN, by a rule", tun=["tun0"], ip=[
    "addr add 10.8.0.6/24 dev tun0", "link set tun0 up", "route add default dev tun0 table 100",
    "rule add priority 200 iif lan2 table 100"], nft=forward(
        EST + 'iifname "lan1" oifname "wan" accept\niifname "lan2" oifname "tun0" accept', "drop"))
Scene("healthy: strict filtering of sources, one uplink", sysctl={
    "ipv4/conf/all/rp_filter": 1, "ipv4/conf/wan/rp_filter": 1}, before=[("c1", ["ike"])])
Scene("healthy: UPnP opened a port, and connections are counted by client", nft=forward(
    EST + "ct count over 2000 reject\n" + 'iifname "lan*" oifname "wan" accept\njump upnp', "drop",
    "chain upnp {\nip daddr 192.168.2.2 udp dport 51820 accept\n}"), needs="nft_connlimit")
Scene("healthy: IPv6 of a tunnel broker beside IPv4", tun=["he6"], sysctl={
    "ipv6/conf/all/forwarding": 1}, ip=[
    "link set he6 up", "addr add 2001:db8:77::2/64 dev he6 nodad", "route add ::/0 dev he6",
    "addr add 2001:db8:1::1/64 dev lan1 nodad"], nft=HOME)

# --- faults ------------------------------------------------------------------------------
DNAT = """table ip ports { chain pre { type nat hook prerouting priority dstnat
    %s; }; }
"""
Scene("ports are forwarded to a server inside, whoever asks", truth=lost("ike", "natt"),
      nft=DNAT % "udp dport { 500, 4500 } dnat to 192.168.2.99", traffic=[("c1", ["ike", "natt"])],
      find=["diverted ike warning", "diverted natt warning"], cure=True,
      check=tells("diverted", "192.168.2.99 instead"))
Scene("iptables: a port is forwarded to a server inside, whoever asks", truth=lost("ike"),
      do=["iptables -t nat -A PREROUTING -p udp --dport 500 -j DNAT --to-destination 192.168.2.99"],
      traffic=[("c1", ["ike"])], find=["diverted ike warning"], cure=True)
Scene("only one of the LANs is translated", nat=False, gip=FAR,
      nft=nat('ip saddr 192.168.2.0/24 oifname "wan" masquerade'),
      truth=half("ike", "natt", "esp", "l2tp", "openvpn") | lost("pptp", "web"), cure=True,
      find=["no-nat - warning"], check=tells("no-nat", "lan1"))
Scene("addresses are translated where another interface leads", nat=False, gip=FAR,
      nft=nat('oifname "eth1" masquerade'), truth=half("ike", "natt", "esp", "l2tp", "openvpn") |
      lost("pptp", "web"), find=["no-nat - error"], cure=True)
Scene("TCP and UDP alone are translated", nat=False, gip=FAR, truth=half("esp"),
      nft=nat('oifname "wan" meta l4proto { tcp, udp } masquerade'), traffic=[("c1", ["esp"])],
      find=["no-nat esp error"], cure=True, check=tells("no-nat", "192.168.1.2", "ESP"))
Scene("iptables: TCP and UDP alone are translated", nat=False, gip=FAR, truth=half("esp"), do=[
    "iptables -t nat -A POSTROUTING -o wan -p %s -j MASQUERADE" % p for p in ("tcp", "udp")],
      traffic=[("c1", ["esp"])], find=["no-nat esp error"], cure=True)
Scene("the next router does not answer", gip=["link set eth0 arp off"], ip=[
    "neigh flush dev wan"], last=["ping -c 1 -W 4 203.0.113.1 > /dev/null"], truth=lost(*USUAL),
      traffic=[("c1", ["ike"])], find=["next-hop-silent - error"], check=tells("next-hop-silent", "203.0.113.1", "wan"))
Scene("IPv6 is not forwarded", six=True, sysctl={"ipv6/conf/all/forwarding": 0}, nft=HOME,
      truth=lost(*(k + "6" for k in USUAL)), find=["forwarding-off - warning"], cure=True,
      check=tells("forwarding-off", "net.ipv6.conf.all.forwarding is 0"))
Scene("HOST: a LAN is kept from it by a rule of its own", args=(stage.SERVER,), peer=("ike", "natt"),
      ip=["rule add priority 50 iif lan1 to 198.51.100.0/24 prohibit"], truth=lost(*USUAL),
      find=["route-blocked - error"], may=["host-answers", "host-refuses"],
      check=tells("route-blocked", "lan1"))
Scene("HOST: its packets leave by a VPN that is down", args=(stage.SERVER,), tun=["wg0"],
      peer=("ike", "natt"), ip=["addr add 10.66.0.2/32 dev wg0", "link set wg0 up",
                                "rule add priority 100 iif lan1 table 51820",
                                "route add unreachable default table 51820"],
      truth=lost(*USUAL), find=["route-blocked - error"], may=["host-answers", "host-refuses"])
Scene("HOST: one LAN is not forwarded", args=(stage.SERVER,), peer=("ike", "natt"),
      sysctl={"ipv4/conf/lan1/forwarding": 0}, truth=lost(*USUAL), find=["forwarding-off - warning"],
      may=["host-answers", "host-refuses"])
Scene("HOST: a client's LAN is not forwarded", args=(stage.SERVER, "from", "192.168.1.2"),
      peer=("ike", "natt"), sysctl={"ipv4/conf/lan1/forwarding": 0}, truth=lost(*USUAL),
      find=["forwarding-off - warning"], may=["host-answers", "host-refuses"])
