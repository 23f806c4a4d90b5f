#!/usr/bin/python3
"""An independent reader of cam-segment(5), written from the format alone: checks everything that the format
promises and prints one line a record (or content with -c). Exit 1 and a reason when anything is not as it should be.

    segment.py [-c] [-k KEYFILE] [-s DEVPUB] [-e] < records      -e: the input may end without an end record
"""
import base64, getopt, hashlib, struct, sys
from nacl import bindings, exceptions
from nacl.public import PrivateKey, SealedBox
from nacl.signing import VerifyKey

TYPES = {1: "header", 2: "data", 3: "checkpoint", 4: "end"}
REASONS = {1: "timer", 2: "idr", 3: "length", 4: "full", 5: "size", 6: "stall", 7: "eof", 8: "stop", 9: "restart"}


def h(m, key=b""):
    return hashlib.blake2b(m, digest_size=32, key=key).digest()


def ctx(name):
    return (b"cam1 " + name).ljust(16, b"\0")


def need(condition, what):
    if not condition:
        sys.exit("segment.py: record at byte %d: %s" % (at, what))


def b64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(pk, signature, message, what):
    try:
        VerifyKey(pk).verify(message, signature)
    except exceptions.BadSignatureError:
        need(False, what)


options = dict(getopt.getopt(sys.argv[1:], "ck:s:e")[0])
secret = b64(open(options["-k"]).read().split()[3]) if "-k" in options else None
device = b64(open(options["-s"]).read().split()[1])[:32] if "-s" in options else None
data, at, seg, last = sys.stdin.buffer.read(), 0, None, None

while at < len(data):
    need(len(data) - at >= 24, "cut short")
    sync, version, kind, length, stream, segment, record = struct.unpack_from("<4sBBH8sII", data, at)
    need(sync == b"\xc5CAM" and version == 1 and kind in TYPES and 24 < length <= 4096, "no prefix")
    need(at + length <= len(data), "cut short")
    r = data[at:at + length]
    line = "%s segment=%d record=%d bytes=%d" % (TYPES[kind], segment, record, length)
    if kind == 1:
        need(seg is None or seg["ended"] or "-e" in options, "header inside a segment")
        (dpk, spk, epoch, channel, what, zero, cert, clock, flags, n, zero2, utc, boot, boot_id, pkind, zero3, pepoch, pstream,
         psegment, precord, phash, commitment) = struct.unpack_from("<32s32sQHB5s64sBBH4sqQ16sB7sQ8sII32s32s", r, 24)
        need(not any(zero + zero2 + zero3), "reserved bytes")
        need(record == 0 and 1 <= n <= 32 and length == 368 + 88 * n, "header's shape")
        need(what == 1 and clock <= 2 and flags <= 3 and any(boot_id), "header's fields")
        need(device is None or dpk == device, "another camera")
        verify(dpk, cert, ctx(b"stream") + r[24:104], "certificate")
        need(h(spk)[:8] == stream, "stream id")
        verify(spk, r[-64:], ctx(b"header") + h(r[:-64]), "header's signature")
        if last is not None:
            need((pepoch, pstream, psegment, precord, phash) == last[1:] and pkind == (1 if last[0] == 4 else 2), "link to the mark before")
        key = None
        for i in range(n):
            keyid, sealed = r[304 + 88 * i:312 + 88 * i], r[312 + 88 * i:392 + 88 * i]
            if secret and h(ctx(b"keyid") + stream + bytes(PrivateKey(secret).public_key))[:8] == keyid:
                fk = SealedBox(PrivateKey(secret)).decrypt(sealed)
                need(h(ctx(b"commit") + stream + struct.pack("<I", segment), fk) == commitment, "commitment")
                key = h(ctx(b"data") + h(r), fk)
        need(secret is None or key, "not for this key")
        if seg is not None and seg["stream"] == stream:
            need(segment == seg["segment"] + 1, "segment number")
        else:
            need(segment == 0, "first segment's number")
        seg = dict(stream=stream, segment=segment, spk=spk, epoch=epoch, next=1, first=1, hash=hashlib.blake2b(digest_size=32), header=h(r),
                   ended=False, key=key, payload=0, units=0)
        line += " epoch=%d n=%d flags=%d previous=%d clock=%d utc=%d boot=%d" % (epoch, n, flags, pkind, clock, utc, boot)
        last = (kind, epoch, stream, segment, record, h(r))
    else:
        need(seg is not None and not seg["ended"] and (stream, segment) == (seg["stream"], seg["segment"]), "outside of its segment")
        need(record == seg["next"], "number of the record")
        seg["next"] += 1
        if kind == 2:
            need(length > 41, "empty data record")
            seg["hash"].update(r)
            if seg["key"]:
                nonce = r[8:24] + bytes(8)
                plain = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(r[24:], r[:24], nonce, seg["key"])
                need(plain[0] < 64, "flags of a data record")
                line += " flags=%d" % plain[0]
                if not plain[0] & (8 | 16):
                    seg["payload"] += len(plain) - 1
                seg["units"] += plain[0] >> 1 & 1 and not plain[0] & 32
                if "-c" in options and not plain[0] & (8 | 16):
                    sys.stdout.buffer.write(plain[1:])
        else:
            first, clock, reason, zero, utc, boot, units, drops, payload, header, previous, stretch = struct.unpack_from("<IBB2sqQIIQ32s32s32s", r, 24)
            need(length == 224 and not any(zero) and clock <= 2 and reason in REASONS, "mark's fields")
            verify(seg["spk"], r[-64:], ctx(TYPES[kind].encode()) + h(r[:-64]), "mark's signature")
            need(first == seg["first"] and header == seg["header"], "mark's stretch or header")
            need(previous == last[5], "hash of the mark before")
            need(stretch == seg["hash"].digest(), "hash of the stretch")
            need(not seg["key"] or payload == seg["payload"], "payload bytes")
            seg.update(first=record + 1, hash=hashlib.blake2b(digest_size=32), ended=kind == 4)
            line += " reason=%s units=%d drops=%d payload=%d utc=%d boot=%d clock=%d" % (REASONS[reason], units, drops, payload, utc, boot, clock)
            last = (kind, seg["epoch"], stream, segment, record, h(r))
    if "-c" not in options:
        print(line)
    at += length
if not ("-e" in options or seg is None or seg["ended"]):
    sys.exit("segment.py: no end record")
