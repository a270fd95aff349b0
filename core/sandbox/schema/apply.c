/*
 * Server-side apply: the merge of an applied configuration into an object, the removal of what the applier no longer says, and
 * conflicts with other managers. The rules are those of structured-merge-diff's Updater.
 */
#include "core/sandbox/schema/fields.h"

#include <stdlib.h>
#include <string.h>

/* ---- merging ----------------------------------------------------------------------------------------------------------------------- */

static struct stint_json *merged(const struct stint_type *type, const struct stint_json *live, const struct stint_json *config);

static struct stint_json *merge_members(const struct stint_type *type, const struct stint_json *live, const struct stint_json *config)
{
	struct stint_json *result = stint_json_dup(live);
	stint_json_each(member, config) {
		const char *name = stint_json_key(member);
		stint_json_set(result, name, merged(schema_fields_member_type(type, name), stint_json_get(live, name), member));
	}
	return result;
}

/*
 * The order of the result: both lists are walked at once; items that both have stand in the configuration's order, items of the live
 * list alone keep their place among their neighbours.
 */
static struct stint_json *merge_items(const struct stint_type *type, const struct stint_json *live, const struct stint_json *config)
{
	STINT_CLEANUP(schema_fields_keyed_clear) struct keyed_list left = schema_fields_keyed(type, live);
	STINT_CLEANUP(schema_fields_keyed_clear) struct keyed_list right = schema_fields_keyed(type, config);
	struct stint_json *result = stint_json_new_array();
	size_t l = 0, r = 0, shared = 0;
	while (l < left.count || r < right.count) {
		/* The next item of the configuration that the live list has, too. */
		while (shared < right.count && (right.list[shared].done || !schema_fields_keyed_find(&left, right.list[shared].key)))
			shared++;
		const char *left_key = l < left.count ? left.list[l].key : NULL, *right_key = r < right.count ? right.list[r].key : NULL;
		struct keyed *in_config = left_key ? schema_fields_keyed_find(&right, left_key) : NULL;
		bool aligned = left_key && right_key && strcmp(left_key, right_key) == 0;
		if (!aligned && right_key && in_config && shared < right.count && strcmp(right.list[shared].key, left_key) != 0) {
			l++; /* it comes later, where the configuration has it */
			continue;
		}
		if (left_key && !in_config) {
			stint_json_append(result, stint_json_dup(left.list[l++].item));
			continue;
		}
		if (left_key && (aligned || in_config->done))
			l++;
		if (right_key) {
			struct keyed *before = schema_fields_keyed_find(&left, right_key);
			stint_json_append(result, merged(type->item, before ? before->item : NULL, right.list[r].item));
			right.list[r++].done = true;
		}
	}
	return result;
}

static struct stint_json *merged(const struct stint_type *type, const struct stint_json *live, const struct stint_json *config)
{
	bool mergeable = live && stint_json_type(live) == stint_json_type(config) && !schema_fields_is_leaf(type, config);
	if (mergeable && stint_json_type(config) == STINT_JSON_OBJECT)
		return merge_members(type, live, config);
	if (mergeable && stint_json_type(config) == STINT_JSON_ARRAY)
		return merge_items(type, live, config);
	return stint_json_dup(config);
}

/* ---- removal ------------------------------------------------------------------------------------------------------------------------- */

/* Removes from value what `last` owned and `owned` (everybody's fields now) does not. */
static void prune(const struct stint_type *type, struct stint_json *value, const struct stint_json *last, const struct stint_json *owned)
{
	bool list = stint_json_type(value) == STINT_JSON_ARRAY && type && type->form == FORM_LIST;
	STINT_CLEANUP(schema_fields_keyed_clear) struct keyed_list items = schema_fields_keyed(type, list ? value : NULL);
	auto_fields_lookup owners = {.object = owned};
	stint_json_each(node, last) {
		const char *key = stint_json_key(node);
		bool field = stint_starts_with(key, "f:");
		struct stint_json *item = NULL;
		if (field && stint_json_type(value) == STINT_JSON_OBJECT)
			item = stint_json_get(value, key + 2);
		else if (!field && schema_fields_keyed_find(&items, key))
			item = schema_fields_keyed_find(&items, key)->item;
		if (!item)
			continue;
		const struct stint_json *still = schema_fields_find(&owners, key);
		const struct stint_type *of = field ? schema_fields_member_type(type, key + 2) : type->item;
		if (!still && (field || stint_json_get(node, ".")))
			stint_json_unlink(value, item);
		else
			prune(of, item, node, still);
	}
}

/* ---- conflicts ----------------------------------------------------------------------------------------------------------------------- */

struct conflict_list {
	struct stint_json *causes;
	const char *manager; /* as it is shown */
	size_t count;
};

static char *shown_manager(const struct manager *manager)
{
	stint_auto_json *name = stint_json_new_string(manager->name);
	stint_autofree char *quoted = stint_json_print(name);
	stint_auto_buf text = {0};
	stint_buf_puts(&text, quoted);
	if (*manager->subresource)
		stint_buf_printf(&text, " with subresource \"%s\"", manager->subresource);
	if (!manager->applied)
		stint_buf_printf(&text, " using %s", manager->api_version);
	return stint_buf_steal(&text);
}

static void add_conflict(void *user, const char *path)
{
	struct conflict_list *conflicts = user;
	stint_cause_add(conflicts->causes, "FieldManagerConflict", path, "conflict with %s", conflicts->manager);
	conflicts->count++;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct manager *const *)a)->name, (*(const struct manager *const *)b)->name);
}

/* NULL when nobody else owns what changed. */
static struct stint_json *conflict_status(const struct managers *managers, const struct manager *self, const struct stint_json *changed)
{
	struct conflict_list conflicts = {.causes = stint_json_new_array()};
	const struct manager **others = stint_alloc((managers->count + 1) * sizeof(*others));
	size_t count = 0;
	for (size_t i = 0; i < managers->count; i++)
		if (&managers->list[i] != self)
			others[count++] = &managers->list[i];
	if (count)
		qsort(others, count, sizeof(*others), by_name);
	stint_auto_buf text = {0};
	for (size_t i = 0; i < count; i++) {
		stint_auto_json *both = schema_fields_intersection(others[i]->set, changed);
		stint_autofree char *shown = shown_manager(others[i]);
		const struct stint_json *last = NULL;
		size_t before = conflicts.count;
		stint_json_each(cause, conflicts.causes)
			last = cause;
		conflicts.manager = shown;
		schema_fields_each(both, add_conflict, &conflicts);
		if (conflicts.count == before)
			continue;
		stint_buf_printf(&text, "%sconflicts with %s:", text.length ? "\n" : "", shown);
		for (last = last ? stint_json_next(last) : stint_json_first(conflicts.causes); last; last = stint_json_next(last))
			stint_buf_printf(&text, "\n- %s", stint_json_string_or(stint_json_get(last, "field"), ""));
	}
	free(others);
	if (!conflicts.count) {
		stint_json_free(conflicts.causes);
		return NULL;
	}
	const struct stint_json *first = stint_json_first(conflicts.causes);
	const char *field = stint_json_string_or(stint_json_get(first, "field"), "");
	const char *what = stint_json_string_or(stint_json_get(first, "message"), "");
	if (conflicts.count == 1)
		return stint_status_new(409, "Conflict", NULL, NULL, conflicts.causes, "Apply failed with 1 conflict: %s: %s", what, field);
	return stint_status_new(
		409, "Conflict", NULL, NULL, conflicts.causes, "Apply failed with %zu conflicts: %s", conflicts.count, text.data);
}

/*
 * kubectl moves an object from client-side to server-side apply: what its last-applied annotation says is its own, whoever
 * is written down for it.
 */
static bool kubectl_owns(const struct stint_kind *kind, const struct stint_json *live, const struct managers *managers,
	const struct manager *self, const struct stint_json *changed)
{
	const char *text = stint_json_string_at(live, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration");
	if (strcmp(self->name, "kubectl") != 0 || !text)
		return false;
	stint_auto_json *applied = stint_json_parse(text, strlen(text), 0, NULL);
	if (!applied)
		return false;
	stint_auto_json *own = schema_fields_of(kind->type, applied);
	for (size_t i = 0; i < managers->count; i++) {
		if (&managers->list[i] == self)
			continue;
		stint_auto_json *both = schema_fields_intersection(managers->list[i].set, changed);
		schema_fields_subtract(both, own);
		if (!schema_fields_empty(both))
			return false;
	}
	return true;
}

/* ---- the door --------------------------------------------------------------------------------------------------------------------------- */

static struct manager *read_managers(
	const struct stint_kind *kind, const struct stint_json *live, const struct stint_writer *writer, struct managers *managers)
{
	schema_managers_read(managers, stint_json_at(live, "metadata", "managedFields"));
	if (live && !managers->count) {
		/* Nobody was recorded: everything there is belongs to whoever came before. */
		struct stint_writer before = {.manager = "before-first-apply", .time = writer->time};
		struct manager *former = schema_managers_entry(managers, kind, &before, false);
		stint_json_free(former->set);
		former->set = schema_fields_beyond_zero(kind, live);
		schema_fields_filter(kind, "", former->set);
	}
	return schema_managers_entry(managers, kind, writer, true);
}

struct stint_json *stint_schema_apply(const struct stint_schema *schema, const struct stint_kind *kind, const struct stint_json *live,
	const struct stint_json *config, const struct stint_writer *writer, bool force, struct stint_json **status)
{
	(void)schema;
	if (stint_json_get(stint_json_get(config, "metadata"), "managedFields")) {
		*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL, "metadata.managedFields must be nil");
		return NULL;
	}
	auto_managers managers = {0};
	struct manager *self = read_managers(kind, live, writer, &managers);
	stint_auto_json *last = self->set;
	/* Unfiltered: what holds the object together (its name) counts as said when it comes to removing parents. */
	stint_auto_json *owned = schema_fields_of(kind->type, config);
	self->set = stint_json_dup(owned);
	schema_fields_filter(kind, writer->subresource, self->set);
	stint_auto_json *object = live ? merged(kind->type, live, config) : stint_json_dup(config);
	for (size_t i = 0; i < managers.count; i++)
		schema_fields_union(owned, managers.list[i].set);
	if (live)
		prune(kind->type, object, last, owned);
	stint_auto_json *zero = live ? NULL : schema_zero(kind->type);
	STINT_CLEANUP(schema_fields_difference_clear) struct fields_difference difference;
	schema_fields_compare(kind->type, live ? live : zero, object, &difference);
	struct stint_json *changed = difference.added;
	schema_fields_union(changed, difference.modified);
	schema_fields_filter(kind, writer->subresource, changed);
	schema_fields_filter(kind, writer->subresource, difference.removed);
	if (!force && !kubectl_owns(kind, live, &managers, self, changed)) {
		struct stint_json *refusal = conflict_status(&managers, self, changed);
		if (refusal) {
			*status = refusal;
			return NULL;
		}
	}
	schema_managers_subtract(&managers, changed, self);
	schema_managers_subtract(&managers, difference.removed, self);
	if (!live || !schema_fields_empty(changed) || !schema_fields_empty(difference.removed) || !stint_json_equal(last, self->set)) {
		free(self->time);
		self->time = stint_strdup(writer->time);
	}
	schema_managers_write(&managers, object);
	return stint_steal(&object);
}
