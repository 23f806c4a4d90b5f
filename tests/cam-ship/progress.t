#!/usr/bin/python3
"""What -v shows, and where: on a terminal one line that is written anew and cleared, elsewhere nothing. A terminal that
takes nothing more stops nothing."""
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tty

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pipe")]
import camera
import chain
import stores

LINE = rb"\r(\d+) waiting, (\d+) in hand, (\d+) set aside, (\d+) stored, (\d+) kB/s, (server well|no answer yet|server unavailable)\x1b\[K"
CLEAR = b"\r\x1b[K"
COUNT = 6


def fill(spool):
    os.mkdir(spool)
    for i in range(COUNT):
        with open(f"{spool}/{1:010}-{i:010}-20260101T000000Z-0123456789abcdef.cam", "wb") as f:
            f.write(os.urandom(100_000))


class Terminal:
    """What was written to it, if somebody reads."""

    def __init__(self, reads=True):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.shown = b""
        self.reader = threading.Thread(target=self.read, daemon=True)
        if reads:
            self.reader.start()

    def read(self):
        try:
            while True:
                self.shown += os.read(self.master, 65536)
        except OSError:
            pass  # the other end is closed

    def fill(self):
        os.set_blocking(self.slave, False)
        try:
            while True:
                os.write(self.slave, b"x" * 1024)
        except BlockingIOError:
            pass
        os.set_blocking(self.slave, True)

    def close(self):
        os.close(self.slave)
        self.reader.join(120)


def main():
    tap = chain.Tap()
    folder = tempfile.mkdtemp(prefix="cam")
    camera.atexit.register(shutil.rmtree, folder, True)
    camera.atexit.register(camera.end_all)
    stores.make_certificates(folder)
    server = stores.Nginx(f"{folder}/server", folder)
    server.start()
    fill(f"{folder}/spool")

    def ship(stderr, *options):
        command = ["cam-ship", "-d", f"{folder}/spool", "-C", f"{folder}/ca.pem", "-1", *options, server.url()]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, timeout=600, check=False)
        shutil.rmtree(f"{server.root}/cams", ignore_errors=True)
        return done.returncode, len(done.stdout.splitlines())

    terminal = Terminal()
    result = ship(terminal.slave, "-v", "-l", "200k")  # three seconds
    terminal.close()
    lines = re.findall(LINE, terminal.shown)
    tap.ok(result == (0, COUNT), f"on a terminal: {result}")
    tap.ok(len(lines) >= 2, f"{len(lines)} lines", terminal.shown)
    tap.ok(re.sub(LINE, b"", terminal.shown).replace(CLEAR, b"") == b"", "and nothing else", terminal.shown)
    stored = [int(line[3]) for line in lines]
    tap.ok(stored == sorted(stored) and all(sum(map(int, line[:2])) + int(line[3]) <= COUNT for line in lines), "which count", lines)
    tap.ok(any(int(line[4]) > 0 for line in lines), "and measure", lines)
    tap.ok(terminal.shown.endswith(CLEAR), "the last one is cleared", terminal.shown[-100:])

    terminal = Terminal()
    result = ship(terminal.slave)
    terminal.close()
    tap.ok(result == (0, COUNT) and terminal.shown == b"", "without -v: nothing", terminal.shown)
    with open(f"{folder}/told", "wb") as f:
        result = ship(f, "-v")
    tap.ok(result == (0, COUNT) and not camera.read(f"{folder}/told"), "not a terminal: nothing", camera.read(f"{folder}/told"))

    server.kill()
    terminal = Terminal()
    result = ship(terminal.slave, "-v")
    terminal.close()
    tap.ok(result == (111, 0), f"no server: {result}")
    messages = [m for m in terminal.shown.replace(CLEAR, b"\n").splitlines() if m.startswith(b"cam-ship: ")]
    tap.ok(len(messages) == 1 and b"unavailable: " in messages[0], "messages have lines of their own", terminal.shown)
    tap.ok(b"server unavailable" in terminal.shown, "and the line says how it stands", terminal.shown)

    server.start()
    terminal = Terminal(reads=False)
    terminal.fill()
    result = ship(terminal.slave, "-v", "-l", "200k")
    tap.ok(result == (0, COUNT), f"a terminal that stands still: {result}")
    tap.done()


main()
