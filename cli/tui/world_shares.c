/*
 * world_shares: the other half of world.c: projects and departments with what they are due and have, and the line of what waits.
 *
 * The line follows kai-engine 4.4 as far as it can be told from outside: which project comes next is decided again for every step, by the
 * first workload that each of them has. CPU and memory, and past use, are left out: the scheduler may differ where those decide.
 */
#include "cli/tui/world_maker.h"

#include <stdlib.h>
#include <string.h>

#include <stint/engine.h>

enum { DEEPEST = 8, EXACT_LINE = 1000, DEFAULT_PRIORITY = 50 };

/* ---- projects ---------------------------------------------------------------------------------------------------------------------- */

static int compare_projects(const void *left, const void *right)
{
	const struct tui_project *a = *(const struct tui_project *const *)left, *b = *(const struct tui_project *const *)right;
	return strverscmp(a->name, b->name);
}

static struct tui_project *add_project(struct tui_maker *maker, struct tui_project **list, size_t *count, const char *name)
{
	struct tui_project *project = stint_arena_alloc(maker->arena, sizeof *project);
	*project = (struct tui_project){.name = name, .priority = 100, .fair_share = -1};
	const char *only = maker->world.only;
	project->allocated = project->requested = maker->world.pods_known && (!only || strcmp(name, only) == 0) ? 0 : -1;
	list[(*count)++] = project;
	stint_map_set(maker->projects_by_name, name, project);
	return project;
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
static void divide(struct tui_maker *maker, struct tui_project *const *list, size_t count, const struct tui_project *above, double total,
	uint32_t depth)
{
	struct stint_sharer *sharers = stint_arena_alloc(maker->arena, (count + 1) * sizeof *sharers);
	size_t children = 0;
	for (size_t at = 0; at < count; at++) {
		if (!list[at]->queue || list[at]->depth != depth || parent_of(maker, list[at]) != above)
			continue;
		sharers[children++] = (struct stint_sharer){.name = list[at]->name,
			.created_ms = list[at]->queue->meta.created_ms,
			.priority = list[at]->priority,
			.quota = list[at]->quota,
			.limit = list[at]->limit,
			.weight = list[at]->weight,
			.request = list[at]->requested > 0 ? list[at]->requested : 0,
			.id = (uint32_t)at};
	}
	stint_shares_divide(sharers, children, total, 1, false);
	for (size_t at = 0; at < children; at++) {
		struct tui_project *project = list[sharers[at].id];
		project->fair_share = sharers[at].fair_share;
		if (project->is_department && depth + 1 < DEEPEST)
			divide(maker, list, count, project, project->fair_share, depth + 1);
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
	double gpus = 0;
	for (size_t at = 0; at < sources->queues_count; at++) {
		const struct stint_queue *queue = stint_queue_of(sources->queues[at]);
		read_queue(add_project(maker, list, &count, queue->meta.name), queue);
	}
	for (size_t at = 0; at < world->workloads_count; at++) {
		const char *name = tui_workload_project(world->workloads[at]);
		struct tui_project *project = stint_map_get(maker->projects_by_name, name);
		count_workload(project ? project : add_project(maker, list, &count, name), world->workloads[at]);
	}
	for (size_t at = 0; at < world->nodes_count; at++)
		gpus += (double)world->nodes[at]->devices_count;
	qsort(list, count, sizeof(struct tui_project *), compare_projects);
	sum_up(maker, list, count);
	if (world->nodes_known && world->pods_known && !world->only)
		divide(maker, list, count, NULL, gpus, 0);
	world->projects = stint_arena_alloc(maker->arena, (count + 1) * sizeof *world->projects);
	put_in_order(maker, list, count, NULL, 0);
	for (size_t at = 0; at < world->projects_count; at++)
		stint_map_set(maker->projects_by_name, world->projects[at].name, &world->projects[at]);
}

/* ---- the line ---------------------------------------------------------------------------------------------------------------------- */

/* A project with the workloads of it that wait. */
struct line {
	const struct tui_project *project;
	size_t next, end; /* in the array that is sorted by project */
};

static int32_t priority_of(const struct stint_map *classes, const struct stint_workload *workload)
{
	const char *said = workload->owner ? stint_object_label(&workload->owner->meta, "priorityClassName") : NULL;
	const struct stint_priority_class *class = said ? stint_map_get(classes, said) : NULL;
	if (class)
		return class->value;
	for (size_t at = 0; at < workload->pods_count; at++) {
		if (workload->pods[at]->spec->priority_known)
			return workload->pods[at]->spec->priority;
	}
	return DEFAULT_PRIORITY;
}

static int compare_waiting(const void *left, const void *right)
{
	const struct tui_waiting *a = left, *b = right;
	if (a->project != b->project)
		return a->project < b->project ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	if (a->workload->created_ms != b->workload->created_ms)
		return a->workload->created_ms < b->workload->created_ms ? -1 : 1;
	const int sign = strcmp(a->workload->project, b->workload->project);
	return sign ? sign : strcmp(a->workload->name, b->workload->name);
}

static double part(double amount, double of)
{
	return of > 0 ? amount / of : 1000 * amount;
}

static bool goes_first(const struct tui_project *a, double asks_a, const struct tui_project *b, double asks_b)
{
	const bool over_a = a->fair_share >= 0 && a->fair_share < a->allocated, over_b = b->fair_share >= 0 && b->fair_share < b->allocated;
	if (over_a != over_b)
		return over_b;
	const bool starved_a = a->quota < 0 || a->allocated + asks_a <= a->quota,
		   starved_b = b->quota < 0 || b->allocated + asks_b <= b->quota;
	if (starved_a != starved_b)
		return starved_a;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	const double then_a = part(a->allocated + asks_a, a->fair_share), then_b = part(b->allocated + asks_b, b->fair_share);
	if (then_a != then_b)
		return then_a < then_b;
	return strcmp(a->name, b->name) < 0;
}

static size_t split_lines(const struct tui_waiting *sorted, size_t count, struct line *lines)
{
	size_t found = 0;
	for (size_t at = 0; at < count; at++) {
		if (at == 0 || sorted[at].project != sorted[at - 1].project)
			lines[found++] = (struct line){sorted[at].project, at, at};
		lines[found - 1].end = at + 1;
	}
	return found;
}

static double asks_of(const struct tui_waiting *waiting)
{
	return waiting->asks > 0 ? waiting->asks : 0;
}

/* One step after the other for the first EXACT_LINE, the rest project by project: nobody reads so far, and it would cost the product. */
static void merge(const struct tui_waiting *sorted, size_t count, struct line *lines, size_t lines_count, struct tui_waiting *out)
{
	size_t given = 0;
	while (given < count && given < EXACT_LINE) {
		struct line *best = NULL;
		for (size_t at = 0; at < lines_count; at++) {
			struct line *line = &lines[at];
			if (line->next < line->end &&
				(!best ||
					goes_first(
						line->project, asks_of(&sorted[line->next]), best->project, asks_of(&sorted[best->next]))))
				best = line;
		}
		if (!best)
			break;
		out[given++] = sorted[best->next++];
	}
	for (size_t at = 0; at < lines_count; at++) {
		while (lines[at].next < lines[at].end)
			out[given++] = sorted[lines[at].next++];
	}
}

static struct stint_map *classes_by_name(const struct tui_sources *sources)
{
	struct stint_map *classes = stint_map_new(NULL);
	for (size_t at = 0; at < sources->classes_count; at++)
		stint_map_set(classes, sources->classes[at]->name, sources->classes[at]);
	return classes;
}

void make_line(struct tui_maker *maker, const struct tui_sources *sources)
{
	struct tui_world *world = &maker->world;
	size_t count = 0;
	for (size_t at = 0; at < world->workloads_count; at++)
		count += tui_workload_waits(world->workloads[at]);
	struct tui_waiting *sorted = stint_arena_alloc(maker->arena, (count + 1) * sizeof *sorted);
	struct stint_map *classes = classes_by_name(sources);
	count = 0;
	for (size_t at = 0; at < world->workloads_count; at++) {
		const struct stint_workload *workload = world->workloads[at];
		if (!tui_workload_waits(workload))
			continue;
		const double asks = workload->gpus_requested - workload->gpus_allocated;
		sorted[count++] = (struct tui_waiting){.workload = workload,
			.project = stint_map_get(maker->projects_by_name, tui_workload_project(workload)),
			.priority = priority_of(classes, workload),
			.asks = workload->gpus_requested_unknown ? -1
				: asks > 0			 ? asks
								 : 0};
	}
	stint_map_free(classes);
	world->waiting = stint_arena_alloc(maker->arena, (count + 1) * sizeof *world->waiting);
	world->waiting_count = count;
	if (count == 0)
		return;
	qsort(sorted, count, sizeof *sorted, compare_waiting);
	struct line *lines = stint_arena_alloc(maker->arena, (count + 1) * sizeof *lines);
	const size_t lines_count = split_lines(sorted, count, lines);
	for (size_t line = 0; line < lines_count; line++) {
		for (size_t at = lines[line].next; at < lines[line].end; at++)
			sorted[at].position = (uint32_t)(at - lines[line].next + 1);
	}
	merge(sorted, count, lines, lines_count, world->waiting);
}
