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

struct keyed_list schema_fields_keyed(const struct stint_type *type, const struct stint_json *items)
{
	bool list = stint_json_type(items) == STINT_JSON_ARRAY;
	struct keyed_list keyed = {.index = stint_map_new(NULL)};
	keyed.list = stint_alloc(((list ? stint_json_count(items) : 0) + 1) * sizeof(keyed.list[0]));
	stint_json_each(item, list ? items : NULL) {
		struct keyed *entry = &keyed.list[keyed.count++];
		char *key = schema_fields_item_key(type, item);
		*entry = (struct keyed){key ? key : stint_strdup(""), item, false};
		if (!stint_map_has(keyed.index, entry->key))
			stint_map_set(keyed.index, entry->key, entry);
	}
	return keyed;
}

struct keyed *schema_fields_keyed_find(const struct keyed_list *keyed, const char *key)
{
	return stint_map_get(keyed->index, key);
}

void schema_fields_keyed_clear(struct keyed_list *keyed)
{
	for (size_t i = 0; i < keyed->count; i++)
		free(keyed->list[i].key);
	free(keyed->list);
	stint_map_free(keyed->index);
}

/* ---- the fields of a configuration ------------------------------------------------------------------------------------------------ */

/* For a key that the set cannot have yet: searching would make large objects cost the square of their size. */
static struct stint_json *enter_new(struct stint_json *set, const char *prefix, const char *name)
{
	stint_autofree char *key = stint_format("%s%s", prefix, name);
	return stint_json_add(set, key, stint_json_new_object());
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
			struct stint_json *child = enter_new(node, "f:", name);
			collect(schema_fields_member_type(type, name), member, child);
			bool is_field = type && type->form == FORM_OBJECT && schema_field(type, name);
			bool empty = stint_json_type(member) == STINT_JSON_NULL ||
				(stint_json_type(member) == STINT_JSON_OBJECT && !stint_json_first(member));
			if (empty || !is_field)
				own(child);
		}
		return;
	}
	struct keyed_list keyed = schema_fields_keyed(type, value);
	const bool once = stint_map_count(keyed.index) == keyed.count;
	for (size_t i = 0; i < keyed.count; i++) {
		const struct keyed *each = &keyed.list[i];
		if (!*each->key)
			continue;
		struct stint_json *child =
			once ? stint_json_add(node, each->key, stint_json_new_object()) : stint_json_ensure_object(node, each->key);
		collect(type->item, each->item, child);
		own(child);
	}
	schema_fields_keyed_clear(&keyed);
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
enum { ADDED, MODIFIED, REMOVED, SETS };

/* The nodes of the path in each set are kept while the walk is below them, so that an insertion need not look for them from the root. */
struct walk {
	struct {
		const char *key;
		bool once; /* no other place of its container has this key, so what lies here is new to a set */
		struct stint_json *nodes[SETS]; /* NULL: not there yet */
	} path[MAX_DEPTH];
	size_t depth;
	struct stint_json *sets[SETS];
};

static void insert(struct walk *walk, int which)
{
	struct stint_json *set = walk->sets[which];
	for (size_t i = 0; i < walk->depth; i++) {
		struct stint_json **node = &walk->path[i].nodes[which];
		if (!*node)
			*node = walk->path[i].once ? stint_json_add(set, walk->path[i].key, stint_json_new_object())
						   : stint_json_ensure_object(set, walk->path[i].key);
		set = *node;
	}
	own(set);
}

static void compare(struct walk *walk, const struct stint_type *type, const struct stint_json *old, const struct stint_json *now);

static void descend(struct walk *walk, const char *key, bool once, const struct stint_type *type, const struct stint_json *old,
	const struct stint_json *now)
{
	if (walk->depth == MAX_DEPTH)
		return;
	walk->path[walk->depth].key = key;
	walk->path[walk->depth].once = once && (walk->depth == 0 || walk->path[walk->depth - 1].once);
	memset(walk->path[walk->depth].nodes, 0, sizeof(walk->path[0].nodes));
	walk->depth++;
	compare(walk, type, old, now);
	walk->depth--;
}

static void compare_leaf(struct walk *walk, const struct stint_json *old, const struct stint_json *now)
{
	if (!old)
		insert(walk, ADDED);
	else if (!now)
		insert(walk, REMOVED);
	else if (!stint_json_equal(old, now))
		insert(walk, MODIFIED);
}

static void compare_members(struct walk *walk, const struct stint_type *type, const struct stint_json *old, const struct stint_json *now)
{
	const struct stint_json *sides[] = {now, old};
	for (size_t side = 0; side < STINT_COUNT(sides); side++) {
		auto_fields_lookup lookup = {.object = sides[1 - side]};
		if (stint_json_type(sides[side]) != STINT_JSON_OBJECT)
			continue;
		stint_json_each(member, sides[side]) {
			const char *name = stint_json_key(member);
			const struct stint_json *other = schema_fields_find(&lookup, name);
			if (side == 1 && other) /* seen from the other side */
				continue;
			if (other == NULL || !stint_json_equal(member, other)) {
				stint_autofree char *key = stint_format("f:%s", name);
				descend(walk, key, true, schema_fields_member_type(type, name), side ? member : other,
					side ? other : member);
			}
		}
	}
}

static void compare_items(struct walk *walk, const struct stint_type *type, const struct stint_json *old, const struct stint_json *now)
{
	struct keyed_list sides[] = {schema_fields_keyed(type, now), schema_fields_keyed(type, old)};
	for (size_t side = 0; side < STINT_COUNT(sides); side++) {
		const bool once = stint_map_count(sides[side].index) == sides[side].count;
		for (size_t i = 0; i < sides[side].count; i++) {
			const struct keyed *each = &sides[side].list[i], *twin = schema_fields_keyed_find(&sides[1 - side], each->key);
			const struct stint_json *other = twin ? twin->item : NULL;
			if (!*each->key || (side == 1 && other))
				continue;
			descend(walk, each->key, once, type->item, side ? each->item : other, side ? other : each->item);
		}
	}
	for (size_t side = 0; side < STINT_COUNT(sides); side++)
		schema_fields_keyed_clear(&sides[side]);
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
		insert(walk, ADDED);
	else if (!now)
		insert(walk, REMOVED);
}

void schema_fields_compare(
	const struct stint_type *type, const struct stint_json *old, const struct stint_json *now, struct fields_difference *difference)
{
	*difference = (struct fields_difference){stint_json_new_object(), stint_json_new_object(), stint_json_new_object()};
	struct walk walk = {.sets = {difference->added, difference->modified, difference->removed}};
	compare_members(&walk, type, old, now);
}

void schema_fields_difference_clear(struct fields_difference *difference)
{
	stint_json_free(difference->added);
	stint_json_free(difference->modified);
	stint_json_free(difference->removed);
}
