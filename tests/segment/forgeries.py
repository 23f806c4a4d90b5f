"""Attacks by somebody with keys: another device, a co-recipient, the stolen device, the camera itself."""
import struct

import reader
import writer
from attacks import (
    BAD,
    BROKEN,
    CLONED,
    COMMITMENT,
    CONFLICT,
    DAMAGED,
    DUPLICATE,
    GAP,
    LOST,
    NOT,
    NOT_FOR_KEY,
    REORDERED,
    TAIL,
    TRUNCATED,
    UNKNOWN,
    VERSION,
    Case,
    f_bytes,
    joined,
)
from reader import CHECKPOINT, DATA, END, H, ctx
from writer import data_record, patched, signed, slot

LIE = b"\0\0\0\1\x65 this was never recorded"


def other_device(f, rng, keys, times):
    """Somebody with a device of his own claims to be ours."""
    ours = f.segments[0][0]
    for _ in range(times):
        epoch, number = rng.choice((1, 2, 3, 9)), rng.randrange(4)
        evil = writer.Stream(rng, keys["evil"], epoch)
        recipients = [keys["me"][0], keys["other"][0]]
        put = lambda records: joined(f.records) + b"".join(records)
        yield Case(
            "forge: honest about being another device", put(evil.segment(number, recipients, [[LIE]])), {UNKNOWN}, lost=set()
        )
        # claims our device key: with his own signature below the certificate, with our certificate, with ours and our stream key
        evil.identity = ours.device + evil.identity[32:]
        yield Case(
            "forge: our device key, his certificate", put(evil.segment(number, recipients, [[LIE]])), {BAD, NOT}, lost=set()
        )
        evil.certificate = ours.raw[104:168]
        yield Case(
            "forge: our device key and certificate", put(evil.segment(number, recipients, [[LIE]])), {BAD, NOT}, lost=set()
        )
        evil.identity = ours.raw[24:104]
        yield Case("forge: our keys, his signature", put(evil.segment(number, recipients, [[LIE]])), {BAD, NOT}, lost=set())
        evil.id = ours.stream
        yield Case(
            "forge: our keys and stream id, his signature",
            put(evil.segment(number + 7, recipients, [[LIE]])),
            {BAD, NOT},
            lost=set(),
        )
        # our header for his marks: content that only he signed
        k = rng.randrange(len(f.segments))
        s = f.segments[k]
        evil.id, evil.secret = s[0].stream, keys["evil"][1]
        last = s[-1].number
        mark = evil.mark(s[0].raw, s[-1].raw, last + 2, [data_record(bytes(32), s[0].stream, s[0].segment, last + 1, 3, LIE)])
        data = joined(r for t in f.segments[:k] + [s] for r in t) + mark + joined(r for t in f.segments[k + 1 :] for r in t)
        yield Case("forge: a mark of his in our segment", data, {BAD, NOT}, {BAD}, lost=set())


def recipients_changed(f, rng, keys, times):
    """Who may open is signed: slots left out, exchanged, filled with another's box."""
    for _ in range(times):
        k = rng.randrange(len(f.segments))
        h = f.segments[k][0]
        head, slots = h.raw[:304], [h.raw[304:392], h.raw[392:480]]
        fk = rng.randbytes(32)
        strange = f.segments[(k + 1) % len(f.segments)][0].raw
        variants = {
            "left out": slots[:1],
            "exchanged": slots[::-1],
            "his own": [slots[0], slot(h.stream, keys["evilme"][0], fk)],
            "added": slots + [slot(h.stream, keys["evilme"][0], fk)],
            "all his": [slot(h.stream, keys["me"][0], fk)] * 2,
            "box of another header": [slots[0], h.raw[392:400] + strange[400:480]],
        }
        for name, chosen in variants.items():
            raw = head[:170] + struct.pack("<H", len(chosen)) + head[172:] + b"".join(chosen) + bytes(64)
            raw = raw[:6] + struct.pack("<H", len(raw)) + raw[8:]
            for signature, new in (("old", raw[:-64] + h.raw[-64:]), ("his", signed(raw, keys["evil"][1]))):
                data = b"".join(new if r is h else r.raw for r in f.records)
                lost = {n for n, s in enumerate(f.stretches) if s.place == h.place()[:2]}
                yield Case(f"recipients {name}, {signature} signature", data, {BAD, NOT, GAP}, {BAD}, lost=lost)


def corecipient(f, rng, keys, times):
    """Somebody who may open, and so knows fk, writes content. He cannot sign."""
    for _ in range(times):
        i = rng.choice([i for i, r in enumerate(f.records) if r.type == DATA])
        r = f.records[i]
        head = reader.Reader([keys["other"]])
        head.header = next(s[0] for s in f.segments if s[0].place()[:2] == r.place()[:2])
        head.unseal()
        forged = data_record(head.data_key, r.stream, r.segment, r.number, rng.choice((0, 1, 2, 3, 16, 32)), LIE)
        records = [x.raw for x in f.records]
        yield Case(
            "co-recipient: record rewritten", b"".join(records[:i] + [forged] + records[i + 1 :]), {DAMAGED}, lost=f.costs(i)
        )
        yield Case(
            "co-recipient: record before the true one",
            b"".join(records[:i] + [forged] + records[i:]),
            {DAMAGED, DUPLICATE},
            {DAMAGED},
            lost=f.costs(i),
        )
        yield Case(
            "co-recipient: record behind the true one",
            b"".join(records[: i + 1] + [forged] + records[i + 1 :]),
            {DUPLICATE},
            lost=set(),
        )
        # the stretch rewritten with its mark: signed by a key of his, or with the true signature
        j = next(n for n in range(i, len(records)) if f.records[n].type != DATA)
        m = f.records[j]
        begun = j - (m.number - m.first)
        data = records[begun:i] + [forged] + records[i + 1 : j]
        mark = patched(m.raw, 128, H(*data))
        for name, new in (("his signature", signed(mark, keys["evil"][1])), ("the true signature", mark)):
            allowed = {BAD, NOT, DAMAGED} | ({TRUNCATED, GAP} if m.type == END else set())
            yield Case(
                f"co-recipient: stretch rewritten, {name}",
                b"".join(records[:begun] + data + [new] + records[j + 1 :]),
                allowed,
                {BAD},
                lost=f.costs(i),
            )
        # a tail of his own: it comes out, but is called unproven, and not with -p
        key, at = head.data_key, m.number + 1
        tail = b"".join(data_record(key, r.stream, r.segment, at + n, 3, LIE) for n in range(3))
        if m.type == CHECKPOINT:
            kept = b"".join(s.bytes for n, s in enumerate(f.stretches) if n <= f.of[j])
            yield Case("co-recipient: tail", b"".join(records[: j + 1]) + tail, {TRUNCATED, TAIL}, {TAIL}, exact=kept + LIE * 3)
            yield Case(
                "co-recipient: tail, with -p",
                b"".join(records[: j + 1]) + tail,
                {TRUNCATED, TAIL},
                {TAIL},
                exact=kept,
                args=["-p"],
            )
        else:
            yield Case(
                "co-recipient: behind the end",
                b"".join(records[: j + 1]) + tail + b"".join(records[j + 1 :]),
                {DUPLICATE},
                lost=set(),
            )


def stolen_device(f, rng, keys, times):
    """The camera's identity key, taken later: a new stream can be certified, the old one not continued."""
    for _ in range(times):
        k = rng.randrange(len(f.segments))
        old = f.segments[k][0]
        thief = writer.Stream(rng, keys["door"], old.epoch)
        thief.previous = old.raw[208:272]
        fake = b"".join(thief.segment(old.segment, [keys["me"][0], keys["other"][0]], [[LIE]]))
        rest = joined(r for s in f.segments[k + 1 :] for r in s)
        first = joined(r for s in f.segments[:k] for r in s)
        theirs = [f_bytes(f, i) for i in range(len(f.segments))]
        # his own stream says so: two streams of one epoch, and the one that follows does not link to him
        here = {CLONED, GAP, REORDERED, BROKEN}
        yield Case("stolen key: segment added", joined(f.records) + fake, {CLONED}, exact=b"".join(theirs) + LIE)
        alone = k == 0 and len(f.segments) == 1
        data = first + fake + rest
        hidden = not rest and (k == 0 or f.segments[k - 1][0].epoch != old.epoch)
        if not alone and not hidden:
            yield Case("stolen key: segment replaced", data, here, exact=b"".join(theirs[:k]) + LIE + b"".join(theirs[k + 1 :]))
        # the old stream, with the identity key in place of the stream key
        thief.public, thief.id = old.stream_key, old.stream
        thief.identity, thief.secret = old.raw[24:104], keys["door"][1]
        thief.certificate = writer.sign(keys["door"][1], ctx("stream") + thief.identity)
        fake = b"".join(thief.segment(old.segment, [keys["me"][0]], [[LIE]]))
        yield Case(
            "stolen key: old stream rewritten",
            first + fake + rest,
            {BAD, NOT, GAP},
            {BAD},
            exact=b"".join(theirs[:k] + theirs[k + 1 :]),
        )


def malicious_camera(f, rng, keys, times):
    """Everything is signed as it should be, by a camera that lies about the format."""
    me, other = keys["me"][0], keys["other"][0]

    def stream(**more):
        return writer.Stream(rng, keys["door"], rng.randrange(3, 9), **more)

    def one(name, segment, allowed, exact=b"", must=None, args=None):
        return Case(f"malicious camera: {name}", b"".join(segment), allowed, must, exact=exact, args=args)

    units = [[b"one", b"two"], [b"three"], [b"four", b"five"]]
    true = b"onetwothreefourfive"
    for _ in range(times):
        a, b = rng.randbytes(32), rng.randbytes(32)
        s = stream()
        both = [slot(s.id, me, a), slot(s.id, other, b)]
        segment = s.segment(0, [], units, fk=a, slots=both)
        yield Case("malicious camera: two keys, the true one is mine", b"".join(segment), harmless=True, exact=true)
        yield one("two keys, the true one is mine", segment, {COMMITMENT}, args=["-k", "other.key"])
        yield one("two keys, the true one is not mine", s.segment(1, [], units, fk=b, slots=both), {COMMITMENT})
        yield one("commitment of neither", s.segment(2, [me], units, commit=rng.randbytes(32)), {COMMITMENT})
        old = s.segment(3, [me], units, fk=a)
        lifted = s.segment(4, [], units, fk=b, slots=[old[0][304:392]])
        yield one("box of an older header", lifted, {COMMITMENT})
        elsewhere = slot(f.records[0].stream, me, a)
        yield one("slot of another stream", s.segment(5, [], units, fk=a, slots=[elsewhere]), {NOT_FOR_KEY})
        yield one("box of junk", s.segment(6, [], units, fk=a, slots=[elsewhere[:8] + rng.randbytes(80)]), {NOT_FOR_KEY})
        liar = stream()
        liar.id = rng.choice((f.records[0].stream, rng.randbytes(8)))
        yield one("a stream id that is not its key's", liar.segment(50, [me], units), {BAD, NOT}, must={BAD})
        segment = s.segment(7, [me], units)
        for at, size, value in (
            (99, 5, None),
            (172, 4, None),
            (209, 7, None),
            (98, 1, 0),
            (98, 1, 4),
            (98, 1, 255),
            (168, 1, 3),
            (169, 1, 4),
            (169, 1, 128),
            (170, 2, 0),
            (170, 2, 33),
            (208, 1, 3),
            (4, 1, 2),
            (4, 1, 255),
            (20, 4, 1),
        ):
            new = bytes([value] + [0] * (size - 1)) if value is not None else bit_set(rng, size)
            liar = stream()
            header = liar.segment(0, [me], units)[0]
            header = patched(header, at, new)
            if 24 <= at < 104:
                header = patched(header, 104, writer.sign(keys["door"][1], ctx("stream") + header[24:104]))
            header = signed(header, liar.secret)
            key = H(ctx("data"), H(header), key=a)
            data = [data_record(key, liar.id, 0, 1, 3, b"x")]
            segment = [header] + data + [liar.mark(header, header, 2, data, END)]
            yield one(f"header with {at} = {new.hex()}", segment, {VERSION if at == 4 else NOT})
        for at, new in (
            (28, b"\3"),
            (30, b"\1"),
            (31, b"\x80"),
            (4, b"\2"),
            (24, bytes(4)),
            (24, b"\xff" * 4),
            (5, b"\5"),
            (5, b"\0"),
            (20, bytes(4)),
        ):
            segment = s.segment(rng.randrange(8, 99), [me], units)
            raw = patched(segment[5], at, new)
            segment[5] = signed(raw, s.secret) if raw[5] in reader.CONTEXT else raw
            yield one(
                f"mark with {at} = {new.hex()}", segment, {NOT if at != 4 else VERSION, DAMAGED}, true.replace(b"three", b"")
            )
        segment = s.segment(100, [me], units)
        strange = s.segment(101, [me], units)
        for name, at, new, verdict in (
            ("header hash", 64, H(strange[0]), CONFLICT),
            ("before hash", 96, rng.randbytes(32), CONFLICT),
            ("stretch hash", 128, rng.randbytes(32), DAMAGED),
        ):
            lied = list(segment)
            lied[5] = signed(patched(segment[5], at, new), s.secret)
            lied[8] = s.mark(segment[0], lied[5], 8, segment[6:8], END)
            yield one(f"mark with another {name}", lied, {verdict, DAMAGED}, true.replace(b"three", b""), {verdict})
        for flags in (64, 128, 67):
            key = H(ctx("data"), H(segment[0]), key=a)
            segment = s.segment(102 + flags, [me], units, fk=a)
            key = H(ctx("data"), H(segment[0]), key=a)
            data = [data_record(key, s.id, 102 + flags, 4, flags, b"three")]
            mark = s.mark(segment[0], segment[3], 5, data)
            end = s.mark(segment[0], mark, 8, segment[6:8], END)
            yield one(
                "data with unknown flags",
                segment[:4] + data + [mark] + segment[6:8] + [end],
                {DAMAGED},
                true.replace(b"three", b""),
            )
        segment = s.segment(400, [me], units)
        data = [segment[4][:-1] + bytes([segment[4][-1] ^ 1])]
        mark = s.mark(segment[0], segment[3], 5, data)
        end = s.mark(segment[0], mark, 8, segment[6:8], END)
        yield one(
            "data that does not decrypt",
            segment[:4] + data + [mark] + segment[6:8] + [end],
            {DAMAGED},
            true.replace(b"three", b""),
        )
        # two truths for one place
        s = stream()
        first, second = s.segment(0, [me], units, link=False), s.segment(0, [me], [[LIE]], link=False)
        yield one("two headers at one place", first + second, {CONFLICT}, true)
        mark = signed(patched(first[5], 48, b"\7"), s.secret)
        yield one("two marks at one place", first[:6] + [mark] + first[6:], {CONFLICT, DUPLICATE}, true, {CONFLICT})
        clone = writer.Stream(rng, keys["door"], s.epoch)
        yield one("one epoch, two streams", first + clone.segment(0, [me], [[b"six"]]), {CLONED}, true + b"six")
        again = stream()
        again.epoch = s.epoch + 1
        again = writer.Stream(rng, keys["door"], s.epoch + 1)
        yield one("claims to be the first", first + again.segment(0, [me], [[b"six"]]), {BROKEN}, true + b"six")
        again = writer.Stream(rng, keys["door"], s.epoch + 1)
        yield one("epoch lost", first + again.segment(0, [me], [[b"six"]], flags=1), {LOST, BROKEN}, true + b"six", {LOST})
        again.previous = b"\1" + bytes(7) + struct.pack("<Q8sII32s", 1, rng.randbytes(8), 0, 8, rng.randbytes(32))
        yield one("follows what never was", first + again.segment(1, [me], [[b"six"]]), {GAP}, true + b"six")
        follower = writer.Stream(rng, keys["door"], s.epoch + 1)
        follower.link(s.epoch, reader.Record(first[-1], 0))
        true_link = follower.previous
        follower.previous = true_link[:32] + rng.randbytes(32)
        six = follower.segment(0, [me], [[b"six"]], link=False)
        yield one("follows another mark at that place", first + six, {GAP}, true + b"six")
        follower.previous = b"\2" + true_link[1:]
        six = follower.segment(0, [me], [[b"six"]], link=False)
        yield one("follows an end, but says a cut", first + six, {GAP}, true + b"six")
        follower.previous = true_link
        data = b"".join(first + follower.segment(0, [me], [[b"six"]]))
        yield Case("malicious camera: a link that is true", data, harmless=True, exact=true + b"six")
        other_channel = writer.Stream(rng, keys["door"], s.epoch, channel=rng.randrange(1, 9))
        data = b"".join(first + other_channel.segment(0, [me], [[b"six"]]))
        yield Case("malicious camera: another channel has a chain of its own", data, harmless=True, exact=true + b"six")
        report = writer.Stream(rng, keys["door"], s.epoch, channel=1, kind=3)
        data = b"".join(first + report.segment(0, [me], [[LIE]]))
        yield Case("malicious camera: reports do not mix into video", data, harmless=True, exact=true)


def bit_set(rng, size):
    return (1 << rng.randrange(8 * size)).to_bytes(size, "little")


def restored(f, first, second, clone):
    """The epoch file put back, and what the camera recorded after that beside what it had recorded before."""
    a, b, c = (joined(x.records) for x in (first, second, clone))
    x, y, z = (b"".join(s.bytes for s in x.stretches) for x in (first, second, clone))
    for name, data, exact in (
        ("then cloned", a + b + c, x + y + z),
        ("cloned first", a + c + b, x + z + y),
        ("clones alone", b + c, y + z),
    ):
        yield Case(f"restored epoch file: {name}", data, {CLONED}, exact=exact)
    yield Case("restored epoch file: the other stream is not there", a + c, harmless=True, exact=x + z)
    for k in range(1, len(second.segments)):
        mixed = joined(r for s in second.segments[:k] + clone.segments for r in s)
        yield Case("restored epoch file: from a segment on", a + mixed, {CLONED, GAP, REORDERED}, {CLONED})
        mixed = joined(r for s in clone.segments[:k] + second.segments[k:] for r in s)
        yield Case("restored epoch file: from a segment on", a + mixed, {CLONED, GAP, REORDERED}, {CLONED})
