"""What the tests of the format share: running programs, making small videos, reading cam-open's findings."""
import re
import struct
import subprocess

UUID = bytes.fromhex("7f59691fc6664bfc8eb7fb5da91b74be")
FINDING = re.compile(r"(?:cam-open: )?([0-9]{10,}-[0-9]{10}-\d{8}T\d{6}Z-[0-9a-f]{16}|-): ([a-z][a-z ]+)(?:: .*)?$")
VERDICTS = {
    "gap",
    "reordered",
    "duplicate",
    "conflict",
    "cloned or restored card",
    "chain broken",
    "epoch lost",
    "truncated",
    "unproven tail",
    "damaged stretch",
    "bad signature",
    "stub",
    "unknown camera",
    "not for this key",
    "wrong commitment",
    "unknown version",
    "not a segment",
    "history starts here",
    "camera restarted",
    "input restarted",
    "recipients changed",
}


def run(folder, *argv, stdin=b"", code=0):
    done = subprocess.run(argv, cwd=folder, input=stdin, capture_output=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"{argv}: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def verdicts(stderr):
    """[(segment or "-", verdict)] in a reader's messages. Remarks, which are no verdicts, are left out."""
    found = []
    for line in stderr.splitlines():
        match = FINDING.match(line)
        if match and match[2] in VERDICTS:
            found.append((match[1], match[2]))
    return found


def video(frames, gop, qp, seed):
    """Annex B H.264 of 64x48 with access unit delimiters."""
    return run(
        ".",
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s=64x48:r=30,noise=alls=30:all_seed={seed}",
        "-frames:v",
        str(frames),
        "-c:v",
        "libx264",
        "-threads",
        "1",
        "-preset",
        "veryfast",
        "-x264-params",
        f"keyint={gop}:min-keyint={gop}:bframes=0:scenecut=0:aud=1:qp={qp}",
        "-f",
        "h264",
        "-",
    )


def with_messages(data, fps=30):
    """The same with cam-capture's SEI message of cam-segment(5) in each access unit."""
    starts = [m.start() for m in re.finditer(b"\0\0\0\1\x09", data)]
    out = []
    for i, (a, b) in enumerate(zip(starts, starts[1:] + [len(data)])):
        unit, t = data[a:b], i * 10**9 // fps
        at = next(m.start() for m in re.finditer(b"\0\0\1[\x25\x41\x45\x61\x65\x01]", unit))
        at -= unit[at - 1 : at] == b"\0"
        fields = struct.pack(">BBHqQIII", 1, 2, 65535, 1700000000 * 10**9 + t, 10**12 + t, i, 0, len(unit) - at)
        bits = int.from_bytes(fields, "big") << 3
        message = bytes(0x80 | bits >> 7 * (36 - n) & 0x7F for n in range(37))
        out += [unit[:at], b"\0\0\0\1\x06\x05\x35", UUID, message, b"\x80", unit[at:]]
    return b"".join(out)
