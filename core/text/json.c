/*
 * The tree: cJSON holds it; reading and printing are ours, because cJSON reads every number as a double, keeps keys that stand twice,
 * and prints with tabs. A whole number that a double cannot hold is kept as its own text (a raw item), so that it survives a round trip.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <stint/text.h>

static cJSON *node(struct stint_json *json)
{
	return (cJSON *)json;
}

static const cJSON *seen(const struct stint_json *json)
{
	return (const cJSON *)json;
}

static struct stint_json *ours(cJSON *item)
{
	if (!item)
		return NULL;
	return (struct stint_json *)item;
}

static struct stint_json *made(cJSON *item)
{
	if (!item)
		abort();
	return ours(item);
}

void stint_json_free(struct stint_json *json)
{
	cJSON_Delete(node(json));
}

void stint_json_wipe(struct stint_json *json)
{
	cJSON *item = node(json);
	if (!item)
		return;
	if (item->valuestring && !(item->type & cJSON_IsReference))
		explicit_bzero(item->valuestring, strlen(item->valuestring));
	for (cJSON *child = item->child; child; child = child->next)
		stint_json_wipe((struct stint_json *)child);
}

void stint_json_clear(struct stint_json **json)
{
	stint_json_free(*json);
	*json = NULL;
}

enum stint_json_type stint_json_type(const struct stint_json *json)
{
	switch (json ? seen(json)->type & 0xff : cJSON_NULL) {
	case cJSON_False:
	case cJSON_True: return STINT_JSON_BOOL;
	case cJSON_Number:
	case cJSON_Raw: return STINT_JSON_NUMBER;
	case cJSON_String: return STINT_JSON_STRING;
	case cJSON_Array: return STINT_JSON_ARRAY;
	case cJSON_Object: return STINT_JSON_OBJECT;
	default: return STINT_JSON_NULL;
	}
}

struct stint_json *stint_json_get(const struct stint_json *object, const char *key)
{
	return stint_json_type(object) == STINT_JSON_OBJECT ? ours(cJSON_GetObjectItemCaseSensitive(seen(object), key)) : NULL;
}

struct stint_json *stint_json_at_keys(const struct stint_json *object, const char *const *keys)
{
	struct stint_json *at = stint_json_get(object, *keys);
	while (at && *++keys)
		at = stint_json_get(at, *keys);
	return at;
}

const char *stint_json_string(const struct stint_json *json)
{
	return stint_json_type(json) == STINT_JSON_STRING ? seen(json)->valuestring : NULL;
}

const char *stint_json_string_or(const struct stint_json *json, const char *otherwise)
{
	const char *text = stint_json_string(json);
	return text ? text : otherwise;
}

bool stint_json_int(const struct stint_json *json, int64_t *out)
{
	if (stint_json_type(json) != STINT_JSON_NUMBER)
		return false;
	if ((seen(json)->type & 0xff) == cJSON_Raw)
		return stint_parse_int(seen(json)->valuestring, INT64_MIN, INT64_MAX, out);
	double value = seen(json)->valuedouble;
	if (value != floor(value) || value < -9223372036854775808.0 || value >= 9223372036854775808.0)
		return false;
	*out = (int64_t)value;
	return true;
}

int64_t stint_json_int_or(const struct stint_json *json, int64_t otherwise)
{
	int64_t value;
	return stint_json_int(json, &value) ? value : otherwise;
}

bool stint_json_double(const struct stint_json *json, double *out)
{
	if (stint_json_type(json) != STINT_JSON_NUMBER)
		return false;
	*out = (seen(json)->type & 0xff) == cJSON_Raw ? strtod(seen(json)->valuestring, NULL) : seen(json)->valuedouble;
	return true;
}

bool stint_json_bool_or(const struct stint_json *json, bool otherwise)
{
	return stint_json_type(json) == STINT_JSON_BOOL ? cJSON_IsTrue(seen(json)) : otherwise;
}

size_t stint_json_count(const struct stint_json *container)
{
	size_t count = 0;
	stint_json_each(item, container)
		count++;
	return count;
}

struct stint_json *stint_json_item(const struct stint_json *array, size_t index)
{
	stint_json_each(item, array) {
		if (index-- == 0)
			return item;
	}
	return NULL;
}

const char *stint_json_key(const struct stint_json *member)
{
	return seen(member)->string;
}

struct stint_json *stint_json_first(const struct stint_json *container)
{
	return container ? ours(seen(container)->child) : NULL;
}

struct stint_json *stint_json_next(const struct stint_json *item)
{
	return ours(seen(item)->next);
}

bool stint_json_equal(const struct stint_json *a, const struct stint_json *b)
{
	enum stint_json_type type = stint_json_type(a);
	if (type != stint_json_type(b))
		return false;
	if (type == STINT_JSON_NULL)
		return true; /* nothing is equal to nothing, too */
	if (type == STINT_JSON_OBJECT) {
		if (stint_json_count(a) != stint_json_count(b))
			return false;
		/* Members mostly stand in the same order: look there first. */
		const struct stint_json *other = stint_json_first(b);
		stint_json_each(member, a) {
			const char *key = stint_json_key(member);
			if (!other || strcmp(stint_json_key(other), key) != 0)
				other = stint_json_get(b, key);
			if (!other || !stint_json_equal(member, other))
				return false;
			other = stint_json_next(other);
		}
		return true;
	}
	if (type == STINT_JSON_ARRAY) {
		const struct stint_json *other = stint_json_first(b);
		stint_json_each(item, a) {
			if (!other || !stint_json_equal(item, other))
				return false;
			other = stint_json_next(other);
		}
		return !other;
	}
	if (type == STINT_JSON_STRING)
		return strcmp(seen(a)->valuestring, seen(b)->valuestring) == 0;
	int64_t whole_a, whole_b;
	if (stint_json_int(a, &whole_a) && stint_json_int(b, &whole_b))
		return whole_a == whole_b;
	return (seen(a)->type & 0xff) == (seen(b)->type & 0xff) &&
		(type != STINT_JSON_NUMBER ||
			!(seen(a)->valuedouble < seen(b)->valuedouble || seen(a)->valuedouble > seen(b)->valuedouble));
}

struct stint_json *stint_json_new_object(void)
{
	return made(cJSON_CreateObject());
}

struct stint_json *stint_json_new_array(void)
{
	return made(cJSON_CreateArray());
}

struct stint_json *stint_json_new_string(const char *text)
{
	return made(text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

struct stint_json *stint_json_new_int(int64_t value)
{
	if (value > -(1LL << 53) && value < 1LL << 53)
		return stint_json_new_double((double)value);
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)value);
	return made(cJSON_CreateRaw(text));
}

struct stint_json *stint_json_new_double(double value)
{
	return made(cJSON_CreateNumber(value));
}

struct stint_json *stint_json_new_bool(bool value)
{
	return made(cJSON_CreateBool(value));
}

struct stint_json *stint_json_new_null(void)
{
	return made(cJSON_CreateNull());
}

struct stint_json *stint_json_dup(const struct stint_json *json)
{
	return json ? made(cJSON_Duplicate(seen(json), true)) : NULL;
}

struct stint_json *stint_json_set(struct stint_json *object, const char *key, struct stint_json *value)
{
	struct stint_json *old = stint_json_get(object, key);
	if (old)
		stint_json_replace(object, old, value);
	else
		cJSON_AddItemToObject(node(object), key, node(value));
	return value;
}

struct stint_json *stint_json_add(struct stint_json *object, const char *key, struct stint_json *value)
{
	cJSON_AddItemToObject(node(object), key, node(value));
	return value;
}

struct stint_json *stint_json_set_string(struct stint_json *object, const char *key, const char *value)
{
	return stint_json_set(object, key, stint_json_new_string(value));
}

struct stint_json *stint_json_set_int(struct stint_json *object, const char *key, int64_t value)
{
	return stint_json_set(object, key, stint_json_new_int(value));
}

struct stint_json *stint_json_set_double(struct stint_json *object, const char *key, double value)
{
	return stint_json_set(object, key, stint_json_new_double(value));
}

struct stint_json *stint_json_set_bool(struct stint_json *object, const char *key, bool value)
{
	return stint_json_set(object, key, stint_json_new_bool(value));
}

struct stint_json *stint_json_ensure_object(struct stint_json *object, const char *key)
{
	struct stint_json *there = stint_json_get(object, key);
	return stint_json_type(there) == STINT_JSON_OBJECT ? there : stint_json_set(object, key, stint_json_new_object());
}

struct stint_json *stint_json_ensure_array(struct stint_json *object, const char *key)
{
	struct stint_json *there = stint_json_get(object, key);
	return stint_json_type(there) == STINT_JSON_ARRAY ? there : stint_json_set(object, key, stint_json_new_array());
}

struct stint_json *stint_json_append(struct stint_json *array, struct stint_json *value)
{
	cJSON_AddItemToArray(node(array), node(value));
	return value;
}

void stint_json_insert(struct stint_json *array, size_t index, struct stint_json *value)
{
	cJSON *after = node(stint_json_item(array, index)), *item = node(value);
	if (!after) {
		stint_json_append(array, value);
		return;
	}
	/* Linked by hand: cJSON_InsertItemInArray of Debian 12 (1.7.15-1+deb12u4) refuses every place but the first. */
	item->next = after;
	item->prev = after->prev;
	after->prev = item;
	if (node(array)->child == after)
		node(array)->child = item;
	else
		item->prev->next = item;
}

bool stint_json_remove(struct stint_json *object, const char *key)
{
	struct stint_json *taken = stint_json_take(object, key);
	stint_json_free(taken);
	return taken;
}

struct stint_json *stint_json_take(struct stint_json *object, const char *key)
{
	struct stint_json *member = stint_json_get(object, key);
	if (!member)
		return NULL;
	cJSON *item = cJSON_DetachItemViaPointer(node(object), node(member));
	cJSON_free(item->string);
	item->string = NULL;
	return ours(item);
}

void stint_json_unlink(struct stint_json *container, struct stint_json *item)
{
	cJSON_Delete(cJSON_DetachItemViaPointer(node(container), node(item)));
}

void stint_json_replace(struct stint_json *container, struct stint_json *item, struct stint_json *value)
{
	cJSON *new_item = node(value), *old = node(item);
	if (old->string) {
		cJSON_free(new_item->string);
		new_item->string = old->string;
		old->string = NULL;
	}
	cJSON_ReplaceItemViaPointer(node(container), old, new_item);
}
