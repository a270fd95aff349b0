/*
 * terminal: the edge to a real terminal: cells go out, keys come in. The only file that knows curses.
 *
 * The terminal is given back whichever way the program ends: by close, by a signal that the loop hands over, or by a crash, whose handler
 * writes sequences that were fetched before and restores the line settings, and calls nothing that it may not.
 */
#ifndef STINT_CLI_TUI_TERMINAL_H
#define STINT_CLI_TUI_TERMINAL_H

#include "cli/tui/cells.h"
#include "cli/tui/theme.h"

struct tui_terminal;
/* Standard input and output must be a terminal. NULL: err. One at a time. */
struct tui_terminal *tui_terminal_open(struct stint_error **err);
void tui_terminal_close(struct tui_terminal *terminal); /* NULL is fine */
void tui_terminal_size(const struct tui_terminal *terminal, int *width, int *height);
/* Asks for the size again, after SIGWINCH; true: it is another. */
bool tui_terminal_resize(struct tui_terminal *terminal);
enum tui_depth tui_terminal_depth(const struct tui_terminal *terminal); /* how many colours it has */
/* Shows the cells: one update, of what is not there yet. cursor_y < 0: no cursor. */
void tui_terminal_show(struct tui_terminal *terminal, const struct tui_cells *cells, enum tui_theme theme, enum tui_depth depth,
	int cursor_y, int cursor_x);
/* The next key that has been pressed (enum tui_key or a character), 0: none. y, x: of a click. Never waits. */
uint32_t tui_terminal_key(struct tui_terminal *terminal, int *y, int *x);
void tui_terminal_suspend(struct tui_terminal *terminal); /* for another program, or the shell */
/* While suspended: from now on any key alone makes the input readable, unseen. What was typed before is thrown away. */
void tui_terminal_await_key(struct tui_terminal *terminal);
void tui_terminal_forget_typed(struct tui_terminal *terminal); /* what has been typed and not been read */
void tui_terminal_resume(struct tui_terminal *terminal); /* and draws all anew with the next show */
void tui_terminal_redraw(struct tui_terminal *terminal); /* all anew with the next show */

#endif
