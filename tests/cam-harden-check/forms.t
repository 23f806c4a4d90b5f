#!/usr/bin/python3
"""The forms of a report, each by a reader that is not ours: json, jsonschema with a schema written from the standard, an XML
schema in xmllint, prove; and what must not come out of any of them. Where the files are there, also by the schemas that others
wrote: OASIS's of SARIF 2.1.0 in $SARIF_SCHEMA, Jenkins's of JUnit in $JUNIT_XSD."""
import copy
import json
import os
import re
import subprocess
import sys

import jsonschema

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world as w_

tap = w_.Tap()
audit = w_.Audit()
T = audit.folder
text = {"type": "string"}

OURS = {
    "type": "object", "additionalProperties": False, "required": ["device", "findings", "policy", "summary", "tool", "version"],
    "properties": {
        "tool": {"const": "cam-harden-check"}, "version": {"const": 1}, "nonce": text, "policy": {"type": "array", "items": text, "minItems": 1},
        "device": {"type": "object", "additionalProperties": False, "required": ["arch", "board", "kernel"], "properties": {"arch": text, "board": text, "kernel": text}},
        "summary": {"type": "object", "additionalProperties": False, "required": ["PASS", "FAIL", "SKIP", "WAIVED", "INCOMPLETE", "score", "score_all"],
                    "properties": {k: {"type": "integer", "minimum": 0} for k in ("PASS", "FAIL", "SKIP", "WAIVED", "INCOMPLETE", "score", "score_all")}},
        "findings": {"type": "array", "items": {
            "type": "object", "additionalProperties": False,
            "required": ["id", "group", "key", "verdict", "severity", "expected", "seen", "where", "reason", "why", "fix", "breaks", "source"],
            "properties": {**{k: text for k in ("id", "group", "key", "expected", "seen", "where", "reason", "why", "fix", "breaks", "source")},
                           "verdict": {"enum": ["PASS", "FAIL", "SKIP", "WAIVED", "INCOMPLETE"]}, "severity": {"enum": ["info", "low", "medium", "high", "critical"]}}}}}}

# SARIF 2.1.0, sections 3.13 (log), 3.14 (run), 3.18 (tool), 3.19 (driver), 3.27 (result), 3.35 (suppression), 3.49 (rule)
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
SARIF = {
    "type": "object", "required": ["version", "runs"],
    "properties": {"version": {"const": "2.1.0"}, "$schema": {"type": "string", "format": "uri"}, "runs": {"type": "array", "minItems": 1, "items": {
        "type": "object", "required": ["tool", "results"],
        "properties": {
            "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {"type": "object", "required": ["name"], "properties": {
                "name": text, "rules": {"type": "array", "uniqueItems": True, "items": {
                    "type": "object", "required": ["id"], "properties": {"id": text, "shortDescription": MESSAGE, "help": MESSAGE, "properties": {"type": "object"}}}}}}}},
            "results": {"type": "array", "items": {
                "type": "object", "required": ["message"], "additionalProperties": False,
                "properties": {
                    "ruleId": text, "ruleIndex": {"type": "integer", "minimum": 0}, "message": MESSAGE,
                    "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
                    "level": {"enum": ["none", "note", "warning", "error"]},
                    "suppressions": {"type": "array", "items": {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["inSource", "external"]}, "justification": text}}}},
                # 3.27.10: with any kind but fail, level is none
                "if": {"properties": {"kind": {"not": {"const": "fail"}}}}, "then": {"properties": {"level": {"const": "none"}}}}}}}}}}

JUNIT = """<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
 <xs:complexType name="why" mixed="true"><xs:attribute name="message" use="required"/></xs:complexType>
 <xs:element name="testsuites"><xs:complexType><xs:sequence>
  <xs:element name="testsuite" maxOccurs="unbounded"><xs:complexType><xs:sequence>
   <xs:element name="testcase" maxOccurs="unbounded"><xs:complexType><xs:choice minOccurs="0">
    <xs:element name="failure" type="why"/><xs:element name="error" type="why"/><xs:element name="skipped" type="why"/>
    <xs:element name="system-out" type="xs:string"/>
   </xs:choice><xs:attribute name="classname" use="required"/><xs:attribute name="name" use="required"/><xs:attribute name="time" type="xs:decimal"/></xs:complexType></xs:element>
  </xs:sequence><xs:attribute name="name" use="required"/><xs:attribute name="tests" type="xs:nonNegativeInteger"/><xs:attribute name="failures" type="xs:nonNegativeInteger"/>
  <xs:attribute name="errors" type="xs:nonNegativeInteger"/><xs:attribute name="skipped" type="xs:nonNegativeInteger"/><xs:attribute name="time" type="xs:decimal"/></xs:complexType></xs:element>
 </xs:sequence><xs:attribute name="name"/></xs:complexType></xs:element>
</xs:schema>
"""


def valid(document, schema):
    try:
        jsonschema.validate(document, schema)
        return ""
    except jsonschema.ValidationError as e:
        return f"{e.message[:300]} at {list(e.absolute_path)}"


try:
    with open(f"{T}/policy", "w", encoding="utf-8") as f:
        f.write(open(w_.POLICY, encoding="utf-8").read())
        f.write("waive kconfig.modules | Zoë \"the\" <owner> | 2099-01-01 | a & b\nwaive sysctl.kernel.sysrq | x | 2020-01-01 | ended\n")
        f.write("x.review | kconfig | CONFIG_FILLER_1 | review | - | low | own | why | -\n")
        f.write("x.judged | kconfig | CONFIG_FILLER_2 | review | - | low | own | why | -\nreviewed x.judged | Zoë & <sons> | 2098-07-06 | y | looked\n")
        f.write("x.changed | kconfig | CONFIG_FILLER_3 | review | - | low | own | why | -\nreviewed x.changed | bob | 2098-07-06 | m | looked\n")
        f.write("x.late | kconfig | CONFIG_FILLER_4 | review | - | low | own | why | -\nreviewed x.late | bob | 2024-07-06 | y | looked\n")
        f.write("x.pipes | kconfig | CONFIG_PIPES | review | - | low | own | why | -\nx.vouched | kconfig | CONFIG_FILLER_5 | attested | - | low | own | why | -\n")
    world = w_.ideal()
    world.kconfig.update({f"CONFIG_MORE_{i}": "y" for i in range(2000)})  # a whole one, which nobody has to judge
    world.kconfig["CONFIG_MODULES"] = "y"
    world.kconfig["CONFIG_LSM"] = "<b>&\"quoted\"</b>"
    world.kconfig["CONFIG_PIPES"] = "a | b \\| c"
    world.cmdline["lockdown"] = "na\u00efve"
    world.sysctl.pop("kernel.dmesg_restrict")
    runs = {form: audit.run(world, policy=f"{T}/policy", form=form) for form in ("json", "tap", "sarif", "junit", "text")}
    tap.ok({r.returncode for r in runs.values()} == {1}, "the exit code does not depend on the form", {f: r.returncode for f, r in runs.items()}, runs["json"].stderr)
    report = json.loads(runs["json"].stdout)
    verdicts = {f["id"]: f["verdict"] for f in report["findings"]}
    tap.ok(set(verdicts.values()) == {"PASS", "FAIL", "SKIP", "WAIVED", "INCOMPLETE"}, "the report has every verdict", set(verdicts.values()))
    count = {v: list(verdicts.values()).count(v) for v in set(verdicts.values())}

    tap.ok(not (why := valid(report, OURS)), "json: by its schema", why)
    canonical = json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    tap.ok(runs["json"].stdout == canonical, "json: sorted, no blanks, as Python writes it")
    ids = [f["id"] for f in report["findings"]]
    tap.ok(ids == sorted(ids) and len(set(ids)) == len(ids), "json: findings by id, each once")
    tap.ok(audit.run(world, policy=f"{T}/policy").stdout == runs["json"].stdout, "json: the same bytes every time")
    tap.ok(all(report["summary"][v] == n for v, n in count.items()), "json: the summary counts")
    weight = {"info": 0, "low": 1, "medium": 2, "high": 4, "critical": 8}
    applies = [f for f in report["findings"] if f["verdict"] != "SKIP"]
    tap.ok(report["summary"]["score_all"] == sum(weight[f["severity"]] for f in applies) and
           report["summary"]["score"] == sum(weight[f["severity"]] for f in applies if f["verdict"] == "PASS"), "json: the score is what the manual says")

    sarif = json.loads(runs["sarif"].stdout)
    tap.ok(not (why := valid(sarif, SARIF)), "sarif: by a schema of the standard", why)
    if path := os.environ.get("SARIF_SCHEMA"):
        with open(path, encoding="utf-8") as f:
            tap.ok(not (why := valid(sarif, json.load(f))), "sarif: by the standard's own schema", why)
    run = sarif["runs"][0]
    tap.ok(all(run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"]), "sarif: results point at their rules")
    kinds = {"PASS": "pass", "FAIL": "fail", "SKIP": "notApplicable", "WAIVED": "fail", "INCOMPLETE": "open"}
    tap.ok({r["ruleId"]: r["kind"] for r in run["results"]} == {i: kinds[v] for i, v in verdicts.items()}, "sarif: the same verdicts")
    tap.ok([r["ruleId"] for r in run["results"] if "suppressions" in r] == [i for i in ids if verdicts[i] == "WAIVED"], "sarif: waivers are suppressions")

    for name, content in (("junit.xsd", JUNIT), ("junit.xml", runs["junit"].stdout)):
        with open(f"{T}/{name}", "w", encoding="utf-8") as f:
            f.write(content)
    r = subprocess.run(["xmllint", "--noout", "--schema", f"{T}/junit.xsd", f"{T}/junit.xml"], capture_output=True, text=True, check=False)
    tap.ok(r.returncode == 0, "junit: by its schema", r.stderr)
    if path := os.environ.get("JUNIT_XSD"):
        r = subprocess.run(["xmllint", "--noout", "--schema", path, f"{T}/junit.xml"], capture_output=True, text=True, check=False)
        tap.ok(r.returncode == 0, "junit: by another's schema", r.stderr)
    found = {m: len(re.findall(f"<{m} ", runs["junit"].stdout)) for m in ("failure", "error", "skipped", "testcase")}
    tap.ok(found == {"failure": count["FAIL"], "error": count["INCOMPLETE"], "skipped": count["SKIP"] + count["WAIVED"], "testcase": len(ids)}, "junit: the same counts", found, count)

    with open(f"{T}/tap.t", "w", encoding="utf-8") as f:
        f.write(runs["tap"].stdout)
    r = subprocess.run(["prove", "-e", "cat", f"{T}/tap.t"], capture_output=True, text=True, check=False)
    bad = count["FAIL"] + count["INCOMPLETE"]
    tap.ok(r.returncode != 0 and f"Failed {bad}/{len(ids)} subtests" in r.stdout + r.stderr, f"tap: prove counts {bad} of {len(ids)}", r.stdout, r.stderr)
    good = audit.run(w_.ideal(), form="tap")
    with open(f"{T}/tap.t", "w", encoding="utf-8") as f:
        f.write(good.stdout)
    tap.ok(subprocess.run(["prove", "-e", "cat", f"{T}/tap.t"], capture_output=True, check=False).returncode == (0 if good.returncode == 0 else 1), "tap: prove agrees with the exit code")

    # people
    out = runs["text"].stdout
    tap.ok("\033" not in out, "text: no colour in a pipe")
    missing = [f["id"] for f in report["findings"] if f["verdict"] == "FAIL" and f["fix"] and f["fix"] not in out]
    tap.ok(not missing, "text: each failure with the line that mends it", *missing)
    tap.ok(re.search(rf"^{count['PASS']} PASS, {count['FAIL']} FAIL", out, re.M), "text: a summary", out[-300:])
    for env, want in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
        r = subprocess.run(["script", "-qec", f"cam-harden-check -k {T}/config", "/dev/null"], capture_output=True, text=True, check=False,
                           env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **env})
        tap.ok(("\033[" in r.stdout) == want, f"text: on a terminal with {env}: {'colour' if want else 'none'}", r.stdout[:200])

    # nothing from the device moves a terminal or breaks out of a form
    for form, evil in ((f, e) for f in ("text", "json", "tap", "sarif", "junit", "release") for e in ("\033]0;pwned\007", "\u009b31m")):
        with open(f"{T}/esc", "w", encoding="utf-8") as f:
            f.write(f"lockdown={evil} panic=3\n")
        r = subprocess.run(["cam-harden-check", "-c", f"{T}/esc", "-o", form], capture_output=True, check=False)
        tap.ok(r.returncode in (1, 3) and b"\033" not in r.stdout and b"\x07" not in r.stdout and b"\xc2\x9b" not in r.stdout, f"{form}: no escape sequence of the device comes out")

    # what a person has judged, and what is left to judge
    judged = "judged by Zoë & <sons> until 2098-07-06: looked"
    out = audit.run(world, "-v", policy=f"{T}/policy", form="text").stdout
    tap.ok(f"PASS        x.judged  (low)\n            what    CONFIG_FILLER_2\n            seen    y\n" in out and f"            reason  {judged}\n" in out,
           "text: who judged it, and until when", out[-300:])
    reasons = {f["id"]: f["reason"] for f in report["findings"]}
    tap.ok(reasons["x.judged"] == judged, "json: who judged it, and until when", reasons["x.judged"])
    tap.ok([r["message"]["text"] for r in run["results"] if r["ruleId"] == "x.judged"][0].endswith(judged), "sarif: who judged it, and until when")
    tap.ok("<system-out>judged by Zo?? &amp; &lt;sons&gt; until 2098-07-06: looked</system-out>" in runs["junit"].stdout, "junit: who judged it, and until when")
    tap.ok(f"# PASS: CONFIG_FILLER_2: {judged}; seen y\n" in runs["tap"].stdout, "tap: who judged it, and until when")
    tap.ok(reasons["x.changed"] == "was m when bob judged it, is y", "another value: both are named", reasons["x.changed"])
    tap.ok(reasons["x.late"] == "what bob judged held until 2024-07-06: looked", "too long ago: who and when are named", reasons["x.late"])
    fixes = {f["id"]: f["fix"] for f in report["findings"]}
    tap.ok(fixes["x.review"] == "reviewed x.review | OWNER | UNTIL | y | REASON" and fixes["x.vouched"] == "reviewed x.vouched | OWNER | UNTIL | - | REASON" and fixes["x.judged"] == "",
           "the fix is the line of the policy", fixes["x.review"], fixes["x.vouched"])
    release = audit.run(world, policy=f"{T}/policy", form="release")
    lines = [l for l in release.stdout.splitlines() if l.startswith("# reviewed ")]
    tap.ok(release.returncode == 1 and lines == [f"# {fixes[f'x.{i}']}" for i in ("review", "changed", "late", "pipes", "vouched")] and
           all(l.startswith("#") or not l for l in release.stdout.splitlines()), "-o release: a line for each, and each a comment", release.stdout)

    def with_layer(text, code=(1,)):
        with open(f"{T}/release", "w", encoding="utf-8") as f:
            f.write(text)
        r = audit.run(world, "-p", f"{T}/release", policy=f"{T}/policy")
        tap.ok(r.returncode in code, f"a layer made from it: exit {r.returncode}", r.stderr)
        return {f["id"]: f["verdict"] for f in json.loads(r.stdout)["findings"]} if r.stdout else {}

    tap.ok(with_layer(release.stdout) == verdicts, "-o release: nothing passes until somebody signs")
    with_layer(release.stdout.replace("# reviewed", "reviewed"), (100,))
    signed = with_layer(re.sub(r"# (reviewed \S+) \| OWNER \| UNTIL (.*) REASON", r"\1 | bob | 2098-07-06 \2 seen", release.stdout))
    tap.ok({i: v for i, v in signed.items() if verdicts[i] != v} == {f"x.{i}": "PASS" for i in ("review", "changed", "late", "pipes", "vouched")},
           "-o release: signed, what it names passes, and nothing else", {i: v for i, v in signed.items() if verdicts[i] != v})

    # what changed
    with open(f"{T}/old.json", "w", encoding="utf-8") as f:
        f.write(runs["json"].stdout)
    same = audit.run(world, "-d", f"{T}/old.json", policy=f"{T}/policy")
    tap.ok(same.returncode == 0 and same.stdout == "", "-d: nothing changed", same.stdout, same.stderr)
    changed = copy.deepcopy(world)
    changed.sysctl["fs.suid_dumpable"] = "1"
    changed.sysctl["kernel.dmesg_restrict"] = "1"
    r = audit.run(changed, "-d", f"{T}/old.json")
    lines = r.stdout.splitlines()
    tap.ok(r.returncode == 1 and "~ sysctl.fs.suid-dumpable  verdict PASS -> FAIL" in lines and "~ sysctl.kernel.dmesg-restrict  verdict INCOMPLETE -> PASS" in lines and
           any(l.startswith("- x.review") for l in lines), "-d: what changed, and what is gone", r.stdout)
    for bad in ("", "{}", "[1]", '{"tool":"cam-harden-check","findings":3}', "x" * 100, runs["json"].stdout[:-40]):
        with open(f"{T}/bad.json", "w", encoding="utf-8") as f:
            f.write(bad)
        r = audit.run(world, "-d", f"{T}/bad.json")
        tap.ok(r.returncode == 100, f"-d: refused: {bad[:30]!r}", r.returncode, r.stderr)
finally:
    audit.close()
tap.done()
