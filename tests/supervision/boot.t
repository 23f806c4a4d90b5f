#!/usr/bin/python3
# defends: see.capture lose.spool lose.memory enter.sibling
"""From nothing to a running camera: who runs as whom, in which cell, and may touch what; a report arrives; a second
camera is added while the first one records; the gate; an orderly stop loses nothing of what was in the pipes.
defends: see.capture lose.spool lose.memory enter.sibling"""
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world

TOOLS = {"capture": "camcapture", "seal": "camseal", "spool": "camspool", "ship": "camship", "reap": "camreap", "status": "camstatus"}
EMPTY = "0000000000000000"


def status(pid, thread=None):
    text = open(f"/proc/{pid}/task/{thread or pid}/status", encoding="utf-8").read()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def family(pid):
    """The process and what it has forked: the dialer of cam-ship."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [pid, *map(int, f.read().split())]


def table(w):
    """What the kernel says of each tool and each of its threads."""
    users = {}
    print("# service          uid    NoNewPrivs Seccomp CapInh/Prm/Eff/Bnd/Amb threads of it and its children")
    for tool, user in TOOLS.items():
        pid = w.ready_pid(f"cam-{tool}@door")
        got = [status(p, t) for p in family(pid) for t in os.listdir(f"/proc/{p}/task")]
        name = world.sh(["id", "-nu", got[0]["Uid"].split()[0]]).stdout.strip()
        users[tool] = name
        caps = {s[f"Cap{k}"] for s in got for k in ("Inh", "Prm", "Eff", "Bnd", "Amb")}
        print(f"# cam-{tool + '@door':14} {name:10} {'/'.join(sorted({s['NoNewPrivs'] for s in got}))} {'/'.join(sorted({s['Seccomp'] for s in got}))} {'/'.join(sorted(caps))} {len(got)}")
        w.tap.ok(name == user and all(len(set(s["Uid"].split() + s["Gid"].split())) <= 2 for s in got), f"cam-{tool} runs as {user}", name)
        w.tap.ok(caps == {EMPTY}, f"cam-{tool}: every capability set of every thread is empty", caps)
        w.tap.ok({s["NoNewPrivs"] for s in got} == {"1"} and {s["Seccomp"] for s in got} == {"2"}, f"cam-{tool}: no new privileges, and a filter on every thread",
                 [(s["NoNewPrivs"], s["Seccomp"]) for s in got])
    w.tap.ok(len(set(users.values())) == len(TOOLS), "no two tools share a user")
    log = w.ready_pid("cam-log@door")
    w.tap.ok(status(log)["Uid"].split()[0] == world.must("id -u camlog").strip(), "the log is written by camlog")


def cells(w):
    ours, empty = os.stat("/proc/self/ns/net").st_ino, os.stat("/run/cam/cells/net").st_ino
    for tool in TOOLS:
        net = os.stat(f"/proc/{w.ready_pid(f'cam-{tool}@door')}/ns/net").st_ino
        w.tap.ok(net == (ours if tool == "ship" else empty), f"cam-{tool}: {'has the network' if tool == 'ship' else 'is in the cell without a network'}")
    for kind in ("ipc", "uts"):
        ours, kept = (os.stat(path).st_ino for path in (f"/proc/self/ns/{kind}", f"/run/cam/cells/{kind}"))
        got = {os.stat(f"/proc/{w.pid(f'cam-{tool}@door')}/ns/{kind}").st_ino for tool in TOOLS}
        w.tap.ok(got == {kept} and kept != ours, f"every tool is in the {kind} cell", got, kept, ours)
    links = world.must("nsenter --net=/run/cam/cells/net ip -o link")
    w.tap.ok("UP" not in links.replace("LOWER_UP", "") and links.count("\n") == 1, "where nothing is up", links)
    for tool in TOOLS:
        pid = w.ready_pid(f"cam-{tool}@door")
        fifo = os.stat(f"/proc/{pid}/fd/2")
        flags = int(re.search(r"flags:\t(\d+)", open(f"/proc/{pid}/fdinfo/2", encoding="utf-8").read()).group(1), 8)
        w.tap.ok(stat.S_ISFIFO(fifo.st_mode) and flags & os.O_NONBLOCK and flags & os.O_ACCMODE == os.O_WRONLY, f"cam-{tool}: its messages go to a FIFO and never wait")


DATA_MIB = {"capture": 512, "seal": 64, "spool": 64, "ship": 256, "reap": 32, "status": 32}


def ceilings(w):
    """No tool gets more memory than its run script says, nor may it raise that."""
    for tool, mib in DATA_MIB.items():
        asks = [world.must([f"{world.OUT}/tests/sandbox/inject", str(w.pid(f"cam-{tool}@door")), "memory", str(n)]).split(":")[:2] for n in (1 << 20, mib << 20)]
        w.tap.ok(asks[0][0] == "done" and asks[1] == ["refused", " ENOMEM\n"], f"cam-{tool} gets 1 MiB more, not {mib}", asks)
        with open(f"/proc/{w.pid(f'cam-{tool}@door')}/limits", encoding="ascii") as f:
            limits = {line[:26].strip(): line[26:].split()[:2] for line in f}
        w.tap.ok(limits["Max data size"] == [str(mib << 20)] * 2, f"cam-{tool}: at most {mib} MiB, and no way to have more", limits["Max data size"])
        w.tap.ok(all(int(n) <= 256 for n in limits["Max processes"]), f"cam-{tool}: few processes, and no way to have more", limits["Max processes"])


ASKED = "/run/choom"


def memory(w):
    """Who is ended first when memory runs out. Where the kernel does not let root protect anybody, it has been asked to, and
    what records does so all the same."""
    allowed = world.sh("/usr/bin/choom -n -500 -- true").returncode == 0
    for tool in TOOLS:
        want = 500 if tool in ("ship", "reap", "status") else -500
        pid = w.ready_pid(f"cam-{tool}@door")
        for p in family(pid):
            with open(f"/proc/{p}/oom_score_adj", encoding="ascii") as f:
                got = int(f.read())
            w.tap.ok(got == (want if want > 0 or allowed else 0), f"memory runs out: cam-{tool} at {want}", got)
        if want < 0:
            with open(ASKED, encoding="ascii") as f:
                w.tap.ok(f"-n {want} -p {pid}\n" in f.readlines(), f"cam-{tool}: root has asked for {want}")
    w.tap.ok(allowed or world.wait_for(lambda: "choom: failed to set score adjust value" in w.log()), "where what records cannot be protected that is said", w.log()[:500])


def may(w, tool, command):
    """Does this succeed as the user and in the namespaces of the tool? Before its own sandbox, that is."""
    pid = w.ready_pid(f"cam-{tool}@door")
    return world.sh(["nsenter", "-t", str(pid), "-m", "-n", "setpriv", "--reuid", TOOLS[tool], "--regid", TOOLS[tool], "--init-groups", "sh", "-c", command]).returncode == 0


def no_more(w):
    """The kernel makes no more namespaces, and a service needs none to start again. Returns when all were back."""
    for kind in ("net", "user"):
        made = world.sh(["unshare", f"--{kind}", "true"])
        w.tap.ok(made.returncode != 0, f"no more {kind} namespaces can be made", made.stdout)
    for tool in TOOLS:
        pid = w.kill(f"cam-{tool}@door")
        w.tap.ok(w.back(f"cam-{tool}@door", pid), f"cam-{tool}, killed, comes back into its cell", w.log()[-500:])
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def permissions(w):
    segment = world.wait_for(lambda: w.spooled("door", (".sent",)))[0]  # its name does not change any more
    key, spool, conf = "/var/lib/cam/door/sign.key", "/var/spool/cam/door", "/etc/cam/door/ship/secret"
    mode = os.stat(key)
    w.tap.ok(stat.S_IMODE(mode.st_mode) == 0o400 and world.must(["id", "-nu", str(mode.st_uid)]).strip() == "camseal", "the signing key: 0400, camseal's")
    allowed = {
        f"cat {key}": ["seal"],
        f"cat {segment}": ["spool", "ship", "status"],
        f"ls {spool}": ["spool", "ship", "reap", "status"],
        f"touch {spool}/x && rm {spool}/x": ["spool", "reap"],
        f"mv {segment} {segment}.x && mv {segment}.x {segment}": ["spool", "reap"],
        f"echo >>{segment}": ["spool"],
        f"cat {conf}": ["ship"],
        "touch /var/lib/cam/door/x && rm /var/lib/cam/door/x": ["seal"],
        "touch /tmp/x || touch /var/tmp/x || touch /dev/shm/x || touch /run/x": [],
        "true </run/cam/door/log || true >/run/cam/door/log": [],  # held at both ends: to open it is not to wait
        "ls /var/log/cam/door": [],
        "ls /proc/1/fd || grep -qa s6 /proc/1/cmdline": [],
        "ls /root/. | grep . || ls /home | grep .": [],
    }
    for command, tools in allowed.items():
        got = [t for t in TOOLS if may(w, t, f"timeout {world.PATIENCE_S} sh -c '{command}' >/dev/null 2>&1")]
        w.tap.ok(sorted(got) == sorted(tools), f"{command.replace(segment, 'SEGMENT')}: {', '.join(tools) or 'nobody'}", got)


def filter_rules(w):
    """What gets through is connected to by the kernel, at once, however busy the server is."""
    for user, seconds in (("camship", world.PATIENCE_S), ("camreap", 1), ("camspool", 1)):
        ask = f"import socket; socket.create_connection(('127.0.0.1', {w.server.port}), {seconds})"
        r = world.sh(["setpriv", "--reuid", user, "--regid", user, "--init-groups", sys.executable, "-c", ask])
        good = r.returncode == 0 if user == "camship" else "timed out" in r.stdout
        w.tap.ok(good, f"packet filter: {user} {'reaches' if user == 'camship' else 'does not reach'} the server", r.stdout)


def order(w):
    """The audit finds in what cam-services makes that nothing talks before the rules are there; and when it does."""
    tree = f"{w.folder}/tree"
    made = f"{tree}/var/lib/cam-services/db-1"
    for folder in ("proc/1", "etc/cam", "usr/local/lib", "var/lib/cam-services/db-1/compiled"):
        os.makedirs(f"{tree}/{folder}")
    world.write(f"{tree}/proc/1/comm", "s6-svscan\n")
    world.write(f"{tree}/proc/cmdline", "quiet\n")
    shutil.copytree("/usr/local/lib/cam", f"{tree}/usr/local/lib/cam")
    shutil.copy("/etc/cam/nftables.conf", f"{tree}/etc/cam")
    world.must(["cam-services", "source", f"{made}/source"])
    os.symlink("db-1/compiled", f"{tree}/var/lib/cam-services/current")

    def says():
        return world.sh([f"{world.OUT}/tests/cam-harden-check/facts", tree, "order"]).stdout

    w.tap.ok("loaded-before-net = yes" in says(), "the audit: nothing talks before the packet filter is there", says())
    os.unlink(f"{made}/source/cam-ship@door/dependencies.d/cam-kernel")
    w.tap.ok("= no: cam-ship@door does not wait for the rules" in says(), "the audit: an uploader that does not wait", says())


REPORT = (r"cam-status 1", r"time 20..-.* (un)?synchronised", r"uptime \d+", r"spool sent \d+ \d+", r"newest \d{10}-\d{10}-\S+ \d+ [0-9a-f]{64}",
          r"drops \d+", r"recipient [0-9a-f]{16}", r"evictions 0", r"audit .+", "end")


def reports(w):
    """Until one was made while there was footage to report on."""
    folder = f"{w.server.root}/cams/door/status"
    who = ["-s", "/run/cam/door/camera.pub"]

    def stored():
        return [p for p in w.server.objects() if p.startswith(folder)]

    def said():
        command = ["cam-open", "-R", "-k", f"{w.folder}/keys/me.key", *who, *stored()]
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False).stdout.decode().splitlines()

    def missing(lines):
        return [want for want in REPORT if not any(re.fullmatch(want, line) for line in lines)]

    w.tap.ok(world.wait_for(stored), "a report is stored, below status/", w.log())
    world.wait_for(lambda: not missing(said()))
    lines = said()
    for want in REPORT:
        w.tap.ok(want not in missing(lines), f"it says: {want}", *lines)
    if missing(lines):
        return
    newest = [line.split() for line in lines if line.startswith("newest ")][-1]
    whole = world.wait_for(lambda: [p for p in w.spooled() if newest[1] in p])
    data, hashes = w.read(whole[0]) if whole else b"", {}
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at + 6:at + 8], "little")
        hashes[int.from_bytes(data[at + 20:at + 24], "little")] = hashlib.blake2b(data[at:at + length], digest_size=32).hexdigest()
        at += length
    w.tap.ok(hashes.get(int(newest[2])) == newest[3], "the position and hash of the newest mark are those in the footage", newest)
    w.tap.ok(world.sh(["cam-open", "-A", "100", *who, *stored()]).returncode == 0, "cam-open -A: alive")
    old = world.sh(["faketime", "+1 hour", "cam-open", "-A", "100", *who, *stored()]) if shutil.which("faketime") else None
    w.tap.ok(old is None or old.returncode == 1 and "silent: the newest item is 3" in old.stdout, "cam-open -A an hour later: silent", old and old.stdout)


def update(w):
    before = {t: w.pid(f"cam-{t}@door") for t in TOOLS}
    w.camera("yard", capture="-T -s 160x120 -r 5 -b 100k", CAM_GATE="yes")
    code, said = w.up()
    after = {t: w.pid(f"cam-{t}@door") for t in TOOLS}
    w.tap.ok(before == after and all(before.values()), "a camera is added: the other one's processes stay", before, after)
    ours = world.wait_for(lambda: w.spooled("yard"))
    w.tap.ok(bool(ours), "it records", said, w.log("yard"))
    if not w.s6_rc:
        return
    w.tap.ok(code != 0 and "cam-gate@yard" in said, "its gate is shut (no audit here passes): up says so", code, said)
    w.tap.ok(not w.pid("cam-ship@yard") and not w.stored("yard"), "and nothing is shipped")
    for name, text in (("mine.policy", "mine.quiet | cmdline | quiet | present | - | low | own | Little is shown | -\n"), ("cmdline", "ro quiet\n")):
        world.write(f"/etc/cam/yard/{name}", text)
    w.set("yard", "CAM_GATE_ARGS", "-p /etc/cam/yard/mine.policy -c /etc/cam/yard/cmdline")
    code, said = w.up()
    w.tap.ok(code == 0 and w.pid("cam-ship@yard") > 0, "an audit that passes opens it: up", said)
    w.tap.ok(world.wait_for(lambda: w.stored("yard")), "and it ships what waited")


FRAMES = 200


def stop(w, since):
    """A camera whose frames are counted: they lie in the pipes when it is told to stop. The other one's, since no stage was
    killed any more."""
    tape = world.Tape("/run/tape", 64, 10)
    tape.put(1)
    w.camera("tape", capture=f"-i {tape.path} -F -b 200k", seal="-t 5")
    w.up()
    w.svc("cam-spool@tape", "-p")
    w.svc("cam-seal@tape", "-p")
    capture = w.ready_pid("cam-capture@tape")
    world.wait_for(lambda: tape.is_read(capture))
    tape.put(FRAMES - 1)
    w.tap.ok(world.wait_for(lambda: tape.is_read(capture)), "the last frame is with cam-capture")
    w.svc("cam-seal@tape", "-c")
    w.svc("cam-spool@tape", "-c")
    w.tap.ok(w.down() == 0, "down")
    left = [s for s in os.listdir(world.SCAN) if s.startswith("cam-") and w.pid(s)]
    w.tap.ok(not left, "nothing runs any more", left)
    ends = {t: world.sh(["s6-svstat", "-o", "exitcode,signal", w.dir(f"cam-{t}@tape")]).stdout.strip() for t in TOOLS}
    w.tap.ok(set(ends.values()) == {"0 NA"}, "each has ended of its own, with exit 0", ends)
    os.close(tape.fd)
    w.publish("tape")
    units = w.frames(w.spooled("tape"), "tape")
    w.tap.ok([u.frame for u in units] == list(range(FRAMES)), f"all {FRAMES} frames were kept, each once", len(units), [u.frame for u in units][-3:], w.log("tape"))
    w.tap.ok(all(u.whole for u in units), "and whole")
    w.publish("door")
    units = [u for u in w.frames(w.spooled()) if u.boot_ns > since]
    w.tap.ok(w.missing(units) == 0 and len(units) > 20, f"the other camera: {len(units)} frames, none missing", w.verdicts(w.spooled()))
    w.tap.ok(not re.search(r"frames lost, [1-9]\d* of them still waiting", w.log()), "none was left with cam-capture", w.log())


def main(w):
    os.makedirs("/etc/cam/door/ship")
    world.write("/usr/local/bin/choom", f'#!/bin/sh\nprintf "%s\\n" "$*" >>{ASKED}\nexec /usr/bin/choom "$@"\n', 0o755)
    w.camera("door", capture="-T -s 160x120 -r 10 -b 200k")
    code, said = w.up()
    w.tap.ok(code == 0, "up" if w.s6_rc else "up: s6-rc is not installed: the same run scripts under s6-svscan, without dependencies", said)
    world.write("/etc/cam/door/ship/secret", "s\n", 0o400)
    world.must("chown camship:camship /etc/cam/door/ship/secret")
    if w.s6_rc:
        w.tap.ok(bool(re.search(r"prepare: door: (\d{5} ){7}\d{5}", said)), "the fingerprint of the new camera is said", said)
    w.tap.ok(world.wait_for(lambda: w.stored() and any(p.endswith(".sent") for p in w.spooled())), "it records, ships, and marks what is stored", w.log())
    table(w)
    since = no_more(w)
    cells(w)
    ceilings(w)
    memory(w)
    permissions(w)
    filter_rules(w)
    order(w)
    reports(w)
    update(w)
    stop(w, since)


world.run(main)
