#!/usr/bin/python3
# defends: forge.alter forge.owner
"""Footage that must open for ever: vectors/*.cam were sealed once and are never made again. vectors/expected.txt says
which bytes and which verdicts come out; cam-open and the independent reader must both agree with it, and with each
other on footage sealed now."""
import hashlib
import os
import random
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import reader
import footage

VECTORS = f"{HERE}/vectors"
# the same each time, but in the long run
SEED = int(os.environ.get("CAM_SEED", random.randrange(1 << 32) if "CAM_LONG" in os.environ else 1))
LONG = int(os.environ.get("CAM_LONG", 1))
run = failed = 0


def ok(condition, what, *why):
    global run, failed
    run, failed = run + 1, failed + (not condition)
    print(f"{'ok' if condition else 'not ok'} {run} - {what}", flush=True)
    if not condition:
        for line in "\n".join(map(str, why)).split("\n"):
            print(f"#   {line}")


def stanzas():
    """[(arguments, size and hash, verdicts)] of expected.txt"""
    for block in open(f"{VECTORS}/expected.txt", encoding="utf-8").read().split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith("#")]
        if lines:
            assert lines[0].startswith("open ") and lines[1].startswith("bytes ")
            yield lines[0][5:], lines[1][6:], sorted(line.removeprefix("says ") for line in lines[2:])


def with_program(argv, arguments, folder):
    """(exit code, size and hash of what came out, sorted verdicts) of one reader on a command line"""
    if "locked.key" in arguments:
        arguments = ["-P", "0"] + arguments
    done = subprocess.run(argv + arguments, cwd=folder, input=b"correct horse\n", capture_output=True, check=False)
    verdicts = footage.verdicts(done.stderr.decode())
    found = sorted({f"{where}: {verdict}" for where, verdict in verdicts if verdict not in reader.NOT_FINDINGS})
    return done.returncode, f"{len(done.stdout)} {hashlib.sha256(done.stdout).hexdigest()}", found


READERS = {"cam-open": ["cam-open"], "reader.py": ["/usr/bin/python3", f"{HERE}/reader.py"]}


def frozen():
    for arguments, size_and_hash, says in stanzas():
        for program, argv in READERS.items():
            got = with_program(argv, shlex.split(arguments), VECTORS)
            ok(got == (1 if says else 0, size_and_hash, says), f"{program} {arguments}", got, size_and_hash, says)


def fresh(number, rng, T):
    """Footage sealed now, with what varies drawn at random: both readers give back what went in."""
    names = [f"k{i}" for i in range(rng.choice((1, 2, 5, 32)))]
    folder = f"{T}/{number}"
    os.mkdir(folder)
    for key in names:
        footage.run(folder, "cam-key", "-g", "-n", key)
    footage.run(folder, "cam-key", "-g", "-s", "dev")
    kind = rng.choice(("video", "video with messages", "report", "one byte", "no H.264"))
    if kind.startswith("video"):
        video = footage.video(rng.randrange(5, 60), rng.randrange(3, 20), rng.randrange(10, 45), rng.randrange(1 << 16))
        data = footage.with_messages(video) if "messages" in kind else video
    else:
        data = rng.randbytes(1 if kind == "one byte" else rng.randrange(1, 70000))
    arguments = [a for key in names for a in ("-r", f"{key}.pub")] + (["-R", "-n", "7"] if kind == "report" else [])
    starts = rng.randrange(1, 4)
    for start in range(starts):
        sealed = footage.run(folder, "cam-seal", "-i", "dev.key", "-t", "1", *arguments, stdin=data)
        with open(f"{folder}/{start}.cam", "wb") as f:
            f.write(sealed)
    what = ["-R"] if kind == "report" else []
    what += ["-k", f"{rng.choice(names)}.key", "-s", "dev.pub"] + [f"{start}.cam" for start in range(starts)]
    want = 0, f"{len(data) * starts} {hashlib.sha256(data * starts).hexdigest()}", []
    for program, argv in READERS.items():
        got = with_program(argv, what, folder)
        ok(got == want, f"{program}: fresh {kind}, {len(data)} bytes, {len(names)} recipients, {starts} starts", got, want)


def main():
    print(f"# CAM_SEED={SEED}")
    frozen()
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as T:
        for number in range(12 * LONG):
            fresh(number, rng, T)
    print(f"1..{run}")
    return failed > 0


sys.exit(main())
