#!/usr/bin/python3
# defends: enter.program
"""A device whose root is read-only, and where nothing that can be written can be executed: its services are a part of the
image, and start from there."""
import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world


def main(w):
    if not w.s6_rc:
        w.tap.ok(True, "services that are a part of the image # SKIP s6-rc is not installed")
        return
    w.camera("door", capture="-T -s 160x120 -r 10 -b 400k", seal="-t 1")
    r = world.sh("cam-services image")
    w.tap.ok(r.returncode == 0, "the services are compiled into the image", r.stdout)
    r = world.sh("cam-services image")
    w.tap.ok(r.returncode == 0, "and again", r.stdout)
    lib = os.path.dirname(os.path.realpath("/usr/local/sbin/cam-services"))
    w.tap.ok(sorted(os.listdir(f"{lib}/image")) == ["compiled", "run"] and not glob.glob(f"{lib}/image-*"), "nothing else is left there", os.listdir(lib), os.listdir(f"{lib}/image"))
    for path in ("/run", "/var"):
        world.must(f"mount -o remount,bind,noexec {path}")
    for path in ("/etc", "/usr/local"):
        world.must(f"mount -o remount,bind,ro {path}")
    world.must("cp /bin/true /run/true")
    w.tap.ok(world.sh("/run/true").returncode == 126, "nothing below /run can be executed")
    w.svscan()
    world.wait_for(lambda: os.path.exists(f"{world.SCAN}/.s6-svscan/control"))
    r = world.sh("cam-services up")
    w.tap.ok(r.returncode == 0, "all comes up", r.stdout, w.log()[-1500:])
    scripts = [p for p in glob.glob(f"{world.SCAN}/*/*") if os.path.isfile(p) and os.stat(p).st_mode & 0o111]
    elsewhere = [p for p in scripts if not os.path.realpath(p).startswith(f"{lib}/image/run/")]
    w.tap.ok(len(scripts) > 20 and not elsewhere, f"each of {len(scripts)} scripts lies in the image", elsewhere)
    w.tap.ok(world.wait_for(lambda: len(w.stored()) >= 2), "footage is stored", w.log()[-1500:])
    was = w.kill("cam-seal@door")
    w.tap.ok(w.back("cam-seal@door", was), "what dies is started again", w.log()[-1500:])
    r = world.sh("cam-services apply")
    w.tap.ok(r.returncode == 100 and "part of the image" in r.stdout, "other services are refused", r.returncode, r.stdout)
    w.tap.ok(w.down() == 0, "and down")


world.run(main)
