/*
 * session_metrics: state to gauges. See session_metrics.h. Holds no state.
 */
#include <scheduler/session_metrics.h>

#include <stint/mirror.h>

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double cores(double milli)
{
	return milli < 0 ? -1 : milli / 1000;
}

static double four_decimals(double value)
{
	return round(value * 10000) / 10000;
}

static void measure_queue(struct stint_metrics *metrics, const struct stint_queue_view *view)
{
#define SET(id, value) stint_metrics_set(metrics, id, value, view->name, view->name, view->name)
	SET(STINT_METRIC_QUEUE_INFO, 1);
	SET(STINT_METRIC_QUEUE_QUOTA_GPUS, view->quota[STINT_GPU]);
	SET(STINT_METRIC_QUEUE_QUOTA_CPU, cores(view->quota[STINT_CPU]));
	SET(STINT_METRIC_QUEUE_QUOTA_MEMORY, view->quota[STINT_MEMORY]);
	SET(STINT_METRIC_QUEUE_ALLOCATED_GPUS, four_decimals(view->allocated[STINT_GPU]));
	SET(STINT_METRIC_QUEUE_ALLOCATED_CPU, cores(view->allocated[STINT_CPU]));
	SET(STINT_METRIC_QUEUE_ALLOCATED_MEMORY, view->allocated[STINT_MEMORY]);
	SET(STINT_METRIC_QUEUE_FAIR_GPUS, view->fair_share[STINT_GPU]);
	SET(STINT_METRIC_QUEUE_FAIR_CPU, cores(view->fair_share[STINT_CPU]));
	SET(STINT_METRIC_QUEUE_FAIR_MEMORY, view->fair_share[STINT_MEMORY] < 0 ? -1 : view->fair_share[STINT_MEMORY] / 1e9);
#undef SET
}

void stint_measure_engine(struct stint_metrics *metrics, struct stint_engine *engine)
{
	for (int id = STINT_METRIC_QUEUE_INFO; id <= STINT_METRIC_QUEUE_FAIR_MEMORY; id++)
		stint_metrics_forget(metrics, (enum stint_metric)id);
	for (uint32_t at = stint_engine_queue_next(engine, STINT_NO_HANDLE); at != STINT_NO_HANDLE;
		at = stint_engine_queue_next(engine, at)) {
		struct stint_queue_view view;
		if (stint_engine_queue_view(engine, at, &view))
			measure_queue(metrics, &view);
	}
	size_t nodes = 0;
	double capacity = 0, idle = 0;
	for (uint32_t at = stint_engine_node_next(engine, STINT_NO_HANDLE); at != STINT_NO_HANDLE;
		at = stint_engine_node_next(engine, at)) {
		struct stint_node_view view;
		if (!stint_engine_node_view(engine, at, &view) || !view.node)
			continue;
		nodes++;
		capacity += view.devices;
		for (uint32_t slot = 0; slot < view.devices; slot++) {
			struct stint_device_view device;
			if (stint_engine_device_view(engine, at, slot, &device) && device.memory_mib > 0)
				idle += 1 - fmin(1, (double)device.used_mib / (double)device.memory_mib);
		}
	}
	stint_metrics_set(metrics, STINT_METRIC_NODES, (double)nodes);
	stint_metrics_set(metrics, STINT_METRIC_GPUS, capacity, "capacity");
	stint_metrics_set(metrics, STINT_METRIC_GPUS, four_decimals(capacity - idle), "allocated");
}

void stint_measure_mirror(struct stint_metrics *metrics, const struct stint_mirror *mirror, const struct stint_engine *engine)
{
	double waiting = 0, binding = 0, placed = 0;
	stint_metrics_forget(metrics, STINT_METRIC_WAITING);
	struct stint_mirror_pod *pod = NULL;
	for (size_t at = 0; stint_mirror_next_pod(mirror, &at, &pod);) {
		if (!pod->ours || stint_pod_ended(pod->pod))
			continue;
		if (pod->pod->node) {
			placed++;
		} else if (pod->bind) {
			binding++;
		} else {
			waiting++;
			const char *word = stint_explain_word(engine, pod);
			stint_metrics_add(metrics, STINT_METRIC_WAITING, 1, word ? word : "None");
		}
	}
	stint_metrics_set(metrics, STINT_METRIC_PODS, waiting, "waiting");
	stint_metrics_set(metrics, STINT_METRIC_PODS, binding, "binding");
	stint_metrics_set(metrics, STINT_METRIC_PODS, placed, "placed");
}

void stint_measure_process(struct stint_metrics *metrics, int64_t started_ms)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		stint_metrics_set(metrics, STINT_METRIC_CPU_SECONDS,
			(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	FILE *statm = fopen("/proc/self/statm", "re");
	long size = 0, resident = 0;
	if (statm && fscanf(statm, "%ld %ld", &size, &resident) == 2)
		stint_metrics_set(metrics, STINT_METRIC_RSS, (double)resident * (double)sysconf(_SC_PAGESIZE));
	if (statm)
		fclose(statm);
	stint_metrics_set(metrics, STINT_METRIC_START_TIME, (double)started_ms / 1000);
}
