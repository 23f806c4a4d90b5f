/* motion-score: the score of each frame of a YUV4MPEG2 stream on stdin, one a line, without an encoder; then,
 * on stderr, the CPU time that one took, in microseconds. For tests/motion.py. */
#define _GNU_SOURCE
#include "motion.h"
#include "y4m.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(void)
{
	char line[Y4M_LINE_BYTES_MAX];
	struct y4m header;
	double us = 0;
	unsigned frames = 0;

	if (!fgets(line, sizeof line, stdin) ||
	        y4m_header_parse((uint8_t *)line, strcspn(line, "\n"), &header) < 0)
		return 1;
	const size_t luma = (size_t)header.video.width * header.video.height;
	uint8_t *p = malloc(luma * 3 / 2);
	struct motion *m = motion_open(&header.video);
	const struct frame f = {.plane = {p}, .stride = {header.video.width}};
	if (!p || !m) {
		fputs("motion-score: out of memory\n", stderr);
		exit(111);
	}
	while (fgets(line, sizeof line, stdin) && fread(p, 1, luma * 3 / 2, stdin) == luma * 3 / 2) {
		double begun = cpu_us();
		unsigned score = motion_score(m, &f);
		us += cpu_us() - begun;
		frames++;
		printf("%u\n", score);
	}
	fprintf(stderr, "%.1f\n", frames ? us / frames : 0);
	motion_close(m);
	free(p);
	return 0;
}
