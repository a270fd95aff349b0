/*
 * watch: a list that is shown again when it changes. On a terminal the table is drawn over the former one, in one write; elsewhere what is
 * new or has changed is appended, so that a pipe reads lines and no cursor movements. Owns what was shown last: one hash of
 * text for each item that there is.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/output/internal.h"
#include "cli/output/jsonpath.h"

struct seen {
	uint64_t hash; /* of its JSON as text */
	uint64_t turn; /* in which it was there last */
};

struct cli_watch_view {
	struct cli_context *ctx;
	const struct cli_list *list;
	struct stint_map *shown; /* item name (with project) → struct seen */
	uint64_t turn;
	int lines; /* of the table that stands on the terminal */
	bool headed;
	bool checked; /* --sort-by names something that there is */
};

struct cli_watch_view *cli_watch_view_new(struct cli_context *ctx, const struct cli_list *list)
{
	struct cli_watch_view *view = stint_alloc(sizeof *view);
	view->ctx = ctx;
	view->list = list;
	view->shown = stint_map_new(free);
	return view;
}

void cli_watch_view_free(struct cli_watch_view *view)
{
	if (!view)
		return;
	stint_map_free(view->shown);
	free(view);
}

/* Columns that a line takes on a terminal, colours not counted. */
static size_t width_of(const char *line, size_t length)
{
	stint_auto_buf plain = {0};
	for (size_t at = 0; at < length; at++) {
		if (line[at] == '\033')
			at += strcspn(line + at, "m");
		else
			stint_buf_putc(&plain, line[at]);
	}
	return plain.data ? cli_text_width(plain.data) : 0;
}

int cli_watch_clip(const char *text, int columns, int rows, struct stint_buf *out)
{
	/* The last row of the screen stays free for the cursor, and one is for the line that counts what is left out. */
	int most = 0, lines = 0;
	size_t fitting = 0;
	for (const char *at = text; *at;) {
		const size_t length = strcspn(at, "\n"), width = width_of(at, length);
		const int takes = width > (size_t)columns ? (int)((width + (size_t)columns - 1) / (size_t)columns) : 1;
		lines += takes;
		at += length + (at[length] == '\n');
		if (rows == 0 || lines <= rows - 2) {
			most = lines;
			fitting = (size_t)(at - text);
		}
	}
	if (rows == 0 || lines <= rows - 1) {
		stint_buf_puts(out, text);
		return lines;
	}
	size_t left = 0;
	for (const char *at = text + fitting; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n'))
		left++;
	stint_buf_add(out, text, fitting);
	stint_buf_printf(out, "… %zu more row%s\n", left, left == 1 ? "" : "s");
	return most + 1;
}

static bool draw(struct cli_watch_view *view, const struct stint_json *const *items, size_t count)
{
	stint_auto_buf table = {0}, frame = {0};
	cli_list_render(view->ctx, view->list, items, count, !cli_switch(view->ctx, "no-headers"), &table);
	if (view->lines)
		stint_buf_printf(&frame, "\033[%dA\r", view->lines);
	stint_buf_puts(&frame, "\033[J");
	view->lines = cli_watch_clip(table.data ? table.data : "", view->ctx->columns, view->ctx->rows, &frame);
	fwrite(frame.data, 1, frame.length, view->ctx->out);
	return cli_flush(view->ctx);
}

static char *key_of(const struct stint_json *item)
{
	const char *project = stint_json_string(stint_json_get(item, "project")), *name = stint_json_string(stint_json_get(item, "name"));
	const char *kind = stint_json_string(stint_json_get(item, "kind"));
	return stint_format("%s/%s/%s", project ? project : "", kind ? kind : "", name ? name : "");
}

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037ULL;
	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211ULL;
	return hash;
}

/* Whether the item differs from what was shown under its name; remembers it. */
static bool is_news(struct cli_watch_view *view, const struct stint_json *item)
{
	stint_autofree char *key = key_of(item), *text = stint_json_print(item);
	const uint64_t hash = hash_of(text);
	struct seen *seen = stint_map_get(view->shown, key);
	const bool news = !seen || seen->hash != hash;
	if (!seen) {
		seen = stint_alloc(sizeof *seen);
		stint_map_set(view->shown, key, seen);
	}
	*seen = (struct seen){hash, view->turn};
	return news;
}

/* What has gone is news when it comes back, and is not kept: names of events never come again. */
static void forget_the_gone(struct cli_watch_view *view)
{
	const char *key;
	void *seen;
	for (size_t at = 0; stint_map_next(view->shown, &at, &key, &seen);) {
		if (((const struct seen *)seen)->turn != view->turn)
			stint_map_remove(view->shown, key);
	}
}

static bool append(struct cli_watch_view *view, const struct stint_json *const *items, size_t count)
{
	struct cli_context *ctx = view->ctx;
	stint_autofree const struct stint_json **news = stint_alloc((count + 1) * sizeof *news);
	size_t news_count = 0;
	view->turn++;
	for (size_t at = 0; at < count; at++)
		if (is_news(view, items[at]))
			news[news_count++] = items[at];
	forget_the_gone(view);
	if (ctx->format == CLI_FORMAT_JSON || ctx->format == CLI_FORMAT_YAML || ctx->format == CLI_FORMAT_JSONPATH) {
		int exit_code;
		for (size_t at = 0; at < news_count; at++) {
			if (ctx->format == CLI_FORMAT_YAML)
				fputs("---\n", ctx->out);
			cli_print_object(ctx, news[at], NULL, &exit_code);
		}
	} else if (news_count) {
		stint_auto_buf text = {0};
		cli_list_render(ctx, view->list, news, news_count, !view->headed && !cli_switch(ctx, "no-headers"), &text);
		view->headed = true;
		fwrite(text.data, 1, text.length, ctx->out);
	}
	return cli_flush(ctx);
}

bool cli_watch_view_show(struct cli_watch_view *view, struct stint_json *items)
{
	stint_auto_json *owned = items;
	bool changed;
	if (!view->checked && !cli_sort_check(view->list, items, cli_text(view->ctx, "sort-by"), &view->ctx->err))
		return false;
	view->checked = true;
	stint_autofree const struct stint_json **sorted =
		cli_items_sorted(view->list, items, cli_text(view->ctx, "sort-by"), &changed, &view->ctx->err);
	if (!sorted)
		return false;
	const size_t count = stint_json_count(items);
	const bool table = view->ctx->format == CLI_FORMAT_TABLE || view->ctx->format == CLI_FORMAT_WIDE;
	return table && view->ctx->columns ? draw(view, sorted, count) : append(view, sorted, count);
}
