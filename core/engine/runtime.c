/*
 * runtime: how long work is left alone after its start, and how long a group takes nothing from others (kai-engine 9.1, 9.2).
 *
 * A group is protected from its last start for the minimum runtime that its queues give it; without a known start it is not. Protected
 * work that has nothing beyond its minimum never falls; elastic work may give up what is beyond.
 * Costs: O(depth) a group.
 */
#include "hunt.h"

int64_t engine_delay_end_ms(const struct group *group)
{
	if (group->preemption_delay_ms <= 0)
		return INT64_MIN;
	const int64_t since_ms = group->last_evicted_ms > group->created_ms ? group->last_evicted_ms : group->created_ms;
	return stint_add_saturated(since_ms, group->preemption_delay_ms);
}

bool engine_delay_is_over(const struct stint_engine *engine, uint32_t group)
{
	return engine->now_ms >= engine_delay_end_ms(&engine->groups[group]);
}

/* ---- whose minimum counts -------------------------------------------------------------------------------------------------------------- */

static int64_t own_min_ms(const struct stint_engine *engine, enum stint_action action, uint32_t queue)
{
	const struct stint_queue *object = engine->queues[queue].object;
	return action == STINT_ACTION_PREEMPT ? object->preempt_min_runtime_ms : object->reclaim_min_runtime_ms;
}

static int64_t first_set_ms(const struct stint_engine *engine, enum stint_action action, uint32_t queue)
{
	for (; queue != STINT_NO_HANDLE; queue = engine->queues[queue].parent) {
		const int64_t own = own_min_ms(engine, action, queue);
		if (own >= 0)
			return own;
	}
	return action == STINT_ACTION_PREEMPT ? engine->policy.preempt_min_runtime_ms : engine->policy.reclaim_min_runtime_ms;
}

static bool is_above(const struct stint_engine *engine, uint32_t above, uint32_t queue)
{
	while (queue != STINT_NO_HANDLE && queue != above)
		queue = engine->queues[queue].parent;
	return queue == above;
}

/*
 * Where the look upwards begins. By LCA it is the victim's ancestor just below the lowest common ancestor with the reclaimer: for another
 * top queue that is the victim's top queue.
 */
static int64_t min_runtime_ms(const struct stint_engine *engine, enum stint_action action, uint32_t reclaimer, uint32_t victim)
{
	uint32_t from = victim;
	if (action == STINT_ACTION_RECLAIM && engine->policy.min_runtime_method == STINT_MIN_RUNTIME_LCA) {
		while (engine->queues[from].parent != STINT_NO_HANDLE && !is_above(engine, engine->queues[from].parent, reclaimer))
			from = engine->queues[from].parent;
	}
	return first_set_ms(engine, action, from);
}

/* INT64_MIN: it is not protected, or not any more. */
static int64_t protected_until_ms(
	const struct stint_engine *engine, enum stint_action action, uint32_t reclaimer, const struct group *group)
{
	if (!group->started_ms)
		return INT64_MIN;
	const int64_t end_ms = stint_add_saturated(group->started_ms, min_runtime_ms(engine, action, reclaimer, group->queue));
	return engine->now_ms < end_ms ? end_ms : INT64_MIN;
}

/* ---- what follows ---------------------------------------------------------------------------------------------------------------------- */

bool engine_runtime_protects(struct stint_engine *engine, const struct hunt *hunt, uint32_t handle)
{
	const struct group *group = &engine->groups[handle];
	const int64_t until_ms = protected_until_ms(engine, hunt->rules->action, hunt->queue, group);
	if (until_ms == INT64_MIN)
		return false;
	engine_wake_at(engine, until_ms);
	if (hunt->waived & WAIVE_RUNTIME || engine_group_is_elastic(engine, handle))
		return false;
	engine->search->met_protected = true;
	return true;
}

bool engine_runtime_stands(struct stint_engine *engine, const struct hunt *hunt)
{
	uint32_t group;
	if (hunt->waived & WAIVE_RUNTIME || engine_runtime_last_end(engine, hunt->rules->action, hunt->queue, &group) == INT64_MIN)
		return true;
	engine->search->met_protected = true;
	return false;
}

int64_t engine_runtime_last_end(struct stint_engine *engine, enum stint_action action, uint32_t reclaimer, uint32_t *group)
{
	const struct search *search = engine->search;
	int64_t last_ms = INT64_MIN;
	*group = STINT_NO_HANDLE;
	for (size_t i = 0; i + 1 < search->groups.count; i++) {
		const uint32_t victim = search->groups.items[i];
		const int64_t until_ms = protected_until_ms(engine, action, reclaimer, &engine->groups[victim]);
		if (until_ms <= last_ms || engine_group_keeps_minimum(engine, victim))
			continue;
		last_ms = until_ms;
		*group = victim;
	}
	return last_ms;
}
