/* That no scheduler works is told from its Lease: one that holds it and is silent, too; and nothing is told where it may not be read. */
#include "cli/tui/heartbeat.h"

#include <stint/workload.h>

#include "tests/unit/kube/fake_server.h"

struct stage {
	struct fake_api api;
	struct tui_heartbeat *heartbeat;
	const char *status; /* of answers about the Lease of stint-system */
	char *lease;
	bool settled;
};

static void answer(struct fake_connection *connection, const struct fake_request *request)
{
	const struct stage *stage = connection->server->user;
	if (!strstr(request->target, "/namespaces/stint-system/leases/stint-scheduler"))
		fake_answer(
			connection, "404 Not Found", "", "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404,\"message\":\"none\"}");
	else if (stage->lease)
		fake_answer(connection, "200 OK", "", stage->lease);
	else
		fake_answer(connection, stage->status, "", "{\"kind\":\"Status\",\"message\":\"no\"}");
}

static void on_change(void *user)
{
	struct stage *stage = user;
	stage->settled = tui_heartbeat_settled(stage->heartbeat);
}

/* After the first round, in which the Lease was renewed so long ago; NULL: there is an answer of that status instead. */
static void begin(struct stage *stage, const char *holder, int64_t renewed_ago_ms, const char *status)
{
	char time[STINT_TIME_SIZE];
	*stage = (struct stage){.status = status};
	if (!status)
		stage->lease = stint_format(
			"{\"metadata\":{\"namespace\":\"stint-system\",\"name\":\"stint-scheduler\"},\"spec\":{\"holderIdentity\":\"%s\","
			"\"leaseDurationSeconds\":15,\"renewTime\":\"%s\"}}",
			holder, stint_time_format(stint_now_ms() - renewed_ago_ms, time));
	fake_api_open(&stage->api, answer, stage);
	stage->heartbeat = tui_heartbeat_start(stage->api.kube, on_change, stage);
	run_until(stage->api.loop, &stage->settled);
}

static void end(struct stage *stage)
{
	tui_heartbeat_free(stage->heartbeat);
	fake_api_close(&stage->api);
	free(stage->lease);
}

static void one_that_holds_the_lease_and_is_silent_is_told_of(void **state)
{
	(void)state;
	struct stage stage;
	begin(&stage, "pod-7", 3600 * 1000, NULL);
	stint_autofree char *trouble = tui_heartbeat_trouble(stage.heartbeat, stint_now_ms());
	assert_non_null(trouble);
	assert_true(stint_starts_with(trouble, "no scheduler works: pod-7 holds the Lease stint-scheduler and has not renewed it for "));
	end(&stage);
}

static void one_that_renews_it_is_not(void **state)
{
	(void)state;
	struct stage stage;
	begin(&stage, "pod-7", 0, NULL);
	assert_null(tui_heartbeat_trouble(stage.heartbeat, stint_now_ms()));
	assert_non_null(tui_heartbeat_lease(stage.heartbeat));
	end(&stage);
}

/* The dashboard was stopped for an hour, say: what it read before is old because it did not ask. */
static void an_old_answer_about_a_living_one_is_no_sign_of_its_death(void **state)
{
	(void)state;
	struct stage stage;
	begin(&stage, "pod-7", 0, NULL);
	assert_null(tui_heartbeat_trouble(stage.heartbeat, stint_now_ms() + 3600 * 1000));
	end(&stage);
}

static void a_lease_that_was_given_back_or_never_was_is_told_of(void **state)
{
	(void)state;
	struct stage stage;
	begin(&stage, "", 5000, NULL);
	stint_autofree char *back = tui_heartbeat_trouble(stage.heartbeat, stint_now_ms());
	assert_non_null(back);
	assert_non_null(strstr(back, "the last one gave it back"));
	end(&stage);
	begin(&stage, "", 0, "404 Not Found");
	stint_autofree char *never = tui_heartbeat_trouble(stage.heartbeat, stint_now_ms());
	assert_non_null(never);
	assert_non_null(strstr(never, "no scheduler has come to this cluster yet"));
	end(&stage);
}

static void who_may_not_read_it_is_told_nothing(void **state)
{
	(void)state;
	static const char *const answers[] = {"403 Forbidden", "500 Internal Server Error"};
	for (size_t at = 0; at < STINT_COUNT(answers); at++) {
		struct stage stage;
		begin(&stage, "", 0, answers[at]);
		assert_null(tui_heartbeat_trouble(stage.heartbeat, stint_now_ms()));
		assert_null(tui_heartbeat_lease(stage.heartbeat));
		end(&stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_holds_the_lease_and_is_silent_is_told_of),
		cmocka_unit_test(one_that_renews_it_is_not),
		cmocka_unit_test(an_old_answer_about_a_living_one_is_no_sign_of_its_death),
		cmocka_unit_test(a_lease_that_was_given_back_or_never_was_is_told_of),
		cmocka_unit_test(who_may_not_read_it_is_told_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
