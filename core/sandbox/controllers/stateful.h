/*
 * stateful: what the StatefulSet controller decides. Pure: a set, its pods and its revisions come in; pods to make and to delete and the
 * new status come out. Pods are made in order and removed in reverse; with podManagementPolicy Parallel, all at once. Updates go from
 * the highest ordinal down to the partition.
 */
#ifndef STINT_SANDBOX_STATEFUL_H
#define STINT_SANDBOX_STATEFUL_H

#include "core/sandbox/controllers/pods.h"

struct stateful_new_pod {
	int64_t ordinal;
	bool current; /* of the current revision; else of the update revision */
};

struct stateful_plan {
	struct stateful_new_pod *creates;
	size_t create_count, create_capacity;
	struct pod_list removals;
	struct stint_json *status;
	int64_t again_ms;
};
void stateful_plan_free(struct stateful_plan *plan);
/* The ordinal in the name of a pod of that set; -1: it is none. */
int64_t stateful_ordinal(const char *set_name, const char *pod_name);
/* current and update are names of ControllerRevisions, which are also the pods' revision labels. */
void stateful_sync(const struct stint_json *set, const struct pod_list *pods, const char *current, const char *update, int64_t now_ms,
	struct stateful_plan *plan);
struct stint_json *stateful_make_pod(
	const struct stint_json *set, const struct stint_json *pod_template, int64_t ordinal, const char *revision);

#endif
