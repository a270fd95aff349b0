/*
 * events: what has happened, the latest first.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/tui/views/common.h"

static const struct stint_event *of(const void *item)
{
	return item;
}

static void show_last(const void *item, const struct tui_now *now, struct tui_field *out)
{
	view_age(out, of(item)->last_ms, now->ms);
}

static double last_number(const void *item, const struct tui_now *now)
{
	return of(item)->last_ms < 0 ? NAN : (double)(now->ms - of(item)->last_ms);
}

static const char *type_text(const void *item)
{
	return of(item)->type;
}

static bool is_warning(const void *item)
{
	return of(item)->type && strcmp(of(item)->type, "Warning") == 0;
}

static void show_type(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, is_warning(item) ? TUI_WARN : TUI_DIM, "%s", of(item)->type ? of(item)->type : "?");
}

static const char *reason_text(const void *item)
{
	return of(item)->reason;
}

static void show_reason(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, is_warning(item) ? TUI_WARN : TUI_TEXT, "%s", of(item)->reason ? of(item)->reason : "");
}

static const char *object_text(const void *item)
{
	return of(item)->about_name;
}

static void show_object(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s/%s", of(item)->about_kind ? of(item)->about_kind : "?",
		of(item)->about_name ? of(item)->about_name : "?");
}

static const char *project_text(const void *item)
{
	return of(item)->about_space ? of(item)->about_space : of(item)->meta.space;
}

static void show_project(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, tui_project_role(project_text(item)), "%s", project_text(item) ? project_text(item) : "-");
}

static void show_count(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, of(item)->count > 1 ? TUI_TEXT : TUI_DIM, "%d", (int)of(item)->count);
}

static double count_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->count;
}

static const char *from_text(const void *item)
{
	return of(item)->component;
}

static void show_from(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", from_text(item) ? from_text(item) : "-");
}

static const char *message_text(const void *item)
{
	return of(item)->message;
}

static void show_message(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", message_text(item) ? message_text(item) : "");
	for (char *at = out->text; *at; at++)
		*at = *at == '\n' ? ' ' : *at;
}

/* clang-format off */
static const struct tui_column columns[] = {
	{.name = "last", .title = "LAST", .least = 5, .most = 8, .flags = TUI_RIGHT, .show = show_last, .number = last_number},
	{.name = "type", .title = "TYPE", .least = 7, .most = 8, .rank = 7, .flags = TUI_SEARCHED, .show = show_type, .text = type_text},
	{.name = "reason", .title = "REASON", .least = 10, .most = 26, .flags = TUI_SEARCHED, .show = show_reason, .text = reason_text},
	{.name = "project", .title = "PROJECT", .least = 7, .most = 24, .rank = 3, .flags = TUI_SEARCHED, .show = show_project, .text = project_text},
	{.name = "object", .title = "OBJECT", .least = 12, .most = 44, .rank = 2, .flags = TUI_SEARCHED, .show = show_object, .text = object_text},
	{.name = "count", .title = "COUNT", .least = 5, .most = 6, .rank = 5, .flags = TUI_RIGHT, .show = show_count, .number = count_number},
	{.name = "from", .title = "FROM", .least = 8, .most = 24, .rank = 6, .flags = TUI_SEARCHED | TUI_HIDDEN, .show = show_from, .text = from_text},
	{.name = "message", .title = "MESSAGE", .least = 30, .most = 250, .rank = 1, .flags = TUI_SEARCHED | TUI_FLEXIBLE, .show = show_message, .text = message_text},
	{.name = NULL},
};
/* clang-format on */

static const char *id_of(const void *item)
{
	return of(item)->meta.uid ? of(item)->meta.uid : of(item)->meta.name;
}

static const struct stint_pairs *labels_of(const void *item)
{
	return &of(item)->meta.labels;
}

static void collect(const struct tui_now *now, void (*add)(void *list, const void *item), void *list)
{
	for (size_t at = 0; at < now->world->events_count; at++)
		add(list, now->world->events[at]);
}

static void about(const void *item, struct tui_about *out)
{
	tui_about_set(out, TUI_AN_EVENT, of(item)->meta.space, of(item)->meta.name, of(item)->meta.uid);
}

static const struct tui_list_kind list = {
	.columns = columns, .nothing = "no events are remembered", .id = id_of, .labels = labels_of, .collect = collect};
const struct tui_view tui_view_events = {.name = "events", .title = "Events", .where = TUI_IN_LIST, .list = &list, .about = about};
