/*
 * heartbeat: see heartbeat.h. A round asks in each namespace where the Lease may lie, one after the other; what the round before has found holds
 * until it is over. An answer is judged by the time at which it came: what is old because nothing was asked for is no sign of a dead scheduler.
 */
#include "cli/tui/heartbeat.h"

#include <stdlib.h>

#include <stint/workload.h>

#include "cli/scheduler_lease.h"

enum { ROUND_MS = 5000, HIDDEN_MS = 60000, LIMIT_MS = 3000 };

struct tui_heartbeat {
	struct stint_kube *kube;
	void (*on_change)(void *user);
	void *user;
	struct stint_timer *due;
	struct stint_kube_call *call;
	size_t space; /* that is asked */
	struct stint_json *found; /* of the round under way */
	bool found_known;
	struct stint_json *lease; /* of the last one; NULL: there is none */
	bool known, settled;
	int64_t read_ms; /* when that was (wall clock) */
};

static void ask(void *user);

static void end_round(struct tui_heartbeat *heartbeat)
{
	stint_json_free(heartbeat->lease);
	heartbeat->known = heartbeat->found_known || heartbeat->found;
	heartbeat->lease = stint_steal(&heartbeat->found);
	heartbeat->read_ms = stint_now_ms();
	heartbeat->space = 0;
	heartbeat->settled = true;
	stint_timer_set(heartbeat->due, heartbeat->known ? ROUND_MS : HIDDEN_MS);
	heartbeat->on_change(heartbeat->user);
}

static void on_answer(void *user, struct stint_kube_response *response)
{
	struct tui_heartbeat *heartbeat = user;
	heartbeat->call = NULL;
	struct stint_json *lease =
		response->error ? NULL : stint_json_parse(response->body.data ? response->body.data : "", response->body.length, 0, NULL);
	heartbeat->found_known = heartbeat->found_known && (lease || (response->error && response->error->code == STINT_NOT_FOUND));
	if (cli_scheduler_lease_is_better(lease, heartbeat->found)) {
		stint_json_free(heartbeat->found);
		heartbeat->found = stint_steal(&lease);
	}
	stint_json_free(lease);
	if (++heartbeat->space < CLI_LEASE_SPACES)
		ask(heartbeat);
	else
		end_round(heartbeat);
}

static void ask(void *user)
{
	struct tui_heartbeat *heartbeat = user;
	if (heartbeat->space == 0)
		heartbeat->found_known = true;
	heartbeat->call = stint_kube_call_start(heartbeat->kube,
		&(struct stint_kube_request){.resource = &stint_kube_leases,
			.namespace_ = cli_lease_spaces[heartbeat->space],
			.name = STINT_SCHEDULER_NAME,
			.timeout_ms = LIMIT_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_answer,
			.user = heartbeat});
}

struct tui_heartbeat *tui_heartbeat_start(struct stint_kube *kube, void (*on_change)(void *user), void *user)
{
	struct tui_heartbeat *heartbeat = stint_alloc(sizeof *heartbeat);
	*heartbeat = (struct tui_heartbeat){.kube = kube, .on_change = on_change, .user = user};
	heartbeat->due = stint_timer_new(stint_kube_loop(kube), ask, heartbeat);
	ask(heartbeat);
	return heartbeat;
}

void tui_heartbeat_free(struct tui_heartbeat *heartbeat)
{
	if (!heartbeat)
		return;
	stint_timer_free(heartbeat->due);
	stint_kube_call_cancel(heartbeat->call);
	stint_json_free(heartbeat->found);
	stint_json_free(heartbeat->lease);
	free(heartbeat);
}

bool tui_heartbeat_settled(const struct tui_heartbeat *heartbeat)
{
	return heartbeat->settled;
}

const struct stint_json *tui_heartbeat_lease(const struct tui_heartbeat *heartbeat)
{
	return heartbeat->lease;
}

char *tui_heartbeat_trouble(const struct tui_heartbeat *heartbeat, int64_t now_ms)
{
	if (!heartbeat->known)
		return NULL;
	stint_autofree char *then = cli_scheduler_trouble(heartbeat->lease, heartbeat->read_ms);
	return then ? cli_scheduler_trouble(heartbeat->lease, now_ms) : NULL;
}
