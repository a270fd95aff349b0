/*
 * chart_text: a chart on a terminal. A character of braille holds two by four dots, so a plot of 72 by 12 characters has 144 by 48 of them;
 * without UTF-8 a curve is drawn with its letter. Where curves share a character the later one gives it its colour.
 */
#include <math.h>
#include <stdlib.h>

#include "cli/output/chart_internal.h"
#include "cli/output/output.h"

enum { MOST_WIDTH = 100, LEAST_WIDTH = 20, HEIGHT = 12, MARGIN = 8 };

static const char *const colours[] = {"\033[34m", "\033[31m", "\033[32m", "\033[35m", "\033[33m", "\033[36m", "\033[1m", "\033[90m"};

struct canvas {
	int width;
	uint8_t dots[MOST_WIDTH * HEIGHT];
	uint8_t series[MOST_WIDTH * HEIGHT]; /* number + 1 of the one that drew last */
};

static void dot(struct canvas *canvas, int x, int y, size_t series)
{
	static const uint8_t bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
	if (x < 0 || y < 0 || x >= 2 * canvas->width || y >= 4 * HEIGHT)
		return;
	const int at = y / 4 * canvas->width + x / 2;
	canvas->dots[at] |= bits[y % 4][x % 2];
	canvas->series[at] = (uint8_t)(series + 1);
}

static void draw(struct canvas *canvas, const struct chart_panel *panel, const struct chart_view *view, size_t number)
{
	int former = -1;
	for (int x = 0; x < 2 * canvas->width; x++) {
		const double at = view->x.low + (x + 0.5) / (2 * canvas->width) * (view->x.high - view->x.low);
		double value;
		if (at < panel->from || !chart_value_at(&panel->series[number], at, &value)) {
			former = -1;
			continue;
		}
		const int y = (int)lround((1 - chart_part(&view->y, value)) * (4 * HEIGHT - 1));
		/* A steep curve stays one line. */
		const int from = former < 0 ? y : former < y ? former + 1 : former > y ? former - 1 : y;
		for (int step = from;; step += from < y ? 1 : -1) {
			dot(canvas, x, step, number);
			if (step == y)
				break;
		}
		former = y;
	}
}

static void put_cell(struct stint_buf *out, const struct canvas *canvas, int at, bool colour, bool utf8)
{
	const uint8_t dots = canvas->dots[at];
	const size_t series = canvas->series[at];
	if (!dots) {
		stint_buf_putc(out, ' ');
		return;
	}
	if (colour)
		stint_buf_puts(out, colours[(series - 1) % STINT_COUNT(colours)]);
	if (utf8) {
		const char cell[3] = {(char)0xE2, (char)(0xA0 | dots >> 6), (char)(0x80 | (dots & 0x3F))};
		stint_buf_add(out, cell, sizeof cell);
	} else {
		stint_buf_putc(out, (char)('a' + series - 1));
	}
	if (colour)
		stint_buf_puts(out, cli_colour_off);
}

static void put_legend(struct stint_buf *out, const struct chart_panel *panel, const struct chart_view *view, bool colour)
{
	for (size_t s = 0; s < panel->series_count; s++) {
		const struct chart_series *series = &panel->series[s];
		if (colour)
			stint_buf_puts(out, colours[s % STINT_COUNT(colours)]);
		stint_buf_printf(out, "%*s%c %s", s ? 3 : MARGIN + 1, "", (char)('a' + s), series->name);
		if (colour)
			stint_buf_puts(out, cli_colour_off);
		double last;
		if (series->count && chart_value_at(series, fmin(series->x[series->count - 1], view->x.high), &last))
			stint_buf_printf(out, " %.1f", last);
		if (s % 4 == 3 && s + 1 < panel->series_count)
			stint_buf_printf(out, "\n%*s", MARGIN - 2, "");
	}
	stint_buf_putc(out, '\n');
}

/* Numbers under the axis, as many as fit without touching. */
static void put_x_axis(struct stint_buf *out, const struct chart_view *view, int width, const char *title, bool utf8)
{
	stint_buf_printf(out, "%*s%s", MARGIN - 1, "", utf8 ? "└" : "+");
	for (int i = 0; i < width; i++)
		stint_buf_puts(out, utf8 ? "─" : "-");
	stint_buf_putc(out, '\n');
	size_t written = 0;
	stint_auto_buf line = {0};
	for (double value = view->x.low; value <= view->x.high + view->x.step / 2; value += view->x.step) {
		stint_autofree char *text = stint_format("%g", value);
		const int at = MARGIN + (int)lround(chart_part(&view->x, value) * (width - 1));
		if (at < (int)written)
			continue;
		stint_buf_printf(&line, "%*s%s ", at - (int)written, "", text);
		written = line.length;
	}
	stint_buf_printf(out, "%s\n%*s%s\n", line.data ? line.data : "", MARGIN, "", title);
}

static void put_panel(struct stint_buf *out, const struct chart_panel *panel, int width, bool colour, bool utf8)
{
	struct chart_view view;
	chart_view_of(panel, &view);
	if (view.empty)
		return;
	struct canvas canvas = {.width = width};
	for (size_t s = 0; s < panel->series_count; s++)
		draw(&canvas, panel, &view, s);
	stint_buf_printf(out, "\n%*s%s\n", MARGIN, "", panel->title);
	for (int row = 0; row < HEIGHT; row++) {
		const bool marked = row == 0 || row == HEIGHT - 1 || row == HEIGHT / 2;
		const double value = view.y.high - (view.y.high - view.y.low) * row / (HEIGHT - 1);
		if (marked)
			stint_buf_printf(out, "%*.1f %s", MARGIN - 2, value, utf8 ? "┤" : "|");
		else
			stint_buf_printf(out, "%*s%s", MARGIN - 1, "", utf8 ? "│" : "|");
		for (int x = 0; x < width; x++)
			put_cell(out, &canvas, row * width + x, colour, utf8);
		while (out->length && out->data[out->length - 1] == ' ')
			out->data[--out->length] = '\0';
		stint_buf_putc(out, '\n');
	}
	put_x_axis(out, &view, width, panel->chart->x_title, utf8);
	put_legend(out, panel, &view, colour);
}

void chart_print_text(const struct chart *chart, struct stint_buf *out, int columns, bool colour, bool utf8)
{
	const int wanted = (columns ? columns : 80) - MARGIN - 1;
	const int width = wanted < LEAST_WIDTH ? LEAST_WIDTH : wanted > MOST_WIDTH ? MOST_WIDTH : wanted;
	for (size_t i = 0; i < chart->panels_count; i++)
		put_panel(out, &chart->panels[i], width, colour, utf8);
}
