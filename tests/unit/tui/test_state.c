/* What the state makes of the scheduler's Lease and of past use: an order that is made without something says so, and no other one does. */
#include "cli/tui/state.h"

#include "tests/unit/kube/fake_server.h"

#define POLICY "\"stint.dev/policy\":\"{\\\"usage_factor\\\":4}\""
#define OLD_POLICY "\"stint.dev/policy\":\"{}\""
#define USAGE "{\"version\":1,\"at\":1,\"cluster\":{\"cpu\":1,\"memory\":1,\"gpu\":1},\"queues\":{}}"

static const char absent[] = "404 Not Found";
static const char forbidden[] = "403 Forbidden";

struct stage {
	const char *told; /* annotations of the Lease; NULL: it may not be read; "absent": there is none */
	const char *map; /* how the ConfigMap is answered; NULL: it is there */
	const char *groups; /* likewise of the list of PodGroups */
	const char *pool; /* label of a queue; NULL: there is no queue */
	struct tui_state *state;
	bool complete;
};

static void refuse(struct fake_connection *connection, const char *status)
{
	stint_autofree char *body = stint_format("{\"kind\":\"Status\",\"reason\":\"%s\",\"code\":%.3s,\"message\":\"no\"}",
		*status == '4' && status[2] == '4' ? "NotFound" : "Forbidden", status);
	fake_answer(connection, status, "", body);
}

static void answer(struct fake_connection *connection, const struct fake_request *request)
{
	const struct stage *stage = connection->server->user;
	stint_autofree char *body = NULL;
	if (strstr(request->target, "/leases/")) {
		if (stage->told && strcmp(stage->told, "absent") == 0)
			refuse(connection, absent);
		else if (stage->told)
			body = stint_format("{\"metadata\":{\"annotations\":{%s}},\"spec\":{\"holderIdentity\":\"a\"}}", stage->told);
		else
			refuse(connection, forbidden);
	} else if (strstr(request->target, "/configmaps/stint-usage")) {
		if (stage->map) {
			refuse(connection, stage->map);
			return;
		}
		stint_auto_json *map = stint_json_new_object();
		stint_json_set_string(stint_json_ensure_object(map, "data"), "usage", USAGE);
		body = stint_json_print(map);
	} else if (strstr(request->target, "/podgroups") && stage->groups) {
		refuse(connection, stage->groups);
	} else if (strstr(request->target, "watch=")) {
		return; /* nothing changes */
	} else if (strstr(request->target, "/queues") && stage->pool) {
		body = stint_format("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":\"q\",\"uid\":\"q\","
				    "\"labels\":{\"kai.scheduler/node-pool\":\"%s\"}},\"spec\":{}}]}",
			stage->pool);
	} else if (strstr(request->target, "/api/v1/pods") && stage->groups == forbidden) {
		body = stint_strdup(
			"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":\"p\",\"namespace\":\"a\",\"uid\":"
			"\"u\","
			"\"annotations\":{\"pod-group-name\":\"g\"}},\"spec\":{\"schedulerName\":\"stint-scheduler\",\"containers\":[]},"
			"\"status\":{\"phase\":\"Pending\"}}]}");
	} else {
		body = stint_strdup("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
	}
	if (body)
		fake_answer(connection, "200 OK", "", body);
}

static void on_change(void *user)
{
	struct stage *stage = user;
	stage->complete = stage->state && tui_state_is_complete(stage->state);
}

static const struct {
	const char *told, *map, *groups, *pool;
	const char *doubt; /* a word of what is said; NULL: nothing is */
} cases[] = {
	{POLICY, absent, NULL, NULL, NULL}, /* past use does not count */
	{POLICY ",\"stint.dev/usage-half-life-seconds\":\"\"", forbidden, NULL, NULL, NULL}, /* nor here, and it could not be read */
	{POLICY ",\"stint.dev/usage-half-life-seconds\":\"3600\"", NULL, NULL, NULL, NULL},
	{POLICY ",\"stint.dev/usage-half-life-seconds\":\"3600\"", forbidden, NULL, NULL, "past use"},
	{NULL, forbidden, NULL, NULL, "past use"}, /* nobody says whether it counts */
	{NULL, NULL, NULL, NULL, "--usage-factor"},
	{OLD_POLICY ",\"stint.dev/usage-half-life-seconds\":\"3600\"", NULL, NULL, NULL, "--usage-factor"},
	{POLICY, absent, absent, NULL, NULL}, /* a cluster without such a kind */
	{POLICY, absent, forbidden, NULL, "PodGroup objects"}, {"absent", absent, NULL, "h100", "each node pool"},
	{"absent", absent, NULL, "", NULL}, {POLICY, absent, NULL, "h100", NULL}, /* a scheduler of all pools works */
};

static void what_the_order_is_made_without_is_said(void **state)
{
	(void)state;
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		struct stage stage = {.told = cases[at].told, .map = cases[at].map, .groups = cases[at].groups, .pool = cases[at].pool};
		struct fake_api api;
		fake_api_open(&api, answer, &stage);
		static const char *const names[] = {"stint-scheduler", NULL};
		stage.state = tui_state_open(
			api.kube, &(struct tui_state_options){.scheduler_names = names, .on_change = on_change, .user = &stage});
		run_until(api.loop, &stage.complete);
		const struct tui_world *world = tui_state_world(stage.state, stint_now_ms());
		assert_non_null(world);
		const char *doubt = world->line_doubt;
		stint_autofree char *alarm = tui_state_scheduler(stage.state, stint_now_ms());
		const bool nobody = cases[at].told && strcmp(cases[at].told, "absent") == 0 && !*cases[at].pool;
		if ((alarm != NULL) != nobody)
			fail_msg("case %zu: \"%s\" of the scheduler", at, alarm ? alarm : "nothing");
		if (cases[at].doubt ? !doubt || !strstr(doubt, cases[at].doubt) : doubt != NULL)
			fail_msg("case %zu: \"%s\"", at, doubt ? doubt : "nothing");
		tui_state_close(stage.state);
		fake_api_close(&api);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_the_order_is_made_without_is_said)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
