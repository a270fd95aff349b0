/*
 * claim_call: see claim_call.h. State: the claims of one pod, and the one request that is under way.
 */
#include <scheduler/claim_call.h>

#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 4000 }; /* contracts: as for binds */
#define FINALIZER "resource.kubernetes.io/delete-protection"

struct write {
	char *space, *name, *version;
	char *finalizers; /* the patch that adds ours; NULL: it has it */
	char *status; /* the patch */
	bool fresh; /* it had no devices before */
	bool written;
};

struct stint_claim_writes {
	struct stint_kube *kube;
	struct write *items;
	size_t count, at;
	struct stint_kube_call *call;
	void (*done)(void *user, const char *message);
	void *user;
};

/* ---- bodies ------------------------------------------------------------------------------------------------------------------------------ */

static struct stint_json *patch_of(const char *version)
{
	struct stint_json *patch = stint_json_new_object();
	stint_json_set_string(stint_json_ensure_object(patch, "metadata"), "resourceVersion", version);
	return patch;
}

static char *finalizers_patch(const struct stint_resource_claim *claim)
{
	stint_auto_json *patch = patch_of(claim->meta.resource_version);
	struct stint_json *list = stint_json_set(stint_json_ensure_object(patch, "metadata"), "finalizers", stint_json_new_array());
	for (uint32_t i = 0; i < claim->finalizers_count; i++) {
		if (strcmp(claim->finalizers[i], FINALIZER) == 0)
			return NULL;
		stint_json_append(list, stint_json_new_string(claim->finalizers[i]));
	}
	stint_json_append(list, stint_json_new_string(FINALIZER));
	return stint_json_print(patch);
}

static void add_results(struct stint_json *devices, const struct stint_pod_devices *given)
{
	struct stint_json *results = stint_json_set(devices, "results", stint_json_new_array());
	for (uint32_t i = 0; i < given->count; i++) {
		struct stint_json *result = stint_json_append(results, stint_json_new_object());
		stint_json_set_string(result, "request", given->devices[i].request);
		stint_json_set_string(result, "driver", given->devices[i].driver);
		stint_json_set_string(result, "pool", given->devices[i].pool);
		stint_json_set_string(result, "device", given->devices[i].device);
	}
}

/* Entries of a raw list, with where they come from; those of a class are for one request. */
static void add_config(struct stint_json *devices, const char *raw, const char *source, const char *request)
{
	stint_auto_json *list = raw ? stint_json_parse(raw, strlen(raw), 0, NULL) : NULL;
	stint_json_each(entry, list) {
		struct stint_json *copy = stint_json_append(stint_json_ensure_array(devices, "config"), stint_json_dup(entry));
		stint_json_set_string(copy, "source", source);
		if (request)
			stint_json_append(stint_json_set(copy, "requests", stint_json_new_array()), stint_json_new_string(request));
	}
}

static void add_node(struct stint_json *allocation, const char *node)
{
	struct stint_json *terms = stint_json_ensure_array(stint_json_ensure_object(allocation, "nodeSelector"), "nodeSelectorTerms");
	struct stint_json *term = stint_json_append(terms, stint_json_new_object());
	struct stint_json *field = stint_json_append(stint_json_ensure_array(term, "matchFields"), stint_json_new_object());
	stint_json_set_string(field, "key", "metadata.name");
	stint_json_set_string(field, "operator", "In");
	stint_json_append(stint_json_ensure_array(field, "values"), stint_json_new_string(node));
}

static struct stint_json *add_consumers(struct stint_json *status, const struct stint_resource_claim *claim, const char *without)
{
	struct stint_json *list = stint_json_set(status, "reservedFor", stint_json_new_array());
	for (uint32_t i = 0; i < claim->consumers_count; i++) {
		const struct stint_claim_consumer *consumer = &claim->consumers[i];
		if (consumer->uid && strcmp(consumer->uid, without) == 0)
			continue;
		struct stint_json *item = stint_json_append(list, stint_json_new_object());
		if (consumer->api_group)
			stint_json_set_string(item, "apiGroup", consumer->api_group);
		stint_json_set_string(item, "resource", consumer->resource);
		stint_json_set_string(item, "name", consumer->name);
		stint_json_set_string(item, "uid", consumer->uid);
	}
	return list;
}

char *stint_claim_status_patch(const struct stint_resource_claim *claim, const struct stint_pod_devices *given, const char *node,
	const struct stint_object *pod, const char *(*config_of)(const void *classes, const char *device_class), const void *classes)
{
	stint_auto_json *patch = stint_json_new_object();
	struct stint_json *status = stint_json_ensure_object(patch, "status");
	if (!claim->allocated) {
		struct stint_json *allocation = stint_json_ensure_object(status, "allocation");
		struct stint_json *devices = stint_json_ensure_object(allocation, "devices");
		add_results(devices, given);
		for (uint32_t i = 0; i < claim->requests_count; i++)
			add_config(devices, config_of(classes, claim->requests[i].device_class), "FromClass", claim->requests[i].name);
		add_config(devices, claim->config, "FromClaim", NULL);
		add_node(allocation, node);
	}
	struct stint_json *me = stint_json_append(add_consumers(status, claim, pod->uid), stint_json_new_object());
	stint_json_set_string(me, "resource", "pods");
	stint_json_set_string(me, "name", pod->name);
	stint_json_set_string(me, "uid", pod->uid);
	return stint_json_print(patch);
}

/* ---- requests ------------------------------------------------------------------------------------------------------------------------------ */

static void step(struct stint_claim_writes *writes);

static char *with_version(const char *body, const char *version)
{
	stint_auto_json *patch = stint_json_parse(body, strlen(body), 0, NULL);
	stint_json_set_string(stint_json_ensure_object(patch, "metadata"), "resourceVersion", version);
	return stint_json_print(patch);
}

static void on_done(void *user, struct stint_kube_response *response)
{
	struct stint_claim_writes *writes = user;
	struct write *item = &writes->items[writes->at];
	writes->call = NULL;
	stint_auto_json *claim = response->error ? NULL : stint_json_parse(response->body.data, response->body.length, 0, NULL);
	const char *version = stint_json_string_at(claim, "metadata", "resourceVersion");
	if (!version) {
		writes->done(writes->user, response->error ? response->error->message : "the answer is no resource claim");
		return;
	}
	free(item->version);
	item->version = stint_strdup(version);
	if (item->finalizers) {
		free(item->finalizers);
		item->finalizers = NULL;
	} else {
		item->written = true;
		writes->at++;
	}
	step(writes);
}

static struct stint_kube_call *send(struct stint_claim_writes *writes, const struct write *item, const char *subresource, const char *body,
	void (*done)(void *user, struct stint_kube_response *response), void *user)
{
	return stint_kube_call_start(writes->kube,
		&(struct stint_kube_request){.method = "PATCH",
			.resource = &stint_kube_resourceclaims,
			.namespace_ = item->space,
			.name = item->name,
			.subresource = subresource,
			.body = body,
			.body_length = strlen(body),
			.content_type = "application/merge-patch+json",
			.timeout_ms = TIMEOUT_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = done,
			.user = user});
}

static void step(struct stint_claim_writes *writes)
{
	if (writes->at == writes->count) {
		writes->done(writes->user, NULL);
		return;
	}
	const struct write *item = &writes->items[writes->at];
	stint_autofree char *body = with_version(item->finalizers ? item->finalizers : item->status, item->version);
	writes->call = send(writes, item, item->finalizers ? NULL : "status", body, on_done, writes);
}

static const char *config_of(const void *engine, const char *device_class)
{
	const struct stint_device_class *class = stint_engine_class_find(engine, device_class);
	return class ? class->config : NULL;
}

struct stint_claim_writes *stint_claim_writes_start(struct stint_kube *kube, const struct stint_engine *engine, uint32_t pod,
	const char *node, void (*done)(void *user, const char *message), void *user)
{
	struct stint_pod_devices given;
	struct stint_pod_view view;
	if (!stint_engine_pod_view(engine, pod, &view) || !stint_engine_pod_devices(engine, pod, 0, &given))
		return NULL;
	struct stint_claim_writes *writes = stint_alloc(sizeof(*writes));
	*writes = (struct stint_claim_writes){.kube = kube, .done = done, .user = user};
	size_t capacity = 0;
	for (uint32_t i = 0; stint_engine_pod_devices(engine, pod, i, &given); i++) {
		const struct stint_resource_claim *claim = given.claim;
		if (!claim || !claim->meta.resource_version)
			continue;
		stint_grow(&writes->items, &capacity, writes->count + 1, sizeof(*writes->items));
		writes->items[writes->count++] = (struct write){
			.space = stint_strdup(claim->meta.space),
			.name = stint_strdup(claim->meta.name),
			.version = stint_strdup(claim->meta.resource_version),
			.finalizers = finalizers_patch(claim),
			.status = stint_claim_status_patch(claim, &given, node, &view.pod->meta, config_of, engine),
			.fresh = !claim->allocated && claim->consumers_count == 0,
		};
	}
	if (writes->count)
		step(writes);
	return writes->count ? writes : (stint_claim_writes_free(writes), NULL);
}

static void on_undone(void *user, struct stint_kube_response *response)
{
	(void)user;
	(void)response;
}

/* A claim that others share keeps its devices and this pod's reservation, which Kubernetes takes away when the pod has gone. */
void stint_claim_writes_undo(struct stint_claim_writes *writes)
{
	for (size_t i = 0; i < writes->count; i++) {
		const struct write *item = &writes->items[i];
		if (!item->written || !item->fresh)
			continue;
		stint_autofree char *body = with_version("{\"status\":{\"allocation\":null,\"reservedFor\":null}}", item->version);
		send(writes, item, "status", body, on_undone, NULL);
	}
}

void stint_claim_writes_free(struct stint_claim_writes *writes)
{
	if (!writes)
		return;
	stint_kube_call_cancel(writes->call);
	for (size_t i = 0; i < writes->count; i++) {
		free(writes->items[i].space);
		free(writes->items[i].name);
		free(writes->items[i].version);
		free(writes->items[i].finalizers);
		free(writes->items[i].status);
	}
	free(writes->items);
	free(writes);
}
