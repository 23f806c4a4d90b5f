/* Reads /sys/class/net, /proc/PID/comm and cmdline, and the configuration of wpa_supplicant, which has
 * secrets in it: of a network only its name is said. Where there is a radio, what cannot be read or is
 * somebody else's was not seen.
 *
 * Strong is WPA3 (SAE), or WPA2 with AES alone; what is not set has wpa_supplicant's defaults, under which
 * the first WPA and TKIP are joined too. */
#define _GNU_SOURCE
#include "wifi.h"

#include "daemons.h"
#include "lines.h"
#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SUPPLICANTS_MAX = 4, CONFIGS_MAX = 8 };

/* --- one network --- */

static bool any_of(const char *list, const char *const *among, bool all)
{
	char text[WIFI_VALUE_BYTES], *rest = text;
	bool every = true, some = false;

	snprintf(text, sizeof text, "%s", list);
	for (const char *word; (word = lines_word(&rest));) {
		bool found = false;
		for (const char *const *a = among; *a; a++)
			found |= strcmp(word, *a) == 0;
		every &= found;
		some |= found;
	}
	return all ? every && some : some;
}

static void ciphers_judge(const struct wifi *w, const char *list, const char *unset, const char *weak)
{
	static const char *const aes[] = {"CCMP", "CCMP-256", "GCMP", "GCMP-256", NULL};

	if (!*list)
		w->weak(w->arg, w->ssid, unset);
	else if (!any_of(list, aes, true))
		w->weak(w->arg, w->ssid, weak);
}

static void network_judge(const struct wifi *w)
{
	static const char *const sae[] = {"SAE", "FT-SAE", "SAE-EXT-KEY", "FT-SAE-EXT-KEY", NULL},
	                         *const rsn[] = {"RSN", "WPA2", NULL}, *const wps[] = {"WPS", NULL},
	                         *const strong[] = {"WPA-PSK", "WPA-PSK-SHA256", "FT-PSK", "WPA-EAP",
	                                 "WPA-EAP-SHA256", "WPA-EAP-SHA384", "FT-EAP", "FT-EAP-SHA384",
	                                 "WPA-EAP-SUITE-B", "WPA-EAP-SUITE-B-192", "SAE", "FT-SAE",
	                                 "SAE-EXT-KEY", "FT-SAE-EXT-KEY", "DPP", NULL};
	const char *management = *w->key_mgmt ? w->key_mgmt : "WPA-PSK WPA-EAP";

	if (w->disabled)
		return;
	if (any_of(management, wps, false))
		w->weak(w->arg, w->ssid, "WPS");
	else if (!any_of(management, strong, true))
		w->weak(w->arg, w->ssid, "joined without a key that proves whose network it is");
	if (*w->mode && strcmp(w->mode, "0") != 0)
		w->weak(w->arg, w->ssid, "not joined, but offered");
	if (any_of(management, sae, true))
		return; /* WPA3 knows nothing weaker than AES */
	if (!*w->proto)
		w->weak(w->arg, w->ssid, "proto is not set: the first WPA too");
	else if (!any_of(w->proto, rsn, true))
		w->weak(w->arg, w->ssid, "the first WPA");
	ciphers_judge(w, w->pairwise, "pairwise is not set: TKIP too", "pairwise: not AES alone");
	ciphers_judge(w, w->group, "group is not set: TKIP too", "group: not AES alone");
}

/* --- lines --- */

/* A comment behind a value begins behind its last quote. */
static void comment_cut(char *line)
{
	char *quote = strrchr(line, '"'), *comment = strchr(quote ? quote : line, '#');

	if (comment)
		*comment = 0;
	for (size_t n = strlen(line); n && (line[n - 1] == ' ' || line[n - 1] == '\t');)
		line[--n] = 0;
}

static void global_line(struct wifi *w, const char *key, const char *value)
{
	static const char *const harmless[] = {"physical_only", "0", NULL};

	if (strcmp(key, "config_methods") == 0 && *value && !any_of(value, harmless, true))
		w->weak(w->arg, "all", "WPS: config_methods");
	if (strcmp(key, "wps_cred_processing") == 0 && strcmp(value, "0") != 0)
		w->weak(w->arg, "all", "WPS: wps_cred_processing");
}

static void network_line(struct wifi *w, const char *key, const char *value)
{
	const struct {
		const char *key;
		char *value;
		size_t room;
	} fields[] = {{"ssid", w->ssid, sizeof w->ssid}, {"key_mgmt", w->key_mgmt, sizeof w->key_mgmt},
	        {"proto", w->proto, sizeof w->proto}, {"pairwise", w->pairwise, sizeof w->pairwise},
	        {"group", w->group, sizeof w->group}, {"mode", w->mode, sizeof w->mode}};

	if (strcmp(key, "disabled") == 0)
		w->disabled = strcmp(value, "0") != 0;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (strcmp(key, fields[i].key) == 0 &&
		        snprintf(fields[i].value, fields[i].room, "%s", value) >= (int)fields[i].room &&
		        i > 0)
			w->strange = true;
}

static void network_begin(struct wifi *w)
{
	w->network = true;
	w->disabled = false;
	*w->ssid = *w->key_mgmt = *w->proto = *w->pairwise = *w->group = *w->mode = 0;
	w->networks++;
}

void wifi_line(char *line, void *wifi)
{
	struct wifi *w = wifi;

	comment_cut(line);
	char *equals = strchr(line, '='), *value = equals ? equals + 1 : line;
	if (!*line)
		return;
	if (strcmp(line, "}") == 0) {
		if (w->network)
			network_judge(w);
		else if (!w->block)
			w->strange = true;
		w->network = w->block = false;
	} else if (!equals) {
		w->strange |= !w->block; /* lines of a certificate stand in their blocks */
	} else if (strcmp(value, "{") == 0) {
		w->strange |= w->network || w->block;
		*equals = 0;
		if (strcmp(line, "network") == 0)
			network_begin(w);
		else
			w->block = true;
		if (strcmp(line, "cred") == 0)
			w->weak(w->arg, "all", "networks that others choose (cred)");
	} else if (!w->block) {
		*equals = 0;
		(w->network ? network_line : global_line)(w, line, value);
	}
}

int wifi_end(const struct wifi *w)
{
	return w->network || w->block || w->strange ? -1 : 0;
}

/* --- files --- */

static void weak_note(void *list, const char *ssid, const char *what)
{
	list_add(list, "%s: %s", ssid, what);
}

static void config_read(const struct where *w, const char *path, struct list *l)
{
	static struct wifi x;

	x = (struct wifi){.weak = weak_note, .arg = l};
	if (*path != '/' || lines_of_file(w, path + 1, "#", wifi_line, &x) < 0)
		list_unseen(l, "the configuration of wpa_supplicant cannot be read");
	else if (wifi_end(&x) < 0)
		list_unseen(l, "the configuration of wpa_supplicant is not understood");
}

/* Of a wpa_supplicant that runs, every -c and -I. */
static void supplicant_read(const struct where *w, pid_t pid, struct list *l)
{
	char path[DAEMONS_ARGUMENT_BYTES];
	int n = 0, r = 0;

	for (const char *letter = "cI"; *letter; letter++)
		for (int i = 0; i < CONFIGS_MAX && (r = daemons_argument(w, pid, *letter, i, path)) != 0;
		        i++) {
			if (r < 0) {
				list_unseen(l, "the arguments of wpa_supplicant cannot be read");
				return;
			}
			config_read(w, path, l);
			n++;
		}
	if (!n)
		list_unseen(l, "who tells wpa_supplicant which networks to join cannot be seen");
}

static void radio_look(const struct where *w, struct list *l)
{
	static const char *const names[] = {"wpa_supplicant", "iwd", "hostapd", NULL};
	struct daemon found[SUPPLICANTS_MAX];
	const char *why;
	int n = daemons_find(w, names, found, SUPPLICANTS_MAX, &why);

	if (n <= 0)
		list_unseen(l, n < 0 ? why : "there is a radio, and what uses it cannot be told");
	for (int i = 0; i < n; i++)
		if (strcmp(found[i].name, "wpa_supplicant") == 0)
			supplicant_read(w, found[i].pid, l);
		else if (strcmp(found[i].name, "hostapd") == 0)
			list_add(l, "hostapd runs: a network is offered");
		else
			list_unseen(l, "the radio is iwd's, whose configuration is not understood");
}

/* How many interfaces are radios; -1: cannot be listed. */
static int radios_count(const struct where *w)
{
	int fd = where_open(w, "sys/class/net", O_RDONLY | O_DIRECTORY), n = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char path[320];

	if (!d && fd >= 0)
		close(fd);
	if (!d)
		return -1;
	for (struct dirent *x; (x = readdir(d));) {
		if (x->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "sys/class/net/%.255s/wireless", x->d_name);
		bool radio = where_exists(w, path);
		snprintf(path, sizeof path, "sys/class/net/%.255s/phy80211", x->d_name);
		n += radio || where_exists(w, path);
	}
	closedir(d);
	return n;
}

int wifi_collect(struct evidence *e, const struct where *w)
{
	struct list l = {e, "net", "wifi", "wpa_supplicant.conf", 0, NULL, 0};

	if (!w->live)
		return 0;
	int radios = radios_count(w);
	if (radios < 0)
		return evidence_unseen(e, "net", "wifi", "/sys/class/net cannot be listed");
	if (!radios)
		return evidence_none(e, "net", "wifi", "/sys/class/net: no radio");
	radio_look(w, &l);
	return list_end(&l);
}
