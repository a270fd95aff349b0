/* The label of pods that a scheduler of one pool has bound, against a server that a test plays: nothing waits for it, and nobody nags. */
#include <scheduler/placer.h>

#include "served.h"

struct fixture {
	struct served served;
	struct stint_metrics *metrics;
	struct stint_logger logger;
	struct stint_placer *placer;
	int binds, labels, placed, placed_at_label, told;
	bool refuse; /* labels */
	bool lease_ends; /* with the first bind */
	char path[256], body[256], words[1024];
};

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	static const char no[] =
		"{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"message\":\"not you\",\"code\":403}";
	const bool bind = strstr(stint_httpd_path(request), "/binding");
	const bool refused = !bind && f->refuse;
	const struct stint_httpd_response answer = {refused ? 403 : 201, "application/json", NULL};
	if (bind) {
		f->binds++;
	} else {
		const struct stint_slice body = stint_httpd_body(request);
		snprintf(f->path, sizeof(f->path), "%s", stint_httpd_path(request));
		snprintf(f->body, sizeof(f->body), "%.*s", (int)body.length, body.data);
		f->labels++;
		f->placed_at_label = f->placed;
	}
	stint_httpd_reply(request, &answer, refused ? no : "{}", refused ? sizeof(no) - 1 : 2);
}

static void on_log(void *user, enum stint_log_level level, const char *message)
{
	struct fixture *f = user;
	f->told += level == STINT_LOG_WARN;
	snprintf(f->words, sizeof(f->words), "%s", message);
}

static int64_t write_until(void *user)
{
	const struct fixture *f = user;
	return f->lease_ends && f->binds > 0 ? 0 : INT64_MAX;
}

static void on_placed(void *user, struct stint_mirror_pod *pod, const char *node)
{
	(void)pod;
	(void)node;
	((struct fixture *)user)->placed++;
}

static void on_again(void *user, int64_t until_ms)
{
	(void)user;
	(void)until_ms;
}

static void on_idle(void *user)
{
	(void)user;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	served_open(&f->served, on_request, f);
	f->metrics = stint_metrics_new();
	f->logger = (struct stint_logger){on_log, f, STINT_LOG_WARN};
	f->placer = stint_placer_new(&(struct stint_placer_options){.kube = f->served.kube,
		.engine = f->served.cluster->engine,
		.mirror = f->served.cluster->mirror,
		.metrics = f->metrics,
		.logger = &f->logger,
		.in_flight_max = 1,
		.pool = "left",
		.write_until_ms = write_until,
		.placed = on_placed,
		.again = on_again,
		.idle = on_idle,
		.user = f});
	cluster_queue(f->served.cluster, "default", -1, -1);
	cluster_node(f->served.cluster, "node", 8, true);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	stint_placer_free(f->placer);
	stint_metrics_free(f->metrics);
	served_close(&f->served);
	free(f);
	return 0;
}

static void place(struct fixture *f, const char *name)
{
	const struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	const int wanted = f->placed + 1;
	cluster_pod(f->served.cluster, name, "", "GPU", "");
	stint_mirror_settle(f->served.cluster->mirror, stint_now_ms());
	const struct stint_cycle done = stint_engine_cycle(f->served.cluster->engine, &policy, stint_now_ms());
	assert_int_equal(done.count, 1);
	stint_placer_take(f->placer, done.decisions, done.count);
	served_turn_until(&f->served, &f->placed, wanted);
	assert_null(cluster_find(f->served.cluster, name)->bind);
}

/* All that is asked of the server is answered. */
static void drain(struct fixture *f)
{
	for (int i = 0; i < 10; i++)
		stint_loop_step(f->served.loop, 10);
}

static void test_a_bound_pod_counts_as_placed_before_its_label_is_written(void **state)
{
	struct fixture *f = *state;
	place(f, "a");
	served_turn_until(&f->served, &f->labels, 1);
	assert_int_equal(f->placed_at_label, 1);
	assert_string_equal(f->path, "/api/v1/namespaces/default/pods/a");
	assert_non_null(strstr(f->body, "\"labels\":{\"kai.scheduler/node-pool\":\"left\"}"));
	assert_int_equal(f->told, 0);
}

static void test_a_refused_label_is_told_once_and_not_asked_for_again_at_once(void **state)
{
	struct fixture *f = *state;
	f->refuse = true;
	place(f, "a");
	served_turn_until(&f->served, &f->told, 1);
	assert_non_null(strstr(f->words, "pod default/a was bound, but could not be given label kai.scheduler/node-pool=left: "));
	place(f, "b");
	drain(f);
	assert_int_equal(f->binds, 2);
	assert_int_equal(f->labels, 1);
	assert_int_equal(f->told, 1);
}

static void test_no_label_is_written_when_the_lease_may_have_gone(void **state)
{
	struct fixture *f = *state;
	f->lease_ends = true;
	place(f, "a");
	drain(f);
	assert_int_equal(f->binds, 1);
	assert_int_equal(f->labels, 0);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(test_a_bound_pod_counts_as_placed_before_its_label_is_written),
		SERVED(test_a_refused_label_is_told_once_and_not_asked_for_again_at_once),
		SERVED(test_no_label_is_written_when_the_lease_may_have_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
