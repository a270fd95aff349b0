/*
 * How the engine grows: from 1,000 to 100,000 nodes, ten pods a node, and with the number of request shapes. One core, no network; objects
 * are made beforehand in the form that the model gives them (one specification for all pods that ask the same).
 *
 * usage: bench_growth [growth|shapes|largest]...     without words all of it, each in a process of its own, so that memory is told apart
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stint/engine.h>

#include "tests/bench/measure.h"

#define GIB (INT64_C(1) << 30)
#define NOW_MS INT64_C(1000000000000)
enum { GPUS = 8, QUEUES = 10, PODS_OF_A_NODE = 10, STEADY_RUNS = 200, REFUSALS = 20 };

static bool all_kept = true; /* of a process */

struct bench {
	struct stint_arena *arena;
	struct stint_engine *engine;
	struct stint_policy policy;
	struct stint_node *nodes;
	size_t nodes_count;
	struct stint_pod_spec *specs;
	size_t specs_count;
};

static double seconds_since(int64_t start_us)
{
	return (double)(used_us() - start_us) / 1e6;
}

static const char *keep(struct bench *b, const char *prefix, size_t number)
{
	char text[48];
	snprintf(text, sizeof text, "%s-%07zu", prefix, number);
	return stint_arena_strndup(b->arena, text, strlen(text));
}

static struct stint_object object(enum stint_kind kind, const char *name, int64_t created_ms)
{
	return (struct stint_object){.kind = kind, .refs = 1, .name = name, .uid = name, .created_ms = created_ms, .deleted_ms = -1};
}

static void add_queues(struct bench *b)
{
	const struct stint_queue_resource open = {-1, 1, -1, true, true, true};
	for (size_t i = 0; i <= QUEUES; i++) {
		struct stint_queue *queue = stint_arena_alloc(b->arena, sizeof *queue);
		*queue = (struct stint_queue){.meta = object(STINT_KIND_QUEUE, i ? keep(b, "queue", i - 1) : "all", 0),
			.parent = i ? "all" : NULL,
			.priority = 100,
			.gpu = open,
			.cpu = open,
			.memory = open,
			.preempt_min_runtime_ms = -1,
			.reclaim_min_runtime_ms = -1};
		queue->gpu.quota = (double)b->nodes_count * GPUS / (i ? QUEUES : 1);
		stint_engine_queue_upsert(b->engine, queue);
	}
}

static struct bench *bench_new(size_t nodes)
{
	struct bench *b = stint_alloc(sizeof *b);
	*b = (struct bench){.arena = stint_arena_new(1 << 20), .engine = stint_engine_new(), .nodes_count = nodes};
	b->policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	stint_policy_evict(&b->policy);
	add_queues(b);
	b->nodes = stint_arena_alloc(b->arena, nodes * sizeof *b->nodes);
	for (size_t i = 0; i < nodes; i++) {
		b->nodes[i] = (struct stint_node){.meta = object(STINT_KIND_NODE, keep(b, "node", i), 0),
			.allocatable = {.cpu_milli = 128000, .memory_bytes = 1024 * GIB, .gpu_milli = GPUS * 1000, .pods = 110},
			.ready = STINT_TRUE,
			.gpu_count = GPUS,
			.gpu_memory_mib = 81920};
		stint_engine_node_upsert(b->engine, &b->nodes[i]);
	}
	return b;
}

static void bench_free(struct bench *b)
{
	stint_engine_free(b->engine);
	stint_arena_free(b->arena);
	free(b);
}

/* Shapes differ by a little CPU; shape 0 has no GPU, and a node takes two of it whatever else is there. */
static void make_specs(struct bench *b, size_t count)
{
	b->specs_count = count + 1;
	b->specs = stint_arena_alloc(b->arena, b->specs_count * sizeof *b->specs);
	for (size_t i = 0; i <= count; i++) {
		b->specs[i] = (struct stint_pod_spec){
			.refs = 1, .request = {.cpu_milli = i ? 1000 + (int64_t)i : 50000, .memory_bytes = GIB, .pods = 1}};
		if (i)
			b->specs[i].gpu = (struct stint_gpu_ask){.kind = STINT_GPU_WHOLE, .devices = 1, .portion = 1};
	}
}

static uint32_t add_group(struct bench *b, const char *key, size_t number, uint32_t minimum)
{
	char queue[32];
	snprintf(queue, sizeof queue, "queue-%07zu", number % QUEUES);
	const struct stint_group_spec spec = {.key = key,
		.queue = queue,
		.priority = 50,
		.preemptible = true,
		.created_ms = NOW_MS - 1000000 + (int64_t)number,
		.min_member = minimum};
	return stint_engine_group_upsert(b->engine, &spec);
}

static void add_pod(struct bench *b, struct stint_pod *pod, const char *name, uint32_t group, struct stint_pod_spec *spec)
{
	*pod = (struct stint_pod){.meta = object(STINT_KIND_POD, name, NOW_MS - 1000), .spec = spec, .started_ms = -1, .ended_ms = -1};
	const struct stint_pod_facts facts = {.pod = pod, .group = group, .status = STINT_POD_PENDING};
	stint_engine_pod_upsert(b->engine, &facts);
}

/* Eight pods with a GPU and two without for each node, each a job of its own. */
static size_t add_jobs(struct bench *b, size_t count)
{
	struct stint_pod *pods = stint_arena_alloc(b->arena, count * sizeof *pods);
	for (size_t i = 0; i < count; i++) {
		const char *name = keep(b, "job", i);
		const bool gpu = i % PODS_OF_A_NODE < GPUS;
		add_pod(b, &pods[i], name, add_group(b, name, i, 1), &b->specs[gpu ? 1 + i % (b->specs_count - 1) : 0]);
	}
	return count;
}

static size_t cycle(struct bench *b, int64_t now_ms)
{
	return stint_engine_cycle(b->engine, &b->policy, now_ms).count;
}

/* ---- growth ---------------------------------------------------------------------------------------------------------------------------- */

/* The best and the slowest cycle in which one pod comes to a full cluster's last free place; a node is added for it. */
static void steady(struct bench *b, double *best_us, double *worst_us)
{
	struct stint_node *spare = stint_arena_alloc(b->arena, sizeof *spare);
	*spare = b->nodes[0];
	spare->meta = object(STINT_KIND_NODE, "spare", 0);
	stint_engine_node_upsert(b->engine, spare);
	*best_us = 1e18;
	*worst_us = 0;
	for (size_t run = 0; run < STEADY_RUNS; run++) {
		struct stint_pod *pod = stint_arena_alloc(b->arena, sizeof *pod);
		const char *name = keep(b, "new", run);
		add_pod(b, pod, name, add_group(b, name, run, 1), &b->specs[1]);
		const int64_t start_us = used_us();
		const size_t placed = cycle(b, NOW_MS + 1000 + (int64_t)run);
		const double us = 1e6 * seconds_since(start_us);
		if (placed != 1)
			printf("steady: %zu pods were placed\n", placed);
		stint_engine_pod_remove(b->engine, name);
		stint_engine_group_remove(b->engine, stint_engine_group_find(b->engine, name));
		if (run < 2)
			continue;
		*best_us = us < *best_us ? us : *best_us;
		*worst_us = us > *worst_us ? us : *worst_us;
	}
	stint_engine_node_remove(b->engine, "spare");
	cycle(b, NOW_MS + 5000);
}

/* A gang of ten whole nodes on the full cluster. */
static double refuse(struct bench *b)
{
	double best_us = 1e18;
	struct stint_pod_spec *whole = stint_arena_alloc(b->arena, sizeof *whole);
	*whole = b->specs[1];
	whole->gpu.devices = GPUS;
	for (size_t run = 0; run < REFUSALS; run++) {
		const char *key = keep(b, "gang", run);
		const uint32_t group = add_group(b, key, 0, 10);
		const char *names[10];
		for (size_t i = 0; i < 10; i++) {
			names[i] = keep(b, "gang-pod", run * 10 + i);
			add_pod(b, stint_arena_alloc(b->arena, sizeof(struct stint_pod)), names[i], group, whole);
		}
		const int64_t start_us = used_us();
		if (cycle(b, NOW_MS + 10000 + (int64_t)run))
			printf("refuse: something was placed\n");
		const double us = 1e6 * seconds_since(start_us);
		best_us = us < best_us ? us : best_us;
		for (size_t i = 0; i < 10; i++)
			stint_engine_pod_remove(b->engine, names[i]);
		stint_engine_group_remove(b->engine, stint_engine_group_find(b->engine, key));
	}
	return best_us;
}

static void grow(size_t nodes)
{
	const size_t pods = nodes * PODS_OF_A_NODE;
	struct bench *b = bench_new(nodes);
	struct stint_engine_stats empty, full;
	make_specs(b, 1);
	cycle(b, NOW_MS);
	stint_engine_measure(b->engine, &empty);
	int64_t start_us = used_us();
	add_jobs(b, pods);
	const double told_s = seconds_since(start_us);
	start_us = used_us();
	const size_t placed = cycle(b, NOW_MS);
	const double placed_s = seconds_since(start_us), mib = peak_mib();
	if (placed != pods)
		printf("only %zu of %zu pods were placed\n", placed, pods);
	stint_engine_measure(b->engine, &full);
	double best_us, worst_us;
	steady(b, &best_us, &worst_us);
	const double refused_us = refuse(b);
	printf("%7zu %8zu %9.3f %9.3f %12.0f %9.1f %9.1f %9.1f %8.0f %8.0f %9.1f\n", nodes, pods, told_s, placed_s, (double)pods / placed_s,
		best_us, worst_us, refused_us, (double)empty.bytes / (double)nodes, (double)(full.bytes - empty.bytes) / (double)pods, mib);
	if (nodes == 100000) {
		putchar('\n');
		const bool soon = say_row("100,000 nodes, 1,000,000 pods, told and placed", told_s + placed_s, "s", 5, NULL);
		all_kept = say_row("  resident memory, objects of the model included", mib, "MiB", 1024, NULL) && soon;
	}
	bench_free(b);
}

/* ---- shapes ------------------------------------------------------------------------------------------------------------------------------- */

static void with_shapes(size_t shapes)
{
	enum { NODES = 5000 };
	struct bench *b = bench_new(NODES);
	make_specs(b, shapes);
	add_jobs(b, (size_t)NODES * PODS_OF_A_NODE);
	const int64_t start_us = used_us();
	const size_t placed = cycle(b, NOW_MS);
	const double seconds = seconds_since(start_us);
	printf("%7zu %8zu %9.3f %12.0f %9.1f\n", shapes, placed, seconds, (double)placed / seconds, peak_mib());
	bench_free(b);
}

/* In a process of its own: the peak of memory is of that one alone. */
static void apart(void (*measure)(size_t), size_t count)
{
	fflush(stdout);
	const pid_t child = fork();
	if (child == 0) {
		measure(count);
		fflush(stdout);
		_exit(all_kept ? 0 : 1);
	}
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		printf("%zu: the process failed\n", count);
	all_kept = all_kept && child > 0 && status == 0;
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {1000, 3000, 10000, 30000, 100000}, shapes[] = {1, 10, 100, 1000};
	const bool all = argc == 1, largest = argc == 2 && strcmp(argv[1], "largest") == 0;
	if (all || largest || strcmp(argv[1], "growth") == 0) {
		printf("%7s %8s %9s %9s %12s %9s %9s %9s %8s %8s %9s\n", "nodes", "pods", "told s", "placed s", "placements/s", "steady us",
			"slowest", "refuse us", "B/node", "B/pod", "peak MiB");
		for (size_t i = largest ? STINT_COUNT(sizes) - 1 : 0; i < STINT_COUNT(sizes); i++)
			apart(grow, sizes[i]);
	}
	if (all || strcmp(argv[1], "shapes") == 0) {
		printf("\n%7s %8s %9s %12s %9s   (5,000 nodes)\n", "shapes", "placed", "seconds", "decisions/s", "peak MiB");
		for (size_t i = 0; i < STINT_COUNT(shapes); i++)
			apart(with_shapes, shapes[i]);
	}
	return all_kept ? 0 : 1;
}
