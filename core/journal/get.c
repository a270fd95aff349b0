/*
 * get: JSON becomes a structure, as its form says. What comes here is untrusted: every value is checked against its type and its bounds, and an
 * error names the place ("pod.spec.gpu.portion"). Costs: O(size of the JSON), and a look at the names of a form for each key.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "form.h"

static void put_place(const struct place *place, struct stint_buf *out)
{
	if (place->above)
		put_place(place->above, out);
	if (!place->key)
		stint_buf_printf(out, "[%zu]", place->index);
	else
		stint_buf_printf(out, "%s%.60s", place->above ? "." : "", place->key);
}

bool form_fail(struct form_reader *reader, const struct place *place, const char *what)
{
	stint_auto_buf text = {0};
	put_place(place, &text);
	return stint_fail(reader->err, STINT_USAGE, "%s %s", text.data, what);
}

void form_reader_clear(struct form_reader *reader)
{
	for (size_t i = 0; i < reader->selectors_count; i++)
		stint_cel_free(reader->selectors[i]);
	free(reader->selectors);
	stint_map_free(reader->specs);
	stint_arena_free(reader->arena);
	*reader = (struct form_reader){0};
}

const char *form_get_text(struct form_reader *reader, const struct stint_json *json, const struct place *place)
{
	const char *text = stint_json_string(json);
	if (text)
		return stint_arena_strndup(reader->arena, text, strlen(text));
	form_fail(reader, place, "must be a text");
	return NULL;
}

/* ---- values ------------------------------------------------------------------------------------------------------------------------------- */

static bool get_int(struct form_reader *reader, const struct stint_json *json, const struct place *place, const struct field *field,
	int64_t low, int64_t high, int64_t *out)
{
	if (field->low < 0 || field->high > 0) {
		low = (int64_t)field->low;
		high = (int64_t)field->high;
	}
	if (stint_json_int(json, out) && *out >= low && *out <= high)
		return true;
	stint_autofree char *what = stint_format("must be a whole number from %lld to %lld", (long long)low, (long long)high);
	return form_fail(reader, place, what);
}

static bool get_double(
	struct form_reader *reader, const struct stint_json *json, const struct place *place, const struct field *field, double *out)
{
	const bool bounded = field->low < 0 || field->high > 0;
	if (!stint_json_double(json, out) || !isfinite(*out))
		return form_fail(reader, place, "must be a number");
	if (bounded && (*out < field->low || *out > field->high)) {
		stint_autofree char *what = stint_format("must be a number from %g to %g", field->low, field->high);
		return form_fail(reader, place, what);
	}
	return true;
}

bool form_get_choice(struct form_reader *reader, const struct stint_json *json, const struct place *place, const char *const *names,
	size_t count, unsigned *out)
{
	const char *text = stint_json_string_or(json, "");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (unsigned)i;
			return true;
		}
	}
	stint_auto_buf what = {0};
	stint_buf_puts(&what, "must be one of");
	for (size_t i = 0; i < count; i++)
		stint_buf_printf(&what, "%s \"%s\"", i ? "," : "", names[i]);
	return form_fail(reader, place, what.data);
}

bool form_get_slots(struct form_reader *reader, const struct stint_json *json, const struct place *place, uint64_t *slots)
{
	*slots = 0;
	stint_json_each(item, json) {
		int64_t slot;
		if (!stint_json_int(item, &slot) || slot < 0 || slot >= STINT_MAX_DEVICES)
			return form_fail(reader, place, "must be a list of slots, 0 to 63");
		*slots |= UINT64_C(1) << slot;
	}
	return true;
}

static bool get_list(struct form_reader *reader, const struct stint_json *json, const struct place *place, size_t *count)
{
	*count = stint_json_count(json);
	return stint_json_type(json) == STINT_JSON_ARRAY || form_fail(reader, place, "must be a list");
}

static void set_count(const struct field *field, char *structure, size_t count)
{
	const uint32_t narrow = (uint32_t)count;
	if (field->count_size == sizeof count)
		memcpy(structure + field->count, &count, sizeof count);
	else
		memcpy(structure + field->count, &narrow, sizeof narrow);
}

static bool get_choices(
	struct form_reader *reader, const struct stint_json *json, const struct place *place, const struct field *field, char *structure)
{
	size_t count, at = 0;
	if (!get_list(reader, json, place, &count))
		return false;
	if (count > field->names_count)
		return form_fail(reader, place, "has more items than there are kinds of them");
	stint_json_each(item, json) {
		const struct place here = {.above = place, .index = at};
		unsigned value;
		if (!form_get_choice(reader, item, &here, field->names, field->names_count, &value))
			return false;
		memcpy(structure + field->offset + at++ * sizeof value, &value, sizeof value);
	}
	const uint32_t found = (uint32_t)count;
	memcpy(structure + field->count, &found, sizeof found);
	return true;
}

static bool get_pairs(struct form_reader *reader, const struct stint_json *json, const struct place *place, struct stint_pairs *out)
{
	if (stint_json_type(json) != STINT_JSON_OBJECT)
		return form_fail(reader, place, "must be an object");
	struct stint_pair *items = stint_arena_alloc(reader->arena, stint_json_count(json) * sizeof *items);
	stint_json_each(member, json) {
		const struct place here = {.above = place, .key = stint_json_key(member)};
		const char *value = form_get_text(reader, member, &here);
		if (!value)
			return false;
		items[out->count++] = (struct stint_pair){stint_arena_strndup(reader->arena, here.key, strlen(here.key)), value};
	}
	out->items = items;
	return true;
}

static bool get_texts(
	struct form_reader *reader, const struct stint_json *json, const struct place *place, const struct field *field, char *structure)
{
	size_t count, at = 0;
	if (!get_list(reader, json, place, &count))
		return false;
	const char **texts = stint_arena_alloc(reader->arena, count * sizeof *texts);
	stint_json_each(item, json) {
		const struct place here = {.above = place, .index = at};
		texts[at] = form_get_text(reader, item, &here);
		if (!texts[at++])
			return false;
	}
	memcpy(structure + field->offset, &texts, sizeof texts);
	set_count(field, structure, count);
	return true;
}

static bool get_selectors(
	struct form_reader *reader, const struct stint_json *json, const struct place *place, struct stint_device_selectors *out)
{
	size_t count;
	if (!get_list(reader, json, place, &count))
		return false;
	struct stint_cel **items = stint_arena_alloc(reader->arena, count * sizeof *items);
	out->items = items;
	stint_json_each(item, json) {
		const struct place here = {.above = place, .index = out->count};
		const char *text = form_get_text(reader, item, &here);
		struct stint_cel *cel = text ? stint_cel_compile(text, NULL) : NULL;
		if (!cel)
			return form_fail(reader, &here, "must be an expression on a device");
		stint_grow(&reader->selectors, &reader->selectors_capacity, reader->selectors_count + 1, sizeof(struct stint_cel *));
		reader->selectors[reader->selectors_count++] = items[out->count++] = cel;
	}
	return true;
}

/* Two pods with one specification must have one pointer: the engine goes by it. */
static bool get_spec(struct form_reader *reader, const struct stint_json *json, const struct place *place, struct stint_pod_spec **out)
{
	stint_autofree char *text = stint_json_print(json);
	*out = stint_map_get(reader->specs, text);
	if (*out && !reader->new_spec)
		return true;
	struct stint_pod_spec *spec = stint_arena_alloc(reader->arena, sizeof *spec);
	if (!form_get(reader, &form_spec, json, place, spec))
		return false;
	spec->refs = 1;
	stint_map_set(reader->specs, text, spec);
	*out = spec;
	return true;
}

bool form_get_items(struct form_reader *reader, const struct form *form, const struct stint_json *json, const struct place *place,
	const void **items, size_t *count)
{
	if (!get_list(reader, json, place, count))
		return false;
	char *room = stint_arena_alloc(reader->arena, *count * form->size);
	size_t at = 0;
	stint_json_each(item, json) {
		const struct place here = {.above = place, .index = at};
		if (!form_get(reader, form, item, &here, room + at++ * form->size))
			return false;
	}
	*items = room;
	return true;
}

static bool get_items(
	struct form_reader *reader, const struct stint_json *json, const struct place *place, const struct field *field, char *structure)
{
	const void *items = NULL;
	size_t count = 0;
	if (!form_get_items(reader, field->form, json, place, &items, &count))
		return false;
	memcpy(structure + field->offset, &items, sizeof items);
	set_count(field, structure, count);
	return true;
}

/* ---- fields ------------------------------------------------------------------------------------------------------------------------------- */

static bool get_text(struct form_reader *reader, const struct stint_json *json, const struct place *place, char *member)
{
	const char *text = form_get_text(reader, json, place);
	memcpy(member, &text, sizeof text);
	return text != NULL;
}

static bool get_whole(
	struct form_reader *reader, const struct stint_json *json, const struct place *place, const struct field *field, char *member)
{
	int64_t value;
	if (field->type == FIELD_I64) {
		if (!get_int(reader, json, place, field, INT64_MIN, INT64_MAX, &value))
			return false;
		memcpy(member, &value, sizeof value);
	} else if (field->type == FIELD_I32) {
		if (!get_int(reader, json, place, field, INT32_MIN, INT32_MAX, &value))
			return false;
		memcpy(member, &(int32_t){(int32_t)value}, sizeof(int32_t));
	} else {
		if (!get_int(reader, json, place, field, 0, UINT32_MAX, &value))
			return false;
		memcpy(member, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
	}
	return true;
}

static bool get_bool(struct form_reader *reader, const struct stint_json *json, const struct place *place, char *member)
{
	const bool value = stint_json_bool_or(json, false);
	memcpy(member, &value, sizeof value);
	return stint_json_type(json) == STINT_JSON_BOOL || form_fail(reader, place, "must be true or false");
}

static bool get_field(
	struct form_reader *reader, const struct stint_json *json, const struct place *place, const struct field *field, char *structure)
{
	char *member = structure + field->offset;
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_NAME: return get_text(reader, json, place, member);
	case FIELD_BOOL: return get_bool(reader, json, place, member);
	case FIELD_I32:
	case FIELD_U32:
	case FIELD_I64: return get_whole(reader, json, place, field, member);
	case FIELD_DOUBLE: {
		double value;
		if (!get_double(reader, json, place, field, &value))
			return false;
		memcpy(member, &value, sizeof value);
		return true;
	}
	case FIELD_CHOICE: {
		unsigned value;
		if (!form_get_choice(reader, json, place, field->names, field->names_count, &value))
			return false;
		memcpy(member, &value, sizeof value);
		return true;
	}
	case FIELD_CHOICES: return get_choices(reader, json, place, field, structure);
	case FIELD_SLOTS: return form_get_slots(reader, json, place, (void *)member);
	case FIELD_PAIRS: return get_pairs(reader, json, place, (void *)member);
	case FIELD_TEXTS: return get_texts(reader, json, place, field, structure);
	case FIELD_ITEMS: return get_items(reader, json, place, field, structure);
	case FIELD_ONE: return form_get(reader, field->form, json, place, member);
	case FIELD_SELECTORS: return get_selectors(reader, json, place, (void *)member);
	case FIELD_SPEC: return get_spec(reader, json, place, (void *)member);
	}
	return false;
}

static void set_default(const struct field *field, char *structure)
{
	char *member = structure + field->offset;
	if (field->type == FIELD_I64)
		memcpy(member, &field->otherwise, sizeof field->otherwise);
	else if (field->type == FIELD_I32)
		memcpy(member, &(int32_t){(int32_t)field->otherwise}, sizeof(int32_t));
	else if (field->type == FIELD_U32)
		memcpy(member, &(uint32_t){(uint32_t)field->otherwise}, sizeof(uint32_t));
}

bool form_get(
	struct form_reader *reader, const struct form *form, const struct stint_json *json, const struct place *place, void *structure)
{
	if (stint_json_type(json) != STINT_JSON_OBJECT)
		return form_fail(reader, place, "must be an object");
	size_t used = 0;
	for (size_t i = 0; i < form->fields_count; i++) {
		const struct field *field = &form->fields[i];
		const struct stint_json *value = stint_json_get(json, field->key);
		const struct place here = {.above = place, .key = field->key};
		set_default(field, structure);
		if (!value && (field->type == FIELD_NAME || field->type == FIELD_SPEC))
			return form_fail(reader, &here, "must be there");
		if (value && !get_field(reader, value, &here, field, structure))
			return false;
		used += value != NULL;
	}
	if (used == stint_json_count(json))
		return true;
	stint_json_each(member, json) {
		bool known = false;
		for (size_t i = 0; i < form->fields_count; i++)
			known = known || strcmp(form->fields[i].key, stint_json_key(member)) == 0;
		const struct place here = {.above = place, .key = stint_json_key(member)};
		if (!known)
			return form_fail(reader, &here, "is no key of a journal's");
	}
	return true;
}
