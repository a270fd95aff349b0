/* What the evictor promises about the order of its writes and about what becomes of a refusal, against a server that a test plays. */
#include <scheduler/evictor.h>

#include "served.h"

struct fixture {
	struct served served;
	struct stint_metrics *metrics;
	struct stint_logger logger;
	struct stint_evictor *evictor;
	struct stint_buf log; /* "C" condition, "E" eviction, "D" deletion, "R" the pod read, "+" told of, "." idle */
	int requests, evicted, again, idle;
	int condition_status, eviction_status;
	const char *pod; /* what a read of it brings */
	bool voids; /* who binds gives up what is not sent */
	bool silent; /* the server does not answer */
	struct stint_httpd_request *held;
};

static void answer(struct stint_httpd_request *request, int status)
{
	const struct stint_httpd_response response = {status, "application/json", NULL};
	stint_autofree char *body = stint_format(
		"{\"kind\":\"Status\",\"status\":\"%s\",\"message\":\"no\",\"code\":%d}", status < 300 ? "Success" : "Failure", status);
	stint_httpd_reply(request, &response, body, strlen(body));
}

static const struct {
	const char *method, *path;
	char letter;
} requests[] = {
	{"PATCH", "/api/v1/namespaces/default/pods/victim/status", 'C'},
	{"POST", "/api/v1/namespaces/default/pods/victim/eviction", 'E'},
	{"DELETE", "/api/v1/namespaces/default/pods/victim", 'D'},
	{"GET", "/api/v1/namespaces/default/pods/victim", 'R'},
};

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	char letter = '?';
	for (size_t i = 0; i < STINT_COUNT(requests); i++) {
		if (strcmp(stint_httpd_method(request), requests[i].method) == 0 &&
			strcmp(stint_httpd_path(request), requests[i].path) == 0)
			letter = requests[i].letter;
	}
	stint_buf_add(&f->log, &letter, 1);
	f->requests++;
	if (f->silent)
		f->held = request;
	else if (letter == 'R')
		stint_httpd_reply(request, &(struct stint_httpd_response){200, "application/json", NULL}, f->pod, strlen(f->pod));
	else
		answer(request, letter == 'C' ? f->condition_status : f->eviction_status);
}

static int64_t always(void *user)
{
	(void)user;
	return INT64_MAX;
}

static void on_evicted(void *user, struct stint_mirror_pod *pod, const struct stint_eviction *eviction)
{
	struct fixture *f = user;
	assert_string_equal(pod->pod->meta.name, "victim");
	assert_string_equal(eviction->reason, "Preempted");
	assert_true(stint_starts_with(eviction->sentence, "workload urgent has a higher priority; lost: 1 GPU after "));
	assert_true(eviction->gpus == 1);
	assert_true(eviction->ran_ms >= 3600 * 1000 && eviction->ran_ms <= stint_now_ms());
	stint_buf_add(&f->log, "+", 1);
	f->evicted++;
}

static bool on_void_bind(void *user, const struct stint_mirror_pod *pod)
{
	assert_non_null(pod->bind);
	return ((struct fixture *)user)->voids;
}

static void on_again(void *user)
{
	((struct fixture *)user)->again++;
}

static void on_idle(void *user)
{
	struct fixture *f = user;
	stint_buf_add(&f->log, ".", 1);
	f->idle++;
}

static void begin(struct fixture *f, bool direct)
{
	*f = (struct fixture){.condition_status = 200, .eviction_status = 201};
	served_open(&f->served, on_request, f);
	f->metrics = stint_metrics_new();
	f->evictor = stint_evictor_new(&(struct stint_evictor_options){.kube = f->served.kube,
		.engine = f->served.cluster->engine,
		.mirror = f->served.cluster->mirror,
		.metrics = f->metrics,
		.logger = &f->logger,
		.in_flight_max = 8,
		.direct = direct,
		.write_until_ms = always,
		.void_bind = on_void_bind,
		.evicted = on_evicted,
		.again = on_again,
		.idle = on_idle,
		.user = f});
}

static void finish(struct fixture *f)
{
	stint_evictor_free(f->evictor);
	stint_metrics_free(f->metrics);
	served_close(&f->served);
	stint_buf_free(&f->log);
}

static void assert_log(const struct fixture *f, const char *wanted)
{
	assert_string_equal(f->log.data ? f->log.data : "", wanted);
}

static struct stint_cycle cycle(struct fixture *f, int64_t now_ms)
{
	struct stint_policy policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	stint_policy_evict(&policy);
	return stint_engine_cycle(f->served.cluster->engine, &policy, now_ms);
}

/* One node with one device, which the victim has, and somebody of higher priority who is to get it. */
static void decide(struct fixture *f)
{
	struct cluster *c = f->served.cluster;
	cluster_queue(c, "default", -1, -1);
	cluster_node(c, "node", 1, true);
	cluster_put(c, STINT_KIND_PRIORITY_CLASS, NULL, NULL, "{\"metadata\":{\"name\":\"high\",\"uid\":\"c-high\"},\"value\":90}");
	stint_autofree char *victim = stint_format(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"victim\",\"uid\":\"p-victim\"},\"spec\":{\"schedulerName\":"
		"\"stint-scheduler\",\"nodeName\":\"node\",\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"limits\":"
		"{\"nvidia.com/gpu\":\"1\"},\"requests\":{\"nvidia.com/"
		"gpu\":\"1\"}}}]},\"status\":{\"phase\":\"Running\",\"startTime\":\"1970-01-01T00:00:01Z\"}}");
	cluster_put(c, STINT_KIND_POD, NULL, NULL, victim);
	cluster_pod(c, "urgent", "\"labels\":{\"priorityClassName\":\"high\"}", "GPU", "");
	stint_mirror_settle(c->mirror, 1000);
	const struct stint_cycle decided = cycle(f, 1000);
	stint_evictor_take(f->evictor, decided.decisions, decided.count);
	stint_evictor_take(f->evictor, decided.decisions, decided.count); /* what is under way is not begun again */
}

static enum stint_pod_status status_of_victim(const struct fixture *f)
{
	struct stint_pod_view view = {0};
	assert_true(stint_engine_pod_view(f->served.cluster->engine, cluster_find(f->served.cluster, "victim")->handle, &view));
	return view.status;
}

static size_t evictions_decided(struct fixture *f)
{
	const struct stint_cycle decided = cycle(f, 2000);
	size_t count = 0;
	for (size_t i = 0; i < decided.count; i++)
		count += decided.decisions[i].kind == STINT_DECIDE_EVICT;
	return count;
}

static void the_cause_stands_on_the_pod_before_it_is_evicted_and_is_told_after(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, false);
	decide(&f);
	served_turn_until(&f.served, &f.idle, 1);
	assert_log(&f, "CE+.");
	finish(&f);
}

static void a_pod_whose_bind_is_given_up_is_not_evicted(void **state)
{
	(void)state;
	for (int voids = 0; voids < 2; voids++) {
		struct fixture f;
		begin(&f, false);
		cluster_queue(f.served.cluster, "default", -1, -1);
		cluster_node(f.served.cluster, "node", 1, true);
		cluster_pod(f.served.cluster, "victim", "", "GPU", "");
		assert_int_equal(cluster_cycle(f.served.cluster), 1);
		struct stint_mirror_pod *pod = cluster_find(f.served.cluster, "victim");
		f.voids = voids;
		pod->bind = &f;
		stint_evictor_take(f.evictor, &(struct stint_decision){.kind = STINT_DECIDE_EVICT, .pod = pod->handle}, 1);
		assert_int_equal(pod->eviction == NULL, voids);
		pod->bind = NULL;
		stint_evictor_pod_gone(f.evictor, pod);
		finish(&f);
	}
}

static void who_may_not_write_the_cause_evicts_all_the_same(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, false);
	f.condition_status = 403;
	decide(&f);
	served_turn_until(&f.served, &f.idle, 1);
	assert_log(&f, "CE+.");
	finish(&f);
}

static void a_pod_that_is_not_there_any_more_is_not_evicted(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, false);
	f.condition_status = 404;
	decide(&f);
	served_turn_until(&f.served, &f.idle, 1);
	assert_log(&f, "C.");
	assert_int_equal(f.again, 0);
	assert_int_equal(status_of_victim(&f), STINT_POD_RELEASING); /* until the watch tells of its end */
	finish(&f);
}

static void where_the_operator_chose_so_the_pod_is_deleted(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, true);
	decide(&f);
	served_turn_until(&f.served, &f.idle, 1);
	assert_log(&f, "CD+.");
	finish(&f);
}

static void a_refusal_is_void_and_its_group_is_spared(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, false);
	f.eviction_status = 403;
	decide(&f);
	served_turn_until(&f.served, &f.idle, 1);
	assert_log(&f, "CE.");
	assert_int_equal(f.again, 1);
	assert_int_equal(status_of_victim(&f), STINT_POD_BOUND);
	assert_int_equal(evictions_decided(&f), 0);
	finish(&f);
}

static void a_budget_is_asked_again_without_writing_the_cause_again(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, false);
	f.eviction_status = 429;
	decide(&f);
	served_turn_until(&f.served, &f.idle, 1);
	assert_log(&f, "CE."); /* nothing is under way, so others may tell what they have to */
	f.eviction_status = 201;
	served_turn_until(&f.served, &f.idle, 2);
	assert_log(&f, "CE.E+.");
	assert_int_equal(f.again, 0);
	finish(&f);
}

static void a_pod_that_ends_before_the_answer_comes_is_told_of_once(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, false);
	decide(&f);
	while (f.requests < 1) /* the condition is answered, the eviction is not */
		stint_loop_step(f.served.loop, 50);
	f.silent = true;
	served_turn_until(&f.served, &f.requests, 2);
	stint_evictor_pod_gone(f.evictor, cluster_find(f.served.cluster, "victim"));
	assert_log(&f, "CE+");
	answer(f.held, 201);
	served_turn_until(&f.served, &f.idle, 1);
	assert_log(&f, "CE+.");
	finish(&f);
}

static void a_pod_that_ends_by_itself_before_it_is_evicted_is_not_told_of(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, false);
	f.silent = true;
	decide(&f);
	served_turn_until(&f.served, &f.requests, 1);
	stint_evictor_pod_gone(f.evictor, cluster_find(f.served.cluster, "victim"));
	assert_log(&f, "C");
	f.silent = false;
	answer(f.held, 404);
	served_turn_until(&f.served, &f.idle, 1);
	assert_log(&f, "C.");
	finish(&f);
}

static void a_conflict_is_settled_by_the_pod_itself(void **state)
{
	(void)state;
	static const struct {
		const char *pod, *log;
	} table[] = {
		{"{\"metadata\":{\"uid\":\"p-victim\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}", "CER+."},
		{"{\"metadata\":{\"uid\":\"p-victim\"}}", "CER."},
		{"{\"metadata\":{\"uid\":\"another\"}}", "CER."},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct fixture f;
		begin(&f, false);
		f.eviction_status = 409;
		f.pod = table[i].pod;
		decide(&f);
		served_turn_until(&f.served, &f.idle, 1);
		assert_log(&f, table[i].log);
		finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cause_stands_on_the_pod_before_it_is_evicted_and_is_told_after),
		cmocka_unit_test(a_pod_whose_bind_is_given_up_is_not_evicted),
		cmocka_unit_test(who_may_not_write_the_cause_evicts_all_the_same),
		cmocka_unit_test(a_pod_that_is_not_there_any_more_is_not_evicted),
		cmocka_unit_test(where_the_operator_chose_so_the_pod_is_deleted),
		cmocka_unit_test(a_refusal_is_void_and_its_group_is_spared),
		cmocka_unit_test(a_budget_is_asked_again_without_writing_the_cause_again),
		cmocka_unit_test(a_pod_that_ends_before_the_answer_comes_is_told_of_once),
		cmocka_unit_test(a_pod_that_ends_by_itself_before_it_is_evicted_is_not_told_of),
		cmocka_unit_test(a_conflict_is_settled_by_the_pod_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
