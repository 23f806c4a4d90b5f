"""A device made of files, a reader of cam-policy(5) that shares no code with the program, and TAP."""
import fnmatch
import json
import os
import re
import shutil
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
POLICY = f"{TOP}/cam-harden-check/pi3-camera.policy"


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, *more):
        self.n += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}")
        if not good:
            for m in more:
                for line in str(m).splitlines()[:30]:
                    print(f"#   {line}")

    def done(self):
        print(f"1..{self.n}")
        raise SystemExit(self.failed != 0)


# The rules about files that have to be what was made, which are exercised by image.t.
IMAGE_FILES = [f"image.{n}" for n in (
    "config-complete", "config-arm64", "config-localversion", "modprobe-d", "nftables-conf", "selinux-mode", "selinux-policy", "selinux-permissive",
    "selinux-policy-hash", "file-contexts", "file-labels", "initramfs", "initramfs-shells", "verity-tree", "verity-root-hash", "verity-declared", "sbom",
    "sbom-hash", "sbom-signature", "sbom-signer")]

# --- the policy ---

NO, UNKNOWN, YES = 0, 1, 2


class Rule:
    def __init__(self, fields):
        self.id, self.group, self.key, self.expected, self.condition = fields[:5]
        self.severity = fields[5]
        self.alternatives = parse(self.expected, self.group, self.key)
        self.conditions = [] if self.condition == "-" else parse(self.condition, None, None)


def group_of(group, key):
    return "kconfig" if key.startswith("CONFIG_") else "sysctl" if group == "netsysctl" else group


def parse(text, group, key):
    """Alternatives of lists of (group, key, test, argument)."""
    alternatives = []
    for alternative in text.split(" or "):
        terms = []
        for term in alternative.split(" and "):
            words = term.strip().split(" ")
            if ":" in words[0]:
                g, k = words.pop(0).split(":", 1)
                g = group_of(g, k)
            elif key is None:
                g, k = "device", words.pop(0)
            else:
                g, k = group_of(group, key), key
            terms.append((g, k, words[0], " ".join(words[1:])))
        alternatives.append(terms)
    return alternatives


def rules(path=POLICY):
    out = []
    for line in open(path, encoding="utf-8"):
        line = line.strip()
        if not line or line.startswith("#") or line.startswith("target"):
            continue
        fields = [f.strip().replace("\0", "|") for f in line.replace("\\|", "\0").split("|")]
        assert len(fields) == 9, line
        out.append(Rule(fields))
    return out


def number(text):
    return [int(n) for n in text.split(".")] if re.fullmatch(r"-?\d+(\.\d+)*", text) else None


def pad(a):
    return a + [0] * (4 - len(a))


def review_form(value):
    """The one form in which a value stands in a line of what a person has judged."""
    if value is None or value == []:
        return "not there"
    if isinstance(value, list):
        value = ",".join(sorted(v.replace("\\", "\\\\").replace(",", "\\,") for v in value))
    value = value.strip(" \t")
    return f'"{value}"' if value in ("", "-", "not there") or value.startswith('"') else value


def reviewed(rule_id, seen):
    return f"reviewed {rule_id} | tester | 2099-12-31 | {seen.replace('|', chr(92) + '|')} | seen\n"


def judge_one(test, argument, value, world, seen=None):
    """value: None absent, a string, or a list of items. seen: what a person has judged."""
    if test in ("review", "attested"):
        return UNKNOWN if seen is None else YES if seen == ("-" if test == "attested" else review_form(value)) else NO
    if value is None or value == []:
        return YES if test in ("n", "absent", "empty", "not", "lacks", "only") else NO
    words = value if isinstance(value, list) else re.split(r"[, \t]+", value)
    text = value if isinstance(value, str) else value[0] if len(value) == 1 else ""
    wanted = re.split(r"[, ]+", argument)
    if test in ("at-least", "at-most"):
        have, want = number(text), number(argument)
        if have is None:
            return UNKNOWN
        have, want = pad(have), pad(want)
        return YES if (have >= want if test == "at-least" else have <= want) else NO
    if test == "max":
        key, _ = argument.split(" ")
        most = world.get(*key.split(":"))
        return UNKNOWN if most is None else YES if text == most else NO
    answer = {
        "y": text == "y", "n": text == "n", "m": text == "m", "absent": False, "present": True,
        "empty": value == "", "nonempty": bool(value), "is": text == argument, "not": text != argument,
        "contains": all(w in words for w in wanted), "lacks": not any(w in words for w in wanted),
        "only": all(w in wanted for w in words if w), "matches": fnmatch.fnmatchcase(text, argument),
    }[test]
    return YES if answer else NO


def judge(alternatives, world, seen=None):
    return max(min(judge_one(t, a, world.get(g, k), world, seen) for g, k, t, a in terms) for terms in alternatives) if alternatives else YES


# --- the device ---

class World:
    """What is so of a device, by group and key; written out as files, and read back by the program."""

    def __init__(self):
        self.kconfig = {f"CONFIG_FILLER_{i}": "y" for i in range(320)}
        self.kconfig.update({f"CONFIG_FILLER_OFF_{i}": "n" for i in range(60)})
        self.kconfig["CONFIG_ARCH_MMAP_RND_BITS_MAX"] = "33"
        self.cmdline, self.sysctl, self.modprobe, self.image = {}, {}, {}, {}
        self.arch, self.board, self.kernel = "arm64", "pi3", "6.12.48"

    def table(self, group):
        return {"kconfig": self.kconfig, "cmdline": self.cmdline, "sysctl": self.sysctl, "modprobe": self.modprobe,
                "image": self.image}.get(group)

    def get(self, group, key):
        if group == "device":
            return getattr(self, key, None)
        return (self.table(group) or {}).get(key)

    def set(self, group, key, value):
        if group == "device":
            setattr(self, key, value)
            return
        table = self.table(group)
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value

    def kconfig_text(self):
        lines = ["#", "# Automatically generated file; DO NOT EDIT.", f"# Linux/{self.arch} {self.kernel} Kernel Configuration", "#"]
        for key, value in self.kconfig.items():
            if key == "CONFIG_CMDLINE" and value:  # the line that it was built with is the one that it runs with
                value = self.cmdline_text().strip()
            bare = re.fullmatch(r"y|m|-?\d+", value)
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f"# {key} is not set" if value == "n" else f"{key}={value}" if bare else f'{key}="{escaped}"')
        return "\n".join(lines + ["# end of Kernel hacking", ""])

    def cmdline_text(self):
        words = []
        for key, value in self.cmdline.items():
            for v in value if isinstance(value, list) else [value]:
                words.append(key if v == "" else f'{key}="{v}"' if " " in v else f"{key}={v}")
        return " ".join(words) + "\n"

    def sysctl_text(self):
        return "".join(f"{k} = {v}\n" for k, v in self.sysctl.items()) or "kernel.none = 0\n"

    def tree(self, root):
        """The groups image and modprobe as files."""
        if os.path.exists(root):
            shutil.rmtree(root)

        def put(path, text="", mode="w"):
            os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
            with open(f"{root}/{path}", mode, encoding="utf-8") as f:
                f.write(text)

        put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n")
        put("etc/shadow", "root:*:1:::::::\nnobody:!:1:::::::\n")
        put("usr/bin/cam-seal")
        places = {k[5:]: v for k, v in self.image.items() if k.startswith("fstab/")}
        put("etc/fstab", "".join(f"none {p} tmpfs {o} 0 0\n" for p, o in places.items()))
        put("etc/sysctl.d/90-cam.conf", "".join(f"-{k} = {v}\n" for k, v in self.declared().items()))
        put("etc/modprobe.d/cam.conf", "".join(
            f"install {m} /bin/false\n" if v == "blocked" else f"blacklist {m}\n" if v == "blacklisted" else f"install {m} {v}\n"
            for m, v in self.modprobe.items()))
        for key, value in self.image.items():
            for v in value if isinstance(value, list) else []:
                {"uid0": lambda v=v: put("etc/passwd", f"{v}:x:0:0::/:/bin/false\n", "a"),
                 "login-shells": lambda v=v: put("etc/passwd", f"{v}:x:1000:1000::/:/bin/bash\n", "a") if v != "root" else None,
                 "passwords": lambda v=v: put("etc/shadow", f"{v}:$y$j9T$abc:1:::::::\n", "a"),
                 "getty": lambda v=v: put("etc/inittab", f"{v}\n", "a"),
                 "undeclared-sysctls": lambda v=v: None}.get(key, lambda v=v: put(v.lstrip("/")))()

    def declared(self):
        hidden = self.image.get("undeclared-sysctls") or []
        return {k: v for k, v in self.sysctl.items() if k not in hidden}


class Audit:
    """Runs the program over a world in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.written = None

    def run(self, world, *more, policy=POLICY, form="json", layer=""):
        d = self.folder
        if layer:
            with open(f"{d}/layer", "w", encoding="utf-8") as f:
                f.write(layer)
            more = ("-p", f"{d}/layer", *more)
        for name, text in (("config", world.kconfig_text()), ("cmdline", world.cmdline_text()), ("sysctls", world.sysctl_text())):
            with open(f"{d}/{name}", "w", encoding="utf-8") as f:
                f.write(text)
        tree = (repr(world.image), repr(world.modprobe), repr(world.sysctl))
        if tree != self.written:
            world.tree(f"{d}/root")
            self.written = tree
        return subprocess.run(
            ["cam-harden-check", "-p", policy, "-a", world.arch, "-b", world.board, "-k", f"{d}/config", "-c", f"{d}/cmdline",
             "-s", f"{d}/sysctls", "-r", f"{d}/root", *(() if "-d" in more else ("-o", form)), *more], capture_output=True, text=True, check=False)

    def verdicts(self, world, **more):
        r = self.run(world, **more)
        if r.returncode not in (0, 1, 3):
            raise RuntimeError(r.stderr)
        return {f["id"]: f["verdict"] for f in json.loads(r.stdout)["findings"]}

    def close(self):
        shutil.rmtree(self.folder)


def generate(what, *operands):
    r = subprocess.run(["cam-harden-check", "-p", POLICY, "-g", what, *operands], capture_output=True, text=True, check=False)
    return r.returncode, r.stdout


def generated(what, text):
    """[(rule id, line)]"""
    out, ids = [], None
    known = {r.id for r in rules()}
    for line in text.splitlines():
        if line.startswith("# ") and line[2:] in known:
            ids = line[2:]
        elif ids and line and (what == "kconfig" or not line.startswith("#")):
            out.append((ids, line))
            ids = None
    return out


def line_read(what, line):
    """(group, key, value) of a generated line."""
    if what == "kconfig":
        m = re.fullmatch(r"# (CONFIG_\w+) is not set", line)
        if m:
            return "kconfig", m.group(1), "n"
        key, value = line.split("=", 1)
        return "kconfig", key, json.loads(value) if value.startswith('"') else value
    if what == "cmdline":
        key, _, value = line.partition("=")
        return "cmdline", key, value.strip('"')
    if what == "sysctl":
        key, _, value = line.partition("=")
        return "sysctl", key.strip().lstrip("-"), value.strip()
    if what == "modprobe":
        return "modprobe", line.split()[1], "blocked"
    fields = line.split()
    return "image", f"fstab{fields[1]}", fields[3]


OPERANDS = ("CONFIG_SYSTEM_TRUSTED_KEYS=trusted.pem", "CONFIG_IPE_BOOT_POLICY=ipe-boot.pol", "CONFIG_CMDLINE=ro rootwait")
KINDS = ("kconfig", "cmdline", "sysctl", "modprobe", "fstab")


def ideal():
    """The device that the generators make; what they cannot write is as a good image has it."""
    w = World()
    w.image["login-shells"] = ["root"]
    for what in KINDS:
        for _, line in generated(what, generate(what, *OPERANDS)[1]):
            w.set(*line_read(what, line))
    w.sysctl["kernel.random.entropy_avail"] = "256"
    w.sysctl.update({f"net.ipv4.conf.{i}.mc_forwarding": "0" for i in ("all", "default", "lo", "eth0")})
    return w
