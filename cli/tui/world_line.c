/*
 * world_line: the line of what waits, in the order in which the scheduler tries it (kai-engine 4): the best queue at each level of the tree, by
 * what it has and what its own first would add; decided again for every step. Nothing is placed on the way: it is the order of now. What
 * cannot be tried before something about it changes comes last.
 *
 * Groups are made as the scheduler makes them (core/grouping). Node pools that a workload lists do not change the order: they say where it
 * may go when its turn has come.
 */
#include "cli/tui/turn.h"
#include "cli/tui/world_maker.h"

#include <stdlib.h>
#include <string.h>

enum { EXACT_LINE = 300, DEFAULT_PRIORITY = 50, DEEPEST = 8 };

/* ---- groups ----------------------------------------------------------------------------------------------------------------------- */

/* What the scheduler tries as one: a workload, one pod of one whose pods stand alone, or what a PodGroup rules, of one workload or of several. */
struct group {
	const char *key;
	struct stint_grouping grouping;
	const struct stint_pod **pods;
	size_t count, capacity;
	int64_t succeeded;
	const char *pools;
	struct tui_turn turn;
	const struct tui_project *project;
	int32_t priority;
};

struct groups {
	struct tui_maker *maker;
	const struct tui_sources *sources;
	struct stint_map *by_key; /* -> struct group, of PodGroups alone: others belong to one workload */
	int64_t least_mib, now_ms;
	const char *unseen; /* a kind that says how pods of something here belong together, and may not be read */
};

static void group_free(void *value)
{
	struct group *group = value;
	stint_grouping_clear(&group->grouping);
	free(group->pods);
	free(group);
}

static void group_add(struct group *group, const struct stint_pod *pod)
{
	stint_grow(&group->pods, &group->capacity, group->count + 1, sizeof(struct stint_pod *));
	group->pods[group->count++] = pod;
}

static bool waits(const struct stint_pod *pod)
{
	return !pod->node && !stint_pod_ended(pod) && !pod->gates_count && pod->meta.deleted_ms < 0;
}

static bool precedes(const struct stint_pod *a, const struct stint_pod *b)
{
	return stint_age_compare(a->meta.created_ms, a->meta.name, b->meta.created_ms, b->meta.name) < 0;
}

/* The pod by which a workload stands in the line; NULL: none of its pods waits yet. */
static const struct stint_pod *first_waiting(const struct stint_workload *workload)
{
	const struct stint_pod *first = NULL;
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_pod *pod = workload->pods[at];
		if (waits(pod) && (!first || precedes(pod, first)))
			first = pod;
	}
	return first;
}

/* Where classes may not be read, what the API server has written into the pod tells the same. */
static int32_t priority_of(const struct groups *groups, const struct stint_grouping *grouping, const struct stint_pod *pod)
{
	return groups->sources->classes_known || !pod->spec->priority_known ? grouping->priority : pod->spec->priority;
}

static void judge(const struct groups *groups, struct group *group)
{
	const struct tui_world *world = &groups->maker->world;
	const bool no_queue = !group->project || (world->queues_known && !group->project->queue);
	group->turn = tui_turn_of(&group->grouping, group->pods, group->count, group->succeeded, groups->least_mib, groups->now_ms);
	group->turn.tried = group->turn.tried && !no_queue;
}

static void add_pods_of(struct group *group, const struct stint_workload *workload, const char *pod_group)
{
	for (size_t at = 0; at < workload->pods_count; at++) {
		const char *named = pod_group ? stint_object_annotation(&workload->pods[at]->meta, "pod-group-name") : NULL;
		if (!pod_group || (named && strcmp(named, pod_group) == 0))
			group_add(group, workload->pods[at]);
	}
}

/* Members of a PodGroup may be of several workloads of its project. */
static void add_members(const struct groups *groups, struct group *group)
{
	const struct tui_world *world = &groups->maker->world;
	const struct stint_object *meta = &group->grouping.pod_group->meta;
	for (size_t at = 0; at < world->workloads_count; at++) {
		if (strcmp(world->workloads[at]->project, meta->space) == 0)
			add_pods_of(group, world->workloads[at], meta->name);
	}
	for (size_t at = 0; at < group->count; at++)
		group->succeeded += group->pods[at]->phase == STINT_PHASE_SUCCEEDED;
}

/*
 * Of a job of several roles or a LeaderWorkerSet, those pods that are of this group: a set has one for each of its leaders, and a pod may name a
 * PodGroup of its own. They tell, too, whether those that come late have come. O(pods of the workload).
 */
static void add_pods_of_key(const struct groups *groups, struct group *group, const struct stint_workload *workload)
{
	int64_t succeeded = 0;
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_pod *pod = workload->pods[at];
		struct stint_grouping grouping;
		stint_group_pod(groups->sources->catalog, pod, &grouping);
		if (strcmp(grouping.key, group->grouping.key) == 0) {
			group_add(group, pod);
			succeeded += pod->phase == STINT_PHASE_SUCCEEDED;
			group->grouping.late_seen |= grouping.late_seen;
		}
		stint_grouping_clear(&grouping);
	}
	group->succeeded = succeeded;
}

/* What a workload waits in: the group of its first pod that has no place. Freed with the map, or by the caller when it is not in there. */
static struct group *group_of(struct groups *groups, const struct stint_workload *workload, const struct stint_pod *first)
{
	struct stint_grouping grouping;
	stint_group_pod(groups->sources->catalog, first, &grouping);
	struct group *group = grouping.pod_group ? stint_map_get(groups->by_key, grouping.key) : NULL;
	if (group) {
		stint_grouping_clear(&grouping);
		return group;
	}
	group = stint_alloc(sizeof *group);
	*group = (struct group){.grouping = grouping,
		.key = stint_arena_strndup(groups->maker->arena, grouping.key, strlen(grouping.key)),
		.project = stint_map_get(groups->maker->projects_by_name, tui_workload_project(workload)),
		.pools = grouping.pools ? stint_arena_strndup(groups->maker->arena, grouping.pools, strlen(grouping.pools)) : NULL,
		.priority = priority_of(groups, &grouping, first),
		.succeeded = grouping.pod_group ? 0 : workload->pods_succeeded};
	if (grouping.pod_group) {
		stint_map_set(groups->by_key, group->key, group);
		add_members(groups, group);
	} else if (grouping.uid && first->meta.uid && strcmp(grouping.uid, first->meta.uid) == 0) {
		group_add(group, first);
		group->succeeded = 0;
	} else if (grouping.roles) {
		add_pods_of_key(groups, group, workload);
	} else {
		add_pods_of(group, workload, NULL);
	}
	judge(groups, group);
	return group;
}

/* ---- what waits -------------------------------------------------------------------------------------------------------------------- */

/* What would have to be read to know how they belong together. */
static void note_unseen(struct groups *groups, const struct stint_workload *workload, const struct group *group)
{
	const struct stint_owner_reference top = {
		.api_version = workload->api_version, .kind = workload->kind, .name = workload->name, .uid = workload->uid};
	if (group->grouping.pod_group)
		return;
	if (group->grouping.wait == STINT_GROUPING_NEEDS_POD_GROUP && !groups->sources->pod_groups_known)
		groups->unseen = "PodGroup";
	for (size_t at = 0; at < STINT_OWNER_KINDS; at++) {
		const bool same = strcmp(stint_owner_kinds[at].api_version, top.api_version) == 0 &&
			strcmp(stint_owner_kinds[at].kind, top.kind) == 0;
		if (same && stint_owner_kinds[at].custom && !stint_catalog_sees(groups->sources->catalog, &top))
			groups->unseen = stint_owner_kinds[at].kind;
	}
}

static void fill(struct groups *groups, struct tui_waiting *waiting, const struct stint_workload *workload)
{
	const struct stint_pod *first = first_waiting(workload);
	const double asks = workload->gpus_requested - workload->gpus_allocated;
	*waiting = (struct tui_waiting){.workload = workload,
		.project = stint_map_get(groups->maker->projects_by_name, tui_workload_project(workload)),
		.group = workload->uid,
		.priority = DEFAULT_PRIORITY,
		.created_ms = workload->created_ms,
		.asks = workload->gpus_requested_unknown ? -1
			: asks > 0			 ? asks
							 : 0};
	if (!first)
		return;
	struct group *group = group_of(groups, workload, first);
	note_unseen(groups, workload, group);
	waiting->group = group->key;
	waiting->pools = group->pools;
	waiting->priority = group->priority;
	waiting->created_ms = group->grouping.created_ms;
	waiting->elastic = group->turn.elastic;
	waiting->tried =
		group->turn.tried && (group->grouping.wait != STINT_GROUPING_NEEDS_POD_GROUP || !groups->sources->pod_groups_known);
	memcpy(waiting->step, group->turn.step, sizeof waiting->step);
	if (!group->grouping.pod_group)
		group_free(group);
}

/* By project, what is tried before the rest, and in each as the scheduler orders groups (kai-engine 4.1). */
static int compare_waiting(const void *left, const void *right)
{
	const struct tui_waiting *a = left, *b = right;
	if (a->project != b->project)
		return a->project < b->project ? -1 : 1;
	if (a->tried != b->tried)
		return a->tried ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	if (a->elastic != b->elastic)
		return a->elastic < b->elastic ? -1 : 1;
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? -1 : 1;
	const int keys = strcmp(a->group, b->group);
	return keys ? keys : strverscmp(a->workload->name, b->workload->name);
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
		if (!tree->sorted[at].tried)
			continue;
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

/* All workloads of the group that comes next. */
static size_t step(struct tree *tree, struct tui_waiting *out)
{
	struct branch *branch = &tree->root;
	for (struct branch *below; (below = best_below(branch)) != NULL;)
		branch = below;
	const char *group = tree->sorted[branch->at].group;
	size_t count = 0;
	while (branch->at < branch->end && strcmp(tree->sorted[branch->at].group, group) == 0)
		out[count++] = tree->sorted[branch->at++];
	for (; branch; branch = branch->above)
		look_at(tree, branch);
	return count;
}

/* One step after the other for the first EXACT_LINE, the rest project by project: nobody reads so far, and it would cost the product. */
static void walk(struct tree *tree, size_t count, struct tui_waiting *out)
{
	size_t given = 0;
	while (tree->root.best && given < EXACT_LINE)
		given += step(tree, out + given);
	const char *name;
	void *value;
	for (size_t at = 0; stint_map_next(tree->by_name, &at, &name, &value);) {
		struct branch *branch = value;
		while (branch->at < branch->end)
			out[given++] = tree->sorted[branch->at++];
	}
	for (size_t at = 0; at < count; at++) {
		if (!tree->sorted[at].tried)
			out[given++] = tree->sorted[at];
	}
}

/* ---- the line ---------------------------------------------------------------------------------------------------------------------- */

static int64_t least_memory_mib(const struct tui_world *world)
{
	int64_t least = 0;
	for (size_t at = 0; at < world->nodes_count; at++) {
		const int64_t mib = world->nodes[at]->node->gpu_memory_mib;
		least = mib > 0 && (least == 0 || mib < least) ? mib : least;
	}
	return least;
}

/* Workloads of one group have one place. */
static void number(struct tui_waiting *sorted, size_t count)
{
	for (size_t at = 0; at < count && count; at++) {
		const struct tui_waiting *before = at && sorted[at].project == sorted[at - 1].project ? &sorted[at - 1] : NULL;
		if (sorted[at].tried)
			sorted[at].position = before ? before->position + (strcmp(before->group, sorted[at].group) != 0) : 1;
	}
}

/* ---- what is not known of it ------------------------------------------------------------------------------------------------------- */

static const char *doubt_of(const struct tui_sources *sources, const char *unseen, struct stint_arena *arena)
{
	stint_autofree char *without = unseen ? stint_format("order: without %s objects, which may not be read", unseen) : NULL;
	if (without)
		return stint_arena_strndup(arena, without, strlen(without));
	if (sources->pool_schedulers)
		return "order: each node pool has a line of its own, and they are shown as one";
	if (!sources->past_use_known)
		return "order: without past use, which may not be read";
	return sources->usage && !sources->usage_factor_known ? "order: with --usage-factor 1, as the scheduler's Lease does not tell it"
							      : NULL;
}

void make_line(struct tui_maker *maker, const struct tui_sources *sources, int64_t now_ms)
{
	struct tui_world *world = &maker->world;
	size_t count = 0;
	for (size_t at = 0; at < world->workloads_count; at++)
		count += tui_workload_waits(world->workloads[at]);
	struct tui_waiting *sorted = stint_arena_alloc(maker->arena, (count + 1) * sizeof *sorted);
	world->waiting = stint_arena_alloc(maker->arena, (count + 1) * sizeof *world->waiting);
	world->waiting_count = count;
	world->line_doubt = doubt_of(sources, NULL, maker->arena);
	if (count == 0)
		return;
	struct groups groups = {.maker = maker,
		.sources = sources,
		.by_key = stint_map_new(group_free),
		.least_mib = least_memory_mib(world),
		.now_ms = now_ms};
	count = 0;
	for (size_t at = 0; at < world->workloads_count; at++) {
		if (tui_workload_waits(world->workloads[at]))
			fill(&groups, &sorted[count++], world->workloads[at]);
	}
	stint_map_free(groups.by_key);
	world->line_doubt = doubt_of(sources, groups.unseen, maker->arena);
	qsort(sorted, count, sizeof *sorted, compare_waiting);
	number(sorted, count);
	struct tree tree = {.maker = maker, .sorted = sorted, .by_name = stint_map_new(NULL)};
	plant(&tree, count);
	walk(&tree, count, world->waiting);
	stint_map_free(tree.by_name);
}
