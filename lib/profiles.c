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
        {"mmap", CALL_MEMORY},
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

/* To give up more later. */
static const struct profile_call narrowing[] = {
        {"prctl", CALL_NARROWING},
        {"seccomp", CALL_NARROWING},
        {"landlock_create_ruleset", CALL_ANY},
        {"landlock_add_rule", CALL_ANY},
        {"landlock_restrict_self", CALL_ANY},
        {0},
};

/* Frames in memory, a thread that writes, another clock. */
static const struct profile_call encoding[] = {
        {"clock_nanosleep", CALL_ANY},
        {"clock_adjtime", CALL_ANY},
        {"sched_yield", CALL_ANY},
        {"rseq", CALL_ANY}, /* a thread of glibc that begins; one that is refused is fatal */
        {"set_robust_list", CALL_ANY},
        {0},
};

/* libcamera is linked with lttng-ust, which starts two threads before main() does: they look for a daemon
 * again and again, and must not die of not finding it. */
static const struct profile_call tracing[] = {
        {"membarrier", CALL_ANY},
        {"socket", CALL_NO_PERM},
        {"connect", CALL_NO_PERM},
        {"sendmsg", CALL_NO_PERM},
        {"clone", CALL_NO_PERM},
        {"fork", CALL_NO_PERM},
        {"ftruncate", CALL_NO_PERM},
        {"fchmod", CALL_NO_PERM},
        {"wait4", CALL_NO_PERM},
        {"unlink", CALL_NO_PERM},
        {"umask", CALL_NO_PERM},
        {"getuid", CALL_ANY},
        {"geteuid", CALL_ANY},
        {"getgid", CALL_ANY},
        {"getegid", CALL_ANY},
        {"getppid", CALL_ANY},
        {"getcpu", CALL_ANY},
        {0},
};

/* What a camera or an encoder in hardware takes besides, and libcamera's threads among each other. */
static const struct profile_call video[] = {
        {"ioctl", CALL_VIDEO},
        {"recvmsg", CALL_ANY}, /* devices that come and go */
        {"timerfd_settime", CALL_ANY},
        {"epoll_wait", CALL_ANY},
        {"epoll_pwait", CALL_ANY},
        {"epoll_ctl", CALL_ANY},
        {"dup", CALL_ANY}, /* libcamera keeps descriptors of DMABUFs of its own */
        {"fcntl", CALL_BUFFERS},
        {0},
};

/* To find and configure a camera: devices, what udev knows of them, modules and their files. */
static const struct profile_call camera[] = {
        {"openat", CALL_ANY},       /* Landlock says where */
        {"fcntl", CALL_LOCKS},      /* libcamera locks the media device of a camera that it takes */
        {"mmap", CALL_CODE},        /* modules of libcamera are libraries, loaded when they are wanted */
        {"memfd_create", CALL_ANY}, /* how buffers are made where no heap of the kernel makes them */
        {"ftruncate", CALL_ANY},
        {"clone", CALL_THREAD},
        {"vfork", CALL_NO_PERM}, /* a module that is not signed would get a process of its own */
        {"execve", CALL_NO_PERM},
        {"socket", CALL_UEVENTS},
        {"bind", CALL_ANY},
        {"getsockname", CALL_ANY},
        {"getsockopt", CALL_ANY},
        {"setsockopt", CALL_ANY},
        {"getdents64", CALL_ANY},
        {"readlink", CALL_ANY},
        {"readlinkat", CALL_ANY},
        {"access", CALL_ANY},
        {"faccessat", CALL_ANY},
        {"faccessat2", CALL_ANY},
        {"statfs", CALL_ANY},
        {"fstatfs", CALL_ANY},
        {"statx", CALL_ANY},
        {"stat", CALL_ANY},
        {"lstat", CALL_ANY},
        {"pread64", CALL_ANY},
        {"getcwd", CALL_ANY},
        {"uname", CALL_ANY},
        {"sysinfo", CALL_ANY},
        {"getuid", CALL_ANY},
        {"geteuid", CALL_ANY},
        {"getgid", CALL_ANY},
        {"getegid", CALL_ANY},
        {"signalfd4", CALL_ANY},
        {"eventfd2", CALL_ANY},
        {"timerfd_create", CALL_ANY},
        {"epoll_create1", CALL_ANY},
        {"pipe2", CALL_ANY},
        {"sched_getaffinity", CALL_ANY}, /* how many threads to encode with */
        {"sched_setscheduler", CALL_NO_PERM},
        {"alarm", CALL_ANY}, /* opening takes no longer than it may */
        {"setitimer", CALL_ANY},
        {"sched_getparam", CALL_ANY},
        {"sched_getscheduler", CALL_ANY},
        {0},
};

/* Threads of the encoder and of the writer begin. */
static const struct profile_call threads[] = {
        {"clone", CALL_THREAD},
        {"sched_getaffinity", CALL_ANY}, /* how many of them */
        {"eventfd2", CALL_ANY},
        {"signalfd4", CALL_ANY},
        {0},
};

const struct profile profile_capture_starting = {
        .tool = "cam-capture",
        .phase = "starting",
        .group = {runtime, stream, encoding, tracing, threads, narrowing},
        .descriptors_max = 64,
};

const struct profile profile_capture_camera = {
        .tool = "cam-capture",
        .phase = "opening a camera",
        .group = {runtime, stream, encoding, tracing, video, camera, narrowing},
        .place = {{"/dev", RIGHT_LIST},
                {"video and media devices, DMA heaps", RIGHT_READ | RIGHT_WRITE | RIGHT_DEVICE},
                {"libraries, libcamera's modules, udev, /sys", RIGHT_READ}},
        .descriptors_max = 256,
        .writes_files = 1, /* the limit would count memory files, too */
};

/* Between two executions of cam-capture; no filter. Not in profile_all, for it has no phase of its own. */
const struct profile profile_capture_again = {
        .tool = "cam-capture",
        .phase = "beginning anew",
        .place = {{"/dev", RIGHT_LIST},
                {"video and media devices, DMA heaps", RIGHT_READ | RIGHT_WRITE | RIGHT_DEVICE},
                {"libraries, libcamera's modules, udev, /sys", RIGHT_READ},
                {"itself and its loader", RIGHT_READ | RIGHT_EXECUTE}},
        .writes_files = 1,
};

const struct profile profile_capture_live = {
        .tool = "cam-capture",
        .phase = "streaming from a camera",
        .group = {runtime, stream, encoding, tracing, video},
        .descriptors_max = 256,
};

const struct profile profile_capture = {
        .tool = "cam-capture",
        .phase = "streaming",
        .group = {runtime, stream, encoding, tracing},
        .descriptors_max = 64,
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
        {"sysinfo", CALL_ANY},       /* qsort() */
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

/* Files below the spool directory: Landlock says where. */
static const struct profile_call files[] = {
        {"openat", CALL_ANY},
        {"getdents64", CALL_ANY},
        {"faccessat", CALL_ANY},
        {"faccessat2", CALL_ANY},
        {"pread64", CALL_ANY},
        {"pwrite64", CALL_ANY},
        {"ftruncate", CALL_ANY},
        {"fdatasync", CALL_ANY},
        {"fsync", CALL_ANY},
        {"renameat", CALL_ANY},
        {"renameat2", CALL_ANY},
        {"unlinkat", CALL_ANY},
        {"tee", CALL_ANY},             /* stays in the pipe until it is written */
        {"fstatfs", CALL_ANY},         /* how much room there is */
        {"sysinfo", CALL_ANY},         /* glibc's qsort() asks how much memory there is */
        {"rt_sigpending", CALL_ANY},   /* was it ^C or an orderly stop */
        {"clock_nanosleep", CALL_ANY}, /* a disk that does not work is tried again */
        {"rseq", CALL_ANY},            /* the thread that syncs begins */
        {"set_robust_list", CALL_ANY},
        {0},
};

const struct profile profile_spool = {
        .tool = "cam-spool",
        .phase = "recording",
        .group = {runtime, stream, files},
        .place = {{"spool directory", RIGHT_READ | RIGHT_WRITE | RIGHT_CREATE | RIGHT_REMOVE}},
        .descriptors_max = 64,
        .writes_files = 1,
};

static const struct profile_call counting[] = {
        {"pread64", CALL_ANY},
        {"fstatfs", CALL_ANY},
        {"sysinfo", CALL_ANY}, /* qsort() */
        {"flock", CALL_ANY},   /* is a cam-spool at work there */
        {0},
};

const struct profile profile_spool_list = {
        .tool = "cam-spool",
        .phase = "listing",
        .group = {runtime, stream, look, counting},
        .place = {{"spool directory", RIGHT_READ}},
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

/* Over connections that the dialer made. */
static const struct profile_call connected[] = {
        {"sendto", CALL_SENDING},
        {"recvfrom", CALL_ANY},
        {"recvmsg", CALL_ANY}, /* a descriptor from the dialer */
        {"getsockopt", CALL_ANY},
        {"setsockopt", CALL_ANY},
        {"getsockname", CALL_ANY},
        {"getpeername", CALL_ANY},
        {"shutdown", CALL_ANY},
        {"connect", CALL_NOTHING}, /* libcurl 7.88 calls it for a socket that is connected */
        {"pread64", CALL_ANY},
        {"clock_adjtime", CALL_ANY}, /* is the clock synchronised */
        {"getuid", CALL_ANY},        /* libraries ask who they are for */
        {"geteuid", CALL_ANY},
        {"getgid", CALL_ANY},
        {"getegid", CALL_ANY},
        {"socket", CALL_NO_PERM}, /* libcurl asks whether there is IPv6 */
        {"unlink", CALL_NO_PERM}, /* what is preloaded to try other clocks tidies up at the end */
        {0},
};

/* What is set up once. */
static const struct profile_call setting_up[] = {
        {"inotify_init1", CALL_ANY},
        {"inotify_add_watch", CALL_ANY},
        {"mlock", CALL_ANY},      /* the credentials */
        {"socketpair", CALL_ANY}, /* libcurl wakes itself with it; it leads nowhere */
        {"eventfd2", CALL_ANY},
        {"pipe2", CALL_ANY},
        {0},
};

const struct profile profile_ship_starting = {
        .tool = "cam-ship",
        .phase = "starting",
        .group = {runtime, stream, look, connected, setting_up, narrowing},
        .place = {{"spool directory", RIGHT_READ}, {"certificates, keys and credentials", RIGHT_READ}},
        .descriptors_max = 128,
};

const struct profile profile_ship = {
        .tool = "cam-ship",
        .phase = "shipping",
        .group = {runtime, stream, look, connected},
        .place = {{"spool directory", RIGHT_READ}, {"credentials' directories", RIGHT_READ}},
        .descriptors_max = 128,
};

/* The dialer: one process that waits for numbers, and one more for each dial, which narrows itself twice: to
 * look a name up, then to connect to what was found. What waits must have all that the others need. */
static const struct profile_call asked[] = {
        {"recvfrom", CALL_ANY},
        {"sendmsg", CALL_ANY}, /* the connection goes to the uploader with it */
        {"sendto", CALL_ANY},
        {"wait4", CALL_ANY},
        {"getppid", CALL_ANY},
        {"set_robust_list", CALL_ANY}, /* each fork of glibc */
        {"clone", CALL_CHILD},
        {0},
};

static const struct profile_call resolving[] = {
        {"openat", CALL_READ_ONLY}, /* resolv.conf, hosts, nsswitch.conf: when they have changed */
        {"socket", CALL_RESOLVING},
        {"connect", CALL_ANY}, /* Landlock says to which ports of TCP */
        {"bind", CALL_ANY},    /* netlink: which families are there */
        {"getsockname", CALL_ANY},
        {"getpeername", CALL_ANY},
        {"getsockopt", CALL_ANY},
        {"setsockopt", CALL_ANY},
        {"sendto", CALL_ANY},
        {"sendmmsg", CALL_ANY}, /* glibc asks for A and AAAA at once */
        {"sendmsg", CALL_ANY},
        {"recvfrom", CALL_ANY},
        {"recvmsg", CALL_ANY},
        {"alarm", CALL_ANY}, /* patience */
        {"setitimer", CALL_ANY},
        {"uname", CALL_ANY}, /* the resolver's own domain */
        {"getuid", CALL_ANY},
        {"geteuid", CALL_ANY},
        {0},
};

const struct profile profile_dialer = {
        .tool = "cam-ship",
        .phase = "dialer waiting",
        .group = {runtime, stream, asked, resolving, narrowing},
        .place = {{"the resolver's directories", RIGHT_READ}},
        .ports = PORT_SERVER | PORT_NAMES,
        .descriptors_max = 64,
};

const struct profile profile_dialer_resolving = {
        .tool = "cam-ship",
        .phase = "dialer resolving",
        .group = {runtime, stream, resolving, narrowing},
        .place = {{"the resolver's files", RIGHT_READ}},
        .ports = PORT_SERVER | PORT_NAMES,
        .descriptors_max = 64,
};

/* The addresses lie in a page that cannot be written to: nothing may change what is mapped where. */
static const struct profile_call connecting[] = {
        {"socket", CALL_INTERNET},
        {"connect", CALL_FOUND},
        {"getsockopt", CALL_ANY},
        {"sendmsg", CALL_ANY},
        {"sendto", CALL_SENDING},
        {"alarm", CALL_ANY},
        {"setitimer", CALL_ANY},
        {"mmap", CALL_NO_PERM},
        {"mprotect", CALL_NO_PERM},
        {"mremap", CALL_NO_PERM},
        {"munmap", CALL_NO_PERM},
        {"madvise", CALL_NO_PERM},
        {0},
};

const struct profile profile_dialer_connecting = {
        .tool = "cam-ship",
        .phase = "dialer connecting",
        .group = {runtime, stream, connecting},
        .ports = PORT_SERVER,
        .descriptors_max = 64,
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
        .place = {{"spool directory", RIGHT_READ}, {"what the audit left, with its directory", RIGHT_READ}},
        .descriptors_max = 16,
        .writes_files = 1,
};

static const struct profile_call auditing[] = {
        {"openat2", CALL_ANY}, /* paths within an image; Landlock says where, and that it is for reading */
        {"readlinkat", CALL_ANY},
        {"statfs", CALL_ANY},
        {"fstatfs", CALL_ANY},
        {"uname", CALL_ANY},
        {"sysinfo", CALL_NO_PERM}, /* qsort() asks how much memory there is */
        {0},
};

const struct profile profile_audit = {
        .tool = "cam-harden-check",
        .phase = "auditing",
        .group = {runtime, stream, look, auditing},
        .place = {{"device or image", RIGHT_READ}},
        .descriptors_max = 32,
};

/* What runs, and what lies on the filesystems: reading, with capabilities that no other tool has and without
 * Landlock, under which processes outside could not be looked at. */
static const struct profile_call examining[] = {
        {"readlinkat", CALL_ANY},
        {"pread64", CALL_ANY},
        {"fgetxattr", CALL_ANY},
        {"geteuid", CALL_ANY},
        {0},
};

const struct profile profile_look = {
        .tool = "cam-harden-check",
        .phase = "looking",
        .group = {runtime, stream, look, examining},
        .place = {{"everything (without Landlock)", RIGHT_READ}},
};

const struct profile *const profile_all[] = {&profile_capture_starting, &profile_capture,
        &profile_capture_camera, &profile_capture_live, &profile_seal, &profile_open, &profile_mux,
        &profile_key, &profile_spool, &profile_spool_list, &profile_reap, &profile_status,
        &profile_ship_starting, &profile_ship, &profile_dialer, &profile_dialer_resolving,
        &profile_dialer_connecting, &profile_audit, &profile_look, NULL};
