/*
 * Scenarios: what comes out of small ones, that a bad one is answered with the place, and that the order of lists means nothing.
 */
#include "tests/unit/test.h"

#include <stint/simulate.h>

static struct stint_json *parse(const char *text)
{
	struct stint_error *err = NULL;
	struct stint_json *json = stint_json_parse(text, strlen(text), 0, &err);
	if (!json)
		fail_msg("%s: %s", err->message, text);
	return json;
}

static struct stint_json *simulate(const char *text)
{
	stint_auto_json *scenario = parse(text);
	struct stint_error *err = NULL;
	struct stint_json *result = stint_simulate(scenario, &err);
	if (!result)
		fail_msg("%s", err->message);
	return result;
}

#define QUEUES                                                                                                              \
	"\"queues\": [{\"name\": \"d\", \"gpu\": {\"quota\": 2, \"limit\": \"unlimited\", \"overQuotaWeight\": 1},"         \
	"\"cpu\": {\"quota\": \"unlimited\", \"limit\": \"unlimited\"}, \"memory\": {\"quota\": \"unlimited\", \"limit\": " \
	"\"unlimited\"}},"                                                                                                  \
	"{\"name\": \"q\", \"parent\": \"d\", \"gpu\": {\"quota\": 2, \"limit\": \"unlimited\", \"overQuotaWeight\": 1},"   \
	"\"cpu\": {\"quota\": \"unlimited\", \"limit\": \"unlimited\"}, \"memory\": {\"quota\": \"unlimited\", \"limit\": " \
	"\"unlimited\"}}]"
#define NODES "\"nodes\": [{\"name\": \"n0\", \"cpu\": \"8\", \"memory\": \"32Gi\", \"gpus\": 2}]"
#define ACTIONS "\"config\": {\"actions\": [\"allocate\"]}"
#define JOB(name, more, pods) "{\"name\": \"" name "\", \"queue\": \"q\", " more " \"pods\": [" pods "]}"

static const struct stint_json *pod_in(const struct stint_json *result, size_t round, const char *part, const char *name)
{
	const struct stint_json *state = stint_json_item(stint_json_get(result, "rounds"), round);
	if (part)
		state = stint_json_get(state, part);
	stint_json_each(pod, stint_json_get(state, "pods")) {
		if (strcmp(stint_json_string_or(stint_json_get(pod, "name"), ""), name) == 0)
			return pod;
	}
	fail_msg("pod %s is not in the result", name);
	return NULL;
}

static void assert_pod(const struct stint_json *pod, const char *status, const char *node, double gpus)
{
	double got = -1;
	assert_string_equal(stint_json_string_at(pod, "status"), status);
	assert_true(stint_json_double(stint_json_get(pod, "gpus"), &got) && got == gpus);
	if (node)
		assert_string_equal(stint_json_string_at(pod, "node"), node);
	else
		assert_null(stint_json_string_at(pod, "node"));
}

static void shares_and_gangs_are_bound_and_named(void **state)
{
	(void)state;
	stint_auto_json *result = simulate("{" ACTIONS "," NODES "," QUEUES ", \"workloads\": [" JOB("half",
		"\"createdSecondsAgo\": 60, \"requests\": {\"cpu\": \"1\", \"memory\": \"1Gi\", \"gpuFraction\": 0.5},",
		"{\"name\": \"half-a\"}") "," JOB("run", "\"createdSecondsAgo\": 90, \"requests\": {\"gpuFraction\": 0.25},",
		"{\"status\": \"Running\", \"node\": \"n0\", \"gpuGroups\": [\"first\"]}") "," JOB("gang", "\"requests\": {\"gpu\": 1},",
		"{\"count\": 2}") "]}");
	const struct stint_json *half = pod_in(result, 0, NULL, "half-a");
	assert_pod(half, "Binding", "n0", 0.5);
	assert_string_equal(stint_json_string(stint_json_first(stint_json_get(half, "gpuGroups"))), "first");
	assert_pod(pod_in(result, 0, NULL, "run-0"), "Running", "n0", 0.25);
	assert_pod(pod_in(result, 0, NULL, "gang-0"), "Pending", NULL, 0);
	const struct stint_json *round = stint_json_item(stint_json_get(result, "rounds"), 0);
	assert_int_equal(stint_json_count(stint_json_get(round, "decisions")), 1);
	assert_int_equal(stint_json_int_or(stint_json_get(stint_json_item(stint_json_get(round, "nodes"), 0), "idleGpus"), -1), 1);
}

static void rounds_settle_and_what_leaves_makes_room(void **state)
{
	(void)state;
	stint_auto_json *result = simulate(
		"{" ACTIONS "," NODES "," QUEUES ", \"run\": {\"mode\": \"rounds\", \"rounds\": 2, \"stableRounds\": 1,"
		" \"secondsBetweenRounds\": 30}, \"workloads\": [" JOB("old", "\"afterEviction\": \"gone\", \"requests\": {\"gpu\": 2},",
			"{\"status\": \"Releasing\", \"node\": \"n0\"}") "," JOB("new", "\"requests\": {\"gpu\": 2},", "{}") "]}");
	assert_pod(pod_in(result, 0, NULL, "new-0"), "Pipelined", "n0", 2);
	assert_pod(pod_in(result, 0, "settled", "new-0"), "Pending", NULL, 0);
	assert_pod(pod_in(result, 0, "settled", "old-0"), "Succeeded", "n0", 0);
	assert_pod(pod_in(result, 1, NULL, "new-0"), "Binding", "n0", 2);
	assert_pod(pod_in(result, 2, NULL, "new-0"), "Running", "n0", 2);
	const struct stint_json *last = stint_json_item(stint_json_get(result, "rounds"), 2);
	double started = 0;
	assert_true(
		stint_json_double(stint_json_get(stint_json_item(stint_json_get(last, "workloads"), 1), "startedSecondsAgo"), &started));
	assert_true(started == 30);
}

static void declared_times_end_work_and_keep_a_start_for_what_is_blocked(void **state)
{
	(void)state;
	/* The node has two devices: `runs` has one for 40 s more, `wide` needs both, `late` and `brief` one. */
	stint_auto_json *result =
		simulate("{" ACTIONS "," NODES "," QUEUES
			 ", \"run\": {\"mode\": \"rounds\", \"rounds\": 2, \"stableRounds\": 1, \"secondsBetweenRounds\": 40},"
			 " \"stint\": {\"times\": {\"runs\": 100, \"brief\": 30}, \"backfill\": \"easy\"}, \"workloads\": [" JOB("runs",
				 "\"createdSecondsAgo\": 90, \"startedSecondsAgo\": 60, \"requests\": {\"gpu\": 1},",
				 "{\"status\": \"Running\", \"node\": \"n0\"}") "," JOB("wide",
				 "\"createdSecondsAgo\": 50, \"requests\": {\"gpu\": 2},",
				 "{}") "," JOB("late", "\"createdSecondsAgo\": 40, \"requests\": {\"gpu\": 1},", "{}") "," JOB("brief",
				 "\"createdSecondsAgo\": 30, \"requests\": {\"gpu\": 1},", "{}") "]}");
	assert_pod(pod_in(result, 0, NULL, "late-0"), "Pending", NULL, 0);
	assert_pod(pod_in(result, 0, NULL, "brief-0"), "Binding", "n0", 1);
	assert_pod(pod_in(result, 0, "settled", "runs-0"), "Succeeded", "n0", 0);
	assert_pod(pod_in(result, 0, "settled", "brief-0"), "Succeeded", "n0", 0);
	assert_pod(pod_in(result, 1, NULL, "wide-0"), "Binding", "n0", 2);
}

#define POOL_NODES                                                                                                     \
	"\"nodes\": [{\"name\": \"a\", \"gpus\": 2}, {\"name\": \"b\", \"gpus\": 2}, {\"name\": \"c\", \"gpus\": 2}, " \
	"{\"name\": \"d\", \"gpus\": 2}]"

static void pools_have_nodes_a_strategy_and_workloads_that_list_them(void **state)
{
	(void)state;
	stint_auto_json *result =
		simulate("{" ACTIONS "," POOL_NODES "," QUEUES
			 ", \"stint\": {\"pools\": {\"wide\": {\"nodes\": [\"b\", \"c\"], \"placement\": \"spread\"},"
			 " \"late\": {\"nodes\": [\"d\"]}}, \"nodePools\": {\"spreads\": [\"wide\"], \"packs\": [\"default\"], \"second\": "
			 "[\"default\","
			 " \"late\"]}}, \"workloads\": [" JOB("spreads", "\"requests\": {\"gpu\": 1},", "{}, {}") "," JOB("packs",
				 "\"requests\": {\"gpu\": 1},", "{}, {}") "," JOB("second", "\"requests\": {\"gpu\": 1},", "{}") "]}");
	assert_pod(pod_in(result, 0, NULL, "spreads-0"), "Binding", "b", 1);
	assert_pod(pod_in(result, 0, NULL, "spreads-1"), "Binding", "c", 1);
	assert_pod(pod_in(result, 0, NULL, "packs-0"), "Binding", "a", 1);
	assert_pod(pod_in(result, 0, NULL, "packs-1"), "Binding", "a", 1);
	assert_pod(pod_in(result, 0, NULL, "second-0"), "Binding", "d", 1);
}

static void the_order_of_lists_means_nothing(void **state)
{
	(void)state;
	stint_auto_json *there = simulate("{" ACTIONS "," NODES "," QUEUES ", \"workloads\": [" JOB(
		"a", "\"requests\": {\"gpu\": 2},", "{}") "," JOB("b", "\"requests\": {\"gpu\": 2},", "{}") "]}");
	stint_auto_json *back = simulate("{" ACTIONS "," NODES "," QUEUES ", \"workloads\": [" JOB(
		"b", "\"requests\": {\"gpu\": 2},", "{}") "," JOB("a", "\"requests\": {\"gpu\": 2},", "{}") "]}");
	assert_pod(pod_in(there, 0, NULL, "a-0"), "Binding", "n0", 2);
	assert_pod(pod_in(back, 0, NULL, "a-0"), "Binding", "n0", 2);
}

#define SIMILAR(skip)                                                                                                             \
	"{\"version\": 1, \"kind\": \"schedule\", \"name\": \"s\", \"config\": {\"actions\": [\"preempt\"], "                     \
	"\"skipSimilarFailures\": " skip "}, \"nodes\": [{\"name\": \"n0\", \"cpu\": \"8\", \"memory\": \"32Gi\", \"gpus\": 1}]," \
	"\"queues\": [{\"name\": \"q\", \"gpu\": {\"quota\": 0, \"limit\": \"unlimited\", \"overQuotaWeight\": 1},"               \
	"\"cpu\": {\"quota\": \"unlimited\", \"limit\": \"unlimited\"}, \"memory\": {\"quota\": \"unlimited\", \"limit\": "       \
	"\"unlimited\"}}], \"workloads\": [" JOB("low", "\"priority\": 40, \"preemptible\": true, " ONE,                          \
		"{\"status\": \"Running\", \"node\": \"n0\"}") "," JOB("fixed", "\"priority\": 75, \"preemptible\": false, " ONE, \
		"{}") "," JOB("flexible", "\"priority\": 75, \"preemptible\": true, " ONE, "{}") "], \"run\": {\"mode\": \"once\"}}"
#define ONE "\"requests\": {\"cpu\": \"1\", \"memory\": \"1G\", \"gpu\": 1},"

/* The second looks like the first, which may not take anything. */
static void similar_failures_are_skipped_only_where_that_changes_nothing(void **state)
{
	(void)state;
	stint_auto_json *with = simulate(SIMILAR("true")), *without = simulate(SIMILAR("false"));
	assert_pod(pod_in(with, 0, NULL, "flexible-0"), "Pipelined", "n0", 1);
	stint_autofree char *a = stint_json_print(with), *b = stint_json_print(without);
	assert_string_equal(a, b);
}

static void fair_shares_are_divided_per_resource(void **state)
{
	(void)state;
	stint_auto_json *result =
		simulate("{\"kind\": \"fairshare\", \"total\": {\"gpu\": 8}, \"queues\": ["
			 "{\"name\": \"a\", \"gpu\": {\"quota\": 2, \"limit\": \"unlimited\", \"overQuotaWeight\": 1, \"request\": 6}},"
			 "{\"name\": \"b\", \"gpu\": {\"quota\": 2, \"limit\": \"unlimited\", \"overQuotaWeight\": 3, \"request\": 6}}]}");
	double share = 0;
	assert_true(stint_json_double(stint_json_at(result, "fairShare", "b", "gpu"), &share) && share == 5);
	assert_true(stint_json_double(stint_json_at(result, "remaining", "gpu"), &share) && share == 0);
}

static const struct {
	const char *scenario;
	const char *place; /* and what is wrong */
} mistakes[] = {
	{"[]", "the document must be an object"},
	{"{\"version\": 2}", "version must be 1"},
	{"{\"kind\": \"dream\"}", "kind must be one of schedule, fairshare"},
	{"{\"config\": {\"speed\": 9}}", "config.speed is no setting"},
	{"{\"config\": {\"actions\": [\"reclaims\"]}}", "config.actions must be a list of"},
	{"{\"run\": {\"mode\": \"rounds\", \"rounds\": 1e9}}", "run.rounds must be a number from 1 to 10000"},
	{"{\"nodes\": {}}", "nodes must be a list"},
	{"{\"nodes\": [{\"cpu\": \"1\"}]}", "nodes[0].name must be a text"},
	{"{\"nodes\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}", "nodes[1].name is taken"},
	{"{\"nodes\": [{\"name\": \"a\", \"cpu\": \"lots\"}]}", "nodes[0].cpu must be an amount"},
	{"{\"nodes\": [{\"name\": \"a\", \"gpus\": 1e9}]}", "nodes[0].gpus must be a number from 0 to 64"},
	{"{\"nodes\": [{\"name\": \"a\", \"labels\": {\"x\": 1}}]}", "nodes[0].labels must be an object of texts"},
	{"{\"queues\": [{\"name\": \"q\", \"gpu\": {\"quota\": -2}}]}", "queues[0].gpu.quota must be an amount"},
	{"{\"workloads\": [{\"name\": \"w\"}]}", "workloads[0].queue must be a text"},
	{"{\"workloads\": [" JOB("w", "", "{\"status\": \"Sleeping\"}") "]}", "workloads[0].pods[0].status must be one of"},
	{"{\"workloads\": [" JOB("w", "", "{\"status\": \"Running\"}") "]}", "workloads[0].pods[0].node must be given"},
	{"{\"workloads\": [" JOB("w", "", "{\"status\": \"Running\", \"node\": \"x\"}") "]}",
		"workloads[0].pods[0].node names a node that is not"},
	{"{\"workloads\": [" JOB("w", "", "{\"count\": 1e7}") "]}", "workloads[0].pods[0].count must be a number"},
	{"{\"workloads\": [" JOB("w", "", "{\"count\": 2000000}, {}") "]}", "workloads[0].pods[1] is one pod too many"},
	{"{\"workloads\": [" JOB("w", "\"requests\": {\"gpuFraction\": 1.5},", "{}") "]}",
		"workloads[0].pods[0].requests.gpuFraction must be a number from 0 to 1"},
	{"{\"workloads\": [" JOB("w", "\"gang\": {\"groups\": [{\"name\": \"g\"}, {\"name\": \"g\"}]},", "{}") "]}",
		"workloads[0].gang two sub-groups have the name \"g\""},
	{"{\"workloads\": [" JOB("w", "\"gang\": {\"groups\": [{\"name\": \"g\", \"podSets\": [{}]}]},", "{}") "]}",
		"workloads[0].gang.groups[0].podSets[0].name must be a text"},
	{"{\"workloads\": [" JOB("w", "\"gang\": {\"topology\": {\"topology\": \"t\"}},", "{}") "]}",
		"workloads[0].gang.topology must have a required or a preferred level"},
	{"{\"topologies\": [{\"name\": \"t\", \"levels\": [1]}]}", "topologies[0].levels must be a list of node labels"},
	{"{\"stint\": {\"pools\": []}}", "stint.pools must be an object"},
	{"{\"stint\": {\"pools\": {\"\": {}}}}", "stint.pools. is no name of a pool"},
	{"{\"stint\": {\"pools\": {\"h100\": 1}}}", "stint.pools.h100 must be an object"},
	{"{\"stint\": {\"pools\": {\"h100\": {\"nodes\": {}}}}}", "stint.pools.h100.nodes must be a list"},
	{"{\"stint\": {\"pools\": {\"h100\": {\"nodes\": [\"x\"]}}}}",
		"stint.pools.h100.nodes[0] names a node that is not in the scenario"},
	{"{\"nodes\": [{\"name\": \"a\"}], \"stint\": {\"pools\": {\"h100\": {\"nodes\": [\"a\"]}, \"a100\": {\"nodes\": [\"a\"]}}}}",
		"stint.pools.a100.nodes[0] names a node that is in another pool"},
	{"{\"stint\": {\"pools\": {\"h100\": {\"placement\": \"heap\"}}}}", "stint.pools.h100.placement must be one of"},
	{"{\"stint\": {\"nodePools\": {\"w\": []}}}", "stint.nodePools.w names no workload of the scenario"},
	{"{\"workloads\": [" JOB("w", "", "{}") "], \"stint\": {\"nodePools\": {\"w\": \"h100\"}}}", "stint.nodePools.w must be a list"},
	{"{\"workloads\": [" JOB("w", "", "{}") "], \"stint\": {\"nodePools\": {\"w\": [\"default\", \"h100\"]}}}",
		"stint.nodePools.w[1] names no pool of the scenario"},
	{"{\"kind\": \"fairshare\", \"total\": {\"gpu\": 1}, \"queues\": [{\"name\": \"a\", \"gpu\": {\"request\": -1}}]}",
		"queues[0].gpu.request must be an amount"},
};

static void a_mistake_is_answered_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(mistakes); i++) {
		stint_auto_json *scenario = parse(mistakes[i].scenario);
		assert_fails(stint_simulate(scenario, &err), STINT_USAGE, mistakes[i].place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_and_gangs_are_bound_and_named),
		cmocka_unit_test(rounds_settle_and_what_leaves_makes_room),
		cmocka_unit_test(declared_times_end_work_and_keep_a_start_for_what_is_blocked),
		cmocka_unit_test(pools_have_nodes_a_strategy_and_workloads_that_list_them),
		cmocka_unit_test(the_order_of_lists_means_nothing),
		cmocka_unit_test(similar_failures_are_skipped_only_where_that_changes_nothing),
		cmocka_unit_test(fair_shares_are_divided_per_resource),
		cmocka_unit_test(a_mistake_is_answered_with_its_place),
	};
	return cmocka_run_group_tests_name("simulate", tests, NULL, NULL);
}
