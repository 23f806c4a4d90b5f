"""A device of its own for a test: user, mount, network and process namespaces, the file system of this machine
below a layer that is thrown away, with everything installed and supervised as on a camera. What a test does to
users, sysctls, the packet filter or processes ends with it. Needs root.

A test is `world.run(main)`; main(w) works in it. s6-rc is looked for on the PATH and in $S6_RC (a folder); without
it the same run scripts run under s6-svscan, between FIFOs that are held open.
"""
import ctypes
import fcntl
import glob
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f"{TOP}/tests/pipe")
import chain
import footage

OUT = os.environ.get("O", f"{TOP}/build")
LONG = int(os.environ.get("CAM_LONG", "1"))
PPOLL = {"x86_64": "271", "aarch64": "73"}[platform.machine()]  # the number of this system call
PATIENCE_S = 60  # for what comes soon unless the machine is busy
SCAN, LIVE = "/run/cam/service", "/run/cam/s6-rc"
STAGES = ("capture", "seal", "spool", "ship", "reap")
RECORDERS = {"camcapture": "capture", "camseal": "seal", "camspool": "spool", "camship": "ship", "camreap": "reap"}


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def own_users(command, env):
    """Runs the command as root of a user namespace, which has the same numbers and none of the power. Exit code."""
    ready, mapped = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        if ctypes.CDLL(None).unshare(0x10000000):  # CLONE_NEWUSER
            os._exit(126)
        os.write(ready[1], b"x")
        os.read(mapped[0], 1)
        os.setgid(0)
        os.setuid(0)
        os.execvpe(command[0], command, env)
    os.close(ready[1])
    if os.read(ready[0], 1):
        for kind in ("uid_map", "gid_map"):
            with open(f"/proc/{pid}/{kind}", "w", encoding="ascii") as f:
                f.write("0 0 65536\n")
        os.write(mapped[1], b"x")
    for fd in (ready[0], *mapped):
        os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run(main):
    """Outside: makes the namespaces and starts this file again inside; inside: main(World)."""
    if os.environ.get("CAM_WORLD"):
        sys.exit(inside(main))
    if os.getuid() != 0:
        skip("needs root")
    for tool in ("s6-svscan", "execlineb", "nginx", "unshare", "setpriv", "nft", "ip"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    built = subprocess.run(["nm", f"{OUT}/cam-seal"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    if b"__asan_init" in built or b"__tsan_init" in built:
        skip("built with sanitizers: no sandbox")
    space = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if own_users([*space, "true"], os.environ):
        skip("no namespaces here")
    folder = tempfile.mkdtemp()
    try:
        env = dict(os.environ, CAM_WORLD=folder, PYTHONDONTWRITEBYTECODE="1")
        # Python is not to be process 1: orphans want a parent that waits for them
        code = own_users([*space, "sh", "-c", '"$@"; exit $?', "sh", sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]], env)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


def too_long(*_):
    raise RuntimeError("this takes too long")


def inside(main):
    w = World(os.environ["CAM_WORLD"])
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(1200 * LONG)
    try:
        w.make()
        main(w)
    finally:
        w.server.stop()
        w.end()
    w.tap.done()


def sh(command, **kw):
    return subprocess.run(command, shell=isinstance(command, str), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True, **kw)


def must(command, **kw):
    r = sh(command, **kw)
    if r.returncode:
        raise RuntimeError(f"{command}: exit {r.returncode}: {r.stdout}")
    return r.stdout


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def wait_for(condition, seconds=PATIENCE_S):
    """Looks twenty times a second; the last answer. What goes away while it is looked at is looked at again."""
    end = time.monotonic() + seconds
    while True:
        try:
            got = condition()
        except FileNotFoundError:
            got = None
        if got or time.monotonic() > end:
            return got
        time.sleep(0.05)


class Tape:
    """Different frames for cam-capture -i, as many as are put there; it does not end."""

    def __init__(self, path, side, rate):
        os.mkfifo(path)
        os.chmod(path, 0o644)
        self.path, self.pixels, self.frames = path, side * side, 0
        self.fd = os.open(path, os.O_RDWR)
        os.write(self.fd, b"YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420\n" % (side, side, rate))

    def put(self, n):
        """Waits for who reads them."""
        luma = bytes(range(256)) * (self.pixels // 256 + 1)
        for i in range(self.frames, self.frames + n):
            at = i * 7 & 0xff
            os.write(self.fd, b"FRAME\n" + luma[at:at + self.pixels] + bytes([128]) * (self.pixels // 2))
        self.frames += n

    def is_read(self, pid):
        """Nothing is left, and the thread of cam-capture that reads waits: what it has read was encoded."""
        size = ctypes.c_int()
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            waits = f.read().split()[0] == PPOLL
        fcntl.ioctl(self.fd, termios.FIONREAD, size)
        return waits and not size.value


class World:
    def __init__(self, folder):
        self.folder, self.tap = folder, chain.Tap()
        self.s6_rc = bool(shutil.which("s6-rc-compile", path=os.environ["PATH"] + ":" + os.environ.get("S6_RC", "/nonexistent")))
        self.scan = None
        self.real = set()

    # --- the device ---

    def make(self):
        layer = f"{self.folder}/layer"
        os.mkdir(layer)
        must(["mount", "-t", "tmpfs", "tmpfs", layer])
        for path in ("/etc", "/var", "/usr/local"):
            name = path.replace("/", "_")
            for part in ("up", "work"):
                os.mkdir(f"{layer}/{name}{part}")
            must(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={path},upperdir={layer}/{name}up,workdir={layer}/{name}work", path])
        for path in ("/run", "/dev/shm"):
            must(["mount", "-t", "tmpfs", "tmpfs", path])
        must("ip link set lo up")
        os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:" + os.environ.get("S6_RC", "/nonexistent") + ":" + os.environ["PATH"].replace(OUT + ":", "")
        must(["make", "-s", "-C", TOP, f"O={OUT}", "install", "install-users"])
        os.mkdir(f"{self.folder}/keys")
        os.chdir(f"{self.folder}/keys")
        must(["cam-key", "-g", "-n", "me"])
        self.server = chain.Server(self.folder)
        os.chmod(self.folder, 0o755)
        self.server.start()
        # as they came along, but for what has no namespace, and the port
        with open("/etc/cam/sysctl.conf", encoding="utf-8") as f:
            write("/etc/cam/sysctl.conf", "".join(line for line in f if not line.startswith("kernel.")))
        with open(f"{TOP}/s6-rc/nftables.conf", encoding="utf-8") as f:
            write("/etc/cam/nftables.conf", f.read().replace("443", str(self.server.port)))

    def camera(self, name, capture="-T -s 320x240 -r 30 -b 1M", seal="-t 2", url=None, **more):
        env = f"/etc/cam/{name}/env"
        os.makedirs(env)
        shutil.copy(f"{self.folder}/keys/me.pub", f"/etc/cam/{name}/recipients")
        shutil.copy(self.server.ca, f"/etc/cam/{name}/ca.pem")
        url = url or self.server.url.replace("door", name)
        settings = {"CAM_CAPTURE_ARGS": capture, "CAM_SEAL_ARGS": seal, "CAM_SHIP_ARGS": f"-C /etc/cam/{name}/ca.pem -T 30", "CAM_SHIP_URL": url,
                    "CAM_STATUS_ARGS": "-s 2", "CAM_STATUS_SEAL_ARGS": "-t 2", **more}
        for key, value in settings.items():
            self.set(name, key, value)

    def set(self, camera, key, value):
        write(f"/etc/cam/{camera}/env/{key}", value + "\n")

    # --- supervision ---

    def svscan(self):
        log = open(f"{self.folder}/svscan.log", "ab")
        self.scan = subprocess.Popen(["cam-services", "scan"], stdout=log, stderr=log)

    def up(self):
        """Brings everything up. (exit code, what was said)"""
        if not self.scan:
            self.svscan()
            wait_for(lambda: os.path.exists(f"{SCAN}/.s6-svscan/control"))
        if not self.s6_rc:
            return self.up_without()
        r = sh("cam-services apply && cam-services up")
        return r.returncode, r.stdout

    def up_without(self):
        """The same run scripts under s6-svscan alone: one pipe each, oneshots by hand, no dependencies."""
        source = f"{self.folder}/source"
        shutil.rmtree(source, ignore_errors=True)
        must(["cam-services", "source", source])
        order = ["cam-cells", "cam-kernel"] + [os.path.basename(p) for p in glob.glob(f"{source}/cam-prepare@*") + glob.glob(f"{source}/cam-gate@*")]
        for service in order:
            with open(f"{source}/{service}/up", encoding="utf-8") as f:
                r = sh(f.read())
            if r.returncode and "gate" not in service:
                return r.returncode, r.stdout
        for path in glob.glob(f"{source}/*"):
            service = os.path.basename(path)
            if not os.path.exists(f"{path}/run") or os.path.exists(f"{SCAN}/{service}"):
                continue
            ends = {}
            for way, fd in (("consumer-for", 0), ("producer-for", 1)):
                if os.path.exists(f"{path}/{way}"):
                    other = open(f"{path}/{way}", encoding="utf-8").read().strip()
                    first, second = (other, service) if fd == 0 else (service, other)
                    ends[fd] = self.fifo(f"{first}-{second}")
            os.rename(f"{path}/run", f"{path}/run.real")
            redirect = "".join(f"{fd}<>{name} " for fd, name in ends.items())
            write(f"{path}/run", f"#!/bin/sh\nexec {redirect}\nexec ./run.real\n" if ends else "#!/bin/sh\nexec ./run.real\n", 0o755)
            shutil.move(path, f"{SCAN}/{service}")
        must(["s6-svscanctl", "-a", SCAN])
        for service in os.listdir(SCAN):
            if not service.startswith("."):
                wait_for(lambda s=service: os.path.exists(f"{SCAN}/{s}/supervise/status"))
                sh(["s6-svwait", "-U" if os.path.exists(f"{SCAN}/{service}/notification-fd") else "-u", "-t", "60000", f"{SCAN}/{service}"])
        return 0, ""

    def fifo(self, name):
        path = f"{self.folder}/{name}"
        if not os.path.exists(path):
            os.mkfifo(path, 0o600)
        return path

    def down(self):
        if self.s6_rc:
            return sh("cam-services down").returncode
        for stage in (*STAGES, "status", "status-seal", "status-spool", "status-ship", "status-reap", "log", "log-hold"):
            for path in glob.glob(f"{SCAN}/cam-{stage}@*"):
                sh(["s6-svc", "-wD", "-T", "60000", "-d", path])
        return 0

    def dir(self, service):
        return f"{SCAN}/{service}"

    def svc(self, service, *options):
        return sh(["s6-svc", *options, self.dir(service)])

    def pid(self, service):
        got = sh(["s6-svstat", "-o", "pid", self.dir(service)]).stdout.strip()
        return int(got) if got.lstrip("-").isdigit() and int(got) > 0 else 0

    def ready(self, service):
        """The one service that does not say so becomes sleep."""
        said = sh(["s6-svstat", "-o", "up,ready,pid", self.dir(service)]).stdout.split()
        if said[:1] == ["true"] and not os.path.exists(f"{self.dir(service)}/notification-fd"):
            with open(f"/proc/{said[2]}/comm", encoding="ascii") as f:
                return f.read() == "sleep\n"
        return said[:2] == ["true", "true"]

    def ready_pid(self, service):
        """The tool itself, not what is still on the way to it."""
        pid = wait_for(lambda: self.ready(service) and self.pid(service))
        if not pid:
            raise RuntimeError(f"{service} is not ready")
        return pid

    def kill(self, service, sig=signal.SIGKILL):
        """Its process id."""
        pid = self.ready_pid(service)
        os.kill(pid, sig)
        return pid

    def back(self, service, pid):
        """The service whose process this was is ready again."""
        return wait_for(lambda: self.pid(service) not in (0, pid) and self.ready(service))

    def log(self, camera="door"):
        """What is renamed meanwhile is left out."""
        text = ""
        for path in sorted(glob.glob(f"/var/log/cam/{camera}/@*.s")) + [f"/var/log/cam/{camera}/current"]:
            try:
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f.read()
            except FileNotFoundError:
                pass
        return text

    def end(self):
        if self.scan:
            sh(["s6-svscanctl", "-t", SCAN])
            time.sleep(0.1)

    # --- footage ---

    def spooled(self, camera="door", suffixes=(".cam", ".sent")):
        folder = f"/var/spool/cam/{camera}"
        return sorted(f"{folder}/{n}" for n in os.listdir(folder) if n.endswith(suffixes))

    def publish(self, camera="door"):
        """What the stopped cam-spool left open becomes a segment."""
        must(f"setpriv --reuid camspool --regid camspool --init-groups cam-spool /var/spool/cam/{camera} </dev/null >/dev/null")

    def read(self, path):
        """Of a segment that may have been stored, and marked so, since it was listed."""
        try:
            with open(path, "rb") as f:
                return f.read()
        except FileNotFoundError:
            with open(re.sub(r"\.cam$", ".sent", path), "rb") as f:
                return f.read()

    def open(self, camera, paths, *options):
        """cam-open of these files, one behind the other: as root it gives up the right to read others' files."""
        return subprocess.run(["cam-open", "-s", f"/run/cam/{camera}/camera.pub", *options], input=b"".join(map(self.read, paths)),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def frames(self, paths, camera="door"):
        """The stamped access units of these segments, in order."""
        return footage.units(self.open(camera, paths, "-k", f"{self.folder}/keys/me.key").stdout)

    def missing(self, units):
        """Frames that are not there between the first and the last of each run of cam-capture; those that this machine
        was too slow to make are not counted."""
        lost = 0
        for before, unit in zip(units, units[1:]):
            if unit.frame > before.frame:
                lost += unit.frame - before.frame - 1 - (unit.dropped - before.dropped)
        return lost

    def verdicts(self, paths, camera="door"):
        text = self.open(camera, paths, "-V").stdout.decode()
        return {line.split("\t")[1] for line in text.splitlines() if line.count("\t") >= 2}

    def stored(self, camera="door"):
        return [p for p in self.server.objects() if f"/cams/{camera}/" in p and "/status/" not in p]
