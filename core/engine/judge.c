/*
 * judge: what becomes of a set of victims (kai-engine 8.3, "simulate"). They are evicted on the live state; then the group that is served
 * and the victims take a place in the order of queues and groups, among all others that wait, which are passed over but shape the order. So
 * a victim that would be placed before the group keeps its place, and nothing goes to and fro from cycle to cycle.
 *
 * What stands must last: the next cycle, in which all who had to go wait again, must give the group its place.
 * What is kept afterwards beyond KAI: a victim whose old place is still free stays there, one that fits elsewhere is moved, whole surplus
 * and not one pod of it.
 * Costs: O(pods of the set, and of groups that wait in the queues concerned) times the logarithm of the nodes.
 */
#include "hunt.h"

/* ---- back where it was ------------------------------------------------------------------------------------------------------------------- */

static bool enough(int64_t idle, int64_t leaving)
{
	return plus(idle, leaving) >= 0;
}

/* Nothing that the pod asks for is promised beyond what the node has. */
static bool is_sound(const struct stint_engine *engine, const struct pod *pod)
{
	const struct shape *shape = &engine->shapes[pod->shape];
	const struct books *books = &engine->books[pod->node];
	if (!enough(books->pods_idle, books->pods_leaving) || (shape->cpu_milli && !enough(books->cpu_idle, books->cpu_leaving)) ||
		(shape->memory_bytes && !enough(books->memory_idle, books->memory_leaving)) ||
		(shape->gpu != STINT_GPU_NONE && !enough(books->gpus_idle, books->gpus_leaving)))
		return false;
	const bool share = shape->gpu == STINT_GPU_FRACTION || shape->gpu == STINT_GPU_MEMORY;
	for (unsigned slot = 0; share && slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		if (bit(pod->devices, slot) && books->device_mib - device->present + device->leaving - device->reserved < 0)
			return false;
	}
	for (uint32_t i = 0; i < shape->extended_count; i++) {
		if (shape->extended[i].resource == STINT_NO_HANDLE)
			continue;
		const struct extended *book = engine_extended(engine, pod->node, shape->extended[i].resource);
		if (!enough(book->idle, book->leaving))
			return false;
	}
	return engine_choice_is_sound(engine, pod);
}

/*
 * Its queues may have let the group in because the pod was to go. A queue that was above its limit before may stay there, but not go
 * further.
 */
static bool is_admitted(const struct stint_engine *engine, const struct pod *pod)
{
	const struct shape *shape = &engine->shapes[pod->shape];
	const double takes[STINT_DIMENSIONS] = {[STINT_CPU] = (double)shape->cpu_milli,
		[STINT_MEMORY] = (double)shape->memory_bytes,
		[STINT_GPU] = (double)engine_pod_gpu_percent(pod, shape)};
	for (uint32_t at = engine->groups[pod->group].queue; at != STINT_NO_HANDLE; at = engine->queues[at].parent) {
		const struct queue *queue = &engine->queues[at];
		double now[STINT_DIMENSIONS], before[STINT_DIMENSIONS];
		amounts_in_units(&queue->allocated, now);
		amounts_in_units(&queue->before, before);
		for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
			if (takes[d] > 0 && queue->limit[d] >= 0 && now[d] > queue->limit[d] && now[d] > before[d])
				return false;
		}
	}
	return true;
}

bool engine_judge_stays(struct stint_engine *engine, uint32_t handle)
{
	if (engine->pods[handle].evicted != EVICTED_PLANNED)
		return false;
	const size_t mark = engine_plan_mark(engine);
	engine_plan_spare(engine, handle);
	if (is_sound(engine, &engine->pods[handle]) && is_admitted(engine, &engine->pods[handle]))
		return true;
	engine_plan_rollback(engine, mark);
	return false;
}

/* ---- everybody takes a place --------------------------------------------------------------------------------------------------------------- */

static void involve(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	if (group->involved)
		return;
	group->involved = true;
	handles_push(&engine->search->groups, handle);
}

static void evict(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	search->groups.count = search->judged.count = 0;
	for (size_t i = 0; i < search->set.count; i++) {
		const uint32_t pod = search->set.items[i];
		engine_plan_evict(engine, pod);
		involve(engine, engine->pods[pod].group);
		handles_push(&search->judged, pod);
	}
	involve(engine, hunt->group);
	for (size_t i = 0; i < search->groups.count; i++) {
		struct group *group = &engine->groups[search->groups.items[i]];
		group->elastic_now = engine_group_elastic(group);
	}
}

static void line_up(struct stint_engine *engine)
{
	engine_order_clear(engine, ORDER_JUDGED, NULL, 0);
	for (size_t i = 0; i < engine->search->groups.count; i++)
		engine_order_add(engine, ORDER_JUDGED, engine->search->groups.items[i]);
	/* What got in line since the action began is not yet in its place there. */
	for (size_t i = 0; i < engine->queue_order.count; i++) {
		const struct line *line = &engine->queues[engine->queue_order.items[i]].line;
		for (size_t at = line->sorted; at < line->count; at++) {
			const struct group *group = &engine->groups[line->items[at].group];
			if (group->stamp == line->items[at].stamp && !group->involved)
				engine_order_add(engine, ORDER_JUDGED, line->items[at].group);
		}
	}
	engine_order_start(engine, ORDER_JUDGED);
}

/* Whether the pods that the group would place next have been evicted here: new ones must win their place in a cycle of their own. */
static bool moves_next(struct stint_engine *engine, uint32_t group)
{
	engine->chunk.count = 0;
	engine_group_chunk(engine, group, true, &engine->chunk);
	for (size_t i = 0; i < engine->chunk.count; i++) {
		if (!engine_pod_evicted(&engine->pods[engine->chunk.items[i]]))
			return false;
	}
	return engine->chunk.count > 0;
}

static bool take_places(struct stint_engine *engine, const struct hunt *hunt)
{
	static const struct placing how = {.reserve_only = true};
	size_t left = engine->search->groups.count;
	if (hunt->waived & WAIVE_ORDER) {
		struct stint_record ignored;
		if (!engine_place_group(engine, hunt->group, &how, &ignored))
			return false;
		engine->groups[hunt->group].involved = false;
		left--;
	}
	line_up(engine);
	for (uint32_t handle; left > 0 && (handle = engine_order_top(engine, ORDER_JUDGED)) != STINT_NO_HANDLE;) {
		struct group *group = &engine->groups[handle];
		struct stint_record ignored;
		bool goes_on = false;
		if (group->involved) {
			const bool placed = engine_place_group(engine, handle, &how, &ignored);
			if (handle == hunt->group && !(placed && engine_group_held(group)))
				return false;
			goes_on = placed && handle != hunt->group && moves_next(engine, handle);
			group->elastic_now = engine_group_elastic(group);
			left -= !goes_on;
		}
		engine_order_pop(engine, ORDER_JUDGED, goes_on);
	}
	return left == 0;
}

/* The most deserving group first, its first pods first; it stays with at least its minimum or not at all. */
static void let_stay(struct stint_engine *engine)
{
	const struct search *search = engine->search;
	for (size_t i = search->groups.count; i > 0; i--) {
		const struct group *group = &engine->groups[search->groups.items[i - 1]];
		const size_t mark = engine_plan_mark(engine);
		engine_group_sort(engine, search->groups.items[i - 1]);
		for (uint32_t at = 0; at < group->pods_count; at++)
			engine_judge_stays(engine, group->pods[at]);
		if (!engine_group_is_whole(group))
			engine_plan_rollback(engine, mark);
	}
}

/* Where somebody who went back has left room. */
static void let_move(struct stint_engine *engine, const struct hunt *hunt)
{
	static const struct placing how = {.reserve_only = true};
	const struct search *search = engine->search;
	for (size_t i = search->groups.count; i > 0; i--) {
		const uint32_t group = search->groups.items[i - 1];
		struct stint_record ignored;
		while (group != hunt->group && moves_next(engine, group) && engine_place_group(engine, group, &how, &ignored))
			;
	}
}

/* ---- the next cycle -------------------------------------------------------------------------------------------------------------------- */

/* Reservations end with the cycle, and those who are evicted are gone and wait again. */
static void let_go(struct stint_engine *engine)
{
	for (size_t i = 0; i < engine->search->groups.count; i++) {
		struct group *group = &engine->groups[engine->search->groups.items[i]];
		for (uint32_t p = 0; p < group->pods_count; p++) {
			const struct pod *pod = &engine->pods[group->pods[p]];
			if (pod->status == STINT_POD_RESERVED || (engine_pod_robbed(pod) && pod->status != STINT_POD_PENDING))
				engine_plan_vacate(engine, group->pods[p]);
		}
		group->elastic_now = engine_group_elastic(group);
	}
}

static bool starts_next(struct stint_engine *engine, const struct hunt *hunt)
{
	static const struct placing how = {.trial = true};
	line_up(engine);
	for (uint32_t handle; (handle = engine_order_top(engine, ORDER_JUDGED)) != STINT_NO_HANDLE;) {
		struct group *group = &engine->groups[handle];
		struct stint_record ignored;
		bool goes_on = false;
		if (group->involved) {
			const bool placed = engine_group_ready(group) && engine_place_group(engine, handle, &how, &ignored);
			if (handle == hunt->group)
				return placed && engine_group_held(group);
			goes_on = placed && engine_group_ready(group);
			group->elastic_now = engine_group_elastic(group);
		}
		engine_order_pop(engine, ORDER_JUDGED, goes_on);
	}
	return false;
}

/* As they would be after this decision. */
static void keep_places(struct stint_engine *engine)
{
	for (size_t i = 0; i < engine->search->groups.count; i++) {
		const struct group *group = &engine->groups[engine->search->groups.items[i]];
		for (uint32_t p = 0; p < group->pods_count; p++) {
			const struct pod *pod = &engine->pods[group->pods[p]];
			if (pod->status == STINT_POD_RESERVED && pod->planned)
				engine_hold_add(engine, pod);
		}
	}
}

/*
 * Whether the group gets its place in the next cycle, against those who had to go for it: they may come up before it, and to them the
 * place that they gave is as good as ever. If not, all would be for nothing, and again in every cycle. Places that are kept help, but
 * shares of devices are not kept.
 */
static bool lasts(struct stint_engine *engine, const struct hunt *hunt)
{
	const size_t mark = engine_plan_mark(engine), holds = engine->holds.count;
	const int64_t wake_ms = engine->wake_ms;
	keep_places(engine);
	let_go(engine);
	const bool starts = starts_next(engine, hunt);
	engine_plan_rollback(engine, mark);
	engine_holds_drop(engine, holds);
	engine->wake_ms = wake_ms;
	return starts;
}

bool engine_judge(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	const size_t mark = engine_plan_mark(engine);
	evict(engine, hunt);
	search->work += search->set.count + 16;
	bool stands = take_places(engine, hunt);
	if (stands) {
		let_stay(engine);
		let_move(engine, hunt);
		stands = hunt->rules->stands(engine, hunt) && engine_holds_stand(engine, hunt->group) &&
			(hunt->waived & WAIVE_ORDER || lasts(engine, hunt));
	}
	for (size_t i = 0; i < search->groups.count; i++)
		engine->groups[search->groups.items[i]].involved = false;
	if (!stands)
		engine_plan_rollback(engine, mark);
	return stands;
}
