/*
 * MIG instances: which pods a node takes by the form of its GPUs, what queues are charged, and pods that have MIG by annotation.
 */
#include "tests/unit/test.h"

#include "cluster.h"

#define SMALL "nvidia.com/mig-1g.10gb"
#define LARGE "nvidia.com/mig-3g.40gb"

static struct cluster *one_node(const char *strategy, int gpus, int64_t instances)
{
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = gpus, .label = strategy ? "nvidia.com/mig.strategy" : NULL, .value = strategy, .resource = SMALL,
		.resource_milli = instances * 1000);
	add_queue(c, "q", .quota = -1, .weight = 1);
	return c;
}

static void a_node_takes_pods_that_ask_for_its_form_of_gpus(void **state)
{
	(void)state;
	static const struct {
		const char *strategy;
		int instances;
		bool mig, whole, share, none; /* which pods it takes */
	} rows[] = {
		{NULL, 0, false, true, true, true}, {NULL, 4, true, true, true, true}, {"single", 4, false, true, false, true},
		{"mixed", 4, true, false, false, true}, {"single", 0, false, true, true, true}, /* a strategy alone cuts no device */
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = one_node(rows[i].strategy, 4, rows[i].instances);
		add_pod(c, add_group(c, "mig", .queue = "q"), "mig", .resource = SMALL, .resource_milli = 1000);
		add_pod(c, add_group(c, "whole", .queue = "q"), "whole", .gpus = 1);
		add_pod(c, add_group(c, "share", .queue = "q"), "share", .portion = 0.5);
		add_pod(c, add_group(c, "none", .queue = "q"), "none", .cpu_milli = 100);
		run_cycle(c);
		const bool placed[] = {*node_of(c, "mig"), *node_of(c, "whole"), *node_of(c, "share"), *node_of(c, "none")};
		const bool wanted[] = {rows[i].mig, rows[i].whole, rows[i].share, rows[i].none};
		for (size_t k = 0; k < STINT_COUNT(placed); k++) {
			if (placed[k] != wanted[k])
				fail_msg("row %zu, pod %zu: placed %d", i, k, placed[k]);
		}
		cluster_free(c);
	}
}

static void no_more_instances_are_given_than_a_node_has(void **state)
{
	(void)state;
	struct cluster *c = one_node("mixed", 0, 3);
	for (int i = 0; i < 5; i++) {
		char name[8];
		snprintf(name, sizeof name, "p%d", i);
		add_pod(c, add_group(c, name, .queue = "q", .age_s = 10 - i), name, .resource = SMALL, .resource_milli = 1000);
	}
	assert_int_equal(run_cycle(c), 3);
	struct stint_why why;
	stint_engine_why(c->engine, stint_engine_group_find(c->engine, "p4"), &why);
	assert_int_equal(why.short_of[STINT_CAUSE_EXTENDED], 1);
	assert_string_equal(why.extended, SMALL);
	assert_false(why.never);
	add_pod(c, add_group(c, "large", .queue = "q"), "large", .resource = LARGE, .resource_milli = 1000);
	assert_int_equal(run_cycle(c), 0);
	cluster_free(c);
}

static void queues_are_charged_the_slices_of_an_instance(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .label = "nvidia.com/mig.strategy", .value = "mixed", .resource = LARGE, .resource_milli = 4000);
	add_queue(c, "q", .quota = 0, .limit = 7, .weight = 1);
	add_pod(c, add_group(c, "a", .queue = "q", .age_s = 3), "a", .resource = LARGE, .resource_milli = 2000);
	add_pod(c, add_group(c, "b", .queue = "q", .age_s = 2), "b", .resource = LARGE, .resource_milli = 1000);
	assert_int_equal(run_cycle(c), 1);
	assert_true(pod_seen(c, "a").gpus == 6);
	assert_int_equal(record_of(c, "b").reason, STINT_REASON_OVER_LIMIT);
	double total[STINT_DIMENSIONS];
	stint_engine_cluster_total(c->engine, total);
	assert_true(total[STINT_GPU] == 12);
	struct stint_queue_view queue;
	stint_engine_queue_view(c->engine, stint_engine_queue_find(c->engine, "q"), &queue);
	assert_true(queue.allocated[STINT_GPU] == 6 && queue.requested[STINT_GPU] == 9);
	cluster_free(c);
}

static void a_variant_of_a_profile_counts_for_no_slices(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool is;
		int32_t slices;
	} rows[] = {
		{"nvidia.com/mig-1g.5gb", true, 1},
		{"nvidia.com/mig-7g.80gb", true, 7},
		{"nvidia.com/mig-1g.5gb.me", true, 0},
		{"nvidia.com/mig-1g", true, 0},
		{"nvidia.com/mig-g.5gb", true, 0},
		{"nvidia.com/mig-1g.gb", true, 0},
		{"nvidia.com/gpu", false, 0},
		{"mig-1g.5gb", false, 0},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		int32_t slices = -1;
		if (stint_mig_profile(rows[i].name, &slices) != rows[i].is || slices != rows[i].slices)
			fail_msg("%s: %d slices", rows[i].name, slices);
	}
}

static void a_pod_with_mig_by_annotation_stays_counts_and_bars_new_mig_pods(void **state)
{
	(void)state;
	struct cluster *c = one_node("mixed", 0, 4);
	add_pod(c, add_group(c, "old", .queue = "q"), "old", .resource = SMALL, .resource_milli = 1000, .legacy_mig = true, .on = "n0");
	add_pod(c, add_group(c, "older", .queue = "q"), "older", .resource = SMALL, .resource_milli = 1000, .legacy_mig = true);
	add_pod(c, add_group(c, "new", .queue = "q"), "new", .resource = SMALL, .resource_milli = 1000);
	add_pod(c, add_group(c, "none", .queue = "q"), "none", .cpu_milli = 100);
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "none"), "n0");
	assert_true(pod_seen(c, "old").gpus == 1);
	struct stint_why why;
	stint_engine_why(c->engine, stint_engine_group_find(c->engine, "new"), &why);
	assert_int_equal(why.short_of[STINT_CAUSE_LEGACY_MIG], 1);
	assert_false(why.never);
	stint_engine_pod_remove(c->engine, "old");
	run_cycle(c);
	assert_string_equal(node_of(c, "new"), "n0");
	assert_string_equal(node_of(c, "older"), "");
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_takes_pods_that_ask_for_its_form_of_gpus),
		cmocka_unit_test(no_more_instances_are_given_than_a_node_has),
		cmocka_unit_test(queues_are_charged_the_slices_of_an_instance),
		cmocka_unit_test(a_variant_of_a_profile_counts_for_no_slices),
		cmocka_unit_test(a_pod_with_mig_by_annotation_stays_counts_and_bars_new_mig_pods),
	};
	return cmocka_run_group_tests_name("engine: MIG", tests, NULL, NULL);
}
