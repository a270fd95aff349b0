/*
 * records: why a group waits, in numbers, and who has what it needs.
 *
 * The cycle leaves a small record per group (groups.c); everything here is computed from the live state when somebody asks, so that
 * cycles do not pay for explanations. Nothing here changes the state.
 * Costs: O(nodes + pods), with room for one holder per group while it runs.
 */
#include "state.h"

const char *stint_reason_name(enum stint_reason reason)
{
	static const char *const names[STINT_REASON_COUNT] = {
		[STINT_REASON_NONE] = "",
		[STINT_REASON_NO_QUEUE] = "QueueDoesNotExist",
		[STINT_REASON_INNER_QUEUE] = "QueueIsNotALeaf",
		[STINT_REASON_INCOMPLETE] = "NotReady",
		[STINT_REASON_GATED] = "SchedulingGated",
		[STINT_REASON_NO_PART] = "SubGroupDoesNotExist",
		[STINT_REASON_NO_TOPOLOGY] = "TopologyDoesNotExist",
		[STINT_REASON_TOPOLOGY] = "TopologyNotSatisfied",
		[STINT_REASON_OVER_LIMIT] = "OverLimit",
		[STINT_REASON_OVER_QUOTA] = "NonPreemptibleOverQuota",
		[STINT_REASON_NO_ROOM] = "PodSchedulingErrors",
		[STINT_REASON_PROMISED] = "RoomIsPromised",
		[STINT_REASON_LEAVING] = "WaitsForLeavingPods",
		[STINT_REASON_CLAIM] = "PodSchedulingErrors",
	};
	return names[reason];
}

const char *stint_restraint_name(enum stint_restraint restraint)
{
	static const char *const names[] = {NULL, "preemption-delay", "min-runtime"};
	return names[restraint];
}

const char *stint_cause_text(enum stint_cause cause)
{
	static const char *const texts[STINT_CAUSE_COUNT] = {
		[STINT_CAUSE_REQUEST] = "the pod's specification makes no sense",
		[STINT_CAUSE_UNSCHEDULABLE] = "node(s) were unschedulable",
		[STINT_CAUSE_NOT_READY] = "node(s) were not ready",
		[STINT_CAUSE_PRESSURE] = "node(s) were under memory, disk, process or network pressure",
		[STINT_CAUSE_POOL] = "node(s) were in other node pools",
		[STINT_CAUSE_SELECTOR] = "node(s) didn't match Pod's node affinity/selector",
		[STINT_CAUSE_TAINT] = "node(s) had untolerated taint(s)",
		[STINT_CAUSE_PORTS] = "node(s) didn't have free ports for the requested pod ports",
		[STINT_CAUSE_GPU] = "node(s) didn't have enough resources: GPUs",
		[STINT_CAUSE_GPU_SHARE] = "node(s) didn't have enough resources: room on a GPU",
		[STINT_CAUSE_GPU_MEMORY] = "node(s) didn't have enough resources: GPU memory",
		[STINT_CAUSE_CPU] = "node(s) didn't have enough resources: CPU cores",
		[STINT_CAUSE_MEMORY] = "node(s) didn't have enough resources: memory",
		[STINT_CAUSE_PODS] = "node(s) pod number exceeded",
		[STINT_CAUSE_MIG] = "node(s) offered GPUs in another form: whole devices or MIG instances",
		[STINT_CAUSE_LEGACY_MIG] = "node(s) ran pods with MIG by annotation",
		[STINT_CAUSE_AFFINITY] = "node(s) didn't match pod affinity rules",
		[STINT_CAUSE_ANTI_AFFINITY] = "node(s) didn't match pod anti-affinity rules",
		[STINT_CAUSE_AVOIDED] = "node(s) didn't satisfy existing pods anti-affinity rules",
		[STINT_CAUSE_SPREAD] = "node(s) didn't match pod topology spread constraints",
		[STINT_CAUSE_EXTENDED] = "node(s) didn't have enough resources",
		[STINT_CAUSE_CLAIM] = "node(s) cannot allocate all resource claims",
		[STINT_CAUSE_VOLUME_AWAY] = "node(s) didn't match PersistentVolume's node affinity",
		[STINT_CAUSE_NO_VOLUME] = "node(s) didn't find available persistent volumes to bind",
		[STINT_CAUSE_ZONES] = "node(s) cannot align the pod with their NUMA zones",
	};
	return texts[cause];
}

/* ---- what a node is short of ----------------------------------------------------------------------------------------------------- */

static unsigned cause_bit(bool holds, enum stint_cause cause)
{
	return holds ? 1U << cause : 0;
}

static unsigned short_extended(const struct stint_engine *engine, const struct shape *shape, uint32_t handle, bool empty, const char **name)
{
	for (uint32_t i = 0; i < shape->extended_count; i++) {
		const struct shape_extended *asked = &shape->extended[i];
		int64_t has = 0;
		if (asked->resource != STINT_NO_HANDLE) {
			const struct extended *book = engine_extended(engine, handle, asked->resource);
			has = empty ? book->offered : book->idle + book->leaving;
		}
		if (asked->amount > has) {
			*name = shape->spec->request.extended[i].name;
			return 1U << STINT_CAUSE_EXTENDED;
		}
	}
	return 0;
}

/* The resources, as bits of causes, that the node could not give if nothing ran on it. */
static unsigned short_when_empty(const struct stint_engine *engine, const struct shape *shape, uint32_t handle, const char **extended)
{
	const struct stint_resources *offered = &engine->nodes[handle].object->allocatable;
	const bool shared = shape->gpu == STINT_GPU_FRACTION || shape->gpu == STINT_GPU_MEMORY;
	const bool too_few = (int64_t)shape->devices > offered->gpu_milli / 1000 || shape->devices > STINT_MAX_DEVICES;
	return cause_bit(shape->cpu_milli > offered->cpu_milli, STINT_CAUSE_CPU) |
		cause_bit(shape->memory_bytes > offered->memory_bytes, STINT_CAUSE_MEMORY) |
		cause_bit(offered->pods < (shared ? 2 : 1), STINT_CAUSE_PODS) |
		cause_bit(too_few, shared ? STINT_CAUSE_GPU_SHARE : STINT_CAUSE_GPU) |
		cause_bit(shape->claims_count && !engine_claims_fit_empty(engine, shape, handle), STINT_CAUSE_CLAIM) |
		cause_bit(!engine_zones_fit_empty(engine, shape, handle), STINT_CAUSE_ZONES) |
		short_extended(engine, shape, handle, true, extended);
}

static unsigned short_now(const struct stint_engine *engine, const struct shape *shape, uint32_t handle, const char **extended)
{
	const struct books *books = &engine->books[handle];
	const int32_t devices = books->gpus_idle + books->gpus_leaving;
	unsigned bits = cause_bit(shape->cpu_milli > 0 && shape->cpu_milli > books->cpu_idle + books->cpu_leaving, STINT_CAUSE_CPU) |
		cause_bit(shape->memory_bytes > 0 && shape->memory_bytes > books->memory_idle + books->memory_leaving, STINT_CAUSE_MEMORY) |
		short_extended(engine, shape, handle, false, extended) |
		cause_bit(!engine_ports_free(engine, shape, handle), STINT_CAUSE_PORTS) |
		cause_bit(shape->mig && engine->nodes[handle].legacy_mig > 0, STINT_CAUSE_LEGACY_MIG);
	uint32_t span;
	bits |= cause_bit(shape->claims_count && engine_claims_fit(engine, shape, handle) == FIT_NONE, STINT_CAUSE_CLAIM);
	bits |= cause_bit(engine_zones_fit(engine, shape, handle, &span) == FIT_NONE, STINT_CAUSE_ZONES);
	const enum stint_cause others = shape->terms ? engine_affinity_cause(engine, shape, handle) : STINT_CAUSE_COUNT;
	bits |= cause_bit(others != STINT_CAUSE_COUNT, others);
	int32_t slots = 1;
	if (shape->gpu == STINT_GPU_WHOLE) {
		bits |= cause_bit((int64_t)shape->devices > devices, STINT_CAUSE_GPU);
	} else if (shape->gpu != STINT_GPU_NONE) {
		const uint32_t fitting = engine_devices_fitting(engine, handle, engine_share_mib(engine, shape, handle));
		bits |= cause_bit((int64_t)shape->devices > (int64_t)devices + fitting, STINT_CAUSE_GPU_SHARE);
		slots = fitting < shape->devices ? 2 : 1;
	}
	return bits | cause_bit(books->pods_idle + books->pods_leaving < slots, STINT_CAUSE_PODS);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How many pods of the shape the node would take if nothing ran on it. */
uint64_t engine_copies_when_empty(const struct stint_engine *engine, const struct shape *shape, uint32_t handle)
{
	const struct stint_resources *offered = &engine->nodes[handle].object->allocatable;
	const char *ignored;
	if (short_when_empty(engine, shape, handle, &ignored))
		return 0;
	uint64_t copies = offered->pods > 0 ? (uint64_t)offered->pods : 0;
	if (shape->cpu_milli)
		copies = least(copies, (uint64_t)(offered->cpu_milli / shape->cpu_milli));
	if (shape->memory_bytes)
		copies = least(copies, (uint64_t)(offered->memory_bytes / shape->memory_bytes));
	if (shape->gpu != STINT_GPU_NONE) {
		const int32_t mib = engine_share_mib(engine, shape, handle);
		const uint64_t shares = mib > 0 ? (uint64_t)(engine->books[handle].device_mib / mib) : 1;
		copies = least(copies, shares * (uint64_t)(offered->gpu_milli / 1000) / shape->devices);
	}
	for (uint32_t i = 0; i < shape->extended_count; i++) {
		if (shape->extended[i].amount)
			copies = least(copies,
				(uint64_t)(engine_extended(engine, handle, shape->extended[i].resource)->offered /
					shape->extended[i].amount));
	}
	if (shape->claims_count)
		copies = least(copies, engine_claims_copies(engine, shape, handle));
	return shape->spec->host_ports_count || engine_affinity_avoids_itself(shape) ? least(copies, 1) : copies;
}

/* ---- holders ------------------------------------------------------------------------------------------------------------------------ */

/* What it has of devices as people are told everywhere; queues are charged in hundredths, rounded up. */
static double devices_of(const struct stint_engine *engine, const struct pod *pod, const struct shape *shape)
{
	const struct stint_gpu_ask *gpu = &shape->spec->gpu;
	const bool shares = pod->node != STINT_NO_HANDLE && !pod->claim_percent;
	if (shares && gpu->kind == STINT_GPU_FRACTION)
		return gpu->portion * gpu->devices;
	if (shares && gpu->kind == STINT_GPU_MEMORY && engine->books[pod->node].device_mib > 0)
		return (double)gpu->memory_mib * gpu->devices / (double)engine->books[pod->node].device_mib;
	return (double)engine_pod_gpu_percent(pod, shape) / 100.0;
}

static void add_holder(const struct stint_engine *engine, struct stint_holder *all, uint32_t handle)
{
	const struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	const size_t at = pod->group == STINT_NO_HANDLE ? engine->groups_count : pod->group;
	all[at].group = pod->group;
	all[at].pods++;
	all[at].cpu_milli = plus(all[at].cpu_milli, shape->cpu_milli);
	all[at].memory_bytes = plus(all[at].memory_bytes, shape->memory_bytes);
	all[at].gpus += devices_of(engine, pod, shape);
	all[at].leaving = all[at].leaving || pod->status == STINT_POD_RELEASING;
}

static bool has_of(const struct stint_engine *engine, uint32_t handle, unsigned needed)
{
	const struct pod *pod = &engine->pods[handle];
	const struct shape *shape = &engine->shapes[pod->shape];
	const unsigned gpus = 1U << STINT_CAUSE_GPU | 1U << STINT_CAUSE_GPU_SHARE;
	if (pod->choice != STINT_NO_HANDLE &&
		((needed & 1U << STINT_CAUSE_CLAIM && engine->dra.choices[pod->choice].picks_count) ||
			(needed & 1U << STINT_CAUSE_ZONES && engine->dra.choices[pod->choice].zones)))
		return true;
	const unsigned anything = 1U << STINT_CAUSE_PODS | 1U << STINT_CAUSE_EXTENDED | 1U << STINT_CAUSE_PORTS;
	return (needed & anything) || ((needed & gpus) && shape->gpu != STINT_GPU_NONE && !pod->holder) ||
		((needed & 1U << STINT_CAUSE_CPU) && shape->cpu_milli) || ((needed & 1U << STINT_CAUSE_MEMORY) && shape->memory_bytes);
}

static void holders_on_node(const struct stint_engine *engine, uint32_t node, unsigned needed, bool leaving_only, struct stint_holder *all)
{
	for (uint32_t pod = engine->nodes[node].first_pod; pod != STINT_NO_HANDLE; pod = engine->pods[pod].node_next) {
		if (leaving_only ? engine->pods[pod].status == STINT_POD_RELEASING : has_of(engine, pod, needed))
			add_holder(engine, all, pod);
	}
}

static bool below(const struct stint_engine *engine, uint32_t queue, uint32_t above)
{
	while (queue != STINT_NO_HANDLE && queue != above)
		queue = engine->queues[queue].parent;
	return queue == above;
}

static void holders_in_queue(const struct stint_engine *engine, const struct stint_record *record, struct stint_holder *all)
{
	for (uint32_t i = 0; i < engine->groups_count; i++) {
		const struct group *group = &engine->groups[i];
		if (!group->key || !group->active || !below(engine, group->queue, record->queue) ||
			(record->reason == STINT_REASON_OVER_QUOTA && group->preemptible))
			continue;
		for (uint32_t p = 0; p < group->pods_count; p++) {
			const enum stint_pod_status status = engine->pods[group->pods[p]].status;
			if (status == STINT_POD_ASSUMED || status == STINT_POD_BOUND)
				add_holder(engine, all, group->pods[p]);
		}
	}
}

static bool has_more(const struct stint_engine *engine, const struct stint_holder *a, const struct stint_holder *b)
{
	if (a->gpus != b->gpus)
		return a->gpus > b->gpus;
	if (a->cpu_milli != b->cpu_milli)
		return a->cpu_milli > b->cpu_milli;
	if (a->group == STINT_NO_HANDLE || b->group == STINT_NO_HANDLE)
		return b->group == STINT_NO_HANDLE;
	return strcmp(engine->groups[a->group].key, engine->groups[b->group].key) < 0;
}

static void keep_largest(const struct stint_engine *engine, const struct stint_holder *all, struct stint_why *out)
{
	for (size_t i = 0; i <= engine->groups_count; i++) {
		if (!all[i].pods)
			continue;
		out->holders_total++;
		size_t at = out->holders_count;
		while (at > 0 && has_more(engine, &all[i], &out->holders[at - 1]))
			at--;
		if (at > STINT_MAX_HOLDERS)
			continue;
		if (out->holders_count <= STINT_MAX_HOLDERS)
			out->holders_count++;
		memmove(&out->holders[at + 1], &out->holders[at], (out->holders_count - at - 1) * sizeof *out->holders);
		out->holders[at] = all[i];
	}
	if (out->holders_total > STINT_MAX_HOLDERS + 1)
		out->holders_count = STINT_MAX_HOLDERS;
}

/* ---- the whole answer ----------------------------------------------------------------------------------------------------------------- */

static void count_bits(unsigned bits, uint32_t counts[static STINT_CAUSE_COUNT])
{
	for (enum stint_cause cause = 0; cause < STINT_CAUSE_COUNT; cause++)
		counts[cause] += bits >> cause & 1;
}

static void look_at_node(
	const struct stint_engine *engine, const struct shape *shape, uint32_t handle, struct stint_holder *all, struct stint_why *out)
{
	const enum stint_cause matching = engine_matching_cause(engine, shape, handle);
	const enum stint_cause fixed = engine_fixed_cause(engine, shape, handle);
	out->nodes++;
	if (fixed != STINT_CAUSE_COUNT) {
		out->short_of[fixed]++;
		out->even_empty[fixed] += fixed == matching && fixed != STINT_CAUSE_NO_VOLUME;
		return;
	}
	const unsigned empty = short_when_empty(engine, shape, handle, &out->extended);
	const unsigned now = short_now(engine, shape, handle, &out->extended);
	count_bits(now, out->short_of);
	count_bits(empty & now, out->even_empty);
	out->fitting += !now;
	if (empty)
		return;
	if (out->record.reason == STINT_REASON_NO_ROOM || out->record.reason == STINT_REASON_TOPOLOGY)
		holders_on_node(engine, handle, now, false, all);
	else if (engine->pods[out->record.pod].node == handle || engine->pods[out->record.pod].node == STINT_NO_HANDLE)
		holders_on_node(engine, handle, 0, true, all);
}

/* Of the empty cluster, or of the pool that takes most: a group that lists pools is placed in one of them. */
static uint64_t room_when_empty(const struct stint_engine *engine, const struct pool_list *pools, const struct shape *shape)
{
	uint64_t sums[STINT_MAX_POOLS + 1] = {0}, most = 0;
	for (uint32_t node = 0; node < engine->nodes_count; node++) {
		if (!engine->nodes[node].object)
			continue;
		/* A volume may yet be made or come free: that is for the cluster's people to see, and for no engine to rule out. */
		const enum stint_cause cause = engine_matching_cause(engine, shape, node);
		if (cause != STINT_CAUSE_COUNT && cause != STINT_CAUSE_NO_VOLUME)
			continue;
		uint32_t at = 0;
		while (at < pools->count && pools->items[at] != engine->nodes[node].pool)
			at++;
		sums[at] += engine_copies_when_empty(engine, shape, node);
	}
	for (uint32_t i = 0; i <= pools->count; i++)
		most = sums[i] > most ? sums[i] : most;
	return most;
}

/* Pods of the shape that must be placed for the group to run at all. */
static uint64_t must_have(const struct stint_engine *engine, const struct group *group, uint32_t shape)
{
	if (group->active >= group->min_member)
		return 1;
	uint64_t same = 0, others = 0;
	for (uint32_t i = 0; i < group->pods_count; i++) {
		if (engine->pods[group->pods[i]].shape == shape)
			same++;
		else
			others++;
	}
	return others >= group->min_member ? 1 : least(same, group->min_member - others);
}

uint32_t engine_place_in_line(const struct stint_engine *engine, uint32_t handle, uint32_t *waiting)
{
	const struct group *group = &engine->groups[handle];
	*waiting = 0;
	if (group->queue == STINT_NO_HANDLE || !group->listed)
		return 0;
	const struct line *line = &engine->queues[group->queue].line;
	uint32_t position = 1;
	for (size_t i = 0; i < line->count; i++) {
		const uint32_t other = line->items[i].group;
		if (engine->groups[other].stamp != line->items[i].stamp)
			continue;
		++*waiting;
		position += other != handle && engine_group_precedes(engine, other, handle);
	}
	return position;
}

static void tell_claim(const struct stint_engine *engine, struct stint_why *out)
{
	uint32_t claim;
	out->record.problem = engine_claims_problem(engine, out->record.pod, &claim, &out->device_class);
	const struct stint_pod *pod = engine->pods[out->record.pod].object;
	for (uint32_t i = 0; i < pod->claims_count && claim == STINT_NO_HANDLE && !out->claim; i++)
		out->claim = pod->claims[i].claim || pod->claims[i].unneeded ? NULL : pod->claims[i].name;
	if (claim != STINT_NO_HANDLE) {
		out->claim = engine->dra.claims[claim].key;
		if (out->record.problem == STINT_CLAIM_NOT_UNDERSTOOD)
			out->problem = engine->dra.claims[claim].object->problem;
	}
	if (out->record.problem == STINT_CLAIM_CLASS_NOT_UNDERSTOOD)
		out->problem = ((const struct stint_device_class *)stint_map_get(engine->dra.classes, out->device_class))->problem;
}

void stint_engine_why(const struct stint_engine *engine, uint32_t handle, struct stint_why *out)
{
	const struct group *group = &engine->groups[handle];
	const struct stint_record *record = engine_record(group);
	*out = (struct stint_why){.record = *record};
	out->position = engine_place_in_line(engine, handle, &out->waiting);
	stint_autofree struct stint_holder *all = stint_alloc((engine->groups_count + 1) * sizeof *all);
	switch (record->reason) {
	case STINT_REASON_OVER_LIMIT:
	case STINT_REASON_OVER_QUOTA:
		engine_queue_figures(engine, &out->record);
		out->never = out->record.asked > out->record.bound;
		out->record.pod = engine_group_first_waiting(engine, group);
		holders_in_queue(engine, record, all);
		break;
	case STINT_REASON_NO_ROOM:
	case STINT_REASON_TOPOLOGY:
	case STINT_REASON_LEAVING: {
		const uint32_t index = engine->pods[record->pod].shape;
		const struct shape *shape = &engine->shapes[index];
		for (uint32_t i = 0; i < engine->nodes_count; i++) {
			if (engine->nodes[i].object)
				look_at_node(engine, shape, i, all, out);
		}
		out->room_when_empty = room_when_empty(engine, &group->pools, shape);
		out->problem = shape->problem ? shape->problem : shape->spec->gpu.problem;
		out->never = out->problem || out->room_when_empty < must_have(engine, group, index);
		break;
	}
	case STINT_REASON_CLAIM: tell_claim(engine, out); break;
	default: break;
	}
	keep_largest(engine, all, out);
}
