/*
 * withheld: why the reclaim action takes nothing back from others for a group that waits for room: which rule it is, found by hunting again
 * without it (kai-engine 3.4, 8.3).
 *
 * A rule is named alone where a hunt that leaves it aside, and nothing else, finds somebody. Where no single one is enough the first is named
 * without which none would be found even if all others were left aside. Nothing of it is carried out, and the state is as before.
 * Costs: up to nineteen hunts, of which most end before anybody falls.
 */
#include "hunt.h"

static const struct {
	enum waiver waiver;
	unsigned with; /* where shares and bounds are set aside, so is the order that follows from them */
	enum stint_bar bar;
} rules[] = {
	/* What forbids the group to ask at all comes first, then whom it may not ask, then what may not come of it. */
	{WAIVE_SHARE, WAIVE_ORDER, STINT_BAR_SHARE},
	{WAIVE_QUOTA, 0, STINT_BAR_QUOTA},
	{WAIVE_RUNTIME, 0, STINT_BAR_RUNTIME},
	{WAIVE_SPARED, 0, STINT_BAR_SPARED},
	{WAIVE_FIXED, 0, STINT_BAR_FIXED},
	{WAIVE_ABOVE, WAIVE_ORDER, STINT_BAR_ABOVE},
	{WAIVE_DUE, WAIVE_ORDER, STINT_BAR_DUE},
	{WAIVE_ORDER, 0, STINT_BAR_ORDER},
};

const char *stint_bar_name(enum stint_bar bar)
{
	static const char *const names[] = {
		[STINT_BAR_NONE] = NULL,
		[STINT_BAR_OFF] = "switched-off",
		[STINT_BAR_DEPTH] = "queue-depth",
		[STINT_BAR_SHARE] = "fair-share",
		[STINT_BAR_QUOTA] = "quota",
		[STINT_BAR_RUNTIME] = "min-runtime",
		[STINT_BAR_SPARED] = "spared",
		[STINT_BAR_FIXED] = "non-preemptible",
		[STINT_BAR_ABOVE] = "fair-share-above",
		[STINT_BAR_DUE] = "due-to-others",
		[STINT_BAR_ORDER] = "order",
		[STINT_BAR_PLACE] = "place",
	};
	return names[bar];
}

/* ---- which rule it is ---------------------------------------------------------------------------------------------------------------- */

static bool finds(struct stint_engine *engine, uint32_t group, unsigned waived)
{
	return engine_hunt_would_find(engine, &engine_reclaim_rules, group, waived);
}

static enum stint_bar look_for(struct stint_engine *engine, uint32_t group, bool *alone)
{
	*alone = true;
	if (finds(engine, group, WAIVE_ORDER))
		return STINT_BAR_ORDER;
	for (size_t i = 0; i < STINT_COUNT(rules); i++) {
		if (finds(engine, group, rules[i].waiver | rules[i].with))
			return rules[i].bar;
	}
	*alone = false;
	if (!finds(engine, group, WAIVE_ALL))
		return STINT_BAR_PLACE;
	for (size_t i = 0; i < STINT_COUNT(rules); i++) {
		if (!finds(engine, group, WAIVE_ALL & ~(unsigned)rules[i].waiver))
			return rules[i].bar;
	}
	return STINT_BAR_DUE; /* one of several would have to go */
}

static bool is_deep_in_line(const struct stint_engine *engine, uint32_t group)
{
	const uint32_t depth = engine->policy.queue_depth[STINT_ACTION_RECLAIM];
	uint32_t waiting;
	return depth && engine_place_in_line(engine, group, &waiting) > depth;
}

static bool takes_back(const struct stint_engine *engine)
{
	for (uint32_t i = 0; i < engine->policy.actions_count; i++) {
		if (engine->policy.actions[i] == STINT_ACTION_RECLAIM)
			return true;
	}
	return false;
}

static enum stint_bar bar_of(struct stint_engine *engine, uint32_t group, bool *alone)
{
	*alone = true;
	if (!takes_back(engine))
		return STINT_BAR_OFF;
	if (finds(engine, group, 0))
		return is_deep_in_line(engine, group) ? STINT_BAR_DEPTH : STINT_BAR_NONE;
	return look_for(engine, group, alone);
}

/* ---- its numbers ---------------------------------------------------------------------------------------------------------------------- */

static const enum stint_dimension by_weight[] = {STINT_GPU, STINT_CPU, STINT_MEMORY};

/* What the group asks for most that is scarce. */
static enum stint_dimension main_dimension(const double asked[static STINT_DIMENSIONS])
{
	for (size_t i = 0; i < STINT_COUNT(by_weight); i++) {
		if (asked[by_weight[i]] > 0)
			return by_weight[i];
	}
	return STINT_GPU;
}

/* Whether it passes one of the bounds with what is asked; that one is noted. */
static bool passes(struct stint_withheld *out, uint32_t queue, const struct amounts *allocated, const double asked[static STINT_DIMENSIONS],
	const double bounds[static STINT_DIMENSIONS])
{
	double had[STINT_DIMENSIONS];
	amounts_to(allocated, had);
	for (size_t i = 0; i < STINT_COUNT(by_weight); i++) {
		const enum stint_dimension d = by_weight[i];
		if (bounds[d] < 0 || in_unit(had[d] + asked[d], d) <= bounds[d])
			continue;
		out->queue = queue;
		out->dimension = d;
		out->bound = bounds[d];
		out->allocated = in_unit(had[d], d);
		out->asked = in_unit(asked[d], d);
		return true;
	}
	return false;
}

static void note_bound(
	const struct stint_engine *engine, uint32_t leaf, const double asked[static STINT_DIMENSIONS], struct stint_withheld *out)
{
	const struct queue *own = &engine->queues[leaf];
	if (out->bar == STINT_BAR_SHARE)
		passes(out, leaf, &own->allocated, asked, own->fair);
	for (uint32_t at = leaf; out->bar == STINT_BAR_QUOTA && at != STINT_NO_HANDLE; at = engine->queues[at].parent) {
		if (passes(out, at, &engine->queues[at].allocated_fixed, asked, engine->queues[at].quota))
			return;
	}
	for (uint32_t at = own->parent; out->bar == STINT_BAR_ABOVE && at != STINT_NO_HANDLE; at = engine->queues[at].parent) {
		if (passes(out, at, &engine->queues[at].allocated, asked, engine->queues[at].fair))
			return;
	}
}

/* ---- who has more than is due ----------------------------------------------------------------------------------------------------------- */

static uint32_t first_active(const struct stint_engine *engine, uint32_t queue)
{
	uint32_t at = engine->queues[queue].first_group;
	while (at != STINT_NO_HANDLE && !engine->groups[at].active)
		at = engine->groups[at].queue_next;
	return at;
}

static bool is_listed(const struct handles *list, uint32_t item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == item)
			return true;
	}
	return false;
}

/* The largest surplus first; in order of age where they are equal. */
static void add_giver(struct stint_surplus *out, const struct stint_giver *giver)
{
	size_t at = out->givers_count;
	out->beyond += giver->has - giver->due;
	out->givers_total++;
	while (at > 0 && giver->has - giver->due > out->givers[at - 1].has - out->givers[at - 1].due)
		at--;
	if (at == STINT_MAX_GIVERS)
		return;
	out->givers_count += out->givers_count < STINT_MAX_GIVERS;
	memmove(&out->givers[at + 1], &out->givers[at], (out->givers_count - at - 1) * sizeof *out->givers);
	out->givers[at] = *giver;
}

void stint_engine_surplus(struct stint_engine *engine, uint32_t handle, struct stint_surplus *out)
{
	const uint32_t taker = engine->groups[handle].queue;
	struct handles seen = {0};
	double asked[STINT_DIMENSIONS];
	*out = (struct stint_surplus){0};
	if (taker == STINT_NO_HANDLE || !engine->queues[taker].usable)
		return;
	engine_settle(engine);
	engine_chunk_asks(engine, handle, true, engine->least_gpu_mib, asked);
	const enum stint_dimension d = out->dimension = main_dimension(asked);
	for (size_t i = 0; i < engine->queue_order.count; i++) {
		const uint32_t leaf = engine->queue_order.items[i], group = first_active(engine, leaf);
		double due[STINT_DIMENSIONS], has[STINT_DIMENSIONS];
		if (leaf == taker || engine->queues[leaf].first_child != STINT_NO_HANDLE || group == STINT_NO_HANDLE)
			continue;
		struct stint_giver giver = {.group = group};
		giver.queue = engine_reclaim_giver(engine, taker, leaf, asked, due, &giver.by_quota);
		amounts_in_units(&engine->queues[giver.queue].allocated, has);
		giver.has = has[d];
		giver.due = due[d];
		if (due[d] < 0 || has[d] <= due[d] || is_listed(&seen, giver.queue))
			continue;
		handles_push(&seen, giver.queue);
		add_giver(out, &giver);
	}
	free(seen.items);
}

/* ---- the answer ---------------------------------------------------------------------------------------------------------------------------- */

/* Its own delay, and minimum runtimes that reclaim has met, stand in its record already. */
static bool is_about_reclaim(const struct stint_engine *engine, const struct group *group, uint32_t handle)
{
	const struct stint_record *record = engine_record(group);
	return (record->reason == STINT_REASON_NO_ROOM || record->reason == STINT_REASON_TOPOLOGY) && engine_group_ready(group) &&
		group->queue != STINT_NO_HANDLE && engine->queues[group->queue].usable && engine_delay_is_over(engine, handle) &&
		(record->restraint != STINT_RESTRAINT_RUNTIME || record->restrained_action != STINT_ACTION_RECLAIM);
}

bool stint_engine_withheld(struct stint_engine *engine, uint32_t handle, struct stint_withheld *out)
{
	double asked[STINT_DIMENSIONS];
	*out = (struct stint_withheld){.queue = STINT_NO_HANDLE};
	if (engine->plan.count || !is_about_reclaim(engine, &engine->groups[handle], handle))
		return false;
	const int64_t wake_ms = engine->wake_ms;
	const bool stirred = engine->stirred;
	if (!engine->search)
		engine->search = stint_alloc(sizeof *engine->search);
	engine_settle(engine);
	engine->shares_fixed = true;
	out->bar = bar_of(engine, handle, &out->alone);
	engine->shares_fixed = false;
	engine->wake_ms = wake_ms; /* of those whom hunts have met */
	engine->stirred = stirred;
	if (out->bar == STINT_BAR_NONE)
		return false;
	engine_chunk_asks(engine, handle, true, engine->least_gpu_mib, asked);
	note_bound(engine, engine->groups[handle].queue, asked, out);
	stint_engine_surplus(engine, handle, &out->surplus);
	return true;
}
