/*
 * placement: puts the pods of one group on nodes, all that start together or none (kai-engine 5.1, 8.1).
 *
 * A chunk is part of a plan (plan.c): a failure takes back what it placed and no more. Pods are placed one by one on the best node of their
 * shape; there is no backtracking among them. Parts that are bound to a topology are tried in one candidate domain after the other
 * (split.c), each within the one that the part above is tried in; siblings are not tried in combinations (kai-engine 10.3).
 * Costs: O(log nodes) per pod, given or taken back; a chunk that its queue's bounds refuse costs the chunk alone.
 */
#include "state.h"
#include "topology.h"

void engine_chunk_asks(
	struct stint_engine *engine, uint32_t handle, bool with_evicted, int64_t gpu_mib, double out[static STINT_DIMENSIONS])
{
	struct handles *chunk = &engine->chunk;
	struct amounts sum = {0};
	int64_t mib = 0;
	chunk->count = 0;
	engine_group_chunk(engine, handle, with_evicted, chunk);
	for (size_t i = 0; i < chunk->count; i++) {
		const struct shape *shape = &engine->shapes[engine->pods[chunk->items[i]].shape];
		amounts_add(&sum, &shape->asked, 1);
		mib = plus(mib, shape->asked_mib);
	}
	amounts_to(&sum, out);
	out[STINT_GPU] += 100.0 * (double)mib / (double)gpu_mib;
}

/* ---- one pod ------------------------------------------------------------------------------------------------------------------- */

/*
 * The bounds of its queues with the amount that it takes on this very node (kai-engine 3.3, 6.2.1). KAI tests the part of the device's
 * memory, rounded up; what is charged afterwards may be a hundredth more (0.57 of 100 MiB is 56): the larger of the two must fit.
 */
static bool admitted_on(
	const struct stint_engine *engine, const struct group *group, const struct shape *shape, uint32_t node, struct stint_record *record)
{
	double asked[STINT_DIMENSIONS];
	amounts_to(&shape->asked, asked);
	if (shape->gpu != STINT_GPU_NONE) {
		const int64_t all = engine->books[node].device_mib;
		const int64_t part = (100 * (int64_t)engine_share_mib(engine, shape, node) + all - 1) / all;
		const int64_t charged = engine_share_percent(engine, shape, node);
		asked[STINT_GPU] = (double)((int64_t)shape->devices * (part > charged ? part : charged) + shape->claim_percent);
	}
	if (shape->claims_count)
		asked[STINT_GPU] += (double)(engine_claims_percent(engine, shape, node) - shape->claim_percent);
	return engine_queue_admits(engine, group->queue, asked, group->preemptible, record);
}

/* Others' reservations of the node (spare.c). */
static bool allowed_on(struct stint_engine *engine, uint32_t handle, uint32_t node, struct stint_record *record)
{
	const struct pod *pod = &engine->pods[handle];
	uint32_t blocker = STINT_NO_HANDLE;
	if (engine_backfill_allows(engine, pod->group, &engine->shapes[pod->shape], node, &blocker))
		return true;
	*record = (struct stint_record){
		.reason = STINT_REASON_PROMISED,
		.blocker = blocker,
		.expected_ms = engine_backfill_start(engine, blocker),
		.queue = STINT_NO_HANDLE,
		.pod = handle,
		.since_ms = -1,
	};
	return false;
}

static bool put_on(struct stint_engine *engine, uint32_t pod, uint32_t node, bool reserve_only)
{
	const struct shape *shape = &engine->shapes[engine->pods[pod].shape];
	uint32_t fitting;
	const enum fit fit = engine_fit(engine, shape, node, &fitting);
	struct device_choice choice;
	if (fit == FIT_NONE || !engine_devices_choose(engine, shape, node, fit == FIT_NOW, reserve_only, &choice) ||
		!engine_choice_make(engine, pod, node, choice.now, &choice.choice))
		return false;
	engine_terms_step_back(engine);
	engine_plan_place(engine, pod, node, &choice);
	return true;
}

static bool put_on_nominated(
	struct stint_engine *engine, const struct group *group, uint32_t handle, const struct field *field, bool reserve_only)
{
	const struct pod *pod = &engine->pods[handle];
	const bool waited = pod->status == STINT_POD_PENDING;
	const uint32_t held = engine->holds.count ? engine_hold_of(engine, handle) : STINT_NO_HANDLE;
	uint32_t node = held;
	if (node == STINT_NO_HANDLE && pod->object->nominated_node)
		node = stint_engine_node_find(engine, pod->object->nominated_node);
	struct stint_record record;
	if (node == STINT_NO_HANDLE || !engine_field_has(field, node) || !engine_ranking_fits(engine, pod->shape, node) ||
		!allowed_on(engine, handle, node, &record) || !admitted_on(engine, group, &engine->shapes[pod->shape], node, &record) ||
		!put_on(engine, handle, node, reserve_only))
		return false;
	/* A victim that is back in its own seat leaves the hold to others of its group. */
	if (held != STINT_NO_HANDLE && (waited || engine->pods[handle].status == STINT_POD_RESERVED))
		engine_hold_take(engine, handle, held);
	return true;
}

/* False: no node would take it; the record holds the bound when only a bound of its queues was in the way, else it is unchanged. */
static bool put_on_best(struct stint_engine *engine, const struct group *group, uint32_t handle, struct field *field, bool reserve_only,
	struct stint_record *record)
{
	const uint32_t shape = engine->pods[handle].shape;
	engine->masked.count = 0;
	bool placed = false;
	for (;;) {
		const uint32_t node = engine_field_best(engine, field, shape);
		if (node == STINT_NO_HANDLE)
			break;
		placed = allowed_on(engine, handle, node, record) && admitted_on(engine, group, &engine->shapes[shape], node, record) &&
			put_on(engine, handle, node, reserve_only);
		if (placed)
			break;
		engine_field_mask(engine, field, shape, node);
		handles_push(&engine->masked, node);
	}
	for (size_t i = 0; i < engine->masked.count; i++)
		engine_field_unmask(engine, field, shape, engine->masked.items[i]);
	return placed;
}

static bool put_somewhere(struct stint_engine *engine, const struct group *group, uint32_t handle, struct field *field, bool reserve_only,
	struct stint_record *record)
{
	engine_terms_step_aside(engine, handle);
	const bool placed = put_on_nominated(engine, group, handle, field, reserve_only) ||
		put_on_best(engine, group, handle, field, reserve_only, record);
	engine_terms_step_back(engine);
	return placed;
}

/* ---- the parts of a gang ---------------------------------------------------------------------------------------------------------- */

/* A chunk that is being placed. */
struct attempt {
	uint32_t group;
	size_t mark; /* of the plan, before it */
	bool reserve_only;
	bool trial;
	bool bounded; /* a bound or a promise kept some pod off a node */
	uint32_t pod; /* that found no place last */
	uint32_t most; /* pods that found one in the best try */
	struct stint_record *record;
};

static bool is_bound(enum stint_reason reason)
{
	return reason == STINT_REASON_OVER_LIMIT || reason == STINT_REASON_OVER_QUOTA || reason == STINT_REASON_PROMISED;
}

/* A claim that no node could serve stands in the record. */
static bool claims_ready(const struct stint_engine *engine, uint32_t handle, struct stint_record *record)
{
	uint32_t claim;
	const char *device_class;
	const enum stint_claim_problem problem =
		engine->pods[handle].claims ? engine_claims_problem(engine, handle, &claim, &device_class) : STINT_CLAIM_FINE;
	if (problem == STINT_CLAIM_FINE)
		return true;
	*record = (struct stint_record){
		.reason = STINT_REASON_CLAIM,
		.problem = problem,
		.queue = STINT_NO_HANDLE,
		.pod = handle,
		.since_ms = -1,
	};
	return false;
}

static bool place_pods(struct stint_engine *engine, struct attempt *attempt, uint32_t first, uint32_t count, struct field *field)
{
	const struct group *group = &engine->groups[attempt->group];
	for (uint32_t i = first; i < first + count; i++) {
		const uint32_t pod = engine->chunk.items[i];
		if (!claims_ready(engine, pod, attempt->record) ||
			!put_somewhere(engine, group, pod, field, attempt->reserve_only, attempt->record)) {
			const uint32_t found = (uint32_t)(engine->plan.count - attempt->mark);
			attempt->most = found > attempt->most ? found : attempt->most;
			attempt->pod = pod;
			attempt->bounded = attempt->bounded || is_bound(attempt->record->reason);
			return false;
		}
		attempt->record->reason = STINT_REASON_NONE;
	}
	return true;
}

static bool place_part(struct stint_engine *engine, struct attempt *attempt, uint32_t index, struct field *field, size_t depth);

static bool place_within(struct stint_engine *engine, struct attempt *attempt, struct part *part, struct field *field, size_t depth)
{
	struct gang *gang = engine->groups[attempt->group].gang;
	if (part->kind == PART_PODS)
		return place_pods(engine, attempt, part->chunk_first, part->chunk_count, field);
	engine_gang_members(gang, part);
	/* Placing changes who is met: the order is that of the beginning, which sorting below this part does not touch. */
	for (uint32_t i = 0; i < part->members_count; i++) {
		if (!place_part(engine, attempt, gang->members[part->first_member + i], field, depth))
			return false;
	}
	return true;
}

static struct nest *nest_at(struct stint_engine *engine, size_t depth)
{
	stint_grow(&engine->nests, &engine->nests_capacity, depth + 1, sizeof *engine->nests);
	while (engine->nests_count <= depth)
		engine->nests[engine->nests_count++] = stint_alloc(sizeof **engine->nests);
	return engine->nests[depth];
}

static void note_topology(struct stint_engine *engine, struct attempt *attempt, const struct part *part, struct nest *nest, bool known)
{
	struct gang *gang = engine->groups[attempt->group].gang;
	uint32_t have = 0;
	free(gang->domain);
	gang->domain = NULL;
	if (known) {
		const uint32_t domain = engine_split_closest(engine, &nest->split, &nest->field, &have);
		gang->domain = domain == STINT_NO_HANDLE ? NULL : engine_domain_name(engine, domain);
	}
	*attempt->record = (struct stint_record){
		.reason = known ? STINT_REASON_TOPOLOGY : STINT_REASON_NO_TOPOLOGY,
		.queue = STINT_NO_HANDLE,
		.part = (uint32_t)(part - gang->parts),
		.have = have,
		.need = part->chunk_count,
		.pod = attempt->pod,
		.since_ms = -1,
	};
}

static bool place_bound(struct stint_engine *engine, struct attempt *attempt, struct part *part, struct field *field, size_t depth)
{
	struct nest *nest = nest_at(engine, depth);
	const struct group *group = &engine->groups[attempt->group];
	const size_t mark = engine_plan_mark(engine);
	const bool known = engine_split_start(engine, &nest->split, group, part, field);
	while (known && engine_split_next(engine, &nest->split, &nest->field)) {
		if (place_within(engine, attempt, part, &nest->field, depth + 1))
			return true;
		engine_plan_rollback(engine, mark);
	}
	if (attempt->pod == STINT_NO_HANDLE)
		attempt->pod = engine->chunk.items[part->chunk_first];
	/* What a part below has said is nearer to the cause; a simulation needs no words. */
	if (attempt->record->reason == STINT_REASON_NONE && (!known || part->required) && !attempt->trial)
		note_topology(engine, attempt, part, nest, known);
	return false;
}

static bool place_part(struct stint_engine *engine, struct attempt *attempt, uint32_t index, struct field *field, size_t depth)
{
	struct part *part = &engine->groups[attempt->group].gang->parts[index];
	if (part->chunk_count == 0)
		return true;
	return part->topology ? place_bound(engine, attempt, part, field, depth) : place_within(engine, attempt, part, field, depth);
}

/* ---- one chunk --------------------------------------------------------------------------------------------------------------------- */

/* Part of the gang must wait for pods that are leaving: then all of it waits, on the same nodes, and holds its place. */
static bool reserve_all(struct stint_engine *engine, size_t mark)
{
	struct handles *seats = &engine->sorting;
	seats->count = 0;
	for (size_t i = mark; i < engine->plan.count; i++) {
		handles_push(seats, engine->plan.changes[i].pod);
		handles_push(seats, engine->pods[engine->plan.changes[i].pod].node);
	}
	engine_plan_rollback(engine, mark);
	for (size_t i = 0; i < seats->count; i += 2) {
		const uint32_t pod = seats->items[i], node = seats->items[i + 1], shape = engine->pods[pod].shape;
		const bool still = !engine->shapes[shape].terms || engine_ranking_fits(engine, shape, node);
		if (!still || !put_on(engine, pod, node, true))
			return false;
	}
	return true;
}

static bool fail_for_room(struct stint_engine *engine, const struct attempt *attempt)
{
	struct group *group = &engine->groups[attempt->group];
	struct stint_record *record = attempt->record;
	engine_plan_rollback(engine, attempt->mark);
	bool hopes = false;
	for (size_t i = 0; i < engine->chunk.count; i++)
		hopes = hopes || engine_affinity_hopes(&engine->shapes[engine->pods[engine->chunk.items[i]].shape]);
	/* Another node's devices might count for less than a bound: no memo that one number could keep. */
	group->memo = (struct memo){
		.kind = attempt->bounded ? MEMO_NONE : MEMO_ROOM,
		.no_node = attempt->most == 0 && !group->gang,
		.hopes = hopes,
		.handle = engine->pods[attempt->pod].shape,
		.epoch = engine->room_epoch,
	};
	if (record->reason != STINT_REASON_NONE)
		return false;
	*record = (struct stint_record){
		.reason = STINT_REASON_NO_ROOM,
		.queue = STINT_NO_HANDLE,
		.part = engine->pods[attempt->pod].part,
		.have = group->active + attempt->most,
		.need = group->active + (uint32_t)engine->chunk.count,
		.pod = attempt->pod,
		.since_ms = -1,
	};
	return false;
}

/* Pods wait, and no part that they are in can be complete: nothing changes that but its own pods. */
static bool fail_for_parts(struct stint_engine *engine, uint32_t handle, struct stint_record *record)
{
	struct group *group = &engine->groups[handle];
	group->memo = (struct memo){.kind = MEMO_PARTS};
	record->reason = STINT_REASON_INCOMPLETE;
	engine_gang_lacks(group->gang, record);
	return false;
}

/* What it placed stays in the plan when it fails. */
static bool place_in(struct stint_engine *engine, struct attempt *attempt, struct field *field)
{
	const struct group *group = &engine->groups[attempt->group];
	const uint32_t count = (uint32_t)engine->chunk.count;
	if (!(group->gang ? place_part(engine, attempt, 0, field, 0) : place_pods(engine, attempt, 0, count, field)))
		return false;
	if (attempt->reserve_only || !engine_group_must_wait(group) || reserve_all(engine, attempt->mark))
		return true;
	attempt->pod = engine->chunk.items[0];
	return false;
}

static bool has_to_wait(const struct stint_engine *engine, const struct attempt *attempt)
{
	for (size_t i = attempt->mark; i < engine->plan.count; i++) {
		if (engine->pods[engine->plan.changes[i].pod].status == STINT_POD_RESERVED)
			return true;
	}
	return false;
}

/* In one pool after the other: where it starts at once, else where leaving pods make room. What is told is what the last one says. */
static bool place_in_pools(struct stint_engine *engine, struct attempt *attempt)
{
	struct pool_walk walk;
	bool waits = false;
	engine_pools_walk(engine, attempt->group, &walk);
	for (struct field *field; (field = engine_pools_next(engine, &walk));) {
		attempt->record->reason = STINT_REASON_NONE;
		if (place_in(engine, attempt, field)) {
			if (walk.count < 2 || attempt->reserve_only || !has_to_wait(engine, attempt))
				return true;
			waits = true;
		}
		if (walk.count > 1)
			engine_plan_rollback(engine, attempt->mark);
	}
	walk.next = 0;
	for (struct field *field; waits && (field = engine_pools_next(engine, &walk));) {
		if (place_in(engine, attempt, field))
			return true;
		engine_plan_rollback(engine, attempt->mark);
	}
	return false;
}

static bool place_chunk(struct stint_engine *engine, uint32_t handle, const struct placing *how, struct stint_record *record)
{
	struct attempt attempt = {
		.group = handle,
		.mark = engine_plan_mark(engine),
		.reserve_only = how->reserve_only,
		.trial = how->reserve_only || how->trial,
		.pod = STINT_NO_HANDLE,
		.record = record,
	};
	return place_in_pools(engine, &attempt) || fail_for_room(engine, &attempt);
}

static bool try_group(struct stint_engine *engine, uint32_t handle, const struct placing *how, struct stint_record *record)
{
	struct group *group = &engine->groups[handle];
	double asked[STINT_DIMENSIONS];
	engine_chunk_asks(engine, handle, how->reserve_only, engine->most_gpu_mib, asked);
	if (engine->chunk.count == 0)
		return group->gang ? fail_for_parts(engine, handle, record) : false;
	if (!engine_queue_admits(engine, group->queue, asked, group->preemptible, record)) {
		group->memo = (struct memo){.kind = MEMO_QUEUE, .handle = record->queue, .epoch = engine->queues[record->queue].epoch};
		return false;
	}
	return place_chunk(engine, handle, how, record);
}

bool engine_place_group(struct stint_engine *engine, uint32_t handle, const struct placing *how, struct stint_record *record)
{
	const struct memo memo = engine->groups[handle].memo;
	*record = (struct stint_record){.queue = STINT_NO_HANDLE, .pod = STINT_NO_HANDLE, .since_ms = -1};
	const bool placed = try_group(engine, handle, how, record);
	if (how->reserve_only || how->trial)
		engine->groups[handle].memo = memo;
	return placed;
}
