"""A camera whose footage flows into a spool, and the cam-ship that ships it: for tests that break what is around it.

make-records | cam-spool write two or three segments a second; cam-ship's names are checked against the store the
moment they are printed, and handed on to cam-reap. make-records keeps a copy of its own of every segment."""
import atexit
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time

ADDED = "0000000009-"  # the epoch of segments that were not recorded

started = []


def start(command, **how):
    """A process that does not outlive the test."""
    p = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], **{"stdin": subprocess.DEVNULL, **how})
    started.append(p)
    return p


def end_all():
    for p in started:
        if p.poll() is None:
            p.kill()
            p.wait()


atexit.register(end_all)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda *_: sys.exit(1))


def waits(seconds, condition, step_s=0.05):
    """Whether the condition came true in so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step_s)
    return True


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return None


def key(name, data):
    """The key below the URL that a segment must have."""
    date = name.split("-")[2]
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}/{name[:-4]}-{hashlib.sha256(data).hexdigest()[:16]}.cam"


class Camera:
    def __init__(self, folder, store, seed=1):
        self.folder, self.store, self.seed = folder, store, seed
        self.spool, self.copies = f"{folder}/spool", f"{folder}/copies"
        os.makedirs(self.spool)
        os.makedirs(self.copies)
        self.named = []  # as printed, in order
        self.false = []  # what was printed while the store did not have it
        self.replaced = set()  # names whose file was changed by the test: the spool has the truth
        self.log_path = f"{folder}/ship.log"
        self.ship = self.maker = self.spooler = self.reap = None

    def record(self):
        self.begun = time.monotonic()
        self.spooler = start(["cam-spool", "spool"], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=open(f"{self.folder}/spool.log", "wb"))
        maker = f"{os.environ['O']}/tests/cam-spool/make-records"
        self.maker = start([maker, "-n", 100000, "-r", 20, "-b", 4055, "-p", 14000, "-s", self.seed, "-w", "copies"],
                           cwd=self.folder, stdout=self.spooler.stdin)
        self.spooler.stdin.close()
        self.reap = start(["cam-reap", "spool"], cwd=self.folder, stdin=subprocess.PIPE, stderr=open(f"{self.folder}/reap.log", "wb"))

    def record_end(self):
        """The end of the input: cam-spool publishes the last segment as truncated."""
        self.maker.terminate()
        self.maker.wait()
        self.spooler.wait(timeout=120)

    def ship_start(self, command, env=None):
        # a session of its own, by which its children are found as well
        self.ship = start(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=open(self.log_path, "ab"),
                          env={**os.environ, **(env or {})}, start_new_session=True)
        self.reader = threading.Thread(target=self.take_names, args=(self.ship,), daemon=True)
        self.reader.start()

    def take_names(self, ship):
        for line in ship.stdout:
            name = line.decode().rstrip("\n")
            if not self.store.slow and not self.has(name):
                self.false.append(name)
            self.named.append(name)
            self.reap.stdin.write(line)
            self.reap.stdin.flush()

    def expected(self, name):
        """The bytes that a name stands for."""
        if name not in self.replaced:
            copy = read(f"{self.copies}/{name}")
            # the last one was cut off, at one place in the copy and perhaps at another in the spool
            if copy is not None and name != self.last():
                return copy
        for state in ("cam", "sent", "cam"):  # cam-reap may rename it just now
            data = read(f"{self.spool}/{name[:-3]}{state}")
            if data is not None:
                return data
        return read(f"{self.copies}/{name}")

    def last(self):
        """The segment that was being made when recording ended, if it has."""
        return max(n for n in os.listdir(self.copies) if not n.startswith(ADDED)) if self.maker.poll() is not None else None

    def has(self, name):
        data = self.expected(name)
        return data is not None and self.store.get(key(name, data)) == data

    def segments(self):
        """The names of all that is published, whatever became of it."""
        return sorted({n.rsplit(".", 1)[0] + ".cam" for n in os.listdir(self.spool) if n.endswith((".cam", ".sent"))})

    def unnamed(self):
        return sorted(set(self.segments()) - set(self.named))

    def oldest_waiting(self):
        return next(iter(self.unnamed()), None)

    @staticmethod
    def added(number):
        return f"{ADDED}{number:010}-20260102T000000Z-00000000000000ff.cam"

    def add(self, number, data, mode=0o640):
        """One more segment by hand, as of another stream."""
        name = self.added(number)
        with open(f"{self.copies}/{name}", "wb") as f:
            f.write(data)
        with open(f"{self.spool}/{name}.new", "wb") as f:
            f.write(data)
        os.chmod(f"{self.spool}/{name}.new", mode)
        os.rename(f"{self.spool}/{name}.new", f"{self.spool}/{name}")
        return name

    def log(self):
        return (read(self.log_path) or b"").decode(errors="replace")

    def says(self, regex, since=0):
        return re.search(regex, self.log()[since:], re.IGNORECASE) is not None

    def ship_cpu_s(self):
        """Of cam-ship and its children."""
        ticks = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            stat = read(f"/proc/{pid}/stat") if int(pid) >= self.ship.pid else None
            fields = stat.rsplit(b") ", 1)[1].split() if stat else []
            if fields and int(fields[3]) == self.ship.pid:
                ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def end(self):
        for p in (self.maker, self.spooler, self.ship, self.reap):
            if p and p.poll() is None:
                p.kill()
                p.wait()
