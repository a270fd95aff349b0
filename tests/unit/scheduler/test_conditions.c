/*
 * What conditions promise, against an API server that a test plays: one write and one event for each reason, however often the write fails.
 */
#include <scheduler/conditions.h>

#include <stint/httpd.h>

#include "cluster.h"
#include "core/kube/recorder.h"

enum { DEADLINE_MS = 10000 };

struct fixture {
	struct cluster *cluster;
	struct stint_loop *loop;
	struct stint_httpd *httpd;
	struct stint_kube_config *config;
	struct stint_kube *kube;
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

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *cluster = NULL;
	cluster_setup(&cluster);
	f->cluster = cluster;
	f->loop = stint_loop_new(NULL);
	f->httpd = stint_httpd_start(f->loop, &(struct stint_httpd_options){.on_request = on_request, .user = f}, NULL);
	f->config = stint_kube_config_new();
	f->config->server = stint_format("http://127.0.0.1:%d", stint_httpd_port(f->httpd));
	f->kube = stint_kube_new(f->loop, f->config, NULL, NULL);
	f->recorder = stint_recorder_new(f->kube, &(struct stint_recorder_options){.component = "stint-scheduler"});
	f->conditions = stint_conditions_new(&(struct stint_conditions_options){.kube = f->kube,
		.engine = f->cluster->engine,
		.mirror = f->cluster->mirror,
		.recorder = f->recorder,
		.may_write = always,
		.user = f});
	cluster_queue(f->cluster, "default", 8, -1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	stint_conditions_free(f->conditions);
	stint_recorder_free(f->recorder);
	stint_kube_free(f->kube);
	stint_httpd_stop(f->httpd);
	stint_kube_config_free(f->config);
	void *cluster = f->cluster;
	cluster_teardown(&cluster);
	stint_loop_free(f->loop);
	free(f);
	return 0;
}

static void turn_until(struct fixture *f, const int *counter, int wanted)
{
	const int64_t deadline = stint_monotonic_ms() + DEADLINE_MS;
	while (*counter < wanted && stint_monotonic_ms() < deadline)
		stint_loop_step(f->loop, 50);
	assert_true(*counter >= wanted);
}

static void a_write_that_fails_is_tried_again_and_told_once(void **state)
{
	struct fixture *f = *state;
	f->failures = 2;
	cluster_node(f->cluster, "n", 0, true);
	cluster_pod(f->cluster, "p", "", "GPU", "");
	cluster_cycle(f->cluster);
	stint_conditions_run(f->conditions);
	turn_until(f, &f->patches, 1);
	assert_int_equal(f->events, 0);
	turn_until(f, &f->patches, 3);
	turn_until(f, &f->events, 1);
	while (!recorder_idle(f->recorder))
		stint_loop_step(f->loop, 50);
	assert_int_equal(f->patches, 3);
	assert_int_equal(f->events, 1);
	assert_string_equal(cluster_find(f->cluster, "p")->told, "NeverFits");
}

static void a_reason_that_stays_is_not_written_again(void **state)
{
	struct fixture *f = *state;
	cluster_pod(f->cluster, "p", "", "GPU", "");
	cluster_cycle(f->cluster);
	stint_conditions_run(f->conditions);
	turn_until(f, &f->events, 1);
	stint_mirror_mark_group(f->cluster->mirror, cluster_find(f->cluster, "p")->group);
	stint_conditions_run(f->conditions);
	const int64_t end = stint_monotonic_ms() + 200;
	while (stint_monotonic_ms() < end)
		stint_loop_step(f->loop, 20);
	assert_int_equal(f->patches, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_write_that_fails_is_tried_again_and_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reason_that_stays_is_not_written_again, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
