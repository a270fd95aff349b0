/*
 * session: one time of leadership: the cluster mirrored, the engine, and everything that writes. Made when this replica begins to lead, which
 * lists the cluster afresh, and freed when it stops: nothing of a session outlives it, so nothing stale can be written.
 */
#ifndef STINT_SCHEDULER_SESSION_H
#define STINT_SCHEDULER_SESSION_H

#include <scheduler/metrics.h>
#include <scheduler/options.h>
#include <stint/kube.h>
#include <stint/mirror.h>

struct stint_session_options {
	struct stint_kube *kube;
	const struct stint_scheduler_options *settings;
	const char *namespace_; /* of the Lease, and of what else is kept; borrowed */
	const struct stint_logger *logger;
	struct stint_metrics *metrics;
	struct stint_recorder *recorder;
	int64_t (*write_until_ms)(void *user); /* monotonic; nothing is written at or after it */
	void (*journal_full)(void *user); /* the session should be made anew; from within it: do no more than set a timer */
	void *user;
};
struct stint_session;
struct stint_session *stint_session_new(const struct stint_session_options *options);
void stint_session_free(struct stint_session *session); /* cancels what is under way */
/* No new decisions. `drained` comes once, when no write of a bind is under way any more (perhaps at once). */
void stint_session_drain(struct stint_session *session, void (*drained)(void *user), void *user);
/* NULL: the cluster is known and cycles run. Else what is still missing. Freed by the caller. */
char *stint_session_missing(const struct stint_session *session);
/* Brings the gauges that are read from the state up to date. O(queues + nodes + groups). */
void stint_session_measure(struct stint_session *session);
struct stint_engine *stint_session_engine(struct stint_session *session);
struct stint_mirror *stint_session_mirror(struct stint_session *session);

#endif
