/*
 * coming: objects that would be created, and the pods that their controllers would make of them. See stint_snapshot_create.
 *
 * A pod is its template with a name, a uid and its owner; what admission would add beyond that does not matter to where it goes.
 */
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

enum { MOST_PODS = 20000 };

#define CLAIM_TEMPLATE "ResourceClaimTemplate"

struct maker {
	struct stint_snapshot *snapshot;
	const struct stint_json *objects;
	struct stint_model *model;
	const char *space;
	char time[STINT_TIME_SIZE];
	size_t pods;
	struct stint_error **err;
};

/* How many pods an object keeps at once, and how they are called. */
static const struct controller {
	const char *group, *kind; /* of its apiVersion, before the slash */
	const char *count;
} controllers[] = {
	{"batch", "Job", "parallelism"},
	{"apps", "Deployment", "replicas"},
	{"apps", "StatefulSet", "replicas"},
	{"apps", "ReplicaSet", "replicas"},
};

static const struct {
	const char *kind;
	enum stint_kind as;
} plain_kinds[] = {
	{"Queue", STINT_KIND_QUEUE},
	{"Namespace", STINT_KIND_NAMESPACE},
	{"PodGroup", STINT_KIND_POD_GROUP},
	{"PriorityClass", STINT_KIND_PRIORITY_CLASS},
	{"Topology", STINT_KIND_TOPOLOGY},
	{"Pod", STINT_KIND_POD},
};

static const char *text_at(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

static bool add(struct maker *maker, const struct stint_json *object, enum stint_kind kind)
{
	const struct stint_decode_as as = {.kind = kind,
		.api_version = stint_json_string(stint_json_get(object, "apiVersion")),
		.kind_name = stint_json_string(stint_json_get(object, "kind"))};
	struct stint_object *made = stint_object_from_json(maker->model, &as, object, maker->err);
	if (!made)
		return false;
	snap_list_add(&maker->snapshot->coming, made);
	stint_object_unref(made);
	return true;
}

/* What the API server gives an object that it stores. */
static void give_birth(const struct maker *maker, struct stint_json *object, bool in_space)
{
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	if (in_space && !stint_json_string(stint_json_get(metadata, "namespace")))
		stint_json_set_string(metadata, "namespace", maker->space);
	if (!stint_json_string(stint_json_get(metadata, "name"))) {
		stint_autofree char *name = stint_format("%snew", text_at(metadata, "generateName"));
		stint_json_set_string(metadata, "name", name);
	}
	stint_autofree char *uid = stint_format("coming:%s/%s", text_at(object, "kind"), text_at(metadata, "name"));
	if (!stint_json_string(stint_json_get(metadata, "uid")))
		stint_json_set_string(metadata, "uid", uid);
	if (!stint_json_string(stint_json_get(metadata, "creationTimestamp")))
		stint_json_set_string(metadata, "creationTimestamp", maker->time);
}

/* ---- pods ------------------------------------------------------------------------------------------------------------------------------ */

static void set_owner(struct stint_json *metadata, const struct stint_json *owner)
{
	const struct stint_json *above = stint_json_get(owner, "metadata");
	struct stint_json *reference = stint_json_append(stint_json_ensure_array(metadata, "ownerReferences"), stint_json_new_object());
	stint_json_set_string(reference, "apiVersion", text_at(owner, "apiVersion"));
	stint_json_set_string(reference, "kind", text_at(owner, "kind"));
	stint_json_set_string(reference, "name", text_at(above, "name"));
	stint_json_set_string(reference, "uid", text_at(above, "uid"));
	stint_json_set_bool(reference, "controller", true);
}

/* NULL: it is not among the objects, and the pod will wait until somebody creates it. */
static const struct stint_json *find_template(const struct maker *maker, const char *space, const char *name)
{
	stint_json_each(object, maker->objects) {
		const struct stint_json *metadata = stint_json_get(object, "metadata");
		const char *own = stint_json_string_or(stint_json_get(metadata, "namespace"), maker->space);
		if (strcmp(text_at(object, "kind"), CLAIM_TEMPLATE) == 0 && strcmp(text_at(metadata, "name"), name) == 0 && own &&
			strcmp(own, space) == 0)
			return object;
	}
	return NULL;
}

/* As the resource claim controller would make it, with a name that says where it comes from. */
static bool make_claim(struct maker *maker, struct stint_json *pod, const char *entry, const struct stint_json *template)
{
	const struct stint_json *above = stint_json_get(pod, "metadata"), *from = stint_json_get(template, "spec");
	stint_auto_json *claim = stint_json_new_object();
	stint_autofree char *name = stint_format("%s-%s", text_at(above, "name"), entry);
	stint_json_set_string(claim, "apiVersion", text_at(template, "apiVersion"));
	stint_json_set_string(claim, "kind", "ResourceClaim");
	struct stint_json *metadata = stint_json_set(claim, "metadata",
		stint_json_get(from, "metadata") ? stint_json_dup(stint_json_get(from, "metadata")) : stint_json_new_object());
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(metadata, "namespace", text_at(above, "namespace"));
	set_owner(metadata, pod);
	stint_json_set(
		claim, "spec", stint_json_get(from, "spec") ? stint_json_dup(stint_json_get(from, "spec")) : stint_json_new_object());
	give_birth(maker, claim, true);
	struct stint_json *statuses = stint_json_ensure_array(stint_json_ensure_object(pod, "status"), "resourceClaimStatuses");
	struct stint_json *status = stint_json_append(statuses, stint_json_new_object());
	stint_json_set_string(status, "name", entry);
	stint_json_set_string(status, "resourceClaimName", name);
	return add(maker, claim, STINT_KIND_RESOURCE_CLAIM);
}

/* The pod with the claims that are made for it alone. */
static bool add_pod(struct maker *maker, struct stint_json *pod)
{
	give_birth(maker, pod, true);
	stint_json_each(claim, stint_json_at(pod, "spec", "resourceClaims")) {
		const char *name = stint_json_string(stint_json_get(claim, "resourceClaimTemplateName")), *entry = text_at(claim, "name");
		const struct stint_json *template =
			name ? find_template(maker, stint_json_string_or(stint_json_at(pod, "metadata", "namespace"), ""), name) : NULL;
		if (template && !make_claim(maker, pod, entry, template))
			return false;
	}
	return add(maker, pod, STINT_KIND_POD);
}

static bool make_pod(struct maker *maker, const struct stint_json *owner, int64_t index)
{
	const struct stint_json *template = stint_json_at(owner, "spec", "template"), *above = stint_json_get(owner, "metadata");
	stint_auto_json *pod = stint_json_new_object();
	stint_autofree char *name = stint_format("%s-%lld", text_at(above, "name"), (long long)index);
	stint_autofree char *number = stint_format("%lld", (long long)index);
	stint_json_set_string(pod, "apiVersion", "v1");
	stint_json_set_string(pod, "kind", "Pod");
	struct stint_json *metadata = stint_json_set(pod, "metadata",
		stint_json_get(template, "metadata") ? stint_json_dup(stint_json_get(template, "metadata")) : stint_json_new_object());
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(metadata, "namespace", text_at(above, "namespace"));
	set_owner(metadata, owner);
	if (strcmp(text_at(owner, "kind"), "Job") == 0) {
		struct stint_json *labels = stint_json_ensure_object(metadata, "labels");
		stint_json_set_string(labels, "job-name", text_at(above, "name"));
		stint_json_set_string(labels, "batch.kubernetes.io/job-name", text_at(above, "name"));
		if (strcmp(text_at(stint_json_get(owner, "spec"), "completionMode"), "Indexed") == 0)
			stint_json_set_string(labels, "batch.kubernetes.io/job-completion-index", number);
	}
	stint_json_set(pod, "spec", stint_json_dup(stint_json_get(template, "spec")));
	stint_json_set_string(stint_json_ensure_object(pod, "status"), "phase", "Pending");
	return add_pod(maker, pod);
}

static int64_t pods_of(const struct controller *controller, const struct stint_json *spec)
{
	int64_t count = stint_json_int_or(stint_json_get(spec, controller->count), 1), completions;
	if (stint_json_bool_or(stint_json_get(spec, "suspend"), false))
		return 0;
	const bool bounded = strcmp(controller->kind, "Job") == 0 && stint_json_int(stint_json_get(spec, "completions"), &completions);
	return bounded && completions < count ? completions : count;
}

static bool make_pods(struct maker *maker, const struct controller *controller, const struct stint_json *owner)
{
	const struct stint_json *spec = stint_json_get(owner, "spec"), *pod_spec = stint_json_at(spec, "template", "spec");
	const int64_t count = pods_of(controller, spec);
	if (stint_json_type(pod_spec) != STINT_JSON_OBJECT)
		return stint_fail(maker->err, STINT_USAGE, "%s \"%s\" has no pod template: give it spec.template.spec", controller->kind,
			text_at(stint_json_get(owner, "metadata"), "name"));
	if (count < 0 || count > MOST_PODS - (int64_t)maker->pods)
		return stint_fail(maker->err, STINT_USAGE, "%s \"%s\" would have %lld pods, and at most %d are looked at in advance",
			controller->kind, text_at(stint_json_get(owner, "metadata"), "name"), (long long)count, (int)MOST_PODS);
	maker->pods += (size_t)count;
	for (int64_t index = 0; index < count; index++) {
		if (!make_pod(maker, owner, index))
			return false;
	}
	return true;
}

/* ---- objects --------------------------------------------------------------------------------------------------------------------------- */

/* Whether there is a pod template anywhere in it. The depth is bounded by who parsed it. */
static bool has_template(const struct stint_json *value)
{
	const enum stint_json_type type = stint_json_type(value);
	if (type != STINT_JSON_OBJECT && type != STINT_JSON_ARRAY)
		return false;
	if (type == STINT_JSON_OBJECT && stint_json_type(stint_json_at(value, "spec", "containers")) == STINT_JSON_ARRAY)
		return true;
	stint_json_each(child, value) {
		if (has_template(child))
			return true;
	}
	return false;
}

static const struct controller *controller_of(const struct stint_json *object)
{
	const char *version = text_at(object, "apiVersion"), *kind = text_at(object, "kind");
	const char *slash = strchr(version, '/');
	const size_t length = slash ? (size_t)(slash - version) : 0;
	for (size_t i = 0; i < STINT_COUNT(controllers); i++) {
		if (strcmp(controllers[i].kind, kind) == 0 && strlen(controllers[i].group) == length &&
			memcmp(controllers[i].group, version, length) == 0)
			return &controllers[i];
	}
	return NULL;
}

static bool create(struct maker *maker, const struct stint_json *given)
{
	stint_auto_json *object = stint_json_dup(given);
	const struct controller *controller = controller_of(object);
	if (controller) {
		give_birth(maker, object, true);
		return add(maker, object, STINT_KIND_OWNER) && make_pods(maker, controller, object);
	}
	for (size_t i = 0; i < STINT_COUNT(plain_kinds); i++) {
		if (strcmp(plain_kinds[i].kind, text_at(object, "kind")) != 0)
			continue;
		const enum stint_kind kind = plain_kinds[i].as;
		give_birth(maker, object, kind == STINT_KIND_POD || kind == STINT_KIND_POD_GROUP);
		return kind == STINT_KIND_POD ? add_pod(maker, object) : add(maker, object, kind);
	}
	if (has_template(object))
		return stint_fail(maker->err, STINT_USAGE,
			"what pods %s \"%s\" becomes is its operator's affair and not known in advance: Jobs, Deployments, StatefulSets, "
			"ReplicaSets, Pods and PodGroups are",
			text_at(object, "kind"), text_at(stint_json_get(object, "metadata"), "name"));
	return true; /* a Service, a ConfigMap: nothing to place */
}

bool stint_snapshot_create(struct stint_snapshot *snapshot, struct stint_model *model, const struct stint_json *objects, const char *space,
	int64_t now_ms, struct stint_error **err)
{
	struct maker maker = {.snapshot = snapshot, .objects = objects, .model = model, .space = space, .err = err};
	stint_time_format(now_ms, maker.time);
	stint_json_each(object, objects) {
		if (!create(&maker, object))
			return false;
	}
	return true;
}
