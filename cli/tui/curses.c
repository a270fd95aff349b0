/* See curses.h. The table is filled once and never changes after that; like the library's own state it belongs to the process. */
#include "cli/tui/curses.h"

struct tui_curses tui_curses;

bool tui_curses_load(struct stint_error **err)
{
#define NAME(function) #function,
	static const char *const names[] = {TUI_CURSES(NAME)};
#undef NAME
	return tui_curses.newterm || stint_library_load("libncursesw.so.6", names, &tui_curses, STINT_COUNT(names), err);
}
