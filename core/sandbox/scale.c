/*
 * The scale subresource: autoscaling/v1 Scale over spec.replicas, status.replicas and the selector of Deployments, ReplicaSets, StatefulSets,
 * ReplicationControllers and custom kinds that say where theirs are.
 */
#include "api_internal.h"
#include "selector.h"

#include <stdlib.h>
#include <string.h>

static void add_term(struct stint_buf *out, const char *format, const char *key, const char *values)
{
	if (out->length > 0)
		stint_buf_putc(out, ',');
	for (const char *c = format; *c; c++) {
		if (*c == 'K')
			stint_buf_puts(out, key);
		else if (*c == 'V')
			stint_buf_puts(out, values);
		else
			stint_buf_putc(out, *c);
	}
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_sorted(struct stint_buf *out, const struct stint_json *values)
{
	size_t count = 0;
	stint_autofree const char **texts = stint_alloc((stint_json_count(values) + 1) * sizeof(char *));

	stint_json_each(value, values)
		texts[count++] = stint_json_string_or(value, "");
	qsort(texts, count, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < count; i++)
		stint_buf_printf(out, "%s%s", i ? "," : "", texts[i]);
}

char *stint_selector_text(const struct stint_json *selector)
{
	static const char *const operators[][2] = {{"In", "K in (V)"}, {"NotIn", "K notin (V)"}, {"Exists", "K"}, {"DoesNotExist", "!K"}};
	const struct stint_json *labels = stint_json_get(selector, "matchLabels");
	stint_auto_buf out = {0};

	if (!labels && !stint_json_get(selector, "matchExpressions"))
		labels = selector;
	stint_json_each(label, labels)
		add_term(&out, "K=V", stint_json_key(label), stint_json_string_or(label, ""));
	stint_json_each(expression, stint_json_get(selector, "matchExpressions")) {
		stint_auto_buf values = {0};

		put_sorted(&values, stint_json_get(expression, "values"));
		for (size_t i = 0; i < STINT_COUNT(operators); i++) {
			if (strcmp(operators[i][0], stint_json_string_or(stint_json_get(expression, "operator"), "")) == 0)
				add_term(&out, operators[i][1], stint_json_string_or(stint_json_get(expression, "key"), ""),
					values.data ? values.data : "");
		}
	}
	return stint_buf_steal(&out);
}

/* Where the numbers stand in the object; a custom kind says so in its definition. */
struct scale_paths {
	const char *spec, *status, *selector;
};

static struct scale_paths paths_of(const struct stint_kind *kind)
{
	const struct stint_json *scale = stint_json_at(kind->definition, "subresources", "scale");

	return (struct scale_paths){
		stint_json_string_or(stint_json_get(scale, "specReplicasPath"), ".spec.replicas"),
		stint_json_string_or(stint_json_get(scale, "statusReplicasPath"), ".status.replicas"),
		stint_json_string_at(scale, "labelSelectorPath"),
	};
}

/* The value at ".a.b"; with make, the object that holds it is made on the way and *last is its key. */
static struct stint_json *walk(struct stint_json *object, const char *path, bool make, char **last)
{
	char **keys = stint_split(path, ".");
	struct stint_json *at = object;

	for (char **key = keys; *key && at; key++) {
		if (!make)
			at = stint_json_get(at, *key);
		else if (key[1])
			at = stint_json_ensure_object(at, *key);
		else
			*last = stint_strdup(*key);
	}
	stint_strings_free(keys);
	return at;
}

static const struct stint_json *value_at(const struct stint_json *object, const char *path)
{
	return walk((struct stint_json *)(uintptr_t)object, path, false, NULL); /* only looked at */
}

static void set_replicas(struct stint_json *object, const char *path, int64_t replicas)
{
	stint_autofree char *key = NULL;
	struct stint_json *holder = walk(object, path, true, &key);

	if (holder && key)
		stint_json_set_int(holder, key, replicas);
}

static struct stint_json *scale_of(const struct stint_kind *kind, const struct stint_json *object)
{
	static const char *const copied[] = {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"};
	struct stint_json *scale = stint_json_new_object(), *metadata, *status;
	const struct stint_json *selector = stint_json_at(object, "spec", "selector");
	const struct scale_paths paths = paths_of(kind);

	stint_json_set_string(scale, "kind", "Scale");
	stint_json_set_string(scale, "apiVersion", "autoscaling/v1");
	metadata = stint_json_ensure_object(scale, "metadata");
	for (size_t i = 0; i < STINT_COUNT(copied); i++) {
		const struct stint_json *value = stint_json_at(object, "metadata", copied[i]);

		if (value)
			stint_json_set(metadata, copied[i], stint_json_dup(value));
	}
	stint_json_ensure_object(scale, "spec"); /* 0 replicas are left out of it */
	if (stint_json_int_or(value_at(object, paths.spec), 0) > 0)
		stint_json_set(stint_json_get(scale, "spec"), "replicas", stint_json_dup(value_at(object, paths.spec)));
	status = stint_json_ensure_object(scale, "status");
	stint_json_set_int(status, "replicas", stint_json_int_or(value_at(object, paths.status), 0));
	if (paths.selector) {
		stint_json_set_string(status, "selector", stint_json_string_or(value_at(object, paths.selector), ""));
	} else if (!kind->custom && stint_json_first(selector)) {
		stint_autofree char *text = stint_selector_text(selector);

		stint_json_set_string(status, "selector", text);
	}
	return scale;
}

struct stint_json *stint_scale_read(struct stint_api *api, const struct stint_api_call *call, struct stint_json **status)
{
	const struct stint_stored *stored = stint_store_get(api->store, call->kind, call->space, call->name);
	stint_auto_json *object = NULL;

	if (!stored) {
		stint_api_not_found(call, status);
		return NULL;
	}
	object = stint_form_read(call->kind, stored);
	return scale_of(call->kind, object);
}

bool stint_scale_write(struct stint_api *api, const struct stint_api_call *call, struct stint_json *scale, struct stint_json **out,
	struct stint_json **status)
{
	struct stint_stored *stored = stint_store_get(api->store, call->kind, call->space, call->name);
	const char *version = stint_json_string_or(stint_json_at(scale, "metadata", "resourceVersion"), "");
	const char *uid = stint_json_string_or(stint_json_at(scale, "metadata", "uid"), "");
	const char *name = stint_json_string_or(stint_json_at(scale, "metadata", "name"), call->name);
	int64_t replicas = stint_json_int_or(stint_json_at(scale, "spec", "replicas"), 0);
	struct stint_api_call whole = *call;
	stint_auto_json *owned = scale;
	stint_auto_json *old = NULL;
	stint_auto_json *object = NULL;
	stint_auto_json *written = NULL;

	if (strcmp(name, call->name) != 0)
		return stint_api_bad(status, "the name of the object (%s) does not match the name on the URL (%s)", name, call->name);
	if (!stored)
		return stint_api_not_found(call, status);
	old = stint_form_read(call->kind, stored);
	if (*uid && strcmp(uid, stored->uid) != 0)
		return stint_api_foreign(call, "UID", uid, stored->uid, status);
	if (*version && strcmp(version, stint_json_string_or(stint_json_at(old, "metadata", "resourceVersion"), "")) != 0)
		return stint_api_conflict(
			call, status, "the object has been modified; please apply your changes to the latest version and try again");
	if (replicas < 0) {
		whole.kind = stint_api_kind(api, "autoscaling/v1", "Scale");
		return stint_api_invalid(&whole, status, "FieldValueInvalid", "spec.replicas",
			"Invalid value: %lld: must be greater than or equal to 0", (long long)replicas);
	}
	whole.subresource = NULL;
	object = stint_json_dup(old);
	set_replicas(object, paths_of(call->kind).spec, replicas);
	if (!stint_api_commit(api, &whole, stored, old, stint_steal(&object), true, &written, status))
		return false;
	if (out)
		*out = scale_of(call->kind, written);
	return true;
}
