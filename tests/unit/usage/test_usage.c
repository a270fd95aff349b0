/* What usage promises: parts of the cluster by time, halved with each half-life, and the same after a restart. */
#include <stint/usage.h>

#include "../scheduler/cluster.h"

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

static double gpu_part(const struct stint_usage *usage, const char *queue)
{
	double part[STINT_DIMENSIONS];
	stint_usage_of(usage, queue, part);
	return part[STINT_GPU];
}

/* A node of four devices; queue `default` runs one pod on one of them. */
static void run_one_pod(struct cluster *c)
{
	cluster_node(c, "n0", 4, true);
	cluster_queue(c, "default", 4, -1);
	cluster_pod(c, "a", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 1);
}

static void a_queue_that_always_had_a_quarter_has_used_a_quarter(void **state)
{
	struct cluster *c = *state;
	run_one_pod(c);
	struct stint_usage *usage = stint_usage_new(1000);
	assert_true(gpu_part(usage, "default") == 0);
	stint_usage_sample(usage, c->engine, 5000);
	assert_true(gpu_part(usage, "default") == 0);
	for (int64_t now = 5100; now < 9000; now += 700)
		stint_usage_sample(usage, c->engine, now);
	assert_float_equal(gpu_part(usage, "default"), 0.25, 1e-9);
	assert_true(gpu_part(usage, "nobody") == 0);
	stint_usage_free(usage);
}

static void what_is_over_counts_half_after_each_half_life(void **state)
{
	struct cluster *c = *state;
	run_one_pod(c);
	struct stint_usage *usage = stint_usage_new(1000);
	/* Long enough that the cluster's integral does not grow any more. */
	stint_usage_sample(usage, c->engine, 0);
	stint_usage_sample(usage, c->engine, 60000);
	stint_engine_pod_undo(c->engine, cluster_find(c, "a")->handle);
	stint_usage_sample(usage, c->engine, 60000);
	for (int lives = 1; lives <= 4; lives++) {
		stint_usage_sample(usage, c->engine, 60000 + 1000 * lives);
		assert_float_equal(gpu_part(usage, "default"), 0.25 / (1 << lives), 1e-6);
	}
	stint_usage_sample(usage, c->engine, 60000 + 11000);
	assert_true(gpu_part(usage, "default") == 0);
	stint_usage_free(usage);
}

static void the_engine_is_told(void **state)
{
	struct cluster *c = *state;
	run_one_pod(c);
	cluster_queue(c, "other", 0, -1);
	cluster_pod(c, "b", "\"labels\":{\"kai.scheduler/queue\":\"other\"}", "GPU", "");
	struct stint_usage *usage = stint_usage_new(1000);
	stint_usage_sample(usage, c->engine, 0);
	stint_usage_sample(usage, c->engine, 60000);
	stint_usage_apply(usage, c->engine);
	/* No usage is known of a queue that never had anything. */
	double part[STINT_DIMENSIONS];
	stint_usage_of(usage, "other", part);
	assert_true(part[STINT_GPU] == 0 && part[STINT_CPU] == 0 && part[STINT_MEMORY] == 0);
	stint_usage_free(usage);
}

static void a_successor_goes_on_from_what_was_saved(void **state)
{
	struct cluster *c = *state;
	run_one_pod(c);
	struct stint_usage *usage = stint_usage_new(1000), *successor = stint_usage_new(1000);
	stint_usage_sample(usage, c->engine, 0);
	stint_usage_sample(usage, c->engine, 3000);
	stint_autofree char *text = stint_usage_save(usage);
	assert_true(stint_usage_load(successor, text, strlen(text), 3500));
	assert_float_equal(gpu_part(successor, "default"), gpu_part(usage, "default"), 1e-9);
	stint_usage_free(usage);
	stint_usage_free(successor);
}

static void broken_text_changes_nothing(void **state)
{
	(void)state;
	static const char *const table[] = {
		"",
		"{",
		"[]",
		"{\"version\":2}",
		"{\"version\":1,\"at\":5}",
		"{\"version\":1,\"at\":-5,\"cluster\":{\"cpu\":1,\"memory\":1,\"gpu\":1,\"busy\":1},\"queues\":{}}",
		"{\"version\":1,\"at\":5,\"cluster\":{\"cpu\":-1,\"memory\":1,\"gpu\":1,\"busy\":1},\"queues\":{}}",
		"{\"version\":1,\"at\":5,\"cluster\":{\"cpu\":1,\"memory\":1,\"gpu\":1,\"busy\":1},\"queues\":{\"q\":3}}",
	};
	struct stint_usage *usage = stint_usage_new(1000);
	for (size_t i = 0; i < STINT_COUNT(table); i++)
		assert_false(stint_usage_load(usage, table[i], strlen(table[i]), 10));
	stint_usage_free(usage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CLUSTER(a_queue_that_always_had_a_quarter_has_used_a_quarter),
		IN_CLUSTER(what_is_over_counts_half_after_each_half_life),
		IN_CLUSTER(the_engine_is_told),
		IN_CLUSTER(a_successor_goes_on_from_what_was_saved),
		cmocka_unit_test(broken_text_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
