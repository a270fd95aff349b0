/*
 * shares: divides the cluster among queues (kai-engine 3.2), level by level: the top queues share the cluster, children what their
 * parent was given.
 *
 * Promises: the same shares whatever the order in which queues became known; a queue whose request is met is given no more; quotas that
 * exceed the total are granted in full. Amounts are doubles in the raw unit of the resource, because the rule rounds down to whole ones.
 * Costs: nothing while neither a request, a bound nor the cluster has changed; else O(queues) a pass, and few passes.
 */
#include <math.h>

#include "state.h"

static double requestable(const struct stint_sharer *q)
{
	return q->limit < 0 ? q->request : fmin(q->limit, q->request);
}

static double wanted(const struct stint_sharer *q)
{
	return fmax(0, requestable(q) - q->fair_share);
}

static bool satisfied(const struct stint_sharer *q)
{
	return q->request <= q->fair_share || (q->limit >= 0 && q->limit <= q->fair_share);
}

static bool sharer_precedes(const struct stint_sharer *a, const struct stint_sharer *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms;
	return strcmp(a->name, b->name) < 0;
}

static void sort_sharers(struct stint_sharer *sharers, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct stint_sharer moving = sharers[i];
		size_t at = i;
		for (; at > 0 && sharer_precedes(&moving, &sharers[at - 1]); at--)
			sharers[at] = sharers[at - 1];
		sharers[at] = moving;
	}
}

static void give_quotas(struct stint_sharer *sharers, size_t count, double total, double *left)
{
	for (size_t i = 0; i < count; i++) {
		const double due = sharers[i].quota < 0 ? total : sharers[i].quota;
		const double given = fmin(due, requestable(&sharers[i]));
		sharers[i].fair_share += given;
		*left -= given;
	}
}

static double over_quota_part(const struct stint_sharer *q, double weights, double usage_factor)
{
	const double weight = q->weight / weights;
	return fmax(0, weight + usage_factor * (weight - q->usage));
}

/* One pass over a priority class, in proportion to weights. True when somebody was satisfied, so that others can have more. */
static bool give_by_weight(struct stint_sharer *sharers, size_t count, double usage_factor, double *left)
{
	double weights = 0, parts = 0;
	for (size_t i = 0; i < count; i++) {
		if (wanted(&sharers[i]) > 0)
			weights += sharers[i].weight;
	}
	if (weights <= 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!satisfied(&sharers[i]))
			parts += over_quota_part(&sharers[i], weights, usage_factor);
	}
	if (parts <= 0)
		return false;

	const double round = *left;
	bool again = false;
	for (size_t i = 0; i < count && *left != 0; i++) {
		struct stint_sharer *q = &sharers[i];
		if (satisfied(q) || q->weight == 0)
			continue;
		const double part = round * over_quota_part(q, weights, usage_factor) / parts;
		const double want = wanted(q);
		double given = want;
		if (want <= part) {
			q->remainder = 0;
		} else {
			given = fmax(0, floor(part));
			if (part - given > 0)
				q->remainder = part - given;
		}
		q->fair_share += given;
		*left -= given;
		if (given != 0 && want < part)
			again = true;
	}
	return again && *left != 0;
}

/* Whole units that rounding down has left, one each, to those whose part was cut most. */
static void give_remainders(struct stint_sharer *sharers, size_t count, double *left)
{
	while (*left > 0) {
		struct stint_sharer *best = NULL;
		for (size_t i = 0; i < count; i++) {
			if (sharers[i].remainder > 0 && (!best || sharers[i].remainder > best->remainder))
				best = &sharers[i];
		}
		if (!best)
			return;
		const double given = fmin(1, *left);
		best->fair_share += given;
		best->remainder = 0;
		*left -= given;
	}
}

static size_t class_end(const struct stint_sharer *sharers, size_t count, size_t start)
{
	size_t end = start + 1;
	while (end < count && sharers[end].priority == sharers[start].priority)
		end++;
	return end;
}

double stint_shares_divide(struct stint_sharer *sharers, size_t count, double total, double usage_factor, bool over_quota_only)
{
	double left = total;
	sort_sharers(sharers, count);
	for (size_t i = 0; i < count; i++)
		sharers[i].remainder = 0;
	if (!over_quota_only)
		give_quotas(sharers, count, total, &left);
	if (left <= 0)
		return 0;
	for (size_t start = 0, end; start < count; start = end) {
		end = class_end(sharers, count, start);
		while (give_by_weight(sharers + start, end - start, usage_factor, &left))
			;
	}
	for (size_t start = 0, end; start < count; start = end) {
		end = class_end(sharers, count, start);
		give_remainders(sharers + start, end - start, &left);
	}
	return fmax(0, left);
}

static void divide_among(struct stint_engine *engine, const uint32_t *siblings, size_t count, const double total[static STINT_DIMENSIONS])
{
	stint_grow(&engine->sharers, &engine->sharers_capacity, count, sizeof *engine->sharers);
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++) {
		for (size_t i = 0; i < count; i++) {
			const struct queue *q = &engine->queues[siblings[i]];
			double requested[STINT_DIMENSIONS];
			engine_queue_requested(engine, q, requested);
			engine->sharers[i] = (struct stint_sharer){
				.name = q->name,
				.created_ms = q->created_ms,
				.priority = q->priority,
				.quota = q->quota[d],
				.limit = q->limit[d],
				.weight = q->weight[d],
				.usage = q->usage[d],
				.request = requested[d],
				.id = siblings[i],
			};
		}
		stint_shares_divide(engine->sharers, count, total[d], engine->policy.usage_factor, false);
		for (size_t i = 0; i < count; i++) {
			double *fair = &engine->queues[engine->sharers[i].id].fair[d];
			engine->search_epoch += *fair != engine->sharers[i].fair_share;
			*fair = engine->sharers[i].fair_share;
		}
	}
}

/* Brings all fair shares up to date, but that they stand during a cycle, whatever it decides. */
void engine_shares_settle(struct stint_engine *engine)
{
	engine_nodes_settle(engine); /* requests in MiB are converted by the smallest device */
	if (!engine->shares_stale || engine->shares_fixed)
		return;
	engine_queue_order_settle(engine);
	const struct handles *order = &engine->queue_order;
	for (size_t start = 0, end; start < order->count; start = end) {
		const uint32_t parent = engine->queues[order->items[start]].parent;
		for (end = start + 1; end < order->count && engine->queues[order->items[end]].parent == parent; end++)
			;
		double total[STINT_DIMENSIONS];
		if (parent == STINT_NO_HANDLE)
			amounts_in_units(&engine->total, total);
		else
			memcpy(total, engine->queues[parent].fair, sizeof total);
		divide_among(engine, order->items + start, end - start, total);
	}
	engine->shares_stale = false;
}
