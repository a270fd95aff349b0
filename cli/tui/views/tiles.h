/* tiles: the figures at the top of the overview: what matters most, each in a sixth of the width. */
#ifndef STINT_CLI_TUI_VIEWS_TILES_H
#define STINT_CLI_TUI_VIEWS_TILES_H

#include "cli/tui/views/common.h"

/* Three lines: a title, a figure with what it is of, a word below. Where room is short a figure has fewer decimals, then no "of N"; never is it cut. */
void view_tiles_draw(const struct tui_now *now, struct tui_area area);

#endif
