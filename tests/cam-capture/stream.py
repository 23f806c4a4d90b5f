#!/usr/bin/python3
"""Takes an H.264 Annex B stream from stdin apart, by ITU-T H.264 and the layout of the SEI message as written in lib/sei.h,
sharing no code with cam-capture. Prints a line for each access unit:

    INDEX I|P FRAME DROPPED UTC_NS BOOT_NS CLOCK_STATE MOTION NAL_TYPES

and ends with exit code 1 and a reason when the stream is not one that cam-capture promises: each access unit begins with a
delimiter, an IDR picture has its SPS and PPS before it, one SEI message of ours stands before every slice and any other SEI
message, and its rest is exactly as long as it says. With -t the last access unit may be torn."""

import re
import sys

UUID = bytes.fromhex("7f59691fc6664bfc8eb7fb5da91b74be")
torn_allowed = sys.argv[1:] == ["-t"]


def bad(index, why):
    sys.stdout.flush()
    sys.exit(f"access unit {index}: {why}")


def fields(nal):
    """The fields of our message, from the whole NAL unit without its start code; None when it is another one."""
    if len(nal) != 1 + 2 + 16 + 37 + 1 or nal[:3] != bytes([6, 5, 53]) or nal[3:19] != UUID or nal[-1] != 0x80:
        return None
    bits = "".join(f"{b & 127:07b}" for b in nal[19:56])
    out, at = [], 0
    for width in (8, 8, 16, 64, 64, 32, 32, 32):
        out.append(int(bits[at:at + width], 2))
        at += width
    return out


data = sys.stdin.buffer.read()
# (begin with start code, begin of the NAL unit); the zero byte before 00 00 01 belongs to the start code
starts = [(m.start(), m.end()) for m in re.finditer(rb"\x00?\x00\x00\x01", data)]
if starts and starts[0][0] != 0:
    bad(0, "bytes before the first start code")
nals = []
for i, (begin, body) in enumerate(starts):
    end = starts[i + 1][0] if i + 1 < len(starts) else len(data)
    nals.append((begin, body, end))
units = []
for nal in nals:
    if data[nal[1]] & 31 == 9:
        units.append([])
    if not units:
        bad(0, "no delimiter at the start")
    units[-1].append(nal)
for index, unit in enumerate(units):
    last = torn_allowed and index == len(units) - 1
    types = [data[body] & 31 for _, body, _ in unit]
    slices = [i for i, t in enumerate(types) if 1 <= t <= 5]
    ours = [i for i, (_, b, e) in enumerate(unit) if fields(data[b:e])]
    if last and not (slices and ours):
        break
    if not slices:
        bad(index, "no slice")
    if len(ours) != 1:
        bad(index, f"{len(ours)} SEI messages of ours")
    idr = types[slices[0]] == 5
    before = [9, 7, 8] if idr else [9]
    if types[:ours[0]] != before:
        bad(index, f"NAL units {types}: not {before} before our SEI message")
    _, b, e = unit[ours[0]]
    version, state, motion, utc, boot, frame, dropped, rest = fields(data[b:e])
    if version != 1:
        bad(index, f"version {version}")
    if unit[-1][2] - e != rest:
        if last:
            break
        bad(index, f"the rest has {unit[-1][2] - e} bytes, says {rest}")
    print(index, "I" if idr else "P", frame, dropped, utc, boot, state, motion, ",".join(map(str, types)))
