/* The recorder of Events: what is merged, combined and kept back, on a clock of the test's own; and what reaches a server that fails. */
#include "tests/unit/kube/peer.h"

#include "core/kube/events_series.h"
#include "core/kube/recorder.h"

static const struct stint_kube_about about_pod = {
	.api_version = "v1", .kind = "Pod", .namespace_ = "vision", .name = "train-0", .uid = "u-1"};

struct outcome {
	bool merged, limited;
};

static struct event_series *add(
	struct event_series_set *set, const char *name, const char *message, int64_t now_ms, struct outcome *outcome)
{
	struct stint_kube_about about = about_pod;
	about.name = name;
	return event_series_add(
		set, &about, "Warning", "Unschedulable", message, NULL, now_ms, now_ms, &outcome->merged, &outcome->limited);
}

static void an_equal_event_is_counted_and_not_made_again(void **state)
{
	struct event_series_set set;
	struct outcome outcome;
	(void)state;
	event_series_init(&set);
	struct event_series *first = add(&set, "a", "no room", 1000, &outcome);
	assert_false(outcome.merged);
	struct event_series *again = add(&set, "a", "no room", 5000, &outcome);
	assert_ptr_equal(first, again);
	assert_true(outcome.merged);
	assert_int_equal(again->count, 2);
	assert_int_equal(again->first_ms, 1000);
	assert_int_equal(again->last_ms, 5000);
	assert_ptr_not_equal(add(&set, "b", "no room", 5000, &outcome), first);
	event_series_free(&set);
}

static void many_similar_events_become_one(void **state)
{
	struct event_series_set set;
	struct outcome outcome;
	char message[32];
	struct event_series *series = NULL;
	(void)state;
	event_series_init(&set);
	for (int i = 0; i < 12; i++) {
		snprintf(message, sizeof(message), "attempt %d", i);
		series = add(&set, "a", message, 1000 + i, &outcome);
		assert_int_equal(stint_starts_with(series->message, "(combined from similar events): "), i >= 10);
	}
	assert_true(outcome.merged);
	assert_int_equal(series->count, 2);
	assert_string_equal(series->message, "(combined from similar events): attempt 11");
	/* Once ten minutes have passed in silence each is itself again. */
	series = add(&set, "a", "attempt 12", 1011 + SIMILAR_WINDOW_MS + 1, &outcome);
	assert_string_equal(series->message, "attempt 12");
	event_series_free(&set);
}

static void an_object_that_shouts_is_kept_back_and_others_are_not(void **state)
{
	struct event_series_set set;
	struct outcome outcome;
	int written = 0;
	(void)state;
	event_series_init(&set);
	for (int i = 0; i < 100; i++) {
		add(&set, "loud", "again", 1000, &outcome);
		written += !outcome.limited;
	}
	assert_int_equal(written, BUCKET_SIZE);
	add(&set, "quiet", "once", 1000, &outcome);
	assert_false(outcome.limited);
	add(&set, "loud", "again", 1000 + BUCKET_REFILL_MS - 1, &outcome);
	assert_true(outcome.limited);
	struct event_series *series = add(&set, "loud", "again", 1000 + BUCKET_REFILL_MS, &outcome);
	assert_false(outcome.limited);
	assert_int_equal(series->count, 102); /* what was kept back counts */
	event_series_free(&set);
}

static void a_long_message_is_cut_between_characters(void **state)
{
	struct event_series_set set;
	struct outcome outcome;
	char message[2000];
	(void)state;
	event_series_init(&set);
	memset(message, 'x', sizeof(message));
	memcpy(message + MESSAGE_MAX_BYTES - 1, "\xc3\xa9", 2);
	message[sizeof(message) - 1] = '\0';
	assert_int_equal(strlen(add(&set, "a", message, 0, &outcome)->message), MESSAGE_MAX_BYTES - 1);
	event_series_free(&set);
}

static void the_tables_are_bounded_and_keep_what_is_pinned(void **state)
{
	struct event_series_set set;
	struct outcome outcome;
	char name[32];
	(void)state;
	event_series_init(&set);
	struct event_series *pinned = add(&set, "first", "m", 0, &outcome);
	pinned->entry.pinned = true;
	for (int i = 0; i < SERIES_MAX + 100; i++) {
		snprintf(name, sizeof(name), "pod-%d", i);
		add(&set, name, "m", 0, &outcome);
	}
	assert_in_range(stint_map_count(set.series.map), SERIES_MAX - 1, SERIES_MAX + 1);
	assert_ptr_equal(add(&set, "first", "m", 0, &outcome), pinned);
	event_series_free(&set);
}

/* ---- against a server ------------------------------------------------------------------------------------------------------------------ */

struct server {
	struct peer peer;
	struct stint_recorder *recorder;
	int posts, patches;
	int status; /* of the next answers */
	char last_body[4096];
	char path[512];
};

static void answer(void *user, struct peer_call *call, const char *request, const char *body)
{
	struct server *server = user;
	const bool patch = stint_starts_with(request, "PATCH ");
	server->patches += patch;
	server->posts += !patch;
	snprintf(server->last_body, sizeof(server->last_body), "%s", body);
	snprintf(server->path, sizeof(server->path), "%.*s", (int)strcspn(request, "\r"), request);
	peer_reply(call, server->status, server->status < 300 ? "{}" : "{\"kind\":\"Status\",\"message\":\"no\",\"reason\":\"NotFound\"}");
}

static void server_open(struct server *server, size_t queue_max)
{
	*server = (struct server){.status = 200};
	peer_open(&server->peer, answer, server);
	server->recorder = stint_recorder_new(server->peer.kube,
		&(struct stint_recorder_options){.component = "stint-scheduler", .instance = "host-1", .queue_max = queue_max});
}

static void server_shut(struct server *server)
{
	stint_recorder_free(server->recorder);
	peer_shut(&server->peer);
}

static void record(struct server *server, const char *name)
{
	const char *const annotations[] = {"num-evicted-pods", "3", NULL};
	struct stint_kube_about about = about_pod;
	about.name = name;
	stint_record(server->recorder, &about, "Normal", "Evict", annotations, "evicted for \"%s\"", "train-1");
}

static void an_event_is_written_whole_and_its_repetition_is_a_patch(void **state)
{
	struct server server;
	(void)state;
	server_open(&server, 0);
	record(&server, "train-0");
	peer_wait_for(&server.peer, recorder_idle(server.recorder));
	stint_auto_json *event = stint_json_parse(server.last_body, strlen(server.last_body), 0, NULL);
	assert_string_equal(stint_json_string_at(event, "involvedObject", "uid"), "u-1");
	assert_string_equal(stint_json_string_at(event, "message"), "evicted for \"train-1\"");
	assert_string_equal(stint_json_string_at(event, "metadata", "namespace"), "vision");
	assert_string_equal(stint_json_string_at(event, "metadata", "annotations", "num-evicted-pods"), "3");
	assert_string_equal(stint_json_string_at(event, "reportingInstance"), "host-1");
	assert_int_equal(stint_json_int_or(stint_json_get(event, "count"), 0), 1);
	const char *name = stint_json_string_at(event, "metadata", "name");
	record(&server, "train-0");
	peer_wait_for(&server.peer, recorder_idle(server.recorder));
	assert_int_equal(server.posts, 1);
	assert_int_equal(server.patches, 1);
	assert_non_null(strstr(server.path, name));
	assert_non_null(strstr(server.last_body, "\"count\":2"));
	server_shut(&server);
}

static void what_comes_while_a_write_is_under_way_is_written_once_more(void **state)
{
	struct server server;
	(void)state;
	server_open(&server, 0);
	for (int i = 0; i < 5; i++)
		record(&server, "train-0");
	peer_wait_for(&server.peer, recorder_idle(server.recorder));
	assert_int_equal(server.posts, 1);
	assert_int_equal(server.patches, 1);
	assert_non_null(strstr(server.last_body, "\"count\":5"));
	server_shut(&server);
}

static void an_event_that_has_expired_is_made_again_with_its_count(void **state)
{
	struct server server;
	(void)state;
	server_open(&server, 0);
	record(&server, "train-0");
	peer_wait_for(&server.peer, recorder_idle(server.recorder));
	server.status = 404;
	record(&server, "train-0");
	peer_wait_for(&server.peer, server.patches == 1);
	server.status = 201;
	peer_wait_for(&server.peer, recorder_idle(server.recorder));
	assert_int_equal(server.posts, 2);
	assert_non_null(strstr(server.last_body, "\"count\":2"));
	server_shut(&server);
}

static void a_refused_event_is_given_up_and_the_next_goes_on(void **state)
{
	struct server server;
	struct recorder_stats stats;
	(void)state;
	server_open(&server, 0);
	server.status = 403;
	record(&server, "train-0");
	peer_wait_for(&server.peer, recorder_idle(server.recorder));
	server.status = 201;
	record(&server, "train-1");
	peer_wait_for(&server.peer, recorder_idle(server.recorder));
	recorder_measure(server.recorder, &stats);
	assert_int_equal(stats.failed, 1);
	assert_int_equal(stats.sent, 1);
	server_shut(&server);
}

static void a_failing_server_fills_the_queue_and_no_more(void **state)
{
	struct server server;
	struct recorder_stats stats;
	char name[32];
	(void)state;
	server_open(&server, 10);
	server.status = 503;
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "pod-%d", i);
		record(&server, name);
	}
	peer_wait_for(&server.peer, server.posts == 2); /* both that were under way; then it pauses */
	peer_turn_for(&server.peer, 50);
	recorder_measure(server.recorder, &stats);
	assert_int_equal(server.posts, 2);
	assert_in_range(stats.dropped, 38, 40);
	assert_false(recorder_idle(server.recorder));
	server_shut(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_equal_event_is_counted_and_not_made_again),
		cmocka_unit_test(many_similar_events_become_one),
		cmocka_unit_test(an_object_that_shouts_is_kept_back_and_others_are_not),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
		cmocka_unit_test(the_tables_are_bounded_and_keep_what_is_pinned),
		cmocka_unit_test(an_event_is_written_whole_and_its_repetition_is_a_patch),
		cmocka_unit_test(what_comes_while_a_write_is_under_way_is_written_once_more),
		cmocka_unit_test(an_event_that_has_expired_is_made_again_with_its_count),
		cmocka_unit_test(a_refused_event_is_given_up_and_the_next_goes_on),
		cmocka_unit_test(a_failing_server_fills_the_queue_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
