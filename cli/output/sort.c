/*
 * sort: --sort-by. Numbers by value, quantities and times as well because both sort as numbers or text of one form, texts with the numbers
 * in them by value (gpu-2 before gpu-10), absent values last. Stable, so that ties keep the order they came in.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <stint/model.h>

#include "cli/output/internal.h"
#include "cli/output/jsonpath.h"

struct sort_row {
	const struct stint_json *item;
	const struct stint_json *key;
	size_t index;
};

/* A text such as 10Gi or 500m as a number; what is no quantity stays text. */
static bool number_of(const struct stint_json *value, double *out)
{
	const char *text = stint_json_string(value);
	int64_t milli;
	if (!text)
		return stint_json_double(value, out);
	if (!stint_quantity_parse(stint_slice_of(text), STINT_UNIT_MILLI, &milli))
		return false;
	*out = (double)milli / 1000;
	return true;
}

static int compare_values(const struct stint_json *a, const struct stint_json *b)
{
	double x, y;
	if (number_of(a, &x) && number_of(b, &y))
		return (x > y) - (x < y);
	stint_autofree char *s = cli_value_text(a), *t = cli_value_text(b);
	return strverscmp(s ? s : "", t ? t : "");
}

static int compare_rows(const void *left, const void *right, void *reverse)
{
	const struct sort_row *a = left, *b = right;
	const bool a_there = stint_json_type(a->key) != STINT_JSON_NULL, b_there = stint_json_type(b->key) != STINT_JSON_NULL;
	int sign = 0;
	if (a_there != b_there)
		return a_there ? -1 : 1;
	if (a_there)
		sign = compare_values(a->key, b->key);
	if (sign)
		return *(const bool *)reverse ? -sign : sign;
	return a->index < b->index ? -1 : 1;
}

/* The path that `by` means: a column is known by its title too. */
static const char *path_of(const struct cli_list *list, const char *by)
{
	for (const struct cli_column *column = list->columns; column->title; column++)
		if (column->path && strcasecmp(column->title, by) == 0)
			return column->path;
	return by;
}

/* One pass; later passes keep the order of earlier ones among equals. */
static bool sort_once(struct sort_row *rows, size_t count, const char *path, bool reverse, struct stint_error **err)
{
	struct cli_jsonpath *compiled = cli_jsonpath_compile(path, err);
	if (!compiled)
		return false;
	for (size_t at = 0; at < count; at++) {
		rows[at].key = cli_jsonpath_first(compiled, rows[at].item);
		rows[at].index = at;
	}
	qsort_r(rows, count, sizeof *rows, compare_rows, &reverse);
	cli_jsonpath_free(compiled);
	return true;
}

static bool is_field(const struct cli_list *list, const struct stint_json *items, const char *path)
{
	for (const struct cli_column *column = list->columns; column->title; column++)
		if (column->path && strcmp(column->path, path) == 0)
			return true;
	char **fields = stint_split(list->fields ? list->fields : "", ",");
	bool found = false;
	for (char **field = fields; *field; field++)
		found |= strcmp(*field, path) == 0;
	stint_strings_free(fields);
	struct cli_jsonpath *compiled = found ? NULL : cli_jsonpath_compile(path, NULL);
	if (compiled)
		stint_json_each(item, items)
			found |= stint_json_type(cli_jsonpath_first(compiled, item)) != STINT_JSON_NULL;
	cli_jsonpath_free(compiled);
	return found;
}

bool cli_sort_check(const struct cli_list *list, const struct stint_json *items, const char *by, struct stint_error **err)
{
	if (!by || is_field(list, items, path_of(list, by + (*by == '-'))))
		return true;
	stint_auto_buf names = {0};
	for (const struct cli_column *column = list->columns; column->title; column++)
		if (column->path)
			stint_buf_printf(&names, "%s%s", names.length ? ", " : "", column->path);
	return stint_fail(err, STINT_USAGE, "--sort-by: there is no column \"%s\": choose among %s", by + (*by == '-'), names.data);
}

static bool sort_by_defaults(struct sort_row *rows, size_t count, const char *paths, struct stint_error **err)
{
	char **each = stint_split(paths, ",");
	size_t last = 0;
	bool fine = true;
	while (each[last])
		last++;
	while (fine && last-- > 0)
		fine = sort_once(rows, count, each[last], false, err);
	stint_strings_free(each);
	return fine;
}

const struct stint_json **cli_items_sorted(
	const struct cli_list *list, const struct stint_json *items, const char *by, bool *changed, struct stint_error **err)
{
	const size_t count = stint_json_count(items);
	stint_autofree struct sort_row *rows = stint_alloc((count + 1) * sizeof *rows);
	size_t at = 0;
	stint_json_each(item, items)
		rows[at++].item = item;
	bool fine = true;
	if (by)
		fine = sort_once(rows, count, path_of(list, by + (*by == '-')), *by == '-', err);
	else if (list->sort)
		fine = sort_by_defaults(rows, count, list->sort, err);
	if (!fine)
		return NULL;
	const struct stint_json **sorted = stint_alloc((count + 1) * sizeof *sorted);
	*changed = false;
	at = 0;
	stint_json_each(item, items) {
		sorted[at] = rows[at].item;
		*changed |= sorted[at] != item;
		at++;
	}
	return sorted;
}
