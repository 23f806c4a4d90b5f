#!/usr/bin/python3
"""measured.py ROOT [BREAK...]: a TPM's registers, and the logs that lead to them, as firmware, U-Boot and IMA write them; or
not quite. By the specifications, and without a line of the program's."""
import hashlib
import os
import struct
import sys

root, breaks = sys.argv[1], sys.argv[2:]
registers = [bytes(32) for _ in range(24)]
logged = {}


def sha256(data):
    return hashlib.sha256(data).digest()


def extend(i, digest):
    registers[i] = sha256(registers[i] + digest)


def put(path, data):
    path = f"{root}/{path}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.write(data)


# the firmware's: a head in the old form, then events with a digest of each algorithm
algorithms = {0x04: hashlib.sha1, 0x0B: hashlib.sha256, 0x0C: hashlib.sha384}
if "sha1-only" in breaks:
    del algorithms[0x0B]
spec = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(algorithms))
spec += b"".join(struct.pack("<HH", a, h().digest_size) for a, h in algorithms.items()) + b"\0"
log = struct.pack("<II20sI", 0, 8 if "head" in breaks else 3, bytes(20), len(spec)) + spec


def event(i, kind, data, said=None):
    digests = b"".join(struct.pack("<H", a) + h(data).digest() for a, h in algorithms.items())
    said = data if said is None else said
    return struct.pack("<III", i, kind, len(algorithms)) + digests + struct.pack("<I", len(said)) + said


if "locality" in breaks:
    registers[0] = bytes(31) + b"\x03"
    log += event(0, 3, b"StartupLocality\0\x03")
for i in range(10):
    for what in (b"version", b"stage of %d" % i, b"")[: 2 + i % 2]:
        log += event(i, 8, what)
        extend(i, sha256(what))
log += event(4, 3, b"a remark that extends nothing")
if "changed-log" in breaks:
    log = log.replace(sha256(b"stage of 5"), sha256(b"another kernel"))
if "unlogged" in breaks:
    registers[9] = bytes(32)
    log = log[: log.index(struct.pack("<II", 9, 8))]
    extend(9, sha256(b"what nobody logged"))
if "one-more" in breaks:
    log += event(7, 8, b"what never was")
if "cut" in breaks:
    log = log[:-3]
if "register" in breaks:
    log += event(24, 8, b"x")
put("sys/kernel/security/tpm0/binary_bios_measurements", log)

# IMA's: register, SHA-1 of the data, template, data
entries = []


def measure(name, file, violation=False, i=10):
    fields = b"sha256:\0" + (bytes(32) if violation else sha256(file)), name + b"\0"
    data = b"".join(struct.pack("=I", len(f)) + f for f in fields)
    old = bytes(20) if violation else hashlib.sha1(data).digest()
    entries.append(struct.pack("=I20sI", i, old, 6) + b"ima-ng" + struct.pack("=I", len(data)) + data)
    extend(i, b"\xff" * 32 if violation else sha256(data))


measure(b"boot_aggregate", b"".join(registers[:10]))
measure(b"/init", b"init")
measure(b"/var/log", b"", violation=True)
measure(b"/bin/cam-seal", b"seal")
if "measured-elsewhere" in breaks:
    measure(b"/x", b"x", i=11)
if "ima-hidden" in breaks:
    entries.pop(1)
if "ima-cut" in breaks:
    entries[-1] = entries[-1][:-1]
if "ima-old" in breaks:
    entries.append(struct.pack("=I20sI", 10, bytes(20), 3) + b"ima" + struct.pack("=I", 21) + bytes(16) + struct.pack("=I", 1) + b"x")
before = registers[10]
if "ima-more" in breaks:  # the log was read after the register
    measure(b"/later", b"later")
    registers[10] = before
put("sys/kernel/security/ima/binary_runtime_measurements", b"".join(entries))
if "forged" in breaks:
    registers[3] = sha256(b"")
for i, value in enumerate(registers):
    put(f"sys/class/tpm/tpm0/pcr-sha256/{i}", value.hex().upper().encode() + b"\n")
