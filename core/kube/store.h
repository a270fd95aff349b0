/*
 * A set of model objects by namespace and name: what a reflector knows. Open addressing on the pointers of the two texts, which are one
 * each in a model: a slot costs 16 bytes and no key is copied. Not public.
 */
#ifndef STINT_KUBE_STORE_H
#define STINT_KUBE_STORE_H

#include <stint/model.h>

struct store_slot {
	struct stint_object *object; /* counted; NULL: free */
	uint32_t round; /* the list that has last shown it */
};
struct store {
	struct store_slot *slots; /* a power of two, or none */
	size_t slots_count, used;
};

/* The slot of that object's namespace and name (texts of the model); NULL when not there. Valid until the set changes. */
struct store_slot *store_find(const struct store *store, const char *space, const char *name);
/* Puts the object in; it must not be there. Takes a count of its own. */
void store_add(struct store *store, struct stint_object *object, uint32_t round);
/* Takes out, with the count that the store had. */
struct stint_object *store_take(struct store *store, struct store_slot *slot);
struct stint_object *store_next(const struct store *store, size_t *at);
void store_free(struct store *store);

#endif
