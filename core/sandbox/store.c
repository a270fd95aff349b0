/*
 * The store: one ordered array of object states per kind, and one counter of versions over all of them.
 *
 * A look-up is a binary search; a list copies pointers and counts references. Past states are rebuilt from the history by undoing what
 * came later, so that a walk with continue tokens sees one version.
 */
#include "store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_HISTORY_EVENTS = 100 * 1000, DEFAULT_HISTORY_BYTES = 128 * 1024 * 1024 };

/* The counter starts at tenths of seconds since this moment (2026-01-01), so that a version from an earlier run is too old, not from now. */
static const int64_t EPOCH_MS = 1767225600000;

static void free_collection(void *value)
{
	struct collection *collection = value;

	for (size_t i = 0; i < collection->count; i++)
		stint_stored_release(collection->items[i]);
	free(collection->items);
	for (uint64_t n = collection->history.first; n < collection->history.next; n++) {
		const struct stint_store_event *event = stint_history_at(&collection->history, n);

		stint_stored_release(event->before);
		stint_stored_release(event->now);
	}
	free(collection->history.slots);
	free(collection);
}

struct stint_store *stint_store_new(struct stint_loop *loop, const struct stint_store_limits *limits)
{
	struct stint_store *store = stint_alloc(sizeof(*store));
	int64_t age_ms = stint_now_ms() - EPOCH_MS;

	store->loop = loop;
	if (limits)
		store->limits = *limits;
	if (!store->limits.history_events)
		store->limits.history_events = DEFAULT_HISTORY_EVENTS;
	if (!store->limits.history_bytes)
		store->limits.history_bytes = DEFAULT_HISTORY_BYTES;
	store->collections = stint_map_new(free_collection);
	store->homes = stint_map_new(NULL);
	store->version = age_ms > 100000 ? (uint64_t)age_ms / 100 : 1000;
	store->compacted = store->version;
	store->teller = stint_timer_new(loop, stint_history_tell, store);
	return store;
}

void stint_store_free(struct stint_store *store)
{
	if (!store)
		return;
	stint_timer_free(store->teller);
	stint_map_free(store->collections);
	stint_map_free(store->homes);
	free(store->order);
	free(store);
}

/* ---- kinds ------------------------------------------------------------------------------------------------------------------- */

static char *home_key(const struct stint_kind *kind)
{
	return stint_format("%s/%s/%s", kind->group, kind->version, kind->plural);
}

const struct stint_kind *stint_store_home(const struct stint_store *store, const struct stint_kind *kind)
{
	const struct stint_kind *home;

	if (stint_map_count(store->homes) == 0)
		return kind;
	stint_autofree char *key = home_key(kind);

	home = stint_map_get(store->homes, key);
	return home ? home : kind;
}

void stint_store_set_home(struct stint_store *store, const struct stint_kind *kind, const struct stint_kind *home)
{
	stint_autofree char *key = home_key(kind);

	if (home == kind)
		stint_map_remove(store->homes, key);
	else
		stint_map_set(store->homes, key, (void *)(uintptr_t)home);
}

static struct collection *find_collection(const struct stint_store *store, const struct stint_kind *kind)
{
	const struct stint_kind *home = stint_store_home(store, kind);
	stint_autofree char *key = stint_format("%s/%s", home->group, home->plural);

	return stint_map_get(store->collections, key);
}

struct collection *stint_store_collection(struct stint_store *store, const struct stint_kind *kind)
{
	const struct stint_kind *home = stint_store_home(store, kind);
	stint_autofree char *key = stint_format("%s/%s", home->group, home->plural);
	struct collection *collection = stint_map_get(store->collections, key);

	if (!collection) {
		collection = stint_alloc(sizeof(*collection));
		stint_map_set(store->collections, key, collection);
	}
	collection->kind = home;
	return collection;
}

uint64_t stint_store_version(const struct stint_store *store)
{
	return store->version;
}

uint64_t stint_store_compacted(const struct stint_store *store)
{
	return store->compacted;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

static int compare_key(const struct stint_stored *object, const char *space, const char *name)
{
	int order = strcmp(object->space, space);

	return order ? order : strcmp(object->name, name);
}

size_t stint_collection_lower(const struct collection *collection, const char *space, const char *name)
{
	size_t low = 0, high = collection->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_key(collection->items[middle], space, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct stint_stored *find(const struct collection *collection, const char *space, const char *name, size_t *at)
{
	*at = stint_collection_lower(collection, space, name);
	if (*at < collection->count && compare_key(collection->items[*at], space, name) == 0)
		return collection->items[*at];
	return NULL;
}

struct stint_stored *stint_store_get(const struct stint_store *store, const struct stint_kind *kind, const char *space, const char *name)
{
	const struct collection *collection = find_collection(store, kind);
	size_t at;

	return collection ? find(collection, space ? space : "", name, &at) : NULL;
}

size_t stint_store_count(const struct stint_store *store, const struct stint_kind *kind)
{
	const struct collection *collection = find_collection(store, kind);

	return collection ? collection->count : 0;
}

/* The items of a namespace stand together. */
static void range_of(const struct collection *collection, const char *space, size_t *from, size_t *to)
{
	*from = 0;
	*to = collection->count;
	if (!space)
		return;
	*from = stint_collection_lower(collection, space, "");
	for (size_t low = *from, high = collection->count;;) {
		size_t middle = low + (high - low) / 2;

		if (low >= high) {
			*to = low;
			return;
		}
		if (strcmp(collection->items[middle]->space, space) == 0)
			low = middle + 1;
		else
			high = middle;
	}
}

void stint_store_list(const struct stint_store *store, const struct stint_kind *kind, const char *space, struct stint_store_list *out)
{
	const struct collection *collection = find_collection(store, kind);
	size_t from, to;

	*out = (struct stint_store_list){.version = store->version};
	if (!collection)
		return;
	range_of(collection, space, &from, &to);
	if (from == to)
		return;
	out->items = stint_alloc((to - from) * sizeof(struct stint_stored *));
	for (size_t i = from; i < to; i++)
		out->items[out->count++] = stint_stored_hold(collection->items[i]);
}

/* What an object was before the first event after the version that is asked for. */
struct past {
	const char *space, *name;
	struct stint_stored *state; /* NULL: not there yet */
	size_t order;
};

static int compare_past(const void *a, const void *b)
{
	const struct past *first = a, *second = b;
	int order = strcmp(first->space, second->space);

	if (!order)
		order = strcmp(first->name, second->name);
	if (order)
		return order;
	return first->order < second->order ? -1 : 1;
}

/* The events after `version` as former states, ordered by key; of each key the earliest only. */
static struct past *past_states(const struct collection *collection, const char *space, uint64_t version, size_t *count)
{
	const struct history *history = &collection->history;
	uint64_t from = stint_history_after(history, version);
	struct past *states = stint_alloc((size_t)(history->next - from + 1) * sizeof(*states));
	size_t kept = 0;

	*count = 0;
	for (uint64_t n = from; n < history->next; n++) {
		const struct stint_store_event *event = stint_history_at(history, n);
		const struct stint_stored *any = event->before ? event->before : event->now;

		if (space && strcmp(any->space, space) != 0)
			continue;
		states[*count] = (struct past){any->space, any->name, event->before, *count};
		(*count)++;
	}
	qsort(states, *count, sizeof(*states), compare_past);
	for (size_t i = 0; i < *count; i++) {
		if (kept == 0 || strcmp(states[kept - 1].space, states[i].space) != 0 || strcmp(states[kept - 1].name, states[i].name) != 0)
			states[kept++] = states[i];
	}
	*count = kept;
	return states;
}

bool stint_store_list_at(
	const struct stint_store *store, const struct stint_kind *kind, const char *space, uint64_t version, struct stint_store_list *out)
{
	const struct collection *collection = find_collection(store, kind);
	stint_autofree struct past *past = NULL;
	size_t past_count, from, to, p = 0;

	*out = (struct stint_store_list){.version = version};
	if (version < store->compacted || version > store->version)
		return false;
	if (!collection)
		return true;
	past = past_states(collection, space, version, &past_count);
	range_of(collection, space, &from, &to);
	out->items = stint_alloc((to - from + past_count + 1) * sizeof(struct stint_stored *));
	while (from < to || p < past_count) {
		int order = from == to ? 1 : p == past_count ? -1 : compare_key(collection->items[from], past[p].space, past[p].name);

		if (order < 0) {
			out->items[out->count++] = stint_stored_hold(collection->items[from++]);
			continue;
		}
		if (past[p].state)
			out->items[out->count++] = stint_stored_hold(past[p].state);
		p++;
		from += order == 0;
	}
	return true;
}

void stint_store_list_clear(struct stint_store_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		stint_stored_release(list->items[i]);
	free(list->items);
	*list = (struct stint_store_list){0};
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------- */

struct stint_stored *stint_store_put(struct stint_store *store, const struct stint_kind *kind, struct stint_json *object)
{
	struct collection *collection = stint_store_collection(store, kind);
	struct stint_stored *stored, *before;
	char digits[24];
	size_t at;

	store->version++;
	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)store->version);
	stint_json_set_string(stint_json_ensure_object(object, "metadata"), "resourceVersion", digits);
	stored = stint_stored_pack(collection->kind, object, store->version);
	before = find(collection, stored->space, stored->name, &at);
	if (before) {
		collection->items[at] = stored; /* the history takes over the reference to what was there */
	} else {
		stint_grow(&collection->items, &collection->capacity, collection->count + 1, sizeof(collection->items[0]));
		memmove(collection->items + at + 1, collection->items + at, (collection->count - at) * sizeof(collection->items[0]));
		collection->items[at] = stored;
		collection->count++;
	}
	stint_history_append(store, collection,
		&(struct stint_store_event){
			before ? STINT_STORE_MODIFIED : STINT_STORE_ADDED, store->version, before, stint_stored_hold(stored)});
	return stored;
}

bool stint_store_delete(struct stint_store *store, const struct stint_kind *kind, const char *space, const char *name)
{
	struct collection *collection = stint_store_collection(store, kind);
	struct stint_stored *before;
	size_t at;

	before = find(collection, space ? space : "", name, &at);
	if (!before)
		return false;
	collection->count--;
	memmove(collection->items + at, collection->items + at + 1, (collection->count - at) * sizeof(collection->items[0]));
	store->version++;
	stint_history_append(store, collection, &(struct stint_store_event){STINT_STORE_DELETED, store->version, before, NULL});
	return true;
}

void stint_store_drop(struct stint_store *store, const struct stint_kind *kind)
{
	struct collection *collection = find_collection(store, kind);

	if (!collection)
		return;
	for (size_t i = 0; i < collection->count; i++)
		stint_stored_release(collection->items[i]);
	collection->count = 0;
	stint_history_forget(store, collection);
}
