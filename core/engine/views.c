/*
 * views: what others may see of the state, for metrics, screens and explanations. Nothing here changes it, but that fair shares are
 * divided when somebody asks for them.
 */
#include "state.h"

#define NEXT_SLOT(items, items_count, after, used)                            \
	for (size_t i_ = (uint32_t)((after) + 1); i_ < (items_count); i_++) { \
		if ((items)[i_].used)                                         \
			return (uint32_t)i_;                                  \
	}                                                                     \
	return STINT_NO_HANDLE

uint32_t stint_engine_queue_next(const struct stint_engine *engine, uint32_t after)
{
	NEXT_SLOT(engine->queues, engine->queues_count, after, object);
}

uint32_t stint_engine_node_next(const struct stint_engine *engine, uint32_t after)
{
	NEXT_SLOT(engine->nodes, engine->nodes_count, after, object);
}

const char *stint_engine_queue_name(const struct stint_engine *engine, uint32_t handle)
{
	return handle < engine->queues_count ? engine->queues[handle].name : NULL;
}

bool stint_engine_queue_view(struct stint_engine *engine, uint32_t handle, struct stint_queue_view *out)
{
	if (handle >= engine->queues_count || !engine->queues[handle].name)
		return false;
	engine_shares_settle(engine);
	engine_queue_order_settle(engine);
	const struct queue *queue = &engine->queues[handle];
	*out = (struct stint_queue_view){
		.name = queue->name,
		.parent = queue->parent,
		.usable = queue->usable,
		.leaf = queue->first_child == STINT_NO_HANDLE,
		.priority = queue->priority,
		.groups_waiting = queue->waiting,
	};
	memcpy(out->quota, queue->quota, sizeof out->quota);
	memcpy(out->limit, queue->limit, sizeof out->limit);
	memcpy(out->weight, queue->weight, sizeof out->weight);
	memcpy(out->fair_share, queue->fair, sizeof out->fair_share);
	amounts_in_units(&queue->allocated, out->allocated);
	amounts_in_units(&queue->allocated_fixed, out->allocated_non_preemptible);
	engine_queue_requested(engine, queue, out->requested);
	return true;
}

void stint_engine_cluster_total(const struct stint_engine *engine, double total[static STINT_DIMENSIONS])
{
	amounts_in_units(&engine->total, total);
}

bool stint_engine_node_view(const struct stint_engine *engine, uint32_t handle, struct stint_node_view *out)
{
	if (handle >= engine->nodes_count || !engine->nodes[handle].name)
		return false;
	const struct node *node = &engine->nodes[handle];
	const struct books *books = &engine->books[handle];
	*out = (struct stint_node_view){
		.pool = node->pool == STINT_NO_HANDLE ? NULL : engine->pools.items[node->pool].name,
		.node = node->object,
		.name = node->name,
		.cpu_milli_idle = books->cpu_idle,
		.memory_bytes_idle = books->memory_idle,
		.pods_idle = books->pods_idle,
		.devices = books->devices_count,
		.gpus_idle = books->gpus_idle + (node->devices ? node->devices->gpus_idle : 0),
		.gpus_releasing = books->gpus_leaving + (node->devices ? node->devices->gpus_leaving : 0),
		.device_memory_mib = books->device_mib,
	};
	if (node->object) {
		out->cpu_milli = node->object->allocatable.cpu_milli;
		out->memory_bytes = node->object->allocatable.memory_bytes;
		out->pods = (int32_t)node->object->allocatable.pods;
		out->device_memory_known = node->object->gpu_memory_mib > 0;
	}
	return true;
}

bool stint_engine_device_view(const struct stint_engine *engine, uint32_t node, uint32_t slot, struct stint_device_view *out)
{
	if (node >= engine->nodes_count || slot >= engine->books[node].devices_count)
		return false;
	const struct device *device = &engine->books[node].devices[slot];
	*out = (struct stint_device_view){
		.memory_mib = engine->books[node].device_mib,
		.used_mib = device->present,
		.releasing_mib = device->leaving,
		.pods = device->pods,
		.whole = device->whole > 0,
	};
	return true;
}

bool stint_engine_group_view(const struct stint_engine *engine, uint32_t handle, struct stint_group_view *out)
{
	if (handle >= engine->groups_count || !engine->groups[handle].key)
		return false;
	const struct group *group = &engine->groups[handle];
	*out = (struct stint_group_view){
		.key = group->key,
		.queue_name = group->queue == STINT_NO_HANDLE ? NULL : engine->queues[group->queue].name,
		.queue = group->queue,
		.priority = group->priority,
		.preemptible = group->preemptible,
		.created_ms = group->created_ms,
		.min_member = group->min_member,
		.parts = group->gang && !group->gang->implied ? group->gang->named : 0,
		.pods = group->pods_count,
		.pending = group->pending,
		.gated = group->gated,
		.active = group->active,
		.releasing = group->leaving,
		.gpus_allocated = (double)group->allocated.gpu_percent / 100.0,
		.started_ms = group->started_ms,
		.last_evicted_ms = group->last_evicted_ms,
		.stale_since_ms = group->stale_since_ms,
	};
	return true;
}

bool stint_engine_pod_view(const struct stint_engine *engine, uint32_t handle, struct stint_pod_view *out)
{
	if (handle >= engine->pods_count || !engine->pods[handle].object)
		return false;
	const struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	*out = (struct stint_pod_view){
		.pod = pod->object,
		.group = pod->group,
		.node = pod->node,
		.status = (enum stint_pod_status)pod->status,
		.devices = pod->devices,
		.device_count = shape->devices,
	};
	if (pod->node != STINT_NO_HANDLE) {
		out->portion_percent = pod->percent;
		out->device_memory_mib = pod->device_mib;
		out->gpus = (double)engine_pod_gpu_percent(pod, shape) / 100.0;
	} else {
		out->gpus = (double)shape->asked.gpu_percent / 100.0 + (double)shape->asked_mib / (double)engine->least_gpu_mib;
	}
	return true;
}

uint32_t stint_engine_node_pod_next(const struct stint_engine *engine, uint32_t node, uint32_t after)
{
	return after == STINT_NO_HANDLE ? engine->nodes[node].first_pod : engine->pods[after].node_next;
}
