/* measured: do the logs of what was measured lead to what the TPM's registers hold? A log alone is a file: it
 * says what the registers say only when hashing it together gives the same (TCG PC Client Platform Firmware
 * Profile 1.05, chapter 10; Linux, security/integrity/ima). SHA-256 only. */
#ifndef MEASURED_H
#define MEASURED_H
#include "evidence.h"
#include "where.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEASURED_HASH_BYTES = 32, MEASURED_REGISTERS = 24, MEASURED_IMA = 10 };

struct measured {
	uint8_t value[MEASURED_REGISTERS][MEASURED_HASH_BYTES];
	bool used[MEASURED_REGISTERS];
};

/* A log of the firmware and the boot loader. 0, or -1: not understood, or without SHA-256. */
int measured_firmware(const uint8_t *p, size_t n, struct measured *out);
/* IMA's log in binary, in this machine's byte order. Sets *reached when register 10 was at some point what
 * before says: the log grows while it is read. 0, or -1. */
int measured_ima(const uint8_t *p, size_t n, const uint8_t before[MEASURED_HASH_BYTES], bool *reached,
        struct measured *out);

/* tpm.log-differs and ima.replay of the group "integrity". Live only. 0, or -1: evidence full. */
int measured_collect(struct evidence *, const struct where *);
#endif
