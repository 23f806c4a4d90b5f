#!/usr/bin/python3
# defends: lose.crash lose.logs
"""Each stage is killed, a few times (CAM_LONG: a hundred); the loggers and the holder of the pipes too. Nothing
corrupt is accepted, every hole is told of, and who stands behind the spool costs no frame at all. Says how long
each stage takes to be ready again and how many frames a kill costs.
defends: lose.crash lose.logs"""
import os
import random
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world

KILLS = 2 if world.LONG == 1 else 5 * world.LONG
RATE = 15
# what may be said of footage whose recorder was killed; anything else is corruption
HONEST = {"history starts here", "camera restarted", "input restarted", "truncated", "unproven tail", "damaged stretch", "gap", "ok"}


def boot_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def kill_each(w, stages):
    """[(stage, when, seconds until ready again)]"""
    killed = []
    for stage in stages:
        service = f"cam-{stage}@door"
        for _ in range(KILLS):
            world.sh(["s6-svdt-clear", w.dir(service)])  # the pauses that grow with the deaths are another test
            time.sleep(random.uniform(0.3, 0.8))
            before, begun = boot_ns(), time.monotonic()
            pid = w.kill(service)
            back = w.back(service, pid)
            killed.append((stage, before, time.monotonic() - begun))
            if not back:
                w.tap.ok(back, f"{service} is back", w.log()[-1000:])
    return killed


def holes(units):
    """(when, frames that are missing): by the clock of each frame, which a new cam-capture goes on with. What the
    machine was too slow to make is not among them."""
    step = 1e9 / RATE
    found = []
    for before, unit in zip(units, units[1:]):
        slow = unit.dropped - before.dropped if unit.frame > before.frame else 0
        lost = round((unit.boot_ns - before.boot_ns) / step) - 1 - slow
        if lost > 0:
            found.append((unit.boot_ns, lost))
    return found


def cost(killed, units):
    """Per stage: what its kills cost. A hole belongs to the last kill before it ends."""
    lost = {k: 0 for k in killed}
    for when, n in holes(units):
        before = [k for k in killed if k[1] <= when]
        if before:
            lost[before[-1]] += n
    for stage in sorted({k[0] for k in killed}, key=world.STAGES.index):
        back = [k[2] for k in killed if k[0] == stage]
        frames = [lost[k] for k in killed if k[0] == stage]
        print(f"# {stage}: {len(back)} kills: ready again after {statistics.median(back) * 1000:.0f} ms (most {max(back) * 1000:.0f}); "
              f"frames lost per kill: mean {statistics.mean(frames):.1f}, most {max(frames)}, at {RATE} a second")


def loggers(w):
    begun = len(w.log())
    for service in ("cam-log@door", "cam-log-hold@door"):
        pid = w.kill(service)
        w.tap.ok(w.back(service, pid), f"{service} killed: is back")
    # a logger that stands still: the FIFO fills, messages are dropped, nobody waits
    logger = w.kill("cam-log@door", signal.SIGSTOP)
    fifo = os.open("/run/cam/door/log", os.O_WRONLY | os.O_NONBLOCK)
    filled = 0
    try:
        while filled < 4 << 20:
            filled += os.write(fifo, b"noise: " + b"x" * 993)
    except BlockingIOError:
        pass
    os.close(fifo)
    w.tap.ok(filled > 60000, f"the logger stands still: its FIFO is full after {filled} bytes")
    pid = w.kill("cam-seal@door")  # has something to say when it starts
    w.tap.ok(w.back("cam-seal@door", pid), "cam-seal, killed, starts without waiting for it")
    n = len(w.spooled())
    w.tap.ok(world.wait_for(lambda: len(w.spooled()) >= n + 2), "and recording goes on")
    os.kill(logger, signal.SIGCONT)
    w.tap.ok(world.wait_for(lambda: "noise" in w.log()[begun:]), "continued, it writes what lay in the FIFO")
    w.svc("cam-ship@door", "-h")
    w.svc("cam-seal@door", "-r")
    w.tap.ok(world.wait_for(lambda: "only one recipient" in w.log()[begun:].rsplit("noise", 1)[-1]), "and what is said now", w.log()[-500:])


def holder(w):
    """s6-rc's holder of the pipes: those that run keep the old ones."""
    w.kill("s6rc-fdholder")
    n = len(w.spooled())
    w.tap.ok(world.wait_for(lambda: len(w.spooled()) >= n + 2), "the holder of the pipes killed: recording goes on")
    killed = [(f"cam-{stage}@door", w.kill(f"cam-{stage}@door")) for stage in ("seal", "reap")]
    for service, pid in killed:
        w.back(service, pid)
    n, stored = len(w.spooled()), len(w.stored())
    w.tap.ok(world.wait_for(lambda: len(w.spooled()) >= n + 3 and len(w.stored()) >= stored + 2),
             "and after a stage that finds new pipes was killed too", w.log()[-1500:], world.sh("cam-services status").stdout)


def nothing_is_left():
    """Kills what there is but for the first process, this one and the server."""
    left = 0
    for pid in {int(p) for p in os.listdir("/proc") if p.isdigit()} - {1, os.getpid()}:
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                if f.read() != "nginx\n":
                    left += 1
                    os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return not left


def everything(w):
    """The supervisor dies; what is above it kills the rest, as systemd does, and starts it again."""
    w.scan.kill()
    w.scan.wait()
    w.tap.ok(world.wait_for(nothing_is_left), "all are killed")
    w.svscan()
    r = world.sh("cam-services up")
    n = len(w.spooled())
    w.tap.ok(r.returncode == 0 and world.wait_for(lambda: len(w.spooled()) >= n + 2), "all killed, the supervisor too: started again, it records", r.stdout, w.log()[-1000:])


def main(w):
    w.camera("door", capture=f"-T -s 160x120 -r {RATE} -b 300k", seal="-t 1")
    code, said = w.up()
    w.tap.ok(code == 0, "up", said)
    world.wait_for(lambda: w.stored())
    begun = boot_ns()
    n = len(w.spooled())
    behind = kill_each(w, ("ship", "reap"))
    world.wait_for(lambda: len(w.spooled()) >= n + 3)  # enough to say something about
    until = boot_ns()
    killed = kill_each(w, ("capture", "seal", "spool"))
    time.sleep(1.5)
    over = boot_ns()
    loggers(w)
    if w.s6_rc:
        holder(w)
        everything(w)
    w.tap.ok(world.wait_for(lambda: w.stored() and not [p for p in w.spooled() if p.endswith(".cam")][3:]), "what was recorded is stored", w.log()[-1500:])
    w.down()
    w.publish()
    paths = w.spooled()
    units = w.frames(paths)
    cost(behind + killed, [u for u in units if u.boot_ns <= over])
    early = [u for u in units if begun <= u.boot_ns <= until]
    w.tap.ok(w.missing(early) == 0 and len(early) > RATE, f"cam-ship and cam-reap killed {len(behind)} times: {len(early)} frames, none lost by it", holes(early))
    verdicts = w.verdicts(paths)
    w.tap.ok(not verdicts - HONEST, f"nothing corrupt was accepted: {', '.join(sorted(verdicts))}", verdicts)
    w.tap.ok(all(open(p, "rb").read() == open(next(s for s in paths if os.path.basename(p)[:50] in s), "rb").read() for p in w.stored()), "what is stored is what was recorded")


world.run(main)
