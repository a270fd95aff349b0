/* Texts, their window, and logs: wrapping, searching, following, bounded memory. */
#include <locale.h>

#include "cli/tui/history.h"
#include "cli/tui/keys.h"
#include "cli/tui/log.h"
#include "cli/tui/theme.h"
#include "tests/unit/test.h"

struct window {
	struct tui_cells cells;
	struct tui_pager pager;
};

static char *drawn(struct window *window, const struct tui_lines *lines, int width, int height)
{
	struct stint_buf text = {0};
	tui_cells_reset(&window->cells, width, height, true);
	tui_pager_draw(&window->pager, lines, tui_area_of(&window->cells));
	tui_print(&window->cells, TUI_DARK, TUI_MONO, &text);
	return stint_buf_steal(&text);
}

static void assert_drawn(struct window *window, const struct tui_lines *lines, int width, int height, const char *wanted)
{
	stint_autofree char *text = drawn(window, lines, width, height);
	assert_string_equal(text, wanted);
}

static void open_window(struct window *window, bool wrap)
{
	*window = (struct window){.pager = {.match = UINT64_MAX, .wrap = wrap}};
}

static void close_window(struct window *window)
{
	tui_cells_free(&window->cells);
	tui_pager_free(&window->pager);
}

static void test_long_lines_are_cut_or_wrapped_at_blanks(void **state)
{
	(void)state;
	struct tui_text text = {0};
	struct window window;
	tui_say(&text, TUI_TEXT, "the quick brown fox");
	tui_say_line(&text);
	tui_say(&text, TUI_TEXT, "incomprehensibilities");
	tui_say_line(&text);
	const struct tui_lines lines = tui_text_lines(&text);
	open_window(&window, true);
	assert_drawn(&window, &lines, 10, 6, "the quick\nbrown fox\nincomprehe\nnsibilitie\ns\n\n");
	close_window(&window);
	open_window(&window, false);
	assert_drawn(&window, &lines, 10, 3, "the quick\nincomprehe\n\n");
	window.pager.shift = 4;
	assert_drawn(&window, &lines, 10, 3, "quick brow\nmprehensib\n\n");
	close_window(&window);
	tui_text_free(&text);
}

static void test_foreign_bytes_cannot_set_roles(void **state)
{
	(void)state;
	struct tui_text text = {0};
	struct window window;
	tui_say(&text, TUI_TEXT,
		"a\x01"
		"Bc\x1b[31m");
	tui_say_line(&text);
	const struct tui_lines lines = tui_text_lines(&text);
	open_window(&window, false);
	assert_drawn(&window, &lines, 20, 1, "a?Bc?[31m\n");
	close_window(&window);
	tui_text_free(&text);
}

static void say_numbers(struct tui_text *text, int count)
{
	for (int at = 0; at < count; at++) {
		tui_say(text, TUI_TEXT, "line %d", at);
		tui_say_line(text);
	}
}

/* Whatever the locale's tables say of their width. */
static void test_no_control_character_of_one_or_two_bytes_is_kept(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *kept;
	} cases[] = {
		{"\x1b]0;x\a", "?]0;x?"},
		{"a\xc2\x9b"
		 "31mRED",
			"a?31mRED"},
		{"\xc2\x80\xc2\x9f", "??"},
		{"\xc2\xa0\xc3\x9b", "\xc2\xa0\xc3\x9b"}, /* a blank and a letter */
		{"\xc2", "\xc2"},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		stint_auto_buf line = {0};
		tui_line_add(&line, TUI_TEXT, cases[at].bytes, strlen(cases[at].bytes));
		assert_string_equal(line.data + 2, cases[at].kept); /* after its role */
	}
	struct tui_log log = {0};
	struct window window;
	tui_log_add(&log, NULL, TUI_TEXT,
		"a\x9b"
		"1m\xc2",
		5);
	const struct tui_lines lines = tui_log_lines(&log);
	open_window(&window, false);
	assert_drawn(&window, &lines, 10, 1, "a?1m?\n"); /* and what is no UTF-8 is never drawn */
	close_window(&window);
	tui_log_free(&log);
}

static void test_moving_stops_at_both_ends(void **state)
{
	(void)state;
	struct tui_text text = {0};
	struct window window;
	say_numbers(&text, 10);
	const struct tui_lines lines = tui_text_lines(&text);
	open_window(&window, false);
	assert_drawn(&window, &lines, 8, 3, "line 0\nline 1\nline 2\n");
	tui_pager_move(&window.pager, &lines, -5);
	assert_drawn(&window, &lines, 8, 3, "line 0\nline 1\nline 2\n");
	tui_pager_move(&window.pager, &lines, 4);
	assert_drawn(&window, &lines, 8, 3, "line 4\nline 5\nline 6\n");
	tui_pager_move(&window.pager, &lines, 100);
	assert_drawn(&window, &lines, 8, 3, "line 7\nline 8\nline 9\n");
	tui_pager_move(&window.pager, &lines, INT64_MIN);
	assert_drawn(&window, &lines, 8, 3, "line 0\nline 1\nline 2\n");
	tui_pager_move(&window.pager, &lines, INT64_MAX);
	assert_drawn(&window, &lines, 8, 3, "line 7\nline 8\nline 9\n");
	close_window(&window);
	tui_text_free(&text);
}

static void test_a_search_goes_on_from_match_to_match_and_round(void **state)
{
	(void)state;
	struct tui_text text = {0};
	struct window window;
	say_numbers(&text, 30);
	tui_say(&text, TUI_BAD, "an Er");
	tui_say(&text, TUI_GOOD, "ror");
	tui_say_line(&text);
	const struct tui_lines lines = tui_text_lines(&text);
	open_window(&window, false);
	stint_autofree char *first = drawn(&window, &lines, 20, 5);
	window.pager.search = stint_strdup("line 2");
	assert_true(tui_pager_search(&window.pager, &lines, "line 2", false));
	assert_int_equal(window.pager.match, 2);
	assert_true(tui_pager_search(&window.pager, &lines, "line 2", false));
	assert_int_equal(window.pager.match, 20);
	assert_true(tui_pager_search(&window.pager, &lines, "line 2", true));
	assert_int_equal(window.pager.match, 2);
	assert_true(tui_pager_search(&window.pager, &lines, "line 2", true));
	assert_int_equal(window.pager.match, 29);
	assert_true(tui_pager_search(&window.pager, &lines, "error", false)); /* over two roles, without regard to case */
	assert_int_equal(window.pager.match, 30);
	assert_false(tui_pager_search(&window.pager, &lines, "nowhere", false));
	close_window(&window);
	tui_text_free(&text);
}

static void test_a_log_is_bounded_in_lines_and_bytes_and_keeps_its_numbers(void **state)
{
	(void)state;
	struct tui_log log = {0};
	for (int at = 0; at < TUI_LOG_LINES + 50; at++)
		tui_log_add(&log, NULL, TUI_TEXT, "x", 1);
	assert_int_equal(log.end - log.first, TUI_LOG_LINES);
	assert_int_equal(log.first, 50);
	stint_autofree char *large = stint_alloc(TUI_LOG_LINE_BYTES * 2);
	memset(large, 'y', TUI_LOG_LINE_BYTES * 2 - 1);
	for (int at = 0; at < 2000; at++)
		tui_log_add(&log, "pod", TUI_TEXT, large, strlen(large));
	assert_true(log.bytes <= TUI_LOG_BYTES);
	assert_true(log.end - log.first < 2000);
	const struct tui_lines lines = tui_log_lines(&log);
	assert_true(strlen(lines.at(lines.source, lines.first)) < TUI_LOG_LINE_BYTES + 64);
	tui_log_free(&log);
}

static void test_log_bytes_become_lines_wherever_they_are_cut(void **state)
{
	(void)state;
	static const char bytes[] = "one\ntwo\r\n\x1b[31mred\x1b[0m words\n 10%\r 50%\r100%\nlast";
	for (size_t step = 1; step < sizeof bytes; step++) {
		struct tui_log log = {0};
		struct tui_log_source source = {0};
		struct window window;
		for (size_t at = 0; at < sizeof bytes - 1; at += step)
			tui_log_feed(&log, &source, bytes + at, sizeof bytes - 1 - at < step ? sizeof bytes - 1 - at : step);
		tui_log_finish(&log, &source);
		const struct tui_lines lines = tui_log_lines(&log);
		open_window(&window, false);
		assert_drawn(&window, &lines, 12, 5, "one\ntwo\nred words\n100%\nlast\n");
		close_window(&window);
		tui_log_free(&log);
	}
}

static void test_who_follows_sees_the_end_and_who_does_not_stays(void **state)
{
	(void)state;
	struct tui_log log = {0};
	struct window window;
	open_window(&window, false);
	window.pager.follow = true;
	for (int at = 0; at < 10; at++) {
		stint_autofree char *line = stint_format("line %d", at);
		tui_log_add(&log, NULL, TUI_TEXT, line, strlen(line));
	}
	struct tui_lines lines = tui_log_lines(&log);
	assert_drawn(&window, &lines, 10, 2, "line 8\nline 9\n");
	tui_log_add(&log, NULL, TUI_TEXT, "more", 4);
	lines = tui_log_lines(&log);
	assert_drawn(&window, &lines, 10, 2, "line 9\nmore\n");
	tui_pager_move(&window.pager, &lines, -3); /* looking back ends the following */
	assert_drawn(&window, &lines, 10, 2, "line 6\nline 7\n");
	tui_log_add(&log, NULL, TUI_TEXT, "and more", 8);
	lines = tui_log_lines(&log);
	assert_drawn(&window, &lines, 10, 2, "line 6\nline 7\n");
	close_window(&window);
	tui_log_free(&log);
}

static void test_history_keeps_its_size_and_what_is_unknown(void **state)
{
	(void)state;
	struct tui_history history = {0};
	struct tui_world world = {.pods_known = true, .totals = {.gpus = 10, .gpus_allocated = 5, .gpus_used = -1, .waiting = 3}};
	struct tui_cells cells = {0};
	int64_t now_ms = 1000;
	for (int at = 0; at < 5000; at++, now_ms += 2000)
		tui_history_sample(&history, &world, now_ms);
	assert_in_range(history.count, TUI_SAMPLES / 2, TUI_SAMPLES);
	assert_true(history.interval_ms > 2000);
	assert_true(history.samples[TUI_USED][0] < 0 && history.samples[TUI_USED][history.count - 1] < 0);
	assert_true(history.samples[TUI_ALLOCATED][0] > 0.49 && history.samples[TUI_ALLOCATED][0] < 0.51);
	tui_cells_reset(&cells, 20, 2, false);
	tui_history_draw(&history, TUI_USED, 1, TUI_GOOD, tui_area_of(&cells), 0, 0, 20);
	assert_string_equal(cells.items[19].glyph, "?");
	tui_cells_free(&cells);
}

static void test_every_key_of_the_table_is_a_key_and_stands_for_one_thing_in_a_place(void **state)
{
	(void)state;
	struct tui_keys keys;
	tui_keys_default(&keys);
	for (int request = 0; request < TUI_REQUEST_COUNT; request++) {
		assert_true(keys.keys[request][0] != 0);
		for (int at = 0; keys.keys[request][at]; at++) {
			char name[16];
			const uint32_t key = keys.keys[request][at];
			assert_int_equal(tui_key_parse(tui_key_name(key, name)), key);
			for (unsigned place = 1; place <= TUI_ON_WORKLOAD; place *= 2) {
				if (tui_key_rows[request].where & place && key != ' ')
					assert_int_equal(tui_keys_find(&keys, key, place), request);
			}
		}
	}
	assert_int_equal(tui_keys_find(&keys, ' ', TUI_IN_LIST), TUI_DO_MARK);
	assert_int_equal(tui_keys_find(&keys, ' ', TUI_IN_TEXT), TUI_DO_PAGE_DOWN);
	assert_int_equal(tui_keys_find(&keys, 'd', TUI_IN_LIST), TUI_NOTHING);
}

static void test_keys_can_be_changed_all_or_none(void **state)
{
	(void)state;
	struct tui_keys keys;
	tui_keys_default(&keys);
	assert_works(tui_keys_change(&keys, "delete=x X, logs=^O", &err));
	assert_int_equal(tui_keys_find(&keys, 'x', TUI_ON_WORKLOAD), TUI_DO_DELETE);
	assert_int_equal(tui_keys_find(&keys, 'X', TUI_ON_WORKLOAD), TUI_DO_DELETE);
	assert_int_equal(tui_keys_find(&keys, 'd', TUI_ON_WORKLOAD), TUI_NOTHING);
	assert_int_equal(tui_keys_find(&keys, 'O' - '@', TUI_ON_WORKLOAD), TUI_DO_LOGS);
	assert_fails(tui_keys_change(&keys, "why=z,delete=Banana", &err), STINT_USAGE, "Banana");
	assert_int_equal(tui_keys_find(&keys, 'y', TUI_ON_WORKLOAD), TUI_DO_WHY);
	assert_fails(tui_keys_change(&keys, "fly=z", &err), STINT_USAGE, "fly");
	assert_fails(tui_keys_change(&keys, "why", &err), STINT_USAGE, "name=key");
	assert_fails(tui_keys_change(&keys, "why=a b c d e f g", &err), STINT_USAGE, "more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_lines_are_cut_or_wrapped_at_blanks),
		cmocka_unit_test(test_foreign_bytes_cannot_set_roles),
		cmocka_unit_test(test_no_control_character_of_one_or_two_bytes_is_kept),
		cmocka_unit_test(test_moving_stops_at_both_ends),
		cmocka_unit_test(test_a_search_goes_on_from_match_to_match_and_round),
		cmocka_unit_test(test_a_log_is_bounded_in_lines_and_bytes_and_keeps_its_numbers),
		cmocka_unit_test(test_log_bytes_become_lines_wherever_they_are_cut),
		cmocka_unit_test(test_who_follows_sees_the_end_and_who_does_not_stays),
		cmocka_unit_test(test_history_keeps_its_size_and_what_is_unknown),
		cmocka_unit_test(test_every_key_of_the_table_is_a_key_and_stands_for_one_thing_in_a_place),
		cmocka_unit_test(test_keys_can_be_changed_all_or_none),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
