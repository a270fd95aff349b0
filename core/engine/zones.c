/*
 * zones: processors, memory and devices of a node by NUMA zone, and from which zones a pod is served (kai-engine 7.7).
 *
 * Owns node.zones. Pods with quality of service Guaranteed take memory from zones, and processors when they ask for whole ones; every pod
 * takes the devices that zones report. single-numa-node: the lowest zone that has all of it. restricted: as few zones as the node would need
 * if it were empty, which must be the same number for every resource; the lowest such set. best-effort: the zone that covers most of
 * what is missing, again and again; a node never refuses by it. What is taken comes from the lowest chosen zone first.
 * A pod counts as one whole, whatever the scope: containers that fit one by one but not together are kept off.
 * A deviation from KAI that can be seen: room that leaving pods still use is promised, not given, as everywhere in this engine.
 * Costs: 2^zones * resources at worst, for restricted; zones * resources else.
 */
#include "state.h"

struct zone_demand {
	int64_t amounts[STINT_MAX_ZONE_RESOURCES];
	bool any;
};

static int64_t extended_asked(const struct shape *shape, uint32_t resource)
{
	for (uint32_t i = 0; i < shape->extended_count && resource != STINT_NO_HANDLE; i++) {
		if (shape->extended[i].resource == resource)
			return shape->extended[i].amount;
	}
	return 0;
}

static bool is_gpu(const char *resource)
{
	const size_t length = strlen(resource);
	return length >= 3 && strcmp(resource + length - 3, "gpu") == 0;
}

static int64_t asked(const struct zone_table *table, uint32_t resource, const struct shape *shape)
{
	const char *name = table->resources[resource];
	if (strcmp(name, "cpu") == 0)
		return shape->guaranteed && shape->cpu_milli % 1000 == 0 ? shape->cpu_milli : 0;
	if (strcmp(name, "memory") == 0)
		return shape->guaranteed ? shape->memory_bytes : 0;
	if (is_gpu(name))
		return shape->gpu == STINT_GPU_WHOLE ? 1000 * (int64_t)shape->devices : 0;
	if (stint_starts_with(name, "hugepages-") && !shape->guaranteed)
		return 0;
	return extended_asked(shape, table->extended[resource]);
}

static struct zone_demand demand_of(const struct zone_table *table, const struct shape *shape)
{
	struct zone_demand demand = {.any = false};
	for (uint32_t r = 0; r < table->resources_count; r++) {
		demand.amounts[r] = asked(table, r, shape);
		demand.any = demand.any || demand.amounts[r] > 0;
	}
	return demand;
}

static int64_t available(const struct zone_table *table, uint32_t zone, uint32_t resource, bool later)
{
	return later ? plus(table->idle[zone][resource], table->leaving[zone][resource]) : table->idle[zone][resource];
}

/* ---- which zones ---------------------------------------------------------------------------------------------------------------------- */

static bool covers(const struct zone_table *table, uint32_t zones, const struct zone_demand *demand, bool later)
{
	for (uint32_t r = 0; r < table->resources_count; r++) {
		int64_t sum = 0;
		for (uint32_t zone = 0; zone < table->zones_count; zone++) {
			const int64_t has = bit(zones, zone) ? available(table, zone, r, later) : 0;
			sum = plus(sum, has > 0 ? has : 0);
		}
		if (demand->amounts[r] > sum)
			return false;
	}
	return true;
}

static uint32_t single(const struct zone_table *table, const struct zone_demand *demand, bool later)
{
	for (uint32_t zone = 0; zone < table->zones_count; zone++) {
		if (covers(table, 1U << zone, demand, later))
			return 1U << zone;
	}
	return 0;
}

/* How many zones the resource needs on the empty node; 0: more than there are. */
static uint32_t fewest(const struct zone_table *table, uint32_t resource, int64_t amount)
{
	uint32_t used = 0, count = 0;
	for (int64_t left = amount; left > 0; count++) {
		uint32_t largest = table->zones_count;
		for (uint32_t zone = 0; zone < table->zones_count; zone++) {
			if (!bit(used, zone) &&
				(largest == table->zones_count || table->offered[zone][resource] > table->offered[largest][resource]))
				largest = zone;
		}
		if (largest == table->zones_count)
			return 0;
		used |= 1U << largest;
		left -= table->offered[largest][resource];
	}
	return count;
}

static uint32_t popcount(uint32_t bits)
{
	uint32_t count = 0;
	for (; bits; bits &= bits - 1)
		count++;
	return count;
}

/* Sets compare as lists of their zones: {0, 2} stands before {1, 2}, the lowest difference decides. */
static bool stands_before(uint32_t a, uint32_t b)
{
	const uint32_t different = a ^ b;
	return (different & (~different + 1) & a) != 0;
}

static uint32_t restricted(const struct zone_table *table, const struct zone_demand *demand, bool later)
{
	uint32_t needed = 0, best = 0;
	for (uint32_t r = 0; r < table->resources_count; r++) {
		if (!demand->amounts[r])
			continue;
		const uint32_t count = fewest(table, r, demand->amounts[r]);
		if (!count || (needed && needed != count))
			return 0;
		needed = count;
	}
	for (uint32_t set = 1; set < 1U << table->zones_count; set++) {
		if (popcount(set) == needed && (!best || stands_before(set, best)) && covers(table, set, demand, later))
			best = set;
	}
	return best;
}

/* How much of what is missing the zone would cover: the sum over resources of parts of what is asked for. */
static double gain(
	const struct zone_table *table, uint32_t zone, const struct zone_demand *demand, const struct zone_demand *missing, bool later)
{
	double sum = 0;
	for (uint32_t r = 0; r < table->resources_count; r++) {
		const int64_t has = available(table, zone, r, later), part = has < missing->amounts[r] ? has : missing->amounts[r];
		if (part > 0)
			sum += (double)part / (double)demand->amounts[r];
	}
	return sum;
}

static uint32_t best_effort(const struct zone_table *table, const struct zone_demand *demand, bool later)
{
	struct zone_demand missing = *demand;
	uint32_t zones = 0;
	for (;;) {
		uint32_t best = table->zones_count;
		double most = 0;
		for (uint32_t zone = 0; zone < table->zones_count; zone++) {
			const double covered = bit(zones, zone) ? 0 : gain(table, zone, demand, &missing, later);
			if (covered > most) {
				most = covered;
				best = zone;
			}
		}
		if (best == table->zones_count)
			return zones;
		zones |= 1U << best;
		for (uint32_t r = 0; r < table->resources_count; r++) {
			const int64_t has = available(table, best, r, later);
			missing.amounts[r] -= has > 0 ? has : 0;
		}
	}
}

/* 0: no zones are touched, which for two of the policies is a refusal. */
static uint32_t zones_for(const struct zone_table *table, const struct zone_demand *demand, bool later)
{
	switch (table->policy) {
	case STINT_NUMA_NONE: break;
	case STINT_NUMA_BEST_EFFORT: return best_effort(table, demand, later);
	case STINT_NUMA_RESTRICTED: return restricted(table, demand, later);
	case STINT_NUMA_SINGLE: return single(table, demand, later);
	}
	return 0;
}

enum fit engine_zones_fit(const struct stint_engine *engine, const struct shape *shape, uint32_t node, uint32_t *span)
{
	const struct zone_table *table = engine->nodes[node].zones;
	*span = 0;
	if (!table || table->policy == STINT_NUMA_NONE)
		return FIT_NOW;
	const struct zone_demand demand = demand_of(table, shape);
	if (!demand.any)
		return FIT_NOW;
	enum fit fit = FIT_NOW;
	uint32_t zones = zones_for(table, &demand, false);
	if (!zones) {
		zones = zones_for(table, &demand, true);
		fit = FIT_LATER;
	}
	*span = popcount(zones);
	if (table->policy == STINT_NUMA_BEST_EFFORT)
		return FIT_NOW;
	return zones ? fit : FIT_NONE;
}

bool engine_zones_fit_empty(const struct stint_engine *engine, const struct shape *shape, uint32_t node)
{
	const struct zone_table *table = engine->nodes[node].zones;
	if (!table || (table->policy != STINT_NUMA_SINGLE && table->policy != STINT_NUMA_RESTRICTED))
		return true;
	struct zone_table empty = *table;
	memcpy(empty.idle, empty.offered, sizeof empty.idle);
	const struct zone_demand demand = demand_of(table, shape);
	return !demand.any || zones_for(&empty, &demand, false);
}

/* ---- what a pod takes -------------------------------------------------------------------------------------------------------------------- */

static int64_t *drawn_at(const struct zone_table *table, const struct choice *choice, uint32_t zone, uint32_t resource)
{
	return &choice->drawn[zone * table->resources_count + resource];
}

static void make_room(const struct zone_table *table, struct choice *made)
{
	made->drawn = stint_alloc((size_t)table->zones_count * (table->resources_count ? table->resources_count : 1) * sizeof *made->drawn);
}

bool engine_zones_choose(const struct stint_engine *engine, const struct shape *shape, uint32_t node, bool now, struct choice *made)
{
	const struct zone_table *table = engine->nodes[node].zones;
	if (!table || table->policy == STINT_NUMA_NONE)
		return true;
	const struct zone_demand demand = demand_of(table, shape);
	if (!demand.any)
		return true;
	made->zones = zones_for(table, &demand, !now);
	if (!made->zones)
		return table->policy == STINT_NUMA_BEST_EFFORT;
	make_room(table, made);
	for (uint32_t r = 0; r < table->resources_count; r++) {
		int64_t left = demand.amounts[r];
		for (uint32_t zone = 0; zone < table->zones_count && left > 0; zone++) {
			const int64_t has = bit(made->zones, zone) ? available(table, zone, r, !now) : 0;
			const int64_t part = has < left ? has : left;
			if (part <= 0)
				continue;
			*drawn_at(table, made, zone, r) = part;
			left -= part;
		}
	}
	return true;
}

static uint32_t resource_named(const struct zone_table *table, const char *name)
{
	uint32_t r = 0;
	while (r < table->resources_count && strcmp(table->resources[r], name) != 0)
		r++;
	return r;
}

static uint32_t zone_numbered(const struct zone_table *table, int32_t number)
{
	uint32_t zone = 0;
	while (zone < table->zones_count && table->numbers[zone] != number)
		zone++;
	return zone;
}

void engine_zones_read(
	const struct stint_engine *engine, uint32_t node, const struct stint_numa_zone *zones, uint32_t count, struct choice *made)
{
	const struct zone_table *table = engine->nodes[node].zones;
	for (uint32_t i = 0; table && i < count; i++) {
		const uint32_t zone = zone_numbered(table, zones[i].number);
		for (uint32_t a = 0; a < zones[i].amounts_count && zone < table->zones_count; a++) {
			const uint32_t resource = resource_named(table, zones[i].amounts[a].resource);
			if (resource == table->resources_count || zones[i].amounts[a].allocatable <= 0)
				continue;
			if (!made->drawn)
				make_room(table, made);
			made->zones |= 1U << zone;
			*drawn_at(table, made, zone, resource) = zones[i].amounts[a].allocatable;
		}
	}
}

void engine_zones_copy(const struct stint_engine *engine, uint32_t node, const struct choice *former, struct choice *made)
{
	const struct zone_table *table = engine->nodes[node].zones;
	if (!table || !former->zones)
		return;
	made->zones = former->zones;
	make_room(table, made);
	memcpy(made->drawn, former->drawn, (size_t)table->zones_count * table->resources_count * sizeof *made->drawn);
}

void engine_zones_account(struct stint_engine *engine, const struct pod *pod, const struct choice *choice, int sign)
{
	struct zone_table *table = engine->nodes[pod->node].zones;
	for (uint32_t zone = 0; table && zone < table->zones_count; zone++) {
		for (uint32_t r = 0; r < table->resources_count; r++) {
			const int64_t amount = sign * *drawn_at(table, choice, zone, r);
			if (pod->status != STINT_POD_RESERVED)
				table->idle[zone][r] = plus(table->idle[zone][r], -amount);
			if (pod->status == STINT_POD_RELEASING)
				table->leaving[zone][r] = plus(table->leaving[zone][r], amount);
			else if (pod->status == STINT_POD_RESERVED)
				table->leaving[zone][r] = plus(table->leaving[zone][r], -amount);
		}
	}
}

/* Whether the zones would still have what the pod, which is leaving them, has there. */
bool engine_zones_may_stay(const struct stint_engine *engine, uint32_t node, const struct choice *choice)
{
	const struct zone_table *table = engine->nodes[node].zones;
	for (uint32_t zone = 0; table && choice->zones && zone < table->zones_count; zone++) {
		for (uint32_t r = 0; r < table->resources_count; r++) {
			const int64_t amount = *drawn_at(table, choice, zone, r);
			if (amount > 0 && amount > available(table, zone, r, true))
				return false;
		}
	}
	return true;
}

bool engine_zones_are_sound(const struct stint_engine *engine, uint32_t node, const struct choice *choice)
{
	const struct zone_table *table = engine->nodes[node].zones;
	for (uint32_t zone = 0; table && choice->zones && zone < table->zones_count; zone++) {
		for (uint32_t r = 0; r < table->resources_count; r++) {
			if (*drawn_at(table, choice, zone, r) > 0 && available(table, zone, r, true) < 0)
				return false;
		}
	}
	return true;
}

/* ---- the table ----------------------------------------------------------------------------------------------------------------------------- */

void engine_zone_table_free(struct zone_table *table)
{
	for (uint32_t r = 0; table && r < table->resources_count; r++)
		free(table->resources[r]);
	free(table);
}

static uint32_t resource_at(struct stint_engine *engine, struct zone_table *table, const char *name)
{
	const uint32_t resource = resource_named(table, name);
	if (resource < table->resources_count || resource == STINT_MAX_ZONE_RESOURCES)
		return resource;
	const bool counted = strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0 || is_gpu(name);
	table->resources[resource] = stint_strdup(name);
	table->extended[resource] = counted ? STINT_NO_HANDLE : engine_extended_resource(engine, name, true);
	table->resources_count++;
	return resource;
}

static struct zone_table *make_table(struct stint_engine *engine, const struct stint_numa *numa)
{
	struct zone_table *table = stint_alloc(sizeof *table);
	table->policy = numa->policy;
	for (uint32_t i = 0; i < numa->zones_count && table->zones_count < STINT_MAX_ZONES; i++) {
		uint32_t at = table->zones_count++;
		for (; at > 0 && table->numbers[at - 1] > numa->zones[i].number; at--)
			table->numbers[at] = table->numbers[at - 1];
		table->numbers[at] = numa->zones[i].number;
	}
	for (uint32_t i = 0; i < numa->zones_count; i++) {
		const uint32_t zone = zone_numbered(table, numa->zones[i].number);
		for (uint32_t a = 0; a < numa->zones[i].amounts_count && zone < table->zones_count; a++) {
			const struct stint_numa_amount *amount = &numa->zones[i].amounts[a];
			const uint32_t resource = resource_at(engine, table, amount->resource);
			if (resource == STINT_MAX_ZONE_RESOURCES)
				continue;
			table->offered[zone][resource] = amount->allocatable;
			table->idle[zone][resource] = amount->available < amount->allocatable ? amount->available : amount->allocatable;
		}
	}
	return table;
}

/* Choices speak of zones and resources by their places in the table: pods there lose what they had of zones when the table is another one. */
void stint_engine_node_numa(struct stint_engine *engine, const char *name, const struct stint_numa *numa)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_NUMA, .name = name, .numa = numa});
	engine_drop_reservations(engine);
	const uint32_t handle = engine_node_named(engine, name);
	engine_account_node(engine, handle, -1);
	for (uint32_t pod = engine->nodes[handle].first_pod; pod != STINT_NO_HANDLE; pod = engine->pods[pod].node_next) {
		if (engine->pods[pod].choice != STINT_NO_HANDLE)
			engine->dra.choices[engine->pods[pod].choice].zones = 0;
	}
	engine->zone_nodes -= engine->nodes[handle].zones != NULL;
	engine_zone_table_free(engine->nodes[handle].zones);
	engine->nodes[handle].zones = numa ? make_table(engine, numa) : NULL;
	engine->zone_nodes += engine->nodes[handle].zones != NULL;
	engine_account_node(engine, handle, 1);
	engine_node_changed(engine, handle, true);
	engine->room_epoch++;
	engine->search_epoch++;
	engine->stirred = true;
	engine_node_release(engine, handle);
}

/* ---- looking ------------------------------------------------------------------------------------------------------------------------------- */

bool stint_engine_zone_view(
	const struct stint_engine *engine, uint32_t node, uint32_t index, uint32_t resource, struct stint_zone_view *out)
{
	const struct zone_table *table = engine->nodes[node].zones;
	if (!table || index >= table->zones_count || resource >= table->resources_count)
		return false;
	*out = (struct stint_zone_view){
		.number = table->numbers[index],
		.resource = table->resources[resource],
		.allocatable = table->offered[index][resource],
		.available = available(table, index, resource, true),
	};
	return true;
}

/* NULL: there is no such pod, it takes nothing of zones, or its node has none. */
static const struct pod *pod_with_zones(const struct stint_engine *engine, uint32_t handle)
{
	const struct pod *pod = handle < engine->pods_count ? &engine->pods[handle] : NULL;
	return pod && pod->object && pod->choice != STINT_NO_HANDLE && pod->node != STINT_NO_HANDLE && engine->nodes[pod->node].zones
		? pod
		: NULL;
}

uint32_t stint_engine_pod_zones(const struct stint_engine *engine, uint32_t handle, int32_t numbers[static STINT_MAX_ZONES])
{
	const struct pod *pod = pod_with_zones(engine, handle);
	uint32_t count = 0;
	if (!pod)
		return 0;
	for (uint32_t zone = 0; zone < engine->nodes[pod->node].zones->zones_count; zone++) {
		if (bit(engine->dra.choices[pod->choice].zones, zone))
			numbers[count++] = engine->nodes[pod->node].zones->numbers[zone];
	}
	return count;
}

uint32_t stint_engine_pod_zone_amounts(
	const struct stint_engine *engine, uint32_t handle, int32_t number, struct stint_numa_amount out[static STINT_MAX_ZONE_RESOURCES])
{
	const struct pod *pod = pod_with_zones(engine, handle);
	const struct zone_table *table = pod ? engine->nodes[pod->node].zones : NULL;
	const uint32_t zone = table ? zone_numbered(table, number) : 0;
	uint32_t count = 0;
	if (!table || zone >= table->zones_count || !bit(engine->dra.choices[pod->choice].zones, zone))
		return 0;
	for (uint32_t r = 0; r < table->resources_count; r++) {
		const int64_t amount = *drawn_at(table, &engine->dra.choices[pod->choice], zone, r);
		if (amount > 0)
			out[count++] = (struct stint_numa_amount){.resource = table->resources[r], .allocatable = amount};
	}
	return count;
}
