# SPDX-License-Identifier: GPL-2.0
# Rules that drop, and rules that do not.
from words import FWD, forward, fw, half, lost, says
EST = "ct state vmap { established : accept, related : accept, invalid : drop }\n"


ALL = ("ike", "natt", "esp", "pptp", "l2tp")

# --- healthy ---------------------------------------------------------------------
Scene("healthy: no firewall", open={(n, f, k) for n in ("c1", "c2", "r") for f in ("IPv4", "IPv6")
                                    for k in stage.SCANNED})
Scene("healthy: a home router's firewall", nft=forward(
    EST + 'iifname "lan*" oifname "wan" accept', "drop"))
Scene("healthy: rules about others", nft=forward("""
    ip daddr { 198.51.100.77, 198.18.0.0/15 } drop
    ip saddr 192.168.1.77 meta l4proto esp drop
    iifname "wan" ct state new udp dport { 500, 4500 } drop
    udp dport 501-1193 drop
    meta mark 0x5 drop
    ct mark 7 drop
    limit rate over 1000/second burst 900 packets drop
    fib daddr type local drop"""))
Scene("healthy: another LAN is shut off", nft=forward(
    EST + 'iifname "lan1" oifname "wan" accept', "drop"))
Scene("healthy: marks decide, and this traffic has the good one", nft=fw("""
    chain pre { type filter hook prerouting priority mangle
        iifname "lan*" meta mark set 0x10 }
    chain forward { %s policy drop
        %s meta mark 0x10 accept }""" % (FWD, EST)))
Scene("healthy: the mark of the connection lets it pass", nft=fw("""
    chain pre { type filter hook prerouting priority mangle
        ct mark set 0x7
        meta mark set ct mark }
    chain forward { %s policy drop
        meta mark and 0xf == 0x7 accept }""" % FWD))
Scene("healthy: a concatenation spares VPNs", nft=forward(
    EST + 'iifname . meta l4proto { "lan1" . esp, "lan1" . tcp, "lan1" . udp, "lan2" . esp, '
    '"lan2" . tcp, "lan2" . udp, "lan1" . gre, "lan2" . gre, "lan1" . 115, "lan2" . 115 } accept', "drop"))
Scene("healthy: a blocklist with many addresses", nft=forward(EST + "ip daddr @bad drop", extra="""
    set bad { type ipv4_addr; flags interval; elements = { %s }; }""" % ", ".join(
        "10.%d.%d.0/24" % (i >> 4, i & 15) for i in range(120))))
Scene("healthy: the router keeps itself to itself", nft=fw("""
    chain in { type filter hook input priority filter; policy drop
        iifname lo accept
        ct state established accept }"""))
Scene("healthy: a rate limit on new connections", nft=forward(
    EST + "ct state new limit rate over 500/second burst 500 packets drop"))
Scene("healthy: a flowtable without modules", nft=fw("""
    flowtable ft { hook ingress priority filter; devices = { wan, lan1, lan2 }; }
    chain forward { %s policy accept
        meta l4proto { tcp, udp } flow add @ft }""" % FWD), needs="nft_flow_offload")
Scene("healthy: a dormant table that would drop", nft="""table inet fw { flags dormant
    chain forward { %s policy drop; }
}
""" % FWD)
Scene("healthy: a quota that is far from used up", nft=forward("quota over 900000 mbytes drop"),
      needs="nft_quota")
Scene("healthy: maps to verdicts", nft=forward(
    EST + "meta l4proto vmap { esp : accept, gre : accept, 115 : accept, tcp : accept, udp : accept }",
    "drop"))
Scene("healthy: a verdict map by interfaces", nft=fw("""
    chain out { accept; }
    chain no { drop; }
    chain forward { %s policy drop
        %s
        iifname . oifname vmap { "lan1" . "wan" : jump out, "lan2" . "wan" : jump out,
            "wan" . "lan1" : jump no } }""" % (FWD, EST)))
Scene("healthy: rules of IPv6, where there is none", nft=forward(
    "meta nfproto ipv6 drop\nip6 nexthdr esp drop"))
Scene("healthy: a netdev chain on another interface's traffic", nft="""table netdev n {
    chain i { type filter hook ingress device "lan2" priority 0
        ip saddr 192.168.2.77 ip protocol esp drop; }
}
""")
Scene("healthy: OpenWrt's zones", nft="""table inet fw4 {
    chain forward { %s policy drop
        ct state vmap { established : accept, related : accept }
        iifname "lan1" jump forward_lan
        iifname "lan2" jump forward_lan
        iifname "wan" jump forward_wan
        jump handle_reject; }
    chain handle_reject { meta l4proto tcp reject with tcp reset
        reject; }
    chain accept_to_wan { meta nfproto ipv4 oifname "wan" ct state invalid counter drop
        oifname "wan" counter accept; }
    chain forward_lan { jump accept_to_wan; }
    chain forward_wan { icmp type echo-request limit rate 1000/second accept
        jump handle_reject; }
}
""" % FWD)
Scene("healthy: only VPNs and the Web are let out", nft=forward(
    EST + "meta l4proto { esp, gre, 115 } accept\n"
    "udp dport { 53, 443, 500, 1194, 1701, 4500, 51820 } accept\n"
    "tcp dport { 80, 443, 1723, 1194 } accept", "drop"))

# --- one rule --------------------------------------------------------------------
Scene("ESP is dropped, both ways", nft=forward("meta l4proto esp drop"), truth=lost("esp"),
      find=["nft-drop esp error"], cure=True)
Scene("IKE is rejected on its way out", nft=forward("udp dport 500 reject"), truth=lost("ike"),
      find=["nft-drop ike error"], cure=True)
Scene("the answers of NAT-T are dropped", nft=forward('iifname "wan" udp sport 4500 drop'),
      truth=half("natt"), find=["nft-drop natt error"], cure=True)
Scene("IKE and NAT-T by a set", nft=forward("udp dport { 500, 4500 } drop"),
      truth=lost("ike", "natt"), find=["nft-drop ike error", "nft-drop natt error"], cure=True)
Scene("PPTP's control connection is reset", nft=forward("tcp dport 1723 reject with tcp reset"),
      truth=lost("pptp"), find=["nft-drop pptp error"], cure=True)
Scene("GRE is dropped", nft=forward("meta l4proto gre drop"), kinds=("ike", "esp", "pptp", "web"),
      find=["nft-drop pptp error"])
Scene("OpenVPN is dropped", nft=forward("udp dport 1194 drop"), truth=lost("openvpn"),
      find=["nft-drop openvpn warning"], cure=True)
Scene("L2TP by an interval", nft=forward("udp dport 1600-1800 drop"), truth=lost("l2tp"),
      find=["nft-drop l2tp error"], cure=True)
Scene("all ports but some", nft=forward(EST + "udp dport != { 53, 443, 1194, 4500, 51820 } drop"),
      truth=lost("ike", "l2tp"), find=["nft-drop ike error", "nft-drop l2tp error"], cure=True)
Scene("by a jump and a goto", nft=fw("""
    chain end { drop; }
    chain vpn { meta l4proto esp goto end; }
    chain forward { %s policy accept
        iifname "lan1" jump vpn; }""" % FWD), truth=lost("esp"), find=["nft-drop esp error"], cure=True)
Scene("by a map to verdicts", nft=forward("udp dport vmap { 500 : drop, 1701 : drop }"),
      truth=lost("ike", "l2tp"), find=["nft-drop ike error", "nft-drop l2tp error"], cure=True)
Scene("by a concatenation", nft=forward('iifname . udp dport { "lan1" . 500, "lan2" . 500 } drop'),
      truth=lost("ike"), find=["nft-drop ike error"], cure=True)
Scene("by a concatenation with an interval", nft=forward("meta l4proto . th dport @s drop", extra="""
    set s { type inet_proto . inet_service; flags interval; elements = { udp . 400-600, tcp . 1720-1730 }; }"""),
      truth=lost("ike", "pptp"), find=["nft-drop ike error", "nft-drop pptp error"], cure=True)
Scene("by a mark that another rule sets", nft=fw("""
    chain pre { type filter hook prerouting priority mangle
        meta l4proto esp meta mark set 0x99 }
    chain forward { %s policy accept
        meta mark 0x99 drop }""" % FWD), truth=lost("esp"), find=["nft-drop esp error"], cure=True)
Scene("by the mark of the connection", nft=fw("""
    chain pre { type filter hook prerouting priority mangle
        udp dport 500 ct mark set 0x5 }
    chain forward { %s policy accept
        ct mark 0x5 drop }""" % FWD), truth=lost("ike"), find=["nft-drop ike error"], cure=True)
Scene("by ct protocol", nft=forward("ct state new ct protocol esp drop"), truth=lost("esp"),
      find=["nft-drop esp error"], cure=True)
RAW = fw("chain pre { type filter hook prerouting priority raw; policy accept; udp dport 4500 drop; }")
# there an answer is told from a stranger's packet by its sender alone
Scene("before connection tracking", nft=RAW, truth=lost("natt"), find=["nft-drop natt error"],
      cure=True, cured=half("natt"), check=lambda found, rc, err: [] if all(
          "vpnpass doctor HOST" in f["do"] for f in found if f["finding"] == "nft-drop")
      else ["how to let answers in is not told"])
Scene("before connection tracking, of a host that is asked", nft=RAW, args=(stage.SERVER,),
      truth=lost("natt"), find=["nft-drop natt error"], may=["host-refuses", "host-silent", "answers-dropped"],
      cure=True)
Scene("iptables: before connection tracking, of a host that is asked", args=(stage.SERVER,), do=[
    "printf '%s\\n' '*raw' '-A PREROUTING -p udp --dport 4500 -j DROP' COMMIT | iptables-nft-restore"],
      truth=lost("natt"), find=["nft-drop natt error"], cure=True,
      may=["host-refuses", "host-silent", "answers-dropped"])
Scene("answers dropped before connection tracking", nft=fw(
    'chain pre { type filter hook prerouting priority raw; policy accept; iifname "wan" meta l4proto esp drop; }'),
      truth=half("esp"), traffic=[("c1", ["esp"])], find=["nft-drop esp error"], cure=True)
Scene("behind routing", nft=fw(
    'chain post { type filter hook postrouting priority 10; oifname "wan" udp dport 1701 drop; }'),
      truth=lost("l2tp"), find=["nft-drop l2tp error"], cure=True)
Scene("at one interface", nft="""table netdev n {
    chain i { type filter hook ingress device "lan1" priority 0; ip protocol esp drop; }
}
""", truth=lost("esp"), find=["nft-drop esp error"], cure=True)
Scene("at the second of several interfaces", nft="""table netdev n {
    chain i { type filter hook ingress devices = { lan2, lan1 } priority 0; ip protocol esp drop; }
}
""", truth=lost("esp"), find=["nft-drop esp error"], cure=True)
Scene("at the interface, in a table of both families", nft=fw(
    'chain i { type filter hook ingress device "lan1" priority 0; udp dport 500 drop; }'),
      truth=lost("ike"), find=["nft-drop ike error"], cure=True)
Scene("an interval in the table of ip", nft="""table ip f {
    chain forward { %s policy accept; ip protocol { 50, 51 } drop; }
}
""" % FWD, truth=lost("esp"), find=["nft-drop esp error"], cure=True)

# --- policies --------------------------------------------------------------------
Scene("a policy that only ports escape", nft=forward(EST + "meta l4proto { tcp, udp } accept", "drop"),
      truth=lost("esp"), find=["nft-drop esp error", "nft-drop pptp error", "nft-drop l2tp error"],
      cure=True)
Scene("a policy that only the Web escapes", nft=forward(
    EST + "tcp dport { 80, 443 } accept\nudp dport { 53, 443 } accept", "drop"),
      truth=lost("ike", "natt", "esp", "pptp", "l2tp", "openvpn"),
      find=["nft-drop - error"], cure=True)
Scene("a policy that nothing escapes", nft=forward(EST, "drop"),
      truth=lost(*stage.USUAL), find=["nft-drop - error"], cure=True)
Scene("a goto, and the policy behind it", nft=forward(
    EST + 'iifname "lan*" goto out\naccept', "drop",
    "chain out {\nmeta l4proto { tcp, udp } accept\n}"), truth=lost("esp"), cure=True,
      find=["nft-drop esp error", "nft-drop pptp error", "nft-drop l2tp error"])
Scene("answers that nothing accepts", nft=forward('iifname "lan*" accept', "drop"),
      truth=half("ike", "natt", "esp", "l2tp", "openvpn") | lost("pptp", "web"),
      find=["nft-drop - error"], cure=True)
Scene("two faults: ESP by a rule, IKE by another table", nft=forward("meta l4proto esp drop") + """
table ip other { chain f {
 type filter hook forward priority 10; udp dport 500 drop; }
}
""", truth=lost("esp", "ike"), find=["nft-drop esp error", "nft-drop ike error"], cure=True)
Scene("two faults: one packet dropped by two tables", nft=forward("meta l4proto esp drop") + """
table ip other { chain f {
 type filter hook forward priority 10; meta l4proto esp drop; }
}
""", truth=lost("esp"), find=["nft-drop esp error"], cure=True,
      check=lambda found, rc, err: [] if len([f for f in found if f["finding"] == "nft-drop"]) == 2
      else ["not both places"])
Scene("two faults: answers of IKE and ESP itself", nft=forward(
    'iifname "wan" udp sport 500 drop\niifname "lan1" meta l4proto esp drop'),
      truth=lost("esp") | half("ike"), find=["nft-drop esp error", "nft-drop ike error"], cure=True)

# --- iptables and its managers -----------------------------------------------------
def ipt(*lines):
    return ["printf '%s\\n' '*filter' " + " ".join("'%s'" % line for line in lines) +
            " COMMIT | iptables-nft-restore"]


RELATED = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
DOCKER = (":FORWARD DROP [0:0]", ":DOCKER-USER - [0:0]", ":DOCKER - [0:0]",
          ":DOCKER-ISOLATION-STAGE-1 - [0:0]",
          "-A FORWARD -j DOCKER-USER", "-A FORWARD -j DOCKER-ISOLATION-STAGE-1",
          "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          "-A FORWARD -o docker0 -j DOCKER", "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
          "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
          "-A DOCKER-ISOLATION-STAGE-1 -j RETURN", "-A DOCKER-USER -j RETURN")
DOCKER0 = ["link add docker0 type veth peer name vethd", "addr add 172.17.0.1/16 dev docker0",
           "link set docker0 up", "link set vethd up"]
Scene("iptables: ESP", do=ipt(RELATED, "-A FORWARD -i lan1 -p esp -j DROP"), truth=lost("esp"),
      find=["nft-drop esp error"], cure=True)
Scene("iptables: several ports", do=ipt(
    RELATED, "-A FORWARD -p udp -m multiport --dports 500,1701 -j REJECT"),
      truth=lost("ike", "l2tp"), find=["nft-drop ike error", "nft-drop l2tp error"], cure=True)
Scene("iptables: the policy", do=ipt(":FORWARD DROP [0:0]", RELATED), truth=lost(*stage.USUAL),
      find=["nft-drop - error"], cure=True)
Scene("iptables: by a mark, and states in an older form", do=[
    "printf '%s\\n' '*mangle' '-A PREROUTING -p esp -j MARK --set-xmark 0x90/0xf0' COMMIT "
    "'*filter' '-A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT' "
    "'-A FORWARD -m mark --mark 0x90/0xf0 -j DROP' COMMIT | iptables-nft-restore"],
      truth=lost("esp"), find=["nft-drop esp error"], cure=True)
Scene("Docker's policy shuts the LAN", ip=DOCKER0, do=ipt(*DOCKER), truth=lost(*stage.USUAL),
      find=["nft-drop - error"], cure=True, check=lambda found, rc, err: [
          "not in Docker's words: " + str(f["commands"]) for f in found
          if f["finding"] == "nft-drop" and not all("DOCKER-USER" in c for c in f["commands"])])
Scene("healthy: Docker, and rules for the LAN", ip=DOCKER0, do=ipt(
    *DOCKER[:-1], "-A DOCKER-USER -i lan+ -o wan -j ACCEPT",
    "-A DOCKER-USER -i wan -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A DOCKER-USER -j RETURN"))
Scene("a rule in DOCKER-USER drops ESP", ip=DOCKER0, do=ipt(
    *DOCKER[:-1], "-A DOCKER-USER -p esp -j DROP", "-A DOCKER-USER -i lan+ -o wan -j ACCEPT",
    "-A DOCKER-USER -i wan -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A DOCKER-USER -j RETURN"), truth=lost("esp"), find=["nft-drop esp error"], cure=True)
UFW = (":FORWARD DROP [0:0]", ":ufw-before-forward - [0:0]", ":ufw-user-forward - [0:0]",
       ":ufw-reject-forward - [0:0]", "-A FORWARD -j ufw-before-forward",
       "-A FORWARD -j ufw-reject-forward",
       "-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
       "-A ufw-before-forward -p icmp --icmp-type 8 -j ACCEPT",
       "-A ufw-before-forward -j ufw-user-forward")


Scene("ufw's policy shuts the LAN", do=ipt(*UFW), truth=lost(*stage.USUAL),
      find=["nft-drop - error"], check=says("ufw route allow in on lan"))
Scene("a rule of ufw's denies IKE", do=ipt(
    *UFW, "-A ufw-user-forward -i lan1 -o wan -p udp --dport 500 -j DROP",
    "-A ufw-user-forward -i lan+ -o wan -j ACCEPT"), truth=lost("ike"),
      find=["nft-drop ike error"], check=says("ufw route prepend allow in on lan1 out on wan proto udp"))
Scene("healthy: ufw with a route allowed", do=ipt(*UFW, "-A ufw-user-forward -i lan+ -o wan -j ACCEPT"))
Scene("healthy: libvirt's network beside the LAN", ip=[
    "link add virbr0 type veth peer name vnetp", "addr add 192.168.122.1/24 dev virbr0",
    "link set virbr0 up", "link set vnetp up"], do=ipt(
    ":LIBVIRT_FWI - [0:0]", ":LIBVIRT_FWO - [0:0]", ":LIBVIRT_FWX - [0:0]",
    "-A FORWARD -j LIBVIRT_FWX", "-A FORWARD -j LIBVIRT_FWI", "-A FORWARD -j LIBVIRT_FWO",
    "-A LIBVIRT_FWI -d 192.168.122.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A LIBVIRT_FWI -o virbr0 -j REJECT --reject-with icmp-port-unreachable",
    "-A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT",
    "-A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable",
    "-A LIBVIRT_FWX -i virbr0 -o virbr0 -j ACCEPT"))
Scene("OpenWrt's zones without a rule for ESP", nft="""table inet fw4 {
    chain forward { %s policy drop
        ct state vmap { established : accept, related : accept }
        iifname { "lan1", "lan2" } jump forward_lan
        iifname "wan" jump forward_wan
        jump handle_reject; }
    chain forward_wan { jump handle_reject; }
    chain handle_reject { reject comment "!fw4: Reject any other traffic"; }
    chain accept_to_wan { oifname "wan" counter accept; }
    chain forward_lan { ip protocol { tcp, udp, icmp } jump accept_to_wan; }
}
""" % FWD, truth=lost("esp"),
      find=["nft-drop esp error", "nft-drop pptp error", "nft-drop l2tp error"],
      check=says("uci add firewall rule"))
Scene("firewalld's policy denies IKE", nft="""table inet firewalld {
    chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept
        ct state { established, related } accept
        iifname "lan1" jump filter_FWD_home
        reject with icmpx admin-prohibited; }
    chain filter_FWD_home { udp dport 500 drop
        oifname "wan" accept; }
}
""", truth=lost("ike"), find=["nft-drop ike error"],
      check=says("firewall-cmd --permanent --policy=vpnout --add-port=500/udp"))
Scene("a comment says whose rule it is", nft=forward('meta l4proto esp drop comment "no tunnels, Bob"'),
      truth=lost("esp"), find=["nft-drop esp error"], cure=True,
      check=lambda found, rc, err: [] if any("no tunnels, Bob" in f["seen"] for f in found)
      else ["the comment is not told"])
