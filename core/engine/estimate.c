/*
 * estimate: when a group that waits starts at the latest, if nothing new comes: the time is played forward on the engine itself. At each end
 * that is known all that waits is tried in the order of queues, as the allocate action does, under the reservations that stand; what finds
 * room keeps it for its declared time, or for good. So nobody is promised what somebody before it will take, and where no start comes of it
 * none is told. Evictions are left out: they can only make it earlier for the one and undo the promise to the other.
 * Everything is taken back.
 * Costs: a placement for each group that waits at each end; after MOST_TRIED of them nothing is told.
 */
#include "backfill.h"

#include <stdlib.h>

enum { MOST_TRIED = 4096 };

/* A group that has found room on the way. */
struct begun {
	uint32_t group;
	int64_t end_ms; /* INT64_MAX: not known */
};

struct future {
	struct stint_engine *engine;
	uint32_t wanted;
	struct begun *begun;
	size_t begun_count, begun_capacity;
	size_t next_end; /* in backfill.ends */
	size_t tried;
	int64_t at_ms;
};

static bool has_begun(const struct future *future, uint32_t group)
{
	for (size_t i = 0; i < future->begun_count; i++) {
		if (future->begun[i].group == group)
			return true;
	}
	return false;
}

/* Its reservation is fulfilled: what it asked for is in the books now. */
static void fulfil(struct backfill *backfill, uint32_t group)
{
	for (size_t i = 0; i < backfill->count; i++) {
		if (backfill->items[i].group == group)
			backfill->items[i].standing = false;
	}
}

static void note_begun(struct future *future, uint32_t handle)
{
	const int64_t time_ms = future->engine->groups[handle].time_ms;
	stint_grow(&future->begun, &future->begun_capacity, future->begun_count + 1, sizeof *future->begun);
	future->begun[future->begun_count++] = (struct begun){.group = handle, .end_ms = time_ms > 0 ? future->at_ms + time_ms : INT64_MAX};
	fulfil(&future->engine->backfill, handle);
}

/* Everything that waits takes its turn. Whether the wanted group has started. */
static bool try_all(struct future *future)
{
	struct stint_engine *engine = future->engine;
	engine->backfill.start_ms = future->at_ms;
	engine_order_clear(engine, ORDER_WAITING, engine_has_hope, engine->policy.queue_depth[STINT_ACTION_ALLOCATE]);
	engine_order_start(engine, ORDER_WAITING);
	for (uint32_t handle; (handle = engine_order_top(engine, ORDER_WAITING)) != STINT_NO_HANDLE;) {
		struct group *group = &engine->groups[handle];
		struct stint_record ignored;
		bool placed = false;
		if (!has_begun(future, handle) && engine_group_ready(group)) {
			if (future->tried++ == MOST_TRIED)
				return false;
			placed = engine_place_group(engine, handle, &(struct placing){.reserve_only = true}, &ignored);
		}
		if (placed && handle == future->wanted)
			return true;
		const bool goes_on = placed && engine_group_ready(group);
		if (placed && !goes_on)
			note_begun(future, handle);
		group->elastic = engine_group_elastic(group); /* its next turn comes by what it has now */
		engine_order_pop(engine, ORDER_WAITING, goes_on);
	}
	return false;
}

static int64_t next_end(const struct future *future)
{
	const struct backfill *backfill = &future->engine->backfill;
	int64_t end_ms = future->next_end < backfill->ends.count ? backfill->end_times[future->next_end] : INT64_MAX;
	for (size_t i = 0; i < future->begun_count; i++)
		end_ms = future->begun[i].end_ms < end_ms ? future->begun[i].end_ms : end_ms;
	return end_ms;
}

static void go_to(struct future *future, int64_t at_ms)
{
	struct stint_engine *engine = future->engine;
	const struct backfill *backfill = &engine->backfill;
	future->at_ms = at_ms;
	for (; future->next_end < backfill->ends.count && backfill->end_times[future->next_end] <= at_ms; future->next_end++) {
		const uint32_t pod = backfill->ends.items[future->next_end];
		if (!engine->groups[engine->pods[pod].group].listed) /* else more of its own would follow it there */
			engine_plan_evict(engine, pod);
	}
	for (size_t i = 0; i < future->begun_count; i++) {
		struct begun *begun = &future->begun[i];
		if (begun->end_ms > at_ms)
			continue;
		begun->end_ms = INT64_MAX;
		const struct group *group = &engine->groups[begun->group];
		for (uint32_t p = 0; p < group->pods_count; p++) {
			if (engine->pods[group->pods[p]].status == STINT_POD_RESERVED)
				engine_plan_vacate(engine, group->pods[p]);
		}
	}
}

/* 0: it does not start by ends that are known, or too much waits to tell. */
static int64_t play(struct future *future)
{
	while (!try_all(future)) {
		const int64_t end_ms = next_end(future);
		if (end_ms == INT64_MAX || future->tried > MOST_TRIED)
			return 0;
		go_to(future, end_ms);
	}
	/* It could start as things are: what it waits for is no end of anybody's. */
	return future->next_end || future->begun_count ? future->at_ms : 0;
}

void engine_settle(struct stint_engine *engine)
{
	engine_nodes_settle(engine);
	engine_queue_order_settle(engine);
	engine_shares_settle(engine);
	engine_mix_settle(engine);
	engine_lines_settle(engine);
}

int64_t stint_engine_expected(struct stint_engine *engine, uint32_t group, int64_t now_ms)
{
	if (!engine->timed_groups || !engine_group_ready(&engine->groups[group]))
		return 0;
	engine_settle(engine);
	struct backfill *backfill = &engine->backfill;
	const size_t mark = engine_plan_mark(engine);
	struct future future = {.engine = engine, .wanted = group, .at_ms = now_ms};
	uint64_t standing = 0;
	for (size_t i = 0; i < backfill->count && i < 64; i++)
		standing |= (uint64_t)backfill->items[i].standing << i;
	backfill->now_ms = backfill->start_ms = now_ms;
	backfill->on = engine->policy.backfill != STINT_BACKFILL_NONE;
	engine_backfill_ends(engine, group);
	const int64_t at_ms = play(&future);
	const size_t end = engine_plan_mark(engine);
	engine_plan_rollback(engine, mark);
	for (size_t i = mark; i < end; i++) {
		struct group *touched = &engine->groups[engine->pods[engine->plan.changes[i].pod].group];
		touched->elastic = engine_group_elastic(touched);
	}
	for (size_t i = 0; i < backfill->count && i < 64; i++)
		backfill->items[i].standing = standing >> i & 1;
	backfill->start_ms = backfill->now_ms;
	backfill->on = false;
	free(future.begun);
	return at_ms;
}
