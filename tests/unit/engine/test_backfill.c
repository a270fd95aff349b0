/* What declared times promise: a blocked gang gets a start that holds, what would not be missed runs beside it, and nobody else is concerned. */
#include "cluster.h"

#include "../test.h"

/* Two nodes of four devices; `long` runs on all of n0 for 100 s more, `short` on half of n1 for 40 s more. */
static struct cluster *half_busy(void)
{
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4, .label = "name", .value = "n0");
	add_node(c, "n1", .gpus = 4, .label = "name", .value = "n1");
	add_queue(c, "q", .quota = 8);
	add_pod(c, add_group(c, "long", .queue = "q", .age_s = 900, .time_s = 200), "long-0", .gpus = 4, .on = "n0", .slots = 0xF,
		.ran_s = 100);
	add_pod(c, add_group(c, "short", .queue = "q", .age_s = 800, .time_s = 100), "short-0", .gpus = 2, .on = "n1", .slots = 0x3,
		.ran_s = 60);
	return c;
}

/* Two pods of a whole node each. */
static void add_gang(struct cluster *c, int64_t time_s)
{
	const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 700, .min = 2, .time_s = time_s);
	add_pod(c, gang, "gang-0", .gpus = 4);
	add_pod(c, gang, "gang-1", .gpus = 4);
}

static void a_blocked_gang_is_told_when_it_starts(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	add_gang(c, 0);
	run_cycle(c);
	assert_int_equal(record_of(c, "gang").reason, STINT_REASON_NO_ROOM);
	assert_int_equal(record_of(c, "gang").expected_ms, c->now_ms + 100 * 1000);
	assert_int_equal(stint_engine_expected(c->engine, stint_engine_group_find(c->engine, "gang"), c->now_ms), c->now_ms + 100 * 1000);
	cluster_free(c);
}

static int64_t expected_s(struct cluster *c, const char *name)
{
	const int64_t at_ms = stint_engine_expected(c->engine, stint_engine_group_find(c->engine, name), c->now_ms);
	return at_ms ? (at_ms - c->now_ms) / 1000 : -1;
}

/* One device, which `running` gives back in 15 s. */
static void nobody_is_promised_what_somebody_before_him_will_take(void **state)
{
	(void)state;
	static const struct {
		int64_t first_s; /* the declared time of the first in the line; 0: none */
		const char *queue; /* of the second */
		int64_t second_starts_s;
	} table[] = {{0, "q", -1}, {60, "q", 75}, {0, "poor", -1}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 1);
		add_queue(c, "q", .quota = 1);
		add_queue(c, "poor", .quota = 0);
		add_pod(c, add_group(c, "running", .queue = "q", .age_s = 900, .time_s = 15), "running-0", .gpus = 1, .on = "n0",
			.slots = 1, .ran_s = 0);
		add_pod(c, add_group(c, "first", .queue = "q", .age_s = 700, .time_s = table[i].first_s), "first-0", .gpus = 1);
		add_pod(c, add_group(c, "second", .queue = table[i].queue, .age_s = 600), "second-0", .gpus = 1);
		run_cycle(c);
		assert_int_equal(expected_s(c, "first"), 15);
		assert_int_equal(expected_s(c, "second"), table[i].second_starts_s);
		run_cycle(c); /* nothing of the question is left */
		assert_int_equal(c->last.count, 0);
		assert_int_equal(expected_s(c, "first"), 15);
		cluster_free(c);
	}
}

/* What is smaller and behind takes what comes free first, unless a reservation keeps it. */
static void who_behind_would_take_it_first_counts_as_well(void **state)
{
	(void)state;
	for (int keeps = 0; keeps < 2; keeps++) {
		struct cluster *c = cluster_new();
		c->policy.backfill = keeps ? STINT_BACKFILL_EASY : STINT_BACKFILL_NONE;
		add_node(c, "n0", .gpus = 2);
		add_queue(c, "q", .quota = 2);
		for (int pod = 0; pod < 2; pod++) {
			const char *name = pod ? "late" : "soon";
			add_pod(c, add_group(c, name, .queue = "q", .age_s = 900, .time_s = pod ? 40 : 20), name, .gpus = 1, .on = "n0",
				.slots = pod ? 2 : 1, .ran_s = 0);
		}
		add_pod(c, add_group(c, "wide", .queue = "q", .age_s = 700), "wide-0", .gpus = 2);
		add_pod(c, add_group(c, "small", .queue = "q", .age_s = 600), "small-0", .gpus = 1);
		run_cycle(c);
		assert_int_equal(expected_s(c, "wide"), keeps ? 40 : -1);
		assert_int_equal(expected_s(c, "small"), keeps ? -1 : 20);
		cluster_free(c);
	}
}

static void only_what_has_gone_by_then_may_use_its_nodes(void **state)
{
	(void)state;
	static const struct {
		int64_t time_s;
		const char *node;
	} table[] = {{0, ""}, {101, ""}, {100, "n1"}, {5, "n1"}};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct cluster *c = half_busy();
		add_gang(c, 0);
		add_pod(c, add_group(c, "small", .queue = "q", .time_s = table[i].time_s), "small-0", .gpus = 1);
		run_cycle(c);
		assert_string_equal(node_of(c, "small-0"), table[i].node);
		if (!table[i].node[0]) {
			assert_int_equal(record_of(c, "small").reason, STINT_REASON_PROMISED);
			assert_int_equal(record_of(c, "small").blocker, stint_engine_group_find(c->engine, "gang"));
			assert_int_equal(record_of(c, "small").expected_ms, c->now_ms + 100 * 1000);
		}
		cluster_free(c);
	}
}

static void nobody_is_moved_to_get_round_a_promise(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	stint_policy_evict(&c->policy);
	stint_engine_pod_remove(c->engine, "short-0");
	add_gang(c, 0);
	add_pod(c, add_group(c, "small", .queue = "q"), "small-0", .gpus = 1);
	run_cycle(c);
	assert_int_equal(c->last.count, 0);
	assert_int_equal(record_of(c, "small").reason, STINT_REASON_PROMISED);
	cluster_free(c);
}

static void what_the_gang_will_not_need_is_open_to_all(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	const uint32_t gang = add_group(c, "gang", .queue = "q", .age_s = 700, .min = 2);
	add_pod(c, gang, "gang-0", .gpus = 4);
	add_pod(c, gang, "gang-1", .gpus = 3);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "second" : "first";
		add_pod(c, add_group(c, name, .queue = "q", .age_s = 600 - i), name, .gpus = 1);
	}
	run_cycle(c);
	assert_string_equal(node_of(c, "first"), "n1");
	assert_string_equal(node_of(c, "second"), "");
	cluster_free(c);
}

static void earlier_in_the_order_nobody_asks(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	add_gang(c, 0);
	add_pod(c, add_group(c, "urgent", .queue = "q", .priority = 60), "urgent-0", .gpus = 2);
	run_cycle(c);
	assert_string_equal(node_of(c, "urgent-0"), "n1");
	/* Its end is not known, so neither is the gang's start any more. */
	assert_int_equal(record_of(c, "gang").expected_ms, 0);
	cluster_free(c);
}

static void without_declared_times_nothing_is_kept_free(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4);
	add_queue(c, "q", .quota = 8);
	add_pod(c, add_group(c, "running", .queue = "q", .age_s = 900), "running-0", .gpus = 2, .on = "n0", .slots = 0x3, .ran_s = 100);
	add_pod(c, add_group(c, "big", .queue = "q", .age_s = 700), "big-0", .gpus = 4);
	add_pod(c, add_group(c, "small", .queue = "q"), "small-0", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "small-0"), "n0");
	assert_int_equal(record_of(c, "big").expected_ms, 0);
	cluster_free(c);
}

static void the_policy_can_do_without(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	c->policy.backfill = STINT_BACKFILL_NONE;
	add_gang(c, 0);
	add_pod(c, add_group(c, "small", .queue = "q"), "small-0", .gpus = 1);
	run_cycle(c);
	assert_string_equal(node_of(c, "small-0"), "n1");
	cluster_free(c);
}

/*
 * Three nodes of four: the gang needs all of n0 and n1 and starts in 100 s; `second` needs all of n2, where `other` runs for 50 s more.
 * EASY keeps room for the first gang alone, so `small` takes what is free of n2; CONSERVATIVE keeps it for the second.
 */
static void conservative_keeps_room_for_the_second_gang_too(void **state)
{
	(void)state;
	for (int conservative = 0; conservative < 2; conservative++) {
		struct cluster *c = half_busy();
		add_node(c, "n2", .gpus = 4);
		add_queue(c, "wide", .quota = 12);
		add_pod(c, add_group(c, "other", .queue = "wide", .age_s = 750, .time_s = 70), "other-0", .gpus = 2, .on = "n2",
			.slots = 0x3, .ran_s = 20);
		const uint32_t gang = add_group(c, "gang", .queue = "wide", .age_s = 700, .min = 2);
		add_pod(c, gang, "gang-0", .gpus = 4, .selects = "name", .selected = "n0");
		add_pod(c, gang, "gang-1", .gpus = 4, .selects = "name", .selected = "n1");
		add_pod(c, add_group(c, "second", .queue = "wide", .age_s = 650), "second-0", .gpus = 4);
		add_pod(c, add_group(c, "small", .queue = "wide"), "small-0", .gpus = 1);
		c->policy.backfill = conservative ? STINT_BACKFILL_CONSERVATIVE : STINT_BACKFILL_EASY;
		run_cycle(c);
		assert_int_equal(record_of(c, "gang").expected_ms, c->now_ms + 100 * 1000);
		assert_int_equal(record_of(c, "second").expected_ms, conservative ? c->now_ms + 50 * 1000 : 0);
		assert_string_equal(node_of(c, "small-0"), conservative ? "" : "n2");
		cluster_free(c);
	}
}

static void a_reservation_is_kept_and_its_gang_starts_on_time(void **state)
{
	(void)state;
	struct cluster *c = half_busy();
	add_gang(c, 0);
	const int64_t start_ms = c->now_ms + 100 * 1000;
	for (int i = 0; i < 20; i++) {
		stint_autofree char *name = stint_format("small-%d", i);
		add_pod(c, add_group(c, name, .queue = "q", .time_s = 30 + i), name, .gpus = 1);
	}
	for (; c->now_ms < start_ms; c->now_ms += 5000) {
		run_cycle(c);
		assert_int_equal(record_of(c, "gang").expected_ms, start_ms);
		/* What has had its time goes. */
		for (int i = 0; i < 20; i++) {
			stint_autofree char *name = stint_format("small-%d", i);
			const uint32_t pod = pod_named(c, name);
			if (pod != STINT_NO_HANDLE && node_of(c, name)[0] && c->now_ms >= CLUSTER_NOW_MS + (30 + i) * 1000)
				stint_engine_pod_remove(c->engine, name);
		}
		if (c->now_ms == CLUSTER_NOW_MS + 40 * 1000)
			stint_engine_pod_remove(c->engine, "short-0");
	}
	stint_engine_pod_remove(c->engine, "long-0");
	for (int i = 0; i < 20; i++) {
		stint_autofree char *name = stint_format("small-%d", i);
		if (pod_named(c, name) != STINT_NO_HANDLE && node_of(c, name)[0])
			stint_engine_pod_remove(c->engine, name);
	}
	run_cycle(c);
	assert_string_not_equal(node_of(c, "gang-0"), "");
	assert_string_not_equal(node_of(c, "gang-1"), "");
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blocked_gang_is_told_when_it_starts),
		cmocka_unit_test(nobody_is_promised_what_somebody_before_him_will_take),
		cmocka_unit_test(who_behind_would_take_it_first_counts_as_well),
		cmocka_unit_test(only_what_has_gone_by_then_may_use_its_nodes),
		cmocka_unit_test(nobody_is_moved_to_get_round_a_promise),
		cmocka_unit_test(what_the_gang_will_not_need_is_open_to_all),
		cmocka_unit_test(earlier_in_the_order_nobody_asks),
		cmocka_unit_test(without_declared_times_nothing_is_kept_free),
		cmocka_unit_test(the_policy_can_do_without),
		cmocka_unit_test(conservative_keeps_room_for_the_second_gang_too),
		cmocka_unit_test(a_reservation_is_kept_and_its_gang_starts_on_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
