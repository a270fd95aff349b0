/*
 * world_line: the line of what waits, in the order in which the scheduler tries it (kai-engine 4): the best queue at each level of the tree, by
 * what it has and what its own first would add; decided again for every step. Nothing is placed on the way: it is the order of now.
 *
 * Not known here are PodGroup objects (a gang of one counts as pods on their own) and a --usage-factor other than 1.
 */
#include "cli/tui/world_maker.h"

#include <stdlib.h>
#include <string.h>

enum { EXACT_LINE = 300, DEFAULT_PRIORITY = 50, DEEPEST = 8 };

/* ---- what waits -------------------------------------------------------------------------------------------------------------------- */

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

/* The pods of these are placed each on its own, as the grouper has it. */
static bool is_placed_singly(const struct stint_workload *workload)
{
	static const char *const kinds[] = {"Pod", "ReplicaSet", "StatefulSet", "Deployment"};
	for (size_t at = 0; at < STINT_COUNT(kinds); at++) {
		if (strcmp(workload->kind, kinds[at]) == 0)
			return true;
	}
	return false;
}

/* As many of its pods start together; those that have succeeded are not needed any more. */
static int64_t minimum_of(const struct stint_workload *workload)
{
	int64_t minimum = 1;
	const char *text = workload->owner ? stint_object_annotation(&workload->owner->meta, "kai.scheduler/batch-min-member") : NULL;
	if (!text || is_placed_singly(workload) || !stint_parse_int(text, 0, INT32_MAX, &minimum))
		return 1;
	minimum -= workload->pods_succeeded;
	return minimum > 1 ? minimum : 1;
}

static double gpus_of(const struct stint_gpu_ask *ask, int64_t least_mib)
{
	if (ask->kind == STINT_GPU_MEMORY)
		return least_mib > 0 ? (double)(ask->memory_mib * ask->devices) / (double)least_mib : 0;
	return ask->kind == STINT_GPU_NONE ? 0 : ask->portion * ask->devices;
}

/* What its next step asks for: the pods that are missing for it to start, or one more. */
static void fill_step(struct tui_waiting *waiting, int64_t least_mib)
{
	const struct stint_workload *workload = waiting->workload;
	const bool singly = is_placed_singly(workload);
	const int64_t minimum = minimum_of(workload);
	int64_t placed = 0;
	for (size_t at = 0; at < workload->pods_count; at++)
		placed += workload->pods[at]->node && !stint_pod_ended(workload->pods[at]);
	waiting->elastic = singly || placed < minimum ? 0 : placed == minimum ? 1 : 2;
	waiting->created_ms = workload->created_ms;
	int64_t left = placed < minimum && !singly ? minimum - placed : 1;
	for (size_t at = 0; at < workload->pods_count && left > 0; at++) {
		const struct stint_pod *pod = workload->pods[at];
		if (pod->node || stint_pod_ended(pod) || pod->gates_count)
			continue;
		if (singly)
			waiting->created_ms = pod->meta.created_ms;
		waiting->step[STINT_CPU] += (double)pod->spec->request.cpu_milli;
		waiting->step[STINT_MEMORY] += (double)pod->spec->request.memory_bytes;
		waiting->step[STINT_GPU] += gpus_of(&pod->spec->gpu, least_mib);
		left--;
	}
}

/* By project, and in each as the scheduler orders groups (kai-engine 4.1). */
static int compare_waiting(const void *left, const void *right)
{
	const struct tui_waiting *a = left, *b = right;
	if (a->project != b->project)
		return a->project < b->project ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	if (a->elastic != b->elastic)
		return a->elastic < b->elastic ? -1 : 1;
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? -1 : 1;
	const int sign = strcmp(a->workload->project, b->workload->project);
	return sign ? sign : strcmp(a->workload->name, b->workload->name);
}

/* ---- the standing of a queue (kai-engine 4.4) -------------------------------------------------------------------------------------- */

static struct stint_standing assess(const struct tui_project *project, const double *step, const double *capacity)
{
	struct stint_stake stakes[STINT_DIMENSIONS];
	for (int d = 0; d < STINT_DIMENSIONS; d++) {
		const struct tui_bounds *by = &project->by[d];
		const double then = by->allocated + step[d];
		stakes[d] = (struct stint_stake){.quota = by->quota,
			.limit = by->limit,
			.fair = by->fair,
			.has = by->allocated,
			.then = then,
			.with_step = then,
			.total = capacity[d]};
	}
	return stint_standing_of(project->priority, stakes);
}

static int64_t created_of(const struct tui_project *project)
{
	return project->queue ? project->queue->meta.created_ms : INT64_MAX;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------------------------- */

/* A project with the workloads of it that wait, or a department. */
struct branch {
	const struct tui_project *project;
	struct branch *above, *first, *next; /* first: of those below */
	size_t at, end; /* of a project: what is left, in the array that is sorted by project */
	const struct tui_waiting *best; /* NULL: nothing waits below */
	struct stint_standing standing;
};

struct tree {
	struct tui_maker *maker;
	const struct tui_waiting *sorted;
	struct stint_map *by_name; /* -> struct branch */
	struct branch root;
};

static bool goes_first(const struct branch *a, const struct branch *b)
{
	const int order = stint_standing_compare(&a->standing, &b->standing);
	if (order)
		return order < 0;
	return stint_age_compare(created_of(a->project), a->project->name, created_of(b->project), b->project->name) < 0;
}

static struct branch *best_below(const struct branch *branch)
{
	struct branch *best = NULL;
	for (struct branch *child = branch->first; child; child = child->next) {
		if (child->best && (!best || goes_first(child, best)))
			best = child;
	}
	return best;
}

static void look_at(const struct tree *tree, struct branch *branch)
{
	const struct branch *best = branch->first ? best_below(branch) : NULL;
	branch->best = best ? best->best : branch->at < branch->end ? &tree->sorted[branch->at] : NULL;
	if (branch->best && branch->project)
		branch->standing = assess(branch->project, branch->best->step, tree->maker->world.capacity);
}

/* The branch of a project, below those of its departments. One that names itself as an ancestor hangs at the root, as one without any does. */
static struct branch *branch_of(struct tree *tree, const struct tui_project *project)
{
	struct branch *branch = stint_map_get(tree->by_name, project->name);
	if (branch)
		return branch;
	branch = stint_arena_alloc(tree->maker->arena, sizeof *branch);
	branch->project = project;
	stint_map_set(tree->by_name, project->name, branch);
	const struct tui_project *above = project->department ? stint_map_get(tree->maker->projects_by_name, project->department) : NULL;
	struct branch *parent = above && project->depth < DEEPEST ? branch_of(tree, above) : NULL;
	branch->above = parent && parent->above ? parent : &tree->root; /* without one: it is being made, further up in this chain */
	branch->next = branch->above->first;
	branch->above->first = branch;
	return branch;
}

static void plant(struct tree *tree, size_t count)
{
	for (size_t at = 0; at < count; at++) {
		struct branch *branch = branch_of(tree, tree->sorted[at].project);
		if (branch->end == 0)
			branch->at = at;
		branch->end = at + 1;
	}
	const char *name;
	void *value;
	/* From the leaves up: a branch is looked at again whenever one below it has changed. */
	for (size_t at = 0; stint_map_next(tree->by_name, &at, &name, &value);) {
		for (struct branch *branch = ((struct branch *)value)->end ? value : NULL; branch; branch = branch->above)
			look_at(tree, branch);
	}
}

static const struct tui_waiting *step(struct tree *tree)
{
	struct branch *branch = &tree->root;
	for (struct branch *below; (below = best_below(branch)) != NULL;)
		branch = below;
	const struct tui_waiting *waiting = &tree->sorted[branch->at++];
	for (; branch; branch = branch->above)
		look_at(tree, branch);
	return waiting;
}

/* One step after the other for the first EXACT_LINE, the rest project by project: nobody reads so far, and it would cost the product. */
static void walk(struct tree *tree, size_t count, struct tui_waiting *out)
{
	size_t given = 0;
	while (given < count && given < EXACT_LINE)
		out[given++] = *step(tree);
	const char *name;
	void *value;
	for (size_t at = 0; given < count && stint_map_next(tree->by_name, &at, &name, &value);) {
		struct branch *branch = value;
		while (branch->at < branch->end)
			out[given++] = tree->sorted[branch->at++];
	}
}

/* ---- the line ---------------------------------------------------------------------------------------------------------------------- */

static struct stint_map *classes_by_name(const struct tui_sources *sources)
{
	struct stint_map *classes = stint_map_new(NULL);
	for (size_t at = 0; at < sources->classes_count; at++)
		stint_map_set(classes, sources->classes[at]->name, sources->classes[at]);
	return classes;
}

static int64_t least_memory_mib(const struct tui_world *world)
{
	int64_t least = 0;
	for (size_t at = 0; at < world->nodes_count; at++) {
		const int64_t mib = world->nodes[at]->node->gpu_memory_mib;
		least = mib > 0 && (least == 0 || mib < least) ? mib : least;
	}
	return least;
}

static void number(struct tui_waiting *sorted, size_t count)
{
	for (size_t at = 0; at < count; at++)
		sorted[at].position = at && sorted[at].project == sorted[at - 1].project ? sorted[at - 1].position + 1 : 1;
}

void make_line(struct tui_maker *maker, const struct tui_sources *sources)
{
	struct tui_world *world = &maker->world;
	size_t count = 0;
	for (size_t at = 0; at < world->workloads_count; at++)
		count += tui_workload_waits(world->workloads[at]);
	struct tui_waiting *sorted = stint_arena_alloc(maker->arena, (count + 1) * sizeof *sorted);
	world->waiting = stint_arena_alloc(maker->arena, (count + 1) * sizeof *world->waiting);
	world->waiting_count = count;
	if (count == 0)
		return;
	struct stint_map *classes = classes_by_name(sources);
	const int64_t least_mib = least_memory_mib(world);
	count = 0;
	for (size_t at = 0; at < world->workloads_count; at++) {
		const struct stint_workload *workload = world->workloads[at];
		if (!tui_workload_waits(workload))
			continue;
		const double asks = workload->gpus_requested - workload->gpus_allocated;
		struct tui_waiting *waiting = &sorted[count++];
		*waiting = (struct tui_waiting){.workload = workload,
			.project = stint_map_get(maker->projects_by_name, tui_workload_project(workload)),
			.priority = priority_of(classes, workload),
			.asks = workload->gpus_requested_unknown ? -1
				: asks > 0			 ? asks
								 : 0};
		fill_step(waiting, least_mib);
	}
	stint_map_free(classes);
	qsort(sorted, count, sizeof *sorted, compare_waiting);
	number(sorted, count);
	struct tree tree = {.maker = maker, .sorted = sorted, .by_name = stint_map_new(NULL)};
	plant(&tree, count);
	walk(&tree, count, world->waiting);
	stint_map_free(tree.by_name);
}
