/*
 * overview: the whole cluster on one screen: tiles, a bar per node with a cell per device, quota bars, the head of the queue, how much free
 * room lies together, and how it was since the dashboard started.
 *
 * When there are more nodes than lines, the pane has one cell per node instead, and lists those that are not well.
 */
#include <stdio.h>
#include <string.h>

#include "cli/tui/layout.h"
#include "cli/tui/views/tiles.h"

enum { NODE_GAP = 2, USE_WIDTH = 4, MANY_BAD = 4 };

/* ---- nodes ------------------------------------------------------------------------------------------------------------------------- */

static int most_devices(const struct tui_world *world)
{
	uint32_t most = 0;
	for (size_t at = 0; at < world->nodes_count; at++)
		most = world->nodes[at]->devices_count > most ? world->nodes[at]->devices_count : most;
	return most < 16 ? (int)most : 16;
}

/* The names of those that have devices of a node, in the colours of their projects, each once. */
static void draw_holders(const struct stint_node_use *node, struct tui_area area, int y, int x, int width)
{
	const char *seen[16];
	size_t count = 0;
	const int end = x + width;
	for (size_t slot = 0; slot < node->devices_count; slot++) {
		const struct stint_device_use *device = &node->devices[slot];
		for (const struct stint_device_user *at = device->users;
			at < device->users + device->users_count && count < STINT_COUNT(seen); at++) {
			const char *name = at->workload ? at->workload->name : at->pod->meta.name;
			bool known = false;
			for (size_t i = 0; i < count; i++)
				known |= strcmp(seen[i], name) == 0;
			if (known || x + 4 > end)
				continue;
			seen[count++] = name;
			tui_put_fit(area, y, x, end - x, false,
				at->workload ? tui_project_role(tui_workload_project(at->workload)) : TUI_DIM, name);
			x += (int)strlen(name) + 1;
		}
	}
}

/* "gpu-node-3  ████▄▄··  4.5/8  97%  llama-70b": as much of it as there is room for. */
static void draw_node(
	const struct stint_node_use *node, const struct tui_world *world, int name_width, int devices, struct tui_area area, int y)
{
	char held[VIEW_WORD], percent[VIEW_WORD];
	int x = name_width + 1;
	tui_put_fit(area, y, 0, name_width, false, tui_node_is_usable(node->node) ? TUI_TEXT : view_node_role(node->node),
		node->node->meta.name);
	view_devices(node, world->pods_known && !world->only, area, y, x, devices);
	x += devices + 1;
	stint_autofree char *sum = stint_format("%s/%zu", view_held(world, node->gpus_allocated, held), node->devices_count);
	tui_put_fit(area, y, x, 7, true, TUI_DIM, node->devices_count ? sum : "no GPU");
	x += 8;
	if (area.width - x < USE_WIDTH)
		return;
	if (!tui_node_is_usable(node->node)) {
		tui_put_fit(area, y, x + 1, area.width - x - 1, false, view_node_role(node->node), tui_node_status(node->node));
		return;
	}
	if (node->devices_count)
		tui_put_fit(area, y, x, USE_WIDTH, true, TUI_DIM, view_percent(node->util_percent, percent));
	x += USE_WIDTH + 1;
	draw_holders(node, area, y, x, area.width - x);
}

static int longest_name(const struct tui_world *world, int most)
{
	int longest = 4;
	for (size_t at = 0; at < world->nodes_count && longest < most; at++) {
		const int length = (int)strlen(world->nodes[at]->node->meta.name);
		longest = length > longest ? length : longest;
	}
	return longest < most ? longest : most;
}

/* One cell per node: how much of it is held. */
static void draw_node_cell(const struct stint_node_use *node, bool pods_known, struct tui_area area, int y, int x)
{
	if (node->node->ready != STINT_TRUE)
		tui_put(area, y, x, TUI_BAD, "X");
	else if (node->node->unschedulable)
		tui_put(area, y, x, TUI_WARN, "c");
	else if (!pods_known)
		tui_put(area, y, x, TUI_DIM, "?");
	else if (node->devices_count == 0)
		tui_put(area, y, x, TUI_DIM, tui_glyph(area.cells, TUI_ROOM));
	else
		tui_put(area, y, x, node->gpus_allocated > 0 ? TUI_GUARANTEED : TUI_EMPTY,
			tui_height_glyph(area.cells, node->gpus_allocated / node->devices_count));
}

static void draw_crowd(const struct tui_world *world, struct tui_area area, int *top)
{
	int y = 0;
	for (size_t at = 0, bad = 0; at < world->nodes_count && bad < MANY_BAD && y < area.height / 3; at++) {
		const struct stint_node_use *node = world->nodes[at];
		if (node->node->ready == STINT_TRUE)
			continue;
		bad++;
		const int x = tui_putf(area, y, 0, TUI_BAD, "%s %s ", node->node->meta.name, tui_node_status(node->node));
		tui_put_fit(area, y++, x, area.width - x, false, TUI_DIM, node->node->ready_reason ? node->node->ready_reason : "");
	}
	const int lines = ((int)world->nodes_count + area.width - 1) / area.width, room = area.height - y;
	*top = *top > lines - room ? lines - room : *top;
	*top = *top < 0 ? 0 : *top;
	for (size_t at = (size_t)*top * (size_t)area.width; at < world->nodes_count && y < area.height; at++) {
		const int x = (int)(at % (size_t)area.width);
		draw_node_cell(world->nodes[at], world->pods_known && !world->only, area, y, x);
		y += x == area.width - 1;
	}
}

static void draw_nodes(struct tui_app *app, struct tui_area area)
{
	const struct tui_world *world = app->now.world;
	const int devices = most_devices(world), name = longest_name(world, area.width - devices - 11);
	struct tui_area inside = tui_area_part(area, 1, 1, area.height - 1, area.width - 2);
	const int least = name + devices + 9 + NODE_GAP, count = (int)world->nodes_count, height = inside.height > 0 ? inside.height : 1;
	const int columns = (count + height - 1) / height;
	const bool crowd = columns * least - NODE_GAP > inside.width && count > height;
	stint_autofree char *title = stint_format(crowd ? "Nodes: %d, a cell each" : "Nodes: %d", count);
	tui_rule(area, 0, title);
	if (!world->nodes_known) {
		tui_put(inside, 0, 0, TUI_DIM, "nodes may not be seen");
	} else if (count == 0) {
		tui_put(inside, 0, 0, TUI_DIM, "there are no nodes");
	} else if (crowd) {
		draw_crowd(world, inside, &app->overview_top);
	} else {
		const int each = (inside.width + NODE_GAP) / columns;
		for (int at = 0; at < count; at++)
			draw_node(world->nodes[at], world, name, devices,
				tui_area_part(inside, 0, at / height * each, height, each - NODE_GAP), at % height);
	}
}

/* ---- projects ---------------------------------------------------------------------------------------------------------------------- */

static bool is_quiet(const struct tui_project *project)
{
	return project->allocated <= 0 && !project->waiting && !project->running;
}

static void draw_project(const struct tui_project *project, double most, struct tui_area area, int y)
{
	char held[VIEW_WORD], quota[VIEW_WORD];
	const int name = area.width / 3 < 18 ? area.width / 3 : 18, figures = 10, bar = area.width - name - figures - 2;
	tui_put_fit(area, y, 0, name, false, is_quiet(project) ? TUI_DIM : tui_project_role(project->name), project->name);
	view_quota_bar(project, most, area, y, name + 1, bar);
	stint_autofree char *sum = stint_format("%s/%s", view_gpus(project->allocated, held),
		!project->has_quota	     ? "-"
			: project->quota < 0 ? "any"
					     : view_gpus(project->quota, quota));
	tui_put_fit(area, y, area.width - figures, figures, true, project->waiting ? TUI_WARN : TUI_DIM, sum);
}

/* Projects that have or want something first; departments are in their own view. */
static void draw_projects(const struct tui_world *world, size_t count, struct tui_area area)
{
	const double most = view_bar_most(world);
	int y = 0;
	size_t drawn = 0;
	tui_rule(area, 0, "Projects: GPUs held / quota");
	struct tui_area inside = tui_area_part(area, 1, 1, area.height - 1, area.width - 2);
	if (count == 0)
		tui_put(inside, 0, 0, TUI_DIM, world->queues_known ? "there are no projects" : "projects may not be seen");
	for (int quiet = 0; quiet < 2; quiet++) {
		for (size_t at = 0; at < world->projects_count && y < inside.height; at++) {
			const struct tui_project *project = &world->projects[at];
			if (project->is_department || is_quiet(project) != (quiet == 1))
				continue;
			if (y == inside.height - 1 && drawn + 1 < count)
				tui_putf(inside, y, 0, TUI_DIM, "and %zu more", count - drawn);
			else
				draw_project(project, most, inside, y);
			drawn++;
			y++;
		}
	}
}

static size_t count_projects(const struct tui_world *world)
{
	size_t count = 0;
	for (size_t at = 0; at < world->projects_count; at++)
		count += !world->projects[at].is_department;
	return count;
}

/* ---- queue ------------------------------------------------------------------------------------------------------------------------- */

static void draw_waiting(const struct tui_now *now, const struct tui_waiting *waiting, size_t place, struct tui_area area, int y)
{
	struct tui_field age = {.text = ""}, gpus = {.text = ""};
	const struct stint_workload *workload = waiting->workload;
	const char *project = tui_workload_project(workload), *reason = workload->reason ? workload->reason : "not judged yet";
	const int reason_width = area.width >= 44 ? 14 : 9;
	view_age(&age, workload->created_ms, now->ms);
	view_workload_gpus(workload, &gpus);
	stint_autofree char *number = waiting->tried ? stint_format("%2zu ", place) : stint_strdup(" - ");
	int x = tui_put(area, y, 0, TUI_DIM, number);
	const int room = area.width - x - reason_width - 5 - 6 - 3;
	stint_autofree char *name = area.width < 50 ? stint_strdup(workload->name) : stint_format("%s/%s", project, workload->name);
	tui_put_fit(area, y, x, room, false, tui_project_role(project), name);
	x += room + 1;
	tui_put_fit(area, y, x, 5, true, TUI_TEXT, gpus.text);
	x += 6;
	tui_put_fit(area, y, x, reason_width, false, workload->never ? TUI_BAD : TUI_WARN, reason);
	tui_put_fit(area, y, x + reason_width + 1, 6, true, TUI_DIM, age.text);
}

static void draw_queue(const struct tui_now *now, struct tui_area area)
{
	const struct tui_world *world = now->world;
	stint_autofree char *title = stint_format("Waiting: %zu", world->waiting_count);
	tui_rule(area, 0, title);
	struct tui_area inside = tui_area_part(area, 1, 1, area.height - 1, area.width - 2);
	if (!world->pods_known)
		tui_put(inside, 0, 0, TUI_DIM, "pods may not be seen");
	else if (world->waiting_count == 0)
		tui_put(inside, 0, 0, TUI_GOOD, "nothing waits");
	for (int at = 0; at < (int)world->waiting_count && at < inside.height; at++) {
		if (at == inside.height - 1 && (size_t)at + 1 < world->waiting_count)
			tui_putf(inside, at, 0, TUI_DIM, "and %zu more", world->waiting_count - (size_t)at);
		else
			draw_waiting(now, &world->waiting[at], (size_t)at + 1, inside, at);
	}
}

/* ---- room that lies together ------------------------------------------------------------------------------------------------------- */

static void draw_bar(struct tui_area area, int y, int x, int width, enum tui_role role, double part)
{
	for (int at = 0; at < width; at++)
		tui_put(area, y, x + at, role, tui_height_glyph(area.cells, part));
}

/* How many nodes have how many free devices: a bar for each number. */
static void draw_spaces(const struct tui_world *world, struct tui_area area)
{
	const uint32_t *spaces = world->totals.spaces;
	uint32_t most = 1;
	int last = 8;
	tui_rule(area, 0, "Nodes by free GPUs");
	struct tui_area inside = tui_area_part(area, 1, 1, area.height - 1, area.width - 2);
	if (!world->nodes_known || !world->pods_known || world->only) {
		tui_put(inside, 0, 0, TUI_DIM, world->only ? "unknown: what others hold may not be seen" : "unknown");
		return;
	}
	while (last > 1 && last > most_devices(world))
		last--;
	for (int at = 0; at <= last; at++)
		most = spaces[at] > most ? spaces[at] : most;
	const int height = inside.height - 2, each = inside.width / (last + 1) < 8 ? inside.width / (last + 1) : 8;
	for (int at = 0; at <= last; at++) {
		const int x = at * each;
		const double bar = (double)spaces[at] / most * height;
		for (int y = 0; y < height; y++) {
			const double part = bar - y;
			if (part > 0)
				draw_bar(inside, height - 1 - y, x + 2, each - 2, at ? TUI_GUARANTEED : TUI_DIM, part);
		}
		stint_autofree char *count = stint_format("%u", spaces[at]), *label = stint_format(at == 8 ? "%d+" : "%d", at);
		tui_put_fit(inside, height, x, each, true, spaces[at] ? TUI_TEXT : TUI_DIM, count);
		tui_put_fit(inside, height + 1, x, each, true, TUI_HEADER, label);
	}
}

/* ---- history ----------------------------------------------------------------------------------------------------------------------- */

static void draw_history(const struct tui_app *app, struct tui_area area)
{
	static const struct {
		const char *name;
		double most;
		enum tui_role role;
	} lines[TUI_FIGURES] = {{"held", 1, TUI_GUARANTEED}, {"busy", 1, TUI_GOOD}, {"waiting", 0, TUI_WARN}};
	char age[STINT_TIME_SIZE];
	const struct tui_history *history = &app->history;
	stint_autofree char *title =
		stint_format("Since %s", history->interval_ms ? stint_duration_format(app->now.ms - history->first_ms, age) : "the start");
	tui_rule(area, 0, title);
	struct tui_area inside = tui_area_part(area, 1, 1, area.height - 1, area.width - 2);
	const int step = inside.height >= 2 * TUI_FIGURES - 1 ? 2 : 1;
	for (int figure = 0; figure < TUI_FIGURES && figure * step < inside.height; figure++) {
		const float last = history->count ? history->samples[figure][history->count - 1] : -1;
		tui_put(inside, figure * step, 0, TUI_DIM, lines[figure].name);
		tui_history_draw(history, (enum tui_figure)figure, lines[figure].most, lines[figure].role, inside, figure * step, 8,
			inside.width - 15);
		stint_autofree char *now = last < 0 ? stint_strdup("?")
			: figure == TUI_WAITING	    ? stint_format("%.0f", (double)last)
						    : stint_format("%.0f%%", 100 * (double)last);
		tui_put_fit(inside, figure * step, inside.width - 6, 6, true, last < 0 ? TUI_DIM : TUI_TEXT, now);
	}
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------------- */

static void draw(struct tui_app *app, struct tui_area area)
{
	const struct tui_world *world = app->now.world;
	struct tui_rect rects[TUI_PANES];
	const size_t projects = count_projects(world);
	const int wanted[TUI_PANES] = {[TUI_PANE_NODES] = (int)world->nodes_count + 1,
		[TUI_PANE_PROJECTS] = (int)(projects < 100 ? projects : 100) + 1,
		[TUI_PANE_QUEUE] = (int)(world->waiting_count < 100 ? world->waiting_count : 100) + 1,
		[TUI_PANE_SPACES] = 10,
		[TUI_PANE_HISTORY] = 6};
	struct tui_area panes[TUI_PANES];
	tui_layout_overview(area.width, area.height, wanted, rects);
	for (int at = 0; at < TUI_PANES; at++)
		panes[at] = tui_area_part(area, rects[at].y, rects[at].x, rects[at].height, rects[at].width);
	view_tiles_draw(&app->now, panes[TUI_PANE_TILES]);
	draw_nodes(app, panes[TUI_PANE_NODES]);
	draw_projects(world, projects, panes[TUI_PANE_PROJECTS]);
	draw_queue(&app->now, panes[TUI_PANE_QUEUE]);
	draw_spaces(world, panes[TUI_PANE_SPACES]);
	draw_history(app, panes[TUI_PANE_HISTORY]);
}

const struct tui_view tui_view_overview = {.name = "overview", .title = "Overview", .where = TUI_IN_OVERVIEW, .draw = draw};
