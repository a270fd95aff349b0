/*
 * common: see common.h.
 */
#include "cli/tui/views/common.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum tui_role view_phase_role(enum stint_workload_phase phase)
{
	switch (phase) {
	case STINT_WORKLOAD_RUNNING: return TUI_GOOD;
	case STINT_WORKLOAD_PENDING:
	case STINT_WORKLOAD_STARTING: return TUI_WARN;
	case STINT_WORKLOAD_FAILED: return TUI_BAD;
	case STINT_WORKLOAD_SUSPENDED:
	case STINT_WORKLOAD_SUCCEEDED:
	case STINT_WORKLOAD_DELETING:
	case STINT_WORKLOAD_PHASES: break;
	}
	return TUI_DIM;
}

enum tui_role view_node_role(const struct stint_node *node)
{
	if (node->ready != STINT_TRUE)
		return TUI_BAD;
	return node->unschedulable || node->pressures ? TUI_WARN : TUI_GOOD;
}

void view_age(struct tui_field *out, int64_t since_ms, int64_t now_ms)
{
	char age[STINT_TIME_SIZE];
	if (since_ms < 0)
		tui_field_set(out, TUI_DIM, "?");
	else
		tui_field_set(out, TUI_TEXT, "%s", stint_duration_format(now_ms > since_ms ? now_ms - since_ms : 0, age));
}

char *view_gpus(double gpus, char out[static VIEW_WORD])
{
	char text[STINT_QUANTITY_SIZE];
	snprintf(out, VIEW_WORD, "%s", gpus < 0 ? "?" : stint_gpus_format(gpus, text));
	return out;
}

char *view_held(const struct tui_world *world, double gpus, char out[static VIEW_WORD])
{
	char text[STINT_QUANTITY_SIZE];
	if (!world->pods_known || (world->only && gpus <= 0))
		snprintf(out, VIEW_WORD, "?");
	else
		snprintf(out, VIEW_WORD, "%s%s", stint_gpus_format(gpus, text), world->only ? "+?" : "");
	return out;
}

char *view_limit(double gpus, bool said, char out[static VIEW_WORD])
{
	if (!said)
		snprintf(out, VIEW_WORD, "-");
	else if (gpus < 0)
		snprintf(out, VIEW_WORD, "unlimited");
	else
		view_gpus(gpus, out);
	return out;
}

char *view_percent(double percent, char out[static VIEW_WORD])
{
	if (percent < 0)
		snprintf(out, VIEW_WORD, "?");
	else
		snprintf(out, VIEW_WORD, "%.0f%%", percent);
	return out;
}

void view_workload_gpus(const struct stint_workload *workload, struct tui_field *out)
{
	char held[VIEW_WORD], wanted[VIEW_WORD], memory[STINT_QUANTITY_SIZE];
	const double has = workload->gpus_allocated, asks = workload->gpus_requested;
	if (workload->gpus_requested_unknown && has <= 0)
		tui_field_set(out, TUI_TEXT, "%s", stint_bytes_human(workload->gpu_memory_requested_mib * 1024 * 1024, memory));
	else if (asks <= 0 && has <= 0)
		tui_field_set(out, TUI_DIM, "-");
	else if (has <= 0 || fabs(has - asks) < 1e-6)
		tui_field_set(out, TUI_TEXT, "%s", view_gpus(asks, wanted));
	else
		tui_field_set(out, TUI_TEXT, "%s/%s", view_gpus(has, held), view_gpus(asks, wanted));
}

void view_lost(const struct tui_victim *victim, struct tui_field *out)
{
	char gpus[VIEW_WORD], ran[STINT_TIME_SIZE];
	if (victim->gpus < 0)
		tui_field_set(out, TUI_DIM, "?");
	else if (victim->ran_ms < 0)
		tui_field_set(out, TUI_TEXT, "%s GPU%s", view_gpus(victim->gpus, gpus), victim->gpus == 1 ? "" : "s");
	else
		tui_field_set(out, TUI_TEXT, "%s GPU%s after %s", view_gpus(victim->gpus, gpus), victim->gpus == 1 ? "" : "s",
			stint_duration_format(victim->ran_ms, ran));
}

/* ---- devices ----------------------------------------------------------------------------------------------------------------------- */

static const char *project_of(const struct stint_device_user *user)
{
	return user->workload ? tui_workload_project(user->workload) : user->pod->meta.space;
}

/*
 * One cell: as high as it is used. Of two projects on one device the larger stands below, in front, and the other is the background. Where
 * there are no blocks (ASCII) the letter of the largest project stands for a full device, a small one for a part of it.
 */
static void draw_device(
	const struct stint_node_use *node, const struct stint_device_use *device, bool all_known, struct tui_area area, int y, int x)
{
	const struct stint_device_user *first = device->users, *end = first + device->users_count;
	if (!device->users_count) {
		tui_put(area, y, x,
			!all_known				 ? TUI_DIM
				: tui_node_is_usable(node->node) ? TUI_EMPTY
								 : TUI_BAD,
			!all_known				 ? "?"
				: tui_node_is_usable(node->node) ? tui_glyph(area.cells, TUI_ROOM)
								 : "x");
		return;
	}
	const char *project = project_of(first);
	const enum tui_role role = first->workload ? tui_project_role(project) : TUI_DIM;
	const bool known = first->share >= 0;
	if (!area.cells->utf8 || !known) {
		const int letter = project && *project ? toupper((unsigned char)*project) : '?';
		const char text[] = {(char)(device->allocated >= 1 - 1e-6 ? letter : tolower(letter)), '\0'};
		tui_put(area, y, x, role, known ? text : "?");
		return;
	}
	const struct stint_device_user *other = first + 1;
	while (other < end && other->workload && strcmp(project_of(other), project) == 0)
		other++;
	double own = 0;
	for (const struct stint_device_user *at = first; at < end; at++) {
		if (strcmp(project_of(at), project) == 0)
			own += at->share > 0 ? at->share : 0;
	}
	if (other < end && device->allocated > 1 - 1e-6)
		tui_put_glyph(area, y, x, role, other->workload ? tui_project_role(project_of(other)) : TUI_TEXT,
			tui_height_glyph(area.cells, own < 0.94 ? own : 0.87));
	else
		tui_put(area, y, x, role, tui_height_glyph(area.cells, device->allocated));
}

void view_devices(const struct stint_node_use *node, bool all_known, struct tui_area area, int y, int x, int width)
{
	const int count = (int)node->devices_count;
	for (int slot = 0; slot < count && slot < width; slot++) {
		if (slot == width - 1 && count > width)
			tui_put(area, y, x + slot, TUI_DIM, tui_glyph(area.cells, TUI_ELLIPSIS));
		else
			draw_device(node, &node->devices[slot], all_known, area, y, x + slot);
	}
}

/* ---- quota bars -------------------------------------------------------------------------------------------------------------------- */

double view_bar_most(const struct tui_world *world)
{
	double most = 1;
	for (size_t at = 0; at < world->projects_count; at++) {
		const struct tui_project *project = &world->projects[at];
		/* What nobody uses does not set the scale for those who do. */
		if (project->is_department || (project->allocated <= 0 && project->requested <= 0))
			continue;
		most = fmax(most, fmax(project->quota, project->allocated));
		most = fmax(most, project->fair_share);
	}
	return most;
}

static int scaled(double amount, double most, int width)
{
	const int at = (int)(amount / most * width + 0.5);
	return amount <= 0 ? 0 : at < 1 ? 1 : at > width ? width : at;
}

void view_quota_bar(const struct tui_project *project, double most, struct tui_area area, int y, int x, int width)
{
	const bool quota_known = project->queue != NULL;
	const double quota = project->quota < 0 || !quota_known ? most : project->quota;
	const int held = scaled(project->allocated, most, width), due = scaled(quota, most, width);
	const int mark = project->fair_share >= 0 ? scaled(project->fair_share, most, width) : -1;
	const char *borrowed = area.cells->utf8 ? "▓" : "+", *room = area.cells->utf8 ? "░" : "-", *either = area.cells->utf8 ? "▒" : "=";
	if (project->allocated < 0) {
		tui_put_fit(area, y, x, width, false, TUI_DIM, "unknown");
		return;
	}
	for (int at = 0; at < width; at++) {
		if (!quota_known)
			tui_put(area, y, x + at, at < held ? TUI_TEXT : TUI_EMPTY, at < held ? either : tui_glyph(area.cells, TUI_ROOM));
		else if (at < held)
			tui_put(area, y, x + at, at < due ? TUI_GUARANTEED : TUI_BORROWED,
				at < due ? tui_glyph(area.cells, TUI_FULL) : borrowed);
		else
			tui_put(area, y, x + at, TUI_EMPTY, at < due ? room : tui_glyph(area.cells, TUI_ROOM));
	}
	if (mark > 0)
		tui_put(area, y, x + mark - 1, TUI_STRONG, tui_glyph(area.cells, TUI_POINT));
}
