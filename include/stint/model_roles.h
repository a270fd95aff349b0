/*
 * A part of stint/model.h: what a job of several roles (Kubeflow's: spec.*ReplicaSpecs), or a LeaderWorkerSet, says of its pods.
 */
#ifndef STINT_MODEL_ROLES_H
#define STINT_MODEL_ROLES_H

#include <stdbool.h>
#include <stdint.h>

struct stint_roles {
	int32_t total; /* pods of all roles, and of these three */
	int32_t masters, workers, launchers;
	int32_t min_available, min_elastic; /* runPolicy.schedulingPolicy.minAvailable and elasticPolicy.minReplicas; -1: not said */
	bool launcher_last; /* it is made when the workers are ready */
	int32_t size; /* pods of a LeaderWorkerSet's group, its leader among them; 0: it is no such set */
	int32_t subgroup_size; /* -1: not said */
	bool leader_apart; /* sub-groups are of workers alone */
	bool leader_first; /* workers are made when the leader is ready */
};

#endif
