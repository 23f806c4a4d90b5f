#!/usr/bin/python3
# defends: enter.egress enter.program enter.sibling
"""The running pipeline, each tool under a user of its own, with footage flowing: what the kernel shows of every thread, and
what a thread that somebody took over can do. Then the dialer of cam-ship, in each of its phases.
defends: enter.egress enter.program enter.sibling"""
import os
import socket
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "pipe"))
import chain

INJECT = os.environ["O"] + "/tests/sandbox/inject"
USERS = {"capture": 61001, "seal": 61002, "spool": 61003, "ship": 61004, "reap": 61005}
GROUP = 61010
# filters on each thread once the last phase has begun; cam-ship has one more against connecting
FILTERS = {"capture": 2, "seal": 1, "spool": 1, "ship": 3, "reap": 1}
PATIENCE_S = 60  # for what comes at once unless the machine is busy
REFUSED = ("killed", "refused: EPERM", "refused: EACCES", "refused: ENOSYS")
SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCY" + os.urandom(8).hex()

DEEDS = """execve execveat create unlink link mkdir chmod truncate socket-udp socket-packet ptrace process-vm-readv
    process-vm-writev mmap-exec mmap-write-exec mmap-shared mmap-stack mprotect-exec memfd fork setuid setresuid bpf userfaultfd
    io-uring keyctl mount unshare setns kill-init kill-all perf reboot module clock tty-inject dup-own chroot pidfd""".split()
SOCKETS = ["socket-inet", "socket-inet6", "socket-unix", "socket-netlink"]
# on threads beside the first: the filter is the same, as the number of filters shows
FEW = ["execve", "create", "unlink", "socket-inet", "mprotect-exec", "fork", "setuid", "kill-init", "bpf", "ptrace"]

tap = chain.Tap()


def status(pid, tid):
    with open(f"/proc/{pid}/task/{tid}/status", encoding="ascii", errors="replace") as f:
        return dict(line.split(":", 1) for line in f.read().splitlines() if ":" in line)


def threads(pid):
    return sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(p) for p in f.read().split()]


def waits(condition):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except (OSError, KeyError, IndexError, ValueError):
            pass
        time.sleep(0.005)
    return None


def filters(pid):
    return min(int(status(pid, t)["Seccomp_filters"]) for t in threads(pid))


def is_gone(pid):
    """Whether its first thread is, after which the others only die."""
    try:
        return status(pid, pid)["State"].split()[0] in "ZX"
    except (OSError, KeyError):
        return True


def is_over(process):
    """Also when it is only just dying: then its end is waited for."""
    if process.poll() is None and is_gone(process.pid):
        process.wait()
    return process.poll() is not None


def dialer_of(ship):
    """None: not there yet, or not any more, and then cam-ship ends, too."""
    dialers = [p for p in children(ship) if not is_gone(p) and filters(p) >= 1]
    return dialers[0] if dialers else None


def inject(tid, *deed):
    """What came of it. Whom it killed is gone then, and so are the other threads."""
    try:
        pid = int(status(tid, tid)["Tgid"])
    except OSError:
        return "inject: there is no such thread"
    r = subprocess.run([INJECT, str(tid), *map(str, deed)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=2 * PATIENCE_S, check=False)
    got = r.stdout.decode().strip()
    if got == "killed" and not waits(lambda: is_gone(pid)):
        return f"killed, and {pid} lives"
    return got


def as_user(name):
    return ["setpriv", f"--reuid={USERS[name]}", f"--regid={GROUP}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]


class Pipeline(chain.Chain):
    def __init__(self, folder, server):
        super().__init__(folder, server, ["-T", "-s", "320x240", "-r", "30", "-b", "1M"], 1)
        os.chmod(folder, 0o755)
        os.mkdir(f"{folder}/seal", 0o700)
        os.chown(f"{folder}/seal", USERS["seal"], GROUP)
        os.rename(f"{folder}/door.key", f"{folder}/seal/door.key")
        os.chown(f"{folder}/seal/door.key", USERS["seal"], GROUP)
        os.chmod(f"{folder}/me.pub", 0o644)
        os.chmod(server.ca, 0o644)
        os.chown(self.spool, USERS["spool"], GROUP)
        os.chmod(self.spool, 0o2770)
        os.mkdir(f"{folder}/ship", 0o700)
        with open(f"{folder}/ship/secret", "w", encoding="ascii") as f:
            f.write(SECRET + "\n")
        for path in ("ship", "ship/secret"):
            os.chown(f"{folder}/{path}", USERS["ship"], GROUP)
        os.chmod(f"{folder}/ship/secret", 0o400)
        self.commands["seal"][2] = "seal/door.key"
        for stage, command in self.commands.items():
            self.commands[stage] = as_user(stage) + command

    def pid(self, stage):
        """The process in which the last phase has begun, started anew when it is dead. A cam-ship whose dialer has died
        will be."""
        def look():
            if is_over(self.running[stage]):
                self.start(stage)
            pid = self.running[stage].pid
            return pid if filters(pid) >= FILTERS[stage] and (stage != "ship" or dialer_of(pid)) else None
        pid = waits(look)
        if not pid:
            raise RuntimeError(f"{stage}: no filter: {self.running[stage].poll()}")
        return pid

    def dialer(self):
        return waits(lambda: dialer_of(self.pid("ship"))) or 0


def attempts(process, target, deeds, *args):
    """What of these is done by the thread that target() finds in the process that process() finds or starts."""
    done = []
    for deed in deeds:
        path = "/bin/true" if deed == "execve" else args[0] if args else "/etc/passwd"
        got = inject(target(process()), deed, path, *args[1:])
        if got.startswith("inject:"):
            got = inject(target(process()), deed, path, *args[1:])
        if got not in REFUSED:
            done.append(f"{deed}: {got}")
    return done


def first(pid):
    return pid


def thread(i):
    return lambda pid: waits(lambda: threads(pid)[i]) or 0


def table(c):
    """Returns how many threads each has: one that was started anew has them when it is at work."""
    seen, n = {}, {}
    for stage in chain.STAGES:
        pid = c.pid(stage)
        n[stage] = len(threads(pid))
        pids = [pid] + (children(pid) if stage == "ship" else [])
        for p in pids:
            for t in threads(p):
                s = status(p, t)
                caps = {s[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
                good = (s["NoNewPrivs"].strip(), s["Seccomp"].strip(), caps) == ("1", "2", {"0" * 16})
                seen.setdefault(stage, []).append((s["Uid"].split()[0], good, s["Name"].strip()))
            tap.ok(os.stat(f"/proc/{p}/mem").st_uid == 0, f"cam-{stage}: not dumpable: its memory is root's")
            with open(f"/proc/{p}/limits", encoding="ascii") as f:
                core = [line.split()[4:6] for line in f if line.startswith("Max core")]
            tap.ok(core == [["0", "0"]], f"cam-{stage}: no core file", core)
    for stage in chain.STAGES:
        tap.ok(all(good for _, good, _ in seen[stage]),
               f"cam-{stage}: {len(seen[stage])} threads: no new privileges, a filter, no capability in any set", seen[stage])
    uids = [{u for u, _, _ in seen[s]} for s in chain.STAGES]
    tap.ok(all(len(u) == 1 for u in uids) and len(set.union(*uids)) == len(chain.STAGES), "a user for each tool", uids)
    tap.ok(len(seen["spool"]) >= 2 and len(seen["capture"]) >= 2 and len(seen["ship"]) >= 2,
           "with the thread that syncs, the one that writes and the dialer", seen)
    return n


def deeds_of_stages(c, threads_of):
    folder = c.folder
    foreign = {"capture": f"{folder}/seal/door.key", "seal": f"{folder}/ship/secret", "spool": f"{folder}/seal/door.key",
               "ship": f"{folder}/seal/door.key", "reap": f"{folder}/ship/secret"}
    for stage in chain.STAGES:
        process = lambda s=stage: c.pid(s)
        done = attempts(process, first, DEEDS + SOCKETS, f"{folder}/other/file", f"{folder}/other/new")
        tap.ok(not done, f"cam-{stage}: {len(DEEDS + SOCKETS)} forbidden deeds", *done)
        for path in ("/etc/passwd", foreign[stage], "/dev/null", f"/proc/{os.getpid()}/environ"):
            done = attempts(process, first, ["open", "open-write"], path)
            tap.ok(not done, f"cam-{stage}: does not open {path.replace(folder, '')}", *done)
        n = threads_of[stage]
        for i in range(1, n):
            done = attempts(process, thread(i), FEW, f"{folder}/other/file")
            tap.ok(not done, f"cam-{stage}: thread {i + 1} of {n}: {len(FEW)} forbidden deeds", *done)


def allowed(c):
    """What they are there for: else the tests above would be passed by anything."""
    # names change while one looks
    readable = lambda: inject(c.pid("ship"), "open", f"{c.spool}/{sorted(os.listdir(c.spool))[0]}").startswith("done")
    tap.ok(waits(readable), "cam-ship: may read the spool")
    tap.ok(inject(c.pid("spool"), "create", f"{c.spool}/made").startswith("done"), "cam-spool: may make a file there")
    tap.ok(inject(c.pid("reap"), "rename", f"{c.spool}/made", f"{c.spool}/renamed").startswith("done"), "cam-reap: may rename it")
    os.unlink(f"{c.spool}/renamed")


def sent(c):
    """The first of what is stored and marked so: its name does not change any more."""
    return f"{c.spool}/" + waits(lambda: sorted(n for n in os.listdir(c.spool) if n.endswith(".sent"))[0])


def ship_in_spool(c):
    path = sent(c)
    done = attempts(lambda: c.pid("ship"), first, ["open-write", "create", "unlink", "rename", "link", "truncate", "chmod"], path, path + ".new")
    tap.ok(not done and os.path.exists(path), "cam-ship: writes, removes, renames nothing in the spool", *done)
    done = attempts(lambda: c.pid("reap"), first, ["open", "open-write", "create", "unlink", "link", "truncate", "chmod"], path, path + ".new")
    tap.ok(not done and os.path.exists(path), "cam-reap: opens, makes, removes nothing there", *done)
    done = attempts(lambda: c.pid("reap"), first, ["rename"], path, f"{c.folder}/other/taken")
    tap.ok(not done, "cam-reap: takes nothing out", *done)


def listening():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(8)
    s.settimeout(0.5)
    return s


def was_met(s):
    try:
        s.accept()[0].close()
        return True
    except socket.timeout:
        return False


def sockets_of(pid):
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
                found.append(int(fd))
        except OSError:
            pass  # closed meanwhile
    return found


def uploader_and_dialer(c, server):
    other = listening()
    port = other.getsockname()[1]
    c.revive()  # there is something to send
    ship = waits(lambda: len(sockets_of(c.pid("ship"))) >= 2 and c.pid("ship"))
    tap.ok(ship, "cam-ship has sockets: to its dialer and to the server")
    done = []
    for i in range(2):
        for deed in ("connect", "sendto"):
            ship = waits(lambda i=i: sockets_of(c.pid("ship"))[i] and c.pid("ship"))
            done.append(inject(ship, deed, sockets_of(ship)[i], port))
    tap.ok(not was_met(other) and not any(got.startswith("inject:") for got in done), "cam-ship: connect() by it reaches nobody", *done)
    dialer = c.dialer()
    got = inject(dialer, "socket-inet")
    if tap.ok(got.startswith("done: "), "the dialer: makes a socket", got):
        fd = got.split()[1]
        got = inject(dialer, "connect", fd, port)
        tap.ok(got == "refused: EACCES" and not was_met(other), "and reaches no other port with it", got)
        got = inject(dialer, "connect", fd, server.port)
        tap.ok(got == "done: 0", "but the one of the server", got)
        inject(dialer, "close", fd)
    process = c.dialer
    done = attempts(process, first, [d for d in DEEDS if d not in ("fork", "socket-udp")], f"{c.folder}/other/file", f"{c.folder}/other/new")
    tap.ok(not done, "the dialer: forbidden deeds", *done)
    done = attempts(process, first, ["thread", "clone3"], "/")
    tap.ok(not done, "the dialer: no thread", *done)
    for path in (sent(c), f"{c.folder}/ship/secret", f"{c.folder}/seal/door.key", "/dev/null"):
        done = attempts(process, first, ["open", "open-write"], path)
        tap.ok(not done, f"the dialer: does not open {path.replace(c.folder, '')}", *done)
    each_other(c)


def each_other(c):
    """First what cam-ship does to its dialer, then the other way round."""
    for name, i in (("cam-ship", 0), ("the dialer", 1)):
        done = []

        def attempt(deed, what=None, i=i, done=done):
            both = [c.pid("ship"), c.dialer()]
            got = inject(both[i], deed, f"/proc/{both[1 - i]}/{what}" if what else both[1 - i])
            if got not in REFUSED:
                done.append(f"{deed} {what or ''}: {got}")

        for deed in ("kill-other", "tgkill-other", "ptrace-other", "vm-readv-other", "pidfd-other", "kcmp-other"):
            attempt(deed)
        for what in ("mem", "environ", "maps", "fd/0"):
            for deed in ("open", "open-write"):
                attempt(deed, what)
        tap.ok(not done, f"{name}: neither signals, traces nor reads the other, whose user it shares", *done)


# --- the dialer's memory and phases, with cam-ship alone ---


def has(pid, text):
    """Whether the memory of a process has this text anywhere."""
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            area, rights = line.split()[:2]
            if "r" not in rights:
                continue
            low, high = (int(x, 16) for x in area.split("-"))
            try:
                mem.seek(low)
                if text in mem.read(high - low):
                    return True
            except (OSError, ValueError, OverflowError):
                continue  # what the kernel maps itself
    return False


class Ship:
    """cam-ship for one URL with one segment to send; a supervisor's patience."""

    def __init__(self, c, url, before="", **environment):
        self.folder = c.folder
        self.command = ["unshare", "-m", "sh", "-c", f"{before} exec \"$@\"", "sh", *as_user("ship"), "cam-ship", "-d", "one", "-T", "60",
                        "-C", f"{c.folder}/ca.pem", "-H", url]
        self.environment = {**os.environ, **environment}
        self.p = self.found = None

    def pid(self):
        """The process in which the last phase has begun: a new one."""
        self.end()
        self.p = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not waits(lambda: filters(self.p.pid) >= FILTERS["ship"] and dialer_of(self.p.pid)):
            raise RuntimeError(f"cam-ship: {self.p.poll()}")
        return self.p.pid

    def dial(self, n):
        """The process of a dial with n filters on it. When it has died, that of another cam-ship, for its next one would
        come late."""
        def look():
            dials = [p for p in children(dialer_of(self.p.pid)) if not is_gone(p) and filters(p) == n]
            return dials[0] if dials else None

        if not self.p or self.found != look():
            self.pid()
            self.found = waits(look)
        if not self.found:
            raise RuntimeError("no dial")
        return self.found

    def end(self):
        if self.p:
            self.p.kill()
            self.p.wait()
        self.p = None


def memory(c, server):
    variables = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-1",
                 "AWS_ENDPOINT_URL": f"https://localhost:{server.port}"}
    s = Ship(c, "s3://bucket/cams/", **variables)
    ship = s.pid()
    dialer = dialer_of(ship)
    tap.ok(has(ship, SECRET.encode()), "the secret key lies in cam-ship's memory")
    tap.ok(not has(dialer, SECRET.encode()), "and nowhere in the dialer's")
    tap.ok(not has(dialer, b"AKIDEXAMPLE"), "nor does the key's name")
    with open(f"/proc/{dialer}/environ", "rb") as f:
        tap.ok(not f.read().strip(b"\0"), "whose environment is gone")
    tap.ok(has(dialer, b"localhost"), "though what it needs is found there")
    for p, name in ((ship, "cam-ship"), (dialer, "the dialer")):
        r = subprocess.run([*as_user("ship"), "cat", f"/proc/{p}/environ", f"/proc/{p}/mem"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        tap.ok(not r.stdout and r.stderr.count(b"Permission denied") == 2, f"{name}: its user cannot read its memory", r.stderr.decode())
    s.end()


# --- phases that the pipeline has left, in tools alone ---


class Alone:
    """A tool that stays in one phase, for there is something that it waits for."""

    def __init__(self, c, user, n, command, **environment):
        self.command, self.n, self.folder = as_user(user) + command, n, c.folder
        self.environment = {**os.environ, **environment}
        self.p = None

    def pid(self):
        if not self.p or is_over(self.p):
            self.p = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, stdin=subprocess.PIPE, bufsize=0,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not waits(lambda: filters(self.p.pid) == self.n):
            raise RuntimeError(f"{self.command}: {self.p.poll()}")
        return self.p.pid

    def end(self):
        self.p.kill()
        self.p.wait()


def other_phases(c):
    fake = os.environ["O"] + "/tests/cam-capture/fake"
    os.mkfifo(f"{c.folder}/never", 0o644)
    camera = ["-s", "320x240", "-w", "50"]
    # libcamera may hear of devices and make memory files; a rate that can be set is not measured first
    for name, alone, without in (
            ("cam-capture, starting", Alone(c, "capture", 1, ["cam-capture", "-i", "-"]), ()),
            ("cam-capture, opening a camera", Alone(c, "capture", 1, [fake, *camera], FAKE="slow-open"), ("memfd",)),
            ("cam-capture, streaming from a camera", Alone(c, "capture", 2, [fake, *camera], FAKE="rate"), ()),
            ("cam-ship, starting", Alone(c, "ship", 2, ["cam-ship", "-d", "one", "-C", "never", "https://localhost/cams/"]), ())):
        deeds = [d for d in DEEDS + SOCKETS if d not in without]
        done = attempts(alone.pid, first, deeds, f"{c.folder}/other/file", f"{c.folder}/other/new")
        tap.ok(not done, f"{name}: {len(deeds)} forbidden deeds", *done)
        for path in ("/etc/passwd", f"{c.folder}/seal/door.key", f"/proc/{os.getpid()}/environ"):
            done = attempts(alone.pid, first, ["open", "open-write"], path)
            tap.ok(not done, f"{name}: does not open {path.replace(c.folder, '')}", *done)
        alone.end()
    r = subprocess.run([fake, *camera], env={**os.environ, "FAKE": "fork"}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, timeout=2 * PATIENCE_S, check=False)
    tap.ok(r.returncode == 111 and b"a process of its own" in r.stderr, "a module that wants a process of its own: said, exit 111", r)


def anew(c):
    """Threads that a library starts before main() are bound by Landlock, too: the program began once more."""
    out = f"{c.folder}/anew"
    ready = os.open("/dev/null", os.O_WRONLY)
    r = subprocess.run(["strace", "-f", "-qq", "-o", out, "-e", "trace=execve,landlock_restrict_self,clone,clone3", "cam-capture", "-w", "5",
                        "-D", str(ready), "-c", "none"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       pass_fds=(ready,), timeout=2 * PATIENCE_S, check=False)
    tap.ok(r.returncode == 111 and r.stderr.startswith(b"cam-capture: no camera"), "cam-capture: looks for a camera", r)
    with open(out, encoding="ascii", errors="replace") as f:
        calls = [line.split(None, 1)[1].split("(")[0] for line in f if "(" in line and "resumed" not in line]
    early = "clone" in " ".join(calls[:calls.index("landlock_restrict_self")])
    wanted = ["execve", "landlock_restrict_self"] * (2 if early else 1)
    tap.ok([x for x in calls if not x.startswith("clone")] == wanted, f"cam-capture: {'begins anew, confined' if early else 'has one thread'}", calls)


def silent_server():
    """A port that takes no connection: its queue is full."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(0)
    fill = []
    for _ in range(4):
        f = socket.socket()
        f.setblocking(False)
        f.connect_ex(s.getsockname())
        fill.append(f)
    return s, fill


def dial_phases(c):
    dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    name_server = f"127.97.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"
    dns.bind((name_server, 53))  # hears questions and says nothing
    with open(f"{c.folder}/resolv.conf", "w", encoding="ascii") as f:
        f.write(f"nameserver {name_server}\noptions timeout:30 attempts:3\n")
    other = listening()
    port = other.getsockname()[1]
    s = Ship(c, "https://camera.example:8443/cams/", f'mount --bind {c.folder}/resolv.conf "$(realpath /etc/resolv.conf)" &&')
    resolving = lambda: s.dial(2)
    done = attempts(resolving, first, [d for d in DEEDS if d != "socket-udp"], f"{c.folder}/other/file", f"{c.folder}/other/new")
    tap.ok(not done, "a dial that asks for a name: forbidden deeds", *done)
    for path in ("/etc/passwd", f"{c.folder}/ship/secret", c.spool):
        done = attempts(resolving, first, ["open", "open-write"], path)
        tap.ok(not done, f"does not open {path.replace(c.folder, '')}", *done)
    tap.ok(inject(resolving(), "open", "/etc/hosts").startswith("done"), "but the resolver's files")
    tid = resolving()
    fd = inject(tid, "socket-inet").split()[-1]
    got = inject(tid, "connect", fd, port)
    tap.ok(got == "refused: EACCES" and not was_met(other), "and reaches no port but the server's", got)
    s.end()

    full, fill = silent_server()
    s = Ship(c, f"http://127.0.0.1:{full.getsockname()[1]}/cams/")
    connecting = lambda: s.dial(3)
    done = attempts(connecting, first, DEEDS + ["socket-unix", "socket-netlink"], f"{c.folder}/other/file", f"{c.folder}/other/new")
    tap.ok(not done, "a dial that connects: forbidden deeds", *done)
    for path in ("/etc/passwd", "/etc/hosts", f"{c.folder}/ship/secret", c.spool):
        done = attempts(connecting, first, ["open", "open-write"], path)
        tap.ok(not done, f"does not open {path.replace(c.folder, '')}", *done)
    tid = connecting()
    fd = inject(tid, "socket-inet").split()[-1]
    got = inject(tid, "connect", fd, full.getsockname()[1])
    tap.ok(got == "killed", "an address of its own is not connected to, even this one", got)
    s.end()
    for f in [*fill, full, dns, other]:
        f.close()


def main():
    if os.getuid() != 0:
        print("1..0 # SKIP users, and making another process do things, need root")
        return
    if b"__asan_init" in open(INJECT, "rb").read():
        print("1..0 # SKIP built with sanitizers: no sandbox")
        return
    folder = tempfile.mkdtemp()
    server = chain.Server(folder)
    server.start()
    c = Pipeline(folder, server)
    os.mkdir(f"{folder}/other")
    os.mkdir(f"{folder}/one", 0o755)
    open(f"{folder}/other/file", "w", encoding="ascii").close()
    with open(f"{folder}/one/0000000001-0000000000-20261124T001900Z-51568c8aed259918.cam", "wb") as f:
        f.write(b"x" * 100)
    try:
        for stage in reversed(chain.STAGES):
            c.start(stage)
        tap.ok(waits(server.objects), "footage flows from end to end, each tool under its own user")
        threads_of = table(c)
        allowed(c)
        deeds_of_stages(c, threads_of)
        ship_in_spool(c)
        uploader_and_dialer(c, server)
        memory(c, server)
        dial_phases(c)
        other_phases(c)
        anew(c)
        tap.ok(os.listdir(f"{folder}/other") == ["file"], "what it was about is untouched", os.listdir(f"{folder}/other"))
        before = len(server.objects())
        c.revive()
        tap.ok(waits(lambda: len(server.objects()) > before), "and the pipeline, with what died started again, goes on")
    finally:
        c.end()
        server.stop()
        subprocess.run(["rm", "-rf", folder], check=False)
    tap.done()


main()
