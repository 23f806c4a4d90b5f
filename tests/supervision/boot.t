#!/usr/bin/python3
"""Bring up, who runs as whom and may do what, live update, stop."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world


def main(w):
    w.camera("door")
    code, said = w.up()
    w.tap.ok(code == 0, "up", said, open(f"{w.folder}/svscan.log").read())
    print(said, w.log(), world.sh("cam-services status").stdout, open(f"{w.folder}/svscan.log").read())
    import time
    time.sleep(5)
    print(w.log(), world.sh("cam-services status; ls -lR /var/spool/cam /run/cam/door /var/lib/cam/door").stdout, w.stored())


world.run(main)
