/*
 * evictor: takes the engine's evictions to the API server, gently: through the Eviction API, so that disruption budgets hold, so many at a time
 * and at a pace; the cause stands on the victim as a condition and in an event.
 *
 * A pod whose bind has not even been sent is not evicted: that bind is given up, and the pod waits again.
 *
 * An eviction lives here from the cycle until its write is certain or refused; stint_mirror_pod.eviction points to it. One that is refused,
 * or that a budget keeps from happening for half a minute, is void: the engine is told, and its group is spared for SPARE_MS.
 */
#ifndef STINT_SCHEDULER_EVICTOR_H
#define STINT_SCHEDULER_EVICTOR_H

#include <scheduler/evict_call.h>
#include <scheduler/metrics.h>
#include <stint/mirror.h>

struct stint_evictor_options {
	struct stint_kube *kube;
	struct stint_engine *engine;
	struct stint_mirror *mirror;
	struct stint_metrics *metrics;
	const struct stint_logger *logger;
	size_t in_flight_max;
	unsigned per_second; /* 0: no bound */
	bool direct; /* delete, do not ask budgets */
	int64_t (*write_until_ms)(void *user);
	/* Whether its bind is given up instead of evicting it, for it has not been sent. NULL: none is. */
	bool (*void_bind)(void *user, const struct stint_mirror_pod *pod);
	void (*evicted)(void *user, struct stint_mirror_pod *pod, const struct stint_eviction *eviction); /* it is on its way out */
	void (*again)(void *user); /* something was undone or may be evicted again: a cycle is due */
	void (*idle)(void *user); /* no write is under way any more; some may be due later */
	void *user;
};

struct stint_evictor;
struct stint_evictor *stint_evictor_new(const struct stint_evictor_options *options);
void stint_evictor_free(struct stint_evictor *evictor);
/* Decisions of one cycle, in its order: those that are no evictions are passed over. Sends what may be sent at once. */
void stint_evictor_take(struct stint_evictor *evictor, const struct stint_decision *decisions, size_t count);
void stint_evictor_pod_gone(struct stint_evictor *evictor, struct stint_mirror_pod *pod);
void stint_evictor_close(struct stint_evictor *evictor); /* no more is sent; what was not sent is forgotten */
size_t stint_evictor_in_flight(const struct stint_evictor *evictor);

/* Why a pod has to go, as reason and sentence of its condition. `moved_to`: the node that is kept for it; NULL: it is not moved. */
const char *stint_eviction_reason(enum stint_action action, const char *moved_to);
/* "; lost: 8 GPUs after 3h" for the end of it; empty where nothing is lost or that is not known. Freed by the caller. */
char *stint_eviction_loss(double gpus, int64_t ran_ms);
/* It names another workload only within one project. Freed by the caller. */
char *stint_eviction_sentence(
	const struct stint_engine *engine, const struct stint_mirror *mirror, const struct stint_decision *decision, const char *moved_to);

#endif
