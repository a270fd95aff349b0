/*
 * Which sets of victims are put to judgement, and what becomes of those who fall: each case fails without one part of search.c, judge.c or
 * cheaper.c that larger clusters need. Nodes and pods carry labels that leave no other way: a node has `for=NAME,...` of those who may use it.
 */
#include "tests/unit/test.h"

#include "cluster.h"
#include "core/engine/hunt.h"

static struct cluster *cluster_with(enum stint_action action)
{
	struct cluster *c = cluster_new();
	c->policy.actions[0] = action;
	c->policy.actions_count = 1;
	c->policy.consolidation_max_victims = UINT32_MAX;
	c->policy.hold_moved_ms = 60000;
	add_queue(c, "q", .quota = -1);
	return c;
}

static bool falls(const struct cluster *c, const char *pod)
{
	for (size_t i = 0; i < c->last.count; i++) {
		if (c->last.decisions[i].kind == STINT_DECIDE_EVICT && c->last.decisions[i].pod == pod_named(c, pod))
			return true;
	}
	return false;
}

/* Fell, and has another place: it is moved there. */
static void assert_moves_to(const struct cluster *c, const char *pod, const char *node)
{
	if (!falls(c, pod))
		fail_msg("%s stays", pod);
	assert_string_equal(node_of(c, pod), node);
}

/* ---- what becomes of those who fall (judge.c) --------------------------------------------------------------------------------------------- */

/*
 * Both who have to leave n0 could go to n3. The gang comes first and takes it for the pod that is on n1; when that turns out to be able to
 * stay, n3 is free again, and the other one goes there: a surplus, or all that there is of a job.
 */
static void who_goes_back_leaves_his_other_place_to_the_next(void **state)
{
	(void)state;
	for (uint32_t min = 1; min <= 2; min++) {
		struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
		add_node(c, "n0", .gpus = 2, .labels = "gang-0=yes,other=yes,waits=yes");
		add_node(c, "n1", .gpus = 1, .labels = "gang-1=yes");
		add_node(c, "n2", .gpus = 1, .labels = "gang-0=yes");
		add_node(c, "n3", .gpus = 1, .labels = "gang-1=yes,other=yes");
		const uint32_t other = add_group(c, "other", .queue = "q", .min = min);
		add_pod(c, other, "other-0", .on = "n0");
		add_pod(c, other, "other-1", .gpus = 1, .on = "n0", .slots = 1, .selects = "other", .selected = "yes");
		const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 1, .min = 2);
		add_pod(c, gang, "gang-0", .gpus = 1, .on = "n0", .slots = 2, .selects = "gang-0", .selected = "yes");
		add_pod(c, gang, "gang-1", .gpus = 1, .on = "n1", .slots = 1, .selects = "gang-1", .selected = "yes");
		add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 2, .selects = "waits", .selected = "yes");
		run_cycle(c);
		assert_moves_to(c, "gang-0", "n2");
		assert_moves_to(c, "other-1", "n3");
		assert_false(falls(c, "gang-1") || falls(c, "other-0"));
		assert_string_equal(node_of(c, "waits"), "n0");
		cluster_free(c);
	}
}

static void a_whole_surplus_moves_and_not_one_pod_of_it(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
	add_node(c, "n0", .gpus = 2, .label = "waits", .value = "yes");
	add_node(c, "n1", .gpus = 3);
	const uint32_t elastic = add_group(c, "elastic", .queue = "q");
	add_pod(c, elastic, "core", .gpus = 1, .on = "n1", .slots = 1);
	add_pod(c, elastic, "more-0", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, elastic, "more-1", .gpus = 1, .on = "n0", .slots = 2);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 2, .selects = "waits", .selected = "yes");
	run_cycle(c);
	assert_moves_to(c, "more-0", "n1");
	assert_moves_to(c, "more-1", "n1");
	assert_string_equal(node_of(c, "waits"), "n0");
	cluster_free(c);
}

/* `wide` leaves twice of what is needed. Its group has another pod that would do there, but that one has to wait for its turn. */
static void no_new_pod_gets_in_by_way_of_a_victim_of_its_group(void **state)
{
	(void)state;
	static const enum stint_action actions[] = {STINT_ACTION_CONSOLIDATION, STINT_ACTION_PREEMPT};
	for (size_t i = 0; i < STINT_COUNT(actions); i++) {
		struct cluster *c = cluster_with(actions[i]);
		add_node(c, "n0", .gpus = 2, .label = "narrow", .value = "yes");
		add_node(c, "n1", .gpus = 2);
		const uint32_t elastic = add_group(c, "elastic", .queue = "q");
		add_pod(c, elastic, "core", .on = "n0");
		add_pod(c, elastic, "wide", .gpus = 2, .on = "n0", .slots = 3);
		add_pod(c, elastic, "yet-another", .gpus = 1, .selects = "narrow", .selected = "yes");
		add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 1, .selects = "narrow", .selected = "yes");
		run_cycle(c);
		assert_moves_to(c, "wide", "n1");
		assert_string_equal(node_of(c, "waits"), "n0");
		assert_string_equal(node_of(c, "yet-another"), "");
		cluster_free(c);
	}
}

/* n1 is kept for `kept`, whose pod is made anew. `high` might take it by its own right; `waits`, which is less than either, may not have it moved there. */
static void no_kept_place_is_taken_by_way_of_a_victim(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_ALLOCATE);
	c->policy.actions[c->policy.actions_count++] = STINT_ACTION_CONSOLIDATION;
	add_node(c, "n0", .gpus = 1, .label = "waits", .value = "yes");
	add_node(c, "n1", .gpus = 1);
	add_node(c, "n2", .gpus = 1, .label = "first", .value = "yes");
	const uint32_t kept = add_group(c, "kept", .queue = "q", .priority = 75);
	add_pod(c, add_group(c, "high", .queue = "q", .priority = 90), "high", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, kept, "kept", .gpus = 1, .on = "n2", .slots = 1);
	add_pod(c, add_group(c, "first", .queue = "q", .priority = 80), "first", .gpus = 1, .selects = "first", .selected = "yes");
	run_cycle(c);
	assert_moves_to(c, "kept", "n1");
	stint_engine_pod_remove(c->engine, "kept");
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 60), "waits", .gpus = 1, .selects = "waits", .selected = "yes");
	run_cycle(c);
	assert_string_equal(node_of(c, "first"), "n2");
	assert_false(falls(c, "high"));
	add_pod(c, kept, "kept-again", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "kept-again"), "n1");
	cluster_free(c);
}

/* ---- which sets are put to judgement (search.c) ---------------------------------------------------------------------------------------------- */

/*
 * The younger gang would fall first, for nothing, and were it to, it would come up before `waits` and take that one's place: it is spared, and
 * `in-the-way` alone moves.
 */
static void who_is_not_in_the_way_is_spared_before_the_judgement(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
	add_node(c, "n0", .gpus = 1);
	add_node(c, "n1", .gpus = 1, .label = "waits", .value = "yes");
	add_node(c, "n2", .gpus = 1);
	add_pod(c, add_group(c, "in-the-way", .queue = "q", .age_s = 9), "in-the-way", .gpus = 1, .on = "n1", .slots = 1);
	const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 5, .min = 2);
	add_pod(c, gang, "gang-0", .on = "n1");
	add_pod(c, gang, "gang-1", .gpus = 1, .on = "n2", .slots = 1);
	add_pod(c, add_group(c, "waits", .queue = "q"), "waits", .gpus = 1, .selects = "waits", .selected = "yes");
	run_cycle(c);
	assert_moves_to(c, "in-the-way", "n0");
	assert_false(falls(c, "gang-0") || falls(c, "gang-1"));
	assert_string_equal(node_of(c, "waits"), "n1");
	cluster_free(c);
}

/*
 * `waits` must be in one zone with `beside`, which falls first and whose place would be the first choice: with that one gone it has no place
 * that lasts. So what has fallen on n1 is tried alone: the gang with a pod there, all of it, whose minimum then goes on
 * at the expense of its surplus on n2.
 */
static void what_fell_on_one_node_is_tried_alone(void **state)
{
	(void)state;
	static const char near[] = "{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"labelSelector\":{\"matchLabels\":"
				   "{\"app\":\"a\"}},\"topologyKey\":\"zone\"}]}";
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 1, .label = "zone", .value = "z");
	add_node(c, "n1", .gpus = 1, .label = "zone", .value = "z");
	add_node(c, "n2", .gpus = 1);
	add_pod(c, add_group(c, "beside", .queue = "q", .age_s = 1), "beside", .gpus = 1, .on = "n0", .slots = 1, .label = "app",
		.value = "a");
	const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 9, .min = 2);
	add_pod(c, gang, "gang-0", .gpus = 1, .on = "n1", .slots = 1);
	add_pod(c, gang, "gang-1", .on = "n1");
	add_pod(c, gang, "gang-2", .gpus = 1, .on = "n2", .slots = 1);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 1, .near = near);
	run_cycle(c);
	assert_string_equal(node_of(c, "waits"), "n1");
	assert_false(falls(c, "beside"));
	assert_moves_to(c, "gang-0", "n2");
	assert_true(falls(c, "gang-2"));
	cluster_free(c);
}

/* For `waits` it would do that `wide` moves; but that one needs the place of `narrow`, which then moves as well. */
static void one_moves_so_that_another_can(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
	add_node(c, "n0", .gpus = 2, .label = "waits", .value = "yes");
	add_node(c, "n1", .gpus = 2);
	add_node(c, "n2", .gpus = 1);
	add_pod(c, add_group(c, "wide", .queue = "q", .age_s = 9), "wide", .gpus = 2, .on = "n0", .slots = 3);
	add_pod(c, add_group(c, "narrow", .queue = "q", .age_s = 1), "narrow", .gpus = 1, .on = "n1", .slots = 1);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 2, .selects = "waits", .selected = "yes");
	run_cycle(c);
	assert_moves_to(c, "wide", "n1");
	assert_moves_to(c, "narrow", "n2");
	assert_string_equal(node_of(c, "waits"), "n0");
	cluster_free(c);
}

/* ---- of many, fewer (cheaper.c) ------------------------------------------------------------------------------------------------------------- */

/*
 * More fall than every choice could be made of, and the gang asks for two sizes, so nodes are not compared. With all gone its small pod goes to
 * n0, the first of two nodes with one GPU to give; the one that fell there was not needed, for n2 has one that is free.
 */
static void of_many_that_fall_each_is_left_out_once(void **state)
{
	(void)state;
	enum { JOBS = 11 };
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	c->policy.prefer_idle = false;
	add_node(c, "n0", .gpus = 1);
	add_node(c, "n1", .gpus = JOBS);
	add_node(c, "n2", .gpus = 1);
	add_pod(c, add_group(c, "needless", .queue = "q", .age_s = 1), "needless", .gpus = 1, .on = "n0", .slots = 1);
	for (int job = 0; job < JOBS; job++) {
		stint_autofree char *key = stint_format("j%d", job);
		add_pod(c, add_group(c, key, .queue = "q", .age_s = 9), key, .gpus = 1, .on = "n1", .slots = UINT64_C(1) << job);
	}
	const uint32_t gang = add_group(c, "gang", .queue = "q", .priority = 75, .min = 2);
	add_pod(c, gang, "large", .gpus = JOBS);
	add_pod(c, gang, "small", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "large"), "n1");
	assert_string_equal(node_of(c, "small"), "n2");
	assert_false(falls(c, "needless"));
	assert_int_equal(c->last.count, JOBS + 2);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_goes_back_leaves_his_other_place_to_the_next),
		cmocka_unit_test(a_whole_surplus_moves_and_not_one_pod_of_it),
		cmocka_unit_test(no_new_pod_gets_in_by_way_of_a_victim_of_its_group),
		cmocka_unit_test(no_kept_place_is_taken_by_way_of_a_victim),
		cmocka_unit_test(who_is_not_in_the_way_is_spared_before_the_judgement),
		cmocka_unit_test(what_fell_on_one_node_is_tried_alone),
		cmocka_unit_test(one_moves_so_that_another_can),
		cmocka_unit_test(of_many_that_fall_each_is_left_out_once),
	};
	return cmocka_run_group_tests_name("engine: search", tests, NULL, NULL);
}
