/*
 * cycle: the allocate action (kai-engine 8.1): tries the waiting groups in order, each once, and those that grow again after each success.
 *
 * A group whose last failure still stands takes its turn in the order, because its claim shapes the order of queues, but it is not tried
 * again; and the cycle ends with the last group that can be tried. So memory of failures saves work and never changes a decision.
 * The other actions of kai-engine 8 come after allocate on the same state: they plan with the same journal and end in the same decisions.
 */
#include "state.h"

static bool same_policy(const struct stint_policy *a, const struct stint_policy *b)
{
	return a->gpu_nodes == b->gpu_nodes && a->cpu_nodes == b->cpu_nodes && a->gpu_devices == b->gpu_devices &&
		a->prefer_idle == b->prefer_idle && a->prefer_shared == b->prefer_shared && a->prefer_cpu_nodes == b->prefer_cpu_nodes &&
		a->usage_factor == b->usage_factor && a->backfill == b->backfill;
}

static void adopt_policy(struct stint_engine *engine, const struct stint_policy *policy)
{
	if (same_policy(&engine->policy, policy))
		return;
	engine->shares_stale = engine->shares_stale || engine->policy.usage_factor != policy->usage_factor;
	engine->policy = *policy;
	engine->policy_stamp++;
	engine->room_epoch++;
	engine->stirred = true;
}

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

static void refuse_all(struct stint_engine *engine, uint32_t handle, int64_t now_ms)
{
	struct queue *queue = &engine->queues[handle];
	const struct stint_record record = {
		.reason = queue->usable ? STINT_REASON_INNER_QUEUE : STINT_REASON_NO_QUEUE,
		.queue = queue->usable ? handle : missing_above(engine, handle),
		.pod = STINT_NO_HANDLE,
		.since_ms = now_ms,
	};
	for (size_t i = 0; i < queue->line.count; i++)
		engine_group_judge(engine, queue->line.items[i].group, &record);
	queue->verdict_due = false;
}

/* Settles the lines. How many groups are to be tried: those without a memo. */
static size_t survey(struct stint_engine *engine, int64_t now_ms)
{
	size_t count = 0;
	for (uint32_t i = 0; i < engine->queues_count; i++) {
		struct queue *queue = &engine->queues[i];
		if (!queue->waiting)
			continue;
		engine_line_settle(engine, queue);
		if (!queue->usable || queue->first_child != STINT_NO_HANDLE) {
			if (queue->verdict_due)
				refuse_all(engine, i, now_ms);
			continue;
		}
		for (size_t entry = 0; entry < queue->line.count; entry++) {
			struct group *group = &engine->groups[queue->line.items[entry].group];
			if (still_fails(engine, group))
				continue;
			group->memo.kind = MEMO_NONE;
			count++;
		}
	}
	return count;
}

/* ---- decisions -------------------------------------------------------------------------------------------------------------------- */

static void decide(struct stint_engine *engine, uint32_t handle)
{
	const struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	const bool bind = pod->status == STINT_POD_ASSUMED;
	stint_grow(&engine->decisions, &engine->decisions_capacity, engine->decisions_count + 1, sizeof *engine->decisions);
	engine->decisions[engine->decisions_count++] = (struct stint_decision){
		.kind = bind ? STINT_DECIDE_BIND : STINT_DECIDE_RESERVE,
		.pod = handle,
		.group = pod->group,
		.node = pod->node,
		.devices = pod->devices,
		.unopened = pod->reserved,
		.device_count = shape->devices,
		.gpu = shape->gpu,
		.portion_percent = pod->percent,
		.device_memory_mib = pod->device_mib,
	};
	if (!bind)
		handles_push(&engine->reserved, handle);
}

static void commit(struct stint_engine *engine, uint32_t handle, int64_t now_ms)
{
	struct stint_record record = {.queue = STINT_NO_HANDLE, .pod = STINT_NO_HANDLE, .since_ms = now_ms};
	for (size_t i = 0; i < engine->plan.count; i++) {
		const uint32_t pod = engine->plan.changes[i].pod;
		decide(engine, pod);
		if (engine->pods[pod].status == STINT_POD_RESERVED && record.reason == STINT_REASON_NONE) {
			record.reason = STINT_REASON_LEAVING;
			record.pod = pod;
		}
	}
	engine_plan_close(engine);
	engine_group_touch(engine, handle);
	if (engine->groups[handle].pending || record.reason != STINT_REASON_NONE)
		engine_group_judge(engine, handle, &record);
}

static void allocate(struct stint_engine *engine, size_t to_try, int64_t now_ms, struct stint_cycle *out)
{
	engine_order_start(engine);
	engine_backfill_begin(engine, now_ms);
	for (uint32_t group; to_try > 0 && (group = engine_order_top(engine)) != STINT_NO_HANDLE;) {
		if (engine->groups[group].memo.kind != MEMO_NONE) {
			if (engine->groups[group].memo.kind == MEMO_ROOM)
				engine_backfill_turn(engine, group);
			engine_order_pop(engine, false);
			continue;
		}
		struct stint_record record;
		out->tried++;
		if (engine_place_group(engine, group, &(struct placing){0}, &record)) {
			commit(engine, group, now_ms);
			const bool goes_on = engine_group_ready(&engine->groups[group]);
			to_try -= !goes_on;
			engine_order_pop(engine, goes_on);
		} else {
			record.since_ms = now_ms;
			if (record.reason == STINT_REASON_NO_ROOM)
				record.expected_ms = engine_backfill_turn(engine, group);
			engine_group_judge(engine, group, &record);
			to_try--;
			engine_order_pop(engine, false);
		}
	}
	engine_backfill_end(engine);
}

struct stint_cycle stint_engine_cycle(struct stint_engine *engine, const struct stint_policy *policy, int64_t now_ms)
{
	struct stint_cycle out = {0};
	adopt_policy(engine, policy);
	engine->decisions_count = 0;
	if (engine->stirred) {
		engine_drop_reservations(engine);
		engine_nodes_settle(engine);
		engine_queue_order_settle(engine);
		const size_t to_try = survey(engine, now_ms);
		if (to_try)
			allocate(engine, to_try, now_ms, &out);
		engine->reservations_stood = engine->reserved.count > 0;
		engine->stirred = false;
	}
	engine_judged_renew(engine);
	engine->judged_delivered = true;
	out.decisions = engine->decisions;
	out.count = engine->decisions_count;
	out.judged = engine->judged.items;
	out.judged_count = engine->judged.count;
	out.waits_for_leaving = engine->reserved.count > 0;
	return out;
}
