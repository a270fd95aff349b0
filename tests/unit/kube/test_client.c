/* kube: requests against a server that misbehaves on demand. */
#include <stint/kube.h>

#include "tests/unit/kube/fake_server.h"

struct fixture {
	struct fake_api api;
	/* what on_data and on_done saw */
	bool done;
	int status, calls;
	struct stint_buf data;
	enum stint_code code;
	char message[256];
	struct stint_kube_call *call;
};

static void handle_nothing(struct fake_connection *connection, const struct fake_request *request)
{
	(void)request;
	fake_answer(connection, "200 OK", "", "{}");
}

static int set_up(void **state)
{
	struct fixture *f = stint_alloc(sizeof(*f));
	fake_api_open(&f->api, handle_nothing, f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	fake_api_close(&f->api);
	stint_buf_free(&f->data);
	free(f);
	return 0;
}

static bool take_data(void *user, const char *data, size_t length)
{
	struct fixture *f = user;
	stint_buf_add(&f->data, data, length);
	f->calls++;
	return true;
}

static void take_done(void *user, struct stint_kube_response *response)
{
	struct fixture *f = user;
	assert_false(f->done);
	f->done = true;
	f->status = response->status;
	f->code = response->error ? response->error->code : STINT_OK;
	snprintf(f->message, sizeof(f->message), "%s", response->error ? response->error->message : "");
	if (!response->error && response->body.data)
		stint_buf_add(&f->data, response->body.data, response->body.length);
}

static void start(struct fixture *f, const struct stint_kube_request *request)
{
	struct stint_kube_request copy = *request;
	copy.on_done = take_done;
	copy.user = f;
	f->done = false;
	stint_buf_reset(&f->data);
	f->call = stint_kube_call_start(f->api.kube, &copy);
	assert_false(f->done); /* never from within the start */
}

static void run(struct fixture *f, const struct stint_kube_request *request)
{
	start(f, request);
	run_until(f->api.loop, &f->done);
}

static void test_connections_are_used_again(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 5; i++)
		run(f, &(struct stint_kube_request){.path = "/version"});
	assert_int_equal(f->api.server.requests, 5);
	assert_int_equal(f->api.server.accepted, 1);
}

static void handle_echo(struct fake_connection *connection, const struct fake_request *request)
{
	stint_autofree char *type = fake_header(request, "Content-Type");
	stint_autofree char *agent = fake_header(request, "User-Agent");
	stint_autofree char *authorization = fake_header(request, "Authorization");
	stint_autofree char *expect = fake_header(request, "Expect");
	stint_autofree char *text = stint_format("{\"said\":\"%s %s|%s|%zu|%s\"}", request->method, request->target, type ? type : "none",
		request->body.length, expect || authorization ? "extra" : "");
	assert_true(stint_starts_with(agent, "stint/"));
	fake_answer(connection, "200 OK", "", text);
}

static void test_verbs_send_what_kubernetes_wants(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_echo;
	free(f->api.config->token);
	f->api.config->token = stint_strdup("secret"); /* and over plain http it must not show */
	stint_auto_json *object = stint_json_new_object();
	const struct stint_kube_write_options apply = {.field_manager = "me", .force = true, .dry_run = true};
	static const struct {
		const char *said;
	} wanted[] = {
		{"GET /api/v1/namespaces/n/pods/p|none|0|"},
		{"POST /api/v1/namespaces/n/pods?fieldManager=stint|application/json|2|"},
		{"PUT /apis/batch/v1/namespaces/n/jobs/j/status?fieldManager=stint|application/json|2|"},
		{"PATCH /api/v1/namespaces/n/pods/p?fieldManager=stint|application/merge-patch+json|2|"},
		{"PATCH /api/v1/namespaces/n/pods/p?fieldManager=me&dryRun=All&force=true|application/apply-patch+yaml|2|"},
		{"PATCH /api/v1/namespaces/n/pods/p?fieldManager=stint|application/json-patch+json|2|"},
	};
	const struct stint_kube_write_options status = {.subresource = "status"};
	struct stint_json *answers[] = {
		stint_kube_get(f->api.kube, &stint_kube_pods, "n", "p", NULL),
		stint_kube_create(f->api.kube, &stint_kube_pods, "n", NULL, object, NULL, NULL),
		stint_kube_replace(f->api.kube, &stint_kube_jobs, "n", "j", object, &status, NULL),
		stint_kube_patch(f->api.kube, &stint_kube_pods, "n", "p", STINT_KUBE_PATCH_MERGE, object, NULL, NULL),
		stint_kube_patch(f->api.kube, &stint_kube_pods, "n", "p", STINT_KUBE_PATCH_APPLY, object, &apply, NULL),
		stint_kube_patch(f->api.kube, &stint_kube_pods, "n", "p", STINT_KUBE_PATCH_JSON, object, NULL, NULL),
	};
	for (size_t i = 0; i < STINT_COUNT(answers); i++) {
		assert_non_null(answers[i]);
		assert_string_equal(stint_json_string_at(answers[i], "said"), wanted[i].said);
		stint_json_free(answers[i]);
	}
}

static void handle_delete(struct fake_connection *connection, const struct fake_request *request)
{
	assert_string_equal(request->method, "DELETE");
	assert_non_null(strstr(request->body.data, "\"propagationPolicy\":\"Background\""));
	assert_non_null(strstr(request->body.data, "\"gracePeriodSeconds\":0"));
	assert_non_null(strstr(request->body.data, "\"uid\":\"u-1\""));
	fake_answer(connection, "200 OK", "", "{}");
}

static void test_delete_says_background_grace_and_preconditions(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_delete;
	const struct stint_kube_delete_options options = {.has_grace = true, .uid = "u-1"};
	assert_works(stint_kube_delete(f->api.kube, &stint_kube_jobs, "n", "j", &options, &err));
}

static void handle_busy_then_fine(struct fake_connection *connection, const struct fake_request *request)
{
	if (request->number < 3)
		fake_answer(
			connection, request->number == 1 ? "429 Too Many Requests" : "503 Service Unavailable", "Retry-After: 0\r\n", "{}");
	else
		fake_answer(connection, "200 OK", "", "{\"ok\":1}");
}

static void test_a_busy_server_is_asked_again_for_a_read(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_busy_then_fine;
	run(f, &(struct stint_kube_request){.path = "/x"});
	assert_int_equal(f->code, STINT_OK);
	assert_int_equal(f->api.server.requests, 3);
	assert_string_equal(f->data.data, "{\"ok\":1}"); /* nothing of the refusals is left in it */
}

static void test_a_write_is_repeated_after_429_only(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_busy_then_fine;
	run(f, &(struct stint_kube_request){.method = "POST", .path = "/x", .body = "{}", .body_length = 2});
	assert_int_equal(f->api.server.requests, 2); /* 429, then the 503, which may have been processed */
	assert_int_equal(f->code, STINT_UNREACHABLE);
}

static void handle_budget(struct fake_connection *connection, const struct fake_request *request)
{
	(void)request;
	fake_answer(connection, "429 Too Many Requests", "Retry-After: 10\r\n",
		"{\"kind\":\"Status\",\"message\":\"Cannot evict pod as it would violate the pod's disruption "
		"budget.\",\"reason\":\"TooManyRequests\",\"code\":429}");
}

static void test_a_write_that_a_budget_refuses_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_budget;
	run(f,
		&(struct stint_kube_request){
			.method = "POST", .resource = &stint_kube_pods, .namespace_ = "n", .name = "p", .subresource = "eviction"});
	assert_int_equal(f->status, 429);
	assert_int_equal(f->api.server.requests, 1);
}

static void test_retry_after_beyond_the_deadline_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_budget;
	int64_t before_ms = stint_monotonic_ms();
	run(f, &(struct stint_kube_request){.path = "/x", .timeout_ms = 2000});
	assert_true(stint_monotonic_ms() - before_ms < 1000);
	assert_int_equal(f->status, 429);
}

static void handle_reset_twice(struct fake_connection *connection, const struct fake_request *request)
{
	if (request->number <= 2) {
		static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half";
		fake_send(connection, half, sizeof(half) - 1);
		fake_reset(connection);
	} else
		fake_answer(connection, "200 OK", "", "{\"whole\":1}");
}

static void test_a_lost_connection_repeats_a_read_but_never_a_write(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_reset_twice;
	run(f, &(struct stint_kube_request){.path = "/x"});
	assert_int_equal(f->code, STINT_OK);
	assert_string_equal(f->data.data, "{\"whole\":1}");
	assert_int_equal(f->api.server.requests, 3);
	f->api.server.requests = 0;
	run(f, &(struct stint_kube_request){.method = "POST", .path = "/x", .body = "{}", .body_length = 2});
	assert_int_equal(f->code, STINT_UNREACHABLE);
	assert_int_equal(f->api.server.requests, 1);
}

static void handle_break_off_the_second(struct fake_connection *connection, const struct fake_request *request)
{
	if (request->number == 2)
		fake_hang_up(connection);
	else
		fake_answer(connection, "200 OK", "", "{}");
}

/* The connection has been used before, so its end may mean that it was idle for too long, or that the server died over the request. */
static void test_a_write_without_an_answer_is_not_sent_again_on_a_fresh_connection(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_break_off_the_second;
	run(f, &(struct stint_kube_request){.path = "/x"});
	run(f, &(struct stint_kube_request){.method = "POST", .path = "/x", .body = "{}", .body_length = 2});
	assert_int_equal(f->code, STINT_UNREACHABLE);
	assert_int_equal(f->api.server.requests, 2);
	f->api.server.requests = 1;
	run(f, &(struct stint_kube_request){.path = "/x"});
	assert_int_equal(f->code, STINT_OK);
	assert_int_equal(f->api.server.requests, 2 + 1);
}

static void test_a_stream_is_not_repeated_once_bytes_were_handed_over(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_reset_twice;
	run(f, &(struct stint_kube_request){.path = "/x", .on_data = take_data});
	assert_int_equal(f->api.server.requests, 1);
	assert_int_equal(f->code, STINT_UNREACHABLE);
	assert_string_equal(f->data.data, "{\"half");
}

static void handle_cut_everywhere(struct fake_connection *connection, const struct fake_request *request)
{
	static const char whole[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
	fake_send(connection, whole, (size_t)request->number);
	if ((size_t)request->number < sizeof(whole) - 1)
		fake_hang_up(connection);
}

static void test_an_answer_cut_at_any_byte_is_an_error(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_cut_everywhere;
	bool whole = false;
	while (!whole) {
		run(f, &(struct stint_kube_request){.path = "/x", .retry = STINT_KUBE_RETRY_NEVER});
		whole = f->code == STINT_OK;
		assert_true(whole || f->code == STINT_UNREACHABLE);
		assert_true(f->api.server.requests < 100);
	}
	assert_string_equal(f->data.data, "hello");
	/* The two bytes after the last chunk's line are a trailer's end: all before them is a cut. */
	assert_true(f->api.server.requests >= (int)strlen("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"));
}

static void handle_trailer(struct fake_connection *connection, const struct fake_request *request)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: end\r\n\r\n";
	(void)request;
	fake_send(connection, text, sizeof(text) - 1);
}

static void test_a_trailer_belongs_to_a_whole_answer(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_trailer;
	run(f, &(struct stint_kube_request){.path = "/x"});
	assert_int_equal(f->code, STINT_OK);
	assert_string_equal(f->data.data, "hello");
	assert_int_equal(f->api.server.requests, 1);
}

static void handle_silence(struct fake_connection *connection, const struct fake_request *request)
{
	if (strcmp(request->target, "/stream") == 0) {
		static const char head[] = "HTTP/1.1 200 OK\r\n\r\nfirst\n";
		fake_send(connection, head, sizeof(head) - 1);
	}
}

static void test_a_silent_server_times_out(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_silence;
	run(f, &(struct stint_kube_request){.path = "/x", .timeout_ms = 60});
	assert_int_equal(f->code, STINT_TIMEOUT);
	assert_non_null(strstr(f->message, "did not answer within 0.0 s"));
	run(f, &(struct stint_kube_request){.path = "/stream", .timeout_ms = -1, .idle_timeout_ms = 60, .on_data = take_data});
	assert_int_equal(f->code, STINT_TIMEOUT);
	assert_non_null(strstr(f->message, "was silent"));
	assert_string_equal(f->data.data, "first\n");
}

static void test_a_dead_server_is_unreachable(void **state)
{
	struct fixture *f = *state;
	fake_stop(&f->api.server);
	run(f, &(struct stint_kube_request){.path = "/x"});
	assert_int_equal(f->code, STINT_UNREACHABLE);
	assert_non_null(strstr(f->message, f->api.config->server));
	fake_start(&f->api.server, f->api.loop, handle_nothing, f);
}

static void handle_big(struct fake_connection *connection, const struct fake_request *request)
{
	struct stint_buf body = {0};
	for (int i = 0; i < 100000; i++)
		stint_buf_printf(&body, "%09d\n", i);
	fake_answer(connection, strstr(request->target, "error") ? "500 Internal Server Error" : "200 OK", "", body.data);
	stint_buf_free(&body);
}

static void test_a_gathered_body_is_bounded(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_big;
	run(f, &(struct stint_kube_request){.path = "/x", .max_body_bytes = 1000});
	assert_int_equal(f->code, STINT_FAILED);
	assert_non_null(strstr(f->message, "larger than 1000 bytes"));
	run(f, &(struct stint_kube_request){.path = "/error", .max_body_bytes = 1000});
	assert_int_equal(f->status, 500);
	run(f, &(struct stint_kube_request){.path = "/x"});
	assert_int_equal(f->data.length, 1000000);
}

static bool cancel_itself(void *user, const char *data, size_t length)
{
	(void)data;
	(void)length;
	struct fixture *f = user;
	f->calls++;
	stint_kube_call_cancel(f->call);
	return true;
}

static void test_a_call_may_be_cancelled_from_its_own_data(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_big;
	start(f, &(struct stint_kube_request){.path = "/x", .on_data = cancel_itself});
	bool second = false;
	while (f->calls == 0 && !f->done)
		stint_loop_step(f->api.loop, 50);
	for (int i = 0; i < 20; i++)
		stint_loop_step(f->api.loop, 1);
	assert_int_equal(f->calls, 1);
	assert_false(f->done || second);
	run(f, &(struct stint_kube_request){.path = "/y"}); /* the client goes on */
	assert_int_equal(f->code, STINT_OK);
}

static bool refuse_data(void *user, const char *data, size_t length)
{
	(void)user;
	(void)data;
	(void)length;
	return false;
}

static void test_a_consumer_that_cannot_go_on_ends_the_call(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_big;
	run(f, &(struct stint_kube_request){.path = "/x", .on_data = refuse_data});
	assert_int_equal(f->code, STINT_FAILED);
	assert_int_equal(f->api.server.requests, 1);
}

static void test_a_client_may_be_freed_with_calls_under_way(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_silence;
	for (int i = 0; i < 5; i++)
		start(f, &(struct stint_kube_request){.path = "/x"});
	stint_loop_step(f->api.loop, 10);
	start(f, &(struct stint_kube_request){.path = "/x"});
	stint_kube_free(f->api.kube);
	assert_false(f->done);
	f->api.kube = stint_kube_new(f->api.loop, f->api.config, NULL, NULL);
}

static void handle_pages(struct fake_connection *connection, const struct fake_request *request)
{
	struct fixture *f = connection->server->user;
	bool expired = f->calls > 0 && strstr(request->target, "continue=");
	if (expired) {
		fake_answer(
			connection, "410 Gone", "", "{\"kind\":\"Status\",\"message\":\"too old\",\"reason\":\"Expired\",\"code\":410}");
	} else if (strstr(request->target, "continue=a%2Fb"))
		fake_answer(connection, "200 OK", "",
			"{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"metadata\":{\"name\":\"three\"}}]}");
	else if (strstr(request->target, "limit="))
		fake_answer(connection, "200 OK", "",
			"{\"metadata\":{\"continue\":\"a/"
			"b\"},\"items\":[{\"metadata\":{\"name\":\"one\"}},{\"metadata\":{\"name\":\"two\"}}]}");
	else
		fake_answer(connection, "200 OK", "",
			"{\"items\":[{\"metadata\":{\"name\":\"all\"}}],\"metadata\":{\"resourceVersion\":\"9\"}}");
}

static void test_a_list_follows_its_pages(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_pages;
	stint_auto_json *list = NULL;
	assert_works(list = stint_kube_list(f->api.kube, &stint_kube_pods, "n", NULL, &err));
	stint_autofree char *text = stint_json_print(list);
	assert_string_equal(text,
		"{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":["
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"one\"}},{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
		"\"metadata\":{\"name\":\"two\"}},"
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"three\"}}]}");
}

static void test_a_list_whose_pages_expire_starts_over_without_doubles(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_pages;
	f->calls = 1;
	stint_auto_json *list = NULL;
	assert_works(list = stint_kube_list(f->api.kube, &stint_kube_pods, "n", NULL, &err));
	assert_int_equal(stint_json_count(stint_json_get(list, "items")), 1);
	assert_string_equal(stint_json_string_at(stint_json_first(stint_json_get(list, "items")), "metadata", "name"), "all");
}

static void handle_discovery(struct fake_connection *connection, const struct fake_request *request)
{
	assert_string_equal(request->target, "/apis/ray.io/v1");
	fake_answer(connection, "200 OK", "",
		"{\"resources\":[{\"name\":\"rayjobs/"
		"status\",\"kind\":\"RayJob\"},{\"name\":\"rayjobs\",\"kind\":\"RayJob\",\"namespaced\":true}]}");
}

static void test_unknown_kinds_are_discovered_once(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_discovery;
	for (int i = 0; i < 2; i++) {
		const struct stint_kube_resource *resource = NULL;
		assert_works(resource = stint_kube_discover(f->api.kube, "ray.io/v1", "RayJob", &err));
		assert_string_equal(resource->group, "ray.io");
		assert_string_equal(resource->version, "v1");
		assert_string_equal(resource->plural, "rayjobs");
		assert_string_equal(resource->kind, "RayJob");
		assert_true(resource->namespaced);
	}
	assert_int_equal(f->api.server.requests, 1);
	assert_fails(stint_kube_discover(f->api.kube, "ray.io/v1", "RayNothing", &err), STINT_NOT_FOUND, "knows no kind RayNothing");
}

static void count_done(void *user, struct stint_kube_response *response)
{
	struct fixture *f = user;
	f->calls += response->error == NULL;
}

static void test_a_burst_waits_in_order_and_endless_calls_do_not_count(void **state)
{
	enum { BURST = 300, WATCHES = 90 };
	struct fixture *f = *state;
	struct stint_kube_call *burst[BURST];
	f->api.server.handle = handle_silence; /* /stream is answered and goes on, the others hang */
	for (int i = 0; i < WATCHES; i++)
		stint_kube_call_start(f->api.kube,
			&(struct stint_kube_request){
				.path = "/stream", .timeout_ms = -1, .on_data = take_data, .on_done = count_done, .user = f});
	for (int i = 0; i < BURST; i++)
		burst[i] = stint_kube_call_start(f->api.kube, &(struct stint_kube_request){.path = "/x", .on_done = count_done, .user = f});
	int64_t until_ms = stint_monotonic_ms() + 300;
	while (stint_monotonic_ms() < until_ms)
		stint_loop_step(f->api.loop, 10);
	assert_int_equal(f->api.server.requests, WATCHES + 80);
	f->calls = 0;
	f->api.server.handle = handle_nothing;
	for (int i = 0; i < 80; i++) /* those that hang give their places to others */
		stint_kube_call_cancel(burst[i]);
	stint_kube_call_cancel(burst[200]); /* and one that waits goes */
	int64_t deadline_ms = stint_monotonic_ms() + 10000;
	while (f->calls < BURST - 81 && stint_monotonic_ms() < deadline_ms)
		stint_loop_step(f->api.loop, 10);
	assert_int_equal(f->calls, BURST - 81);
	assert_int_equal(f->api.server.requests, WATCHES + BURST - 1);
}

static void free_the_client(void *user, struct stint_kube_response *response)
{
	struct fixture *f = user;
	(void)response;
	f->calls++;
	stint_kube_free(stint_steal(&f->api.kube));
}

static bool free_the_client_at_data(void *user, const char *data, size_t length)
{
	(void)data;
	(void)length;
	free_the_client(user, NULL);
	return true;
}

static void test_a_client_may_be_freed_by_the_handlers_of_its_calls(void **state)
{
	struct fixture *f = *state;
	const struct {
		const char *path, *server;
		bool (*on_data)(void *user, const char *data, size_t length);
		int64_t timeout_ms;
	} rows[] = {
		{"/x", NULL, NULL, 0}, {"/x", NULL, free_the_client_at_data, 0}, {"/hangs", NULL, NULL, 50},
		{"/x", "http://127.0.0.1:1", NULL, 0}, {"/x", "ftp://127.0.0.1", NULL, 0}, /* fails before anything is sent */
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		f->api.server.handle = rows[i].timeout_ms ? handle_silence : handle_big;
		f->calls = 0;
		stint_auto_kube_config *config = stint_kube_config_new();
		config->server = stint_strdup(rows[i].server ? rows[i].server : f->api.config->server);
		stint_kube_free(f->api.kube);
		f->api.kube = stint_kube_new(f->api.loop, config, NULL, NULL);
		assert_non_null(f->api.kube);
		for (int j = 0; j < 5; j++) /* the others never hear of it */
			stint_kube_call_start(f->api.kube,
				&(struct stint_kube_request){.path = rows[i].path,
					.on_data = rows[i].on_data,
					.on_done = free_the_client,
					.timeout_ms = rows[i].timeout_ms,
					.user = f});
		const int64_t deadline_ms = stint_monotonic_ms() + 10000;
		while (f->api.kube && stint_monotonic_ms() < deadline_ms)
			stint_loop_step(f->api.loop, 10);
		for (int j = 0; j < 20; j++)
			stint_loop_step(f->api.loop, 1);
		assert_int_equal(f->calls, 1);
	}
}

/* A server that takes connections and breaks them off after a while: how many it has at once is counted. */
struct breaker {
	int listener;
	struct stint_watch_fd *watch;
	struct stint_timer *timer;
	int held[256];
	int count, most, accepted;
};

static void break_off(void *user)
{
	struct breaker *b = user;
	for (int i = 0; i < b->count; i++)
		close(b->held[i]);
	b->count = 0;
}

static void take_connection(void *user, int fd, int events)
{
	struct breaker *b = user;
	(void)events;
	const int taken = accept(fd, NULL, NULL);
	assert_true(taken >= 0 && b->count < (int)STINT_COUNT(b->held));
	b->held[b->count++] = taken;
	b->accepted++;
	if (b->count > b->most)
		b->most = b->count;
	if (!stint_timer_active(b->timer))
		stint_timer_set(b->timer, 10);
}

static void count_failure(void *user, struct stint_kube_response *response)
{
	struct fixture *f = user;
	f->calls += response->error != NULL;
}

static void test_a_server_that_cannot_be_connected_to_is_tried_by_one_call_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct breaker b = {.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	assert_int_equal(bind(b.listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(b.listener, 128), 0);
	assert_int_equal(getsockname(b.listener, (struct sockaddr *)&address, &length), 0);
	b.watch = stint_fd_watch(f->api.loop, b.listener, STINT_READ, take_connection, &b);
	b.timer = stint_timer_new(f->api.loop, break_off, &b);
	stint_auto_kube_config *config = stint_kube_config_new();
	config->server = stint_format("https://127.0.0.1:%u", ntohs(address.sin_port));
	stint_kube_free(f->api.kube);
	f->api.kube = stint_kube_new(f->api.loop, config, NULL, NULL);
	enum { CALLS = 30 };
	for (int i = 0; i < CALLS; i++)
		stint_kube_call_start(f->api.kube,
			&(struct stint_kube_request){.path = "/x", .retry = STINT_KUBE_RETRY_NEVER, .on_done = count_failure, .user = f});
	const int64_t deadline_ms = stint_monotonic_ms() + 10000;
	while (f->calls < CALLS && stint_monotonic_ms() < deadline_ms)
		stint_loop_step(f->api.loop, 10);
	assert_int_equal(f->calls, CALLS);
	assert_true(b.accepted > 1);
	assert_int_equal(b.most, 1);
	stint_kube_free(stint_steal(&f->api.kube));
	stint_fd_unwatch(b.watch);
	stint_timer_free(b.timer);
	break_off(&b);
	close(b.listener);
}

static void test_a_stopped_loop_interrupts_a_wait(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = handle_silence;
	stint_loop_stop(f->api.loop);
	assert_fails(stint_kube_get(f->api.kube, &stint_kube_pods, "n", "p", &err), STINT_INTERRUPTED, "interrupted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connections_are_used_again),
		TEST(test_verbs_send_what_kubernetes_wants),
		TEST(test_delete_says_background_grace_and_preconditions),
		TEST(test_a_busy_server_is_asked_again_for_a_read),
		TEST(test_a_write_is_repeated_after_429_only),
		TEST(test_a_write_that_a_budget_refuses_is_told_at_once),
		TEST(test_retry_after_beyond_the_deadline_is_not_waited_for),
		TEST(test_a_lost_connection_repeats_a_read_but_never_a_write),
		TEST(test_a_write_without_an_answer_is_not_sent_again_on_a_fresh_connection),
		TEST(test_a_stream_is_not_repeated_once_bytes_were_handed_over),
		TEST(test_an_answer_cut_at_any_byte_is_an_error),
		TEST(test_a_trailer_belongs_to_a_whole_answer),
		TEST(test_a_silent_server_times_out),
		TEST(test_a_dead_server_is_unreachable),
		TEST(test_a_gathered_body_is_bounded),
		TEST(test_a_call_may_be_cancelled_from_its_own_data),
		TEST(test_a_consumer_that_cannot_go_on_ends_the_call),
		TEST(test_a_client_may_be_freed_with_calls_under_way),
		TEST(test_a_list_follows_its_pages),
		TEST(test_a_list_whose_pages_expire_starts_over_without_doubles),
		TEST(test_unknown_kinds_are_discovered_once),
		TEST(test_a_burst_waits_in_order_and_endless_calls_do_not_count),
		TEST(test_a_client_may_be_freed_by_the_handlers_of_its_calls),
		TEST(test_a_server_that_cannot_be_connected_to_is_tried_by_one_call_at_a_time),
		TEST(test_a_stopped_loop_interrupts_a_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
