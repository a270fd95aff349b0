/*
 * layout: where what stands. From sizes to rectangles, pure. Promises, at every size that is not too small: nothing lies outside, nothing
 * overlaps, and all of the room is used.
 */
#ifndef STINT_CLI_TUI_LAYOUT_H
#define STINT_CLI_TUI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum { TUI_LEAST_WIDTH = 80, TUI_LEAST_HEIGHT = 24 };

struct tui_rect {
	int y, x, height, width;
};

/* Every screen: the title, a line that says what is shown and what is wrong, the view, keys or prompt. */
struct tui_frame {
	struct tui_rect title, status, body, foot;
};
/* False: too small; then there is no frame. */
bool tui_layout_frame(int width, int height, struct tui_frame *out);

enum tui_pane { TUI_PANE_TILES, TUI_PANE_NODES, TUI_PANE_PROJECTS, TUI_PANE_QUEUE, TUI_PANE_SPACES, TUI_PANE_HISTORY, TUI_PANES };
/* The overview within its body. wanted[]: lines that a pane could fill; the room is shared by need. A gap is part of the pane beside it. */
void tui_layout_overview(int width, int height, const int wanted[static TUI_PANES], struct tui_rect out[static TUI_PANES]);

#endif
