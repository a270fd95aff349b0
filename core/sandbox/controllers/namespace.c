/*
 * namespace: what every namespace has (ServiceAccount default, ConfigMap kube-root-ca.crt), and its end: content is deleted kind by
 * kind, pods first, and when none is left the finalizer "kubernetes" is taken off.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/hub.h"

enum {
	LOOK_AGAIN_MS = 200,
	LEAST_END_MS = 1500, /* a dying namespace is to be seen: it refuses new content with 403, not with 404 */
};

static const char account_name[] = "default", config_name[] = "kube-root-ca.crt";

/* ---- what a namespace begins with ------------------------------------------------------------------------------------------ */

static struct stint_json *new_object(const char *kind, const char *space, const char *name)
{
	struct stint_json *object = stint_json_new_object();
	stint_json_set_string(object, "apiVersion", "v1");
	stint_json_set_string(object, "kind", kind);
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(metadata, "namespace", space);
	return object;
}

static void furnish(struct hub *hub, const char *space)
{
	struct stint_api_call call = {.kind = hub->account_kind, .space = space, .manager = "kube-controller-manager"};
	if (!stint_store_get(hub->api->store, hub->account_kind, space, account_name))
		stint_api_create(hub->api, &call, new_object("ServiceAccount", space, account_name), NULL, NULL);
	if (!hub->root_ca_pem || stint_store_get(hub->api->store, hub->config_kind, space, config_name))
		return;
	call.kind = hub->config_kind;
	struct stint_json *config = new_object("ConfigMap", space, config_name);
	struct stint_json *annotations = stint_json_ensure_object(stint_json_get(config, "metadata"), "annotations");
	stint_json_set_string(annotations, "kubernetes.io/description",
		"Contains a CA bundle that can be used to verify the API server of this cluster, as kube-root-ca.crt does in any cluster.");
	stint_json_set_string(stint_json_ensure_object(config, "data"), "ca.crt", hub->root_ca_pem);
	stint_api_create(hub->api, &call, config, NULL, NULL);
}

/* ---- the end of one -------------------------------------------------------------------------------------------------------- */

struct content {
	int64_t left;
	struct stint_buf kinds; /* the sentence of the condition */
	struct stint_map *finalizers; /* name -> how many objects wait for it (int64_t) */
};

static void count_finalizers(const struct stint_stored *stored, struct content *content)
{
	stint_auto_json *object = stint_stored_parse(stored);
	stint_json_each(finalizer, stint_json_at(object, "metadata", "finalizers")) {
		const char *name = stint_json_string_or(finalizer, "");
		int64_t *count = stint_map_get(content->finalizers, name);
		if (!count) {
			count = stint_alloc(sizeof(*count));
			stint_map_set(content->finalizers, name, count);
		}
		++*count;
	}
}

/* "a in 1 resource instances, b in 2 resource instances"; the caller frees it. */
static char *finalizers_sentence(const struct content *content)
{
	stint_auto_buf text = {0};
	const char *name = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(content->finalizers, &at, &name, &value);)
		stint_buf_printf(
			&text, "%s%s in %" PRId64 " resource instances", text.length > 0 ? ", " : "", name, *(const int64_t *)value);
	return stint_buf_steal(&text);
}

static void clear_kind(struct hub *hub, const struct stint_kind *kind, const char *space, struct content *content)
{
	if (stint_store_count(hub->api->store, kind) == 0)
		return;
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, kind, space, &list);
	int64_t left = 0;
	for (size_t i = 0; i < list.count; i++) {
		struct stint_api_call call = {
			.kind = kind, .space = space, .name = list.items[i]->name, .manager = "kube-controller-manager"};
		struct stint_delete_options options = {.grace_s = -1, .propagation = "Background"};
		if (!list.items[i]->deleting)
			stint_api_delete(hub->api, &call, &options, NULL, NULL);
		const struct stint_stored *kept = stint_store_get(hub->api->store, kind, space, list.items[i]->name);
		left += kept != NULL;
		if (kept)
			count_finalizers(kept, content);
	}
	if (left > 0)
		stint_buf_printf(&content->kinds, "%s%s.%s has %" PRId64 " resource instances", content->kinds.length > 0 ? ", " : "",
			kind->plural, kind->group, left);
	content->left += left;
}

static void clear(struct hub *hub, const char *space, struct content *content)
{
	size_t count = 0;
	const struct stint_kind *const *kinds = stint_schema_kinds(hub->api->schema, &count);
	clear_kind(hub, hub->pod_kind, space, content);
	for (size_t i = 0; i < count; i++) {
		const struct stint_kind *kind = kinds[i];
		if (kind->plural && kind->namespaced && !kind->virtual_create && !kind->removed && kind != hub->pod_kind &&
			stint_store_home(hub->api->store, kind) == kind)
			clear_kind(hub, kind, space, content);
	}
}

static void put_conditions(struct stint_json *status, const struct content *content, int64_t now_ms)
{
	static const struct {
		const char *type, *reason, *message;
	} fine[] = {
		{"NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"},
		{"NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"},
		{"NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"},
	};
	for (size_t i = 0; i < STINT_COUNT(fine); i++)
		condition_update(status, fine[i].type, "False", fine[i].reason, fine[i].message, now_ms);
	stint_autofree char *message = stint_format("Some resources are remaining: %s", content->kinds.data ? content->kinds.data : "");
	condition_update(status, "NamespaceContentRemaining", content->left > 0 ? "True" : "False",
		content->left > 0 ? "SomeResourcesRemain" : "ContentRemoved",
		content->left > 0 ? message : "All content successfully removed", now_ms);
	bool finalizers = stint_map_count(content->finalizers) > 0;
	stint_autofree char *list = finalizers_sentence(content);
	stint_autofree char *sentence = stint_format("Some content in the namespace has finalizers remaining: %s", list);
	condition_update(status, "NamespaceFinalizersRemaining", finalizers ? "True" : "False",
		finalizers ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
		finalizers ? sentence : "All content-preserving finalizers finished", now_ms);
	stint_json_each(condition, stint_json_get(status, "conditions"))
		stint_json_remove(condition, "lastUpdateTime");
}

static bool take_finalizer_off(void *user, struct stint_json *object)
{
	(void)user;
	struct stint_json *finalizers = stint_json_at(object, "spec", "finalizers");
	stint_json_each(finalizer, finalizers) {
		if (strcmp(stint_json_string_or(finalizer, ""), "kubernetes") == 0) {
			stint_json_unlink(finalizers, finalizer);
			return true;
		}
	}
	return false;
}

static void end(struct hub *hub, const struct stint_json *object, const char *name)
{
	struct content content = {.finalizers = stint_map_new(free)};
	clear(hub, name, &content);
	struct stint_json *status = stint_json_dup(stint_json_get(object, "status"));
	put_conditions(status, &content, stint_now_ms());
	const char *since = stint_json_string_at(object, "metadata", "deletionTimestamp");
	int64_t since_ms = 0;
	bool early = stint_time_parse(since, strlen(since), &since_ms) && stint_now_ms() - since_ms < LEAST_END_MS;
	if (content.left > 0 || early) {
		hub_write_status(hub, &namespace_controller, object, status);
		hub_wake(hub, &namespace_controller, "", name, LOOK_AGAIN_MS);
	} else {
		stint_json_free(status);
		struct stint_api_call call = {
			.kind = hub->namespace_kind, .name = name, .subresource = "finalize", .manager = "kube-controller-manager"};
		stint_api_change(hub->api, &call, take_finalizer_off, NULL, NULL, NULL);
	}
	stint_buf_free(&content.kinds);
	stint_map_free(content.finalizers);
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	(void)space;
	stint_auto_json *object = hub_read(hub, &namespace_controller, "", name);
	if (!object)
		return;
	if (stint_json_at(object, "metadata", "deletionTimestamp"))
		end(hub, object, name);
	else
		furnish(hub, name);
}

/* Something went from a namespace: a dying one may be empty now, a living one gets its furniture back. */
void namespace_event(struct hub *hub, const struct stint_store_event *event)
{
	if (event->now || !event->before->space[0])
		return;
	const struct stint_stored *gone = event->before;
	const struct stint_stored *space = stint_store_get(hub->api->store, hub->namespace_kind, NULL, gone->space);
	bool furniture = (gone->kind == hub->account_kind && strcmp(gone->name, account_name) == 0) ||
		(gone->kind == hub->config_kind && strcmp(gone->name, config_name) == 0);
	if (space && (space->deleting || furniture))
		hub_wake(hub, &namespace_controller, "", gone->space, 0);
}

const struct controller namespace_controller = {.name = "namespace-controller", .api_version = "v1", .kind = "Namespace", .sync = sync};
