/*
 * job_look: one sync of a Job on its way, shared by job.c (the order of things), job_survey.c (what the pods say), job_verdict.c (whether
 * the Job has come to its end), job_manage.c (which pods to make and remove) and job_record.c (what is written down). Not for others.
 */
#ifndef STINT_SANDBOX_JOB_LOOK_H
#define STINT_SANDBOX_JOB_LOOK_H

#include "core/sandbox/controllers/indexes.h"
#include "core/sandbox/controllers/job.h"

struct job_look {
	const struct stint_json *job, *spec;
	const struct pod_list *pods;
	int64_t now_ms;
	struct job_memory *memory;
	struct job_plan *plan;
	struct stint_json *status; /* the new one, being made */

	bool indexed, suspended, per_index, replace_failed_only, deleting;
	bool has_completions;
	int64_t completions, parallelism, backoff_limit, backoff_limit_per_index;
	const struct stint_json *failure_policy;

	struct pod_list active, counted; /* counted: finished and tracked: their finalizer goes in this sync */
	struct pod_list delayed; /* per index: the failed pod that waits for its replacement */
	int64_t terminating, ready, new_succeeded, new_failed;
	int64_t succeeded, failed;
	struct indexes done, lost;
	const char *verdict_type; /* SuccessCriteriaMet or FailureTarget; NULL: the Job goes on */
	char *verdict_reason, *verdict_message;
};

/* job.c */
void job_again(struct job_plan *plan, int64_t delay_ms); /* come again after that time, or sooner */
void job_tell(struct job_plan *plan, const char *type, const char *reason, const char *message);
int64_t job_time_at(const struct stint_json *value); /* -1: no time */

/* job_survey.c */
void job_survey(struct job_look *look); /* fills the lists and numbers of the pods */
void job_find_delayed(struct job_look *look);
void job_remember_failures(struct job_look *look);
bool job_counts_as_failed(const struct job_look *look, const struct pod_facts *pod);
bool job_index_in_range(const struct job_look *look, const struct pod_facts *pod);
bool job_failure_counts(const struct job_look *look, const struct pod_facts *pod);
struct pod_facts *job_delayed_pod(const struct job_look *look, int64_t index); /* NULL: none of that index */
int64_t job_backoff_left(int64_t failures, int64_t last_ms, int64_t now_ms); /* 0 or less: none */
int64_t job_finish_time(const struct pod_facts *pod, int64_t now_ms);

/* job_verdict.c */
void job_find_verdict(struct job_look *look);
void job_judge(struct job_look *look, const char *type, const char *reason, const char *message);

/* job_manage.c */
void job_manage(struct job_look *look);

/* job_record.c */
void job_set_time(struct stint_json *status, const char *key, int64_t ms);
void job_record_suspension(struct job_look *look);
void job_record_counts(struct job_look *look);
void job_record_verdict(struct job_look *look);
void job_choose_releases(struct job_look *look);
void job_hold_back_delayed(struct job_look *look);

#endif
