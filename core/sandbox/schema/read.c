/*
 * From the bytes of a request to a clean object: YAML or JSON, the kind that the path says, keys that stand twice, and what is made of
 * complaints: nothing, warnings, or a refusal.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/schema/decoder.h"

bool stint_field_validation_parse(const char *text, enum stint_field_validation *out)
{
	if (!text || !*text || strcmp(text, "Warn") == 0)
		*out = STINT_FIELDS_WARN;
	else if (strcmp(text, "Ignore") == 0)
		*out = STINT_FIELDS_IGNORE;
	else if (strcmp(text, "Strict") == 0)
		*out = STINT_FIELDS_STRICT;
	else
		return false;
	return true;
}

/* ---- duplicate keys ---------------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	const struct stint_slice *left = a, *right = b;
	size_t length = left->length < right->length ? left->length : right->length;
	int order = length ? memcmp(left->data, right->data, length) : 0;
	return order ? order : (left->length > right->length) - (left->length < right->length);
}

/* The tree keeps the last of two equal keys and forgets the first, so they are looked for in the bytes. */
static void find_duplicates(struct schema_decoder *d, struct stint_cursor *cursor)
{
	enum stint_json_type type = stint_cursor_peek(cursor);
	if (type == STINT_JSON_ARRAY) {
		stint_cursor_array(cursor);
		for (size_t index = 0; stint_cursor_item(cursor); index++) {
			size_t mark = schema_path_index(&d->path, index);
			find_duplicates(d, cursor);
			schema_path_pop(&d->path, mark);
		}
		return;
	}
	if (type != STINT_JSON_OBJECT) {
		stint_cursor_skip(cursor);
		return;
	}
	struct stint_slice *keys = NULL, key;
	size_t count = 0, capacity = 0;
	stint_cursor_object(cursor);
	while (stint_cursor_key(cursor, &key)) {
		stint_grow(&keys, &capacity, count + 1, sizeof(*keys));
		keys[count++] = key;
		stint_autofree char *name = stint_slice_dup(key);
		size_t mark = schema_path_field(&d->path, name);
		find_duplicates(d, cursor);
		schema_path_pop(&d->path, mark);
	}
	if (count > 1)
		qsort(keys, count, sizeof(*keys), by_text);
	for (size_t i = 1; i < count; i++) {
		if (!stint_slice_equal(keys[i - 1], keys[i]) || (i > 1 && stint_slice_equal(keys[i - 2], keys[i])))
			continue;
		stint_autofree char *name = stint_slice_dup(keys[i]);
		size_t mark = schema_path_field(&d->path, name);
		schema_complain(d, "duplicate", d->path.data);
		schema_path_pop(&d->path, mark);
	}
	free(keys);
}

/* ---- the doors ---------------------------------------------------------------------------------------------------------------- */

static struct stint_json *bad_request(const struct stint_kind *kind, const char *problem)
{
	return stint_status_new(400, "BadRequest", NULL, NULL, NULL, "%s in version \"%s\" cannot be handled as a %s: %s", kind->kind,
		kind->version, kind->kind, problem);
}

/* Turns what was complained of into warnings or a refusal. */
static bool settle(struct schema_decoder *d, enum stint_field_validation validation, struct stint_json **warnings, char **problem)
{
	if (!stint_json_first(d->complaints) || validation == STINT_FIELDS_IGNORE)
		return true;
	if (validation == STINT_FIELDS_WARN) {
		if (warnings && !*warnings)
			*warnings = stint_json_new_array();
		if (warnings)
			stint_json_each(complaint, d->complaints)
				stint_json_append(*warnings, stint_json_dup(complaint));
		return true;
	}
	stint_auto_buf text = {0};
	stint_buf_puts(&text, "strict decoding error: ");
	stint_json_each(complaint, d->complaints)
		stint_buf_printf(&text, "%s%s", complaint == stint_json_first(d->complaints) ? "" : ", ", stint_json_string(complaint));
	*problem = stint_buf_steal(&text);
	return false;
}

/* NULL when all is well, else what is wrong in Go's words. */
static char *decode_tree(
	struct schema_decoder *d, struct stint_json *object, enum stint_field_validation validation, struct stint_json **warnings)
{
	const struct stint_kind *kind = d->kind;
	bool fine = kind->custom ? schema_prune_custom(d, kind->type, object) : schema_decode_object(d, kind->type, object);
	char *problem = NULL;
	if (!fine)
		return stint_steal(&d->failure);
	settle(d, validation, warnings, &problem);
	return problem;
}

static void decoder_end(struct schema_decoder *d)
{
	stint_json_free(d->complaints);
	stint_buf_free(&d->path);
	free(d->failure);
}

bool stint_schema_decode(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object,
	enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status)
{
	(void)schema;
	struct schema_decoder d = {.kind = kind, .complaints = stint_json_new_array()};
	stint_autofree char *problem = decode_tree(&d, object, validation, warnings);
	decoder_end(&d);
	if (problem)
		*status = bad_request(kind, problem);
	return !problem;
}

bool stint_schema_decode_patched(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object,
	const struct stint_json *patch, enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status)
{
	(void)schema;
	struct schema_decoder d = {.kind = kind, .complaints = stint_json_new_array()};
	stint_autofree char *problem = decode_tree(&d, object, validation, warnings);
	decoder_end(&d);
	if (!problem)
		return true;
	stint_autofree char *text = stint_json_print(patch);
	struct stint_json *causes = stint_json_new_array();
	stint_cause_add(causes, "FieldValueInvalid", "patch", "Invalid value: \"%.1000s\": %s", text, problem);
	*status = stint_status_invalid(NULL, "", causes);
	return false;
}

/* The body says the kind of the path, or nothing. */
static bool check_kind(const struct stint_kind *kind, struct stint_json *object, struct stint_json **status)
{
	struct stint_json *version = stint_json_get(object, "apiVersion"), *name = stint_json_get(object, "kind");
	const char *given_version = stint_json_string_or(version, ""), *given_kind = stint_json_string_or(name, "");
	if ((version && !stint_json_string(version)) || (name && !stint_json_string(name))) {
		*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL,
			"couldn't get version/kind; json parse error: apiVersion and kind must be strings");
		return false;
	}
	if (kind->custom && (!*given_kind || !*given_version)) {
		*status = stint_status_new(
			400, "BadRequest", NULL, NULL, NULL, "Object '%s' is missing in the body", *given_kind ? "apiVersion" : "Kind");
		return false;
	}
	if (*given_version && strcmp(given_version, kind->api_version) != 0) {
		*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL,
			"the API version in the data (%s) does not match the expected API version (%s)", given_version, kind->api_version);
		return false;
	}
	if (*given_kind && strcmp(given_kind, kind->kind) != 0) {
		*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL, "%s in version \"%s\" cannot be handled as a %s",
			given_kind, kind->version, kind->kind);
		return false;
	}
	stint_json_set_string(object, "apiVersion", kind->api_version);
	stint_json_set_string(object, "kind", kind->kind);
	return true;
}

static struct stint_json *parse_yaml(const char *data, size_t length, struct stint_error **err)
{
	struct stint_json *documents = stint_yaml_parse("body", data, length, err);
	if (!documents)
		return NULL;
	struct stint_json *object = stint_json_count(documents) == 1 ? stint_json_dup(stint_json_first(documents)) : NULL;
	if (!object)
		stint_fail(err, STINT_USAGE, "body: one document is expected");
	stint_json_free(documents);
	return object;
}

struct stint_json *stint_schema_read(const struct stint_schema *schema, const struct stint_kind *kind, const char *data, size_t length,
	bool yaml, enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status)
{
	(void)schema;
	stint_auto_error *err = NULL;
	stint_auto_json *object = yaml ? parse_yaml(data, length, &err) : stint_json_parse(data, length, 0, &err);
	if (!object) {
		*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL, "couldn't get version/kind; %s parse error: %s",
			yaml ? "yaml" : "json", err ? err->message : "no document");
		return NULL;
	}
	if (stint_json_type(object) != STINT_JSON_OBJECT) {
		*status = stint_status_new(
			400, "BadRequest", NULL, NULL, NULL, "couldn't get version/kind; json parse error: the body is not an object");
		return NULL;
	}
	if (!check_kind(kind, object, status))
		return NULL;
	struct schema_decoder d = {.kind = kind, .complaints = stint_json_new_array()};
	if (!yaml && validation != STINT_FIELDS_IGNORE) {
		struct stint_cursor cursor = stint_cursor_over(data, length);
		find_duplicates(&d, &cursor);
		stint_buf_reset(&d.path);
	}
	stint_autofree char *problem = decode_tree(&d, object, validation, warnings);
	decoder_end(&d);
	if (problem) {
		*status = bad_request(kind, problem);
		return NULL;
	}
	return stint_steal(&object);
}
