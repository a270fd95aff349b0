/*
 * question: asks before anything is changed. It names what it is about by identity (kind, name, when it was made, uid), captured when it was
 * opened: rows may move under it, and what has gone meanwhile is told and left out. Another object of the same name is another one.
 */
#include "cli/tui/app.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SHOWN = 8 };

static const struct {
	const char *word, *asked;
} acts[] = {
	[TUI_ACT_DELETE] = {"delete", "Delete"},
	[TUI_ACT_SUSPEND] = {"suspend", "Suspend"},
	[TUI_ACT_RESUME] = {"resume", "Resume"},
	[TUI_ACT_RAISE] = {"raise", "Raise the priority of"},
	[TUI_ACT_LOWER] = {"lower", "Lower the priority of"},
};

const char *tui_act_word(enum tui_act act)
{
	return acts[act].word;
}

static void add_item(struct tui_action *action, size_t *capacity, const void *item, const struct tui_view *view)
{
	stint_grow(&action->items, capacity, action->count + 1, sizeof *action->items);
	view->about(item, &action->items[action->count++]);
}

/* All that is marked and still there; else what is selected. */
static void gather(struct tui_app *app, struct tui_action *action)
{
	const struct tui_list *list = tui_app_list(app);
	size_t capacity = 0;
	for (size_t row = 0; list && row < list->count; row++) {
		if (tui_list_is_marked(list, list->rows[row]))
			add_item(action, &capacity, list->rows[row], tui_app_view(app));
	}
	if (action->count)
		return;
	struct tui_about about;
	if (tui_app_about(app, &about)) {
		stint_grow(&action->items, &capacity, 1, sizeof *action->items);
		action->items[action->count++] = about;
	}
}

void tui_question_open(struct tui_app *app, enum tui_act act)
{
	tui_action_free(&app->action);
	app->action.act = act;
	gather(app, &app->action);
	app->asking = app->action.count > 0;
}

static bool is_there(const struct tui_app *app, const struct tui_about *about)
{
	return tui_app_workload(app, about) != NULL;
}

static size_t count_there(const struct tui_app *app)
{
	size_t count = 0;
	for (size_t at = 0; at < app->action.count; at++)
		count += is_there(app, &app->action.items[at]);
	return count;
}

static void do_it(struct tui_app *app)
{
	struct tui_action there = {.act = app->action.act, .items = stint_alloc((app->action.count + 1) * sizeof *there.items)};
	for (size_t at = 0; at < app->action.count; at++) {
		if (is_there(app, &app->action.items[at]))
			tui_about_copy(&there.items[there.count++], &app->action.items[at]);
	}
	if (there.count == 0)
		tui_app_note(app, TUI_WARN, "nothing was done: it has gone meanwhile");
	else if (app->outside.act)
		app->outside.act(app->outside.user, &there);
	tui_action_free(&there);
	struct tui_list *list = tui_app_list(app);
	if (list)
		stint_map_clear(list->marks);
}

bool tui_question_key(struct tui_app *app, uint32_t key)
{
	if (!app->asking)
		return false;
	if (tui_keys_find(&app->keys, key, TUI_EVERYWHERE) == TUI_DO_QUIT)
		return false;
	if (key == 'y' || key == 'Y')
		do_it(app);
	else if (key != 'n' && key != 'N' && key != TUI_KEY_ESCAPE && key != TUI_KEY_ENTER)
		return true; /* neither yes nor no */
	app->asking = false;
	tui_action_free(&app->action);
	return true;
}

static void draw_item(const struct tui_app *app, struct tui_area box, int y, const struct tui_about *about)
{
	const struct stint_workload *workload = tui_app_workload(app, about);
	char age[STINT_TIME_SIZE], gpus[STINT_QUANTITY_SIZE];
	int x = 2;
	if (!workload) {
		x += tui_putf(box, y, x, TUI_DIM, "%s/%s", about->space, about->name);
		tui_put(box, y, x + 2, TUI_WARN, "has gone meanwhile");
		return;
	}
	x += tui_putf(box, y, x, TUI_TEXT, "%s ", workload->kind);
	x += tui_putf(box, y, x, TUI_STRONG, "%s/%s", workload->project, workload->name);
	x += tui_putf(box, y, x, TUI_TEXT, "  %s, %d pods, %s GPUs", stint_workload_phase_name(workload->phase), (int)workload->pods_total,
		stint_gpus_format(workload->gpus_allocated, gpus));
	if (workload->created_ms >= 0)
		x += tui_putf(box, y, x, TUI_TEXT, ", %s old", stint_duration_format(app->now.ms - workload->created_ms, age));
	tui_putf(box, y, x + 2, TUI_DIM, "uid %.8s", about->uid ? about->uid : "unknown");
}

void tui_question_draw(struct tui_app *app, struct tui_area body)
{
	if (!app->asking)
		return;
	const size_t shown = app->action.count < MOST_SHOWN ? app->action.count : MOST_SHOWN;
	const bool more = app->action.count > shown;
	const int height = (int)shown + more + 4, width = body.width > 104 ? 100 : body.width - 4;
	struct tui_area box = tui_area_part(body, (body.height - height) / 3, (body.width - width) / 2, height, width);
	for (int y = 0; y < box.height; y++) {
		for (int x = 0; x < box.width; x++)
			tui_put_glyph(box, y, x, TUI_PROMPT, TUI_PROMPT, " ");
	}
	if (app->action.count == 1)
		tui_putf(box, 0, 2, TUI_WARN, "%s this workload?", acts[app->action.act].asked);
	else
		tui_putf(box, 0, 2, TUI_WARN, "%s these %zu workloads?", acts[app->action.act].asked, app->action.count);
	for (size_t at = 0; at < shown; at++)
		draw_item(app, box, 1 + (int)at, &app->action.items[at]);
	if (more)
		tui_putf(box, 1 + (int)shown, 2, TUI_DIM, "and %zu more", app->action.count - shown);
	const size_t there = count_there(app);
	int x = 2;
	if (there == 0)
		x += tui_put(box, height - 2, x, TUI_WARN, "There is nothing left to do.  ");
	x += tui_put(box, height - 2, x, TUI_KEY, "y") + tui_put(box, height - 2, x + 1, TUI_TEXT, " yes   ");
	tui_put(box, height - 2, x, TUI_KEY, "n");
	tui_put(box, height - 2, x + 1, TUI_TEXT, " no");
}
