/* The grid: nothing drawn in an area leaves it, foreign text comes out printable, wide glyphs stay whole; and the grid as text. */
#include <locale.h>

#include "cli/tui/theme.h"
#include "tests/unit/test.h"

static char *printed(const struct tui_cells *cells, enum tui_depth depth)
{
	struct stint_buf text = {0};
	tui_print(cells, TUI_DARK, depth, &text);
	return stint_buf_steal(&text);
}

static void assert_shows(const struct tui_cells *cells, const char *wanted)
{
	stint_autofree char *text = printed(cells, TUI_MONO);
	assert_string_equal(text, wanted);
}

static void test_nothing_leaves_its_area(void **state)
{
	(void)state;
	struct tui_cells cells = {0};
	tui_cells_reset(&cells, 10, 4, true);
	struct tui_area part = tui_area_part(tui_area_of(&cells), 1, 2, 2, 5);
	for (int y = -3; y < 6; y++) {
		for (int x = -6; x < 12; x++)
			tui_put(part, y, x, TUI_TEXT, "abcdefghijkl");
	}
	assert_shows(&cells, "\n  aaaaa\n  aaaaa\n\n");
	tui_cells_reset(&cells, 10, 4, true);
	part = tui_area_part(tui_area_of(&cells), -2, 7, 100, 100);
	assert_int_equal(part.height, 4);
	assert_int_equal(part.width, 3);
	tui_back(part, 0, -5, 50, TUI_SELECTED);
	assert_int_equal(cells.items[6].back, TUI_TEXT);
	assert_int_equal(cells.items[7].back, TUI_SELECTED);
	assert_int_equal(cells.items[10].back, TUI_TEXT);
	tui_cells_free(&cells);
}

static void test_foreign_text_comes_out_printable(void **state)
{
	(void)state;
	static const struct {
		const char *in, *utf8, *ascii;
	} cases[] = {
		{"plain", "plain\n", "plain\n"},
		{"\x1b[2Jx", "?[2Jx\n", "?[2Jx\n"},
		{"a\tb\nc\x7f", "a?b?c?\n", "a?b?c?\n"},
		{"z\xc3\xbcrich", "z\xc3\xbcrich\n", "z?rich\n"},
		{"\xff\xfe", "??\n", "??\n"},
		{"\xc0\xaf", "??\n", "??\n"}, /* overlong */
		{"\xed\xa0\x80", "???\n", "???\n"}, /* a surrogate */
		{"cut \xe2\x82", "cut ??\n", "cut ??\n"},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		for (int utf8 = 0; utf8 < 2; utf8++) {
			struct tui_cells cells = {0};
			tui_cells_reset(&cells, 20, 1, utf8);
			tui_put(tui_area_of(&cells), 0, 0, TUI_TEXT, cases[at].in);
			assert_shows(&cells, utf8 ? cases[at].utf8 : cases[at].ascii);
			tui_cells_free(&cells);
		}
	}
}

static void test_a_wide_glyph_is_whole_or_not_there(void **state)
{
	(void)state;
	struct tui_cells cells = {0};
	tui_cells_reset(&cells, 4, 1, true);
	struct tui_area area = tui_area_of(&cells);
	tui_put(area, 0, 0, TUI_TEXT, "\xe6\x9d\xb1\xe4\xba\xac"); /* two of two columns */
	assert_shows(&cells, "\xe6\x9d\xb1\xe4\xba\xac\n");
	tui_put(area, 0, 1, TUI_TEXT, "x"); /* over the right half of the first */
	assert_shows(&cells, " x\xe4\xba\xac\n");
	tui_put(area, 0, 3, TUI_TEXT, "\xe6\x9d\xb1"); /* no room for its right half */
	assert_shows(&cells, " x\xe4\xba\xac\n");
	assert_int_equal(tui_width(&cells,
				 "a\xe6\x9d\xb1"
				 "b\xcc\x81"),
		4);
	tui_cells_free(&cells);
}

static void test_text_that_is_too_long_ends_in_an_ellipsis(void **state)
{
	(void)state;
	struct tui_cells cells = {0};
	tui_cells_reset(&cells, 20, 3, true);
	struct tui_area area = tui_area_of(&cells);
	tui_put_fit(area, 0, 0, 6, false, TUI_TEXT, "abcdefgh");
	tui_put_fit(area, 1, 0, 6, true, TUI_TEXT, "abc");
	tui_put_fit(area, 2, 17, 6, false, TUI_TEXT, "abcdefgh");
	assert_shows(&cells, "abcde\xe2\x80\xa6\n   abc\n                 ab\xe2\x80\xa6\n");
	tui_cells_free(&cells);
}

static void test_colours_are_written_once_and_taken_back(void **state)
{
	(void)state;
	struct tui_cells cells = {0};
	tui_cells_reset(&cells, 6, 1, true);
	tui_put(tui_area_of(&cells), 0, 1, TUI_GOOD, "ok");
	stint_autofree char *coloured = printed(&cells, TUI_256), *plain = printed(&cells, TUI_MONO);
	assert_string_equal(coloured, " \x1b[0;38;5;114mok\x1b[0m\n");
	assert_string_equal(plain, " ok\n");
	tui_cells_free(&cells);
}

static void test_every_role_can_be_told_from_text_without_colours_where_it_matters(void **state)
{
	(void)state;
	static const enum tui_role matters[] = {TUI_WARN, TUI_BAD, TUI_HEADER, TUI_MATCH, TUI_MARKED, TUI_TITLE};
	for (size_t at = 0; at < STINT_COUNT(matters); at++)
		assert_int_not_equal(tui_look_of(TUI_DARK, TUI_MONO, matters[at], TUI_TEXT).attributes, 0);
	assert_int_not_equal(tui_look_of(TUI_DARK, TUI_MONO, TUI_TEXT, TUI_SELECTED).attributes, 0);
	assert_int_not_equal(tui_look_of(TUI_DARK, TUI_MONO, TUI_TEXT, TUI_ALARM).attributes, 0);
	for (int role = 0; role < TUI_ROLES; role++) {
		for (int back = 0; back < TUI_ROLES; back++) {
			const struct tui_look look = tui_look_of(TUI_LIGHT, TUI_MONO, (enum tui_role)role, (enum tui_role)back);
			assert_true(look.front == -1 && look.back == -1);
			assert_in_range(tui_look_of(TUI_LIGHT, TUI_16, (enum tui_role)role, (enum tui_role)back).front + 1, 0, 16);
		}
	}
}

static void test_a_project_has_the_same_colour_everywhere(void **state)
{
	(void)state;
	assert_int_equal(tui_project_role("vision"), tui_project_role("vision"));
	assert_in_range(tui_project_role("vision"), TUI_PROJECT, TUI_PROJECT + TUI_PROJECTS - 1);
	assert_in_range(tui_project_role(NULL), TUI_PROJECT, TUI_PROJECT + TUI_PROJECTS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_leaves_its_area),
		cmocka_unit_test(test_foreign_text_comes_out_printable),
		cmocka_unit_test(test_a_wide_glyph_is_whole_or_not_there),
		cmocka_unit_test(test_text_that_is_too_long_ends_in_an_ellipsis),
		cmocka_unit_test(test_colours_are_written_once_and_taken_back),
		cmocka_unit_test(test_every_role_can_be_told_from_text_without_colours_where_it_matters),
		cmocka_unit_test(test_a_project_has_the_same_colour_everywhere),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
