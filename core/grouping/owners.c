/*
 * owners: walks owner references upward. See stint/grouping.h. Holds no state.
 *
 * Invariant: the walk ends, because its length is bounded; a reference whose uid leads to no known object is the top, and where it is of
 * a watched kind and not known to be gone it is reported as missing.
 */
#include <stint/grouping.h>

#include <string.h>

const struct stint_owner_kind stint_owner_kinds[STINT_OWNER_KINDS] = {
	{"batch/v1", "Job", false},
	{"apps/v1", "ReplicaSet", false},
	{"apps/v1", "StatefulSet", false},
	{"apps/v1", "Deployment", false},
	{"kubeflow.org/v1", "PyTorchJob", true},
	{"kubeflow.org/v1", "TFJob", true},
	{"kubeflow.org/v1", "XGBoostJob", true},
	{"kubeflow.org/v1", "JAXJob", true},
	{"kubeflow.org/v1", "MPIJob", true},
	{"kubeflow.org/v2beta1", "MPIJob", true},
	{"leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", true},
};

/*
 * The workers of a LeaderWorkerSet belong to a StatefulSet that belongs to their leader, a pod. Pods are not in the catalog: the label that
 * all pods of the set carry leads over that gap.
 */
static const struct stint_owner *over_the_leader(
	const struct stint_catalog *catalog, const struct stint_pod *pod, const struct stint_owner_reference **reference)
{
	const char *name = stint_object_label(&pod->meta, "leaderworkerset.sigs.k8s.io/name");
	return name && strcmp((*reference)->kind, "Pod") == 0 && pod->meta.space
		? stint_catalog_set_of_leaders(catalog, pod->meta.space, name, reference)
		: NULL;
}

struct stint_owner_chain stint_owners_of(const struct stint_catalog *catalog, const struct stint_pod *pod)
{
	struct stint_owner_chain chain = {0};
	const struct stint_owner_reference *reference = &pod->meta.owner;
	while (reference->kind && chain.count < STINT_OWNERS_MAX) {
		chain.top = reference;
		const struct stint_owner *owner = stint_catalog_owner(catalog, reference->uid);
		if (!owner) {
			owner = over_the_leader(catalog, pod, &reference);
			chain.top = reference;
		}
		if (!owner) {
			if (stint_catalog_sees(catalog, reference) && !stint_catalog_is_absent(catalog, reference->uid))
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
