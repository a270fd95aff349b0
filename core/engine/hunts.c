/*
 * hunts: an action that looks for victims: the waiting groups in order, each hunted for once (kai-engine 8.2).
 *
 * What need not be tried: an action that came to nothing while nothing has changed since; a group whose hunt failed in this very state; one
 * that asks for the same, in the same queue and with the same rights, as one that just failed.
 * Costs: O(waiting groups) when something has changed, O(1) when not; a hunt costs what search.c says.
 */
#include "hunt.h"

static bool takes_more(struct stint_engine *engine, const struct hunt_rules *rules)
{
	const enum stint_action action = rules->action;
	return engine->idle_search[action] != engine->search_epoch || engine->idle_enlisted[action] != engine->enlisted;
}

/* The same for groups that cannot be told apart by any rule but their age and name; 0: it is like no other. */
static uint64_t likeness(struct stint_engine *engine, uint32_t handle)
{
	const struct group *group = &engine->groups[handle];
	uint64_t hash = UINT64_C(14695981039346656037);
	if (group->gang)
		return 0;
	const uint64_t facts[] = {group->queue, (uint32_t)group->priority, group->preemptible, engine_group_elastic(group),
		group->active == 0, engine->chunk.count, engine_pools_pin(engine, handle)};
	for (size_t i = 0; i < STINT_COUNT(facts); i++)
		hash = (hash ^ facts[i]) * UINT64_C(1099511628211) + (hash >> 29);
	for (size_t i = 0; i < engine->chunk.count; i++) {
		const struct pod *pod = &engine->pods[engine->chunk.items[i]];
		hash = (hash ^ pod->shape) * UINT64_C(1099511628211) + (hash >> 29);
		if (pod->object->nominated_node)
			return 0;
	}
	return hash ? hash : 1;
}

static const struct failure *failure_of(const struct search *search, uint64_t print)
{
	for (size_t i = 0; print && i < search->failed_count; i++) {
		if (search->failed[i].print == print)
			return &search->failed[i];
	}
	return NULL;
}

static void note_failure(struct search *search, uint64_t print, const struct restraint *by)
{
	if (!print)
		return;
	stint_grow(&search->failed, &search->failed_capacity, search->failed_count + 1, sizeof *search->failed);
	search->failed[search->failed_count++] = (struct failure){print, *by};
}

uint32_t engine_first_waiting(const struct stint_engine *engine, uint32_t handle)
{
	const struct group *group = &engine->groups[handle];
	uint32_t first = group->first_waiting;
	while (first + 1 < group->pods_count && engine->pods[group->pods[first]].status != STINT_POD_PENDING)
		first++;
	return group->pods[first];
}

/* By the first pod of each group alone. Most often everything waits for room that nobody may be asked for. */
static bool anybody_may(struct stint_engine *engine, const struct hunt_rules *rules)
{
	for (size_t i = 0; i < engine->queue_order.count; i++) {
		const uint32_t handle = engine->queue_order.items[i];
		const struct queue *queue = &engine->queues[handle];
		if (queue->first_child != STINT_NO_HANDLE || !queue->line.count || !rules->queue_may(engine, handle))
			continue;
		for (size_t at = 0; at < queue->line.count; at++) {
			const uint32_t group = queue->line.items[at].group;
			if (engine->groups[group].gang ||
				rules->pod_may(engine, handle, &engine->shapes[engine->pods[engine_first_waiting(engine, group)].shape]))
				return true;
		}
	}
	return false;
}

static void remember_before(struct stint_engine *engine)
{
	for (size_t i = 0; i < engine->queue_order.count; i++) {
		struct queue *queue = &engine->queues[engine->queue_order.items[i]];
		queue->before = queue->allocated;
		queue->before_fixed = queue->allocated_fixed;
	}
}

/* In the pools where the group is tried, one after the other: none gives way in a later one while that helps in an earlier one. */
static bool search_pools(struct stint_engine *engine, struct hunt *hunt)
{
	const uint32_t count = engine->groups[hunt->group].pools.count, pin = engine_pools_pin(engine, hunt->group);
	bool found = false;
	for (uint32_t i = 0; i < (count ? count : 1) && !found; i++) {
		hunt->pool = count ? engine->groups[hunt->group].pools.items[i] : STINT_NO_HANDLE;
		if ((pin != STINT_NO_HANDLE && pin != hunt->pool) || !engine_room_start(engine, hunt))
			continue;
		engine->pools.hunter = hunt->group;
		engine->pools.only = hunt->pool;
		remember_before(engine);
		found = engine_search(engine, hunt);
	}
	engine->pools.hunter = engine->pools.only = STINT_NO_HANDLE;
	return found;
}

static bool hunt_for(struct stint_engine *engine, const struct hunt_rules *rules, uint32_t handle)
{
	/* There is room, but it is promised or kept: nobody is moved or evicted to get round that. */
	if (engine_record(&engine->groups[handle])->reason == STINT_REASON_PROMISED)
		return false;
	struct hunt hunt = {.rules = rules, .group = handle, .queue = engine->groups[handle].queue};
	engine_chunk_asks(engine, handle, true, engine->least_gpu_mib, hunt.asked);
	const uint64_t print = likeness(engine, handle);
	const struct failure *alike = failure_of(engine->search, print);
	struct restraint by = {.action = rules->action, .group = STINT_NO_HANDLE};
	if (alike) {
		by = alike->by;
	} else {
		engine->search->met_protected = false;
		if (rules->may_start(engine, &hunt) && search_pools(engine, &hunt))
			return true;
		hunt.in_theory = true;
		hunt.waived = WAIVE_RUNTIME;
		if (engine->search->met_protected && search_pools(engine, &hunt)) {
			by = engine_restraint_by_runtime(engine, &hunt);
			engine_plan_rollback(engine, 0);
		}
		note_failure(engine->search, print, &by);
	}
	engine_restrain(engine, handle, &by);
	return false;
}

bool engine_hunt_would_find(struct stint_engine *engine, const struct hunt_rules *rules, uint32_t handle, unsigned waived)
{
	struct hunt hunt = {.rules = rules, .group = handle, .queue = engine->groups[handle].queue, .in_theory = true, .waived = waived};
	engine_chunk_asks(engine, handle, true, engine->least_gpu_mib, hunt.asked);
	const bool found = rules->may_start(engine, &hunt) && search_pools(engine, &hunt);
	engine_plan_rollback(engine, 0);
	return found;
}

void engine_hunt_all(struct stint_engine *engine, const struct hunt_rules *rules, struct stint_cycle *out)
{
	const enum stint_action action = rules->action;
	if (!takes_more(engine, rules))
		return;
	if (!engine->search)
		engine->search = stint_alloc(sizeof *engine->search);
	engine->search->failed_count = 0;
	const uint64_t enlisted = engine->enlisted;
	bool idle = true;
	engine_lines_settle(engine);
	engine_restraint_note_delays(engine, rules);
	const bool any = anybody_may(engine, rules);
	engine_order_clear(engine, ORDER_WAITING, rules->takes_part, engine->policy.queue_depth[action]);
	if (any)
		engine_order_start(engine, ORDER_WAITING);
	for (uint32_t group; any && (group = engine_order_top(engine, ORDER_WAITING)) != STINT_NO_HANDLE;) {
		bool found = false;
		if (engine->groups[group].searched[action - FIRST_HUNT] != engine->search_epoch) {
			out->tried++;
			found = hunt_for(engine, rules, group);
			if (!found)
				engine->groups[group].searched[action - FIRST_HUNT] = engine->search_epoch;
		}
		if (found) {
			engine_commit(engine, action, group);
			engine->search->failed_count = 0;
			idle = false;
		}
		engine_order_pop(engine, ORDER_WAITING, false);
		if (found)
			engine_order_refresh(engine, ORDER_WAITING); /* victims have changed the standing of other queues */
	}
	if (idle) {
		engine->idle_search[action] = engine->search_epoch;
		engine->idle_enlisted[action] = enlisted;
	}
}
