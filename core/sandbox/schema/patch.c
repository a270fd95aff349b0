/*
 * JSON merge patch (RFC 7386) and JSON patch (RFC 6902). Neither needs to know types.
 *
 * A small JSON patch can ask for much: "copy" doubles what it copies into itself, and each operation can go deeper. So what is copied in
 * all is bounded as a kube-apiserver bounds it, and the object never gets deeper than one that is read.
 */
#include "core/sandbox/schema/types.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OPERATIONS = 10000, MAX_COPIED_BYTES = 3 * 1024 * 1024 };

bool stint_patch_merge(struct stint_json *object, const struct stint_json *patch)
{
	if (stint_json_type(patch) != STINT_JSON_OBJECT || stint_json_type(object) != STINT_JSON_OBJECT)
		return false;
	stint_json_each(change, patch) {
		const char *key = stint_json_key(change);
		if (stint_json_type(change) == STINT_JSON_NULL)
			stint_json_remove(object, key);
		else if (stint_json_type(change) == STINT_JSON_OBJECT)
			stint_patch_merge(stint_json_ensure_object(object, key), change);
		else
			stint_json_set(object, key, stint_json_dup(change));
	}
	return true;
}

/* ---- JSON patch ---------------------------------------------------------------------------------------------------------------- */

/* "~1" and "~0" stand for "/" and "~". Unescaped in place. */
static void unescape(char *token)
{
	char *out = token;
	for (const char *at = token; *at; at++) {
		if (at[0] == '~' && (at[1] == '1' || at[1] == '0'))
			*out++ = *++at == '1' ? '/' : '~';
		else
			*out++ = *at;
	}
	*out = 0;
}

/* The place that a pointer names: the container it lies in and the token within. */
struct place {
	struct stint_json *container;
	char *token;
	size_t depth; /* of what stands there; the document itself has 0 */
};

static void place_clear(struct place *place)
{
	free(place->token);
}
#define auto_place STINT_CLEANUP(place_clear) struct place

static bool index_of(const char *token, size_t count, size_t *index)
{
	int64_t number;
	if (!stint_parse_int(token, -(int64_t)count, INT32_MAX, &number))
		return false;
	*index = (size_t)(number < 0 ? number + (int64_t)count : number);
	return true;
}

static struct stint_json *child(const struct stint_json *container, const char *token)
{
	size_t index;
	if (stint_json_type(container) == STINT_JSON_OBJECT)
		return stint_json_get(container, token);
	if (stint_json_type(container) != STINT_JSON_ARRAY || !index_of(token, stint_json_count(container), &index))
		return NULL;
	return stint_json_item(container, index);
}

/* False when the way to the last token is not there, or the pointer is none ("" names the whole document and has no place). */
static bool find_place(struct stint_json *object, const char *pointer, struct place *place)
{
	if (!pointer || *pointer != '/')
		return false;
	place->container = object;
	place->depth = 0;
	for (;;) {
		pointer++;
		place->depth++;
		size_t length = strcspn(pointer, "/");
		free(place->token);
		place->token = stint_strndup(pointer, length);
		unescape(place->token);
		pointer += length;
		if (!*pointer)
			break;
		place->container = child(place->container, place->token);
		if (!place->container)
			return false;
	}
	enum stint_json_type type = stint_json_type(place->container);
	return type == STINT_JSON_OBJECT || type == STINT_JSON_ARRAY;
}

/* Whether a value has at most that many levels below it. */
static bool is_shallow(const struct stint_json *value, size_t levels)
{
	stint_json_each(item, value) {
		if (levels == 0 || !is_shallow(item, levels - 1))
			return false;
	}
	return true;
}

static bool fits(const struct place *place, const struct stint_json *value)
{
	return place->depth < STINT_JSON_MAX_DEPTH && is_shallow(value, STINT_JSON_MAX_DEPTH - 1 - place->depth);
}

/* Takes value over. */
static bool add_at(const struct place *place, struct stint_json *value)
{
	if (!fits(place, value)) {
		stint_json_free(value);
		return false;
	}
	if (stint_json_type(place->container) == STINT_JSON_OBJECT) {
		stint_json_set(place->container, place->token, value);
		return true;
	}
	size_t count = stint_json_count(place->container), index = count;
	if (strcmp(place->token, "-") != 0 && (!index_of(place->token, count, &index) || index > count)) {
		stint_json_free(value);
		return false;
	}
	stint_json_insert(place->container, index, value);
	return true;
}

static bool may_copy(const struct stint_json *value, size_t *copied_bytes)
{
	stint_autofree char *text = stint_json_print(value);
	*copied_bytes += strlen(text);
	return *copied_bytes <= MAX_COPIED_BYTES;
}

static const char *step(struct stint_json *object, const struct stint_json *operation, size_t *copied_bytes)
{
	const char *word = stint_json_string_or(stint_json_get(operation, "op"), "");
	const char *path = stint_json_string(stint_json_get(operation, "path"));
	const char *from = stint_json_string(stint_json_get(operation, "from"));
	const struct stint_json *value = stint_json_get(operation, "value");
	auto_place place = {0}, source = {0};
	bool found = find_place(object, path, &place);
	struct stint_json *here = found ? child(place.container, place.token) : NULL;
	if (strcmp(word, "test") == 0) {
		if (path && !*path)
			return stint_json_equal(object, value) ? NULL : "testing the document failed";
		bool both_null = !here && stint_json_type(value) == STINT_JSON_NULL;
		return both_null || (here && stint_json_equal(here, value)) ? NULL : "testing a value failed";
	}
	if (!found)
		return "the path is not there";
	if (strcmp(word, "add") == 0)
		return value && add_at(&place, stint_json_dup(value)) ? NULL : "the value cannot be added";
	/* A real server takes the replacement of a member that is not there for an addition; RFC 6902 would not. */
	if (strcmp(word, "replace") == 0 && !here && value && stint_json_type(place.container) == STINT_JSON_OBJECT)
		return add_at(&place, stint_json_dup(value)) ? NULL : "the value cannot be added";
	if (strcmp(word, "remove") == 0 || strcmp(word, "replace") == 0) {
		if (!here)
			return "the path is not there";
		if (strcmp(word, "remove") == 0)
			stint_json_unlink(place.container, here);
		else if (value && !fits(&place, value))
			return "the value lies too deep";
		else if (value)
			stint_json_replace(place.container, here, stint_json_dup(value));
		return value || strcmp(word, "remove") == 0 ? NULL : "there is no value";
	}
	if (strcmp(word, "move") != 0 && strcmp(word, "copy") != 0)
		return "the operation is not known";
	struct stint_json *origin = find_place(object, from, &source) ? child(source.container, source.token) : NULL;
	if (!origin)
		return "the path to take from is not there";
	if (strcmp(word, "move") == 0 && strncmp(path, from, strlen(from)) == 0 && path[strlen(from)] == '/')
		return "a value cannot be moved into itself";
	if (strcmp(word, "copy") == 0 && !may_copy(origin, copied_bytes))
		return "the patch copies more than 3 MiB";
	struct stint_json *moved = stint_json_dup(origin);
	if (strcmp(word, "move") == 0) {
		stint_json_unlink(source.container, origin);
		/* The way may have moved with it. */
		if (!find_place(object, path, &place)) {
			stint_json_free(moved);
			return "the path is not there";
		}
	}
	return add_at(&place, moved) ? NULL : "the value cannot be added";
}

bool stint_patch_json(struct stint_json *object, const struct stint_json *operations, const struct stint_kind *kind, const char *name,
	struct stint_json **status)
{
	(void)kind;
	(void)name;
	if (stint_json_type(operations) != STINT_JSON_ARRAY) {
		*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL, "a JSON patch is an array of operations");
		return false;
	}
	size_t count = stint_json_count(operations);
	if (count > MAX_OPERATIONS) {
		*status = stint_status_new(413, "RequestEntityTooLarge", NULL, NULL, NULL,
			"Request entity too large: The allowed maximum operations in a JSON patch is %d, got %zu", MAX_OPERATIONS, count);
		return false;
	}
	size_t copied_bytes = 0;
	stint_json_each(operation, operations) {
		if (stint_json_type(operation) != STINT_JSON_OBJECT) {
			*status = stint_status_new(400, "BadRequest", NULL, NULL, NULL, "an operation of a JSON patch is an object");
			return false;
		}
		const char *problem = step(object, operation, &copied_bytes);
		if (!problem)
			continue;
		*status = stint_status_new(422, "Invalid", NULL, NULL, NULL,
			"the server rejected our request due to an error in our request: %s at \"%s\": %s",
			stint_json_string_or(stint_json_get(operation, "op"), "?"),
			stint_json_string_or(stint_json_get(operation, "path"), ""), problem);
		return false;
	}
	return true;
}
