/* What of a log's bytes reaches a terminal, and how lines of several pods are kept apart. */
#include "cli/log_text.h"
#include "tests/unit/test.h"

/* Feeds the text in pieces of `step` bytes; freed by the caller. */
static char *run(const char *prefix, bool terminal, const char *data, size_t step)
{
	struct cli_log_text text = {.prefix = prefix, .terminal = terminal};
	struct stint_buf out = {0};
	const size_t length = strlen(data);
	for (size_t at = 0; at < length; at += step)
		cli_log_text_add(&text, data + at, length - at < step ? length - at : step, &out);
	cli_log_text_end(&text, &out);
	cli_log_text_free(&text);
	return stint_buf_steal(&out);
}

static void check(const char *prefix, bool terminal, const char *data, const char *wanted)
{
	for (size_t step = 1; step <= strlen(data); step++) {
		stint_autofree char *out = run(prefix, terminal, data, step);
		assert_string_equal(out, wanted);
	}
}

static void test_without_a_terminal_bytes_pass_as_they_are(void **state)
{
	(void)state;
	check(NULL, false, "a\x1b]0;title\x07\x01\xff no end", "a\x1b]0;title\x07\x01\xff no end");
}

static void test_a_terminal_gets_colours_and_progress_bars(void **state)
{
	(void)state;
	check(NULL, true, "\x1b[1;31mred\x1b[0m\r 50%\x1b[K\b\ttab \xc3\xbc\n\x1b[2A",
		"\x1b[1;31mred\x1b[0m\r 50%\x1b[K\b\ttab \xc3\xbc\n\x1b[2A");
}

static void test_a_terminal_gets_nothing_else(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"\x1b]0;title\x07", "?]0;title?"}, /* sets the title */
		{"\x1b[6n", "?[6n"}, /* asks where the cursor is, and the answer is typed for us */
		{"\x1b[2J\x1b[H", "?[2J?[H"},
		{"\x1bP+q\x1b\\", "?P+q?\\"},
		{"\x1b[?1049h", "?[?1049h"},
		{"a\x01\x7fz", "a??z"},
		{"cut \x1b[3", "cut ?[3"},
		{"\x1b\x1b[31m", "?\x1b[31m"},
		{"\302\23331m", "??31m"}, /* U+009B is ESC [ in one character */
		{"\302\2350;title\302\234", "??0;title??"},
		{"\2336n \340\202\2336n", "?6n ???6n"}, /* not in UTF-8, and in a longer spelling */
		{"\360\200\202\2336n", "????6n"},
		{"\302\240\342\200\233\360\237\232\200 \342\202", "\302\240\342\200\233\360\237\232\200 ??"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++)
		check(NULL, true, cases[i].in, cases[i].out);
}

static void test_every_line_of_several_pods_is_whole_and_named(void **state)
{
	(void)state;
	check("[p] ", false, "one\n\ntwo\nend", "[p] one\n[p] \n[p] two\n[p] end\n");
	check("[p] ", true, "a\x1b[31mb\x1b[6n\n", "[p] a\x1b[31mb?[6n\n");
}

static void test_a_line_without_end_is_let_go_in_pieces(void **state)
{
	(void)state;
	struct stint_buf long_line = {0};
	for (int i = 0; i < 150 * 1024; i++)
		stint_buf_putc(&long_line, 'x');
	stint_autofree char *out = run("[p] ", false, long_line.data, 1000);
	assert_int_equal(strlen(out), 150 * 1024 + 3 * strlen("[p] \n"));
	stint_buf_free(&long_line);
}

static void test_an_escape_sequence_without_end_is_not_held_for_ever(void **state)
{
	(void)state;
	struct stint_buf text = {0};
	stint_buf_puts(&text, "\x1b[");
	for (int i = 0; i < 100; i++)
		stint_buf_putc(&text, '1');
	stint_autofree char *out = run(NULL, true, text.data, 1);
	assert_int_equal(strlen(out), text.length);
	assert_int_equal(out[0], '?');
	stint_buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_terminal_bytes_pass_as_they_are),
		cmocka_unit_test(test_a_terminal_gets_colours_and_progress_bars),
		cmocka_unit_test(test_a_terminal_gets_nothing_else),
		cmocka_unit_test(test_every_line_of_several_pods_is_whole_and_named),
		cmocka_unit_test(test_a_line_without_end_is_let_go_in_pieces),
		cmocka_unit_test(test_an_escape_sequence_without_end_is_not_held_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
