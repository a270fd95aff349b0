/*
 * trace_policies: the policies that are compared (perf-anchors 2.4). Those of the published experiment score in whole numbers from 0 to 100
 * and leave ties to the smallest name: both belong to their published results, so both are kept.
 */
#include <math.h>

#include "trace.h"

static bool is_share(const struct trace_shape *shape)
{
	return shape->devices == 1 && shape->milli < DEVICE_MILLI;
}

static uint32_t tightest(struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	return replay_tightest(replay, shape, node);
}

static uint32_t any_device(struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	const uint16_t *left = replay_left(replay, node);
	uint32_t chosen = NO_DEVICE, fitting = 0;
	for (uint32_t i = 0; i < replay->lanes; i++) {
		if (left[i] >= shape->milli && trace_random_below(&replay->random, ++fitting) == 0)
			chosen = i;
	}
	return chosen;
}

/* The largest node of the published trace, by which both of these are normalised. */
static const double MOST_CPU = 128000, MOST_GPU = 8000;

static int64_t best_fit(const struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	const double cpu = (double)(replay->cpu[node] - shape->cpu_milli) / MOST_CPU;
	const double gpu = (double)(replay->free_milli[node] - trace_gpu_milli(shape)) / MOST_GPU;
	return (int64_t)fmax(0, 100 * (1 - 0.5 * cpu - 0.5 * gpu));
}

static int64_t dot_product(const struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	const double cpu = (double)replay->cpu[node] * (double)shape->cpu_milli / (MOST_CPU * MOST_CPU);
	const double gpu = (double)replay->free_milli[node] * (double)trace_gpu_milli(shape) / (MOST_GPU * MOST_GPU);
	return (int64_t)fmax(0, 100 * (1 - (cpu + gpu) / 2));
}

static int64_t packing(const struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	const uint32_t devices = replay->nodes[node]->devices;
	if (!shape->milli)
		return 0;
	if (is_share(shape)) {
		const uint32_t device = replay_tightest(replay, shape, node);
		const uint32_t left = replay_left(replay, node)[device];
		if (left < DEVICE_MILLI)
			return 100 - left / 20;
	}
	if (replay->whole[node] < devices)
		return 50 - (int64_t)shape->devices;
	return 33 - (int64_t)replay->whole[node];
}

static int64_t clustering(const struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	if (!shape->milli)
		return 0;
	const uint64_t class = is_share(shape) ? 2 : UINT64_C(1) << (shape->devices < 60 ? shape->devices + 1 : 62);
	const uint64_t there = replay->classes[node] & ~UINT64_C(1);
	const int64_t fullness = (int64_t)(25 * fmax(0, MOST_GPU - (double)replay->free_milli[node]) / MOST_GPU);
	if (there == class)
		return 75 + fullness;
	if (there & class)
		return 50 + fullness;
	return fullness + (there ? 0 : 25);
}

/* ---- fragmentation gradient descent -------------------------------------------------------------------------------------------------------- */

static int64_t gradient(const struct replay *replay, const struct trace_shape *shape, uint32_t node, uint32_t device)
{
	uint16_t left[STINT_MAX_DEVICES];
	replay_after(replay, shape, node, device, left);
	const int64_t after =
		measure_node(replay->measure, replay->nodes[node]->model, replay->cpu[node] - shape->cpu_milli, left, replay->lanes);
	const double gain = (double)(replay->fragments[node] - after) / (double)measure_scale(replay->measure);
	return (int64_t)(100 / (1 + exp(-gain / 1000)));
}

static int64_t best_gradient(const struct replay *replay, const struct trace_shape *shape, uint32_t node, uint32_t *device)
{
	const uint16_t *left = replay_left(replay, node);
	int64_t best = -1;
	uint64_t seen[DEVICE_MILLI / 64 + 1] = {0};
	for (uint32_t i = 0; i < replay->lanes; i++) {
		/* Devices with as much left score alike, and the first of them counts. */
		if (left[i] < shape->milli || (seen[left[i] / 64] >> left[i] % 64 & 1))
			continue;
		seen[left[i] / 64] |= UINT64_C(1) << left[i] % 64;
		const int64_t score = gradient(replay, shape, node, i);
		if (score > best) {
			best = score;
			*device = i;
		}
	}
	return best;
}

static int64_t fgd(const struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	uint32_t device;
	return is_share(shape) ? best_gradient(replay, shape, node, &device) : gradient(replay, shape, node, 0);
}

static uint32_t fgd_device(struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	uint32_t device = NO_DEVICE;
	best_gradient(replay, shape, node, &device);
	return device;
}

/* ---- ours ------------------------------------------------------------------------------------------------------------------------------------- */

static const int64_t MOST_LOSS = INT64_C(1) << 60;

/* The device that loses least by the share; of equal ones the fullest, then the first. */
static uint32_t cheapest(const struct replay *replay, const struct trace_shape *shape, uint32_t node, int64_t *loss)
{
	const uint16_t *left = replay_left(replay, node);
	uint32_t best = NO_DEVICE;
	for (uint32_t i = 0; i < replay->lanes; i++) {
		if (left[i] < shape->milli)
			continue;
		const int64_t here = stint_device_loss(&replay->prices, left[i], shape->milli);
		if (best == NO_DEVICE || here < *loss || (here == *loss && left[i] < left[best])) {
			best = i;
			*loss = here;
		}
	}
	return best;
}

static int64_t fragmentation(const struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	const struct stint_remains before = {
		.cpu_milli = replay->cpu[node],
		.gpu_milli = replay->free_milli[node],
		.devices = replay->nodes[node]->devices,
		.kind = replay->nodes[node]->model,
	};
	int64_t loss = 0;
	if (is_share(shape))
		cheapest(replay, shape, node, &loss);
	else if (shape->milli)
		loss = shape->devices * stint_device_loss(&replay->prices, DEVICE_MILLI, DEVICE_MILLI);
	return MOST_LOSS - loss - stint_node_loss(&replay->prices, &before, shape->cpu_milli, trace_gpu_milli(shape));
}

static uint32_t cheapest_device(struct replay *replay, const struct trace_shape *shape, uint32_t node)
{
	int64_t loss;
	return cheapest(replay, shape, node, &loss);
}

const struct replay_policy replay_policies[STINT_TRACE_POLICIES] = {
	[STINT_TRACE_RANDOM] = {.name = "random", .device = any_device},
	[STINT_TRACE_DOTPROD] = {.name = "dotprod", .score = dot_product, .device = tightest},
	[STINT_TRACE_CLUSTERING] = {.name = "clustering", .score = clustering, .device = tightest},
	[STINT_TRACE_PACKING] = {.name = "packing", .score = packing, .device = tightest},
	[STINT_TRACE_BESTFIT] = {.name = "bestfit", .score = best_fit, .device = tightest},
	[STINT_TRACE_FGD] = {.name = "fgd", .score = fgd, .device = fgd_device},
	[STINT_TRACE_FRAGMENTATION] = {.name = "fragmentation", .score = fragmentation, .device = cheapest_device, .priced = true},
	[STINT_TRACE_LEARNED] =
		{.name = "fragmentation-learned", .score = fragmentation, .device = cheapest_device, .priced = true, .learns = true},
};

const char *stint_trace_policy_name(enum stint_trace_policy policy)
{
	return replay_policies[policy].name;
}
