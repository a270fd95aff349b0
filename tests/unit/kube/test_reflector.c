/* list + watch against a server that cuts, expires, stays silent and forgets: nothing is lost and nothing is told twice. */
#include "tests/unit/kube/peer.h"

/* A reflector with what it has told, as text: "+a1 ~a2 -a2 =" (added, modified, deleted with versions; = synced, ! trouble). */
struct watcher {
	struct peer *peer;
	struct stint_reflector *reflector;
	struct stint_buf told;
	int64_t retry_ms; /* of the last trouble */
	int status;
	int free_after; /* > 0: frees its reflector while that telling is under way */
	int tellings;
};

static void maybe_free(struct watcher *w)
{
	if (++w->tellings == w->free_after)
		stint_reflector_free(stint_steal(&w->reflector));
}

static void on_change(void *user, enum stint_change change, struct stint_object *object, struct stint_object *before)
{
	struct watcher *w = user;
	assert_true((change == STINT_ADDED) == !before);
	stint_buf_printf(&w->told, "%s%c%s%s", w->told.length ? " " : "", "+~-"[change], object -> name, object -> resource_version);
	maybe_free(w);
}

static void on_synced(void *user, bool again)
{
	struct watcher *w = user;
	stint_buf_printf(&w->told, " %s", again ? "==" : "=");
	maybe_free(w);
}

static void on_trouble(void *user, const struct stint_error *err, int64_t retry_ms)
{
	struct watcher *w = user;
	assert_non_null(err->message);
	w->retry_ms = retry_ms;
	w->status = err->status;
	stint_buf_puts(&w->told, " !");
	maybe_free(w);
}

/* The server's side of one test: a row per request that is expected. */
struct step {
	const char *wants; /* must be in the request line */
	const char *lacks; /* must not be in it; may be NULL */
	int status; /* of a whole answer; 0: a stream in one chunk */
	const char *body; /* NULL: no answer at all */
	bool hold, cut; /* a stream: stays open; breaks off without its end */
};
struct server {
	struct peer peer;
	struct stint_model *model;
	const struct step *steps;
	size_t steps_count, at;
};

static void answer_step(void *user, struct peer_call *call, const char *request, const char *body)
{
	struct server *server = user;
	stint_autofree char *line = stint_strndup(request, strcspn(request, "\r"));
	(void)body;
	if (server->at >= server->steps_count)
		fail_msg("one request too many: %s", line);
	const struct step *step = &server->steps[server->at++];
	if (!strstr(line, step->wants) || (step->lacks && strstr(line, step->lacks)))
		fail_msg("request %zu is %s, but \"%s\" without \"%s\" was expected", server->at, line, step->wants,
			step->lacks ? step->lacks : "");
	if (step->status) {
		peer_reply(call, step->status, step->body);
		return;
	}
	if (!step->body)
		return;
	peer_begin(call);
	if (*step->body)
		peer_chunk(call, step->body, strlen(step->body));
	if (step->cut)
		peer_close(call);
	else if (!step->hold)
		peer_end(call);
}

static void server_open(struct server *server, const struct step *steps, size_t count)
{
	*server = (struct server){.steps = steps, .steps_count = count, .model = stint_model_new()};
	peer_open(&server->peer, answer_step, server);
}

static void server_shut(struct server *server)
{
	struct stint_model_stats stats;
	stint_model_measure(server->model, &stats);
	assert_int_equal(stats.objects, 0);
	assert_int_equal(stats.texts, 0);
	stint_model_free(server->model);
	peer_shut(&server->peer);
}

static void watcher_start(struct watcher *w, struct server *server, const char *selector, int64_t silence_ms)
{
	w->peer = &server->peer;
	w->reflector = stint_reflector_start(server->peer.kube,
		&(struct stint_reflector_options){
			.resource = &stint_kube_pods,
			.kind = STINT_KIND_POD,
			.model = server->model,
			.label_selector = selector,
			.page_size = 2,
			.silence_ms = silence_ms,
			.on_change = on_change,
			.on_synced = on_synced,
			.on_trouble = on_trouble,
			.user = w,
		});
}

static void watcher_stop(struct watcher *w)
{
	stint_reflector_free(w->reflector);
	stint_buf_free(&w->told);
}

#define POD(name, version) \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"x\",\"uid\":\"uid-" name "\",\"resourceVersion\":\"" version "\"}}"
#define OTHER_POD(name, version) \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"x\",\"uid\":\"other\",\"resourceVersion\":\"" version "\"}}"
#define LIST(version, next, items) \
	"{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" next "\"},\"items\":[" items "]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define BOOKMARK(version) EVENT("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"" version "\"}}")
#define STATUS(code, reason) \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"too old\",\"reason\":\"" reason "\",\"code\":" code "}"

/* Runs the steps until all requests have come and `expected` has been told. */
static void run_steps(const struct step *steps, size_t count, int64_t silence_ms, const char *expected)
{
	struct server server;
	struct watcher w = {0};
	server_open(&server, steps, count);
	watcher_start(&w, &server, NULL, silence_ms);
	const int64_t deadline_ms = stint_monotonic_ms() + 10000;
	while (server.at < count || !w.told.data || strlen(w.told.data) < strlen(expected)) {
		if (stint_monotonic_ms() > deadline_ms)
			fail_msg("after %zu requests told \"%s\" instead of \"%s\"", server.at, w.told.data ? w.told.data : "", expected);
		stint_loop_step(server.peer.loop, 20);
	}
	peer_turn_for(&server.peer, 30); /* nothing more may come */
	assert_string_equal(w.told.data, expected);
	watcher_stop(&w);
	server_shut(&server);
}
#define RUN(expected, silence_ms, ...)                                        \
	do {                                                                  \
		static const struct step steps_[] = {__VA_ARGS__};            \
		run_steps(steps_, STINT_COUNT(steps_), silence_ms, expected); \
	} while (0)

static void pages_are_read_consistently_and_followed_by_a_watch(void **state)
{
	(void)state;
	RUN("+a1 +b2 +c3 =", 0, {"limit=2", "resourceVersion", 200, LIST("10", "next", POD("a", "1") "," POD("b", "2")), false, false},
		{"continue=next", "resourceVersion", 200, LIST("10", "", POD("c", "3")), false, false},
		{"resourceVersion=10", "sendInitialEvents", 0, "", true, false});
}

static void events_are_told_once_and_in_order(void **state)
{
	(void)state;
	RUN("+a1 = +b11 ~a12 -b13", 0, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0,
			EVENT("ADDED", POD("b", "11")) EVENT("MODIFIED", POD("a", "12")) EVENT("MODIFIED", POD("a", "12"))
				EVENT("DELETED", POD("b", "13")) EVENT("DELETED", POD("b", "13")),
			true, false});
}

static void a_bookmark_moves_the_place_where_the_next_watch_begins(void **state)
{
	(void)state;
	RUN("+a1 =", 0, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0, BOOKMARK("50"), false, false}, {"resourceVersion=50", NULL, 0, "", true, false});
}

static void an_expired_watch_is_followed_by_a_list_whose_differences_are_told(void **state)
{
	(void)state;
	RUN("+a1 +b1 +c1 = ~b20 +d21 -c1 == ==", 0,
		{"limit=2", NULL, 200, LIST("10", "", POD("a", "1") "," POD("b", "1") "," POD("c", "1")), false, false},
		{"resourceVersion=10", NULL, 0, EVENT("ERROR", STATUS("410", "Expired")), true, false},
		{"limit=2", "resourceVersion", 200, LIST("30", "", POD("a", "1") "," POD("b", "20") "," POD("d", "21")), false, false},
		{"resourceVersion=30", NULL, 410, STATUS("410", "Gone"), false, false},
		{"limit=2", NULL, 200, LIST("30", "", POD("a", "1") "," POD("b", "20") "," POD("d", "21")), false, false},
		{"resourceVersion=30", NULL, 0, "", true, false});
}

static void another_object_of_the_same_name_is_a_deletion_and_an_addition(void **state)
{
	(void)state;
	RUN("+a1 = -a1 +a11", 0, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0, EVENT("MODIFIED", OTHER_POD("a", "11")), true, false});
}

static void a_late_end_of_a_predecessor_does_not_end_the_object_that_has_its_name(void **state)
{
	(void)state;
	RUN("+a1 = -a1 +a11 ~a13", 0, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0,
			EVENT("ADDED", OTHER_POD("a", "11")) EVENT("DELETED", POD("a", "12")) EVENT("MODIFIED", OTHER_POD("a", "13")), true,
			false});
}

/* So many go at once that the set closes holes while it is walked through. */
static void everything_that_a_new_list_lacks_is_told_deleted(void **state)
{
	enum { COUNT = 300 };
	stint_auto_buf items = {0}, full = {0};
	struct server server;
	struct watcher w = {0};
	(void)state;
	for (int i = 0; i < COUNT; i++)
		stint_buf_printf(&items, "%s" POD("p%d", "1"), i ? "," : "", i, i);
	stint_buf_printf(&full, LIST("10", "", "%s"), items.data);
	const struct step steps[] = {
		{"limit=2", NULL, 200, full.data, false, false},
		{"resourceVersion=10", NULL, 410, STATUS("410", "Gone"), false, false},
		{"limit=2", NULL, 200, LIST("20", "", POD("p7", "1")), false, false},
		{"resourceVersion=20", NULL, 0, "", true, false},
	};
	server_open(&server, steps, STINT_COUNT(steps));
	watcher_start(&w, &server, NULL, 0);
	peer_wait_for(&server.peer, server.at == STINT_COUNT(steps));
	assert_int_equal(w.tellings, COUNT + 1 + (COUNT - 1) + 1); /* each came, synced, all but one went, synced */
	assert_null(strstr(w.told.data, "-p7 "));
	watcher_stop(&w);
	server_shut(&server);
}

static void pages_that_expire_begin_again_all_at_once(void **state)
{
	(void)state;
	RUN("+a1 +b2 ! +c3 -a1 =", 0, {"limit=2", NULL, 200, LIST("10", "next", POD("a", "1") "," POD("b", "2")), false, false},
		{"continue=next", NULL, 410, STATUS("410", "Expired"), false, false},
		{"/pods", "limit", 200, LIST("20", "", POD("b", "2") "," POD("c", "3")), false, false},
		{"resourceVersion=20", NULL, 0, "", true, false});
}

static void a_silent_watch_is_asked_anew_and_is_no_trouble_at_first(void **state)
{
	(void)state;
	RUN("+a1 = ~a12", 200, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0, "", true, false}, {"resourceVersion=10", NULL, 0, BOOKMARK("11"), true, false},
		{"resourceVersion=11", NULL, 0, EVENT("MODIFIED", POD("a", "12")), true, false});
}

/* Nobody can tell such a watch from one to which nothing happens. */
static void silence_is_no_trouble_where_the_server_answers_and_never_sends_bookmarks(void **state)
{
	(void)state;
	RUN("+a1 = ~a12", 200, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0, "", true, false}, {"resourceVersion=10", NULL, 0, "", true, false},
		{"resourceVersion=10", NULL, 0, "", true, false},
		{"resourceVersion=10", NULL, 0, EVENT("MODIFIED", POD("a", "12")), true, false});
}

static void a_second_silence_in_a_row_is_trouble_where_bookmarks_come(void **state)
{
	(void)state;
	RUN("+a1 = !", 200, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0, BOOKMARK("11"), true, false}, {"resourceVersion=11", NULL, 0, "", true, false},
		{"resourceVersion=11", NULL, 0, BOOKMARK("12"), true, false});
}

static void a_watch_that_is_not_even_answered_is_trouble(void **state)
{
	(void)state;
	RUN("+a1 = !", 200, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0, NULL, true, false}, {"resourceVersion=10", NULL, 0, BOOKMARK("11"), true, false});
}

static void a_failing_list_is_reported_and_tried_again(void **state)
{
	(void)state;
	RUN(" ! ! ! +a1 =", 0, {"limit=2", NULL, 500, STATUS("500", "InternalError"), false, false},
		{"limit=2", NULL, 200, "not a list", false, false},
		{"limit=2", NULL, 200, "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\"", false, false},
		{"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false}, {"resourceVersion=10", NULL, 0, "", true, false});
}

static void a_broken_object_does_not_hide_the_others(void **state)
{
	(void)state;
	RUN(" ! +b2 = ! +c11", 0, {"limit=2", NULL, 200, LIST("10", "", "{\"metadata\":{\"name\":7}}," POD("b", "2")), false, false},
		{"resourceVersion=10", NULL, 0, EVENT("MODIFIED", "{\"spec\":1}") EVENT("ADDED", POD("c", "11")), true, false});
}

static void an_object_that_a_new_list_shows_broken_is_not_deleted(void **state)
{
	(void)state;
	RUN("+a1 +b1 = ! -b1 ==", 0, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1") "," POD("b", "1")), false, false},
		{"resourceVersion=10", NULL, 410, STATUS("410", "Gone"), false, false},
		{"limit=2", NULL, 200, LIST("30", "", "{\"metadata\":{\"name\":\"a\",\"namespace\":\"x\",\"creationTimestamp\":\"soon\"}}"),
			false, false},
		{"resourceVersion=30", NULL, 0, "", true, false});
}

static void a_line_that_is_no_event_ends_the_watch_and_leads_to_a_list(void **state)
{
	(void)state;
	RUN("+a1 = +b11 ! +c12 -b11 ==", 0, {"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0, EVENT("ADDED", POD("b", "11")) "<html>\n" EVENT("ADDED", POD("x", "99")), true, false},
		{"limit=2", "watch=", 200, LIST("12", "", POD("a", "1") "," POD("c", "12")), false, false},
		{"resourceVersion=12", NULL, 0, "", true, false});
}

static void a_watch_that_brings_nothing_but_errors_is_asked_again_ever_later(void **state)
{
	static const struct step steps[] = {
		{"limit=2", NULL, 200, LIST("10", "", POD("a", "1")), false, false},
		{"resourceVersion=10", NULL, 0, EVENT("ERROR", STATUS("500", "InternalError")), true, false},
		{"resourceVersion=10", NULL, 0, EVENT("ERROR", STATUS("500", "InternalError")), true, false},
		{"resourceVersion=10", NULL, 0, EVENT("ERROR", STATUS("500", "InternalError")), true, false},
	};
	struct server server;
	struct watcher w = {0};
	(void)state;
	server_open(&server, steps, STINT_COUNT(steps));
	watcher_start(&w, &server, NULL, 0);
	peer_wait_for(&server.peer, w.told.data && strcmp(w.told.data, "+a1 = ! ! !") == 0);
	assert_int_equal(w.status, 500);
	assert_in_range(w.retry_ms, 400, 800); /* the first pause is of 100 to 200 ms */
	watcher_stop(&w);
	server_shut(&server);
}

/* ---- a watch that is cut after every byte in turn -------------------------------------------------------------------------------- */

static const struct {
	int version;
	const char *line;
} history[] = {
	{11, EVENT("ADDED", POD("b", "11"))},
	{12, EVENT("MODIFIED", POD("a", "12"))},
	{13, EVENT("DELETED", POD("b", "13"))},
	{14, EVENT("ADDED", POD("c", "14"))},
};

/* Answers a list, then watches from the version asked for; the first watch of a selector "cut=N" breaks off after N bytes of its stream. */
static void answer_cut(void *user, struct peer_call *call, const char *request, const char *body)
{
	static bool cut_done[1024];
	(void)body;
	(void)user;
	const char *selector = strstr(request, "cut%3D"), *version = strstr(request, "resourceVersion=");
	assert_non_null(selector);
	const size_t cut = strtoul(selector + 6, NULL, 10);
	assert_true(cut < STINT_COUNT(cut_done));
	if (!version) {
		cut_done[cut] = false;
		peer_reply(call, 200, LIST("10", "", POD("a", "1")));
		return;
	}
	const int from = (int)strtoul(version + 16, NULL, 10);
	stint_auto_buf stream = {0};
	for (size_t i = 0; i < STINT_COUNT(history); i++) {
		if (history[i].version > from)
			stint_buf_puts(&stream, history[i].line);
	}
	peer_begin(call);
	if (cut_done[cut]) {
		for (size_t i = 0; i < stream.length; i += 7) /* the rest in small pieces */
			peer_chunk(call, stream.data + i, stream.length - i < 7 ? stream.length - i : 7);
		return; /* stays open */
	}
	cut_done[cut] = true;
	if (cut)
		peer_chunk(call, stream.data, cut < stream.length ? cut : stream.length);
	peer_close(call);
}

static void a_watch_cut_at_any_byte_loses_and_doubles_nothing(void **state)
{
	static const char expected[] = "+a1 = +b11 ~a12 -b13 +c14";
	enum { BATCH = 100 };
	size_t length = 0;
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(history); i++)
		length += strlen(history[i].line);
	for (size_t from = 0; from <= length; from += BATCH) {
		struct server server;
		static struct watcher watchers[BATCH];
		char selector[32];
		size_t settled = 0;
		server = (struct server){.model = stint_model_new()};
		peer_open(&server.peer, answer_cut, &server);
		memset(watchers, 0, sizeof(watchers));
		for (size_t i = 0; i < BATCH; i++) {
			snprintf(selector, sizeof(selector), "cut=%zu", from + i);
			watcher_start(&watchers[i], &server, selector, 0);
		}
		const int64_t deadline_ms = stint_monotonic_ms() + 10000;
		while (settled < BATCH && stint_monotonic_ms() < deadline_ms) {
			stint_loop_step(server.peer.loop, 20);
			for (settled = 0; settled < BATCH && stint_reflector_get(watchers[settled].reflector, "x", "c"); settled++)
				;
		}
		for (size_t i = 0; i < BATCH; i++) {
			/* A cut is trouble where nothing but the cut came; that much may differ. */
			stint_auto_buf told = {0};
			for (const char *at = watchers[i].told.data; *at; at++) {
				if (at[0] == ' ' && at[1] == '!')
					at++;
				else
					stint_buf_putc(&told, *at);
			}
			if (strcmp(told.data, expected) != 0)
				fail_msg("cut after %zu bytes: told \"%s\"", from + i, told.data);
			watcher_stop(&watchers[i]);
		}
		server_shut(&server);
	}
}

static void a_handler_may_free_its_reflector_at_any_telling(void **state)
{
	static const struct step steps[] = {
		{"limit=2", NULL, 200, LIST("10", "next", POD("a", "1") "," POD("b", "1")), false, false},
		{"continue=next", NULL, 200, LIST("10", "", POD("c", "1")), false, false},
		{"resourceVersion=10", NULL, 0,
			EVENT("MODIFIED", POD("a", "11")) EVENT("DELETED", POD("b", "12")) EVENT("ERROR", STATUS("410", "Expired")), true,
			false},
		{"limit=2", NULL, 200, LIST("20", "", POD("d", "13")), false, false},
	};
	(void)state;
	for (int after = 1; after <= 9; after++) {
		struct server server;
		struct watcher w = {.free_after = after};
		server_open(&server, steps, STINT_COUNT(steps));
		watcher_start(&w, &server, NULL, 0);
		peer_wait_for(&server.peer, !w.reflector);
		assert_int_equal(w.tellings, after);
		peer_turn_for(&server.peer, 5);
		assert_int_equal(w.tellings, after);
		watcher_stop(&w);
		server_shut(&server);
	}
}

static void a_list_that_is_asked_for_comes_whatever_is_under_way(void **state)
{
	static const struct step steps[] = {
		{"limit=", "watch", 0, NULL, false, false},
		{"limit=", "watch", 200, LIST("10", "", POD("a", "1") "," POD("b", "2")), false, false},
		{"watch=true", NULL, 0, "", true, false},
		{"limit=", "watch", 200, LIST("20", "", POD("a", "1")), false, false},
		{"watch=true&allowWatchBookmarks=true&resourceVersion=20", NULL, 0, "", true, false},
	};
	struct server server;
	struct watcher w = {0};
	(void)state;
	server_open(&server, steps, STINT_COUNT(steps));
	watcher_start(&w, &server, NULL, 0);
	peer_wait_for(&server.peer, server.at == 1);
	stint_reflector_relist(w.reflector);
	peer_wait_for(&server.peer, server.at == 3);
	stint_reflector_relist(w.reflector);
	peer_wait_for(&server.peer, server.at == 5);
	assert_string_equal(w.told.data, "+a1 +b2 = -b2 ==");
	watcher_stop(&w);
	server_shut(&server);
}

static void what_is_known_can_be_asked_for(void **state)
{
	static const struct step steps[] = {
		{"labelSelector=app%3Dweb%2Cx%21%3Dy", NULL, 200, LIST("10", "", POD("a", "1") "," POD("b", "2")), false, false},
		{"labelSelector=app%3Dweb%2Cx%21%3Dy", NULL, 0, "", true, false},
	};
	struct server server;
	struct watcher w = {0};
	size_t at = 0, seen = 0;
	(void)state;
	server_open(&server, steps, STINT_COUNT(steps));
	watcher_start(&w, &server, "app=web,x!=y", 0);
	assert_false(stint_reflector_synced(w.reflector));
	peer_wait_for(&server.peer, stint_reflector_synced(w.reflector));
	assert_string_equal(stint_reflector_get(w.reflector, "x", "b")->resource_version, "2");
	assert_null(stint_reflector_get(w.reflector, "x", "c"));
	assert_null(stint_reflector_get(w.reflector, NULL, "a"));
	while (stint_reflector_next(w.reflector, &at))
		seen++;
	assert_int_equal(seen, 2);
	watcher_stop(&w);
	server_shut(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_read_consistently_and_followed_by_a_watch),
		cmocka_unit_test(events_are_told_once_and_in_order),
		cmocka_unit_test(a_bookmark_moves_the_place_where_the_next_watch_begins),
		cmocka_unit_test(an_expired_watch_is_followed_by_a_list_whose_differences_are_told),
		cmocka_unit_test(another_object_of_the_same_name_is_a_deletion_and_an_addition),
		cmocka_unit_test(a_late_end_of_a_predecessor_does_not_end_the_object_that_has_its_name),
		cmocka_unit_test(everything_that_a_new_list_lacks_is_told_deleted),
		cmocka_unit_test(pages_that_expire_begin_again_all_at_once),
		cmocka_unit_test(a_silent_watch_is_asked_anew_and_is_no_trouble_at_first),
		cmocka_unit_test(silence_is_no_trouble_where_the_server_answers_and_never_sends_bookmarks),
		cmocka_unit_test(a_second_silence_in_a_row_is_trouble_where_bookmarks_come),
		cmocka_unit_test(a_watch_that_is_not_even_answered_is_trouble),
		cmocka_unit_test(a_failing_list_is_reported_and_tried_again),
		cmocka_unit_test(a_broken_object_does_not_hide_the_others),
		cmocka_unit_test(an_object_that_a_new_list_shows_broken_is_not_deleted),
		cmocka_unit_test(a_line_that_is_no_event_ends_the_watch_and_leads_to_a_list),
		cmocka_unit_test(a_watch_that_brings_nothing_but_errors_is_asked_again_ever_later),
		cmocka_unit_test(a_watch_cut_at_any_byte_loses_and_doubles_nothing),
		cmocka_unit_test(a_handler_may_free_its_reflector_at_any_telling),
		cmocka_unit_test(a_list_that_is_asked_for_comes_whatever_is_under_way),
		cmocka_unit_test(what_is_known_can_be_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
