"""Measures the tools beside their peers: age (sealing), curl and rclone (shipping), ffmpeg (encoding)."""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "cam-ship"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "pipe"))
import chain
import drain

RUNS = int(os.environ.get("RUNS", "5"))


def measure(command, prepare=None):
    """(wall s, cpu s) of a shell command, its children included."""
    if prepare:
        prepare()
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, shell=True, check=True, timeout=120, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def pair(name, ours, theirs, peer, prepare=None):
    ours_s, theirs_s = [], []
    for _ in range(RUNS):
        ours_s.append(measure(ours, prepare))
        theirs_s.append(measure(theirs, prepare))
    for i, what in enumerate(("wall", "cpu")):
        a, b = [r[i] for r in ours_s], [r[i] for r in theirs_s]
        ratio = statistics.median(x / y for x, y in zip(a, b))
        print(f"{name:34} {what:4}  ours {statistics.median(a):7.3f} s   {peer} {statistics.median(b):7.3f} s   ratio {ratio:.3f}")
    sys.stdout.flush()


def seal():
    run = lambda c: subprocess.run(c, shell=True, check=True, timeout=120, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("cam-key -g -n me && cam-key -g -s door && age-keygen -o age.key && grep -o 'age1.*' age.key > age.pub")
    run("ffmpeg -v error -f lavfi -i testsrc2=s=1280x720:r=30:d=10 -pix_fmt yuv420p in.y4m")
    pair("encode 300 frames of 720p", "cam-capture -F -i in.y4m -b 4M > ours.264",
         "ffmpeg -v error -y -i in.y4m -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -b:v 4M -maxrate 4M -bufsize 4M -g 30 -f h264 theirs.264", "ffmpeg")
    run("for i in $(seq 40); do cat ours.264; done > big.264")
    mib = os.path.getsize("big.264") / (1 << 20)
    print(f"# {mib:.0f} MiB of H.264")
    pair("seal", "cam-seal -i door.key -r me.pub < big.264 > big.cam", "age -R age.pub < big.264 > big.age", "age")
    pair("open and verify", "cam-open -k me.key -s door.pub big.cam > out.264", "age -d -i age.key big.age > out2.264", "age")
    run("ffmpeg -v error -f lavfi -i testsrc2=s=640x480:r=30:d=60 -pix_fmt yuv420p one.y4m")
    run("cam-capture -F -i one.y4m -b 1M > one.264 && cam-seal -i door.key -r me.pub < one.264 > one.cam")
    plain, sealed = os.path.getsize("one.264"), os.path.getsize("one.cam")
    print(f"overhead at {plain * 8 / 60 / 1e6:.2f} Mbit/s, 30 frames a second: {(sealed - plain) * 100 / plain:.2f} %")


def spool():
    os.mkdir("weeks")
    for i in range(100000):
        open(f"weeks/{1:010}-{i:010}-20260101T000000Z-0123456789abcdef.cam", "wb").close()
    pair("start with 100,000 waiting", "cam-spool weeks > hints", "ls -U weeks > list", "ls")
    shutil.rmtree("weeks")


def sandbox():
    """The pipeline beside itself, built without a sandbox: what filters and Landlock cost."""
    bare = os.environ.get("BARE")
    if not bare:
        print("# sandbox: BARE does not name a build with NOSANDBOX=1")
        return
    run = lambda c: subprocess.run(c, shell=True, check=True, timeout=120, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("cam-key -g -n mine && cam-key -g -s gate")
    run("ffmpeg -v error -f lavfi -i testsrc2=s=1280x720:r=30:d=10 -pix_fmt yuv420p cost.y4m && mkdir cost")
    server = chain.Server(os.path.abspath("cost"))
    server.start()

    def empty():
        shutil.rmtree("cost/spool", ignore_errors=True)
        shutil.rmtree(f"{server.root}/cams", ignore_errors=True)
        os.mkdir("cost/spool")

    pipe = ("cam-capture -F -i cost.y4m -b 2M | cam-seal -i gate.key -r mine.pub -t 2 | cam-spool cost/spool | "
            f"cam-ship -d cost/spool -C {server.ca} {server.url} | cam-reap cost/spool")
    pair("the pipeline, 300 frames of 720p", pipe, f"PATH={bare}:$PATH; {pipe}", "without a sandbox", empty)
    server.stop()


def main():
    """All, or what is named: seal, spool, ship, sandbox."""
    chosen = sys.argv[1:] or ["seal", "spool", "ship", "sandbox"]
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    try:
        if "seal" in chosen:
            seal()
        if "spool" in chosen:
            spool()
        if "ship" in chosen:
            drain.bench(folder, pair)
        if "sandbox" in chosen:
            sandbox()
    finally:
        shutil.rmtree(folder)


main()
