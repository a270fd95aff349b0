/* Leader election: the rules by table on a clock of the test's own, and two electors against a server that can fall silent. */
#include "tests/unit/kube/peer.h"

#include "core/kube/lease_state.h"

/* ---- the rules --------------------------------------------------------------------------------------------------------------------- */

static struct stint_json *lease_of(const char *holder, const char *renewed)
{
	stint_autofree char *text = stint_format("{\"metadata\":{\"name\":\"l\"},\"spec\":{\"holderIdentity\":\"%s\",\"renewTime\":\"%s\","
						 "\"leaseDurationSeconds\":15,\"leaseTransitions\":3,\"acquireTime\":\"then\"}}",
		holder, renewed);
	struct stint_json *json;
	assert_works(json = stint_json_parse(text, strlen(text), 0, &err));
	return json;
}

static enum lease_step see(struct lease_state *state, const char *holder, const char *renewed, int64_t now_ms)
{
	stint_auto_json *lease = lease_of(holder, renewed);
	return lease_seen(state, lease, now_ms);
}

static struct lease_state new_state(void)
{
	return (struct lease_state){.identity = "me", .lease_ms = 15000, .renew_ms = 10000};
}

static void a_free_lease_may_be_taken(void **unused)
{
	struct lease_state state = new_state();
	(void)unused;
	assert_int_equal(lease_seen(&state, NULL, 1000), LEASE_TAKE);
	assert_int_equal(see(&state, "", "t1", 1000), LEASE_TAKE);
	assert_int_equal(see(&state, "me", "t1", 1000), LEASE_TAKE);
	lease_state_reset(&state);
}

static void a_holder_lives_as_long_as_its_record_changes(void **unused)
{
	struct lease_state state = new_state();
	(void)unused;
	/* The times in the record are far in the past: they mean nothing. */
	assert_int_equal(see(&state, "other", "1970-01-01T00:00:00.000000Z", 1000), LEASE_WAIT);
	assert_int_equal(see(&state, "other", "1970-01-01T00:00:00.000000Z", 15999), LEASE_WAIT);
	assert_int_equal(see(&state, "other", "1970-01-01T00:00:02.000000Z", 15999), LEASE_WAIT);
	assert_int_equal(see(&state, "other", "1970-01-01T00:00:02.000000Z", 30998), LEASE_WAIT);
	assert_int_equal(see(&state, "other", "1970-01-01T00:00:02.000000Z", 30999), LEASE_TAKE);
	assert_int_equal(see(&state, "third", "1970-01-01T00:00:02.000000Z", 31000), LEASE_WAIT);
	lease_state_reset(&state);
}

static void a_leader_counts_from_when_it_sent_the_renewal(void **unused)
{
	struct lease_state state = new_state();
	stint_auto_json *lease = lease_of("me", "t1");
	(void)unused;
	assert_int_equal(lease_until_ms(&state), 0);
	lease_written(&state, lease, 1000, 5000);
	assert_true(state.leads);
	assert_int_equal(lease_until_ms(&state), 11000);
	lease_written(&state, lease, 6000, 16001); /* the answer came after the time was over */
	assert_false(state.leads);
	assert_int_equal(lease_until_ms(&state), 0);
	lease_state_reset(&state);
}

static void a_lease_that_another_took_ends_the_lead(void **unused)
{
	struct lease_state state = new_state();
	stint_auto_json *lease = lease_of("me", "t1");
	(void)unused;
	lease_written(&state, lease, 1000, 1000);
	assert_int_equal(see(&state, "other", "t2", 2000), LEASE_WAIT);
	assert_false(state.leads);
	lease_state_reset(&state);
}

static void transitions_count_changes_of_holder_only(void **unused)
{
	struct lease_state state = new_state();
	stint_auto_json *theirs = lease_of("other", "t1"), *ours = lease_of("me", "t1"), *fresh = stint_json_new_object();
	(void)unused;
	lease_fill(&state, fresh, 0, false);
	assert_int_equal(stint_json_int_or(stint_json_at(fresh, "spec", "leaseTransitions"), -1), 0);
	lease_seen(&state, theirs, 1000);
	lease_fill(&state, theirs, 0, false);
	assert_int_equal(stint_json_int_or(stint_json_at(theirs, "spec", "leaseTransitions"), -1), 4);
	assert_string_equal(stint_json_string_at(theirs, "spec", "holderIdentity"), "me");
	assert_string_equal(stint_json_string_at(theirs, "spec", "acquireTime"), "1970-01-01T00:00:00.000000Z");
	lease_seen(&state, ours, 1000);
	lease_fill(&state, ours, 1500000, false);
	assert_int_equal(stint_json_int_or(stint_json_at(ours, "spec", "leaseTransitions"), -1), 3);
	assert_string_equal(stint_json_string_at(ours, "spec", "acquireTime"), "then");
	assert_string_equal(stint_json_string_at(ours, "spec", "renewTime"), "1970-01-01T00:00:01.500000Z");
	lease_fill(&state, ours, 0, true);
	assert_string_equal(stint_json_string_at(ours, "spec", "holderIdentity"), "");
	assert_int_equal(stint_json_int_or(stint_json_at(ours, "spec", "leaseDurationSeconds"), -1), 1);
	lease_state_reset(&state);
}

/* ---- against a server ------------------------------------------------------------------------------------------------------------------ */

struct server {
	struct peer peer;
	struct stint_json *lease; /* NULL: none yet */
	int version;
	bool silent;
	int writes;
};

static void store(struct server *server, struct stint_json *lease)
{
	char version[16];
	snprintf(version, sizeof(version), "%d", ++server->version);
	stint_json_set_string(stint_json_ensure_object(lease, "metadata"), "resourceVersion", version);
	stint_json_free(server->lease);
	server->lease = lease;
	server->writes++;
}

static void answer(void *user, struct peer_call *call, const char *request, const char *body)
{
	struct server *server = user;
	if (server->silent)
		return;
	if (stint_starts_with(request, "GET ")) {
		stint_autofree char *text = server->lease ? stint_json_print(server->lease) : NULL;
		peer_reply(call, text ? 200 : 404, text ? text : "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no\"}");
		return;
	}
	struct stint_json *lease;
	assert_works(lease = stint_json_parse(body, strlen(body), 0, &err));
	const char *sent = stint_json_string_or(stint_json_at(lease, "metadata", "resourceVersion"), "");
	const char *have = stint_json_string_or(stint_json_at(server->lease, "metadata", "resourceVersion"), "");
	if (strcmp(sent, have) != 0) {
		stint_json_free(lease);
		peer_reply(call, 409, "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"changed\"}");
		return;
	}
	store(server, lease);
	stint_autofree char *text = stint_json_print(server->lease);
	peer_reply(call, 200, text);
}

struct candidate {
	struct stint_elector *elector;
	int started, stopped, released;
	char leader[32];
};

static void on_started(void *user)
{
	((struct candidate *)user)->started++;
}

static void on_stopped(void *user)
{
	((struct candidate *)user)->stopped++;
}

static void on_leader(void *user, const char *identity)
{
	snprintf(((struct candidate *)user)->leader, 32, "%s", identity);
}

static void on_released(void *user)
{
	((struct candidate *)user)->released++;
}

static void candidate_start(struct candidate *candidate, struct server *server, const char *identity)
{
	*candidate = (struct candidate){0};
	candidate->elector = stint_elector_start(server->peer.kube,
		&(struct stint_elector_options){
			.namespace_ = "kube-system",
			.name = "stint-scheduler",
			.identity = identity,
			.lease_ms = 1000,
			.renew_ms = 600,
			.retry_ms = 100,
			.on_started = on_started,
			.on_stopped = on_stopped,
			.on_leader = on_leader,
			.user = candidate,
		});
}

static bool may_write(const struct candidate *candidate)
{
	return candidate->elector && stint_monotonic_ms() < stint_elector_write_until_ms(candidate->elector);
}

static void server_open(struct server *server)
{
	*server = (struct server){0};
	peer_open(&server->peer, answer, server);
}

static void server_shut(struct server *server)
{
	stint_json_free(server->lease);
	peer_shut(&server->peer);
}

static void one_leads_and_when_it_dies_the_other_does_and_never_both(void **unused)
{
	struct server server;
	struct candidate a, b;
	(void)unused;
	server_open(&server);
	candidate_start(&a, &server, "a");
	peer_wait_for(&server.peer, a.started);
	candidate_start(&b, &server, "b");
	peer_wait_for(&server.peer, b.leader[0]);
	assert_string_equal(b.leader, "a");
	peer_turn_for(&server.peer, 1300); /* longer than the Lease: renewals keep it */
	assert_int_equal(b.started, 0);
	assert_int_equal(a.stopped, 0);
	assert_true(may_write(&a));
	const int64_t until_ms = stint_elector_write_until_ms(a.elector);
	stint_elector_free(stint_steal(&a.elector)); /* as if it had died */
	peer_wait_for(&server.peer, b.started);
	assert_true(stint_monotonic_ms() > until_ms);
	assert_string_equal(b.leader, "b");
	stint_elector_free(b.elector);
	server_shut(&server);
}

static void a_release_lets_the_other_begin_at_once(void **unused)
{
	struct server server;
	struct candidate a, b;
	(void)unused;
	server_open(&server);
	candidate_start(&a, &server, "a");
	peer_wait_for(&server.peer, a.started);
	candidate_start(&b, &server, "b");
	peer_wait_for(&server.peer, b.leader[0]);
	stint_elector_release(a.elector, on_released, &a);
	assert_false(may_write(&a));
	assert_int_equal(a.stopped, 1);
	peer_wait_for(&server.peer, a.released);
	const int64_t released_ms = stint_monotonic_ms();
	peer_wait_for(&server.peer, b.started);
	assert_true(stint_monotonic_ms() - released_ms < 700);
	peer_turn_for(&server.peer, 300);
	assert_int_equal(a.started, 1);
	assert_int_equal(a.released, 1);
	stint_elector_free(a.elector);
	stint_elector_free(b.elector);
	server_shut(&server);
}

static void a_leader_without_an_answer_stops_at_its_deadline_and_comes_back(void **unused)
{
	struct server server;
	struct candidate a;
	(void)unused;
	server_open(&server);
	candidate_start(&a, &server, "a");
	peer_wait_for(&server.peer, a.started);
	server.silent = true;
	const int64_t until_ms = stint_elector_write_until_ms(a.elector);
	peer_wait_for(&server.peer, a.stopped);
	assert_true(stint_monotonic_ms() >= until_ms);
	assert_true(stint_monotonic_ms() < until_ms + 400);
	assert_int_equal(stint_elector_write_until_ms(a.elector), 0);
	server.silent = false;
	peer_wait_for(&server.peer, a.started == 2);
	stint_elector_free(a.elector);
	server_shut(&server);
}

static void a_lease_that_was_taken_from_a_leader_stops_it(void **unused)
{
	struct server server;
	struct candidate a;
	(void)unused;
	server_open(&server);
	candidate_start(&a, &server, "a");
	peer_wait_for(&server.peer, a.started);
	struct stint_json *edited = stint_json_dup(server.lease);
	stint_json_set_string(stint_json_get(edited, "spec"), "holderIdentity", "thief");
	store(&server, edited);
	peer_wait_for(&server.peer, a.stopped);
	assert_string_equal(a.leader, "thief");
	stint_elector_free(a.elector);
	server_shut(&server);
}

static void annotations_are_written_and_foreign_fields_survive(void **unused)
{
	struct server server;
	struct candidate a;
	(void)unused;
	server_open(&server);
	struct stint_json *lease;
	static const char text[] = "{\"metadata\":{\"name\":\"stint-scheduler\",\"labels\":{\"theirs\":\"1\"},\"annotations\":{\"keep\":"
				   "\"me\",\"drop\":\"it\"}},"
				   "\"spec\":{\"strategy\":\"Oldest\"}}";
	assert_works(lease = stint_json_parse(text, strlen(text), 0, &err));
	store(&server, lease);
	candidate_start(&a, &server, "a");
	stint_elector_annotate(a.elector, "stint.dev/scheduler-names", "stint-scheduler");
	stint_elector_annotate(a.elector, "drop", NULL);
	peer_wait_for(&server.peer, a.started);
	assert_string_equal(stint_json_string_at(server.lease, "metadata", "annotations", "stint.dev/scheduler-names"), "stint-scheduler");
	assert_string_equal(stint_json_string_at(server.lease, "metadata", "annotations", "keep"), "me");
	assert_null(stint_json_at(server.lease, "metadata", "annotations", "drop"));
	assert_string_equal(stint_json_string_at(server.lease, "metadata", "labels", "theirs"), "1");
	assert_string_equal(stint_json_string_at(server.lease, "spec", "strategy"), "Oldest");
	stint_elector_annotate(a.elector, "stint.dev/endpoint", "https://127.0.0.1:1");
	peer_wait_for(&server.peer, stint_json_at(server.lease, "metadata", "annotations", "stint.dev/endpoint"));
	stint_elector_free(a.elector);
	server_shut(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_free_lease_may_be_taken),
		cmocka_unit_test(a_holder_lives_as_long_as_its_record_changes),
		cmocka_unit_test(a_leader_counts_from_when_it_sent_the_renewal),
		cmocka_unit_test(a_lease_that_another_took_ends_the_lead),
		cmocka_unit_test(transitions_count_changes_of_holder_only),
		cmocka_unit_test(one_leads_and_when_it_dies_the_other_does_and_never_both),
		cmocka_unit_test(a_release_lets_the_other_begin_at_once),
		cmocka_unit_test(a_leader_without_an_answer_stops_at_its_deadline_and_comes_back),
		cmocka_unit_test(a_lease_that_was_taken_from_a_leader_stops_it),
		cmocka_unit_test(annotations_are_written_and_foreign_fields_survive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
