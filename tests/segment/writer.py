"""A camera of cam-segment(5) in Python, for tests only: honest when left alone, and malicious where a test wants it."""
import struct

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as aead_encrypt
from nacl.bindings import crypto_box_seal, crypto_sign, crypto_sign_seed_keypair

import reader
from reader import AU_END, AU_START, CHECKPOINT, CONTEXT, DATA, END, HEADER, SYNC, H, ctx

NO_PREVIOUS = (0, b"")


def device_secret(path):
    """(public key, secret key) of a camera's key file"""
    kind, _, form, seed = next(reader.key_lines(path)).split(" ")
    assert kind == "cam-device-secret1" and form == "plain"
    return crypto_sign_seed_keypair(reader.unbase64(seed))


def sign(secret, message):
    return crypto_sign(message, secret)[:64]


def signed(raw, secret):
    """A header or mark with a new signature."""
    return raw[:-64] + sign(secret, ctx(CONTEXT[raw[5]]) + H(raw[:-64]))


def patched(raw, at, new):
    return raw[:at] + new + raw[at + len(new) :]


def commitment(fk, stream, segment):
    return H(ctx("commit"), stream, struct.pack("<I", segment), key=fk)


def slot(stream, public, fk):
    return H(ctx("keyid"), stream, public)[:8] + crypto_box_seal(fk, public)


def prefix(kind, size, stream, segment, number):
    return SYNC + struct.pack("<BBH8sII", 1, kind, size, stream, segment, number)


def data_record(data_key, stream, segment, number, flags, payload):
    head = prefix(DATA, 42 - 1 + len(payload), stream, segment, number)
    return head + aead_encrypt(bytes([flags]) + payload, head, head[8:24] + bytes(8), data_key)


class Stream:
    """One start of a camera: certifies a stream key drawn from rng."""

    def __init__(self, rng, device, epoch=1, channel=0, kind=1):
        self.rng, self.device, self.epoch, self.channel, self.kind = rng, device, epoch, channel, kind
        self.public, self.secret = crypto_sign_seed_keypair(rng.randbytes(32))
        self.id = H(self.public)[:8]
        self.identity = device[0] + self.public + struct.pack("<QHB5x", epoch, channel, kind)
        self.certificate = sign(device[1], ctx("stream") + self.identity)
        self.previous = bytes(64)

    def link(self, epoch, record):
        """The next header's previous mark."""
        kind = 1 if record.type == END else 2
        self.previous = struct.pack("<B7xQ8sII32s", kind, epoch, record.stream, record.segment, record.number, record.hash)

    def header(self, segment, recipients, fk, slots=None, commit=None, flags=0):
        slots = [slot(self.id, public, fk) for public in recipients] if slots is None else slots
        raw = prefix(HEADER, 368 + 88 * len(slots), self.id, segment, 0) + self.identity + self.certificate
        raw += struct.pack("<BBH4xqQ16s", 2, flags, len(slots), 1_700_000_000 * 10**9 + segment, 1 + segment, bytes(16))
        raw += self.previous + (commit or commitment(fk, self.id, segment)) + b"".join(slots)
        return signed(raw + bytes(64), self.secret)

    def mark(self, header, before, number, data, kind=CHECKPOINT, first=None, reason=None):
        """A mark at `number` over the data records before it."""
        first, reason = first or number - len(data), reason or (1 if kind == CHECKPOINT else 7)
        segment = struct.unpack_from("<I", header, 16)[0]
        raw = prefix(kind, 224, self.id, segment, number) + struct.pack(
            "<IBB2xqQIIQ", first, 2, reason, 0, number, number, 0, 0
        )
        return signed(raw + H(header) + H(before) + H(*data) + bytes(64), self.secret)

    def segment(self, number, recipients, stretches, fk=None, link=True, **header):
        """[record] of a segment with these stretches, each a list of access units of one record."""
        fk = fk or self.rng.randbytes(32)
        records = [self.header(number, recipients, fk, **header)]
        key = H(ctx("data"), H(records[0]), key=fk)
        before = records[0]
        for i, units in enumerate(stretches):
            at = len(records)
            data = [data_record(key, self.id, number, at + j, AU_START | AU_END, u) for j, u in enumerate(units)]
            before = self.mark(records[0], before, at + len(data), data, END if i == len(stretches) - 1 else CHECKPOINT)
            records += data + [before]
        if link:
            self.link(self.epoch, reader.Record(before, 0))
        return records
