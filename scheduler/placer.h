/*
 * placer: takes the engine's decisions to the API server: waits for device holders where a share goes to a real node, hands the bind to the
 * outbox, and tells the engine how it ended.
 *
 * A decision lives here from the cycle until its write is certain or undone; stint_mirror_pod.bind points to it, and as long as it does the mirror
 * keeps the pod where the decision put it, whatever its owner changes meanwhile.
 */
#ifndef STINT_SCHEDULER_PLACER_H
#define STINT_SCHEDULER_PLACER_H

#include <scheduler/bind_call.h>
#include <scheduler/holders.h>
#include <scheduler/metrics.h>
#include <stint/mirror.h>

struct stint_placer_options {
	struct stint_kube *kube;
	struct stint_engine *engine;
	struct stint_mirror *mirror;
	struct stint_metrics *metrics;
	struct stint_holders *holders;
	const struct stint_logger *logger;
	size_t in_flight_max;
	const char *pool; /* label of pods that were bound; NULL: none */
	int64_t (*write_until_ms)(void *user);
	void (*placed)(void *user, struct stint_mirror_pod *pod, const char *node);
	/* An undone decision or a pod to be looked at again: a cycle is due. until_ms: not before that wall time, 0: soon. */
	void (*again)(void *user, int64_t until_ms);
	void (*unplaced)(void *user, struct stint_mirror_pod *pod); /* its bind came to nothing; NULL: nobody asks */
	void (*changed)(void *user); /* stint_placer_run is due */
	void (*idle)(void *user); /* the last write has ended */
	void *user;
};

struct stint_placer;
struct stint_placer *stint_placer_new(const struct stint_placer_options *options);
void stint_placer_free(struct stint_placer *placer);
/* Decisions of one cycle, in its order: takes up its binds, and gives up those that its evictions end. Sends what may be sent at once. */
void stint_placer_take(struct stint_placer *placer, const struct stint_decision *decisions, size_t count);
/* Holders have changed, or time has passed: looks at what waits, and sends. */
void stint_placer_run(struct stint_placer *placer);
/* Whether something is under way for the pod of which the API server knows nothing yet: an eviction gives that up. */
bool stint_placer_gives_up(const struct stint_mirror_pod *pod);
void stint_placer_pod_gone(struct stint_placer *placer, struct stint_mirror_pod *pod);
/* No more is sent; decisions that were not sent are forgotten. `idle` comes when the last answer has. */
void stint_placer_close(struct stint_placer *placer);
size_t stint_placer_pending(
	const struct stint_placer *placer); /* binds that are not certain yet; not those that wait for volumes, claims or holders */
size_t stint_placer_in_flight(const struct stint_placer *placer);

#endif
