/*
 * pools: nodes in named pools, the placement strategy that rules in each, and the pools in which a group is tried.
 *
 * Owns engine.pools. A pool is known while a node, a group or a shape names it. That a pod may use some pools alone is part of its shape, so
 * feasibility, refusals and searches know it without asking here; what this file adds is that a group is placed in one pool as a whole, in
 * the order of its list.
 * Costs: nothing for groups without a list; a walk through one the nodes of its pools when some node's specification has changed since,
 * and those of a pool again when another shape is placed there.
 */
#include "state.h"
#include "topology.h"

/* ---- strategies ------------------------------------------------------------------------------------------------------------------ */

struct stint_pool_placement stint_pool_placement_of(const char *pool, enum stint_placement gpu)
{
	const struct stint_policy policy = stint_policy_of(gpu, gpu);
	return (struct stint_pool_placement){
		.pool = pool, .gpu_nodes = policy.gpu_nodes, .gpu_devices = policy.gpu_devices, .prefer_shared = policy.prefer_shared};
}

static struct stint_pool_placement placement_of(const struct stint_policy *policy, const char *pool)
{
	for (uint32_t i = 0; i < policy->pools_count; i++) {
		if (strcmp(policy->pools[i].pool, pool) == 0)
			return policy->pools[i];
	}
	return (struct stint_pool_placement){
		.gpu_nodes = policy->gpu_nodes, .gpu_devices = policy->gpu_devices, .prefer_shared = policy->prefer_shared};
}

struct stint_pool_placement engine_placement_on(const struct stint_engine *engine, uint32_t node)
{
	const struct stint_policy *policy = &engine->policy;
	if (policy->pools_count && engine->nodes[node].pool != STINT_NO_HANDLE)
		return engine->pools.items[engine->nodes[node].pool].placement;
	return (struct stint_pool_placement){
		.gpu_nodes = policy->gpu_nodes, .gpu_devices = policy->gpu_devices, .prefer_shared = policy->prefer_shared};
}

unsigned engine_strategy_rank(enum stint_placement gpu_nodes)
{
	switch (gpu_nodes) {
	case STINT_BINPACK: return 3;
	case STINT_FRAGMENTATION: return 2;
	case STINT_UNORDERED: return 1;
	case STINT_SPREAD: break;
	}
	return 0;
}

bool engine_policy_uses(const struct stint_policy *policy, enum stint_placement placement)
{
	bool uses = policy->gpu_nodes == placement || policy->cpu_nodes == placement || policy->gpu_devices == placement;
	for (uint32_t i = 0; i < policy->pools_count; i++)
		uses = uses || policy->pools[i].gpu_nodes == placement || policy->pools[i].gpu_devices == placement;
	return uses;
}

bool engine_pools_same_policy(const struct stint_policy *a, const struct stint_policy *b)
{
	if (a->pools_count != b->pools_count)
		return false;
	for (uint32_t i = 0; i < a->pools_count; i++) {
		const struct stint_pool_placement *p = &a->pools[i], *q = &b->pools[i];
		if (p->gpu_nodes != q->gpu_nodes || p->gpu_devices != q->gpu_devices || p->prefer_shared != q->prefer_shared ||
			strcmp(p->pool, q->pool) != 0)
			return false;
	}
	return true;
}

static void free_placements(struct stint_pool_placement *placements, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free((void *)(uintptr_t)placements[i].pool); /* our own copy */
	free(placements);
}

void engine_pools_adopt(struct stint_engine *engine, const struct stint_policy *policy)
{
	struct pools *pools = &engine->pools;
	struct stint_pool_placement *copy = policy->pools_count ? stint_alloc(policy->pools_count * sizeof *copy) : NULL;
	for (uint32_t i = 0; i < policy->pools_count; i++) {
		copy[i] = policy->pools[i];
		copy[i].pool = stint_strdup(policy->pools[i].pool);
	}
	free_placements(pools->placements, pools->placements_count);
	pools->placements = copy;
	pools->placements_count = policy->pools_count;
	engine->policy.pools = copy;
	for (size_t i = 0; i < pools->count; i++) {
		if (pools->items[i].name)
			pools->items[i].placement = placement_of(&engine->policy, pools->items[i].name);
	}
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------------ */

void engine_pools_init(struct stint_engine *engine)
{
	engine->pools.names = stint_map_new(NULL);
	engine->pools.hunter = engine->pools.only = STINT_NO_HANDLE;
}

static void forget(struct pool *pool)
{
	if (pool->field)
		engine_field_free(pool->field);
	free(pool->field);
	free(pool->name);
	*pool = (struct pool){0};
}

void engine_pools_free(struct stint_engine *engine)
{
	struct pools *pools = &engine->pools;
	for (size_t i = 0; i < pools->count; i++)
		forget(&pools->items[i]);
	free_placements(pools->placements, pools->placements_count);
	stint_map_free(pools->names);
	free(pools->items);
	free(pools->free.items);
}

static uint32_t take(struct stint_engine *engine, const char *name)
{
	struct pools *pools = &engine->pools;
	uint32_t handle = (uint32_t)(uintptr_t)stint_map_get(pools->names, name) - 1;
	if (handle == STINT_NO_HANDLE) {
		if (!pools->free.count)
			stint_grow(&pools->items, &pools->capacity, pools->count + 1, sizeof *pools->items);
		handle = engine_take_slot(&pools->free, &pools->count);
		pools->items[handle] = (struct pool){.name = stint_strdup(name), .placement = placement_of(&engine->policy, name)};
		stint_map_set(pools->names, name, (void *)(uintptr_t)(handle + 1));
	}
	pools->items[handle].refs++;
	return handle;
}

static void drop(struct stint_engine *engine, uint32_t handle)
{
	struct pool *pool = &engine->pools.items[handle];
	if (--pool->refs)
		return;
	stint_map_remove(engine->pools.names, pool->name);
	forget(pool);
	handles_push(&engine->pools.free, handle);
}

void engine_pool_of_node(struct stint_engine *engine, uint32_t handle)
{
	struct node *node = &engine->nodes[handle];
	const uint32_t former = node->pool;
	node->pool = node->object ? take(engine, stint_node_pool(node->object)) : STINT_NO_HANDLE;
	if (former != STINT_NO_HANDLE)
		drop(engine, former);
}

/* ---- lists ---------------------------------------------------------------------------------------------------------------------------- */

bool engine_pool_listed(const struct pool_list *list, uint32_t pool)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i] == pool)
			return true;
	}
	return false;
}

/* Without empty and repeated names. */
static uint32_t read_names(const struct stint_group_spec *spec, const char *names[static STINT_MAX_POOLS])
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < spec->pools_count && count < STINT_MAX_POOLS; i++) {
		bool known = !spec->pools[i][0];
		for (uint32_t k = 0; k < count && !known; k++)
			known = strcmp(names[k], spec->pools[i]) == 0;
		if (!known)
			names[count++] = spec->pools[i];
	}
	return count;
}

bool engine_pools_same(const struct stint_engine *engine, const struct pool_list *list, const struct stint_group_spec *spec)
{
	const char *names[STINT_MAX_POOLS];
	bool same = read_names(spec, names) == list->count;
	for (uint32_t i = 0; i < list->count && same; i++)
		same = strcmp(engine->pools.items[list->items[i]].name, names[i]) == 0;
	return same;
}

void engine_pools_clear(struct stint_engine *engine, struct pool_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		drop(engine, list->items[i]);
	free(list->items);
	*list = (struct pool_list){0};
}

void engine_pools_set(struct stint_engine *engine, uint32_t handle, const struct stint_group_spec *spec)
{
	const char *names[STINT_MAX_POOLS];
	struct pool_list former = engine->groups[handle].pools, list = {.count = read_names(spec, names)};
	if (engine_pools_same(engine, &former, spec))
		return;
	if (list.count)
		list.items = stint_alloc(list.count * sizeof *list.items);
	for (uint32_t i = 0; i < list.count; i++)
		list.items[i] = take(engine, names[i]);
	engine->groups[handle].pools = list;
	engine_pools_clear(engine, &former);
	for (uint32_t i = 0; i < engine->groups[handle].pods_count; i++)
		engine_pod_reshape(engine, engine->groups[handle].pods[i]);
}

bool engine_pools_equal(const struct pool_list *set, const struct pool_list *other)
{
	bool equal = set->count == other->count;
	for (uint32_t i = 0; i < set->count && equal; i++)
		equal = engine_pool_listed(other, set->items[i]);
	return equal;
}

void engine_pools_copy(struct stint_engine *engine, struct pool_list *set, const struct pool_list *from)
{
	*set = (struct pool_list){.count = from->count};
	if (from->count)
		set->items = stint_alloc(from->count * sizeof *set->items);
	for (uint32_t i = 0; i < from->count; i++) {
		set->items[i] = from->items[i];
		engine->pools.items[set->items[i]].refs++;
	}
}

size_t stint_engine_group_pools(const struct stint_engine *engine, uint32_t group, const char *names[static STINT_MAX_POOLS])
{
	const struct pool_list *list = &engine->groups[group].pools;
	for (uint32_t i = 0; i < list->count; i++)
		names[i] = engine->pools.items[list->items[i]].name;
	return list->count;
}

/* ---- where a group is tried ---------------------------------------------------------------------------------------------------------------- */

bool engine_group_in_pool(const struct stint_engine *engine, uint32_t handle, uint32_t pool)
{
	const struct group *group = &engine->groups[handle];
	for (uint32_t i = 0; i < group->pods_count; i++) {
		const struct pod *pod = &engine->pods[group->pods[i]];
		if (engine_pod_active(pod) && engine->nodes[pod->node].pool == pool)
			return true;
	}
	return false;
}

uint32_t engine_pools_pin(const struct stint_engine *engine, uint32_t handle)
{
	const struct group *group = &engine->groups[handle];
	const bool together = group->min_member > 1 || (group->gang && !group->gang->implied);
	if (!together || !group->active)
		return STINT_NO_HANDLE;
	for (uint32_t i = 0; i < group->pools.count; i++) {
		if (engine_group_in_pool(engine, handle, group->pools.items[i]))
			return group->pools.items[i];
	}
	return STINT_NO_HANDLE;
}

void engine_pools_walk(struct stint_engine *engine, uint32_t handle, struct pool_walk *walk)
{
	const struct group *group = &engine->groups[handle];
	const uint32_t pin = engine->pools.hunter == handle ? engine->pools.only : engine_pools_pin(engine, handle);
	*walk = (struct pool_walk){.everywhere = {.all = true}};
	if (pin != STINT_NO_HANDLE) {
		walk->pools[walk->count++] = pin;
		return;
	}
	/* Where a single pod may go is known by the ranking of its shape. */
	if (group->pools.count == 1 && !group->gang)
		return;
	for (uint32_t i = 0; i < group->pools.count; i++)
		walk->pools[walk->count++] = group->pools.items[i];
}

static struct field *field_of(struct stint_engine *engine, uint32_t handle)
{
	struct pool *pool = &engine->pools.items[handle];
	if (pool->field && pool->gathered == engine->specifications)
		return pool->field;
	if (!pool->field)
		pool->field = stint_alloc(sizeof *pool->field);
	engine_field_clear(engine, pool->field);
	for (uint32_t i = 0; i < engine->nodes_count; i++) {
		if (engine->nodes[i].object && engine->nodes[i].pool == handle)
			engine_field_add(pool->field, i, 0);
	}
	pool->gathered = engine->specifications;
	return pool->field;
}

struct field *engine_pools_next(struct stint_engine *engine, struct pool_walk *walk)
{
	if (walk->next >= (walk->count ? walk->count : 1))
		return NULL;
	const uint32_t at = walk->next++;
	return walk->count ? field_of(engine, walk->pools[at]) : &walk->everywhere;
}
