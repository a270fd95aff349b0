/*
 * Pod affinity and anti-affinity: who may stand beside whom, and that rankings and memos hear of it.
 */
#include "tests/unit/test.h"

#include "cluster.h"

#define SELECTS(app) "\"labelSelector\":{\"matchLabels\":{\"app\":\"" app "\"}}"
#define TERM(app, key) "{" SELECTS(app) ",\"topologyKey\":\"" key "\"}"
#define REQUIRED(terms) "{\"requiredDuringSchedulingIgnoredDuringExecution\":[" terms "]}"
#define PREFERRED(weight, term) \
	"{\"preferredDuringSchedulingIgnoredDuringExecution\":[{\"weight\":" #weight ",\"podAffinityTerm\":" term "}]}"

/* Two zones of two racks of one node: a/1 n0, a/2 n1, b/3 n2, b/4 n3; n4 has no labels. */
static struct cluster *two_zones(void)
{
	static const char *const racks[] = {"1", "2", "3", "4"};
	struct cluster *c = cluster_new();
	for (int i = 0; i < 4; i++) {
		char name[8];
		snprintf(name, sizeof name, "n%d", i);
		add_node(c, name, .gpus = 4, .label = "zone", .value = i < 2 ? "a" : "b", .rack = racks[i]);
	}
	add_node(c, "n4", .gpus = 4);
	add_queue(c, "q", .quota = -1, .weight = 1);
	return c;
}

static uint32_t one(struct cluster *c, const char *name)
{
	static int64_t age_s = 1000000;
	return add_group(c, name, .queue = "q", .age_s = age_s--);
}

static enum stint_cause cause_of(struct cluster *c, const char *group, uint32_t nodes)
{
	struct stint_why why;
	stint_engine_why(c->engine, stint_engine_group_find(c->engine, group), &why);
	for (enum stint_cause cause = 0; cause < STINT_CAUSE_COUNT; cause++) {
		if (why.short_of[cause] == nodes)
			return cause;
	}
	return STINT_CAUSE_COUNT;
}

static void a_pod_goes_only_near_those_that_it_wants(void **state)
{
	(void)state;
	static const struct {
		const char *near;
		const char *goes; /* "": nowhere */
	} rows[] = {
		{REQUIRED(TERM("db", "zone")), "n2"}, /* the fuller node would be n2 by name in zone b */
		{REQUIRED(TERM("db", "rack")), "n3"}, {REQUIRED(TERM("web", "zone")), ""}, {REQUIRED(TERM("db", "floor")), ""},
		{REQUIRED("{\"topologyKey\":\"zone\"}"), ""}, /* no selector: no pod */
		{REQUIRED("{\"labelSelector\":{},\"topologyKey\":\"rack\"}"), "n3"}, /* an empty one: any pod */
		{REQUIRED("{\"labelSelector\":{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"x\",\"db\"]}]},"
			  "\"topologyKey\":\"rack\"}"),
			"n3"},
		{REQUIRED(TERM("db", "zone") "," TERM("db", "rack")), "n3"},
		{REQUIRED(TERM("db", "zone") "," TERM("web", "zone")), ""}, /* no single pod is both */
		{"{\"requiredDuringSchedulingIgnoredDuringExecution\":[{}]}", ""}, /* cannot be read */
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = two_zones();
		add_pod(c, one(c, "db"), "db", .gpus = 1, .slots = 1, .label = "app", .value = "db", .on = "n3");
		add_pod(c, one(c, "p"), "p", .cpu_milli = 100, .near = rows[i].near);
		run_cycle(c);
		if (strcmp(node_of(c, "p"), rows[i].goes) != 0)
			fail_msg("row %zu: on \"%s\" and not \"%s\"", i, node_of(c, "p"), rows[i].goes);
		cluster_free(c);
	}
}

static void namespaces_of_a_term_are_the_own_those_named_or_those_selected(void **state)
{
	(void)state;
	static const struct {
		const char *more; /* of the term */
		bool placed;
	} rows[] = {
		{"", false},
		{",\"namespaces\":[\"other\"]", true},
		{",\"namespaces\":[\"mine\"]", false},
		{",\"namespaceSelector\":{}", true},
		{",\"namespaceSelector\":{\"matchLabels\":{\"team\":\"red\"}}", true},
		{",\"namespaceSelector\":{\"matchLabels\":{\"team\":\"blue\"}}", false},
		{",\"namespaces\":[\"other\"],\"namespaceSelector\":{\"matchLabels\":{\"team\":\"blue\"}}", true},
	};
	static const struct stint_pair team = {"team", "red"};
	static struct stint_space other = {.meta = {.kind = STINT_KIND_NAMESPACE, .refs = 1, .name = "other", .labels = {&team, 1}}};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = two_zones();
		stint_autofree char *near = stint_format(REQUIRED("{" SELECTS("db") ",\"topologyKey\":\"zone\"%s}"), rows[i].more);
		stint_engine_space_upsert(c->engine, &other);
		add_pod(c, one(c, "db"), "db", .label = "app", .value = "db", .space = "other", .on = "n3");
		add_pod(c, one(c, "p"), "p", .cpu_milli = 100, .near = near, .space = "mine");
		run_cycle(c);
		if (*node_of(c, "p") != (rows[i].placed ? 'n' : '\0'))
			fail_msg("row %zu: on \"%s\"", i, node_of(c, "p"));
		cluster_free(c);
	}
}

static void the_labels_of_a_namespace_may_change(void **state)
{
	(void)state;
	static const struct stint_pair red = {"team", "red"}, blue = {"team", "blue"};
	static struct stint_space before = {.meta = {.kind = STINT_KIND_NAMESPACE, .refs = 1, .name = "other", .labels = {&blue, 1}}};
	static struct stint_space after = {.meta = {.kind = STINT_KIND_NAMESPACE, .refs = 1, .name = "other", .labels = {&red, 1}}};
	struct cluster *c = two_zones();
	stint_engine_space_upsert(c->engine, &before);
	add_pod(c, one(c, "db"), "db", .label = "app", .value = "db", .space = "other", .on = "n3");
	add_pod(c, one(c, "p"), "p", .space = "mine",
		.near = REQUIRED(
			"{" SELECTS("db") ",\"topologyKey\":\"zone\",\"namespaceSelector\":{\"matchLabels\":{\"team\":\"red\"}}}"));
	assert_int_equal(run_cycle(c), 0);
	stint_engine_space_upsert(c->engine, &after);
	assert_int_equal(run_cycle(c), 1);
	cluster_free(c);
}

static void the_first_of_a_kind_may_begin_a_domain_and_the_others_follow(void **state)
{
	(void)state;
	struct cluster *c = two_zones();
	const uint32_t group = add_group(c, "ring", .queue = "q", .min = 8);
	for (int i = 0; i < 8; i++) {
		char name[8];
		snprintf(name, sizeof name, "r%d", i);
		add_pod(c, group, name, .gpus = 1, .label = "app", .value = "ring", .near = REQUIRED(TERM("ring", "zone")));
	}
	assert_int_equal(run_cycle(c), 8);
	for (int i = 0; i < 8; i++) {
		char name[8];
		snprintf(name, sizeof name, "r%d", i);
		assert_true(strcmp(node_of(c, name), "n0") == 0 || strcmp(node_of(c, name), "n1") == 0);
	}
	add_pod(c, one(c, "late"), "late", .gpus = 1, .label = "app", .value = "ring", .near = REQUIRED(TERM("ring", "zone")));
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(cause_of(c, "late", 3), STINT_CAUSE_AFFINITY);
	cluster_free(c);
}

static void a_gang_that_must_be_together_and_does_not_fit_leaves_no_trace(void **state)
{
	(void)state;
	struct cluster *c = two_zones();
	const uint32_t group = add_group(c, "ring", .queue = "q", .min = 9, .age_s = 9);
	for (int i = 0; i < 9; i++) {
		char name[8];
		snprintf(name, sizeof name, "r%d", i);
		add_pod(c, group, name, .gpus = 1, .label = "app", .value = "ring", .near = REQUIRED(TERM("ring", "zone")));
	}
	add_pod(c, one(c, "far"), "far", .gpus = 1, .far = REQUIRED(TERM("ring", "zone")));
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "far"), "n0");
	cluster_free(c);
}

static void anti_affinity_keeps_away_and_holds_both_ways(void **state)
{
	(void)state;
	struct cluster *c = two_zones();
	add_pod(c, one(c, "db"), "db", .label = "app", .value = "db", .on = "n0");
	add_pod(c, one(c, "shy"), "shy", .gpus = 1, .far = REQUIRED(TERM("db", "zone")));
	run_cycle(c);
	assert_string_equal(node_of(c, "shy"), "n2");
	/* The one that is avoided has no terms itself; a node without the label is in no domain. */
	add_pod(c, one(c, "db1"), "db1", .gpus = 4, .label = "app", .value = "db");
	add_pod(c, one(c, "db2"), "db2", .gpus = 4, .label = "app", .value = "db");
	add_pod(c, one(c, "db3"), "db3", .gpus = 4, .label = "app", .value = "db");
	add_pod(c, one(c, "db4"), "db4", .gpus = 4, .label = "app", .value = "db");
	add_pod(c, one(c, "web"), "web", .gpus = 4, .label = "app", .value = "web");
	assert_int_equal(run_cycle(c), 4);
	assert_string_equal(node_of(c, "db1"), "n0");
	assert_string_equal(node_of(c, "db2"), "n1");
	assert_string_equal(node_of(c, "db3"), "n4");
	assert_string_equal(node_of(c, "db4"), "");
	assert_string_equal(node_of(c, "web"), "n3");
	stint_engine_pod_remove(c->engine, "shy");
	stint_engine_pod_remove(c->engine, "web");
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "db4"), "n2");
	cluster_free(c);
}

static void one_to_a_rack_fills_all_racks_and_no_more(void **state)
{
	(void)state;
	struct cluster *c = two_zones();
	stint_engine_node_remove(c->engine, "n4");
	for (int i = 0; i < 5; i++) {
		char name[8];
		snprintf(name, sizeof name, "p%d", i);
		add_pod(c, one(c, name), name, .gpus = 1, .label = "app", .value = "p", .far = REQUIRED(TERM("p", "rack")));
	}
	assert_int_equal(run_cycle(c), 4);
	assert_string_equal(node_of(c, "p3"), "n3");
	assert_int_equal(cause_of(c, "p4", 4), STINT_CAUSE_ANTI_AFFINITY);
	struct stint_why why;
	stint_engine_why(c->engine, stint_engine_group_find(c->engine, "p4"), &why);
	assert_false(why.never);
	assert_int_equal(why.room_when_empty, 4);
	/* A pod on its way out is still there. */
	add_pod(c, stint_engine_group_find(c->engine, "p0"), "p0", .gpus = 1, .label = "app", .value = "p",
		.far = REQUIRED(TERM("p", "rack")), .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	assert_int_equal(run_cycle(c), 0);
	stint_engine_pod_remove(c->engine, "p0");
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "p4"), "n0");
	cluster_free(c);
}

static void what_fails_for_want_of_company_is_tried_again_when_it_comes(void **state)
{
	(void)state;
	struct cluster *c = two_zones();
	add_pod(c, one(c, "p"), "p", .gpus = 1, .near = REQUIRED(TERM("db", "zone")));
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(c->last.tried, 1);
	add_pod(c, one(c, "x"), "x", .gpus = 1); /* news that are nothing to it */
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(c->last.tried, 1);
	/* Company by others. */
	add_pod(c, STINT_NO_HANDLE, "foreign", .label = "app", .value = "db", .on = "n2");
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "p"), "n2");
	/* Company by our own decision: in the cycle after it. */
	add_pod(c, one(c, "w"), "w", .gpus = 1, .near = REQUIRED(TERM("web", "zone")));
	add_pod(c, one(c, "web"), "web", .gpus = 1, .label = "app", .value = "web");
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(run_cycle(c), 1);
	assert_true(*node_of(c, "w") == 'n');
	assert_int_equal(run_cycle(c), 0);
	cluster_free(c);
}

static void labels_of_pods_and_nodes_may_change(void **state)
{
	(void)state;
	struct cluster *c = two_zones();
	add_pod(c, one(c, "db"), "db", .label = "app", .value = "db", .on = "n3");
	add_pod(c, one(c, "p"), "p", .gpus = 4, .near = REQUIRED(TERM("web", "rack")));
	assert_int_equal(run_cycle(c), 0);
	add_pod(c, stint_engine_group_find(c->engine, "db"), "db", .label = "app", .value = "web", .on = "n3");
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "p"), "n3");
	add_pod(c, one(c, "p2"), "p2", .gpus = 4, .near = REQUIRED(TERM("web", "rack")));
	assert_int_equal(run_cycle(c), 0);
	add_node(c, "n1", .gpus = 4, .label = "zone", .value = "a", .rack = "4"); /* moved beside n3 */
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "p2"), "n1");
	add_node(c, "n3", .gpus = 4, .label = "zone", .value = "b", .rack = "9"); /* moved away, and its pods with it */
	add_pod(c, one(c, "p3"), "p3", .cpu_milli = 1, .near = REQUIRED(TERM("web", "rack")), .selects = "rack", .selected = "4");
	assert_int_equal(run_cycle(c), 0);
	cluster_free(c);
}

static void preferences_count_where_the_policy_says_so(void **state)
{
	(void)state;
	for (int prefer = 0; prefer < 2; prefer++) {
		struct cluster *c = two_zones();
		c->policy.prefer_pod_affinity = prefer;
		add_pod(c, one(c, "db"), "db", .label = "app", .value = "db", .on = "n3");
		add_pod(c, one(c, "full"), "full", .gpus = 3, .slots = 7, .on = "n0"); /* where packing would go */
		add_pod(c, one(c, "likes"), "likes", .gpus = 1, .near = PREFERRED(5, TERM("db", "rack")));
		run_cycle(c);
		assert_string_equal(node_of(c, "likes"), prefer ? "n3" : "n0");
		/* Liked by one that is there, disliked by itself: the larger weight wins. */
		add_pod(c, one(c, "fan"), "fan", .label = "app", .value = "fan", .on = "n1", .near = PREFERRED(7, TERM("star", "rack")));
		add_pod(c, one(c, "star"), "star", .gpus = 1, .label = "app", .value = "star", .far = PREFERRED(6, TERM("fan", "rack")));
		run_cycle(c);
		if (prefer)
			assert_string_equal(node_of(c, "star"), "n1");
		cluster_free(c);
	}
}

/* Every workload with a term of its own: the table of terms must not grow with those that have gone. */
static void terms_of_those_that_have_gone_are_swept(void **state)
{
	(void)state;
	struct cluster *c = two_zones();
	struct stint_engine_stats stats;
	for (int i = 0; i < 1000; i++) {
		char app[16];
		snprintf(app, sizeof app, "app%d", i);
		stint_autofree char *far =
			stint_format(REQUIRED("{\"labelSelector\":{\"matchLabels\":{\"app\":\"%s\"}},\"topologyKey\":\"rack\"}"), app);
		const uint32_t group = add_group(c, app, .queue = "q", .min = 2);
		for (int p = 0; p < 2; p++) {
			char name[24];
			snprintf(name, sizeof name, "%s-%d", app, p);
			add_pod(c, group, name, .gpus = 1, .label = "app", .value = app, .far = far);
		}
		assert_int_equal(run_cycle(c), 2);
		assert_string_not_equal(node_of(c, "app0-0"), node_of(c, "app0-1"));
		for (int p = 0; p < 2 && i; p++) {
			char name[24];
			snprintf(name, sizeof name, "%s-%d", app, p);
			stint_engine_pod_remove(c->engine, name);
		}
		if (i)
			stint_engine_group_remove(c->engine, group);
	}
	stint_engine_measure(c->engine, &stats);
	assert_true(stats.terms < 300);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_goes_only_near_those_that_it_wants),
		cmocka_unit_test(namespaces_of_a_term_are_the_own_those_named_or_those_selected),
		cmocka_unit_test(the_labels_of_a_namespace_may_change),
		cmocka_unit_test(the_first_of_a_kind_may_begin_a_domain_and_the_others_follow),
		cmocka_unit_test(a_gang_that_must_be_together_and_does_not_fit_leaves_no_trace),
		cmocka_unit_test(anti_affinity_keeps_away_and_holds_both_ways),
		cmocka_unit_test(one_to_a_rack_fills_all_racks_and_no_more),
		cmocka_unit_test(what_fails_for_want_of_company_is_tried_again_when_it_comes),
		cmocka_unit_test(labels_of_pods_and_nodes_may_change),
		cmocka_unit_test(preferences_count_where_the_policy_says_so),
		cmocka_unit_test(terms_of_those_that_have_gone_are_swept),
	};
	return cmocka_run_group_tests_name("engine: affinity", tests, NULL, NULL);
}
