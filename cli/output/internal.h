/*
 * internal: between the files of output/. Not for verbs.
 */
#ifndef STINT_CLI_OUTPUT_INTERNAL_H
#define STINT_CLI_OUTPUT_INTERNAL_H

#include "cli/output/output.h"

/* The value at a dotted path, "pods.running", or NULL. */
const struct stint_json *cli_value_at(const struct stint_json *item, const char *path);
/* A value as one cell of text; NULL when it is not there. Freed by the caller. */
char *cli_value_text(const struct stint_json *value);

/*
 * The items in the order that --sort-by (by: a column's title or path, or a jsonpath; a leading minus reverses) or else list->sort asks
 * for. An array of pointers into items for free(). *changed: it is another order than theirs. NULL: err.
 */
const struct stint_json **cli_items_sorted(
	const struct cli_list *list, const struct stint_json *items, const char *by, bool *changed, struct stint_error **err);

/* Whether `by` (NULL: nothing) names a column, one of list->fields, or a field that one of the items has; else err names the columns. */
bool cli_sort_check(const struct cli_list *list, const struct stint_json *items, const char *by, struct stint_error **err);

/*
 * The text of a table as far as a terminal of so many columns and rows (0: unknown) holds it; what is cut is counted in a last line. A table
 * taller than the screen could not be drawn over: the cursor does not go back to what has scrolled away. The lines that it takes.
 */
int cli_watch_clip(const char *text, int columns, int rows, struct stint_buf *out);

/* The items as -o says, appended to out. items_array: the same items in that order, for whole documents. */
void cli_list_render(struct cli_context *ctx, const struct cli_list *list, const struct stint_json *const *items, size_t count,
	bool headers, struct stint_buf *out);
struct cli_table *cli_list_table(const struct cli_list *list, const struct stint_json *const *items, size_t count);

#endif
