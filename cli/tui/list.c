/*
 * list: see list.h. This file keeps the rows; list_draw.c shows them.
 */
#include "cli/tui/list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tui_field_set(struct tui_field *field, enum tui_role role, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(field->text, sizeof field->text, format, args);
	va_end(args);
	field->role = role;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------------- */

static void set_sort(struct tui_list *list, const char *sort)
{
	list->reverse = sort && *sort == '-';
	list->sort = sort ? tui_list_column(list->kind, sort + list->reverse) : -1;
}

void tui_list_open(struct tui_list *list, const struct tui_list_kind *kind)
{
	*list = (struct tui_list){.kind = kind, .filter_text = stint_strdup(""), .marks = stint_map_new(NULL)};
	for (int at = 0; kind->columns[at].name; at++)
		list->hidden[at] = kind->columns[at].flags & TUI_HIDDEN;
	set_sort(list, kind->sort);
}

void tui_list_close(struct tui_list *list)
{
	free(list->rows);
	free(list->filter_text);
	free(list->doubt);
	free(list->cursor_id);
	tui_filter_free(list->filter);
	stint_map_free(list->marks);
	*list = (struct tui_list){0};
}

/* ---- columns by name --------------------------------------------------------------------------------------------------------------- */

int tui_list_column(const struct tui_list_kind *kind, const char *name)
{
	for (int at = 0; kind->columns[at].name; at++) {
		if (strcmp(kind->columns[at].name, name) == 0)
			return at;
	}
	return -1;
}

char *tui_list_columns(const struct tui_list *list)
{
	stint_auto_buf text = {0};
	for (int at = 0; list->kind->columns[at].name; at++) {
		if (!list->hidden[at])
			stint_buf_printf(&text, "%s%s", text.length ? "," : "", list->kind->columns[at].name);
	}
	return stint_buf_steal(&text);
}

bool tui_list_choose(struct tui_list *list, const char *names, struct stint_error **err)
{
	bool hidden[TUI_MOST_COLUMNS], fine = true;
	for (size_t at = 0; at < TUI_MOST_COLUMNS; at++)
		hidden[at] = true;
	char **words = stint_split(names, ", ");
	for (size_t at = 0; fine && words[at]; at++) {
		const int column = tui_list_column(list->kind, words[at]);
		if (column < 0)
			fine = stint_fail(err, STINT_USAGE, "there is no column \"%s\" in this view", words[at]);
		else
			hidden[column] = false;
	}
	if (fine && !words[0])
		fine = stint_fail(err, STINT_USAGE, "a view without columns would show nothing");
	stint_strings_free(words);
	if (fine)
		memcpy(list->hidden, hidden, sizeof hidden);
	return fine;
}

/* ---- rows -------------------------------------------------------------------------------------------------------------------------- */

struct context {
	struct tui_list *list;
	const struct tui_now *now;
};

static const struct tui_column *searched(const struct tui_list_kind *kind, size_t index)
{
	for (const struct tui_column *column = kind->columns; column->name; column++) {
		if (column->flags & TUI_SEARCHED && index-- == 0)
			return column;
	}
	return NULL;
}

static bool row_field(const struct tui_filter_row *row, size_t index, const char **text)
{
	const struct context *context = row->user;
	const struct tui_column *column = searched(context->list->kind, index);
	*text = column ? column->text(row->item) : NULL;
	return column != NULL;
}

static bool row_column(const struct tui_filter_row *row, const char *name, char *out, size_t size)
{
	const struct context *context = row->user;
	const int index = tui_list_column(context->list->kind, name);
	if (index < 0)
		return false;
	const struct tui_column *column = &context->list->kind->columns[index];
	if (column->text) {
		const char *text = column->text(row->item);
		snprintf(out, size, "%s", text ? text : "");
	} else if (column->show) {
		struct tui_field field = {.text = ""};
		column->show(row->item, context->now, &field);
		snprintf(out, size, "%s", field.text);
	} else {
		*out = '\0';
	}
	return true;
}

static void add_row(void *user, const void *item)
{
	struct context *context = user;
	struct tui_list *list = context->list;
	const struct tui_filter_row row = {item, context, row_field, row_column, list->kind->labels};
	list->total++;
	if (list->filter && !tui_filter_match(list->filter, &row))
		return;
	stint_grow(&list->rows, &list->capacity, list->count + 1, sizeof *list->rows);
	list->rows[list->count++] = item;
}

struct label_search {
	const struct tui_list_kind *kind;
	const char *key;
	bool found;
};

static void look_for_label(void *user, const void *item)
{
	struct label_search *search = user;
	const struct stint_pairs *labels = search->found || !search->kind->labels ? NULL : search->kind->labels(item);
	search->found |= labels && stint_pairs_get(labels, search->key);
}

static bool is_known(const struct context *context, const char *key)
{
	struct label_search search = {.kind = context->list->kind, .key = key};
	if (tui_list_column(search.kind, key) >= 0)
		return true;
	search.kind->collect(context->now, look_for_label, &search);
	return search.found;
}

/* Of a filter that shows nothing a sign may be the reason; of one with a name that nothing has, the name is. */
static void doubt_filter(const struct context *context)
{
	struct tui_list *list = context->list;
	free(stint_steal(&list->doubt));
	if (!list->filter || !list->total)
		return;
	const char sign = list->count ? '\0' : tui_filter_sign(list->filter);
	if (sign) {
		list->doubt = stint_format(
			"no row has \"%c\" there, which is no operator: a filter is made of word, !word, column=part, column!=part", sign);
		return;
	}
	const char *key;
	for (size_t at = 0; !list->doubt && (key = tui_filter_key(list->filter, at)); at++) {
		if (!is_known(context, key))
			list->doubt = stint_format("there is no column \"%s\", and no row has a label of that name", key);
	}
}

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	return strverscmp(a, b);
}

static int compare_numbers(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

/* What is unknown comes last in either direction. */
static int compare_rows(const void *left, const void *right, void *user)
{
	const struct context *context = user;
	const struct tui_list *list = context->list;
	const struct tui_column *column = &list->kind->columns[list->sort];
	const void *a = *(const void *const *)left, *b = *(const void *const *)right;
	int sign;
	bool unknown;
	if (column->number) {
		const double p = column->number(a, context->now), q = column->number(b, context->now);
		unknown = isnan(p) || isnan(q);
		sign = compare_numbers(p, q);
	} else {
		const char *p = column->text(a), *q = column->text(b);
		unknown = !p || !q;
		sign = compare_texts(p, q);
	}
	if (sign == 0)
		return strcmp(list->kind->id(a), list->kind->id(b));
	return list->reverse && !unknown ? -sign : sign;
}

/* The rows as they lie in the world are in an order of their own, so that equal ones stay as they were. */
static void sort_rows(struct context *context)
{
	struct tui_list *list = context->list;
	if (list->sort >= 0 && list->count > 1) {
		qsort_r(list->rows, list->count, sizeof *list->rows, compare_rows, context);
		return;
	}
	for (size_t at = 0; list->reverse && at < list->count / 2; at++) {
		const void *other = list->rows[list->count - 1 - at];
		list->rows[list->count - 1 - at] = list->rows[at];
		list->rows[at] = other;
	}
}

static void remember_cursor(struct tui_list *list)
{
	free(list->cursor_id);
	list->cursor_id = list->cursor < list->count ? stint_strdup(list->kind->id(list->rows[list->cursor])) : NULL;
}

static void find_cursor(struct tui_list *list)
{
	const size_t line = list->cursor - list->top;
	bool found = false;
	for (size_t at = 0; list->moved && list->cursor_id && at < list->count && !found; at++) {
		if (strcmp(list->kind->id(list->rows[at]), list->cursor_id) != 0)
			continue;
		list->cursor = at;
		list->top = at >= line ? at - line : 0;
		found = true;
	}
	if (list->cursor >= list->count)
		list->cursor = list->count ? list->count - 1 : 0;
	if (!found)
		remember_cursor(list);
	if (list->top > list->cursor)
		list->top = list->cursor;
}

void tui_list_refresh(struct tui_list *list, const struct tui_now *now)
{
	struct context context = {list, now};
	list->count = list->total = 0;
	list->kind->collect(now, add_row, &context);
	doubt_filter(&context);
	sort_rows(&context);
	find_cursor(list);
}

void tui_list_forget(struct tui_list *list)
{
	list->count = list->total = 0;
}

void tui_list_move(struct tui_list *list, int64_t by)
{
	const int64_t last = list->count ? (int64_t)list->count - 1 : 0;
	int64_t to = by == INT64_MIN ? 0 : by == INT64_MAX ? last : (int64_t)list->cursor + by;
	to = to < 0 ? 0 : to > last ? last : to;
	list->cursor = (size_t)to;
	list->moved = to > 0;
	remember_cursor(list);
}

const void *tui_list_item(const struct tui_list *list)
{
	return list->cursor < list->count ? list->rows[list->cursor] : NULL;
}

bool tui_list_filter(struct tui_list *list, const char *text, struct stint_error **err)
{
	stint_auto_error *problem = NULL;
	struct tui_filter *filter = tui_filter_parse(text, &problem);
	if (problem)
		return stint_error_move(err, &problem);
	char *copy = stint_strdup(text); /* text may be the former one */
	tui_filter_free(list->filter);
	free(list->filter_text);
	list->filter = filter;
	list->filter_text = copy;
	return true;
}

void tui_list_toggle_mark(struct tui_list *list)
{
	static char marked;
	const void *item = tui_list_item(list);
	if (item && !stint_map_remove(list->marks, list->kind->id(item)))
		stint_map_set(list->marks, list->kind->id(item), &marked);
}

bool tui_list_is_marked(const struct tui_list *list, const void *item)
{
	return stint_map_count(list->marks) > 0 && stint_map_has(list->marks, list->kind->id(item));
}
