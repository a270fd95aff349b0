/* Device selectors: what the supported part of CEL says of a device, what is refused, and that neither takes for ever. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include <stint/model.h>

#define D "gpu.example.com"

static const struct stint_device_attribute attributes[] = {
	{D, "model", STINT_ATTRIBUTE_TEXT, 0, "H100"},
	{D, "index", STINT_ATTRIBUTE_INT, 3, ""},
	{D, "mig", STINT_ATTRIBUTE_BOOL, 1, ""},
	{D, "version", STINT_ATTRIBUTE_VERSION, 0, "1.10.0"},
};
static const struct stint_device_capacity capacities[] = {{D, "memory", INT64_C(80) * 1024 * 1024 * 1024 * 1000}};
static const struct stint_device device = {.name = "d",
	.attributes = attributes,
	.attributes_count = STINT_COUNT(attributes),
	.capacities = capacities,
	.capacities_count = STINT_COUNT(capacities)};

struct row {
	const char *expression;
	enum stint_truth says;
};

static void selectors_say_what_cel_says(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"device.driver == \"gpu.example.com\"", STINT_TRUE},
		{"device.driver == 'other'", STINT_FALSE},
		{"device.attributes[\"gpu.example.com\"].model == \"H100\"", STINT_TRUE},
		{"device.attributes['gpu.example.com']['model'] != 'H100'", STINT_FALSE},
		{"device.attributes['gpu.example.com'].index >= 3 && device.attributes['gpu.example.com'].index < 4", STINT_TRUE},
		{"device.attributes['gpu.example.com'].index in [1, 2, 3]", STINT_TRUE},
		{"!(device.attributes['gpu.example.com'].model in ['A100', 'L40'])", STINT_TRUE},
		{"device.attributes['gpu.example.com'].mig", STINT_TRUE},
		{"device.attributes['gpu.example.com'].none == 1", STINT_UNKNOWN},
		{"device.attributes['other'].model == 'H100'", STINT_UNKNOWN},
		{"device.attributes['gpu.example.com'].none == 1 || true", STINT_TRUE},
		{"device.attributes['gpu.example.com'].none == 1 && false", STINT_FALSE},
		{"'other' in device.attributes && device.attributes['other'].model == 'H100'", STINT_FALSE},
		{"'model' in device.attributes['gpu.example.com']", STINT_TRUE},
		{"has(device.attributes['gpu.example.com'].none)", STINT_FALSE},
		{"device.capacity['gpu.example.com'].memory.compareTo(quantity('80Gi')) == 0", STINT_TRUE},
		{"device.capacity['gpu.example.com'].memory.isGreaterThan(quantity('79Gi'))", STINT_TRUE},
		{"device.capacity['gpu.example.com'].memory >= quantity('81Gi')", STINT_FALSE},
		{"device.attributes['gpu.example.com'].version.isGreaterThan(semver('1.9.0'))", STINT_TRUE},
		{"semver('1.0.0-rc.2').compareTo(semver('1.0.0-rc.10')) < 0 && semver('1.0.0').compareTo(semver('1.0.0-rc.10')) > 0",
			STINT_TRUE},
		{"device.attributes['gpu.example.com'].version.minor() == 10", STINT_TRUE},
		{"device.attributes['gpu.example.com'].model.lowerAscii().startsWith('h1')", STINT_TRUE},
		{"device.attributes['gpu.example.com'].model.contains('10') && device.driver.endsWith('.com')", STINT_TRUE},
		{"device.attributes['gpu.example.com'].model < 1", STINT_UNKNOWN},
		{"device.attributes['gpu.example.com'].model == 1", STINT_FALSE}, /* values of two types are never equal */
		{"cel.bind(a, device.attributes['gpu.example.com'], a.mig && a.index == 3)", STINT_TRUE},
		{"device.attributes['gpu.example.com'].mig ? device.driver == 'x' : true", STINT_FALSE},
		{"-1 < 0 // a comment", STINT_TRUE},
		{"device.driver", STINT_UNKNOWN},
		{"device.allowMultipleAllocations", STINT_FALSE},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_auto_error *err = NULL;
		struct stint_cel *cel = stint_cel_compile(rows[i].expression, &err);
		if (!cel)
			fail_msg("%s: %s", rows[i].expression, err->message);
		if (stint_cel_matches(cel, D, &device) != rows[i].says)
			fail_msg("%s does not say %d", rows[i].expression, rows[i].says);
		stint_cel_free(cel);
	}
}

static void what_is_not_understood_is_refused_with_its_place(void **state)
{
	(void)state;
	static const char *const rows[] = {"", "device", "device.name == 'x'", "1 + 1 == 2", "device.driver.matches('a.*')", "1.5 < 2.0",
		"['a'].exists(x, x == 'a')", "device.driver == 'x", "device.driver == \"a\" extra", "quantity('much')", "semver('1')",
		"has(true)", "x == 1", "((1 == 1)", "device.driver == 99999999999999999999", "device.driver == 'a' &&"};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_auto_error *err = NULL;
		struct stint_cel *cel = stint_cel_compile(rows[i], &err);
		if (cel)
			fail_msg("%s was understood", rows[i]);
		assert_non_null(strstr(err->message, "at byte"));
	}
}

static void an_expression_is_bounded_in_size_depth_and_work(void **state)
{
	(void)state;
	stint_auto_buf deep = {0}, doubling = {0};
	for (int i = 0; i < 5000; i++)
		stint_buf_putc(&deep, '(');
	assert_null(stint_cel_compile(deep.data, NULL));
	/* Each variable says the one before it twice. */
	stint_buf_puts(&doubling, "cel.bind(v0, device.driver == 'x', ");
	for (int i = 1; i < 16; i++)
		stint_buf_printf(&doubling, "cel.bind(v%d, (v%d || v%d) || (v%d || v%d), ", i, i - 1, i - 1, i - 1, i - 1);
	stint_buf_puts(&doubling, "v15");
	for (int i = 0; i < 16; i++)
		stint_buf_putc(&doubling, ')');
	struct stint_cel *cel = stint_cel_compile(doubling.data, NULL);
	assert_non_null(cel);
	assert_int_equal(stint_cel_matches(cel, D, &device), STINT_UNKNOWN);
	stint_cel_free(cel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_say_what_cel_says),
		cmocka_unit_test(what_is_not_understood_is_refused_with_its_place),
		cmocka_unit_test(an_expression_is_bounded_in_size_depth_and_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
