/*
 * private: what the files of this module share.
 */
#ifndef STINT_GROUPING_PRIVATE_H
#define STINT_GROUPING_PRIVATE_H

#include <stint/grouping.h>

/* pools.c. group: where an object rules, else NULL. Of out the queue is known already. */
void grouping_read_pools(const struct stint_catalog *catalog, const struct stint_pod *pod, const struct stint_owner_chain *chain,
	const struct stint_pod_group *group, struct stint_grouping *out);

/* segments.c: leaves *out as it is where none are asked for. */
void grouping_read_segments(const struct stint_pod *pod, const struct stint_owner_chain *chain, const struct stint_pod_group *group,
	struct stint_segments *out);

/* 0 < size: whether so many pods may be cut like that, and bound as asked. */
bool grouping_segments_check(const struct stint_segments *segments, int32_t pods, int64_t size, struct stint_error **err);

/* roles.c: the highest owner that says what roles its pods have; NULL: none does. */
const struct stint_owner *grouping_roles_owner(const struct stint_owner_chain *chain);
char *grouping_roles_key(const struct stint_pod *pod, const struct stint_owner *owner); /* of the group; freed by the caller */
void grouping_read_roles(
	const struct stint_pod *pod, const struct stint_owner_chain *chain, const struct stint_owner *owner, struct stint_grouping *out);
/* The rest is for groupings that have them. */
bool grouping_roles_have_parts(const struct stint_grouping *grouping);
bool grouping_roles_parts(const struct stint_grouping *grouping, struct stint_subgroups *out, struct stint_error **err);
char *grouping_roles_part(const struct stint_grouping *grouping, const struct stint_pod *pod); /* freed by the caller; NULL: "default" */

/* subgroups.c: begins a tree of which all members are needed. */
void subgroups_root(struct stint_subgroups *out, const struct stint_topology_constraint *constraint);

#endif
