/*
 * grouper: which group a pod belongs to, and what the group is: its minimum, queue, priority and preemptibility. Pure: a pod and the
 * catalog in, a value out. The rules are those of KAI-Scheduler's pod grouper for the kinds that are known here; queues are found as
 * the contracts say.
 */
#ifndef STINT_SCHEDULER_GROUPER_H
#define STINT_SCHEDULER_GROUPER_H

#include <scheduler/owners.h>

enum stint_grouping_wait {
	STINT_GROUPING_COMPLETE,
	STINT_GROUPING_NEEDS_OWNER, /* an owner of a watched kind has not been seen yet: ask again when it has */
	STINT_GROUPING_NEEDS_POD_GROUP, /* annotation pod-group-name names an object that does not exist */
	STINT_GROUPING_NEEDS_QUEUE, /* `queue` does not exist, or is NULL when not even a default one does */
};

/* The texts are borrowed from the pod and the catalog, but for key. */
struct stint_grouping {
	enum stint_grouping_wait wait;
	char *key; /* unique in the cluster; two pods of one key are one group */
	const char *space;
	const char *workload_kind; /* "Job", "Pod", "Deployment", "PodGroup" ... */
	const char *workload_name;
	const char *uid; /* of what the group is made after: the Job, the PodGroup or the pod */
	const struct stint_pod_group *pod_group; /* where an object rules, else NULL */
	const char *queue;
	const char *missing; /* NEEDS_POD_GROUP: the name that is not there */
	int32_t minimum; /* before members have succeeded; at least 1 */
	struct stint_topology_constraint constraint; /* that annotations of the owner ask for; topology NULL: none */
	int32_t priority;
	bool preemptible;
	int64_t time_ms; /* declared wall time; 0: none */
	int64_t preemption_delay_ms; /* 0: none */
	bool has_stale_grace;
	int64_t stale_grace_ms;
	int64_t created_ms; /* of the Job, PodGroup or pod: the age that order goes by */
};

/* Always fills *out, as far as it can be known yet. Free it with stint_grouping_clear. */
void stint_group_pod(const struct stint_catalog *catalog, const struct stint_pod *pod, struct stint_grouping *out);
void stint_grouping_clear(struct stint_grouping *grouping);

/* The minimum that is left when `succeeded` members have ended well: they need no place any more. At least 1. */
int32_t stint_grouping_minimum(int32_t minimum, int64_t succeeded);

#endif
