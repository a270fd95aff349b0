/*
 * history: what a few figures were since the dashboard was started, in constant memory: when the samples are full, neighbours are merged and
 * the interval doubles. A sample that is not known stays unknown.
 */
#ifndef STINT_CLI_TUI_HISTORY_H
#define STINT_CLI_TUI_HISTORY_H

#include "cli/tui/cells.h"
#include "cli/tui/world.h"

enum tui_figure { TUI_ALLOCATED, TUI_USED, TUI_WAITING, TUI_FIGURES };
enum { TUI_SAMPLES = 512 };
struct tui_history {
	float samples[TUI_FIGURES][TUI_SAMPLES]; /* parts of all GPUs, but for WAITING: workloads. < 0: unknown */
	int count;
	int64_t interval_ms; /* 0: nothing was sampled yet */
	int64_t first_ms, last_ms;
};
/* Takes a sample when it is due. */
void tui_history_sample(struct tui_history *history, const struct tui_world *world, int64_t now_ms);
/* A sparkline within width columns, the latest at the right end; `most` is the full height (<= 0: the largest sample). */
void tui_history_draw(const struct tui_history *history, enum tui_figure figure, double most, enum tui_role role, struct tui_area area,
	int y, int x, int width);

#endif
