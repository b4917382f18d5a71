# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Real PPTP peers: pptp-linux with pppd as clients, pptpd with pppd as server.
# A namespace is given by its name of lib/topo.sh: c1, g1, r. Inside a tunnel the
# server is 172.20.0.1, or the address given to pptp_server.

pptp_tools()
{
	checktool pppd ppp
	checktool pptp pptp-linux
	checktool pptpd pptpd
	checktool jq jq
	modprobe -qa ppp_generic ppp_async
	[ -c /dev/ppp ] || skip_all "no /dev/ppp"
	mkdir -p /run/pptp /var/run/pptp
}

# pptp_server NS [ADDRESS]: listens when this returns
pptp_server()
{
	local ns=$1 ip=${2:-172.20.0.1} dir=$scratch/pptpd.$1

	mkdir -p "$dir"
	cat > "$dir/options" <<-E
	name pptpd
	noauth
	nobsdcomp
	novj
	nodeflate
	nodetach
	local
	debug
	logfile $dir/pppd.log
	noipdefault
	ipcp-accept-remote
	E
	printf 'option %s\nlocalip %s\nremoteip %s.10-60\npidfile %s\n' "$dir/options" \
		"$ip" "${ip%.*}" "$dir/pid" > "$dir/conf"
	spawn ip netns exec "$nsp$ns" pptpd -f -c "$dir/conf" -o "$dir/options" \
		-p "$dir/pid"
	busywait 10 pptp_listens "$ns"
}

pptp_listens()
{
	ip netns exec "$nsp$1" ss -Hltn | grep -q ':1723 '
}

# pptp_dial NS SERVER: in the background; $spawn_pid ends it. pptp-linux finds its
# call manager by the server's address in /run/pptp, so each has its own.
pptp_dial()
{
	cat > "$scratch/dial.$1" <<-E
	mount -t tmpfs t /run/pptp
	exec setsid pppd noauth nodetach nobsdcomp nodeflate novj nolock \\
		noipdefault ipcp-accept-local ipcp-accept-remote user u$1 debug \\
		linkname $nsp$1 logfile $scratch/pppd.$1.log \\
		pty "pptp $2 --nolaunchpppd --loglevel 1"
	E
	spawn ip netns exec "$nsp$1" unshare -m sh "$scratch/dial.$1"
}

# pptp_up NS [ADDRESS]: the tunnel to that server has its address
pptp_up()
{
	ip -n "$nsp$1" -4 -o addr show | grep -q " peer ${2:-172.20.0.1}/"
}

# pptp_ping NS [COUNT] [ADDRESS]: prints how many pings through the tunnel were
# answered
pptp_ping()
{
	ip netns exec "$nsp$1" ping -n -c "${2:-3}" -i 0.2 -W 2 "${3:-172.20.0.1}" |
		sed -n 's/.* \([0-9]*\) received.*/\1/p'
}
