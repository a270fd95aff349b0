/*
 * Chooses the verb: which methods a collection, an object and each subresource have, and what they do.
 */
#include "server.h"

#include <stdlib.h>
#include <string.h>

struct method {
	const char *method;
	void (*serve)(struct rest *rest);
};

static void serve_list(struct rest *rest)
{
	if (rest_flag(rest->http, "watch") || rest->route.watch)
		rest_watch(rest);
	else
		rest_list(rest);
}

static void serve_get(struct rest *rest)
{
	if (rest->route.watch)
		rest_watch(rest);
	else
		rest_get(rest);
}

static const struct method collection_methods[] = {
	{"GET", serve_list}, {"HEAD", serve_list}, {"POST", rest_create}, {"DELETE", rest_delete_collection}, {NULL, NULL}};
static const struct method object_methods[] = {
	{"GET", serve_get}, {"HEAD", serve_get}, {"PUT", rest_replace}, {"PATCH", rest_patch}, {"DELETE", rest_delete}, {NULL, NULL}};
static const struct method virtual_methods[] = {{"POST", rest_review}, {NULL, NULL}};
static const struct method state_methods[] = {{"GET", serve_get}, {"PUT", rest_replace}, {"PATCH", rest_patch}, {NULL, NULL}};
static const struct method replace_methods[] = {{"PUT", rest_replace}, {NULL, NULL}};
static const struct method create_methods[] = {{"POST", rest_create}, {NULL, NULL}};
static const struct method token_methods[] = {{"POST", rest_token_request}, {NULL, NULL}};
static const struct method log_methods[] = {{"GET", rest_pod_stream}, {NULL, NULL}};
static const struct method stream_methods[] = {{"GET", rest_pod_stream}, {"POST", rest_pod_stream}, {NULL, NULL}};

static const struct {
	const char *name;
	unsigned bit;
	const struct method *methods;
} subresources[] = {
	{"status", STINT_SUB_STATUS, state_methods},
	{"scale", STINT_SUB_SCALE, state_methods},
	{"finalize", STINT_SUB_FINALIZE, replace_methods},
	{"approval", STINT_SUB_APPROVAL, state_methods},
	{"ephemeralcontainers", STINT_SUB_EPHEMERAL, state_methods},
	{"resize", STINT_SUB_RESIZE, state_methods},
	{"binding", STINT_SUB_BINDING, create_methods},
	{"eviction", STINT_SUB_EVICTION, create_methods},
	{"token", STINT_SUB_TOKEN, token_methods},
	{"log", STINT_SUB_LOG, log_methods},
	{"exec", STINT_SUB_EXEC, stream_methods},
	{"attach", STINT_SUB_EXEC, stream_methods},
	{"portforward", STINT_SUB_EXEC, stream_methods},
};

/* NULL: no such path. */
static const struct method *methods_of(const struct rest_route *route)
{
	if (route->kind->virtual_create)
		return route->name ? NULL : virtual_methods;
	if (!route->name)
		return collection_methods;
	if (!route->subresource)
		return object_methods;
	for (size_t i = 0; i < STINT_COUNT(subresources); i++) {
		if (strcmp(subresources[i].name, route->subresource) == 0)
			return route->kind->subresources & subresources[i].bit ? subresources[i].methods : NULL;
	}
	return NULL;
}

/* Client libraries name themselves "name/version ..." */
static char *manager_of(const struct stint_httpd_request *http)
{
	const char *agent = stint_httpd_header(http, "User-Agent");

	return agent ? rest_manager_name(agent, strcspn(agent, "/")) : stint_strdup("unknown");
}

void rest_serve(struct rest *rest)
{
	const struct method *methods = methods_of(&rest->route);

	if (!methods) {
		rest_reply_status(
			rest, stint_status_new(404, "NotFound", NULL, "", NULL, "the server could not find the requested resource"));
		return;
	}
	rest->manager = manager_of(rest->http);
	rest->call = (struct stint_api_call){
		.kind = rest->route.kind,
		.space = rest->route.space,
		.name = rest->route.name,
		.subresource = rest->route.subresource,
		.manager = rest->manager,
		.user = rest->user->name,
		.warnings = &rest->warnings,
	};
	for (; methods->method; methods++) {
		if (strcmp(methods->method, rest->method) == 0) {
			methods->serve(rest);
			return;
		}
	}
	rest_reply_status(rest,
		stint_status_new(
			405, "MethodNotAllowed", NULL, "", NULL, "the server does not allow this method on the requested resource"));
}
