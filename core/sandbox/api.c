/*
 * The API's context: schema and store in one, the forms that share a home, and what a fresh cluster holds before anybody writes.
 */
#include "api_internal.h"
#include "definitions.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OBJECT_BYTES = 3 * 512 * 1024 };

const struct stint_kind *stint_api_kind(const struct stint_api *api, const char *api_version, const char *kind)
{
	return stint_schema_kind(api->schema, api_version, kind);
}

const char *stint_api_manager(const struct stint_api_call *call)
{
	return call->manager && *call->manager ? call->manager : "stint-sandbox";
}

void stint_api_tell(struct stint_json **status, struct stint_json **refusal)
{
	if (status && *refusal)
		*status = stint_steal(refusal);
}

struct stint_json *stint_status_success(int code)
{
	struct stint_json *status = stint_json_new_object();

	stint_json_set_string(status, "kind", "Status");
	stint_json_set_string(status, "apiVersion", "v1");
	stint_json_set(status, "metadata", stint_json_new_object());
	stint_json_set_string(status, "status", "Success");
	if (code)
		stint_json_set_int(status, "code", code);
	return status;
}

bool stint_api_not_found(const struct stint_api_call *call, struct stint_json **status)
{
	*status = stint_status_new(404, "NotFound", call->kind, call->name, NULL, "%s%s%s \"%s\" not found", call->kind->plural,
		*call->kind->group ? "." : "", call->kind->group, call->name);
	return false;
}

bool stint_api_conflict(const struct stint_api_call *call, struct stint_json **status, const char *format, ...)
{
	va_list args;
	stint_autofree char *why = NULL;

	va_start(args, format);
	why = stint_vformat(format, args);
	va_end(args);
	*status = stint_status_new(409, "Conflict", call->kind, call->name, NULL, "Operation cannot be fulfilled on %s%s%s \"%s\": %s",
		call->kind->plural, *call->kind->group ? "." : "", call->kind->group, call->name, why);
	return false;
}

bool stint_api_foreign(const struct stint_api_call *call, const char *what, const char *wanted, const char *is, struct stint_json **status)
{
	return stint_api_conflict(call, status,
		"StorageError: invalid object, Code: 4, Key: /registry/%s%s%s/%s, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
		"failed: %s in "
		"precondition: %s, %s in object meta: %s",
		call->kind->plural, call->space ? "/" : "", call->space ? call->space : "", call->name, what, wanted, what, is);
}

bool stint_api_mismatch(const struct stint_api_call *call, const char *what, const char *wanted, const char *is, const char *perhaps,
	struct stint_json **status)
{
	*status = stint_status_new(409, "Conflict", NULL, call->name, NULL,
		"Operation cannot be fulfilled on %s \"%s\": the %s in the precondition (%s) does not match the %s in record (%s). The "
		"object might have been "
		"%s",
		call->kind->kind, call->name, what, wanted, what, is, perhaps);
	stint_json_set_string(stint_json_ensure_object(*status, "details"), "kind", call->kind->kind);
	return false;
}

bool stint_api_bad(struct stint_json **status, const char *format, ...)
{
	va_list args;
	stint_autofree char *message = NULL;

	va_start(args, format);
	message = stint_vformat(format, args);
	va_end(args);
	*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL, "%s", message);
	return false;
}

bool stint_api_invalid(
	const struct stint_api_call *call, struct stint_json **status, const char *cause, const char *field, const char *format, ...)
{
	struct stint_json *causes = stint_json_new_array();
	va_list args;
	stint_autofree char *message = NULL;

	va_start(args, format);
	message = stint_vformat(format, args);
	va_end(args);
	stint_cause_add(causes, cause, field, "%s", message);
	*status = stint_status_invalid(call->kind, call->name ? call->name : "", causes);
	return false;
}

/* About the bytes that the value prints to, given up on beyond `most`. */
static size_t count_bytes(const struct stint_json *value, size_t most)
{
	const char *text = stint_json_string(value);
	size_t bytes = text ? strlen(text) + 2 : 2;

	if (stint_json_type(value) != STINT_JSON_OBJECT && stint_json_type(value) != STINT_JSON_ARRAY)
		return bytes;
	stint_json_each(item, value) {
		if (bytes > most)
			break;
		if (stint_json_key(item))
			bytes += strlen(stint_json_key(item)) + 4;
		bytes += count_bytes(item, most);
	}
	return bytes;
}

bool stint_api_fits(const struct stint_json *object, struct stint_json **status)
{
	if (count_bytes(object, MAX_OBJECT_BYTES) <= MAX_OBJECT_BYTES)
		return true;
	*status = stint_status_new(500, "", NULL, NULL, NULL, "etcdserver: request is too large");
	stint_json_remove(*status, "reason");
	return false;
}

/* ---- a fresh cluster ----------------------------------------------------------------------------------------------------------- */

static const char *const base_objects[] = {
	"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"default\"}}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"kube-system\"}}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"kube-public\"}}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"kube-node-lease\"}}",
	"{\"apiVersion\":\"scheduling.k8s.io/v1\",\"kind\":\"PriorityClass\",\"metadata\":{\"name\":\"system-cluster-critical\"},"
	"\"value\":2000000000,\"description\":\"Used for system critical pods that must run in the cluster, but can be moved to another "
	"node if "
	"necessary.\"}",
	"{\"apiVersion\":\"scheduling.k8s.io/v1\",\"kind\":\"PriorityClass\",\"metadata\":{\"name\":\"system-node-critical\"},"
	"\"value\":2000001000,\"description\":\"Used for system critical pods that must not be moved from their current node.\"}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"kubernetes\",\"namespace\":\"default\",\"labels\":"
	"{\"component\":\"apiserver\",\"provider\":\"kubernetes\"}},\"spec\":{\"clusterIP\":\"10.96.0.1\",\"ports\":[{\"name\":\"https\","
	"\"port\":443,\"protocol\":\"TCP\",\"targetPort\":6443}]}}",
	"{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"cluster-admin\"},"
	"\"rules\":[{\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"verbs\":[\"*\"]},{\"nonResourceURLs\":[\"*\"],\"verbs\":[\"*\"]}]}",
	"{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"ClusterRoleBinding\",\"metadata\":{\"name\":\"cluster-admin\"},"
	"\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"cluster-admin\"},"
	"\"subjects\":[{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"Group\",\"name\":\"system:masters\"}]}",
};

static void make_base(struct stint_api *api, const char *text)
{
	struct stint_json *object = stint_json_parse(text, strlen(text), 0, NULL);
	stint_auto_json *status = NULL;
	struct stint_api_call call = {
		.kind = stint_api_kind(api, stint_json_string_at(object, "apiVersion"), stint_json_string_at(object, "kind")),
		.manager = "kube-apiserver",
	};
	/* The object is taken over: the namespace is asked for by a copy. */
	stint_autofree char *space = stint_strdup(stint_json_string_at(object, "metadata", "namespace"));

	call.space = space;
	if (!stint_api_create(api, &call, object, NULL, &status))
		stint_log(api->logger, STINT_LOG_ERROR, "sandbox: %s",
			stint_json_string_or(stint_json_get(status, "message"), "no base object"));
}

struct stint_api *stint_api_new(struct stint_loop *loop, const struct stint_logger *logger)
{
	struct stint_api *api = stint_alloc(sizeof(*api));
	const struct stint_kind *events;

	api->loop = loop;
	api->logger = logger;
	api->schema = stint_schema_new();
	api->store = stint_store_new(loop, NULL);
	events = stint_api_kind(api, "events.k8s.io/v1", "Event");
	if (events)
		stint_store_set_home(api->store, events, stint_api_kind(api, "v1", "Event"));
	for (size_t i = 0; i < STINT_COUNT(base_objects); i++)
		make_base(api, base_objects[i]);
	api->definitions = stint_definitions_new(api);
	return api;
}

void stint_api_free(struct stint_api *api)
{
	if (!api)
		return;
	stint_definitions_free(api->definitions);
	stint_store_free(api->store);
	stint_schema_free(api->schema);
	free(api);
}
