#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The pairing simulator as a test: ours against the older policies on the same
# traffic, TAP on stdout. RUNS= more of it; SIM= the program; HELD_MS= another
# time than the module's.
#
# With IKE in sight little is left to guess, also where half of the gateways speak
# first. Without, what no policy can decide is counted apart: packets the gateway
# sends on an SA that its client has never sent on ("silent").
# No client at all is to be mis-delivered for good.

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
sim=${SIM:-$here/bin/pair_sim}
runs=${RUNS:-50}

if [ ! -x "$sim" ] || [ -n "$(find "$here/pair_sim.c" "$top/kmod/esp" -newer "$sim")" ]; then
	mkdir -p "$here/bin"
	"${CC:-cc}" -O2 -std=gnu11 -Wall -Wextra -Werror -I"$top/kmod" \
		-o "$sim" "$here/pair_sim.c" "$top"/kmod/esp/pair*.c || exit 1
fi
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 4; }

set -- --runs "$runs" ${HELD_MS:+--held-ms "$HELD_MS"} --json

json=$("$sim" "$@" 2>/dev/null)
calm=$("$sim" "$@" --no-rekey --no-push 2>/dev/null)

python3 - "$json" "$calm" <<'PY'
import json, sys

full, calm = ({r["policy"]: r for r in json.loads(a)} for a in sys.argv[1:])
n = bad = 0


def ok(good, name):
    global n, bad
    n += 1
    bad += not good
    print(f"{'' if good else 'not '}ok {n} - {name}")


def share(r, part, of):
    return r[part] / r[of]


ours = full["ours"]
for old in ("serialise all", "oldest pending first", "last wins"):
    r = full[old]
    ok(share(ours, "up", "expect") > share(r, "up", "expect"),
       f"more clients up than with {old}")
    ok(ours["lasting"] < r["lasting"],
       f"fewer mis-delivered for good than with {old}: "
       f"{ours['lasting']} to {r['lasting']}")
    ok(share(ours, "lost", "inbound") < share(r, "lost", "inbound"),
       f"fewer packets lost than with {old}")

ike = full["ours + IKE evidence"]
ok(ike["lasting"] == 0,
   "with IKE in sight, rekeys and all, none mis-delivered for good: "
   f"{ike['lasting']} of {ike['clients']}")
ok(share(ike, "up", "expect") > 0.999,
   f"... and more than 999 in 1,000 up: {ike['up']} of {ike['expect']}")
ok(share(ike, "lost", "inbound") < 0.001,
   "... and less than 1 in 1,000 packets lost: "
   f"{ike['lost']} of {ike['inbound']}")
sent = calm["ours"]
ok(sent["lasting"] == 0,
   "without, of clients that send, none mis-delivered for good: "
   f"{sent['lasting']} of {sent['clients']}")
ok(ours["lasting"] == 0,
   "of all, with rekeys and some that only receive, none: "
   f"{ours['lasting']} of {ours['clients']}")
strict = full["ours, strict"]
ok(strict["lasting"] == 0,
   f"strict: none mis-delivered for good: {strict['lasting']} of {strict['clients']}")
ok(all(r["cut_off"] == 0 for r in (ours, ike)),
   f"none cut off unless strict: {ours['cut_off']}, {ike['cut_off']}")
print(f"1..{n}")
sys.exit(bad > 0)
PY
