/*
 * list: cli_print_list and the forms of a list. Everything is gathered in one buffer and written at once: a reader never sees half a table.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/output/internal.h"
#include "cli/output/jsonpath.h"

const struct stint_json *cli_value_at(const struct stint_json *item, const char *path)
{
	while (item && path) {
		const char *dot = strchr(path, '.');
		stint_autofree char *key = dot ? stint_strndup(path, (size_t)(dot - path)) : NULL;
		item = stint_json_get(item, key ? key : path);
		path = dot ? dot + 1 : NULL;
	}
	return item;
}

char *cli_value_text(const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	if (text)
		return stint_strdup(text);
	if (stint_json_type(value) == STINT_JSON_NULL)
		return NULL;
	if (stint_json_type(value) != STINT_JSON_ARRAY)
		return stint_json_print(value);
	stint_auto_buf joined = {0};
	stint_json_each(item, value) {
		stint_autofree char *piece = cli_value_text(item);
		stint_buf_printf(&joined, "%s%s", joined.length ? " " : "", piece ? piece : "");
	}
	return joined.length ? stint_buf_steal(&joined) : NULL;
}

struct cli_table *cli_list_table(const struct cli_list *list, const struct stint_json *const *items, size_t count)
{
	struct cli_table *table = cli_table_new(list->columns);
	for (size_t at = 0; at < count; at++)
		for (const struct cli_column *column = list->columns; column->title; column++)
			cli_table_add(
				table, column->show ? column->show(items[at]) : cli_value_text(cli_value_at(items[at], column->path)));
	return table;
}

/* RFC 4180, with bare newlines at the ends of records. */
static void put_csv(struct stint_buf *out, const char *text)
{
	if (!text || !text[strcspn(text, ",\"\r\n")]) {
		stint_buf_puts(out, text ? text : "");
		return;
	}
	stint_buf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			stint_buf_putc(out, '"');
		stint_buf_putc(out, *text);
	}
	stint_buf_putc(out, '"');
}

static void render_csv(
	const struct cli_list *list, const struct stint_json *const *items, size_t count, bool headers, struct stint_buf *out)
{
	bool first = true;
	for (const struct cli_column *column = list->columns; headers && column->title; column++) {
		if (!column->path)
			continue;
		if (!first)
			stint_buf_putc(out, ',');
		put_csv(out, column->path);
		first = false;
	}
	if (headers)
		stint_buf_putc(out, '\n');
	for (size_t at = 0; at < count; at++) {
		first = true;
		for (const struct cli_column *column = list->columns; column->title; column++) {
			if (!column->path)
				continue;
			/* Objects have no form of their own in a cell: what people see stands for them. */
			const struct stint_json *value = cli_value_at(items[at], column->path);
			const bool shown = column->show && stint_json_type(stint_json_first(value)) == STINT_JSON_OBJECT;
			stint_autofree char *text = shown ? column->show(items[at]) : cli_value_text(value);
			if (!first)
				stint_buf_putc(out, ',');
			put_csv(out, text);
			first = false;
		}
		stint_buf_putc(out, '\n');
	}
}

static void render_names(const struct cli_list *list, const struct stint_json *const *items, size_t count, struct stint_buf *out)
{
	for (size_t at = 0; at < count; at++) {
		stint_autofree char *name = list->name ? list->name(items[at]) : cli_value_text(stint_json_get(items[at], "name"));
		stint_buf_printf(out, "%s\n", name ? name : "");
	}
}

void cli_list_render(struct cli_context *ctx, const struct cli_list *list, const struct stint_json *const *items, size_t count,
	bool headers, struct stint_buf *out)
{
	if (ctx->format == CLI_FORMAT_CSV) {
		render_csv(list, items, count, headers, out);
	} else if (ctx->format == CLI_FORMAT_NAME) {
		render_names(list, items, count, out);
	} else {
		struct cli_table *table = cli_list_table(list, items, count);
		cli_table_print(table, out, headers, ctx->format == CLI_FORMAT_WIDE, ctx->colour, ctx->columns, 0);
		cli_table_free(table);
	}
}

/* The list as one document. Takes the items. */
static struct stint_json *document_of(const struct cli_list *list, struct stint_json *items)
{
	struct stint_json *document = stint_json_new_object();
	stint_json_set_string(document, "apiVersion", list->api_version ? list->api_version : "stint.dev/v1");
	stint_json_set_string(document, "kind", list->kind);
	stint_json_set(document, "items", items);
	return document;
}

static struct stint_json *reordered(const struct stint_json *const *sorted, size_t count)
{
	struct stint_json *items = stint_json_new_array();
	for (size_t at = 0; at < count; at++)
		stint_json_append(items, stint_json_dup(sorted[at]));
	return items;
}

static bool wants_document(enum cli_format format)
{
	return format == CLI_FORMAT_JSON || format == CLI_FORMAT_YAML || format == CLI_FORMAT_JSONPATH;
}

static void write_out(struct cli_context *ctx, const struct stint_buf *text)
{
	if (text->length)
		fwrite(text->data, 1, text->length, ctx->out);
}

int cli_print_list(struct cli_context *ctx, const struct cli_list *list, struct stint_json *items, const char *nothing)
{
	stint_auto_json *owned = items;
	stint_auto_buf text = {0};
	bool changed;
	const bool has_list_flags = (ctx->command->sets & CLI_SET_LIST) != 0;
	const char *by = has_list_flags ? cli_text(ctx, "sort-by") : NULL;
	const size_t count = stint_json_count(items);
	if (!cli_sort_check(list, items, by, &ctx->err))
		return cli_failed(ctx);
	stint_autofree const struct stint_json **sorted = cli_items_sorted(list, items, by, &changed, &ctx->err);
	if (!sorted)
		return cli_failed(ctx);
	if (wants_document(ctx->format)) {
		stint_auto_json *document = document_of(list, changed ? reordered(sorted, count) : stint_steal(&owned));
		int exit_code = STINT_OK;
		cli_print_object(ctx, document, NULL, &exit_code);
		return exit_code;
	}
	const bool headers = !has_list_flags || !cli_switch(ctx, "no-headers");
	const bool table = ctx->format == CLI_FORMAT_TABLE || ctx->format == CLI_FORMAT_WIDE;
	if (count || !table)
		cli_list_render(ctx, list, sorted, count, headers, &text);
	else if (nothing)
		cli_note(ctx, "%s", nothing);
	write_out(ctx, &text);
	return STINT_OK;
}
