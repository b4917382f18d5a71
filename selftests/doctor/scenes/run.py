#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Plays scenes: plants what each tells of, measures with packets what is true, asks
# the doctor, and compares. Prints TAP, and at the end how many of the findings were
# right, missed and wrong. Called by test_scenes.sh.
#
#   run.py [WORD...]     only scenes with a word of these in their name
import glob
import json
import os
import sys
import time

import stage

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.environ.get("VPNPASS", HERE + "/../../../tools/vpnpass")
MANAGERS = HERE + "/managers.sh"
RESPONDER = HERE + "/../../peers/vpn_responder.py"
SCHEMA = HERE + "/../../../docs/schema/doctor.json"
NAT = """table ip nat { chain post { type nat hook postrouting priority srcnat
    oifname "wan" masquerade; }; }
"""
# where no module of ours is loaded; test_modules.sh has those
IGNORED = ("not-loaded",)
SKIP = "SKIP"


def is_emulated():
    """An emulated CPU is too slow for all scenes; user-mode Linux and a real machine are not."""
    with open("/proc/cpuinfo") as f:
        return bool(os.environ.get("VPNPASS_VM")) and "User Mode Linux" not in f.read()


SECONDS = int(os.environ.get("VPNPASS_SCENES_SECONDS", 200 if is_emulated() else 3600))
# Managers whose start alone takes a guest longer than several scenes: there they are played
# when they are asked for by name only.
SLOW = ("firewalld", "docker", "libvirt")
scenes = []


class Scene:
    """One scene.

    nft: rules beside the usual NAT; nat=False: without that NAT
    do, undo: lines of a shell in the router's namespace
    ip: lines of ip -batch in the router
    gip: likewise in the gateway
    tun: tunnel interfaces of the router, with a process at their other end
    sysctl: settings of the router
    mute: kinds that the server does not answer
    echo: kinds that it sends back as they came
    traffic: (client, kinds) that are sent while the doctor looks
    before: likewise, sent and served before he looks
    last: lines of a shell in the router, right before he looks
    gdo: likewise in the gateway, when the scene is set
    peer: services of peers/vpn_responder.py while the doctor looks
    user: he is asked without privilege, as this one
    hosts: the lines of /etc/hosts while he looks
    shut: the server has no services at all, and says so
    truth: what becomes of c1's packets where it is not "yes"
    outer: the address that the server sees c1's IKE come from
    find: all that he has to find, as "id", "id proto" or "id proto severity"
    may: what he may say besides
    cure: his commands are carried out, and all is well then, nothing is open to the outside
        that was not before, and a manager's reload leaves it so
    kept: kinds whose connections, left as they are, do not pass before his commands and do after
    manager: the program that makes the rules, and lines that are given to it (managers.sh)
    six: there is IPv6 as well; its kinds have a 6 behind them in truth
    open: what a stranger outside gets through to, for a scene that has no firewall
    args: words behind "doctor"
    kinds: what is measured
    needs: what some kernels lack
    check: called with the findings and rc; returns what is wrong
    """

    def __init__(self, name, **kw):
        known = dict(nft="", nat=True, do=(), ip=(), sysctl={}, mute=(), traffic=(), before=(),
                     truth={}, find=(), may=(), cure=False, args=(), kinds=stage.USUAL,
                     check=None, needs=None, code=None, cured=None, gip=(), tun=(), gdo=(), last=(), shut=False,
                     peer=(), user=None, outer=None, echo=(), hosts="", manager=(), six=False, open=None, kept=())
        if set(kw) - set(known):
            raise TypeError(f"{name}: {set(kw) - set(known)}")
        known.update(kw)
        self.__dict__.update(known, name=name)
        scenes.append(self)


def lines_of(rules):
    """nft wants what ends a chain on a line of its own."""
    lines = []
    for line in rules.splitlines():
        ends = 0
        while line.rstrip().endswith("}") and line.count("}") > line.count("{"):
            line, ends = line.rstrip()[:-1], ends + 1
        lines += [line] + ["}"] * ends
    return "\n".join(lines) + "\n"


def matches(finding, want):
    words = want.split()
    have = [finding["finding"], finding.get("proto", "-"), finding["severity"]]
    return all(w in (h, "*") for w, h in zip(words, have))


def schema_errors(value, schema, at="$"):
    """The part of JSON Schema that the doctor's file uses."""
    kinds = {"array": list, "object": dict, "string": str, "number": (int, float)}
    if "$ref" in schema:
        schema = ROOT["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return [f"{at} is no {schema['type']}"]
    bad = []
    if "enum" in schema and value not in schema["enum"]:
        bad.append(f"{at}: {value!r} is none of the known")
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        bad.append(f"{at} is empty")
    if isinstance(value, list) and "items" in schema:
        for i, one in enumerate(value):
            bad += schema_errors(one, schema["items"], f"{at}[{i}]")
    if isinstance(value, dict):
        props = schema.get("properties", {})
        bad += [f"{at} lacks {k}" for k in schema.get("required", ()) if k not in value]
        for k, v in value.items():
            if k in props:
                bad += schema_errors(v, props[k], f"{at}.{k}")
            elif schema.get("additionalProperties") is False:
                bad.append(f"{at} has {k}, of which the schema does not know")
    return bad


class Manager:
    """A firewall manager that runs in a mount and a PID namespace of its own."""

    def __init__(self, name, *lines):
        self.process = stage.begin("r", ["unshare", "-mpf", "--kill-child", MANAGERS, name],
                                   stdin=stage.PIPE, stdout=stage.PIPE, stderr=stage.PIPE)
        self.name, self.pid = name, self.process.stdout.readline().strip()
        self.problem = None
        for line in lines if self.pid else ():
            rc, out, err = self.run(line.replace("MANAGERS", MANAGERS))
            self.problem = self.problem or rc and f"{line}: {out}{err}"

    def run(self, line):
        return stage.run("r", ["nsenter", "-m", "-p", "-t", self.pid, "sh", "-c", line])

    def reload(self):
        return self.run(f"{MANAGERS} {self.name} reload")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Recorded:
    """OpenWrt's firewalls, which Debian does not have: the rules that one makes of a
    configuration are recorded, and of that with commands which are above them. See README in
    their folders."""

    problem, pid = None, True

    def __init__(self, name, config, *_):
        self.name, self.lines = name, []
        self.cured = config + "-cured"
        self.problem = self.load("home") or self.load(config)

    def load(self, config):
        """What is wrong with it. nft's records are whole, the others change those of home."""
        path = HERE + f"/{self.name}/{config}"
        lines = [f"nft -f {path}.nft"] if self.name == "fw4" else [
            f"{p}tables-legacy-restore --noflush {path}.{v}" for p, v in (("ip", "v4"), ("ip6", "v6"))]
        return "".join(stage.run("r", line.split())[2] for line in lines)

    def run(self, line):
        self.lines.append(line)
        return self.reload() if line == "service firewall reload" else (0, "", "")

    def reload(self):
        with open(HERE + f"/{self.name}/{self.cured}" + (".nft" if self.name == "fw4" else ".v4")) as f:
            known = [line[2:].rstrip() for line in f if line.startswith("# uci")]
        if known != self.lines[:-1]:
            return 1, "", "these commands are not those of the record"
        problem = self.load(self.cured)
        return bool(problem), "", problem

    def close(self):
        pass


class Stage:
    def __init__(self):
        self.dirty = True
        self.server = None
        self.tuns = []
        self.peer = None
        self.manager = None

    def end_manager(self):
        if self.manager:
            self.manager.close()
        self.manager = None

    def reset(self, scene):
        self.end_manager()
        if self.dirty:
            stage.down()
            stage.up()
            self.dirty = False
        else:
            stage.forget("r")
        if self.server:
            self.server.close()
        for fd in self.tuns:
            os.close(fd)
        self.tuns = []
        self.server = stage.Server(mute=scene.mute, shut=scene.shut, echo=scene.echo)

    def begin_manager(self, scene):
        """What the manager says is wrong; SKIP where there is none, or a guest's kernel lacks
        what it needs."""
        self.dirty = True
        self.manager = (Recorded if scene.manager[0] in ("fw3", "fw4") else Manager)(*scene.manager)
        lacks = not self.manager.pid or self.manager.problem and os.environ.get("VPNPASS_VM")
        return SKIP if lacks else self.manager.problem

    def plant(self, scene):
        rules = "flush ruleset\n" + (NAT if scene.nat else "") + lines_of(scene.nft)
        rc, _, err = stage.run("r", ["nft", "-f", "-"], rules)
        if rc and scene.needs and ("No such file" in err or "not supported" in err):
            return SKIP
        if rc:
            return "nft: " + err
        if scene.ip or scene.do or scene.sysctl or scene.gip or scene.tun or scene.gdo or \
                scene.six:
            self.dirty = True
        self.tuns = [stage.tun("r", name) for name in scene.tun]
        if scene.gip:
            stage.ip("g", scene.gip)
        if scene.ip:
            stage.ip("r", scene.ip)
        if scene.six:
            stage.up6()
            self.server.close()
            self.server = stage.Server(mute=scene.mute, six=True)
        stage.sysctl("r", scene.sysctl)
        problem = self.begin_manager(scene) if scene.manager else None
        if problem:
            return problem
        for name, lines in (("r", scene.do), ("g", scene.gdo)):
            for line in lines:
                rc, out, err = stage.run(name, ["sh", "-c", line])
                if rc and scene.needs:
                    return SKIP
                if rc:
                    return f"{line}: {out}{err}"
        return None

    def measure(self, scene, to, suffix):
        have = stage.measure("c1", scene.kinds, self.server, to)
        # what was lost by chance is sent again
        again = [k for k in scene.kinds if have[k] != scene.truth.get(k + suffix, "yes")]
        if again:
            have.update(stage.measure("c1", again, self.server, to, wait=1.0))
        return {k + suffix: v for k, v in have.items() if v != "yes"}

    def truth(self, scene):
        stage.forget("r")
        have = self.measure(scene, stage.SERVER, "")
        if scene.six:
            have.update(self.measure(scene, stage.SERVER6, "6"))
        stage.forget("r")
        return have

    def ask(self, scene):
        clients = [stage.Client(n, kinds) for n, kinds in scene.traffic]
        for n, kinds in scene.before:
            stage.measure(n, kinds, self.server, wait=0.1)
        self.begin_peer(scene)
        self.dirty |= bool(scene.last)
        for line in scene.last:
            stage.run("r", ["sh", "-c", line.replace("VPNPASS", TOOL)])
        argv = [*self.with_hosts(scene), *self.as_user(scene), TOOL, "-j", "doctor", *scene.args]
        got = set()
        for c in clients:
            c.send()
        p = stage.begin("r", argv, stdout=stage.PIPE, stderr=stage.PIPE)
        sent = time.monotonic()
        while p.poll() is None:
            self.server.serve(got)
            if time.monotonic() - sent > 0.2:
                for c in clients:
                    c.send()
                sent = time.monotonic()
            time.sleep(0.005)
        for c in clients:
            c.close()
        out, err = p.communicate()
        self.end_peer(scene)
        try:
            return p.returncode, json.loads(out), err
        except ValueError:
            return p.returncode, [], "no JSON: " + out + err

    @staticmethod
    def as_user(scene):
        return scene.user and ["setpriv", f"--reuid={scene.user}", f"--regid={scene.user}",
                               "--clear-groups", "--inh-caps=-all"] or []

    @staticmethod
    def with_hosts(scene):
        return scene.hosts and [
            "unshare", "-m", "sh", "-c", "mount -t tmpfs t /mnt && echo \"$0\" > /mnt/hosts && "
            "mount --bind /mnt/hosts /etc/hosts && exec \"$@\"", scene.hosts] or []

    def begin_peer(self, scene):
        """The server gives its place to one that speaks what VPNs speak."""
        if not scene.peer:
            return
        self.server.close()
        self.server = stage.Server(shut=True)
        self.peer = stage.begin("g", [RESPONDER, "addr=" + stage.SERVER, *scene.peer],
                                stdout=stage.PIPE)
        if "ready" not in self.peer.stdout.readline():
            raise RuntimeError("peers/vpn_responder.py does not run")

    def end_peer(self, scene):
        if not self.peer:
            return
        self.peer.kill()
        self.peer.communicate()
        self.peer = None
        self.server = stage.Server(mute=scene.mute)

    def scan(self, forget=True):
        if forget:
            stage.forget("r")
        return stage.scan()

    def command(self, line):
        if self.manager:
            return self.manager.run(line)
        return stage.run("r", ["sh", "-c", line])


def judge(scene, found):
    """Right, missed and wrong findings."""
    found = [f for f in found if f["finding"] not in IGNORED]
    missed = [w for w in scene.find if not any(matches(f, w) for f in found)]
    wrong = [f for f in found if not any(matches(f, w) for w in (*scene.find, *scene.may))]
    return len(scene.find) - len(missed), missed, wrong


def is_well(st, scene, before, when):
    left = st.truth(scene)
    # an interface that was switched on is ready a moment later
    if left != (scene.cured or {}):
        time.sleep(0.5)
        left = st.truth(scene)
    if left != (scene.cured or {}):
        return f"{when} still {left}"
    opened = st.scan() - before
    return f"{when} open to the outside: {sorted(opened)}" if opened else None


def kept(st, scene, want):
    """Connections as they are, which truth() forgets."""
    have = stage.measure("c1", scene.kept, st.server, wait=0.5)
    wrong = {k: v for k, v in have.items() if (v == "yes") != want}
    return f"connections that stay are {wrong}" if wrong else None


def cure(st, scene, found):
    if not scene.six:
        stage.up6()
    problem = kept(st, scene, False)
    if problem:
        return problem
    # twice, as what a busy machine let get lost would count as opened later
    before = st.scan(not scene.kept) | st.scan(not scene.kept)
    for f in found:
        for line in f["commands"]:
            if f["finding"] in IGNORED or line.startswith("vpnpass doctor"):
                continue
            rc, out, err = st.command(line)
            if rc:
                return f"{line}: {out}{err}"
    problem = kept(st, scene, True) or is_well(st, scene, before, "after the commands")
    if problem or not st.manager:
        return problem
    rc, out, err = st.manager.reload()
    return f"reload: {out}{err}" if rc else is_well(st, scene, before, "after a reload")


def scan_all(st, scene):
    """The scan itself: it has to see what is open."""
    stage.up6()
    st.dirty = True
    have = st.scan()
    return f"the scan does not see {sorted(scene.open - have)}" if scene.open != have else None


def play(st, scene):
    st.reset(scene)
    try:
        problem = st.plant(scene)
    except (OSError, RuntimeError) as e:
        problem = SKIP if scene.needs else str(e)
        st.dirty = True
    if problem:
        return None, [], [], problem
    truth = st.truth(scene)
    if truth != scene.truth:
        return None, [], [], f"it is not as planted: {truth}"
    if scene.outer and scene.outer != st.server.seen.get("ike"):
        return None, [], [], f"the server does not see {scene.outer} but {st.server.seen}"
    rc, found, err = st.ask(scene)
    right, missed, wrong = judge(scene, found)
    bad = schema_errors(found, ROOT)
    if scene.check and not bad:
        bad += scene.check(found, rc, err) or []
    if scene.code is not None and rc != scene.code:
        bad.append(f"exit code {rc}")
    if err and "not examined" not in err:
        bad.append(err)
    if scene.cure and not missed and not wrong:
        problem = cure(st, scene, found)
        bad += [problem] if problem else []
        st.dirty = True
    if scene.open:
        problem = scan_all(st, scene)
        bad += [problem] if problem else []
    return right, missed, wrong, "; ".join(bad)


def main(words):
    for path in sorted(glob.glob(HERE + "/scenes_*.py")):
        with open(path) as f:
            exec(compile(f.read(), path, "exec"), {"Scene": Scene, "stage": stage, "HERE": HERE})
    wanted = [s for s in scenes if not words or any(w in s.name for w in words)]
    st, totals, failed = Stage(), [0, 0, 0], 0
    deadline = time.monotonic() + SECONDS
    if os.environ.get("VPNPASS_VM") and not words:
        wanted = [s for s in wanted if not set(s.manager) & set(SLOW)]
    # where there is no time for all, some of each subject are played
    if SECONDS < 1000 and not words:
        wanted = wanted[::3] + wanted[1::3] + wanted[2::3]
    try:
        for n, scene in enumerate(wanted, 1):
            began = time.monotonic()
            if began > deadline:
                print(f"ok {n} - {scene.name} # SKIP no time left")
                continue
            right, missed, wrong, problem = play(st, scene)
            took = time.monotonic() - began
            if problem == SKIP:
                what = scene.needs or scene.manager[0]
                print(f"ok {n} - {scene.name} # SKIP no {what} here")
                continue
            good = right is not None and not missed and not wrong and not problem
            failed += not good
            totals[0] += right or 0
            totals[1] += len(missed)
            totals[2] += len(wrong)
            print(f"{'ok' if good else 'not ok'} {n} - {scene.name} ({took:.1f} s)")
            for w in missed:
                print("#   missed: " + w)
            for f in wrong:
                print("#   wrong: " + json.dumps(f))
            if problem:
                print("#   " + problem.strip().replace("\n", "\n#   "))
            sys.stdout.flush()
    finally:
        st.end_manager()
        stage.down()
    print(f"# findings: {totals[0]} right, {totals[1]} missed, {totals[2]} wrong "
          f"in {len(wanted)} scenes")
    print(f"1..{len(wanted)}")
    return 1 if failed else 0


with open(SCHEMA) as f:
    ROOT = json.load(f)
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
