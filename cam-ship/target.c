/* Reads the URL, endpoint and region at the start. Everything that becomes part
 * of a request is checked here once: libcurl 7.88 signs and sends the path as it is given. */
#define _GNU_SOURCE
#include "target.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static int only(const char *s, const char *accepted)
{
	return s[strspn(s, accepted)] == 0;
}

static int loopback(const char *host)
{
	struct in_addr v4;
	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return 1;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* An address, as the resolver takes it: "127.1" is one, too. */
static int numeric(const char *host)
{
	struct in_addr v4;
	return strchr(host, ':') || inet_aton(host, &v4);
}

/* Empty, "." and ".." components mean different things to different servers. */
static int plain_components(const char *path)
{
	for (const char *at = path; *at; at += *at == '/') {
		size_t n = strcspn(at, "/");
		if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
			return 0;
		at += n;
	}
	return 1;
}

static const char *part(CURLU *u, CURLUPart what, unsigned flags, char *out, size_t bytes)
{
	char *s = NULL;
	out[0] = 0;
	CURLUcode r = curl_url_get(u, what, &s, flags);
	size_t n = s ? strlen(s) : 0;
	if (r == CURLUE_OK && s && n < bytes)
		memcpy(out, s, n + 1);
	curl_free(s);
	if (r == CURLUE_OUT_OF_MEMORY)
		return "out of memory";
	return n < bytes ? NULL : "too long";
}

static int has(CURLU *u, CURLUPart what)
{
	char *s = NULL;
	CURLUcode r = curl_url_get(u, what, &s, 0);
	curl_free(s);
	return r == CURLUE_OK;
}

static const char *site_check(CURLU *u, int http_allowed)
{
	char scheme[16], host[TARGET_HOST_BYTES];
	const char *why = part(u, CURLUPART_SCHEME, 0, scheme, sizeof scheme);
	if (!why)
		why = part(u, CURLUPART_HOST, 0, host, sizeof host);
	if (why)
		return why;
	if (has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD))
		return "credentials do not belong into a URL, which anyone can see in the list of processes";
	if (has(u, CURLUPART_QUERY) || has(u, CURLUPART_FRAGMENT))
		return "a query or fragment makes no sense here";
	if (strcmp(scheme, "https") == 0)
		return NULL;
	if (strcmp(scheme, "http") != 0)
		return "neither https:// nor s3://";
	if (!http_allowed)
		return "http is not encrypted: use https";
	return loopback(host) ? NULL
	                      : "http is only for this machine (127.0.0.0/8, [::1], localhost): use https";
}

/* scheme://host[:port] of text into t->base, the path (without its first slash) into path. */
static const char *site_parse(struct target *t, const char *text, int http_allowed, char *path, size_t bytes)
{
	CURLU *u = curl_url();
	char scheme[16], host[TARGET_HOST_BYTES], port[8], whole[TARGET_URL_BYTES];
	const char *why;

	if (!u)
		return "out of memory";
	why = curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS) ? "not a URL"
	                                                             : site_check(u, http_allowed);
	if (!why)
		why = part(u, CURLUPART_PATH, 0, whole, sizeof whole);
	if (!why) {
		(void)part(u, CURLUPART_SCHEME, 0, scheme, sizeof scheme);
		(void)part(u, CURLUPART_HOST, 0, host, sizeof host);
		(void)part(u, CURLUPART_PORT, 0, port, sizeof port);
		int n = snprintf(
		        t->base, sizeof t->base, "%s://%s%s%s", scheme, host, port[0] ? ":" : "", port);
		t->root_bytes = (size_t)n;
		(void)part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, t->port, sizeof t->port);
		const int v6 = host[0] == '[';
		snprintf(t->host, sizeof t->host, "%.*s", (int)strlen(host) - 2 * v6, host + v6);
		snprintf(path, bytes, "%s", whole[0] == '/' ? whole + 1 : whole);
	}
	curl_url_cleanup(u);
	return why;
}

static const char *path_append(char *out, size_t bytes, const char *path, const char *accepted)
{
	size_t n = strlen(path);
	if (!only(path, accepted) || !plain_components(path))
		return "the path has characters or components that not every server takes the same way";
	const char *slash = n && path[n - 1] != '/' ? "/" : "";
	size_t at = strlen(out);
	int put = snprintf(out + at, bytes - at, "/%s%s", path, slash);
	return put > 0 && (size_t)put < bytes - at - 2 * (size_t)TARGET_KEY_BYTES ? NULL : "too long";
}

static const char *https_parse(struct target *t, const char *url, int http_allowed)
{
	char path[TARGET_URL_BYTES];
	const char *why = site_parse(t, url, http_allowed, path, sizeof path);
	if (!why)
		why = path_append(t->base, sizeof t->base, path, LETTERS DIGITS "/_.~%-");
	if (!why)
		snprintf(t->text, sizeof t->text, "%s", t->base);
	return why;
}

/* https://host/bucket/prefix/ becomes https://bucket.host/prefix/, which is as long. */
static const char *virtual_host(struct target *t, const char *bucket, int n)
{
	char base[TARGET_URL_BYTES], host[TARGET_HOST_BYTES];
	const int scheme = (int)strcspn(t->base, ":") + 3, site = (int)t->root_bytes - scheme;

	if (numeric(t->host))
		return "-V: the endpoint has to be a name: nothing is below an address";
	if (memchr(bucket, '.', (size_t)n))
		return "-V: no certificate fits a host's name with a bucket in it that has dots";
	int put = snprintf(base, sizeof base, "%.*s%.*s.%.*s%s", scheme, t->base, n, bucket, site,
	        t->base + scheme, t->base + t->root_bytes + 1 + n);
	int put_host = snprintf(host, sizeof host, "%.*s.%s", n, bucket, t->host);
	if (put < 0 || (size_t)put >= sizeof base || put_host < 0 || (size_t)put_host >= sizeof host)
		return "too long";
	memcpy(t->base, base, (size_t)put + 1);
	memcpy(t->host, host, (size_t)put_host + 1);
	t->root_bytes += (size_t)n + 1;
	return NULL;
}

static const char *s3_parse(struct target *t, const char *rest, const struct target_options *o)
{
	char path[TARGET_URL_BYTES], amazon[96];
	size_t bucket = strcspn(rest, "/");
	const char *region = o->region && *o->region ? o->region : "us-east-1", *endpoint = o->endpoint;
	int own = endpoint && *endpoint, in_host = o->virtual_host;

	if (bucket < 3 || bucket > 63)
		return "a bucket's name has 3 to 63 characters: s3://bucket/prefix/";
	if (strlen(region) > 40 || !only(region, LETTERS DIGITS "-"))
		return "AWS_REGION is not the name of a region";
	snprintf(t->region, sizeof t->region, "%s", region);
	if (!own) {
		snprintf(amazon, sizeof amazon, "https://s3.%s.amazonaws.com", region);
		endpoint = amazon;
		in_host |= !memchr(rest, '.', bucket);
	}
	const char *why = site_parse(t, endpoint, o->http_allowed, path, sizeof path);
	if (why)
		return why;
	if (path[0])
		return "AWS_ENDPOINT_URL must not have a path";
	t->s3 = 1;
	why = path_append(t->base, sizeof t->base, rest, LETTERS DIGITS "/_.-");
	if (why)
		return why;
	snprintf(t->text, sizeof t->text, "s3:/%s", t->base + t->root_bytes);
	return in_host ? virtual_host(t, rest, (int)bucket) : NULL;
}

const char *target_parse(struct target *t, const char *url, const struct target_options *o)
{
	memset(t, 0, sizeof *t);
	const char *why = strncmp(url, "s3://", 5) == 0 ? s3_parse(t, url + 5, o)
	                                                : https_parse(t, url, o->http_allowed);
	if (why)
		return why;
	if (!t->s3 && o->virtual_host)
		return "-V: only for s3 URLs";
	const int usual = strcmp(t->port, strncmp(t->base, "https:", 6) == 0 ? "443" : "80") == 0;
	const int v6 = strchr(t->host, ':') != NULL;
	snprintf(t->authority, sizeof t->authority, "%s%s%s%s%s", v6 ? "[" : "", t->host, v6 ? "]" : "",
	        usual ? "" : ":", usual ? "" : t->port);
	return NULL;
}

void target_key(char out[TARGET_KEY_BYTES], const struct name *n, const uint8_t sha256[TARGET_HASH_BYTES])
{
	char date[11], name[NAME_BYTES_MAX], hex[17];

	name_date(date, n);
	name_put(name, n);
	sodium_bin2hex(hex, sizeof hex, sha256, 8);
	snprintf(out, TARGET_KEY_BYTES, "%s/%.*s-%s.cam", date, (int)strcspn(name, "."), name, hex);
}
