/*
 * The division of the cluster among queues: worked examples, the rules one by one, and independence of the order of input.
 */
#include "tests/unit/test.h"

#include "cluster.h"

enum { MOST = 5 };

/* created_ms: smaller is older. A queue without a name ends the list. */
struct division {
	const char *says;
	double total, usage_factor;
	bool over_quota_only;
	struct stint_sharer queues[MOST];
	double shares[MOST];
	double left;
};

static const struct division divisions[] = {
	{"quotas first, the rest by weight", 8, 1, false,
		{{.name = "a", .quota = 2, .limit = -1, .weight = 1, .request = 6},
			{.name = "b", .quota = 2, .limit = -1, .weight = 3, .request = 6}},
		{3, 5}, 0},
	{"a unit that rounding leaves goes to the larger remainder", 11, 1, false,
		{{.name = "a", .quota = 2, .limit = -1, .weight = 1, .request = 10},
			{.name = "b", .quota = 2, .limit = -1, .weight = 4, .request = 10}},
		{3, 8}, 0},
	{"equal remainders: the older queue", 11, 1, false,
		{{.name = "a", .created_ms = 2, .quota = 2, .limit = -1, .weight = 2, .request = 6},
			{.name = "b", .created_ms = 1, .quota = 2, .limit = -1, .weight = 2, .request = 6}},
		{5, 6}, 0},
	{"equal remainders and ages: the smaller name", 11, 1, false,
		{{.name = "b", .quota = 2, .limit = -1, .weight = 2, .request = 6},
			{.name = "a", .quota = 2, .limit = -1, .weight = 2, .request = 6}},
		{5, 6}, 0},
	{"priority beats weight over quota", 6, 1, false,
		{{.name = "a", .priority = 1, .quota = 2, .limit = -1, .weight = 100, .request = 6},
			{.name = "b", .priority = 2, .quota = 2, .limit = -1, .weight = 1, .request = 6}},
		{2, 4}, 0},
	{"quotas beyond the total are granted in full", 3, 1, false,
		{{.name = "a", .quota = 2, .limit = -1, .weight = 1, .request = 2},
			{.name = "b", .quota = 2, .limit = -1, .weight = 1, .request = 2}},
		{2, 2}, 0},
	{"an idle queue lends its quota", 8, 1, false,
		{{.name = "a", .quota = 6, .limit = -1, .weight = 1, .request = 0},
			{.name = "b", .quota = 2, .limit = -1, .weight = 1, .request = 8}},
		{0, 8}, 0},
	{"weight 0 is nothing over quota, even if nobody else wants it", 8, 1, false,
		{{.name = "a", .quota = 2, .limit = -1, .weight = 0, .request = 8}}, {2}, 6},
	{"a limit caps the share", 8, 1, false, {{.name = "a", .quota = 2, .limit = 5, .weight = 1, .request = 8}}, {5}, 3},
	{"a limit below the quota caps the quota", 8, 1, false, {{.name = "a", .quota = 4, .limit = 3, .weight = 1, .request = 8}}, {3}, 5},
	{"an unlimited quota is the total or the request", 8, 1, false,
		{{.name = "a", .quota = -1, .limit = -1, .weight = 1, .request = 5}}, {5}, 3},
	{"what one does not want goes round again", 10, 1, false,
		{{.name = "a", .quota = 0, .limit = -1, .weight = 1, .request = 1},
			{.name = "b", .quota = 0, .limit = -1, .weight = 1, .request = 20}},
		{1, 9}, 0},
	{"past use takes from the part over quota", 8, 1, false,
		{{.name = "a", .quota = 0, .limit = -1, .weight = 1, .request = 8, .usage = 0.25},
			{.name = "b", .quota = 0, .limit = -1, .weight = 1, .request = 8}},
		{3, 5}, 0},
	{"past use of more than its part leaves nothing", 8, 1, false,
		{{.name = "a", .quota = 0, .limit = -1, .weight = 1, .request = 8, .usage = 1},
			{.name = "b", .quota = 0, .limit = -1, .weight = 1, .request = 8}},
		{0, 8}, 0},
	{"without the usage factor past use means nothing", 8, 0, false,
		{{.name = "a", .quota = 0, .limit = -1, .weight = 1, .request = 8, .usage = 1},
			{.name = "b", .quota = 0, .limit = -1, .weight = 1, .request = 8}},
		{4, 4}, 0},
	{"requests may be parts of a device", 2, 1, false,
		{{.name = "a", .quota = 0.5, .limit = -1, .weight = 1, .request = 0.5},
			{.name = "b", .quota = 1, .limit = -1, .weight = 1, .request = 1.5}},
		{0.5, 1.5}, 0},
	{"the over-quota part alone starts from what there was", 4, 1, true,
		{{.name = "a", .quota = 9, .limit = -1, .weight = 1, .request = 8, .fair_share = 2},
			{.name = "b", .quota = 9, .limit = -1, .weight = 3, .request = 8, .fair_share = 2}},
		{3, 5}, 0},
};

static size_t count_of(const struct division *d)
{
	size_t count = 0;
	while (count < MOST && d->queues[count].name)
		count++;
	return count;
}

static double share_of(const struct stint_sharer *sharers, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(sharers[i].name, name) == 0)
			return sharers[i].fair_share;
	}
	return -1;
}

static void check(const struct division *d, struct stint_sharer *sharers, size_t count)
{
	const double left = stint_shares_divide(sharers, count, d->total, d->usage_factor, d->over_quota_only);
	for (size_t i = 0; i < count; i++) {
		const double got = share_of(sharers, count, d->queues[i].name);
		if (got != d->shares[i])
			fail_msg("%s: %s got %g and not %g", d->says, d->queues[i].name, got, d->shares[i]);
	}
	if (left != d->left)
		fail_msg("%s: %g is left and not %g", d->says, left, d->left);
}

static void shares_are_divided_by_quota_then_priority_then_weight(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(divisions); i++) {
		struct stint_sharer sharers[MOST];
		memcpy(sharers, divisions[i].queues, sizeof sharers);
		check(&divisions[i], sharers, count_of(&divisions[i]));
	}
}

static void the_order_of_queues_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(divisions); i++) {
		const size_t count = count_of(&divisions[i]);
		struct stint_sharer sharers[MOST];
		for (size_t q = 0; q < count; q++)
			sharers[count - 1 - q] = divisions[i].queues[q];
		check(&divisions[i], sharers, count);
	}
}

static double fair(struct cluster *c, const char *queue)
{
	struct stint_queue_view view;
	assert_true(stint_engine_queue_view(c->engine, stint_engine_queue_find(c->engine, queue), &view));
	return view.fair_share[STINT_GPU];
}

static void ask(struct cluster *c, const char *queue, int gpus)
{
	stint_autofree char *name = stint_format("%s-job", queue);
	add_pod(c, add_group(c, name, .queue = queue), name, .gpus = gpus);
}

static void children_share_what_their_parent_was_given(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 6);
	add_queue(c, "d1", .quota = 1, .weight = 1);
	add_queue(c, "q0", .parent = "d1", .quota = 1, .weight = 1);
	add_queue(c, "q1", .parent = "d1", .quota = 1, .weight = 1);
	add_queue(c, "rq", .parent = "d1", .quota = 2, .weight = 0);
	ask(c, "q0", 3);
	ask(c, "q1", 3);
	ask(c, "rq", 2);
	assert_true(fair(c, "d1") == 6);
	assert_true(fair(c, "q0") == 2);
	assert_true(fair(c, "q1") == 2);
	assert_true(fair(c, "rq") == 2);
	cluster_free(c);
}

static void a_deep_tree_divides_level_by_level(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8);
	add_queue(c, "leaf-a", .parent = "team", .weight = 1); /* children may come before their parents */
	add_queue(c, "leaf-b", .parent = "team", .weight = 3);
	add_queue(c, "team", .parent = "unit", .weight = 1);
	add_queue(c, "unit", .weight = 1);
	ask(c, "leaf-a", 8);
	ask(c, "leaf-b", 8);
	assert_true(fair(c, "unit") == 8);
	assert_true(fair(c, "team") == 8);
	assert_true(fair(c, "leaf-a") == 2);
	assert_true(fair(c, "leaf-b") == 6);
	cluster_free(c);
}

static void nodes_that_take_no_pods_do_not_count(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 4);
	add_node(c, "n1", .gpus = 4, .down = true);
	add_node(c, "n2", .gpus = 4, .cordoned = true);
	add_node(c, "n3", .gpus = 4, .pressures = STINT_PRESSURE_DISK);
	add_pod(c, STINT_NO_HANDLE, "foreign", .gpus = 1, .on = "n0");
	add_pod(c, STINT_NO_HANDLE, "holder", .gpus = 1, .on = "n0", .holder = true);
	double total[STINT_DIMENSIONS];
	stint_engine_cluster_total(c->engine, total);
	assert_true(total[STINT_GPU] == 3);
	add_node(c, "n1", .gpus = 4);
	stint_engine_pod_remove(c->engine, "foreign");
	stint_engine_cluster_total(c->engine, total);
	assert_true(total[STINT_GPU] == 8);
	stint_engine_node_remove(c->engine, "n1");
	stint_engine_cluster_total(c->engine, total);
	assert_true(total[STINT_GPU] == 4);
	cluster_free(c);
}

static void requests_count_what_waits_and_what_runs(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	add_node(c, "n0", .gpus = 8, .mib = 16300);
	add_queue(c, "top");
	add_queue(c, "q", .parent = "top", .quota = 8);
	const uint32_t group = add_group(c, "job", .queue = "q", .fixed = true);
	add_pod(c, group, "runs", .gpus = 2, .on = "n0", .slots = 3);
	add_pod(c, group, "waits", .portion = 0.25, .devices = 2);
	add_pod(c, group, "memory", .mib = 1630);
	add_pod(c, group, "gated", .gpus = 5, .status = STINT_POD_GATED);
	add_pod(c, group, "leaves", .gpus = 1, .on = "n0", .slots = 4, .status = STINT_POD_RELEASING);
	static const char *const queues[] = {"q", "top"};
	for (size_t i = 0; i < STINT_COUNT(queues); i++) {
		struct stint_queue_view view;
		stint_engine_queue_view(c->engine, stint_engine_queue_find(c->engine, queues[i]), &view);
		assert_true(view.allocated[STINT_GPU] == 2);
		assert_true(view.allocated_non_preemptible[STINT_GPU] == 2);
		assert_true(view.requested[STINT_GPU] == 2 + 0.5 + 0.1);
	}
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_divided_by_quota_then_priority_then_weight),
		cmocka_unit_test(the_order_of_queues_changes_nothing),
		cmocka_unit_test(children_share_what_their_parent_was_given),
		cmocka_unit_test(a_deep_tree_divides_level_by_level),
		cmocka_unit_test(nodes_that_take_no_pods_do_not_count),
		cmocka_unit_test(requests_count_what_waits_and_what_runs),
	};
	return cmocka_run_group_tests_name("engine: shares", tests, NULL, NULL);
}
