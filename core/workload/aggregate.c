/*
 * aggregate: which workload a pod belongs to. A pod's top owner is found by walking owner references through the owners that are known; the
 * last reference counts even when its object was not read (a custom resource). A bare pod with annotation pod-group-name belongs to that
 * PodGroup. Owners that have no pods (suspended, not started, long ended) are workloads too when their template names a scheduler of ours.
 *
 * A workload that a change touches is summed up anew from its own pods; the others stay.
 */
#include "set.h"

#include <stdlib.h>
#include <string.h>

/* The top of a chain of owners, as far as it is known. */
struct top {
	const char *api_version, *kind, *name, *uid;
	const struct stint_object *object; /* NULL: only a reference to it was seen */
};

/* A pod may own as well: a LeaderWorkerSet's leader has the StatefulSet of its workers. */
static const struct stint_object *owner_by_uid(const struct stint_workload_set *set, const char *uid)
{
	const struct member *member = uid ? stint_map_get(set->members, uid) : NULL;
	const struct stint_object *object = member ? member->object : NULL;
	return object && (object->kind == STINT_KIND_OWNER || object->kind == STINT_KIND_POD) ? object : NULL;
}

static struct top itself(const struct stint_object *object)
{
	if (object->kind != STINT_KIND_OWNER)
		return (struct top){"v1", "Pod", object->name, object->uid, object};
	const struct stint_owner *owner = (const struct stint_owner *)object;
	return (struct top){owner->api_version, owner->kind_name, object->name, object->uid, object};
}

static struct top top_of(const struct stint_workload_set *set, const struct stint_object *object)
{
	struct top top = itself(object);
	const struct stint_owner_reference *reference = &object->owner;
	for (int depth = 0; reference->kind && reference->uid && depth < LONGEST_CHAIN; depth++) {
		/* Static pods belong to their node, which is no workload. */
		if (strcmp(reference->kind, "Node") == 0)
			break;
		const struct stint_object *owner = owner_by_uid(set, reference->uid);
		top = (struct top){reference->api_version, reference->kind, reference->name, reference->uid, owner};
		if (!owner)
			break;
		reference = &owner->owner;
	}
	return top;
}

/* A bare pod of a group that somebody made by hand: its key, freed by the caller; NULL: it is none. */
static char *group_key(const struct stint_object *object, struct top *top)
{
	const char *group = object->kind == STINT_KIND_POD ? stint_object_annotation(object, "pod-group-name") : NULL;
	if (!group || strcmp(top->kind, "Pod") != 0)
		return NULL;
	*top = (struct top){"scheduling.run.ai/v2alpha2", "PodGroup", group, NULL, NULL};
	return stint_format("group/%s/%s", object->space ? object->space : "", group);
}

/* ---- members of workloads ---------------------------------------------------------------------------------------------------------- */

void record_free(void *value)
{
	struct record *record = value;
	free((void *)(uintptr_t)record->workload.pods);
	free(record->pods.items);
	free(record->word);
	free(record->sentence);
	free(record->charged);
	free(record->uid);
	free(record);
}

void record_touch(struct stint_workload_set *set, struct record *record)
{
	if (record->dirty)
		return;
	record->dirty = true;
	sorted_add(&set->dirty_records, record);
}

static struct record *record_of(struct stint_workload_set *set, const char *uid)
{
	struct record *record = stint_map_get(set->records, uid);
	if (record)
		return record;
	record = stint_alloc(sizeof *record);
	record->uid = stint_strdup(uid);
	stint_map_set(set->records, uid, record);
	return record;
}

/* The workload that an object belongs to; NULL: to none. */
static struct record *record_for(struct stint_workload_set *set, const struct stint_object *object)
{
	if (object->kind == STINT_KIND_POD) {
		if (!is_served(set, ((const struct stint_pod *)object)->spec->scheduler_name))
			return NULL;
		struct top top = top_of(set, object);
		stint_autofree char *group = group_key(object, &top);
		const char *uid = group ? group : top.uid;
		return uid ? record_of(set, uid) : NULL;
	}
	const struct stint_owner *owner = (const struct stint_owner *)object;
	if (!object->uid || !owner->pod_spec || !is_served(set, owner->pod_spec->scheduler_name))
		return NULL;
	/* What a custom resource or a CronJob owns shows up through its pods; without any there is nothing to say yet. */
	const struct top top = top_of(set, object);
	return top.object ? record_of(set, top.uid) : NULL;
}

static bool is_pod(const struct member *member)
{
	const struct stint_object *object = member->object ? member->object : member->former;
	return object->kind == STINT_KIND_POD;
}

void home(struct stint_workload_set *set, struct member *member)
{
	struct record *record = member->object ? record_for(set, member->object) : NULL;
	struct record *top = is_pod(member) || !member->object ? NULL : stint_map_get(set->records, member->object->uid);
	if (top) /* pods make a workload of an owner that would not be one alone */
		record_touch(set, top);
	if (record)
		record_touch(set, record);
	if (member->record == record)
		return;
	if (member->record) {
		member->record->owners -= !is_pod(member);
		record_touch(set, member->record);
	}
	member->record = record;
	if (member->place)
		place_touch(set, member->place);
	if (record && is_pod(member))
		members_add(&record->pods, member);
	else if (record)
		record->owners++;
}

/* ---- summing up -------------------------------------------------------------------------------------------------------------------- */

static int compare_pods(const void *left, const void *right)
{
	const struct member *const *a = left, *const *b = right;
	const struct stint_object *p = (*a)->object, *q = (*b)->object;
	const int sign = strverscmp(p->name, q->name);
	return sign || !p->uid || !q->uid ? sign : strcmp(p->uid, q->uid);
}

/* Those that are still in it, by name. */
static void gather_pods(struct record *record)
{
	struct members *pods = &record->pods;
	size_t count = 0;
	bool in_order = true;
	for (size_t at = 0; at < pods->count; at++) {
		struct member *member = pods->items[at];
		if (member->record != record)
			continue;
		pods->items[count] = member;
		in_order = in_order && (count == 0 || compare_pods(&pods->items[count - 1], &pods->items[count]) <= 0);
		count++;
	}
	pods->count = count;
	if (!in_order)
		qsort(pods->items, count, sizeof(struct member *), compare_pods);
	const struct stint_pod **items = (const struct stint_pod **)(uintptr_t)record->workload.pods;
	stint_grow(&items, &record->pods_capacity, count, sizeof(struct stint_pod *));
	for (size_t at = 0; at < count; at++)
		items[at] = (const struct stint_pod *)pods->items[at]->object;
	record->workload.pods = items;
	record->workload.pods_count = count;
}

static int64_t oldest_ms(const struct stint_workload *workload)
{
	int64_t created_ms = -1;
	for (size_t at = 0; at < workload->pods_count; at++) {
		const int64_t pod_ms = workload->pods[at]->meta.created_ms;
		created_ms = created_ms < 0 || pod_ms < created_ms ? pod_ms : created_ms;
	}
	return created_ms;
}

/* A top that is known tells of itself; of another only what its pods say of it is known. */
static void identify(const struct stint_workload_set *set, struct record *record)
{
	struct stint_workload *workload = &record->workload;
	const struct member *self = stint_map_get(set->members, record->uid);
	const struct stint_object *first = workload->pods_count ? &workload->pods[0]->meta : self->object;
	struct top top = self && self->object ? itself(self->object) : top_of(set, first);
	free(group_key(first, &top));
	workload->project = first->space ? first->space : "";
	workload->name = top.name;
	workload->api_version = top.api_version ? top.api_version : "";
	workload->kind = top.kind;
	workload->uid = record->uid;
	if (top.object && top.object->kind == STINT_KIND_OWNER) {
		workload->owner = (const struct stint_owner *)top.object;
		workload->created_ms = top.object->created_ms;
	} else {
		workload->created_ms = oldest_ms(workload);
	}
}

static int compare_workloads(const void *left, const void *right)
{
	const struct stint_workload *a = *(const struct stint_workload *const *)left, *b = *(const struct stint_workload *const *)right;
	int sign = strcmp(a->project, b->project);
	if (sign == 0)
		sign = strcmp(a->name, b->name);
	if (sign == 0)
		sign = strcmp(a->kind, b->kind);
	return sign ? sign : strcmp(a->uid, b->uid);
}

static void refresh(struct stint_workload_set *set, struct record *record)
{
	const struct stint_workload before = record->workload, *before_it = &before, *now = &record->workload;
	record->workload = (struct stint_workload){
		.pods = before.pods, .pods_count = before.pods_count, .created_ms = -1, .started_ms = -1, .ended_ms = -1};
	identify(set, record);
	summarise(set, record);
	if (record->listed && compare_workloads(&before_it, &now) == 0)
		return;
	set->misplaced |= record->listed;
	record->listed = false;
	sorted_add(&set->new_records, record);
}

static bool is_listed(const void *item)
{
	return ((const struct record *)item)->listed;
}

void records_settle(struct stint_workload_set *set)
{
	struct sorted *dirty = &set->dirty_records;
	size_t dead = 0;
	for (size_t at = 0; (set->memory_changed || set->groups_changed) && at < set->workloads.count; at++) {
		struct record *record = set->workloads.items[at];
		if ((record->by_memory && set->memory_changed) || (record->by_group && set->groups_changed))
			record_touch(set, record);
	}
	set->memory_changed = set->groups_changed = false;
	for (size_t at = 0; at < dirty->count; at++) {
		struct record *record = dirty->items[at];
		record->dirty = false;
		gather_pods(record);
		if (record->pods.count || record->owners) {
			refresh(set, record);
			continue;
		}
		set->misplaced |= record->listed;
		record->listed = false;
		dirty->items[dead++] = record;
	}
	if (set->misplaced || set->new_records.count) {
		sorted_mend(&set->workloads, &set->new_records, is_listed, compare_workloads);
		for (size_t at = 0; at < set->workloads.count; at++)
			((struct record *)set->workloads.items[at])->listed = true;
	}
	set->misplaced = false;
	for (size_t at = 0; at < dead; at++) {
		stint_autofree char *uid = stint_strdup(((struct record *)dirty->items[at])->uid);
		stint_map_remove(set->records, uid);
	}
	dirty->count = 0;
}
