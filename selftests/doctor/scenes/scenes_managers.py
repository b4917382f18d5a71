# SPDX-License-Identifier: GPL-2.0
# Rules that firewalls' managers make themselves, as they are and with a fault planted in
# their words; the doctor's commands are theirs, too, and outlive a reload of theirs. Debian
# has the programs (managers.sh runs them), but for OpenWrt's, which is recorded.
from words import half, lost, says
USUAL = stage.USUAL


# --- ufw -------------------------------------------------------------------------
def ufw(*words):
    return ("ufw", *("ufw " + w for w in words))


ROUTED = ("route allow in on lan1 out on wan", "route allow in on lan2 out on wan")
DENIED = ("route deny in on lan1 out on wan proto udp to any port 500", *ROUTED, "limit 22/tcp")
Scene("ufw itself, as it comes, shuts the LAN", manager=ufw(), truth=lost(*USUAL),
      find=["nft-drop - error"], check=says("ufw route allow in on lan"), cure=True)
Scene("healthy: ufw itself, with routes allowed", manager=ufw(*ROUTED))
Scene("ufw itself denies IKE", manager=ufw(*DENIED), truth=lost("ike"), find=["nft-drop ike error"],
      check=says("ufw route prepend allow in on lan1 out on wan proto udp"), cure=True)
Scene("two faults: ufw itself denies IKE, and a rule beside it drops ESP", manager=ufw(*DENIED), nft="""
table inet fw { chain forward { type filter hook forward priority 5; policy accept
    meta l4proto esp drop; }; }
""", truth=lost("ike", "esp"), find=["nft-drop ike error", "nft-drop esp error"], cure=True)

# --- firewalld -------------------------------------------------------------------
PERMANENT = "firewall-cmd --permanent "
ZONES = [PERMANENT + "--zone=internal --change-interface=lan1",
         PERMANENT + "--zone=internal --change-interface=lan2",
         PERMANENT + "--zone=external --change-interface=wan"]
OUT = PERMANENT + "--policy=lanout "
POLICY = [PERMANENT + "--new-policy=lanout", OUT + "--add-ingress-zone=internal",
          OUT + "--add-egress-zone=external", OUT + "--set-target=ACCEPT"]
VPNOUT = PERMANENT + "--policy=vpnout "


def firewalld(*lines):
    return ("firewalld", *lines, "firewall-cmd --reload")


Scene("firewalld itself, as it comes, shuts the LAN", manager=("firewalld",), truth=lost(*USUAL),
      find=["nft-drop - error"], cure=True, check=says(
          PERMANENT + "--zone=external --change-interface=wan",
          PERMANENT + "--zone=public --change-interface=lan1", VPNOUT + "--add-egress-zone=external"))
Scene("firewalld itself, with zones and no policy, shuts the LAN", manager=firewalld(*ZONES),
      truth=lost(*USUAL), find=["nft-drop - error"], cure=True,
      check=says(VPNOUT + "--add-ingress-zone=internal", VPNOUT + "--add-egress-zone=external"))
Scene("healthy: firewalld itself, with a policy for the LAN", manager=firewalld(*ZONES, *POLICY))
Scene("two faults: a policy of firewalld's rejects IKE and drops ESP", manager=firewalld(
    *ZONES, *POLICY, OUT + "--add-rich-rule='rule port port=500 protocol=udp reject'",
    OUT + "--add-rich-rule='rule protocol value=esp drop'"), truth=lost("ike", "esp"),
      find=["nft-drop ike error", "nft-drop esp error"], cure=True,
      check=says(VPNOUT + "--set-priority"))
OURS = "$(dirname MANAGERS)/../../../packaging/firewall/firewalld/"
# GRE comes as related to PPTP once vpnpass_pptp is loaded, which is not so here
Scene("firewalld itself, with the policy that vpnpass brings", manager=firewalld(
    *ZONES, "cp %sservices/* /etc/firewalld/services/" % OURS,
    "cp %spolicies/* /etc/firewalld/policies/" % OURS), truth=lost("openvpn", "web"),
      find=["nft-drop pptp error"])

# --- Docker ----------------------------------------------------------------------
USER = "iptables -I DOCKER-USER "
LAN = [USER + "-i lan+ -o wan -j ACCEPT",
       USER + "-i wan -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
Scene("dockerd itself shuts the LAN", manager=("docker",), truth=lost(*USUAL),
      find=["nft-drop - error"], cure=True,
      check=says("iptables -I DOCKER-USER -i lan1 -o wan", "iptables -I DOCKER-USER -i wan -o lan1"))
Scene("healthy: dockerd itself, and rules for the LAN", manager=("docker", *LAN))
Scene("dockerd itself, and a rule for its users drops ESP and IKE", manager=(
    "docker", *LAN, USER + "-p esp -j DROP", USER + "-p udp --dport 500 -j REJECT"),
      truth=lost("esp", "ike"), find=["nft-drop esp error", "nft-drop ike error"], cure=True,
      check=says("iptables -I DOCKER-USER -i lan1 -o wan"))

# --- libvirt ---------------------------------------------------------------------
# It shuts nobody else's LAN, and leaves other rules of the chains that it uses alone.
EST = "iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
Scene("healthy: libvirtd itself, with its default network", manager=("libvirt",))
Scene("libvirtd itself, and a policy that shuts the LAN", manager=(
    "libvirt", EST, "iptables -P FORWARD DROP"), truth=lost(*USUAL), find=["nft-drop - error"],
      cure=True)
Scene("libvirtd itself, and a rule behind its own rejects IKE", manager=(
    "libvirt", "iptables -A FORWARD -o wan -p udp --dport 500 -j REJECT"), truth=lost("ike"),
      find=["nft-drop ike error"], cure=True)

# --- OpenWrt's fw4 and fw3, recorded ---------------------------------------------------
for fw, needs in (("fw4", None), ("fw3", "iptables-legacy")):
    home = dict(nat=False, needs=needs)
    Scene(f"healthy: {fw}'s rules for a home", manager=(fw, "home"), **home)
    Scene(f"{fw}'s rule rejects IKE", manager=(fw, "denied"), truth=lost("ike"), **home,
          find=["nft-drop ike error"], cure=True, check=says("uci set 'firewall.@rule[-1].dest_port=500'"))
    Scene(f"{fw}'s rule drops ESP", manager=(fw, "esp-denied"), truth=lost("esp"), **home,
          find=["nft-drop esp error"], cure=True, check=says("uci set 'firewall.@rule[-1].proto=esp'"))
    Scene(f"{fw} without a forwarding from the LAN", manager=(fw, "shut"), **home,
          truth=lost(*USUAL), find=["nft-drop - error"], cure=True,
          check=says("uci set 'firewall.@rule[-1].dest=wan'"))
MASQ = "uci set \"$(uci show firewall | sed -n \"s/\\.name='wan'$//p\" | head -n 1).masq=1\""
FAR = ["route del 192.168.0.0/16"]
UNTRANSLATED = half("ike", "natt", "esp", "l2tp", "openvpn") | lost("pptp", "web")
Scene("fw3 without masquerading in the zone of the Internet", manager=("fw3", "unmasked"), gip=FAR, **home,
      truth=UNTRANSLATED, find=["no-nat - error"], cure=True, check=lambda found, rc, err: [] if any(
          MASQ in f["commands"] for f in found) else [str(found)])
Scene("fw3, and an uplink that is in no zone", manager=("fw3", "uplink"), nat=False, needs="iptables-legacy",
      ip=["link add lte type veth peer name eth1 netns %sg" % stage.PREFIX, "addr add 192.0.2.40/24 dev lte",
          "link set lte up", "route replace default via 192.0.2.1"], sysctl={"ipv4/conf/lte/rp_filter": 0},
      gdo=["ip addr add 192.0.2.1/24 dev eth1 && ip link set eth1 up"], truth=lost(*USUAL),
      find=["nft-drop - error"], may=["no-nat"], cure=True, check=says("uci add_list"))
Scene("firewalld itself, without masquerading in the zone of the Internet", nat=False, gip=FAR,
      manager=firewalld(*ZONES, *POLICY, PERMANENT + "--zone=external --remove-masquerade"),
      truth=UNTRANSLATED, find=["no-nat - error"], cure=True, check=lambda found, rc, err: [] if any(
          PERMANENT + "--zone=external --add-masquerade" in f["commands"] for f in found) else [str(found)])


# --- rules of a user's beside a manager's, which come before what that is told ------------
def tells_file(name, words):
    return lambda found, rc, err: says(words)(found, rc, err) + [
        f"{name} is not told" for f in found if f["finding"] == "nft-drop" and name not in f["do"]]


HOME4 = "nft -f " + HERE + "/fw4/home.nft"
HOME3 = [f"{p}tables-legacy-restore {HERE}/fw3/home.{v}" for p, v in (("ip", "v4"), ("ip6", "v6"))]
Scene("fw4, and a file of the user's drops IKE", nat=False, truth=lost("ike"), cure=True,
      do=[HOME4, "nft insert rule inet fw4 forward_lan udp dport 500 counter drop"],
      find=["nft-drop ike error"], check=tells_file("/etc/nftables.d", "nft 'insert rule inet fw4"))
for chain in ("forwarding_rule", "forwarding_lan_rule", "FORWARD"):
    Scene(f"fw3, and a file of the user's drops ESP in {chain}", nat=False, needs="iptables-legacy",
          do=[*HOME3, f"iptables-legacy -I {chain} -p esp -j DROP"], truth=lost("esp"), cure=True,
          find=["nft-drop esp error"],
          check=tells_file("/etc/firewall.user", f"iptables-legacy -I {chain} 1 -i lan1"))
Scene("ufw itself, and its file of rules before drops ESP", truth=lost("esp"), manager=(
    *ufw(*ROUTED), "sed -i '/^COMMIT/i -A ufw-before-forward -p esp -j DROP' /etc/ufw/before.rules",
    "ufw reload"), find=["nft-drop esp error"],
      check=tells_file("/etc/ufw/before.rules", "iptables -I ufw-before-forward"))
Scene("ufw itself, and a rule before all of its own drops ESP", truth=lost("esp"), manager=(
    *ufw(*ROUTED), "iptables -I FORWARD -p esp -j DROP"), find=["nft-drop esp error"],
      check=says("iptables -I FORWARD 1 -i lan1"), cure=True)
Scene("dockerd itself, and a rule before all of its own drops ESP", truth=lost("esp"), manager=(
    "docker", *LAN, "iptables -I FORWARD -p esp -j DROP"), find=["nft-drop esp error"],
      check=says("iptables -I FORWARD 1 -i lan1"))
