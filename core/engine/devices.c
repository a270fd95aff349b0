/*
 * devices: who uses which device slot of a node, and which slots a pod is given (kai-engine 7.1 to 7.3, 5.3).
 *
 * Every slot has a book in MiB. A pod that has a device alone takes all of its memory, so whole and shared use are one arithmetic. A pod
 * whose slots nobody knows counts as so many devices in use, whichever they are. A share reserved on a device that would have to be
 * opened stands in node.reserved_mib until the cycle ends: it holds room, not a slot.
 *
 * Promises: a choice never takes a device above its memory, and is the same whatever happened before: equal devices go by slot.
 * Costs: O(devices of the node) for shares, O(1) for whole devices but for naming the slots.
 */
#include "state.h"

/* A pod that was placed by somebody else may ask for anything; beyond this it makes no difference. */
enum { MOST_DEVICE_MIB = 1 << 24, MOST_PERCENT = UINT16_MAX };

int32_t engine_share_mib(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	const int32_t all = engine->books[node].device_mib;
	switch (shape->gpu) {
	case STINT_GPU_NONE: return 0;
	case STINT_GPU_WHOLE: return all;
	case STINT_GPU_FRACTION: return (int32_t)(shape->portion * all);
	case STINT_GPU_MEMORY: break;
	}
	return shape->memory_mib < MOST_DEVICE_MIB ? (int32_t)shape->memory_mib : MOST_DEVICE_MIB;
}

uint16_t engine_share_percent(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	if (shape->gpu != STINT_GPU_MEMORY)
		return (uint16_t)shape->percent;
	const int64_t all = engine->books[node].device_mib;
	const int64_t percent = (100 * (int64_t)engine_share_mib(engine, shape, node) + all - 1) / all;
	return (uint16_t)(percent < MOST_PERCENT ? percent : MOST_PERCENT);
}

static bool is_idle(const struct device *device)
{
	return device->present == 0;
}

static bool is_leaving(const struct device *device)
{
	return device->present > 0 && device->leaving == device->present && device->reserved == 0;
}

static void account_slot(struct books *books, unsigned slot, const struct pod *pod, bool whole, int sign)
{
	struct device *device = &books->devices[slot];
	const int64_t mib = sign * (int64_t)pod->device_mib;
	books->gpus_idle -= is_idle(device);
	books->gpus_leaving -= is_leaving(device);
	if (pod->status == STINT_POD_RESERVED) {
		device->reserved += mib;
	} else {
		device->present += mib;
		if (pod->status == STINT_POD_RELEASING)
			device->leaving += mib;
		device->pods += (uint32_t)sign;
		device->whole += (uint32_t)(whole ? sign : 0);
	}
	books->gpus_idle += is_idle(device);
	books->gpus_leaving += is_leaving(device);
}

static void account_unopened(struct stint_engine *engine, uint32_t handle, const struct pod *pod, int sign)
{
	struct node *node = &engine->nodes[handle];
	struct books *books = &engine->books[handle];
	bool any = false;
	for (unsigned entry = 0; entry < books->devices_count; entry++) {
		if (bit(pod->reserved, entry)) {
			books->gpus_leaving += node->reserved_mib[entry] > 0;
			node->reserved_mib[entry] += sign * (int64_t)pod->device_mib;
			books->gpus_leaving -= node->reserved_mib[entry] > 0;
		}
		any = any || node->reserved_mib[entry] > 0;
	}
	books->reserved = any;
}

void engine_devices_account(struct stint_engine *engine, uint32_t handle, const struct pod *pod, const struct shape *shape, int sign)
{
	struct node *node = &engine->nodes[handle];
	struct books *books = &engine->books[handle];
	const bool whole = shape->gpu == STINT_GPU_WHOLE;
	const int32_t count = sign * (int32_t)shape->devices;
	if (pod->status == STINT_POD_RESERVED && whole) {
		node->reserved_whole += count;
		books->gpus_leaving -= count;
		return;
	}
	if (pod->reserved)
		account_unopened(engine, handle, pod, sign);
	/* Slots that the node does not have, any more or yet, are devices in use all the same. */
	const uint64_t beyond = books->devices_count < 64 ? pod->devices >> books->devices_count : 0;
	const int32_t unseen = pod->devices ? sign * __builtin_popcountll(beyond) : count;
	if (unseen && pod->status != STINT_POD_RESERVED) {
		node->unseen += unseen;
		books->gpus_idle -= unseen;
		if (pod->status == STINT_POD_RELEASING) {
			node->unseen_leaving += unseen;
			books->gpus_leaving += unseen;
		}
	}
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		if (bit(pod->devices, slot))
			account_slot(books, slot, pod, whole, sign);
	}
}

/* kai-engine 7.2: a device that is not in use, or from which all are leaving, is not shared but opened. */
static bool slot_fits(const struct books *books, const struct device *device, int64_t mib)
{
	return device->present + device->reserved != 0 && device->present != device->leaving - device->reserved &&
		books->device_mib - device->present + device->leaving - device->reserved >= mib;
}

static bool unopened_fits(const struct books *books, int64_t reserved_mib, int64_t mib)
{
	return reserved_mib > 0 && books->device_mib - reserved_mib >= mib;
}

int64_t engine_devices_room(const struct stint_engine *engine, uint32_t handle, int64_t mib)
{
	const struct books *books = &engine->books[handle];
	if (mib <= 0)
		return INT64_MAX;
	const int64_t untouched = (int64_t)books->gpus_idle + books->gpus_leaving;
	int64_t room = untouched > 0 ? untouched * (books->device_mib / mib) : 0;
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		if (slot_fits(books, device, mib))
			room += (books->device_mib - device->present + device->leaving - device->reserved) / mib;
		if (books->reserved && unopened_fits(books, engine->nodes[handle].reserved_mib[slot], mib))
			room += (books->device_mib - engine->nodes[handle].reserved_mib[slot]) / mib;
	}
	return room;
}

uint32_t engine_devices_fitting(const struct stint_engine *engine, uint32_t handle, int64_t mib)
{
	const struct books *books = &engine->books[handle];
	uint32_t count = 0;
	for (unsigned slot = 0; slot < books->devices_count; slot++)
		count += slot_fits(books, &books->devices[slot], mib);
	if (books->reserved) {
		for (unsigned entry = 0; entry < books->devices_count; entry++)
			count += unopened_fits(books, engine->nodes[handle].reserved_mib[entry], mib);
	}
	return count;
}

/* The lowest idle slots. Pods on unknown slots make fewer of them usable, never none of those that the books call idle. */
static uint64_t open_slots(const struct books *books, uint32_t count)
{
	uint64_t slots = 0;
	for (unsigned slot = 0; slot < books->devices_count && count; slot++) {
		if (is_idle(&books->devices[slot])) {
			slots |= UINT64_C(1) << slot;
			count--;
		}
	}
	return slots;
}

static uint64_t open_reservations(struct node *node, const struct books *books, uint64_t taken, uint32_t count)
{
	if (!node->reserved_mib && count)
		node->reserved_mib = stint_alloc(books->devices_count * sizeof *node->reserved_mib);
	uint64_t entries = 0;
	for (unsigned entry = 0; entry < books->devices_count && count; entry++) {
		if (node->reserved_mib[entry] == 0 && !bit(taken, entry)) {
			entries |= UINT64_C(1) << entry;
			count--;
		}
	}
	return entries;
}

/* A device in use that has the share left. rank: how much the placement wants it. */
struct candidate {
	bool found, unopened;
	unsigned index;
	int64_t rank;
};

/* With FRAGMENTATION the fullest among those that lose alike: a loss is below 2^24, used amounts below 2^31. */
static int64_t rank_of(const struct stint_engine *engine, uint32_t handle, int64_t used, int64_t leaving, int64_t mib)
{
	switch (engine_placement_on(engine, handle).gpu_devices) {
	case STINT_BINPACK: return used;
	case STINT_SPREAD: return -used;
	case STINT_UNORDERED: return 0;
	case STINT_FRAGMENTATION: break;
	}
	const int64_t left = engine->books[handle].device_mib - used + leaving;
	return -engine_device_loss(engine, handle, left, mib) * (INT64_C(1) << 32) + used;
}

static void consider(struct candidate *best, bool unopened, unsigned index, int64_t rank)
{
	if (!best->found || rank > best->rank)
		*best = (struct candidate){true, unopened, index, rank};
}

static struct candidate best_in_use(const struct stint_engine *engine, uint32_t handle, int64_t mib, const struct device_choice *chosen)
{
	const struct books *books = &engine->books[handle];
	struct candidate best = {0};
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		if (!bit(chosen->devices, slot) && slot_fits(books, device, mib))
			consider(&best, false, slot, rank_of(engine, handle, device->present + device->reserved, device->leaving, mib));
	}
	for (unsigned entry = 0; books->reserved && entry < books->devices_count; entry++) {
		const int64_t reserved = engine->nodes[handle].reserved_mib[entry];
		if (!bit(chosen->reserved, entry) && unopened_fits(books, reserved, mib))
			consider(&best, true, entry, rank_of(engine, handle, reserved, 0, mib));
	}
	return best;
}

/* Rather a device that nobody uses than the best of those in use? */
static bool opens_first(const struct stint_engine *engine, uint32_t handle, int64_t mib, const struct candidate *best)
{
	const enum stint_placement placement = engine_placement_on(engine, handle).gpu_devices;
	return placement == STINT_SPREAD || (placement == STINT_FRAGMENTATION && rank_of(engine, handle, 0, 0, mib) > best->rank);
}

static bool choose_shares(struct stint_engine *engine, const struct shape *shape, uint32_t handle, bool now, struct device_choice *out)
{
	const struct books *books = &engine->books[handle];
	const int64_t mib = engine_share_mib(engine, shape, handle);
	const int32_t idle = books->gpus_idle > 0 ? books->gpus_idle : 0;
	int32_t whole_left = books->gpus_idle + books->gpus_leaving;
	uint32_t opened = 0;
	*out = (struct device_choice){.now = now};
	for (uint32_t i = 0; i < shape->devices; i++) {
		const struct candidate best = best_in_use(engine, handle, mib, out);
		const bool open = whole_left > 0 && (!best.found || opens_first(engine, handle, mib, &best));
		if (open) {
			whole_left--;
			opened++;
			continue;
		}
		if (!best.found)
			return false;
		if (best.unopened) {
			out->reserved |= UINT64_C(1) << best.index;
			out->now = false;
			continue;
		}
		const struct device *device = &books->devices[best.index];
		out->devices |= UINT64_C(1) << best.index;
		if (device->present == 0 || books->device_mib - device->present < mib)
			out->now = false;
	}
	if ((int32_t)opened > idle)
		out->now = false;
	if (out->now)
		out->devices |= open_slots(books, opened);
	else
		out->reserved |= open_reservations(&engine->nodes[handle], books, out->reserved, opened);
	return true;
}

/* Which devices a pod of this shape gets on a node where it fits. False: fewer than it needs. */
bool engine_devices_choose(
	struct stint_engine *engine, const struct shape *shape, uint32_t node, bool idle_fits, bool reserve_only, struct device_choice *out)
{
	const bool now = idle_fits && !reserve_only;
	if (shape->gpu == STINT_GPU_FRACTION || shape->gpu == STINT_GPU_MEMORY)
		return choose_shares(engine, shape, node, now, out);
	*out = (struct device_choice){.now = now};
	if (shape->gpu == STINT_GPU_WHOLE && now)
		out->devices = open_slots(&engine->books[node], shape->devices);
	return true;
}
