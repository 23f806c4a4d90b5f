#define _GNU_SOURCE
#include "credentials.h"
#include "msg.h"
#include "tap.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct credentials c;

static int write_file(const char *path, const char *text, mode_t mode)
{
	char tmp[64];
	snprintf(tmp, sizeof tmp, "%s.new", path);
	int fd = open(tmp, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	int good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0;
	close(fd);
	return good && rename(tmp, path) == 0;
}

/* The code with which credentials_open ends a process, 0 when it does not. */
static int dies(void)
{
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		credentials_open(&c);
		_exit(0);
	}
	int status = 0;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void lines(void)
{
	const struct {
		const char *text, *out;
	} t[] = {{"key", "key"}, {"key\n", "key"}, {"k:/+=~!", "k:/+=~!"}, {"1234567", "1234567"},
	        {"1234567\n", "1234567"}, {"", NULL}, {"\n", NULL}, {"key\n\n", NULL}, {"key\r\n", NULL},
	        {"a b", NULL}, {" a", NULL}, {"a\nb", NULL}, {"a\tb", NULL}, {"\x80", NULL},
	        {"12345678", NULL}, {"a\x7f", NULL}};
	char out[8];

	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		const char *why = credentials_line(out, sizeof out, t[i].text, strlen(t[i].text));
		ok(t[i].out ? !why && strcmp(out, t[i].out) == 0 : why && !out[0], "line %u", i);
	}
	ok(credentials_line(out, sizeof out, "a\0b", 3) && !out[0], "a NUL is refused");
}

static void environment(void)
{
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
	ok(dies() == EXIT_USAGE, "nothing is set");
	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	ok(dies() == EXIT_USAGE, "no secret");
	setenv("AWS_SECRET_ACCESS_KEY", "se:cret", 1);
	setenv("AWS_SESSION_TOKEN", "a\r\nHost: x", 1);
	ok(dies() == EXIT_USAGE, "a token that would end a header line");
	setenv("AWS_SESSION_TOKEN", "token\n", 1);
	ok(dies() == EXIT_USAGE, "a newline in the environment");
	unsetenv("AWS_SESSION_TOKEN");
	char *place = getenv("AWS_SECRET_ACCESS_KEY");
	credentials_open(&c);
	ok(strcmp(c.access_key, "id") == 0 && strcmp(c.secret_key, "se:cret") == 0 && !c.session_token[0],
	        "both are set");
	ok(!getenv("AWS_SECRET_ACCESS_KEY") && !getenv("AWS_ACCESS_KEY_ID") && place && !place[0],
	        "removed, and overwritten");
	ok(!credentials_refresh(&c), "nothing to read again");
}

static void files(void)
{
	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	setenv("AWS_SECRET_ACCESS_KEY_FILE", "secret", 1);
	setenv("AWS_SESSION_TOKEN_FILE", "./token", 1);
	ok(dies() == EXIT_TEMPORARY, "files that are not there");
	write_file("token", "t1\n", 0400);
	write_file("secret", "s1\n", 0644);
	ok(dies() == EXIT_TEMPORARY, "a file that others can read");
	write_file("secret", "", 0600);
	ok(dies() == EXIT_TEMPORARY, "an empty file");
	write_file("secret", "s1", 0600);
	setenv("AWS_SECRET_ACCESS_KEY", "other", 1);
	ok(dies() == EXIT_USAGE, "both the variable and the file");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	credentials_open(&c);
	ok(strcmp(c.secret_key, "s1") == 0 && strcmp(c.session_token, "t1") == 0 &&
	                strcmp(c.access_key, "id") == 0,
	        "from files");
	ok(!credentials_refresh(&c), "unchanged");
	if (chdir("/") < 0)
		ok(0, "chdir");
	char path[2][64];
	snprintf(path[0], sizeof path[0], "%s/secret", getenv("DIR"));
	snprintf(path[1], sizeof path[1], "%s/token", getenv("DIR"));
	write_file(path[0], "s2\n", 0600);
	write_file(path[1], "t2\n", 0600);
	ok(credentials_refresh(&c) && strcmp(c.secret_key, "s2") == 0 && strcmp(c.session_token, "t2") == 0,
	        "replaced: read again");
	write_file(path[0], "s 3\n", 0600);
	unlink(path[1]);
	ok(!credentials_refresh(&c) && strcmp(c.secret_key, "s2") == 0 && strcmp(c.session_token, "t2") == 0,
	        "spoilt, gone: as before");
	write_file(path[0], "s4\n", 0600);
	ok(credentials_refresh(&c) && strcmp(c.secret_key, "s4") == 0, "good again");
	unlink(path[0]);
}

int main(void)
{
	char dir[] = "/tmp/credentials-XXXXXX";

	msg_init("credentials-test");
	if (sodium_init() < 0 || !mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	setenv("DIR", dir, 1);
	lines();
	environment();
	files();
	rmdir(dir);
	return tap_done();
}
