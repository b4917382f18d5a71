# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Real IKE daemons in the namespaces of lib/topo.sh, with one secret for all.
# Sourced by the tests of this folder after lib.sh. Each daemon has its folder
# $scratch/NAME, with its log, and its own /run and /usr/libexec.
daemon_bits=aes128-sha256-modp1024	# quick where the CPU is emulated

daemons_kernel()
{
	modprobe -qa esp4 xfrm_user xfrm_algo authenc cbc aesni_intel sha256_ssse3 \
		sha256_generic xfrm4_tunnel tunnel4 udp_tunnel
	return 0
}

# in_of NAME: its inner address in $inner, its outer one in $outer
in_of()
{
	case $1 in
	g*) inner=${GIN[${1#g}]} outer=${GIP[${1#g}]} ;;
	c*) inner=${CIN[${1#c}]} outer=${CIP[${1#c}]} ;;
	esac
}

# --- libreswan -----------------------------------------------------------------------
ls_dir=$(readlink -f "$selftests/..")/build/libreswan
ls_lib=$ls_dir/usr/lib/$(uname -m)-linux-gnu

ls_have() { [ -e "$ls_dir/.ready" ]; }

# ls_in NAME: $ls_cmd is what runs a command in its namespace and with its files
ls_in()
{
	ls_cmd=(ip netns exec "$nsp$1" env "LD_LIBRARY_PATH=$ls_lib"
		"PATH=$PATH:$ls_dir/usr/libexec/ipsec:$ls_dir/usr/bin")
}

# ls_run NAME COMMAND...
ls_run()
{
	ls_in "$1"
	"${ls_cmd[@]}" "${@:2}"
}

# ls_whack NAME ARG...
ls_whack()
{
	timeout "${ls_patience:-60}" ip netns exec "$nsp$1" \
		env "LD_LIBRARY_PATH=$ls_lib" \
		"$ls_dir/usr/libexec/ipsec/whack" --ctlsocket "$scratch/$1/run/pluto.ctl" "${@:2}"
}

# ls_conn NAME CONN PEER VERSION [LINE...]: native ESP unless $ls_natt is set
ls_conn()
{
	local inner outer id=$1

	in_of "$1"
	printf 'conn %s\n left=%s\n leftid=@%s\n leftsubnet=%s/32\n' "$2" "$outer" "$id" "$inner"
	in_of "$3"
	case $3 in c*) outer=%any ;; esac
	printf ' right=%s\n rightid=@%s\n rightsubnet=%s/32\n' "$outer" "$3" "$inner"
	printf ' authby=secret\n leftupdown=/bin/true\n'
	printf ' ike=aes128-sha2-dh19\n esp=aes128-sha2\n pfs=no\n retransmit-timeout=40s\n'
	case $4 in
	1) printf ' ikev2=no\n' ;;
	*) printf ' ikev2=yes\n' ;;
	esac
	[ -n "${ls_natt-}" ] || printf ' encapsulation=no\n'
	[ -n "${ls_natt-}" ] || [ "$4" != 1 ] || printf ' nat-ikev1-method=none\n'
	printf ' %s\n' "${@:5}"
	echo
}

# ls_start NAME: with the connections in $scratch/NAME/conns, and a setting in $ls_setup
ls_start()
{
	local d=$scratch/$1

	mkdir -p "$d/nss" "$d/run" "$d/ipsec.d"
	[ -e "$d/nss/cert9.db" ] || ls_run "$1" certutil -N -d "sql:$d/nss" --empty-password
	echo ': PSK "a secret of twenty letters"' > "$d/secrets"
	{
		printf 'config setup\n ikev1-policy=accept\n nssdir=%s\n' "$d/nss"
		printf ' ipsecdir=%s\n virtual-private=%%v4:10.0.0.0/8\n' "$d/ipsec.d"
		printf '%s\n\n' "${ls_setup:+ $ls_setup}"
		cat "$d/conns"
	} > "$d/conf"
	ls_in "$1"
	# pluto calls its own programs by their installed names
	# shellcheck disable=SC2016
	spawn "${ls_cmd[@]}" unshare -m sh -c '
		mount -t tmpfs none /usr/libexec && ln -s "$0" /usr/libexec/ipsec && exec "$@"' \
		"$ls_dir/usr/libexec/ipsec" pluto --nofork --config "$d/conf" \
		--secretsfile "$d/secrets" --nssdir "$d/nss" --ipsecdir "$d/ipsec.d" \
		--rundir "$d/run" --logfile "$d/log" --use-xfrm
	eval "ls_pid_$1=$spawn_pid"
}

# ls_load NAME: when it has started
ls_load()
{
	local c d=$scratch/$1

	busywait 60 [ -S "$d/run/pluto.ctl" ] || { tail "$d/log"; return 1; }
	while read -r c; do
		ls_run "$1" addconn --config "$d/conf" --ctlsocket "$d/run/pluto.ctl" "$c" ||
			return 1
	done < <(sed -n 's/^conn //p' "$d/conns")
	ls_whack "$1" --listen
}

# --- strongSwan ----------------------------------------------------------------------
sw_have() { [ -x /usr/lib/ipsec/charon ] && command -v swanctl > /dev/null; }

# sw_conn NAME CONN PEER VERSION [LINE...]: a connection for swanctl.conf
sw_conn()
{
	local inner outer mine

	in_of "$1"
	mine=$inner
	printf '%s {\n version = %s\n proposals = %s\n' "$2" "$4" "$daemon_bits"
	[ "${1#g}" = "$1" ] || printf ' local_addrs = %s\n' "$outer"
	in_of "$3"
	[ "${3#g}" = "$3" ] || printf ' remote_addrs = %s\n' "$outer"
	printf ' %s\n' "${@:5}"
	printf ' local { auth = psk\n id = %s\n }\n remote { auth = psk\n id = %s\n }\n' "$1" "$3"
	printf ' children { %s { local_ts = %s/32\n remote_ts = %s/32\n' "$2" "$mine" "$inner"
	printf ' esp_proposals = aes128-sha256\n } }\n}\n'
}

# sw_start NAME: with the connections in $scratch/NAME/conns, and a setting in $sw_setup
sw_start()
{
	local d=$scratch/$1

	mkdir -p "$d/swanctl"/{x509,x509ca,private,conf.d} "$d/run"
	cat > "$d/strongswan.conf" <<-C
	swanctl {
		load = random
	}
	charon {
		retransmit_timeout = 2
		${sw_setup-}
		plugins {
			vici {
				socket = unix://$d/vici
			}
		}
		filelog {
			f {
				path = $d/log
				flush_line = yes
			}
		}
		load = random nonce aes sha1 sha2 hmac kdf gmp openssl kernel-netlink socket-default vici
	}
	C
	{
		echo 'connections {'
		cat "$d/conns"
		printf '}\nsecrets {\n ike1 { secret = "a secret of twenty letters"\n }\n}\n'
	} > "$d/swanctl/swanctl.conf"
	# charon's pid file is in /run, and only one may be there
	# shellcheck disable=SC2016
	spawn ip netns exec "$nsp$1" unshare -m env "STRONGSWAN_CONF=$d/strongswan.conf" sh -c '
		mount -t tmpfs none /run/netns && mount --bind "$0/run" /run &&
		exec /usr/lib/ipsec/charon' "$d"
	eval "sw_pid_$1=$spawn_pid"
}

# sw NAME ARG...: swanctl
sw()
{
	timeout 60 ip netns exec "$nsp$1" env "STRONGSWAN_CONF=$scratch/$1/strongswan.conf" \
		"SWANCTL_DIR=$scratch/$1/swanctl" swanctl "${@:2}" --uri "unix://$scratch/$1/vici"
}

sw_load()
{
	busywait 60 [ -S "$scratch/$1/vici" ] || { cat "$scratch/$1/log"; return 1; }
	sw "$1" --load-all
}
