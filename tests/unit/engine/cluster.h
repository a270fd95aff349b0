/*
 * A small cluster in memory for the tests and benchmarks of the engine: objects are made here, in one arena, and told to an engine. Names
 * serve as UIDs. What is left out has a default that does not get in the way.
 *     struct cluster *c = cluster_new();
 *     add_node(c, "n0", .gpus = 8);
 *     add_queue(c, "q", .quota = 4);
 *     add_pod(c, add_group(c, "job", .queue = "q"), "job-0", .gpus = 1);
 */
#ifndef STINT_TEST_CLUSTER_H
#define STINT_TEST_CLUSTER_H

#include <stdlib.h>
#include <string.h>

#include <stint/engine.h>

#define GIB (INT64_C(1) << 30)
#define CLUSTER_NOW_MS INT64_C(1000000000000)

struct cluster {
	struct stint_arena *arena;
	struct stint_engine *engine;
	struct stint_policy policy;
	int64_t now_ms;
	struct stint_cycle last;
};

static inline struct cluster *cluster_new(void)
{
	struct cluster *c = stint_alloc(sizeof *c);
	c->arena = stint_arena_new(0);
	c->engine = stint_engine_new();
	c->policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	c->now_ms = CLUSTER_NOW_MS;
	return c;
}

static inline void cluster_free(struct cluster *c)
{
	stint_engine_free(c->engine);
	stint_arena_free(c->arena);
	free(c);
}

static inline const char *cluster_text(struct cluster *c, const char *text)
{
	return text ? stint_arena_strndup(c->arena, text, strlen(text)) : NULL;
}

static inline struct stint_object cluster_object(struct cluster *c, enum stint_kind kind, const char *name, int64_t age_s)
{
	const char *kept = cluster_text(c, name);
	return (struct stint_object){
		.kind = kind, .refs = 1, .name = kept, .uid = kept, .created_ms = CLUSTER_NOW_MS - age_s * 1000, .deleted_ms = -1};
}

/* "a=1,b=2", keys in order. */
static inline struct stint_pairs cluster_pairs(struct cluster *c, const char *text)
{
	struct stint_pair *pairs = stint_arena_alloc(c->arena, 16 * sizeof *pairs);
	uint32_t count = 0;
	while (*text && count < 16) {
		const size_t key = strcspn(text, "="), value = strcspn(text + key + 1, ",");
		pairs[count++] =
			(struct stint_pair){stint_arena_strndup(c->arena, text, key), stint_arena_strndup(c->arena, text + key + 1, value)};
		text += key + 1 + value;
		text += *text == ',';
	}
	return (struct stint_pairs){pairs, count};
}

/* Levels coarse to fine, "zone,rack"; "zone:z" gives one an alias. */
static inline void add_topology(struct cluster *c, const char *name, const char *levels)
{
	struct stint_topology *topology = stint_arena_alloc(c->arena, sizeof *topology);
	struct stint_topology_level *items = stint_arena_alloc(c->arena, STINT_MAX_LEVELS * sizeof *items);
	uint32_t count = 0;
	while (*levels && count < STINT_MAX_LEVELS) {
		const size_t length = strcspn(levels, ","), label = strcspn(levels, ":,");
		items[count].node_label = stint_arena_strndup(c->arena, levels, label);
		items[count++].alias = label < length ? stint_arena_strndup(c->arena, levels + label + 1, length - label - 1) : NULL;
		levels += length + (levels[length] == ',');
	}
	*topology =
		(struct stint_topology){.meta = cluster_object(c, STINT_KIND_TOPOLOGY, name, 0), .levels = items, .levels_count = count};
	stint_engine_topology_upsert(c->engine, topology);
}

struct node_is {
	bool made; /* so that no field need be given */
	int64_t cpu_milli, memory_bytes, mib; /* 64 cores, 512 GiB, 100 MiB a device; mib -1: not known */
	int gpus, label_gpus, pods; /* pods: 110; label_gpus: as gpus */
	bool down, cordoned;
	unsigned pressures;
	const char *label, *value; /* one label */
	const char *labels; /* or several, "rack=r1,zone=z1" */
	const char *rack; /* the label of that name */
	const char *pool; /* the label kai.scheduler/node-pool, beside `rack` or `labels` */
	const char *taint; /* key of a NoSchedule taint */
	const char *resource; /* an extended resource, and how many thousandths of it */
	int64_t resource_milli;
};
#define add_node(c, name, ...) add_node_((c), (name), (struct node_is){.made = true, ##__VA_ARGS__})
static inline uint32_t add_node_(struct cluster *c, const char *name, struct node_is is)
{
	struct stint_node *node = stint_arena_alloc(c->arena, sizeof *node);
	node->meta = cluster_object(c, STINT_KIND_NODE, name, 0);
	node->allocatable = (struct stint_resources){
		.cpu_milli = is.cpu_milli ? is.cpu_milli : 64000,
		.memory_bytes = is.memory_bytes ? is.memory_bytes : 512 * GIB,
		.gpu_milli = is.gpus * 1000,
		.pods = is.pods ? is.pods : 110,
	};
	if (is.resource) {
		struct stint_extended *extended = stint_arena_alloc(c->arena, sizeof *extended);
		*extended = (struct stint_extended){cluster_text(c, is.resource), is.resource_milli};
		node->allocatable.extended = extended;
		node->allocatable.extended_count = 1;
	}
	struct stint_pair *pairs = stint_arena_alloc(c->arena, 2 * sizeof *pairs);
	uint32_t labels = 0;
	if (is.pool)
		pairs[labels++] = (struct stint_pair){STINT_LABEL_NODE_POOL, cluster_text(c, is.pool)};
	if (is.rack)
		pairs[labels++] = (struct stint_pair){"rack", cluster_text(c, is.rack)};
	if (is.label) {
		const uint32_t at = labels && strcmp(is.label, "rack") < 0 ? 0 : labels;
		pairs[labels] = pairs[0];
		pairs[at] = (struct stint_pair){cluster_text(c, is.label), cluster_text(c, is.value)};
		labels++;
	}
	node->meta.labels = (struct stint_pairs){pairs, labels};
	if (is.labels) {
		stint_autofree char *with_pool =
			is.pool ? stint_format("%s=%s,%s", STINT_LABEL_NODE_POOL, is.pool, is.labels) : stint_strdup(is.labels);
		node->meta.labels = cluster_pairs(c, with_pool);
	}
	if (is.taint) {
		struct stint_taint *taint = stint_arena_alloc(c->arena, sizeof *taint);
		*taint = (struct stint_taint){cluster_text(c, is.taint), "", STINT_EFFECT_NO_SCHEDULE};
		node->taints = taint;
		node->taints_count = 1;
	}
	node->ready = is.down ? STINT_FALSE : STINT_TRUE;
	node->unschedulable = is.cordoned;
	node->pressures = is.pressures;
	node->gpu_count = is.label_gpus ? is.label_gpus : is.gpus;
	node->gpu_memory_mib = is.mib ? is.mib : 100;
	return stint_engine_node_upsert(c->engine, node);
}

/* GPUs; CPU and memory are not limited but where said. limit 0 stands for none here: use `closed` for a limit of 0. */
struct queue_is {
	bool made; /* so that no field need be given */
	const char *parent;
	double quota, limit, weight, cpu_quota_milli, cpu_limit_milli;
	int priority; /* 100 */
	int64_t age_s;
	int64_t preempt_min_s, reclaim_min_s; /* minimum runtimes; 0: not set here */
	bool closed;
};
#define add_queue(c, name, ...) add_queue_((c), (name), (struct queue_is){.made = true, ##__VA_ARGS__})
static inline uint32_t add_queue_(struct cluster *c, const char *name, struct queue_is is)
{
	struct stint_queue *queue = stint_arena_alloc(c->arena, sizeof *queue);
	const struct stint_queue_resource open = {-1, 1, -1, true, true, true};
	queue->meta = cluster_object(c, STINT_KIND_QUEUE, name, is.age_s);
	queue->parent = cluster_text(c, is.parent);
	queue->priority = is.priority ? is.priority : 100;
	queue->preempt_min_runtime_ms = is.preempt_min_s ? is.preempt_min_s * 1000 : -1;
	queue->reclaim_min_runtime_ms = is.reclaim_min_s ? is.reclaim_min_s * 1000 : -1;
	queue->cpu = queue->memory = queue->gpu = open;
	queue->gpu.quota = is.quota;
	queue->gpu.limit = is.closed ? 0 : is.limit ? is.limit : -1;
	queue->gpu.weight = is.weight;
	if (is.cpu_quota_milli)
		queue->cpu.quota = is.cpu_quota_milli;
	if (is.cpu_limit_milli)
		queue->cpu.limit = is.cpu_limit_milli;
	return stint_engine_queue_upsert(c->engine, queue);
}

struct group_is {
	bool made; /* so that no field need be given */
	const char *queue;
	int priority; /* 50 */
	bool fixed; /* not preemptible */
	uint32_t min; /* 1 */
	int64_t age_s;
	int64_t time_s; /* declared; 0: not */
	bool none_needed; /* min 0 */
	int64_t started_ms, last_evicted_ms, stale_since_ms; /* 0: not known */
	int64_t delay_s; /* before it takes from others */
	bool has_grace, succeeded;
	int64_t grace_s;
	const struct stint_part_spec *parts; /* instead of min */
	size_t parts_count;
	const char *pools; /* "a,b" */
};
#define add_group(c, key, ...) add_group_((c), (key), (struct group_is){.made = true, ##__VA_ARGS__})
static inline uint32_t add_group_(struct cluster *c, const char *key, struct group_is is)
{
	const char **pools = stint_arena_alloc(c->arena, (STINT_MAX_POOLS + 1) * sizeof *pools);
	uint32_t pools_count = 0;
	for (const char *at = is.pools; at && *at && pools_count <= STINT_MAX_POOLS; at += *at == ',') {
		const size_t length = strcspn(at, ",");
		pools[pools_count++] = stint_arena_strndup(c->arena, at, length);
		at += length;
	}
	const struct stint_group_spec spec = {
		.pools = pools,
		.pools_count = pools_count,
		.key = key,
		.queue = is.queue,
		.priority = is.priority ? is.priority : 50,
		.preemptible = !is.fixed,
		.created_ms = CLUSTER_NOW_MS - is.age_s * 1000,
		.time_ms = is.time_s * 1000,
		.min_member = is.none_needed ? 0
			: is.min	     ? is.min
					     : 1,
		.started_ms = is.started_ms,
		.last_evicted_ms = is.last_evicted_ms,
		.stale_since_ms = is.stale_since_ms,
		.preemption_delay_ms = is.delay_s * 1000,
		.has_stale_grace = is.has_grace,
		.stale_grace_ms = is.grace_s * 1000,
		.some_succeeded = is.succeeded,
		.parts = is.parts,
		.parts_count = is.parts_count,
	};
	return stint_engine_group_upsert(c->engine, &spec);
}

struct pod_is {
	bool made; /* so that no field need be given */
	int64_t cpu_milli, memory_bytes; /* 0 */
	int gpus, devices; /* whole devices; devices: of a share, 1 */
	double portion;
	int64_t mib;
	int64_t age_s;
	int64_t ran_s; /* with `on`: since when; 0: not known */
	const char *label, *value; /* one label of the pod */
	const char *space; /* its namespace */
	const char *near, *far, *spread; /* podAffinity, podAntiAffinity, topologySpreadConstraints as a pod has them */
	const char *selects, *selected; /* one node label it needs */
	const char *tolerates; /* key of a taint */
	const char *resource;
	int64_t resource_milli;
	bool legacy_mig; /* the resource is a MIG profile that an annotation asks for */
	int port;
	const char *nominated, *problem;
	const char *part;
	const char *on; /* its node: then it is BOUND unless said otherwise */
	uint64_t slots;
	enum stint_pod_status status;
	bool holder;
};
#define add_pod(c, group, name, ...) add_pod_((c), (group), (name), (struct pod_is){.made = true, ##__VA_ARGS__})

static inline struct stint_pod_spec *pod_spec(struct cluster *c, const struct pod_is *is)
{
	struct stint_pod_spec *spec = stint_arena_alloc(c->arena, sizeof *spec);
	spec->refs = 1;
	spec->request = (struct stint_resources){.cpu_milli = is->cpu_milli, .memory_bytes = is->memory_bytes, .pods = 1};
	const uint32_t devices = is->devices ? (uint32_t)is->devices : 1;
	if (is->gpus)
		spec->gpu = (struct stint_gpu_ask){.kind = STINT_GPU_WHOLE, .devices = (uint32_t)is->gpus, .portion = 1};
	else if (is->portion > 0)
		spec->gpu = (struct stint_gpu_ask){.kind = STINT_GPU_FRACTION, .devices = devices, .portion = is->portion};
	else if (is->mib)
		spec->gpu = (struct stint_gpu_ask){.kind = STINT_GPU_MEMORY, .devices = devices, .memory_mib = is->mib};
	spec->gpu.problem = is->legacy_mig ? "it has MIG by annotation" : cluster_text(c, is->problem);
	spec->legacy_mig = is->legacy_mig;
	if (is->selects) {
		struct stint_pair *pair = stint_arena_alloc(c->arena, sizeof *pair);
		*pair = (struct stint_pair){cluster_text(c, is->selects), cluster_text(c, is->selected)};
		spec->node_selector = (struct stint_pairs){pair, 1};
	}
	if (is->tolerates) {
		struct stint_toleration *toleration = stint_arena_alloc(c->arena, sizeof *toleration);
		*toleration = (struct stint_toleration){.key = cluster_text(c, is->tolerates), .value = "", .exists = true, .seconds = -1};
		spec->tolerations = toleration;
		spec->tolerations_count = 1;
	}
	if (is->resource) {
		struct stint_extended *extended = stint_arena_alloc(c->arena, sizeof *extended);
		*extended = (struct stint_extended){cluster_text(c, is->resource), is->resource_milli};
		spec->request.extended = extended;
		spec->request.extended_count = 1;
	}
	spec->pod_affinity = cluster_text(c, is->near);
	spec->pod_anti_affinity = cluster_text(c, is->far);
	spec->topology_spread = cluster_text(c, is->spread);
	if (is->port) {
		struct stint_host_port *port = stint_arena_alloc(c->arena, sizeof *port);
		*port = (struct stint_host_port){.protocol = "TCP", .port = is->port};
		spec->host_ports = port;
		spec->host_ports_count = 1;
	}
	return spec;
}

static inline uint32_t add_pod_(struct cluster *c, uint32_t group, const char *name, struct pod_is is)
{
	struct stint_pod *pod = stint_arena_alloc(c->arena, sizeof *pod);
	pod->meta = cluster_object(c, STINT_KIND_POD, name, is.age_s);
	pod->meta.space = cluster_text(c, is.space);
	pod->node = cluster_text(c, is.on);
	pod->nominated_node = cluster_text(c, is.nominated);
	pod->started_ms = is.ran_s ? c->now_ms - is.ran_s * 1000 : -1;
	pod->spec = pod_spec(c, &is);
	if (is.label) {
		struct stint_pair *pair = stint_arena_alloc(c->arena, sizeof *pair);
		*pair = (struct stint_pair){cluster_text(c, is.label), cluster_text(c, is.value)};
		pod->meta.labels = (struct stint_pairs){pair, 1};
	}
	const struct stint_pod_facts facts = {
		.pod = pod,
		.group = group,
		.part = cluster_text(c, is.part),
		.status = is.status != STINT_POD_PENDING ? is.status
			: is.on				 ? STINT_POD_BOUND
							 : STINT_POD_PENDING,
		.devices = is.slots,
		.holder = is.holder,
	};
	return stint_engine_pod_upsert(c->engine, &facts);
}

static inline size_t run_cycle(struct cluster *c)
{
	c->last = stint_engine_cycle(c->engine, &c->policy, c->now_ms);
	return c->last.count;
}

static inline uint32_t pod_named(const struct cluster *c, const char *name)
{
	return stint_engine_pod_find(c->engine, name);
}

static inline struct stint_pod_view pod_seen(const struct cluster *c, const char *name)
{
	struct stint_pod_view view = {.node = STINT_NO_HANDLE};
	stint_engine_pod_view(c->engine, pod_named(c, name), &view);
	return view;
}

/* The node of a pod that has one now; "" for one that waits, "?" for one that is not known. */
static inline const char *node_of(const struct cluster *c, const char *name)
{
	struct stint_pod_view pod;
	struct stint_node_view node;
	if (!stint_engine_pod_view(c->engine, pod_named(c, name), &pod))
		return "?";
	return stint_engine_node_view(c->engine, pod.node, &node) ? node.name : "";
}

static inline struct stint_record record_of(const struct cluster *c, const char *group)
{
	return stint_engine_record(c->engine, stint_engine_group_find(c->engine, group));
}

#endif
