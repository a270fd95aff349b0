/*
 * mix: what the engine knows of the mix of requests, for the placement strategy STINT_FRAGMENTATION: the pods that run and wait, by shape.
 *
 * Owns engine.mix. Counts are kept by the shapes themselves (shape.refs), so a pod costs nothing here. Prices are made anew at the start of
 * a cycle when the mix has changed: a count enters by its three leading bits, so one pod more or less rarely changes them, and what is
 * known depends on the present state alone, never on how it came about. Nodes are of one kind when no shape tells them apart.
 * Costs: a cycle O(shapes) to see that nothing has changed; new prices about 1 ms, new kinds O(shapes * nodes); every ranking is made anew after.
 */
#include <math.h>

#include "state.h"

static bool counts(const struct shape *shape)
{
	return shape->sample && shape->refs > shape->lent && shape->gpu != STINT_GPU_NONE;
}

static uint64_t leading_bits(uint32_t count)
{
	unsigned shift = 0;
	while (count >> shift > 7)
		shift++;
	return (uint64_t)(count >> shift) << shift;
}

/* GPU memory as a part of the largest device: on smaller ones it is more, which the score of a node takes from that node. */
static uint32_t milli_of(const struct stint_engine *engine, const struct shape *shape)
{
	switch (shape->gpu) {
	case STINT_GPU_NONE: return 0;
	case STINT_GPU_WHOLE: return 1000;
	case STINT_GPU_FRACTION: return (uint32_t)lround(shape->portion * 1000);
	case STINT_GPU_MEMORY: break;
	}
	const int64_t all = engine->most_gpu_mib > 0 ? engine->most_gpu_mib : STINT_DEFAULT_GPU_MIB;
	return shape->memory_mib < all ? (uint32_t)((1000 * shape->memory_mib + all - 1) / all) : 1000;
}

/* ---- kinds of nodes ------------------------------------------------------------------------------------------------------------------- */

/*
 * Splits kinds by whether this shape may run there. Beyond STINT_NODE_KINDS the rest stay together. The order of kinds depends on handles;
 * prices do not depend on the order of kinds.
 */
static void split_kinds(struct stint_engine *engine, const struct shape *shape)
{
	struct mix *mix = &engine->mix;
	const unsigned before = mix->kinds_count;
	uint8_t child[STINT_NODE_KINDS];
	uint64_t takes = 0, refuses = 0;
	for (uint32_t i = 0; i < engine->nodes_count; i++) {
		if (!engine->nodes[i].object)
			continue;
		mix->takes[i] = engine_matching_cause(engine, shape, i) == STINT_CAUSE_COUNT;
		*(mix->takes[i] ? &takes : &refuses) |= UINT64_C(1) << mix->kinds[i];
	}
	for (unsigned kind = 0; kind < before; kind++) {
		child[kind] = (uint8_t)kind;
		if (bit(takes & refuses, kind) && mix->kinds_count < STINT_NODE_KINDS)
			child[kind] = (uint8_t)mix->kinds_count++;
	}
	for (uint32_t i = 0; i < engine->nodes_count; i++) {
		if (engine->nodes[i].object && !mix->takes[i])
			mix->kinds[i] = child[mix->kinds[i]];
	}
}

static uint64_t kinds_that_take(struct stint_engine *engine, const struct shape *shape)
{
	uint64_t kinds = 0;
	for (uint32_t i = 0; i < engine->nodes_count; i++) {
		if (engine->nodes[i].object && !bit(kinds, engine->mix.kinds[i]) &&
			engine_matching_cause(engine, shape, i) == STINT_CAUSE_COUNT)
			kinds |= UINT64_C(1) << engine->mix.kinds[i];
	}
	return kinds;
}

static void sort_nodes(struct stint_engine *engine)
{
	struct mix *mix = &engine->mix;
	if (mix->kinds_capacity < engine->nodes_count) {
		mix->kinds_capacity = engine->nodes_capacity;
		free(mix->kinds);
		free(mix->takes);
		mix->kinds = stint_alloc(mix->kinds_capacity);
		mix->takes = stint_alloc(mix->kinds_capacity * sizeof *mix->takes);
	}
	if (mix->kinds_capacity)
		memset(mix->kinds, 0, mix->kinds_capacity);
	memset(mix->capacity, 0, sizeof mix->capacity);
	mix->kinds_count = 1;
	for (size_t i = 0; i < engine->shapes_count; i++) {
		if (counts(&engine->shapes[i]))
			split_kinds(engine, &engine->shapes[i]);
	}
	for (uint32_t i = 0; i < engine->nodes_count; i++) {
		if (engine->nodes[i].object)
			mix->capacity[mix->kinds[i]] += INT64_C(1000) * engine->books[i].devices_count;
	}
}

/* ---- what is known ----------------------------------------------------------------------------------------------------------------------- */

/* False: the mix is as it was. */
static bool gather(struct stint_engine *engine)
{
	struct mix *mix = &engine->mix;
	bool same = mix->specifications == engine->specifications && mix->made;
	size_t count = 0;
	for (size_t i = 0; i < engine->shapes_count; i++) {
		const struct shape *shape = &engine->shapes[i];
		if (!counts(shape))
			continue;
		const struct mix_part part = {.born = shape->born, .count = leading_bits(shape->refs - shape->lent)};
		stint_grow(&mix->parts, &mix->parts_capacity, count + 1, sizeof *mix->parts);
		same = same && count < mix->parts_count && mix->parts[count].born == part.born && mix->parts[count].count == part.count;
		mix->parts[count++] = part;
	}
	same = same && count == mix->parts_count;
	mix->parts_count = count;
	return !same;
}

void engine_mix_settle(struct stint_engine *engine)
{
	struct mix *mix = &engine->mix;
	if (!engine_policy_uses(&engine->policy, STINT_FRAGMENTATION)) {
		mix->made = false;
		return;
	}
	engine_nodes_settle(engine);
	if (!gather(engine))
		return;
	sort_nodes(engine);
	struct stint_demand *demands = stint_alloc((mix->parts_count + 1) * sizeof *demands);
	size_t at = 0;
	for (size_t i = 0; i < engine->shapes_count; i++) {
		const struct shape *shape = &engine->shapes[i];
		if (!counts(shape))
			continue;
		demands[at] = (struct stint_demand){
			.cpu_milli = shape->cpu_milli,
			.milli = milli_of(engine, shape),
			.devices = shape->devices,
			.kinds = kinds_that_take(engine, shape),
			.count = mix->parts[at].count,
		};
		at++;
	}
	stint_prices_learn(&mix->prices, demands, at, mix->capacity);
	free(demands);
	mix->specifications = engine->specifications;
	mix->made = true;
	engine->policy_stamp++;
}

void engine_mix_free(struct stint_engine *engine)
{
	free(engine->mix.kinds);
	free(engine->mix.takes);
	free(engine->mix.parts);
}

/* ---- the score ------------------------------------------------------------------------------------------------------------------------------ */

int64_t engine_device_loss(const struct stint_engine *engine, uint32_t handle, int64_t left_mib, int64_t mib)
{
	const int64_t all = engine->books[handle].device_mib;
	const int64_t from = left_mib > 0 ? 1000 * left_mib / all : 0, taken = (1000 * mib + all - 1) / all;
	return stint_device_loss(&engine->mix.prices, (uint32_t)from, (uint32_t)(taken < 1000 ? taken : 1000));
}

/* Of the device that loses least; the others of a request for several are counted like it. */
static int64_t least_device_loss(const struct stint_engine *engine, const struct shape *shape, uint32_t handle, int64_t mib)
{
	const struct books *books = &engine->books[handle];
	int64_t least = INT64_MAX;
	if (books->gpus_idle + books->gpus_leaving > 0)
		least = engine_device_loss(engine, handle, books->device_mib, mib);
	for (unsigned slot = 0; slot < books->devices_count && shape->gpu != STINT_GPU_WHOLE; slot++) {
		const struct device *device = &books->devices[slot];
		const int64_t left = books->device_mib - device->present + device->leaving - device->reserved;
		if (left < mib || left == books->device_mib)
			continue;
		const int64_t loss = engine_device_loss(engine, handle, left, mib);
		least = loss < least ? loss : least;
	}
	return least < INT64_MAX ? least : 0;
}

static int64_t free_milli(const struct books *books, const struct node *node)
{
	int64_t mib = 0;
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		const int64_t left = books->device_mib - device->present + device->leaving - device->reserved;
		mib += left > 0 ? left : 0;
	}
	const int64_t unknown = node->unseen - node->unseen_leaving + node->reserved_whole;
	const int64_t milli = 1000 * mib / books->device_mib - 1000 * unknown;
	return milli > 0 ? milli : 0;
}

int64_t engine_placement_loss(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	const struct books *books = &engine->books[handle];
	const struct stint_remains before = {
		.cpu_milli = plus(books->cpu_idle, books->cpu_leaving),
		.gpu_milli = free_milli(books, &engine->nodes[handle]),
		.devices = books->devices_count,
		.kind = handle < engine->mix.kinds_capacity ? engine->mix.kinds[handle] : 0, /* else it came since the cycle began */
	};
	if (shape->gpu == STINT_GPU_NONE)
		return stint_node_loss(&engine->mix.prices, &before, shape->cpu_milli, 0);
	const int64_t mib = engine_share_mib(engine, shape, handle);
	const int64_t taken = 1000 * mib / books->device_mib * shape->devices;
	return stint_node_loss(&engine->mix.prices, &before, shape->cpu_milli, taken < before.gpu_milli ? taken : before.gpu_milli) +
		shape->devices * least_device_loss(engine, shape, handle, mib);
}
