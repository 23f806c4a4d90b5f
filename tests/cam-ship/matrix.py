"""Runs the cases of a fault matrix, several at a time, and judges each by the same promises.

A case breaks one thing while footage flows. During the fault no name may be printed that the store cannot give back,
recording goes on, cam-ship says why and neither exits nor spins; after it everything is stored within bound_s."""
import dataclasses
import os
import shutil
import tempfile
import threading
import time
import traceback
import typing

import camera
import chain
import stores


@dataclasses.dataclass
class Case:
    name: str
    says: str  # what cam-ship's messages must match during the fault, or "" when it need not notice
    breaks: typing.Callable  # called with the Trial
    heals: typing.Callable
    fault_s: float = 4  # at least so long
    bound_s: float = 300  # the pauses of a minute that cam-ship may make, and a slow machine
    flows_first: bool = True  # some segments are stored before the fault
    options: tuple = ()  # of cam-ship
    prefix: tuple = ()  # in front of cam-ship
    check: typing.Callable = None  # more to look at, at the end: a generator of (condition, what, details...)
    requests_max: int = 150  # in vain, during the fault: with the backoff ten attempts, and what each consists of
    server: str = "nginx"
    todo: str = ""  # why this cannot succeed yet


class Trial:
    """One case being run. store, proxy and whatever else it needs are set by the table's make()."""

    def __init__(self, case, folder, certificates, number):
        self.case, self.folder, self.certificates, self.number = case, folder, certificates, number
        self.store = self.proxy = self.server = self.camera = None
        self.prefix = case.prefix
        self.by_port = None  # where cam-ship is sent, if not to the store's own port
        self.env, self.notes, self.results = {}, {}, []

    def ok(self, condition, what, *details):
        self.results.append((bool(condition), what, details))
        return condition

    def way(self):
        return self.proxy.port if self.proxy else self.by_port

    def requests(self):
        if self.proxy:
            return len(self.proxy.requests)
        return self.store.requests() if hasattr(self.store, "requests") else 0

    def ship(self):
        command = [*self.prefix, "cam-ship", "-d", "spool", "-C", f"{self.certificates}/ca.pem", *self.case.options, self.store.url(self.way())]
        env = dict(self.env)
        if hasattr(self.store, "environment"):
            env.update(self.store.environment(self.way()))
        self.camera.ship_start(command, env)

    def run(self, make):
        case = self.case
        make(self)
        c = self.camera = camera.Camera(self.folder, self.store, self.number)
        c.record()
        if not case.flows_first:
            case.breaks(self)
        self.ship()
        if case.flows_first:
            self.ok(camera.waits(120, lambda: len(c.named) >= 2), "footage flows before it", c.log())
        self.begin(c)
        if case.flows_first:
            case.breaks(self)
        self.during(c)
        case.heals(self)
        self.after(c)
        if case.check:
            for condition, what, *details in case.check(self):
                self.ok(condition, what, *details)

    def begin(self, c):
        self.stored_first = len(c.named)
        self.said, self.cpu_s, self.asked, self.recorded = len(c.log()), c.ship_cpu_s(), self.requests(), len(c.segments())
        if not self.case.flows_first:
            self.said = 0
        self.begun = time.monotonic()

    def during(self, c):
        case = self.case
        time.sleep(case.fault_s)
        told = not case.says or camera.waits(120, lambda: c.says(case.says, self.said))
        camera.waits(60, lambda: len(c.segments()) - self.recorded >= 3)
        self.lasted_s = lasted_s = time.monotonic() - self.begun
        if case.says:
            self.ok(told, f"it says why: /{case.says}/", c.log()[self.said:] or "nothing")
        more = len(c.segments()) - self.recorded
        self.ok(more >= 3, f"recording goes on: {more} segments in {lasted_s:.1f} s", c.segments()[-3:])
        self.ok(c.ship.poll() is None, "cam-ship stays", c.ship.poll(), c.log())
        cpu_s, asked = c.ship_cpu_s() - self.cpu_s, self.requests() - self.asked
        slow = 4 if "asan" in os.environ.get("O", "") else 1
        self.ok(cpu_s < (0.5 + 0.15 * lasted_s) * slow and asked <= case.requests_max + 10 * (len(c.named) - self.stored_first), f"and does not spin: {cpu_s:.2f} s of CPU, {asked} requests")

    def after(self, c):
        case, healed = self.case, time.monotonic()
        due = set(c.segments())
        time.sleep(1)
        c.record_end()
        stored = camera.waits(case.bound_s, lambda: not c.unnamed())
        took_s = time.monotonic() - healed
        self.ok(stored, f"all is stored: {len(c.segments())} segments, {took_s:.1f} s after it ended", c.unnamed(), f"of them in the fault: {sorted(due & set(c.unnamed()))}", c.log())
        self.ok(c.ship.poll() is None, "cam-ship is still there", c.ship.poll(), c.log())
        c.ship.terminate()
        self.ok(c.ship.wait(timeout=120) == 0, "and ends well", c.ship.poll(), c.log())
        c.reader.join(120)
        c.reap.stdin.close()
        c.reap.wait(timeout=120)
        self.compare(c)

    def compare(self, c):
        """Everything that was ever named, with the store: nothing else counts."""
        if hasattr(self.store, "fetch"):
            self.store.fetch([camera.key(n, c.expected(n) or b"") for n in set(c.named)])
        missing = [n for n in dict.fromkeys(c.named) if not c.has(n)]
        self.ok(c.named and not missing and not c.false, f"each of {len(set(c.named))} names is in the store, byte for byte", "missing:", missing, "named too early:", c.false)
        names = set(c.named)
        stems = [os.path.basename(k).rsplit("-", 1)[0] + ".cam" for k in self.store.keys() if k.endswith(".cam")]
        twice = sorted(n for n in names - c.replaced if stems.count(n) > 1)
        self.ok(not twice, "nothing is stored under two names", twice)
        altered = [n for n in c.segments() if not self.untouched(c, n)]
        self.ok(len(c.segments()) > 4 and not altered, "the spool holds what was recorded", altered)

    @staticmethod
    def untouched(c, name):
        copy = camera.read(f"{c.copies}/{name}")
        kept = camera.read(f"{c.spool}/{name[:-3]}sent") or camera.read(f"{c.spool}/{name}")
        whole = name in c.replaced or copy == kept
        return whole or (name == c.last() and copy.startswith(kept))


class Matrix:
    # Each has two inotify instances; a user has 128, and three of these tests may run at the same time.
    def __init__(self, at_a_time=18):
        self.tap = chain.Tap()
        self.folder = tempfile.mkdtemp(prefix="cam")
        os.chmod(self.folder, 0o755)
        camera.atexit.register(self.end)
        stores.make_certificates(self.folder)
        self.lock, self.slots, self.count = threading.Lock(), threading.Semaphore(at_a_time), 0

    def end(self):
        camera.end_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def one(self, case, make):
        with self.slots:
            with self.lock:
                self.count += 1
                number = self.count
            folder = f"{self.folder}/{number}"
            os.mkdir(folder)
            trial = Trial(case, folder, self.folder, number)
            try:
                trial.run(make)
            except Exception:  # a case that cannot be run is a case that fails
                trial.ok(False, "the case runs", traceback.format_exc()[-1500:])
            finally:
                for p in (trial.camera and [trial.camera.maker, trial.camera.spooler, trial.camera.ship, trial.camera.reap]) or []:
                    if p and p.poll() is None:
                        p.kill()
                        p.wait()
        with self.lock:
            print(f"# {case.server}: {case.name}")
            for condition, what, details in trial.results:
                self.tap.ok(condition, f"{case.server}: {case.name}: {what}", *details)

    def run(self, jobs):
        """jobs: (case, make) pairs."""
        only = os.environ.get("CAM_CASE", "")
        threads = [threading.Thread(target=self.one, args=job) for job in jobs if only in f"{job[0].server}: {job[0].name}"]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def skip(self, what, why):
        with self.lock:
            self.tap.ok(True, f"{what} # SKIP {why}")

    def done(self):
        self.tap.done()


def on(server, cases, make):
    """The same cases on a server, as jobs for run()."""
    return [(dataclasses.replace(case, server=server), make) for case in cases]
