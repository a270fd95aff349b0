/* What the metrics text promises. */
#include <scheduler/metrics.h>

#include "../test.h"

static char *text_of(const struct stint_metrics *metrics)
{
	struct stint_buf out = {0};
	stint_metrics_write(metrics, &out);
	return stint_buf_steal(&out);
}

static void every_metric_has_help_and_type_and_ends_with_a_newline(void **state)
{
	(void)state;
	struct stint_metrics *metrics = stint_metrics_new();
	stint_autofree char *text = text_of(metrics);
	size_t help = 0, type = 0;
	for (const char *at = text; (at = strstr(at, "# HELP ")); at++)
		help++;
	for (const char *at = text; (at = strstr(at, "# TYPE ")); at++)
		type++;
	assert_int_equal(help, STINT_METRIC_COUNT);
	assert_int_equal(type, STINT_METRIC_COUNT);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_non_null(strstr(text, "\nstint_scheduler_cycles_total 0\n"));
	stint_metrics_free(metrics);
}

static void counters_add_up_and_gauges_stand(void **state)
{
	(void)state;
	struct stint_metrics *metrics = stint_metrics_new();
	stint_metrics_add(metrics, STINT_METRIC_CYCLES, 1);
	stint_metrics_add(metrics, STINT_METRIC_CYCLES, 2);
	stint_metrics_set(metrics, STINT_METRIC_LEADER, 1);
	stint_metrics_set(metrics, STINT_METRIC_LEADER, 0.5);
	stint_autofree char *text = text_of(metrics);
	assert_non_null(strstr(text, "\nstint_scheduler_cycles_total 3\n"));
	assert_non_null(strstr(text, "\nstint_scheduler_leader 0.5\n"));
	stint_metrics_free(metrics);
}

static void label_values_are_escaped_and_series_are_sorted(void **state)
{
	(void)state;
	struct stint_metrics *metrics = stint_metrics_new();
	stint_metrics_add(metrics, STINT_METRIC_BINDS, 1, "failed");
	stint_metrics_add(metrics, STINT_METRIC_BINDS, 4, "bound");
	stint_metrics_set(metrics, STINT_METRIC_QUEUE_INFO, 1, "a \"b\"\\\n", "b", "c");
	stint_autofree char *text = text_of(metrics);
	assert_non_null(
		strstr(text, "stint_scheduler_binds_total{result=\"bound\"} 4\nstint_scheduler_binds_total{result=\"failed\"} 1\n"));
	assert_non_null(
		strstr(text, "kai_queue_info{queue_name=\"a \\\"b\\\"\\\\\\n\",queue_metadata_name=\"b\",queue_display_name=\"c\"} 1\n"));
	stint_metrics_forget(metrics, STINT_METRIC_QUEUE_INFO);
	stint_autofree char *without = text_of(metrics);
	assert_null(strstr(without, "kai_queue_info{"));
	stint_metrics_free(metrics);
}

static void buckets_of_a_histogram_are_cumulative(void **state)
{
	(void)state;
	struct stint_metrics *metrics = stint_metrics_new();
	static const double values[] = {1, 5, 5.1, 2560, 2561, 1e9};
	for (size_t i = 0; i < STINT_COUNT(values); i++)
		stint_metrics_observe(metrics, STINT_METRIC_TASK_BIND_MS, values[i]);
	stint_autofree char *text = text_of(metrics);
	assert_non_null(strstr(text, "kai_task_bind_latency_milliseconds_bucket{le=\"5\"} 2\n"));
	assert_non_null(strstr(text, "kai_task_bind_latency_milliseconds_bucket{le=\"10\"} 3\n"));
	assert_non_null(strstr(text, "kai_task_bind_latency_milliseconds_bucket{le=\"2560\"} 4\n"));
	assert_non_null(strstr(text, "kai_task_bind_latency_milliseconds_bucket{le=\"+Inf\"} 6\n"));
	assert_non_null(strstr(text, "kai_task_bind_latency_milliseconds_count 6\n"));
	stint_metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_metric_has_help_and_type_and_ends_with_a_newline),
		cmocka_unit_test(counters_add_up_and_gauges_stand),
		cmocka_unit_test(label_values_are_escaped_and_series_are_sorted),
		cmocka_unit_test(buckets_of_a_histogram_are_cumulative),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
