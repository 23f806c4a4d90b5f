#include "au.h"
#include "sei.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AUD "\0\0\0\1\x09\x10"
#define SPS "\0\0\0\1\x67\x42\xc0\x1f"
#define PPS "\0\0\1\x68\xce"
#define SEI "\0\0\1\6\5\1\x55\x80"
#define IDR "\0\0\1\x65\x88\x84\1\2"
#define P "\0\0\0\1\x41\x9a\0\0\3\1\5\6\7"

static const struct stamp stamp = {77, {1700000000123456789, 42000000001, CLOCKS_SYNCHRONISED}, 321};

/* From memory of exactly this size. */
static struct au *make(const char *s, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);
	memcpy(p, s, n);
	struct au *au = au_make(p, n, &stamp);
	free(p);
	return au;
}
#define MAKE(s) make(s, sizeof(s) - 1)

/* What au holds is before + our message + rest. */
static int is(const struct au *au, const char *before, size_t nb, const char *rest, size_t nr, int idr)
{
	struct sei sei;

	if (!au || au->bytes != nb + SEI_NAL_BYTES + nr || au->sei_at != nb || au->idr != idr ||
	        memcmp(au->data, before, nb) != 0 || memcmp(au->data + nb + SEI_NAL_BYTES, rest, nr) != 0 ||
	        memcmp(au->data + nb, "\0\0\0\1", 4) != 0)
		return 0;
	if (sei_parse(au->data + nb + 4, SEI_NAL_BYTES - 4, &sei) < 0)
		return 0;
	return sei.rest_bytes == nr && sei.frame == 77 && sei.utc_ns == stamp.clocks.utc_ns &&
	       sei.boot_ns == stamp.clocks.boot_ns && sei.clock_state == CLOCKS_SYNCHRONISED &&
	       sei.motion == 321;
}
#define IS(au, before, rest, idr) is(au, before, sizeof(before) - 1, rest, sizeof(rest) - 1, idr)

static void made(struct au *au, int good, const char *what)
{
	ok(good, "%s", what);
	free(au);
}

static void refused(struct au *au, const char *what)
{
	int error = errno;
	ok(!au && error == EBADMSG, "refused: %s", what);
	free(au);
}

int main(void)
{
	struct au *au;
	struct sei sei;

	au = MAKE(AUD SPS PPS IDR);
	made(au, IS(au, AUD SPS PPS, IDR, 1), "after the parameter sets of an IDR picture");
	au = MAKE(AUD SPS PPS SEI IDR IDR);
	made(au, IS(au, AUD SPS PPS, SEI IDR IDR, 1), "before the encoder's own message, several slices");
	au = MAKE(AUD P P);
	made(au, IS(au, AUD, P P, 0), "after the delimiter of another picture");
	au = MAKE(AUD SEI P);
	made(au, IS(au, AUD, SEI P, 0), "before its message");
	au = MAKE(P);
	made(au, IS(au, "\0\0\0\1\x09\xf0", P, 0), "a delimiter is added");
	au = MAKE(SPS PPS IDR);
	made(au, IS(au, "\0\0\0\1\x09\xf0" SPS PPS, IDR, 1), "a delimiter is added to an IDR picture");

	au = MAKE(AUD P);
	au_tell(au, 4000000000u);
	ok(sei_parse(au->data + au->sei_at + 4, SEI_NAL_BYTES - 4, &sei) == 0 && sei.dropped == 4000000000u &&
	                sei.frame == 77 && IS(au, AUD, P, 0),
	        "the number of dropped frames is told later, nothing else changes");
	free(au);

	refused(MAKE(""), "nothing");
	refused(MAKE("\0\0\1"), "a start code");
	refused(MAKE(AUD SPS PPS), "no slice");
	refused(MAKE(AUD IDR), "an IDR picture without parameter sets");
	refused(MAKE(AUD SPS IDR), "an IDR picture without PPS");
	refused(MAKE(AUD PPS IDR), "an IDR picture without SPS");
	refused(MAKE("no start code here"), "no Annex B");
	return tap_done();
}
