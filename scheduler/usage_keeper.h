/*
 * usage_keeper: samples what queues have, tells the engine, and keeps the sums in a ConfigMap, so that a restart or another leader forgets
 * nothing. The scheduler's own state is never needed for correctness: without the ConfigMap past use counts from now on.
 */
#ifndef STINT_SCHEDULER_USAGE_KEEPER_H
#define STINT_SCHEDULER_USAGE_KEEPER_H

#include <stint/kube.h>
#include <stint/usage.h>

struct stint_usage_keeper_options {
	struct stint_kube *kube;
	struct stint_engine *engine;
	const struct stint_logger *logger;
	const char *namespace_; /* of the ConfigMap; borrowed */
	const char *pool; /* of the scheduler that has one pool of nodes: its ConfigMap is another one; NULL: it has all */
	int64_t half_life_ms;
	bool (*may_write)(void *user); /* asked before each write */
	void (*changed)(void *user); /* the engine has been told; called about every ten seconds */
	void *user;
};
struct stint_usage_keeper;
/* Reads the ConfigMap at once. */
struct stint_usage_keeper *stint_usage_keeper_new(const struct stint_usage_keeper_options *options);
void stint_usage_keeper_free(struct stint_usage_keeper *keeper);
/* False until it is known what was kept, or that nothing was: fair shares are not right before that. */
bool stint_usage_keeper_ready(const struct stint_usage_keeper *keeper);
/* The engine has learned its queues: tells it what is known of them. */
void stint_usage_keeper_apply(const struct stint_usage_keeper *keeper);

#endif
