/*
 * history: see history.h.
 */
#include "cli/tui/history.h"

enum { FIRST_INTERVAL_MS = 2000 };

static float merged(float a, float b)
{
	return a < 0 ? b : b < 0 ? a : (a + b) / 2;
}

static void halve(struct tui_history *history)
{
	for (int figure = 0; figure < TUI_FIGURES; figure++) {
		for (int at = 0; at < TUI_SAMPLES / 2; at++)
			history->samples[figure][at] = merged(history->samples[figure][2 * at], history->samples[figure][2 * at + 1]);
	}
	history->count = TUI_SAMPLES / 2;
	history->interval_ms *= 2;
}

void tui_history_sample(struct tui_history *history, const struct tui_world *world, int64_t now_ms)
{
	const struct tui_totals *totals = &world->totals;
	if (history->interval_ms == 0) {
		history->interval_ms = FIRST_INTERVAL_MS;
		history->first_ms = now_ms;
	} else if (now_ms - history->last_ms < history->interval_ms) {
		return;
	}
	history->last_ms = now_ms;
	if (history->count == TUI_SAMPLES)
		halve(history);
	const double gpus = totals->gpus;
	history->samples[TUI_ALLOCATED][history->count] =
		(float)(gpus > 0 && totals->gpus_allocated >= 0 ? totals->gpus_allocated / gpus : -1);
	history->samples[TUI_USED][history->count] = (float)(gpus > 0 && totals->gpus_used >= 0 ? totals->gpus_used / gpus : -1);
	history->samples[TUI_WAITING][history->count] = world->pods_known ? (float)totals->waiting : -1;
	history->count++;
}

void tui_history_draw(const struct tui_history *history, enum tui_figure figure, double most, enum tui_role role, struct tui_area area,
	int y, int x, int width)
{
	const int shown = history->count < width ? history->count : width;
	const int each = history->count > width && width > 0 ? (history->count + width - 1) / width : 1;
	const int columns = each > 1 ? history->count / each : shown;
	for (int at = 0; most <= 0 && at < history->count; at++)
		most = history->samples[figure][at] > most ? history->samples[figure][at] : most;
	for (int column = 0; column < columns; column++) {
		float value = -1;
		for (int i = 0; i < each; i++)
			value = merged(value, history->samples[figure][history->count - (columns - column) * each + i]);
		const int place = x + width - columns + column;
		if (value < 0)
			tui_put_glyph(area, y, place, TUI_DIM, TUI_TEXT, "?");
		else
			tui_put_glyph(area, y, place, role, TUI_TEXT, tui_height_glyph(area.cells, most > 0 ? value / most : 0));
	}
}
