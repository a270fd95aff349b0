/* What a world says of a cluster: who has which device, what projects are due, in which order things are tried, and what is not known. */
#include <math.h>

#include "tests/unit/test.h"
#include "tests/unit/tui/scene.h"

static int open_scene(void **state)
{
	*state = stint_alloc(sizeof(struct scene));
	scene_open(*state);
	return 0;
}

static int close_scene(void **state)
{
	scene_close(*state);
	free(*state);
	return 0;
}

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-6)

static void test_shares_of_a_device_and_their_projects(void **state)
{
	struct scene *scene = *state;
	scene_fill(scene);
	const struct tui_world *world = scene_world(scene);
	const struct stint_node_use *node = tui_world_node(world, "gpu-2");
	assert_int_equal(node->devices[0].users_count, 2);
	assert_near(node->devices[0].allocated, 1);
	assert_int_equal(node->devices[1].users_count, 1);
	assert_near(node->devices[1].allocated, 0.25);
	assert_string_equal(node->devices[1].users->workload->name, "embed-b");
	assert_int_equal(node->devices[7].users_count, 0); /* of a pod that has ended */
	assert_near(node->gpus_allocated, 1.25);
	assert_null(tui_world_node(world, "gpu-77"));
	assert_null(tui_world_node(world, NULL));
	/* By name, numbers by value. */
	assert_string_equal(world->nodes[world->nodes_count - 1]->node->meta.name, "gpu-10");
}

static void test_totals(void **state)
{
	struct scene *scene = *state;
	scene_fill(scene);
	const struct tui_totals *totals = &scene_world(scene)->totals;
	assert_int_equal(totals->nodes, 7);
	assert_int_equal(totals->nodes_ready, 6);
	assert_int_equal(totals->nodes_bad, 1);
	assert_int_equal(totals->nodes_cordoned, 1);
	assert_near(totals->gpus, 48);
	assert_near(totals->gpus_allocated, 21.25);
	assert_int_equal(totals->devices_held, 22);
	assert_int_equal(totals->devices_silent, 4); /* gpu-3 tells nothing: not idle, not busy */
	assert_int_equal(totals->devices_idle, 3);
	assert_int_equal(totals->waiting, 3);
	assert_int_equal(totals->failed, 1);
	assert_int_equal(totals->spaces[0], 2);
	assert_int_equal(totals->spaces[4], 1);
	assert_int_equal(totals->spaces[6], 1);
	/* All of what is free is of no use to pods of 8 GPUs: no node that can be used is empty. */
	assert_near(totals->gpus_useless, totals->gpus_free);
}

static void test_free_room_counts_as_useless_only_if_nothing_that_waits_could_use_it(void **state)
{
	struct scene *scene = *state;
	scene_node(scene, "a", 4, "Ready", false, NULL);
	scene_node(scene, "b", 4, "Ready", false, NULL);
	scene_node(scene, "c", 4, "Ready", true, NULL);
	scene_job(scene, "p", "holds", "1h", "3", 1, .places = PLACES("a/0,1,2"));
	assert_true(scene_world(scene)->totals.gpus_useless < 0); /* nothing waits */
	scene_job(scene, "p", "wants", "1m", "2", 1, .reason = "NoRoom: none");
	/* b has four; the one of a is too few, and c is cordoned. */
	assert_near(scene_world(scene)->totals.gpus_free, 9);
	assert_near(scene_world(scene)->totals.gpus_useless, 5);
	scene_job(scene, "p", "small", "1m", "0.5", 1, .reason = "NoRoom: none");
	assert_near(scene_world(scene)->totals.gpus_useless, 4);
}

static void test_fair_shares_and_sums_of_departments(void **state)
{
	struct scene *scene = *state;
	scene_fill(scene);
	const struct tui_world *world = scene_world(scene);
	const struct tui_project *research = tui_world_project(world, "research"), *nlp = tui_world_project(world, "nlp"),
				 *vision = tui_world_project(world, "vision"), *search = tui_world_project(world, "search");
	assert_true(research->is_department && !nlp->is_department);
	assert_int_equal(research->depth, 0);
	assert_int_equal(nlp->depth, 1);
	assert_near(nlp->allocated, 8.5);
	assert_near(vision->allocated, 12);
	assert_near(research->allocated, 20.5);
	assert_near(search->limit, 8);
	assert_near(search->fair_share, 8); /* its limit, though it wants more */
	assert_near(nlp->fair_share + vision->fair_share, research->fair_share);
	assert_int_equal(vision->suspended, 1);
	assert_int_equal(search->ended, 1);
	assert_string_equal(world->projects[0].name, "product");
	assert_string_equal(world->projects[1].name, "search");
}

/* What is borrowed inside a department comes from there first; who of several lends is not decided, so each lends as a part of what it does not use. */
static void test_lent_is_what_others_have_and_not_all_that_is_unused(void **state)
{
	struct scene *scene = *state;
	scene_node(scene, "a", 8, "Ready", false, NULL);
	scene_node(scene, "b", 8, "Ready", false, NULL);
	scene_queue(scene, "north", NULL, 8, -1);
	scene_queue(scene, "taker", "north", 2, -1);
	scene_queue(scene, "giver", "north", 6, -1);
	scene_queue(scene, "south", NULL, 8, -1);
	scene_queue(scene, "small", "south", 2, -1);
	scene_queue(scene, "large", "south", 6, -1);
	static const struct {
		const char *gpus, *place; /* what the taker starts next */
		double north, taker, giver, south, small, large;
	} steps[] = {
		{"2", "a/0,1", 0, 0, 0, 0, 0, 0},
		{"1", "a/2", 0, 0, 1, 0, 0, 0},
		{"5", "a/3,4,5,6,7", 0, 0, 6, 0, 0, 0},
		{"4", "b/0,1,2,3", 0, 0, 6, 4, 1, 3},
	};
	for (size_t i = 0; i < STINT_COUNT(steps); i++) {
		scene_job(scene, "taker", steps[i].gpus, "1h", steps[i].gpus, 1, .places = PLACES(steps[i].place));
		const struct tui_world *world = scene_world(scene);
		assert_near(tui_world_project(world, "north")->lent, steps[i].north);
		assert_near(tui_world_project(world, "taker")->lent, steps[i].taker);
		assert_near(tui_world_project(world, "giver")->lent, steps[i].giver);
		assert_near(tui_world_project(world, "south")->lent, steps[i].south);
		assert_near(tui_world_project(world, "small")->lent, steps[i].small);
		assert_near(tui_world_project(world, "large")->lent, steps[i].large);
	}
	assert_near(tui_world_project(scene_world(scene), "taker")->borrowed, 10);
	assert_near(tui_world_project(scene_world(scene), "north")->borrowed, 4);
}

static void test_a_project_that_has_no_queue_is_shown_with_what_is_known(void **state)
{
	struct scene *scene = *state;
	scene_fill(scene);
	scene->hide_queues = true;
	const struct tui_world *world = scene_world(scene);
	const struct tui_project *nlp = tui_world_project(world, "nlp");
	assert_non_null(nlp);
	assert_null(nlp->queue);
	assert_false(nlp->has_quota);
	assert_true(nlp->borrowed < 0 && nlp->lent < 0);
	assert_true(nlp->fair_share < 0);
	assert_near(nlp->allocated, 8.5);
}

static void test_queues_that_are_their_own_ancestors_end(void **state)
{
	struct scene *scene = *state;
	scene_queue(scene, "a", "b", 1, -1);
	scene_queue(scene, "b", "a", 1, -1);
	scene_queue(scene, "self", "self", 1, -1);
	scene_job(scene, "a", "x", "1m", "1", 1, .reason = "NoRoom: none");
	assert_int_equal(scene_world(scene)->waiting_count, 1);
}

static void test_the_line_is_by_project_then_priority_then_age(void **state)
{
	struct scene *scene = *state;
	scene_node(scene, "a", 8, "Ready", false, NULL);
	scene_queue(scene, "d", NULL, 8, -1);
	scene_queue(scene, "rich", "d", 2, -1);
	scene_queue(scene, "poor", "d", 6, -1);
	scene_job(scene, "rich", "has-much", "1h", "6", 1, .places = PLACES("a/0,1,2,3,4,5"));
	scene_job(scene, "rich", "r-old", "9m", "1", 1, .reason = "NoRoom: none");
	scene_job(scene, "poor", "p-young", "1m", "1", 1, .reason = "NoRoom: none");
	scene_job(scene, "poor", "p-old", "8m", "1", 1, .reason = "NoRoom: none");
	scene_job(scene, "poor", "p-important", "30s", "1", 1, .reason = "NoRoom: none", .priority = 100);
	const struct tui_world *world = scene_world(scene);
	static const char *const order[] = {"p-important", "p-old", "p-young", "r-old"};
	assert_int_equal(world->waiting_count, 4);
	for (size_t at = 0; at < STINT_COUNT(order); at++)
		assert_string_equal(world->waiting[at].workload->name, order[at]);
	assert_int_equal(world->waiting[1].position, 2);
	assert_int_equal(world->waiting[3].position, 1);
}

static void test_a_gang_that_a_pod_group_rules_is_tried_at_once_and_charged_to_its_queue(void **state)
{
	struct scene *scene = *state;
	scene_node(scene, "a", 8, "Ready", false, NULL);
	scene_queue(scene, "d", NULL, 8, -1);
	scene_queue(scene, "p", "d", 4, -1);
	scene_queue(scene, "q", "d", 4, -1);
	scene_group(scene, "p", "gang", "\"minMember\":3,\"queue\":\"q\"");
	scene_member(scene, "p", "m-0", "gang", "a");
	scene_member(scene, "p", "m-1", "gang", NULL);
	scene_member(scene, "p", "m-2", "gang", NULL);
	scene_member(scene, "p", "m-3", "gang", NULL);
	const struct tui_world *world = scene_world(scene);
	assert_int_equal(world->waiting_count, 1);
	const struct tui_waiting *waiting = &world->waiting[0];
	assert_string_equal(waiting->project->name, "q");
	assert_string_equal(tui_workload_project(waiting->workload), "q");
	assert_true(waiting->tried);
	assert_int_equal(waiting->position, 1);
	assert_near(waiting->step[STINT_GPU], 2); /* to be three */
	assert_near(tui_world_project(world, "q")->by[STINT_GPU].allocated, 1);
	assert_near(tui_world_project(world, "p")->by[STINT_GPU].allocated, 0);
}

static void test_what_cannot_be_tried_yet_comes_last_and_has_no_place(void **state)
{
	struct scene *scene = *state;
	scene_node(scene, "a", 8, "Ready", false, NULL);
	scene_queue(scene, "d", NULL, 8, -1);
	scene_queue(scene, "p", "d", 4, -1);
	scene_group(scene, "p", "lacks", "\"minMember\":3");
	scene_member(scene, "p", "l-0", "lacks", NULL);
	scene_member(scene, "p", "l-1", "lacks", NULL);
	scene_member(scene, "p", "n-0", "not-there", NULL);
	scene_job(scene, "p", "young", "1s", "1", 1, .reason = "NoRoom: none");
	scene_job(scene, "nowhere", "lost", "9h", "1", 1, .reason = "QueueDoesNotExist: none");
	const struct tui_world *world = scene_world(scene);
	assert_int_equal(world->waiting_count, 4);
	assert_string_equal(world->waiting[0].workload->name, "young");
	assert_int_equal(world->waiting[0].position, 1);
	for (size_t at = 1; at < world->waiting_count; at++) {
		assert_false(world->waiting[at].tried);
		assert_int_equal(world->waiting[at].position, 0);
	}
}

static void test_workloads_of_one_pod_group_have_one_place(void **state)
{
	struct scene *scene = *state;
	scene_node(scene, "a", 8, "Ready", false, NULL);
	scene_queue(scene, "d", NULL, 8, -1);
	scene_queue(scene, "p", "d", 4, -1);
	scene_group(scene, "p", "both", "\"minMember\":2");
	scene_job(scene, "p", "one", "2h", "1", 1, .group = "both");
	scene_job(scene, "p", "other", "1h", "1", 1, .group = "both");
	scene_job(scene, "p", "third", "1s", "1", 1, .reason = "NoRoom: none");
	const struct tui_world *world = scene_world(scene);
	assert_int_equal(world->waiting_count, 3);
	assert_int_equal(world->waiting[0].position, 1);
	assert_int_equal(world->waiting[1].position, 1);
	assert_string_equal(world->waiting[0].group, world->waiting[1].group);
	assert_near(world->waiting[0].step[STINT_GPU], 2);
	assert_string_equal(world->waiting[2].workload->name, "third");
	assert_int_equal(world->waiting[2].position, 2);
}

/* A job of Kubeflow says how many of its pods start together, where it can be read. */
static void test_jobs_of_other_kinds_are_gangs_as_they_say(void **state)
{
	struct scene *scene = *state;
	static const char job[] =
		"{\"metadata\":{\"name\":\"torch\",\"namespace\":\"p\",\"uid\":\"torch\",\"creationTimestamp\":\"2026-11-24T09:00:00Z\"},"
		"\"spec\":{\"pytorchReplicaSpecs\":{\"Master\":{\"replicas\":1},\"Worker\":{\"replicas\":2}}}}";
	scene_node(scene, "a", 8, "Ready", false, NULL);
	scene_queue(scene, "d", NULL, 8, -1);
	scene_queue(scene, "p", "d", 4, -1);
	for (int at = 0; at < 3; at++) {
		stint_autofree char *pod =
			stint_format("{\"metadata\":{\"name\":\"torch-%d\",\"namespace\":\"p\",\"uid\":\"torch-%d\",\"creationTimestamp\":"
				     "\"2026-11-24T09:00:00Z\","
				     "\"labels\":{\"training.kubeflow.org/replica-type\":\"%s\"},"
				     "\"ownerReferences\":[{\"apiVersion\":\"kubeflow.org/"
				     "v1\",\"kind\":\"PyTorchJob\",\"name\":\"torch\",\"uid\":\"torch\",\"controller\":true}]},"
				     "\"spec\":{\"schedulerName\":\"stint-scheduler\",\"containers\":[{\"name\":\"c\",\"resources\":{"
				     "\"requests\":{\"nvidia.com/gpu\":\"1\"}}}]},"
				     "\"status\":{\"phase\":\"Pending\"}}",
				at, at, at ? "worker" : "master");
		scene_add(scene, &scene->pods, STINT_KIND_POD, NULL, NULL, pod);
	}
	assert_non_null(strstr(scene_world(scene)->line_doubt, "PyTorchJob"));
	assert_near(scene_world(scene)->waiting[0].step[STINT_GPU], 1);
	struct stint_error *err = NULL;
	struct stint_object *object = stint_object_decode(
		scene->model, &(struct stint_decode_as){STINT_KIND_OWNER, "kubeflow.org/v1", "PyTorchJob"}, job, strlen(job), &err);
	assert_non_null(object);
	stint_catalog_put(scene->catalog, object);
	stint_catalog_see_owners(scene->catalog, "kubeflow.org/v1", "PyTorchJob", true);
	stint_object_unref(object);
	assert_null(scene_world(scene)->line_doubt);
	assert_near(scene_world(scene)->waiting[0].step[STINT_GPU], 3);
}

static void test_what_the_order_is_made_without_is_said(void **state)
{
	struct scene *scene = *state;
	scene->hide_groups = true;
	assert_null(scene_world(scene)->line_doubt); /* nothing here names one */
	scene_member(scene, "p", "m-0", "gang", NULL);
	assert_non_null(strstr(scene_world(scene)->line_doubt, "PodGroup objects"));
	scene->hide_groups = false;
	assert_null(scene_world(scene)->line_doubt);
	scene->hide_use = true;
	assert_non_null(strstr(scene_world(scene)->line_doubt, "past use"));
	scene->hide_use = false;
	scene->hide_factor = true;
	assert_null(scene_world(scene)->line_doubt); /* past use does not count */
	scene->usage = tui_usage_parse("{\"version\":1,\"at\":1,\"cluster\":{\"cpu\":1,\"memory\":1,\"gpu\":1},\"queues\":{}}");
	assert_non_null(strstr(scene_world(scene)->line_doubt, "--usage-factor"));
}

static void test_a_world_made_again_of_the_same_is_the_same(void **state)
{
	struct scene *scene = *state;
	scene_fill(scene);
	const struct tui_totals before = scene_world(scene)->totals;
	const struct tui_totals after = scene_world(scene)->totals;
	assert_memory_equal(&before, &after, sizeof before);
}

static void test_without_the_right_to_see_nodes_nothing_about_them_is_said(void **state)
{
	struct scene *scene = *state;
	scene_fill(scene);
	scene->hide_nodes = true;
	const struct tui_world *world = scene_world(scene);
	assert_false(world->nodes_known);
	assert_int_equal(world->nodes_count, 0);
	assert_true(world->totals.gpus_useless < 0);
	assert_true(world->totals.gpus_used < 0);
	assert_int_equal(world->workloads_count, 12);
	assert_near(world->totals.gpus_allocated, 21.25); /* as the pods say themselves */
}

static void test_of_one_project_alone_what_others_hold_is_not_known(void **state)
{
	struct scene *scene = *state;
	scene_node(scene, "a", 8, "Ready", false, NULL);
	scene_queue(scene, "d", NULL, 8, -1);
	scene_queue(scene, "mine", "d", 4, -1);
	scene_queue(scene, "other", "d", 4, -1);
	scene_job(scene, "mine", "runs", "1h", "2", 1, .places = PLACES("a/0,1"));
	scene_job(scene, "mine", "waits", "1m", "8", 1, .reason = "NoRoom: none");
	scene->only = "mine";
	const struct tui_world *world = scene_world(scene);
	assert_near(tui_world_project(world, "mine")->allocated, 2);
	assert_true(tui_world_project(world, "other")->allocated < 0);
	assert_true(tui_world_project(world, "d")->allocated < 0);
	assert_true(tui_world_project(world, "mine")->fair_share < 0);
	assert_true(world->totals.gpus_free < 0);
	assert_true(world->totals.gpus_useless < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shares_of_a_device_and_their_projects),
		TEST(test_totals),
		TEST(test_free_room_counts_as_useless_only_if_nothing_that_waits_could_use_it),
		TEST(test_fair_shares_and_sums_of_departments),
		TEST(test_lent_is_what_others_have_and_not_all_that_is_unused),
		TEST(test_a_project_that_has_no_queue_is_shown_with_what_is_known),
		TEST(test_queues_that_are_their_own_ancestors_end),
		TEST(test_the_line_is_by_project_then_priority_then_age),
		TEST(test_a_gang_that_a_pod_group_rules_is_tried_at_once_and_charged_to_its_queue),
		TEST(test_what_cannot_be_tried_yet_comes_last_and_has_no_place),
		TEST(test_workloads_of_one_pod_group_have_one_place),
		TEST(test_jobs_of_other_kinds_are_gangs_as_they_say),
		TEST(test_what_the_order_is_made_without_is_said),
		TEST(test_a_world_made_again_of_the_same_is_the_same),
		TEST(test_of_one_project_alone_what_others_hold_is_not_known),
		TEST(test_without_the_right_to_see_nodes_nothing_about_them_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
