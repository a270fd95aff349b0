/* What a log may do to a terminal, and how lines of several pods are told apart. */
#ifndef STINT_CLI_LOG_TEXT_H
#define STINT_CLI_LOG_TEXT_H

#include <stint/base.h>

/*
 * One log's text on its way out. Zero-initialise. With `terminal` set, what a program needs for colours and progress bars passes (newline,
 * tab, carriage return, backspace, the escape sequences that colour, move within and erase a line); any other control character, and
 * what is no UTF-8, becomes '?'. With `prefix`, lines are gathered until they are whole and begin with it.
 */
struct cli_log_text {
	const char *prefix; /* borrowed; NULL: bytes pass as they come */
	bool terminal;
	struct stint_buf line; /* the line that is not whole yet, or an escape sequence or character that is not */
};
/* Appends to out what can be written now. */
void cli_log_text_add(struct cli_log_text *text, const char *data, size_t length, struct stint_buf *out);
/* The last line, when it has no end. */
void cli_log_text_end(struct cli_log_text *text, struct stint_buf *out);
void cli_log_text_free(struct cli_log_text *text);

#endif
