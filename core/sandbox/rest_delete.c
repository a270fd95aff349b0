/*
 * Deleting over HTTP: one object, or a whole selection. Options come in the body (DeleteOptions) or as query parameters.
 */
#include "rest.h"

#include <stdlib.h>
#include <string.h>

static bool refuse(struct rest *rest, const char *cause, const char *field, const char *message)
{
	struct stint_json *causes = stint_json_new_array();

	stint_cause_add(causes, cause, field, "%s", message);
	rest_reply_status(rest, stint_status_invalid(&(struct stint_kind){.kind = "DeleteOptions", .group = "meta.k8s.io"}, "", causes));
	return false;
}

static bool bad(struct rest *rest, const char *message)
{
	rest_reply_status(rest, stint_status_new(400, "BadRequest", NULL, NULL, NULL, "%s", message));
	return false;
}

static bool read_query(struct rest *rest, struct stint_delete_options *options)
{
	const char *grace = stint_httpd_query(rest->http, "gracePeriodSeconds");

	if (grace && *grace) {
		int64_t seconds;
		stint_auto_json *asked = NULL;

		if (!stint_parse_int(grace, INT64_MIN, INT64_MAX, &seconds)) {
			stint_autofree char *message = stint_format("strconv.ParseInt: parsing \"%s\": invalid syntax", grace);

			return bad(rest, message);
		}
		asked = stint_json_new_int(seconds);
		options->grace_s = stint_delete_grace(asked);
	}
	options->propagation = stint_httpd_query(rest->http, "propagationPolicy");
	if (options->propagation && !*options->propagation)
		options->propagation = NULL;
	if (stint_httpd_query(rest->http, "orphanDependents"))
		options->propagation = rest_flag(rest->http, "orphanDependents") ? "Orphan" : "Background";
	return true;
}

/* A body with DeleteOptions, as a tree that the options then point into. */
static bool read_body(struct rest *rest, struct stint_json **body, struct stint_delete_options *options)
{
	struct stint_slice data = rest_body(rest);
	const struct stint_kind *kind = stint_api_kind(rest->api, "v1", "DeleteOptions");
	stint_autofree char *type = rest_body_type(rest->http);
	struct stint_json *status = NULL;
	bool yaml = strcmp(type, "application/yaml") == 0;

	if (*type && !yaml && strcmp(type, "application/json") != 0) {
		rest_reply_status(rest,
			stint_status_new(415, "UnsupportedMediaType", NULL, "", NULL,
				"the body of the request was in an unknown format - accepted media types include: application/json, "
				"application/yaml"));
		return false;
	}
	*body = stint_schema_read(rest->api->schema, kind, data.data, data.length, yaml, STINT_FIELDS_IGNORE, NULL, &status);
	if (!*body) {
		const char *message = stint_json_string_or(stint_json_get(status, "message"), ""), *cause = strstr(message, "json: ");
		struct stint_json *error = stint_status_new(500, "", NULL, NULL, NULL, "%s", cause ? cause : message);

		stint_json_remove(error, "reason");
		stint_json_free(status);
		rest_reply_status(rest, error);
		return false;
	}
	options->grace_s = stint_delete_grace(stint_json_get(*body, "gracePeriodSeconds"));
	if (stint_json_string_at(*body, "propagationPolicy"))
		options->propagation = stint_json_string_at(*body, "propagationPolicy");
	if (stint_json_get(*body, "orphanDependents")) {
		if (stint_json_string_at(*body, "propagationPolicy"))
			return refuse(rest, "FieldValueInvalid", "propagationPolicy",
				"Invalid value: orphanDependents and deletionPropagation cannot be both set");
		options->propagation = stint_json_bool_or(stint_json_get(*body, "orphanDependents"), false) ? "Orphan" : "Background";
	}
	options->uid = stint_json_string_at(*body, "preconditions", "uid");
	options->resource_version = stint_json_string_at(*body, "preconditions", "resourceVersion");
	stint_json_each(word, stint_json_get(*body, "dryRun")) {
		if (strcmp(stint_json_string_or(word, ""), "All") != 0) {
			stint_autofree char *text = stint_json_print(stint_json_get(*body, "dryRun"));
			stint_autofree char *message = stint_format("Unsupported value: %s: supported values: \"All\"", text);

			return refuse(rest, "FieldValueNotSupported", "dryRun", message);
		}
		rest->call.dry_run = true;
	}
	return true;
}

/* The DeleteOptions of the request. False after having answered. */
static bool read_options(struct rest *rest, struct stint_json **body, struct stint_delete_options *options)
{
	static const char *const policies[] = {"Orphan", "Background", "Foreground"};
	bool known = false;

	*options = (struct stint_delete_options){.grace_s = -1};
	/* A body speaks for itself: query parameters count only without one. */
	if (stint_httpd_body(rest->http).length > 0) {
		if (!read_body(rest, body, options))
			return false;
	} else if (!rest_write_options(rest, "DeleteOptions") || !read_query(rest, options)) {
		return false;
	}
	for (size_t i = 0; options->propagation && i < STINT_COUNT(policies); i++)
		known = known || strcmp(policies[i], options->propagation) == 0;
	if (options->propagation && !known) {
		stint_autofree char *message =
			stint_format("Unsupported value: \"%s\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
				options->propagation);

		return refuse(rest, "FieldValueNotSupported", "propagationPolicy", message);
	}
	return true;
}

static void warn_of_orphans(struct rest *rest, const struct stint_delete_options *options)
{
	static const char text[] =
		"child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
		"set propagationPolicy=Orphan to suppress this warning";

	if (options->propagation || strcmp(rest->route.kind->kind, "Job") != 0 || strcmp(rest->route.kind->group, "batch") != 0)
		return;
	if (!rest->warnings)
		rest->warnings = stint_json_new_array();
	stint_json_append(rest->warnings, stint_json_new_string(text));
}

void rest_delete(struct rest *rest)
{
	struct stint_delete_options options;
	struct stint_json *status = NULL;
	stint_auto_json *body = NULL;
	stint_auto_json *out = NULL;

	if (!read_options(rest, &body, &options))
		return;
	warn_of_orphans(rest, &options);
	if (stint_api_delete(rest->api, &rest->call, &options, &out, &status))
		rest_reply_object(rest, 200, out);
	else
		rest_reply_status(rest, status);
}

/* ---- a selection ------------------------------------------------------------------------------------------------------------------------- */

/* Answers with the list of what was there. */
static void delete_all(struct rest *rest, const struct stint_selector *selector, const struct stint_delete_options *options)
{
	stint_auto_store_list list = {0};
	stint_auto_json *answer = stint_json_new_object();
	struct stint_json *items, *status = NULL;

	stint_store_list(rest->api->store, rest->route.kind, rest->route.space, &list);
	stint_json_set_string(answer, "kind", rest->route.kind->list_kind);
	stint_json_set_string(answer, "apiVersion", rest->route.kind->api_version);
	items = stint_json_ensure_array(answer, "items");
	for (size_t i = 0; i < list.count; i++) {
		struct stint_api_call call = rest->call;

		if (!stint_selector_matches(selector, list.items[i]))
			continue;
		call.space = list.items[i]->space;
		call.name = list.items[i]->name;
		if (!stint_api_delete(rest->api, &call, options, NULL, &status)) {
			if (stint_json_int_or(stint_json_get(status, "code"), 0) != 404) {
				rest_reply_status(rest, status);
				return;
			}
			stint_json_clear(&status);
			continue;
		}

		struct stint_json *item = stint_json_append(items, stint_form_read(rest->route.kind, list.items[i]));

		if (!rest->route.kind->custom) { /* as in every list of a built-in kind */
			stint_json_remove(item, "kind");
			stint_json_remove(item, "apiVersion");
		}
	}
	stint_autofree char *version = stint_format("%llu", (unsigned long long)stint_store_version(rest->api->store));

	stint_json_set_string(stint_json_ensure_object(answer, "metadata"), "resourceVersion", version);
	rest_reply_json(rest, 200, answer);
}

void rest_delete_collection(struct rest *rest)
{
	struct stint_delete_options options;
	stint_auto_selector *selector = NULL;
	stint_auto_json *body = NULL;

	if (rest->route.kind->namespaced && !rest->route.space) {
		rest_reply_status(rest,
			stint_status_new(405, "MethodNotAllowed", NULL, "", NULL,
				"the server does not allow this method on the requested resource"));
		return;
	}
	if (read_options(rest, &body, &options) && rest_selector(rest, &selector))
		delete_all(rest, selector, &options);
}
