/*
 * decisions: a plan becomes decisions: what each pod was before it and is after it, evictions first, and the records of both sides.
 *
 * Promises: one decision per pod and effect, however often the plan changed its mind; those of one commit are adjacent.
 * Costs: O(changes of the plan).
 */
#include "hunt.h"

static struct stint_decision *add(struct stint_engine *engine, enum stint_decision_kind kind, enum stint_action action, uint32_t serves)
{
	stint_grow(&engine->decisions, &engine->decisions_capacity, engine->decisions_count + 1, sizeof *engine->decisions);
	struct stint_decision *decision = &engine->decisions[engine->decisions_count++];
	*decision = (struct stint_decision){.kind = kind, .action = action, .serves = serves};
	return decision;
}

static void describe(const struct stint_engine *engine, struct stint_decision *decision, uint32_t handle, uint32_t node, uint64_t devices)
{
	const struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	decision->pod = handle;
	decision->group = pod->group;
	decision->node = node;
	decision->devices = devices;
	decision->device_count = shape->devices;
	decision->gpu = shape->gpu;
	decision->portion_percent = engine_share_percent(engine, shape, node);
	decision->device_memory_mib = engine_share_mib(engine, shape, node);
}

/* ---- what a pod loses ------------------------------------------------------------------------------------------------------------------ */

static double lost_gpu_seconds(const struct stint_engine *engine, const struct stint_decision *decision)
{
	const struct group *group = &engine->groups[decision->group];
	if (!group->started_ms || group->started_ms > engine->now_ms)
		return 0;
	const double percent =
		(double)decision->portion_percent * decision->device_count + engine->shapes[engine->pods[decision->pod].shape].mig_percent;
	return (double)(engine->now_ms - group->started_ms) / 1000 * percent / 100;
}

static void note_eviction(struct stint_engine *engine, const struct stint_decision *decision, bool moved, size_t start)
{
	struct group *group = &engine->groups[decision->group];
	if (!group->loss)
		group->loss = stint_alloc(sizeof *group->loss);
	struct stint_loss *loss = group->loss;
	bool first = true;
	for (size_t i = engine->decisions_count - 1; i > start && first; i--)
		first = engine->decisions[i - 1].group != decision->group;
	if (first)
		*loss = (struct stint_loss){.action = decision->action, .serves = decision->serves, .at_ms = engine->now_ms};
	loss->pods++;
	loss->moved += moved;
	loss->lost_gpu_seconds += decision->lost_gpu_seconds;
	group->last_evicted_ms = engine->now_ms;
	for (uint32_t at = group->queue; at != STINT_NO_HANDLE; at = engine->queues[at].parent)
		engine->queues[at].epoch++;
}

static void let_go(struct stint_engine *engine, const struct change *first, enum stint_action action, uint32_t serves, size_t start)
{
	const struct seat *former = &first->former;
	const struct pod *pod = &engine->pods[first->pod];
	const bool same_seat = pod->status == former->status && pod->node == former->node && pod->devices == former->devices &&
		pod->reserved == former->reserved;
	if (same_seat || former->status == STINT_POD_PENDING)
		return;
	if (former->status == STINT_POD_RESERVED) {
		describe(engine, add(engine, STINT_DECIDE_WITHDRAW, action, serves), first->pod, former->node, former->devices);
	} else if (former->status != STINT_POD_RELEASING) {
		struct stint_decision *decision = add(engine, STINT_DECIDE_EVICT, action, serves);
		describe(engine, decision, first->pod, former->node, former->devices);
		decision->lost_gpu_seconds = lost_gpu_seconds(engine, decision);
		note_eviction(engine, decision, pod->status == STINT_POD_RESERVED, start);
	}
}

static bool give_place(struct stint_engine *engine, const struct change *first, enum stint_action action, uint32_t serves)
{
	const struct pod *pod = &engine->pods[first->pod];
	const bool bind = pod->status == STINT_POD_ASSUMED && first->former.status == STINT_POD_PENDING;
	if (!bind && pod->status != STINT_POD_RESERVED)
		return false;
	if (first->former.status == STINT_POD_RESERVED && first->former.node == pod->node && first->former.devices == pod->devices &&
		first->former.reserved == pod->reserved)
		return false;
	struct stint_decision *decision = add(engine, bind ? STINT_DECIDE_BIND : STINT_DECIDE_RESERVE, action, serves);
	describe(engine, decision, first->pod, pod->node, pod->devices);
	decision->unopened = pod->reserved;
	if (!bind)
		handles_push(&engine->reserved, first->pod);
	if (!bind && action != STINT_ACTION_ALLOCATE)
		engine_hold_add(engine, pod);
	return bind;
}

/* ---- the groups ------------------------------------------------------------------------------------------------------------------------ */

static void judge_served(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	struct stint_record record = {.queue = STINT_NO_HANDLE, .pod = STINT_NO_HANDLE, .since_ms = engine->now_ms};
	for (size_t i = 0; i < engine->plan.count; i++) {
		const uint32_t pod = engine->plan.changes[i].pod;
		if (engine->pods[pod].group == handle && engine->pods[pod].status == STINT_POD_RESERVED) {
			record.reason = STINT_REASON_LEAVING;
			record.pod = pod;
			break;
		}
	}
	if (group->pending || record.reason != STINT_REASON_NONE)
		engine_group_judge(engine, handle, &record);
}

void engine_commit(struct stint_engine *engine, enum stint_action action, uint32_t serves)
{
	const struct plan *plan = &engine->plan;
	const size_t start = engine->decisions_count;
	uint32_t bound = 0;
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->changes[i].first)
			let_go(engine, &plan->changes[i], action, serves, start);
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->changes[i].first)
			bound += give_place(engine, &plan->changes[i], action, serves);
	}
	if (engine->decisions_count > start && engine->decisions[start].kind != STINT_DECIDE_BIND)
		engine->room_epoch++;
	engine->search_epoch++;
	for (size_t i = 0; i < plan->count; i++)
		engine_group_touch(engine, engine->pods[plan->changes[i].pod].group);
	if (serves != STINT_NO_HANDLE) {
		struct group *group = &engine->groups[serves];
		if (bound && group->active - group->reserved == bound)
			group->started_ms = engine->now_ms;
		if (action != STINT_ACTION_ALLOCATE)
			group->served = engine->cycles;
		judge_served(engine, serves);
	}
	engine_plan_close(engine);
}
