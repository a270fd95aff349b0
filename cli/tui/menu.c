/*
 * menu: the box in which a column is chosen to sort by, or the columns that are shown. What is chosen is kept in the settings.
 */
#include "cli/tui/app.h"

#include <stdlib.h>
#include <string.h>

static int columns_of(const struct tui_list *list)
{
	int count = 0;
	while (list->kind->columns[count].name)
		count++;
	return count;
}

void tui_menu_open(struct tui_app *app, enum tui_menu menu)
{
	const struct tui_list *list = tui_app_list(app);
	if (!list)
		return;
	app->menu = menu;
	app->menu_at = menu == TUI_SORT_MENU && list->sort >= 0 ? list->sort : 0;
}

/* Setting dashboard-columns holds all views that were changed: "workloads:name,state;nodes:node,gpus". */
static void save_columns(struct tui_app *app)
{
	stint_auto_buf text = {0};
	stint_auto_error *err = NULL;
	for (int tab = 0; tab < TUI_TABS; tab++) {
		const struct tui_list *list = &app->lists[tab];
		bool changed = false;
		for (int at = 0; list->kind && list->kind->columns[at].name; at++)
			changed |= list->hidden[at] != ((list->kind->columns[at].flags & TUI_HIDDEN) != 0);
		if (!changed)
			continue;
		stint_autofree char *names = tui_list_columns(list);
		stint_buf_printf(&text, "%s%s:%s", text.length ? ";" : "", tui_view_of((enum tui_view_name)tab)->name, names);
	}
	if (app->outside.save && !app->outside.save(app->outside.user, "dashboard-columns", text.data ? text.data : "", &err))
		tui_app_note(app, TUI_BAD, "the columns are not kept: %s", err->message);
}

static void sort_by(struct tui_app *app, struct tui_list *list, int column)
{
	if (list->sort == column)
		list->reverse = !list->reverse;
	else
		list->reverse = list->kind->columns[column].flags & TUI_RIGHT; /* of numbers, the largest matter */
	list->sort = column;
	if (app->now.world)
		tui_list_refresh(list, &app->now);
}

static void toggle_column(struct tui_list *list, int column)
{
	int shown = 0;
	for (int at = 0; list->kind->columns[at].name; at++)
		shown += !list->hidden[at];
	if (list->hidden[column] || shown > 1)
		list->hidden[column] = !list->hidden[column];
}

bool tui_menu_key(struct tui_app *app, uint32_t key)
{
	struct tui_list *list = tui_app_list(app);
	if (app->menu == TUI_NO_MENU || !list)
		return false;
	const int count = columns_of(list);
	const enum tui_request request = tui_keys_find(&app->keys, key, TUI_IN_LIST);
	if (request == TUI_DO_QUIT)
		return false;
	if (request == TUI_DO_DOWN)
		app->menu_at = (app->menu_at + 1) % count;
	else if (request == TUI_DO_UP)
		app->menu_at = (app->menu_at + count - 1) % count;
	else if (app->menu == TUI_COLUMNS_MENU && (key == ' ' || key == TUI_KEY_ENTER))
		toggle_column(list, app->menu_at);
	else if (key == TUI_KEY_ENTER) {
		sort_by(app, list, app->menu_at);
		app->menu = TUI_NO_MENU;
	} else if (key == TUI_KEY_ESCAPE || request == TUI_DO_SORT || request == TUI_DO_COLUMNS) {
		if (app->menu == TUI_COLUMNS_MENU)
			save_columns(app);
		app->menu = TUI_NO_MENU;
	}
	return true;
}

void tui_menu_draw(struct tui_app *app, struct tui_area body)
{
	const struct tui_list *list = tui_app_list(app);
	if (app->menu == TUI_NO_MENU || !list)
		return;
	const int count = columns_of(list), width = 44, shown = count < body.height - 4 ? count : body.height - 4;
	const int first = app->menu_at < shown ? 0 : app->menu_at - shown + 1;
	struct tui_area box = tui_area_part(body, 1, (body.width - width) / 2, shown + 3, width);
	for (int y = 0; y < box.height; y++) {
		for (int x = 0; x < box.width; x++)
			tui_put_glyph(box, y, x, TUI_PROMPT, TUI_PROMPT, " ");
	}
	tui_put(box, 0, 2, TUI_HEADER, app->menu == TUI_SORT_MENU ? "Sort by" : "Columns");
	for (int at = first; at < first + shown; at++) {
		const struct tui_column *column = &list->kind->columns[at];
		const int y = 1 + at - first;
		const char *sign = app->menu == TUI_COLUMNS_MENU ? list->hidden[at] ? " " : tui_glyph(box.cells, TUI_CHECK)
			: at != list->sort ? " "
			: list->reverse				 ? tui_glyph(box.cells, TUI_DOWN)
								 : tui_glyph(box.cells, TUI_UP);
		tui_put(box, y, 2, TUI_ACCENT, sign);
		tui_put_fit(box, y, 4, width - 6, false, TUI_PROMPT, column->name);
		if (at == app->menu_at)
			tui_back(box, y, 1, width - 2, TUI_SELECTED);
	}
	tui_put(box, shown + 2, 2, TUI_DIM,
		app->menu == TUI_SORT_MENU ? "Enter sorts (again: turns round), Esc ends" : "Space shows or hides, Esc ends");
}
