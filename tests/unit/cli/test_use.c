/* What the use of devices means for those who share them. */
#include "cli/use.h"

#include "../test.h"

static void memory_in_use_is_divided_among_those_who_share_a_device(void **state)
{
	(void)state;
	static const struct stint_pod a, b, c;
	static const struct stint_device_user shared[] = {{.pod = &a, .share = 0.3}, {.pod = &b, .share = 0.3}, {.pod = &c, .share = 0.2}};
	const struct stint_device_use device = {.users = shared, .users_count = 3, .allocated = 0.8, .memory_mib = 8000};
	assert_float_equal(cli_device_part_mib(&device, &a), 3000, 0.001);
	assert_float_equal(cli_device_part_mib(&device, &c), 2000, 0.001);
}

static void a_device_for_one_alone_is_all_its_own(void **state)
{
	(void)state;
	static const struct stint_pod a;
	static const struct stint_device_user alone[] = {{.pod = &a, .share = 0.25}};
	const struct stint_device_use device = {.users = alone, .users_count = 1, .allocated = 0.25, .memory_mib = 8000};
	assert_float_equal(cli_device_part_mib(&device, &a), 8000, 0.001);
}

static void what_nobody_knows_is_divided_among_nobody(void **state)
{
	(void)state;
	static const struct stint_pod a, b;
	static const struct stint_device_user users[] = {{.pod = &a, .share = 0.25}, {.pod = &b, .share = -1}};
	struct stint_device_use device = {.users = users, .users_count = 2, .allocated = 0.25, .memory_mib = 8000};
	assert_true(cli_device_part_mib(&device, &a) < 0);
	device.memory_mib = -1;
	device.users_count = 1;
	assert_true(cli_device_part_mib(&device, &a) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_in_use_is_divided_among_those_who_share_a_device),
		cmocka_unit_test(a_device_for_one_alone_is_all_its_own),
		cmocka_unit_test(what_nobody_knows_is_divided_among_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
