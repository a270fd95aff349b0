/* A set that was changed step by step says what one says that is made of the same objects anew; until it is asked, it says what it said. */
#include "tests/unit/test.h"

#include <stint/workload.h>

enum { OWNERS = 8, PODS = 24, NODES = 5, GROUPS = 2, THINGS = OWNERS + PODS + NODES + GROUPS, WORLDS = 60, STEPS = 60, NOW_MS = 1000000 };

struct thing {
	struct stint_object *object; /* NULL: it is not there */
	int generation; /* each has a uid of its own */
};
struct scene {
	uint64_t random;
	struct stint_model *model;
	struct stint_workload_set *set;
	struct thing things[THINGS];
};

static const char *const schedulers[] = {"s", "t", NULL};

static int draw(struct scene *scene, int bound)
{
	scene->random ^= scene->random << 13;
	scene->random ^= scene->random >> 7;
	scene->random ^= scene->random << 17;
	return (int)(scene->random >> 11 & INT32_MAX) % bound;
}

/* ---- objects ----------------------------------------------------------------------------------------------------------------------- */

/* What an owner is follows from which one it is, so that those who name it agree. */
static const char *kind_of(int owner, int generation)
{
	static const char *const kinds[] = {"Job", "ReplicaSet", "Deployment", "StatefulSet", "RayCluster"};
	return kinds[(owner + 3 * (generation + 1)) % 5]; /* -1: of one that never was */
}

/* Some name an owner that is not there, never was, or is no more; owners may stand in a circle. */
static void add_reference(struct scene *scene, struct stint_buf *text)
{
	const int owner = draw(scene, OWNERS + 3);
	if (owner == OWNERS)
		stint_buf_puts(text,
			",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"n0\",\"uid\":\"n0-1\",\"controller\":"
			"true}]");
	if (owner >= OWNERS)
		return;
	const int generation = scene->things[owner].generation - (draw(scene, 6) == 0) + (draw(scene, 9) == 0);
	stint_buf_printf(text,
		",\"ownerReferences\":[{\"apiVersion\":\"apps/"
		"v1\",\"kind\":\"%s\",\"name\":\"o%d\",\"uid\":\"o%d-%d\",\"controller\":true}]",
		kind_of(owner, generation), owner, owner, generation);
}

static struct stint_object *decode(struct scene *scene, enum stint_kind kind, const char *kind_name, const char *text)
{
	struct stint_error *err = NULL;
	struct stint_object *object =
		stint_object_decode(scene->model, &(struct stint_decode_as){kind, "apps/v1", kind_name}, text, strlen(text), &err);
	if (!object)
		fail_msg("%s: %s", err->message, text);
	return object;
}

static struct stint_object *make_owner(struct scene *scene, int at, int generation)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text, "{\"metadata\":{\"name\":\"o%d\",\"namespace\":\"p\",\"uid\":\"o%d-%d\"", at, at, generation);
	if (draw(scene, 2))
		add_reference(scene, &text);
	stint_buf_printf(
		&text, "},\"spec\":{\"replicas\":%d,\"parallelism\":2,\"suspend\":%s", draw(scene, 3), draw(scene, 5) ? "false" : "true");
	if (draw(scene, 5))
		stint_buf_printf(&text,
			",\"template\":{\"metadata\":{\"annotations\":{\"%s\"}},\"spec\":{\"schedulerName\":\"%s\",\"containers\":[{"
			"\"name\":\"c\"}]}}",
			draw(scene, 2) ? "gpu-fraction\":\"0.5" : "gpu-memory\":\"2000", draw(scene, 4) ? "s" : "else");
	stint_buf_printf(&text, "},\"status\":{\"succeeded\":%d}}", draw(scene, 2));
	return decode(scene, STINT_KIND_OWNER, kind_of(at, generation), text.data);
}

static struct stint_object *make_pod(struct scene *scene, int at, int generation)
{
	static const char *const asks[] = {"a\":\"b", "gpu-fraction\":\"0.3", "gpu-fraction\":\"0.7", "gpu-memory\":\"1000",
		"pod-group-name\":\"g0", "pod-group-name\":\"g1"};
	static const char *const phases[] = {"Pending", "Pending", "Running", "Running", "Running", "Succeeded", "Failed"};
	static const char *const words[] = {"NoRoom: none", "NeverFits: never", "OverLimit: over", "0/3 nodes"};
	stint_auto_buf text = {0};
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"pod-%d\",\"namespace\":\"%s\",\"uid\":\"pod-%d-%d\",\"creationTimestamp\":\"2026-11-24T0%d:00:"
		"00Z\"",
		at, "p", at, generation, draw(scene, 9));
	if (draw(scene, 5))
		add_reference(scene, &text);
	stint_buf_printf(&text, ",\"annotations\":{\"%s\",\"stint.dev/gpu-devices\":\"%d\"}", asks[draw(scene, 6)], draw(scene, 5));
	stint_buf_printf(&text,
		"},\"spec\":{\"schedulerName\":\"%s\",\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"%dm\"}}}]",
		draw(scene, 6) ? "s" : "else", 100 * draw(scene, 3));
	if (draw(scene, 3))
		stint_buf_printf(&text, ",\"nodeName\":\"n%d\"", draw(scene, NODES));
	stint_buf_printf(&text,
		"},\"status\":{\"phase\":\"%s\",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":"
		"\"Unschedulable\",\"message\":\"%s\"}]}}",
		phases[draw(scene, 7)], words[draw(scene, 4)]);
	return decode(scene, STINT_KIND_POD, "Pod", text.data);
}

static struct stint_object *make_node(struct scene *scene, int at, int generation)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"n%d\",\"uid\":\"n%d-%d\",\"labels\":{\"nvidia.com/gpu.count\":\"%d\",\"nvidia.com/"
		"gpu.memory\":\"%d\"},"
		"\"annotations\":{\"stint.dev/"
		"gpu-use\":\"[{\\\"slot\\\":1,\\\"util_percent\\\":%d,\\\"time\\\":\\\"1970-01-01T00:16:3%dZ\\\"}]\"}}}",
		at, at, generation, draw(scene, 6), 4000 * (1 + draw(scene, 2)), draw(scene, 100), draw(scene, 10));
	return decode(scene, STINT_KIND_NODE, "Node", text.data);
}

static struct stint_object *make_group(struct scene *scene, int at, int generation)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text, "{\"metadata\":{\"name\":\"g%d\",\"namespace\":\"p\",\"uid\":\"g%d-%d\"", at, at, generation);
	if (draw(scene, 2))
		stint_buf_printf(&text, ",\"labels\":{\"kai.scheduler/queue\":\"label-%d\"}", draw(scene, 2));
	stint_buf_puts(&text, "},\"spec\":{\"minMember\":1");
	if (draw(scene, 2))
		stint_buf_printf(&text, ",\"queue\":\"queue-%d\"", draw(scene, 2));
	stint_buf_puts(&text, "}}");
	return decode(scene, STINT_KIND_POD_GROUP, "PodGroup", text.data);
}

/* ---- what is said ------------------------------------------------------------------------------------------------------------------ */

static void spell_workload(struct stint_buf *text, const struct stint_workload *w)
{
	stint_buf_printf(text,
		"%s/%s %s %s %s %s %s(%s: %s)%d %s/%s %g%d/%g%d %lld/%lld %d %d %d+%d+%d+%d/%d %lld %lld %lld %d:", w->project, w->name,
		w->api_version, w->kind, w->uid, stint_workload_type_name(w->type), stint_workload_phase_name(w->phase),
		w->reason ? w->reason : "", w->message ? w->message : "", w->never, w->queue ? w->queue : "",
		w->priority_class ? w->priority_class : "", w->gpus_requested, w->gpus_requested_unknown, w->gpus_allocated,
		w->gpus_allocated_unknown, (long long)w->gpu_memory_requested_mib, (long long)w->gpu_memory_allocated_mib, w->gpu.kind,
		(int)w->pods_wanted, (int)w->pods_running, (int)w->pods_waiting, (int)w->pods_succeeded, (int)w->pods_failed,
		(int)w->pods_total, (long long)w->created_ms, (long long)w->started_ms, (long long)w->ended_ms,
		w->owner ? w->owner->replicas : -2);
	stint_buf_printf(text, " %lld %.17g %lld %.17g", (long long)w->placed.cpu_milli, w->placed.gpus, (long long)w->unplaced.cpu_milli,
		w->unplaced.gpus);
	for (size_t at = 0; at < w->pods_count; at++)
		stint_buf_printf(text, " %s", w->pods[at]->meta.uid);
	stint_buf_putc(text, '\n');
}

static void spell_node(struct stint_buf *text, const struct stint_node_use *use)
{
	stint_buf_printf(text, "%s %s %.17g %lld %lld %u %.17g:", use->node->meta.name, use->node->meta.uid, use->gpus_allocated,
		(long long)use->cpu_milli, (long long)use->memory_bytes, use->pods, use->util_percent);
	stint_buf_printf(text, " %lld %.17g", (long long)use->foreign.cpu_milli, use->foreign.gpus);
	for (size_t slot = 0; slot < use->devices_count; slot++) {
		const struct stint_device_use *device = &use->devices[slot];
		stint_buf_printf(text, " [%.17g %g", device->allocated, device->util_percent);
		for (size_t at = 0; at < device->users_count; at++)
			stint_buf_printf(text, " %s of %s %.17g", device->users[at].pod->meta.uid,
				device->users[at].workload ? device->users[at].workload->uid : "none", device->users[at].share);
		stint_buf_putc(text, ']');
	}
	stint_buf_putc(text, '\n');
}

static char *spell_lists(const struct stint_workload *const *workloads, size_t workloads_count, const struct stint_node_use *const *nodes,
	size_t nodes_count)
{
	stint_auto_buf text = {0};
	stint_buf_puts(&text, "");
	for (size_t at = 0; at < workloads_count; at++)
		spell_workload(&text, workloads[at]);
	for (size_t at = 0; at < nodes_count; at++)
		spell_node(&text, nodes[at]);
	return stint_buf_steal(&text);
}

static char *spell(struct stint_workload_set *set)
{
	size_t workloads_count, nodes_count;
	const struct stint_workload *const *workloads = stint_workload_set_list(set, &workloads_count);
	const struct stint_node_use *const *nodes = stint_workload_set_nodes(set, NOW_MS, &nodes_count);
	return spell_lists(workloads, workloads_count, nodes, nodes_count);
}

/* The same objects in another order in a set of their own. */
static char *spell_anew(struct scene *scene)
{
	struct stint_workload_set *set = stint_workload_set_new(schedulers);
	const int first = draw(scene, THINGS);
	for (int at = 0; at < THINGS; at++) {
		struct stint_object *object = scene->things[(first + 7 * at) % THINGS].object;
		if (object)
			stint_workload_set_put(set, object);
	}
	char *text = spell(set);
	stint_workload_set_free(set);
	return text;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------------- */

static void take_away(struct scene *scene, struct thing *thing)
{
	if (!thing->object)
		return;
	stint_workload_set_remove(scene->set, thing->object->uid);
	stint_object_unref(stint_steal(&thing->object));
}

static void change(struct scene *scene)
{
	const int at = draw(scene, 3) ? OWNERS + draw(scene, PODS + NODES + GROUPS) : draw(scene, OWNERS);
	struct thing *thing = &scene->things[at];
	const int what = draw(scene, 6);
	if (what <= 1)
		take_away(scene, thing);
	if (what == 0)
		return;
	if (!thing->object)
		thing->generation++; /* made again under its name */
	struct stint_object *object = at < OWNERS ? make_owner(scene, at, thing->generation)
		: at < OWNERS + PODS		  ? make_pod(scene, at, thing->generation)
		: at < OWNERS + PODS + NODES	  ? make_node(scene, at - OWNERS - PODS, thing->generation)
						  : make_group(scene, at - OWNERS - PODS - NODES, thing->generation);
	stint_object_unref(thing->object);
	thing->object = object;
	stint_workload_set_put(scene->set, object);
}

static void run_world(uint64_t seed)
{
	struct scene scene = {
		.random = seed * 0x9e3779b97f4a7c15u + 1, .model = stint_model_new(), .set = stint_workload_set_new(schedulers)};
	for (int step = 0; step < STEPS; step++) {
		size_t workloads_count, nodes_count;
		const struct stint_workload *const *workloads = stint_workload_set_list(scene.set, &workloads_count);
		const struct stint_node_use *const *nodes = stint_workload_set_nodes(scene.set, NOW_MS, &nodes_count);
		stint_autofree char *before = spell_lists(workloads, workloads_count, nodes, nodes_count);
		for (int changes = step ? draw(&scene, 8) : 40; changes > 0; changes--)
			change(&scene);
		stint_autofree char *still = spell_lists(workloads, workloads_count, nodes, nodes_count);
		stint_autofree char *now = spell(scene.set), *anew = spell_anew(&scene);
		if (strcmp(before, still) != 0)
			fail_msg("world %d, step %d: changes showed before anybody asked", (int)seed, step);
		if (strcmp(now, anew) != 0)
			fail_msg("world %d, step %d:\n%swhere one made anew says\n%s", (int)seed, step, now, anew);
	}
	for (int at = 0; at < THINGS; at++)
		take_away(&scene, &scene.things[at]);
	stint_autofree char *left = spell(scene.set);
	assert_string_equal(left, "");
	stint_workload_set_free(scene.set);
	stint_model_free(scene.model);
}

static void a_set_that_was_changed_says_what_one_made_anew_says(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++)
		run_world(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_that_was_changed_says_what_one_made_anew_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
