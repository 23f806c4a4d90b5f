/* Each attempt is a child that executes a copy and ends; the copy says that it ran by its exit code, which
 * nothing else ends with. Copies have mode 0700, are unlinked before this returns, also when a signal ends
 * it, and lie in a place for milliseconds only. Only refusals count as good: EACCES or EPERM; anything else
 * was not a refusal. */
#define _GNU_SOURCE
#include "attempt.h"

#include "list.h"
#include "mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum key { KEY_MOUNTS, KEY_SHM, KEY_MEMFD, KEY_LOADER, KEY_SCRIPT, KEY_MMAP, KEY_MPROTECT, KEYS };
enum { POINTS_MAX = 256, CODE_NOT_RUN = 100, NAME_BYTES = 4200 };

static const char *const key_name[KEYS] = {"probe:exec-each-writable-mount", "probe:dev-shm-exec",
        "probe:memfd-exec", "probe:ld.so-direct", "probe:script-interp", "probe:mmap-prot-exec-file",
        "probe:mprotect-wx"};
static const char argument[] = "--attempt-of-cam-harden-check";

struct tries {
	struct list list[KEYS];
	int own; /* this program */
	char loader[256];
};

int attempt_is_one(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], argument) == 0;
}

/* --- the copy that has to be removed --- */

static char copy_name[NAME_BYTES];

static void copy_remove(void)
{
	if (copy_name[0])
		(void)unlink(copy_name);
	copy_name[0] = 0;
}

static void ended(int sig)
{
	if (copy_name[0])
		(void)unlink(copy_name);
	signal(sig, SIG_DFL);
	raise(sig);
}

static int bytes_copy(int from, int to)
{
	off_t at = 0;
	struct stat st;

	if (fstat(from, &st) < 0)
		return -1;
	while (at < st.st_size)
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			return -1;
	return 0;
}

/* -1 with errno: nothing lies there then. text: instead of the program. */
static int copy_make(const struct tries *t, const char *folder, const char *text)
{
	snprintf(copy_name, sizeof copy_name, "%s/" ATTEMPT_NAME ".%d",
	        strcmp(folder, "/") == 0 ? "" : folder, (int)getpid());
	int fd = open(copy_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
	if (fd < 0) {
		copy_name[0] = 0;
		return -1;
	}
	int r = text ? (write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1)
	             : bytes_copy(t->own, fd);
	int saved = errno;
	close(fd);
	if (r < 0)
		copy_remove();
	errno = saved;
	return r;
}

/* --- running --- */

enum outcome { OUTCOME_REFUSED, OUTCOME_RAN, OUTCOME_ELSE };

/* Executes path, or the descriptor when path is NULL. *err: what execve answered. */
static enum outcome run(const char *path, int fd, char *const argv[], int *err)
{
	int pipefd[2], status = 0, why = 0;
	static char *const nothing[] = {NULL};

	*err = 0;
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return OUTCOME_ELSE;
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
		if (path)
			execve(path, argv, nothing);
		else
			fexecve(fd, argv, nothing);
		why = errno;
		_exit(write(pipefd[1], &why, sizeof why) == sizeof why ? CODE_NOT_RUN : CODE_NOT_RUN + 1);
	}
	close(pipefd[1]);
	if (pid > 0 && read(pipefd[0], &why, sizeof why) == sizeof why)
		*err = why;
	close(pipefd[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return OUTCOME_ELSE;
	if (*err)
		return *err == EACCES || *err == EPERM ? OUTCOME_REFUSED : OUTCOME_ELSE;
	/* started: the copy ran, or the loader, which says so, could not map it */
	if (WIFEXITED(status) && WEXITSTATUS(status) == ATTEMPT_RAN)
		return OUTCOME_RAN;
	return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? OUTCOME_REFUSED : OUTCOME_ELSE;
}

static void outcome_note(struct list *l, enum outcome o, int err, const char *place)
{
	if (o == OUTCOME_RAN)
		list_add(l, "%s: ran", place);
	else if (o == OUTCOME_ELSE && err)
		list_unseen(l, strerror(err));
	else if (o == OUTCOME_ELSE)
		list_unseen(l, "an attempt ended in a way that says nothing");
}

static void run_note(struct list *l, const char *path, char *const argv[], const char *place)
{
	int err;
	enum outcome o = run(path, -1, argv, &err);

	outcome_note(l, o, err, place);
}

/* --- the attempts --- */

static void mapped_try(struct tries *t, const char *place)
{
	int fd = open(copy_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (p != MAP_FAILED) {
		list_add(&t->list[KEY_MMAP], "%s: mapped", place);
		munmap(p, 4096);
	} else if (errno != EACCES && errno != EPERM) {
		list_unseen(&t->list[KEY_MMAP], strerror(errno));
	}
	if (fd >= 0)
		close(fd);
}

/* Of a place in which no copy could be made nothing is known. */
static void place_unseen(struct tries *t, const char *folder, const char *why)
{
	static const enum key of_places[] = {KEY_MOUNTS, KEY_LOADER, KEY_SCRIPT, KEY_MMAP};

	for (size_t i = 0; i < sizeof of_places / sizeof *of_places; i++)
		list_unseen(&t->list[of_places[i]], why);
	if (strcmp(folder, "/dev/shm") == 0)
		list_unseen(&t->list[KEY_SHM], why);
}

static void script_try(struct tries *t, const char *folder)
{
	static const char script[] = "#!/bin/sh\nexit 77\n";
	char *const shell[] = {(char *)"sh", copy_name, NULL}, *const argv[] = {copy_name, NULL};
	char as_script[MOUNTINFO_TEXT_BYTES + 16];

	if (access("/bin/sh", X_OK) < 0)
		return;
	if (copy_make(t, folder, script) < 0) {
		list_unseen(&t->list[KEY_SCRIPT], strerror(errno));
		list_unseen(&t->list[KEY_MOUNTS], strerror(errno));
		return;
	}
	snprintf(as_script, sizeof as_script, "%s, as a script", folder);
	run_note(&t->list[KEY_SCRIPT], "/bin/sh", shell, folder);
	run_note(&t->list[KEY_MOUNTS], copy_name, argv, as_script);
	copy_remove();
}

static void place_try(struct tries *t, const char *folder)
{
	char *const argv[] = {copy_name, (char *)argument, NULL};
	char *const loaded[] = {t->loader, copy_name, (char *)argument, NULL};
	int err;

	if (copy_make(t, folder, NULL) < 0) {
		if (errno != EROFS && errno != EACCES && errno != EPERM)
			place_unseen(t, folder, strerror(errno));
		return; /* nobody else can put a program there either, if not even root can */
	}
	enum outcome o = run(copy_name, -1, argv, &err);
	outcome_note(&t->list[KEY_MOUNTS], o, err, folder);
	if (strcmp(folder, "/dev/shm") == 0)
		outcome_note(&t->list[KEY_SHM], o, err, folder);
	if (t->loader[0])
		run_note(&t->list[KEY_LOADER], t->loader, loaded, folder);
	mapped_try(t, folder);
	copy_remove();
	script_try(t, folder);
}

static void memory_try(struct tries *t)
{
	char *const argv[] = {(char *)"memfd", (char *)argument, NULL};
	int fd = memfd_create("cam-harden-check-attempt", MFD_CLOEXEC), err;

	if (fd < 0 || bytes_copy(t->own, fd) < 0) {
		if (fd < 0 && (errno == EACCES || errno == EPERM || errno == ENOSYS))
			return; /* not even the memory is to be had */
		list_unseen(&t->list[KEY_MEMFD], strerror(errno));
	} else {
		enum outcome o = run(NULL, fd, argv, &err);
		outcome_note(&t->list[KEY_MEMFD], o, err, "memfd");
	}
	if (fd >= 0)
		close(fd);
}

static void mprotect_try(struct tries *t)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		list_unseen(&t->list[KEY_MPROTECT], strerror(errno));
		return;
	}
	*(volatile char *)p = 0;
	if (mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0)
		list_add(&t->list[KEY_MPROTECT], "a written page became executable");
	else if (errno != EACCES && errno != EPERM)
		list_unseen(&t->list[KEY_MPROTECT], strerror(errno));
	munmap(p, 4096);
}

/* The path of the loader is in every dynamic program: PT_INTERP of this one, as maps shows it. */
static void loader_find(struct tries *t, const struct where *w)
{
	size_t n;
	char *maps = where_read(w, "proc/self/maps", 1 << 20, &n), *save = NULL;

	for (char *line = maps ? strtok_r(maps, "\n", &save) : NULL; line;
	        line = strtok_r(NULL, "\n", &save)) {
		const char *path = strchr(line, '/'), *base = path ? strrchr(path, '/') : NULL;
		if (base && (strncmp(base, "/ld-linux", 9) == 0 || strncmp(base, "/ld-musl", 8) == 0))
			snprintf(t->loader, sizeof t->loader, "%s", path);
	}
	free(maps);
}

/* A static program has none, and is nothing that one could load: whether the device's loader would is then
 * not known. */
static void loader_missing(struct tries *t)
{
	static const char *const known[] = {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1",
	        "/lib/ld-linux-armhf.so.3", "/lib/ld-linux.so.2", "/lib/ld-musl-aarch64.so.1",
	        "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-armhf.so.1"};

	for (size_t i = 0; i < sizeof known / sizeof *known && !t->loader[0]; i++)
		if (access(known[i], F_OK) == 0)
			list_unseen(&t->list[KEY_LOADER],
			        "this program is static, and cannot be given to the loader");
}

/* Every mount in which a file can be made, once each. */
static void places_try(struct tries *t, const struct where *w)
{
	static struct mount m;
	size_t n;
	unsigned points = 0;
	char *text = where_read(w, "proc/self/mountinfo", 4 << 20, &n), *save = NULL;

	if (!text)
		for (int k = 0; k < KEYS; k++)
			list_unseen(&t->list[k], "the mounts are not known");
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	        line = strtok_r(NULL, "\n", &save)) {
		struct stat st;
		if (mountinfo_parse(line, &m) < 0)
			place_unseen(t, "", "a line of mountinfo that is not understood");
		else if (!mount_holds_files(&m) || mount_has(&m, "ro"))
			continue;
		else if (++points > POINTS_MAX)
			place_unseen(t, m.point, "more mounts than are tried");
		else if (stat(m.point, &st) == 0 && S_ISDIR(st.st_mode))
			place_try(t, m.point);
		else if (stat(m.point, &st) < 0 && errno != ENOENT) /* unmounted since */
			place_unseen(t, m.point, strerror(errno));
	}
	free(text);
}

int attempt_unseen(struct evidence *e, const char *why)
{
	int r = 0;

	for (int k = 0; k < KEYS; k++)
		r |= evidence_unseen(e, "exec", key_name[k], why);
	return r;
}

int attempt_collect(struct evidence *e, const struct where *w)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	struct tries t = {.own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
	int r = 0;

	if (!w->live)
		return 0;
	if (t.own < 0)
		return attempt_unseen(e, "this program cannot be read");
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		(void)signal(signals[i], ended);
	for (int k = 0; k < KEYS; k++)
		t.list[k] = (struct list){e, "exec", key_name[k], "tried", 0, NULL, 0};
	loader_find(&t, w);
	loader_missing(&t);
	places_try(&t, w);
	memory_try(&t);
	mprotect_try(&t);
	for (int k = 0; k < KEYS; k++)
		r |= list_end(&t.list[k]);
	close(t.own);
	return r;
}
