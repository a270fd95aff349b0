/*
 * preempt: a group takes the place of work of strictly lower priority in its own queue (kai-engine 8.2).
 *
 * Promises: victims are preemptible, of the same queue and of lower priority, and past their minimum runtime or elastic; non-preemptible
 * work never passes a quota by it.
 */
#include "hunt.h"

static bool queue_may(struct stint_engine *engine, uint32_t handle)
{
	const struct queue *queue = &engine->queues[handle];
	int32_t highest = INT32_MIN;
	for (size_t i = 0; i < queue->line.count; i++) {
		const int32_t priority = engine->groups[queue->line.items[i].group].priority;
		highest = priority > highest ? priority : highest;
		if (i < queue->line.sorted)
			i = queue->line.sorted - 1; /* the first of these is the highest */
	}
	for (uint32_t at = queue->first_group; at != STINT_NO_HANDLE; at = engine->groups[at].queue_next) {
		const struct group *group = &engine->groups[at];
		if (group->active && group->preemptible && group->priority < highest)
			return true;
	}
	return false;
}

static bool pod_may(const struct stint_engine *engine, uint32_t queue, const struct shape *shape)
{
	(void)engine;
	(void)queue;
	(void)shape;
	return true;
}

static bool may_start(struct stint_engine *engine, const struct hunt *hunt)
{
	const struct group *group = &engine->groups[hunt->group];
	struct stint_record ignored;
	return group->preemptible || engine_queue_within_quota(engine, hunt->queue, hunt->asked, &ignored);
}

static bool may_fall(struct stint_engine *engine, const struct hunt *hunt, uint32_t victim)
{
	return engine->groups[victim].priority < engine->groups[hunt->group].priority && !engine_runtime_protects(engine, hunt, victim);
}

static bool may_lose(const struct stint_engine *engine, const struct hunt *hunt, const struct pod *pod)
{
	(void)engine;
	(void)hunt;
	(void)pod;
	return true;
}

static bool stands(struct stint_engine *engine, const struct hunt *hunt)
{
	return engine_runtime_stands(engine, hunt);
}

const struct hunt_rules engine_preempt_rules = {
	.action = STINT_ACTION_PREEMPT,
	.own_queue = true,
	.takes_part = engine_delay_is_over,
	.queue_may = queue_may,
	.pod_may = pod_may,
	.may_start = may_start,
	.may_fall = may_fall,
	.may_lose = may_lose,
	.stands = stands,
};
