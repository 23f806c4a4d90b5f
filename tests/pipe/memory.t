#!/usr/bin/python3
# defends: lose.memory
"""Private memory of the running stages at 4 Mbit/s, against what is promised."""
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chain

MIB = 1 << 20
PROMISED = {"seal": 4 * MIB, "spool": 4 * MIB, "ship": 16 * MIB}


def private_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return sum(int(line.split()[1]) * 1024 for line in f if line.startswith(("Private_Clean", "Private_Dirty")))


def main():
    if "asan" in os.environ.get("O", ""):
        print("1..0 # SKIP a sanitizer's memory is not ours")
        return
    tap = chain.Tap()
    folder = tempfile.mkdtemp()
    server = chain.Server(folder)
    server.start()
    c = chain.Chain(folder, server, ["-T", "-s", "640x480", "-r", "30", "-b", "4M"], 2)
    try:
        for stage in reversed(chain.STAGES):
            c.start(stage)
        most = {s: 0 for s in PROMISED}
        for _ in range(40):
            time.sleep(0.2)
            for s in PROMISED:
                most[s] = max(most[s], private_bytes(c.running[s].pid))
        chain.until(lambda: len(server.objects()) >= 2)
        tap.ok(not c.revive(), "all stages are alive")
        for s, limit in PROMISED.items():
            tap.ok(most[s] <= limit, f"cam-{s}: {most[s] / MIB:.1f} MiB private, promised {limit // MIB}")
        tap.ok(len(server.objects()) >= 2, "segments were shipped meanwhile")
    finally:
        c.end()
        server.stop()
        shutil.rmtree(folder)
    tap.done()


main()
