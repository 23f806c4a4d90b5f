#define _GNU_SOURCE
#include "sealer.h"

#include "fdio.h"
#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void boot_id(uint8_t out[RECORD_BOOTID_BYTES])
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read(fd, text, sizeof text);

	memset(out, 0, RECORD_BOOTID_BYTES);
	if (n > 0)
		sodium_hex2bin(out, RECORD_BOOTID_BYTES, text, (size_t)n, "-\n", NULL, NULL);
	if (fd >= 0)
		close(fd);
}

int sealer_start(struct sealer *s, int out_fd, struct epoch *e, const struct epoch_state *state, int lost,
        const uint8_t device_sk[64], uint16_t channel, uint8_t kind)
{
	struct record_header *h = &s->header;

	memset(s, 0, sizeof *s);
	s->out_fd = out_fd;
	s->epoch = e;
	s->state = *state;
	if (!(s->secrets = sodium_malloc(sizeof *s->secrets)))
		return -1;
	crypto_sign_keypair(h->stream_pk, s->secrets->stream_sk);
	record_stream_id(h->prefix.stream, h->stream_pk);
	memcpy(h->device_pk, device_sk + 32, RECORD_PK_BYTES);
	h->epoch = ++s->state.raised;
	h->channel = channel;
	h->kind = kind;
	h->flags = lost ? RECORD_EPOCH_LOST : 0;
	record_certify(h, device_sk);
	boot_id(h->boot_id);
	/* no header with this epoch may leave before the disk has it */
	return epoch_write(e, &s->state) < 0 || epoch_sync(e, 1) < 0 ? -1 : 0;
}

void sealer_wipe(struct sealer *s)
{
	sodium_free(s->secrets);
	sodium_memzero(s, sizeof *s);
}

static int record_write(struct sealer *s, const uint8_t *p, size_t n)
{
	if (fd_write(s->out_fd, p, n) < 0)
		return -1;
	s->segment_bytes += n;
	return 0;
}

/* The mark has left: the next header links to it. A file that cannot be written must not stop the camera; the
 * link of the next start is then an older one, which a verifier sees. */
static void mark_remember(struct sealer *s, const struct record_prefix *prefix, const uint8_t *p)
{
	s->state.epoch = s->header.epoch;
	memcpy(s->state.stream, prefix->stream, sizeof s->state.stream);
	s->state.segment = prefix->segment;
	s->state.record = prefix->record;
	s->state.type = prefix->type;
	record_hash(s->state.hash, p, prefix->length);
	if (epoch_write(s->epoch, &s->state) < 0)
		msg_errno("epoch file: the last mark was not written");
	s->marked_ns = clocks_boot_ns();
	s->stretch_bytes = 0;
	s->stretch_first = s->record + 1;
	crypto_generichash_init(&s->stretch, NULL, 0, RECORD_HASH_BYTES);
}

static void link_previous(struct record_link *l, const struct epoch_state *last)
{
	memset(l, 0, sizeof *l);
	if (!last->type)
		return;
	l->previous = last->type == RECORD_END ? RECORD_PREVIOUS_ENDED : RECORD_PREVIOUS_CUT;
	l->epoch = last->epoch;
	memcpy(l->stream, last->stream, sizeof l->stream);
	l->segment = last->segment;
	l->record = last->record;
	memcpy(l->hash, last->hash, sizeof l->hash);
}

/* The keys for now. Calendars follow a synchronised clock only, and never go back. */
static void set_choose(struct sealer *s, const struct clocks *now)
{
	uint8_t hash[RECORD_HASH_BYTES], none[RECORD_HASH_BYTES] = {0};
	unsigned month = now->state == CLOCKS_SYNCHRONISED ? recipients_month(now->utc_ns) : 0;

	if (month > s->state.month)
		s->state.month = month;
	unsigned ended = recipients_choose(s->recipients, s->state.month, &s->set);
	if (ended && !s->ended_told)
		msg("%u calendars of recipients have ended: their last keys stay in use", ended);
	s->ended_told = ended > 0;
	record_hash(hash, s->set.pk[0], s->set.n * RECORD_PK_BYTES);
	int changed = memcmp(hash, s->state.recipients, sizeof hash) != 0 &&
	              memcmp(none, s->state.recipients, sizeof none) != 0;
	memcpy(s->state.recipients, hash, sizeof hash);
	s->header.flags =
	        (uint8_t)((s->header.flags & RECORD_EPOCH_LOST) | (changed ? RECORD_RECIPIENTS_CHANGED : 0));
}

static void seal_file_key(struct sealer *s, struct record_header *h)
{
	const struct recipients_set *r = &s->set;

	randombytes_buf(s->secrets->file_key, sizeof s->secrets->file_key);
	record_commitment(h->commitment, s->secrets->file_key, h->prefix.stream, h->prefix.segment);
	h->recipients = (uint16_t)r->n;
	for (size_t i = 0; i < r->n; i++) {
		record_keyid(h->slot[i].keyid, h->prefix.stream, r->pk[i]);
		/* cannot fail: the key was tried when it was loaded */
		if (crypto_box_seal(h->slot[i].sealed, s->secrets->file_key, sizeof s->secrets->file_key,
		            r->pk[i]) != 0)
			die(EXIT_BUG, "recipient %zu: cannot be sealed to", i);
	}
}

int sealer_open(struct sealer *s, const struct clocks *first)
{
	uint8_t p[RECORD_BYTES_MAX];
	struct record_header *h = &s->header;

	h->prefix.segment = s->next_segment++;
	h->clock_state = first->state;
	h->utc_ns = first->utc_ns;
	h->boot_ns = first->boot_ns;
	set_choose(s, first);
	link_previous(&h->previous, &s->state);
	seal_file_key(s, h);
	size_t n = record_header_put(p, h);
	record_sign(p, n, s->secrets->stream_sk);
	record_hash(s->header_hash, p, n);
	record_data_key(s->secrets->data_key, s->secrets->file_key, s->header_hash);
	sodium_memzero(s->secrets->file_key, sizeof s->secrets->file_key);

	s->open = 1;
	s->record = 0;
	s->segment_bytes = 0;
	s->access_units = s->drops = 0;
	s->payload_bytes = 0;
	s->au = *first;
	s->opened_ns = clocks_boot_ns();
	if (record_write(s, p, n) < 0)
		return -1;
	mark_remember(s, &h->prefix, p);
	return 0;
}

static int data_write(struct sealer *s, uint8_t flags, const uint8_t *payload, size_t payload_bytes)
{
	uint8_t p[RECORD_BYTES_MAX];
	struct record_prefix prefix = s->header.prefix;

	if (s->stretch_bytes + RECORD_DATA_OVERHEAD_BYTES + payload_bytes > RECORD_STRETCH_BYTES_MAX &&
	        sealer_mark(s, RECORD_CHECKPOINT, RECORD_REASON_LENGTH) < 0)
		return -1;
	prefix.record = ++s->record;
	size_t n = record_data_seal(p, &prefix, flags, payload, payload_bytes, s->secrets->data_key);
	crypto_generichash_update(&s->stretch, p, n);
	s->stretch_bytes += n;
	return record_write(s, p, n);
}

int sealer_flush(struct sealer *s, uint8_t flags)
{
	size_t n = s->pending_bytes;

	if (!n)
		return 0;
	flags |= s->pending_flags;
	s->pending_bytes = 0;
	s->pending_flags = 0;
	if (data_write(s, flags, s->pending, n) < 0)
		return -1;
	s->payload_bytes += n;
	return 0;
}

int sealer_bytes(struct sealer *s, uint8_t flags, const uint8_t *p, size_t n)
{
	s->pending_flags |= flags;
	while (n) {
		/* a full record waits for one byte more, so that the last one of an access unit can say so */
		if (s->pending_bytes == sizeof s->pending && sealer_flush(s, 0) < 0)
			return -1;
		size_t room = sizeof s->pending - s->pending_bytes, take = n < room ? n : room;
		memcpy(s->pending + s->pending_bytes, p, take);
		s->pending_bytes += take;
		p += take;
		n -= take;
	}
	return 0;
}

int sealer_repeat(struct sealer *s, const uint8_t *p, size_t n)
{
	while (n) {
		size_t take = n < RECORD_PAYLOAD_BYTES_MAX ? n : RECORD_PAYLOAD_BYTES_MAX;
		if (data_write(s, RECORD_REPEATED, p, take) < 0)
			return -1;
		p += take;
		n -= take;
	}
	return 0;
}

int sealer_mark(struct sealer *s, uint8_t type, uint8_t reason)
{
	uint8_t p[RECORD_MARK_BYTES];

	/* data_write marks for its length while a record is on its way: nothing is pending then */
	if (sealer_flush(s, 0) < 0)
		return -1;
	struct record_mark m = {.prefix = s->header.prefix,
	        .first_record = s->stretch_first,
	        .clock_state = s->au.state,
	        .reason = reason,
	        .utc_ns = s->au.utc_ns,
	        .boot_ns = s->au.boot_ns,
	        .access_units = s->access_units,
	        .drops = s->drops,
	        .payload_bytes = s->payload_bytes};
	m.prefix.type = type;
	m.prefix.record = ++s->record;
	memcpy(m.header_hash, s->header_hash, sizeof m.header_hash);
	memcpy(m.previous_hash, s->state.hash, sizeof m.previous_hash);
	crypto_generichash_final(&s->stretch, m.stretch_hash, sizeof m.stretch_hash);
	record_mark_put(p, &m);
	record_sign(p, sizeof p, s->secrets->stream_sk);
	if (record_write(s, p, sizeof p) < 0)
		return -1;
	mark_remember(s, &m.prefix, p);
	if (type != RECORD_END)
		return 0;
	s->open = 0;
	sodium_memzero(s->secrets->data_key, sizeof s->secrets->data_key);
	if (epoch_sync(s->epoch, 0) < 0)
		msg_errno("epoch file: not on the disk");
	return 0;
}
