/*
 * app: the dashboard without a terminal and without a cluster: what is shown, where the cursor is, what a key does. It draws into cells, and
 * asks the outside (struct tui_outside) for everything that takes time; answers come back through the functions below. Nothing in it blocks,
 * and nothing but drawing looks at the clock that it is given.
 *
 * State: the list of each list view, a stack of texts above them (detail, logs, why, help, output), a prompt, a menu or a question, of which
 * at most one is open and gets the keys.
 */
#ifndef STINT_CLI_TUI_APP_H
#define STINT_CLI_TUI_APP_H

#include <stint/text.h>

#include "cli/tui/cells.h"
#include "cli/tui/history.h"
#include "cli/tui/keys.h"
#include "cli/tui/list.h"
#include "cli/tui/log.h"
#include "cli/tui/text.h"
#include "cli/tui/theme.h"
#include "cli/tui/world.h"

enum tui_view_name {
	TUI_OVERVIEW,
	TUI_WORKLOADS,
	TUI_NODES,
	TUI_PROJECTS_VIEW,
	TUI_QUEUE,
	TUI_EVENTS,
	TUI_EVICTED,
	TUI_TABS,
	TUI_DETAIL = TUI_TABS,
	TUI_LOGS,
	TUI_WHY,
	TUI_HELP,
	TUI_OUTPUT,
	TUI_VIEWS,
};

/* What a screen or a row is about: an identity that outlives the object. */
enum tui_kind { TUI_NO_KIND, TUI_A_WORKLOAD, TUI_A_NODE, TUI_A_PROJECT, TUI_AN_EVENT };
struct tui_about {
	enum tui_kind kind;
	char *space; /* namespace; NULL of cluster-wide things */
	char *name;
	char *uid; /* NULL: known by its name alone */
};
void tui_about_set(struct tui_about *about, enum tui_kind kind, const char *space, const char *name, const char *uid);
void tui_about_copy(struct tui_about *to, const struct tui_about *from);
void tui_about_clear(struct tui_about *about);

struct tui_app;
struct tui_screen;

/* A view is a table of functions. One of list, draw and write is there. */
struct tui_view {
	const char *name; /* "workloads" */
	const char *title;
	unsigned where; /* which keys work: enum tui_where */
	const struct tui_list_kind *list;
	void (*about)(const void *item, struct tui_about *out); /* of a list: the identity of a row */
	void (*draw)(struct tui_app *app, struct tui_area area);
	void (*write)(
		const struct tui_app *app, const struct tui_screen *screen, struct tui_text *text); /* anew whenever something changed */
};
extern const struct tui_view tui_view_overview, tui_view_workloads, tui_view_nodes, tui_view_projects, tui_view_queue, tui_view_events,
	tui_view_evicted, tui_view_detail, tui_view_logs, tui_view_why, tui_view_help, tui_view_output;
const struct tui_view *tui_view_of(enum tui_view_name name);
bool tui_view_needs_events(enum tui_view_name name); /* a tab that is made of them */
/* "workloads"; TUI_VIEWS: none of that name. */
enum tui_view_name tui_view_find(const char *name);

/* A text above the lists. */
struct tui_screen {
	enum tui_view_name view;
	struct tui_about about;
	struct tui_text text;
	struct tui_pager pager;
	char *title; /* of TUI_OUTPUT: the command */
	struct stint_json *record; /* of TUI_WHY: the answer; NULL: not there yet */
	char *problem; /* of TUI_WHY, TUI_LOGS: why there is none */
};
enum { TUI_DEEPEST = 8 };

enum tui_act { TUI_ACT_DELETE, TUI_ACT_SUSPEND, TUI_ACT_RESUME, TUI_ACT_RAISE, TUI_ACT_LOWER };
const char *tui_act_word(enum tui_act act); /* "delete" */
/* Something to be done to things that were named to the person. */
struct tui_action {
	enum tui_act act;
	struct tui_about *items;
	size_t count;
};
void tui_action_free(struct tui_action *action); /* its contents */

/* What the outside does. Any of them may be NULL: then it cannot be done here. */
struct tui_outside {
	void (*ask_why)(void *user, const char *project, const char *name);
	void (*follow_logs)(void *user, const struct tui_about *workload); /* NULL: no more */
	void (*act)(void *user, const struct tui_action *action); /* copies it */
	void (*shell)(void *user, const struct tui_about *workload);
	void (*command)(void *user, const char *line);
	void (*complete)(void *user, const char *line); /* what could a command line go on with? tui_app_choices answers */
	void (*end_output)(void *user); /* the output that is shown is not looked at any more */
	void (*want_events)(void *user, bool wanted);
	bool (*save)(void *user, const char *key, const char *value, struct stint_error **err);
	void (*redraw)(void *user);
	void (*stop)(void *user);
	void (*quit)(void *user);
	void *user;
};

enum tui_prompt { TUI_NO_PROMPT, TUI_FILTER_PROMPT, TUI_SEARCH_PROMPT, TUI_COMMAND_PROMPT };
enum tui_menu { TUI_NO_MENU, TUI_SORT_MENU, TUI_COLUMNS_MENU };
enum { TUI_HISTORY_LINES = 100 };

/* How the watches are, as the outside sees them. */
struct tui_health {
	bool loading; /* the first lists are not complete */
	int64_t lost_ms; /* since when nothing comes (wall clock); 0: it does */
	char *problem; /* the sentence about it */
	char *advice; /* what to do, or NULL */
	char *hidden; /* what may not be seen, or NULL */
	char *scheduler; /* that none works; NULL: one does, or that is not known */
};

struct tui_settings {
	enum tui_theme theme;
	enum tui_depth depth;
	bool utf8;
	int frames; /* at most, in a second */
};

struct tui_app {
	struct tui_now now; /* world NULL: nothing is known yet */
	struct tui_settings settings;
	struct tui_keys keys;
	struct tui_outside outside;
	char *place; /* which cluster, as which context: for the title */
	char *project; /* the only one that is watched; NULL: all */
	struct tui_health health;
	struct tui_history history;
	struct tui_starts starts;
	enum tui_view_name tab;
	struct tui_list lists[TUI_TABS];
	struct tui_screen screens[TUI_DEEPEST];
	size_t depth;
	struct tui_log log;
	int overview_top; /* first row of the nodes pane */
	/* the prompt */
	enum tui_prompt prompt;
	struct stint_buf typed;
	size_t typed_at; /* the cursor, in bytes */
	char *former_filter; /* Esc brings it back */
	char *history_lines[TUI_HISTORY_LINES]; /* of commands, oldest first */
	size_t history_count, history_at;
	char **choices; /* of a completion, NULL-ended */
	size_t choice;
	size_t completed_from; /* where in typed the choices go */
	/* the menu */
	enum tui_menu menu;
	int menu_at;
	/* the question */
	bool asking;
	struct tui_action action;
	/* what was said last */
	char *note;
	enum tui_role note_role;
	int64_t note_until_ms;
	int width; /* of what was drawn last */
	bool dirty; /* draw again */
	bool fresh; /* the texts are of this world */
};

struct tui_app *tui_app_new(const struct tui_settings *settings, const struct tui_outside *outside);
void tui_app_free(struct tui_app *app);
/* Things have changed: the world is another (NULL: gone for now). */
void tui_app_world(struct tui_app *app, const struct tui_world *world, int64_t now_ms);
void tui_app_key(struct tui_app *app, uint32_t key, int y, int x, int64_t now_ms);
void tui_app_draw(struct tui_app *app, struct tui_cells *cells, int width, int height, int64_t now_ms);
/* Where the terminal's cursor belongs; false: nowhere. */
bool tui_app_cursor(const struct tui_app *app, const struct tui_cells *cells, int *y, int *x);

/* Answers of the outside. */
void tui_app_note(struct tui_app *app, enum tui_role role, const char *format, ...) STINT_PRINTF(3, 4);
void tui_app_why(
	struct tui_app *app, const char *project, const char *name, struct stint_json *record, const char *problem); /* takes record */
/* A command starts, and its output is looked at: pushes a screen for it, unless one of that title is on top. May end a former command. */
void tui_app_output_open(struct tui_app *app, const char *title);
/* What it prints, all of it again whenever there is more. It goes to its screen, whatever is on top by now; nowhere when that has gone. */
void tui_app_output(struct tui_app *app, const char *title, const char *output);
/* For a line that was asked for; taken. */
void tui_app_choices(struct tui_app *app, const char *line, char **choices);
/* The workload whose expected start is to be asked for next: of a row of the queue that is seen, has not been asked for lately, and may start at all. */
const struct stint_workload *tui_app_next_start(const struct tui_app *app, int64_t now_ms); /* NULL: none */
void tui_app_log_changed(struct tui_app *app); /* lines came, or a problem with them */

/* ---- between the files of the app --------------------------------------------------------------------------------------------------- */

void tui_app_show(struct tui_app *app, enum tui_view_name view); /* a tab */
/* A text above; its about is to be set by the caller before the next drawing. */
struct tui_screen *tui_app_push(struct tui_app *app, enum tui_view_name view);
void tui_app_pop(struct tui_app *app);
struct tui_screen *tui_app_screen(struct tui_app *app); /* the text on top; NULL: a tab is shown */
const struct tui_view *tui_app_view(const struct tui_app *app);
int tui_app_tab_at(int x, int width); /* which tab stands there in a title that wide; TUI_TABS: none */
struct tui_list *tui_app_list(struct tui_app *app); /* of the tab, when it is on top; NULL */
struct tui_lines tui_app_lines(struct tui_app *app, struct tui_screen *screen);
unsigned tui_app_where(struct tui_app *app);
/* What is selected, or what the screen on top is about; false: nothing. about is the caller's. */
bool tui_app_about(struct tui_app *app, struct tui_about *about);
const struct stint_workload *tui_app_workload(const struct tui_app *app, const struct tui_about *about); /* NULL: it has gone */
void tui_app_request(struct tui_app *app, enum tui_request request);
/* The prompt, the menu and the question; true: the key was theirs. */
bool tui_prompt_key(struct tui_app *app, uint32_t key);
void tui_prompt_open(struct tui_app *app, enum tui_prompt prompt);
void tui_prompt_draw(struct tui_app *app, struct tui_area foot);
bool tui_menu_key(struct tui_app *app, uint32_t key);
void tui_menu_open(struct tui_app *app, enum tui_menu menu);
void tui_menu_draw(struct tui_app *app, struct tui_area body);
bool tui_question_key(struct tui_app *app, uint32_t key);
void tui_question_open(struct tui_app *app, enum tui_act act);
void tui_question_draw(struct tui_app *app, struct tui_area body);
/* "set NAME VALUE" of the command line. */
void tui_app_set(struct tui_app *app, const char *name, const char *value);

#endif
