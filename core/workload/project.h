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
