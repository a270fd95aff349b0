/*
 * stale: evicts what runs of a gang that has been incomplete for longer than its grace period (kai-engine 8.6).
 *
 * A gang is held while as many pods use their place as its tree needs, optional parts not counted (KAI counts them, kai-engine 11.2), and
 * one of which a pod has succeeded is never stale. Since when it is stale stands in the group from the first cycle that saw it.
 * Costs: O(groups that are stale).
 */
#include "hunt.h"

static int64_t grace_ms(const struct stint_engine *engine, const struct group *group)
{
	return group->has_stale_grace ? group->stale_grace_ms : engine->policy.stale_grace_ms;
}

static void evict_all(struct stint_engine *engine, uint32_t handle)
{
	engine_group_sort(engine, handle);
	const struct group *group = &engine->groups[handle];
	for (uint32_t i = 0; i < group->pods_count; i++) {
		if (engine_pod_active(&engine->pods[group->pods[i]]))
			engine_plan_evict(engine, group->pods[i]);
	}
	engine_commit(engine, STINT_ACTION_STALE, STINT_NO_HANDLE);
}

static bool by_key(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	return strcmp(engine->groups[a].key, engine->groups[b].key) < 0;
}

void engine_evict_stale(struct stint_engine *engine)
{
	struct handles *suspects = &engine->suspects;
	size_t kept = 0;
	for (size_t i = 0; i < suspects->count; i++) {
		struct group *group = &engine->groups[suspects->items[i]];
		group->suspect = group->key && engine_group_stale(group);
		if (!group->suspect)
			group->stale_since_ms = 0;
		else
			suspects->items[kept++] = suspects->items[i];
	}
	suspects->count = kept;
	engine_sort(engine, suspects->items, suspects->count, by_key);
	for (size_t i = 0; i < suspects->count; i++) {
		struct group *group = &engine->groups[suspects->items[i]];
		if (!group->stale_since_ms)
			group->stale_since_ms = engine->now_ms;
		const int64_t grace = grace_ms(engine, group);
		if (grace < 0 || !group->active)
			continue;
		if (engine->now_ms - group->stale_since_ms >= grace)
			evict_all(engine, suspects->items[i]);
		else
			engine_wake_at(engine, group->stale_since_ms + grace);
	}
}
