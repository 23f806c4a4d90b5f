#include "tap.h"
#include "y4m.h"

#include <stdlib.h>
#include <string.h>

static struct y4m y;

/* From memory of exactly this size, so that a sanitizer sees a read too far. */
static int parse(const char *s, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);
	memcpy(p, s, n);
	int r = y4m_header_parse(p, n, &y);
	free(p);
	return r;
}

static int is_video(uint32_t w, uint32_t h, uint32_t num, uint32_t den)
{
	return y.video.width == w && y.video.height == h && y.video.rate_num == num &&
	       y.video.rate_den == den;
}

static void good(void)
{
	static const char *const chroma[] = {"C420", "C420jpeg", "C420mpeg2", "C420paldv"};
	static const uint8_t loc[] = {1, 1, 0, 2};
	const char *s =
	        "YUV4MPEG2 W1280 H720 F30000:1001 Ip A1:1 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=LIMITED";

	ok(parse(s, strlen(s)) == 0 && is_video(1280, 720, 30000, 1001), "a header as ffmpeg writes it");
	ok(y.video.sar_num == 1 && y.video.sar_den == 1 && !y.video.full_range && !y.video.matrix,
	        "its aspect ratio and range");
	s = "YUV4MPEG2  H16 XCOLORRANGE=FULL F25:1 W4096  ";
	ok(parse(s, strlen(s)) == 0 && is_video(4096, 16, 25, 1), "any order, more spaces, no I, A, C");
	ok(y.video.full_range && y.video.chroma_loc == 1 && !y.video.sar_num,
	        "full range, chroma as jpeg, aspect unknown");
	for (size_t i = 0; i < 4; i++) {
		char line[100];
		int n = snprintf(line, sizeof line, "YUV4MPEG2 W64 H64 F1:60 I? A0:0 %s", chroma[i]);
		ok(parse(line, (size_t)n) == 0 && y.video.chroma_loc == loc[i], "%s", chroma[i]);
	}
	s = "YUV4MPEG2 XYSCSS=444 W64 H64 F240:1 C420jpeg Xanything goes";
	ok(parse(s, strlen(s)) < 0 && strcmp(y.bad, "goes") == 0, "a comment ends at a space");
	s = "YUV4MPEG2 XYSCSS=444 W64 H64 F240:1 C420jpeg Xanything";
	ok(parse(s, strlen(s)) == 0, "a C tag outranks a comment");
}

static void bad(const char *tags, const char *tag, const char *why)
{
	char line[2000];
	int n = snprintf(line, sizeof line, "YUV4MPEG2%s%s", *tags ? " " : "", tags);
	int r = parse(line, (size_t)n);
	ok(r < 0 && strcmp(y.bad, tag) == 0 && strstr(y.why, why), "refused: %.40s",
	        *tags ? tags : "nothing");
	if (r == 0 || strcmp(y.bad, tag) != 0 || !strstr(y.why, why))
		printf("#   returned %d: '%s': %s\n", r, y.bad, r ? y.why : "");
}

static void refused(void)
{
	static const char *const tags[][2] = {{"C422", "C422"}, {"C444", "C444"}, {"C420p10", "C420p10"},
	        {"Cmono", "Cmono"}, {"C", "C"}, {"XYSCSS=422", "XYSCSS=422"}, {"It", "It"}, {"Ib", "Ib"},
	        {"Im", "Im"}, {"I", "I"}, {"Ipp", "Ipp"}, {"Q1", "Q1"}, {"A1", "A1"},
	        {"A70000:1", "A70000:1"}, {"A-1:1", "A-1:1"}, {"W64", "W64"},
	        {"Cmore-than-thirty-one-bytes-are-cut-short", "Cmore-than-thirty-one-bytes-are"}};
	static const char *const sizes[][2] = {{"W63 H64", "W63"}, {"W64 H65", "H65"}, {"W14 H64", "W14"},
	        {"W0 H64", "W0"}, {"W4098 H64", "W4098"}, {"W64 H99999999999", "H99999999999"},
	        {"W64 H4294967360", "H4294967360"}, {"W-64 H64", "W-64"}, {"W64x H64", "W64x"},
	        {"W H64", "W"}};
	static const char *const rates[][2] = {{"F25", "F25"}, {"F0:0", "F0:0"}, {"F25:0", "F25:0"},
	        {"F:", "F:"}, {"F25:", "F25:"}, {"F241:1", "F241:1"}, {"F1:61", "F1:61"},
	        {"F2147483648:1", "F2147483648:1"}, {"F1:1:1", "F1:1:1"}};
	char line[200];

	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		snprintf(line, sizeof line, "W64 H64 F25:1 %s", tags[i][0]);
		bad(line, tags[i][1], "");
	}
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		snprintf(line, sizeof line, "%s F25:1", sizes[i][0]);
		bad(line, sizes[i][1], "");
	}
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		snprintf(line, sizeof line, "W64 H64 %s", rates[i][0]);
		bad(line, rates[i][1], "frame rate");
	}
	bad("", "", "missing");
	bad("H64 F25:1", "", "missing");
	bad("W64 F25:1", "", "missing");
	bad("W64 H64", "", "missing");
	bad("W64 H64 F25:1 F25:1", "F25:1", "twice");
}

int main(void)
{
	static char line[Y4M_LINE_BYTES_MAX + 1];

	good();
	refused();
	ok(parse("", 0) < 0, "no bytes");
	ok(parse("YUV4MPEG", 8) < 0, "part of the magic word");
	ok(parse("YUV4MPEG22 W64 H64 F25:1", 24) < 0, "a longer magic word");
	ok(parse("RIFF", 4) < 0, "something else");
	ok(parse("YUV4MPEG2 W64 H64 F25:1 \0", 25) < 0, "a NUL is no tag");
	ok(parse("YUV4MPEG2 W64\0 H64 F25:1", 24) < 0, "a NUL is no digit");

	int n = snprintf(line, sizeof line, "YUV4MPEG2 W64 H64 F25:1 X");
	memset(line + n, 'x', sizeof line - (size_t)n);
	ok(parse(line, Y4M_LINE_BYTES_MAX - 1) == 0, "%d bytes", Y4M_LINE_BYTES_MAX - 1);
	ok(parse(line, Y4M_LINE_BYTES_MAX) < 0, "%d bytes are too many", Y4M_LINE_BYTES_MAX);

	ok(y4m_frame_parse((const uint8_t *)"FRAME", 5) == 0, "FRAME");
	ok(y4m_frame_parse((const uint8_t *)"FRAME Ippp Xwhatever", 20) == 0, "FRAME with parameters");
	ok(y4m_frame_parse((const uint8_t *)"FRAM", 4) < 0, "FRAM");
	ok(y4m_frame_parse((const uint8_t *)"FRAMES", 6) < 0, "FRAMES");
	ok(y4m_frame_parse((const uint8_t *)"", 0) < 0, "an empty frame line");
	return tap_done();
}
