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
	assert_non_null(strstr(explanation.sentence, "\"default\" may use 1 GPU and uses 1 GPU, and this asks for 1 GPU"));
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

static void holders_that_the_caller_may_not_see_have_no_name(void **state)
{
	struct cluster *c = *state;
	cluster_node(c, "n1", 1, true);
	cluster_queue(c, "default", 1, -1);
	cluster_put(c, STINT_KIND_POD, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"secret\",\"name\":\"moonshot\",\"uid\":\"p-moonshot\",\"annotations\":{\"stint.dev/"
		"gpu-devices\":\"0\"}},\"spec\":{"
		"\"schedulerName\":\"stint-scheduler\",\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{"
		"\"limits\":{\"nvidia.com/gpu\":\"1\"},\"requests\":{\"nvidia.com/gpu\":\"1\"}}}]},\"status\":{\"phase\":\"Running\"}}");
	cluster_pod(c, "a", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	stint_auto_json *record = why(c, "default", "a");
	assert_string_equal(stint_json_string_at(record, "reason"), "NoRoom");
	const struct stint_json *holder = stint_json_item(stint_json_get(record, "holders"), 0);
	assert_string_equal(stint_json_string_at(holder, "project"), STINT_WHY_HIDDEN);
	assert_null(stint_json_get(holder, "workload"));
	stint_autofree char *text = stint_json_print(record);
	assert_null(strstr(text, "moonshot"));
	assert_null(strstr(text, "secret"));
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
		IN_CLUSTER(holders_that_the_caller_may_not_see_have_no_name),
		IN_CLUSTER(what_can_never_run_is_said_to_be_so),
		IN_CLUSTER(held_pods_are_explained_by_what_holds_them),
		IN_CLUSTER(workloads_are_found_by_owner_and_unknown_ones_are_not),
		cmocka_unit_test(the_condition_begins_with_the_word_and_carries_the_uid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
