/*
 * cheaper: of the sets of victims that stand, the one that loses least.
 *
 * Sets are compared from the most deserving steps down, by runs of steps that queue and job order leave equal (kai-engine 4.1, 4.4 reversed,
 * age left out): the set is better that loses fewer GPU-seconds of such a run, then the one that takes from fewer groups; so nothing falls
 * while something less deserving suffices. What is equal in all of that goes by age, the youngest first, and by name at last.
 *
 * The search begins with a set that stands. All steps that could be in a better one are candidates: those that fell before, and their
 * equals that alone lose no more than the whole set, each in its group's turn. Up to EXACT of them every choice is considered, by branch
 * and bound: branches end where the sums cannot be enough or the loss is no smaller. Of more, single steps are left out while the set
 * stands, then the nodes are compared by what one pod more on them costs, and then every choice among EXACT candidates on the nodes of the
 * victims.
 *
 * Promises: the outcome stands by the rules; it is never worse than the set that the search began with; with at most EXACT candidates no set
 * of them that is better stands.
 * Costs: at most 2^(EXACT + 1) steps of books and as many judgements at the very worst, a handful in practice; MOST_CANDIDATES * (what one
 * eviction costs) for the comparison of nodes.
 */
#include "hunt.h"

enum { EXACT = 10, FEW_TO_DROP = 24, MOST_AGES = 64, MOST_CANDIDATES = 16384, MOST_WORK = 1 << 20 };

/* Steps that together let a node take more pods of the shape that is asked for. */
struct offer {
	uint32_t first, count; /* in cheaper.offered */
	uint32_t copies;
	uint32_t after; /* the offer of the same node that must be taken before, STINT_NO_HANDLE: none */
	bool taken;
};

struct cheaper {
	struct handles best; /* steps that fall by the best outcome so far, ascending as all lists of steps here */
	struct handles kept; /* search.set of it */
	bool current; /* the plan is that outcome */
	struct handles candidates, units, list, order, offered;
	struct offer *offers;
	size_t offers_count, offers_capacity;
	bool falls[EXACT]; /* of the units */
};

void engine_cheaper_free(struct cheaper *cheaper)
{
	if (!cheaper)
		return;
	struct handles *const lists[] = {
		&cheaper->best, &cheaper->kept, &cheaper->candidates, &cheaper->units, &cheaper->list, &cheaper->order, &cheaper->offered};
	for (size_t i = 0; i < STINT_COUNT(lists); i++)
		free(lists[i]->items);
	free(cheaper->offers);
	free(cheaper);
}

/* ---- which set is better --------------------------------------------------------------------------------------------------------------- */

struct toll {
	int64_t loss;
	uint32_t groups;
};

/* Of the steps of that rank at the end of the list; *end moves before them. */
static struct toll toll_of(const struct search *search, const struct handles *list, size_t *end, uint32_t rank)
{
	struct toll toll = {0, 0};
	for (; *end > 0 && search->steps[list->items[*end - 1]].rank == rank; --*end) {
		const struct step *step = &search->steps[list->items[*end - 1]];
		toll.loss = stint_add_saturated(toll.loss, step->loss);
		toll.groups += step->before == STINT_NO_HANDLE || search->steps[step->before].rank != rank;
	}
	return toll;
}

static int compare_tolls(const struct search *search, const struct handles *a, const struct handles *b)
{
	size_t i = a->count, j = b->count;
	while (i > 0 || j > 0) {
		const uint32_t p = i ? search->steps[a->items[i - 1]].rank : 0, q = j ? search->steps[b->items[j - 1]].rank : 0;
		const uint32_t rank = p > q ? p : q;
		const struct toll x = toll_of(search, a, &i, rank), y = toll_of(search, b, &j, rank);
		if (x.loss != y.loss)
			return x.loss < y.loss ? -1 : 1;
		if (x.groups != y.groups)
			return x.groups < y.groups ? -1 : 1;
	}
	return 0;
}

/* Of the groups, the oldest first; more than MOST_AGES are not told apart by age. */
static size_t ages_of(const struct stint_engine *engine, const struct handles *list, int64_t out[static MOST_AGES])
{
	size_t count = 0;
	for (size_t i = 0; i < list->count && count < MOST_AGES; i++) {
		const struct step *step = &engine->search->steps[list->items[i]];
		if (step->before != STINT_NO_HANDLE)
			continue;
		const int64_t created_ms = engine->groups[step->group].created_ms;
		size_t at = count++;
		for (; at > 0 && out[at - 1] > created_ms; at--)
			out[at] = out[at - 1];
		out[at] = created_ms;
	}
	return count;
}

static int compare_ages(const struct stint_engine *engine, const struct handles *a, const struct handles *b)
{
	int64_t x[MOST_AGES], y[MOST_AGES];
	const size_t count_a = ages_of(engine, a, x), count_b = ages_of(engine, b, y);
	for (size_t i = 0; i < count_a && i < count_b; i++) {
		if (x[i] != y[i])
			return x[i] > y[i] ? -1 : 1;
	}
	return 0;
}

int engine_steps_compare(const struct stint_engine *engine, const struct handles *a, const struct handles *b)
{
	const int tolls = compare_tolls(engine->search, a, b);
	const int ages = tolls ? tolls : compare_ages(engine, a, b);
	if (ages)
		return ages;
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const uint32_t x = a->items[a->count - 1 - i], y = b->items[b->count - 1 - i];
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a->count == b->count ? 0 : a->count < b->count ? -1 : 1;
}

/* ---- trying one ------------------------------------------------------------------------------------------------------------------------- */

static void copy(struct handles *to, const struct handles *from)
{
	to->count = 0;
	for (size_t i = 0; i < from->count; i++)
		handles_push(to, from->items[i]);
}

static bool is_robbed(const struct stint_engine *engine, const struct step *step)
{
	for (uint32_t i = 0; i < step->count; i++) {
		if (engine_pod_robbed(&engine->pods[engine->search->pods.items[step->first + i]]))
			return true;
	}
	return false;
}

/* The plan holds what came of search.set: that is the best now. */
static void adopt(struct stint_engine *engine)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	cheaper->best.count = 0;
	for (size_t i = 0; i < search->steps_count; i++) {
		if (is_robbed(engine, &search->steps[i]))
			handles_push(&cheaper->best, (uint32_t)i);
	}
	copy(&cheaper->kept, &search->set);
	cheaper->current = true;
}

/* The set of cheaper.list becomes the best if it is better than that and stands. Leaves the plan empty, or as the new outcome. */
static void try_list(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	if (!cheaper->list.count || search->work >= MOST_WORK || engine_steps_compare(engine, &cheaper->list, &cheaper->best) >= 0)
		return;
	engine_plan_rollback(engine, 0);
	cheaper->current = false;
	search->set.count = 0;
	for (size_t i = 0; i < cheaper->list.count; i++)
		engine_search_take(search, cheaper->list.items[i]);
	if (engine_search_stands(engine, hunt))
		adopt(engine);
}

/* What falls of a group falls from its end: this step cannot stay while a later one of its group is in the list. */
static bool has_later(const struct search *search, const struct handles *list, uint32_t index)
{
	for (size_t i = list->count; i > 0 && list->items[i - 1] > index; i--) {
		if (search->steps[list->items[i - 1]].group == search->steps[index].group)
			return true;
	}
	return false;
}

/* Without each of its steps, the most deserving first. */
static void drop(struct stint_engine *engine, const struct hunt *hunt)
{
	struct cheaper *cheaper = engine->search->cheaper;
	size_t at = cheaper->best.count <= FEW_TO_DROP ? cheaper->best.count : 0;
	while (at > 0) {
		at--;
		if (at >= cheaper->best.count || has_later(engine->search, &cheaper->best, cheaper->best.items[at]))
			continue;
		cheaper->list.count = 0;
		for (size_t i = 0; i < cheaper->best.count; i++) {
			if (i != at)
				handles_push(&cheaper->list, cheaper->best.items[i]);
		}
		try_list(engine, hunt);
	}
}

/* ---- candidates -------------------------------------------------------------------------------------------------------------------------- */

/* Whether what falls next is equal to the last step, and loses no more than that. */
static bool next_is_equal(const struct stint_engine *engine, int64_t most_loss)
{
	const struct step *last = &engine->search->steps[engine->search->steps_count - 1];
	const uint32_t next = engine_order_top(engine, ORDER_VICTIMS);
	if (next == STINT_NO_HANDLE)
		return false;
	const struct group *group = &engine->groups[next], *former = &engine->groups[last->group];
	return group->queue == former->queue && group->priority == former->priority && group->elastic_victim == last->elastic &&
		group->step_loss <= most_loss;
}

static void let_equals_fall(struct stint_engine *engine, const struct hunt *hunt, uint32_t rank, int64_t most_loss)
{
	struct search *search = engine->search;
	if (search->steps[search->steps_count - 1].rank != rank || !next_is_equal(engine, most_loss))
		return;
	engine_plan_rollback(engine, 0);
	search->cheaper->current = false;
	engine_search_fall_again(engine);
	while (search->steps_count < MOST_CANDIDATES && next_is_equal(engine, most_loss))
		engine_search_fall(engine, hunt);
	engine_plan_rollback(engine, 0);
}

/* No step comes up whose former one neither falls already nor can: a group is not robbed from its middle. */
static void find_candidates(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	size_t end = cheaper->best.count;
	const uint32_t rank = search->steps[cheaper->best.items[end - 1]].rank;
	const struct toll toll = toll_of(search, &cheaper->best, &end, rank);
	let_equals_fall(engine, hunt, rank, toll.loss);
	cheaper->candidates.count = 0;
	size_t next = 0; /* in cheaper.best */
	for (size_t i = 0; i < search->steps_count && search->steps[i].rank <= rank; i++) {
		struct step *step = &search->steps[i];
		const bool falls = next < cheaper->best.count && cheaper->best.items[next] == i;
		const bool in_turn = step->before == STINT_NO_HANDLE || search->steps[step->before].candidate;
		next += falls;
		step->candidate = falls || (in_turn && (step->rank < rank || step->loss <= toll.loss));
		if (step->candidate)
			handles_push(&cheaper->candidates, (uint32_t)i);
	}
}

/* ---- node by node ------------------------------------------------------------------------------------------------------------------------ */

static void note_nodes(struct stint_engine *engine, const struct hunt *hunt, const struct step *step)
{
	const struct search *search = engine->search;
	for (uint32_t i = 0; i < step->count; i++)
		engine_room_changed(engine, hunt, engine->pods[search->pods.items[step->first + i]].node);
}

/* Evicted in the plan so far, with nothing that hinders it from staying after all. */
static bool may_be_spared(const struct stint_engine *engine, const struct step *step)
{
	for (uint32_t i = 0; i < step->count; i++) {
		if (engine->pods[engine->search->pods.items[step->first + i]].evicted != EVICTED_PLANNED)
			return false;
	}
	return true;
}

static void evict_step(struct stint_engine *engine, const struct hunt *hunt, const struct step *step)
{
	const struct search *search = engine->search;
	for (uint32_t i = 0; i < step->count; i++) {
		const uint32_t pod = search->pods.items[step->first + i], node = engine->pods[pod].node;
		engine_plan_evict(engine, pod);
		engine_room_changed(engine, hunt, node);
	}
}

static void spare_step(struct stint_engine *engine, const struct hunt *hunt, const struct step *step)
{
	for (uint32_t i = 0; i < step->count; i++)
		engine_plan_spare(engine, engine->search->pods.items[step->first + i]);
	note_nodes(engine, hunt, step);
}

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

static bool by_index(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	(void)engine;
	return a < b;
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
	engine_sort(engine, cheaper->offered.items + first, cheaper->offered.count - first, by_index);
	const uint32_t copies = room->copies[node];
	for (size_t i = cheaper->offered.count; i > first; i--) {
		const uint32_t index = cheaper->offered.items[i - 1];
		const struct step *step = &engine->search->steps[index];
		const struct handles all = {.items = cheaper->offered.items + first, .count = cheaper->offered.count - first};
		if (!may_be_spared(engine, step) || has_later(engine->search, &all, index))
			continue;
		spare_step(engine, hunt, step);
		if (room->copies[node] < copies) {
			evict_step(engine, hunt, step);
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
		for (; index != STINT_NO_HANDLE && !is_robbed(engine, &search->steps[index]); index = search->steps[index].before) {
			evict_step(engine, hunt, &search->steps[index]);
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
	engine_sort(engine, cheaper->list.items, cheaper->list.count, by_index);
	size_t kept = 0;
	for (size_t i = 0; i < cheaper->list.count; i++) {
		if (!kept || cheaper->list.items[kept - 1] != cheaper->list.items[i])
			cheaper->list.items[kept++] = cheaper->list.items[i];
	}
	cheaper->list.count = kept;
	return has >= room->needed;
}

static void compare_nodes(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	if (hunt->shapes_count != 1)
		return;
	engine_plan_rollback(engine, 0);
	cheaper->current = false;
	for (size_t i = 0; i < search->steps_count; i++)
		note_nodes(engine, hunt, &search->steps[i]);
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
		try_list(engine, hunt);
}

/* ---- every choice ------------------------------------------------------------------------------------------------------------------------- */

static void list_falling(struct cheaper *cheaper, size_t from)
{
	cheaper->list.count = 0;
	for (size_t i = from; i < cheaper->units.count; i++) {
		if (cheaper->falls[i])
			handles_push(&cheaper->list, cheaper->units.items[i]);
	}
}

/* All units have fallen but those that do not, as branch() had it. */
static void restore_branch(struct stint_engine *engine, const struct hunt *hunt)
{
	const struct search *search = engine->search;
	const struct cheaper *cheaper = search->cheaper;
	engine_plan_rollback(engine, 0);
	for (size_t i = 0; i < cheaper->units.count; i++)
		evict_step(engine, hunt, &search->steps[cheaper->units.items[i]]);
	for (size_t i = cheaper->units.count; i > 0; i--) {
		if (!cheaper->falls[i - 1])
			spare_step(engine, hunt, &search->steps[cheaper->units.items[i - 1]]);
	}
}

/* The units before `left` have fallen and are to be decided on, the most deserving first. */
static void branch(struct stint_engine *engine, const struct hunt *hunt, size_t left)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	list_falling(cheaper, left);
	if (left == 0) {
		if (engine_steps_compare(engine, &cheaper->list, &cheaper->best) < 0) {
			try_list(engine, hunt);
			restore_branch(engine, hunt);
			cheaper->current = false;
		}
		return;
	}
	const uint32_t index = cheaper->units.items[left - 1];
	const struct step *step = &search->steps[index];
	if (may_be_spared(engine, step) && !has_later(search, &cheaper->list, index)) {
		const size_t mark = engine_plan_mark(engine);
		spare_step(engine, hunt, step);
		if (engine_room_enough(engine, hunt))
			branch(engine, hunt, left - 1);
		engine_plan_rollback(engine, mark);
		note_nodes(engine, hunt, step);
	}
	cheaper->falls[left - 1] = true;
	list_falling(cheaper, left - 1);
	if (compare_tolls(search, &cheaper->list, &cheaper->best) <= 0)
		branch(engine, hunt, left - 1);
	cheaper->falls[left - 1] = false;
}

static void try_every_choice(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	engine_plan_rollback(engine, 0);
	cheaper->current = false;
	for (size_t i = 0; i < search->steps_count; i++)
		note_nodes(engine, hunt, &search->steps[i]);
	memset(cheaper->falls, 0, sizeof cheaper->falls);
	for (size_t i = 0; i < cheaper->units.count; i++)
		evict_step(engine, hunt, &search->steps[cheaper->units.items[i]]);
	if (engine_room_enough(engine, hunt))
		branch(engine, hunt, cheaper->units.count);
}

static bool shares_node(const struct stint_engine *engine, const struct step *a, const struct step *b)
{
	const uint32_t *pods = engine->search->pods.items;
	for (uint32_t i = 0; i < a->count; i++) {
		for (uint32_t j = 0; j < b->count; j++) {
			if (engine->pods[pods[a->first + i]].node == engine->pods[pods[b->first + j]].node)
				return true;
		}
	}
	return false;
}

static bool is_among(const struct handles *list, uint32_t item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == item)
			return true;
	}
	return false;
}

/* Units: the best set, and the least deserving candidates on its nodes. False: it is too large. */
static bool gather_neighbours(struct stint_engine *engine)
{
	const struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	if (cheaper->best.count > EXACT)
		return false;
	copy(&cheaper->units, &cheaper->best);
	for (size_t i = 0; i < cheaper->candidates.count && cheaper->units.count < EXACT; i++) {
		const uint32_t index = cheaper->candidates.items[i], before = search->steps[index].before;
		bool near = false;
		for (size_t k = 0; k < cheaper->best.count && !near; k++)
			near = shares_node(engine, &search->steps[cheaper->best.items[k]], &search->steps[index]);
		if (near && !is_among(&cheaper->units, index) && (before == STINT_NO_HANDLE || is_among(&cheaper->units, before)))
			handles_push(&cheaper->units, index);
	}
	engine_sort(engine, cheaper->units.items, cheaper->units.count, by_index);
	return true;
}

bool engine_search_cheapen(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	if (!search->cheaper)
		search->cheaper = stint_alloc(sizeof *search->cheaper);
	struct cheaper *cheaper = search->cheaper;
	adopt(engine);
	if (!cheaper->best.count)
		return true;
	find_candidates(engine, hunt);
	bool exact = cheaper->candidates.count <= EXACT;
	if (exact) {
		copy(&cheaper->units, &cheaper->candidates);
	} else {
		drop(engine, hunt);
		compare_nodes(engine, hunt);
		exact = gather_neighbours(engine);
	}
	if (exact)
		try_every_choice(engine, hunt);
	if (cheaper->current)
		return true;
	engine_plan_rollback(engine, 0);
	copy(&search->set, &cheaper->kept);
	return engine_judge(engine, hunt);
}
