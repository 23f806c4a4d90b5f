/* Files of configuration as people write them, and as nobody should: what is not understood is never taken
 * for good. */
#define _GNU_SOURCE
#include "egress.h"
#include "lines.h"
#include "process.h"
#include "resolver.h"
#include "tap.h"
#include "timesource.h"
#include "wifi.h"

#include <stdlib.h>
#include <string.h>

static void each(const char *text, const char *comment, lines_take *take, void *arg)
{
	char *copy = strdup(text);

	lines_each(copy, comment, take, arg);
	free(copy);
}

static void same(const char *got, const char *want, const char *what, size_t i)
{
	ok(strcmp(got, want) == 0, "%s %zu: %s, got %s", what, i, want, got);
}

/* --- time --- */

static const char *kind(const char *text)
{
	static struct timesource t;

	t = (struct timesource){0};
	each(text, "#%!;", timesource_line, &t);
	const char *k = timesource_kind(&t);
	return t.strange ? "strange" : k ? k : "nobody";
}

static void time_test(void)
{
	static const struct {
		const char *text, *is;
	} cases[] = {{"server a iburst nts", "nts"}, {"pool a iburst", "plain"}, {"", "nobody"},
	        {"# server a\n! pool b\nrefclock PPS /dev/pps0", "nobody"},
	        {"server a nts\nserver b", "plain"}, {"server a nts\nserver b key 7", "key"},
	        {"server a nts\nserver b\nauthselectmode require", "nts"},
	        {"server b\nauthselectmode require", "plain"},
	        {"server a nts\nserver b\nauthselectmode mix", "plain"}, {"  SERVER a NTS", "nts"},
	        {"server nts", "plain"}, {"server a key", "plain"}, {"serverstats a", "nobody"},
	        {"server 127.127.20.0", "nobody"}, {"peer a", "plain"}, {"broadcastclient", "plain"},
	        {"server a # nts", "plain"}, {"include relative.conf", "strange"},
	        {"include /etc/*/x.conf", "strange"}, {"include /etc/a[12].conf", "strange"},
	        {"confdir /", "strange"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		same(kind(cases[i].text), cases[i].is, "time", i);
}

static void include_test(void)
{
	struct lines_include x;

	ok(lines_include_parse("/etc/chrony/conf.d", ".conf", &x) == 0 &&
	                strcmp(x.path, "etc/chrony/conf.d") == 0 && strcmp(x.suffix, ".conf") == 0,
	        "a folder");
	ok(lines_include_parse("/etc/x/*.conf", "", &x) == 0 && strcmp(x.path, "etc/x") == 0 &&
	                strcmp(x.suffix, ".conf") == 0,
	        "a pattern");
	ok(lines_include_parse("/etc/x.conf", "", &x) == 0 && !*x.suffix, "a file");
	const char *const none[] = {"", "/", "x", "/etc/*", "/etc/a*.conf", "/etc/*.c*", "/*/a",
	        "/etc/?.conf", "/etc/*.a-very-long-suffix"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ok(lines_include_parse(none[i], "", &x) < 0, "no such include %zu", i);
}

/* --- names --- */

static void servers_test(void)
{
	static const struct {
		const char *text;
		unsigned local, remote;
		bool strange;
	} cases[] = {{"nameserver 127.0.0.1\n", 1, 0, false}, {"nameserver ::1\n", 1, 0, false},
	        {"nameserver 192.0.2.1\nnameserver 127.0.0.53", 1, 1, false},
	        {"nameserver fe80::1%eth0", 0, 1, false}, {"nameserver 169.254.1.1", 0, 1, false},
	        {"; nameserver 192.0.2.1\n# nameserver 192.0.2.1\nsearch example.org", 0, 0, false},
	        {"nameserver", 0, 0, true}, {"nameserver dns.example", 0, 0, true},
	        {"nameservers 192.0.2.1", 0, 0, false}, {"nameserver 127.0.0.1.2", 0, 0, true}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct resolver r = {0};
		each(cases[i].text, "#;", resolver_line, &r);
		ok(r.local == cases[i].local && r.remote == cases[i].remote && r.strange == cases[i].strange,
		        "resolv.conf %zu", i);
	}
}

static void switch_test(void)
{
	static const struct {
		const char *text;
		bool others;
	} cases[] = {{"hosts: files dns", false}, {"passwd: files nis\nhosts: files", false},
	        {"hosts: files resolve [!UNAVAIL=return] dns myhostname", false},
	        {"hosts: files [NOTFOUND=return SUCCESS=merge] dns", false},
	        {"hosts: files mdns4_minimal [NOTFOUND=return] dns", true}, {"hosts: files nis", true},
	        {"hosts: files [x] wins", true}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool others = false;
		each(cases[i].text, "#", resolver_switch_line, &others);
		ok(others == cases[i].others, "nsswitch.conf %zu", i);
	}
}

static const char *unbound(const char *text)
{
	static const char *const names[] = {"encrypted", "opportunistic", "plain"};
	static struct resolver_unbound u;

	u = (struct resolver_unbound){0};
	each(text, "#", resolver_unbound_line, &u);
	enum resolver_way way = resolver_unbound_end(&u);
	return u.strange ? "strange" : names[way];
}

static void unbound_test(void)
{
#define BUNDLE "server:\n tls-cert-bundle: \"/etc/ssl/certs/ca-certificates.crt\"\n"
#define ZONE "forward-zone:\n name: \".\"\n"
	static const struct {
		const char *text, *is;
	} cases[] = {{"", "plain"}, {"server:\n interface: 127.0.0.1", "plain"},
	        {BUNDLE ZONE " forward-tls-upstream: yes\n forward-addr: 1.1.1.1@853#one.example",
	                "encrypted"},
	        {ZONE " forward-ssl-upstream: yes # c\n forward-addr: 1.1.1.1@853#one.example # c\n" BUNDLE,
	                "encrypted"},
	        {BUNDLE " tls-upstream: yes\n" ZONE " forward-addr: 1.1.1.1@853#one.example", "encrypted"},
	        {ZONE " forward-tls-upstream: yes\n forward-addr: 1.1.1.1@853#one.example", "opportunistic"},
	        {BUNDLE ZONE " forward-tls-upstream: yes\n forward-addr: 1.1.1.1@853", "opportunistic"},
	        {BUNDLE ZONE
	                " forward-tls-upstream: yes\n forward-addr: 1.1.1.1@853#a\n forward-addr: 1.1.1.2",
	                "opportunistic"},
	        {BUNDLE ZONE " forward-tls-upstream: yes", "opportunistic"},
	        {BUNDLE ZONE " forward-addr: 1.1.1.1", "plain"},
	        {BUNDLE ZONE " forward-tls-upstream: yes\n forward-first: yes\n forward-addr: 1.1.1.1#a",
	                "plain"},
	        {BUNDLE ZONE
	                " forward-tls-upstream: yes\n forward-addr: 1.1.1.1#a\nforward-zone:\n name: \"x\"\n"
	                " forward-addr: 192.0.2.1",
	                "plain"},
	        {BUNDLE ZONE
	                " forward-tls-upstream: yes\n forward-addr: 1.1.1.1#a\nstub-zone:\n name: \"x\"\n"
	                " stub-addr: 192.0.2.1",
	                "plain"},
	        {BUNDLE "forward-zone:\n name: \"example.org\"\n forward-tls-upstream: yes\n"
	                " forward-addr: 1.1.1.1#a",
	                "plain"},
	        {"forward-tls-upstream: yes\nname: \".\"", "strange"},
	        {"server: tls-upstream: yes", "strange"}, {"server\n", "strange"},
	        {"include: x.conf", "strange"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		same(unbound(cases[i].text), cases[i].is, "unbound.conf", i);
}

static void systemd_test(void)
{
	static const struct {
		const char *text;
		enum resolver_way way;
	} cases[] = {{"[Resolve]\nDNS=1.1.1.1#a\nDNSOverTLS=yes", RESOLVER_ENCRYPTED},
	        {"DNSOverTLS = true", RESOLVER_ENCRYPTED}, {"", RESOLVER_PLAIN},
	        {"#DNSOverTLS=yes", RESOLVER_PLAIN}, {"DNSOverTLS=opportunistic", RESOLVER_OPPORTUNISTIC},
	        {"DNSOverTLS=yes\nDNS_OVER_TLS=no", RESOLVER_PLAIN},
	        {"DNSOverTLS=yes\nDNSOverTLS=opportunistic", RESOLVER_OPPORTUNISTIC},
	        {"DNSOverTLS=", RESOLVER_PLAIN}, {"DNSOverTLSx=yes", RESOLVER_PLAIN}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct resolver_systemd s = {0};
		each(cases[i].text, "#;", resolver_systemd_line, &s);
		ok(resolver_systemd_end(&s) == cases[i].way, "resolved.conf %zu", i);
	}
}

/* --- radio --- */

static void weak_note(void *arg, const char *ssid, const char *what)
{
	(void)ssid;
	if (!*(const char **)arg)
		*(const char **)arg = what;
}

static const char *weakness(const char *text)
{
	static struct wifi w;
	const char *first = NULL;

	w = (struct wifi){.weak = weak_note, .arg = &first};
	each(text, "#", wifi_line, &w);
	return wifi_end(&w) < 0 ? "strange" : first ? first : "none";
}

static void wifi_test(void)
{
#define AES "proto=RSN\npairwise=CCMP\ngroup=CCMP\n"
	static const struct {
		const char *text, *is;
	} cases[] = {{"ctrl_interface=/run/wpa_supplicant\ncountry=DE\n", "none"},
	        {"network={\nssid=\"a\"\nkey_mgmt=SAE\nieee80211w=2\n}", "none"},
	        {"network={\nssid=\"a # b\"\npsk=\"x\" # c\n" AES "}", "none"},
	        {"network={\nkey_mgmt=WPA-PSK SAE\nproto=WPA2\npairwise=CCMP GCMP-256\ngroup=CCMP\n}",
	                "none"},
	        {"network={\nkey_mgmt=NONE\n}", "joined without a key that proves whose network it is"},
	        {"network={\nkey_mgmt=WPA-PSK NONE\n" AES "}",
	                "joined without a key that proves whose network it is"},
	        {"network={\nkey_mgmt=OWE\n" AES "}", "joined without a key that proves whose network it is"},
	        {"network={\nkey_mgmt=IEEE8021X\n}", "joined without a key that proves whose network it is"},
	        {"network={\nkey_mgmt=NONE\ndisabled=1\n}", "none"},
	        {"network={\nkey_mgmt=SAE\ndisabled=1\n}\nnetwork={\nkey_mgmt=NONE\n}",
	                "joined without a key that proves whose network it is"},
	        {"network={\nssid=\"a\"\n}", "proto is not set: the first WPA too"},
	        {"network={\nkey_mgmt=WPA-PSK SAE\n}", "proto is not set: the first WPA too"},
	        {"network={\nproto=WPA RSN\npairwise=CCMP\ngroup=CCMP\n}", "the first WPA"},
	        {"network={\nproto=RSN\n}", "pairwise is not set: TKIP too"},
	        {"network={\nproto=RSN\npairwise=CCMP TKIP\ngroup=CCMP\n}", "pairwise: not AES alone"},
	        {"network={\nproto=RSN\npairwise=CCMP\n}", "group is not set: TKIP too"},
	        {"network={\nproto=RSN\npairwise=CCMP\ngroup=TKIP\n}", "group: not AES alone"},
	        {"network={\nkey_mgmt=WPS\n" AES "}", "WPS"},
	        {"network={\nmode=2\n" AES "}", "not joined, but offered"},
	        {"config_methods=virtual_display\n", "WPS: config_methods"}, {"config_methods=\n", "none"},
	        {"wps_cred_processing=1\n", "WPS: wps_cred_processing"},
	        {"cred={\nrealm=\"x\"\n}", "networks that others choose (cred)"},
	        {"blob-base64-a={\nAAAA\nBB==\n}", "none"}, {"network={\nkey_mgmt=SAE\n", "strange"},
	        {"network={\nnetwork={\n}\n}", "strange"}, {"}\n", "strange"}, {"nonsense\n", "strange"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		same(weakness(cases[i].text), cases[i].is, "wpa_supplicant.conf", i);
}

/* --- peers --- */

static void flow_test(void)
{
	struct egress_flow f;

	ok(egress_parse("203.0.113.7 port 443 uid 904", &f) == 0 && !f.v6 && f.port[0] == 443 &&
	                f.port[1] == 443 && f.uid[0] == 904,
	        "one address");
	ok(egress_names(&f, "203.0.113.7:443", 904) == 1, "names it");
	ok(egress_names(&f, "[::ffff:203.0.113.7]:443", 904) == 1, "also in the way of IPv6");
	ok(egress_names(&f, "203.0.113.7:443", 0) == 0 && egress_names(&f, "203.0.113.7:444", 904) == 0 &&
	                egress_names(&f, "203.0.113.8:443", 904) == 0 &&
	                egress_names(&f, "203.0.113.6:443", 904) == 0,
	        "and nobody else");
	ok(egress_names(&f, "203.0.113.7", 904) < 0 && egress_names(&f, "x:443", 904) < 0 &&
	                egress_names(&f, "[::1:443", 904) < 0 && egress_names(&f, "", 904) < 0,
	        "no addresses");
	ok(egress_parse("203.0.113.0-203.0.113.255 port 1-1023 uid any", &f) == 0 &&
	                egress_names(&f, "203.0.113.255:1", 4294967295) == 1 &&
	                egress_names(&f, "203.0.114.0:1", 1) == 0 &&
	                egress_names(&f, "203.0.113.1:1024", 1) == 0,
	        "a network");
	ok(egress_parse("2001:db8::-2001:db8::ffff port any uid 904", &f) == 0 && f.v6 &&
	                egress_names(&f, "[2001:db8::17]:443", 904) == 1 &&
	                egress_names(&f, "[2001:db9::17]:443", 904) == 0 &&
	                egress_names(&f, "203.0.113.7:443", 904) == 0,
	        "of IPv6");
	const char *const none[] = {"", "x", "203.0.113.7", "203.0.113.7 port 443",
	        "203.0.113.7 port x uid 1", "203.0.113.7 port 70000 uid 1", "203.0.113.7 port 5-4 uid 1",
	        "203.0.113.7- port 1 uid 1"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ok(egress_parse(none[i], &f) < 0, "no such flow: %s", none[i]);
}

static void oom_test(void)
{
	long n;

	ok(process_oom_parse("-500\n", &n) == 0 && n == -500, "-500");
	ok(process_oom_parse("1000\n", &n) == 0 && n == 1000, "1000");
	const char *const none[] = {"", "\n", "5", "-\n", " 5\n", "5 \n", "1001\n", "-1001\n", "0x5\n"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ok(process_oom_parse(none[i], &n) < 0, "no oom_score_adj %zu", i);
}

int main(void)
{
	time_test();
	include_test();
	servers_test();
	switch_test();
	unbound_test();
	systemd_test();
	wifi_test();
	flow_test();
	oom_test();
	return tap_done();
}
