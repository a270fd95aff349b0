/*
 * Strategic merge patch: as a merge patch, but lists whose type names a merge key are merged item by item, and a patch may carry
 * directives: $patch, $retainKeys, $deleteFromPrimitiveList/LIST, $setElementOrder/LIST. Orders of merged lists are those of
 * apimachinery's strategicpatch: what the patch brings comes before what only the server has, unless the server's order decides.
 */
#include "core/sandbox/schema/types.h"

#include <stdlib.h>
#include <string.h>

#define DELETE_LIST "$deleteFromPrimitiveList/"
#define ELEMENT_ORDER "$setElementOrder/"

struct merger {
	char *problem; /* set once */
	int code;
};

static bool refuse(struct merger *merger, int code, char *problem)
{
	if (merger->problem) {
		free(problem);
		return false;
	}
	merger->problem = problem;
	merger->code = code;
	return false;
}

static bool is_directive(const char *key)
{
	return strcmp(key, "$patch") == 0 || strcmp(key, "$retainKeys") == 0 || stint_starts_with(key, DELETE_LIST) ||
		stint_starts_with(key, ELEMENT_ORDER);
}

/* A patch value that stands for itself: nulls and directives mean nothing where there is nothing to merge with. */
static struct stint_json *plain_copy(const struct stint_json *patch)
{
	struct stint_json *copy;
	if (stint_json_type(patch) == STINT_JSON_ARRAY) {
		copy = stint_json_new_array();
		stint_json_each(item, patch)
			if (strcmp(stint_json_string_or(stint_json_get(item, "$patch"), ""), "delete") != 0)
				stint_json_append(copy, plain_copy(item));
		return copy;
	}
	if (stint_json_type(patch) != STINT_JSON_OBJECT)
		return stint_json_dup(patch);
	copy = stint_json_new_object();
	stint_json_each(member, patch)
		if (!is_directive(stint_json_key(member)) && stint_json_type(member) != STINT_JSON_NULL)
			stint_json_set(copy, stint_json_key(member), plain_copy(member));
	return copy;
}

static bool same_item(const struct stint_json *a, const struct stint_json *b, const char *merge_key)
{
	return merge_key ? stint_json_equal(stint_json_get(a, merge_key), stint_json_get(b, merge_key)) : stint_json_equal(a, b);
}

static struct stint_json *find_item(const struct stint_json *list, const struct stint_json *wanted, const char *merge_key)
{
	stint_json_each(item, list)
		if (same_item(item, wanted, merge_key))
			return item;
	return NULL;
}

static int64_t place_of(const struct stint_json *list, const struct stint_json *wanted, const char *merge_key)
{
	int64_t index = 0;
	stint_json_each(item, list) {
		if (same_item(item, wanted, merge_key))
			return index;
		index++;
	}
	return -1;
}

/*
 * Reorders merged: items that `order` names stand in its order, the others in theirs; where both kinds meet, the server's former order
 * decides, and where it cannot, the ordered ones come first.
 */
static struct stint_json *reorder(
	const struct stint_json *merged, const struct stint_json *order, const struct stint_json *server, const char *merge_key)
{
	stint_auto_json *ordered = stint_json_new_array(), *others = stint_json_new_array();
	stint_json_each(wanted, order) {
		const struct stint_json *item = find_item(merged, wanted, merge_key);
		if (item && !find_item(ordered, item, merge_key))
			stint_json_append(ordered, stint_json_dup(item));
	}
	/* In the server's order first, then what is new and unordered. */
	stint_json_each(known, server) {
		const struct stint_json *item = find_item(merged, known, merge_key);
		if (item && !find_item(ordered, item, merge_key) && !find_item(others, item, merge_key))
			stint_json_append(others, stint_json_dup(item));
	}
	stint_json_each(item, merged)
		if (!find_item(ordered, item, merge_key) && !find_item(others, item, merge_key))
			stint_json_append(others, stint_json_dup(item));
	struct stint_json *result = stint_json_new_array();
	const struct stint_json *left = stint_json_first(others), *right = stint_json_first(ordered);
	while (left || right) {
		bool from_left = left && !right;
		if (left && right) {
			int64_t l = place_of(server, left, merge_key), r = place_of(server, right, merge_key);
			from_left = l >= 0 && r >= 0 && l < r;
		}
		const struct stint_json **taken = from_left ? &left : &right;
		stint_json_append(result, stint_json_dup(*taken));
		*taken = stint_json_next(*taken);
	}
	return result;
}

static bool merge_object(struct merger *merger, const struct stint_type *type, struct stint_json *object, const struct stint_json *patch);

/* Applies items with $patch to the list; *replace: the patch's other items are the whole list. */
static bool take_special_items(
	struct merger *merger, struct stint_json *list, const struct stint_json *patch, const char *merge_key, bool *replace)
{
	*replace = false;
	stint_json_each(item, patch) {
		const char *word = stint_json_string(stint_json_get(item, "$patch"));
		if (!word)
			continue;
		if (strcmp(word, "replace") == 0) {
			*replace = true;
		} else if (strcmp(word, "delete") == 0) {
			if (!stint_json_get(item, merge_key))
				return refuse(merger, 500, stint_format("delete patch type with no merge key defined"));
			struct stint_json *known;
			while ((known = find_item(list, item, merge_key)))
				stint_json_unlink(list, known);
		} else if (strcmp(word, "merge") != 0) {
			return refuse(merger, 422, stint_format("unknown patch type: %s", word));
		}
	}
	return true;
}

static bool merge_items(struct merger *merger, const struct stint_type *item_type, struct stint_json *list, const struct stint_json *patch,
	const char *merge_key)
{
	stint_json_each(change, patch) {
		const char *word = stint_json_string(stint_json_get(change, "$patch"));
		if (word && strcmp(word, "merge") != 0)
			continue;
		if (stint_json_type(change) != STINT_JSON_OBJECT || !stint_json_get(change, merge_key)) {
			stint_autofree char *shown = stint_json_print(change);
			return refuse(merger, 500, stint_format("map: %.200s does not contain declared merge key: %s", shown, merge_key));
		}
		struct stint_json *known = find_item(list, change, merge_key);
		if (!known)
			stint_json_append(list, plain_copy(change));
		else if (!merge_object(merger, item_type, known, change))
			return false;
	}
	return true;
}

static void merge_scalars(struct stint_json *list, const struct stint_json *patch)
{
	stint_json_each(value, patch)
		if (!find_item(list, value, NULL))
			stint_json_append(list, stint_json_dup(value));
}

static bool merge_list(struct merger *merger, const struct type_field *field, struct stint_json *object, const struct stint_json *patch)
{
	struct stint_json *list = stint_json_get(object, field->name);
	stint_auto_json *before = stint_json_dup(list);
	bool replace = false;
	if (!field->merge_key) {
		merge_scalars(list, patch);
	} else {
		if (!take_special_items(merger, list, patch, field->merge_key, &replace))
			return false;
		if (replace) {
			struct stint_json *whole = stint_json_new_array();
			stint_json_each(item, patch)
				if (!stint_json_get(item, "$patch"))
					stint_json_append(whole, plain_copy(item));
			stint_json_set(object, field->name, whole);
			return true;
		}
		if (!merge_items(merger, field->type->item, list, patch, field->merge_key))
			return false;
	}
	stint_json_set(object, field->name, reorder(list, patch, before, field->merge_key));
	return true;
}

static bool merge_member(struct merger *merger, const struct stint_type *type, struct stint_json *object, const struct stint_json *change)
{
	const char *key = stint_json_key(change);
	const struct type_field *field = type->form == FORM_OBJECT ? schema_field(type, key) : NULL;
	struct stint_json *known = stint_json_get(object, key);
	if (stint_json_type(change) == STINT_JSON_NULL) {
		stint_json_remove(object, key);
		return true;
	}
	if (!known || stint_json_type(known) != stint_json_type(change)) {
		stint_json_set(object, key, plain_copy(change));
		return true;
	}
	if (stint_json_type(change) == STINT_JSON_OBJECT) {
		static const struct stint_type untyped = {.form = FORM_ANY};
		const struct stint_type *of = field ? field->type : type->item ? type->item : &untyped;
		return merge_object(merger, of, known, change);
	}
	if (stint_json_type(change) == STINT_JSON_ARRAY && field && field->merge)
		return merge_list(merger, field, object, change);
	stint_json_set(object, key, plain_copy(change));
	return true;
}

/* Keys that the directive does not name go, before the patch is merged. */
static bool retain_keys(struct merger *merger, struct stint_json *object, const struct stint_json *patch)
{
	const struct stint_json *keys = stint_json_get(patch, "$retainKeys");
	if (!keys)
		return true;
	if (stint_json_type(keys) != STINT_JSON_ARRAY)
		return refuse(merger, 400, stint_format("invalid patch format of retainKeys"));
	for (struct stint_json *member = stint_json_first(object), *next; member; member = next) {
		next = stint_json_next(member);
		bool named = false;
		stint_json_each(key, keys)
			named |= strcmp(stint_json_string_or(key, ""), stint_json_key(member)) == 0;
		if (!named)
			stint_json_unlink(object, member);
	}
	return true;
}

static bool take_list_directive(struct merger *merger, const struct stint_type *type, struct stint_json *object,
	const struct stint_json *directive, const struct stint_json *server)
{
	const char *key = stint_json_key(directive);
	bool deletes = stint_starts_with(key, DELETE_LIST);
	const char *name = key + strlen(deletes ? DELETE_LIST : ELEMENT_ORDER);
	struct stint_json *list = stint_json_get(object, name);
	if (stint_json_type(directive) != STINT_JSON_ARRAY)
		return refuse(merger, 400, stint_format("invalid patch format of %s", deletes ? "primitive list" : "setElementOrder list"));
	if (stint_json_type(list) != STINT_JSON_ARRAY)
		return true;
	if (deletes) {
		stint_json_each(value, directive) {
			struct stint_json *known;
			while ((known = find_item(list, value, NULL)))
				stint_json_unlink(list, known);
		}
		return true;
	}
	const struct type_field *field = type->form == FORM_OBJECT ? schema_field(type, name) : NULL;
	if (field && field->merge)
		stint_json_set(object, name, reorder(list, directive, stint_json_get(server, name), field->merge_key));
	return true;
}

static bool merge_object(struct merger *merger, const struct stint_type *type, struct stint_json *object, const struct stint_json *patch)
{
	const char *word = stint_json_string(stint_json_get(patch, "$patch"));
	bool replace = word && strcmp(word, "replace") == 0;
	if (word && !replace && strcmp(word, "delete") != 0 && strcmp(word, "merge") != 0)
		return refuse(merger, 422, stint_format("unknown patch type: %s", word));
	if (replace || (word && strcmp(word, "delete") == 0)) {
		while (stint_json_first(object))
			stint_json_unlink(object, stint_json_first(object));
		stint_json_each(member, patch)
			if (replace && !is_directive(stint_json_key(member)))
				stint_json_set(object, stint_json_key(member), plain_copy(member));
		return true;
	}
	bool ordered = false;
	stint_json_each(member, patch)
		ordered |= stint_starts_with(stint_json_key(member), ELEMENT_ORDER);
	stint_auto_json *server = ordered ? stint_json_dup(object) : NULL;
	if (!retain_keys(merger, object, patch))
		return false;
	stint_json_each(member, patch)
		if (stint_starts_with(stint_json_key(member), DELETE_LIST) && !take_list_directive(merger, type, object, member, NULL))
			return false;
	stint_json_each(member, patch)
		if (!is_directive(stint_json_key(member)) && !merge_member(merger, type, object, member))
			return false;
	stint_json_each(member, patch)
		if (stint_starts_with(stint_json_key(member), ELEMENT_ORDER) && !take_list_directive(merger, type, object, member, server))
			return false;
	return true;
}

bool stint_patch_strategic(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object,
	const struct stint_json *patch, struct stint_json **status)
{
	(void)schema;
	struct merger merger = {0};
	bool fine = stint_json_type(patch) == STINT_JSON_OBJECT ? merge_object(&merger, kind->type, object, patch)
								: refuse(&merger, 400, stint_strdup("invalid JSON document"));
	if (!fine) {
		const char *reason = merger.code == 400 ? "BadRequest" : merger.code == 422 ? "Invalid" : ""; /* a 500 has none */
		*status = stint_status_new(merger.code, reason, NULL, NULL, NULL, "%s", merger.problem);
	}
	free(merger.problem);
	return fine;
}
