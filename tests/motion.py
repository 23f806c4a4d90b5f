"""How well motion is told from what is none, and what that costs: precision and recall of -m 30 on scenes whose truth
is known, from a generator of ours and from ffmpeg's sources; CPU time beside x264's. Run by `make bench`.

A frame in which a thing moves that is at least half inside the picture is one of motion; one in which nothing moves is none;
the others do not count, nor do the first two seconds, in which the background is learnt. What decides about a recording is
not the single frame, so the same is told for each half second: motion when at least half of its frames are, none when all are
none, found when any frame of it is."""
import os
import subprocess
import sys
import tempfile

TOOLS = os.environ["O"] + "/tests/cam-capture/"
THRESHOLD, WINDOW, LEARNT, FRAMES = 30, 15, 60, 300
# none of these was used when the detector's numbers were chosen
SEEDS = [int(s) for s in os.environ.get("SEEDS", "101 102 103").split()]

OURS = {f"thing of {size} %, {speed} % a second": f"size={size} speed={speed} noise=30" for size in (4, 8, 20) for speed in (4, 20, 70)}
OURS |= {f"noise {n / 10:g}": f"noise={n}" for n in (20, 60, 120)}
OURS |= {"thing in noise 10": "size=8 speed=20 noise=100", "faint thing": "size=10 speed=15 contrast=14 noise=30"}
for light in ("slow", "gain", "offset", "lamp", "flash", "flicker"):
    OURS[f"light {light}"] = f"light={light} noise=30"
    OURS[f"light {light}, thing"] = f"light={light} noise=30 size=8 speed=20"
for streaks in (10, 40, 150, 600):
    OURS[f"rain of {streaks}"] = f"rain={streaks} noise=30"
    OURS[f"rain of {streaks}, thing"] = f"rain={streaks} noise=30 size=10 speed=20"
OURS |= {"leaves": "leaves=25 noise=30", "leaves, thing": "leaves=25 noise=30 size=8 speed=20"}

# ffmpeg: what stands still, what moves (None: nothing), what is done to the picture
STILL = "mandelbrot=s=640x360:r=30,trim=end_frame=1,loop=-1:1,setpts=N/30/TB"
SMPTE = "smptehdbars=s=640x360:r=30"
FFMPEG = {
    "ffmpeg: noise": (STILL, None, "noise=alls=20:allf=t"),
    "ffmpeg: light": (STILL, None, "eq=brightness='0.15*sin(t)':eval=frame,noise=alls=10:allf=t"),
    "ffmpeg: light, all at once": (SMPTE, None, "eq=brightness='if(gt(t,6),0.2,0)':eval=frame,noise=alls=10:allf=t"),
    "ffmpeg: thing": (STILL, (60, 90, 120), "noise=alls=10:allf=t"),
    "ffmpeg: slow small thing": (SMPTE, (32, 40, 40), "noise=alls=6:allf=t"),
    "ffmpeg: fast thing": (SMPTE, (80, 60, 400), "noise=alls=10:allf=t"),
    "ffmpeg: thing in changing light": (STILL, (50, 80, 100), "eq=brightness='0.15*sin(t)':eval=frame,noise=alls=10:allf=t"),
}


def score(command):
    out = subprocess.run(command + f" | {TOOLS}motion-score", shell=True, check=True, timeout=120, capture_output=True, text=True)
    return [int(line) for line in out.stdout.split()], float(out.stderr.split()[-1])


def ours(arguments, seed, size="640x360"):
    with tempfile.NamedTemporaryFile("r") as truth:
        scores, us = score(f"{TOOLS}scenes {seed} {size} {FRAMES} {truth.name} {arguments}")
        return truth.read().strip(), scores, us


def ffmpeg(still, thing, effects):
    truth = ["0"] * FRAMES
    graph = f"[0]format=yuv420p,{effects}[out]"
    inputs = f"-f lavfi -i {still!r}".replace("'", '"')
    if thing:
        width, height, speed = thing
        for n in range(FRAMES):
            x = -width + (n / 30 - 3) * speed
            inside = max(0, min(640, x + width) - max(0, x)) / width
            truth[n] = "0" if n < 90 or inside == 0 else "1" if inside >= 0.5 else "-"
        inputs += f' -f lavfi -i "testsrc2=s={width}x{height}:r=30,trim=end_frame=1,loop=-1:1,setpts=N/30/TB"'
        graph = f"[0][1]overlay=x='-{width}+(t-3)*{speed}':y=140:enable='gte(t,3)':eval=frame,format=yuv420p,{effects}[out]"
    command = f'ffmpeg -v error {inputs} -filter_complex "{graph}" -map "[out]" -frames:v {FRAMES} -f yuv4mpegpipe -'
    scores, us = score(command)
    return "".join(truth), scores, us


class Count:
    def __init__(self):
        self.hit = self.false = self.missed = 0

    def add(self, other):
        self.hit += other.hit
        self.false += other.false
        self.missed += other.missed

    def __str__(self):
        share = lambda n, of: f"{n / of:.3f}" if of else "  -  "
        return f"precision {share(self.hit, self.hit + self.false)}  recall {share(self.hit, self.hit + self.missed)}  ({self.hit} found, {self.false} false, {self.missed} missed)"


def judge(truth, scores):
    frames, halves = Count(), Count()
    found = [s >= THRESHOLD for s in scores]
    for n in range(LEARNT, FRAMES):
        frames.hit += truth[n] == "1" and found[n]
        frames.missed += truth[n] == "1" and not found[n]
        frames.false += truth[n] == "0" and found[n]
    for n in range(LEARNT, FRAMES, WINDOW):
        part, any_found = truth[n:n + WINDOW], any(found[n:n + WINDOW])
        moving, still = part.count("1") * 2 >= WINDOW, part.count("0") == len(part)
        halves.hit += moving and any_found
        halves.missed += moving and not any_found
        halves.false += still and any_found
    return frames, halves


def table(name, scenes):
    frames, halves = Count(), Count()
    for scene, plays in scenes:
        here = Count(), Count()
        for truth, scores, _ in plays:
            for total, one in zip(here, judge(truth, scores)):
                total.add(one)
        frames.add(here[0])
        halves.add(here[1])
        print(f"{scene:36} half seconds: {here[1]}")
        sys.stdout.flush()
    print(f"# motion, {name}: half seconds: {halves}")
    print(f"# motion, {name}: frames:       {frames}")


def cost():
    with tempfile.TemporaryDirectory() as folder:
        film = folder + "/film.y4m"
        with open(film, "wb") as out:
            subprocess.run([TOOLS + "scenes", "1", "1280x720", "200", folder + "/truth", "size=8", "speed=20", "noise=30"], stdout=out, check=True)
        ratios = []
        for _ in range(5):
            _, us = score(f"cat {film}")
            begun = os.times()
            subprocess.run(f"ffmpeg -v error -y -i {film} -c:v libx264 -preset ultrafast -tune zerolatency -threads 1 -b:v 4M -f null -", shell=True, check=True)
            done = os.times()
            x264_us = (done.children_user + done.children_system - begun.children_user - begun.children_system) / 200 * 1e6
            ratios.append((us / x264_us, us, x264_us))
        ratio, us, x264_us = sorted(ratios)[2]
        print(f"# motion: {us:.0f} us of CPU a frame of 720p, x264 ultrafast (in ffmpeg) {x264_us:.0f}: ratio {ratio:.3f}")


print(f"# seeds {SEEDS}")
table("our scenes", [(name, [ours(a, seed) for seed in SEEDS]) for name, a in OURS.items()])
table("ffmpeg's sources", [(name, [ffmpeg(*a)]) for name, a in FFMPEG.items()])
cost()
