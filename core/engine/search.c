/*
 * search: which victims (kai-engine 8.3; the mechanics are ours).
 *
 * Candidates fall step by step, least deserving first (kai-engine 4.1, 4.4 reversed), until the sums say that it could be enough. Then the
 * chunk is placed on what that makes free, and from the most deserving back every step whose place is not needed is spared: the set that
 * remains is put to judgement. So nothing falls while something less deserving suffices, and for a gang whole nodes are freed. When that
 * set does not stand, all that fell on one node of the newest victim is tried, then everything, and more falls. The first set that stands
 * is the beginning of cheaper.c's work.
 *
 * Promises: the outcome stands by the rules of the action; the same state gives the same set.
 * Costs: O(log) per candidate, and few judgements: beyond FEW steps only after twice as many more; MOST_WORK bounds one hunt.
 */
#include "hunt.h"

enum { FEW = 64 };

void engine_search_free(struct search *search)
{
	if (!search)
		return;
	struct handles *const lists[] = {&search->pods, &search->set, &search->judged, &search->groups, &search->nodes};
	for (size_t i = 0; i < STINT_COUNT(lists); i++)
		free(lists[i]->items);
	for (size_t i = 0; i < ROOM_SHAPES; i++)
		free(search->rooms[i].copies);
	free(search->steps);
	free(search->tried);
	free(search->failed);
	free(search->items);
	engine_cheaper_free(search->cheaper);
	free(search);
}

/* ---- candidates ------------------------------------------------------------------------------------------------------------------------- */

static int64_t loss_of(const struct stint_engine *engine, const struct group *group, const uint32_t *pods, size_t count)
{
	int64_t percent = 0;
	if (!group->started_ms || group->started_ms >= engine->now_ms)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const struct pod *pod = &engine->pods[pods[i]];
		if (pod->status != STINT_POD_RESERVED)
			percent += engine_pod_gpu_percent(pod, &engine->shapes[pod->shape]);
	}
	const int64_t ran_ms = engine->now_ms - group->started_ms;
	return percent > INT64_MAX / ran_ms ? INT64_MAX : percent * ran_ms;
}

/* What orders the group among candidates: how elastic it is by now, and what its next step would lose. */
static void assess_next(struct stint_engine *engine, const struct hunt *hunt, uint32_t handle)
{
	struct handles *pods = &engine->sorting;
	struct group *group = &engine->groups[handle];
	group->elastic_victim = engine_group_elastic(group);
	group->step_loss = 0;
	if (hunt->rules->moves_only)
		return;
	pods->count = 0;
	engine_group_step(engine, handle, pods);
	group->step_loss = loss_of(engine, group, pods->items, pods->count);
}

static void lose(const struct stint_engine *engine, const struct hunt *hunt, uint32_t handle, struct leftover *sum)
{
	const struct pod *pod = &engine->pods[handle];
	if (engine_pod_active(pod) && hunt->rules->may_lose && hunt->rules->may_lose(engine, hunt, pod))
		engine_leftover_lose(engine, pod, sum);
}

static bool could_suffice(const struct stint_engine *engine, const struct leftover *lost)
{
	return engine_leftover_suffices(&engine->search->free, lost, &engine->search->asked);
}

/* *lost: what all candidates so far may lose; of more than enough a part. */
static bool add_candidates(struct stint_engine *engine, const struct hunt *hunt, uint32_t queue, struct leftover *lost)
{
	bool any = false;
	for (uint32_t at = engine->queues[queue].first_group; at != STINT_NO_HANDLE; at = engine->groups[at].queue_next) {
		struct group *group = &engine->groups[at];
		/* What this very cycle made room for is not undone by it: the evictions would be for nothing. */
		if (at == hunt->group || group->served == engine->cycles || !group->active ||
			(!group->preemptible && !(hunt->waived & WAIVE_FIXED)) || (group->spared && !(hunt->waived & WAIVE_SPARED)) ||
			(hunt->pool != STINT_NO_HANDLE && !engine_group_in_pool(engine, at, hunt->pool)) ||
			!hunt->rules->may_fall(engine, hunt, at))
			continue;
		group->last_step = STINT_NO_HANDLE;
		assess_next(engine, hunt, at);
		engine_order_add(engine, ORDER_VICTIMS, at);
		any = true;
		for (uint32_t i = 0; i < group->pods_count && !(lost->pods && could_suffice(engine, lost)); i++)
			lose(engine, hunt, group->pods[i], lost);
	}
	return any;
}

/* False: nobody may fall, or not enough even if all do. */
static bool gather(struct stint_engine *engine, const struct hunt *hunt)
{
	bool any = false;
	struct leftover lost = {0};
	engine_leftover(engine);
	engine_order_clear(engine, ORDER_VICTIMS, NULL, 0);
	if (hunt->rules->own_queue) {
		any = add_candidates(engine, hunt, hunt->queue, &lost);
	} else {
		for (size_t i = 0; i < engine->queue_order.count; i++) {
			const uint32_t queue = engine->queue_order.items[i];
			if (engine->queues[queue].first_child == STINT_NO_HANDLE)
				any = add_candidates(engine, hunt, queue, &lost) || any;
		}
	}
	if (!any || !could_suffice(engine, &lost) || (!lost.pods && !engine_leftover_has_extended(engine, hunt)))
		return false;
	engine_order_start(engine, ORDER_VICTIMS);
	return true;
}

/* Steps that order leaves equal come one after the other; so do those of a queue until it is another queue's turn. */
static bool ranks_with(const struct stint_engine *engine, const struct step *a, const struct step *b)
{
	const struct group *p = &engine->groups[a->group], *q = &engine->groups[b->group];
	return p->queue == q->queue && p->priority == q->priority && a->elastic == b->elastic;
}

bool engine_search_fall(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	const uint32_t handle = engine_order_top(engine, ORDER_VICTIMS);
	if (handle == STINT_NO_HANDLE)
		return false;
	struct group *group = &engine->groups[handle];
	struct step step = {
		.group = handle,
		.first = (uint32_t)search->pods.count,
		.before = group->last_step,
		.loss = group->step_loss,
		.elastic = group->elastic_victim,
	};
	const bool more = engine_group_step(engine, handle, &search->pods);
	step.count = (uint32_t)search->pods.count - step.first;
	for (size_t i = step.first; i < search->pods.count; i++) {
		const uint32_t pod = search->pods.items[i], node = engine->pods[pod].node;
		lose(engine, hunt, pod, &search->lost);
		engine_plan_evict(engine, pod);
		engine_room_changed(engine, hunt, node);
	}
	const size_t at = search->steps_count;
	if (at)
		step.rank = search->steps[at - 1].rank + !ranks_with(engine, &search->steps[at - 1], &step);
	stint_grow(&search->steps, &search->steps_capacity, at + 1, sizeof *search->steps);
	search->steps[search->steps_count++] = step;
	group->last_step = (uint32_t)at;
	assess_next(engine, hunt, handle);
	engine_order_pop(engine, ORDER_VICTIMS, more);
	return true;
}

void engine_search_fall_again(struct stint_engine *engine)
{
	const struct search *search = engine->search;
	for (size_t i = 0; i < search->pods.count; i++)
		engine_plan_evict(engine, search->pods.items[i]);
}

/* ---- sets ------------------------------------------------------------------------------------------------------------------------------ */

void engine_search_take(struct search *search, uint32_t index)
{
	const struct step *step = &search->steps[index];
	for (uint32_t i = 0; i < step->count; i++)
		handles_push(&search->set, search->pods.items[step->first + i]);
}

static uint64_t fingerprint(const uint32_t *items, size_t count)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ items[i]) * UINT64_C(1099511628211) + (hash >> 31);
	return hash;
}

bool engine_search_stands(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	const uint64_t print = fingerprint(search->set.items, search->set.count);
	if (!search->set.count)
		return false;
	for (size_t i = 0; i < search->tried_count; i++) {
		if (search->tried[i] == print)
			return false;
	}
	if (engine_judge(engine, hunt))
		return true;
	stint_grow(&search->tried, &search->tried_capacity, search->tried_count + 1, sizeof *search->tried);
	search->tried[search->tried_count++] = print;
	return false;
}

/* Whether the whole step may stay where it is while the chunk has its place. */
static bool spare(struct stint_engine *engine, const struct step *step)
{
	const struct search *search = engine->search;
	const size_t mark = engine_plan_mark(engine);
	for (uint32_t i = 0; i < step->count; i++) {
		if (!engine_judge_stays(engine, search->pods.items[step->first + i])) {
			engine_plan_rollback(engine, mark);
			return false;
		}
	}
	return true;
}

/*
 * The chunk first, then whoever can stay: a surplus, too, of which a later step falls, as the judgement would leave it alone (let_stay); were it
 * to fall, what falls after it could only take its place. Leaves in the set what the chunk's place costs; false when there is no place.
 */
static bool find_cheapest(struct stint_engine *engine, const struct hunt *hunt)
{
	static const struct placing how = {.reserve_only = true};
	struct search *search = engine->search;
	const size_t mark = engine_plan_mark(engine);
	struct stint_record ignored;
	search->set.count = 0;
	if (!engine_place_group(engine, hunt->group, &how, &ignored))
		return false;
	for (size_t i = search->steps_count; i > 0; i--) {
		struct step *step = &search->steps[i - 1];
		const struct group *group = &engine->groups[step->group];
		const size_t spot = engine_plan_mark(engine);
		step->spared = spare(engine, step);
		if (step->spared && !engine_group_is_whole(group)) {
			/* A surplus whose core falls cannot stay alone. */
			engine_plan_rollback(engine, spot);
			step->spared = false;
		}
	}
	engine_plan_rollback(engine, mark);
	for (size_t i = 0; i < search->steps_count; i++) {
		if (!search->steps[i].spared)
			engine_search_take(search, (uint32_t)i);
	}
	return true;
}

static bool falls_on(const struct stint_engine *engine, const struct step *step, uint32_t node)
{
	for (uint32_t i = 0; i < step->count; i++) {
		if (engine->pods[engine->search->pods.items[step->first + i]].node == node)
			return true;
	}
	return false;
}

static bool group_falls_on(const struct stint_engine *engine, uint32_t group, uint32_t node)
{
	for (size_t i = 0; i < engine->search->steps_count; i++) {
		if (engine->search->steps[i].group == group && falls_on(engine, &engine->search->steps[i], node))
			return true;
	}
	return false;
}

static bool name_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	return engine->nodes[a].rank < engine->nodes[b].rank;
}

/* All that has fallen of the groups with a victim on one node of the newest victim's group, node by node (kai-engine 8.3). */
static bool one_node_stands(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	const struct group *newest = &engine->groups[search->steps[search->steps_count - 1].group];
	search->nodes.count = 0;
	for (uint32_t i = 0; i < newest->pods_count; i++) {
		if (engine_pod_active(&engine->pods[newest->pods[i]]))
			handles_push(&search->nodes, engine->pods[newest->pods[i]].node);
	}
	engine_sort(engine, search->nodes.items, search->nodes.count, name_precedes);
	for (size_t n = 0; n < search->nodes.count; n++) {
		const uint32_t node = search->nodes.items[n];
		if (n && node == search->nodes.items[n - 1])
			continue;
		search->set.count = 0;
		for (size_t i = 0; i < search->steps_count; i++) {
			if (group_falls_on(engine, search->steps[i].group, node))
				engine_search_take(search, (uint32_t)i);
		}
		if (engine_search_stands(engine, hunt))
			return true;
	}
	return false;
}

static bool all_stands(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	search->set.count = 0;
	for (size_t i = 0; i < search->steps_count; i++)
		engine_search_take(search, (uint32_t)i);
	return engine_search_stands(engine, hunt);
}

/* ---- the search ----------------------------------------------------------------------------------------------------------------------------- */

static bool attempt(struct stint_engine *engine, const struct hunt *hunt)
{
	const bool few = engine->search->steps_count <= FEW;
	const bool has_place = find_cheapest(engine, hunt);
	engine_plan_rollback(engine, 0);
	if (has_place && engine_search_stands(engine, hunt))
		return true;
	return (few && one_node_stands(engine, hunt)) || ((has_place || few) && all_stands(engine, hunt));
}

static bool look(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	size_t due = 0, gap = 1;
	while (search->work < MOST_WORK) {
		const bool fell = engine_search_fall(engine, hunt);
		const size_t steps = search->steps_count;
		if (!fell && (!steps || due <= steps))
			return false;
		if (!engine_room_enough(engine, hunt) || (fell && steps < due))
			continue;
		if (could_suffice(engine, &search->lost)) {
			if (attempt(engine, hunt))
				return true;
			engine_search_fall_again(engine);
		}
		if (!fell)
			return false;
		due = steps + 1;
		if (steps > FEW) {
			due = steps + gap;
			gap *= 2;
		}
	}
	return false;
}

bool engine_search(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	search->steps_count = search->pods.count = search->tried_count = 0;
	search->lost = (struct leftover){0};
	search->work = 0;
	if (!gather(engine, hunt))
		return false;
	if (!look(engine, hunt)) {
		engine_plan_rollback(engine, 0);
		return false;
	}
	return hunt->in_theory || engine_search_cheapen(engine, hunt);
}
