/*
 * gang_order: within a group that has parts, which pods are tried together next, and which go together when it has to give some back
 * (kai-engine 4.3, 4.6, 4.7).
 *
 * Where we differ from KAI on purpose: a part that cannot be complete yields nothing and the next one takes its turn, so that a gang never
 * starts in part (its issue 2096); and a set asks for as many members as it lacks, not for those that come before the satisfied ones.
 * Promises: the pods of any part stand together in a chunk, and parts stand in their order.
 * Costs: O(parts) and O(pods of the chunk). Members are kept in the order of the last time, so that sorting them again is linear.
 */
#include "state.h"

static uint32_t has_of(const struct part *part)
{
	return part->kind == PART_SET ? part->met : part->active;
}

static bool precedes(const struct part *a, const struct part *b)
{
	const uint32_t x = has_of(a), y = has_of(b);
	const bool a_lacks = x < a->need, b_lacks = y < b->need;
	if (a_lacks != b_lacks)
		return a_lacks;
	if (a_lacks)
		return a->rank < b->rank;
	if ((a->need == 0) != (b->need == 0))
		return b->need == 0;
	const uint64_t p = a->need ? (uint64_t)x * b->need : x, q = a->need ? (uint64_t)y * a->need : y;
	return p != q ? p < q : a->rank < b->rank;
}

const uint32_t *engine_gang_members(struct gang *gang, const struct part *set)
{
	uint32_t *members = gang->members + set->first_member;
	for (uint32_t i = 1; i < set->members_count; i++) {
		const uint32_t moving = members[i];
		uint32_t at = i;
		for (; at > 0 && precedes(&gang->parts[moving], &gang->parts[members[at - 1]]); at--)
			members[at] = members[at - 1];
		members[at] = moving;
	}
	return members;
}

/* ---- the next chunk ------------------------------------------------------------------------------------------------------------- */

static bool waits(const struct pod *pod, bool with_evicted)
{
	return pod->status == STINT_POD_PENDING || (with_evicted && engine_pod_evicted(pod));
}

/* Which parts can be complete: those that are ready, and to a plan also those that it evicts itself. Parents stand before their members. */
static void find_possible(const struct stint_engine *engine, const struct group *group, bool with_evicted)
{
	struct gang *gang = group->gang;
	for (uint32_t i = 0; i < gang->count; i++)
		gang->parts[i].chunk_count = gang->parts[i].possible = 0;
	for (uint32_t i = 0; with_evicted && i < group->pods_count; i++) {
		const struct pod *pod = &engine->pods[group->pods[i]];
		gang->parts[pod->part].possible += engine_pod_evicted(pod);
	}
	for (uint32_t i = gang->named; i > 0; i--) {
		struct part *part = &gang->parts[i - 1];
		if (part->kind == PART_PODS)
			part->possible += part->active + part->pending;
		if (part->parent != STINT_NO_HANDLE)
			gang->parts[part->parent].possible += part->possible >= part->need;
	}
}

static void chunk_of_pods(
	const struct stint_engine *engine, const struct group *group, struct part *part, bool with_evicted, struct handles *out)
{
	uint32_t left = part->active < part->need ? part->need - part->active : 1;
	const uint32_t end = part->first_pod + part->pods;
	while (part->first_waiting < end && engine->pods[group->pods[part->first_waiting]].status != STINT_POD_PENDING)
		part->first_waiting++;
	for (uint32_t at = with_evicted ? part->first_pod : part->first_waiting; left > 0 && at < end; at++) {
		if (!waits(&engine->pods[group->pods[at]], with_evicted))
			continue;
		handles_push(out, group->pods[at]);
		left--;
	}
}

static void chunk_of(const struct stint_engine *engine, const struct group *group, uint32_t index, bool with_evicted, struct handles *out)
{
	struct gang *gang = group->gang;
	struct part *part = &gang->parts[index];
	part->chunk_first = (uint32_t)out->count;
	if (part->possible < part->need)
		return;
	if (part->kind == PART_PODS) {
		chunk_of_pods(engine, group, part, with_evicted, out);
	} else {
		const uint32_t *members = engine_gang_members(gang, part);
		/* Those that lack something come first, and enough of them are possible. */
		uint32_t left = part->met < part->need ? part->need - part->met : 1;
		for (uint32_t i = 0; i < part->members_count && left > 0; i++) {
			const struct part *member = &gang->parts[members[i]];
			chunk_of(engine, group, members[i], with_evicted, out);
			left -= member->chunk_count > 0;
		}
	}
	part->chunk_count = (uint32_t)out->count - part->chunk_first;
}

void engine_gang_chunk(const struct stint_engine *engine, const struct group *group, bool with_evicted, struct handles *out)
{
	find_possible(engine, group, with_evicted);
	chunk_of(engine, group, 0, with_evicted, out);
}

/* ---- the next step of giving back -------------------------------------------------------------------------------------------------- */

static void last_pods(
	const struct stint_engine *engine, const struct group *group, const struct part *part, uint32_t most, struct handles *out)
{
	for (uint32_t at = part->first_pod + part->pods; at > part->first_pod && most > 0; at--) {
		if (!engine_pod_active(&engine->pods[group->pods[at - 1]]))
			continue;
		handles_push(out, group->pods[at - 1]);
		most--;
	}
}

static void all_pods(const struct stint_engine *engine, const struct group *group, const struct part *part, struct handles *out)
{
	if (part->kind != PART_SET)
		last_pods(engine, group, part, part->active, out);
	for (uint32_t i = part->members_count; i > 0; i--)
		all_pods(engine, group, &group->gang->parts[group->gang->members[part->first_member + i - 1]], out);
}

static bool has_surplus(const struct gang *gang, const struct part *part)
{
	if (part->kind != PART_SET)
		return part->active > part->need;
	for (uint32_t i = 0; i < part->members_count; i++) {
		if (has_surplus(gang, &gang->parts[gang->members[part->first_member + i]]))
			return true;
	}
	return false;
}

static void step_of(const struct stint_engine *engine, const struct group *group, const struct part *set, struct handles *out)
{
	struct gang *gang = group->gang;
	const size_t before = out->count;
	if (set->met == 0)
		return;
	const uint32_t *members = engine_gang_members(gang, set);
	const bool surplus = has_surplus(gang, set);
	for (uint32_t i = set->members_count; surplus && i > 0 && out->count == before; i--) {
		const struct part *member = &gang->parts[members[i - 1]];
		if (member->kind == PART_SET)
			step_of(engine, group, member, out);
		else if (member->active > member->need)
			last_pods(engine, group, member, 1, out);
	}
	for (uint32_t i = set->members_count; set->need < set->met && i > 0 && out->count == before; i--)
		all_pods(engine, group, &gang->parts[members[i - 1]], out);
}

void engine_gang_step(const struct stint_engine *engine, const struct group *group, struct handles *out)
{
	const size_t before = out->count;
	step_of(engine, group, &group->gang->parts[0], out);
	if (out->count > before)
		return;
	for (uint32_t i = group->pods_count; i > 0; i--) {
		if (engine_pod_active(&engine->pods[group->pods[i - 1]]))
			handles_push(out, group->pods[i - 1]);
	}
}
