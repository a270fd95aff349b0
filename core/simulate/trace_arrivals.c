/*
 * trace_arrivals: replays a trace in time through the production engine: a pod comes when the trace says (compressed to the load that is wanted), waits
 * in its queue, runs as long as it existed in the trace, and goes. The clock jumps from event to event.
 *
 * Queues: one for each value of the trace's queue column under one department, with equal quotas that add up to the cluster, equal weights and
 * no limit. Pods are groups of one, of one priority; what runs is left alone. Ties of time: those that go before those that come.
 */
#include <math.h>

#include "trace.h"

enum { MOST_QUEUES = 1000, POINTS = 120, LEAST_RUN_MS = 10000 };

struct life {
	int64_t arrives_ms, run_ms, started_ms; /* started -1: waits */
	uint32_t trace_pod;
};

struct departure {
	int64_t at_ms;
	uint32_t life;
};

struct replay_queue {
	const char *name;
	size_t pods, started;
	double waited_s;
};

struct timeline {
	int64_t from_ms, to_ms, at_ms;
	double allocated[POINTS], waiting[POINTS]; /* milli times ms */
	double allocated_sum;
};

struct arrivals {
	const struct stint_trace *trace;
	struct stint_arena *arena;
	struct stint_engine *engine;
	struct stint_policy policy;
	struct stint_pod *pods; /* by life */
	struct life *lives; /* in order of arrival */
	struct departure *leaving; /* a heap, the earliest first */
	size_t leaving_count, arrived, started;
	struct stint_map *queues; /* struct replay_queue */
	struct replay_queue *queue_list;
	size_t queues_count;
	int64_t used_milli, waiting_milli;
	struct timeline timeline;
};

static struct stint_object object_of(enum stint_kind kind, const char *name)
{
	return (struct stint_object){.kind = kind, .refs = 1, .name = name, .uid = name, .deleted_ms = -1};
}

/* ---- the cluster -------------------------------------------------------------------------------------------------------------------------- */

static void add_nodes(struct arrivals *a)
{
	struct stint_node *nodes = stint_arena_alloc(a->arena, a->trace->nodes_count * sizeof *nodes);
	for (size_t i = 0; i < a->trace->nodes_count; i++) {
		const struct trace_node *from = &a->trace->nodes[i];
		struct stint_pair *label = stint_arena_alloc(a->arena, sizeof *label);
		*label = (struct stint_pair){"model", a->trace->models[from->model]};
		nodes[i] = (struct stint_node){
			.meta = object_of(STINT_KIND_NODE, from->name),
			.allocatable = {.cpu_milli = from->cpu_milli,
				.memory_bytes = from->memory_mib << 20,
				.gpu_milli = (int64_t)from->devices * DEVICE_MILLI,
				.pods = TRACE_PODS_PER_NODE},
			.ready = STINT_TRUE,
			.gpu_count = (int32_t)from->devices,
			.gpu_memory_mib = DEVICE_MILLI, /* so that a share of n milli is n MiB */
		};
		nodes[i].meta.labels = (struct stint_pairs){label, 1};
		stint_engine_node_upsert(a->engine, &nodes[i]);
	}
}

static void add_queue(struct arrivals *a, const char *name, const char *parent, double quota)
{
	struct stint_queue *queue = stint_arena_alloc(a->arena, sizeof *queue);
	const struct stint_queue_resource open = {-1, 1, -1, true, true, true};
	*queue = (struct stint_queue){
		.meta = object_of(STINT_KIND_QUEUE, name), .parent = parent, .priority = 100, .cpu = open, .memory = open};
	queue->gpu = (struct stint_queue_resource){quota, 1, -1, true, true, true};
	stint_engine_queue_upsert(a->engine, queue);
}

/* "queue:" keeps the names of the trace apart from the department's. */
static bool add_queues(struct arrivals *a, struct stint_error **err)
{
	a->queue_list = stint_arena_alloc(a->arena, MOST_QUEUES * sizeof *a->queue_list);
	for (size_t i = 0; i < a->trace->pods_count; i++) {
		const char *name = a->trace->pods[i].queue ? a->trace->pods[i].queue : "all";
		if (stint_map_has(a->queues, name))
			continue;
		if (a->queues_count == MOST_QUEUES)
			return stint_fail(err, STINT_USAGE, "the column for queues has more than %d values", MOST_QUEUES);
		struct replay_queue *queue = &a->queue_list[a->queues_count++];
		stint_autofree char *engine_name = stint_format("queue:%s", name);
		queue->name = stint_arena_strndup(a->arena, engine_name, strlen(engine_name));
		stint_map_set(a->queues, name, queue);
	}
	const double gpus = (double)a->trace->capacity_milli / DEVICE_MILLI;
	add_queue(a, "all", NULL, gpus);
	for (size_t i = 0; i < a->queues_count; i++)
		add_queue(a, a->queue_list[i].name, "all", gpus / (double)a->queues_count);
	return true;
}

/* ---- pods ----------------------------------------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void require_models(struct arrivals *a, const struct trace_shape *shape, struct stint_pod_spec *spec)
{
	struct stint_requirement *requirement = stint_arena_alloc(a->arena, sizeof *requirement);
	struct stint_node_term *term = stint_arena_alloc(a->arena, sizeof *term);
	const char **values = stint_arena_alloc(a->arena, TRACE_MAX_MODELS * sizeof *values);
	*requirement = (struct stint_requirement){.key = "model", .op = STINT_OP_IN, .values = values};
	for (size_t i = 0; i < a->trace->models_count; i++) {
		if (shape->models >> i & 1)
			values[requirement->values_count++] = a->trace->models[i];
	}
	qsort(values, requirement->values_count, sizeof *values, by_text);
	term->labels = (struct stint_requirements){requirement, 1};
	spec->required_terms = term;
	spec->required_count = 1;
	spec->has_required_terms = true;
}

static struct stint_pod_spec *specs_of(struct arrivals *a)
{
	struct stint_pod_spec *specs = stint_arena_alloc(a->arena, (a->trace->shapes_count + 1) * sizeof *specs);
	for (size_t i = 0; i < a->trace->shapes_count; i++) {
		const struct trace_shape *shape = &a->trace->shapes[i];
		specs[i] = (struct stint_pod_spec){.refs = 1, .active_deadline_s = -1, .grace_period_s = -1};
		specs[i].request =
			(struct stint_resources){.cpu_milli = shape->cpu_milli, .memory_bytes = shape->memory_mib << 20, .pods = 1};
		if (shape->milli == DEVICE_MILLI)
			specs[i].gpu = (struct stint_gpu_ask){.kind = STINT_GPU_WHOLE, .devices = shape->devices, .portion = 1};
		else if (shape->milli)
			specs[i].gpu = (struct stint_gpu_ask){
				.kind = STINT_GPU_FRACTION, .devices = 1, .portion = (double)shape->milli / DEVICE_MILLI};
		specs[i].request.gpu_milli = shape->milli == DEVICE_MILLI ? trace_gpu_milli(shape) : 0;
		if (shape->constrained)
			require_models(a, shape, &specs[i]);
	}
	return specs;
}

static int by_arrival(const void *left, const void *right)
{
	const struct life *a = left, *b = right;
	if (a->arrives_ms != b->arrives_ms)
		return a->arrives_ms < b->arrives_ms ? -1 : 1;
	return (a->trace_pod > b->trace_pod) - (a->trace_pod < b->trace_pod); /* those are in the order of names */
}

static void plan_lives(struct arrivals *a, double load)
{
	const size_t count = a->trace->pods_count;
	int64_t first_s = INT64_MAX;
	for (size_t i = 0; i < count; i++)
		first_s = a->trace->pods[i].created_s < first_s ? a->trace->pods[i].created_s : first_s;
	a->lives = stint_arena_alloc(a->arena, count * sizeof *a->lives);
	a->leaving = stint_arena_alloc(a->arena, (count + 1) * sizeof *a->leaving);
	for (size_t i = 0; i < count; i++) {
		const struct trace_pod *pod = &a->trace->pods[i];
		a->lives[i] = (struct life){
			.arrives_ms = llround((double)(pod->created_s - first_s) * 1000 / load),
			.run_ms = (pod->deleted_s - pod->created_s) * 1000,
			.started_ms = -1,
			.trace_pod = (uint32_t)i,
		};
	}
	qsort(a->lives, count, sizeof *a->lives, by_arrival);
	struct stint_pod_spec *specs = specs_of(a);
	a->pods = stint_arena_alloc(a->arena, count * sizeof *a->pods);
	for (size_t i = 0; i < count; i++) {
		const struct trace_pod *pod = &a->trace->pods[a->lives[i].trace_pod];
		a->pods[i] = (struct stint_pod){
			.meta = object_of(STINT_KIND_POD, pod->name), .spec = &specs[pod->shape], .started_ms = -1, .ended_ms = -1};
		a->pods[i].meta.created_ms = a->lives[i].arrives_ms;
	}
	a->timeline.to_ms = a->lives[count - 1].arrives_ms > 0 ? a->lives[count - 1].arrives_ms : 1;
}

static const struct trace_shape *shape_of(const struct arrivals *a, const struct life *life)
{
	return &a->trace->shapes[a->trace->pods[life->trace_pod].shape];
}

static struct replay_queue *queue_of(const struct arrivals *a, const struct life *life)
{
	const char *name = a->trace->pods[life->trace_pod].queue;
	return stint_map_get(a->queues, name ? name : "all");
}

/* ---- time ------------------------------------------------------------------------------------------------------------------------------------ */

/* Adds what holds from the last event to this one, over the points that it spans. */
static void pass_time(struct arrivals *a, int64_t to_ms)
{
	struct timeline *line = &a->timeline;
	const double width = (double)(line->to_ms - line->from_ms) / POINTS;
	double from = (double)line->at_ms;
	const double to = fmin((double)to_ms, (double)line->to_ms);
	while (from < to) {
		const size_t point = (size_t)fmin(POINTS - 1, (from - (double)line->from_ms) / width);
		const double edge = point + 1 < POINTS ? (double)line->from_ms + width * (double)(point + 1) : (double)line->to_ms;
		const double until = fmax(fmin(edge, to), from + 1e-6);
		line->allocated[point] += (until - from) * (double)a->used_milli;
		line->waiting[point] += (until - from) * (double)a->waiting_milli;
		line->allocated_sum += (until - from) * (double)a->used_milli;
		from = until;
	}
	line->at_ms = to_ms > line->at_ms ? to_ms : line->at_ms;
}

static bool earlier(const struct departure *a, const struct departure *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->life < b->life;
}

static void push_departure(struct arrivals *a, struct departure departure)
{
	size_t at = a->leaving_count++;
	for (; at && earlier(&departure, &a->leaving[(at - 1) / 2]); at = (at - 1) / 2)
		a->leaving[at] = a->leaving[(at - 1) / 2];
	a->leaving[at] = departure;
}

static struct departure pop_departure(struct arrivals *a)
{
	const struct departure first = a->leaving[0], last = a->leaving[--a->leaving_count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= a->leaving_count)
			break;
		if (child + 1 < a->leaving_count && earlier(&a->leaving[child + 1], &a->leaving[child]))
			child++;
		if (!earlier(&a->leaving[child], &last))
			break;
		a->leaving[at] = a->leaving[child];
		at = child;
	}
	a->leaving[at] = last;
	return first;
}

static void leave(struct arrivals *a, uint32_t number)
{
	const char *name = a->pods[number].meta.name;
	stint_engine_pod_remove(a->engine, name);
	stint_engine_group_remove(a->engine, stint_engine_group_find(a->engine, name));
	a->used_milli -= trace_gpu_milli(shape_of(a, &a->lives[number]));
}

static void come(struct arrivals *a, uint32_t number)
{
	const struct life *life = &a->lives[number];
	struct replay_queue *queue = queue_of(a, life);
	const struct stint_group_spec group = {
		.key = a->pods[number].meta.name,
		.queue = queue->name,
		.priority = 50,
		.preemptible = true,
		.created_ms = life->arrives_ms,
	};
	const struct stint_pod_facts facts = {
		.pod = &a->pods[number], .group = stint_engine_group_upsert(a->engine, &group), .status = STINT_POD_PENDING};
	stint_engine_pod_upsert(a->engine, &facts);
	queue->pods++;
	a->waiting_milli += trace_gpu_milli(shape_of(a, life));
}

static void decide(struct arrivals *a, int64_t now_ms)
{
	const struct stint_cycle cycle = stint_engine_cycle(a->engine, &a->policy, now_ms);
	for (size_t i = 0; i < cycle.count; i++) {
		if (cycle.decisions[i].kind != STINT_DECIDE_BIND)
			continue;
		struct stint_pod_view view;
		stint_engine_pod_view(a->engine, cycle.decisions[i].pod, &view);
		const uint32_t number = (uint32_t)(view.pod - a->pods);
		struct life *life = &a->lives[number];
		life->started_ms = now_ms;
		a->started++;
		struct replay_queue *queue = queue_of(a, life);
		queue->started++;
		queue->waited_s += (double)(now_ms - life->arrives_ms) / 1000;
		a->waiting_milli -= trace_gpu_milli(shape_of(a, life));
		a->used_milli += trace_gpu_milli(shape_of(a, life));
		push_departure(a, (struct departure){now_ms + life->run_ms, number});
	}
	for (size_t i = 0; i < cycle.count; i++) {
		if (cycle.decisions[i].kind == STINT_DECIDE_BIND)
			stint_engine_pod_confirm(a->engine, cycle.decisions[i].pod);
	}
}

static bool play(struct arrivals *a, const struct stint_trace_arrivals *how, size_t base, size_t total, struct stint_error **err)
{
	const size_t count = a->trace->pods_count;
	while (a->arrived < count || a->leaving_count) {
		int64_t now_ms = INT64_MAX;
		if (a->leaving_count)
			now_ms = a->leaving[0].at_ms;
		if (a->arrived < count && a->lives[a->arrived].arrives_ms < now_ms)
			now_ms = a->lives[a->arrived].arrives_ms;
		pass_time(a, now_ms);
		while (a->leaving_count && a->leaving[0].at_ms == now_ms)
			leave(a, pop_departure(a).life);
		const size_t before = a->arrived;
		while (a->arrived < count && a->lives[a->arrived].arrives_ms == now_ms)
			come(a, (uint32_t)a->arrived++);
		decide(a, now_ms);
		if (how->progress && a->arrived > before && !how->progress(how->user, base + a->arrived, total))
			return stint_fail(err, STINT_INTERRUPTED, "the replay was interrupted");
	}
	return true;
}

/* ---- what came out ------------------------------------------------------------------------------------------------------------------------- */

static double rounded(double value)
{
	return round(value * 1000) / 1000;
}

static int by_value(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* Sorts the values. */
static void describe_values(struct stint_json *entry, const char *key, const char *unit, double *values, size_t count)
{
	struct stint_json *out = stint_json_set(entry, key, stint_json_new_object());
	static const struct {
		const char *name;
		double part;
	} parts[] = {{"p50", 0.5}, {"p99", 0.99}, {"max", 1}};
	double sum = 0;
	qsort(values, count, sizeof *values, by_value);
	for (size_t i = 0; i < count; i++)
		sum += values[i];
	stint_autofree char *mean = stint_format("mean%s", unit);
	stint_json_set_double(out, mean, count ? rounded(sum / (double)count) : 0);
	for (size_t i = 0; i < STINT_COUNT(parts); i++) {
		stint_autofree char *name = stint_format("%s%s", parts[i].name, unit);
		stint_json_set_double(out, name, count ? rounded(values[(size_t)ceil(parts[i].part * (double)count) - 1]) : 0);
	}
}

static void describe_lives(struct stint_json *entry, const struct arrivals *a)
{
	double *waits = stint_alloc((a->started + 1) * sizeof *waits), *slowdowns = stint_alloc((a->started + 1) * sizeof *slowdowns);
	size_t count = 0;
	for (size_t i = 0; i < a->trace->pods_count; i++) {
		const struct life *life = &a->lives[i];
		if (life->started_ms < 0)
			continue;
		const double wait_ms = (double)(life->started_ms - life->arrives_ms);
		const double run_ms = (double)(life->run_ms > LEAST_RUN_MS ? life->run_ms : LEAST_RUN_MS);
		waits[count] = wait_ms / 1000;
		slowdowns[count++] = fmax(1, (wait_ms + (double)life->run_ms) / run_ms);
	}
	describe_values(entry, "wait", "_seconds", waits, count);
	describe_values(entry, "slowdown", "", slowdowns, count);
	free(waits);
	free(slowdowns);
}

static struct stint_json *describe(const struct arrivals *a, const char *policy)
{
	struct stint_json *entry = stint_json_new_object();
	const struct timeline *line = &a->timeline;
	const double whole = (double)a->trace->capacity_milli * (double)line->to_ms / 100, point = whole / POINTS;
	stint_json_set_string(entry, "policy", policy);
	stint_json_set_int(entry, "pods", (int64_t)a->trace->pods_count);
	stint_json_set_int(entry, "never_started", (int64_t)(a->trace->pods_count - a->started));
	describe_lives(entry, a);
	stint_json_set_double(entry, "utilisation_percent", rounded(line->allocated_sum / whole));
	stint_json_set_double(entry, "makespan_hours", rounded((double)line->at_ms / 3600000));
	struct stint_json *queues = stint_json_set(entry, "queues", stint_json_new_array());
	for (size_t i = 0; i < a->queues_count; i++) {
		const struct replay_queue *queue = &a->queue_list[i];
		struct stint_json *item = stint_json_append(queues, stint_json_new_object());
		stint_json_set_string(item, "queue", queue->name + strlen("queue:"));
		stint_json_set_int(item, "pods", (int64_t)queue->pods);
		stint_json_set_double(item, "mean_wait_seconds", queue->started ? rounded(queue->waited_s / (double)queue->started) : 0);
	}
	struct stint_json *timeline = stint_json_set(entry, "timeline", stint_json_new_array());
	for (size_t i = 0; i < POINTS; i++) {
		struct stint_json *item = stint_json_append(timeline, stint_json_new_object());
		stint_json_set_double(item, "hours", rounded((double)line->to_ms * ((double)i + 0.5) / POINTS / 3600000));
		stint_json_set_double(item, "allocated_percent", rounded(line->allocated[i] / point));
		stint_json_set_double(item, "waiting_percent", rounded(line->waiting[i] / point));
	}
	return entry;
}

static struct stint_json *run_policy(const struct stint_trace *trace, const struct stint_trace_arrivals *how,
	enum stint_placement placement, const char *name, size_t base, size_t total, struct stint_error **err)
{
	struct arrivals a = {
		.trace = trace,
		.arena = stint_arena_new(0),
		.engine = stint_engine_new(),
		.policy = stint_policy_of(placement, placement),
		.queues = stint_map_new(NULL),
	};
	struct stint_json *entry = NULL;
	if (add_queues(&a, err)) {
		add_nodes(&a);
		plan_lives(&a, how->load);
		if (play(&a, how, base, total, err))
			entry = describe(&a, name);
	}
	stint_engine_free(a.engine);
	stint_map_free(a.queues);
	stint_arena_free(a.arena);
	return entry;
}

struct stint_json *stint_trace_arrive(const struct stint_trace *trace, const struct stint_trace_arrivals *how, struct stint_error **err)
{
	if (!trace->timed) {
		stint_fail(err, STINT_USAGE, "the list of pods has no columns creation_time and deletion_time: arrivals need both");
		return NULL;
	}
	stint_auto_json *result = stint_json_new_object();
	stint_json_set_int(result, "version", 1);
	stint_json_set_double(result, "load", how->load);
	struct stint_json *list = stint_json_set(result, "policies", stint_json_new_array());
	size_t done = 0, total = 0;
	for (size_t i = 0; i < how->count; i++)
		total += trace->pods_count;
	for (size_t i = 0; i < how->count; i++, done += trace->pods_count) {
		struct stint_json *entry = run_policy(trace, how, how->placements[i], how->names[i], done, total, err);
		if (!entry)
			return NULL;
		stint_json_append(list, entry);
	}
	return stint_steal(&result);
}
