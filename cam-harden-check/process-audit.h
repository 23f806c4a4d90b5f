/* process-audit: what is found at the processes of the camera, between processes.c and the files that look at
 * one side of a process each. */
#ifndef PROCESS_AUDIT_H
#define PROCESS_AUDIT_H
#include "list.h"
#include "process.h"

enum { TOOLS_MAX = 256, NPROC_MAX = 4096 /* of one user */ };

/* What sets the tools apart; everything else is the same for all. */
struct role {
	const char *name;
	bool records;          /* footage is lost when it ends */
	bool network;          /* may have sockets of the internet, and so a network */
	const char *device[5]; /* beginnings of names; besides /dev/null and the random devices */
	const char *groups[3]; /* supplementary groups; those that begin with "cam" always */
};

enum key {
	KEY_RUNNING,
	KEY_UNKNOWN,
	KEY_UID,
	KEY_UID_SHARED,
	KEY_GID,
	KEY_GROUPS,
	KEY_NO_NEW_PRIVS,
	KEY_SECCOMP,
	KEY_FILTERS,
	KEY_CAP_INH,
	KEY_CAP_PRM,
	KEY_CAP_EFF,
	KEY_CAP_BND,
	KEY_CAP_AMB,
	KEY_THREADS,
	KEY_DOMAIN,
	KEY_TRACER,
	KEY_CORE_DUMPING,
	KEY_DUMPABLE,
	KEY_LIMIT_CORE,
	KEY_LIMIT_NPROC,
	KEY_LIMIT_NOFILE,
	KEY_LIMIT_MEMLOCK,
	KEY_OOM,
	KEY_NS_NET,
	KEY_NS_MNT,
	KEY_NS_PID,
	KEY_NS_IPC,
	KEY_NS_UTS,
	KEY_CEILING,
	KEY_FD,
	KEY_DEVICES,
	KEY_ENVIRON,
	KEY_CMDLINE,
	KEY_BYPASS,
	KEY_MEMORY_WX,
	KEYS,
};

struct user {
	long uid;
	const struct role *role;
};

struct audit {
	struct list list[KEYS];
	struct user user[TOOLS_MAX];
	size_t users;
	char *groups; /* etc/group, or NULL */
	/* of the process that is looked at */
	const struct role *role;
	struct process_status status;
	pid_t pid;
};

/* a has found nothing yet; what it finds goes into the evidence. */
void process_audit_begin(struct audit *a, struct evidence *);
/* 0, or -1: evidence full. */
int process_audit_end(struct audit *a);

/* Something at the process that is looked at is not as it should be. */
void process_finding(struct audit *a, enum key key, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* A file of it could not be read, for the reason in errno, or not be understood. */
void process_unseen(struct audit *a, enum key key);

/* Each looks at one side of the process. */
void process_may_look(struct audit *a, const struct where *);
void process_place_look(struct audit *a, const struct where *);
void process_holds_look(struct audit *a, const struct where *);
#endif
