#define _GNU_SOURCE
#include "report.h"

#include "clocks.h"
#include "msg.h"
#include "name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FINDINGS_MAX = 8, CAMERA_COLUMN = 11, NS_PER_S = 1000000000 };

static enum report_form form;
static int64_t newest_utc_ns = INT64_MIN;
static int progress_shown;

/* Of the segment that is open; more than FINDINGS_MAX are counted by the reader, but not all named. */
static struct {
	enum reader_verdict verdict;
	char text[READER_TEXT_BYTES_MAX];
} finding[FINDINGS_MAX];
static unsigned findings;

static void segment_name(char out[NAME_BYTES_MAX], const struct reader_segment *s)
{
	struct name n = {.epoch = s->header.epoch,
	        .segment = s->header.prefix.segment,
	        .utc_s = s->header.utc_ns < 0 ? 0 : (uint64_t)s->header.utc_ns / NS_PER_S,
	        .state = NAME_CAM};
	memcpy(n.stream, s->header.prefix.stream, sizeof n.stream);
	name_put(out, &n);
	*strrchr(out, '.') = '\0';
}

static double segment_seconds(const struct reader_segment *s)
{
	return s->mark.prefix.type && s->mark.boot_ns > s->header.boot_ns
	               ? (double)(s->mark.boot_ns - s->header.boot_ns) / NS_PER_S
	               : 0;
}

/* --- JSON --- */

static void json_string(const char *text)
{
	putchar('"');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20 || *p >= 0x7f)
			printf("\\u%04x", *p);
		else
			putchar(*p);
	putchar('"');
}

static void json_hex(const uint8_t *p, size_t n)
{
	putchar('"');
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
	putchar('"');
}

static void json_utc(int64_t utc_ns)
{
	time_t t = (time_t)(utc_ns >= 0 ? utc_ns / NS_PER_S : 0);
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	printf("\"%s.%03dZ\"", text, utc_ns >= 0 ? (int)(utc_ns % NS_PER_S / 1000000) : 0);
}

static void json_finding(enum reader_verdict v, const char *text)
{
	printf("{\"verdict\":");
	json_string(reader_verdict_name(v));
	printf(",\"detail\":");
	json_string(text);
	putchar('}');
}

static void json_segment(const struct reader_segment *s, const char *name)
{
	static const char *const kinds[] = {[RECORD_KIND_VIDEO] = "video",
	        [RECORD_KIND_BYTES] = "bytes",
	        [RECORD_KIND_REPORT] = "report"};
	const struct record_header *h = &s->header;
	char print[RECORD_FINGERPRINT_BYTES];

	record_fingerprint(h->device_pk, print);
	printf("{\"segment\":\"%s\",\"camera\":\"%s\",\"channel\":%u,\"kind\":\"%s\",\"epoch\":%" PRIu64
	       ",\"number\":%" PRIu32 ",\"stream\":",
	        name, print, h->channel, kinds[h->kind], h->epoch, h->prefix.segment);
	json_hex(h->prefix.stream, sizeof h->prefix.stream);
	printf(",\"start\":");
	json_utc(h->utc_ns);
	printf(",\"end\":");
	json_utc(s->mark.prefix.type ? s->mark.utc_ns : h->utc_ns);
	printf(",\"clock\":\"%s\",\"seconds\":%.3f,\"frames\":%" PRIu32 ",\"drops\":%" PRIu32
	       ",\"payload_bytes\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"recipients\":[",
	        clocks_state_name(h->clock_state), segment_seconds(s), s->mark.access_units, s->mark.drops,
	        s->mark.payload_bytes, s->record_bytes);
	for (int i = 0; i < h->recipients; i++) {
		if (i)
			putchar(',');
		json_hex(h->slot[i].keyid, sizeof h->slot[i].keyid);
	}
	printf("],\"ok\":%s,\"verdicts\":[", s->findings ? "false" : "true");
	for (unsigned i = 0; i < findings; i++) {
		if (i)
			putchar(',');
		json_finding(finding[i].verdict, finding[i].text);
	}
	printf("]}\n");
}

/* --- the table --- */

static void table_line(const struct reader_segment *s, const char *name)
{
	char when[64], print[RECORD_FINGERPRINT_BYTES];
	time_t t = (time_t)(s->header.utc_ns / NS_PER_S);
	struct tm tm;
	int said = 0;

	localtime_r(&t, &tm);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S%z", &tm);
	record_fingerprint(s->header.device_pk, print);
	printf("%-24s %-14s %8.1f %7" PRIu32 " %6" PRIu32 " %10" PRIu64 " %4u %.*s %3u  %s  ", when,
	        clocks_state_name(s->header.clock_state), segment_seconds(s), s->mark.access_units,
	        s->mark.drops, s->record_bytes, s->header.recipients, CAMERA_COLUMN, print, s->header.channel,
	        name);
	for (unsigned i = 0; i < findings; i++) {
		int again = finding[i].verdict <= READER_RECIPIENTS_CHANGED;
		for (unsigned k = 0; k < i; k++)
			again |= finding[k].verdict == finding[i].verdict;
		if (!again)
			printf("%s%s", said++ ? ", " : "", reader_verdict_name(finding[i].verdict));
	}
	puts(said ? "" : "ok");
}

/* --- from the reader --- */

void report_begin(enum report_form f)
{
	form = f;
	if (form == REPORT_TABLE)
		printf("%-24s %-14s %8s %7s %6s %10s %4s %-*s %3s  %-55s  %s\n", "start", "clock", "seconds",
		        "frames", "drops", "bytes", "keys", CAMERA_COLUMN, "camera", "ch", "segment",
		        "verdict");
}

void report_verdict(void *ctx, enum reader_verdict v, const struct reader_segment *s, const char *text)
{
	char name[NAME_BYTES_MAX] = "-";
	(void)ctx;

	if (s)
		segment_name(name, s);
	if (s && !s->late && findings < FINDINGS_MAX) {
		finding[findings].verdict = v;
		snprintf(finding[findings++].text, sizeof finding->text, "%s", text);
	}
	if (form == REPORT_VERDICTS)
		printf("%s\t%s\t%s\n", name, reader_verdict_name(v), text);
	if (form == REPORT_JSON && (!s || s->late)) {
		printf("{");
		if (s)
			printf("\"segment\":\"%s\",", name);
		printf("\"ok\":false,\"verdicts\":[");
		json_finding(v, text);
		printf("]}\n");
	}
	if ((form == REPORT_MESSAGES || (form == REPORT_TABLE && (!s || s->late))) &&
	        v > READER_RECIPIENTS_CHANGED) {
		report_progress_clear();
		msg("%s: %s: %s", name, reader_verdict_name(v), text);
	}
}

void report_closed(void *ctx, const struct reader_segment *s)
{
	char name[NAME_BYTES_MAX];
	int64_t utc_ns = s->mark.prefix.type ? s->mark.utc_ns : s->header.utc_ns;
	(void)ctx;

	segment_name(name, s);
	if (utc_ns > newest_utc_ns)
		newest_utc_ns = utc_ns;
	if (form == REPORT_TABLE)
		table_line(s, name);
	if (form == REPORT_JSON)
		json_segment(s, name);
	if (form == REPORT_VERDICTS && !s->findings)
		printf("%s\tok\t%" PRIu32 " access units, %" PRIu64 " bytes of content\n", name,
		        s->mark.access_units, s->mark.payload_bytes);
	if (form == REPORT_MESSAGES && s->torn_units) {
		report_progress_clear();
		msg("%s: %" PRIu32 " access units that the camera was cut off in are left out", name,
		        s->torn_units);
	}
	findings = 0;
}

int64_t report_newest_utc_ns(void)
{
	return newest_utc_ns;
}

/* --- progress --- */

void report_progress(unsigned files_done, unsigned files, uint64_t bytes)
{
	static time_t told;
	time_t now = time(NULL);

	if (files < 2 || now == told || !isatty(STDERR_FILENO) || isatty(STDOUT_FILENO))
		return;
	told = now;
	progress_shown =
	        fprintf(stderr, "\r%u of %u files, %" PRIu64 " MB ", files_done, files, bytes / 1000000) > 0;
}

void report_progress_clear(void)
{
	if (progress_shown)
		fprintf(stderr, "\r%60s\r", "");
	progress_shown = 0;
}
