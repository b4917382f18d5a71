# SPDX-License-Identifier: GPL-2.0
# Odd routers on which all is well, as people have them, and what drops without being a rule.
from words import FWD, forward, fw, half, lost, tells, wan
USUAL = stage.USUAL
SERVER = stage.SERVER
EST = "ct state established,related accept\n"
HOME = forward(EST + 'iifname "lan*" oifname "wan" accept', "drop")


def nat(rules):
    return "table ip nat { chain post { type nat hook postrouting priority srcnat\n%s; }; }\n" % rules


# --- odd and healthy ---------------------------------------------------------------------
Scene("healthy: the modem is a bridge, and its own address is on the same cable", ip=[
    "addr add 192.168.100.2/24 dev wan"], nft=HOME, before=[("c1", ["ike"])])
# a provider with few addresses gives a private transfer network, and a public address behind it
Scene("healthy: a private transfer network, and a public address that is this router's", nat=False, **wan(
    "10.0.0.15", "addr add 198.51.100.200/32 dev lo"), gdo=["ip route add 198.51.100.200 via 10.0.0.15"],
      nft=nat('oifname "wan" snat to 198.51.100.200'), outer="198.51.100.200")
Scene("healthy: a carrier's address on the line, and a public one that is this router's", nat=False, **wan(
    "100.64.3.4", "addr add 198.51.100.200/32 dev lo"), gdo=["ip route add 198.51.100.200 via 100.64.3.4"],
      do=["iptables -t nat -A POSTROUTING -o wan -j SNAT --to-source 198.51.100.200"], outer="198.51.100.200")
WG = dict(tun=["wg0"], nat=False, kinds=(), ip=[
    "addr add 10.66.0.2/32 dev wg0", "link set wg0 up", "route add default dev wg0 table 51820",
    "rule add priority 32764 not fwmark 0xca6c table 51820",
    "rule add priority 32763 table main suppress_prefixlength 0"])
Scene("healthy: all of the LAN leaves by WireGuard, and nothing by the line itself", **WG, nft=nat(
    'oifname { "wg0", "wan" } masquerade') + forward(EST + 'iifname "lan*" oifname "wg0" accept', "drop"),
      may=["tunnel-uplink"])
Scene("healthy: one LAN leaves by WireGuard, and a switch that kills what does not", tun=["wg0"], ip=[
    "addr add 10.66.0.2/32 dev wg0", "link set wg0 up", "route add default dev wg0 table 99",
    "rule add priority 100 iif lan2 table 99", "rule add priority 101 iif lan2 prohibit"],
      nft=forward(EST + 'iifname "lan2" oifname != "wg0" drop\niifname "lan1" oifname "wan" accept\n'
                  'iifname "lan2" oifname "wg0" accept', "drop"), before=[("c1", ["ike"])])
MWAN = ["-t mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00",
        "-t mangle -A PREROUTING -m mark --mark 0x0/0x3f00 -m statistic --mode nth --every 1 --packet 0 -j MARK "
        "--set-xmark 0x100/0x3f00",
        "-t mangle -A PREROUTING -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00"]
for args in ((), (SERVER,)):
    Scene("healthy: mwan3's marks and rules" + (", with HOST" if args else ""), args=args, needs="xt_statistic", ip=[
        "route add default via 203.0.113.1 table 1", "route add 192.168.1.0/24 dev lan1 table 1",
        "route add 192.168.2.0/24 dev lan2 table 1", "rule add priority 1001 iif wan table 1",
        "rule add priority 2001 fwmark 0x100/0x3f00 table 1", "rule add priority 2061 fwmark 0x3d00/0x3f00 blackhole",
        "rule add priority 2062 fwmark 0x3e00/0x3f00 unreachable",
        "rule add priority 3001 iif wan unreachable"], do=["iptables " + line for line in MWAN],
          before=[("c1", ["ike"])], peer=("ike", "natt") if args else (), may=["host-answers", "host-refuses"] if args else ())
LTE = ["link add lte type veth peer name eth1 netns %sg" % stage.PREFIX,
       "addr add 203.0.114.40/24 dev lte", "link set lte up", "route add default via 203.0.114.1 metric 600"]
Scene("healthy: a second uplink stands by, and its cable is out", ip=LTE, nat=False, nft=nat(
    'oifname { "wan", "lte" } masquerade'), gdo=["ip link set eth1 down"], before=[("c1", ["ike"])])
Scene("healthy: the first uplink has failed, and the second took over", nat=False, ip=[
    *LTE, "route del default via 203.0.113.1", "route add unreachable default metric 9000"], nft=nat(
        'oifname { "wan", "lte" } masquerade'), gdo=[
            "ip addr add 203.0.114.1/24 dev eth1", "ip link set eth1 up", "ip link set eth0 down",
            "ip route add 203.0.113.2 via 203.0.114.40"], before=[("c1", ["ike"])])
Scene("healthy: a list of allowed gateways with timeouts, and the client's is on it", traffic=[("c1", ["ike"])],
      nft=forward(EST + "ip daddr @allowed accept\nip saddr @knocked accept", "drop", """
    set allowed { type ipv4_addr; flags timeout; elements = { %s timeout 1h, 192.0.2.7 timeout 1h }; }
    set knocked { type ipv4_addr; flags dynamic, timeout; timeout 1h; }""" % SERVER))
Scene("a list of allowed gateways with timeouts, and the client's is not on it", traffic=[("c1", ["ike"])],
      truth=lost(*USUAL), cure=True, cured=lost("web"),
      find=["nft-drop *"], nft=forward(EST + "ip daddr @allowed accept", "drop", """
    set allowed { type ipv4_addr; flags timeout; elements = { 192.0.2.7 timeout 1h }; }"""))
Scene("healthy: ports of this router's own address are forwarded to a server inside", nft=HOME.replace(
    EST, EST + "ct status dnat accept\n") + """
table ip ports { chain pre { type nat hook prerouting priority dstnat
    ip daddr 203.0.113.2 udp dport { 500, 4500 } dnat to 192.168.2.2; }; }
""", before=[("c1", ["ike", "natt"])], find=["needs-no-help natt info"])
Scene("healthy: IPsec between offices is left out of NAT, and the router has its policies", nat=False, do=[
    "ip xfrm policy add dir out src 192.168.1.0/24 dst 10.77.0.0/16 tmpl src 203.0.113.2 dst 192.0.2.9 proto esp mode tunnel",
    "ip xfrm policy add dir fwd src 10.77.0.0/16 dst 192.168.1.0/24 tmpl src 192.0.2.9 dst 203.0.113.2 proto esp mode tunnel",
    "iptables -t nat -A POSTROUTING -o wan -m policy --dir out --pol ipsec -j ACCEPT",
    "iptables -t nat -A POSTROUTING -o wan -j MASQUERADE"], nft=HOME, before=[("c1", ["ike"])])
Scene("healthy: the line has IPv6 alone, and IPv4 of the LAN goes nowhere", six=True, ip=[
    "route del default", "addr del 203.0.113.2/24 dev wan"], nft=HOME, truth=lost(*USUAL),
      # TCP's SYN of the measurement before may come again while doctor listens
      may=["no-address - warning", "no-route *"])
Scene("healthy: an inner router, which has a VPN to the office", tun=["tun0"], **wan(
    "192.168.178.20", "addr add 10.8.0.6/24 dev tun0", "link set tun0 up", "route add 10.0.0.0/8 dev tun0"),
      nft=HOME, before=[("c1", ["ike"])], find=["double-nat - warning"])
Scene("healthy: ufw and Docker's chains together, with routes allowed", manager=(
    "ufw", "ufw route allow in on lan1 out on wan", "ufw route allow in on lan2 out on wan",
    "iptables -N DOCKER-USER; iptables -N DOCKER; iptables -A DOCKER-USER -j RETURN",
    "iptables -I FORWARD -o docker0 -j DOCKER; iptables -I FORWARD -i docker0 ! -o docker0 -j ACCEPT",
    "iptables -I FORWARD -j DOCKER-USER"), before=[("c1", ["ike"])])
Scene("healthy: the LAN has addresses of the carrier's range", **dict(ip=[
    "addr flush dev lan2", "addr add 100.64.7.1/24 dev lan2"]), nft=HOME, before=[("c1", ["ike"])])
Scene("healthy: at night all is shut for the children's devices", nft=forward(
    'iifname "lan2" meta hour "00:00"-"23:59" ip saddr 192.168.2.77 counter drop\n' + EST +
    'iifname "lan*" oifname "wan" accept', "drop"), before=[("c2", ["ike"])])

Scene("a gateway has a route of its own, by a router that is not there", ip=[
    f"route add {SERVER} via 203.0.113.77"], truth=lost(*USUAL), before=[("c1", ["ike", "natt"])], last=[
        f"ping -c 1 -W 4 {SERVER} > /dev/null"], find=["next-hop-silent - error"],
      check=tells("next-hop-silent", "203.0.113.77", SERVER))

# --- what drops and is no rule of the firewall's ---------------------------------------------
# a program of cls_bpf's that drops UDP to port 500, or from it
DROP = "bpf da bytecode '8,40 0 0 12,21 0 5 2048,48 0 0 23,21 0 3 17,40 0 0 %d,21 0 1 500,6 0 0 2,6 0 0 0'"
TC = dict(needs="tc with cls_bpf", traffic=[("c1", ["ike"])])
Scene("traffic control drops IKE where it leaves", **TC, truth=lost("ike"), do=[
    "tc qdisc add dev wan clsact", "tc filter add dev wan egress " + DROP % 36],
      find=["dropped-here ike error"], check=tells("dropped-here", "192.168.1.2", "none left"))
Scene("traffic control drops the answers of IKE where they come in", **TC, truth=half("ike"), do=[
    "tc qdisc add dev wan clsact", "tc filter add dev wan ingress " + DROP % 34],
      find=["dropped-here ike error"], check=tells("dropped-here", "192.168.1.2", "answers"))
Scene("healthy: traffic control that limits, and a server that is silent", needs="tc", do=[
    "tc qdisc add dev wan root tbf rate 100mbit burst 64kb latency 50ms"], mute=["ike"], truth=half("ike"),
      traffic=[("c1", ["ike"])], find=["path-silent ike error"])
# --- more that are odd and healthy, and one that is not ---------------------------------
HALVES = ["addr add 10.8.0.6/24 dev tun0", "link set tun0 up", "route add 0.0.0.0/1 dev tun0",
          "route add 128.0.0.0/1 dev tun0", "route add 203.0.113.99 via 203.0.113.1"]
Scene("healthy: the router's OpenVPN has all by two halves of the Internet, and nothing else may leave",
      tun=["tun0"], ip=HALVES, nat=False, kinds=(), nft=nat('oifname "tun0" masquerade') + forward(
          EST + 'iifname "lan*" oifname "tun0" accept', "drop"))
Scene("healthy: the same behind another router", tun=["tun0"], nat=False, kinds=(), **wan("192.168.178.20", *HALVES[:4]),
      nft=nat('oifname { "tun0", "wan" } masquerade') + forward(EST + 'iifname "lan*" oifname "tun0" accept', "drop"),
      may=["double-nat"])
Scene("the firewall drops what leaves by the VPN that all leaves by", tun=["tun0"], ip=HALVES, nat=False, kinds=(),
      nft=nat('oifname "tun0" masquerade') + forward('oifname "tun0" meta l4proto esp drop'),
      find=["nft-drop esp error"])
Scene("healthy: a second address of the provider's on an interface of its own", ip=[
    "link add wan2 type veth peer name eth2 netns %sg" % stage.PREFIX, "addr add 203.0.113.9/24 dev wan2 noprefixroute",
    "link set wan2 up"], nft=HOME, gdo=["ip link set eth2 up"], before=[("c1", ["ike"])])
Scene("healthy: a box that bridges the line to a LAN, and routes for another", nat=False, kinds=(), ip=[
    "addr flush dev wan", "addr flush dev lan1", "link add br0 type bridge", "link set wan master br0",
    "link set lan1 master br0", "link set br0 up", "addr add 203.0.113.2/24 dev br0",
    "route add default via 203.0.113.1"], nft=nat('oifname "br0" masquerade') + forward(
        EST + 'iifname "lan2" oifname "br0" accept', "drop"))
Scene("healthy: floods are met by a set that rules fill", nft=forward(
    EST + "ct state new add @flood { ip saddr limit rate over 1000/second burst 500 packets } counter drop\n"
    'iifname "lan*" oifname "wan" accept', "drop", """
    set flood { type ipv4_addr; flags dynamic, timeout; timeout 1m; }"""), before=[("c1", ["ike"])])
Scene("healthy: sources that no route leads to are dropped by a rule, and there were some", needs="nft_fib", nft=fw("""
    chain pre { type filter hook prerouting priority raw
        fib saddr . iif oif missing counter drop }"""), before=[("c1", ["ike"])], last=[
    "ip netns exec %sg ip addr add 192.0.2.77/32 dev lo; ip netns exec %sg ping -c 1 -W 1 -I 192.0.2.77 203.0.113.2"
    % (stage.PREFIX, stage.PREFIX)])
Scene("healthy: each of two uplinks has a table, by this router's addresses", nat=False, ip=[
    *LTE, "route add default via 203.0.113.1 table 1", "route add default via 203.0.114.1 table 2",
    "rule add priority 100 from 203.0.113.2 table 1", "rule add priority 101 from 203.0.114.40 table 2"],
      nft=nat('oifname { "wan", "lte" } masquerade'), before=[("c1", ["ike"])])
Scene("healthy: an address for services of the router's own on an interface that leads nowhere", ip=[
    "link add dns0 type veth peer name dns1", "addr add 10.53.53.53/32 dev dns0", "link set dns0 up",
    "link set dns1 up"], nft=HOME, before=[("c1", ["ike"])])
Scene("healthy: what is for private networks may not leave, nor be translated", nat=False, nft=nat(
    'ip daddr { 10.0.0.0/8, 172.16.0.0/12 } accept\noifname "wan" masquerade') + forward(
        EST + 'oifname "wan" ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } reject\n'
        'iifname "lan*" oifname "wan" accept', "drop"), before=[("c1", ["ike", "natt"])], find=["needs-no-help natt info"])
Scene("healthy: a network of friends' (DN42) beside the line, whose routes are private", tun=["dn42"], ip=[
    "addr add 172.20.7.1/32 dev dn42", "link set dn42 up", "route add 172.20.0.0/14 dev dn42",
    "route add 10.0.0.0/8 dev dn42"], nft=HOME, before=[("c1", ["ike"])])
