/*
 * gang: the tree of a group that has parts (kai-engine 1.5): sets of pods as leaves, sets of parts above them, any depth.
 *
 * A group without parts has no tree: its own numbers say all. Owns struct gang, whose numbers follow every change of a pod: a leaf counts
 * its pods, and a part that becomes or ceases to be met, ready or held tells the part above it.
 * A pod that names a part which does not exist belongs to a stray part: outside the tree, never placed. gang_order.c says who is next.
 * Differs from KAI on purpose: what a set of parts needs (minSubGroup) counts for staleness, too.
 * Costs: a change of a pod O(depth), and only where something flips; a change of the tree the pods of the group.
 */
#include <stdlib.h>

#include "state.h"

/* Names that pods make up are kept apart up to here; further ones share the last. */
enum { MOST_STRAYS = 64 };

/* ---- what may be a tree -------------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	const char *const *p = a, *const *q = b;
	return strcmp(*p, *q);
}

static bool names_differ(const struct stint_part_spec *parts, size_t count, struct stint_error **err)
{
	stint_autofree const char **names = stint_alloc(count * sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = parts[i].name;
	qsort(names, count, sizeof *names, by_text);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(names[i - 1], names[i]) == 0)
			return stint_fail(err, STINT_USAGE, "two sub-groups have the name \"%s\"", names[i]);
	}
	return true;
}

bool stint_parts_check(const struct stint_part_spec *parts, size_t count, struct stint_error **err)
{
	if (count == 0)
		return true;
	if (count > STINT_MAX_PARTS)
		return stint_fail(err, STINT_USAGE, "%zu sub-groups are more than %d", count, STINT_MAX_PARTS);
	if (!parts[0].inner)
		return stint_fail(err, STINT_USAGE, "the first part must be the root, which holds the others");
	stint_autofree uint8_t *depth = stint_alloc(count);
	for (size_t i = 1; i < count; i++) {
		if (parts[i].parent >= i || !parts[parts[i].parent].inner)
			return stint_fail(err, STINT_USAGE, "sub-group \"%s\" stands in none that holds others", parts[i].name);
		depth[i] = (uint8_t)(depth[parts[i].parent] + 1);
		if (depth[i] > STINT_MAX_PART_DEPTH)
			return stint_fail(err, STINT_USAGE, "sub-group \"%s\" is more than %d deep", parts[i].name, STINT_MAX_PART_DEPTH);
	}
	return names_differ(parts, count, err);
}

/* ---- the numbers --------------------------------------------------------------------------------------------------------------- */

static uint8_t state_of(const struct part *part)
{
	if (part->kind == PART_SET)
		return (uint8_t)((part->met >= part->need ? PART_MET : 0) | (part->ready >= part->need ? PART_READY : 0) |
			(part->held >= part->need ? PART_HELD : 0));
	return (uint8_t)((part->active >= part->need ? PART_MET : 0) | (part->active + part->pending >= part->need ? PART_READY : 0) |
		(part->active + part->leaving >= part->need ? PART_HELD : 0));
}

static uint32_t change(uint8_t before, uint8_t now, enum part_state state)
{
	return (uint32_t)((now & state) != 0) - (uint32_t)((before & state) != 0);
}

static void settle(struct gang *gang, uint32_t index)
{
	for (uint32_t at = index; at != STINT_NO_HANDLE; at = gang->parts[at].parent) {
		struct part *part = &gang->parts[at];
		const uint8_t before = part->state, now = state_of(part);
		if (before == now)
			return;
		part->state = now;
		if (part->parent == STINT_NO_HANDLE)
			return;
		struct part *above = &gang->parts[part->parent];
		above->met += change(before, now, PART_MET);
		above->ready += change(before, now, PART_READY);
		above->held += change(before, now, PART_HELD);
	}
}

void engine_gang_count(struct gang *gang, const struct pod *pod, int sign)
{
	struct part *part = &gang->parts[pod->part];
	const uint32_t one = (uint32_t)sign;
	const bool below = part->active<part->need, above = part->active> part->need;
	switch ((enum stint_pod_status)pod->status) {
	case STINT_POD_PENDING:
		part->pending += one;
		if (sign > 0 && pod->at < part->first_waiting)
			part->first_waiting = pod->at;
		break;
	case STINT_POD_GATED: break;
	case STINT_POD_RESERVED: part->reserved += one; /* fall through */
	case STINT_POD_ASSUMED:
	case STINT_POD_BOUND: part->active += one; break;
	case STINT_POD_RELEASING:
	case STINT_POD_STUCK: part->leaving += one; break;
	}
	if (part->kind == PART_STRAY)
		return;
	gang->below += (uint32_t)(part->active < part->need) - (uint32_t)below;
	gang->above += (uint32_t)(part->active > part->need) - (uint32_t)above;
	settle(gang, pod->part);
}

bool engine_gang_must_wait(const struct gang *gang)
{
	for (uint32_t i = 0; i < gang->count; i++) {
		const struct part *part = &gang->parts[i];
		if (part->kind == PART_PODS && part->reserved && part->active - part->reserved < part->need)
			return true;
	}
	return false;
}

/* For the record of a group that is not ready: the first set of pods that is not, and in which a set has to be. */
void engine_gang_lacks(const struct gang *gang, struct stint_record *record)
{
	const struct part *part = &gang->parts[0];
	while (part->kind == PART_SET) {
		const struct part *next = NULL;
		for (uint32_t i = 0; i < part->members_count; i++) {
			const struct part *member = &gang->parts[gang->members[part->first_member + i]];
			if (!(member->state & PART_READY) && (!next || member->rank < next->rank))
				next = member;
		}
		if (!next)
			break;
		part = next;
	}
	const bool pods = part->kind == PART_PODS;
	record->part = (uint32_t)(part - gang->parts);
	record->have = pods ? part->active + part->pending : part->ready;
	record->need = part->need;
}

uint32_t engine_gang_astray(const struct gang *gang)
{
	uint32_t at = gang->named;
	while (at + 1 < gang->count && gang->parts[at].pending == 0)
		at++;
	return at;
}

/* ---- making and changing it -------------------------------------------------------------------------------------------------------- */

static uint32_t find(const struct gang *gang, const char *name)
{
	uint32_t low = 0, high = gang->named;
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const int order = strcmp(name, gang->parts[gang->by_name[middle]].name);
		if (order == 0)
			return gang->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return STINT_NO_HANDLE;
}

static uint32_t add(struct gang *gang, const char *name)
{
	if (gang->count == gang->capacity) {
		gang->capacity = gang->capacity ? 2 * gang->capacity : 4;
		gang->parts = stint_realloc(gang->parts, gang->capacity * sizeof *gang->parts);
	}
	gang->parts[gang->count] = (struct part){.name = stint_strdup(name), .kind = PART_STRAY, .parent = STINT_NO_HANDLE};
	return gang->count++;
}

static void specify(struct part *part, const struct stint_part_spec *spec, bool root)
{
	part->kind = spec->inner ? PART_SET : PART_PODS;
	part->parent = root ? STINT_NO_HANDLE : spec->parent;
	part->need = spec->needs;
	part->topology = stint_strdup(spec->constraint.topology);
	part->required = stint_strdup(spec->constraint.required_level);
	part->preferred = stint_strdup(spec->constraint.preferred_level);
}

struct named {
	const char *name;
	uint32_t part;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static void sort_names(struct gang *gang)
{
	stint_autofree struct named *sorted = stint_alloc(gang->named * sizeof *sorted);
	for (uint32_t i = 0; i < gang->named; i++)
		sorted[i] = (struct named){gang->parts[i].name, i};
	qsort(sorted, gang->named, sizeof *sorted, by_name);
	gang->by_name = stint_alloc(gang->named * sizeof *gang->by_name);
	for (uint32_t i = 0; i < gang->named; i++) {
		gang->by_name[i] = sorted[i].part;
		gang->parts[sorted[i].part].rank = i;
	}
}

/* Members stand together in gang.members, by name to begin with. */
static void list_members(struct gang *gang)
{
	gang->members = stint_alloc(gang->count * sizeof *gang->members);
	for (uint32_t i = 1; i < gang->count; i++)
		gang->parts[gang->parts[i].parent].members_count++;
	uint32_t next = 0;
	for (uint32_t i = 0; i < gang->count; i++) {
		struct part *part = &gang->parts[i];
		part->first_member = next;
		next += part->members_count;
		part->members_count = 0;
	}
	for (uint32_t i = 0; i < gang->count; i++) {
		const struct part *part = &gang->parts[gang->by_name[i]];
		if (part->parent == STINT_NO_HANDLE)
			continue;
		struct part *above = &gang->parts[part->parent];
		gang->members[above->first_member + above->members_count++] = gang->by_name[i];
	}
}

/* As many pods as must run for the part to be met; what it needs "all" of becomes a number. */
static uint32_t least_pods(struct gang *gang, uint32_t index)
{
	struct part *part = &gang->parts[index];
	if (part->kind == PART_PODS)
		return part->need;
	if (part->need == STINT_ALL)
		part->need = part->members_count;
	stint_autofree uint32_t *least = stint_alloc((part->members_count + 1) * sizeof *least);
	for (uint32_t i = 0; i < part->members_count; i++) {
		const uint32_t pods = least_pods(gang, gang->members[part->first_member + i]);
		uint32_t at = i;
		for (; at > 0 && least[at - 1] > pods; at--)
			least[at] = least[at - 1];
		least[at] = pods;
	}
	uint64_t sum = 0;
	for (uint32_t i = 0; i < part->members_count && i < part->need; i++)
		sum += least[i];
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

struct gang *engine_gang_new(const struct stint_part_spec *specs, size_t count)
{
	struct gang *gang = stint_alloc(sizeof *gang);
	for (size_t i = 0; i < count; i++) {
		const uint32_t part = add(gang, specs[i].name);
		specify(&gang->parts[part], &specs[i], i == 0);
	}
	gang->named = gang->count;
	sort_names(gang);
	list_members(gang);
	gang->least_pods = least_pods(gang, 0);
	for (uint32_t i = gang->count; i > 0; i--) {
		gang->below += gang->parts[i - 1].kind == PART_PODS && gang->parts[i - 1].need > 0;
		settle(gang, i - 1);
	}
	return gang;
}

void engine_gang_free(struct gang *gang)
{
	if (!gang)
		return;
	for (uint32_t i = 0; i < gang->count; i++) {
		free(gang->parts[i].name);
		free(gang->parts[i].topology);
		free(gang->parts[i].required);
		free(gang->parts[i].preferred);
	}
	free(gang->parts);
	free(gang->by_name);
	free(gang->domain);
	free(gang->members);
	free(gang);
}

bool engine_gang_same(const struct gang *gang, const struct stint_part_spec *specs, size_t count)
{
	if (gang->named != count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct part *part = &gang->parts[i];
		const struct stint_part_spec *spec = &specs[i];
		const uint32_t need = spec->inner && spec->needs == STINT_ALL ? part->members_count : spec->needs;
		if (strcmp(part->name, spec->name) != 0 || (part->kind == PART_SET) != spec->inner || part->need != need ||
			(i > 0 && part->parent != spec->parent) || !engine_same_text(part->topology, spec->constraint.topology) ||
			!engine_same_text(part->required, spec->constraint.required_level) ||
			!engine_same_text(part->preferred, spec->constraint.preferred_level))
			return false;
	}
	return true;
}

uint32_t engine_gang_part(struct gang *gang, const char *name)
{
	const uint32_t known = find(gang, name);
	if (known != STINT_NO_HANDLE && gang->parts[known].kind == PART_PODS)
		return known;
	for (uint32_t i = gang->named; i < gang->count; i++) {
		if (strcmp(gang->parts[i].name, name) == 0)
			return i;
	}
	return gang->count - gang->named < MOST_STRAYS ? add(gang, name) : gang->count - 1;
}
