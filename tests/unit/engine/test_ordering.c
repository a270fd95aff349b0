/*
 * Who comes first: pods of a group, groups of a queue, queues among siblings. Each case lets two compete for one device.
 */
#include "tests/unit/test.h"

#include "cluster.h"

static const char *winner(struct cluster *c, const char *a, const char *b)
{
	run_cycle(c);
	const bool first = *node_of(c, a) != '\0', second = *node_of(c, b) != '\0';
	assert_true(first != second);
	return first ? a : b;
}

/* ---- groups of one queue ------------------------------------------------------------------------------------------------------- */

struct contest {
	const char *says;
	struct group_is first, second; /* the first must win */
	const char *first_name, *second_name;
};

static const struct contest contests[] = {
	{"higher priority", {.priority = 51, .age_s = 1}, {.priority = 50, .age_s = 9}, "b", "a"},
	{"older", {.age_s = 9}, {.age_s = 1}, "b", "a"},
	{"smaller name", {.age_s = 1}, {.age_s = 1}, "a", "b"},
};

static void groups_go_by_priority_then_age_then_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * STINT_COUNT(contests); i++) {
		const struct contest *contest = &contests[i / 2];
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 1);
		add_queue(c, "q", .quota = 1);
		struct group_is first = contest->first, second = contest->second;
		first.queue = second.queue = "q";
		if (i % 2)
			add_pod(c, add_group_(c, contest->second_name, second), contest->second_name, .gpus = 1);
		add_pod(c, add_group_(c, contest->first_name, first), contest->first_name, .gpus = 1);
		if (i % 2 == 0)
			add_pod(c, add_group_(c, contest->second_name, second), contest->second_name, .gpus = 1);
		if (strcmp(winner(c, contest->first_name, contest->second_name), contest->first_name) != 0)
			fail_msg("%s goes first", contest->says);
		cluster_free(c);
	}
}

static void a_group_below_its_minimum_goes_before_one_at_it_and_one_above(void **state)
{
	(void)state;
	static const int running[][2] = {{0, 1}, {1, 2}, {0, 2}};
	for (size_t i = 0; i < STINT_COUNT(running); i++) {
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 1 + running[i][0] + running[i][1]);
		add_queue(c, "q", .quota = -1);
		const uint32_t fewer = add_group(c, "fewer", .queue = "q", .age_s = 1),
			       more = add_group(c, "more", .queue = "q", .age_s = 9);
		uint64_t slot = 1;
		for (int p = 0; p < running[i][0] + running[i][1]; p++, slot <<= 1) {
			stint_autofree char *name = stint_format("run-%d", p);
			add_pod(c, p < running[i][0] ? fewer : more, name, .gpus = 1, .on = "n0", .slots = slot);
		}
		add_pod(c, fewer, "fewer-new", .gpus = 1);
		add_pod(c, more, "more-new", .gpus = 1);
		assert_string_equal(winner(c, "fewer-new", "more-new"), "fewer-new");
		cluster_free(c);
	}
}

static void an_elastic_group_grows_in_turns_with_others(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4);
	add_queue(c, "q", .quota = 4);
	const uint32_t elder = add_group(c, "elder", .queue = "q", .age_s = 9), younger = add_group(c, "younger", .queue = "q", .age_s = 1);
	for (int i = 0; i < 4; i++) {
		stint_autofree char *a = stint_format("elder-%d", i), *b = stint_format("younger-%d", i);
		add_pod(c, elder, a, .gpus = 1);
		add_pod(c, younger, b, .gpus = 1);
	}
	/* Both below their minimum: the elder first; both at it: the elder; then only the younger is not above. */
	assert_int_equal(run_cycle(c), 4);
	static const char *const order[] = {"elder-0", "younger-0", "elder-1", "younger-1"};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(c->last.decisions[i].pod, pod_named(c, order[i]));
	cluster_free(c);
}

/* ---- pods of one group ---------------------------------------------------------------------------------------------------------- */

struct precedence {
	const char *says;
	struct pod_is first, second;
	const char *first_name, *second_name;
};

static const struct precedence precedences[] = {
	{"Kubeflow's master", {.label = "training.kubeflow.org/job-role", .value = "master", .age_s = 1}, {.age_s = 9}, "b", "a"},
	{"Kubeflow's launcher", {.label = "training.kubeflow.org/job-role", .value = "launcher"},
		{.label = "training.kubeflow.org/job-role", .value = "worker", .age_s = 9}, "b", "a"},
	{"Ray's head", {.label = "ray.io/node-type", .value = "head"}, {.label = "ray.io/node-type", .value = "worker", .age_s = 9}, "b",
		"a"},
	{"a task priority", {.label = "kai.scheduler/task-priority", .value = "-1"}, {.age_s = 9}, "b", "a"},
	{"a larger task priority", {.label = "kai.scheduler/task-priority", .value = "10"},
		{.label = "kai.scheduler/task-priority", .value = "9", .age_s = 9}, "b", "a"},
	{"one that can be read", {.label = "kai.scheduler/task-priority", .value = "1"},
		{.label = "kai.scheduler/task-priority", .value = "high", .age_s = 9}, "b", "a"},
	{"the older", {.age_s = 9}, {.age_s = 1}, "b", "a"},
	{"the smaller name, as text", {.age_s = 1}, {.age_s = 1}, "job-10", "job-2"},
};

static void pods_go_by_role_then_priority_then_age_then_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * STINT_COUNT(precedences); i++) {
		const struct precedence *p = &precedences[i / 2];
		struct cluster *c = cluster_new();
		add_node(c, "n0", .gpus = 1);
		add_queue(c, "q", .quota = 1);
		const uint32_t group = add_group(c, "job", .queue = "q");
		struct pod_is first = p->first, second = p->second;
		first.gpus = second.gpus = 1;
		if (i % 2)
			add_pod_(c, group, p->second_name, second);
		add_pod_(c, group, p->first_name, first);
		if (i % 2 == 0)
			add_pod_(c, group, p->second_name, second);
		if (strcmp(winner(c, p->first_name, p->second_name), p->first_name) != 0)
			fail_msg("%s goes first", p->says);
		cluster_free(c);
	}
}

/* ---- queues --------------------------------------------------------------------------------------------------------------------- */

/* Two queues, each with pods that run and one that waits, and one device free. */
struct rivalry {
	const char *says;
	struct queue_is first, second;
	int first_runs, second_runs, first_asks, second_asks; /* asks: 1 */
};

static const struct rivalry rivalries[] = {
	{"one below its quota before one that would pass it", {.quota = 2, .weight = 1}, {.quota = 1, .weight = 9, .priority = 200}, 1, 1,
		0, 0},
	{"higher priority", {.quota = 1, .weight = 1, .priority = 101}, {.quota = 1, .weight = 1, .age_s = 9}, 1, 1, 0, 0},
	{"one with a share before one without", {.quota = 1, .weight = 1}, {.quota = 0, .weight = 0}, 3, 0, 0, 0},
	{"the smaller part of its share", {.quota = 4, .weight = 1}, {.quota = 2, .weight = 1, .age_s = 9}, 1, 1, 0, 0},
	{"the older", {.quota = 1, .weight = 1, .age_s = 9}, {.quota = 1, .weight = 1, .age_s = 1}, 1, 1, 0, 0},
	{"the smaller name", {.quota = 1, .weight = 1}, {.quota = 1, .weight = 1}, 1, 1, 0, 0},
};

static void run_pods(struct cluster *c, const char *queue, int count, uint64_t *slot)
{
	for (int i = 0; i < count; i++, *slot <<= 1) {
		stint_autofree char *name = stint_format("%s-run-%d", queue, i);
		add_pod(c, add_group(c, name, .queue = queue), name, .gpus = 1, .on = "n0", .slots = *slot);
	}
}

static void queues_go_by_quota_then_priority_then_share_then_age(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * STINT_COUNT(rivalries); i++) {
		const struct rivalry *r = &rivalries[i / 2];
		struct cluster *c = cluster_new();
		uint64_t slot = 1;
		add_node(c, "n0", .gpus = r->first_runs + r->second_runs + 1);
		if (i % 2)
			add_queue_(c, "second", r->second);
		add_queue_(c, "first", r->first);
		if (i % 2 == 0)
			add_queue_(c, "second", r->second);
		run_pods(c, "first", r->first_runs, &slot);
		run_pods(c, "second", r->second_runs, &slot);
		add_pod(c, add_group(c, "second-job", .queue = "second", .age_s = 9), "second-new", .gpus = 1);
		add_pod(c, add_group(c, "first-job", .queue = "first", .age_s = 1), "first-new", .gpus = 1);
		if (strcmp(winner(c, "first-new", "second-new"), "first-new") != 0)
			fail_msg("%s goes first", r->says);
		cluster_free(c);
	}
}

static void queues_take_turns_as_their_shares_fill(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 6);
	add_queue(c, "a", .quota = 0, .weight = 1, .age_s = 9);
	add_queue(c, "b", .quota = 0, .weight = 2, .age_s = 1);
	for (int i = 0; i < 6; i++) {
		stint_autofree char *x = stint_format("a-%d", i), *y = stint_format("b-%d", i);
		add_pod(c, add_group(c, x, .queue = "a", .age_s = 99), x, .gpus = 1);
		add_pod(c, add_group(c, y, .queue = "b"), y, .gpus = 1);
	}
	assert_int_equal(run_cycle(c), 6);
	struct stint_queue_view view;
	stint_engine_queue_view(c->engine, stint_engine_queue_find(c->engine, "a"), &view);
	assert_true(view.allocated[STINT_GPU] == 2);
	cluster_free(c);
}

static void many_queues_are_popped_in_exact_order(void **state)
{
	(void)state;
	enum { QUEUES = 40 };
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = QUEUES);
	for (int i = 0; i < QUEUES; i++) {
		stint_autofree char *queue = stint_format("q-%02d", i), *job = stint_format("job-%02d", i);
		add_queue(c, queue, .quota = 1, .priority = 1 + (i * 7) % QUEUES);
		add_pod(c, add_group(c, job, .queue = queue), job, .gpus = 1);
	}
	assert_int_equal(run_cycle(c), QUEUES);
	int last = INT32_MAX;
	for (size_t i = 0; i < QUEUES; i++) {
		struct stint_group_view group;
		struct stint_queue_view queue;
		stint_engine_group_view(c->engine, c->last.decisions[i].group, &group);
		stint_engine_queue_view(c->engine, group.queue, &queue);
		assert_true(queue.priority < last);
		last = queue.priority;
	}
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_go_by_priority_then_age_then_name),
		cmocka_unit_test(a_group_below_its_minimum_goes_before_one_at_it_and_one_above),
		cmocka_unit_test(an_elastic_group_grows_in_turns_with_others),
		cmocka_unit_test(pods_go_by_role_then_priority_then_age_then_name),
		cmocka_unit_test(queues_go_by_quota_then_priority_then_share_then_age),
		cmocka_unit_test(queues_take_turns_as_their_shares_fill),
		cmocka_unit_test(many_queues_are_popped_in_exact_order),
	};
	return cmocka_run_group_tests_name("engine: ordering", tests, NULL, NULL);
}
