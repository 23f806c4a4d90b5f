/* trust: by what the server is known, and by what it knows us: certificate authorities, pin, client
 * certificate, and the time at which certificates are judged. */
#ifndef TRUST_H
#define TRUST_H
#include "truetime.h"

#include <curl/curl.h>
#include <openssl/ssl.h>

struct trust {
	const char *pin;         /* as libcurl takes it, or NULL */
	X509_STORE *authorities; /* NULL: no TLS is to be spoken */
	SSL_CTX *own;            /* holds the client certificate, its chain and key; or NULL */
	const struct truetime *time;
};

/* What the command line says; each may be NULL. */
struct trust_files {
	const char *authorities, *pin, *certificate, *key;
};

/* NULL, or why these are not pins: sha256//BASE64, several with semicolons between. */
const char *trust_pin_check(const char *pin);

/* Reads every file; nothing is opened later. Dies with what is wrong. */
void trust_open(struct trust *t, const struct trust_files *files, const struct truetime *time);
/* For every transfer. 0, or -1 when this libcurl cannot do that. */
int trust_apply(const struct trust *t, CURL *e);

/* The text of a failed transfer is about a certificate's time, which is only guessed: adds how. */
void trust_explain(const struct trust *t, CURLcode result, char *why, size_t bytes);
/* The text of a failed transfer says that the server ended TLS after the handshake: by RFC 8446 that is how a
 * client certificate is refused. */
int trust_refused(const char *why);
#endif
