/* Reads the one list below /usr/share/sbom, and the signature beside it. Whether it lists what is there,
 * nobody can tell from here: that is for whoever signs it. */
#define _GNU_SOURCE
#include "sbom.h"

#include "collect.h"
#include "list.h"
#include "sha256.h"
#include "sshsig.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, PATH_BYTES = 320 };

static const char group[] = "image", folder[] = "/usr/share/sbom", name_space[] = "file";

const char *sbom_parse(const char *json, size_t n, char said[SBOM_SAID_BYTES])
{
	json_error_t error;
	json_t *root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &error);
	const char *spdx = json_string_value(json_object_get(root, "spdxVersion")),
	           *cyclone = json_string_value(json_object_get(root, "bomFormat")),
	           *version = json_string_value(json_object_get(root, "specVersion"));
	size_t parts = json_array_size(json_object_get(root, spdx ? "packages" : "components"));
	const char *why = NULL;

	if (!root)
		why = "it is not JSON, or cut off";
	else if (!spdx && (!cyclone || strcmp(cyclone, "CycloneDX") != 0))
		why = "it is neither SPDX nor CycloneDX";
	else if (!parts)
		why = "it lists nothing";
	else
		snprintf(said, SBOM_SAID_BYTES, "%s%.20s, %zu components", spdx ? "" : "CycloneDX ",
		        spdx      ? spdx
		        : version ? version
		                  : "?",
		        parts);
	json_decref(root);
	return why;
}

static int signature_judge(
        struct evidence *e, const struct where *w, const char *path, const char *text, size_t n)
{
	static const char key[] = "sbom-signature";
	char fingerprint[SSHSIG_FINGERPRINT_BYTES], sig_path[PATH_BYTES + 4];
	size_t sig_bytes;

	snprintf(sig_path, sizeof sig_path, "%s.sig", path);
	char *sig = where_read(w, sig_path + 1, SSHSIG_BYTES_MAX, &sig_bytes);
	if (!sig && errno != ENOENT)
		return evidence_unseen(e, group, key, "the list's signature cannot be read") |
		       evidence_unseen(e, group, "sbom-signer", "the list's signature cannot be read");
	const char *why = sig ? sshsig_verify(sig, sig_bytes, name_space, text, n, fingerprint) : NULL;
	int r = !sig ? evidence_none(e, group, key, sig_path)
	             : fact_put(e, group, key, why ? why : "good", sig_path);
	r |= sig && !why ? fact_put(e, group, "sbom-signer", fingerprint, sig_path)
	                 : evidence_none(e, group, "sbom-signer", sig_path);
	free(sig);
	return r;
}

static int unseen(struct evidence *e, const char *why)
{
	return evidence_unseen(e, group, "sbom", why) | evidence_unseen(e, group, "sbom-hash", why) |
	       evidence_unseen(e, group, "sbom-signature", why) |
	       evidence_unseen(e, group, "sbom-signer", why);
}

static int none(struct evidence *e)
{
	return evidence_none(e, group, "sbom", folder) | evidence_none(e, group, "sbom-hash", folder) |
	       evidence_none(e, group, "sbom-signature", folder) |
	       evidence_none(e, group, "sbom-signer", folder);
}

static int list_judge(struct evidence *e, const struct where *w, const char *path)
{
	char said[SBOM_SAID_BYTES], hash[SHA256_TEXT_BYTES], line[PATH_BYTES + 96];
	size_t n;
	char *text = where_read(w, path + 1, SBOM_BYTES_MAX, &n);
	const char *why = text             ? sbom_parse(text, n, said)
	                  : errno == EFBIG ? "it is too large"
	                                   : strerror(errno);

	if (why) {
		snprintf(line, sizeof line, "%s: %s", path, why);
		free(text);
		return unseen(e, line);
	}
	sha256_text(text, n, hash);
	int r = fact_put(e, group, "sbom", said, path) | fact_put(e, group, "sbom-hash", hash, path) |
	        signature_judge(e, w, path, text, n);
	free(text);
	return r;
}

static int is_list(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".json") == 0;
}

int sbom_collect(struct evidence *e, const struct where *w)
{
	char path[PATH_BYTES];
	size_t n = 0, lists = 0;
	char **name = folder_names(w, folder + 1, NAMES_MAX, &n);

	if (!name)
		return errno == ENOENT ? none(e) : unseen(e, strerror(errno));
	for (size_t i = 0; i < n; i++)
		if (is_list(name[i]) && !lists++)
			snprintf(path, sizeof path, "%s/%.255s", folder, name[i]);
	folder_names_free(name, n);
	return lists == 0  ? none(e)
	       : lists > 1 ? unseen(e, "several lists in /usr/share/sbom: which one counts?")
	                   : list_judge(e, w, path);
}
