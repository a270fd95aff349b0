/*
 * owners: walks owner references upward. See stint/grouping.h. Holds no state.
 *
 * Invariant: the walk ends, because its length is bounded; a reference whose uid leads to no known object is the top, and where it is of
 * a watched kind and not known to be gone it is reported as missing.
 */
#include <stint/grouping.h>

#include <string.h>

const struct stint_owner_kind stint_owner_kinds[] = {
	{"batch/v1", "Job", "jobs"},
	{"apps/v1", "ReplicaSet", "replicasets"},
	{"apps/v1", "StatefulSet", "statefulsets"},
	{"apps/v1", "Deployment", "deployments"},
};
const size_t stint_owner_kinds_count = STINT_COUNT(stint_owner_kinds);

static bool is_watched(const struct stint_owner_reference *reference)
{
	for (size_t i = 0; i < stint_owner_kinds_count; i++) {
		if (strcmp(reference->kind, stint_owner_kinds[i].kind) == 0 && reference->api_version &&
			strcmp(reference->api_version, stint_owner_kinds[i].api_version) == 0)
			return true;
	}
	return false;
}

struct stint_owner_chain stint_owners_of(const struct stint_catalog *catalog, const struct stint_pod *pod)
{
	struct stint_owner_chain chain = {0};
	const struct stint_owner_reference *reference = &pod->meta.owner;
	while (reference->kind && chain.count < STINT_OWNERS_MAX) {
		chain.top = reference;
		const struct stint_owner *owner = stint_catalog_owner(catalog, reference->uid);
		if (!owner) {
			if (is_watched(reference) && !stint_catalog_is_absent(catalog, reference->uid))
				chain.missing = reference;
			break;
		}
		chain.objects[chain.count++] = owner;
		reference = &owner->meta.owner;
	}
	return chain;
}

const char *stint_owners_label(const struct stint_owner_chain *chain, const char *key)
{
	for (size_t i = chain->count; i-- > 0;) {
		const char *value = stint_object_label(&chain->objects[i]->meta, key);
		if (value)
			return value;
	}
	return NULL;
}

const char *stint_owners_annotation(const struct stint_owner_chain *chain, const char *key)
{
	for (size_t i = chain->count; i-- > 0;) {
		const char *value = stint_object_annotation(&chain->objects[i]->meta, key);
		if (value)
			return value;
	}
	return NULL;
}
