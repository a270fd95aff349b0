/*
 * objects: nodes, queues, owners, namespaces, priority classes, topologies, devices and volumes as they come: what each changes in the
 * engine at once, and which pods must be looked at again for it.
 */
#include "state.h"

#include <stint/model_roles.h>

#include <stdlib.h>
#include <string.h>

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
			if (!pod->ours || pod->pod->node || !mirror_asks_for_share(pod->pod) || pod->pod->spec->gpu_wired)
				continue;
			pod->refused_wiring = false;
			mirror_mark_dirty(mirror, pod);
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

/*
 * Goes through the groups of an owner; *at begins with 0. There is one at most, found at once, but for a LeaderWorkerSet, which has one for
 * each leader: O(groups).
 */
static struct stint_mirror_group *next_group_of(const struct stint_mirror *mirror, const struct stint_owner *owner, size_t *at)
{
	if (!owner->kind_name)
		return NULL;
	stint_autofree char *key = stint_format("%s/%s/%s/%s", owner->meta.space, owner->kind_name, owner->meta.name, owner->meta.uid);
	if (!owner->roles || owner->roles->size < 1)
		return (*at)++ == 0 ? stint_map_get(mirror->groups, key) : NULL;
	const size_t length = strlen(key);
	const char *found = NULL;
	void *value = NULL;
	while (stint_map_next(mirror->groups, at, &found, &value)) {
		if (strncmp(found, key, length) == 0 && (found[length] == '/' || found[length] == '\0'))
			return value;
	}
	return NULL;
}

static bool same_roles(const struct stint_roles *a, const struct stint_roles *b)
{
	if (!a || !b)
		return a == b;
	return a->total == b->total && a->masters == b->masters && a->workers == b->workers && a->launchers == b->launchers &&
		a->min_available == b->min_available && a->min_elastic == b->min_elastic && a->launcher_last == b->launcher_last &&
		a->size == b->size && a->subgroup_size == b->subgroup_size && a->leader_apart == b->leader_apart &&
		a->leader_first == b->leader_first;
}

/* Its workers know the set by name alone, so none of them has waited for it. Sets come by the hundred at a start: the next settling finds them. */
static void look_at_workers(struct stint_mirror *mirror, const struct stint_owner *set)
{
	static char there;
	stint_autofree char *key = stint_format("%s/%s", set->meta.space, set->meta.name);
	stint_map_set(mirror->new_sets, key, &there);
}

static void set_owner_gone(struct stint_mirror *mirror, struct stint_mirror_group *group, bool gone)
{
	if (group->owner_gone == gone)
		return;
	group->owner_gone = gone;
	if (gone)
		mirror->gone_owners++;
	else
		mirror->gone_owners--;
}

static void put_owner(struct stint_mirror *mirror, struct stint_owner *owner)
{
	const struct stint_owner *before = stint_catalog_owner(mirror->catalog, owner->meta.uid);
	const bool differs = before &&
		(!same_pairs(&before->meta.labels, &owner->meta.labels) || !same_roles(before->roles, owner->roles) ||
			!same_pairs(&before->meta.annotations, &owner->meta.annotations) ||
			(owner->roles && !same_pairs(&before->template_annotations, &owner->template_annotations)));
	const bool is_new = !before, more_succeeded = before && before->succeeded != owner->succeeded;
	stint_catalog_put(mirror->catalog, &owner->meta);
	if (differs)
		mirror->look_at_all = true;
	if (is_new)
		mirror->look_at_held = true;
	const bool is_set = owner->roles && owner->roles->size > 0;
	if (is_new && is_set)
		look_at_workers(mirror, owner);
	/* A set that is new has groups only where it was there before: spares the way through all of them. */
	const bool has_groups = more_succeeded || (is_new && (!is_set || mirror->gone_owners));
	struct stint_mirror_group *group = NULL;
	for (size_t at = 0; has_groups && (group = next_group_of(mirror, owner, &at));) {
		set_owner_gone(mirror, group, false);
		if (group->first)
			mirror_mark_dirty(mirror, group->first);
	}
	if (differs || is_new || more_succeeded)
		mirror_changed(mirror);
}

/* What is left of its pods goes by itself, a moment later: until then none of them is placed, and nobody loses a place for them. */
static void remove_owner(struct stint_mirror *mirror, const struct stint_object *object)
{
	const struct stint_owner *owner = stint_catalog_owner(mirror->catalog, object->uid);
	struct stint_mirror_group *group = NULL;
	for (size_t at = 0; owner && (group = next_group_of(mirror, owner, &at));) {
		set_owner_gone(mirror, group, true);
		for (struct stint_mirror_pod *pod = group->first; pod; pod = pod->next_in_group)
			mirror_mark_dirty(mirror, pod);
		mirror_changed(mirror);
	}
	stint_map_remove(mirror->lost, object->uid);
	stint_catalog_remove(mirror->catalog, object);
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
	const char *pools = stint_object_annotation(&a->meta, STINT_ANNOTATION_NODE_POOLS);
	return pools == stint_object_annotation(&b->meta, STINT_ANNOTATION_NODE_POOLS) && same_subgroups(a, b) &&
		a->min_member == b->min_member && a->queue == b->queue && a->priority_class == b->priority_class &&
		a->preemptibility == b->preemptibility && a->meta.uid == b->meta.uid && same_pairs(&a->meta.labels, &b->meta.labels);
}

/* Whether the change of that object may change how pods are grouped. Asked before the catalog takes it in. */
static bool regroups(const struct stint_mirror *mirror, struct stint_object *object)
{
	if (object->kind == STINT_KIND_QUEUE) {
		const struct stint_queue *before = stint_catalog_queue(mirror->catalog, object->name);
		return !before || stint_queue_default_pools(before) != stint_queue_default_pools(stint_queue_of(object));
	}
	if (object->kind == STINT_KIND_NAMESPACE)
		return stint_catalog_project(mirror->catalog, object->name) != stint_object_label(object, "stint.dev/project");
	if (object->kind == STINT_KIND_POD_GROUP) {
		const struct stint_pod_group *before = stint_catalog_pod_group(mirror->catalog, object->space, object->name);
		return !before || !same_group_object(before, stint_pod_group_of(object));
	}
	if (object->kind != STINT_KIND_PRIORITY_CLASS)
		return false;
	const struct stint_priority_class *before = stint_catalog_priority_class(mirror->catalog, object->name);
	const struct stint_priority_class *after = stint_priority_class_of(object);
	return !before || before->value != after->value || before->global_default != after->global_default;
}

static void put_devices(struct stint_mirror *mirror, struct stint_object *object)
{
	if (object->kind == STINT_KIND_RESOURCE_CLAIM)
		stint_engine_claim_upsert(mirror->engine, stint_resource_claim_of(object));
	else if (object->kind == STINT_KIND_RESOURCE_SLICE)
		stint_engine_slice_upsert(mirror->engine, stint_resource_slice_of(object));
	else
		stint_engine_class_upsert(mirror->engine, stint_device_class_of(object));
	mirror_changed(mirror);
}

static void remove_devices(struct stint_mirror *mirror, const struct stint_object *object)
{
	if (object->kind == STINT_KIND_RESOURCE_CLAIM)
		stint_engine_claim_remove(mirror->engine, object->space, object->name);
	else if (object->kind == STINT_KIND_RESOURCE_SLICE)
		stint_engine_slice_remove(mirror->engine, object->name);
	else
		stint_engine_class_remove(mirror->engine, object->name);
	mirror_changed(mirror);
}

/* ---- volumes and config maps --------------------------------------------------------------------------------------------------------- */

void stint_mirror_volumes_changed(struct stint_mirror *mirror)
{
	mirror->look_at_volumes = true;
	mirror_changed(mirror);
}

void stint_mirror_see(struct stint_mirror *mirror, enum stint_kind kind, bool seen)
{
	if (!stint_volumes_see(mirror->volumes, kind, seen))
		return;
	mirror->look_at_lacking = true;
	stint_mirror_volumes_changed(mirror);
}

static void put_storage(struct stint_mirror *mirror, struct stint_object *object)
{
	if (!stint_volumes_put(mirror->volumes, object))
		return;
	if (object->kind != STINT_KIND_CONFIG_MAP) {
		stint_mirror_volumes_changed(mirror);
		return;
	}
	mirror->look_at_lacking = true;
	mirror_changed(mirror);
}

static bool refers_to(const struct stint_pod *pod, const struct stint_object *config_map)
{
	for (uint32_t i = 0; i < pod->spec->config_maps_count; i++) {
		if (strcmp(pod->spec->config_maps[i], config_map->name) == 0)
			return pod->meta.space && config_map->space && strcmp(pod->meta.space, config_map->space) == 0;
	}
	return false;
}

static void remove_storage(struct stint_mirror *mirror, const struct stint_object *object)
{
	stint_volumes_remove(mirror->volumes, object);
	if (object->kind != STINT_KIND_CONFIG_MAP) {
		stint_mirror_volumes_changed(mirror);
		return;
	}
	void *value = NULL;
	for (size_t at = 0; stint_map_next(mirror->pods, &at, NULL, &value);) {
		struct stint_mirror_pod *pod = value;
		if (pod->ours && !pod->pod->node && refers_to(pod->pod, object))
			mirror_mark_dirty(mirror, pod);
	}
	mirror_changed(mirror);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------------------------- */

/* Of another scheduler's pool. */
static bool is_elsewhere(const struct stint_mirror *mirror, const struct stint_object *object)
{
	if (!mirror->pool || (object->kind != STINT_KIND_NODE && object->kind != STINT_KIND_QUEUE))
		return false;
	const char *pool = stint_object_label(object, STINT_LABEL_NODE_POOL);
	return strcmp(pool && pool[0] ? pool : STINT_DEFAULT_POOL, mirror->pool) != 0;
}

static void put_elsewhere(struct stint_mirror *mirror, struct stint_object *object)
{
	const bool is_queue = object->kind == STINT_KIND_QUEUE;
	if (!is_queue || stint_catalog_queue(mirror->catalog, object->name))
		stint_mirror_remove(mirror, object); /* it may have been ours before */
	if (!is_queue || !stint_catalog_put_elsewhere(mirror->catalog, stint_queue_of(object)))
		return;
	mirror->look_at_all = true;
	mirror_changed(mirror);
}

void stint_mirror_put(struct stint_mirror *mirror, struct stint_object *object)
{
	if (!object->uid) /* no API server sends such a thing, and everything here goes by it */
		return;
	if (is_elsewhere(mirror, object)) {
		put_elsewhere(mirror, object);
		return;
	}
	switch (object->kind) {
	case STINT_KIND_POD: mirror_put_pod(mirror, stint_pod_of(object)); return;
	case STINT_KIND_OWNER: put_owner(mirror, stint_owner_of(object)); return;
	case STINT_KIND_NODE:
		stint_engine_node_upsert(mirror->engine, stint_node_of(object));
		count_node(mirror, object->name, stint_node_of(object));
		mirror_changed(mirror);
		return;
	case STINT_KIND_QUEUE:
	case STINT_KIND_POD_GROUP:
	case STINT_KIND_PRIORITY_CLASS:
	case STINT_KIND_NAMESPACE: break;
	case STINT_KIND_RESOURCE_CLAIM:
	case STINT_KIND_RESOURCE_SLICE:
	case STINT_KIND_DEVICE_CLASS: put_devices(mirror, object); return;
	case STINT_KIND_VOLUME_CLAIM:
	case STINT_KIND_VOLUME:
	case STINT_KIND_STORAGE_CLASS:
	case STINT_KIND_CONFIG_MAP: put_storage(mirror, object); return;
	case STINT_KIND_NODE_ZONES: mirror_put_zones(mirror, stint_node_zones_of(object)); return;
	case STINT_KIND_TOPOLOGY:
		stint_engine_topology_upsert(mirror->engine, stint_topology_of(object));
		mirror_changed(mirror);
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
		mirror_changed(mirror);
}

void stint_mirror_remove(struct stint_mirror *mirror, struct stint_object *object)
{
	switch (object->kind) {
	case STINT_KIND_POD: mirror_remove_pod(mirror, stint_pod_of(object)); return;
	case STINT_KIND_NODE:
		stint_engine_node_remove(mirror->engine, object->name);
		count_node(mirror, object->name, NULL);
		mirror_changed(mirror);
		return;
	case STINT_KIND_RESOURCE_CLAIM:
	case STINT_KIND_RESOURCE_SLICE:
	case STINT_KIND_DEVICE_CLASS: remove_devices(mirror, object); return;
	case STINT_KIND_VOLUME_CLAIM:
	case STINT_KIND_VOLUME:
	case STINT_KIND_STORAGE_CLASS:
	case STINT_KIND_CONFIG_MAP: remove_storage(mirror, object); return;
	case STINT_KIND_NODE_ZONES: mirror_remove_zones(mirror, object->name); return;
	case STINT_KIND_TOPOLOGY:
		stint_engine_topology_remove(mirror->engine, object->name);
		mirror_changed(mirror);
		return;
	case STINT_KIND_EVENT: return;
	case STINT_KIND_OWNER: remove_owner(mirror, object); return;
	case STINT_KIND_QUEUE: stint_engine_queue_remove(mirror->engine, object->name); break;
	case STINT_KIND_NAMESPACE: stint_engine_space_remove(mirror->engine, object->name); break;
	case STINT_KIND_POD_GROUP:
	case STINT_KIND_PRIORITY_CLASS: break;
	}
	stint_catalog_remove(mirror->catalog, object);
	mirror->look_at_all = true;
	mirror_changed(mirror);
}

bool stint_mirror_see_owners(struct stint_mirror *mirror, const char *api_version, const char *kind, bool seen)
{
	if (!stint_catalog_see_owners(mirror->catalog, api_version, kind, seen))
		return false;
	mirror->look_at_all = true;
	mirror_changed(mirror);
	return true;
}

void stint_mirror_owner_absent(struct stint_mirror *mirror, const char *uid)
{
	stint_catalog_note_absent(mirror->catalog, uid);
	mirror->look_at_held = true;
	mirror_changed(mirror);
}
