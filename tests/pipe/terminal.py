"""A shell on a terminal, typed into as a person would."""
import os
import pty
import re
import select
import signal
import time

from chain import heeds

PROMPT = rb"@type here@ $"
PASSPHRASE = b"correct horse\n"


class Terminal:
    def __init__(self, folder):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ["PS1"] = "@type here@ "
            os.execvp("bash", ["bash", "--norc", "--noediting", "-i"])
        self.seen = b""
        self.expect(PROMPT, 60)

    def expect(self, pattern, seconds):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return False
            try:
                self.seen += os.read(self.fd, 65536)
            except OSError:
                return False
        return True

    def tools(self):
        """The processes of this project that the shell has started, and that run."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                    name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
            except OSError:
                continue
            if int(rest.split()[1]) == self.pid and name.startswith("cam-"):
                found.append(int(pid))
        return found

    def interrupt(self, when, seconds):
        """^C, when that is so and all of them handle it, or it takes too long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not re.search(PROMPT, self.seen):
            self.expect(PROMPT, 0.2)
            if when() and all(heeds(p, signal.SIGINT) for p in self.tools()):
                break
        os.write(self.fd, b"\x03")

    def run(self, command, seconds=120, interrupt_when=None):
        """The exit code, and what the terminal showed."""
        self.seen = b""
        os.write(self.fd, command.encode() + b'\n')
        if interrupt_when:
            self.interrupt(interrupt_when, seconds)
        while True:
            if not self.expect(PROMPT + rb"|Passphrase for [^:]*: $|again: $", seconds):
                return None, self.seen.decode(errors="replace")
            if re.search(PROMPT, self.seen):
                break
            self.seen = b""
            os.write(self.fd, PASSPHRASE)
        shown = self.seen.decode(errors="replace")
        self.seen = b""
        os.write(self.fd, b'echo "code=${PIPESTATUS[*]-$?}"\n')
        self.expect(rb"code=[0-9 ]+\r\n.*" + PROMPT, 60)
        codes = re.search(rb"code=([0-9 ]+)", self.seen)
        return (codes.group(1).decode() if codes else None), shown

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)
