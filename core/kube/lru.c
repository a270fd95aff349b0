/* See lru.h. O(1) amortised, but for a run of pinned entries at the old end, which is as long as what is being sent. */
#include "core/kube/lru.h"

#include <stdlib.h>

void lru_init(struct lru *lru, size_t max, size_t entry_size, void (*release)(struct lru_entry *entry))
{
	*lru = (struct lru){.map = stint_map_new(NULL), .max = max, .entry_size = entry_size, .release = release};
}

static void unlink_entry(struct lru *lru, struct lru_entry *entry)
{
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		lru->oldest = entry->newer;
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		lru->newest = entry->older;
	entry->older = entry->newer = NULL;
}

static void link_newest(struct lru *lru, struct lru_entry *entry)
{
	entry->older = lru->newest;
	if (lru->newest)
		lru->newest->newer = entry;
	else
		lru->oldest = entry;
	lru->newest = entry;
}

static void drop(struct lru *lru, struct lru_entry *entry)
{
	unlink_entry(lru, entry);
	stint_map_remove(lru->map, entry->key);
	if (lru->release)
		lru->release(entry);
	free(entry->key);
	free(entry);
}

static void make_room(struct lru *lru)
{
	struct lru_entry *entry = lru->oldest;
	while (entry && stint_map_count(lru->map) >= lru->max) {
		struct lru_entry *next = entry->newer;
		if (!entry->pinned)
			drop(lru, entry);
		entry = next;
	}
}

void *lru_use(struct lru *lru, const char *key, bool *fresh)
{
	struct lru_entry *entry = stint_map_get(lru->map, key);
	*fresh = !entry;
	if (entry) {
		unlink_entry(lru, entry);
	} else {
		make_room(lru);
		entry = stint_alloc(lru->entry_size);
		entry->key = stint_strdup(key);
		stint_map_set(lru->map, key, entry);
	}
	link_newest(lru, entry);
	return entry;
}

void lru_free(struct lru *lru)
{
	while (lru->oldest)
		drop(lru, lru->oldest);
	stint_map_free(lru->map);
	lru->map = NULL;
}
