/* mountinfo: one line of /proc/PID/mountinfo, taken apart: proc(5). */
#ifndef MOUNTINFO_H
#define MOUNTINFO_H

enum { MOUNTINFO_TEXT_BYTES = 4096 };

struct mount {
	unsigned id, parent, major, minor;
	char root[MOUNTINFO_TEXT_BYTES];    /* what of the filesystem is mounted */
	char point[MOUNTINFO_TEXT_BYTES];   /* where */
	char options[MOUNTINFO_TEXT_BYTES]; /* of the mount and of the filesystem, separated by commas */
	char type[64];
	char source[MOUNTINFO_TEXT_BYTES];
};

/* line without its newline. 0, or -1 when it is not such a line or does not fit. */
int mountinfo_parse(const char *line, struct mount *out);
/* Is this among the options, whole? */
int mount_has(const struct mount *m, const char *option);
/* The value of "name=value" among the options, up to the comma, or NULL; *n is its length. */
const char *mount_value(const struct mount *m, const char *name, unsigned long *n);
/* Is this a filesystem in which a file with bytes of one's own can be? */
int mount_holds_files(const struct mount *m);
#endif
