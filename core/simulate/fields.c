/*
 * fields: typed fields of a scenario, each checked once, with the place for the error.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scenario.h"

static size_t append_place(const struct place *place, char *out, size_t room)
{
	size_t length = place->above ? append_place(place->above, out, room) : 0;
	if (length >= room)
		return length;
	int added;
	if (place->index >= 0)
		added = snprintf(out + length, room - length, "[%lld]", (long long)place->index);
	else
		added = snprintf(out + length, room - length, "%s%s", length ? "." : "", place->key);
	length += added > 0 ? (size_t)added : 0;
	return length < room ? length : room - 1;
}

const char *field_place(const struct place *place, const char *key, char out[static PLACE_MAX])
{
	const struct place here = {.above = place, .key = key, .index = -1};
	out[0] = '\0';
	append_place(key ? &here : place, out, PLACE_MAX);
	return out;
}

bool field_fail(const struct place *place, const char *key, struct stint_error **err, const char *what)
{
	char text[PLACE_MAX];
	return stint_fail(err, STINT_USAGE, "scenario: %s %s", field_place(place, key, text), what);
}

bool field_text(const struct place *place, const struct stint_json *object, const char *key, const char **out, struct stint_error **err)
{
	*out = stint_json_string(stint_json_get(object, key));
	if (*out && **out && strlen(*out) <= 253)
		return true;
	return field_fail(place, key, err, "must be a text of 1 to 253 bytes");
}

static bool is_absent(const struct stint_json *value)
{
	return stint_json_type(value) == STINT_JSON_NULL;
}

bool field_number(const struct place *place, const struct stint_json *object, const char *key, double low, double high, double otherwise,
	double *out, struct stint_error **err)
{
	const struct stint_json *value = stint_json_get(object, key);
	*out = otherwise;
	if (is_absent(value))
		return true;
	if (stint_json_double(value, out) && *out >= low && *out <= high)
		return true;
	char what[96];
	snprintf(what, sizeof what, "must be a number from %g to %g", low, high);
	return field_fail(place, key, err, what);
}

bool field_seconds(const struct place *place, const struct stint_json *object, const char *key, int64_t otherwise_ms, int64_t *out_ms,
	struct stint_error **err)
{
	double seconds;
	if (!field_number(place, object, key, -1e9, 1e9, (double)otherwise_ms / 1000, &seconds, err))
		return false;
	*out_ms = llround(seconds * 1000);
	return true;
}

bool field_amount(const struct place *place, const struct stint_json *object, const char *key, enum stint_unit unit, double otherwise,
	double *out, struct stint_error **err)
{
	const struct stint_json *value = stint_json_get(object, key);
	const char *text = stint_json_string(value);
	*out = otherwise;
	if (is_absent(value))
		return true;
	if (text && strcmp(text, "unlimited") == 0) {
		*out = -1;
		return true;
	}
	int64_t whole;
	if (text && stint_quantity_parse(stint_slice_of(text), unit, &whole) && whole >= 0) {
		*out = (double)whole;
		return true;
	}
	if (stint_json_double(value, out) && *out >= 0 && *out <= 1e15) {
		*out *= unit == STINT_UNIT_MILLI ? 1000 : 1;
		return true;
	}
	return field_fail(place, key, err, "must be an amount that is not negative, or \"unlimited\"");
}

bool field_choice(const struct place *place, const struct stint_json *object, const char *key, const char *const *names, size_t count,
	int otherwise, int *out, struct stint_error **err)
{
	const struct stint_json *value = stint_json_get(object, key);
	*out = otherwise;
	if (is_absent(value))
		return true;
	const char *text = stint_json_string(value);
	for (size_t i = 0; text && i < count; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (int)i;
			return true;
		}
	}
	stint_auto_buf what = {0};
	stint_buf_puts(&what, "must be one of ");
	for (size_t i = 0; i < count; i++)
		stint_buf_printf(&what, "%s%s", i ? ", " : "", names[i]);
	return field_fail(place, key, err, what.data);
}

bool field_array(const struct place *place, const struct stint_json *object, const char *key, size_t most, const struct stint_json **out,
	size_t *count, struct stint_error **err)
{
	const struct stint_json *value = stint_json_get(object, key);
	*out = NULL;
	*count = 0;
	if (is_absent(value))
		return true;
	if (stint_json_type(value) != STINT_JSON_ARRAY)
		return field_fail(place, key, err, "must be a list");
	*out = value;
	*count = stint_json_count(value);
	return *count <= most ? true : field_fail(place, key, err, "has too many items");
}
