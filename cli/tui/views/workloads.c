/*
 * workloads: the table of what runs, waits and has ended.
 */
#include <math.h>
#include <string.h>

#include "cli/tui/views/common.h"

static const struct stint_workload *of(const void *item)
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
	tui_field_set(out, TUI_TEXT, "%s", of(item)->name);
}

static const char *project_text(const void *item)
{
	return tui_workload_project(of(item));
}

static void show_project(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, tui_project_role(project_text(item)), "%s", project_text(item));
}

static const char *state_text(const void *item)
{
	return stint_workload_phase_name(of(item)->phase);
}

static void show_state(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, of(item)->never ? TUI_BAD : view_phase_role(of(item)->phase), "%s", state_text(item));
}

static double state_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->phase;
}

static void show_gpus(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	view_workload_gpus(of(item), out);
}

static double gpus_number(const void *item, const struct tui_now *now)
{
	(void)now;
	const struct stint_workload *workload = of(item);
	if (workload->gpus_requested_unknown && workload->gpus_allocated <= 0)
		return NAN;
	return workload->gpus_requested > workload->gpus_allocated ? workload->gpus_requested : workload->gpus_allocated;
}

static void show_pods(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	const struct stint_workload *workload = of(item);
	const int started = (int)(workload->pods_running + workload->pods_succeeded);
	tui_field_set(out, started < workload->pods_total && workload->phase == STINT_WORKLOAD_RUNNING ? TUI_WARN : TUI_TEXT, "%d/%d",
		started, (int)workload->pods_total);
}

static double pods_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->pods_total;
}

static void show_age(const void *item, const struct tui_now *now, struct tui_field *out)
{
	view_age(out, of(item)->created_ms, now->ms);
}

/* The youngest have the smallest age. */
static double age_number(const void *item, const struct tui_now *now)
{
	return of(item)->created_ms < 0 ? NAN : (double)(now->ms - of(item)->created_ms);
}

static const char *type_text(const void *item)
{
	return stint_workload_type_name(of(item)->type);
}

static void show_type(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", type_text(item));
}

static const char *kind_text(const void *item)
{
	return of(item)->kind;
}

static void show_kind(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, TUI_TEXT, "%s", of(item)->kind);
}

/* Who made it: labels that are in use for that. */
static const char *user_text(const void *item)
{
	static const char *const keys[] = {"stint.dev/user", "run.ai/user", "user", "app.kubernetes.io/created-by"};
	const struct stint_workload *workload = of(item);
	const struct stint_object *object = workload->owner ? &workload->owner->meta
		: workload->pods_count			    ? &workload->pods[0]->meta
							    : NULL;
	for (size_t at = 0; object && at < STINT_COUNT(keys); at++) {
		const char *value = stint_object_label(object, keys[at]);
		if (value)
			return value;
	}
	return NULL;
}

static void show_user(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	const char *user = user_text(item);
	tui_field_set(out, user ? TUI_TEXT : TUI_DIM, "%s", user ? user : "-");
}

/* The node of the first pod that has one; "n1 +3" where others are elsewhere. */
static const char *node_text(const void *item)
{
	const struct stint_workload *workload = of(item);
	for (size_t at = 0; at < workload->pods_count; at++) {
		if (workload->pods[at]->node && !stint_pod_ended(workload->pods[at]))
			return workload->pods[at]->node;
	}
	return NULL;
}

static void show_node(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	const struct stint_workload *workload = of(item);
	const char *node = node_text(item);
	int others = 0;
	for (size_t at = 0; at < workload->pods_count; at++)
		others += workload->pods[at]->node && workload->pods[at]->node != node && !stint_pod_ended(workload->pods[at]);
	if (!node)
		tui_field_set(out, TUI_DIM, "-");
	else if (others)
		tui_field_set(out, TUI_TEXT, "%s +%d", node, others);
	else
		tui_field_set(out, TUI_TEXT, "%s", node);
}

static const char *priority_text(const void *item)
{
	return of(item)->priority_class;
}

static void show_priority(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	const char *priority = priority_text(item);
	tui_field_set(out, priority ? TUI_TEXT : TUI_DIM, "%s", priority ? priority : "-");
}

static void show_restarts(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	tui_field_set(out, of(item)->restarts ? TUI_WARN : TUI_TEXT, "%d", (int)of(item)->restarts);
}

static double restarts_number(const void *item, const struct tui_now *now)
{
	(void)now;
	return of(item)->restarts;
}

static const char *reason_text(const void *item)
{
	return of(item)->reason;
}

static void show_reason(const void *item, const struct tui_now *now, struct tui_field *out)
{
	(void)now;
	const struct stint_workload *workload = of(item);
	const enum tui_role role = workload->never || workload->phase == STINT_WORKLOAD_FAILED ? TUI_BAD : TUI_TEXT;
	tui_field_set(out, role, "%s%s%s", workload->reason ? workload->reason : "", workload->reason && workload->message ? ": " : "",
		workload->message ? workload->message : "");
}

/* clang-format off */
static const struct tui_column columns[] = {
	{.name = "name", .title = "NAME", .least = 12, .most = 40, .flags = TUI_SEARCHED, .show = show_name, .text = name_text},
	{.name = "project", .title = "PROJECT", .least = 7, .most = 24, .rank = 1, .flags = TUI_SEARCHED, .show = show_project, .text = project_text},
	{.name = "state", .title = "STATE", .least = 7, .most = 10, .flags = TUI_SEARCHED, .show = show_state, .text = state_text, .number = state_number},
	{.name = "gpus", .title = "GPUS", .least = 4, .most = 10, .flags = TUI_RIGHT, .show = show_gpus, .number = gpus_number},
	{.name = "pods", .title = "PODS", .least = 4, .most = 9, .rank = 2, .flags = TUI_RIGHT, .show = show_pods, .number = pods_number},
	{.name = "age", .title = "AGE", .least = 4, .most = 8, .rank = 3, .flags = TUI_RIGHT, .show = show_age, .number = age_number},
	{.name = "type", .title = "TYPE", .least = 8, .most = 10, .rank = 6, .show = show_type, .text = type_text},
	{.name = "node", .title = "NODE", .least = 8, .most = 28, .rank = 5, .show = show_node, .text = node_text},
	{.name = "user", .title = "USER", .least = 6, .most = 20, .rank = 7, .flags = TUI_SEARCHED | TUI_HIDDEN, .show = show_user, .text = user_text},
	{.name = "kind", .title = "KIND", .least = 4, .most = 14, .rank = 8, .flags = TUI_HIDDEN, .show = show_kind, .text = kind_text},
	{.name = "priority", .title = "PRIORITY", .least = 8, .most = 20, .rank = 7, .flags = TUI_HIDDEN, .show = show_priority, .text = priority_text},
	{.name = "restarts", .title = "RESTARTS", .least = 8, .most = 8, .rank = 9, .flags = TUI_RIGHT | TUI_HIDDEN, .show = show_restarts, .number = restarts_number},
	{.name = "reason", .title = "REASON", .least = 18, .most = 200, .rank = 4, .flags = TUI_SEARCHED | TUI_FLEXIBLE, .show = show_reason, .text = reason_text},
	{.name = NULL},
};
/* clang-format on */

static const char *id_of(const void *item)
{
	return of(item)->uid;
}

static const struct stint_pairs *labels_of(const void *item)
{
	const struct stint_workload *workload = of(item);
	return workload->owner ? &workload->owner->meta.labels : workload->pods_count ? &workload->pods[0]->meta.labels : NULL;
}

/* What an operator looks for stands first: what failed, what waits, what runs; what has ended last. Youngest first within each. */
static int rank_of(const struct stint_workload *workload)
{
	static const int ranks[STINT_WORKLOAD_PHASES] = {[STINT_WORKLOAD_FAILED] = 0,
		[STINT_WORKLOAD_PENDING] = 1,
		[STINT_WORKLOAD_STARTING] = 2,
		[STINT_WORKLOAD_RUNNING] = 3,
		[STINT_WORKLOAD_DELETING] = 4,
		[STINT_WORKLOAD_SUSPENDED] = 5,
		[STINT_WORKLOAD_SUCCEEDED] = 6};
	return workload->phase < STINT_WORKLOAD_PHASES ? ranks[workload->phase] : 7;
}

static void collect(const struct tui_now *now, void (*add)(void *list, const void *item), void *list)
{
	for (int rank = 0; rank < 7; rank++) {
		for (size_t at = 0; at < now->world->workloads_count; at++) {
			if (rank_of(now->world->workloads[at]) == rank)
				add(list, now->world->workloads[at]);
		}
	}
}

static void about(const void *item, struct tui_about *out)
{
	tui_about_set(out, TUI_A_WORKLOAD, of(item)->project, of(item)->name, of(item)->uid);
}

static const struct tui_list_kind list = {
	.columns = columns, .nothing = "nothing runs or waits here", .id = id_of, .labels = labels_of, .collect = collect};
const struct tui_view tui_view_workloads = {.name = "workloads", .title = "Workloads", .where = TUI_IN_LIST, .list = &list, .about = about};
