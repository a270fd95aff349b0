/*
 * forecast: one run of the engine on a cluster as it was read (forecast.c), and what is told of two of them (forecast_tell.c).
 */
#ifndef STINT_SIMULATE_FORECAST_H
#define STINT_SIMULATE_FORECAST_H

#include <stint/mirror.h>
#include <stint/simulate.h>

#include "snapshot.h"

/* The top owner of pods, or a bare pod: whatever its groups, and whether it is the first pod of a name or the one that came after. */
struct forecast_workload {
	const char *space, *kind, *name;
	size_t placed, waiting; /* pods, when nothing changes any more */
	size_t evicted, gone; /* pods; gone: of those evicted such as nobody brings back */
	bool coming; /* a pod of it is among what comes */
	bool told; /* stands in the list that is being made */
};

/* A decision, with everything as it was called then: what is evicted goes, and what it was called with it. */
struct forecast_step {
	enum stint_decision_kind kind; /* BIND or EVICT */
	enum stint_action action;
	bool later; /* not in the first cycle: something had to go before */
	struct forecast_workload *workload, *serves; /* serves: NULL for nobody */
	const char *pod, *node;
	uint64_t devices;
	double gpus;
	double lost_gpu_seconds;
};

struct forecast {
	const struct stint_forecast_question *question;
	struct stint_arena *arena;
	struct stint_engine *engine;
	struct stint_mirror *mirror;
	struct stint_map *workloads; /* by "space/kind/name", of all pods that have been ours */
	struct stint_map *claims; /* resource claims by "namespace/name", of the snapshot or the arena: those of pods that have gone, too */
	struct forecast_workload **coming; /* in the order in which they come */
	size_t coming_count, coming_capacity;
	struct forecast_step *steps;
	size_t steps_count, steps_capacity;
	size_t replaced; /* pods that have come back */
	bool settled;
};

/* coming: with what is coming. The snapshot, its model and the question outlive it. */
struct forecast *forecast_run(const struct stint_snapshot *snapshot, const struct stint_forecast_question *question, bool coming);
void forecast_free(struct forecast *forecast);
struct forecast_workload *forecast_find(const struct forecast *forecast, const struct forecast_workload *like); /* NULL: not in this one */

/* The difference that the second makes. Owned by the caller. */
struct stint_json *forecast_tell(struct forecast *before, struct forecast *after);

#endif
