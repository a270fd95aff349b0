/*
 * placement: puts the pods of one group on nodes, all that start together or none (kai-engine 5.1, 8.1).
 *
 * A chunk is a plan on the live state: engine->journal lists the pods it placed, and taking them back in reverse restores the state
 * exactly. Pods are placed one by one on the best node of their shape; there is no backtracking among them.
 * Costs: O(log nodes) per pod, given or taken back; a chunk that its queue's bounds refuse costs the chunk alone.
 */
#include "state.h"

static uint32_t next_waiting(const struct stint_engine *engine, struct group *group, uint32_t from)
{
	while (from < group->pods_count && engine->pods[group->pods[from]].status != STINT_POD_PENDING)
		from++;
	return from;
}

void engine_chunk_asks(struct stint_engine *engine, uint32_t handle, int64_t gpu_mib, double out[static STINT_DIMENSIONS])
{
	engine_group_sort(engine, handle);
	struct group *group = &engine->groups[handle];
	group->first_waiting = next_waiting(engine, group, group->first_waiting);
	struct amounts sum = {0};
	int64_t mib = 0;
	uint32_t at = group->first_waiting;
	for (uint32_t left = engine_group_chunk(group); left > 0; left--, at = next_waiting(engine, group, at + 1)) {
		const struct shape *shape = &engine->shapes[engine->pods[group->pods[at]].shape];
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

static void put(struct stint_engine *engine, uint32_t handle, uint32_t node, const struct device_choice *choice)
{
	struct pod *pod = &engine->pods[handle];
	engine_account(engine, handle, -1);
	pod->status = choice->now ? STINT_POD_ASSUMED : STINT_POD_RESERVED;
	pod->node = node;
	pod->devices = choice->devices;
	pod->reserved = choice->reserved;
	engine_account(engine, handle, 1);
	handles_push(&engine->journal, handle);
}

void engine_withdraw(struct stint_engine *engine, uint32_t handle)
{
	struct pod *pod = &engine->pods[handle];
	engine->quiet = true;
	engine_account(engine, handle, -1);
	pod->status = STINT_POD_PENDING;
	pod->node = STINT_NO_HANDLE;
	pod->devices = pod->reserved = 0;
	engine_account(engine, handle, 1);
	engine->quiet = false;
}

/* In the next cycle their pods must win their place again (kai-engine 1.9). */
void engine_drop_reservations(struct stint_engine *engine)
{
	while (engine->reserved.count) {
		const uint32_t pod = engine->reserved.items[--engine->reserved.count];
		engine_withdraw(engine, pod);
		engine_group_touch(engine, engine->pods[pod].group);
	}
}

static void take_back(struct stint_engine *engine, size_t mark)
{
	while (engine->journal.count > mark)
		engine_withdraw(engine, engine->journal.items[--engine->journal.count]);
}

static bool put_on(struct stint_engine *engine, uint32_t pod, uint32_t node, bool reserve_only)
{
	const struct shape *shape = &engine->shapes[engine->pods[pod].shape];
	uint32_t fitting;
	const enum fit fit = engine_fit(engine, shape, node, &fitting);
	struct device_choice choice;
	if (fit == FIT_NONE || !engine_devices_choose(engine, shape, node, fit == FIT_NOW, reserve_only, &choice))
		return false;
	put(engine, pod, node, &choice);
	return true;
}

static bool put_on_nominated(struct stint_engine *engine, const struct group *group, uint32_t handle)
{
	const struct pod *pod = &engine->pods[handle];
	if (!pod->object->nominated_node)
		return false;
	const uint32_t node = stint_engine_node_find(engine, pod->object->nominated_node);
	struct stint_record record;
	return node != STINT_NO_HANDLE && engine_ranking_fits(engine, pod->shape, node) &&
		admitted_on(engine, group, &engine->shapes[pod->shape], node, &record) && put_on(engine, handle, node, false);
}

/* False: no node would take it; the record holds the bound when only a bound of its queues was in the way, else it is unchanged. */
static bool put_on_best(struct stint_engine *engine, const struct group *group, uint32_t handle, struct stint_record *record)
{
	const uint32_t shape = engine->pods[handle].shape;
	engine->masked.count = 0;
	bool placed = false;
	for (;;) {
		const uint32_t node = engine_ranking_best(engine, shape);
		if (node == STINT_NO_HANDLE)
			break;
		placed = admitted_on(engine, group, &engine->shapes[shape], node, record) && put_on(engine, handle, node, false);
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
static bool reserve_all(struct stint_engine *engine)
{
	struct handles *nodes = &engine->sorting;
	nodes->count = 0;
	const size_t count = engine->journal.count;
	for (size_t i = 0; i < count; i++)
		handles_push(nodes, engine->pods[engine->journal.items[i]].node);
	take_back(engine, 0);
	for (size_t i = 0; i < count; i++) {
		/* The journal's entries outlive its count: put_on pushes the same pods in the same order. */
		if (!put_on(engine, engine->journal.items[i], nodes->items[i], true))
			return false;
	}
	return true;
}

static bool fail_for_room(
	struct stint_engine *engine, uint32_t handle, uint32_t pod, uint32_t found, uint32_t chunk, struct stint_record *record)
{
	struct group *group = &engine->groups[handle];
	const bool bounded = record->reason != STINT_REASON_NONE;
	take_back(engine, 0);
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
		.need = group->active + chunk,
		.pod = pod,
		.since_ms = -1,
	};
	return false;
}

bool engine_place_group(struct stint_engine *engine, uint32_t handle, struct stint_record *record)
{
	struct group *group = &engine->groups[handle];
	double asked[STINT_DIMENSIONS];
	*record = (struct stint_record){.queue = STINT_NO_HANDLE, .pod = STINT_NO_HANDLE, .since_ms = -1};
	engine->journal.count = 0;
	engine_chunk_asks(engine, handle, engine->most_gpu_mib, asked);
	if (!engine_queue_admits(engine, group->queue, asked, group->preemptible, record)) {
		group->memo = (struct memo){.kind = MEMO_QUEUE, .handle = record->queue, .epoch = engine->queues[record->queue].epoch};
		return false;
	}
	const uint32_t chunk = engine_group_chunk(group);
	uint32_t at = group->first_waiting;
	for (uint32_t found = 0; found < chunk; found++, at = next_waiting(engine, group, at + 1)) {
		const uint32_t pod = group->pods[at];
		if (!put_on_nominated(engine, group, pod) && !put_on_best(engine, group, pod, record))
			return fail_for_room(engine, handle, pod, found, chunk, record);
		record->reason = STINT_REASON_NONE;
	}
	if (group->reserved && group->active - group->reserved < group->min_member && !reserve_all(engine))
		return fail_for_room(engine, handle, engine->journal.items[0], 0, chunk, record);
	return true;
}
