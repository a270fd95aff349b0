/*
 * Who falls among several that might: order first, then what is lost, then how many, then age; and in small clusters no better choice stands
 * than the one that is made.
 */
#include "tests/unit/test.h"

#include "cluster.h"
#include "core/engine/hunt.h"

#define AGO(seconds) (CLUSTER_NOW_MS - (seconds)*1000)

static struct cluster *cluster_with(enum stint_action action)
{
	struct cluster *c = cluster_new();
	c->policy.actions[0] = action;
	c->policy.actions_count = 1;
	return c;
}

static bool falls(const struct cluster *c, const char *pod)
{
	for (size_t i = 0; i < c->last.count; i++) {
		if (c->last.decisions[i].kind == STINT_DECIDE_EVICT && c->last.decisions[i].pod == pod_named(c, pod))
			return true;
	}
	return false;
}

/* ---- tables: nodes are full of what runs, and one pod waits ------------------------------------------------------------------------------ */

/* A job of one pod, named by its letter: the first is "a". */
struct runs {
	int node, gpus; /* 0 gpus: the end of the list */
	int64_t ran_s; /* 0: not known */
	int64_t age_s;
	int priority;
};
enum { MOST_RUNS = 8 };

struct row {
	const char *says;
	int asks; /* GPUs of the pod that waits */
	struct runs runs[MOST_RUNS];
	const char *falls; /* letters */
};

static const struct row rows[] = {
	{"who has run for less falls, though it is older", 1, {{0, 1, 100, 1, 50}, {0, 1, 10, 9, 50}}, "b"},
	{"two GPUs for a moment rather than one for long", 1, {{0, 1, 100, 1, 50}, {0, 2, 10, 9, 50}}, "b"},
	{"one GPU for a while rather than four for less", 1, {{0, 1, 30, 9, 50}, {0, 4, 10, 1, 50}}, "a"},
	{"two small ones that lose less than one large one", 2, {{0, 1, 10, 1, 50}, {0, 1, 10, 2, 50}, {0, 2, 20, 3, 50}}, "ab"},
	{"one large one that loses less than two small ones", 2, {{0, 1, 30, 1, 50}, {0, 1, 30, 2, 50}, {0, 2, 20, 3, 50}}, "c"},
	{"of the same loss fewer fall", 2, {{0, 1, 10, 1, 50}, {0, 1, 10, 2, 50}, {0, 2, 10, 9, 50}}, "c"},
	{"of unknown loss fewer fall", 2, {{0, 1, 0, 1, 50}, {0, 1, 0, 2, 50}, {0, 2, 0, 9, 50}}, "c"},
	{"of the same loss and as many the youngest", 1, {{0, 1, 10, 5, 50}, {0, 1, 10, 3, 50}, {0, 1, 10, 9, 50}}, "b"},
	{"the set whose oldest is younger", 2, {{0, 1, 10, 9, 50}, {0, 1, 30, 1, 50}, {1, 1, 20, 3, 50}, {1, 1, 20, 3, 50}}, "cd"},
	{"lower priority falls, whatever it loses", 1, {{0, 1, 9999, 9, 40}, {0, 1, 1, 1, 50}}, "a"},
	{"and however many", 2, {{0, 1, 99, 9, 40}, {0, 1, 99, 9, 40}, {0, 2, 1, 1, 50}}, "ab"},
	{"as little as can be of the higher one", 2, {{0, 1, 10, 9, 40}, {0, 1, 10, 9, 50}, {0, 2, 10, 1, 50}}, "ab"},
	{"nothing lower that does not help", 2, {{0, 1, 10, 1, 40}, {1, 2, 10, 1, 50}}, "b"},
	{"the node that costs least in all, not the one whose dearest is cheapest", 2,
		{{0, 1, 1, 1, 50}, {0, 1, 60, 1, 50}, {1, 1, 40, 1, 50}, {1, 1, 40, 1, 50}}, "ab"},
	{"on a node the cheapest that suffice", 2, {{0, 1, 20, 1, 50}, {0, 1, 20, 1, 50}, {0, 2, 15, 1, 50}, {1, 4, 99, 1, 50}}, "c"},
};

static void among_equals_the_least_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
		int gpus[2] = {0};
		for (int job = 0; job < MOST_RUNS && row->runs[job].gpus; job++)
			gpus[row->runs[job].node] += row->runs[job].gpus;
		add_node(c, "n0", .gpus = gpus[0]);
		add_node(c, "n1", .gpus = gpus[1]);
		add_queue(c, "q", .quota = -1);
		int slot[2] = {0};
		for (int job = 0; job < MOST_RUNS && row->runs[job].gpus; job++) {
			const struct runs *runs = &row->runs[job];
			const char name[] = {(char)('a' + job), '\0'};
			const uint32_t group = add_group(c, name, .queue = "q", .priority = runs->priority, .age_s = runs->age_s,
				.started_ms = runs->ran_s ? AGO(runs->ran_s) : 0);
			add_pod(c, group, name, .gpus = runs->gpus, .on = runs->node ? "n1" : "n0",
				.slots = ((UINT64_C(1) << runs->gpus) - 1) << slot[runs->node]);
			slot[runs->node] += runs->gpus;
		}
		add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = row->asks);
		run_cycle(c);
		char fell[MOST_RUNS + 1] = "";
		for (int job = 0; job < MOST_RUNS && row->runs[job].gpus; job++) {
			const char name[] = {(char)('a' + job), '\0'};
			if (falls(c, name))
				strncat(fell, name, sizeof fell - strlen(fell) - 1);
		}
		if (strcmp(fell, row->falls) != 0)
			fail_msg("%s: \"%s\" fell, not \"%s\"", row->says, fell, row->falls);
		cluster_free(c);
	}
}

/* Thirty nodes of eight jobs: far more than can be chosen from one by one. */
static void of_many_nodes_the_one_that_costs_least_is_emptied(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_queue(c, "q", .quota = -1);
	for (int node = 0; node < 30; node++) {
		stint_autofree char *name = stint_format("n%02d", node);
		add_node(c, name, .gpus = 8);
		for (int job = 0; job < 8; job++) {
			/* Of n17 one job has run for long and the others hardly at all; everywhere else all have for some time. */
			const int64_t ran_s = node == 17 ? (job ? 2 : 150) : 100 + (7 * node + job) % 13;
			stint_autofree char *key = stint_format("j%02d-%d", node, job);
			add_pod(c, add_group(c, key, .queue = "q", .age_s = 500, .started_ms = AGO(ran_s)), key, .gpus = 1, .on = name,
				.slots = UINT64_C(1) << job);
		}
	}
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 8);
	run_cycle(c);
	assert_string_equal(node_of(c, "waits"), "n17");
	assert_int_equal(c->last.count, 9);
	cluster_free(c);
}

static void a_gang_empties_the_cheapest_nodes_whole(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_queue(c, "q", .quota = -1);
	for (int node = 0; node < 12; node++) {
		stint_autofree char *name = stint_format("n%02d", node);
		add_node(c, name, .gpus = 4);
		for (int job = 0; job < 4; job++) {
			const int64_t ran_s = node % 4 == 1 ? (job ? 10 : 90) : 60;
			stint_autofree char *key = stint_format("j%02d-%d", node, job);
			add_pod(c, add_group(c, key, .queue = "q", .started_ms = AGO(ran_s)), key, .gpus = 1, .on = name,
				.slots = UINT64_C(1) << job);
		}
	}
	const uint32_t gang = add_group(c, "gang", .queue = "q", .priority = 75, .min = 3);
	for (int pod = 0; pod < 3; pod++) {
		stint_autofree char *name = stint_format("gang-%d", pod);
		add_pod(c, gang, name, .gpus = 4);
	}
	run_cycle(c);
	assert_int_equal(c->last.count, 15);
	for (size_t i = 0; i < c->last.count; i++) {
		struct stint_node_view node;
		stint_engine_node_view(c->engine, c->last.decisions[i].node, &node);
		const int number = (node.name[1] - '0') * 10 + node.name[2] - '0';
		if (number % 4 != 1)
			fail_msg("%s is used, and others cost less", node.name);
	}
	cluster_free(c);
}

/* A gang that must be in one rack takes the rack that costs least, all of it, and nothing of the other. */
static void a_gang_empties_one_domain_and_no_half_of_two(void **state)
{
	(void)state;
	static const int ran_s[2][4] = {{10, 10, 10, 90}, {50, 50, 50, 50}};
	static const struct stint_part_spec parts[] = {
		{.name = "", .inner = true, .needs = STINT_ALL, .constraint = {"t", "rack", NULL}},
		{.name = "default", .needs = 2},
	};
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_topology(c, "t", "rack");
	add_queue(c, "q", .quota = -1);
	for (int job = 0; job < 8; job++) {
		const int rack = job / 4;
		stint_autofree char *node = stint_format("n%d", job / 2);
		stint_autofree char *key = stint_format("r%d-%d", rack, job % 4);
		if (job % 2 == 0)
			add_node(c, node, .gpus = 2, .rack = rack ? "r1" : "r0");
		add_pod(c, add_group(c, key, .queue = "q", .started_ms = AGO(ran_s[rack][job % 4])), key, .gpus = 1, .on = node,
			.slots = UINT64_C(1) << job % 2);
	}
	const uint32_t gang = add_group(c, "gang", .queue = "q", .priority = 75, .parts = parts, .parts_count = STINT_COUNT(parts));
	add_pod(c, gang, "gang-0", .gpus = 2);
	add_pod(c, gang, "gang-1", .gpus = 2);
	run_cycle(c);
	assert_int_equal(c->last.count, 6);
	for (int job = 0; job < 8; job++) {
		stint_autofree char *key = stint_format("r%d-%d", job / 4, job % 4);
		assert_int_equal(falls(c, key), job < 4);
	}
	cluster_free(c);
}

static void a_surplus_falls_before_a_minimum_whatever_it_loses(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 3);
	add_queue(c, "q", .quota = -1);
	const uint32_t elastic = add_group(c, "elastic", .queue = "q", .started_ms = AGO(9999));
	add_pod(c, elastic, "elastic-0", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, elastic, "elastic-1", .gpus = 1, .on = "n0", .slots = 2);
	add_pod(c, add_group(c, "plain", .queue = "q", .started_ms = AGO(1)), "plain", .gpus = 1, .on = "n0", .slots = 4);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 1);
	run_cycle(c);
	assert_true(falls(c, "elastic-1"));
	assert_int_equal(c->last.count, 2);
	cluster_free(c);
}

/* Two queues that only their age tells apart: what falls is what loses less. And where one has more than the other, it gives. */
/*
 * Of `a` the last pod falls first, which loses more than the whole set that stands, and does not help. Its other one and that of `c` would lose
 * least, but `a` is not robbed from the middle. A search that has tried in vain lets more fall than it needs: here everything has.
 */
static void a_surplus_falls_from_its_end_whatever_its_pods_lose(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	c->policy.actions_count = 0;
	add_node(c, "n0", .gpus = 8);
	add_node(c, "n1", .gpus = 4, .rack = "r1");
	add_queue(c, "q", .quota = -1);
	const uint32_t a = add_group(c, "a", .queue = "q", .started_ms = AGO(20));
	const uint32_t b = add_group(c, "b", .queue = "q", .started_ms = AGO(50));
	const uint32_t least = add_group(c, "c", .queue = "q", .started_ms = AGO(10));
	add_pod(c, a, "a0", .on = "n0");
	add_pod(c, a, "a1", .gpus = 1, .on = "n1", .slots = 1);
	add_pod(c, a, "a2", .gpus = 8, .on = "n0", .slots = 255);
	add_pod(c, b, "b0", .on = "n0");
	add_pod(c, b, "b1", .gpus = 2, .on = "n1", .slots = 6);
	add_pod(c, least, "c0", .on = "n0");
	add_pod(c, least, "c1", .gpus = 1, .on = "n1", .slots = 8);
	const uint32_t waits = add_group(c, "waits", .queue = "q", .priority = 75);
	add_pod(c, waits, "waits", .gpus = 2, .selects = "rack", .selected = "r1");
	run_cycle(c);
	struct stint_engine *engine = c->engine;
	struct search *search = engine->search = stint_alloc(sizeof *search);
	engine_lines_settle(engine);
	struct hunt hunt = {.rules = &engine_preempt_rules, .group = waits, .queue = engine->groups[waits].queue, .pool = STINT_NO_HANDLE};
	engine_chunk_asks(engine, waits, true, engine->least_gpu_mib, hunt.asked);
	assert_true(engine_room_start(engine, &hunt) && engine_search(engine, &hunt));
	engine_plan_rollback(engine, 0);
	engine_search_fall_again(engine);
	while (search->steps_count < 4)
		assert_true(engine_search_fall(engine, &hunt));
	engine_plan_rollback(engine, 0);
	const char *const falls_as[] = {"c1", "b1", "a2", "a1"};
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(search->pods.items[search->steps[i].first], pod_named(c, falls_as[i]));
	search->set.count = 0;
	engine_search_take(search, 1);
	assert_true(engine_search_stands(engine, &hunt));
	assert_true(engine_search_cheapen(engine, &hunt));
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(engine_pod_robbed(&engine->pods[pod_named(c, falls_as[i])]), i == 1);
	engine_plan_rollback(engine, 0);
	cluster_free(c);
}

/*
 * Of `a` the pod on n0 would fall first. It is of no use to the other, which needs the place of its second one: that alone is lost, and not
 * moved to where it would drive the third one out.
 */
static void a_surplus_that_is_not_in_the_way_stays_though_it_would_fall_first(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 2);
	add_node(c, "n1", .gpus = 1, .rack = "r1");
	add_queue(c, "q", .quota = -1);
	const uint32_t a = add_group(c, "a", .queue = "q");
	add_pod(c, a, "a0", .on = "n0");
	add_pod(c, a, "a1", .gpus = 1, .on = "n1", .slots = 1);
	add_pod(c, a, "a2", .gpus = 2, .on = "n0", .slots = 3);
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 1, .selects = "rack", .selected = "r1");
	run_cycle(c);
	assert_true(falls(c, "a1"));
	assert_int_equal(c->last.count, 2);
	assert_string_equal(node_of(c, "waits"), "n1");
	cluster_free(c);
}

static void between_queues_order_counts_before_loss(void **state)
{
	(void)state;
	for (int fuller = 0; fuller < 2; fuller++) {
		struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
		add_node(c, "n0", .gpus = 4 + fuller);
		add_queue(c, "old", .quota = 1, .age_s = 9);
		add_queue(c, "young", .quota = 1, .age_s = 1);
		add_queue(c, "taker", .quota = 2);
		for (int job = 0; job < 4 + fuller; job++) {
			const bool young = job % 2 && job < 4;
			stint_autofree char *key = stint_format("j%d", job);
			add_pod(c, add_group(c, key, .queue = young ? "young" : "old", .started_ms = AGO(fuller == young ? 10 : 90)), key,
				.gpus = 1, .on = "n0", .slots = UINT64_C(1) << job);
		}
		add_pod(c, add_group(c, "waits", .queue = "taker"), "waits", .gpus = 1);
		run_cycle(c);
		assert_int_equal(c->last.count, 2);
		struct stint_group_view victim;
		stint_engine_group_view(c->engine, c->last.decisions[0].group, &victim);
		assert_string_equal(victim.queue_name, "old");
		cluster_free(c);
	}
}

/* In a move nothing is lost: the youngest moves, as KAI has it. */
static void who_moves_is_not_chosen_by_loss(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
	c->policy.consolidation_max_victims = UINT32_MAX;
	add_node(c, "n0", .gpus = 2);
	add_node(c, "n1", .gpus = 2);
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "x", .queue = "q", .age_s = 9, .started_ms = AGO(1)), "x", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, add_group(c, "y", .queue = "q", .age_s = 8, .started_ms = AGO(99)), "y", .gpus = 1, .on = "n1", .slots = 1);
	add_pod(c, add_group(c, "big", .queue = "q"), "big", .gpus = 2);
	run_cycle(c);
	assert_true(falls(c, "y"));
	assert_false(falls(c, "x"));
	cluster_free(c);
}

/* ---- nothing falls for nothing ------------------------------------------------------------------------------------------------------------ */

/* What moves would come up first in the next cycle and take its former place again, the smaller node: unless the new one is kept for it. */
static void nobody_moves_who_would_come_back(void **state)
{
	(void)state;
	for (int kept = 0; kept < 2; kept++) {
		struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
		c->policy.actions[0] = STINT_ACTION_ALLOCATE;
		c->policy.actions[c->policy.actions_count++] = STINT_ACTION_CONSOLIDATION;
		c->policy.consolidation_max_victims = UINT32_MAX;
		c->policy.hold_moved_ms = kept ? 60000 : 0;
		add_node(c, "n0", .gpus = 1, .label = "zone", .value = "a");
		add_node(c, "n1", .gpus = 2);
		add_queue(c, "q", .quota = -1);
		add_pod(c, add_group(c, "first", .queue = "q", .age_s = 9), "first", .gpus = 1, .on = "n0", .slots = 1);
		add_pod(c, add_group(c, "waits", .queue = "q", .age_s = 8), "waits", .gpus = 1, .selects = "zone", .selected = "a");
		run_cycle(c);
		assert_int_equal(falls(c, "first"), kept);
		assert_int_equal(c->last.count, kept ? 3 : 0);
		cluster_free(c);
	}
}

/* Of one plain amount nodes are full, of all others half empty: moves make no room, and nobody here may be made to lose his place. */
static void nobody_is_tried_where_all_may_only_move_and_nothing_is_left(void **state)
{
	(void)state;
	static const struct {
		const char *says;
		int pods, gpus;
		int64_t cpu_milli, memory_bytes, resource_milli;
	} full_of[] = {
		{"pod slots", 4, 1, 1, 1, 1},
		{"processors", 9, 1, 1000, 1, 1},
		{"memory", 9, 1, 1, GIB, 1},
		{"GPUs", 9, 2, 1, 1, 1},
		{"an extended resource", 9, 1, 1, 1, 1000},
	};
	static const enum stint_action actions[] = {STINT_ACTION_CONSOLIDATION, STINT_ACTION_RECLAIM};
	for (size_t i = 0; i < STINT_COUNT(full_of) * STINT_COUNT(actions); i++) {
		struct cluster *c = cluster_with(actions[i % 2]);
		c->policy.consolidation_max_victims = UINT32_MAX;
		add_queue(c, "q", .quota = -1);
		add_queue(c, "p", .quota = -1);
		for (int job = 0; job <= 12; job++) {
			stint_autofree char *node = stint_format("n%d", job / 4);
			stint_autofree char *key = stint_format("j%d", job);
			const bool waits = job == 12;
			if (job % 4 == 0 && !waits)
				add_node(c, node, .pods = full_of[i / 2].pods, .gpus = 8, .cpu_milli = 4000, .memory_bytes = 4 * GIB,
					.resource = "example.com/r", .resource_milli = 4000);
			add_pod(c, add_group(c, key, .queue = waits ? "p" : "q"), key, .gpus = full_of[i / 2].gpus,
				.cpu_milli = full_of[i / 2].cpu_milli, .memory_bytes = full_of[i / 2].memory_bytes,
				.resource = "example.com/r", .resource_milli = full_of[i / 2].resource_milli, .on = waits ? NULL : node,
				.slots = waits ? 0 : ((UINT64_C(1) << full_of[i / 2].gpus) - 1) << job % 4 * 2);
		}
		assert_int_equal(run_cycle(c), 0);
		const struct search *search = c->engine->search;
		if (!search || search->steps_count)
			fail_msg("%s, %s: %zu steps fell", full_of[i / 2].says, stint_action_name(actions[i % 2]),
				search ? search->steps_count : 0);
		cluster_free(c);
	}
}

/* `a` takes the place of what another queue has beyond its share; `b`, which comes first but asks for more than is due, may take from `a` later. */
static void what_this_cycle_made_room_for_is_not_undone_by_it(void **state)
{
	(void)state;
	struct cluster *c = cluster_with(STINT_ACTION_RECLAIM);
	c->policy.actions[c->policy.actions_count++] = STINT_ACTION_PREEMPT;
	add_node(c, "n0", .gpus = 2);
	add_queue(c, "taker", .quota = 2);
	add_queue(c, "giver", .quota = 0);
	add_pod(c, add_group(c, "x", .queue = "taker"), "x", .gpus = 1, .on = "n0", .slots = 1);
	add_pod(c, add_group(c, "v", .queue = "giver"), "v", .gpus = 1, .on = "n0", .slots = 2);
	add_pod(c, add_group(c, "a", .queue = "taker"), "a", .gpus = 1);
	add_pod(c, add_group(c, "b", .queue = "taker", .priority = 90), "b", .gpus = 2);
	run_cycle(c);
	assert_true(falls(c, "v"));
	assert_false(falls(c, "x"));
	assert_string_equal(node_of(c, "a"), "n0");
	assert_string_equal(node_of(c, "b"), "");
	cluster_free(c);
}

/* What failed for want of room fails as before when victims have been tried in vain, though they have terms about others. */
static void a_search_in_vain_makes_nobody_hope(void **state)
{
	(void)state;
	static const char far[] = "{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"labelSelector\":{\"matchLabels\":"
				  "{\"app\":\"a\"}},\"topologyKey\":\"kubernetes.io/hostname\"}]}";
	struct cluster *c = cluster_with(STINT_ACTION_CONSOLIDATION);
	c->policy.consolidation_max_victims = UINT32_MAX;
	c->policy.hold_moved_ms = 0;
	add_node(c, "n0", .gpus = 1, .labels = "kubernetes.io/hostname=n0,zone=a");
	add_node(c, "n1", .gpus = 2, .labels = "kubernetes.io/hostname=n1");
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "first", .queue = "q", .age_s = 9), "first", .gpus = 1, .on = "n0", .slots = 1, .far = far);
	run_cycle(c);
	const uint64_t epoch = c->engine->room_epoch;
	add_pod(c, add_group(c, "waits", .queue = "q", .age_s = 8), "waits", .gpus = 1, .selects = "zone", .selected = "a");
	assert_int_equal(run_cycle(c), 0);
	assert_true(c->engine->search->work > 0);
	assert_int_equal(c->engine->room_epoch, epoch);
	cluster_free(c);
}

/* It must be near what would have to go for it. */
static void nobody_falls_whom_the_other_needs(void **state)
{
	(void)state;
	static const char near[] = "{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"labelSelector\":{\"matchLabels\":"
				   "{\"app\":\"a\"}},\"topologyKey\":\"kubernetes.io/hostname\"}]}";
	struct cluster *c = cluster_with(STINT_ACTION_PREEMPT);
	add_node(c, "n0", .gpus = 1, .label = "kubernetes.io/hostname", .value = "n0");
	add_queue(c, "q", .quota = -1);
	add_pod(c, add_group(c, "runs", .queue = "q"), "runs", .gpus = 1, .on = "n0", .slots = 1, .label = "app", .value = "a");
	add_pod(c, add_group(c, "waits", .queue = "q", .priority = 75), "waits", .gpus = 1, .near = near);
	assert_int_equal(run_cycle(c), 0);
	cluster_free(c);
}

/* ---- every choice of small clusters -------------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static int below(int bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int)(random_state % (uint64_t)bound);
}

/* Up to eight jobs of two priorities, some elastic or gangs, on three nodes. */
static struct cluster *random_cluster(enum stint_action action)
{
	struct cluster *c = cluster_with(action);
	c->policy.consolidation_max_victims = UINT32_MAX;
	c->policy.reclaim_may_consolidate = below(2);
	int room[3];
	for (int node = 0; node < 3; node++) {
		stint_autofree char *name = stint_format("n%d", node);
		add_node(c, name, .gpus = room[node] = 1 + below(4));
	}
	add_queue(c, "q", .quota = action == STINT_ACTION_RECLAIM ? 1 : -1, .weight = 1);
	add_queue(c, "p", .quota = 1, .weight = 1);
	add_queue(c, "taker", .quota = 3, .weight = 1);
	for (int job = 0; job < 8; job++) {
		stint_autofree char *key = stint_format("j%d", job);
		const uint32_t pods = 1 + (uint32_t)below(2);
		const uint32_t group =
			add_group(c, key, .queue = action == STINT_ACTION_RECLAIM && below(2) ? "p" : "q", .priority = below(3) ? 50 : 40,
				.age_s = below(4), .min = 1 + (uint32_t)below((int)pods), .started_ms = below(4) ? AGO(1 + below(4)) : 0);
		for (uint32_t pod = 0; pod < pods; pod++) {
			stint_autofree char *name = stint_format("%s-%u", key, pod);
			const int node = below(3), gpus = 1 + below(2);
			stint_autofree char *on = stint_format("n%d", node);
			if (room[node] < gpus)
				continue;
			room[node] -= gpus;
			add_pod(c, group, name, .gpus = gpus, .on = on, .slots = ((UINT64_C(1) << gpus) - 1) << room[node]);
		}
	}
	const uint32_t waits = add_group(
		c, "waits", .queue = action == STINT_ACTION_RECLAIM ? "taker" : "q", .priority = 75, .min = 1 + (uint32_t)below(2));
	for (int pod = 0; pod < 2; pod++) {
		stint_autofree char *name = stint_format("waits-%d", pod);
		add_pod(c, waits, name, .gpus = 1 + below(3));
	}
	return c;
}

static bool list_choice(const struct search *search, unsigned chosen, struct handles *list)
{
	list->count = 0;
	for (uint32_t i = 0; i < search->steps_count; i++) {
		const uint32_t before = search->steps[i].before;
		if (!(chosen >> i & 1))
			continue;
		if (before != STINT_NO_HANDLE && !(chosen >> before & 1))
			return false;
		handles_push(list, i);
	}
	return true;
}

static void list_outcome(const struct stint_engine *engine, struct handles *list)
{
	const struct search *search = engine->search;
	list->count = 0;
	for (uint32_t i = 0; i < search->steps_count; i++) {
		bool robbed = false;
		for (uint32_t p = 0; p < search->steps[i].count; p++)
			robbed = robbed || engine_pod_robbed(&engine->pods[search->pods.items[search->steps[i].first + p]]);
		if (robbed)
			handles_push(list, i);
	}
}

/* How many sets stood that were worse; fails on one that is better than what the search chose. */
static int compare_with_all(struct cluster *c, const struct hunt_rules *rules, uint64_t seed)
{
	struct stint_engine *engine = c->engine;
	const uint32_t waits = stint_engine_group_find(engine, "waits");
	struct hunt hunt = {.rules = rules, .group = waits, .queue = engine->groups[waits].queue, .pool = STINT_NO_HANDLE};
	struct handles chosen = {0}, other = {0};
	int stood = 0;
	engine_chunk_asks(engine, waits, true, engine->least_gpu_mib, hunt.asked);
	for (uint32_t q = 0; q < engine->queues_count; q++) {
		engine->queues[q].before = engine->queues[q].allocated;
		engine->queues[q].before_fixed = engine->queues[q].allocated_fixed;
	}
	struct search *search = engine->search;
	const bool found = rules->may_start(engine, &hunt) && engine_room_start(engine, &hunt) && engine_search(engine, &hunt);
	if (found) {
		list_outcome(engine, &chosen);
		engine_plan_rollback(engine, 0);
		engine_search_fall_again(engine);
		while (search->steps_count < 12 && engine_search_fall(engine, &hunt))
			;
		engine_plan_rollback(engine, 0);
		for (unsigned set = 1; set < 1U << search->steps_count; set++) {
			if (!list_choice(search, set, &other))
				continue;
			search->set.count = 0;
			for (size_t i = 0; i < other.count; i++)
				engine_search_take(search, other.items[i]);
			if (engine_steps_compare(engine, &other, &chosen) < 0 && engine_judge(engine, &hunt))
				fail_msg("seed %llu: %s does not choose the best set of %zu steps, which is %#x", (unsigned long long)seed,
					stint_action_name(rules->action), search->steps_count, set);
			engine_plan_rollback(engine, 0);
			stood += engine_judge(engine, &hunt);
			engine_plan_rollback(engine, 0);
		}
	}
	free(chosen.items);
	free(other.items);
	return stood;
}

static void no_better_choice_stands(void **state)
{
	(void)state;
	static const struct hunt_rules *const all[] = {&engine_preempt_rules, &engine_reclaim_rules, &engine_consolidation_rules};
	for (size_t i = 0; i < STINT_COUNT(all); i++) {
		int stood = 0;
		for (uint64_t seed = 1; seed <= 400; seed++) {
			random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + i;
			struct cluster *c = random_cluster(all[i]->action);
			c->policy.actions_count = 0;
			run_cycle(c);
			c->engine->search = stint_alloc(sizeof *c->engine->search);
			engine_lines_settle(c->engine);
			stood += compare_with_all(c, all[i], seed);
			cluster_free(c);
		}
		if (stood < 1000)
			fail_msg("%s: only %d sets stood", stint_action_name(all[i]->action), stood);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(among_equals_the_least_is_lost),
		cmocka_unit_test(of_many_nodes_the_one_that_costs_least_is_emptied),
		cmocka_unit_test(a_gang_empties_the_cheapest_nodes_whole),
		cmocka_unit_test(a_gang_empties_one_domain_and_no_half_of_two),
		cmocka_unit_test(a_surplus_falls_before_a_minimum_whatever_it_loses),
		cmocka_unit_test(a_surplus_falls_from_its_end_whatever_its_pods_lose),
		cmocka_unit_test(a_surplus_that_is_not_in_the_way_stays_though_it_would_fall_first),
		cmocka_unit_test(between_queues_order_counts_before_loss),
		cmocka_unit_test(who_moves_is_not_chosen_by_loss),
		cmocka_unit_test(nobody_moves_who_would_come_back),
		cmocka_unit_test(nobody_is_tried_where_all_may_only_move_and_nothing_is_left),
		cmocka_unit_test(what_this_cycle_made_room_for_is_not_undone_by_it),
		cmocka_unit_test(a_search_in_vain_makes_nobody_hope),
		cmocka_unit_test(nobody_falls_whom_the_other_needs),
		cmocka_unit_test(no_better_choice_stands),
	};
	return cmocka_run_group_tests_name("engine: victims", tests, NULL, NULL);
}
