/*
 * What keeps the engine from taking room from others for a group stands in its record, and time alone ends it (kai-engine 9.1, 9.2).
 */
#include "tests/unit/test.h"

#include "cluster.h"

#define AGO(seconds) (CLUSTER_NOW_MS - (seconds)*1000)

/* One node of two GPUs; low and low2 run on it, "waits" wants one or both. */
struct restrained {
	const char *says;
	int64_t low_ran_s, low2_ran_s; /* 0: not known, nothing protects it */
	int64_t min_runtime_s, delay_s;
	int low_priority, asks;
	enum stint_restraint by;
	int64_t in_s; /* until then */
	const char *protected;
};

static const struct restrained rows[] = {
	{"its delay", 0, 0, 0, 100, 40, 1, STINT_RESTRAINT_DELAY, 100, NULL},
	{"its delay, and nothing else is said then", 30, 30, 100, 80, 40, 1, STINT_RESTRAINT_DELAY, 80, NULL},
	{"a minimum runtime", 30, 20, 100, 0, 40, 1, STINT_RESTRAINT_RUNTIME, 80, "low2"},
	{"the last of those that it needs", 30, 20, 100, 0, 40, 2, STINT_RESTRAINT_RUNTIME, 80, "low2"},
	{"nobody may fall by any rule: not the delay", 0, 0, 0, 100, 75, 1, STINT_RESTRAINT_NONE, 0, NULL},
	{"not a minimum runtime of who may not fall", 30, 30, 100, 0, 75, 1, STINT_RESTRAINT_NONE, 0, NULL},
	{"nor of those who would not suffice", 30, 30, 100, 0, 40, 3, STINT_RESTRAINT_NONE, 0, NULL},
};

static struct cluster *restrained_cluster(const struct restrained *row)
{
	struct cluster *c = cluster_new();
	stint_policy_evict(&c->policy);
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "q", .quota = -1, .preempt_min_s = row->min_runtime_s);
	add_pod(c,
		add_group(c, "low", .queue = "q", .priority = row->low_priority, .age_s = 9,
			.started_ms = row->low_ran_s ? AGO(row->low_ran_s) : 0),
		"low", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c,
		add_group(c, "low2", .queue = "q", .priority = row->low_priority, .age_s = 9,
			.started_ms = row->low2_ran_s ? AGO(row->low2_ran_s) : 0),
		"low2", .gpus = 1, .on = "n0", .slots = 2);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75, .delay_s = row->delay_s), "waits", .gpus = row->asks);
	return c;
}

static void the_record_names_what_holds_it_back_and_until_when(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		const struct restrained *row = &rows[i];
		struct cluster *c = restrained_cluster(row);
		assert_int_equal(run_cycle(c), 0);
		const struct stint_record record = record_of(c, "waits");
		if (record.reason != STINT_REASON_NO_ROOM || record.restraint != row->by)
			fail_msg("%s: reason %d, restraint %d", row->says, (int)record.reason, (int)record.restraint);
		if (row->by != STINT_RESTRAINT_NONE && record.restrained_until_ms != CLUSTER_NOW_MS + row->in_s * 1000)
			fail_msg("%s: until %lld", row->says, (long long)record.restrained_until_ms - CLUSTER_NOW_MS);
		struct stint_group_view view = {.key = "nobody"};
		stint_engine_group_view(c->engine, record.restrained_by, &view);
		if (row->protected && strcmp(view.key, row->protected) != 0)
			fail_msg("%s: by %s", row->says, view.key);
		cluster_free(c);
	}
}

static void time_alone_ends_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		const struct restrained *row = &rows[i];
		if (row->by == STINT_RESTRAINT_NONE || row->asks > 1)
			continue;
		struct cluster *c = restrained_cluster(row);
		/* Of two that may fall, one is free to go before the other. */
		const int64_t first_s = row->low_ran_s ? row->min_runtime_s - row->low_ran_s : 0;
		const int64_t end_ms = CLUSTER_NOW_MS + 1000 * (first_s > row->delay_s ? first_s : row->delay_s);
		run_cycle(c);
		while (c->now_ms < end_ms) {
			if (c->last.next_ms <= c->now_ms || c->last.next_ms > end_ms)
				fail_msg("%s: the next cycle is due at %lld", row->says, (long long)(c->last.next_ms - CLUSTER_NOW_MS));
			c->now_ms = c->last.next_ms - 1;
			assert_int_equal(run_cycle(c), 0);
			c->now_ms++;
			if (run_cycle(c))
				break;
		}
		assert_int_equal(c->now_ms, end_ms);
		assert_int_equal(c->last.count, 2);
		assert_int_equal(record_of(c, "waits").restraint, STINT_RESTRAINT_NONE);
		cluster_free(c);
	}
}

static void what_does_not_hold_any_more_is_not_said(void **state)
{
	(void)state;
	struct cluster *c = restrained_cluster(&rows[0]);
	run_cycle(c);
	/* Another attempt in vain says the same. */
	add_pod(c, add_group(c, "other", .queue = "q", .priority = 40), "other", .gpus = 1);
	run_cycle(c);
	assert_int_equal(record_of(c, "waits").restraint, STINT_RESTRAINT_DELAY);
	c->policy.actions_count = 1; /* allocate */
	run_cycle(c);
	assert_int_equal(record_of(c, "waits").restraint, STINT_RESTRAINT_NONE);
	stint_policy_evict(&c->policy);
	run_cycle(c);
	assert_int_equal(record_of(c, "waits").restraint, STINT_RESTRAINT_DELAY);
	add_group(c, "low", .queue = "q", .priority = 75);
	add_group(c, "low2", .queue = "q", .priority = 75);
	add_group(c, "other", .queue = "q", .priority = 75);
	run_cycle(c);
	assert_int_equal(record_of(c, "waits").restraint, STINT_RESTRAINT_NONE);
	cluster_free(c);
}

/* Reclaim: the queue that gives has a minimum runtime of its own. */
static void reclaim_says_it_too(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	stint_policy_evict(&c->policy);
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "gives", .quota = 1, .reclaim_min_s = 60);
	add_queue(c, "takes", .quota = 1);
	for (int i = 0; i < 2; i++) {
		stint_autofree char *key = stint_format("r%d", i);
		add_pod(c, add_group(c, key, .queue = "gives", .started_ms = AGO(10 + i)), key, .gpus = 1, .on = "n0",
			.slots = UINT64_C(1) << i);
	}
	add_pod(c, add_group(c, "waits", .queue = "takes"), "waits", .gpus = 1);
	assert_int_equal(run_cycle(c), 0);
	const struct stint_record record = record_of(c, "waits");
	assert_int_equal(record.restraint, STINT_RESTRAINT_RUNTIME);
	assert_int_equal(record.restrained_action, STINT_ACTION_RECLAIM);
	assert_int_equal(record.restrained_until_ms, CLUSTER_NOW_MS + 50000);
	assert_string_equal(stint_restraint_name(record.restraint), "min-runtime");
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_record_names_what_holds_it_back_and_until_when),
		cmocka_unit_test(time_alone_ends_it),
		cmocka_unit_test(what_does_not_hold_any_more_is_not_said),
		cmocka_unit_test(reclaim_says_it_too),
	};
	return cmocka_run_group_tests_name("engine: restraint", tests, NULL, NULL);
}
