/* Keeps what was found at the processes, one list a key. Reads nothing itself. */
#define _GNU_SOURCE
#include "process-audit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const key_name[KEYS] = {"running", "unknown-process", "Uid", "Uid.shared", "Gid", "Groups",
        "NoNewPrivs", "Seccomp", "Seccomp_filters", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
        "threads", "attr/current", "TracerPid", "CoreDumping", "dumpable", "limits:core", "limits:nproc",
        "limits:nofile", "limits:memlock", "oom_score_adj", "ns/net", "ns/mnt", "ns/pid", "ns/ipc", "ns/uts",
        "ceiling", "fd", "devices", "environ", "cmdline", "Speculation_Store_Bypass", "memory-wx"};

void process_audit_begin(struct audit *a, struct evidence *e)
{
	*a = (struct audit){0};
	for (int k = 0; k < KEYS; k++)
		a->list[k] = (struct list){e, "process", key_name[k], "/proc", 0, NULL, 0};
}

int process_audit_end(struct audit *a)
{
	int r = 0;

	for (int k = 0; k < KEYS; k++) {
		if (!a->list[KEY_RUNNING].n && k != KEY_RUNNING && k != KEY_UNKNOWN)
			list_unseen(&a->list[k], "no process of the camera is running");
		r |= list_end(&a->list[k]);
	}
	return r;
}

void process_finding(struct audit *a, enum key key, const char *fmt, ...)
{
	char text[LIST_ITEM_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	list_add(&a->list[key], "%s[%d]: %s", a->role->name, (int)a->pid, text);
}

void process_unseen(struct audit *a, enum key key)
{
	list_unseen(&a->list[key],
	        errno == ENOENT || errno == ESRCH   ? "a process ended while it was looked at"
	        : errno == EACCES || errno == EPERM ? "files of a process may not be read: root is needed"
	                                            : "a file of a process cannot be read or understood");
}
