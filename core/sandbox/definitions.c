/*
 * CustomResourceDefinitions at work: a definition that was written becomes kinds that are served; one that is deleted takes its objects
 * along first.
 *
 * Driven by the store's events: served a turn of the loop after the write, as a real server does it a moment later. All versions of a kind
 * share the objects, which are stored in the storage version and differ in their apiVersion alone.
 */
#include "definitions.h"

#include <stdlib.h>
#include <string.h>

enum { RECHECK_MS = 200 };

struct stint_definitions {
	struct stint_api *api;
	const struct stint_kind *kind;
	struct stint_subscription *events;
	struct stint_timer *recheck; /* while objects of a definition that goes have finalizers */
};

/* ---- served ----------------------------------------------------------------------------------------------------------------------- */

static const struct stint_kind *kind_of(const struct stint_api *api, const struct stint_json *definition, const char *version)
{
	return stint_schema_resource(api->schema, stint_json_string_or(stint_json_at(definition, "spec", "group"), ""), version,
		stint_json_string_or(stint_json_at(definition, "spec", "names", "plural"), ""));
}

/*
 * Any version of the kind, be it served no more: through each of them all objects are reached. NULL when none was ever served.
 */
static const struct stint_kind *any_version(const struct stint_api *api, const struct stint_json *definition)
{
	const char *group = stint_json_string_or(stint_json_at(definition, "spec", "group"), "");
	const char *plural = stint_json_string_or(stint_json_at(definition, "spec", "names", "plural"), "");
	size_t count;
	const struct stint_kind *const *kinds = stint_schema_kinds(api->schema, &count);

	for (size_t i = 0; i < count; i++) {
		if (kinds[i]->plural && strcmp(kinds[i]->group, group) == 0 && strcmp(kinds[i]->plural, plural) == 0)
			return kinds[i];
	}
	return NULL;
}

static void set_homes(struct stint_api *api, const struct stint_json *definition)
{
	const struct stint_kind *home = NULL;

	stint_json_each(version, stint_json_at(definition, "spec", "versions")) {
		if (stint_json_bool_or(stint_json_get(version, "storage"), false))
			home = kind_of(api, definition, stint_json_string_or(stint_json_get(version, "name"), ""));
	}
	stint_json_each(version, stint_json_at(definition, "spec", "versions")) {
		const struct stint_kind *kind = kind_of(api, definition, stint_json_string_or(stint_json_get(version, "name"), ""));

		if (kind && home)
			stint_store_set_home(api->store, kind, home);
	}
}

static void set_condition(struct stint_json *definition, const char *type, const char *reason, const char *message)
{
	struct stint_json *conditions = stint_json_ensure_array(stint_json_ensure_object(definition, "status"), "conditions"),
			  *condition = NULL;
	char time[STINT_TIME_SIZE];

	stint_json_each(each, conditions) {
		if (strcmp(stint_json_string_or(stint_json_get(each, "type"), ""), type) == 0)
			condition = each;
	}
	if (!condition) {
		condition = stint_json_append(conditions, stint_json_new_object());
		stint_json_set_string(condition, "type", type);
		stint_json_set_string(condition, "status", "True");
		stint_json_set_string(condition, "lastTransitionTime", stint_time_format(stint_now_ms(), time));
	}
	stint_json_set_string(condition, "reason", reason);
	stint_json_set_string(condition, "message", message);
}

static bool set_status(void *user, struct stint_json *definition)
{
	const struct stint_json *names = stint_json_at(definition, "spec", "names");
	struct stint_json *status = stint_json_ensure_object(definition, "status"),
			  *stored = stint_json_ensure_array(status, "storedVersions");

	(void)user;
	set_condition(definition, "NamesAccepted", "NoConflicts", "no conflicts found");
	set_condition(definition, "Established", "InitialNamesAccepted", "the initial names have been accepted");
	if (names)
		stint_json_set(status, "acceptedNames", stint_json_dup(names));
	stint_json_each(version, stint_json_at(definition, "spec", "versions")) {
		const char *name = stint_json_string_or(stint_json_get(version, "name"), "");
		bool known = false;

		stint_json_each(each, stored)
			known = known || strcmp(stint_json_string_or(each, ""), name) == 0;
		if (!known && stint_json_bool_or(stint_json_get(version, "storage"), false))
			stint_json_append(stored, stint_json_new_string(name));
	}
	return true;
}

static void serve(struct stint_definitions *definitions, const struct stint_stored *stored, const struct stint_json *definition)
{
	struct stint_api *api = definitions->api;
	struct stint_api_call call = {
		.kind = definitions->kind, .name = stored->name, .subresource = "status", .manager = "kube-apiserver"};
	stint_auto_json *status = NULL;

	if (!stint_schema_custom_add(api->schema, definition, &status)) {
		stint_log(api->logger, STINT_LOG_WARN, "CustomResourceDefinition %s is not served: %s", stored->name,
			stint_json_string_or(stint_json_get(status, "message"), ""));
		return;
	}
	set_homes(api, definition);
	stint_api_change(api, &call, set_status, NULL, NULL, NULL);
}

/* ---- gone ------------------------------------------------------------------------------------------------------------------------- */

static bool drop_finalizer(void *user, struct stint_json *definition)
{
	struct stint_json *finalizers = stint_json_at(definition, "metadata", "finalizers");

	(void)user;
	for (struct stint_json *item = stint_json_first(finalizers), *next; item; item = next) {
		next = stint_json_next(item);
		if (strcmp(stint_json_string_or(item, ""), STINT_DEFINITION_FINALIZER) == 0)
			stint_json_unlink(finalizers, item);
	}
	return true;
}

/* Deletes what is there of the kind; the definition goes when nothing is left. */
static void clean(struct stint_definitions *definitions, const char *name, const struct stint_json *definition)
{
	struct stint_api *api = definitions->api;
	const struct stint_kind *kind = any_version(api, definition);
	struct stint_api_call call = {.kind = definitions->kind, .name = name, .manager = "kube-apiserver"};
	stint_auto_store_list list = {0};

	if (kind)
		stint_store_list(api->store, kind, NULL, &list);
	for (size_t i = 0; i < list.count; i++)
		stint_api_delete(api, &(struct stint_api_call){.kind = kind, .space = list.items[i]->space, .name = list.items[i]->name},
			NULL, NULL, NULL);
	if (kind && stint_store_count(api->store, kind) > 0)
		stint_timer_set(definitions->recheck, RECHECK_MS);
	else
		stint_api_change(api, &call, drop_finalizer, NULL, NULL, NULL);
}

static void on_recheck(void *user)
{
	struct stint_definitions *definitions = user;
	stint_auto_store_list list = {0};

	stint_store_list(definitions->api->store, definitions->kind, NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		stint_auto_json *definition = list.items[i]->deleting ? stint_stored_parse(list.items[i]) : NULL;

		if (definition)
			clean(definitions, list.items[i]->name, definition);
	}
}

/* Kinds of our own tables stay served whatever becomes of a definition that names them. */
static void unserve(struct stint_definitions *definitions, const struct stint_json *definition)
{
	struct stint_api *api = definitions->api;
	const struct stint_kind *kind = any_version(api, definition);

	stint_schema_custom_remove(api->schema, definition);
	if (kind && kind->removed)
		stint_store_drop(api->store, kind);
}

/* ---- events ----------------------------------------------------------------------------------------------------------------------- */

/* A write of the status alone changes nothing that is served. */
static bool is_news(const struct stint_store_event *event)
{
	return event->type == STINT_STORE_ADDED || event->before->deleting != event->now->deleting ||
		!stint_json_equal(stint_json_get(stint_event_before(event), "spec"), stint_json_get(stint_event_now(event), "spec"));
}

static void on_event(void *user, const struct stint_store_event *event)
{
	struct stint_definitions *definitions = user;

	if (event->type == STINT_STORE_DELETED)
		unserve(definitions, stint_event_before(event));
	else if (event->now->deleting)
		clean(definitions, event->now->name, stint_event_now(event));
	else if (is_news(event))
		serve(definitions, event->now, stint_event_now(event));
}

struct stint_definitions *stint_definitions_new(struct stint_api *api)
{
	struct stint_definitions *definitions = stint_alloc(sizeof(*definitions));

	definitions->api = api;
	definitions->kind = stint_api_kind(api, "apiextensions.k8s.io/v1", "CustomResourceDefinition");
	definitions->recheck = stint_timer_new(api->loop, on_recheck, definitions);
	definitions->events = stint_store_subscribe(api->store, definitions->kind, on_event, definitions);
	return definitions;
}

void stint_definitions_free(struct stint_definitions *definitions)
{
	if (!definitions)
		return;
	stint_store_unsubscribe(definitions->events);
	stint_timer_free(definitions->recheck);
	free(definitions);
}

void stint_definition_terminate(struct stint_json *definition)
{
	struct stint_json *finalizers = stint_json_ensure_array(stint_json_ensure_object(definition, "metadata"), "finalizers");

	stint_json_each(item, finalizers) {
		if (strcmp(stint_json_string_or(item, ""), STINT_DEFINITION_FINALIZER) == 0)
			return;
	}
	stint_json_append(finalizers, stint_json_new_string(STINT_DEFINITION_FINALIZER));
	set_condition(definition, "Terminating", "InstanceDeletionPending",
		"CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon");
}
