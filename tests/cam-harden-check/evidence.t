#!/usr/bin/python3
# defends: enter.unseen
"""What cannot be seen is never passed: broken, missing and foreign evidence; layers, waivers and their dates; sources that
disagree; and offline nothing of this host is read."""
import copy
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world as w_

tap = w_.Tap()
audit = w_.Audit()
T = audit.folder

RULES = """target | arm64 | pi3
k.modules | kconfig | CONFIG_MODULES | n | - | high | own | why | -
k.filler | kconfig | CONFIG_FILLER_3 | y | - | high | own | why | -
s.sysrq | sysctl | kernel.sysrq | is 0 | - | high | own | why | -
c.panic | cmdline | panic | is -1 | - | high | own | why | -
"""


def write(name, text, mode="w"):
    path = f"{T}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode) as f:
        f.write(text)
    return path


# faketime names what it shares in /dev/shm for its process id; where somebody's of the same id was killed it lies there still,
# and faketime ends with 1 and prints nothing
OWN_SHM = 'mount -t tmpfs none /dev/shm && exec "$@"'


def run(*args, user=None, date=None, policy="p"):
    command = ["cam-harden-check", "-p", f"{T}/{policy}", "-o", "json", *args]
    if user:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    if date:
        command = ["unshare", "-m", "sh", "-c", OWN_SHM, "sh", "faketime", "-f", date, *command]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "TZ": "UTC"})


def verdicts(r):
    """By id; none where there is no report."""
    try:
        return {f["id"]: f["verdict"] for f in json.loads(r.stdout)["findings"]}
    except ValueError:
        return {}


def expects(name, r, code, **want):
    got = verdicts(r) if r.returncode in (0, 1, 3) else {}
    want = {k.replace("__", "."): v for k, v in want.items()}
    good = r.returncode == code and all(got.get(k) == v for k, v in want.items())
    tap.ok(good, f"{name}: exit {code}", f"exit {r.returncode}, {got}", r.stderr)


try:
    os.chmod(T, 0o755)
    write("p", RULES)
    world = w_.World()
    world.kconfig["CONFIG_MODULES"] = "n"
    world.cmdline["panic"] = "-1"
    world.sysctl["kernel.sysrq"] = "0"
    config, cmdline, sysctls = world.kconfig_text(), world.cmdline_text(), world.sysctl_text()
    k, c, s = write("config", config), write("cmdline", cmdline), write("sysctls", sysctls)
    all_of_it = ("-k", k, "-c", c, "-s", s)

    expects("everything seen, everything as it should be", run(*all_of_it), 0, k__modules="PASS", s__sysrq="PASS", c__panic="PASS")
    expects("one setting is wrong", run("-k", k, "-c", c, "-s", write("s1", "kernel.sysrq = 1\n")), 1, s__sysrq="FAIL")

    lines = config.splitlines(keepends=True)
    broken = {
        "an empty configuration": "",
        "half a configuration, cut at a line": "".join(lines[:len(lines) * 9 // 10]),
        "one without the end of its last menu": config.replace("# end of Kernel hacking\n", ""),
        "a configuration cut within a line": config[:len(config) * 9 // 10],
        "a configuration whose last line does not end": config[:-1],
        "a fragment": "# Linux/arm64 6.12.0 Kernel Configuration\n# CONFIG_MODULES is not set\nCONFIG_FILLER_3=y\n",
        "one without its head": config.replace("# Linux/arm64", "# Linux "),
        "one in which nothing is not set": "".join(l for l in lines if "is not set" not in l),
        "another architecture's": config.replace("Linux/arm64", "Linux/x86"),
        "a page of a web server": "<html><body>404</body></html>\n",
        "one with a NUL in it": config.replace("CONFIG_FILLER_9=y", "CONFIG_FILLER_9=\0y"),
        "a symbol without a value": config.replace("CONFIG_FILLER_9=y", "CONFIG_FILLER_9="),
        "a string that does not end": config.replace("CONFIG_FILLER_9=y", 'CONFIG_FILLER_9="y'),
    }
    for name, text in broken.items():
        expects(name, run("-k", write("bad", text), "-c", c, "-s", s), 3, k__modules="INCOMPLETE", k__filler="INCOMPLETE", s__sysrq="PASS")
    expects("no configuration at all", run("-c", c, "-s", s), 3, k__modules="INCOMPLETE")
    packed = gzip.compress(config.encode())
    expects("a compressed configuration", run("-k", write("config.gz", packed, "wb"), "-c", c, "-s", s), 0, k__filler="PASS")
    expects("a compressed one, cut off", run("-k", write("cut.gz", packed[:-20], "wb"), "-c", c, "-s", s), 3, k__filler="INCOMPLETE")
    damaged = bytearray(packed)
    damaged[len(damaged) // 2] ^= 0x55
    expects("a compressed one, damaged", run("-k", write("dam.gz", bytes(damaged), "wb"), "-c", c, "-s", s), 3, k__filler="INCOMPLETE")

    for name, text, want in (("a dump without the key", "kernel.other = 0\n", "INCOMPLETE"), ("an empty dump", "", "INCOMPLETE"),
                             ("a dump that is cut off", "kernel.sysrq = 0", "INCOMPLETE"),
                             ("a dump with an error message in it", "kernel.sysrq = 0\nsysctl: permission denied\n", "INCOMPLETE")):
        expects(name, run("-k", k, "-c", c, "-s", write("s2", text)), 3, s__sysrq=want)
    for name, text in (("an empty command line", ""), ("a command line with a NUL", "panic=-1\0 x\n"), ("a command line that is too long", "a" * 5000 + " panic=-1\n")):
        expects(name, run("-k", k, "-c", write("c1", text), "-s", s), 3, c__panic="INCOMPLETE")
    expects("a failure beats what is incomplete", run("-k", write("bad", ""), "-c", c, "-s", write("s1", "kernel.sysrq = 1\n")), 1, k__modules="INCOMPLETE", s__sysrq="FAIL")

    # command lines, as the kernel reads them
    for text, want in (("panic=5 panic=-1", "PASS"), ("panic=-1 panic=5", "FAIL"), ('x="a panic=-1 b"', "FAIL"), ('panic="-1"', "PASS"),
                       ("-- panic=-1", "FAIL"), ("xpanic=-1", "FAIL"), ("panic=-1 -- panic=5", "PASS")):
        r = run("-k", k, "-c", write("c1", text + "\n"), "-s", s)
        tap.ok(verdicts(r).get("c.panic") == want, f"{text}: {want}", r.stdout)
    write("pd", "c.d | cmdline | no_hash_pointers | present | - | low | own | why | -\n")
    expects("- and _ are the same in names", run("-c", write("c1", "no-hash-pointers\n"), policy="pd"), 0, c__d="PASS")

    # a kernel that takes only its own line
    forced = copy.deepcopy(world)
    forced.kconfig.update({"CONFIG_CMDLINE_FORCE": "y", "CONFIG_CMDLINE": "panic=-1 quiet"})
    expects("a forced command line counts", run("-k", write("forced", forced.kconfig_text()), "-s", s), 0, c__panic="PASS")
    expects("and one that says something else is told", run("-k", f"{T}/forced", "-s", s, "-c", write("c1", "panic=7\n")), 1, c__panic="PASS", disagree__c__panic="FAIL")

    # files that cannot be read
    os.chmod(write("secret", config), 0o600)
    r = run("-k", f"{T}/secret", "-c", c, "-s", s, user=65534)
    tap.ok(r.returncode == 3 and "secret: Permission denied" in r.stderr, "a file that may not be read is said", r.stderr)
    missing = {v for i, v in verdicts(r).items() if i.startswith("k.")}
    tap.ok(missing <= {"INCOMPLETE", "SKIP"} and "INCOMPLETE" in missing, "and what is in it is missing", missing)
    root = f"{T}/tree"
    world.tree(root)
    shadow = "i.passwords | image | passwords | empty | - | high | own | why | -\n"
    write("ps", shadow)
    os.chmod(f"{root}/etc/shadow", 0o600)
    expects("/etc/shadow without permission", run("-r", root, user=65534, policy="ps"), 3, i__passwords="INCOMPLETE")
    expects("and with it", run("-r", root, policy="ps"), 0, i__passwords="PASS")
    os.unlink(f"{root}/etc/shadow")
    expects("a tree without it", run("-r", root, policy="ps"), 3, i__passwords="INCOMPLETE")
    os.symlink("/etc/shadow", f"{root}/etc/shadow")
    expects("a link that leads out of the tree leads nowhere", run("-r", root, policy="ps"), 3, i__passwords="INCOMPLETE")

    # declared settings, in the order in which they are applied
    def declared(files, want, links=()):
        tree = f"{T}/declared"
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(f"{tree}/etc")
        for path, text in files.items():
            write(f"declared/{path}", text)
        for path in links:
            os.makedirs(os.path.dirname(f"{tree}/{path}"), exist_ok=True)
            os.symlink("/dev/null", f"{tree}/{path}")
        r = run("-k", k, "-c", c, "-r", tree)
        tap.ok(verdicts(r).get("s.sysrq") == want, f"sysctl.d: {list(files)} {list(links)}: {want}", r.stdout, r.stderr)

    declared({"etc/sysctl.d/1.conf": "kernel.sysrq = 0\n"}, "PASS")
    declared({"etc/sysctl.d/1.conf": "kernel/sysrq=0\n"}, "PASS")
    declared({"etc/sysctl.d/1.conf": "kernel.sysrq = 0\n", "usr/lib/sysctl.d/2.conf": "kernel.sysrq = 1\n"}, "FAIL")
    declared({"etc/sysctl.d/2.conf": "kernel.sysrq = 0\n", "usr/lib/sysctl.d/1.conf": "kernel.sysrq = 1\n"}, "PASS")
    declared({"etc/sysctl.d/1.conf": "kernel.sysrq = 0\n", "usr/lib/sysctl.d/1.conf": "kernel.sysrq = 1\n"}, "PASS")
    declared({"usr/lib/sysctl.d/1.conf": "kernel.sysrq = 0\n"}, "INCOMPLETE", links=["etc/sysctl.d/1.conf"])
    declared({"etc/sysctl.d/1.conf": "kernel.sysrq = 0\n", "etc/sysctl.conf": "kernel.sysrq = 1\n"}, "FAIL")
    declared({"etc/sysctl.d/1.txt": "kernel.sysrq = 0\n"}, "INCOMPLETE")

    write("declared/etc/sysctl.d/1.conf", "kernel.sysrq = 1\n")
    expects("what runs and what is declared disagree", run(*all_of_it, "-r", f"{T}/declared"), 1, s__sysrq="PASS", disagree__s__sysrq="FAIL")
    other = copy.deepcopy(world)
    other.kconfig["CONFIG_FILLER_3"] = "n"
    write("declared/boot/config-6.12.48", other.kconfig_text())
    expects("two configurations disagree", run(*all_of_it, "-r", f"{T}/declared"), 1, k__filler="PASS", disagree__k__filler="FAIL")
    write("declared/boot/config-6.13", other.kconfig_text())
    expects("several configurations, and nobody says which", run("-c", c, "-s", s, "-r", f"{T}/declared"), 1, k__filler="INCOMPLETE")

    # modules
    write("pm", "m.dccp | modprobe | dccp | is blocked | - | low | own | why | -\n")
    for text, want in (("install dccp /bin/false\n", "PASS"), ("install dccp /bin/sh -c id\n", "FAIL"), ("blacklist dccp\n", "FAIL"), ("# install dccp /bin/false\n", "FAIL")):
        write("tree/etc/modprobe.d/x.conf", text)
        write("tree/etc/modprobe.d/cam.conf", "")
        got = verdicts(run("-r", root, policy="pm"))
        tap.ok(got.get("m.dccp") == want, f"modprobe.d: {text.strip()}: {want}", got)

    # layers
    def layer(name, text, code, want=None, base="p", date=None, says=None):
        r = run("-p", write("mine", text), "-k", k, "-c", c, "-s", f"{T}/s1", date=date, policy=base)
        got = verdicts(r) if r.returncode in (0, 1, 3) else {}
        good = r.returncode == code and (want is None or got.get("s.sysrq") == want) and (says is None or re.search(says, r.stderr))
        tap.ok(good, f"{name}: exit {code}", f"exit {r.returncode} {got}", r.stderr)

    late = "2099-12-31"
    layer("a waiver", f"waive s.sysrq | alice | {late} | needed in the lab\n", 0, "WAIVED")
    layer("a waiver that has ended fails", "waive s.sysrq | alice | 2024-01-01 | needed in the lab\n", 1, "FAIL")
    layer("a rule that is left out", f"drop s.sysrq | alice | {late} | not ours\n", 0, "SKIP")
    layer("left out too long", "drop s.sysrq | alice | 2024-01-01 | not ours\n", 1, "FAIL")
    layer("an override", f"override s.sysrq | is 1 | alice | {late} | SysRq is wanted\n", 0, "PASS")
    layer("an override that has ended", "override s.sysrq | is 1 | alice | 2024-01-01 | SysRq is wanted\n", 1, "FAIL")
    layer("a rule on top", "x.y | kconfig | CONFIG_FILLER_4 | n | - | low | own | why | -\n", 1)
    for text, why in ((f"waive s.nothing | alice | {late} | x\n", "mine:1: no rule of this id"), ("waive s.sysrq | alice | soon | x\n", "mine:1: until"),
                      (f"waive s.sysrq |  | {late} | x\n", "mine:1: an owner"), (f"waive s.sysrq | alice | {late} | \n", "mine:1: an owner"),
                      ("\n\ns.sysrq | sysctl | kernel.sysrq | is 1 | - | low | own | why | -\n", "mine:3: .*already"),
                      ("x | sysctl | kernel.sysrq | is 1 | - | low | own | why\n", "mine:1: a rule has nine"),
                      ("x | sysctl | kernel.sysrq | equals 1 | - | low | own | why | -\n", "mine:1: unknown test"),
                      ("x | sysctl | kernel.sysrq | is | - | low | own | why | -\n", "mine:1: a value is missing"),
                      ("x | sysctl | kernel.sysrq | at-least many | - | low | own | why | -\n", "mine:1: not a number"),
                      ("x | sysctl | kernel.sysrq | is 1 | - | dire | own | why | -\n", "mine:1: severity"),
                      ("x | sysctl | kernel.sysrq | is 1 | arch arm64 | low | own | why | -\n", "mine:1: "),
                      ("disagree.x | sysctl | kernel.sysrq | is 1 | - | low | own | why | -\n", "mine:1: the id is that"),
                      ("evidence.bounds | sysctl | kernel.sysrq | is 1 | - | low | own | why | -\n", "mine:1: the id is that"),
                      ("X | sysctl | kernel.sysrq | is 1 | - | low | own | why | -\n", "mine:1: the id"),
                      (f"reviewed s.nothing | alice | {late} | 1 | x\n", "mine:1: no rule of this id"),
                      (f"reviewed s.sysrq | alice | {late} | 1 | x\n", "mine:1: no person judges this rule"),
                      (f"override s.sysrq | review | alice | {late} | x\nreviewed s.sysrq | alice | {late} | 1\n", "mine:2: reviewed ID"),
                      (f"override s.sysrq | review | alice | {late} | x\nreviewed s.sysrq | alice | {late} | | x\n", "mine:2: reviewed ID"),
                      ("override s.sysrq | review | alice | 2024-01-01 | x\noverride s.sysrq | is | alice | 2024-01-01 | x\n", "mine:2: a value is missing"),
                      (f"override s.sysrq | review | alice | {late} | x\nreviewed s.sysrq | OWNER | UNTIL | 1 | REASON\n", "mine:2: until"),
                      ("forbid s.sysrq | alice\n", "mine:1: unknown word"), ("# only a comment", "mine:1: the last line"), ("", "mine: empty")):
        layer(f"refused: {text.strip()[:50]!r}", text, 100, says=why)
    write("pr", RULES.replace("is 0", "review"))
    layer("what a person has to decide is incomplete", "# nothing\n", 3, "INCOMPLETE", base="pr")
    layer("one can waive it", f"waive s.sysrq | alice | {late} | seen and fine\n", 0, "WAIVED", base="pr")
    layer("one who judges names the value", f"reviewed s.sysrq | alice | {late} | 1 | seen and fine\n", 0, "PASS", base="pr")
    layer("another value fails", f"reviewed s.sysrq | alice | {late} | 0 | seen and fine\n", 1, "FAIL", base="pr")
    layer("no value is another value", f"reviewed s.sysrq | alice | {late} | - | seen and fine\n", 1, "FAIL", base="pr")
    layer("what was judged too long ago fails", "reviewed s.sysrq | alice | 2024-01-01 | 1 | seen and fine\n", 1, "FAIL", base="pr")
    layer("the last judgement counts", f"reviewed s.sysrq | alice | 2024-01-01 | 0 | x\nreviewed s.sysrq | bob | {late} | 1 | x\n", 0, "PASS", base="pr")
    layer("one that has ended can be waived", f"reviewed s.sysrq | alice | 2024-01-01 | 1 | x\nwaive s.sysrq | bob | {late} | x\n", 0, "WAIVED", base="pr")
    layer("another value can be waived", f"reviewed s.sysrq | alice | {late} | 0 | x\nwaive s.sysrq | bob | {late} | x\n", 0, "WAIVED", base="pr")
    layer("a review that an override asked for until it ended", f"override s.sysrq | review | alice | 2024-01-01 | x\nreviewed s.sysrq | alice | {late} | 1 | x\n", 1, "FAIL")
    for text, code, want in ((f"reviewed s.sysrq | alice | {late} | 1 | x\n", 3, "INCOMPLETE"), (f"reviewed s.sysrq | alice | {late} | not seen | x\n", 3, "INCOMPLETE"),
                             (f"waive s.sysrq | alice | {late} | x\n", 3, "INCOMPLETE"), ("reviewed s.sysrq | alice | 2024-01-01 | 1 | x\n", 1, "FAIL")):
        r = run("-p", write("mine", text), "-k", k, "-c", c, policy="pr")
        tap.ok(r.returncode == code and verdicts(r).get("s.sysrq") == want, f"not seen, and {text.strip()}: {want}", r.stdout, r.stderr)
    write("pa", RULES.replace("is 0", "attested"))
    layer("what no device shows is incomplete", "# nothing\n", 3, "INCOMPLETE", base="pa")
    layer("until somebody vouches for it", f"reviewed s.sysrq | alice | {late} | - | tried on a test build\n", 0, "PASS", base="pa")
    layer("who cannot name a value", f"reviewed s.sysrq | alice | {late} | 1 | tried on a test build\n", 1, "FAIL", base="pa")
    layer("nor for ever", "reviewed s.sysrq | alice | 2024-01-01 | - | tried on a test build\n", 1, "FAIL", base="pa")
    own_shm = subprocess.run(["unshare", "-m", "sh", "-c", OWN_SHM, "sh", "true"], capture_output=True, check=False).returncode == 0
    if shutil.which("faketime") and own_shm and not os.environ.get("SAN"):
        waiver = "waive s.sysrq | alice | 2030-06-15 | x\n"
        for date, code, want in (("2030-06-15 12:00:00", 0, "WAIVED"), ("2030-06-16 12:00:00", 1, "FAIL")):
            layer(f"a waiver until 2030-06-15, on {date}", waiver, code, want, date=date)
            layer(f"a judgement until 2030-06-15, on {date}", "reviewed s.sysrq | alice | 2030-06-15 | 1 | x\n", code, want.replace("WAIVED", "PASS"), base="pr", date=date)
        layer("a clock that was never set keeps no waiver alive", "waive s.sysrq | alice | 2024-01-01 | x\n", 1, "FAIL", date="1970-01-02 00:00:00")

    # offline, nothing of this host; the sanitizers' own runtime looks at a lot
    sanitized = bool(os.environ.get("SAN"))
    if not sanitized:
        trace = f"{T}/trace"
        tree = f"{T}/declared"
        r = subprocess.run(["strace", "-f", "-qq", "-e", "trace=%file,%network,%process,sysinfo,uname", "-o", trace, "cam-harden-check", *all_of_it, "-r", tree],
                           capture_output=True, text=True, check=False)
        text = open(trace, encoding="utf-8").read()
        opened = re.findall(r"openat2?\(([^,]+), \"([^\"]*)\"[^)]*\)\s+= \d+", text)
        outside = [p for d, p in opened if not p.startswith(T) and d == "AT_FDCWD" and not re.search(r"^/(dev/null$|etc/ld\.so|(usr/)?lib)", p)]
        tap.ok(r.returncode in (0, 1, 3) and not outside, f"offline opens only what was named ({len(opened)} files)", outside, r.stderr)
        calls = [l for l in text.splitlines() if re.search(r"(socket|connect|fork|vfork|uname)\(", l) or re.search(r"clone\(", l)]
        tap.ok(not calls, "offline asks nothing of this host, and starts nothing", *calls)
        host = [l for l in text.splitlines() if re.search(r'"/(proc|sys|boot|etc/(sysctl|passwd|shadow|fstab|modprobe|localtime)|usr/share/zoneinfo)', l)]
        tap.ok(not host, "nothing of /proc, /sys, /boot and /etc", *host)

    # usage
    for args, name in ((("-o", "yaml"), "an unknown form"), (("-g", "iptables"), "an unknown generator"), (("-k",), "an option without its argument"),
                       (("-g", "kconfig", "-k", k), "generating and auditing"), (("-p", f"{T}/p", "-k", k, "-k", k), "an option twice"),
                       (("NAME=1",), "an operand without -g"), (("-g", "nft", "server"), "an operand without =")):
        r = subprocess.run(["cam-harden-check", *args], capture_output=True, text=True, check=False)
        lines = [l for l in r.stderr.splitlines() if "built with sanitizers" not in l]
        tap.ok(r.returncode == 100 and len(lines) == 1 and lines[0].startswith("cam-harden-check: "), f"{name}: exit {r.returncode}", r.stderr)
finally:
    audit.close()
tap.done()
