/*
 * catalog: named objects of the cluster behind look-ups. See stint/grouping.h.
 *
 * State: one map for each kind, each value a counted model object. Owners are found by uid, because a Job that was deleted and made
 * again under its name is another workload.
 */
#include <stint/grouping.h>
#include <stint/model_roles.h>
#include <stint/workload.h>

#include <stdlib.h>
#include <string.h>

/* A LeaderWorkerSet, which its workers know by name alone. */
struct set_of_leaders {
	struct stint_owner_reference reference; /* borrowed from the owner */
	struct stint_owner *owner; /* counted */
};

struct stint_catalog {
	struct stint_map *owners; /* by uid */
	struct stint_map *sets; /* of leaders, by "namespace/name" */
	bool unseen[STINT_OWNER_KINDS];
	struct stint_map *absent; /* uids; the value means nothing */
	struct stint_map *pod_groups; /* by "namespace/name" */
	struct stint_map *elsewhere; /* default pools by the name of a queue that is not ours */
	struct stint_map *queues; /* by name, as the next two */
	struct stint_map *priority_classes;
	struct stint_map *spaces;
};

static void free_set(void *value)
{
	struct set_of_leaders *set = value;
	stint_object_unref(&set->owner->meta);
	free(set);
}

struct stint_catalog *stint_catalog_new(void)
{
	struct stint_catalog *catalog = stint_alloc(sizeof(*catalog));
	for (size_t i = 0; i < STINT_OWNER_KINDS; i++)
		catalog->unseen[i] = stint_owner_kinds[i].custom;
	catalog->owners = stint_object_map_new();
	catalog->sets = stint_map_new(free_set);
	catalog->elsewhere = stint_map_new(free);
	catalog->absent = stint_map_new(NULL);
	catalog->pod_groups = stint_object_map_new();
	catalog->queues = stint_object_map_new();
	catalog->priority_classes = stint_object_map_new();
	catalog->spaces = stint_object_map_new();
	return catalog;
}

void stint_catalog_free(struct stint_catalog *catalog)
{
	if (!catalog)
		return;
	stint_map_free(catalog->sets);
	stint_map_free(catalog->elsewhere);
	stint_map_free(catalog->owners);
	stint_map_free(catalog->absent);
	stint_map_free(catalog->pod_groups);
	stint_map_free(catalog->queues);
	stint_map_free(catalog->priority_classes);
	stint_map_free(catalog->spaces);
	free(catalog);
}

void stint_catalog_clear(struct stint_catalog *catalog)
{
	stint_map_clear(catalog->sets);
	stint_map_clear(catalog->elsewhere);
	stint_map_clear(catalog->owners);
	stint_map_clear(catalog->absent);
	stint_map_clear(catalog->pod_groups);
	stint_map_clear(catalog->queues);
	stint_map_clear(catalog->priority_classes);
	stint_map_clear(catalog->spaces);
}

/* Where an object of that kind is kept and under which key. NULL: such objects have no place here. *made is freed by the caller. */
static struct stint_map *place_of(const struct stint_catalog *catalog, const struct stint_object *object, const char **key, char **made)
{
	*key = object->name;
	*made = NULL;
	switch (object->kind) {
	case STINT_KIND_OWNER: *key = object->uid; return *key ? catalog->owners : NULL;
	case STINT_KIND_POD_GROUP: *key = *made = stint_format("%s/%s", object->space, object->name); return catalog->pod_groups;
	case STINT_KIND_QUEUE: return catalog->queues;
	case STINT_KIND_PRIORITY_CLASS: return catalog->priority_classes;
	case STINT_KIND_NAMESPACE: return catalog->spaces;
	case STINT_KIND_POD:
	case STINT_KIND_NODE:
	case STINT_KIND_EVENT:
	case STINT_KIND_TOPOLOGY:
	case STINT_KIND_RESOURCE_CLAIM:
	case STINT_KIND_RESOURCE_SLICE:
	case STINT_KIND_DEVICE_CLASS:
	case STINT_KIND_VOLUME_CLAIM:
	case STINT_KIND_VOLUME:
	case STINT_KIND_STORAGE_CLASS:
	case STINT_KIND_NODE_ZONES:
	case STINT_KIND_CONFIG_MAP: break;
	}
	return NULL;
}

static void put_set(struct stint_catalog *catalog, struct stint_owner *owner)
{
	if (!owner->roles || owner->roles->size < 1 || !owner->meta.space)
		return;
	stint_autofree char *key = stint_format("%s/%s", owner->meta.space, owner->meta.name);
	struct set_of_leaders *set = stint_alloc(sizeof(*set));
	set->owner = (struct stint_owner *)stint_object_ref(&owner->meta);
	set->reference = (struct stint_owner_reference){
		.api_version = owner->api_version, .kind = owner->kind_name, .name = owner->meta.name, .uid = owner->meta.uid};
	stint_map_set(catalog->sets, key, set);
}

static void remove_set(struct stint_catalog *catalog, const struct stint_object *object)
{
	stint_autofree char *key = object->space ? stint_format("%s/%s", object->space, object->name) : NULL;
	const struct set_of_leaders *set = key ? stint_map_get(catalog->sets, key) : NULL;
	if (set && object->uid && strcmp(set->owner->meta.uid, object->uid) == 0)
		stint_map_remove(catalog->sets, key);
}

const struct stint_owner *stint_catalog_set_of_leaders(
	const struct stint_catalog *catalog, const char *space, const char *name, const struct stint_owner_reference **reference)
{
	stint_autofree char *key = stint_format("%s/%s", space, name);
	const struct set_of_leaders *set = stint_map_get(catalog->sets, key);
	if (!set)
		return NULL;
	*reference = &set->reference;
	return set->owner;
}

void stint_catalog_put(struct stint_catalog *catalog, struct stint_object *object)
{
	const char *key = NULL;
	stint_autofree char *made = NULL;
	struct stint_map *map = place_of(catalog, object, &key, &made);
	if (map)
		stint_map_set(map, key, stint_object_ref(object));
	if (map == catalog->queues)
		stint_map_remove(catalog->elsewhere, key);
	if (map != catalog->owners)
		return;
	stint_map_remove(catalog->absent, key);
	put_set(catalog, stint_owner_of(object));
}

void stint_catalog_remove(struct stint_catalog *catalog, const struct stint_object *object)
{
	const char *key = NULL;
	stint_autofree char *made = NULL;
	struct stint_map *map = place_of(catalog, object, &key, &made);
	if (map && map == catalog->owners)
		remove_set(catalog, object);
	if (map && map == catalog->queues)
		stint_map_remove(catalog->elsewhere, key);
	if (map)
		stint_map_remove(map, key);
}

const struct stint_owner *stint_catalog_owner(const struct stint_catalog *catalog, const char *uid)
{
	return uid ? stint_map_get(catalog->owners, uid) : NULL;
}

const struct stint_owner *stint_catalog_find_owner(const struct stint_catalog *catalog, const char *space, const char *name)
{
	const struct stint_owner *found = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(catalog->owners, &at, NULL, &value);) {
		const struct stint_owner *owner = value;
		if (strcmp(owner->meta.name, name) != 0 || !owner->meta.space || strcmp(owner->meta.space, space) != 0)
			continue;
		if (!found || (owner->kind_name && found->kind_name && strcmp(owner->kind_name, found->kind_name) < 0))
			found = owner;
	}
	return found;
}

void stint_catalog_note_absent(struct stint_catalog *catalog, const char *uid)
{
	static char there;
	stint_map_set(catalog->absent, uid, &there);
}

bool stint_catalog_is_absent(const struct stint_catalog *catalog, const char *uid)
{
	return uid && stint_map_has(catalog->absent, uid);
}

static bool is_kind(const struct stint_owner_kind *known, const char *api_version, const char *kind)
{
	return kind && api_version && strcmp(kind, known->kind) == 0 && strcmp(api_version, known->api_version) == 0;
}

bool stint_catalog_see_owners(struct stint_catalog *catalog, const char *api_version, const char *kind, bool seen)
{
	for (size_t i = 0; i < STINT_OWNER_KINDS; i++) {
		if (!is_kind(&stint_owner_kinds[i], api_version, kind))
			continue;
		const bool differs = catalog->unseen[i] == seen;
		catalog->unseen[i] = !seen;
		return differs;
	}
	return false;
}

bool stint_catalog_sees(const struct stint_catalog *catalog, const struct stint_owner_reference *reference)
{
	for (size_t i = 0; i < STINT_OWNER_KINDS; i++) {
		if (is_kind(&stint_owner_kinds[i], reference->api_version, reference->kind))
			return !catalog->unseen[i];
	}
	return false;
}

const struct stint_pod_group *stint_catalog_pod_group(const struct stint_catalog *catalog, const char *space, const char *name)
{
	stint_autofree char *key = stint_format("%s/%s", space, name);
	return stint_map_get(catalog->pod_groups, key);
}

const struct stint_queue *stint_catalog_queue(const struct stint_catalog *catalog, const char *name)
{
	return name ? stint_map_get(catalog->queues, name) : NULL;
}

const char *stint_queue_default_pools(const struct stint_queue *queue)
{
	const char *pools = stint_object_annotation(&queue->meta, STINT_ANNOTATION_DEFAULT_POOLS);
	return pools && pools[0] ? pools : NULL;
}

bool stint_catalog_put_elsewhere(struct stint_catalog *catalog, const struct stint_queue *queue)
{
	const char *name = queue->meta.name, *pools = stint_queue_default_pools(queue);
	const char *before = stint_map_get(catalog->elsewhere, name);
	if (strcmp(before ? before : "", pools ? pools : "") == 0)
		return false;
	if (pools)
		stint_map_set(catalog->elsewhere, name, stint_strdup(pools));
	else
		stint_map_remove(catalog->elsewhere, name);
	return true;
}

const char *stint_catalog_default_pools(const struct stint_catalog *catalog, const char *queue)
{
	const struct stint_queue *ours = stint_catalog_queue(catalog, queue);
	if (ours)
		return stint_queue_default_pools(ours);
	return queue ? stint_map_get(catalog->elsewhere, queue) : NULL;
}

const struct stint_priority_class *stint_catalog_priority_class(const struct stint_catalog *catalog, const char *name)
{
	return name ? stint_map_get(catalog->priority_classes, name) : NULL;
}

const struct stint_priority_class *stint_catalog_default_class(const struct stint_catalog *catalog)
{
	const struct stint_priority_class *found = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(catalog->priority_classes, &at, NULL, &value);) {
		const struct stint_priority_class *class = value;
		if (class->global_default && (!found || class->value < found->value))
			found = class;
	}
	return found;
}

const char *stint_catalog_project(const struct stint_catalog *catalog, const char *space)
{
	const struct stint_space *found = space ? stint_map_get(catalog->spaces, space) : NULL;
	return found ? stint_object_label(&found->meta, "stint.dev/project") : NULL;
}
