/*
 * mirror: objects in, engine state out. See mirror.h.
 *
 * State: the catalog, pods by uid, groups by key, and what is dirty. A pod is put into the engine only by settle_pod, and a group by
 * settle_group, so that between two cycles any number of changes to one pod costs one update. Invariants: a pod that the engine has is
 * in pods_by_handle; a group exists exactly while it has members.
 */
#include <scheduler/mirror.h>

#include <scheduler/holder_pod.h>
#include <scheduler/kai_groups.h>
#include <stint/grouping.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stint_mirror {
	struct stint_engine *engine;
	char *const *names;
	struct stint_mirror_hooks hooks;
	struct stint_catalog *catalog;
	struct stint_kai_groups *kai;
	struct stint_map *pods; /* by uid */
	struct stint_map *groups; /* by key */
	struct stint_mirror_pod **pods_by_handle;
	size_t pods_by_handle_capacity;
	struct stint_mirror_group **groups_by_handle;
	size_t groups_by_handle_capacity;
	struct stint_mirror_pod **dirty;
	size_t dirty_count, dirty_capacity;
	struct stint_mirror_group *marked; /* a stack by next_dirty */
	bool look_at_all; /* something that grouping depends on has changed for everybody */
	bool look_at_held; /* an owner has come */
	struct stint_map *gpu_nodes; /* names of nodes with GPUs; the value says which kind */
	size_t virtual_nodes, real_nodes; /* among them */
};

/* ---- small helpers ------------------------------------------------------------------------------------------------------------- */

static void changed(struct stint_mirror *mirror)
{
	mirror->hooks.changed(mirror->hooks.user);
}

static void mark_dirty(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
{
	if (pod->dirty)
		return;
	pod->dirty = true;
	stint_grow(&mirror->dirty, &mirror->dirty_capacity, mirror->dirty_count + 1, sizeof(*mirror->dirty));
	mirror->dirty[mirror->dirty_count++] = pod;
}

static void forget_dirty(struct stint_mirror *mirror, const struct stint_mirror_pod *pod)
{
	for (size_t i = 0; pod->dirty && i < mirror->dirty_count; i++) {
		if (mirror->dirty[i] == pod)
			mirror->dirty[i] = mirror->dirty[--mirror->dirty_count];
	}
}

static bool is_served(const struct stint_mirror *mirror, const struct stint_pod *pod)
{
	for (char *const *name = mirror->names; *name; name++) {
		if (pod->spec->scheduler_name && strcmp(*name, pod->spec->scheduler_name) == 0)
			return true;
	}
	return false;
}

static bool asks_for_share(const struct stint_pod *pod)
{
	return pod->spec->gpu.kind == STINT_GPU_FRACTION || pod->spec->gpu.kind == STINT_GPU_MEMORY;
}

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

static void free_group(void *value)
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
	stint_map_remove(mirror->groups, group->key);
}

static void leave_group(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
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
	if (--group->members == 0)
		end_group(mirror, group);
}

static void join_group(struct stint_mirror_group *group, struct stint_mirror_pod *pod)
{
	pod->group = group;
	pod->next_in_group = group->first;
	if (group->first)
		group->first->previous_in_group = pod;
	group->first = pod;
	group->members++;
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
	if (!stint_subgroups_read(out, grouping->pod_group, &grouping->constraint, group->minimum, &problem)) {
		group->problem = stint_strdup(problem->message);
		stint_error_clear(&problem);
		return;
	}
	if (!grouping->pod_group || !grouping->pod_group->subgroups_count) {
		stint_subgroups_lower(out, "default", succeeded_of(group));
		return;
	}
	const char *part = NULL;
	void *count = NULL;
	for (size_t at = 0; group->succeeded_parts && stint_map_next(group->succeeded_parts, &at, &part, &count);)
		stint_subgroups_lower(out, part, (int64_t)(uintptr_t)count);
}

/* The group of that grouping, made when new, with the engine told what it is now. */
static struct stint_mirror_group *settle_group(
	struct stint_mirror *mirror, const struct stint_grouping *grouping, const struct stint_pod *pod)
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
	group->minimum = grouping->minimum;
	STINT_CLEANUP(stint_subgroups_clear) struct stint_subgroups parts = {0};
	read_parts(group, grouping, &parts);
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
		.parts_count = parts.count};
	group->handle = stint_engine_group_upsert(mirror->engine, &spec);
	remember(&mirror->groups_by_handle, &mirror->groups_by_handle_capacity, group->handle, group);
	return group;
}

/* ---- pods into the engine ----------------------------------------------------------------------------------------------------------- */

static void take_from_engine(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
{
	if (pod->handle == STINT_NO_HANDLE)
		return;
	stint_engine_pod_remove(mirror->engine, pod->pod->meta.uid);
	mirror->pods_by_handle[pod->handle] = NULL;
	pod->handle = STINT_NO_HANDLE;
	if (pod->group)
		stint_mirror_mark_group(mirror, pod->group);
}

static void give_to_engine(struct stint_mirror *mirror, struct stint_mirror_pod *pod, uint32_t group, const char *part, int64_t now_ms)
{
	struct stint_pod_facts facts = {.pod = pod->pod, .group = group, .part = part};
	facts.status = stint_engine_pod_status_of(pod->pod, now_ms, STINT_STUCK_AFTER_MS);
	if ((pod->hold == STINT_HOLD_WIRING || pod->hold == STINT_HOLD_BACKOFF) && facts.status == STINT_POD_PENDING)
		facts.status = STINT_POD_GATED;
	if (pod->pod->node) {
		facts.devices = stint_engine_pod_devices_of(pod->pod);
		if (!facts.devices)
			facts.devices = stint_kai_groups_slot(mirror->kai, mirror->engine, pod->pod);
		facts.holder = stint_kai_groups_is_reservation(pod->pod);
	}
	pod->handle = stint_engine_pod_upsert(mirror->engine, &facts);
	remember(&mirror->pods_by_handle, &mirror->pods_by_handle_capacity, pod->handle, pod);
}

static enum stint_hold hold_of(
	const struct stint_mirror *mirror, const struct stint_mirror_pod *pod, const struct stint_grouping *grouping, int64_t now_ms)
{
	if (pod->pod->node)
		return STINT_HOLD_NONE;
	if (grouping->wait == STINT_GROUPING_NEEDS_OWNER)
		return STINT_HOLD_OWNER;
	if (grouping->wait == STINT_GROUPING_NEEDS_POD_GROUP)
		return STINT_HOLD_POD_GROUP;
	const bool only_real = mirror->virtual_nodes == 0 && mirror->real_nodes > 0;
	if (asks_for_share(pod->pod) && !pod->pod->spec->gpu_wired && (only_real || pod->refused_wiring))
		return STINT_HOLD_WIRING;
	return pod->held_until_ms > now_ms ? STINT_HOLD_BACKOFF : STINT_HOLD_NONE;
}

static void settle_ours(struct stint_mirror *mirror, struct stint_mirror_pod *pod, bool uses_nothing, int64_t now_ms)
{
	struct stint_grouping grouping;
	stint_group_pod(mirror->catalog, pod->pod, &grouping);
	pod->hold = hold_of(mirror, pod, &grouping, now_ms);
	if (pod->hold == STINT_HOLD_OWNER && mirror->hooks.owner_missing)
		mirror->hooks.owner_missing(mirror->hooks.user, stint_owners_of(mirror->catalog, pod->pod).missing, pod->pod->meta.space);

	struct stint_mirror_group *former = pod->group;
	struct stint_mirror_group *group = settle_group(mirror, &grouping, pod->pod);
	const char *part = grouping.pod_group ? stint_object_label(&pod->pod->meta, "kai.scheduler/subgroup-name") : NULL;
	if (group->problem && !pod->pod->node && pod->hold != STINT_HOLD_OWNER)
		pod->hold = STINT_HOLD_SUBGROUPS;
	if (former != group) {
		if (former)
			take_from_engine(mirror, pod); /* its former group may end by this, which the engine allows to empty groups alone */
		leave_group(mirror, pod);
		join_group(group, pod);
	}
	if (pod->pod->phase == STINT_PHASE_SUCCEEDED && !pod->counted) {
		pod->counted = true;
		count_succeeded(group, part);
		settle_group(mirror, &grouping, pod->pod);
	}
	if (uses_nothing || pod->hold == STINT_HOLD_OWNER || pod->hold == STINT_HOLD_POD_GROUP || pod->hold == STINT_HOLD_SUBGROUPS)
		take_from_engine(mirror, pod);
	else
		give_to_engine(mirror, pod, group->handle, part, now_ms);
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
	else if (uses_nothing)
		take_from_engine(mirror, pod);
	else
		give_to_engine(mirror, pod, STINT_NO_HANDLE, NULL, now_ms);
}

void stint_mirror_settle(struct stint_mirror *mirror, int64_t now_ms)
{
	if (mirror->look_at_all || mirror->look_at_held) {
		void *value = NULL;
		for (size_t at = 0; stint_map_next(mirror->pods, &at, NULL, &value);) {
			struct stint_mirror_pod *pod = value;
			if (pod->ours && (mirror->look_at_all || pod->hold == STINT_HOLD_OWNER))
				mark_dirty(mirror, pod);
		}
		mirror->look_at_all = mirror->look_at_held = false;
	}
	for (size_t i = 0; i < mirror->dirty_count; i++) {
		mirror->dirty[i]->dirty = false;
		settle_pod(mirror, mirror->dirty[i], now_ms);
	}
	mirror->dirty_count = 0;
}

void stint_mirror_age(struct stint_mirror *mirror, int64_t now_ms)
{
	void *value = NULL;
	for (size_t at = 0; stint_map_next(mirror->pods, &at, NULL, &value);) {
		struct stint_mirror_pod *pod = value;
		if (pod->pod->meta.deleted_ms >= 0 || (pod->hold == STINT_HOLD_BACKOFF && pod->held_until_ms <= now_ms))
			mark_dirty(mirror, pod);
	}
	if (mirror->dirty_count)
		changed(mirror);
}

/* ---- changes of pods ------------------------------------------------------------------------------------------------------------------ */

static void free_pod(void *value)
{
	struct stint_mirror_pod *pod = value;
	stint_object_unref(&pod->pod->meta);
	free(pod->note);
	free(pod);
}

static bool is_holder(const struct stint_pod *pod)
{
	return pod->meta.space && strcmp(pod->meta.space, STINT_RESERVATION_NAMESPACE) == 0 &&
		stint_object_annotation(&pod->meta, STINT_ANNOTATION_SLOT);
}

/* The condition that an instance before us may have written: "Word: sentence". */
static void read_told(struct stint_mirror_pod *pod)
{
	pod->told[0] = '\0';
	const char *message = pod->pod->scheduled_message;
	if (pod->pod->scheduled != STINT_FALSE || !message)
		return;
	const size_t length = strspn(message, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	if (length > 0 && length < sizeof(pod->told) && message[length] == ':')
		snprintf(pod->told, sizeof(pod->told), "%.*s", (int)length, message);
}

static void put_pod(struct stint_mirror *mirror, struct stint_pod *object)
{
	if (is_holder(object)) /* holders.c keeps them in the engine */
		return;
	struct stint_mirror_pod *pod = stint_map_get(mirror->pods, object->meta.uid);
	const bool ours = is_served(mirror, object);
	if (!pod && !ours && (!object->node || stint_pod_ended(object)))
		return;
	if (!pod) {
		pod = stint_alloc(sizeof(*pod));
		pod->handle = STINT_NO_HANDLE;
		pod->ours = ours;
		pod->pod = (struct stint_pod *)stint_object_ref(&object->meta);
		read_told(pod);
		stint_map_set(mirror->pods, object->meta.uid, pod);
	} else {
		stint_object_ref(&object->meta);
		stint_object_unref(&pod->pod->meta);
		pod->pod = object;
	}
	mark_dirty(mirror, pod);
	changed(mirror);
}

static void remove_pod(struct stint_mirror *mirror, struct stint_pod *object)
{
	struct stint_mirror_pod *pod = stint_map_get(mirror->pods, object->meta.uid);
	if (!pod)
		return;
	take_from_engine(mirror, pod);
	leave_group(mirror, pod);
	if (mirror->hooks.pod_gone)
		mirror->hooks.pod_gone(mirror->hooks.user, pod);
	forget_dirty(mirror, pod);
	stint_map_remove(mirror->pods, object->meta.uid);
	changed(mirror);
}

void stint_mirror_refuse_wiring(struct stint_mirror *mirror, struct stint_mirror_pod *pod)
{
	pod->refused_wiring = true;
	mark_dirty(mirror, pod);
	changed(mirror);
}

int64_t stint_mirror_hold_back(struct stint_mirror *mirror, struct stint_mirror_pod *pod, int64_t now_ms)
{
	if (pod->failures < 6)
		pod->failures++;
	pod->held_until_ms = now_ms + (INT64_C(1000) << (pod->failures - 1));
	mark_dirty(mirror, pod);
	changed(mirror);
	return pod->held_until_ms;
}

void stint_mirror_pod_note(struct stint_mirror_pod *pod, const char *word, char *sentence)
{
	free(pod->note);
	pod->note_word = word;
	pod->note = sentence;
}

/* ---- changes of everything else --------------------------------------------------------------------------------------------------------- */

static void count_node(struct stint_mirror *mirror, const char *name, const struct stint_node *node)
{
	static char is_virtual, is_real;
	const size_t virtual_before = mirror->virtual_nodes, real_before = mirror->real_nodes;
	const void *before = stint_map_get(mirror->gpu_nodes, name);
	const void *after = node && node->gpu_count > 0 ? (node->is_virtual ? &is_virtual : &is_real) : NULL;
	if (before == after)
		return;
	if (before)
		*(before == &is_virtual ? &mirror->virtual_nodes : &mirror->real_nodes) -= 1;
	if (after)
		*(after == &is_virtual ? &mirror->virtual_nodes : &mirror->real_nodes) += 1;
	if (after)
		stint_map_set(mirror->gpu_nodes, name, after == &is_virtual ? &is_virtual : &is_real);
	else
		stint_map_remove(mirror->gpu_nodes, name);
	/* Pods without wiring may have a place now, or none any more. */
	if (virtual_before != mirror->virtual_nodes || (real_before == 0) != (mirror->real_nodes == 0)) {
		void *value = NULL;
		for (size_t at = 0; stint_map_next(mirror->pods, &at, NULL, &value);) {
			struct stint_mirror_pod *pod = value;
			if (!pod->ours || pod->pod->node || !asks_for_share(pod->pod) || pod->pod->spec->gpu_wired)
				continue;
			pod->refused_wiring = false;
			mark_dirty(mirror, pod);
		}
	}
}

static bool same_pairs(const struct stint_pairs *a, const struct stint_pairs *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->items[i].key != b->items[i].key || a->items[i].value != b->items[i].value)
			return false;
	}
	return true;
}

static void put_owner(struct stint_mirror *mirror, struct stint_owner *owner)
{
	const struct stint_owner *before = stint_catalog_owner(mirror->catalog, owner->meta.uid);
	const bool differs = before &&
		(!same_pairs(&before->meta.labels, &owner->meta.labels) ||
			!same_pairs(&before->meta.annotations, &owner->meta.annotations));
	const bool is_new = !before, more_succeeded = before && before->succeeded != owner->succeeded;
	stint_catalog_put(mirror->catalog, &owner->meta);
	if (differs)
		mirror->look_at_all = true;
	if (is_new)
		mirror->look_at_held = true;
	if (more_succeeded && owner->kind_name) {
		stint_autofree char *key =
			stint_format("%s/%s/%s/%s", owner->meta.space, owner->kind_name, owner->meta.name, owner->meta.uid);
		const struct stint_mirror_group *group = stint_map_get(mirror->groups, key);
		if (group && group->first)
			mark_dirty(mirror, group->first);
	}
	if (differs || is_new || more_succeeded)
		changed(mirror);
}

/* Texts of the model are one for one: equal ones have one address. */
static bool same_constraint(const struct stint_topology_constraint *a, const struct stint_topology_constraint *b)
{
	return a->topology == b->topology && a->required_level == b->required_level && a->preferred_level == b->preferred_level;
}

static bool same_subgroups(const struct stint_pod_group *a, const struct stint_pod_group *b)
{
	if (a->subgroups_count != b->subgroups_count || a->min_subgroup != b->min_subgroup ||
		!same_constraint(&a->constraint, &b->constraint))
		return false;
	for (uint32_t i = 0; i < a->subgroups_count; i++) {
		const struct stint_subgroup *x = &a->subgroups[i], *y = &b->subgroups[i];
		if (x->name != y->name || x->parent != y->parent || x->min_member != y->min_member || x->min_subgroup != y->min_subgroup ||
			!same_constraint(&x->constraint, &y->constraint))
			return false;
	}
	return true;
}

static bool same_group_object(const struct stint_pod_group *a, const struct stint_pod_group *b)
{
	return same_subgroups(a, b) && a->min_member == b->min_member && a->queue == b->queue && a->priority_class == b->priority_class &&
		a->preemptibility == b->preemptibility && a->meta.uid == b->meta.uid && same_pairs(&a->meta.labels, &b->meta.labels);
}

/* Whether the change of that object may change how pods are grouped. Asked before the catalog takes it in. */
static bool regroups(const struct stint_mirror *mirror, struct stint_object *object)
{
	switch (object->kind) {
	case STINT_KIND_QUEUE: return !stint_catalog_queue(mirror->catalog, object->name);
	case STINT_KIND_POD_GROUP: {
		const struct stint_pod_group *before = stint_catalog_pod_group(mirror->catalog, object->space, object->name);
		return !before || !same_group_object(before, stint_pod_group_of(object));
	}
	case STINT_KIND_PRIORITY_CLASS: {
		const struct stint_priority_class *before = stint_catalog_priority_class(mirror->catalog, object->name);
		const struct stint_priority_class *after = stint_priority_class_of(object);
		return !before || before->value != after->value || before->global_default != after->global_default;
	}
	case STINT_KIND_NAMESPACE:
		return stint_catalog_project(mirror->catalog, object->name) != stint_object_label(object, "stint.dev/project");
	case STINT_KIND_POD:
	case STINT_KIND_NODE:
	case STINT_KIND_EVENT:
	case STINT_KIND_TOPOLOGY:
	case STINT_KIND_RESOURCE_CLAIM:
	case STINT_KIND_RESOURCE_SLICE:
	case STINT_KIND_DEVICE_CLASS:
	case STINT_KIND_OWNER: break;
	}
	return false;
}

static void put_devices(struct stint_mirror *mirror, struct stint_object *object)
{
	if (object->kind == STINT_KIND_RESOURCE_CLAIM)
		stint_engine_claim_upsert(mirror->engine, stint_resource_claim_of(object));
	else if (object->kind == STINT_KIND_RESOURCE_SLICE)
		stint_engine_slice_upsert(mirror->engine, stint_resource_slice_of(object));
	else
		stint_engine_class_upsert(mirror->engine, stint_device_class_of(object));
	changed(mirror);
}

static void remove_devices(struct stint_mirror *mirror, const struct stint_object *object)
{
	if (object->kind == STINT_KIND_RESOURCE_CLAIM)
		stint_engine_claim_remove(mirror->engine, object->space, object->name);
	else if (object->kind == STINT_KIND_RESOURCE_SLICE)
		stint_engine_slice_remove(mirror->engine, object->name);
	else
		stint_engine_class_remove(mirror->engine, object->name);
	changed(mirror);
}

void stint_mirror_put(struct stint_mirror *mirror, struct stint_object *object)
{
	if (!object->uid) /* no API server sends such a thing, and everything here goes by it */
		return;
	switch (object->kind) {
	case STINT_KIND_POD: put_pod(mirror, stint_pod_of(object)); return;
	case STINT_KIND_OWNER: put_owner(mirror, stint_owner_of(object)); return;
	case STINT_KIND_NODE:
		stint_engine_node_upsert(mirror->engine, stint_node_of(object));
		count_node(mirror, object->name, stint_node_of(object));
		changed(mirror);
		return;
	case STINT_KIND_QUEUE:
	case STINT_KIND_POD_GROUP:
	case STINT_KIND_PRIORITY_CLASS:
	case STINT_KIND_NAMESPACE: break;
	case STINT_KIND_RESOURCE_CLAIM:
	case STINT_KIND_RESOURCE_SLICE:
	case STINT_KIND_DEVICE_CLASS: put_devices(mirror, object); return;
	case STINT_KIND_TOPOLOGY:
		stint_engine_topology_upsert(mirror->engine, stint_topology_of(object));
		changed(mirror);
		return;
	case STINT_KIND_EVENT: return;
	}
	const bool all = regroups(mirror, object);
	mirror->look_at_all = mirror->look_at_all || all;
	stint_catalog_put(mirror->catalog, object);
	if (object->kind == STINT_KIND_QUEUE)
		stint_engine_queue_upsert(mirror->engine, stint_queue_of(object));
	if (object->kind == STINT_KIND_NAMESPACE)
		stint_engine_space_upsert(mirror->engine, stint_space_of(object));
	if (all || object->kind == STINT_KIND_QUEUE || object->kind == STINT_KIND_NAMESPACE)
		changed(mirror);
}

void stint_mirror_remove(struct stint_mirror *mirror, struct stint_object *object)
{
	switch (object->kind) {
	case STINT_KIND_POD: remove_pod(mirror, stint_pod_of(object)); return;
	case STINT_KIND_NODE:
		stint_engine_node_remove(mirror->engine, object->name);
		count_node(mirror, object->name, NULL);
		changed(mirror);
		return;
	case STINT_KIND_RESOURCE_CLAIM:
	case STINT_KIND_RESOURCE_SLICE:
	case STINT_KIND_DEVICE_CLASS: remove_devices(mirror, object); return;
	case STINT_KIND_TOPOLOGY:
		stint_engine_topology_remove(mirror->engine, object->name);
		changed(mirror);
		return;
	case STINT_KIND_EVENT: return;
	case STINT_KIND_OWNER: stint_catalog_remove(mirror->catalog, object); return; /* its pods go by themselves */
	case STINT_KIND_QUEUE: stint_engine_queue_remove(mirror->engine, object->name); break;
	case STINT_KIND_NAMESPACE: stint_engine_space_remove(mirror->engine, object->name); break;
	case STINT_KIND_POD_GROUP:
	case STINT_KIND_PRIORITY_CLASS: break;
	}
	stint_catalog_remove(mirror->catalog, object);
	mirror->look_at_all = true;
	changed(mirror);
}

void stint_mirror_owner_absent(struct stint_mirror *mirror, const char *uid)
{
	stint_catalog_note_absent(mirror->catalog, uid);
	mirror->look_at_held = true;
	changed(mirror);
}

/* ---- life and look-ups -------------------------------------------------------------------------------------------------------------------- */

struct stint_mirror *stint_mirror_new(struct stint_engine *engine, char *const *names, const struct stint_mirror_hooks *hooks)
{
	struct stint_mirror *mirror = stint_alloc(sizeof(*mirror));
	mirror->engine = engine;
	mirror->names = names;
	mirror->hooks = *hooks;
	mirror->catalog = stint_catalog_new();
	mirror->kai = stint_kai_groups_new();
	mirror->pods = stint_map_new(free_pod);
	mirror->groups = stint_map_new(free_group);
	mirror->gpu_nodes = stint_map_new(NULL);
	return mirror;
}

void stint_mirror_free(struct stint_mirror *mirror)
{
	if (!mirror)
		return;
	stint_map_free(mirror->pods);
	stint_map_free(mirror->groups);
	stint_map_free(mirror->gpu_nodes);
	stint_catalog_free(mirror->catalog);
	stint_kai_groups_free(mirror->kai);
	free(mirror->pods_by_handle);
	free(mirror->groups_by_handle);
	free(mirror->dirty);
	free(mirror);
}

struct stint_catalog *stint_mirror_catalog(struct stint_mirror *mirror)
{
	return mirror->catalog;
}

struct stint_mirror_pod *stint_mirror_pod_by_uid(const struct stint_mirror *mirror, const char *uid)
{
	return stint_map_get(mirror->pods, uid);
}

struct stint_mirror_pod *stint_mirror_pod_by_handle(const struct stint_mirror *mirror, uint32_t handle)
{
	return handle < mirror->pods_by_handle_capacity ? mirror->pods_by_handle[handle] : NULL;
}

struct stint_mirror_group *stint_mirror_group_by_handle(const struct stint_mirror *mirror, uint32_t handle)
{
	return handle < mirror->groups_by_handle_capacity ? mirror->groups_by_handle[handle] : NULL;
}

bool stint_mirror_next_pod(const struct stint_mirror *mirror, size_t *at, struct stint_mirror_pod **pod)
{
	void *value = NULL;
	const bool more = stint_map_next(mirror->pods, at, NULL, &value);
	*pod = value;
	return more;
}

bool stint_mirror_next_group(const struct stint_mirror *mirror, size_t *at, struct stint_mirror_group **group)
{
	void *value = NULL;
	const bool more = stint_map_next(mirror->groups, at, NULL, &value);
	*group = value;
	return more;
}
