/*
 * ranking: for each shape that waits, the nodes in the order in which it wants them (kai-engine 5.2), as a tournament: the best node is the
 * root, and a node that changed plays its way up again.
 *
 * A ranking catches up with the log of changed nodes when it is asked, so shapes that nobody asks for cost nothing.
 * The score packs the plugins' scales from most to least significant, which orders nodes as their sum does:
 *     preferences of pods for pods | a partly used device fits | starts at once | few zones | no GPUs, for pods without |
 *     packing, spreading, or what is lost, behind the strategy where pools have their own
 * Promises: the best node is one where the pod fits; equal scores go by name. 0 is no fit.
 * Costs: O(log nodes) per changed node and O(1) per change, O(nodes) when more than a quarter of them changed. Memory 17 bytes a node;
 * least-asked rankings go when all of them pass MOST_RANKED nodes.
 */
#include <math.h>

#include "state.h"

enum { MOST_RANKED = 16 * 1024 * 1024 };

enum { PACKING_BITS = 57, ZONE_BITS = 3 };
/* Where preferences of pods for pods count, they stand above the rest, which gets by with fewer bits. */
enum { PACKING_BITS_BELOW_AFFINITY = 37, AFFINITY_BITS = 21 };

static uint64_t fragmentation_score(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	const int64_t middle = INT64_C(1) << (PACKING_BITS - 1), most = middle - 1;
	const int64_t loss = engine_placement_loss(engine, shape, handle);
	return (uint64_t)(middle - (loss > most ? most : loss < -most ? -most : loss));
}

static uint64_t packing_score(
	const struct stint_engine *engine, const struct shape *shape, uint32_t handle, enum stint_placement placement, unsigned bits)
{
	const uint64_t top = UINT64_C(1) << bits;
	const struct books *books = &engine->books[handle];
	const struct claim_table *table = engine->nodes[handle].devices;
	const bool cpu_only = engine_shape_cpu_only(shape);
	int64_t free_amount = cpu_only ? books->cpu_idle + books->cpu_leaving : (int64_t)books->gpus_idle + books->gpus_leaving;
	if (table && !cpu_only)
		free_amount += table->gpus_idle + table->gpus_leaving;
	free_amount = free_amount < (int64_t)(top / 4) ? free_amount : (int64_t)(top / 4);
	switch (placement) {
	case STINT_BINPACK:
		/* kai-engine 5.2: a node that has no such devices at all is the last. Only pods with MIG get so far on one. */
		return !cpu_only && books->devices_count == 0 && !table ? 1 : top / 2 - (uint64_t)free_amount;
	case STINT_SPREAD: break;
	case STINT_UNORDERED: return 1;
	case STINT_FRAGMENTATION: return fragmentation_score(engine, shape, handle) >> (PACKING_BITS - bits) | (bits < PACKING_BITS);
	}
	int64_t capacity = cpu_only ? engine->nodes[handle].object->allocatable.cpu_milli : books->devices_count;
	if (table && !cpu_only)
		capacity += table->gpus;
	const double part = capacity > 0 && free_amount > 0 ? (double)free_amount / (double)capacity : 0;
	/* Shares of whole numbers keep their order, and equal ones stay equal, in 52 bits, and in 34 if they are not very large. */
	return 1 + (uint64_t)llround(ldexp(fmin(part, 1), bits > 52 ? 52 : (int)bits - 1));
}

/* Scores of several strategies do not compare: their order stands above them (pools.c). */
static uint64_t strategy_score(const struct stint_engine *engine, const struct shape *shape, uint32_t handle, unsigned bits)
{
	enum { STRATEGY_BITS = 2 };
	if (engine_shape_cpu_only(shape))
		return packing_score(engine, shape, handle, engine->policy.cpu_nodes, bits);
	if (!engine->policy.pools_count)
		return packing_score(engine, shape, handle, engine->policy.gpu_nodes, bits);
	const enum stint_placement placement = engine_placement_on(engine, handle).gpu_nodes;
	return (uint64_t)engine_strategy_rank(placement) << (bits - STRATEGY_BITS) |
		packing_score(engine, shape, handle, placement, bits - STRATEGY_BITS);
}

static uint64_t affinity_score(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	const int64_t most = (INT64_C(1) << (AFFINITY_BITS - 1)) - 1, score = engine_affinity_score(engine, shape, handle);
	return (uint64_t)((score < -most ? -most : score > most ? most : score) + most);
}

/* Fewer zones are better; a node that says nothing of zones counts as one that spans the most (kai-engine 7.7). */
static uint64_t zone_score(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	uint32_t span;
	engine_zones_fit(engine, shape, handle, &span);
	return span == 0 ? 0 : STINT_MAX_ZONES - span;
}

static uint64_t score(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	uint32_t fitting;
	if (shape->ranking.fixed[handle] != STINT_CAUSE_COUNT)
		return 0;
	const enum fit fit = engine_fit(engine, shape, handle, &fitting);
	if (fit == FIT_NONE)
		return 0;
	const struct books *books = &engine->books[handle];
	const bool by_affinity = shape->terms && engine->policy.prefer_pod_affinity;
	const unsigned bits = by_affinity ? PACKING_BITS_BELOW_AFFINITY : PACKING_BITS;
	uint64_t score = strategy_score(engine, shape, handle, bits);
	if (by_affinity)
		score |= affinity_score(engine, shape, handle) << (bits + ZONE_BITS + 3);
	if (fitting && engine_placement_on(engine, handle).prefer_shared)
		score |= UINT64_C(1) << (bits + ZONE_BITS + 2);
	if (engine->policy.prefer_idle && fit == FIT_NOW)
		score |= UINT64_C(1) << (bits + ZONE_BITS + 1);
	if (engine->zone_nodes)
		score |= zone_score(engine, shape, handle) << (bits + 1);
	if (engine->policy.prefer_cpu_nodes && engine_shape_cpu_only(shape) && books->cpu_only)
		score |= UINT64_C(1) << bits;
	return score;
}

/* ---- the tournament --------------------------------------------------------------------------------------------------------------- */

static uint32_t winner(const struct stint_engine *engine, const struct ranking *ranking, uint32_t a, uint32_t b)
{
	const uint64_t x = ranking->scores[a], y = ranking->scores[b];
	if (x != y)
		return x > y ? a : b;
	return x == 0 || engine->nodes[a].rank <= engine->nodes[b].rank ? a : b;
}

static void replay(const struct stint_engine *engine, struct ranking *ranking, uint32_t handle)
{
	for (uint32_t at = (ranking->width + handle) / 2; at; at /= 2)
		ranking->winners[at] = winner(engine, ranking, ranking->winners[2 * at], ranking->winners[2 * at + 1]);
}

static void refresh(const struct stint_engine *engine, struct shape *shape, uint32_t handle)
{
	struct ranking *ranking = &shape->ranking;
	if (engine->nodes[handle].respecified > ranking->seen)
		ranking->fixed[handle] = (uint8_t)engine_fixed_cause(engine, shape, handle);
	ranking->scores[handle] = score(engine, shape, handle);
}

static void play_all(struct stint_engine *engine, struct shape *shape)
{
	struct ranking *ranking = &shape->ranking;
	ranking->played = ++engine->clock;
	for (uint32_t i = 0; i < engine->nodes_count; i++)
		refresh(engine, shape, i);
	for (uint32_t i = 0; i < ranking->width; i++)
		ranking->winners[ranking->width + i] = i;
	for (uint32_t at = ranking->width - 1; at; at--)
		ranking->winners[at] = winner(engine, ranking, ranking->winners[2 * at], ranking->winners[2 * at + 1]);
}

/* ---- keeping it current --------------------------------------------------------------------------------------------------------------- */

void engine_ranking_free(struct stint_engine *engine, struct shape *shape)
{
	if (!shape->ranking.width)
		return;
	free(shape->ranking.scores);
	free(shape->ranking.winners);
	free(shape->ranking.fixed);
	shape->ranking = (struct ranking){0};
	engine->rankings--;
}

static void drop_least_asked(struct stint_engine *engine)
{
	struct shape *least = NULL;
	for (size_t i = 0; i < engine->shapes_count; i++) {
		struct shape *shape = &engine->shapes[i];
		if (shape->ranking.width && (!least || shape->ranking.used < least->ranking.used))
			least = shape;
	}
	if (least)
		engine_ranking_free(engine, least);
}

static void make(struct stint_engine *engine, struct shape *shape)
{
	struct ranking *ranking = &shape->ranking;
	engine_ranking_free(engine, shape);
	uint32_t width = 2;
	while (width < engine->nodes_count)
		width *= 2;
	if ((engine->rankings + 1) * width > MOST_RANKED)
		drop_least_asked(engine);
	ranking->scores = stint_alloc(width * sizeof *ranking->scores);
	ranking->winners = stint_alloc(2 * (size_t)width * sizeof *ranking->winners);
	ranking->fixed = stint_alloc(width);
	ranking->width = width;
	engine->rankings++;
}

/* Adds the nodes that have changed to engine.moved. False: so many that all of them are ranked anew for less. */
static bool collect_changed(struct stint_engine *engine, const struct ranking *ranking)
{
	const size_t most = engine->moved.count + engine->nodes_count / 4 + 1;
	if (engine->changes - ranking->seen > 2 * engine->nodes_count)
		return false; /* as far as the log goes back for sure */
	for (uint64_t at = ranking->seen; at < engine->changes; at++) {
		const uint32_t handle = engine->log[at & (engine->log_size - 1)];
		/* A node that changed again later is looked at then. */
		if (engine->nodes[handle].changed != at + 1)
			continue;
		if (engine->moved.count == most)
			return false;
		handles_push(&engine->moved, handle);
	}
	return true;
}

static void catch_up(struct stint_engine *engine, struct shape *shape)
{
	struct ranking *ranking = &shape->ranking;
	const uint64_t behind = engine->changes - ranking->seen;
	const uint64_t claims = shape->claims_count ? engine_shape_claims_stamp(engine, shape) : 0;
	const bool current = ranking->width && ranking->policy == engine->policy_stamp && ranking->names == engine->names_stamp &&
		ranking->claims == claims;
	ranking->used = ++engine->clock;
	engine->moved.count = 0;
	const bool all = shape->terms && engine_affinity_follow(engine, shape, &engine->moved);
	if (current && behind == 0 && !all && !engine->moved.count)
		return;
	if (ranking->width < engine->nodes_count || !ranking->width)
		make(engine, shape);
	if (!current || all || !collect_changed(engine, ranking)) {
		play_all(engine, shape);
	} else {
		for (size_t i = 0; i < engine->moved.count; i++) {
			refresh(engine, shape, engine->moved.items[i]);
			replay(engine, ranking, engine->moved.items[i]);
		}
	}
	ranking->seen = engine->changes;
	ranking->policy = engine->policy_stamp;
	ranking->names = engine->names_stamp;
	ranking->claims = claims;
	ranking->used = engine->clock;
}

uint32_t engine_ranking_best(struct stint_engine *engine, uint32_t handle)
{
	struct shape *shape = &engine->shapes[handle];
	if (engine->nodes_count == 0)
		return STINT_NO_HANDLE;
	catch_up(engine, shape);
	const uint32_t best = shape->ranking.winners[1];
	return shape->ranking.scores[best] ? best : STINT_NO_HANDLE;
}

bool engine_ranking_fits(struct stint_engine *engine, uint32_t handle, uint32_t node)
{
	return engine_ranking_best(engine, handle) != STINT_NO_HANDLE && engine->shapes[handle].ranking.scores[node] != 0;
}

void engine_ranking_mask(struct stint_engine *engine, uint32_t handle, uint32_t node)
{
	struct ranking *ranking = &engine->shapes[handle].ranking;
	ranking->scores[node] = 0;
	replay(engine, ranking, node);
}

void engine_ranking_unmask(struct stint_engine *engine, uint32_t handle, uint32_t node)
{
	struct shape *shape = &engine->shapes[handle];
	if (!shape->ranking.width)
		return;
	refresh(engine, shape, node);
	replay(engine, &shape->ranking, node);
}
