/*
 * Expected starts are asked of the scheduler a row at a time and at a pace; through the API server where the scheduler itself cannot be reached; not
 * at all by somebody whom it would take for another; and not again for a while when it does not answer.
 */
#include "cli/parse.h"
#include "cli/run.h"
#include "cli/tui/run.h"
#include "tests/unit/kube/fake_server.h"
#include "tests/unit/tui/scene.h"

enum { ROWS = 6, PACE_MS = 200, LATE_MS = 120, LOOK_MS = 1000 };

struct stage {
	struct scene scene;
	struct fake_api api;
	struct cli_context ctx;
	struct cli_values *values;
	struct tui_run run;
	const char *endpoint; /* that the Lease names */
	bool answers; /* the scheduler behind the proxy does */
	struct stint_timer *late; /* it takes a moment */
	struct fake_connection *waits;
	int asked, answered;
	int64_t answered_ms; /* monotonic */
	char *asked_for[ROWS], *first_path;
	const char *broken; /* a promise that was */
	bool enough, lease_read;
};

static const struct cli_flag flags[] = {{.name = "scheduler-url"}, {.name = NULL}};
static const struct cli_command command = {.name = "dashboard", .flags = flags};

static void on_late(void *user)
{
	struct stage *stage = user;
	struct fake_connection *connection = stint_steal(&stage->waits);
	stage->answered++;
	stage->answered_ms = stint_monotonic_ms();
	stage->enough = stage->answered >= 3 || !stage->answers;
	if (stage->answers)
		fake_answer(connection, "200 OK", "", "{\"kind\":\"Why\",\"starts_in_s\":3600}");
	else
		fake_answer(connection, "503 Service Unavailable", "", "{\"kind\":\"Status\",\"message\":\"no endpoints\"}");
}

static void take_question(struct stage *stage, struct fake_connection *connection, const struct fake_request *request)
{
	if (stage->waits)
		stage->broken = "two questions at a time";
	if (stage->answered && stint_monotonic_ms() < stage->answered_ms + PACE_MS - 1)
		stage->broken = "a question comes too soon after an answer";
	const char *name = strrchr(request->target, '/') + 1;
	for (int at = 0; at < stage->asked && at < ROWS; at++) {
		if (strcmp(stage->asked_for[at], name) == 0)
			stage->broken = "a row is asked for twice";
	}
	if (!stage->asked)
		stage->first_path = stint_strdup(request->target);
	if (stage->asked < ROWS)
		stage->asked_for[stage->asked] = stint_strdup(name);
	stage->asked++;
	stage->waits = connection;
	stint_timer_set(stage->late, LATE_MS);
}

static void answer(struct fake_connection *connection, const struct fake_request *request)
{
	struct stage *stage = connection->server->user;
	if (strstr(request->target, "/v1/why/")) {
		take_question(stage, connection, request);
	} else if (strstr(request->target, "/namespaces/stint-system/leases/stint-scheduler")) {
		stint_autofree char *lease =
			stint_format("{\"metadata\":{\"namespace\":\"stint-system\",\"name\":\"stint-scheduler\",\"annotations\":{"
				     "\"stint.dev/endpoint\":\"%s\"}},\"spec\":{\"holderIdentity\":\"a\"}}",
				stage->endpoint);
		stage->lease_read = true;
		fake_answer(connection, "200 OK", "", lease);
	} else {
		fake_answer(
			connection, "404 Not Found", "", "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404,\"message\":\"none\"}");
	}
}

static void unheard(void *user)
{
	(void)user;
}

/* Rows of the queue on a screen, and whoever asks for their starts. acts_as: whom the person acts as, or NULL. */
static void begin(struct stage *stage, const char *acts_as)
{
	static const char *const names[] = {"stint-scheduler", NULL};
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	fake_start(&stage->api.server, stage->api.loop = stint_loop_new(NULL), answer, stage);
	stage->api.config = stint_kube_config_new();
	stage->api.config->server = stint_format("http://127.0.0.1:%u", stage->api.server.port);
	stage->api.config->impersonate_user = stint_strdup(acts_as);
	assert_works(stage->api.kube = stint_kube_new(stage->api.loop, stage->api.config, NULL, &err));
	stage->late = stint_timer_new(stage->api.loop, on_late, stage);

	scene_open(&stage->scene);
	for (int at = 0; at < ROWS; at++) {
		stint_autofree char *name = stint_format("job-%d", at);
		scene_job(&stage->scene, "p", name, "1h", "1", 1, .reason = "NoRoom: none");
	}
	stage->values = stint_alloc(sizeof *stage->values);
	stage->ctx = (struct cli_context){.command = &command, .notes = stderr, .values = stage->values};
	struct tui_run *run = &stage->run;
	run->ctx = &stage->ctx;
	run->kube = stage->api.kube;
	run->loop = stage->api.loop;
	run->app = tui_app_new(&(struct tui_settings){.frames = 20}, &(struct tui_outside){.user = NULL});
	run->frame = stint_timer_new(run->loop, unheard, NULL);
	run->state = tui_state_open(
		run->kube, &(struct tui_state_options){.fallback = "p", .scheduler_names = names, .on_change = unheard, .user = NULL});
	tui_app_show(run->app, TUI_QUEUE);
	tui_app_world(run->app, scene_world(&stage->scene), SCENE_NOW_MS);
	tui_app_draw(run->app, &run->cells, 120, 40, SCENE_NOW_MS);
	tui_estimates_start(run);
}

static void end(struct stage *stage)
{
	struct tui_run *run = &stage->run;
	tui_estimates_free(run->estimates);
	tui_state_close(run->state);
	tui_app_free(run->app);
	tui_cells_free(&run->cells);
	stint_timer_free(run->frame);
	stint_timer_free(stage->late);
	scene_close(&stage->scene);
	cli_session_free(stage->ctx.session);
	free(stage->values);
	for (int at = 0; at < ROWS; at++)
		free(stage->asked_for[at]);
	free(stage->first_path);
	fake_api_close(&stage->api);
}

static void turn_for(struct stage *stage, int64_t ms)
{
	for (const int64_t until_ms = stint_monotonic_ms() + ms; stint_monotonic_ms() < until_ms;)
		stint_loop_step(stage->api.loop, 20);
}

static void rows_are_asked_for_one_by_one_at_a_pace_and_through_the_api_server(void **state)
{
	(void)state;
	struct stage stage = {.endpoint = "https://127.0.0.1:1", .answers = true}; /* nothing listens there */
	begin(&stage, NULL);
	run_until(stage.api.loop, &stage.enough);
	assert_null(stage.broken);
	assert_true(stint_starts_with(
		stage.first_path, "/api/v1/namespaces/stint-system/services/https:stint-scheduler:https/proxy/v1/why/p/job-"));
	end(&stage);
}

static void an_answer_is_in_the_row(void **state)
{
	(void)state;
	struct stage stage = {.endpoint = "https://127.0.0.1:1", .answers = true};
	begin(&stage, NULL);
	run_until(stage.api.loop, &stage.enough);
	int known = 0;
	const struct tui_world *world = stage.run.app->now.world;
	for (size_t at = 0; at < world->waiting_count; at++) {
		const int64_t starts_ms = tui_starts_at(&stage.run.app->starts, world->waiting[at].workload->uid, stint_now_ms());
		known += starts_ms > stint_now_ms() + 3000 * 1000 && starts_ms <= stint_now_ms() + 3600 * 1000;
	}
	assert_true(known >= 2);
	end(&stage);
}

static void who_acts_as_somebody_else_asks_nothing(void **state)
{
	(void)state;
	struct stage stage = {.endpoint = "https://127.0.0.1:1", .answers = true};
	begin(&stage, "bob");
	run_until(stage.api.loop, &stage.lease_read);
	turn_for(&stage, 2 * LOOK_MS);
	assert_int_equal(stage.asked, 0);
	end(&stage);
}

static void a_scheduler_that_does_not_answer_is_left_alone_for_a_while(void **state)
{
	(void)state;
	struct stage stage = {.endpoint = "https://127.0.0.1:1", .answers = false};
	begin(&stage, NULL);
	run_until(stage.api.loop, &stage.enough);
	turn_for(&stage, 2 * LOOK_MS);
	assert_int_equal(stage.asked, 1);
	end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_asked_for_one_by_one_at_a_pace_and_through_the_api_server),
		cmocka_unit_test(an_answer_is_in_the_row),
		cmocka_unit_test(who_acts_as_somebody_else_asks_nothing),
		cmocka_unit_test(a_scheduler_that_does_not_answer_is_left_alone_for_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
