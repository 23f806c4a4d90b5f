#!/usr/bin/python3
"""Each leaf of the attack tree in cam-security(7) names the tests that defend it, or says why it is accepted; each test that
it names is run by `make check` and names the leaf in a line "defends: LEAF ..."; and no test names a leaf that does not name
it."""
import glob
import os
import re
import sys

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
os.chdir(top)
failures, done = 0, 0


def ok(good, name, why=()):
    global failures, done
    done += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {done} - {name}")
    for line in why:
        print(f"#   {line}")


def leaves(page):
    """name -> its text, of each leaf."""
    tree = page.split(".Sh ATTACK TREE", 1)[1].split("\n.Sh ", 1)[0]
    found, name = {}, None
    for line in tree.splitlines():
        m = re.fullmatch(r"\.It Li ([a-z]+\.[a-z-]+)", line)
        if m:
            name = m[1]
            ok(name not in found, f"{name}: stands there once")
            found[name] = ""
        elif line.startswith((".Ss", ".El")):
            name = None
        elif name:
            found[name] += line + "\n"
    return found


def judge(text):
    """(what is wrong with a leaf, the tests it names)."""
    wrong = []
    if not re.search(r"Likelihood (low|medium|high), impact (low|medium|high)\.", text):
        wrong.append("no likelihood and impact")
    accepted = re.search(r"^Accepted: (\S.{20,})", text, re.S | re.M)
    tests = re.findall(r"^\.Pa (tests/\S+)", text.split("\nTests:\n", 1)[1] if "\nTests:\n" in text else "", re.M)
    if bool(accepted) == bool(tests):
        wrong.append("neither defended nor accepted, or both")
    return wrong, tests


def is_run(path):
    """make check runs tests/FOLDER/*.t but those of the guest, and the C tests that the Makefile lists."""
    if path.endswith(".t"):
        return os.path.exists(path) and not path.startswith("tests/guest/")
    return os.path.exists(path) and re.search(r"\b" + re.escape(path[len("tests/"):-len(".c")]) + r"\b", units) is not None


makefile = open("Makefile").read().replace("\\\n", " ")
units = re.search(r"^UNITS = (.*)$", makefile, re.M)[1]
tree = leaves(open("man/cam-security.7").read())
named = {}
for path in sorted(glob.glob("tests/*/*.t") + glob.glob("tests/*/*.c")):
    if path != "tests/sandbox/threats.t":
        named[path] = set(re.findall(r"[a-z]+\.[a-z-]+", " ".join(re.findall(r"\bdefends: ([a-z. -]+)", open(path, errors="replace").read()))))

ok(len(tree) >= 40, f"the tree has {len(tree)} leaves")
for leaf, text in tree.items():
    wrong, tests = judge(text)
    for path in tests:
        if not is_run(path):
            wrong.append(f"{path}: not run by make check")
        elif leaf not in named[path]:
            wrong.append(f"{path}: does not say that it defends it")
    ok(not wrong, f"{leaf}: {'defended' if tests else 'accepted'}", wrong)
stray = [f"{path}: {leaf}" for path, all_named in named.items() for leaf in sorted(all_named)
         if path not in judge(tree.get(leaf, ""))[1]]
ok(not stray, "no test claims what the tree does not say", stray)

# the check itself: a leaf without either, and one without figures, are found
ok(judge("Nothing.\n")[0] == ["no likelihood and impact", "neither defended nor accepted, or both"], "a bare leaf would be found")
ok(judge("Likelihood low, impact low.\nAccepted: no.\n")[0] != [], "as would one that is accepted without a reason")
print(f"1..{done}")
sys.exit(failures != 0)
