/*
 * Fills in what nobody said: the defaults of the tables and of the hooks, and the form in which Go's encoder writes an object: empty
 * values left out or written as their field says, so that a write that changes nothing is seen to change nothing.
 */
#include "core/sandbox/schema/types.h"

static void default_object(const struct stint_type *type, struct stint_json *object);

static void default_value(const struct stint_type *type, struct stint_json *value)
{
	enum stint_json_type given = stint_json_type(value);
	if (type->form == FORM_OBJECT && given == STINT_JSON_OBJECT) {
		default_object(type, value);
	} else if ((type->form == FORM_LIST && given == STINT_JSON_ARRAY) || (type->form == FORM_MAP && given == STINT_JSON_OBJECT)) {
		if (type->item->form >= FORM_LIST)
			stint_json_each(item, value)
				default_value(type->item, item);
	}
}

static struct stint_json *zero_of(const struct stint_type *type)
{
	switch (type->form) {
	case FORM_OBJECT: return stint_json_new_object();
	case FORM_STRING:
	case FORM_BYTES: return stint_json_new_string("");
	case FORM_QUANTITY: return stint_json_new_string("0");
	case FORM_BOOL: return stint_json_new_bool(false);
	case FORM_INT:
	case FORM_NUMBER:
	case FORM_INT_OR_STRING: return stint_json_new_int(0);
	default: return stint_json_new_null();
	}
}

struct stint_json *schema_zero(const struct stint_type *type)
{
	struct stint_json *object = stint_json_new_object();
	for (size_t i = 0; i < type->field_count && !type->custom; i++) {
		const struct type_field *field = &type->fields[i];
		if (field->presence != PRESENT_ALWAYS)
			continue;
		bool nested = field->type->form == FORM_OBJECT;
		stint_json_set(object, field->name, nested ? schema_zero(field->type) : zero_of(field->type));
	}
	return object;
}

static bool given(const struct type_field *field, const struct stint_json *value)
{
	return field->presence == PRESENT_NONZERO && !field->type->custom ? !schema_is_zero(value)
									  : stint_json_type(value) != STINT_JSON_NULL;
}

static void default_object(const struct stint_type *type, struct stint_json *object)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const struct type_field *field = &type->fields[i];
		if (field->otherwise && !given(field, stint_json_get(object, field->name)))
			stint_json_set(object, field->name, stint_json_dup(field->otherwise));
	}
	if (type->hook && type->hook->default_)
		type->hook->default_(object);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct type_field *field = &type->fields[i];
		struct stint_json *value = stint_json_get(object, field->name);
		if (!value && field->presence == PRESENT_ALWAYS && !type->custom)
			value = stint_json_set(object, field->name, zero_of(field->type));
		if (value && field->presence == PRESENT_ALWAYS && !type->custom && field->type->form >= FORM_LIST &&
			field->type->form != FORM_OBJECT && schema_is_zero(value))
			value = stint_json_set(object, field->name, stint_json_new_null()); /* an empty list is stored as none */
		if (!value)
			continue;
		if (type->custom && stint_json_type(value) == STINT_JSON_NULL && field->type->custom && !field->type->nullable) {
			stint_json_remove(object, field->name);
			continue;
		}
		default_value(field->type, value);
		if (!type->custom && field->presence == PRESENT_NONZERO && field->type->form != FORM_ANY && schema_is_zero(value))
			stint_json_remove(object, field->name);
	}
	if (type->item) /* a custom object whose undeclared fields have a type */
		stint_json_each(member, object)
			if (!schema_field(type, stint_json_key(member)))
				default_value(type->item, member);
}

void stint_schema_default(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object)
{
	(void)schema;
	default_object(kind->type, object);
}
