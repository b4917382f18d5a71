# SPDX-License-Identifier: GPL-2.0
# Another NAT outside this router, which an IKE responder proves or refutes by what it sees
# (RFC 7296 2.23, RFC 3947 3.2). It is set up in the gateway, at the input, so that only its services see
# another address than the packets come with.
from words import tells, wan
HOST = (stage.SERVER,)
IKE = ("ike", "natt")
OTHERS = ["host-answers natt info", *("host-refuses %s info" % p for p in ("pptp", "l2tp", "openvpn"))]
ANSWERS = ["host-answers ike info", *OTHERS]


def outside(rule):
    return ["nft 'add table ip cgn; add chain ip cgn in { type nat hook input priority 100; }; "
            "add rule ip cgn in %s'" % rule]


# the rules of a router whose provider gives it some ports of an address (MAP-E)
MAP_E = """table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "wan" meta l4proto udp masquerade to :1024-1087; oifname "wan" masquerade; }; }
"""
OTHER = """table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "wan" snat to %s; }; }
"""
CARRIER = outside("ip saddr 203.0.113.2 snat to 203.0.113.77")

Scene("NAT: none outside, and the gateway says so", args=HOST, peer=IKE, find=ANSWERS, code=0,
      outer="203.0.113.2", check=tells("host-answers", "sees 203.0.113.2: no NAT on the way"))
Scene("NAT: a carrier's behind an address that looks public", args=HOST, peer=IKE, gdo=CARRIER,
      outer="203.0.113.77", find=["nat-outside - warning", *ANSWERS],
      check=tells("nat-outside", "203.0.113.2", stage.SERVER, "saw another"))
Scene("NAT: a carrier's, but only IKE on 4500 is answered", args=HOST, peer=("natt",), gdo=CARRIER,
      outer="203.0.113.77", find=["nat-outside - warning", "host-refuses ike info", *OTHERS])
Scene("NAT: a carrier's, and the gateway wants a cookie and another group", args=HOST,
      peer=("ike=cookie", "natt=cookie"), gdo=CARRIER, outer="203.0.113.77",
      find=["nat-outside - warning", *ANSWERS],
      check=tells("host-answers", "IKEv2, proposal accepted, sees another address than"))
Scene("NAT: outside, of ports alone", args=HOST, peer=IKE,
      gdo=outside("meta l4proto udp snat to 203.0.113.2:1024-1087"), outer="203.0.113.2",
      find=["nat-outside - warning", *ANSWERS], check=tells("nat-outside", "saw port 10"))
Scene("NAT: a carrier's, and the address says so as well", args=HOST, peer=IKE, **wan("100.64.3.4"),
      gdo=outside("ip saddr 100.64.3.4 snat to 203.0.113.77"), outer="203.0.113.77",
      find=["cgnat - warning", *ANSWERS], check=tells("cgnat", "100.64.3.4", "saw another"))
Scene("NAT: another router's before this one", args=HOST, peer=IKE, **wan("192.168.178.20"),
      gdo=outside("ip saddr 192.168.178.20 snat to 203.0.113.77"), outer="203.0.113.77",
      find=["double-nat - warning", *ANSWERS], check=tells("double-nat", "saw another"))
V1 = ("ike=v1", "natt=v1")
Scene("NAT: none outside, and a gateway of IKEv1 says so", args=HOST, peer=V1, find=ANSWERS, code=0,
      outer="203.0.113.2", check=tells("host-answers", "IKEv1, proposal accepted, sees 203.0.113.2: no NAT"))
Scene("NAT: a carrier's, and the gateway knows IKEv1 alone", args=HOST, peer=V1, gdo=CARRIER,
      outer="203.0.113.77", find=["nat-outside - warning", *ANSWERS],
      check=tells("nat-outside", "203.0.113.2", "saw another (RFC 3947 3.2)"))
Scene("NAT: outside, of ports alone, and the gateway knows IKEv1 alone", args=HOST, peer=V1,
      gdo=outside("meta l4proto udp snat to 203.0.113.2:1024-1087"), outer="203.0.113.2",
      find=["nat-outside - warning", *ANSWERS], check=tells("nat-outside", "saw port 10", "RFC 3947"))
for how, words in (
        ("v1-too", "IKEv2, NO_PROPOSAL_CHOSEN; IKEv1, proposal accepted, sees another address than"),
        ("v1-sha256", "IKEv1, proposal accepted, sees another address than")):
    Scene(f"NAT: a carrier's, and the gateway is {how}", args=HOST, peer=(f"ike={how}", f"natt={how}"),
          gdo=CARRIER, outer="203.0.113.77", find=["nat-outside - warning", *ANSWERS],
          check=tells("host-answers", words))
for how, words, more in (
        ("v1-old", "IKEv1, proposal accepted, no NAT-T (RFC 3947)", ()),
        ("v1-forced", "IKEv1, proposal accepted", ("server-nat ike info",)),
        ("v1-mute", "IKEv1, proposal accepted", ()),
        ("v1-secret", "IKEv1, proposal accepted, then INVALID_KEY_INFORMATION", ()),
        ("v1-refuse", "IKEv1, NO_PROPOSAL_CHOSEN", ())):
    Scene(f"NAT: a carrier's that a gateway which is {how} cannot prove", args=HOST,
          peer=(f"ike={how}", f"natt={how}"), gdo=CARRIER, outer="203.0.113.77",
          find=[*ANSWERS, *more], code=0,
          check=lambda found, rc, err, words=words: [] if any(
              f["seen"].endswith(": " + words) for f in found) else [f"nobody says {words}"])
Scene("healthy: a gateway of IKEv1 that hides its own address to have NAT-T used", args=HOST,
      peer=("ike=v1-forced", "natt=v1-forced"), outer="203.0.113.2",
      find=[*ANSWERS, "server-nat ike info"], code=0,
      check=tells("server-nat", "another address (RFC 3947 3.2)"))
Scene("healthy: a private address, which the gateway sees as it is", args=HOST, peer=IKE,
      **wan("192.168.178.20"), outer="192.168.178.20", find=ANSWERS, code=0)
Scene("healthy: this router has some ports of an address only", args=HOST, peer=IKE, nat=False,
      nft=MAP_E, outer="203.0.113.2", find=ANSWERS, code=0,
      check=tells("host-answers", "no NAT on the way"))
Scene("healthy: this router leaves with a second address of its own", args=HOST, peer=IKE,
      nat=False, nft=OTHER % "203.0.113.9", ip=["addr add 203.0.113.9/24 dev wan"],
      outer="203.0.113.9", find=ANSWERS, code=0,
      check=tells("host-answers", "sees 203.0.113.9: no NAT on the way"))
Scene("healthy: this router leaves with an address that is routed to it", args=HOST, peer=IKE,
      nat=False, nft=OTHER % "198.51.100.200", gip=["route add 198.51.100.200 via 203.0.113.2"],
      outer="198.51.100.200", find=ANSWERS, code=0)
Scene("healthy: a gateway that hides its own address to have NAT-T used", args=HOST,
      peer=("ike=forced", "natt=forced"), outer="203.0.113.2",
      find=[*ANSWERS, "server-nat ike info"], code=0,
      check=tells("host-answers", "no NAT on the way"))
Scene("NAT: a carrier's that a gateway which hides its address cannot prove", args=HOST,
      peer=("ike=forced", "natt=forced"), gdo=CARRIER, outer="203.0.113.77",
      find=[*ANSWERS, "server-nat ike info"], code=0)
Scene("NAT: a carrier's that a gateway which refuses says nothing of", args=HOST,
      peer=("ike=refuse", "natt=refuse"), gdo=CARRIER, outer="203.0.113.77", find=ANSWERS, code=0)
Scene("NAT: who may not see this router's own says nothing of another's", args=HOST, peer=IKE,
      gdo=CARRIER, outer="203.0.113.77", user=65534, find=ANSWERS, may=["not-examined"])
# its gateway, which is behind a NAT of its own
BEHIND = dict(gip=["addr add 10.9.9.9/32 dev lo"], gdo=[
    "nft 'add table ip own; add chain ip own in { type nat hook prerouting priority -100; }; "
    "add rule ip own in ip daddr 198.51.100.1 udp dport { 500, 4500 } dnat to 10.9.9.9'"])
for how, by in (("nat", "RFC 7296 2.23"), ("v1-nat", "RFC 3947 3.2")):
    Scene(f"HOST: a gateway behind a NAT of its own, which Windows refuses ({how})", args=HOST,
          peer=("addr=10.9.9.9", f"ike={how}", f"natt={how}"), kinds=(), **BEHIND,
          find=[*ANSWERS, "server-nat ike info"], code=0,
          check=tells("server-nat", "says that it has another address", by))

# --- gateways of mobile operators ---------------------------------------------------------
EPDG = "epdg.epc.mnc001.mcc001.pub.3gppnetwork.org"
IS_EPDG = ["wifi-calling natt info", "host-answers ike info", "host-answers natt info"]


def called(name):
    return dict(args=(name,), hosts="198.51.100.1 " + name, peer=IKE)


Scene("healthy: HOST is an operator's gateway for Wi-Fi calling", **called(EPDG), find=IS_EPDG, code=0,
      check=tells("wifi-calling", EPDG, stage.SERVER))
Scene("healthy: HOST is such a gateway for emergency calls", **called("sos." + EPDG.upper()), code=0,
      find=IS_EPDG)
Scene("HOST is an operator's gateway, and NAT-T is forgotten soon", **called(EPDG), cure=True,
      sysctl={"netfilter/nf_conntrack_udp_timeout_stream": 15},
      find=[*IS_EPDG, "udp-timeout natt warning"])
Scene("healthy: NAT-T is forgotten soon, and HOST is no operator's", **called("vpn.example"), code=0,
      sysctl={"netfilter/nf_conntrack_udp_timeout_stream": 15}, find=ANSWERS)
Scene("healthy: HOST has a name that is much like an operator's gateway's", code=0, find=ANSWERS,
      **called("epdg.epc.mnc001.mcc001.pub.3gppnetwork.org.example"))
Scene("HOST is an operator's gateway that is silent", args=(EPDG,), hosts="198.51.100.1 " + EPDG,
      mute=IKE, truth={"ike": "half", "natt": "half"},
      find=["wifi-calling natt info", "host-silent ike warning", "host-silent natt warning"])
Scene("HOST: IKE by TCP 4500, and UDP 4500 is shut", args=HOST, peer=("ike", "iketcp"),
      find=["host-answers ike info", "ike-tcp ike info", "host-refuses natt info", *OTHERS[1:]], code=0)
Scene("healthy: IKE by TCP 4500 as well", args=HOST, peer=(*IKE, "iketcp"), find=ANSWERS, code=0)
