/* The kernel shows these bits of no other process: /proc/PID/status has none of them, and prctl(2) is about
 * oneself. They are inherited through fork and exec, so ours are those of the session that the audit was
 * started in: of the supervision tree when it is the gate's. Tools of the camera run no programs, so that the
 * bits for interpreters would tell them nothing. */
#define _GNU_SOURCE
#include "securebits.h"

#include "list.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>

/* linux/securebits.h of Linux 6.14; older headers lack the last four. */
static const char *const names[] = {"noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked",
        "keep-caps", "keep-caps-locked", "no-cap-ambient-raise", "no-cap-ambient-raise-locked",
        "exec-restrict-file", "exec-restrict-file-locked", "exec-deny-interactive",
        "exec-deny-interactive-locked"};

static int bits = -1;

void securebits_open(const struct where *w)
{
	bits = w->live ? prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) : -1;
}

int securebits_collect(struct evidence *e, const struct where *w)
{
	struct list l = {e, "exec", "securebits", "prctl(2), of whoever started this", 0, NULL, 0};

	if (!w->live)
		return 0;
	if (bits < 0)
		list_unseen(&l, "the kernel does not say");
	for (size_t i = 0; bits >= 0 && i < sizeof names / sizeof *names; i++)
		if (bits & 1 << i)
			list_add(&l, "%s", names[i]);
	return list_end(&l);
}
