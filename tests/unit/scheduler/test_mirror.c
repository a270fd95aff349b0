/* What the mirror promises: the engine knows what the API server says, no more and no less, whatever order the news come in. */
#include "cluster.h"

static void a_pod_that_comes_is_decided_in_the_next_cycle_and_only_once(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	cluster_pod(c, "a", "", "GPU", "");
	assert_true(c->changes > 0);
	assert_int_equal(cluster_cycle(c), 1);
	cluster_pod(c, "a", "\"labels\":{\"x\":\"y\"}", "GPU", ""); /* news from before the bind */
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_pod_view view;
	assert_true(stint_engine_pod_view(c->engine, cluster_find(c, "a")->handle, &view));
	assert_int_equal(view.status, STINT_POD_ASSUMED);
}

static void a_holder_is_known_by_its_namespace_and_says_its_slot(void **state)
{
	struct cluster *c = *state;
	static const struct {
		const char *space, *annotations;
		bool is_holder;
		int slot;
	} table[] = {{"stint-reservation", "\"stint.dev/device-slot\":\"0\"", true, 0},
		{"stint-reservation", "\"stint.dev/device-slot\":\"63\"", true, 63}, /* the last that is used */
		{"stint-reservation", "\"stint.dev/device-slot\":\"64\"", true, -1},
		{"stint-reservation", "\"stint.dev/device-slot\":\"x\"", true, -1}, {"stint-reservation", "", false, -1},
		{"vision", "\"stint.dev/device-slot\":\"0\"", false, -1}}; /* anybody can write that */
	for (size_t i = 0; i < STINT_COUNT(table); i++) {
		stint_autofree char *json = stint_format("{\"metadata\":{\"namespace\":\"%s\",\"name\":\"h\",\"uid\":\"h\",\"annotations\":"
							 "{%s}},\"spec\":{\"nodeName\":\"n1\"}}",
			table[i].space, table[i].annotations);
		struct stint_object *object = cluster_decode(c, STINT_KIND_POD, NULL, NULL, json);
		int slot;
		assert_int_equal(stint_pod_is_holder(stint_pod_of(object), &slot), table[i].is_holder);
		assert_int_equal(slot, table[i].slot);
		stint_object_unref(object);
	}
}

static void pods_of_other_schedulers_count_once_they_have_a_node(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 1, true);
	const char *json =
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"other\",\"uid\":\"p-other\"},\"spec\":{%s\"containers\":[{\"name\":"
		"\"c\","
		"\"image\":\"i\",\"resources\":{\"limits\":{\"nvidia.com/gpu\":\"1\"},\"requests\":{\"nvidia.com/gpu\":\"1\"}}}]},"
		"\"status\":{\"phase\":\"Pending\"}}";
	stint_autofree char *waiting = stint_format("%.*s%s", (int)(strstr(json, "%s") - json), json, strstr(json, "%s") + 2);
	stint_autofree char *placed =
		stint_format("%.*s\"nodeName\":\"n1\",%s", (int)(strstr(json, "%s") - json), json, strstr(json, "%s") + 2);
	cluster_put(c, STINT_KIND_POD, NULL, NULL, waiting);
	assert_null(cluster_find(c, "other"));
	cluster_put(c, STINT_KIND_POD, NULL, NULL, placed);
	cluster_pod(c, "a", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	cluster_remove(c, STINT_KIND_POD, placed);
	assert_int_equal(cluster_cycle(c), 1);
}

static void a_gang_waits_for_its_owner_and_then_for_all_its_members(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	cluster_pod(c, "w0", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	assert_int_equal(c->missing_owners, 1);
	assert_int_equal(cluster_find(c, "w0")->hold, STINT_HOLD_OWNER);
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job",
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"train\",\"uid\":\"j1\",\"annotations\":{\"kai.scheduler/"
		"batch-min-member\":\"2\"}}}");
	assert_int_equal(cluster_cycle(c), 0);
	cluster_pod(c, "w1", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 2);
}

static void what_a_deleted_owner_leaves_is_not_placed_and_nobody_falls_for_it(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 1, true);
	const char *job = "{\"metadata\":{\"namespace\":\"default\",\"name\":\"train\",\"uid\":\"j1\",\"annotations\":"
			  "{\"kai.scheduler/batch-min-member\":\"2\"}}}";
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", job);
	cluster_pod(c, "w0", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	cluster_pod(c, "w1", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	cluster_remove(c, STINT_KIND_OWNER, job);
	cluster_pod(c, "w0", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "\"conditions\":[]"); /* some news of a pod */
	assert_int_equal(cluster_cycle(c), 0);
	assert_int_equal(cluster_find(c, "w1")->hold, STINT_HOLD_OWNER);
	assert_int_equal(c->missing_owners, 0);
	cluster_pod(c, "w0", "", "GPU", ""); /* given up by the deleted Job: it stands alone */
	assert_int_equal(cluster_cycle(c), 1);
}

static void the_minimum_falls_when_pods_or_the_job_tell_of_success(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	const char *job = "{\"metadata\":{\"namespace\":\"default\",\"name\":\"train\",\"uid\":\"j1\",\"annotations\":"
			  "{\"kai.scheduler/batch-min-member\":\"3\"}}%s}";
	stint_autofree char *begun = stint_format("%.*s}", (int)(strstr(job, "%s") - job), job);
	stint_autofree char *later = stint_format("%.*s,\"status\":{\"succeeded\":2}}", (int)(strstr(job, "%s") - job), job);
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", begun);
	cluster_pod(c, "w0", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "\"phase\":\"Succeeded\"");
	cluster_pod(c, "w1", CLUSTER_OWNED("Job", "train", "j1"), "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	struct stint_group_view view;
	assert_true(stint_engine_group_view(c->engine, cluster_find(c, "w1")->group->handle, &view));
	assert_int_equal(view.min_member, 2);
	cluster_put(c, STINT_KIND_OWNER, "batch/v1", "Job", later);
	assert_int_equal(cluster_cycle(c), 1);
	assert_true(stint_engine_group_view(c->engine, cluster_find(c, "w1")->group->handle, &view));
	assert_int_equal(view.min_member, 1);
}

static void a_queue_that_comes_later_is_found_by_those_who_wait(void **state)
{
	struct cluster *c = *state;
	cluster_node(c, "n1", 8, true);
	cluster_pod(c, "a", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	cluster_queue(c, "default", 8, -1);
	assert_int_equal(cluster_cycle(c), 1);
}

static void a_project_label_that_comes_later_moves_those_who_wait(void **state)
{
	struct cluster *c = *state;
	cluster_node(c, "n1", 8, true);
	cluster_queue(c, "default", 0, 0);
	cluster_queue(c, "vision", 8, -1);
	cluster_pod(c, "a", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 0);
	cluster_put(c, STINT_KIND_NAMESPACE, NULL, NULL,
		"{\"metadata\":{\"name\":\"default\",\"uid\":\"s1\",\"labels\":{\"stint.dev/project\":\"vision\"}}}");
	assert_int_equal(cluster_cycle(c), 1);
}

static void a_share_without_wiring_runs_on_virtual_nodes_alone(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "real", 8, false);
	cluster_pod(c, "a", "\"annotations\":{\"gpu-fraction\":\"0.5\"}", "", "");
	assert_int_equal(cluster_cycle(c), 0);
	assert_int_equal(cluster_find(c, "a")->hold, STINT_HOLD_WIRING);
	cluster_node(c, "virtual", 8, true);
	assert_int_equal(cluster_cycle(c), 1);
	assert_int_equal(cluster_find(c, "a")->hold, STINT_HOLD_NONE);
}

static void a_share_with_wiring_may_go_to_real_nodes(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "real", 8, false);
	stint_autofree char *json = stint_strdup(
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"a\",\"uid\":\"p-a\",\"annotations\":{\"gpu-fraction\":\"0.5\"}},"
		"\"spec\":{\"schedulerName\":\"stint-scheduler\",\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"env\":[{\"name\":"
		"\"NVIDIA_VISIBLE_DEVICES\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.annotations['stint.dev/"
		"gpu-uuids']\"}}}]}]}}");
	cluster_put(c, STINT_KIND_POD, NULL, NULL, json);
	assert_int_equal(cluster_cycle(c), 1);
}

static void after_a_restart_devices_come_from_the_annotations(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 2, true);
	cluster_pod(c, "a", "\"annotations\":{\"gpu-fraction\":\"0.5\",\"stint.dev/gpu-devices\":\"1\"}", "\"nodeName\":\"n1\"", "");
	cluster_pod(c, "whole", "", "GPU", "");
	cluster_pod(c, "b", "\"annotations\":{\"gpu-fraction\":\"0.5\"}", "", "");
	assert_int_equal(cluster_cycle(c), 2);
	struct stint_device_view device;
	assert_true(stint_engine_device_view(c->engine, stint_engine_node_find(c->engine, "n1"), 0, &device));
	assert_true(device.whole);
	assert_true(stint_engine_device_view(c->engine, stint_engine_node_find(c->engine, "n1"), 1, &device));
	assert_int_equal(device.pods, 2);
}

static void pods_of_one_kai_group_share_one_device(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 2, true);
	const char *shared = "\"labels\":{\"runai-gpu-group\":\"g\"},\"annotations\":{\"gpu-fraction\":\"0.5\"}";
	cluster_pod(c, "a", shared, "\"nodeName\":\"n1\"", "");
	cluster_pod(c, "b", shared, "\"nodeName\":\"n1\"", "");
	cluster_pod(c, "whole", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 1);
	struct stint_device_view device;
	assert_true(stint_engine_device_view(c->engine, stint_engine_node_find(c->engine, "n1"), 1, &device));
	assert_int_equal(device.pods, 2);
}

static void a_pod_deleted_before_it_has_a_node_takes_nothing(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 1, true);
	cluster_pod(c, "a", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 1);
	cluster_pod(c, "a", "\"deletionTimestamp\":\"2026-01-01T00:00:01Z\"", "GPU", "");
	cluster_pod(c, "b", "", "GPU", "");
	assert_int_equal(cluster_cycle(c), 1);
	assert_true(c->gone > 0);
}

static void groups_live_exactly_as_long_as_their_members(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	cluster_pod(c, "a", "", "GPU", "");
	cluster_cycle(c);
	struct stint_mirror_group *group = NULL;
	size_t at = 0;
	assert_true(stint_mirror_next_group(c->mirror, &at, &group));
	stint_autofree char *json = cluster_pod_json("a", "", "GPU", "");
	cluster_remove(c, STINT_KIND_POD, json);
	cluster_cycle(c);
	at = 0;
	assert_false(stint_mirror_next_group(c->mirror, &at, &group));
	struct stint_engine_stats stats;
	stint_engine_measure(c->engine, &stats);
	assert_int_equal(stats.groups, 0);
	assert_int_equal(stats.pods, 0);
}

static void the_reason_of_a_condition_is_read_back_after_a_restart(void **state)
{
	struct cluster *c = *state;
	cluster_pod(c, "a", "", "GPU",
		"\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"OverLimit: too "
		"much\"}]");
	cluster_pod(c, "b", "", "GPU",
		"\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\",\"reason\":\"Unschedulable\",\"message\":\"0/3 nodes: "
		"no\"}]");
	assert_string_equal(cluster_find(c, "a")->told, "OverLimit");
	assert_string_equal(cluster_find(c, "b")->told, "");
}

static void a_pod_that_is_held_back_is_tried_again_when_its_time_has_come(void **state)
{
	struct cluster *c = *state;
	cluster_queue(c, "default", 8, -1);
	cluster_node(c, "n1", 8, true);
	cluster_pod(c, "a", "", "GPU", "");
	stint_mirror_settle(c->mirror, 0);
	struct stint_mirror_pod *pod = cluster_find(c, "a");
	assert_int_equal(stint_mirror_hold_back(c->mirror, pod, 500), 1500);
	assert_int_equal(cluster_cycle(c), 0);
	pod->held_until_ms = 1000; /* the time of the test's cycles */
	stint_mirror_age(c->mirror, 1000);
	assert_int_equal(cluster_cycle(c), 1);
}

#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, cluster_setup, cluster_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CLUSTER(a_pod_that_comes_is_decided_in_the_next_cycle_and_only_once),
		IN_CLUSTER(a_holder_is_known_by_its_namespace_and_says_its_slot),
		IN_CLUSTER(pods_of_other_schedulers_count_once_they_have_a_node),
		IN_CLUSTER(a_gang_waits_for_its_owner_and_then_for_all_its_members),
		IN_CLUSTER(what_a_deleted_owner_leaves_is_not_placed_and_nobody_falls_for_it),
		IN_CLUSTER(the_minimum_falls_when_pods_or_the_job_tell_of_success),
		IN_CLUSTER(a_queue_that_comes_later_is_found_by_those_who_wait),
		IN_CLUSTER(a_project_label_that_comes_later_moves_those_who_wait),
		IN_CLUSTER(a_share_without_wiring_runs_on_virtual_nodes_alone),
		IN_CLUSTER(a_share_with_wiring_may_go_to_real_nodes),
		IN_CLUSTER(after_a_restart_devices_come_from_the_annotations),
		IN_CLUSTER(pods_of_one_kai_group_share_one_device),
		IN_CLUSTER(a_pod_deleted_before_it_has_a_node_takes_nothing),
		IN_CLUSTER(groups_live_exactly_as_long_as_their_members),
		IN_CLUSTER(the_reason_of_a_condition_is_read_back_after_a_restart),
		IN_CLUSTER(a_pod_that_is_held_back_is_tried_again_when_its_time_has_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
