/* Libraries that are loaded when they are needed. */
#include "tests/unit/test.h"

struct functions {
	double (*cos)(double);
	double (*sin)(double);
};

static void functions_are_found_in_the_order_of_their_names(void **state)
{
	(void)state;
	static const char *const names[] = {"cos", "sin"};
	struct functions functions = {0};
	assert_works(stint_library_load("libm.so.6", names, &functions, 2, &err));
	assert_true(functions.cos(0) > 0.99 && functions.sin(0) < 0.01);
}

static void a_missing_function_leaves_the_table_empty(void **state)
{
	(void)state;
	static const char *const names[] = {"cos", "no_such_function"};
	struct functions functions = {0};
	assert_fails(stint_library_load("libm.so.6", names, &functions, 2, &err), STINT_FAILED, "no function no_such_function");
	assert_null(functions.cos);
}

static void a_missing_library_is_named(void **state)
{
	(void)state;
	static const char *const names[] = {"cos"};
	struct functions functions = {0};
	assert_fails(stint_library_load("libnowhere.so.9", names, &functions, 1, &err), STINT_FAILED, "libnowhere.so.9 cannot be loaded");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_found_in_the_order_of_their_names),
		cmocka_unit_test(a_missing_function_leaves_the_table_empty),
		cmocka_unit_test(a_missing_library_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
