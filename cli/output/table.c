/*
 * table: rows of text in aligned columns. Nothing is ever cut: a table that is wider than the terminal folds its last CLI_WRAP column at
 * blanks when that leaves it a readable width, else the lines are longer than the terminal. Owns its cells.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

enum { GAP = 3, NARROWEST_FOLD = 24 };

struct cli_table {
	const struct cli_column *columns;
	size_t width; /* number of columns */
	char **cells;
	size_t count, capacity;
};

struct cli_table *cli_table_new(const struct cli_column *columns)
{
	struct cli_table *table = stint_alloc(sizeof *table);
	table->columns = columns;
	while (columns[table->width].title)
		table->width++;
	return table;
}

void cli_table_free(struct cli_table *table)
{
	if (!table)
		return;
	for (size_t at = 0; at < table->count; at++)
		free(table->cells[at]);
	free(table->cells);
	free(table);
}

void cli_table_add(struct cli_table *table, char *cell)
{
	if (!cell)
		cell = stint_strdup("-");
	stint_sanitize(cell);
	for (char *at = cell; *at; at++)
		if (*at == '\n' || *at == '\t')
			*at = ' ';
	stint_grow(&table->cells, &table->capacity, table->count + 1, sizeof *table->cells);
	table->cells[table->count++] = cell;
}

struct layout {
	struct stint_buf *out;
	bool colour;
	size_t indent;
	size_t *widths; /* 0: not shown */
	size_t last; /* the last column that is shown */
	size_t fold_at; /* the width that the last column is folded at; 0: not folded */
	size_t fold_column; /* where it begins */
};

static void pad(struct stint_buf *out, size_t blanks)
{
	while (blanks--)
		stint_buf_putc(out, ' ');
}

/* Prose in lines of at most fold_at columns; a longer word gets a line of its own. */
static void put_folded(const struct layout *layout, const char *text)
{
	size_t used = 0;
	while (*text) {
		const size_t length = strcspn(text, " ");
		stint_autofree char *word = stint_strndup(text, length);
		const size_t width = cli_text_width(word);
		if (used && used + 1 + width > layout->fold_at) {
			stint_buf_putc(layout->out, '\n');
			pad(layout->out, layout->fold_column);
			used = 0;
		} else if (used) {
			stint_buf_putc(layout->out, ' ');
			used++;
		}
		stint_buf_puts(layout->out, word);
		used += width;
		text += length + strspn(text + length, " ");
	}
}

static void put_cell(const struct layout *layout, const struct cli_column *column, size_t at, const char *text)
{
	const size_t width = cli_text_width(text), blanks = layout->widths[at] > width ? layout->widths[at] - width : 0;
	const char *colour = layout->colour && (column->flags & CLI_STATE) ? cli_state_colour(text) : "";
	if (column->flags & CLI_RIGHT)
		pad(layout->out, blanks);
	if (at == layout->last && layout->fold_at) {
		put_folded(layout, text);
		return;
	}
	stint_buf_printf(layout->out, "%s%s%s", colour, text, *colour ? cli_colour_off : "");
	/* No blanks at the end of a line. */
	if (at != layout->last)
		pad(layout->out, (column->flags & CLI_RIGHT ? 0 : blanks) + GAP);
}

static void put_row(const struct cli_table *table, const struct layout *layout, char *const *cells, size_t count)
{
	pad(layout->out, layout->indent);
	for (size_t at = 0; at < table->width && at < count; at++)
		if (layout->widths[at])
			put_cell(layout, &table->columns[at], at, cells ? cells[at] : table->columns[at].title);
	stint_buf_putc(layout->out, '\n');
}

static void measure(const struct cli_table *table, struct layout *layout, bool headers, bool wide, int terminal_columns)
{
	size_t total = layout->indent;
	for (size_t at = 0; at < table->width; at++) {
		if ((table->columns[at].flags & CLI_CSV) || ((table->columns[at].flags & CLI_WIDE) && !wide))
			continue;
		size_t width = headers ? cli_text_width(table->columns[at].title) : 1;
		for (size_t cell = at; cell < table->count; cell += table->width) {
			const size_t here = cli_text_width(table->cells[cell]);
			if (here > width)
				width = here;
		}
		layout->widths[at] = width;
		layout->last = at;
		layout->fold_column = total;
		total += width + GAP;
	}
	if (!terminal_columns || total - GAP <= (size_t)terminal_columns || !(table->columns[layout->last].flags & CLI_WRAP))
		return;
	const size_t left = (size_t)terminal_columns > layout->fold_column ? (size_t)terminal_columns - layout->fold_column : 0;
	if (left >= NARROWEST_FOLD)
		layout->fold_at = left;
}

void cli_table_print(struct cli_table *table, struct stint_buf *out, bool headers, bool wide, bool colour, int terminal_columns, int indent)
{
	struct layout layout = {.out = out, .colour = colour, .indent = (size_t)indent};
	layout.widths = stint_alloc((table->width + 1) * sizeof *layout.widths);
	measure(table, &layout, headers, wide, terminal_columns);
	if (headers) {
		if (colour)
			stint_buf_puts(out, "\033[1m");
		put_row(table, &layout, NULL, table->width);
		if (colour) {
			out->length--; /* the sequence belongs before the line's end */
			stint_buf_printf(out, "%s\n", cli_colour_off);
		}
	}
	for (size_t row = 0; row < table->count; row += table->width)
		put_row(table, &layout, table->cells + row, table->count - row);
	free(layout.widths);
}
