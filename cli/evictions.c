/*
 * evictions: see evictions.h. Holds no state: sums stand in the items.
 */
#include "cli/evictions.h"

#include <string.h>

/* The scheduler's words (scheduler/evictor.c), and those of kubelets and of whoever drains nodes. */
static bool is_eviction(const struct stint_event *event)
{
	static const char *const words[] = {"Reclaimed", "Preempted", "Moved", "GangIncomplete", "Evicted", "TaintManagerEviction"};
	for (size_t i = 0; i < STINT_COUNT(words); i++) {
		if (event->reason && strcmp(event->reason, words[i]) == 0)
			return event->about_kind && strcmp(event->about_kind, "Pod") == 0;
	}
	return false;
}

void cli_evictions_add(struct stint_json *item, const struct stint_event *event)
{
	char last[STINT_TIME_SIZE];
	const char *created = stint_json_string_or(stint_json_get(item, "created"), "");
	int64_t created_ms;
	if (!is_eviction(event) || event->last_ms < 0 ||
		(stint_time_parse(created, strlen(created), &created_ms) && event->last_ms < created_ms))
		return;
	struct stint_json *sum = stint_json_ensure_object(item, "evictions");
	const int64_t pods = stint_json_int_or(stint_json_get(sum, "pods"), 0);
	stint_json_set_int(sum, "pods", pods + (event->count > 0 ? event->count : 1));
	stint_time_format(event->last_ms, last);
	if (strcmp(stint_json_string_or(stint_json_get(sum, "last"), ""), last) > 0)
		return;
	stint_json_set_string(sum, "last", last);
	stint_json_set_string(sum, "reason", event->reason);
	stint_json_set_string(sum, "message", event->message ? event->message : "");
}

/* How much of the pod's name is the workload's; 0: it is of another one. */
static size_t shared_length(const struct stint_json *item, const struct stint_event *event)
{
	const char *name = stint_json_string_or(stint_json_get(item, "name"), "");
	const size_t length = strlen(name);
	if (strcmp(stint_json_string_or(stint_json_get(item, "project"), ""), event->about_space ? event->about_space : "") != 0 ||
		!event->about_name || !stint_starts_with(event->about_name, name))
		return 0;
	return event->about_name[length] == '\0' || event->about_name[length] == '-' ? length : 0;
}

void cli_evictions_find(struct stint_json *items, const struct stint_event *event)
{
	struct stint_json *best = NULL;
	size_t most = 0;
	if (!is_eviction(event))
		return;
	for (struct stint_json *item = stint_json_first(items); item; item = stint_json_next(item)) {
		const size_t shared = shared_length(item, event);
		if (shared > most) {
			most = shared;
			best = item;
		}
	}
	if (best)
		cli_evictions_add(best, event);
}

char *cli_evictions_text(const struct stint_json *item, int64_t now_ms)
{
	const struct stint_json *sum = stint_json_get(item, "evictions");
	const char *last = stint_json_string_or(stint_json_get(sum, "last"), "");
	const long long pods = stint_json_int_or(stint_json_get(sum, "pods"), 0);
	int64_t last_ms;
	char ago[STINT_TIME_SIZE];
	if (!pods || !stint_time_parse(last, strlen(last), &last_ms))
		return NULL;
	const char *message = stint_json_string_or(stint_json_get(sum, "message"), "");
	if (stint_starts_with(message, "Evicted: ")) /* the events of our own scheduler */
		message += strlen("Evicted: ");
	stint_duration_format(now_ms > last_ms ? now_ms - last_ms : 0, ago);
	return stint_format("%lld pod%s, the last %s ago: %s: %s", pods, pods == 1 ? "" : "s", ago,
		stint_json_string_or(stint_json_get(sum, "reason"), ""), message);
}
