/* A filter of system calls, by libseccomp. Everything that opens a way to the network, or into the process
 * that may connect, is refused, with one exception: connect() says that it has succeeded and does nothing.
 * libcurl 7.88 calls it also for a socket that was handed to it connected, and gives up when that fails. */
#define _GNU_SOURCE
#include "unconnected.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/socket.h>

static const int refused[] = {
        SCMP_SYS(socket), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
        SCMP_SYS(io_uring_setup), /* whose requests no filter sees */
        SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd),
        SCMP_SYS(sendmmsg), /* libcurl has no use for it */
};

/* TCP fast open: sending is connecting. */
static int sending_refuse(scmp_filter_ctx f, int call, unsigned flags_at)
{
	return seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), call, 1,
	        SCMP_CMP(flags_at, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN));
}

static int rules_add(scmp_filter_ctx f)
{
	int r = seccomp_rule_add(f, SCMP_ACT_ERRNO(0), SCMP_SYS(connect), 0);
	for (size_t i = 0; i < sizeof refused / sizeof *refused && !r; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	if (!r && !UNCONNECTED_TRACED)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0);
	if (!r)
		r = sending_refuse(f, SCMP_SYS(sendto), 3);
	return r ? r : sending_refuse(f, SCMP_SYS(sendmsg), 2);
}

int unconnected_enter(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	if (!f) {
		errno = ENOMEM;
		return -1;
	}
	int r = rules_add(f);
	if (!r)
		r = seccomp_load(f); /* sets no_new_privs */
	seccomp_release(f);
	if (r)
		errno = -r;
	return r ? -1 : 0;
}
