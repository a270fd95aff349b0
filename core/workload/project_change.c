/*
 * project_change: updates and removals of projects and departments. Blocks; each write carries the resourceVersion or uid it was decided
 * on.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "delete.h"
#include "project.h"

enum { MOST_TRIES = 5 };

/* ---- update ----------------------------------------------------------------------------------------------------------------------- */

bool check_share_kind(
	const struct stint_json *queues, const struct stint_json *queue, const char *name, bool is_department, struct stint_error **err)
{
	const char *what = is_department ? "department" : "project", *other = is_department ? "project" : "department";
	if (!queue)
		return stint_fail(
			err, STINT_NOT_FOUND, "there is no %s \"%s\": \"stint %s list\" shows those that there are", what, name, what);
	if (stint_queue_is_department(queues, queue) != is_department)
		return stint_fail(err, STINT_USAGE, "\"%s\" is a %s: \"stint %s\" is for it", name, other, other);
	return true;
}

bool check_share_parent(const struct stint_json *queues, const char *department, struct stint_error **err)
{
	const struct stint_json *queue = department ? queue_named(queues, department) : NULL;
	if (!department || (queue && stint_queue_is_department(queues, queue)))
		return true;
	if (queue)
		return stint_fail(err, STINT_USAGE, "\"%s\" is a project and cannot hold another: name a department", department);
	return stint_fail(
		err, STINT_NOT_FOUND, "there is no department \"%s\": \"stint department create %s\" makes it", department, department);
}

/* Adds people to a binding that exists or is made for them, and takes others out of it. */
static bool change_people_of(
	struct stint_kube *kube, const struct stint_share *share, bool cluster_wide, bool *changed, struct stint_error **err)
{
	const struct stint_kube_resource *resource = cluster_wide ? &stint_kube_clusterrolebindings : &stint_kube_rolebindings;
	const char *space = cluster_wide ? NULL : share->name;
	stint_auto_json *fresh = share_binding(share, cluster_wide);
	const char *name = stint_json_string_at(fresh, "metadata", "name");
	bool failed;
	stint_auto_json *binding = get_or_null(kube, resource, space, name, &failed, err);
	if (failed)
		return false;
	if (!binding && !share_has_people(share))
		return true;
	if (!binding) {
		*changed = true;
		return create_object(kube, resource, space, fresh, err);
	}
	const bool removed = share_remove_people(share, binding), added = share_add_people(share, binding);
	if (!removed && !added)
		return true;
	*changed = true;
	struct stint_json *answer = stint_kube_replace(kube, resource, space, name, binding, NULL, err);
	stint_json_free(answer);
	return answer != NULL;
}

/* Writes the Queue; old_parent (freed by the caller) is the department that it was in. */
static bool update_queue(struct stint_kube *kube, const struct stint_share *share, bool is_department, bool *changed, char **old_parent,
	struct stint_error **err)
{
	for (int tries = 0;; tries++) {
		stint_auto_json *list = NULL;
		stint_auto_error *error = NULL;
		struct stint_json *queues = list_queues(kube, &list, err), *queue = queue_named(queues, share->name);
		if (!list || !check_share_kind(queues, queue, share->name, is_department, err) ||
			!check_share_parent(queues, share->department, err))
			return false;
		free(*old_parent);
		*old_parent = stint_strdup(stint_json_string_at(queue, "spec", "parentQueue"));
		if (!stint_share_apply(share, is_department, queue, changed, err))
			return false;
		if (!*changed)
			return true;
		struct stint_json *answer = stint_kube_replace(kube, &stint_kube_queues, NULL, share->name, queue, NULL, &error);
		stint_json_free(answer);
		if (answer)
			return true;
		if (error->code != STINT_CONFLICT || tries == MOST_TRIES)
			return stint_error_move(err, &error);
	}
}

bool stint_share_update(
	struct stint_kube *kube, const struct stint_share *share, bool is_department, bool *changed, struct stint_error **err)
{
	stint_autofree char *old_parent = NULL;
	/* What cannot be written is refused before anything is. */
	stint_auto_json *checked = stint_share_queue(share, is_department, err);
	*changed = false;
	if (!checked || !share_check_people(share, err) || !update_queue(kube, share, is_department, changed, &old_parent, err))
		return false;
	if (*changed && old_parent && !adjust_department(kube, old_parent, NULL, err))
		return false;
	if (*changed && share->department && !adjust_department(kube, share->department, NULL, err))
		return false;
	if (is_department && *changed && share->gpus && strcmp(share->gpus, "sum") == 0 && !adjust_department(kube, share->name, NULL, err))
		return false;
	if (!share_has_people(share) && !share_removes_people(share))
		return true;
	return change_people_of(kube, share, false, changed, err) && change_people_of(kube, share, true, changed, err);
}

/* ---- delete ----------------------------------------------------------------------------------------------------------------------- */

/* Whatever runs in the namespace, whoever schedules it, stands in the way. spare: with --cascade it is not deleted here. */
static bool clear_workloads(struct stint_kube *kube, const char *name, bool cascade, bool spare, struct stint_error **err)
{
	const struct stint_read_options options = {.project = name};
	struct stint_model *model = stint_model_new();
	struct stint_workload_set *set = stint_workloads_read(kube, model, &options, err);
	size_t count = 0;
	const struct stint_workload *const *list = set ? stint_workload_set_list(set, &count) : NULL;
	bool fine = set != NULL;
	if (fine && count && !cascade)
		fine = stint_fail(err, STINT_CONFLICT, "project \"%s\" has %zu workload%s (%s%s): delete them first, or say --cascade",
			name, count, count == 1 ? "" : "s", list[0]->name, count == 1 ? "" : " and others");
	for (size_t at = 0; fine && !spare && at < count; at++)
		fine = stint_workload_delete(kube, list[at], err);
	stint_workload_set_free(set);
	stint_model_free(model);
	return fine;
}

bool stint_project_wait_gone(struct stint_kube *kube, const char *name, int64_t timeout_ms, struct stint_error **err)
{
	const int64_t deadline = stint_monotonic_ms() + timeout_ms;
	for (useconds_t pause_us = 50000;; pause_us = pause_us < 500000 ? pause_us * 2 : pause_us) {
		bool failed;
		struct stint_json *space = get_or_null(kube, &stint_kube_namespaces, NULL, name, &failed, err);
		stint_json_free(space);
		if (failed || !space)
			return !failed;
		if (stint_monotonic_ms() >= deadline)
			return stint_fail(err, STINT_TIMEOUT,
				"project \"%s\" is deleted and its namespace is still going: what is in it takes long", name);
		usleep(pause_us);
	}
}

/*
 * The namespace that stint has made goes; another one only loses the label and the binding. One that has the name by chance (a Queue of KAI's
 * beside it) is not the project's, and neither is what runs in it.
 */
static bool release_space(struct stint_kube *kube, const char *name, bool cascade, bool *goes, struct stint_error **err)
{
	bool failed;
	stint_auto_json *space = get_or_null(kube, &stint_kube_namespaces, NULL, name, &failed, err);
	const char *label = stint_json_string_at(space, "metadata", "labels", STINT_LABEL_PROJECT);
	const bool own = label && strcmp(label, name) == 0;
	*goes = own && stint_json_string_at(space, "metadata", "annotations", ANNOTATION_MADE);
	if (failed || (space && !clear_workloads(kube, name, cascade, *goes || !own, err)))
		return false;
	if (!own)
		return true;
	if (*goes)
		return delete_or_gone(kube, &stint_kube_namespaces, NULL, name, stint_json_string_at(space, "metadata", "uid"), err);
	return delete_or_gone(kube, &stint_kube_rolebindings, name, "stint-user", NULL, err) && label_space(kube, name, NULL, err);
}

bool stint_project_delete(struct stint_kube *kube, const char *name, bool cascade, bool *goes, struct stint_error **err)
{
	stint_auto_json *list = NULL;
	const struct stint_json *queues = list_queues(kube, &list, err), *queue = queue_named(queues, name);
	if (!list || !check_share_kind(queues, queue, name, false, err) || !release_space(kube, name, cascade, goes, err))
		return false;
	stint_autofree char *cluster_binding = stint_format("stint-basic-%s", name);
	const char *parent = stint_json_string_at(queue, "spec", "parentQueue");
	return delete_or_gone(kube, &stint_kube_clusterrolebindings, NULL, cluster_binding, NULL, err) &&
		delete_or_gone(kube, &stint_kube_queues, NULL, name, stint_json_string_at(queue, "metadata", "uid"), err) &&
		(!parent || adjust_department(kube, parent, NULL, err));
}

bool stint_department_delete(struct stint_kube *kube, const char *name, struct stint_error **err)
{
	stint_auto_json *list = NULL;
	const struct stint_json *queues = list_queues(kube, &list, err), *queue = queue_named(queues, name);
	stint_auto_buf children = {0};
	if (!list || !check_share_kind(queues, queue, name, true, err))
		return false;
	stint_json_each(other, queues) {
		if (strcmp(stint_json_string_or(stint_json_at(other, "spec", "parentQueue"), ""), name) == 0)
			stint_buf_printf(&children, "%s%s", children.length ? ", " : "", stint_json_string_at(other, "metadata", "name"));
	}
	if (children.length)
		return stint_fail(err, STINT_CONFLICT,
			"department \"%s\" has projects (%s): delete them first, or move them with \"stint project update\"", name,
			children.data);
	return delete_or_gone(kube, &stint_kube_queues, NULL, name, stint_json_string_at(queue, "metadata", "uid"), err);
}
