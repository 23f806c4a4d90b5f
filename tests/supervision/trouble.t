#!/usr/bin/python3
# defends: lose.logs
"""What must not cost a frame: an uploader that is set up wrongly, one that stands still for an hour, a stage that
dies again and again, a full disk of the logs. A full spool costs the oldest, and a signed report says so.
defends: lose.logs"""
import fcntl
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world

HOUR_S, RATE = 3600, 1
SEGMENT_S = 10
FLOOR = 20  # cam-spool leaves this part of a disk free


def contiguous(w, camera, what):
    """Every frame that cam-capture made since its start is there."""
    units = w.frames(w.spooled(camera), camera)
    w.tap.ok(len(units) > 5 and w.missing(units) == 0, f"{what}: {len(units)} frames, none missing", w.missing(units), w.verdicts(w.spooled(camera), camera))
    return units


def goes_on(w, camera, what):
    old = set(w.spooled(camera, (".cam", ".sent", ".part")))
    w.tap.ok(world.wait_for(lambda: len([p for p in w.spooled(camera) if re.sub(r"[^.]*$", "part", p) not in {re.sub(r"[^.]*$", "part", q) for q in old}]) >= 2),
             f"{what}: recording goes on", w.log(camera)[-1500:])


def misconfigured(w):
    w.set("door", "CAM_SHIP_URL", "ftp://nowhere/")
    w.svc("cam-ship@door", "-r")
    w.tap.ok(world.wait_for(lambda: "stays down" in w.log()), "cam-ship with a wrong URL: exit 100 is for a human", w.log())
    wanted = ["s6-svstat", "-o", "up,wantedup", w.dir("cam-ship@door")]
    down = world.wait_for(lambda: world.sh(wanted).stdout.split() == ["false", "false"])
    w.tap.ok(down, "its supervisor does not want it up any more")
    goes_on(w, "door", "meanwhile")
    w.tap.ok(w.log().count("cam-ship@door: exit 100") == 1 and not w.pid("cam-ship@door"), "it was not started again and again", w.log()[-500:])
    w.set("door", "CAM_SHIP_URL", w.server.url)
    w.svc("cam-ship@door", "-u")
    w.tap.ok(world.wait_for(lambda: not [p for p in w.spooled() if p.endswith(".cam")][2:]), "put right and started, it stores what waited")


def crash_loop(w):
    """Another process holds the epoch file of the reports: their cam-seal exits 111 as often as it is started."""
    with open("/var/lib/cam/door/status.epoch", "rb") as held:
        w.ready_pid("cam-status-seal@door")
        w.svc("cam-status-seal@door", "-wd", "-d")
        fcntl.flock(held, fcntl.LOCK_EX)
        w.svc("cam-status-seal@door", "-u")
        w.tap.ok(world.wait_for(lambda: re.search(r"cam-status-seal@door: exit 111: \d+ deaths in a minute: waits 1 s", w.log())), "a stage that dies again and again is started ever more slowly", w.log()[-1500:])
        goes_on(w, "door", "meanwhile")
    w.tap.ok(world.wait_for(lambda: w.ready("cam-status-seal@door")), "when it can run again, it does", w.log()[-500:])


def hour(w):
    """An hour of frames is recorded while cam-ship stands still: a camera of one frame a second whose clock runs as
    fast as its frames can be encoded (cam-capture -F: the times in the frames are those of an hour)."""
    frames = HOUR_S * RATE + 1
    w.camera("fast", capture=f"-T -s 32x32 -r {RATE} -b 100k", seal=f"-t {SEGMENT_S}")
    code, said = w.up()
    w.tap.ok(code == 0, "a second camera", said)
    ship = w.kill("cam-ship@fast", signal.SIGSTOP)
    world.wait_for(lambda: w.spooled("fast", (".part", ".cam")))  # the first frame is there
    tape = world.Tape("/run/tape", 32, RATE)
    tape.put(1)
    w.set("fast", "CAM_CAPTURE_ARGS", f"-i {tape.path} -F -b 100k -g {SEGMENT_S}")
    w.svc("cam-capture@fast", "-wR", "-r")
    tape.put(frames - 1)
    capture, segments = w.pid("cam-capture@fast"), HOUR_S // SEGMENT_S
    full = world.wait_for(lambda: tape.is_read(capture) and len(w.spooled("fast")) >= segments, 5 * world.PATIENCE_S)
    w.svc("cam-capture@fast", "-wD", "-d")
    os.close(tape.fd)
    w.tap.ok(full, f"{segments} segments of ten seconds were recorded while cam-ship stood still", len(w.spooled("fast")), w.log("fast")[-1000:])
    waiting = [p for p in w.spooled("fast") if p.endswith(".cam")]
    w.tap.ok(len(waiting) >= segments and w.pid("cam-ship@fast") == ship, f"{len(waiting)} wait", len(waiting))
    units = w.frames(w.spooled("fast"), "fast")
    starts = [i for i, u in enumerate(units) if u.frame == 0]
    hour_s = (units[-1].boot_ns - units[starts[-1]].boot_ns) / 1e9
    w.tap.ok(w.missing(units) == 0 and len(starts) == 2 and hour_s > HOUR_S - 2 * SEGMENT_S, f"{len(units)} frames, {hour_s:.0f} s long, none missing", starts, w.missing(units))
    os.kill(ship, signal.SIGCONT)
    w.tap.ok(world.wait_for(lambda: not [p for p in w.spooled("fast") if p.endswith(".cam")], 5 * world.PATIENCE_S), "continued, it stores all of them", w.log("fast")[-1000:])
    w.tap.ok(all(os.path.getsize(p) for p in w.stored("fast")) and len(w.stored("fast")) >= segments, f"{len(w.stored('fast'))} are stored")


def full_log(w):
    """The disk of the logs is full: s6-log stops reading, the FIFO fills, and nobody waits for it."""
    ballast = os.open("/var/log/cam/ballast", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(ballast, bytes(4096))
    except OSError:
        os.close(ballast)
    fifo = os.open("/run/cam/door/log", os.O_WRONLY | os.O_NONBLOCK)
    full, end = False, time.monotonic() + world.PATIENCE_S
    while not full and time.monotonic() < end:
        try:
            os.write(fifo, b"noise: " + b"x" * 993 + b"\n")
        except BlockingIOError:
            full = True
            for _ in range(20):  # the reader has stopped, and is not only slow
                time.sleep(0.1)
                try:
                    os.write(fifo, b"noise: " + b"x" * 993 + b"\n")
                    full = False
                except BlockingIOError:
                    pass
    os.close(fifo)
    w.tap.ok(full, "the logs' disk is full: the logger has stopped reading")
    for stage in ("capture", "seal", "spool"):
        w.svc(f"cam-{stage}@door", "-r")  # each has something to say when it ends or starts
    goes_on(w, "door", "meanwhile")
    before = w.log().count("noise")  # what had room in the last page
    os.unlink("/var/log/cam/ballast")
    w.tap.ok(world.wait_for(lambda: w.log().count("noise") > before), "there is room: the log goes on", w.log()[-500:])


def full_disk(w):
    w.server.stop()
    w.svc("cam-capture@door", "-r")
    gone = world.wait_for(lambda: [n for n in os.listdir("/var/spool/cam/door") if ".gone" in n], 3 * world.PATIENCE_S)
    w.tap.ok(gone, "no server, and the disk is full: the oldest become stubs", os.listdir("/var/spool/cam/door"), w.log()[-1500:])
    goes_on(w, "door", "full")

    def said(*more):
        return w.open("door", [*more, *w.spooled("door.status")], "-R", "-k", f"{w.folder}/keys/me.key")

    def listed():
        packs = [f"/var/spool/cam/door/{n}" for n in os.listdir("/var/spool/cam/door") if ".gone" in n]
        return re.search(rb"segments are stubs; of [1-9]\d* a signed report says that the camera evicted them", said(*packs).stderr)

    w.tap.ok(world.wait_for(lambda: b"evicted " in said().stdout), "a report lists them", w.spooled("door.status"))
    w.tap.ok(world.wait_for(listed), "cam-open -R says of which stubs a report says so")
    w.tap.ok(w.pid("cam-spool@door") and w.pid("cam-capture@door"), "everything runs")
    w.server.start()
    w.svc("cam-ship@door", "-r")  # else it may wait a minute before it looks again
    w.tap.ok(world.wait_for(lambda: not [p for p in w.spooled() if p.endswith(".cam")][2:]), "the server is back: what is left is stored", w.log()[-1500:])


def main(w):
    world.must("mkdir -p /var/spool/cam && mount -t tmpfs -o size=64m tmpfs /var/spool/cam")
    world.must("mkdir -p /var/log/cam && mount -t tmpfs -o size=4m tmpfs /var/log/cam")
    w.camera("door", capture="-T -s 160x120 -r 10 -b 400k", seal="-t 1")
    code, said = w.up()
    w.tap.ok(code == 0, "up", said)
    world.wait_for(lambda: w.stored())
    misconfigured(w)
    crash_loop(w)
    contiguous(w, "door", "through all that")
    full_log(w)
    hour(w)
    # so little is left that the ring turns: what is stored would go first, and is out of the way already
    for path in w.spooled("door", (".sent",)) + w.spooled("fast", (".sent",)):
        os.unlink(path)
    size, have = map(int, world.must("df --output=size,avail -B1 /var/spool/cam | tail -n 1").split())
    with open("/var/spool/cam/ballast", "wb") as f:
        os.posix_fallocate(f.fileno(), 0, max(1, have - size // FLOOR - (5 << 16)))
    full_disk(w)
    w.down()


world.run(main)
