#!/usr/bin/python3
"""H.264 byte streams for the tests of cam-seal, from one with access unit delimiters on stdin.

    stream.py sei [-f FIRST] [-n COUNT] [-d DROPPED] [-u UTC]    puts cam-capture's message (lib/sei.h) into each access unit, 30 a second
    stream.py drip FPS                                    an access unit at a time, in real time
    stream.py pieces BYTES MS                             pieces of that size with pauses of that length
    stream.py once                                        parameter sets in the first access unit only
    stream.py short                                       three-byte start codes
    stream.py endless MIB                                 its non-IDR access units again and again
    stream.py cut UNIT BYTES                              ends so many bytes into that access unit
"""
import re, struct, sys, time

UUID = bytes.fromhex("7f59691fc6664bfc8eb7fb5da91b74be")
out = sys.stdout.buffer
START = re.compile(b"\0\0\1")


def nals(data):
    """(offset of the start code with its leading zero, offset of the header byte)"""
    return [(m.start() - (m.start() > 0 and data[m.start() - 1] == 0), m.end()) for m in START.finditer(data)]


def units(data):
    starts = [a for a, b in nals(data) if data[b] & 31 == 9]
    return [data[a:b] for a, b in zip(starts, starts[1:] + [len(data)])]


def is_idr(unit):
    return any(unit[b] & 31 == 5 for _, b in nals(unit))


def message(frame, dropped, rest, utc, boot):
    bits = struct.pack(">BBHqQIII", 1, 2, 0xffff, utc, boot, frame, dropped, rest)
    number = int.from_bytes(bits, "big") << 3  # 256 bits in 37 groups of 7
    coded = bytes(0x80 | number >> 7 * (36 - i) & 0x7f for i in range(37))
    return b"\0\0\0\1\x06\x05\x35" + UUID + coded + b"\x80"


def with_sei(unit, frame, dropped, utc, boot):
    at = next(a for a, b in nals(unit) if unit[b] & 31 in (1, 5))
    return unit[:at] + message(frame, dropped, len(unit) - at, utc, boot) + unit[at:]


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


data = sys.stdin.buffer.read()
what = sys.argv[1]
if what == "sei":
    first, utc, boot = option("-f", 0), option("-u", 1700000000) * 10**9, time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    for i, unit in enumerate(units(data)[:option("-n", 10**9)]):
        t = i * 10**9 // 30
        out.write(with_sei(unit, first + i, option("-d", 0) * i, utc + t, boot + t))
elif what == "drip":
    begun = time.monotonic()
    for i, unit in enumerate(units(data)):
        out.write(unit)
        out.flush()
        time.sleep(max(0, begun + (i + 1) / float(sys.argv[2]) - time.monotonic()))
elif what == "pieces":
    size = int(sys.argv[2])
    for i in range(0, len(data), size):
        out.write(data[i:i + size])
        out.flush()
        time.sleep(int(sys.argv[3]) / 1000)
elif what == "once":
    every = units(data)
    out.write(every[0])
    for unit in every[1:]:
        marks = nals(unit) + [(len(unit), 0)]
        out.write(b"".join(unit[a:c] for (a, b), (c, _) in zip(marks, marks[1:]) if unit[b] & 31 not in (7, 8)))
elif what == "short":
    out.write(re.sub(b"\0\0\0\1", b"\0\0\1", data))
elif what == "endless":
    every = units(data)
    again = b"".join(u for u in every if not is_idr(u))
    out.write(every[0])
    for _ in range(int(sys.argv[2]) * 2**20 // len(again)):
        out.write(again)
elif what == "cut":
    every, n = units(data), int(sys.argv[2])
    out.write(b"".join(every[:n]) + every[n][:int(sys.argv[3])])
