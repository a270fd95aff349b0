/*
 * hopeless: groups that nodes could not serve if nothing ran on them.
 *
 * KAI gives them their turn in the order, and what they ask for makes their queue come later there. Without declared times that is all it
 * does, and so it is here. Where starts are promised it would cost others of the queue their place, since a promise goes to whoever comes first.
 * What is counted is what nodes could give when empty, cordoned ones and those that are not ready included.
 *
 * Promises: only what cannot be placed at present is hopeless; volumes and claims, which come and go, are no reason.
 * Costs: O(1) where neither the group nor any node's specification has changed; else the nodes until there are enough, all of
 * them once per shape for what is hopeless.
 */
#include "ordering.h"

static bool may_serve(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	if (!engine->nodes[node].object)
		return false;
	const enum stint_cause cause = engine_matching_cause(engine, shape, node);
	return cause == STINT_CAUSE_COUNT || cause == STINT_CAUSE_NO_VOLUME;
}

/* Goes on where the last question about the shape has ended. */
static bool enough_when_empty(struct stint_engine *engine, struct shape *shape, uint64_t wanted)
{
	if (shape->empty_seen != engine->specifications + 1) {
		shape->empty_seen = engine->specifications + 1;
		shape->empty_copies = shape->empty_next = 0;
	}
	for (; shape->empty_copies < wanted && shape->empty_next < engine->nodes_count; shape->empty_next++) {
		if (may_serve(engine, shape, shape->empty_next))
			shape->empty_copies += engine_copies_when_empty(engine, shape, shape->empty_next);
	}
	return shape->empty_copies >= wanted;
}

bool engine_group_hopeless(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	const uint32_t now = (uint32_t)(engine->specifications + 1);
	if (group->hopes_seen == now)
		return group->hopeless;
	group->hopes_seen = now;
	const struct handles *chunk = &engine->chunk;
	engine->chunk.count = 0;
	engine_group_chunk(engine, handle, false, &engine->chunk);
	uint64_t alike = 0;
	for (size_t i = 0; i < chunk->count; i++) {
		const uint32_t index = engine->pods[chunk->items[i]].shape;
		alike = i > 0 && engine->pods[chunk->items[i - 1]].shape == index ? alike + 1 : 1;
		struct shape *shape = &engine->shapes[index];
		if (!shape->claims_count && !enough_when_empty(engine, shape, alike))
			return true;
	}
	return false;
}

bool engine_has_hope(const struct stint_engine *engine, uint32_t group)
{
	return !engine->groups[group].hopeless;
}
