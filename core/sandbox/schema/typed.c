/*
 * The check that an applied configuration fits its types. Server-side apply is stricter than decoding: an unknown field, a value of
 * another type or two items of one identity end it with 500, in the words of structured-merge-diff.
 */
#include "core/sandbox/schema/fields.h"

#include <stdlib.h>
#include <string.h>

struct walk {
	struct stint_buf path;
	char *problem;
};

static bool fail(struct walk *walk, const char *what, const struct stint_json *got)
{
	stint_autofree char *shown = got ? stint_json_print(got) : NULL;
	walk->problem = stint_format("%s: %s%s%.200s", walk->path.data ? walk->path.data : "", what, got ? ", got " : "", got ? shown : "");
	return false;
}

static bool check(struct walk *walk, const struct stint_type *type, const struct stint_json *value);

static bool check_members(struct walk *walk, const struct stint_type *type, const struct stint_json *object)
{
	stint_json_each(member, object) {
		const char *key = stint_json_key(member);
		const struct stint_type *of = schema_fields_member_type(type, key);
		bool about_kind = type->has_kind && (strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0);
		size_t mark = walk->path.length;
		stint_buf_printf(&walk->path, ".%s", key);
		if (!of && !about_kind && !type->keeps_unknown)
			return fail(walk, "field not declared in schema", NULL);
		if (of && !check(walk, of, member))
			return false;
		schema_path_pop(&walk->path, mark);
	}
	return true;
}

static bool check_items(struct walk *walk, const struct stint_type *type, const struct stint_json *list)
{
	bool keyed = type->topology != LIST_ATOMIC;
	struct stint_map *seen = stint_map_new(NULL);
	size_t index = 0;
	bool fine = true;
	stint_json_each(item, list) {
		stint_autofree char *key = keyed ? schema_fields_item_key(type, item) : NULL;
		stint_autofree char *shown = key ? schema_fields_shown_key(key) : stint_format("[%zu]", index);
		index++;
		if (key && stint_map_has(seen, key)) {
			stint_autofree char *what = stint_format("duplicate entries for key %s", shown);
			fine = fail(walk, what, NULL);
			break;
		}
		if (key)
			stint_map_set(seen, key, NULL);
		size_t mark = walk->path.length;
		stint_buf_puts(&walk->path, shown);
		fine = check(walk, type->item, item);
		if (!fine)
			break;
		schema_path_pop(&walk->path, mark);
	}
	stint_map_free(seen);
	return fine;
}

static bool check(struct walk *walk, const struct stint_type *type, const struct stint_json *value)
{
	enum stint_json_type given = stint_json_type(value);
	if (given == STINT_JSON_NULL)
		return true;
	switch (type->form) {
	case FORM_OBJECT: return given == STINT_JSON_OBJECT ? check_members(walk, type, value) : fail(walk, "expected map", value);
	case FORM_MAP: return given == STINT_JSON_OBJECT ? check_members(walk, type, value) : fail(walk, "expected map", value);
	case FORM_LIST: return given == STINT_JSON_ARRAY ? check_items(walk, type, value) : fail(walk, "expected list", value);
	case FORM_BOOL: return given == STINT_JSON_BOOL || fail(walk, "expected boolean", value);
	case FORM_INT:
	case FORM_NUMBER: return given == STINT_JSON_NUMBER || fail(walk, "expected numeric (int or float)", value);
	case FORM_STRING:
	case FORM_BYTES:
	case FORM_DURATION:
	case FORM_TIME:
	case FORM_MICRO_TIME: return given == STINT_JSON_STRING || fail(walk, "expected string", value);
	case FORM_QUANTITY:
	case FORM_INT_OR_STRING: return given == STINT_JSON_STRING || given == STINT_JSON_NUMBER || fail(walk, "expected string", value);
	case FORM_ANY: return true;
	}
	return true;
}

bool stint_schema_decode_applied(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *config,
	enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status)
{
	const char *version = stint_json_string_or(stint_json_get(config, "apiVersion"), "");
	const char *name = stint_json_string_or(stint_json_get(config, "kind"), "");
	const char *slash = strchr(version, '/');
	if (stint_json_type(config) != STINT_JSON_OBJECT || strcmp(version, kind->api_version) != 0 || strcmp(name, kind->kind) != 0) {
		*status = stint_status_new(
			400, "BadRequest", NULL, NULL, NULL, "invalid object type: %s%s, Kind=%s", slash ? "" : "/", version, name);
		return false;
	}
	struct walk walk = {0};
	bool fine = check(&walk, kind->type, config);
	if (!fine)
		*status = stint_status_new(500, "", NULL, NULL, NULL, "failed to create typed patch object (%s/%s; %s%s, Kind=%s): %s",
			stint_json_string_or(stint_json_at(config, "metadata", "namespace"), ""),
			stint_json_string_or(stint_json_at(config, "metadata", "name"), ""), slash ? "" : "/", version, name, walk.problem);
	free(walk.problem);
	stint_buf_free(&walk.path);
	return fine && stint_schema_decode(schema, kind, config, validation, warnings, status);
}
