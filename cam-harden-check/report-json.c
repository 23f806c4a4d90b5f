/* As JSON: our own, canonical so that it can be signed and compared, and SARIF 2.1.0. */
#define _GNU_SOURCE
#include "quote.h"
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_VERSION = 1, OLD_BYTES_MAX = 8 << 20 };

/* Values come from the device, and may be no UTF-8: what is not is shown as '?'. */
static json_t *string(const char *s)
{
	json_t *j = json_string(s);
	char *copy = j ? NULL : strdup(s);

	if (!copy)
		return j;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	j = json_string(copy);
	free(copy);
	return j;
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(const struct finding *const *)a)->id, (*(const struct finding *const *)b)->id);
}

static const struct finding **sorted(const struct findings *f)
{
	const struct finding **p = calloc(f->n + 1, sizeof(struct finding *));

	for (size_t i = 0; p && i < f->n; i++)
		p[i] = &f->finding[i];
	if (p)
		qsort(p, f->n, sizeof(struct finding *), by_id);
	return p;
}

static int set(json_t *o, const char *name, const char *value)
{
	return json_object_set_new(o, name, string(value));
}

static json_t *finding_json(const struct finding *f)
{
	json_t *o = json_object();
	int r = o ? 0 : -1;

	r |= set(o, "id", f->id) | set(o, "group", f->group) | set(o, "key", f->key);
	r |= set(o, "verdict", verdict_name(f->verdict)) | set(o, "severity", severity_name(f->severity));
	r |= set(o, "expected", f->expected) | set(o, "seen", f->seen) | set(o, "where", f->source);
	r |= set(o, "reason", f->reason) | set(o, "why", f->why) | set(o, "fix", f->fix);
	r |= set(o, "breaks", f->breaks) | set(o, "source", f->rule_source);
	if (!r)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *summary_json(const struct findings *f)
{
	json_t *o = json_object();
	int r = o ? 0 : -1;

	for (unsigned v = 0; v < VERDICTS; v++)
		r |= json_object_set_new(o, verdict_name((enum verdict)v), json_integer(f->count[v]));
	r |= json_object_set_new(o, "score", json_integer(f->score_got));
	r |= json_object_set_new(o, "score_all", json_integer(f->score_all));
	if (!r)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *root_json(const struct report *r)
{
	const struct finding **f = sorted(r->findings);
	json_t *all = json_array(), *layers = json_array(), *device = json_object(), *root = json_object();
	int bad = f && all && layers && device && root ? 0 : -1;

	for (size_t i = 0; !bad && i < r->findings->n; i++)
		bad = json_array_append_new(all, finding_json(f[i]));
	for (size_t i = 0; !bad && i < r->policy->layers; i++)
		bad = json_array_append_new(layers, string(r->policy->layer[i]));
	bad |= set(device, "arch", r->arch) | set(device, "board", r->board) |
	       set(device, "kernel", r->kernel);
	bad |= json_object_set_new(root, "device", device) | json_object_set_new(root, "findings", all);
	bad |= json_object_set_new(root, "policy", layers);
	bad |= json_object_set_new(root, "summary", summary_json(r->findings));
	bad |= set(root, "tool", "cam-harden-check");
	bad |= json_object_set_new(root, "version", json_integer(REPORT_VERSION));
	if (r->nonce)
		bad |= set(root, "nonce", r->nonce);
	free(f);
	if (!bad)
		return root;
	json_decref(root);
	errno = ENOMEM;
	return NULL;
}

char *report_json_text(const struct report *r)
{
	json_t *root = root_json(r);
	char *text = root ? json_dumps(root, JSON_SORT_KEYS | JSON_COMPACT) : NULL;

	json_decref(root);
	return text;
}

static int text_put(char *text, FILE *out)
{
	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	fputs(text, out);
	fputc('\n', out);
	free(text);
	return 0;
}

int report_json(const struct report *r, FILE *out)
{
	return text_put(report_json_text(r), out);
}

/* --- attested --- */

static void hex_put(FILE *out, const char *name, const uint8_t *p, size_t n)
{
	fprintf(out, "\"%s\":\"", name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", p[i]);
	fputs("\"", out);
}

/* The bytes of the report are the same as without a quote, so that whoever checks can hash them as they stand. */
int report_attested(const struct report *r, struct quoter *q, const char *key, FILE *out)
{
	uint8_t hash[QUOTE_HASH_BYTES];
	static struct quote quote;
	char *text = report_json_text(r);

	if (!text)
		return -1;
	crypto_hash_sha256(hash, (const uint8_t *)text, strlen(text));
	fputs("{\"quote\":{", out);
	if (quoter_ask(q, hash, &quote) == 0) {
		json_t *name = string(key);
		char *quoted = name ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
		fprintf(out, "\"key\":%s,", quoted ? quoted : "\"\"");
		free(quoted);
		json_decref(name);
		hex_put(out, "message", quote.message, quote.message_bytes);
		fputs(",\"pcrs\":\"" QUOTE_PCRS "\",", out);
		hex_put(out, "qualifying", hash, sizeof hash);
		fputs(",", out);
		hex_put(out, "signature", quote.signature, quote.signature_bytes);
	} else {
		hex_put(out, "qualifying", hash, sizeof hash);
		fprintf(out, ",\"why_not\":\"%s\"", quote.why);
	}
	fprintf(out, "},\"report\":%s}\n", text);
	free(text);
	return 0;
}

/* --- SARIF: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html --- */

static json_t *sarif_rule(const struct finding *f)
{
	return json_pack("{s:o, s:{s:o}, s:{s:o}, s:{s:o}}", "id", string(f->id), "shortDescription", "text",
	        string(f->why), "help", "text", string(*f->fix ? f->fix : f->expected), "properties",
	        "breaks", string(f->breaks));
}

static json_t *sarif_result(const struct finding *f, size_t index)
{
	static const char *const kinds[VERDICTS] = {[VERDICT_PASS] = "pass",
	        [VERDICT_FAIL] = "fail",
	        [VERDICT_SKIP] = "notApplicable",
	        [VERDICT_WAIVED] = "fail",
	        [VERDICT_INCOMPLETE] = "open"};
	static const char *const levels[] = {[SEVERITY_INFO] = "note",
	        [SEVERITY_LOW] = "note",
	        [SEVERITY_MEDIUM] = "warning",
	        [SEVERITY_HIGH] = "error",
	        [SEVERITY_CRITICAL] = "error"};
	int fail = f->verdict == VERDICT_FAIL || f->verdict == VERDICT_WAIVED;
	char *text = NULL;

	if (asprintf(&text, "%s %s: seen %s (%s)%s%s", verdict_name(f->verdict), f->key,
	            *f->seen ? f->seen : "nothing", *f->source ? f->source : "nowhere",
	            *f->reason ? ": " : "", f->reason) < 0)
		return NULL;
	json_t *o = json_pack("{s:o, s:I, s:s, s:s, s:{s:o}}", "ruleId", string(f->id), "ruleIndex",
	        (json_int_t)index, "kind", kinds[f->verdict], "level", fail ? levels[f->severity] : "none",
	        "message", "text", string(text));
	free(text);
	if (o && f->verdict == VERDICT_WAIVED &&
	        json_object_set_new(o, "suppressions",
	                json_pack("[{s:s, s:o}]", "kind", "external", "justification", string(f->reason))) <
	                0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

int report_sarif(const struct report *r, FILE *out)
{
	const struct finding **f = sorted(r->findings);
	json_t *rules = json_array(), *results = json_array(), *root = NULL;
	int bad = f && rules && results ? 0 : -1;

	for (size_t i = 0; !bad && i < r->findings->n; i++)
		bad = json_array_append_new(rules, sarif_rule(f[i])) |
		      json_array_append_new(results, sarif_result(f[i], i));
	free(f);
	if (!bad)
		root = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:O}}, s:O}]}", "$schema",
		        "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool",
		        "driver", "name", "cam-harden-check", "rules", rules, "results", results);
	json_decref(rules);
	json_decref(results);
	char *text = root ? json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(1)) : NULL;
	json_decref(root);
	return text_put(text, out);
}

/* --- what changed --- */

static const char *string_of(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s ? s : "";
}

static json_t *old_find(json_t *all, const char *id)
{
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *o = json_array_get(all, i);
		if (strcmp(string_of(o, "id"), id) == 0)
			return o;
	}
	return NULL;
}

static int now_has(const struct findings *f, const char *id)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->finding[i].id, id) == 0)
			return 1;
	return 0;
}

/* Strings of an old report are printed: it may come from anywhere. */
static void put(FILE *out, const char *s)
{
	for (; *s; s++)
		fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, out);
}

static void change_put(
        FILE *out, char sign, const char *id, const char *what, const char *was, const char *is)
{
	fprintf(out, "%c ", sign);
	put(out, id);
	fprintf(out, "  %s ", what);
	put(out, *was ? was : "-");
	fputs(" -> ", out);
	put(out, *is ? is : "-");
	fputc('\n', out);
}

static int changes_put(const struct report *r, json_t *all, FILE *out)
{
	const struct finding **f = sorted(r->findings);
	int changes = 0;

	if (!f)
		return -1;
	for (size_t i = 0; i < r->findings->n; i++) {
		const char *verdict = verdict_name(f[i]->verdict);
		json_t *o = old_find(all, f[i]->id);
		if (!o) {
			change_put(out, '+', f[i]->id, "verdict", "", verdict);
			changes++;
			continue;
		}
		int other = strcmp(string_of(o, "verdict"), verdict) != 0;
		if (other)
			change_put(out, '~', f[i]->id, "verdict", string_of(o, "verdict"), verdict);
		else if ((other = strcmp(string_of(o, "seen"), f[i]->seen) != 0))
			change_put(out, '~', f[i]->id, "seen", string_of(o, "seen"), f[i]->seen);
		changes += other;
	}
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *o = json_array_get(all, i);
		if (now_has(r->findings, string_of(o, "id")))
			continue;
		change_put(out, '-', string_of(o, "id"), "verdict", string_of(o, "verdict"), "");
		changes++;
	}
	free(f);
	return changes;
}

int report_changes(
        const struct report *r, const char *text, size_t n, FILE *out, char why[POLICY_WHY_BYTES_MAX])
{
	json_error_t error;
	json_t *root = n > OLD_BYTES_MAX ? NULL : json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	json_t *inner = json_object_get(root, "report"); /* of an attested one */
	json_t *plain = inner ? inner : root, *all = json_object_get(plain, "findings");
	int changes = -1;

	if (!root)
		snprintf(why, POLICY_WHY_BYTES_MAX, "not JSON, or too large");
	else if (strcmp(string_of(plain, "tool"), "cam-harden-check") != 0 || !json_is_array(all))
		snprintf(why, POLICY_WHY_BYTES_MAX, "not a report of cam-harden-check -o json");
	else
		changes = changes_put(r, all, out);
	json_decref(root);
	return changes;
}
