/*
 * settle: what came in since the last cycle, into the engine. A pod goes there only by settle_pod and a group by settle_group.
 */
#include "state.h"

#include <stint/model_roles.h>

#include <stdlib.h>
#include <string.h>

/* Handles are small and used again, so arrays find what they stand for. A place that nothing stands for is NULL. */
static void remember(void *array, size_t *capacity, uint32_t handle, void *value)
{
	void **items = NULL;
	const size_t before = *capacity;
	stint_grow(array, capacity, (size_t)handle + 1, sizeof(void *));
	memcpy(&items, array, sizeof(items));
	if (*capacity > before)
		memset(items + before, 0, (*capacity - before) * sizeof(void *));
	items[handle] = value;
}

/* ---- groups ---------------------------------------------------------------------------------------------------------------------- */

void stint_mirror_mark_group(struct stint_mirror *mirror, struct stint_mirror_group *group)
{
	if (group->dirty)
		return;
	group->dirty = true;
	group->next_dirty = mirror->marked;
	mirror->marked = group;
}

struct stint_mirror_group *stint_mirror_take_marked(struct stint_mirror *mirror)
{
	struct stint_mirror_group *group = mirror->marked;
	if (group) {
		mirror->marked = group->next_dirty;
		group->dirty = false;
		group->next_dirty = NULL;
	}
	return group;
}

void mirror_free_group(void *value)
{
	struct stint_mirror_group *group = value;
	free(group->key);
	free(group->space);
	free(group->workload_kind);
	free(group->workload_name);
	free(group->problem);
	stint_map_free(group->succeeded_parts);
	free(group);
}

static void end_group(struct stint_mirror *mirror, struct stint_mirror_group *group)
{
	for (struct stint_mirror_group **at = &mirror->marked; group->dirty && *at; at = &(*at)->next_dirty) {
		if (*at == group) {
			*at = group->next_dirty;
			break;
		}
	}
	if (group->handle != STINT_NO_HANDLE) {
		stint_engine_group_remove(mirror->engine, group->handle);
		mirror->groups_by_handle[group->handle] = NULL;
	}
	mirror->gone_owners -= group->owner_gone;
	stint_map_remove(mirror->groups, group->key);
}

void mirror_leave_group(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
{
	struct stint_mirror_group *group = pod->group;
	if (!group)
		return;
	if (pod->previous_in_group)
		pod->previous_in_group->next_in_group = pod->next_in_group;
	else
		group->first = pod->next_in_group;
	if (pod->next_in_group)
		pod->next_in_group->previous_in_group = pod->previous_in_group;
	pod->group = NULL;
	pod->next_in_group = pod->previous_in_group = NULL;
	const bool last_late = pod->late && --group->late_members == 0;
	pod->late = false;
	if (--group->members == 0)
		end_group(mirror, group);
	else if (last_late) /* nobody waits for such pods any more */
		mirror_mark_dirty(mirror, group->first);
}

static void join_group(struct stint_mirror_group *group, struct stint_mirror_pod *pod, bool late)
{
	pod->group = group;
	pod->late = late;
	group->late_members += late;
	pod->next_in_group = group->first;
	if (group->first)
		group->first->previous_in_group = pod;
	group->first = pod;
	group->members++;
}

/* What comes late is a matter of its owner, which may change its mind, and of what the pod says of itself. */
static void stay_in_group(struct stint_mirror *mirror, struct stint_mirror_pod *pod, bool late)
{
	if (pod->late == late)
		return;
	struct stint_mirror_group *group = pod->group;
	pod->late = late;
	if (late)
		group->late_members++;
	else if (--group->late_members == 0) /* as when the last of them leaves */
		mirror_mark_dirty(mirror, group->first);
}

/* Job.status.succeeded outlives the pods that it counts; the pods tell it sooner. */
static int64_t succeeded_of(const struct stint_mirror_group *group)
{
	return group->succeeded_pods > group->succeeded_job ? group->succeeded_pods : group->succeeded_job;
}

static void count_succeeded(struct stint_mirror_group *group, const char *part)
{
	group->succeeded_pods++;
	if (!part)
		return;
	if (!group->succeeded_parts)
		group->succeeded_parts = stint_map_new(NULL);
	const uintptr_t before = (uintptr_t)stint_map_get(group->succeeded_parts, part);
	stint_map_set(group->succeeded_parts, part, (void *)(before + 1));
}

/* Its parts, less what has ended well; group->problem says when its sub-groups make no tree. */
static void read_parts(struct stint_mirror_group *group, const struct stint_grouping *grouping, struct stint_subgroups *out)
{
	struct stint_error *problem = NULL;
	free(group->problem);
	group->problem = NULL;
	if (!stint_grouping_parts(grouping, out, &problem)) {
		group->problem = stint_strdup(problem->message);
		stint_error_clear(&problem);
		return;
	}
	if (!stint_grouping_has_parts(grouping)) {
		stint_subgroups_lower(out, "default", succeeded_of(group));
		return;
	}
	const char *part = NULL;
	void *count = NULL;
	for (size_t at = 0; group->succeeded_parts && stint_map_next(group->succeeded_parts, &at, &part, &count);)
		stint_subgroups_lower(out, part, (int64_t)(uintptr_t)count);
}

/* The group of that grouping, made when new, with the engine told what it is now. */
static struct stint_mirror_group *settle_group(struct stint_mirror *mirror, struct stint_grouping *grouping, const struct stint_pod *pod)
{
	struct stint_mirror_group *group = stint_map_get(mirror->groups, grouping->key);
	if (!group) {
		group = stint_alloc(sizeof(*group));
		*group = (struct stint_mirror_group){.key = stint_strdup(grouping->key),
			.space = stint_strdup(grouping->space),
			.workload_kind = stint_strdup(grouping->workload_kind),
			.workload_name = stint_strdup(grouping->workload_name),
			.handle = STINT_NO_HANDLE};
		stint_map_set(mirror->groups, group->key, group);
	}
	if (pod->started_ms > 0 && (group->started_ms == 0 || pod->started_ms < group->started_ms))
		group->started_ms = pod->started_ms;
	const struct stint_owner *job = stint_catalog_owner(mirror->catalog, grouping->uid);
	group->succeeded_job = job && job->succeeded > 0 ? job->succeeded : 0;
	grouping->late_seen = grouping->late_seen || group->late_members > 0;
	group->minimum = stint_grouping_needs(grouping);
	group->of_set = grouping->roles && grouping->roles->roles->size > 0;
	STINT_CLEANUP(stint_subgroups_clear) struct stint_subgroups parts = {0};
	read_parts(group, grouping, &parts);
	size_t pools_count;
	char **pools = stint_pools_split(grouping->pools, &pools_count);
	const struct stint_group_spec spec = {.key = group->key,
		.queue = grouping->queue,
		.priority = grouping->priority,
		.preemptible = grouping->preemptible,
		.created_ms = grouping->created_ms,
		.time_ms = grouping->time_ms,
		.preemption_delay_ms = grouping->preemption_delay_ms,
		.has_stale_grace = grouping->has_stale_grace,
		.stale_grace_ms = grouping->stale_grace_ms,
		.started_ms = group->started_ms,
		.some_succeeded = succeeded_of(group) > 0,
		.min_member = (uint32_t)stint_grouping_minimum(group->minimum, succeeded_of(group)),
		.parts = parts.parts,
		.parts_count = parts.count,
		.pools = (const char *const *)pools,
		.pools_count = (uint32_t)pools_count};
	group->handle = stint_engine_group_upsert(mirror->engine, &spec);
	stint_strings_free(pools);
	remember(&mirror->groups_by_handle, &mirror->groups_by_handle_capacity, group->handle, group);
	return group;
}

/* ---- pods into the engine ----------------------------------------------------------------------------------------------------------- */

void mirror_take_from_engine(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
{
	if (pod->handle == STINT_NO_HANDLE)
		return;
	stint_engine_pod_remove(mirror->engine, pod->pod->meta.uid);
	mirror->pods_by_handle[pod->handle] = NULL;
	pod->handle = STINT_NO_HANDLE;
	if (pod->group)
		stint_mirror_mark_group(mirror, pod->group);
}

/* Where it goes in the engine, and what of it is known beside its object. */
struct place {
	uint32_t group;
	const char *part;
	struct stint_reach *reach;
};

static void give_to_engine(struct stint_mirror *mirror, struct stint_mirror_pod *pod, const struct place *place, int64_t now_ms)
{
	struct stint_pod_facts facts = {.pod = pod->pod, .group = place->group, .part = place->part, .reach = place->reach};
	facts.status = stint_engine_pod_status_of(pod->pod, now_ms, STINT_STUCK_AFTER_MS);
	const bool held = pod->hold == STINT_HOLD_WIRING || pod->hold == STINT_HOLD_BACKOFF || pod->hold == STINT_HOLD_VOLUMES;
	if (held && facts.status == STINT_POD_PENDING)
		facts.status = STINT_POD_GATED;
	if (pod->pod->node) {
		facts.devices = stint_engine_pod_devices_of(pod->pod);
		if (!facts.devices)
			facts.devices = kai_groups_slot(mirror->kai, mirror->engine, pod->pod);
		facts.holder = kai_groups_is_reservation(pod->pod);
	}
	facts.rezoned = pod->pod->node && mirror_zones_changed(pod);
	pod->handle = mirror_upsert_with_zones(mirror->engine, &facts);
	remember(&mirror->pods_by_handle, &mirror->pods_by_handle_capacity, pod->handle, pod);
}

/*
 * Whether its owner was there and has been deleted: the pod goes, too, unless it is given up, which changes its grouping. That also changes where
 * only a LeaderWorkerSet told of whose group the pod is.
 */
static bool is_left_over(const struct stint_mirror_pod *pod, const struct stint_grouping *grouping)
{
	if (!pod->group || !pod->group->owner_gone)
		return false;
	return strcmp(pod->group->key, grouping->key) == 0 || (pod->group->of_set && !grouping->roles && pod->pod->meta.owner.kind);
}

static enum stint_hold hold_of(
	const struct stint_mirror *mirror, const struct stint_mirror_pod *pod, const struct stint_grouping *grouping, int64_t now_ms)
{
	if (pod->pod->node)
		return STINT_HOLD_NONE;
	if (is_left_over(pod, grouping)) /* a bind under way keeps its place assumed until its outcome is certain */
		return pod->bind ? STINT_HOLD_NONE : STINT_HOLD_OWNER;
	if (grouping->wait == STINT_GROUPING_NEEDS_OWNER)
		return STINT_HOLD_OWNER;
	if (grouping->wait == STINT_GROUPING_NEEDS_POD_GROUP)
		return STINT_HOLD_POD_GROUP;
	const bool only_real = mirror->virtual_nodes == 0 && mirror->real_nodes > 0;
	if (mirror_asks_for_share(pod->pod) && !pod->pod->spec->gpu_wired && (only_real || pod->refused_wiring))
		return STINT_HOLD_WIRING;
	return pod->held_until_ms > now_ms ? STINT_HOLD_BACKOFF : STINT_HOLD_NONE;
}

/* It is of a pool that another scheduler serves. */
static bool is_elsewhere(const struct stint_mirror *mirror, const struct stint_grouping *grouping)
{
	if (!mirror->pool)
		return false;
	size_t count;
	char **pools = stint_pools_split(grouping->pools, &count);
	const char *pool = grouping->pool ? grouping->pool : count ? pools[0] : STINT_DEFAULT_POOL;
	const bool elsewhere = strcmp(pool, mirror->pool) != 0;
	stint_strings_free(pools);
	return elsewhere;
}

/* The place of a bind under way is assumed until its outcome is certain, whatever is said of its pod meanwhile. */
static bool keeps_place(const struct stint_mirror_pod *pod)
{
	return pod->bind && pod->group && pod->handle != STINT_NO_HANDLE && !pod->pod->node;
}

/* It would leave its group or the engine by this. */
static bool would_leave(const struct stint_mirror *mirror, const struct stint_mirror_pod *pod, const struct stint_grouping *grouping)
{
	return strcmp(pod->group->key, grouping->key) != 0 || is_elsewhere(mirror, grouping) ||
		grouping->wait == STINT_GROUPING_NEEDS_OWNER || grouping->wait == STINT_GROUPING_NEEDS_POD_GROUP;
}

static void settle_foreign(struct stint_mirror *mirror, struct stint_mirror_pod *pod, bool uses_nothing, int64_t now_ms)
{
	if (uses_nothing || !pod->pod->node)
		mirror_take_from_engine(mirror, pod);
	else
		give_to_engine(mirror, pod, &(struct place){.group = STINT_NO_HANDLE}, now_ms);
}

/* What its volumes and config maps ask; one that has its node may still be moved, and its volumes with it. */
static void look_at_volumes(struct stint_mirror *mirror, struct stint_mirror_pod *pod, struct stint_volumes_answer *out)
{
	stint_volumes_look(mirror->volumes, pod->pod, out);
	free(pod->lack);
	pod->lack = NULL;
	pod->lack_word = NULL;
	if (!out->word || pod->pod->node || (pod->hold != STINT_HOLD_NONE && pod->hold != STINT_HOLD_BACKOFF))
		return;
	pod->hold = STINT_HOLD_VOLUMES;
	pod->lack = stint_steal(&out->sentence);
	pod->lack_word = out->word;
}

static void settle_ours(struct stint_mirror *mirror, struct stint_mirror_pod *pod, bool uses_nothing, int64_t now_ms)
{
	struct stint_grouping grouping;
	stint_group_pod(mirror->catalog, pod->pod, &grouping);
	const bool keeps = !uses_nothing && keeps_place(pod);
	pod->put_off = keeps && !is_left_over(pod, &grouping) && would_leave(mirror, pod, &grouping);
	if (pod->put_off) {
		stint_grouping_clear(&grouping);
		return;
	}
	pod->hold = hold_of(mirror, pod, &grouping, now_ms);
	const bool left_over = is_left_over(pod, &grouping);
	STINT_CLEANUP(stint_volumes_answer_clear) struct stint_volumes_answer volumes = {0};
	look_at_volumes(mirror, pod, &volumes);
	if (pod->hold == STINT_HOLD_OWNER && !left_over && mirror->hooks.owner_missing)
		mirror->hooks.owner_missing(mirror->hooks.user, stint_owners_of(mirror->catalog, pod->pod).missing, pod->pod->meta.space);

	struct stint_mirror_group *former = pod->group;
	if (pod->hold != STINT_HOLD_OWNER && !left_over && is_elsewhere(mirror, &grouping)) {
		if (former)
			mirror_take_from_engine(mirror, pod);
		mirror_leave_group(mirror, pod);
		settle_foreign(mirror, pod, uses_nothing, now_ms);
		stint_grouping_clear(&grouping);
		return;
	}
	const bool late = grouping.late > 0 && grouping.late_seen;
	/* Without the owner nothing tells the gang's minimum: it stays as it was. */
	struct stint_mirror_group *group = left_over && former ? former : settle_group(mirror, &grouping, pod->pod);
	stint_autofree char *part = stint_grouping_part(&grouping, pod->pod);
	pod->put_off = keeps && (left_over || group->problem);
	if (group->problem && !keeps && !pod->pod->node && pod->hold != STINT_HOLD_OWNER)
		pod->hold = stint_grouping_has_segments(&grouping) ? STINT_HOLD_SEGMENTS : STINT_HOLD_SUBGROUPS;
	if (former != group) {
		/* Its former group may end by this, which the engine allows to empty groups alone. */
		if (former)
			mirror_take_from_engine(mirror, pod);
		mirror_leave_group(mirror, pod);
		join_group(group, pod, late);
	} else if (!left_over) {
		stay_in_group(mirror, pod, late);
	}
	if (stint_pod_ended(pod->pod) && !pod->end_noted) {
		pod->end_noted = true;
		mirror_note_end(mirror, pod->pod, now_ms);
	}
	if (pod->pod->phase == STINT_PHASE_SUCCEEDED && !pod->counted) {
		pod->counted = true;
		count_succeeded(group, part);
		if (!left_over)
			settle_group(mirror, &grouping, pod->pod);
	}
	if (uses_nothing || pod->hold == STINT_HOLD_OWNER || pod->hold == STINT_HOLD_POD_GROUP || pod->hold == STINT_HOLD_SUBGROUPS ||
		pod->hold == STINT_HOLD_SEGMENTS)
		mirror_take_from_engine(mirror, pod);
	else
		give_to_engine(mirror, pod, &(struct place){group->handle, part, volumes.reach}, now_ms);
	stint_mirror_mark_group(mirror, group);
	stint_grouping_clear(&grouping);
}

static void settle_pod(struct stint_mirror *mirror, struct stint_mirror_pod *pod, int64_t now_ms)
{
	/* A pod that is deleted before it has a node never gets one: the API server refuses to bind it. */
	const bool uses_nothing = stint_pod_ended(pod->pod) || (pod->pod->meta.deleted_ms >= 0 && !pod->pod->node);
	if (uses_nothing && mirror->hooks.pod_gone)
		mirror->hooks.pod_gone(mirror->hooks.user, pod);
	if (pod->ours)
		settle_ours(mirror, pod, uses_nothing, now_ms);
	else
		settle_foreign(mirror, pod, uses_nothing, now_ms);
}

static bool is_of_new_set(const struct stint_mirror *mirror, const struct stint_pod *pod)
{
	const char *set = stint_map_count(mirror->new_sets) ? stint_object_label(&pod->meta, "leaderworkerset.sigs.k8s.io/name") : NULL;
	stint_autofree char *key = set ? stint_format("%s/%s", pod->meta.space, set) : NULL;
	return key && stint_map_has(mirror->new_sets, key);
}

static bool concerns(const struct stint_mirror *mirror, const struct stint_mirror_pod *pod)
{
	return mirror->look_at_all || (mirror->look_at_held && pod->hold == STINT_HOLD_OWNER) ||
		(mirror->look_at_lacking && pod->hold == STINT_HOLD_VOLUMES) ||
		(mirror->look_at_volumes && !pod->pod->node && stint_volumes_concern(mirror->volumes, pod->pod)) ||
		is_of_new_set(mirror, pod->pod);
}

void stint_mirror_settle(struct stint_mirror *mirror, int64_t now_ms)
{
	if (mirror->look_at_all || mirror->look_at_held || mirror->look_at_volumes || mirror->look_at_lacking ||
		stint_map_count(mirror->new_sets)) {
		void *value = NULL;
		for (size_t at = 0; stint_map_next(mirror->pods, &at, NULL, &value);) {
			struct stint_mirror_pod *pod = value;
			if (pod->ours && concerns(mirror, pod))
				mirror_mark_dirty(mirror, pod);
		}
		mirror->look_at_all = mirror->look_at_held = mirror->look_at_volumes = mirror->look_at_lacking = false;
		stint_map_clear(mirror->new_sets);
		stint_volumes_settled(mirror->volumes);
	}
	for (size_t i = 0; i < mirror->dirty_count; i++) {
		mirror->dirty[i]->dirty = false;
		settle_pod(mirror, mirror->dirty[i], now_ms);
	}
	mirror->dirty_count = 0;
	mirror_settle_losses(mirror, now_ms);
}

void stint_mirror_age(struct stint_mirror *mirror, int64_t now_ms)
{
	void *value = NULL;
	for (size_t at = 0; stint_map_next(mirror->pods, &at, NULL, &value);) {
		struct stint_mirror_pod *pod = value;
		if (pod->pod->meta.deleted_ms >= 0 || (pod->hold == STINT_HOLD_BACKOFF && pod->held_until_ms <= now_ms))
			mirror_mark_dirty(mirror, pod);
	}
	if (mirror->dirty_count)
		mirror_changed(mirror);
}
