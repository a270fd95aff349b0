/*
 * Topology spread constraints that must hold: skew, least domains, what counts and where.
 */
#include "tests/unit/test.h"

#include "cluster.h"

#define CONSTRAINT(skew, more)                                                                                        \
	"[{\"maxSkew\":" #skew ",\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"DoNotSchedule\",\"labelSelector\":" \
	"{\"matchLabels\":{\"app\":\"s\"}}" more "}]"

/* Zones a (two nodes), b and c (one each); the node of c is small. */
static struct cluster *three_zones(void)
{
	struct cluster *c = cluster_new();
	add_node(c, "a0", .gpus = 8, .label = "zone", .value = "a");
	add_node(c, "a1", .gpus = 8, .label = "zone", .value = "a");
	add_node(c, "b0", .gpus = 8, .label = "zone", .value = "b");
	add_node(c, "c0", .gpus = 1, .label = "zone", .value = "c");
	add_queue(c, "q", .quota = -1, .weight = 1);
	return c;
}

static void spread_pods(struct cluster *c, int count, const char *constraint, const char *selects, const char *selected)
{
	for (int i = 0; i < count; i++) {
		char name[16];
		snprintf(name, sizeof name, "s%d", i);
		add_pod(c, add_group(c, name, .queue = "q", .age_s = 1000 - i), name, .gpus = 1, .label = "app", .value = "s",
			.spread = constraint, .selects = selects, .selected = selected);
	}
}

static void count_zones(const struct cluster *c, int count, int zones[static 3])
{
	zones[0] = zones[1] = zones[2] = 0;
	for (int i = 0; i < count; i++) {
		char name[16];
		snprintf(name, sizeof name, "s%d", i);
		const char *node = node_of(c, name);
		if (*node)
			zones[*node - 'a']++;
	}
}

static void no_zone_gets_further_ahead_than_the_skew_allows(void **state)
{
	(void)state;
	static const struct {
		const char *constraint, *selects, *selected;
		int zones[3]; /* where 12 pods end */
	} rows[] = {
		{CONSTRAINT(1, ""), NULL, NULL, {2, 2, 1}}, /* c takes one and holds the others at one more */
		{CONSTRAINT(3, ""), NULL, NULL, {4, 4, 1}},
		{CONSTRAINT(1, ""), "zone", "a", {12, 0, 0}}, /* only nodes that it selects count as domains */
		{CONSTRAINT(1, ",\"nodeAffinityPolicy\":\"Ignore\""), "zone", "a", {1, 0, 0}},
		{CONSTRAINT(1, ",\"minDomains\":4"), NULL, NULL, {1, 1, 1}}, /* a fourth domain would be needed: the least is 0 */
		{CONSTRAINT(1, ",\"minDomains\":3"), NULL, NULL, {2, 2, 1}},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		struct cluster *c = three_zones();
		int zones[3];
		spread_pods(c, 12, rows[i].constraint, rows[i].selects, rows[i].selected);
		for (int cycle = 0; cycle < 4; cycle++) /* a group that failed before the others came is tried again */
			run_cycle(c);
		count_zones(c, 12, zones);
		if (memcmp(zones, rows[i].zones, sizeof zones) != 0)
			fail_msg("row %zu: %d, %d, %d", i, zones[0], zones[1], zones[2]);
		cluster_free(c);
	}
}

static void a_gang_sees_its_own_pods(void **state)
{
	(void)state;
	struct cluster *c = three_zones();
	const uint32_t group = add_group(c, "gang", .queue = "q", .min = 5);
	for (int i = 0; i < 5; i++) {
		char name[16];
		snprintf(name, sizeof name, "s%d", i);
		add_pod(c, group, name, .gpus = 1, .label = "app", .value = "s", .spread = CONSTRAINT(1, ""));
	}
	int zones[3];
	assert_int_equal(run_cycle(c), 5);
	count_zones(c, 5, zones);
	assert_true(zones[0] == 2 && zones[1] == 2 && zones[2] == 1);
	cluster_free(c);
}

static void only_pods_that_stay_of_the_own_namespace_count(void **state)
{
	(void)state;
	struct cluster *c = three_zones();
	add_node(c, "c0", .gpus = 0, .label = "other", .value = "c"); /* no such label: in no domain, and nothing goes there */
	add_pod(c, STINT_NO_HANDLE, "elsewhere", .label = "app", .value = "s", .space = "other", .on = "b0");
	add_pod(c, STINT_NO_HANDLE, "leaves", .label = "app", .value = "s", .space = "mine", .on = "b0", .status = STINT_POD_RELEASING);
	add_pod(c, STINT_NO_HANDLE, "stays", .label = "app", .value = "s", .space = "mine", .on = "a0");
	add_pod(c, add_group(c, "p", .queue = "q"), "p", .gpus = 1, .space = "mine", .label = "app", .value = "s",
		.spread = CONSTRAINT(1, ""));
	run_cycle(c);
	assert_string_equal(node_of(c, "p"), "b0");
	/* A pod that is not spread itself adds nothing to the skew. */
	add_pod(c, STINT_NO_HANDLE, "stays too", .label = "app", .value = "s", .space = "mine", .on = "a0");
	add_pod(c, add_group(c, "o", .queue = "q"), "o", .gpus = 8, .space = "mine", .label = "app", .value = "t",
		.spread = CONSTRAINT(1, ""));
	run_cycle(c);
	assert_string_equal(node_of(c, "o"), "a0");
	cluster_free(c);
}

static void a_wish_to_spread_is_no_constraint_and_a_record_says_what_is(void **state)
{
	(void)state;
	struct cluster *c = three_zones();
	spread_pods(c, 4, "[{\"maxSkew\":1,\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"ScheduleAnyway\",\"labelSelector\":{}}]",
		"zone", "a");
	assert_int_equal(run_cycle(c), 4);
	add_pod(c, add_group(c, "p", .queue = "q"), "p", .gpus = 1, .label = "app", .value = "s", .selects = "zone", .selected = "a",
		.spread = CONSTRAINT(1, ",\"nodeAffinityPolicy\":\"Ignore\""));
	assert_int_equal(run_cycle(c), 0);
	struct stint_why why;
	stint_engine_why(c->engine, stint_engine_group_find(c->engine, "p"), &why);
	assert_int_equal(why.short_of[STINT_CAUSE_SPREAD], 2);
	assert_false(why.never);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_zone_gets_further_ahead_than_the_skew_allows),
		cmocka_unit_test(a_gang_sees_its_own_pods),
		cmocka_unit_test(only_pods_that_stay_of_the_own_namespace_count),
		cmocka_unit_test(a_wish_to_spread_is_no_constraint_and_a_record_says_what_is),
	};
	return cmocka_run_group_tests_name("engine: spread", tests, NULL, NULL);
}
