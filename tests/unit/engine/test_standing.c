/* The order of sibling queues as a function of numbers: each row names the one thing that tells the two apart, and which of them goes first. */
#include "tests/unit/test.h"

#include <stint/engine.h>

/* Of one resource; the two others are unlimited, and nothing is had of them. */
struct side {
	int32_t priority;
	double quota, limit, fair, has, step;
};

static const struct {
	const char *says;
	struct side first, second;
} rows[] = {
	{"one within its fair share goes before one beyond it", {100, 4, -1, 4, 4, 1}, {200, 2, -1, 2, 3, 1}},
	{"one that stays within its quota goes before one that leaves it", {100, 4, -1, 8, 1, 1}, {200, 1, -1, 8, 1, 1}},
	{"higher priority", {101, 4, -1, 4, 1, 1}, {100, 4, -1, 4, 0, 1}},
	{"one that is due something goes before one that is due nothing", {100, 0, -1, 1, 0, 1}, {100, 0, -1, 0, 0, 1}},
	{"the smaller share with the step", {100, 8, -1, 8, 3, 1}, {100, 8, -1, 8, 3, 2}},
	{"a share is a part of what may be had", {100, 16, -1, 16, 4, 1}, {100, 8, -1, 8, 3, 1}},
};

static struct stint_standing standing_of(const struct side *side)
{
	struct stint_stake stakes[STINT_DIMENSIONS];
	for (int d = 0; d < STINT_DIMENSIONS; d++)
		stakes[d] = (struct stint_stake){.quota = -1, .limit = -1, .fair = 0, .total = 100};
	const double then = side->has + side->step;
	stakes[STINT_GPU] = (struct stint_stake){side->quota, side->limit, side->fair, side->has, then, then, 100};
	/* Nothing beyond a fair share of the others: what decides is this one. */
	stakes[STINT_CPU].has = stakes[STINT_CPU].then = stakes[STINT_CPU].with_step = 1e-9;
	stakes[STINT_MEMORY] = stakes[STINT_CPU];
	return stint_standing_of(side->priority, stakes);
}

static void each_rule_tells_two_queues_apart_in_its_turn(void **state)
{
	(void)state;
	for (size_t at = 0; at < STINT_COUNT(rows); at++) {
		const struct stint_standing first = standing_of(&rows[at].first), second = standing_of(&rows[at].second);
		if (stint_standing_compare(&first, &second) >= 0 || stint_standing_compare(&second, &first) <= 0)
			fail_msg("%s", rows[at].says);
		assert_int_equal(stint_standing_compare(&first, &first), 0);
	}
}

static void what_a_queue_may_have_is_bounded_by_its_limit_and_unlimited_without_a_quota(void **state)
{
	(void)state;
	assert_true(stint_bounds_allocatable(4, -1, 6) == 6 && stint_bounds_allocatable(6, -1, 4) == 6);
	assert_true(stint_bounds_allocatable(4, 5, 6) == 5 && stint_bounds_allocatable(-1, 5, 6) == 5);
	assert_true(stint_bounds_allocatable(-1, -1, 6) < 0);
}

static void equals_go_by_age_and_then_by_name(void **state)
{
	(void)state;
	assert_true(stint_age_compare(1, "b", 2, "a") < 0 && stint_age_compare(2, "a", 1, "b") > 0);
	assert_true(stint_age_compare(1, "a", 1, "b") < 0 && stint_age_compare(1, "a", 1, "a") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_tells_two_queues_apart_in_its_turn),
		cmocka_unit_test(what_a_queue_may_have_is_bounded_by_its_limit_and_unlimited_without_a_quota),
		cmocka_unit_test(equals_go_by_age_and_then_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
