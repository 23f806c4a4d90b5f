/* Texts of /proc and /sys as kernels print them, and as nobody prints them. */
#define _GNU_SOURCE
#include "../../cam-harden-check/list.h" /* cam-spool has one of that name */
#include "lsm.h"
#include "mountinfo.h"
#include "process.h"
#include "secret-key.h"
#include "socket-line.h"
#include "tap.h"
#include "verity.h"

#include <string.h>

static struct mount m;

static void mountinfo_test(void)
{
	static char longest[3 * MOUNTINFO_TEXT_BYTES];
	unsigned long n;

	ok(mountinfo_parse("36 35 98:0 /mnt1 /mnt/a\\040b rw,noatime master:1 shared:2 - ext3 /dev/root "
	                   "rw,errors=continue",
	           &m) == 0 &&
	                m.id == 36 && m.parent == 35 && m.major == 98 && m.minor == 0 &&
	                strcmp(m.point, "/mnt/a b") == 0 && strcmp(m.root, "/mnt1") == 0 &&
	                strcmp(m.type, "ext3") == 0 && strcmp(m.source, "/dev/root") == 0 &&
	                strcmp(m.options, "rw,noatime,rw,errors=continue") == 0,
	        "the line of the manual page");
	ok(mount_has(&m, "noatime") && !mount_has(&m, "noat") && !mount_has(&m, "errors"),
	        "options are whole words");
	const char *v = mount_value(&m, "errors", &n);
	ok(v && n == 8 && strncmp(v, "continue", 8) == 0 && !mount_value(&m, "error", &n),
	        "values of options");
	ok(mountinfo_parse("1 2 0:3 / / ro - tmpfs  rw", &m) == 0 && !*m.source, "no source");
	ok(mountinfo_parse("1 2 0:3 / / ro - tmpfs - rw", &m) == 0 && strcmp(m.source, "-") == 0,
	        "a source that is a dash");
	const char *const none[] = {"", "1", "1 2", "1 2 3", "1 2 0:3 / /", "1 2 0:3 / / ro",
	        "1 2 0:3 / / ro tmpfs x rw", "1 2 0:3 / / ro -", "1 2 0:3 / / ro - tmpfs x",
	        "x 2 0:3 / / ro - tmpfs x rw", "99999999999 2 0:3 / / ro - tmpfs x rw",
	        "1 2 0:3 / /\\000 ro - tmpfs x rw", "1 2 0:3 / / ro - tmpfs x rw more"};
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		ok(mountinfo_parse(none[i], &m) < 0, "no such line: %s", none[i]);
	memset(longest, 'x', sizeof longest - 1);
	memcpy(longest, "1 2 0:3 / /", 11);
	ok(mountinfo_parse(longest, &m) < 0, "a line that is too long");
	ok(mountinfo_parse("1 2 0:3 / /p rw - proc p rw", &m) == 0 && !mount_holds_files(&m),
	        "nobody makes files in /proc");
	ok(mountinfo_parse("1 2 0:3 / /p rw - devtmpfs p rw", &m) == 0 && mount_holds_files(&m),
	        "but in /dev");
}

static void status_test(void)
{
	static const char text[] =
	        "Name:\ta b)\nTracerPid:\t0\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t5 44 "
	        "\nCapInh:\t0000000000000000\n"
	        "CapPrm:\t000001ffffffffff\nCapEff:\t00\nNoNewPrivs:\t1\nSeccomp:\t2\n";
	struct process_status s;

	ok(process_status_parse(text, &s) == 0 && strcmp(s.name, "a b)") == 0 && s.uid[1] == 2 &&
	                s.gid[3] == 8,
	        "users and groups");
	ok(s.groups_known && s.group[0] == 5 && s.group[1] == 44 && s.group[2] == -1, "supplementary groups");
	ok(s.caps_known[CAP_PERMITTED] && s.cap[CAP_PERMITTED] == 0x1ffffffffff &&
	                s.caps_known[CAP_INHERITABLE],
	        "capabilities");
	ok(!s.caps_known[CAP_EFFECTIVE], "a set that is too short is not known");
	ok(!s.caps_known[CAP_BOUNDING], "nor is one that is not there");
	ok(s.seccomp == 2 && s.no_new_privs == 1 && s.seccomp_filters == -1, "what this kernel does not say");
	ok(process_status_parse("Name:\tx\nUid:\t0\t0\n", &s) < 0, "half a status");
	ok(process_status_parse("Name:\tSeccomp:\t2\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n", &s) == 0 &&
	                s.seccomp == -1,
	        "a name that looks like a field is none");
	ok(process_status_parse("Name:\tx\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nSeccomp:\t2", &s) == 0 &&
	                s.seccomp == -1,
	        "a number that is cut off is not known");
}

static void files_of_process_test(void)
{
	struct process_map map;
	uint64_t soft, hard;
	struct process_stat stat;

	ok(process_map_parse("00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/a b", &map) == 0 &&
	                map.execute && !map.write && map.major == 8 && map.minor == 2 &&
	                map.inode == 173521 && strcmp(map.path, "/usr/bin/a b") == 0,
	        "a mapping of a file");
	ok(process_map_parse("7ffc-7ffd rwxp 00000000 00:00 0 ", &map) == 0 && map.execute && map.write &&
	                !*map.path,
	        "memory");
	ok(process_map_parse("7ffc-7ffd rw 0 00:00 0", &map) < 0 && process_map_parse("", &map) < 0,
	        "no such lines");
	static const char limits[] = "Limit   Soft Limit  Hard Limit Units\nMax open files  1024   unlimited "
	                             "  files\nMax processes  x 2 p\n";
	ok(process_limit_parse(limits, "Max open files", &soft, &hard) == 0 && soft == 1024 &&
	                hard == UINT64_MAX,
	        "a limit");
	ok(process_limit_parse(limits, "Max open", &soft, &hard) < 0, "a name that is not whole");
	ok(process_limit_parse(limits, "Max processes", &soft, &hard) < 0, "a limit that is none");
#define FROM_FLAGS(flags, threads) "0 0 0 0 -1 " flags " 0 0 0 0 0 0 0 0 20 0 " threads " 0 4711 0 0"
	ok(process_stat_parse("2 (kthreadd) S " FROM_FLAGS("2129984", "1"), &stat) == 0 && stat.kernel &&
	                stat.born == 4711 && !stat.ending && !stat.over,
	        "a thread of the kernel");
	ok(process_stat_parse("9 (a) S 0 0 0 0 -1 2129984) S " FROM_FLAGS("4194304", "1"), &stat) == 0 &&
	                !stat.kernel,
	        "a program that is called like one");
	ok(process_stat_parse("9 (a) Z " FROM_FLAGS("4227084", "1"), &stat) == 0 && stat.ending && stat.over,
	        "one that has ended");
	ok(process_stat_parse("9 (a) R " FROM_FLAGS("4194308", "1"), &stat) == 0 && stat.ending && !stat.over,
	        "one that is about to");
	ok(process_stat_parse("9 (a) Z " FROM_FLAGS("4227084", "2"), &stat) == 0 && stat.ending && !stat.over,
	        "one whose other thread goes on");
	ok(process_stat_parse("9 (a", &stat) < 0 && process_stat_parse("9 (a) S 0 0 0 0 -1 0 0", &stat) < 0,
	        "half a stat");
}

static void socket_test(void)
{
	struct socket_line s;
	static const unsigned one = 1;
	int little = *(const unsigned char *)&one;

	ok(socket_line_parse(little ? "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 "
	                              "00000000   101        0 52 1"
	                            : "   0: 7F000001:0016 00000000:0000 0A 00000000:00000000 00:00000000 "
	                              "00000000   101        0 52 1",
	           false, &s) == 0 &&
	                strcmp(s.local, "127.0.0.1:22") == 0 && s.loopback && !s.connected && s.state == 10 &&
	                s.uid == 101 && s.inode == 52,
	        "a listener");
	ok(socket_line_parse(
	           "   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A "
	           "00000000:00000000 00:00000000 00000000     0        0 9 1",
	           true, &s) == 0 &&
	                strcmp(s.local, "[::]:22") == 0 && !s.loopback,
	        "one of IPv6");
	ok(socket_line_parse("   0: 0100007F:0016 00000000:0000", false, &s) < 0, "half a line");
	ok(socket_line_parse("   0: 0100007F:0016 00000000:0000 0A 0:0 0:0 0 0 0 1", true, &s) < 0,
	        "an address of the other family");
}

static void verity_test(void)
{
	struct verity v;

	ok(verity_parse("1 8:1 8:2 4096 4096 256 1 sha256 ab12 00 3 panic_on_corruption "
	                "root_hash_sig_key_desc cam",
	           &v) == 0 &&
	                strcmp(v.algorithm, "sha256") == 0 && strcmp(v.digest, "ab12") == 0 &&
	                v.signed_hash && strcmp(v.options, "panic_on_corruption,root_hash_sig_key_desc") == 0,
	        "a table with options");
	ok(verity_parse("1 8:1 8:2 4096 4096 256 1 sha256 ab12 -", &v) == 0 && !*v.options && !v.signed_hash,
	        "without");
	ok(verity_parse("1 8:1 8:2 4096 4096 256 1 sha256 ab12 - 2 panic_on_corruption", &v) < 0,
	        "a wrong number of them");
	ok(verity_parse("1 8:1 8:2 4096 4096 256 1 sha256 xyz -", &v) < 0, "a hash that is none");
	ok(verity_parse("8:1 0", &v) < 0, "a linear table");
	static const char create[] =
	        "quiet dm-mod.create=\"root,,1,ro,0 2048 verity 1 8:1 8:2 4096 4096 256 1 sha256 ab12 - 1 "
	        "panic_on_corruption;x,,2,rw,0 1 linear 8:3 0\" root=/dev/dm-1";
	ok(verity_parse_cmdline(create, 1, &v) == 0 && strcmp(v.digest, "ab12") == 0, "dm-mod.create");
	ok(verity_parse_cmdline(create, 2, &v) < 0, "a device of it that is linear");
	ok(verity_parse_cmdline(create, 0, &v) < 0, "a device that is not in it");
	ok(verity_parse_cmdline("dm-mod.create=\"verity,,1,ro,0 1 linear 8:1 0\"", 1, &v) < 0,
	        "verity by name only");
	ok(verity_parse_cmdline("xdm-mod.create=", 1, &v) < 0 && verity_parse_cmdline("", 1, &v) < 0, "none");
}

static void policy_test(void)
{
	uint8_t p[256] = {0x8c, 0xff, 0x7c, 0xf9, 8, 0, 0, 0, 'S', 'E', ' ', 'L', 'i', 'n', 'u', 'x', 33, 0,
	        0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0, /* capabilities: */ 64, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	        0, 0, /* permissive: */ 64, 0, 0, 0, 64, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0,
	        0x80};

	ok(lsm_permissive_domains(p, sizeof p) == 3, "three domains");
	ok(lsm_permissive_domains(p, 60) < 0 && lsm_permissive_domains(p, 20) < 0 &&
	                lsm_permissive_domains(p, 0) < 0,
	        "half a policy");
	p[16] = 15;
	ok(lsm_permissive_domains(p, sizeof p) < 0, "a version that has no such set");
	p[16] = 33;
	p[0] = 0;
	ok(lsm_permissive_domains(p, sizeof p) < 0, "something else");
}

static void key_test(void)
{
#define K43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	static const char word[] = "cam-recipient-secret1";
	const char *const keys[] = {"cam-recipient-secret1 " K43 " plain " K43 "\n",
	        "# x\n\ncam-recipient-secret1 2026-01 " K43 " argon2id 3 65536 x y",
	        "cam-recipient-secret1 x\ncam-recipient-secret1 " K43 " plain x"};
	const char *const none[] = {"", "cam-recipient-secret1", "cam-recipient-secret1 ",
	        "cam-recipient-secret1 " K43, " cam-recipient-secret1 " K43 " plain x",
	        "cam-recipient-secret1\0" K43 " plain x", "cam-recipient1 " K43 "AAAAAA\n",
	        "cam-device-secret1 " K43 " plain x", "cam-recipient-secret1 AAAA plain x"};

	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
		ok(secret_key_is_in(keys[i], strlen(keys[i]), word), "key %u", i);
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
		ok(!secret_key_is_in(none[i], strlen(none[i]), word), "no key %u", i);
}

/* The kind of the last fact of a list of this many, of which something may not have been seen. */
static int list_kind(unsigned items, size_t longest, const char *unseen)
{
	static char text[2 * LIST_ITEM_BYTES];
	struct evidence *e = evidence_new();
	struct list l = {.e = e, .group = "g", .key = "k", .source = "s"};

	memset(text, 'x', longest);
	text[longest] = 0;
	for (unsigned i = 0; i < items; i++)
		list_add(&l, "%s", longest ? text : "x");
	if (unseen)
		list_unseen(&l, unseen);
	const struct fact *f = e && list_end(&l) == 0 ? evidence_first(e, "g", "k") : NULL;
	while (f && f->next)
		f = f->next;
	int kind = f ? (int)f->kind : -1;
	evidence_free(e);
	return kind;
}

static void list_test(void)
{
	ok(list_kind(0, 0, NULL) == FACT_NONE, "a list without elements");
	ok(list_kind(0, 0, "gone") == FACT_UNSEEN, "one that was not seen");
	ok(list_kind(LIST_ITEMS_MAX, 0, NULL) == FACT_ITEM, "as many as fit");
	ok(list_kind(LIST_ITEMS_MAX + 1, 0, NULL) == FACT_REST, "one more: it goes on");
	ok(list_kind(1, 0, "gone") == FACT_REST, "one, and not all was seen: it goes on");
	ok(list_kind(1, LIST_ITEM_BYTES - 1, NULL) == FACT_ITEM, "an element that just fits");
	ok(list_kind(1, LIST_ITEM_BYTES, NULL) == FACT_REST, "one that does not: not all was seen");

	static char text[LIST_ITEM_BYTES + 1];
	struct evidence *e = evidence_new();
	memset(text, 'x', LIST_ITEM_BYTES);
	ok(e && fact_put(e, "g", "long", text, "s") == 0 &&
	                evidence_first(e, "g", "long")->kind == FACT_UNSEEN,
	        "a value that is too long was not seen");
	text[LIST_ITEM_BYTES - 1] = 0;
	ok(e && fact_put(e, "g", "fits", text, "s") == 0 &&
	                evidence_first(e, "g", "fits")->kind == FACT_VALUE,
	        "one that just fits was");
	evidence_free(e);
}

int main(void)
{
	list_test();
	mountinfo_test();
	status_test();
	files_of_process_test();
	socket_test();
	verity_test();
	policy_test();
	key_test();
	return tap_done();
}
