/*
 * zones: the part of a scenario about NUMA zones: what nodes have, what pods have of it, and what is left.
 *
 * What is available in a zone is told with the pods that are there; the engine is told what is available without those whose zones are
 * known, since it takes their part off itself.
 */
#include <stdio.h>
#include <string.h>

#include "scenario.h"

static enum stint_unit unit_of(const char *resource)
{
	return stint_zone_counts_bytes(resource) ? STINT_UNIT_ONE : STINT_UNIT_MILLI;
}

/* Into room for STINT_MAX_ZONE_RESOURCES. available: of those that are there already. */
static bool read_amounts(struct reader *r, const struct place *place, const struct stint_json *zone, const char *key, bool available,
	struct stint_numa_amount *amounts, uint32_t *amounts_count)
{
	const struct stint_json *object = stint_json_get(zone, key);
	const struct place here = {.above = place, .key = key, .index = -1};
	uint32_t count = *amounts_count;
	stint_json_each(item, object) {
		double amount;
		const char *resource = stint_json_key(item);
		if (!field_amount(&here, object, resource, unit_of(resource), 0, &amount, r->err))
			return false;
		uint32_t at = 0;
		while (at < count && strcmp(amounts[at].resource, resource) != 0)
			at++;
		if (at == count && (available || count == STINT_MAX_ZONE_RESOURCES))
			return field_fail(&here, resource, r->err, available ? "is not allocatable" : "is one resource too many");
		if (at == count)
			amounts[count++] = (struct stint_numa_amount){.resource = scenario_keep(r->scenario, resource)};
		if (available)
			amounts[at].available = (int64_t)amount;
		else
			amounts[at].allocatable = amounts[at].available = (int64_t)amount;
	}
	*amounts_count = count;
	return true;
}

static struct stint_numa_amount *room_for_amounts(struct reader *r)
{
	return scenario_room(r->scenario, STINT_MAX_ZONE_RESOURCES, sizeof(struct stint_numa_amount));
}

bool reader_node_zones(struct reader *r, const struct stint_json *node, const struct place *place, const char *name)
{
	static const char *const policies[] = {"none", "best-effort", "restricted", "single-numa-node"};
	static const char *const scopes[] = {"container", "pod"};
	struct scenario *scenario = r->scenario;
	const struct stint_json *object = stint_json_get(node, "numa"), *zones;
	const struct place here = {.above = place, .key = "numa", .index = -1};
	const struct place list = {.above = &here, .key = "zones", .index = -1};
	size_t count, at = 0;
	int policy, scope;
	if (stint_json_type(object) == STINT_JSON_NULL)
		return true;
	if (!field_choice(&here, object, "policy", policies, STINT_COUNT(policies), 0, &policy, r->err) ||
		!field_choice(&here, object, "scope", scopes, STINT_COUNT(scopes), 0, &scope, r->err) ||
		!field_array(&here, object, "zones", STINT_MAX_ZONES, &zones, &count, r->err))
		return false;
	struct sim_zones read = {.node = scenario_keep(scenario, name)};
	struct stint_numa_zone *items = scenario_room(scenario, count, sizeof *items);
	stint_json_each(zone, zones) {
		const struct place there = {.above = &list, .index = (int64_t)at};
		const char *zone_name;
		struct stint_numa_amount *amounts = read.amounts[at] = room_for_amounts(r);
		items[at].amounts = amounts;
		if (!field_text(&there, zone, "name", &zone_name, r->err) ||
			!read_amounts(r, &there, zone, "allocatable", false, amounts, &items[at].amounts_count) ||
			!read_amounts(r, &there, zone, "available", true, amounts, &items[at].amounts_count))
			return false;
		items[at].number = stint_zone_number(zone_name, at);
		at++;
	}
	if (scenario->zones_count == scenario->zones_capacity) {
		scenario->zones_capacity = scenario->zones_capacity ? 2 * scenario->zones_capacity : 8;
		struct sim_zones *larger = scenario_room(scenario, scenario->zones_capacity, sizeof *larger);
		if (scenario->zones_count)
			memcpy(larger, scenario->zones, scenario->zones_count * sizeof *larger);
		scenario->zones = larger;
	}
	read.numa = (struct stint_numa){.policy = (enum stint_numa_policy)policy, .zones = items, .zones_count = (uint32_t)count};
	scenario->zones[scenario->zones_count++] = read;
	return true;
}

bool reader_pod_zones(struct reader *r, const struct stint_json *pod, const struct place *place, struct sim_pod *out)
{
	const struct stint_json *object = stint_json_get(pod, "numaPlacement");
	const struct place here = {.above = place, .key = "numaPlacement", .index = -1};
	const size_t count = stint_json_count(object);
	if (!count)
		return true;
	struct stint_numa_zone *zones = scenario_room(r->scenario, count, sizeof *zones);
	size_t at = 0;
	stint_json_each(zone, object) {
		const char *name = stint_json_key(zone);
		if (!name)
			return field_fail(place, "numaPlacement", r->err, "must be an object of zones");
		struct stint_numa_amount *amounts = room_for_amounts(r);
		zones[at].amounts = amounts;
		if (!read_amounts(r, &here, object, name, false, amounts, &zones[at].amounts_count))
			return false;
		zones[at].number = stint_zone_number(name, at);
		at++;
	}
	out->zones = zones;
	out->zones_count = (uint32_t)count;
	return true;
}

/* ---- running --------------------------------------------------------------------------------------------------------------------- */

static struct sim_zones *zones_of(struct scenario *scenario, const char *node)
{
	for (size_t i = 0; i < scenario->zones_count; i++) {
		if (strcmp(scenario->zones[i].node, node) == 0)
			return &scenario->zones[i];
	}
	return NULL;
}

static void add_back(struct sim_zones *zones, const struct sim_pod *pod)
{
	for (uint32_t p = 0; p < pod->zones_count; p++) {
		for (uint32_t z = 0; z < zones->numa.zones_count; z++) {
			const struct stint_numa_zone *zone = &zones->numa.zones[z];
			for (uint32_t a = 0; a < pod->zones[p].amounts_count && zone->number == pod->zones[p].number; a++) {
				const struct stint_numa_amount *has = &pod->zones[p].amounts[a];
				for (uint32_t i = 0; i < zone->amounts_count; i++) {
					struct stint_numa_amount *amount = &zones->amounts[z][i];
					if (strcmp(amount->resource, has->resource) == 0)
						amount->available = stint_add_saturated(amount->available, has->allocatable);
				}
			}
		}
	}
}

void load_zones(struct scenario *scenario, struct stint_engine *engine)
{
	for (size_t i = 0; i < scenario->workloads_count && scenario->zones_count; i++) {
		for (size_t p = 0; p < scenario->workloads[i].pods_count; p++) {
			const struct sim_pod *pod = &scenario->workloads[i].pods[p];
			const bool uses = pod->zones_count && pod->status >= SIM_BINDING && pod->status <= SIM_STUCK;
			struct sim_zones *zones = uses ? zones_of(scenario, pod->node) : NULL;
			if (zones)
				add_back(zones, pod);
		}
	}
	for (size_t i = 0; i < scenario->zones_count; i++)
		stint_engine_node_numa(engine, scenario->zones[i].node, &scenario->zones[i].numa);
}

void list_pod_zones(const struct stint_engine *engine, uint32_t pod, struct stint_json *entry)
{
	int32_t numbers[STINT_MAX_ZONES];
	const uint32_t count = stint_engine_pod_zones(engine, pod, numbers);
	if (!count)
		return;
	struct stint_json *list = stint_json_set(entry, "numaZones", stint_json_new_array());
	for (uint32_t i = 0; i < count; i++)
		stint_json_append(list, stint_json_new_int(numbers[i]));
}

/* As the scenario wrote it, most likely: "1G" and "1Gi" are multiples of different things. */
static void format_bytes(int64_t bytes, char out[static STINT_QUANTITY_SIZE])
{
	int64_t left = bytes;
	size_t power = 0;
	for (; left && left % 1000 == 0 && left % 1024 != 0 && power < 6; power++)
		left /= 1000;
	stint_quantity_format_bytes(power ? left : bytes, out);
	if (power)
		snprintf(out, STINT_QUANTITY_SIZE, "%lld%c", (long long)left, "kMGTPE"[power - 1]);
}

void list_node_zones(const struct scenario *scenario, const struct stint_engine *engine, uint32_t node, struct stint_json *entry)
{
	struct stint_zone_view view;
	if (!scenario->zones_count || !stint_engine_zone_view(engine, node, 0, 0, &view))
		return;
	struct stint_json *zones = stint_json_set(entry, "numaZonesAvailable", stint_json_new_object());
	for (uint32_t zone = 0; stint_engine_zone_view(engine, node, zone, 0, &view); zone++) {
		stint_autofree char *number = stint_format("%d", view.number);
		struct stint_json *amounts = stint_json_set(zones, number, stint_json_new_object());
		for (uint32_t r = 0; stint_engine_zone_view(engine, node, zone, r, &view); r++) {
			char text[STINT_QUANTITY_SIZE];
			if (unit_of(view.resource) == STINT_UNIT_ONE)
				format_bytes(view.available, text);
			else
				stint_quantity_format_milli(view.available, text);
			stint_json_set_string(amounts, view.resource, text);
		}
	}
}
