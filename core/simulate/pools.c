/*
 * pools: node pools under the key `stint` of a scenario.
 *
 *     pools       by name: {nodes: [...], placement}: the nodes that are in it, and how pods with GPUs go there (else as everywhere)
 *     nodePools   by workload: [...]: the pools that it may use, best first
 *
 * To the engine a pool is a label of its nodes. A node that no pool lists is in the one that its label names, else in "default".
 */
#include <string.h>

#include "scenario.h"

struct pools {
	struct stint_map *nodes; /* by name: struct stint_node; made when the first pool has some */
	struct stint_map *known; /* pools by name; the values mean nothing */
};

static char there;

static const struct stint_json *object_at(
	const struct stint_json *extras, const char *key, const struct place *place, struct reader *r, bool *ok)
{
	const struct stint_json *object = stint_json_get(extras, key);
	const enum stint_json_type type = stint_json_type(object);
	*ok = type == STINT_JSON_NULL || type == STINT_JSON_OBJECT || field_fail(place, NULL, r->err, "must be an object");
	return type == STINT_JSON_OBJECT ? object : NULL;
}

static bool is_name(const char *name)
{
	return name && name[0] && strlen(name) <= 253;
}

/* ---- pools ----------------------------------------------------------------------------------------------------------------------- */

static bool read_nodes(struct reader *r, struct pools *pools, const struct place *place, const struct stint_json *pool, const char *name)
{
	const struct place list = {.above = place, .key = "nodes", .index = -1};
	const struct stint_json *names;
	size_t count;
	int64_t at = 0;
	if (!field_array(place, pool, "nodes", SCENARIO_MAX_THINGS, &names, &count, r->err))
		return false;
	if (count && !stint_map_count(pools->nodes)) {
		for (size_t i = 0; i < r->scenario->nodes_count; i++)
			stint_map_set(pools->nodes, r->scenario->nodes[i].meta.name, &r->scenario->nodes[i]);
	}
	stint_json_each(item, names) {
		const struct place here = {.above = &list, .index = at++};
		struct stint_node *node = stint_json_string(item) ? stint_map_get(pools->nodes, stint_json_string(item)) : NULL;
		if (!node)
			return field_fail(&here, NULL, r->err, "names a node that is not in the scenario");
		const char *label = stint_object_label(&node->meta, STINT_LABEL_NODE_POOL);
		if (label && strcmp(label, name) != 0)
			return field_fail(&here, NULL, r->err, "names a node that is in another pool");
		add_label(r, &node->meta.labels, STINT_LABEL_NODE_POOL, name);
	}
	return true;
}

static bool read_placement(
	struct reader *r, const struct place *place, const struct stint_json *pool, const char *name, struct stint_pool_placement *out)
{
	int placement;
	if (!field_choice(place, pool, "placement", sim_placements, SIM_PLACEMENTS, -1, &placement, r->err))
		return false;
	if (placement < 0)
		return true;
	struct stint_policy *policy = &r->scenario->policy;
	*out = stint_pool_placement_of(name, (enum stint_placement)placement);
	out->prefer_shared = out->prefer_shared && policy->prefer_shared;
	policy->pools_count++;
	return true;
}

static bool read_pool(struct reader *r, struct pools *pools, const struct place *above, const struct stint_json *pool,
	struct stint_pool_placement *placements)
{
	const char *name = scenario_keep(r->scenario, stint_json_key(pool));
	const struct place place = {.above = above, .key = name, .index = -1};
	if (!is_name(name))
		return field_fail(above, name, r->err, "is no name of a pool");
	if (stint_json_type(pool) != STINT_JSON_OBJECT)
		return field_fail(&place, NULL, r->err, "must be an object");
	stint_map_set(pools->known, name, &there);
	return read_nodes(r, pools, &place, pool, name) &&
		read_placement(r, &place, pool, name, &placements[r->scenario->policy.pools_count]);
}

/* ---- lists of workloads ------------------------------------------------------------------------------------------------------------ */

static bool read_list(struct reader *r, const struct pools *pools, const struct place *above, const struct stint_json *list,
	const struct stint_json *lists)
{
	const char *key = stint_json_key(list);
	const struct place place = {.above = above, .key = key, .index = -1};
	struct sim_workload *workload = stint_map_get(r->workloads, key);
	const struct stint_json *names;
	size_t count;
	int64_t at = 0;
	if (!workload)
		return field_fail(above, key, r->err, "names no workload of the scenario");
	if (!field_array(above, lists, key, STINT_MAX_POOLS, &names, &count, r->err))
		return false;
	const char **texts = scenario_room(r->scenario, count, sizeof *texts);
	stint_json_each(item, names) {
		const struct place here = {.above = &place, .index = at};
		const char *name = stint_json_string(item);
		if (!name || !stint_map_has(pools->known, name))
			return field_fail(&here, NULL, r->err, "names no pool of the scenario");
		texts[at++] = scenario_keep(r->scenario, name);
	}
	workload->group.pools = texts;
	workload->group.pools_count = (uint32_t)count;
	return true;
}

static bool read_all(struct reader *r, struct pools *pools, const struct place *above, const struct stint_json *extras)
{
	const struct place place = {.above = above, .key = "pools", .index = -1},
			   lists_place = {.above = above, .key = "nodePools", .index = -1};
	bool ok;
	const struct stint_json *objects = object_at(extras, "pools", &place, r, &ok);
	const struct stint_json *lists = ok ? object_at(extras, "nodePools", &lists_place, r, &ok) : NULL;
	if (!ok)
		return false;
	struct stint_pool_placement *placements = scenario_room(r->scenario, stint_json_count(objects), sizeof *placements);
	r->scenario->policy.pools = placements;
	stint_json_each(pool, objects) {
		if (!read_pool(r, pools, &place, pool, placements))
			return false;
	}
	stint_map_set(pools->known, STINT_DEFAULT_POOL, &there);
	for (size_t i = 0; lists && i < r->scenario->nodes_count; i++)
		stint_map_set(pools->known, stint_node_pool(&r->scenario->nodes[i]), &there);
	stint_json_each(list, lists) {
		if (!read_list(r, pools, &lists_place, list, lists))
			return false;
	}
	return true;
}

bool read_pools(struct reader *r, const struct place *above, const struct stint_json *extras)
{
	struct pools pools = {.nodes = stint_map_new(NULL), .known = stint_map_new(NULL)};
	const bool ok = read_all(r, &pools, above, extras);
	stint_map_free(pools.nodes);
	stint_map_free(pools.known);
	return ok;
}
