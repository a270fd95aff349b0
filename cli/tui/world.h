/*
 * world: what the views show: nodes with their devices and who has them, workloads, projects with their shares, the line of what waits,
 * events. Made out of what the set of workloads has summed up whenever something has changed; between two makings it does not change.
 *
 * A world borrows the objects that it was made of and is valid until they change. What is not known stays unknown: amounts are negative,
 * truths say so, and nothing here turns that into 0. GPUs are devices.
 */
#ifndef STINT_CLI_TUI_WORLD_H
#define STINT_CLI_TUI_WORLD_H

#include <stint/engine.h>
#include <stint/grouping.h>
#include <stint/model.h>
#include <stint/workload.h>

#include "cli/tui/usage.h"
#include "cli/tui/victims.h"

/* What a project is due and has of one resource, as the scheduler counts it (thousandths of a core, bytes, devices). -1: unlimited. */
struct tui_bounds {
	double quota, limit, weight;
	double usage; /* what it had lately, as a part of the cluster; 0 also where that may not be read */
	double fair; /* < 0: unknown */
	double allocated, requested; /* requested: of the pods that there are, with a place or without */
};

/* A project, or a department (is_department). Amounts of a department are the sums of its projects. */
struct tui_project {
	const char *name;
	const struct stint_queue *queue; /* NULL: workloads name it, and there is no such Queue or it may not be read */
	const char *department; /* or NULL */
	bool is_department;
	uint32_t depth; /* below how many others it stands */
	double quota, limit, weight; /* -1: unlimited */
	bool has_quota, has_limit; /* else: not said */
	int32_t priority;
	double fair_share; /* < 0: unknown */
	double allocated; /* < 0: unknown */
	double requested; /* allocated and waiting together; < 0: unknown */
	double borrowed; /* beyond its quota; < 0: unknown */
	double lent; /* of its quota what others have borrowed; < 0: unknown */
	bool requested_unknown; /* what waits by memory is not in `requested` */
	uint32_t running, waiting, suspended, ended; /* workloads */
	struct tui_bounds by[STINT_DIMENSIONS];
};

/* A workload that waits, at its place in the line. */
struct tui_waiting {
	const struct stint_workload *workload;
	const struct tui_project *project;
	const char *group; /* what is tried as one with it: several workloads may be of one PodGroup, and have one place then */
	bool tried; /* else: not before something about it changes, as pods of its gang are missing or it has no queue */
	uint32_t position; /* among those of its project, from 1; 0: it is not tried */
	const char *pools; /* node pools that it may use, best first, as written; NULL: all */
	int32_t priority;
	double asks; /* devices; < 0: unknown */
	int64_t created_ms; /* of what waits there: the workload, or a pod that is placed on its own */
	uint8_t elastic; /* 0: too few of it run, 1: just enough, 2: more than enough */
	double step[STINT_DIMENSIONS]; /* what is tried at once: the pods that start together, or one */
};

struct tui_totals {
	uint32_t nodes, nodes_ready, nodes_cordoned, nodes_bad; /* bad: not ready, or nobody knows; cordoned ones of them included */
	double gpus; /* of all nodes */
	double gpus_free; /* on all nodes, whether they can be used or not; < 0: unknown */
	double gpus_allocated; /* < 0: unknown */
	uint32_t devices_held, devices_silent; /* held by somebody; of those, that tell no use */
	double gpus_used; /* sum of the use of held devices; < 0: none tells */
	uint32_t devices_idle; /* held, and less than 5 % used */
	double gpus_useless; /* free, but too small or in the wrong place for anything that waits; < 0: nothing with GPUs waits */
	uint32_t workloads, running, waiting, failed;
	int64_t oldest_ms; /* creation of the one that waits longest; -1: none */
	uint32_t spaces[9]; /* usable nodes with GPUs by free whole devices: 0 .. 7, 8 or more */
};

/* What may not be read is absent, not empty. */
struct tui_world {
	const struct stint_node_use *const *nodes; /* by name, numbers by value */
	size_t nodes_count;
	bool nodes_known, pods_known, queues_known, events_known;
	/* The project whose pods are all that is seen; NULL: those of all. What others hold is not known then: a device without a holder may have one. */
	const char *only;
	const struct stint_workload *const *workloads; /* by project and name */
	size_t workloads_count;
	double capacity[STINT_DIMENSIONS]; /* of the nodes that take pods, without what others than workloads have of them */
	struct tui_project *projects; /* departments with their projects below them, by name */
	size_t projects_count;
	struct tui_waiting *waiting; /* in the order in which they are tried */
	size_t waiting_count;
	const char *line_doubt; /* what is not known of that order; NULL: nothing */
	const struct stint_event *const *events; /* latest first */
	size_t events_count;
	const struct tui_victim *victims; /* latest first */
	size_t victims_count;
	struct tui_totals totals;
};

/* What a world is made of. Arrays in any order. */
struct tui_sources {
	struct stint_object *const *queues, *const *events;
	size_t queues_count, events_count;
	const struct stint_catalog *catalog; /* owners, PodGroups, queues and priority classes */
	bool nodes_known, queues_known, pods_known, events_known, classes_known, pod_groups_known;
	const char *only; /* as in struct tui_world; borrowed */
	const struct tui_victims *victims; /* NULL: none were noted */
	const struct tui_usage *usage; /* NULL: it does not count, or may not be read */
	bool past_use_known; /* if it counts, it is in `usage` */
	double usage_factor;
	bool usage_factor_known;
	bool pool_schedulers; /* each node pool has one, with a line of its own */
	struct stint_workload_set *workloads; /* fed with the pods, their owners and the nodes */
};

/* The maker keeps memory from one making to the next. */
struct tui_maker;
struct tui_maker *tui_maker_new(void);
void tui_maker_free(struct tui_maker *maker);
/* The world, valid until the next making. O(workloads + nodes), and O(n log n) of what waits and of events. */
const struct tui_world *tui_maker_make(struct tui_maker *maker, const struct tui_sources *sources, int64_t now_ms);

const struct stint_node_use *tui_world_node(const struct tui_world *world, const char *name); /* NULL: none */
const struct tui_project *tui_world_project(const struct tui_world *world, const char *name);
/* "Ready", "NotReady", "Unknown", with ",cordoned". */
const char *tui_node_status(const struct stint_node *node);
bool tui_node_is_usable(const struct stint_node *node); /* ready and not cordoned */
/* Which project a workload is charged to: its queue, else its namespace. */
const char *tui_workload_project(const struct stint_workload *workload);
/* Waits for a place, wholly or with some of its pods. */
bool tui_workload_waits(const struct stint_workload *workload);

#endif
