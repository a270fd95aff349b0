/*
 * plan: a journal of what a decision under way does to pods, on the live state. Commit is free, rollback costs what was done.
 *
 * Every change puts one pod elsewhere: onto a node, off it, or back. It is made in the books at once and its former seat goes to the
 * journal; taking back what came after a mark restores the books to what they were at the mark, byte for byte.
 * An eviction that is only planned leaves the pod RELEASING with `evicted` = EVICTED_PLANNED: to the plan it is a candidate again. Put back
 * where it was, it was never evicted; put elsewhere, it is moved: its reservation is the pod, and its old seat is kept by a shade, a pod of
 * its own that is leaving.
 * Costs: a change is O(depth of the queue) and, for shares of devices, O(devices of the node).
 */
#include "state.h"

static struct seat seat_of(const struct stint_engine *engine, const struct pod *pod)
{
	struct seat seat = {
		.status = pod->status,
		.evicted = pod->evicted,
		.before = pod->before,
		.node = pod->node,
		.devices = pod->devices,
		.reserved = pod->reserved,
		.choice = pod->choice,
		.left_node = STINT_NO_HANDLE,
		.left_choice = STINT_NO_HANDLE,
	};
	if (pod->shade != STINT_NO_HANDLE) {
		seat.left_node = engine->pods[pod->shade].node;
		seat.left_devices = engine->pods[pod->shade].devices;
		seat.left_choice = engine->pods[pod->shade].choice;
	}
	return seat;
}

/* ---- shades ------------------------------------------------------------------------------------------------------------------------ */

static void drop_shade(struct stint_engine *engine, uint32_t handle)
{
	const uint32_t shade = engine->pods[handle].shade;
	if (shade == STINT_NO_HANDLE)
		return;
	engine_account(engine, shade, -1);
	stint_object_unref(&engine->pods[shade].object->meta);
	engine->shapes[engine->pods[shade].shape].refs--;
	engine->pods[shade] = engine_no_pod;
	handles_push(&engine->free_pods, shade);
	engine->pods[handle].shade = STINT_NO_HANDLE;
}

static void cast_shade(struct stint_engine *engine, uint32_t handle, const struct seat *seat)
{
	if (seat->left_node == STINT_NO_HANDLE)
		return;
	if (!engine->free_pods.count)
		stint_grow(&engine->pods, &engine->pods_capacity, engine->pods_count + 1, sizeof *engine->pods);
	const uint32_t shade = engine_take_slot(&engine->free_pods, &engine->pods_count);
	struct pod *pod = &engine->pods[handle];
	engine->pods[shade] = (struct pod){
		.object = pod->object,
		.group = pod->group,
		.shape = pod->shape,
		.node = seat->left_node,
		.devices = seat->left_devices,
		.choice = seat->left_choice,
		.status = STINT_POD_RELEASING,
		.shade = STINT_NO_HANDLE,
		.is_shade = true,
	};
	stint_object_ref(&pod->object->meta);
	engine->shapes[pod->shape].refs++;
	engine_account(engine, shade, 1);
	pod->shade = shade;
}

static void take_seat(struct stint_engine *engine, uint32_t handle, const struct seat *seat)
{
	struct pod *pod = &engine->pods[handle];
	engine->quiet = true;
	engine_account(engine, handle, -1);
	drop_shade(engine, handle);
	pod->status = seat->status;
	pod->evicted = seat->evicted;
	pod->before = seat->before;
	pod->node = seat->node;
	pod->devices = seat->devices;
	pod->reserved = seat->reserved;
	pod->choice = seat->choice;
	engine_account(engine, handle, 1);
	cast_shade(engine, handle, seat);
	engine->quiet = false;
}

/* ---- changes ------------------------------------------------------------------------------------------------------------------------- */

static void change(struct stint_engine *engine, uint32_t handle, const struct seat *seat)
{
	struct plan *plan = &engine->plan;
	struct pod *pod = &engine->pods[handle];
	stint_grow(&plan->changes, &plan->capacity, plan->count + 1, sizeof *plan->changes);
	plan->changes[plan->count++] = (struct change){.pod = handle, .first = !pod->planned, .former = seat_of(engine, pod)};
	pod->planned = true;
	take_seat(engine, handle, seat);
}

static bool stays(const struct stint_engine *engine, const struct pod *pod, const struct shape *shape, uint32_t node,
	const struct device_choice *choice)
{
	const bool shares = shape->gpu == STINT_GPU_FRACTION || shape->gpu == STINT_GPU_MEMORY;
	return pod->node == node && engine_choices_equal(engine, pod->choice, choice->choice) &&
		(!shares || (choice->devices == pod->devices && !choice->reserved));
}

void engine_plan_place(struct stint_engine *engine, uint32_t handle, uint32_t node, const struct device_choice *choice)
{
	const struct pod *pod = &engine->pods[handle];
	struct seat seat = {
		.status = choice->now ? STINT_POD_ASSUMED : STINT_POD_RESERVED,
		.node = node,
		.devices = choice->devices,
		.reserved = choice->reserved,
		.choice = choice->choice,
		.left_node = STINT_NO_HANDLE,
		.left_choice = STINT_NO_HANDLE,
	};
	if (pod->status == STINT_POD_RELEASING) {
		seat.evicted = pod->evicted;
		seat.before = pod->before;
		seat.left_node = pod->node;
		seat.left_devices = pod->devices;
		seat.left_choice = pod->choice;
		if (pod->evicted == EVICTED_PLANNED && stays(engine, pod, &engine->shapes[pod->shape], node, choice)) {
			engine_plan_spare(engine, handle);
			return;
		}
	}
	change(engine, handle, &seat);
}

void engine_plan_evict(struct stint_engine *engine, uint32_t handle)
{
	const struct pod *pod = &engine->pods[handle];
	struct seat seat = seat_of(engine, pod);
	if (pod->status == STINT_POD_RESERVED) {
		const bool moved = pod->shade != STINT_NO_HANDLE;
		seat.status = moved ? STINT_POD_RELEASING : STINT_POD_PENDING;
		seat.node = seat.left_node;
		seat.devices = seat.left_devices;
		seat.choice = seat.left_choice;
		seat.reserved = 0;
		seat.left_node = STINT_NO_HANDLE;
		seat.left_devices = 0;
		seat.left_choice = STINT_NO_HANDLE;
		if (moved && seat.evicted == EVICTED_DECIDED)
			seat.evicted = EVICTED_AGAIN;
	} else {
		seat.before = pod->status;
		seat.status = STINT_POD_RELEASING;
		seat.evicted = EVICTED_PLANNED;
	}
	change(engine, handle, &seat);
}

void engine_plan_spare(struct stint_engine *engine, uint32_t handle)
{
	struct seat seat = seat_of(engine, &engine->pods[handle]);
	if (seat.left_node != STINT_NO_HANDLE) {
		seat.node = seat.left_node;
		seat.devices = seat.left_devices;
		seat.choice = seat.left_choice;
	}
	seat.status = seat.before;
	seat.evicted = EVICTED_NOT;
	seat.before = STINT_POD_PENDING;
	seat.reserved = 0;
	seat.left_node = STINT_NO_HANDLE;
	seat.left_devices = 0;
	seat.left_choice = STINT_NO_HANDLE;
	change(engine, handle, &seat);
	engine_hold_leave(engine, handle);
}

void engine_plan_vacate(struct stint_engine *engine, uint32_t handle)
{
	change(engine, handle,
		&(struct seat){
			.status = STINT_POD_PENDING,
			.node = STINT_NO_HANDLE,
			.choice = STINT_NO_HANDLE,
			.left_node = STINT_NO_HANDLE,
			.left_choice = STINT_NO_HANDLE,
		});
}

void engine_plan_rollback(struct stint_engine *engine, size_t mark)
{
	struct plan *plan = &engine->plan;
	while (plan->count > mark) {
		const struct change *last = &plan->changes[--plan->count];
		take_seat(engine, last->pod, &last->former);
		engine->pods[last->pod].planned = !last->first;
	}
	engine_holds_rollback(engine, mark);
}

void engine_plan_close(struct stint_engine *engine)
{
	for (size_t i = 0; i < engine->plan.count; i++) {
		struct pod *pod = &engine->pods[engine->plan.changes[i].pod];
		pod->planned = false;
		if (engine->shapes[pod->shape].terms) {
			engine->terms_stirred = true;
			/* A victim that was spared sits where it sat. */
			const bool bound = pod->status == STINT_POD_ASSUMED && engine->plan.changes[i].former.status == STINT_POD_PENDING;
			engine->terms_moved = engine->terms_moved || bound;
		}
		if (pod->evicted == EVICTED_PLANNED || pod->evicted == EVICTED_AGAIN)
			pod->evicted = EVICTED_DECIDED;
	}
	engine->plan.count = 0;
	engine_holds_close(engine);
}

/* ---- after the cycle -------------------------------------------------------------------------------------------------------------------- */

/* In the next cycle they must win their place again (kai-engine 1.9); what was evicted to be moved is only leaving then. */
void engine_drop_reservations(struct stint_engine *engine)
{
	while (engine->reserved.count) {
		const uint32_t pod = engine->reserved.items[--engine->reserved.count];
		if (engine->pods[pod].status != STINT_POD_RESERVED)
			continue;
		engine_plan_evict(engine, pod);
		engine_plan_close(engine);
		engine_group_touch(engine, engine->pods[pod].group);
	}
}
