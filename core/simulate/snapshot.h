/*
 * snapshot: the parts of a snapshot that its files share: what was put in, what stands for which name, and what the format has no place for.
 */
#ifndef STINT_SIMULATE_SNAPSHOT_H
#define STINT_SIMULATE_SNAPSHOT_H

#include <stint/grouping.h>
#include <stint/simulate.h>

enum { SNAP_LABEL_SIZE = 40 };

/* A growing list of counted objects. */
struct snap_list {
	struct stint_object **items;
	size_t count, capacity;
};

struct stint_snapshot {
	struct stint_catalog *catalog;
	struct snap_list nodes, queues, topologies, pods;
	struct snap_list all; /* the same and everything else, as it came */
	bool hides_volumes; /* not all that is needed to judge volumes could be listed */
	struct snap_list coming; /* what would be created or changed: a forecast has it, a scenario has not */
};
void snap_list_add(struct snap_list *list, struct stint_object *object); /* counted */

/* One translation. */
struct snap {
	struct stint_snapshot *from;
	int64_t now_ms;
	bool anonymize;
	struct stint_map *nodes; /* by name: struct stint_resources, what pods of other schedulers use of it */
	struct stint_map *hidden; /* "kind/name" -> what stands for it */
	struct stint_map *classes; /* which nodes a pod may go to, "0110...": its number, from 1 */
	char **members; /* by class: the same text, in the order of nodes */
	size_t members_count, members_capacity;
	struct stint_map *spec_classes; /* by the address of a pod's spec: its class, and 1 more; so that 1 is "any node" */
	struct stint_map *losses; /* sentences' parts -> pods */
};

/* What pods may have that the format, or its simulation, has no place for; in the words and the order in which it is told. */
#define SNAP_LOSS_AFFINITY "affinity to other pods"
#define SNAP_LOSS_SPREAD "topology spread"
#define SNAP_LOSS_CLAIMS "resource claims"
#define SNAP_LOSS_PORTS "host ports"
#define SNAP_LOSS_EXTENDED "resources other than CPU, memory and GPUs"
#define SNAP_LOSS_PREFERENCE "preferred nodes"
#define SNAP_LOSS_TIME "declared times"
#define SNAP_LOSS_NODE "places on nodes that are gone"
#define SNAP_LOSSES                                                                                                                        \
	SNAP_LOSS_AFFINITY, SNAP_LOSS_SPREAD, SNAP_LOSS_CLAIMS, SNAP_LOSS_PORTS, SNAP_LOSS_EXTENDED, SNAP_LOSS_PREFERENCE, SNAP_LOSS_TIME, \
		SNAP_LOSS_NODE

/* The name, or where names are hidden what stands for it: letter and number, made by snap_hide. */
const char *snap_name(const struct snap *snap, char letter, const char *name);
void snap_hide(struct snap *snap, char letter, const char *name, size_t number, size_t of);
void snap_lose(struct snap *snap, const char *what); /* one more pod has what the format cannot say */

/* snapshot_pools.c: the pools that a workload lists; after all of these the pools themselves. Nothing where no workload lists any. */
void snap_pool_list(struct snap *snap, struct stint_json *scenario, const char *workload, const char *pools);
void snap_pools(struct snap *snap, struct stint_json *scenario);

/* snapshot_pods.c: adds `workloads` to the scenario. snap->nodes is complete, and so are the classes after it. */
void snap_workloads(struct snap *snap, struct stint_json *scenario);
/* The number of the set of nodes that the pod may go to; 0: any. */
size_t snap_class(struct snap *snap, const struct stint_pod *pod);
void snap_label_class(char out[static SNAP_LABEL_SIZE], size_t number);

#endif
