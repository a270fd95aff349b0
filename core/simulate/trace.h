/*
 * trace: the files of the replay of traces share these structures. A trace is read once and stays as it is; a replay (one seed, one policy)
 * has a state of its own, so replays are independent of each other and of the order in which they run.
 *
 * The experiment is the one of Weng et al., "Beware of Fragmentation" (USENIX ATC 2023), whose published results it is compared with.
 * Units: CPU in thousandths of a core, memory in MiB, devices in thousandths ("milli"): 1000 is a whole one.
 */
#ifndef STINT_SIMULATE_TRACE_H
#define STINT_SIMULATE_TRACE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stint/engine.h>
#include <stint/simulate.h>

enum {
	TRACE_MAX_NODES = 100000,
	TRACE_MAX_PODS = 1000000,
	TRACE_MAX_SHAPES = 4096,
	TRACE_MAX_MODELS = STINT_NODE_KINDS,
	TRACE_PODS_PER_NODE = 1001, /* the published experiment's bound */
	TRACE_LANES = 8, /* devices of a node come in rows of so many */
	DEVICE_MILLI = 1000,
};
/* Amounts are far below this, so that sums over a trace stay far from the end of their range. */
#define TRACE_MAX_AMOUNT INT64_C(1000000000000)

struct trace_node {
	const char *name;
	int64_t cpu_milli, memory_mib;
	uint32_t devices;
	uint32_t model;
};

/* What pods ask for; those that ask for the same share one. */
struct trace_shape {
	int64_t cpu_milli, memory_mib;
	uint32_t milli; /* of each device; 0: no device */
	uint32_t devices;
	uint64_t models; /* bits of the models that will do; all of them: any */
	bool constrained;
};

struct trace_pod {
	const char *name;
	uint32_t shape;
	int64_t created_s, deleted_s; /* -1: the trace does not say */
	const char *queue; /* what the column for queues says; NULL: there is no such column */
};

struct stint_trace {
	struct stint_arena *arena;
	struct trace_node *nodes; /* by name */
	struct trace_pod *pods; /* by name */
	struct trace_shape *shapes;
	const char **models;
	size_t nodes_count, pods_count, shapes_count, models_count;
	size_t nodes_capacity, pods_capacity, shapes_capacity;
	uint32_t most_devices; /* of one node */
	int64_t capacity_milli, demand_milli;
	int64_t most_cpu_milli;
	bool timed; /* has creation and deletion times */
	struct stint_map *known_shapes, *known_models, *names; /* while it is read */
};

static inline int64_t trace_gpu_milli(const struct trace_shape *shape)
{
	return (int64_t)shape->milli * shape->devices;
}

/* ---- trace_random.c: a generator of our own, so that a seed means the same on every machine --------------------------------------- */

struct trace_random {
	uint64_t state[4];
};
void trace_random_seed(struct trace_random *random, uint64_t seed);
uint32_t trace_random_below(struct trace_random *random, uint32_t bound); /* uniform in 0 .. bound - 1 */

/* ---- trace_workload.c: which pods arrive, and what is typical of them -------------------------------------------------------------- */

struct trace_arrivals {
	uint32_t *shapes;
	size_t count, capacity;
};
/* The pods shuffled, and then as many more drawn from them, or taken away, as make `fill` times the capacity. Frees: the caller. */
void trace_arrivals_draw(const struct stint_trace *trace, double fill, struct trace_random *random, struct trace_arrivals *out);

/* A kind of request that the measure of fragmentation counts with. */
struct typical {
	int64_t cpu_milli;
	uint32_t milli, devices;
	uint64_t models;
	uint32_t count;
};
struct typicals {
	struct typical *items;
	size_t count;
	int64_t total; /* of their counts */
};
/* The most frequent kinds until they make up 95 % of the pods. */
void trace_typicals_find(const struct stint_trace *trace, struct typicals *out);

/* ---- trace_measure.c: fragmentation of a node by the published measure -------------------------------------------------------------- */

struct measure;
struct measure *measure_new(const struct stint_trace *trace);
void measure_free(struct measure *measure);
/*
 * The expected part of what is free on the node that the next typical pod cannot use, in milli times measure_scale. devices: left of each,
 * `lanes` of them.
 */
int64_t measure_node(const struct measure *measure, uint32_t model, int64_t cpu_milli, const uint16_t *devices, uint32_t lanes);
int64_t measure_scale(const struct measure *measure);

/* ---- trace_state.c: the cluster of one replay, and the order in which shapes want its nodes ------------------------------------------ */

struct slots {
	int64_t *scores; /* by node; negative: does not fit */
	uint32_t *winners; /* a tournament: winners[1] is the best node */
	uint64_t seen; /* how much of the log of changes it has caught up with */
	bool made;
};

struct replay {
	const struct stint_trace *trace;
	const struct measure *measure;
	const struct replay_policy *policy;
	struct trace_random random;
	const struct trace_node **nodes; /* in the order in which ties are broken */
	uint32_t lanes, width;
	int64_t *cpu, *memory;
	uint16_t *left; /* node * lanes + device */
	uint32_t *pods;
	uint32_t *whole; /* devices that nobody uses */
	int64_t *free_milli;
	int64_t *fragments; /* measure_node of each */
	uint64_t *classes; /* bits of the classes of pods on it: for the clustering policy */
	struct slots *slots; /* by shape */
	uint32_t *log; /* of nodes, one entry for each placement */
	uint64_t *changed; /* by node: place in the log of its last change, from 1 */
	uint64_t changes;
	int64_t used_milli, fragments_sum, idle_milli;
	/* The policy of ours. */
	struct stint_prices prices;
	uint32_t *arrived; /* by shape: the mix as it is known */
	uint64_t arrived_count, learned_at;
	bool learns; /* from what arrives; else it knows the list */
};

enum { NO_DEVICE = UINT32_MAX };

/* How a policy judges: a pod of that shape on that node, where it fits. */
struct replay_policy {
	const char *name;
	/* Not negative, the higher the better; NULL: any node, by chance. */
	int64_t (*score)(const struct replay *replay, const struct trace_shape *shape, uint32_t node);
	/* For a share of a device: which. */
	uint32_t (*device)(struct replay *replay, const struct trace_shape *shape, uint32_t node);
	bool priced, learns;
};
extern const struct replay_policy replay_policies[STINT_TRACE_POLICIES]; /* trace_policies.c */

struct replay *replay_new(
	const struct stint_trace *trace, const struct measure *measure, const struct replay_policy *policy, uint64_t seed);
void replay_free(struct replay *replay);
bool replay_fits(const struct replay *replay, const struct trace_shape *shape, uint32_t node);
/* Places a pod of the shape; false when it fits nowhere. */
bool replay_place(struct replay *replay, uint32_t shape);
/* After the prices have changed. */
void replay_forget_scores(struct replay *replay);

static inline const uint16_t *replay_left(const struct replay *replay, uint32_t node)
{
	return replay->left + (size_t)node * replay->lanes;
}
/* The tightest device that takes the share. */
uint32_t replay_tightest(const struct replay *replay, const struct trace_shape *shape, uint32_t node);
/* What is left of the node after that placement: device lefts into `left` (lanes of them). device: as policy.device says, for shares. */
void replay_after(const struct replay *replay, const struct trace_shape *shape, uint32_t node, uint32_t device, uint16_t *left);

/* ---- trace_prices.c: the mix of a trace for our policy --------------------------------------------------------------------------------- */

void replay_learn(struct replay *replay);

#endif
