/*
 * Sets of fields, as managedFields records them, and the walks over objects that make them. Internal to core/sandbox/schema/.
 *
 * A set is a tree of JSON objects keyed as FieldsV1 keys them: "f:NAME" a field, "k:{...}" the list item with these keys, "v:VALUE" the
 * item of a set. While we compute, a member always carries ".": the wire form, where a member without children is just {}, is made and
 * read at the border (schema_fields_encode, schema_fields_decode).
 */
#ifndef STINT_SANDBOX_SCHEMA_FIELDS_H
#define STINT_SANDBOX_SCHEMA_FIELDS_H

#include "core/sandbox/schema/types.h"

struct stint_json *schema_fields_decode(const struct stint_json *wire); /* never NULL */
struct stint_json *schema_fields_encode(const struct stint_json *set);
bool schema_fields_empty(const struct stint_json *set);
/*
 * Looking up many members of one object, which would else cost the square of its size: mostly they come in its order, so the member behind the
 * one found last is looked at first, and a large object is indexed at the first miss. Start with {.object = ...}. Members may be added
 * meanwhile, and need not be found then; none may go.
 */
struct fields_lookup {
	const struct stint_json *object;
	const struct stint_json *near; /* found last */
	struct stint_map *index;
	size_t known; /* members at the first miss */
	bool noted;
};
struct stint_json *schema_fields_find(struct fields_lookup *lookup, const char *key);
void schema_fields_lookup_clear(struct fields_lookup *lookup);
#define auto_fields_lookup STINT_CLEANUP(schema_fields_lookup_clear) struct fields_lookup

void schema_fields_union(struct stint_json *set, const struct stint_json *other);
void schema_fields_subtract(struct stint_json *set, const struct stint_json *other);
/* Members that are in both; a new set. */
struct stint_json *schema_fields_intersection(const struct stint_json *a, const struct stint_json *b);
/* Calls visit for each member with its path as people read it: .spec.containers[name="x"].image */
void schema_fields_each(const struct stint_json *set, void (*visit)(void *user, const char *path), void *user);

/* How an item of a list of this type is keyed in a set; NULL when it lacks a key. Freed by the caller. */
char *schema_fields_item_key(const struct stint_type *list, const struct stint_json *item);
/* Items of a list with their keys, so that comparing and merging need no search of the whole list for each of them. */
struct keyed {
	char *key; /* "" of an item that lacks one */
	struct stint_json *item;
	bool done; /* the caller's */
};
struct keyed_list {
	struct keyed *list;
	size_t count;
	struct stint_map *index; /* key -> the first of that key */
};
struct keyed_list schema_fields_keyed(const struct stint_type *list, const struct stint_json *items); /* no list: empty */
struct keyed *schema_fields_keyed_find(const struct keyed_list *keyed, const char *key);
void schema_fields_keyed_clear(struct keyed_list *keyed);
/* That key as people read it: [name="x"]. Freed by the caller. */
char *schema_fields_shown_key(const char *key);
/* Whether a value of this type is owned as a whole; *type is followed to what the value shows where the schema says nothing. */
bool schema_fields_is_leaf(const struct stint_type *type, const struct stint_json *value);
/* The type of a member, NULL where the schema says nothing about it. */
const struct stint_type *schema_fields_member_type(const struct stint_type *type, const char *name);

/* All fields that an applied configuration sets. */
struct stint_json *schema_fields_of(const struct stint_type *type, const struct stint_json *object);

struct fields_difference {
	struct stint_json *added, *modified, *removed;
};
void schema_fields_compare(
	const struct stint_type *type, const struct stint_json *old, const struct stint_json *now, struct fields_difference *difference);
void schema_fields_difference_clear(struct fields_difference *difference); /* for STINT_CLEANUP */

/* ---- managers --------------------------------------------------------------------------------------------------------------- */

/* One entry of managedFields. */
struct manager {
	char *name, *api_version, *subresource, *time;
	bool applied; /* operation Apply */
	struct stint_json *set;
};
struct managers {
	struct manager *list;
	size_t count, capacity;
};
void schema_managers_read(struct managers *managers, const struct stint_json *managed_fields);
/* The entry of that identity, made when absent. */
struct manager *schema_managers_entry(
	struct managers *managers, const struct stint_kind *kind, const struct stint_writer *writer, bool applied);
/* Takes these fields from everybody but `except` (may be NULL). */
void schema_managers_subtract(struct managers *managers, const struct stint_json *set, const struct manager *except);
/* Writes metadata.managedFields, entries without fields left out, in the order of a real server. */
void schema_managers_write(struct managers *managers, struct stint_json *object);
void schema_managers_clear(struct managers *managers); /* for STINT_CLEANUP */
#define auto_managers STINT_CLEANUP(schema_managers_clear) struct managers

/* Takes out what nobody owns (name, uid, resourceVersion, ...) and what a write of that subresource does not touch. */
void schema_fields_filter(const struct stint_kind *kind, const char *subresource, struct stint_json *set);
/* Everything that the object sets beyond what an empty object of its kind has. */
struct stint_json *schema_fields_beyond_zero(const struct stint_kind *kind, const struct stint_json *object);

#endif
