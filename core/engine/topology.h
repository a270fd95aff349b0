/*
 * topology.h: nodes as trees of domains, the domains that may take a part of a gang, and the best node in one of them.
 */
#ifndef STINT_ENGINE_TOPOLOGY_H
#define STINT_ENGINE_TOPOLOGY_H

#include "state.h"

/* The nodes that share the values of a topology's labels down to some level. The root stands above all levels. */
struct domain {
	char *value; /* of its level's label, "" for the root; NULL: a free slot */
	uint32_t parent, first_child, next, previous; /* next, previous: siblings */
	uint32_t first_node; /* of a domain of the last level */
	uint32_t nodes; /* all below it */
	uint8_t level; /* 0: the root */
	int64_t cpu_milli, memory_bytes, gpus; /* free now or soon, of nodes that take pods */
	int64_t *extended; /* by resource; NULL: no node offers any */
	double ratio; /* of the split under way: how much of it would be used */
	uint64_t pinned; /* the split that found pods of the part here */
};

/* A node in a topology, with what it gives to the sums of its domains. */
struct located {
	uint32_t domain, next, previous; /* domain: STINT_NO_HANDLE: it lacks a label */
	int64_t cpu_milli, memory_bytes, gpus;
};

struct topology {
	struct stint_topology *object; /* NULL: a free slot */
	uint32_t levels, root;
	struct stint_map *index; /* "parent/value": the domain */
	struct located *nodes; /* by node */
	int64_t *extended; /* node * stride + resource: what each node gives */
	size_t capacity, stride; /* nodes there is room for; resources */
	uint64_t seen; /* the place in the change log up to which it has caught up */
};

/*
 * Nodes among which a part of a gang is placed, with the tournament of one shape among them. bonus: 0 to 10, the more the better (kai-engine
 * 10.4). A node is in it when nodes[position[node]] is that node.
 */
struct field {
	bool all; /* no bound: the shape's own ranking answers */
	uint32_t *nodes, *position;
	uint8_t *bonus;
	uint32_t count;
	size_t nodes_capacity, bonus_capacity, position_capacity;
	uint32_t shape, width; /* width 0: no tournament yet */
	uint32_t *winners; /* places in nodes; leaves at width + place */
	size_t winners_capacity;
	uint64_t seen;
	uint64_t played; /* of the shape's ranking */
};

/* What a part asks for. `least` of any of its pods, `sum` of all. */
struct demand {
	uint32_t pods, shape; /* STINT_NO_HANDLE: not all of one shape */
	struct amounts sum, least; /* least: of GPUs, whole ones */
	int64_t whole; /* devices that are asked for as a whole */
	int64_t *extended;
	size_t extended_capacity;
};

/* The domains that may take a part, best first (kai-engine 10.2). */
struct split {
	const struct part *part;
	struct topology *topology;
	const struct field *within;
	struct demand demand;
	struct handles order; /* domains below the anchor, level by level, each level from left to right */
	uint32_t first[STINT_MAX_LEVELS + 2]; /* of each level in order; one more for the end */
	uint32_t anchor_level, bottom, top; /* levels: bottom is the finest that is looked at */
	uint32_t preferred; /* its level; 0: none */
	uint32_t required;
	uint32_t level, at; /* the candidate that comes next */
	uint64_t pin; /* 0: no pod of the part runs yet */
};

struct nest {
	struct split split;
	struct field field;
};

/* field.c */
void engine_field_clear(struct stint_engine *engine, struct field *field); /* no nodes */
void engine_field_add(struct field *field, uint32_t node, uint8_t bonus);
void engine_field_free(struct field *field);
bool engine_field_has(const struct field *field, uint32_t node);
uint32_t engine_field_best(struct stint_engine *engine, struct field *field, uint32_t shape); /* STINT_NO_HANDLE: none of its nodes fits */
/* As their siblings in ranking.c. */
void engine_field_mask(struct stint_engine *engine, struct field *field, uint32_t shape, uint32_t node);
void engine_field_unmask(struct stint_engine *engine, struct field *field, uint32_t shape, uint32_t node);

/* pools.c */
/* The pools in which a group is tried, one after the other. */
struct pool_walk {
	uint32_t pools[STINT_MAX_POOLS];
	uint32_t count, next; /* count 0: everywhere, once */
	struct field everywhere;
};
void engine_pools_walk(struct stint_engine *engine, uint32_t group, struct pool_walk *walk);
struct field *engine_pools_next(struct stint_engine *engine, struct pool_walk *walk); /* NULL: there are no more */

/* topology.c */
struct topology *engine_topology_named(struct stint_engine *engine, const char *name); /* caught up; NULL: there is none */
void engine_topology_discard(struct stint_engine *engine, struct topology *topology);
uint32_t engine_topology_level(const struct topology *topology, const char *name); /* by label or alias, from 1; 0: it has no such level */
uint32_t engine_domain_above(const struct stint_engine *engine, uint32_t domain, uint32_t level);
char *engine_domain_name(const struct stint_engine *engine, uint32_t domain); /* "zone1.rack2"; freed by the caller */

/* split.c */
/* False: the topology or a level does not exist. */
bool engine_split_start(
	struct stint_engine *engine, struct split *split, const struct group *group, const struct part *part, const struct field *within);
bool engine_split_next(struct stint_engine *engine, struct split *split, struct field *out); /* false: there are no more */
/* The domain of the required level that would take most of its pods. *pods: how many. STINT_NO_HANDLE: there is none. */
uint32_t engine_split_closest(struct stint_engine *engine, struct split *split, struct field *room, uint32_t *pods);
void engine_split_free(struct split *split);

#endif
