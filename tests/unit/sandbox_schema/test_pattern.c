/*
 * Patterns of definitions: what Go's regexp makes of them, this libc makes of their translation.
 */
#include "support.h"

#include "core/sandbox/schema/types.h"

#include <regex.h>

static const struct {
	const char *pattern, *good, *bad;
} pairs[] = {
	{"^\\d+$", "12", "d"},
	{"^\\D+$", "ab", "a1"},
	{"^[\\w.-]+$", "a-b.c_9", "a b"},
	{"^\\S+$", "ab", "a b"},
	{"^\\W$", "-", "a"},
	{"^(?:a|b)$", "a", "c"},
	{"^(?P<x>a)(?<y>b)$", "ab", "a"},
	{"(?i)^abc$", "aBC", "abd"},
	{"^a{1,3}?$", "aa", "aaaa"},
	{"^a{2}$", "aa", "a"},
	{"^a{2,}b*?$", "aaab", "ab"},
	{"^[^\\s]+$", "abc", "a b"},
	{"^[\\d\\-x]+$", "1-x", "y"},
	{"^a\\.b$", "a.b", "axb"},
	{"\\Aabc\\z", "abc", "xabc"},
	{"^\\x41$", "A", "x41"},
	{"^[\\x41-\\x43]$", "B", "D"},
	{"^\\t$", "\t", "t"},
	{"^[[:alpha:]_]+$", "a_B", "1"},
	{"^[]a]$", "]", "b"},
	{"^[a\\]]$", "]", "\\"},
	{"^[\\^-]+$", "^-", "a"},
	{"^[\\^]$", "^", "a"},
	{"^[[.]$", "[", "]"},
	{"^a{x}$", "a{x}", "ax"},
	{"^{$", "{", "a"},
	{"^a]}$", "a]}", "a"},
	{"^\xc3\xa9{2}$", "\xc3\xa9\xc3\xa9", "\xc3\xa9"},
	{"^(|a)$", "", "b"},
	{"\\bab\\b", "x ab", "xab"},
	{"^\\$\\|\\(\\*$", "$|(*", "$"},
	{"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "a-b.c", "a-.b"},
};

static bool matches(const char *pattern, const char *text)
{
	struct schema_pattern translated;
	const char *problem = schema_pattern_problem(pattern, &translated);
	stint_autofree char *posix = translated.posix;
	regex_t regex;
	if (problem || !posix)
		fail_msg("%s: %s", pattern, problem ? problem : "no POSIX form");
	if (regcomp(&regex, posix, REG_EXTENDED | REG_NOSUB | (translated.folds ? REG_ICASE : 0)) != 0)
		fail_msg("%s became %s, which does not compile", pattern, posix);
	bool found = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static void a_pattern_means_what_it_means_to_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(pairs); i++) {
		if (!matches(pairs[i].pattern, pairs[i].good))
			fail_msg("%s does not match \"%s\"", pairs[i].pattern, pairs[i].good);
		if (matches(pairs[i].pattern, pairs[i].bad))
			fail_msg("%s matches \"%s\"", pairs[i].pattern, pairs[i].bad);
	}
}

static void what_posix_cannot_say_is_left_unchecked(void **state)
{
	(void)state;
	static const char *const patterns[] = {"^\\p{L}+$", "a(?i)b", "(?s).", "\\Qa.b\\E", "[\xc3\xa9]", "[\\D]", "\\x{1F600}"};
	for (size_t i = 0; i < STINT_COUNT(patterns); i++) {
		struct schema_pattern translated;
		if (schema_pattern_problem(patterns[i], &translated) || translated.posix)
			fail_msg("%s is told", patterns[i]);
	}
}

/* Freed by the caller. */
static char *repeated(const char *before, size_t times, const char *text, const char *behind)
{
	struct stint_buf out = {0};
	stint_buf_puts(&out, before);
	for (size_t i = 0; i < times; i++)
		stint_buf_puts(&out, text);
	stint_buf_puts(&out, behind);
	return stint_buf_steal(&out);
}

/* None of these is compiled here: 3 KB as the first of them cost libc hundreds of MiB. */
static void what_would_be_written_out_too_large_is_left_unchecked(void **state)
{
	(void)state;
	static const struct {
		const char *before;
		size_t times;
		const char *text, *behind;
		bool is_checked;
	} rows[] = {
		{"(", 100, "a", "){1000}", false},
		{"(", 100, "a", "){0,1000}", false},
		{"((", 100, "a", "){10,}){100}", false},
		{"((", 30, "[ab]", "){30}|b){30}", false},
		{"", 30, "(aaaaaaaaaa){100}", "", false},
		{"", 20, "(", "a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+", false},
		{"(", 10, "a", "){1000}", true},
		{"(", 10, "a", "){1,}", true},
		{"((", 10, "a", "){10}){10}", true},
		{"", 1000, "(a+)*", "", true},
		{"", 100, "a{1,100}", "", true},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_autofree char *pattern = repeated(rows[i].before, rows[i].times, rows[i].text, rows[i].behind);
		struct schema_pattern translated;
		const char *problem = schema_pattern_problem(pattern, &translated);
		stint_autofree char *posix = translated.posix;
		if (problem || (posix != NULL) != rows[i].is_checked)
			fail_msg("%zu: %s", i, problem ? problem : posix ? "is checked" : "is not checked");
	}
}

static void what_is_no_pattern_or_asks_for_too_much_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *problem;
	} cases[] = {
		{"(a", "missing closing )"},
		{"a)", "unexpected )"},
		{"[a", "missing closing ]"},
		{"[", "missing closing ]"},
		{"*a", "missing argument to repetition operator"},
		{"a**", "invalid nested repetition operator"},
		{"a{2}{3}", "invalid nested repetition operator"},
		{"[z-a]", "invalid character class range"},
		{"a{1001}", "invalid repeat count"},
		{"a{3,2}", "invalid repeat count"},
		{"((a{1,100}){1,100}){1,100}", "invalid repeat count"},
		{"a\\", "trailing backslash at end of expression"},
		{"\\y", "invalid escape sequence"},
		{"(?P<x", "invalid named capture"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct schema_pattern translated;
		const char *problem = schema_pattern_problem(cases[i].pattern, &translated);
		assert_null(translated.posix);
		if (!problem || strcmp(problem, cases[i].problem) != 0)
			fail_msg("%s: %s", cases[i].pattern, problem ? problem : "fine");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_means_what_it_means_to_go),
		cmocka_unit_test(what_posix_cannot_say_is_left_unchecked),
		cmocka_unit_test(what_would_be_written_out_too_large_is_left_unchecked),
		cmocka_unit_test(what_is_no_pattern_or_asks_for_too_much_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
