/*
 * act: deleting, suspending and resuming a workload that was read. Blocks. What was read is the ground on which it is done: a uid goes with
 * each deletion and each change, so that another workload that has taken the name meanwhile stays as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stint/workload.h>

#include "delete.h"

/* ---- delete ----------------------------------------------------------------------------------------------------------------------- */

/* The garbage collector would take the Service too, later: until then the name could not be submitted again. */
static bool delete_service(struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err)
{
	stint_auto_json *service = stint_kube_get(kube, &stint_kube_services, workload->project, workload->name, NULL);
	stint_json_each(owner, stint_json_at(service, "metadata", "ownerReferences")) {
		if (strcmp(stint_json_string_or(stint_json_get(owner, "uid"), ""), workload->uid) == 0)
			return delete_or_gone(kube, &stint_kube_services, workload->project, workload->name,
				stint_json_string_at(service, "metadata", "uid"), err);
	}
	return true;
}

/* A PodGroup owns nothing: its pods go one by one. Its own uid is not among what was read of them, so it is read before they go. */
static bool delete_group(struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err)
{
	stint_auto_error *error = NULL;
	stint_auto_json *group = stint_kube_get(kube, &stint_kube_podgroups, workload->project, workload->name, &error);
	if (!group && error->code != STINT_NOT_FOUND)
		return stint_error_move(err, &error);
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_object *pod = &workload->pods[at]->meta;
		if (!delete_or_gone(kube, &stint_kube_pods, workload->project, pod->name, pod->uid, err))
			return false;
	}
	return !group ||
		delete_or_gone(kube, &stint_kube_podgroups, workload->project, workload->name,
			stint_json_string_at(group, "metadata", "uid"), err);
}

bool stint_workload_delete(struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err)
{
	if (strcmp(workload->kind, "PodGroup") == 0)
		return delete_group(kube, workload, err);
	const struct stint_kube_resource *resource = stint_kube_discover(kube, workload->api_version, workload->kind, err);
	return resource && delete_or_gone(kube, resource, workload->project, workload->name, workload->uid, err) &&
		delete_service(kube, workload, err);
}

/* ---- changing ---------------------------------------------------------------------------------------------------------------------- */

static bool is_another_now(struct stint_kube *kube, const struct stint_kube_resource *resource, const struct stint_workload *workload)
{
	stint_auto_json *there = stint_kube_get(kube, resource, workload->project, workload->name, NULL);
	return there && strcmp(stint_json_string_or(stint_json_at(there, "metadata", "uid"), ""), workload->uid) != 0;
}

/* A uid in the patch that is not the object's makes the server refuse it. */
bool stint_workload_patch(
	struct stint_kube *kube, const struct stint_workload *workload, const struct stint_json *patch, struct stint_error **err)
{
	const struct stint_kube_resource *resource = stint_kube_discover(kube, workload->api_version, workload->kind, err);
	if (!resource)
		return false;
	stint_auto_error *error = NULL;
	stint_auto_json *own = stint_json_dup(patch);
	stint_json_set_string(stint_json_ensure_object(own, "metadata"), "uid", workload->uid);
	stint_auto_json *answer =
		stint_kube_patch(kube, resource, workload->project, workload->name, STINT_KUBE_PATCH_MERGE, own, NULL, &error);
	if (answer)
		return true;
	if (error && (error->code == STINT_CONFLICT || error->code == STINT_USAGE) && is_another_now(kube, resource, workload))
		return stint_fail(err, STINT_CONFLICT,
			"%s \"%s\" was deleted and made again meanwhile, and the new one was not touched: look at it, and try again",
			workload->kind, workload->name);
	return stint_error_move(err, &error);
}

/* ---- suspend and resume ------------------------------------------------------------------------------------------------------------ */

enum way { WAY_NONE, WAY_SUSPEND, WAY_RUN_POLICY, WAY_REPLICAS };

/* How a kind is suspended. */
static enum way way_of(const struct stint_workload *workload)
{
	static const struct {
		const char *kind;
		enum way way;
	} kinds[] = {
		{"Job", WAY_SUSPEND},
		{"CronJob", WAY_SUSPEND},
		{"JobSet", WAY_SUSPEND},
		{"RayJob", WAY_SUSPEND},
		{"RayCluster", WAY_SUSPEND},
		{"TrainJob", WAY_SUSPEND},
		{"PyTorchJob", WAY_RUN_POLICY},
		{"MPIJob", WAY_RUN_POLICY},
		{"TFJob", WAY_RUN_POLICY},
		{"XGBoostJob", WAY_RUN_POLICY},
		{"JAXJob", WAY_RUN_POLICY},
		{"PaddleJob", WAY_RUN_POLICY},
		{"Deployment", WAY_REPLICAS},
		{"StatefulSet", WAY_REPLICAS},
		{"ReplicaSet", WAY_REPLICAS},
	};
	for (size_t at = 0; at < STINT_COUNT(kinds); at++)
		if (strcmp(workload->kind, kinds[at].kind) == 0)
			return kinds[at].way;
	return WAY_NONE;
}

/* Scaled to nothing, with the former number in an annotation of the same write; or that number again. */
static struct stint_json *replicas_patch(const struct stint_workload *workload, bool suspend)
{
	struct stint_json *patch = stint_json_new_object();
	struct stint_json *annotations = stint_json_ensure_object(stint_json_ensure_object(patch, "metadata"), "annotations");
	const int32_t now = workload->owner && workload->owner->replicas >= 0 ? workload->owner->replicas : 1;
	const char *before = workload->owner ? stint_object_annotation(&workload->owner->meta, STINT_ANNOTATION_REPLICAS) : NULL;
	int64_t remembered = 1;
	char text[16];
	if (suspend) {
		snprintf(text, sizeof text, "%d", (int)now);
		stint_json_set_string(annotations, STINT_ANNOTATION_REPLICAS, text);
		remembered = 0;
	} else {
		if (!before || !stint_parse_int(before, 1, INT32_MAX, &remembered))
			remembered = 1;
		stint_json_set(annotations, STINT_ANNOTATION_REPLICAS, stint_json_new_null());
	}
	stint_json_set_int(stint_json_ensure_object(patch, "spec"), "replicas", remembered);
	return patch;
}

static struct stint_json *patch_of(const struct stint_workload *workload, enum way way, bool suspend)
{
	if (way == WAY_REPLICAS)
		return replicas_patch(workload, suspend);
	struct stint_json *patch = stint_json_new_object(), *spec = stint_json_ensure_object(patch, "spec");
	stint_json_set_bool(way == WAY_RUN_POLICY ? stint_json_ensure_object(spec, "runPolicy") : spec, "suspend", suspend);
	return patch;
}

/* Whether it is already as it is to be; what is not known of a custom resource is written in any case. */
static bool is_so(const struct stint_workload *workload, enum way way, bool suspend)
{
	const struct stint_owner *owner = workload->owner;
	if (!owner || way == WAY_RUN_POLICY)
		return false;
	if (way == WAY_REPLICAS)
		return (owner->replicas == 0) == suspend;
	return (owner->suspend == STINT_TRUE) == suspend;
}

bool stint_workload_suspend(
	struct stint_kube *kube, const struct stint_workload *workload, bool suspend, bool *changed, struct stint_error **err)
{
	const enum way way = way_of(workload);
	const char *word = suspend ? "suspended" : "resumed";
	*changed = false;
	if (way == WAY_NONE)
		return stint_fail(err, STINT_USAGE, "%s \"%s\" cannot be %s: its kind knows no such state; delete it and submit it again",
			workload->kind, workload->name, word);
	if (workload->phase == STINT_WORKLOAD_SUCCEEDED || workload->phase == STINT_WORKLOAD_FAILED ||
		workload->phase == STINT_WORKLOAD_DELETING)
		return stint_fail(err, STINT_CONFLICT, "%s \"%s\" cannot be %s: it has ended (%s)", workload->kind, workload->name, word,
			stint_workload_phase_name(workload->phase));
	if (is_so(workload, way, suspend))
		return true;
	stint_auto_json *patch = patch_of(workload, way, suspend);
	return *changed = stint_workload_patch(kube, workload, patch, err);
}
