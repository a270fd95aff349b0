/*
 * A bounded map of entries by text key, in order of their last use: the oldest goes when a new one needs room. Not public.
 * An entry is a struct whose first member is a struct lru_entry; it may be pinned, so that it stays whatever its age.
 */
#ifndef STINT_KUBE_LRU_H
#define STINT_KUBE_LRU_H

#include <stint/base.h>

struct lru_entry {
	struct lru_entry *older, *newer;
	char *key;
	bool pinned;
};
struct lru {
	struct stint_map *map;
	struct lru_entry *oldest, *newest;
	size_t max;
	size_t entry_size;
	void (*release)(struct lru_entry *entry); /* what an entry holds, not the entry; may be NULL */
};

void lru_init(struct lru *lru, size_t max, size_t entry_size, void (*release)(struct lru_entry *entry));
/* The entry of that key, now the newest; made, zeroed but for its head, when it is not there (*fresh true). */
void *lru_use(struct lru *lru, const char *key, bool *fresh);
void lru_free(struct lru *lru);

#endif
