/* quote: has the device's TPM sign what a report says, by tpm2_quote(1), in a process of its own that is started before the
 * sandbox and waits for the hash of the report. */
#ifndef QUOTE_H
#define QUOTE_H
#include <stddef.h>
#include <stdint.h>

enum { QUOTE_HASH_BYTES = 32, QUOTE_PART_BYTES_MAX = 4096, QUOTE_WHY_BYTES_MAX = 256 };
#define QUOTE_PCRS "sha256:0,1,2,3,4,5,6,7,8,9,10"
#define QUOTE_KEY "0x81010001"

struct quoter {
	int fd;          /* to the process, or -1 */
	const char *why; /* there is none */
};

struct quote {
	uint8_t message[QUOTE_PART_BYTES_MAX], signature[QUOTE_PART_BYTES_MAX]; /* TPMS_ATTEST, TPMT_SIGNATURE */
	uint32_t message_bytes, signature_bytes;
	char why[QUOTE_WHY_BYTES_MAX]; /* of there being none */
};

/* key: the attestation key, a handle or a file as tpm2_quote -c takes it. Without a TPM only q->why is set. */
void quoter_start(struct quoter *q, const char *key);
/* A quote with hash as its qualifying data. 0, or -1 with out->why. Only reads and writes a descriptor. */
int quoter_ask(struct quoter *q, const uint8_t hash[QUOTE_HASH_BYTES], struct quote *out);
#endif
