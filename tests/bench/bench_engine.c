/*
 * What a decision costs, without a network: the bars of the engine, each measured as the best of several runs on one core, with what KAI-Scheduler
 * publishes for such work beside it.
 *
 * usage: bench_engine [NODES]      (500 nodes of 8 GPUs; the steady cycle has ten times as many)
 */
#include <stdio.h>

#include "tests/bench/measure.h"
#include "tests/unit/engine/cluster.h"

enum { GPUS = 8, RUNS = 5 };

static bool all_kept = true;

static void say(const char *what, double us, double bar_us, const char *kai)
{
	all_kept = say_row(what, us, "us", bar_us, kai) && all_kept;
}

static void add_nodes(struct cluster *c, int count)
{
	for (int i = 0; i < count; i++) {
		stint_autofree char *name = stint_format("node-%05d", i);
		add_node(c, name, .gpus = GPUS, .cpu_milli = 128000, .memory_bytes = 1024 * GIB);
	}
}

static void add_jobs(struct cluster *c, const char *prefix, int count, bool running)
{
	for (int i = 0; i < count; i++) {
		stint_autofree char *job = stint_format("%s-%06d", prefix, i);
		stint_autofree char *queue = stint_format("queue-%d", i % 10);
		stint_autofree char *pod = stint_format("%s-0", job);
		stint_autofree char *node = stint_format("node-%05d", i / GPUS);
		add_pod(c, add_group(c, job, .queue = queue, .age_s = count - i), pod, .gpus = 1, .cpu_milli = 1000, .memory_bytes = GIB,
			.on = running ? node : NULL, .slots = running ? UINT64_C(1) << i % GPUS : 0);
	}
}

static struct cluster *make(int nodes)
{
	struct cluster *c = cluster_new();
	stint_policy_evict(&c->policy);
	add_queue(c, "all", .quota = (double)nodes * GPUS, .weight = 1);
	for (int i = 0; i < 10; i++) {
		stint_autofree char *name = stint_format("queue-%d", i);
		add_queue(c, name, .parent = "all", .quota = (double)nodes * GPUS / 10, .weight = 1);
	}
	add_nodes(c, nodes);
	return c;
}

static void fill(int nodes)
{
	double best = 1e18, gang = 1e18;
	for (int run = 0; run < RUNS; run++) {
		struct cluster *c = make(nodes);
		add_jobs(c, "job", nodes * GPUS, false);
		int64_t start_us = used_us();
		const size_t placed = run_cycle(c);
		const double us = elapsed_us(start_us);
		if (placed != (size_t)nodes * GPUS)
			printf("only %zu of %d pods were placed\n", placed, nodes * GPUS);
		best = us < best ? us : best;

		const uint32_t group = add_group(c, "gang", .queue = "queue-0", .min = 10);
		for (int i = 0; i < 10; i++) {
			stint_autofree char *name = stint_format("gang-%d", i);
			add_pod(c, group, name, .gpus = GPUS);
		}
		start_us = used_us();
		run_cycle(c);
		const double refused_us = elapsed_us(start_us);
		gang = refused_us < gang ? refused_us : gang;
		cluster_free(c);
	}
	stint_autofree char *what = stint_format("place %d one-GPU pods on %d nodes of %d", nodes * GPUS, nodes, GPUS);
	say(what, best, 20000.0 * nodes / 500, nodes == 500 ? "398 s (10.1 pods/s)" : NULL);
	printf("%-66s %10.2f us\n", "  that is, per pod", best / (nodes * GPUS));
	say("refuse a gang of 10 pods with 8 GPUs each on the full cluster", gang, 1000, nodes == 500 ? "249.5 s" : NULL);
}

static void steady(int nodes)
{
	struct cluster *c = make(nodes);
	add_jobs(c, "run", nodes * GPUS - 8, true);
	for (int i = 0; i < nodes * 2; i++) {
		stint_autofree char *name = stint_format("web-%06d", i);
		stint_autofree char *node = stint_format("node-%05d", i % nodes);
		add_pod(c, add_group(c, name, .queue = "queue-1"), name, .cpu_milli = 100, .memory_bytes = GIB / 4, .on = node);
	}
	double best = 1e18, worst = 0, nothing = 1e18;
	for (int run = 0; run < 200; run++) {
		stint_autofree char *name = stint_format("new-%d", run);
		add_pod(c, add_group(c, name, .queue = "queue-2"), name, .gpus = 1, .cpu_milli = 1000, .memory_bytes = GIB);
		int64_t start_us = used_us();
		const size_t placed = run_cycle(c);
		const double us = elapsed_us(start_us);
		if (placed != 1)
			printf("run %d placed %zu pods\n", run, placed);
		stint_engine_pod_confirm(c->engine, pod_named(c, name));
		start_us = used_us();
		run_cycle(c);
		const double idle_us = elapsed_us(start_us);
		stint_engine_pod_remove(c->engine, name);
		stint_engine_group_remove(c->engine, stint_engine_group_find(c->engine, name));
		if (run == 0)
			continue; /* makes the ranking of a new shape */
		best = us < best ? us : best;
		worst = us > worst ? us : worst;
		nothing = idle_us < nothing ? idle_us : nothing;
	}
	struct stint_engine_stats stats;
	stint_engine_measure(c->engine, &stats);
	stint_autofree char *what = stint_format("one pod arrives: %d nodes, %zu pods", nodes, stats.pods);
	say(what, best, 100, "2.2 s for the snapshot of each cycle, 4,000 nodes");
	printf("%-66s %10.1f us\n%-66s %10.1f us\n", "  the slowest of 199 such cycles", worst, "  a cycle with nothing to do", nothing);
	printf("%-66s %10.1f MiB (model objects not included)\n", "  memory of the state", (double)stats.bytes / (1 << 20));
	cluster_free(c);
}

/* A queue of work that does not fit, as on most clusters: each cycle frees one device and must not try everybody again. */
static void crowded(int nodes, int waiting)
{
	struct cluster *c = make(nodes);
	add_jobs(c, "run", nodes * GPUS, true);
	add_jobs(c, "wait", waiting, false);
	run_cycle(c);
	double best = 1e18;
	for (int run = 0; run < 50; run++) {
		stint_autofree char *gone = stint_format("run-%06d-0", run * 7);
		stint_engine_pod_remove(c->engine, gone);
		const int64_t start_us = used_us();
		const size_t placed = run_cycle(c);
		const double us = elapsed_us(start_us);
		if (placed != 1)
			printf("run %d placed %zu pods\n", run, placed);
		best = us < best ? us : best;
	}
	stint_autofree char *what = stint_format("one of %d GPUs is freed, %d jobs wait for it", nodes * GPUS, waiting);
	say(what, best, 2000, NULL);
	cluster_free(c);
}

/* ---- evictions -------------------------------------------------------------------------------------------------------------------- */

/* A cluster full of one-GPU jobs of one department, and another that has nothing and is due half. */
static struct cluster *make_taken(int nodes)
{
	struct cluster *c = cluster_new();
	stint_policy_evict(&c->policy);
	add_nodes(c, nodes);
	for (int d = 0; d < 2; d++) {
		stint_autofree char *department = stint_format("department-%d", d);
		add_queue(c, department, .quota = (double)nodes * GPUS / 2, .weight = 1);
		for (int i = 0; i < 10; i++) {
			stint_autofree char *name = d ? stint_format("other-%d", i) : stint_format("queue-%d", i);
			add_queue(c, name, .parent = department, .quota = (double)nodes * GPUS / 20, .weight = 1);
		}
	}
	add_jobs(c, "run", nodes * GPUS, true);
	return c;
}

static void add_gang(struct cluster *c, const char *key, const char *queue, int pods, int gpus)
{
	const uint32_t group = add_group(c, key, .queue = queue, .min = (uint32_t)pods);
	for (int i = 0; i < pods; i++) {
		stint_autofree char *name = stint_format("%s-%d", key, i);
		add_pod(c, group, name, .gpus = gpus, .cpu_milli = 1000, .memory_bytes = GIB);
	}
}

static size_t count_kind(const struct cluster *c, enum stint_decision_kind kind)
{
	size_t count = 0;
	for (size_t i = 0; i < c->last.count; i++)
		count += c->last.decisions[i].kind == kind;
	return count;
}

/* One gang takes 2,000 GPUs back, as 250 whole nodes; or one pod a single GPU; and 10 whole nodes are refused to a queue that has its share. */
static void reclaim(int nodes, int pods, int gpus, double bar_us, double bar_mib, const char *kai)
{
	double best = 1e18, refused = 1e18;
	struct stint_engine_stats stats = {0};
	for (int run = 0; run < RUNS; run++) {
		struct cluster *c = make_taken(nodes);
		run_cycle(c);
		add_gang(c, "gang", "other-0", pods, gpus);
		int64_t start_us = used_us();
		run_cycle(c);
		const double us = elapsed_us(start_us);
		const size_t evicted = count_kind(c, STINT_DECIDE_EVICT), reserved = count_kind(c, STINT_DECIDE_RESERVE);
		if (evicted != (size_t)pods * (size_t)gpus || reserved != (size_t)pods)
			printf("%zu pods were evicted and %zu reserved\n", evicted, reserved);
		best = us < best ? us : best;
		stint_engine_measure(c->engine, &stats);
		add_gang(c, "late", "queue-0", 10, GPUS);
		start_us = used_us();
		run_cycle(c);
		const double refused_us = elapsed_us(start_us);
		if (count_kind(c, STINT_DECIDE_EVICT))
			printf("the late gang evicted %zu pods\n", count_kind(c, STINT_DECIDE_EVICT));
		refused = refused_us < refused ? refused_us : refused;
		cluster_free(c);
	}
	stint_autofree char *what = stint_format("reclaim %d x %d GPUs: %d nodes full with %d jobs", pods, gpus, nodes, nodes * GPUS);
	say(what, best, bar_us, kai);
	if (pods > 1) {
		say("  then refuse a gang of 10 whole nodes", refused, 1000 * (double)nodes / 500, NULL);
		all_kept = say_row("  memory of the state, model objects not included", (double)stats.bytes / (1 << 20), "MiB", bar_mib,
				   nodes == 1000 ? "7.9 GiB" : NULL) &&
			all_kept;
	}
}

/* The longest "no": a gang within its share, for which no legal set of victims makes room. */
static void hopeless(int nodes)
{
	double best = 1e18, again = 1e18;
	for (int run = 0; run < RUNS; run++) {
		struct cluster *c = make_taken(nodes);
		run_cycle(c);
		const uint32_t group = add_group(c, "odd", .queue = "other-0", .min = 10);
		for (int i = 0; i < 10; i++) {
			stint_autofree char *name = stint_format("odd-%d", i);
			add_pod(c, group, name, .gpus = GPUS, .cpu_milli = 1000, .selects = "zone", .selected = "none");
		}
		int64_t start_us = used_us();
		if (run_cycle(c))
			printf("an impossible gang got something\n");
		const double us = elapsed_us(start_us);
		best = us < best ? us : best;
		add_pod(c, add_group(c, "small", .queue = "queue-1"), "small", .cpu_milli = 1000);
		start_us = used_us();
		run_cycle(c);
		const double again_us = elapsed_us(start_us);
		again = again_us < again ? again_us : again;
		cluster_free(c);
	}
	stint_autofree char *what = stint_format("refuse 10 whole nodes that none may have: %d nodes, all victims legal", nodes);
	say(what, best, 1000 * (double)nodes / 500, NULL);
	printf("%-66s %10.1f us\n", "  the next cycle, in which a pod is placed", again);
}

/* Nodes are full of pods, not of anything else, and some more wait for a slot: to take from, to move, or (urgent) to preempt. */
static void slots(int nodes, int waiting, bool urgent, double bar_us)
{
	double best = 1e18;
	for (int run = 0; run < RUNS; run++) {
		struct cluster *c = cluster_new();
		stint_policy_evict(&c->policy);
		for (int i = 0; i < 10; i++) {
			stint_autofree char *name = stint_format("queue-%d", i);
			add_queue(c, name, .quota = -1);
		}
		for (int i = 0; i < nodes * GPUS; i++) {
			stint_autofree char *job = stint_format("run-%06d", i);
			stint_autofree char *queue = stint_format("queue-%d", i % 10);
			stint_autofree char *node = stint_format("node-%05d", i / GPUS);
			if (i % GPUS == 0)
				add_node(c, node, .gpus = GPUS, .cpu_milli = 128000, .memory_bytes = 1024 * GIB, .pods = GPUS);
			add_pod(c, add_group(c, job, .queue = queue, .age_s = 100000 - i), job, .cpu_milli = 1000, .memory_bytes = GIB,
				.on = node);
		}
		run_cycle(c);
		for (int i = 0; i < waiting; i++) {
			stint_autofree char *job = stint_format("wait-%03d", i);
			stint_autofree char *queue = stint_format("queue-%d", i % 10);
			add_pod(c, add_group(c, job, .queue = queue, .priority = urgent ? 90 : 50), job, .cpu_milli = 1000,
				.memory_bytes = GIB);
		}
		const int64_t start_us = used_us();
		run_cycle(c);
		const double us = elapsed_us(start_us);
		if (count_kind(c, STINT_DECIDE_EVICT) != (size_t)(urgent ? waiting : 0))
			printf("%zu pods were evicted\n", count_kind(c, STINT_DECIDE_EVICT));
		best = us < best ? us : best;
		cluster_free(c);
	}
	stint_autofree char *what = stint_format(
		"%d pods %s a pod slot: %d nodes full of %d pods", waiting, urgent ? "preempt for" : "wait for", nodes, nodes * GPUS);
	say(what, best, bar_us, NULL);
}

static void preempt(int nodes)
{
	double best = 1e18;
	for (int run = 0; run < RUNS; run++) {
		struct cluster *c = make_taken(nodes);
		run_cycle(c);
		const uint32_t group = add_group(c, "urgent", .queue = "queue-3", .priority = 90, .min = 8);
		for (int i = 0; i < 8; i++) {
			stint_autofree char *name = stint_format("urgent-%d", i);
			add_pod(c, group, name, .gpus = 1, .cpu_milli = 1000, .memory_bytes = GIB);
		}
		const int64_t start_us = used_us();
		run_cycle(c);
		const double us = elapsed_us(start_us);
		if (count_kind(c, STINT_DECIDE_EVICT) != 8)
			printf("%zu pods were evicted\n", count_kind(c, STINT_DECIDE_EVICT));
		best = us < best ? us : best;
		cluster_free(c);
	}
	stint_autofree char *what = stint_format("preempt 8 jobs of the same queue: %d nodes full", nodes);
	say(what, best, 10000, NULL);
}

/* Half of every node is free but one device too few: a whole node has to be emptied by moves. */
static void consolidate(int nodes)
{
	double best = 1e18;
	for (int run = 0; run < RUNS; run++) {
		struct cluster *c = make(nodes);
		stint_policy_evict(&c->policy);
		for (int i = 0; i < nodes * GPUS / 2; i++) {
			stint_autofree char *job = stint_format("half-%06d", i);
			stint_autofree char *queue = stint_format("queue-%d", i % 10);
			stint_autofree char *node = stint_format("node-%05d", i % nodes);
			add_pod(c, add_group(c, job, .queue = queue, .age_s = 100000 - i), job, .gpus = 1, .cpu_milli = 1000,
				.memory_bytes = GIB, .on = node, .slots = UINT64_C(1) << i / nodes);
		}
		run_cycle(c);
		add_pod(c, add_group(c, "whole", .queue = "queue-0"), "whole", .gpus = GPUS, .cpu_milli = 1000);
		const int64_t start_us = used_us();
		run_cycle(c);
		const double us = elapsed_us(start_us);
		if (count_kind(c, STINT_DECIDE_EVICT) != GPUS / 2)
			printf("%zu pods were moved\n", count_kind(c, STINT_DECIDE_EVICT));
		best = us < best ? us : best;
		cluster_free(c);
	}
	stint_autofree char *what = stint_format("empty a node of 4 jobs for a whole one: %d nodes half full", nodes);
	say(what, best, 50000, "11 s for each of 41 gangs (456 s)");
}

/* 4 zones of 8 blocks of 8 racks of 2 nodes, and one gang of 512 pods of 2 GPUs: as much as a zone has. */
static void topology(const char *what, const char *required, const char *preferred, const char *kai)
{
	enum { NODES = 4 * 8 * 8 * 2, PODS = 512 };
	const struct stint_part_spec parts[] = {
		{.name = "", .inner = true, .needs = STINT_ALL, .constraint = {"fabric", required, preferred}},
		{.name = "default", .needs = PODS},
	};
	double best = 1e18;
	for (int run = 0; run < RUNS; run++) {
		struct cluster *c = cluster_new();
		add_queue(c, "q", .quota = -1);
		add_topology(c, "fabric", "zone,block,rack");
		for (int i = 0; i < NODES; i++) {
			stint_autofree char *name = stint_format("node-%05d", i);
			stint_autofree char *labels = stint_format("block=b%d,rack=r%d,zone=z%d", i / 16 % 8, i / 2 % 8, i / 128);
			add_node(c, name, .gpus = GPUS, .cpu_milli = 128000, .memory_bytes = 1024 * GIB, .labels = labels);
		}
		const uint32_t group = add_group(c, "gang", .queue = "q", .parts = parts, .parts_count = STINT_COUNT(parts));
		for (int i = 0; i < PODS; i++) {
			stint_autofree char *name = stint_format("gang-%04d", i);
			add_pod(c, group, name, .gpus = 2);
		}
		const int64_t start_us = used_us();
		const size_t placed = run_cycle(c);
		const double us = elapsed_us(start_us);
		if (placed != PODS)
			printf("only %zu of %d pods were placed\n", placed, PODS);
		best = us < best ? us : best;
		cluster_free(c);
	}
	say(what, best, 5000, kai);
}

int main(int argc, char **argv)
{
	int64_t nodes = 500;
	if (argc > 1 && !stint_parse_int(argv[1], 1, 100000, &nodes)) {
		fprintf(stderr, "usage: bench_engine [NODES]\n");
		return 2;
	}
	fill((int)nodes);
	steady((int)nodes * 10);
	crowded((int)nodes, 5000);
	reclaim((int)nodes, (int)nodes / 2, GPUS, 50000.0 * (double)nodes / 500, 64 * (double)nodes / 500, nodes == 500 ? "102 s" : NULL);
	reclaim((int)nodes, 1, 1, 10000, 64, nodes == 500 ? "13.9 s" : NULL);
	hopeless((int)nodes);
	preempt((int)nodes);
	slots((int)nodes, 40, false, 10000 * (double)nodes / 500);
	slots((int)nodes, 40, true, 60000 * (double)nodes / 500);
	consolidate((int)nodes);
	topology("place one gang of 512 pods in a required zone of 128 nodes", "zone", NULL, NULL);
	topology("place one gang of 512 pods, racks of 512 nodes preferred", NULL, "rack", "48.7 s");
	if (argc == 1)
		reclaim(1000, 250, GPUS, 100000, 64, "76 s, its engine alone");
	return all_kept ? 0 : 1;
}
