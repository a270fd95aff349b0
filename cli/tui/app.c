/*
 * app: see app.h. This file has the life of the app, what keys do and what answers bring; app_draw.c draws.
 */
#include "cli/tui/app.h"

#include <stdlib.h>
#include <string.h>

enum { NOTE_MS = 6000 };

/* ---- identities -------------------------------------------------------------------------------------------------------------------- */

void tui_about_set(struct tui_about *about, enum tui_kind kind, const char *space, const char *name, const char *uid)
{
	*about = (struct tui_about){kind, stint_strdup(space), stint_strdup(name), stint_strdup(uid)};
}

void tui_about_copy(struct tui_about *to, const struct tui_about *from)
{
	tui_about_set(to, from->kind, from->space, from->name, from->uid);
}

void tui_about_clear(struct tui_about *about)
{
	free(about->space);
	free(about->name);
	free(about->uid);
	*about = (struct tui_about){0};
}

void tui_action_free(struct tui_action *action)
{
	for (size_t at = 0; at < action->count; at++)
		tui_about_clear(&action->items[at]);
	free(action->items);
	*action = (struct tui_action){0};
}

/* ---- views ------------------------------------------------------------------------------------------------------------------------- */

const struct tui_view *tui_view_of(enum tui_view_name name)
{
	static const struct tui_view *const views[TUI_VIEWS] = {
		[TUI_OVERVIEW] = &tui_view_overview,
		[TUI_WORKLOADS] = &tui_view_workloads,
		[TUI_NODES] = &tui_view_nodes,
		[TUI_PROJECTS_VIEW] = &tui_view_projects,
		[TUI_QUEUE] = &tui_view_queue,
		[TUI_EVENTS] = &tui_view_events,
		[TUI_EVICTED] = &tui_view_evicted,
		[TUI_DETAIL] = &tui_view_detail,
		[TUI_LOGS] = &tui_view_logs,
		[TUI_WHY] = &tui_view_why,
		[TUI_HELP] = &tui_view_help,
		[TUI_OUTPUT] = &tui_view_output,
	};
	return views[name];
}

enum tui_view_name tui_view_find(const char *name)
{
	enum tui_view_name at = TUI_OVERVIEW;
	while (at < TUI_VIEWS && strcmp(tui_view_of(at)->name, name) != 0)
		at++;
	return at;
}

bool tui_view_needs_events(enum tui_view_name name)
{
	return name == TUI_EVENTS || name == TUI_EVICTED;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------------- */

struct tui_app *tui_app_new(const struct tui_settings *settings, const struct tui_outside *outside)
{
	struct tui_app *app = stint_alloc(sizeof *app);
	app->settings = *settings;
	app->outside = *outside;
	app->dirty = true;
	tui_keys_default(&app->keys);
	for (int tab = 0; tab < TUI_TABS; tab++) {
		if (tui_view_of((enum tui_view_name)tab)->list)
			tui_list_open(&app->lists[tab], tui_view_of((enum tui_view_name)tab)->list);
	}
	return app;
}

static void close_screen(struct tui_screen *screen)
{
	tui_about_clear(&screen->about);
	tui_text_free(&screen->text);
	tui_pager_free(&screen->pager);
	free(screen->title);
	free(screen->problem);
	stint_json_free(screen->record);
	*screen = (struct tui_screen){0};
}

void tui_app_free(struct tui_app *app)
{
	if (!app)
		return;
	while (app->depth)
		close_screen(&app->screens[--app->depth]);
	for (int tab = 0; tab < TUI_TABS; tab++) {
		if (app->lists[tab].kind)
			tui_list_close(&app->lists[tab]);
	}
	for (size_t at = 0; at < app->history_count; at++)
		free(app->history_lines[at]);
	tui_log_free(&app->log);
	tui_starts_free(&app->starts);
	tui_action_free(&app->action);
	stint_buf_free(&app->typed);
	stint_strings_free(app->choices);
	free(app->former_filter);
	free(app->note);
	free(app->place);
	free(app->project);
	free(app->health.problem);
	free(app->health.advice);
	free(app->health.hidden);
	free(app->health.scheduler);
	free(app);
}

/* ---- what is shown ----------------------------------------------------------------------------------------------------------------- */

struct tui_screen *tui_app_screen(struct tui_app *app)
{
	return app->depth ? &app->screens[app->depth - 1] : NULL;
}

const struct tui_view *tui_app_view(const struct tui_app *app)
{
	return tui_view_of(app->depth ? app->screens[app->depth - 1].view : app->tab);
}

struct tui_list *tui_app_list(struct tui_app *app)
{
	return !app->depth && app->lists[app->tab].kind ? &app->lists[app->tab] : NULL;
}

struct tui_lines tui_app_lines(struct tui_app *app, struct tui_screen *screen)
{
	return screen->view == TUI_LOGS ? tui_log_lines(&app->log) : tui_text_lines(&screen->text);
}

bool tui_app_about(struct tui_app *app, struct tui_about *about)
{
	const struct tui_screen *screen = tui_app_screen(app);
	const struct tui_list *list = tui_app_list(app);
	*about = (struct tui_about){0};
	if (screen) {
		tui_about_copy(about, &screen->about);
		return about->kind != TUI_NO_KIND;
	}
	const void *item = list && app->now.world ? tui_list_item(list) : NULL;
	if (item)
		tui_app_view(app)->about(item, about);
	return about->kind != TUI_NO_KIND;
}

unsigned tui_app_where(struct tui_app *app)
{
	unsigned where = tui_app_view(app)->where;
	struct tui_about about;
	if (tui_app_about(app, &about) && about.kind == TUI_A_WORKLOAD)
		where |= TUI_ON_WORKLOAD;
	tui_about_clear(&about);
	return where;
}

const struct stint_workload *tui_app_workload(const struct tui_app *app, const struct tui_about *about)
{
	const struct tui_world *world = app->now.world;
	size_t low = 0, high = world ? world->workloads_count : 0;
	if (about->kind != TUI_A_WORKLOAD)
		return NULL;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct stint_workload *workload = world->workloads[middle];
		int sign = strcmp(workload->project, about->space);
		sign = sign ? sign : strcmp(workload->name, about->name);
		if (sign < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* Several kinds may share a name, and a name may be taken again: the uid decides. */
	for (; world && low < world->workloads_count; low++) {
		const struct stint_workload *workload = world->workloads[low];
		if (strcmp(workload->project, about->space) != 0 || strcmp(workload->name, about->name) != 0)
			return NULL;
		if (!about->uid || strcmp(workload->uid, about->uid) == 0)
			return workload;
	}
	return NULL;
}

static void refresh_list(struct tui_app *app)
{
	struct tui_list *list = app->lists[app->tab].kind ? &app->lists[app->tab] : NULL;
	if (list && app->now.world)
		tui_list_refresh(list, &app->now);
}

static void want_events(struct tui_app *app)
{
	bool wanted = tui_view_needs_events(app->tab);
	for (size_t at = 0; at < app->depth; at++)
		wanted |= app->screens[at].view == TUI_DETAIL;
	if (app->outside.want_events)
		app->outside.want_events(app->outside.user, wanted);
}

void tui_app_show(struct tui_app *app, enum tui_view_name view)
{
	while (app->depth)
		tui_app_pop(app);
	app->tab = view;
	app->dirty = true;
	want_events(app);
	refresh_list(app);
}

struct tui_screen *tui_app_push(struct tui_app *app, enum tui_view_name view)
{
	if (app->depth == TUI_DEEPEST)
		tui_app_pop(app);
	struct tui_screen *screen = &app->screens[app->depth++];
	*screen = (struct tui_screen){.view = view, .pager = {.match = UINT64_MAX, .wrap = view != TUI_LOGS && view != TUI_OUTPUT}};
	app->fresh = false;
	app->dirty = true;
	want_events(app);
	return screen;
}

void tui_app_pop(struct tui_app *app)
{
	struct tui_screen *screen = tui_app_screen(app);
	if (!screen)
		return;
	if (screen->view == TUI_LOGS && app->outside.follow_logs)
		app->outside.follow_logs(app->outside.user, NULL);
	if (screen->view == TUI_OUTPUT && app->outside.end_output)
		app->outside.end_output(app->outside.user);
	close_screen(screen);
	app->depth--;
	app->fresh = false;
	app->dirty = true;
	want_events(app);
	refresh_list(app);
}

void tui_app_world(struct tui_app *app, const struct tui_world *world, int64_t now_ms)
{
	app->now = (struct tui_now){world, now_ms, &app->starts};
	app->dirty = true;
	app->fresh = false;
	for (int tab = 0; tab < TUI_TABS; tab++) {
		if (app->lists[tab].kind)
			tui_list_forget(&app->lists[tab]);
	}
	if (world)
		tui_history_sample(&app->history, world, now_ms);
	refresh_list(app);
}

/* ---- answers ----------------------------------------------------------------------------------------------------------------------- */

void tui_app_note(struct tui_app *app, enum tui_role role, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	free(app->note);
	app->note = stint_vformat(format, args);
	va_end(args);
	for (char *at = app->note; *at; at++)
		*at = *at == '\n' ? ' ' : *at;
	app->note_role = role;
	app->note_until_ms = app->now.ms + NOTE_MS;
	app->dirty = true;
}

void tui_app_why(struct tui_app *app, const char *project, const char *name, struct stint_json *record, const char *problem)
{
	for (size_t at = 0; at < app->depth; at++) {
		struct tui_screen *screen = &app->screens[at];
		if (screen->view != TUI_WHY || strcmp(screen->about.space, project) != 0 || strcmp(screen->about.name, name) != 0)
			continue;
		stint_json_free(screen->record);
		free(screen->problem);
		screen->record = stint_steal(&record);
		screen->problem = stint_strdup(problem);
		app->fresh = false;
		app->dirty = true;
		return;
	}
	stint_json_free(record); /* nobody waits for it any more */
}

void tui_app_output_open(struct tui_app *app, const char *title)
{
	const struct tui_screen *screen = tui_app_screen(app);
	if (!screen || screen->view != TUI_OUTPUT || strcmp(screen->title, title) != 0)
		tui_app_push(app, TUI_OUTPUT)->title = stint_strdup(title);
	tui_app_output(app, title, "...");
}

void tui_app_output(struct tui_app *app, const char *title, const char *output)
{
	for (size_t at = app->depth; at-- > 0;) {
		struct tui_screen *screen = &app->screens[at];
		if (screen->view != TUI_OUTPUT || strcmp(screen->title, title) != 0)
			continue;
		free(screen->problem);
		screen->problem = stint_strdup(output);
		app->fresh = false;
		app->dirty = true;
		return;
	}
}

void tui_app_log_changed(struct tui_app *app)
{
	const struct tui_screen *screen = tui_app_screen(app);
	if (screen && screen->view == TUI_LOGS)
		app->dirty = true;
}

const struct stint_workload *tui_app_next_start(const struct tui_app *app, int64_t now_ms)
{
	const struct tui_list *list = &app->lists[TUI_QUEUE];
	const struct stint_workload *next = NULL;
	int64_t longest_ms = now_ms - TUI_STARTS_AGAIN_MS;
	if (app->depth || app->tab != TUI_QUEUE || !app->now.world || list->hidden[tui_list_column(list->kind, "starts")])
		return NULL;
	for (size_t row = list->top; row < list->count && row < list->top + (size_t)list->height; row++) {
		const struct stint_workload *workload = ((const struct tui_waiting *)list->rows[row])->workload;
		const int64_t asked_ms = tui_starts_asked(&app->starts, workload->uid);
		if (workload->never || asked_ms > longest_ms)
			continue;
		next = workload;
		if (asked_ms < 0)
			break;
		longest_ms = asked_ms - 1;
	}
	return next;
}

/* ---- requests ---------------------------------------------------------------------------------------------------------------------- */

static void move(struct tui_app *app, int64_t by)
{
	struct tui_screen *screen = tui_app_screen(app);
	struct tui_list *list = tui_app_list(app);
	if (screen) {
		const struct tui_lines lines = tui_app_lines(app, screen);
		tui_pager_move(&screen->pager, &lines, by);
		if (by == INT64_MAX && screen->view == TUI_LOGS)
			screen->pager.follow = true;
	} else if (list) {
		tui_list_move(list, by);
	} else {
		app->overview_top = by == INT64_MIN ? 0 : by == INT64_MAX ? INT32_MAX / 2 : app->overview_top + (int)by;
		app->overview_top = app->overview_top < 0 ? 0 : app->overview_top;
	}
}

static int page(struct tui_app *app)
{
	const struct tui_screen *screen = tui_app_screen(app);
	const struct tui_list *list = tui_app_list(app);
	const int height = screen ? screen->pager.height : list ? list->height : 10;
	return height > 2 ? height - 1 : 1;
}

static void shift(struct tui_app *app, int by)
{
	struct tui_screen *screen = tui_app_screen(app);
	struct tui_list *list = tui_app_list(app);
	int *shift_of = screen ? &screen->pager.shift : list ? &list->shift : NULL;
	if (!shift_of)
		return;
	*shift_of += screen ? 8 * by : by;
	if (*shift_of < 0 || (screen && screen->pager.wrap))
		*shift_of = 0;
	if (list && *shift_of > 8)
		*shift_of = 8;
}

/* Pushes a view about what is selected. */
static void open_about(struct tui_app *app, enum tui_view_name view)
{
	struct tui_about about;
	if (!tui_app_about(app, &about))
		return;
	struct tui_screen *screen = tui_app_screen(app);
	if (screen && screen->view == view) {
		tui_about_clear(&about);
		return;
	}
	screen = tui_app_push(app, view);
	screen->about = about;
	if (view == TUI_WHY && app->outside.ask_why)
		app->outside.ask_why(app->outside.user, about.space, about.name);
	if (view == TUI_LOGS && app->outside.follow_logs) {
		tui_log_clear(&app->log);
		screen->pager.follow = true;
		app->outside.follow_logs(app->outside.user, &about);
	}
}

static void back(struct tui_app *app)
{
	struct tui_screen *screen = tui_app_screen(app);
	struct tui_list *list = tui_app_list(app);
	if (screen && screen->pager.search) {
		free(stint_steal(&screen->pager.search));
		screen->pager.match = UINT64_MAX;
	} else if (screen) {
		tui_app_pop(app);
	} else if (list && stint_map_count(list->marks)) {
		stint_map_clear(list->marks);
	} else if (list && list->filter) {
		list->moved |= tui_list_item(list) != NULL; /* what was found is what is acted on next */
		tui_list_filter(list, "", NULL);
		refresh_list(app);
	}
}

static void search_again(struct tui_app *app, bool backwards)
{
	struct tui_screen *screen = tui_app_screen(app);
	if (!screen || !screen->pager.search)
		return;
	const struct tui_lines lines = tui_app_lines(app, screen);
	if (!tui_pager_search(&screen->pager, &lines, screen->pager.search, backwards))
		tui_app_note(app, TUI_WARN, "\"%s\" stands nowhere in this text", screen->pager.search);
}

static void open_shell(struct tui_app *app)
{
	struct tui_about about;
	if (tui_app_about(app, &about) && app->outside.shell)
		app->outside.shell(app->outside.user, &about);
	tui_about_clear(&about);
}

static void toggle(struct tui_app *app, enum tui_request request)
{
	struct tui_screen *screen = tui_app_screen(app);
	struct tui_list *list = tui_app_list(app);
	if (request == TUI_DO_WRAP && screen)
		screen->pager.wrap = !screen->pager.wrap;
	if (request == TUI_DO_FOLLOW && screen)
		screen->pager.follow = !screen->pager.follow;
	if (request == TUI_DO_REVERSE && list) {
		list->reverse = !list->reverse;
		refresh_list(app);
	}
	if (request == TUI_DO_MARK && list) {
		tui_list_toggle_mark(list);
		tui_list_move(list, 1);
	}
	if (screen)
		screen->pager.shift = 0;
}

static void show_help(struct tui_app *app)
{
	const struct tui_screen *screen = tui_app_screen(app);
	if (!screen || screen->view != TUI_HELP)
		tui_app_push(app, TUI_HELP);
}

void tui_app_request(struct tui_app *app, enum tui_request request)
{
	const struct tui_outside *outside = &app->outside;
	app->dirty = true;
	switch (request) {
	case TUI_DO_UP: move(app, -1); break;
	case TUI_DO_DOWN: move(app, 1); break;
	case TUI_DO_PAGE_UP: move(app, -page(app)); break;
	case TUI_DO_PAGE_DOWN: move(app, page(app)); break;
	case TUI_DO_HOME: move(app, INT64_MIN); break;
	case TUI_DO_END: move(app, INT64_MAX); break;
	case TUI_DO_LEFT: shift(app, -1); break;
	case TUI_DO_RIGHT: shift(app, 1); break;
	case TUI_DO_OPEN: open_about(app, TUI_DETAIL); break;
	case TUI_DO_BACK: back(app); break;
	case TUI_DO_NEXT_VIEW: tui_app_show(app, (enum tui_view_name)((app->tab + 1) % TUI_TABS)); break;
	case TUI_DO_LAST_VIEW: tui_app_show(app, (enum tui_view_name)((app->tab + TUI_TABS - 1) % TUI_TABS)); break;
	case TUI_DO_OVERVIEW:
	case TUI_DO_WORKLOADS:
	case TUI_DO_NODES:
	case TUI_DO_PROJECTS:
	case TUI_DO_QUEUE:
	case TUI_DO_EVENTS:
	case TUI_DO_EVICTED: tui_app_show(app, (enum tui_view_name)(TUI_OVERVIEW + (request - TUI_DO_OVERVIEW))); break;
	case TUI_DO_FILTER:
		tui_prompt_open(app, tui_app_list(app) ? TUI_FILTER_PROMPT : app->depth ? TUI_SEARCH_PROMPT : TUI_NO_PROMPT);
		break;
	case TUI_DO_AGAIN: search_again(app, false); break;
	case TUI_DO_AGAIN_BACK: search_again(app, true); break;
	case TUI_DO_SORT: tui_menu_open(app, TUI_SORT_MENU); break;
	case TUI_DO_COLUMNS: tui_menu_open(app, TUI_COLUMNS_MENU); break;
	case TUI_DO_REVERSE:
	case TUI_DO_MARK:
	case TUI_DO_WRAP:
	case TUI_DO_FOLLOW: toggle(app, request); break;
	case TUI_DO_LOGS: open_about(app, TUI_LOGS); break;
	case TUI_DO_WHY: open_about(app, TUI_WHY); break;
	case TUI_DO_SHELL: open_shell(app); break;
	case TUI_DO_DELETE: tui_question_open(app, TUI_ACT_DELETE); break;
	case TUI_DO_SUSPEND: tui_question_open(app, TUI_ACT_SUSPEND); break;
	case TUI_DO_RESUME: tui_question_open(app, TUI_ACT_RESUME); break;
	case TUI_DO_RAISE: tui_question_open(app, TUI_ACT_RAISE); break;
	case TUI_DO_LOWER: tui_question_open(app, TUI_ACT_LOWER); break;
	case TUI_DO_COMMAND: tui_prompt_open(app, TUI_COMMAND_PROMPT); break;
	case TUI_DO_HELP: show_help(app); break;
	case TUI_DO_REDRAW:
		if (outside->redraw)
			outside->redraw(outside->user);
		break;
	case TUI_DO_STOP:
		if (outside->stop)
			outside->stop(outside->user);
		break;
	case TUI_DO_QUIT:
		if (outside->quit)
			outside->quit(outside->user);
		break;
	case TUI_REQUEST_COUNT: break;
	}
}

/* A click on a row puts the cursor there; on a tab of the title it shows that. */
static void click(struct tui_app *app, int y, int x)
{
	struct tui_list *list = tui_app_list(app);
	const int tab = y == 0 ? tui_app_tab_at(x, app->width) : TUI_TABS;
	if (tab < TUI_TABS) {
		tui_app_show(app, (enum tui_view_name)tab);
		return;
	}
	const int line = y - 3; /* title, status, titles of columns */
	if (list && line >= 0 && line < list->height && list->top + (size_t)line < list->count)
		tui_list_move(list, (int64_t)(list->top + (size_t)line) - (int64_t)list->cursor);
}

void tui_app_key(struct tui_app *app, uint32_t key, int y, int x, int64_t now_ms)
{
	app->now.ms = now_ms;
	app->dirty = true;
	if (key == 3 && app->outside.quit) { /* Ctrl-C ends it, whatever is open */
		app->outside.quit(app->outside.user);
		return;
	}
	if (tui_question_key(app, key) || tui_menu_key(app, key) || tui_prompt_key(app, key))
		return;
	if (key == TUI_KEY_WHEEL_UP || key == TUI_KEY_WHEEL_DOWN)
		move(app, key == TUI_KEY_WHEEL_UP ? -3 : 3);
	else if (key == TUI_KEY_CLICK)
		click(app, y, x);
	else
		tui_app_request(app, tui_keys_find(&app->keys, key, tui_app_where(app)));
}
