/*
 * CustomResourceDefinitions: from an openAPIV3Schema to the same types that the tables make, and from a definition to kinds.
 *
 * A type that a definition made lives until the schema is freed: objects, watches and decoders may still point into it.
 */
#include "core/sandbox/schema/types.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

static bool is_set(const struct stint_json *object, const char *key)
{
	return stint_json_bool_or(stint_json_get(object, key), false);
}

static enum type_form form_of(const struct stint_json *node)
{
	const char *type = text_of(node, "type"), *format = text_of(node, "format");
	const struct stint_json *additional = stint_json_get(node, "additionalProperties");
	if (is_set(node, "x-kubernetes-int-or-string"))
		return FORM_INT_OR_STRING;
	if (strcmp(type, "string") == 0)
		return strcmp(format, "date-time") == 0 ? FORM_TIME : FORM_STRING;
	if (strcmp(type, "integer") == 0)
		return FORM_INT;
	if (strcmp(type, "number") == 0)
		return FORM_NUMBER;
	if (strcmp(type, "boolean") == 0)
		return FORM_BOOL;
	if (strcmp(type, "array") == 0)
		return FORM_LIST;
	if (strcmp(type, "object") == 0)
		return stint_json_type(additional) == STINT_JSON_OBJECT && !stint_json_get(node, "properties") ? FORM_MAP : FORM_OBJECT;
	return FORM_ANY;
}

static void set_bound(const struct stint_json *node, const char *key, bool *has, double *bound)
{
	*has = stint_json_double(stint_json_get(node, key), bound);
}

static int64_t length_limit(const struct stint_json *node, const char *const *keys)
{
	for (; *keys; keys++)
		if (stint_json_get(node, *keys))
			return stint_json_int_or(stint_json_get(node, *keys), -1);
	return -1;
}

static void take_rules(struct stint_schema *schema, struct stint_type *type, const struct stint_json *node)
{
	static const char *const least[] = {"minLength", "minItems", "minProperties", NULL};
	static const char *const most[] = {"maxLength", "maxItems", "maxProperties", NULL};
	struct type_rules *rules = schema_rules_new(schema);
	rules->schema = node;
	set_bound(node, "minimum", &rules->has_min, &rules->min);
	set_bound(node, "maximum", &rules->has_max, &rules->max);
	rules->min_length = length_limit(node, least);
	rules->max_length = length_limit(node, most);
	const char *pattern = text_of(node, "pattern");
	if (*pattern)
		schema_rules_pattern(schema, rules, pattern);
	type->rules = rules;
}

static const char *const *words_of(struct stint_schema *schema, const struct stint_json *list)
{
	const char **words = stint_arena_alloc(schema->arena, (stint_json_count(list) + 1) * sizeof(*words));
	size_t count = 0;
	stint_json_each(word, list)
		words[count++] = stint_json_string_or(word, "");
	return words;
}

static struct stint_type *type_from(struct stint_schema *schema, const struct stint_json *node, int depth);

static void take_properties(struct stint_schema *schema, struct stint_type *type, const struct stint_json *node, int depth)
{
	const struct stint_json *properties = stint_json_get(node, "properties");
	type->fields = stint_arena_alloc(schema->arena, (stint_json_count(properties) + 1) * sizeof(*type->fields));
	stint_json_each(property, properties) {
		struct type_field *field = &type->fields[type->field_count++];
		field->name = stint_json_key(property);
		field->type = type_from(schema, property, depth + 1);
		field->description = stint_json_string(stint_json_get(property, "description"));
		field->otherwise = stint_json_get(property, "default");
	}
	stint_json_each(name, stint_json_get(node, "required"))
		for (size_t i = 0; i < type->field_count; i++)
			if (strcmp(type->fields[i].name, stint_json_string_or(name, "")) == 0)
				type->fields[i].required = true;
}

/* Names and texts point into the kept copy of the definition. */
static struct stint_type *type_from(struct stint_schema *schema, const struct stint_json *node, int depth)
{
	struct stint_type *type = schema_type_new(schema, depth > MAX_SCHEMA_DEPTH ? FORM_ANY : form_of(node));
	const struct stint_json *additional = stint_json_get(node, "additionalProperties");
	type->custom = true;
	type->description = stint_json_string(stint_json_get(node, "description"));
	type->nullable = is_set(node, "nullable");
	type->keeps_unknown = is_set(node, "x-kubernetes-preserve-unknown-fields") || stint_json_bool_or(additional, false);
	type->bits = strcmp(text_of(node, "format"), "int32") == 0 ? 32 : 64;
	take_rules(schema, type, node);
	if (type->form == FORM_OBJECT) {
		type->atomic = strcmp(text_of(node, "x-kubernetes-map-type"), "atomic") == 0;
		take_properties(schema, type, node, depth);
	}
	if (type->form == FORM_MAP)
		type->atomic = strcmp(text_of(node, "x-kubernetes-map-type"), "atomic") == 0;
	if (stint_json_type(additional) == STINT_JSON_OBJECT && (type->form == FORM_MAP || type->form == FORM_OBJECT))
		type->item = type_from(schema, additional, depth + 1);
	if (type->form == FORM_LIST) {
		const struct stint_json *items = stint_json_get(node, "items");
		type->item = items ? type_from(schema, items, depth + 1) : schema_type_new(schema, FORM_ANY);
		const char *topology = text_of(node, "x-kubernetes-list-type");
		type->topology = strcmp(topology, "set") == 0 ? LIST_SET : strcmp(topology, "map") == 0 ? LIST_MAP : LIST_ATOMIC;
		type->keys = words_of(schema, stint_json_get(node, "x-kubernetes-list-map-keys"));
	}
	return type;
}

/* The root: a kind whose metadata is what metadata is everywhere. */
static struct stint_type *root_type(struct stint_schema *schema, const struct stint_json *version, const char *name)
{
	const struct stint_json *node = stint_json_at(version, "schema", "openAPIV3Schema");
	struct stint_type *type = node ? type_from(schema, node, 0) : schema_type_new(schema, FORM_OBJECT);
	type->form = FORM_OBJECT;
	type->custom = type->has_kind = true;
	type->name = name;
	type->label = strrchr(name, '.') + 1;
	if (!node)
		type->keeps_unknown = true;
	size_t count = 0;
	struct type_field *fields = stint_arena_alloc(schema->arena, (type->field_count + 2) * sizeof(*fields));
	for (size_t i = 0; i < type->field_count; i++) {
		const char *field = type->fields[i].name;
		if (strcmp(field, "metadata") != 0 && strcmp(field, "apiVersion") != 0 && strcmp(field, "kind") != 0)
			fields[count++] = type->fields[i];
	}
	fields[count++] = (struct type_field){
		.name = "metadata", .type = schema_type_named(schema, "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")};
	type->fields = fields;
	type->field_count = count;
	return type;
}

/* "example.com" -> "com.example": names of OpenAPI schemas are written from the widest to the narrowest. */
static char *reversed(const char *group)
{
	char **words = stint_split(group, ".");
	size_t count = 0;
	while (words[count])
		count++;
	stint_auto_buf text = {0};
	while (count > 0) {
		stint_buf_puts(&text, words[--count]);
		stint_buf_putc(&text, '.');
	}
	stint_strings_free(words);
	return stint_buf_steal(&text);
}

static void add_version(struct stint_schema *schema, const struct stint_json *definition, const struct stint_json *version)
{
	const struct stint_json *spec = stint_json_get(definition, "spec"), *names = stint_json_get(spec, "names");
	const char *group = text_of(spec, "group"), *version_name = text_of(version, "name"), *kind_name = text_of(names, "kind");
	stint_autofree char *api_version = stint_format("%s/%s", group, version_name);
	stint_autofree char *package = reversed(group);
	stint_autofree char *schema_name = stint_format("%s%s.%s", package, version_name, kind_name);
	struct stint_kind kind = {
		.group = group,
		.version = version_name,
		.api_version = schema_strdup(schema, api_version),
		.kind = kind_name,
		.list_kind = text_of(names, "listKind"),
		.plural = text_of(names, "plural"),
		.singular = text_of(names, "singular"),
		.short_names = words_of(schema, stint_json_get(names, "shortNames")),
		.categories = words_of(schema, stint_json_get(names, "categories")),
		.schema_name = schema_strdup(schema, schema_name),
		.definition = version,
		.namespaced = strcmp(text_of(spec, "scope"), "Namespaced") == 0,
		.custom = true,
	};
	if (stint_json_at(version, "subresources", "status"))
		kind.subresources |= STINT_SUB_STATUS;
	if (stint_json_at(version, "subresources", "scale"))
		kind.subresources |= STINT_SUB_SCALE;
	kind.type = root_type(schema, version, kind.schema_name);
	struct stint_kind *known = NULL;
	for (size_t i = 0; i < schema->kind_count && !known; i++)
		if (strcmp(schema->kinds[i]->api_version, kind.api_version) == 0 && strcmp(schema->kinds[i]->kind, kind.kind) == 0)
			known = schema->kinds[i];
	if (!known) {
		schema_kind_add(schema, &kind);
		return;
	}
	/* The row stays where it is: others hold pointers to it. */
	*known = kind;
	stint_autofree char *by_kind = stint_format("%s/%s", kind.api_version, kind.kind);
	stint_autofree char *by_resource = stint_format("%s/%s/%s", kind.group, kind.version, kind.plural);
	stint_map_set(schema->by_kind, by_kind, known);
	stint_map_set(schema->by_resource, by_resource, known);
}

static void remove_version(struct stint_schema *schema, const char *group, const char *version, const char *plural)
{
	stint_autofree char *by_resource = stint_format("%s/%s/%s", group, version, plural);
	struct stint_kind *kind = stint_map_get(schema->by_resource, by_resource);
	if (!kind || !kind->custom)
		return;
	stint_autofree char *by_kind = stint_format("%s/%s", kind->api_version, kind->kind);
	kind->removed = true;
	stint_map_remove(schema->by_resource, by_resource);
	stint_map_remove(schema->by_kind, by_kind);
}

/* A kind of our own tables is not for a definition to replace: it is served as it is. */
static bool is_built_in(const struct stint_schema *schema, const char *group, const char *plural)
{
	for (size_t i = 0; i < schema->kind_count; i++) {
		const struct stint_kind *kind = schema->kinds[i];
		if (kind->plural && strcmp(kind->group, group) == 0 && strcmp(kind->plural, plural) == 0 &&
			stint_map_get(schema->types, kind->schema_name) == kind->type)
			return true;
	}
	return false;
}

bool stint_schema_custom_add(struct stint_schema *schema, const struct stint_json *definition, struct stint_json **status)
{
	(void)status;
	const char *group = stint_json_string_or(stint_json_at(definition, "spec", "group"), "");
	const char *plural = stint_json_string_or(stint_json_at(definition, "spec", "names", "plural"), "");
	if (is_built_in(schema, group, plural))
		return true;
	stint_schema_custom_remove(schema, definition);
	struct stint_json *kept = stint_json_append(schema->kept, stint_json_dup(definition));
	stint_json_each(version, stint_json_at(kept, "spec", "versions"))
		if (is_set(version, "served"))
			add_version(schema, kept, version);
	return true;
}

void stint_schema_custom_remove(struct stint_schema *schema, const struct stint_json *definition)
{
	const char *group = stint_json_string_or(stint_json_at(definition, "spec", "group"), "");
	const char *plural = stint_json_string_or(stint_json_at(definition, "spec", "names", "plural"), "");
	if (is_built_in(schema, group, plural))
		return;
	for (size_t i = 0; i < schema->kind_count; i++) {
		const struct stint_kind *kind = schema->kinds[i];
		if (kind->custom && kind->plural && strcmp(kind->group, group) == 0 && strcmp(kind->plural, plural) == 0)
			remove_version(schema, group, kind->version, plural);
	}
}
