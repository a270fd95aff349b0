/*
 * project_preview: what creating or changing a project or department would write, for whoever wants to know before. Reads, and writes nothing.
 */
#include <string.h>

#include "project.h"

/* ---- the list of queues as it would be -------------------------------------------------------------------------------------------------------- */

static void adjust_sum(struct stint_json *queues, const char *name)
{
	struct stint_json *department = name ? queue_named(queues, name) : NULL;
	if (!department || !department_keeps_sum(department))
		return;
	struct stint_json *resources = stint_json_ensure_object(stint_json_ensure_object(department, "spec"), "resources");
	stint_json_set_double(stint_json_ensure_object(resources, "gpu"), "quota", stint_department_quota(queues, name));
}

/* Those that are new or other. They stand in the same order, and new ones at the end. */
static void add_changes(struct stint_json *out, const struct stint_json *before, const struct stint_json *after)
{
	const struct stint_json *was = stint_json_first(before);
	stint_json_each(queue, after) {
		if (!was || !stint_json_equal(was, queue)) /* an item of a list does not say its kind */
			stint_json_set_string(stint_json_append(out, stint_json_dup(queue)), "kind", "Queue");
		was = was ? stint_json_next(was) : NULL;
	}
}

/* ---- what would be written ---------------------------------------------------------------------------------------------------------------------- */

static bool preview_space(struct stint_kube *kube, const char *name, bool adopt, struct stint_json *out, struct stint_error **err)
{
	bool failed;
	stint_auto_json *space = get_or_null(kube, &stint_kube_namespaces, NULL, name, &failed, err);
	if (failed || !check_space(space, name, adopt, err))
		return false;
	if (!space)
		space = new_space(name);
	struct stint_json *labels = stint_json_ensure_object(stint_json_ensure_object(space, "metadata"), "labels");
	stint_json_set_string(labels, STINT_LABEL_PROJECT, name);
	stint_json_append(out, stint_steal(&space));
	return true;
}

struct stint_json *stint_share_preview_create(
	struct stint_kube *kube, const struct stint_share *said, bool is_department, bool adopt, struct stint_error **err)
{
	struct stint_share share = *said;
	if (!is_department && !share.department)
		share.department = STINT_DEFAULT_DEPARTMENT;
	stint_auto_json *out = stint_json_new_array(), *list = NULL, *queue = NULL;
	if (!is_department && !check_space_name(share.name, err))
		return NULL;
	queue = stint_share_queue(&share, is_department, err);
	struct stint_json *queues = queue ? list_queues(kube, &list, err) : NULL;
	if (!list || !check_share_place(queues, &share, is_department, err) ||
		(!is_department && !preview_space(kube, share.name, adopt, out, err)))
		return NULL;
	stint_auto_json *before = stint_json_dup(queues);
	stint_json_append(queues, stint_steal(&queue));
	adjust_sum(queues, share.department);
	add_changes(out, before, queues);
	return stint_steal(&out);
}

struct stint_json *stint_share_preview_update(
	struct stint_kube *kube, const struct stint_share *share, bool is_department, struct stint_error **err)
{
	stint_auto_json *checked = stint_share_queue(share, is_department, err), *out = stint_json_new_array(), *list = NULL;
	struct stint_json *queues = checked && share_check_people(share, err) ? list_queues(kube, &list, err) : NULL;
	struct stint_json *queue = list ? queue_named(queues, share->name) : NULL;
	bool changed;
	if (!list || !check_share_kind(queues, queue, share->name, is_department, err) ||
		!check_share_parent(queues, share->department, err))
		return NULL;
	stint_auto_json *before = stint_json_dup(queues);
	const char *parent = stint_json_string_at(queue, "spec", "parentQueue");
	stint_autofree char *old_parent = stint_strdup(parent);
	if (!stint_share_apply(share, is_department, queue, &changed, err))
		return NULL;
	adjust_sum(queues, old_parent);
	adjust_sum(queues, share->department);
	if (is_department && share->gpus && strcmp(share->gpus, "sum") == 0)
		adjust_sum(queues, share->name);
	add_changes(out, before, queues);
	return stint_steal(&out);
}
