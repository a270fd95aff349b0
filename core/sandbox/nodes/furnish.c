/*
 * furnish: see furnish.h. deploy/defaults.yaml says the same for a real cluster, whose size it does not know.
 */
#include "core/sandbox/nodes/furnish.h"
#include "core/sandbox/controllers/volumes.h"

#include <string.h>

static const struct {
	const char *name, *description;
	int value;
} classes[] = {
	{"train", "Training that may be preempted.", 50},
	{"build-preemptible", "Interactive work that may be preempted.", 75},
	{"build", "Interactive work, within the quota of its project.", 100},
	{"inference", "Services, within the quota of their project.", 125},
};

static struct stint_json *new_object(const char *api_version, const char *kind, const char *name)
{
	struct stint_json *object = stint_json_new_object();
	stint_json_set_string(object, "apiVersion", api_version);
	stint_json_set_string(object, "kind", kind);
	stint_json_set_string(stint_json_ensure_object(object, "metadata"), "name", name);
	return object;
}

static bool create(struct stint_api *api, struct stint_json *object, struct stint_error **err)
{
	stint_auto_json *refusal = NULL;
	stint_autofree char *kind = stint_strdup(stint_json_string(stint_json_get(object, "kind")));
	const char *api_version = stint_json_string_or(stint_json_get(object, "apiVersion"), "");
	struct stint_api_call call = {.kind = stint_api_kind(api, api_version, kind), .manager = "stint"};
	if (stint_api_create(api, &call, object, NULL, &refusal))
		return true;
	return stint_fail(err, STINT_FAILED, "the sandbox's first %s was refused: %s", kind,
		stint_json_string_or(stint_json_get(refusal, "message"), "no reason given"));
}

static struct stint_json *new_queue(const char *name, const char *parent, int64_t gpus)
{
	static const char *const resources[] = {"gpu", "cpu", "memory"};
	struct stint_json *queue = new_object("scheduling.run.ai/v2", "Queue", name);
	struct stint_json *spec = stint_json_ensure_object(queue, "spec");
	if (parent)
		stint_json_set_string(spec, "parentQueue", parent);
	struct stint_json *list = stint_json_ensure_object(spec, "resources");
	for (size_t i = 0; i < STINT_COUNT(resources); i++) {
		struct stint_json *resource = stint_json_ensure_object(list, resources[i]);
		stint_json_set_int(resource, "quota", i == 0 ? gpus : -1);
		stint_json_set_int(resource, "limit", -1);
		stint_json_set_int(resource, "overQuotaWeight", 1);
	}
	return queue;
}

static bool label_namespace(void *user, struct stint_json *object)
{
	(void)user;
	struct stint_json *labels = stint_json_ensure_object(stint_json_ensure_object(object, "metadata"), "labels");
	stint_json_set_string(labels, "stint.dev/project", "default");
	return true;
}

/* As small clusters on one machine have one: a claim is served when a pod needs it, and with nothing behind it on virtual nodes. */
static struct stint_json *new_storage_class(void)
{
	struct stint_json *class = new_object("storage.k8s.io/v1", "StorageClass", "standard");
	struct stint_json *annotations = stint_json_ensure_object(stint_json_get(class, "metadata"), "annotations");
	stint_json_set_string(annotations, "storageclass.kubernetes.io/is-default-class", "true");
	stint_json_set_string(class, "provisioner", SANDBOX_PROVISIONER);
	stint_json_set_string(class, "volumeBindingMode", "WaitForFirstConsumer");
	return class;
}

bool furnish_cluster(struct stint_api *api, int64_t gpus, struct stint_error **err)
{
	for (size_t i = 0; i < STINT_COUNT(classes); i++) {
		struct stint_json *class = new_object("scheduling.k8s.io/v1", "PriorityClass", classes[i].name);
		stint_json_set_int(class, "value", classes[i].value);
		stint_json_set_string(class, "description", classes[i].description);
		if (!create(api, class, err))
			return false;
	}
	if (!create(api, new_storage_class(), err))
		return false;
	struct stint_json *department = new_queue("default-department", NULL, gpus);
	stint_json_set_string(stint_json_ensure_object(stint_json_get(department, "metadata"), "annotations"), "stint.dev/quota", "sum");
	if (!create(api, department, err) || !create(api, new_queue("default", "default-department", gpus), err))
		return false;
	struct stint_api_call call = {.kind = stint_api_kind(api, "v1", "Namespace"), .name = "default", .manager = "stint"};
	return stint_api_change(api, &call, label_namespace, NULL, NULL, NULL) ||
		stint_fail(err, STINT_FAILED, "namespace default could not be labelled as a project");
}
