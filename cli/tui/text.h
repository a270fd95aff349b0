/*
 * text: lines with roles, and the window on them: scrolling, search, wrapping, following. What the views for details, logs, answers and help
 * have in common. Pure.
 *
 * A line is UTF-8 in which the byte \x01 and a character (role + ' ') set the role of what follows. Foreign text cannot hold such bytes:
 * whatever is added loses its control characters.
 */
#ifndef STINT_CLI_TUI_TEXT_H
#define STINT_CLI_TUI_TEXT_H

#include "cli/tui/cells.h"

/* Lines that are numbered from `first`; older ones may have been let go. */
struct tui_lines {
	const char *(*at)(const void *source, uint64_t number);
	const void *source;
	uint64_t first, end;
};

/* A text of one's own. Zero-initialise. */
struct tui_text {
	char **lines;
	size_t count, capacity;
	struct stint_buf line; /* under construction */
};
void tui_text_clear(struct tui_text *text);
void tui_text_free(struct tui_text *text);
/* Adds to the line under construction. A newline in what is added ends it; further lines are indented as `indent` says. */
void tui_say(struct tui_text *text, enum tui_role role, const char *format, ...) STINT_PRINTF(3, 4);
void tui_say_line(struct tui_text *text); /* ends it */
/* "Title" alone, after an empty line unless it is the first. */
void tui_say_title(struct tui_text *text, const char *title);
/* "Key:        value"; NULL or "": nothing. */
void tui_say_field(struct tui_text *text, const char *key, enum tui_role role, const char *value);
struct tui_lines tui_text_lines(const struct tui_text *text);
/* Foreign bytes into a line's form: tabs widened, control characters '?', a role in front. */
void tui_line_add(struct stint_buf *line, enum tui_role role, const char *data, size_t length);

struct tui_pager {
	uint64_t top; /* number of the first line in the window */
	int top_row; /* rows of it that are above, when it is wrapped */
	int shift; /* columns to the left of the window */
	bool wrap;
	bool follow; /* the end stays in the window */
	char *search; /* or NULL */
	uint64_t match; /* number of the line that was found last; UINT64_MAX: none */
	int height, width; /* when it was drawn last, and in which charset */
	bool utf8;
};
void tui_pager_move(struct tui_pager *pager, const struct tui_lines *lines, int64_t by); /* rows; INT64_MIN, INT64_MAX: the ends */
/* The next line with the text, from the last match (or the window) on; false: there is none. */
bool tui_pager_search(struct tui_pager *pager, const struct tui_lines *lines, const char *search, bool backwards);
void tui_pager_draw(struct tui_pager *pager, const struct tui_lines *lines, struct tui_area area);
void tui_pager_free(struct tui_pager *pager);

#endif
