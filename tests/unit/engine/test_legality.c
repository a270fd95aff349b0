/*
 * What a verdict about victims allows and what not, rule by rule: each case changes when its rule is broken (kai-engine 3.4, 8.3, 9.1).
 */
#include "tests/unit/test.h"

#include "cluster.h"
#include "core/engine/hunt.h"

#define AGO(seconds) (CLUSTER_NOW_MS - (seconds)*1000)

static struct cluster *cluster_with(enum stint_action action)
{
	struct cluster *c = cluster_new();
	c->policy.actions[0] = action;
	c->policy.actions_count = 1;
	c->policy.hold_moved_ms = 60000; /* that a decision lasts is another matter */
	return c;
}

static size_t evicted(struct cluster *c)
{
	size_t sum = 0;
	run_cycle(c);
	for (size_t i = 0; i < c->last.count; i++)
		sum += c->last.decisions[i].kind == STINT_DECIDE_EVICT;
	return sum;
}

/* One job of that many pods of one GPU each, from that slot of n0 on. */
static void run_job(struct cluster *c, const char *key, struct group_is is, int pods, int slot)
{
	const uint32_t group = add_group_(c, key, is);
	for (int pod = 0; pod < pods; pod++) {
		stint_autofree char *name = stint_format("%s-%d", key, pod);
		add_pod(c, group, name, .gpus = 1, .on = "n0", .slots = UINT64_C(1) << (slot + pod));
	}
}

static void add_waiting(struct cluster *c, struct group_is is, int gpus)
{
	add_pod(c, add_group_(c, "waits", is), "waits", .gpus = gpus);
}

/* ---- reclaim ------------------------------------------------------------------------------------------------------------------------------ */

/* By it the taker's department would pass its share, and be as full as the one that gives. */
static void no_department_takes_until_it_is_fuller_than_the_other(void **state)
{
	(void)state;
	for (int used = 1; used <= 3; used += 2) {
		struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
		add_node(c, "n0", .gpus = used + 4);
		add_queue(c, "takers", .quota = 3, .priority = 200);
		add_queue(c, "givers", .quota = 3);
		add_queue(c, "s", .parent = "takers", .quota = 3);
		add_queue(c, "t", .parent = "takers", .quota = 1);
		add_queue(c, "v", .parent = "givers", .quota = 3);
		for (int i = 0; i < used + 4; i++) {
			stint_autofree char *key = stint_format("r%d", i);
			run_job(c, key, (struct group_is){.queue = i < used ? "s" : "v", .fixed = i < used}, 1, i);
		}
		add_waiting(c, (struct group_is){.queue = "t"}, 1);
		assert_int_equal(evicted(c), used == 1);
		cluster_free(c);
	}
}

static void what_is_taken_is_tested_smallest_first(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
	add_node(c, "n0", .gpus = 4);
	add_queue(c, "a", .quota = 2);
	add_queue(c, "b", .quota = 4);
	run_job(c, "small", (struct group_is){.queue = "a"}, 1, 0);
	add_pod(c, add_group(c, "large", .queue = "a"), "large", .gpus = 3, .on = "n0", .slots = 14);
	add_waiting(c, (struct group_is){.queue = "b"}, 4);
	assert_int_equal(evicted(c), 2);
	cluster_free(c);
}

/* Of three GPUs two are beyond the quota. A gang falls as one, and may; of an elastic group the core would be too much. */
static void a_surplus_counts_pod_by_pod_and_a_core_as_one(void **state)
{
	(void)state;
	for (uint32_t min = 1; min <= 3; min += 2) {
		struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
		add_node(c, "n0", .gpus = 3);
		add_queue(c, "a", .quota = 1);
		add_queue(c, "b", .quota = 3, .priority = 200);
		run_job(c, "job", (struct group_is){.queue = "a", .min = min}, 3, 0);
		add_waiting(c, (struct group_is){.queue = "b"}, 3);
		assert_int_equal(evicted(c), min == 3 ? 3 : 0);
		cluster_free(c);
	}
}

/* Beyond its quota a queue takes only what is beyond the other's share, which is 3 here: of 3.5 GPUs one half, and not another one. */
static void who_passes_its_quota_leaves_others_their_share(void **state)
{
	(void)state;
	for (int quota = 0; quota < 2; quota++) {
		struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
		add_node(c, "n0", .gpus = 3);
		add_node(c, "n1", .gpus = 1, .label = "zone", .value = "a");
		add_queue(c, "a", .quota = 1, .weight = 2);
		add_queue(c, "b", .quota = quota, .weight = 1, .priority = 100);
		run_job(c, "r0", (struct group_is){.queue = "a", .age_s = 9}, 1, 0);
		run_job(c, "r1", (struct group_is){.queue = "a", .age_s = 9}, 1, 1);
		add_pod(c, add_group(c, "h0", .queue = "a", .age_s = 9), "h0", .portion = 0.5, .on = "n0", .slots = 4);
		add_pod(c, add_group(c, "h1", .queue = "a"), "h1", .portion = 0.5, .on = "n1", .slots = 1);
		add_pod(c, add_group(c, "h2", .queue = "a"), "h2", .portion = 0.5, .on = "n1", .slots = 1);
		add_pod(c, add_group(c, "waits", .queue = "b"), "waits", .gpus = 1, .selects = "zone", .selected = "a");
		c->policy.reclaim_may_consolidate = false;
		assert_int_equal(evicted(c), quota ? 2 : 0);
		cluster_free(c);
	}
}

/* Two queues of one department, which is due 2 of 4: no more than that is beyond its share, from whichever of the two. */
static void what_several_queues_give_counts_for_their_department(void **state)
{
	(void)state;
	for (int asks = 2; asks <= 3; asks++) {
		struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
		add_node(c, "n0", .gpus = 4);
		add_queue(c, "givers", .quota = 2);
		add_queue(c, "a0", .parent = "givers", .quota = 0);
		add_queue(c, "a1", .parent = "givers", .quota = 0);
		add_queue(c, "b", .quota = 3);
		for (int i = 0; i < 4; i++) {
			stint_autofree char *key = stint_format("r%d", i);
			run_job(c, key, (struct group_is){.queue = i % 2 ? "a1" : "a0"}, 1, i);
		}
		add_waiting(c, (struct group_is){.queue = "b"}, asks);
		assert_int_equal(evicted(c), asks == 2 ? 2 : 0);
		cluster_free(c);
	}
}

/* The project has its quota, its department more than its own: across departments that is what counts. */
static void departments_are_compared_with_departments(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
	add_node(c, "n0", .gpus = 3);
	add_queue(c, "givers", .quota = 2);
	add_queue(c, "takers", .quota = 2);
	add_queue(c, "a", .parent = "givers", .quota = 4);
	add_queue(c, "b", .parent = "takers", .quota = 2);
	for (int i = 0; i < 3; i++) {
		stint_autofree char *key = stint_format("r%d", i);
		run_job(c, key, (struct group_is){.queue = "a"}, 1, i);
	}
	add_waiting(c, (struct group_is){.queue = "b"}, 1);
	assert_int_equal(evicted(c), 1);
	cluster_free(c);
}

static void who_has_exactly_its_quota_may_be_moved_but_loses_nothing(void **state)
{
	(void)state;
	for (int room = 0; room < 2; room++) {
		struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
		add_node(c, "n0", .gpus = 1, .label = "zone", .value = "a");
		add_node(c, "n1", .gpus = room);
		add_queue(c, "a", .quota = 1);
		add_queue(c, "b", .quota = 1);
		run_job(c, "r", (struct group_is){.queue = "a"}, 1, 0);
		add_pod(c, add_group(c, "waits", .queue = "b"), "waits", .gpus = 1, .selects = "zone", .selected = "a");
		assert_int_equal(evicted(c), room);
		if (room)
			assert_string_equal(node_of(c, "r-0"), "n1");
		cluster_free(c);
	}
}

/* ---- minimum runtimes ----------------------------------------------------------------------------------------------------------------------- */

static void protected_elastic_work_gives_its_surplus_and_keeps_its_minimum(void **state)
{
	(void)state;
	for (int asks = 1; asks <= 2; asks++) {
		struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
		add_node(c, "n0", .gpus = 2);
		add_queue(c, "q", .quota = -1, .preempt_min_s = 100);
		run_job(c, "elastic", (struct group_is){.queue = "q", .started_ms = AGO(10)}, 2, 0);
		add_waiting(c, (struct group_is){.queue = "q", .priority = 75}, asks);
		assert_int_equal(evicted(c), asks == 1);
		cluster_free(c);
	}
}

/* The department protects for long, its project hardly. */
static void whose_minimum_counts_is_a_matter_of_policy(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
		c->policy.min_runtime_method = own ? STINT_MIN_RUNTIME_QUEUE : STINT_MIN_RUNTIME_LCA;
		add_node(c, "n0", .gpus = 2);
		add_queue(c, "givers", .quota = 1, .reclaim_min_s = 100);
		add_queue(c, "a", .parent = "givers", .quota = 1, .reclaim_min_s = 1);
		add_queue(c, "b", .quota = 1);
		run_job(c, "r0", (struct group_is){.queue = "a", .started_ms = AGO(10)}, 1, 0);
		run_job(c, "r1", (struct group_is){.queue = "a", .started_ms = AGO(10)}, 1, 1);
		add_waiting(c, (struct group_is){.queue = "b"}, 1);
		assert_int_equal(evicted(c), own);
		cluster_free(c);
	}
}

/* ---- others ------------------------------------------------------------------------------------------------------------------------------------ */

static void who_must_be_spared_does_not_fall(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	run_job(c, "low", (struct group_is){.queue = "q", .priority = 30}, 1, 0);
	run_job(c, "mid", (struct group_is){.queue = "q", .priority = 40}, 1, 1);
	add_waiting(c, (struct group_is){.queue = "q", .priority = 75}, 1);
	stint_engine_group_spare(c->engine, stint_engine_group_find(c->engine, "low"), true);
	assert_int_equal(evicted(c), 1);
	assert_int_equal(c->last.decisions[0].pod, pod_named(c, "mid-0"));
	cluster_free(c);
}

/*
 * The larger pod of a surplus finds no place any more and the smaller one has its own still: it stays, though both were put to judgement; and
 * where another node has room for the larger one, that is moved.
 */
static void a_judgement_lets_stay_who_can_stay_and_moves_who_can_move(void **state)
{
	(void)state;
	for (int room = 0; room < 2; room++) {
		struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
		add_node(c, "n0", .gpus = 3);
		add_node(c, "n1", .gpus = 1 + 2 * room);
		add_queue(c, "q", .quota = -1);
		const uint32_t group = add_group(c, "x", .queue = "q");
		add_pod(c, group, "x-0", .gpus = 1, .on = "n1", .slots = 1);
		add_pod(c, group, "x-1", .gpus = 2, .on = "n0", .slots = 3);
		add_pod(c, group, "x-2", .gpus = 1, .on = "n0", .slots = 4);
		const uint32_t waits = add_group(c, "waits", .queue = "q", .priority = 75);
		add_pod(c, waits, "waits", .gpus = 2, .selects = "only", .selected = "n0");
		add_node(c, "n0", .gpus = 3, .label = "only", .value = "n0");
		c->policy.actions_count = 0;
		run_cycle(c);
		struct search *search = c->engine->search = stint_alloc(sizeof *search);
		struct hunt hunt = {.rules = &engine_preempt_rules,
			.group = waits,
			.queue = stint_engine_queue_find(c->engine, "q"),
			.pool = STINT_NO_HANDLE};
		engine_lines_settle(c->engine);
		handles_push(&search->set, pod_named(c, "x-2"));
		handles_push(&search->set, pod_named(c, "x-1"));
		assert_true(engine_judge(c->engine, &hunt));
		assert_string_equal(node_of(c, "x-2"), "n0");
		assert_int_equal(pod_seen(c, "x-2").status, STINT_POD_BOUND);
		assert_int_equal(pod_seen(c, "x-1").status, room ? STINT_POD_RESERVED : STINT_POD_RELEASING);
		assert_string_equal(node_of(c, "x-1"), room ? "n1" : "n0");
		engine_plan_rollback(c->engine, 0);
		cluster_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_department_takes_until_it_is_fuller_than_the_other),
		cmocka_unit_test(what_is_taken_is_tested_smallest_first),
		cmocka_unit_test(a_surplus_counts_pod_by_pod_and_a_core_as_one),
		cmocka_unit_test(who_passes_its_quota_leaves_others_their_share),
		cmocka_unit_test(what_several_queues_give_counts_for_their_department),
		cmocka_unit_test(departments_are_compared_with_departments),
		cmocka_unit_test(who_has_exactly_its_quota_may_be_moved_but_loses_nothing),
		cmocka_unit_test(protected_elastic_work_gives_its_surplus_and_keeps_its_minimum),
		cmocka_unit_test(whose_minimum_counts_is_a_matter_of_policy),
		cmocka_unit_test(who_must_be_spared_does_not_fall),
		cmocka_unit_test(a_judgement_lets_stay_who_can_stay_and_moves_who_can_move),
	};
	return cmocka_run_group_tests_name("engine: legality", tests, NULL, NULL);
}
