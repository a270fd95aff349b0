/*
 * snapshot_pools: the node pools of a snapshot, under the key `stint` of the scenario (pools.c reads them). They are written only where some
 * workload lists pools: without such a list a pool changes nothing, and what strategy the scheduler has for one is not known here.
 */
#include "snapshot.h"

#include <string.h>

static const char *pool_name(const struct snap *snap, const char *pool)
{
	return strcmp(pool, STINT_DEFAULT_POOL) == 0 ? pool : snap_name(snap, 'p', pool);
}

void snap_pool_list(struct snap *snap, struct stint_json *scenario, const char *workload, const char *pools)
{
	size_t count;
	char **names = stint_pools_split(pools, &count);
	struct stint_json *list = NULL;
	if (count)
		list = stint_json_ensure_array(
			stint_json_ensure_object(stint_json_ensure_object(scenario, "stint"), "nodePools"), workload);
	for (size_t i = 0; i < count && i < STINT_MAX_POOLS; i++) {
		const char *name = pool_name(snap, names[i]);
		stint_json_append(list, stint_json_new_string(name));
		/* One that no node is in must be known, too. */
		stint_json_ensure_object(stint_json_ensure_object(stint_json_get(scenario, "stint"), "pools"), name);
	}
	stint_strings_free(names);
}

void snap_pools(struct snap *snap, struct stint_json *scenario)
{
	struct stint_json *pools = stint_json_get(stint_json_get(scenario, "stint"), "pools");
	for (size_t i = 0; pools && i < snap->from->nodes.count; i++) {
		const struct stint_node *node = stint_node_of(snap->from->nodes.items[i]);
		const char *pool = stint_node_pool(node);
		if (strcmp(pool, STINT_DEFAULT_POOL) == 0)
			continue;
		struct stint_json *nodes = stint_json_ensure_array(stint_json_ensure_object(pools, pool_name(snap, pool)), "nodes");
		stint_json_append(nodes, stint_json_new_string(snap_name(snap, 'n', node->meta.name)));
	}
}
