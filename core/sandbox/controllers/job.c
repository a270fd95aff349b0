/*
 * job: see job.h. A sync looks at the pods once (job_survey.c), finds out whether the Job has come to its end (job_verdict.c), else brings
 * the number of pods to what is wanted (job_manage.c), and writes down what it knows (job_record.c).
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/job_look.h"

void job_plan_free(struct job_plan *plan)
{
	free(plan->creates);
	pod_list_free(&plan->removals);
	pod_list_free(&plan->releases);
	stint_json_free(plan->status);
	for (size_t i = 0; i < plan->event_count; i++) {
		free(plan->events[i].reason);
		free(plan->events[i].message);
	}
	*plan = (struct job_plan){.again_ms = -1};
}

bool job_is_finished(const struct stint_json *job)
{
	const struct stint_json *status = stint_json_get(job, "status");
	return condition_is(status, "Complete", "True") || condition_is(status, "Failed", "True");
}

void job_again(struct job_plan *plan, int64_t delay_ms)
{
	if (delay_ms < 0)
		delay_ms = 0;
	if (plan->again_ms < 0 || delay_ms < plan->again_ms)
		plan->again_ms = delay_ms;
}

void job_tell(struct job_plan *plan, const char *type, const char *reason, const char *message)
{
	if (plan->event_count < JOB_MAX_EVENTS)
		plan->events[plan->event_count++] = (struct job_event){type, stint_strdup(reason), stint_strdup(message)};
}

int64_t job_time_at(const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	int64_t ms = -1;
	return text && stint_time_parse(text, strlen(text), &ms) ? ms : -1;
}

static void read_spec(struct job_look *look)
{
	const struct stint_json *spec = look->spec = stint_json_get(look->job, "spec");
	look->indexed = strcmp(stint_json_string_or(stint_json_get(spec, "completionMode"), ""), "Indexed") == 0;
	look->suspended = stint_json_bool_or(stint_json_get(spec, "suspend"), false);
	look->has_completions = stint_json_int(stint_json_get(spec, "completions"), &look->completions);
	look->parallelism = stint_json_int_or(stint_json_get(spec, "parallelism"), 1);
	look->per_index = stint_json_int(stint_json_get(spec, "backoffLimitPerIndex"), &look->backoff_limit_per_index);
	look->backoff_limit = stint_json_int_or(stint_json_get(spec, "backoffLimit"), look->per_index ? INT32_MAX : 6);
	look->failure_policy = stint_json_get(spec, "podFailurePolicy");
	look->replace_failed_only =
		look->failure_policy || strcmp(stint_json_string_or(stint_json_get(spec, "podReplacementPolicy"), ""), "Failed") == 0;
	look->deleting = stint_json_at(look->job, "metadata", "deletionTimestamp") != NULL;
}

static void finished_sync(struct job_look *look)
{
	for (size_t i = 0; i < look->pods->count; i++) {
		if (look->pods->items[i]->tracked)
			pod_list_add(&look->plan->releases, look->pods->items[i]);
	}
	int64_t ttl_s = 0;
	if (look->deleting || !stint_json_int(stint_json_get(look->spec, "ttlSecondsAfterFinished"), &ttl_s))
		return;
	static const char *const ends[] = {"Complete", "Failed"};
	for (size_t i = 0; i < STINT_COUNT(ends); i++) {
		if (!condition_is(look->status, ends[i], "True"))
			continue;
		int64_t end_ms = job_time_at(stint_json_get(condition_find(look->status, ends[i]), "lastTransitionTime"));
		int64_t left_ms = end_ms + ttl_s * 1000 - look->now_ms;
		if (left_ms <= 0)
			look->plan->remove_job = true;
		else
			job_again(look->plan, left_ms);
		return;
	}
}

static void going_sync(struct job_look *look)
{
	job_survey(look);
	if (look->per_index)
		job_find_delayed(look);
	job_remember_failures(look);
	if (!stint_json_get(look->status, "startTime") && !look->suspended)
		job_set_time(look->status, "startTime", look->now_ms);
	job_find_verdict(look);
	if (look->verdict_type) {
		/* After a success, what still runs is superfluous and no failure. */
		look->plan->removals_uncounted = strcmp(look->verdict_type, "SuccessCriteriaMet") == 0;
		for (size_t i = 0; i < look->active.count; i++)
			pod_list_add(&look->plan->removals, look->active.items[i]);
	} else {
		if (!look->deleting)
			job_manage(look);
		int64_t active = (int64_t)look->active.count;
		bool complete = look->has_completions ? look->succeeded >= look->completions : look->succeeded > 0;
		if (complete && active == 0 && look->plan->create_count == 0)
			job_judge(look, "SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods");
		else if (!look->deleting)
			job_record_suspension(look);
	}
	job_choose_releases(look);
	job_hold_back_delayed(look);
	job_record_counts(look);
	if (look->verdict_type)
		job_record_verdict(look);
}

void job_sync(const struct stint_json *job, const struct pod_list *pods, int64_t now_ms, struct job_memory *memory, struct job_plan *plan)
{
	*plan = (struct job_plan){.again_ms = -1};
	struct job_look look = {.job = job, .pods = pods, .now_ms = now_ms, .memory = memory, .plan = plan};
	const struct stint_json *old = stint_json_get(job, "status");
	look.status = old ? stint_json_dup(old) : stint_json_new_object();
	read_spec(&look);
	if (job_is_finished(job))
		finished_sync(&look);
	else
		going_sync(&look);
	if (stint_json_equal(look.status, old))
		stint_json_free(look.status);
	else
		plan->status = look.status;
	pod_list_free(&look.active);
	pod_list_free(&look.counted);
	pod_list_free(&look.delayed);
	indexes_free(&look.done);
	indexes_free(&look.lost);
	free(look.verdict_reason);
	free(look.verdict_message);
}
