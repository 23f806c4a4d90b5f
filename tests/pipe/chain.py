"""The whole chain for tests: stages between pipes that outlive them, as s6-rc holds them, and a TLS server."""
import os
import signal
import socket
import subprocess
import sys
import time

STAGES = ("capture", "seal", "spool", "ship", "reap")


def heeds(pid, number):
    """Whether the program does something else by now than to be killed by that signal."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            status = dict(line.split(":\t", 1) for line in f if ":\t" in line)
    except OSError:
        return True  # it has ended
    return any(int(status[k], 16) >> number - 1 & 1 for k in ("SigBlk", "SigCgt", "SigIgn") if k in status)


def until(condition, seconds=120):
    """Whether that came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.05)
    return True


class Server:
    """nginx with WebDAV on a loopback port, and its CA."""

    def __init__(self, folder):
        self.folder = folder
        self.root = f"{folder}/www"
        os.makedirs(self.root)
        os.makedirs(f"{folder}/nginx")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", f"{folder}/key.pem", "-out", f"{folder}/ca.pem", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
        self.ca = f"{folder}/ca.pem"
        self.process = None
        self.configure()

    def configure(self):
        """With a port that is free, as yet."""
        folder = self.folder
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"https://localhost:{self.port}/cams/door/"
        paths = "".join(f"{k}_temp_path {folder}/nginx/{k};\n" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.getuid() == 0 else ""
        with open(f"{folder}/nginx/nginx.conf", "w") as f:
            f.write(f"""{user}daemon off; worker_processes 1; pid {folder}/nginx/pid; error_log {folder}/nginx/error.log;
                events {{ worker_connections 64; }}
                http {{ access_log off; {paths} client_max_body_size 1g;
                server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {self.ca}; ssl_certificate_key {folder}/key.pem;
                root {self.root}; autoindex on; dav_methods PUT DELETE MKCOL MOVE; create_full_put_path on; }} }}""")

    def start(self):
        self.process = subprocess.Popen(["nginx", "-e", f"{self.folder}/nginx/error.log", "-p", self.folder, "-c", f"{self.folder}/nginx/nginx.conf"])
        until(lambda: self.answers() or self.process.poll() is not None)
        if self.process.poll() is not None:  # somebody else has the port by now
            self.configure()
            self.start()
        elif not self.answers():
            raise RuntimeError("nginx does not start")

    def answers(self):
        command = ["curl", "-s", "--cacert", self.ca, "-o", "/dev/null", f"https://localhost:{self.port}/"]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def objects(self):
        """Paths of what is stored, in the order of recording."""
        found = [os.path.join(d, n) for d, _, names in os.walk(self.root) for n in names]
        return sorted((p for p in found if p.endswith(".cam")), key=os.path.basename)


class Chain:
    def __init__(self, folder, server, capture, segment_seconds=2):
        self.folder, self.spool = folder, f"{folder}/spool"
        os.mkdir(self.spool)
        for options in (["-g", "-n", "me"], ["-g", "-s", "door"]):
            subprocess.run(["cam-key", *options], cwd=folder, check=True)
        self.commands = {
            "capture": ["cam-capture", *capture],
            "seal": ["cam-seal", "-i", "door.key", "-r", "me.pub", "-t", str(segment_seconds)],
            "spool": ["cam-spool", "spool"],
            "ship": ["cam-ship", "-d", "spool", "-C", server.ca, server.url],
            "reap": ["cam-reap", "spool"],
        }
        null = os.open("/dev/null", os.O_RDWR)
        self.pipes = [os.pipe() for _ in range(3)]  # held open at both ends for good
        (seal_in, capture_out), (spool_in, seal_out), (reap_in, ship_out) = self.pipes
        self.ends = {"capture": (null, capture_out), "seal": (seal_in, seal_out), "spool": (spool_in, null),
                     "ship": (null, ship_out), "reap": (reap_in, null)}
        self.logs = {s: open(f"{folder}/{s}.log", "ab") for s in STAGES}
        self.running = {}

    def start(self, stage, stdin=None):
        i, o = self.ends[stage]
        self.running[stage] = subprocess.Popen(self.commands[stage], cwd=self.folder, stdin=i if stdin is None else stdin, stdout=o, stderr=self.logs[stage])

    def kill(self, stage):
        self.running[stage].send_signal(signal.SIGKILL)
        self.running[stage].wait()

    def stop(self, stage, seconds=120):
        """An orderly stop; the stage has to exit 0."""
        until(lambda: heeds(self.running[stage].pid, signal.SIGTERM))
        self.running[stage].send_signal(signal.SIGTERM)
        code = self.running[stage].wait(timeout=seconds)
        if code:
            raise RuntimeError(f"{stage} exited {code}")

    def revive(self):
        """Starts again what has died, as a supervisor does. Returns the stages that had died by themselves."""
        dead = [s for s, p in self.running.items() if p.poll() is not None]
        for s in dead:
            self.start(s)
        return dead

    def recorded_bytes(self):
        """Of the segments in the spool, also the one that is being written."""
        found = 0
        for n in os.listdir(self.spool):
            try:
                found += os.path.getsize(f"{self.spool}/{n}")
            except FileNotFoundError:
                pass  # renamed
        return found

    def waiting(self):
        return [n for n in os.listdir(self.spool) if n.endswith((".cam", ".part"))]

    def drain(self, seconds):
        """Until everything is stored and marked so."""
        end = time.monotonic() + seconds
        while self.waiting() and time.monotonic() < end:
            self.revive()
            time.sleep(0.1)
        return not self.waiting()

    def end(self):
        for p in self.running.values():
            if p.poll() is None:
                p.kill()
                p.wait()


class Tap:
    def __init__(self):
        self.run = self.failed = 0

    def ok(self, condition, name, *details):
        self.run += 1
        print(f"{'ok' if condition else 'not ok'} {self.run} - {name}")
        if not condition:
            self.failed += 1
            for d in details:
                for line in str(d).splitlines()[:20]:
                    print(f"# {sys.argv[0].split('tests/')[-1]} {self.run}: {line}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        return condition

    def done(self):
        print(f"1..{self.run}")
        sys.exit(1 if self.failed else 0)
