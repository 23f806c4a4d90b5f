/* control: what -C sets in a camera, by names of our own. */
#ifndef CONTROL_H
#define CONTROL_H
#include <stdbool.h>
#include <stddef.h>

enum { CONTROL_VALUES_MAX = 2, CONTROLS_MAX = 16 };

struct control {
	const char *name;   /* ours */
	const char *theirs; /* libcamera's */
	unsigned values;    /* how many numbers it takes */
	/* set to what with it, where the camera has it: what would otherwise set the same by itself */
	const char *mode;
	double mode_value;
	const char *const *words; /* it takes one of these, by its place, instead of a number */
};

struct setting {
	const struct control *control;
	double value[CONTROL_VALUES_MAX];
};

/* "NAME=VALUE" or "NAME=VALUE,VALUE". 0, or -1 with a message for a usage error in why. */
int control_parse(const char *text, struct setting *out, char *why, size_t n);
/* The nth control, NULL at the end. */
const struct control *control_at(size_t n);
#endif
