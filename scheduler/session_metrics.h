/*
 * session_metrics: gauges that are read from the engine and the mirror when somebody asks, not kept at every change.
 */
#ifndef STINT_SCHEDULER_SESSION_METRICS_H
#define STINT_SCHEDULER_SESSION_METRICS_H

#include <scheduler/metrics.h>
#include <stint/mirror.h>

void stint_measure_engine(struct stint_metrics *metrics, struct stint_engine *engine);
void stint_measure_mirror(struct stint_metrics *metrics, const struct stint_mirror *mirror, const struct stint_engine *engine);
void stint_measure_process(struct stint_metrics *metrics, int64_t started_ms);

#endif
