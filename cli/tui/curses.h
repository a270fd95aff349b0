/*
 * curses: ncursesw, loaded when the dashboard opens a terminal: nothing else of stint needs it, and --once does not either. Its
 * functions are called through the table. Variables of the library (stdscr, COLORS) are not used: windows and terminfo are asked instead.
 */
#ifndef STINT_CLI_TUI_CURSES_H
#define STINT_CLI_TUI_CURSES_H

#include <stint/base.h>

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>

#define TUI_CURSES(X)         \
	X(clearok)            \
	X(curs_set)           \
	X(delscreen)          \
	X(doupdate)           \
	X(endwin)             \
	X(getmouse)           \
	X(idlok)              \
	X(init_extended_pair) \
	X(keypad)             \
	X(leaveok)            \
	X(mousemask)          \
	X(newterm)            \
	X(newwin)             \
	X(nodelay)            \
	X(noecho)             \
	X(nonl)               \
	X(raw)                \
	X(resizeterm)         \
	X(set_escdelay)       \
	X(start_color)        \
	X(tigetnum)           \
	X(tigetstr)           \
	X(use_default_colors) \
	X(wattr_set)          \
	X(waddnstr)           \
	X(wget_wch)           \
	X(wmove)              \
	X(wnoutrefresh)       \
	X(wresize)

#define TUI_CURSES_FIELD(function) __typeof__(function) *function;
struct tui_curses {
	TUI_CURSES(TUI_CURSES_FIELD)
};
extern struct tui_curses tui_curses;

/* Once; later calls do nothing. */
bool tui_curses_load(struct stint_error **err);

#endif
