/*
 * Node pools: in which pool of its list a group is placed, by which strategy, who gives way for it there, and what is said when none will
 * do. Nodes are written as "name:pool:gpus" ("-" is no label), what runs as "node:gpus", and what came out as the nodes of the pods.
 */
#include "tests/unit/test.h"

#include "cluster.h"

static void add_nodes(struct cluster *c, const char *text)
{
	char name[8], pool[8];
	int gpus, at = 0;
	for (; sscanf(text, " %7[^:]:%7[^:]:%d%n", name, pool, &gpus, &at) == 3; text += at)
		add_node(c, name, .gpus = gpus, .pool = strcmp(pool, "-") == 0 ? NULL : pool);
}

static void add_running(struct cluster *c, const char *text, enum stint_pod_status status)
{
	char node[8];
	int gpus, at = 0, serial = 0;
	for (; text && sscanf(text, " %7[^:]:%d%n", node, &gpus, &at) == 2; text += at) {
		stint_autofree char *name = stint_format("run-%d", serial++);
		add_pod(c, add_group(c, name, .queue = "q", .priority = 40), name, .gpus = gpus, .on = node, .status = status);
	}
}

static void add_job(struct cluster *c, struct group_is is, int pods, int gpus)
{
	is.queue = "q";
	const uint32_t group = add_group_(c, "job", is);
	for (int i = 0; i < pods; i++) {
		stint_autofree char *name = stint_format("job-%d", i);
		add_pod(c, group, name, .gpus = gpus);
	}
}

static const char *places(struct cluster *c, int pods)
{
	stint_auto_buf text = {0};
	for (int i = 0; i < pods; i++) {
		stint_autofree char *name = stint_format("job-%d", i);
		const char *node = node_of(c, name);
		stint_buf_printf(&text, "%s%s", i ? " " : "", node[0] ? node : "-");
	}
	return stint_arena_strndup(c->arena, text.data, text.length);
}

/* ---- where there is room ------------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *what, *nodes, *runs, *leaves;
	struct group_is is;
	int pods, gpus;
	const char *placed;
} cases[] = {
	{"without a list every node may do", "a:x:1 b:y:1 c:-:1", NULL, NULL, {.made = true}, 3, 1, "a b c"},
	{"a list of one holds", "a:x:1 b:y:1", NULL, NULL, {.pools = "y"}, 2, 1, "b -"},
	{"a node without the label is in the pool default", "a:x:1 b:-:1", NULL, NULL, {.pools = "default"}, 2, 1, "b -"},
	{"as one that is labelled so", "a:x:1 b:default:1", NULL, NULL, {.pools = "default"}, 1, 1, "b"},
	{"a pool without nodes takes nothing", "a:x:1", NULL, NULL, {.pools = "y"}, 1, 1, "-"},
	{"the first of the list comes first", "a:x:1 b:y:1", NULL, NULL, {.pools = "y,x"}, 1, 1, "b"},
	{"whatever its name", "a:x:1 b:y:1", NULL, NULL, {.pools = "x,y"}, 1, 1, "a"},
	{"pods that start one by one go on in the next pool", "a:x:1 b:y:1 c:z:1", NULL, NULL, {.pools = "y,x"}, 3, 1, "b a -"},
	{"a gang does not", "a:x:1 b:y:1", NULL, NULL, {.pools = "y,x", .min = 2}, 2, 1, "- -"},
	{"it goes whole where it fits", "a:x:2 b:y:1", NULL, NULL, {.pools = "y,x", .min = 2}, 2, 1, "a a"},
	{"more of a gang than it needs goes where it is", "a:x:2 b:y:2 c:y:0", NULL, NULL, {.pools = "y,x", .min = 2}, 3, 1, "b b -"},
	{"a list of one holds for a gang", "a:x:2 b:y:1 c:y:1", NULL, NULL, {.pools = "y", .min = 2}, 2, 1, "b c"},
	{"a name that comes twice counts once", "a:x:1 b:y:1", NULL, NULL, {.pools = "y,y,x"}, 2, 1, "b a"},
	{"where it starts at once before where pods are leaving", "a:x:1 b:y:1", NULL, "b:1", {.pools = "y,x"}, 1, 1, "a"},
	{"and where pods are leaving before nowhere", "a:x:1 b:y:1", "a:1", "b:1", {.pools = "x,y"}, 1, 1, "b"},
	{"a gang that must wait for them waits in one pool", "a:x:2 b:y:1", "b:1", "a:1", {.pools = "y,x", .min = 2}, 2, 1, "a a"},
};

static void a_group_is_placed_in_the_first_pool_of_its_list_that_takes_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct cluster *c = cluster_new();
		add_queue(c, "q", .quota = -1, .weight = 1);
		add_nodes(c, cases[i].nodes);
		add_running(c, cases[i].runs, STINT_POD_BOUND);
		if (cases[i].leaves) {
			add_pod(c, STINT_NO_HANDLE, "gone", .gpus = 1, .on = cluster_text(c, (char[]){cases[i].leaves[0], 0}),
				.status = STINT_POD_RELEASING);
		}
		add_job(c, cases[i].is, cases[i].pods, cases[i].gpus);
		run_cycle(c);
		if (strcmp(places(c, cases[i].pods), cases[i].placed) != 0)
			fail_msg("%s: %s instead of %s", cases[i].what, places(c, cases[i].pods), cases[i].placed);
		cluster_free(c);
	}
}

/* Once with the whole node, so that the next one finds nothing at all. */
static void a_group_is_tried_again_when_its_pools_change(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_queue(c, "q", .quota = -1, .weight = 1);
	add_nodes(c, "a:x:2");
	add_job(c, (struct group_is){.pools = "y"}, 2, 1);
	run_cycle(c);
	assert_string_equal(places(c, 2), "- -");
	add_group(c, "job", .queue = "q", .pools = "y,x");
	run_cycle(c);
	assert_string_equal(places(c, 2), "a a");
	add_group(c, "job", .queue = "q", .pools = "y");
	add_pod(c, stint_engine_group_find(c->engine, "job"), "job-2", .gpus = 1);
	run_cycle(c);
	assert_string_equal(places(c, 3), "a a -");
	add_nodes(c, "b:z:1");
	run_cycle(c);
	assert_string_equal(places(c, 3), "a a -");
	add_nodes(c, "b:y:1"); /* the node gets another label */
	run_cycle(c);
	assert_string_equal(places(c, 3), "a a b");
	const char *names[STINT_MAX_POOLS];
	assert_int_equal(stint_engine_group_pools(c->engine, stint_engine_group_find(c->engine, "job"), names), 1);
	assert_string_equal(names[0], "y");
	cluster_free(c);
}

/* Groups of one request and one list are one shape, whatever the order of the list; of two lists they are two. */
static void pools_are_part_of_the_shape(void **state)
{
	(void)state;
	static const struct {
		const char *first, *second;
		size_t shapes;
	} rows[] = {{"a,b", "b,a", 1}, {"a", "a,b", 2}, {"a", NULL, 2}, {"a", "b", 2}, {NULL, NULL, 1}};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = cluster_new();
		struct stint_engine_stats stats;
		add_pod(c, add_group(c, "one", .queue = "q", .pools = rows[i].first), "one", .gpus = 1);
		add_pod(c, add_group(c, "two", .queue = "q", .pools = rows[i].second), "two", .gpus = 1);
		stint_engine_measure(c->engine, &stats);
		assert_int_equal(stats.shapes, rows[i].shapes);
		cluster_free(c);
	}
}

/* A rack of the first pool that is too small does not make the second one wrong. */
static void a_topology_is_looked_at_inside_each_pool(void **state)
{
	(void)state;
	static const struct stint_part_spec parts[] = {
		{.name = "", .inner = true, .needs = STINT_ALL, .constraint = {.topology = "t", .required_level = "rack"}},
		{.name = "default", .needs = 2},
	};
	static const struct {
		const char *pools, *placed;
	} rows[] = {{"x,y", "c d"}, {"y", "c d"}, {"x", "- -"}, {NULL, "b c"}};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = cluster_new();
		add_queue(c, "q", .quota = -1, .weight = 1);
		add_topology(c, "t", "rack");
		add_node(c, "a", .gpus = 1, .pool = "x", .rack = "r1");
		add_node(c, "b", .gpus = 1, .pool = "x", .rack = "r2");
		add_node(c, "c", .gpus = 1, .pool = "y", .rack = "r2");
		add_node(c, "d", .gpus = 1, .pool = "y", .rack = "r2");
		add_job(c, (struct group_is){.pools = rows[i].pools, .parts = parts, .parts_count = STINT_COUNT(parts)}, 2, 1);
		run_cycle(c);
		if (strcmp(places(c, 2), rows[i].placed) != 0)
			fail_msg("%s: %s instead of %s", rows[i].pools, places(c, 2), rows[i].placed);
		cluster_free(c);
	}
}

/* ---- strategies ------------------------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *what;
	enum stint_placement everywhere;
	struct stint_pool_placement of[2];
	uint32_t of_count;
	const char *pools;
	double portion; /* 0: whole devices */
	const char *placed;
} strategies[] = {
	{"one pool packs", STINT_SPREAD, {{.pool = "x", .gpu_nodes = STINT_BINPACK}}, 1, "x", 0, "a a"},
	{"the others do as everywhere", STINT_SPREAD, {{.pool = "x", .gpu_nodes = STINT_BINPACK}}, 1, "y", 0, "c d"},
	{"one pool spreads", STINT_BINPACK, {{.pool = "y", .gpu_nodes = STINT_SPREAD}}, 1, "y", 0, "c d"},
	{"both have their own", STINT_BINPACK, {{.pool = "x", .gpu_nodes = STINT_SPREAD}, {.pool = "y", .gpu_nodes = STINT_BINPACK}}, 2,
		"y,x", 0, "c c"},
	{"a pool that is not there changes nothing", STINT_SPREAD, {{.pool = "z", .gpu_nodes = STINT_BINPACK}}, 1, "x", 0, "a b"},
	{"without a list the pool that packs comes before the one that spreads", STINT_SPREAD, {{.pool = "y", .gpu_nodes = STINT_BINPACK}},
		1, NULL, 0, "c c"},
	{"and the one that avoids fragmentation stands between", STINT_SPREAD, {{.pool = "y", .gpu_nodes = STINT_FRAGMENTATION}}, 1, NULL,
		0, "c c"},
	{"shares spread over nodes where a pool spreads", STINT_BINPACK, {{.pool = "y", .gpu_nodes = STINT_SPREAD}}, 1, "y", 0.25, "c d"},
	{"and share where it packs", STINT_SPREAD, {{.pool = "y", .gpu_nodes = STINT_BINPACK}}, 1, "y", 0.25, "c c"},
};

static void each_pool_has_its_strategy(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(strategies); i++) {
		struct cluster *c = cluster_new();
		struct stint_pool_placement of[2] = {0};
		for (uint32_t p = 0; p < strategies[i].of_count; p++)
			of[p] = stint_pool_placement_of(strategies[i].of[p].pool, strategies[i].of[p].gpu_nodes);
		c->policy = stint_policy_of(strategies[i].everywhere, STINT_BINPACK);
		c->policy.pools = of;
		c->policy.pools_count = strategies[i].of_count;
		add_queue(c, "q", .quota = -1, .weight = 1);
		add_nodes(c, "a:x:4 b:x:4 c:y:4 d:y:4");
		for (int pod = 0; pod < 2; pod++) {
			stint_autofree char *name = stint_format("job-%d", pod);
			const uint32_t group = add_group(c, name, .queue = "q", .pools = strategies[i].pools);
			add_pod(c, group, name, .gpus = strategies[i].portion > 0 ? 0 : 1, .portion = strategies[i].portion);
		}
		run_cycle(c);
		if (strcmp(places(c, 2), strategies[i].placed) != 0)
			fail_msg("%s: %s instead of %s", strategies[i].what, places(c, 2), strategies[i].placed);
		cluster_free(c);
	}
}

static uint64_t slots_of(const struct cluster *c, const char *pod)
{
	return pod_seen(c, pod).devices;
}

static void devices_go_by_the_strategy_of_their_pool(void **state)
{
	(void)state;
	struct stint_pool_placement spread = stint_pool_placement_of("y", STINT_SPREAD);
	struct cluster *c = cluster_new();
	c->policy.pools = &spread;
	c->policy.pools_count = 1;
	add_queue(c, "q", .quota = -1, .weight = 1);
	add_nodes(c, "a:x:2 b:y:2");
	add_pod(c, add_group(c, "p", .queue = "q", .pools = "x"), "p-0", .portion = 0.5);
	add_pod(c, add_group(c, "q", .queue = "q", .pools = "x"), "q-0", .portion = 0.5);
	add_pod(c, add_group(c, "r", .queue = "q", .pools = "y"), "r-0", .portion = 0.5);
	add_pod(c, add_group(c, "s", .queue = "q", .pools = "y"), "s-0", .portion = 0.5);
	run_cycle(c);
	assert_int_equal(slots_of(c, "p-0"), slots_of(c, "q-0"));
	assert_int_not_equal(slots_of(c, "r-0"), slots_of(c, "s-0"));
	cluster_free(c);
}

/* The engine keeps its own copy, and sees that only a strategy has changed. */
static void a_strategy_that_changes_rules_from_then_on(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	char name[] = "y";
	struct stint_pool_placement of = stint_pool_placement_of(name, STINT_SPREAD);
	c->policy.pools = &of;
	c->policy.pools_count = 1;
	add_queue(c, "q", .quota = -1, .weight = 1);
	add_nodes(c, "c:y:4 d:y:4");
	add_job(c, (struct group_is){.pools = "y"}, 2, 1);
	run_cycle(c);
	assert_string_equal(places(c, 2), "c d");
	of = stint_pool_placement_of(name, STINT_BINPACK);
	add_job(c, (struct group_is){.pools = "y"}, 4, 1);
	run_cycle(c);
	name[0] = 'z';
	assert_string_equal(places(c, 4), "c d c c");
	cluster_free(c);
}

/* The order inside a pool is kept between cycles: all of it is another one then, though only one node has changed. */
static void nothing_is_left_of_a_former_order(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_queue(c, "q", .quota = -1, .weight = 1);
	add_nodes(c, "c:y:8 b:y:1 d:y:2 e:y:4");
	for (int i = 0; i < 20; i++) {
		stint_autofree char *name = stint_format("none-%d", i);
		add_node(c, name, .pool = "y");
	}
	add_running(c, "b:1 d:1 e:1", STINT_POD_BOUND);
	c->policy = stint_policy_of(STINT_SPREAD, STINT_BINPACK);
	add_job(c, (struct group_is){.pools = "y,x"}, 1, 1);
	run_cycle(c);
	assert_string_equal(places(c, 1), "c");
	c->policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	add_job(c, (struct group_is){.pools = "y,x"}, 2, 1);
	run_cycle(c);
	assert_string_equal(places(c, 2), "c d");
	cluster_free(c);
}

/* ---- who gives way ---------------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *what, *nodes, *runs;
	struct group_is is;
	int pods, gpus;
	const char *falls, *placed; /* nodes whose run-N falls; where the job's place is kept */
} evictions[] = {
	{"nobody gives way while a later pool has room", "a:x:1 b:y:1", "a:1", {.pools = "x,y"}, 1, 1, "", "b"},
	{"then somebody in the first pool does", "a:x:1 b:y:1", "b:1 a:1", {.pools = "x,y"}, 1, 1, "a", "a"},
	{"whichever comes first in the list", "a:x:1 b:y:1", "b:1 a:1", {.pools = "y,x"}, 1, 1, "b", "b"},
	{"in the next one when the first is too small", "a:x:1 b:y:2", "a:1 b:2", {.pools = "x,y", .min = 2}, 2, 1, "b", "b b"},
	{"nobody outside the list does", "a:x:1 b:y:1 c:z:1", "a:1 b:1 c:1", {.pools = "z"}, 1, 1, "c", "c"},
	{"nobody does for a pool that is not there", "a:x:1", "a:1", {.pools = "z"}, 1, 1, "", "-"},
	{"without a list anybody may", "a:x:1 b:y:1", "a:1 b:1", {.made = true}, 1, 1, "b", "b"},
};

static void running_work_gives_way_in_the_order_of_the_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(evictions); i++) {
		struct cluster *c = cluster_new();
		stint_policy_evict(&c->policy);
		add_queue(c, "q", .quota = -1, .weight = 1);
		add_nodes(c, evictions[i].nodes);
		add_running(c, evictions[i].runs, STINT_POD_BOUND);
		struct group_is is = evictions[i].is;
		is.priority = 60;
		add_job(c, is, evictions[i].pods, evictions[i].gpus);
		run_cycle(c);
		stint_auto_buf falls = {0};
		for (size_t d = 0; d < c->last.count; d++) {
			struct stint_node_view node;
			if (c->last.decisions[d].kind == STINT_DECIDE_EVICT &&
				stint_engine_node_view(c->engine, c->last.decisions[d].node, &node))
				stint_buf_printf(&falls, "%s", node.name);
		}
		if (strcmp(falls.length ? falls.data : "", evictions[i].falls) != 0)
			fail_msg("%s: \"%s\" falls instead of \"%s\"", evictions[i].what, falls.data, evictions[i].falls);
		if (strcmp(places(c, evictions[i].pods), evictions[i].placed) != 0)
			fail_msg("%s: %s instead of %s", evictions[i].what, places(c, evictions[i].pods), evictions[i].placed);
		cluster_free(c);
	}
}

/* The surplus of a gang that runs in the second pool is made room for there, and not in the first. */
static void a_gang_that_runs_gets_its_surplus_where_it_runs(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	stint_policy_evict(&c->policy);
	add_queue(c, "q", .quota = -1, .weight = 1);
	add_nodes(c, "a:x:1 b:y:3");
	add_running(c, "a:1 b:1", STINT_POD_BOUND);
	const uint32_t group = add_group(c, "job", .queue = "q", .pools = "x,y", .min = 2, .priority = 60);
	add_pod(c, group, "job-0", .gpus = 1, .on = "b");
	add_pod(c, group, "job-1", .gpus = 1, .on = "b");
	add_pod(c, group, "job-2", .gpus = 1);
	run_cycle(c);
	assert_string_equal(places(c, 3), "b b b");
	cluster_free(c);
}

/* ---- what is said ------------------------------------------------------------------------------------------------------------------------ */

static void bounds_are_those_of_the_pools_of_the_list(void **state)
{
	(void)state;
	static const struct {
		const char *pools;
		int pods, gpus;
		bool never;
		uint64_t room;
		uint32_t others, short_of;
	} rows[] = {
		{"x", 1, 4, true, 0, 2, 1}, /* no node of x has four */
		{"y", 1, 4, false, 1, 2, 1},
		{"x,y", 3, 2, true, 2, 1, 2}, /* two in y at most; the one of x does not help */
		{"y", 2, 2, false, 2, 2, 1},
		{NULL, 1, 4, false, 1, 0, 3},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = cluster_new();
		add_queue(c, "q", .quota = -1, .weight = 1);
		add_nodes(c, "a:x:2 b:y:4 c:-:1");
		add_running(c, "a:2 b:4 c:1", STINT_POD_BOUND);
		add_job(c, (struct group_is){.pools = rows[i].pools, .min = (uint32_t)rows[i].pods}, rows[i].pods, rows[i].gpus);
		run_cycle(c);
		struct stint_why why;
		stint_engine_why(c->engine, stint_engine_group_find(c->engine, "job"), &why);
		assert_int_equal(why.record.reason, STINT_REASON_NO_ROOM);
		assert_int_equal(why.never, rows[i].never);
		assert_int_equal(why.room_when_empty, rows[i].room);
		assert_int_equal(why.short_of[STINT_CAUSE_POOL], rows[i].others);
		assert_int_equal(why.short_of[STINT_CAUSE_GPU], rows[i].short_of);
		cluster_free(c);
	}
}

/* What waits for a pool is not tried again because another pool has room. */
static void refusal_is_cheap(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_queue(c, "q", .quota = -1, .weight = 1);
	add_nodes(c, "a:x:1 b:y:1");
	add_running(c, "a:1 b:1", STINT_POD_BOUND);
	add_job(c, (struct group_is){.pools = "x"}, 1, 1);
	run_cycle(c);
	assert_int_equal(c->last.tried, 1);
	stint_engine_pod_remove(c->engine, "run-1"); /* in y */
	run_cycle(c);
	assert_int_equal(c->last.tried, 0);
	stint_engine_pod_remove(c->engine, "run-0");
	run_cycle(c);
	assert_string_equal(places(c, 1), "a");
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_is_placed_in_the_first_pool_of_its_list_that_takes_it),
		cmocka_unit_test(a_group_is_tried_again_when_its_pools_change),
		cmocka_unit_test(pools_are_part_of_the_shape),
		cmocka_unit_test(a_topology_is_looked_at_inside_each_pool),
		cmocka_unit_test(each_pool_has_its_strategy),
		cmocka_unit_test(devices_go_by_the_strategy_of_their_pool),
		cmocka_unit_test(a_strategy_that_changes_rules_from_then_on),
		cmocka_unit_test(nothing_is_left_of_a_former_order),
		cmocka_unit_test(running_work_gives_way_in_the_order_of_the_list),
		cmocka_unit_test(a_gang_that_runs_gets_its_surplus_where_it_runs),
		cmocka_unit_test(bounds_are_those_of_the_pools_of_the_list),
		cmocka_unit_test(refusal_is_cheap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
