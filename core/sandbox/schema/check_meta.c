/*
 * Rules of metadata, the same for every kind but for the form of the name; and of label selectors and owner references.
 */
#include "core/sandbox/schema/check.h"

#include <ctype.h>
#include <string.h>

enum { MAX_ANNOTATION_BYTES = 256 * 1024 };

/* Kinds whose names are not DNS-1123 subdomains. */
static enum name_form form_of_name(const struct stint_kind *kind)
{
	static const struct {
		const char *kind;
		enum name_form form;
	} forms[] = {
		{"Namespace", NAME_LABEL},
		{"Service", NAME_LABEL_1035},
		{"StatefulSet", NAME_LABEL},
		{"Event", NAME_PATH_SEGMENT},
		{"Role", NAME_PATH_SEGMENT},
		{"ClusterRole", NAME_PATH_SEGMENT},
		{"RoleBinding", NAME_PATH_SEGMENT},
		{"ClusterRoleBinding", NAME_PATH_SEGMENT},
	};
	for (size_t i = 0; i < STINT_COUNT(forms); i++)
		if (strcmp(kind->kind, forms[i].kind) == 0 && !kind->custom)
			return forms[i].form;
	return NAME_SUBDOMAIN;
}

void schema_check_labels(struct check *check, const char *field, const struct stint_json *labels)
{
	stint_json_each(label, labels) {
		schema_check_name(check, field, stint_json_key(label), NAME_QUALIFIED);
		schema_check_name(check, field, stint_json_string(label), NAME_LABEL_VALUE);
	}
}

static void check_annotations(struct check *check, const struct stint_json *annotations)
{
	size_t bytes = 0;
	stint_json_each(annotation, annotations) {
		const char *key = stint_json_key(annotation);
		bytes += strlen(key) + strlen(stint_json_string_or(annotation, ""));
		stint_autofree char *lower = stint_strdup(key);
		for (char *at = lower; *at; at++)
			*at = (char)tolower((unsigned char)*at);
		const char *problem = schema_name_problem(NAME_QUALIFIED, lower);
		if (problem)
			schema_check_bad_text(check, "annotations", key, "%s", problem);
	}
	if (bytes > MAX_ANNOTATION_BYTES)
		schema_check_too_long(check, "annotations", MAX_ANNOTATION_BYTES);
}

/* Metadata within an object: that of a pod template. */
void schema_check_template_metadata(struct check *check, const struct stint_json *metadata)
{
	schema_check_labels(check, "labels", stint_json_get(metadata, "labels"));
	check_annotations(check, stint_json_get(metadata, "annotations"));
}

static void check_owner_reference(struct check *check, const struct stint_json *reference)
{
	static const char *const fields[] = {"apiVersion", "kind", "name", "uid"};
	for (size_t i = 0; i < STINT_COUNT(fields); i++) {
		const char *text = stint_json_string_or(stint_json_get(reference, fields[i]), "");
		if (!*text)
			schema_check_bad_text(check, fields[i], text, i == 0 ? "version must not be empty" : "must not be empty");
	}
	if (strcmp(stint_json_string_or(stint_json_get(reference, "apiVersion"), ""), "v1") == 0 &&
		strcmp(stint_json_string_or(stint_json_get(reference, "kind"), ""), "Event") == 0)
		schema_check_bad(check, NULL, reference, "/v1, Kind=Event is disallowed from being an owner");
}

static void check_owners(struct check *check, const struct stint_json *references)
{
	const struct stint_json *controller = NULL;
	size_t mark = schema_path_field(&check->path, "ownerReferences");
	stint_json_each(reference, references) {
		check_owner_reference(check, reference);
		if (!stint_json_bool_or(stint_json_get(reference, "controller"), false))
			continue;
		if (controller)
			schema_check_bad(check, NULL, references,
				"Only one reference can have Controller set to true. Found \"true\" in references for %s/%s and %s/%s",
				stint_json_string_or(stint_json_get(controller, "kind"), ""),
				stint_json_string_or(stint_json_get(controller, "name"), ""),
				stint_json_string_or(stint_json_get(reference, "kind"), ""),
				stint_json_string_or(stint_json_get(reference, "name"), ""));
		else
			controller = reference;
	}
	schema_path_pop(&check->path, mark);
}

static void check_finalizers(struct check *check, const struct stint_json *finalizers)
{
	static const char *const standard[] = {"kubernetes", "orphan", "foregroundDeletion", NULL};
	bool orphan = false, foreground = false;
	size_t index = 0;
	stint_json_each(finalizer, finalizers) {
		const char *text = stint_json_string_or(finalizer, "");
		schema_check_name(check, "finalizers", text, NAME_QUALIFIED);
		stint_autofree char *place = stint_format("finalizers[%zu]", index++);
		if (!check->kind->custom && !strchr(text, '/') && !schema_word_in(standard, text))
			schema_check_bad_text(check, place, text, "name is neither a standard finalizer name nor is it fully qualified");
		orphan |= strcmp(text, "orphan") == 0;
		foreground |= strcmp(text, "foregroundDeletion") == 0;
	}
	if (orphan && foreground)
		schema_check_bad(check, "finalizers", finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
}

void schema_check_metadata(struct check *check, const struct stint_json *metadata, bool all)
{
	size_t mark = schema_path_field(&check->path, "metadata");
	const char *name = stint_json_string_or(stint_json_get(metadata, "name"), "");
	const char *space = stint_json_string_or(stint_json_get(metadata, "namespace"), "");
	const char *stem = stint_json_string_or(stint_json_get(metadata, "generateName"), "");
	if (all && !check->kind->virtual_create) {
		/* What follows the stem is ours: it may end as no name may. */
		stint_autofree char *whole = stint_format("%sx", stem);
		const char *problem = *stem ? schema_name_problem(form_of_name(check->kind), whole) : NULL;
		if (problem)
			schema_check_bad_text(check, "generateName", stem, "%s", problem);
		if (!*name)
			schema_check_missing(check, "name", "name or generateName is required");
		else
			schema_check_name(check, "name", name, form_of_name(check->kind));
		if (!check->kind->namespaced && *space)
			schema_check_forbidden(check, "namespace", "not allowed on this type");
		else if (check->kind->namespaced && !*space)
			schema_check_missing(check, "namespace", NULL);
	}
	schema_check_labels(check, "labels", stint_json_get(metadata, "labels"));
	check_annotations(check, stint_json_get(metadata, "annotations"));
	check_owners(check, stint_json_get(metadata, "ownerReferences"));
	check_finalizers(check, stint_json_get(metadata, "finalizers"));
	schema_path_pop(&check->path, mark);
}

/* What is being deleted takes no new reasons to stay. */
static void check_new_finalizers(struct check *check, const struct stint_json *now, const struct stint_json *old)
{
	stint_auto_buf added = {0};
	stint_json_each(finalizer, now) {
		bool known = false;
		stint_json_each(other, old)
			known |= stint_json_equal(finalizer, other);
		if (!known)
			stint_buf_printf(&added, "%s\"%s\"", added.length ? ", " : "", stint_json_string_or(finalizer, ""));
	}
	if (added.length)
		schema_check_forbidden(check, "finalizers",
			"no new finalizers can be added if the object is being deleted, found new finalizers []string{%s}", added.data);
}

void schema_check_metadata_update(struct check *check)
{
	static const char *const immutable[] = {
		"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"};
	const struct stint_json *now = stint_json_get(check->object, "metadata"), *old = stint_json_get(check->old, "metadata");
	size_t mark = schema_path_field(&check->path, "metadata");
	if (stint_json_get(old, "deletionTimestamp"))
		check_new_finalizers(check, stint_json_get(now, "finalizers"), stint_json_get(old, "finalizers"));
	for (size_t i = 0; i < STINT_COUNT(immutable); i++)
		schema_check_immutable(check, immutable[i], stint_json_get(now, immutable[i]), stint_json_get(old, immutable[i]));
	schema_path_pop(&check->path, mark);
	schema_check_metadata(check, now, false);
}

void schema_check_label_selector(struct check *check, const struct stint_json *selector)
{
	static const char *const words[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};
	schema_check_labels(check, "matchLabels", stint_json_get(selector, "matchLabels"));
	size_t index = 0;
	stint_json_each(requirement, stint_json_get(selector, "matchExpressions")) {
		stint_autofree char *place = stint_format("matchExpressions[%zu]", index++);
		size_t mark = schema_path_field(&check->path, place);
		const char *word = stint_json_string_or(stint_json_get(requirement, "operator"), "");
		const struct stint_json *values = stint_json_get(requirement, "values");
		if ((strcmp(word, "In") == 0 || strcmp(word, "NotIn") == 0) && !stint_json_first(values))
			schema_check_missing(check, "values", "must be specified when `operator` is 'In' or 'NotIn'");
		if (*word && !schema_word_in(words, word))
			schema_check_bad_text(check, "operator", word, "not a valid selector operator");
		if ((strcmp(word, "Exists") == 0 || strcmp(word, "DoesNotExist") == 0) && stint_json_first(values))
			schema_check_forbidden(check, "values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
		schema_check_name(check, "key", stint_json_string(stint_json_get(requirement, "key")), NAME_QUALIFIED);
		size_t at = 0;
		stint_json_each(value, values) {
			stint_autofree char *one = stint_format("values[%zu]", at++);
			schema_check_name(check, one, stint_json_string(value), NAME_LABEL_VALUE);
		}
		schema_path_pop(&check->path, mark);
	}
}
