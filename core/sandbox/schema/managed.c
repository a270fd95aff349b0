/*
 * managedFields: who set which field. Reading and writing the record, and what an ordinary write does to it.
 */
#include "core/sandbox/schema/fields.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_UPDATERS = 10 };

/* Fields of metadata that belong to the server. */
static const char *const system_fields[] = {
	"f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:generation", "f:managedFields", "f:resourceVersion"};

static void manager_free(struct manager *manager)
{
	free(manager->name);
	free(manager->api_version);
	free(manager->subresource);
	free(manager->time);
	stint_json_free(manager->set);
}

void schema_managers_clear(struct managers *managers)
{
	for (size_t i = 0; i < managers->count; i++)
		manager_free(&managers->list[i]);
	free(managers->list);
	*managers = (struct managers){0};
}

static char *text_of(const struct stint_json *entry, const char *key)
{
	return stint_strdup(stint_json_string_or(stint_json_get(entry, key), ""));
}

static struct manager *append(struct managers *managers)
{
	stint_grow(&managers->list, &managers->capacity, managers->count + 1, sizeof(*managers->list));
	managers->list[managers->count] = (struct manager){0};
	return &managers->list[managers->count++];
}

void schema_managers_read(struct managers *managers, const struct stint_json *managed_fields)
{
	if (stint_json_type(managed_fields) != STINT_JSON_ARRAY)
		return;
	stint_json_each(entry, managed_fields) {
		struct manager *manager = append(managers);
		manager->name = text_of(entry, "manager");
		manager->api_version = text_of(entry, "apiVersion");
		manager->subresource = text_of(entry, "subresource");
		manager->time = text_of(entry, "time");
		manager->applied = strcmp(stint_json_string_or(stint_json_get(entry, "operation"), ""), "Apply") == 0;
		manager->set = schema_fields_decode(stint_json_get(entry, "fieldsV1"));
	}
}

struct manager *schema_managers_entry(
	struct managers *managers, const struct stint_kind *kind, const struct stint_writer *writer, bool applied)
{
	const char *subresource = writer->subresource ? writer->subresource : "";
	for (size_t i = 0; i < managers->count; i++) {
		struct manager *known = &managers->list[i];
		if (known->applied == applied && strcmp(known->name, writer->manager) == 0 &&
			strcmp(known->subresource, subresource) == 0 && strcmp(known->api_version, kind->api_version) == 0)
			return known;
	}
	struct manager *manager = append(managers);
	manager->name = stint_strdup(writer->manager);
	manager->api_version = stint_strdup(kind->api_version);
	manager->subresource = stint_strdup(subresource);
	manager->time = stint_strdup(writer->time);
	manager->applied = applied;
	manager->set = stint_json_new_object();
	return manager;
}

void schema_managers_subtract(struct managers *managers, const struct stint_json *set, const struct manager *except)
{
	for (size_t i = 0; i < managers->count; i++)
		if (&managers->list[i] != except)
			schema_fields_subtract(managers->list[i].set, set);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------------- */

static int by_age(const void *a, const void *b)
{
	const struct manager *left = a, *right = b;
	if (left->applied != right->applied)
		return left->applied ? -1 : 1;
	int order = strcmp(left->time, right->time);
	if (!order)
		order = strcmp(left->name, right->name);
	if (!order)
		order = strcmp(left->api_version, right->api_version);
	return order ? order : strcmp(left->subresource, right->subresource);
}

/* Of many updaters the oldest are put together, so that the record stays small. The list is sorted: updaters stand last, oldest first. */
static void cap_updaters(struct managers *managers)
{
	size_t first = 0;
	while (first < managers->count && managers->list[first].applied)
		first++;
	if (managers->count - first <= MAX_UPDATERS)
		return;
	struct manager *ancient = &managers->list[first];
	size_t merged = managers->count - first - MAX_UPDATERS;
	for (size_t i = 1; i <= merged; i++) {
		schema_fields_union(ancient->set, managers->list[first + i].set);
		free(ancient->time);
		ancient->time = stint_strdup(managers->list[first + i].time);
		manager_free(&managers->list[first + i]);
	}
	memmove(&managers->list[first + 1], &managers->list[first + 1 + merged],
		(managers->count - first - 1 - merged) * sizeof(*managers->list));
	managers->count -= merged;
	free(ancient->name);
	ancient->name = stint_strdup("ancient-changes");
}

static struct stint_json *entry_of(const struct manager *manager)
{
	struct stint_json *entry = stint_json_new_object();
	stint_json_set_string(entry, "manager", manager->name);
	stint_json_set_string(entry, "operation", manager->applied ? "Apply" : "Update");
	stint_json_set_string(entry, "apiVersion", manager->api_version);
	if (*manager->time)
		stint_json_set_string(entry, "time", manager->time);
	stint_json_set_string(entry, "fieldsType", "FieldsV1");
	stint_json_set(entry, "fieldsV1", schema_fields_encode(manager->set));
	if (*manager->subresource)
		stint_json_set_string(entry, "subresource", manager->subresource);
	return entry;
}

void schema_managers_write(struct managers *managers, struct stint_json *object)
{
	size_t kept = 0;
	for (size_t i = 0; i < managers->count; i++) {
		if (schema_fields_empty(managers->list[i].set))
			manager_free(&managers->list[i]);
		else
			managers->list[kept++] = managers->list[i];
	}
	managers->count = kept;
	if (kept)
		qsort(managers->list, kept, sizeof(*managers->list), by_age);
	cap_updaters(managers);
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	if (!managers->count) {
		stint_json_remove(metadata, "managedFields");
		return;
	}
	struct stint_json *record = stint_json_new_array();
	for (size_t i = 0; i < managers->count; i++)
		stint_json_append(record, entry_of(&managers->list[i]));
	stint_json_set(metadata, "managedFields", record);
}

/* ---- which fields count ---------------------------------------------------------------------------------------------------------- */

void schema_fields_filter(const struct stint_kind *kind, const char *subresource, struct stint_json *set)
{
	stint_json_remove(set, "f:apiVersion");
	stint_json_remove(set, "f:kind");
	struct stint_json *metadata = stint_json_get(set, "f:metadata");
	stint_json_remove(metadata, ".");
	for (size_t i = 0; i < STINT_COUNT(system_fields); i++)
		stint_json_remove(metadata, system_fields[i]);
	if (metadata && schema_fields_empty(metadata))
		stint_json_remove(set, "f:metadata");
	if (!subresource || !*subresource) {
		if (kind->subresources & STINT_SUB_STATUS)
			stint_json_remove(set, "f:status");
	} else if (strcmp(subresource, "status") == 0) {
		for (struct stint_json *child = stint_json_first(set), *next; child; child = next) {
			next = stint_json_next(child);
			const char *key = stint_json_key(child);
			if (strcmp(key, "f:status") != 0 && (kind->custom || strcmp(key, "f:metadata") != 0))
				stint_json_unlink(set, child);
		}
	}
}

struct stint_json *schema_fields_beyond_zero(const struct stint_kind *kind, const struct stint_json *object)
{
	stint_auto_json *zero = schema_zero(kind->type);
	STINT_CLEANUP(schema_fields_difference_clear) struct fields_difference difference;
	schema_fields_compare(kind->type, zero, object, &difference);
	struct stint_json *set = stint_json_dup(difference.added);
	schema_fields_union(set, difference.modified);
	return set;
}

/* ---- an ordinary write ------------------------------------------------------------------------------------------------------------- */

/* A client may write the record itself, through the main resource: an entry without anything empties it. */
static const struct stint_json *record_to_start_from(const struct stint_json *live, const struct stint_json *object, bool main_write)
{
	const struct stint_json *given = stint_json_at(object, "metadata", "managedFields");
	const struct stint_json *first = stint_json_first(given);
	if (!main_write || !first)
		return stint_json_at(live, "metadata", "managedFields");
	if (!stint_json_next(first) && !stint_json_first(first))
		return NULL;
	return given;
}

void stint_schema_track(const struct stint_schema *schema, const struct stint_kind *kind, const struct stint_json *live,
	struct stint_json *object, const struct stint_writer *writer)
{
	(void)schema;
	stint_auto_json *zero = live ? NULL : schema_zero(kind->type);
	STINT_CLEANUP(schema_fields_difference_clear) struct fields_difference difference;
	schema_fields_compare(kind->type, live ? live : zero, object, &difference);
	schema_fields_union(difference.added, difference.modified);
	schema_fields_filter(kind, writer->subresource, difference.added);
	schema_fields_filter(kind, writer->subresource, difference.removed);
	auto_managers managers = {0};
	schema_managers_read(&managers, record_to_start_from(live, object, !writer->subresource || !*writer->subresource));
	schema_managers_subtract(&managers, difference.removed, NULL);
	schema_managers_subtract(&managers, difference.added, NULL);
	if (!schema_fields_empty(difference.added)) {
		struct manager *self = schema_managers_entry(&managers, kind, writer, false);
		schema_fields_union(self->set, difference.added);
		free(self->time);
		self->time = stint_strdup(writer->time);
	}
	schema_managers_write(&managers, object);
}
