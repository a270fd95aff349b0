/*
 * layout: see layout.h.
 */
#include "cli/tui/layout.h"

enum { TILES_HEIGHT = 4, STRIP_HEIGHT = 6, THREE_COLUMNS = 150, LEAST_PANE = 3 };

bool tui_layout_frame(int width, int height, struct tui_frame *out)
{
	if (width < TUI_LEAST_WIDTH || height < TUI_LEAST_HEIGHT)
		return false;
	out->title = (struct tui_rect){0, 0, 1, width};
	out->status = (struct tui_rect){1, 0, 1, width};
	out->body = (struct tui_rect){2, 0, height - 3, width};
	out->foot = (struct tui_rect){height - 1, 0, 1, width};
	return true;
}

/* Splits a height among two that would like so much: what one leaves of its half goes to the other; never less than LEAST_PANE. */
static int first_of_two(int height, int first, int second)
{
	const int half = height / 2;
	int share = first < half ? first : second < height - half ? height - second : half;
	if (first + second < height)
		share = first + (height - first - second) / 2;
	if (share < LEAST_PANE)
		share = LEAST_PANE;
	if (share > height - LEAST_PANE)
		share = height - LEAST_PANE;
	return share;
}

static void stack(struct tui_rect column, int first_wanted, int second_wanted, struct tui_rect *first, struct tui_rect *second)
{
	const int height = first_of_two(column.height, first_wanted, second_wanted);
	*first = (struct tui_rect){column.y, column.x, height, column.width};
	*second = (struct tui_rect){column.y + height, column.x, column.height - height, column.width};
}

static void two_columns(struct tui_rect room, const int *wanted, struct tui_rect *out)
{
	const int strip = room.height > 3 * STRIP_HEIGHT ? STRIP_HEIGHT + (room.height - 3 * STRIP_HEIGHT) / 8 : STRIP_HEIGHT;
	const int left = room.width / 2;
	const struct tui_rect right = {room.y, room.x + left, room.height - strip, room.width - left};
	out[TUI_PANE_NODES] = (struct tui_rect){room.y, room.x, room.height - strip, left};
	stack(right, wanted[TUI_PANE_PROJECTS], wanted[TUI_PANE_QUEUE], &out[TUI_PANE_PROJECTS], &out[TUI_PANE_QUEUE]);
	out[TUI_PANE_HISTORY] = (struct tui_rect){room.y + room.height - strip, room.x, strip, left};
	out[TUI_PANE_SPACES] = (struct tui_rect){room.y + room.height - strip, room.x + left, strip, room.width - left};
}

static void three_columns(struct tui_rect room, const int *wanted, struct tui_rect *out)
{
	const int first = room.width * 2 / 5, second = room.width * 3 / 10;
	const struct tui_rect middle = {room.y, room.x + first, room.height, second};
	const struct tui_rect last = {room.y, room.x + first + second, room.height, room.width - first - second};
	out[TUI_PANE_NODES] = (struct tui_rect){room.y, room.x, room.height, first};
	stack(middle, wanted[TUI_PANE_PROJECTS], wanted[TUI_PANE_SPACES], &out[TUI_PANE_PROJECTS], &out[TUI_PANE_SPACES]);
	stack(last, wanted[TUI_PANE_QUEUE], wanted[TUI_PANE_HISTORY], &out[TUI_PANE_QUEUE], &out[TUI_PANE_HISTORY]);
}

void tui_layout_overview(int width, int height, const int wanted[static TUI_PANES], struct tui_rect out[static TUI_PANES])
{
	const struct tui_rect room = {TILES_HEIGHT, 0, height - TILES_HEIGHT, width};
	out[TUI_PANE_TILES] = (struct tui_rect){0, 0, TILES_HEIGHT, width};
	if (width >= THREE_COLUMNS)
		three_columns(room, wanted, out);
	else
		two_columns(room, wanted, out);
}
