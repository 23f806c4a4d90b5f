/* record: the records of a segment, cam-segment(5). Made by cam-seal, checked by cam-spool and cam-open.
 *
 * Nothing here allocates or reads; buffers hold whole records of at most RECORD_BYTES_MAX bytes. Offsets
 * are those of the manual page. Functions return 0, or -1 with errno: EBADMSG (not a record, or one that
 * breaks the format), EPROTONOSUPPORT (a version that this program does not know), EKEYREJECTED (a
 * signature or certificate that does not verify). */
#ifndef RECORD_H
#define RECORD_H
#include <stddef.h>
#include <stdint.h>

enum {
	RECORD_VERSION = 1,
	RECORD_BYTES_MAX = 4096,
	RECORD_PREFIX_BYTES = 24,
	RECORD_HASH_BYTES = 32, /* H: BLAKE2b-256 */
	RECORD_PK_BYTES = 32,   /* Ed25519 and X25519 public keys */
	RECORD_SIG_BYTES = 64,  /* Ed25519 */
	RECORD_KEYID_BYTES = 8,
	RECORD_SEALED_BYTES = 80, /* crypto_box_seal of a 32-byte key */
	RECORD_STREAM_BYTES = 8,
	RECORD_BOOTID_BYTES = 16,
	RECORD_CTX_BYTES = 16,
	RECORD_FINGERPRINT_BYTES = 8 * 6, /* text with NUL */
	RECORD_RECIPIENTS_MAX = 32,
	RECORD_HEADER_FIXED_BYTES = 304,
	RECORD_SLOT_BYTES = RECORD_KEYID_BYTES + RECORD_SEALED_BYTES,
	RECORD_MARK_BYTES = 224,
	RECORD_TAG_BYTES = 16,
	RECORD_DATA_OVERHEAD_BYTES = RECORD_PREFIX_BYTES + 1 + RECORD_TAG_BYTES,
	RECORD_PAYLOAD_BYTES_MAX = RECORD_BYTES_MAX - RECORD_DATA_OVERHEAD_BYTES, /* 4055 */
	RECORD_SEGMENT_BYTES_MAX = 64 << 20, /* a segment without an IDR is ended here */
	RECORD_STRETCH_BYTES_MAX = 16 << 20, /* data records between two marks */
};

#define RECORD_HEADER_BYTES(n) (RECORD_HEADER_FIXED_BYTES + RECORD_SIG_BYTES + RECORD_SLOT_BYTES * (n))

enum record_type { RECORD_HEADER = 1, RECORD_DATA = 2, RECORD_CHECKPOINT = 3, RECORD_END = 4 };
enum record_kind { RECORD_KIND_VIDEO = 1, RECORD_KIND_BYTES = 2, RECORD_KIND_REPORT = 3 };
enum record_header_flag { RECORD_EPOCH_LOST = 1, RECORD_RECIPIENTS_CHANGED = 2 };
enum record_previous { RECORD_PREVIOUS_NONE = 0, RECORD_PREVIOUS_ENDED = 1, RECORD_PREVIOUS_CUT = 2 };

enum record_data_flag {
	RECORD_AU_STARTS = 1,
	RECORD_AU_ENDS = 2,
	RECORD_IDR = 4,       /* on the first record of an IDR access unit */
	RECORD_PADDING = 8,   /* the payload is padding, not content */
	RECORD_REPEATED = 16, /* a copy of parameter sets that came earlier */
	RECORD_TORN = 32,     /* leave out the access unit that ends here */
	RECORD_DATA_FLAGS = 63
};

/* Why a mark stands where it does. */
enum record_reason {
	RECORD_REASON_TIMER = 1,  /* checkpoint: a second has passed */
	RECORD_REASON_IDR = 2,    /* checkpoint: an IDR access unit follows */
	RECORD_REASON_LENGTH = 3, /* checkpoint: the stretch has reached its maximum */
	RECORD_REASON_FULL = 4,   /* end: the segment is as long as asked for */
	RECORD_REASON_SIZE =
	        5, /* end: RECORD_SEGMENT_BYTES_MAX without an IDR; the next one may not play alone */
	RECORD_REASON_STALL = 6,   /* end: no input for a while */
	RECORD_REASON_EOF = 7,     /* end: end of input */
	RECORD_REASON_STOP = 8,    /* end: told to stop */
	RECORD_REASON_RESTART = 9, /* end: the frame numbers of the input begin again */
};

struct record_prefix {
	uint8_t type;    /* enum record_type */
	uint16_t length; /* of the whole record, bytes */
	uint8_t stream[RECORD_STREAM_BYTES];
	uint32_t segment;
	uint32_t record; /* 0 is the header */
};

/* Position and hash of a mark. */
struct record_link {
	uint8_t previous; /* enum record_previous */
	uint64_t epoch;
	uint8_t stream[RECORD_STREAM_BYTES];
	uint32_t segment, record;
	uint8_t hash[RECORD_HASH_BYTES];
};

struct record_header {
	struct record_prefix prefix;
	uint8_t device_pk[RECORD_PK_BYTES], stream_pk[RECORD_PK_BYTES];
	uint64_t epoch;
	uint16_t channel;
	uint8_t kind; /* enum record_kind */
	uint8_t certificate[RECORD_SIG_BYTES];
	uint8_t clock_state, flags;
	uint16_t recipients; /* 1..RECORD_RECIPIENTS_MAX */
	int64_t utc_ns;      /* of the first access unit */
	uint64_t boot_ns;
	uint8_t boot_id[RECORD_BOOTID_BYTES];
	struct record_link previous;
	uint8_t commitment[RECORD_HASH_BYTES];
	struct {
		uint8_t keyid[RECORD_KEYID_BYTES], sealed[RECORD_SEALED_BYTES];
	} slot[RECORD_RECIPIENTS_MAX];
};

/* A checkpoint or the end of a segment. */
struct record_mark {
	struct record_prefix prefix;
	uint32_t first_record; /* first record of the stretch that this mark closes */
	uint8_t clock_state, reason;
	int64_t utc_ns; /* of the last access unit, like boot_ns */
	uint64_t boot_ns;
	uint32_t access_units, drops; /* in this segment so far */
	uint64_t payload_bytes;       /* of content in this segment so far */
	uint8_t header_hash[RECORD_HASH_BYTES], previous_hash[RECORD_HASH_BYTES],
	        stretch_hash[RECORD_HASH_BYTES];
};

/* H */
void record_hash(uint8_t out[RECORD_HASH_BYTES], const uint8_t *p, size_t n);
/* H(key, ctx(name) + p) with a 32-byte key, or unkeyed with key NULL. */
void record_hash_ctx(
        uint8_t out[RECORD_HASH_BYTES], const uint8_t *key, const char *name, const uint8_t *p, size_t n);
/* ctx(name): "cam1 " + name, zero-padded. */
void record_ctx(uint8_t out[RECORD_CTX_BYTES], const char *name);
void record_stream_id(uint8_t out[RECORD_STREAM_BYTES], const uint8_t stream_pk[RECORD_PK_BYTES]);
void record_keyid(uint8_t out[RECORD_KEYID_BYTES], const uint8_t stream[RECORD_STREAM_BYTES],
        const uint8_t pk[RECORD_PK_BYTES]);
/* H(fk, ctx("commit") + stream + segment) */
void record_commitment(uint8_t out[RECORD_HASH_BYTES], const uint8_t fk[32],
        const uint8_t stream[RECORD_STREAM_BYTES], uint32_t segment);
/* H(fk, ctx("data") + H(header)): the key of a segment's data records. */
void record_data_key(uint8_t out[32], const uint8_t fk[32], const uint8_t header_hash[RECORD_HASH_BYTES]);

/* Eight groups of five digits for two people to compare, from H(ctx("fingerprint") + public key). */
void record_fingerprint(const uint8_t pk[RECORD_PK_BYTES], char out[RECORD_FINGERPRINT_BYTES]);

/* The prefix at p. Checks sync, version, type, and that length fits the type. With ENODATA: fewer than
 * RECORD_PREFIX_BYTES, and what is there could begin one. */
int record_prefix_parse(const uint8_t *p, size_t n, struct record_prefix *out);
void record_prefix_put(uint8_t *p, const struct record_prefix *in);

/* A whole header record of n bytes: format only. */
int record_header_parse(const uint8_t *p, size_t n, struct record_header *out);
/* Certificate, stream id and signature of a parsed header. The caller compares device_pk first. */
int record_header_verify(const uint8_t *p, size_t n, const struct record_header *h);
/* Writes the record without its signature; in->prefix.length is set. Returns the length. */
size_t record_header_put(uint8_t p[RECORD_BYTES_MAX], struct record_header *in);
/* Device key's signature over the stream key, epoch, channel and kind: fills in->certificate. */
void record_certify(struct record_header *in, const uint8_t device_sk[64]);

int record_mark_parse(const uint8_t *p, size_t n, struct record_mark *out);
int record_mark_verify(const uint8_t *p, size_t n, const uint8_t stream_pk[RECORD_PK_BYTES]);
void record_mark_put(uint8_t p[RECORD_MARK_BYTES], struct record_mark *in);

/* Signs a header or mark of n bytes in place, with the stream's secret key. */
void record_sign(uint8_t *p, size_t n, const uint8_t stream_sk[64]);

/* A data record from payload_bytes of content (at most RECORD_PAYLOAD_BYTES_MAX). Returns its length. */
size_t record_data_seal(uint8_t p[RECORD_BYTES_MAX], struct record_prefix *prefix, uint8_t flags,
        const uint8_t *payload, size_t payload_bytes, const uint8_t data_key[32]);
/* Opens one of n bytes; payload may be p itself. Returns the payload's length, or -1 with EBADMSG. */
long record_data_open(
        const uint8_t *p, size_t n, uint8_t *flags, uint8_t *payload, const uint8_t data_key[32]);
#endif
