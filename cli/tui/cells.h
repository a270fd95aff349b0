/*
 * cells: the screen as a grid of glyphs with roles, between the views that fill it and the terminal or the text that shows it.
 *
 * A role says what a cell means (a warning, the third project's colour), never which colour it has: that is the theme's. Nothing drawn in an
 * area can leave it. Foreign text comes out printable: control characters, broken UTF-8 and, in ASCII, everything beyond it become '?'.
 */
#ifndef STINT_CLI_TUI_CELLS_H
#define STINT_CLI_TUI_CELLS_H

#include <stint/base.h>

enum tui_role {
	TUI_TEXT,
	TUI_DIM, /* beside the matter: units, what is unknown, what is hidden */
	TUI_STRONG,
	TUI_TITLE, /* the bar at the top */
	TUI_TAB, /* the view that is shown, in that bar */
	TUI_HEADER, /* titles of columns */
	TUI_FRAME, /* lines between panes, and their titles */
	TUI_GOOD,
	TUI_WARN,
	TUI_BAD,
	TUI_ACCENT,
	TUI_KEY, /* a key in a hint */
	TUI_MATCH, /* what a search has found */
	TUI_SELECTED, /* as background: the row under the cursor */
	TUI_MARKED,
	TUI_ALARM, /* as background: a banner that must be seen */
	TUI_PROMPT, /* where text is typed */
	TUI_GUARANTEED, /* of a quota bar: within the quota */
	TUI_BORROWED, /* beyond it */
	TUI_EMPTY, /* room that nobody uses */
	TUI_PROJECT, /* the first of TUI_PROJECTS colours */
	TUI_PROJECTS = 10,
	TUI_ROLES = TUI_PROJECT + TUI_PROJECTS,
};

enum { TUI_GLYPH_SIZE = 8 };

struct tui_cell {
	char glyph[TUI_GLYPH_SIZE]; /* UTF-8; "" is the right half of the wide glyph before it */
	uint8_t role, back; /* enum tui_role; back TUI_TEXT: the terminal's own background */
};

struct tui_cells {
	int width, height;
	bool utf8;
	struct tui_cell *items; /* row by row */
	size_t capacity;
};
/* All blank. Zero-initialise the struct before the first use. */
void tui_cells_reset(struct tui_cells *cells, int width, int height, bool utf8);
void tui_cells_free(struct tui_cells *cells);

/* A rectangle of the grid. Coordinates below are relative to it, and what lies outside of it is not drawn. */
struct tui_area {
	struct tui_cells *cells;
	int x, y, width, height;
};
struct tui_area tui_area_of(struct tui_cells *cells);
struct tui_area tui_area_part(struct tui_area area, int y, int x, int height, int width);

/* Draws text; gives the columns that it took. */
int tui_put(struct tui_area area, int y, int x, enum tui_role role, const char *text);
int tui_putf(struct tui_area area, int y, int x, enum tui_role role, const char *format, ...) STINT_PRINTF(5, 6);
/* Within `width` columns: cut with an ellipsis when it is longer, at the right end when `right`. */
void tui_put_fit(struct tui_area area, int y, int x, int width, bool right, enum tui_role role, const char *text);
/* One glyph of our own with both colours. */
void tui_put_glyph(struct tui_area area, int y, int x, enum tui_role role, enum tui_role back, const char *glyph);
/* The background of `width` cells from x on; glyphs stay. */
void tui_back(struct tui_area area, int y, int x, int width, enum tui_role back);
/* "── title ─────" over the whole width. */
void tui_rule(struct tui_area area, int y, const char *title);

/* Our own glyphs, in the charset of the cells. */
enum tui_glyph {
	TUI_ELLIPSIS,
	TUI_LINE,
	TUI_BRANCH, /* of a tree: one that has others after it */
	TUI_LAST, /* the last one */
	TUI_UP,
	TUI_DOWN,
	TUI_CHECK, /* a marked row */
	TUI_ROOM, /* of a bar: unused */
	TUI_FULL, /* of a bar: used */
	TUI_POINT, /* a mark in a bar */
	TUI_BAR, /* the first of 9 heights, 0/8 to 8/8; in ASCII coarser */
	TUI_GLYPHS = TUI_BAR + 9,
};
const char *tui_glyph(const struct tui_cells *cells, enum tui_glyph glyph);
/* A height between 0 and 1 as one of TUI_BAR..TUI_BAR+8; what is above 0 is seen. */
const char *tui_height_glyph(const struct tui_cells *cells, double part);

/* Columns of a text on this grid. */
int tui_width(const struct tui_cells *cells, const char *text);
/* The glyph at the front of text as it is drawn (out: TUI_GLYPH_SIZE bytes); gives its bytes in text, 0 at the end. */
size_t tui_next_glyph(bool utf8, const char *text, char *out, int *columns);

#endif
