/*
 * leftover: what all open nodes together have left of plain amounts. A place that moves alone can make is never larger than that, for a
 * move takes elsewhere what it leaves behind; more comes only from those who lose their place. So a hunt whose candidates may all do no
 * more than move ends here, before anybody falls.
 *
 * Promises: never says that it is not enough where some set of victims makes room.
 * Costs: O(nodes * devices) in a state that has changed, O(1) after that.
 */
#include "hunt.h"

/* A node that is overcommitted has nothing left, not less: what leaves it may still take as much elsewhere. */
static double positive(int64_t idle, int64_t leaving)
{
	const int64_t free = plus(idle, leaving);
	return free > 0 ? (double)free : 0;
}

/* Pieces of devices count, since moves can join them. */
static void add_devices(const struct stint_engine *engine, uint32_t handle, struct leftover *sum)
{
	const struct books *books = &engine->books[handle];
	const double whole = positive(books->gpus_idle, books->gpus_leaving);
	double parts = 0;
	if (!books->devices_count)
		return;
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		const bool all_leaving = device->present == device->leaving && device->reserved == 0;
		if (!all_leaving)
			parts += positive(books->device_mib - device->present - device->reserved, device->leaving);
		if (books->reserved && engine->nodes[handle].reserved_mib[slot] > 0)
			parts += positive(books->device_mib, -engine->nodes[handle].reserved_mib[slot]);
	}
	sum->gpus += whole + parts / books->device_mib;
	sum->mib += whole * books->device_mib + parts;
}

const struct leftover *engine_leftover(struct stint_engine *engine)
{
	struct search *search = engine->search;
	if (search->free_epoch == engine->search_epoch)
		return &search->free;
	search->free = (struct leftover){0};
	for (uint32_t i = 0; i < engine->nodes_count; i++) {
		const struct books *books = &engine->books[i];
		if (!books->open)
			continue;
		add_devices(engine, i, &search->free);
		search->free.cpu_milli += positive(books->cpu_idle, books->cpu_leaving);
		search->free.memory_bytes += positive(books->memory_idle, books->memory_leaving);
		search->free.pods += positive(books->pods_idle, books->pods_leaving);
	}
	search->free_epoch = engine->search_epoch;
	return &search->free;
}

void engine_leftover_ask(const struct shape *shape, struct leftover *sum)
{
	/* Hundredths are rounded, memory is not: a share may be up to one of them smaller. */
	const int32_t percent = shape->gpu == STINT_GPU_FRACTION ? shape->percent - 1 : shape->percent;
	if (shape->gpu != STINT_GPU_NONE)
		sum->gpus += (double)percent * shape->devices / 100;
	sum->mib += (double)shape->asked_mib;
	sum->cpu_milli += (double)shape->cpu_milli;
	sum->memory_bytes += (double)shape->memory_bytes;
	sum->pods++;
}

void engine_leftover_lose(const struct stint_engine *engine, const struct pod *pod, struct leftover *sum)
{
	const struct shape *shape = &engine->shapes[pod->shape];
	const struct books *books = &engine->books[pod->node];
	if (!books->open)
		return;
	if (shape->gpu != STINT_GPU_NONE) {
		const double mib = (double)pod->device_mib * shape->devices;
		sum->gpus += mib / books->device_mib;
		sum->mib += mib;
	}
	sum->cpu_milli += (double)shape->cpu_milli;
	sum->memory_bytes += (double)shape->memory_bytes;
	sum->pods++;
}

bool engine_leftover_suffices(const struct leftover *free, const struct leftover *lost, const struct leftover *asked)
{
	return asked->gpus <= free->gpus + lost->gpus + 1e-6 && asked->mib <= free->mib + lost->mib &&
		asked->cpu_milli <= free->cpu_milli + lost->cpu_milli && asked->memory_bytes <= free->memory_bytes + lost->memory_bytes &&
		asked->pods <= free->pods + lost->pods;
}

/* Of one resource: what the shapes of the hunt ask for, and whether open nodes have it left. */
static bool has_extended(const struct stint_engine *engine, const struct hunt *hunt, uint32_t resource)
{
	double asked = 0, free = 0;
	for (uint32_t i = 0; i < hunt->shapes_count; i++) {
		const struct room *room = &engine->search->rooms[i];
		const struct shape *shape = &engine->shapes[room->shape];
		for (uint32_t k = 0; k < shape->extended_count; k++)
			asked += shape->extended[k].resource == resource ? (double)room->needed * (double)shape->extended[k].amount : 0;
	}
	for (uint32_t node = 0; node < engine->nodes_count && free < asked; node++) {
		const struct extended *book = engine_extended(engine, node, resource);
		free += engine->books[node].open ? positive(book->idle, book->leaving) : 0;
	}
	return free >= asked;
}

bool engine_leftover_has_extended(const struct stint_engine *engine, const struct hunt *hunt)
{
	for (uint32_t i = 0; i < hunt->shapes_count; i++) {
		const struct shape *shape = &engine->shapes[engine->search->rooms[i].shape];
		for (uint32_t k = 0; k < shape->extended_count; k++) {
			if (shape->extended[k].resource != STINT_NO_HANDLE && !has_extended(engine, hunt, shape->extended[k].resource))
				return false;
		}
	}
	return true;
}
