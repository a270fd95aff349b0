/*
 * Everything of an engine that a search which is taken back must leave as it was, as one number.
 *
 * What may differ, and why:
 *     engine.wake_ms                          a search that met a minimum runtime notes when that ends, however the search ends
 *     the change log, node.changed, rankings  they tell what is to be looked at again, not what it is
 *     the order of a group's pods, hints of   both are put right when they are used next
 *       where the first waiting one stands
 *     engine.room_epoch                       what failed for want of room is tried once more than it need be, never once less
 *     engine.stirred                          the books did change and were put back; a cycle sets it anew at its end
 *     marks of the search, of its chunk and   nobody reads those of a former one
 *       of its turns in groups and queues
 *     slots of shades and of choices          they name what is gone; new ones get other numbers
 */
#ifndef STINT_TEST_TRACE_H
#define STINT_TEST_TRACE_H

#include "core/engine/hunt.h"

static uint64_t trace_mix(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	return hash;
}

static uint64_t trace_node(const struct stint_engine *engine, uint32_t handle, uint64_t hash)
{
	const struct books *books = &engine->books[handle];
	const struct node *node = &engine->nodes[handle];
	const int64_t numbers[] = {books->cpu_idle, books->cpu_leaving, books->memory_idle, books->memory_leaving, books->pods_idle,
		books->pods_leaving, books->gpus_idle, books->gpus_leaving, books->reserved, node->unseen, node->unseen_leaving,
		node->reserved_whole, node->promised, node->legacy_mig};
	hash = trace_mix(hash, numbers, sizeof numbers);
	for (unsigned slot = 0; slot < books->devices_count; slot++) {
		const struct device *device = &books->devices[slot];
		const int64_t use[] = {device->present, device->leaving, device->reserved, device->pods, device->whole,
			node->reserved_mib ? node->reserved_mib[slot] : 0};
		hash = trace_mix(hash, use, sizeof use);
	}
	for (uint32_t i = 0; i < engine->extended_names_count; i++)
		hash = trace_mix(hash, engine_extended(engine, handle, i), sizeof(struct extended));
	return hash;
}

static uint64_t trace_queue(const struct queue *queue, uint64_t hash)
{
	const int64_t numbers[] = {queue->pending_mib, (int64_t)queue->epoch, queue->waiting, (int64_t)queue->line.count,
		(int64_t)queue->line.sorted, queue->verdict_due};
	hash = trace_mix(trace_mix(hash, &queue->allocated, sizeof queue->allocated), &queue->pending, sizeof queue->pending);
	hash = trace_mix(trace_mix(hash, &queue->allocated_fixed, sizeof queue->allocated_fixed), numbers, sizeof numbers);
	return trace_mix(hash, queue->line.items, queue->line.count * sizeof *queue->line.items);
}

static uint64_t trace_gang(const struct gang *gang, uint64_t hash)
{
	for (uint32_t i = 0; i < gang->count; i++) {
		const struct part *part = &gang->parts[i];
		const uint32_t numbers[] = {
			part->state, part->met, part->ready, part->held, part->pending, part->active, part->reserved, part->leaving};
		hash = trace_mix(hash, numbers, sizeof numbers);
	}
	const uint32_t numbers[] = {gang->below, gang->above, gang->least_pods};
	hash = trace_mix(hash, numbers, sizeof numbers);
	return gang->domain ? trace_mix(hash, gang->domain, strlen(gang->domain)) : hash;
}

/* What it has, why it waits, and when it is tried again. */
static uint64_t trace_group(const struct group *group, uint64_t hash)
{
	const uint32_t counts[] = {group->pending, group->gated, group->active, group->reserved, group->leaving, group->astray,
		group->involved, group->spared, group->judged, group->listed, group->waits, group->elastic, group->stamp, group->suspect};
	const int64_t times[] = {group->started_ms, group->last_evicted_ms, group->stale_since_ms, (int64_t)group->served};
	const uint64_t memo[] = {group->memo.kind, group->memo.no_node, group->memo.hopes, group->memo.handle, group->memo.epoch};
	hash = trace_mix(trace_mix(hash, counts, sizeof counts), times, sizeof times);
	hash = trace_mix(trace_mix(hash, memo, sizeof memo), group->searched, sizeof group->searched);
	hash = trace_mix(hash, &group->allocated, sizeof group->allocated);
	if (group->record)
		hash = trace_mix(hash, group->record, sizeof *group->record);
	if (group->loss)
		hash = trace_mix(hash, group->loss, sizeof *group->loss);
	return group->gang ? trace_gang(group->gang, hash) : hash;
}

static uint64_t trace_promises(const struct stint_engine *engine, uint64_t hash)
{
	for (size_t i = 0; i < engine->holds.count; i++) {
		const struct hold *hold = &engine->holds.items[i];
		const int64_t numbers[] = {hold->group, hold->node, hold->pod, hold->hash, hold->until_ms};
		hash = trace_mix(trace_mix(hash, numbers, sizeof numbers), &hold->need, sizeof hold->need);
	}
	for (size_t i = 0; i < engine->backfill.count; i++) {
		const struct reservation *reservation = &engine->backfill.items[i];
		const int64_t numbers[] = {reservation->group, reservation->standing, reservation->at_ms, reservation->time_ms,
			(int64_t)reservation->seen, (int64_t)reservation->count};
		hash = trace_mix(hash, numbers, sizeof numbers);
		for (size_t p = 0; p < reservation->count; p++) {
			hash = trace_mix(hash, &reservation->places[p].node, sizeof reservation->places[p].node);
			hash = trace_mix(hash, &reservation->places[p].need, sizeof reservation->places[p].need);
		}
	}
	return hash;
}

static uint64_t trace_of(const struct stint_engine *engine)
{
	const struct backfill *backfill = &engine->backfill;
	const uint64_t counts[] = {engine->holds.count, engine->holds.takings_count, backfill->count, backfill->standing, backfill->on,
		(uint64_t)backfill->now_ms, (uint64_t)backfill->start_ms, engine->plan.count, engine->reserved.count,
		engine->decisions_count, engine->judged.count, engine->suspects.count, engine->search_epoch, engine->enlisted,
		engine->cycles, engine->aside, engine->quiet, engine->terms_stirred, engine->terms_moved, engine->nodes_live,
		engine->shapes_live, engine->pools.hunter, engine->pools.only};
	uint64_t hash = trace_mix(UINT64_C(14695981039346656037), counts, sizeof counts);
	for (uint32_t i = 0; i < engine->nodes_count; i++)
		hash = trace_node(engine, i, hash);
	for (uint32_t i = 0; i < engine->queues_count; i++)
		hash = trace_queue(&engine->queues[i], hash);
	for (uint32_t i = 0; i < engine->groups_count; i++)
		hash = trace_group(&engine->groups[i], hash);
	for (uint32_t i = 0; i < engine->pods_count; i++) {
		const struct pod *pod = &engine->pods[i];
		const uint64_t seat[] = {pod->status, pod->evicted, pod->before, pod->planned, pod->node, pod->devices, pod->reserved,
			pod->shade != STINT_NO_HANDLE};
		if (pod->object && !pod->is_shade)
			hash = trace_mix(hash, seat, sizeof seat);
	}
	return trace_promises(engine, hash);
}

#endif
