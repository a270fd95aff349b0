/* The line begins with what the engine tries first, in random clusters: all resources, past use, departments, gangs. */
#include "tests/unit/test.h"

#include <stint/engine.h>

#include "tests/unit/tui/scene.h"

enum { WORLDS = 400, NODES = 8, ROOTS = 2, LEAVES = 5, JOBS = 14 };

static uint64_t random_state;

static int draw(int bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int)(random_state >> 20 & INT32_MAX) % bound;
}

static void put(struct scene *scene, struct scene_array *array, enum stint_kind kind, const char *kind_name, const struct stint_buf *text)
{
	scene_add(scene, array, kind, "batch/v1", kind_name, text->data);
}

static void make_node(struct scene *scene, int at)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"n%d\",\"uid\":\"n%d\",\"labels\":{\"nvidia.com/gpu.count\":\"8\",\"nvidia.com/"
		"gpu.memory\":\"80000\"}},"
		"\"spec\":{\"unschedulable\":%s},\"status\":{\"allocatable\":{\"cpu\":\"96\",\"memory\":\"512Gi\",\"pods\":\"110\","
		"\"nvidia.com/gpu\":\"8\"},"
		"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		at, at, at == 0 && draw(2) ? "true" : "false");
	put(scene, &scene->nodes, STINT_KIND_NODE, "Node", &text);
}

static void make_queue(struct scene *scene, const char *name, const char *parent)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"%s\",\"uid\":\"%s\",\"creationTimestamp\":\"2026-11-2%dT00:00:00Z\"},\"spec\":{\"priority\":%d",
		name, name, draw(3), 100 + 100 * (draw(6) == 0));
	if (parent)
		stint_buf_printf(&text, ",\"parentQueue\":\"%s\"", parent);
	stint_buf_printf(&text,
		",\"resources\":{\"gpu\":{\"quota\":%d,\"limit\":-1,\"overQuotaWeight\":%d},\"cpu\":{\"quota\":%d,\"limit\":-1,"
		"\"overQuotaWeight\":%d},"
		"\"memory\":{\"quota\":-1,\"limit\":-1,\"overQuotaWeight\":1}}}}",
		draw(4) ? draw(20) : -1, draw(3), draw(3) ? -1 : 1000 * draw(40), 1 + draw(2));
	put(scene, &scene->queues, STINT_KIND_QUEUE, "Queue", &text);
}

/* Half of the jobs run, each pod on a node of its own where there is room for it. */
static void make_job(struct scene *scene, int at, int *devices)
{
	static const char *const shares[] = {"1", "2", "0.5"};
	stint_auto_buf text = {0};
	const char *gpus = shares[draw(3)];
	const int leaf = draw(LEAVES), pods = 1 + draw(3), gang = draw(2) ? pods : 1, cpu = 1 + draw(8), hour = draw(9);
	const bool runs = draw(2);
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"job-%d\",\"namespace\":\"q%d\",\"uid\":\"job-%d\",\"creationTimestamp\":\"2026-11-24T0%d:00:"
		"00Z\","
		"\"annotations\":{\"kai.scheduler/"
		"batch-min-member\":\"%d\"}},\"spec\":{\"parallelism\":%d,\"template\":{\"spec\":{\"schedulerName\":\"stint-"
		"scheduler\",\"containers\":[{\"name\":\"c\"}]}}}}",
		at, leaf, at, hour, gang, pods);
	put(scene, &scene->owners, STINT_KIND_OWNER, "Job", &text);
	for (int pod = 0; pod < pods; pod++) {
		const int node = (at + pod) % NODES, whole = *gpus == '2' ? 2 : 1;
		stint_buf_reset(&text);
		stint_buf_printf(&text,
			"{\"metadata\":{\"name\":\"job-%d-%d\",\"namespace\":\"q%d\",\"uid\":\"job-%d-%d\",\"creationTimestamp\":\"2026-11-"
			"24T0%d:00:00Z\","
			"\"annotations\":{\"x\":\"y\"",
			at, pod, leaf, at, pod, hour);
		if (*gpus == '0')
			stint_buf_printf(&text, ",\"gpu-fraction\":\"%s\"", gpus);
		if (runs && *gpus == '2')
			stint_buf_printf(&text, ",\"stint.dev/gpu-devices\":\"%d,%d\"", devices[node], devices[node] + 1);
		else if (runs)
			stint_buf_printf(&text, ",\"stint.dev/gpu-devices\":\"%d\"", devices[node]);
		stint_buf_printf(&text,
			"},\"ownerReferences\":[{\"apiVersion\":\"batch/"
			"v1\",\"kind\":\"Job\",\"name\":\"job-%d\",\"uid\":\"job-%d\",\"controller\":true}]},"
			"\"spec\":{\"schedulerName\":\"stint-scheduler\",\"priority\":%d,",
			at, at, 50);
		if (runs)
			stint_buf_printf(&text, "\"nodeName\":\"n%d\",", node);
		stint_buf_printf(
			&text, "\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"%d\",\"memory\":\"4Gi\"", cpu);
		if (*gpus != '0')
			stint_buf_printf(&text, ",\"nvidia.com/gpu\":\"%s\"", gpus);
		stint_buf_printf(&text, "}}}]},\"status\":{\"phase\":\"%s\"}}", runs ? "Running" : "Pending");
		put(scene, &scene->pods, STINT_KIND_POD, "Pod", &text);
		devices[node] += runs ? whole : 0;
	}
}

static char *usage_text(void)
{
	stint_auto_buf text = {0};
	stint_buf_puts(&text, "{\"version\":1,\"at\":1,\"cluster\":{\"cpu\":1000,\"memory\":1000,\"gpu\":1000},\"queues\":{");
	for (int at = 0; at < LEAVES; at++)
		stint_buf_printf(
			&text, "%s\"q%d\":{\"cpu\":%d,\"memory\":0,\"gpu\":%d,\"busy\":1}", at ? "," : "", at, draw(500), draw(900));
	stint_buf_puts(&text, "}}");
	return stint_buf_steal(&text);
}

/* ---- the engine, told of the same ------------------------------------------------------------------------------------------------------ */

static uint32_t group_of(struct stint_engine *engine, const struct scene *scene, const struct stint_pod *pod)
{
	const struct stint_owner *owner = NULL;
	for (size_t at = 0; at < scene->owners.count; at++) {
		if (strcmp(scene->owners.items[at]->uid, pod->meta.owner.uid) == 0)
			owner = stint_owner_of(scene->owners.items[at]);
	}
	int64_t minimum = 1;
	stint_parse_int(stint_object_annotation(&owner->meta, "kai.scheduler/batch-min-member"), 0, 100, &minimum);
	stint_autofree char *key = stint_format("%s/Job/%s/%s", owner->meta.space, owner->meta.name, owner->meta.uid);
	return stint_engine_group_upsert(engine,
		&(struct stint_group_spec){.key = key,
			.queue = owner->meta.space,
			.priority = pod->spec->priority,
			.preemptible = true,
			.created_ms = owner->meta.created_ms,
			.min_member = (uint32_t)minimum});
}

/* The key of what is placed first; NULL: nothing is. */
static char *first_of_engine(const struct scene *scene, const struct tui_usage *usage)
{
	struct stint_engine *engine = stint_engine_new();
	char *first = NULL;
	for (size_t at = 0; at < scene->nodes.count; at++)
		stint_engine_node_upsert(engine, stint_node_of(scene->nodes.items[at]));
	for (size_t at = 0; at < scene->queues.count; at++) {
		struct stint_queue *queue = (struct stint_queue *)scene->queues.items[at];
		const uint32_t handle = stint_engine_queue_upsert(engine, queue);
		double parts[STINT_DIMENSIONS];
		for (int d = 0; d < STINT_DIMENSIONS; d++)
			parts[d] = tui_usage_of(usage, queue->meta.name, (enum stint_dimension)d);
		stint_engine_queue_usage(engine, handle, parts);
	}
	for (size_t at = 0; at < scene->pods.count; at++) {
		struct stint_pod *pod = stint_pod_of(scene->pods.items[at]);
		stint_engine_pod_upsert(engine,
			&(struct stint_pod_facts){.pod = pod,
				.group = group_of(engine, scene, pod),
				.status = stint_engine_pod_status_of(pod, SCENE_NOW_MS, 120000),
				.devices = stint_engine_pod_devices_of(pod)});
	}
	const struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	const struct stint_cycle cycle = stint_engine_cycle(engine, &policy, SCENE_NOW_MS);
	for (size_t at = 0; at < cycle.count && !first; at++) {
		struct stint_group_view view;
		if (cycle.decisions[at].kind == STINT_DECIDE_BIND && stint_engine_group_view(engine, cycle.decisions[at].group, &view))
			first = stint_strdup(view.key);
	}
	stint_engine_free(engine);
	return first;
}

/* ---- the promise ----------------------------------------------------------------------------------------------------------------------- */

static void compare(int world_number, int *compared)
{
	struct scene scene;
	int devices[NODES] = {0};
	scene_open(&scene);
	for (int at = 0; at < NODES; at++)
		make_node(&scene, at);
	make_queue(&scene, "d0", NULL);
	make_queue(&scene, "d1", NULL);
	for (int at = 0; at < LEAVES; at++) {
		stint_autofree char *name = stint_format("q%d", at);
		make_queue(&scene, name, at % 2 ? "d1" : "d0");
	}
	for (int at = 0; at < JOBS; at++)
		make_job(&scene, at, devices);
	stint_autofree char *text = usage_text();
	scene.usage = draw(2) ? tui_usage_parse(text) : NULL;
	const struct tui_world *world = scene_world(&scene);
	stint_autofree char *first = first_of_engine(&scene, scene.usage);
	bool overfull = false; /* such a node is none that the engine reckons with */
	for (int at = 0; at < NODES; at++)
		overfull |= devices[at] > 8;
	if (first && world->waiting_count && !overfull) {
		const struct stint_workload *workload = world->waiting[0].workload;
		stint_autofree char *ours = stint_format("%s/Job/%s/%s", workload->project, workload->name, workload->uid);
		(*compared)++;
		if (strcmp(ours, first) != 0)
			fail_msg("world %d: the line begins with %s, and the engine with %s", world_number, ours, first);
	}
	scene_close(&scene);
}

static void test_the_line_begins_with_what_the_engine_tries_first(void **state)
{
	(void)state;
	int compared = 0;
	for (int world = 1; world <= WORLDS; world++) {
		random_state = (uint64_t)world * 0x9e3779b97f4a7c15u;
		compare(world, &compared);
	}
	assert_true(compared > WORLDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_line_begins_with_what_the_engine_tries_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
