/*
 * set: the objects that workloads and nodes are made of, and how they hang together: which name the same owner. Owns one count of each
 * object, and of what an object was when the lists were made, so that those can be looked at while changes come in.
 */
#include "set.h"

#include <stdlib.h>
#include <string.h>

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void member_free(void *value)
{
	struct member *member = value;
	stint_object_unref(member->object);
	stint_object_unref(member->former);
	free(member);
}

static void family_free(void *value)
{
	struct family *family = value;
	free(family->uid);
	free(family);
}

static void ruling_free(void *value)
{
	struct ruling *ruling = value;
	free(ruling->uid);
	free(ruling->queue);
	free(ruling);
}

struct stint_workload_set *stint_workload_set_new(const char *const *scheduler_names)
{
	struct stint_workload_set *set = stint_alloc(sizeof *set);
	size_t count = 0;
	while (scheduler_names && scheduler_names[count])
		count++;
	if (count) {
		set->scheduler_names = stint_alloc((count + 1) * sizeof *set->scheduler_names);
		for (size_t at = 0; at < count; at++)
			set->scheduler_names[at] = stint_strdup(scheduler_names[at]);
	}
	set->members = stint_map_new(member_free);
	set->families = stint_map_new(family_free);
	set->records = stint_map_new(record_free);
	set->places = stint_map_new(place_free);
	set->groups = stint_map_new(ruling_free);
	return set;
}

void stint_workload_set_free(struct stint_workload_set *set)
{
	if (!set)
		return;
	stint_map_free(set->places);
	stint_map_free(set->groups);
	stint_map_free(set->records);
	stint_map_free(set->families);
	stint_map_free(set->members);
	stint_strings_free(set->scheduler_names);
	free(set->touched.items);
	free(set->moved.items);
	free(set->workloads.items);
	free(set->nodes.items);
	free(set->dirty_records.items);
	free(set->dirty_places.items);
	free(set->new_records.items);
	free(set->new_places.items);
	free(set);
}

bool is_served(const struct stint_workload_set *set, const char *scheduler_name)
{
	if (!set->scheduler_names)
		return true;
	for (size_t at = 0; set->scheduler_names[at]; at++)
		if (scheduler_name && strcmp(set->scheduler_names[at], scheduler_name) == 0)
			return true;
	return false;
}

void members_add(struct members *members, struct member *member)
{
	stint_grow(&members->items, &members->capacity, members->count + 1, sizeof(struct member *));
	members->items[members->count++] = member;
}

/* ---- touched -------------------------------------------------------------------------------------------------------------------------- */

/* What the lists were made of is kept; what nobody has seen yet is not. One that came and went leaves its last form, which tells its key. */
static void touch(struct stint_workload_set *set, struct member *member)
{
	if (member->former)
		stint_object_unref(member->object);
	else
		member->former = member->object;
	member->object = NULL;
	if (member->touched)
		return;
	member->touched = true;
	members_add(&set->touched, member);
}

/* ---- PodGroups ----------------------------------------------------------------------------------------------------------------------- */

static void put_group(struct stint_workload_set *set, const struct stint_pod_group *group)
{
	const char *queue = group->queue && group->queue[0] ? group->queue : stint_object_label(&group->meta, STINT_LABEL_QUEUE);
	stint_autofree char *key = stint_format("%s/%s", group->meta.space ? group->meta.space : "", group->meta.name);
	struct ruling *ruling = stint_map_get(set->groups, key);
	if (ruling && same(ruling->queue, queue) && same(ruling->uid, group->meta.uid))
		return;
	ruling = stint_alloc(sizeof *ruling);
	*ruling = (struct ruling){.uid = stint_strdup(group->meta.uid), .queue = stint_strdup(queue)};
	stint_map_set(set->groups, key, ruling);
	set->groups_changed = true;
}

static void remove_group(struct stint_workload_set *set, const char *uid)
{
	const char *key;
	void *value;
	for (size_t at = 0; stint_map_next(set->groups, &at, &key, &value);) {
		const struct ruling *ruling = value;
		if (!same(ruling->uid, uid))
			continue;
		stint_autofree char *gone = stint_strdup(key);
		stint_map_remove(set->groups, gone);
		set->groups_changed = true;
		return;
	}
}

const char *queue_of_group(const struct stint_workload_set *set, const struct stint_pod *pod)
{
	const char *name = stint_object_annotation(&pod->meta, "pod-group-name");
	if (!name || !stint_map_count(set->groups))
		return NULL;
	stint_autofree char *key = stint_format("%s/%s", pod->meta.space ? pod->meta.space : "", name);
	const struct ruling *ruling = stint_map_get(set->groups, key);
	return ruling ? ruling->queue : NULL;
}

/* ---- objects come and go ----------------------------------------------------------------------------------------------------------- */

void stint_workload_set_put(struct stint_workload_set *set, struct stint_object *object)
{
	if (object->kind == STINT_KIND_POD_GROUP) {
		put_group(set, (const struct stint_pod_group *)object);
		return;
	}
	const char *key = object->uid ? object->uid : object->name;
	struct member *member = stint_map_get(set->members, key);
	if (!member) {
		member = stint_alloc(sizeof *member);
		stint_map_set(set->members, key, member);
	}
	stint_object_ref(object);
	touch(set, member);
	member->object = object;
}

void stint_workload_set_remove(struct stint_workload_set *set, const char *uid)
{
	struct member *member = stint_map_get(set->members, uid);
	if (member && member->object)
		touch(set, member);
	else if (!member)
		remove_group(set, uid);
}

/* ---- who names which owner --------------------------------------------------------------------------------------------------------- */

static void leave_family(struct stint_workload_set *set, struct member *member)
{
	struct family *family = member->family;
	if (!family)
		return;
	*member->link = member->next;
	if (member->next)
		member->next->link = member->link;
	member->family = NULL;
	if (!family->first)
		stint_map_remove(set->families, family->uid);
}

static void enter_family(struct stint_workload_set *set, struct member *member, const char *uid)
{
	struct family *family = stint_map_get(set->families, uid);
	if (!family) {
		family = stint_alloc(sizeof *family);
		family->uid = stint_strdup(uid);
		stint_map_set(set->families, uid, family);
	}
	member->family = family;
	member->next = family->first;
	member->link = &family->first;
	if (member->next)
		member->next->link = &member->next;
	family->first = member;
}

static bool is_same_reference(const struct stint_owner_reference *a, const struct stint_owner_reference *b)
{
	return same(a->uid, b->uid) && same(a->kind, b->kind) && same(a->name, b->name) && same(a->api_version, b->api_version);
}

/* Whether what lies below the object may belong elsewhere now. */
static bool is_another_link(const struct member *member)
{
	return !member->known || !member->object || !is_same_reference(&member->object->owner, &member->former->owner);
}

static void relate(struct stint_workload_set *set, struct member *member)
{
	const char *uid = member->object && member->object->kind != STINT_KIND_NODE ? member->object->owner.uid : NULL;
	if (member->family && uid && strcmp(member->family->uid, uid) == 0)
		return;
	leave_family(set, member);
	if (uid)
		enter_family(set, member, uid);
}

static void move(struct stint_workload_set *set, struct member *member)
{
	if (member->moved)
		return;
	member->moved = true;
	members_add(&set->moved, member);
}

/* Owners may name each other in a circle: nobody goes down further than a chain is followed up. */
static void move_below(struct stint_workload_set *set, const char *uid, int depth)
{
	const struct family *family = uid && depth ? stint_map_get(set->families, uid) : NULL;
	for (struct member *member = family ? family->first : NULL; member; member = member->next) {
		move(set, member);
		if (member->object)
			move_below(set, member->object->uid, depth - 1);
	}
}

/* ---- up to date -------------------------------------------------------------------------------------------------------------------- */

static void look_at(struct stint_workload_set *set, struct member *member)
{
	const struct stint_object *object = member->object ? member->object : member->former;
	if (!object)
		return;
	if (object->kind == STINT_KIND_NODE) {
		stand(set, member);
		return;
	}
	move(set, member);
	if (object->kind == STINT_KIND_POD)
		stand(set, member);
	if (is_another_link(member))
		move_below(set, object->uid, LONGEST_CHAIN);
}

static void forget_former(struct stint_workload_set *set)
{
	for (size_t at = 0; at < set->touched.count; at++) {
		struct member *member = set->touched.items[at];
		struct stint_object *former = stint_steal(&member->former);
		member->touched = false;
		member->known = true;
		if (!member->object)
			stint_map_remove(set->members, former->uid ? former->uid : former->name);
		stint_object_unref(former);
	}
	set->touched.count = 0;
}

void settle(struct stint_workload_set *set)
{
	if (!set->touched.count && !set->groups_changed)
		return;
	for (size_t at = 0; at < set->touched.count; at++)
		relate(set, set->touched.items[at]);
	for (size_t at = 0; at < set->touched.count; at++)
		look_at(set, set->touched.items[at]);
	for (size_t at = 0; at < set->moved.count; at++) {
		set->moved.items[at]->moved = false;
		home(set, set->moved.items[at]);
	}
	set->moved.count = 0;
	records_settle(set);
	places_settle(set);
	forget_former(set);
}

/* ---- lists ------------------------------------------------------------------------------------------------------------------------- */

void sorted_add(struct sorted *sorted, void *item)
{
	stint_grow(&sorted->items, &sorted->capacity, sorted->count + 1, sizeof(void *));
	sorted->items[sorted->count++] = item;
}

void sorted_mend(
	struct sorted *sorted, struct sorted *newcomers, bool (*is_listed)(const void *item), int (*compare)(const void *, const void *))
{
	size_t kept = 0, left = newcomers->count;
	for (size_t at = 0; at < sorted->count; at++)
		if (is_listed(sorted->items[at]))
			sorted->items[kept++] = sorted->items[at];
	if (left)
		qsort(newcomers->items, left, sizeof(void *), compare);
	stint_grow(&sorted->items, &sorted->capacity, kept + left, sizeof(void *));
	sorted->count = kept + left;
	while (left) {
		if (kept && compare(&sorted->items[kept - 1], &newcomers->items[left - 1]) > 0) {
			sorted->items[kept + left - 1] = sorted->items[kept - 1];
			kept--;
		} else {
			sorted->items[kept + left - 1] = newcomers->items[left - 1];
			left--;
		}
	}
	newcomers->count = 0;
}

const struct stint_workload *const *stint_workload_set_list(struct stint_workload_set *set, size_t *count)
{
	settle(set);
	*count = set->workloads.count;
	return (const struct stint_workload *const *)set->workloads.items;
}

const struct stint_workload *stint_workload_set_find(struct stint_workload_set *set, const char *project, const char *name)
{
	size_t count, low = 0;
	const struct stint_workload *const *list = stint_workload_set_list(set, &count);
	for (size_t high = count; low < high;) {
		const size_t middle = low + (high - low) / 2;
		int sign = strcmp(list[middle]->project, project);
		if (sign == 0)
			sign = strcmp(list[middle]->name, name);
		if (sign < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < count && strcmp(list[low]->project, project) == 0 && strcmp(list[low]->name, name) == 0)
		return list[low];
	return NULL;
}
