#!/usr/bin/python3
"""Against kernel-hardening-checker, run as a separate program where it is there (in PATH, or $KHC): whatever both of them
check in a real configuration has the same answer, or the difference is in peer.tsv with its reason. Configurations: this
machine's, those of installed kernels and headers, those of Debian's packages linux-config-*, and what lies in $CAM_CONFIGS."""
import glob
import gzip
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world as w_

HERE = os.path.dirname(os.path.abspath(__file__))
tap = w_.Tap()


def configs(folder):
    found = {}
    packaged = glob.glob("/usr/src/linux-config-*/config.*.xz")
    for path in packaged + glob.glob("/boot/config-*") + glob.glob("/usr/src/linux-headers-*/.config") + glob.glob(f"{os.environ.get('CAM_CONFIGS', folder)}/*"):
        text = (lzma.open(path, "rt") if path in packaged else open(path, encoding="utf-8", errors="replace")).read()
        if re.search(r"^# Linux/(x86|arm64) .* Kernel Configuration$", text, re.M):
            found[path] = text
    if os.path.exists("/proc/config.gz"):
        found["/proc/config.gz"] = gzip.open("/proc/config.gz", "rt").read()
    return found


peer = (os.environ.get("KHC") or shutil.which("kernel-hardening-checker") or "").split()
if not peer:
    print("1..0 # SKIP no kernel-hardening-checker here: the table peer.tsv is not compared")
    raise SystemExit
table = {}
for line in open(f"{HERE}/peer.tsv", encoding="utf-8"):
    if not line.startswith("#"):
        symbol, ours, theirs, why = line.rstrip("\n").split("\t")
        table[symbol, ours, theirs] = why
folder = tempfile.mkdtemp()


def compare(arch, cmdline, sysctls):
    """[(key, our verdict, theirs)] of what both check."""
    files = ("-c", f"{folder}/config", "-l", cmdline, "-s", sysctls)
    r = subprocess.run(["cam-harden-check", "-p", w_.POLICY, "-a", arch, "-b", "pi3" if arch == "arm64" else "other", "-k", files[1], "-c", cmdline, "-s", sysctls, "-o", "json"],
                       capture_output=True, text=True, check=False)
    ours = {f["key"]: f["verdict"] for f in json.loads(r.stdout)["findings"] 
            if not f["id"].startswith("disagree.") and (f["key"].startswith("CONFIG_") or f["group"] in ("cmdline", "sysctl", "netsysctl"))}
    r = subprocess.run([*peer, *files, "-m", "json"], capture_output=True, text=True, check=False)
    return [(c["option_name"], ours[c["option_name"]], "OK" if c["check_result_bool"] else "FAIL") for c in json.loads(r.stdout) if c["option_name"] in ours]


def settings_make():
    """This machine's, and the generated ones."""
    def put(name, text):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
        return f"{folder}/{name}"
    good = w_.ideal()
    here = subprocess.run(["sysctl", "-a"], capture_output=True, text=True, check=False).stdout
    return [(put("cmdline.here", open("/proc/cmdline", encoding="utf-8").read()), put("sysctl.here", here)),
            (put("cmdline.good", good.cmdline_text()), put("sysctl.good", good.sysctl_text()))]


used = set()
try:
    every = configs(folder)
    settings = settings_make()
    tap.ok(every, f"{len(every)} configurations")
    for path, text in sorted(every.items()):
        with open(f"{folder}/config", "w", encoding="utf-8") as f:
            f.write(text)
        arch = "amd64" if re.search(r"^# Linux/x86 ", text, re.M) else "arm64"
        both = [pair for cmdline, sysctls in settings for pair in compare(arch, cmdline, sysctls)]
        differ = {(s, o, t) for s, o, t in both if (o == "PASS") != (t == "OK") and (o, t) != ("SKIP", "FAIL")}
        used |= differ & set(table)
        unexplained = sorted(differ - set(table))
        tap.ok(len(both) > 100 and not unexplained, f"{path}: {len(both)} answers to what both check, {len(differ)} differences, each explained", *unexplained)
    print(f"# {len(used)} of {len(table)} lines of the table were needed here")
finally:
    shutil.rmtree(folder)
tap.done()
