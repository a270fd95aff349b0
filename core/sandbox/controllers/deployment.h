/*
 * deployment: what the Deployment controller decides. Pure: a Deployment, the ReplicaSets it controls and the time come in; changes of
 * ReplicaSets and the new status come out. After the documentation of Deployments: rolling updates keep at least replicas -
 * maxUnavailable available and at most replicas + maxSurge pods; Recreate ends all old pods first.
 */
#ifndef STINT_SANDBOX_DEPLOYMENT_H
#define STINT_SANDBOX_DEPLOYMENT_H

#include <stint/text.h>

enum { DEPLOYMENT_MAX_EVENTS = 8 };

struct rollout_set {
	const struct stint_json *object;
	int64_t revision, replicas, available, ready, pods; /* replicas: wanted; pods: there are */
	int64_t created_ms;
	int64_t wanted; /* what its replicas must become */
	bool remove; /* beyond the history that is kept */
	bool current; /* has the Deployment's template */
};

struct deployment_plan {
	struct rollout_set *sets; /* those that came in, oldest first */
	size_t count;
	bool create; /* a new ReplicaSet is to be made, with `create_replicas` */
	int64_t create_replicas;
	int64_t revision; /* of the current template; 0: leave annotations alone */
	int64_t max_replicas; /* annotation deployment.kubernetes.io/max-replicas */
	bool write_sizes; /* annotate all sets with the wanted size */
	struct stint_json *status;
	char *events[DEPLOYMENT_MAX_EVENTS]; /* messages of ScalingReplicaSet */
	size_t event_count;
	int64_t again_ms;
};
void deployment_plan_free(struct deployment_plan *plan);

/*
 * sets: an array of ReplicaSets that the Deployment controls; it must outlive the plan. old_pods: whether pods of old sets are still there
 * (Recreate waits for their end).
 */
void deployment_sync(
	const struct stint_json *deployment, const struct stint_json *sets, bool old_pods, int64_t now_ms, struct deployment_plan *plan);
/* The new ReplicaSet. Owned by the caller. */
struct stint_json *deployment_make_set(const struct stint_json *deployment, const struct deployment_plan *plan);
/* A count or a percentage of `of`, rounded up or down; `otherwise` when absent. */
int64_t int_or_percent(const struct stint_json *value, int64_t of, bool up, int64_t otherwise);

#endif
