/*
 * keys: the table of keys. What a key does, where, and how help and the manual call it stand in one row; the help screen, the hints at the
 * bottom, the manual page and the settings are made from it.
 */
#ifndef STINT_CLI_TUI_KEYS_H
#define STINT_CLI_TUI_KEYS_H

#include <stint/base.h>

/* A key: a Unicode code point, a control character, or one of these. */
enum tui_key {
	TUI_KEY_TAB = 9,
	TUI_KEY_ENTER = 13,
	TUI_KEY_ESCAPE = 27,
	TUI_KEY_BACKSPACE = 127,
	TUI_KEY_UP = 0x110000,
	TUI_KEY_DOWN,
	TUI_KEY_LEFT,
	TUI_KEY_RIGHT,
	TUI_KEY_PAGE_UP,
	TUI_KEY_PAGE_DOWN,
	TUI_KEY_HOME,
	TUI_KEY_END,
	TUI_KEY_DELETE,
	TUI_KEY_BACKTAB,
	TUI_KEY_WHEEL_UP,
	TUI_KEY_WHEEL_DOWN,
	TUI_KEY_CLICK, /* with a place on the screen */
};

/* Where a key works. */
enum tui_where {
	TUI_IN_LIST = 1, /* workloads, nodes, projects, queue, events */
	TUI_IN_TEXT = 2, /* detail, why, help, output of a command */
	TUI_IN_LOGS = 4,
	TUI_IN_OVERVIEW = 8,
	TUI_ON_WORKLOAD = 16, /* what is selected, or shown, is a workload */
	TUI_EVERYWHERE = TUI_IN_LIST | TUI_IN_TEXT | TUI_IN_LOGS | TUI_IN_OVERVIEW,
};

/* NAME: in settings; KEYS: words divided by blanks; WHERE; what it does. Rows of one group stand together. */
#define TUI_REQUESTS(X)                                                                                                           \
	X(UP, "up", "k Up ^P", TUI_EVERYWHERE, "move up")                                                                         \
	X(DOWN, "down", "j Down ^N", TUI_EVERYWHERE, "move down")                                                                 \
	X(PAGE_UP, "page-up", "PgUp ^B", TUI_EVERYWHERE, "a page up")                                                             \
	X(PAGE_DOWN, "page-down", "PgDn ^F Space", TUI_EVERYWHERE, "a page down; Space marks the row in a list")                  \
	X(HOME, "home", "Home g", TUI_EVERYWHERE, "to the first line")                                                            \
	X(END, "end", "End G", TUI_EVERYWHERE, "to the last line; in logs: follow again")                                         \
	X(LEFT, "left", "Left h", TUI_EVERYWHERE, "show what lies to the left")                                                   \
	X(RIGHT, "right", "Right", TUI_EVERYWHERE, "show what lies to the right")                                                 \
	X(OPEN, "open", "Enter", TUI_IN_LIST, "show the selected thing in detail")                                                \
	X(BACK, "back", "Esc", TUI_EVERYWHERE, "one step back: a prompt, a filter, marks, this view")                             \
	X(NEXT_VIEW, "next-view", "Tab", TUI_EVERYWHERE, "the next view")                                                         \
	X(LAST_VIEW, "previous-view", "Backtab", TUI_EVERYWHERE, "the view before")                                               \
	X(OVERVIEW, "overview", "1", TUI_EVERYWHERE, "the overview")                                                              \
	X(WORKLOADS, "workloads", "2", TUI_EVERYWHERE, "workloads")                                                               \
	X(NODES, "nodes", "3", TUI_EVERYWHERE, "nodes and their devices")                                                         \
	X(PROJECTS, "projects", "4", TUI_EVERYWHERE, "projects and departments")                                                  \
	X(QUEUE, "queue", "5", TUI_EVERYWHERE, "what waits, in the order in which it is tried")                                   \
	X(EVENTS, "events", "6", TUI_EVERYWHERE, "what has happened")                                                             \
	X(EVICTED, "evicted", "7", TUI_EVERYWHERE, "what the scheduler took places away from")                                    \
	X(FILTER, "filter", "/", TUI_EVERYWHERE, "rows with words in names, states, reasons (node=value, !word); search in text") \
	X(AGAIN, "next-match", "n", TUI_IN_TEXT | TUI_IN_LOGS, "the next match of the search")                                    \
	X(AGAIN_BACK, "previous-match", "N", TUI_IN_TEXT | TUI_IN_LOGS, "the match before")                                       \
	X(SORT, "sort", "s", TUI_IN_LIST, "choose the column to sort by")                                                         \
	X(REVERSE, "reverse", "r", TUI_IN_LIST, "turn the order round")                                                           \
	X(COLUMNS, "columns", "c", TUI_IN_LIST, "choose the columns")                                                             \
	X(MARK, "mark", "Space", TUI_IN_LIST, "mark the row, or take its mark away")                                              \
	X(LOGS, "logs", "l", TUI_ON_WORKLOAD, "logs of the workload")                                                             \
	X(WHY, "why", "y", TUI_ON_WORKLOAD, "why it waits")                                                                       \
	X(SHELL, "shell", "e", TUI_ON_WORKLOAD, "a shell in its first running pod")                                               \
	X(DELETE, "delete", "d Delete", TUI_ON_WORKLOAD, "delete it, or all that is marked; asks first")                          \
	X(SUSPEND, "suspend", "S", TUI_ON_WORKLOAD, "suspend it; asks first")                                                     \
	X(RESUME, "resume", "R", TUI_ON_WORKLOAD, "resume it; asks first")                                                        \
	X(RAISE, "raise", "+", TUI_ON_WORKLOAD, "give it the next higher priority class; asks first")                             \
	X(LOWER, "lower", "-", TUI_ON_WORKLOAD, "give it the next lower priority class; asks first")                              \
	X(WRAP, "wrap", "w", TUI_IN_TEXT | TUI_IN_LOGS, "wrap long lines, or cut them")                                           \
	X(FOLLOW, "follow", "f", TUI_IN_LOGS, "follow what comes, or stay")                                                       \
	X(COMMAND, "command", ":", TUI_EVERYWHERE, "run a command of stint, or \"set NAME VALUE\"; Tab completes")                \
	X(HELP, "help", "?", TUI_EVERYWHERE, "the keys")                                                                          \
	X(REDRAW, "redraw", "^L", TUI_EVERYWHERE, "draw the screen anew")                                                         \
	X(STOP, "stop", "^Z", TUI_EVERYWHERE, "give the terminal back to the shell until \"fg\"")                                 \
	X(QUIT, "quit", "q", TUI_EVERYWHERE, "end the program")

#define TUI_REQUEST_ENUM(request, ...) TUI_DO_##request,
enum tui_request { TUI_REQUESTS(TUI_REQUEST_ENUM) TUI_REQUEST_COUNT, TUI_NOTHING = TUI_REQUEST_COUNT };

struct tui_key_row {
	const char *name;
	const char *keys;
	unsigned where;
	const char *help;
};
extern const struct tui_key_row tui_key_rows[TUI_REQUEST_COUNT];

enum { TUI_KEYS_MAX = 6 };
/* Which keys ask for what: the table's, changed by settings. */
struct tui_keys {
	uint32_t keys[TUI_REQUEST_COUNT][TUI_KEYS_MAX]; /* 0 ends */
};
void tui_keys_default(struct tui_keys *keys);
/* "delete=x,logs=L ^O": takes the place of the keys of those requests. False: a name or a key is none. */
bool tui_keys_change(struct tui_keys *keys, const char *setting, struct stint_error **err);
/* What the key asks for in such a place; TUI_NOTHING. */
enum tui_request tui_keys_find(const struct tui_keys *keys, uint32_t key, unsigned where);

/* "PgUp", "^L", "k" and back; 0: no key. out: at least 16 bytes. */
char *tui_key_name(uint32_t key, char *out);
uint32_t tui_key_parse(const char *word);
/* The keys of a request for people, "k, Up, ^P"; freed by the caller. */
char *tui_keys_text(const struct tui_keys *keys, enum tui_request request);
/* One indented line per key: a paragraph of the manual. Freed by the caller. */
char *tui_keys_manual(void);

#endif
