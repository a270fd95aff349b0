/*
 * theme: which colour a role has, on a dark or a light background, with 256, 16 or no colours; and the grid as text, plain or with SGR
 * sequences. Without colours, what matters is bold, reversed or underlined instead.
 */
#ifndef STINT_CLI_TUI_THEME_H
#define STINT_CLI_TUI_THEME_H

#include "cli/tui/cells.h"

enum tui_theme { TUI_DARK, TUI_LIGHT };
enum tui_depth { TUI_MONO, TUI_16, TUI_256 };

enum { TUI_BOLD = 1, TUI_FAINT = 2, TUI_UNDERLINE = 4, TUI_REVERSE = 8 };
struct tui_look {
	int16_t front, back; /* a colour of the palette; -1: the terminal's own */
	uint8_t attributes;
};
/* How a cell of these two roles looks. */
struct tui_look tui_look_of(enum tui_theme theme, enum tui_depth depth, enum tui_role role, enum tui_role back);

/* The grid as lines; with depth TUI_MONO without any sequence, and without blanks at the ends of lines. */
void tui_print(const struct tui_cells *cells, enum tui_theme theme, enum tui_depth depth, struct stint_buf *out);

/* The colour of a project: the same on every screen and in every run. */
enum tui_role tui_project_role(const char *project);

#endif
