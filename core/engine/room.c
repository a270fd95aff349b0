/*
 * room: could the evictions so far be enough? For each shape of a hunt's chunk, how many pods of it all nodes together could take, from the
 * books alone. Kept while evictions are added, one node at a time, so that a hunt that cannot succeed judges nothing.
 *
 * Promises: never says no where the chunk would fit. Conditions between pods (ports, affinity, topology) are left to the judgement.
 * Costs: O(nodes) to start, O(1) for a node that changed, O(devices) for shares.
 */
#include "hunt.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t times(int64_t has, int64_t asked)
{
	return has <= 0 ? 0 : (uint64_t)(has / asked);
}

/* Shares that the devices of the node have room for. */
static uint64_t shares(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	const struct books *books = &engine->books[handle];
	const struct node *node = &engine->nodes[handle];
	const int64_t mib = engine_share_mib(engine, shape, handle);
	if (mib <= 0)
		return UINT32_MAX;
	const int64_t whole = (int64_t)books->gpus_idle + books->gpus_leaving;
	uint64_t sum = whole > 0 ? (uint64_t)whole * times(books->device_mib, mib) : 0;
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		const bool all_leaving = device->present == device->leaving && device->reserved == 0;
		if (!all_leaving)
			sum += times(books->device_mib - device->present + device->leaving - device->reserved, mib);
		if (books->reserved && node->reserved_mib[slot] > 0)
			sum += times(books->device_mib - node->reserved_mib[slot], mib);
	}
	return sum;
}

static bool is_in(const struct stint_engine *engine, const struct room *room, uint32_t node)
{
	return room->pool == STINT_NO_HANDLE || engine->nodes[node].pool == room->pool;
}

static uint32_t copies(const struct stint_engine *engine, const struct room *room, uint32_t handle)
{
	const struct shape *shape = &engine->shapes[room->shape];
	const struct books *books = &engine->books[handle];
	if (!is_in(engine, room, handle) || !shape->ranking.width || shape->ranking.fixed[handle] != STINT_CAUSE_COUNT)
		return 0;
	uint64_t count = least(room->needed, times((int64_t)books->pods_idle + books->pods_leaving, 1));
	if (shape->cpu_milli)
		count = least(count, times(plus(books->cpu_idle, books->cpu_leaving), shape->cpu_milli));
	if (shape->memory_bytes)
		count = least(count, times(plus(books->memory_idle, books->memory_leaving), shape->memory_bytes));
	if (shape->gpu == STINT_GPU_WHOLE)
		count = least(count, times((int64_t)books->gpus_idle + books->gpus_leaving, shape->devices));
	else if (shape->gpu != STINT_GPU_NONE && count)
		count = least(count, shares(engine, shape, handle) / shape->devices);
	for (uint32_t i = 0; i < shape->extended_count && count; i++) {
		const struct shape_extended *asked = &shape->extended[i];
		if (asked->resource == STINT_NO_HANDLE)
			return 0;
		const struct extended *book = engine_extended(engine, handle, asked->resource);
		if (asked->amount)
			count = least(count, times(plus(book->idle, book->leaving), asked->amount));
	}
	return (uint32_t)count;
}

static struct room *room_of(struct search *search, struct hunt *hunt, uint32_t shape)
{
	for (uint32_t i = 0; i < hunt->shapes_count; i++) {
		if (search->rooms[i].shape == shape)
			return &search->rooms[i];
	}
	if (hunt->shapes_count == ROOM_SHAPES)
		return NULL;
	struct room *room = &search->rooms[hunt->shapes_count++];
	room->shape = shape;
	room->pool = hunt->pool;
	room->needed = room->total = 0;
	return room;
}

/* Nothing could ever make room, whoever fell. */
static bool is_hopeless(const struct stint_engine *engine, const struct room *room)
{
	const struct shape *shape = &engine->shapes[room->shape];
	uint64_t most = 0;
	for (uint32_t node = 0; node < engine->nodes_count && most < room->needed; node++) {
		if (is_in(engine, room, node) && shape->ranking.width && shape->ranking.fixed[node] == STINT_CAUSE_COUNT)
			most += engine_copies_when_empty(engine, shape, node);
	}
	return most < room->needed;
}

bool engine_room_start(struct stint_engine *engine, struct hunt *hunt)
{
	struct search *search = engine->search;
	hunt->shapes_count = 0;
	engine->chunk.count = 0;
	search->asked = (struct leftover){0};
	engine_group_chunk(engine, hunt->group, true, &engine->chunk);
	for (size_t i = 0; i < engine->chunk.count; i++) {
		const uint32_t shape = engine->pods[engine->chunk.items[i]].shape;
		struct room *room = room_of(search, hunt, shape);
		engine_leftover_ask(&engine->shapes[shape], &search->asked);
		if (room)
			room->needed++;
	}
	for (uint32_t i = 0; i < hunt->shapes_count; i++) {
		struct room *room = &search->rooms[i];
		engine_ranking_best(engine, room->shape); /* brings what nodes' specifications say up to date */
		if (is_hopeless(engine, room))
			return false;
		stint_grow(&room->copies, &room->capacity, engine->nodes_count, sizeof *room->copies);
		for (uint32_t node = 0; node < engine->nodes_count; node++) {
			room->copies[node] = copies(engine, room, node);
			room->total += room->copies[node];
		}
	}
	return true;
}

void engine_room_changed(struct stint_engine *engine, const struct hunt *hunt, uint32_t node)
{
	for (uint32_t i = 0; i < hunt->shapes_count; i++) {
		struct room *room = &engine->search->rooms[i];
		const uint32_t now = copies(engine, room, node);
		room->total += (uint64_t)now - room->copies[node];
		room->copies[node] = now;
	}
}

bool engine_room_enough(const struct stint_engine *engine, const struct hunt *hunt)
{
	for (uint32_t i = 0; i < hunt->shapes_count; i++) {
		if (engine->search->rooms[i].total < engine->search->rooms[i].needed)
			return false;
	}
	return true;
}
