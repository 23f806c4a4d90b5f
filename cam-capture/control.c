/* The controls of a camera that can be set, and the parser of -C. No input or output. */
#define _GNU_SOURCE
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const balances[] = {
        "auto", "incandescent", "tungsten", "fluorescent", "indoor", "daylight", "cloudy", NULL};

/* Modes: since libcamera 0.5 there is one each for exposure and gain, 1 is manual; before, a camera takes a
 * time or a gain that is set for its own. */
static const struct control controls[] = {
        {"exposure", "ExposureTime", 1, "ExposureTimeMode", 1, NULL},
        {"gain", "AnalogueGain", 1, "AnalogueGainMode", 1, NULL},
        {"ev", "ExposureValue", 1, NULL, 0, NULL},
        {"white-balance", "AwbMode", 1, "AwbEnable", 1, balances},
        {"colour-gains", "ColourGains", 2, "AwbEnable", 0, NULL},
        {"brightness", "Brightness", 1, NULL, 0, NULL},
        {"contrast", "Contrast", 1, NULL, 0, NULL},
        {"saturation", "Saturation", 1, NULL, 0, NULL},
        {"sharpness", "Sharpness", 1, NULL, 0, NULL},
};

enum { CONTROLS = sizeof controls / sizeof *controls };

const struct control *control_at(size_t n)
{
	return n < CONTROLS ? &controls[n] : NULL;
}

static const struct control *find(const char *name, size_t n)
{
	for (size_t i = 0; i < CONTROLS; i++)
		if (strlen(controls[i].name) == n && memcmp(controls[i].name, name, n) == 0)
			return &controls[i];
	return NULL;
}

static void join(char *out, size_t n, const char *const words[])
{
	size_t at = 0;
	for (size_t i = 0; words[i] && at < n; i++)
		at += (size_t)snprintf(out + at, n - at, " %s", words[i]);
}

/* Decimal digits, with a sign and a point where they belong: what strtod() takes beyond that is refused. */
static bool number(const char *s, size_t n, double *out)
{
	char text[32], *end;

	if (!n || n >= sizeof text || strspn(s, "0123456789.+-") < n)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	*out = strtod(text, &end);
	return !*end;
}

static bool word(const char *const words[], const char *s, double *out)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], s) == 0) {
			*out = (double)i;
			return true;
		}
	return false;
}

static bool numbers(const char *s, unsigned n, double out[])
{
	for (unsigned i = 0; i < n; i++) {
		size_t len = strcspn(s, ",");
		if (!number(s, len, &out[i]) || (i + 1 < n) != (s[len] == ','))
			return false;
		s += len + 1;
	}
	return true;
}

int control_parse(const char *text, struct setting *out, char *why, size_t n)
{
	const char *equals = strchr(text, '=');
	const struct control *c = find(text, equals ? (size_t)(equals - text) : strlen(text));

	*out = (struct setting){.control = c};
	if (!c) {
		const char *names[CONTROLS + 1] = {NULL};
		for (size_t i = 0; i < CONTROLS; i++)
			names[i] = controls[i].name;
		int at = snprintf(why, n, "not a control: there are");
		join(why + at, n - (size_t)at, names);
		return -1;
	}
	if (!equals) {
		snprintf(why, n, "needs =VALUE");
		return -1;
	}
	if (c->words && !word(c->words, equals + 1, out->value)) {
		int at = snprintf(why, n, "not one of");
		join(why + at, n - (size_t)at, c->words);
		return -1;
	}
	if (!c->words && !numbers(equals + 1, c->values, out->value)) {
		snprintf(
		        why, n, "needs %s", c->values == 1 ? "a number" : "two numbers with a comma between");
		return -1;
	}
	return 0;
}
