# SPDX-License-Identifier: GPL-2.0
# What scenes say in the same words.
FWD = "type filter hook forward priority filter;"


def fw(body):
    """A table of a user's."""
    return "table inet fw {\n%s\n}\n" % body


def forward(rules, policy="accept", extra=""):
    """That with a chain for what is forwarded."""
    return fw("%s\nchain forward {\n%s policy %s\n%s\n}" % (extra, FWD, policy, rules))


def lost(*kinds):
    """These do not get through."""
    return {k: "lost" for k in kinds}


def half(*kinds):
    """These get there, and their answers do not."""
    return {k: "half" for k in kinds}


def tells(code, *words):
    """A finding of that name has all these words in what was seen."""
    return lambda found, rc, err: [] if any(
        f["finding"] == code and all(w in f["seen"] for w in words) for f in found) else [
        f"{code} does not tell {words}"]


def says(*words):
    """Each finding of a rule has a command that begins with each of these words."""
    return lambda found, rc, err: [
        f"no {word} in {f['commands']}" for word in words for f in found
        if f["finding"] == "nft-drop" and not any(c.startswith(word) for c in f["commands"])]


def wan_lines(address, *more):
    """Another address towards the gateway, which then has to know the way back."""
    net = address.rsplit(".", 1)[0]
    return ["addr flush dev wan", f"addr add {address}/24 dev wan",
            f"route add default via {net}.1 dev wan", *more]


def wan(address, *more):
    """The same, and the gateway knows."""
    net = address.rsplit(".", 1)[0]
    return dict(ip=wan_lines(address, *more), gip=[f"addr add {net}.1/24 dev eth0"])
