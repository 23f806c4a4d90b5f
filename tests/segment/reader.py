#!/usr/bin/python3
"""An independent reader of sealed footage, written from cam-segment(5) and cam-key(1) alone.

    reader.py -k me.key [-s door.pub] [-P fd] [-R] FILE... > out

Payload goes to stdout, findings as `SEGMENT: VERDICT` to stderr; exit 1 when there are any. It keeps whole inputs
in memory and holds keys in ordinary memory: a yardstick for cam-open(1), not a replacement."""
import base64
import getopt
import hashlib
import os
import struct
import sys
import time

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_decrypt
from nacl.bindings import crypto_box_seal_open, crypto_sign_open
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

SYNC = b"\xc5CAM"
HEADER, DATA, CHECKPOINT, END = 1, 2, 3, 4
VIDEO, BYTES, REPORT = 1, 2, 3
CONTEXT = {HEADER: "header", CHECKPOINT: "checkpoint", END: "end"}
AU_START, AU_END, IDR, PADDING, REPEATED, TORN = 1, 2, 4, 8, 16, 32
NOT_FINDINGS = ("history starts here", "camera restarted", "input restarted", "recipients changed")
STRETCH_MAX = 16 << 20
HERE = object()


def H(*parts, key=b""):
    return hashlib.blake2b(b"".join(parts), digest_size=32, key=key).digest()


def ctx(s):
    return b"cam1 " + s.encode().ljust(11, b"\0")


def signed(key, message, signature):
    try:
        return crypto_sign_open(signature + message, key) == message
    except (CryptoError, ValueError):
        return False


# --- keys, from cam-key(1) ---


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def checked(head, key):
    """The 32 bytes of a public key, after its check bytes fit."""
    check = hashlib.blake2b(b"cam1 key".ljust(16, b"\0") + head.encode() + key[:32], digest_size=32).digest()[:4]
    assert len(key) == 36 and key[32:] == check, "public key"
    return key[:32]


def key_lines(path):
    for line in open(path, encoding="ascii"):
        if line.strip() and not line.startswith("#"):
            yield line.rstrip("\n")


def device_keys(path):
    """Public keys of cameras in a file."""
    lines = [line.split(" ") for line in key_lines(path)]
    assert all(kind == "cam-device1" for kind, _ in lines), path
    return [checked(kind + " ", unbase64(public)) for kind, public in lines]


def recipient_keys(path, passphrase=None):
    """[(public, secret)] in a file."""
    pairs = []
    for line in key_lines(path):
        kind, *fields = line.split(" ")
        assert kind == "cam-recipient-secret1", path
        if len(fields[0]) == 7:
            fields.pop(0)
        if fields[1] == "plain":
            secret = unbase64(fields[2])
        else:
            ops, mem, salt, box = int(fields[2]), int(fields[3]), unbase64(fields[4]), unbase64(fields[5])
            assert fields[1] == "argon2id" and ops <= 16 and mem <= 1 << 20
            wrap = argon2id.kdf(32, passphrase, salt, ops, mem << 10)
            secret = aead_decrypt(box[24:], line[: line.rindex(" ") + 1].encode(), box[:24], wrap)
        pairs.append((unbase64(fields[0]), secret))
    return pairs


# --- records ---


class Record:
    """One record; its fields as attributes. `off` is where it lies in its input."""

    def __init__(self, raw, off):
        self.raw, self.off, self.type = raw, off, raw[5]
        self.stream, self.segment, self.number = raw[8:16], *struct.unpack_from("<II", raw, 16)
        self.hash = H(raw)
        if self.type == HEADER:
            self.device, self.stream_key, self.epoch, self.channel, self.kind = struct.unpack_from("<32s32sQHB", raw, 24)
            self.clock, self.flags, self.n, self.utc_ns, self.boot_ns = struct.unpack_from("<BBH4xqQ", raw, 168)
            self.previous_kind = raw[208]
            self.previous = struct.unpack_from("<Q8sII32s", raw, 216)
            self.slots = [(raw[o : o + 8], raw[o + 8 : o + 88]) for o in range(304, 304 + 88 * self.n, 88)]
        elif self.type != DATA:
            (
                self.first,
                self.clock,
                self.reason,
                self.utc_ns,
                self.boot_ns,
                self.units,
                self.drops,
                self.bytes,
                self.header_hash,
                self.before,
                self.stretch_hash,
            ) = struct.unpack_from("<IBB2xqQIIQ32s32s32s", raw, 24)

    def place(self):
        return self.stream, self.segment, self.number

    def signature_ok(self, stream_key):
        return signed(stream_key, ctx(CONTEXT[self.type]) + H(self.raw[:-64]), self.raw[-64:])


def well_formed(raw):
    """Is this a record of version 1, by its own bytes?"""
    kind, size, number = raw[5], len(raw), struct.unpack_from("<I", raw, 20)[0]
    if kind == HEADER:
        if size < 456 or number != 0:
            return False
        n = struct.unpack_from("<H", raw, 170)[0]
        if not 1 <= n <= 32 or size != 368 + 88 * n or any(raw[99:104] + raw[172:176] + raw[209:216]):
            return False
        if raw[98] not in (VIDEO, BYTES, REPORT) or raw[168] > 2 or raw[169] & ~3 or raw[208] > 2:
            return False
        return raw[208] != 0 or not any(raw[216:272])
    if kind in (CHECKPOINT, END):
        first = struct.unpack_from("<I", raw, 24)[0]
        return size == 224 and 1 <= first <= number and raw[28] <= 2 and not any(raw[30:32])
    return kind == DATA and 42 <= size <= 4096 and number > 0


def parse(data):
    """Yields (Record, None) and (None, what stands there instead), in order."""
    at, other = 0, None
    while at < len(data):
        found, what = None, "not a segment"
        if data[at : at + 4] == SYNC and at + 24 <= len(data):
            size = struct.unpack_from("<H", data, at + 6)[0]
            raw = data[at : at + size]
            if data[at + 4] != 1:
                what = "unknown version"
            elif size >= 24 and len(raw) == size and well_formed(raw):
                follows = data[at + size : at + size + 4]
                if not (raw[5] == DATA and SYNC[: len(follows)] != follows and SYNC in raw[4:]):
                    found = Record(raw, at)
        if found:
            yield found, None
            at, other = at + len(found.raw), None
        else:
            if what != other:
                yield None, what
            # what lies behind an unknown version's sync, up to the next one, is that version's own
            other = what
            at = data.find(SYNC, at + 1)
            if at < 0:
                return


# --- reading ---


def name(header):
    seconds = max(header.utc_ns // 10**9, 0)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    return f"{header.epoch:010}-{header.segment:010}-{stamp}-{header.stream.hex()}"


class Chain:
    """What was seen of one camera's channel."""

    def __init__(self):
        self.marks = set()  # hashes
        self.stub_marks = set()
        self.places = set()  # (epoch, segment) of segments and stubs
        self.links = []  # headers whose previous mark may come anywhere
        self.streams = {}  # epoch -> stream id
        self.epoch = 0  # the newest
        self.segments = {}  # stream id -> the newest


class Reader:
    """Feed it inputs with read(); `out` collects what is released, `stretches` the pieces of it as
    (segment name, number of the mark that proved it or None, payload), `findings` the verdicts as (name, verdict)."""

    def __init__(self, keys, devices=(), kinds=(VIDEO, BYTES)):
        self.keys, self.devices, self.kinds = keys, devices, kinds
        self.findings, self.stretches = [], []
        self.chains, self.places, self.segments = {}, {}, set()
        self.written = None  # (stream, segment) of what was released last
        self.header = None
        self.skipping = None

    @property
    def out(self):
        return b"".join(payload for _, _, payload in self.stretches)

    def find(self, verdict, header=HERE):
        header = self.header if header is HERE else header
        entry = (name(header) if header else "-", verdict)
        if entry not in self.findings:
            self.findings.append(entry)

    def stubs_of(self, records):
        """{index: (header, mark)} of headers that nothing but a later mark follows, all of it signed."""
        found = {}
        for i, (h, m) in enumerate(zip(records, records[1:])):
            follows = records[i + 2] if i + 2 < len(records) else None
            if not h or not m or h.type != HEADER or m.type in (HEADER, DATA) or m.number < 2:
                continue
            if m.place()[:2] != h.place()[:2] or (follows and follows.place()[:2] == h.place()[:2]):
                continue
            if self.camera_ok(h) and h.signature_ok(h.stream_key) and m.signature_ok(h.stream_key) and m.header_hash == h.hash:
                found[i] = h, m
        return found

    def camera_ok(self, h):
        if self.devices and h.device not in self.devices:
            return False
        return signed(h.device, ctx("stream") + h.raw[24:104], h.raw[104:168]) and H(h.stream_key)[:8] == h.stream

    def take_stub(self, h, m):
        self.close()
        chain = self.chains.setdefault((h.device, h.channel), Chain())
        if not self.devices:
            self.find("unknown camera", h)
        if h.hash in self.segments:
            return self.find("duplicate", h)
        if self.places.setdefault(h.place(), h.hash) != h.hash:
            return self.find("conflict", h)
        if chain.streams.get(h.epoch, h.stream) != h.stream and not h.flags & 1:
            self.find("cloned or restored card", h)
        if h.flags & 1 and h.segment == 0:
            self.find("epoch lost", h)
        if m.reason == 9:
            self.find("input restarted", h)
        self.find("stub", h)
        chain.links.append(h)
        chain.places.add((h.epoch, h.segment))
        return None

    def links_end(self):
        for chain in self.chains.values():
            for h in chain.links:
                first = (h.epoch, h.segment) == min(chain.places)
                if h.previous_kind and h.previous[4] not in chain.marks | chain.stub_marks and not first:
                    self.find("gap", h)

    def read(self, *inputs):
        parsed = [list(parse(data)) for data in inputs]
        stubs = [self.stubs_of([record for record, _ in records]) for records in parsed]
        for h, m in (pair for found in stubs for pair in found.values()):
            self.chains.setdefault((h.device, h.channel), Chain()).stub_marks |= {h.hash, m.hash}
        # whatever the order of the files, stubs first: a whole pack is nothing but stubs
        order = sorted(range(len(parsed)), key=lambda i: 2 * len(stubs[i]) != len(parsed[i]) or not parsed[i])
        for i in order:
            for at, (record, other) in enumerate(parsed[i]):
                if at in stubs[i]:
                    self.take_stub(*stubs[i][at])
                elif at - 1 in stubs[i]:
                    pass
                elif other:
                    self.find(other, None)
                elif record.type == HEADER:
                    self.take_header(record)
                elif self.skipping and record.place()[:2] == self.skipping:
                    pass
                elif not self.header or record.place()[:2] != (self.header.stream, self.header.segment):
                    self.find("damaged stretch")
                elif record.type == DATA:
                    self.pending.append(record)
                else:
                    self.take_mark(record)
            self.close()
        self.links_end()
        return self

    def take_header(self, h):
        if self.header and h.hash == self.header.hash and self.last is self.header:
            return self.find("duplicate")
        if h.hash in self.segments:
            self.close()
            self.skipping = h.stream, h.segment
            return self.find("duplicate", h)
        if self.devices and h.device not in self.devices:
            self.close()
            self.skipping = h.stream, h.segment
            return self.find("unknown camera", None)
        if not self.camera_ok(h):
            return self.find("bad signature", h)
        if not h.signature_ok(h.stream_key):
            return self.find("bad signature", h)
        self.close()
        if self.places.setdefault(h.place(), h.hash) != h.hash:
            self.skipping = h.place()[:2]
            return self.find("conflict", h)
        if self.places.get(h.place()) == h.hash and h.hash in self.chains.get((h.device, h.channel), Chain()).stub_marks:
            self.find("duplicate", h)
        self.segments.add(h.hash)
        self.header, self.skipping, self.mark_failed = h, None, False
        self.pending, self.marks, self.last, self.data_seen = [], {0: h.hash}, h, False
        if not self.devices:
            self.find("unknown camera")
        self.link()
        self.unseal()

    def link(self):
        h = self.header
        chain = self.chains.setdefault((h.device, h.channel), Chain())
        if chain.streams.setdefault(h.epoch, h.stream) != h.stream and not h.flags & 1:
            self.find("cloned or restored card")
        if h.flags & 1 and h.segment == 0:
            self.find("epoch lost")
        elif h.epoch < chain.epoch or h.segment < chain.segments.get(h.stream, 0):
            self.find("reordered")
        elif h.previous_kind == 0:
            self.find("chain broken" if chain.marks else "history starts here")
        elif not chain.marks:
            self.find("history starts here")
            chain.links.append(h)
        elif h.previous[4] not in chain.marks | chain.stub_marks:
            self.find("gap")
        if h.segment == 0 and chain.marks:
            self.find("camera restarted")
        if h.flags & 2:
            self.find("recipients changed")
        chain.places.add((h.epoch, h.segment))
        chain.epoch = max(chain.epoch, h.epoch)
        chain.segments[h.stream] = max(chain.segments.get(h.stream, 0), h.segment)
        self.chain = chain
        chain.marks.add(h.hash)

    def unseal(self):
        h, self.data_key = self.header, None
        for public, secret in self.keys:
            key_id = H(ctx("keyid"), h.stream, public)[:8]
            for slot_id, box in h.slots:
                if slot_id != key_id:
                    continue
                try:
                    fk = crypto_box_seal_open(box, public, secret)
                except CryptoError:
                    continue
                if H(ctx("commit"), h.stream, struct.pack("<I", h.segment), key=fk) != h.raw[272:304]:
                    return self.find("wrong commitment")
                self.data_key = H(ctx("data"), h.hash, key=fk)
                return None
        return self.find("not for this key")

    def take_mark(self, m):
        h = self.header
        if self.marks.get(m.number) == m.hash:
            return self.find("duplicate")
        if not m.signature_ok(h.stream_key):
            self.mark_failed = True
            return self.find("bad signature")
        if m.header_hash != h.hash:
            return self.find("conflict")
        if self.places.setdefault(m.place(), m.hash) != m.hash:
            return self.find("conflict")
        if self.marks.get(m.first - 1, m.before) != m.before:
            return self.find("conflict")
        records = self.stretch(m)
        self.pending, self.mark_failed = [], False
        if records is None and not self.data_seen and len(self.marks) == 1:
            self.find("stub")
        elif records is None or m.first - 1 not in self.marks:
            self.find("damaged stretch")
        if records:
            self.release(records, m)
        self.data_seen = True
        self.marks[m.number] = m.hash
        self.chain.marks.add(m.hash)
        self.last = m
        if m.reason == 9:
            self.find("input restarted")
        return None

    def stretch(self, m):
        """The data records that the mark signs, or None."""
        by_number = {}
        for r in self.pending:
            self.data_seen = True
            if by_number.setdefault(r.number, r).raw != r.raw:
                return None
            if by_number[r.number] is not r:
                self.find("duplicate")
        records = [by_number.get(n) for n in range(m.first, m.number)]
        if None in records or sum(len(r.raw) for r in records) > STRETCH_MAX:
            return None
        return records if H(*(r.raw for r in records)) == m.stretch_hash else None

    def release(self, records, mark):
        if self.data_key is None or self.header.kind not in self.kinds:
            return
        out, unit = [], []
        h = self.header
        for r in records:
            try:
                plain = aead_decrypt(r.raw[24:], r.raw[:24], r.raw[8:24] + bytes(8), self.data_key)
            except CryptoError:
                return self.find("damaged stretch")
            flags, payload = plain[0], plain[1:]
            if flags & ~63:
                return self.find("damaged stretch")
            if flags & AU_START:
                out, unit = out + unit, []
            if not flags & PADDING and not (flags & REPEATED and self.written == (h.stream, h.segment - 1)):
                unit.append(payload)
            if flags & AU_END:
                out, unit = out + ([] if flags & TORN else unit), []
        self.stretches.append((name(h), mark and mark.number, b"".join(out + unit)))
        self.written = h.stream, h.segment

    def close(self):
        """No more records of the segment come."""
        h, self.header, self.skipping = self.header, None, None
        if not h:
            return
        if self.last.type != END:
            self.find("truncated", h)
        if self.pending:
            tail, number = [], self.last.number + 1
            for r in self.pending:
                if r.number != number:
                    break
                tail.append(r)
                number += 1
            self.header = h
            if tail and self.last.type != END and not self.mark_failed:
                self.find("unproven tail")
                self.release(tail, None)
            else:
                self.find("damaged stretch")
            self.header = None


def main(argv):
    keys, devices, kinds, paths, passphrase = [], [], (VIDEO, BYTES), [], None
    options, files = getopt.getopt(argv, "k:s:P:R")
    for option, value in options:
        if option == "-k":
            paths.append(value)
        elif option == "-s":
            devices += device_keys(value)
        elif option == "-P":
            passphrase = os.fdopen(int(value), "rb").readline().rstrip(b"\n")
        else:
            kinds = (REPORT,)
    for path in paths:
        keys += recipient_keys(path, passphrase)
    reader = Reader(keys, devices, kinds).read(*(open(f, "rb").read() for f in files))
    sys.stdout.buffer.write(reader.out)
    for where, verdict in reader.findings:
        print(f"{where}: {verdict}", file=sys.stderr)
    return 1 if any(v not in NOT_FINDINGS for _, v in reader.findings) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
