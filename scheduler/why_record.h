/*
 * why_record: everything that stint knows about why a workload waits, as the JSON that the why API answers. Pure: state in, tree out.
 *
 * {apiVersion: stint.dev/v1, kind: Why, project, workload, workload_kind, phase: Waiting|Placed|NoPods, pods: {total, waiting, placed},
 *  queue, priority, preemptible, reason, message, never, since, position, waiting_in_queue, bound: {queue, dimension, bound, allocated, asked},
 *  nodes: {total, fitting, short: [{cause, text, nodes, even_when_empty}]}, holders: [{project, workload, workload_kind, pods, gpus,
 *  cpu_milli, memory_bytes, leaving, ends_in_s}], holders_total, changes: [{change, text, ...}] of
 *  which each was tried and would start it, starts_in_s}
 * What is not known is left out. GPUs are devices, CPU is in thousandths of a core, memory in bytes.
 */
#ifndef STINT_SCHEDULER_WHY_RECORD_H
#define STINT_SCHEDULER_WHY_RECORD_H

#include <scheduler/mirror.h>

#define STINT_WHY_HIDDEN "another project"

struct stint_why_question {
	struct stint_engine *engine;
	struct stint_mirror *mirror;
	const char *space, *workload; /* the name of the top owner, a PodGroup or a pod */
	int64_t now_ms;
	/* Whether the caller may read pods of that namespace; those it may not appear as `another project`. */
	bool (*visible)(void *user, const char *space);
	void *user;
};
/* NULL: there is no such workload. */
struct stint_json *stint_why_record(const struct stint_why_question *question);

#endif
