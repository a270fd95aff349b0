/*
 * job: see job.h. A sync looks at the pods once (survey), finds out whether the Job has come to its end (verdict), else brings the
 * number of pods to what is wanted (manage), and writes down what it knows (record).
 */
#include "core/sandbox/controllers/job.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/job_policy.h"

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

struct look {
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

static void again(struct job_plan *plan, int64_t delay_ms)
{
	if (delay_ms < 0)
		delay_ms = 0;
	if (plan->again_ms < 0 || delay_ms < plan->again_ms)
		plan->again_ms = delay_ms;
}

static void tell(struct job_plan *plan, const char *type, const char *reason, const char *message)
{
	if (plan->event_count < JOB_MAX_EVENTS)
		plan->events[plan->event_count++] = (struct job_event){type, stint_strdup(reason), stint_strdup(message)};
}

static int64_t time_at(const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	int64_t ms = -1;
	return text && stint_time_parse(text, strlen(text), &ms) ? ms : -1;
}

/* ---- survey ---------------------------------------------------------------------------------------------------------------- */

static void read_spec(struct look *look)
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

static bool counts_as_failed(const struct look *look, const struct pod_facts *pod)
{
	if (pod->phase == POD_FAILED)
		return true;
	if (!pod->deleting || pod->phase == POD_SUCCEEDED)
		return false;
	/* One that was never bound has no kubelet that would end it. */
	return !look->replace_failed_only || !pod->node;
}

static bool index_in_range(const struct look *look, const struct pod_facts *pod)
{
	return pod->index >= 0 && pod->index < look->completions;
}

static bool failure_counts(const struct look *look, const struct pod_facts *pod)
{
	if (look->indexed && !index_in_range(look, pod))
		return false;
	return !look->failure_policy || job_failure_of(look->failure_policy, pod, NULL) != JOB_FAILURE_IGNORED;
}

static bool index_is_lost(const struct look *look, const struct pod_facts *pod)
{
	enum job_failure failure = look->failure_policy ? job_failure_of(look->failure_policy, pod, NULL) : JOB_FAILURE_COUNTS;
	if (failure == JOB_FAILURE_ENDS_INDEX)
		return true;
	return failure != JOB_FAILURE_IGNORED && pod->index_failures >= look->backoff_limit_per_index;
}

static void survey(struct look *look)
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
		bool failed = counts_as_failed(look, pod);
		if (pod->phase == POD_SUCCEEDED && (!look->indexed || index_in_range(look, pod))) {
			look->new_succeeded++;
			if (look->indexed)
				indexes_add(&look->done, pod->index);
		} else if (failed && failure_counts(look, pod)) {
			look->new_failed++;
		}
		if (failed && look->per_index && index_in_range(look, pod) && index_is_lost(look, pod))
			indexes_add(&look->lost, pod->index);
		if (failed || pod->phase == POD_SUCCEEDED)
			pod_list_add(&look->counted, pod);
	}
	look->succeeded = stint_json_int_or(stint_json_get(old, "succeeded"), 0) + look->new_succeeded;
	if (look->indexed)
		look->succeeded = indexes_total(&look->done);
	look->failed = stint_json_int_or(stint_json_get(old, "failed"), 0) + look->new_failed;
}

static bool has_active_index(const struct look *look, int64_t index)
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
static void find_delayed(struct look *look)
{
	for (size_t i = 0; i < look->counted.count; i++) {
		struct pod_facts *pod = look->counted.items[i];
		if (pod->phase == POD_SUCCEEDED || !index_in_range(look, pod) || indexes_has(&look->done, pod->index) ||
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

static struct pod_facts *delayed_pod(const struct look *look, int64_t index)
{
	for (size_t i = 0; i < look->delayed.count; i++) {
		if (look->delayed.items[i]->index == index)
			return look->delayed.items[i];
	}
	return NULL;
}

/* ---- backoff --------------------------------------------------------------------------------------------------------------- */

static int64_t backoff_left(int64_t failures, int64_t last_ms, int64_t now_ms)
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

static int64_t finish_time(const struct pod_facts *pod, int64_t now_ms)
{
	return pod->finished_ms >= 0 && pod->finished_ms < now_ms ? pod->finished_ms : now_ms;
}

static void remember_failures(struct look *look)
{
	int64_t last_success_ms = -1;
	for (size_t i = 0; i < look->counted.count; i++) {
		const struct pod_facts *pod = look->counted.items[i];
		if (pod->phase == POD_SUCCEEDED && finish_time(pod, look->now_ms) > last_success_ms)
			last_success_ms = finish_time(pod, look->now_ms);
	}
	if (last_success_ms >= 0)
		*look->memory = (struct job_memory){0};
	for (size_t i = 0; i < look->counted.count; i++) {
		const struct pod_facts *pod = look->counted.items[i];
		int64_t finished_ms = finish_time(pod, look->now_ms);
		if (pod->phase == POD_SUCCEEDED || finished_ms < last_success_ms)
			continue;
		look->memory->failures++;
		if (finished_ms > look->memory->last_failure_ms)
			look->memory->last_failure_ms = finished_ms;
	}
}

/* ---- verdict --------------------------------------------------------------------------------------------------------------- */

static void judge(struct look *look, const char *type, const char *reason, const char *message)
{
	look->verdict_type = type;
	char *kept_reason = stint_strdup(reason), *kept_message = stint_strdup(message);
	free(look->verdict_reason);
	free(look->verdict_message);
	look->verdict_reason = kept_reason;
	look->verdict_message = kept_message;
}

/* With restartPolicy OnFailure, the restarts of containers count. */
static bool restarts_exceed_limit(const struct look *look)
{
	if (strcmp(stint_json_string_or(stint_json_at(look->spec, "template", "spec", "restartPolicy"), ""), "OnFailure") != 0)
		return false;
	int64_t restarts = 0;
	for (size_t i = 0; i < look->active.count; i++)
		restarts += look->active.items[i]->restarts;
	return look->backoff_limit == 0 ? restarts > 0 : restarts >= look->backoff_limit;
}

static bool judge_by_policy(struct look *look)
{
	for (size_t i = 0; look->failure_policy && i < look->counted.count; i++) {
		const struct pod_facts *pod = look->counted.items[i];
		stint_autofree char *message = NULL;
		if (pod->phase == POD_FAILED && job_failure_of(look->failure_policy, pod, &message) == JOB_FAILURE_ENDS_JOB) {
			judge(look, "FailureTarget", "PodFailurePolicy", message);
			return true;
		}
	}
	return false;
}

static void judge_indexes(struct look *look)
{
	if (!look->indexed)
		return;
	int64_t most = 0, lost = indexes_total(&look->lost);
	if (look->per_index && stint_json_int(stint_json_get(look->spec, "maxFailedIndexes"), &most) && lost > most)
		judge(look, "FailureTarget", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
	else if (look->per_index && lost > 0 && lost + look->succeeded >= look->completions)
		judge(look, "FailureTarget", "FailedIndexes", "Job has failed indexes");
	if (look->verdict_type)
		return;
	stint_autofree char *met = job_success_of(stint_json_get(look->spec, "successPolicy"), look->completions, &look->done);
	if (met)
		judge(look, "SuccessCriteriaMet", "SuccessPolicy", met);
}

static void find_verdict(struct look *look)
{
	static const char *const interim[] = {"FailureTarget", "SuccessCriteriaMet"};
	for (size_t i = 0; i < STINT_COUNT(interim); i++) {
		const struct stint_json *condition = condition_find(look->status, interim[i]);
		if (condition && condition_is(look->status, interim[i], "True")) {
			/* Decided before: what is left is to wait for the pods. */
			judge(look, interim[i], stint_json_string_or(stint_json_get(condition, "reason"), ""),
				stint_json_string_or(stint_json_get(condition, "message"), ""));
			return;
		}
	}
	if (judge_by_policy(look))
		return;
	int64_t deadline_s = 0, start_ms = time_at(stint_json_get(look->status, "startTime"));
	bool has_deadline =
		stint_json_int(stint_json_get(look->spec, "activeDeadlineSeconds"), &deadline_s) && !look->suspended && start_ms >= 0;
	int64_t left_ms = has_deadline ? start_ms + deadline_s * 1000 - look->now_ms : 0;
	if (look->failed > look->backoff_limit || restarts_exceed_limit(look)) {
		judge(look, "FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
		return;
	}
	if (has_deadline && left_ms <= 0) {
		judge(look, "FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline");
		return;
	}
	if (has_deadline)
		again(look->plan, left_ms);
	judge_indexes(look);
}

/* ---- manage ---------------------------------------------------------------------------------------------------------------- */

/* Which active pods have to go: those of a wrong or doubled index, then the least worthy, at least `least` in all. */
static void choose_removals(struct look *look, int64_t least)
{
	struct pod_list rest = {0};
	struct indexes seen = {0};
	if (look->active.count > 1)
		qsort(look->active.items, look->active.count, sizeof(look->active.items[0]), pod_compare_worth);
	/* From the worthiest down, so that of a doubled index the best stays. */
	for (size_t i = look->active.count; i-- > 0;) {
		struct pod_facts *pod = look->active.items[i];
		if (look->indexed && (!index_in_range(look, pod) || indexes_has(&seen, pod->index)))
			pod_list_add(&look->plan->removals, pod);
		else
			pod_list_add(&rest, pod);
		if (look->indexed && index_in_range(look, pod))
			indexes_add(&seen, pod->index);
	}
	while (rest.count > 0 && (int64_t)look->plan->removals.count < least)
		pod_list_add(&look->plan->removals, rest.items[--rest.count]);
	pod_list_free(&rest);
	indexes_free(&seen);
	if (look->plan->removals.count > JOB_PODS_PER_SYNC) {
		look->plan->removals.count = JOB_PODS_PER_SYNC;
		again(look->plan, 0);
	}
}

static void add_create(struct job_plan *plan, struct job_new_pod pod)
{
	stint_grow(&plan->creates, &plan->create_capacity, plan->create_count + 1, sizeof(pod));
	plan->creates[plan->create_count++] = pod;
}

/* Per-index backoff: true when the index may start now; *pod carries the number of failures on. */
static bool index_may_start(struct look *look, int64_t index, struct job_new_pod *pod)
{
	const struct pod_facts *last = delayed_pod(look, index);
	*pod = (struct job_new_pod){.index = index, .counts_failures = look->per_index};
	if (!look->per_index || !last)
		return true;
	bool ignored = look->failure_policy && job_failure_of(look->failure_policy, last, NULL) == JOB_FAILURE_IGNORED;
	pod->failures = last->index_failures + !ignored;
	pod->ignored = last->index_ignored + ignored;
	int64_t left_ms = backoff_left(pod->failures + pod->ignored, finish_time(last, look->now_ms), look->now_ms);
	if (left_ms > 0)
		again(look->plan, left_ms);
	return left_ms <= 0;
}

static void create_indexes(struct look *look, int64_t wanted)
{
	struct indexes taken = {0};
	for (size_t i = 0; i < look->pods->count; i++) {
		const struct pod_facts *pod = look->pods->items[i];
		bool blocks = pod_is_active(pod) || (look->replace_failed_only && pod->deleting && !pod_is_finished(pod));
		if (blocks && index_in_range(look, pod))
			indexes_add(&taken, pod->index);
	}
	for (int64_t index = 0; index < look->completions && wanted > 0; index++) {
		if (indexes_has(&taken, index) || indexes_has(&look->done, index) || indexes_has(&look->lost, index))
			continue;
		wanted--;
		struct job_new_pod pod;
		if (index_may_start(look, index, &pod))
			add_create(look->plan, pod);
	}
	indexes_free(&taken);
}

static int64_t wanted_active(const struct look *look)
{
	int64_t active = (int64_t)look->active.count;
	if (!look->has_completions)
		return look->succeeded > 0 ? active : look->parallelism;
	int64_t left = look->completions - look->succeeded - (look->per_index ? indexes_total(&look->lost) : 0);
	if (left > look->parallelism)
		left = look->parallelism;
	return left > 0 ? left : 0;
}

static void manage(struct look *look)
{
	if (look->suspended) {
		choose_removals(look, (int64_t)look->active.count);
		look->plan->removals_uncounted = true;
		return;
	}
	int64_t active = (int64_t)look->active.count, wanted = wanted_active(look);
	choose_removals(look, active > wanted ? active - wanted : 0);
	if (look->plan->removals.count > 0) {
		/* One thing at a time: creations follow when the removals are known. */
		look->plan->removals_uncounted = true;
		again(look->plan, 0);
		return;
	}
	int64_t missing = wanted - active - (look->replace_failed_only ? look->terminating : 0);
	if (missing <= 0)
		return;
	int64_t left_ms = look->per_index ? 0 : backoff_left(look->memory->failures, look->memory->last_failure_ms, look->now_ms);
	if (left_ms > 0) {
		again(look->plan, left_ms);
		return;
	}
	if (missing > JOB_PODS_PER_SYNC) {
		missing = JOB_PODS_PER_SYNC;
		again(look->plan, 0);
	}
	if (look->indexed) {
		create_indexes(look, missing);
		return;
	}
	for (; missing > 0; missing--)
		add_create(look->plan, (struct job_new_pod){.index = -1});
}

/* ---- record ---------------------------------------------------------------------------------------------------------------- */

static void set_count(struct stint_json *status, const char *key, int64_t value)
{
	if (value > 0)
		stint_json_set_int(status, key, value);
	else
		stint_json_remove(status, key);
}

static void set_time(struct stint_json *status, const char *key, int64_t ms)
{
	char text[STINT_TIME_SIZE];
	stint_json_set_string(status, key, stint_time_format(ms, text));
}

static void record_suspension(struct look *look)
{
	bool changed = look->suspended ? condition_set(look->status, "Suspended", "True", "JobSuspended", "Job suspended", look->now_ms)
				       : condition_find(look->status, "Suspended") &&
			condition_set(look->status, "Suspended", "False", "JobResumed", "Job resumed", look->now_ms);
	if (!changed)
		return;
	if (look->suspended) {
		tell(look->plan, "Normal", "Suspended", "Job suspended");
	} else {
		tell(look->plan, "Normal", "Resumed", "Job resumed");
		/* The deadline counts from the resumption. */
		set_time(look->status, "startTime", look->now_ms);
	}
}

static void record_counts(struct look *look)
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
static void record_verdict(struct look *look)
{
	bool success = strcmp(look->verdict_type, "SuccessCriteriaMet") == 0;
	condition_set(look->status, look->verdict_type, "True", look->verdict_reason, look->verdict_message, look->now_ms);
	if (look->active.count > 0 || look->terminating > 0)
		return;
	condition_set(look->status, success ? "Complete" : "Failed", "True", look->verdict_reason, look->verdict_message, look->now_ms);
	if (success) {
		set_time(look->status, "completionTime", look->now_ms);
		tell(look->plan, "Normal", "Completed", "Job completed");
	} else {
		tell(look->plan, "Warning", look->verdict_reason, look->verdict_message);
	}
	int64_t ttl_s = 0;
	if (stint_json_int(stint_json_get(look->spec, "ttlSecondsAfterFinished"), &ttl_s))
		again(look->plan, ttl_s * 1000);
}

/* Finished pods let go of their finalizer, except those that a replacement has yet to follow. */
static void choose_releases(struct look *look)
{
	for (size_t i = 0; i < look->pods->count; i++) {
		struct pod_facts *pod = look->pods->items[i];
		bool finished = pod->phase == POD_SUCCEEDED || counts_as_failed(look, pod) || look->deleting;
		if (pod->tracked && finished)
			pod_list_add(&look->plan->releases, pod);
	}
}

/* A pod of `delayed` is neither counted nor released before its replacement is made. */
static void hold_back_delayed(struct look *look)
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
		if (failure_counts(look, pod))
			look->failed--;
		for (size_t j = 0; j < look->plan->releases.count; j++) {
			if (look->plan->releases.items[j] == pod) {
				look->plan->releases.items[j] = look->plan->releases.items[--look->plan->releases.count];
				break;
			}
		}
	}
}

static void finished_sync(struct look *look)
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
		int64_t end_ms = time_at(stint_json_get(condition_find(look->status, ends[i]), "lastTransitionTime"));
		int64_t left_ms = end_ms + ttl_s * 1000 - look->now_ms;
		if (left_ms <= 0)
			look->plan->remove_job = true;
		else
			again(look->plan, left_ms);
		return;
	}
}

static void going_sync(struct look *look)
{
	survey(look);
	if (look->per_index)
		find_delayed(look);
	remember_failures(look);
	if (!stint_json_get(look->status, "startTime") && !look->suspended)
		set_time(look->status, "startTime", look->now_ms);
	find_verdict(look);
	if (look->verdict_type) {
		/* After a success, what still runs is superfluous and no failure. */
		look->plan->removals_uncounted = strcmp(look->verdict_type, "SuccessCriteriaMet") == 0;
		for (size_t i = 0; i < look->active.count; i++)
			pod_list_add(&look->plan->removals, look->active.items[i]);
	} else {
		if (!look->deleting)
			manage(look);
		int64_t active = (int64_t)look->active.count;
		bool complete = look->has_completions ? look->succeeded >= look->completions : look->succeeded > 0;
		if (complete && active == 0 && look->plan->create_count == 0)
			judge(look, "SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods");
		else if (!look->deleting)
			record_suspension(look);
	}
	choose_releases(look);
	hold_back_delayed(look);
	record_counts(look);
	if (look->verdict_type)
		record_verdict(look);
}

void job_sync(const struct stint_json *job, const struct pod_list *pods, int64_t now_ms, struct job_memory *memory, struct job_plan *plan)
{
	*plan = (struct job_plan){.again_ms = -1};
	struct look look = {.job = job, .pods = pods, .now_ms = now_ms, .memory = memory, .plan = plan};
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
