/*
 * preempt: a group takes the place of work of strictly lower priority in its own queue (kai-engine 8.2).
 *
 * Promises: victims are preemptible, of the same queue and of lower priority, and past their minimum runtime or elastic; non-preemptible
 * work never passes a quota by it.
 */
#include "hunt.h"

static bool may_start(const struct stint_engine *engine, const struct hunt *hunt)
{
	const struct group *group = &engine->groups[hunt->group];
	struct stint_record ignored;
	return group->preemptible || engine_queue_within_quota(engine, hunt->queue, hunt->asked, &ignored);
}

static bool may_fall(struct stint_engine *engine, const struct hunt *hunt, uint32_t victim)
{
	return engine->groups[victim].priority < engine->groups[hunt->group].priority &&
		!engine_runtime_protects(engine, STINT_ACTION_PREEMPT, hunt->queue, victim);
}

static bool stands(struct stint_engine *engine, const struct hunt *hunt)
{
	return engine_runtime_stands(engine, STINT_ACTION_PREEMPT, hunt->queue);
}

const struct hunt_rules engine_preempt_rules = {
	.action = STINT_ACTION_PREEMPT,
	.own_queue = true,
	.takes_part = engine_delay_is_over,
	.may_start = may_start,
	.may_fall = may_fall,
	.stands = stands,
};
