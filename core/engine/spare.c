/*
 * spare: whether a pod may use a node that a reservation or a hold names: only what will not be missed when the reservation starts.
 *
 * A device is one of two things at that time. Whole: nobody will be on it; those are counted, and the reservation needs so many. Shared: somebody
 * on it stays or declared no end; it is no whole device to anybody, and what counts on it is memory: what stays, and what
 * shares of reservations are to get there. So a share that goes beside what stays takes no whole device from a gang that waits for whole ones.
 *
 * Promises: what is allowed leaves each reservation that stands its place on that node, at its time.
 * Costs: a node that no reservation names O(1), another O(its pods + devices + what is reserved), for each reservation of it.
 */
#include "backfill.h"

/* ---- amounts ----------------------------------------------------------------------------------------------------------------------- */

void engine_need_add(struct need *sum, const struct shape *shape, int32_t gpus, int sign)
{
	sum->cpu_milli = plus(sum->cpu_milli, sign * shape->cpu_milli);
	sum->memory_bytes = plus(sum->memory_bytes, sign * shape->memory_bytes);
	sum->pods += sign;
	sum->gpus += sign * gpus;
}

struct need engine_need_of(const struct stint_engine *engine, const struct pod *pod)
{
	const struct shape *shape = &engine->shapes[pod->shape];
	const bool whole = shape->gpu == STINT_GPU_WHOLE;
	struct need need = {0};
	engine_need_add(&need, shape, whole ? (int32_t)shape->devices : __builtin_popcountll(pod->reserved), 1);
	return need;
}

bool engine_need_fits(const struct need *left, const struct shape *shape, int32_t gpus)
{
	return (!shape->cpu_milli || left->cpu_milli >= shape->cpu_milli) &&
		(!shape->memory_bytes || left->memory_bytes >= shape->memory_bytes) && left->pods >= 1 && (!gpus || left->gpus >= gpus);
}

/* ---- the node at that time ----------------------------------------------------------------------------------------------------------- */

struct outlook {
	struct need left;
	uint64_t freed; /* slots in use that are whole again by then; they count in left.gpus */
	int64_t taken_mib[STINT_MAX_DEVICES]; /* of each slot: by what stays, and by shares of reservations */
};

/* Devices of the pod that no slot of the node stands for. */
static int32_t unseen_of(const struct pod *pod, const struct shape *shape, unsigned slots)
{
	if (!pod->devices)
		return (int32_t)shape->devices;
	return slots < 64 ? __builtin_popcountll(pod->devices >> slots) : 0;
}

/* If only what has declared its time leaves. */
static void look_ahead(const struct stint_engine *engine, uint32_t node, int64_t at_ms, struct outlook *out)
{
	const struct books *books = &engine->books[node];
	int64_t gone_mib[STINT_MAX_DEVICES] = {0};
	out->freed = 0;
	out->left = (struct need){
		.cpu_milli = books->cpu_idle + books->cpu_leaving,
		.memory_bytes = books->memory_idle + books->memory_leaving,
		.pods = books->pods_idle + books->pods_leaving,
		.gpus = books->gpus_idle + books->gpus_leaving,
	};
	for (uint32_t at = engine->nodes[node].first_pod; at != STINT_NO_HANDLE; at = engine->pods[at].node_next) {
		const struct pod *pod = &engine->pods[at];
		const struct shape *shape = &engine->shapes[pod->shape];
		if (engine_end_of(engine, pod, engine->backfill.now_ms) > at_ms)
			continue;
		engine_need_add(&out->left, shape, unseen_of(pod, shape, books->devices_count), 1);
		for (unsigned slot = 0; slot < books->devices_count; slot++)
			gone_mib[slot] += bit(pod->devices, slot) ? pod->device_mib : 0;
	}
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		out->taken_mib[slot] = device->present - device->leaving - gone_mib[slot] + device->reserved;
		if (gone_mib[slot] && out->taken_mib[slot] == 0) {
			out->freed |= UINT64_C(1) << slot;
			out->left.gpus++;
		}
	}
}

static const struct need *need_on(const struct reservation *reservation, uint32_t node)
{
	for (size_t i = 0; i < reservation->count; i++) {
		if (reservation->places[i].node == node)
			return &reservation->places[i].need;
	}
	return NULL;
}

static void set_apart(struct outlook *outlook, const struct reservation *reservation, uint32_t node, const struct need *need)
{
	outlook->left.cpu_milli = plus(outlook->left.cpu_milli, -need->cpu_milli);
	outlook->left.memory_bytes = plus(outlook->left.memory_bytes, -need->memory_bytes);
	outlook->left.pods -= need->pods;
	outlook->left.gpus -= need->gpus;
	for (size_t i = 0; i < reservation->shares_count; i++) {
		const struct promised_share *share = &reservation->shares[i];
		if (share->node != node || share->slot >= STINT_MAX_DEVICES)
			continue;
		outlook->taken_mib[share->slot] += share->mib;
		/* Who is there now ends at the very time, but the plan did not need that: to the plan the device is a shared one. */
		if (bit(outlook->freed, share->slot)) {
			outlook->freed &= ~(UINT64_C(1) << share->slot);
			outlook->left.gpus--;
		}
	}
}

/* ---- the test --------------------------------------------------------------------------------------------------------------------------- */

/* What the newcomer takes of the node's devices: those that it has alone or opens, and so much of each of those in use. */
struct newcomer {
	uint32_t group, node;
	const struct shape *shape;
	int32_t whole;
	uint64_t beside; /* slots in use */
	int64_t mib;
};

static struct newcomer newcomer_of(struct stint_engine *engine, uint32_t group, const struct shape *shape, uint32_t node)
{
	const struct books *books = &engine->books[node];
	struct newcomer newcomer = {.group = group, .node = node, .shape = shape};
	struct device_choice choice;
	if (shape->gpu == STINT_GPU_NONE)
		return newcomer;
	newcomer.whole = (int32_t)shape->devices;
	if (shape->gpu == STINT_GPU_WHOLE || !engine_devices_choose(engine, shape, node, true, false, &choice))
		return newcomer;
	newcomer.mib = engine_share_mib(engine, shape, node);
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		const bool opened_before = books->reserved && engine->nodes[node].reserved_mib[slot] > 0;
		if (bit(choice.devices, slot) && device->present + device->reserved != 0) {
			newcomer.beside |= UINT64_C(1) << slot;
			newcomer.whole--;
		}
		newcomer.whole -= bit(choice.reserved, slot) && opened_before;
	}
	return newcomer;
}

/* Both in the same place at some time? `start` of the newcomer; a time that is not declared never ends. */
static bool overlap(int64_t start_ms, int64_t time_ms, const struct reservation *reservation)
{
	const bool gone_before = time_ms > 0 && start_ms + time_ms <= reservation->at_ms;
	const bool comes_after = reservation->time_ms > 0 && reservation->at_ms + reservation->time_ms <= start_ms;
	return !gone_before && !comes_after;
}

static bool spared_by(const struct stint_engine *engine, const struct reservation *reservation, const struct newcomer *newcomer)
{
	const uint32_t group = newcomer->group, node = newcomer->node;
	if (!reservation->standing || reservation->group == group || !need_on(reservation, node) ||
		!overlap(engine->backfill.start_ms, engine->groups[group].time_ms, reservation))
		return true;
	struct outlook outlook;
	look_ahead(engine, node, reservation->at_ms, &outlook);
	for (size_t i = 0; i < engine->backfill.count; i++) {
		const struct reservation *other = &engine->backfill.items[i];
		const struct need *need = other->standing && other->group != group ? need_on(other, node) : NULL;
		if (need && other->at_ms <= reservation->at_ms && overlap(reservation->at_ms, 0, other))
			set_apart(&outlook, other, node, need);
	}
	int32_t whole = newcomer->whole;
	for (unsigned slot = 0; slot < engine->books[node].devices_count; slot++) {
		if (!bit(newcomer->beside, slot))
			continue;
		if (bit(outlook.freed, slot))
			whole++;
		else if (outlook.taken_mib[slot] + newcomer->mib > engine->books[node].device_mib)
			return false;
	}
	return engine_need_fits(&outlook.left, newcomer->shape, whole);
}

bool engine_backfill_allows(struct stint_engine *engine, uint32_t group, const struct shape *shape, uint32_t node, uint32_t *blocker)
{
	const struct backfill *backfill = &engine->backfill;
	if (!engine->nodes[node].promised)
		return true;
	if (!engine_holds_allow(engine, group, shape, node, blocker))
		return false;
	if (!backfill->on || !backfill->count)
		return true;
	const struct newcomer newcomer = newcomer_of(engine, group, shape, node);
	for (size_t i = 0; i < backfill->count; i++) {
		if (spared_by(engine, &backfill->items[i], &newcomer))
			continue;
		*blocker = backfill->items[i].group;
		return false;
	}
	return true;
}
