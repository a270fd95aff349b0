/*
 * text: see text.h. Rows of a wrapped line are counted when they are needed: the cost of a frame is that of the window, however long a log is.
 */
#include "cli/tui/text.h"

#include <stdlib.h>
#include <string.h>

enum { ROLE_MARK = 1, TAB_WIDTH = 8, FIELD_WIDTH = 16, ROW_LIMIT = 500 };

/* ---- making text ------------------------------------------------------------------------------------------------------------------- */

void tui_text_clear(struct tui_text *text)
{
	for (size_t at = 0; at < text->count; at++)
		free(text->lines[at]);
	text->count = 0;
	stint_buf_reset(&text->line);
}

void tui_text_free(struct tui_text *text)
{
	tui_text_clear(text);
	free(text->lines);
	stint_buf_free(&text->line);
	*text = (struct tui_text){0};
}

void tui_line_add(struct stint_buf *line, enum tui_role role, const char *data, size_t length)
{
	stint_buf_putc(line, ROLE_MARK);
	stint_buf_putc(line, (char)(role + ' '));
	for (size_t at = 0; at < length; at++) {
		const unsigned char c = (unsigned char)data[at];
		if (c == '\t') {
			stint_buf_puts(line, "    ");
		} else if (c == 0xc2 && at + 1 < length && (unsigned char)data[at + 1] >= 0x80 && (unsigned char)data[at + 1] <= 0x9f) {
			stint_buf_putc(line, '?'); /* a control character of two bytes */
			at++;
		} else {
			stint_buf_putc(line, c < ' ' || c == 0x7f ? '?' : (char)c);
		}
	}
}

void tui_say(struct tui_text *text, enum tui_role role, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *said = stint_vformat(format, args);
	va_end(args);
	const char *at = said;
	for (const char *newline; (newline = strchr(at, '\n')); at = newline + 1) {
		tui_line_add(&text->line, role, at, (size_t)(newline - at));
		tui_say_line(text);
	}
	tui_line_add(&text->line, role, at, strlen(at));
}

void tui_say_line(struct tui_text *text)
{
	stint_grow(&text->lines, &text->capacity, text->count + 1, sizeof *text->lines);
	text->lines[text->count++] = stint_strdup(text->line.data ? text->line.data : "");
	stint_buf_reset(&text->line);
}

void tui_say_title(struct tui_text *text, const char *title)
{
	if (text->count)
		tui_say_line(text);
	tui_say(text, TUI_HEADER, "%s", title);
	tui_say_line(text);
}

void tui_say_field(struct tui_text *text, const char *key, enum tui_role role, const char *value)
{
	if (!value || !*value)
		return;
	tui_say(text, TUI_DIM, "%-*s", FIELD_WIDTH, key);
	tui_say(text, role, "%s", value);
	tui_say_line(text);
}

static const char *text_line(const void *source, uint64_t number)
{
	return ((const struct tui_text *)source)->lines[number];
}

struct tui_lines tui_text_lines(const struct tui_text *text)
{
	return (struct tui_lines){text_line, text, 0, text->count};
}

/* ---- rows of a line ---------------------------------------------------------------------------------------------------------------- */

static const char *take_role(const char *at, enum tui_role *role)
{
	while (*at == ROLE_MARK && at[1]) {
		*role = (enum tui_role)(at[1] - ' ') < TUI_ROLES ? (enum tui_role)(at[1] - ' ') : TUI_TEXT;
		at += 2;
	}
	return at;
}

/*
 * Where the row that begins at `at` ends: after the last blank that has room, or within a word that is longer than a row. NULL: the line
 * ends in this row. *role goes along.
 */
static const char *row_end(const struct tui_pager *pager, const char *at, enum tui_role *role)
{
	char glyph[TUI_GLYPH_SIZE];
	const char *blank = NULL;
	enum tui_role now = *role, blank_role = *role;
	int x = 0, columns;
	if (!pager->wrap || pager->width < 2)
		return NULL;
	for (;;) {
		at = take_role(at, &now);
		const size_t length = tui_next_glyph(pager->utf8, at, glyph, &columns);
		if (!length)
			return NULL;
		if (x + columns > pager->width && *at != ' ') {
			*role = blank ? blank_role : now;
			return blank ? blank : at;
		}
		x += columns;
		at += length;
		if (*glyph == ' ') {
			blank = at;
			blank_role = now;
		}
	}
}

/* How many rows a line takes. */
static int rows_of(const struct tui_pager *pager, const char *line)
{
	enum tui_role role = TUI_TEXT;
	int rows = 1;
	while (rows < ROW_LIMIT && (line = row_end(pager, line, &role)))
		rows++;
	return rows;
}

/* ---- moving ------------------------------------------------------------------------------------------------------------------------ */

static bool row_up(struct tui_pager *pager, const struct tui_lines *lines)
{
	if (pager->top_row > 0) {
		pager->top_row--;
		return true;
	}
	if (pager->top <= lines->first)
		return false;
	pager->top--;
	pager->top_row = rows_of(pager, lines->at(lines->source, pager->top)) - 1;
	return true;
}

static bool row_down(struct tui_pager *pager, const struct tui_lines *lines)
{
	if (pager->top >= lines->end)
		return false;
	if (pager->top_row + 1 < rows_of(pager, lines->at(lines->source, pager->top))) {
		pager->top_row++;
		return true;
	}
	if (pager->top + 1 >= lines->end)
		return false;
	pager->top++;
	pager->top_row = 0;
	return true;
}

static void to_end(struct tui_pager *pager, const struct tui_lines *lines)
{
	pager->top = lines->end;
	pager->top_row = 0;
	for (int row = 0; row < pager->height && row_up(pager, lines); row++)
		;
}

/* The window ends with the last line, unless the text is shorter; and begins with one that there still is. */
static void settle(struct tui_pager *pager, const struct tui_lines *lines)
{
	if (pager->top < lines->first) {
		pager->top = lines->first;
		pager->top_row = 0;
	}
	if (pager->follow || pager->top >= lines->end) {
		to_end(pager, lines);
		return;
	}
	int rows = -pager->top_row;
	for (uint64_t number = pager->top; number < lines->end && rows < pager->height; number++)
		rows += rows_of(pager, lines->at(lines->source, number));
	if (rows < pager->height)
		to_end(pager, lines);
}

void tui_pager_move(struct tui_pager *pager, const struct tui_lines *lines, int64_t by)
{
	if (by == INT64_MIN) {
		pager->top = lines->first;
		pager->top_row = 0;
		pager->follow = false;
		return;
	}
	if (by == INT64_MAX) {
		to_end(pager, lines);
		return;
	}
	if (by < 0)
		pager->follow = false;
	for (; by < 0 && row_up(pager, lines); by++)
		;
	for (; by > 0 && row_down(pager, lines); by--)
		;
	settle(pager, lines);
}

/* ---- searching --------------------------------------------------------------------------------------------------------------------- */

/* The text of a line without its roles. */
static void plain(const char *line, struct stint_buf *out)
{
	enum tui_role role;
	stint_buf_reset(out);
	for (line = take_role(line, &role); *line; line = take_role(line + 1, &role))
		stint_buf_putc(out, *line);
}

bool tui_pager_search(struct tui_pager *pager, const struct tui_lines *lines, const char *search, bool backwards)
{
	stint_auto_buf text = {0};
	const uint64_t count = lines->end - lines->first;
	if (count == 0 || !*search)
		return false;
	const bool again = pager->match != UINT64_MAX && pager->match >= lines->first && pager->match < lines->end;
	uint64_t at = (again ? pager->match : pager->top < lines->end ? pager->top : lines->first) - lines->first;
	if (!again)
		at = (at + count + (backwards ? 1 : (uint64_t)-1)) % count;
	for (uint64_t tried = 0; tried < count; tried++) {
		at = (at + (backwards ? count - 1 : 1)) % count;
		plain(lines->at(lines->source, lines->first + at), &text);
		if (!text.data || !strcasestr(text.data, search))
			continue;
		pager->match = lines->first + at;
		pager->follow = false;
		if (pager->match < pager->top || pager->match >= pager->top + (uint64_t)(pager->height > 2 ? pager->height : 1)) {
			pager->top = pager->match;
			pager->top_row = 0;
		}
		return true;
	}
	return false;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------------------------- */

/* Whether the search stands at this place of a line; roles may change within it. */
static bool found_at(const char *at, const char *search)
{
	enum tui_role role;
	for (; *search; search++) {
		at = take_role(at, &role);
		const char a = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at,
			   b = *search >= 'A' && *search <= 'Z' ? (char)(*search + 32) : *search;
		if (!*at || a != b)
			return false;
		at++;
	}
	return true;
}

/* Draws one row: from `at` to `end` (NULL: of the line). *matched: bytes that are still within what the search has found. */
static void draw_row(
	const struct tui_pager *pager, const char *at, const char *end, enum tui_role role, size_t *matched, struct tui_area area, int y)
{
	char glyph[TUI_GLYPH_SIZE];
	const int left = pager->wrap ? 0 : pager->shift;
	int x = 0, columns;
	for (;;) {
		at = take_role(at, &role);
		const size_t length = end && at >= end ? 0 : tui_next_glyph(area.cells->utf8, at, glyph, &columns);
		if (!length || x - left >= area.width)
			return;
		if (pager->search && *matched == 0 && found_at(at, pager->search))
			*matched = strlen(pager->search);
		if (x >= left) {
			tui_put(area, y, x - left, *matched ? TUI_MATCH : role, glyph);
			if (*matched)
				tui_back(area, y, x - left, columns, TUI_MATCH);
		}
		*matched = *matched > length ? *matched - length : 0;
		x += columns;
		at += length;
	}
}

/* Draws the rows of a line from `skip` on, at y; gives how many it drew. */
static int draw_line(const struct tui_pager *pager, const char *line, int skip, struct tui_area area, int y)
{
	enum tui_role role = TUI_TEXT;
	size_t matched = 0;
	int row = 0, drawn = 0;
	for (const char *end; line && row < ROW_LIMIT; line = end, row++) {
		const enum tui_role began = role;
		end = row_end(pager, line, &role);
		if (row < skip)
			continue;
		if (y + drawn < area.height)
			draw_row(pager, line, end, began, &matched, area, y + drawn);
		drawn++;
	}
	return drawn;
}

void tui_pager_draw(struct tui_pager *pager, const struct tui_lines *lines, struct tui_area area)
{
	pager->height = area.height;
	pager->width = area.width;
	pager->utf8 = area.cells->utf8;
	settle(pager, lines);
	int y = 0, skip = pager->top_row;
	for (uint64_t number = pager->top; number < lines->end && y < area.height; number++) {
		y += draw_line(pager, lines->at(lines->source, number), skip, area, y);
		skip = 0;
	}
}

void tui_pager_free(struct tui_pager *pager)
{
	free(pager->search);
	*pager = (struct tui_pager){.match = UINT64_MAX};
}
