/*
 * The cycle: gangs, bounds of queues, reservations, what is tried again and when, undoing, and that nothing but the state decides.
 */
#include "tests/unit/test.h"

#include "cluster.h"

static void add_gang(struct cluster *c, const char *key, struct group_is is, int pods, struct pod_is pod)
{
	const uint32_t group = add_group_(c, key, is);
	for (int i = 0; i < pods; i++) {
		stint_autofree char *name = stint_format("%s-%d", key, i);
		add_pod_(c, group, name, pod);
	}
}

static struct stint_group_view group_seen(const struct cluster *c, const char *key)
{
	struct stint_group_view view = {0};
	stint_engine_group_view(c->engine, stint_engine_group_find(c->engine, key), &view);
	return view;
}

static double allocated(struct cluster *c, const char *queue)
{
	struct stint_queue_view view;
	stint_engine_queue_view(c->engine, stint_engine_queue_find(c->engine, queue), &view);
	return view.allocated[STINT_GPU];
}

/* ---- gangs ------------------------------------------------------------------------------------------------------------------------ */

static void a_gang_starts_whole_or_not_at_all(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 2);
	add_node(c, "n1", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_gang(c, "gang", (struct group_is){.queue = "q", .min = 4, .age_s = 9}, 4, (struct pod_is){.gpus = 1});
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(record_of(c, "gang").reason, STINT_REASON_NO_ROOM);
	assert_int_equal(record_of(c, "gang").have, 3);
	assert_int_equal(record_of(c, "gang").need, 4);
	assert_true(allocated(c, "q") == 0);
	add_node(c, "n2", .gpus = 1);
	assert_int_equal(run_cycle(c), 4);
	assert_int_equal(record_of(c, "gang").reason, STINT_REASON_NONE);
	cluster_free(c);
}

static void room_that_a_gang_cannot_use_goes_to_the_next(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 3);
	add_queue(c, "q", .quota = -1);
	add_gang(c, "gang", (struct group_is){.queue = "q", .min = 4, .priority = 90}, 4, (struct pod_is){.gpus = 1});
	add_gang(c, "small", (struct group_is){.queue = "q", .min = 3}, 3, (struct pod_is){.gpus = 1});
	assert_int_equal(run_cycle(c), 3);
	assert_int_equal(group_seen(c, "small").active, 3);
	cluster_free(c);
}

static void a_gang_waits_until_enough_of_its_pods_exist(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "q", .quota = -1);
	add_gang(c, "gang", (struct group_is){.queue = "q", .min = 3}, 2, (struct pod_is){.gpus = 1});
	add_pod(c, stint_engine_group_find(c->engine, "gang"), "gated", .gpus = 1, .status = STINT_POD_GATED);
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(record_of(c, "gang").reason, STINT_REASON_INCOMPLETE);
	assert_int_equal(record_of(c, "gang").have, 2);
	assert_int_equal(record_of(c, "gang").need, 3);
	assert_int_equal(c->last.judged_count, 1);
	add_pod(c, stint_engine_group_find(c->engine, "gang"), "gated", .gpus = 1); /* the gate opens */
	assert_int_equal(run_cycle(c), 3);
	cluster_free(c);
}

static void a_lost_member_of_a_gang_is_placed_again_alone(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 3);
	add_queue(c, "q", .quota = -1);
	add_gang(c, "gang", (struct group_is){.queue = "q", .min = 3}, 3, (struct pod_is){.gpus = 1});
	assert_int_equal(run_cycle(c), 3);
	stint_engine_pod_remove(c->engine, "gang-1");
	assert_int_equal(run_cycle(c), 0);
	add_pod(c, stint_engine_group_find(c->engine, "gang"), "gang-1b", .gpus = 1);
	assert_int_equal(run_cycle(c), 1);
	cluster_free(c);
}

static void a_minimum_of_none_places_pods_one_by_one(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	add_gang(c, "free", (struct group_is){.queue = "q", .none_needed = true}, 3, (struct pod_is){.gpus = 1});
	assert_int_equal(run_cycle(c), 2);
	cluster_free(c);
}

static void a_gang_of_different_pods_is_one_plan(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 2, .cpu_milli = 4000);
	add_queue(c, "q", .quota = -1);
	const uint32_t group = add_group(c, "mixed", .queue = "q", .min = 3);
	add_pod(c, group, "a", .gpus = 1, .cpu_milli = 1000);
	add_pod(c, group, "b", .portion = 0.5, .cpu_milli = 1000);
	add_pod(c, group, "c", .cpu_milli = 3000);
	assert_int_equal(run_cycle(c), 0);
	struct stint_node_view node;
	stint_engine_node_view(c->engine, stint_engine_node_find(c->engine, "n0"), &node);
	assert_int_equal(node.gpus_idle, 2);
	assert_int_equal(node.cpu_milli_idle, 4000);
	assert_int_equal(record_of(c, "mixed").pod, pod_named(c, "c"));
	cluster_free(c);
}

/* ---- bounds of queues ------------------------------------------------------------------------------------------------------------- */

/* One department over one queue, 8 GPUs free; how many one-GPU jobs run. */
struct bound {
	const char *says;
	struct queue_is department, queue;
	bool fixed;
	size_t run;
	enum stint_reason reason;
	const char *where;
	double bound, taken;
};

static const struct bound bounds[] = {
	{"preemptible work passes the quota", {.quota = 1}, {.quota = 1}, false, 8, STINT_REASON_NO_ROOM, NULL, 0, 0},
	{"preemptible work keeps the limit", {.quota = 8}, {.quota = 1, .limit = 3}, false, 3, STINT_REASON_OVER_LIMIT, "queue", 3, 3},
	{"the limit of an ancestor holds", {.quota = 8, .limit = 2}, {.quota = 8}, false, 2, STINT_REASON_OVER_LIMIT, "department", 2, 2},
	{"a limit of 0 is no limit of none", {.quota = 8}, {.quota = 8, .closed = true}, false, 0, STINT_REASON_OVER_LIMIT, "queue", 0, 0},
	{"non-preemptible work keeps the quota", {.quota = 8}, {.quota = 2}, true, 2, STINT_REASON_OVER_QUOTA, "queue", 2, 2},
	{"the quota of an ancestor holds", {.quota = 3}, {.quota = 8}, true, 3, STINT_REASON_OVER_QUOTA, "department", 3, 3},
	{"an unlimited quota lets everything run", {.quota = -1}, {.quota = -1}, true, 8, STINT_REASON_NO_ROOM, NULL, 0, 0},
};

static void limits_bind_everybody_and_quotas_the_non_preemptible(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(bounds); i++) {
		const struct bound *b = &bounds[i];
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 8);
		add_queue_(c, "department", b->department);
		struct queue_is queue = b->queue;
		queue.parent = "department";
		add_queue_(c, "queue", queue);
		for (int j = 0; j < 9; j++) {
			stint_autofree char *name = stint_format("job-%d", j);
			add_pod(c, add_group(c, name, .queue = "queue", .fixed = b->fixed), name, .gpus = 1);
		}
		if (run_cycle(c) != b->run)
			fail_msg("%s: %zu run", b->says, c->last.count);
		const struct stint_record record = record_of(c, "job-8");
		assert_int_equal(record.reason, b->reason);
		if (b->where) {
			assert_int_equal(record.queue, stint_engine_queue_find(c->engine, b->where));
			assert_int_equal(record.dimension, STINT_GPU);
			assert_true(record.bound == b->bound && record.allocated == b->taken && record.asked == 1);
		}
		cluster_free(c);
	}
}

static void fractions_fill_a_limit_exactly(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "q", .quota = 0.3, .limit = 0.3);
	static const double portions[] = {0.1, 0.2, 0.01};
	static const char *const names[] = {"a", "b", "c"};
	for (size_t i = 0; i < 3; i++)
		add_pod(c, add_group(c, names[i], .queue = "q"), names[i], .portion = portions[i]);
	assert_int_equal(run_cycle(c), 2); /* 0.1 + 0.2 is 0.3 here, not a little more */
	assert_string_equal(node_of(c, "c"), "");
	cluster_free(c);
}

static void a_resource_that_is_not_asked_for_is_not_checked(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "q", .quota = 0, .closed = true, .cpu_limit_milli = 2000);
	add_pod(c, add_group(c, "a", .queue = "q", .fixed = true), "a", .cpu_milli = 2000);
	add_pod(c, add_group(c, "b", .queue = "q"), "b", .cpu_milli = 1);
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(record_of(c, "b").dimension, STINT_CPU);
	cluster_free(c);
}

static void the_whole_gang_counts_against_a_bound(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "q", .quota = 3);
	add_gang(c, "gang", (struct group_is){.queue = "q", .fixed = true, .min = 4}, 4, (struct pod_is){.gpus = 1});
	assert_int_equal(run_cycle(c), 0);
	assert_true(record_of(c, "gang").asked == 4);
	cluster_free(c);
}

static void what_a_node_makes_of_a_request_counts_against_a_bound(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	/* 100 MiB are a tenth of the largest device, but half of the one that is free; 0.57 of 100 MiB is 56 MiB and charged as 0.57. */
	add_node(c, "large", .gpus = 1, .mib = 1000, .cordoned = true);
	add_node(c, "half", .gpus = 1, .mib = 200, .label = "zone", .value = "half");
	add_node(c, "tight", .gpus = 1, .mib = 100, .label = "zone", .value = "tight");
	static const double quotas[] = {1.065, 1.07};
	for (size_t i = 0; i < STINT_COUNT(quotas); i++) {
		add_queue(c, "q", .quota = quotas[i]);
		const uint32_t group = add_group(c, "gang", .queue = "q", .fixed = true, .min = 2);
		add_pod(c, group, "gang-0", .mib = 100, .selects = "zone", .selected = "half");
		add_pod(c, group, "gang-1", .portion = 0.57, .selects = "zone", .selected = "tight");
		assert_int_equal(run_cycle(c), i == 0 ? 0 : 2);
		assert_int_equal(record_of(c, "gang").reason, i == 0 ? STINT_REASON_OVER_QUOTA : STINT_REASON_NONE);
	}
	cluster_free(c);
}

static void queues_that_cannot_hold_work_say_so(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "inner", .quota = 8);
	add_queue(c, "leaf", .parent = "inner", .quota = 8);
	add_queue(c, "orphan", .parent = "missing", .quota = 8);
	add_queue(c, "loop-a", .parent = "loop-b", .quota = 8);
	add_queue(c, "loop-b", .parent = "loop-a", .quota = 8);
	static const char *const queues[] = {NULL, "nowhere", "inner", "orphan", "loop-a", "loop-b"};
	static const char *const names[] = {"none", "unknown", "inner", "orphan", "loop-a", "loop-b"};
	for (size_t i = 0; i < STINT_COUNT(queues); i++)
		add_pod(c, add_group(c, names[i], .queue = queues[i]), names[i], .gpus = 1);
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(c->last.judged_count, STINT_COUNT(queues));
	for (size_t i = 0; i < STINT_COUNT(queues); i++)
		assert_int_equal(record_of(c, names[i]).reason, i == 2 ? STINT_REASON_INNER_QUEUE : STINT_REASON_NO_QUEUE);
	assert_int_equal(record_of(c, "orphan").queue, stint_engine_queue_find(c->engine, "missing"));

	add_queue(c, "missing", .quota = 8);
	add_queue(c, "nowhere", .quota = 8);
	add_queue(c, "loop-a", .quota = 8);
	add_group(c, "none", .queue = "leaf");
	stint_engine_queue_remove(c->engine, "leaf");
	run_cycle(c);
	for (size_t i = 1; i < STINT_COUNT(queues); i++) {
		if (strcmp(names[i], "loop-b") != 0)
			assert_string_equal(node_of(c, names[i]), i == 4 ? "" : "n0");
	}
	add_queue(c, "leaf", .quota = 8); /* a root now, in the place of the one that is gone */
	run_cycle(c);
	assert_string_equal(node_of(c, "none"), "n0");
	cluster_free(c);
}

static void a_queue_takes_its_accounts_along_to_another_parent(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "d1", .quota = 8);
	add_queue(c, "d2", .quota = 8, .limit = 2);
	add_queue(c, "q", .parent = "d1", .quota = 8);
	add_queue(c, "other", .parent = "d2", .quota = 8);
	add_pod(c, add_group(c, "a", .queue = "q", .fixed = true), "a", .gpus = 2);
	run_cycle(c);
	assert_true(allocated(c, "d1") == 2 && allocated(c, "d2") == 0);
	add_queue(c, "q", .parent = "d2", .quota = 8);
	assert_true(allocated(c, "d1") == 0 && allocated(c, "d2") == 2);
	add_pod(c, add_group(c, "b", .queue = "other"), "b", .gpus = 1);
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(record_of(c, "b").reason, STINT_REASON_OVER_LIMIT);
	cluster_free(c);
}

/* ---- pods that are leaving -------------------------------------------------------------------------------------------------------- */

static void a_place_that_will_be_free_is_reserved_for_one_cycle(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "old", .queue = "q"), "old", .gpus = 1, .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	add_pod(c, add_group(c, "first", .queue = "q", .age_s = 9), "first", .gpus = 1);
	add_pod(c, add_group(c, "second", .queue = "q", .age_s = 1), "second", .gpus = 1);
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(c->last.decisions[0].kind, STINT_DECIDE_RESERVE);
	assert_true(c->last.waits_for_leaving);
	assert_int_equal(record_of(c, "first").reason, STINT_REASON_LEAVING);
	assert_int_equal(record_of(c, "second").reason, STINT_REASON_NO_ROOM);
	stint_engine_pod_remove(c->engine, "old");
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(c->last.decisions[0].kind, STINT_DECIDE_BIND);
	assert_string_equal(node_of(c, "first"), "n0");
	cluster_free(c);
}

static void when_a_reserving_group_goes_the_next_one_gets_its_place(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "old", .queue = "q"), "old", .gpus = 1, .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	add_pod(c, add_group(c, "pair", .queue = "q", .age_s = 9), "pair", .gpus = 2);
	add_pod(c, add_group(c, "one", .queue = "q", .age_s = 1), "one", .gpus = 1);
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "one"), ""); /* the idle device is held for the pair */
	stint_engine_pod_remove(c->engine, "pair");
	assert_int_equal(run_cycle(c), 1);
	assert_string_equal(node_of(c, "one"), "n0");
	cluster_free(c);
}

static void a_gang_that_waits_in_part_waits_whole(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 3);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "old", .queue = "q"), "old", .gpus = 1, .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	add_gang(c, "gang", (struct group_is){.queue = "q", .min = 3}, 3, (struct pod_is){.gpus = 1});
	add_pod(c, add_group(c, "late", .queue = "q"), "late", .gpus = 1);
	assert_int_equal(run_cycle(c), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(c->last.decisions[i].kind, STINT_DECIDE_RESERVE);
	assert_string_equal(node_of(c, "late"), "");
	stint_engine_pod_remove(c->engine, "old");
	assert_int_equal(run_cycle(c), 3);
	assert_int_equal(group_seen(c, "gang").active, 3);
	cluster_free(c);
}

static void a_gang_of_shares_reserves_devices_that_it_would_open(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "old", .queue = "q"), "old", .gpus = 1, .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	add_gang(c, "gang", (struct group_is){.queue = "q", .min = 4}, 4, (struct pod_is){.portion = 0.5});
	add_pod(c, add_group(c, "late", .queue = "q"), "late", .portion = 0.1);
	assert_int_equal(run_cycle(c), 4);
	assert_int_equal(c->last.decisions[0].unopened, c->last.decisions[1].unopened);
	assert_int_not_equal(c->last.decisions[0].unopened, c->last.decisions[2].unopened);
	assert_string_equal(node_of(c, "late"), "");
	stint_engine_pod_remove(c->engine, "old");
	assert_int_equal(run_cycle(c), 4);
	assert_int_equal(pod_seen(c, "gang-0").devices | pod_seen(c, "gang-2").devices, 3);
	cluster_free(c);
}

static void two_reservations_do_not_hold_the_same_part_of_a_device(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "stays", .queue = "q"), "stays", .portion = 0.5, .on = "n0", .slots = 1);
	add_pod(c, add_group(c, "old", .queue = "q"), "old", .portion = 0.5, .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	add_pod(c, add_group(c, "first", .queue = "q", .age_s = 9), "first", .portion = 0.3);
	add_pod(c, add_group(c, "second", .queue = "q", .age_s = 1), "second", .portion = 0.3);
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(c->last.decisions[0].devices, 1);
	assert_string_equal(node_of(c, "second"), "");
	cluster_free(c);
}

static void a_stuck_pod_gives_no_place(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "old", .queue = "q"), "old", .gpus = 1, .on = "n0", .slots = 1, .status = STINT_POD_STUCK);
	add_pod(c, add_group(c, "new", .queue = "q"), "new", .gpus = 1);
	assert_int_equal(run_cycle(c), 0);
	cluster_free(c);
}

static void statuses_follow_from_the_pod(void **state)
{
	(void)state;
	struct stint_pod pod = {.meta = {.deleted_ms = -1}, .phase = STINT_PHASE_PENDING};
	assert_int_equal(stint_engine_pod_status_of(&pod, 0, 120000), STINT_POD_PENDING);
	pod.gates_count = 1;
	assert_int_equal(stint_engine_pod_status_of(&pod, 0, 120000), STINT_POD_GATED);
	pod.node = "n0";
	assert_int_equal(stint_engine_pod_status_of(&pod, 0, 120000), STINT_POD_BOUND);
	pod.phase = STINT_PHASE_RUNNING;
	pod.meta.deleted_ms = 1000;
	assert_int_equal(stint_engine_pod_status_of(&pod, 121000, 120000), STINT_POD_RELEASING);
	assert_int_equal(stint_engine_pod_status_of(&pod, 121001, 120000), STINT_POD_STUCK);
}

/* ---- what is tried, and when -------------------------------------------------------------------------------------------------------- */

static void a_second_cycle_at_once_changes_nothing(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "a", .queue = "q"), "a", .gpus = 1);
	add_pod(c, add_group(c, "b", .queue = "q"), "b", .gpus = 1);
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(c->last.tried, 0);
	assert_int_equal(c->last.judged_count, 0);
	cluster_free(c);
}

static size_t tried(struct cluster *c)
{
	run_cycle(c);
	return c->last.tried;
}

static void a_failed_group_is_tried_again_only_when_what_it_needs_has_changed(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_node(c, "cpu");
	add_queue(c, "q", .quota = -1);
	add_queue(c, "tight", .quota = -1, .limit = 1);
	add_pod(c, add_group(c, "run", .queue = "q"), "run", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, add_group(c, "room", .queue = "q"), "room", .gpus = 1);
	add_pod(c, add_group(c, "bound", .queue = "tight"), "bound", .gpus = 2);
	assert_int_equal(tried(c), 2);
	add_pod(c, add_group(c, "web", .queue = "q"), "web", .cpu_milli = 100);
	assert_int_equal(tried(c), 1); /* a new one, which needs something else */
	stint_engine_pod_remove(c->engine, "web");
	assert_int_equal(tried(c), 0); /* what it freed does not help */
	add_queue(c, "tight", .quota = -1, .limit = 2);
	assert_int_equal(tried(c), 1); /* its limit; now it lacks room */
	add_pod(c, stint_engine_group_find(c->engine, "run"), "run", .gpus = 1, .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	assert_int_equal(tried(c), 1); /* room to come for the one that needs one device */
	stint_engine_pod_remove(c->engine, "run");
	assert_int_equal(tried(c), 2); /* nothing is known of those that failed beside a reservation */
	assert_string_equal(node_of(c, "room"), "n0");
	cluster_free(c);
}

static void only_judgements_that_changed_are_told(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "run", .queue = "q"), "run", .gpus = 2, .on = "n0", .slots = 3);
	add_pod(c, add_group(c, "wait", .queue = "q"), "wait", .gpus = 2);
	run_cycle(c);
	assert_int_equal(c->last.judged_count, 1);
	assert_int_equal(record_of(c, "wait").since_ms, CLUSTER_NOW_MS);
	c->now_ms += 5000;
	add_node(c, "n1", .gpus = 1);
	run_cycle(c);
	assert_int_equal(c->last.judged_count, 0);
	assert_int_equal(record_of(c, "wait").since_ms, CLUSTER_NOW_MS);
	stint_engine_pod_remove(c->engine, "run");
	run_cycle(c);
	assert_int_equal(c->last.judged_count, 1);
	assert_int_equal(record_of(c, "wait").reason, STINT_REASON_NONE);
	cluster_free(c);
}

/* ---- decisions and their fate --------------------------------------------------------------------------------------------------------- */

static void a_decision_that_failed_is_undone_and_made_again(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "a", .queue = "q"), "a", .portion = 0.5, .cpu_milli = 1000);
	struct stint_node_view before, after;
	stint_engine_node_view(c->engine, 0, &before);
	assert_int_equal(run_cycle(c), 1);
	assert_true(allocated(c, "q") == 0.5);
	stint_engine_pod_undo(c->engine, pod_named(c, "a"));
	stint_engine_node_view(c->engine, 0, &after);
	assert_memory_equal(&before, &after, sizeof before);
	assert_true(allocated(c, "q") == 0);
	assert_int_equal(run_cycle(c), 1);
	cluster_free(c);
}

static void old_news_do_not_undo_a_decision(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	const uint32_t group = add_group(c, "a", .queue = "q");
	add_pod(c, group, "a", .gpus = 1);
	assert_int_equal(run_cycle(c), 1);
	add_pod(c, group, "a", .gpus = 1);
	assert_int_equal(pod_seen(c, "a").status, STINT_POD_ASSUMED);
	stint_engine_pod_confirm(c->engine, pod_named(c, "a"));
	add_pod(c, group, "a", .gpus = 1);
	assert_int_equal(pod_seen(c, "a").status, STINT_POD_BOUND);
	assert_int_equal(run_cycle(c), 0);
	add_pod(c, group, "a", .gpus = 1, .on = "n0");
	assert_int_equal(pod_seen(c, "a").devices, 1); /* the devices that were chosen */
	struct stint_node_view node;
	stint_engine_node_view(c->engine, 0, &node);
	assert_int_equal(node.gpus_idle, 1);
	cluster_free(c);
}

static void a_bind_names_node_devices_and_amounts(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4, .mib = 16300);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "a", .queue = "q"), "a", .portion = 0.25, .devices = 2);
	assert_int_equal(run_cycle(c), 1);
	const struct stint_decision *d = &c->last.decisions[0];
	assert_int_equal(d->kind, STINT_DECIDE_BIND);
	assert_int_equal(d->devices, 3);
	assert_int_equal(d->device_count, 2);
	assert_int_equal(d->gpu, STINT_GPU_FRACTION);
	assert_int_equal(d->portion_percent, 25);
	assert_int_equal(d->device_memory_mib, 4075);
	cluster_free(c);
}

static void a_node_that_goes_and_comes_back_has_its_pods(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_queue(c, "q", .quota = -1);
	const uint32_t group = add_group(c, "a", .queue = "q");
	add_pod(c, group, "a", .gpus = 1, .on = "n0", .slots = 2); /* before its node is known */
	add_node(c, "n0", .gpus = 2);
	struct stint_node_view node;
	stint_engine_node_view(c->engine, stint_engine_node_find(c->engine, "n0"), &node);
	assert_int_equal(node.gpus_idle, 1);
	stint_engine_node_remove(c->engine, "n0");
	add_pod(c, group, "b", .gpus = 1);
	assert_int_equal(run_cycle(c), 0);
	add_node(c, "n0", .gpus = 2);
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(pod_seen(c, "b").devices, 1);
	stint_engine_pod_remove(c->engine, "a");
	stint_engine_pod_remove(c->engine, "b");
	stint_engine_node_remove(c->engine, "n0");
	assert_int_equal(stint_engine_node_find(c->engine, "n0"), STINT_NO_HANDLE);
	cluster_free(c);
}

static void handles_of_what_is_gone_serve_again(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	for (int i = 0; i < 100; i++) {
		const uint32_t group = add_group(c, "job", .queue = "q");
		const uint32_t pod = add_pod(c, group, "pod", .gpus = 1);
		assert_int_equal(group, 0);
		assert_int_equal(pod, 0);
		assert_int_equal(run_cycle(c), 1);
		assert_false(stint_engine_group_remove(c->engine, group));
		stint_engine_pod_remove(c->engine, "pod");
		assert_true(stint_engine_group_remove(c->engine, group));
	}
	cluster_free(c);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------------------- */

#if !defined(__SANITIZE_ADDRESS__)
static size_t allocations;

void *__libc_malloc(size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_calloc(size_t count, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return __libc_realloc(old, size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

static void a_steady_cycle_allocates_nothing(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	for (int i = 0; i < 50; i++) {
		stint_autofree char *name = stint_format("n%02d", i);
		add_node(c, name, .gpus = 8);
	}
	add_queue(c, "top", .quota = -1);
	for (int i = 0; i < 20; i++) {
		stint_autofree char *name = stint_format("q%02d", i);
		add_queue(c, name, .parent = "top", .quota = 10, .weight = 1);
	}
	add_pod(c, add_group(c, "wait", .queue = "q00"), "wait", .gpus = 9);
	for (int round = 0; round < 20; round++) {
		stint_autofree char *queue = stint_format("q%02d", round);
		add_gang(c, "gang", (struct group_is){.queue = queue, .min = 3}, 3, (struct pod_is){.gpus = 1, .cpu_milli = 100});
		add_pod(c, add_group(c, "half", .queue = queue), "half", .portion = 0.5);
		const size_t before = allocations;
		assert_int_equal(run_cycle(c), 4);
		/* Every queue's heap is made once. */
		if (round >= 19)
			assert_int_equal(allocations - before, 0);
		static const char *const pods[] = {"gang-0", "gang-1", "gang-2", "half"};
		for (size_t i = 0; i < STINT_COUNT(pods); i++)
			stint_engine_pod_remove(c->engine, pods[i]);
		stint_engine_group_remove(c->engine, stint_engine_group_find(c->engine, "gang"));
		stint_engine_group_remove(c->engine, stint_engine_group_find(c->engine, "half"));
	}
	cluster_free(c);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gang_starts_whole_or_not_at_all),
		cmocka_unit_test(room_that_a_gang_cannot_use_goes_to_the_next),
		cmocka_unit_test(a_gang_waits_until_enough_of_its_pods_exist),
		cmocka_unit_test(a_lost_member_of_a_gang_is_placed_again_alone),
		cmocka_unit_test(a_minimum_of_none_places_pods_one_by_one),
		cmocka_unit_test(a_gang_of_different_pods_is_one_plan),
		cmocka_unit_test(limits_bind_everybody_and_quotas_the_non_preemptible),
		cmocka_unit_test(fractions_fill_a_limit_exactly),
		cmocka_unit_test(a_resource_that_is_not_asked_for_is_not_checked),
		cmocka_unit_test(the_whole_gang_counts_against_a_bound),
		cmocka_unit_test(what_a_node_makes_of_a_request_counts_against_a_bound),
		cmocka_unit_test(queues_that_cannot_hold_work_say_so),
		cmocka_unit_test(a_queue_takes_its_accounts_along_to_another_parent),
		cmocka_unit_test(a_place_that_will_be_free_is_reserved_for_one_cycle),
		cmocka_unit_test(when_a_reserving_group_goes_the_next_one_gets_its_place),
		cmocka_unit_test(a_gang_that_waits_in_part_waits_whole),
		cmocka_unit_test(a_gang_of_shares_reserves_devices_that_it_would_open),
		cmocka_unit_test(two_reservations_do_not_hold_the_same_part_of_a_device),
		cmocka_unit_test(a_stuck_pod_gives_no_place),
		cmocka_unit_test(statuses_follow_from_the_pod),
		cmocka_unit_test(a_second_cycle_at_once_changes_nothing),
		cmocka_unit_test(a_failed_group_is_tried_again_only_when_what_it_needs_has_changed),
		cmocka_unit_test(only_judgements_that_changed_are_told),
		cmocka_unit_test(a_decision_that_failed_is_undone_and_made_again),
		cmocka_unit_test(old_news_do_not_undo_a_decision),
		cmocka_unit_test(a_bind_names_node_devices_and_amounts),
		cmocka_unit_test(a_node_that_goes_and_comes_back_has_its_pods),
		cmocka_unit_test(handles_of_what_is_gone_serve_again),
#if !defined(__SANITIZE_ADDRESS__)
		cmocka_unit_test(a_steady_cycle_allocates_nothing),
#endif
	};
	return cmocka_run_group_tests_name("engine: the cycle", tests, NULL, NULL);
}
