/*
 * log: the last lines of some logs, in bounded memory: at most TUI_LOG_LINES lines and TUI_LOG_BYTES bytes; older ones are let go, and
 * counted. Lines come from several pods; each has a colour. Pure.
 */
#ifndef STINT_CLI_TUI_LOG_H
#define STINT_CLI_TUI_LOG_H

#include "cli/tui/text.h"

enum { TUI_LOG_LINES = 20000, TUI_LOG_BYTES = 4 * 1024 * 1024, TUI_LOG_LINE_BYTES = 8 * 1024 };

struct tui_log {
	char **ring; /* TUI_LOG_LINES of them once something came */
	uint64_t first, end; /* numbers of the lines that are kept */
	size_t bytes;
};
void tui_log_clear(struct tui_log *log); /* all lines go; numbering goes on */
void tui_log_free(struct tui_log *log);
/* One line of a pod, without its newline; cut at TUI_LOG_LINE_BYTES. prefix NULL: only one pod speaks. */
void tui_log_add(struct tui_log *log, const char *prefix, enum tui_role role, const char *data, size_t length);
struct tui_lines tui_log_lines(const struct tui_log *log);

/* Cuts the bytes of one pod's log into lines. */
struct tui_log_source {
	char *prefix; /* or NULL */
	enum tui_role role;
	struct stint_buf rest; /* the line that has not ended */
};
void tui_log_feed(struct tui_log *log, struct tui_log_source *source, const char *data, size_t length);
void tui_log_finish(struct tui_log *log, struct tui_log_source *source); /* what is left is a line; frees the source's contents */

#endif
