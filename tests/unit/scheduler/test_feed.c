/* What the feed promises of owners that are custom resources, against an API server that a test plays: their definitions come and go. */
#include <scheduler/feed.h>

#include "served.h"

#define DEFINITION(uid) "{\"metadata\":{\"name\":\"pytorchjobs.kubeflow.org\",\"uid\":\"" uid "\",\"resourceVersion\":\"" uid "\"}}"

struct fixture {
	struct served served;
	struct stint_feed *feed;
	struct stint_metrics *metrics;
	const char *definitions; /* items of their list */
	struct stint_httpd_request *watch; /* of the definitions, under way */
	struct stint_httpd_request *jobs; /* a list of jobs that is to be answered */
	int watches, asked, synced;
	bool closing; /* whoever comes now must not be left without an answer */
};

static void answer(struct stint_httpd_request *request, const char *items)
{
	stint_autofree char *body = stint_format("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[%s]}", items);
	stint_httpd_reply(request, &(struct stint_httpd_response){200, "application/json", NULL}, body, strlen(body));
}

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	const char *path = stint_httpd_path(request);
	const bool watches = stint_httpd_query(request, "watch"), definitions = strstr(path, "/customresourcedefinitions");
	if (f->closing) {
		stint_httpd_reply_text(request, 503, "bye");
	} else if (watches && definitions) {
		f->watch = request;
		f->watches++;
	} else if (!watches && strstr(path, "/pytorchjobs")) {
		f->jobs = request;
		f->asked++;
	} else if (!watches) {
		answer(request, definitions ? f->definitions : "");
	}
}

static void on_synced(void *user)
{
	((struct fixture *)user)->synced++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	served_open(&f->served, on_request, f);
	struct cluster *c = f->served.cluster;
	f->definitions = DEFINITION("d1");
	f->metrics = stint_metrics_new();
	f->feed = stint_feed_new(&(struct stint_feed_options){
		.kube = f->served.kube, .model = c->model, .mirror = c->mirror, .metrics = f->metrics, .synced = on_synced, .user = f});
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	cluster_pod(c, "worker-0",
		"\"ownerReferences\":[{\"apiVersion\":\"kubeflow.org/v1\",\"kind\":\"PyTorchJob\",\"name\":\"big\",\"uid\":\"o1\"}]", "GPU",
		"");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	f->closing = true;
	stint_feed_free(f->feed);
	stint_metrics_free(f->metrics);
	served_close(&f->served);
	free(f);
	return 0;
}

/* The server has no such kind, and by itself the feed asks again in an hour. */
static void refuse(struct fixture *f)
{
	static const char *const headers[] = {"Retry-After", "3600", NULL};
	stint_httpd_reply(f->jobs, &(struct stint_httpd_response){404, "text/plain", headers}, "no", 2);
	served_turn_until(&f->served, &f->synced, 1);
}

static bool waits_for_its_job(struct cluster *c)
{
	stint_mirror_settle(c->mirror, 1000);
	return cluster_find(c, "worker-0")->hold == STINT_HOLD_OWNER;
}

static void pods_wait_for_their_job_as_soon_as_there_is_a_definition(void **state)
{
	struct fixture *f = *state;
	served_turn_until(&f->served, &f->asked, 1);
	assert_true(waits_for_its_job(f->served.cluster));
	refuse(f);
	assert_false(waits_for_its_job(f->served.cluster));
}

static void a_definition_that_is_made_again_is_asked_about_at_once(void **state)
{
	struct fixture *f = *state;
	served_turn_until(&f->served, &f->asked, 1);
	served_turn_until(&f->served, &f->watches, 1);
	refuse(f);
	static const char news[] = "{\"type\":\"ADDED\",\"object\":" DEFINITION("d2") "}\n";
	stint_httpd_reply(f->watch, &(struct stint_httpd_response){200, "application/json", NULL}, news, strlen(news));
	served_turn_until(&f->served, &f->asked, 2);
	assert_true(waits_for_its_job(f->served.cluster));
	answer(f->jobs, "{\"metadata\":{\"namespace\":\"default\",\"name\":\"big\",\"uid\":\"o1\",\"resourceVersion\":\"1\"},\"spec\":{}}");
	const struct stint_catalog *catalog = stint_mirror_catalog(f->served.cluster->mirror);
	const int64_t deadline_ms = stint_monotonic_ms() + DEADLINE_MS;
	while (!stint_catalog_owner(catalog, "o1") && stint_monotonic_ms() < deadline_ms)
		stint_loop_step(f->served.loop, 50);
	assert_false(waits_for_its_job(f->served.cluster));
}

#define PLAYED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAYED(pods_wait_for_their_job_as_soon_as_there_is_a_definition),
		PLAYED(a_definition_that_is_made_again_is_asked_about_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
