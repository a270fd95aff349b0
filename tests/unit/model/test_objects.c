/* Nodes, queues, groups, topologies and owners: what is read, what stays absent; and the table of texts. */
#include <stint/model.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/model/extended.h"

static struct stint_object *decode(struct stint_model *model, enum stint_kind kind, const char *json)
{
	stint_auto_error *err = NULL;
	const struct stint_decode_as as = {.kind = kind, .api_version = "batch/v1", .kind_name = "Job"};
	struct stint_object *object = stint_object_decode(model, &as, json, strlen(json), &err);
	if (!object)
		fail_msg("%s", err->message);
	return object;
}

static void release(struct stint_model *model, struct stint_object *object)
{
	struct stint_model_stats stats;
	stint_object_unref(object);
	stint_model_measure(model, &stats);
	assert_int_equal(stats.texts, 0);
	assert_int_equal(stats.specs, 0);
	stint_model_free(model);
}

static void a_node_is_read(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_object *object = decode(model, STINT_KIND_NODE,
		"{\"metadata\":{\"name\":\"n1\",\"labels\":{\"nvidia.com/gpu.count\":\"8\",\"nvidia.com/"
		"gpu.memory\":\"81559\",\"nvidia.com/gpu.product\":\"H100\"},"
		"\"annotations\":{\"kwok.x-k8s.io/node\":\"fake\",\"node.alpha/x\":\"y\",\"stint.dev/gpu-use\":"
		"\"[{\\\"slot\\\":0,\\\"uuid\\\":\\\"GPU-1\\\",\\\"util_percent\\\":45,\\\"memory_mib\\\":1024,\\\"time\\\":\\\"2026-11-"
		"24T06:00:00Z\\\"},"
		"{\\\"slot\\\":1,\\\"memory_mib\\\":null}]\"}},"
		"\"spec\":{\"unschedulable\":true,\"taints\":[{\"key\":\"gpu\",\"effect\":\"NoSchedule\"}]},"
		"\"status\":{\"allocatable\":{\"cpu\":\"63500m\",\"memory\":\"1000Ki\",\"pods\":\"110\",\"nvidia.com/"
		"gpu\":\"8\",\"ephemeral-storage\":\"1k\"},"
		"\"conditions\":[{\"type\":\"MemoryPressure\",\"status\":\"False\"},{\"type\":\"DiskPressure\",\"status\":\"True\"},"
		"{\"type\":\"PIDPressure\",\"status\":\"Unknown\"},{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"KubeletReady\"}],"
		"\"addresses\":[{\"type\":\"Hostname\",\"address\":\"n1\"},{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"}],\"images\":["
		"{\"names\":[]}]}}");
	struct stint_node *node = stint_node_of(object);
	struct stint_gpu_use *uses;
	(void)state;
	assert_int_equal(node->allocatable.cpu_milli, 63500);
	assert_int_equal(node->allocatable.pods, 110);
	assert_int_equal(extended_of(&node->allocatable, "ephemeral-storage"), 1000);
	assert_int_equal(node->gpu_count, 8);
	assert_int_equal(node->gpu_memory_mib, 81500);
	assert_string_equal(node->gpu_product, "H100");
	assert_true(node->is_virtual);
	assert_true(node->unschedulable);
	assert_int_equal(node->ready, STINT_TRUE);
	assert_int_equal(node->pressures, STINT_PRESSURE_DISK | STINT_PRESSURE_PID);
	assert_string_equal(node->internal_ip, "10.0.0.1");
	assert_string_equal(node->taints[0].value, "");
	assert_int_equal(stint_node_gpu_use(node, &uses), 2);
	assert_true(uses[0].util_percent > 44 && uses[0].util_percent < 46);
	assert_true(stint_gpu_use_fresh(&uses[0], uses[0].time_ms + 60000));
	assert_false(stint_gpu_use_fresh(&uses[0], uses[0].time_ms + 60001));
	assert_true(uses[1].util_percent < 0);
	assert_int_equal(uses[1].memory_mib, -1);
	assert_false(stint_gpu_use_fresh(&uses[1], 0));
	free(uses);
	release(model, object);
}

static void the_memory_label_is_read_as_kai_reads_it(void **state)
{
	static const struct {
		const char *label;
		int64_t mib;
	} rows[] = {{"16384", 16300}, {"17179869184", 16300}, {"99", 0}, {"0", -1}, {"16Gi", -1}, {"", -1}};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct stint_model *model = stint_model_new();
		stint_autofree char *json =
			stint_format("{\"metadata\":{\"name\":\"n\",\"labels\":{\"nvidia.com/gpu.memory\":\"%s\"}}}", rows[i].label);
		struct stint_object *object = decode(model, STINT_KIND_NODE, json);
		assert_int_equal(stint_node_of(object)->gpu_memory_mib, rows[i].mib);
		assert_int_equal(stint_node_of(object)->ready, STINT_UNKNOWN);
		release(model, object);
	}
}

static void broken_use_of_devices_is_unknown(void **state)
{
	static const char *const texts[] = {"", "{}", "[1]", "[{\\\"slot\\\":-1}]", "[{\\\"slot\\\":1}] x", "[{\\\"slot\\\":1}"};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(texts); i++) {
		struct stint_model *model = stint_model_new();
		struct stint_gpu_use *uses;
		stint_autofree char *json =
			stint_format("{\"metadata\":{\"name\":\"n\",\"annotations\":{\"stint.dev/gpu-use\":\"%s\"}}}", texts[i]);
		struct stint_object *object = decode(model, STINT_KIND_NODE, json);
		assert_int_equal(stint_node_gpu_use(stint_node_of(object), &uses), 0);
		assert_null(uses);
		release(model, object);
	}
}

static void a_queue_keeps_absent_zero_and_unlimited_apart(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_object *object = decode(model, STINT_KIND_QUEUE,
		"{\"metadata\":{\"name\":\"vision\"},\"spec\":{\"parentQueue\":\"research\",\"resources\":{\"gpu\":{\"quota\":1.5,"
		"\"limit\":-1,\"overQuotaWeight\":0},"
		"\"memory\":{\"quota\":4096,\"limit\":-7}},\"reclaimMinRuntime\":\"1h30m\"}}");
	struct stint_queue *queue = stint_queue_of(object);
	(void)state;
	assert_string_equal(queue->parent, "research");
	assert_int_equal(queue->priority, 100);
	assert_false(queue->priority_known);
	assert_true(queue->gpu.quota > 1.49 && queue->gpu.quota < 1.51);
	assert_true(queue->gpu.limit < 0);
	assert_true(queue->gpu.has_weight);
	assert_true(queue->has_resources);
	assert_false(queue->cpu.has_quota);
	assert_int_equal((int64_t)queue->memory.quota, INT64_C(4096000000));
	assert_int_equal((int64_t)queue->memory.limit, -1);
	assert_int_equal(queue->reclaim_min_runtime_ms, 5400000);
	assert_int_equal(queue->preempt_min_runtime_ms, -1);
	release(model, object);
}

static void a_pod_group_is_read(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_object *object = decode(model, STINT_KIND_POD_GROUP,
		"{\"metadata\":{\"name\":\"g\",\"namespace\":\"a\"},\"spec\":{\"minMember\":0,\"queue\":\"q\",\"preemptibility\":\"non-"
		"preemptible\",\"markUnschedulable\":false,"
		"\"stalenessGracePeriod\":\"-1s\",\"topologyConstraint\":{\"topology\":\"t\",\"requiredTopologyLevel\":\"rack\"},"
		"\"subGroups\":[{\"name\":\"a\",\"minMember\":2},{\"name\":\"b\",\"parent\":\"a\",\"topologyConstraint\":{"
		"\"preferredTopologyLevel\":\"x\"}}]}}");
	struct stint_pod_group *group = stint_pod_group_of(object);
	(void)state;
	assert_int_equal(group->min_member, 0);
	assert_int_equal(group->min_subgroup, -1);
	assert_int_equal(group->preemptibility, STINT_NON_PREEMPTIBLE);
	assert_int_equal(group->mark_unschedulable, STINT_FALSE);
	assert_int_equal(group->staleness_grace_ms, -1000);
	assert_int_equal(group->preemption_delay_ms, -1);
	assert_string_equal(group->constraint.required_level, "rack");
	assert_int_equal(group->subgroups_count, 2);
	assert_int_equal(group->subgroups[0].min_member, 2);
	assert_int_equal(group->subgroups[1].min_member, -1);
	assert_string_equal(group->subgroups[1].constraint.preferred_level, "x");
	release(model, object);
}

static void small_kinds_are_read(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_object *topology = decode(model, STINT_KIND_TOPOLOGY,
		"{\"metadata\":{\"name\":\"t\"},\"spec\":{\"levels\":[{\"nodeLabel\":\"zone\",\"alias\":\"z\"},{\"nodeLabel\":\"rack\"}]}"
		"}");
	struct stint_object *class =
		decode(model, STINT_KIND_PRIORITY_CLASS, "{\"metadata\":{\"name\":\"c\"},\"value\":-10,\"globalDefault\":true}");
	struct stint_object *space = decode(model, STINT_KIND_NAMESPACE,
		"{\"metadata\":{\"name\":\"vision\",\"labels\":{\"stint.dev/"
		"project\":\"vision\"}},\"status\":{\"phase\":\"Terminating\"}}");
	(void)state;
	assert_int_equal(stint_topology_of(topology)->levels_count, 2);
	assert_string_equal(stint_topology_of(topology)->levels[0].alias, "z");
	assert_int_equal(stint_priority_class_of(class)->value, -10);
	assert_true(stint_priority_class_of(class)->global_default);
	assert_true(stint_space_of(space)->terminating);
	assert_null(stint_queue_of(space));
	stint_object_unref(topology);
	stint_object_unref(class);
	release(model, space);
}

static void a_job_is_read_with_its_template(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_object *object = decode(model, STINT_KIND_OWNER,
		"{\"metadata\":{\"name\":\"j\",\"annotations\":{\"kai.scheduler/"
		"batch-min-member\":\"4\"}},\"spec\":{\"parallelism\":4,\"completions\":4,"
		"\"completionMode\":\"Indexed\",\"suspend\":true,\"template\":{\"metadata\":{\"annotations\":{\"gpu-fraction\":\"0.5\"},"
		"\"labels\":{\"a\":\"b\"}},"
		"\"spec\":{\"nodeName\":\"ignored\",\"containers\":[{\"image\":\"i\"}]}}},\"status\":{\"succeeded\":1,\"startTime\":\"2026-"
		"11-24T06:00:00Z\","
		"\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\",\"reason\":\"BackoffLimitExceeded\"}]}}");
	struct stint_owner *owner = stint_owner_of(object);
	(void)state;
	assert_string_equal(owner->kind_name, "Job");
	assert_string_equal(stint_object_annotation(object, "kai.scheduler/batch-min-member"), "4");
	assert_true(owner->indexed);
	assert_int_equal(owner->suspend, STINT_TRUE);
	assert_int_equal(owner->succeeded, 1);
	assert_int_equal(owner->active, -1);
	assert_int_equal(owner->pod_spec->gpu.kind, STINT_GPU_FRACTION);
	assert_string_equal(stint_pairs_get(&owner->template_labels, "a"), "b");
	assert_true(owner->failed_for_good);
	assert_string_equal(owner->failed_reason, "BackoffLimitExceeded");
	release(model, object);
}

static void a_custom_owner_may_use_our_words_for_other_things(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_object *object = decode(model, STINT_KIND_OWNER,
		"{\"apiVersion\":\"x/"
		"v1\",\"kind\":\"Thing\",\"metadata\":{\"name\":\"t\"},\"spec\":{\"template\":\"text\",\"replicas\":\"many\",\"suspend\":3}"
		","
		"\"status\":{\"active\":[\"a\"],\"conditions\":{\"x\":1},\"startTime\":5}}");
	(void)state;
	assert_string_equal(stint_owner_of(object)->kind_name, "Thing");
	assert_int_equal(stint_owner_of(object)->replicas, -1);
	assert_null(stint_owner_of(object)->pod_spec);
	release(model, object);
}

static void events_of_both_forms_are_read(void **state)
{
	static const char *const texts[] = {
		"{\"metadata\":{\"name\":\"e\"},\"involvedObject\":{\"kind\":\"Pod\",\"namespace\":\"vision\",\"name\":\"p\",\"uid\":\"u\"}"
		",\"type\":\"Warning\","
		"\"reason\":\"BackOff\",\"message\":\"m\",\"count\":3,\"firstTimestamp\":\"2026-11-24T06:00:00Z\",\"lastTimestamp\":\"2026-"
		"11-24T06:00:30Z\","
		"\"eventTime\":null,\"source\":{\"component\":\"kubelet\"},\"reportingComponent\":\"\"}",
		"{\"metadata\":{\"name\":\"e\"},\"involvedObject\":{\"kind\":\"Pod\",\"namespace\":\"vision\",\"name\":\"p\",\"uid\":\"u\"}"
		",\"type\":\"Warning\","
		"\"reason\":\"BackOff\",\"message\":\"m\",\"eventTime\":\"2026-11-24T06:00:00.000001Z\",\"firstTimestamp\":null,\"source\":"
		"{},"
		"\"series\":{\"count\":3,\"lastObservedTime\":\"2026-11-24T06:00:30.000000Z\"},\"reportingComponent\":\"kubelet\"}",
	};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(texts); i++) {
		struct stint_model *model = stint_model_new();
		struct stint_object *object = decode(model, STINT_KIND_EVENT, texts[i]);
		struct stint_event *event = stint_event_of(object);
		assert_string_equal(event->about_name, "p");
		assert_string_equal(event->component, "kubelet");
		assert_int_equal(event->count, 3);
		assert_int_equal(event->last_ms % 60000, 30000);
		release(model, object);
	}
}

static void texts_are_one_each_until_the_last_holder_goes(void **state)
{
	struct stint_model *model = stint_model_new();
	enum { MANY = 5000 };
	static const char *held[MANY];
	struct stint_model_stats stats;
	char name[32];
	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "text-%d", i);
		held[i] = stint_text_take(model, name, strlen(name));
	}
	for (int i = 0; i < MANY; i += 2)
		stint_text_drop(model, held[i]);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "text-%d", i);
		assert_ptr_equal(stint_text_find(model, name, strlen(name)), i % 2 ? held[i] : NULL);
	}
	assert_ptr_equal(stint_text_take(model, "text-1", 6), held[1]);
	stint_text_drop(model, held[1]);
	for (int i = 1; i < MANY; i += 2)
		stint_text_drop(model, held[i]);
	stint_model_measure(model, &stats);
	assert_int_equal(stats.texts, 0);
	stint_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_read),
		cmocka_unit_test(the_memory_label_is_read_as_kai_reads_it),
		cmocka_unit_test(broken_use_of_devices_is_unknown),
		cmocka_unit_test(a_queue_keeps_absent_zero_and_unlimited_apart),
		cmocka_unit_test(a_pod_group_is_read),
		cmocka_unit_test(small_kinds_are_read),
		cmocka_unit_test(a_job_is_read_with_its_template),
		cmocka_unit_test(a_custom_owner_may_use_our_words_for_other_things),
		cmocka_unit_test(events_of_both_forms_are_read),
		cmocka_unit_test(texts_are_one_each_until_the_last_holder_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
