/*
 * endpoints: an EndpointSlice and an Endpoints object for each Service with a selector: the addresses of its running pods.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/template.h"

enum { MAX_ADDRESSES = 1000 }; /* of one Service, as a real cluster cuts Endpoints */

static const char manager[] = "kube-controller-manager";

static const char *meta(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

struct backend {
	const struct pod_facts *pod;
	struct stint_json *labels; /* parsed once for all Services */
};

struct backends {
	struct backend *items;
	size_t count, capacity;
};

static void backends_free(struct backends *backends)
{
	for (size_t i = 0; i < backends->count; i++) {
		stint_json_free(backends->items[i].labels);
	}
	free(backends->items);
}

static int by_name(const void *left, const void *right)
{
	return strcmp(((const struct backend *)left)->pod->name, ((const struct backend *)right)->pod->name);
}

static void read_backends(struct hub *hub, const char *space, struct backends *backends)
{
	struct pod_list all = {0};
	pod_book_all(hub->pods, space, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct pod_facts *pod = all.items[i];
		if (pod_is_finished(pod) || !pod->node || !pod->labels || !pod->ip)
			continue;
		stint_grow(&backends->items, &backends->capacity, backends->count + 1, sizeof(backends->items[0]));
		backends->items[backends->count++] = (struct backend){pod, stint_json_parse(pod->labels, strlen(pod->labels), 0, NULL)};
	}
	if (backends->count > 1)
		qsort(backends->items, backends->count, sizeof(backends->items[0]), by_name);
	pod_list_free(&all);
}

static struct stint_json *ports_of(const struct stint_json *service)
{
	struct stint_json *ports = stint_json_new_array();
	stint_json_each(port, stint_json_at(service, "spec", "ports")) {
		int64_t number = stint_json_int_or(stint_json_get(port, "port"), 0);
		struct stint_json *item = stint_json_append(ports, stint_json_new_object());
		stint_json_set_string(item, "name", stint_json_string_or(stint_json_get(port, "name"), ""));
		stint_json_set_int(item, "port", stint_json_int_or(stint_json_get(port, "targetPort"), number));
		stint_json_set_string(item, "protocol", stint_json_string_or(stint_json_get(port, "protocol"), "TCP"));
	}
	return ports;
}

static struct stint_json *target_of(const struct pod_facts *pod)
{
	struct stint_json *target = stint_json_new_object();
	stint_json_set_string(target, "kind", "Pod");
	stint_json_set_string(target, "name", pod->name);
	stint_json_set_string(target, "namespace", pod->space);
	stint_json_set_string(target, "uid", pod->uid);
	return target;
}

static struct stint_json *slice_endpoint(const struct backend *backend, bool publish_not_ready)
{
	struct stint_json *endpoint = stint_json_new_object();
	stint_json_append(stint_json_ensure_array(endpoint, "addresses"), stint_json_new_string(backend->pod->ip));
	struct stint_json *conditions = stint_json_ensure_object(endpoint, "conditions");
	stint_json_set_bool(conditions, "ready", publish_not_ready || (backend->pod->ready && !backend->pod->deleting));
	stint_json_set_bool(conditions, "serving", backend->pod->ready);
	stint_json_set_bool(conditions, "terminating", backend->pod->deleting);
	stint_json_set_string(endpoint, "nodeName", backend->pod->node);
	stint_json_set(endpoint, "targetRef", target_of(backend->pod));
	return endpoint;
}

static struct stint_json *new_object(const struct stint_json *service, const char *api_version, const char *kind, const char *suffix)
{
	struct stint_json *object = stint_json_new_object();
	stint_json_set_string(object, "apiVersion", api_version);
	stint_json_set_string(object, "kind", kind);
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	stint_autofree char *name = stint_format("%s%s", meta(service, "name"), suffix);
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(metadata, "namespace", meta(service, "namespace"));
	const struct stint_json *labels = stint_json_at(service, "metadata", "labels");
	stint_json_set(metadata, "labels", labels ? stint_json_dup(labels) : stint_json_new_object());
	return object;
}

struct content {
	const struct stint_json *object;
	const char *const *keys;
};

static bool replace_content(void *user, struct stint_json *object)
{
	const struct content *content = user;
	bool changed = false;
	for (const char *const *key = content->keys; *key; key++) {
		const struct stint_json *wanted = stint_json_get(content->object, *key);
		if (stint_json_equal(wanted, stint_json_get(object, *key)))
			continue;
		changed = true;
		if (wanted)
			stint_json_set(object, *key, stint_json_dup(wanted));
		else
			stint_json_remove(object, *key);
	}
	return changed;
}

/* Creates the object or brings the named parts of it up to date. Takes object over. */
static void put(struct hub *hub, const struct stint_kind *kind, struct stint_json *object, const char *const *keys)
{
	stint_auto_json *wanted = object;
	struct stint_api_call call = {.kind = kind, .space = meta(wanted, "namespace"), .name = meta(wanted, "name"), .manager = manager};
	if (stint_store_get(hub->api->store, kind, call.space, call.name)) {
		struct content content = {wanted, keys};
		stint_api_change(hub->api, &call, replace_content, &content, NULL, NULL);
		return;
	}
	call.name = NULL;
	stint_api_create(hub->api, &call, stint_json_dup(wanted), NULL, NULL);
}

static void update(struct hub *hub, const struct stint_json *service, const struct backends *backends)
{
	static const char *const slice_keys[] = {"endpoints", "ports", NULL}, *const endpoints_keys[] = {"subsets", NULL};
	const struct stint_json *wanted = stint_json_at(service, "spec", "selector");
	if (stint_json_count(wanted) == 0)
		return;
	bool publish = stint_json_bool_or(stint_json_at(service, "spec", "publishNotReadyAddresses"), false);
	stint_auto_json *selector = stint_json_new_object(), *ports = ports_of(service);
	stint_json_set(selector, "matchLabels", stint_json_dup(wanted));
	struct stint_json *slice = new_object(service, "discovery.k8s.io/v1", "EndpointSlice", "-1");
	struct stint_json *endpoints = new_object(service, "v1", "Endpoints", "");
	stint_json_set_string(slice, "addressType", "IPv4");
	struct stint_json *labels = stint_json_at(slice, "metadata", "labels"),
			  *old_labels = stint_json_at(endpoints, "metadata", "labels");
	stint_json_set_string(old_labels, "endpoints.kubernetes.io/managed-by", "endpoint-controller");
	if (strcmp(stint_json_string_or(stint_json_at(service, "spec", "clusterIP"), ""), "None") == 0) {
		stint_json_set_string(labels, "service.kubernetes.io/headless", "");
		stint_json_set_string(old_labels, "service.kubernetes.io/headless", "");
	}
	stint_json_set_string(labels, "kubernetes.io/service-name", meta(service, "name"));
	stint_json_set_string(labels, "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io");
	template_own(slice, service);
	struct stint_json *list = stint_json_ensure_array(slice, "endpoints");
	stint_json_set(slice, "ports", stint_json_dup(ports));
	struct stint_json *ready = stint_json_new_array(), *unready = stint_json_new_array();
	size_t count = 0;
	for (size_t i = 0; i < backends->count && count < MAX_ADDRESSES; i++) {
		const struct backend *backend = &backends->items[i];
		if (!label_selector_matches(selector, backend->labels))
			continue;
		count++;
		stint_json_append(list, slice_endpoint(backend, publish));
		if (backend->pod->deleting && !publish)
			continue;
		struct stint_json *address = stint_json_append(backend->pod->ready || publish ? ready : unready, stint_json_new_object());
		stint_json_set_string(address, "ip", backend->pod->ip);
		stint_json_set_string(address, "nodeName", backend->pod->node);
		stint_json_set(address, "targetRef", target_of(backend->pod));
	}
	if (stint_json_first(ready) || stint_json_first(unready)) {
		struct stint_json *subset = stint_json_append(stint_json_ensure_array(endpoints, "subsets"), stint_json_new_object());
		if (stint_json_first(ready))
			stint_json_set(subset, "addresses", stint_steal(&ready));
		if (stint_json_first(unready))
			stint_json_set(subset, "notReadyAddresses", stint_steal(&unready));
		stint_json_set(subset, "ports", stint_json_dup(ports));
	}
	stint_json_free(ready);
	stint_json_free(unready);
	put(hub, hub->slice_kind, slice, slice_keys);
	put(hub, stint_api_kind(hub->api, "v1", "Endpoints"), endpoints, endpoints_keys);
}

/* Endpoints have no owner: they go with the Service of their name. */
static void remove_stray(struct hub *hub, const char *space)
{
	const struct stint_kind *kind = stint_api_kind(hub->api, "v1", "Endpoints");
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, kind, space, &list);
	for (size_t i = 0; i < list.count; i++) {
		if (stint_store_get(hub->api->store, hub->service_kind, space, list.items[i]->name) || list.items[i]->deleting ||
			!memmem(list.items[i]->data, list.items[i]->length, "\"kube-controller-manager\"", 25))
			continue;
		struct stint_api_call call = {.kind = kind, .space = space, .name = list.items[i]->name, .manager = manager};
		stint_api_delete(hub->api, &call, NULL, NULL, NULL);
	}
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	(void)name;
	const struct stint_stored *home = stint_store_get(hub->api->store, hub->namespace_kind, NULL, space);
	if (!home || home->deleting)
		return;
	stint_auto_store_list services = {0};
	struct backends backends = {0};
	stint_store_list(hub->api->store, hub->service_kind, space, &services);
	bool selects = false; /* the Service of the API server itself selects nothing */
	for (size_t i = 0; i < services.count && !selects; i++)
		selects = memmem(services.items[i]->data, services.items[i]->length, "\"selector\"", 10) != NULL;
	if (selects)
		read_backends(hub, space, &backends);
	for (size_t i = 0; i < services.count; i++) {
		stint_auto_json *service = stint_stored_parse(services.items[i]);
		if (!services.items[i]->deleting)
			update(hub, service, &backends);
	}
	remove_stray(hub, space);
	backends_free(&backends);
}

const struct controller endpoint_controller = {
	.name = "endpoint-controller", .api_version = "v1", .kind = "Service", .by_space = true, .sync = sync};
