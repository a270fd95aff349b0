/*
 * A tree brought into the form that is stored: types checked, unknown fields found and dropped, nulls dropped, quantities, times and
 * numbers made canonical. The sentences are those of Go's decoder, since clients print them.
 *
 * Custom kinds are left as they came but for unknown fields and their metadata: what is wrong with them is found by validation.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/schema/decoder.h"

enum { MAX_COMPLAINTS = 100 };

void schema_complain(struct schema_decoder *d, const char *what, const char *path)
{
	if (stint_json_count(d->complaints) >= MAX_COMPLAINTS)
		return;
	stint_autofree char *text = stint_format("%s field \"%s\"", what, path);
	stint_json_append(d->complaints, stint_json_new_string(text));
}

/* The Go type that a person sees in an error: "[]v1.Container", "map[string]string". */
static void put_go_type(struct stint_buf *buf, const struct stint_type *type)
{
	static const char *const names[] = {
		[FORM_STRING] = "string",
		[FORM_BOOL] = "bool",
		[FORM_NUMBER] = "float64",
		[FORM_BYTES] = "[]uint8",
		[FORM_QUANTITY] = "resource.Quantity",
		[FORM_INT_OR_STRING] = "intstr.IntOrString",
		[FORM_TIME] = "v1.Time",
		[FORM_MICRO_TIME] = "v1.MicroTime",
		[FORM_DURATION] = "v1.Duration",
		[FORM_ANY] = "runtime.RawExtension",
	};
	switch (type->form) {
	case FORM_LIST:
		stint_buf_puts(buf, "[]");
		put_go_type(buf, type->item);
		break;
	case FORM_MAP:
		stint_buf_puts(buf, "map[string]");
		put_go_type(buf, type->item);
		break;
	case FORM_INT: stint_buf_printf(buf, "int%u", type->bits); break;
	case FORM_OBJECT: {
		const char *package = type->label - 1;
		while (package > type->name && package[-1] != '.')
			package--;
		stint_buf_printf(buf, "%.*s", (int)(type->label - package), package);
		stint_buf_puts(buf, type->label);
		break;
	}
	default: stint_buf_puts(buf, names[type->form]);
	}
}

static bool mismatch(
	struct schema_decoder *d, const struct stint_type *type, const struct stint_type *owner, const struct stint_json *value)
{
	static const char *const names[] = {[STINT_JSON_NULL] = "null",
		[STINT_JSON_BOOL] = "bool",
		[STINT_JSON_NUMBER] = "number",
		[STINT_JSON_STRING] = "string",
		[STINT_JSON_ARRAY] = "array",
		[STINT_JSON_OBJECT] = "object"};
	stint_auto_buf text = {0};
	stint_buf_printf(&text, "json: cannot unmarshal %s", names[stint_json_type(value)]);
	if (stint_json_type(value) == STINT_JSON_NUMBER && type->form == FORM_INT) {
		stint_autofree char *number = stint_json_print(value);
		stint_buf_printf(&text, " %s", number);
	}
	stint_buf_printf(&text, " into Go struct field %s.", owner ? owner->label : d->kind->kind);
	/* Go leaves indices and keys out of the path. */
	bool bracket = false;
	for (const char *at = d->path.data ? d->path.data : ""; *at; at++) {
		bracket |= *at == '[';
		if (!bracket)
			stint_buf_putc(&text, *at);
		bracket &= *at != ']';
	}
	stint_buf_puts(&text, " of type ");
	put_go_type(&text, type);
	d->failure = stint_buf_steal(&text);
	return false;
}

static void replace_text(struct stint_json *container, struct stint_json *value, const char *text)
{
	if (strcmp(stint_json_string_or(value, ""), text) != 0 || stint_json_type(value) != STINT_JSON_STRING)
		stint_json_replace(container, value, stint_json_new_string(text));
}

static bool decode_quantity(struct schema_decoder *d, const struct stint_type *type, const struct stint_type *owner,
	struct stint_json *container, struct stint_json *value)
{
	enum stint_json_type given = stint_json_type(value);
	if (given != STINT_JSON_STRING && given != STINT_JSON_NUMBER)
		return mismatch(d, type, owner, value);
	stint_autofree char *number = given == STINT_JSON_NUMBER ? stint_json_print(value) : NULL;
	stint_autofree char *text = schema_quantity_canonical(number ? number : stint_json_string(value));
	if (!text) {
		d->failure = stint_strdup("quantities must match the regular expression "
					  "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
		return false;
	}
	replace_text(container, value, text);
	return true;
}

static bool decode_time(struct schema_decoder *d, const struct stint_type *type, const struct stint_type *owner,
	struct stint_json *container, struct stint_json *value)
{
	const char *given = stint_json_string(value);
	if (!given)
		return mismatch(d, type, owner, value);
	char text[STINT_TIME_SIZE];
	int64_t at;
	bool micro = type->form == FORM_MICRO_TIME;
	const char *point = strchr(given, '.');
	bool parsed = micro ? stint_time_parse_micro(given, strlen(given), &at) : stint_time_parse(given, strlen(given), &at);
	if (micro && parsed && (!point || strspn(point + 1, "0123456789") != 6)) { /* Go's layout wants all six digits */
		const char *rest = point ? point : strlen(given) > 19 ? given + 19 : given;
		d->failure = stint_format(
			"parsing time \"%s\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"%s\" as \".000000\"", given, rest);
		return false;
	}
	if (!parsed) {
		const char *layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
		d->failure = stint_format("parsing time \"%s\" as \"%s\": cannot parse \"%s\" as \"2006\"", given, layout, given);
		return false;
	}
	replace_text(container, value, micro ? stint_time_format_micro(at, text) : stint_time_format(at, text));
	return true;
}

static bool decode_items(
	struct schema_decoder *d, const struct stint_type *type, const struct stint_type *owner, struct stint_json *container);

/* May replace value in container. */
static bool decode_value(struct schema_decoder *d, const struct stint_type *type, const struct stint_type *owner,
	struct stint_json *container, struct stint_json *value)
{
	enum stint_json_type given = stint_json_type(value);
	int64_t number;
	switch (type->form) {
	case FORM_ANY: return true;
	case FORM_STRING:
	case FORM_DURATION: return given == STINT_JSON_STRING || mismatch(d, type, owner, value);
	case FORM_BOOL: return given == STINT_JSON_BOOL || mismatch(d, type, owner, value);
	case FORM_NUMBER: return given == STINT_JSON_NUMBER || mismatch(d, type, owner, value);
	case FORM_INT:
		if (!stint_json_int(value, &number) || (type->bits == 32 && (number < INT32_MIN || number > INT32_MAX)))
			return mismatch(d, type, owner, value);
		return true;
	case FORM_INT_OR_STRING:
		if (given != STINT_JSON_STRING && (!stint_json_int(value, &number) || number < INT32_MIN || number > INT32_MAX))
			return mismatch(d, type, owner, value);
		return true;
	case FORM_BYTES: {
		const char *text = stint_json_string(value);
		if (!text)
			return mismatch(d, type, owner, value);
		stint_autofree char *bytes = stint_base64_decode(text, strlen(text), NULL);
		if (!bytes && *text) {
			static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
			d->failure = stint_format("illegal base64 data at input byte %zu", strspn(text, alphabet));
			return false;
		}
		return true;
	}
	case FORM_QUANTITY: return decode_quantity(d, type, owner, container, value);
	case FORM_TIME:
	case FORM_MICRO_TIME: return decode_time(d, type, owner, container, value);
	case FORM_LIST:
		if (given != STINT_JSON_ARRAY)
			return mismatch(d, type, owner, value);
		return decode_items(d, type, owner, value);
	case FORM_MAP:
		if (given != STINT_JSON_OBJECT)
			return mismatch(d, type, owner, value);
		return decode_items(d, type, owner, value);
	case FORM_OBJECT:
		if (given != STINT_JSON_OBJECT)
			return mismatch(d, type, owner, value);
		return schema_decode_object(d, type, value);
	}
	return true;
}

/* A null item is the zero value of its type. */
static struct stint_json *zero_value(const struct stint_type *type)
{
	switch (type->form) {
	case FORM_STRING:
	case FORM_BYTES:
	case FORM_DURATION: return stint_json_new_string("");
	case FORM_QUANTITY: return stint_json_new_string("0");
	case FORM_BOOL: return stint_json_new_bool(false);
	case FORM_INT:
	case FORM_NUMBER:
	case FORM_INT_OR_STRING: return stint_json_new_int(0);
	case FORM_OBJECT: return stint_json_new_object();
	default: return stint_json_new_null();
	}
}

static bool decode_items(
	struct schema_decoder *d, const struct stint_type *type, const struct stint_type *owner, struct stint_json *container)
{
	size_t index = 0;
	for (struct stint_json *item = stint_json_first(container), *next; item; item = next, index++) {
		next = stint_json_next(item);
		if (stint_json_type(item) == STINT_JSON_NULL) {
			stint_json_replace(container, item, zero_value(type->item));
			continue;
		}
		size_t mark =
			type->form == FORM_LIST ? schema_path_index(&d->path, index) : schema_path_key(&d->path, stint_json_key(item));
		if (!decode_value(d, type->item, owner, container, item))
			return false;
		schema_path_pop(&d->path, mark);
	}
	return true;
}

static bool is_kind_member(const struct stint_type *type, const char *key)
{
	return type->has_kind && (strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0);
}

bool schema_decode_object(struct schema_decoder *d, const struct stint_type *type, struct stint_json *object)
{
	for (struct stint_json *member = stint_json_first(object), *next; member; member = next) {
		next = stint_json_next(member);
		const char *key = stint_json_key(member);
		if (is_kind_member(type, key))
			continue;
		size_t mark = schema_path_field(&d->path, key);
		const struct type_field *field = schema_field(type, key);
		if (!field) {
			if (!type->keeps_unknown) {
				schema_complain(d, "unknown", d->path.data);
				stint_json_unlink(object, member);
			}
		} else if (stint_json_type(member) == STINT_JSON_NULL) {
			if (field->type->form != FORM_ANY)
				stint_json_unlink(object, member);
		} else if (!decode_value(d, field->type, type, object, member)) {
			return false;
		}
		schema_path_pop(&d->path, mark);
	}
	return true;
}

/* ---- custom kinds ----------------------------------------------------------------------------------------------------------- */

bool schema_prune_custom(struct schema_decoder *d, const struct stint_type *type, struct stint_json *value)
{
	bool object = stint_json_type(value) == STINT_JSON_OBJECT;
	if (object && type->form == FORM_OBJECT && !type->custom)
		return schema_decode_object(d, type, value); /* metadata */
	if (!object && stint_json_type(value) != STINT_JSON_ARRAY)
		return true;
	size_t index = 0;
	for (struct stint_json *member = stint_json_first(value), *next; member; member = next, index++) {
		next = stint_json_next(member);
		const char *key = stint_json_key(member);
		size_t mark = object ? schema_path_field(&d->path, key) : schema_path_index(&d->path, index);
		if (object && type->form == FORM_OBJECT && !is_kind_member(type, key)) {
			const struct type_field *field = schema_field(type, key);
			if (!field && !type->keeps_unknown && !type->item) {
				schema_complain(d, "unknown", d->path.data);
				stint_json_unlink(value, member);
			} else if (field && !field->type->custom && field->type->form == FORM_OBJECT &&
				stint_json_type(member) == STINT_JSON_NULL) {
				stint_json_unlink(value, member); /* metadata: null */
			} else if (field && !field->type->custom && field->type->form == FORM_OBJECT &&
				stint_json_type(member) != STINT_JSON_OBJECT) {
				return mismatch(d, field->type, NULL, member);
			} else if (field && !schema_prune_custom(d, field->type, member)) {
				return false;
			} else if (!field && type->item && !schema_prune_custom(d, type->item, member)) {
				return false;
			}
		} else if (((object && type->form == FORM_MAP) || (!object && type->form == FORM_LIST)) &&
			!schema_prune_custom(d, type->item, member)) {
			return false;
		}
		schema_path_pop(&d->path, mark);
	}
	return true;
}
