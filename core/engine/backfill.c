/*
 * backfill: a start in the future for a large group that is blocked, and what may run beside it until then.
 *
 * Pods of groups with a declared wall time end at a time that is known. The first large group in order that finds no room (with CONSERVATIVE
 * every one of them, up to MOST_RESERVATIONS) gets a reservation: the earliest of these ends at which it could be placed, and the
 * nodes of that placement. Whoever comes later in the order may use those nodes only if it has gone by then, or if what it takes will
 * not be missed then (spare.c). So no gang starves, and nothing idles for it. What comes earlier in the order is not concerned.
 * Nothing happens here unless some running pod has declared its time: without one no start can be told.
 *
 * Promises: a reservation is a plan that was tried on the engine itself, at the books of that time; it is renewed when its group comes up
 * and one of its nodes has changed.
 * Costs: a reservation O(e log e + log e * (e + placement)) for e pods with known ends.
 */
#include "backfill.h"

enum { MOST_RESERVATIONS = 64 };

/* ---- ends ------------------------------------------------------------------------------------------------------------------------ */

int64_t engine_end_of(const struct stint_engine *engine, const struct pod *pod, int64_t now_ms)
{
	const bool runs = pod->status == STINT_POD_ASSUMED || pod->status == STINT_POD_BOUND;
	const int64_t time_ms = runs && pod->group != STINT_NO_HANDLE ? engine->groups[pod->group].time_ms : 0;
	if (time_ms <= 0)
		return INT64_MAX;
	const int64_t started_ms = pod->object->started_ms >= 0 ? pod->object->started_ms : now_ms;
	return started_ms + time_ms > now_ms ? started_ms + time_ms : now_ms;
}

static bool ends_earlier(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const int64_t now_ms = engine->backfill.now_ms;
	const int64_t x = engine_end_of(engine, &engine->pods[a], now_ms), y = engine_end_of(engine, &engine->pods[b], now_ms);
	return x != y ? x < y : engine_pod_precedes(engine, a, b);
}

void engine_backfill_ends(struct stint_engine *engine, uint32_t but_of_group)
{
	struct backfill *backfill = &engine->backfill;
	struct handles *ends = &backfill->ends;
	ends->count = 0;
	for (uint32_t i = 0; i < engine->groups_count; i++) {
		const struct group *group = &engine->groups[i];
		if (group->time_ms <= 0 || !group->active || i == but_of_group)
			continue;
		for (uint32_t p = 0; p < group->pods_count; p++) {
			if (engine_end_of(engine, &engine->pods[group->pods[p]], engine->backfill.now_ms) != INT64_MAX)
				handles_push(ends, group->pods[p]);
		}
	}
	engine_sort(engine, ends->items, ends->count, ends_earlier);
	stint_grow(&backfill->end_times, &backfill->end_times_capacity, ends->count + 1, sizeof *backfill->end_times);
	for (size_t i = 0; i < ends->count; i++)
		backfill->end_times[i] = engine_end_of(engine, &engine->pods[ends->items[i]], backfill->now_ms);
}

/* ---- making a reservation ------------------------------------------------------------------------------------------------------------ */

/* Plans that the first `count` ends have come, and the group is placed then. The plan stays when that works. */
static bool starts_after(struct stint_engine *engine, uint32_t group, size_t count)
{
	struct backfill *backfill = &engine->backfill;
	const size_t mark = engine_plan_mark(engine);
	struct stint_record record;
	for (size_t i = 0; i < count; i++)
		engine_plan_evict(engine, backfill->ends.items[i]);
	backfill->start_ms = count ? backfill->end_times[count - 1] : backfill->now_ms;
	backfill->marked = engine_plan_mark(engine);
	if (engine_place_group(engine, group, &(struct placing){.reserve_only = true}, &record))
		return true;
	engine_plan_rollback(engine, mark);
	return false;
}

static size_t least_ends(struct stint_engine *engine, uint32_t group)
{
	const size_t all = engine->backfill.ends.count, mark = engine_plan_mark(engine);
	if (!all || !starts_after(engine, group, all))
		return SIZE_MAX;
	engine_plan_rollback(engine, mark);
	size_t low = 0, high = all; /* high works; what is below low does not */
	for (size_t step = 1; step < high; step *= 2) {
		if (starts_after(engine, group, step)) {
			engine_plan_rollback(engine, mark);
			high = step;
			break;
		}
		low = step + 1;
	}
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (starts_after(engine, group, middle)) {
			engine_plan_rollback(engine, mark);
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return high;
}

/* When the group could start, the plan of it standing; 0: that cannot be told, and nothing is planned. */
static int64_t plan_start(struct stint_engine *engine, uint32_t group)
{
	struct backfill *backfill = &engine->backfill;
	engine_backfill_ends(engine, group);
	const size_t count = least_ends(engine, group);
	const bool found = count != SIZE_MAX && starts_after(engine, group, count);
	const int64_t at_ms = backfill->start_ms;
	backfill->start_ms = backfill->now_ms;
	return found ? at_ms : 0;
}

static struct promised *place_for(struct stint_engine *engine, struct reservation *reservation, uint32_t node)
{
	for (size_t i = 0; i < reservation->count; i++) {
		if (reservation->places[i].node == node)
			return &reservation->places[i];
	}
	stint_grow(&reservation->places, &reservation->capacity, reservation->count + 1, sizeof *reservation->places);
	struct promised *place = &reservation->places[reservation->count++];
	*place = (struct promised){.node = node};
	engine->nodes[node].promised++;
	return place;
}

static void promise(struct stint_engine *engine, struct reservation *reservation, const struct pod *pod)
{
	struct promised *place = place_for(engine, reservation, pod->node);
	const struct shape *shape = &engine->shapes[pod->shape];
	/* Several shares of the group may go to a device that the first of them opens. */
	const int32_t opened = __builtin_popcountll(pod->reserved & ~place->opened);
	place->opened |= pod->reserved;
	engine_need_add(&place->need, shape, shape->gpu == STINT_GPU_WHOLE ? (int32_t)shape->devices : opened, 1);
	for (uint32_t slot = 0; slot < engine->books[pod->node].devices_count; slot++) {
		if (!bit(pod->devices, slot))
			continue;
		stint_grow(&reservation->shares, &reservation->shares_capacity, reservation->shares_count + 1, sizeof *reservation->shares);
		reservation->shares[reservation->shares_count++] =
			(struct promised_share){.node = pod->node, .slot = slot, .mib = pod->device_mib};
	}
}

static void release(struct stint_engine *engine, struct reservation *reservation)
{
	for (size_t i = 0; i < reservation->count; i++)
		engine->nodes[reservation->places[i].node].promised--;
	reservation->count = reservation->shares_count = 0;
}

static void drop(struct stint_engine *engine, size_t index)
{
	struct backfill *backfill = &engine->backfill;
	release(engine, &backfill->items[index]);
	free(backfill->items[index].places);
	free(backfill->items[index].shares);
	backfill->items[index] = backfill->items[--backfill->count];
}

static bool is_current(const struct stint_engine *engine, const struct reservation *reservation)
{
	if (reservation->at_ms <= engine->backfill.now_ms)
		return false;
	for (size_t i = 0; i < reservation->count; i++) {
		if (engine->nodes[reservation->places[i].node].changed > reservation->seen)
			return false;
	}
	return true;
}

static bool is_large(const struct stint_engine *engine, const struct handles *chunk)
{
	return chunk->count > 1 || (chunk->count == 1 && engine->shapes[engine->pods[chunk->items[0]].shape].devices > 1);
}

static struct reservation *reservation_of(const struct backfill *backfill, uint32_t group)
{
	for (size_t i = 0; i < backfill->count; i++) {
		if (backfill->items[i].group == group)
			return &backfill->items[i];
	}
	return NULL;
}

static void reserve(struct stint_engine *engine, uint32_t group)
{
	struct backfill *backfill = &engine->backfill;
	const size_t mark = engine_plan_mark(engine);
	const int64_t at_ms = plan_start(engine, group);
	struct reservation *reservation = reservation_of(backfill, group);
	if (!at_ms) {
		if (reservation)
			drop(engine, (size_t)(reservation - backfill->items));
		return;
	}
	if (!reservation) {
		stint_grow(&backfill->items, &backfill->capacity, backfill->count + 1, sizeof *backfill->items);
		reservation = &backfill->items[backfill->count++];
		*reservation = (struct reservation){.group = group};
	}
	release(engine, reservation);
	for (size_t i = backfill->marked; i < engine->plan.count; i++)
		promise(engine, reservation, &engine->pods[engine->plan.changes[i].pod]);
	engine_plan_rollback(engine, mark);
	reservation->at_ms = at_ms;
	reservation->time_ms = engine->groups[group].time_ms;
	reservation->standing = true;
	/* The plan and its end changed nothing; who looks at the log alone must not think so. */
	for (size_t i = 0; i < backfill->count; i++) {
		if (backfill->items[i].standing)
			backfill->items[i].seen = engine->changes;
	}
}

/* ---- the cycle ------------------------------------------------------------------------------------------------------------------------ */

bool engine_backfill_wanted(const struct stint_engine *engine)
{
	return engine->policy.backfill != STINT_BACKFILL_NONE && engine->timed_groups > 0;
}

void engine_backfill_begin(struct stint_engine *engine, int64_t now_ms)
{
	struct backfill *backfill = &engine->backfill;
	backfill->now_ms = backfill->start_ms = now_ms;
	backfill->on = engine_backfill_wanted(engine);
	backfill->standing = 0;
	for (size_t i = backfill->count; i > 0; i--) {
		struct reservation *reservation = &backfill->items[i - 1];
		reservation->standing = false;
		if (!backfill->on || !engine_group_ready(&engine->groups[reservation->group]))
			drop(engine, i - 1);
	}
}

int64_t engine_backfill_turn(struct stint_engine *engine, uint32_t group)
{
	struct backfill *backfill = &engine->backfill;
	const size_t most = engine->policy.backfill == STINT_BACKFILL_EASY ? 1 : MOST_RESERVATIONS;
	if (!backfill->on || backfill->standing >= most)
		return 0;
	engine->chunk.count = 0;
	engine_group_chunk(engine, group, false, &engine->chunk);
	if (!is_large(engine, &engine->chunk))
		return 0;
	struct reservation *reservation = reservation_of(backfill, group);
	if (reservation && is_current(engine, reservation))
		reservation->standing = true;
	else
		reserve(engine, group);
	reservation = reservation_of(backfill, group);
	backfill->standing += reservation != NULL;
	return reservation ? reservation->at_ms : 0;
}

int64_t engine_backfill_start(const struct stint_engine *engine, uint32_t group)
{
	const struct reservation *reservation = reservation_of(&engine->backfill, group);
	return reservation ? reservation->at_ms : 0;
}

void engine_backfill_end(struct stint_engine *engine)
{
	engine->backfill.on = false;
}

void engine_backfill_forget(struct stint_engine *engine, uint32_t group)
{
	struct reservation *reservation = reservation_of(&engine->backfill, group);
	if (reservation)
		drop(engine, (size_t)(reservation - engine->backfill.items));
	engine_holds_forget(engine, group);
}

void engine_backfill_free(struct stint_engine *engine)
{
	while (engine->backfill.count)
		drop(engine, engine->backfill.count - 1);
	free(engine->holds.items);
	free(engine->holds.takings);
	free(engine->backfill.items);
	free(engine->backfill.ends.items);
	free(engine->backfill.end_times);
}
