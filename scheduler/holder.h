/*
 * holder: one device holder, shared by holders.c (its states), holder_calls.c (its requests to the API server) and holder_engine.c (what the
 * engine sees of it, and what it asks the engine). Not for others.
 */
#ifndef STINT_SCHEDULER_HOLDER_H
#define STINT_SCHEDULER_HOLDER_H

#include <scheduler/holders.h>

struct holder {
	struct stint_holders *all;
	char *node;
	int slot;
	char name[STINT_HOLDER_NAME_SIZE];
	char *runtime_class;
	enum stint_holder_state state;
	struct stint_pod *pod; /* as the watch told it last; NULL: it does not exist, as far as we know */
	struct stint_pod *blocker; /* stands in the engine for a holder that could not even be made */
	char *uuid; /* READY; kept when the holder is lost, to see whether its successor has the same device */
	char *problem; /* FAILED */
	unsigned failures;
	int64_t started_ms, retry_ms; /* monotonic */
	bool writing; /* a create or delete is under way */
	struct stint_kube_call *call; /* that, or a read of its log */
	bool mismatch;
};

struct stint_holders {
	struct stint_holders_options options;
	struct stint_map *by_name;
	struct stint_timer *timer;
};

/* holders.c */
void holders_want_tick(struct stint_holders *holders);
void holder_fail(struct holder *holder, const char *cause, const char *message);
void holder_take_report(struct holder *holder, const struct stint_holder_report *report);

/* holder_calls.c: each does nothing while another is under way or nothing may be written; the timer tries again. */
void holder_create(struct holder *holder);
void holder_delete(struct holder *holder);
void holder_read_log(struct holder *holder);

/* holder_engine.c */
void holder_tell_engine(struct holder *holder);
bool holder_has_share(const struct holder *holder);
char *holder_uuid_of_shares(const struct holder *holder); /* the caller's; NULL: no share tells */

#endif
