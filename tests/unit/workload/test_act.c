/* act: what is deleted is what was seen. */
#include <stint/workload.h>

#include "tests/unit/workload/world.h"

#define GROUP "/apis/scheduling.run.ai/v2alpha2/namespaces/lab/podgroups/ring"
#define POD "/api/v1/namespaces/lab/pods/ring-0"

static const char *const objects[][2] = {
	{GROUP, "{\"metadata\":{\"name\":\"ring\",\"uid\":\"first\"}}"},
	{POD, "{\"metadata\":{\"name\":\"ring-0\",\"uid\":\"p\"}}"},
	{NULL, NULL},
};

static const struct stint_pod pod = {.meta = {.name = "ring-0", .uid = "p"}};
static const struct stint_pod *const pods[] = {&pod};
static const struct stint_workload ring = {.project = "lab", .kind = "PodGroup", .name = "ring", .pods = pods, .pods_count = 1};

static void test_a_pod_group_goes_after_its_pods(void **state)
{
	(void)state;
	struct world world;
	world_open(&world, objects);
	assert_works(stint_workload_delete(world.api.kube, &ring, &err));
	assert_int_equal(stint_json_count(world.objects), 0);
	assert_works(stint_workload_delete(world.api.kube, &ring, &err));
	world_close(&world);
}

static void make_another(struct world *world, const char *path)
{
	if (strcmp(path, POD) == 0)
		stint_json_set_string(stint_json_ensure_object(stint_json_get(world->objects, GROUP), "metadata"), "uid", "second");
}

static void test_a_pod_group_that_has_taken_the_name_meanwhile_stays(void **state)
{
	(void)state;
	struct world world;
	world_open(&world, objects);
	world.deleted = make_another;
	assert_fails(stint_workload_delete(world.api.kube, &ring, &err), STINT_CONFLICT, "");
	assert_non_null(stint_json_get(world.objects, GROUP));
	world_close(&world);
}

#define JOB "/apis/batch/v1/namespaces/lab/jobs/train"

static const char *const job_objects[][2] = {
	{JOB, "{\"metadata\":{\"name\":\"train\",\"uid\":\"second\"},\"spec\":{\"suspend\":false}}"},
	{NULL, NULL},
};

static bool is_suspended(const struct world *world)
{
	return stint_json_bool_or(stint_json_at(stint_json_get(world->objects, JOB), "spec", "suspend"), false);
}

static void test_suspend_is_about_what_was_seen_and_not_about_its_name(void **state)
{
	(void)state;
	struct world world;
	bool changed = false;
	struct stint_workload job = {.project = "lab", .api_version = "batch/v1", .kind = "Job", .name = "train", .uid = "first"};
	world_open(&world, job_objects);
	assert_fails(stint_workload_suspend(world.api.kube, &job, true, &changed, &err), STINT_CONFLICT, "made again meanwhile");
	assert_false(changed);
	assert_false(is_suspended(&world));
	job.uid = "second";
	assert_works(stint_workload_suspend(world.api.kube, &job, true, &changed, &err));
	assert_true(changed);
	assert_true(is_suspended(&world));
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pod_group_goes_after_its_pods),
		cmocka_unit_test(test_a_pod_group_that_has_taken_the_name_meanwhile_stays),
		cmocka_unit_test(test_suspend_is_about_what_was_seen_and_not_about_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
