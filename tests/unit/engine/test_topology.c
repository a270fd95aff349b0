/*
 * Topologies: which domain a gang is put in, in which order domains are tried, and what is said when none will do. Nodes are written as
 * "name:zone/rack:gpus", and what came out as the nodes of the pods in their order.
 */
#include "tests/unit/test.h"

#include "cluster.h"

static void add_nodes(struct cluster *c, const char *text)
{
	char name[8], zone[8], rack[8];
	int gpus, at = 0;
	for (; sscanf(text, " %7[^:]:%7[^/]/%7[^:]:%d%n", name, zone, rack, &gpus, &at) == 4; text += at) {
		stint_autofree char *labels = stint_format("rack=%s,zone=%s", rack, zone);
		add_node(c, name, .gpus = gpus, .labels = labels);
	}
}

/* Pods that run: "node:gpus". */
static void add_running(struct cluster *c, const char *text)
{
	char node[8];
	int gpus, at = 0, serial = 0;
	for (; text && sscanf(text, " %7[^:]:%d%n", node, &gpus, &at) == 2; text += at) {
		stint_autofree char *name = stint_format("run-%d", serial++);
		add_pod(c, add_group(c, name, .queue = "q"), name, .gpus = gpus, .on = node);
	}
}

/* ---- one set of pods ---------------------------------------------------------------------------------------------------------------- */

/* A gang of `pods` pods of `gpus` devices each, bound to topology "t" of zone and rack. */
static const struct {
	const char *what, *nodes, *running;
	int pods, gpus;
	const char *required, *preferred, *placed; /* placed: NULL: nothing */
} cases[] = {
	{"a required rack holds all of a gang", "a:z/r1:1 b:z/r2:1 c:z/r2:1", NULL, 2, 1, "rack", NULL, "b c"},
	{"or nothing starts, however much room there is elsewhere", "a:z/r1:1 b:z/r2:1 c:z/r3:1", NULL, 2, 1, "rack", NULL, NULL},
	{"the fullest rack that will do comes first", "a:z/r1:4 b:z/r2:4", "b:2", 2, 1, "rack", NULL, "b b"},
	{"equal racks go by name", "a:z/r2:2 b:z/r1:2", NULL, 2, 1, "rack", NULL, "b b"},
	{"names of domains are texts", "a:z/r10:2 b:z/r9:2", NULL, 2, 1, "rack", NULL, "a a"},
	{"a required zone may span racks", "a:y/r1:1 b:z/r2:1 c:z/r3:1", NULL, 2, 1, "zone", NULL, "b c"},
	{"racks of one name in two zones are two", "a:y/r:1 b:z/r:1", NULL, 2, 1, "rack", NULL, NULL},
	{"a preferred rack is taken where one has room", "a:z/r1:1 b:z/r2:1 c:z/r2:1", NULL, 2, 1, NULL, "rack", "b c"},
	{"and done without where none has", "a:z/r1:1 b:z/r2:1", NULL, 2, 1, NULL, "rack", "b a"},
	{"what must span racks begins with the emptiest", "a:z/r1:4 b:z/r2:4", "a:1", 5, 1, NULL, "rack", "b b b b a"},
	{"a preferred rack does not loosen a required zone", "a:y/r1:1 b:z/r2:1", NULL, 2, 1, "zone", "rack", NULL},
	{"it narrows it", "a:z/r1:1 b:z/r2:2", NULL, 2, 1, "zone", "rack", "b b"},
	{"a finer level that fails gives way to the coarser one", "a:z/r1:2 b:z/r2:2", NULL, 3, 1, "zone", "rack", "b b a"},
	{"a required level above a rack that all nodes share will do", "a:z/r:1 b:z/r:1", NULL, 2, 1, "zone", NULL, "a b"},
	{"a preferred level coarser than the required one asks for nothing", "a:z/r1:1 b:z/r2:2", NULL, 2, 1, "rack", "zone", "b b"},
	{"a pod too large for each node of a domain rules it out", "a:z/r1:1 b:z/r1:1 c:z/r2:2", NULL, 1, 2, "rack", NULL, "c"},
	{"nodes without all labels are no part of it", "b:z/r2:2 x:-/-:0", NULL, 2, 1, "rack", NULL, "b b"},
};

static void a_gang_goes_to_the_domain_that_fits_it_best(void **state)
{
	(void)state;
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct cluster *c = cluster_new();
		const struct stint_part_spec parts[] = {
			{.name = "", .inner = true, .needs = STINT_ALL, .constraint = {"t", cases[i].required, cases[i].preferred}},
			{.name = "default", .needs = (uint32_t)cases[i].pods},
		};
		add_topology(c, "t", "zone,rack");
		add_queue(c, "q", .quota = -1);
		add_nodes(c, cases[i].nodes);
		if (strstr(cases[i].nodes, ":-/"))
			add_node(c, "a", .gpus = 4, .labels = "rack=r1");
		add_running(c, cases[i].running);
		const uint32_t group = add_group(c, "g", .queue = "q", .parts = parts, .parts_count = 2);
		for (int p = 0; p < cases[i].pods; p++) {
			stint_autofree char *name = stint_format("g-%d", p);
			add_pod(c, group, name, .gpus = cases[i].gpus);
		}
		run_cycle(c);
		stint_auto_buf placed = {0};
		for (int p = 0; p < cases[i].pods; p++) {
			stint_autofree char *name = stint_format("g-%d", p);
			stint_buf_printf(&placed, "%s%s", placed.length && node_of(c, name)[0] ? " " : "", node_of(c, name));
		}
		const char *now = placed.length ? placed.data : "";
		if (strcmp(now, cases[i].placed ? cases[i].placed : "") != 0)
			fail_msg("%s: on \"%s\" and not \"%s\"", cases[i].what, now, cases[i].placed ? cases[i].placed : "");
		cluster_free(c);
	}
}

/* ---- trees ------------------------------------------------------------------------------------------------------------------------------ */

static void parts_are_bound_within_the_domain_of_the_part_above(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	const struct stint_part_spec parts[] = {
		{.name = "", .inner = true, .needs = STINT_ALL, .constraint = {"t", "zone", NULL}},
		{.name = "a", .needs = 2, .constraint = {"t", "rack", NULL}},
		{.name = "b", .needs = 2, .constraint = {"t", "rack", NULL}},
	};
	add_topology(c, "t", "zone,rack");
	add_queue(c, "q", .quota = -1);
	/* Zone y has four devices and one rack for two; zone z has two such racks. */
	add_nodes(c, "n0:y/r1:2 n1:y/r2:1 n2:y/r3:1 n3:z/r4:2 n4:z/r5:1 n5:z/r5:1");
	const uint32_t group = add_group(c, "g", .queue = "q", .parts = parts, .parts_count = 3);
	for (int i = 0; i < 4; i++) {
		stint_autofree char *name = stint_format("g-%d", i);
		add_pod(c, group, name, .gpus = 1, .part = i < 2 ? "a" : "b");
	}
	assert_int_equal(run_cycle(c), 4);
	assert_string_equal(node_of(c, "g-0"), "n3");
	assert_string_equal(node_of(c, "g-1"), "n3");
	assert_string_equal(node_of(c, "g-2"), "n4");
	assert_string_equal(node_of(c, "g-3"), "n5");
	cluster_free(c);
}

static void pods_that_run_hold_the_part_in_their_domain(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	const struct stint_part_spec parts[] = {
		{.name = "", .inner = true, .needs = STINT_ALL, .constraint = {"t", "rack", NULL}},
		{.name = "default", .needs = 1},
	};
	add_topology(c, "t", "zone,rack");
	add_queue(c, "q", .quota = -1);
	add_nodes(c, "a:z/r1:3 b:z/r2:2");
	const uint32_t group = add_group(c, "g", .queue = "q", .parts = parts, .parts_count = 2);
	add_pod(c, group, "g-0", .gpus = 1, .on = "a");
	for (int i = 1; i < 4; i++) {
		stint_autofree char *name = stint_format("g-%d", i);
		add_pod(c, group, name, .gpus = 1);
	}
	assert_int_equal(run_cycle(c), 2);
	assert_string_equal(node_of(c, "g-1"), "a");
	assert_string_equal(node_of(c, "g-2"), "a");
	assert_string_equal(node_of(c, "g-3"), "");
	assert_int_equal(record_of(c, "g").reason, STINT_REASON_TOPOLOGY);
	cluster_free(c);
}

/* ---- news and records ---------------------------------------------------------------------------------------------------------------------- */

static void a_record_names_topology_level_and_domain(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	const struct stint_part_spec parts[] = {
		{.name = "", .inner = true, .needs = STINT_ALL},
		{.name = "w", .needs = 4, .constraint = {"t", "r", NULL}},
	};
	add_queue(c, "q", .quota = -1);
	add_nodes(c, "a:z/r1:2 b:z/r2:3 c:z/r3:2");
	const uint32_t group = add_group(c, "g", .queue = "q", .parts = parts, .parts_count = 2);
	for (int i = 0; i < 4; i++) {
		stint_autofree char *name = stint_format("g-%d", i);
		add_pod(c, group, name, .gpus = 1, .part = "w");
	}
	run_cycle(c);
	struct stint_record_place place = stint_engine_record_place(c->engine, group);
	assert_int_equal(record_of(c, "g").reason, STINT_REASON_NO_TOPOLOGY);
	assert_string_equal(place.topology, "t");
	add_topology(c, "t", "zone");
	run_cycle(c);
	assert_int_equal(record_of(c, "g").reason, STINT_REASON_NO_TOPOLOGY);
	assert_string_equal(stint_engine_record_place(c->engine, group).level, "r");
	add_topology(c, "t", "zone,rack:r");
	run_cycle(c);
	place = stint_engine_record_place(c->engine, group);
	assert_int_equal(record_of(c, "g").reason, STINT_REASON_TOPOLOGY);
	assert_int_equal(record_of(c, "g").have, 3);
	assert_int_equal(record_of(c, "g").need, 4);
	assert_string_equal(place.part, "w");
	assert_string_equal(place.domain, "z.r2");
	add_nodes(c, "d:z/r2:1");
	assert_int_equal(run_cycle(c), 4);
	cluster_free(c);
}

static void nodes_may_change_their_domain(void **state)
{
	(void)state;
	struct cluster *c = cluster_new();
	const struct stint_part_spec parts[] = {
		{.name = "", .inner = true, .needs = STINT_ALL, .constraint = {"t", "rack", NULL}},
		{.name = "default", .needs = 2},
	};
	add_topology(c, "t", "zone,rack");
	add_queue(c, "q", .quota = -1);
	add_nodes(c, "a:z/r1:1 b:z/r2:1");
	const uint32_t group = add_group(c, "g", .queue = "q", .parts = parts, .parts_count = 2);
	add_pod(c, group, "g-0", .gpus = 1);
	add_pod(c, group, "g-1", .gpus = 1);
	assert_int_equal(run_cycle(c), 0);
	add_nodes(c, "b:y/r1:1"); /* another zone: not the same rack */
	assert_int_equal(run_cycle(c), 0);
	add_nodes(c, "b:z/r1:1");
	assert_int_equal(run_cycle(c), 2);
	stint_engine_node_remove(c->engine, "a");
	stint_engine_topology_remove(c->engine, "t");
	run_cycle(c);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gang_goes_to_the_domain_that_fits_it_best),
		cmocka_unit_test(parts_are_bound_within_the_domain_of_the_part_above),
		cmocka_unit_test(pods_that_run_hold_the_part_in_their_domain),
		cmocka_unit_test(a_record_names_topology_level_and_domain),
		cmocka_unit_test(nodes_may_change_their_domain),
	};
	return cmocka_run_group_tests_name("engine: topology", tests, NULL, NULL);
}
