/*
 * allocate: the action that binds (kai-engine 8.1): tries the waiting groups in order, each once, and those that grow again after each
 * success.
 *
 * A group whose last failure still stands takes its turn in the order, because its claim shapes the order of queues, but it is not tried
 * again; and the action ends with the last group that can be tried. So memory of failures saves work and never changes a decision.
 * Where starts are promised, who comes first is promised first: there what can never run takes no turn (hopeless.c), so that it costs no place.
 * Costs: what can be tried; a placement costs the logarithm of the nodes.
 */
#include "hunt.h"

/* ---- what need not be tried ------------------------------------------------------------------------------------------------------ */

static bool still_fails(struct stint_engine *engine, struct group *group)
{
	struct memo *memo = &group->memo;
	if (engine->reservations_stood)
		return false;
	switch ((enum memo_kind)memo->kind) {
	case MEMO_NONE: return false;
	case MEMO_QUEUE: return engine->queues[memo->handle].epoch == memo->epoch;
	case MEMO_PARTS: return true;
	case MEMO_ROOM: break;
	}
	if (memo->epoch == engine->room_epoch)
		return true;
	if (!memo->no_node || engine_ranking_best(engine, memo->handle) != STINT_NO_HANDLE)
		return false;
	memo->epoch = engine->room_epoch;
	return true;
}

static uint32_t missing_above(const struct stint_engine *engine, uint32_t handle)
{
	for (uint32_t at = handle; at != STINT_NO_HANDLE; at = engine->queues[at].parent) {
		if (!engine->queues[at].object || engine->queues[at].loop)
			return at;
	}
	return handle;
}

static void refuse_all(struct stint_engine *engine, uint32_t handle)
{
	struct queue *queue = &engine->queues[handle];
	const struct stint_record record = {
		.reason = queue->usable ? STINT_REASON_INNER_QUEUE : STINT_REASON_NO_QUEUE,
		.queue = queue->usable ? handle : missing_above(engine, handle),
		.pod = STINT_NO_HANDLE,
		.since_ms = engine->now_ms,
	};
	for (size_t i = 0; i < queue->line.count; i++)
		engine_group_judge(engine, queue->line.items[i].group, &record);
	queue->verdict_due = false;
}

/* Settles the lines. How many groups are to be tried: those without a memo. */
static size_t survey(struct stint_engine *engine)
{
	const bool promises = engine_backfill_wanted(engine);
	size_t count = 0;
	for (uint32_t i = 0; i < engine->queues_count; i++) {
		struct queue *queue = &engine->queues[i];
		if (!queue->waiting)
			continue;
		engine_line_settle(engine, queue);
		if (!queue->usable || queue->first_child != STINT_NO_HANDLE) {
			if (queue->verdict_due)
				refuse_all(engine, i);
			continue;
		}
		for (size_t entry = 0; entry < queue->line.count; entry++) {
			struct group *group = &engine->groups[queue->line.items[entry].group];
			if (promises)
				group->hopeless = engine_group_hopeless(engine, queue->line.items[entry].group);
			else if (group->hopeless)
				engine_group_hope(group);
			if (still_fails(engine, group))
				continue;
			group->memo.kind = MEMO_NONE;
			count++;
		}
	}
	return count;
}

/* They are told so before anybody has his turn. How many there were. */
static size_t judge_hopeless(struct stint_engine *engine, struct stint_cycle *out)
{
	size_t count = 0;
	for (uint32_t i = 0; i < engine->queues_count; i++) {
		const struct queue *queue = &engine->queues[i];
		const bool has_turns = queue->usable && queue->waiting && queue->first_child == STINT_NO_HANDLE;
		for (size_t entry = 0; has_turns && entry < queue->line.count; entry++) {
			const uint32_t handle = queue->line.items[entry].group;
			struct group *group = &engine->groups[handle];
			struct stint_record record;
			if (!group->hopeless || group->memo.kind != MEMO_NONE)
				continue;
			if (engine_place_group(engine, handle, &(struct placing){0}, &record)) {
				engine_plan_rollback(engine, 0);
				group->hopeless = false; /* the news of what made a place for it are not those of a node */
				continue;
			}
			record.since_ms = engine->now_ms;
			engine_restraint_keep(engine, handle, &record);
			engine_group_judge(engine, handle, &record);
			out->tried++;
			count++;
		}
	}
	return count;
}

/* ---- the action ---------------------------------------------------------------------------------------------------------------------- */

void engine_allocate(struct stint_engine *engine, struct stint_cycle *out)
{
	size_t to_try = survey(engine);
	if (to_try && engine_backfill_wanted(engine))
		to_try -= judge_hopeless(engine, out);
	if (!to_try)
		return;
	engine_order_clear(engine, ORDER_WAITING, engine_has_hope, engine->policy.queue_depth[STINT_ACTION_ALLOCATE]);
	engine_order_start(engine, ORDER_WAITING);
	engine_backfill_begin(engine, engine->now_ms);
	for (uint32_t group; to_try > 0 && (group = engine_order_top(engine, ORDER_WAITING)) != STINT_NO_HANDLE;) {
		if (engine->groups[group].memo.kind != MEMO_NONE) {
			if (engine->groups[group].memo.kind == MEMO_ROOM)
				engine_backfill_turn(engine, group);
			engine_order_pop(engine, ORDER_WAITING, false);
			continue;
		}
		struct stint_record record;
		out->tried++;
		if (engine_place_group(engine, group, &(struct placing){0}, &record)) {
			engine_commit(engine, STINT_ACTION_ALLOCATE, group);
			if (engine->terms_stirred && !engine->terms_woken)
				to_try += engine_affinity_wake(engine);
			const bool goes_on = engine_group_ready(&engine->groups[group]);
			to_try -= !goes_on;
			engine_order_pop(engine, ORDER_WAITING, goes_on);
		} else {
			record.since_ms = engine->now_ms;
			if (record.reason == STINT_REASON_NO_ROOM)
				record.expected_ms = engine_backfill_turn(engine, group);
			engine_restraint_keep(engine, group, &record);
			engine_group_judge(engine, group, &record);
			to_try--;
			engine_order_pop(engine, ORDER_WAITING, false);
		}
	}
	engine_backfill_end(engine);
}
