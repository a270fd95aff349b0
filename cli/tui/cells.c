/*
 * cells: see cells.h. Owns nothing but the grid that the caller gives it.
 */
#include "cli/tui/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const char *const glyphs[TUI_GLYPHS][2] = {
	[TUI_ELLIPSIS] = {"~", "…"},
	[TUI_LINE] = {"-", "─"},
	[TUI_BRANCH] = {"|-", "├─"},
	[TUI_LAST] = {"`-", "└─"},
	[TUI_UP] = {"^", "▲"},
	[TUI_DOWN] = {"v", "▼"},
	[TUI_CHECK] = {"*", "✓"},
	[TUI_ROOM] = {".", "·"},
	[TUI_FULL] = {"#", "█"},
	[TUI_POINT] = {"|", "┃"},
	[TUI_BAR] = {".", "·"},
	[TUI_BAR + 1] = {"_", "▁"},
	[TUI_BAR + 2] = {"_", "▂"},
	[TUI_BAR + 3] = {"-", "▃"},
	[TUI_BAR + 4] = {"-", "▄"},
	[TUI_BAR + 5] = {"=", "▅"},
	[TUI_BAR + 6] = {"=", "▆"},
	[TUI_BAR + 7] = {"#", "▇"},
	[TUI_BAR + 8] = {"#", "█"},
};

const char *tui_glyph(const struct tui_cells *cells, enum tui_glyph glyph)
{
	return glyphs[glyph][cells->utf8];
}

const char *tui_height_glyph(const struct tui_cells *cells, double part)
{
	int eighths = part <= 0 ? 0 : part >= 1 ? 8 : (int)(part * 8 + 0.5);
	if (part > 0 && eighths == 0)
		eighths = 1;
	return tui_glyph(cells, (enum tui_glyph)(TUI_BAR + eighths));
}

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------------------------- */

/* The code point at the front and its bytes; 0: no UTF-8. Overlong forms and surrogates are none. */
static size_t decode(const char *text, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char first = (unsigned char)*text;
	const size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
	if (length == 0)
		return 0;
	*point = length == 1 ? first : first & (0x7fu >> length);
	for (size_t at = 1; at < length; at++) {
		if (((unsigned char)text[at] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | ((unsigned char)text[at] & 0x3f);
	}
	return *point < least[length] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000) ? 0 : length;
}

static size_t as_question(size_t length, char *out, int *columns)
{
	memcpy(out, "?", 2);
	*columns = 1;
	return length;
}

size_t tui_next_glyph(bool utf8, const char *text, char *out, int *columns)
{
	uint32_t point = 0;
	if (!*text)
		return 0;
	if (*text >= ' ' && *text < 0x7f) {
		out[0] = *text;
		out[1] = '\0';
		*columns = 1;
		return 1;
	}
	const size_t length = decode(text, &point);
	if (length < 2 || !utf8)
		return as_question(length ? length : 1, out, columns);
	const int width = wcwidth((wchar_t)point);
	if (width < 0 || point == 0xfeff)
		return as_question(length, out, columns);
	memcpy(out, text, length);
	out[length] = '\0';
	*columns = width;
	return length;
}

int tui_width(const struct tui_cells *cells, const char *text)
{
	char glyph[TUI_GLYPH_SIZE];
	int width = 0, columns;
	for (size_t length; (length = tui_next_glyph(cells->utf8, text, glyph, &columns)); text += length)
		width += columns;
	return width;
}

/* ---- the grid ---------------------------------------------------------------------------------------------------------------------- */

void tui_cells_reset(struct tui_cells *cells, int width, int height, bool utf8)
{
	const size_t count = (size_t)width * (size_t)height;
	stint_grow(&cells->items, &cells->capacity, count, sizeof *cells->items);
	cells->width = width;
	cells->height = height;
	cells->utf8 = utf8;
	for (size_t at = 0; at < count; at++)
		cells->items[at] = (struct tui_cell){.glyph = " "};
}

void tui_cells_free(struct tui_cells *cells)
{
	free(cells->items);
	*cells = (struct tui_cells){0};
}

struct tui_area tui_area_of(struct tui_cells *cells)
{
	return (struct tui_area){cells, 0, 0, cells->width, cells->height};
}

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

struct tui_area tui_area_part(struct tui_area area, int y, int x, int height, int width)
{
	const int left = clamp(x, 0, area.width), top = clamp(y, 0, area.height);
	return (struct tui_area){area.cells, area.x + left, area.y + top, clamp(width - (left - x), 0, area.width - left),
		clamp(height - (top - y), 0, area.height - top)};
}

/* NULL: outside of the area. */
static struct tui_cell *cell_at(struct tui_area area, int y, int x)
{
	if (y < 0 || x < 0 || y >= area.height || x >= area.width)
		return NULL;
	return &area.cells->items[(size_t)(area.y + y) * (size_t)area.cells->width + (size_t)(area.x + x)];
}

/* Whatever stood there as half of a wide glyph leaves its other half blank. */
static void set_cell(struct tui_area area, int y, int x, enum tui_role role, const char *glyph)
{
	struct tui_cell *cell = cell_at(area, y, x);
	struct tui_cell *left = cell_at(area, y, x - 1), *right = cell_at(area, y, x + 1);
	if (!*cell->glyph && left)
		memcpy(left->glyph, " ", 2);
	if (right && !*right->glyph)
		memcpy(right->glyph, " ", 2);
	snprintf(cell->glyph, sizeof cell->glyph, "%s", glyph);
	cell->role = (uint8_t)role;
}

static void put_wide(struct tui_area area, int y, int x, enum tui_role role, const char *glyph)
{
	if (!cell_at(area, y, x) || !cell_at(area, y, x + 1))
		return;
	set_cell(area, y, x + 1, role, " ");
	set_cell(area, y, x, role, glyph);
	*cell_at(area, y, x + 1)->glyph = '\0';
}

/* At most `most` columns of text; gives those it took. */
static int put_some(struct tui_area area, int y, int x, int most, enum tui_role role, const char *text)
{
	char glyph[TUI_GLYPH_SIZE];
	int taken = 0, columns;
	for (size_t length; (length = tui_next_glyph(area.cells->utf8, text, glyph, &columns)) && taken + columns <= most; text += length) {
		struct tui_cell *before = columns == 0 && taken > 0 ? cell_at(area, y, x + taken - 1) : NULL;
		if (before && strlen(before->glyph) + length < TUI_GLYPH_SIZE)
			memcpy(before->glyph + strlen(before->glyph), glyph, length + 1);
		else if (columns == 2)
			put_wide(area, y, x + taken, role, glyph);
		else if (columns == 1 && cell_at(area, y, x + taken))
			set_cell(area, y, x + taken, role, glyph);
		taken += columns;
	}
	return taken;
}

int tui_put(struct tui_area area, int y, int x, enum tui_role role, const char *text)
{
	return x < area.width ? put_some(area, y, x, area.width - x, role, text) : 0;
}

int tui_putf(struct tui_area area, int y, int x, enum tui_role role, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *text = stint_vformat(format, args);
	va_end(args);
	return tui_put(area, y, x, role, text);
}

void tui_put_fit(struct tui_area area, int y, int x, int width, bool right, enum tui_role role, const char *text)
{
	width = width < area.width - x ? width : area.width - x;
	if (width <= 0)
		return;
	const int needed = tui_width(area.cells, text);
	if (needed <= width) {
		put_some(area, y, right ? x + width - needed : x, needed, role, text);
		return;
	}
	const int taken = put_some(area, y, x, width - 1, role, text);
	tui_put(area, y, x + taken, role == TUI_TEXT ? TUI_DIM : role, tui_glyph(area.cells, TUI_ELLIPSIS));
}

void tui_put_glyph(struct tui_area area, int y, int x, enum tui_role role, enum tui_role back, const char *glyph)
{
	struct tui_cell *cell = cell_at(area, y, x);
	if (!cell)
		return;
	set_cell(area, y, x, role, glyph);
	cell->back = (uint8_t)back;
}

void tui_back(struct tui_area area, int y, int x, int width, enum tui_role back)
{
	for (int at = x; at < x + width; at++) {
		struct tui_cell *cell = cell_at(area, y, at);
		if (cell)
			cell->back = (uint8_t)back;
	}
}

void tui_rule(struct tui_area area, int y, const char *title)
{
	const char *line = tui_glyph(area.cells, TUI_LINE);
	for (int x = 0; x < area.width; x++)
		tui_put(area, y, x, TUI_FRAME, line);
	if (title && *title && area.width > 6) {
		tui_put(area, y, 1, TUI_FRAME, " ");
		tui_put_fit(area, y, 2, area.width - 4, false, TUI_HEADER, title);
		const int width = tui_width(area.cells, title);
		tui_put(area, y, 2 + (width < area.width - 4 ? width : area.width - 4), TUI_FRAME, " ");
	}
}
