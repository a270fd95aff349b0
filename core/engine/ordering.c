/*
 * ordering: who comes next (kai-engine 4): pods within a group, groups within a queue, queues among siblings.
 *
 * A queue's line keeps its waiting groups sorted between cycles; what changed is merged in at the next one. In a cycle a tree of heaps
 * leads from the top queues to the best group; victims come from the same tree with every comparison reversed. Only the queues above the
 * group that was just tried can have changed their standing, so after each pop one path is put right and the order is exact at any width
 * (KAI repairs lazily and is exact up to three siblings).
 * Costs: a pop is O(depth * log of the siblings); a line that changed is walked once per cycle.
 */
#include "state.h"

/* ---- pods and groups --------------------------------------------------------------------------------------------------------- */

static const char *uid_of(const struct stint_pod *pod)
{
	return pod->meta.uid ? pod->meta.uid : pod->meta.name;
}

bool engine_pod_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const struct pod *p = &engine->pods[a], *q = &engine->pods[b];
	if (p->role != q->role)
		return p->role < q->role;
	if (p->has_task_priority != q->has_task_priority)
		return p->has_task_priority;
	if (p->has_task_priority && p->task_priority != q->task_priority)
		return p->task_priority > q->task_priority;
	if (p->object->meta.created_ms != q->object->meta.created_ms)
		return p->object->meta.created_ms < q->object->meta.created_ms;
	return strcmp(uid_of(p->object), uid_of(q->object)) < 0;
}

bool engine_group_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const struct group *p = &engine->groups[a], *q = &engine->groups[b];
	if (p->priority != q->priority)
		return p->priority > q->priority;
	const uint8_t elastic_p = p->involved ? p->elastic_now : p->elastic, elastic_q = q->involved ? q->elastic_now : q->elastic;
	if (elastic_p != elastic_q)
		return elastic_p < elastic_q;
	if (p->created_ms != q->created_ms)
		return p->created_ms < q->created_ms;
	return strcmp(p->key, q->key) < 0;
}

/* ---- lines ---------------------------------------------------------------------------------------------------------------------- */

static bool is_live(const struct stint_engine *engine, const struct line_entry *entry)
{
	return engine->groups[entry->group].stamp == entry->stamp;
}

static void drop_dead(const struct stint_engine *engine, struct line *line)
{
	size_t kept = 0, sorted = 0;
	for (size_t i = 0; i < line->count; i++) {
		if (!is_live(engine, &line->items[i]))
			continue;
		sorted += i < line->sorted;
		line->items[kept++] = line->items[i];
	}
	line->count = kept;
	line->sorted = sorted;
	line->stale = false;
}

/* Sorts what came last and inserts it from the back: each entry of the sorted part moves at most once. */
static void merge_newcomers(struct stint_engine *engine, struct line *line)
{
	struct handles *sorting = &engine->sorting;
	sorting->count = 0;
	for (size_t i = line->sorted; i < line->count; i++)
		handles_push(sorting, line->items[i].group);
	engine_sort(engine, sorting->items, sorting->count, engine_group_precedes);

	size_t end = line->sorted;
	for (size_t left = sorting->count; left > 0; left--) {
		const uint32_t group = sorting->items[left - 1];
		size_t low = 0, high = end;
		while (low < high) {
			const size_t middle = low + (high - low) / 2;
			if (engine_group_precedes(engine, group, line->items[middle].group))
				high = middle;
			else
				low = middle + 1;
		}
		memmove(line->items + low + left, line->items + low, (end - low) * sizeof *line->items);
		line->items[low + left - 1] = (struct line_entry){group, engine->groups[group].stamp};
		end = low;
	}
	line->sorted = line->count;
}

void engine_line_settle(struct stint_engine *engine, struct queue *queue)
{
	if (queue->line.stale)
		drop_dead(engine, &queue->line);
	if (queue->line.sorted < queue->line.count)
		merge_newcomers(engine, &queue->line);
}

void engine_lines_settle(struct stint_engine *engine)
{
	for (size_t i = 0; i < engine->queue_order.count; i++)
		engine_line_settle(engine, &engine->queues[engine->queue_order.items[i]]);
}

/* ---- the standing of a queue (kai-engine 4.4) ------------------------------------------------------------------------------------- */

/*
 * Victims are compared by what their queues had when the search began, but for the share with the job: that is without the victims so far
 * and without the next one.
 */
static void assess(struct stint_engine *engine, enum order_kind kind, struct queue *queue)
{
	const bool victims = kind == ORDER_VICTIMS;
	const double *job = engine->queues[queue->turns[kind].best_leaf].turns[kind].job;
	double taken[STINT_DIMENSIONS], live[STINT_DIMENSIONS], total[STINT_DIMENSIONS];
	amounts_to(victims ? &queue->before : &queue->allocated, taken);
	amounts_to(&queue->allocated, live);
	amounts_in_units(&engine->total, total);
	struct stint_stake stakes[STINT_DIMENSIONS];
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		const double now = in_unit(taken[d], d), then = victims ? now : in_unit(taken[d] + job[d], d);
		stakes[d] = (struct stint_stake){.quota = queue->quota[d],
			.limit = queue->limit[d],
			.fair = queue->fair[d],
			.has = now,
			.then = then,
			.with_step = victims ? in_unit(live[d] - job[d], d) : then,
			.total = total[d]};
	}
	queue->turns[kind].standing = stint_standing_of(queue->priority, stakes);
}

/* Of two groups that may fall, below 0: the first one does before the other, as far as order and loss tell. */
static int compare_victims(const struct group *p, const struct group *q)
{
	if (p->priority != q->priority)
		return p->priority < q->priority ? -1 : 1;
	if (p->elastic_victim != q->elastic_victim)
		return p->elastic_victim > q->elastic_victim ? -1 : 1;
	return p->step_loss == q->step_loss ? 0 : p->step_loss < q->step_loss ? -1 : 1;
}

/* Queues that only their age tells apart: by the group that each would give next. */
static int by_what_falls(const struct stint_engine *engine, const struct queue *l, const struct queue *r)
{
	const struct turn *p = &engine->queues[l->turns[ORDER_VICTIMS].best_leaf].turns[ORDER_VICTIMS];
	const struct turn *q = &engine->queues[r->turns[ORDER_VICTIMS].best_leaf].turns[ORDER_VICTIMS];
	return compare_victims(&engine->groups[p->best_group], &engine->groups[q->best_group]);
}

static bool goes_first(const struct stint_engine *engine, enum order_kind kind, uint32_t a, uint32_t b)
{
	const struct queue *l = &engine->queues[a], *r = &engine->queues[b];
	int order = stint_standing_compare(&l->turns[kind].standing, &r->turns[kind].standing);
	if (order == 0 && kind == ORDER_VICTIMS)
		order = -by_what_falls(engine, l, r);
	return (order ? order : stint_age_compare(l->created_ms, l->name, r->created_ms, r->name)) < 0;
}

static bool waiting_goes_first(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	return goes_first(engine, ORDER_WAITING, a, b);
}

static bool judged_goes_first(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	return goes_first(engine, ORDER_JUDGED, a, b);
}

static bool victim_goes_first(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	return goes_first(engine, ORDER_VICTIMS, b, a);
}

/*
 * By what is left of them; the step that was taken last may have changed how elastic a group is. What order leaves equal falls by what it
 * would lose, and only then by age.
 */
static bool victim_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const struct group *p = &engine->groups[a], *q = &engine->groups[b];
	const int order = compare_victims(p, q);
	if (order)
		return order < 0;
	if (p->created_ms != q->created_ms)
		return p->created_ms > q->created_ms;
	return strcmp(p->key, q->key) > 0;
}

static engine_order *const queue_orders[ORDER_KINDS] = {waiting_goes_first, judged_goes_first, victim_goes_first};
static engine_order *const group_orders[ORDER_KINDS] = {engine_group_precedes, engine_group_precedes, victim_precedes};

/* ---- the iterator ------------------------------------------------------------------------------------------------------------------ */

/* The next group of the line that takes part, as a place in the line; its length when there is none. */
static size_t next_in_line(const struct stint_engine *engine, enum order_kind kind, const struct queue *leaf)
{
	const struct line *line = &leaf->line;
	const struct order *order = &engine->orders[kind];
	const struct turn *turn = &leaf->turns[kind];
	if (kind == ORDER_VICTIMS || (order->depth && turn->taken >= order->depth))
		return line->sorted;
	size_t at = turn->cursor;
	for (; at < line->sorted; at++) {
		const uint32_t group = line->items[at].group;
		const bool beside = kind == ORDER_JUDGED && engine->groups[group].involved;
		if (is_live(engine, &line->items[at]) && !beside && (!order->takes_part || order->takes_part(engine, group)))
			break;
	}
	return at;
}

static void pick_in_leaf(struct stint_engine *engine, enum order_kind kind, uint32_t handle)
{
	struct queue *leaf = &engine->queues[handle];
	struct turn *turn = &leaf->turns[kind];
	turn->cursor = next_in_line(engine, kind, leaf);
	uint32_t best = turn->heap.count ? turn->heap.items[0] : STINT_NO_HANDLE;
	if (turn->cursor < leaf->line.sorted && kind != ORDER_VICTIMS) {
		const uint32_t next = leaf->line.items[turn->cursor].group;
		if (best == STINT_NO_HANDLE || engine_group_precedes(engine, next, best))
			best = next;
	}
	turn->best_group = best;
	turn->best_leaf = best == STINT_NO_HANDLE ? STINT_NO_HANDLE : handle;
	if (best == STINT_NO_HANDLE)
		return;
	if (kind == ORDER_VICTIMS)
		amounts_to(&engine->groups[best].allocated, turn->job);
	else
		engine_chunk_asks(engine, best, kind == ORDER_JUDGED, engine->least_gpu_mib, turn->job);
}

static void pick_in_inner(struct stint_engine *engine, enum order_kind kind, uint32_t handle)
{
	struct turn *turn = &engine->queues[handle].turns[kind];
	turn->best_leaf = turn->heap.count ? engine->queues[turn->heap.items[0]].turns[kind].best_leaf : STINT_NO_HANDLE;
}

static struct handles *heap_above(struct stint_engine *engine, enum order_kind kind, const struct queue *queue)
{
	return queue->parent == STINT_NO_HANDLE ? &engine->orders[kind].roots : &engine->queues[queue->parent].turns[kind].heap;
}

static void pop_heap(const struct stint_engine *engine, struct handles *heap, engine_order *precedes)
{
	heap->items[0] = heap->items[--heap->count];
	if (heap->count)
		engine_heap_down(engine, heap, 0, precedes);
}

static void push_heap(const struct stint_engine *engine, struct handles *heap, uint32_t handle, engine_order *precedes)
{
	handles_push(heap, handle);
	engine_heap_up(engine, heap, heap->count - 1, precedes);
}

void engine_order_clear(struct stint_engine *engine, enum order_kind kind, order_filter *takes_part, uint32_t depth)
{
	engine->orders[kind].roots.count = 0;
	engine->orders[kind].takes_part = takes_part;
	engine->orders[kind].depth = depth;
	for (size_t i = 0; i < engine->queue_order.count; i++) {
		struct turn *turn = &engine->queues[engine->queue_order.items[i]].turns[kind];
		turn->heap.count = 0;
		turn->cursor = turn->taken = 0;
	}
}

void engine_order_add(struct stint_engine *engine, enum order_kind kind, uint32_t group)
{
	push_heap(engine, &engine->queues[engine->groups[group].queue].turns[kind].heap, group, group_orders[kind]);
}

void engine_order_start(struct stint_engine *engine, enum order_kind kind)
{
	const struct handles *order = &engine->queue_order;
	for (size_t i = order->count; i > 0; i--) {
		const uint32_t handle = order->items[i - 1];
		struct queue *queue = &engine->queues[handle];
		if (queue->first_child == STINT_NO_HANDLE)
			pick_in_leaf(engine, kind, handle);
		else
			pick_in_inner(engine, kind, handle);
		if (queue->turns[kind].best_leaf == STINT_NO_HANDLE)
			continue;
		assess(engine, kind, queue);
		push_heap(engine, heap_above(engine, kind, queue), handle, queue_orders[kind]);
	}
}

void engine_order_refresh(struct stint_engine *engine, enum order_kind kind)
{
	engine->orders[kind].roots.count = 0;
	for (size_t i = 0; i < engine->queue_order.count; i++) {
		struct queue *queue = &engine->queues[engine->queue_order.items[i]];
		if (queue->first_child != STINT_NO_HANDLE)
			queue->turns[kind].heap.count = 0;
	}
	engine_order_start(engine, kind);
}

uint32_t engine_order_top(const struct stint_engine *engine, enum order_kind kind)
{
	const struct handles *roots = &engine->orders[kind].roots;
	if (!roots->count)
		return STINT_NO_HANDLE;
	return engine->queues[engine->queues[roots->items[0]].turns[kind].best_leaf].turns[kind].best_group;
}

void engine_order_pop(struct stint_engine *engine, enum order_kind kind, bool goes_on)
{
	uint32_t handle = engine->queues[engine->orders[kind].roots.items[0]].turns[kind].best_leaf;
	struct turn *turn = &engine->queues[handle].turns[kind];
	const uint32_t group = turn->best_group;
	if (turn->heap.count && turn->heap.items[0] == group) {
		pop_heap(engine, &turn->heap, group_orders[kind]);
	} else {
		turn->cursor++;
		turn->taken++;
	}
	if (goes_on)
		push_heap(engine, &turn->heap, group, group_orders[kind]);
	pick_in_leaf(engine, kind, handle);
	for (; handle != STINT_NO_HANDLE; handle = engine->queues[handle].parent) {
		struct queue *queue = &engine->queues[handle];
		struct handles *heap = heap_above(engine, kind, queue);
		if (queue->turns[kind].best_leaf == STINT_NO_HANDLE) {
			pop_heap(engine, heap, queue_orders[kind]);
		} else {
			assess(engine, kind, queue);
			engine_heap_down(engine, heap, 0, queue_orders[kind]);
		}
		if (queue->parent != STINT_NO_HANDLE)
			pick_in_inner(engine, kind, queue->parent);
	}
}
