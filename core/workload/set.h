/*
 * set: what a struct stint_workload_set holds, between keeping objects (set.c) and making workloads of them (aggregate.c). Internal to
 * workload.
 */
#ifndef STINT_WORKLOAD_SET_H
#define STINT_WORKLOAD_SET_H

#include <stint/workload.h>

struct stint_workload_set {
	struct stint_map *objects; /* uid → object; owns one count of each */
	struct stint_map *nodes; /* name → node, which is in objects */
	char **scheduler_names; /* NULL: everybody's pods */
	/* Made by aggregate, valid while not dirty. */
	bool dirty;
	struct stint_arena *arena; /* workloads, their pod arrays and the texts that no object has */
	struct stint_workload **list;
	size_t count;
	struct stint_map *by_uid; /* while aggregating: uid of the top owner → workload under construction */
};

/* Makes list and count again from the objects. */
void aggregate(struct stint_workload_set *set);
bool is_served(const struct stint_workload_set *set, const char *scheduler_name);
/* Fills everything that follows from the owner and the pods, which are set. */
void summarise(const struct stint_workload_set *set, struct stint_workload *workload);

#endif
