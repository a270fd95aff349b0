/*
 * log_text: turns the bytes of a log into what may be written to our output. Pure, and bounded: a line or escape sequence without end is
 * let go in pieces.
 *
 * A log is somebody else's text. On a terminal an escape sequence can do more than colour (set the title, ask for an answer that is then
 * typed for us), so all that is not on a short list is made visible. A sequence may also begin with one character of U+0080 to U+009F.
 */
#include "cli/log_text.h"

#include <string.h>

enum { MAX_LINE_BYTES = 64 * 1024, MAX_SEQUENCE_BYTES = 32, ESCAPE = 0x1b };

/* Bytes of a control sequence at data: 0 when it is not whole yet, -1 when it is not one that may pass. */
static int sequence_length(const char *data, size_t length)
{
	if (length < 2)
		return 0;
	if (data[1] != '[')
		return -1;
	for (size_t at = 2; at < length && at < MAX_SEQUENCE_BYTES; at++) {
		const char c = data[at];
		if ((c >= '0' && c <= '9') || c == ';')
			continue;
		/* m colours, K erases in the line, A B C D G move: progress bars use them. */
		return strchr("mKABCDG", c) ? (int)at + 1 : -1;
	}
	return length < MAX_SEQUENCE_BYTES ? 0 : -1;
}

/* Bytes of a character of UTF-8 at data: 0 when it is not whole yet, -1 when it is none, or a control character. */
static int character_length(const char *data, size_t length)
{
	const unsigned char first = (unsigned char)data[0];
	if (first < 0xc2 || first > 0xf4)
		return -1;
	const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	/* Below these stand the controls U+0080 to U+009F, and longer spellings of what has a shorter one. */
	const unsigned char lowest = first == 0xc2 || first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	for (size_t at = 1; at < size; at++) {
		if (at == length)
			return 0;
		const unsigned char c = (unsigned char)data[at];
		if (c < (at == 1 ? lowest : 0x80) || c > 0xbf)
			return -1;
	}
	return (int)size;
}

/* Copies what may pass; gives how many bytes are left over at the end because a sequence or character is not whole. */
static size_t filter(const char *data, size_t length, struct stint_buf *out)
{
	for (size_t at = 0; at < length; at++) {
		const unsigned char c = (unsigned char)data[at];
		if (c == ESCAPE || c >= 0x80) {
			const int whole = c == ESCAPE ? sequence_length(data + at, length - at) : character_length(data + at, length - at);
			if (whole == 0)
				return length - at;
			if (whole > 0) {
				stint_buf_add(out, data + at, (size_t)whole);
				at += (size_t)whole - 1;
				continue;
			}
		}
		const bool passes = (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t' || c == '\r' || c == '\b';
		stint_buf_putc(out, passes ? (char)c : '?');
	}
	return 0;
}

static void put(const struct cli_log_text *text, const char *data, size_t length, struct stint_buf *out)
{
	if (!text->terminal) {
		stint_buf_add(out, data, length);
		return;
	}
	const size_t left = filter(data, length, out);
	for (size_t at = length - left; at < length; at++)
		stint_buf_putc(out, data[at] >= 0x20 && data[at] < 0x7f ? data[at] : '?');
}

/* Without a prefix nothing is held back but a sequence or character that is cut. */
static void add_plain(struct cli_log_text *text, const char *data, size_t length, struct stint_buf *out)
{
	if (!text->terminal) {
		stint_buf_add(out, data, length);
		return;
	}
	stint_buf_add(&text->line, data, length);
	const size_t left = filter(text->line.data, text->line.length, out);
	stint_buf_consume(&text->line, text->line.length - left);
}

static void put_line(struct cli_log_text *text, struct stint_buf *out)
{
	stint_buf_puts(out, text->prefix);
	put(text, text->line.data, text->line.length, out);
	stint_buf_reset(&text->line);
}

void cli_log_text_add(struct cli_log_text *text, const char *data, size_t length, struct stint_buf *out)
{
	if (!text->prefix) {
		add_plain(text, data, length, out);
		return;
	}
	while (length > 0) {
		const char *newline = memchr(data, '\n', length);
		size_t piece = newline ? (size_t)(newline - data) + 1 : length;
		const size_t room = MAX_LINE_BYTES - text->line.length;
		const bool cut = piece > room;
		piece = cut ? room : piece;
		stint_buf_add(&text->line, data, piece);
		data += piece;
		length -= piece;
		if (cut)
			stint_buf_putc(&text->line, '\n');
		if (cut || newline)
			put_line(text, out);
	}
}

void cli_log_text_end(struct cli_log_text *text, struct stint_buf *out)
{
	if (text->line.length == 0)
		return;
	if (text->prefix) {
		stint_buf_putc(&text->line, '\n'); /* so that the next pod's line begins on its own */
		put_line(text, out);
	} else {
		put(text, text->line.data, text->line.length, out);
		stint_buf_reset(&text->line);
	}
}

void cli_log_text_free(struct cli_log_text *text)
{
	stint_buf_free(&text->line);
}
