/* cam-ship uploads the segments of a spool directory to one server and prints the name of each when the
 * server has confirmed it. Reads the directory, stdin (doorbells) and, for S3, its credentials from the
 * environment or files; writes to that server and to stdout. Holds the upload credentials. May not write,
 * rename or delete a file, run a program, or reach another host or port: it has a dialer for that (dialer.c).
 */
#define _GNU_SOURCE
#include "cell.h"
#include "clocks.h"
#include "fdio.h"
#include "msg.h"
#include "opt.h"
#include "progress.h"
#include "sandbox.h"
#include "ship.h"
#include "unconnected.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
        "cam-ship -d DIR [-1HVv] [-C CAFILE] [-D FD] [-E CERT -K KEY] [-L MODE:DAYS] [-T SECONDS] [-j JOBS] "
        "[-l RATE] [-o newest|oldest] [-p PIN] [-Z landlock] URL";

enum { JOBS = 4, PATIENCE_S = 30, PATIENCE_MAX_S = 3600, POLL_MS_MAX = 30000 };

struct options {
	const char *dir, *url;
	int ready_fd, oldest, verbose;
	struct trust_files files;
};

/* The descriptors of the loop. -1: no longer, or not now. */
struct loop {
	int signal_fd, stdin_fd, more;
	int stdin_ends; /* stdin is a pipe or socket, whose end means something */
};

static struct ship ship; /* large; static so that what it points to is never out of reach */

static int64_t now_ms(void)
{
	return (int64_t)(clocks_boot_ns() / 1000000);
}

static int oldest_parse(const char *order)
{
	if (strcmp(order, "newest") != 0 && strcmp(order, "oldest") != 0)
		die(EXIT_USAGE, "-o %s: neither newest nor oldest", order);
	return *order == 'o';
}

static void options_parse(int argc, char **argv, struct options *o)
{
	struct target_options to = {.endpoint = getenv("AWS_ENDPOINT_URL"), .region = getenv("AWS_REGION")};
	const char *why = NULL;
	int c;

	*o = (struct options){.ready_fd = -1};
	ship.setup.patience_s = PATIENCE_S;
	ship.setup.jobs = JOBS;
	while ((c = opt_next(argc, argv, "1C:D:E:HK:L:T:VZ:d:j:l:o:p:v", "", usage)) != -1)
		switch (c) {
		case '1': ship.once = 1; break;
		case 'C': o->files.authorities = optarg; break;
		case 'D': o->ready_fd = opt_ready_fd(); break;
		case 'E': o->files.certificate = optarg; break;
		case 'H': to.http_allowed = 1; break;
		case 'K': o->files.key = optarg; break;
		case 'L':
			if (objectlock_parse(optarg, &ship.setup.lock) < 0)
				die(EXIT_USAGE, "-L %s: neither governance:DAYS nor compliance:DAYS, 1 to %d",
				        optarg, OBJECTLOCK_DAYS_MAX);
			break;
		case 'T': ship.setup.patience_s = (long)opt_number('T', 1, PATIENCE_MAX_S); break;
		case 'V': to.virtual_host = 1; break;
		case 'Z': sandbox_waive(optarg); break;
		case 'd': o->dir = optarg; break;
		case 'j': ship.setup.jobs = (unsigned)opt_number('j', 1, SHIP_JOBS_MAX); break;
		case 'l':
			if (cap_parse(&ship.cap, optarg) < 0)
				die(EXIT_USAGE, "-l %s: not bytes in a second from 1k to 1024G", optarg);
			break;
		case 'o': o->oldest = oldest_parse(optarg); break;
		case 'v': o->verbose = 1; break;
		case 'p':
			o->files.pin = optarg;
			why = trust_pin_check(optarg);
			break;
		}
	if (!o->dir || argc - optind != 1)
		die(EXIT_USAGE, "%s: usage: %s", o->dir ? "one URL is needed" : "-d is needed", usage);
	if (why)
		die(EXIT_USAGE, "-p %s: %s", o->files.pin, why);
	if (!o->files.certificate != !o->files.key)
		die(EXIT_USAGE, "-E and -K: both or neither: usage: %s", usage);
	if (!to.region || !*to.region)
		to.region = getenv("AWS_DEFAULT_REGION");
	o->url = argv[optind];
	why = target_parse(&ship.target, o->url, &to);
	if (!why && ship.setup.lock.mode && !ship.target.s3)
		why = "-L: only for s3 URLs";
	if (why)
		die(EXIT_USAGE, "%s: %s", o->url, why);
	ship.setup.plain_http = to.http_allowed;
}

/* A descriptor that was closed at the start must not become a socket by accident. */
static void standard_fds_open(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			die_errno(EXIT_TEMPORARY, "/dev/null");
}

/* Whom to believe, who we are, and what time it is. */
static void trust_and_time_open(const struct options *o)
{
	truetime_init(&ship.setup.time);
	if (truetime_spool(&ship.setup.time, dirfd(ship.waiting.dir)) < 0)
		die_errno(EXIT_TEMPORARY, "%s", o->dir);
	if (strncmp(ship.target.base, "https:", 6) == 0)
		trust_open(&ship.setup.trust, &o->files, &ship.setup.time);
	if (ship.target.s3)
		credentials_open(&ship.setup.credentials);
}

static int signals_open(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	/* Blocked before libcurl starts a thread, which inherits that. */
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Before any secret is read; then this process can connect no more. */
static void dialer_open(void)
{
	(void)sandbox_is_built(); /* what there is to say about that the dialer need not say again */
	if (dialer_start(&ship.dialer, ship.target.host, (unsigned)strtoul(ship.target.port, NULL, 10),
	            (unsigned)ship.setup.patience_s) < 0)
		die_errno(EXIT_TEMPORARY, "dialer");
	if (unconnected_enter() < 0)
		die_errno(EXIT_TEMPORARY, "seccomp");
	ship.setup.dialer = &ship.dialer;
	ship.setup.cap = &ship.cap;
}

static void stdin_look(struct loop *l)
{
	struct stat st;
	l->stdin_ends =
	        !ship.once && fstat(STDIN_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	l->stdin_fd = l->stdin_ends ? STDIN_FILENO : -1;
}

static void open_everything(const struct options *o, struct loop *l)
{
	standard_fds_open();
	if (sodium_init() < 0)
		die(EXIT_TEMPORARY, "libsodium: cannot be initialised");
	l->signal_fd = signals_open();
	if (l->signal_fd < 0)
		die_errno(EXIT_TEMPORARY, "signals");
	dialer_open();
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		die(EXIT_TEMPORARY, "cannot set up libcurl");
	cell_starting(o->dir, &o->files);
	stdin_look(l);
	progress_open(o->verbose);
	if (waiting_open(&ship.waiting, o->dir, !o->oldest, now_ms()) < 0)
		die_errno(EXIT_TEMPORARY, "%s", o->dir);
	if (ship.once)
		waiting_last_round(&ship.waiting);
	trust_and_time_open(o);
	if (!(ship.multi = curl_multi_init()) || ship_init(&ship) < 0)
		die(EXIT_TEMPORARY, "cannot set up libcurl");
	cell_shipping();
}

/* What the doorbells say does not matter: the directory is the truth. */
static void stdin_read(struct loop *l)
{
	char buf[4096];
	ssize_t n = read(STDIN_FILENO, buf, sizeof buf);

	if (n > 0) {
		waiting_doorbell(&ship.waiting);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		l->stdin_fd = -1;
		ship.draining = 1;
		waiting_last_round(&ship.waiting);
	}
}

static void stdout_write(void)
{
	if (fd_write(STDOUT_FILENO, ship.said, strlen(ship.said)) < 0) {
		if (errno == EPIPE)
			exit(EXIT_OK);
		die_errno(EXIT_TEMPORARY, "stdout");
	}
	ship.said[0] = 0;
}

static void transfers_run(void)
{
	const CURLMsg *m;
	int n;

	cap_earn(&ship.cap, (int64_t)clocks_boot_ns());
	if (curl_multi_perform(ship.multi, &n))
		die(EXIT_BUG, "libcurl: cannot go on");
	while ((m = curl_multi_info_read(ship.multi, &n)))
		if (m->msg == CURLMSG_DONE)
			ship_finished(&ship, m->easy_handle, m->data.result, now_ms());
}

static void dialer_read(void)
{
	struct dialed d;
	int r;

	while ((r = dialer_answer(&ship.dialer, &d)) > 0)
		ship_dialed(&ship, &d, now_ms());
	if (r < 0)
		die(EXIT_TEMPORARY, "the dialer is gone");
}

static int poll_ms(const struct loop *l)
{
	int64_t now = now_ms(), wait_ms = ship_wake_ms(&ship, now);
	if (l->more || wait_ms <= now)
		return 0;
	if (progress_wake_ms() < wait_ms)
		wait_ms = progress_wake_ms() > now ? progress_wake_ms() : now;
	return wait_ms - now < POLL_MS_MAX ? (int)(wait_ms - now) : POLL_MS_MAX;
}

/* Until a signal or until all is done. The code to exit with. */
static int loop_run(struct loop *l)
{
	int code, ready;

	for (;;) {
		ship_start(&ship, now_ms());
		if (ship_done(&ship, &code))
			return code;
		progress_show(&ship, now_ms());
		struct curl_waitfd fd[] = {
		        {.fd = l->signal_fd, .events = CURL_WAIT_POLLIN},
		        {.fd = ship.waiting.notify_fd, .events = CURL_WAIT_POLLIN},
		        {.fd = l->stdin_fd, .events = CURL_WAIT_POLLIN},
		        {.fd = ship.said[0] ? STDOUT_FILENO : -1, .events = CURL_WAIT_POLLOUT},
		        {.fd = ship.dialer.fd, .events = CURL_WAIT_POLLIN},
		};
		if (curl_multi_poll(ship.multi, fd, sizeof fd / sizeof *fd, poll_ms(l), &ready))
			die(EXIT_BUG, "libcurl: cannot wait");
		if (fd[3].revents)
			stdout_write();
		if (fd[0].revents)
			return EXIT_OK;
		if (fd[1].revents)
			waiting_notified(&ship.waiting);
		if (ship.waiting.gone)
			die(EXIT_TEMPORARY, "%s: the directory is gone", ship.waiting.path);
		if (fd[2].revents)
			stdin_read(l);
		if (fd[4].revents)
			dialer_read();
		transfers_run();
		l->more = ship_turn(&ship, now_ms());
	}
}

int main(int argc, char **argv)
{
	struct options o;
	struct loop l = {0};

	msg_init("cam-ship");
	options_parse(argc, argv, &o);
	open_everything(&o, &l);
	msg_service();
	ready_say(o.ready_fd);
	int code = loop_run(&l);
	progress_clear();
	return code;
}
