# SPDX-License-Identifier: GPL-2.0
# IPv6 beside IPv4: it is routed, and rules of one family or of both are in its way.
from words import FWD, lost
EST = "ct state vmap { established : accept, related : accept, invalid : drop }\n"


def table(family, rules, policy="accept"):
    return "table %s fw {\nchain forward {\n%s policy %s\n%s\n}\n}\n" % (family, FWD, policy, rules)


Scene("healthy: IPv6 beside IPv4, no firewall", six=True)
Scene("healthy: IPv6, and a home router's firewall", six=True, nft=table(
    "inet", EST + 'iifname "lan*" oifname "wan" accept', "drop"))
Scene("healthy: IPv6, and rules about others", six=True, nft=table("inet", """
    ip6 daddr 2001:db8:77::/48 drop
    ip6 saddr fe80::/10 meta l4proto esp drop
    iifname "wan" ct state new udp dport { 500, 4500 } drop
    ip6 nexthdr { 135, 60 } drop"""))
Scene("IPv6 and IPv4: ESP is dropped", six=True, nft=table("inet", "meta l4proto esp drop"),
      truth=lost("esp", "esp6"), find=["nft-drop esp error"], cure=True)
Scene("IPv6 alone: IKE is dropped", six=True, nft=table("ip6", "udp dport 500 drop"),
      truth=lost("ike6"), find=["nft-drop ike error"], cure=True)
Scene("IPv6 alone: ESP and AH are rejected", six=True,
      nft=table("inet", "meta nfproto ipv6 meta l4proto { esp, ah } reject"), truth=lost("esp6"),
      find=["nft-drop esp error"], cure=True)
Scene("IPv6 alone: answers of NAT-T are dropped", six=True, nft=table(
    "ip6", 'iifname "wan" udp sport 4500 drop'), truth={"natt6": "half"},
      find=["nft-drop natt error"], cure=True)
Scene("IPv4 alone: IKE is dropped, and IPv6 has it", six=True, nft=table("ip", "udp dport 500 drop"),
      truth=lost("ike"), find=["nft-drop ike error"], cure=True)
Scene("IPv6 and IPv4: a policy that only ports escape", six=True, nft=table(
    "inet", EST + "meta l4proto { tcp, udp } accept", "drop"), truth=lost("esp", "esp6"),
      find=["nft-drop esp error", "nft-drop pptp error", "nft-drop l2tp error"], cure=True)
Scene("IPv6 alone: by an interval of addresses and ports", six=True, nft=table(
    "ip6", "ip6 saddr . udp dport { 2001:db8::-2001:db8:ff:: . 400-600 } drop"),
      truth=lost("ike6"), find=["nft-drop ike *"], cure=True)
Scene("healthy: IPv6 is shut off on purpose, the Web with it", six=True, nft=table(
    "ip6", EST, "drop"), truth=lost(*(k + "6" for k in stage.USUAL)))
