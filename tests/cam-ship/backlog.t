#!/usr/bin/python3
# defends: lose.outage lose.memory
"""A hundred thousand segments wait: no more memory than for a hundred, nothing waits for them, and those that are new
go first all the same."""
import os
import shutil
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pipe")]
import camera
import chain
import stores

KIB = 1024
MARGIN = 512 * KIB  # what malloc and libcurl do from run to run; five bytes for each name
FEW, MANY = 100, 100_000


def private_bytes(pid):
    """That it wrote: what it only reads is private as long as nobody else has mapped it."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return sum(int(line.split()[1]) * KIB for line in f if line.startswith("Private_Dirty"))


def name(number):
    return f"{1:010}-{number:010}-20260101T000000Z-0123456789abcdef.cam"


def fill(spool, count):
    """Links to a few files: what takes time is neither to write nor to hash them."""
    os.mkdir(spool)
    for i in range(count):
        source = f"{spool}.{i % 4}"
        if i < 4:
            with open(source, "wb") as f:
                f.write(os.urandom(1000))
        os.link(source, f"{spool}/{name(i)}")


class Ship:
    def __init__(self, folder, spool, url):
        self.names = f"{spool}.names"
        self.process = camera.start(["cam-ship", "-d", spool, "-C", f"{folder}/ca.pem", url], stdout=open(self.names, "wb"), stderr=open(f"{spool}.log", "wb"))

    def named(self):
        return (camera.read(self.names) or b"").decode().splitlines()


def main():
    tap = chain.Tap()
    folder = tempfile.mkdtemp(prefix="cam")
    camera.atexit.register(shutil.rmtree, folder, True)
    camera.atexit.register(camera.end_all)
    stores.make_certificates(folder)
    server = stores.Nginx(f"{folder}/server", folder)
    server.start()
    private = {}
    for count in (FEW, MANY):
        spool = f"{folder}/{count}"
        fill(spool, count)
        ship = Ship(folder, spool, server.url())
        enough = min(count, 1500)  # more than a window: the directory has been read again
        tap.ok(camera.waits(600, lambda s=ship, n=enough: len(s.named()) >= n), f"{count} waiting: {enough} are stored", camera.read(f"{spool}.log"))
        tap.ok(ship.named()[0] == name(count - 1), f"{count} waiting: the newest goes first", ship.named()[0])
        os.link(f"{spool}.0", f"{spool}/{name(count)}")  # a link is not announced, a rename is
        os.rename(f"{spool}/{name(count)}", f"{spool}/{name(count + 1)}")
        before = len(ship.named())
        tap.ok(camera.waits(300, lambda s=ship, n=count: name(n + 1) in s.named()), f"{count} waiting: one that is new is stored")
        after = ship.named().index(name(count + 1)) - before
        tap.ok(after < 300, f"{count} waiting: after {after} others", ship.named()[before:before + 20])
        private[count] = private_bytes(ship.process.pid)
        ship.process.terminate()
        tap.ok(ship.process.wait(timeout=120) == 0, f"{count} waiting: it ends well")
    if "asan" in os.environ.get("O", ""):
        tap.ok(True, "memory # SKIP a sanitizer's is not ours")
    else:
        grown = private[MANY] - private[FEW]
        tap.ok(grown <= MARGIN, f"private memory: {private[FEW] // KIB} KiB with {FEW}, {private[MANY] // KIB} KiB with {MANY}")
    tap.done()


main()
