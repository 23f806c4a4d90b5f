/* Controls of a camera: what it has, within its limits. */
#define _GNU_SOURCE
#include "camera-controls.h"

#include "libcamera.h"
#include "msg.h"

#include <errno.h>
#include <stdio.h>

enum { US_PER_S = 1000000 };

static int has_not(const char *id, const struct control *wanted)
{
	char names[256] = "";
	struct libcamera_range unused;
	const struct control *c;
	size_t at = 0;

	for (size_t i = 0; (c = control_at(i)) && at < sizeof names; i++)
		if (libcamera_control(c->theirs, &unused) == 0)
			at += (size_t)snprintf(names + at, sizeof names - at, " %s", c->name);
	msg("-C %s: camera %s has no such control: it has%s", wanted->name, id, *names ? names : " none");
	return EXIT_USAGE;
}

static int out_of_range(const struct setting *s, const char *id, const struct libcamera_range *range)
{
	for (unsigned i = 0; i < s->control->values && range->min <= range->max; i++)
		if (s->value[i] < range->min || s->value[i] > range->max) {
			msg("-C %s: camera %s takes from %g to %g", s->control->name, id, range->min,
			        range->max);
			return EXIT_USAGE;
		}
	return EXIT_OK;
}

static int refused(const char *id, const char *name, int r)
{
	errno = -r;
	msg_errno("camera %s: %s cannot be set", id, name);
	return EXIT_TEMPORARY;
}

static int set(const struct setting *s, const char *id)
{
	const struct control *c = s->control;
	struct libcamera_range range;

	if (libcamera_control(c->theirs, &range) < 0)
		return has_not(id, c);
	int code = out_of_range(s, id, &range);
	if (code)
		return code;
	int r = libcamera_set(c->theirs, s->value, c->values);
	if (!r && c->mode) {
		r = libcamera_set(c->mode, &c->mode_value, 1);
		if (r == -ENOENT)
			r = 0;
	}
	return r < 0 ? refused(id, c->name, r) : EXIT_OK;
}

bool camera_rate_is(const struct camera_options *o, const struct video *v)
{
	double asked = (double)o->video.rate_num / o->video.rate_den, is = (double)v->rate_num / v->rate_den;
	return is >= asked * 0.99 && is <= asked * 1.01;
}

/* A camera is told the shortest and the longest time of a frame. */
static int rate_set(const struct camera_options *o, const char *id, struct video *v, bool *measure)
{
	static const char name[] = "FrameDurationLimits";
	struct libcamera_range range;
	double us = (double)US_PER_S * o->video.rate_den / o->video.rate_num;

	*measure = libcamera_control(name, &range) < 0;
	if (*measure)
		return EXIT_OK;
	if (range.min <= range.max && range.max > 0)
		us = us < range.min ? range.min : us > range.max ? range.max : us;
	v->rate_num = o->video.rate_num;
	v->rate_den = o->video.rate_den;
	const struct video nearest = {.rate_num = US_PER_S, .rate_den = (uint32_t)us};
	if (!camera_rate_is(o, &nearest)) {
		v->rate_num = nearest.rate_num;
		v->rate_den = nearest.rate_den;
	}
	const double limits[] = {us, us};
	int r = libcamera_set(name, limits, 2);
	return r < 0 ? refused(id, name, r) : EXIT_OK;
}

int camera_controls_set(const struct camera_options *o, const char *id, struct video *v, bool *measure)
{
	int code = rate_set(o, id, v, measure);
	for (size_t i = 0; i < o->settings_n && !code; i++)
		code = set(&o->settings[i], id);
	return code;
}
