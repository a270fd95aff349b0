/*
 * project: what creating (project.c) and changing (project_change.c) projects and departments share. Internal to workload.
 */
#ifndef STINT_WORKLOAD_PROJECT_H
#define STINT_WORKLOAD_PROJECT_H

#include <stint/kube.h>

#include "share.h"

/* The object, or NULL: *failed tells apart that it is not there and that err is set. */
struct stint_json *get_or_null(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space, const char *name,
	bool *failed, struct stint_error **err);
/* All queues: *list is the caller's, the result its items. NULL: err. */
struct stint_json *list_queues(struct stint_kube *kube, struct stint_json **list, struct stint_error **err);
/* The queues that there are must leave the name free and hold the department. */
bool check_share_place(const struct stint_json *queues, const struct stint_share *share, bool is_department, struct stint_error **err);
/* The queue (NULL: there is none) must be what is to be changed, and the department (NULL: stays) one. */
bool check_share_kind(
	const struct stint_json *queues, const struct stint_json *queue, const char *name, bool is_department, struct stint_error **err);
bool check_share_parent(const struct stint_json *queues, const char *department, struct stint_error **err);
bool department_keeps_sum(const struct stint_json *department);
/* A namespace that is there (NULL: it is not) may become a project's only when that is said; the cluster's own never. */
bool check_space(const struct stint_json *space, const char *name, bool adopt, struct stint_error **err);
bool check_space_name(const char *name, struct stint_error **err);
struct stint_json *new_space(const char *name);
struct stint_json *queue_named(const struct stint_json *queues, const char *name);
bool create_object(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space, const struct stint_json *object,
	struct stint_error **err);
/* Label stint.dev/project of a namespace; value NULL takes it away. */
bool label_space(struct stint_kube *kube, const char *name, const char *value, struct stint_error **err);
/*
 * Sets the department's quota to the sum of its projects' when it keeps one. coming: a project that is about to be written and counts
 * already (NULL: none).
 */
bool adjust_department(struct stint_kube *kube, const char *name, const struct stint_json *coming, struct stint_error **err);

#endif
