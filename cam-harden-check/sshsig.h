/* sshsig: a signature that ssh-keygen -Y sign made (PROTOCOL.sshsig of OpenSSH), with a key of the kind
 * ssh-ed25519 that is in it: the signature shows that whoever has this key signed, and its fingerprint says
 * which key that is. */
#ifndef SSHSIG_H
#define SSHSIG_H
#include <stddef.h>

enum { SSHSIG_BYTES_MAX = 16 << 10, SSHSIG_FINGERPRINT_BYTES = 64 };

/* Is sig the signature of message, for this namespace? NULL and the key's fingerprint, as ssh-keygen -l
 * prints it, or why not. */
const char *sshsig_verify(const char *sig, size_t sig_bytes, const char *name_space, const void *message,
        size_t message_bytes, char fingerprint[SSHSIG_FINGERPRINT_BYTES]);
#endif
