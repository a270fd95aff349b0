/*
 * Sets of indexes as Jobs write them.
 */
#include "core/sandbox/controllers/indexes.h"

#include "tests/unit/test.h"

static void texts_are_read_and_written_as_kubernetes_does(void **state)
{
	(void)state;
	static const struct {
		const char *text, *wanted;
		int64_t limit, total;
	} cases[] = {
		{"", "", 10, 0},
		{"3", "3", 10, 1},
		{"0,1", "0,1", 10, 2},
		{"0-2", "0-2", 10, 3},
		{"0,2-4,7", "0,2-4,7", 10, 5},
		{"0,1,2,3", "0-3", 10, 4},
		{"1-9", "1-4", 5, 4},
		{"7", "", 5, 0},
		{"1,x,2", "1", 5, 1},
		{"4-2", "", 9, 0},
		{"-1", "", 9, 0},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct indexes set = {0};
		indexes_parse(cases[i].text, cases[i].limit, &set);
		stint_autofree char *text = indexes_format(&set);
		assert_string_equal(text, cases[i].wanted);
		assert_int_equal(indexes_total(&set), cases[i].total);
		indexes_free(&set);
	}
}

static void intervals_grow_together_in_any_order(void **state)
{
	(void)state;
	static const int64_t order[] = {5, 1, 3, 9, 2, 4, 4, 8};
	struct indexes set = {0};
	for (size_t i = 0; i < STINT_COUNT(order); i++)
		indexes_add(&set, order[i]);
	stint_autofree char *text = indexes_format(&set);
	assert_string_equal(text, "1-5,8,9");
	assert_true(indexes_has(&set, 3));
	assert_false(indexes_has(&set, 6));
	assert_false(indexes_has(&set, 0));
	indexes_free(&set);
}

static void what_two_sets_share_is_counted(void **state)
{
	(void)state;
	struct indexes a = {0}, b = {0};
	indexes_parse("0-4,8,10-20", 100, &a);
	indexes_parse("3-9,15-30", 100, &b);
	assert_int_equal(indexes_common(&a, &b), 2 + 1 + 6);
	indexes_free(&a);
	indexes_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_and_written_as_kubernetes_does),
		cmocka_unit_test(intervals_grow_together_in_any_order),
		cmocka_unit_test(what_two_sets_share_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
