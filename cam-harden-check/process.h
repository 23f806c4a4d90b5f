/* process: the files of /proc that say what one process is, may and holds (proc(5)), taken apart. */
#ifndef PROCESS_H
#define PROCESS_H
#include "where.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_NAME_BYTES = 64, PROCESS_PATH_BYTES = 4096, PROCESSES_MAX = 65536 };

enum process_cap { CAP_INHERITABLE, CAP_PERMITTED, CAP_EFFECTIVE, CAP_BOUNDING, CAP_AMBIENT, CAP_SETS };

/* What /proc/PID/status says. A number that is not there is -1: an older kernel, or not the whole file. */
struct process_status {
	char name[PROCESS_NAME_BYTES];
	long uid[4], gid[4];
	long no_new_privs, seccomp, seccomp_filters, tracer, core_dumping;
	bool caps_known[CAP_SETS];
	uint64_t cap[CAP_SETS];
	long group[32]; /* supplementary ones, -1 behind the last */
	bool groups_known;
	char store_bypass[48]; /* Speculation_Store_Bypass, or "" */
};

/* text ends with a NUL. 0, or -1: not even a name and its users. */
int process_status_parse(const char *text, struct process_status *out);

struct process_map {
	bool write, execute;
	unsigned major, minor;
	unsigned long inode;
	const char *path; /* within line: "" for anonymous memory */
};

/* A line of /proc/PID/maps without its newline. 0, or -1. */
int process_map_parse(const char *line, struct process_map *out);

/* The soft and hard limit of a line of /proc/PID/limits that begins with name; UINT64_MAX: none. 0, or -1: no
 * such line. */
int process_limit_parse(const char *text, const char *name, uint64_t *soft, uint64_t *hard);

/* The flags of /proc/PID/stat, whose second field can hold anything. 0, or -1. */
int process_is_kernel(const char *stat, bool *is_kernel);

/* /proc/PID/oom_score_adj: from -1000 to 1000. 0, or -1. */
int process_oom_parse(const char *text, long *out);

/* A file of a process, whole. NULL with errno. */
char *process_read(const struct where *w, pid_t pid, const char *name, size_t *n);
/* What a link of a process says. -1 with errno. */
int process_link(const struct where *w, pid_t pid, const char *name, char out[PROCESS_PATH_BYTES]);
/* Every process by number, or the tasks of one when of > 0. -1: cannot be listed. */
int process_each(
        const struct where *w, pid_t of, void (*look)(const struct where *, pid_t, void *), void *arg);
/* What /proc, as that process (0: this one) has it mounted, shows it of other users' processes. */
enum process_hidepid { HIDEPID_OFF, HIDEPID_NO_ACCESS, HIDEPID_INVISIBLE };
/* -1 with errno: it cannot be told. */
int process_hidepid(const struct where *w, pid_t pid);
/* NULL when /proc shows every process to us, else why it does not. */
const char *process_hidden(const struct where *w);
#endif
