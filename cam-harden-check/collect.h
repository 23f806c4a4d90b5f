/* collect: what is read of the device, live or offline. Each opens, reads and parses files and puts facts
 * into the evidence; what cannot be read becomes evidence_unseen(). 0, or -1 with errno when the evidence is
 * full. */
#ifndef COLLECT_H
#define COLLECT_H
#include "evidence.h"
#include "policy.h"
#include "where.h"

/* arch, board, kernel: group "device". Offline they are what w says; the kernel's version is then of its
 * configuration. */
int device_collect(struct evidence *, const struct where *);
/* Group "kconfig": /proc/config.gz, /boot/config-VERSION, /lib/modules/VERSION/config. */
int kconfig_collect(struct evidence *, const struct where *);
/* Group "cmdline"; what the boot partition says when another one runs: "cmdline.declared". */
int cmdline_collect(struct evidence *, const struct where *);
/* Group "sysctl": of the running kernel only the keys that p names. Files of sysctl.d come after it. */
int sysctl_collect(struct evidence *, const struct where *, const struct policy *p);
/* Group "modprobe". */
int modprobe_collect(struct evidence *, const struct where *);
/* Group "image": accounts, keys, tools, fstab. */
int image_collect(struct evidence *, const struct where *, const struct policy *p);

/* "FILE: WHY" into out. */
void collect_why(char *out, size_t max, const char *file, const char *why);

/* The names in a folder (no . and ..), sorted, at most max; *n how many. NULL with errno. Free each and all.
 */
char **folder_names(const struct where *, const char *path, size_t max, size_t *n);
void folder_names_free(char **names, size_t n);
#endif
