/*
 * log: see log.h. A line is one allocation; the ring has a place for every number, number modulo TUI_LOG_LINES.
 */
#include "cli/tui/log.h"

#include <stdlib.h>
#include <string.h>

static void drop_first(struct tui_log *log)
{
	char **slot = &log->ring[log->first % TUI_LOG_LINES];
	log->bytes -= strlen(*slot) + 1;
	free(stint_steal(slot));
	log->first++;
}

void tui_log_clear(struct tui_log *log)
{
	while (log->first < log->end)
		drop_first(log);
}

void tui_log_free(struct tui_log *log)
{
	tui_log_clear(log);
	free(log->ring);
	*log = (struct tui_log){0};
}

/* Colours and cursor movements of a log are left out: roles are ours. */
static void put_foreign(struct stint_buf *line, enum tui_role role, const char *data, size_t length)
{
	size_t from = 0;
	for (size_t at = 0; at < length; at++) {
		if (data[at] != 0x1b || at + 1 >= length || data[at + 1] != '[')
			continue;
		if (at > from)
			tui_line_add(line, role, data + from, at - from);
		for (at += 2; at < length && !(data[at] >= '@' && data[at] <= '~'); at++)
			;
		from = at + 1;
	}
	if (from < length)
		tui_line_add(line, role, data + from, length - from);
}

void tui_log_add(struct tui_log *log, const char *prefix, enum tui_role role, const char *data, size_t length)
{
	stint_auto_buf line = {0};
	if (!log->ring)
		log->ring = stint_alloc(TUI_LOG_LINES * sizeof *log->ring);
	while (length > 0 && data[length - 1] == '\r')
		length--;
	/* A progress bar overwrites itself: what it said last counts. */
	const char *again = length ? memrchr(data, '\r', length) : NULL;
	if (again) {
		length -= (size_t)(again + 1 - data);
		data = again + 1;
	}
	if (prefix) {
		tui_line_add(&line, role, prefix, strlen(prefix));
		tui_line_add(&line, TUI_TEXT, " ", 1);
	}
	put_foreign(&line, TUI_TEXT, data, length < TUI_LOG_LINE_BYTES ? length : TUI_LOG_LINE_BYTES);
	char *kept = stint_strndup(line.data ? line.data : "", line.length);
	if (log->end - log->first == TUI_LOG_LINES)
		drop_first(log);
	log->ring[log->end++ % TUI_LOG_LINES] = kept;
	log->bytes += strlen(kept) + 1;
	while (log->bytes > TUI_LOG_BYTES)
		drop_first(log);
}

static const char *log_line(const void *source, uint64_t number)
{
	return ((const struct tui_log *)source)->ring[number % TUI_LOG_LINES];
}

struct tui_lines tui_log_lines(const struct tui_log *log)
{
	return (struct tui_lines){log_line, log, log->first, log->end};
}

void tui_log_feed(struct tui_log *log, struct tui_log_source *source, const char *data, size_t length)
{
	while (length > 0) {
		const char *newline = memchr(data, '\n', length);
		const size_t piece = newline ? (size_t)(newline - data) : length;
		if (newline && source->rest.length == 0) {
			tui_log_add(log, source->prefix, source->role, data, piece);
		} else if (source->rest.length + piece < TUI_LOG_LINE_BYTES || newline) {
			stint_buf_add(&source->rest, data, piece);
		}
		if (newline && source->rest.length > 0) {
			tui_log_add(log, source->prefix, source->role, source->rest.data, source->rest.length);
			stint_buf_reset(&source->rest);
		}
		data += piece + (newline != NULL);
		length -= piece + (newline != NULL);
	}
}

void tui_log_finish(struct tui_log *log, struct tui_log_source *source)
{
	if (source->rest.length)
		tui_log_add(log, source->prefix, source->role, source->rest.data, source->rest.length);
	stint_buf_free(&source->rest);
	stint_free_pointer(&source->prefix);
}
