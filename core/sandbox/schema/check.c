/*
 * The walk of validation: what the tables declare about a value (needed, one of, at least, at most, a pattern), then the hook of its
 * type. Causes are gathered, not thrown: a person sees everything that is wrong at once, up to a bound.
 */
#include "core/sandbox/schema/check.h"

#include <math.h>
#include <string.h>

enum { MAX_CAUSES = 50 };

void schema_check_cause(struct check *check, const char *reason, const char *field, const char *format, ...)
{
	if (check->full)
		return;
	va_list args;
	va_start(args, format);
	stint_autofree char *message = stint_vformat(format, args);
	va_end(args);
	size_t mark = check->path.length;
	if (field && *field == '[')
		stint_buf_puts(&check->path, field);
	else if (field)
		mark = schema_path_field(&check->path, field);
	stint_cause_add(check->causes, reason, check->path.data ? check->path.data : "", "%s", message);
	schema_path_pop(&check->path, mark);
	check->full = stint_json_count(check->causes) >= MAX_CAUSES;
}

void schema_check_missing(struct check *check, const char *field, const char *detail)
{
	schema_check_cause(check, "FieldValueRequired", field, "Required value%s%s", detail ? ": " : "", detail ? detail : "");
}

void schema_check_bad(struct check *check, const char *field, const struct stint_json *value, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *detail = stint_vformat(format, args);
	va_end(args);
	stint_autofree char *shown = stint_json_print(value ? value : NULL);
	schema_check_cause(check, "FieldValueInvalid", field, "Invalid value: %.2000s: %s", value ? shown : "null", detail);
}

void schema_check_bad_text(struct check *check, const char *field, const char *value, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *detail = stint_vformat(format, args);
	va_end(args);
	stint_auto_json *text = stint_json_new_string(value);
	schema_check_bad(check, field, text, "%s", detail);
}

void schema_check_forbidden(struct check *check, const char *field, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *detail = stint_vformat(format, args);
	va_end(args);
	schema_check_cause(check, "FieldValueForbidden", field, "Forbidden: %s", detail);
}

void schema_check_duplicate(struct check *check, const char *field, const char *value)
{
	stint_auto_json *text = stint_json_new_string(value);
	stint_autofree char *shown = stint_json_print(text);
	schema_check_cause(check, "FieldValueDuplicate", field, "Duplicate value: %s", shown);
}

void schema_check_not_found(struct check *check, const char *field, const char *value)
{
	stint_auto_json *text = stint_json_new_string(value);
	stint_autofree char *shown = stint_json_print(text);
	schema_check_cause(check, "FieldValueNotFound", field, "Not found: %s", shown);
}

void schema_check_unsupported(struct check *check, const char *field, const char *value, const char *const *supported)
{
	stint_auto_buf text = {0};
	for (size_t i = 0; supported[i]; i++)
		stint_buf_printf(&text, "%s\"%s\"", i ? ", " : "", supported[i]);
	stint_auto_json *given = stint_json_new_string(value);
	stint_autofree char *shown = stint_json_print(given);
	schema_check_cause(
		check, "FieldValueNotSupported", field, "Unsupported value: %s: supported values: %s", shown, text.data ? text.data : "");
}

void schema_check_too_long(struct check *check, const char *field, int64_t limit)
{
	schema_check_cause(check, "FieldValueTooLong", field, "Too long: may not be more than %lld bytes", (long long)limit);
}

void schema_check_too_many(struct check *check, const char *field, size_t count, int64_t limit)
{
	schema_check_cause(check, "FieldValueTooMany", field, "Too many: %zu: must have at most %lld items", count, (long long)limit);
}

void schema_check_warn(struct check *check, const char *format, ...)
{
	if (!check->warnings)
		return;
	va_list args;
	va_start(args, format);
	stint_autofree char *text = stint_vformat(format, args);
	va_end(args);
	if (!*check->warnings)
		*check->warnings = stint_json_new_array();
	stint_json_append(*check->warnings, stint_json_new_string(text));
}

void schema_check_immutable(struct check *check, const char *field, const struct stint_json *now, const struct stint_json *old)
{
	if (stint_json_equal(now, old) || (schema_is_zero(now) && schema_is_zero(old)))
		return;
	schema_check_bad(check, field, now, "field is immutable");
}

/* ---- the walk -------------------------------------------------------------------------------------------------------------- */

static void check_number(struct check *check, const struct type_rules *rules, const struct stint_json *value)
{
	double number;
	if (!stint_json_double(value, &number))
		return;
	if (rules->has_min && rules->has_max && rules->min > 0 && (number < rules->min || number > rules->max))
		schema_check_bad(check, NULL, value, "must be between %.0f and %.0f, inclusive", rules->min, rules->max);
	else if (rules->has_min && number < rules->min)
		schema_check_bad(check, NULL, value, rules->min == 1 ? "must be greater than 0" : "must be greater than or equal to %.0f",
			rules->min);
	else if (rules->has_max && number > rules->max)
		schema_check_bad(check, NULL, value, "must be less than or equal to %.0f", rules->max);
}

static void check_rules(struct check *check, const struct stint_type *type, const struct stint_json *value)
{
	const struct type_rules *rules = type->rules;
	const char *text = stint_json_string(value);
	if (rules->one_of && text && *text && !schema_word_in(rules->one_of, text))
		schema_check_unsupported(check, NULL, text, rules->one_of);
	check_number(check, rules, value);
}

static void check_fields(struct check *check, const struct stint_type *type, const struct stint_json *object)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const struct type_field *field = &type->fields[i];
		/* Status is reported by machinery and taken as it is. */
		if (type->has_kind && (strcmp(field->name, "status") == 0 || strcmp(field->name, "metadata") == 0))
			continue;
		const struct stint_json *value = stint_json_get(object, field->name);
		enum stint_json_type given = stint_json_type(value);
		bool empty = given == STINT_JSON_NULL || (given == STINT_JSON_STRING && schema_is_zero(value)) ||
			(given == STINT_JSON_ARRAY && !stint_json_first(value));
		if (empty && field->needed)
			schema_check_missing(check, field->name, NULL);
		if (given == STINT_JSON_NULL)
			continue;
		size_t mark = schema_path_field(&check->path, field->name);
		schema_check_value(check, field->type, value);
		schema_path_pop(&check->path, mark);
	}
}

void schema_check_value(struct check *check, const struct stint_type *type, const struct stint_json *value)
{
	if (check->full)
		return;
	if (type->rules)
		check_rules(check, type, value);
	size_t index = 0;
	switch (type->form) {
	case FORM_OBJECT: check_fields(check, type, value); break;
	case FORM_LIST:
		if (type->item->form < FORM_LIST && !type->item->rules)
			break;
		stint_json_each(item, value) {
			size_t mark = schema_path_index(&check->path, index++);
			schema_check_value(check, type->item, item);
			schema_path_pop(&check->path, mark);
		}
		break;
	case FORM_MAP:
		if (type->item->form < FORM_LIST)
			break;
		stint_json_each(item, value) {
			size_t mark = schema_path_key(&check->path, stint_json_key(item));
			schema_check_value(check, type->item, item);
			schema_path_pop(&check->path, mark);
		}
		break;
	default: break;
	}
	if (type->hook && type->hook->check)
		type->hook->check(check, value);
}

/* ---- the doors ---------------------------------------------------------------------------------------------------------------- */

static void check_whole(struct check *check)
{
	const struct stint_type *type = check->kind->type;
	if (check->kind->custom)
		schema_check_custom_value(check, type, check->object);
	else
		schema_check_value(check, type, check->object);
}

static bool conclude(struct check *check, struct stint_json **status)
{
	stint_buf_free(&check->path);
	const char *name = stint_json_string_at(check->object, "metadata", "name");
	struct stint_json *refusal = stint_status_invalid(check->kind, name, check->causes);
	if (!refusal)
		return true;
	*status = refusal;
	return false;
}

bool stint_schema_validate_create(const struct stint_schema *schema, const struct stint_kind *kind, const struct stint_json *object,
	struct stint_json **warnings, struct stint_json **status)
{
	(void)schema;
	struct check check = {.kind = kind, .object = object, .causes = stint_json_new_array(), .warnings = warnings};
	schema_check_metadata(&check, stint_json_get(object, "metadata"), true);
	check_whole(&check);
	return conclude(&check, status);
}

bool stint_schema_validate_update(const struct stint_schema *schema, const struct stint_kind *kind, const char *subresource,
	const struct stint_json *old, const struct stint_json *object, struct stint_json **warnings, struct stint_json **status)
{
	(void)schema;
	struct check check = {.kind = kind, .object = object, .old = old, .causes = stint_json_new_array(), .warnings = warnings};
	schema_check_metadata_update(&check);
	bool main_write = !subresource || !*subresource;
	/* What a write of the status did not touch is not looked at again. */
	if (main_write) {
		check_whole(&check);
		schema_check_kind_update(&check);
	} else if (kind->custom) {
		check_whole(&check);
	}
	return conclude(&check, status);
}
