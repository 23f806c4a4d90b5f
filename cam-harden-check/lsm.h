/* lsm: which security modules are active, in which mode, and what they were told. */
#ifndef LSM_H
#define LSM_H
#include "evidence.h"
#include "where.h"

#include <stddef.h>
#include <stdint.h>

/* How many domains are permissive in a binary SELinux policy (/sys/fs/selinux/policy; format: libsepol's
 * policydb_write, versions 23 and up). -1: not understood. */
long lsm_permissive_domains(const uint8_t *policy, size_t n);

/* The keys "lsm-active", "lockdown", "selinux...", "ipe...", "ima...", "modules..." of the group "integrity".
 * Live only. 0, or -1: evidence full. */
int lsm_collect(struct evidence *, const struct where *);
#endif
