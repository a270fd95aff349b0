/*
 * private: what the files of this module share.
 */
#ifndef STINT_GROUPING_PRIVATE_H
#define STINT_GROUPING_PRIVATE_H

#include <stint/grouping.h>

/* pools.c. group: where an object rules, else NULL. */
void grouping_read_pools(const struct stint_pod *pod, const struct stint_owner_chain *chain, const struct stint_pod_group *group,
	struct stint_grouping *out);

/* segments.c: leaves *out as it is where none are asked for. */
void grouping_read_segments(const struct stint_pod *pod, const struct stint_owner_chain *chain, const struct stint_pod_group *group,
	struct stint_segments *out);

/* subgroups.c: begins a tree of which all members are needed. */
void subgroups_root(struct stint_subgroups *out, const struct stint_topology_constraint *constraint);

#endif
