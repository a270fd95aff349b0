/*
 * put: a structure becomes JSON, as its form says. The same structure is the same bytes.
 */
#include <string.h>

#include "form.h"

/* A member of type T at that place, whatever the compiler may think of its alignment. */
#define LOAD(T, from)                                   \
	__extension__({                                 \
		T loaded_;                              \
		memcpy(&loaded_, from, sizeof loaded_); \
		loaded_;                                \
	})

static size_t count_at(const char *structure, const struct field *field)
{
	if (field->count_size == sizeof(size_t))
		return LOAD(size_t, structure + field->count);
	return LOAD(uint32_t, structure + field->count);
}

struct stint_json *form_put_slots(uint64_t slots)
{
	struct stint_json *list = stint_json_new_array();
	for (int slot = 0; slot < 64; slot++) {
		if (slots >> slot & 1)
			stint_json_append(list, stint_json_new_int(slot));
	}
	return list;
}

static struct stint_json *put_pairs(const struct stint_pairs *pairs)
{
	struct stint_json *object = pairs->count ? stint_json_new_object() : NULL;
	for (uint32_t i = 0; i < pairs->count; i++)
		stint_json_add(object, pairs->items[i].key, stint_json_new_string(pairs->items[i].value));
	return object;
}

static struct stint_json *put_texts(const char *const *texts, size_t count)
{
	struct stint_json *list = count ? stint_json_new_array() : NULL;
	for (size_t i = 0; i < count; i++)
		stint_json_append(list, stint_json_new_string(texts[i]));
	return list;
}

static struct stint_json *put_choices(const struct field *field, const char *member, uint32_t count)
{
	struct stint_json *list = count ? stint_json_new_array() : NULL;
	for (uint32_t i = 0; i < count && i < field->names_count; i++)
		stint_json_append(list, stint_json_new_string(field->names[LOAD(unsigned, member + i * sizeof(unsigned))]));
	return list;
}

static struct stint_json *put_selectors(const struct stint_device_selectors *selectors)
{
	struct stint_json *list = selectors->count ? stint_json_new_array() : NULL;
	for (uint32_t i = 0; i < selectors->count; i++)
		stint_json_append(list, stint_json_new_string(stint_cel_text(selectors->items[i])));
	return list;
}

static struct stint_json *put_int(int64_t value, int64_t otherwise)
{
	return value == otherwise ? NULL : stint_json_new_int(value);
}

/* NULL: it is the default. */
static struct stint_json *put_field(const struct field *field, const char *structure)
{
	const char *member = structure + field->offset;
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_NAME: {
		const char *text = LOAD(const char *, member);
		return text ? stint_json_new_string(text) : NULL;
	}
	case FIELD_BOOL: return LOAD(bool, member) ? stint_json_new_bool(true) : NULL;
	case FIELD_I32: return put_int(LOAD(int32_t, member), field->otherwise);
	case FIELD_U32: return put_int(LOAD(uint32_t, member), field->otherwise);
	case FIELD_I64: return put_int(LOAD(int64_t, member), field->otherwise);
	case FIELD_DOUBLE: {
		const double value = LOAD(double, member);
		return value < 0 || value > 0 ? stint_json_new_double(value) : NULL;
	}
	case FIELD_CHOICE: {
		const unsigned value = LOAD(unsigned, member);
		return value && value < field->names_count ? stint_json_new_string(field->names[value]) : NULL;
	}
	case FIELD_CHOICES: return put_choices(field, member, LOAD(uint32_t, structure + field->count));
	case FIELD_SLOTS: return LOAD(uint64_t, member) ? form_put_slots(LOAD(uint64_t, member)) : NULL;
	case FIELD_PAIRS: return put_pairs((const void *)member);
	case FIELD_TEXTS: return put_texts(LOAD(const char *const *, member), count_at(structure, field));
	case FIELD_ITEMS: {
		const size_t count = count_at(structure, field);
		return count ? form_put_items(field->form, LOAD(const void *, member), count) : NULL;
	}
	case FIELD_ONE: break;
	case FIELD_SELECTORS: return put_selectors((const void *)member);
	case FIELD_SPEC: return form_put(&form_spec, LOAD(const void *, member));
	}
	struct stint_json *inner = form_put(field->form, member);
	if (stint_json_first(inner))
		return inner;
	stint_json_free(inner);
	return NULL;
}

struct stint_json *form_put(const struct form *form, const void *structure)
{
	struct stint_json *object = stint_json_new_object();
	for (size_t i = 0; i < form->fields_count; i++) {
		struct stint_json *value = put_field(&form->fields[i], structure);
		if (value)
			stint_json_add(object, form->fields[i].key, value);
	}
	return object;
}

struct stint_json *form_put_items(const struct form *form, const void *items, size_t count)
{
	struct stint_json *list = stint_json_new_array();
	for (size_t i = 0; i < count; i++)
		stint_json_append(list, form_put(form, (const char *)items + i * form->size));
	return list;
}
