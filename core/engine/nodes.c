/*
 * nodes: the table of nodes, the log of their changes, and the sums over all of them.
 *
 * Owns engine.nodes but for the arithmetic of the books (books.c, devices.c). A node may be named by a pod before it is known, or after it
 * has gone: it then offers nothing and no pod is placed there.
 * Costs: a change of a node's specification costs the pods on it; a new name costs one sort of the names before the next cycle.
 */
#include "state.h"

static void grow_tables(struct stint_engine *engine, size_t needed)
{
	size_t capacity = engine->nodes_capacity;
	stint_grow(&engine->nodes, &engine->nodes_capacity, needed, sizeof *engine->nodes);
	if (engine->nodes_capacity == capacity)
		return;
	engine->books = stint_realloc(engine->books, engine->nodes_capacity * sizeof *engine->books);
	if (engine->extended_stride)
		engine->extended =
			stint_realloc(engine->extended, engine->nodes_capacity * engine->extended_stride * sizeof *engine->extended);
}

uint32_t engine_node_named(struct stint_engine *engine, const char *name)
{
	const uint32_t known = stint_engine_node_find(engine, name);
	if (known != STINT_NO_HANDLE)
		return known;
	if (!engine->free_nodes.count)
		grow_tables(engine, engine->nodes_count + 1);
	const uint32_t handle = engine_take_slot(&engine->free_nodes, &engine->nodes_count);
	engine->nodes[handle] = (struct node){.name = stint_strdup(name), .first_pod = STINT_NO_HANDLE, .pool = STINT_NO_HANDLE};
	engine->books[handle] = (struct books){.device_mib = STINT_DEFAULT_GPU_MIB};
	if (engine->extended_stride)
		memset(engine_extended(engine, handle, 0), 0, engine->extended_stride * sizeof *engine->extended);
	stint_map_set(engine->node_names, name, (void *)(uintptr_t)(handle + 1));
	engine->names_stale = true;
	engine_node_changed(engine, handle, true);
	return handle;
}

uint32_t stint_engine_node_find(const struct stint_engine *engine, const char *name)
{
	return (uint32_t)(uintptr_t)stint_map_get(engine->node_names, name) - 1;
}

void engine_node_release(struct stint_engine *engine, uint32_t handle)
{
	struct node *node = &engine->nodes[handle];
	if (node->object || node->first_pod != STINT_NO_HANDLE || node->zones || engine_node_has_devices(engine, handle))
		return;
	stint_map_remove(engine->node_names, node->name);
	free(node->name);
	free(node->reserved_mib);
	free(engine->books[handle].devices);
	engine_claim_table_free(node->devices);
	*node = (struct node){.first_pod = STINT_NO_HANDLE, .pool = STINT_NO_HANDLE};
	engine->books[handle] = (struct books){0};
	handles_push(&engine->free_nodes, handle);
	engine->names_stale = true;
	engine_node_changed(engine, handle, true);
}

/* The log is a ring of at least twice as many entries as there are nodes: a ranking further behind than that is made anew. */
void engine_node_changed(struct stint_engine *engine, uint32_t handle, bool respecified)
{
	if (engine->log_size < 2 * engine->nodes_count) {
		size_t size = 64;
		while (size < 4 * engine->nodes_count)
			size *= 2;
		uint32_t *log = stint_alloc(size * sizeof *log);
		const uint64_t kept = engine->changes < engine->log_size ? engine->changes : engine->log_size;
		for (uint64_t at = engine->changes - kept; at < engine->changes; at++)
			log[at & (size - 1)] = engine->log[at & (engine->log_size - 1)];
		free(engine->log);
		engine->log = log;
		engine->log_size = size;
	}
	struct node *node = &engine->nodes[handle];
	engine->log[engine->changes & (engine->log_size - 1)] = handle;
	node->changed = ++engine->changes;
	if (respecified) {
		node->respecified = node->changed;
		engine->specifications++;
	}
}

/* kai-engine 3.1: a node counts while it takes pods, without what other schedulers use of it. */
void engine_node_count(struct stint_engine *engine, uint32_t handle)
{
	struct node *node = &engine->nodes[handle];
	struct amounts now = {0};
	if (engine->books[handle].open) {
		const struct stint_resources *offered = &node->object->allocatable;
		now = (struct amounts){offered->cpu_milli, offered->memory_bytes, offered->gpu_milli / 10 + node->mig_percent};
		now.gpu_percent += node->devices ? 100 * (int64_t)node->devices->gpus : 0;
		amounts_add(&now, &node->foreign, -1);
	}
	if (memcmp(&now, &node->counted, sizeof now) == 0)
		return;
	amounts_add(&engine->total, &node->counted, -1);
	amounts_add(&engine->total, &now, 1);
	node->counted = now;
	engine->shares_stale = true;
}

static void respecify(struct stint_engine *engine, uint32_t handle, struct stint_node *object)
{
	struct node *node = &engine->nodes[handle];
	struct stint_node *former = node->object;
	engine_account_node(engine, handle, -1);
	node->object = object;
	engine_pool_of_node(engine, handle);
	engine_terms_node(engine, handle);
	engine_books_reset(engine, handle);
	engine_account_node(engine, handle, 1);
	engine_node_count(engine, handle);
	engine->gpu_mib_stale = true;
	engine->room_epoch++;
	engine->search_epoch++;
	engine->stirred = true;
	engine_node_changed(engine, handle, true);
	if (former)
		stint_object_unref(&former->meta);
	engine->nodes_live += (size_t)(object != NULL) - (size_t)(former != NULL);
}

/* Most news of a node are its heartbeat: those must cost nothing. */
static bool same_specification(const struct stint_node *a, const struct stint_node *b)
{
	if (a->unschedulable != b->unschedulable || a->ready != b->ready || a->pressures != b->pressures || a->gpu_count != b->gpu_count ||
		a->gpu_memory_mib != b->gpu_memory_mib || a->taints_count != b->taints_count ||
		a->meta.labels.count != b->meta.labels.count)
		return false;
	const struct stint_resources *x = &a->allocatable, *y = &b->allocatable;
	if (x->cpu_milli != y->cpu_milli || x->memory_bytes != y->memory_bytes || x->gpu_milli != y->gpu_milli || x->pods != y->pods ||
		x->extended_count != y->extended_count)
		return false;
	for (uint32_t i = 0; i < x->extended_count; i++) {
		if (x->extended[i].amount != y->extended[i].amount || strcmp(x->extended[i].name, y->extended[i].name) != 0)
			return false;
	}
	for (uint32_t i = 0; i < a->taints_count; i++) {
		const struct stint_taint *s = &a->taints[i], *t = &b->taints[i];
		if (s->effect != t->effect || strcmp(s->key, t->key) != 0 || strcmp(s->value, t->value) != 0)
			return false;
	}
	for (uint32_t i = 0; i < a->meta.labels.count; i++) {
		const struct stint_pair *s = &a->meta.labels.items[i], *t = &b->meta.labels.items[i];
		if (strcmp(s->key, t->key) != 0 || strcmp(s->value, t->value) != 0)
			return false;
	}
	return true;
}

uint32_t stint_engine_node_upsert(struct stint_engine *engine, struct stint_node *object)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT, .object = &object->meta});
	engine_drop_reservations(engine);
	const uint32_t handle = engine_node_named(engine, object->meta.name);
	struct stint_node *former = engine->nodes[handle].object;
	stint_object_ref(&object->meta);
	if (former && same_specification(former, object)) {
		engine->nodes[handle].object = object;
		stint_object_unref(&former->meta);
	} else {
		respecify(engine, handle, object);
	}
	return handle;
}

void stint_engine_node_remove(struct stint_engine *engine, const char *name)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT_GONE, .gone = STINT_KIND_NODE, .name = name});
	engine_drop_reservations(engine);
	const uint32_t handle = stint_engine_node_find(engine, name);
	if (handle == STINT_NO_HANDLE || !engine->nodes[handle].object)
		return;
	respecify(engine, handle, NULL);
	engine_node_release(engine, handle);
}

static bool name_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	return strcmp(engine->nodes[a].name, engine->nodes[b].name) < 0;
}

static void rank_names(struct stint_engine *engine)
{
	engine->by_name.count = 0;
	for (size_t i = 0; i < engine->nodes_count; i++) {
		if (engine->nodes[i].name)
			handles_push(&engine->by_name, (uint32_t)i);
	}
	engine_sort(engine, engine->by_name.items, engine->by_name.count, name_precedes);
	for (size_t i = 0; i < engine->by_name.count; i++)
		engine->nodes[engine->by_name.items[i]].rank = (uint32_t)i;
	engine->names_stamp++;
	engine->names_stale = false;
}

void engine_nodes_settle(struct stint_engine *engine)
{
	if (engine->names_stale)
		rank_names(engine);
	if (!engine->gpu_mib_stale)
		return;
	int64_t least = INT64_MAX, most = 0;
	for (size_t i = 0; i < engine->nodes_count; i++) {
		const struct stint_node *object = engine->nodes[i].object;
		if (!object || object->gpu_memory_mib <= STINT_DEFAULT_GPU_MIB)
			continue;
		least = object->gpu_memory_mib < least ? object->gpu_memory_mib : least;
		most = object->gpu_memory_mib > most ? object->gpu_memory_mib : most;
	}
	if (most == 0)
		least = most = STINT_DEFAULT_GPU_MIB;
	if (least != engine->least_gpu_mib)
		engine->shares_stale = true;
	for (size_t i = 0; most != engine->most_gpu_mib && i < engine->queues_count; i++)
		engine->queues[i].epoch++; /* what counts against limits has changed */
	engine->least_gpu_mib = least;
	engine->most_gpu_mib = most;
	engine->gpu_mib_stale = false;
}

static void widen_extended(struct stint_engine *engine)
{
	const size_t before = engine->extended_stride, stride = before ? 2 * before : 4;
	struct extended *wider = stint_alloc((engine->nodes_capacity ? engine->nodes_capacity : 1) * stride * sizeof *wider);
	for (size_t i = 0; i < engine->nodes_count && before; i++)
		memcpy(wider + i * stride, engine->extended + i * before, before * sizeof *wider);
	free(engine->extended);
	engine->extended = wider;
	engine->extended_stride = stride;
}

/* Only nodes make a resource known: what pods name costs no room in the tables. */
uint32_t engine_extended_resource(struct stint_engine *engine, const char *name, bool make)
{
	const uint32_t known = (uint32_t)(uintptr_t)stint_map_get(engine->extended_index, name) - 1;
	if (known != STINT_NO_HANDLE || !make)
		return known;
	const uint32_t resource = (uint32_t)engine->extended_names_count;
	stint_grow(&engine->extended_names, &engine->extended_names_capacity, resource + 1, sizeof *engine->extended_names);
	engine->extended_names[engine->extended_names_count++] = stint_strdup(name);
	stint_map_set(engine->extended_index, name, (void *)(uintptr_t)(resource + 1));
	if (resource >= engine->extended_stride)
		widen_extended(engine);
	engine_shapes_resolve(engine);
	return resource;
}
