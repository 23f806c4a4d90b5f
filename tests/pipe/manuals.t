#!/usr/bin/python3
"""Runs every example of the manual pages in a shell on a terminal, with the example's server, files and times
replaced by ones that are there, the players by a decoder, and ^C for what runs until told to stop."""
import datetime
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chain
import terminal

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLAY = "ffmpeg -v error -xerror -i - -f null -"
NAME = "0000000042-0000000007-20260131T235959Z-0123456789abcdef"


def examples(page):
    """The commands below EXAMPLES, one string each."""
    text = re.search(r"^\.Sh EXAMPLES\n(.*?)(?=^\.Sh |\Z)", open(page, encoding="utf-8").read(), re.M | re.S)
    if not text:
        return []
    commands = re.findall(r"^\.Dl \$ (.*)$", text.group(1), re.M)
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", text.group(1), re.M | re.S):
        for line in block.replace("\\e\n", " ").replace("|\n", "| ").splitlines():
            commands.append(re.sub(r" +", " ", line.strip()))
    return commands


def main():
    tap = chain.Tap()
    folder = tempfile.mkdtemp()
    server = chain.Server(folder)
    server.start()
    shell = terminal.Terminal(folder)
    now = datetime.datetime.now()
    put = {
        "https://cloud.example/cams/door/": server.url,
        "cam-ship ": f"cam-ship -C {server.ca} ",
        "cam-capture |": "cam-capture -T |",  # no camera here
        # no camera here: the program with one that is made up
        "cam-capture -s 1920x1080": f"{os.environ['O']}/tests/cam-capture/fake -s 1920x1080",
        "ffplay -": PLAY,
        "mpv -": PLAY,
        "2026-11-23T20:00": (now - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        "2026-11-23T21:00": (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        "2026-11 ": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m "),
        "/etc/cam/door/aws": f"{folder}/aws",
    }
    seen = set()

    def enough(then):
        """When to interrupt what runs until told to stop: after 3 s, and what it is run for has come."""
        begun = time.monotonic()
        return lambda: time.monotonic() >= begun + 3 and (then is None or then())

    def run(command, prepare="", then=None):
        """Types one example; `prepare` is typed before it, and is no example."""
        seen.add(command)
        for old, new in put.items():
            command = command.replace(old, new)
        if prepare:
            subprocess.run(prepare, shell=True, cwd=folder, check=True, stderr=subprocess.DEVNULL)
        forever = "cam-capture" in command and not re.search("timeout|-i -|-l", command)
        return shell.run(command, 120, enough(then) if forever else None)

    def ok(command, prepare="", code="0", then=None):
        got, shown = run(command, prepare, then)
        good = got is not None and set(got.split()) == set(code.split())
        tap.ok(good and (then is None or then()), f"{command[:90]}: exit {got}", shown)

    def made(name):
        return lambda: os.path.exists(f"{folder}/{name}") and os.path.getsize(f"{folder}/{name}") > 0

    try:
        pages = {os.path.basename(p): examples(p) for p in sorted(glob.glob(f"{TOP}/man/*.[1-8]"))}
        for command in pages["cam-key.1"]:
            ok(command)
        os.mkdir(f"{folder}/spool")
        capture = pages["cam-capture.1"]
        ok(capture[0])
        ok(capture[1], then=made("camera.h264"))
        ok(capture[2], code="124", then=made("test.h264"))  # what timeout(1) says of having ended it
        ok(capture[3], "ffmpeg -v error -f lavfi -i testsrc=d=2:r=30 -pix_fmt yuv420p in.mp4 </dev/null", then=made("out.h264"))
        ok(pages["cam-seal.1"][0], "cp out.h264 door.h264", then=made("door.cam"))
        for command in pages["cam-open.1"]:
            ok(command, "mkdir -p cams && cp door.cam cams/")
        for command in pages["cam-mux.1"]:
            ok(command, then=made("door.mkv"))
        for command in pages["cam-spool.1"]:
            ok(command)
        for command in pages["cam-status.1"]:
            ok(command)
        upload, bucket = pages["cam-ship.1"]
        ok(upload, "cp door.cam stream", then=lambda: bool(server.objects()))
        if shutil.which("s6-envdir"):
            # not an S3 server: nothing may be called stored
            ok(bucket, f"mkdir aws && echo {server.url.split('/cams')[0]} > aws/AWS_ENDPOINT_URL && echo k > aws/AWS_ACCESS_KEY_ID && "
               f"echo s > aws/AWS_SECRET_ACCESS_KEY && cp door.cam spool/{NAME}.cam", code="111")
        else:
            seen.add(bucket)
            print("# no s6-envdir here: one example was not run")
        mark = [c for c in pages["cam-reap.1"] if "echo" in c][0]
        ok(mark, f"rm -f spool/*; cp door.cam spool/{NAME}.cam", then=lambda: os.path.exists(f"{folder}/spool/{NAME}.sent"))
        ship = [c for c in pages["cam-reap.1"] if "echo" not in c][0]
        shell.run("set -m")
        got, shown = shell.run(ship.replace("https://cloud.example/cams/door/", server.url).replace("cam-ship ", f"cam-ship -C {server.ca} "), 120, enough(None))
        seen.add(ship)
        tap.ok(got is not None and set(got.split()) == {"0"}, f"{ship}: exit {got}", shown)
        audit, image, layered, kconfig, sysctl, nft, sbom, tree, whole, keep, changed, ask, seal, release, released = pages["cam-harden-check.8"]
        ok(audit, code="1")
        for command, name in ((kconfig, "camera.config"), (sysctl, "90-cam.conf"), (nft, "cam.nft")):
            ok(command, then=made(name))
        ok(image, "mkdir -p image && cp 90-cam.conf kernel.config && echo quiet > cmdline.txt", code="1")
        if shutil.which("veritysetup") and shutil.which("ssh-keygen"):
            ok(sbom, "ssh-keygen -q -t ed25519 -N '' -f builder; mkdir -p image/usr/share/sbom; echo '{}' > image/usr/share/sbom/camera.spdx.json",
               then=made("image/usr/share/sbom/camera.spdx.json.sig"))
            ok(tree, "head -c 40960 /dev/urandom > root.squashfs", then=made("root.tree"))
            ok(whole, "echo '# nothing is judged yet' > release.policy", code="1")
        else:
            seen.update((sbom, tree, whole))
            print("# no veritysetup or ssh-keygen here: three examples were not run")
        ok(keep, code="1", then=made("monday.json"))
        got, shown = run(changed)  # 1 when some other test has just started a tool
        tap.ok(got in ("0", "1"), f"{changed}: exit {got}", shown)
        ok(ask, code="1", then=made("report"))
        ok(seal, then=made("report.cam"))
        ok(release, code="1", then=made("release.policy"))
        # signed, each line counts: none of its rules is open any more
        ok(released, "sed -i 's/^# reviewed \\([^ ]*\\) | OWNER | UNTIL/reviewed \\1 | alice | 2099-12-31/' release.policy; grep -q '^reviewed' release.policy", code="1")
        layer = "\n".join(pages["cam-policy.5"])
        seen.update(pages["cam-policy.5"])
        with open(f"{folder}/door.policy", "w", encoding="utf-8") as f:
            f.write(layer + "\n")
        ok(layered, code="1")
        missed = [c for page in pages.values() for c in page if c not in seen]
        tap.ok(not missed, f"all {len(seen)} examples were run", *missed)
    finally:
        shell.close()
        server.stop()
        shutil.rmtree(folder)
    tap.done()


main()
