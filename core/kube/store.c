/* See store.h. Linear probing, at most 2/3 full, removal shifts back: no tombstones. */
#include "core/kube/store.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

static size_t home_of(const struct store *store, const char *space, const char *name)
{
	uint64_t h = (uint64_t)(uintptr_t)space * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)name;
	h *= 0xd6e8feb86659fd93u;
	return (size_t)(h >> 32) & (store->slots_count - 1);
}

static size_t place_of(const struct store *store, const char *space, const char *name)
{
	size_t at = home_of(store, space, name);
	while (store->slots[at].object && (store->slots[at].object->name != name || store->slots[at].object->space != space))
		at = (at + 1) & (store->slots_count - 1);
	return at;
}

struct store_slot *store_find(const struct store *store, const char *space, const char *name)
{
	if (!store->used)
		return NULL;
	struct store_slot *slot = &store->slots[place_of(store, space, name)];
	return slot->object ? slot : NULL;
}

static void grow(struct store *store)
{
	struct store old = *store;
	store->slots_count = old.slots_count ? old.slots_count * 2 : FIRST_SLOTS;
	store->slots = stint_alloc(store->slots_count * sizeof(*store->slots));
	for (size_t i = 0; i < old.slots_count; i++) {
		const struct stint_object *object = old.slots[i].object;
		if (object)
			store->slots[place_of(store, object->space, object->name)] = old.slots[i];
	}
	free(old.slots);
}

void store_add(struct store *store, struct stint_object *object, uint32_t round)
{
	if ((store->used + 1) * 3 > store->slots_count * 2)
		grow(store);
	store->slots[place_of(store, object->space, object->name)] = (struct store_slot){stint_object_ref(object), round};
	store->used++;
}

struct stint_object *store_take(struct store *store, struct store_slot *slot)
{
	const size_t mask = store->slots_count - 1;
	struct stint_object *taken = slot->object;
	size_t hole = (size_t)(slot - store->slots);
	for (size_t at = (hole + 1) & mask; store->slots[at].object; at = (at + 1) & mask) {
		const size_t home = home_of(store, store->slots[at].object->space, store->slots[at].object->name);
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			store->slots[hole] = store->slots[at];
			hole = at;
		}
	}
	store->slots[hole] = (struct store_slot){0};
	store->used--;
	return taken;
}

struct stint_object *store_next(const struct store *store, size_t *at)
{
	while (*at < store->slots_count) {
		struct stint_object *object = store->slots[(*at)++].object;
		if (object)
			return object;
	}
	return NULL;
}

void store_free(struct store *store)
{
	for (size_t i = 0; i < store->slots_count; i++)
		stint_object_unref(store->slots[i].object);
	free(store->slots);
	*store = (struct store){0};
}
