/* What labels and annotations say of node pools and of segments, from the objects to what is decided and what is said. */
#include "cluster.h"

#define LABEL(pool) "\"kai.scheduler/node-pool\":\"" pool "\""
#define LIST(pools) "\"kai.scheduler/node-pools\":\"" pools "\""
#define LABELS(text) "\"labels\":{" text "}"
#define ANNOTATIONS(text) "\"annotations\":{" text "}"
#define OF_JOB CLUSTER_OWNED("Job", "train", "j1")

static void put_node(struct cluster *c, const char *name, const char *pool, const char *rack)
{
	stint_autofree char *label = pool ? stint_format("\"kai.scheduler/node-pool\":\"%s\",", pool) : stint_strdup("");
	stint_autofree char *json = stint_format(
		"{\"metadata\":{\"name\":\"%s\",\"uid\":\"n-%s\",\"labels\":{%s\"rack\":\"%s\",\"stint.dev/virtual\":\"true\"}},"
		"\"status\":{\"allocatable\":{\"cpu\":\"64\",\"memory\":\"512Gi\",\"pods\":\"110\",\"nvidia.com/gpu\":\"2\"},"
		"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		name, name, label, rack);
	cluster_put(c, STINT_KIND_NODE, NULL, NULL, json);
}

static const char *node_of(struct cluster *c, const char *pod)
{
	const struct stint_mirror_pod *found = cluster_find(c, pod);
	struct stint_pod_view view;
	struct stint_node_view node;
	if (!found || found->handle == STINT_NO_HANDLE || !stint_engine_pod_view(c->engine, found->handle, &view))
		return "?";
	return stint_engine_node_view(c->engine, view.node, &node) ? node.name : "";
}

/* ---- which pools ----------------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *what, *job, *pod; /* insides of their metadata; job NULL: a pod alone */
	const char *node;
} sources[] = {
	{"nothing: any node", NULL, "", "a"},
	{"the label of the pod", NULL, LABELS(LABEL("y")), "b"},
	{"its list", NULL, ANNOTATIONS(LIST("z, y,x")), "b"},
	{"a list says more than a label", NULL, LABELS(LABEL("x")) "," ANNOTATIONS(LIST("y,x")), "b"},
	{"the label of the Job", LABELS(LABEL("y")), "", "b"},
	{"the list of the Job before that of the pod", ANNOTATIONS(LIST("y")), ANNOTATIONS(LIST("x")), "b"},
	{"the list of the pod before the label of the Job", LABELS(LABEL("x")), ANNOTATIONS(LIST("y")), "b"},
	{"the pool of nodes without a label", NULL, LABELS(LABEL("default")), "c"},
	{"an empty list is none", NULL, ANNOTATIONS(LIST("")), "a"},
	{"a pool that is not there", NULL, LABELS(LABEL("q")), ""},
};

static void labels_and_lists_choose_the_pool(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(sources); i++) {
		void *own = NULL;
		cluster_setup(&own);
		struct cluster *c = own;
		cluster_queue(c, "default", 8, -1);
		put_node(c, "a", "x", "r1");
		put_node(c, "b", "y", "r1");
		put_node(c, "c", NULL, "r1");
		if (sources[i].job) {
			stint_autofree char *job = stint_format(
				"{\"metadata\":{\"namespace\":\"default\",\"name\":\"train\",\"uid\":\"j1\",%s}}", sources[i].job);
			cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", job);
		}
		stint_autofree char *metadata = stint_format(
			"%s%s%s", sources[i].job ? OF_JOB : "", sources[i].job && sources[i].pod[0] ? "," : "", sources[i].pod);
		cluster_pod(c, "p", metadata, "GPU", "");
		cluster_cycle(c);
		if (strcmp(node_of(c, "p"), sources[i].node) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", sources[i].what, node_of(c, "p"), sources[i].node);
		cluster_teardown(&own);
	}
}

static void a_pod_group_rules_over_its_pods(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	put_node(c, "a", "x", "r1");
	put_node(c, "b", "y", "r1");
	cluster_put(c, STINT_KIND_POD_GROUP, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"pg\",\"uid\":\"g-1\"," LABELS(
			LABEL("y")) "},\"spec\":{\"queue\":\"default\"}}");
	cluster_pod(c, "p", ANNOTATIONS("\"pod-group-name\":\"pg\"") "," LABELS(LABEL("x")), "GPU", "");
	cluster_cycle(c);
	assert_string_equal(node_of(c, "p"), "b");
	cluster_put(c, STINT_KIND_POD_GROUP, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"pg\",\"uid\":\"g-1\"," ANNOTATIONS(
			LIST("x")) "},\"spec\":{\"queue\":\"default\"}}");
	cluster_pod(c, "p2", ANNOTATIONS("\"pod-group-name\":\"pg\""), "GPU", "");
	cluster_cycle(c);
	assert_string_equal(node_of(c, "p2"), "a");
}

static void what_is_said_names_the_pools(void **state)
{
	(void)state;
	static const struct {
		const char *pools, *gpus, *word, *says;
		int pods;
	} rows[] = {
		{"x", "3", "NeverFits", "no node of pool \"x\" could give that even if nothing else ran", 1},
		{"x,y", "3", "NeverFits", "no node of pools \"x\" and \"y\" could give that", 1},
		{"z", "1", "NeverFits", "no node of pool \"z\" could give that even if nothing else ran (there are no nodes in it)", 1},
		{"x,y", "2", "GangNeverFits", "the largest of pools \"x\" and \"y\" has room for 1 of the 2 pods", 2},
		{"x", "2", "GangNeverFits", "pool \"x\" has room for 1 of the 2 pods", 2},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		void *own = NULL;
		cluster_setup(&own);
		struct cluster *c = own;
		cluster_queue(c, "default", 8, -1);
		put_node(c, "a", "x", "r1");
		put_node(c, "b", "y", "r1");
		stint_autofree char *job =
			stint_format("{\"metadata\":{\"namespace\":\"default\",\"name\":\"train\",\"uid\":\"j1\"," ANNOTATIONS(
					     LIST("%s") ",\"kai.scheduler/batch-min-member\":\"%d\"") "}}",
				rows[i].pools, rows[i].pods);
		cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", job);
		for (int pod = 0; pod < rows[i].pods; pod++) {
			stint_autofree char *json =
				stint_format("{\"metadata\":{\"namespace\":\"default\",\"name\":\"w%d\",\"uid\":\"p-w%d\"," OF_JOB
					     "},\"spec\":{\"schedulerName\":\"stint-scheduler\",\"containers\":[{\"name\":\"c\","
					     "\"resources\":{\"limits\":{"
					     "\"nvidia.com/gpu\":\"%s\"},\"requests\":{\"nvidia.com/"
					     "gpu\":\"%s\"}}}]},\"status\":{\"phase\":\"Pending\"}}",
					pod, pod, rows[i].gpus, rows[i].gpus);
			cluster_put(c, STINT_KIND_POD, NULL, NULL, json);
		}
		cluster_cycle(c);
		struct stint_explanation said;
		stint_explain(c->engine, cluster_find(c, "w0"), &said);
		assert_string_equal(said.word, rows[i].word);
		if (!strstr(said.sentence, rows[i].says))
			fail_msg("\"%s\" does not say \"%s\"", said.sentence, rows[i].says);
		stint_explanation_clear(&said);
		cluster_teardown(&own);
	}
}

/* ---- the default of a project ---------------------------------------------------------------------------------------------------------- */

/* pools NULL: it has none; label NULL: its queue is of no pool. */
static void put_queue(struct cluster *c, const char *name, const char *label, const char *pools)
{
	stint_autofree char *labels = label ? stint_format(",\"labels\":{\"kai.scheduler/node-pool\":\"%s\"}", label) : stint_strdup("");
	stint_autofree char *annotations =
		pools ? stint_format(",\"annotations\":{\"stint.dev/default-node-pools\":\"%s\"}", pools) : stint_strdup("");
	stint_autofree char *json = stint_format("{\"metadata\":{\"name\":\"%s\",\"uid\":\"q-%s\"%s%s},\"spec\":{\"resources\":{"
						 "\"gpu\":{\"quota\":8,\"limit\":-1},\"cpu\":{\"quota\":-1,\"limit\":-1},"
						 "\"memory\":{\"quota\":-1,\"limit\":-1}}}}",
		name, name, labels, annotations);
	cluster_put(c, STINT_KIND_QUEUE, NULL, NULL, json);
}

static void what_names_no_pool_has_those_of_its_project(void **state)
{
	(void)state;
	static const struct {
		const char *pools, *pod, *node;
	} rows[] = {
		{NULL, "", "a"},
		{"", "", "a"},
		{"y", "", "b"},
		{"z,y,x", "", "b"},
		{"q", "", ""},
		{"y", LABELS(LABEL("x")), "a"},
		{"y", ANNOTATIONS(LIST("x")), "a"},
		{"y", LABELS("\"kai.scheduler/queue\":\"other\""), "c"},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		void *own = NULL;
		cluster_setup(&own);
		struct cluster *c = own;
		put_queue(c, "default", NULL, rows[i].pools);
		put_queue(c, "other", NULL, "default");
		put_node(c, "a", "x", "r1");
		put_node(c, "b", "y", "r1");
		put_node(c, "c", NULL, "r1");
		cluster_pod(c, "p", rows[i].pod, "GPU", "");
		cluster_cycle(c);
		if (strcmp(node_of(c, "p"), rows[i].node) != 0)
			fail_msg("%zu: \"%s\" instead of \"%s\"", i, node_of(c, "p"), rows[i].node);
		cluster_teardown(&own);
	}
}

static void another_default_moves_what_waits(void **state)
{
	struct cluster *c = *state;
	put_queue(c, "default", NULL, "q");
	put_node(c, "a", "x", "r1");
	cluster_pod(c, "p", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	put_queue(c, "default", NULL, "x");
	assert_int_equal(cluster_cycle(c), 1);
}

/* The scheduler of the pool takes it, and that of all other nodes knows that it does: else both would speak of it. */
static void the_scheduler_of_the_default_pool_has_what_names_none(void **state)
{
	(void)state;
	static const struct {
		const char *pool, *node;
	} rows[] = {{"x", "a"}, {"y", "?"}, {"default", "?"}};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		void *own = NULL;
		cluster_setup(&own);
		struct cluster *c = own;
		stint_mirror_restrict(c->mirror, rows[i].pool);
		cluster_put(c, STINT_KIND_NAMESPACE, NULL, NULL,
			"{\"metadata\":{\"name\":\"default\",\"uid\":\"s-1\",\"labels\":{\"stint.dev/project\":\"team\"}}}");
		put_queue(c, "team", "x", NULL);
		put_node(c, "a", "x", "r1");
		put_node(c, "c", NULL, "r1");
		cluster_pod(c, "p", "", "GPU", "");
		cluster_cycle(c);
		put_queue(c, "team", "x", "x"); /* it is told later, and is heard */
		cluster_cycle(c);
		assert_string_equal(node_of(c, "p"), rows[i].node);
		assert_true(strcmp(rows[i].node, "?") != 0 || !cluster_find(c, "p")->group);
		cluster_teardown(&own);
	}
}

/* ---- one pool of several schedulers ---------------------------------------------------------------------------------------------------- */

static void a_scheduler_of_one_pool_leaves_the_others_alone(void **state)
{
	(void)state;
	static const struct {
		const char *pool, *placed; /* of the pods in their order, the node; "-": not its own */
	} rows[] = {{"x", "a - a - "}, {"y", "- b - - "}, {"default", "- - - c "}};
	static const char *const pods[] = {LABELS(LABEL("x")), LABELS(LABEL("y")), ANNOTATIONS(LIST("x,y")), ""};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		void *own = NULL;
		cluster_setup(&own);
		struct cluster *c = own;
		stint_mirror_restrict(c->mirror, rows[i].pool);
		stint_autofree char *label = stint_format("\"labels\":{\"kai.scheduler/node-pool\":\"%s\"},", rows[i].pool);
		stint_autofree char *queue = stint_format("{\"metadata\":{%s\"name\":\"default\",\"uid\":\"q-1\"},\"spec\":{\"resources\":{"
							  "\"gpu\":{\"quota\":8,\"limit\":-1},"
							  "\"cpu\":{\"quota\":-1,\"limit\":-1},\"memory\":{\"quota\":-1,\"limit\":-1}}}}",
			strcmp(rows[i].pool, "default") == 0 ? "" : label);
		cluster_put(c, STINT_KIND_QUEUE, NULL, NULL, queue);
		put_node(c, "a", "x", "r1");
		put_node(c, "b", "y", "r1");
		put_node(c, "c", NULL, "r1");
		stint_auto_buf placed = {0};
		for (size_t pod = 0; pod < STINT_COUNT(pods); pod++) {
			stint_autofree char *name = stint_format("p%zu", pod);
			cluster_pod(c, name, pods[pod], "GPU", "");
		}
		cluster_cycle(c);
		for (size_t pod = 0; pod < STINT_COUNT(pods); pod++) {
			stint_autofree char *name = stint_format("p%zu", pod);
			const char *node = node_of(c, name);
			stint_buf_printf(&placed, "%s ", strcmp(node, "?") == 0 ? "-" : node);
		}
		assert_string_equal(placed.data, rows[i].placed);
		cluster_teardown(&own);
	}
}

/* A node or a queue that gets another label goes with what it had. */
static void what_moves_to_another_pool_is_let_go(void **state)
{
	struct cluster *c = *state;
	stint_mirror_restrict(c->mirror, "x");
	cluster_put(c, STINT_KIND_QUEUE, NULL, NULL,
		"{\"metadata\":{\"name\":\"default\",\"uid\":\"q-1\"," LABELS(LABEL("x")) "},\"spec\":{}}");
	put_node(c, "a", "x", "r1");
	double total[STINT_DIMENSIONS];
	stint_engine_cluster_total(c->engine, total);
	assert_true(total[STINT_GPU] == 2);
	put_node(c, "a", "y", "r1");
	stint_engine_cluster_total(c->engine, total);
	assert_true(total[STINT_GPU] == 0);
	assert_int_not_equal(stint_engine_queue_find(c->engine, "default"), STINT_NO_HANDLE);
	cluster_put(c, STINT_KIND_QUEUE, NULL, NULL,
		"{\"metadata\":{\"name\":\"default\",\"uid\":\"q-1\"," LABELS(LABEL("y")) "},\"spec\":{}}");
	struct stint_queue_view queue;
	const uint32_t handle = stint_engine_queue_find(c->engine, "default");
	assert_true(handle == STINT_NO_HANDLE || !stint_engine_queue_view(c->engine, handle, &queue) || !queue.usable);
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_names_no_pool_has_those_of_its_project),
		IN_CLUSTER(another_default_moves_what_waits),
		cmocka_unit_test(the_scheduler_of_the_default_pool_has_what_names_none),
		cmocka_unit_test(labels_and_lists_choose_the_pool),
		IN_CLUSTER(a_pod_group_rules_over_its_pods),
		cmocka_unit_test(what_is_said_names_the_pools),
		cmocka_unit_test(a_scheduler_of_one_pool_leaves_the_others_alone),
		IN_CLUSTER(what_moves_to_another_pool_is_let_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
