/*
 * owners: the chain of objects above a pod, from its owner references and the catalog. Pure.
 */
#ifndef STINT_SCHEDULER_OWNERS_H
#define STINT_SCHEDULER_OWNERS_H

#include <scheduler/catalog.h>

enum { STINT_OWNERS_MAX = 4 }; /* Pod <- ReplicaSet <- Deployment <- something is the longest that is seen in practice */

/* Everything in here is borrowed from the pod and the catalog. */
struct stint_owner_chain {
	const struct stint_owner *objects[STINT_OWNERS_MAX]; /* those that can be read, the nearest first */
	size_t count;
	const struct stint_owner_reference *top; /* the highest reference that is known; NULL: the pod has no owner */
	const struct stint_owner_reference *missing; /* of a watched kind, not in the catalog yet: decide later. NULL: nothing is */
};

struct stint_owner_chain stint_owners_of(const struct stint_catalog *catalog, const struct stint_pod *pod);
/* The label or annotation on the highest object of the chain that carries it, or NULL. */
const char *stint_owners_label(const struct stint_owner_chain *chain, const char *key);
const char *stint_owners_annotation(const struct stint_owner_chain *chain, const char *key);

/* The kinds that the mirror watches, so that a pod waits for its owner of such a kind instead of being grouped without it. */
struct stint_owner_kind {
	const char *api_version;
	const char *kind;
	const char *plural;
};
extern const struct stint_owner_kind stint_owner_kinds[];
extern const size_t stint_owner_kinds_count;

#endif
