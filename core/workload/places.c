/*
 * places: what the pods on a node take of it and of each of its devices. A node that a change touches is summed up anew from its own pods, in
 * the order of their names, so that sums do not depend on what came first.
 */
#include "set.h"

#include <stdlib.h>
#include <string.h>

void place_free(void *value)
{
	struct place *place = value;
	free(place->use.devices);
	free(place->users);
	free(place->told);
	free(place->pods.items);
	free(place->name);
	free(place);
}

void place_touch(struct stint_workload_set *set, struct place *place)
{
	if (place->dirty)
		return;
	place->dirty = true;
	sorted_add(&set->dirty_places, place);
}

static struct place *place_of(struct stint_workload_set *set, const char *name)
{
	struct place *place = stint_map_get(set->places, name);
	if (place)
		return place;
	place = stint_alloc(sizeof *place);
	place->name = stint_strdup(name);
	stint_map_set(set->places, name, place);
	return place;
}

const struct stint_node *node_named(const struct stint_workload_set *set, const char *name)
{
	const struct place *place = stint_map_get(set->places, name);
	return place && place->node ? stint_node_of(place->node->object) : NULL;
}

/* ---- who stands where -------------------------------------------------------------------------------------------------------------- */

static void stand_pod(struct stint_workload_set *set, struct member *member)
{
	const struct stint_pod *pod = stint_pod_of(member->object);
	struct place *place = pod && pod->node && !stint_pod_ended(pod) ? place_of(set, pod->node) : NULL;
	if (place)
		place_touch(set, place);
	if (member->place == place)
		return;
	if (member->place)
		place_touch(set, member->place);
	member->place = place;
	if (place)
		members_add(&place->pods, member);
}

static int64_t device_memory(const struct stint_object *object)
{
	return object ? ((const struct stint_node *)object)->gpu_memory_mib : -1;
}

/* A node that was made again under its name has another uid, and stays when the former one goes. */
static void stand_node(struct stint_workload_set *set, struct member *member)
{
	const struct stint_object *object = member->object ? member->object : member->former;
	struct place *place = member->object ? place_of(set, object->name) : stint_map_get(set->places, object->name);
	if (!place || (!member->object && place->node != member))
		return;
	set->memory_changed |= !member->known || device_memory(member->object) != device_memory(member->former);
	place->node = member->object ? member : NULL;
	free(stint_steal(&place->told));
	place->told_count = member->object ? stint_node_gpu_use((const struct stint_node *)member->object, &place->told) : 0;
	place_touch(set, place);
}

void stand(struct stint_workload_set *set, struct member *member)
{
	const struct stint_object *object = member->object ? member->object : member->former;
	if (object->kind == STINT_KIND_NODE)
		stand_node(set, member);
	else
		stand_pod(set, member);
}

/* ---- summing up -------------------------------------------------------------------------------------------------------------------- */

/* A pod that only keeps a device for shares: what it asks for is what they ask for. */
static bool is_keeper(const struct stint_pod *pod)
{
	const char *app = stint_object_label(&pod->meta, "app");
	return (pod->meta.space && strcmp(pod->meta.space, "stint-reservation") == 0) ||
		(app && strcmp(app, "kai-resource-reservation") == 0);
}

static int compare_pods(const struct stint_object *a, const struct stint_object *b)
{
	int sign = strcmp(a->space ? a->space : "", b->space ? b->space : "");
	if (sign == 0)
		sign = strcmp(a->name, b->name);
	return sign || !a->uid || !b->uid ? sign : strcmp(a->uid, b->uid);
}

static int compare_members(const void *left, const void *right)
{
	const struct member *const *a = left, *const *b = right;
	return compare_pods((*a)->object, (*b)->object);
}

static int compare_users(const void *left, const void *right)
{
	const struct stint_device_user *a = left, *b = right;
	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	if (a->share != b->share)
		return a->share > b->share ? -1 : 1;
	return compare_pods(&a->pod->meta, &b->pod->meta);
}

static void gather(struct place *place)
{
	size_t count = 0;
	for (size_t at = 0; at < place->pods.count; at++)
		if (place->pods.items[at]->place == place)
			place->pods.items[count++] = place->pods.items[at];
	place->pods.count = count;
	if (count)
		qsort(place->pods.items, count, sizeof(struct member *), compare_members);
}

static void open_devices(struct place *place)
{
	struct stint_node_use *use = &place->use;
	const int32_t said = use->node->gpu_count;
	const size_t count = said <= 0 ? 0 : said < STINT_NODE_DEVICES_MAX ? (size_t)said : STINT_NODE_DEVICES_MAX;
	if (count > use->devices_count)
		use->devices = stint_realloc(use->devices, count * sizeof *use->devices);
	use->devices_count = count;
	for (size_t slot = 0; slot < count; slot++)
		use->devices[slot] = (struct stint_device_use){.util_percent = -1, .memory_mib = -1};
}

/* The devices that a pod has; how many users there are now. */
static size_t take_devices(struct place *place, const struct member *member, bool known, double gpus, size_t users)
{
	const struct stint_pod *pod = (const struct stint_pod *)member->object;
	uint16_t slots[STINT_NODE_DEVICES_MAX];
	const int count = stint_pod_gpu_devices(pod, slots, STINT_NODE_DEVICES_MAX);
	for (int at = 0; at < count && at < STINT_NODE_DEVICES_MAX; at++) {
		if (slots[at] >= place->use.devices_count)
			continue;
		stint_grow(&place->users, &place->users_capacity, users + 1, sizeof *place->users);
		place->users[users++] = (struct stint_device_user){.pod = pod,
			.workload = member->record ? &member->record->workload : NULL,
			.share = known ? gpus / count : -1,
			.slot = slots[at]};
	}
	return users;
}

static void share_out(struct place *place, size_t users)
{
	if (users)
		qsort(place->users, users, sizeof *place->users, compare_users);
	for (size_t at = 0; at < users; at++) {
		struct stint_device_use *device = &place->use.devices[place->users[at].slot];
		if (!device->users_count)
			device->users = &place->users[at];
		device->users_count++;
		device->allocated += place->users[at].share > 0 ? place->users[at].share : 0;
	}
}

static void refresh(struct place *place)
{
	struct stint_node_use *use = &place->use;
	size_t users = 0;
	use->node = (const struct stint_node *)place->node->object;
	use->gpus_allocated = 0;
	use->cpu_milli = use->memory_bytes = 0;
	use->pods = 0;
	use->foreign = (struct stint_pod_sums){0};
	open_devices(place);
	for (size_t at = 0; at < place->pods.count; at++) {
		const struct stint_pod *pod = (const struct stint_pod *)place->pods.items[at]->object;
		double gpus = 0;
		use->pods++;
		use->cpu_milli = stint_add_saturated(use->cpu_milli, pod->spec->request.cpu_milli);
		use->memory_bytes = stint_add_saturated(use->memory_bytes, pod->spec->request.memory_bytes);
		const bool keeper = is_keeper(pod);
		if (!place->pods.items[at]->record && !keeper)
			sums_add(&use->foreign, pod, use->node);
		if (pod->spec->gpu.kind == STINT_GPU_NONE || keeper)
			continue;
		const bool known = stint_pod_gpus(pod, use->node, &gpus);
		use->gpus_allocated += known ? gpus : 0;
		users = take_devices(place, place->pods.items[at], known, gpus, users);
	}
	share_out(place, users);
}

static bool is_listed(const void *item)
{
	return ((const struct place *)item)->listed;
}

static int compare_places(const void *left, const void *right)
{
	const struct place *const *a = left, *const *b = right;
	const int sign = strverscmp((*a)->name, (*b)->name);
	return sign ? sign : strcmp((*a)->name, (*b)->name);
}

void places_settle(struct stint_workload_set *set)
{
	struct sorted *dirty = &set->dirty_places;
	bool gone = false;
	size_t dead = 0;
	for (size_t at = 0; at < dirty->count; at++) {
		struct place *place = dirty->items[at];
		place->dirty = false;
		gather(place);
		if (place->node) {
			refresh(place);
			if (!place->listed)
				sorted_add(&set->new_places, place);
			continue;
		}
		gone |= place->listed;
		place->listed = false;
		if (!place->pods.count)
			dirty->items[dead++] = place;
	}
	if (gone || set->new_places.count) {
		sorted_mend(&set->nodes, &set->new_places, is_listed, compare_places);
		for (size_t at = 0; at < set->nodes.count; at++)
			((struct place *)set->nodes.items[at])->listed = true;
	}
	for (size_t at = 0; at < dead; at++) {
		stint_autofree char *name = stint_strdup(((struct place *)dirty->items[at])->name);
		stint_map_remove(set->places, name);
	}
	dirty->count = 0;
}

/* ---- looking at it ----------------------------------------------------------------------------------------------------------------- */

/* What the node has reported, as far as it still holds. */
static void report(struct place *place, int64_t now_ms)
{
	double util = 0;
	uint32_t told = 0;
	for (size_t at = 0; at < place->told_count; at++) {
		const struct stint_gpu_use *item = &place->told[at];
		if (item->slot < 0 || (size_t)item->slot >= place->use.devices_count)
			continue;
		struct stint_device_use *device = &place->use.devices[item->slot];
		const bool fresh = stint_gpu_use_fresh(item, now_ms);
		device->uuid = *item->uuid ? item->uuid : NULL;
		device->util_percent = fresh ? item->util_percent : -1;
		device->memory_mib = fresh ? item->memory_mib : -1;
		util += device->util_percent >= 0 ? device->util_percent : 0;
		told += device->util_percent >= 0;
	}
	place->use.util_percent = told ? util / told : -1;
}

const struct stint_node_use *const *stint_workload_set_nodes(struct stint_workload_set *set, int64_t now_ms, size_t *count)
{
	settle(set);
	for (size_t at = 0; at < set->nodes.count; at++)
		report(set->nodes.items[at], now_ms);
	*count = set->nodes.count;
	return (const struct stint_node_use *const *)set->nodes.items;
}

const struct stint_node_use *stint_workload_set_node(struct stint_workload_set *set, const char *name)
{
	settle(set);
	const struct place *place = name ? stint_map_get(set->places, name) : NULL;
	return place && place->listed ? &place->use : NULL;
}
