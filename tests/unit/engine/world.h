/*
 * A random small world for the tests of the engine's properties: what a cluster looks like, apart from any engine, and how an engine is told of
 * it, forwards or backwards. A seed means the same world everywhere.
 */
#ifndef STINT_TEST_WORLD_H
#define STINT_TEST_WORLD_H

#include <stdio.h>

#include "cluster.h"

enum { NODES = 6, QUEUES = 7, GROUPS = 40, PODS_PER_GROUP = 6, STEPS = 25 };

/* A generator of our own (xorshift), so that a seed means the same cluster everywhere. */
static uint64_t random_state;

static uint64_t random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static int below(int bound)
{
	return (int)(random_bits() % (uint64_t)bound);
}

static bool chance(int percent)
{
	return below(100) < percent;
}

/* ---- a world: what a cluster looks like, apart from any engine -------------------------------------------------------------------- */

struct world_pod {
	char name[32];
	bool there, placed; /* placed: in this step */
	struct pod_is is; /* is.on: its node, or NULL */
};

struct world_group {
	char name[16];
	bool there;
	int queue;
	struct group_is is;
	char pools[48]; /* of a list that was made longer */
	struct stint_part_spec parts[4]; /* root, a set "a", an inner part with set "b" */
	struct world_pod pods[PODS_PER_GROUP];
};

struct world {
	char node_names[NODES][8];
	struct node_is nodes[NODES];
	char queue_names[QUEUES][8];
	struct queue_is queues[QUEUES];
	struct world_group groups[GROUPS];
	struct stint_policy policy;
	struct stint_pool_placement placements[2];
	int64_t now_ms;
	int serial;
};

static int terms_percent; /* of pods that want something of other pods, in this world */
static int pools_percent; /* of groups that list pools */

static const double portions[] = {0.1, 0.25, 0.5, 0.57, 0.75, 1};

static void make_nodes(struct world *w)
{
	static const char *const labels[] = {"rack=r1,zone=a", "rack=r2,zone=a", "rack=r1,zone=b", "rack=r3,zone=b", "zone=a"};
	for (int i = 0; i < NODES; i++) {
		snprintf(w->node_names[i], sizeof w->node_names[i], "n%d", i);
		w->nodes[i] = (struct node_is){
			.gpus = chance(20) ? 0 : 1 + below(4),
			.cpu_milli = 2000 * (1 + below(8)),
			.memory_bytes = GIB * (2 + below(30)),
			.pods = chance(20) ? 2 + below(4) : 110,
			.mib = chance(15) ? -1 : 100 * (1 + below(3)),
			.labels = chance(80) ? labels[below((int)STINT_COUNT(labels))] : NULL,
			.taint = chance(10) ? "only" : NULL,
		};
	}
	/* p: the first nodes, q: the next ones; the rest are in none. */
	for (int i = 0; i < NODES && pools_percent; i++)
		w->nodes[i].pool = i < NODES / 3 ? "p" : i < 2 * NODES / 3 ? "q" : NULL;
	if (!pools_percent || chance(30))
		return;
	w->placements[0] = stint_pool_placement_of("p", (enum stint_placement)below(4));
	w->placements[1] = stint_pool_placement_of("default", (enum stint_placement)below(4));
	w->policy.pools = w->placements;
	w->policy.pools_count = STINT_COUNT(w->placements);
}

/* Two departments; the rest are leaves, one of them a root of its own. */
static void make_queues(struct world *w)
{
	for (int i = 0; i < QUEUES; i++) {
		snprintf(w->queue_names[i], sizeof w->queue_names[i], "q%d", i);
		w->queues[i] = (struct queue_is){
			.parent = i < 2 || i == 6 ? NULL : w->queue_names[i % 2],
			.quota = chance(15) ? -1 : (i < 2 ? 2 : 1) * below(4) + (chance(30) ? 0.5 : 0),
			.limit = chance(30) ? 0.5 * (1 + below(12)) : -1,
			.weight = below(3),
			.cpu_limit_milli = chance(20) ? 1000 * (1 + below(10)) : 0,
			.priority = chance(20) ? 200 : 100,
			.age_s = below(3),
			.preempt_min_s = chance(20) ? 1 + below(100) : 0,
			.reclaim_min_s = chance(20) ? 1 + below(100) : 0,
		};
	}
}

/* What a pod may want of other pods: near[w] and far[w] name an app, or NULL; the domain is the node label. */
#define TERM(app, key)                                                                                             \
	"{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"labelSelector\":{\"matchLabels\":{\"app\":\"" app \
	"\"}},\"topologyKey\":\"" key "\"}]}"
static const struct want {
	const char *app, *key, *text;
} wants[] = {
	{"a", "zone", TERM("a", "zone")},
	{"b", "zone", TERM("b", "zone")},
	{"a", "rack", TERM("a", "rack")},
	{"b", "rack", TERM("b", "rack")},
};

static struct stint_topology_constraint make_constraint(void)
{
	static const struct stint_topology_constraint all[] = {
		{"t", "rack", NULL}, {"t", "zone", NULL}, {"t", NULL, "rack"}, {"t", "zone", "rack"}, {"u", "rack", NULL}};
	return chance(50) ? (struct stint_topology_constraint){0} : all[below((int)STINT_COUNT(all))];
}

/* The pods of a group with parts are shared out; each part needs no more than it has, or one more for a gang that never is complete. */
static void make_parts(struct world_group *group, int pods)
{
	const int of_a = below(pods + 1), of_b = pods - of_a;
	group->parts[0] = (struct stint_part_spec){
		.name = "", .inner = true, .needs = chance(50) ? STINT_ALL : (uint32_t)below(3), .constraint = make_constraint()};
	group->parts[1] = (struct stint_part_spec){.name = "a", .needs = (uint32_t)below(of_a + 2), .constraint = make_constraint()};
	group->parts[2] = (struct stint_part_spec){.name = "x", .inner = true, .needs = STINT_ALL, .constraint = make_constraint()};
	group->parts[3] =
		(struct stint_part_spec){.name = "b", .parent = 2, .needs = (uint32_t)below(of_b + 1), .constraint = make_constraint()};
	group->is.parts_count = STINT_COUNT(group->parts);
	for (int i = 0; i < pods; i++)
		group->pods[i].is.part = chance(3) ? "typo" : i < of_a ? "a" : "b";
}

static void make_policy(struct world *w)
{
	const enum stint_placement gpu = chance(40) ? STINT_BINPACK
		: chance(60)			    ? STINT_SPREAD
		: chance(60)			    ? STINT_FRAGMENTATION
						    : STINT_UNORDERED;
	w->policy = stint_policy_of(gpu, chance(50) ? STINT_BINPACK : chance(70) ? STINT_SPREAD : STINT_FRAGMENTATION);
	if (chance(25))
		return;
	stint_policy_evict(&w->policy);
	w->policy.consolidation_max_victims = (uint32_t)below(4);
	w->policy.reclaim_may_consolidate = chance(70);
	w->policy.reclaim_saturation = chance(80) ? 1 : 1.5;
	w->policy.min_runtime_method = chance(50) ? STINT_MIN_RUNTIME_LCA : STINT_MIN_RUNTIME_QUEUE;
	w->policy.preempt_min_runtime_ms = chance(70) ? 0 : 40000;
	w->policy.reclaim_min_runtime_ms = chance(70) ? 0 : 40000;
	w->policy.stale_grace_ms = chance(30) ? -1 : 20000;
	for (enum stint_action action = 0; action < STINT_ACTIONS; action++)
		w->policy.queue_depth[action] = chance(80) ? 0 : (uint32_t)(1 + below(3));
}

static struct pod_is make_request(void)
{
	struct pod_is is = {.cpu_milli = 250 * below(6), .memory_bytes = GIB / 2 * below(4)};
	if (chance(40)) {
		is.label = "app";
		is.value = chance(50) ? "a" : "b";
	}
	if (terms_percent && chance(terms_percent))
		is.near = wants[below((int)STINT_COUNT(wants))].text;
	if (terms_percent && chance(terms_percent))
		is.far = wants[below((int)STINT_COUNT(wants))].text;
	switch (below(5)) {
	case 0: break;
	case 1: is.gpus = 1 + below(3); break;
	case 2:
	case 3:
		is.portion = portions[below((int)STINT_COUNT(portions))];
		is.devices = chance(20) ? 2 : 1;
		break;
	default: is.mib = 10 + below(150); break;
	}
	if (chance(15)) {
		is.selects = "zone";
		is.selected = "a";
	}
	if (chance(20))
		is.tolerates = "only";
	return is;
}

static void make_group(struct world *w, struct world_group *group)
{
	const int pods = 1 + below(PODS_PER_GROUP), serial = w->serial++;
	*group = (struct world_group){.there = true, .queue = 2 + below(QUEUES - 2)};
	snprintf(group->name, sizeof group->name, "g%04d", serial);
	group->is = (struct group_is){
		.priority = chance(25) ? 100
			: chance(30)   ? 75
				       : 50,
		.delay_s = chance(20) ? below(120) : 0,
		.fixed = chance(30),
		.min = chance(40) ? (uint32_t)(1 + below(pods)) : 1,
		.age_s = below(4),
	};
	const struct pod_is request = make_request();
	for (int i = 0; i < pods; i++) {
		struct world_pod *pod = &group->pods[i];
		pod->there = true;
		pod->is = chance(80) ? request : make_request();
		pod->is.age_s = below(2);
		snprintf(pod->name, sizeof pod->name, "%s-%d", group->name, i);
	}
	if (chance(40))
		make_parts(group, pods);
	static const char *const lists[] = {"p", "q,p", "default,p", "p,q", "none,q", "q,default,p"};
	if (pools_percent && chance(pools_percent))
		group->is.pools = lists[below((int)STINT_COUNT(lists))];
}

/* ---- telling an engine -------------------------------------------------------------------------------------------------------------- */

static void tell_node(struct cluster *c, const struct world *w, int node)
{
	add_node_(c, w->node_names[node], w->nodes[node]);
}

static void tell_queue(struct cluster *c, const struct world *w, int queue)
{
	add_queue_(c, w->queue_names[queue], w->queues[queue]);
}

static void tell_pod(struct cluster *c, const struct world_group *group, const struct world_pod *pod)
{
	add_pod_(c, stint_engine_group_find(c->engine, group->name), pod->name, pod->is);
}

static void tell_group(struct cluster *c, const struct world *w, const struct world_group *group, bool backwards)
{
	struct group_is is = group->is;
	is.queue = w->queue_names[group->queue];
	is.parts = group->is.parts_count ? group->parts : NULL;
	add_group_(c, group->name, is);
	for (int i = 0; i < PODS_PER_GROUP; i++) {
		const struct world_pod *pod = &group->pods[backwards ? PODS_PER_GROUP - 1 - i : i];
		if (pod->there)
			tell_pod(c, group, pod);
	}
}

static void tell_all_to(struct cluster *c, const struct world *w, bool backwards)
{
	c->policy = w->policy;
	c->now_ms = w->now_ms;
	for (int i = 0; i < GROUPS && backwards; i++) {
		if (w->groups[GROUPS - 1 - i].there)
			tell_group(c, w, &w->groups[GROUPS - 1 - i], true);
	}
	add_topology(c, "t", "zone,rack");
	add_topology(c, "u", "rack");
	for (int i = 0; i < QUEUES; i++)
		tell_queue(c, w, backwards ? QUEUES - 1 - i : i);
	for (int i = 0; i < NODES; i++)
		tell_node(c, w, backwards ? NODES - 1 - i : i);
	for (int i = 0; i < GROUPS && !backwards; i++) {
		if (w->groups[i].there)
			tell_group(c, w, &w->groups[i], false);
	}
}

#endif
