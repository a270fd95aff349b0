/* What people are told of a pod: what holds it back, with numbers and who has it, and nothing of what they may not see. */
#include <scheduler/conditions.h>
#include <stint/mirror.h>

#include <stint/text.h>

#include "cluster.h"

static bool sees_nothing(void *user, const char *space)
{
	(void)user;
	(void)space;
	return false;
}

static struct stint_json *why(struct cluster *c, const char *space, const char *workload)
{
	const struct stint_why_question question = {
		.engine = c->engine, .mirror = c->mirror, .space = space, .workload = workload, .now_ms = 1000, .visible = sees_nothing};
	return stint_why_record(&question);
}

static void over_limit_names_queue_bound_and_what_is_missing(void **state)
{
	struct cluster *c = *state;
	cluster_node(c, "n1", 8, true);
	cluster_queue(c, "default", 1, 1);
	cluster_pod(c, "a", "", "GPU", "");
	cluster_pod(c, "b", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 1);
	struct stint_mirror_pod *waiting = NULL;
	struct stint_pod_view view;
	for (int i = 0; i < 2; i++) {
		struct stint_mirror_pod *pod = cluster_find(c, i ? "b" : "a");
		if (stint_engine_pod_view(c->engine, pod->handle, &view) && view.status == STINT_POD_PENDING)
			waiting = pod;
	}
	assert_non_null(waiting);
	assert_string_equal(stint_explain_word(c->engine, waiting), "OverLimit");
	struct stint_explanation explanation;
	stint_explain(c->engine, waiting, &explanation);
	assert_false(explanation.never);
	assert_non_null(strstr(explanation.sentence,
		"\"default\" may use 1 GPU and uses 1 GPU, and this asks for 1 GPU: ask for fewer, wait for 1 GPU to come free there, or "
		"raise"));
	stint_explanation_clear(&explanation);

	stint_auto_json *record = why(c, "default", waiting->pod->meta.name);
	assert_string_equal(stint_json_string_at(record, "phase"), "Waiting");
	assert_string_equal(stint_json_string_at(record, "reason"), "OverLimit");
	assert_int_equal(stint_json_int_or(stint_json_get(record, "holders_total"), 0), 1);
	const struct stint_json *holder = stint_json_item(stint_json_get(record, "holders"), 0);
	assert_string_equal(stint_json_string_at(holder, "project"), "default"); /* one's own project is always seen */
	const struct stint_json *change = stint_json_item(stint_json_get(record, "changes"), 0);
	assert_string_equal(stint_json_string_at(change, "change"), "raise-limit");
	assert_string_equal(stint_json_string_at(change, "text"), "raise the limit of \"default\" to 2 GPUs");
}

static void a_secret_pod_is_in_the_way(struct cluster *c)
{
	cluster_node(c, "n1", 1, true);
	cluster_queue(c, "default", 1, -1);
	cluster_put(c, STINT_KIND_POD, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"secret\",\"name\":\"moonshot\",\"uid\":\"p-moonshot\",\"annotations\":{\"stint.dev/"
		"gpu-devices\":\"0\"}},\"spec\":{"
		"\"schedulerName\":\"stint-scheduler\",\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{"
		"\"limits\":{\"nvidia.com/gpu\":\"1\"},\"requests\":{\"nvidia.com/gpu\":\"1\"}}}]},\"status\":{\"phase\":\"Running\"}}");
	cluster_pod(c, "a", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
}

static void holders_that_the_caller_may_not_see_have_no_name(void **state)
{
	struct cluster *c = *state;
	a_secret_pod_is_in_the_way(c);
	stint_auto_json *record = why(c, "default", "a");
	assert_string_equal(stint_json_string_at(record, "reason"), "NoRoom");
	const struct stint_json *holder = stint_json_item(stint_json_get(record, "holders"), 0);
	assert_string_equal(stint_json_string_at(holder, "project"), STINT_WHY_HIDDEN);
	assert_null(stint_json_get(holder, "workload"));
	stint_autofree char *text = stint_json_print(record);
	assert_null(strstr(text, "moonshot"));
	assert_null(strstr(text, "secret"));
}

static bool note_secret(void *user, const char *space)
{
	*(bool *)user = strcmp(space, "secret") == 0;
	return false;
}

static void whose_pods_it_speaks_of_is_learnt_without_what_is_tried_anew(void **state)
{
	struct cluster *c = *state;
	bool asked = false;
	a_secret_pod_is_in_the_way(c);
	const struct stint_why_question question = {.engine = c->engine,
		.mirror = c->mirror,
		.space = "default",
		.workload = "a",
		.now_ms = 1000,
		.visible = note_secret,
		.user = &asked,
		.known_only = true};
	stint_auto_json *known = stint_why_record(&question), *whole = why(c, "default", "a");
	assert_true(asked);
	assert_null(stint_json_get(known, "changes"));
	assert_non_null(stint_json_get(whole, "changes"));
}

static void what_can_never_run_is_said_to_be_so(void **state)
{
	struct cluster *c = *state;
	cluster_node(c, "n1", 8, true);
	cluster_queue(c, "default", 8, -1);
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job",
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"gang\",\"uid\":\"j1\",\"annotations\":{\"kai.scheduler/"
		"batch-min-member\":\"9\"}}}");
	for (int i = 0; i < 9; i++) {
		stint_autofree char *name = stint_format("w%d", i);
		cluster_pod(c, name, CLUSTER_OWNED("Job", "gang", "j1"), "GPU", "");
	}
	cluster_pod(c, "odd", "\"annotations\":{\"gpu-fraction\":\"1.5\"}", "", "");
	assert_int_equal(cluster_cycle(c), 0);
	stint_auto_json *record = why(c, "default", "gang");
	assert_string_equal(stint_json_string_at(record, "reason"), "GangNeverFits");
	assert_true(stint_json_bool_or(stint_json_get(record, "never"), false));
	assert_non_null(strstr(stint_json_string_at(record, "message"), "8 of the 9 pods"));
	stint_auto_json *odd = why(c, "default", "odd");
	assert_string_equal(stint_json_string_at(odd, "reason"), "InvalidRequest");
	assert_true(stint_json_bool_or(stint_json_get(odd, "never"), false));
}

static void held_pods_are_explained_by_what_holds_them(void **state)
{
	struct cluster *c = *state;
	cluster_node(c, "real", 8, false);
	cluster_queue(c, "default", 8, -1);
	cluster_pod(c, "share", "\"annotations\":{\"gpu-fraction\":\"0.5\"}", "", "");
	cluster_pod(c, "member", "\"annotations\":{\"pod-group-name\":\"nowhere\"}", "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	stint_auto_json *share = why(c, "default", "share");
	assert_string_equal(stint_json_string_at(share, "reason"), "NoDeviceWiring");
	assert_non_null(strstr(stint_json_string_at(share, "message"), "metadata.annotations['stint.dev/gpu-uuids']"));
	stint_auto_json *member = why(c, "default", "member");
	assert_string_equal(stint_json_string_at(member, "reason"), "PodGroupDoesNotExist");
	assert_non_null(strstr(stint_json_string_at(member, "message"), "\"nowhere\""));
}

static void workloads_are_found_by_owner_and_unknown_ones_are_not(void **state)
{
	struct cluster *c = *state;
	cluster_node(c, "n1", 8, true);
	cluster_queue(c, "default", 8, -1);
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job",
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"asleep\",\"uid\":\"j2\"},\"spec\":{\"suspend\":true}}");
	cluster_pod(c, "a", "", "GPU", "");
	cluster_cycle(c);
	stint_auto_json *asleep = why(c, "default", "asleep");
	assert_string_equal(stint_json_string_at(asleep, "phase"), "NoPods");
	assert_string_equal(stint_json_string_at(asleep, "reason"), "Suspended");
	assert_null(why(c, "default", "unknown"));
	assert_null(why(c, "elsewhere", "a"));
}

static const char *why_of(struct cluster *c, struct stint_json **record, const char *workload, int64_t now_ms)
{
	const struct stint_why_question question = {.engine = c->engine,
		.mirror = c->mirror,
		.space = "default",
		.workload = workload,
		.now_ms = now_ms,
		.visible = sees_nothing};
	*record = stint_why_record(&question);
	return stint_json_string_or(stint_json_get(*record, "message"), "");
}

/* 00:01:40 of the first of January 2026, when the pods below have ended. */
enum { SINCE_S = 100 };
#define ENDED                                                                                                                     \
	"\"phase\":\"Failed\",\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"terminated\":{\"exitCode\":137,\"finishedAt\":" \
	"\"2026-01-01T00:01:40Z\"}}}]"
#define EVICTED                                                                                                                  \
	ENDED ",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\"},{\"type\":\"stint.dev/Evicted\",\"status\":" \
	      "\"True\",\"message\":\"queue \\\"own\\\" has not had its share\"}]"

static void a_job_whose_pods_were_evicted_says_when_they_come_again(void **state)
{
	struct cluster *c = *state;
	const int64_t first_ms = INT64_C(1767225600000), now_ms = first_ms + (SINCE_S + 4) * 1000;
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", "{\"metadata\":{\"namespace\":\"default\",\"name\":\"whole\",\"uid\":\"j1\"}}");
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", "{\"metadata\":{\"namespace\":\"default\",\"name\":\"each\",\"uid\":\"j2\"}}");
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", "{\"metadata\":{\"namespace\":\"default\",\"name\":\"bad\",\"uid\":\"j3\"}}");
	for (int i = 0; i < 3; i++) {
		stint_autofree char *whole = stint_format("whole-%d", i), *each = stint_format("each-%d", i);
		cluster_pod(c, whole, CLUSTER_OWNED("Job", "whole", "j1"), "GPU", EVICTED);
		cluster_pod(c, each,
			CLUSTER_OWNED("Job", "each", "j2") ",\"annotations\":{\"batch.kubernetes.io/job-index-failure-count\":\"0\","
							   "\"batch.kubernetes.io/job-index-ignored-failure-count\":\"1\"}",
			"GPU", EVICTED);
	}
	cluster_pod(c, "bad-0", CLUSTER_OWNED("Job", "bad", "j3"), "GPU", ENDED);
	cluster_cycle(c);
	/* The controller lets go of those that it counts together at once. */
	for (int i = 0; i < 3; i++) {
		stint_autofree char *name = stint_format("whole-%d", i),
				    *json = cluster_pod_json(name, CLUSTER_OWNED("Job", "whole", "j1"), "GPU", EVICTED);
		cluster_remove(c, STINT_KIND_POD, json);
	}
	stint_auto_json *whole = NULL, *each = NULL, *bad = NULL, *later = NULL;
	assert_string_equal(why_of(c, &whole, "whole", now_ms),
		"it was evicted 4s ago (queue \"own\" has not had its share): its controller makes its pods again in about 36s");
	assert_string_equal(stint_json_string_at(whole, "reason"), "Evicted");
	assert_int_equal(stint_json_int_or(stint_json_get(whole, "pods_again_in_s"), -1), 36);
	assert_string_equal(why_of(c, &each, "each", now_ms),
		"it was evicted 4s ago (queue \"own\" has not had its share): its controller makes its pods again in about 16s");
	assert_string_equal(why_of(c, &bad, "bad", now_ms), "a pod of it failed 4s ago: its controller makes its pods again in about 6s");
	assert_string_equal(stint_json_string_at(bad, "reason"), "BackOff");
	assert_string_equal(
		why_of(c, &later, "bad", now_ms + 10000), "a pod of it failed 14s ago: its controller makes its pods again at any moment");
}

static void an_end_that_the_watch_shows_as_a_removal_counts_as_well(void **state)
{
	struct cluster *c = *state;
	cluster_node(c, "n1", 8, true);
	cluster_queue(c, "default", 8, -1);
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", "{\"metadata\":{\"namespace\":\"default\",\"name\":\"gone\",\"uid\":\"j1\"}}");
	static const char *const rests[] = {"", ",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\"}]",
		",\"conditions\":[{\"type\":\"stint.dev/Evicted\",\"status\":\"True\",\"message\":\"room is made\"}]"};
	for (size_t i = 0; i < STINT_COUNT(rests); i++) {
		stint_autofree char *name = stint_format("gone-%zu", i), *status = stint_format("\"phase\":\"Running\"%s", rests[i]),
				    *json = cluster_pod_json(name, CLUSTER_OWNED("Job", "gone", "j1"), "\"nodeName\":\"n1\"", status);
		cluster_put(c, STINT_KIND_POD, NULL, NULL, json);
		cluster_cycle(c);
		cluster_remove(c, STINT_KIND_POD, json);
	}
	cluster_cycle(c); /* at 1 s */
	stint_auto_json *record = NULL;
	assert_string_equal(
		why_of(c, &record, "gone", 5000), "it was evicted 4s ago (room is made): its controller makes its pods again in about 36s");
	/* Its next pod waits, and what has happened is still told. */
	stint_auto_json *again = NULL;
	cluster_pod(c, "gone-3", CLUSTER_OWNED("Job", "gone", "j1"), "GPU", "");
	cluster_cycle(c);
	why_of(c, &again, "gone", 60000);
	assert_string_equal(stint_json_string(stint_json_at(again, "evicted", "message")), "room is made");
	assert_string_equal(stint_json_string(stint_json_at(again, "evicted", "last")), "1970-01-01T00:00:01Z");
}

static void pods_of_another_scheduler_are_said_to_be_so(void **state)
{
	struct cluster *c = *state;
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job",
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"plain\",\"uid\":\"j1\"},\"spec\":{\"template\":{\"spec\":{"
		"\"schedulerName\":"
		"\"default-scheduler\",\"containers\":[{\"name\":\"c\"}]}}}}");
	stint_auto_json *record = NULL;
	assert_string_equal(why_of(c, &record, "plain", 1000),
		"its pods name scheduler \"default-scheduler\", and this one serves stint-scheduler: make it anew with \"stint submit\", "
		"or name that one in spec.schedulerName");
	assert_string_equal(stint_json_string_at(record, "reason"), "OtherScheduler");
	assert_null(stint_json_get(record, "pods"));
}

static void the_condition_begins_with_the_word_and_carries_the_uid(void **state)
{
	(void)state;
	stint_autofree char *text = stint_condition_patch("u1", "OverLimit", "too much", 0);
	stint_auto_json *patch = stint_json_parse(text, strlen(text), 0, NULL);
	assert_string_equal(stint_json_string_at(patch, "metadata", "uid"), "u1");
	const struct stint_json *condition = stint_json_item(stint_json_at(patch, "status", "conditions"), 0);
	assert_string_equal(stint_json_string_at(condition, "type"), "PodScheduled");
	assert_string_equal(stint_json_string_at(condition, "status"), "False");
	assert_string_equal(stint_json_string_at(condition, "reason"), "Unschedulable");
	assert_string_equal(stint_json_string_at(condition, "message"), "OverLimit: too much");
	assert_string_equal(stint_json_string_at(condition, "lastTransitionTime"), "1970-01-01T00:00:00Z");
	stint_autofree char *again = stint_condition_patch("u1", "NoRoom", "none", -1);
	assert_null(strstr(again, "lastTransitionTime"));
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CLUSTER(over_limit_names_queue_bound_and_what_is_missing),
		IN_CLUSTER(whose_pods_it_speaks_of_is_learnt_without_what_is_tried_anew),
		IN_CLUSTER(holders_that_the_caller_may_not_see_have_no_name),
		IN_CLUSTER(what_can_never_run_is_said_to_be_so),
		IN_CLUSTER(held_pods_are_explained_by_what_holds_them),
		IN_CLUSTER(a_job_whose_pods_were_evicted_says_when_they_come_again),
		IN_CLUSTER(an_end_that_the_watch_shows_as_a_removal_counts_as_well),
		IN_CLUSTER(pods_of_another_scheduler_are_said_to_be_so),
		IN_CLUSTER(workloads_are_found_by_owner_and_unknown_ones_are_not),
		cmocka_unit_test(the_condition_begins_with_the_word_and_carries_the_uid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
