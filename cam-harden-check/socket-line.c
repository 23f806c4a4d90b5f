/* Takes a line apart that was read elsewhere. Reads nothing itself. */
#define _GNU_SOURCE
#include "socket-line.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hexadecimal, as the kernel prints the words of an address: each in the order of this machine. */
static int address_parse(const char *s, bool v6, char out[SOCKET_ADDRESS_BYTES], bool *loopback, bool *any)
{
	uint32_t word[4];
	unsigned n = v6 ? 4 : 1, port;
	char text[INET6_ADDRSTRLEN], hex[9] = {0};

	if (strspn(s, "0123456789ABCDEFabcdef") != n * 8 || s[n * 8] != ':' ||
	        strspn(s + n * 8 + 1, "0123456789ABCDEFabcdef") != 4)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		memcpy(hex, s + i * 8, 8);
		word[i] = (uint32_t)strtoul(hex, NULL, 16);
	}
	port = (unsigned)strtoul(s + n * 8 + 1, NULL, 16);
	inet_ntop(v6 ? AF_INET6 : AF_INET, word, text, sizeof text);
	snprintf(out, SOCKET_ADDRESS_BYTES, v6 ? "[%s]:%u" : "%s:%u", text, port);
	*loopback = v6 ? strcmp(text, "::1") == 0 || strncmp(text, "::ffff:127.", 11) == 0
	               : strncmp(text, "127.", 4) == 0;
	*any = strcmp(text, v6 ? "::" : "0.0.0.0") == 0;
	return 0;
}

int socket_line_parse(const char *line, bool v6, struct socket_line *out)
{
	char local[48], remote[48];
	bool loopback, any, unused;

	*out = (struct socket_line){0};
	/* NOLINTNEXTLINE(cert-err34-c): the kernel prints these numbers */
	if (sscanf(line, " %*u: %47s %47s %x %*x:%*x %*x:%*x %*x %lu %*u %lu", local, remote, &out->state,
	            &out->uid, &out->inode) != 5)
		return -1;
	if (address_parse(local, v6, out->local, &loopback, &unused) < 0 ||
	        address_parse(remote, v6, out->remote, &unused, &any) < 0)
		return -1;
	out->loopback = loopback;
	out->connected = !any;
	return 0;
}
