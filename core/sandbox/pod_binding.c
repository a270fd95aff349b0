/*
 * pods/binding: a scheduler's decision, one atomic write of node, annotations and the PodScheduled condition.
 *
 * The annotations of the Binding are copied to the pod and win over what stood there; labels are not copied. Whether the node exists is not
 * asked, as a real server does not.
 */
#include "api_internal.h"

#include <string.h>

static bool refuse(const char *pod, struct stint_json **status, const char *why)
{
	*status = stint_status_new(409, "Conflict", NULL, pod, NULL, "Operation cannot be fulfilled on pods/binding \"%s\": %s", pod, why);
	stint_json_set_string(stint_json_ensure_object(*status, "details"), "kind", "pods/binding");
	return false;
}

static bool check_body(const struct stint_api_call *call, const struct stint_json *binding, struct stint_json **status)
{
	const char *name = stint_json_string_or(stint_json_at(binding, "metadata", "name"), "");
	const char *space = stint_json_string_or(stint_json_at(binding, "metadata", "namespace"), "");
	const char *kind = stint_json_string_or(stint_json_at(binding, "target", "kind"), "");

	if (strcmp(name, call->name) != 0)
		return stint_api_bad(status, "name in URL does not match name in Binding object");
	if (*space && strcmp(space, call->space) != 0)
		return stint_api_bad(status, "the namespace of the provided object does not match the namespace sent on the request");
	if (*kind && strcmp(kind, "Node") != 0) {
		*status = stint_status_new(
			500, "", NULL, NULL, NULL, "target.kind: Unsupported value: \"%s\": supported values: \"Node\", \"<empty>\"", kind);
		stint_json_remove(*status, "reason");
		return false;
	}
	if (!*stint_json_string_or(stint_json_at(binding, "target", "name"), "")) {
		*status = stint_status_new(500, "", NULL, NULL, NULL, "target.name: Required value");
		stint_json_remove(*status, "reason");
		return false;
	}
	return true;
}

static bool check_pod(
	const struct stint_api_call *call, const struct stint_json *binding, const struct stint_json *pod, struct stint_json **status)
{
	const char *name = stint_json_string_or(stint_json_at(pod, "metadata", "name"), "");
	const char *uid = stint_json_string_or(stint_json_at(pod, "metadata", "uid"), "");
	const char *wanted = stint_json_string_or(stint_json_at(binding, "metadata", "uid"), "");
	const char *version = stint_json_string_or(stint_json_at(binding, "metadata", "resourceVersion"), "");
	const char *is = stint_json_string_or(stint_json_at(pod, "metadata", "resourceVersion"), "");
	const char *node = stint_json_string_or(stint_json_at(pod, "spec", "nodeName"), "");
	stint_autofree char *why = NULL;

	if (*wanted && strcmp(wanted, uid) != 0)
		return stint_api_foreign(call, "UID", wanted, uid, status);
	if (*version && strcmp(version, is) != 0)
		return stint_api_foreign(call, "ResourceVersion", version, is, status);
	if (stint_json_at(pod, "metadata", "deletionTimestamp"))
		why = stint_format("pod %s is being deleted, cannot be assigned to a host", name);
	else if (*node)
		why = stint_format("pod %s is already assigned to node \"%s\"", name, node);
	else if (stint_json_first(stint_json_at(pod, "spec", "schedulingGates")))
		why = stint_format("pod %s has non-empty .spec.schedulingGates", name);
	return why ? refuse(name, status, why) : true;
}

static void set_scheduled(struct stint_json *pod)
{
	struct stint_json *conditions = stint_json_ensure_array(stint_json_ensure_object(pod, "status"), "conditions"), *condition = NULL;
	char time[STINT_TIME_SIZE];

	stint_json_each(each, conditions) {
		if (strcmp(stint_json_string_or(stint_json_get(each, "type"), ""), "PodScheduled") == 0)
			condition = each;
	}
	if (!condition) {
		condition = stint_json_append(conditions, stint_json_new_object());
		stint_json_set_string(condition, "type", "PodScheduled");
	}
	stint_json_set_string(condition, "status", "True");
	stint_json_set(condition, "lastProbeTime", stint_json_new_null());
	stint_json_set_string(condition, "lastTransitionTime", stint_time_format(stint_now_ms(), time));
	stint_json_remove(condition, "reason");
	stint_json_remove(condition, "message");
}

/* Nobody comes to own these fields, as on a real server. */
static void assign(const struct stint_json *binding, struct stint_json *pod)
{
	struct stint_json *metadata = stint_json_ensure_object(pod, "metadata");

	stint_json_set_string(stint_json_ensure_object(pod, "spec"), "nodeName", stint_json_string_at(binding, "target", "name"));
	stint_json_each(annotation, stint_json_at(binding, "metadata", "annotations"))
		stint_json_set(stint_json_ensure_object(metadata, "annotations"), stint_json_key(annotation), stint_json_dup(annotation));
	set_scheduled(pod);
}

bool stint_api_bind(struct stint_api *api, const struct stint_api_call *call, struct stint_json *binding, struct stint_json **out,
	struct stint_json **status)
{
	struct stint_api_call pods = *call;
	stint_auto_json *owned = binding;
	stint_auto_json *old = NULL;
	stint_auto_json *pod = NULL;
	const struct stint_stored *stored;

	pods.kind = stint_api_kind(api, "v1", "Pod");
	if (!pods.name) /* POST of bindings: the body names the pod */
		pods.name = stint_json_string_or(stint_json_at(binding, "metadata", "name"), "");
	if (!check_body(&pods, binding, status))
		return false;
	stored = stint_store_get(api->store, pods.kind, pods.space, pods.name);
	if (!stored)
		return stint_api_not_found(&pods, status);
	old = stint_stored_parse(stored);
	if (!check_pod(&pods, binding, old, status))
		return false;
	if (!call->dry_run) {
		pod = stint_json_dup(old);
		assign(binding, pod);
		stint_store_put(api->store, pods.kind, pod);
	}
	if (out)
		*out = stint_status_success(201);
	return true;
}
