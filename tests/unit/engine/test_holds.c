/* What a move promises: the place that was found for moved work is still there when its owner has made the pod again. */
#include "cluster.h"

#include "../test.h"

/* Two nodes of four devices with two singles each; `wide` needs a whole node, so the singles of one are moved to the other. */
static struct cluster *moved(int64_t hold_moved_ms)
{
	struct cluster *c = cluster_new();
	stint_policy_evict(&c->policy);
	c->policy.hold_moved_ms = hold_moved_ms;
	add_node(c, "n0", .gpus = 4);
	add_node(c, "n1", .gpus = 4);
	add_queue(c, "q", .quota = 8);
	for (int i = 0; i < 4; i++) {
		stint_autofree char *name = stint_format("single-%d", i);
		add_pod(c, add_group(c, name, .queue = "q", .age_s = 900 - i), name, .gpus = 1, .on = i < 2 ? "n0" : "n1",
			.slots = UINT64_C(1) << i % 2);
	}
	add_pod(c, add_group(c, "wide", .queue = "q", .age_s = 10), "wide-0", .gpus = 4);
	run_cycle(c);
	int evictions = 0;
	for (size_t i = 0; i < c->last.count; i++)
		evictions += c->last.decisions[i].kind == STINT_DECIDE_EVICT;
	assert_int_equal(evictions, 2);
	/* The moved pods have gone; their owners have not made others yet. */
	for (int i = 0; i < 4; i++) {
		stint_autofree char *name = stint_format("single-%d", i);
		if (pod_seen(c, name).status == STINT_POD_RELEASING || pod_seen(c, name).status == STINT_POD_RESERVED)
			stint_engine_pod_remove(c->engine, name);
	}
	return c;
}

static void its_place_is_kept_against_others(void **state)
{
	(void)state;
	for (int kept = 0; kept < 2; kept++) {
		struct cluster *c = moved(kept ? 60000 : 0);
		add_pod(c, add_group(c, "thief", .queue = "q", .age_s = 5000), "thief-0", .gpus = 1);
		run_cycle(c);
		const char *wide = node_of(c, "wide-0"), *thief = node_of(c, "thief-0");
		assert_string_not_equal(wide, "");
		assert_int_equal(thief[0] == '\0', kept);
		cluster_free(c);
	}
}

static void the_pod_that_is_made_again_takes_it(void **state)
{
	(void)state;
	struct cluster *c = moved(60000);
	int again = 0;
	for (int i = 0; i < 4; i++) {
		stint_autofree char *group = stint_format("single-%d", i), *name = stint_format("again-%d", i);
		if (pod_named(c, group) == STINT_NO_HANDLE) {
			add_pod(c, stint_engine_group_find(c->engine, group), name, .gpus = 1);
			again++;
		}
	}
	assert_int_equal(again, 2);
	run_cycle(c);
	const char *wide = node_of(c, "wide-0");
	for (int i = 0; i < 4; i++) {
		stint_autofree char *name = stint_format("again-%d", i);
		if (pod_named(c, name) != STINT_NO_HANDLE) {
			assert_string_not_equal(node_of(c, name), "");
			assert_string_not_equal(node_of(c, name), wide);
		}
	}
	cluster_free(c);
}

static void it_is_given_up_when_nobody_comes(void **state)
{
	(void)state;
	struct cluster *c = moved(60000);
	add_pod(c, add_group(c, "thief", .queue = "q", .age_s = 5000), "thief-0", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "thief-0"), "");
	assert_int_equal(record_of(c, "thief").reason, STINT_REASON_PROMISED);
	assert_true(c->last.next_ms > c->now_ms && c->last.next_ms <= c->now_ms + 60000);
	c->now_ms = c->last.next_ms;
	run_cycle(c);
	assert_string_not_equal(node_of(c, "thief-0"), "");
	cluster_free(c);
}

/*
 * `gang` has a pod on n1 and a place kept there for the one that was moved from n0. A search for `wider` tries its pod on n1 as a victim: that
 * would go back to where it is, which is not the place that is kept, and nothing comes of the search at all.
 */
static void it_outlasts_a_search_that_comes_to_nothing(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	stint_policy_evict(&c->policy);
	c->policy.hold_moved_ms = 60000;
	add_node(c, "n0", .gpus = 4);
	add_node(c, "n1", .gpus = 4, .rack = "r1");
	add_queue(c, "q", .quota = 8);
	const uint32_t gang = add_group(c, "gang", .queue = "q", .min = 1, .age_s = 900);
	add_pod(c, gang, "sits", .gpus = 1, .on = "n1", .slots = 1);
	add_pod(c, gang, "moves", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, add_group(c, "fixed", .queue = "q", .age_s = 900, .fixed = true), "fixed-0", .gpus = 2, .on = "n1", .slots = 6);
	add_pod(c, add_group(c, "wide", .queue = "q", .age_s = 500), "wide-0", .gpus = 4);
	run_cycle(c);
	assert_int_equal(pod_seen(c, "moves").status, STINT_POD_RESERVED);
	stint_engine_pod_remove(c->engine, "moves");
	run_cycle(c);
	assert_string_equal(node_of(c, "wide-0"), "n0");
	stint_engine_pod_confirm(c->engine, pod_named(c, "wide-0"));
	add_node(c, "n2", .gpus = 1);
	add_pod(c, add_group(c, "wider", .queue = "q", .age_s = 400), "wider-0", .gpus = 2);
	run_cycle(c);
	assert_int_equal(pod_seen(c, "wider-0").status, STINT_POD_PENDING);
	add_pod(c, add_group(c, "thief", .queue = "q", .age_s = 5000), "thief-0", .gpus = 1, .selects = "rack", .selected = "r1");
	run_cycle(c);
	assert_string_equal(node_of(c, "thief-0"), "");
	assert_int_equal(record_of(c, "thief").reason, STINT_REASON_PROMISED);
	add_pod(c, gang, "moved", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "moved"), "n1");
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_place_is_kept_against_others),
		cmocka_unit_test(the_pod_that_is_made_again_takes_it),
		cmocka_unit_test(it_is_given_up_when_nobody_comes),
		cmocka_unit_test(it_outlasts_a_search_that_comes_to_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
