/* Pods: what is read, what the request sums to, what the GPU annotations mean, what is shared, and what a broken one costs. */
#include <stint/model.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/model/extended.h"

static const struct stint_decode_as as_pod = {.kind = STINT_KIND_POD};

static struct stint_pod *decode(struct stint_model *model, const char *json)
{
	stint_auto_error *err = NULL;
	struct stint_object *object = stint_object_decode(model, &as_pod, json, strlen(json), &err);
	if (!object)
		fail_msg("%s", err->message);
	return stint_pod_of(object);
}

static void assert_nothing_left(struct stint_model *model)
{
	struct stint_model_stats stats;
	stint_model_measure(model, &stats);
	assert_int_equal(stats.texts, 0);
	assert_int_equal(stats.specs, 0);
	assert_int_equal(stats.objects, 0);
	stint_model_free(model);
}

static const char whole_pod[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"train-0\",\"namespace\":\"vision\",\"uid\":\"u-1\","
	"\"resourceVersion\":\"42\","
	"\"creationTimestamp\":\"2026-11-24T06:00:00Z\",\"deletionTimestamp\":\"2026-11-24T06:10:00Z\",\"labels\":{\"b\":\"2\",\"a\":\"1\"}"
	","
	"\"annotations\":{\"gpu-fraction\":\"0.5\",\"noise.example/big\":\"x\",\"stint.dev/gpu-devices\":\"3,5\"},"
	"\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Other\",\"name\":\"o\",\"uid\":\"u-o\"},{\"apiVersion\":\"batch/"
	"v1\",\"kind\":\"Job\","
	"\"name\":\"train\",\"uid\":\"u-j\",\"controller\":true}],\"managedFields\":[{\"manager\":\"m\",\"fieldsV1\":{\"f:x\":{}}}]},"
	"\"spec\":{\"nodeName\":\"n1\",\"schedulerName\":\"stint-scheduler\",\"priority\":50,\"priorityClassName\":\"train\","
	"\"runtimeClassName\":\"nvidia\","
	"\"restartPolicy\":\"Never\",\"schedulingGates\":[{\"name\":\"wait\"}],\"activeDeadlineSeconds\":3600,"
	"\"containers\":[{\"name\":\"main\",\"image\":\"pytorch\",\"resources\":{\"requests\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}},"
	"\"ports\":[{\"containerPort\":80},{\"containerPort\":81,\"hostPort\":8081,\"protocol\":\"UDP\"}],"
	"\"env\":[{\"name\":\"A\",\"value\":\"b\"},{\"name\":\"NVIDIA_VISIBLE_DEVICES\",\"valueFrom\":{\"fieldRef\":{\"apiVersion\":\"v1\","
	"\"fieldPath\":\"metadata.annotations['stint.dev/gpu-uuids']\"}}}]}],"
	"\"tolerations\":[{\"key\":\"gpu\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":0}],"
	"\"affinity\":{\"podAntiAffinity\":{\"x\":[1]}},\"topologySpreadConstraints\":[{\"maxSkew\":1}]},"
	"\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-11-24T06:00:05Z\",\"podIP\":\"10.0.0.7\","
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"},{\"type\":\"PodScheduled\",\"status\":\"True\",\"lastTransitionTime\":"
	"\"2026-11-24T06:00:01Z\"}],"
	"\"containerStatuses\":[{\"name\":\"main\",\"ready\":false,\"restartCount\":2,\"state\":{\"waiting\":{\"reason\":"
	"\"CrashLoopBackOff\"}},"
	"\"lastState\":{\"terminated\":{\"exitCode\":9}}}]},\"unknown\":{\"deep\":[[[]]]}}";

static void a_whole_pod_is_read(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_pod *pod = decode(model, whole_pod);
	uint16_t slots[4];
	(void)state;
	assert_string_equal(pod->meta.name, "train-0");
	assert_string_equal(pod->meta.space, "vision");
	assert_string_equal(pod->meta.resource_version, "42");
	assert_int_equal(pod->meta.deleted_ms - pod->meta.created_ms, 600000);
	assert_string_equal(stint_object_label(&pod->meta, "a"), "1");
	assert_null(stint_object_label(&pod->meta, "c"));
	assert_null(stint_object_annotation(&pod->meta, "noise.example/big"));
	assert_string_equal(pod->meta.owner.kind, "Job");
	assert_true(pod->meta.owner.controller);
	assert_string_equal(pod->node, "n1");
	assert_int_equal(pod->gates_count, 1);
	assert_int_equal(pod->spec->request.cpu_milli, 1000);
	assert_int_equal(pod->spec->request.pods, 1);
	assert_true(pod->spec->gpu_wired);
	assert_true(pod->spec->priority_known);
	assert_int_equal(pod->spec->host_ports_count, 1);
	assert_int_equal(pod->spec->host_ports[0].port, 8081);
	assert_int_equal(pod->spec->tolerations[0].seconds, 0); /* an explicit 0 is not "for ever" */
	assert_string_equal(pod->spec->pod_anti_affinity, "{\"x\":[1]}");
	assert_null(pod->spec->pod_affinity);
	assert_int_equal(pod->spec->active_deadline_s, 3600);
	assert_int_equal(pod->spec->grace_period_s, -1);
	assert_int_equal(pod->phase, STINT_PHASE_RUNNING);
	assert_int_equal(pod->scheduled, STINT_TRUE);
	assert_int_equal(pod->ready, STINT_FALSE);
	assert_string_equal(pod->waiting_reason, "CrashLoopBackOff");
	assert_int_equal(pod->restarts, 2);
	assert_false(pod->exited); /* lastState is history */
	assert_int_equal(stint_pod_gpu_devices(pod, slots, 4), 2);
	assert_int_equal(slots[1], 5);
	stint_object_unref(&pod->meta);
	assert_nothing_left(model);
}

static void what_is_not_said_is_absent_and_not_zero(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_pod *pod =
		decode(model, "{\"metadata\":{\"name\":\"p\",\"creationTimestamp\":null},\"spec\":null,\"status\":{\"conditions\":null}}");
	(void)state;
	assert_null(pod->node);
	assert_int_equal(pod->meta.created_ms, -1);
	assert_int_equal(pod->meta.deleted_ms, -1);
	assert_int_equal(pod->started_ms, -1);
	assert_int_equal(pod->phase, STINT_PHASE_UNKNOWN);
	assert_int_equal(pod->scheduled, STINT_UNKNOWN);
	assert_false(pod->spec->priority_known);
	assert_int_equal(stint_pod_gpu_devices(pod, NULL, 0), -1);
	stint_object_unref(&pod->meta);
	assert_nothing_left(model);
}

static void the_request_is_the_larger_of_run_and_start_plus_overhead(void **state)
{
	/* run: 1 + 0.5 (sidecar) = 1.5 CPU; start: 2 + 0.5 = 2.5; overhead 0.1. Memory: run 3Gi, start 1Gi. The second init starts after the sidecar. */
	const char *json =
		"{\"metadata\":{\"name\":\"p\"},\"spec\":{\"overhead\":{\"cpu\":\"100m\"},"
		"\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\",\"memory\":\"3Gi\",\"nvidia.com/gpu\":\"2\",\"example.com/"
		"nic\":\"1\"}}}],"
		"\"initContainers\":[{\"resources\":{\"requests\":{\"cpu\":\"2200m\"}}},"
		"{\"restartPolicy\":\"Always\",\"resources\":{\"requests\":{\"cpu\":\"500m\"}}},"
		"{\"resources\":{\"requests\":{\"cpu\":\"2\",\"memory\":\"1Gi\",\"example.com/nic\":\"3\",\"example.com/none\":\"0\"}}}]}}";
	struct stint_model *model = stint_model_new();
	struct stint_pod *pod = decode(model, json);
	(void)state;
	assert_int_equal(pod->spec->request.cpu_milli, 2600);
	assert_int_equal(pod->spec->request.memory_bytes, INT64_C(3) << 30);
	assert_int_equal(pod->spec->request.gpu_milli, 2000);
	assert_int_equal(extended_of(&pod->spec->request, "example.com/nic"), 3000);
	assert_int_equal(pod->spec->request.extended_count, 1);
	assert_int_equal(pod->spec->gpu.kind, STINT_GPU_WHOLE);
	assert_int_equal(pod->spec->gpu.devices, 2);
	stint_object_unref(&pod->meta);
	assert_nothing_left(model);
}

static void limits_stand_in_for_requests_that_are_absent(void **state)
{
	const char *json =
		"{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"2\",\"nvidia.com/gpu\":1,"
		"\"example.com/nic\":\"1\"},\"requests\":{\"cpu\":\"0\"}}}]}}";
	struct stint_model *model = stint_model_new();
	struct stint_pod *pod = decode(model, json);
	(void)state;
	assert_int_equal(pod->spec->request.cpu_milli, 0);
	assert_int_equal(pod->spec->request.gpu_milli, 1000);
	assert_int_equal(extended_of(&pod->spec->request, "example.com/nic"), 1000);
	stint_object_unref(&pod->meta);
	assert_nothing_left(model);
}

struct ask_row {
	const char *annotations;
	const char *request;
	struct stint_gpu_ask ask;
	bool problem;
};

static void gpu_annotations_mean_what_kai_says(void **state)
{
	static const struct ask_row rows[] = {
		{"", "", {STINT_GPU_NONE, 0, 0, 0, NULL}, false},
		{"", "\"nvidia.com/gpu\":\"0\"", {STINT_GPU_NONE, 0, 0, 0, NULL}, false},
		{"", "\"amd.com/gpu\":\"4\"", {STINT_GPU_WHOLE, 4, 1, 0, NULL}, false},
		{"\"gpu-fraction\":\"0.5\"", "", {STINT_GPU_FRACTION, 1, 0.5, 0, NULL}, false},
		{"\"gpu-fraction\":\"1\"", "", {STINT_GPU_FRACTION, 1, 1, 0, NULL}, false},
		{"\"gpu-fraction\":\"0.25\",\"gpu-fraction-num-devices\":\"2\"", "", {STINT_GPU_FRACTION, 2, 0.25, 0, NULL}, false},
		{"\"gpu-memory\":\"2000\"", "", {STINT_GPU_MEMORY, 1, 0, 2000, NULL}, false},
		{"\"gpu-memory\":\"2000\",\"gpu-fraction-num-devices\":\"3\"", "", {STINT_GPU_MEMORY, 3, 0, 2000, NULL}, false},
		{"\"gpu-fraction-num-devices\":\"3\"", "", {STINT_GPU_NONE, 0, 0, 0, NULL}, false},
		{"\"gpu-fraction\":\"0\"", "", {STINT_GPU_FRACTION, 1, 0, 0, NULL}, true},
		{"\"gpu-fraction\":\"1.5\"", "", {STINT_GPU_FRACTION, 1, 0, 0, NULL}, true},
		{"\"gpu-fraction\":\"-1\"", "", {STINT_GPU_FRACTION, 1, 0, 0, NULL}, true},
		{"\"gpu-fraction\":\"NaN\"", "", {STINT_GPU_FRACTION, 1, 0, 0, NULL}, true},
		{"\"gpu-fraction\":\"half\"", "", {STINT_GPU_FRACTION, 1, 0, 0, NULL}, true},
		{"\"gpu-memory\":\"10Gi\"", "", {STINT_GPU_MEMORY, 1, 0, 0, NULL}, true},
		{"\"gpu-memory\":\"0\"", "", {STINT_GPU_MEMORY, 1, 0, 0, NULL}, true},
		{"\"gpu-fraction\":\"0.5\",\"gpu-memory\":\"10\"", "", {STINT_GPU_FRACTION, 1, 0.5, 0, NULL}, true},
		{"\"gpu-fraction\":\"0.5\",\"gpu-fraction-num-devices\":\"0\"", "", {STINT_GPU_FRACTION, 1, 0.5, 0, NULL}, true},
		{"\"gpu-fraction\":\"0.5\"", "\"nvidia.com/gpu\":\"1\"", {STINT_GPU_FRACTION, 1, 0.5, 0, NULL}, true},
		{"\"nvidia.com/mig-1g.5gb\":\"1\"", "", {STINT_GPU_NONE, 0, 0, 0, NULL}, true},
		{"", "\"nvidia.com/gpu\":\"500m\"", {STINT_GPU_WHOLE, 0, 1, 0, NULL}, true},
	};
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct stint_model *model = stint_model_new();
		stint_autofree char *json =
			stint_format("{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{%s}}}]},\"metadata\":{\"name\":\"p\","
				     "\"annotations\":{%s}}}",
				rows[i].request, rows[i].annotations);
		struct stint_pod *pod = decode(model, json);
		const struct stint_gpu_ask *ask = &pod->spec->gpu;
		if (ask->kind != rows[i].ask.kind || ask->devices != rows[i].ask.devices ||
			memcmp(&ask->portion, &rows[i].ask.portion, sizeof(double)) != 0 || ask->memory_mib != rows[i].ask.memory_mib ||
			(ask->problem != NULL) != rows[i].problem)
			fail_msg("row %zu (%s; %s): kind %d, devices %u, portion %f, memory %lld, problem %s", i, rows[i].annotations,
				rows[i].request, (int)ask->kind, ask->devices, ask->portion, (long long)ask->memory_mib,
				ask->problem ? ask->problem : "none");
		stint_object_unref(&pod->meta);
		assert_nothing_left(model);
	}
}

static void mig_by_annotation_counts_as_if_it_were_requested(void **state)
{
	struct stint_model *model = stint_model_new();
	struct stint_pod *pod = decode(model,
		"{\"metadata\":{\"name\":\"p\",\"annotations\":{\"nvidia.com/"
		"mig-2g.10gb\":\"2\"}},\"spec\":{\"containers\":[{\"resources\":"
		"{\"requests\":{\"example.com/nic\":\"1\",\"nvidia.com/mig-1g.5gb\":\"1\",\"xyz.com/a\":\"1\"}}}]}}");
	(void)state;
	assert_true(pod->spec->legacy_mig);
	assert_int_equal(pod->spec->request.extended_count, 4);
	assert_int_equal(extended_of(&pod->spec->request, "nvidia.com/mig-2g.10gb"), 2000);
	assert_int_equal(extended_of(&pod->spec->request, "nvidia.com/mig-1g.5gb"), 1000);
	assert_string_equal(pod->spec->request.extended[2].name, "nvidia.com/mig-2g.10gb");
	stint_object_unref(&pod->meta);
	assert_nothing_left(model);
}

static void pods_that_ask_the_same_share_a_spec(void **state)
{
	static const char format[] = "{\"metadata\":{\"name\":\"%s\",\"annotations\":{\"gpu-fraction\":\"%s\"}},\"spec\":{"
				     "\"nodeName\":\"%s\",\"volumes\":[{\"name\":\"%s\"}],"
				     "\"nodeSelector\":{\"zone\":\"a\"},\"tolerations\":[{\"operator\":\"Exists\"}],\"containers\":[{"
				     "\"name\":\"c\",\"image\":\"i\"}]}}";
	struct stint_model *model = stint_model_new();
	stint_autofree char *one = stint_format(format, "a", "0.5", "n1", "v1");
	stint_autofree char *two = stint_format(format, "b", "0.5", "n2", "v2");
	stint_autofree char *other = stint_format(format, "c", "0.25", "n1", "v1");
	struct stint_pod *a = decode(model, one), *b = decode(model, two), *c = decode(model, other);
	(void)state;
	assert_ptr_equal(a->spec, b->spec);
	assert_ptr_not_equal(a->spec, c->spec);
	stint_object_unref(&a->meta);
	assert_string_equal(b->spec->containers[0].image, "i");
	stint_object_unref(&b->meta);
	stint_object_unref(&c->meta);
	assert_nothing_left(model);
}

static void containers_that_failed_say_so(void **state)
{
	const char *json = "{\"metadata\":{\"name\":\"p\"},\"status\":{\"phase\":\"Failed\",\"reason\":\"Evicted\",\"containerStatuses\":["
			   "{\"restartCount\":0,\"state\":{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\",\"finishedAt\":\"2026-"
			   "11-24T06:00:09Z\"}}},"
			   "{\"restartCount\":3,\"state\":{\"terminated\":{\"exitCode\":137,\"reason\":\"OOMKilled\",\"finishedAt\":\"2026-"
			   "11-24T06:00:08Z\"}}}],"
			   "\"initContainerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}}}]}}";
	struct stint_model *model = stint_model_new();
	struct stint_pod *pod = decode(model, json);
	(void)state;
	assert_true(stint_pod_ended(pod));
	assert_string_equal(pod->terminated_reason, "OOMKilled");
	assert_int_equal(pod->exit_code, 137);
	assert_int_equal(pod->restarts, 3);
	assert_int_equal(pod->ended_ms % 60000, 9000);
	assert_string_equal(pod->reason, "Evicted");
	stint_object_unref(&pod->meta);
	assert_nothing_left(model);
}

static void the_cause_of_an_init_container_is_not_hidden(void **state)
{
	const char *json = "{\"metadata\":{\"name\":\"p\"},\"status\":{\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":"
			   "\"PodInitializing\"}}}],"
			   "\"initContainerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}}]}}";
	struct stint_model *model = stint_model_new();
	struct stint_pod *pod = decode(model, json);
	(void)state;
	assert_string_equal(pod->waiting_reason, "ErrImagePull");
	stint_object_unref(&pod->meta);
	assert_nothing_left(model);
}

static void escapes_are_undone_and_keys_that_come_twice_leak_nothing(void **state)
{
	const char *json =
		"{\"metadata\":{\"name\":\"x\",\"name\":\"p\\u0041\\n\",\"labels\":{\"a\":\"1\"},\"labels\":{\"a\":\"\\u0000\"}},"
		"\"spec\":{\"nodeSelector\":{\"a\":\"b\"},\"nodeSelector\":{},\"containers\":[{\"name\":\"a\"}],\"containers\":[{\"name\":"
		"\"b\"}]},"
		"\"spec\":{\"schedulingGates\":[{\"name\":\"g\"}],\"schedulingGates\":[]}}";
	struct stint_model *model = stint_model_new();
	struct stint_pod *pod = decode(model, json);
	(void)state;
	assert_string_equal(pod->meta.name, "pA\n");
	assert_string_equal(stint_object_label(&pod->meta, "a"), "\xEF\xBF\xBD");
	stint_object_unref(&pod->meta);
	assert_nothing_left(model);
}

static void a_pod_cut_anywhere_is_refused_and_leaks_nothing(void **state)
{
	struct stint_model *model = stint_model_new();
	(void)state;
	for (size_t length = 0; length + 1 < sizeof(whole_pod) - 1; length++) {
		stint_auto_error *err = NULL;
		assert_null(stint_object_decode(model, &as_pod, whole_pod, length, &err));
		assert_non_null(err);
	}
	assert_nothing_left(model);
}

static void wrong_types_are_refused_with_a_sentence(void **state)
{
	static const char *const texts[] = {
		"[]",
		"{\"metadata\":{\"name\":3}}",
		"{\"metadata\":{}}",
		"{\"metadata\":{\"name\":\"p\"},\"spec\":[]}",
		"{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"many\"}}}]}}",
		"{\"metadata\":{\"name\":\"p\"},\"spec\":{\"affinity\":{\"nodeAffinity\":{"
		"\"requiredDuringSchedulingIgnoredDuringExecution\":"
		"{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"operator\":\"In\",\"values\":[\"x\"]}]}]}}}}}",
		"{\"metadata\":{\"name\":\"p\",\"creationTimestamp\":\"yesterday\"}}",
		"{\"metadata\":{\"name\":\"p\"}} x",
	};
	struct stint_model *model = stint_model_new();
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(texts); i++) {
		stint_auto_error *err = NULL;
		if (stint_object_decode(model, &as_pod, texts[i], strlen(texts[i]), &err))
			fail_msg("accepted: %s", texts[i]);
		assert_non_null(strstr(err->message, "cannot read a pod"));
	}
	assert_nothing_left(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_pod_is_read),
		cmocka_unit_test(what_is_not_said_is_absent_and_not_zero),
		cmocka_unit_test(the_request_is_the_larger_of_run_and_start_plus_overhead),
		cmocka_unit_test(limits_stand_in_for_requests_that_are_absent),
		cmocka_unit_test(gpu_annotations_mean_what_kai_says),
		cmocka_unit_test(mig_by_annotation_counts_as_if_it_were_requested),
		cmocka_unit_test(pods_that_ask_the_same_share_a_spec),
		cmocka_unit_test(containers_that_failed_say_so),
		cmocka_unit_test(the_cause_of_an_init_container_is_not_hidden),
		cmocka_unit_test(escapes_are_undone_and_keys_that_come_twice_leak_nothing),
		cmocka_unit_test(a_pod_cut_anywhere_is_refused_and_leaks_nothing),
		cmocka_unit_test(wrong_types_are_refused_with_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
