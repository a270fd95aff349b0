/*
 * whatif: the single changes that would start a group that waits, each tried on the engine itself.
 *
 * A candidate is made in the live state, the allocate action runs over everything that comes up before the group and the group itself, as a
 * plan, and both are taken back: the plan by its journal, the change by hand. Amounts are searched by halving, so what is offered is
 * the least change of its kind. A trial is what the next cycle does. Nothing of this is seen afterwards, not even by the memos of failures.
 * Costs: for each candidate a cycle over the groups that wait before this one; about ten for an amount. At most MOST_TRIED groups are
 * tried before it: where more wait, nothing is offered.
 */
#include <math.h>

#include "state.h"

enum { MOST_TRIED = 2000, MOST_NODES = 8, MIB = 1024 * 1024 };

struct question {
	struct stint_engine *engine;
	uint32_t group;
	uint32_t shape; /* of its first pod without a place */
	const struct stint_pod_spec *spec; /* of that shape */
	struct handles alike; /* its pods of that shape, while a trial changes it */
	struct stint_remedy *out;
	size_t count;
};

/* ---- the trial ------------------------------------------------------------------------------------------------------------------- */

static bool starts_now(const struct stint_engine *engine, uint32_t group, size_t mark)
{
	bool any = false;
	for (size_t i = mark; i < engine->plan.count; i++) {
		const struct pod *pod = &engine->pods[engine->plan.changes[i].pod];
		if (pod->group != group)
			continue;
		any = true;
		if (pod->status != STINT_POD_ASSUMED)
			return false;
	}
	return any;
}

static bool try_in_order(struct stint_engine *engine, uint32_t wanted, size_t mark)
{
	struct stint_record record;
	engine_order_clear(engine, ORDER_WAITING, NULL, engine->policy.queue_depth[STINT_ACTION_ALLOCATE]);
	engine_order_start(engine, ORDER_WAITING);
	for (size_t tried = 0; tried < MOST_TRIED; tried++) {
		const uint32_t group = engine_order_top(engine, ORDER_WAITING);
		if (group == STINT_NO_HANDLE)
			return false;
		const struct memo memo = engine->groups[group].memo;
		const bool placed = engine_place_group(engine, group, &(struct placing){0}, &record);
		engine->groups[group].memo = memo;
		if (group == wanted)
			return placed && starts_now(engine, group, mark);
		engine->groups[group].elastic = engine_group_elastic(&engine->groups[group]); /* its next turn comes by what it has now */
		engine_order_pop(engine, ORDER_WAITING, placed && engine_group_ready(&engine->groups[group]));
	}
	return false;
}

static bool would_start(const struct question *question)
{
	struct stint_engine *engine = question->engine;
	engine->shares_stale = true; /* what is asked for, offered or due is another amount than before: that moves the order of queues */
	engine_shares_settle(engine);
	engine_mix_settle(engine);
	for (uint32_t i = 0; i < engine->queues_count; i++) {
		if (engine->queues[i].waiting)
			engine_line_settle(engine, &engine->queues[i]);
	}
	const size_t mark = engine_plan_mark(engine);
	const bool starts = try_in_order(engine, question->group, mark);
	const size_t end = engine_plan_mark(engine);
	engine_plan_rollback(engine, mark);
	for (size_t i = mark; i < end; i++) {
		struct group *group = &engine->groups[engine->pods[engine->plan.changes[i].pod].group];
		group->elastic = engine_group_elastic(group);
	}
	return starts;
}

/*
 * Reservations of the last cycle do not hold in the next one: who has them waits again while questions are asked. Taken back by
 * restore_reservations with what is returned, the memos and records of their groups.
 */
struct verdict {
	struct memo memo;
	struct stint_record record;
};

static struct verdict *withdraw_reservations(struct stint_engine *engine)
{
	struct verdict *verdicts = stint_alloc((engine->reserved.count + 1) * sizeof *verdicts);
	for (size_t i = 0; i < engine->reserved.count; i++) {
		const uint32_t pod = engine->reserved.items[i], group = engine->pods[pod].group;
		verdicts[i] = (struct verdict){engine->groups[group].memo, *engine_record(&engine->groups[group])};
		if (engine->pods[pod].status != STINT_POD_RESERVED)
			continue;
		engine_plan_evict(engine, pod);
		engine_group_touch(engine, group);
	}
	return verdicts;
}

/* Backwards: a group with two reservations gets what it had before the first was withdrawn. */
static void restore_reservations(struct stint_engine *engine, struct verdict *verdicts, size_t mark)
{
	engine_plan_rollback(engine, mark);
	for (size_t i = engine->reserved.count; i > 0; i--) {
		const uint32_t group = engine->pods[engine->reserved.items[i - 1]].group;
		engine_group_touch(engine, group);
		engine->groups[group].memo = verdicts[i - 1].memo;
		engine_record_set(&engine->groups[group], &verdicts[i - 1].record);
	}
	free(verdicts);
}

/* Records that were made while groups were moved about are as they were: nobody need hear of them. `count`: that were made before. */
static void forget_judged(struct stint_engine *engine, size_t count, bool delivered)
{
	count = delivered ? 0 : count;
	for (size_t i = count; i < engine->judged.count && !engine->judged_delivered; i++)
		engine->groups[engine->judged.items[i]].judged = false;
	if (!engine->judged_delivered)
		engine->judged.count = count;
}

static void offer(struct question *question, const struct stint_remedy *change)
{
	if (question->count < STINT_MAX_REMEDIES)
		question->out[question->count++] = *change;
}

/* ---- bounds and the group's own terms ------------------------------------------------------------------------------------------------ */

static void try_bound(struct question *question, const struct stint_record *record)
{
	struct queue *queue = &question->engine->queues[record->queue];
	const bool quota = record->reason == STINT_REASON_OVER_QUOTA;
	double *bound = quota ? &queue->quota[record->dimension] : &queue->limit[record->dimension];
	const double former = *bound;
	*bound = record->allocated + record->asked;
	const struct stint_remedy change = {
		.kind = quota ? STINT_REMEDY_QUOTA : STINT_REMEDY_LIMIT,
		.queue = record->queue,
		.dimension = record->dimension,
		.from = former,
		.to = *bound,
		.node = STINT_NO_HANDLE,
	};
	if (would_start(question))
		offer(question, &change);
	*bound = former;
}

/* What runs of it is then no more of the part that counts against quotas, which lets others in, too. */
static void set_preemptible(struct question *question, bool preemptible)
{
	engine_account_group(question->engine, question->group, -1);
	question->engine->groups[question->group].preemptible = preemptible;
	engine_account_group(question->engine, question->group, 1);
}

static void try_preemptible(struct question *question)
{
	if (question->engine->groups[question->group].preemptible)
		return;
	set_preemptible(question, true);
	if (would_start(question))
		offer(question,
			&(struct stint_remedy){.kind = STINT_REMEDY_PREEMPTIBLE, .queue = STINT_NO_HANDLE, .node = STINT_NO_HANDLE});
	set_preemptible(question, false);
}

/* The largest amount below `from` with which it starts, `good` and what is less being known to do; by halving. */
static int64_t largest(struct question *question, int64_t least, int64_t from, bool (*with)(struct question *question, int64_t amount))
{
	if (from <= least || !with(question, least))
		return -1;
	int64_t good = least, bad = from;
	while (bad - good > 1) {
		const int64_t middle = good + (bad - good) / 2;
		if (with(question, middle))
			good = middle;
		else
			bad = middle;
	}
	return good;
}

static bool with_members(struct question *question, int64_t amount)
{
	struct group *group = &question->engine->groups[question->group];
	const uint32_t former = group->min_member;
	group->min_member = (uint32_t)amount;
	const bool starts = would_start(question);
	question->engine->groups[question->group].min_member = former;
	return starts;
}

static void try_members(struct question *question)
{
	const struct group *group = &question->engine->groups[question->group];
	const int64_t from = group->min_member, least = (int64_t)group->active + 1;
	if (from <= least)
		return;
	const int64_t to = largest(question, least, from, with_members);
	if (to > 0)
		offer(question,
			&(struct stint_remedy){.kind = STINT_REMEDY_MEMBERS,
				.from = (double)from,
				.to = (double)to,
				.queue = STINT_NO_HANDLE,
				.node = STINT_NO_HANDLE});
}

/* ---- what its pods ask for -------------------------------------------------------------------------------------------------------------- */

static void dress(struct stint_engine *engine, uint32_t handle, uint32_t shape)
{
	struct pod *pod = &engine->pods[handle];
	engine_account(engine, handle, -1);
	engine->shapes[pod->shape].refs--;
	engine->shapes[shape].refs++;
	pod->shape = shape;
	engine_account(engine, handle, 1);
}

/* Its waiting pods that ask as the first without a node does; others of it may ask for what these are going to. */
static void find_alike(struct question *question)
{
	const struct stint_engine *engine = question->engine;
	const struct group *group = &engine->groups[question->group];
	question->alike.count = 0;
	for (uint32_t i = 0; i < group->pods_count; i++) {
		const struct pod *pod = &engine->pods[group->pods[i]];
		if (pod->status == STINT_POD_PENDING && pod->shape == question->shape)
			handles_push(&question->alike, group->pods[i]);
	}
}

/* Whether it starts with those pods asking as `spec` says. */
static bool with_spec(struct question *question, struct stint_pod_spec *spec)
{
	struct stint_engine *engine = question->engine;
	struct stint_pod sample = {.meta = engine->shapes[question->shape].sample->meta, .spec = spec};
	sample.meta.refs = 1;
	const uint32_t other = engine_shape_borrow(engine, &sample, question->shape);
	find_alike(question);
	for (size_t i = 0; i < question->alike.count; i++)
		dress(engine, question->alike.items[i], other);
	const bool starts = would_start(question);
	for (size_t i = 0; i < question->alike.count; i++)
		dress(engine, question->alike.items[i], question->shape);
	engine_shape_return(engine, other);
	return starts;
}

static bool with_devices(struct question *question, int64_t amount)
{
	struct stint_pod_spec spec = *question->spec;
	spec.gpu.devices = (uint32_t)amount;
	return with_spec(question, &spec);
}

static bool with_percent(struct question *question, int64_t amount)
{
	struct stint_pod_spec spec = *question->spec;
	spec.gpu.portion = (double)amount / 100;
	return with_spec(question, &spec);
}

static bool with_mib(struct question *question, int64_t amount)
{
	struct stint_pod_spec spec = *question->spec;
	spec.gpu.memory_mib = amount;
	return with_spec(question, &spec);
}

static bool with_cpu(struct question *question, int64_t amount)
{
	struct stint_pod_spec spec = *question->spec;
	spec.request.cpu_milli = amount;
	return with_spec(question, &spec);
}

static bool with_memory_mib(struct question *question, int64_t amount)
{
	struct stint_pod_spec spec = *question->spec;
	spec.request.memory_bytes = amount * MIB;
	return with_spec(question, &spec);
}

static void try_amounts(struct question *question)
{
	const struct stint_pod_spec *spec = question->spec;
	const struct {
		enum stint_remedy_kind kind;
		int64_t from, unit; /* as it is offered, `unit` of the amount make one */
		bool (*with)(struct question *question, int64_t amount);
	} rows[] = {
		{STINT_REMEDY_DEVICES, spec->gpu.kind == STINT_GPU_WHOLE ? spec->gpu.devices : 0, 1, with_devices},
		{STINT_REMEDY_PORTION, spec->gpu.kind == STINT_GPU_FRACTION ? llround(spec->gpu.portion * 100) : 0, 100, with_percent},
		{STINT_REMEDY_GPU_MEMORY, spec->gpu.kind == STINT_GPU_MEMORY ? spec->gpu.memory_mib : 0, 1, with_mib},
		{STINT_REMEDY_CPU, spec->request.cpu_milli, 1, with_cpu},
		{STINT_REMEDY_MEMORY, spec->request.memory_bytes / MIB, 1, with_memory_mib},
	};
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		const int64_t to = largest(question, 1, rows[i].from, rows[i].with);
		if (to > 0)
			offer(question,
				&(struct stint_remedy){.kind = rows[i].kind,
					.from = (double)rows[i].from / (double)rows[i].unit,
					.to = (double)to / (double)rows[i].unit,
					.queue = STINT_NO_HANDLE,
					.node = STINT_NO_HANDLE});
	}
}

/* ---- where they may run ------------------------------------------------------------------------------------------------------------------- */

static void try_selector(struct question *question)
{
	struct stint_pod_spec spec = *question->spec;
	if (!spec.node_selector.count && !spec.has_required_terms)
		return;
	spec.node_selector.count = 0;
	spec.has_required_terms = false;
	spec.required_count = 0;
	if (with_spec(question, &spec))
		offer(question, &(struct stint_remedy){.kind = STINT_REMEDY_SELECTOR, .queue = STINT_NO_HANDLE, .node = STINT_NO_HANDLE});
}

static bool is_offered(const struct question *question, const char *taint)
{
	for (size_t i = 0; i < question->count; i++) {
		if (question->out[i].taint && strcmp(question->out[i].taint, taint) == 0)
			return true;
	}
	return false;
}

static void try_toleration(struct question *question)
{
	const struct stint_engine *engine = question->engine;
	const struct stint_pod_spec *asked = question->spec;
	size_t tried = 0;
	for (size_t i = 0; i < engine->by_name.count && tried < MOST_NODES; i++) {
		const uint32_t node = engine->by_name.items[i];
		const struct stint_node *object = engine->nodes[node].object;
		const struct stint_taint *taint = object
			? stint_untolerated_taint(object->taints, object->taints_count, asked->tolerations, asked->tolerations_count)
			: NULL;
		if (!taint || is_offered(question, taint->key))
			continue;
		tried++;
		stint_autofree struct stint_toleration *tolerations = stint_alloc((asked->tolerations_count + 1) * sizeof *tolerations);
		if (asked->tolerations_count)
			memcpy(tolerations, asked->tolerations, asked->tolerations_count * sizeof *tolerations);
		tolerations[asked->tolerations_count] =
			(struct stint_toleration){.key = taint->key, .value = "", .exists = true, .seconds = -1};
		struct stint_pod_spec spec = *asked;
		spec.tolerations = tolerations;
		spec.tolerations_count++;
		if (with_spec(question, &spec))
			offer(question,
				&(struct stint_remedy){.kind = STINT_REMEDY_TOLERATION,
					.taint = taint->key,
					.queue = STINT_NO_HANDLE,
					.node = STINT_NO_HANDLE});
	}
}

/* Its waiting pods ask by that list from now on: they are of other shapes. */
static void lend_list(const struct question *question, const struct pool_list *list)
{
	struct stint_engine *engine = question->engine;
	struct group *group = &engine->groups[question->group];
	group->pools = *list;
	for (uint32_t i = 0; i < group->pods_count; i++) {
		const uint32_t pod = group->pods[i];
		if (engine->pods[pod].status != STINT_POD_PENDING)
			continue;
		engine_account(engine, pod, -1);
		engine_pod_reshape(engine, pod);
		engine_account(engine, pod, 1);
	}
}

static void try_pools(struct question *question)
{
	const struct stint_engine *engine = question->engine;
	const struct pool_list own = engine->groups[question->group].pools;
	if (!own.count || own.count == STINT_MAX_POOLS)
		return;
	uint32_t items[STINT_MAX_POOLS], tried_items[MOST_NODES];
	struct pool_list longer = {items, own.count + 1}, tried = {tried_items, 0};
	memcpy(items, own.items, own.count * sizeof *items);
	for (size_t i = 0; i < engine->by_name.count && tried.count < MOST_NODES; i++) {
		const uint32_t pool = engine->nodes[engine->by_name.items[i]].pool;
		if (pool == STINT_NO_HANDLE || engine_pool_listed(&own, pool) || engine_pool_listed(&tried, pool))
			continue;
		tried_items[tried.count++] = pool;
		items[own.count] = pool;
		lend_list(question, &longer);
		if (would_start(question))
			offer(question,
				&(struct stint_remedy){.kind = STINT_REMEDY_POOL,
					.pool = engine->pools.items[pool].name,
					.queue = STINT_NO_HANDLE,
					.node = STINT_NO_HANDLE});
		lend_list(question, &own);
	}
}

static void try_uncordon(struct question *question)
{
	struct stint_engine *engine = question->engine;
	size_t tried = 0;
	for (size_t i = 0; i < engine->by_name.count && tried < MOST_NODES; i++) {
		const uint32_t handle = engine->by_name.items[i];
		struct stint_node *object = engine->nodes[handle].object;
		if (!object || !object->unschedulable || object->ready != STINT_TRUE || object->pressures)
			continue;
		tried++;
		struct stint_node open = *object;
		open.unschedulable = false;
		engine->nodes[handle].object = &open;
		engine->books[handle].open = true;
		engine_node_count(engine, handle);
		engine_node_changed(engine, handle, true);
		if (would_start(question))
			offer(question, &(struct stint_remedy){.kind = STINT_REMEDY_UNCORDON, .node = handle, .queue = STINT_NO_HANDLE});
		engine->nodes[handle].object = object;
		engine->books[handle].open = false;
		engine_node_count(engine, handle);
		engine_node_changed(engine, handle, true);
	}
}

/* ---- the answer ------------------------------------------------------------------------------------------------------------------------------ */

/* In hundredths of a device; what asks for nothing less and for no more of a queue is free. */
static double cost_of(const struct question *question, const struct stint_remedy *change)
{
	const struct stint_engine *engine = question->engine;
	const struct group *group = &engine->groups[question->group];
	const double waiting = group->pending;
	const double each = question->spec ? (double)engine->shapes[question->shape].asked.gpu_percent : 0;
	switch (change->kind) {
	case STINT_REMEDY_LIMIT:
	case STINT_REMEDY_QUOTA: return change->dimension == STINT_GPU ? 100 * (change->to - change->from) : 100;
	case STINT_REMEDY_DEVICES: return 100 * (change->from - change->to) * waiting;
	case STINT_REMEDY_PORTION: return 100 * (change->from - change->to) * waiting;
	case STINT_REMEDY_GPU_MEMORY: return 100 * (change->from - change->to) / (double)engine->most_gpu_mib * waiting;
	case STINT_REMEDY_MEMBERS: return (change->from - change->to) * each;
	case STINT_REMEDY_PREEMPTIBLE:
	case STINT_REMEDY_TOLERATION:
	case STINT_REMEDY_SELECTOR:
	case STINT_REMEDY_CPU:
	case STINT_REMEDY_MEMORY:
	case STINT_REMEDY_POOL:
	case STINT_REMEDY_UNCORDON: break;
	}
	return 0;
}

static bool is_smaller(const struct question *question, const struct stint_remedy *a, const struct stint_remedy *b)
{
	const double x = cost_of(question, a), y = cost_of(question, b);
	return x != y ? x < y : a->kind < b->kind;
}

static void sort_by_cost(struct question *question)
{
	for (size_t i = 1; i < question->count; i++) {
		const struct stint_remedy moving = question->out[i];
		size_t at = i;
		for (; at > 0 && is_smaller(question, &moving, &question->out[at - 1]); at--)
			question->out[at] = question->out[at - 1];
		question->out[at] = moving;
	}
}

static void ask(struct question *question, const struct stint_record *record)
{
	const struct stint_engine *engine = question->engine;
	switch (record->reason) {
	case STINT_REASON_OVER_QUOTA: try_preemptible(question); /* fall through */
	case STINT_REASON_OVER_LIMIT: try_bound(question, record); break;
	case STINT_REASON_NO_ROOM: break;
	default: return;
	}
	const bool by_room = record->reason == STINT_REASON_NO_ROOM;
	const uint32_t pod = by_room ? record->pod : engine_group_first_waiting(engine, &engine->groups[question->group]);
	question->shape = engine->pods[pod].shape;
	question->spec = engine->shapes[question->shape].spec;
	try_members(question);
	try_amounts(question);
	if (!by_room)
		return;
	try_toleration(question);
	try_selector(question);
	try_pools(question);
	try_uncordon(question);
}

size_t stint_engine_remedies(struct stint_engine *engine, uint32_t handle, struct stint_remedy out[static STINT_MAX_REMEDIES])
{
	struct question question = {.engine = engine, .group = handle, .out = out};
	const struct group *group = &engine->groups[handle];
	struct stint_record record = *engine_record(group);
	if (record.reason == STINT_REASON_OVER_LIMIT || record.reason == STINT_REASON_OVER_QUOTA)
		engine_queue_figures(engine, &record);
	if (!group->listed || !engine->queues[group->queue].usable)
		return 0;
	const bool stirred = engine->stirred, delivered = engine->judged_delivered;
	const size_t mark = engine_plan_mark(engine), judged = engine->judged.count;
	engine_nodes_settle(engine);
	engine_queue_order_settle(engine);
	struct verdict *verdicts = withdraw_reservations(engine);
	ask(&question, &record);
	sort_by_cost(&question);
	restore_reservations(engine, verdicts, mark);
	forget_judged(engine, judged, delivered);
	engine->shares_stale = true;
	engine->stirred = stirred;
	free(question.alike.items);
	return question.count;
}
