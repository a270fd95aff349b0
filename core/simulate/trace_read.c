/*
 * trace_read: the two lists of a trace (perf-anchors 2.1), checked once and then typed: nodes and pods sorted by name, pods that ask for the
 * same joined in a shape.
 */
#include "trace.h"
#include "trace_csv.h"

enum { MOST_BYTES = 256 * 1024 * 1024 };

static const char *keep(struct stint_trace *trace, struct stint_slice text)
{
	return stint_arena_strndup(trace->arena, text.data, text.length);
}

/* Names come out on terminals and stand in orders: of printable ASCII, and one of a kind. */
static bool claim_name(struct stint_trace *trace, const struct csv *csv, size_t column, const char **out, struct stint_error **err)
{
	const struct stint_slice field = csv->fields[column];
	for (size_t i = 0; i < field.length; i++) {
		if (field.data[i] <= ' ' || field.data[i] > '~')
			return csv_fail(csv, column, err, "must be of printable characters");
	}
	if (!field.length)
		return csv_fail(csv, column, err, "must not be empty");
	*out = keep(trace, field);
	if (stint_map_has(trace->names, *out))
		return csv_fail(csv, column, err, "is the name of another line, too");
	stint_map_set(trace->names, *out, trace);
	return true;
}

/* ---- nodes ---------------------------------------------------------------------------------------------------------------------------------- */

static bool find_model(struct stint_trace *trace, const struct csv *csv, size_t column, uint32_t *model, struct stint_error **err)
{
	const char *name = keep(trace, csv->fields[column]);
	const uintptr_t known = (uintptr_t)stint_map_get(trace->known_models, name);
	if (known) {
		*model = (uint32_t)known - 1;
		return true;
	}
	if (trace->models_count == TRACE_MAX_MODELS)
		return csv_fail(csv, column, err, "is the 65th model: at most 64 are told apart");
	*model = (uint32_t)trace->models_count;
	trace->models[trace->models_count++] = name;
	stint_map_set(trace->known_models, name, (void *)(uintptr_t)(*model + 1));
	return true;
}

struct node_columns {
	size_t name, cpu, memory, devices, model;
};

static bool read_node(struct stint_trace *trace, const struct csv *csv, const struct node_columns *at, struct stint_error **err)
{
	struct trace_node node = {0};
	int64_t devices;
	if (trace->nodes_count == TRACE_MAX_NODES)
		return csv_fail(csv, at->name, err, "is one node too many: at most 100,000");
	if (!claim_name(trace, csv, at->name, &node.name, err) ||
		!csv_number(csv, at->cpu, 0, TRACE_MAX_AMOUNT, -1, &node.cpu_milli, err) ||
		!csv_number(csv, at->memory, 0, TRACE_MAX_AMOUNT, -1, &node.memory_mib, err) ||
		!csv_number(csv, at->devices, 0, STINT_MAX_DEVICES, -1, &devices, err) ||
		!find_model(trace, csv, at->model, &node.model, err))
		return false;
	node.devices = (uint32_t)devices;
	trace->most_devices = node.devices > trace->most_devices ? node.devices : trace->most_devices;
	trace->most_cpu_milli = node.cpu_milli > trace->most_cpu_milli ? node.cpu_milli : trace->most_cpu_milli;
	trace->capacity_milli += devices * DEVICE_MILLI;
	stint_grow(&trace->nodes, &trace->nodes_capacity, trace->nodes_count + 1, sizeof *trace->nodes);
	trace->nodes[trace->nodes_count++] = node;
	return true;
}

static int by_node_name(const void *a, const void *b)
{
	return strcmp(((const struct trace_node *)a)->name, ((const struct trace_node *)b)->name);
}

static bool read_nodes(struct stint_trace *trace, struct stint_slice text, const char *name, struct stint_error **err)
{
	struct csv csv;
	struct node_columns at;
	if (!csv_open(&csv, text, name, err) || !csv_need(&csv, "sn", &at.name, err) || !csv_need(&csv, "cpu_milli", &at.cpu, err) ||
		!csv_need(&csv, "memory_mib", &at.memory, err) || !csv_need(&csv, "gpu", &at.devices, err) ||
		!csv_need(&csv, "model", &at.model, err))
		return false;
	bool failed;
	while (csv_next(&csv, &failed, err)) {
		if (!read_node(trace, &csv, &at, err))
			return false;
	}
	if (failed)
		return false;
	if (!trace->capacity_milli)
		return stint_fail(err, STINT_USAGE, "%s: no node has a GPU", name);
	qsort(trace->nodes, trace->nodes_count, sizeof *trace->nodes, by_node_name);
	return true;
}

/* ---- pods ----------------------------------------------------------------------------------------------------------------------------------- */

struct pod_columns {
	size_t name, cpu, memory, devices, milli, spec, created, deleted, queue; /* from spec on CSV_MAX_COLUMNS: not there */
};

/* "V100M16|V100M32": any of these. Models that no node has satisfy nobody. */
static uint64_t models_of(const struct stint_trace *trace, struct stint_slice spec)
{
	uint64_t models = 0;
	while (spec.length) {
		const char *end = memchr(spec.data, '|', spec.length);
		const size_t length = end ? (size_t)(end - spec.data) : spec.length;
		const uintptr_t known = (uintptr_t)stint_map_get_slice(trace->known_models, (struct stint_slice){spec.data, length});
		if (known)
			models |= UINT64_C(1) << (known - 1);
		spec.data += length + (end ? 1 : 0);
		spec.length -= length + (end ? 1 : 0);
	}
	return models;
}

static bool find_shape(
	struct stint_trace *trace, const struct csv *csv, const struct trace_shape *shape, uint32_t *out, struct stint_error **err)
{
	char key[128];
	snprintf(key, sizeof key, "%lld %lld %u %u %llx %d", (long long)shape->cpu_milli, (long long)shape->memory_mib, shape->milli,
		shape->devices, (unsigned long long)shape->models, shape->constrained);
	const uintptr_t known = (uintptr_t)stint_map_get(trace->known_shapes, key);
	if (known) {
		*out = (uint32_t)known - 1;
		return true;
	}
	if (trace->shapes_count == TRACE_MAX_SHAPES)
		return stint_fail(err, STINT_USAGE, "%s: line %zu is the 4,097th kind of request: at most 4,096 are told apart", csv->name,
			csv->line);
	*out = (uint32_t)trace->shapes_count;
	stint_grow(&trace->shapes, &trace->shapes_capacity, trace->shapes_count + 1, sizeof *trace->shapes);
	trace->shapes[trace->shapes_count++] = *shape;
	stint_map_set(trace->known_shapes, key, (void *)(uintptr_t)(*out + 1));
	return true;
}

static bool read_request(const struct stint_trace *trace, const struct csv *csv, const struct pod_columns *at, struct trace_shape *out,
	struct stint_error **err)
{
	int64_t devices, milli;
	if (!csv_number(csv, at->cpu, 0, TRACE_MAX_AMOUNT, -1, &out->cpu_milli, err) ||
		!csv_number(csv, at->memory, 0, TRACE_MAX_AMOUNT, -1, &out->memory_mib, err) ||
		!csv_number(csv, at->devices, 0, STINT_MAX_DEVICES, -1, &devices, err) ||
		!csv_number(csv, at->milli, 0, DEVICE_MILLI, -1, &milli, err))
		return false;
	if (devices && !milli)
		return csv_fail(csv, at->milli, err, "must be from 1 to 1000 for a pod with GPUs");
	if (!devices && milli)
		return csv_fail(csv, at->milli, err, "must be 0 for a pod without GPUs");
	if (devices > 1 && milli < DEVICE_MILLI)
		return csv_fail(csv, at->milli, err, "must be 1000 for a pod with several GPUs");
	out->devices = (uint32_t)devices;
	out->milli = (uint32_t)milli;
	const struct stint_slice spec = at->spec < CSV_MAX_COLUMNS ? csv->fields[at->spec] : (struct stint_slice){0};
	out->constrained = spec.length > 0;
	out->models = spec.length ? models_of(trace, spec) : UINT64_MAX;
	return true;
}

static bool read_pod(struct stint_trace *trace, const struct csv *csv, const struct pod_columns *at, struct stint_error **err)
{
	struct trace_pod pod = {.created_s = -1, .deleted_s = -1};
	struct trace_shape shape = {0};
	if (trace->pods_count == TRACE_MAX_PODS)
		return csv_fail(csv, at->name, err, "is one pod too many: at most 1,000,000");
	if (!claim_name(trace, csv, at->name, &pod.name, err) || !read_request(trace, csv, at, &shape, err) ||
		!find_shape(trace, csv, &shape, &pod.shape, err))
		return false;
	if (trace->timed &&
		(!csv_number(csv, at->created, 0, TRACE_MAX_AMOUNT, -1, &pod.created_s, err) ||
			!csv_number(csv, at->deleted, 0, TRACE_MAX_AMOUNT, -1, &pod.deleted_s, err)))
		return false;
	if (trace->timed && pod.deleted_s < pod.created_s)
		return csv_fail(csv, at->deleted, err, "is earlier than the pod's creation");
	if (at->queue < CSV_MAX_COLUMNS)
		pod.queue = csv->fields[at->queue].length ? keep(trace, csv->fields[at->queue]) : "none";
	trace->demand_milli += trace_gpu_milli(&shape);
	stint_grow(&trace->pods, &trace->pods_capacity, trace->pods_count + 1, sizeof *trace->pods);
	trace->pods[trace->pods_count++] = pod;
	return true;
}

static int by_pod_name(const void *a, const void *b)
{
	return strcmp(((const struct trace_pod *)a)->name, ((const struct trace_pod *)b)->name);
}

static bool read_pods(struct stint_trace *trace, struct stint_slice text, const char *name, const char *queue_by, struct stint_error **err)
{
	struct csv csv;
	struct pod_columns at;
	if (!csv_open(&csv, text, name, err) || !csv_need(&csv, "name", &at.name, err) || !csv_need(&csv, "cpu_milli", &at.cpu, err) ||
		!csv_need(&csv, "memory_mib", &at.memory, err) || !csv_need(&csv, "num_gpu", &at.devices, err) ||
		!csv_need(&csv, "gpu_milli", &at.milli, err))
		return false;
	at.spec = csv_column(&csv, "gpu_spec");
	at.created = csv_column(&csv, "creation_time");
	at.deleted = csv_column(&csv, "deletion_time");
	at.queue = csv_column(&csv, queue_by ? queue_by : "qos");
	if (queue_by && !csv_need(&csv, queue_by, &at.queue, err))
		return false;
	trace->timed = at.created < CSV_MAX_COLUMNS && at.deleted < CSV_MAX_COLUMNS;
	bool failed;
	while (csv_next(&csv, &failed, err)) {
		if (!read_pod(trace, &csv, &at, err))
			return false;
	}
	if (failed)
		return false;
	if (!trace->pods_count)
		return stint_fail(err, STINT_USAGE, "%s: there is no pod", name);
	qsort(trace->pods, trace->pods_count, sizeof *trace->pods, by_pod_name);
	return true;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------------------------- */

void stint_trace_free(struct stint_trace *trace)
{
	if (!trace)
		return;
	stint_map_free(trace->known_models);
	stint_map_free(trace->known_shapes);
	stint_map_free(trace->names);
	free(trace->nodes);
	free(trace->pods);
	free(trace->shapes);
	free(trace->models);
	stint_arena_free(trace->arena);
	free(trace);
}

struct stint_trace *stint_trace_parse(struct stint_slice pods, const char *pods_name, struct stint_slice nodes, const char *nodes_name,
	const char *queue_by, struct stint_error **err)
{
	struct stint_trace *trace = stint_alloc(sizeof *trace);
	trace->arena = stint_arena_new(0);
	trace->known_models = stint_map_new(NULL);
	trace->known_shapes = stint_map_new(NULL);
	trace->names = stint_map_new(NULL);
	trace->models = stint_alloc(TRACE_MAX_MODELS * sizeof *trace->models);
	bool read = read_nodes(trace, nodes, nodes_name, err);
	stint_map_clear(trace->names);
	read = read && read_pods(trace, pods, pods_name, queue_by, err);
	stint_map_clear(trace->names);
	if (read)
		return trace;
	stint_trace_free(trace);
	return NULL;
}

struct stint_trace *stint_trace_read(const char *pods_path, const char *nodes_path, const char *queue_by, struct stint_error **err)
{
	stint_auto_buf pods = {0}, nodes = {0};
	if (!stint_buf_read_file(&nodes, nodes_path, MOST_BYTES, err) || !stint_buf_read_file(&pods, pods_path, MOST_BYTES, err))
		return NULL;
	return stint_trace_parse((struct stint_slice){pods.data, pods.length}, pods_path, (struct stint_slice){nodes.data, nodes.length},
		nodes_path, queue_by, err);
}
