/*
 * holds: places that evictions have made or found are kept beyond the cycle: for the group that they were made for, until those who leave have
 * gone, and for what was moved, until its owner has made the pod again, in a moment and under another name.
 *
 * Others may use such a node only as far as the place is not missed, unless their priority is higher; the first pod of the group that asks for
 * the same takes it. A hold ends when it is taken, after the policy's time, or with its group.
 *
 * A hold is taken in the plan, like a seat, and rolled back with it. A victim that the plan puts back where it was has taken none: its place
 * is its own, though it may be on the node of a hold of its group.
 *
 * Promises: with hold_moved_ms = 0 nothing of this happens; after a rollback every hold is what it was before.
 * Costs: O(holds of all), which are few, for nodes that some hold names; else O(1).
 */
#include "hunt.h"

static bool is_taken(const struct stint_engine *engine, const struct hold *hold)
{
	if (hold->pod == STINT_NO_HANDLE)
		return false;
	const struct pod *pod = &engine->pods[hold->pod];
	return pod->group == hold->group && pod->node == hold->node && engine_pod_active(pod);
}

static void drop(struct stint_engine *engine, size_t index)
{
	struct holds *holds = &engine->holds;
	engine->nodes[holds->items[index].node].promised--;
	holds->items[index] = holds->items[--holds->count];
}

void engine_hold_add(struct stint_engine *engine, const struct pod *pod)
{
	if (engine->policy.hold_moved_ms <= 0)
		return;
	struct holds *holds = &engine->holds;
	stint_grow(&holds->items, &holds->capacity, holds->count + 1, sizeof *holds->items);
	holds->items[holds->count++] = (struct hold){
		.group = pod->group,
		.node = pod->node,
		.pod = STINT_NO_HANDLE,
		.hash = engine->shapes[pod->shape].hash,
		.until_ms = engine->now_ms + engine->policy.hold_moved_ms,
		.need = engine_need_of(engine, pod),
	};
	engine->nodes[pod->node].promised++;
	engine_wake_at(engine, engine->now_ms + engine->policy.hold_moved_ms);
}

void engine_holds_drop(struct stint_engine *engine, size_t kept)
{
	while (engine->holds.count > kept)
		drop(engine, engine->holds.count - 1);
}

void engine_holds_begin(struct stint_engine *engine)
{
	for (size_t i = engine->holds.count; i > 0; i--) {
		const struct hold *hold = &engine->holds.items[i - 1];
		if (hold->until_ms <= engine->now_ms || is_taken(engine, hold))
			drop(engine, i - 1);
	}
}

void engine_holds_forget(struct stint_engine *engine, uint32_t group)
{
	for (size_t i = engine->holds.count; i > 0; i--) {
		if (engine->holds.items[i - 1].group == group)
			drop(engine, i - 1);
	}
}

static size_t find(const struct stint_engine *engine, uint32_t handle, uint32_t node)
{
	const struct pod *pod = &engine->pods[handle];
	for (size_t i = 0; i < engine->holds.count; i++) {
		const struct hold *hold = &engine->holds.items[i];
		if (hold->group == pod->group && hold->hash == engine->shapes[pod->shape].hash && !is_taken(engine, hold) &&
			(node == STINT_NO_HANDLE || node == hold->node))
			return i;
	}
	return SIZE_MAX;
}

uint32_t engine_hold_of(const struct stint_engine *engine, uint32_t handle)
{
	const size_t index = find(engine, handle, STINT_NO_HANDLE);
	return index == SIZE_MAX ? STINT_NO_HANDLE : engine->holds.items[index].node;
}

static void give(struct stint_engine *engine, size_t index, uint32_t pod)
{
	struct holds *holds = &engine->holds;
	stint_grow(&holds->takings, &holds->takings_capacity, holds->takings_count + 1, sizeof *holds->takings);
	holds->takings[holds->takings_count++] =
		(struct taking){.hold = index, .changes = engine->plan.count, .former = holds->items[index].pod};
	holds->items[index].pod = pod;
}

void engine_hold_take(struct stint_engine *engine, uint32_t handle, uint32_t node)
{
	for (size_t i = 0; i < engine->holds.count; i++) {
		if (engine->holds.items[i].pod == handle && is_taken(engine, &engine->holds.items[i]))
			return; /* again, after its reservation ended with the last cycle */
	}
	const size_t index = find(engine, handle, node);
	if (index != SIZE_MAX)
		give(engine, index, handle);
}

void engine_hold_leave(struct stint_engine *engine, uint32_t handle)
{
	for (size_t i = engine->holds.takings_count; i > 0; i--) {
		const struct taking taking = engine->holds.takings[i - 1];
		if (engine->holds.items[taking.hold].pod == handle)
			give(engine, taking.hold, taking.former);
	}
}

void engine_holds_rollback(struct stint_engine *engine, size_t changes)
{
	struct holds *holds = &engine->holds;
	while (holds->takings_count && holds->takings[holds->takings_count - 1].changes > changes) {
		const struct taking *last = &holds->takings[--holds->takings_count];
		holds->items[last->hold].pod = last->former;
	}
}

void engine_holds_close(struct stint_engine *engine)
{
	engine->holds.takings_count = 0;
}

/* What the node has beyond the places that `group` must respect there; *first: whose the first of them is, STINT_NO_HANDLE: there are none. */
static struct need left_on(const struct stint_engine *engine, uint32_t group, uint32_t node, uint32_t *first)
{
	const struct books *books = &engine->books[node];
	struct need left = {
		.cpu_milli = books->cpu_idle + books->cpu_leaving,
		.memory_bytes = books->memory_idle + books->memory_leaving,
		.pods = books->pods_idle + books->pods_leaving,
		.gpus = books->gpus_idle + books->gpus_leaving,
	};
	*first = STINT_NO_HANDLE;
	for (size_t i = 0; i < engine->holds.count; i++) {
		const struct hold *hold = &engine->holds.items[i];
		if (hold->node != node || hold->group == group || is_taken(engine, hold) ||
			engine->groups[group].priority > engine->groups[hold->group].priority)
			continue;
		*first = *first == STINT_NO_HANDLE ? hold->group : *first;
		left.cpu_milli = plus(left.cpu_milli, -hold->need.cpu_milli);
		left.memory_bytes = plus(left.memory_bytes, -hold->need.memory_bytes);
		left.pods -= hold->need.pods;
		left.gpus -= hold->need.gpus;
	}
	return left;
}

bool engine_holds_allow(const struct stint_engine *engine, uint32_t group, const struct shape *shape, uint32_t node, uint32_t *blocker)
{
	uint32_t first;
	const struct need left = left_on(engine, group, node, &first);
	if (first == STINT_NO_HANDLE)
		return true;
	*blocker = first;
	return engine_need_fits(&left, shape, shape->gpu == STINT_GPU_NONE ? 0 : (int32_t)shape->devices);
}

bool engine_holds_stand(const struct stint_engine *engine, uint32_t group)
{
	for (size_t i = 0; i < engine->holds.count; i++) {
		uint32_t first;
		const struct need left = left_on(engine, group, engine->holds.items[i].node, &first);
		if (first != STINT_NO_HANDLE && (left.cpu_milli < 0 || left.memory_bytes < 0 || left.pods < 0 || left.gpus < 0))
			return false;
	}
	return true;
}
