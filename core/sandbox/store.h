/*
 * store: the objects of the embedded cluster, in memory, at one growing resourceVersion.
 *
 * It knows nothing of HTTP, defaults or validation: what is put here is taken as right. Objects are immutable compact JSON bytes with a
 * few facts beside them, so that lists and selectors need no parsing and 30,000 pods fit. Every write appends an event to a bounded
 * history, from which watches, past lists and in-process subscribers are served. One loop thread owns it all.
 *
 * Controllers and virtual nodes read and subscribe here and write through api.h.
 */
#ifndef STINT_SANDBOX_STORE_H
#define STINT_SANDBOX_STORE_H

#include "schema.h"

struct stint_store;

/* One state of one object. Immutable and counted: hold it with stint_stored_hold, not by copying. */
struct stint_stored {
	const struct stint_kind *kind; /* as stored: see stint_store_home */
	uint64_t version; /* metadata.resourceVersion */
	const char *space; /* namespace, "" for cluster-scoped kinds */
	const char *name;
	const char *uid;
	const char *fields; /* values of the kind's selectable fields (selector.h), each ended by NUL, in their order */
	struct stint_slice labels; /* the raw JSON object within data; empty when there are none */
	struct stint_slice metadata;
	uint32_t refs;
	uint32_t length;
	uint32_t version_at, version_length; /* where the digits of the resourceVersion stand within data */
	bool deleting; /* has a deletionTimestamp */
	const char *data; /* length bytes of JSON and a NUL */
};
struct stint_stored *stint_stored_hold(struct stint_stored *object); /* NULL stays NULL */
void stint_stored_release(struct stint_stored *object); /* NULL is fine */
/* A tree of its own, for the caller to change and free. Never NULL. */
struct stint_json *stint_stored_parse(const struct stint_stored *object);

enum stint_store_event_type { STINT_STORE_ADDED, STINT_STORE_MODIFIED, STINT_STORE_DELETED };
struct stint_store_event {
	enum stint_store_event_type type;
	uint64_t version;
	struct stint_stored *before; /* NULL for ADDED */
	struct stint_stored *now; /* NULL for DELETED: `before` is the last state */
};

struct stint_store_limits {
	size_t history_events; /* 0: 100,000 */
	size_t history_bytes; /* of states that live in the history alone; 0: 128 MiB */
};
struct stint_store *stint_store_new(struct stint_loop *loop, const struct stint_store_limits *limits);
void stint_store_free(struct stint_store *store);

/*
 * Two kinds may be two forms of one set of objects (core Events and events.k8s.io Events; versions of a custom kind). The home is the
 * form in which they are stored; every other function takes either.
 */
const struct stint_kind *stint_store_home(const struct stint_store *store, const struct stint_kind *kind);
void stint_store_set_home(struct stint_store *store, const struct stint_kind *kind, const struct stint_kind *home);

uint64_t stint_store_version(const struct stint_store *store); /* of the last write */
uint64_t stint_store_compacted(const struct stint_store *store); /* what is older than this is 410 Gone */

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

/* Borrowed until the next write of that object. NULL: not there. space: "" or NULL for cluster-scoped kinds. */
struct stint_stored *stint_store_get(const struct stint_store *store, const struct stint_kind *kind, const char *space, const char *name);
size_t stint_store_count(const struct stint_store *store, const struct stint_kind *kind);

/* States at one version, ordered by namespace and name; each item is held. */
struct stint_store_list {
	struct stint_stored **items;
	size_t count;
	uint64_t version;
};
/* space NULL: all namespaces. Costs a pointer and a count per object. */
void stint_store_list(const struct stint_store *store, const struct stint_kind *kind, const char *space, struct stint_store_list *out);
/* The same as it was at `version`; false when that is before the history or after now. */
bool stint_store_list_at(
	const struct stint_store *store, const struct stint_kind *kind, const char *space, uint64_t version, struct stint_store_list *out);
void stint_store_list_clear(struct stint_store_list *list); /* for STINT_CLEANUP too */
#define stint_auto_store_list STINT_CLEANUP(stint_store_list_clear) struct stint_store_list

/* ---- writing: api.h's business ------------------------------------------------------------------------------------------------ */

/*
 * Stores this state of the object (made or replaced) under a new resourceVersion, which is also written into the tree. The tree stays
 * the caller's. Borrowed result.
 */
struct stint_stored *stint_store_put(struct stint_store *store, const struct stint_kind *kind, struct stint_json *object);
/* False when it was not there. The DELETED event carries the last state with the resourceVersion of the deletion. */
bool stint_store_delete(struct stint_store *store, const struct stint_kind *kind, const char *space, const char *name);
/* Forgets all objects of a kind that is no longer served, without events for them; its watches end. */
void stint_store_drop(struct stint_store *store, const struct stint_kind *kind);

/* ---- subscribers in this process ------------------------------------------------------------------------------------------------ */

/*
 * Events reach subscribers after the handler that wrote has returned to the loop, one by one in the order of their versions, each to
 * all subscribers in the order of subscription. A handler may write: its events queue up behind. kind NULL: all kinds. Nothing is told
 * about what was there before: list first.
 */
struct stint_subscription;
struct stint_subscription *stint_store_subscribe(struct stint_store *store, const struct stint_kind *kind,
	void (*on_event)(void *user, const struct stint_store_event *event), void *user);
void stint_store_unsubscribe(struct stint_subscription *subscription); /* NULL is fine; also from within its handler */
/* The states of the event being delivered as trees, parsed once for all subscribers; borrowed for the call. NULL where the event has none. */
const struct stint_json *stint_event_before(const struct stint_store_event *event);
const struct stint_json *stint_event_now(const struct stint_store_event *event);

/* ---- the history, for watches ------------------------------------------------------------------------------------------------ */

/* A reader's place in the history of one kind. It reads at its own pace and falls out when the history is cut: no queue of its own. */
struct stint_store_reader;
/* The first event read is the first after `version`. on_news is called once when there is something to read after next returned NULL. */
struct stint_store_reader *stint_store_reader_new(
	struct stint_store *store, const struct stint_kind *kind, uint64_t version, void (*on_news)(void *user), void *user);
/* The next event (borrowed until the loop turns), or NULL. *lost: the history no longer reaches back (410), or the kind was dropped. */
const struct stint_store_event *stint_store_reader_next(struct stint_store_reader *reader, bool *lost);
void stint_store_reader_free(struct stint_store_reader *reader);

#endif
