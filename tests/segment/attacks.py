"""Attacks on recorded footage, for attack.t. Each generator yields Cases: bytes for cam-open, and what it may do."""
import itertools

import reader
from reader import CHECKPOINT, DATA, END, HEADER

DAMAGED, BAD, NOT, VERSION, GAP = "damaged stretch", "bad signature", "not a segment", "unknown version", "gap"
TRUNCATED, TAIL, DUPLICATE, CONFLICT, STUB = "truncated", "unproven tail", "duplicate", "conflict", "stub"
UNKNOWN, REORDERED, CLONED, BROKEN = "unknown camera", "reordered", "cloned or restored card", "chain broken"
NOT_FOR_KEY, COMMITMENT, LOST = "not for this key", "wrong commitment", "epoch lost"

PREFIX = [
    ("sync", 0, 4),
    ("version", 4, 1),
    ("type", 5, 1),
    ("length", 6, 2),
    ("stream", 8, 8),
    ("segment", 16, 4),
    ("record", 20, 4),
]
HEADER_FIELDS = PREFIX + [
    ("device", 24, 32),
    ("stream key", 56, 32),
    ("epoch", 88, 8),
    ("channel", 96, 2),
    ("kind", 98, 1),
    ("zero 99", 99, 5),
    ("certificate", 104, 64),
    ("clock", 168, 1),
    ("flags", 169, 1),
    ("n", 170, 2),
    ("zero 172", 172, 4),
    ("utc", 176, 8),
    ("boot time", 184, 8),
    ("boot id", 192, 16),
    ("previous kind", 208, 1),
    ("zero 209", 209, 7),
    ("previous epoch", 216, 8),
    ("previous stream", 224, 8),
    ("previous segment", 232, 4),
    ("previous record", 236, 4),
    ("previous hash", 240, 32),
    ("commitment", 272, 32),
    ("key id 0", 304, 8),
    ("box 0", 312, 80),
    ("key id 1", 392, 8),
    ("box 1", 400, 80),
    ("signature", 480, 64),
]
MARK_FIELDS = PREFIX + [
    ("first record", 24, 4),
    ("clock", 28, 1),
    ("reason", 29, 1),
    ("zero 30", 30, 2),
    ("utc", 32, 8),
    ("boot time", 40, 8),
    ("units", 48, 4),
    ("drops", 52, 4),
    ("payload bytes", 56, 8),
    ("header hash", 64, 32),
    ("before hash", 96, 32),
    ("stretch hash", 128, 32),
    ("signature", 160, 64),
]


class Case:
    """lost: numbers of the stretches that may and must be missing, all else comes out; None: whole stretches in order,
    whichever. order: segments in the order of the input. exact: these bytes instead. allowed: verdicts that may be
    said, one of `must` has to be. harmless: exit 0, and nothing said."""

    def __init__(self, attack, data, allowed=(), must=None, lost=None, order=None, exact=None, harmless=False, args=None):
        self.attack, self.data, self.allowed = attack, data, set(allowed)
        self.must = self.allowed if must is None else set(must)
        self.lost, self.order, self.exact, self.harmless, self.args = lost, order, exact, harmless, args


class Stretch:
    def __init__(self, place, number, payloads):
        self.place, self.number, self.payloads, self.bytes = place, number, payloads, b"".join(payloads)


class Footage:
    """Whole recorded streams, their records, segments and stretches."""

    def __init__(self, keys, *files):
        self.raw = [open(f, "rb").read() for f in files]
        self.records = [r for raw in self.raw for r, _ in reader.parse(raw)]
        self.stretches, self.of, self.segments = [], {}, []
        for i, r in enumerate(self.records):
            if r.type == HEADER:
                head = reader.Reader(keys)
                head.header = r
                head.unseal()
                self.segments.append([])
                payloads, begun = [], i
            self.segments[-1].append(r)
            if r.type == DATA:
                nonce = r.raw[8:24] + bytes(8)
                payloads.append(reader.aead_decrypt(r.raw[24:], r.raw[:24], nonce, head.data_key)[1:])
            elif r.type != HEADER:
                for j in range(begun, i + 1):
                    self.of[j] = len(self.stretches)
                self.stretches.append(Stretch(r.place()[:2], r.number, payloads))
                payloads, begun = [], i + 1
        self.places = [s[0].place()[:2] for s in self.segments]

    def without(self, lost):
        return b"".join(s.bytes for i, s in enumerate(self.stretches) if i not in lost)

    def costs(self, i):
        """The stretches that go when record i does."""
        r = self.records[i]
        if r.type == HEADER:
            return {n for n, s in enumerate(self.stretches) if s.place == r.place()[:2]}
        return {self.of[i]}

    def last_mark(self, i):
        return self.records[i].type == END


def joined(records):
    return b"".join(r.raw for r in records)


def bit_flipped(data, at, bit):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def flips(f, rng, times):
    """One bit of each field of each type of record."""
    offsets = list(itertools.accumulate((len(r.raw) for r in f.records), initial=0))
    whole = joined(f.records)
    by_type = {t: [i for i, r in enumerate(f.records) if r.type == t] for t in (HEADER, DATA, CHECKPOINT, END)}
    names = {HEADER: "header", DATA: "data", CHECKPOINT: "checkpoint", END: "end"}
    for kind, records in by_type.items():
        fields = {HEADER: HEADER_FIELDS, DATA: PREFIX + [("ciphertext", 24, None), ("tag", -16, 16)]}.get(kind, MARK_FIELDS)
        for (field, at, size), _ in itertools.product(fields, range(times)):
            i = rng.choice(records)
            r = f.records[i]
            start = at if at >= 0 else len(r.raw) + at
            byte, bit = start + rng.randrange(size or len(r.raw) - 16 - start), rng.randrange(8)
            allowed = flip_verdicts(kind, field, bit_flipped(r.raw, byte, bit))
            data = bit_flipped(whole, offsets[i] + byte, bit)
            lost = f.costs(i)
            if kind == CHECKPOINT and field == "type" and bit == 0:
                # taken for data, it makes one of two stretches
                lost = lost | {f.of[i] + 1}
            yield Case(f"flip {names[kind]} {field}", data, *allowed, lost=lost)


def flip_verdicts(kind, field, raw):
    """(allowed, must) where one record of this kind became this"""
    unread = VERSION if field == "version" and raw[4] else NOT
    if kind == HEADER:
        if field == "device":
            return {UNKNOWN, GAP}, {UNKNOWN}
        if field in ("sync", "version", "type", "length") or not reader.well_formed(raw):
            return {unread, GAP}, {unread}
        # what follows a header that does not count is no record of an open segment
        return {BAD, NOT, GAP}, {BAD}
    if kind == DATA:
        if field in ("ciphertext", "tag"):
            return ({DAMAGED},)
        if field == "record":
            return {DAMAGED, DUPLICATE}, {DAMAGED}
        return {DAMAGED, unread}, {DAMAGED}
    end = {TRUNCATED, GAP} if kind == END else set()
    if field in PREFIX_NAMES or not reader.well_formed(raw):
        # not known as a mark any more: as if it were not there
        return {unread, NOT, BAD, DAMAGED} | end | ({TAIL} if end else set()), {unread, BAD}
    if field == "type" and raw[5] == DATA:
        return {DAMAGED}, {DAMAGED}
    return {BAD, NOT, DAMAGED} | end, {BAD}


PREFIX_NAMES = {field for field, _, _ in PREFIX} - {"type"}


def truncations(f, rng, times):
    whole, ends = joined(f.records), list(itertools.accumulate(len(r.raw) for r in f.records))
    for i, end in enumerate(ends[:-1]):
        if f.records[i].type == END:
            yield Case("truncate at a segment's end", whole[:end], harmless=True, exact=f.without(range(f.of[i] + 1, 99)))
        else:
            yield Case("truncate at a record", whole[:end], {TRUNCATED, TAIL}, {TRUNCATED})
    for _ in range(times):
        end = rng.randrange(1, len(whole))
        if end not in ends:
            yield Case("truncate anywhere", whole[:end], {TRUNCATED, TAIL, NOT}, {TRUNCATED, NOT})
    for _ in range(times):
        begin = rng.randrange(1, len(whole))
        allowed = {NOT} if begin not in [0] + ends else {NOT}
        yield Case("beginning cut off", whole[begin:], allowed, must={NOT} if begin not in ends else ())


def records_moved(f, rng, times):
    records, n = f.records, len(f.records)
    for i, r in enumerate(records):
        rest = joined(records[:i] + records[i + 1 :])
        if r.type == HEADER:
            yield Case("delete header", rest, {NOT, GAP}, {NOT}, lost=f.costs(i))
        elif r.type == END:
            yield Case("delete end", rest, {TRUNCATED, TAIL, GAP}, {TRUNCATED})
        else:
            yield Case("delete record", rest, {DAMAGED}, lost=f.costs(i))
        again = joined(records[: i + 1] + records[i:])
        yield Case("repeat record", again, {DUPLICATE}, lost=set())
    for _ in range(times):
        i = rng.randrange(n)
        j = rng.randrange(n)
        moved = records[:i] + records[i + 1 :]
        if i != j:
            yield Case("move record", joined(moved[:j] + [records[i]] + moved[j:]), ANY_LOSS)
        yield Case("copy record elsewhere", joined(records[:j] + [records[i]] + records[j:]), ANY_LOSS)
        if i != j:
            swapped = list(records)
            swapped[i], swapped[j] = records[j], records[i]
            yield Case("swap records", joined(swapped), ANY_LOSS)


ANY_LOSS = {DAMAGED, NOT, GAP, TRUNCATED, TAIL, DUPLICATE, REORDERED, BAD, CONFLICT, STUB}


def stretches_moved(f, rng, times):
    pieces = []  # (stretch or None, records)
    for i, r in enumerate(f.records):
        key = None if r.type == HEADER else f.of[i]
        if not pieces or pieces[-1][0] != key:
            pieces.append((key, []))
        pieces[-1][1].append(r)
    put = lambda chosen: joined(r for _, records in chosen for r in records)
    stretch = [i for i, (key, _) in enumerate(pieces) if key is not None]
    for i in stretch:
        rest = pieces[:i] + pieces[i + 1 :]
        end = pieces[i][1][-1].type == END
        allowed = {TRUNCATED, GAP} if end else {DAMAGED}
        yield Case("delete stretch", put(rest), allowed, {TRUNCATED} if end else {DAMAGED}, lost={pieces[i][0]})
        hollow = pieces[:i] + [(0, pieces[i][1][-1:])] + pieces[i + 1 :]
        yield Case("delete data of stretch", put(hollow), {DAMAGED}, lost={pieces[i][0]})
        yield Case("repeat stretch", put(pieces[: i + 1] + pieces[i:]), {DUPLICATE}, lost=set())
    for _ in range(times):
        i, j = rng.sample(stretch, 2)
        swapped = list(pieces)
        swapped[i], swapped[j] = pieces[j], pieces[i]
        yield Case("swap stretches", put(swapped), ANY_LOSS)
        # the mark of one on the data of another
        swapped = list(pieces)
        swapped[i] = (0, pieces[i][1][:-1] + pieces[j][1][-1:])
        end = {TRUNCATED, TAIL, GAP} if pieces[i][1][-1].type == END else set()
        yield Case("mark of another stretch", put(swapped), {DAMAGED, NOT, DUPLICATE} | end, {DAMAGED, NOT, TRUNCATED})


def segments_moved(f, rng, times):
    count = len(f.segments)
    put = lambda order: joined(r for i in order for r in f.segments[i])
    for order in itertools.permutations(range(count)):
        if order == tuple(range(count)):
            continue
        # a first one that is not the oldest hides nothing: what is older is told by its place
        yield Case(
            "segments in another order", put(order), {REORDERED, GAP}, order=order, exact=b"".join(f_bytes(f, i) for i in order)
        )
    for size in range(1, count):
        for order in itertools.combinations(range(count), size):
            whole = order[-1] - order[0] == size - 1
            kept = b"".join(f_bytes(f, i) for i in order)
            if whole:
                yield Case("oldest and newest left out", put(order), harmless=True, exact=kept)
            else:
                yield Case("segments left out", put(order), {GAP}, exact=kept)
    for _ in range(times):
        i, j = rng.randrange(count), rng.randrange(count + 1)
        order = list(range(count))
        twice = order[:j] + [i] + order[j:]
        once = list(dict.fromkeys(twice))
        allowed = {DUPLICATE, REORDERED, GAP}
        yield Case(
            "segment repeated", put(twice), allowed, {DUPLICATE}, order=once, exact=b"".join(f_bytes(f, k) for k in once)
        )


def copies_in_front(f, rng, times):
    """A copy of a segment without its content in front of the true one hides nothing."""
    for _ in range(times):
        k = rng.randrange(len(f.segments))
        s = f.segments[k]
        spoilt = [r if r.type != DATA else reader.Record(r.raw[:-1] + bytes([r.raw[-1] ^ 1]), 0) for r in s]
        fakes = {
            "header": s[:1],
            "stub": [s[0], s[-1]],
            "marks": [r for r in s if r.type != DATA],
            "spoilt copy": spoilt,
            "beginning": s[: rng.randrange(2, len(s))],
        }
        for name, fake in fakes.items():
            data = joined(r for t in f.segments[:k] + [fake] + f.segments[k:] for r in t)
            yield Case(f"in front of a segment its {name}", data, {DUPLICATE, DAMAGED}, {DUPLICATE}, lost=set())


def stub(segment):
    return [segment[0], segment[-1]]


def stubs(f, rng, times):
    """Stubs in the place of segments, before, between and behind them: the chain goes over them, and nothing else does."""
    count = len(f.segments)
    put = lambda parts: joined(r for part in parts for r in part)
    for _ in range(times):
        evicted = sorted(rng.sample(range(count), rng.randrange(1, count)))
        kept = [i for i in range(count) if i not in evicted]
        pack = [r for i in evicted for r in stub(f.segments[i])]
        left = b"".join(f_bytes(f, i) for i in kept)
        at = rng.randrange(len(kept) + 1)
        whole = [f.segments[i] for i in kept]
        yield Case("pack before, between or behind", put(whole[:at] + [pack] + whole[at:]), {STUB}, exact=left)
        mixed = [stub(s) if i in evicted else s for i, s in enumerate(f.segments)]
        yield Case("stubs in their places", put(mixed), {STUB}, exact=left)
        rng.shuffle(mixed := [stub(f.segments[i]) for i in evicted])
        yield Case("a pack in any order", put(whole[:at] + mixed + whole[at:]), {STUB}, exact=left)
        # one of them left out: what follows it says so, unless it was the oldest or newest of all
        gone = rng.choice(evicted)
        pack = [r for i in evicted if i != gone for r in stub(f.segments[i])]
        inner = 0 < gone < count - 1
        allowed = {STUB, GAP} if len(evicted) > 1 else {GAP}
        data = put(whole[:at] + [pack] + whole[at:])
        if inner:
            yield Case("a stub left out", data, allowed, {GAP}, exact=left)
        elif len(evicted) > 1:
            yield Case("the oldest or newest stub left out", data, {STUB}, exact=left)
        # segments whose stubs are there too
        both = [r for s in f.segments for r in stub(s)]
        whole = f.segments
        at = rng.randrange(count + 1)
        yield Case("stubs of what is there", put(whole[:at] + [both] + whole[at:]), {STUB, DUPLICATE}, {DUPLICATE}, lost=set())


def false_stubs(f, rng, keys, others, sign):
    """Stubs that are not what the camera left: they prove nothing, and close no gap."""
    evil = keys["evil"][1]
    for k in range(1, len(f.segments) - 1):
        before, s, after = (joined(r for t in part for r in t) for part in (f.segments[:k], [f.segments[k]], f.segments[k + 1 :]))
        rest = b"".join(f_bytes(f, i) for i in range(len(f.segments)) if i != k)
        head, end = f.segments[k][0].raw, f.segments[k][-1].raw
        other = next(t[-1].raw for t in f.segments if t[-1].raw != end)
        checkpoint = next(r.raw for r in f.segments[k] if r.type == CHECKPOINT)
        forged = sign(end[:48] + b"\1\0\0\0" + end[52:], evil)
        variants = {
            "forged end": (head + forged, {BAD, NOT, TRUNCATED, GAP}, {BAD}),
            "forged header": (sign(head[:176] + bytes(8) + head[184:], evil) + end, {BAD, NOT, GAP}, {BAD}),
            "one bit": (head + end[:52] + bytes([end[52] ^ 1]) + end[53:], {BAD, NOT, TRUNCATED, GAP}, {BAD}),
            "the end of another segment": (head + other, {NOT, TRUNCATED, GAP}, {TRUNCATED}),
            "no mark": (head, {TRUNCATED, GAP}, {TRUNCATED}),
            "a mark alone": (end, {NOT, DUPLICATE, GAP}, {GAP}),
            # signed, but not the last: what follows does not link to it
            "a checkpoint for the end": (head + checkpoint, {STUB, GAP}, {GAP}),
        }
        for name, (false, allowed, must) in variants.items():
            for where, data in (("in its place", before + false + after), ("behind", before + after + false)):
                more = {REORDERED} if where == "behind" else set()
                yield Case(f"false stub, {name}", data, allowed | more, must | ({BAD} & allowed), exact=rest)
        for name, theirs in others.items():
            if theirs.segments[0][0].raw == f.segments[k][0].raw:
                continue
            stranger = joined(stub(theirs.segments[0]))
            extra = {UNKNOWN} if name == "another camera" else {CLONED, STUB, DUPLICATE, REORDERED}
            yield Case(f"stub of {name}", before + stranger + after, {GAP} | extra, {GAP}, exact=rest)


def f_bytes(f, i):
    return b"".join(s.bytes for s in f.stretches if s.place == f.places[i])


def bytes_moved(f, rng, times):
    whole = joined(f.records)
    for _ in range(times):
        a, b = sorted(rng.sample(range(len(whole)), 2))
        b = min(b, a + rng.choice((1, 7, 100, 700, 5000)))
        junk = rng.randbytes(rng.choice((1, 3, 64, 5000)))
        touched = len(list(records_in(f, a, b)))
        lost = {n for i in records_in(f, a, b) for n in f.costs(i)}
        lies = rng.choice(
            (b"\xc5CAM\1\2\xff\x0f", b"\xc5CAM", b"\xc5", b"\xc5CAM\2", f.records[0].raw[:24], f.records[2].raw[:24])
        )
        yield Case("delete bytes", whole[:a] + whole[b:], ANY_LOSS | {VERSION})
        yield Case("zero bytes", whole[:a] + bytes(b - a) + whole[b:], ANY_LOSS)
        yield Case(
            "invert bytes",
            whole[:a] + bytes(255 - x for x in whole[a:b]) + whole[b:],
            ANY_LOSS | {VERSION, UNKNOWN},
            lost=lost if touched == 1 else None,
        )
        yield Case("insert junk", whole[:a] + junk + whole[a:], ANY_LOSS | {UNKNOWN})
        yield Case("insert lies", whole[:a] + lies + whole[a:], ANY_LOSS | {VERSION, UNKNOWN})
        yield Case("repeat bytes", whole[:b] + whole[a:], ANY_LOSS | {VERSION})
    ends = list(itertools.accumulate((len(r.raw) for r in f.records), initial=0))
    for _ in range(times):
        at = rng.choice(ends)
        junk = rng.randbytes(rng.randrange(1, 300)).replace(b"\xc5", b"\0")
        yield Case("junk between records", whole[:at] + junk + whole[at:], {NOT}, lost=set())


def records_in(f, a, b):
    at = 0
    for i, r in enumerate(f.records):
        if at < b and at + len(r.raw) > a:
            yield i
        at += len(r.raw)


def splices(f, rng, times, others):
    """Pieces of other footage of the same owner: another camera, another stream, another epoch."""
    whole = joined(f.records)
    for name, other in others.items():
        theirs = joined(other.records)
        extra = {UNKNOWN} if name == "another camera" else {CLONED} if name == "a clone" else set()
        for _ in range(times):
            a, b = rng.randrange(len(whole)), rng.randrange(len(theirs))
            yield Case(f"splice at bytes: {name}", whole[:a] + theirs[b:], ANY_LOSS | {VERSION} | extra)
            i = rng.randrange(len(f.records))
            same = [r for r in other.records if r.type == f.records[i].type and r.raw != f.records[i].raw]
            r = rng.choice(same)
            spliced = f.records[:i] + [r] + f.records[i + 1 :]
            yield Case(f"record in place of ours: {name}", joined(spliced), ANY_LOSS | extra)
            # the same with our prefix, as if it were ours
            raw = (
                f.records[i].raw[:24] + r.raw[24:]
                if r.type != DATA
                else f.records[i].raw[:6] + r.raw[6:8] + f.records[i].raw[8:24] + r.raw[24:]
            )
            if len(raw) == len(r.raw):
                spliced = joined(f.records[:i]) + raw + joined(f.records[i + 1 :])
                yield Case(
                    f"body in place of ours: {name}",
                    spliced,
                    ANY_LOSS | extra,
                    lost=f.costs(i) if f.records[i].type == DATA else None,
                )
            k = rng.randrange(len(f.segments))
            foreign = other.segments[rng.randrange(len(other.segments))]
            if foreign[0].raw == f.segments[k][0].raw:
                continue
            mixed = [r for n, s in enumerate(f.segments) for r in (s[:1] + foreign[1:] if n == k else s)]
            yield Case(f"our header, their content: {name}", joined(mixed), {TRUNCATED, NOT, GAP}, {TRUNCATED})
            mixed = [r for n, s in enumerate(f.segments) for r in (foreign[:1] + s[1:] if n == k else s)]
            yield Case(f"their header, our content: {name}", joined(mixed), ANY_LOSS | extra)
