/*
 * What the files of the store share: collections, the ring of events, readers and subscriptions.
 */
#ifndef STINT_SANDBOX_STORE_INTERNAL_H
#define STINT_SANDBOX_STORE_INTERNAL_H

#include "store.h"

/* A ring of one kind's events; event number n (counted from the first ever) stands at slots[n & mask]. */
struct history {
	struct stint_store_event *slots;
	size_t capacity; /* a power of two, or 0 */
	uint64_t first; /* number of the oldest that is kept */
	uint64_t next; /* number that the next one gets */
};

/* All objects of one home kind, ordered by namespace and name. Insertion moves pointers: 8 bytes an object, microseconds at 100,000. */
struct collection {
	const struct stint_kind *kind;
	struct stint_stored **items;
	size_t count, capacity;
	struct history history;
	uint64_t told; /* number of the next event that subscribers get */
	struct stint_store_reader *readers;
};

struct stint_store_reader {
	struct stint_store *store;
	struct collection *collection;
	struct stint_store_reader *next, *previous;
	uint64_t number; /* of the next event */
	uint64_t version; /* events up to it are skipped: a watch from the future */
	bool lost;
	bool idle; /* was told that there is nothing: owed an on_news */
	void (*on_news)(void *user);
	void *user;
	struct stint_store_event event; /* the one handed out; its states are held */
};

struct stint_subscription {
	struct stint_store *store;
	struct stint_subscription *next;
	const struct collection *only; /* NULL: all */
	void (*on_event)(void *user, const struct stint_store_event *event);
	void *user;
	uint64_t since; /* events up to this version were there before */
	bool dead; /* unsubscribed while events were being told */
};

struct stint_store {
	struct stint_loop *loop;
	struct stint_store_limits limits;
	struct stint_map *collections; /* "group/plural" of the home kind -> struct collection */
	struct stint_map *homes; /* "group/version/plural" -> const struct stint_kind, where it is not the kind itself */
	uint64_t version, compacted;

	/* Which collection each event belongs to, in order of versions: a ring like struct history. */
	struct collection **order;
	size_t order_capacity;
	uint64_t order_first, order_next, order_told;
	size_t history_bytes;

	struct stint_timer *teller;
	struct stint_subscription *subscriptions;
	bool telling;
};

/* stored.c: a state as bytes with its facts, at refs 1. */
struct stint_stored *stint_stored_pack(const struct stint_kind *kind, const struct stint_json *object, uint64_t version);

/* store.c */
struct collection *stint_store_collection(struct stint_store *store, const struct stint_kind *kind);
/* Index of the first item at or after (space, name). */
size_t stint_collection_lower(const struct collection *collection, const char *space, const char *name);

/* history.c: the event's states are taken over. */
void stint_history_append(struct stint_store *store, struct collection *collection, const struct stint_store_event *event);
void stint_history_forget(struct stint_store *store, struct collection *collection);
const struct stint_store_event *stint_history_at(const struct history *history, uint64_t number);
/* Number of the first event after `version`. */
uint64_t stint_history_after(const struct history *history, uint64_t version);
void stint_history_tell(void *store); /* the teller's handler */

#endif
