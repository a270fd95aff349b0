/*
 * evicted: what the scheduler has taken places away from, the latest first: who, why, for whom, and what was lost.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/tui/views/common.h"

static const struct tui_victim *of(const void *item)
{
	return item;
}

static void show_last(const void *item, const struct tui_now *now, struct tui_field *out)
{
	view_age(out, of(item)->at_ms, now->ms);
}

static double last_number(const void *item, const struct tui_now *now)
{
	return of(item)->at_ms < 0 ? NAN : (double)(now->ms - of(item)->at_ms);
}

static const char *name_text(const void *item)
{
	return of(item)->name;
}

static void show_name(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", name_text(item));
}

static const char *project_text(const void *item)
{
	return of(item)->project;
}

static void show_project(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, tui_project_role(project_text(item)), "%s", project_text(item));
}

static const char *pod_text(const void *item)
{
	return of(item)->pod;
}

static void show_pod(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", pod_text(item));
}

static const char *reason_text(const void *item)
{
	return of(item)->reason;
}

static void show_reason(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_WARN, "%s", of(item)->reason ? of(item)->reason : "?");
}

static const char *whom_text(const void *item)
{
	return of(item)->whom;
}

static void show_whom(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, of(item)->whom ? TUI_TEXT : TUI_DIM, "%s", of(item)->whom ? of(item)->whom : "-");
}

static void show_lost(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	view_lost(of(item), out);
}

static double lost_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->gpus < 0 || of(item)->ran_ms < 0 ? NAN : of(item)->gpus * (double)of(item)->ran_ms;
}

static const char *state_text(const void *item)
{
	return of(item)->workload ? stint_workload_phase_name(of(item)->workload->phase) : "gone";
}

static void show_state(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	const struct stint_workload *workload = of(item)->workload;
	tui_field_set(out, workload ? view_phase_role(workload->phase) : TUI_DIM, "%s", state_text(item));
}

static const char *why_text(const void *item)
{
	return of(item)->why;
}

static void show_why(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", of(item)->why ? of(item)->why : "");
}

/* clang-format off */
static const struct tui_column columns[] = {
	{.name = "last", .title = "LAST", .least = 5, .most = 8, .flags = TUI_RIGHT, .show = show_last, .number = last_number},
	{.name = "name", .title = "NAME", .least = 12, .most = 40, .flags = TUI_SEARCHED, .show = show_name, .text = name_text},
	{.name = "project", .title = "PROJECT", .least = 7, .most = 24, .rank = 3, .flags = TUI_SEARCHED, .show = show_project, .text = project_text},
	{.name = "reason", .title = "REASON", .least = 9, .most = 16, .flags = TUI_SEARCHED, .show = show_reason, .text = reason_text},
	{.name = "for", .title = "FOR", .least = 10, .most = 32, .rank = 2, .flags = TUI_SEARCHED, .show = show_whom, .text = whom_text},
	{.name = "lost", .title = "LOST", .least = 12, .most = 24, .rank = 1, .show = show_lost, .number = lost_number},
	{.name = "state", .title = "NOW", .least = 7, .most = 10, .rank = 6, .flags = TUI_SEARCHED, .show = show_state, .text = state_text},
	{.name = "pod", .title = "POD", .least = 12, .most = 44, .rank = 7, .flags = TUI_SEARCHED, .show = show_pod, .text = pod_text},
	{.name = "why", .title = "WHY", .least = 18, .most = 200, .rank = 4, .flags = TUI_SEARCHED | TUI_FLEXIBLE, .show = show_why, .text = why_text},
	{.name = NULL},
};
/* clang-format on */

static const char *id_of(const void *item)
{
	return of(item)->uid ? of(item)->uid : of(item)->pod;
}

static const struct stint_pairs *labels_of(const void *item)
{
	const struct stint_workload *workload = of(item)->workload;
	return workload && workload->owner ? &workload->owner->meta.labels : NULL;
}

static void collect(const struct tui_now *now, void (*add)(void *list, const void *item), void *list)
{
	for (size_t at = 0; at < now->world->victims_count; at++)
		add(list, &now->world->victims[at]);
}

/* The workload as it is now: what is done from here is done to that, by its uid. */
static void about(const void *item, struct tui_about *out)
{
	tui_about_set(out, TUI_A_WORKLOAD, of(item)->project, of(item)->name, of(item)->workload ? of(item)->workload->uid : "gone");
}

static const struct tui_list_kind list = {
	.columns = columns, .nothing = "no eviction is remembered", .id = id_of, .labels = labels_of, .collect = collect};
const struct tui_view tui_view_evicted = {.name = "evicted", .title = "Evicted", .where = TUI_IN_LIST, .list = &list, .about = about};
