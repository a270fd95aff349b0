/* Quantities: exact to the unit, rounded away from zero, saturated. */
#include <stint/model.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <string.h>

struct row {
	const char *text;
	enum stint_unit unit;
	int64_t value;
};

static void quantities_are_exact_in_every_suffix(void **state)
{
	static const struct row rows[] = {
		{"0", STINT_UNIT_ONE, 0},
		{"1", STINT_UNIT_MILLI, 1000},
		{"100m", STINT_UNIT_MILLI, 100},
		{"1.5", STINT_UNIT_MILLI, 1500},
		{".5", STINT_UNIT_MILLI, 500},
		{"5.", STINT_UNIT_ONE, 5},
		{"+2", STINT_UNIT_ONE, 2},
		{"2k", STINT_UNIT_ONE, 2000},
		{"3M", STINT_UNIT_ONE, 3000000},
		{"1G", STINT_UNIT_ONE, 1000000000},
		{"1T", STINT_UNIT_ONE, INT64_C(1000000000000)},
		{"1P", STINT_UNIT_ONE, INT64_C(1000000000000000)},
		{"1E", STINT_UNIT_ONE, INT64_C(1000000000000000000)},
		{"1Ki", STINT_UNIT_ONE, 1024},
		{"16Gi", STINT_UNIT_ONE, INT64_C(17179869184)},
		{"1.5Gi", STINT_UNIT_ONE, INT64_C(1610612736)},
		{"1Ti", STINT_UNIT_ONE, INT64_C(1099511627776)},
		{"1Pi", STINT_UNIT_ONE, INT64_C(1125899906842624)},
		{"7Ei", STINT_UNIT_ONE, INT64_C(8070450532247928832)},
		{"1e3", STINT_UNIT_ONE, 1000},
		{"12E2", STINT_UNIT_ONE, 1200},
		{"5e-1", STINT_UNIT_MILLI, 500},
		{"1500000u", STINT_UNIT_MILLI, 1500},
		{"2000000000n", STINT_UNIT_ONE, 2},
		{"9223372036854775807", STINT_UNIT_ONE, INT64_MAX},
		{"0.000000000000000000000000000000000000000000001e45", STINT_UNIT_ONE, 1},
		{"-2", STINT_UNIT_ONE, -2},
	};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		int64_t value = 77;
		if (!stint_quantity_parse(stint_slice_of(rows[i].text), rows[i].unit, &value) || value != rows[i].value)
			fail_msg("%s: %lld instead of %lld", rows[i].text, (long long)value, (long long)rows[i].value);
	}
}

static void parts_below_the_unit_round_away_from_zero(void **state)
{
	static const struct row rows[] = {
		{"1n", STINT_UNIT_ONE, 1},
		{"1m", STINT_UNIT_ONE, 1},
		{"1001m", STINT_UNIT_ONE, 2},
		{"0.0001", STINT_UNIT_MILLI, 1},
		{"-1500m", STINT_UNIT_ONE, -2},
		{"0.1Ki", STINT_UNIT_ONE, 103},
		{"1e-999", STINT_UNIT_ONE, 1},
		{"0e-999", STINT_UNIT_ONE, 0},
	};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		int64_t value = 77;
		assert_true(stint_quantity_parse(stint_slice_of(rows[i].text), rows[i].unit, &value));
		assert_int_equal(value, rows[i].value);
	}
}

static void what_does_not_fit_saturates(void **state)
{
	static const struct row rows[] = {
		{"8Ei", STINT_UNIT_ONE, INT64_MAX},
		{"16Ei", STINT_UNIT_MILLI, INT64_MAX},
		{"9223372036854775808", STINT_UNIT_ONE, INT64_MAX},
		{"99999999999999999999999999999999999999999999999999", STINT_UNIT_ONE, INT64_MAX},
		{"1e999999999999", STINT_UNIT_ONE, INT64_MAX},
		{"-1e100", STINT_UNIT_ONE, INT64_MIN},
	};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		int64_t value = 77;
		assert_true(stint_quantity_parse(stint_slice_of(rows[i].text), rows[i].unit, &value));
		assert_int_equal(value, rows[i].value);
	}
}

static void what_is_no_quantity_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "-", ".", "abc", "1 Gi", "1GiB", "0x10", "1e", "1e+", "--1", "1.2.3", "NaN", "inf", "1K", "1ki", " 1", "1 "};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(texts); i++) {
		int64_t value;
		if (stint_quantity_parse(stint_slice_of(texts[i]), STINT_UNIT_ONE, &value))
			fail_msg("\"%s\" was taken for %lld", texts[i], (long long)value);
	}
}

static void formats_are_canonical(void **state)
{
	char out[STINT_QUANTITY_SIZE];
	(void)state;
	assert_string_equal(stint_quantity_format_milli(1500, out), "1500m");
	assert_string_equal(stint_quantity_format_milli(2000, out), "2");
	assert_string_equal(stint_quantity_format_milli(0, out), "0");
	assert_string_equal(stint_quantity_format_bytes(0, out), "0");
	assert_string_equal(stint_quantity_format_bytes(INT64_C(10) << 30, out), "10Gi");
	assert_string_equal(stint_quantity_format_bytes(INT64_C(1536) << 20, out), "1536Mi");
	assert_string_equal(stint_quantity_format_bytes(1001, out), "1001");
	assert_string_equal(stint_bytes_human(INT64_C(1536) << 20, out), "1.5Gi");
	assert_string_equal(stint_bytes_human(INT64_C(1048575), out), "1023.9Ki");
	assert_string_equal(stint_bytes_human(INT64_C(81900) << 20, out), "79.9Gi"); /* 80Gi is not there */
	assert_string_equal(stint_bytes_human(INT64_C(-81900) * (1 << 20), out), "-79.9Gi");
	assert_string_equal(stint_bytes_human(512, out), "512");
	assert_string_equal(stint_bytes_human(INT64_MAX, out), "8Ei");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities_are_exact_in_every_suffix),
		cmocka_unit_test(parts_below_the_unit_round_away_from_zero),
		cmocka_unit_test(what_does_not_fit_saturates),
		cmocka_unit_test(what_is_no_quantity_is_refused),
		cmocka_unit_test(formats_are_canonical),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
