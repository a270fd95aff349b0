/*
 * filter: which rows are shown. Words divided by blanks, all of which must hold: `word` stands in a text of the row, without regard to case;
 * `column=value` and `column!=value` compare with what that column shows (any part of it); `label=value` with the object's label, exactly;
 * `!word` must not stand there; `-l SELECTOR` is a label selector as kubectl takes it, to the end of the filter.
 */
#ifndef STINT_CLI_TUI_FILTER_H
#define STINT_CLI_TUI_FILTER_H

#include <stint/model.h>

struct tui_filter;
/* What a filter asks about a row. */
struct tui_filter_row {
	const void *item;
	const void *user;
	/* The text of a row's index-th field that plain words are looked for in; NULL where it has none; false after the last. */
	bool (*field)(const struct tui_filter_row *row, size_t index, const char **text);
	/* What the column of that name shows (out: `size` bytes); false: there is no such column. */
	bool (*column)(const struct tui_filter_row *row, const char *name, char *out, size_t size);
	const struct stint_pairs *(*labels)(const void *item); /* may be NULL, and give NULL */
};

/* NULL: an empty text, or err when it is none: everything is shown. */
struct tui_filter *tui_filter_parse(const char *text, struct stint_error **err);
bool tui_filter_match(const struct tui_filter *filter, const struct tui_filter_row *row); /* a NULL filter matches */
/* The index-th key that it asks for, of a column or a label; NULL after the last. */
const char *tui_filter_key(const struct tui_filter *filter, size_t index);
/* The first sign in it that looks like an operator of other languages, and is none here: '>', '<' or '*'; '\0': there is none. */
char tui_filter_sign(const struct tui_filter *filter);
void tui_filter_free(struct tui_filter *filter);

#endif
