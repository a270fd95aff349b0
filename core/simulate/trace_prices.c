/*
 * trace_prices: gives our policy the mix of a trace: the whole list, which is what the published policies know of it, or what has arrived.
 */
#include "trace.h"

/* What has arrived is learned anew whenever it has grown by a quarter; nothing is known before the first pod. */
static uint64_t next_lesson(uint64_t arrived)
{
	return arrived + arrived / 4 + 1;
}

void replay_learn(struct replay *replay)
{
	const struct stint_trace *trace = replay->trace;
	struct stint_demand *demands = stint_alloc(trace->shapes_count * sizeof *demands);
	int64_t capacity[STINT_NODE_KINDS] = {0};
	for (size_t i = 0; i < trace->nodes_count; i++)
		capacity[trace->nodes[i].model] += (int64_t)trace->nodes[i].devices * DEVICE_MILLI;
	for (size_t i = 0; i < trace->shapes_count; i++) {
		const struct trace_shape *shape = &trace->shapes[i];
		demands[i] = (struct stint_demand){shape->cpu_milli, shape->milli, shape->devices, shape->models, replay->arrived[i]};
	}
	stint_prices_learn(&replay->prices, demands, trace->shapes_count, capacity);
	free(demands);
	replay->learned_at = next_lesson(replay->arrived_count);
	replay_forget_scores(replay);
}
