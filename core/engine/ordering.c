/*
 * ordering: who comes next (kai-engine 4): pods within a group, groups within a queue, queues among siblings.
 *
 * A queue's line keeps its waiting groups sorted between cycles; what changed is merged in at the next one. In a cycle a tree of heaps
 * leads from the top queues to the best group. Only the queues above the group that was just tried can have changed their standing, so
 * after each pop one path is put right and the order is exact at any width (KAI repairs lazily and is exact up to three siblings).
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
	if (p->elastic != q->elastic)
		return p->elastic < q->elastic;
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

/* ---- the standing of a queue (kai-engine 4.4) ------------------------------------------------------------------------------------- */

static double share_of(double amount, double allocatable, double total)
{
	if (allocatable < 0)
		allocatable = total;
	return allocatable > 0 ? amount / allocatable : 1000 * amount;
}

static void assess(struct stint_engine *engine, struct queue *queue)
{
	const double *job = engine->queues[queue->best_leaf].job;
	double taken[STINT_DIMENSIONS], total[STINT_DIMENSIONS];
	amounts_to(&queue->allocated, taken);
	amounts_in_units(&engine->total, total);
	struct standing standing = {.over_used = true, .starved = true};
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		const double now = in_unit(taken[d], d), then = in_unit(taken[d] + job[d], d);
		const double allocatable = engine_queue_allocatable(queue, d);
		standing.allocatable[d] = allocatable;
		standing.over_used = standing.over_used && queue->fair[d] < now;
		standing.starved = standing.starved && (queue->quota[d] < 0 || then <= queue->quota[d]);
		standing.zero_share = standing.zero_share || (allocatable == 0 && then > 0);
		const double share = share_of(now, allocatable, total[d]), share_then = share_of(then, allocatable, total[d]);
		standing.share = share > standing.share ? share : standing.share;
		standing.share_with_job = share_then > standing.share_with_job ? share_then : standing.share_with_job;
	}
	queue->standing = standing;
}

/* Unlimited is more than any number. */
static bool no_more(double a, double b)
{
	return b < 0 || (a >= 0 && a <= b);
}

static bool allocatable_is_less(const struct standing *p, const struct standing *q)
{
	bool less = false;
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		if (!no_more(p->allocatable[d], q->allocatable[d]))
			return false;
		less = less || !no_more(q->allocatable[d], p->allocatable[d]);
	}
	return less;
}

static bool goes_first(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const struct queue *l = &engine->queues[a], *r = &engine->queues[b];
	const struct standing *p = &l->standing, *q = &r->standing;
	if (p->over_used != q->over_used)
		return q->over_used;
	if (p->starved != q->starved)
		return p->starved;
	if (l->priority != r->priority)
		return l->priority > r->priority;
	if (p->zero_share != q->zero_share)
		return q->zero_share;
	if (p->share_with_job != q->share_with_job)
		return p->share_with_job < q->share_with_job;
	if (p->share != q->share)
		return p->share < q->share;
	if (allocatable_is_less(p, q))
		return true;
	if (allocatable_is_less(q, p))
		return false;
	if (l->created_ms != r->created_ms)
		return l->created_ms < r->created_ms;
	return strcmp(l->name, r->name) < 0;
}

/* ---- the iterator ------------------------------------------------------------------------------------------------------------------ */

static void pick_in_leaf(struct stint_engine *engine, uint32_t handle)
{
	struct queue *leaf = &engine->queues[handle];
	const struct line *line = &leaf->line;
	while (leaf->cursor < line->sorted && !is_live(engine, &line->items[leaf->cursor]))
		leaf->cursor++;
	uint32_t best = leaf->heap.count ? leaf->heap.items[0] : STINT_NO_HANDLE;
	if (leaf->cursor < line->sorted) {
		const uint32_t next = line->items[leaf->cursor].group;
		if (best == STINT_NO_HANDLE || engine_group_precedes(engine, next, best))
			best = next;
	}
	leaf->best_group = best;
	leaf->best_leaf = best == STINT_NO_HANDLE ? STINT_NO_HANDLE : handle;
	if (best != STINT_NO_HANDLE)
		engine_chunk_asks(engine, best, false, engine->least_gpu_mib, leaf->job);
}

static void pick_in_inner(struct stint_engine *engine, uint32_t handle)
{
	struct queue *queue = &engine->queues[handle];
	queue->best_leaf = queue->heap.count ? engine->queues[queue->heap.items[0]].best_leaf : STINT_NO_HANDLE;
}

static struct handles *heap_above(struct stint_engine *engine, const struct queue *queue)
{
	return queue->parent == STINT_NO_HANDLE ? &engine->roots : &engine->queues[queue->parent].heap;
}

static void pop_heap(const struct stint_engine *engine, struct handles *heap, engine_order *precedes)
{
	heap->items[0] = heap->items[--heap->count];
	if (heap->count)
		engine_heap_down(engine, heap, 0, precedes);
}

void engine_order_start(struct stint_engine *engine)
{
	engine_shares_settle(engine);
	const struct handles *order = &engine->queue_order;
	engine->roots.count = 0;
	for (size_t i = 0; i < order->count; i++)
		engine->queues[order->items[i]].heap.count = 0;
	for (size_t i = order->count; i > 0; i--) {
		const uint32_t handle = order->items[i - 1];
		struct queue *queue = &engine->queues[handle];
		queue->cursor = 0;
		if (queue->first_child == STINT_NO_HANDLE)
			pick_in_leaf(engine, handle);
		else
			pick_in_inner(engine, handle);
		if (queue->best_leaf == STINT_NO_HANDLE)
			continue;
		assess(engine, queue);
		struct handles *heap = heap_above(engine, queue);
		handles_push(heap, handle);
		engine_heap_up(engine, heap, heap->count - 1, goes_first);
	}
}

uint32_t engine_order_top(const struct stint_engine *engine)
{
	if (!engine->roots.count)
		return STINT_NO_HANDLE;
	return engine->queues[engine->queues[engine->roots.items[0]].best_leaf].best_group;
}

void engine_order_pop(struct stint_engine *engine, bool goes_on)
{
	uint32_t handle = engine->queues[engine->roots.items[0]].best_leaf;
	struct queue *leaf = &engine->queues[handle];
	const uint32_t group = leaf->best_group;
	if (leaf->heap.count && leaf->heap.items[0] == group)
		pop_heap(engine, &leaf->heap, engine_group_precedes);
	else
		leaf->cursor++;
	if (goes_on) {
		handles_push(&leaf->heap, group);
		engine_heap_up(engine, &leaf->heap, leaf->heap.count - 1, engine_group_precedes);
	}
	pick_in_leaf(engine, handle);
	for (; handle != STINT_NO_HANDLE; handle = engine->queues[handle].parent) {
		struct queue *queue = &engine->queues[handle];
		struct handles *heap = heap_above(engine, queue);
		if (queue->best_leaf == STINT_NO_HANDLE) {
			pop_heap(engine, heap, goes_first);
		} else {
			assess(engine, queue);
			engine_heap_down(engine, heap, 0, goes_first);
		}
		if (queue->parent != STINT_NO_HANDLE)
			pick_in_inner(engine, queue->parent);
	}
}
