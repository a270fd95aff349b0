/*
 * list: a table of rows that are followed by identity: order, filter, columns, cursor, marks, window. A view says what its rows and columns
 * are; everything else is here and the same for all. Pure but for the struct that it keeps.
 *
 * Invariants: the cursor stands on an identity, not on a number: when rows come, go or change places it stays on its object and, if it
 * can, on its line of the screen; when the object has gone it stays on the line. Only what is seen is formatted.
 */
#ifndef STINT_CLI_TUI_LIST_H
#define STINT_CLI_TUI_LIST_H

#include "cli/tui/cells.h"
#include "cli/tui/filter.h"
#include "cli/tui/starts.h"
#include "cli/tui/world.h"

/* What columns look at besides their item. */
struct tui_now {
	const struct tui_world *world;
	int64_t ms;
	const struct tui_starts *starts; /* NULL: nobody is asked */
};

enum { TUI_FIELD_SIZE = 512 };
struct tui_field {
	char text[TUI_FIELD_SIZE];
	enum tui_role role;
};
void tui_field_set(struct tui_field *field, enum tui_role role, const char *format, ...) STINT_PRINTF(3, 4);

enum tui_column_flags {
	TUI_RIGHT = 1, /* numbers */
	TUI_HIDDEN = 2, /* not shown until chosen */
	TUI_FLEXIBLE = 4, /* takes what room is left; one of a view */
	TUI_SEARCHED = 8, /* plain words of a filter are looked for in its text */
};
struct tui_column {
	const char *name; /* for settings and filters: "gpus" */
	const char *title; /* "GPUS" */
	uint8_t least, most; /* columns of the screen */
	uint8_t rank; /* when room is short, the highest goes first; 0: never */
	unsigned flags;
	void (*show)(const void *item, const struct tui_now *now, struct tui_field *out);
	/* One of them gives the order; text also what a filter looks in. NULL text comes last; NaN too. */
	const char *(*text)(const void *item);
	double (*number)(const void *item, const struct tui_now *now);
	/* Instead of show, for what has several colours: draws within width columns. Unless it is flexible, number says how many it could fill. */
	void (*draw)(const void *item, const struct tui_now *now, struct tui_area area, int y, int x, int width);
};

enum { TUI_MOST_COLUMNS = 20 };
struct tui_list_kind {
	const struct tui_column *columns; /* ended by a row without a name */
	const char *sort; /* the order at first: a column's name, after a '-' the other way round; NULL: as collected */
	const char *nothing; /* the sentence of an empty list */
	const char *(*id)(const void *item); /* the identity: a uid, or a name that is unique */
	const struct stint_pairs *(*labels)(const void *item);
	enum tui_role (*role)(const void *item); /* of the whole row where a column has none; may be NULL */
	/* Calls add for every row there is, in the order that holds without a sort. */
	void (*collect)(const struct tui_now *now, void (*add)(void *list, const void *item), void *list);
};

struct tui_list {
	const struct tui_list_kind *kind;
	const void **rows;
	size_t count, capacity;
	size_t total; /* before the filter */
	char *filter_text; /* never NULL once opened */
	struct tui_filter *filter;
	char *doubt; /* why the filter cannot mean what was typed, a sentence; NULL: it can */
	int sort; /* index of a column; -1: as collected */
	bool reverse;
	bool moved; /* somebody has moved the cursor: until then it stays at the top */
	size_t cursor;
	char *cursor_id;
	size_t top; /* the first row in the window */
	int shift; /* columns skipped at the left */
	int height; /* rows in the window when it was drawn last */
	bool hidden[TUI_MOST_COLUMNS];
	uint8_t widths[TUI_MOST_COLUMNS]; /* grown to what was shown: a table does not dance */
	struct stint_map *marks; /* identities; values are not used */
};
void tui_list_open(struct tui_list *list, const struct tui_list_kind *kind);
void tui_list_close(struct tui_list *list);
/* Collects, filters and sorts anew, and finds the cursor again. O(n log n). */
void tui_list_refresh(struct tui_list *list, const struct tui_now *now);
/* Rows were told; the world they lie in is gone: nothing is there until the next refresh. */
void tui_list_forget(struct tui_list *list);
void tui_list_move(struct tui_list *list, int64_t by); /* clamped; INT64_MIN and INT64_MAX: to the ends */
const void *tui_list_item(const struct tui_list *list); /* under the cursor; NULL: there is none */
bool tui_list_filter(struct tui_list *list, const char *text, struct stint_error **err); /* then refresh */
void tui_list_toggle_mark(struct tui_list *list);
bool tui_list_is_marked(const struct tui_list *list, const void *item);
/* The column of that name; -1. */
int tui_list_column(const struct tui_list_kind *kind, const char *name);
/* The names of the columns that are shown, "name,state,gpus", and back. The text is freed by the caller. */
char *tui_list_columns(const struct tui_list *list);
bool tui_list_choose(struct tui_list *list, const char *names, struct stint_error **err);
/* Titles in the first line, rows below. Where nothing is to be shown: `empty`, a sentence. */
void tui_list_draw(struct tui_list *list, const struct tui_now *now, struct tui_area area, const char *empty);

#endif
