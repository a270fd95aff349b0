/* What holders of shared devices promise: stable names, a manifest that takes one device, reports that are understood or explained. */
#include <scheduler/holder_pod.h>

#include "../test.h"

static void a_name_is_gpu_and_16_digits_of_the_hash_of_node_and_slot(void **state)
{
	(void)state;
	char name[STINT_HOLDER_NAME_SIZE], other[STINT_HOLDER_NAME_SIZE];
	/* printf 'node-1/3' | sha256sum */
	assert_string_equal(stint_holder_name("node-1", 3, name), "gpu-b69688e132230f3b");
	assert_string_not_equal(name, stint_holder_name("node-1", 4, other));
	assert_string_not_equal(name, stint_holder_name("node-13", 3, other));
}

static void the_manifest_takes_one_device_of_its_node_whatever_its_taints(void **state)
{
	(void)state;
	stint_auto_json *pod = stint_holder_manifest("node-1", 3, "registry/agent:1", "nvidia");
	assert_string_equal(stint_json_string_at(pod, "metadata", "namespace"), "stint-reservation");
	assert_string_equal(stint_json_string_at(pod, "metadata", "annotations", "stint.dev/device-slot"), "3");
	assert_string_equal(stint_json_string_at(pod, "metadata", "annotations", "karpenter.sh/do-not-disrupt"), "true");
	assert_string_equal(stint_json_string_at(pod, "spec", "nodeName"), "node-1");
	assert_string_equal(stint_json_string_at(pod, "spec", "runtimeClassName"), "nvidia");
	const struct stint_json *container = stint_json_item(stint_json_at(pod, "spec", "containers"), 0);
	assert_string_equal(stint_json_string_at(container, "resources", "limits", "nvidia.com/gpu"), "1");
	assert_string_equal(stint_json_string_at(container, "image"), "registry/agent:1");
	const struct stint_json *toleration = stint_json_item(stint_json_at(pod, "spec", "tolerations"), 0);
	assert_string_equal(stint_json_string_at(toleration, "operator"), "Exists");
	assert_null(stint_json_get(toleration, "key"));
	stint_auto_json *plain = stint_holder_manifest("node-1", 3, "agent", NULL);
	assert_null(stint_json_at(plain, "spec", "runtimeClassName"));
}

static void reports_are_read_and_what_is_none_is_explained(void **state)
{
	(void)state;
	static const struct {
		const char *log;
		bool said;
		const char *uuid, *cause;
	} table[] = {
		{"", false, NULL, NULL},
		{"{\"uuid\":\"GPU-1\"", false, NULL, NULL},
		{"{\"uuid\":\"GPU-1\",\"memory_mib\":81559}\n", true, "GPU-1", ""},
		{"\n\n{\"uuid\":\"GPU-1\"}\nmore\n", true, "GPU-1", ""},
		{"{\"uuid\":\"GPU-1,GPU-2\"}\n", true, "", "NoReport"},
		{"{\"uuid\":\"\"}\n", true, "", "NoReport"},
		{"{\"error\":{\"cause\":\"LibraryMissing\",\"message\":\"NVML is not there\"}}\n", true, "", "LibraryMissing"},
		{"exec format error\n", true, "", "NoReport"},
	};
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		struct stint_holder_report report;
		assert_int_equal(stint_holder_report_read(table[i].log, strlen(table[i].log), &report), table[i].said);
		if (!table[i].said)
			continue;
		assert_string_equal(report.uuid, table[i].uuid);
		assert_string_equal(report.cause, table[i].cause);
		assert_int_equal(report.cause[0] != '\0', report.message[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_gpu_and_16_digits_of_the_hash_of_node_and_slot),
		cmocka_unit_test(the_manifest_takes_one_device_of_its_node_whatever_its_taints),
		cmocka_unit_test(reports_are_read_and_what_is_none_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
