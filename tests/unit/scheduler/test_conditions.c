/*
 * What conditions promise, against an API server that a test plays: one write and one event for each reason, however often the write fails.
 */
#include <scheduler/conditions.h>

#include "core/kube/recorder.h"
#include "served.h"

struct fixture {
	struct served served;
	struct stint_recorder *recorder;
	struct stint_conditions *conditions;
	int failures; /* so many writes fail */
	int patches, events;
};

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	const struct stint_httpd_response fine = {200, "application/json", NULL}, failed = {500, "application/json", NULL};
	static const char trouble[] = "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"no\",\"code\":500}";
	const bool is_patch = strstr(stint_httpd_path(request), "/pods/") != NULL;
	*(is_patch ? &f->patches : &f->events) += 1;
	if (is_patch && f->patches <= f->failures)
		stint_httpd_reply(request, &failed, trouble, sizeof(trouble) - 1);
	else
		stint_httpd_reply(request, &fine, "{}", 2);
}

static bool always(void *user)
{
	(void)user;
	return true;
}

static int open_with(void **state, int64_t refresh_ms)
{
	struct fixture *f = calloc(1, sizeof(*f));
	served_open(&f->served, on_request, f);
	f->recorder = stint_recorder_new(f->served.kube, &(struct stint_recorder_options){.component = "stint-scheduler"});
	f->conditions = stint_conditions_new(&(struct stint_conditions_options){.kube = f->served.kube,
		.engine = f->served.cluster->engine,
		.mirror = f->served.cluster->mirror,
		.recorder = f->recorder,
		.refresh_ms = refresh_ms,
		.may_write = always,
		.user = f});
	cluster_queue(f->served.cluster, "default", 8, -1);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return open_with(state, 0);
}

static int setup_hasty(void **state)
{
	return open_with(state, 30);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	stint_conditions_free(f->conditions);
	stint_recorder_free(f->recorder);
	served_close(&f->served);
	free(f);
	return 0;
}

static void a_write_that_fails_is_tried_again_and_told_once(void **state)
{
	struct fixture *f = *state;
	f->failures = 2;
	cluster_node(f->served.cluster, "n", 0, true);
	cluster_pod(f->served.cluster, "p", "", "GPU", "");
	cluster_cycle(f->served.cluster);
	stint_conditions_run(f->conditions);
	served_turn_until(&f->served, &f->patches, 1);
	assert_int_equal(f->events, 0);
	served_turn_until(&f->served, &f->patches, 3);
	served_turn_until(&f->served, &f->events, 1);
	while (!recorder_idle(f->recorder))
		stint_loop_step(f->served.loop, 50);
	assert_int_equal(f->patches, 3);
	assert_int_equal(f->events, 1);
	assert_string_equal(cluster_find(f->served.cluster, "p")->told, "NeverFits");
}

static void a_reason_that_stays_is_not_written_again(void **state)
{
	struct fixture *f = *state;
	cluster_pod(f->served.cluster, "p", "", "GPU", "");
	cluster_cycle(f->served.cluster);
	stint_conditions_run(f->conditions);
	served_turn_until(&f->served, &f->events, 1);
	stint_mirror_mark_group(f->served.cluster->mirror, cluster_find(f->served.cluster, "p")->group);
	stint_conditions_run(f->conditions);
	const int64_t end = stint_monotonic_ms() + 200;
	while (stint_monotonic_ms() < end)
		stint_loop_step(f->served.loop, 20);
	assert_int_equal(f->patches, 1);
}

static void put_gang(struct fixture *f, const char *pod)
{
	cluster_put(f->served.cluster, STINT_KIND_OWNER, "batch/v1", "Job",
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"train\",\"uid\":\"j1\",\"annotations\":{\"kai.scheduler/"
		"batch-min-member\":\"2\"}}}");
	cluster_queue(f->served.cluster, "default", -1, -1);
	cluster_pod(f->served.cluster, pod, CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	cluster_cycle(f->served.cluster);
	stint_conditions_run(f->conditions);
}

static void that_a_gang_is_incomplete_is_told_when_it_lasts(void **state)
{
	struct fixture *f = *state;
	const int64_t started_ms = stint_monotonic_ms();
	put_gang(f, "w0");
	served_turn_until(&f->served, &f->patches, 1);
	assert_true(stint_monotonic_ms() - started_ms >= 1000);
	assert_string_equal(cluster_find(f->served.cluster, "w0")->told, "Incomplete");
}

static void a_gang_that_is_whole_in_a_moment_hears_its_verdict_alone(void **state)
{
	struct fixture *f = *state;
	cluster_node(f->served.cluster, "n", 1, true);
	put_gang(f, "w0");
	put_gang(f, "w1");
	served_turn_until(&f->served, &f->patches, 2);
	assert_string_equal(cluster_find(f->served.cluster, "w0")->told, "GangNeverFits");
	assert_int_equal(f->patches, 2);
}

static void a_reason_that_comes_again_is_to_last_again(void **state)
{
	struct fixture *f = *state;
	cluster_node(f->served.cluster, "n", 1, true);
	put_gang(f, "w0");
	cluster_find(f->served.cluster, "w0")->group->passing_since_ms -= 3600 * 1000; /* that was an hour ago */
	put_gang(f, "w1");
	served_turn_until(&f->served, &f->patches, 2);
	assert_string_equal(cluster_find(f->served.cluster, "w0")->told, "GangNeverFits");
	const int64_t started_ms = stint_monotonic_ms();
	stint_autofree char *json = cluster_pod_json("w1", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	cluster_remove(f->served.cluster, STINT_KIND_POD, json);
	cluster_cycle(f->served.cluster);
	stint_conditions_run(f->conditions);
	served_turn_until(&f->served, &f->patches, 3);
	assert_true(stint_monotonic_ms() - started_ms >= 1000);
	assert_string_equal(cluster_find(f->served.cluster, "w0")->told, "Incomplete");
}

static void put_told(struct fixture *f, const char *text)
{
	stint_autofree char *status = stint_format(
		"\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"%s\"}]", text);
	cluster_pod(f->served.cluster, "p", "", "GPU", status);
}

static void a_sentence_that_has_grown_old_is_written_again_without_an_event(void **state)
{
	struct fixture *f = *state;
	cluster_node(f->served.cluster, "n", 0, true);
	put_told(f, "NeverFits: as it was an hour ago");
	cluster_cycle(f->served.cluster);
	stint_conditions_run(f->conditions);
	assert_int_equal(f->patches, 0);
	served_turn_until(&f->served, &f->patches, 1);
	struct stint_explanation explanation;
	stint_explain(f->served.cluster->engine, cluster_find(f->served.cluster, "p"), &explanation);
	stint_autofree char *right = stint_format("%s: %s", explanation.word, explanation.sentence);
	stint_explanation_clear(&explanation);
	put_told(f, right);
	const int patches = f->patches;
	const int64_t end = stint_monotonic_ms() + 150;
	while (stint_monotonic_ms() < end)
		stint_loop_step(f->served.loop, 20);
	assert_int_equal(f->patches, patches);
	assert_int_equal(f->events, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_write_that_fails_is_tried_again_and_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reason_that_stays_is_not_written_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sentence_that_has_grown_old_is_written_again_without_an_event, setup_hasty, teardown),
		cmocka_unit_test_setup_teardown(that_a_gang_is_incomplete_is_told_when_it_lasts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gang_that_is_whole_in_a_moment_hears_its_verdict_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reason_that_comes_again_is_to_last_again, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
