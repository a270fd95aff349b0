/*
 * job: what the Job controller decides. Pure: a Job, its pods and the time come in; pods to make and remove, finalizers to take off and
 * the new status come out. The thin edge that carries it out is job_edge.c.
 *
 * After the documentation of Jobs (parallel and indexed, backoff, pod failure policy, success policy, suspension, pod replacement
 * policy, TTL) and the behaviour of Kubernetes 1.34. Finished pods are counted exactly once: in the sync that takes their tracking
 * finalizer off.
 */
#ifndef STINT_SANDBOX_JOB_H
#define STINT_SANDBOX_JOB_H

#include "core/sandbox/controllers/pods.h"

enum {
	JOB_BACKOFF_MS = 10000,
	JOB_BACKOFF_MAX_MS = 600000,
	JOB_PODS_PER_SYNC = 500, /* made or removed in one go */
};

/* What has to be remembered between syncs of one Job: pods failed since the last success. Zero is a good start. */
struct job_memory {
	int failures;
	int64_t last_failure_ms;
};

struct job_new_pod {
	int64_t index; /* completion index, or -1 */
	bool counts_failures; /* the two below become annotations */
	int64_t failures, ignored;
};

struct job_event {
	const char *type; /* a literal */
	char *reason, *message;
};

enum { JOB_MAX_EVENTS = 4 };

struct job_plan {
	struct job_new_pod *creates;
	size_t create_count, create_capacity;
	struct pod_list removals; /* to delete... */
	bool removals_uncounted; /* ...with the finalizer taken off first: they are no failures */
	struct pod_list releases; /* finalizer to take off, after the status is written */
	struct stint_json *status; /* to write; NULL: unchanged */
	struct job_event events[JOB_MAX_EVENTS];
	size_t event_count;
	int64_t again_ms; /* when to come again, from now; -1: only when something changes */
	bool remove_job; /* its time to live is over */
};
void job_plan_free(struct job_plan *plan); /* the content; also for STINT_CLEANUP */

/* pods: all that the Job controls, finished ones too. */
void job_sync(const struct stint_json *job, const struct pod_list *pods, int64_t now_ms, struct job_memory *memory, struct job_plan *plan);

bool job_is_finished(const struct stint_json *job);
/* The pod of the template: name (or generateName), labels, annotations, environment, finalizer and owner. Owned by the caller. */
struct stint_json *job_make_pod(const struct stint_json *job, const struct job_new_pod *wanted);

#endif
