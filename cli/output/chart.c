/*
 * chart: the data of a chart, and which part of the plane shows it.
 */
#include <math.h>
#include <stdlib.h>

#include "cli/output/chart_internal.h"

struct chart *chart_new(const char *title, const char *x_title)
{
	struct chart *chart = stint_alloc(sizeof *chart);
	chart->title = stint_strdup(title);
	chart->x_title = stint_strdup(x_title);
	return chart;
}

void chart_free(struct chart *chart)
{
	if (!chart)
		return;
	for (size_t i = 0; i < chart->panels_count; i++) {
		struct chart_panel *panel = &chart->panels[i];
		for (size_t s = 0; s < panel->series_count; s++) {
			free(panel->series[s].name);
			free(panel->series[s].x);
			free(panel->series[s].y);
		}
		free(panel->title);
	}
	free(chart->title);
	free(chart->x_title);
	free(chart);
}

/* More panels or series than there is room for replace the last one: a chart is for few things. */
struct chart_panel *chart_panel_add(struct chart *chart, const char *y_title)
{
	struct chart_panel *panel = &chart->panels[chart->panels_count < CHART_MAX_PANELS ? chart->panels_count++ : CHART_MAX_PANELS - 1];
	free(panel->title);
	panel->chart = chart;
	panel->title = stint_strdup(y_title);
	panel->from = -HUGE_VAL;
	return panel;
}

void chart_panel_from(struct chart_panel *panel, double x)
{
	panel->from = x;
}

struct chart_series *chart_panel_series(struct chart_panel *panel, const char *name)
{
	struct chart_series *series = &panel->series[panel->series_count < CHART_MAX_SERIES ? panel->series_count++ : CHART_MAX_SERIES - 1];
	free(series->name);
	series->name = stint_strdup(name);
	series->count = 0;
	return series;
}

void chart_series_add(struct chart_series *series, double x, double y)
{
	if (!isfinite(x) || !isfinite(y))
		return;
	stint_grow(&series->x, &series->x_capacity, series->count + 1, sizeof *series->x);
	stint_grow(&series->y, &series->y_capacity, series->count + 1, sizeof *series->y);
	series->x[series->count] = x;
	series->y[series->count++] = y;
}

/* Ends on multiples of a step of 1, 2 or 5 times a power of ten, of which about `ticks` fit. */
static struct chart_axis round_axis(double low, double high, int ticks)
{
	if (high - low < 1e-9)
		high = low + 1;
	const double rough = (high - low) / ticks, power = pow(10, floor(log10(rough))), part = rough / power;
	const double step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
	return (struct chart_axis){floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, step};
}

void chart_view_of(const struct chart_panel *panel, struct chart_view *view)
{
	double left = HUGE_VAL, right = -HUGE_VAL, low = HUGE_VAL, high = -HUGE_VAL;
	for (size_t s = 0; s < panel->series_count; s++) {
		const struct chart_series *series = &panel->series[s];
		for (size_t i = 0; i < series->count; i++) {
			if (series->x[i] < panel->from)
				continue;
			left = fmin(left, series->x[i]);
			right = fmax(right, series->x[i]);
			low = fmin(low, series->y[i]);
			high = fmax(high, series->y[i]);
		}
	}
	*view = (struct chart_view){.empty = left > right};
	if (view->empty)
		return;
	view->x = round_axis(left, right, 8);
	view->y = round_axis(low, high, 5);
}

double chart_part(const struct chart_axis *axis, double value)
{
	return (value - axis->low) / (axis->high - axis->low);
}

bool chart_value_at(const struct chart_series *series, double x, double *y)
{
	for (size_t i = 0; i + 1 < series->count; i++) {
		if (x < series->x[i] || x > series->x[i + 1])
			continue;
		const double width = series->x[i + 1] - series->x[i];
		*y = width > 0 ? series->y[i] + (series->y[i + 1] - series->y[i]) * (x - series->x[i]) / width : series->y[i];
		return true;
	}
	return false;
}
