"""cam-harden-check beside kernel-hardening-checker and Lynis: time, memory, and what of seeded damage each of them sees.

kernel-hardening-checker is run as a separate program where it is: in PATH, or $KHC. Configurations: $CAM_CONFIGS, else this
machine's. Figures are medians of RUNS runs."""
import glob
import gzip
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "cam-harden-check"))
import world as w_

RUNS = int(os.environ.get("RUNS", "5"))
MUTATIONS = int(os.environ.get("MUTATIONS", "100"))
PEER = (os.environ.get("KHC") or shutil.which("kernel-hardening-checker") or "").split()


def once(command):
    """(wall ms, cpu ms, peak MiB) of a program, by time(1): the peak of a fork of this interpreter would hide it."""
    begun = time.monotonic()
    r = subprocess.run(["time", "-q", "-f", "%U %S %M", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    user, system, peak = r.stderr.splitlines()[-1].split()
    return (time.monotonic() - begun) * 1000, (float(user) + float(system)) * 1000, float(peak) / 1024


def figures(name, command, runs=RUNS):
    got = [once(command) for _ in range(runs)]
    wall, cpu, memory = (statistics.median(c) for c in zip(*got))
    print(f"{name:44} {wall:9.1f} ms wall {cpu:9.1f} ms cpu {memory:7.1f} MiB", flush=True)


def config_here(folder):
    for path in glob.glob(f"{os.environ.get('CAM_CONFIGS', '/nowhere')}/*arm64*") + glob.glob("/boot/config-*") + ["/proc/config.gz"]:
        if os.path.exists(path):
            text = gzip.open(path, "rt").read() if path.endswith(".gz") else open(path, encoding="utf-8").read()
            with open(f"{folder}/config", "w", encoding="utf-8") as f:
                f.write(text)
            return f"{folder}/config", "arm64" if "Linux/arm64" in text[:300] else "amd64", path
    raise SystemExit("no kernel configuration here: CAM_CONFIGS=FOLDER")


def peer_failures(config):
    r = subprocess.run([*PEER, "-c", config, "-m", "json"], capture_output=True, text=True, check=False)
    try:
        return {c["option_name"] for c in json.loads(r.stdout) if not c["check_result_bool"]}, r.returncode
    except ValueError:
        return None, r.returncode


def our_failures(config, arch):
    r = subprocess.run(["cam-harden-check", "-p", w_.POLICY, "-a", arch, "-b", "pi3", "-k", config, "-o", "json"], capture_output=True, text=True, check=False)
    found = json.loads(r.stdout)["findings"]
    return {f["key"] for f in found if f["verdict"] in ("FAIL", "INCOMPLETE")}, r.returncode, {f["key"] for f in found if f["verdict"] == "PASS"}


def damage(text, symbols, rng):
    """One damage to a good configuration: a symbol that matters, turned."""
    symbol = rng.choice(symbols)
    on = re.search(rf"^{symbol}=y$", text, re.M)
    if on:
        return symbol, text.replace(on.group(0), f"# {symbol} is not set")
    return symbol, text.replace(f"# {symbol} is not set", f"{symbol}=y")


def world_good(config):
    """What the generators write, over a real configuration: the other program wants to see a compiler and the like."""
    good = w_.ideal()
    for line in open(config, encoding="utf-8"):
        m = re.match(r"# (CONFIG_\w+) is not set|(CONFIG_\w+)=(.*)", line)
        if m:
            key, value = (m.group(1), "n") if m.group(1) else (m.group(2), json.loads(m.group(3)) if m.group(3).startswith('"') else m.group(3))
            good.kconfig.setdefault(key, value)
    return good.kconfig_text()


def detection(folder, config):
    """Damage to the configuration that we generate: one symbol that both programs check, turned; and files cut off."""
    rng = random.Random(20261126)
    good = world_good(config)
    path = f"{folder}/damaged"

    def write(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    write(good)
    ours_good, _, applies = our_failures(path, "arm64")
    symbols = sorted({r.key for r in w_.rules() if r.group == "kconfig" and r.expected in ("y", "n") and re.search(rf"^({r.key}=y|# {r.key} is not set)$", good, re.M)})
    symbols = [s for s in symbols if s in applies]  # rules that are about another board say so, and are not asked
    if PEER:
        theirs_good, _ = peer_failures(path)
        r = subprocess.run([*PEER, "-c", path, "-m", "json"], capture_output=True, text=True, check=False)
        symbols = sorted(set(symbols) & {c["option_name"] for c in json.loads(r.stdout)} - theirs_good)
    hits, exits = [0, 0], [0, 0]
    for _ in range(MUTATIONS):
        symbol, text = damage(good, symbols, rng)
        write(text)
        ours, code, _ = our_failures(path, "arm64")
        hits[0] += symbol in ours - ours_good
        exits[0] += code != 0
        if PEER:
            theirs, code = peer_failures(path)
            hits[1] += symbol in theirs - theirs_good
            exits[1] += code != 0
    print(f"\nOf {MUTATIONS} configurations with one of {len(symbols)} symbols turned (seed 20261126), seen:")
    print(f"  cam-harden-check          {hits[0]:4}   exit code tells {exits[0]:4}")
    if PEER:
        print(f"  kernel-hardening-checker  {hits[1]:4}   exit code tells {exits[1]:4}")

    # What is not there: how much is called passed when the evidence is cut off
    print("\nOf a good configuration of which only a part is left, called passed (rules that want something off):")
    for part in (0.9, 0.5, 0.1, 0.0):
        lines = good.splitlines(keepends=True)
        write("".join(lines[:max(5, int(len(lines) * part))]))
        r = subprocess.run(["cam-harden-check", "-p", w_.POLICY, "-k", path, "-o", "json"], capture_output=True, text=True, check=False)
        ours = sum(f["verdict"] == "PASS" for f in json.loads(r.stdout)["findings"] if f["group"] == "kconfig")
        line = f"  {part:4.0%}  cam-harden-check {ours:4}"
        if PEER:
            r = subprocess.run([*PEER, "-c", path, "-m", "json"], capture_output=True, text=True, check=False)
            try:
                all_of_it = json.loads(r.stdout)
                line += f"   kernel-hardening-checker {sum(c['check_result_bool'] for c in all_of_it):4} of {len(all_of_it)}, exit {r.returncode}"
            except ValueError:
                line += f"   kernel-hardening-checker refuses, exit {r.returncode}"
        print(line)


def main():
    folder = tempfile.mkdtemp()
    try:
        config, arch, name = config_here(folder)
        here = subprocess.run(["sysctl", "-a"], capture_output=True, text=True, check=False).stdout
        with open(f"{folder}/sysctls", "w", encoding="utf-8") as f:
            f.write(here)
        print(f"offline: {name}, {os.path.getsize(config) // 1024} KiB")
        figures("cam-harden-check -k -c -s", ["cam-harden-check", "-a", arch, "-k", config, "-c", "/proc/cmdline", "-s", f"{folder}/sysctls"])
        if PEER:
            figures("kernel-hardening-checker -c -l -s", [*PEER, "-c", config, "-l", "/proc/cmdline", "-s", f"{folder}/sysctls"])
        else:
            print("kernel-hardening-checker: not here, so it was not measured")
        print("this machine, running")
        figures("cam-harden-check", ["cam-harden-check"])
        if PEER:
            figures("kernel-hardening-checker -a", [*PEER, "-a"])
        if shutil.which("lynis") and not os.environ.get("NO_LYNIS"):
            figures("lynis audit system --quick", ["lynis", "audit", "system", "--quick", "--no-colors"], 1)
        else:
            print("lynis: not here, or NO_LYNIS: it was not measured")
        if not os.environ.get("NO_WALK"):
            print("file walks over the whole root, apart")
            figures("cam-harden-check -w", ["cam-harden-check", "-w"], 1)
        detection(folder, config)
    finally:
        shutil.rmtree(folder)


main()
