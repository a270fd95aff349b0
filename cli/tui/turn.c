/*
 * turn: see turn.h. Costs the pods, and the parts of a group that has some.
 */
#include "cli/tui/turn.h"

#include <stdlib.h>
#include <string.h>

/* A set of pods, or of parts. Parts stand before their members. */
struct part {
	const char *name;
	uint32_t parent;
	bool inner;
	uint32_t need, active, pending;
	uint32_t met, ready; /* of the members of a set: that have what they need, and that can have it */
	uint32_t members;
	bool taken; /* in this chunk, with all above it */
};

struct group {
	struct part *parts;
	uint32_t count;
	struct stint_map *by_name; /* place in parts, from 1; NULL: there is one set of pods */
	uint32_t *part_of; /* for each pod; `count` where it names none that there is */
};

/* ---- the parts --------------------------------------------------------------------------------------------------------------------- */

/* One set of pods below a root, where nothing else is said or what is said makes no tree. */
static void make_plain(struct group *group, uint32_t need)
{
	group->parts = stint_alloc(2 * sizeof *group->parts);
	group->count = 2;
	group->parts[0] = (struct part){.name = "", .inner = true, .need = 1, .members = 1};
	group->parts[1] = (struct part){.name = "default", .need = need};
}

static void make_parts(struct group *group, const struct stint_subgroups *specs)
{
	group->count = (uint32_t)specs->count;
	group->parts = stint_alloc(specs->count * sizeof *group->parts);
	group->by_name = stint_map_new(NULL);
	for (uint32_t at = 0; at < group->count; at++) {
		const struct stint_part_spec *spec = &specs->parts[at];
		group->parts[at] = (struct part){.name = spec->name, .parent = spec->parent, .inner = spec->inner, .need = spec->needs};
		if (at)
			group->parts[spec->parent].members++;
		stint_map_set(group->by_name, spec->name, (void *)(uintptr_t)(at + 1));
	}
	for (uint32_t at = 0; at < group->count; at++) {
		struct part *part = &group->parts[at];
		if (part->inner && part->need == STINT_ALL)
			part->need = part->members;
	}
}

static uint32_t part_named(const struct group *group, const char *name)
{
	if (!group->by_name)
		return 1;
	const uintptr_t at = (uintptr_t)stint_map_get(group->by_name, name ? name : "default");
	return at && !group->parts[at - 1].inner ? (uint32_t)at - 1 : group->count;
}

static void count_pods(
	struct group *group, const struct stint_grouping *grouping, const struct stint_pod *const *pods, size_t count, int64_t now_ms)
{
	stint_autofree uint32_t *succeeded = stint_alloc((group->count + 1) * sizeof *succeeded);
	group->part_of = stint_alloc((count + 1) * sizeof *group->part_of);
	for (size_t at = 0; at < count; at++) {
		stint_autofree char *name = group->by_name ? stint_grouping_part(grouping, pods[at]) : NULL;
		const uint32_t index = group->part_of[at] = part_named(group, name);
		if (index == group->count)
			continue;
		if (stint_pod_ended(pods[at])) {
			succeeded[index] += pods[at]->phase == STINT_PHASE_SUCCEEDED;
			continue;
		}
		switch (stint_engine_pod_status_of(pods[at], now_ms, STINT_STUCK_AFTER_MS)) {
		case STINT_POD_PENDING: group->parts[index].pending++; break;
		case STINT_POD_RESERVED:
		case STINT_POD_ASSUMED:
		case STINT_POD_BOUND: group->parts[index].active++; break;
		case STINT_POD_GATED:
		case STINT_POD_RELEASING:
		case STINT_POD_STUCK: break;
		}
	}
	for (uint32_t at = 1; at < group->count && stint_grouping_has_parts(grouping); at++) {
		struct part *part = &group->parts[at];
		if (!part->inner)
			part->need = stint_subgroups_left(part->need, succeeded[at]);
	}
}

static bool is_met(const struct part *part)
{
	return (part->inner ? part->met : part->active) >= part->need;
}

static bool is_ready(const struct part *part)
{
	return (part->inner ? part->ready : part->active + part->pending) >= part->need;
}

static void sum_up(struct group *group)
{
	for (uint32_t at = group->count - 1; at > 0; at--) {
		struct part *above = &group->parts[group->parts[at].parent];
		above->met += is_met(&group->parts[at]);
		above->ready += is_ready(&group->parts[at]);
	}
}

/* ---- which pods -------------------------------------------------------------------------------------------------------------------- */

/* Those that lack something by name, then those that have the least of what they need (kai-engine 4.3). */
static int by_lack(const void *left, const void *right, void *user)
{
	const struct group *group = user;
	const struct part *a = &group->parts[*(const uint32_t *)left], *b = &group->parts[*(const uint32_t *)right];
	const uint32_t x = a->inner ? a->met : a->active, y = b->inner ? b->met : b->active;
	const bool a_lacks = x < a->need, b_lacks = y < b->need;
	const uint64_t p = a->need ? (uint64_t)x * b->need : x, q = a->need ? (uint64_t)y * a->need : y;
	if (a_lacks != b_lacks)
		return a_lacks ? -1 : 1;
	if (!a_lacks && (a->need == 0) != (b->need == 0))
		return b->need == 0 ? -1 : 1;
	if (!a_lacks && p != q)
		return p < q ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* The members of a set that can have what they need, those that come next first. Freed by the caller. */
static uint32_t *members_of(struct group *group, uint32_t set, size_t *count)
{
	uint32_t *members = stint_alloc((group->parts[set].members + 1) * sizeof *members);
	*count = 0;
	for (uint32_t at = 1; at < group->count; at++) {
		if (group->parts[at].parent == set && is_ready(&group->parts[at]))
			members[(*count)++] = at;
	}
	if (*count > 1)
		qsort_r(members, *count, sizeof *members, by_lack, group);
	return members;
}

/* Marks the sets of pods that give something to the chunk. Whether this one does. */
static bool take(struct group *group, uint32_t index)
{
	struct part *part = &group->parts[index];
	part->taken = true;
	if (!part->inner)
		return part->pending > 0;
	size_t count;
	stint_autofree uint32_t *members = members_of(group, index, &count);
	const uint32_t lacks = part->met < part->need ? part->need - part->met : 1;
	uint32_t given = 0;
	for (size_t at = 0; at < count && given < lacks; at++)
		given += take(group, members[at]);
	return given > 0;
}

/* kai-engine 4.2 */
static int role_of(const struct stint_pod *pod)
{
	const char *job = stint_object_label(&pod->meta, "training.kubeflow.org/job-role");
	const char *ray = stint_object_label(&pod->meta, "ray.io/node-type");
	if (job && (strcmp(job, "master") == 0 || strcmp(job, "launcher") == 0))
		return 0;
	return ray && strcmp(ray, "head") == 0 ? 1 : 2;
}

static bool task_priority_of(const struct stint_pod *pod, int64_t *priority)
{
	const char *text = stint_object_label(&pod->meta, "kai.scheduler/task-priority");
	*priority = 0;
	return text && stint_parse_int(text, INT32_MIN, INT32_MAX, priority);
}

static int by_place(const void *left, const void *right)
{
	const struct stint_pod *a = *(const struct stint_pod *const *)left, *b = *(const struct stint_pod *const *)right;
	int64_t p, q;
	const bool a_says = task_priority_of(a, &p), b_says = task_priority_of(b, &q);
	const int roles = role_of(a) - role_of(b);
	if (roles)
		return roles;
	if (a_says != b_says)
		return a_says ? -1 : 1;
	if (p != q)
		return p > q ? -1 : 1;
	if (a->meta.created_ms != b->meta.created_ms)
		return a->meta.created_ms < b->meta.created_ms ? -1 : 1;
	return strcmp(a->meta.uid ? a->meta.uid : a->meta.name, b->meta.uid ? b->meta.uid : b->meta.name);
}

static double gpus_of(const struct stint_gpu_ask *ask, int64_t least_mib)
{
	if (ask->kind == STINT_GPU_MEMORY)
		return least_mib > 0 ? (double)(ask->memory_mib * ask->devices) / (double)least_mib : 0;
	return ask->kind == STINT_GPU_NONE ? 0 : ask->portion * ask->devices;
}

static void add_pod(double step[static STINT_DIMENSIONS], const struct stint_pod *pod, int64_t least_mib)
{
	step[STINT_CPU] += (double)pod->spec->request.cpu_milli;
	step[STINT_MEMORY] += (double)pod->spec->request.memory_bytes;
	step[STINT_GPU] += gpus_of(&pod->spec->gpu, least_mib);
}

static uint8_t elastic_of(const struct group *group)
{
	bool above = false;
	for (uint32_t at = 0; at < group->count; at++) {
		const struct part *part = &group->parts[at];
		if (!part->inner && part->active < part->need)
			return 0;
		above |= !part->inner && part->active > part->need;
	}
	return above ? 2 : 1;
}

struct tui_turn tui_turn_of(const struct stint_grouping *grouping, const struct stint_pod **pods, size_t count, int64_t succeeded,
	int64_t least_mib, int64_t now_ms)
{
	STINT_CLEANUP(stint_subgroups_clear) struct stint_subgroups specs = {0};
	struct group group = {0};
	struct tui_turn turn = {0};
	if (count > 1)
		qsort(pods, count, sizeof *pods, by_place);
	if (stint_grouping_parts(grouping, &specs, NULL) && specs.count) {
		if (!stint_grouping_has_parts(grouping))
			stint_subgroups_lower(&specs, "default", succeeded);
		make_parts(&group, &specs);
	} else {
		make_plain(&group, (uint32_t)stint_grouping_minimum(stint_grouping_needs(grouping), succeeded));
	}
	count_pods(&group, grouping, pods, count, now_ms);
	sum_up(&group);
	turn.elastic = elastic_of(&group);
	turn.tried = is_ready(&group.parts[0]) && take(&group, 0);
	stint_autofree uint32_t *left = stint_alloc((group.count + 1) * sizeof *left);
	for (uint32_t at = 0; turn.tried && at < group.count; at++) {
		const struct part *part = &group.parts[at];
		if (part->taken && !part->inner)
			left[at] = part->active < part->need ? part->need - part->active : 1;
	}
	for (size_t at = 0; turn.tried && at < count; at++) {
		const uint32_t part = group.part_of[at];
		if (part == group.count || !left[part] || stint_pod_ended(pods[at]) ||
			stint_engine_pod_status_of(pods[at], now_ms, STINT_STUCK_AFTER_MS) != STINT_POD_PENDING)
			continue;
		add_pod(turn.step, pods[at], least_mib);
		left[part]--;
	}
	stint_map_free(group.by_name);
	free(group.parts);
	free(group.part_of);
	return turn;
}
