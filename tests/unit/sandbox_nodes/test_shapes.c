/*
 * Shapes of virtual nodes, and the use that their devices report.
 */
#include "core/sandbox/nodes/shapes.h"
#include "core/sandbox/nodes/use.h"

#include "tests/unit/test.h"

static bool parse(const char *text, struct node_shapes *shapes, struct stint_error **err)
{
	return node_shapes_parse("shapes.yaml", text, strlen(text), shapes, err);
}

static void equal_nodes_carry_the_labels_of_the_gpu_operator(void **state)
{
	(void)state;
	struct node_shapes shapes = {0};
	assert_works(node_shapes_uniform(2, 8, "h100-80gb-hbm3", &shapes, &err));
	assert_int_equal(node_shapes_total(&shapes), 2);
	assert_int_equal(node_shapes_gpus(&shapes), 16);
	stint_auto_json *node = node_shape_object(&shapes.items[0], 1);
	const struct stint_json *labels = stint_json_at(node, "metadata", "labels");
	assert_string_equal(stint_json_string(stint_json_at(node, "metadata", "name")), "node-1");
	assert_string_equal(stint_json_string(stint_json_get(labels, "nvidia.com/gpu.product")), "NVIDIA-H100-80GB-HBM3");
	assert_string_equal(stint_json_string(stint_json_get(labels, "nvidia.com/gpu.memory")), "81559");
	assert_string_equal(stint_json_string(stint_json_get(labels, "nvidia.com/gpu.count")), "8");
	assert_string_equal(stint_json_string(stint_json_get(labels, "stint.dev/virtual")), "true");
	assert_string_equal(stint_json_string(stint_json_at(node, "status", "allocatable", "nvidia.com/gpu")), "8");
	assert_non_null(stint_json_string(stint_json_at(node, "metadata", "annotations", "kwok.x-k8s.io/node")));
	node_shapes_free(&shapes);
}

static void a_file_tells_all_that_a_node_has(void **state)
{
	(void)state;
	struct node_shapes shapes = {0};
	assert_works(parse("- {name: big, count: 3, gpus: 4, gpuModel: L40S, cpu: 96, memory: 1Ti, labels: {zone: a},\n"
			   "   taints: [{key: k, value: v, effect: NoSchedule}]}\n"
			   "- {name: odd, gpus: 2, gpuModel: Wonder-9000, gpuMemory: 24Gi}\n"
			   "- {name: cpu, count: 2, cpu: 1.5}\n",
		&shapes, &err));
	assert_int_equal(shapes.count, 3);
	assert_int_equal(node_shapes_total(&shapes), 6);
	stint_auto_json *big = node_shape_object(&shapes.items[0], 0), *odd = node_shape_object(&shapes.items[1], 0);
	stint_auto_json *cpu = node_shape_object(&shapes.items[2], 0);
	assert_string_equal(stint_json_string(stint_json_at(big, "status", "capacity", "memory")), "1Ti");
	assert_string_equal(stint_json_string(stint_json_at(big, "metadata", "labels", "zone")), "a");
	assert_string_equal(stint_json_string(stint_json_get(stint_json_first(stint_json_at(big, "spec", "taints")), "key")), "k");
	assert_string_equal(stint_json_string(stint_json_at(odd, "metadata", "labels", "nvidia.com/gpu.memory")), "24576");
	assert_string_equal(stint_json_string(stint_json_at(cpu, "status", "capacity", "cpu")), "1500m");
	assert_null(stint_json_at(cpu, "metadata", "labels", "nvidia.com/gpu.present"));
	node_shapes_free(&shapes);
}

static void broken_shapes_are_refused_with_a_sentence(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "no shapes"},
		{"count: 3", "not a list"},
		{"- 7", "not a mapping"},
		{"- {count: -1}", "count must be"},
		{"- {count: 1.5}", "count must be"},
		{"- {gpus: 65}", "gpus must be"},
		{"- {gpus: 1, gpuModel: Wonder}", "is not known"},
		{"- {gpus: 1, gpuMemory: lots}", "gpuMemory must be"},
		{"- {cpu: many}", "cpu and memory must be"},
		{"- {wonder: 1}", "unknown key \"wonder\""},
		{"- {name: Big}", "no node name"},
		{"- {labels: [a]}", "labels must map"},
		{"- {taints: [{value: v}]}", "taints must be"},
		{"- {name: a}\n- {name: a}", "is used by an entry before"},
		{"- {name: a, count: 15000}\n- {name: b, count: 15000}", "at most 20000"},
		{"- [", "shapes.yaml"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct node_shapes shapes = {0};
		assert_fails(parse(cases[i].text, &shapes, &err), STINT_USAGE, cases[i].words);
		node_shapes_free(&shapes);
	}
	struct node_shapes shapes = {0};
	assert_fails(node_shapes_uniform(1, 8, "Wonder", &shapes, &err), STINT_USAGE, "take one of");
	node_shapes_free(&shapes);
}

static void use_is_plausible_and_repeatable(void **state)
{
	(void)state;
	struct use_value first = use_of_pod("uid-1", 1, 80000, 1000), again = use_of_pod("uid-1", 1, 80000, 2000);
	assert_int_equal(first.util_percent, again.util_percent);
	assert_int_equal(first.memory_mib, again.memory_mib);
	for (int i = 0; i < 200; i++) {
		stint_autofree char *uid = stint_format("uid-%d", i);
		struct use_value whole = use_of_pod(uid, 1, 80000, i * 40000), half = use_of_pod(uid, 0.5, 80000, i * 40000);
		assert_true(whole.util_percent >= 40 && whole.util_percent <= 100);
		assert_true(whole.memory_mib > 0 && whole.memory_mib <= 80000);
		assert_true(half.util_percent <= 52 && half.memory_mib <= 40000);
	}
}

static void use_is_written_no_oftener_than_it_matters(void **state)
{
	(void)state;
	static const struct {
		int util, since_change_ms, since_write_ms;
		bool due;
	} cases[] = {
		{50, 0, 0, false},
		{60, 14999, 14999, false},
		{60, 15000, 15000, true},
		{54, 15000, 15000, false},
		{55, 15000, 15000, true},
		{50, 44999, 44999, false},
		{50, 45000, 45000, true},
		{60, 15000, 0, true}, /* a time stamp, or the first report of an idle node, holds nothing up */
		{60, 14999, 0, false},
	};
	const struct use_value written = {50, 1000};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		const struct use_value now = {cases[i].util, 1000};
		assert_int_equal(use_is_due(&now, &written, 1, 80000, cases[i].since_change_ms, cases[i].since_write_ms), cases[i].due);
	}
}

static void devices_have_uuids_of_their_own_that_stay(void **state)
{
	(void)state;
	char a[USE_UUID_SIZE], b[USE_UUID_SIZE], again[USE_UUID_SIZE];
	use_device_uuid("node-0", 0, a);
	use_device_uuid("node-0", 1, b);
	use_device_uuid("node-0", 0, again);
	assert_string_equal(a, again);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 40);
	assert_true(stint_starts_with(a, "GPU-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_nodes_carry_the_labels_of_the_gpu_operator),
		cmocka_unit_test(a_file_tells_all_that_a_node_has),
		cmocka_unit_test(broken_shapes_are_refused_with_a_sentence),
		cmocka_unit_test(use_is_plausible_and_repeatable),
		cmocka_unit_test(use_is_written_no_oftener_than_it_matters),
		cmocka_unit_test(devices_have_uuids_of_their_own_that_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
