/*
 * job_survey: what the pods of a Job say: which run, which have ended and count, whose index is done, lost or waits for a replacement,
 * and how long the next try has to wait.
 */
#include <string.h>

#include "core/sandbox/controllers/job_look.h"
#include "core/sandbox/controllers/job_policy.h"

bool job_counts_as_failed(const struct job_look *look, const struct pod_facts *pod)
{
	if (pod->phase == POD_FAILED)
		return true;
	if (!pod->deleting || pod->phase == POD_SUCCEEDED)
		return false;
	/* One that was never bound has no kubelet that would end it. */
	return !look->replace_failed_only || !pod->node;
}

bool job_index_in_range(const struct job_look *look, const struct pod_facts *pod)
{
	return pod->index >= 0 && pod->index < look->completions;
}

bool job_failure_counts(const struct job_look *look, const struct pod_facts *pod)
{
	if (look->indexed && !job_index_in_range(look, pod))
		return false;
	return !look->failure_policy || job_failure_of(look->failure_policy, pod, NULL) != JOB_FAILURE_IGNORED;
}

static bool index_is_lost(const struct job_look *look, const struct pod_facts *pod)
{
	enum job_failure failure = look->failure_policy ? job_failure_of(look->failure_policy, pod, NULL) : JOB_FAILURE_COUNTS;
	if (failure == JOB_FAILURE_ENDS_INDEX)
		return true;
	return failure != JOB_FAILURE_IGNORED && pod->index_failures >= look->backoff_limit_per_index;
}

void job_survey(struct job_look *look)
{
	const struct stint_json *old = stint_json_get(look->job, "status");
	indexes_parse(stint_json_string(stint_json_get(old, "completedIndexes")), look->completions, &look->done);
	indexes_parse(stint_json_string(stint_json_get(old, "failedIndexes")), look->completions, &look->lost);
	for (size_t i = 0; i < look->pods->count; i++) {
		struct pod_facts *pod = look->pods->items[i];
		if (pod_is_active(pod)) {
			pod_list_add(&look->active, pod);
			look->ready += pod->ready;
		}
		if (pod->deleting && !pod_is_finished(pod))
			look->terminating++;
		if (!pod->tracked)
			continue;
		bool failed = job_counts_as_failed(look, pod);
		if (pod->phase == POD_SUCCEEDED && (!look->indexed || job_index_in_range(look, pod))) {
			look->new_succeeded++;
			if (look->indexed)
				indexes_add(&look->done, pod->index);
		} else if (failed && job_failure_counts(look, pod)) {
			look->new_failed++;
		}
		if (failed && look->per_index && job_index_in_range(look, pod) && index_is_lost(look, pod))
			indexes_add(&look->lost, pod->index);
		if (failed || pod->phase == POD_SUCCEEDED)
			pod_list_add(&look->counted, pod);
	}
	look->succeeded = stint_json_int_or(stint_json_get(old, "succeeded"), 0) + look->new_succeeded;
	if (look->indexed)
		look->succeeded = indexes_total(&look->done);
	look->failed = stint_json_int_or(stint_json_get(old, "failed"), 0) + look->new_failed;
}

static bool has_active_index(const struct job_look *look, int64_t index)
{
	for (size_t i = 0; i < look->active.count; i++) {
		if (look->active.items[i]->index == index)
			return true;
	}
	return false;
}

/*
 * With backoffLimitPerIndex the number of failures of an index is known from the annotations of its last failed pod alone. That pod
 * keeps its finalizer (so that nobody can remove it) until its replacement carries the number on.
 */
void job_find_delayed(struct job_look *look)
{
	for (size_t i = 0; i < look->counted.count; i++) {
		struct pod_facts *pod = look->counted.items[i];
		if (pod->phase == POD_SUCCEEDED || !job_index_in_range(look, pod) || indexes_has(&look->done, pod->index) ||
			indexes_has(&look->lost, pod->index) || has_active_index(look, pod->index))
			continue;
		struct pod_facts **last = NULL;
		for (size_t j = 0; j < look->delayed.count; j++) {
			if (look->delayed.items[j]->index == pod->index)
				last = &look->delayed.items[j];
		}
		if (!last)
			pod_list_add(&look->delayed, pod);
		else if ((*last)->index_failures + (*last)->index_ignored < pod->index_failures + pod->index_ignored)
			*last = pod;
	}
}

struct pod_facts *job_delayed_pod(const struct job_look *look, int64_t index)
{
	for (size_t i = 0; i < look->delayed.count; i++) {
		if (look->delayed.items[i]->index == index)
			return look->delayed.items[i];
	}
	return NULL;
}

/* ---- backoff --------------------------------------------------------------------------------------------------------------- */

int64_t job_backoff_left(int64_t failures, int64_t last_ms, int64_t now_ms)
{
	if (failures <= 0)
		return 0;
	int64_t delay_ms = JOB_BACKOFF_MS;
	for (int64_t i = 1; i < failures && delay_ms < JOB_BACKOFF_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > JOB_BACKOFF_MAX_MS)
		delay_ms = JOB_BACKOFF_MAX_MS;
	return last_ms + delay_ms - now_ms;
}

int64_t job_finish_time(const struct pod_facts *pod, int64_t now_ms)
{
	return pod->finished_ms >= 0 && pod->finished_ms < now_ms ? pod->finished_ms : now_ms;
}

void job_remember_failures(struct job_look *look)
{
	int64_t last_success_ms = -1;
	for (size_t i = 0; i < look->counted.count; i++) {
		const struct pod_facts *pod = look->counted.items[i];
		if (pod->phase == POD_SUCCEEDED && job_finish_time(pod, look->now_ms) > last_success_ms)
			last_success_ms = job_finish_time(pod, look->now_ms);
	}
	if (last_success_ms >= 0)
		*look->memory = (struct job_memory){0};
	for (size_t i = 0; i < look->counted.count; i++) {
		const struct pod_facts *pod = look->counted.items[i];
		int64_t finished_ms = job_finish_time(pod, look->now_ms);
		if (pod->phase == POD_SUCCEEDED || finished_ms < last_success_ms)
			continue;
		look->memory->failures++;
		if (finished_ms > look->memory->last_failure_ms)
			look->memory->last_failure_ms = finished_ms;
	}
}
