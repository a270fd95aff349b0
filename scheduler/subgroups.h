/*
 * subgroups: the tree of parts that a PodGroup describes, or that annotations of an owner ask for, as the engine takes it. Pure.
 */
#ifndef STINT_SCHEDULER_SUBGROUPS_H
#define STINT_SCHEDULER_SUBGROUPS_H

#include <stint/engine.h>

/* The texts are borrowed from what it was made of. */
struct stint_subgroups {
	struct stint_part_spec *parts; /* NULL: one set of pods without conditions */
	size_t count;
};

/*
 * kai-api 1.2: roots and parents, minima, topology constraints. minimum: of a group without sub-groups. constraint: where the object has
 * none of its own; may be NULL. False: *err says what is wrong with the tree.
 */
bool stint_subgroups_read(struct stint_subgroups *out, const struct stint_pod_group *group,
	const struct stint_topology_constraint *constraint, int32_t minimum, struct stint_error **err);
/* Members of that set of pods have ended well and need no place any more. */
void stint_subgroups_lower(struct stint_subgroups *subgroups, const char *part, int64_t succeeded);
void stint_subgroups_clear(struct stint_subgroups *subgroups); /* for STINT_CLEANUP */

#endif
