/*
 * rollout_status: the status of a Deployment: its numbers, whether it is available, and how the rollout progresses.
 */
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/rollout.h"

static void set_count(struct stint_json *status, const char *key, int64_t value)
{
	if (value > 0)
		stint_json_set_int(status, key, value);
	else
		stint_json_remove(status, key);
}

bool rollout_is_complete(const struct rollout *rollout, const struct rollout_tally *tally)
{
	return rollout->current && tally->updated == rollout->replicas && tally->pods == rollout->replicas &&
		tally->available == rollout->replicas;
}

static int64_t time_of(const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	int64_t ms = -1;
	return text && stint_time_parse(text, strlen(text), &ms) ? ms : -1;
}

static void say_progress(struct rollout *rollout, struct stint_json *status, const struct rollout_tally *tally)
{
	const struct stint_json *old = stint_json_get(rollout->deployment, "status");
	int64_t deadline_s = stint_json_int_or(stint_json_get(rollout->spec, "progressDeadlineSeconds"), 600);
	if (!rollout->current || rollout->paused || deadline_s >= INT32_MAX)
		return;
	const char *set = rollout_set_name(rollout->current);
	const struct stint_json *progress = condition_find(status, "Progressing");
	const char *reason = stint_json_string_or(stint_json_get(progress, "reason"), "");
	bool moved = tally->updated > stint_json_int_or(stint_json_get(old, "updatedReplicas"), 0) ||
		tally->ready > stint_json_int_or(stint_json_get(old, "readyReplicas"), 0) ||
		tally->available > stint_json_int_or(stint_json_get(old, "availableReplicas"), 0) ||
		tally->pods - tally->updated < stint_json_int_or(stint_json_get(old, "replicas"), 0) -
				stint_json_int_or(stint_json_get(old, "updatedReplicas"), 0);
	stint_autofree char *message = NULL;
	if (rollout_is_complete(rollout, tally)) {
		message = stint_format("ReplicaSet \"%s\" has successfully progressed.", set);
		condition_update(status, "Progressing", "True", "NewReplicaSetAvailable", message, rollout->now_ms);
		return;
	}
	bool was_complete = strcmp(reason, "NewReplicaSetAvailable") == 0;
	if (was_complete && tally->pods == tally->updated)
		return; /* a pod that fails later does not undo the rollout */
	if (moved || !progress || was_complete) {
		char now[STINT_TIME_SIZE];
		message = stint_format("ReplicaSet \"%s\" is progressing.", set);
		condition_update(status, "Progressing", "True", "ReplicaSetUpdated", message, rollout->now_ms);
		if (moved)
			stint_json_set_string(
				condition_find(status, "Progressing"), "lastUpdateTime", stint_time_format(rollout->now_ms, now));
		return;
	}
	int64_t since_ms = time_of(stint_json_get(progress, "lastUpdateTime"));
	int64_t left_ms = since_ms + deadline_s * 1000 - rollout->now_ms;
	if (strcmp(reason, "ProgressDeadlineExceeded") == 0)
		return;
	if (left_ms > 0) {
		rollout->plan->again_ms = left_ms;
		return;
	}
	message = stint_format("ReplicaSet \"%s\" has timed out progressing.", set);
	condition_update(status, "Progressing", "False", "ProgressDeadlineExceeded", message, rollout->now_ms);
}

struct rollout_tally rollout_count(const struct rollout *rollout)
{
	struct rollout_tally tally = {0};
	for (size_t i = 0; i < rollout->plan->count; i++) {
		tally.pods += rollout->plan->sets[i].pods;
		tally.ready += rollout->plan->sets[i].ready;
		tally.available += rollout->plan->sets[i].available;
	}
	tally.updated = rollout->current ? rollout->current->pods : 0;
	return tally;
}

void rollout_write_status(struct rollout *rollout, const struct rollout_tally *tally)
{
	const struct stint_json *old = stint_json_get(rollout->deployment, "status");
	struct stint_json *status = old ? stint_json_dup(old) : stint_json_new_object();
	int64_t unavailable = rollout_sum_wanted(rollout->plan) - tally->available;
	stint_json_set_int(
		status, "observedGeneration", stint_json_int_or(stint_json_at(rollout->deployment, "metadata", "generation"), 0));
	set_count(status, "replicas", tally->pods);
	set_count(status, "updatedReplicas", tally->updated);
	set_count(status, "readyReplicas", tally->ready);
	set_count(status, "availableReplicas", tally->available);
	set_count(status, "unavailableReplicas", unavailable > 0 ? unavailable : 0);
	bool enough = tally->available >= rollout->replicas - rollout->unavailable;
	condition_update(status, "Available", enough ? "True" : "False", enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
		enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.", rollout->now_ms);
	if (rollout->paused)
		condition_update(status, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", rollout->now_ms);
	else
		say_progress(rollout, status, tally);
	if (stint_json_equal(status, old))
		stint_json_free(status);
	else
		rollout->plan->status = status;
}
