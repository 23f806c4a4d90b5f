#!/usr/bin/python3
# defends: see.card see.cloud see.recipient lose.memory forge.alter forge.drop forge.past forge.restore enter.footage
"""Attacks on sealed footage: thousands of altered streams are given to the real cam-open. What comes out must be whole
original stretches in order and nothing else, what is said must fit the attack, and no input may cost more than time
that grows with its length and a bounded amount of memory. CAM_SEED repeats a run, CAM_LONG makes it longer."""
import collections
import concurrent.futures
import os
import random
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import attacks
import footage
import forgeries
import hostile
import reader
import writer

V = f"{HERE}/vectors"
# the same each time, but in the long run
SEED = int(os.environ.get("CAM_SEED", random.randrange(1 << 32) if "CAM_LONG" in os.environ else 1))
LONG = int(os.environ.get("CAM_LONG", 1))
CPU_MAX_S = 2.0  # and a hundred times what the footage costs that nobody altered
CAM_OPEN = next(f"{p}/cam-open" for p in os.environ["PATH"].split(":") if os.access(f"{p}/cam-open", os.X_OK))
SANITIZED = b"__asan_init" in open(CAM_OPEN, "rb").read()

run = failed = 0


def ok(condition, what, why=()):
    global run, failed
    run, failed = run + 1, failed + (not condition)
    print(f"{'ok' if condition else 'not ok'} {run} - {what}", flush=True)
    for line in why if not condition else ():
        print(f"#   {line}")


# what is more than this memory cannot be had, and exit 111 tells; the sanitizer's own memory is beyond any limit
LIMITED = ["/bin/sh", "-c", f'ulimit -t 600; {"" if SANITIZED else "ulimit -d 49152;"} exec "$0" "$@"', CAM_OPEN]


def cam_open(T, path, args):
    """(exit code or minus the signal, stdout, stderr, CPU seconds)"""
    out, err = (f"{T}/{threading.get_ident()}.{n}" for n in ("out", "err"))
    opened = [
        (os.POSIX_SPAWN_OPEN, fd, f, flags, 0o600)
        for fd, f, flags in (
            (0, path, os.O_RDONLY),
            (1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (2, err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        )
    ]
    pid = os.posix_spawn(LIMITED[0], LIMITED + args, os.environ, file_actions=opened)
    _, status, used = os.wait4(pid, 0)
    with open(out, "rb") as o, open(err, "rb") as e:
        return os.waitstatus_to_exitcode(status), o.read(), e.read().decode(), used.ru_utime + used.ru_stime


def composed(out, segments, tails):
    """Is `out` whole stretches of these segments, in order, each followed by at most one tail where one may be?"""
    ends = {0}
    for stretches in segments:
        for s in stretches:
            ends |= {e + len(s.bytes) for e in ends if out.startswith(s.bytes, e)}
        if stretches and stretches[0].place in tails:
            for e in list(ends):
                for i in range(len(stretches)):
                    at = e
                    for payload in (p for s in stretches[i:] for p in s.payloads):
                        if not out.startswith(payload, at):
                            break
                        at += len(payload)
                        ends.add(at)
    return len(out) in ends


class Suite:
    def __init__(self, base, also, T):
        self.base, self.whole, self.T = base, b"".join(base.raw), T
        self.segments = [[s for s in f.stretches if s.place == place] for f in [base] + also for place in f.places]
        self.table = collections.defaultdict(collections.Counter)
        with open(f"{T}/whole.cam", "wb") as f:
            f.write(self.whole)
        self.cpu_max_s = CPU_MAX_S + 100 * cam_open(T, f"{T}/whole.cam", ["-k", "me.key", "-s", "door.pub"])[3]
        self.counts, self.wrong = collections.Counter(), collections.defaultdict(list)

    def judge(self, case, code, out, err, cpu_s):
        """What is wrong, as a list of sentences; the verdicts."""
        found = footage.verdicts(err)
        said = {v for _, v in found}
        why = []
        if code != (0 if case.harmless else 1):
            why.append(f"exit {code}")
        if said - case.allowed:
            why.append(f"says {sorted(said - case.allowed)}")
        if case.must and not said & case.must:
            why.append(f"says {sorted(said)} and none of {sorted(case.must)}")
        if case.exact is not None:
            if out != case.exact:
                why.append(f"{len(out)} bytes come out instead of {len(case.exact)}")
        elif case.lost is not None:
            # a last stretch whose mark is not known as one any more is a tail
            whole = self.base.without(() if attacks.TAIL in said else case.lost)
            if out != whole:
                why.append(f"{len(out)} bytes come out instead of {len(whole)}")
        else:
            tails = {where.split("-")[1] + where.split("-")[3] for where, v in found if v == attacks.TAIL}
            places = {s[0].place for s in self.segments if s and f"{s[0].place[1]:010}{s[0].place[0].hex()}" in tails}
            if not composed(out, self.segments, places):
                why.append("what comes out is not whole stretches in order")
        if cpu_s > self.cpu_max_s:
            why.append(f"{cpu_s:.1f} s of CPU")
        return why, said

    def run(self, case):
        path = f"{self.T}/{threading.get_ident()}.cam"
        with open(path, "wb") as f:
            f.write(case.data)
        keys = [] if case.args and "-k" in case.args else ["-k", "me.key"]
        result = cam_open(self.T, path, keys + ["-s", "door.pub"] + (case.args or []))
        return case, *self.judge(case, *result), result[2]

    def all(self, cases):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            altered = (c for c in cases if c.harmless or c.data != self.whole)
            for case, why, said, err in pool.map(self.run, altered):
                name = case.attack
                self.counts[name] += 1
                self.table[name].update(said or {"nothing"})
                if why:
                    number = sum(self.counts.values())
                    self.wrong[name].append([f"mutation {number}: {'; '.join(why)}"] + err.splitlines()[:6])
                    keep = os.environ.get("CAM_KEEP")
                    if keep:
                        with open(f"{keep}/{number}.cam", "wb") as f:
                            f.write(case.data)


def main():
    print(f"# CAM_SEED={SEED}")
    os.chdir(V)
    rng = random.Random(SEED)
    recipients = {k: reader.recipient_keys(f"{k}.key")[0] for k in ("me", "other", "evilme")}
    keys = recipients | {k: writer.device_secret(f"{k}.key") for k in ("door", "yard", "evil")}
    me = [recipients["me"]]
    base = attacks.Footage(me, "chain-1.cam", "chain-2.cam")
    first, second, clone, yard = (attacks.Footage(me, f"{n}.cam") for n in ("chain-1", "chain-2", "cloned", "yard"))
    others = {"another camera": yard, "a clone": clone, "our other start": second}
    n = LONG
    with tempfile.TemporaryDirectory() as T:
        suite = Suite(base, [clone], T)
        suite.all(attacks.flips(base, rng, 8 * n))
        suite.all(attacks.truncations(base, rng, 100 * n))
        suite.all(attacks.records_moved(base, rng, 40 * n))
        suite.all(attacks.stretches_moved(base, rng, 40 * n))
        suite.all(attacks.segments_moved(base, rng, 20 * n))
        suite.all(attacks.copies_in_front(base, rng, 15 * n))
        suite.all(attacks.stubs(base, rng, 15 * n))
        suite.all(attacks.false_stubs(base, rng, keys, others, writer.signed))
        suite.all(attacks.bytes_moved(base, rng, 40 * n))
        suite.all(attacks.splices(base, rng, 20 * n, others))
        suite.all(forgeries.other_device(base, rng, keys, 10 * n))
        suite.all(forgeries.recipients_changed(base, rng, keys, 5 * n))
        suite.all(forgeries.corecipient(base, rng, keys, 20 * n))
        suite.all(forgeries.stolen_device(base, rng, keys, 15 * n))
        suite.all(forgeries.malicious_camera(base, rng, keys, 4 * n))
        suite.all(forgeries.restored(base, first, second, clone))
        for name, count in suite.counts.items():
            ok(name not in suite.wrong, f"{name}: {count}", [line for w in suite.wrong[name][:3] for line in w])
        total = sum(suite.counts.values())
        ok(total >= 2000, f"{total} mutations")
        for what, good, why in hostile.costs(T, cam_open, base):
            ok(good, what, why)
    for name, count in suite.counts.items():
        said = ", ".join(f"{v} {c}" for v, c in sorted(suite.table[name].items()))
        print(f"# {name}: {count}, {said}")
    print(f"1..{run}")
    return failed > 0


sys.exit(main())
