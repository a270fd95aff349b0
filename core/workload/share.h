/*
 * share: between the objects of a project or department (share.c) and writing them (project.c). Internal to workload.
 */
#ifndef STINT_WORKLOAD_SHARE_H
#define STINT_WORKLOAD_SHARE_H

#include "check.h"

/* On a namespace that `project create` has made: `project delete` removes it again. */
#define ANNOTATION_MADE "stint.dev/made-namespace"

bool share_has_people(const struct stint_share *share);
/* RoleBinding of ClusterRole stint-user in the namespace, or ClusterRoleBinding of stint-basic. */
struct stint_json *share_binding(const struct stint_share *share, bool cluster_wide);
/* Adds those that are not there yet; false: all were. */
bool share_add_people(const struct stint_share *share, struct stint_json *binding);
bool share_removes_people(const struct stint_share *share);
/* Takes out those that are there; false: none was. */
bool share_remove_people(const struct stint_share *share, struct stint_json *binding);
bool share_check_people(const struct stint_share *share, struct stint_error **err); /* nobody is added and removed */

#endif
