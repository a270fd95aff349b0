/*
 * share: a project's or department's share of the cluster as a Queue: defaults, changes, sums. Pure.
 */
#include "share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_GPUS = 1000000, MOST_PRIORITY = 1000000000 };

/* -1 or a number from 0. */
static bool check_share_number(const char *flag, const char *text, bool unlimited, double *out, struct stint_error **err)
{
	if (stint_parse_double(text, -HUGE_VAL, HUGE_VAL, out) && *out <= MOST_GPUS && (*out >= 0 || (unlimited && fabs(*out + 1) < 1e-9)))
		return true;
	return stint_fail(err, STINT_USAGE, "%s must be a number from 0 to %d%s: got \"%s\"", flag, MOST_GPUS,
		unlimited ? ", or -1 for unlimited" : "", text);
}

/* A quantity in the Queue's unit (thousandths of a core, megabytes of 10^6), or -1. */
static bool check_share_quantity(const char *flag, const char *text, bool bytes, double *out, struct stint_error **err)
{
	int64_t amount;
	*out = -1;
	if (strcmp(text, "-1") == 0)
		return true;
	if (!stint_quantity_parse(stint_slice_of(text), bytes ? STINT_UNIT_ONE : STINT_UNIT_MILLI, &amount) || amount < 0 ||
		amount == INT64_MAX)
		return stint_fail(err, STINT_USAGE, "%s must be a quantity such as %s, or -1 for unlimited: got \"%s\"", flag,
			bytes ? "256Gi" : "64 or 500m", text);
	*out = bytes ? round((double)amount / 1e3) / 1e3 : (double)amount;
	return true;
}

/* Sets object.key; *changed when it had another value. */
static void set_number(struct stint_json *object, const char *key, double value, bool *changed)
{
	double before;
	const struct stint_json *member = stint_json_get(object, key);
	if (stint_json_double(member, &before) && fabs(before - value) < 1e-9)
		return;
	*changed = true;
	if (value == floor(value))
		stint_json_set_int(object, key, (int64_t)value);
	else
		stint_json_set_double(object, key, value);
}

static bool apply_gpu(const struct stint_share *share, struct stint_json *gpu, bool *changed, struct stint_error **err)
{
	const struct {
		const char *flag, *text, *key;
		bool unlimited;
	} rows[] = {
		{"--gpus", share->gpus, "quota", true},
		{"--gpu-limit", share->gpu_limit, "limit", true},
		{"--weight", share->weight, "overQuotaWeight", false},
	};
	for (size_t at = 0; at < STINT_COUNT(rows); at++) {
		double value;
		if (!rows[at].text)
			continue;
		if (!check_share_number(rows[at].flag, rows[at].text, rows[at].unlimited, &value, err))
			return false;
		set_number(gpu, rows[at].key, value, changed);
	}
	return true;
}

/* "": there is none any more. */
static bool apply_pools(const struct stint_share *share, struct stint_json *queue, bool *changed, struct stint_error **err)
{
	size_t count;
	stint_autofree char *pools =
		*share->default_pools ? check_pools("--default-node-pools", share->default_pools, &count, err) : stint_strdup("");
	if (!pools)
		return false;
	struct stint_json *metadata = stint_json_ensure_object(queue, "metadata");
	const char *before = stint_json_string_at(metadata, "annotations", STINT_ANNOTATION_DEFAULT_POOLS);
	if (strcmp(before ? before : "", pools) == 0)
		return true;
	*changed = true;
	if (*pools)
		stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), STINT_ANNOTATION_DEFAULT_POOLS, pools);
	else
		stint_json_remove(stint_json_get(metadata, "annotations"), STINT_ANNOTATION_DEFAULT_POOLS);
	return true;
}

bool stint_share_apply(
	const struct stint_share *share, bool is_department, struct stint_json *queue, bool *changed, struct stint_error **err)
{
	struct stint_json *spec = stint_json_ensure_object(queue, "spec"), *resources = stint_json_ensure_object(spec, "resources");
	double value;
	*changed = false;
	/* The way back from a quota that was given: the department follows its projects again. */
	struct stint_share said = *share;
	const bool sum = is_department && share->gpus && strcmp(share->gpus, "sum") == 0;
	if (sum) {
		struct stint_json *own = stint_json_ensure_object(stint_json_ensure_object(queue, "metadata"), "annotations");
		*changed = !stint_json_get(own, STINT_ANNOTATION_QUOTA);
		stint_json_set_string(own, STINT_ANNOTATION_QUOTA, "sum");
		said.gpus = NULL;
	}
	if (!apply_gpu(&said, stint_json_ensure_object(resources, "gpu"), changed, err))
		return false;
	if (share->cpu) {
		if (!check_share_quantity("--cpu", share->cpu, false, &value, err))
			return false;
		set_number(stint_json_ensure_object(resources, "cpu"), "quota", value, changed);
	}
	if (share->memory) {
		if (!check_share_quantity("--memory", share->memory, true, &value, err))
			return false;
		set_number(stint_json_ensure_object(resources, "memory"), "quota", value, changed);
	}
	if (share->default_pools && !apply_pools(share, queue, changed, err))
		return false;
	if (share->priority) {
		int64_t priority;
		if (!check_whole("--priority", share->priority, 0, MOST_PRIORITY, &priority, err))
			return false;
		set_number(spec, "priority", (double)priority, changed);
	}
	if (share->department && strcmp(stint_json_string_or(stint_json_get(spec, "parentQueue"), ""), share->department) != 0) {
		stint_json_set_string(spec, "parentQueue", share->department);
		*changed = true;
	}
	if (share->gpus || share->gpu_limit) {
		const struct stint_json *gpu = stint_json_get(resources, "gpu");
		double quota = 0, limit = -1;
		stint_json_double(stint_json_get(gpu, "quota"), &quota);
		stint_json_double(stint_json_get(gpu, "limit"), &limit);
		if (limit >= 0 && quota > limit)
			return stint_fail(err, STINT_USAGE,
				"\"%s\" would have a quota of %g GPUs and a limit of %g: the limit is no less than the quota", share->name,
				quota, limit);
	}
	/* A quota that a person has given is kept; one that nobody has given follows the projects. */
	struct stint_json *annotations = stint_json_at(queue, "metadata", "annotations");
	if (is_department && share->gpus && !sum && stint_json_remove(annotations, STINT_ANNOTATION_QUOTA))
		*changed = true;
	return true;
}

static void set_defaults(struct stint_json *resource, double quota)
{
	bool changed;
	set_number(resource, "quota", quota, &changed);
	set_number(resource, "overQuotaWeight", 1, &changed);
	set_number(resource, "limit", -1, &changed);
}

struct stint_json *stint_share_queue(const struct stint_share *share, bool is_department, struct stint_error **err)
{
	const char *what = is_department ? "department" : "project";
	if (!stint_name_check(what, share->name, 63, err) ||
		(share->department && !stint_name_check("department", share->department, 63, err)))
		return NULL;
	if (share->department && strcmp(share->department, share->name) == 0) {
		stint_fail(err, STINT_USAGE, "\"%s\" cannot be in itself: projects and departments share one set of names", share->name);
		return NULL;
	}
	stint_auto_json *queue = stint_json_new_object();
	stint_json_set_string(queue, "apiVersion", "scheduling.run.ai/v2");
	stint_json_set_string(queue, "kind", "Queue");
	struct stint_json *metadata = stint_json_ensure_object(queue, "metadata");
	stint_json_set_string(metadata, "name", share->name);
	if (is_department && !share->gpus)
		stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), STINT_ANNOTATION_QUOTA, "sum");
	struct stint_json *resources = stint_json_ensure_object(stint_json_ensure_object(queue, "spec"), "resources");
	set_defaults(stint_json_ensure_object(resources, "gpu"), 0);
	set_defaults(stint_json_ensure_object(resources, "cpu"), -1);
	set_defaults(stint_json_ensure_object(resources, "memory"), -1);
	bool changed;
	return stint_share_apply(share, is_department, queue, &changed, err) ? stint_steal(&queue) : NULL;
}

double stint_department_quota(const struct stint_json *queues, const char *department)
{
	double sum = 0;
	stint_json_each(queue, queues) {
		double quota = 0;
		if (strcmp(stint_json_string_or(stint_json_at(queue, "spec", "parentQueue"), ""), department) != 0)
			continue;
		stint_json_double(stint_json_at(queue, "spec", "resources", "gpu", "quota"), &quota);
		if (quota < 0)
			return -1;
		sum += quota;
	}
	return round(sum * 1e6) / 1e6;
}

bool stint_queue_is_department(const struct stint_json *queues, const struct stint_json *queue)
{
	const char *parent = stint_json_string_at(queue, "spec", "parentQueue"), *name = stint_json_string_at(queue, "metadata", "name");
	if (!parent || !*parent)
		return true;
	stint_json_each(other, queues) {
		if (strcmp(stint_json_string_or(stint_json_at(other, "spec", "parentQueue"), ""), name) == 0)
			return true;
	}
	return false;
}

/* ---- people ----------------------------------------------------------------------------------------------------------------------- */

static bool has_subject(const struct stint_json *subjects, const char *kind, const char *name)
{
	stint_json_each(subject, subjects) {
		if (strcmp(stint_json_string_or(stint_json_get(subject, "kind"), ""), kind) == 0 &&
			strcmp(stint_json_string_or(stint_json_get(subject, "name"), ""), name) == 0)
			return true;
	}
	return false;
}

static bool add_subjects(struct stint_json *subjects, const char *kind, const char *const *names)
{
	bool added = false;
	for (size_t at = 0; names && names[at]; at++) {
		if (has_subject(subjects, kind, names[at]))
			continue;
		struct stint_json *subject = stint_json_append(subjects, stint_json_new_object());
		stint_json_set_string(subject, "apiGroup", "rbac.authorization.k8s.io");
		stint_json_set_string(subject, "kind", kind);
		stint_json_set_string(subject, "name", names[at]);
		added = true;
	}
	return added;
}

bool share_add_people(const struct stint_share *share, struct stint_json *binding)
{
	struct stint_json *subjects = stint_json_ensure_array(binding, "subjects");
	const bool users = add_subjects(subjects, "User", share->users);
	return add_subjects(subjects, "Group", share->groups) || users;
}

static bool is_among(const char *name, const char *const *names)
{
	for (size_t at = 0; names && names[at]; at++) {
		if (strcmp(name, names[at]) == 0)
			return true;
	}
	return false;
}

static bool remove_subjects(struct stint_json *subjects, const char *kind, const char *const *names)
{
	bool removed = false;
	for (struct stint_json *subject = stint_json_first(subjects), *next; subject; subject = next) {
		next = stint_json_next(subject);
		if (strcmp(stint_json_string_or(stint_json_get(subject, "kind"), ""), kind) != 0 ||
			!is_among(stint_json_string_or(stint_json_get(subject, "name"), ""), names))
			continue;
		stint_json_unlink(subjects, subject);
		removed = true;
	}
	return removed;
}

bool share_remove_people(const struct stint_share *share, struct stint_json *binding)
{
	struct stint_json *subjects = stint_json_get(binding, "subjects");
	const bool users = remove_subjects(subjects, "User", share->removed_users);
	return remove_subjects(subjects, "Group", share->removed_groups) || users;
}

bool share_removes_people(const struct stint_share *share)
{
	return (share->removed_users && share->removed_users[0]) || (share->removed_groups && share->removed_groups[0]);
}

bool share_check_people(const struct stint_share *share, struct stint_error **err)
{
	for (size_t at = 0; share->users && share->users[at]; at++) {
		if (is_among(share->users[at], share->removed_users))
			return stint_fail(
				err, STINT_USAGE, "--user and --remove-user: \"%s\" cannot come and go at once", share->users[at]);
	}
	for (size_t at = 0; share->groups && share->groups[at]; at++) {
		if (is_among(share->groups[at], share->removed_groups))
			return stint_fail(
				err, STINT_USAGE, "--group and --remove-group: \"%s\" cannot come and go at once", share->groups[at]);
	}
	return true;
}

bool share_has_people(const struct stint_share *share)
{
	return (share->users && share->users[0]) || (share->groups && share->groups[0]);
}

struct stint_json *share_binding(const struct stint_share *share, bool cluster_wide)
{
	struct stint_json *binding = stint_json_new_object();
	stint_autofree char *cluster_name = stint_format("stint-basic-%s", share->name);
	stint_json_set_string(binding, "apiVersion", "rbac.authorization.k8s.io/v1");
	stint_json_set_string(binding, "kind", cluster_wide ? "ClusterRoleBinding" : "RoleBinding");
	struct stint_json *metadata = stint_json_ensure_object(binding, "metadata");
	stint_json_set_string(metadata, "name", cluster_wide ? cluster_name : "stint-user");
	if (!cluster_wide)
		stint_json_set_string(metadata, "namespace", share->name);
	struct stint_json *role = stint_json_ensure_object(binding, "roleRef");
	stint_json_set_string(role, "apiGroup", "rbac.authorization.k8s.io");
	stint_json_set_string(role, "kind", "ClusterRole");
	stint_json_set_string(role, "name", cluster_wide ? "stint-basic" : "stint-user");
	share_add_people(share, binding);
	return binding;
}
