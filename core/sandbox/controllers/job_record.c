/*
 * job_record: what a sync writes down: the status of the Job, and which pods let go of their finalizer because they are counted in it.
 */
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/job_look.h"

static void set_count(struct stint_json *status, const char *key, int64_t value)
{
	if (value > 0)
		stint_json_set_int(status, key, value);
	else
		stint_json_remove(status, key);
}

void job_set_time(struct stint_json *status, const char *key, int64_t ms)
{
	char text[STINT_TIME_SIZE];
	stint_json_set_string(status, key, stint_time_format(ms, text));
}

void job_record_suspension(struct job_look *look)
{
	bool changed = look->suspended ? condition_set(look->status, "Suspended", "True", "JobSuspended", "Job suspended", look->now_ms)
				       : condition_find(look->status, "Suspended") &&
			condition_set(look->status, "Suspended", "False", "JobResumed", "Job resumed", look->now_ms);
	if (!changed)
		return;
	if (look->suspended) {
		job_tell(look->plan, "Normal", "Suspended", "Job suspended");
	} else {
		job_tell(look->plan, "Normal", "Resumed", "Job resumed");
		/* The deadline counts from the resumption. */
		job_set_time(look->status, "startTime", look->now_ms);
	}
}

void job_record_counts(struct job_look *look)
{
	/* Pods that are removed are no longer active; whether they still terminate is seen when the store tells. */
	int64_t removed = (int64_t)look->plan->removals.count;
	set_count(look->status, "active", (int64_t)look->active.count - removed + (int64_t)look->plan->create_count);
	set_count(look->status, "succeeded", look->succeeded);
	set_count(look->status, "failed", look->failed);
	for (size_t i = 0; i < look->plan->removals.count; i++)
		look->ready -= look->plan->removals.items[i]->ready;
	stint_json_set_int(look->status, "ready", look->ready);
	stint_json_set_int(look->status, "terminating", look->terminating + removed);
	stint_json_set(look->status, "uncountedTerminatedPods", stint_json_new_object());
	if (look->indexed) {
		stint_autofree char *done = indexes_format(&look->done), *lost = indexes_format(&look->lost);
		if (*done)
			stint_json_set_string(look->status, "completedIndexes", done);
		if (look->per_index)
			stint_json_set_string(look->status, "failedIndexes", lost);
	}
}

/* The interim condition at once; the final one when no pod is left that may still do something. */
void job_record_verdict(struct job_look *look)
{
	bool success = strcmp(look->verdict_type, "SuccessCriteriaMet") == 0;
	condition_set(look->status, look->verdict_type, "True", look->verdict_reason, look->verdict_message, look->now_ms);
	if (look->active.count > 0 || look->terminating > 0)
		return;
	condition_set(look->status, success ? "Complete" : "Failed", "True", look->verdict_reason, look->verdict_message, look->now_ms);
	if (success) {
		job_set_time(look->status, "completionTime", look->now_ms);
		job_tell(look->plan, "Normal", "Completed", "Job completed");
	} else {
		job_tell(look->plan, "Warning", look->verdict_reason, look->verdict_message);
	}
	int64_t ttl_s = 0;
	if (stint_json_int(stint_json_get(look->spec, "ttlSecondsAfterFinished"), &ttl_s))
		job_again(look->plan, ttl_s * 1000);
}

/* Finished pods let go of their finalizer, except those that a replacement has yet to follow. */
void job_choose_releases(struct job_look *look)
{
	for (size_t i = 0; i < look->pods->count; i++) {
		struct pod_facts *pod = look->pods->items[i];
		bool finished = pod->phase == POD_SUCCEEDED || job_counts_as_failed(look, pod) || look->deleting;
		if (pod->tracked && finished)
			pod_list_add(&look->plan->releases, pod);
	}
}

/* A pod of `delayed` is neither counted nor released before its replacement is made. */
void job_hold_back_delayed(struct job_look *look)
{
	if (!look->per_index || look->verdict_type || look->deleting)
		return;
	for (size_t i = 0; i < look->delayed.count; i++) {
		const struct pod_facts *pod = look->delayed.items[i];
		bool replaced = false;
		for (size_t j = 0; j < look->plan->create_count; j++)
			replaced = replaced || look->plan->creates[j].index == pod->index;
		if (replaced)
			continue;
		if (job_failure_counts(look, pod))
			look->failed--;
		for (size_t j = 0; j < look->plan->releases.count; j++) {
			if (look->plan->releases.items[j] == pod) {
				look->plan->releases.items[j] = look->plan->releases.items[--look->plan->releases.count];
				break;
			}
		}
	}
}
