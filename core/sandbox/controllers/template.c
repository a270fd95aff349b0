/*
 * template: see template.h.
 */
#include "core/sandbox/controllers/template.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void template_own(struct stint_json *child, const struct stint_json *owner)
{
	struct stint_json *metadata = stint_json_ensure_object(child, "metadata");
	struct stint_json *reference = stint_json_append(stint_json_ensure_array(metadata, "ownerReferences"), stint_json_new_object());
	stint_json_set_string(reference, "apiVersion", stint_json_string_or(stint_json_get(owner, "apiVersion"), ""));
	stint_json_set_string(reference, "kind", stint_json_string_or(stint_json_get(owner, "kind"), ""));
	stint_json_set_string(reference, "name", stint_json_string_or(stint_json_at(owner, "metadata", "name"), ""));
	stint_json_set_string(reference, "uid", stint_json_string_or(stint_json_at(owner, "metadata", "uid"), ""));
	stint_json_set_bool(reference, "controller", true);
	stint_json_set_bool(reference, "blockOwnerDeletion", true);
}

bool template_disown(struct stint_json *child, const char *owner_uid)
{
	struct stint_json *metadata = stint_json_get(child, "metadata"), *references = stint_json_get(metadata, "ownerReferences");
	bool found = false;
	for (struct stint_json *reference = stint_json_first(references), *next; reference; reference = next) {
		next = stint_json_next(reference);
		if (strcmp(stint_json_string_or(stint_json_get(reference, "uid"), ""), owner_uid) != 0)
			continue;
		stint_json_unlink(references, reference);
		found = true;
	}
	if (found && stint_json_count(references) == 0)
		stint_json_remove(metadata, "ownerReferences");
	return found;
}

struct stint_json *template_pod(const struct stint_json *owner, const struct stint_json *pod_template)
{
	static const char *const copied[] = {"labels", "annotations", "finalizers"};
	struct stint_json *pod = stint_json_new_object();
	stint_json_set_string(pod, "apiVersion", "v1");
	stint_json_set_string(pod, "kind", "Pod");
	struct stint_json *metadata = stint_json_ensure_object(pod, "metadata");
	const char *name = stint_json_string_or(stint_json_at(owner, "metadata", "name"), "");
	stint_autofree char *prefix = stint_format("%s-", name);
	stint_json_set_string(metadata, "generateName", prefix);
	stint_json_set_string(metadata, "namespace", stint_json_string_or(stint_json_at(owner, "metadata", "namespace"), ""));
	for (size_t i = 0; i < STINT_COUNT(copied); i++) {
		const struct stint_json *part = stint_json_at(pod_template, "metadata", copied[i]);
		if (part)
			stint_json_set(metadata, copied[i], stint_json_dup(part));
	}
	template_own(pod, owner);
	const struct stint_json *spec = stint_json_get(pod_template, "spec");
	stint_json_set(pod, "spec", spec ? stint_json_dup(spec) : stint_json_new_object());
	return pod;
}

/* Only letters and digits that cannot make words, as Kubernetes' generated names. */
void template_hash(const struct stint_json *pod_template, int64_t collisions, char out[static TEMPLATE_HASH_SIZE])
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	stint_autofree char *text = stint_json_print(pod_template);
	stint_autofree char *seed = stint_format("%s/%" PRId64, text, collisions);
	char digest[65];
	stint_sha256_hex(seed, strlen(seed), digest);
	for (size_t i = 0; i < TEMPLATE_HASH_SIZE - 1; i++) {
		const char two[3] = {digest[2 * i], digest[2 * i + 1], '\0'};
		out[i] = alphabet[strtoul(two, NULL, 16) % (sizeof(alphabet) - 1)];
	}
	out[TEMPLATE_HASH_SIZE - 1] = '\0';
}

static struct stint_json *without_hash(const struct stint_json *pod_template)
{
	struct stint_json *copy = pod_template ? stint_json_dup(pod_template) : stint_json_new_object();
	struct stint_json *labels = stint_json_at(copy, "metadata", "labels");
	if (labels)
		stint_json_remove(labels, "pod-template-hash");
	return copy;
}

bool template_same(const struct stint_json *a, const struct stint_json *b)
{
	stint_auto_json *left = without_hash(a), *right = without_hash(b);
	return stint_json_equal(left, right);
}
