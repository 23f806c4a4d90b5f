/* The dialer's sandbox. Opens the resolver's files by name only, to say that they may be read; holds the
 * addresses that were found.
 *
 * The resolver's files are replaced when the network changes, and a rule of Landlock sticks to the file that
 * it was made for. So what waits may read the directories in which they are replaced, and each dial, which
 * reads what others on the network send, may read the files that are there when it begins. */
#define _GNU_SOURCE
#include "dialcell.h"

#include "msg.h"
#include "sandbox.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { PAGE_BYTES = 4096, SLOT_BYTES = PAGE_BYTES / SANDBOX_FOUND_MAX };

_Static_assert(SLOT_BYTES >= (int)sizeof(struct sockaddr_storage), "an address fits");

/* Modules for other ways to look up a name are libraries, which cannot be loaded later. A name that is too
 * long for DNS makes glibc load them and sends nothing. */
static void modules_load(void)
{
	static const char name[] = "0123456789012345678901234567890123456789012345678901234567890123.invalid";
	struct addrinfo *none = NULL;

	if (getaddrinfo(name, NULL, NULL, &none) == 0)
		freeaddrinfo(none);
}

void dialcell_waiting(unsigned port)
{
	static const char *const directories[] = {"/etc", "/run"};

	modules_load();
	sandbox_server(port);
	sandbox_enter(&profile_dialer, directories, sizeof directories / sizeof *directories);
}

void dialcell_resolving(void)
{
	static const char *const files[] = {
	        "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"};

	sandbox_narrow(&profile_dialer_resolving, files, sizeof files / sizeof *files);
}

void dialcell_connecting(const struct addrinfo *address[], unsigned n)
{
	static struct addrinfo moved[SANDBOX_FOUND_MAX];
	struct sandbox_address found[SANDBOX_FOUND_MAX];
	uint8_t *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die_errno(EXIT_TEMPORARY, "dialer: memory");
	for (unsigned i = 0; i < n; i++) {
		if (address[i]->ai_addrlen > SLOT_BYTES)
			die(EXIT_BUG, "dialer: an address of %u bytes", (unsigned)address[i]->ai_addrlen);
		moved[i] = *address[i];
		moved[i].ai_addr = memcpy(page + i * SLOT_BYTES, address[i]->ai_addr, address[i]->ai_addrlen);
		address[i] = &moved[i];
		found[i] = (struct sandbox_address){moved[i].ai_addr, moved[i].ai_addrlen};
	}
	if (mprotect(page, PAGE_BYTES, PROT_READ) < 0)
		die_errno(EXIT_TEMPORARY, "dialer: memory");
	sandbox_found(found, n);
	sandbox_narrow(&profile_dialer_connecting, NULL, 0);
}
