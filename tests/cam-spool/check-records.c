/* check-records: what of the segments in folder ORACLE is in folder SPOOL?
 *
 * Every NAME.cam of SPOOL must hold whole records of ORACLE's NAME.cam, in order and nothing else (exit 1 if
 * not). Prints what is missing: runs of records, the longest of them in bytes (of those that do not begin
 * with the header: without it nobody can open the rest), and segments that are missing as a whole. */
#include "le.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t want[64 << 20], have[64 << 20];

static long file_read(const char *folder, const char *name, uint8_t *to)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	if (!f)
		return -1;
	long n = (long)fread(to, 1, sizeof want, f);
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	long runs = 0, longest = 0, whole = 0, segments = 0, found = 0;
	DIR *oracle = argc == 3 ? opendir(argv[1]) : NULL, *spool = argc == 3 ? opendir(argv[2]) : NULL;
	int bad = 0;

	if (!oracle || !spool)
		return 100;
	for (const struct dirent *e; (e = readdir(oracle));) {
		if (e->d_name[0] == '.')
			continue;
		segments++;
		long n = file_read(argv[1], e->d_name, want), m = file_read(argv[2], e->d_name, have), at = 0,
		     run = 0;
		if (m < 0) {
			whole++;
			continue;
		}
		found++;
		for (long i = 0; i < n; i += le_get16(want + i + 6)) {
			long length = le_get16(want + i + 6);
			if (m - at >= length && memcmp(want + i, have + at, (size_t)length) == 0) {
				at += length;
				run = 0;
			} else {
				runs += run == 0;
				run += length;
				longest = run > longest ? run : longest;
			}
		}
		if (at != m) {
			printf("%s: has %ld bytes that are not the segment's\n", e->d_name, m - at);
			bad = 1;
		}
	}
	for (const struct dirent *e; (e = readdir(spool));)
		found -= strlen(e->d_name) > 4 && strcmp(e->d_name + strlen(e->d_name) - 4, ".cam") == 0;
	closedir(oracle);
	closedir(spool);
	printf("segments %ld whole %ld runs %ld longest %ld\n", segments, whole, runs, longest);
	return bad || found;
}
