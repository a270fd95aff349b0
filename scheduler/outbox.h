/*
 * outbox: gets decisions written: one write for each errand, many at a time, each until its outcome is certain. The state machine alone:
 * what an errand says, who sends it, and what time it is, comes from outside (bind_call.c, evict_call.c, or a test).
 *
 *   QUEUED -> SENT -> done | refused | gone
 *               |---> CHECKING (conflict: how does it stand?) -> done | conflict | gone
 *               |---> LATER (no certain answer) -> SENT again, the same write
 *               '---> HALFWAY (the first of two writes is done) -> SENT, the second
 *
 * How many are out at a time follows the server: after a write that it had no answer for within two seconds half as many, and one more again
 * for each round of good answers. Without that, a server too slow for all of them would time out on all of them, again and again.
 *
 * Of errands with two writes the first ones go ahead: they are cheap for the server, while what the second ones set off competes with all that
 * is still to be written. No more are ahead than the pace lets through in ten seconds, so that no errand stays halfway for longer.
 *
 * Invariant: after an answer that leaves it open whether the write happened, the same write is sent again until an answer tells. What was
 * assumed for it stays assumed meanwhile, so a bind that came through unseen never meets a device that was given away.
 */
#ifndef STINT_SCHEDULER_OUTBOX_H
#define STINT_SCHEDULER_OUTBOX_H

#include <stint/base.h>

enum stint_errand_outcome {
	STINT_ERRAND_DONE,
	STINT_ERRAND_CONFLICT, /* 409; as a final outcome: the object has gone another way */
	STINT_ERRAND_GONE, /* the object does not exist any more, or another has its name */
	STINT_ERRAND_REFUSED, /* the server understood and said no */
	STINT_ERRAND_UNCERTAIN, /* time-out, lost connection, a server in trouble. Never final */
	STINT_ERRAND_NOT_YET, /* the server is well and says: later. Never final */
	STINT_ERRAND_HALF_DONE, /* the first write of an errand with two. Never final */
	STINT_ERRAND_OUTCOMES,
};

/* What a write's HTTP status says; 0: no answer. */
enum stint_errand_outcome stint_errand_outcome_of_status(int http_status);

enum stint_errand_state { STINT_ERRAND_QUEUED, STINT_ERRAND_SENT, STINT_ERRAND_CHECKING, STINT_ERRAND_LATER, STINT_ERRAND_HALFWAY };

/* Stands first in the sender's own structure. */
struct stint_errand {
	void *owner; /* whose decision; NULL: nobody asks any more */
	enum stint_errand_state state;
	bool two_writes; /* the one that is sent next is the first of them */
	unsigned attempts; /* of the write in hand */
	int64_t sent_ms, retry_ms; /* monotonic */
	void *call; /* of the sender */
	struct stint_errand *next, *previous;
};

struct stint_outbox_hooks {
	/* SENT: write. CHECKING: read. Answer with stint_outbox_answer, later. */
	void (*send)(void *user, struct stint_errand *errand);
	void (*cancel)(void *user, struct stint_errand *errand); /* what was sent is to be forgotten: no answer may come */
	/* The errand is over and is discarded after the call. message may be NULL. Not called for one whose owner is NULL. */
	void (*done)(void *user, struct stint_errand *errand, enum stint_errand_outcome outcome, const char *message);
	void (*discard)(struct stint_errand *errand); /* frees it */
	void *user;
};

struct stint_outbox;
/*
 * per_second: last writes of errands sent for the first time, at most so many in any second and at even pace beyond a burst of as many; 0: no
 * such bound.
 */
struct stint_outbox *stint_outbox_new(size_t in_flight_max, unsigned per_second, const struct stint_outbox_hooks *hooks);
void stint_outbox_free(struct stint_outbox *outbox); /* cancels what is out; done is not called */
/* The errand is handed over; `owner` and `two_writes` are set, all else of it zero. Nothing is sent before stint_outbox_run. */
void stint_outbox_add(struct stint_outbox *outbox, struct stint_errand *errand);
/* The owner has gone: what was not sent is forgotten, what was sent ends silently. */
void stint_outbox_drop(struct stint_outbox *outbox, struct stint_errand *errand);
/*
 * Sends what is due, oldest first, as long as fewer than the server is good for, at most in_flight_max, are out and now_ms < write_until_ms.
 * Returns when to be called again at the latest, or -1 when only an answer or a new errand gives reason to.
 */
int64_t stint_outbox_run(struct stint_outbox *outbox, int64_t now_ms, int64_t write_until_ms);
/* retry_after_ms: what the server asked for; -1: nothing. */
void stint_outbox_answer(struct stint_outbox *outbox, struct stint_errand *errand, enum stint_errand_outcome outcome, const char *message,
	int64_t now_ms, int64_t retry_after_ms);
size_t stint_outbox_in_flight(const struct stint_outbox *outbox); /* sent, not answered */
size_t stint_outbox_pending(const struct stint_outbox *outbox); /* all */

#endif
