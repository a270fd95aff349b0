/*
 * read: workloads out of the cluster: all of a project, all that a caller may read, or one by name. Blocks on the client's loop; what was
 * read is in the set that is given back.
 */
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "set.h"

/* Where the objects of a batch go. */
struct sink {
	struct stint_model *model;
	struct stint_workload_set *set;
};

static const struct source {
	const struct stint_kube_resource *resource;
	struct stint_decode_as as;
} sources[] = {
	{&stint_kube_pods, {STINT_KIND_POD, NULL, NULL}},
	{&stint_kube_jobs, {STINT_KIND_OWNER, "batch/v1", "Job"}},
	{&stint_kube_deployments, {STINT_KIND_OWNER, "apps/v1", "Deployment"}},
	{&stint_kube_replicasets, {STINT_KIND_OWNER, "apps/v1", "ReplicaSet"}},
	{&stint_kube_statefulsets, {STINT_KIND_OWNER, "apps/v1", "StatefulSet"}},
	{&stint_kube_podgroups, {STINT_KIND_POD_GROUP, NULL, NULL}},
	{&stint_kube_nodes, {STINT_KIND_NODE, NULL, NULL}},
};
enum { PODS, JOBS, DEPLOYMENTS, REPLICASETS, STATEFULSETS, POD_GROUPS, NODES };

static bool take(struct sink *sink, const struct stint_kube_resource *resource, const char *data, size_t length, struct stint_error **err)
{
	for (size_t at = 0; at < STINT_COUNT(sources); at++) {
		if (sources[at].resource != resource)
			continue;
		struct stint_object *object = stint_object_decode(sink->model, &sources[at].as, data, length, err);
		if (!object)
			return false;
		stint_workload_set_put(sink->set, object);
		stint_object_unref(object);
	}
	return true;
}

static bool take_item(void *user, const struct batch_item *item, const char *data, size_t length, struct stint_error **err)
{
	return take(user, item->resource, data, length, err);
}

/* The caller may not read it, or the cluster does not have it: what is left is shown. */
static bool is_missing(const struct stint_error *err)
{
	return err->code == STINT_FORBIDDEN || err->code == STINT_NOT_FOUND;
}

static bool read_lists(
	struct stint_kube *kube, struct sink *sink, const char *project, const char *selector, bool nodes, struct stint_error **err)
{
	struct batch_item items[STINT_COUNT(sources)] = {{0}};
	const size_t count = nodes ? STINT_COUNT(items) : NODES;
	for (size_t at = 0; at < count; at++)
		items[at] = (struct batch_item){.resource = sources[at].resource,
			.namespace_ = at == NODES ? NULL : project,
			.label_selector = at >= POD_GROUPS ? NULL : selector,
			.on_item = take_item,
			.user = sink};
	bool fine = batch_run(kube, items, count, err);
	for (size_t at = 0; fine && at < count; at++)
		if (items[at].error && (at == PODS || !is_missing(items[at].error)))
			fine = stint_error_move(err, &items[at].error);
	batch_free(items, count);
	return fine;
}

char **stint_project_names_read(struct stint_kube *kube)
{
	stint_auto_json *list = stint_kube_list(kube, &stint_kube_queues, NULL, NULL, NULL);
	struct stint_json *queues = stint_json_get(list, "items");
	stint_auto_buf names = {0};
	stint_json_each(queue, queues) {
		const char *name = stint_json_string_at(queue, "metadata", "name");
		bool inner = false;
		stint_json_each(other, queues) {
			const char *parent = stint_json_string_at(other, "spec", "parentQueue");
			inner |= parent && name && strcmp(parent, name) == 0;
		}
		if (name && !inner)
			stint_buf_printf(&names, "%s ", name);
	}
	return stint_split(names.data ? names.data : "", " ");
}

/* All projects one by one, those that may not be read left out. False when none could be read: *err stays as it is. */
static bool read_each_project(struct stint_kube *kube, struct sink *sink, const struct stint_read_options *options)
{
	char **names = stint_project_names_read(kube);
	bool any = false;
	for (size_t at = 0; names[at]; at++)
		any |= read_lists(kube, sink, names[at], options->label_selector, options->nodes && !any, NULL);
	stint_strings_free(names);
	return any;
}

struct stint_workload_set *stint_workloads_read(
	struct stint_kube *kube, struct stint_model *model, const struct stint_read_options *options, struct stint_error **err)
{
	struct sink sink = {model, stint_workload_set_new(options->scheduler_names)};
	stint_auto_error *failed = NULL;
	if (read_lists(kube, &sink, options->project, options->label_selector, options->nodes, &failed))
		return sink.set;
	if (failed->code == STINT_FORBIDDEN && !options->project && read_each_project(kube, &sink, options))
		return sink.set;
	stint_workload_set_free(sink.set);
	stint_error_move(err, &failed);
	return NULL;
}

/* ---- one workload ------------------------------------------------------------------------------------------------------------------ */

/* "key=value,..." of spec.selector.matchLabels; NULL: the object selects nothing by labels. */
static char *selector_of(const struct stint_buf *body)
{
	stint_auto_json *object = stint_json_parse(body->data ? body->data : "", body->length, 0, NULL);
	stint_auto_buf text = {0};
	stint_json_each(label, stint_json_at(object, "spec", "selector", "matchLabels"))
		stint_buf_printf(&text, "%s%s=%s", text.length ? "," : "", stint_json_key(label), stint_json_string_or(label, ""));
	return text.length ? stint_buf_steal(&text) : NULL;
}

/* The pods of an owner that was read, and the ReplicaSets between them. */
static bool read_pods_of(struct stint_kube *kube, struct sink *sink, const struct batch_item *owner, struct stint_error **err)
{
	stint_autofree char *selector = selector_of(&owner->body);
	if (!selector)
		return true;
	struct batch_item items[] = {
		{.resource = &stint_kube_pods,
			.namespace_ = owner->namespace_,
			.label_selector = selector,
			.on_item = take_item,
			.user = sink},
		{.resource = &stint_kube_replicasets,
			.namespace_ = owner->namespace_,
			.label_selector = selector,
			.on_item = take_item,
			.user = sink},
	};
	const size_t count = owner->resource == &stint_kube_deployments ? 2 : 1;
	bool fine = batch_run(kube, items, count, err);
	for (size_t at = 0; fine && at < count; at++)
		if (items[at].error)
			fine = stint_error_move(err, &items[at].error);
	batch_free(items, count);
	return fine;
}

static const struct stint_kube_resource *const owner_resources[] = {
	&stint_kube_jobs, &stint_kube_deployments, &stint_kube_statefulsets, &stint_kube_pods};
enum { OWNERS = sizeof owner_resources / sizeof *owner_resources };

/* Gets what has the name among the kinds that own pods. */
static bool get_by_name(
	struct stint_kube *kube, struct batch_item items[static OWNERS], const char *project, const char *name, struct stint_error **err)
{
	for (size_t at = 0; at < OWNERS; at++)
		items[at] = (struct batch_item){.resource = owner_resources[at], .namespace_ = project, .name = name};
	if (!batch_run(kube, items, OWNERS, err))
		return false;
	for (size_t at = 0; at < OWNERS; at++)
		if (items[at].error && !is_missing(items[at].error))
			return stint_error_move(err, &items[at].error);
	return true;
}

static bool read_named(
	struct stint_kube *kube, struct sink *sink, const char *project, const char *name, bool *found, struct stint_error **err)
{
	struct batch_item items[OWNERS];
	bool fine = get_by_name(kube, items, project, name, err);
	for (size_t at = 0; fine && at < OWNERS; at++) {
		if (items[at].error)
			continue;
		*found = true;
		fine = take(sink, items[at].resource, items[at].body.data, items[at].body.length, err);
		if (fine && items[at].resource != &stint_kube_pods)
			fine = read_pods_of(kube, sink, &items[at], err);
	}
	batch_free(items, OWNERS);
	return fine;
}

/* The workload that the pod belongs to, or NULL. */
static const struct stint_workload *owner_of_pod(const struct stint_workload *const *list, size_t count, const char *name)
{
	for (size_t at = 0; at < count; at++) {
		for (size_t pod = 0; pod < list[at]->pods_count; pod++) {
			if (strcmp(list[at]->pods[pod]->meta.name, name) == 0)
				return list[at];
		}
	}
	return NULL;
}

/* Who may not ask is told nothing wrong. */
static bool is_project_there(struct stint_kube *kube, const char *project)
{
	stint_auto_error *err = NULL;
	stint_auto_json *space = stint_kube_get(kube, &stint_kube_namespaces, NULL, project, &err);
	return space || err->code != STINT_NOT_FOUND;
}

/* Everything of the project has been read: what else may have been meant is among it. */
static void tell_not_found(
	struct stint_kube *kube, struct stint_workload_set *set, const char *project, const char *name, struct stint_error **err)
{
	size_t count;
	const struct stint_workload *const *list = stint_workload_set_list(set, &count);
	const struct stint_workload *owner = owner_of_pod(list, count, name);
	struct stint_suggestion suggestion = {.word = name};
	for (size_t at = 0; at < count; at++)
		stint_suggest(&suggestion, list[at]->name);
	if (owner)
		stint_fail(err, STINT_NOT_FOUND, "\"%s\" is a pod of workload \"%s\": name that instead", name, owner->name);
	else if (suggestion.best)
		stint_fail(err, STINT_NOT_FOUND, "project \"%s\" has no workload \"%s\": did you mean \"%s\"?", project, name,
			suggestion.best);
	else if (count == 0 && !is_project_there(kube, project))
		stint_fail(err, STINT_NOT_FOUND, "there is no project \"%s\": \"stint project list\" shows those that there are", project);
	else
		stint_fail(err, STINT_NOT_FOUND, "project \"%s\" has no workload \"%s\": \"stint list -p %s\" shows those that it has",
			project, name, project);
}

struct stint_workload_set *stint_workload_read(struct stint_kube *kube, struct stint_model *model, const char *project, const char *name,
	const struct stint_workload **workload, struct stint_error **err)
{
	struct sink sink = {model, stint_workload_set_new(NULL)};
	bool found = false;
	*workload = NULL;
	bool fine = read_named(kube, &sink, project, name, &found, err);
	if (fine)
		*workload = stint_workload_set_find(sink.set, project, name);
	/* Another kind of owner shows in its pods alone; a pod of that name belongs to somebody. */
	if (fine && !*workload) {
		fine = read_lists(kube, &sink, project, NULL, false, err);
		*workload = fine ? stint_workload_set_find(sink.set, project, name) : NULL;
	}
	if (fine && !*workload)
		tell_not_found(kube, sink.set, project, name, err);
	if (*workload)
		return sink.set;
	stint_workload_set_free(sink.set);
	return NULL;
}

/* Freed by the caller; NULL: not there, or not to be read. */
static char *read_lease_annotation(struct stint_kube *kube, const char *key)
{
	/* Outside a cluster and as deploy/ installs it (contracts: --lease-namespace). */
	static const char *const spaces[] = {"stint-system", "kube-system"};
	struct batch_item items[STINT_COUNT(spaces)] = {{0}};
	for (size_t at = 0; at < STINT_COUNT(items); at++)
		items[at] = (struct batch_item){.resource = &stint_kube_leases, .namespace_ = spaces[at], .name = STINT_SCHEDULER_NAME};
	char *text = NULL;
	const bool fine = batch_run(kube, items, STINT_COUNT(items), NULL);
	for (size_t at = 0; fine && !text && at < STINT_COUNT(items); at++) {
		if (items[at].error)
			continue;
		stint_auto_json *lease = stint_json_parse(items[at].body.data ? items[at].body.data : "", items[at].body.length, 0, NULL);
		const char *said = stint_json_string_at(lease, "metadata", "annotations", key);
		if (said && *said)
			text = stint_strdup(said);
	}
	batch_free(items, STINT_COUNT(items));
	return text;
}

char **stint_scheduler_names_read(struct stint_kube *kube)
{
	stint_autofree char *text = read_lease_annotation(kube, "stint.dev/scheduler-names");
	return text ? stint_split(text, ", ") : NULL;
}

char *stint_scheduler_policy_read(struct stint_kube *kube)
{
	return read_lease_annotation(kube, STINT_ANNOTATION_POLICY);
}
