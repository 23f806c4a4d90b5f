"""Input made to cost time or memory, for attack.t."""
import os

from writer import prefix

MIB = 1 << 20


def repeated(path, head, piece, size):
    block = piece * max(1, MIB // len(piece))
    with open(path, "wb") as f:
        f.write(head)
        for _ in range(size // len(block)):
            f.write(block)


def costs(T, cam_open, base):
    """Yields (what, good, why) for each kind of input: memory suffices (cam_open limits it), and CPU time
    grows no faster than the length does."""
    h = base.segments[0][0]
    stream, raw = h.stream, h.raw
    bad = raw[:-1] + bytes([raw[-1] ^ 1])
    data = prefix(2, 4096, stream, 0, 1)
    mark = base.segments[0][-1].raw
    kinds = [
        ("sync words", b"", b"\xc5CAM", 64),
        ("first bytes of sync", b"", b"\xc5", 64),
        ("prefixes of long records", b"", data, 64),
        ("prefixes in an open segment", raw, data, 64),
        ("long records of an open segment", raw, data + bytes(4072), 64),
        ("headers again", b"", raw, 16),
        ("headers with a bad signature", b"", bad, 16),
        ("marks with a bad signature", raw, mark[:-1] + bytes([mark[-1] ^ 1]), 8),
        ("a mark again", raw, mark, 8),
        ("zeros", b"", bytes(64), 64),
    ]
    for name, head, piece, mib in kinds:
        used = []
        # the short one before and after: a machine that gets faster or slower meanwhile is not what is looked for
        for size in (mib * MIB // 4, mib * MIB, mib * MIB // 4):
            path = f"{T}/hostile"
            repeated(path, head, piece, size)
            code, out, err, cpu_s = cam_open(T, path, ["-k", "me.key", "-s", "door.pub"])
            used.append((code, cpu_s, len(out), len(err)))
            os.unlink(path)
        code, large_s, n, words = used[1]
        small_s = max(used[0][1], used[2][1])
        good = code == 1 and n == 0 and large_s <= 8 * small_s + 0.2
        why = [f"exit {code}, {n} bytes, {words} bytes of messages, {small_s:.2f} s then {large_s:.2f} s"]
        yield f"{mib} MiB of {name}: {large_s:.2f} s, {words >> 10} KiB of messages", good, why
