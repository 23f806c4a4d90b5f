/* The detector. Reads a quarter of the rows of a picture's luma; holds a background, the noise and the last
 * few pictures as means of some thousands of cells. No input or output.
 *
 * Units: luma is 0 to 255; means are in 256ths of it. */
#define _GNU_SOURCE
#include "motion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	CELLS_MAX = 4800,
	CELL_STEP = 8,     /* a cell's side is a multiple: eight samples are added at once */
	CELL_SAMPLES = 32, /* at least, of each cell, in rows */
	LUMA = 256,        /* units of a mean */
	BANDS = 16,        /* of background luma, for the curve of a change of light */
	BAND_CELLS_MIN = 12,
	LIGHT_STEP = 3,   /* each so many cells are asked about the light */
	LAG_MAX = 32,     /* frames */
	LAG_MS = 130,     /* what changed within this time is changing */
	SETTLE_MS = 2000, /* after the start */
	CONTRAST_MIN = 4 * LUMA,
	NOISE_FACTOR = 3, /* times the typical deviation of this picture's cells */
	CHANGE_FACTOR = 2,
	PLACE_FACTOR = 6,    /* times the typical deviation of this cell */
	CHANGING_MIN = 2,    /* cells of a component, and */
	CHANGING_SHARE = 32, /* one in so many */
	FLOOD_PERCENT = 45,  /* more than this at once is no object */
	ADAPT_MS = 2000,
	NOISE_MS = 3000,
	EVIDENCE_MAX = 255,
	MOVING_FACTOR = 16,
	LIGHT_PERCENT = 5, /* more than this, standing still */
	BINS = 256,
	BIN = LUMA / 8,
	DROPS_MAX = 10 * LUMA,
	NOISE_MAX = 16 * LUMA,
	UNIT = 4,
	PACE_BITS = 16,
	FLASH = 12 * LUMA,
	SURE = 3,
	SMALL = 9,
};

/* What is known of a cell in this frame. */
enum { DIFFERENT = 1, CHANGING = 2, SOLID = 4 };

struct motion {
	uint32_t columns, rows, cells, side, cell_rows;
	uint64_t scale;                       /* of a cell's sum to its mean, in 1 << PACE_BITS */
	unsigned lag;                         /* frames; what lasts longer than it is no single change */
	unsigned reach;                       /* cells that something may move in a frame */
	int32_t pace, pace_light, pace_noise; /* of 1 << PACE_BITS a frame: how fast what is learned is */
	uint32_t settle;                      /* frames still to come before anything counts */
	uint32_t standing;                    /* cells that have changed and stand still */
	uint32_t seen, doubt; /* doubt: frames still to come in which the light has just changed */
	int32_t *background, *noise;
	int32_t *past;       /* the last lag grids, a ring; the newest light is laid over them, too */
	int32_t *now, *rest; /* means; what differs from the background once light is taken out */
	uint16_t *still;     /* frames for which a cell has differed and not changed */
	uint16_t *queue;     /* of the walk through a component */
	uint8_t *active, *evidence, *before;
};

static uint32_t frames_of(const struct video *v, uint64_t ms)
{
	uint64_t n = (ms * v->rate_num / v->rate_den + 500) / 1000;
	return n < 1 ? 1 : n > UINT16_MAX ? UINT16_MAX : (uint32_t)n;
}

struct motion *motion_open(const struct video *v)
{
	struct motion *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->side = CELL_STEP;
	while ((v->width / m->side) * (v->height / m->side) > CELLS_MAX)
		m->side += CELL_STEP;
	m->columns = v->width / m->side;
	m->rows = v->height / m->side;
	m->cells = m->columns * m->rows;
	m->cell_rows = m->side < CELL_SAMPLES / 2 ? CELL_SAMPLES / m->side : 2;
	m->scale = (((uint64_t)LUMA << PACE_BITS) + m->side * m->cell_rows - 1) / (m->side * m->cell_rows);
	m->lag = frames_of(v, LAG_MS);
	m->lag = m->lag > LAG_MAX ? LAG_MAX : m->lag;
	uint32_t fps = frames_of(v, 1000);
	m->reach = fps >= 20 ? 1 : fps >= 10 ? 2 : 4;
	m->pace = (1 << PACE_BITS) / (int32_t)frames_of(v, ADAPT_MS);
	m->pace_light = (1 << PACE_BITS) / (int32_t)m->lag;
	m->pace_noise = (1 << PACE_BITS) / (int32_t)frames_of(v, NOISE_MS);
	m->settle = frames_of(v, SETTLE_MS);
	m->background = calloc(m->cells * (5 + (size_t)m->lag), sizeof *m->background);
	m->still = calloc((size_t)m->cells * 2, sizeof *m->still);
	m->active = calloc((size_t)m->cells * 3, 1);
	if (!m->background || !m->still || !m->active) {
		motion_close(m);
		errno = ENOMEM;
		return NULL;
	}
	m->noise = m->background + m->cells;
	m->now = m->noise + m->cells;
	m->rest = m->now + m->cells;
	m->past = m->rest + m->cells;
	m->queue = m->still + m->cells;
	m->evidence = m->active + m->cells;
	m->before = m->evidence + m->cells;
	return m;
}

void motion_close(struct motion *m)
{
	free(m->background);
	free(m->still);
	free(m->active);
	free(m);
}

/* --- the picture as cells --- */

/* Eight samples at a time, in four lanes of 16 bits, which together stay below 1 << 16: at most 4 rows of 8
 * samples or 2 of 56. */
static uint32_t cell_sum(const uint8_t *p, size_t stride, uint32_t side, uint32_t rows)
{
	const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t lanes = 0, word;

	for (uint32_t row = 0; row < rows; row++, p += stride)
		for (uint32_t at = 0; at < side; at += sizeof word) {
			memcpy(&word, p + at, sizeof word);
			lanes += (word & even) + (word >> 8 & even);
		}
	return (uint32_t)(lanes * UINT64_C(0x0001000100010001) >> 48);
}

static void cells_read(struct motion *m, const struct frame *f)
{
	const uint32_t step = m->side / m->cell_rows;
	int32_t *out = m->now;

	for (uint32_t y = 0; y < m->rows; y++) {
		const uint8_t *row = f->plane[0] + ((size_t)y * m->side + step / 2) * f->stride[0];
		for (uint32_t x = 0; x < m->columns; x++)
			*out++ = (int32_t)(cell_sum(row + (size_t)x * m->side, (size_t)step * f->stride[0],
			                           m->side, m->cell_rows) *
			                           m->scale >>
			                   PACE_BITS);
	}
}

static int32_t magnitude(int32_t v)
{
	return v < 0 ? -v : v;
}

/* --- light --- */

/* How much brighter the picture is, as a function of the background's luma: the median of the differences in
 * each band, straight lines in between. */
struct light {
	unsigned points;
	int32_t at[BANDS], by[BANDS];
};

static unsigned band_of(int32_t luma)
{
	int32_t band = luma * BANDS / (256 * LUMA);
	return band < 0 ? 0 : band >= BANDS ? BANDS - 1 : (unsigned)band;
}

/* The median of n numbers, whose order is changed. (Wirth, Algorithms + Data Structures, 2.3.4) */
static int32_t median(int32_t *p, int32_t n)
{
	int32_t lo = 0, hi = n - 1, want = n / 2;

	while (lo < hi) {
		int32_t pivot = p[want], i = lo, j = hi;
		do {
			while (p[i] < pivot)
				i++;
			while (pivot < p[j])
				j--;
			if (i <= j) {
				int32_t t = p[i];
				p[i++] = p[j];
				p[j--] = t;
			}
		} while (i <= j);
		if (j < want)
			lo = i;
		if (want < i)
			hi = j;
	}
	return p[want];
}

/* Uses rest for the differences, band by band. */
static void light_find(struct motion *m, struct light *l)
{
	uint32_t begin[BANDS + 1] = {0}, at[BANDS];
	int64_t sum[BANDS] = {0};

	for (uint32_t i = 0; i < m->cells; i += LIGHT_STEP)
		begin[band_of(m->background[i]) + 1]++;
	for (unsigned b = 0; b < BANDS; b++) {
		begin[b + 1] += begin[b];
		at[b] = begin[b];
	}
	for (uint32_t i = 0; i < m->cells; i += LIGHT_STEP) {
		unsigned b = band_of(m->background[i]);
		m->rest[at[b]++] = m->now[i] - m->background[i];
		sum[b] += m->background[i];
	}
	l->points = 0;
	for (unsigned b = 0; b < BANDS; b++) {
		uint32_t n = begin[b + 1] - begin[b];
		if (n < BAND_CELLS_MIN)
			continue;
		l->at[l->points] = (int32_t)(sum[b] / n);
		l->by[l->points++] = median(m->rest + begin[b], (int32_t)n);
	}
	if (!l->points) { /* a small picture of many colours */
		l->at[0] = 0;
		l->by[l->points++] = median(m->rest, (int32_t)begin[BANDS]);
	}
}

static int32_t light_at(const struct light *l, int32_t luma)
{
	unsigned i = 1;

	if (l->points == 1 || luma <= l->at[0])
		return l->by[0];
	while (i < l->points - 1 && luma > l->at[i])
		i++;
	if (luma >= l->at[i])
		return l->by[i];
	return l->by[i - 1] + (int32_t)((int64_t)(l->by[i] - l->by[i - 1]) * (luma - l->at[i - 1]) /
	                                (l->at[i] - l->at[i - 1]));
}

/* The background, and what was seen before, as they would look in this light. */
static bool light_follow(struct motion *m)
{
	bool sudden = false, changed = false;
	int32_t table[256];
	struct light l;

	light_find(m, &l);
	for (unsigned i = 0; i < l.points; i++) {
		sudden |= magnitude(l.by[i]) > FLASH;
		changed |= magnitude(l.by[i]) > LUMA / 2;
	}
	for (int32_t i = 0; i < 256; i++)
		table[i] = light_at(&l, i * LUMA + LUMA / 2);
	for (uint32_t i = 0; i < m->cells; i++) {
		int32_t luma = m->background[i] / LUMA;
		m->background[i] += table[luma < 0 ? 0 : luma > 255 ? 255 : luma];
		m->rest[i] = m->now[i] - m->background[i];
	}
	for (uint32_t i = 0; changed && i < m->cells * m->lag; i++) {
		int32_t luma = m->past[i] / LUMA;
		m->past[i] += table[luma < 0 ? 0 : luma > 255 ? 255 : luma];
	}
	return sudden;
}

/* --- what differs --- */

/* What share percent of the cells deviate by no more than. */
static int32_t quantile(const uint32_t *bin, uint32_t cells, uint32_t percent)
{
	uint32_t below = 0;
	int32_t i = 0;

	while (i < BINS - 1 && (below += bin[i]) < cells * percent / 100)
		i++;
	return (i + 1) * BIN;
}

/* Above the noise: seven in ten cells stay below about one standard deviation of it, and little of what moves
 * in a part of the picture changes that. Drops are fewer and stand out more; up to a limit, beyond which it
 * may be a large thing that does. */
static int32_t threshold(const struct motion *m, const int32_t *then, int32_t factor)
{
	uint32_t bin[BINS] = {0};
	int32_t most = CONTRAST_MIN;

	for (uint32_t c = 0; c < m->cells; c++) {
		int32_t d = magnitude(m->now[c] - then[c]) / BIN;
		bin[d < BINS ? d : BINS - 1]++;
	}
	int32_t noise = factor * quantile(bin, m->cells, 70), drops = 3 * quantile(bin, m->cells, 95) / 2;
	drops = drops < DROPS_MAX ? drops : DROPS_MAX;
	most = noise > most ? noise : most;
	return drops > most ? drops : most;
}

/* Cells that are not what they should be, and whether they are what they were a moment ago. How many differ.
 */
static uint32_t cells_judge(struct motion *m, const int32_t *then)
{
	const int32_t differs = threshold(m, m->background, NOISE_FACTOR);
	const int32_t changes = threshold(m, then, CHANGE_FACTOR);
	uint32_t n = 0;

	m->standing = 0;
	for (uint32_t i = 0; i < m->cells; i++) {
		int32_t rest = magnitude(m->rest[i]);
		bool different = rest > differs && rest / UNIT * (rest / UNIT) > m->noise[i] * PLACE_FACTOR;
		bool changing = different && magnitude(m->now[i] - then[i]) > changes;
		m->active[i] = (different ? DIFFERENT : 0) | (changing ? CHANGING : 0);
		if (!different || changing)
			m->still[i] = 0;
		else if (m->still[i] < UINT16_MAX)
			m->still[i]++;
		m->standing += m->still[i] > 2 * m->lag;
		n += different;
	}
	return n;
}

/* Marks what fills two cells by two: a streak of rain is long, but thin. */
static void cells_open(struct motion *m)
{
	const uint32_t w = m->columns;

	for (uint32_t i = 0; i + w + 1 < m->cells; i++) {
		uint8_t *a = m->active + i;
		if (i % w == w - 1 || !(a[0] & a[1] & a[w] & a[w + 1] & DIFFERENT))
			continue;
		a[0] |= SOLID;
		a[1] |= SOLID;
		a[w] |= SOLID;
		a[w + 1] |= SOLID;
	}
}

/* How much of it a cell becomes background in a frame. What moves, little; what has changed and stands still,
 * more; and when there is much of that, it is light. */
static int32_t pace_of(const struct motion *m, uint32_t cell, bool light)
{
	if (m->active[cell] & CHANGING)
		return m->pace / MOVING_FACTOR;
	if (m->still[cell] <= 2 * m->lag)
		return m->pace;
	return light ? m->pace_light : 2 * m->pace;
}

static int32_t part(int32_t v, int32_t pace)
{
	return (int32_t)((int64_t)v * pace / (1 << PACE_BITS));
}

static void background_follow(struct motion *m)
{
	const bool light = m->standing * 100 > m->cells * LIGHT_PERCENT;

	for (uint32_t i = 0; i < m->cells; i++) {
		int32_t rest = magnitude(m->rest[i]), seen = (rest < NOISE_MAX ? rest : NOISE_MAX) / UNIT;
		m->background[i] += part(m->rest[i], pace_of(m, i, light));
		m->noise[i] += part(seen * seen - m->noise[i], m->pace_noise);
	}
}

/* --- what hangs together --- */

/* The most evidence within reach of a cell in the frame before. */
static uint8_t evidence_near(const struct motion *m, uint32_t x, uint32_t y)
{
	uint32_t x0 = x < m->reach ? 0 : x - m->reach,
	         x1 = x + m->reach < m->columns ? x + m->reach : m->columns - 1;
	uint32_t y0 = y < m->reach ? 0 : y - m->reach,
	         y1 = y + m->reach < m->rows ? y + m->reach : m->rows - 1;
	uint8_t most = 0;

	for (uint32_t v = y0; v <= y1; v++)
		for (uint32_t u = x0; u <= x1; u++)
			if (m->before[v * m->columns + u] > most)
				most = m->before[v * m->columns + u];
	return most;
}

/* Collects the component of cell first into queue; its cells are no longer active. The number of cells; *most
 * is the evidence that it takes over. */
static uint32_t component(struct motion *m, uint32_t first, uint8_t *most, uint32_t *changing)
{
	uint32_t head = 0, n = 0;

	*most = 0;
	*changing = (m->active[first] & CHANGING) != 0;
	m->active[first] = 0;
	m->queue[n++] = (uint16_t)first;
	while (head < n) {
		uint32_t c = m->queue[head++], x = c % m->columns, y = c / m->columns;
		uint8_t near = evidence_near(m, x, y);
		*most = near > *most ? near : *most;
		for (uint32_t v = y ? y - 1 : 0; v <= y + 1 && v < m->rows; v++)
			for (uint32_t u = x ? x - 1 : 0; u <= x + 1 && u < m->columns; u++)
				if (m->active[v * m->columns + u] & SOLID) {
					*changing += (m->active[v * m->columns + u] & CHANGING) != 0;
					m->active[v * m->columns + u] = 0;
					m->queue[n++] = (uint16_t)(v * m->columns + u);
				}
	}
	return n;
}

/* The cells that move. A component has the evidence of what it can have come from, and one more. */
static uint32_t components_judge(struct motion *m)
{
	uint32_t moving = 0, changing;
	uint8_t *swap = m->before, most;

	m->before = m->evidence;
	m->evidence = swap;
	memset(m->evidence, 0, m->cells);
	for (uint32_t i = 0; i < m->cells; i++) {
		if (!(m->active[i] & SOLID))
			continue;
		uint32_t n = component(m, i, &most, &changing);
		if (changing < CHANGING_MIN || changing * CHANGING_SHARE < n)
			continue;
		most = most < EVIDENCE_MAX ? (uint8_t)(most + 1) : EVIDENCE_MAX;
		for (uint32_t k = 0; k < n; k++)
			m->evidence[m->queue[k]] = most;
		if (most > (n < SMALL || m->doubt ? SURE * m->lag : m->lag))
			moving += n;
	}
	return moving;
}

/* --- the score --- */

static uint16_t root_permille(uint32_t part, uint32_t whole)
{
	uint64_t square = (uint64_t)part * MOTION_MAX * MOTION_MAX / whole;
	uint32_t r = 0;

	while ((uint64_t)(r + 1) * (r + 1) <= square)
		r++;
	return (uint16_t)r;
}

/* Everything begins again with this picture. */
static void begin(struct motion *m)
{
	for (uint32_t i = 0; i < m->cells; i++)
		m->background[i] = m->now[i];
	for (unsigned k = 0; k < m->lag; k++)
		memcpy(m->past + (size_t)k * m->cells, m->now, m->cells * sizeof *m->now);
	memset(m->evidence, 0, m->cells);
	memset(m->still, 0, m->cells * sizeof *m->still);
}

uint16_t motion_score(struct motion *m, const struct frame *f)
{
	uint32_t moving = 0;

	cells_read(m, f);
	int32_t *then = m->past + (size_t)(m->seen % m->lag) * m->cells;
	if (!m->seen) {
		begin(m);
	} else {
		if (light_follow(m))
			m->doubt = SURE * m->lag;
		else if (m->doubt)
			m->doubt--;
		uint32_t different = cells_judge(m, then);
		background_follow(m);
		cells_open(m);
		moving = components_judge(m);
		if (different * 100 > m->cells * FLOOD_PERCENT) {
			begin(m);
			m->settle = m->settle > 2 * m->lag ? m->settle : 2 * m->lag;
		}
	}
	memcpy(then, m->now, m->cells * sizeof *m->now);
	m->seen++;
	if (m->settle) {
		m->settle--;
		return 0;
	}
	return root_permille(moving, m->cells);
}
