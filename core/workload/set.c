/*
 * set: the objects that workloads are made of. Owns one count of each object. Workloads are made again when they are asked for after a
 * change, in one pass over all objects; a burst of changes costs one pass.
 */
#include "set.h"

#include <stdlib.h>
#include <string.h>

static void unref(void *object)
{
	stint_object_unref(object);
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
	set->objects = stint_map_new(unref);
	set->nodes = stint_map_new(NULL);
	set->arena = stint_arena_new(0);
	set->dirty = true;
	return set;
}

void stint_workload_set_free(struct stint_workload_set *set)
{
	if (!set)
		return;
	stint_map_free(set->nodes);
	stint_map_free(set->objects);
	stint_arena_free(set->arena);
	stint_strings_free(set->scheduler_names);
	free(set->list);
	free(set);
}

void stint_workload_set_put(struct stint_workload_set *set, struct stint_object *object)
{
	set->dirty = true;
	if (stint_node_of(object))
		stint_map_set(set->nodes, object->name, object);
	stint_map_set(set->objects, object->uid ? object->uid : object->name, stint_object_ref(object));
}

void stint_workload_set_remove(struct stint_workload_set *set, const char *uid)
{
	struct stint_object *object = stint_map_get(set->objects, uid);
	if (!object)
		return;
	set->dirty = true;
	/* A node that was made again under its name has another uid and stays. */
	if (stint_node_of(object) && stint_map_get(set->nodes, object->name) == object)
		stint_map_remove(set->nodes, object->name);
	stint_map_remove(set->objects, uid);
}

const struct stint_workload *const *stint_workload_set_list(struct stint_workload_set *set, size_t *count)
{
	if (set->dirty) {
		aggregate(set);
		set->dirty = false;
	}
	*count = set->count;
	return (const struct stint_workload *const *)set->list;
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

bool is_served(const struct stint_workload_set *set, const char *scheduler_name)
{
	if (!set->scheduler_names)
		return true;
	for (size_t at = 0; set->scheduler_names[at]; at++)
		if (scheduler_name && strcmp(set->scheduler_names[at], scheduler_name) == 0)
			return true;
	return false;
}
