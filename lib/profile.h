/* profile: what one tool may ask of the kernel in one phase. Data only; sandbox.h puts it into force, and the
 * table in cam-security(7) is printed from it. */
#ifndef PROFILE_H
#define PROFILE_H
#include <stddef.h>

/* How a system call is allowed, or refused without being killed for. */
enum call_rule {
	CALL_ANY,       /* allowed with any arguments */
	CALL_DATA,      /* mprotect: allowed unless PROT_EXEC is asked for */
	CALL_MEMORY,    /* mmap: the same; of memory that is no file's only what RLIMIT_DATA counts */
	CALL_CODE,      /* CALL_MEMORY, and files that hold code, not to be written to */
	CALL_SELF,      /* kill, tgkill: allowed to this process only */
	CALL_FLAGS,     /* fcntl: descriptor and status flags, pipe size */
	CALL_BUFFERS,   /* fcntl: the same, copies of descriptors, seals of memory */
	CALL_LOCKS,     /* fcntl: the same, and locks of files */
	CALL_ASKING,    /* ioctl: how much can be read, is it a terminal */
	CALL_READ_ONLY, /* openat: for reading only */
	CALL_TERMINAL,  /* ioctl: the same, and whether a terminal echoes */
	CALL_VIDEO,     /* ioctl: the same, and what cameras, encoders and their buffers are asked for */
	CALL_THREAD,    /* clone: a thread of this process; else EPERM */
	CALL_CHILD,     /* clone: a process as fork() makes it */
	CALL_SENDING,   /* sendto: over what is connected; no address, no connecting by sending */
	CALL_RESOLVING, /* socket: of the internet, of this machine, and to ask the kernel for addresses */
	CALL_INTERNET,  /* socket: a stream of the internet */
	CALL_UEVENTS,   /* socket: to hear of devices */
	CALL_FOUND,     /* connect: to the addresses given to sandbox_found() */
	CALL_NARROWING, /* prctl, seccomp: to give up more; prctl also to die with the parent */
	CALL_NOTHING,   /* answers 0 and does nothing */
	CALL_NO_SYS,    /* answers ENOSYS: libc does without */
	CALL_NO_ACCESS, /* answers EACCES: harmless to ask */
	CALL_NO_PERM,   /* answers EPERM */
};

struct profile_call {
	const char
	        *name; /* as in the kernel's table; one that an architecture does not have is passed over */
	enum call_rule rule;
};

/* Rights on files, as Landlock knows them; descriptors that are open already stay usable as they are. */
enum profile_right {
	RIGHT_READ = 1,   /* open files for reading, list directories */
	RIGHT_WRITE = 2,  /* open files for writing, truncate */
	RIGHT_CREATE = 4, /* make regular files; the new name of a renaming */
	RIGHT_REMOVE = 8, /* remove files; the old name of a renaming */
	RIGHT_EXECUTE = 16,
	RIGHT_DEVICE = 32, /* ioctl on a device that is opened */
	RIGHT_LIST = 64,   /* list directories */
};

struct profile_place {
	const char *what;
	unsigned rights;
};

/* TCP ports that can be connected to, where the kernel's Landlock knows them. */
enum profile_port {
	PORT_SERVER = 1, /* the one given to sandbox_server() */
	PORT_NAMES = 2,  /* 53: a name server's long answers */
};

enum { PROFILE_GROUPS_MAX = 8, PROFILE_PLACES_MAX = 4 };

struct profile {
	const char *tool, *phase;
	const struct profile_call *group[PROFILE_GROUPS_MAX]; /* each ends with a NULL name */
	/* Beneath these; the path of each is given to sandbox_enter(), more than one for the last. */
	struct profile_place place[PROFILE_PLACES_MAX];
	unsigned ports;
	unsigned descriptors_max; /* RLIMIT_NOFILE, 0 as it was */
	int writes_files;         /* else RLIMIT_FSIZE is 0 */
};

extern const struct profile *const profile_all[]; /* ends with NULL */

extern const struct profile profile_capture_starting, profile_capture;
extern const struct profile profile_capture_again, profile_capture_camera, profile_capture_live;
extern const struct profile profile_seal, profile_open, profile_mux, profile_key, profile_status;
extern const struct profile profile_spool, profile_spool_list, profile_reap;
extern const struct profile profile_ship_starting, profile_ship;
extern const struct profile profile_dialer, profile_dialer_resolving, profile_dialer_connecting;
extern const struct profile profile_audit, profile_look;
#endif
