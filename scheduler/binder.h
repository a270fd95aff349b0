/*
 * binder: gets decisions written: one Binding for each pod, many at a time, each until its outcome is certain. The state machine alone:
 * who sends, and what time it is, comes from outside (bind_call.c, or a test).
 *
 *   QUEUED -> SENT -> bound | refused | gone
 *               |---> CHECKING (conflict: is it bound, and where?) -> bound | conflict | gone
 *               '---> LATER (no certain answer) -> SENT again, the same node and the same devices
 *
 * Invariant: after an answer that leaves it open whether the write happened, the same write is sent again until an answer tells. What was
 * assumed for the pod stays assumed meanwhile, so a write that came through unseen never meets a device that was given away.
 */
#ifndef STINT_SCHEDULER_BINDER_H
#define STINT_SCHEDULER_BINDER_H

#include <stint/base.h>

enum stint_bind_outcome {
	STINT_BIND_BOUND,
	STINT_BIND_CONFLICT, /* 409; as a final outcome: it is bound elsewhere, is being deleted, or may not be bound */
	STINT_BIND_GONE, /* the pod does not exist any more, or another has its name */
	STINT_BIND_REFUSED, /* the server understood and said no */
	STINT_BIND_UNCERTAIN, /* time-out, lost connection, a server in trouble. Never final */
	STINT_BIND_OUTCOMES,
};
const char *stint_bind_outcome_name(enum stint_bind_outcome outcome);

enum stint_bind_state { STINT_BIND_QUEUED, STINT_BIND_SENT, STINT_BIND_CHECKING, STINT_BIND_LATER };

struct stint_bind {
	char *space, *pod, *uid, *node;
	char *devices; /* "0,3"; NULL: no annotation */
	char *uuids;
	void *owner; /* whose decision; NULL: nobody asks any more */
	enum stint_bind_state state;
	unsigned attempts;
	int64_t sent_ms, retry_ms; /* monotonic */
	void *call; /* of the sender */
	struct stint_bind *next, *previous;
};

struct stint_binder_hooks {
	/* SENT: write the Binding. CHECKING: read the pod. Answer with stint_binder_answer, later. */
	void (*send)(void *user, struct stint_bind *bind);
	void (*cancel)(void *user, struct stint_bind *bind); /* what was sent is to be forgotten: no answer may come */
	/* The bind is over and is freed after the call. message may be NULL. Not called for one whose owner is NULL. */
	void (*done)(void *user, struct stint_bind *bind, enum stint_bind_outcome outcome, const char *message);
	void *user;
};

struct stint_binder;
struct stint_binder *stint_binder_new(size_t in_flight_max, const struct stint_binder_hooks *hooks);
void stint_binder_free(struct stint_binder *binder); /* cancels what is out; done is not called */
/* Texts are copied; devices and uuids may be NULL. Nothing is sent before stint_binder_run. */
struct stint_bind *stint_binder_add(struct stint_binder *binder, void *owner, const char *space, const char *pod, const char *uid,
	const char *node, const char *devices, const char *uuids);
/* The owner has gone: what was not sent is forgotten, what was sent ends silently. */
void stint_binder_drop(struct stint_binder *binder, struct stint_bind *bind);
/*
 * Sends what is due, oldest first, as long as fewer than in_flight_max are out and now_ms < write_until_ms. Returns when to be called
 * again at the latest, or -1 when only an answer or a new bind gives reason to.
 */
int64_t stint_binder_run(struct stint_binder *binder, int64_t now_ms, int64_t write_until_ms);
/* retry_after_ms: what the server asked for; -1: nothing. */
void stint_binder_answer(struct stint_binder *binder, struct stint_bind *bind, enum stint_bind_outcome outcome, const char *message,
	int64_t now_ms, int64_t retry_after_ms);
size_t stint_binder_in_flight(const struct stint_binder *binder); /* sent, not answered */
size_t stint_binder_pending(const struct stint_binder *binder); /* all */

#endif
