/*
 * metrics: what the scheduler counts, and its Prometheus text.
 *
 * One table (metrics.c) declares every metric with name, type, label names and help; the exposition and the documentation are made from
 * it. Where KAI-Scheduler has a metric of the same meaning its name is used, so that dashboards keep working.
 */
#ifndef STINT_SCHEDULER_METRICS_H
#define STINT_SCHEDULER_METRICS_H

#include <stint/base.h>

enum stint_metric {
	/* KAI's names */
	STINT_METRIC_CYCLE_MS,
	STINT_METRIC_TASK_SCHEDULING_MS,
	STINT_METRIC_TASK_BIND_MS,
	STINT_METRIC_GROUPS_SCHEDULED,
	STINT_METRIC_QUEUE_INFO,
	STINT_METRIC_QUEUE_QUOTA_GPUS,
	STINT_METRIC_QUEUE_QUOTA_CPU,
	STINT_METRIC_QUEUE_QUOTA_MEMORY,
	STINT_METRIC_QUEUE_ALLOCATED_GPUS,
	STINT_METRIC_QUEUE_ALLOCATED_CPU,
	STINT_METRIC_QUEUE_ALLOCATED_MEMORY,
	STINT_METRIC_QUEUE_FAIR_GPUS,
	STINT_METRIC_QUEUE_FAIR_CPU,
	STINT_METRIC_QUEUE_FAIR_MEMORY,
	/* ours */
	STINT_METRIC_BUILD_INFO,
	STINT_METRIC_LEADER,
	STINT_METRIC_CYCLES,
	STINT_METRIC_GROUPS_TRIED,
	STINT_METRIC_CYCLE_SECONDS,
	STINT_METRIC_BINDS,
	STINT_METRIC_BINDS_IN_FLIGHT,
	STINT_METRIC_EVICTIONS,
	STINT_METRIC_VICTIMS,
	STINT_METRIC_LOST_GPU_SECONDS,
	STINT_METRIC_PODS,
	STINT_METRIC_WAITING,
	STINT_METRIC_NODES,
	STINT_METRIC_GPUS,
	STINT_METRIC_HOLDERS,
	STINT_METRIC_RELISTS,
	STINT_METRIC_WHY_REQUESTS,
	STINT_METRIC_RSS,
	STINT_METRIC_CPU_SECONDS,
	STINT_METRIC_START_TIME,
	STINT_METRIC_COUNT,
};

struct stint_metrics;
struct stint_metrics *stint_metrics_new(void);
void stint_metrics_free(struct stint_metrics *metrics);

/*
 * The label values come as text, one for each label name of the metric's row, in the row's order. A counter is only ever added to.
 * O(1) amortised.
 */
#define stint_metrics_add(metrics, id, amount, ...) \
	stint_metrics_change(metrics, id, amount, true, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define stint_metrics_set(metrics, id, value, ...) \
	stint_metrics_change(metrics, id, value, false, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
void stint_metrics_change(struct stint_metrics *metrics, enum stint_metric id, double value, bool add, const char *const *labels);
void stint_metrics_observe(struct stint_metrics *metrics, enum stint_metric id, double value); /* histograms, which have no labels here */
/* Forgets the series of a labelled gauge, before it is set afresh: a deleted queue must not live on. */
void stint_metrics_forget(struct stint_metrics *metrics, enum stint_metric id);

/* Text exposition format 0.0.4: metrics in the order of the table, series sorted by label. */
void stint_metrics_write(const struct stint_metrics *metrics, struct stint_buf *out);

#endif
