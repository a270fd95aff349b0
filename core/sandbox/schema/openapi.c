/*
 * OpenAPI documents, made from the same types: version 3 by group and version, and version 2 of everything. What kubectl explain and
 * kubectl's validation read is complete; operations carry what clients look for (their kind, and the parameters of a write).
 */
#include "core/sandbox/schema/types.h"

#include <stdlib.h>
#include <string.h>

#define META "io.k8s.apimachinery.pkg.apis.meta.v1."
#define QUANTITY "io.k8s.apimachinery.pkg.api.resource.Quantity"
#define INT_OR_STRING "io.k8s.apimachinery.pkg.util.intstr.IntOrString"

struct writer {
	const struct stint_schema *schema;
	struct stint_json *schemas; /* name -> schema */
	const char *prefix; /* of references: "#/components/schemas/" or "#/definitions/" */
	bool version_2;
};

/* ---- types -------------------------------------------------------------------------------------------------------------------------- */

static void write_type(struct writer *w, const struct stint_type *type);

static void set_strings(struct stint_json *object, const char *key, const char *const *words)
{
	struct stint_json *list = stint_json_set(object, key, stint_json_new_array());
	for (; *words; words++)
		stint_json_append(list, stint_json_new_string(*words));
}

static void write_scalar_type(struct writer *w, const char *name, const char *format, const char *description)
{
	if (stint_json_get(w->schemas, name))
		return;
	struct stint_json *node = stint_json_set(w->schemas, name, stint_json_new_object());
	stint_json_set_string(node, "description", description);
	stint_json_set_string(node, "type", "string");
	if (format)
		stint_json_set_string(node, "format", format);
}

static void set_reference(struct writer *w, struct stint_json *node, const char *name)
{
	stint_autofree char *reference = stint_format("%s%s", w->prefix, name);
	if (w->version_2) {
		stint_json_set_string(node, "$ref", reference);
		return;
	}
	struct stint_json *all = stint_json_set(node, "allOf", stint_json_new_array());
	stint_json_set_string(stint_json_append(all, stint_json_new_object()), "$ref", reference);
}

static void set_rules(struct stint_json *node, const struct stint_type *type)
{
	const struct type_rules *rules = type->rules;
	if (type->nullable)
		stint_json_set_bool(node, "nullable", true);
	if (!rules)
		return;
	if (rules->one_of)
		set_strings(node, "enum", rules->one_of);
	else if (stint_json_get(rules->schema, "enum"))
		stint_json_set(node, "enum", stint_json_dup(stint_json_get(rules->schema, "enum")));
	if (rules->has_min)
		stint_json_set_double(node, "minimum", rules->min);
	if (rules->has_max)
		stint_json_set_double(node, "maximum", rules->max);
	if (rules->pattern)
		stint_json_set_string(node, "pattern", rules->pattern);
	const char *words[] = {type->form == FORM_LIST ? "minItems"
			: type->form == FORM_STRING    ? "minLength"
						       : "minProperties",
		type->form == FORM_LIST		    ? "maxItems"
			: type->form == FORM_STRING ? "maxLength"
						    : "maxProperties"};
	if (rules->min_length >= 0)
		stint_json_set_int(node, words[0], rules->min_length);
	if (rules->max_length >= 0)
		stint_json_set_int(node, words[1], rules->max_length);
}

static void set_members(struct writer *w, struct stint_json *node, const struct stint_type *type);

/* Says what a value of this type is; a description that is there already stays. */
static void set_type(struct writer *w, struct stint_json *node, const struct stint_type *type)
{
	static const struct {
		const char *type, *format;
	} plain[] = {
		[FORM_STRING] = {"string", NULL},
		[FORM_DURATION] = {"string", NULL},
		[FORM_BYTES] = {"string", "byte"},
		[FORM_BOOL] = {"boolean", NULL},
		[FORM_NUMBER] = {"number", "double"},
		[FORM_INT] = {"integer", NULL},
	};
	switch (type->form) {
	case FORM_QUANTITY:
		write_scalar_type(w, QUANTITY, NULL, "An amount: a number with a suffix such as m, k, M, G or Ki, Mi, Gi");
		set_reference(w, node, QUANTITY);
		break;
	case FORM_INT_OR_STRING:
		write_scalar_type(w, INT_OR_STRING, "int-or-string", "A number, or a text such as a percentage or the name of a port");
		set_reference(w, node, INT_OR_STRING);
		break;
	case FORM_TIME:
		write_scalar_type(w, META "Time", "date-time", "A time as RFC 3339 writes it, in seconds");
		set_reference(w, node, META "Time");
		break;
	case FORM_MICRO_TIME:
		write_scalar_type(w, META "MicroTime", "date-time", "A time as RFC 3339 writes it, in microseconds");
		set_reference(w, node, META "MicroTime");
		break;
	case FORM_ANY:
		stint_json_set_string(node, "type", "object");
		if (type->custom)
			stint_json_set_bool(node, "x-kubernetes-preserve-unknown-fields", true);
		break;
	case FORM_MAP:
		stint_json_set_string(node, "type", "object");
		set_type(w, stint_json_set(node, "additionalProperties", stint_json_new_object()), type->item);
		break;
	case FORM_LIST:
		stint_json_set_string(node, "type", "array");
		set_type(w, stint_json_set(node, "items", stint_json_new_object()), type->item);
		stint_json_set_string(node, "x-kubernetes-list-type",
			type->topology == LIST_MAP	     ? "map"
				: type->topology == LIST_SET ? "set"
							     : "atomic");
		if (type->topology == LIST_MAP)
			set_strings(node, "x-kubernetes-list-map-keys", type->keys);
		break;
	case FORM_OBJECT:
		if (type->name) {
			write_type(w, type);
			set_reference(w, node, type->name);
		} else {
			stint_json_set_string(node, "type", "object");
			set_members(w, node, type);
		}
		break;
	default:
		stint_json_set_string(node, "type", plain[type->form].type);
		if (plain[type->form].format)
			stint_json_set_string(node, "format", plain[type->form].format);
		if (type->form == FORM_INT)
			stint_json_set_string(node, "format", type->bits == 32 ? "int32" : "int64");
	}
	if (type->atomic && type->form == FORM_MAP)
		stint_json_set_string(node, "x-kubernetes-map-type", "atomic");
	set_rules(node, type);
}

static void set_field(struct writer *w, struct stint_json *properties, const struct type_field *field)
{
	struct stint_json *node = stint_json_set(properties, field->name, stint_json_new_object());
	if (field->description)
		stint_json_set_string(node, "description", field->description);
	set_type(w, node, field->type);
	if (field->otherwise && stint_json_type(field->otherwise) != STINT_JSON_OBJECT)
		stint_json_set(node, "default", stint_json_dup(field->otherwise));
	if (field->merge_key)
		stint_json_set_string(node, "x-kubernetes-patch-merge-key", field->merge_key);
	if (field->merge || field->retain_keys)
		stint_json_set_string(node, "x-kubernetes-patch-strategy",
			!field->retain_keys    ? "merge"
				: field->merge ? "merge,retainKeys"
					       : "retainKeys");
}

static void set_members(struct writer *w, struct stint_json *node, const struct stint_type *type)
{
	bool any_required = false;
	for (size_t i = 0; i < type->field_count; i++)
		any_required |= type->fields[i].required;
	if (any_required) {
		struct stint_json *required = stint_json_set(node, "required", stint_json_new_array());
		for (size_t i = 0; i < type->field_count; i++)
			if (type->fields[i].required)
				stint_json_append(required, stint_json_new_string(type->fields[i].name));
	}
	if (type->keeps_unknown)
		stint_json_set_bool(node, "x-kubernetes-preserve-unknown-fields", true);
	if (!type->field_count && !type->has_kind)
		return;
	struct stint_json *properties = stint_json_set(node, "properties", stint_json_new_object());
	if (type->has_kind) {
		static const char *const words[][2] = {{"apiVersion", "The group and version that this form of the object belongs to"},
			{"kind", "What kind of object this is"}};
		for (size_t i = 0; i < STINT_COUNT(words); i++) {
			struct stint_json *member = stint_json_set(properties, words[i][0], stint_json_new_object());
			stint_json_set_string(member, "description", words[i][1]);
			stint_json_set_string(member, "type", "string");
		}
	}
	for (size_t i = 0; i < type->field_count; i++)
		set_field(w, properties, &type->fields[i]);
}

static void write_type(struct writer *w, const struct stint_type *type)
{
	if (stint_json_get(w->schemas, type->name))
		return;
	struct stint_json *node = stint_json_set(w->schemas, type->name, stint_json_new_object());
	if (type->description)
		stint_json_set_string(node, "description", type->description);
	stint_json_set_string(node, "type", "object");
	set_members(w, node, type);
	if (type->atomic)
		stint_json_set_string(node, "x-kubernetes-map-type", "atomic");
}

static struct stint_json *kind_of(const struct stint_kind *kind, const char *name)
{
	struct stint_json *gvk = stint_json_new_object();
	stint_json_set_string(gvk, "group", kind->group);
	stint_json_set_string(gvk, "kind", name);
	stint_json_set_string(gvk, "version", kind->version);
	return gvk;
}

static void mark_kind(struct stint_json *node, const struct stint_kind *kind, const char *name)
{
	stint_json_append(stint_json_ensure_array(node, "x-kubernetes-group-version-kind"), kind_of(kind, name));
}

static void write_list(struct writer *w, const struct stint_kind *kind)
{
	stint_autofree char *name =
		stint_format("%.*s%s", (int)(strlen(kind->schema_name) - strlen(kind->kind)), kind->schema_name, kind->list_kind);
	struct stint_json *node = stint_json_set(w->schemas, name, stint_json_new_object());
	stint_autofree char *description = stint_format("A list of %s objects", kind->kind);
	stint_json_set_string(node, "description", description);
	stint_json_set_string(node, "type", "object");
	struct stint_json *required = stint_json_set(node, "required", stint_json_new_array());
	stint_json_append(required, stint_json_new_string("items"));
	struct stint_json *properties = stint_json_set(node, "properties", stint_json_new_object());
	static const char *const words[] = {"apiVersion", "kind"};
	for (size_t i = 0; i < STINT_COUNT(words); i++)
		stint_json_set_string(stint_json_set(properties, words[i], stint_json_new_object()), "type", "string");
	struct stint_json *items = stint_json_set(properties, "items", stint_json_new_object());
	stint_json_set_string(items, "type", "array");
	set_reference(w, stint_json_set(items, "items", stint_json_new_object()), kind->schema_name);
	const struct stint_type *metadata = stint_map_get(w->schema->types, META "ListMeta");
	struct stint_json *meta = stint_json_set(properties, "metadata", stint_json_new_object());
	if (metadata)
		set_type(w, meta, metadata);
	mark_kind(node, kind, kind->list_kind);
}

/* ---- paths ----------------------------------------------------------------------------------------------------------------------------- */

static void add_parameter(struct writer *w, struct stint_json *list, const char *name, const char *description)
{
	struct stint_json *parameter = stint_json_append(list, stint_json_new_object());
	stint_json_set_string(parameter, "name", name);
	stint_json_set_string(parameter, "in", "query");
	stint_json_set_string(parameter, "description", description);
	if (w->version_2) {
		stint_json_set_string(parameter, "type", "string");
		stint_json_set_bool(parameter, "uniqueItems", true);
	} else {
		stint_json_set_string(stint_json_set(parameter, "schema", stint_json_new_object()), "type", "string");
	}
}

static void set_response(struct writer *w, struct stint_json *operation, const char *schema_name)
{
	struct stint_json *reply = stint_json_ensure_object(stint_json_ensure_object(operation, "responses"), "200");
	stint_json_set_string(reply, "description", "OK");
	stint_autofree char *reference = stint_format("%s%s", w->prefix, schema_name);
	struct stint_json *node =
		w->version_2 ? reply : stint_json_ensure_object(stint_json_ensure_object(reply, "content"), "application/json");
	stint_json_set_string(stint_json_ensure_object(node, "schema"), "$ref", reference);
}

static void add_operation(
	struct writer *w, struct stint_json *path, const char *method, const char *action, const struct stint_kind *kind, bool namespaced)
{
	struct stint_json *operation = stint_json_set(path, method, stint_json_new_object());
	stint_autofree char *id = stint_format("%s%s%s", action, namespaced ? "Namespaced" : "", kind->kind);
	stint_json_set_string(operation, "operationId", id);
	stint_json_set_string(operation, "x-kubernetes-action", action);
	stint_json_set(operation, "x-kubernetes-group-version-kind", kind_of(kind, kind->kind));
	struct stint_json *parameters = stint_json_set(operation, "parameters", stint_json_new_array());
	if (strcmp(method, "get") != 0) {
		add_parameter(w, parameters, "dryRun", "All: the write is checked and not stored");
		if (strcmp(method, "delete") != 0) {
			add_parameter(w, parameters, "fieldManager", "Name of who writes, for the record of who set which field");
			add_parameter(w, parameters, "fieldValidation", "What an unknown field is: Ignore, Warn or Strict");
		}
	}
	if (strcmp(method, "patch") == 0)
		add_parameter(w, parameters, "force", "Apply takes over fields of other managers");
	set_response(w, operation, kind->schema_name);
}

static void write_paths(struct writer *w, struct stint_json *paths, const struct stint_kind *kind)
{
	if (!kind->plural)
		return;
	stint_autofree char *root = *kind->group ? stint_format("/apis/%s", kind->api_version) : stint_format("/api/%s", kind->version);
	stint_autofree char *collection = kind->namespaced ? stint_format("%s/namespaces/{namespace}/%s", root, kind->plural)
							   : stint_format("%s/%s", root, kind->plural);
	struct stint_json *path = stint_json_set(paths, collection, stint_json_new_object());
	add_operation(w, path, "post", "create", kind, kind->namespaced);
	if (kind->virtual_create)
		return;
	add_operation(w, path, "get", "list", kind, kind->namespaced);
	stint_autofree char *item = stint_format("%s/{name}", collection);
	path = stint_json_set(paths, item, stint_json_new_object());
	add_operation(w, path, "get", "read", kind, kind->namespaced);
	add_operation(w, path, "put", "replace", kind, kind->namespaced);
	add_operation(w, path, "patch", "patch", kind, kind->namespaced);
	add_operation(w, path, "delete", "delete", kind, kind->namespaced);
	if (!kind->namespaced)
		return;
	stint_autofree char *everywhere = stint_format("%s/%s", root, kind->plural);
	path = stint_json_set(paths, everywhere, stint_json_new_object());
	add_operation(w, path, "get", "list", kind, false);
}

static void write_kind(struct writer *w, struct stint_json *paths, const struct stint_kind *kind)
{
	write_type(w, kind->type);
	mark_kind(stint_json_get(w->schemas, kind->schema_name), kind, kind->kind);
	if (kind->plural && !kind->virtual_create)
		write_list(w, kind);
	write_paths(w, paths, kind);
}

/* ---- documents -------------------------------------------------------------------------------------------------------------------------- */

/* "api/v1", "apis/apps/v1" */
static char *document_path(const struct stint_kind *kind)
{
	return *kind->group ? stint_format("apis/%s", kind->api_version) : stint_format("api/%s", kind->version);
}

static struct stint_json *new_document(const char *key, const char *version)
{
	struct stint_json *document = stint_json_new_object();
	stint_json_set_string(document, key, version);
	struct stint_json *info = stint_json_set(document, "info", stint_json_new_object());
	stint_json_set_string(info, "title", "Kubernetes");
	stint_json_set_string(info, "version", "v1.34.4");
	return document;
}

struct stint_json *stint_openapi_index(const struct stint_schema *schema)
{
	struct stint_json *index = stint_json_new_object();
	struct stint_json *paths = stint_json_set(index, "paths", stint_json_new_object());
	for (size_t i = 0; i < schema->kind_count; i++) {
		const struct stint_kind *kind = schema->kinds[i];
		stint_autofree char *path = document_path(kind);
		if (kind->removed || !kind->plural || stint_json_get(paths, path))
			continue;
		/* What is made later (custom kinds) is part of the hash by its count: definitions are only ever added. */
		stint_autofree char *seed = stint_format("%s %s %zu", schema->fingerprint, path, stint_json_count(schema->kept));
		char hash[65];
		stint_sha256_hex(seed, strlen(seed), hash);
		stint_autofree char *url = stint_format("/openapi/v3/%s?hash=%s", path, hash);
		stint_json_set_string(stint_json_set(paths, path, stint_json_new_object()), "serverRelativeURL", url);
	}
	return index;
}

struct stint_json *stint_openapi_v3(const struct stint_schema *schema, const char *group_version_path)
{
	stint_auto_json *document = new_document("openapi", "3.0.0");
	struct stint_json *paths = stint_json_set(document, "paths", stint_json_new_object());
	struct stint_json *components = stint_json_set(document, "components", stint_json_new_object());
	struct writer w = {.schema = schema,
		.schemas = stint_json_set(components, "schemas", stint_json_new_object()),
		.prefix = "#/components/schemas/"};
	bool any = false;
	for (size_t i = 0; i < schema->kind_count; i++) {
		stint_autofree char *path = document_path(schema->kinds[i]);
		if (schema->kinds[i]->removed || strcmp(path, group_version_path) != 0)
			continue;
		write_kind(&w, paths, schema->kinds[i]);
		any |= schema->kinds[i]->plural != NULL;
	}
	return any ? stint_steal(&document) : NULL;
}

struct stint_json *stint_openapi_v2(const struct stint_schema *schema)
{
	struct stint_json *document = new_document("swagger", "2.0");
	struct stint_json *paths = stint_json_set(document, "paths", stint_json_new_object());
	struct writer w = {.schema = schema,
		.schemas = stint_json_set(document, "definitions", stint_json_new_object()),
		.prefix = "#/definitions/",
		.version_2 = true};
	for (size_t i = 0; i < schema->kind_count; i++)
		if (!schema->kinds[i]->removed)
			write_kind(&w, paths, schema->kinds[i]);
	return document;
}
