/*
 * The inside of a reflector, shared by its three files: reflector.c (life, what is known, when to try again), reflector_list.c (the paged
 * list) and reflector_watch.c (the stream of events). Not public.
 */
#ifndef STINT_KUBE_REFLECTOR_H
#define STINT_KUBE_REFLECTOR_H

#include "core/kube/store.h"

#include <stint/kube.h>

/* A server that cannot leave out the rest sends it. */
#define REFLECTOR_METADATA_LIST "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
#define REFLECTOR_METADATA_WATCH "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

enum { MAX_OBJECT_BYTES = 16 * 1024 * 1024 }; /* of one object of a list, and of one line of a watch */

struct stint_reflector {
	struct stint_kube *kube;
	struct stint_reflector_options options; /* its texts are ours */
	struct stint_decode_as as;
	char *api_version;
	struct store store;
	char *resource_version; /* where the watch goes on; NULL before the first list */
	bool synced; /* a whole list has been told */

	/* Under way: at most one call; the timer waits for the next. */
	struct stint_kube_call *call;
	struct stint_timer *timer;
	bool timer_lists; /* what the timer starts: a list, else a watch */
	unsigned failures;

	/* The list under way. */
	struct stint_splitter *splitter;
	uint32_t round; /* of the list under way, or the last one; slots with another round were not in it */
	char *next_page;
	char *list_version;
	struct stint_error *list_error; /* what the splitter had against the page */
	bool no_pages; /* the pages of the last list expired: ask for all at once */

	/* The watch under way. */
	struct stint_buf line; /* the part of a line that has come */
	int64_t watch_began_ms;
	bool watch_said; /* an event or a bookmark has come */
	struct stint_error *watch_error; /* of an ERROR event, which ends it; NULL: none came */
	bool watch_broken; /* it sent what is no event */
	unsigned silences; /* answered watches in a row that were broken off for theirs, without a line since */
	bool has_bookmarks; /* the server sends them for this resource */
	unsigned broken_in_a_row; /* such watches, without a sound one between them */

	/* A handler may free the reflector: it is marked, and freed when the last of our frames has left. */
	int frames;
	bool dead;
};

/* Frames that call handlers stand between enter and leave; leave says whether the reflector still lives. */
void reflector_enter(struct stint_reflector *r);
bool reflector_leave(struct stint_reflector *r);

/* What the server showed of one object: tells what is new about it. False when the reflector has died. */
bool reflector_upsert(struct stint_reflector *r, struct stint_object *object);
bool reflector_delete(struct stint_reflector *r, struct stint_object *object);
/* The little of an object's metadata that is read without decoding it; NULL data: not there. */
struct reflector_head {
	struct stint_slice space, name, resource_version;
};
bool reflector_read_head(const char *data, size_t length, struct reflector_head *out);
/* Decodes; a failure is reported as trouble and gives NULL. */
struct stint_object *reflector_decode(struct stint_reflector *r, const char *data, size_t length);

void reflector_list(struct stint_reflector *r); /* starts a list */
void reflector_watch(struct stint_reflector *r); /* starts a watch from resource_version */
/* Tries again later: at least as long as the server asked for. `err` NULL: nothing failed, but it came too soon. */
void reflector_retry(struct stint_reflector *r, bool list, const struct stint_error *err);
void reflector_good(struct stint_reflector *r); /* the server works: the next failure waits short again */
bool reflector_is_expired(const struct stint_error *err);

#endif
