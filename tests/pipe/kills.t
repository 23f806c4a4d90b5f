#!/usr/bin/python3
# defends: see.card lose.outage lose.crash
"""Every stage is killed at random, a hundred times in all, and started again. Nothing corrupt may be accepted,
and every hole in the numbering of the frames has to be one that cam-open tells of."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chain
import footage

KILLS = 100 * int(os.environ.get("CAM_LONG", "1"))
SEED = int(os.environ.get("CAM_SEED", str(time.time_ns())))
# what may be said of footage whose recorder was killed; anything else is corruption
HONEST = {"history starts here", "camera restarted", "input restarted", "truncated", "unproven tail", "damaged stretch", "gap", "ok"}
# and what accounts for missing frames
LOSS = HONEST - {"ok", "history starts here"}


def findings(folder, paths):
    """{segment name: set of verdicts} in order, from cam-open -V."""
    text = subprocess.run(["cam-open", "-V", "-s", "door.pub", *paths], cwd=folder, stdout=subprocess.PIPE, check=False).stdout.decode()
    found = {}
    for line in text.splitlines():
        name, verdict, _ = line.split("\t")
        found.setdefault(name, set()).add(verdict)
    return found


def main():
    tap = chain.Tap()
    folder = tempfile.mkdtemp()
    print(f"# seed {SEED}, {KILLS} kills")
    rng = random.Random(SEED)
    server = chain.Server(folder)
    server.start()
    c = chain.Chain(folder, server, ["-T", "-s", "320x240", "-r", "30", "-b", "1M"], 2)
    try:
        for stage in reversed(chain.STAGES):
            c.start(stage)
        begun = time.monotonic()
        chain.until(lambda: c.recorded_bytes() > 20000)
        # on a slow machine they get more time, or nothing would ever come through
        slow = min(20, max(1, (time.monotonic() - begun) / 1.5))
        print(f"# {time.monotonic() - begun:.1f} s until something was recorded")
        killed = {s: 0 for s in chain.STAGES}
        alone = []
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.02, 0.4) * slow)
            alone += c.revive()
            stage = rng.choice(chain.STAGES)
            c.kill(stage)
            killed[stage] += 1
            c.start(stage)
        chain.until(lambda: all(chain.heeds(p.pid, signal.SIGTERM) for p in c.running.values()))
        alone += c.revive()
        for stage in ("capture", "seal", "spool"):
            c.stop(stage)
        c.start("spool", stdin=os.open("/dev/null", os.O_RDONLY))  # the end of its input: publishes what is left
        c.running["spool"].wait(timeout=120)
        del c.running["spool"], c.running["capture"], c.running["seal"]
        tap.ok(not alone, "no stage died but those that were killed", alone)
        tap.ok(c.drain(300), f"everything is stored after {killed}", c.waiting(), open(f"{folder}/ship.log").read()[-2000:])
        for stage in ("ship", "reap"):
            c.stop(stage)

        objects = server.objects()
        sent = sorted(n[:-5] for n in os.listdir(c.spool) if n.endswith(".sent"))
        stored = [os.path.basename(p).rsplit("-", 1)[0] for p in objects]
        tap.ok(stored == sent and len(sent) > 5, f"{len(sent)} segments stored, the same that the spool has", stored, sent)
        same = [open(p, "rb").read() == open(f"{c.spool}/{n}.sent", "rb").read() for p, n in zip(objects, sent)]
        tap.ok(all(same), "byte for byte")

        found = findings(folder, objects)
        wrong = {n: v - HONEST for n, v in found.items() if v - HONEST}
        tap.ok(not wrong, "nothing corrupt was accepted", wrong)

        holes = untold = frames = partial = 0
        before, before_name, details = None, None, []
        for path, name in zip(objects, sent):
            opened = subprocess.run(["cam-open", "-k", "me.key", "-s", "door.pub", path], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
            for unit in footage.units(opened):
                frames += 1
                partial += not unit.whole
                follows = before and unit.frame == before.frame + 1 + unit.dropped - before.dropped and unit.boot_ns > before.boot_ns
                if before and not follows:
                    holes += 1
                    if not (found[name] | found[before_name]) & LOSS:
                        untold += 1
                        details.append((before_name, before, name, unit))
                before, before_name = unit, name
        tap.ok(frames > 100 and holes > 0, f"{frames} frames came through, with {holes} holes, {partial} at a cut")
        tap.ok(untold == 0, "every hole is told of by cam-open", *details)
    finally:
        c.end()
        server.stop()
        shutil.rmtree(folder)
    tap.done()


main()
