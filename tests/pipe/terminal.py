"""A shell on a terminal, typed into as a person would."""
import os
import pty
import re
import select
import time

PASSPHRASE = b"correct horse\n"


class Terminal:
    def __init__(self, folder):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ["PS1"] = "$ "
            os.execvp("bash", ["bash", "--norc", "--noediting", "-i"])
        self.seen = b""
        self.expect(rb"\$ $", 5)

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

    def run(self, command, seconds=20, interrupt_after=None):
        """The exit code, and what the terminal showed."""
        self.seen = b""
        os.write(self.fd, command.encode() + b'\n')
        if interrupt_after:
            time.sleep(interrupt_after)
            os.write(self.fd, b"\x03")
        while True:
            if not self.expect(rb"(\$ $)|(Passphrase for [^:]*: $)|(again: $)", seconds):
                return None, self.seen.decode(errors="replace")
            if self.seen.endswith(b"$ "):
                break
            self.seen = b""
            os.write(self.fd, PASSPHRASE)
        shown = self.seen.decode(errors="replace")
        self.seen = b""
        os.write(self.fd, b'echo "code=${PIPESTATUS[*]-$?}"\n')
        self.expect(rb"code=[0-9 ]+\r\n.*\$ $", 5)
        codes = re.search(rb"code=([0-9 ]+)", self.seen)
        return (codes.group(1).decode() if codes else None), shown

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)
