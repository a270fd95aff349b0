/* What chart.c, chart_svg.c and chart_text.c share. */
#ifndef STINT_CLI_OUTPUT_CHART_INTERNAL_H
#define STINT_CLI_OUTPUT_CHART_INTERNAL_H

#include "cli/output/chart.h"

enum { CHART_MAX_PANELS = 4, CHART_MAX_SERIES = 12, CHART_MAX_TICKS = 12 };

struct chart_series {
	char *name;
	double *x, *y;
	size_t count, x_capacity, y_capacity;
};

struct chart_panel {
	struct chart *chart;
	char *title;
	double from;
	struct chart_series series[CHART_MAX_SERIES];
	size_t series_count;
};

struct chart {
	char *title, *x_title;
	struct chart_panel panels[CHART_MAX_PANELS];
	size_t panels_count;
};

/* The part of the plane that a panel shows, and where its axes are marked: round numbers. */
struct chart_axis {
	double low, high, step;
};
struct chart_view {
	struct chart_axis x, y;
	bool empty;
};
void chart_view_of(const struct chart_panel *panel, struct chart_view *view);
/* 0 .. 1 along the axis. */
double chart_part(const struct chart_axis *axis, double value);
/* The value of a series at x, between its points; false: outside. */
bool chart_value_at(const struct chart_series *series, double x, double *y);

#endif
