/* What becomes of a gang when the API server refuses one of its members, against a server that a test plays. */
#include <scheduler/placer.h>

#include "served.h"

enum { MEMBERS = 3 };

struct fixture {
	struct served served;
	struct stint_metrics *metrics;
	struct stint_logger logger;
	struct stint_placer *placer;
	int binds, placed, again;
	int64_t until_ms; /* of the last `again` */
	const char *refuse; /* the pod that the server does not bind */
};

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	static const char no[] = "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"message\":\"no\",\"code\":403}";
	const bool refused = f->refuse && strstr(stint_httpd_path(request), f->refuse);
	const struct stint_httpd_response answer = {refused ? 403 : 201, "application/json", NULL};
	f->binds++;
	stint_httpd_reply(request, &answer, refused ? no : "{}", refused ? sizeof(no) - 1 : 2);
}

static int64_t always(void *user)
{
	(void)user;
	return INT64_MAX;
}

static void on_placed(void *user, struct stint_mirror_pod *pod, const char *node)
{
	(void)pod;
	(void)node;
	((struct fixture *)user)->placed++;
}

static void on_again(void *user, int64_t until_ms)
{
	struct fixture *f = user;
	f->again++;
	f->until_ms = until_ms;
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
	f->placer = stint_placer_new(&(struct stint_placer_options){.kube = f->served.kube,
		.engine = f->served.cluster->engine,
		.mirror = f->served.cluster->mirror,
		.metrics = f->metrics,
		.logger = &f->logger,
		.in_flight_max = 8,
		.write_until_ms = always,
		.placed = on_placed,
		.again = on_again,
		.idle = on_idle,
		.user = f});
	cluster_queue(f->served.cluster, "default", -1, -1);
	cluster_node(f->served.cluster, "node", MEMBERS, true);
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

/* One cycle at that wall time, and its binds as far as they come; how many were decided. */
static size_t cycle(struct fixture *f, int64_t now_ms)
{
	const struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	stint_mirror_settle(f->served.cluster->mirror, now_ms);
	const struct stint_cycle done = stint_engine_cycle(f->served.cluster->engine, &policy, now_ms);
	const size_t count = done.count;
	stint_placer_take(f->placer, done.decisions, done.count);
	for (int64_t until = stint_monotonic_ms() + DEADLINE_MS; stint_placer_pending(f->placer) && stint_monotonic_ms() < until;)
		stint_loop_step(f->served.loop, 50);
	assert_int_equal(stint_placer_pending(f->placer), 0);
	return count;
}

static bool waits(struct fixture *f, const char *name)
{
	struct stint_pod_view view;
	assert_true(stint_engine_pod_view(f->served.cluster->engine, cluster_find(f->served.cluster, name)->handle, &view));
	return view.node == STINT_NO_HANDLE;
}

/* The server refuses one member, and a pod that would take its device waits in the same queue. */
static void refuse_a_member(struct fixture *f)
{
	cluster_put(f->served.cluster, STINT_KIND_POD_GROUP, NULL, NULL,
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"gang\",\"uid\":\"g\"},\"spec\":{\"minMember\":3}}");
	for (const char *const *name = (const char *const[]){"gang-0", "gang-1", "gang-2", NULL}; *name; name++)
		cluster_pod(f->served.cluster, *name, "\"annotations\":{\"pod-group-name\":\"gang\"}", "GPU", "");
	f->refuse = "gang-1";
	assert_int_equal(cycle(f, stint_now_ms()), MEMBERS);
	assert_int_equal(f->placed, MEMBERS - 1);
	cluster_pod(f->served.cluster, "rival", "", "GPU", "");
}

static void test_a_member_that_was_refused_is_tried_first_and_its_gang_keeps_its_place(void **state)
{
	struct fixture *f = *state;
	refuse_a_member(f);
	assert_int_equal(f->again, 1);
	assert_int_equal(f->until_ms, 0); /* the next cycle is due at once */
	assert_true(waits(f, "gang-1"));
	f->refuse = NULL;
	assert_int_equal(cycle(f, stint_now_ms()), 1);
	assert_false(waits(f, "gang-1"));
	assert_true(waits(f, "rival"));
	assert_int_equal(f->placed, MEMBERS);
}

static void test_a_member_that_is_refused_again_waits_and_those_bound_stay(void **state)
{
	struct fixture *f = *state;
	refuse_a_member(f);
	const int64_t now_ms = stint_now_ms();
	assert_int_equal(cycle(f, now_ms), 1);
	assert_true(f->until_ms > now_ms);
	assert_false(waits(f, "gang-0"));
	assert_int_equal(cycle(f, now_ms), 1); /* meanwhile the device is not left idle */
	assert_false(waits(f, "rival"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_member_that_was_refused_is_tried_first_and_its_gang_keeps_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_member_that_is_refused_again_waits_and_those_bound_stay, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
