/*
 * estimates: fills the column of expected starts of the queue view from the scheduler's why API: a request at a time, started by a timer and answered
 * by a handler, so that no key waits for it, and none while another view is shown.
 *
 * The ways to the scheduler are those of `stint why`: the URL that the person gives, the endpoint in its Lease, the API server's proxy. The first
 * that answers is kept; when none does, all of them rest.
 */
#include "cli/tui/run.h"

#include <stdlib.h>
#include <string.h>

#include "cli/scheduler_client.h"

enum { PACE_MS = 200, LOOK_MS = 1000, ASK_MS = 3000, RECORD_MAX = 1024 * 1024 };
enum way { BY_URL, BY_LEASE, BY_PROXY, WAYS };

struct tui_estimates {
	struct tui_run *run;
	const char *url; /* the person's; NULL: none */
	struct stint_timer *due;
	struct stint_kube_call *call;
	struct cli_scheduler_client *client; /* of the present way; NULL: the proxy, or not yet made */
	enum way way;
	char *uid; /* whose start is asked for */
	int64_t rests_until_ms; /* monotonic */
};

static void next_way(struct tui_estimates *estimates)
{
	cli_scheduler_client_free(stint_steal(&estimates->client));
	if (++estimates->way == WAYS) {
		estimates->way = BY_URL;
		estimates->rests_until_ms = stint_monotonic_ms() + TUI_STARTS_AGAIN_MS;
	}
}

static void on_answer(void *user, struct stint_kube_response *response)
{
	struct tui_estimates *estimates = user;
	struct tui_app *app = estimates->run->app;
	estimates->call = NULL;
	const struct stint_error *error = response->error;
	stint_auto_json *record =
		error ? NULL : stint_json_parse(response->body.data ? response->body.data : "", response->body.length, 0, NULL);
	/* Of a workload alone, that it has gone or may not be asked about, says nothing of the way. */
	const bool refusal = error && (strcmp(error->reason, "WorkloadNotFound") == 0 || strcmp(error->reason, "WorkloadForbidden") == 0);
	if (strcmp(stint_json_string_or(stint_json_get(record, "kind"), ""), "Why") == 0) {
		int64_t seconds;
		const int64_t now_ms = stint_now_ms();
		const bool known = stint_json_int(stint_json_get(record, "starts_in_s"), &seconds) && seconds >= 0 && seconds < INT32_MAX;
		tui_starts_answer(&app->starts, estimates->uid, known ? now_ms + seconds * 1000 : -1, now_ms);
		app->dirty = true;
		tui_run_draw_soon(estimates->run);
	} else if (!refusal) {
		next_way(estimates);
	}
	stint_timer_set(estimates->due, PACE_MS);
}

/* Where to ask now; NULL: this way does not exist. */
static struct stint_kube *way_to_scheduler(struct tui_estimates *estimates, const struct stint_json *lease)
{
	const char *url =
		estimates->way == BY_URL ? estimates->url : stint_json_string_at(lease, "metadata", "annotations", "stint.dev/endpoint");
	if (estimates->way == BY_PROXY)
		return lease ? estimates->run->kube : NULL;
	if (estimates->client && url && strcmp(cli_scheduler_client_server(estimates->client), url) != 0)
		cli_scheduler_client_free(stint_steal(&estimates->client)); /* another one leads now */
	if (!estimates->client && url)
		estimates->client = cli_scheduler_client_new(estimates->run->kube, url, lease, NULL, NULL);
	return estimates->client ? cli_scheduler_client_kube(estimates->client) : NULL;
}

static void ask(struct tui_estimates *estimates, const struct stint_workload *workload)
{
	const struct stint_json *lease = tui_state_lease(estimates->run->state);
	struct stint_kube *kube = way_to_scheduler(estimates, lease);
	while (!kube && estimates->way + 1 < WAYS) {
		next_way(estimates);
		kube = way_to_scheduler(estimates, lease);
	}
	if (!kube) {
		next_way(estimates);
		return;
	}
	stint_autofree char *direct = cli_why_path(workload->project, workload->name);
	stint_autofree char *path = estimates->way == BY_PROXY ? cli_why_proxy_path(lease, direct) : stint_strdup(direct);
	free(estimates->uid);
	estimates->uid = stint_strdup(workload->uid);
	tui_starts_ask(&estimates->run->app->starts, workload->uid, stint_now_ms());
	estimates->call = stint_kube_call_start(kube,
		&(struct stint_kube_request){.path = path,
			.timeout_ms = ASK_MS,
			.max_body_bytes = RECORD_MAX,
			.retry = STINT_KUBE_RETRY_NEVER,
			.token_header = "X-Stint-Token",
			.on_done = on_answer,
			.user = estimates});
}

static void look(void *user)
{
	struct tui_estimates *estimates = user;
	const struct tui_run *run = estimates->run;
	const bool rests = run->resting || !run->state || run->app->health.lost_ms || stint_monotonic_ms() < estimates->rests_until_ms ||
		!cli_scheduler_knows_caller(run->kube);
	const struct stint_workload *workload = rests || estimates->call ? NULL : tui_app_next_start(run->app, stint_now_ms());
	if (workload)
		ask(estimates, workload);
	if (!estimates->call)
		stint_timer_set(estimates->due, LOOK_MS);
}

void tui_estimates_start(struct tui_run *run)
{
	struct tui_estimates *estimates = stint_alloc(sizeof *estimates);
	const char *given = cli_text(run->ctx, "scheduler-url");
	*estimates = (struct tui_estimates){.run = run, .url = given ? given : cli_setting(run->ctx, "scheduler-url")};
	estimates->due = stint_timer_new(run->loop, look, estimates);
	stint_timer_set(estimates->due, LOOK_MS);
	run->estimates = estimates;
}

void tui_estimates_free(struct tui_estimates *estimates)
{
	if (!estimates)
		return;
	stint_timer_free(estimates->due);
	stint_kube_call_cancel(estimates->call);
	cli_scheduler_client_free(estimates->client);
	free(estimates->uid);
	free(estimates);
}
