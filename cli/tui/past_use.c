/*
 * past_use: see past_use.h. Owns a timer, at most one request, and what was read last.
 */
#include "cli/tui/past_use.h"

#include <stdlib.h>
#include <string.h>

#include <stint/workload.h>

#include "cli/scheduler_lease.h"

enum { EACH_MS = 60000, LIMIT_MS = 3000, MOST_FACTOR = 100 };

struct tui_past_use {
	struct stint_kube *kube;
	void (*on_change)(void *user);
	void *user;
	struct stint_timer *due;
	struct stint_kube_call *call;
	size_t space; /* which namespace is asked: where the scheduler has its Lease, it has this */
	struct tui_usage *usage;
	bool settled;
	bool denied; /* in some namespace, and it was in no other */
};

static void ask(void *user);

static void on_answer(void *user, struct stint_kube_response *response)
{
	struct tui_past_use *past = user;
	past->call = NULL;
	stint_auto_json *map = response->error ? NULL : stint_json_parse(response->body.data, response->body.length, 0, NULL);
	const char *text = stint_json_string_at(map, "data", "usage");
	past->denied = (past->denied && past->space) || (response->error && response->error->code != STINT_NOT_FOUND);
	if (!text && ++past->space < CLI_LEASE_SPACES) {
		ask(past);
		return;
	}
	past->space = 0;
	tui_usage_free(past->usage);
	past->usage = text ? tui_usage_parse(text) : NULL;
	past->settled = true;
	stint_timer_set(past->due, EACH_MS);
	past->on_change(past->user);
}

static void ask(void *user)
{
	struct tui_past_use *past = user;
	past->call = stint_kube_call_start(past->kube,
		&(struct stint_kube_request){.resource = &stint_kube_configmaps,
			.namespace_ = cli_lease_spaces[past->space],
			.name = "stint-usage",
			.timeout_ms = LIMIT_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_answer,
			.user = past});
}

struct tui_past_use *tui_past_use_start(struct stint_kube *kube, void (*on_change)(void *user), void *user)
{
	struct tui_past_use *past = stint_alloc(sizeof *past);
	*past = (struct tui_past_use){.kube = kube, .on_change = on_change, .user = user};
	past->due = stint_timer_new(stint_kube_loop(kube), ask, past);
	ask(past);
	return past;
}

void tui_past_use_free(struct tui_past_use *past)
{
	if (!past)
		return;
	stint_timer_free(past->due);
	stint_kube_call_cancel(past->call);
	tui_usage_free(past->usage);
	free(past);
}

bool tui_past_use_settled(const struct tui_past_use *past)
{
	return past->settled;
}

const struct tui_usage *tui_past_use_usage(const struct tui_past_use *past)
{
	return past->usage;
}

bool tui_past_use_factor(const struct stint_json *lease, double *factor)
{
	const char *text = stint_json_string_at(lease, "metadata", "annotations", STINT_ANNOTATION_POLICY);
	stint_auto_json *policy = text ? stint_json_parse(text, strlen(text), 0, NULL) : NULL;
	return stint_json_double(stint_json_get(policy, "usage_factor"), factor) && *factor >= 0 && *factor <= MOST_FACTOR;
}

bool tui_past_use_known(const struct tui_past_use *past, const struct stint_json *lease)
{
	/* One that has told its policy tells a half-life as well, if it reckons with past use. */
	const struct stint_json *told = stint_json_at(lease, "metadata", "annotations");
	const char *half_life = stint_json_string_at(told, STINT_ANNOTATION_HALF_LIFE);
	const bool may_count = !stint_json_get(told, STINT_ANNOTATION_POLICY) || (half_life && half_life[0]);
	return past->usage || !past->denied || !may_count;
}
