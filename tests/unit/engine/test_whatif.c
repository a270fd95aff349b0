/* What remedies promise: each of them alone starts the group, the smallest comes first, and asking changes nothing. */
#include "cluster.h"

#include "../test.h"

static size_t ask(struct cluster *c, const char *group, struct stint_remedy out[static STINT_MAX_REMEDIES])
{
	return stint_engine_remedies(c->engine, stint_engine_group_find(c->engine, group), out);
}

static const struct stint_remedy *find(const struct stint_remedy *all, size_t count, enum stint_remedy_kind kind)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i].kind == kind)
			return &all[i];
	}
	return NULL;
}

static void a_limit_is_raised_by_what_is_missing(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "q", .quota = 2, .limit = 4);
	add_pod(c, add_group(c, "runs", .queue = "q"), "runs-0", .gpus = 3, .on = "n0", .slots = 0x7);
	add_pod(c, add_group(c, "waits", .queue = "q"), "waits-0", .gpus = 3);
	run_cycle(c);
	struct stint_remedy all[STINT_MAX_REMEDIES];
	const size_t count = ask(c, "waits", all);
	assert_int_equal(count, 2);
	const struct stint_remedy *limit = find(all, count, STINT_REMEDY_LIMIT), *fewer = find(all, count, STINT_REMEDY_DEVICES);
	assert_non_null(limit);
	assert_true(limit->from == 4 && limit->to == 6 && limit->dimension == STINT_GPU);
	assert_non_null(fewer);
	assert_true(fewer->from == 3 && fewer->to == 1);
	cluster_free(c);
}

static void only_what_really_starts_it_is_offered(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4);
	add_queue(c, "q", .quota = 2, .limit = 2);
	/* Beyond its limit, and larger than every node: no single change of the bound helps. */
	add_pod(c, add_group(c, "waits", .queue = "q"), "waits-0", .gpus = 6);
	run_cycle(c);
	struct stint_remedy all[STINT_MAX_REMEDIES];
	const size_t count = ask(c, "waits", all);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].kind, STINT_REMEDY_DEVICES);
	assert_true(all[0].to == 2);
	cluster_free(c);
}

static void free_changes_come_before_those_that_cost_gpus(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "q", .quota = 1, .limit = 8);
	add_pod(c, add_group(c, "waits", .queue = "q", .fixed = true), "waits-0", .gpus = 2);
	run_cycle(c);
	struct stint_remedy all[STINT_MAX_REMEDIES];
	const size_t count = ask(c, "waits", all);
	assert_int_equal(count, 3);
	assert_int_equal(all[0].kind, STINT_REMEDY_PREEMPTIBLE);
	assert_int_equal(all[1].kind, STINT_REMEDY_DEVICES);
	assert_int_equal(all[2].kind, STINT_REMEDY_QUOTA);
	assert_true(all[2].to == 2);
	cluster_free(c);
}

static void each_term_that_is_in_the_way_alone_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct node_is node;
		struct pod_is pod;
		enum stint_remedy_kind kind;
		double to;
	} table[] = {
		{"taint", {.made = true, .gpus = 1, .taint = "gpu"}, {.made = true, .gpus = 1}, STINT_REMEDY_TOLERATION, 0},
		{"selector", {.made = true, .gpus = 1}, {.made = true, .gpus = 1, .selects = "zone", .selected = "a"},
			STINT_REMEDY_SELECTOR, 0},
		{"cordon", {.made = true, .gpus = 1, .cordoned = true}, {.made = true, .gpus = 1}, STINT_REMEDY_UNCORDON, 0},
		{"cpu", {.made = true, .gpus = 1, .cpu_milli = 1500}, {.made = true, .gpus = 1, .cpu_milli = 4000}, STINT_REMEDY_CPU, 1500},
		{"memory", {.made = true, .gpus = 1, .memory_bytes = GIB}, {.made = true, .gpus = 1, .memory_bytes = 2 * GIB},
			STINT_REMEDY_MEMORY, 1024},
		{"device memory", {.made = true, .gpus = 1, .mib = 4000}, {.made = true, .mib = 5000}, STINT_REMEDY_GPU_MEMORY, 4000},
		{"two devices", {.made = true, .gpus = 1}, {.made = true, .gpus = 2}, STINT_REMEDY_DEVICES, 1},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct cluster *c = cluster_new();
		add_node_(c, "n0", table[i].node);
		add_queue(c, "q", .quota = 8);
		add_pod_(c, add_group(c, "waits", .queue = "q"), "waits-0", table[i].pod);
		run_cycle(c);
		struct stint_remedy all[STINT_MAX_REMEDIES];
		const size_t count = ask(c, "waits", all);
		if (count != 1 || all[0].kind != table[i].kind || all[0].to != table[i].to)
			fail_msg("%s: %zu remedies, the first of kind %d to %g", table[i].what, count, (int)all[0].kind, all[0].to);
		cluster_free(c);
	}
}

/* In the order of the nodes' names; a pool that would not do either is not named. */
static void another_pool_is_named_where_that_starts_it(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1, .pool = "x");
	add_node(c, "n1", .gpus = 2, .pool = "y");
	add_node(c, "n2", .gpus = 2);
	add_node(c, "n3", .gpus = 1, .pool = "z");
	add_queue(c, "q", .quota = 8);
	const uint32_t gang = add_group(c, "gang", .queue = "q", .min = 2, .pools = "x");
	add_pod(c, gang, "gang-0", .gpus = 1);
	add_pod(c, gang, "gang-1", .gpus = 1, .cpu_milli = 1000);
	run_cycle(c);
	struct stint_remedy all[STINT_MAX_REMEDIES];
	for (int again = 0; again < 2; again++) {
		const size_t count = ask(c, "gang", all);
		assert_int_equal(count, 3);
		assert_int_equal(all[0].kind, STINT_REMEDY_POOL);
		assert_string_equal(all[0].pool, "y");
		assert_int_equal(all[1].kind, STINT_REMEDY_POOL);
		assert_string_equal(all[1].pool, "default");
		assert_int_equal(all[2].kind, STINT_REMEDY_MEMBERS);
	}
	assert_int_equal(run_cycle(c), 0);
	add_group(c, "gang", .queue = "q", .min = 2, .pools = "x,y");
	assert_int_equal(run_cycle(c), 2);
	cluster_free(c);
}

static void a_gang_may_start_with_as_many_as_fit(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 5);
	add_queue(c, "q", .quota = 16);
	const uint32_t gang = add_group(c, "gang", .queue = "q", .min = 8);
	for (int i = 0; i < 8; i++) {
		stint_autofree char *name = stint_format("gang-%d", i);
		add_pod(c, gang, name, .gpus = 1);
	}
	run_cycle(c);
	struct stint_remedy all[STINT_MAX_REMEDIES];
	const size_t count = ask(c, "gang", all);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].kind, STINT_REMEDY_MEMBERS);
	assert_true(all[0].from == 8 && all[0].to == 5);
	cluster_free(c);
}

static void asking_changes_nothing(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4);
	add_node(c, "n1", .gpus = 4, .cordoned = true, .taint = "gpu");
	add_queue(c, "q", .quota = 2, .limit = 6);
	add_pod(c, add_group(c, "runs", .queue = "q"), "runs-0", .gpus = 3, .on = "n0", .slots = 0x7);
	add_pod(c, add_group(c, "waits", .queue = "q"), "waits-0", .gpus = 2, .cpu_milli = 1000);
	run_cycle(c);
	struct stint_remedy first[STINT_MAX_REMEDIES], second[STINT_MAX_REMEDIES];
	const size_t count = ask(c, "waits", first);
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(c->last.tried, 0);
	assert_int_equal(ask(c, "waits", second), count);
	struct stint_node_view node;
	assert_true(stint_engine_node_view(c->engine, stint_engine_node_find(c->engine, "n0"), &node));
	assert_int_equal(node.gpus_idle, 1);
	assert_int_equal(record_of(c, "waits").reason, STINT_REASON_NO_ROOM);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_is_raised_by_what_is_missing),
		cmocka_unit_test(only_what_really_starts_it_is_offered),
		cmocka_unit_test(free_changes_come_before_those_that_cost_gpus),
		cmocka_unit_test(each_term_that_is_in_the_way_alone_is_named),
		cmocka_unit_test(another_pool_is_named_where_that_starts_it),
		cmocka_unit_test(a_gang_may_start_with_as_many_as_fit),
		cmocka_unit_test(asking_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
