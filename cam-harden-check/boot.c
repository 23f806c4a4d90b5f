/* Reads /sys/class/watchdog, /sys/class/tpm, /sys/fs/pstore, /proc/device-tree and config.txt of the boot
 * partition. Opens no device: opening a watchdog arms it. */
#define _GNU_SOURCE
#include "boot.h"

#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_BYTES_MAX = 64 << 10, PCRS = 10 };

static const char integrity[] = "integrity", watchdog[] = "watchdog";
#define DOG "sys/class/watchdog/watchdog0"
#define TPM "sys/class/tpm/tpm0"

static int line_put(
        struct evidence *e, const struct where *w, const char *group, const char *key, const char *path)
{
	char *s = where_line(w, path);
	int r = s && *s ? fact_put(e, group, key, s, path)
	                : evidence_unseen(e, group, key, s ? "an empty file" : strerror(errno));

	free(s);
	return r;
}

/* Calls look for each name in a folder that does not begin with a dot. -1 with errno. */
static int folder_walk(const struct where *w, const char *path, void (*look)(const char *, void *), void *arg)
{
	DIR *d = where_folder(w, path);

	if (!d)
		return -1;
	for (const char *name; (name = where_folder_next(d));)
		look(name, arg);
	int err = errno;
	closedir(d);
	errno = err;
	return err ? -1 : 0;
}

/* --- watchdog --- */

static void name_note(const char *name, void *list)
{
	list_add(list, "%s", name);
}

static int watchdog_collect(struct evidence *e, const struct where *w)
{
	static const char *const keys[] = {
	        "watchdog.state", "watchdog.nowayout", "watchdog.timeout", "watchdog.identity"};
	struct list crash = {e, watchdog, "pstore", "/sys/fs/pstore", 0, NULL, 0};
	char path[64];
	int r = 0;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		snprintf(path, sizeof path, DOG "/%s", keys[i] + strlen("watchdog."));
		if (where_exists(w, DOG))
			r |= line_put(e, w, watchdog, keys[i], path);
		else
			r |= where_exists(w, "sys/class")
			             ? evidence_none(e, watchdog, keys[i], "/sys/class/watchdog")
			             : evidence_unseen(e, watchdog, keys[i], "/sys is not mounted");
	}
	if (folder_walk(w, "sys/fs/pstore", name_note, &crash) < 0 &&
	        (errno != ENOENT || !where_exists(w, "sys/class")))
		list_unseen(&crash, "/sys/fs/pstore cannot be listed");
	return r | list_end(&crash);
}

/* --- TPM --- */

static void bank_note(const char *name, void *list)
{
	if (strncmp(name, "pcr-", 4) == 0)
		list_add(list, "%s", name + 4);
}

/* Registers that the firmware never extended are zero (or all ones, where it was never asked). */
static int registers_put(struct evidence *e, const struct where *w)
{
	struct list l = {e, integrity, "tpm.pcr0-9", TPM "/pcr-sha256", 0, NULL, 0};
	char path[64];

	for (int i = 0; i < PCRS; i++) {
		snprintf(path, sizeof path, TPM "/pcr-sha256/%d", i);
		char *s = where_line(w, path);
		if (!s)
			list_unseen(&l, "a register cannot be read");
		else if (strspn(s, "0") == strlen(s) || strspn(s, "fF") == strlen(s))
			list_add(&l, "PCR %d was never extended", i);
		free(s);
	}
	return list_end(&l);
}

static int tpm_collect(struct evidence *e, const struct where *w)
{
	struct list banks = {e, integrity, "tpm.pcr-banks", TPM, 0, NULL, 0};
	static const char log[] = "sys/kernel/security/tpm0/binary_bios_measurements";
	int r;

	if (!where_exists(w, TPM)) {
		static const char *const keys[] = {
		        "tpm.present", "tpm.pcr-banks", "tpm.pcr0-9", "tpm.eventlog"};
		r = 0;
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			r |= where_exists(w, "sys/class")
			             ? evidence_none(e, integrity, keys[i], "/sys/class/tpm")
			             : evidence_unseen(e, integrity, keys[i], "/sys is not mounted");
		return r;
	}
	r = line_put(e, w, integrity, "tpm.present", TPM "/tpm_version_major");
	if (folder_walk(w, TPM, bank_note, &banks) < 0)
		list_unseen(&banks, "its folder cannot be listed");
	r |= list_end(&banks) | registers_put(e, w);
	if (!where_exists(w, "sys/kernel/security/tpm0") && !where_exists(w, "sys/kernel/security/lsm"))
		return r | evidence_unseen(e, integrity, "tpm.eventlog", "securityfs is not mounted");
	return r | fact_put(e, integrity, "tpm.eventlog", where_exists(w, log) ? "present" : NULL, log);
}

/* --- firmware --- */

/* Settings of config.txt with which whoever holds the card gets another kernel, a console or a debugger.
 * Reports lines as they are; the part of a section such as [pi4] counts too, since a filter can be met on
 * purpose. */
static void config_line(struct list *l, char *line)
{
	static const char *const settings[] = {"enable_uart=1", "uart_2ndstage=1", "dtdebug=1",
	        "enable_jtag_gpio=1", "kernel=", "initramfs ",
	        "ramfsfile=", "device_tree=", "cmdline=", "include ", "dtparam=uart0",
	        "program_usb_boot_mode=1", "program_gpio_bootmode=", "bootcode_delay="};

	line += strspn(line, " \t");
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (strncmp(line, settings[i], strlen(settings[i])) == 0)
			list_add(l, "%.*s", (int)strcspn(line, "\r"), line);
}

static int config_collect(struct evidence *e, const struct where *w)
{
	static const char *const paths[] = {"boot/firmware/config.txt", "boot/config.txt"};
	size_t n;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct list l = {e, integrity, "boot.config.txt", paths[i], 0, NULL, 0};
		char *save = NULL, *text = where_read(w, paths[i], SMALL_BYTES_MAX, &n);
		if (!text && errno == ENOENT)
			continue;
		if (!text)
			list_unseen(&l, "cannot be read");
		for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
		        line = strtok_r(NULL, "\n", &save))
			config_line(&l, line);
		free(text);
		return list_end(&l);
	}
	return evidence_unseen(e, integrity, "boot.config.txt", "the boot partition is not mounted");
}

/* The chip decides this, not a setting: nothing on a Pi 3 is verified before it runs. */
static int trust_collect(struct evidence *e, const struct where *w)
{
	static const char path[] = "proc/device-tree/model";
	char *model = where_line(w, path);
	int r;

	if (!model)
		r = evidence_unseen(e, integrity, "boot.rot", "no device tree says which board this is");
	else if (strstr(model, "Raspberry Pi 3") || strstr(model, "Raspberry Pi Zero 2"))
		r = fact_put(e, integrity, "boot.rot", "none", path);
	else
		r = fact_put(e, integrity, "boot.rot", "another board", path);
	free(model);
	if (where_exists(w, "proc/device-tree"))
		return r | fact_put(e, integrity, "boot.kaslr-seed",
		                   where_exists(w, "proc/device-tree/chosen/kaslr-seed") ? "present" : NULL,
		                   "/proc/device-tree/chosen");
	return r | evidence_unseen(e, integrity, "boot.kaslr-seed", "there is no device tree");
}

int boot_collect(struct evidence *e, const struct where *w)
{
	int r = w->root >= 0 ? config_collect(e, w) : 0;

	if (!w->live)
		return r;
	return r | watchdog_collect(e, w) | tpm_collect(e, w) | trust_collect(e, w);
}
