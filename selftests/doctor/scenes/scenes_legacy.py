# SPDX-License-Identifier: GPL-2.0
# Rules of iptables-legacy and ip6tables-legacy, which the kernel keeps apart from nft's, alone
# and beside these.
from words import forward, half, lost, says, tells
NEEDS = "iptables-legacy"
MASQUERADE = "-t nat -A POSTROUTING -o wan -j MASQUERADE"
RELATED = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"


def legacy(*lines, program=NEEDS):
    """Lines of iptables-legacy's."""
    return [f"{program} {line}" for line in lines]


def rules(*lines, **kw):
    """A scene with no other rules than these, and with NAT by them."""
    return dict(do=legacy(MASQUERADE, *lines), nat=False, needs=NEEDS, **kw)


# --- what drops -------------------------------------------------------------------
Scene("legacy: a rule, beside NAT by nft", do=legacy("-A FORWARD -p esp -j DROP"), needs=NEEDS,
      truth=lost("esp"), find=["nft-drop esp error"], cure=True,
      check=tells("nft-drop", "rule 1 of iptables-legacy, table filter, chain FORWARD"))
Scene("legacy: a rule, and NAT by legacy", truth=lost("esp"), find=["nft-drop esp error"], cure=True,
      **rules(RELATED, "-A FORWARD -i lan1 -p esp -j REJECT"),
      check=says("iptables-legacy -I FORWARD 2 -i lan1 -o wan -p esp -j ACCEPT"))
Scene("legacy: a user's chain, by interface, several ports and state", cure=True,
      truth=lost("ike", "natt", "l2tp"),
      find=["nft-drop ike error", "nft-drop natt error", "nft-drop l2tp error"],
      **rules("-N vpn", "-A FORWARD -p tcp -j ACCEPT", "-A FORWARD -i lan+ -o wan -j vpn",
              "-A vpn -p udp -m multiport --dports 500,1700:1702,4500 -m conntrack --ctstate NEW "
              "-m comment --comment 'no VPN' -j DROP", "-A vpn -j RETURN"),
      check=tells("nft-drop", 'rule 1 of iptables-legacy, table filter, chain vpn ("no VPN")'))
Scene("legacy: a goto, and the policy behind it", truth=lost("esp"), cure=True,
      find=["nft-drop esp error", "nft-drop pptp error", "nft-drop l2tp error"],
      **rules("-P FORWARD DROP", "-N out", RELATED, "-A FORWARD -i lan+ -g out",
              "-A FORWARD -j ACCEPT", "-A out -p tcp -j ACCEPT", "-A out -p udp -j ACCEPT"))
Scene("legacy: the policy", truth=lost(*stage.USUAL), find=["nft-drop - error"], cure=True,
      **rules("-P FORWARD DROP", RELATED),
      check=tells("nft-drop", "the policy of iptables-legacy, table filter, chain FORWARD"))
Scene("legacy: the policy that only the Web escapes", cure=True,
      truth=lost("ike", "natt", "esp", "pptp", "l2tp", "openvpn"), find=["nft-drop - error"],
      **rules("-P FORWARD DROP", "-A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT",
              "-A FORWARD -p tcp -m multiport --dports 80,443 -j ACCEPT"))
Scene("legacy: answers alone", truth=half("natt"), find=["nft-drop natt error"], cure=True,
      **rules("-t mangle -A FORWARD -i wan -p udp --sport 4500 -j DROP"),
      check=says("iptables-legacy -t mangle -I FORWARD 1 -i wan -o lan1 -p udp --sport 4500 "
                 "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"))
Scene("legacy: before connection tracking, of a host that is asked", args=(stage.SERVER,), cure=True,
      truth=lost("natt"), find=["nft-drop natt error"],
      may=["host-refuses", "host-silent", "answers-dropped"],
      **rules("-t raw -A PREROUTING -p udp --dport 4500 -j DROP"))
Scene("legacy: by a mark that another table sets", truth=lost("esp"), find=["nft-drop esp error"],
      cure=True, **rules("-t mangle -A PREROUTING -p esp -j MARK --set-mark 0x99",
                         "-A FORWARD -m mark --mark 0x90/0xf0 -j DROP"))
Scene("legacy: by the mark of the connection, saved and restored", cure=True,
      truth=lost("ike"), find=["nft-drop ike error"],
      **rules("-t mangle -A PREROUTING -p udp --dport 500 -j MARK --set-xmark 0x5/0xf",
              "-t mangle -A PREROUTING -p udp --dport 500 -j CONNMARK --save-mark",
              "-A FORWARD -m connmark --mark 0x5 -j DROP"))
Scene("legacy: other hosts alone, and others but one", truth=lost("ike"), cure=True,
      args=(stage.SERVER,), find=["nft-drop ike error"], may=["host-refuses", "host-silent"],
      **rules("-A FORWARD -d 192.0.2.0/24 -p esp -j DROP",
              "-A FORWARD ! -d 192.0.2.7 ! -i wan -p udp --dport 500 -j DROP"))
Scene("legacy: a limit lets one packet a day through", before=[("c1", ["esp"])] * 3,
      kinds=("ike", "web"), find=["nft-drop esp warning"], may=["one-client"],
      **rules("-A FORWARD -p esp -m hashlimit --hashlimit-above 1/day --hashlimit-burst 1 "
              "--hashlimit-name esp -j DROP"), check=tells("nft-drop", "has dropped"))
Scene("legacy: closed at all hours", truth=lost("ike"), before=[("c1", ["ike"])],
      find=["nft-drop ike warning"], check=tells("nft-drop", "has dropped"),
      **rules("-A FORWARD -p udp --dport 500 -m time --weekdays Mo,Tu,We,Th,Fr,Sa,Su -j DROP"))
Scene("legacy: Docker's policy shuts the LAN", truth=lost(*stage.USUAL), find=["nft-drop - error"],
      cure=True, **rules("-P FORWARD DROP", "-N DOCKER-USER", "-A FORWARD -j DOCKER-USER",
                         "-A FORWARD -o docker0 -j ACCEPT", "-A FORWARD -i docker0 -j ACCEPT",
                         "-A DOCKER-USER -j RETURN"),
      check=says("iptables-legacy -I DOCKER-USER -i lan1 -o wan",
                 "iptables-legacy -I DOCKER-USER -i wan -o lan1"))
Scene("legacy: two faults, ESP by a rule and IKE by one of nft's", truth=lost("esp", "ike"), cure=True,
      nft=forward("udp dport 500 drop"), do=legacy("-A FORWARD -p esp -j DROP"), needs=NEEDS,
      find=["nft-drop esp error", "nft-drop ike error"])
Scene("legacy: two faults, one packet dropped by both kinds of rules", truth=lost("esp"), cure=True,
      do=["printf '%s\\n' '*filter' '-A FORWARD -p esp -j DROP' COMMIT | iptables-nft-restore",
          *legacy("-A FORWARD -p esp -j DROP")], needs=NEEDS, find=["nft-drop esp error"],
      check=lambda found, rc, err: [] if len([f for f in found if f["finding"] == "nft-drop"]) == 2
      else ["not both places"])

# --- what else rules do -------------------------------------------------------------
Scene("legacy: ESP is not tracked, so that it leaves untranslated", truth=half("esp"),
      gip=["route del 192.168.0.0/16"], find=["nft-notrack esp error"],
      **rules("-t raw -A PREROUTING -i lan+ -p esp -j NOTRACK"),
      check=lambda found, rc, err: [] if any(
          "iptables-legacy -t raw -D PREROUTING 1" in f["do"] for f in found) else ["not the command"])
Scene("legacy: what is not tracked is dropped", truth=lost("natt"),
      find=["nft-notrack natt error", "nft-drop natt error"],
      **rules("-t raw -A PREROUTING -p udp --dport 4500 -j CT --notrack",
              "-A FORWARD -m conntrack --ctstate INVALID,UNTRACKED -j DROP"))
PROXY = ("timeout 60 python3 -c 'import socket, time; s = socket.create_server((\"\", 3128)); "
         "time.sleep(60)' > /dev/null 2>&1 & until ss -Hlnt | grep -q 3128; do sleep 0.1; done")
Scene("legacy: a transparent proxy takes PPTP", traffic=[("c1", ["pptp"])], needs=NEEDS, nat=False,
      do=[*legacy(MASQUERADE, "-t nat -A PREROUTING -i lan1 -p tcp --dport 1723 -j REDIRECT "
                  "--to-ports 3128"), PROXY], find=["diverted pptp warning"], check=tells(
          "diverted", stage.SERVER, "192.168.1.1 instead",
          "rule 1 of iptables-legacy, table nat, chain PREROUTING"))
Scene("legacy: another host gets IKE", truth=lost("ike"), traffic=[("c1", ["ike"])], cure=True,
      find=["diverted ike warning"], **rules(
          "-t nat -A PREROUTING -i lan+ -p udp -m multiport --dports 53,500 -j DNAT "
          "--to-destination 203.0.113.99"),
      check=lambda found, rc, err: [] if any(
          c == "iptables-legacy -t nat -I PREROUTING 1 -i lan1 -p udp --dport 500 -j ACCEPT"
          for f in found for c in f["commands"]) else ["not the command"])
Scene("legacy: a mark sends ESP into a hole", args=(stage.SERVER,), truth=lost("esp"),
      ip=["rule add priority 100 fwmark 0x66 blackhole"], find=["route-blocked - error"],
      may=["host-silent", "host-refuses"], check=tells("route-blocked", "ESP", "marks with 0x66"),
      **rules("-t mangle -A PREROUTING -p esp -j MARK --set-mark 0x66"))
Scene("legacy: there is no NAT", nat=False, needs=NEEDS, do=legacy("-t nat -L", RELATED),
      gip=["route del 192.168.0.0/16"], truth=half("ike", "natt", "esp", "l2tp", "openvpn") |
      lost("pptp", "web"), find=["no-nat - error"], cure=True)
Scene("legacy: HOST: this router drops its own question", args=(stage.SERVER,), peer=("natt",),
      kinds=(), find=["nft-drop ike error", "host-answers natt info"],
      may=["host-refuses", "nft-drop ike warning"], **rules("-A OUTPUT -p udp --dport 500 -j DROP"),
      check=says("iptables-legacy -I OUTPUT 1 -o wan -p udp --dport 500 -j ACCEPT"))
Scene("legacy: HOST: this router drops the answers itself", args=(stage.SERVER,), peer=("ike", "natt"),
      kinds=(), find=["answers-dropped ike error", "host-answers natt info"],
      may=["host-refuses", "nft-drop ike warning"],
      **rules("-A INPUT -i wan -p udp --sport 500 -j DROP"),
      check=tells("answers-dropped", "rule 1 of iptables-legacy, table filter, chain INPUT"))
Scene("legacy: HOST: the policy drops the answers", args=(stage.SERVER,), kinds=(),
      peer=("ike", "natt", "pptp", "l2tp", "openvpn"), find=["answers-dropped %s error" % p for p in (
          "ike", "natt", "pptp", "l2tp", "openvpn")],
      **rules("-P INPUT DROP", "-A INPUT -i lo -j ACCEPT"),
      check=tells("answers-dropped", "the policy of iptables-legacy, table filter, chain INPUT"))

# --- IPv6 ---------------------------------------------------------------------------
SIX = "ip6tables-legacy"
Scene("legacy: IPv6 alone, ESP is dropped", six=True, needs=NEEDS, truth=lost("esp6"), cure=True,
      do=legacy("-A FORWARD -i lan+ -p esp -j DROP", program=SIX), find=["nft-drop esp error"],
      check=says("ip6tables-legacy -I FORWARD 1 -i lan1"))
Scene("legacy: IPv6 alone, the policy that only ports escape", six=True, needs=NEEDS, cure=True,
      truth=lost("esp6"), find=["nft-drop esp error", "nft-drop pptp error", "nft-drop l2tp error"],
      do=legacy("-P FORWARD DROP", "-N out", RELATED, "-A FORWARD -s 2001:db8::/32 -i lan+ -j out",
                "-A out -p tcp -j ACCEPT", "-A out -p udp -j ACCEPT", program=SIX))
Scene("legacy: IPv4 and IPv6, NAT-T is rejected", six=True, needs=NEEDS, cure=True,
      truth=lost("natt", "natt6"), find=["nft-drop natt error"],
      do=legacy("-A FORWARD -p udp --dport 4500 -j REJECT") +
      legacy("-A FORWARD -p udp --dport 4500 -j REJECT", program=SIX))

# --- nothing that is wrong -----------------------------------------------------------
Scene("healthy: legacy, tables without a rule", do=legacy(*(
    f"-t {t} -L -n" for t in ("raw", "mangle", "nat", "filter", "security"))), needs=NEEDS)

def tables(name):
    """Before Linux 5.15 a table is in each namespace as soon as its module is loaded."""
    return stage.run(name, ["cat", "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"])[1]


Scene("healthy: legacy, no table is there, and none is made by looking",
      check=lambda found, rc, err: [] if tables("r") == tables("c2") else [tables("r")])
Scene("healthy: legacy, a home router's firewall and NAT", **rules(
    "-P INPUT DROP", "-P FORWARD DROP", "-N lan", "-N wan", RELATED,
    "-A FORWARD -m conntrack --ctstate INVALID -j DROP", "-A FORWARD -i lan+ -j lan",
    "-A FORWARD -i wan -j wan", "-A lan -o wan -j ACCEPT", "-A lan -j REJECT",
    "-A wan -m conntrack --ctstate DNAT -j ACCEPT", "-A wan -j DROP",
    "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"))
Scene("healthy: legacy, marks that choose a queue, and rules about other marks", **rules(
    "-t mangle -A PREROUTING -j CONNMARK --restore-mark",
    "-t mangle -A PREROUTING -i lan1 -p udp -m multiport --dports 500,4500 -j MARK --set-xmark 0x10/0xff",
    "-t mangle -A PREROUTING -p esp -j MARK --or-mark 0x20",
    "-t mangle -A POSTROUTING -j CONNMARK --save-mark", "-A FORWARD -m mark --mark 0x40/0xc0 -j DROP",
    "-A FORWARD -m mark ! --mark 0/0xf00 -j DROP"))
Scene("healthy: legacy, rules about others", **rules(
    "-A FORWARD -i lan9 -p esp -j DROP", "-A FORWARD -s 10.0.0.0/8 -p udp --dport 500 -j DROP",
    "-A FORWARD -i wan -m conntrack --ctstate NEW -p udp --dport 500 -j DROP",
    "-A FORWARD -p udp ! -f -m udp ! --dport 1:65535 -j DROP", "-A FORWARD -f -p esp -j DROP",
    "-t raw -A PREROUTING -p udp --dport 53 -j NOTRACK",
    "-A FORWARD -m conntrack --ctstate UNTRACKED -j DROP"))
Scene("healthy: legacy, a limit and a log that are far away", before=[("c1", ["ike", "esp"])],
      find=["one-client esp info", "natt-unused ike info"], **rules(
          "-A FORWARD -p esp -j LOG", "-A FORWARD -p esp -m hashlimit --hashlimit-above 9000/s "
          "--hashlimit-name far -j DROP", "-A FORWARD -m connlimit --connlimit-above 900 -j REJECT"))
Scene("healthy: legacy and nft's, which let all through that a LAN sends", needs=NEEDS, nft=forward(
    'ct state established,related accept\niifname "lan*" oifname "wan" accept', policy="drop"),
      do=legacy("-P FORWARD DROP", RELATED, "-A FORWARD -i lan+ -o wan -j ACCEPT"))
Scene("healthy: legacy, IPv6 and a home router's firewall", six=True, needs=NEEDS, do=legacy(
    "-P INPUT DROP", "-A INPUT -p icmpv6 -j ACCEPT", "-P FORWARD DROP", RELATED,
    "-A FORWARD -i lan+ -o wan -j ACCEPT", program=SIX))

# --- what iptables looks up elsewhere --------------------------------------------------
IPSET = "ipset"
ASKED = dict(args=(stage.SERVER,), peer=("ike",), may=["host-refuses", "host-answers"])
COUNTRY = ["ipset create bad hash:net", "ipset add bad 198.51.100.0/24", "ipset add bad 10.0.0.0/8"]
Scene("legacy: a range of clients may not use IKE", truth=lost("ike"), cure=True,
      find=["nft-drop ike error"], **rules(
          "-A FORWARD -p udp --dport 500 -m iprange --src-range 192.168.0.200-192.168.3.7 -j DROP"))
Scene("healthy: legacy, ranges of other clients and servers", **ASKED, **rules(
          "-A FORWARD -m iprange --src-range 192.168.3.1-192.168.3.9 -j DROP",
          "-A FORWARD -m iprange --dst-range 198.51.99.0-198.51.100.0 -j DROP",
          "-A FORWARD -i lan+ -m iprange ! --dst-range 198.51.100.0-198.51.101.0 -p esp -j DROP"))
Scene("legacy: what is for others than this router", truth=lost("esp"), cure=True,
      find=["nft-drop esp error"], **rules(
          "-A FORWARD -m addrtype ! --dst-type LOCAL -p esp -j DROP"))
Scene("healthy: legacy, what is for this router, broadcast, multicast, bridged or of an IPsec",
      **rules("-A FORWARD -m addrtype --dst-type LOCAL -j DROP",
              "-A FORWARD -m addrtype --dst-type BROADCAST,MULTICAST -j DROP",
              "-A FORWARD -m pkttype --pkt-type broadcast -j DROP",
              "-A FORWARD -m pkttype ! --pkt-type unicast -j DROP",
              "-A FORWARD -m physdev --physdev-is-bridged -j DROP",
              "-A FORWARD -m policy --dir in --pol ipsec -j DROP",
              "-A FORWARD -p tcp ! --syn -m state --state NEW -j DROP",
              "-A FORWARD -p tcp --tcp-flags ALL NONE -j DROP"))
Scene("legacy: what no IPsec of this router's protects is dropped", truth=lost("ike", "natt"), cure=True,
      find=["nft-drop ike error", "nft-drop natt error"], **rules(
          "-A FORWARD -i lan+ -p udp -m multiport --dports 500,4500 -m policy --dir in --pol none -j DROP"))
Scene("legacy: connections of PPTP are not begun", truth=lost("pptp"), find=["nft-drop pptp error"],
      cure=True, **rules("-A FORWARD -p tcp --syn --dport 1723 -j DROP"))


def listed(*lines, legacy_too=True, **kw):
    """Sets of ipset, and rules that look into them, of either kind of iptables."""
    program = NEEDS if legacy_too else "iptables"
    return dict(do=[*COUNTRY, *legacy(MASQUERADE, *lines, program=program)], nat=False, needs=IPSET, **kw)


for kind, old in (("legacy", True), ("iptables", False)):
    Scene(f"{kind}: a country is blocked by ipset, and the server is there", args=(stage.SERVER,),
          peer=("ike", "natt", "pptp", "l2tp", "openvpn"), truth=lost(*stage.USUAL), cure=True,
          find=["nft-drop - error", *(f"host-answers {p} info" for p in (
              "ike", "natt", "pptp", "l2tp", "openvpn"))],
          **listed("-A FORWARD -m set --match-set bad dst -j DROP", legacy_too=old))
    Scene(f"healthy: {kind}, a country is blocked by ipset, and the server is elsewhere",
          args=("203.0.113.1",), may=["host-refuses"], truth=lost(*stage.USUAL),
          **listed("-A FORWARD -m set --match-set bad dst -j DROP", legacy_too=old))
Scene("healthy: legacy, a set has exceptions, other ports, interfaces and sets", **ASKED, do=[
          *COUNTRY, "ipset add bad 198.51.100.1/32 nomatch", "ipset create ports bitmap:port range 0-65535",
          "ipset add ports 501-1193", "ipset create svc hash:ip,port", "ipset add svc 198.51.100.1,tcp:500",
          "ipset add svc 198.51.100.2,udp:500", "ipset create all list:set", "ipset add all bad",
          "ipset create dev hash:net,iface", "ipset add dev 0.0.0.0/0,lan9",
          "ipset create six hash:net family inet6", "ipset add six ::/1", "ipset add all six",
          *legacy(MASQUERADE, *(f"-A FORWARD -m set --match-set {s} -j DROP" for s in (
              "bad dst", "bad src", "ports dst", "svc dst,dst", "all dst", "dev dst,src")))],
      nat=False, needs=IPSET)
Scene("legacy: by sets of addresses with ports, of interfaces and of sets", **ASKED,
      truth=lost("ike", "natt", "esp"), do=[
          *COUNTRY, "ipset create svc hash:ip,port", "ipset add svc 198.51.100.1,udp:490-510",
          "ipset add svc 198.51.100.1,esp:0", "ipset create dev hash:net,iface",
          "ipset add dev 198.51.96.0/20,lan1", "ipset create all list:set", "ipset add all dev",
          *legacy(MASQUERADE, "-A FORWARD -m set --match-set svc dst,dst -j DROP",
                  "-A FORWARD -p udp --dport 4500 -m set --match-set all dst,src -j DROP")],
      nat=False, needs=IPSET,
      find=["nft-drop ike error", "nft-drop natt error", "nft-drop esp error"], cure=True)
Scene("legacy: a set that may have the server, of whom nobody is asked", before=[("c1", ["esp"])] * 2,
      kinds=("web",), do=[*COUNTRY, *legacy("-A FORWARD -p esp -m set --match-set bad dst -j DROP")],
      needs=IPSET, find=["nft-drop esp warning"], check=tells("nft-drop", "has dropped"))
Scene("legacy: all but one network", truth=lost("esp"), needs=IPSET, cure=True, do=[
    "ipset create lans hash:net", "ipset add lans 192.168.0.0/16",
    *legacy("-A FORWARD -p esp -m set --match-set lans src -j DROP")], find=["nft-drop esp error"])

# --- ebtables-legacy, which is not judged -----------------------------------------------
BRIDGE = ["link add br0 type bridge", "addr flush dev lan1", "link set lan1 master br0",
          "link set br0 up", "addr add 192.168.1.1/24 dev br0"]
EBTABLES = dict(ip=BRIDGE, needs="ebtables-legacy", find=["not-examined"])
Scene("legacy: a rule in the bridge, which is not judged, is not hidden", truth=lost("esp"), **EBTABLES,
      do=["ebtables-legacy -A INPUT -p ip --ip-proto esp -j DROP"],
      check=tells("not-examined", "ebtables-legacy, table filter (1)"))
Scene("healthy: legacy, the bridge has a table without a rule", ip=BRIDGE, needs="ebtables-legacy",
      do=["ebtables-legacy -L"])
