/*
 * world: see world.h. This half makes totals and events, and looks things up.
 */
#include "cli/tui/world_maker.h"

#include <stdlib.h>
#include <string.h>

enum { MANY_SHAPES = 24, IDLE_PERCENT = 5 };

/* ---- totals ------------------------------------------------------------------------------------------------------------------------ */

/* Whether a pod of this spec may stand on the node at all, whatever else does. */
static bool may_stand(const struct stint_pod_spec *spec, const struct stint_node *node)
{
	return stint_pod_spec_selects(spec, node) &&
		!stint_untolerated_taint(node->taints, node->taints_count, spec->tolerations, spec->tolerations_count);
}

static double free_of(const struct stint_device_use *device)
{
	const double left = 1 - device->allocated;
	return left > 1e-6 ? left : 0;
}

/* Marks the devices that one more pod of this spec could use. */
static void mark_useful(const struct stint_pod_spec *spec, const struct stint_node_use *node, uint64_t *useful)
{
	const struct stint_gpu_ask *ask = &spec->gpu;
	double portion = ask->portion;
	if (ask->kind == STINT_GPU_MEMORY)
		portion = node->node->gpu_memory_mib > 0 ? (double)ask->memory_mib / (double)node->node->gpu_memory_mib : 1;
	uint64_t fit = 0;
	uint32_t count = 0;
	for (size_t slot = 0; slot < node->devices_count; slot++) {
		if (free_of(&node->devices[slot]) + 1e-6 < portion)
			continue;
		fit |= (uint64_t)1 << slot;
		count++;
	}
	if (count >= ask->devices)
		*useful |= fit;
}

/* The specs of what waits with GPUs, each once; at most MANY_SHAPES of them. */
static size_t waiting_shapes(const struct tui_world *world, const struct stint_pod_spec **shapes)
{
	size_t count = 0;
	for (size_t at = 0; at < world->waiting_count && count < MANY_SHAPES; at++) {
		const struct stint_workload *workload = world->waiting[at].workload;
		for (size_t i = 0; i < workload->pods_count && count < MANY_SHAPES; i++) {
			const struct stint_pod *pod = workload->pods[i];
			bool known = pod->node || stint_pod_ended(pod) || pod->spec->gpu.kind == STINT_GPU_NONE;
			for (size_t shape = 0; shape < count && !known; shape++)
				known = shapes[shape] == pod->spec;
			if (!known)
				shapes[count++] = pod->spec;
		}
	}
	return count;
}

static double useless_gpus(const struct tui_world *world)
{
	const struct stint_pod_spec *shapes[MANY_SHAPES];
	const size_t count = waiting_shapes(world, shapes);
	double useless = 0;
	if (count == 0)
		return -1;
	for (size_t at = 0; at < world->nodes_count; at++) {
		const struct stint_node_use *node = world->nodes[at];
		const bool usable = tui_node_is_usable(node->node);
		uint64_t useful = 0;
		for (size_t shape = 0; shape < count && usable; shape++) {
			if (may_stand(shapes[shape], node->node))
				mark_useful(shapes[shape], node, &useful);
		}
		for (size_t slot = 0; slot < node->devices_count; slot++)
			useless += useful >> slot & 1 ? 0 : free_of(&node->devices[slot]);
	}
	return useless;
}

static void add_device(struct tui_totals *totals, const struct stint_device_use *device)
{
	if (device->users_count == 0)
		return;
	totals->devices_held++;
	if (device->util_percent < 0) {
		totals->devices_silent++;
		return;
	}
	totals->gpus_used = (totals->gpus_used < 0 ? 0 : totals->gpus_used) + device->util_percent / 100;
	totals->devices_idle += device->util_percent < IDLE_PERCENT;
}

static void add_node(struct tui_totals *totals, const struct stint_node_use *node, bool pods_known)
{
	uint32_t whole = 0;
	totals->nodes++;
	totals->nodes_ready += node->node->ready == STINT_TRUE;
	totals->nodes_bad += node->node->ready != STINT_TRUE;
	totals->nodes_cordoned += node->node->unschedulable;
	totals->gpus += node->devices_count;
	if (pods_known)
		totals->gpus_allocated += node->gpus_allocated;
	for (size_t slot = 0; slot < node->devices_count; slot++) {
		add_device(totals, &node->devices[slot]);
		whole += node->devices[slot].users_count == 0;
		totals->gpus_free += free_of(&node->devices[slot]);
	}
	if (tui_node_is_usable(node->node) && node->devices_count > 0 && pods_known)
		totals->spaces[whole < 8 ? whole : 8]++;
}

/* Without the nodes: what workloads have; < 0 where one of them does not tell all of it. */
static double allocated_of_workloads(const struct tui_world *world)
{
	double gpus = 0;
	for (size_t at = 0; at < world->workloads_count; at++) {
		if (world->workloads[at]->gpus_allocated_unknown)
			return -1;
		gpus += world->workloads[at]->gpus_allocated;
	}
	return gpus;
}

static void make_totals(struct tui_maker *maker)
{
	struct tui_world *world = &maker->world;
	struct tui_totals *totals = &world->totals;
	*totals = (struct tui_totals){.gpus_allocated = world->pods_known ? 0 : -1, .gpus_used = -1, .gpus_useless = -1, .oldest_ms = -1};
	for (size_t at = 0; at < world->nodes_count; at++)
		add_node(totals, world->nodes[at], world->pods_known);
	if (world->pods_known && !world->nodes_known)
		totals->gpus_allocated = allocated_of_workloads(world);
	totals->workloads = (uint32_t)world->workloads_count;
	for (size_t at = 0; at < world->workloads_count; at++) {
		const struct stint_workload *workload = world->workloads[at];
		const bool waits = tui_workload_waits(workload);
		totals->running += workload->phase == STINT_WORKLOAD_RUNNING;
		totals->failed += workload->phase == STINT_WORKLOAD_FAILED;
		totals->waiting += waits;
		if (waits && workload->created_ms >= 0 && (totals->oldest_ms < 0 || workload->created_ms < totals->oldest_ms))
			totals->oldest_ms = workload->created_ms;
	}
	if (world->pods_known && world->nodes_known && !world->only)
		totals->gpus_useless = useless_gpus(world);
	if (!world->pods_known || world->only)
		totals->gpus_free = -1;
}

/* ---- events ------------------------------------------------------------------------------------------------------------------------ */

static int compare_events(const void *left, const void *right)
{
	const struct stint_event *a = *(const struct stint_event *const *)left, *b = *(const struct stint_event *const *)right;
	if (a->last_ms != b->last_ms)
		return a->last_ms < b->last_ms ? 1 : -1;
	return strcmp(a->meta.name, b->meta.name);
}

static void make_events(struct tui_maker *maker, const struct tui_sources *sources)
{
	const struct stint_event **events = stint_arena_alloc(maker->arena, (sources->events_count + 1) * sizeof *events);
	for (size_t at = 0; at < sources->events_count; at++)
		events[at] = stint_event_of(sources->events[at]);
	if (sources->events_count)
		qsort(events, sources->events_count, sizeof(struct stint_event *), compare_events);
	maker->world.events = events;
	maker->world.events_count = sources->events_count;
}

static void make_victims(struct tui_maker *maker, const struct tui_sources *sources)
{
	static const struct tui_victims none = {.count = 0};
	struct tui_world *world = &maker->world;
	world->victims = tui_victims_list(sources->victims ? sources->victims : &none, world->events, world->events_count, world->workloads,
		world->workloads_count, maker->arena, &world->victims_count);
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------------- */

struct tui_maker *tui_maker_new(void)
{
	struct tui_maker *maker = stint_alloc(sizeof *maker);
	maker->arena = stint_arena_new(0);
	maker->projects_by_name = stint_map_new(NULL);
	return maker;
}

void tui_maker_free(struct tui_maker *maker)
{
	if (!maker)
		return;
	stint_map_free(maker->projects_by_name);
	stint_arena_free(maker->arena);
	free(maker);
}

const struct tui_world *tui_maker_make(struct tui_maker *maker, const struct tui_sources *sources, int64_t now_ms)
{
	stint_arena_reset(maker->arena);
	stint_map_clear(maker->projects_by_name);
	maker->world = (struct tui_world){.nodes_known = sources->nodes_known,
		.pods_known = sources->pods_known,
		.queues_known = sources->queues_known,
		.events_known = sources->events_known,
		.only = sources->only};
	maker->world.workloads = stint_workload_set_list(sources->workloads, &maker->world.workloads_count);
	if (sources->nodes_known)
		maker->world.nodes = stint_workload_set_nodes(sources->workloads, now_ms, &maker->world.nodes_count);
	make_projects(maker, sources);
	make_line(maker, sources, now_ms);
	make_totals(maker);
	make_events(maker, sources);
	make_victims(maker, sources);
	return &maker->world;
}

/* ---- looking at it ----------------------------------------------------------------------------------------------------------------- */

const struct stint_node_use *tui_world_node(const struct tui_world *world, const char *name)
{
	for (size_t low = 0, high = world->nodes_count; name && low < high;) {
		const size_t middle = low + (high - low) / 2;
		const int sign = strverscmp(world->nodes[middle]->node->meta.name, name);
		if (sign == 0)
			return world->nodes[middle];
		if (sign < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct tui_project *tui_world_project(const struct tui_world *world, const char *name)
{
	for (size_t at = 0; name && at < world->projects_count; at++) {
		if (strcmp(world->projects[at].name, name) == 0)
			return &world->projects[at];
	}
	return NULL;
}

const char *tui_node_status(const struct stint_node *node)
{
	if (node->ready == STINT_TRUE)
		return node->unschedulable ? "Ready,cordoned" : "Ready";
	if (node->ready == STINT_FALSE)
		return node->unschedulable ? "NotReady,cordoned" : "NotReady";
	return node->unschedulable ? "Unknown,cordoned" : "Unknown";
}

const char *tui_workload_project(const struct stint_workload *workload)
{
	return workload->queue ? workload->queue : workload->project;
}

bool tui_node_is_usable(const struct stint_node *node)
{
	return node->ready == STINT_TRUE && !node->unschedulable;
}

bool tui_workload_waits(const struct stint_workload *workload)
{
	switch (workload->phase) {
	case STINT_WORKLOAD_PENDING: return true;
	case STINT_WORKLOAD_STARTING:
	case STINT_WORKLOAD_RUNNING: return workload->pods_waiting > 0;
	case STINT_WORKLOAD_SUSPENDED:
	case STINT_WORKLOAD_SUCCEEDED:
	case STINT_WORKLOAD_FAILED:
	case STINT_WORKLOAD_DELETING:
	case STINT_WORKLOAD_PHASES: break;
	}
	return false;
}
