/*
 * scenario: a scenario in memory, as objects that the engine takes. Everything lives in one arena; the objects' counts start at one, which
 * is the scenario's own, so they outlive every engine that was given them.
 */
#ifndef STINT_SIMULATE_SCENARIO_H
#define STINT_SIMULATE_SCENARIO_H

#include <stint/engine.h>
#include <stint/simulate.h>

enum {
	SCENARIO_MAX_THINGS = 200000, /* nodes, queues or workloads, each */
	SCENARIO_MAX_PODS = 2000000,
	SCENARIO_MAX_ROUNDS = 10000,
};
/* Times in scenarios are ages; this is the moment that they count from. */
#define SCENARIO_START_MS INT64_C(1000000000000)

enum sim_status {
	SIM_PENDING,
	SIM_GATED,
	SIM_BINDING,
	SIM_BOUND,
	SIM_RUNNING,
	SIM_RELEASING,
	SIM_STUCK,
	SIM_PIPELINED,
	SIM_FAILED,
	SIM_SUCCEEDED,
	SIM_STATUS_COUNT,
};
extern const char *const sim_status_names[SIM_STATUS_COUNT];

struct sim_pod {
	struct stint_pod *object;
	struct sim_workload *workload;
	enum sim_status status;
	uint64_t devices; /* slots on its node, by the names in gpu_groups */
	uint32_t handle;
	const char *part; /* the set of pods of its gang */
	const char *node; /* NULL: none */
	const struct stint_numa_zone *zones; /* what it has of the zones of its node, as the scenario says */
	uint32_t zones_count;
	const char **gpu_groups; /* names of its shared devices */
	size_t gpu_groups_count;
	/* Evicted in this round: where it sat, and still does until it is gone, if another place was reserved for it. */
	bool evicted;
	const char *left_node;
	const char **left_gpu_groups;
	size_t left_gpu_groups_count;
	uint64_t left_devices;
};

enum sim_after_eviction { SIM_REQUEUE, SIM_GONE, SIM_KEEP_RELEASING };

struct sim_workload {
	const char *name;
	struct stint_group_spec group;
	enum sim_after_eviction after_eviction;
	bool guaranteed;
	struct sim_pod *pods;
	size_t pods_count;
	uint32_t handle;
};

struct sim_queue {
	struct stint_queue object;
	double usage[STINT_DIMENSIONS];
};

/* What the devices of a node are called, by slot; NULL: not yet. */
struct device_names {
	const char **items;
	size_t count;
};

struct sim_claim {
	struct stint_resource_claim *object;
	size_t others; /* consumers that are no pods of the scenario: the first of the object's */
};

/* The zones of a node, and how each amount is written. */
struct sim_zones {
	const char *node;
	struct stint_numa numa;
	struct stint_numa_amount *amounts[STINT_MAX_ZONES]; /* those of the zones, by place */
};

struct scenario {
	struct stint_arena *arena;
	struct stint_map *devices; /* by node: struct device_names */
	struct stint_policy policy;
	struct stint_node *nodes;
	struct sim_queue *queues;
	struct sim_workload *workloads;
	struct stint_topology *topologies;
	size_t nodes_count, queues_count, workloads_count, pods_count, topologies_count;
	struct sim_claim *claims;
	struct stint_resource_slice *slices;
	struct stint_device_class *classes;
	struct sim_zones *zones; /* of the nodes that have some */
	size_t claims_count, slices_count, classes_count, zones_count;
	size_t slices_capacity, classes_capacity, zones_capacity;
	bool once;
	int64_t rounds, between_ms; /* rounds: all of them, stable ones included */
};

/* fields.c: fields of an object with their place in the document, for errors. */
struct place {
	const struct place *above;
	const char *key;
	int64_t index; /* -1: key; else an item of an array */
};
#define PLACE_MAX 256
bool field_fail(const struct place *place, const char *key, struct stint_error **err, const char *what);
const char *field_place(const struct place *place, const char *key, char out[static PLACE_MAX]);
bool field_text(const struct place *place, const struct stint_json *object, const char *key, const char **out, struct stint_error **err);
bool field_number(const struct place *place, const struct stint_json *object, const char *key, double low, double high, double otherwise,
	double *out, struct stint_error **err);
bool field_seconds(const struct place *place, const struct stint_json *object, const char *key, int64_t otherwise_ms, int64_t *out_ms,
	struct stint_error **err);
/* A quantity in a string, or a number; "unlimited" is -1. */
bool field_amount(const struct place *place, const struct stint_json *object, const char *key, enum stint_unit unit, double otherwise,
	double *out, struct stint_error **err);
bool field_choice(const struct place *place, const struct stint_json *object, const char *key, const char *const *names, size_t count,
	int otherwise, int *out, struct stint_error **err);
/* The array at key, or NULL where there is none; its items number at most `most`. */
bool field_array(const struct place *place, const struct stint_json *object, const char *key, size_t most, const struct stint_json **out,
	size_t *count, struct stint_error **err);

/* What reading needs to know. */
struct reader {
	struct scenario *scenario;
	struct stint_map *pods, *workloads, *queues; /* names that have been seen */
	struct stint_map *volume_claims; /* names of claims of volumes that exist */
	struct stint_error **err;
};

void *scenario_room(struct scenario *scenario, size_t count, size_t size); /* zeroed, for at least one */
const char *scenario_keep(struct scenario *scenario, const char *text); /* NULL stays NULL */
struct stint_object scenario_object(struct scenario *scenario, enum stint_kind kind, const char *name, int64_t created_ms);
bool reader_claim(struct reader *r, struct stint_map *names, const struct place *place, const char *name, void *value);
/* Keys that would change what comes out and that this version does not simulate must be absent, empty or false. */
bool reader_refuse(struct reader *r, const struct stint_json *object, const struct place *place, const char *const *keys, size_t count);
bool read_workloads(struct reader *r, const struct stint_json *document); /* workloads.c */
bool read_extras(struct reader *r, const struct stint_json *document); /* extras.c; after the workloads */
enum { SIM_PLACEMENTS = 4 };
extern const char *const sim_placements[SIM_PLACEMENTS]; /* by enum stint_placement */
/* gangs.c: what of the workload's pods must run together; its pods have been read. */
bool read_gang(struct reader *r, const struct stint_json *workload, const struct place *place, struct sim_workload *out);
bool read_pools(struct reader *r, const struct place *above, const struct stint_json *extras); /* pools.c */
bool read_topologies(struct reader *r, const struct stint_json *document);

/* constraints.c: the parts of nodes and pods that bind a pod to a kind of device, to other pods and to volumes. */
bool read_mig_node(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_node *node);
bool read_mig_request(struct reader *r, const struct stint_json *pod, const struct stint_json *requests, const struct place *place,
	struct stint_pod_spec *spec);
bool read_pod_terms(struct reader *r, const struct stint_json *pod, const struct place *place, struct stint_pod_spec *spec);
/* Claims must be listed in the scenario: a pod that names another one is not placed (kai-engine 6.1, VolumeBinding). */
bool read_claim_names(struct reader *r, const struct stint_json *document);
bool read_volume_claims(struct reader *r, const struct stint_json *pod, const struct place *place, struct stint_pod_spec *spec);
void add_label(struct reader *r, struct stint_pairs *labels, const char *key, const char *value); /* unless it is there */
bool read_labels(struct reader *r, const struct stint_json *object, const struct place *place, struct stint_pairs *out);

/* NULL: *err says what and where. */
struct scenario *scenario_read(const struct stint_json *document, struct stint_error **err);
void scenario_free(struct scenario *scenario);
void scenario_clear(struct scenario **scenario); /* for STINT_CLEANUP */

/* claims.c: devices through resource claims. */
bool reader_node_devices(struct reader *r, const struct stint_json *node, const struct place *place, const char *name);
bool reader_claims(struct reader *r, const struct stint_json *document);
bool reader_pod_claims(struct reader *r, const struct stint_json *pod, const struct place *place, struct stint_pod *out);
void load_claims(const struct scenario *scenario, struct stint_engine *engine); /* before the pods */
void settle_claims(struct scenario *scenario, struct stint_engine *engine); /* after the pods: what nobody has any more is free */

/* zones.c: NUMA zones. */
bool reader_node_zones(struct reader *r, const struct stint_json *node, const struct place *place, const char *name);
bool reader_pod_zones(struct reader *r, const struct stint_json *pod, const struct place *place, struct sim_pod *out);
void load_zones(struct scenario *scenario, struct stint_engine *engine); /* before the pods */
void list_pod_zones(const struct stint_engine *engine, uint32_t pod, struct stint_json *entry);
void list_node_zones(const struct scenario *scenario, const struct stint_engine *engine, uint32_t node, struct stint_json *entry);

/* fairshare.c */
struct stint_json *simulate_fair_share(const struct stint_json *document, struct stint_error **err);
/* rounds.c */
/* write NULL: no journal. */
struct stint_json *simulate_rounds(
	struct scenario *scenario, const char *name, void (*write)(void *user, const char *lines, size_t length), void *user);

#endif
