/*
 * aggregate: which workload a pod belongs to. A pod's top owner is found by walking owner references through the owners that are known; the
 * last reference counts even when its object was not read (a custom resource). A bare pod with annotation pod-group-name belongs to that
 * PodGroup. Owners that have no pods (suspended, not started, long ended) are workloads too when their template names a scheduler of ours.
 */
#include "set.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_CHAIN = 10 };

/* The top of a chain of owners, as far as it is known. */
struct top {
	const char *api_version, *kind, *name, *uid;
	const struct stint_object *object; /* NULL: only a reference to it was seen */
};

static struct stint_owner *owner_by_uid(const struct stint_workload_set *set, const char *uid)
{
	return uid ? stint_owner_of(stint_map_get(set->objects, uid)) : NULL;
}

static struct top top_of(const struct stint_workload_set *set, const struct stint_object *object)
{
	struct top top = {.object = object, .name = object->name, .uid = object->uid};
	const struct stint_owner_reference *reference = &object->owner;
	if (object->kind == STINT_KIND_OWNER) {
		const struct stint_owner *self = (const struct stint_owner *)object;
		top.api_version = self->api_version;
		top.kind = self->kind_name;
	} else {
		top.api_version = "v1";
		top.kind = "Pod";
	}
	for (int depth = 0; reference->kind && reference->uid && depth < LONGEST_CHAIN; depth++) {
		/* Static pods belong to their node, which is no workload. */
		if (strcmp(reference->kind, "Node") == 0)
			break;
		const struct stint_owner *owner = owner_by_uid(set, reference->uid);
		top = (struct top){reference->api_version, reference->kind, reference->name, reference->uid, owner ? &owner->meta : NULL};
		if (!owner)
			break;
		reference = &owner->meta.owner;
	}
	return top;
}

static struct stint_workload *workload_of(struct stint_workload_set *set, const struct top *top, const char *project)
{
	struct stint_workload *workload = stint_map_get(set->by_uid, top->uid);
	if (workload)
		return workload;
	workload = stint_arena_alloc(set->arena, sizeof *workload);
	workload->project = project;
	workload->name = top->name;
	workload->api_version = top->api_version ? top->api_version : "";
	workload->kind = top->kind;
	workload->uid = top->uid;
	workload->created_ms = workload->started_ms = workload->ended_ms = -1;
	if (top->object) {
		workload->created_ms = top->object->created_ms;
		if (top->object->kind == STINT_KIND_OWNER)
			workload->owner = (const struct stint_owner *)top->object;
	}
	stint_map_set(set->by_uid, top->uid, workload);
	return workload;
}

/* A bare pod of a group that somebody made by hand. */
static bool group_top(struct stint_workload_set *set, const struct stint_pod *pod, struct top *top)
{
	const char *group = stint_object_annotation(&pod->meta, "pod-group-name");
	if (!group || strcmp(top->kind, "Pod") != 0)
		return false;
	stint_autofree char *key = stint_format("group/%s/%s", pod->meta.space ? pod->meta.space : "", group);
	*top = (struct top){"scheduling.run.ai/v2alpha2", "PodGroup", group, stint_arena_strndup(set->arena, key, strlen(key)), NULL};
	return true;
}

static void add_pod(struct stint_workload_set *set, const struct stint_pod *pod)
{
	if (!is_served(set, pod->spec->scheduler_name))
		return;
	struct top top = top_of(set, &pod->meta);
	group_top(set, pod, &top);
	if (!top.uid)
		return;
	struct stint_workload *workload = workload_of(set, &top, pod->meta.space ? pod->meta.space : "");
	/* Counted now; the array is filled in the second pass, when its size is known. */
	workload->pods_count++;
	if (!workload->owner && (workload->created_ms < 0 || pod->meta.created_ms < workload->created_ms))
		workload->created_ms = pod->meta.created_ms;
}

static void add_owner(struct stint_workload_set *set, const struct stint_owner *owner)
{
	if (!owner->meta.uid || !owner->pod_spec || !is_served(set, owner->pod_spec->scheduler_name))
		return;
	const struct top top = top_of(set, &owner->meta);
	/* What a custom resource or a CronJob owns shows up through its pods; without any there is nothing to say yet. */
	if (top.object)
		workload_of(set, &top, owner->meta.space ? owner->meta.space : "");
}

static void fill_pod(struct stint_workload_set *set, const struct stint_pod *pod)
{
	if (!is_served(set, pod->spec->scheduler_name))
		return;
	struct top top = top_of(set, &pod->meta);
	group_top(set, pod, &top);
	struct stint_workload *workload = top.uid ? stint_map_get(set->by_uid, top.uid) : NULL;
	if (!workload)
		return;
	const struct stint_pod **pods = (const struct stint_pod **)(uintptr_t)workload->pods;
	if (!pods) {
		pods = stint_arena_alloc(set->arena, workload->pods_count * sizeof *pods);
		workload->pods = pods;
		workload->pods_count = 0;
	}
	pods[workload->pods_count++] = pod;
}

static int compare_pods(const void *left, const void *right)
{
	const struct stint_pod *const *a = left, *const *b = right;
	return strverscmp((*a)->meta.name, (*b)->meta.name);
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

static void for_each(
	struct stint_workload_set *set, enum stint_kind kind, void (*visit)(struct stint_workload_set *set, struct stint_object *object))
{
	const char *uid;
	void *object;
	for (size_t at = 0; stint_map_next(set->objects, &at, &uid, &object);)
		if (((struct stint_object *)object)->kind == kind)
			visit(set, object);
}

static void visit_pod(struct stint_workload_set *set, struct stint_object *object)
{
	add_pod(set, (struct stint_pod *)object);
}

static void visit_pod_again(struct stint_workload_set *set, struct stint_object *object)
{
	fill_pod(set, (struct stint_pod *)object);
}

static void visit_owner(struct stint_workload_set *set, struct stint_object *object)
{
	add_owner(set, (struct stint_owner *)object);
}

void aggregate(struct stint_workload_set *set)
{
	stint_arena_reset(set->arena);
	set->by_uid = stint_map_new(NULL);
	for_each(set, STINT_KIND_POD, visit_pod);
	for_each(set, STINT_KIND_OWNER, visit_owner);
	for_each(set, STINT_KIND_POD, visit_pod_again);
	set->count = stint_map_count(set->by_uid);
	set->list = stint_realloc(set->list, (set->count + 1) * sizeof *set->list);
	size_t count = 0;
	const char *uid;
	void *value;
	for (size_t at = 0; stint_map_next(set->by_uid, &at, &uid, &value);) {
		struct stint_workload *workload = value;
		if (workload->pods_count)
			qsort((void *)(uintptr_t)workload->pods, workload->pods_count, sizeof *workload->pods, compare_pods);
		summarise(set, workload);
		set->list[count++] = workload;
	}
	qsort(set->list, count, sizeof *set->list, compare_workloads);
	stint_map_free(stint_steal(&set->by_uid));
}
