#!/usr/bin/python3
# defends: enter.kernel
"""What the generators write passes; each line of it, changed, is found; and each rule of the policy is seen to pass and to
fail, with the verdict that an independent reader of cam-policy(5) comes to."""
import concurrent.futures
import copy
import os
import queue
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world as w_

tap = w_.Tap()
audits = queue.SimpleQueue()
for _ in range(2):
    audits.put(w_.Audit())
pool = concurrent.futures.ThreadPoolExecutor(2)


seen = {}


def ask(world, layer=""):
    """The verdicts on a world, later; the same world is looked at once."""
    key = repr(sorted(vars(world).items())) + layer
    if key not in seen:
        seen[key] = pool.submit(look, copy.deepcopy(world), layer)
    return seen[key]


def look(world, layer):
    audit = audits.get()
    try:
        return audit.verdicts(world, layer=layer)
    finally:
        audits.put(audit)


def release(world):
    """What a person has to judge of it, signed."""
    audit = audits.get()
    try:
        text = audit.run(world, form="release").stdout
    finally:
        audits.put(audit)
    return re.sub(r"# (reviewed \S+) \| OWNER \| UNTIL (.*) REASON", r"\1 | tester | 2099-12-31 \2 seen", text)


rules = w_.rules()
by_id = {r.id: r for r in rules}


def named(rule):
    """(group, key) pairs that a rule's outcome depends on."""
    return {(g, k) for alternatives in (rule.alternatives, rule.conditions) for terms in alternatives for g, k, _, _ in terms}


# rules about files; those about what runs, and about what the generators do not write, are other tests'
mine = [r for r in rules if r.id not in w_.IMAGE_FILES and {g for g, _ in named(r)} <= {"kconfig", "cmdline", "sysctl", "modprobe", "image", "device"}]


def person(rule):
    """The test that is a person's: (group, key, test), or None."""
    return next(((g, k, test) for terms in rule.alternatives for g, k, test, _ in terms if test in ("review", "attested")), None)


def judged(rule, world):
    """What a person has judged who looked at this world; of a rule for nobody None."""
    if not person(rule):
        return None
    group, key, test = person(rule)
    return "-" if test == "attested" else w_.review_form(world.get(group, key))


def signed(rule, seen_value):
    return w_.reviewed(rule.id, seen_value) if seen_value is not None else ""


def means(pattern, key):
    if "{" in pattern:
        head, rest = pattern.split("{")
        names, tail = rest.split("}")
        return any(key == head + n + tail for n in names.split(","))
    if "*" in pattern:
        head, tail = pattern.split("*")
        return key.startswith(head) and key.endswith(tail) and len(key) > len(head + tail)
    return pattern == key


def depends(rule, group, key):
    if rule.key == "undeclared-sysctls" and group == "sysctl":
        return True
    return any(g == group and means(k, key) for g, k in named(rule))


CANDIDATES = ["n", "y", "m", "0", "1", "2", "-7", "61", "999999", "", "bad value", "ttyS0", "off", "none", None]


def expand(key):
    if "{" in key:
        head, rest = key.split("{")
        names, tail = rest.split("}")
        return [head + n + tail for n in names.split(",")]
    return [key.replace("*", "eth0")] if "*" in key else [key]


class View:
    """A world seen through one rule: a pattern stands for its first key."""

    def __init__(self, world):
        self.world = world

    def get(self, group, key):
        value = self.world.get(group, expand(key)[0])
        # what a kernel configuration or command line does not have is n or absent; a list that was looked for is empty
        return value


def wants(world, rule, seen_value=None):
    """The verdict an independent reader comes to; keys of sysctls that nobody dumped are unknown, and not asked here."""
    v = View(world)
    if w_.judge(rule.conditions, v) != w_.YES:
        return "SKIP"
    return {w_.YES: "PASS", w_.NO: "FAIL", w_.UNKNOWN: "INCOMPLETE"}[w_.judge(rule.alternatives, v, seen_value)]


def make_true(world, terms):
    for g, k, test, argument in terms:
        for key in expand(k):
            now = world.get(g, key)
            if test in ("review", "attested"):
                continue
            if w_.judge_one(test, argument, now, world) == w_.YES and not (test == "absent" and g == "sysctl"):
                continue
            value = {"y": "y", "n": "n", "m": "m", "absent": None, "present": "", "empty": [] if g == "image" else "", "nonempty": "something",
                     "not": "other"}.get(test, argument)
            if test == "max":
                value = argument.split(" ")[1]
            if test == "at-most" and g == "device":
                value = argument
            if test in ("only", "lacks"):
                value = None
            if test == "matches":
                value = argument.replace("*", "0")
            world.set(g, key, value)


def together(world, rule, group):
    """Alternatives of other keys are changed with the rule's own."""
    for terms in rule.alternatives[1:]:
        for g, k, test, _ in terms:
            if (g, k) != (group, rule.key) and w_.judge([terms], View(world)) == w_.YES:
                world.set(g, expand(k)[0], "y" if test == "n" else "n")


try:
    ideal = w_.ideal()
    for what in w_.KINDS:
        code, text = w_.generate(what, *w_.OPERANDS)
        tap.ok(code == 0, f"-g {what}: exit {code}")
    verdicts = ask(ideal, release(ideal)).result()
    bad = sorted(i for i, v in verdicts.items() if by_id.get(i) in mine and v not in ("PASS", "SKIP"))
    tap.ok(not bad, "what the generators write fails nowhere, once a person has signed what is his to judge", *[f"{i} {verdicts[i]}" for i in bad])
    tap.ok(not [i for i in verdicts if i.startswith("disagree.")], "and no sources disagree")

    # every generated line, changed alone
    missed, strays, jobs = [], [], []
    modular = copy.deepcopy(ideal)
    modular.kconfig["CONFIG_MODULES"] = "y"
    befores = {}
    for what in w_.KINDS:
        start = modular if what == "modprobe" else ideal
        found = w_.generated(what, w_.generate(what, *w_.OPERANDS, *(("CONFIG_MODULES=y",) if what == "modprobe" else ()))[1])
        for _, line in found if what == "modprobe" else []:
            modular.set(*w_.line_read(what, line))
        for rule_id, line in found:
            rule = by_id[rule_id]
            group, key, value = w_.line_read(what, line)
            base = copy.deepcopy(start)
            was = judged(rule, base)
            if wants(base, rule) == "SKIP":
                make_true(base, rule.conditions[0])
            for candidate in CANDIDATES:
                changed = copy.deepcopy(base)
                if candidate is None and group == "sysctl":
                    continue
                changed.set(group, key, candidate)
                together(changed, rule, group)
                probe = copy.deepcopy(changed)
                if "*" in rule.key or "{" in rule.key:
                    probe.set(group, expand(rule.key)[0], candidate)
                if candidate != value and wants(probe, rule, was) == "FAIL":
                    break
            else:
                missed.append(f"{rule_id}: no change makes it fail: {line}")
                continue
            kind = (what == "modprobe", base.kernel)
            if kind not in befores:
                befores[kind] = ask(base)
            touched = {(t, k) for t in ("kconfig", "cmdline", "sysctl", "modprobe", "image")
                       for k in set(changed.table(t)) | set(base.table(t)) if changed.get(t, k) != base.get(t, k)}
            jobs.append((rule_id, line, f"{key} = {candidate!r}", touched, befores[kind], ask(changed, signed(rule, was))))
    for rule_id, line, change, touched, before, after in jobs:
        before, after = before.result(), after.result()
        if after[rule_id] != "FAIL":
            missed.append(f"{rule_id}: {after[rule_id]} with {change}")
        for other, verdict in after.items():
            if verdict == "FAIL" and before.get(other) != "FAIL" and other != rule_id:
                r = by_id.get(other.removeprefix("disagree."))
                if not r or not any(depends(r, g, k) for g, k in touched):
                    strays.append(f"{rule_id}: {line}: also {other}")
    lines = len(jobs)
    tap.ok(not missed, f"{lines} generated lines, each changed alone: the rule of the line fails", *missed)
    tap.ok(not strays, "and no rule that does not depend on it", *strays)

    # every rule passes once and fails once
    passed, failed, wrong, jobs = set(), set(), [], []
    for rule in mine:
        base = copy.deepcopy(ideal)
        for terms in rule.conditions[:1]:
            make_true(base, terms)
        good = copy.deepcopy(base)
        make_true(good, rule.alternatives[0])
        was = judged(rule, good)
        worlds = [(good, was)]
        if person(rule):  # by nobody, and another value
            worlds += [(good, None), (good, "what no device has")]
        for candidate in CANDIDATES:
            if candidate is None and w_.group_of(rule.group, rule.key) in ("sysctl", "image"):
                continue
            broken = copy.deepcopy(base)
            group = w_.group_of(rule.group, rule.key)
            if rule.group == "image" and "fstab" not in rule.key:
                broken.image[rule.key] = {
                    "debug-tools": ["/usr/bin/gdb"], "package-managers": ["/usr/bin/apt"], "compilers": ["/usr/bin/gcc"],
                    "kernel-headers": ["/usr/include/stdio.h"], "ssh-host-keys": ["/etc/ssh/ssh_host_rsa_key"],
                    "private-keys": ["/root/.ssh/id_rsa"], "authorized-keys": ["/root/.ssh/authorized_keys"],
                    "getty": ["1:respawn:/sbin/getty"], "undeclared-sysctls": ["kernel.sysrq"]}.get(rule.key, ["intruder"])
            else:
                for key in expand(rule.key):
                    broken.set(group, key, [candidate] if rule.key == "console" and candidate else candidate)
            together(broken, rule, group)
            if wants(broken, rule, was) == "FAIL":
                worlds.append((broken, was))
                break
        # another line is no broken device, but where no device shows anything
        jobs += [(rule.id, by == was or person(rule)[2] == "attested", wants(world, rule, by), ask(world, signed(rule, by))) for world, by in worlds]
    for rule_id, counts, want, got in jobs:
        got = got.result().get(rule_id)
        if counts:
            (passed if got == "PASS" else failed if got == "FAIL" else set()).add(rule_id)
        if got != want:
            wrong.append(f"{rule_id}: {got}, an independent reader says {want}")
    tap.ok(not wrong, "verdicts are those of an independent reader", *wrong)
    tap.ok(len(passed) == len(mine), f"{len(passed)} of {len(mine)} rules were seen to pass", *[r.id for r in mine if r.id not in passed])
    tap.ok(len(failed) == len(mine), f"{len(failed)} of {len(mine)} rules were seen to fail", *[r.id for r in mine if r.id not in failed])
finally:
    pool.shutdown()
    while not audits.empty():
        audits.get().close()
tap.done()
