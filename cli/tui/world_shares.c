/*
 * world_shares: projects and departments with what they are due and have. Fair shares are those of the scheduler: all resources, past use, level
 * by level (kai-engine 3.2).
 */
#include "cli/tui/world_maker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 8 };

/* ---- projects ---------------------------------------------------------------------------------------------------------------------- */

static int compare_projects(const void *left, const void *right)
{
	const struct tui_project *a = *(const struct tui_project *const *)left, *b = *(const struct tui_project *const *)right;
	return strverscmp(a->name, b->name);
}

static struct tui_project *add_project(struct tui_maker *maker, struct tui_project **list, size_t *count, const char *name)
{
	struct tui_project *project = stint_arena_alloc(maker->arena, sizeof *project);
	*project = (struct tui_project){.name = name, .priority = 100, .fair_share = -1, .borrowed = -1, .lent = -1};
	const char *only = maker->world.only;
	project->allocated = project->requested = maker->world.pods_known && (!only || strcmp(name, only) == 0) ? 0 : -1;
	for (int d = 0; d < STINT_DIMENSIONS; d++)
		project->by[d].fair = -1;
	list[(*count)++] = project;
	stint_map_set(maker->projects_by_name, name, project);
	return project;
}

/* What a queue does not say counts as 0 for the scheduler. */
static void read_bounds(struct tui_project *project, const struct stint_queue *queue, const struct tui_usage *usage)
{
	const struct stint_queue_resource *resources[STINT_DIMENSIONS] = {
		[STINT_CPU] = &queue->cpu, [STINT_MEMORY] = &queue->memory, [STINT_GPU] = &queue->gpu};
	for (int d = 0; d < STINT_DIMENSIONS; d++) {
		const struct stint_queue_resource *resource = resources[d];
		struct tui_bounds *by = &project->by[d];
		by->quota = !resource->has_quota ? 0 : resource->quota < 0 ? -1 : resource->quota;
		by->limit = !resource->has_limit ? 0 : resource->limit < 0 ? -1 : resource->limit;
		by->weight = resource->has_weight && resource->weight > 0 ? resource->weight : 0;
		by->usage = tui_usage_of(usage, project->name, (enum stint_dimension)d);
	}
}

static void read_queue(struct tui_project *project, const struct stint_queue *queue)
{
	project->queue = queue;
	project->department = queue->parent;
	project->is_department = !queue->parent;
	project->priority = queue->priority;
	project->has_quota = queue->gpu.has_quota;
	project->has_limit = queue->gpu.has_limit;
	project->quota = queue->gpu.quota;
	project->limit = queue->gpu.has_limit ? queue->gpu.limit : -1;
	project->weight = queue->gpu.has_weight ? queue->gpu.weight : 0;
}

static void count_workload(struct tui_project *project, const struct stint_workload *workload)
{
	switch (workload->phase) {
	case STINT_WORKLOAD_SUSPENDED: project->suspended++; return;
	case STINT_WORKLOAD_SUCCEEDED:
	case STINT_WORKLOAD_FAILED:
	case STINT_WORKLOAD_DELETING: project->ended++; return;
	case STINT_WORKLOAD_PENDING:
	case STINT_WORKLOAD_STARTING:
	case STINT_WORKLOAD_RUNNING:
	case STINT_WORKLOAD_PHASES: break;
	}
	project->running += workload->phase != STINT_WORKLOAD_PENDING;
	project->waiting += tui_workload_waits(workload);
	project->requested_unknown |= workload->gpus_requested_unknown;
	const struct stint_pod_sums *placed = &workload->placed, *unplaced = &workload->unplaced;
	struct tui_bounds *by = project->by;
	by[STINT_CPU].allocated += (double)placed->cpu_milli;
	by[STINT_MEMORY].allocated += (double)placed->memory_bytes;
	by[STINT_GPU].allocated += placed->gpus;
	by[STINT_CPU].requested += (double)placed->cpu_milli + (double)unplaced->cpu_milli;
	by[STINT_MEMORY].requested += (double)placed->memory_bytes + (double)unplaced->memory_bytes;
	by[STINT_GPU].requested += placed->gpus + unplaced->gpus;
	if (project->allocated < 0)
		return;
	project->allocated += workload->gpus_allocated;
	project->requested += workload->gpus_requested > workload->gpus_allocated ? workload->gpus_requested : workload->gpus_allocated;
}

static void add_up(struct tui_project *into, const struct tui_project *from)
{
	into->running += from->running;
	into->waiting += from->waiting;
	into->suspended += from->suspended;
	into->ended += from->ended;
	into->requested_unknown |= from->requested_unknown;
	for (int d = 0; d < STINT_DIMENSIONS; d++) {
		into->by[d].allocated += from->by[d].allocated;
		into->by[d].requested += from->by[d].requested;
	}
	if (from->allocated >= 0 && into->allocated >= 0) {
		into->allocated += from->allocated;
		into->requested += from->requested;
	}
}

static struct tui_project *parent_of(const struct tui_maker *maker, const struct tui_project *project)
{
	return project->department ? stint_map_get(maker->projects_by_name, project->department) : NULL;
}

/* Sums go up to every department above, at most DEEPEST of them: a queue could be its own ancestor. */
static void sum_up(struct tui_maker *maker, struct tui_project *const *list, size_t count)
{
	for (size_t at = 0; at < count; at++) {
		struct tui_project *above = parent_of(maker, list[at]);
		for (; above && list[at]->depth < DEEPEST; above = parent_of(maker, above)) {
			above->is_department = true;
			list[at]->depth++;
		}
	}
	for (size_t at = 0; at < count; at++) {
		if (list[at]->is_department)
			continue;
		struct tui_project *above = parent_of(maker, list[at]);
		for (uint32_t depth = list[at]->depth; above && depth > 0; depth--, above = parent_of(maker, above))
			add_up(above, list[at]);
	}
}

/* Divides `total` among the children of `above` (NULL: the roots), and theirs below them. */
static void divide(struct tui_maker *maker, struct tui_project *const *list, size_t count, const struct tui_project *above,
	const double total[static STINT_DIMENSIONS], uint32_t depth)
{
	struct stint_sharer *sharers = stint_arena_alloc(maker->arena, (count + 1) * sizeof *sharers);
	for (int d = 0; d < STINT_DIMENSIONS; d++) {
		size_t children = 0;
		for (size_t at = 0; at < count; at++) {
			const struct tui_bounds *by = &list[at]->by[d];
			if (!list[at]->queue || list[at]->depth != depth || parent_of(maker, list[at]) != above)
				continue;
			sharers[children++] = (struct stint_sharer){.name = list[at]->name,
				.created_ms = list[at]->queue->meta.created_ms,
				.priority = list[at]->priority,
				.quota = by->quota,
				.limit = by->limit,
				.weight = by->weight,
				.usage = by->usage,
				.request = by->requested,
				.id = (uint32_t)at};
		}
		stint_shares_divide(sharers, children, total[d], maker->usage_factor, false);
		for (size_t at = 0; at < children; at++)
			list[sharers[at].id]->by[d].fair = sharers[at].fair_share;
	}
	for (size_t at = 0; at < count; at++) {
		struct tui_project *project = list[at];
		if (!project->queue || project->depth != depth || parent_of(maker, project) != above)
			continue;
		const double fair[STINT_DIMENSIONS] = {project->by[0].fair, project->by[1].fair, project->by[2].fair};
		project->fair_share = project->by[STINT_GPU].fair;
		if (project->is_department && depth + 1 < DEEPEST)
			divide(maker, list, count, project, fair, depth + 1);
	}
}

/* kai-engine 3.1: a node counts while it takes pods, without what others than those pods use of it. */
static void sum_cluster(struct tui_world *world)
{
	double *total = world->capacity;
	for (size_t at = 0; at < world->nodes_count; at++) {
		const struct stint_node_use *use = world->nodes[at];
		if (!tui_node_is_usable(use->node))
			continue;
		total[STINT_CPU] += (double)use->node->allocatable.cpu_milli - (double)use->foreign.cpu_milli;
		total[STINT_MEMORY] += (double)use->node->allocatable.memory_bytes - (double)use->foreign.memory_bytes;
		total[STINT_GPU] += (double)use->devices_count - use->foreign.gpus;
	}
}

/* What it has beyond its quota; below 0: what it does not have of it. NaN: not known. What a queue does not say counts as 0 for the scheduler. */
static double beyond_quota(const struct tui_project *project)
{
	if (project->allocated < 0 || (!project->queue && project->allocated > 0))
		return NAN;
	const double quota = project->has_quota ? project->quota : 0;
	return quota < 0 ? 0 : project->allocated - quota;
}

/*
 * What the children of `above` (NULL: the roots) borrow, and it does not, they have from one another; what it lends is theirs, too. Who of them
 * lends how much nobody decides: each as a part of what it does not use.
 */
static void lend(struct tui_maker *maker, struct tui_project *const *list, size_t count, const struct tui_project *above, uint32_t depth)
{
	double unused = 0, asked = above ? above->lent - above->borrowed : 0;
	bool known = !above || above->lent >= 0;
	for (size_t at = 0; at < count; at++) {
		struct tui_project *project = list[at];
		if (project->depth != depth || parent_of(maker, project) != above)
			continue;
		const double beyond = beyond_quota(project);
		known = known && !isnan(beyond);
		project->borrowed = isnan(beyond) ? -1 : fmax(beyond, 0);
		unused += fmax(-beyond, 0);
		asked += fmax(beyond, 0);
	}
	const double part = asked <= 0 || unused <= 0 ? 0 : asked < unused ? asked / unused : 1;
	for (size_t at = 0; at < count; at++) {
		struct tui_project *project = list[at];
		if (project->depth != depth || parent_of(maker, project) != above)
			continue;
		project->lent = known ? part * fmax(-beyond_quota(project), 0) : -1;
		if (project->is_department && depth + 1 < DEEPEST)
			lend(maker, list, count, project, depth + 1);
	}
}

/* Departments with what is below them, by name. */
static void put_in_order(
	struct tui_maker *maker, struct tui_project *const *list, size_t count, const struct tui_project *above, uint32_t depth)
{
	struct tui_world *world = &maker->world;
	for (size_t at = 0; at < count; at++) {
		if (list[at]->depth != depth || parent_of(maker, list[at]) != above)
			continue;
		world->projects[world->projects_count++] = *list[at];
		if (list[at]->is_department && depth + 1 < DEEPEST)
			put_in_order(maker, list, count, list[at], depth + 1);
	}
}

void make_projects(struct tui_maker *maker, const struct tui_sources *sources)
{
	struct tui_world *world = &maker->world;
	const size_t most = sources->queues_count + world->workloads_count + 1;
	struct tui_project **list = stint_arena_alloc(maker->arena, most * sizeof *list);
	size_t count = 0;
	for (size_t at = 0; at < sources->queues_count; at++) {
		const struct stint_queue *queue = stint_queue_of(sources->queues[at]);
		struct tui_project *project = add_project(maker, list, &count, queue->meta.name);
		read_queue(project, queue);
		read_bounds(project, queue, sources->usage);
	}
	for (size_t at = 0; at < world->workloads_count; at++) {
		const char *name = tui_workload_project(world->workloads[at]);
		struct tui_project *project = stint_map_get(maker->projects_by_name, name);
		count_workload(project ? project : add_project(maker, list, &count, name), world->workloads[at]);
	}
	maker->usage_factor = sources->usage_factor;
	sum_cluster(world);
	qsort(list, count, sizeof(struct tui_project *), compare_projects);
	sum_up(maker, list, count);
	if (world->nodes_known && world->pods_known && !world->only)
		divide(maker, list, count, NULL, world->capacity, 0);
	lend(maker, list, count, NULL, 0);
	world->projects = stint_arena_alloc(maker->arena, (count + 1) * sizeof *world->projects);
	put_in_order(maker, list, count, NULL, 0);
	for (size_t at = 0; at < world->projects_count; at++)
		stint_map_set(maker->projects_by_name, world->projects[at].name, &world->projects[at]);
}
