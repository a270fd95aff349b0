/*
 * events: what has happened in a project, or to one workload.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/events.h"
#include "cli/live.h"
#include "cli/output/output.h"

/* ---- an Event ---------------------------------------------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static bool is_named_after(const char *text, const char *name)
{
	const size_t length = strlen(name);
	return text && !strncmp(text, name, length) && (text[length] == '\0' || text[length] == '-');
}

/* A Deployment's ReplicaSet has its name and a hash; while it has no pods nothing else leads to it. */
static bool is_replicaset_of(const char *text, const char *name)
{
	return text && is_named_after(text, name) && text[strlen(name)] == '-' && !strchr(text + strlen(name) + 1, '-');
}

bool cli_event_is_about(const struct stint_event *event, const struct stint_workload *workload, const char *name)
{
	if (!workload)
		return is_named_after(event->about_name, name);
	if (same(event->about_uid, workload->uid))
		return true;
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_pod *pod = workload->pods[at];
		if (same(event->about_uid, pod->meta.uid) || same(event->about_uid, pod->meta.owner.uid))
			return true;
	}
	if (same(event->about_kind, "ReplicaSet") && same(workload->kind, "Deployment") && same(event->about_space, workload->project) &&
		is_replicaset_of(event->about_name, workload->name))
		return true;
	/* Pods that are gone were named after their owner. */
	return same(event->about_kind, "Pod") && is_named_after(event->about_name, workload->name) &&
		same(event->about_space, workload->project);
}

static void set_text(struct stint_json *item, const char *key, const char *text)
{
	if (text)
		stint_json_set_string(item, key, text);
}

static void set_time(struct stint_json *item, const char *key, int64_t ms)
{
	char text[STINT_TIME_SIZE];
	if (ms >= 0)
		stint_json_set_string(item, key, stint_time_format(ms, text));
}

struct stint_json *cli_event_item(const struct stint_event *event)
{
	struct stint_json *item = stint_json_new_object();
	set_text(item, "name", event->meta.name);
	set_text(item, "project", event->meta.space);
	set_text(item, "kind", event->about_kind);
	set_text(item, "object", event->about_name);
	set_text(item, "type", event->type);
	set_text(item, "reason", event->reason);
	set_text(item, "message", event->message);
	stint_json_set_int(item, "count", event->count);
	set_text(item, "component", event->component);
	set_time(item, "first", event->first_ms);
	set_time(item, "last", event->last_ms);
	return item;
}

/* ---- cells ------------------------------------------------------------------------------------------------------------------------- */

static char *show_last(const struct stint_json *item)
{
	return cli_show_age(stint_json_string(stint_json_get(item, "last")), stint_now_ms());
}

static char *show_object(const struct stint_json *item)
{
	char *text = stint_format(
		"%s/%s", stint_json_string_or(stint_json_get(item, "kind"), ""), stint_json_string_or(stint_json_get(item, "object"), ""));
	for (char *at = text; *at && *at != '/'; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
	return text;
}

static char *resource_name(const struct stint_json *item)
{
	return stint_format("event/%s", stint_json_string_or(stint_json_get(item, "name"), ""));
}

#define EVENT_COLUMNS                                                                                             \
	{"LAST", "last", show_last, CLI_RIGHT}, {"TYPE", "type", NULL, CLI_STATE}, {"REASON", "reason", NULL, 0}, \
		{"OBJECT", "object", show_object, 0}, {"COUNT", "count", NULL, CLI_RIGHT | CLI_WIDE},             \
		{"FROM", "component", NULL, CLI_WIDE}, {"MESSAGE", "message", NULL, CLI_WRAP},                    \
	{                                                                                                         \
		NULL, NULL, NULL, 0                                                                               \
	}
static const struct cli_column columns[] = {EVENT_COLUMNS};
static const struct cli_column columns_with_project[] = {{"PROJECT", "project", NULL, 0}, EVENT_COLUMNS};
static const struct cli_list list_of_one = {
	.api_version = "stint.dev/v1", .kind = "EventList", .columns = columns, .name = resource_name, .sort = "last"};
static const struct cli_list list_of_all = {
	.api_version = "stint.dev/v1", .kind = "EventList", .columns = columns_with_project, .name = resource_name, .sort = "last"};

/* ---- the verb ---------------------------------------------------------------------------------------------------------------------- */

struct filter {
	const char *project; /* NULL: all */
	const char *workload; /* NULL: all */
	const char *type;
	int64_t since_ms; /* wall clock; 0: all */
};

static const struct stint_workload *find(struct cli_live *live, const struct filter *filter)
{
	return filter->workload ? stint_workload_set_find(cli_live_workloads(live), filter->project, filter->workload) : NULL;
}

/* Event times have seconds. Within one the server's count of changes tells, as far as it is a number. */
static int by_time(const void *left, const void *right)
{
	const struct stint_event *const *a = left, *const *b = right;
	int64_t a_count = 0, b_count = 0;
	if ((*a)->last_ms != (*b)->last_ms)
		return (*a)->last_ms < (*b)->last_ms ? -1 : 1;
	if (!stint_parse_int((*a)->meta.resource_version, 0, INT64_MAX, &a_count) ||
		!stint_parse_int((*b)->meta.resource_version, 0, INT64_MAX, &b_count))
		return strcmp((*a)->meta.name, (*b)->meta.name);
	return (a_count > b_count) - (a_count < b_count);
}

static bool is_told_by_kubelet(const struct stint_event *event)
{
	return same(event->component, "kubelet");
}

/*
 * Whoever decides about a pod writes that after the deed, and the node may have told of the consequences by then: within one second, what
 * the kubelet says of a pod comes after what others say of it.
 */
static void put_decisions_first(const struct stint_event **events, size_t count)
{
	for (size_t at = 1; at < count; at++) {
		const struct stint_event *event = events[at];
		size_t to = at;
		if (is_told_by_kubelet(event) || !event->about_uid)
			continue;
		for (size_t i = at; i > 0 && events[i - 1]->last_ms == event->last_ms; i--)
			if (is_told_by_kubelet(events[i - 1]) && same(events[i - 1]->about_uid, event->about_uid))
				to = i - 1;
		memmove(&events[to + 1], &events[to], (at - to) * sizeof *events);
		events[to] = event;
	}
}

static struct stint_json *items_of(struct cli_live *live, const void *user)
{
	const struct filter *filter = user;
	const struct stint_workload *workload = find(live, filter);
	struct stint_json *items = stint_json_new_array();
	struct stint_object *object;
	stint_autofree const struct stint_event **events = NULL;
	size_t count = 0, capacity = 0;
	for (size_t at = 0; (object = cli_live_next(live, CLI_LIVE_EVENTS, &at));) {
		const struct stint_event *event = stint_event_of(object);
		if (filter->type && (!event->type || strcasecmp(event->type, filter->type) != 0))
			continue;
		if (event->last_ms < filter->since_ms || (filter->workload && !cli_event_is_about(event, workload, filter->workload)))
			continue;
		stint_grow(&events, &capacity, count + 1, sizeof *events);
		events[count++] = event;
	}
	if (count)
		qsort(events, count, sizeof *events, by_time);
	put_decisions_first(events, count);
	for (size_t at = 0; at < count; at++)
		stint_json_append(items, cli_event_item(events[at]));
	return items;
}

static int print(struct cli_context *ctx, struct cli_live *live, const struct filter *filter)
{
	stint_auto_json *items = items_of(live, filter);
	if (filter->workload && !stint_json_first(items) && !find(live, filter)) {
		cli_live_close(live);
		return cli_fail(ctx, STINT_NOT_FOUND,
			"project \"%s\" has no workload \"%s\", and no event speaks of one: \"stint list -p %s\" shows what it has",
			filter->project, filter->workload, filter->project);
	}
	/* Events are a stream: on a terminal too, new ones come below. */
	if (cli_switch(ctx, "watch"))
		ctx->columns = 0;
	stint_autofree char *nothing = filter->project ? stint_format("there are no such events in project \"%s\"", filter->project)
						       : stint_strdup("there are no such events in any project that you can see");
	return cli_live_print(ctx, live, filter->project ? &list_of_one : &list_of_all, items_of, filter, nothing);
}

static int run(struct cli_context *ctx)
{
	struct filter filter = {.workload = cli_positional(ctx, 0), .type = cli_text(ctx, "type")};
	if (!cli_scope(ctx, &filter.project))
		return cli_failed(ctx);
	if (filter.workload && !filter.project)
		return cli_fail(ctx, STINT_USAGE, "a workload is in one project: name it with -p instead of -A");
	if (cli_given(ctx, "since"))
		filter.since_ms = stint_now_ms() - cli_duration_ms(ctx, "since");
	const unsigned parts = CLI_LIVE_EVENTS | (filter.workload ? CLI_LIVE_PODS | CLI_LIVE_OWNERS : 0);
	struct cli_live *live = cli_live_open(ctx, parts, CLI_LIVE_EVENTS, filter.project, NULL);
	return live ? print(ctx, live, &filter) : cli_failed(ctx);
}

static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "only events of this workload, its owner and its pods", .source = CLI_WORKLOAD_NAMES, .optional = true},
	{.name = NULL},
};
static const struct cli_flag flags[] = {
	{.name = "type", .type = CLI_CHOICE, .argument = "TYPE", .choices = "normal|warning", .help = "only events of this type"},
	{.name = "since", .type = CLI_DURATION, .argument = "DURATION", .help = "only events of the last while, as 10m"},
	{.name = NULL},
};

const struct cli_command cli_command_events = {
	.name = "events",
	.aliases = "event|ev",
	.group = CLI_INSIGHT,
	.summary = "See what has happened",
	.description = "The events of the project in the order of time, the last one last. The cluster forgets them after about an hour.",
	.examples = "stint events\n"
		    "stint events train --type warning\n"
		    "stint events -A --since 10m --watch",
	.positionals = positionals,
	.flags = flags,
	.sets = CLI_SET_LIST,
	.list = &list_of_all,
	.formats = CLI_FORMATS_LIST,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN),
	.run = run,
};
