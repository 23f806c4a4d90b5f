/* au: access units as they are queued and written. */
#ifndef AU_H
#define AU_H
#include "video.h"

#include <stddef.h>

/* AUD, [SPS, PPS], our SEI message, the rest; Annex B. */
struct au {
	struct au *next;
	struct stamp stamp;
	bool idr;
	size_t sei_at; /* where the SEI message is */
	size_t bytes;
	uint8_t data[];
};

/* An access unit from an encoder's Annex B bytes, to be freed. NULL with EBADMSG (not one: no slice, or an
 * IDR picture without its parameter sets) or ENOMEM. An access unit delimiter is added when there is none. */
struct au *au_make(const uint8_t *p, size_t n, const struct stamp *stamp);
/* Writes the SEI message. dropped: frames before this one that are not in the stream. */
void au_tell(struct au *au, uint32_t dropped);
#endif
