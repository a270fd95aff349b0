/*
 * Writing over HTTP: bodies and parameters into calls of api.h.
 */
#include "rest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- parameters -------------------------------------------------------------------------------------------------------------------- */

static bool refuse_option(struct rest *rest, const char *options, const char *cause, const char *field, const char *message)
{
	struct stint_json *causes = stint_json_new_array();

	stint_cause_add(causes, cause, field, "%s", message);
	rest_reply_status(rest, stint_status_invalid(&(struct stint_kind){.kind = options, .group = "meta.k8s.io"}, "", causes));
	return false;
}

static bool read_dry_run(struct rest *rest, const char *options)
{
	const char *name, *value;

	for (size_t at = 0; stint_httpd_query_next(rest->http, &at, &name, &value);) {
		if (strcmp(name, "dryRun") != 0)
			continue;
		if (strcmp(value, "All") != 0) {
			stint_autofree char *message = stint_format("Unsupported value: [\"%s\"]: supported values: \"All\"", value);

			return refuse_option(rest, options, "FieldValueNotSupported", "dryRun", message);
		}
		rest->call.dry_run = true;
	}
	return true;
}

char *rest_manager_name(const char *text, size_t length)
{
	stint_auto_buf name = {0};
	size_t most = REST_MAX_MANAGER;

	stint_utf8_clean(&name, text, length);
	if (name.length > most)
		name.data[stint_utf8_valid(name.data, most)] = '\0';
	return stint_buf_steal(&name);
}

static bool read_manager(struct rest *rest, const char *options)
{
	const char *manager = stint_httpd_query(rest->http, "fieldManager");

	if (!manager || !*manager)
		return true;
	if (strlen(manager) > REST_MAX_MANAGER)
		return refuse_option(rest, options, "FieldValueTooLong", "fieldManager", "Too long: may not be more than 128 bytes");
	for (const char *c = manager; *c; c++) {
		if (iscntrl((unsigned char)*c))
			return refuse_option(rest, options, "FieldValueInvalid", "fieldManager",
				"Invalid value: should only contain printable characters");
	}
	free(rest->manager);
	rest->manager = rest_manager_name(manager, strlen(manager));
	rest->call.manager = rest->manager;
	return true;
}

bool rest_write_options(struct rest *rest, const char *options)
{
	const char *validation = stint_httpd_query(rest->http, "fieldValidation");

	if (!read_dry_run(rest, options) || !read_manager(rest, options))
		return false;
	if (!stint_field_validation_parse(validation, &rest->call.validation)) {
		stint_autofree char *message =
			stint_format("Unsupported value: \"%s\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"", validation);

		return refuse_option(rest, options, "FieldValueNotSupported", "fieldValidation", message);
	}
	return true;
}

/* ---- bodies ------------------------------------------------------------------------------------------------------------------------- */

static bool refuse_type(struct rest *rest, const char *accepted)
{
	rest_reply_status(rest,
		stint_status_new(415, "UnsupportedMediaType", NULL, "", NULL,
			"the body of the request was in an unknown format - accepted media types include: %s", accepted));
	return false;
}

static bool read_type(struct rest *rest, bool *yaml)
{
	stint_autofree char *type = rest_body_type(rest->http);

	*yaml = strcmp(type, "application/yaml") == 0;
	if (*yaml || !*type || strcmp(type, "application/json") == 0)
		return true;
	return refuse_type(rest, "application/json, application/yaml");
}

/* The body as an object of that kind; NULL after having answered. */
static struct stint_json *read_object(struct rest *rest, const struct stint_kind *kind)
{
	struct stint_slice body = rest_body(rest);
	struct stint_json *object, *status = NULL;
	bool yaml;

	if (!read_type(rest, &yaml))
		return NULL;
	object = stint_schema_read(rest->api->schema, kind, body.data, body.length, yaml, rest->call.validation, &rest->warnings, &status);
	if (!object)
		rest_reply_status(rest, status);
	return object;
}

/* ---- verbs ----------------------------------------------------------------------------------------------------------------------------- */

/* The kind of the body that a path takes. */
static const struct stint_kind *body_kind(const struct rest *rest)
{
	const char *subresource = rest->route.subresource;

	if (subresource && strcmp(subresource, "scale") == 0)
		return stint_api_kind(rest->api, "autoscaling/v1", "Scale");
	if (subresource && strcmp(subresource, "binding") == 0)
		return stint_api_kind(rest->api, "v1", "Binding");
	if (subresource && strcmp(subresource, "eviction") == 0)
		return stint_api_kind(rest->api, "policy/v1", "Eviction");
	return rest->route.kind;
}

void rest_create(struct rest *rest)
{
	struct stint_json *object, *status = NULL;
	stint_auto_json *out = NULL;

	if (rest->route.kind->namespaced && !rest->route.space) {
		rest_reply_status(rest,
			stint_status_new(405, "MethodNotAllowed", NULL, "", NULL,
				"the server does not allow this method on the requested resource"));
		return;
	}
	if (!rest_write_options(rest, "CreateOptions"))
		return;
	object = read_object(rest, body_kind(rest));
	if (!object)
		return;
	if (stint_api_create(rest->api, &rest->call, object, &out, &status))
		rest_reply_object(rest, 201, out);
	else
		rest_reply_status(rest, status);
}

void rest_replace(struct rest *rest)
{
	bool existed = stint_store_get(rest->api->store, rest->route.kind, rest->route.space, rest->route.name) != NULL;
	struct stint_json *object, *status = NULL;
	stint_auto_json *out = NULL;

	if (!rest_write_options(rest, "UpdateOptions"))
		return;
	object = read_object(rest, body_kind(rest));
	if (!object)
		return;
	if (stint_api_update(rest->api, &rest->call, object, &out, &status))
		rest_reply_object(rest, existed ? 200 : 201, out);
	else
		rest_reply_status(rest, status);
}

/* ---- patches --------------------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *type;
	enum stint_patch_kind kind;
	bool yaml;
} patch_types[] = {
	{"application/json-patch+json", STINT_PATCH_JSON, false},
	{"application/merge-patch+json", STINT_PATCH_MERGE, false},
	{"application/strategic-merge-patch+json", STINT_PATCH_STRATEGIC, false},
	{"application/apply-patch+yaml", STINT_PATCH_APPLY, true},
};

static bool read_patch_type(struct rest *rest, enum stint_patch_kind *kind, bool *yaml)
{
	stint_autofree char *type = rest_body_type(rest->http);

	for (size_t i = 0; i < STINT_COUNT(patch_types); i++) {
		if (strcmp(patch_types[i].type, type) != 0 || (rest->route.kind->custom && patch_types[i].kind == STINT_PATCH_STRATEGIC))
			continue;
		*kind = patch_types[i].kind;
		*yaml = patch_types[i].yaml;
		return true;
	}
	if (rest->route.kind->custom)
		return refuse_type(rest, "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
	rest_reply_status(rest, stint_status_new(415, "UnsupportedMediaType", NULL, "", NULL, "415: Unsupported Media Type"));
	return false;
}

static bool read_apply_options(struct rest *rest, enum stint_patch_kind kind)
{
	const char *manager = stint_httpd_query(rest->http, "fieldManager");

	rest->call.force = rest_flag(rest->http, "force");
	if (kind != STINT_PATCH_APPLY && stint_httpd_query(rest->http, "force"))
		return refuse_option(
			rest, "PatchOptions", "FieldValueForbidden", "force", "Forbidden: may not be specified for non-apply patch");
	if (kind == STINT_PATCH_APPLY && (!manager || !*manager))
		return refuse_option(
			rest, "PatchOptions", "FieldValueRequired", "fieldManager", "Required value: is required for apply patch");
	return true;
}

static struct stint_json *read_patch(struct rest *rest, bool yaml)
{
	struct stint_slice body = rest_body(rest);
	stint_auto_error *err = NULL;
	stint_auto_json *documents = NULL;
	struct stint_json *patch = NULL;

	if (yaml) {
		documents = stint_yaml_parse("patch", body.data, body.length, &err);
		if (documents && stint_json_count(documents) <= 1)
			patch = stint_json_first(documents) ? stint_json_dup(stint_json_first(documents)) : stint_json_new_object();
	} else {
		patch = stint_json_parse(body.data, body.length, 0, &err);
	}
	if (!patch)
		rest_reply_status(rest,
			stint_status_new(400, "BadRequest", NULL, NULL, NULL, "error decoding patch: %s",
				err ? err->message : "one document is wanted"));
	return patch;
}

void rest_patch(struct rest *rest)
{
	enum stint_patch_kind kind;
	struct stint_json *status = NULL;
	stint_auto_json *patch = NULL;
	stint_auto_json *out = NULL;
	bool yaml, created;

	if (!read_patch_type(rest, &kind, &yaml) || !rest_write_options(rest, "PatchOptions") || !read_apply_options(rest, kind))
		return;
	patch = read_patch(rest, yaml);
	if (!patch)
		return;
	if (stint_api_patch(rest->api, &rest->call, kind, patch, &created, &out, &status))
		rest_reply_object(rest, created ? 201 : 200, out);
	else
		rest_reply_status(rest, status);
}
