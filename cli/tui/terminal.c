/*
 * terminal: see terminal.h.
 */
#include "cli/tui/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/tui/curses.h"
#include "cli/tui/keys.h"

enum { ESCAPE_MS = 25, MOST_PAIRS = 250 };

struct pair {
	int16_t front, back;
};

struct tui_terminal {
	SCREEN *screen;
	WINDOW *window;
	int width, height;
	enum tui_depth depth;
	struct pair pairs[MOST_PAIRS]; /* number of the pair minus one */
	int pairs_count, pairs_room;
	struct tui_cells shown; /* what stands on the screen; width 0: nothing that is known */
	enum tui_theme shown_theme;
	enum tui_depth shown_depth;
	bool cursor_shown, suspended;
};

/* ---- giving it back after a crash -------------------------------------------------------------------------------------------------- */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

/* What the handler needs: of the process, because a signal knows nobody else. Set while a terminal is open. */
static struct {
	volatile sig_atomic_t armed;
	struct termios former;
	char sequence[128];
	size_t length;
	struct sigaction before[STINT_COUNT(crashes)];
} rescue;

static void on_crash(int number)
{
	const int error = errno;
	if (rescue.armed) {
		rescue.armed = 0;
		ssize_t written = write(STDOUT_FILENO, rescue.sequence, rescue.length);
		(void)written;
		tcsetattr(STDIN_FILENO, TCSANOW, &rescue.former);
	}
	for (size_t at = 0; at < STINT_COUNT(crashes); at++) {
		if (crashes[at] == number)
			sigaction(number, &rescue.before[at], NULL);
	}
	errno = error;
	raise(number);
}

static void add_sequence(const char *name)
{
	const char *sequence = tui_curses.tigetstr((char *)(uintptr_t)name);
	if (!sequence || sequence == (char *)-1)
		return;
	const size_t length = strlen(sequence);
	if (rescue.length + length > sizeof rescue.sequence)
		return;
	memcpy(rescue.sequence + rescue.length, sequence, length);
	rescue.length += length;
}

static void arm(void)
{
	rescue.length = 0;
	add_sequence("sgr0");
	add_sequence("cnorm");
	add_sequence("rmkx");
	add_sequence("rmcup");
	rescue.armed = 1;
	for (size_t at = 0; at < STINT_COUNT(crashes); at++) {
		const struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_NODEFER};
		sigaction(crashes[at], &action, &rescue.before[at]);
	}
}

static void disarm(void)
{
	rescue.armed = 0;
	for (size_t at = 0; at < STINT_COUNT(crashes); at++)
		sigaction(crashes[at], &rescue.before[at], NULL);
}

/* ---- life -------------------------------------------------------------------------------------------------------------------------- */

static void measure(struct tui_terminal *terminal)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
		terminal->width = size.ws_col;
		terminal->height = size.ws_row;
	}
}

static void choose_colours(struct tui_terminal *terminal)
{
	terminal->depth = TUI_MONO;
	if (tui_curses.start_color() == ERR)
		return;
	tui_curses.use_default_colors();
	const int colours = tui_curses.tigetnum("colors"), pairs = tui_curses.tigetnum("pairs");
	terminal->depth = colours >= 256 ? TUI_256 : colours >= 16 ? TUI_16 : colours >= 8 ? TUI_16 : TUI_MONO;
	terminal->pairs_room = pairs - 1 < MOST_PAIRS ? pairs - 1 : MOST_PAIRS;
}

/* curses keeps the screen of newterm to itself; a window over all of it is ours. */
static void prepare(struct tui_terminal *terminal)
{
	tui_curses.raw();
	tui_curses.noecho();
	tui_curses.nonl();
	tui_curses.set_escdelay(ESCAPE_MS);
	terminal->window = tui_curses.newwin(terminal->height, terminal->width, 0, 0);
	tui_curses.keypad(terminal->window, TRUE);
	tui_curses.nodelay(terminal->window, TRUE);
	tui_curses.idlok(terminal->window, FALSE);
	tui_curses.leaveok(terminal->window, FALSE);
	tui_curses.curs_set(0);
	tui_curses.mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	choose_colours(terminal);
}

struct tui_terminal *tui_terminal_open(struct stint_error **err)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		stint_fail(err, STINT_USAGE, "the dashboard needs a terminal: \"stint dashboard --once\" prints one screen without");
		return NULL;
	}
	const char *name = getenv("TERM");
	if (!tui_curses_load(err))
		return NULL;
	struct tui_terminal *terminal = stint_alloc(sizeof *terminal);
	terminal->width = 80;
	terminal->height = 24;
	tcgetattr(STDIN_FILENO, &rescue.former);
	terminal->screen = name && strcmp(name, "dumb") != 0 ? tui_curses.newterm(name, stdout, stdin) : NULL;
	if (!terminal->screen) {
		free(terminal);
		stint_fail(err, STINT_USAGE, "the terminal \"%s\" is not known, or cannot move its cursor: set TERM, or use --once",
			name ? name : "");
		return NULL;
	}
	measure(terminal);
	tui_curses.resizeterm(terminal->height, terminal->width);
	prepare(terminal);
	arm();
	return terminal;
}

void tui_terminal_close(struct tui_terminal *terminal)
{
	if (!terminal)
		return;
	if (!terminal->suspended)
		tui_curses.endwin();
	disarm();
	tcsetattr(STDIN_FILENO, TCSANOW, &rescue.former);
	tui_curses.delscreen(terminal->screen);
	tui_cells_free(&terminal->shown);
	free(terminal);
}

void tui_terminal_suspend(struct tui_terminal *terminal)
{
	if (terminal->suspended)
		return;
	tui_curses.curs_set(1);
	tui_curses.endwin();
	rescue.armed = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &rescue.former);
	terminal->suspended = true;
}

void tui_terminal_forget_typed(struct tui_terminal *terminal)
{
	(void)terminal;
	tcflush(STDIN_FILENO, TCIFLUSH);
}

/* Ctrl-C, Ctrl-Z and Ctrl-S are keys as well. Output stays as it was: others have written lines there. */
void tui_terminal_await_key(struct tui_terminal *terminal)
{
	struct termios mode = rescue.former;
	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	mode.c_iflag &= ~(tcflag_t)IXON;
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	rescue.armed = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &mode);
	tui_terminal_forget_typed(terminal);
}

void tui_terminal_resume(struct tui_terminal *terminal)
{
	terminal->suspended = false;
	rescue.armed = 1;
	tui_terminal_resize(terminal);
	tui_curses.raw();
	tui_curses.curs_set(0);
	terminal->cursor_shown = false;
	tui_terminal_redraw(terminal);
}

/* ---- size -------------------------------------------------------------------------------------------------------------------------- */

void tui_terminal_size(const struct tui_terminal *terminal, int *width, int *height)
{
	*width = terminal->width;
	*height = terminal->height;
}

bool tui_terminal_resize(struct tui_terminal *terminal)
{
	const int width = terminal->width, height = terminal->height;
	measure(terminal);
	if (terminal->width == width && terminal->height == height)
		return false;
	tui_curses.resizeterm(terminal->height, terminal->width);
	tui_curses.wresize(terminal->window, terminal->height, terminal->width);
	tui_terminal_redraw(terminal);
	return true;
}

enum tui_depth tui_terminal_depth(const struct tui_terminal *terminal)
{
	return terminal->depth;
}

void tui_terminal_redraw(struct tui_terminal *terminal)
{
	terminal->shown.width = 0;
	tui_curses.clearok(terminal->window, TRUE);
}

/* ---- showing ----------------------------------------------------------------------------------------------------------------------- */

/* The number of a pair of colours; 0, the terminal's own, when there is no room for more. */
static int pair_of(struct tui_terminal *terminal, struct tui_look look)
{
	if (look.front < 0 && look.back < 0)
		return 0;
	for (int at = 0; at < terminal->pairs_count; at++) {
		if (terminal->pairs[at].front == look.front && terminal->pairs[at].back == look.back)
			return at + 1;
	}
	if (terminal->pairs_count >= terminal->pairs_room)
		return 0;
	terminal->pairs[terminal->pairs_count++] = (struct pair){look.front, look.back};
	tui_curses.init_extended_pair(terminal->pairs_count, look.front, look.back);
	return terminal->pairs_count;
}

/* A terminal of eight colours shows the lighter eight as bold ones. */
static struct tui_look fit(struct tui_look look, int colours)
{
	if (colours >= 16)
		return look;
	if (look.front >= 8) {
		look.front = (int16_t)(look.front == 8 ? 7 : look.front - 8);
		look.attributes |= TUI_BOLD;
	}
	if (look.back >= 8)
		look.back = (int16_t)(look.back - 8);
	return look;
}

static void set_look(struct tui_terminal *terminal, struct tui_look look, enum tui_depth depth)
{
	static const struct {
		uint8_t ours;
		attr_t theirs;
	} attributes[] = {{TUI_BOLD, A_BOLD}, {TUI_FAINT, A_DIM}, {TUI_UNDERLINE, A_UNDERLINE}, {TUI_REVERSE, A_REVERSE}};
	if (depth == TUI_16)
		look = fit(look, tui_curses.tigetnum("colors"));
	attr_t attribute = A_NORMAL;
	for (size_t at = 0; at < STINT_COUNT(attributes); at++)
		attribute |= look.attributes & attributes[at].ours ? attributes[at].theirs : A_NORMAL;
	int pair = depth == TUI_MONO ? 0 : pair_of(terminal, look);
	tui_curses.wattr_set(terminal->window, attribute, (short)pair, &pair);
}

static void show_row(struct tui_terminal *terminal, const struct tui_cells *cells, int y, enum tui_theme theme, enum tui_depth depth)
{
	const struct tui_cell *row = cells->items + (size_t)y * (size_t)cells->width;
	char run[4096];
	size_t length = 0;
	tui_curses.wmove(terminal->window, y, 0);
	for (int x = 0; x < cells->width; x++) {
		const bool other = x == 0 || row[x].role != row[x - 1].role || row[x].back != row[x - 1].back;
		if ((other && *row[x].glyph) || length + TUI_GLYPH_SIZE > sizeof run) {
			if (length)
				tui_curses.waddnstr(terminal->window, run, (int)length);
			length = 0;
			set_look(terminal, tui_look_of(theme, depth, row[x].role, row[x].back), depth);
		}
		const size_t glyph = strlen(row[x].glyph);
		memcpy(run + length, row[x].glyph, glyph);
		length += glyph;
	}
	if (length)
		tui_curses.waddnstr(terminal->window, run, (int)length);
}

void tui_terminal_show(struct tui_terminal *terminal, const struct tui_cells *cells, enum tui_theme theme, enum tui_depth depth,
	int cursor_y, int cursor_x)
{
	struct tui_cells *shown = &terminal->shown;
	const size_t row_bytes = (size_t)cells->width * sizeof *cells->items;
	const bool anew = shown->width != cells->width || shown->height != cells->height || terminal->shown_theme != theme ||
		terminal->shown_depth != depth;
	if (terminal->suspended || cells->width > terminal->width || cells->height > terminal->height)
		return;
	for (int y = 0; y < cells->height; y++) {
		const size_t at = (size_t)y * (size_t)cells->width;
		if (anew || memcmp(cells->items + at, shown->items + at, row_bytes) != 0)
			show_row(terminal, cells, y, theme, depth);
	}
	if (anew)
		tui_cells_reset(shown, cells->width, cells->height, cells->utf8);
	memcpy(shown->items, cells->items, row_bytes * (size_t)cells->height);
	terminal->shown_theme = theme;
	terminal->shown_depth = depth;
	if ((cursor_y >= 0) != terminal->cursor_shown) {
		terminal->cursor_shown = cursor_y >= 0;
		tui_curses.curs_set(terminal->cursor_shown);
	}
	if (terminal->cursor_shown)
		tui_curses.wmove(terminal->window, cursor_y, cursor_x);
	tui_curses.wnoutrefresh(terminal->window);
	tui_curses.doupdate();
}

/* ---- keys -------------------------------------------------------------------------------------------------------------------------- */

static uint32_t mouse_key(int *y, int *x)
{
	MEVENT event;
	if (tui_curses.getmouse(&event) != OK)
		return 0;
	*y = event.y;
	*x = event.x;
	if (event.bstate & BUTTON4_PRESSED)
		return TUI_KEY_WHEEL_UP;
	if (event.bstate & BUTTON5_PRESSED)
		return TUI_KEY_WHEEL_DOWN;
	return event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED) ? TUI_KEY_CLICK : 0;
}

static uint32_t function_key(wint_t code, int *y, int *x)
{
	static const struct {
		wint_t theirs;
		uint32_t ours;
	} keys[] = {{KEY_UP, TUI_KEY_UP}, {KEY_DOWN, TUI_KEY_DOWN}, {KEY_LEFT, TUI_KEY_LEFT}, {KEY_RIGHT, TUI_KEY_RIGHT},
		{KEY_PPAGE, TUI_KEY_PAGE_UP}, {KEY_NPAGE, TUI_KEY_PAGE_DOWN}, {KEY_HOME, TUI_KEY_HOME}, {KEY_END, TUI_KEY_END},
		{KEY_DC, TUI_KEY_DELETE}, {KEY_BTAB, TUI_KEY_BACKTAB}, {KEY_BACKSPACE, TUI_KEY_BACKSPACE}, {KEY_ENTER, TUI_KEY_ENTER}};
	if (code == KEY_MOUSE)
		return mouse_key(y, x);
	for (size_t at = 0; at < STINT_COUNT(keys); at++) {
		if (keys[at].theirs == code)
			return keys[at].ours;
	}
	return 0;
}

uint32_t tui_terminal_key(struct tui_terminal *terminal, int *y, int *x)
{
	wint_t code = 0;
	for (;;) {
		const int kind = tui_curses.wget_wch(terminal->window, &code);
		if (kind == ERR)
			return 0;
		uint32_t key = (uint32_t)code;
		if (kind == KEY_CODE_YES)
			key = function_key(code, y, x);
		else if (key == '\r' || key == '\n')
			key = TUI_KEY_ENTER;
		else if (key == '\b')
			key = TUI_KEY_BACKSPACE;
		if (key)
			return key;
	}
}
