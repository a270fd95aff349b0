/*
 * Discovery: which groups, versions, kinds, verbs and subresources there are, in the plain and in the aggregated form, and the documents
 * beside them: /version, the index of paths, OpenAPI. All of it is made from the schema's table of kinds.
 */
#include "rest.h"

#include <string.h>

#define SERVED_VERSION "v1.34.4"

static const char *const object_verbs[] = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch", NULL};
static const char *const create_verbs[] = {"create", NULL};
static const char *const state_verbs[] = {"get", "patch", "update", NULL};
static const char *const get_verbs[] = {"get", NULL};
static const char *const update_verbs[] = {"update", NULL};
static const char *const stream_verbs[] = {"create", "get", NULL};

/* kind NULL: the resource's own. */
static const struct subresource {
	unsigned bit;
	const char *name;
	const char *kind, *group, *version;
	const char *const *verbs;
} subresources[] = {
	{STINT_SUB_EXEC, "attach", "PodAttachOptions", "", "v1", stream_verbs},
	{STINT_SUB_APPROVAL, "approval", NULL, NULL, NULL, state_verbs},
	{STINT_SUB_BINDING, "binding", "Binding", "", "v1", create_verbs},
	{STINT_SUB_EPHEMERAL, "ephemeralcontainers", NULL, NULL, NULL, state_verbs},
	{STINT_SUB_EVICTION, "eviction", "Eviction", "policy", "v1", create_verbs},
	{STINT_SUB_EXEC, "exec", "PodExecOptions", "", "v1", stream_verbs},
	{STINT_SUB_FINALIZE, "finalize", NULL, NULL, NULL, update_verbs},
	{STINT_SUB_LOG, "log", NULL, NULL, NULL, get_verbs},
	{STINT_SUB_EXEC, "portforward", "PodPortForwardOptions", "", "v1", stream_verbs},
	{STINT_SUB_RESIZE, "resize", NULL, NULL, NULL, state_verbs},
	{STINT_SUB_SCALE, "scale", "Scale", "autoscaling", "v1", state_verbs},
	{STINT_SUB_STATUS, "status", NULL, NULL, NULL, state_verbs},
	{STINT_SUB_TOKEN, "token", "TokenRequest", "authentication.k8s.io", "v1", create_verbs},
};

static void set_words(struct stint_json *object, const char *key, const char *const *words)
{
	if (!words || !*words)
		return;
	for (struct stint_json *array = stint_json_ensure_array(object, key); *words; words++)
		stint_json_append(array, stint_json_new_string(*words));
}

static bool is_served(const struct stint_kind *kind, const char *group, const char *version)
{
	return !kind->removed && kind->plural && (!group || strcmp(kind->group, group) == 0) &&
		(!version || strcmp(kind->version, version) == 0);
}

/* Calls back for the first kind of each (group, version), in the order of the table. */
static void each_version(const struct rest *rest, const char *group, void (*take)(void *user, const struct stint_kind *kind), void *user)
{
	size_t count;
	const struct stint_kind *const *kinds = stint_schema_kinds(rest->api->schema, &count);

	for (size_t i = 0; i < count; i++) {
		bool seen = false;

		if (!is_served(kinds[i], group, NULL))
			continue;
		for (size_t j = 0; j < i && !seen; j++)
			seen = is_served(kinds[j], kinds[i]->group, kinds[i]->version);
		if (!seen)
			take(user, kinds[i]);
	}
}

/* ---- plain ------------------------------------------------------------------------------------------------------------------------- */

static struct stint_json *new_document(const char *kind, const char *api_version)
{
	struct stint_json *document = stint_json_new_object();

	stint_json_set_string(document, "kind", kind);
	if (api_version)
		stint_json_set_string(document, "apiVersion", api_version);
	return document;
}

static void serve_api(struct rest *rest)
{
	stint_auto_json *document = new_document("APIVersions", NULL);
	struct stint_json *address =
		stint_json_append(stint_json_ensure_array(document, "serverAddressByClientCIDRs"), stint_json_new_object());
	const char *host = stint_httpd_header(rest->http, "Host");

	stint_json_append(stint_json_ensure_array(document, "versions"), stint_json_new_string("v1"));
	stint_json_set_string(address, "clientCIDR", "0.0.0.0/0");
	stint_json_set_string(address, "serverAddress", host ? host : "127.0.0.1");
	rest_reply_json(rest, 200, document);
}

/* Finds the group in a list of APIGroups or makes it, and adds the version; the first one is preferred. */
static void add_version(void *user, const struct stint_kind *kind)
{
	struct stint_json *groups = user, *group = NULL, *version;

	if (!*kind->group)
		return;
	stint_json_each(each, groups) {
		if (strcmp(stint_json_string_or(stint_json_get(each, "name"), ""), kind->group) == 0)
			group = each;
	}
	if (!group) {
		group = stint_json_append(groups, stint_json_new_object());
		stint_json_set_string(group, "name", kind->group);
	}
	version = stint_json_append(stint_json_ensure_array(group, "versions"), stint_json_new_object());
	stint_json_set_string(version, "groupVersion", kind->api_version);
	stint_json_set_string(version, "version", kind->version);
	if (!stint_json_get(group, "preferredVersion"))
		stint_json_set(group, "preferredVersion", stint_json_dup(version));
}

static void serve_groups(struct rest *rest)
{
	stint_auto_json *document = new_document("APIGroupList", "v1");

	each_version(rest, NULL, add_version, stint_json_ensure_array(document, "groups"));
	rest_reply_json(rest, 200, document);
}

static bool serve_group(struct rest *rest, const char *name)
{
	stint_auto_json *groups = stint_json_new_array();
	stint_auto_json *document = new_document("APIGroup", "v1");
	struct stint_json *group;

	each_version(rest, name, add_version, groups);
	group = stint_json_first(groups);
	if (!group)
		return false;
	stint_json_each(member, group)
		stint_json_set(document, stint_json_key(member), stint_json_dup(member));
	rest_reply_json(rest, 200, document);
	return true;
}

static void add_subresource(struct stint_json *resources, const struct stint_kind *kind, const struct subresource *sub)
{
	struct stint_json *resource = stint_json_append(resources, stint_json_new_object());
	stint_autofree char *name = stint_format("%s/%s", kind->plural, sub->name);

	stint_json_set_string(resource, "name", name);
	stint_json_set_string(resource, "singularName", "");
	stint_json_set_bool(resource, "namespaced", kind->namespaced);
	if (sub->kind && (strcmp(sub->group, kind->group) != 0 || strcmp(sub->version, kind->version) != 0)) {
		stint_json_set_string(resource, "group", sub->group);
		stint_json_set_string(resource, "version", sub->version);
	}
	stint_json_set_string(resource, "kind", sub->kind ? sub->kind : kind->kind);
	set_words(resource, "verbs", sub->verbs);
}

static void add_resource(struct stint_json *resources, const struct stint_kind *kind)
{
	struct stint_json *resource = stint_json_append(resources, stint_json_new_object());

	stint_json_set_string(resource, "name", kind->plural);
	stint_json_set_string(resource, "singularName", kind->singular);
	stint_json_set_bool(resource, "namespaced", kind->namespaced);
	stint_json_set_string(resource, "kind", kind->kind);
	set_words(resource, "verbs", kind->virtual_create ? create_verbs : object_verbs);
	set_words(resource, "shortNames", kind->short_names);
	set_words(resource, "categories", kind->categories);
	for (size_t i = 0; i < STINT_COUNT(subresources); i++) {
		if (kind->subresources & subresources[i].bit)
			add_subresource(resources, kind, &subresources[i]);
	}
}

static void serve_resources(struct rest *rest, const char *group, const char *version)
{
	size_t count;
	const struct stint_kind *const *kinds = stint_schema_kinds(rest->api->schema, &count);
	stint_auto_json *document = new_document("APIResourceList", "v1");
	struct stint_json *resources;

	stint_autofree char *group_version = stint_format("%s%s%s", group, *group ? "/" : "", version);

	stint_json_set_string(document, "groupVersion", group_version);
	resources = stint_json_ensure_array(document, "resources");
	for (size_t i = 0; i < count; i++) {
		if (is_served(kinds[i], group, version))
			add_resource(resources, kinds[i]);
	}
	if (stint_json_first(resources))
		rest_reply_json(rest, 200, document);
	else
		rest_reply_status(
			rest, stint_status_new(404, "NotFound", NULL, "", NULL, "the server could not find the requested resource"));
}

/* ---- aggregated ------------------------------------------------------------------------------------------------------------------------ */

static void set_response_kind(struct stint_json *object, const char *group, const char *version, const char *name)
{
	struct stint_json *kind = stint_json_ensure_object(object, "responseKind");

	stint_json_set_string(kind, "group", group);
	stint_json_set_string(kind, "version", version);
	stint_json_set_string(kind, "kind", name);
}

static struct stint_json *aggregated_resource(const struct stint_kind *kind)
{
	struct stint_json *resource = stint_json_new_object();

	stint_json_set_string(resource, "resource", kind->plural);
	set_response_kind(resource, kind->group, kind->version, kind->kind);
	stint_json_set_string(resource, "scope", kind->namespaced ? "Namespaced" : "Cluster");
	stint_json_set_string(resource, "singularResource", kind->singular);
	set_words(resource, "verbs", kind->virtual_create ? create_verbs : object_verbs);
	set_words(resource, "shortNames", kind->short_names);
	set_words(resource, "categories", kind->categories);
	for (size_t i = 0; i < STINT_COUNT(subresources); i++) {
		const struct subresource *sub = &subresources[i];
		struct stint_json *added;

		if (!(kind->subresources & sub->bit))
			continue;
		added = stint_json_append(stint_json_ensure_array(resource, "subresources"), stint_json_new_object());
		stint_json_set_string(added, "subresource", sub->name);
		if (sub->kind)
			set_response_kind(added, sub->group, sub->version, sub->kind);
		else
			set_response_kind(added, kind->group, kind->version, kind->kind);
		set_words(added, "verbs", sub->verbs);
	}
	return resource;
}

struct aggregation {
	const struct rest *rest;
	struct stint_json *items;
	bool core;
};

static void add_aggregated(void *user, const struct stint_kind *first)
{
	struct aggregation *all = user;
	struct stint_json *group = NULL, *version;
	size_t count;
	const struct stint_kind *const *kinds = stint_schema_kinds(all->rest->api->schema, &count);

	if (all->core != !*first->group)
		return;
	stint_json_each(each, all->items) {
		if (strcmp(stint_json_string_or(stint_json_at(each, "metadata", "name"), ""), first->group) == 0)
			group = each;
	}
	if (!group) {
		group = stint_json_append(all->items, stint_json_new_object());
		stint_json_set_string(stint_json_ensure_object(group, "metadata"), "name", first->group);
		stint_json_set(stint_json_get(group, "metadata"), "creationTimestamp", stint_json_new_null());
	}
	version = stint_json_append(stint_json_ensure_array(group, "versions"), stint_json_new_object());
	stint_json_set_string(version, "version", first->version);
	for (size_t i = 0; i < count; i++) {
		if (is_served(kinds[i], first->group, first->version))
			stint_json_append(stint_json_ensure_array(version, "resources"), aggregated_resource(kinds[i]));
	}
	stint_json_set_string(version, "freshness", "Current");
}

static void serve_aggregated(struct rest *rest, bool core)
{
	stint_autofree char *api_version = stint_format("apidiscovery.k8s.io/%s", rest->form.version);
	stint_autofree char *type =
		stint_format("application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList", rest->form.version);
	stint_auto_json *document = new_document("APIGroupDiscoveryList", api_version);
	struct aggregation all = {.rest = rest, .core = core};
	struct stint_buf text = {0};
	size_t length;

	stint_json_ensure_object(document, "metadata");
	all.items = stint_json_ensure_array(document, "items");
	each_version(rest, NULL, add_aggregated, &all);
	stint_json_print_to(&text, document);
	length = text.length;
	rest_reply_text(rest, 200, type, stint_buf_steal(&text), length);
}

/* ---- beside it -------------------------------------------------------------------------------------------------------------------------- */

static void serve_version(struct rest *rest)
{
	stint_auto_json *document = stint_json_new_object();

	stint_json_set_string(document, "major", "1");
	stint_json_set_string(document, "minor", "34");
	stint_json_set_string(document, "gitVersion", SERVED_VERSION "+stint");
	stint_json_set_string(document, "gitCommit", "");
	stint_json_set_string(document, "gitTreeState", "clean");
	stint_json_set_string(document, "buildDate", "2026-01-01T00:00:00Z");
	stint_json_set_string(document, "goVersion", "none");
	stint_json_set_string(document, "compiler", "gcc");
	stint_json_set_string(document, "platform", "linux/amd64");
	rest_reply_json(rest, 200, document);
}

static void add_path(void *user, const struct stint_kind *kind)
{
	stint_autofree char *path = stint_format("%s%s", *kind->group ? "/apis/" : "/api/", kind->api_version);

	stint_json_append(user, stint_json_new_string(path));
}

static void serve_paths(struct rest *rest)
{
	static const char *const others[] = {
		"/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version", NULL};
	stint_auto_json *document = stint_json_new_object();

	set_words(document, "paths", others);
	each_version(rest, NULL, add_path, stint_json_get(document, "paths"));
	rest_reply_json(rest, 200, document);
}

static bool serve_openapi(struct rest *rest, char *const *segments, size_t count)
{
	stint_auto_json *document = NULL;
	stint_auto_buf path = {0};

	if (count == 2 && strcmp(segments[1], "v2") == 0)
		document = stint_openapi_v2(rest->api->schema);
	else if (count == 2 && strcmp(segments[1], "v3") == 0)
		document = stint_openapi_index(rest->api->schema);
	else if (count > 3 && strcmp(segments[1], "v3") == 0) {
		for (size_t i = 2; i < count; i++)
			stint_buf_printf(&path, "%s%s", i > 2 ? "/" : "", segments[i]);
		document = stint_openapi_v3(rest->api->schema, path.data);
	}
	if (!document)
		return false;
	rest_reply_json(rest, 200, document);
	return true;
}

bool rest_discovery(struct rest *rest, char *const *segments, size_t count)
{
	bool core = count > 0 && strcmp(segments[0], "api") == 0, groups = count > 0 && strcmp(segments[0], "apis") == 0;
	bool found = true;

	if (count == 0)
		serve_paths(rest);
	else if (strcmp(rest->method, "GET") != 0 && strcmp(rest->method, "HEAD") != 0)
		rest_reply_status(rest,
			stint_status_new(405, "MethodNotAllowed", NULL, "", NULL,
				"the server does not allow this method on the requested resource"));
	else if (count == 1 && (core || groups) && rest->form.as == REST_AS_DISCOVERY)
		serve_aggregated(rest, core);
	else if (count == 1 && core)
		serve_api(rest);
	else if (count == 1 && groups)
		serve_groups(rest);
	else if (count == 2 && core)
		serve_resources(rest, "", segments[1]);
	else if (count == 2 && groups)
		found = serve_group(rest, segments[1]);
	else if (count == 3 && groups && rest_has_group(rest->api, segments[1], NULL))
		serve_resources(rest, segments[1], segments[2]);
	else if (count == 1 && strcmp(segments[0], "version") == 0)
		serve_version(rest);
	else if (strcmp(segments[0], "openapi") == 0)
		found = serve_openapi(rest, segments, count);
	else
		found = false;
	return found;
}
