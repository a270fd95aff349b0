/* base: buffers, slices, numbers, splitting, sanitizing, durations, times, base64. */
#include "tests/unit/test.h"

static void numbers_are_read_whole_or_not_at_all(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-7", true, -7},
		{"100", true, 100},
		{"101", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"1x", false, 0},
		{"0x10", false, 0},
		{"99999999999999999999", false, 0},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		int64_t value = 0;
		assert_int_equal(stint_parse_int(cases[i].text, -100, 100, &value), cases[i].good);
		assert_int_equal(value, cases[i].value);
	}
}

static void a_double_is_finite_and_decimal(void **state)
{
	(void)state;
	static const char *const bad[] = {"nan", "NaN", "inf", "-inf", "0x1p3", "", ".", "1e", "1.5.2", " 1", "1e999", "--1"};
	double value;
	for (size_t i = 0; i < STINT_COUNT(bad); i++)
		assert_false(stint_parse_double(bad[i], -1e6, 1e6, &value));
	assert_true(stint_parse_double("0.25", 0, 1, &value));
	assert_true(value > 0.249 && value < 0.251);
	assert_false(stint_parse_double("1.5", 0, 1, &value));
}

static void durations_follow_go_with_days_and_bare_seconds(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} cases[] = {
		{"90s", 90000},
		{"1h30m", 5400000},
		{"250ms", 250},
		{"2d", 172800000},
		{"1.5h", 5400000},
		{"30", 30000},
		{"0", 0},
		{"", -1},
		{"-1s", -1},
		{"h", -1},
		{"1x", -1},
		{"1h30", -1},
		{"1e3s", -1},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		int64_t ms = -1;
		bool good = stint_duration_parse(cases[i].text, &ms);
		if (good != (cases[i].ms >= 0) || ms != cases[i].ms)
			fail_msg("\"%s\" gave %lld", cases[i].text, (long long)ms);
	}
}

static void a_bare_number_other_than_0_lacks_a_unit(void **state)
{
	(void)state;
	static const char *const lack[] = {"5", "1.5", "100"}, *const have[] = {"0", "0.0", "5s", "1h30m", "", ".", "x", "-5"};
	for (size_t i = 0; i < STINT_COUNT(lack); i++)
		assert_true(stint_duration_lacks_unit(lack[i]));
	for (size_t i = 0; i < STINT_COUNT(have); i++)
		assert_false(stint_duration_lacks_unit(have[i]));
}

static void ages_read_as_kubectl_prints_them(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{0, "0s"},
		{119, "119s"},
		{120, "2m"},
		{125, "2m5s"},
		{600, "10m"},
		{10800, "3h"},
		{11100, "3h5m"},
		{86400, "24h"},
		{172800, "2d"},
		{180000, "2d2h"},
		{86400 * 400, "400d"},
	};
	char out[STINT_TIME_SIZE];
	for (size_t i = 0; i < STINT_COUNT(cases); i++)
		assert_string_equal(stint_duration_format(cases[i].seconds * 1000, out), cases[i].text);
}

static void times_survive_a_round_trip_and_offsets_count(void **state)
{
	(void)state;
	int64_t ms, us;
	char out[STINT_TIME_SIZE];
	assert_true(stint_time_parse("2026-11-24T06:12:55Z", 20, &ms));
	assert_int_equal(ms, 1795500775000);
	assert_string_equal(stint_time_format(ms, out), "2026-11-24T06:12:55Z");
	assert_true(stint_time_parse("2026-11-24T08:12:55.5+02:00", 27, &ms));
	assert_int_equal(ms, 1795500775500);
	assert_true(stint_time_parse_micro("1969-12-31T23:59:59.999999Z", 27, &us));
	assert_int_equal(us, -1);
	assert_string_equal(stint_time_format_micro(us, out), "1969-12-31T23:59:59.999999Z");
	static const char *const bad[] = {"", "2026-11-24", "2026-13-01T00:00:00Z", "2026-11-24T06:12:55", "2026-11-24T06:12:55Zx",
		"2026-11-24T06:12:55.Z", "2026\r11-24T06:12:55Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z"};
	for (size_t i = 0; i < STINT_COUNT(bad); i++)
		assert_false(stint_time_parse(bad[i], strlen(bad[i]), &ms));
}

static void base64_takes_padding_and_blanks_and_nothing_else(void **state)
{
	(void)state;
	size_t length = 0;
	stint_autofree char *encoded = stint_base64_encode("stint!", 6);
	assert_string_equal(encoded, "c3RpbnQh");
	stint_autofree char *decoded = stint_base64_decode("c3Rp\nbnQ=", 9, &length);
	assert_int_equal(length, 5);
	assert_string_equal(decoded, "stint");
	static const char *const bad[] = {"c3R", "c3Rp=bnQ", "c3R*", "====", "c3Rp----"};
	for (size_t i = 0; i < STINT_COUNT(bad); i++)
		assert_null(stint_base64_decode(bad[i], strlen(bad[i]), &length));
}

static void foreign_text_cannot_steer_a_terminal(void **state)
{
	(void)state;
	char text[] = "a\x1b[31mb\x07\tc\nd\xc2\x9b";
	stint_sanitize(text);
	assert_string_equal(text, "a?[31mb?\tc\nd??");
}

static void splitting_leaves_out_empty_words(void **state)
{
	(void)state;
	char **words = stint_split("::a:bc::", ":");
	assert_string_equal(words[0], "a");
	assert_string_equal(words[1], "bc");
	assert_null(words[2]);
	stint_strings_free(words);
}

static void a_file_is_written_whole_and_read_within_its_bound(void **state)
{
	(void)state;
	char folder[] = "/tmp/stint-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	stint_autofree char *path = stint_format("%s/a/b", folder);
	stint_autofree char *file = stint_format("%s/f", path);
	assert_works(stint_make_folders(path, 0700, &err));
	assert_works(stint_file_write(file, "hello", 5, 0600, &err));
	stint_auto_buf buf = {0};
	assert_works(stint_buf_read_file(&buf, file, 5, &err));
	assert_string_equal(buf.data, "hello");
	assert_fails(stint_buf_read_file(&buf, file, 4, &err), STINT_USAGE, "larger than 4 bytes");
	assert_fails(stint_buf_read_file(&buf, "/nonexistent", 4, &err), STINT_NOT_FOUND, "/nonexistent");
	assert_fails(stint_make_folders(file, 0700, &err), STINT_FAILED, "a file of that name");
	stint_autofree char *command = stint_format("rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
		cmocka_unit_test(a_double_is_finite_and_decimal),
		cmocka_unit_test(durations_follow_go_with_days_and_bare_seconds),
		cmocka_unit_test(a_bare_number_other_than_0_lacks_a_unit),
		cmocka_unit_test(ages_read_as_kubectl_prints_them),
		cmocka_unit_test(times_survive_a_round_trip_and_offsets_count),
		cmocka_unit_test(base64_takes_padding_and_blanks_and_nothing_else),
		cmocka_unit_test(foreign_text_cannot_steer_a_terminal),
		cmocka_unit_test(splitting_leaves_out_empty_words),
		cmocka_unit_test(a_file_is_written_whole_and_read_within_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
