/*
 * consolidate: moves preemptible work closer together so that a group that waits finds its place (kai-engine 8.2). Nobody loses a place for
 * good: every victim ends where it was or with another place reserved.
 *
 * Promises: no more groups are moved by one decision than the policy allows; minimum runtimes do not count, since all go on.
 */
#include "hunt.h"

static bool takes_part(const struct stint_engine *engine, uint32_t group)
{
	return engine->groups[group].preemptible && engine_delay_is_over(engine, group);
}

/* The parts of devices that nobody has, or will have soon, summed over all open nodes: pieces count, since moves can join them. */
static void free_parts(const struct stint_engine *engine, double *gpus, double *mib)
{
	*gpus = *mib = 0;
	for (uint32_t i = 0; i < engine->nodes_count; i++) {
		const struct books *books = &engine->books[i];
		if (!books->open || !books->devices_count)
			continue;
		double whole = (double)books->gpus_idle + books->gpus_leaving, parts = 0;
		for (unsigned slot = 0; slot < books->devices_count; slot++) {
			const struct device *device = &books->devices[slot];
			const bool all_leaving = device->present == device->leaving && device->reserved == 0;
			if (!all_leaving)
				parts += (double)(books->device_mib - device->present + device->leaving - device->reserved);
			if (books->reserved && engine->nodes[i].reserved_mib[slot] > 0)
				parts += (double)(books->device_mib - engine->nodes[i].reserved_mib[slot]);
		}
		*gpus += whole + parts / books->device_mib;
		*mib += whole * books->device_mib + parts;
	}
}

static void count_free(struct stint_engine *engine)
{
	struct search *search = engine->search;
	if (search->free_epoch == engine->search_epoch)
		return;
	free_parts(engine, &search->free_gpus, &search->free_mib);
	search->free_epoch = engine->search_epoch;
}

static double whole_gpus(const struct shape *shape)
{
	return (double)(shape->asked.gpu_percent - shape->mig_percent) / 100;
}

static bool fits_parts(const struct search *search, double gpus, double mib)
{
	return gpus <= search->free_gpus + 1e-9 && mib <= search->free_mib;
}

static bool queue_may(struct stint_engine *engine, uint32_t queue)
{
	(void)queue;
	count_free(engine);
	return engine->policy.consolidation_max_victims > 0;
}

static bool pod_may(const struct stint_engine *engine, uint32_t queue, const struct shape *shape)
{
	(void)queue;
	return fits_parts(engine->search, whole_gpus(shape), (double)shape->asked_mib);
}

static bool may_start(struct stint_engine *engine, const struct hunt *hunt)
{
	double gpus = 0, mib = 0;
	(void)hunt;
	for (size_t i = 0; i < engine->chunk.count; i++) {
		const struct shape *shape = &engine->shapes[engine->pods[engine->chunk.items[i]].shape];
		gpus += whole_gpus(shape);
		mib += (double)shape->asked_mib;
	}
	count_free(engine);
	return engine->policy.consolidation_max_victims > 0 && fits_parts(engine->search, gpus, mib);
}

/* Where pools have strategies of their own, work is moved together only where that strategy packs (kai-engine 2.1). */
static bool packs(const struct stint_engine *engine, uint32_t victim)
{
	const struct group *group = &engine->groups[victim];
	for (uint32_t i = 0; i < group->pods_count; i++) {
		const struct pod *pod = &engine->pods[group->pods[i]];
		if (engine_pod_active(pod) && engine_placement_on(engine, pod->node).gpu_nodes == STINT_SPREAD)
			return false;
	}
	return true;
}

static bool may_fall(struct stint_engine *engine, const struct hunt *hunt, uint32_t victim)
{
	(void)hunt;
	return !engine->policy.pools_count || packs(engine, victim);
}

static bool stands(struct stint_engine *engine, const struct hunt *hunt)
{
	const struct search *search = engine->search;
	uint32_t moved = 0;
	(void)hunt;
	for (size_t i = 0; i < search->judged.count; i++) {
		if (engine_pod_evicted(&engine->pods[search->judged.items[i]]) ||
			engine->pods[search->judged.items[i]].status == STINT_POD_PENDING)
			return false;
	}
	for (size_t i = 0; i + 1 < search->groups.count; i++) {
		const struct group *group = &engine->groups[search->groups.items[i]];
		bool any = false;
		for (uint32_t p = 0; p < group->pods_count && !any; p++)
			any = engine_pod_robbed(&engine->pods[group->pods[p]]);
		moved += any;
	}
	return moved <= engine->policy.consolidation_max_victims;
}

const struct hunt_rules engine_consolidation_rules = {
	.action = STINT_ACTION_CONSOLIDATION,
	.moves_only = true,
	.takes_part = takes_part,
	.queue_may = queue_may,
	.pod_may = pod_may,
	.may_start = may_start,
	.may_fall = may_fall,
	.stands = stands,
};
