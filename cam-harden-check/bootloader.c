/* Reads the boot partition where it is mounted or lies in an image: config.txt, autoboot.txt, what the
 * firmware can start, U-Boot's saved environment and scripts; and /etc/fw_env.config. A file is read up to
 * UBOOT_BYTES_MAX; a longer one has to have the head of a kernel. */
#define _GNU_SOURCE
#include "bootloader.h"

#include "boot-file.h"
#include "list.h"
#include "uboot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT_BYTES_MAX = 64 << 10,
	ENV_BYTES_MAX = 1 << 20,
	PATH_BYTES = 256,
	NAME_BYTES = 64,
	STARTS_MAX = 16,
};

struct bootloader {
	struct evidence *e;
	const struct where *w;
	const char *folder; /* where the boot partition is, without a leading slash */
	char start[STARTS_MAX][NAME_BYTES];
	unsigned starts, files, uboots, judged;
	struct list shell, env;
	const char *unseen; /* why not all that is started was seen */
	enum uboot_signed must_be;
	char fit_source[PATH_BYTES];
	unsigned long limit; /* failed starts after which another command runs; 0: never */
};

static const char *path_of(const struct bootloader *b, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%.*s", b->folder, NAME_BYTES, name);
	return path;
}

/* --- which files --- */

static void start_add(struct bootloader *b, const char *name, size_t n)
{
	for (unsigned i = 0; i < b->starts; i++)
		if (strlen(b->start[i]) == n && memcmp(b->start[i], name, n) == 0)
			return;
	if (b->starts == STARTS_MAX || n >= NAME_BYTES || memmem(name, n, "..", 2)) {
		b->unseen = "config.txt names more files, or longer names, than are looked at";
		return;
	}
	memcpy(b->start[b->starts], name, n);
	b->start[b->starts++][n] = 0;
}

/* Lines "kernel=NAME", of whatever section, and the names that the firmware tries by itself. */
static void starts_find(struct bootloader *b)
{
	static const char *const usual[] = {"kernel8.img", "kernel7.img", "kernel.img", "u-boot.bin"};
	char path[PATH_BYTES], *save = NULL;
	size_t n;
	char *text = where_read(b->w, path_of(b, "config.txt", path), TEXT_BYTES_MAX, &n);

	if (!text && errno != ENOENT)
		b->unseen = "config.txt cannot be read";
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	        line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (strncmp(line, "kernel=", 7) == 0)
			start_add(b, line + 7, strcspn(line + 7, " \t\r"));
	}
	free(text);
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		start_add(b, usual[i], strlen(usual[i]));
}

static const char *folder_find(const struct where *w)
{
	static const char *const folders[] = {"boot/firmware", "boot"}, *const sure[] = {"config.txt",
	                                                                        "bootcode.bin", "start.elf",
	                                                                        "kernel8.img", "kernel7.img",
	                                                                        "u-boot.bin"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		for (size_t k = 0; k < sizeof sure / sizeof *sure; k++) {
			snprintf(path, sizeof path, "%s/%s", folders[i], sure[k]);
			if (where_exists(w, path))
				return folders[i];
		}
	return NULL;
}

/* --- what a U-Boot does --- */

static void delay_judge(
        struct bootloader *b, const char *path, const struct uboot *u, const struct uboot_env *env)
{
	const char *text = uboot_env_get(env, "bootdelay");
	char *end = NULL;
	long delay = u->tree_delay_known ? u->tree_delay : text ? strtol(text, &end, 10) : 0;

	if (!u->tree_delay_known && (!text || end == text || *end)) {
		list_unseen(&b->shell, "its bootdelay is not known");
		return;
	}
	if (delay == -1)
		list_add(&b->shell, "/%s: bootdelay=-1: it stops at its prompt", path);
	else if (delay != -2)
		list_add(&b->shell, "/%s: bootdelay=%ld: a key stops it at its prompt", path, delay);
}

/* A command that fails, as one does that meets a kernel without a signature, ends at the prompt too. */
static void command_judge(
        struct bootloader *b, const char *path, const struct uboot_env *env, const char *name, bool must)
{
	const char *command = uboot_env_get(env, name);

	if (must && !command)
		list_unseen(&b->shell, "its bootcmd is not known");
	if (command && !uboot_ends_in_reset(env, command))
		list_add(&b->shell, "/%s: %s does not end in reset: a start that fails ends at the prompt",
		        path, name);
}

static void shell_judge(
        struct bootloader *b, const char *path, const struct uboot *u, const struct uboot_env *env)
{
	if (u->no_prompt || u->tree_secure)
		return;
	delay_judge(b, path, u, env);
	command_judge(b, path, env, "bootcmd", true);
	command_judge(b, path, env, "altbootcmd", false);
}

static void commands_judge(struct bootloader *b, const char *path, const struct uboot_env *env)
{
	size_t at = 0, n;

	for (const char *s; (s = uboot_env_next(env, &at));) {
		const char *value = strchr(s, '=') + 1, *command = uboot_unsigned_command(value, &n);
		if (command)
			list_add(&b->env, "/%s: %.*s: takes what nobody signed: %.*s", path,
			        (int)(value - s - 1), s, (int)n, command);
	}
}

static unsigned long limit_of(const struct uboot *u)
{
	const char *limit = uboot_env_get(&u->env, "bootlimit"),
	           *other = uboot_env_get(&u->env, "altbootcmd");

	return u->counts && limit && other && *other ? strtoul(limit, NULL, 10) : 0;
}

static void uboot_judge(struct bootloader *b, const char *path, const struct uboot *u)
{
	if (!u->damaged && (!b->judged++ || u->must_be < b->must_be)) {
		b->must_be = u->must_be;
		snprintf(b->fit_source, sizeof b->fit_source, "/%.150s: U-Boot %.48s", path, u->version);
	}
	if (!b->uboots++ || limit_of(u) < b->limit)
		b->limit = limit_of(u);
	if (u->damaged)
		b->unseen = "a device tree in U-Boot is damaged";
	if (u->env_on_card)
		list_add(&b->env, "/%s: looks for its settings on the card", path);
	if (!u->env.text && !u->tree_secure && !u->no_prompt)
		list_unseen(&b->shell, "no settings were found in U-Boot");
	if (!u->env.text) {
		list_unseen(&b->env, "no settings were found in U-Boot");
		return;
	}
	shell_judge(b, path, u, &u->env);
	commands_judge(b, path, &u->env);
}

static void start_look(struct bootloader *b, const char *name)
{
	char path[PATH_BYTES], *p = NULL;
	struct uboot u;

	switch (boot_file_read(b->w, path_of(b, name, path), &p, &u)) {
	case BOOT_FILE_NONE: return;
	case BOOT_FILE_KERNEL: break;
	case BOOT_FILE_UBOOT: uboot_judge(b, path, &u); break;
	case BOOT_FILE_UNKNOWN:
		b->unseen = "what the firmware starts is neither U-Boot nor a kernel, or cannot be read";
	}
	b->files++;
	free(p);
}

/* --- what lies beside it --- */

static void saved_look(struct bootloader *b, const char *name)
{
	struct uboot none = {.env_on_card = true};
	struct uboot_env env;
	char path[PATH_BYTES];
	size_t n;
	char *p = where_read(b->w, path_of(b, name, path), ENV_BYTES_MAX, &n);

	if (!p && errno == ENOENT)
		return;
	if (p && uboot_env_parse((const uint8_t *)p, n, &env) == 0) {
		list_add(&b->env, "/%s: settings of U-Boot", path);
		if (uboot_env_get(&env, "bootdelay"))
			delay_judge(b, path, &none, &env);
		command_judge(b, path, &env, "bootcmd", false);
		command_judge(b, path, &env, "altbootcmd", false);
		commands_judge(b, path, &env);
	} else
		list_add(&b->env, "/%s: settings of U-Boot that cannot be read", path);
	free(p);
}

static void scripts_look(struct bootloader *b)
{
	static const char *const names[] = {
	        "boot.scr", "boot.scr.uimg", "uEnv.txt", "extlinux/extlinux.conf", "efi/boot/bootaa64.efi"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (where_exists(b->w, path_of(b, names[i], path)))
			list_add(&b->env, "/%s: a script or program for U-Boot", path);
}

/* Where fw_setenv(8) would write. */
static void tool_look(struct bootloader *b)
{
	static const char path[] = "etc/fw_env.config";
	char *save = NULL;
	size_t n;
	char *text = where_read(b->w, path, TEXT_BYTES_MAX, &n);

	if (!text && errno != ENOENT)
		list_unseen(&b->env, "/etc/fw_env.config cannot be read");
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	        line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line && *line != '#')
			list_add(&b->env, "/%s: settings of U-Boot in %.*s", path, (int)strcspn(line, " \t"),
			        line);
	}
	free(text);
}

/* The firmware's own second system: autoboot.txt, started once by "reboot '0 tryboot'" and left again by any
 * restart until it is made the first. */
static bool tries_another(const struct bootloader *b)
{
	char path[PATH_BYTES], *save = NULL;
	bool section = false, both = false, partition = false;
	size_t n;
	char *text = where_read(b->w, path_of(b, "autoboot.txt", path), TEXT_BYTES_MAX, &n);

	for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; line;
	        line = strtok_r(NULL, "\r\n", &save)) {
		line += strspn(line, " \t");
		if (*line == '[')
			section = strncmp(line, "[tryboot]", 9) == 0;
		both |= strncmp(line, "tryboot_a_b=1", 13) == 0;
		partition |= section && strncmp(line, "boot_partition=", 15) == 0;
	}
	free(text);
	return both && partition;
}

/* --- together --- */

static const char *const fit_words[] = {[UBOOT_UNSIGNED] = "unsigned",
        [UBOOT_NO_CODE] = "not-verified",
        [UBOOT_OPTIONAL] = "optional",
        [UBOOT_IMAGE] = "required-image",
        [UBOOT_CONF] = "required-conf"};

static int fit_put(const struct bootloader *b)
{
	static const char group[] = "integrity", key[] = "boot.fit";

	if (b->unseen && (!b->judged || b->must_be == UBOOT_CONF))
		return evidence_unseen(b->e, group, key, b->unseen);
	return b->uboots ? fact_put(b->e, group, key, fit_words[b->must_be], b->fit_source)
	                 : fact_put(b->e, group, key, "absent", "no U-Boot: the firmware starts a kernel");
}

static int loop_put(const struct bootloader *b)
{
	static const char group[] = "watchdog", key[] = "reboot-loop";
	char limit[32];

	if (tries_another(b))
		return fact_put(b->e, group, key, "tryboot", "autoboot.txt");
	if (b->unseen)
		return evidence_unseen(b->e, group, key, b->unseen);
	snprintf(limit, sizeof limit, "%lu", b->limit);
	return fact_put(b->e, group, key, b->uboots && b->limit ? limit : NULL,
	        b->uboots ? b->fit_source : "no U-Boot, and no tryboot_a_b in autoboot.txt");
}

static int nothing_put(struct evidence *e, const char *why)
{
	return evidence_unseen(e, "integrity", "boot.fit", why) |
	       evidence_unseen(e, "integrity", "boot.uboot-shell", why) |
	       evidence_unseen(e, "integrity", "boot.uboot-env", why) |
	       evidence_unseen(e, "watchdog", "reboot-loop", why);
}

int bootloader_collect(struct evidence *e, const struct where *w)
{
	static struct bootloader b;

	b = (struct bootloader){.e = e,
	        .w = w,
	        .folder = folder_find(w),
	        .shell = {e, "integrity", "boot.uboot-shell", "boot partition", 0, NULL, 0},
	        .env = {e, "integrity", "boot.uboot-env", "boot partition", 0, NULL, 0}};
	if (!b.folder)
		return nothing_put(e, w->live ? "the boot partition is not mounted"
		                              : "the image has no boot partition in /boot or /boot/firmware");
	starts_find(&b);
	for (unsigned i = 0; i < b.starts; i++)
		start_look(&b, b.start[i]);
	if (!b.files && !b.unseen)
		b.unseen = "nothing that the firmware could start was found";
	saved_look(&b, "uboot.env");
	saved_look(&b, "uboot-redund.env");
	scripts_look(&b);
	tool_look(&b);
	if (b.unseen) {
		list_unseen(&b.shell, b.unseen);
		list_unseen(&b.env, b.unseen);
	}
	return fit_put(&b) | loop_put(&b) | list_end(&b.shell) | list_end(&b.env);
}
