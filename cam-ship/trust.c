/* Reads certificates and the client's key at the start and hands them to OpenSSL for each connection that
 * libcurl makes, so that no file is opened later and the authorities are parsed once. Holds the client's key.
 *
 * While the clock is not synchronised, only a lower bound of the time is known. A certificate that had
 * expired by then has expired. One that is not valid yet then proves nothing but that it is later: servers
 * renew theirs all the time, this program is built once, and refusing them would keep a camera without a
 * clock away for ever. */
#define _GNU_SOURCE
#include "trust.h"

#include "msg.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PIN_BYTES = 32, PIN_TEXT_BYTES = 44 };

const char *trust_pin_check(const char *pin)
{
	static const char head[] = "sha256//";
	unsigned char hash[PIN_BYTES];
	size_t n;

	for (;; pin += PIN_TEXT_BYTES + 1) {
		if (strncmp(pin, head, sizeof head - 1) != 0)
			return "a pin is sha256//BASE64, several have semicolons between them";
		pin += sizeof head - 1;
		/* Exactly one way to write a hash: libcurl compares the text. */
		if (strcspn(pin, ";") != PIN_TEXT_BYTES ||
		        sodium_base642bin(hash, sizeof hash, pin, PIN_TEXT_BYTES, NULL, &n, NULL,
		                sodium_base64_VARIANT_ORIGINAL) < 0 ||
		        n != sizeof hash)
			return "a pin is the base64 of a SHA-256, 44 characters";
		if (!pin[PIN_TEXT_BYTES])
			return NULL;
	}
}

static const char *openssl_why(void)
{
	const char *s = ERR_reason_error_string(ERR_peek_last_error());
	return s ? s : "OpenSSL failed";
}

static void readable_check(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	close(fd);
}

static void authorities_open(struct trust *t, const char *path)
{
	const char *from = path ? path : curl_version_info(CURLVERSION_NOW)->cainfo;

	if (!from)
		die(EXIT_USAGE, "-C is needed: this libcurl knows no certificate authorities");
	readable_check(from);
	t->authorities = X509_STORE_new();
	if (!t->authorities)
		die(EXIT_TEMPORARY, "out of memory");
	if (X509_STORE_load_file(t->authorities, from) != 1)
		die(EXIT_USAGE, "%s: no certificates in PEM: %s", from, openssl_why());
	/* As libcurl does: any certificate of the file may end the chain, not only self-signed ones. */
	X509_STORE_set_flags(t->authorities, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return -1;
}

/* Like openssh: a key of our own that others can read is none. One of root's that our group may read is how a
 * service gets it. */
static EVP_PKEY *key_read(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "re");

	if (!f || fstat(fileno(f), &st) < 0)
		die_errno(EXIT_TEMPORARY, "%s", path);
	if ((st.st_mode & S_IRWXO) || (st.st_uid == geteuid() && (st.st_mode & S_IRWXG)))
		die(EXIT_USAGE, "%s: others can read this key (mode %04o): chmod go= it", path,
		        (unsigned)st.st_mode & 07777);
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, no_passphrase, NULL);
	if (!key)
		die(EXIT_USAGE, "%s: no private key in PEM without a passphrase: %s", path, openssl_why());
	(void)fclose(f);
	return key;
}

static void own_open(struct trust *t, const char *certificate, const char *key_path)
{
	readable_check(certificate);
	t->own = SSL_CTX_new(TLS_client_method());
	if (!t->own)
		die(EXIT_TEMPORARY, "out of memory");
	if (SSL_CTX_use_certificate_chain_file(t->own, certificate) != 1)
		die(EXIT_USAGE, "%s: no certificate in PEM: %s", certificate, openssl_why());
	EVP_PKEY *key = key_read(key_path);
	if (SSL_CTX_use_PrivateKey(t->own, key) != 1 || SSL_CTX_check_private_key(t->own) != 1)
		die(EXIT_USAGE, "%s: is not the key of %s", key_path, certificate);
	EVP_PKEY_free(key);
}

void trust_open(struct trust *t, const struct trust_files *files, const struct truetime *time)
{
	*t = (struct trust){.pin = files->pin, .time = time};
	authorities_open(t, files->authorities);
	if (files->certificate)
		own_open(t, files->certificate, files->key);
}

/* Only while the clock is not synchronised. */
static int on_verify(int good, X509_STORE_CTX *chain)
{
	if (good || X509_STORE_CTX_get_error(chain) != X509_V_ERR_CERT_NOT_YET_VALID)
		return good;
	X509_STORE_CTX_set_error(chain, X509_V_OK);
	return 1;
}

/* libcurl has set the context up, with verification on. */
static CURLcode on_context(CURL *e, void *context, void *arg)
{
	const struct trust *t = arg;
	SSL_CTX *ctx = context;
	STACK_OF(X509) *chain = NULL;
	int sure;
	(void)e;

	SSL_CTX_set1_cert_store(ctx, t->authorities);
	X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ctx), (time_t)truetime_certificates_s(t->time, &sure));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, sure ? NULL : on_verify);
	if (!t->own)
		return CURLE_OK;
	SSL_CTX_get0_chain_certs(t->own, &chain);
	return SSL_CTX_use_cert_and_key(
	               ctx, SSL_CTX_get0_certificate(t->own), SSL_CTX_get0_privatekey(t->own), chain, 1) == 1
	               ? CURLE_OK
	               : CURLE_SSL_CERTPROBLEM;
}

int trust_apply(const struct trust *t, CURL *e)
{
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	/* Instead of what libcurl would read by itself for each connection. */
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	if (t->pin && curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, t->pin))
		return -1;
	if (curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_context) ||
	        curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, t))
		return -1;
	return 0;
}

void trust_explain(const struct trust *t, CURLcode result, char *why, size_t bytes)
{
	char date[16];
	struct tm tm;
	int sure;
	time_t at = (time_t)truetime_certificates_s(t->time, &sure);
	const size_t n = strlen(why);

	if (sure || result != CURLE_PEER_FAILED_VERIFICATION || !strstr(why, "expired"))
		return;
	gmtime_r(&at, &tm);
	strftime(date, sizeof date, "%Y-%m-%d", &tm);
	snprintf(why + n, bytes - n, " (the clock is not synchronised: it is at least %s)", date);
}

int trust_refused(const char *why)
{
	return strstr(why, "SSL_read") && strstr(why, " alert ");
}
