/*
 * zones: NUMA zones of nodes out of NodeResourceTopology objects, and what pods have of them out of their annotations (kai-engine 7.7, kai-api
 * 2.2): what was observed on the node, else what was predicted when the pod was placed.
 *
 * Exporters write their objects every few seconds to tell what is available, which is not looked at: only another policy or other amounts are
 * news to the engine, and then it is told anew what the pods there have.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

/* ---- nodes --------------------------------------------------------------------------------------------------------------------------- */

static bool same_zones(const struct stint_node_zones *a, const struct stint_node_zones *b)
{
	if (a->policy != b->policy || a->zones_count != b->zones_count)
		return false;
	for (uint32_t i = 0; i < a->zones_count; i++) {
		const struct stint_node_zone *p = &a->zones[i], *q = &b->zones[i];
		if (p->number != q->number || p->amounts_count != q->amounts_count)
			return false;
		for (uint32_t k = 0; k < p->amounts_count; k++) {
			if (p->amounts[k].resource != q->amounts[k].resource || p->amounts[k].allocatable != q->amounts[k].allocatable)
				return false;
		}
	}
	return true;
}

static enum stint_numa_policy policy_of(const char *word)
{
	static const char *const words[] = {
		[STINT_NUMA_NONE] = "none",
		[STINT_NUMA_BEST_EFFORT] = "best-effort",
		[STINT_NUMA_RESTRICTED] = "restricted",
		[STINT_NUMA_SINGLE] = "single-numa-node",
	};
	for (size_t i = 0; word && i < STINT_COUNT(words); i++) {
		if (strcmp(words[i], word) == 0)
			return (enum stint_numa_policy)i;
	}
	return STINT_NUMA_NONE;
}

/* The engine looks at so many resources: those that pods ask for most come first. */
static bool is_common(const char *resource)
{
	return strcmp(resource, "cpu") == 0 || strcmp(resource, "memory") == 0 || stint_ends_with(resource, "gpu");
}

struct amounts {
	struct stint_numa_zone zones[STINT_MAX_ZONES];
	struct stint_numa_amount items[STINT_MAX_ZONES][STINT_MAX_ZONE_RESOURCES];
	uint32_t count;
};

static void add_amount(struct amounts *out, uint32_t zone, const char *resource, int64_t amount)
{
	uint32_t *count = &out->zones[zone].amounts_count;
	if (*count < STINT_MAX_ZONE_RESOURCES)
		out->items[zone][(*count)++] = (struct stint_numa_amount){resource, amount, amount};
}

static void read_object(const struct stint_node_zones *object, struct amounts *out)
{
	*out = (struct amounts){.count = object->zones_count < STINT_MAX_ZONES ? object->zones_count : STINT_MAX_ZONES};
	for (uint32_t i = 0; i < out->count; i++) {
		const struct stint_node_zone *zone = &object->zones[i];
		out->zones[i] = (struct stint_numa_zone){.number = zone->number, .amounts = out->items[i]};
		for (int common = 1; common >= 0; common--) {
			for (uint32_t k = 0; k < zone->amounts_count; k++) {
				if (is_common(zone->amounts[k].resource) == common)
					add_amount(out, i, zone->amounts[k].resource, zone->amounts[k].allocatable);
			}
		}
	}
}

/* What its pods had of the zones is forgotten with them. O(pods that the engine has there): any other is read when it gets there. */
static void tell_pods(struct stint_mirror *mirror, const char *node)
{
	const uint32_t handle = stint_engine_node_find(mirror->engine, node);
	uint32_t at = handle == STINT_NO_HANDLE ? STINT_NO_HANDLE : stint_engine_node_pod_next(mirror->engine, handle, STINT_NO_HANDLE);
	for (; at != STINT_NO_HANDLE; at = stint_engine_node_pod_next(mirror->engine, handle, at)) {
		struct stint_mirror_pod *pod = stint_mirror_pod_by_handle(mirror, at);
		if (!pod || !pod->pod->node)
			continue;
		pod->zones_lost = true;
		mirror_mark_dirty(mirror, pod);
	}
	mirror_changed(mirror);
}

void mirror_put_zones(struct stint_mirror *mirror, struct stint_node_zones *object)
{
	const struct stint_node_zones *before = stint_map_get(mirror->zones, object->meta.name);
	const bool same = before && same_zones(before, object);
	stint_map_set(mirror->zones, object->meta.name, stint_object_ref(&object->meta));
	if (same)
		return;
	struct amounts amounts;
	read_object(object, &amounts);
	const struct stint_numa numa = {.policy = policy_of(object->policy), .zones = amounts.zones, .zones_count = amounts.count};
	stint_engine_node_numa(mirror->engine, object->meta.name, &numa);
	tell_pods(mirror, object->meta.name);
}

void mirror_remove_zones(struct stint_mirror *mirror, const char *node)
{
	stint_map_remove(mirror->zones, node);
	stint_engine_node_numa(mirror->engine, node, NULL);
	tell_pods(mirror, node);
}

/* ---- pods ---------------------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const struct stint_pod *pod)
{
	const char *observed = stint_object_annotation(&pod->meta, "kai.scheduler/numa-placement-observed");
	return observed ? observed : stint_object_annotation(&pod->meta, STINT_ANNOTATION_ZONES);
}

bool mirror_zones_changed(struct stint_mirror_pod *pod)
{
	const char *text = text_of(pod->pod);
	uint32_t hash = 0;
	for (const char *at = text; at && *at; at++)
		hash = (hash ^ (unsigned char)*at) * UINT32_C(16777619) + 1;
	const bool changed = pod->zones_lost || (pod->zones_told && pod->zones_told != hash);
	pod->zones_lost = false;
	pod->zones_told = hash;
	return changed;
}

static bool read_zone(const struct stint_json *entry, uint32_t place, struct amounts *out)
{
	const char *name = stint_json_string(stint_json_get(entry, "zone"));
	if (!name || place == STINT_MAX_ZONES)
		return false;
	out->zones[place] = (struct stint_numa_zone){.number = stint_zone_number(name, place), .amounts = out->items[place]};
	stint_json_each(item, stint_json_get(entry, "amount")) {
		const char *resource = stint_json_key(item);
		stint_autofree char *text = stint_json_string(item) ? stint_strdup(stint_json_string(item)) : stint_json_print(item);
		int64_t amount;
		const enum stint_unit unit = stint_zone_counts_bytes(resource) ? STINT_UNIT_ONE : STINT_UNIT_MILLI;
		if (stint_quantity_parse(stint_slice_of(text), unit, &amount) && amount > 0)
			add_amount(out, place, resource, amount);
	}
	return true;
}

uint32_t mirror_upsert_with_zones(struct stint_engine *engine, struct stint_pod_facts *facts)
{
	const char *text = facts->pod->node ? text_of(facts->pod) : NULL;
	stint_auto_json *list = text ? stint_json_parse(text, strlen(text), 0, NULL) : NULL;
	struct amounts amounts = {.count = 0};
	stint_json_each(entry, list)
		amounts.count += read_zone(entry, amounts.count, &amounts);
	facts->zones = amounts.count ? amounts.zones : NULL;
	facts->zones_count = amounts.count;
	return stint_engine_pod_upsert(engine, facts);
}

char *stint_zones_annotation(const struct stint_engine *engine, uint32_t pod)
{
	int32_t numbers[STINT_MAX_ZONES];
	const uint32_t count = stint_engine_pod_zones(engine, pod, numbers);
	stint_auto_json *list = stint_json_new_array();
	for (uint32_t i = 0; i < count; i++) {
		struct stint_numa_amount amounts[STINT_MAX_ZONE_RESOURCES];
		const uint32_t given = stint_engine_pod_zone_amounts(engine, pod, numbers[i], amounts);
		struct stint_json *entry = stint_json_append(list, stint_json_new_object());
		stint_autofree char *name = stint_format("node-%d", numbers[i]);
		stint_json_set_string(entry, "zone", name);
		struct stint_json *amount = stint_json_ensure_object(entry, "amount");
		for (uint32_t k = 0; k < given; k++) {
			char number[STINT_QUANTITY_SIZE];
			const bool bytes = stint_zone_counts_bytes(amounts[k].resource);
			stint_json_set_string(amount, amounts[k].resource,
				bytes ? stint_quantity_format_bytes(amounts[k].allocatable, number)
				      : stint_quantity_format_milli(amounts[k].allocatable, number));
		}
	}
	return count ? stint_json_print(list) : NULL;
}
