/*
 * Evictions by rule: who may fall for whom, what a verdict allows, what is moved and what is left alone (kai-engine 3.4, 8, 9).
 */
#include "tests/unit/test.h"

#include "cluster.h"

static struct cluster *cluster_with(enum stint_action action)
{
	struct cluster *c = cluster_new();
	c->policy.actions[0] = action;
	c->policy.actions_count = 1;
	return c;
}

static void add_running(struct cluster *c, const char *key, struct group_is is, const char *node, uint64_t slots)
{
	stint_autofree char *pod = stint_format("%s-0", key);
	add_pod(c, add_group_(c, key, is), pod, .gpus = __builtin_popcountll(slots), .on = node, .slots = slots);
}

static size_t count(const struct cluster *c, enum stint_decision_kind kind)
{
	size_t sum = 0;
	for (size_t i = 0; i < c->last.count; i++)
		sum += c->last.decisions[i].kind == kind;
	return sum;
}

static bool falls(const struct cluster *c, const char *pod)
{
	for (size_t i = 0; i < c->last.count; i++) {
		if (c->last.decisions[i].kind == STINT_DECIDE_EVICT && c->last.decisions[i].pod == pod_named(c, pod))
			return true;
	}
	return false;
}

/* ---- preemption: one node of one GPU, one job on it, one that waits --------------------------------------------------------------------- */

struct preemption {
	const char *says;
	struct group_is runs, waits;
	int64_t min_runtime_s; /* of their department */
	const char *other_queue; /* of the one that waits */
	bool falls;
};

#define AGO(seconds) (CLUSTER_NOW_MS - (seconds)*1000)

static const struct preemption preemptions[] = {
	{"lower priority falls", {.priority = 50}, {.priority = 75}, 0, NULL, true},
	{"equal priority does not", {.priority = 75}, {.priority = 75}, 0, NULL, false},
	{"not even younger work", {.priority = 75, .age_s = 1}, {.priority = 75, .age_s = 9}, 0, NULL, false},
	{"higher priority does not", {.priority = 80}, {.priority = 75}, 0, NULL, false},
	{"non-preemptible work does not", {.priority = 50, .fixed = true}, {.priority = 75}, 0, NULL, false},
	{"nor does work of another queue", {.priority = 50}, {.priority = 75}, 0, "other", false},
	{"within its minimum runtime it stays", {.priority = 50, .started_ms = AGO(99)}, {.priority = 75}, 100, NULL, false},
	{"afterwards it falls", {.priority = 50, .started_ms = AGO(100)}, {.priority = 75}, 100, NULL, true},
	{"without a known start nothing protects it", {.priority = 50}, {.priority = 75}, 100, NULL, true},
	{"who is delayed takes nothing", {.priority = 50}, {.priority = 75, .age_s = 9, .delay_s = 10}, 0, NULL, false},
	{"until the delay is over", {.priority = 50}, {.priority = 75, .age_s = 10, .delay_s = 10}, 0, NULL, true},
	{"an eviction begins it anew", {.priority = 50}, {.priority = 75, .age_s = 99, .delay_s = 10, .last_evicted_ms = AGO(9)}, 0, NULL,
		false},
	{"non-preemptible work keeps its quota", {.priority = 50}, {.priority = 125, .fixed = true}, 0, "poor", false},
};

static void preemption_keeps_its_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(preemptions); i++) {
		const struct preemption *row = &preemptions[i];
		struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
		add_node(c, "n0", .gpus = 1);
		add_queue(c, "all", .quota = 1, .weight = 1, .preempt_min_s = row->min_runtime_s);
		add_queue(c, "own", .parent = "all", .quota = 1, .weight = 1);
		add_queue(c, "other", .parent = "all", .quota = 1, .weight = 1);
		add_queue(c, "poor", .parent = "all", .quota = 0, .weight = 1);
		struct group_is runs = row->runs, waits = row->waits;
		runs.queue = row->other_queue && strcmp(row->other_queue, "poor") == 0 ? "poor" : "own";
		waits.queue = row->other_queue ? row->other_queue : "own";
		add_running(c, "runs", runs, "n0", 1);
		add_pod(c, add_group_(c, "waits", waits), "waits-0", .gpus = 1);
		run_cycle(c);
		if (falls(c, "runs-0") != row->falls)
			fail_msg("%s: not so", row->says);
		assert_int_equal(count(c, STINT_DECIDE_RESERVE), row->falls);
		cluster_free(c);
	}
}

static void the_least_deserving_falls_and_no_more_than_must(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 4);
	add_queue(c, "q", .quota = -1);
	add_running(c, "old", (struct group_is){.queue = "q", .age_s = 90}, "n0", 1);
	add_running(c, "young", (struct group_is){.queue = "q", .age_s = 10}, "n0", 2);
	add_running(c, "low", (struct group_is){.queue = "q", .priority = 40, .age_s = 100}, "n0", 4);
	add_running(c, "high", (struct group_is){.queue = "q", .priority = 60}, "n0", 8);
	const uint32_t gang = add_group(c, "gang", .queue = "q", .priority = 75, .min = 2);
	add_pod(c, gang, "gang-0", .gpus = 1);
	add_pod(c, gang, "gang-1", .gpus = 1);
	run_cycle(c);
	assert_true(falls(c, "low-0"));
	assert_true(falls(c, "young-0"));
	assert_int_equal(count(c, STINT_DECIDE_EVICT), 2);
	assert_int_equal(c->last.decisions[0].serves, gang);
	assert_int_equal(c->last.decisions[0].action, STINT_ACTION_PREEMPT);
	cluster_free(c);
}

static void a_set_that_is_not_needed_is_left_alone(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 1);
	add_node(c, "n1", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	add_running(c, "small", (struct group_is){.queue = "q", .age_s = 1}, "n0", 1);
	add_running(c, "large", (struct group_is){.queue = "q", .age_s = 9}, "n1", 3);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits-0", .gpus = 2);
	run_cycle(c);
	assert_false(falls(c, "small-0"));
	assert_true(falls(c, "large-0"));
	cluster_free(c);
}

static void an_elastic_group_gives_its_surplus_only(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 3);
	add_queue(c, "q", .quota = -1);
	const uint32_t elastic = add_group(c, "elastic", .queue = "q", .min = 2, .started_ms = AGO(10));
	add_pod(c, elastic, "elastic-0", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, elastic, "elastic-1", .gpus = 1, .on = "n0", .slots = 2);
	add_pod(c, elastic, "elastic-2", .gpus = 1, .on = "n0", .slots = 4);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits-0", .gpus = 1);
	run_cycle(c);
	assert_true(falls(c, "elastic-2"));
	assert_int_equal(count(c, STINT_DECIDE_EVICT), 1);
	const struct stint_loss loss = stint_engine_loss(c->engine, elastic);
	assert_int_equal(loss.pods, 1);
	assert_true(loss.lost_gpu_seconds == 10);
	cluster_free(c);
}

static void a_gang_falls_whole(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	const uint32_t gang = add_group(c, "gang", .queue = "q", .min = 2);
	add_pod(c, gang, "gang-0", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, gang, "gang-1", .gpus = 1, .on = "n0", .slots = 2);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits-0", .gpus = 1);
	run_cycle(c);
	assert_int_equal(count(c, STINT_DECIDE_EVICT), 2);
	cluster_free(c);
}

/* ---- reclaim: 4 GPUs; queue "a" runs one-GPU jobs on all of them, a job of queue "b" waits ------------------------------------------------ */

struct reclaiming {
	const char *says;
	struct queue_is a, b;
	int asks;
	bool fixed;
	size_t falls;
};

static const struct reclaiming reclaimings[] = {
	{"what is beyond the share is given back", {.quota = 2, .weight = 1}, {.quota = 2, .weight = 1}, 1, false, 1},
	{"up to the share", {.quota = 2, .weight = 1}, {.quota = 2, .weight = 1}, 2, false, 2},
	{"and no further", {.quota = 2, .weight = 1}, {.quota = 2, .weight = 1}, 3, false, 0},
	{"a quota is not touched", {.quota = 4, .weight = 1}, {.quota = 0, .weight = 1}, 1, false, 0},
	{"the over-quota part goes by weight", {.quota = 0, .weight = 1}, {.quota = 0, .weight = 3}, 3, false, 3},
	{"without a weight there is nothing beyond the quota", {.quota = 0, .weight = 1}, {.quota = 0}, 1, false, 0},
	{"non-preemptible work takes within its quota", {.quota = 2, .weight = 1}, {.quota = 2, .weight = 1}, 2, true, 2},
	{"and not from the over-quota part", {.quota = 0, .weight = 1}, {.quota = 1, .weight = 9}, 2, true, 0},
	{"within its minimum runtime nothing falls", {.quota = 2, .weight = 1, .reclaim_min_s = 100}, {.quota = 2, .weight = 1}, 1, false,
		0},
};

static void reclaim_keeps_its_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(reclaimings); i++) {
		const struct reclaiming *row = &reclaimings[i];
		struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
		add_node(c, "n0", .gpus = 4);
		add_queue_(c, "a", row->a);
		add_queue_(c, "b", row->b);
		for (int job = 0; job < 4; job++) {
			stint_autofree char *key = stint_format("a%d", job);
			add_running(c, key, (struct group_is){.queue = "a", .started_ms = AGO(99)}, "n0", UINT64_C(1) << job);
		}
		const uint32_t waits = add_group(c, "b", .queue = "b", .fixed = row->fixed, .min = (uint32_t)row->asks);
		for (int pod = 0; pod < row->asks; pod++) {
			stint_autofree char *name = stint_format("b-%d", pod);
			add_pod(c, waits, name, .gpus = 1);
		}
		run_cycle(c);
		if (count(c, STINT_DECIDE_EVICT) != row->falls)
			fail_msg("%s: %zu fell", row->says, count(c, STINT_DECIDE_EVICT));
		cluster_free(c);
	}
}

/* a runs 3 GPUs and is due 2: one may be taken, but both on the node of two would have to go. */
static void no_more_is_taken_than_is_beyond_the_share(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
	add_node(c, "n0", .gpus = 2);
	add_node(c, "n1", .gpus = 1);
	add_node(c, "n2", .gpus = 1);
	add_queue(c, "a", .quota = 2, .weight = 1);
	add_queue(c, "b", .quota = 2, .weight = 1);
	add_running(c, "a0", (struct group_is){.queue = "a"}, "n0", 1);
	add_running(c, "a1", (struct group_is){.queue = "a"}, "n0", 2);
	add_running(c, "a2", (struct group_is){.queue = "a"}, "n1", 1);
	add_pod(c, add_group(c, "b", .queue = "b"), "b-0", .gpus = 2);
	run_cycle(c);
	/* One of the two can move to the node that is free, which takes nothing from it. */
	assert_int_equal(count(c, STINT_DECIDE_EVICT), 2);
	assert_int_equal(count(c, STINT_DECIDE_RESERVE), 2);
	cluster_free(c);

	c = cluster_with(STINT_ACTION_RECLAIM);
	c->policy.reclaim_may_consolidate = false;
	add_node(c, "n0", .gpus = 2);
	add_node(c, "n1", .gpus = 1);
	add_node(c, "n2", .gpus = 1);
	add_queue(c, "a", .quota = 2, .weight = 1);
	add_queue(c, "b", .quota = 2, .weight = 1);
	add_running(c, "a0", (struct group_is){.queue = "a"}, "n0", 1);
	add_running(c, "a1", (struct group_is){.queue = "a"}, "n0", 2);
	add_running(c, "a2", (struct group_is){.queue = "a"}, "n1", 1);
	add_pod(c, add_group(c, "b", .queue = "b"), "b-0", .gpus = 2);
	assert_int_equal(run_cycle(c), 0);
	cluster_free(c);
}

/* ---- consolidation ------------------------------------------------------------------------------------------------------------------------ */

static struct cluster *two_half_nodes(uint32_t most, bool fixed)
{
	struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
	c->policy.consolidation_max_victims = most;
	add_node(c, "n0", .gpus = 2);
	add_node(c, "n1", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	add_running(c, "x", (struct group_is){.queue = "q", .age_s = 9}, "n0", 1);
	add_running(c, "y", (struct group_is){.queue = "q", .age_s = 8}, "n1", 1);
	add_pod(c, add_group(c, "big", .queue = "q", .fixed = fixed), "big-0", .gpus = 2);
	return c;
}

static void one_of_two_is_moved_and_nobody_lost(void **state)
{
	(void)state;
	struct cluster *c = two_half_nodes(UINT32_MAX, false);
	run_cycle(c);
	assert_int_equal(count(c, STINT_DECIDE_EVICT), 1);
	assert_int_equal(count(c, STINT_DECIDE_RESERVE), 2);
	assert_true(falls(c, "y-0"));
	assert_string_equal(node_of(c, "y-0"), "n0");
	assert_string_equal(node_of(c, "big-0"), "n1");
	assert_int_equal(stint_engine_loss(c->engine, stint_engine_group_find(c->engine, "y")).moved, 1);
	cluster_free(c);
	c = two_half_nodes(0, false);
	assert_int_equal(run_cycle(c), 0);
	cluster_free(c);
	c = two_half_nodes(UINT32_MAX, true);
	assert_int_equal(run_cycle(c), 0); /* non-preemptible work moves nobody */
	cluster_free(c);
}

static void no_more_are_moved_than_the_policy_allows(void **state)
{
	(void)state;
	for (uint32_t most = 1; most <= 2; most++) {
		struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
		c->policy.consolidation_max_victims = most;
		add_node(c, "n0", .gpus = 4);
		add_node(c, "n1", .gpus = 4);
		add_queue(c, "q", .quota = -1);
		for (int i = 0; i < 4; i++) {
			stint_autofree char *key = stint_format("x%d", i);
			add_running(c, key, (struct group_is){.queue = "q", .age_s = 9}, i < 2 ? "n0" : "n1", UINT64_C(1) << i % 2);
		}
		add_pod(c, add_group(c, "big", .queue = "q"), "big-0", .gpus = 4);
		run_cycle(c);
		assert_int_equal(count(c, STINT_DECIDE_EVICT), most == 1 ? 0 : 2);
		cluster_free(c);
	}
}

static void without_a_place_for_everybody_nobody_moves(void **state)
{
	(void)state;
	struct cluster *c = two_half_nodes(UINT32_MAX, false);
	add_pod(c, stint_engine_group_find(c->engine, "x"), "x-1", .gpus = 1, .on = "n0", .slots = 2);
	assert_int_equal(run_cycle(c), 0);
	cluster_free(c);
}

/* ---- stale gangs ---------------------------------------------------------------------------------------------------------------------------- */

struct stale {
	const char *says;
	struct group_is gang;
	size_t falls;
};

static const struct stale stales[] = {
	{"a gang that has been incomplete for too long falls", {.min = 3, .stale_since_ms = AGO(60)}, 2},
	{"not before its grace is over", {.min = 3, .stale_since_ms = AGO(59)}, 0},
	{"its own grace counts", {.min = 3, .stale_since_ms = AGO(1), .has_grace = true}, 2},
	{"for ever, if it says so", {.min = 3, .stale_since_ms = AGO(1000), .has_grace = true, .grace_s = -1}, 0},
	{"one that is whole never falls", {.min = 2, .stale_since_ms = AGO(1000)}, 0},
	{"nor one of which a pod has succeeded", {.min = 3, .stale_since_ms = AGO(1000), .succeeded = true}, 0},
};

static void stale_gangs_fall(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(stales); i++) {
		struct cluster *c = cluster_with(STINT_ACTION_STALE);
		struct group_is is = stales[i].gang;
		is.queue = "q";
		add_node(c, "n0", .gpus = 3);
		add_queue(c, "q", .quota = -1);
		const uint32_t gang = add_group_(c, "gang", is);
		add_pod(c, gang, "gang-0", .gpus = 1, .on = "n0", .slots = 1);
		add_pod(c, gang, "gang-1", .gpus = 1, .on = "n0", .slots = 2);
		run_cycle(c);
		if (count(c, STINT_DECIDE_EVICT) != stales[i].falls)
			fail_msg("%s: %zu fell", stales[i].says, count(c, STINT_DECIDE_EVICT));
		cluster_free(c);
	}
}

static void time_alone_ends_a_grace(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_STALE);
	add_node(c, "n0", .gpus = 3);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "gang", .queue = "q", .min = 2), "gang-0", .gpus = 1, .on = "n0", .slots = 1);
	assert_int_equal(run_cycle(c), 0);
	assert_int_equal(c->last.next_ms, CLUSTER_NOW_MS + 60000);
	c->now_ms += 59999;
	assert_int_equal(run_cycle(c), 0);
	c->now_ms += 1;
	assert_int_equal(run_cycle(c), 1);
	cluster_free(c);
}

/* ---- afterwards ------------------------------------------------------------------------------------------------------------------------------ */

static void an_eviction_stands_against_old_news_and_is_undone_when_it_failed(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_running(c, "runs", (struct group_is){.queue = "q"}, "n0", 1);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits-0", .gpus = 1);
	run_cycle(c);
	add_running(c, "runs", (struct group_is){.queue = "q"}, "n0", 1);
	assert_int_equal(pod_seen(c, "runs-0").status, STINT_POD_RELEASING);
	stint_engine_pod_stay(c->engine, pod_named(c, "runs-0"));
	assert_int_equal(pod_seen(c, "runs-0").status, STINT_POD_BOUND);
	assert_int_equal(pod_seen(c, "waits-0").status, STINT_POD_PENDING);
	cluster_free(c);
}

/* "early" has its place and waits for its bind when "waits" is given it. */
static struct cluster *cluster_that_evicts_an_assumed_pod(void)
{
	struct cluster *c = cluster_new();
	stint_policy_evict(&c->policy);
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "early", .queue = "q", .priority = 50), "early", .gpus = 1);
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(pod_seen(c, "early").status, STINT_POD_ASSUMED);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 1);
	run_cycle(c);
	assert_int_equal(pod_seen(c, "early").status, STINT_POD_RELEASING);
	return c;
}

static void a_bind_that_failed_leaves_nothing_to_evict(void **state)
{
	(void)state;
	struct cluster *c = cluster_that_evicts_an_assumed_pod();
	stint_engine_pod_undo(c->engine, pod_named(c, "early"));
	assert_int_equal(pod_seen(c, "early").status, STINT_POD_PENDING);
	assert_int_equal(pod_seen(c, "early").node, STINT_NO_HANDLE);
	stint_engine_pod_stay(c->engine, pod_named(c, "early"));
	assert_int_equal(pod_seen(c, "early").status, STINT_POD_PENDING);
	assert_int_equal(run_cycle(c), 1);
	assert_int_equal(pod_seen(c, "waits").status, STINT_POD_ASSUMED);
	assert_int_equal(pod_seen(c, "early").status, STINT_POD_PENDING);
	cluster_free(c);
}

static void an_eviction_that_failed_leaves_the_bind_alone(void **state)
{
	(void)state;
	for (int confirmed = 0; confirmed < 2; confirmed++) {
		struct cluster *c = cluster_that_evicts_an_assumed_pod();
		if (confirmed)
			stint_engine_pod_confirm(c->engine, pod_named(c, "early"));
		assert_int_equal(pod_seen(c, "early").status, STINT_POD_RELEASING);
		stint_engine_pod_stay(c->engine, pod_named(c, "early"));
		assert_int_equal(pod_seen(c, "early").status, confirmed ? STINT_POD_BOUND : STINT_POD_ASSUMED);
		cluster_free(c);
	}
}

static void a_bind_that_is_undone_does_not_undo_the_eviction_of_a_bound_pod(void **state)
{
	(void)state;
	struct cluster *c = cluster_that_evicts_an_assumed_pod();
	stint_engine_pod_confirm(c->engine, pod_named(c, "early"));
	stint_engine_pod_undo(c->engine, pod_named(c, "early"));
	assert_int_equal(pod_seen(c, "early").status, STINT_POD_RELEASING);
	cluster_free(c);
}

static void only_so_many_of_a_queue_take_part(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	c->policy.queue_depth[STINT_ACTION_PREEMPT] = 1;
	add_node(c, "n0", .gpus = 1);
	add_queue(c, "q", .quota = -1);
	add_running(c, "runs", (struct group_is){.queue = "q"}, "n0", 1);
	add_pod(c, add_group(c, "first", .queue = "q", .priority = 90), "first-0", .gpus = 2); /* too large for any node */
	add_pod(c, add_group(c, "second", .queue = "q", .priority = 75), "second-0", .gpus = 1);
	assert_int_equal(run_cycle(c), 0);
	c->policy.queue_depth[STINT_ACTION_PREEMPT] = 2;
	assert_int_equal(run_cycle(c), 2);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preemption_keeps_its_rules),
		cmocka_unit_test(the_least_deserving_falls_and_no_more_than_must),
		cmocka_unit_test(a_set_that_is_not_needed_is_left_alone),
		cmocka_unit_test(an_elastic_group_gives_its_surplus_only),
		cmocka_unit_test(a_gang_falls_whole),
		cmocka_unit_test(reclaim_keeps_its_rules),
		cmocka_unit_test(no_more_is_taken_than_is_beyond_the_share),
		cmocka_unit_test(no_more_are_moved_than_the_policy_allows),
		cmocka_unit_test(one_of_two_is_moved_and_nobody_lost),
		cmocka_unit_test(without_a_place_for_everybody_nobody_moves),
		cmocka_unit_test(stale_gangs_fall),
		cmocka_unit_test(time_alone_ends_a_grace),
		cmocka_unit_test(an_eviction_stands_against_old_news_and_is_undone_when_it_failed),
		cmocka_unit_test(a_bind_that_failed_leaves_nothing_to_evict),
		cmocka_unit_test(an_eviction_that_failed_leaves_the_bind_alone),
		cmocka_unit_test(a_bind_that_is_undone_does_not_undo_the_eviction_of_a_bound_pod),
		cmocka_unit_test(only_so_many_of_a_queue_take_part),
	};
	return cmocka_run_group_tests_name("engine: evictions", tests, NULL, NULL);
}
