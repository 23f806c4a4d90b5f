/* interfere PROCESS WHAT COMMAND...: runs a command whose children do its work, and interferes with one of
 * its processes, as those who broke into it, or what goes wrong, would: 0 is the command, N its Nth child.
 *
 * hold: once a filter is in force, this process and the command are left behind, stopped; their ids are
 * printed. kill@N: killed when its Nth write begins; filter@N: that write becomes a call that its filter
 * kills for; stop@N: stopped for ever. half@N: it writes half, and is killed; cut@N: it writes half, and ends
 * well; nul@N: the fourth byte from its end is zero; flood@N: it writes that again and again. exit@CODE: it
 * ends with another code.
 *
 * Ends as the command does, or with 111 when the moment never came. Needs root. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_TROUBLE = 111, PATIENCE_S = 300 };

#ifdef __x86_64__
#define NR(r) ((long)(r)->orig_rax)
#define ARG(r, i) (*((i) == 0 ? &(r)->rdi : (i) == 1 ? &(r)->rsi : &(r)->rdx))
#define RESULT(r) ((long)(r)->rax)
static void call_set(pid_t pid, struct user_regs_struct *r, long nr)
{
	(void)pid;
	r->orig_rax = (uint64_t)nr;
}
static void call_again(struct user_regs_struct *r, long nr)
{
	r->rip -= 2; /* bytes of the instruction */
	r->rax = (uint64_t)nr;
}
#elif defined(__aarch64__)
#define NR(r) ((long)(r)->regs[8])
#define ARG(r, i) ((r)->regs[i])
#define RESULT(r) ((long)(r)->regs[0])
static void call_set(pid_t pid, struct user_regs_struct *r, long nr)
{
	int n = (int)nr;
	struct iovec v = {&n, sizeof n};
	(void)ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &v);
	r->regs[8] = (uint64_t)nr;
}
static void call_again(struct user_regs_struct *r, long nr)
{
	r->pc -= 4;
	r->regs[8] = (uint64_t)nr;
}
#endif

enum what { HOLD, KILL, FILTER, STOP, HALF, CUT, NUL, FLOOD, CODE };
static const char *const what_name[] = {
        "hold", "kill", "filter", "stop", "half", "cut", "nul", "flood", "exit"};

struct job {
	enum what what;
	unsigned long number, which; /* behind the @; process */
	pid_t command, target;
	unsigned long children, writes;
	uint64_t first; /* argument of a write that is repeated */
	int in_call, begun, over;
};

static void trouble(const char *what)
{
	fprintf(stderr, "interfere: %s: %s\n", what, strerror(errno));
	exit(EXIT_TROUBLE);
}

static void regs_get(pid_t pid, struct user_regs_struct *r)
{
	struct iovec v = {r, sizeof *r};
	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
		trouble("registers");
}

static void regs_put(pid_t pid, struct user_regs_struct *r)
{
	struct iovec v = {r, sizeof *r};
	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v) < 0)
		trouble("registers");
}

/* The Nth write begins. */
static void write_begins(struct job *j, struct user_regs_struct *r)
{
	j->begun = 1;
	switch (j->what) {
	case KILL:
		kill(j->target, SIGKILL);
		j->over = 1;
		return;
	case STOP: kill(j->target, SIGSTOP); break;
	case FILTER: call_set(j->target, r, SYS_socket); break;
	case HALF:
	case CUT: ARG(r, 2) /= 2; break;
	case NUL: {
		static char nothing;
		uint64_t address = ARG(r, 1) + (ARG(r, 2) > 4 ? ARG(r, 2) - 4 : 0);
		void *at = (void *)(uintptr_t)address; // NOLINT(performance-no-int-to-ptr): not ours
		struct iovec zero = {&nothing, 1}, there = {at, 1};
		if (process_vm_writev(j->target, &zero, 1, &there, 1, 0) != 1)
			trouble("memory");
		break;
	}
	case FLOOD: j->first = ARG(r, 0); break;
	case HOLD:
	case CODE: break;
	}
	regs_put(j->target, r);
	j->over = j->what != HALF && j->what != CUT; /* they have more to do */
}

static void call_begins(struct job *j)
{
	struct user_regs_struct r = {0};

	regs_get(j->target, &r);
	if (j->what == CUT && j->begun) {
		call_set(j->target, &r, SYS_exit_group);
		ARG(&r, 0) = 0;
		regs_put(j->target, &r);
		j->over = 1;
	} else if (j->what == CODE && NR(&r) == SYS_exit_group) {
		ARG(&r, 0) = j->number;
		regs_put(j->target, &r);
		j->over = 1;
	} else if (NR(&r) == SYS_write && ++j->writes == j->number && j->what != CODE) {
		write_begins(j, &r);
	}
}

/* Stops it for good, and lets go of it. waits: it is stopped by us now, and must not run on. */
static void leave_stopped(pid_t pid, int waits)
{
	int status;

	kill(pid, SIGSTOP);
	if (waits)
		(void)ptrace(PTRACE_CONT, pid, 0, 0);
	do {
		if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			trouble("stop");
	} while (WSTOPSIG(status) != SIGSTOP && ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	if (ptrace(PTRACE_DETACH, pid, 0, SIGSTOP) < 0)
		trouble("stop");
}

/* The command first: it only waits, and must not see that the other one ends. */
static void hold(struct job *j)
{
	if (j->target != j->command)
		leave_stopped(j->command, 0);
	leave_stopped(j->target, 1);
	printf("%d %d\n", (int)j->target, (int)j->command);
	exit(0);
}

static void call_ends(struct job *j)
{
	struct user_regs_struct r = {0};

	regs_get(j->target, &r);
	if (j->what == HOLD && NR(&r) == SYS_seccomp && RESULT(&r) == 0 && j->begun)
		hold(j);
	if (j->what == HALF && j->begun) {
		kill(j->target, SIGKILL);
		j->over = 1;
	} else if (j->what == FLOOD && j->begun && RESULT(&r) > 0) {
		ARG(&r, 0) = j->first; /* of arm64 it holds the result */
		call_again(&r, SYS_write);
		regs_put(j->target, &r);
	}
}

static void target_call(struct job *j)
{
	struct user_regs_struct r = {0};

	j->in_call = !j->in_call;
	if (j->over && j->what != FLOOD)
		return;
	if (!j->in_call) {
		call_ends(j);
		return;
	}
	regs_get(j->target, &r);
	if (j->what == HOLD)
		j->begun = NR(&r) == SYS_seccomp && ARG(&r, 0) == SECCOMP_SET_MODE_FILTER;
	else if (j->what != FLOOD || !j->begun)
		call_begins(j);
}

static int number_parse(const char *s, unsigned long *n)
{
	char *end;

	*n = strtoul(s, &end, 10);
	return *s && !*end ? 0 : -1;
}

static int what_parse(const char *s, struct job *j)
{
	const char *at = strchr(s, '@');

	for (j->what = HOLD; j->what <= CODE; j->what++)
		if (strncmp(s, what_name[j->what], strcspn(s, "@")) == 0 &&
		        !what_name[j->what][strcspn(s, "@")])
			return (j->what == HOLD) == !at ? at ? number_parse(at + 1, &j->number) : 0 : -1;
	return -1;
}

/* A process stopped, and goes on. */
static void stopped(struct job *j, pid_t pid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	unsigned long child = 0;

	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
		if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &child) < 0)
			trouble("child");
		if (pid == j->command && ++j->children == j->which)
			j->target = (pid_t)child;
	}
	if (signal == (SIGTRAP | 0x80) && pid == j->target)
		target_call(j);
	/* the first stop of a traced child, and of this one what is meant to stay */
	int pass = event || signal == SIGTRAP || signal == (SIGTRAP | 0x80) ? 0 : signal;
	if (pass == SIGSTOP && !(pid == j->target && j->what == STOP && j->over))
		pass = 0;
	if (pass == SIGSTOP)
		(void)ptrace(PTRACE_DETACH, pid, 0, SIGSTOP);
	else
		(void)ptrace(
		        pid == j->target && (!j->over || j->what == FLOOD) ? PTRACE_SYSCALL : PTRACE_CONT,
		        pid, 0, pass);
}

int main(int argc, char **argv)
{
	struct job j = {0};
	int status;

	if (argc < 4 || number_parse(argv[1], &j.which) < 0 || what_parse(argv[2], &j) < 0) {
		fprintf(stderr, "usage: interfere PROCESS hold|(kill|filter|stop|half|cut|nul|flood|exit)@N "
		                "COMMAND...\n");
		return 100;
	}
	alarm(PATIENCE_S);
	if ((j.command = fork()) == 0) {
		/* a session of its own: what is stopped in one that is left behind is woken */
		(void)setsid();
		(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		trouble(argv[3]);
	}
	if (waitpid(j.command, &status, 0) != j.command ||
	        ptrace(PTRACE_SETOPTIONS, j.command, 0,
	                PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
	                        PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) < 0)
		trouble("trace");
	j.target = j.which ? 0 : j.command;
	(void)ptrace(j.target ? PTRACE_SYSCALL : PTRACE_CONT, j.command, 0, 0);
	for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;)
		if (WIFSTOPPED(status))
			stopped(&j, pid, status);
		else if (pid == j.command)
			break;
	if (!j.over) {
		fprintf(stderr, "interfere: that never came\n");
		return EXIT_TROUBLE;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
