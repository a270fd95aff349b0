/*
 * world: see world.h. This half makes nodes with their devices and the totals. A making is one pass over the pods, one over the nodes; the
 * reported use of a node's devices is parsed again only when its annotation is another.
 */
#include "cli/tui/world_maker.h"

#include <stdlib.h>
#include <string.h>

enum { MANY_DEVICES = 64, MANY_SHAPES = 24, IDLE_PERCENT = 5 };

/* ---- the reported use of devices --------------------------------------------------------------------------------------------------- */

struct parsed_use {
	struct stint_object *node; /* counted: its annotation's address tells whether it is the same */
	const char *text;
	struct stint_gpu_use *items;
	size_t count;
	uint64_t round;
};

static void free_use(void *value)
{
	struct parsed_use *use = value;
	stint_object_unref(use->node);
	free(use->items);
	free(use);
}

static const struct parsed_use *use_of(struct tui_maker *maker, const struct stint_node *node)
{
	const char *text = stint_object_annotation(&node->meta, "stint.dev/gpu-use");
	struct parsed_use *use = stint_map_get(maker->uses, node->meta.name);
	if (!use) {
		use = stint_alloc(sizeof *use);
		stint_map_set(maker->uses, node->meta.name, use);
	}
	use->round = maker->round;
	if (use->node && use->text == text && use->node->model == node->meta.model)
		return use;
	stint_object_unref(use->node);
	free(use->items);
	use->node = stint_object_ref((struct stint_object *)(uintptr_t)&node->meta);
	use->text = text;
	use->items = NULL;
	use->count = text ? stint_node_gpu_use(node, &use->items) : 0;
	return use;
}

static void forget_gone(struct tui_maker *maker)
{
	const char *name;
	void *value;
	for (size_t at = 0; stint_map_next(maker->uses, &at, &name, &value);) {
		if (((struct parsed_use *)value)->round != maker->round)
			stint_map_remove(maker->uses, name);
	}
}

static void take_use(struct tui_maker *maker, struct tui_node *node, int64_t now_ms)
{
	const struct parsed_use *use = use_of(maker, node->node);
	double util = 0;
	uint32_t told = 0;
	for (size_t at = 0; at < use->count; at++) {
		const struct stint_gpu_use *item = &use->items[at];
		if (item->slot < 0 || (uint32_t)item->slot >= node->devices_count || !stint_gpu_use_fresh(item, now_ms))
			continue;
		struct tui_device *device = &node->devices[item->slot];
		device->util_percent = item->util_percent;
		device->memory_mib = item->memory_mib;
		device->uuid = *item->uuid ? item->uuid : NULL;
		util += item->util_percent >= 0 ? item->util_percent : 0;
		told += item->util_percent >= 0;
	}
	node->util_percent = told ? util / told : -1;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------------------- */

static int compare_nodes(const void *a, const void *b)
{
	return strverscmp(((const struct tui_node *)a)->node->meta.name, ((const struct tui_node *)b)->node->meta.name);
}

static void make_nodes(struct tui_maker *maker, const struct tui_sources *sources, int64_t now_ms)
{
	struct tui_world *world = &maker->world;
	world->nodes = stint_arena_alloc(maker->arena, (sources->nodes_count + 1) * sizeof *world->nodes);
	for (size_t at = 0; at < sources->nodes_count; at++) {
		const struct stint_node *node = stint_node_of(sources->nodes[at]);
		const int32_t devices = node->gpu_count < MANY_DEVICES ? node->gpu_count : MANY_DEVICES;
		struct tui_node *made = &world->nodes[world->nodes_count++];
		made->node = node;
		made->usable = node->ready == STINT_TRUE && !node->unschedulable;
		made->devices_count = devices > 0 ? (uint32_t)devices : 0;
		made->devices = stint_arena_alloc(maker->arena, (made->devices_count + 1) * sizeof *made->devices);
		for (uint32_t slot = 0; slot < made->devices_count; slot++)
			made->devices[slot] = (struct tui_device){.util_percent = -1, .memory_mib = -1};
		take_use(maker, made, now_ms);
	}
	if (world->nodes_count)
		qsort(world->nodes, world->nodes_count, sizeof *world->nodes, compare_nodes);
	for (size_t at = 0; at < world->nodes_count; at++)
		stint_map_set(maker->nodes_by_name, world->nodes[at].node->meta.name, &world->nodes[at]);
	forget_gone(maker);
}

/* ---- pods on nodes ----------------------------------------------------------------------------------------------------------------- */

/* A pod that only keeps a device for shares: what it asks for is what they ask for. */
static bool is_keeper(const struct stint_pod *pod)
{
	const char *app = stint_object_label(&pod->meta, "app");
	return (pod->meta.space && strcmp(pod->meta.space, "stint-reservation") == 0) ||
		(app && strcmp(app, "kai-resource-reservation") == 0);
}

static void hold(struct tui_maker *maker, struct tui_device *device, const struct stint_pod *pod, const struct stint_workload *workload,
	double share)
{
	struct tui_holding *holding = stint_arena_alloc(maker->arena, sizeof *holding), **at = &device->holdings;
	*holding = (struct tui_holding){pod, workload, share, NULL};
	while (*at && (*at)->share >= share)
		at = &(*at)->next;
	holding->next = *at;
	*at = holding;
	device->holdings_count++;
	device->allocated += share > 0 ? share : 0;
}

static void stand(struct tui_maker *maker, const struct stint_pod *pod, const struct stint_workload *workload)
{
	struct tui_node *node = pod->node && !stint_pod_ended(pod) ? stint_map_get(maker->nodes_by_name, pod->node) : NULL;
	if (!node)
		return;
	node->pods++;
	node->cpu_milli = stint_add_saturated(node->cpu_milli, pod->spec->request.cpu_milli);
	node->memory_bytes = stint_add_saturated(node->memory_bytes, pod->spec->request.memory_bytes);
	double gpus = 0;
	if (pod->spec->gpu.kind == STINT_GPU_NONE || is_keeper(pod))
		return;
	const bool known = stint_pod_gpus(pod, node->node, &gpus);
	uint16_t slots[MANY_DEVICES];
	const int count = stint_pod_gpu_devices(pod, slots, MANY_DEVICES);
	node->gpus_allocated += known ? gpus : 0;
	for (int at = 0; at < count && at < MANY_DEVICES; at++) {
		if (slots[at] < node->devices_count)
			hold(maker, &node->devices[slots[at]], pod, workload, known ? gpus / count : -1);
	}
}

/* Pods that are in a workload, by address: open addressing, at most half full. */
struct seen {
	const struct stint_pod **slots;
	size_t mask;
};

static size_t place_of(const struct seen *seen, const struct stint_pod *pod)
{
	size_t at = (size_t)((uint64_t)(uintptr_t)pod * 0x9e3779b97f4a7c15u >> 20) & seen->mask;
	while (seen->slots[at] && seen->slots[at] != pod)
		at = (at + 1) & seen->mask;
	return at;
}

static void make_holdings(struct tui_maker *maker, const struct tui_sources *sources)
{
	const struct tui_world *world = &maker->world;
	struct seen seen = {.mask = 63};
	while (seen.mask + 1 < 2 * sources->pods_count)
		seen.mask = seen.mask * 2 + 1;
	seen.slots = stint_arena_alloc(maker->arena, (seen.mask + 1) * sizeof *seen.slots);
	for (size_t at = 0; at < world->workloads_count; at++) {
		const struct stint_workload *workload = world->workloads[at];
		for (size_t i = 0; i < workload->pods_count; i++) {
			stand(maker, workload->pods[i], workload);
			seen.slots[place_of(&seen, workload->pods[i])] = workload->pods[i];
		}
	}
	for (size_t at = 0; at < sources->pods_count; at++) {
		const struct stint_pod *pod = stint_pod_of(sources->pods[at]);
		if (!seen.slots[place_of(&seen, pod)])
			stand(maker, pod, NULL);
	}
}

/* ---- totals ------------------------------------------------------------------------------------------------------------------------ */

/* Whether a pod of this spec may stand on the node at all, whatever else does. */
static bool may_stand(const struct stint_pod_spec *spec, const struct stint_node *node)
{
	return stint_pod_spec_selects(spec, node) &&
		!stint_untolerated_taint(node->taints, node->taints_count, spec->tolerations, spec->tolerations_count);
}

static double free_of(const struct tui_device *device)
{
	const double left = 1 - device->allocated;
	return left > 1e-6 ? left : 0;
}

/* Marks the devices that one more pod of this spec could use. */
static void mark_useful(const struct stint_pod_spec *spec, const struct tui_node *node, uint64_t *useful)
{
	const struct stint_gpu_ask *ask = &spec->gpu;
	double portion = ask->portion;
	if (ask->kind == STINT_GPU_MEMORY)
		portion = node->node->gpu_memory_mib > 0 ? (double)ask->memory_mib / (double)node->node->gpu_memory_mib : 1;
	uint64_t fit = 0;
	uint32_t count = 0;
	for (uint32_t slot = 0; slot < node->devices_count; slot++) {
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
		const struct tui_node *node = &world->nodes[at];
		uint64_t useful = 0;
		for (size_t shape = 0; shape < count && node->usable; shape++) {
			if (may_stand(shapes[shape], node->node))
				mark_useful(shapes[shape], node, &useful);
		}
		for (uint32_t slot = 0; slot < node->devices_count; slot++)
			useless += useful >> slot & 1 ? 0 : free_of(&node->devices[slot]);
	}
	return useless;
}

static void add_device(struct tui_totals *totals, const struct tui_device *device)
{
	if (device->holdings_count == 0)
		return;
	totals->devices_held++;
	if (device->util_percent < 0) {
		totals->devices_silent++;
		return;
	}
	totals->gpus_used = (totals->gpus_used < 0 ? 0 : totals->gpus_used) + device->util_percent / 100;
	totals->devices_idle += device->util_percent < IDLE_PERCENT;
}

static void add_node(struct tui_totals *totals, const struct tui_node *node, bool pods_known)
{
	uint32_t whole = 0;
	totals->nodes++;
	totals->nodes_ready += node->node->ready == STINT_TRUE;
	totals->nodes_bad += node->node->ready != STINT_TRUE;
	totals->nodes_cordoned += node->node->unschedulable;
	totals->gpus += node->devices_count;
	if (pods_known)
		totals->gpus_allocated += node->gpus_allocated;
	for (uint32_t slot = 0; slot < node->devices_count; slot++) {
		add_device(totals, &node->devices[slot]);
		whole += node->devices[slot].holdings_count == 0;
		totals->gpus_free += free_of(&node->devices[slot]);
	}
	if (node->usable && node->devices_count > 0 && pods_known)
		totals->spaces[whole < 8 ? whole : 8]++;
}

static void make_totals(struct tui_maker *maker)
{
	struct tui_world *world = &maker->world;
	struct tui_totals *totals = &world->totals;
	*totals = (struct tui_totals){.gpus_allocated = world->pods_known ? 0 : -1, .gpus_used = -1, .gpus_useless = -1, .oldest_ms = -1};
	for (size_t at = 0; at < world->nodes_count; at++)
		add_node(totals, &world->nodes[at], world->pods_known);
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

/* ---- the whole --------------------------------------------------------------------------------------------------------------------- */

struct tui_maker *tui_maker_new(void)
{
	struct tui_maker *maker = stint_alloc(sizeof *maker);
	maker->arena = stint_arena_new(0);
	maker->nodes_by_name = stint_map_new(NULL);
	maker->projects_by_name = stint_map_new(NULL);
	maker->uses = stint_map_new(free_use);
	return maker;
}

void tui_maker_free(struct tui_maker *maker)
{
	if (!maker)
		return;
	stint_map_free(maker->uses);
	stint_map_free(maker->projects_by_name);
	stint_map_free(maker->nodes_by_name);
	stint_arena_free(maker->arena);
	free(maker);
}

const struct tui_world *tui_maker_make(struct tui_maker *maker, const struct tui_sources *sources, int64_t now_ms)
{
	stint_arena_reset(maker->arena);
	stint_map_clear(maker->nodes_by_name);
	stint_map_clear(maker->projects_by_name);
	maker->round++;
	maker->world = (struct tui_world){.nodes_known = sources->nodes_known,
		.pods_known = sources->pods_known,
		.queues_known = sources->queues_known,
		.events_known = sources->events_known,
		.only = sources->only};
	maker->world.workloads = stint_workload_set_list(sources->workloads, &maker->world.workloads_count);
	make_nodes(maker, sources, now_ms);
	make_holdings(maker, sources);
	make_projects(maker, sources);
	make_line(maker, sources);
	make_totals(maker);
	make_events(maker, sources);
	return &maker->world;
}

/* ---- looking at it ----------------------------------------------------------------------------------------------------------------- */

const struct tui_node *tui_world_node(const struct tui_world *world, const char *name)
{
	for (size_t low = 0, high = world->nodes_count; name && low < high;) {
		const size_t middle = low + (high - low) / 2;
		const int sign = strverscmp(world->nodes[middle].node->meta.name, name);
		if (sign == 0)
			return &world->nodes[middle];
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
