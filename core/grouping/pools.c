/*
 * pools: which node pools a workload may use, best first. See stint/grouping.h. Holds no state.
 *
 * An ordered list (annotation kai.scheduler/node-pools) says more than one pool (label kai.scheduler/node-pool), so it is looked for first;
 * of each, what the group's own object says comes before its owners, and those before the pod. What names none has those of its project.
 */
#include "private.h"

void grouping_read_pools(const struct stint_catalog *catalog, const struct stint_pod *pod, const struct stint_owner_chain *chain,
	const struct stint_pod_group *group, struct stint_grouping *out)
{
	const char *list = group ? stint_object_annotation(&group->meta, STINT_ANNOTATION_NODE_POOLS) : NULL;
	if (!list)
		list = stint_owners_annotation(chain, STINT_ANNOTATION_NODE_POOLS);
	if (!list)
		list = stint_object_annotation(&pod->meta, STINT_ANNOTATION_NODE_POOLS);
	const char *one = group ? stint_object_label(&group->meta, STINT_LABEL_NODE_POOL) : NULL;
	if (!one)
		one = stint_owners_label(chain, STINT_LABEL_NODE_POOL);
	if (!one)
		one = stint_object_label(&pod->meta, STINT_LABEL_NODE_POOL);
	out->pool = one && one[0] ? one : NULL;
	out->pools = list && list[0] ? list : out->pool;
	if (!out->pools)
		out->pools = stint_catalog_default_pools(catalog, out->queue);
}

char **stint_pools_split(const char *text, size_t *count)
{
	char **pools = text ? stint_split(text, ", ") : NULL;
	*count = 0;
	while (pools && pools[*count])
		++*count;
	return pools;
}
