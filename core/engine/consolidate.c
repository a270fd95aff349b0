/*
 * consolidate: moves preemptible work closer together so that a group that waits finds its place (kai-engine 8.2). Nobody loses a place for
 * good: every victim ends where it was or with another place reserved.
 *
 * Promises: no more groups are moved by one decision than the policy allows; minimum runtimes do not count, since all go on.
 */
#include "hunt.h"

static bool takes_part(const struct stint_engine *engine, uint32_t group)
{
	return engine->groups[group].preemptible && engine_delay_is_over(engine, group);
}

static void ask(const struct shape *shape, struct leftover *sum)
{
	engine_leftover_ask(shape, sum);
	sum->gpus += (double)shape->claim_percent / 100;
}

static bool is_free(const struct leftover *free, const struct leftover *asked)
{
	return engine_leftover_suffices(free, &(struct leftover){0}, asked);
}

static bool queue_may(struct stint_engine *engine, uint32_t queue)
{
	(void)queue;
	engine_leftover(engine);
	return engine->policy.consolidation_max_victims > 0;
}

static bool pod_may(const struct stint_engine *engine, uint32_t queue, const struct shape *shape)
{
	struct leftover asked = {0};
	(void)queue;
	ask(shape, &asked);
	return is_free(&engine->search->free, &asked);
}

static bool may_start(struct stint_engine *engine, const struct hunt *hunt)
{
	struct leftover asked = {0};
	(void)hunt;
	for (size_t i = 0; i < engine->chunk.count; i++)
		ask(&engine->shapes[engine->pods[engine->chunk.items[i]].shape], &asked);
	return engine->policy.consolidation_max_victims > 0 && is_free(engine_leftover(engine), &asked);
}

/* Where pools have strategies of their own, work is moved together only where that strategy packs (kai-engine 2.1). */
static bool packs(const struct stint_engine *engine, uint32_t victim)
{
	const struct group *group = &engine->groups[victim];
	for (uint32_t i = 0; i < group->pods_count; i++) {
		const struct pod *pod = &engine->pods[group->pods[i]];
		if (engine_pod_active(pod) && engine_placement_on(engine, pod->node).gpu_nodes == STINT_SPREAD)
			return false;
	}
	return true;
}

static bool may_fall(struct stint_engine *engine, const struct hunt *hunt, uint32_t victim)
{
	(void)hunt;
	return !engine->policy.pools_count || packs(engine, victim);
}

static bool stands(struct stint_engine *engine, const struct hunt *hunt)
{
	const struct search *search = engine->search;
	uint32_t moved = 0;
	(void)hunt;
	for (size_t i = 0; i < search->judged.count; i++) {
		if (engine_pod_evicted(&engine->pods[search->judged.items[i]]) ||
			engine->pods[search->judged.items[i]].status == STINT_POD_PENDING)
			return false;
	}
	for (size_t i = 0; i + 1 < search->groups.count; i++) {
		const struct group *group = &engine->groups[search->groups.items[i]];
		bool any = false;
		for (uint32_t p = 0; p < group->pods_count && !any; p++)
			any = engine_pod_robbed(&engine->pods[group->pods[p]]);
		moved += any;
	}
	return moved <= engine->policy.consolidation_max_victims;
}

const struct hunt_rules engine_consolidation_rules = {
	.action = STINT_ACTION_CONSOLIDATION,
	.moves_only = true,
	.takes_part = takes_part,
	.queue_may = queue_may,
	.pod_may = pod_may,
	.may_start = may_start,
	.may_fall = may_fall,
	.stands = stands,
};
