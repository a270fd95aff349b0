/*
 * pools.h: nodes in named pools, and lists of such. A part of state.h; what walks through the pools of a group is in topology.h.
 */
#ifndef STINT_ENGINE_POOLS_H
#define STINT_ENGINE_POOLS_H

#include <stint/engine.h>

struct field;

struct pool_list {
	uint32_t *items;
	uint32_t count;
};

struct pool {
	char *name; /* NULL: a free slot */
	uint32_t refs; /* nodes in it, lists that name it */
	struct stint_pool_placement placement;
	struct field *field; /* its nodes; NULL: not asked for yet */
	uint64_t gathered; /* the field is of these specifications of nodes */
};

struct pools {
	struct pool *items;
	size_t count, capacity;
	struct handles free;
	struct stint_map *names;
	struct stint_pool_placement *placements; /* the policy's, with their names */
	uint32_t placements_count;
	uint32_t hunter, only; /* a search is for this group, in this pool; STINT_NO_HANDLE: none, any */
};

void engine_pools_init(struct stint_engine *engine);
void engine_pools_free(struct stint_engine *engine);
/* Makes the placements of `policy` those that rule; engine->policy becomes the owner of a copy. */
void engine_pools_adopt(struct stint_engine *engine, const struct stint_policy *policy);
bool engine_pools_same_policy(const struct stint_policy *a, const struct stint_policy *b);

/* The strategy that rules on the node. */
struct stint_pool_placement engine_placement_on(const struct stint_engine *engine, uint32_t node);
/* Which a pod prefers that may use pools of several strategies: the larger the better, below 4. */
unsigned engine_strategy_rank(enum stint_placement gpu_nodes);
/* It rules somewhere. */
bool engine_policy_uses(const struct stint_policy *policy, enum stint_placement placement);

void engine_pool_of_node(struct stint_engine *engine, uint32_t node); /* by its object */
bool engine_pool_listed(const struct pool_list *list, uint32_t pool);

/* Of a group. Its pods must be out of the books when the list changes; they get other shapes. */
bool engine_pools_same(const struct stint_engine *engine, const struct pool_list *list, const struct stint_group_spec *spec);
void engine_pools_set(struct stint_engine *engine, uint32_t group, const struct stint_group_spec *spec);
void engine_pools_clear(struct stint_engine *engine, struct pool_list *list);
/* The pool to which more of its pods are bound, as it is a gang that runs there; STINT_NO_HANDLE: none. */
uint32_t engine_pools_pin(const struct stint_engine *engine, uint32_t group);
bool engine_group_in_pool(const struct stint_engine *engine, uint32_t group, uint32_t pool); /* an active pod of it is */

/* Of a shape: the same pools, whatever their order. */
bool engine_pools_equal(const struct pool_list *set, const struct pool_list *other_set);
void engine_pools_copy(struct stint_engine *engine, struct pool_list *set, const struct pool_list *from); /* as a set */

#endif
