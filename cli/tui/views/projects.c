/*
 * projects: departments with their projects: what they are due, what they have, what they lend and borrow.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/tui/views/common.h"

static const struct tui_project *of(const void *item)
{
	return item;
}

static const char *name_text(const void *item)
{
	return of(item)->name;
}

static void show_name(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, of(item)->is_department ? TUI_STRONG : tui_project_role(of(item)->name), "%*s%s", 2 * (int)of(item)->depth, "",
		of(item)->name);
}

static void draw_bar(const void *item, const struct tui_now *now, struct tui_area area, int y, int x, int width)
{
	double most = view_bar_most(now->world);
	if (of(item)->is_department)
		most = fmax(most, fmax(of(item)->quota, of(item)->allocated));
	view_quota_bar(of(item), most, area, y, x, width);
}

static double bar_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->quota > 0 && of(item)->allocated >= 0 ? of(item)->allocated / of(item)->quota : NAN;
}

static void show_quota(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char text[VIEW_WORD];
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", view_limit(of(item)->quota, of(item)->has_quota, text));
}

static double quota_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return !of(item)->has_quota ? NAN : of(item)->quota < 0 ? INFINITY : of(item)->quota;
}

static void show_fair(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char text[VIEW_WORD];
	(void)now;
	tui_field_set(out, of(item)->fair_share < 0 ? TUI_DIM : TUI_TEXT, "%s", view_gpus(of(item)->fair_share, text));
}

static double fair_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->fair_share < 0 ? NAN : of(item)->fair_share;
}

static void show_allocated(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char text[VIEW_WORD];
	(void)now;
	tui_field_set(out, of(item)->allocated < 0 ? TUI_DIM : TUI_TEXT, "%s", view_gpus(of(item)->allocated, text));
}

static double allocated_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->allocated < 0 ? NAN : of(item)->allocated;
}

static void show_amount(double amount, enum tui_role role, struct tui_field *out)
{
	char text[VIEW_WORD];
	if (amount == 0)
		tui_field_set(out, TUI_DIM, "-");
	else
		tui_field_set(out, amount < 0 ? TUI_DIM : role, "%s", view_gpus(amount, text));
}

static void show_borrowed(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	show_amount(of(item)->borrowed, TUI_BORROWED, out);
}

static double borrowed_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->borrowed < 0 ? NAN : of(item)->borrowed;
}

static void show_lent(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	show_amount(of(item)->lent, TUI_TEXT, out);
}

static double lent_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->lent < 0 ? NAN : of(item)->lent;
}

static void show_limit(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char text[VIEW_WORD];
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", view_limit(of(item)->limit, of(item)->has_limit, text));
}

static double limit_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return !of(item)->has_limit ? NAN : of(item)->limit < 0 ? INFINITY : of(item)->limit;
}

static void show_running(const void *item, const struct tui_now *now, struct tui_field *out)
{
	if (now->world->pods_known)
		tui_field_set(out, TUI_TEXT, "%u", of(item)->running);
	else
		tui_field_set(out, TUI_DIM, "?");
}

static double running_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->running;
}

static void show_waiting(const void *item, const struct tui_now *now, struct tui_field *out)
{
	if (!now->world->pods_known)
		tui_field_set(out, TUI_DIM, "?");
	else
		tui_field_set(out, of(item)->waiting ? TUI_WARN : TUI_TEXT, "%u", of(item)->waiting);
}

static double waiting_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->waiting;
}

static void show_wanted(const void *item, const struct tui_now *now, struct tui_field *out)
{
	char text[VIEW_WORD];
	(void)now;
	tui_field_set(out, of(item)->requested < 0 ? TUI_DIM : TUI_TEXT, "%s%s", view_gpus(of(item)->requested, text),
		of(item)->requested_unknown ? "+?" : "");
}

static double wanted_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->requested < 0 ? NAN : of(item)->requested;
}

static void show_weight(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%g", of(item)->weight);
}

static double weight_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->weight;
}

/* clang-format off */
static const struct tui_column columns[] = {
	{.name = "project", .title = "PROJECT", .least = 12, .most = 32, .flags = TUI_SEARCHED, .show = show_name, .text = name_text},
	{.name = "allocated", .title = "GPUS", .least = 5, .most = 9, .flags = TUI_RIGHT, .show = show_allocated, .number = allocated_number},
	{.name = "quota", .title = "QUOTA", .least = 5, .most = 9, .flags = TUI_RIGHT, .show = show_quota, .number = quota_number},
	{.name = "fair", .title = "FAIR", .least = 5, .most = 9, .rank = 2, .flags = TUI_RIGHT, .show = show_fair, .number = fair_number},
	{.name = "wanted", .title = "WANTED", .least = 6, .most = 10, .rank = 3, .flags = TUI_RIGHT, .show = show_wanted, .number = wanted_number},
	{.name = "borrowed", .title = "BORROWED", .least = 8, .most = 9, .rank = 5, .flags = TUI_RIGHT, .show = show_borrowed, .number = borrowed_number},
	{.name = "lent", .title = "LENT", .least = 5, .most = 9, .rank = 6, .flags = TUI_RIGHT, .show = show_lent, .number = lent_number},
	{.name = "limit", .title = "LIMIT", .least = 5, .most = 9, .rank = 7, .flags = TUI_RIGHT, .show = show_limit, .number = limit_number},
	{.name = "running", .title = "RUN", .least = 4, .most = 6, .rank = 4, .flags = TUI_RIGHT, .show = show_running, .number = running_number},
	{.name = "waiting", .title = "WAIT", .least = 4, .most = 6, .flags = TUI_RIGHT, .show = show_waiting, .number = waiting_number},
	{.name = "weight", .title = "WEIGHT", .least = 6, .most = 6, .rank = 8, .flags = TUI_RIGHT | TUI_HIDDEN, .show = show_weight, .number = weight_number},
	{.name = "bar", .title = "USE OF QUOTA", .least = 12, .most = 60, .rank = 1, .flags = TUI_FLEXIBLE, .draw = draw_bar, .number = bar_number},
	{.name = NULL},
};
/* clang-format on */

static const struct stint_pairs *labels_of(const void *item)
{
	return of(item)->queue ? &of(item)->queue->meta.labels : NULL;
}

static void collect(const struct tui_now *now, void (*add)(void *list, const void *item), void *list)
{
	for (size_t at = 0; at < now->world->projects_count; at++)
		add(list, &now->world->projects[at]);
}

static void about(const void *item, struct tui_about *out)
{
	tui_about_set(out, TUI_A_PROJECT, NULL, name_text(item), NULL);
}

static const struct tui_list_kind list = {
	.columns = columns, .nothing = "no projects are to be seen", .id = name_text, .labels = labels_of, .collect = collect};
const struct tui_view tui_view_projects = {.name = "projects", .title = "Projects", .where = TUI_IN_LIST, .list = &list, .about = about};
