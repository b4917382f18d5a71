# SPDX-License-Identifier: GPL-2.0
# Rules look at hardware addresses, and at whether IPsec of the router's own encrypts a packet.
# Such a match is decided, or doctor says that it was not.
from words import forward, lost, tells
USUAL = stage.USUAL
SERVER = stage.SERVER
MAC = stage.MACS["lan1"][1]
# the router has a tunnel of its own to another office
TUNNEL = ("ip xfrm policy add dir out src 192.168.1.0/24 dst 10.77.0.0/16 tmpl src 203.0.113.2 "
          "dst 192.0.2.9 proto esp mode tunnel")


def ipt(*lines):
    return ["iptables -A FORWARD " + line for line in lines]


# --- IPsec of the router's own -------------------------------------------------------
NOT_OURS = "-i lan+ -p udp -m multiport --dports 500,4500 -m policy --dir out --pol none -j DROP"
Scene("iptables: what leaves without an IPsec of this router's is dropped", do=ipt(NOT_OURS),
      truth=lost("ike", "natt"), find=["nft-drop ike error", "nft-drop natt error"], cure=True)
Scene("what leaves without an IPsec of this router's is dropped", nft=forward(
    'iifname "lan*" meta l4proto esp rt ipsec missing drop'), truth=lost("esp"),
      find=["nft-drop esp error"], cure=True, needs="nft_rt")
Scene("healthy: iptables, what leaves by an IPsec of this router's is dropped, and there is none", do=ipt(
    "-m policy --dir out --pol ipsec -j DROP", "-m policy --dir in --pol ipsec -j DROP"))
Scene("healthy: what leaves by an IPsec of this router's is dropped, and there is none", needs="nft_xfrm",
      nft=forward("rt ipsec exists drop\nipsec out reqid 1 drop\nipsec in reqid 1 drop"))
Scene("exit status 4: it depends on an IPsec of this router's, which is not hidden", code=4,
      args=(SERVER,), peer=("ike", "natt"), truth=lost("ike", "natt"), may=["host-answers", "host-refuses"],
      do=[TUNNEL, *ipt(NOT_OURS)], last=["iptables -Z"], find=["not-examined"],
      check=lambda found, rc, err: tells("not-examined", "firewall rule", "IKE", "IPsec of this router's")(
          found, rc, err) + ([] if "not examined: whether" in err else ["not on standard error"]))

# --- hardware addresses --------------------------------------------------------------
Scene("iptables: a client may not use IKE, by its hardware address", needs="xt_mac", traffic=[("c1", ["ike"])],
      truth=lost("ike"), do=ipt(f"-p udp --dport 500 -m mac --mac-source {MAC} -j DROP"),
      find=["nft-drop ike error"], cure=True, check=tells("nft-drop", "192.168.1.2 with " + SERVER))
Scene("a client may not use IKE, by a set of hardware addresses", traffic=[("c1", ["ike"])],
      truth=lost("ike"), nft=forward("udp dport 500 ether saddr . ip saddr @shut drop", extra="""
    set shut { type ether_addr . ipv4_addr; elements = { %s . 192.168.1.2 }; }""" % MAC),
      find=["nft-drop ike error"], cure=True)
Scene("HOST: a client may not use ESP, by its hardware address", args=(SERVER, "from", "192.168.1.2"),
      truth=lost("esp"), peer=("ike", "natt"), find=["nft-drop esp error"], may=["host-answers", "host-refuses"],
      nft=forward(f"ether saddr {MAC} meta l4proto esp drop"), cure=True, last=[
          "ping -c 1 -W 1 192.168.1.2 > /dev/null"])
Scene("healthy: other hardware addresses may not use IKE", needs="xt_mac", traffic=[("c1", ["ike"])], nft=forward(
    "udp dport 500 ether saddr { 02:00:00:00:99:01, 02:00:00:00:99:02 } counter drop"), do=ipt(
        "-p udp --dport 500 -m mac --mac-source 02:00:00:00:99:03 -j DROP",
        f"-i lan1 -p udp --dport 500 -m mac ! --mac-source {MAC} -j DROP"))
Scene("healthy: a list of hardware addresses, and nobody asks", nft=forward(
    f"ether saddr {MAC} udp dport 500 drop"), truth=lost("ike"))
Scene("it depends on a hardware address that is not known, which is not hidden", before=[("c1", ["natt"])],
      needs="xt_mac",
      do=ipt("-p udp --dport 4500 -m mac --mac-source 02:00:00:00:99:03 -j DROP"), code=3,
      last=["ip neigh flush dev lan1"], find=["not-examined", "needs-no-help natt info"],
      check=tells("not-examined", "hardware address"))

# --- the exit status ------------------------------------------------------------------
# of HOST, where it is no finding that no module of ours is loaded
ASKED = dict(args=(SERVER,), peer=("ike", "natt"), may=["host-answers * info", "host-refuses * info"])
Scene("exit status 0: nothing is found, and all was examined", code=0, **ASKED)
Scene("exit status 3: something is found, and not all was examined", code=3, truth=lost("ike", "natt", "esp"),
      do=[TUNNEL, *ipt(NOT_OURS)], nft=forward("meta l4proto esp drop"), last=["iptables -Z"],
      find=["nft-drop esp error", "not-examined"], **ASKED)
Scene("exit status 2: nothing is found, and the kernel refused to tell something", code=2, user=65534,
      find=["not-examined"], **ASKED)
