/*
 * metrics: the table of all metrics, their values, and the Prometheus text. See metrics.h.
 *
 * State: for each metric a map from its formatted labels to its number; for a histogram its buckets. Invariant: label values are
 * escaped once, when a series is first touched, so that writing is only copying.
 */
#include <scheduler/metrics.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABELS = 3, MAX_BUCKETS = 16, MAX_SERIES = 4096 };
enum metric_type { COUNTER, GAUGE, HISTOGRAM };

struct row {
	const char *name;
	enum metric_type type;
	const char *labels[MAX_LABELS];
	double first_bucket; /* histograms: bucket k ends at first * 2^k */
	int buckets;
	const char *help;
};

#define QUEUE_LABELS                                                      \
	{                                                                 \
		"queue_name", "queue_metadata_name", "queue_display_name" \
	}

static const struct row rows[STINT_METRIC_COUNT] = {
	[STINT_METRIC_CYCLE_MS] = {"kai_e2e_scheduling_latency_milliseconds", GAUGE, {0}, 0, 0,
		"Length of the last scheduling cycle in milliseconds"},
	[STINT_METRIC_TASK_SCHEDULING_MS] = {"kai_task_scheduling_latency_milliseconds", HISTOGRAM, {0}, 5, 10,
		"Milliseconds from the creation of a pod to its bind attempt"},
	[STINT_METRIC_TASK_BIND_MS] = {"kai_task_bind_latency_milliseconds", HISTOGRAM, {0}, 5, 10, "Milliseconds that a bind call took"},
	[STINT_METRIC_GROUPS_SCHEDULED] = {"kai_podgroups_scheduled_by_action", COUNTER, {"action"}, 0, 0,
		"Groups of pods that an action has placed"},
	[STINT_METRIC_GROUPS_TRIED] = {"stint_scheduler_groups_tried_total", COUNTER, {0}, 0, 0,
		"Groups of pods that an action has looked at"},
	[STINT_METRIC_QUEUE_INFO] = {"kai_queue_info", GAUGE, QUEUE_LABELS, 0, 0, "1 for each queue"},
	[STINT_METRIC_QUEUE_QUOTA_GPUS] = {"kai_queue_deserved_gpus", GAUGE, QUEUE_LABELS, 0, 0, "Quota of GPUs; -1 is unlimited"},
	[STINT_METRIC_QUEUE_QUOTA_CPU] = {"kai_queue_quota_cpu_cores", GAUGE, QUEUE_LABELS, 0, 0, "Quota of CPU cores; -1 is unlimited"},
	[STINT_METRIC_QUEUE_QUOTA_MEMORY] = {"kai_queue_quota_memory_bytes", GAUGE, QUEUE_LABELS, 0, 0,
		"Quota of memory in bytes; -1 is unlimited"},
	[STINT_METRIC_QUEUE_ALLOCATED_GPUS] = {"kai_queue_allocated_gpus", GAUGE, QUEUE_LABELS, 0, 0, "GPUs that the queue's pods have"},
	[STINT_METRIC_QUEUE_ALLOCATED_CPU] = {"kai_queue_allocated_cpu_cores", GAUGE, QUEUE_LABELS, 0, 0,
		"CPU cores that the queue's pods have"},
	[STINT_METRIC_QUEUE_ALLOCATED_MEMORY] = {"kai_queue_allocated_memory_bytes", GAUGE, QUEUE_LABELS, 0, 0,
		"Bytes of memory that the queue's pods have"},
	[STINT_METRIC_QUEUE_FAIR_GPUS] = {"kai_queue_fair_share_gpu", GAUGE, QUEUE_LABELS, 0, 0, "Fair share of GPUs"},
	[STINT_METRIC_QUEUE_FAIR_CPU] = {"kai_queue_fair_share_cpu_cores", GAUGE, QUEUE_LABELS, 0, 0, "Fair share of CPU cores"},
	[STINT_METRIC_QUEUE_FAIR_MEMORY] = {"kai_queue_fair_share_memory_gb", GAUGE, QUEUE_LABELS, 0, 0,
		"Fair share of memory in GB (10^9 bytes)"},

	[STINT_METRIC_BUILD_INFO] = {"stint_build_info", GAUGE, {"version"}, 0, 0, "1, with the version of the program"},
	[STINT_METRIC_LEADER] = {"stint_scheduler_leader", GAUGE, {0}, 0, 0, "1 while this replica schedules, 0 while it stands by"},
	[STINT_METRIC_CYCLES] = {"stint_scheduler_cycles_total", COUNTER, {0}, 0, 0, "Scheduling cycles that have run"},
	[STINT_METRIC_CYCLE_SECONDS] = {"stint_scheduler_cycle_seconds", HISTOGRAM, {0}, 0.00001, 16,
		"Seconds that a scheduling cycle took"},
	[STINT_METRIC_BINDS] = {"stint_scheduler_binds_total", COUNTER, {"result"}, 0, 0,
		"Bind calls by result: bound, conflict, gone, failed, retried"},
	[STINT_METRIC_BINDS_IN_FLIGHT] = {"stint_scheduler_binds_in_flight", GAUGE, {0}, 0, 0, "Bind calls that have no answer yet"},
	[STINT_METRIC_EVICTIONS] = {"stint_scheduler_evictions_total", COUNTER, {"result"}, 0, 0,
		"Eviction calls by result: evicted, conflict, gone, failed, retried, blocked (by a disruption budget)"},
	[STINT_METRIC_VICTIMS] = {"kai_total_preemption_attempts", COUNTER, {"action"}, 0, 0, "Pods that an action has decided to evict"},
	[STINT_METRIC_LOST_GPU_SECONDS] = {"stint_scheduler_lost_gpu_seconds_total", COUNTER, {"action"}, 0, 0,
		"GPU-seconds of run time that evicted work had behind it"},
	[STINT_METRIC_PODS] = {"stint_scheduler_pods", GAUGE, {"state"}, 0, 0,
		"Pods of the served scheduler names: waiting, binding, placed"},
	[STINT_METRIC_WAITING] = {"stint_scheduler_waiting_pods", GAUGE, {"reason"}, 0, 0,
		"Pods that wait, by the reason that their condition names"},
	[STINT_METRIC_NODES] = {"stint_scheduler_nodes", GAUGE, {0}, 0, 0, "Nodes that the scheduler knows"},
	[STINT_METRIC_GPUS] = {"stint_scheduler_gpus", GAUGE, {"state"}, 0, 0, "GPUs of all nodes: capacity, allocated"},
	[STINT_METRIC_HOLDERS] = {"stint_scheduler_device_holders", GAUGE, {"state"}, 0, 0,
		"Device holders: starting, ready, failed, leaving"},
	[STINT_METRIC_RELISTS] = {"stint_scheduler_relists_total", COUNTER, {"resource"}, 0, 0,
		"Lists that a cache has fetched, the first one included"},
	[STINT_METRIC_WHY_REQUESTS] = {"stint_scheduler_why_requests_total", COUNTER, {"code"}, 0, 0,
		"Answers of the why API by HTTP status"},
	[STINT_METRIC_RSS] = {"process_resident_memory_bytes", GAUGE, {0}, 0, 0, "Resident memory size in bytes"},
	[STINT_METRIC_CPU_SECONDS] = {"process_cpu_seconds_total", COUNTER, {0}, 0, 0, "User and system CPU time in seconds"},
	[STINT_METRIC_START_TIME] = {"process_start_time_seconds", GAUGE, {0}, 0, 0, "Start of the process in seconds since 1970"},
};

struct series {
	double value;
};

struct histogram {
	uint64_t counts[MAX_BUCKETS + 1]; /* not cumulative; the last is +Inf */
	uint64_t count;
	double sum;
};

struct stint_metrics {
	struct stint_map *series[STINT_METRIC_COUNT]; /* formatted labels ("" for none) -> struct series */
	struct histogram histograms[STINT_METRIC_COUNT];
};

struct stint_metrics *stint_metrics_new(void)
{
	struct stint_metrics *metrics = stint_alloc(sizeof(*metrics));
	for (size_t i = 0; i < STINT_METRIC_COUNT; i++)
		metrics->series[i] = stint_map_new(free);
	return metrics;
}

void stint_metrics_free(struct stint_metrics *metrics)
{
	if (!metrics)
		return;
	for (size_t i = 0; i < STINT_METRIC_COUNT; i++)
		stint_map_free(metrics->series[i]);
	free(metrics);
}

static void add_escaped(struct stint_buf *buf, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			stint_buf_puts(buf, "\\n");
		else if (*value == '"' || *value == '\\')
			stint_buf_printf(buf, "\\%c", *value);
		else
			stint_buf_putc(buf, *value);
	}
}

static void format_labels(struct stint_buf *buf, const struct row *row, const char *const *values)
{
	for (size_t i = 0; i < MAX_LABELS && row->labels[i] && values[i]; i++) {
		stint_buf_printf(buf, "%s%s=\"", i ? "," : "", row->labels[i]);
		add_escaped(buf, values[i]);
		stint_buf_putc(buf, '"');
	}
	if (!buf->data)
		stint_buf_puts(buf, "");
}

void stint_metrics_change(struct stint_metrics *metrics, enum stint_metric id, double value, bool add, const char *const *labels)
{
	stint_auto_buf key = {0};
	format_labels(&key, &rows[id], labels);
	const char *name = key.data ? key.data : "";
	struct series *series = stint_map_get(metrics->series[id], name);
	if (!series) {
		if (stint_map_count(metrics->series[id]) >= MAX_SERIES)
			return;
		series = stint_alloc(sizeof(*series));
		stint_map_set(metrics->series[id], name, series);
	}
	series->value = add ? series->value + value : value;
}

void stint_metrics_observe(struct stint_metrics *metrics, enum stint_metric id, double value)
{
	struct histogram *histogram = &metrics->histograms[id];
	int k = 0;
	for (double end = rows[id].first_bucket; k < rows[id].buckets && value > end; end *= 2)
		k++;
	histogram->counts[k]++;
	histogram->count++;
	histogram->sum += value;
}

void stint_metrics_forget(struct stint_metrics *metrics, enum stint_metric id)
{
	stint_map_clear(metrics->series[id]);
}

static void write_number(struct stint_buf *out, double value)
{
	if (value == floor(value) && fabs(value) < 1e15)
		stint_buf_printf(out, "%.0f\n", value);
	else
		stint_buf_printf(out, "%.9g\n", value);
}

static void write_histogram(const struct row *row, const struct histogram *histogram, struct stint_buf *out)
{
	uint64_t below = 0;
	double end = row->first_bucket;
	for (int k = 0; k < row->buckets; k++, end *= 2) {
		below += histogram->counts[k];
		stint_buf_printf(out, "%s_bucket{le=\"%.9g\"} %llu\n", row->name, end, (unsigned long long)below);
	}
	stint_buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", row->name, (unsigned long long)histogram->count, row->name);
	write_number(out, histogram->sum);
	stint_buf_printf(out, "%s_count %llu\n", row->name, (unsigned long long)histogram->count);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_series(const struct row *row, const struct stint_map *map, struct stint_buf *out)
{
	const size_t count = stint_map_count(map);
	stint_autofree const char **keys = stint_alloc((count + 1) * sizeof(*keys));
	size_t used = 0;
	const char *key = NULL;
	for (size_t at = 0; stint_map_next(map, &at, &key, NULL);)
		keys[used++] = key;
	qsort(keys, used, sizeof(*keys), by_text);
	if (used == 0 && !row->labels[0]) /* a metric without labels is always there: 0 is what it has counted */
		stint_buf_printf(out, "%s 0\n", row->name);
	for (size_t i = 0; i < used; i++) {
		const struct series *series = stint_map_get(map, keys[i]);
		stint_buf_printf(out, keys[i][0] ? "%s{%s} " : "%s%s ", row->name, keys[i]);
		write_number(out, series->value);
	}
}

void stint_metrics_write(const struct stint_metrics *metrics, struct stint_buf *out)
{
	static const char *const type_names[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
	for (size_t i = 0; i < STINT_METRIC_COUNT; i++) {
		const struct row *row = &rows[i];
		stint_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, type_names[row->type]);
		if (row->type == HISTOGRAM)
			write_histogram(row, &metrics->histograms[i], out);
		else
			write_series(row, metrics->series[i], out);
	}
}
