/*
 * groups: the table of groups, whether they are ready, and their place in the line of their queue (kai-engine 1.5, 4.6).
 *
 * Owns engine.groups. Most groups are one set of pods with a minimum; one that has parts has a tree besides (gang.c), and this file asks it
 * for readiness, the next chunk and the next step, so that nobody else has to know which kind a group is.
 * Costs: a change of a pod costs O(1) here; a change of priority, queue, preemptibility or parts costs the pods of the group.
 */
#include "state.h"

uint32_t stint_engine_group_find(const struct stint_engine *engine, const char *key)
{
	return (uint32_t)(uintptr_t)stint_map_get(engine->group_keys, key) - 1;
}

/* ---- place in line ------------------------------------------------------------------------------------------------------------ */

void engine_group_unlist(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	if (!group->listed)
		return;
	group->listed = false;
	group->stamp++;
	engine->search_epoch++;
	engine->queues[group->queue].line.stale = true;
}

static void enlist(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	struct queue *queue = &engine->queues[group->queue];
	struct line *line = &queue->line;
	stint_grow(&line->items, &line->capacity, line->count + 1, sizeof *line->items);
	line->items[line->count++] = (struct line_entry){handle, ++group->stamp};
	group->listed = true;
	queue->verdict_due = true;
	engine->enlisted++;
}

uint8_t engine_group_elastic(const struct group *group)
{
	if (group->gang)
		return group->gang->below ? 0 : group->gang->above ? 2 : 1;
	return group->active < group->min_member ? 0 : group->active == group->min_member ? 1 : 2;
}

/* Some of it runs and its gang is not whole (kai-engine 1.5). */
bool engine_group_stale(const struct group *group)
{
	return !group->some_succeeded && group->active + group->leaving > 0 && !engine_group_held(group);
}

static void suspect(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	if (group->suspect || (!engine_group_stale(group) && !group->stale_since_ms))
		return;
	group->suspect = true;
	handles_push(&engine->suspects, handle);
}

static struct stint_record record_between_cycles(const struct group *group)
{
	struct stint_record record = {.queue = STINT_NO_HANDLE, .pod = STINT_NO_HANDLE, .since_ms = -1};
	if (group->pending + group->gated + group->astray == 0)
		return record;
	if (group->queue == STINT_NO_HANDLE && group->pending + group->astray > 0) {
		record.reason = STINT_REASON_NO_QUEUE;
	} else if (group->astray > 0 && !engine_group_ready(group)) {
		record.reason = STINT_REASON_NO_PART;
		record.part = engine_gang_astray(group->gang);
		record.have = group->astray;
	} else if (group->pending == 0) {
		record.reason = STINT_REASON_GATED;
	} else if (!engine_group_ready(group)) {
		record.reason = STINT_REASON_INCOMPLETE;
		record.have = group->active + group->pending;
		record.need = group->min_member;
		if (group->gang)
			engine_gang_lacks(group->gang, &record);
	}
	return record;
}

void engine_group_touch(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	const bool waits = group->pending > 0 && group->queue != STINT_NO_HANDLE;
	/* What waits shapes the order of queues, by which searches for others are judged. */
	engine->search_epoch += waits || group->waits;
	if (waits != group->waits) {
		engine->queues[group->queue].waiting += waits ? 1 : UINT32_MAX;
		group->waits = waits;
	}
	const bool wanted = waits && engine_group_ready(group);
	const uint8_t elastic = engine_group_elastic(group);
	if (group->listed && (!wanted || elastic != group->elastic))
		engine_group_unlist(engine, handle);
	group->elastic = elastic;
	if (wanted && !group->listed)
		enlist(engine, handle);
	group->memo.kind = MEMO_NONE;
	engine_group_hope(group);
	memset(group->searched, 0, sizeof group->searched);
	suspect(engine, handle);
	engine->stirred = true;

	const struct stint_record record = record_between_cycles(group);
	const struct stint_record *former = engine_record(group);
	const enum stint_reason now = former->reason;
	const bool pod_gone = former->pod != STINT_NO_HANDLE && engine->pods[former->pod].group != handle;
	const bool cleared = pod_gone || now == STINT_REASON_INCOMPLETE || now == STINT_REASON_GATED || now == STINT_REASON_NO_PART ||
		(group->pending == 0 && !group->reserved);
	if (record.reason != STINT_REASON_NONE || cleared)
		engine_group_judge(engine, handle, &record);
}

/* ---- records -------------------------------------------------------------------------------------------------------------------- */

/* Begins a new list of judged groups when a cycle has handed out the one before. */
void engine_judged_renew(struct stint_engine *engine)
{
	if (!engine->judged_delivered)
		return;
	for (size_t i = 0; i < engine->judged.count; i++)
		engine->groups[engine->judged.items[i]].judged = false;
	engine->judged.count = 0;
	engine->judged_delivered = false;
}

/* Most groups run and have nothing to tell: they have no record. */
void engine_record_set(struct group *group, const struct stint_record *record)
{
	if (record->reason == STINT_REASON_NONE) {
		free(group->record);
		group->record = NULL;
		return;
	}
	if (!group->record)
		group->record = stint_alloc(sizeof *group->record);
	*group->record = *record;
}

const struct stint_record *engine_record(const struct group *group)
{
	static const struct stint_record none = {.queue = STINT_NO_HANDLE, .pod = STINT_NO_HANDLE, .since_ms = -1};
	return group->record ? group->record : &none;
}

uint32_t engine_group_first_waiting(const struct stint_engine *engine, const struct group *group)
{
	for (uint32_t i = 0; i < group->pods_count; i++) {
		if (engine->pods[group->pods[i]].status == STINT_POD_PENDING)
			return group->pods[i];
	}
	return group->pods_count ? group->pods[0] : STINT_NO_HANDLE;
}

void engine_group_judge(struct stint_engine *engine, uint32_t handle, const struct stint_record *record)
{
	struct group *group = &engine->groups[handle];
	const struct stint_record *now = engine_record(group);
	if (now->reason == record->reason && now->dimension == record->dimension && now->queue == record->queue &&
		now->part == record->part && now->bound == record->bound && now->allocated == record->allocated &&
		now->asked == record->asked && now->have == record->have && now->need == record->need && now->pod == record->pod &&
		now->blocker == record->blocker && now->expected_ms == record->expected_ms && now->problem == record->problem &&
		now->restraint == record->restraint && now->restrained_action == record->restrained_action &&
		now->restrained_until_ms == record->restrained_until_ms && now->restrained_by == record->restrained_by)
		return;
	const int64_t since_ms = now->reason == record->reason ? now->since_ms : record->since_ms;
	engine_record_set(group, record);
	if (group->record)
		group->record->since_ms = since_ms;
	engine_judged_renew(engine);
	if (!group->judged) {
		group->judged = true;
		handles_push(&engine->judged, handle);
	}
}

struct stint_record stint_engine_record(const struct stint_engine *engine, uint32_t group)
{
	return *engine_record(&engine->groups[group]);
}

struct stint_record_place stint_engine_record_place(const struct stint_engine *engine, uint32_t handle)
{
	const struct group *group = &engine->groups[handle];
	const struct stint_record *record = engine_record(group);
	struct stint_record_place place = {0};
	if (!group->gang || record->reason == STINT_REASON_NONE)
		return place;
	const struct part *part = &group->gang->parts[record->part];
	place.part = part->name[0] && !group->gang->implied ? part->name : NULL;
	if (record->reason == STINT_REASON_NO_PART)
		place.part = part->name;
	if (record->reason == STINT_REASON_TOPOLOGY || record->reason == STINT_REASON_NO_TOPOLOGY) {
		place.topology = part->topology;
		place.level = part->required ? part->required : part->preferred;
		place.domain = group->gang->domain;
	}
	return place;
}

struct stint_loss stint_engine_loss(const struct stint_engine *engine, uint32_t group)
{
	static const struct stint_loss none = {.serves = STINT_NO_HANDLE, .at_ms = -1};
	return engine->groups[group].loss ? *engine->groups[group].loss : none;
}

/* ---- its specification ------------------------------------------------------------------------------------------------------------ */

static void leave_queue(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	struct queue *queue = &engine->queues[group->queue];
	if (group->queue_previous != STINT_NO_HANDLE)
		engine->groups[group->queue_previous].queue_next = group->queue_next;
	else
		queue->first_group = group->queue_next;
	if (group->queue_next != STINT_NO_HANDLE)
		engine->groups[group->queue_next].queue_previous = group->queue_previous;
	queue->waiting -= group->waits;
	queue->groups--;
	engine_queue_release(engine, group->queue);
}

static void join_queue(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	struct queue *queue = &engine->queues[group->queue];
	group->queue_previous = STINT_NO_HANDLE;
	group->queue_next = queue->first_group;
	if (queue->first_group != STINT_NO_HANDLE)
		engine->groups[queue->first_group].queue_previous = handle;
	queue->first_group = handle;
	queue->groups++;
}

static void set_queue(struct stint_engine *engine, uint32_t handle, const char *name)
{
	const uint32_t queue = name ? engine_queue_named(engine, name) : STINT_NO_HANDLE;
	struct group *group = &engine->groups[handle];
	if (queue == group->queue)
		return;
	if (group->queue != STINT_NO_HANDLE)
		leave_queue(engine, handle);
	group->waits = false;
	group->queue = queue;
	if (queue != STINT_NO_HANDLE)
		join_queue(engine, handle);
}

/* What is said of its history; what is not said stays as the engine has seen it. True: something is new. */
static bool take_history(struct stint_engine *engine, struct group *group, const struct stint_group_spec *spec)
{
	const int64_t started_ms = spec->started_ms ? spec->started_ms : group->started_ms;
	const int64_t evicted_ms = spec->last_evicted_ms ? spec->last_evicted_ms : group->last_evicted_ms;
	const int64_t stale_ms = spec->stale_since_ms ? spec->stale_since_ms : group->stale_since_ms;
	const bool same = started_ms == group->started_ms && evicted_ms == group->last_evicted_ms && stale_ms == group->stale_since_ms &&
		spec->preemption_delay_ms == group->preemption_delay_ms && spec->stale_grace_ms == group->stale_grace_ms &&
		spec->has_stale_grace == group->has_stale_grace && spec->some_succeeded == group->some_succeeded;
	group->started_ms = started_ms;
	group->last_evicted_ms = evicted_ms;
	group->stale_since_ms = stale_ms;
	engine->delayed_groups += (spec->preemption_delay_ms > 0) - (group->preemption_delay_ms > 0);
	group->preemption_delay_ms = spec->preemption_delay_ms;
	group->stale_grace_ms = spec->stale_grace_ms;
	group->has_stale_grace = spec->has_stale_grace;
	group->some_succeeded = spec->some_succeeded;
	return !same;
}

static bool same_parts(const struct group *group, const struct stint_group_spec *spec)
{
	if (spec->parts_count)
		return group->gang && !group->gang->implied && engine_gang_same(group->gang, spec->parts, spec->parts_count);
	return (!group->gang || group->gang->implied) && group->min_member == spec->min_member;
}

static const char default_part[] = "default";

static struct gang *implied_gang(uint32_t min_member)
{
	const struct stint_part_spec parts[] = {
		{.name = "", .inner = true, .needs = STINT_ALL},
		{.name = default_part, .needs = min_member},
	};
	struct gang *gang = engine_gang_new(parts, STINT_COUNT(parts));
	gang->implied = true;
	return gang;
}

const char *engine_group_part_name(const struct group *group, uint32_t part)
{
	return group->gang ? group->gang->parts[part].name : default_part;
}

uint32_t engine_group_part(struct stint_engine *engine, uint32_t handle, const char *name)
{
	struct group *group = &engine->groups[handle];
	if (!name)
		name = default_part;
	if (!group->gang && strcmp(name, default_part) == 0)
		return 0;
	if (!group->gang) {
		engine_account_group(engine, handle, -1);
		group->gang = implied_gang(group->min_member);
		for (uint32_t i = 0; i < group->pods_count; i++)
			engine->pods[group->pods[i]].part = engine_gang_part(group->gang, default_part);
		engine_account_group(engine, handle, 1);
		group->unsorted = true;
	}
	return engine_gang_part(group->gang, name);
}

/* The group's pods are out of the books meanwhile; each keeps the name of its part. */
static void set_parts(struct stint_engine *engine, uint32_t handle, const struct stint_group_spec *spec)
{
	struct group *group = &engine->groups[handle];
	const struct group former = *group;
	bool astray = false;
	if (same_parts(group, spec))
		return;
	for (uint32_t i = 0; i < group->pods_count; i++)
		astray = astray || strcmp(engine_group_part_name(&former, engine->pods[group->pods[i]].part), default_part) != 0;
	group->min_member = spec->min_member;
	group->gang = spec->parts_count ? engine_gang_new(spec->parts, spec->parts_count) : astray ? implied_gang(spec->min_member) : NULL;
	if (spec->parts_count)
		group->min_member = group->gang->least_pods;
	for (uint32_t i = 0; i < group->pods_count; i++) {
		struct pod *pod = &engine->pods[group->pods[i]];
		pod->part = group->gang ? engine_gang_part(group->gang, engine_group_part_name(&former, pod->part)) : 0;
	}
	group->unsorted = true;
	/* The record speaks of parts that are no more. */
	const struct stint_record none = {.queue = STINT_NO_HANDLE, .pod = STINT_NO_HANDLE, .since_ms = -1};
	if (former.gang)
		engine_group_judge(engine, handle, &none);
	engine_gang_free(former.gang);
}

uint32_t stint_engine_group_upsert(struct stint_engine *engine, const struct stint_group_spec *spec)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_GROUP, .group = spec});
	engine_drop_reservations(engine);
	uint32_t handle = stint_engine_group_find(engine, spec->key);
	if (handle == STINT_NO_HANDLE) {
		const bool reused = engine->free_groups.count > 0;
		if (!reused)
			stint_grow(&engine->groups, &engine->groups_capacity, engine->groups_count + 1, sizeof *engine->groups);
		handle = engine_take_slot(&engine->free_groups, &engine->groups_count);
		/* The stamp goes on counting: an old entry in a line must not be taken for this group. */
		engine->groups[handle] = (struct group){
			.stamp = reused ? engine->groups[handle].stamp : 0,
			.judged = reused && engine->groups[handle].judged,
			.suspect = reused && engine->groups[handle].suspect,
			.key = stint_strdup(spec->key),
			.queue = STINT_NO_HANDLE,
		};
		stint_map_set(engine->group_keys, engine->groups[handle].key, (void *)(uintptr_t)(handle + 1));
	}
	struct group *group = &engine->groups[handle];
	const char *queue = group->queue == STINT_NO_HANDLE ? NULL : engine->queues[group->queue].name;
	const bool same_queue = queue && spec->queue ? strcmp(queue, spec->queue) == 0 : queue == spec->queue;
	const bool new_history = take_history(engine, group, spec);
	if (same_queue && group->priority == spec->priority && group->preemptible == spec->preemptible &&
		group->created_ms == spec->created_ms && same_parts(group, spec) && group->time_ms == spec->time_ms &&
		engine_pools_same(engine, &group->pools, spec)) {
		engine->search_epoch += new_history;
		if (new_history)
			engine_group_touch(engine, handle);
		return handle;
	}
	engine->timed_groups += (spec->time_ms > 0) - (group->time_ms > 0);
	group->time_ms = spec->time_ms;
	engine_group_unlist(engine, handle);
	engine_account_group(engine, handle, -1);
	set_queue(engine, handle, spec->queue);
	group->priority = spec->priority;
	group->preemptible = spec->preemptible;
	group->created_ms = spec->created_ms;
	set_parts(engine, handle, spec);
	engine_pools_set(engine, handle, spec);
	engine_account_group(engine, handle, 1);
	engine->search_epoch++;
	engine_group_touch(engine, handle);
	return handle;
}

void stint_engine_group_spare(struct stint_engine *engine, uint32_t handle, bool spared)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_SPARE, .name = engine->groups[handle].key, .spared = spared});
	struct group *group = &engine->groups[handle];
	if (group->spared == spared)
		return;
	group->spared = spared;
	engine->search_epoch++;
	engine->stirred = true;
}

bool stint_engine_group_remove(struct stint_engine *engine, uint32_t handle)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_GROUP_GONE, .name = engine->groups[handle].key});
	engine_drop_reservations(engine);
	struct group *group = &engine->groups[handle];
	if (group->pods_count)
		return false;
	engine_group_unlist(engine, handle);
	engine_backfill_forget(engine, handle);
	engine->timed_groups -= group->time_ms > 0;
	engine->delayed_groups -= group->preemption_delay_ms > 0;
	set_queue(engine, handle, NULL);
	stint_map_remove(engine->group_keys, group->key);
	free(group->key);
	free(group->pods);
	free(group->record);
	free(group->loss);
	engine_gang_free(group->gang);
	engine_pools_clear(engine, &group->pools);
	const uint32_t stamp = group->stamp;
	const bool judged = group->judged, suspected = group->suspect;
	*group = (struct group){.queue = STINT_NO_HANDLE, .stamp = stamp, .judged = judged, .suspect = suspected};
	handles_push(&engine->free_groups, handle);
	return true;
}

/* ---- its pods ------------------------------------------------------------------------------------------------------------------------ */

void engine_group_add_pod(struct stint_engine *engine, uint32_t handle, uint32_t pod)
{
	struct group *group = &engine->groups[handle];
	size_t capacity = group->pods_capacity;
	if (group->pods_count == capacity) {
		capacity = capacity ? 2 * capacity : 1;
		group->pods = stint_realloc(group->pods, capacity * sizeof *group->pods);
		group->pods_capacity = (uint32_t)capacity;
	}
	engine->pods[pod].at = group->pods_count;
	if (group->gang || (group->pods_count && engine_pod_precedes(engine, pod, group->pods[group->pods_count - 1])))
		group->unsorted = true;
	group->pods[group->pods_count++] = pod;
}

void engine_group_drop_pod(struct stint_engine *engine, uint32_t pod)
{
	struct group *group = &engine->groups[engine->pods[pod].group];
	const uint32_t at = engine->pods[pod].at, last = group->pods[--group->pods_count];
	group->unsorted = group->unsorted || group->gang; /* its parts end elsewhere */
	if (last == pod)
		return;
	group->pods[at] = last;
	engine->pods[last].at = at;
	group->unsorted = true;
	if (at < group->first_waiting)
		group->first_waiting = at;
}

static bool member_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	const struct pod *p = &engine->pods[a], *q = &engine->pods[b];
	return p->part != q->part ? p->part < q->part : engine_pod_precedes(engine, a, b);
}

static void find_parts(const struct stint_engine *engine, const struct group *group)
{
	uint32_t at = 0;
	for (uint32_t i = 0; i < group->gang->count; i++) {
		struct part *part = &group->gang->parts[i];
		part->first_pod = part->first_waiting = at;
		while (at < group->pods_count && engine->pods[group->pods[at]].part == i)
			at++;
		part->pods = at - part->first_pod;
	}
}

void engine_group_sort(struct stint_engine *engine, uint32_t handle)
{
	struct group *group = &engine->groups[handle];
	if (!group->unsorted)
		return;
	engine_sort(engine, group->pods, group->pods_count, member_precedes);
	for (uint32_t i = 0; i < group->pods_count; i++)
		engine->pods[group->pods[i]].at = i;
	if (group->gang)
		find_parts(engine, group);
	group->unsorted = false;
	group->first_waiting = 0;
}

/* ---- which pods come next, and which go first ------------------------------------------------------------------------------------------- */

static bool waits(const struct pod *pod, bool with_evicted)
{
	return pod->status == STINT_POD_PENDING || (with_evicted && engine_pod_evicted(pod));
}

void engine_group_chunk(struct stint_engine *engine, uint32_t handle, bool with_evicted, struct handles *out)
{
	engine_group_sort(engine, handle);
	struct group *group = &engine->groups[handle];
	if (group->gang) {
		engine_gang_chunk(engine, group, with_evicted, out);
		return;
	}
	while (group->first_waiting < group->pods_count && engine->pods[group->pods[group->first_waiting]].status != STINT_POD_PENDING)
		group->first_waiting++;
	uint32_t missing = group->active < group->min_member ? group->min_member - group->active : 1;
	for (uint32_t at = with_evicted ? 0 : group->first_waiting; at < group->pods_count && missing; at++) {
		if (!waits(&engine->pods[group->pods[at]], with_evicted))
			continue;
		handles_push(out, group->pods[at]);
		missing--;
	}
}

bool engine_group_step(struct stint_engine *engine, uint32_t handle, struct handles *out)
{
	engine_group_sort(engine, handle);
	const struct group *group = &engine->groups[handle];
	if (group->gang) {
		const size_t before = out->count;
		engine_gang_step(engine, group, out);
		return out->count - before < group->active;
	}
	uint32_t left = group->active > group->min_member ? 1 : group->active;
	const bool more = left < group->active;
	for (uint32_t at = group->pods_count; at > 0 && left; at--) {
		const uint32_t pod = group->pods[at - 1];
		if (!engine_pod_active(&engine->pods[pod]))
			continue;
		handles_push(out, pod);
		left--;
	}
	return more;
}

/* Some set of its pods has more of them than it needs, whatever their status (kai-engine 1.5). */
bool engine_group_is_elastic(struct stint_engine *engine, uint32_t handle)
{
	const struct group *group = &engine->groups[handle];
	engine_group_sort(engine, handle); /* parts know their pods while the list is sorted */
	if (!group->gang)
		return group->min_member < group->pods_count;
	for (uint32_t i = 0; i < group->gang->named; i++) {
		const struct part *part = &group->gang->parts[i];
		if (part->kind == PART_PODS && part->need < part->pods)
			return true;
	}
	return false;
}

static bool is_untouched(const struct pod *pod)
{
	const bool used = engine_pod_active(pod) || pod->status == STINT_POD_RELEASING || pod->status == STINT_POD_STUCK;
	return used && !engine_pod_robbed(pod);
}

static uint32_t untouched(const struct stint_engine *engine, const struct group *group, uint32_t first, uint32_t count)
{
	uint32_t sum = 0;
	for (uint32_t i = first; i < first + count; i++)
		sum += is_untouched(&engine->pods[group->pods[i]]);
	return sum;
}

/* Even without the pods that the plan evicts or moves: each set of pods that the plan touches keeps what it needs (kai-engine 9.1). */
bool engine_group_keeps_minimum(struct stint_engine *engine, uint32_t handle)
{
	engine_group_sort(engine, handle);
	const struct group *group = &engine->groups[handle];
	if (!group->gang)
		return untouched(engine, group, 0, group->pods_count) >= group->min_member;
	for (uint32_t i = 0; i < group->gang->named; i++) {
		const struct part *part = &group->gang->parts[i];
		bool touched = false;
		for (uint32_t p = 0; part->kind == PART_PODS && p < part->pods && !touched; p++)
			touched = engine_pod_robbed(&engine->pods[group->pods[part->first_pod + p]]);
		if (touched && untouched(engine, group, part->first_pod, part->pods) < part->need)
			return false;
	}
	return true;
}

/* It runs, and no set of its pods has some but fewer than it needs. */
bool engine_group_is_whole(const struct group *group)
{
	if (!group->gang)
		return group->active >= group->min_member;
	for (uint32_t i = 0; i < group->gang->named; i++) {
		const struct part *part = &group->gang->parts[i];
		if (part->kind == PART_PODS && part->active && part->active < part->need)
			return false;
	}
	return engine_part_met(&group->gang->parts[0]);
}
