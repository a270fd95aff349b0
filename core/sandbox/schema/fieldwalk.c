/*
 * Walks over typed objects: which fields a configuration sets, and how two states of an object differ. The rules are those of
 * structured-merge-diff: atomic values and scalars are leaves; items of associative lists are told apart by their keys; an empty
 * object is a leaf, so that its being there can be owned.
 */
#include "core/sandbox/schema/fields.h"

#include <stdlib.h>
#include <string.h>

const struct stint_type *schema_fields_member_type(const struct stint_type *type, const char *name)
{
	if (!type)
		return NULL;
	const struct type_field *field = type->form == FORM_OBJECT ? schema_field(type, name) : NULL;
	return field ? field->type : type->item;
}

/* Where the schema says nothing: objects are merged, everything else is a leaf. */
static bool is_deduced(const struct stint_type *type)
{
	return !type || (type->form == FORM_ANY && type->custom);
}

bool schema_fields_is_leaf(const struct stint_type *type, const struct stint_json *value)
{
	enum stint_json_type given = stint_json_type(value);
	if (is_deduced(type))
		return given != STINT_JSON_OBJECT;
	switch (type->form) {
	case FORM_OBJECT:
	case FORM_MAP: return type->atomic || (given != STINT_JSON_OBJECT && given != STINT_JSON_NULL);
	case FORM_LIST: return type->topology == LIST_ATOMIC || (given != STINT_JSON_ARRAY && given != STINT_JSON_NULL);
	default: return true;
	}
}

/* ---- keys of items -------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *schema_fields_item_key(const struct stint_type *list, const struct stint_json *item)
{
	if (list->topology == LIST_SET) {
		stint_autofree char *value = stint_json_print(item);
		return stint_format("v:%s", value);
	}
	const char *sorted[8] = {0};
	size_t count = 0;
	for (const char *const *key = list->keys; *key && count < STINT_COUNT(sorted); key++)
		sorted[count++] = *key;
	qsort(sorted, count, sizeof(*sorted), by_name);
	stint_auto_json *keys = stint_json_new_object();
	for (size_t i = 0; i < count; i++) {
		const struct stint_json *value = stint_json_get(item, sorted[i]);
		const struct type_field *field = schema_field(list->item, sorted[i]);
		if (!value && field)
			value = field->otherwise;
		if (value)
			stint_json_set(keys, sorted[i], stint_json_dup(value));
		else if (!field || field->type->custom)
			return NULL;
		else if (field->type->form == FORM_STRING) /* a built-in kind's missing key is its zero value */
			stint_json_set_string(keys, sorted[i], "");
		else
			stint_json_set_int(keys, sorted[i], 0);
	}
	stint_autofree char *text = stint_json_print(keys);
	return stint_format("k:%s", text);
}

struct stint_json *schema_fields_find_item(const struct stint_type *list, const struct stint_json *items, const char *key)
{
	stint_json_each(item, items) {
		stint_autofree char *other = schema_fields_item_key(list, item);
		if (other && strcmp(other, key) == 0)
			return item;
	}
	return NULL;
}

/* ---- the fields of a configuration ------------------------------------------------------------------------------------------------ */

static struct stint_json *enter(struct stint_json *set, const char *prefix, const char *name)
{
	stint_autofree char *key = stint_format("%s%s", prefix, name);
	return stint_json_ensure_object(set, key);
}

static void own(struct stint_json *node)
{
	stint_json_ensure_object(node, ".");
}

static void collect(const struct stint_type *type, const struct stint_json *value, struct stint_json *node)
{
	if (schema_fields_is_leaf(type, value)) {
		own(node);
		return;
	}
	if (stint_json_type(value) == STINT_JSON_OBJECT) {
		stint_json_each(member, value) {
			const char *name = stint_json_key(member);
			struct stint_json *child = enter(node, "f:", name);
			collect(schema_fields_member_type(type, name), member, child);
			bool is_field = type && type->form == FORM_OBJECT && schema_field(type, name);
			bool empty = stint_json_type(member) == STINT_JSON_NULL ||
				(stint_json_type(member) == STINT_JSON_OBJECT && !stint_json_first(member));
			if (empty || !is_field)
				own(child);
		}
		return;
	}
	stint_json_each(item, value) {
		stint_autofree char *key = schema_fields_item_key(type, item);
		if (!key)
			continue;
		struct stint_json *child = stint_json_ensure_object(node, key);
		collect(type->item, item, child);
		own(child);
	}
}

/* Nodes that turned out to hold no member. */
static void drop_hollow(struct stint_json *set)
{
	for (struct stint_json *child = stint_json_first(set), *next; child; child = next) {
		next = stint_json_next(child);
		if (strcmp(stint_json_key(child), ".") == 0)
			continue;
		drop_hollow(child);
		if (!stint_json_first(child))
			stint_json_unlink(set, child);
	}
}

struct stint_json *schema_fields_of(const struct stint_type *type, const struct stint_json *object)
{
	struct stint_json *set = stint_json_new_object();
	collect(type, object, set);
	drop_hollow(set);
	return set;
}

/* ---- differences --------------------------------------------------------------------------------------------------------------------- */

enum { MAX_DEPTH = STINT_JSON_MAX_DEPTH + 8 };

struct walk {
	const char *path[MAX_DEPTH];
	size_t depth;
	struct fields_difference *difference;
};

static void insert(const struct walk *walk, struct stint_json *set)
{
	for (size_t i = 0; i < walk->depth; i++)
		set = stint_json_ensure_object(set, walk->path[i]);
	own(set);
}

static void compare(struct walk *walk, const struct stint_type *type, const struct stint_json *old, const struct stint_json *now);

static void descend(
	struct walk *walk, const char *key, const struct stint_type *type, const struct stint_json *old, const struct stint_json *now)
{
	if (walk->depth == MAX_DEPTH)
		return;
	walk->path[walk->depth++] = key;
	compare(walk, type, old, now);
	walk->depth--;
}

static void compare_leaf(struct walk *walk, const struct stint_json *old, const struct stint_json *now)
{
	if (!old)
		insert(walk, walk->difference->added);
	else if (!now)
		insert(walk, walk->difference->removed);
	else if (!stint_json_equal(old, now))
		insert(walk, walk->difference->modified);
}

static void compare_members(struct walk *walk, const struct stint_type *type, const struct stint_json *old, const struct stint_json *now)
{
	const struct stint_json *sides[] = {now, old};
	for (size_t side = 0; side < STINT_COUNT(sides); side++) {
		if (stint_json_type(sides[side]) != STINT_JSON_OBJECT)
			continue;
		stint_json_each(member, sides[side]) {
			const char *name = stint_json_key(member);
			const struct stint_json *other =
				stint_json_type(sides[1 - side]) == STINT_JSON_OBJECT ? stint_json_get(sides[1 - side], name) : NULL;
			if (side == 1 && other) /* seen from the other side */
				continue;
			if (other == NULL || !stint_json_equal(member, other)) {
				stint_autofree char *key = stint_format("f:%s", name);
				descend(walk, key, schema_fields_member_type(type, name), side ? member : other, side ? other : member);
			}
		}
	}
}

static void compare_items(struct walk *walk, const struct stint_type *type, const struct stint_json *old, const struct stint_json *now)
{
	const struct stint_json *sides[] = {now, old};
	for (size_t side = 0; side < STINT_COUNT(sides); side++) {
		if (stint_json_type(sides[side]) != STINT_JSON_ARRAY)
			continue;
		stint_json_each(item, sides[side]) {
			stint_autofree char *key = schema_fields_item_key(type, item);
			const struct stint_json *other = key ? schema_fields_find_item(type, sides[1 - side], key) : NULL;
			if (!key || (side == 1 && other))
				continue;
			descend(walk, key, type->item, side ? item : other, side ? other : item);
		}
	}
}

static void compare(struct walk *walk, const struct stint_type *type, const struct stint_json *old, const struct stint_json *now)
{
	bool hollow = !stint_json_first(old) && !stint_json_first(now); /* scalars, too: they have no items */
	if (schema_fields_is_leaf(type, now ? now : old) || (old && now && schema_fields_is_leaf(type, old)) || hollow) {
		compare_leaf(walk, old, now);
		return;
	}
	if (stint_json_type(now) == STINT_JSON_ARRAY || (stint_json_type(old) == STINT_JSON_ARRAY))
		compare_items(walk, type, old, now);
	else
		compare_members(walk, type, old, now);
	if (!old)
		insert(walk, walk->difference->added);
	else if (!now)
		insert(walk, walk->difference->removed);
}

void schema_fields_compare(
	const struct stint_type *type, const struct stint_json *old, const struct stint_json *now, struct fields_difference *difference)
{
	*difference = (struct fields_difference){stint_json_new_object(), stint_json_new_object(), stint_json_new_object()};
	struct walk walk = {.difference = difference};
	compare_members(&walk, type, old, now);
}

void schema_fields_difference_clear(struct fields_difference *difference)
{
	stint_json_free(difference->added);
	stint_json_free(difference->modified);
	stint_json_free(difference->removed);
}
