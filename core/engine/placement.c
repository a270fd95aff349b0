/*
 * placement: puts the pods of one group on nodes, all that start together or none (kai-engine 5.1, 8.1).
 *
 * A chunk is part of a plan (plan.c): a failure takes back what it placed and no more. Pods are placed one by one on the best node of their shape; there is no backtracking among them.
 * Costs: O(log nodes) per pod, given or taken back; a chunk that its queue's bounds refuse costs the chunk alone.
 */
#include "state.h"

void engine_chunk_asks(
	struct stint_engine *engine, uint32_t handle, bool with_evicted, int64_t gpu_mib, double out[static STINT_DIMENSIONS])
{
	struct handles *chunk = &engine->chunk;
	struct amounts sum = {0};
	int64_t mib = 0;
	chunk->count = 0;
	engine_group_chunk(engine, handle, with_evicted, chunk);
	for (size_t i = 0; i < chunk->count; i++) {
		const struct shape *shape = &engine->shapes[engine->pods[chunk->items[i]].shape];
		amounts_add(&sum, &shape->asked, 1);
		mib = plus(mib, shape->asked_mib);
	}
	amounts_to(&sum, out);
	out[STINT_GPU] += 100.0 * (double)mib / (double)gpu_mib;
}

/* ---- one pod ------------------------------------------------------------------------------------------------------------------- */

/*
 * The bounds of its queues with the amount that it takes on this very node (kai-engine 3.3, 6.2.1). KAI tests the part of the device's
 * memory, rounded up; what is charged afterwards may be a hundredth more (0.57 of 100 MiB is 56): the larger of the two must fit.
 */
static bool admitted_on(
	const struct stint_engine *engine, const struct group *group, const struct shape *shape, uint32_t node, struct stint_record *record)
{
	double asked[STINT_DIMENSIONS];
	amounts_to(&shape->asked, asked);
	if (shape->gpu != STINT_GPU_NONE) {
		const int64_t all = engine->books[node].device_mib;
		const int64_t part = (100 * (int64_t)engine_share_mib(engine, shape, node) + all - 1) / all;
		const int64_t charged = engine_share_percent(engine, shape, node);
		asked[STINT_GPU] = (double)((int64_t)shape->devices * (part > charged ? part : charged));
	}
	return engine_queue_admits(engine, group->queue, asked, group->preemptible, record);
}

/* Others' reservations of the node (backfill.c). */
static bool allowed_on(const struct stint_engine *engine, uint32_t handle, uint32_t node, struct stint_record *record)
{
	const struct pod *pod = &engine->pods[handle];
	uint32_t blocker = STINT_NO_HANDLE;
	if (engine_backfill_allows(engine, pod->group, &engine->shapes[pod->shape], node, &blocker))
		return true;
	*record = (struct stint_record){
		.reason = STINT_REASON_PROMISED,
		.blocker = blocker,
		.expected_ms = engine_backfill_start(engine, blocker),
		.queue = STINT_NO_HANDLE,
		.pod = handle,
		.since_ms = -1,
	};
	return false;
}

static bool put_on(struct stint_engine *engine, uint32_t pod, uint32_t node, bool reserve_only)
{
	const struct shape *shape = &engine->shapes[engine->pods[pod].shape];
	uint32_t fitting;
	const enum fit fit = engine_fit(engine, shape, node, &fitting);
	struct device_choice choice;
	if (fit == FIT_NONE || !engine_devices_choose(engine, shape, node, fit == FIT_NOW, reserve_only, &choice))
		return false;
	engine_plan_place(engine, pod, node, &choice);
	return true;
}

static bool put_on_nominated(struct stint_engine *engine, const struct group *group, uint32_t handle, bool reserve_only)
{
	const struct pod *pod = &engine->pods[handle];
	if (!pod->object->nominated_node)
		return false;
	const uint32_t node = stint_engine_node_find(engine, pod->object->nominated_node);
	struct stint_record record;
	return node != STINT_NO_HANDLE && engine_ranking_fits(engine, pod->shape, node) && allowed_on(engine, handle, node, &record) &&
		admitted_on(engine, group, &engine->shapes[pod->shape], node, &record) && put_on(engine, handle, node, reserve_only);
}

/* False: no node would take it; the record holds the bound when only a bound of its queues was in the way, else it is unchanged. */
static bool put_on_best(
	struct stint_engine *engine, const struct group *group, uint32_t handle, bool reserve_only, struct stint_record *record)
{
	const uint32_t shape = engine->pods[handle].shape;
	engine->masked.count = 0;
	bool placed = false;
	for (;;) {
		const uint32_t node = engine_ranking_best(engine, shape);
		if (node == STINT_NO_HANDLE)
			break;
		placed = allowed_on(engine, handle, node, record) && admitted_on(engine, group, &engine->shapes[shape], node, record) &&
			put_on(engine, handle, node, reserve_only);
		if (placed)
			break;
		engine_ranking_mask(engine, shape, node);
		handles_push(&engine->masked, node);
	}
	for (size_t i = 0; i < engine->masked.count; i++)
		engine_ranking_unmask(engine, shape, engine->masked.items[i]);
	return placed;
}

/* ---- one chunk --------------------------------------------------------------------------------------------------------------------- */

/* Part of the gang must wait for pods that are leaving: then all of it waits, on the same nodes, and holds its place. */
static bool reserve_all(struct stint_engine *engine, size_t mark)
{
	struct handles *nodes = &engine->sorting;
	nodes->count = 0;
	for (size_t i = mark; i < engine->plan.count; i++)
		handles_push(nodes, engine->pods[engine->plan.changes[i].pod].node);
	engine_plan_rollback(engine, mark);
	for (size_t i = 0; i < nodes->count; i++) {
		if (!put_on(engine, engine->chunk.items[i], nodes->items[i], true))
			return false;
	}
	return true;
}

static bool fail_for_room(struct stint_engine *engine, uint32_t handle, size_t mark, uint32_t found, struct stint_record *record)
{
	struct group *group = &engine->groups[handle];
	const uint32_t pod = engine->chunk.items[found];
	const bool bounded = record->reason != STINT_REASON_NONE;
	engine_plan_rollback(engine, mark);
	if (bounded) {
		/* Another node's devices might count for less: no memo that one number could keep. */
		group->memo.kind = MEMO_NONE;
		return false;
	}
	group->memo = (struct memo){
		.kind = MEMO_ROOM,
		.no_node = found == 0,
		.handle = engine->pods[pod].shape,
		.epoch = engine->room_epoch,
	};
	*record = (struct stint_record){
		.reason = STINT_REASON_NO_ROOM,
		.queue = STINT_NO_HANDLE,
		.have = group->active + found,
		.need = group->active + (uint32_t)engine->chunk.count,
		.pod = pod,
		.since_ms = -1,
	};
	return false;
}

static bool place_chunk(struct stint_engine *engine, uint32_t handle, const struct placing *how, struct stint_record *record)
{
	struct group *group = &engine->groups[handle];
	const struct handles *chunk = &engine->chunk;
	const size_t mark = engine_plan_mark(engine);
	double asked[STINT_DIMENSIONS];
	engine_chunk_asks(engine, handle, how->reserve_only, engine->most_gpu_mib, asked);
	if (!engine_queue_admits(engine, group->queue, asked, group->preemptible, record)) {
		group->memo = (struct memo){.kind = MEMO_QUEUE, .handle = record->queue, .epoch = engine->queues[record->queue].epoch};
		return false;
	}
	for (uint32_t found = 0; found < chunk->count; found++) {
		const uint32_t pod = chunk->items[found];
		if (!put_on_nominated(engine, group, pod, how->reserve_only) && !put_on_best(engine, group, pod, how->reserve_only, record))
			return fail_for_room(engine, handle, mark, found, record);
		record->reason = STINT_REASON_NONE;
	}
	if (group->reserved && group->active - group->reserved < group->min_member && !how->reserve_only && !reserve_all(engine, mark))
		return fail_for_room(engine, handle, mark, 0, record);
	return chunk->count > 0;
}

bool engine_place_group(struct stint_engine *engine, uint32_t handle, const struct placing *how, struct stint_record *record)
{
	const struct memo memo = engine->groups[handle].memo;
	*record = (struct stint_record){.queue = STINT_NO_HANDLE, .pod = STINT_NO_HANDLE, .since_ms = -1};
	const bool placed = place_chunk(engine, handle, how, record);
	if (how->reserve_only)
		engine->groups[handle].memo = memo;
	return placed;
}
