/*
 * What a kube-apiserver's built-in admission does to every object: namespaces must be there and alive, pods get a priority, a service
 * account and the two default tolerations, services an address, claims of volumes the default storage class.
 */
#include "api_internal.h"

#include <stdio.h>
#include <string.h>

static bool is_core(const struct stint_kind *kind, const char *name)
{
	return !*kind->group && strcmp(kind->kind, name) == 0;
}

static bool forbid(
	const struct stint_api_call *call, const char *name, struct stint_json *causes, struct stint_json **status, const char *why)
{
	*status = stint_status_new(403, "Forbidden", call->kind, name, causes, "%s%s%s \"%s\" is forbidden: %s", call->kind->plural,
		*call->kind->group ? "." : "", call->kind->group, name, why);
	return false;
}

static const char *name_of(const struct stint_json *object)
{
	return stint_json_string_or(stint_json_at(object, "metadata", "name"), "");
}

/* ---- namespaces ---------------------------------------------------------------------------------------------------------------- */

static bool check_namespace(
	struct stint_api *api, const struct stint_api_call *call, const struct stint_json *object, struct stint_json **status)
{
	const struct stint_kind *namespaces = stint_api_kind(api, "v1", "Namespace");
	const struct stint_stored *space = stint_store_get(api->store, namespaces, NULL, call->space);
	stint_autofree char *message = NULL;
	struct stint_json *causes;

	if (!space)
		return stint_api_not_found(&(struct stint_api_call){.kind = namespaces, .name = call->space}, status);
	if (!space->deleting)
		return true;
	causes = stint_json_new_array();
	stint_cause_add(causes, "NamespaceTerminating", "metadata.namespace", "namespace %s is being terminated", call->space);
	message = stint_format("unable to create new content in namespace %s because it is being terminated", call->space);
	return forbid(call, name_of(object), causes, status, message);
}

/* ---- pods ---------------------------------------------------------------------------------------------------------------------- */

static struct stint_json *default_class(struct stint_api *api)
{
	stint_auto_store_list list = {0};
	struct stint_json *best = NULL;

	stint_store_list(api->store, stint_api_kind(api, "scheduling.k8s.io/v1", "PriorityClass"), NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		stint_auto_json *class = NULL;

		if (!strstr(list.items[i]->data, "\"globalDefault\":true"))
			continue; /* asked for every pod: most classes are not worth a tree */
		class = stint_stored_parse(list.items[i]);
		if (!stint_json_bool_or(stint_json_get(class, "globalDefault"), false))
			continue;
		if (best && stint_json_int_or(stint_json_get(best, "value"), 0) <= stint_json_int_or(stint_json_get(class, "value"), 0))
			continue;
		stint_json_free(best);
		best = stint_steal(&class);
	}
	return best;
}

static bool give_priority(struct stint_api *api, const struct stint_api_call *call, struct stint_json *pod, struct stint_json **status)
{
	struct stint_json *spec = stint_json_ensure_object(pod, "spec");
	const char *name = stint_json_string_or(stint_json_get(spec, "priorityClassName"), "");
	const struct stint_json *given = stint_json_get(spec, "priority");
	stint_auto_json *class = NULL;
	stint_autofree char *why = NULL;
	int64_t value;

	if (*name) {
		const struct stint_stored *stored =
			stint_store_get(api->store, stint_api_kind(api, "scheduling.k8s.io/v1", "PriorityClass"), NULL, name);

		if (!stored) {
			why = stint_format("no PriorityClass with name %s was found", name);
			return forbid(call, name_of(pod), NULL, status, why);
		}
		class = stint_stored_parse(stored);
	} else {
		class = default_class(api);
		if (class)
			stint_json_set_string(spec, "priorityClassName", name_of(class));
	}
	value = stint_json_int_or(stint_json_get(class, "value"), 0);
	if (given && stint_json_int_or(given, value) != value) {
		why = stint_format("the integer value of priority (%lld) must not be provided in pod spec; priority admission controller "
				   "computed %lld "
				   "from the given PriorityClass name",
			(long long)stint_json_int_or(given, 0), (long long)value);
		return forbid(call, name_of(pod), NULL, status, why);
	}
	stint_json_set_int(spec, "priority", value);
	if (!stint_json_get(spec, "preemptionPolicy"))
		stint_json_set_string(
			spec, "preemptionPolicy", stint_json_string_or(stint_json_get(class, "preemptionPolicy"), "PreemptLowerPriority"));
	return true;
}

/* Whether a toleration of the pod already answers for this taint with effect NoExecute. */
static bool tolerates(const struct stint_json *spec, const char *taint)
{
	stint_json_each(toleration, stint_json_get(spec, "tolerations")) {
		const char *key = stint_json_string_or(stint_json_get(toleration, "key"), "");
		const char *effect = stint_json_string_or(stint_json_get(toleration, "effect"), "");

		if ((!*key || strcmp(key, taint) == 0) && (!*effect || strcmp(effect, "NoExecute") == 0))
			return true;
	}
	return false;
}

static void give_tolerations(struct stint_json *spec)
{
	static const char *const taints[] = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"};
	enum { SECONDS = 300 };

	for (size_t i = 0; i < STINT_COUNT(taints); i++) {
		struct stint_json *toleration;

		if (tolerates(spec, taints[i]))
			continue;
		toleration = stint_json_append(stint_json_ensure_array(spec, "tolerations"), stint_json_new_object());
		stint_json_set_string(toleration, "key", taints[i]);
		stint_json_set_string(toleration, "operator", "Exists");
		stint_json_set_string(toleration, "effect", "NoExecute");
		stint_json_set_int(toleration, "tolerationSeconds", SECONDS);
	}
}

static bool check_runtime_class(
	struct stint_api *api, const struct stint_api_call *call, const struct stint_json *pod, struct stint_json **status)
{
	const char *name = stint_json_string_or(stint_json_at(pod, "spec", "runtimeClassName"), "");
	const struct stint_kind *classes = stint_api_kind(api, "node.k8s.io/v1", "RuntimeClass");
	stint_autofree char *why = NULL;

	if (!*name || !classes || stint_store_get(api->store, classes, NULL, name))
		return true;
	why = stint_format("pod rejected: RuntimeClass \"%s\" not found", name);
	return forbid(call, name_of(pod), NULL, status, why);
}

static bool admit_pod(struct stint_api *api, const struct stint_api_call *call, struct stint_json *pod, struct stint_json **status)
{
	struct stint_json *spec = stint_json_ensure_object(pod, "spec");
	const char *account = stint_json_string_or(stint_json_get(spec, "serviceAccountName"), "");

	if (!*account)
		stint_json_set_string(spec, "serviceAccountName", "default");
	stint_json_set_string(spec, "serviceAccount", stint_json_string(stint_json_get(spec, "serviceAccountName")));
	give_tolerations(spec);
	return give_priority(api, call, pod, status) && check_runtime_class(api, call, pod, status);
}

/* ---- services -------------------------------------------------------------------------------------------------------------------- */

static bool address_taken(const struct stint_store_list *services, const char *address)
{
	for (size_t i = 0; i < services->count; i++) {
		if (strcmp(services->items[i]->fields, address) == 0) /* spec.clusterIP is the first selectable field */
			return true;
	}
	return false;
}

/* 10.96.0.0/12, as kubeadm has it; from a hash of uid on, so that addresses do not follow each other. */
static void give_address(struct stint_api *api, const struct stint_api_call *call, struct stint_json *service)
{
	struct stint_json *spec = stint_json_ensure_object(service, "spec");
	const char *type = stint_json_string_or(stint_json_get(spec, "type"), "ClusterIP");
	const char *given = stint_json_string_or(stint_json_get(spec, "clusterIP"), "");
	stint_auto_store_list services = {0};
	char address[sizeof("255.255.255.255")];
	uint32_t host;

	if (strcmp(type, "ExternalName") == 0)
		return;
	if (!*given) {
		stint_store_list(api->store, call->kind, NULL, &services);
		stint_random_bytes(&host, sizeof(host));
		do {
			host = (host + 1) % ((1U << 20) - 300);
			uint32_t number = (10U << 24 | 96U << 16) + 256 + host;

			(void)snprintf(
				address, sizeof(address), "%u.%u.%u.%u", number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255);
		} while (address_taken(&services, address));
		stint_json_set_string(spec, "clusterIP", address);
		given = address;
	}
	if (!stint_json_first(stint_json_get(spec, "clusterIPs")))
		stint_json_append(stint_json_ensure_array(spec, "clusterIPs"), stint_json_new_string(given));
	if (!stint_json_first(stint_json_get(spec, "ipFamilies")))
		stint_json_append(stint_json_ensure_array(spec, "ipFamilies"), stint_json_new_string(strchr(given, ':') ? "IPv6" : "IPv4"));
	if (!stint_json_get(spec, "ipFamilyPolicy"))
		stint_json_set_string(spec, "ipFamilyPolicy", "SingleStack");
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------------------ */

/* A node takes no pods before it is Ready; the node controller takes the taint off then. */
static void taint_new_node(struct stint_json *node)
{
	static const char not_ready[] = "node.kubernetes.io/not-ready";
	struct stint_json *taints = stint_json_ensure_array(stint_json_ensure_object(node, "spec"), "taints"), *taint;

	stint_json_each(each, taints) {
		if (strcmp(stint_json_string_or(stint_json_get(each, "key"), ""), not_ready) == 0)
			return;
	}
	taint = stint_json_append(taints, stint_json_new_object());
	stint_json_set_string(taint, "key", not_ready);
	stint_json_set_string(taint, "effect", "NoSchedule");
}

/* ---- claims of volumes ------------------------------------------------------------------------------------------------------------- */

/* An empty name asks for no class; none at all for the default one, of several the youngest. */
static void give_storage_class(struct stint_api *api, struct stint_json *claim)
{
	struct stint_json *spec = stint_json_ensure_object(claim, "spec");
	stint_auto_store_list list = {0};
	stint_auto_json *best = NULL;

	if (stint_json_get(spec, "storageClassName"))
		return;
	stint_store_list(api->store, stint_api_kind(api, "storage.k8s.io/v1", "StorageClass"), NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		stint_auto_json *class = stint_stored_parse(list.items[i]);
		const char *is_default = stint_json_string_or(
			stint_json_at(class, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class"), "");

		if (strcmp(is_default, "true") != 0 ||
			(best &&
				strcmp(stint_json_string_or(stint_json_at(class, "metadata", "creationTimestamp"), ""),
					stint_json_string_or(stint_json_at(best, "metadata", "creationTimestamp"), "")) <= 0))
			continue;
		stint_json_free(best);
		best = stint_steal(&class);
	}
	if (best)
		stint_json_set_string(spec, "storageClassName", name_of(best));
}

/* ---- the two doors ---------------------------------------------------------------------------------------------------------------- */

bool stint_admit_create(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, struct stint_json **status)
{
	if (call->kind->namespaced && !check_namespace(api, call, object, status))
		return false;
	if (is_core(call->kind, "Pod"))
		return admit_pod(api, call, object, status);
	if (is_core(call->kind, "Service"))
		give_address(api, call, object);
	if (is_core(call->kind, "Node"))
		taint_new_node(object);
	if (is_core(call->kind, "PersistentVolumeClaim"))
		give_storage_class(api, object);
	return true;
}

bool stint_admit_update(struct stint_api *api, const struct stint_api_call *call, const struct stint_json *old, struct stint_json *object,
	struct stint_json **status)
{
	static const char *const kept[] = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"};

	(void)status;
	if (is_core(call->kind, "Pod") && !call->subresource)
		give_tolerations(stint_json_ensure_object(object, "spec"));
	if (!is_core(call->kind, "Service"))
		return true;
	for (size_t i = 0; i < STINT_COUNT(kept); i++) {
		const struct stint_json *value = stint_json_at(old, "spec", kept[i]);

		if (value && !stint_json_at(object, "spec", kept[i]) && stint_json_string_at(object, "spec", "type") &&
			strcmp(stint_json_string_at(object, "spec", "type"), "ExternalName") != 0)
			stint_json_set(stint_json_get(object, "spec"), kept[i], stint_json_dup(value));
	}
	give_address(api, call, object);
	return true;
}
