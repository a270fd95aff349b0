/*
 * From bytes to the tree, through the cursor: strict, with a bound on depth (the cursor's), duplicate keys refused or the last one kept.
 * Strings are unescaped straight into the memory that the tree's item will own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <stint/text.h>

struct reader {
	struct stint_cursor cursor;
	bool reject_duplicates;
};

static cJSON *read_value(struct reader *r);

static cJSON *new_item(int type)
{
	cJSON *item = cJSON_CreateNull();
	if (!item)
		abort();
	item->type = type;
	return item;
}

static cJSON *fail(struct reader *r, cJSON *half_done, const char *what)
{
	if (!r->cursor.error)
		r->cursor.error = what;
	cJSON_Delete(half_done);
	return NULL;
}

/* Memory that cJSON_free releases: cJSON is used with malloc and free. */
static char *unescaped(struct stint_slice text, bool escaped)
{
	if (!escaped)
		return stint_strndup(text.data, text.length);
	char *out = stint_realloc(NULL, text.length + 1);
	size_t length = stint_unescape(text, out);
	if (length == SIZE_MAX) {
		free(out);
		return NULL;
	}
	out[length] = '\0';
	return out;
}

static cJSON *read_string(struct reader *r)
{
	struct stint_slice text;
	bool escaped;
	if (!stint_cursor_string(&r->cursor, &text, &escaped))
		return NULL;
	char *value = unescaped(text, escaped);
	if (!value)
		return fail(r, NULL, "a string has a broken escape");
	cJSON *item = new_item(cJSON_String);
	item->valuestring = value;
	return item;
}

static cJSON *read_number(struct reader *r)
{
	struct stint_slice text;
	if (!stint_cursor_number(&r->cursor, &text))
		return NULL;
	stint_autofree char *digits = stint_slice_dup(text);
	double value = strtod(digits, NULL);
	if (!isfinite(value))
		return fail(r, NULL, "a number is too large");
	bool whole = strcspn(digits, ".eE") == text.length;
	if (whole && (value >= 9007199254740992.0 || value <= -9007199254740992.0)) {
		cJSON *raw = new_item(cJSON_Raw);
		raw->valuestring = stint_steal(&digits);
		return raw;
	}
	cJSON *item = new_item(cJSON_Number);
	cJSON_SetNumberHelper(item, value);
	return item;
}

static cJSON *read_array(struct reader *r)
{
	if (!stint_cursor_array(&r->cursor))
		return NULL;
	cJSON *array = new_item(cJSON_Array);
	while (stint_cursor_item(&r->cursor)) {
		cJSON *item = read_value(r);
		if (!item)
			return fail(r, array, NULL);
		cJSON_AddItemToArray(array, item);
	}
	return r->cursor.error ? fail(r, array, NULL) : array;
}

/* Finds an earlier member of that key. Past a few members a map keeps this from growing with their square. */
static cJSON *earlier_member(const cJSON *object, struct stint_map **index, size_t count, const char *key)
{
	const size_t few = 16;
	if (count < few)
		return cJSON_GetObjectItemCaseSensitive(object, key);
	if (!*index) {
		*index = stint_map_new(NULL);
		for (cJSON *member = object->child; member; member = member->next)
			stint_map_set(*index, member->string, member);
	}
	return stint_map_get(*index, key);
}

static bool put_member(struct reader *r, cJSON *object, struct stint_map **index, size_t *count, char *key, cJSON *value)
{
	cJSON *earlier = earlier_member(object, index, *count, key);
	if (earlier && r->reject_duplicates)
		return false;
	value->string = key;
	if (earlier)
		cJSON_ReplaceItemViaPointer(object, earlier, value);
	else
		cJSON_AddItemToArray(object, value);
	*count += !earlier;
	if (*index)
		stint_map_set(*index, key, value);
	return true;
}

static cJSON *read_members(struct reader *r, cJSON *object, struct stint_map **index)
{
	struct stint_slice raw_key;
	size_t count = 0;
	while (stint_cursor_key(&r->cursor, &raw_key)) {
		stint_autofree char *key = unescaped(raw_key, memchr(raw_key.data, '\\', raw_key.length));
		if (!key)
			return fail(r, object, "a key has a broken escape");
		cJSON *value = read_value(r);
		if (!value)
			return fail(r, object, NULL);
		if (!put_member(r, object, index, &count, key, value)) {
			cJSON_Delete(value);
			return fail(r, object, "a key stands twice in one object");
		}
		stint_steal(&key);
	}
	return r->cursor.error ? fail(r, object, NULL) : object;
}

static cJSON *read_object(struct reader *r)
{
	if (!stint_cursor_object(&r->cursor))
		return NULL;
	struct stint_map *index = NULL;
	cJSON *object = read_members(r, new_item(cJSON_Object), &index);
	stint_map_free(index);
	return object;
}

static cJSON *read_value(struct reader *r)
{
	bool truth = false;
	switch (stint_cursor_peek(&r->cursor)) {
	case STINT_JSON_OBJECT: return read_object(r);
	case STINT_JSON_ARRAY: return read_array(r);
	case STINT_JSON_STRING: return read_string(r);
	case STINT_JSON_NUMBER: return read_number(r);
	case STINT_JSON_BOOL: return stint_cursor_bool(&r->cursor, &truth) ? new_item(truth ? cJSON_True : cJSON_False) : NULL;
	default: return stint_cursor_null(&r->cursor) ? new_item(cJSON_NULL) : fail(r, NULL, "the text ends where a value should begin");
	}
}

static void locate(const struct stint_cursor *c, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (const char *at = c->start; at < c->at; at++) {
		*column = *at == '\n' ? 1 : *column + 1;
		*line += *at == '\n';
	}
}

struct stint_json *stint_json_parse(const char *data, size_t length, int flags, struct stint_error **err)
{
	struct reader r = {stint_cursor_over(data ? data : "", length), flags & STINT_JSON_REJECT_DUPLICATES};
	cJSON *tree = read_value(&r);
	if (tree && stint_cursor_end(&r.cursor))
		return (struct stint_json *)tree;
	cJSON_Delete(tree);
	size_t line, column;
	locate(&r.cursor, &line, &column);
	stint_fail(err, STINT_USAGE, "not valid JSON at line %zu, column %zu: %s", line, column, r.cursor.error);
	return NULL;
}
