# SPDX-License-Identifier: GPL-2.0
# What is seen of connections: who is answered, who is not, who shuts whom out.
from words import half, lost, tells
USUAL = stage.USUAL


# --- one client's connection is like another's ---------------------------------------
Scene("two clients of native ESP, both sending", traffic=[("c1", ["esp"]), ("c2", ["esp"])],
      find=["nat-clash esp error"], check=tells("nat-clash", "192.168.2.2 sends IPsec's ESP", stage.SERVER, "192.168.1.2 has that"))
Scene("two clients of native ESP, and IKE by NAT-T", before=[("c1", ["natt"]), ("c2", ["natt"])],
      traffic=[("c1", ["esp"]), ("c2", ["esp"])], find=["nat-clash esp error"],
      may=["needs-no-help natt info"])
Scene("two clients of native ESP, a while ago", before=[("c1", ["esp"]), ("c2", ["esp"])],
      find=["one-client esp info"], check=tells("one-client", "192.168.1.2", "insert_failed"))
Scene("two clients of L2TPv3", traffic=[("c1", ["l2tp3"]), ("c2", ["l2tp3"])],
      find=["nat-clash l2tp error"])
Scene("healthy: one client of native ESP", traffic=[("c1", ["esp"])], find=["one-client esp info"])
Scene("healthy: two clients of IKE, one server", traffic=[("c1", ["ike"]), ("c2", ["ike"])])
Scene("healthy: two clients of PPTP's control connection", before=[("c1", ["pptp"]), ("c2", ["pptp"])])

# --- nobody answers --------------------------------------------------------------------
for kind, proto in (("ike", "ike"), ("natt", "natt"), ("esp", "esp"), ("l2tp", "l2tp"),
                    ("openvpn", "openvpn")):
    Scene(f"the provider drops {kind}", mute=[kind], truth=half(kind), traffic=[("c1", [kind])],
          find=[f"path-silent {proto} error"], check=tells("path-silent", "192.168.1.2", stage.SERVER))
Scene("the provider drops TCP 1723", gdo=[
    "nft 'add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }; "
    "add rule ip deaf in tcp dport 1723 drop'"], truth=lost("pptp"), traffic=[("c1", ["pptp"])],
      find=["path-silent pptp error"])
Scene("the provider drops IKE and OpenVPN", mute=["ike", "openvpn"], truth=half("ike", "openvpn"),
      traffic=[("c1", ["ike", "openvpn"])], find=["path-silent ike error", "path-silent openvpn error"])
Scene("one of two gateways is down", mute=["ike"], truth=half("ike"),
      traffic=[("c1", ["ike", "natt"])], find=["path-silent ike error", "needs-no-help natt info"])
Scene("healthy: one stray packet to a port", mute=["natt"], truth=half("natt"),
      sysctl={"netfilter/nf_conntrack_acct": 1}, before=[("c1", ["natt"])])
Scene("several packets, and nobody answers", mute=["natt"], truth=half("natt"),
      sysctl={"netfilter/nf_conntrack_acct": 1}, traffic=[("c1", ["natt"])],
      find=["path-silent natt error"])
ASK = ["VPNPASS doctor probe 198.51.100.1 timeout 1"]
Scene("healthy: the doctor's own question is no VPN", last=ASK, mute=["ike", "natt"],
      truth=half("ike", "natt"))
Scene("healthy: services that refuse the doctor's question", last=ASK, shut=True, kinds=())

# --- answered ---------------------------------------------------------------------------
Scene("healthy: NAT-T, OpenVPN and WireGuard are answered", before=[
    ("c1", ["natt", "openvpn", "wireguard"])],
      find=["needs-no-help natt info", "needs-no-help openvpn info", "needs-no-help wireguard info"])
Scene("healthy: everything is answered", before=[("c1", ["ike", "esp", "pptp", "l2tp"])],
      find=["one-client esp info", "l2tp-clear l2tp info", "natt-unused ike info"])

# --- IPsec that does without NAT-T ------------------------------------------------------
Scene("IKE on 500 and ESP through NAT", before=[("c1", ["ike", "esp"])],
      find=["one-client esp info", "natt-unused ike info"],
      check=tells("natt-unused", "192.168.1.2 has IKE on UDP 500", stage.SERVER))
Scene("IKE on 500 through NAT, and the provider drops ESP", mute=["esp"], truth=half("esp"),
      traffic=[("c1", ["ike", "esp"])], find=["path-silent esp error", "natt-unused ike info"])
Scene("healthy: ESP of one client, IKE of another", before=[("c1", ["esp"]), ("c2", ["ike"])],
      find=["one-client esp info"])
Scene("healthy: IKE on 500 and then NAT-T, and ESP besides", before=[("c1", ["ike", "natt", "esp"])],
      find=["one-client esp info", "needs-no-help natt info"])
Scene("healthy: IKE and ESP that are routed without NAT", before=[("c1", ["ike", "esp"])], nat=False,
      nft="""table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "wan" meta l4proto != { udp, esp } masquerade; }; }
""")

# --- on other ports, heard while something else has him listen ------------------------------
for kind, proto in (("wireguard2", "wireguard"), ("openvpn2", "openvpn"), ("openvpn3", "openvpn"),
                    ("openvpn4", "openvpn")):
    Scene(f"healthy: {proto} on another port ({kind})", mute=["ike"], truth=half("ike"),
          traffic=[("c1", ["ike", kind])], find=["path-silent ike error", f"needs-no-help {proto} info"],
          check=tells("needs-no-help", "192.168.1.2", stage.SERVER, str(stage.KINDS[kind][1])))
    Scene(f"{proto} on another port, but what comes back is no answer ({kind})", mute=["ike"], echo=[kind],
          truth=half("ike"), traffic=[("c1", ["ike", kind])], find=["path-silent ike error"])

Scene("healthy: QUIC whose packets have bytes of OpenVPN's", mute=["ike"], truth=half("ike"),
      traffic=[("c1", ["ike", "quic"])], find=["path-silent ike error"])
PHONE = ["path-silent ike error", "wifi-calling natt info"]
Scene("healthy: a phone asks for its operator's gateway", mute=["ike"], truth=half("ike"),
      traffic=[("c1", ["ike", "epdg"])], find=PHONE,
      check=tells("wifi-calling", "192.168.1.2 asks by DNS"))
Scene("healthy: the router asks for an operator's gateway", mute=["ike"], truth=half("ike"),
      traffic=[("c1", ["ike"]), ("r", ["epdg"])], find=["path-silent ike error"])

# --- what NAT spoils, or another takes --------------------------------------------------
NO_NAT = """table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "wan" meta l4proto != { ah, gre } masquerade; }; }
"""
Scene("AH through NAT", traffic=[("c1", ["ah"])], find=["ah ah error"],
      check=tells("ah", "192.168.1.2 sends IPsec's AH", stage.SERVER))
Scene("two clients of AH", traffic=[("c1", ["ah"]), ("c2", ["ah"])], find=["ah ah error"])
Scene("healthy: AH that is routed without NAT", traffic=[("c1", ["ah"])], nat=False, nft=NO_NAT)
Scene("GRE that is not PPTP's", traffic=[("c1", ["gre0"])], find=["gre-plain gre info"])
Scene("GRE with a key", traffic=[("c1", ["gre0key"])], find=["gre-plain gre info"])
Scene("two clients of GRE that is not PPTP's", traffic=[("c1", ["gre0"]), ("c2", ["gre0"])],
      find=["gre-plain gre info"])
Scene("healthy: GRE that is routed without NAT", traffic=[("c1", ["gre0"])], nat=False, nft=NO_NAT)
# The gateway has no route to a private address.
FAR = dict(gip=["route del 192.168.0.0/16"], kinds=(*USUAL, "eoip"))
Scene("EoIP leaves with its private address", traffic=[("c1", ["eoip"])], truth=half("eoip"), **FAR,
      find=["eoip eoip error"],
      check=tells("eoip", "192.168.1.2 sends EoIP", stage.SERVER, "leaves with that private address"))
Scene("EoIP, and a rule drops what is invalid", traffic=[("c1", ["eoip"])], truth=lost("eoip"), **FAR,
      nft="""table inet fw { chain forward { type filter hook forward priority 0;
    ct state invalid drop; }; }
""", find=["eoip eoip error"], check=tells("eoip", "none of it leaves"))
Scene("healthy: EoIP that is routed without NAT", traffic=[("c1", ["eoip"])], nat=False, nft=NO_NAT,
      kinds=("eoip", "ike"))
Scene("healthy: L2TP without IPsec", traffic=[("c1", ["l2tp"])], find=["l2tp-clear l2tp info"])
Scene("L2TP without IPsec, and nobody answers", mute=["l2tp"], truth=half("l2tp"),
      traffic=[("c1", ["l2tp"])], find=["path-silent l2tp error"])
PROXY = ("timeout 60 python3 -c 'import socket, time; s = socket.create_server((\"\", 3128)); "
         "time.sleep(60)' > /dev/null 2>&1 & until ss -Hlnt | grep -q 3128; do sleep 0.1; done")
DIVERT = """table ip proxy { chain pre { type nat hook prerouting priority dstnat
    iifname "lan1" %s; }; }
"""
Scene("a transparent proxy takes PPTP", nft=DIVERT % "tcp dport 1723 redirect to :3128", do=[PROXY],
      traffic=[("c1", ["pptp"])], find=["diverted pptp warning"],
      check=tells("diverted", stage.SERVER, "192.168.1.1 instead"))
Scene("another host gets IKE", nft=DIVERT % "udp dport 500 dnat to 203.0.113.99", truth=lost("ike"),
      traffic=[("c1", ["ike"])], find=["diverted ike warning"], cure=True,
      check=tells("diverted", stage.SERVER, "table ip proxy, chain pre, handle", "203.0.113.99 instead"))
Scene("healthy: a proxy takes the Web, and a port is forwarded to a server inside", nft="""
table ip proxy { chain pre { type nat hook prerouting priority dstnat
    iifname "lan1" tcp dport 80 redirect to :3128
    iifname "wan" udp dport 4500 dnat to 192.168.1.2; }; }
""", before=[("c1", ["pptp", "ike"])])
SHORT = {"netfilter/nf_conntrack_udp_timeout_stream": 15}
KEPT = ["needs-no-help natt info"]
Scene("NAT-T is forgotten sooner than it is kept open", sysctl=SHORT, before=[("c1", ["natt"])],
      find=["udp-timeout natt warning", *KEPT], cure=True)
Scene("healthy: UDP is forgotten soon, and nobody uses NAT-T", sysctl=SHORT, before=[("c1", ["ike"])])

# --- GRE comes back, and nobody knows whose it is ------------------------------------------
Scene("PPTP's GRE is answered, but plain NAT cannot tell for whom", kinds=("gre", "esp", "web"),
      truth=half("gre"), traffic=[("c1", ["pptp", "gre"])], find=["answers-unclaimed pptp error"])
