/* wifi: whether the device has a radio for networks, and which of them it would join: wpa_supplicant.conf(5).
 */
#ifndef WIFI_H
#define WIFI_H
#include "evidence.h"
#include "where.h"

#include <stdbool.h>

enum { WIFI_VALUE_BYTES = 160, WIFI_SSID_BYTES = 48 };

/* A configuration while it is read, a line at a time. */
struct wifi {
	bool network; /* within a block network={ } */
	bool block;   /* within another one */
	bool strange; /* something that is not understood */
	unsigned networks;
	bool disabled;
	char ssid[WIFI_SSID_BYTES], key_mgmt[WIFI_VALUE_BYTES], proto[WIFI_VALUE_BYTES],
	        pairwise[WIFI_VALUE_BYTES], group[WIFI_VALUE_BYTES], mode[WIFI_VALUE_BYTES];
	/* what is weak; called with its text */
	void (*weak)(void *arg, const char *ssid, const char *what);
	void *arg;
};

/* line is cut up in place. */
void wifi_line(char *line, void *wifi);
/* Behind the last line: 0, or -1: not a whole configuration. */
int wifi_end(const struct wifi *);

/* The key "wifi" of the group "net": what is weak in it. Live only. 0, or -1: evidence full. */
int wifi_collect(struct evidence *, const struct where *);
#endif
