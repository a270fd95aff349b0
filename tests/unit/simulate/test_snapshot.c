/*
 * Snapshots: objects of a cluster become a scenario that says the same, is the same in whatever order they came, and can be run.
 */
#include "tests/unit/test.h"

#include <stint/model.h>
#include <stint/simulate.h>

#define NOW_MS INT64_C(1700000100000)
#define AT "\"creationTimestamp\":\"2023-11-14T22:13:20Z\"" /* 100 s before */

static const struct stint_decode_as as_node = {STINT_KIND_NODE, "v1", "Node"}, as_pod = {STINT_KIND_POD, "v1", "Pod"},
				    as_queue = {STINT_KIND_QUEUE, "scheduling.run.ai/v2", "Queue"},
				    as_job = {STINT_KIND_OWNER, "batch/v1", "Job"},
				    as_topology = {STINT_KIND_TOPOLOGY, "kai.scheduler/v1alpha1", "Topology"};

struct thing {
	const struct stint_decode_as *as;
	const char *json;
};

#define NODE(name, labels, spec)                                                                                                         \
	{                                                                                                                                \
		&as_node,                                                                                                                \
			"{\"metadata\":{\"name\":\"" name "\",\"uid\":\"" name "\"," AT ",\"labels\":{" labels "}},\"spec\":{" spec "}," \
			"\"status\":{\"allocatable\":{\"cpu\":\"8\",\"memory\":\"64Gi\",\"pods\":\"20\",\"nvidia.com/gpu\":\"2\"},"      \
			"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}"                                                    \
	}
#define QUEUE(name, more)                                                                                                                \
	{                                                                                                                                \
		&as_queue,                                                                                                               \
			"{\"metadata\":{\"name\":\"" name "\",\"uid\":\"q" name "\"," AT "},\"spec\":{" more "\"resources\":{\"gpu\":"   \
			"{\"quota\":2,\"limit\":-1,\"overQuotaWeight\":1},\"cpu\":{\"quota\":-1,\"limit\":-1},\"memory\":{\"quota\":-1," \
			"\"limit\":-1}}}}"                                                                                               \
	}
#define POD(name, meta, spec, status)                                                                                                    \
	{                                                                                                                                \
		&as_pod,                                                                                                                 \
			"{\"metadata\":{\"namespace\":\"team\",\"name\":\"" name "\",\"uid\":\"u" name "\"," AT meta "},\"spec\":{" spec \
			"\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"1\",\"memory\":\"1Gi\"},\"limits\":"     \
			"{\"nvidia.com/gpu\":\"1\"}}}]},\"status\":{" status "}}"                                                        \
	}
#define OURS "\"schedulerName\":\"stint-scheduler\","
#define OF_JOB ",\"ownerReferences\":[{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"name\":\"gang\",\"uid\":\"j\",\"controller\":true}]"
#define WAITS "\"phase\":\"Pending\""
#define RUNS "\"phase\":\"Running\",\"startTime\":\"2023-11-14T22:14:00Z\""

static const struct thing cluster[] = {
	NODE("alpha", "\"rack\":\"r7\",\"secret\":\"x\"", ""),
	NODE("beta", "\"rack\":\"r9\"", "\"taints\":[{\"key\":\"own\",\"effect\":\"NoSchedule\"}]"),
	NODE("gamma", "", "\"unschedulable\":true"),
	{&as_topology, "{\"metadata\":{\"name\":\"fabric\",\"uid\":\"t\"},\"spec\":{\"levels\":[{\"nodeLabel\":\"rack\"}]}}"},
	QUEUE("company", ""),
	QUEUE("default", "\"parentQueue\":\"company\","),
	{&as_job,
		"{\"metadata\":{\"namespace\":\"team\",\"name\":\"gang\",\"uid\":\"j\"," AT
		",\"annotations\":{\"kai.scheduler/batch-min-member\":\"2\",\"kai.scheduler/topology\":\"fabric\","
		"\"kai.scheduler/topology-required-placement\":\"rack\"}},\"status\":{\"succeeded\":0}}"},
	POD("gang-a", OF_JOB, OURS, WAITS),
	POD("gang-b", OF_JOB, OURS, WAITS),
	POD("alone", "", OURS "\"nodeName\":\"alpha\",", RUNS),
	POD("foreign", "", "\"schedulerName\":\"default-scheduler\",\"nodeName\":\"gamma\",", RUNS),
	POD("failed", "", OURS "\"nodeName\":\"alpha\",", "\"phase\":\"Failed\""),
};

static struct stint_json *snapshot(const struct thing *things, size_t count, bool backwards, bool anonymize, char **left_out)
{
	struct stint_model *model = stint_model_new();
	struct stint_snapshot *snapshot = stint_snapshot_new();
	for (size_t i = 0; i < count; i++) {
		const struct thing *thing = &things[backwards ? count - 1 - i : i];
		struct stint_error *err = NULL;
		struct stint_object *object = stint_object_decode(model, thing->as, thing->json, strlen(thing->json), &err);
		if (!object)
			fail_msg("%s: %s", err->message, thing->json);
		stint_snapshot_put(snapshot, object);
		stint_object_unref(object);
	}
	struct stint_json *scenario = stint_snapshot_scenario(snapshot, NOW_MS, anonymize, left_out);
	stint_snapshot_free(snapshot);
	stint_model_free(model);
	return scenario;
}

static struct stint_json *named(const struct stint_json *scenario, const char *list, const char *name)
{
	stint_json_each(item, stint_json_get(scenario, list)) {
		if (strcmp(stint_json_string_at(item, "name"), name) == 0)
			return item;
	}
	fail_msg("%s has no %s", list, name);
	return NULL;
}

static void what_is_said_of_each_kind_of_object(void **state)
{
	(void)state;
	static const struct {
		const char *list, *name, *wanted;
	} cases[] = {
		{"nodes", "alpha",
			"\"labels\":{\"rack\":\"r7\",\"stint.dev/nodes-1\":\"yes\"},\"cpu\":\"8\",\"memory\":\"64Gi\",\"gpus\":2"},
		{"nodes", "beta", "\"labels\":{\"rack\":\"r9\"}"}, /* its taint keeps the pods off */
		{"nodes", "gamma", "\"cpu\":\"7\",\"memory\":\"63Gi\",\"gpus\":1"}, /* less what another scheduler has put there */
		{"nodes", "gamma", "\"maxPods\":19,\"ready\":false"}, /* cordoned */
		{"queues", "default",
			"\"parent\":\"company\",\"priority\":100,\"createdSecondsAgo\":100,\"gpu\":{\"quota\":2,"
			"\"limit\":\"unlimited\",\"overQuotaWeight\":1}"},
		{"workloads", "team/gang", "\"queue\":\"default\",\"priority\":50,\"preemptible\":true,\"createdSecondsAgo\":100"},
		{"workloads", "team/gang", "\"topology\":{\"topology\":\"fabric\",\"required\":\"rack\",\"preferred\":null}"},
		{"workloads", "team/gang", "\"minAvailable\":2"},
		{"workloads", "team/gang",
			"{\"name\":\"team/gang-a\",\"status\":\"Pending\",\"requests\":{\"cpu\":\"1\",\"memory\":\"1Gi\",\"gpu\":1},"
			"\"nodeAffinity\":[{\"key\":\"stint.dev/nodes-1\",\"values\":[\"yes\"]}]}"},
		{"workloads", "team/alone", "\"startedSecondsAgo\":60,\"afterEviction\":\"gone\""},
		{"workloads", "team/alone", "\"status\":\"Running\",\"node\":\"alpha\""},
		{"topologies", "fabric", "\"levels\":[\"rack\"]"},
	};
	char *left_out = NULL;
	stint_auto_json *scenario = snapshot(cluster, STINT_COUNT(cluster), false, false, &left_out);
	assert_null(left_out);
	assert_int_equal(stint_json_count(stint_json_get(scenario, "workloads")), 2);
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_autofree char *text = stint_json_print(named(scenario, cases[i].list, cases[i].name));
		if (!strstr(text, cases[i].wanted))
			fail_msg("%s %s: no %s in %s", cases[i].list, cases[i].name, cases[i].wanted, text);
	}
}

static void the_order_of_objects_changes_nothing(void **state)
{
	(void)state;
	char *left_out = NULL;
	stint_auto_json *forwards = snapshot(cluster, STINT_COUNT(cluster), false, false, &left_out);
	stint_auto_json *backwards = snapshot(cluster, STINT_COUNT(cluster), true, false, &left_out);
	stint_autofree char *a = stint_json_print(forwards), *b = stint_json_print(backwards);
	assert_string_equal(a, b);
}

static void hidden_names_decide_the_same(void **state)
{
	(void)state;
	char *left_out = NULL;
	static const char *const secrets[] = {"alpha", "beta", "gamma", "team", "gang-a", "alone", "company", "fabric", "rack", "r7"};
	for (int hidden = 0; hidden < 2; hidden++) {
		struct stint_error *err = NULL;
		stint_auto_json *scenario = snapshot(cluster, STINT_COUNT(cluster), false, hidden, &left_out);
		stint_autofree char *text = stint_json_print(scenario);
		for (size_t i = 0; hidden && i < STINT_COUNT(secrets); i++) {
			if (strstr(text, secrets[i]))
				fail_msg("\"%s\" is in %s", secrets[i], text);
		}
		stint_auto_json *result = stint_simulate(scenario, &err);
		if (!result)
			fail_msg("%s", err->message);
		/* alpha has one device left, beta a taint, gamma takes no pods: a gang of two waits. */
		const struct stint_json *const round = stint_json_first(stint_json_get(result, "rounds"));
		assert_int_equal(stint_json_count(stint_json_get(round, "decisions")), 0);
		assert_int_equal(stint_json_count(stint_json_get(round, "pods")), 3);
	}
}

static const struct stint_json *decision_on(const struct stint_json *result)
{
	return stint_json_first(stint_json_get(stint_json_first(stint_json_get(result, "rounds")), "decisions"));
}

/* Pools are told where a workload lists some; hidden, they decide the same. */
static void pools_go_with_the_lists_of_workloads(void **state)
{
	(void)state;
	static const struct thing things[] = {
		NODE("alpha", "", ""),
		NODE("beta", "\"kai.scheduler/node-pool\":\"hopper\"", ""),
		QUEUE("default", ""),
		POD("a", ",\"annotations\":{\"kai.scheduler/node-pools\":\"ampere, hopper,default\"}", OURS, WAITS),
	};
	for (int hidden = 0; hidden < 2; hidden++) {
		struct stint_error *err = NULL;
		char *left_out = NULL;
		stint_auto_json *scenario = snapshot(things, STINT_COUNT(things), false, hidden, &left_out);
		stint_autofree char *text = stint_json_print(stint_json_get(scenario, "stint"));
		assert_string_equal(text,
			hidden ? "{\"nodePools\":{\"w-1\":[\"unknown\",\"p-1\",\"default\"]},\"pools\":{\"unknown\":{},\"p-1\":{\"nodes\":["
				 "\"n-2\"]},"
				 "\"default\":{}}}"
			       : "{\"nodePools\":{\"team/"
				 "a\":[\"ampere\",\"hopper\",\"default\"]},\"pools\":{\"ampere\":{},\"hopper\":{\"nodes\":["
				 "\"beta\"]},\"default\":{}}}");
		stint_auto_json *result = stint_simulate(scenario, &err);
		if (!result)
			fail_msg("%s", err->message);
		assert_string_equal(stint_json_string_at(decision_on(result), "node"), hidden ? "n-2" : "beta");
	}
	stint_auto_json *without = snapshot(things, 3, false, false, &(char *){NULL});
	assert_null(stint_json_get(without, "stint"));
}

static void what_has_no_place_is_told(void **state)
{
	(void)state;
	static const struct thing things[] = {
		NODE("alpha", "", ""),
		POD("a", "", OURS "\"activeDeadlineSeconds\":60,", WAITS),
		POD("b", "", OURS "\"nodeName\":\"gone\",", RUNS),
	};
	char *left_out = NULL;
	stint_auto_json *scenario = snapshot(things, STINT_COUNT(things), false, false, &left_out);
	assert_string_equal(left_out, "declared times of 1 pod, places on nodes that are gone of 1 pod");
	free(left_out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_of_each_kind_of_object),
		cmocka_unit_test(the_order_of_objects_changes_nothing),
		cmocka_unit_test(hidden_names_decide_the_same),
		cmocka_unit_test(pools_go_with_the_lists_of_workloads),
		cmocka_unit_test(what_has_no_place_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
