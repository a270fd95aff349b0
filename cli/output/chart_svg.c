/*
 * chart_svg: a chart as an SVG document of its own: no fonts, scripts or files from elsewhere. Colours are those of Okabe and Ito, which
 * people with any colour vision tell apart; dashes differ, too.
 */
#include <math.h>
#include <stdio.h>

#include "cli/output/chart_internal.h"

enum { WIDTH = 820, PANEL_HEIGHT = 330, LEFT = 64, RIGHT = 170, TOP = 52, GAP = 76, LINE = 20 };

static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F"};
static const char *const dashes[] = {"none", "7 3", "2 3", "9 3 2 3", "none", "5 5", "none", "3 2"};

static void put_text(struct stint_buf *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': stint_buf_puts(out, "&lt;"); break;
		case '>': stint_buf_puts(out, "&gt;"); break;
		case '&': stint_buf_puts(out, "&amp;"); break;
		default: stint_buf_putc(out, *text);
		}
	}
}

static void put_label(struct stint_buf *out, double x, double y, const char *attributes, const char *text)
{
	stint_buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
	put_text(out, text);
	stint_buf_puts(out, "</text>\n");
}

static double at_x(const struct chart_view *view, double value)
{
	return LEFT + chart_part(&view->x, value) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct chart_view *view, double top, double value)
{
	return top + (1 - chart_part(&view->y, value)) * PANEL_HEIGHT;
}

static void put_axes(struct stint_buf *out, const struct chart_panel *panel, const struct chart_view *view, double top)
{
	char text[32];
	for (double value = view->y.low; value <= view->y.high + view->y.step / 2; value += view->y.step) {
		const double y = at_y(view, top, value);
		stint_buf_printf(out, "<path d=\"M%d %.1fH%d\" class=\"g\"/>\n", LEFT, y, WIDTH - RIGHT);
		snprintf(text, sizeof text, "%g", value);
		put_label(out, LEFT - 8, y + 4, "text-anchor=\"end\"", text);
	}
	for (double value = view->x.low; value <= view->x.high + view->x.step / 2; value += view->x.step) {
		const double x = at_x(view, value);
		stint_buf_printf(out, "<path d=\"M%.1f %.1fv%d\" class=\"g\"/>\n", x, top, PANEL_HEIGHT);
		snprintf(text, sizeof text, "%g", value);
		put_label(out, x, top + PANEL_HEIGHT + 18, "text-anchor=\"middle\"", text);
	}
	put_label(out, LEFT, top - 10, "font-weight=\"bold\"", panel->title);
	put_label(out, (LEFT + WIDTH - RIGHT) / 2.0, top + PANEL_HEIGHT + 38, "text-anchor=\"middle\"", panel->chart->x_title);
}

static void put_curve(struct stint_buf *out, const struct chart_panel *panel, const struct chart_view *view, double top, size_t number)
{
	const struct chart_series *series = &panel->series[number];
	bool pen_down = false;
	stint_buf_puts(out, "<path d=\"");
	for (size_t i = 0; i < series->count; i++) {
		if (series->x[i] < panel->from)
			continue;
		stint_buf_printf(out, "%c%.1f %.1f", pen_down ? 'L' : 'M', at_x(view, series->x[i]), at_y(view, top, series->y[i]));
		pen_down = true;
	}
	stint_buf_printf(out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\"/>\n",
		colours[number % STINT_COUNT(colours)], dashes[number % STINT_COUNT(dashes)]);
	const double y = top + 14 + LINE * (double)number, x = WIDTH - RIGHT + 16;
	stint_buf_printf(out, "<path d=\"M%.1f %.1fh28\" stroke=\"%s\" stroke-width=\"2.5\" stroke-dasharray=\"%s\"/>\n", x, y - 4,
		colours[number % STINT_COUNT(colours)], dashes[number % STINT_COUNT(dashes)]);
	put_label(out, x + 36, y, "", series->name);
}

void chart_print_svg(const struct chart *chart, struct stint_buf *out)
{
	const int height = TOP + (int)chart->panels_count * (PANEL_HEIGHT + GAP);
	stint_buf_printf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
		"font-size=\"12\">\n<style>.g{stroke:#ddd;fill:none}</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		WIDTH, height, WIDTH, height);
	put_label(out, LEFT, 22, "font-size=\"16\" font-weight=\"bold\"", chart->title);
	for (size_t i = 0; i < chart->panels_count; i++) {
		const struct chart_panel *panel = &chart->panels[i];
		const double top = TOP + (double)i * (PANEL_HEIGHT + GAP);
		struct chart_view view;
		chart_view_of(panel, &view);
		if (view.empty)
			continue;
		put_axes(out, panel, &view, top);
		for (size_t s = 0; s < panel->series_count; s++)
			put_curve(out, panel, &view, top, s);
	}
	stint_buf_puts(out, "</svg>\n");
}
