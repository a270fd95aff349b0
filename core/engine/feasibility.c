/*
 * feasibility: may a pod of this shape run on that node (kai-engine 5.1, 6.2)?
 *
 * Two halves. What the node's specification says is fixed until that changes and is remembered per shape and node (ranking.c). What the
 * node has left changes with every placement and is looked up in one cache line.
 * A deviation from KAI that can be seen: a resource that a pod does not ask for is never compared, so an overcommitted node still takes
 * pods that leave the overcommitted resource alone.
 * Costs: fixed: the number of labels, terms and taints; fit: O(1), O(devices) for shares, O(pods of the node) with host ports.
 */
#include "state.h"

static bool is_shared(const struct shape *shape)
{
	return shape->gpu == STINT_GPU_FRACTION || shape->gpu == STINT_GPU_MEMORY;
}

enum stint_cause engine_matching_cause(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	const struct stint_node *object = engine->nodes[handle].object;
	const struct stint_pod_spec *spec = shape->spec;
	if (spec->gpu.problem || shape->problem)
		return STINT_CAUSE_REQUEST;
	if (shape->pools.count && !engine_pool_listed(&shape->pools, engine->nodes[handle].pool))
		return STINT_CAUSE_POOL;
	if (shape->selective && !stint_pod_spec_selects(spec, object))
		return STINT_CAUSE_SELECTOR;
	if (object->taints_count &&
		stint_untolerated_taint(object->taints, object->taints_count, spec->tolerations, spec->tolerations_count))
		return STINT_CAUSE_TAINT;
	switch (stint_reach_on(shape->reach, object, NULL, NULL)) {
	case STINT_REACH_AWAY: return STINT_CAUSE_VOLUME_AWAY;
	case STINT_REACH_NONE: return STINT_CAUSE_NO_VOLUME;
	case STINT_REACH_FINE: break;
	}
	if (!engine_mig_suits(shape, &engine->nodes[handle]))
		return STINT_CAUSE_MIG;
	/* A multiple of the device's memory would pass KAI's test and then be put on one device: here it does not fit (kai-engine 7.1). */
	if (shape->gpu == STINT_GPU_MEMORY && (object->gpu_memory_mib <= 0 || shape->memory_mib > engine->books[handle].device_mib))
		return STINT_CAUSE_GPU_MEMORY;
	/* Its devices are handed out by claims: shares would use them behind the driver's back (kai-engine 7.6). */
	if (is_shared(shape) && engine->nodes[handle].devices && engine->nodes[handle].devices->gpus > 0)
		return STINT_CAUSE_GPU_SHARE;
	return STINT_CAUSE_COUNT;
}

enum stint_cause engine_fixed_cause(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	const struct stint_node *object = engine->nodes[handle].object;
	if (!object || object->ready != STINT_TRUE)
		return STINT_CAUSE_NOT_READY;
	if (object->unschedulable)
		return STINT_CAUSE_UNSCHEDULABLE;
	if (object->pressures)
		return STINT_CAUSE_PRESSURE;
	return engine_matching_cause(engine, shape, handle);
}

static bool ports_clash(const struct stint_pod_spec *a, const struct stint_pod_spec *b)
{
	for (uint32_t i = 0; i < a->host_ports_count; i++) {
		for (uint32_t j = 0; j < b->host_ports_count; j++) {
			const struct stint_host_port *p = &a->host_ports[i], *q = &b->host_ports[j];
			if (p->port != q->port)
				continue;
			const bool same_protocol = !p->protocol || !q->protocol || strcmp(p->protocol, q->protocol) == 0;
			const bool same_address = !p->ip || !q->ip || strcmp(p->ip, q->ip) == 0;
			if (same_protocol && same_address)
				return true;
		}
	}
	return false;
}

bool engine_ports_free(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	if (!shape->spec->host_ports_count)
		return true;
	for (uint32_t pod = engine->nodes[handle].first_pod; pod != STINT_NO_HANDLE; pod = engine->pods[pod].node_next) {
		if (ports_clash(shape->spec, engine->shapes[engine->pods[pod].shape].spec))
			return false;
	}
	return true;
}

static enum fit fit_of(int64_t asked, int64_t idle, int64_t leaving)
{
	return asked > idle + leaving ? FIT_NONE : asked > idle ? FIT_LATER : FIT_NOW;
}

static enum fit worse(enum fit a, enum fit b)
{
	return a < b ? a : b;
}

/* Whether a share of this shape would open at least one device, which takes a second pod slot for the device's holder. */
static bool would_open(const struct stint_engine *engine, const struct shape *shape, uint32_t handle, uint32_t fitting)
{
	const struct books *books = &engine->books[handle];
	const enum stint_placement placement = engine_placement_on(engine, handle).gpu_devices;
	if (placement == STINT_SPREAD || placement == STINT_FRAGMENTATION)
		return books->gpus_idle + books->gpus_leaving > 0;
	return fitting < shape->devices;
}

enum fit engine_fit(const struct stint_engine *engine, const struct shape *shape, uint32_t handle, uint32_t *fitting)
{
	const struct books *books = &engine->books[handle];
	*fitting = 0;
	enum fit fit = fit_of(1, books->pods_idle, books->pods_leaving);
	if (shape->cpu_milli)
		fit = worse(fit, fit_of(shape->cpu_milli, books->cpu_idle, books->cpu_leaving));
	if (shape->memory_bytes)
		fit = worse(fit, fit_of(shape->memory_bytes, books->memory_idle, books->memory_leaving));
	if (shape->gpu == STINT_GPU_WHOLE) {
		fit = worse(fit, fit_of(shape->devices, books->gpus_idle, books->gpus_leaving));
	} else if (shape->gpu != STINT_GPU_NONE && fit != FIT_NONE) {
		*fitting = engine_devices_fitting(engine, handle, engine_share_mib(engine, shape, handle));
		fit = worse(fit, fit_of(shape->devices, (int64_t)books->gpus_idle + *fitting, books->gpus_leaving));
		if (would_open(engine, shape, handle, *fitting) && books->pods_idle + books->pods_leaving < 2)
			return FIT_NONE;
	}
	for (uint32_t i = 0; i < shape->extended_count && fit != FIT_NONE; i++) {
		if (shape->extended[i].resource == STINT_NO_HANDLE)
			return FIT_NONE;
		const struct extended *book = engine_extended(engine, handle, shape->extended[i].resource);
		fit = worse(fit, fit_of(shape->extended[i].amount, book->idle, book->leaving));
	}
	if (shape->mig && engine->nodes[handle].legacy_mig)
		return FIT_NONE;
	if (fit != FIT_NONE && !engine_ports_free(engine, shape, handle))
		return FIT_NONE;
	if (fit != FIT_NONE && shape->claims_count)
		fit = worse(fit, engine_claims_fit(engine, shape, handle));
	if (fit != FIT_NONE && engine->nodes[handle].zones) {
		uint32_t span;
		fit = worse(fit, engine_zones_fit(engine, shape, handle, &span));
	}
	if (fit != FIT_NONE && shape->terms)
		fit = worse(fit, engine_affinity_fit(engine, shape, handle));
	return fit;
}

static int64_t fewer(int64_t room, int64_t asked, int64_t has)
{
	const int64_t copies = asked <= 0 ? room : has <= 0 ? 0 : has / asked;
	return copies < room ? copies : room;
}

int64_t engine_room_for(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	const struct books *books = &engine->books[handle];
	int64_t room = (int64_t)books->pods_idle + books->pods_leaving;
	room = fewer(room, shape->cpu_milli, plus(books->cpu_idle, books->cpu_leaving));
	room = fewer(room, shape->memory_bytes, plus(books->memory_idle, books->memory_leaving));
	if (shape->gpu == STINT_GPU_WHOLE)
		room = fewer(room, shape->devices, (int64_t)books->gpus_idle + books->gpus_leaving);
	else if (shape->gpu != STINT_GPU_NONE)
		room = fewer(room, shape->devices, engine_devices_room(engine, handle, engine_share_mib(engine, shape, handle)));
	for (uint32_t i = 0; i < shape->extended_count; i++) {
		if (shape->extended[i].resource == STINT_NO_HANDLE)
			return 0;
		const struct extended *book = engine_extended(engine, handle, shape->extended[i].resource);
		room = fewer(room, shape->extended[i].amount, plus(book->idle, book->leaving));
	}
	return room > 1 && shape->spec->host_ports_count ? 1 : room > 0 ? room : 0;
}
