/*
 * chart: curves over a common axis, drawn as a picture (SVG) or on a terminal (braille dots, eight to a character; letters mark the curves,
 * so that they can be told apart without colour, too).
 */
#ifndef STINT_CLI_OUTPUT_CHART_H
#define STINT_CLI_OUTPUT_CHART_H

#include <stint/base.h>

struct chart;
struct chart_panel; /* one plot; the panels of a chart stand one above the other */
struct chart_series;

struct chart *chart_new(const char *title, const char *x_title); /* texts are copied */
void chart_free(struct chart *chart);
struct chart_panel *chart_panel_add(struct chart *chart, const char *y_title);
void chart_panel_from(struct chart_panel *panel, double x); /* shows nothing to the left of x */
/* A series has the colour of its name's first place in the chart's panels. */
struct chart_series *chart_panel_series(struct chart_panel *panel, const char *name);
void chart_series_add(struct chart_series *series, double x, double y); /* ascending x */

void chart_print_svg(const struct chart *chart, struct stint_buf *out);
/* columns: of the terminal; 0: not known. utf8: braille, else ASCII. */
void chart_print_text(const struct chart *chart, struct stint_buf *out, int columns, bool colour, bool utf8);

#endif
