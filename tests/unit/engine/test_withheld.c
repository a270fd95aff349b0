/*
 * Why reclaim takes nothing back for a group that waits: of each rule a cluster in which it is the one, what is told of it, and that the group
 * gets its room when that rule, and nothing else, is met.
 */
#include "tests/unit/test.h"

#include "cluster.h"

#define AGO(seconds) (CLUSTER_NOW_MS - (seconds)*1000)

/* One node of eight GPUs. "gives" runs jobs of one GPU each, "takes" has some, too, and `waits` of it asks for more than is free. */
struct setting {
	struct queue_is gives, takes;
	struct group_is gives_job; /* each of its jobs */
	struct group_is takes_job, waits;
	int gives_jobs, takes_jobs, asks;
	int64_t takes_cpu_milli; /* of each job */
};

static struct cluster *cluster_of(const struct setting *is)
{
	struct cluster *c = cluster_new();
	c->policy.actions[c->policy.actions_count++] = STINT_ACTION_RECLAIM;
	c->policy.hold_moved_ms = 60000;
	add_node(c, "n0", .gpus = is->gives_jobs + is->takes_jobs);
	add_queue_(c, "gives", is->gives);
	add_queue_(c, "takes", is->takes);
	for (int job = 0; job < is->gives_jobs + is->takes_jobs; job++) {
		const bool takes = job >= is->gives_jobs;
		struct group_is group = takes ? is->takes_job : is->gives_job;
		group.queue = takes ? "takes" : "gives";
		stint_autofree char *key = stint_format("%s-%d", group.queue, job);
		add_pod(c, add_group_(c, key, group), key, .gpus = 1, .on = "n0", .slots = UINT64_C(1) << job,
			.cpu_milli = takes ? is->takes_cpu_milli : 0);
	}
	struct group_is waits = is->waits;
	waits.queue = "takes";
	add_pod(c, add_group_(c, "waits", waits), "waits", .gpus = is->asks);
	return c;
}

static struct stint_withheld ask(struct cluster *c)
{
	struct stint_withheld told;
	const bool withheld = stint_engine_withheld(c->engine, stint_engine_group_find(c->engine, "waits"), &told);
	assert_int_equal(withheld, told.bar != STINT_BAR_NONE);
	return told;
}

static bool gets_room(struct cluster *c)
{
	run_cycle(c);
	return node_of(c, "waits")[0] != '\0';
}

static const char *queue_of(const struct cluster *c, uint32_t queue)
{
	const char *name = stint_engine_queue_name(c->engine, queue);
	return name ? name : "none";
}

/* ---- one rule -------------------------------------------------------------------------------------------------------------------------------- */

static void raise_share(struct cluster *c)
{
	add_queue(c, "takes", .quota = 4);
}

static void let_it_be_preempted(struct cluster *c)
{
	add_group(c, "waits", .queue = "takes");
}

static void set_gives_jobs(struct cluster *c, bool fixed, bool spared)
{
	for (int job = 0; job < 5; job++) {
		stint_autofree char *key = stint_format("gives-%d", job);
		stint_engine_group_spare(c->engine, add_group(c, key, .queue = "gives", .fixed = fixed), spared);
	}
}

static void spare_nobody(struct cluster *c)
{
	set_gives_jobs(c, false, false);
}

static void lower_what_is_due(struct cluster *c)
{
	add_queue(c, "gives", .quota = 2);
}

static void let_it_come_first(struct cluster *c)
{
	add_queue(c, "takes", .quota = 2, .weight = 1, .priority = 200);
}

struct row {
	const char *says;
	struct setting is;
	enum stint_bar bar;
	bool together; /* with others */
	const char *queue;
	enum stint_dimension dimension;
	double bound, allocated, asked;
	double has, due; /* of "gives"; 0, 0: it is not told */
	void (*cure)(struct cluster *c);
};

static const struct row rows[] = {
	{"beyond its own fair share", {.gives = {.quota = 2}, .takes = {.quota = 3}, .gives_jobs = 5, .takes_jobs = 3, .asks = 1},
		STINT_BAR_SHARE, false, "takes", STINT_GPU, 3, 3, 1, 5, 2, raise_share},
	{"the same, and nobody has more than is due",
		{.gives = {.quota = 5}, .takes = {.quota = 3}, .gives_jobs = 5, .takes_jobs = 3, .asks = 1}, STINT_BAR_SHARE, true, "takes",
		STINT_GPU, 3, 3, 1, 0, 0, NULL},
	{"a quota that what is not preemptible has passed, though it asks for none of that",
		{.gives = {.quota = 2},
			.takes = {.quota = 5, .cpu_quota_milli = 1000},
			.takes_job = {.fixed = true},
			.waits = {.fixed = true},
			.gives_jobs = 5,
			.takes_jobs = 3,
			.asks = 1,
			.takes_cpu_milli = 500},
		STINT_BAR_QUOTA, false, "takes", STINT_CPU, 1000, 1500, 0, 5, 2, let_it_be_preempted},
	{"work that is not preemptible",
		{.gives = {.quota = 2}, .takes = {.quota = 4}, .gives_job = {.fixed = true}, .gives_jobs = 5, .takes_jobs = 3, .asks = 1},
		STINT_BAR_FIXED, false, "none", 0, 0, 0, 0, 5, 2, spare_nobody},
	{"what is due to others, who have something beyond that",
		{.gives = {.quota = 4}, .takes = {.quota = 6}, .gives_jobs = 5, .takes_jobs = 3, .asks = 3}, STINT_BAR_DUE, false, "none",
		0, 0, 0, 0, 5, 4, lower_what_is_due},
	{"what is due to others, who have nothing beyond that",
		{.gives = {.quota = 5}, .takes = {.quota = 4}, .gives_jobs = 5, .takes_jobs = 3, .asks = 1}, STINT_BAR_DUE, false, "none",
		0, 0, 0, 0, 0, 0, lower_what_is_due},
	{"who falls would come first again",
		{.gives = {.quota = 2, .priority = 200}, .takes = {.quota = 2, .weight = 1}, .gives_jobs = 5, .takes_jobs = 2, .asks = 1},
		STINT_BAR_ORDER, false, "none", 0, 0, 0, 0, 5, 2, let_it_come_first},
};

static void assert_told(struct cluster *c, const struct row *row)
{
	const struct stint_withheld told = ask(c);
	if (told.bar != row->bar || told.alone == row->together)
		fail_msg("%s: %s, %s", row->says, told.bar ? stint_bar_name(told.bar) : "nothing", told.alone ? "alone" : "with others");
	if (strcmp(queue_of(c, told.queue), row->queue ? row->queue : "none") != 0 || told.dimension != row->dimension ||
		told.bound != row->bound || told.allocated != row->allocated || told.asked != row->asked)
		fail_msg("%s: \"%s\", dimension %d, %g + %g > %g", row->says, queue_of(c, told.queue), (int)told.dimension, told.allocated,
			told.asked, told.bound);
	const struct stint_giver *giver = &told.surplus.givers[0];
	if (told.surplus.givers_count != (row->has > 0) || told.surplus.givers_total != told.surplus.givers_count ||
		told.surplus.beyond != row->has - row->due ||
		(told.surplus.givers_count &&
			(strcmp(queue_of(c, giver->queue), "gives") != 0 || giver->has != row->has || giver->due != row->due)))
		fail_msg("%s: %zu givers, %g beyond", row->says, told.surplus.givers_count, told.surplus.beyond);
}

static void the_rule_is_named_and_without_it_there_is_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct cluster *c = cluster_of(&row->is);
		for (int time = 0; time < 2; time++) { /* asking changes nothing */
			if (gets_room(c))
				fail_msg("%s: it has room", row->says);
			assert_told(c, row);
		}
		if (row->cure)
			row->cure(c);
		if (row->cure && !gets_room(c))
			fail_msg("%s: it waits all the same", row->says);
		assert_int_equal(ask(c).bar, row->cure ? STINT_BAR_NONE : row->bar);
		cluster_free(c);
	}
}

/* ---- rules that need more of a cluster --------------------------------------------------------------------------------------------------------- */

static const struct setting plain = {.gives = {.quota = 2}, .takes = {.quota = 4}, .gives_jobs = 5, .takes_jobs = 3, .asks = 1};

static void who_is_spared_is_told_apart_from_who_may_not_be_asked(void **state)
{
	(void)state;
	struct cluster *c = cluster_of(&plain);
	set_gives_jobs(c, false, true);
	assert_false(gets_room(c));
	assert_int_equal(ask(c).bar, STINT_BAR_SPARED);
	set_gives_jobs(c, false, false);
	assert_true(gets_room(c));
	cluster_free(c);
}

/* The department of the taker has its share already, and would be fuller than the other one. */
static void a_department_beyond_its_share_is_named(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	c->policy.actions[c->policy.actions_count++] = STINT_ACTION_RECLAIM;
	add_node(c, "n0", .gpus = 7);
	add_queue(c, "takers", .quota = 3, .priority = 200);
	add_queue(c, "givers", .quota = 3);
	add_queue(c, "s", .parent = "takers", .quota = 3);
	add_queue(c, "t", .parent = "takers", .quota = 1);
	add_queue(c, "v", .parent = "givers", .quota = 3);
	for (int i = 0; i < 7; i++) {
		stint_autofree char *key = stint_format("r%d", i);
		add_pod(c, add_group(c, key, .queue = i < 3 ? "s" : "v", .fixed = i < 3), key, .gpus = 1, .on = "n0",
			.slots = UINT64_C(1) << i);
	}
	add_pod(c, add_group(c, "waits", .queue = "t"), "waits", .gpus = 1);
	assert_false(gets_room(c));
	const struct stint_withheld told = ask(c);
	assert_int_equal(told.bar, STINT_BAR_ABOVE);
	assert_true(told.alone);
	assert_string_equal(queue_of(c, told.queue), "takers");
	assert_true(told.bound == 3 && told.allocated == 3 && told.asked == 1);
	assert_int_equal(told.surplus.givers_count, 1);
	assert_string_equal(queue_of(c, told.surplus.givers[0].queue), "givers");
	assert_true(told.surplus.givers[0].has == 4 && told.surplus.givers[0].due == 3 && !told.surplus.givers[0].by_quota);
	add_queue(c, "takers", .quota = 4, .priority = 200);
	assert_true(gets_room(c));
	cluster_free(c);
}

/* Its place would be where work of its own queue is. */
static void no_place_beside_others_is_told_as_that(void **state)
{
	(void)state;
	struct cluster *c = cluster_of(&plain);
	add_node(c, "n1", .gpus = 1, .label = "zone", .value = "a");
	add_pod(c, add_group(c, "own", .queue = "takes"), "own", .gpus = 1, .on = "n1", .slots = 1);
	add_queue(c, "takes", .quota = 8);
	stint_engine_pod_remove(c->engine, "waits");
	add_pod(c, stint_engine_group_find(c->engine, "waits"), "waits", .gpus = 1, .selects = "zone", .selected = "a");
	assert_false(gets_room(c));
	assert_int_equal(ask(c).bar, STINT_BAR_PLACE);
	cluster_free(c);
}

static void what_policy_rules_out_is_told(void **state)
{
	(void)state;
	struct cluster *c = cluster_of(&plain);
	c->policy.actions_count = 1;
	assert_false(gets_room(c));
	assert_int_equal(ask(c).bar, STINT_BAR_OFF);
	c->policy.actions_count = 2;
	c->policy.queue_depth[STINT_ACTION_RECLAIM] = 1;
	add_pod(c, add_group(c, "first", .queue = "takes", .priority = 75), "first", .gpus = 2);
	assert_false(gets_room(c));
	assert_int_equal(ask(c).bar, STINT_BAR_DEPTH);
	c->policy.queue_depth[STINT_ACTION_RECLAIM] = 0;
	assert_true(gets_room(c));
	cluster_free(c);
}

/* What the record has in its restraint is not told again; preempt may have left its own there. */
static void a_minimum_runtime_is_told_once(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		struct setting is = plain;
		is.gives.reclaim_min_s = is.takes.preempt_min_s = 60;
		is.gives_job.started_ms = is.takes_job.started_ms = AGO(10);
		is.takes_job.priority = own ? 40 : 50;
		struct cluster *c = cluster_of(&is);
		c->policy.actions[c->policy.actions_count++] = STINT_ACTION_PREEMPT;
		assert_false(gets_room(c));
		assert_int_equal(record_of(c, "waits").restraint, STINT_RESTRAINT_RUNTIME);
		assert_int_equal(record_of(c, "waits").restrained_action, own ? STINT_ACTION_PREEMPT : STINT_ACTION_RECLAIM);
		assert_int_equal(ask(c).bar, own ? STINT_BAR_RUNTIME : STINT_BAR_NONE);
		cluster_free(c);
	}
}

static void nothing_is_told_of_who_does_not_wait_for_room(void **state)
{
	(void)state;
	struct setting is = plain;
	is.waits.delay_s = 60;
	is.gives_job.fixed = true;
	struct cluster *c = cluster_of(&is);
	assert_false(gets_room(c));
	assert_int_equal(ask(c).bar, STINT_BAR_NONE); /* its delay is what counts */
	c->now_ms += 60000;
	assert_false(gets_room(c));
	assert_int_equal(ask(c).bar, STINT_BAR_FIXED);
	cluster_free(c);
	is.takes.limit = 3;
	c = cluster_of(&is);
	assert_false(gets_room(c));
	assert_int_equal(record_of(c, "waits").reason, STINT_REASON_OVER_LIMIT);
	assert_int_equal(ask(c).bar, STINT_BAR_NONE);
	cluster_free(c);
}

/* More queues give than are listed: the largest surplus first, and the sum is of all. */
static void of_many_who_have_too_much_the_worst_are_listed(void **state)
{
	(void)state;
	enum { QUEUES = STINT_MAX_GIVERS + 3 };
	struct cluster *c = cluster_of(&(struct setting){.takes = {.quota = 1}, .takes_jobs = 1, .asks = 1});
	double beyond = 0;
	for (int i = 0; i < QUEUES; i++) {
		stint_autofree char *name = stint_format("q%d", i);
		const int jobs = 1 + (i * 7) % QUEUES;
		add_node(c, name, .gpus = jobs);
		add_queue(c, name, .quota = 1);
		add_pod(c, add_group(c, name, .queue = name), name, .gpus = jobs, .on = name, .slots = (UINT64_C(1) << jobs) - 1);
		beyond += jobs - 1;
	}
	assert_false(gets_room(c));
	const struct stint_withheld told = ask(c);
	assert_int_equal(told.bar, STINT_BAR_SHARE);
	assert_int_equal(told.surplus.givers_count, STINT_MAX_GIVERS);
	assert_int_equal(told.surplus.givers_total, QUEUES - 1);
	assert_true(told.surplus.beyond == beyond);
	for (size_t i = 0; i < told.surplus.givers_count; i++)
		assert_true(told.surplus.givers[i].has == (double)(QUEUES - i));
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_is_named_and_without_it_there_is_room),
		cmocka_unit_test(who_is_spared_is_told_apart_from_who_may_not_be_asked),
		cmocka_unit_test(a_department_beyond_its_share_is_named),
		cmocka_unit_test(no_place_beside_others_is_told_as_that),
		cmocka_unit_test(what_policy_rules_out_is_told),
		cmocka_unit_test(a_minimum_runtime_is_told_once),
		cmocka_unit_test(nothing_is_told_of_who_does_not_wait_for_room),
		cmocka_unit_test(of_many_who_have_too_much_the_worst_are_listed),
	};
	return cmocka_run_group_tests_name("engine: withheld", tests, NULL, NULL);
}
