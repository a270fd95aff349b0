/*
 * state: makes and frees an engine, and the small tools that its tables need: slots, a sort and a heap that allocate nothing once warm.
 *
 * Owns the struct stint_engine as a whole; what is in its tables belongs to the file that is named after it.
 */
#include "state.h"
#include "topology.h"

struct stint_engine *stint_engine_new(void)
{
	struct stint_engine *engine = stint_alloc(sizeof *engine);
	engine->node_names = stint_map_new(NULL);
	engine->extended_index = stint_map_new(NULL);
	engine->queue_names = stint_map_new(NULL);
	engine->group_keys = stint_map_new_borrowing(NULL);
	engine->pod_uids = stint_map_new_borrowing(NULL);
	engine->topology_names = stint_map_new(NULL);
	engine->term_names = stint_map_new(NULL);
	engine->spaces = stint_map_new(NULL);
	engine->aside = STINT_NO_HANDLE;
	engine->last_shape = STINT_NO_HANDLE;
	engine->wake_ms = INT64_MAX;
	engine->search_epoch = 1;
	engine_claims_init(engine);
	engine_pools_init(engine);
	engine->policy = stint_policy_of(STINT_BINPACK, STINT_BINPACK);
	engine->least_gpu_mib = engine->most_gpu_mib = STINT_DEFAULT_GPU_MIB;
	return engine;
}

void stint_engine_watch(struct stint_engine *engine, const struct stint_witness *witness)
{
	engine->witness = witness ? *witness : (struct stint_witness){0};
}

static void free_handles(struct handles *handles)
{
	free(handles->items);
}

void stint_engine_free(struct stint_engine *engine)
{
	if (!engine)
		return;
	for (size_t i = 0; i < engine->pods_count; i++) {
		stint_object_unref(engine->pods[i].object ? &engine->pods[i].object->meta : NULL);
		stint_reach_unref(engine->pods[i].reach);
		free(engine->pods[i].claims);
	}
	for (size_t i = 0; i < engine->shapes_count; i++)
		engine_shape_discard(engine, &engine->shapes[i]);
	engine_terms_free(engine);
	for (size_t i = 0; i < engine->nodes_count; i++) {
		struct node *node = &engine->nodes[i];
		stint_object_unref(node->object ? &node->object->meta : NULL);
		free(node->name);
		free(node->reserved_mib);
		free(engine->books[i].devices);
		engine_claim_table_free(node->devices);
		engine_zone_table_free(node->zones);
	}
	engine_claims_free(engine);
	engine_mix_free(engine);
	for (size_t i = 0; i < engine->queues_count; i++) {
		struct queue *queue = &engine->queues[i];
		stint_object_unref(queue->object ? &queue->object->meta : NULL);
		free(queue->name);
		free(queue->line.items);
		for (enum order_kind kind = 0; kind < ORDER_KINDS; kind++)
			free_handles(&queue->turns[kind].heap);
	}
	for (size_t i = 0; i < engine->groups_count; i++) {
		free(engine->groups[i].key);
		free(engine->groups[i].pods);
		engine_gang_free(engine->groups[i].gang);
		engine_pools_clear(engine, &engine->groups[i].pools);
		free(engine->groups[i].record);
		free(engine->groups[i].loss);
	}
	for (size_t i = 0; i < engine->topologies_count; i++)
		engine_topology_discard(engine, &engine->topologies[i]);
	for (size_t i = 0; i < engine->nests_count; i++) {
		engine_split_free(&engine->nests[i]->split);
		engine_field_free(&engine->nests[i]->field);
		free(engine->nests[i]);
	}
	for (size_t i = 0; i < engine->extended_names_count; i++)
		free(engine->extended_names[i]);
	stint_map_free(engine->node_names);
	stint_map_free(engine->extended_index);
	stint_map_free(engine->queue_names);
	stint_map_free(engine->group_keys);
	stint_map_free(engine->pod_uids);
	stint_map_free(engine->topology_names);
	struct handles *const lists[] = {&engine->free_nodes, &engine->free_queues, &engine->free_groups, &engine->free_pods,
		&engine->free_shapes, &engine->free_topologies, &engine->free_domains, &engine->queue_order, &engine->by_name,
		&engine->chunk, &engine->reserved, &engine->suspects, &engine->masked, &engine->scratch, &engine->sorting, &engine->judged};
	for (size_t i = 0; i < STINT_COUNT(lists); i++)
		free_handles(lists[i]);
	for (enum order_kind kind = 0; kind < ORDER_KINDS; kind++)
		free_handles(&engine->orders[kind].roots);
	engine_backfill_free(engine);
	engine_pools_free(engine);
	free(engine->topologies);
	free(engine->domains);
	free(engine->nests);
	free(engine->nodes);
	free(engine->books);
	free(engine->extended);
	free(engine->extended_names);
	free(engine->queues);
	free(engine->groups);
	free(engine->pods);
	free(engine->shapes);
	free(engine->shape_buckets);
	free(engine->log);
	free(engine->sharers);
	free(engine->decisions);
	free(engine->plan.changes);
	engine_search_free(engine->search);
	free(engine);
}

uint32_t engine_take_slot(struct handles *free_slots, size_t *count)
{
	if (free_slots->count)
		return free_slots->items[--free_slots->count];
	return (uint32_t)(*count)++;
}

void engine_sort(struct stint_engine *engine, uint32_t *items, size_t count, engine_order *precedes)
{
	enum { RUN = 8 };
	for (size_t start = 0; start < count; start += RUN) {
		const size_t end = start + RUN < count ? start + RUN : count;
		for (size_t i = start + 1; i < end; i++) {
			const uint32_t moving = items[i];
			size_t at = i;
			for (; at > start && precedes(engine, moving, items[at - 1]); at--)
				items[at] = items[at - 1];
			items[at] = moving;
		}
	}
	if (count <= RUN)
		return;
	stint_grow(&engine->scratch.items, &engine->scratch.capacity, count, sizeof(uint32_t));
	uint32_t *from = items, *to = engine->scratch.items;
	for (size_t width = RUN; width < count; width *= 2) {
		for (size_t start = 0; start < count; start += 2 * width) {
			const size_t middle = start + width < count ? start + width : count;
			const size_t end = start + 2 * width < count ? start + 2 * width : count;
			size_t left = start, right = middle;
			for (size_t at = start; at < end; at++) {
				const bool take_right = right < end && (left >= middle || precedes(engine, from[right], from[left]));
				to[at] = take_right ? from[right++] : from[left++];
			}
		}
		uint32_t *swap = from;
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, count * sizeof *items);
}

void engine_heap_up(const struct stint_engine *engine, struct handles *heap, size_t at, engine_order *precedes)
{
	const uint32_t moving = heap->items[at];
	while (at > 0) {
		const size_t parent = (at - 1) / 2;
		if (!precedes(engine, moving, heap->items[parent]))
			break;
		heap->items[at] = heap->items[parent];
		at = parent;
	}
	heap->items[at] = moving;
}

void engine_heap_down(const struct stint_engine *engine, struct handles *heap, size_t at, engine_order *precedes)
{
	const uint32_t moving = heap->items[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && precedes(engine, heap->items[child + 1], heap->items[child]))
			child++;
		if (!precedes(engine, heap->items[child], moving))
			break;
		heap->items[at] = heap->items[child];
		at = child;
	}
	heap->items[at] = moving;
}

struct stint_policy stint_policy_of(enum stint_placement gpu, enum stint_placement cpu)
{
	return (struct stint_policy){
		.gpu_nodes = gpu,
		.cpu_nodes = cpu,
		.gpu_devices = gpu,
		.prefer_idle = true,
		.prefer_shared = gpu == STINT_BINPACK || gpu == STINT_UNORDERED,
		.prefer_cpu_nodes = true,
		.usage_factor = 1,
		.actions = {STINT_ACTION_ALLOCATE},
		.actions_count = 1,
		.consolidation_max_victims = 16,
		.reclaim_may_consolidate = true,
		.reclaim_saturation = 1,
		.min_runtime_method = STINT_MIN_RUNTIME_LCA,
		.stale_grace_ms = 60000,
	};
}

void stint_policy_evict(struct stint_policy *policy)
{
	bool packs = policy->gpu_nodes != STINT_SPREAD && policy->cpu_nodes != STINT_SPREAD;
	for (uint32_t i = 0; i < policy->pools_count; i++)
		packs = packs || policy->pools[i].gpu_nodes != STINT_SPREAD;
	policy->actions_count = 0;
	for (enum stint_action action = 0; action < STINT_ACTIONS; action++) {
		if (packs || action != STINT_ACTION_CONSOLIDATION)
			policy->actions[policy->actions_count++] = action;
	}
}

const char *stint_action_name(enum stint_action action)
{
	static const char *const names[STINT_ACTIONS] = {"allocate", "consolidation", "reclaim", "preempt", "staleGangEviction"};
	return names[action];
}

const char *stint_dimension_name(enum stint_dimension dimension)
{
	static const char *const names[STINT_DIMENSIONS] = {"cpu", "memory", "gpu"};
	return names[dimension];
}

void stint_engine_measure(const struct stint_engine *engine, struct stint_engine_stats *out)
{
	*out = (struct stint_engine_stats){
		.nodes = engine->nodes_live,
		.queues = stint_map_count(engine->queue_names),
		.groups = stint_map_count(engine->group_keys),
		.pods = stint_map_count(engine->pod_uids),
		.shapes = engine->shapes_live,
		.terms = engine->terms_live,
		.rankings = engine->rankings,
	};
	out->bytes = sizeof *engine + engine->nodes_capacity * (sizeof *engine->nodes + sizeof *engine->books) +
		engine->nodes_capacity * engine->extended_stride * sizeof *engine->extended +
		engine->queues_capacity * sizeof *engine->queues + engine->groups_capacity * sizeof *engine->groups +
		engine->pods_capacity * sizeof *engine->pods + engine->shapes_capacity * sizeof *engine->shapes +
		engine->log_size * sizeof *engine->log + engine->decisions_capacity * sizeof *engine->decisions;
	for (size_t i = 0; i < engine->nodes_count; i++)
		out->bytes += engine->books[i].devices_count * sizeof(struct device);
	for (size_t i = 0; i < engine->queues_count; i++)
		out->bytes += engine->queues[i].line.capacity * sizeof(struct line_entry);
	for (size_t i = 0; i < engine->groups_count; i++)
		out->bytes += engine->groups[i].pods_capacity * sizeof(uint32_t);
	for (size_t i = 0; i < engine->shapes_count; i++) {
		const struct ranking *ranking = &engine->shapes[i].ranking;
		out->bytes += ranking->width * (sizeof *ranking->scores + 2 * sizeof *ranking->winners + sizeof *ranking->fixed);
	}
}
