/*
 * trace_measure: the published measure of fragmentation (perf-anchors 2.3): what is free on a node and of no use to the next typical pod,
 * expected over the typical pods.
 *
 * For one model of devices it is a sum over devices of (left) x (the part of the typical pods that could use this left with that much CPU).
 * The parts are added up once, in a table by CPU and left: a node costs one look-up a device, however many kinds of pods are typical.
 * Only pods with several devices, which are few kinds, are looked at one by one. All sums are whole numbers: counts times milli.
 */
#include "trace.h"

struct several {
	int64_t cpu_milli;
	uint32_t milli, devices;
	uint64_t models;
	int64_t count;
};

struct measure {
	int64_t total;
	int64_t *cpus; /* the CPU requests that matter, ascending */
	size_t cpus_count;
	uint16_t level_of[DEVICE_MILLI + 1]; /* how many of the sizes are not above this */
	size_t levels; /* sizes + 1 */
	uint32_t *usable; /* model, CPU level, size level: the count of pods with one device that would fit */
	struct several *several;
	size_t several_count;
};

static int by_value(const void *left, const void *right)
{
	const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

static size_t unique(int64_t *items, size_t count)
{
	qsort(items, count, sizeof *items, by_value);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (!kept || items[kept - 1] != items[i])
			items[kept++] = items[i];
	}
	return kept;
}

/* How many of the CPU requests the node still has room for. */
static size_t cpu_level(const struct measure *measure, int64_t cpu_milli)
{
	size_t low = 0, high = measure->cpus_count;
	while (low < high) {
		const size_t middle = (low + high) / 2;
		if (measure->cpus[middle] <= cpu_milli)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t *cell(const struct measure *measure, size_t model, size_t cpu, size_t size)
{
	return &measure->usable[(model * (measure->cpus_count + 1) + cpu) * measure->levels + size];
}

static void add_usable(struct measure *measure, const struct typical *typical, size_t models)
{
	const size_t from_cpu = cpu_level(measure, typical->cpu_milli), from_size = measure->level_of[typical->milli];
	for (size_t model = 0; model < models; model++) {
		if (!(typical->models >> model & 1))
			continue;
		for (size_t cpu = from_cpu; cpu <= measure->cpus_count; cpu++) {
			for (size_t size = from_size; size < measure->levels; size++)
				*cell(measure, model, cpu, size) += typical->count;
		}
	}
}

struct measure *measure_new(const struct stint_trace *trace)
{
	struct typicals typicals;
	trace_typicals_find(trace, &typicals);
	struct measure *measure = stint_alloc(sizeof *measure);
	const size_t models = trace->models_count ? trace->models_count : 1;
	measure->total = typicals.total ? typicals.total : 1;
	measure->cpus = stint_alloc((typicals.count + 1) * sizeof *measure->cpus);
	measure->several = stint_alloc((typicals.count + 1) * sizeof *measure->several);
	int64_t *sizes = stint_alloc((typicals.count + 1) * sizeof *sizes);
	size_t sizes_count = 0;
	for (size_t i = 0; i < typicals.count; i++) {
		const struct typical *typical = &typicals.items[i];
		if (typical->devices == 1) {
			measure->cpus[measure->cpus_count++] = typical->cpu_milli;
			sizes[sizes_count++] = typical->milli;
		} else if (typical->devices > 1) {
			measure->several[measure->several_count++] =
				(struct several){typical->cpu_milli, typical->milli, typical->devices, typical->models, typical->count};
		}
	}
	measure->cpus_count = unique(measure->cpus, measure->cpus_count);
	sizes_count = unique(sizes, sizes_count);
	for (uint32_t left = 0, level = 0; left <= DEVICE_MILLI; left++) {
		while (level < sizes_count && sizes[level] <= left)
			level++;
		measure->level_of[left] = (uint16_t)level;
	}
	measure->levels = sizes_count + 1;
	measure->usable = stint_alloc(models * (measure->cpus_count + 1) * measure->levels * sizeof *measure->usable);
	for (size_t i = 0; i < typicals.count; i++) {
		if (typicals.items[i].devices == 1)
			add_usable(measure, &typicals.items[i], models);
	}
	free(sizes);
	free(typicals.items);
	return measure;
}

void measure_free(struct measure *measure)
{
	if (!measure)
		return;
	free(measure->cpus);
	free(measure->usable);
	free(measure->several);
	free(measure);
}

int64_t measure_scale(const struct measure *measure)
{
	return measure->total;
}

static int64_t usable_by(const struct several *several, const uint16_t *devices, uint32_t lanes)
{
	uint32_t fitting = 0;
	int64_t left = 0;
	for (uint32_t i = 0; i < lanes; i++) {
		const bool fits = devices[i] >= several->milli;
		fitting += fits;
		left += fits ? devices[i] : 0;
	}
	return fitting >= several->devices ? left : 0;
}

int64_t measure_node(const struct measure *measure, uint32_t model, int64_t cpu_milli, const uint16_t *devices, uint32_t lanes)
{
	const uint32_t *usable = cell(measure, model, cpu_level(measure, cpu_milli), 0);
	int64_t sum = 0;
	for (uint32_t i = 0; i < lanes; i++)
		sum += (int64_t)devices[i] * (measure->total - usable[measure->level_of[devices[i]]]);
	for (size_t i = 0; i < measure->several_count; i++) {
		const struct several *several = &measure->several[i];
		if ((several->models >> model & 1) && several->cpu_milli <= cpu_milli)
			sum -= several->count * usable_by(several, devices, lanes);
	}
	return sum;
}
