#!/usr/bin/python3
"""A report that a verifier asked for: with its nonce, signed by a TPM (swtpm) whose quote tpm2_checkquote believes, sealed by
cam-seal, opened by its owner; and what is said without a TPM."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world as w_

tap = w_.Tap()
T = tempfile.mkdtemp()
NONCE = "f00dcafe-0123456789"
tpm = None


def run(*command, env=None, **more):
    return subprocess.run(command, capture_output=True, check=False, cwd=T, env=env, **more)


try:
    plain = {k: v for k, v in os.environ.items() if k != "TPM2TOOLS_TCTI"}
    if not os.path.exists("/dev/tpmrm0"):
        r = run("cam-harden-check", "-S", NONCE, env=plain)
        report = json.loads(r.stdout)
        tap.ok(r.returncode in (1, 3) and report["quote"]["why_not"] == "no TPM: /dev/tpmrm0 is not there" and "message" not in report["quote"], "without a TPM it says so", r.stderr)
        tap.ok(report["report"]["nonce"] == NONCE, "and has the nonce")
    for bad in ("short", "x" * 129, 'a"bcdefghij', "a b c d e f g"):
        tap.ok(run("cam-harden-check", "-S", bad, env=plain).returncode == 100, f"refused: a nonce like {bad[:20]!r}")
    for bad in (("-S", NONCE, "-o", "text"), ("-S", NONCE, "-k", "/dev/null"), ("-K", "0x81010001")):
        tap.ok(run("cam-harden-check", *bad, env=plain).returncode == 100, f"refused: {bad[-2:]}")

    if not shutil.which("swtpm") or not shutil.which("tpm2_quote"):
        print("# no swtpm or tpm2-tools here: quotes were not tried")
        tap.done()
    tpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={T}", "--server", f"type=unixio,path={T}/tpm", "--ctrl", f"type=unixio,path={T}/tpm.ctrl",
                            "--flags", "not-need-init,startup-clear"], stderr=subprocess.DEVNULL)
    env = {**plain, "TPM2TOOLS_TCTI": f"swtpm:path={T}/tpm"}
    for _ in range(600):
        if run("tpm2_getcap", "properties-fixed", env=env).returncode == 0:
            break
        time.sleep(0.1)
    for command in (("tpm2_createek", "-c", "ek.ctx", "-G", "ecc", "-u", "ek.pub"),
                    ("tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", "ecc", "-g", "sha256", "-s", "ecdsa", "-u", "ak.pem", "-f", "pem", "-n", "ak.name"),
                    ("tpm2_flushcontext", "-t"), ("tpm2_evictcontrol", "-C", "o", "-c", "ak.ctx", "0x81010001"), ("tpm2_flushcontext", "-t")):
        r = run(*command, env=env)
        if r.returncode:
            print("#", *command, r.stderr.decode())
    r = run("cam-harden-check", "-S", NONCE, env=env)
    tap.ok(r.returncode in (1, 3), f"a report with a quote: exit {r.returncode}", r.stderr.decode())
    attested = json.loads(r.stdout)
    quote = attested["quote"]
    tap.ok("message" in quote, "the TPM signed it", quote)
    with open(f"{T}/message", "wb") as f:
        f.write(bytes.fromhex(quote["message"]))
    with open(f"{T}/signature", "wb") as f:
        f.write(bytes.fromhex(quote["signature"]))
    text = r.stdout[r.stdout.index(b'"report":') + 9:-2]
    digest = hashlib.sha256(text).hexdigest()
    tap.ok(digest == quote["qualifying"], "the hash is of the report's bytes as they stand")
    canonical = json.dumps(attested["report"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    tap.ok(canonical == text, "which are canonical")

    def believed(data):
        return run("tpm2_checkquote", "-u", "ak.pem", "-m", "message", "-s", "signature", "-g", "sha256", "-q", data, env=plain).returncode == 0

    tap.ok(believed(digest), "tpm2_checkquote believes it")
    forged = text.replace(b'"FAIL"', b'"PASS"', 1)
    tap.ok(forged != text and not believed(hashlib.sha256(forged).hexdigest()), "but not of a report in which a failure was made a pass")
    old = text.replace(NONCE.encode(), b"f00dcafe-9876543210")
    tap.ok(old != text and not believed(hashlib.sha256(old).hexdigest()), "nor of one with another nonce")
    r2 = json.loads(run("cam-harden-check", "-S", NONCE, "-K", "0x8101ffff", env=env).stdout)
    tap.ok("why_not" in r2["quote"], "a key that is not there: no quote, and it says so", r2["quote"])

    # on its way to the owner
    run("cam-key", "-g", "-n", "me")
    run("cam-key", "-g", "-s", "door")
    sealed = run("cam-seal", "-R", "-i", "door.key", "-r", "me.pub", input=r.stdout, env=plain)
    opened = run("cam-open", "-R", "-k", "me.key", "-s", "door.pub", input=sealed.stdout, env=plain)
    tap.ok(opened.stdout == r.stdout and opened.returncode == 0, "cam-seal -R and cam-open -R give it back byte for byte", sealed.stderr, opened.stderr)
    with open(f"{T}/old.json", "wb") as f:
        f.write(r.stdout)
    d = run("cam-harden-check", "-d", "old.json", env=plain)
    tap.ok(d.returncode in (0, 1), "-d takes an attested report", d.stderr)
finally:
    if tpm:
        tpm.send_signal(signal.SIGTERM)
        tpm.wait()
    shutil.rmtree(T)
tap.done()
