/*
 * trace_workload: which pods arrive in one run, and which requests count as typical (perf-anchors 2.2).
 */
#include <math.h>

#include "trace.h"

static void push(struct trace_arrivals *arrivals, uint32_t shape)
{
	stint_grow(&arrivals->shapes, &arrivals->capacity, arrivals->count + 1, sizeof *arrivals->shapes);
	arrivals->shapes[arrivals->count++] = shape;
}

void trace_arrivals_draw(const struct stint_trace *trace, double fill, struct trace_random *random, struct trace_arrivals *out)
{
	const int64_t target = (int64_t)llround(fill * (double)trace->capacity_milli);
	const uint32_t count = (uint32_t)trace->pods_count;
	int64_t demand = trace->demand_milli;
	*out = (struct trace_arrivals){0};
	for (uint32_t i = 0; i < count; i++)
		push(out, trace->pods[i].shape);
	for (uint32_t i = count; i > 1; i--) {
		const uint32_t other = trace_random_below(random, i), kept = out->shapes[i - 1];
		out->shapes[i - 1] = out->shapes[other];
		out->shapes[other] = kept;
	}
	const bool too_few = demand < target && demand > 0;
	while (demand > target && out->count) {
		const uint32_t at = trace_random_below(random, (uint32_t)out->count);
		demand -= trace_gpu_milli(&trace->shapes[out->shapes[at]]);
		memmove(&out->shapes[at], &out->shapes[at + 1], (out->count - at - 1) * sizeof *out->shapes);
		out->count--;
	}
	/* A list that hardly asks for devices would never get there: the draws are bounded. */
	while (too_few && out->count < (size_t)2 * TRACE_MAX_PODS) {
		const uint32_t shape = trace->pods[trace_random_below(random, count)].shape;
		if (demand + trace_gpu_milli(&trace->shapes[shape]) > target)
			break;
		demand += trace_gpu_milli(&trace->shapes[shape]);
		push(out, shape);
	}
}

/* ---- typical requests ------------------------------------------------------------------------------------------------------------------ */

static bool same_kind(const struct typical *a, const struct typical *b)
{
	return a->cpu_milli == b->cpu_milli && a->milli == b->milli && a->devices == b->devices && a->models == b->models;
}

/* By count, and a fixed order of the requests themselves where counts are equal. */
static int by_count(const void *left, const void *right)
{
	const struct typical *a = left, *b = right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (a->devices != b->devices)
		return a->devices < b->devices ? -1 : 1;
	if (a->milli != b->milli)
		return a->milli < b->milli ? -1 : 1;
	if (a->cpu_milli != b->cpu_milli)
		return a->cpu_milli < b->cpu_milli ? -1 : 1;
	return (a->models > b->models) - (a->models < b->models);
}

static void count_in(struct typicals *found, const struct typical *one)
{
	for (size_t i = 0; i < found->count; i++) {
		if (same_kind(&found->items[i], one)) {
			found->items[i].count += one->count;
			return;
		}
	}
	found->items[found->count++] = *one;
}

void trace_typicals_find(const struct stint_trace *trace, struct typicals *out)
{
	uint32_t *counts = stint_alloc((trace->shapes_count + 1) * sizeof *counts);
	for (size_t i = 0; i < trace->pods_count; i++)
		counts[trace->pods[i].shape]++;
	*out = (struct typicals){.items = stint_alloc((trace->shapes_count + 1) * sizeof *out->items)};
	for (size_t i = 0; i < trace->shapes_count; i++) {
		const struct trace_shape *shape = &trace->shapes[i];
		count_in(out, &(struct typical){shape->cpu_milli, shape->milli, shape->devices, shape->models, counts[i]});
	}
	free(counts);
	qsort(out->items, out->count, sizeof *out->items, by_count);
	size_t kept = 0;
	while (kept < out->count && out->total * 100 < (int64_t)trace->pods_count * 95)
		out->total += out->items[kept++].count;
	out->count = kept;
}
