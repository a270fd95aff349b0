/* What an error says of the pods that a workload has. */
#include "cli/pods.h"

#include "../test.h"

static void a_pod_that_there_is_not_is_told_of_those_that_there_are(void **state)
{
	(void)state;
	enum { MANY = 10 };
	struct stint_pod pods[MANY];
	const struct stint_pod *items[MANY];
	char names[MANY][8];
	for (size_t at = 0; at < MANY; at++) {
		snprintf(names[at], sizeof names[at], "p%zu", at);
		pods[at] = (struct stint_pod){.meta.name = names[at]};
		items[at] = &pods[at];
	}
	static const struct {
		size_t count;
		const char *says;
	} table[] = {
		{0, "\"work\" has no pod \"x\"; it has none"},
		{2, "\"work\" has no pod \"x\"; it has p0, p1"},
		{9, "\"work\" has no pod \"x\"; it has p0, p1, p2, p3, p4, p5, p6, p7, p8"}, /* "and more" would be as long */
		{10, "\"work\" has no pod \"x\"; it has p0, p1, p2, p3, p4, p5, p6, p7, and more"},
	};
	for (size_t at = 0; at < STINT_COUNT(table); at++) {
		const struct cli_pods found = {.name = "work", .items = items, .count = table[at].count};
		stint_auto_error *err = NULL;
		assert_null(cli_pods_named(&found, "x", &err));
		assert_string_equal(err->message, table[at].says);
		assert_int_equal(err->code, STINT_NOT_FOUND);
	}
	const struct cli_pods found = {.name = "work", .items = items, .count = MANY};
	assert_ptr_equal(cli_pods_named(&found, "p9", NULL), &pods[9]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_that_there_is_not_is_told_of_those_that_there_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
