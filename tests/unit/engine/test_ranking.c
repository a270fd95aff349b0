/*
 * Rankings that fall behind: what they cost to bring up to date, seen by the stamp that the making of a whole ranking leaves.
 */
#include "tests/unit/test.h"

#include "cluster.h"
#include "core/engine/state.h"

static uint64_t played(const struct cluster *c, const char *pod)
{
	return c->engine->shapes[c->engine->pods[pod_named(c, pod)].shape].ranking.played;
}

/* Of 40 nodes each of `changed` takes and loses `times` pods while nobody asks for what `late` asks for. */
static bool is_made_anew(int changed, int times)
{
	struct cluster *c = cluster_new();
	add_queue(c, "q", .quota = -1);
	for (int node = 0; node < 40; node++) {
		stint_autofree char *name = stint_format("n%02d", node);
		add_node(c, name, .gpus = 8);
	}
	add_pod(c, add_group(c, "first", .queue = "q"), "first", .gpus = 2);
	run_cycle(c);
	const uint64_t before = played(c, "first");
	for (int i = 0; i < changed * times; i++) {
		stint_autofree char *node = stint_format("n%02d", i % changed);
		add_pod(c, add_group(c, "other", .queue = "q"), "other", .gpus = 1, .on = node, .slots = 128);
		stint_engine_pod_remove(c->engine, "other");
	}
	/* The fullest node that it may have, by binpacking: seen only by who has caught up. */
	add_pod(c, add_group(c, "other", .queue = "q"), "other", .gpus = 6, .on = "n01", .slots = 63);
	add_pod(c, add_group(c, "late", .queue = "q"), "late", .gpus = 2);
	run_cycle(c);
	assert_string_equal(node_of(c, "late"), "n01");
	const bool anew = played(c, "late") != before;
	cluster_free(c);
	return anew;
}

static void many_changes_of_few_nodes_are_caught_up_with_node_by_node(void **state)
{
	(void)state;
	assert_false(is_made_anew(2, 1));
	assert_false(is_made_anew(2, 15));
}

static void changes_of_many_nodes_make_it_anew(void **state)
{
	(void)state;
	assert_true(is_made_anew(30, 1));
	assert_true(is_made_anew(2, 60)); /* further back than the log is sure to go */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_changes_of_few_nodes_are_caught_up_with_node_by_node),
		cmocka_unit_test(changes_of_many_nodes_make_it_anew),
	};
	return cmocka_run_group_tests_name("engine: rankings", tests, NULL, NULL);
}
