/*
 * The line begins with what the engine tries first, in random clusters: all resources, past use with a factor, departments, gangs, PodGroups with
 * and without sub-groups and queues of their own, lists of node pools.
 */
#include "tests/unit/test.h"

#include <stint/mirror.h>

#include "tests/unit/tui/scene.h"

enum { WORLDS = 600, NODES = 16, ROOTS = 2, LEAVES = 4, JOBS = 18 };

static uint64_t random_state;
static const char *const shares[] = {"1", "2", "0.5"};
static const char *const pools[] = {"even", "odd", "even,odd", "odd,even"};

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
		"{\"metadata\":{\"name\":\"n%d\",\"uid\":\"n%d\",\"labels\":{\"stint.dev/virtual\":\"true\",\"nvidia.com/"
		"gpu.count\":\"8\",\"nvidia.com/"
		"gpu.memory\":\"80000\",\"kai.scheduler/node-pool\":\"%s\"}},"
		"\"spec\":{\"unschedulable\":%s},\"status\":{\"allocatable\":{\"cpu\":\"96\",\"memory\":\"512Gi\",\"pods\":\"110\","
		"\"nvidia.com/gpu\":\"8\"},"
		"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		at, at, pools[at % 2], at == 0 && draw(2) ? "true" : "false");
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

/* How the pods of a workload hang together. */
enum form { JOB, RULED_JOB, BARE_GROUP, FORMS };

struct made {
	int at, leaf, pods, least, hour, cpu, ended, runs; /* as many of the pods have ended well, and as many do behind these */
	enum form form;
	bool parts;
	const char *gpus, *pools;
};

static void make_job(struct scene *scene, const struct made *made)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"job-%d\",\"namespace\":\"q%d\",\"uid\":\"job-%d\",\"creationTimestamp\":\"2026-11-24T0%d:00:"
		"00Z\","
		"\"annotations\":{\"kai.scheduler/batch-min-member\":\"%d\",\"kai.scheduler/"
		"node-pools\":\"%s\"}},\"spec\":{\"parallelism\":%d,"
		"\"template\":{\"spec\":{\"schedulerName\":\"stint-scheduler\",\"containers\":[{\"name\":\"c\"}]}}}}",
		made->at, made->leaf, made->at, made->hour, made->least, made->pools, made->pods);
	put(scene, &scene->owners, STINT_KIND_OWNER, "Job", &text);
}

/* Sometimes in two halves, sometimes charged to another queue than that of its project. */
static void make_group(struct scene *scene, const struct made *made)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"group-%d\",\"namespace\":\"q%d\",\"uid\":\"group-%d\",\"creationTimestamp\":\"2026-11-24T0%d:30:"
		"00Z\"},"
		"\"spec\":{\"minMember\":%d",
		made->at, made->leaf, made->at, made->hour, made->least);
	if (draw(2))
		stint_buf_printf(&text, ",\"queue\":\"q%d\"", draw(LEAVES));
	if (made->parts && draw(2))
		stint_buf_puts(&text, ",\"minSubGroup\":1");
	if (made->parts)
		stint_buf_printf(
			&text, ",\"subGroups\":[{\"name\":\"b\",\"minMember\":%d},{\"name\":\"a\",\"minMember\":%d}]", draw(3), draw(3));
	stint_buf_puts(&text, "}}");
	put(scene, &scene->groups, STINT_KIND_POD_GROUP, "PodGroup", &text);
}

static void add_annotations(struct stint_buf *text, const struct made *made, const char *devices)
{
	stint_buf_puts(text, "\"annotations\":{\"x\":\"y\"");
	if (made->form != JOB)
		stint_buf_printf(text, ",\"pod-group-name\":\"group-%d\",\"kai.scheduler/node-pools\":\"%s\"", made->at, made->pools);
	if (*made->gpus == '0')
		stint_buf_printf(text, ",\"gpu-fraction\":\"%s\"", made->gpus);
	if (devices)
		stint_buf_printf(text, ",\"stint.dev/gpu-devices\":\"%s\"", devices);
	stint_buf_puts(text, "}");
}

/* Each pod that runs is on a node of its own where there is room for it. */
static void make_pod(struct scene *scene, const struct made *made, int pod, int *devices)
{
	const int node = (made->at + pod) % NODES;
	const bool ended = pod < made->ended, runs = !ended && pod < made->ended + made->runs, two = *made->gpus == '2';
	stint_auto_buf text = {0};
	stint_autofree char *slots = !runs ? NULL
		: two			   ? stint_format("%d,%d", devices[node], devices[node] + 1)
					   : stint_format("%d", devices[node]);
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"job-%d-%d\",\"namespace\":\"q%d\",\"uid\":\"job-%d-%d\",\"creationTimestamp\":\"2026-11-24T0%d:"
		"00:00Z\","
		"\"labels\":{\"kai.scheduler/subgroup-name\":\"%c\",\"kai.scheduler/task-priority\":\"%d\"},",
		made->at, pod, made->leaf, made->at, pod, made->hour, 'a' + pod % 2, draw(5));
	add_annotations(&text, made, slots);
	if (made->form != BARE_GROUP)
		stint_buf_printf(&text,
			",\"ownerReferences\":[{\"apiVersion\":\"batch/"
			"v1\",\"kind\":\"Job\",\"name\":\"job-%d\",\"uid\":\"job-%d\",\"controller\":true}]",
			made->at, made->at);
	stint_buf_puts(&text, "},\"spec\":{\"schedulerName\":\"stint-scheduler\",\"priority\":50,");
	if (runs)
		stint_buf_printf(&text, "\"nodeName\":\"n%d\",", node);
	/* The first pod asks for more than the others: which of them comes first makes a difference. */
	stint_buf_printf(&text, "\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"%d\",\"memory\":\"4Gi\"",
		made->cpu + (pod == 0 ? 4 : 0));
	if (*made->gpus != '0')
		stint_buf_printf(&text, ",\"nvidia.com/gpu\":\"%s\"", made->gpus);
	stint_buf_printf(&text, "}}}]},\"status\":{\"phase\":\"%s\"}}", ended ? "Succeeded" : runs ? "Running" : "Pending");
	put(scene, &scene->pods, STINT_KIND_POD, "Pod", &text);
	devices[node] += runs ? 1 + two : 0;
}

static void make_workload(struct scene *scene, int at, int *devices)
{
	struct made made = {.at = at, .leaf = draw(LEAVES), .pods = 1 + draw(4), .hour = draw(9), .cpu = 1 + draw(8)};
	made.form = (enum form)draw(FORMS);
	made.least = draw(2) ? 1 : 1 + draw(made.pods + (draw(8) == 0));
	made.runs = draw(2) ? 0 : draw(made.pods + 1);
	made.ended = draw(3) ? 0 : draw(made.pods);
	made.parts = made.form != JOB && draw(3) == 0;
	made.gpus = shares[draw(3)];
	made.pools = draw(2) ? "" : pools[draw(4)];
	if (made.form != BARE_GROUP)
		make_job(scene, &made);
	if (made.form != JOB)
		make_group(scene, &made);
	for (int pod = 0; pod < made.pods; pod++)
		make_pod(scene, &made, pod, devices);
}

/* A gang that lacks most of its pods asks for more than there is, so that fair shares are scarce, and takes nothing. */
static void make_hunger(struct scene *scene, int leaf)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text,
		"{\"metadata\":{\"name\":\"hunger\",\"namespace\":\"q%d\",\"uid\":\"hunger-%d\",\"creationTimestamp\":\"2026-11-23T00:00:"
		"00Z\"},"
		"\"spec\":{\"minMember\":1000}}",
		leaf, leaf);
	put(scene, &scene->groups, STINT_KIND_POD_GROUP, "PodGroup", &text);
	for (int pod = 4 + draw(12); pod > 0; pod--) {
		stint_buf_reset(&text);
		stint_buf_printf(&text,
			"{\"metadata\":{\"name\":\"hunger-%d\",\"namespace\":\"q%d\",\"uid\":\"hunger-%d-%d\",\"creationTimestamp\":\"2026-"
			"11-23T00:00:00Z\","
			"\"annotations\":{\"pod-group-name\":\"hunger\"}},\"spec\":{\"schedulerName\":\"stint-scheduler\",\"priority\":50,"
			"\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"30\",\"memory\":\"40Gi\",\"nvidia.com/"
			"gpu\":\"4\"}}}]},"
			"\"status\":{\"phase\":\"Pending\"}}",
			pod, leaf, leaf, pod);
		put(scene, &scene->pods, STINT_KIND_POD, "Pod", &text);
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

/* ---- the scheduler, told of the same --------------------------------------------------------------------------------------------------- */

static void unheard(void *user)
{
	(void)user;
}

static void put_all(struct stint_mirror *mirror, const struct scene_array *array)
{
	for (size_t at = 0; at < array->count; at++)
		stint_mirror_put(mirror, array->items[at]);
}

/* In the whole cluster, namespaces are what their names say. */
static void put_namespaces(struct scene *scene, struct stint_mirror *mirror)
{
	for (int at = 0; at < LEAVES; at++) {
		struct scene_array spaces = {0};
		stint_autofree char *text = stint_format(
			"{\"metadata\":{\"name\":\"q%d\",\"uid\":\"s%d\",\"labels\":{\"stint.dev/project\":\"q%d\"}}}", at, at, at);
		stint_mirror_put(mirror, scene_add(scene, &spaces, STINT_KIND_NAMESPACE, "v1", "Namespace", text));
		scene_empty(&spaces);
	}
}

static void tell_use(struct stint_engine *engine, const struct scene *scene)
{
	for (size_t at = 0; at < scene->queues.count; at++) {
		const char *name = scene->queues.items[at]->name;
		double parts[STINT_DIMENSIONS];
		for (int d = 0; d < STINT_DIMENSIONS; d++)
			parts[d] = tui_usage_of(scene->usage, name, (enum stint_dimension)d);
		stint_engine_queue_usage(engine, stint_engine_queue_find(engine, name), parts);
	}
}

/* The key of what is placed first; NULL: nothing is. */
static char *first_of_engine(struct scene *scene)
{
	static char name[] = "stint-scheduler";
	char *const names[] = {name, NULL};
	struct stint_engine *engine = stint_engine_new();
	struct stint_mirror *mirror = stint_mirror_new(engine, names, &(struct stint_mirror_hooks){.changed = unheard});
	put_namespaces(scene, mirror);
	put_all(mirror, &scene->queues);
	put_all(mirror, &scene->nodes);
	put_all(mirror, &scene->groups);
	put_all(mirror, &scene->owners);
	put_all(mirror, &scene->pods);
	for (size_t at = 0; at < STINT_OWNER_KINDS; at++)
		stint_mirror_see_owners(mirror, stint_owner_kinds[at].api_version, stint_owner_kinds[at].kind, true);
	stint_mirror_settle(mirror, SCENE_NOW_MS);
	tell_use(engine, scene);
	struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	policy.usage_factor = scene->usage_factor;
	const struct stint_cycle cycle = stint_engine_cycle(engine, &policy, SCENE_NOW_MS);
	char *first = NULL;
	for (size_t at = 0; at < cycle.count && !first; at++) {
		struct stint_group_view view;
		if (cycle.decisions[at].kind == STINT_DECIDE_BIND && stint_engine_group_view(engine, cycle.decisions[at].group, &view))
			first = stint_strdup(view.key);
	}
	stint_mirror_free(mirror);
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
		make_workload(&scene, at, devices);
	for (int at = 0; at < LEAVES && world_number % 2; at++)
		make_hunger(&scene, at);
	stint_autofree char *text = usage_text();
	scene.usage = draw(2) ? tui_usage_parse(text) : NULL;
	scene.usage_factor = draw(2) ? 1 : 0.25 * (1 + draw(40));
	const struct tui_world *world = scene_world(&scene);
	stint_autofree char *first = first_of_engine(&scene);
	bool overfull = false; /* such a node is none that the engine reckons with */
	for (int at = 0; at < NODES; at++)
		overfull |= devices[at] > 8;
	if (first && world->waiting_count && !overfull) {
		(*compared)++;
		if (!world->waiting[0].tried || strcmp(world->waiting[0].group, first) != 0)
			fail_msg("world %d: the line begins with %s, and the engine with %s", world_number, world->waiting[0].group, first);
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

/* ---- one gang ----------------------------------------------------------------------------------------------------------------------------- */

#define LEADER_SET "leaderworkerset.sigs.k8s.io/"
#define ROLE "training.kubeflow.org/replica-type"
#define GROUP "scheduling.run.ai/v2alpha2"
#define SETS "leaderworkerset.x-k8s.io/v1"

/* A pod: who it is among the others, and R, S or P: it runs, has succeeded, is pending. "0.1R" is of group 0 of a set and is its first worker. */
static const struct gang_row {
	const char *what, *api_version, *kind, *spec, *pods;
	double step; /* GPUs of its next step; 0: it is not tried */
} gangs[] = {
	{"a sub-group that has ended whole needs nothing", GROUP, "PodGroup",
		"\"minMember\":2,\"subGroups\":[{\"name\":\"a\",\"minMember\":1},{\"name\":\"b\",\"minMember\":1}]", "aS bP", 1},
	{"one that has ended in part needs the rest", GROUP, "PodGroup",
		"\"minMember\":3,\"subGroups\":[{\"name\":\"a\",\"minMember\":2},{\"name\":\"b\",\"minMember\":1}]", "aS bP", 0},
	{"of a set, pods of another group fill no part of this one", SETS, "LeaderWorkerSet",
		"\"replicas\":2,\"leaderWorkerTemplate\":{\"size\":2}", "0.0R 0.1R 1.0P", 0},
	{"a group of a set that waits has nothing yet", SETS, "LeaderWorkerSet", "\"replicas\":2,\"leaderWorkerTemplate\":{\"size\":2}",
		"0.0R 0.1R 1.0P 1.1P", 2},
	{"groups of a set that have ended help no other", SETS, "LeaderWorkerSet", "\"replicas\":2,\"leaderWorkerTemplate\":{\"size\":2}",
		"0.0S 0.1S 1.0P", 0},
	{"a leader that comes first waits for no workers", SETS, "LeaderWorkerSet",
		"\"startupPolicy\":\"LeaderReady\",\"leaderWorkerTemplate\":{\"size\":3}", "0.0P", 1},
	{"until the first of them has come", SETS, "LeaderWorkerSet",
		"\"startupPolicy\":\"LeaderReady\",\"leaderWorkerTemplate\":{\"size\":3}", "0.0P 0.1P", 0},
	{"workers wait for no launcher that comes last", "kubeflow.org/v2beta1", "MPIJob",
		"\"launcherCreationPolicy\":\"WaitForWorkersReady\",\"mpiReplicaSpecs\":{\"Launcher\":{\"replicas\":1},\"Worker\":{"
		"\"replicas\":2}}",
		"vP wP", 2},
	{"until it has come", "kubeflow.org/v2beta1", "MPIJob",
		"\"launcherCreationPolicy\":\"WaitForWorkersReady\",\"mpiReplicaSpecs\":{\"Launcher\":{\"replicas\":1},\"Worker\":{"
		"\"replicas\":2}}",
		"wP lP", 0},
};

static void gang_pod(struct scene *scene, const struct gang_row *row, const char *who, char state, int at)
{
	const int length = (int)strlen(who) - 1;
	stint_auto_buf text = {0};
	stint_buf_printf(&text, "{\"metadata\":{\"name\":\"p-%.*s\",\"namespace\":\"q0\",\"uid\":\"p-%.*s\",", length, who, length, who);
	stint_buf_printf(&text, "\"creationTimestamp\":\"2026-11-24T00:0%d:00Z\",", at);
	const char *worker = strchr(who, '.');
	if (worker && worker[1] != '0')
		stint_buf_printf(&text,
			"\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"p-%c.0\",\"uid\":\"p-%c.0\","
			"\"controller\":true}],",
			*who, *who);
	else if (strcmp(row->kind, "PodGroup") != 0)
		stint_buf_printf(&text,
			"\"ownerReferences\":[{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"name\":\"gang\",\"uid\":\"gang\",\"controller\":"
			"true}],",
			row->api_version, row->kind);
	else
		stint_buf_puts(&text, "\"annotations\":{\"pod-group-name\":\"gang\"},");
	if (worker)
		stint_buf_printf(&text,
			"\"labels\":{\"" LEADER_SET "name\":\"gang\",\"" LEADER_SET "group-index\":\"%c\",\"" LEADER_SET
			"worker-index\":\"%c\"}",
			*who, worker[1]);
	else
		stint_buf_printf(&text, "\"labels\":{\"kai.scheduler/subgroup-name\":\"%c\",\"" ROLE "\":\"%s\"}", *who,
			*who == 'l' ? "launcher" : "worker");
	stint_buf_printf(&text,
		"},\"spec\":{\"schedulerName\":\"stint-scheduler\",\"priority\":50,%s\"containers\":[{\"name\":\"c\",\"resources\":{"
		"\"requests\":{"
		"\"nvidia.com/gpu\":\"1\"}}}]},\"status\":{\"phase\":\"%s\"}}",
		state == 'P' ? "" : "\"nodeName\":\"n1\",",
		state == 'P'	       ? "Pending"
			: state == 'S' ? "Succeeded"
				       : "Running");
	put(scene, &scene->pods, STINT_KIND_POD, "Pod", &text);
}

static void gang_fill(struct scene *scene, const struct gang_row *row)
{
	const bool grouped = strcmp(row->kind, "PodGroup") == 0;
	make_node(scene, 1);
	scene_queue(scene, "d0", NULL, -1, -1);
	scene_queue(scene, "q0", "d0", -1, -1);
	for (size_t at = 0; at < STINT_OWNER_KINDS; at++)
		stint_catalog_see_owners(scene->catalog, stint_owner_kinds[at].api_version, stint_owner_kinds[at].kind, true);
	stint_autofree char *text =
		stint_format("{\"metadata\":{\"name\":\"gang\",\"namespace\":\"q0\",\"uid\":\"gang\",\"creationTimestamp\":"
			     "\"2026-11-24T00:00:00Z\"},\"spec\":{%s}}",
			row->spec);
	scene_add(scene, grouped ? &scene->groups : &scene->owners, grouped ? STINT_KIND_POD_GROUP : STINT_KIND_OWNER, row->api_version,
		row->kind, text);
	char **words = stint_split(row->pods, " ");
	for (int at = 0; words[at]; at++)
		gang_pod(scene, row, words[at], words[at][strlen(words[at]) - 1], at);
	stint_strings_free(words);
}

static void test_a_gang_is_in_the_line_where_the_engine_tries_it(void **state)
{
	(void)state;
	random_state = 1;
	for (size_t at = 0; at < STINT_COUNT(gangs); at++) {
		struct scene scene;
		scene_open(&scene);
		gang_fill(&scene, &gangs[at]);
		stint_autofree char *first = first_of_engine(&scene);
		const struct tui_world *world = scene_world(&scene);
		if (!first != (gangs[at].step <= 0))
			fail_msg("%s: the engine begins with %s", gangs[at].what, first ? first : "nothing");
		if (!world->waiting_count || world->waiting[0].tried != (gangs[at].step > 0))
			fail_msg("%s: not so in the line", gangs[at].what);
		if (first && (strcmp(first, world->waiting[0].group) != 0 || world->waiting[0].step[STINT_GPU] != gangs[at].step))
			fail_msg("%s: %g GPUs of %s", gangs[at].what, world->waiting[0].step[STINT_GPU], world->waiting[0].group);
		scene_close(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_line_begins_with_what_the_engine_tries_first),
		cmocka_unit_test(test_a_gang_is_in_the_line_where_the_engine_tries_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
