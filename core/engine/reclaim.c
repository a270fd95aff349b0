/*
 * reclaim: a queue below its fair share takes back what other queues have beyond theirs (kai-engine 3.4, 8.2).
 *
 * Promises: the group's own queue stays within its fair share, and within its quota for non-preemptible work at every level; whatever is
 * taken from a queue was beyond its share, or beyond its quota while the taker is within its own; no ancestor of the taker ends fuller than
 * the sibling it took from. What is taken is tested in a fixed order, smallest first, so that the verdict depends on the set alone.
 * Costs: O(depth) a candidate; a verdict O(victims * (log victims + depth)).
 */
#include <math.h>

#include "hunt.h"

/* What falls or stays together: the core of a group, or one pod beyond it. */
struct reclaim_item {
	uint32_t queue, order; /* order: of the queue among all */
	struct amounts taken;
};

/* ---- comparisons, with unlimited (-1) above every number -------------------------------------------------------------------------------- */

static bool is_over(double amount, double bound)
{
	return bound >= 0 && amount > bound;
}

static bool over_allocatable(const struct queue *queue, const struct amounts *allocated)
{
	double amount[STINT_DIMENSIONS];
	amounts_in_units(allocated, amount);
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		if (is_over(amount[d], engine_queue_allocatable(queue, d)))
			return true;
	}
	return false;
}

static bool over_quota(const struct queue *queue, const struct amounts *allocated)
{
	double amount[STINT_DIMENSIONS];
	amounts_in_units(allocated, amount);
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		if (is_over(amount[d], queue->quota[d]))
			return true;
	}
	return false;
}

static bool within(
	const struct amounts *allocated, const double asked[static STINT_DIMENSIONS], const double bounds[static STINT_DIMENSIONS])
{
	double amount[STINT_DIMENSIONS];
	amounts_to(allocated, amount);
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		if (is_over(in_unit(amount[d] + asked[d], d), bounds[d]))
			return false;
	}
	return true;
}

/* ---- before the search ------------------------------------------------------------------------------------------------------------------ */

static bool queue_may(struct stint_engine *engine, uint32_t handle)
{
	static const double nothing[STINT_DIMENSIONS] = {0};
	return within(&engine->queues[handle].allocated, nothing, engine->queues[handle].fair);
}

static bool pod_may(const struct stint_engine *engine, uint32_t handle, const struct shape *shape)
{
	double asked[STINT_DIMENSIONS];
	amounts_to(&shape->asked, asked);
	return within(&engine->queues[handle].allocated, asked, engine->queues[handle].fair);
}

static bool may_start(struct stint_engine *engine, const struct hunt *hunt)
{
	const struct queue *queue = &engine->queues[hunt->queue];
	const bool any_quota = hunt->waived & WAIVE_QUOTA || engine->groups[hunt->group].preemptible;
	return (hunt->waived & WAIVE_SHARE || within(&queue->allocated, hunt->asked, queue->fair)) &&
		(any_quota || within(&queue->allocated_fixed, hunt->asked, queue->quota));
}

static uint32_t depth(const struct stint_engine *engine, uint32_t queue)
{
	uint32_t levels = 0;
	for (; engine->queues[queue].parent != STINT_NO_HANDLE; queue = engine->queues[queue].parent)
		levels++;
	return levels;
}

/* The first pair of different queues on the way from the root to the two, or the last pair compared (kai-engine 3.4). */
static void level(const struct stint_engine *engine, uint32_t a, uint32_t b, uint32_t *a_out, uint32_t *b_out)
{
	uint32_t a_depth = depth(engine, a), b_depth = depth(engine, b);
	for (; a_depth > b_depth; a_depth--)
		a = engine->queues[a].parent;
	for (; b_depth > a_depth; b_depth--)
		b = engine->queues[b].parent;
	while (a != b && engine->queues[a].parent != engine->queues[b].parent) {
		a = engine->queues[a].parent;
		b = engine->queues[b].parent;
	}
	*a_out = a;
	*b_out = b;
}

/* For a taker within its quota, victims exactly at theirs stay candidates: consolidation may do them no harm. */
static bool may_give(const struct queue *victim, const double asked[static STINT_DIMENSIONS])
{
	double amount[STINT_DIMENSIONS];
	bool over = false, under = false;
	amounts_in_units(&victim->allocated, amount);
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		if (asked[d] <= 0 || victim->quota[d] < 0)
			continue;
		over = over || amount[d] > victim->quota[d];
		under = under || amount[d] < victim->quota[d];
	}
	return over || !under;
}

uint32_t engine_reclaim_giver(const struct stint_engine *engine, uint32_t taker, uint32_t leaf, const double asked[static STINT_DIMENSIONS],
	double due[static STINT_DIMENSIONS], bool *by_quota)
{
	uint32_t r, v;
	level(engine, taker, leaf, &r, &v);
	const struct queue *giver = &engine->queues[v];
	*by_quota = within(&engine->queues[r].allocated, asked, engine->queues[r].quota);
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		const double most = engine_queue_allocatable(giver, d), quota = giver->quota[d];
		due[d] = *by_quota && quota >= 0 && !is_over(quota, most) ? quota : most;
	}
	return v;
}

static bool may_fall(struct stint_engine *engine, const struct hunt *hunt, uint32_t victim)
{
	const uint32_t queue = engine->groups[victim].queue;
	if (queue == hunt->queue)
		return false;
	uint32_t r, v;
	level(engine, hunt->queue, queue, &r, &v);
	const struct queue *taker = &engine->queues[r], *giver = &engine->queues[v];
	const bool gives = hunt->waived & WAIVE_DUE		    ? true
		: within(&taker->before, hunt->asked, taker->quota) ? may_give(giver, hunt->asked)
								    : over_allocatable(giver, &giver->before);
	return gives && !engine_runtime_protects(engine, hunt, victim);
}

/* As the verdict has it before anything is taken: it grows no milder after that. What counts for nothing is taken from nobody. */
static bool may_lose(const struct stint_engine *engine, const struct hunt *hunt, const struct pod *pod)
{
	const struct amounts *asked = &engine->shapes[pod->shape].asked;
	uint32_t r, v;
	level(engine, hunt->queue, engine->groups[pod->group].queue, &r, &v);
	const struct queue *taker = &engine->queues[r], *giver = &engine->queues[v];
	if (hunt->waived & WAIVE_DUE || over_allocatable(giver, &giver->before) ||
		(over_quota(giver, &giver->before) && within(&taker->before, hunt->asked, taker->quota)))
		return true;
	return !asked->cpu_milli && !asked->memory_bytes && !engine_pod_gpu_percent(pod, &engine->shapes[pod->shape]);
}

/* ---- the verdict ------------------------------------------------------------------------------------------------------------------------ */

static void add_item(struct stint_engine *engine, size_t *count, uint32_t queue, const struct amounts *taken)
{
	struct search *search = engine->search;
	stint_grow(&search->items, &search->items_capacity, *count + 1, sizeof *search->items);
	search->items[(*count)++] = (struct reclaim_item){queue, engine->queues[queue].order, *taken};
}

static struct amounts taken_by(const struct stint_engine *engine, const struct pod *pod)
{
	const struct shape *shape = &engine->shapes[pod->shape];
	struct amounts taken = shape->asked;
	taken.gpu_percent = engine_pod_gpu_percent(pod, shape); /* of a withdrawn pod what it had at the place it lost */
	return taken;
}

static void itemize_set(struct stint_engine *engine, const struct group *group, uint32_t first, uint32_t pods, uint32_t need,
	struct amounts *core, size_t *count)
{
	const bool moved_too = !engine->policy.reclaim_may_consolidate;
	uint32_t seen = 0;
	for (uint32_t i = first; i < first + pods; i++) {
		const struct pod *pod = &engine->pods[group->pods[i]];
		if (!engine_pod_robbed(pod) || (engine_pod_active(pod) && !moved_too))
			continue;
		const struct amounts taken = taken_by(engine, pod);
		if (seen++ < need)
			amounts_add(core, &taken, 1);
		else
			add_item(engine, count, group->queue, &taken);
	}
}

/* What the judged pods of a group lose, in its order: as many of each set as that needs, all together, then one by one. */
static void itemize(struct stint_engine *engine, uint32_t handle, size_t *count)
{
	engine_group_sort(engine, handle);
	const struct group *group = &engine->groups[handle];
	struct amounts core = {0};
	if (!group->gang)
		itemize_set(engine, group, 0, group->pods_count, group->min_member, &core, count);
	for (uint32_t i = 0; group->gang && i < group->gang->named; i++) {
		const struct part *part = &group->gang->parts[i];
		if (part->kind == PART_PODS)
			itemize_set(engine, group, part->first_pod, part->pods, part->need, &core, count);
	}
	if (core.cpu_milli || core.memory_bytes || core.gpu_percent)
		add_item(engine, count, group->queue, &core);
}

static int compare_items(const struct reclaim_item *a, const struct reclaim_item *b)
{
	if (a->taken.gpu_percent != b->taken.gpu_percent)
		return a->taken.gpu_percent < b->taken.gpu_percent ? -1 : 1;
	if (a->taken.cpu_milli != b->taken.cpu_milli)
		return a->taken.cpu_milli < b->taken.cpu_milli ? -1 : 1;
	if (a->taken.memory_bytes != b->taken.memory_bytes)
		return a->taken.memory_bytes < b->taken.memory_bytes ? -1 : 1;
	return 0;
}

/* By size; equal ones by the order of queues. Those of one queue are alike to the verdict. */
static int by_size(const void *a, const void *b)
{
	const struct reclaim_item *p = a, *q = b;
	const int order = compare_items(p, q);
	return order ? order : p->order < q->order ? -1 : p->order > q->order;
}

static bool is_legal(const struct stint_engine *engine, const struct hunt *hunt, const struct reclaim_item *item)
{
	uint32_t r, v;
	level(engine, hunt->queue, item->queue, &r, &v);
	const struct queue *taker = &engine->queues[r], *giver = &engine->queues[v];
	if (hunt->waived & WAIVE_DUE || over_allocatable(giver, &giver->rest))
		return true;
	return within(&taker->before, hunt->asked, taker->quota) && over_quota(giver, &giver->rest);
}

static void subtract(struct stint_engine *engine, const struct reclaim_item *item)
{
	for (uint32_t at = item->queue; at != STINT_NO_HANDLE; at = engine->queues[at].parent) {
		amounts_add(&engine->queues[at].rest, &item->taken, -1);
		engine->queues[at].robbed = true;
	}
}

static double ratio(double value, double fair)
{
	if (fair < 0)
		return 0;
	if (fair == 0)
		return value > 0 ? INFINITY : 0;
	return value / fair;
}

/* Siblings that gave something must stay fuller than the taker and its ancestors become, once these are beyond their share. */
static bool is_saturated(const struct stint_engine *engine, const struct hunt *hunt)
{
	for (uint32_t z = hunt->queue; z != STINT_NO_HANDLE; z = engine->queues[z].parent) {
		if (hunt->waived & (z == hunt->queue ? WAIVE_SHARE : WAIVE_ABOVE))
			continue;
		double after[STINT_DIMENSIONS];
		amounts_to(&engine->queues[z].rest, after);
		for (size_t i = 0; i < engine->queue_order.count; i++) {
			const uint32_t s = engine->queue_order.items[i];
			const struct queue *sibling = &engine->queues[s];
			if (s == z || !sibling->robbed || sibling->parent != engine->queues[z].parent)
				continue;
			double left[STINT_DIMENSIONS], had[STINT_DIMENSIONS];
			amounts_in_units(&sibling->rest, left);
			amounts_in_units(&sibling->before, had);
			for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
				const double fair = engine->queues[z].fair[d];
				const double taker = ratio(in_unit(after[d] + hunt->asked[d], d), fair);
				const bool involved = hunt->asked[d] > 0 || had[d] > left[d];
				if (involved && taker > 1 && sibling->fair[d] > 0 &&
					taker * engine->policy.reclaim_saturation >= ratio(left[d], sibling->fair[d]))
					return true;
			}
		}
	}
	return false;
}

static bool keeps_quota(const struct stint_engine *engine, const struct hunt *hunt)
{
	for (uint32_t z = hunt->queue; z != STINT_NO_HANDLE; z = engine->queues[z].parent) {
		if (!within(&engine->queues[z].before_fixed, hunt->asked, engine->queues[z].quota))
			return false;
	}
	return true;
}

static bool stands(struct stint_engine *engine, const struct hunt *hunt)
{
	struct search *search = engine->search;
	size_t count = 0;
	if (!engine_runtime_stands(engine, hunt))
		return false;
	for (size_t i = 0; i < engine->queue_order.count; i++) {
		struct queue *queue = &engine->queues[engine->queue_order.items[i]];
		queue->rest = queue->before;
		queue->robbed = false;
	}
	for (size_t i = 0; i + 1 < search->groups.count; i++)
		itemize(engine, search->groups.items[i], &count);
	if (count)
		qsort(search->items, count, sizeof *search->items, by_size);
	for (size_t i = 0; i < count; i++) {
		const struct reclaim_item *item = &search->items[i];
		if (!is_legal(engine, hunt, item))
			return false;
		subtract(engine, item);
	}
	const bool any_quota = hunt->waived & WAIVE_QUOTA || engine->groups[hunt->group].preemptible;
	return !is_saturated(engine, hunt) && (any_quota || keeps_quota(engine, hunt));
}

const struct hunt_rules engine_reclaim_rules = {
	.action = STINT_ACTION_RECLAIM,
	.takes_part = engine_delay_is_over,
	.queue_may = queue_may,
	.pod_may = pod_may,
	.may_start = may_start,
	.may_fall = may_fall,
	.may_lose = may_lose,
	.stands = stands,
};
