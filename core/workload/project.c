/*
 * project: projects and departments in the cluster: created whole or not at all, changed, removed. Blocks. A department whose quota is the
 * sum of its projects' is adjusted with every change below it, on the resourceVersion that the sum was read with.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "delete.h"
#include "project.h"

enum { MOST_TRIES = 5 };

/* What has been made or changed, or may have been because no answer came, to be taken back in reverse. */
struct undo {
	bool space_made, space_labelled, binding_made, cluster_binding_made, queue_made;
	char *former_label; /* of a namespace that was labelled anew; NULL: it had none */
	const char *department; /* its sum may hold the project already */
};

/* Whether the write is to be taken back: it was done, or nobody can tell. */
static bool perhaps_done(bool done, const struct stint_error *error)
{
	return done || error->code == STINT_TIMEOUT || error->code == STINT_UNREACHABLE;
}

struct stint_json *get_or_null(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space, const char *name,
	bool *failed, struct stint_error **err)
{
	stint_auto_error *error = NULL;
	struct stint_json *object = stint_kube_get(kube, resource, space, name, &error);
	*failed = !object && error->code != STINT_NOT_FOUND;
	if (*failed)
		stint_error_move(err, &error);
	return object;
}

struct stint_json *list_queues(struct stint_kube *kube, struct stint_json **list, struct stint_error **err)
{
	*list = stint_kube_list(kube, &stint_kube_queues, NULL, NULL, err);
	return stint_json_get(*list, "items");
}

struct stint_json *queue_named(const struct stint_json *queues, const char *name)
{
	stint_json_each(queue, queues) {
		if (strcmp(stint_json_string_or(stint_json_at(queue, "metadata", "name"), ""), name) == 0)
			return queue;
	}
	return NULL;
}

/* ---- departments that keep a sum --------------------------------------------------------------------------------------------------- */

bool department_keeps_sum(const struct stint_json *department)
{
	return strcmp(stint_json_string_or(stint_json_at(department, "metadata", "annotations", STINT_ANNOTATION_QUOTA), ""), "sum") == 0;
}

static bool write_quota(struct stint_kube *kube, const struct stint_json *department, double quota, struct stint_error **err)
{
	stint_auto_json *patch = stint_json_new_object();
	stint_json_set_string(stint_json_ensure_object(patch, "metadata"), "resourceVersion",
		stint_json_string_at(department, "metadata", "resourceVersion"));
	struct stint_json *resources = stint_json_ensure_object(stint_json_ensure_object(patch, "spec"), "resources");
	stint_json_set_double(stint_json_ensure_object(resources, "gpu"), "quota", quota);
	struct stint_json *answer = stint_kube_patch(kube, &stint_kube_queues, NULL, stint_json_string_at(department, "metadata", "name"),
		STINT_KUBE_PATCH_MERGE, patch, NULL, err);
	stint_json_free(answer);
	return answer != NULL;
}

bool adjust_department(struct stint_kube *kube, const char *name, const struct stint_json *coming, struct stint_error **err)
{
	for (int tries = 0;; tries++) {
		stint_auto_json *list = NULL;
		stint_auto_error *error = NULL;
		double quota = 0, now = 0;
		struct stint_json *queues = list_queues(kube, &list, err), *department = queue_named(queues, name);
		if (!list)
			return false;
		if (!department || !department_keeps_sum(department))
			return true;
		if (coming)
			stint_json_append(queues, stint_json_dup(coming));
		quota = stint_department_quota(queues, name);
		stint_json_double(stint_json_at(department, "spec", "resources", "gpu", "quota"), &now);
		if (fabs(quota - now) < 1e-9)
			return true;
		if (write_quota(kube, department, quota, &error))
			return true;
		if (error->code != STINT_CONFLICT || tries == MOST_TRIES)
			return stint_error_move(err, &error);
	}
}

/* ---- create ----------------------------------------------------------------------------------------------------------------------- */

bool create_object(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space, const struct stint_json *object,
	struct stint_error **err)
{
	struct stint_json *answer = stint_kube_create(kube, resource, space, NULL, object, NULL, err);
	stint_json_free(answer);
	return answer != NULL;
}

bool label_space(struct stint_kube *kube, const char *name, const char *value, struct stint_error **err)
{
	stint_auto_json *patch = stint_json_new_object();
	struct stint_json *labels = stint_json_ensure_object(stint_json_ensure_object(patch, "metadata"), "labels");
	stint_json_set(labels, STINT_LABEL_PROJECT, stint_json_new_string(value));
	struct stint_json *answer = stint_kube_patch(kube, &stint_kube_namespaces, NULL, name, STINT_KUBE_PATCH_MERGE, patch, NULL, err);
	stint_json_free(answer);
	return answer != NULL;
}

/* Creates, and notes in *made whether there is something to take back. */
static bool create_noted(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space,
	const struct stint_json *object, bool *made, struct stint_error **err)
{
	stint_auto_error *error = NULL;
	const bool done = create_object(kube, resource, space, object, &error);
	*made = perhaps_done(done, error);
	return done || stint_error_move(err, &error);
}

struct stint_json *new_space(const char *name)
{
	struct stint_json *space = stint_json_new_object();
	stint_json_set_string(space, "apiVersion", "v1");
	stint_json_set_string(space, "kind", "Namespace");
	struct stint_json *metadata = stint_json_ensure_object(space, "metadata");
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(stint_json_ensure_object(metadata, "labels"), STINT_LABEL_PROJECT, name);
	stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), ANNOTATION_MADE, "true");
	return space;
}

bool check_space(const struct stint_json *space, const char *name, bool adopt, struct stint_error **err)
{
	if (stint_json_get(stint_json_get(space, "metadata"), "deletionTimestamp"))
		return stint_fail(err, STINT_CONFLICT, "namespace \"%s\" is being deleted: wait until it has gone", name);
	if (space && !adopt)
		return stint_fail(err, STINT_CONFLICT,
			"namespace \"%s\" exists already: say --adopt to make it the project's, or take another name", name);
	return true;
}

static bool claim_space(struct stint_kube *kube, const char *name, bool adopt, struct undo *undo, struct stint_error **err)
{
	bool failed;
	stint_auto_json *space = get_or_null(kube, &stint_kube_namespaces, NULL, name, &failed, err);
	if (failed || !check_space(space, name, adopt, err))
		return false;
	if (!space) {
		stint_auto_json *fresh = new_space(name);
		return create_noted(kube, &stint_kube_namespaces, NULL, fresh, &undo->space_made, err);
	}
	const char *former = stint_json_string_at(space, "metadata", "labels", STINT_LABEL_PROJECT);
	if (former && strcmp(former, name) == 0)
		return true;
	undo->former_label = stint_strdup(former);
	stint_auto_error *error = NULL;
	const bool labelled = label_space(kube, name, name, &error);
	undo->space_labelled = perhaps_done(labelled, error);
	return labelled || stint_error_move(err, &error);
}

static bool bind_people(struct stint_kube *kube, const struct stint_share *share, struct undo *undo, struct stint_error **err)
{
	if (!share_has_people(share))
		return true;
	stint_auto_json *binding = share_binding(share, false), *cluster_binding = share_binding(share, true);
	return create_noted(kube, &stint_kube_rolebindings, share->name, binding, &undo->binding_made, err) &&
		create_noted(kube, &stint_kube_clusterrolebindings, NULL, cluster_binding, &undo->cluster_binding_made, err);
}

/* Failures here are told together with what they are the consequence of. */
static void take_back(struct stint_kube *kube, const char *name, struct undo *undo, struct stint_error **err)
{
	stint_auto_error *failed = NULL;
	stint_autofree char *cluster_binding = stint_format("stint-basic-%s", name);
	bool fine = !undo->queue_made || delete_or_gone(kube, &stint_kube_queues, NULL, name, NULL, &failed);
	/* The sum without the project that did not come about. */
	if (undo->department)
		fine &= adjust_department(kube, undo->department, NULL, &failed);
	if (undo->cluster_binding_made)
		fine &= delete_or_gone(kube, &stint_kube_clusterrolebindings, NULL, cluster_binding, NULL, &failed);
	if (undo->space_made)
		fine &= delete_or_gone(kube, &stint_kube_namespaces, NULL, name, NULL, &failed);
	else if (undo->binding_made)
		fine &= delete_or_gone(kube, &stint_kube_rolebindings, name, "stint-user", NULL, &failed);
	if (undo->space_labelled)
		fine &= label_space(kube, name, undo->former_label, &failed);
	if (!fine)
		stint_fail_wrap(err, "not everything could be taken back (%s)", failed ? failed->message : "");
}

/* The queues that there are must leave the name free and hold the department. */
bool check_share_place(const struct stint_json *queues, const struct stint_share *share, bool is_department, struct stint_error **err)
{
	const struct stint_json *taken = queue_named(queues, share->name);
	if (taken)
		return stint_fail(err, STINT_CONFLICT, "there is a %s \"%s\" already: projects and departments share one set of names",
			stint_queue_is_department(queues, taken) ? "department" : "project", share->name);
	const struct stint_json *department = share->department ? queue_named(queues, share->department) : NULL;
	if (share->department && !department)
		return stint_fail(err, STINT_NOT_FOUND, "there is no department \"%s\": \"stint department create %s\" makes it",
			share->department, share->department);
	if (!is_department && department && !stint_queue_is_department(queues, department))
		return stint_fail(err, STINT_USAGE, "\"%s\" is a project and cannot hold another: name a department", share->department);
	return true;
}

bool check_space_name(const char *name, struct stint_error **err)
{
	if (stint_starts_with(name, "kube-") || strcmp(name, "stint-system") == 0 || strcmp(name, "stint-reservation") == 0)
		return stint_fail(err, STINT_USAGE, "namespace \"%s\" is the cluster's own and no place for work: take another name", name);
	return true;
}

bool stint_department_create(struct stint_kube *kube, const struct stint_share *share, struct stint_error **err)
{
	stint_auto_json *queue = stint_share_queue(share, true, err);
	stint_auto_json *list = NULL;
	return queue && list_queues(kube, &list, err) && check_share_place(stint_json_get(list, "items"), share, true, err) &&
		create_object(kube, &stint_kube_queues, NULL, queue, err);
}

bool stint_project_create(struct stint_kube *kube, const struct stint_share *said, bool adopt, struct stint_error **err)
{
	struct stint_share share = *said;
	struct undo undo = {0};
	if (!check_space_name(share.name, err))
		return false;
	if (!share.department)
		share.department = STINT_DEFAULT_DEPARTMENT;
	stint_auto_json *queue = stint_share_queue(&share, false, err);
	stint_auto_json *list = NULL;
	if (!queue || !list_queues(kube, &list, err) || !check_share_place(stint_json_get(list, "items"), &share, false, err))
		return false;
	bool made = claim_space(kube, share.name, adopt, &undo, err) && bind_people(kube, &share, &undo, err);
	if (made) {
		undo.department = share.department;
		made = adjust_department(kube, share.department, queue, err) &&
			create_noted(kube, &stint_kube_queues, NULL, queue, &undo.queue_made, err);
	}
	if (!made)
		take_back(kube, share.name, &undo, err);
	free(undo.former_label);
	return made;
}
