/* Every profile of every tool, so that what is allowed can be read in one place. Reasons stand beside what is
 * not obvious. A call that is not listed kills the process. */
#define _GNU_SOURCE
#include "profile.h"

/* What libc needs in every process, and ends. */
static const struct profile_call runtime[] = {
        {"exit", CALL_ANY},
        {"exit_group", CALL_ANY},
        {"rt_sigreturn", CALL_ANY},
        {"rt_sigprocmask", CALL_ANY},
        {"rt_sigaction", CALL_ANY}, /* abort() */
        {"restart_syscall", CALL_ANY},
        {"brk", CALL_ANY},
        {"mmap", CALL_DATA},
        {"mprotect", CALL_DATA},
        {"munmap", CALL_ANY},
        {"mremap", CALL_ANY},
        {"madvise", CALL_ANY},
        {"futex", CALL_ANY},
        {"getpid", CALL_ANY},
        {"gettid", CALL_ANY},
        {"kill", CALL_SELF},
        {"tgkill", CALL_SELF}, /* abort() */
        {"getrandom", CALL_ANY},
        {"clock_gettime", CALL_ANY}, /* where the vDSO cannot answer */
        {"gettimeofday", CALL_ANY},
        {"time", CALL_ANY},
        {"clone3", CALL_NO_SYS},
        {"rseq", CALL_NO_SYS},
        {"prctl", CALL_NO_PERM},             /* glibc names its memory, libraries their threads */
        {"openat", CALL_NO_ACCESS},          /* malloc asks /proc how memory is overcommitted */
        {"sched_getaffinity", CALL_NO_PERM}, /* libraries count processors */
        {0},
};

/* Descriptors that are open: read, write, wait, close. */
static const struct profile_call stream[] = {
        {"read", CALL_ANY},
        {"write", CALL_ANY},
        {"writev", CALL_ANY},
        {"pwritev2", CALL_ANY}, /* messages: without waiting for the log */
        {"poll", CALL_ANY},
        {"ppoll", CALL_ANY},
        {"close", CALL_ANY},
        {"lseek", CALL_ANY},
        {"fstat", CALL_ANY},
        {"newfstatat", CALL_ANY}, /* glibc's fstat(); what a path names cannot be looked at here */
        {"fcntl", CALL_FLAGS},
        {"ioctl", CALL_ASKING},
        {0},
};

/* Names below a directory that is open or allowed. */
static const struct profile_call look[] = {
        {"getdents64", CALL_ANY},
        {"openat", CALL_READ_ONLY},
        {0},
};

static const struct profile_call seal[] = {
        {"pwrite64", CALL_ANY}, /* the epoch file */
        {"fdatasync", CALL_ANY},
        {"clock_adjtime", CALL_ANY}, /* is the clock synchronised: nothing can be set without a capability */
        {"openat", CALL_READ_ONLY},  /* the recipients again, on SIGHUP */
        {"mlock", CALL_ANY},         /* libsodium keeps the keys of a segment in locked memory */
        {"munlock", CALL_ANY},
        {0},
};

const struct profile profile_seal = {
        .tool = "cam-seal",
        .phase = "streaming",
        .group = {runtime, stream, seal},
        .place = {{"recipients' files", RIGHT_READ}},
        .descriptors_max = 16,
        .writes_files = 1,
};

static const struct profile_call opening[] = {
        {"clock_adjtime", CALL_ANY}, /* -A: how old */
        {"munlock", CALL_ANY},       /* keys are wiped */
        {"wait4", CALL_ANY},         /* for cam-mux */
        {0},
};

const struct profile profile_open = {
        .tool = "cam-open",
        .phase = "reading",
        .group = {runtime, stream, look, opening},
        .place = {{"time zone", RIGHT_READ}, {"inputs", RIGHT_READ}},
        .descriptors_max = 32,
        .writes_files = 1,
};

const struct profile profile_mux = {
        .tool = "cam-mux",
        .phase = "streaming",
        .group = {runtime, stream},
        .descriptors_max = 16,
        .writes_files = 1,
};

static const struct profile_call keys[] = {
        {"openat", CALL_ANY}, /* Landlock says where */
        {"access", CALL_ANY},
        {"faccessat", CALL_ANY},
        {"fsync", CALL_ANY},
        {"rename", CALL_ANY},
        {"renameat", CALL_ANY},
        {"unlink", CALL_ANY},
        {"unlinkat", CALL_ANY},
        {"ioctl", CALL_TERMINAL},
        {"mlock", CALL_ANY},
        {"munlock", CALL_ANY},
        {0},
};

const struct profile profile_key = {
        .tool = "cam-key",
        .phase = "working",
        .group = {runtime, stream, keys},
        .place = {{"terminal", RIGHT_READ | RIGHT_WRITE | RIGHT_DEVICE},
                {"key files and their directory", RIGHT_READ | RIGHT_WRITE | RIGHT_CREATE | RIGHT_REMOVE}},
        .descriptors_max = 16,
        .writes_files = 1,
};

static const struct profile_call renaming[] = {
        {"renameat2", CALL_ANY},
        {"fsync", CALL_ANY},
        {0},
};

const struct profile profile_reap = {
        .tool = "cam-reap",
        .phase = "marking",
        .group = {runtime, stream, renaming},
        .place = {{"spool directory", RIGHT_CREATE | RIGHT_REMOVE}},
        .descriptors_max = 16,
};

static const struct profile_call looking[] = {
        {"pread64", CALL_ANY}, /* segments and packs; the temperature anew */
        {"fstatfs", CALL_ANY},
        {"clock_adjtime", CALL_ANY}, /* is the clock synchronised */
        {0},
};

const struct profile profile_status = {
        .tool = "cam-status",
        .phase = "reporting",
        .group = {runtime, stream, look, looking},
        .place = {{"spool directory", RIGHT_READ},
                {"what the audit left, with its directory", RIGHT_READ}},
        .descriptors_max = 16,
        .writes_files = 1,
};

const struct profile *const profile_all[] = {
        &profile_seal, &profile_open, &profile_mux, &profile_key, &profile_reap, &profile_status, NULL};
