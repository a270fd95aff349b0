/*
 * Which Events become one, and which are too many: the pure part of the recorder, on a clock that the caller hands in. Not public.
 * The rules are those of client-go's correlator (tools/record/events_cache.go), see the numbers below.
 */
#ifndef STINT_KUBE_EVENTS_SERIES_H
#define STINT_KUBE_EVENTS_SERIES_H

#include "core/kube/lru.h"

#include <stint/kube.h>

enum {
	SERIES_MAX = 4096, /* of each of the three tables */
	SIMILAR_MAX = 10, /* more different messages than that ... */
	SIMILAR_WINDOW_MS = 600 * 1000, /* ... about one object and reason within that time become one series */
	BUCKET_SIZE = 25, /* writes about one object ... */
	BUCKET_REFILL_MS = 300 * 1000, /* ... and one more each five minutes */
	MESSAGE_MAX_BYTES = 1024,
};

/* One Event object on the server, as it is and as it should be. */
struct event_series {
	struct lru_entry entry;
	char *namespace_; /* of the Event */
	char *name; /* of the Event; NULL: not there yet */
	char *about; /* involvedObject as JSON */
	char *about_name;
	char *type, *reason, *message;
	char *annotations; /* JSON, or NULL */
	int64_t count, first_ms, last_ms; /* wall clock */
	int tries; /* of the write under way */
	bool queued, in_flight, dirty;
	struct event_series *next; /* in the queue */
};

struct event_series_set {
	struct lru subjects, groups, series;
};

void event_series_init(struct event_series_set *set);
void event_series_free(struct event_series_set *set);
/*
 * Counts one Event. Returns its series, with message and count as they should be written; *merged when it joined one that was known;
 * *limited when the bucket of its object is empty: counted, but not to be written now.
 */
struct event_series *event_series_add(struct event_series_set *set, const struct stint_kube_about *about, const char *type,
	const char *reason, const char *message, const char *const *annotations, int64_t monotonic_ms, int64_t wall_ms, bool *merged,
	bool *limited);

#endif
