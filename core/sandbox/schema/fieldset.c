/*
 * Sets of fields: algebra, the wire form, and paths for people.
 */
#include "core/sandbox/schema/fields.h"

#include <stdlib.h>
#include <string.h>

static bool is_member(const struct stint_json *node)
{
	return stint_json_get(node, ".") != NULL;
}

struct stint_json *schema_fields_decode(const struct stint_json *wire)
{
	struct stint_json *set = stint_json_new_object();
	if (stint_json_type(wire) != STINT_JSON_OBJECT)
		return set;
	stint_json_each(child, wire) {
		const char *key = stint_json_key(child);
		if (strcmp(key, ".") == 0) {
			stint_json_add(set, ".", stint_json_new_object());
			continue;
		}
		struct stint_json *node = stint_json_add(set, key, schema_fields_decode(child));
		if (!stint_json_first(node))
			stint_json_set(node, ".", stint_json_new_object());
	}
	return set;
}

struct stint_json *schema_fields_encode(const struct stint_json *set)
{
	struct stint_json *wire = stint_json_new_object();
	bool alone = is_member(set) && !stint_json_next(stint_json_first(set));
	stint_json_each(child, set) {
		if (strcmp(stint_json_key(child), ".") == 0) {
			if (!alone)
				stint_json_add(wire, ".", stint_json_new_object());
		} else {
			stint_json_add(wire, stint_json_key(child), schema_fields_encode(child));
		}
	}
	return wire;
}

bool schema_fields_empty(const struct stint_json *set)
{
	return !stint_json_first(set);
}

enum { FEW_MEMBERS = 16 };

static void note_members(struct fields_lookup *lookup)
{
	stint_json_each(member, lookup->object) {
		if (lookup->known++ == FEW_MEMBERS)
			lookup->index = stint_map_new(NULL);
	}
	if (lookup->index)
		stint_json_each(member, lookup->object)
			stint_map_set(lookup->index, stint_json_key(member), member);
	lookup->noted = true;
}

struct stint_json *schema_fields_find(struct fields_lookup *lookup, const char *key)
{
	if (stint_json_type(lookup->object) != STINT_JSON_OBJECT)
		return NULL;
	struct stint_json *found = lookup->near ? stint_json_next(lookup->near) : stint_json_first(lookup->object);
	if (!found || strcmp(stint_json_key(found), key) != 0) {
		if (!lookup->noted)
			note_members(lookup);
		found = lookup->index ? stint_map_get(lookup->index, key) : NULL;
		struct stint_json *member = lookup->index ? NULL : stint_json_first(lookup->object);
		for (size_t i = 0; i < lookup->known && member && !found; i++, member = stint_json_next(member))
			found = strcmp(stint_json_key(member), key) == 0 ? member : NULL;
	}
	if (found)
		lookup->near = found;
	return found;
}

void schema_fields_lookup_clear(struct fields_lookup *lookup)
{
	stint_map_free(lookup->index);
}

void schema_fields_union(struct stint_json *set, const struct stint_json *other)
{
	auto_fields_lookup lookup = {.object = set};
	stint_json_each(child, other) {
		const char *key = stint_json_key(child);
		struct stint_json *known = schema_fields_find(&lookup, key);
		if (known)
			schema_fields_union(known, child);
		else
			stint_json_add(set, key, stint_json_dup(child));
	}
}

void schema_fields_subtract(struct stint_json *set, const struct stint_json *other)
{
	auto_fields_lookup lookup = {.object = other};
	for (struct stint_json *child = stint_json_first(set), *next; child; child = next) {
		next = stint_json_next(child);
		const struct stint_json *taken = schema_fields_find(&lookup, stint_json_key(child));
		if (!taken)
			continue;
		if (strcmp(stint_json_key(child), ".") == 0) {
			stint_json_unlink(set, child);
			continue;
		}
		schema_fields_subtract(child, taken);
		if (schema_fields_empty(child))
			stint_json_unlink(set, child);
	}
}

struct stint_json *schema_fields_intersection(const struct stint_json *a, const struct stint_json *b)
{
	struct stint_json *both = stint_json_new_object();
	auto_fields_lookup lookup = {.object = b};
	stint_json_each(child, a) {
		const struct stint_json *other = schema_fields_find(&lookup, stint_json_key(child));
		if (!other)
			continue;
		if (strcmp(stint_json_key(child), ".") == 0) {
			stint_json_add(both, ".", stint_json_new_object());
			continue;
		}
		struct stint_json *node = schema_fields_intersection(child, other);
		if (schema_fields_empty(node))
			stint_json_free(node);
		else
			stint_json_add(both, stint_json_key(child), node);
	}
	return both;
}

/* ---- paths for people --------------------------------------------------------------------------------------------------------- */

char *schema_fields_shown_key(const char *key)
{
	if (stint_starts_with(key, "v:"))
		return stint_format("[=%s]", key + 2);
	stint_auto_json *keys = stint_json_parse(key + 2, strlen(key + 2), 0, NULL);
	stint_auto_buf text = {0};
	stint_buf_putc(&text, '[');
	stint_json_each(value, keys) {
		stint_autofree char *shown = stint_json_print(value);
		stint_buf_printf(&text, "%s%s=%s", value == stint_json_first(keys) ? "" : ",", stint_json_key(value), shown);
	}
	stint_buf_putc(&text, ']');
	return stint_buf_steal(&text);
}

static void put_element(struct stint_buf *path, const char *key)
{
	if (stint_starts_with(key, "f:")) {
		stint_buf_printf(path, ".%s", key + 2);
	} else {
		stint_autofree char *shown = schema_fields_shown_key(key);
		stint_buf_puts(path, shown);
	}
}

static int by_key(const void *a, const void *b)
{
	return strcmp(stint_json_key(*(const struct stint_json *const *)a), stint_json_key(*(const struct stint_json *const *)b));
}

static void visit_members(const struct stint_json *set, struct stint_buf *path, void (*visit)(void *user, const char *path), void *user)
{
	if (is_member(set) && path->length)
		visit(user, path->data);
	size_t count = 0;
	const struct stint_json **sorted = stint_alloc((stint_json_count(set) + 1) * sizeof(*sorted));
	stint_json_each(child, set)
		if (strcmp(stint_json_key(child), ".") != 0)
			sorted[count++] = child;
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), by_key);
	for (size_t i = 0; i < count; i++) {
		size_t mark = path->length;
		put_element(path, stint_json_key(sorted[i]));
		visit_members(sorted[i], path, visit, user);
		schema_path_pop(path, mark);
	}
	free(sorted);
}

void schema_fields_each(const struct stint_json *set, void (*visit)(void *user, const char *path), void *user)
{
	stint_auto_buf path = {0};
	visit_members(set, &path, visit, user);
}
