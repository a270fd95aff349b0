/*
 * queues: the tree of queues, their accounts, and the bounds that an allocation must keep (kai-engine 1.6, 3.1, 3.3).
 *
 * Owns engine.queues but for the fair shares (shares.c) and the line of waiting groups (ordering.c). A queue may be named by a group or by
 * a child before it is known; it is usable once it and all its ancestors are, and then holds work if it has no children.
 * Promises: preemptible work never passes a limit, non-preemptible work never passes a quota, at any level.
 * Costs: an account or a check costs the depth of the tree.
 */
#include "state.h"

uint32_t stint_engine_queue_find(const struct stint_engine *engine, const char *name)
{
	return (uint32_t)(uintptr_t)stint_map_get(engine->queue_names, name) - 1;
}

uint32_t engine_queue_named(struct stint_engine *engine, const char *name)
{
	const uint32_t known = stint_engine_queue_find(engine, name);
	if (known != STINT_NO_HANDLE)
		return known;
	if (!engine->free_queues.count)
		stint_grow(&engine->queues, &engine->queues_capacity, engine->queues_count + 1, sizeof *engine->queues);
	const uint32_t handle = engine_take_slot(&engine->free_queues, &engine->queues_count);
	engine->queues[handle] = (struct queue){
		.name = stint_strdup(name),
		.parent = STINT_NO_HANDLE,
		.first_child = STINT_NO_HANDLE,
		.next_sibling = STINT_NO_HANDLE,
		.previous_sibling = STINT_NO_HANDLE,
		.first_group = STINT_NO_HANDLE,
	};
	stint_map_set(engine->queue_names, name, (void *)(uintptr_t)(handle + 1));
	return handle;
}

/* Forgets a queue that is not known (and so has no parent) and that nobody names any more. */
void engine_queue_release(struct stint_engine *engine, uint32_t handle)
{
	struct queue *queue = &engine->queues[handle];
	if (queue->object || queue->groups || queue->first_child != STINT_NO_HANDLE)
		return;
	stint_map_remove(engine->queue_names, queue->name);
	free(queue->name);
	free(queue->line.items);
	for (enum order_kind kind = 0; kind < ORDER_KINDS; kind++)
		free(queue->turns[kind].heap.items);
	*queue = (struct queue){0};
	handles_push(&engine->free_queues, handle);
}

/* ---- the tree -------------------------------------------------------------------------------------------------------------- */

static void unlink_from_parent(struct stint_engine *engine, uint32_t handle)
{
	struct queue *queue = &engine->queues[handle];
	if (queue->parent == STINT_NO_HANDLE)
		return;
	if (queue->previous_sibling != STINT_NO_HANDLE)
		engine->queues[queue->previous_sibling].next_sibling = queue->next_sibling;
	else
		engine->queues[queue->parent].first_child = queue->next_sibling;
	if (queue->next_sibling != STINT_NO_HANDLE)
		engine->queues[queue->next_sibling].previous_sibling = queue->previous_sibling;
	queue->parent = queue->next_sibling = queue->previous_sibling = STINT_NO_HANDLE;
}

static void link_to_parent(struct stint_engine *engine, uint32_t handle, uint32_t parent)
{
	struct queue *queue = &engine->queues[handle];
	queue->parent = parent;
	if (parent == STINT_NO_HANDLE)
		return;
	queue->next_sibling = engine->queues[parent].first_child;
	if (queue->next_sibling != STINT_NO_HANDLE)
		engine->queues[queue->next_sibling].previous_sibling = handle;
	engine->queues[parent].first_child = handle;
}

static bool is_above(const struct stint_engine *engine, uint32_t above, uint32_t handle)
{
	while (handle != STINT_NO_HANDLE && handle != above)
		handle = engine->queues[handle].parent;
	return handle == above;
}

/* Carries what the queue's subtree has along when it is hung elsewhere. */
static void carry_accounts(struct stint_engine *engine, const struct queue *queue, uint32_t parent, int sign)
{
	if (parent == STINT_NO_HANDLE)
		return;
	engine_queue_account(engine, parent, &queue->allocated, false, &queue->pending, queue->pending_mib, sign);
	for (uint32_t at = parent; at != STINT_NO_HANDLE; at = engine->queues[at].parent)
		amounts_add(&engine->queues[at].allocated_fixed, &queue->allocated_fixed, sign);
}

static void set_parent(struct stint_engine *engine, uint32_t handle, const char *name)
{
	uint32_t parent = STINT_NO_HANDLE;
	engine->queues[handle].loop = false;
	if (name) {
		parent = engine_queue_named(engine, name);
		if (is_above(engine, handle, parent)) {
			parent = STINT_NO_HANDLE;
			engine->queues[handle].loop = true;
		}
	}
	const uint32_t former = engine->queues[handle].parent;
	engine->queue_order_stale = true;
	if (parent == former)
		return;
	carry_accounts(engine, &engine->queues[handle], former, -1);
	unlink_from_parent(engine, handle);
	link_to_parent(engine, handle, parent);
	carry_accounts(engine, &engine->queues[handle], parent, 1);
	if (former != STINT_NO_HANDLE)
		engine_queue_release(engine, former);
}

/* A change of one parent may have opened a loop that kept another queue from its own. */
static void retry_loops(struct stint_engine *engine)
{
	for (uint32_t i = 0; i < engine->queues_count; i++) {
		if (engine->queues[i].loop && engine->queues[i].object)
			set_parent(engine, i, engine->queues[i].object->parent);
	}
}

static bool queue_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const struct queue *p = &engine->queues[a], *q = &engine->queues[b];
	if (p->priority != q->priority)
		return p->priority > q->priority;
	if (p->created_ms != q->created_ms)
		return p->created_ms < q->created_ms;
	return strcmp(p->name, q->name) < 0;
}

static void append_usable(struct stint_engine *engine, uint32_t handle)
{
	struct queue *queue = &engine->queues[handle];
	if (!queue->object || queue->loop)
		return;
	queue->usable = true;
	handles_push(&engine->queue_order, handle);
}

/* Usable queues, parents first, siblings together in their fixed order. What cannot be reached from a root is not usable. */
void engine_queue_order_settle(struct stint_engine *engine)
{
	if (!engine->queue_order_stale)
		return;
	struct handles *order = &engine->queue_order;
	order->count = 0;
	for (size_t i = 0; i < engine->queues_count; i++) {
		engine->queues[i].usable = false;
		memset(engine->queues[i].fair, 0, sizeof engine->queues[i].fair);
		engine->queues[i].verdict_due = engine->queues[i].waiting > 0;
	}
	for (size_t i = 0; i < engine->queues_count; i++) {
		if (engine->queues[i].name && engine->queues[i].parent == STINT_NO_HANDLE)
			append_usable(engine, (uint32_t)i);
	}
	engine_sort(engine, order->items, order->count, queue_precedes);
	for (size_t at = 0; at < order->count; at++) {
		const size_t start = order->count;
		for (uint32_t child = engine->queues[order->items[at]].first_child; child != STINT_NO_HANDLE;
			child = engine->queues[child].next_sibling)
			append_usable(engine, child);
		engine_sort(engine, order->items + start, order->count - start, queue_precedes);
	}
	for (size_t at = 0; at < order->count; at++)
		engine->queues[order->items[at]].order = (uint32_t)at;
	engine->queue_order_stale = false;
	engine->shares_stale = true;
}

/* ---- its specification ------------------------------------------------------------------------------------------------------- */

static void set_bounds(struct queue *queue, const struct stint_queue *object)
{
	const struct stint_queue_resource *const resources[STINT_DIMENSIONS] = {
		[STINT_CPU] = &object->cpu, [STINT_MEMORY] = &object->memory, [STINT_GPU] = &object->gpu};
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		const struct stint_queue_resource *r = resources[d];
		/* Absent is 0: without a limit of its own nothing may run (kai-engine 1.6). Any negative number means unlimited. */
		queue->quota[d] = !r->has_quota ? 0 : r->quota < 0 ? -1 : r->quota;
		queue->limit[d] = !r->has_limit ? 0 : r->limit < 0 ? -1 : r->limit;
		queue->weight[d] = r->has_weight && r->weight > 0 ? r->weight : 0;
	}
}

uint32_t stint_engine_queue_upsert(struct stint_engine *engine, struct stint_queue *object)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT, .object = &object->meta});
	engine_drop_reservations(engine);
	const uint32_t handle = engine_queue_named(engine, object->meta.name);
	stint_object_ref(&object->meta);
	set_parent(engine, handle, object->parent);
	struct queue *queue = &engine->queues[handle];
	if (queue->object)
		stint_object_unref(&queue->object->meta);
	queue->object = object;
	queue->priority = object->priority;
	queue->created_ms = object->meta.created_ms;
	set_bounds(queue, object);
	queue->epoch++;
	retry_loops(engine);
	engine->queue_order_stale = engine->stirred = true;
	engine->search_epoch++;
	return handle;
}

void stint_engine_queue_remove(struct stint_engine *engine, const char *name)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT_GONE, .gone = STINT_KIND_QUEUE, .name = name});
	engine_drop_reservations(engine);
	const uint32_t handle = stint_engine_queue_find(engine, name);
	if (handle == STINT_NO_HANDLE || !engine->queues[handle].object)
		return;
	set_parent(engine, handle, NULL);
	struct queue *queue = &engine->queues[handle];
	stint_object_unref(&queue->object->meta);
	queue->object = NULL;
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++)
		queue->quota[d] = queue->limit[d] = queue->weight[d] = queue->usage[d] = queue->fair[d] = 0;
	engine->queue_order_stale = engine->stirred = true;
	engine->search_epoch++;
	engine_queue_release(engine, handle);
	retry_loops(engine);
}

void stint_engine_queue_usage(struct stint_engine *engine, uint32_t queue, const double usage[static STINT_DIMENSIONS])
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_USAGE, .name = engine->queues[queue].name, .usage = usage});
	engine_drop_reservations(engine);
	memcpy(engine->queues[queue].usage, usage, sizeof engine->queues[queue].usage);
	engine->shares_stale = engine->stirred = true;
}

/* ---- accounts and bounds ------------------------------------------------------------------------------------------------------- */

void engine_queue_account(struct stint_engine *engine, uint32_t handle, const struct amounts *allocated, bool fixed,
	const struct amounts *pending, int64_t pending_mib, int sign)
{
	for (; handle != STINT_NO_HANDLE; handle = engine->queues[handle].parent) {
		struct queue *queue = &engine->queues[handle];
		if (allocated) {
			amounts_add(&queue->allocated, allocated, sign);
			if (fixed)
				amounts_add(&queue->allocated_fixed, allocated, sign);
			if (sign < 0 && !engine->quiet)
				queue->epoch++;
		}
		if (pending) {
			amounts_add(&queue->pending, pending, sign);
			queue->pending_mib = plus(queue->pending_mib, signed_by(sign, pending_mib));
		}
	}
	engine->shares_stale = true;
}

void engine_queue_requested(const struct stint_engine *engine, const struct queue *queue, double out[static STINT_DIMENSIONS])
{
	struct amounts sum = queue->allocated;
	amounts_add(&sum, &queue->pending, 1);
	amounts_to(&sum, out);
	out[STINT_GPU] = in_unit(out[STINT_GPU], STINT_GPU) + (double)queue->pending_mib / (double)engine->least_gpu_mib;
}

double engine_queue_allocatable(const struct queue *queue, enum stint_dimension d)
{
	return stint_bounds_allocatable(queue->quota[d], queue->limit[d], queue->fair[d]);
}

static bool within(const struct stint_engine *engine, uint32_t handle, const double asked[static STINT_DIMENSIONS], bool fixed,
	struct stint_record *record)
{
	for (; handle != STINT_NO_HANDLE; handle = engine->queues[handle].parent) {
		const struct queue *queue = &engine->queues[handle];
		const double *bounds = fixed ? queue->quota : queue->limit;
		double taken[STINT_DIMENSIONS];
		amounts_to(fixed ? &queue->allocated_fixed : &queue->allocated, taken);
		for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
			const double after = in_unit(taken[d] + asked[d], d);
			if (bounds[d] < 0 || asked[d] == 0 || after <= bounds[d])
				continue;
			*record = (struct stint_record){
				.reason = fixed ? STINT_REASON_OVER_QUOTA : STINT_REASON_OVER_LIMIT,
				.dimension = d,
				.queue = handle,
				.bound = bounds[d],
				.allocated = in_unit(taken[d], d),
				.asked = in_unit(asked[d], d),
				.pod = STINT_NO_HANDLE,
				.since_ms = -1,
			};
			return false;
		}
	}
	return true;
}

bool engine_queue_within_quota(
	const struct stint_engine *engine, uint32_t queue, const double asked[static STINT_DIMENSIONS], struct stint_record *record)
{
	return within(engine, queue, asked, true, record);
}

bool engine_queue_admits(const struct stint_engine *engine, uint32_t queue, const double asked[static STINT_DIMENSIONS], bool preemptible,
	struct stint_record *record)
{
	const bool by_limit = within(engine, queue, asked, false, record);
	if (preemptible || (!by_limit && record->asked > record->bound))
		return by_limit;
	/* Where both forbid it the quota is told: what preemptible work gives back helps below the limit alone. */
	struct stint_record quota;
	if (within(engine, queue, asked, true, &quota))
		return by_limit;
	*record = quota;
	return false;
}

void engine_queue_figures(const struct stint_engine *engine, struct stint_record *record)
{
	const struct queue *queue = &engine->queues[record->queue];
	const bool fixed = record->reason == STINT_REASON_OVER_QUOTA;
	double taken[STINT_DIMENSIONS];
	amounts_in_units(fixed ? &queue->allocated_fixed : &queue->allocated, taken);
	const double bound = fixed ? queue->quota[record->dimension] : queue->limit[record->dimension];
	if (bound < 0 || taken[record->dimension] + record->asked <= bound)
		return;
	record->bound = bound;
	record->allocated = taken[record->dimension];
}
