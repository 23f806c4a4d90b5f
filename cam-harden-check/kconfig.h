/* kconfig: a kernel configuration in text: .config, /boot/config-VERSION, /proc/config.gz after unpacking.
 *
 * Pure: reads the buffer, writes evidence of the group "kconfig". Strings lose their quotes, "is not set" is
 * n. */
#ifndef KCONFIG_H
#define KCONFIG_H
#include "evidence.h"

enum { KCONFIG_BYTES_MAX = 4 << 20, KCONFIG_SYMBOLS_MIN = 300, KCONFIG_UNSET_MIN = 50 };

/* What the header says: "Linux/arm64 6.12.0 Kernel Configuration". */
struct kconfig_head {
	char arch[16], version[64]; /* as kernel and dpkg say: arm64, amd64, arm, i386; empty: not there */
	unsigned symbols, unset, menus;
	int last_menu; /* since Linux 5.3 the ends of menus are marked; Kernel hacking is the last one */
};

/* text has n bytes and a NUL behind them, and is cut up. 0, or -1 with what makes it implausible in *why:
 * then nothing of it counts. e NULL: only looks. */
int kconfig_parse(char *text, size_t n, const char *source, struct evidence *e, struct kconfig_head *head,
        const char **why);
#endif
