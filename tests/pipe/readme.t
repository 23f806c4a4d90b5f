#!/usr/bin/python3
"""Types the README's commands into a shell on a terminal, with the example host replaced by a test server, the
player by a decoder, and ^C after a few seconds for what runs until told to stop."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chain
import terminal

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# what a reader does who wants to see one by one: these are run by the test suite itself or by its caller
NOT_HERE = ("make ",)


def blocks():
    """The README's commands, one string a command, continuation lines joined."""
    commands, inside = [], False
    for line in open(f"{TOP}/README.md", encoding="utf-8"):
        if line.startswith("    ") and not line.startswith("     "):
            commands.append(line.strip())
            inside = True
        elif inside and line.startswith("     "):
            commands[-1] += "\n" + line.strip()
        else:
            inside = False
    return [c for c in commands if re.match(r"(cam-|make |mkdir |cat )", c)]


def recorded(folder):
    """How many are recorded, as far as they are proven."""
    names = [n for n in os.listdir(f"{folder}/spool") if n.endswith((".part", ".cam", ".sent"))]
    told = subprocess.run(["cam-open", "-j", "-s", "door.pub", *(f"spool/{n}" for n in names)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return sum(map(int, re.findall(rb'"frames":([0-9]+)', told.stdout)))


def main():
    tap = chain.Tap()
    folder = tempfile.mkdtemp()
    server = chain.Server(folder)
    server.start()
    shell = terminal.Terminal(folder)
    commands = blocks()
    tap.ok(len(commands) >= 8, f"the README has {len(commands)} commands")
    try:
        for command in commands:
            if command.startswith(NOT_HERE):
                target = command.split()[1]
                made = subprocess.run(["make", "-n", target], cwd=TOP, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
                tap.ok(made.returncode == 0, f"{command}: is a target", made.stderr.decode())
                continue
            ours = command.replace("https://cloud.example/cams/door/", server.url).replace("cam-ship ", "cam-ship -C ca.pem ")
            ours = ours.replace("ffplay -", "ffmpeg -v error -xerror -i - -f framemd5 out.md5 -y")
            forever = "cam-capture -T" in command
            code, shown = shell.run(ours.replace("\n", " "), 120, (lambda: recorded(folder) >= 90) if forever else None)
            finds = command == "cam-harden-check"  # no machine that builds this is a hardened camera
            tap.ok(code is not None and set(code.split()) == {"1" if finds else "0"}, f"{command.splitlines()[0]}: exit {code}", shown)
            if forever:
                stored = server.objects()
                sent = [n for n in os.listdir(f"{folder}/spool") if n.endswith(".sent")]
                tap.ok(stored or os.listdir(f"{folder}/spool"), f"recorded: {len(stored)} stored, {len(sent)} marked as sent", os.listdir(f"{folder}/spool"))
                # what ^C left in the spool goes on the next start
                drained = subprocess.run(f"cam-ship -1 -C ca.pem -d spool {server.url} | cam-reap spool", shell=True, cwd=folder, check=False)
                tap.ok(drained.returncode == 0 and not [n for n in os.listdir(f"{folder}/spool") if n.endswith(".cam")], "what ^C left is shipped on the next start")
                for path in server.objects():
                    shutil.copy(path, folder)
        frames = [line for line in open(f"{folder}/out.md5") if not line.startswith("#")]
        tap.ok(len(frames) > 60, f"{len(frames)} frames were played")
    finally:
        shell.close()
        server.stop()
        shutil.rmtree(folder)
    tap.done()


main()
