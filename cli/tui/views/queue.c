/*
 * queue: what waits, in the order in which the scheduler will try it, with what holds each back.
 */
#include <math.h>
#include <string.h>

#include "cli/tui/views/common.h"

static const struct tui_waiting *of(const void *item)
{
	return item;
}

static void show_order(const void *item, const struct tui_now *now, struct tui_field *out)
{
	if (!of(item)->tried) {
		tui_field_set(out, TUI_DIM, "-");
		return;
	}
	tui_field_set(out, TUI_DIM, "%zu", (size_t)(of(item) - now->world->waiting) + 1);
}

static double order_number(const void *item, const struct tui_now *now)
{
	return (double)(of(item) - now->world->waiting);
}

static const char *name_text(const void *item)
{
	return of(item)->workload->name;
}

static void show_name(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", name_text(item));
}

static const char *project_text(const void *item)
{
	return tui_workload_project(of(item)->workload);
}

static void show_project(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, tui_project_role(project_text(item)), "%s", project_text(item));
}

static void show_position(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	if (of(item)->tried)
		tui_field_set(out, TUI_TEXT, "%u", of(item)->position);
	else
		tui_field_set(out, TUI_DIM, "-");
}

static double position_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->tried ? of(item)->position : NAN;
}

static const char *pools_text(const void *item)
{
	return of(item)->pools;
}

static void show_pools(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", pools_text(item) ? pools_text(item) : "");
}

static void show_priority(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%d", (int)of(item)->priority);
}

static double priority_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->priority;
}

static void show_asks(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	view_workload_gpus(of(item)->workload, out);
}

static double asks_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->asks < 0 ? NAN : of(item)->asks;
}

static void show_pods(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%d/%d", (int)of(item)->workload->pods_waiting, (int)of(item)->workload->pods_total);
}

static double pods_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->workload->pods_waiting;
}

static void show_age(const void *item, const struct tui_now *now, struct tui_field *out)
{
	view_age(out, of(item)->workload->created_ms, now->ms);
}

static double age_number(const void *item, const struct tui_now *now)
{
	const int64_t created_ms = of(item)->workload->created_ms;
	return created_ms < 0 ? NAN : (double)(now->ms - created_ms);
}

static void show_starts(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char age[STINT_TIME_SIZE];
	const int64_t at_ms = tui_starts_at(now->starts, of(item)->workload->uid, now->ms);
	if (at_ms < 0)
		tui_field_set(out, TUI_DIM, "-");
	else
		tui_field_set(out, TUI_GOOD, "%s", at_ms > now->ms ? stint_duration_format(at_ms - now->ms, age) : "now");
}

static double starts_number(const void *item, const struct tui_now *now)
{
	const int64_t at_ms = tui_starts_at(now->starts, of(item)->workload->uid, now->ms);
	return at_ms < 0 ? NAN : (double)at_ms;
}

static const char *reason_text(const void *item)
{
	return of(item)->workload->reason;
}

static void show_reason(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	const char *reason = reason_text(item);
	tui_field_set(out, of(item)->workload->never ? TUI_BAD : reason ? TUI_WARN : TUI_DIM, "%s", reason ? reason : "not judged yet");
}

static const char *bound_text(const void *item)
{
	return of(item)->workload->message;
}

static void show_bound(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", bound_text(item) ? bound_text(item) : "");
}

/* clang-format off */
static const struct tui_column columns[] = {
	{.name = "order", .title = "#", .least = 4, .most = 6, .flags = TUI_RIGHT, .show = show_order, .number = order_number},
	{.name = "name", .title = "NAME", .least = 12, .most = 40, .flags = TUI_SEARCHED, .show = show_name, .text = name_text},
	{.name = "project", .title = "PROJECT", .least = 7, .most = 24, .flags = TUI_SEARCHED, .show = show_project, .text = project_text},
	{.name = "position", .title = "IN IT", .least = 5, .most = 5, .rank = 6, .flags = TUI_RIGHT, .show = show_position, .number = position_number},
	{.name = "priority", .title = "PRIO", .least = 4, .most = 8, .rank = 5, .flags = TUI_RIGHT, .show = show_priority, .number = priority_number},
	{.name = "gpus", .title = "GPUS", .least = 4, .most = 9, .flags = TUI_RIGHT, .show = show_asks, .number = asks_number},
	{.name = "pools", .title = "NODE POOLS", .least = 10, .most = 24, .rank = 8, .flags = TUI_HIDDEN, .show = show_pools, .text = pools_text},
	{.name = "pods", .title = "WAITING", .least = 7, .most = 9, .rank = 7, .flags = TUI_RIGHT, .show = show_pods, .number = pods_number},
	{.name = "age", .title = "AGE", .least = 4, .most = 8, .rank = 1, .flags = TUI_RIGHT, .show = show_age, .number = age_number},
	{.name = "starts", .title = "STARTS", .least = 6, .most = 8, .rank = 4, .flags = TUI_RIGHT, .show = show_starts, .number = starts_number},
	{.name = "reason", .title = "REASON", .least = 10, .most = 24, .rank = 2, .flags = TUI_SEARCHED, .show = show_reason, .text = reason_text},
	{.name = "bound", .title = "HELD BACK BY", .least = 14, .most = 200, .rank = 3, .flags = TUI_SEARCHED | TUI_FLEXIBLE, .show = show_bound, .text = bound_text},
	{.name = NULL},
};
/* clang-format on */

static const char *id_of(const void *item)
{
	return of(item)->workload->uid;
}

static const struct stint_pairs *labels_of(const void *item)
{
	const struct stint_workload *workload = of(item)->workload;
	return workload->owner ? &workload->owner->meta.labels : workload->pods_count ? &workload->pods[0]->meta.labels : NULL;
}

static void collect(const struct tui_now *now, void (*add)(void *list, const void *item), void *list)
{
	for (size_t at = 0; at < now->world->waiting_count; at++)
		add(list, &now->world->waiting[at]);
}

static void about(const void *item, struct tui_about *out)
{
	const struct stint_workload *workload = of(item)->workload;
	tui_about_set(out, TUI_A_WORKLOAD, workload->project, workload->name, workload->uid);
}

static const struct tui_list_kind list = {
	.columns = columns, .nothing = "nothing waits", .id = id_of, .labels = labels_of, .collect = collect};
const struct tui_view tui_view_queue = {.name = "queue", .title = "Queue", .where = TUI_IN_LIST, .list = &list, .about = about};
