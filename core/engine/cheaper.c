/*
 * cheaper: of the sets of victims that stand, the one that loses least.
 *
 * The search begins with a set that stands. All steps that could be in a better one are candidates: those that fell before, and their
 * equals that alone lose no more than the whole set, each in its group's turn. Up to EXACT of them every choice is considered, by branch
 * and bound: branches end where the sums cannot be enough or the loss is no smaller. Of more, single steps are left out while the set
 * stands, then the nodes are compared by what one pod more on them costs, and then every choice among EXACT candidates on the nodes of the
 * victims.
 *
 * Promises: the outcome stands by the rules; it is never worse than the set that the search began with; with at most EXACT candidates no
 * set of them that is better stands.
 * Costs: at most 2^(EXACT + 1) steps of books and as many judgements at the very worst, a handful in practice; MOST_CANDIDATES * (what one
 * eviction costs) for the comparison of nodes.
 */
#include "cheaper.h"

enum { FEW_TO_DROP = 24, MOST_CANDIDATES = 16384 };

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

/* ---- one step ----------------------------------------------------------------------------------------------------------------------- */

bool engine_step_robbed(const struct stint_engine *engine, const struct step *step)
{
	for (uint32_t i = 0; i < step->count; i++) {
		if (engine_pod_robbed(&engine->pods[engine->search->pods.items[step->first + i]]))
			return true;
	}
	return false;
}

void engine_step_note_nodes(struct stint_engine *engine, const struct hunt *hunt, const struct step *step)
{
	const struct search *search = engine->search;
	for (uint32_t i = 0; i < step->count; i++)
		engine_room_changed(engine, hunt, engine->pods[search->pods.items[step->first + i]].node);
}

bool engine_step_may_stay(const struct stint_engine *engine, const struct step *step)
{
	for (uint32_t i = 0; i < step->count; i++) {
		if (engine->pods[engine->search->pods.items[step->first + i]].evicted != EVICTED_PLANNED)
			return false;
	}
	return true;
}

void engine_step_evict(struct stint_engine *engine, const struct hunt *hunt, const struct step *step)
{
	const struct search *search = engine->search;
	for (uint32_t i = 0; i < step->count; i++) {
		const uint32_t pod = search->pods.items[step->first + i], node = engine->pods[pod].node;
		engine_plan_evict(engine, pod);
		engine_room_changed(engine, hunt, node);
	}
}

void engine_step_spare(struct stint_engine *engine, const struct hunt *hunt, const struct step *step)
{
	for (uint32_t i = 0; i < step->count; i++)
		engine_plan_spare(engine, engine->search->pods.items[step->first + i]);
	engine_step_note_nodes(engine, hunt, step);
}

/* ---- trying one --------------------------------------------------------------------------------------------------------------------- */

static void copy(struct handles *to, const struct handles *from)
{
	to->count = 0;
	for (size_t i = 0; i < from->count; i++)
		handles_push(to, from->items[i]);
}

/* The plan holds what came of search.set: that is the best now. */
static void adopt(struct stint_engine *engine)
{
	struct search *search = engine->search;
	struct cheaper *cheaper = search->cheaper;
	cheaper->best.count = 0;
	for (size_t i = 0; i < search->steps_count; i++) {
		if (engine_step_robbed(engine, &search->steps[i]))
			handles_push(&cheaper->best, (uint32_t)i);
	}
	copy(&cheaper->kept, &search->set);
	cheaper->current = true;
}

void engine_cheaper_try(struct stint_engine *engine, const struct hunt *hunt)
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

/* Without each of its steps, the most deserving first. */
static void drop(struct stint_engine *engine, const struct hunt *hunt)
{
	struct cheaper *cheaper = engine->search->cheaper;
	size_t at = cheaper->best.count <= FEW_TO_DROP ? cheaper->best.count : 0;
	while (at > 0) {
		at--;
		if (at >= cheaper->best.count || engine_steps_have_later(engine->search, &cheaper->best, cheaper->best.items[at]))
			continue;
		cheaper->list.count = 0;
		for (size_t i = 0; i < cheaper->best.count; i++) {
			if (i != at)
				handles_push(&cheaper->list, cheaper->best.items[i]);
		}
		engine_cheaper_try(engine, hunt);
	}
}

/* ---- candidates --------------------------------------------------------------------------------------------------------------------- */

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
	const struct toll toll = engine_steps_toll(search, &cheaper->best, &end, rank);
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

/* ---- every choice ------------------------------------------------------------------------------------------------------------------- */

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
		engine_step_evict(engine, hunt, &search->steps[cheaper->units.items[i]]);
	for (size_t i = cheaper->units.count; i > 0; i--) {
		if (!cheaper->falls[i - 1])
			engine_step_spare(engine, hunt, &search->steps[cheaper->units.items[i - 1]]);
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
			engine_cheaper_try(engine, hunt);
			restore_branch(engine, hunt);
			cheaper->current = false;
		}
		return;
	}
	const uint32_t index = cheaper->units.items[left - 1];
	const struct step *step = &search->steps[index];
	if (engine_step_may_stay(engine, step) && !engine_steps_have_later(search, &cheaper->list, index)) {
		const size_t mark = engine_plan_mark(engine);
		engine_step_spare(engine, hunt, step);
		if (engine_room_enough(engine, hunt))
			branch(engine, hunt, left - 1);
		engine_plan_rollback(engine, mark);
		engine_step_note_nodes(engine, hunt, step);
	}
	cheaper->falls[left - 1] = true;
	list_falling(cheaper, left - 1);
	if (engine_steps_compare_tolls(search, &cheaper->list, &cheaper->best) <= 0)
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
		engine_step_note_nodes(engine, hunt, &search->steps[i]);
	memset(cheaper->falls, 0, sizeof cheaper->falls);
	for (size_t i = 0; i < cheaper->units.count; i++)
		engine_step_evict(engine, hunt, &search->steps[cheaper->units.items[i]]);
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
	engine_sort(engine, cheaper->units.items, cheaper->units.count, engine_steps_by_index);
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
		engine_cheaper_compare_nodes(engine, hunt);
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
