/*
 * list_draw: the window on a list. Which columns have room, how wide they are, and the rows that are seen. Only these are formatted.
 */
#include "cli/tui/list.h"

#include <string.h>

enum { GAP = 2, CHECK_WIDTH = 2 };

struct plan {
	int columns[TUI_MOST_COLUMNS]; /* indices of those that are shown, in order */
	int widths[TUI_MOST_COLUMNS];
	int count;
};

static int width_of(const struct tui_list *list, int column)
{
	const struct tui_column *it = &list->kind->columns[column];
	return list->widths[column] > it->least ? list->widths[column] : it->least;
}

static int sum_of(const struct plan *plan)
{
	int sum = CHECK_WIDTH;
	for (int at = 0; at < plan->count; at++)
		sum += plan->widths[at] + (at ? GAP : 0);
	return sum;
}

/* The flexible column counts with its least width until the others are settled. */
static void drop_one(const struct tui_list *list, struct plan *plan)
{
	int worst = -1;
	for (int at = 0; at < plan->count; at++) {
		const int rank = list->kind->columns[plan->columns[at]].rank;
		if (rank > 0 && (worst < 0 || rank >= list->kind->columns[plan->columns[worst]].rank))
			worst = at;
	}
	if (worst < 0)
		worst = plan->count - 1;
	memmove(&plan->columns[worst], &plan->columns[worst + 1], (size_t)(plan->count - worst - 1) * sizeof plan->columns[0]);
	memmove(&plan->widths[worst], &plan->widths[worst + 1], (size_t)(plan->count - worst - 1) * sizeof plan->widths[0]);
	plan->count--;
}

static struct plan make_plan(const struct tui_list *list, int width)
{
	struct plan plan = {.count = 0};
	int skipped = 0;
	for (int at = 0; list->kind->columns[at].name; at++) {
		const struct tui_column *column = &list->kind->columns[at];
		if (list->hidden[at])
			continue;
		/* The first column names the row and stays. */
		if (plan.count > 0 && skipped < list->shift) {
			skipped++;
			continue;
		}
		plan.columns[plan.count] = at;
		plan.widths[plan.count++] = column->flags & TUI_FLEXIBLE ? column->least : width_of(list, at);
	}
	while (plan.count > 1 && sum_of(&plan) > width)
		drop_one(list, &plan);
	for (int at = 0; at < plan.count; at++) {
		const struct tui_column *column = &list->kind->columns[plan.columns[at]];
		if (!(column->flags & TUI_FLEXIBLE))
			continue;
		const int room = width - sum_of(&plan) + plan.widths[at];
		plan.widths[at] = at == plan.count - 1		  ? room
			: room < width_of(list, plan.columns[at]) ? room
								  : width_of(list, plan.columns[at]);
	}
	return plan;
}

static int needed(const struct tui_column *column, const void *item, const struct tui_now *now, const struct tui_cells *cells)
{
	struct tui_field field = {.text = ""};
	if (column->draw)
		return column->flags & TUI_FLEXIBLE ? 0 : (int)column->number(item, now);
	column->show(item, now, &field);
	return tui_width(cells, field.text);
}

/* Widens the columns to what is about to be shown. */
static void measure(struct tui_list *list, const struct tui_now *now, const struct tui_cells *cells)
{
	for (int at = 0; list->kind->columns[at].name; at++) {
		const struct tui_column *column = &list->kind->columns[at];
		const int title = (int)strlen(column->title) + (at == list->sort);
		if (list->hidden[at])
			continue;
		if (list->widths[at] < title)
			list->widths[at] = (uint8_t)title;
		for (size_t row = list->top; row < list->count && row < list->top + (size_t)list->height; row++) {
			int width = needed(column, list->rows[row], now, cells);
			width = width > column->most ? column->most : width;
			if (width > list->widths[at])
				list->widths[at] = (uint8_t)width;
		}
	}
}

static void draw_titles(const struct tui_list *list, const struct plan *plan, struct tui_area area)
{
	int x = CHECK_WIDTH;
	for (int at = 0; at < plan->count; at++) {
		const struct tui_column *column = &list->kind->columns[plan->columns[at]];
		stint_autofree char *title = stint_format("%s%s", column->title,
			plan->columns[at] != list->sort ? ""
				: list->reverse		? tui_glyph(area.cells, TUI_DOWN)
							: tui_glyph(area.cells, TUI_UP));
		tui_put_fit(area, 0, x, plan->widths[at], column->flags & TUI_RIGHT, TUI_HEADER, title);
		x += plan->widths[at] + GAP;
	}
}

static void draw_row(
	const struct tui_list *list, const struct plan *plan, const struct tui_now *now, struct tui_area area, int y, size_t row)
{
	const void *item = list->rows[row];
	const bool marked = tui_list_is_marked(list, item);
	const enum tui_role whole = list->kind->role ? list->kind->role(item) : TUI_TEXT;
	int x = CHECK_WIDTH;
	if (marked)
		tui_put(area, y, 0, TUI_MARKED, tui_glyph(area.cells, TUI_CHECK));
	for (int at = 0; at < plan->count; at++) {
		const struct tui_column *column = &list->kind->columns[plan->columns[at]];
		if (column->draw) {
			column->draw(item, now, area, y, x, plan->widths[at]);
		} else {
			struct tui_field field = {.text = ""};
			column->show(item, now, &field);
			tui_put_fit(area, y, x, plan->widths[at], column->flags & TUI_RIGHT, field.role ? field.role : whole, field.text);
		}
		x += plan->widths[at] + GAP;
	}
	if (row == list->cursor)
		tui_back(area, y, 0, area.width, TUI_SELECTED);
	else if (marked)
		tui_back(area, y, 0, area.width, TUI_MARKED);
}

void tui_list_draw(struct tui_list *list, const struct tui_now *now, struct tui_area area, const char *empty)
{
	list->height = area.height > 1 ? area.height - 1 : 0;
	if (list->cursor < list->top)
		list->top = list->cursor;
	if (list->height && list->cursor >= list->top + (size_t)list->height)
		list->top = list->cursor - (size_t)list->height + 1;
	/* A window that could show more at its end does. */
	if (list->top + (size_t)list->height > list->count)
		list->top = list->count > (size_t)list->height ? list->count - (size_t)list->height : 0;
	measure(list, now, area.cells);
	const struct plan plan = make_plan(list, area.width);
	draw_titles(list, &plan, area);
	if (list->count == 0)
		tui_put_fit(area, 2, CHECK_WIDTH, area.width - CHECK_WIDTH, false, TUI_DIM, empty);
	for (int y = 0; y < list->height && list->top + (size_t)y < list->count; y++)
		draw_row(list, &plan, now, area, y + 1, list->top + (size_t)y);
}
