/*
 * The score of STINT_FRAGMENTATION: prices by hand for mixes small enough to see through, and where the engine puts pods by them.
 */
#include "tests/unit/test.h"

#include "tests/unit/engine/cluster.h"

enum { MILLION = 1000000, NEAR = MILLION / 40 };

static const int64_t one_kind[STINT_NODE_KINDS] = {100000};

static struct stint_prices learn(const struct stint_demand *demands, size_t count)
{
	struct stint_prices prices;
	stint_prices_learn(&prices, demands, count, one_kind);
	return prices;
}

static void assert_near(int64_t value, int64_t wanted)
{
	if (value < wanted - NEAR || value > wanted + NEAR)
		fail_msg("%lld is not near %lld", (long long)value, (long long)wanted);
}

static void a_remainder_is_worth_what_the_mix_can_fill_of_it(void **state)
{
	(void)state;
	/* Halves alone: half a device holds one, and 49 hundredths hold nothing. */
	const struct stint_demand halves[] = {{.cpu_milli = 1000, .milli = 500, .devices = 1, .kinds = UINT64_MAX, .count = 100}};
	struct stint_prices prices = learn(halves, 1);
	assert_int_equal(prices.remainder[49], 0);
	assert_near(prices.remainder[50], MILLION / 2);
	assert_near(prices.remainder[99], MILLION / 2);
	assert_near(prices.remainder[100], MILLION);
	/* Where 0.8 is all that is asked for, what it leaves is worth nothing, and a device no more than 0.8. */
	const struct stint_demand large[] = {{.cpu_milli = 1000, .milli = 800, .devices = 1, .kinds = UINT64_MAX, .count = 100}};
	prices = learn(large, 1);
	assert_int_equal(prices.remainder[79], 0);
	assert_near(prices.remainder[100], 8 * MILLION / 10);
	/* With plenty of 0.2 to go beside it, it is. */
	const struct stint_demand both[] = {{.cpu_milli = 1000, .milli = 800, .devices = 1, .kinds = UINT64_MAX, .count = 10},
		{.cpu_milli = 1000, .milli = 200, .devices = 1, .kinds = UINT64_MAX, .count = 90}};
	prices = learn(both, 2);
	assert_near(5 * (int64_t)prices.remainder[20], prices.remainder[100]);
}

static void a_share_goes_where_it_leaves_what_others_can_use(void **state)
{
	(void)state;
	const struct stint_demand mix[] = {{.cpu_milli = 1000, .milli = 700, .devices = 1, .kinds = UINT64_MAX, .count = 50},
		{.cpu_milli = 1000, .milli = 300, .devices = 1, .kinds = UINT64_MAX, .count = 50}};
	const struct stint_prices prices = learn(mix, 2);
	/* 0.3 fills a remainder of 0.3 without loss; of 0.9 it leaves 0.6, which holds two 0.3, where three had room. */
	assert_true(stint_device_loss(&prices, 300, 300) < stint_device_loss(&prices, 1000, 300) + NEAR);
	assert_true(stint_device_loss(&prices, 300, 300) <= stint_device_loss(&prices, 400, 300));
	/* 0.7 in a whole device keeps 0.3 for another. In 0.8 it spoils what was of no more use than 0.7. */
	assert_true(stint_device_loss(&prices, 1000, 700) <= stint_device_loss(&prices, 999, 700) + NEAR);
}

static void devices_without_cpu_are_lost(void **state)
{
	(void)state;
	const struct stint_demand mix[] = {{.cpu_milli = 8000, .milli = 1000, .devices = 1, .kinds = UINT64_MAX, .count = 10},
		{.cpu_milli = 90000, .milli = 0, .devices = 0, .kinds = UINT64_MAX, .count = 5}};
	const struct stint_prices prices = learn(mix, 2);
	assert_int_equal(prices.cpu_per_device, 8000);
	const struct stint_remains rich = {.cpu_milli = 128000, .gpu_milli = 8000, .devices = 8};
	const struct stint_remains scarce = {.cpu_milli = 64000, .gpu_milli = 8000, .devices = 8};
	/* A pod without devices takes CPU that nobody misses from the one, and four devices' worth from the other. */
	assert_true(stint_node_loss(&prices, &rich, 32000, 0) < stint_node_loss(&prices, &scarce, 32000, 0) - 4 * MILLION);
}

static void kinds_that_others_need_are_spared(void **state)
{
	(void)state;
	const int64_t capacity[STINT_NODE_KINDS] = {50000, 50000};
	const struct stint_demand mix[] = {{.cpu_milli = 1000, .milli = 1000, .devices = 1, .kinds = 2, .count = 40},
		{.cpu_milli = 1000, .milli = 1000, .devices = 1, .kinds = UINT64_MAX, .count = 60}};
	struct stint_prices prices;
	stint_prices_learn(&prices, mix, 2, capacity);
	assert_int_equal(prices.scarcity[0], 0);
	assert_near(prices.scarcity[1], 8 * MILLION / 10); /* 40 % of what is asked for wants one half of the devices */
}

static void prices_do_not_depend_on_the_order_of_requests_and_survive_any(void **state)
{
	(void)state;
	struct stint_demand mix[40], turned[40];
	uint32_t seed = 7;
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 40; i++) {
			seed = seed * 1664525 + 1013904223;
			const bool absurd = seed >> 24 == 3;
			mix[i] = (struct stint_demand){.cpu_milli = absurd ? INT64_MAX : (int64_t)(seed >> 16),
				.milli = absurd ? UINT32_MAX : (seed >> 8) % 1001,
				.devices = absurd ? UINT32_MAX : seed >> 20 & 7,
				.kinds = seed,
				.count = absurd ? UINT64_MAX : seed >> 10 & 1023};
			turned[39 - i] = mix[i];
		}
		int64_t capacity[STINT_NODE_KINDS];
		for (unsigned i = 0; i < STINT_NODE_KINDS; i++)
			capacity[i] = 1000 * i;
		struct stint_prices a, b;
		stint_prices_learn(&a, mix, 40, capacity);
		stint_prices_learn(&b, turned, 40, capacity);
		assert_memory_equal(&a, &b, sizeof a);
		for (unsigned i = 1; i <= STINT_REMAINDERS; i++)
			assert_true(a.remainder[i] >= a.remainder[i - 1] && a.remainder[i] <= (int32_t)i * 10000);
	}
	struct stint_prices none;
	stint_prices_learn(&none, NULL, 0, one_kind);
	assert_int_equal(none.remainder[100], 0);
}

/* ---- in the engine ----------------------------------------------------------------------------------------------------------------------- */

static const char *place_of(struct cluster *c, const char *pod)
{
	struct stint_pod_view view;
	struct stint_node_view node;
	assert_true(stint_engine_pod_view(c->engine, stint_engine_pod_find(c->engine, pod), &view));
	return stint_engine_node_view(c->engine, view.node, &node) ? node.name : "none";
}

static void the_engine_spares_the_cpu_that_devices_need(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	c->policy = stint_policy_of(STINT_FRAGMENTATION, STINT_FRAGMENTATION);
	add_node(c, "a-tight", .gpus = 8, .cpu_milli = 64000);
	add_node(c, "b-rich", .gpus = 8, .cpu_milli = 200000);
	add_queue(c, "q", .quota = 16);
	for (int i = 0; i < 4; i++) {
		stint_autofree char *name = stint_format("g%d", i);
		add_pod(c, add_group(c, name, .queue = "q"), name, .gpus = 1, .cpu_milli = 8000);
	}
	run_cycle(c);
	add_pod(c, add_group(c, "cpu", .queue = "q"), "cpu", .cpu_milli = 20000);
	run_cycle(c);
	assert_string_equal(place_of(c, "cpu"), "b-rich");
	cluster_free(c);
}

static void the_engine_joins_shares_that_fill_a_device(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	c->policy = stint_policy_of(STINT_FRAGMENTATION, STINT_FRAGMENTATION);
	add_node(c, "n", .gpus = 3);
	add_queue(c, "q", .quota = 16);
	static const double portions[] = {0.7, 0.6, 0.4, 0.3};
	for (int i = 0; i < 4; i++) {
		stint_autofree char *name = stint_format("s%d", i);
		add_pod(c, add_group(c, name, .queue = "q", .age_s = 100 - i), name, .portion = portions[i]);
		run_cycle(c);
	}
	/* Packing would put 0.3 beside 0.7 as well, but 0.4 beside whatever is fullest. */
	for (unsigned slot = 0; slot < 2; slot++) {
		struct stint_device_view device;
		assert_true(stint_engine_device_view(c->engine, 0, slot, &device));
		assert_int_equal(device.used_mib, 100);
	}
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_remainder_is_worth_what_the_mix_can_fill_of_it),
		cmocka_unit_test(a_share_goes_where_it_leaves_what_others_can_use),
		cmocka_unit_test(devices_without_cpu_are_lost),
		cmocka_unit_test(kinds_that_others_need_are_spared),
		cmocka_unit_test(prices_do_not_depend_on_the_order_of_requests_and_survive_any),
		cmocka_unit_test(the_engine_spares_the_cpu_that_devices_need),
		cmocka_unit_test(the_engine_joins_shares_that_fill_a_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
