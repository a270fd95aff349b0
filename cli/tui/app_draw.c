/*
 * app_draw: one frame: the title with the tabs, the line that says what is shown and what is wrong, the view, the keys. What must be seen
 * first (a lost server, what may not be seen) has the status line for itself.
 */
#include "cli/tui/app.h"

#include <string.h>
#include <time.h>

#include "cli/tui/layout.h"

enum { FIRST_TAB = 7, ROOMY = 90 };

static struct tui_area area_of(struct tui_cells *cells, struct tui_rect rect)
{
	return tui_area_part(tui_area_of(cells), rect.y, rect.x, rect.height, rect.width);
}

/* ---- title ------------------------------------------------------------------------------------------------------------------------- */

/* " 2 Workloads "; where room is short the tabs have all of it. */
static char *tab_text(int tab, int width)
{
	return stint_format(width < ROOMY ? " %d %s" : " %d %s ", tab + 1, tui_view_of((enum tui_view_name)tab)->title);
}

static int first_tab(int width)
{
	return width < ROOMY ? 0 : FIRST_TAB;
}

int tui_app_tab_at(int x, int width)
{
	int at = first_tab(width), tab = 0;
	for (; tab < TUI_TABS && x >= first_tab(width); tab++) {
		stint_autofree char *text = tab_text(tab, width);
		at += (int)strlen(text);
		if (x < at)
			return tab;
	}
	return TUI_TABS;
}

static void draw_title(const struct tui_app *app, struct tui_area area)
{
	char clock_text[16] = "";
	const time_t seconds = (time_t)(app->now.ms / 1000);
	struct tm local;
	if (localtime_r(&seconds, &local))
		strftime(clock_text, sizeof clock_text, area.width < ROOMY ? "%H:%M" : "%H:%M:%S", &local);
	for (int x = 0; x < area.width; x++)
		tui_put_glyph(area, 0, x, TUI_TITLE, TUI_TITLE, " ");
	int x = first_tab(area.width);
	if (x)
		tui_put(area, 0, 1, TUI_TITLE, "stint");
	for (int tab = 0; tab < TUI_TABS; tab++) {
		const bool shown = (int)app->tab == tab;
		const int start = x;
		stint_autofree char *text = tab_text(tab, area.width);
		x += tui_put(area, 0, x, shown ? TUI_TAB : TUI_TITLE, text);
		tui_back(area, 0, start, x - start, shown ? TUI_TAB : TUI_TITLE);
	}
	const int right = area.width - (int)strlen(clock_text) - 1;
	tui_put(area, 0, right, TUI_TITLE, clock_text);
	if (app->place && right - x > 12)
		tui_put_fit(area, 0, x + 1, right - x - 3, true, TUI_TITLE, app->place);
	tui_back(area, 0, x, area.width - x, TUI_TITLE);
}

/* ---- status ------------------------------------------------------------------------------------------------------------------------ */

static void draw_alarm(const struct tui_app *app, struct tui_area area)
{
	char age[STINT_TIME_SIZE];
	const int64_t lost_ms = app->now.ms > app->health.lost_ms ? app->now.ms - app->health.lost_ms : 0;
	stint_autofree char *text = stint_format("No news for %s: %s%s%s", stint_duration_format(lost_ms, age),
		app->health.problem ? app->health.problem : "the server does not answer", app->health.advice ? "; " : "; trying again",
		app->health.advice ? app->health.advice : "");
	tui_back(area, 0, 0, area.width, TUI_ALARM);
	tui_put_fit(area, 0, 1, area.width - 2, false, TUI_ALARM, text);
}

/* "12 of 300 workloads · filter: state=running · 3 marked" */
static int draw_list_status(const struct tui_app *app, const struct tui_list *list, struct tui_area area)
{
	const char *title = tui_app_view(app)->title;
	int x = 1;
	if (list->filter)
		x += tui_putf(area, 0, x, TUI_STRONG, "%zu of %zu %s", list->count, list->total, title);
	else
		x += tui_putf(area, 0, x, TUI_TEXT, "%zu %s", list->total, title);
	if (list->filter) {
		x += tui_put(area, 0, x + 2, TUI_DIM, "filter ") + 2;
		x += tui_put(area, 0, x, TUI_ACCENT, list->filter_text);
	}
	if (stint_map_count(list->marks))
		x += tui_putf(area, 0, x + 2, TUI_MARKED, "%zu marked", stint_map_count(list->marks)) + 2;
	if (app->project)
		x += tui_putf(area, 0, x + 2, TUI_DIM, "project %s", app->project) + 2;
	return x;
}

static int draw_screen_status(const struct tui_app *app, const struct tui_screen *screen, struct tui_area area)
{
	const struct tui_view *view = tui_view_of(screen->view);
	int x = 1 + tui_put(area, 0, 1, TUI_STRONG, view->title);
	if (screen->about.name)
		x += tui_putf(area, 0, x + 1, TUI_ACCENT, "%s%s%s", screen->about.space ? screen->about.space : "",
			     screen->about.space ? "/" : "", screen->about.name) +
			1;
	else if (screen->title)
		x += tui_put(area, 0, x + 1, TUI_ACCENT, screen->title) + 1;
	if (screen->view == TUI_LOGS) {
		x += tui_putf(area, 0, x + 2, TUI_DIM, "%llu lines%s", (unsigned long long)(app->log.end - app->log.first),
			     app->log.first ? ", older ones let go" : "") +
			2;
		x += tui_put(area, 0, x + 2, screen->pager.follow ? TUI_GOOD : TUI_WARN,
			     screen->pager.follow ? "following" : "stopped (f follows)") +
			2;
		if (screen->problem)
			x += tui_put(area, 0, x + 2, TUI_WARN, screen->problem) + 2;
	}
	if (screen->pager.search)
		x += tui_putf(area, 0, x + 2, TUI_DIM, "search \"%s\"", screen->pager.search) + 2;
	return x;
}

/* At the right: what is wrong with what is shown. It gets what is left of the line, and half of it at least. */
static void draw_doubts(const struct tui_app *app, struct tui_area area, int taken)
{
	const struct tui_health *health = &app->health;
	const bool loading = health->loading && app->now.world;
	const char *order = app->now.world && app->tab == TUI_QUEUE && !app->depth ? app->now.world->line_doubt : NULL;
	stint_autofree char *text = loading	      ? stint_strdup("still reading ...")
		: health->scheduler && health->hidden ? stint_format("%s; %s", health->scheduler, health->hidden)
						      : stint_strdup(health->scheduler	 ? health->scheduler
									: health->hidden ? health->hidden
											 : order);
	if (!text)
		return;
	const int left = area.width - taken - 3, most = left > area.width / 2 ? left : area.width / 2;
	const int width = tui_width(area.cells, text), room = width < most ? width : most;
	tui_put_fit(area, 0, area.width - room - 1, room, false, loading ? TUI_DIM : TUI_WARN, text);
}

static void draw_status(struct tui_app *app, struct tui_area area)
{
	const struct tui_screen *screen = tui_app_screen(app);
	const struct tui_list *list = tui_app_list(app);
	if (app->health.lost_ms) {
		draw_alarm(app, area);
		return;
	}
	int taken = 0;
	if (screen)
		taken = draw_screen_status(app, screen, area);
	else if (list)
		taken = draw_list_status(app, list, area);
	else if (app->project)
		taken = 1 + tui_putf(area, 0, 1, TUI_TEXT, "project %s", app->project);
	draw_doubts(app, area, taken);
}

/* ---- foot -------------------------------------------------------------------------------------------------------------------------- */

static int hint(const struct tui_app *app, struct tui_area area, int x, enum tui_request request, const char *word)
{
	char name[16];
	const uint32_t key = app->keys.keys[request][0];
	if (!key || x + (int)strlen(word) + 6 > area.width)
		return x;
	x += tui_put(area, 0, x, TUI_KEY, tui_key_name(key, name));
	x += tui_putf(area, 0, x, TUI_TEXT, " %s", word);
	return x + 2;
}

static void draw_hints(struct tui_app *app, struct tui_area area)
{
	static const struct {
		enum tui_request request;
		unsigned where;
		const char *word;
	} hints[] = {
		{TUI_DO_HELP, TUI_EVERYWHERE, "help"},
		{TUI_DO_QUIT, TUI_EVERYWHERE, "quit"},
		{TUI_DO_OPEN, TUI_IN_LIST, "detail"},
		{TUI_DO_BACK, TUI_IN_TEXT | TUI_IN_LOGS, "back"},
		{TUI_DO_FILTER, TUI_IN_LIST, "filter"},
		{TUI_DO_FILTER, TUI_IN_TEXT | TUI_IN_LOGS, "search"},
		{TUI_DO_FOLLOW, TUI_IN_LOGS, "follow"},
		{TUI_DO_WRAP, TUI_IN_TEXT | TUI_IN_LOGS, "wrap"},
		{TUI_DO_LOGS, TUI_ON_WORKLOAD, "logs"},
		{TUI_DO_WHY, TUI_ON_WORKLOAD, "why"},
		{TUI_DO_SHELL, TUI_ON_WORKLOAD, "shell"},
		{TUI_DO_DELETE, TUI_ON_WORKLOAD, "delete"},
		{TUI_DO_SORT, TUI_IN_LIST, "sort"},
		{TUI_DO_COLUMNS, TUI_IN_LIST, "columns"},
		{TUI_DO_NEXT_VIEW, TUI_IN_OVERVIEW, "next view"},
		{TUI_DO_COMMAND, TUI_EVERYWHERE, "command"},
	};
	const unsigned where = tui_app_where(app);
	int x = 1;
	for (size_t at = 0; at < STINT_COUNT(hints); at++) {
		if (hints[at].where & where)
			x = hint(app, area, x, hints[at].request, hints[at].word);
	}
}

static void draw_foot(struct tui_app *app, struct tui_area area)
{
	if (app->prompt != TUI_NO_PROMPT)
		tui_prompt_draw(app, area);
	else if (app->note && app->now.ms < app->note_until_ms)
		tui_put_fit(area, 0, 1, area.width - 2, false, app->note_role, app->note);
	else
		draw_hints(app, area);
}

/* ---- the frame --------------------------------------------------------------------------------------------------------------------- */

static void draw_text_view(struct tui_app *app, struct tui_screen *screen, struct tui_area area)
{
	const struct tui_view *view = tui_view_of(screen->view);
	if (view->write && !app->fresh) {
		tui_text_clear(&screen->text);
		view->write(app, screen, &screen->text);
		app->fresh = true;
	}
	const struct tui_lines lines = tui_app_lines(app, screen);
	tui_pager_draw(&screen->pager, &lines, tui_area_part(area, 0, 1, area.height, area.width - 2));
	if (lines.end == lines.first && screen->view == TUI_LOGS)
		tui_put_fit(area, 1, 1, area.width - 2, false, TUI_DIM, screen->problem ? screen->problem : "nothing has been written yet");
}

/* Nothing to show is one thing, and not to be allowed to see it another. */
static const char *empty_text(const struct tui_app *app, const struct tui_list *list)
{
	if (list->doubt)
		return list->doubt;
	if (list->filter && list->total)
		return "no row matches the filter: Esc takes it away";
	if (!app->now.world->pods_known && (app->tab == TUI_WORKLOADS || app->tab == TUI_QUEUE))
		return "pods may not be seen, so nothing is known of workloads";
	return list->kind->nothing;
}

static void draw_body(struct tui_app *app, struct tui_area area)
{
	struct tui_screen *screen = tui_app_screen(app);
	struct tui_list *list = tui_app_list(app);
	if (screen)
		draw_text_view(app, screen, area);
	else if (!app->now.world)
		tui_put_fit(area, 1, 1, area.width - 2, false, TUI_DIM,
			app->health.lost_ms ? "nothing has been read yet" : "reading the cluster ...");
	else if (list)
		tui_list_draw(list, &app->now, area, empty_text(app, list));
	else
		tui_app_view(app)->draw(app, area);
	tui_menu_draw(app, area);
	tui_question_draw(app, area);
}

/* As a sentence where there is room for it, else in short lines: what is needed comes first. */
static void draw_too_small(struct tui_cells *cells, int width, int height)
{
	stint_autofree char *sentence =
		stint_format("The dashboard needs %d x %d, and this is %d x %d:", TUI_LEAST_WIDTH, TUI_LEAST_HEIGHT, width, height);
	stint_autofree char *least = stint_format("needs %dx%d", TUI_LEAST_WIDTH, TUI_LEAST_HEIGHT);
	stint_autofree char *now = stint_format("is %dx%d", width, height);
	const bool fits = tui_width(cells, sentence) <= width;
	const char *const lines[] = {fits ? sentence : least, fits ? "enlarge the window, or press q." : now, fits ? "" : "q: quit"};
	const int count = (int)STINT_COUNT(lines), top = height > count ? (height - count) / 2 : 0;
	for (int at = 0; at < count; at++)
		tui_put(tui_area_of(cells), top + at, 0, TUI_WARN, lines[at]);
}

void tui_app_draw(struct tui_app *app, struct tui_cells *cells, int width, int height, int64_t now_ms)
{
	struct tui_frame frame;
	tui_cells_reset(cells, width, height, app->settings.utf8);
	app->now.ms = now_ms;
	app->dirty = false;
	app->width = width;
	if (!tui_layout_frame(width, height, &frame)) {
		draw_too_small(cells, width, height);
		return;
	}
	draw_title(app, area_of(cells, frame.title));
	draw_status(app, area_of(cells, frame.status));
	draw_body(app, area_of(cells, frame.body));
	draw_foot(app, area_of(cells, frame.foot));
}

bool tui_app_cursor(const struct tui_app *app, const struct tui_cells *cells, int *y, int *x)
{
	if (app->prompt == TUI_NO_PROMPT)
		return false;
	stint_autofree char *front = stint_strndup(app->typed.data ? app->typed.data : "", app->typed_at);
	*y = cells->height - 1;
	*x = 2 + tui_width(cells, front);
	*x = *x < cells->width ? *x : cells->width - 1;
	return true;
}
