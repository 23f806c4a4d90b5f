"""Reads what cam-capture writes, from the description of its SEI message in cam-segment(5)."""
import collections
import uuid

UUID = uuid.UUID("7f59691f-c666-4bfc-8eb7-fb5da91b74be").bytes
Unit = collections.namedtuple("Unit", "frame dropped boot_ns whole")


def units(stream):
    """The access units with a message, in order; whole: as many bytes follow as the message says, up to the
    next delimiter or the end."""
    found, at = [], 0
    while True:
        at = stream.find(UUID, at)
        if at < 0:
            return found
        coded = stream[at + 16:at + 53]
        if len(coded) < 37:
            return found
        bits = 0
        for byte in coded:
            bits = bits << 7 | byte & 0x7F
        bits >>= 37 * 7 - 256
        fields = bits.to_bytes(32, "big")
        rest = int.from_bytes(fields[28:32], "big")
        end = at + 16 + 37 + 1 + rest
        whole = end == len(stream) or stream[end:end + 5] == b"\0\0\0\1\x09"
        found.append(Unit(int.from_bytes(fields[20:24], "big"), int.from_bytes(fields[24:28], "big"), int.from_bytes(fields[12:20], "big"), whole))
        at += 53
