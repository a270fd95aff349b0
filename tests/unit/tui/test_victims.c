/* Victims: who was evicted, for whom, and what was lost; of what nobody saw going only what its event says. */
#include "tests/unit/test.h"

#include "tests/unit/tui/scene.h"

static const struct tui_victim *list(struct scene *scene, size_t *count)
{
	const struct tui_world *world = scene_world(scene);
	*count = world->victims_count;
	return world->victims;
}

static void test_what_was_seen_going_tells_what_was_lost(void **state)
{
	(void)state;
	struct scene scene;
	size_t count;
	scene_open(&scene);
	scene_job(&scene, "a", "train", "2h", "4", 1);
	scene_evict(&scene, "a", "train", "4", "2h", "5m", "Reclaimed", "queue \\\"b\\\" has not had its share, and this is beyond it");
	scene_evict(
		&scene, "a", "gone-since", "1", "10s", "1m", "Moved", "room is made for workload wide; a place on node n is kept for it");
	const struct tui_victim *victims = list(&scene, &count);
	assert_int_equal(count, 2);
	assert_string_equal(victims[0].name, "gone-since");
	assert_null(victims[0].workload);
	assert_string_equal(victims[0].whom, "workload wide");
	assert_string_equal(victims[1].name, "train");
	assert_string_equal(victims[1].workload->name, "train");
	assert_string_equal(victims[1].whom, "queue b");
	assert_true(victims[1].gpus == 4);
	assert_int_equal(victims[1].ran_ms, 2 * 3600 * 1000);
	assert_int_equal(victims[1].at_ms, SCENE_NOW_MS - 5 * 60 * 1000);
	scene_close(&scene);
}

static void test_an_event_tells_of_what_nobody_saw_and_its_loss_is_unknown(void **state)
{
	(void)state;
	struct scene scene;
	size_t count;
	scene_open(&scene);
	scene_job(&scene, "a", "train", "2h", "4", 1);
	scene_event(&scene, "a", "train-0-x7f", "Normal", "Preempted", "Evicted: workload urgent has a higher priority", "3m", 1);
	scene_event(
		&scene, "a", "other-0", "Normal", "GangIncomplete", "Evicted: fewer of its pods run than have to run together", "4m", 1);
	scene_event(&scene, "a", "train-0-x7f", "Normal", "Killing", "Stopping the pod's containers", "3m", 1);
	const struct tui_victim *victims = list(&scene, &count);
	assert_int_equal(count, 2);
	assert_string_equal(victims[0].name, "train");
	assert_string_equal(victims[0].whom, "workload urgent");
	assert_true(victims[0].gpus < 0 && victims[0].ran_ms < 0);
	assert_string_equal(victims[1].name, "other-0");
	assert_null(victims[1].whom);
	scene_close(&scene);
}

static void test_an_event_that_tells_the_loss_is_believed_as_far_as_it_makes_sense(void **state)
{
	(void)state;
	static const struct {
		const char *annotations;
		double gpus;
		int64_t ran_ms;
	} cases[] = {
		{"\"stint.dev/lost-gpus\":\"2.5\",\"stint.dev/lost-seconds\":\"90\"", 2.5, 90000},
		{"\"stint.dev/lost-gpus\":\"8\"", 8, -1},
		{"\"stint.dev/lost-gpus\":\"nan\",\"stint.dev/lost-seconds\":\"-1\"", -1, -1},
		{"\"stint.dev/lost-gpus\":\"-2\",\"stint.dev/lost-seconds\":\"99999999999\"", -1, -1},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		struct scene scene;
		size_t count;
		scene_open(&scene);
		stint_autofree char *text = stint_format("{\"metadata\":{\"name\":\"e\",\"namespace\":\"a\",\"uid\":\"e\",\"annotations\":{"
							 "%s}},\"involvedObject\":{\"kind\":\"Pod\",\"namespace\":\"a\","
							 "\"name\":\"train-0\"},\"reason\":\"Reclaimed\",\"message\":\"Evicted: queue "
							 "\\\"b\\\" has not had its share; lost: 2.5 GPUs after 1m30s\","
							 "\"lastTimestamp\":\"2026-11-24T11:00:00Z\"}",
			cases[at].annotations);
		scene_add(&scene, &scene.events, STINT_KIND_EVENT, NULL, NULL, text);
		const struct tui_victim *victims = list(&scene, &count);
		assert_int_equal(count, 1);
		assert_true(victims[0].gpus == cases[at].gpus);
		assert_int_equal(victims[0].ran_ms, cases[at].ran_ms);
		assert_string_equal(victims[0].why, "queue \"b\" has not had its share");
		scene_close(&scene);
	}
}

static struct stint_object *pod_of(struct scene *scene, const char *uid, bool leaves)
{
	stint_autofree char *text = stint_format(
		"{\"metadata\":{\"name\":\"p\",\"namespace\":\"a\",\"uid\":\"%s\"%s},\"spec\":{\"containers\":[]},\"status\":{\"phase\":"
		"\"Running\","
		"\"conditions\":[{\"type\":\"stint.dev/Evicted\",\"status\":\"True\",\"reason\":\"Reclaimed\",\"message\":\"m\"}]}}",
		uid, leaves ? ",\"deletionTimestamp\":\"2026-11-24T11:00:00Z\"" : "");
	struct stint_error *err = NULL;
	struct stint_object *object =
		stint_object_decode(scene->model, &(struct stint_decode_as){STINT_KIND_POD, NULL, NULL}, text, strlen(text), &err);
	assert_non_null(object);
	return object;
}

static void note(struct scene *scene, const char *uid, bool leaves, bool gone)
{
	struct stint_object *pod = pod_of(scene, uid, leaves);
	tui_victims_note(&scene->victims, pod, gone);
	stint_object_unref(pod);
}

static void test_a_pod_counts_once_and_only_when_it_goes(void **state)
{
	(void)state;
	struct scene scene;
	scene_open(&scene);
	note(&scene, "u", false, false); /* its eviction was refused, or is still to come */
	assert_int_equal(scene.victims.count, 0);
	note(&scene, "u", true, false);
	note(&scene, "u", true, true);
	assert_int_equal(scene.victims.count, 1);
	scene_close(&scene);
}

static void test_the_oldest_are_forgotten(void **state)
{
	(void)state;
	struct scene scene;
	char uid[16];
	scene_open(&scene);
	for (int at = 0; at < TUI_VICTIMS_KEPT + 3; at++) {
		snprintf(uid, sizeof uid, "u%d", at);
		note(&scene, uid, true, false);
	}
	assert_int_equal(scene.victims.count, TUI_VICTIMS_KEPT);
	assert_string_equal(scene.victims.pods[0]->uid, "u3");
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_seen_going_tells_what_was_lost),
		cmocka_unit_test(test_an_event_tells_of_what_nobody_saw_and_its_loss_is_unknown),
		cmocka_unit_test(test_an_event_that_tells_the_loss_is_believed_as_far_as_it_makes_sense),
		cmocka_unit_test(test_a_pod_counts_once_and_only_when_it_goes),
		cmocka_unit_test(test_the_oldest_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
