/*
 * job_verdict: whether a Job has come to its end, and why: its policies, its limits of failures, its deadline, its indexes.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/job_look.h"
#include "core/sandbox/controllers/job_policy.h"

void job_judge(struct job_look *look, const char *type, const char *reason, const char *message)
{
	look->verdict_type = type;
	char *kept_reason = stint_strdup(reason), *kept_message = stint_strdup(message);
	free(look->verdict_reason);
	free(look->verdict_message);
	look->verdict_reason = kept_reason;
	look->verdict_message = kept_message;
}

/* With restartPolicy OnFailure, the restarts of containers count. */
static bool restarts_exceed_limit(const struct job_look *look)
{
	if (strcmp(stint_json_string_or(stint_json_at(look->spec, "template", "spec", "restartPolicy"), ""), "OnFailure") != 0)
		return false;
	int64_t restarts = 0;
	for (size_t i = 0; i < look->active.count; i++)
		restarts += look->active.items[i]->restarts;
	return look->backoff_limit == 0 ? restarts > 0 : restarts >= look->backoff_limit;
}

static bool judge_by_policy(struct job_look *look)
{
	for (size_t i = 0; look->failure_policy && i < look->counted.count; i++) {
		const struct pod_facts *pod = look->counted.items[i];
		stint_autofree char *message = NULL;
		if (pod->phase == POD_FAILED && job_failure_of(look->failure_policy, pod, &message) == JOB_FAILURE_ENDS_JOB) {
			job_judge(look, "FailureTarget", "PodFailurePolicy", message);
			return true;
		}
	}
	return false;
}

static void judge_indexes(struct job_look *look)
{
	if (!look->indexed)
		return;
	int64_t most = 0, lost = indexes_total(&look->lost);
	if (look->per_index && stint_json_int(stint_json_get(look->spec, "maxFailedIndexes"), &most) && lost > most)
		job_judge(look, "FailureTarget", "MaxFailedIndexesExceeded",
			"Job has exceeded the specified maximal number of failed indexes");
	else if (look->per_index && lost > 0 && lost + look->succeeded >= look->completions)
		job_judge(look, "FailureTarget", "FailedIndexes", "Job has failed indexes");
	if (look->verdict_type)
		return;
	stint_autofree char *met = job_success_of(stint_json_get(look->spec, "successPolicy"), look->completions, &look->done);
	if (met)
		job_judge(look, "SuccessCriteriaMet", "SuccessPolicy", met);
}

void job_find_verdict(struct job_look *look)
{
	static const char *const interim[] = {"FailureTarget", "SuccessCriteriaMet"};
	for (size_t i = 0; i < STINT_COUNT(interim); i++) {
		const struct stint_json *condition = condition_find(look->status, interim[i]);
		if (condition && condition_is(look->status, interim[i], "True")) {
			/* Decided before: what is left is to wait for the pods. */
			job_judge(look, interim[i], stint_json_string_or(stint_json_get(condition, "reason"), ""),
				stint_json_string_or(stint_json_get(condition, "message"), ""));
			return;
		}
	}
	if (judge_by_policy(look))
		return;
	int64_t deadline_s = 0, start_ms = job_time_at(stint_json_get(look->status, "startTime"));
	bool has_deadline =
		stint_json_int(stint_json_get(look->spec, "activeDeadlineSeconds"), &deadline_s) && !look->suspended && start_ms >= 0;
	/* One beyond all times never comes. */
	int64_t left_ms = has_deadline ? start_ms + (deadline_s < INT32_MAX ? deadline_s : INT32_MAX) * 1000 - look->now_ms : 0;
	if (look->failed > look->backoff_limit || restarts_exceed_limit(look)) {
		job_judge(look, "FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
		return;
	}
	if (has_deadline && left_ms <= 0) {
		job_judge(look, "FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline");
		return;
	}
	if (has_deadline)
		job_again(look->plan, left_ms);
	judge_indexes(look);
}
