/* Projects and departments as Queues: defaults, units, changes, sums. */
#include "tests/unit/test.h"

#include <stint/workload.h>

static struct stint_json *json(const char *text)
{
	struct stint_json *value = stint_json_parse(text, strlen(text), 0, NULL);
	assert_non_null(value);
	return value;
}

static void a_new_project_has_the_defaults_of_the_contracts(void **state)
{
	(void)state;
	struct stint_error *err = NULL;
	const struct stint_share share = {.name = "vision", .department = "research", .gpus = "8"};
	stint_auto_json *queue = stint_share_queue(&share, false, &err);
	stint_auto_json *expected =
		json("{\"apiVersion\":\"scheduling.run.ai/v2\",\"kind\":\"Queue\",\"metadata\":{\"name\":\"vision\"},\"spec\":{"
		     "\"parentQueue\":\"research\",\"resources\":{\"gpu\":{\"quota\":8,\"overQuotaWeight\":1,\"limit\":-1},"
		     "\"cpu\":{\"quota\":-1,\"overQuotaWeight\":1,\"limit\":-1},\"memory\":{\"quota\":-1,\"overQuotaWeight\":1,\"limit\":-"
		     "1}}}}");
	assert_true(stint_json_equal(queue, expected));
}

static void a_department_keeps_a_sum_until_it_is_given_a_quota(void **state)
{
	(void)state;
	const struct stint_share sum = {.name = "research"}, given = {.name = "research", .gpus = "4"};
	stint_auto_json *queue = stint_share_queue(&sum, true, NULL);
	bool changed;
	assert_string_equal(stint_json_string_at(queue, "metadata", "annotations", STINT_ANNOTATION_QUOTA), "sum");
	assert_works(stint_share_apply(&given, true, queue, &changed, &err));
	assert_true(changed);
	assert_null(stint_json_at(queue, "metadata", "annotations", STINT_ANNOTATION_QUOTA));
	assert_works(stint_share_apply(&given, true, queue, &changed, &err));
	assert_false(changed);
}

static void quotas_are_written_in_the_units_of_queues(void **state)
{
	(void)state;
	struct stint_error *err = NULL;
	const struct stint_share share = {
		.name = "p", .gpus = "2.5", .gpu_limit = "10", .weight = "0.5", .priority = "7", .cpu = "64", .memory = "1Gi"};
	stint_auto_json *queue = stint_share_queue(&share, false, &err);
	const struct stint_json *resources = stint_json_at(queue, "spec", "resources");
	double gpu, limit, weight, cpu, memory;
	assert_true(stint_json_double(stint_json_at(resources, "gpu", "quota"), &gpu) && gpu > 2.49 && gpu < 2.51);
	assert_true(stint_json_double(stint_json_at(resources, "gpu", "limit"), &limit) && limit > 9.9 && limit < 10.1);
	assert_true(stint_json_double(stint_json_at(resources, "gpu", "overQuotaWeight"), &weight) && weight > 0.49 && weight < 0.51);
	assert_true(stint_json_double(stint_json_at(resources, "cpu", "quota"), &cpu) && cpu > 63999 && cpu < 64001);
	assert_true(stint_json_double(stint_json_at(resources, "memory", "quota"), &memory) && memory > 1073.74 && memory < 1073.75);
	assert_int_equal(stint_json_int_or(stint_json_at(queue, "spec", "priority"), 0), 7);
}

static void an_update_changes_what_was_said_and_nothing_else(void **state)
{
	(void)state;
	stint_auto_json *queue =
		json("{\"spec\":{\"priority\":5,\"reclaimMinRuntime\":\"10m\",\"resources\":{\"gpu\":{\"quota\":1,\"limit\":9}}}}");
	stint_auto_json *expected =
		json("{\"spec\":{\"priority\":5,\"reclaimMinRuntime\":\"10m\",\"resources\":{\"gpu\":{\"quota\":3,\"limit\":9}}}}");
	const struct stint_share share = {.name = "p", .gpus = "3"};
	bool changed;
	assert_works(stint_share_apply(&share, false, queue, &changed, &err));
	assert_true(changed);
	assert_true(stint_json_equal(queue, expected));
}

static void default_pools_stand_on_the_queue_until_they_are_taken_away(void **state)
{
	(void)state;
	const struct stint_share some = {.name = "p", .default_pools = "h100, a100"}, none = {.name = "p", .default_pools = ""},
				 other = {.name = "p", .gpus = "3"};
	stint_auto_json *queue = stint_share_queue(&some, false, NULL);
	bool changed;
	assert_string_equal(stint_json_string_at(queue, "metadata", "annotations", STINT_ANNOTATION_DEFAULT_POOLS), "h100,a100");
	assert_works(stint_share_apply(&some, false, queue, &changed, &err));
	assert_false(changed);
	assert_works(stint_share_apply(&other, false, queue, &changed, &err));
	assert_string_equal(stint_json_string_at(queue, "metadata", "annotations", STINT_ANNOTATION_DEFAULT_POOLS), "h100,a100");
	assert_works(stint_share_apply(&none, false, queue, &changed, &err));
	assert_true(changed);
	assert_null(stint_json_at(queue, "metadata", "annotations", STINT_ANNOTATION_DEFAULT_POOLS));
	assert_works(stint_share_apply(&none, false, queue, &changed, &err));
	assert_false(changed);
}

static void bad_numbers_are_usage_errors(void **state)
{
	(void)state;
	static const struct {
		struct stint_share share;
		const char *says;
	} cases[] = {
		{{.name = "p", .gpus = "x"}, "--gpus must be a number"},
		{{.name = "p", .gpus = "NaN"}, "--gpus must be a number"},
		{{.name = "p", .gpus = "-2"}, "-1 for unlimited"},
		{{.name = "p", .gpus = "1e12"}, "--gpus must be"},
		{{.name = "p", .gpu_limit = "few"}, "--gpu-limit must be"},
		{{.name = "p", .weight = "-1"}, "--weight must be"},
		{{.name = "p", .priority = "1.5"}, "--priority must be"},
		{{.name = "p", .priority = "-1"}, "--priority must be"},
		{{.name = "p", .cpu = "x"}, "--cpu must be"},
		{{.name = "p", .memory = "-2Gi"}, "--memory must be"},
		{{.name = "p", .gpus = "4", .gpu_limit = "2"}, "a quota of 4 GPUs and a limit of 2"},
		{{.name = "p", .default_pools = "a b!"}, "--default-node-pools must be POOL[,POOL...]"},
		{{.name = "p", .default_pools = ","}, "--default-node-pools must be POOL[,POOL...]"},
		{{.name = "Not_A_Name"}, "Not_A_Name"},
		{{.name = "p", .department = "UP"}, "cannot name a department"},
		{{.name = "p", .department = "p"}, "in itself"},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++)
		assert_fails(stint_share_queue(&cases[at].share, false, &err), STINT_USAGE, cases[at].says);
}

static void a_departments_quota_is_the_sum_of_its_projects(void **state)
{
	(void)state;
	stint_auto_json *queues =
		json("[{\"metadata\":{\"name\":\"d\"},\"spec\":{\"resources\":{\"gpu\":{\"quota\":99}}}},"
		     "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"parentQueue\":\"d\",\"resources\":{\"gpu\":{\"quota\":1.5}}}},"
		     "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"parentQueue\":\"d\",\"resources\":{\"gpu\":{\"quota\":2}}}},"
		     "{\"metadata\":{\"name\":\"c\"},\"spec\":{\"parentQueue\":\"d\"}},"
		     "{\"metadata\":{\"name\":\"u\"},\"spec\":{\"parentQueue\":\"e\",\"resources\":{\"gpu\":{\"quota\":-1}}}}]");
	assert_true(stint_department_quota(queues, "d") > 3.49 && stint_department_quota(queues, "d") < 3.51);
	assert_true(stint_department_quota(queues, "e") < 0);
	assert_true(stint_department_quota(queues, "none") < 0.001 && stint_department_quota(queues, "none") > -0.001);
	assert_true(stint_queue_is_department(queues, stint_json_item(queues, 0)));
	assert_false(stint_queue_is_department(queues, stint_json_item(queues, 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_project_has_the_defaults_of_the_contracts),
		cmocka_unit_test(a_department_keeps_a_sum_until_it_is_given_a_quota),
		cmocka_unit_test(quotas_are_written_in_the_units_of_queues),
		cmocka_unit_test(an_update_changes_what_was_said_and_nothing_else),
		cmocka_unit_test(default_pools_stand_on_the_queue_until_they_are_taken_away),
		cmocka_unit_test(bad_numbers_are_usage_errors),
		cmocka_unit_test(a_departments_quota_is_the_sum_of_its_projects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
