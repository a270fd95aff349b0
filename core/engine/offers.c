/*
 * offers: of many candidates, the nodes where one pod more costs least.
 *
 * On each node candidates fall until it takes one pod more of the shape that is asked for; those of them that it took, less what was not
 * needed for it, are an offer, and what the next pod costs is another one that comes after it. The cheapest offers that suffice are tried
 * as one set. Only for chunks of a single shape: of several, a pod more of one says nothing about the others.
 *
 * Promises: the plan is empty afterwards, or a better outcome that stands.
 * Costs: what one eviction and one that is taken back cost, for each candidate; sorting the offers.
 */
#include "cheaper.h"

static uint32_t step_of(const struct search *search, uint32_t pod)
{
	size_t low = 0, high = search->steps_count;
	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;
		if (search->steps[middle].first <= pod)
			low = middle;
		else
			high = middle;
	}
	return (uint32_t)low;
}

/* Places in search.pods. */
static bool by_node(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const uint32_t *pods = engine->search->pods.items;
	const uint32_t x = engine->nodes[engine->pods[pods[a]].node].rank, y = engine->nodes[engine->pods[pods[b]].node].rank;
	return x != y ? x < y : a < b;
}

static struct handles steps_of(const struct cheaper *cheaper, const struct offer *offer)
{
	return (struct handles){.items = cheaper->offered.items + offer->first, .count = offer->count};
}

/* Closes the offer that began at `first`: less what it does not need, in order. */
static void close_offer(
	struct stint_engine *engine, const struct hunt *hunt, uint32_t node, uint32_t first, uint32_t former, uint32_t after)
{
	struct cheaper *cheaper = engine->search->cheaper;
	const struct room *room = &engine->search->rooms[0];
	engine_sort(engine, cheaper->offered.items + first, cheaper->offered.count - first, engine_steps_by_index);
	const uint32_t copies = room->copies[node];
	for (size_t i = cheaper->offered.count; i > first; i--) {
		const uint32_t index = cheaper->offered.items[i - 1];
		const struct step *step = &engine->search->steps[index];
		const struct handles all = {.items = cheaper->offered.items + first, .count = cheaper->offered.count - first};
		if (!engine_step_may_stay(engine, step) || engine_steps_have_later(engine->search, &all, index))
			continue;
		engine_step_spare(engine, hunt, step);
		if (room->copies[node] < copies) {
			engine_step_evict(engine, hunt, step);
			continue;
		}
		memmove(&cheaper->offered.items[i - 1], &cheaper->offered.items[i], (cheaper->offered.count - i) * sizeof(uint32_t));
		cheaper->offered.count--;
	}
	stint_grow(&cheaper->offers, &cheaper->offers_capacity, cheaper->offers_count + 1, sizeof *cheaper->offers);
	cheaper->offers[cheaper->offers_count++] = (struct offer){
		.first = first,
		.count = (uint32_t)cheaper->offered.count - first,
		.copies = copies - former,
		.after = after,
	};
}

/* cheaper.order from `from` to `end`: pods on one node. Each pod more that it can take is an offer. */
static void offer_node(struct stint_engine *engine, const struct hunt *hunt, size_t from, size_t end)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	const struct room *room = &search->rooms[0];
	const uint32_t node = engine->pods[search->pods.items[cheaper->order.items[from]]].node;
	const size_t all = cheaper->offered.count;
	uint32_t first = (uint32_t)all, copies = room->copies[node], after = STINT_NO_HANDLE;
	for (size_t i = from; i < end && copies < room->needed; i++) {
		uint32_t index = step_of(search, cheaper->order.items[i]);
		for (; index != STINT_NO_HANDLE && !engine_step_robbed(engine, &search->steps[index]);
			index = search->steps[index].before) {
			engine_step_evict(engine, hunt, &search->steps[index]);
			handles_push(&cheaper->offered, index);
		}
		if (room->copies[node] <= copies)
			continue;
		close_offer(engine, hunt, node, first, copies, after);
		copies = room->copies[node];
		first = (uint32_t)cheaper->offered.count;
		after = (uint32_t)cheaper->offers_count - 1;
	}
	cheaper->offered.count = first; /* what came after the last offer makes none */
	struct handles *touched = &engine->search->nodes;
	touched->count = 0;
	for (size_t i = 0; i < engine->plan.count; i++)
		handles_push(touched, engine->plan.changes[i].former.node);
	engine_plan_rollback(engine, 0);
	for (size_t i = 0; i < touched->count; i++)
		engine_room_changed(engine, hunt, touched->items[i]);
}

static bool by_toll(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const struct cheaper *cheaper = engine->search->cheaper;
	const struct handles x = steps_of(cheaper, &cheaper->offers[a]), y = steps_of(cheaper, &cheaper->offers[b]);
	const int order = engine_steps_compare(engine, &x, &y);
	return order ? order < 0 : a < b;
}

/* The cheapest offers that suffice, as cheaper.list; false: they do not. */
static bool take_offers(struct stint_engine *engine)
{
	struct cheaper *cheaper = engine->search->cheaper;
	const struct room *room = &engine->search->rooms[0];
	uint64_t has = room->total;
	cheaper->order.count = cheaper->list.count = 0;
	for (uint32_t i = 0; i < cheaper->offers_count; i++)
		handles_push(&cheaper->order, i);
	engine_sort(engine, cheaper->order.items, cheaper->order.count, by_toll);
	for (size_t i = 0; i < cheaper->order.count && has < room->needed; i++) {
		struct offer *offer = &cheaper->offers[cheaper->order.items[i]];
		if (offer->after != STINT_NO_HANDLE && !cheaper->offers[offer->after].taken)
			continue;
		offer->taken = true;
		has += offer->copies;
		for (uint32_t s = 0; s < offer->count; s++)
			handles_push(&cheaper->list, cheaper->offered.items[offer->first + s]);
	}
	engine_sort(engine, cheaper->list.items, cheaper->list.count, engine_steps_by_index);
	size_t kept = 0;
	for (size_t i = 0; i < cheaper->list.count; i++) {
		if (!kept || cheaper->list.items[kept - 1] != cheaper->list.items[i])
			cheaper->list.items[kept++] = cheaper->list.items[i];
	}
	cheaper->list.count = kept;
	return has >= room->needed;
}

void engine_cheaper_compare_nodes(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	if (hunt->shapes_count != 1)
		return;
	engine_plan_rollback(engine, 0);
	cheaper->current = false;
	for (size_t i = 0; i < search->steps_count; i++)
		engine_step_note_nodes(engine, hunt, &search->steps[i]);
	cheaper->order.count = cheaper->offered.count = cheaper->offers_count = 0;
	for (size_t i = 0; i < cheaper->candidates.count; i++) {
		const struct step *step = &search->steps[cheaper->candidates.items[i]];
		for (uint32_t pod = step->first; pod < step->first + step->count; pod++)
			handles_push(&cheaper->order, pod);
	}
	engine_sort(engine, cheaper->order.items, cheaper->order.count, by_node);
	size_t from = 0;
	for (size_t i = 1; i <= cheaper->order.count; i++) {
		const uint32_t *pods = search->pods.items, *order = cheaper->order.items;
		if (i < cheaper->order.count && engine->pods[pods[order[i]]].node == engine->pods[pods[order[from]]].node)
			continue;
		offer_node(engine, hunt, from, i);
		from = i;
	}
	if (take_offers(engine))
		engine_cheaper_try(engine, hunt);
}
