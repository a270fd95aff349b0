/*
 * Why something waits: who has what it needs, whether it can ever run, and its place in line.
 */
#include "tests/unit/test.h"

#include "cluster.h"

static struct stint_why why_of(const struct cluster *c, const char *group)
{
	struct stint_why why;
	stint_engine_why(c->engine, stint_engine_group_find(c->engine, group), &why);
	return why;
}

static const char *holder(const struct cluster *c, const struct stint_why *why, size_t at)
{
	struct stint_group_view view;
	if (at >= why->holders_count)
		return "none";
	return stint_engine_group_view(c->engine, why->holders[at].group, &view) ? view.key : "foreign";
}

static void holders_of_room_are_those_on_nodes_that_would_do(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_queue(c, "q", .quota = -1);
	add_node(c, "n0", .gpus = 4, .label = "zone", .value = "a");
	add_node(c, "n1", .gpus = 4, .label = "zone", .value = "b");
	add_pod(c, add_group(c, "large", .queue = "q"), "large", .gpus = 3, .on = "n0", .slots = 7);
	add_pod(c, add_group(c, "small", .queue = "q"), "small", .portion = 0.125, .on = "n0", .slots = 8, .status = STINT_POD_STUCK);
	add_pod(c, add_group(c, "web", .queue = "q"), "web", .cpu_milli = 1000, .on = "n0");
	add_pod(c, add_group(c, "elsewhere", .queue = "q"), "elsewhere", .gpus = 4, .on = "n1", .slots = 15);
	add_pod(c, add_group(c, "wait", .queue = "q"), "wait", .gpus = 2, .selects = "zone", .selected = "a");
	assert_int_equal(run_cycle(c), 0);
	const struct stint_why why = why_of(c, "wait");
	assert_int_equal(why.nodes, 2);
	assert_int_equal(why.short_of[STINT_CAUSE_GPU], 1);
	assert_int_equal(why.short_of[STINT_CAUSE_SELECTOR], 1);
	assert_int_equal(why.fitting, 0);
	assert_int_equal(why.room_when_empty, 2);
	assert_false(why.never);
	assert_int_equal(why.holders_total, 2);
	assert_string_equal(holder(c, &why, 0), "large");
	assert_true(why.holders[0].gpus == 3 && why.holders[0].pods == 1);
	assert_string_equal(holder(c, &why, 1), "small");
	assert_true(why.holders[1].gpus == 0.125); /* as everywhere, and not in the hundredths of its queue */
	cluster_free(c);
}

static void a_node_counts_under_each_resource_it_is_short_of(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_queue(c, "q", .quota = -1);
	add_node(c, "n0", .gpus = 1, .cpu_milli = 1000, .memory_bytes = GIB, .pods = 1);
	add_pod(c, STINT_NO_HANDLE, "foreign", .gpus = 1, .cpu_milli = 500, .memory_bytes = GIB, .on = "n0");
	add_pod(c, add_group(c, "wait", .queue = "q"), "wait", .gpus = 1, .cpu_milli = 501, .memory_bytes = 1);
	run_cycle(c);
	const struct stint_why why = why_of(c, "wait");
	static const enum stint_cause causes[] = {STINT_CAUSE_GPU, STINT_CAUSE_CPU, STINT_CAUSE_MEMORY, STINT_CAUSE_PODS};
	for (size_t i = 0; i < STINT_COUNT(causes); i++) {
		assert_int_equal(why.short_of[causes[i]], 1);
		assert_int_equal(why.even_empty[causes[i]], 0);
	}
	assert_string_equal(holder(c, &why, 0), "foreign");
	assert_false(why.never);
	cluster_free(c);
}

static void holders_of_a_bound_are_those_below_its_queue(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 16);
	add_queue(c, "d", .quota = 3);
	add_queue(c, "q", .parent = "d", .quota = 8);
	add_queue(c, "sibling", .parent = "d", .quota = 8);
	add_queue(c, "stranger", .quota = 8);
	add_pod(c, add_group(c, "fixed", .queue = "sibling", .fixed = true), "fixed", .gpus = 3, .on = "n0", .slots = 7);
	add_pod(c, add_group(c, "loose", .queue = "q"), "loose", .gpus = 4, .on = "n0", .slots = 0x78);
	add_pod(c, add_group(c, "other", .queue = "stranger", .fixed = true), "other", .gpus = 1, .on = "n0", .slots = 0x80);
	add_pod(c, add_group(c, "wait", .queue = "q", .fixed = true), "wait", .gpus = 1);
	run_cycle(c);
	const struct stint_why why = why_of(c, "wait");
	assert_int_equal(why.record.reason, STINT_REASON_OVER_QUOTA);
	assert_int_equal(why.record.queue, stint_engine_queue_find(c->engine, "d"));
	assert_int_equal(why.holders_total, 1);
	assert_string_equal(holder(c, &why, 0), "fixed");
	assert_false(why.never);
	cluster_free(c);
}

/* A group that failed at a bound is not tried again while less is left; what it is told is what holds now. */
static void a_bound_is_told_as_it_stands_when_it_is_asked_for(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "q", .quota = 2, .limit = 4);
	add_pod(c, add_group(c, "a", .queue = "q"), "a", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, add_group(c, "wait", .queue = "q"), "wait", .gpus = 4);
	run_cycle(c);
	assert_true(why_of(c, "wait").record.allocated == 1);
	add_pod(c, add_group(c, "b", .queue = "q"), "b", .gpus = 3);
	assert_int_equal(run_cycle(c), 1);
	const struct stint_why why = why_of(c, "wait");
	assert_int_equal(why.record.reason, STINT_REASON_OVER_LIMIT);
	assert_true(why.record.allocated == 4);
	assert_int_equal(why.holders_total, 2);
	struct stint_remedy remedies[STINT_MAX_REMEDIES];
	const size_t count = stint_engine_remedies(c->engine, stint_engine_group_find(c->engine, "wait"), remedies);
	double to = 0;
	for (size_t i = 0; i < count; i++)
		to = remedies[i].kind == STINT_REMEDY_LIMIT ? remedies[i].to : to;
	assert_true(to == 8);
	cluster_free(c);
}

static void non_preemptible_work_is_told_its_quota_where_the_limit_is_used_up_too(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "q", .quota = 2, .limit = 4);
	add_pod(c, add_group(c, "fixed", .queue = "q", .fixed = true), "fixed", .gpus = 2, .on = "n0", .slots = 3);
	add_pod(c, add_group(c, "loose", .queue = "q"), "loose", .gpus = 2, .on = "n0", .slots = 12);
	add_pod(c, add_group(c, "wait", .queue = "q", .fixed = true), "wait", .gpus = 1);
	add_pod(c, add_group(c, "never", .queue = "q", .fixed = true), "never", .gpus = 5);
	run_cycle(c);
	const struct stint_why why = why_of(c, "wait");
	assert_int_equal(why.record.reason, STINT_REASON_OVER_QUOTA);
	assert_true(why.record.bound == 2 && why.record.allocated == 2);
	assert_int_equal(why.holders_total, 1);
	assert_string_equal(holder(c, &why, 0), "fixed");
	assert_int_equal(why_of(c, "never").record.reason, STINT_REASON_OVER_LIMIT);
	assert_true(why_of(c, "never").never);
	cluster_free(c);
}

static void holders_of_a_place_to_come_are_those_that_leave(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "old", .queue = "q"), "old", .gpus = 1, .on = "n0", .slots = 1, .status = STINT_POD_RELEASING);
	add_pod(c, add_group(c, "stays", .queue = "q"), "stays", .gpus = 1, .on = "n0", .slots = 2);
	add_pod(c, add_group(c, "wait", .queue = "q"), "wait", .gpus = 1);
	run_cycle(c);
	const struct stint_why why = why_of(c, "wait");
	assert_int_equal(why.record.reason, STINT_REASON_LEAVING);
	assert_int_equal(why.record.pod, pod_named(c, "wait"));
	assert_int_equal(why.holders_total, 1);
	assert_string_equal(holder(c, &why, 0), "old");
	assert_true(why.holders[0].leaving);
	cluster_free(c);
}

/* On two nodes of 4 GPUs (16300 MiB), 8 cores; the queue has a quota of 6 and a limit of 12. */
struct prospect {
	const char *says;
	struct pod_is pod;
	int pods; /* all of them needed */
	bool fixed, never;
};

static const struct prospect prospects[] = {
	{"as many devices as a node has", {.gpus = 4}, 2, false, false},
	{"more devices than a node has", {.gpus = 5}, 1, false, true},
	{"a gang larger than the cluster", {.gpus = 2}, 5, false, true},
	{"a gang of shares that fills the cluster", {.portion = 0.5}, 16, false, false},
	{"a gang of shares larger than the cluster", {.portion = 0.5}, 17, false, true},
	{"a gang whose cores the cluster lacks", {.portion = 0.1, .cpu_milli = 5000}, 3, false, true},
	{"more than its quota, not preemptible", {.gpus = 1}, 7, true, true},
	{"its quota, not preemptible", {.gpus = 1}, 6, true, false},
	{"more than its limit", {.gpus = 1}, 13, false, true},
	{"more memory than a device has", {.mib = 16301}, 1, false, true},
};

static void what_can_never_run_is_told_from_what_must_wait(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(prospects); i++) {
		const struct prospect *p = &prospects[i];
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 4, .mib = 16300, .cpu_milli = 8000);
		add_node(c, "n1", .gpus = 4, .mib = 16300, .cpu_milli = 8000, .cordoned = true); /* comes back some day */
		add_queue(c, "q", .quota = 6, .limit = 12);
		const uint32_t group = add_group(c, "wait", .queue = "q", .fixed = p->fixed, .min = (uint32_t)p->pods);
		for (int n = 0; n < p->pods; n++) {
			stint_autofree char *name = stint_format("wait-%d", n);
			add_pod_(c, group, name, p->pod);
		}
		add_pod(c, STINT_NO_HANDLE, "foreign", .gpus = 4, .on = "n0");
		if (run_cycle(c) != 0)
			fail_msg("%s: it was placed", p->says);
		if (why_of(c, "wait").never != p->never)
			fail_msg("%s: never is %d", p->says, !p->never);
		cluster_free(c);
	}
}

static void the_largest_holders_are_named_and_all_are_counted(void **state)
{
	(void)state;
	enum { HOLDERS = 40 };
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = HOLDERS, .mib = 1000);
	add_queue(c, "q", .quota = -1);
	for (int i = 0; i < HOLDERS; i++) {
		stint_autofree char *name = stint_format("run-%02d", i);
		add_pod(c, add_group(c, name, .queue = "q"), name, .portion = 0.02 * (1 + i), .on = "n0", .slots = UINT64_C(1) << i);
	}
	add_pod(c, add_group(c, "wait", .queue = "q"), "wait", .gpus = 1);
	run_cycle(c);
	const struct stint_why why = why_of(c, "wait");
	assert_int_equal(why.holders_total, HOLDERS);
	assert_int_equal(why.holders_count, STINT_MAX_HOLDERS);
	assert_string_equal(holder(c, &why, 0), "run-39");
	assert_string_equal(holder(c, &why, STINT_MAX_HOLDERS - 1), "run-24");
	cluster_free(c);
}

static void a_single_holder_is_never_left_out(void **state)
{
	(void)state;
	for (int more = 0; more < 3; more++) {
		struct cluster *c = cluster_new();
		const int holders = STINT_MAX_HOLDERS + more;
		add_node(c, "n0", .gpus = holders);
		add_queue(c, "q", .quota = -1);
		for (int i = 0; i < holders; i++) {
			stint_autofree char *name = stint_format("run-%02d", i);
			add_pod(c, add_group(c, name, .queue = "q"), name, .gpus = 1, .on = "n0", .slots = UINT64_C(1) << i);
		}
		add_pod(c, add_group(c, "wait", .queue = "q"), "wait", .gpus = 1);
		run_cycle(c);
		const struct stint_why why = why_of(c, "wait");
		assert_int_equal(why.holders_total, holders);
		assert_int_equal(why.holders_count, more == 1 ? holders : STINT_MAX_HOLDERS);
		assert_string_equal(holder(c, &why, why.holders_count - 1), more == 1 ? "run-16" : "run-15");
		cluster_free(c);
	}
}

static void waiting_groups_know_their_place_in_line(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "young", .queue = "q", .age_s = 1), "young", .gpus = 2);
	add_pod(c, add_group(c, "old", .queue = "q", .age_s = 9), "old", .gpus = 2);
	add_pod(c, add_group(c, "urgent", .queue = "q", .priority = 90), "urgent", .gpus = 2);
	add_pod(c, add_group(c, "runs", .queue = "q"), "runs", .gpus = 1);
	run_cycle(c);
	static const char *const order[] = {"urgent", "old", "young"};
	for (uint32_t i = 0; i < 3; i++) {
		const struct stint_why why = why_of(c, order[i]);
		assert_int_equal(why.position, i + 1);
		assert_int_equal(why.waiting, 3);
	}
	assert_int_equal(why_of(c, "runs").position, 0);
	cluster_free(c);
}

static void gated_pods_say_so_and_wait(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	const uint32_t group = add_group(c, "job", .queue = "q");
	add_pod(c, group, "job-0", .gpus = 1, .status = STINT_POD_GATED);
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(record_of(c, "job").reason, STINT_REASON_GATED);
	add_pod(c, group, "job-0", .gpus = 1);
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(record_of(c, "job").reason, STINT_REASON_NONE);
	cluster_free(c);
}

static void a_record_does_not_outlive_the_pod_that_it_names(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	const uint32_t group = add_group(c, "job", .queue = "q");
	add_pod(c, group, "job-0", .gpus = 2);
	add_pod(c, group, "job-1", .gpus = 2);
	run_cycle(c);
	assert_int_equal(record_of(c, "job").pod, pod_named(c, "job-0"));
	stint_engine_pod_remove(c->engine, "job-0");
	assert_int_equal(record_of(c, "job").reason, STINT_REASON_NONE);
	run_cycle(c);
	assert_int_equal(record_of(c, "job").pod, pod_named(c, "job-1"));
	cluster_free(c);
}

static void every_reason_and_cause_has_its_words(void **state)
{
	(void)state;
	for (enum stint_reason reason = STINT_REASON_NONE + 1; reason < STINT_REASON_COUNT; reason++)
		assert_true(stint_reason_name(reason) && *stint_reason_name(reason));
	for (enum stint_cause cause = 0; cause < STINT_CAUSE_COUNT; cause++)
		assert_true(stint_cause_text(cause) && *stint_cause_text(cause));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holders_of_room_are_those_on_nodes_that_would_do),
		cmocka_unit_test(a_node_counts_under_each_resource_it_is_short_of),
		cmocka_unit_test(holders_of_a_bound_are_those_below_its_queue),
		cmocka_unit_test(a_bound_is_told_as_it_stands_when_it_is_asked_for),
		cmocka_unit_test(non_preemptible_work_is_told_its_quota_where_the_limit_is_used_up_too),
		cmocka_unit_test(holders_of_a_place_to_come_are_those_that_leave),
		cmocka_unit_test(what_can_never_run_is_told_from_what_must_wait),
		cmocka_unit_test(the_largest_holders_are_named_and_all_are_counted),
		cmocka_unit_test(a_single_holder_is_never_left_out),
		cmocka_unit_test(waiting_groups_know_their_place_in_line),
		cmocka_unit_test(gated_pods_say_so_and_wait),
		cmocka_unit_test(a_record_does_not_outlive_the_pod_that_it_names),
		cmocka_unit_test(every_reason_and_cause_has_its_words),
	};
	return cmocka_run_group_tests_name("engine: records", tests, NULL, NULL);
}
