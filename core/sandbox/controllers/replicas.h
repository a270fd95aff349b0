/*
 * replicas: what the ReplicaSet controller decides. Pure.
 */
#ifndef STINT_SANDBOX_REPLICAS_H
#define STINT_SANDBOX_REPLICAS_H

#include "core/sandbox/controllers/pods.h"

enum { REPLICAS_PER_SYNC = 500 };

struct replica_plan {
	int64_t creates; /* pods to make */
	struct pod_list removals; /* pods to delete */
	struct stint_json *status; /* to write; NULL: unchanged */
	int64_t again_ms; /* -1: only when something changes */
};
void replica_plan_free(struct replica_plan *plan);
/* pods: all that it controls. Finished ones are left to others and do not count. */
void replica_sync(const struct stint_json *set, const struct pod_list *pods, int64_t now_ms, struct replica_plan *plan);

#endif
