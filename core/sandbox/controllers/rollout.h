/*
 * rollout: one sync of a Deployment on its way, shared by deployment.c (reading, history, the order of things), rollout_sizes.c (how large
 * each ReplicaSet becomes) and rollout_status.c (how far it is). Not for others.
 */
#ifndef STINT_SANDBOX_ROLLOUT_H
#define STINT_SANDBOX_ROLLOUT_H

#include "core/sandbox/controllers/deployment.h"

#define REVISION_KEY "deployment.kubernetes.io/revision"
#define DESIRED_KEY "deployment.kubernetes.io/desired-replicas"
#define MAX_KEY "deployment.kubernetes.io/max-replicas"

struct rollout {
	const struct stint_json *deployment, *spec;
	struct deployment_plan *plan;
	int64_t now_ms;
	int64_t replicas, surge, unavailable;
	bool recreate, paused;
	struct rollout_set *current; /* NULL: to be made */
	bool old_pods;
};

/* Pods of all sets; updated: those of the current one. */
struct rollout_tally {
	int64_t pods, updated, ready, available;
};

/* deployment.c */
int64_t rollout_number(const struct stint_json *object, const char *key); /* an annotation; 0 without */
const char *rollout_set_name(const struct rollout_set *set);

/* rollout_sizes.c */
int64_t rollout_sum_wanted(const struct deployment_plan *plan);
bool rollout_was_resized(const struct rollout *rollout);
void rollout_resize(struct rollout *rollout);
void rollout_recreate(struct rollout *rollout);
void rollout_roll(struct rollout *rollout);

/* rollout_status.c */
struct rollout_tally rollout_count(const struct rollout *rollout);
bool rollout_is_complete(const struct rollout *rollout, const struct rollout_tally *tally);
void rollout_write_status(struct rollout *rollout, const struct rollout_tally *tally);

#endif
