/*
 * One state of one object as a single block: the struct, compact JSON, and the facts that lists and selectors ask for.
 *
 * The JSON is printed member by member in the order kind, apiVersion, metadata, rest, which gives the places of metadata, labels and the
 * resourceVersion's digits without a second pass.
 */
#include "selector.h"
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

struct stint_stored *stint_stored_hold(struct stint_stored *object)
{
	if (object)
		object->refs++;
	return object;
}

void stint_stored_release(struct stint_stored *object)
{
	if (object && --object->refs == 0)
		free(object);
}

struct stint_json *stint_stored_parse(const struct stint_stored *object)
{
	return stint_json_parse(object->data, object->length, 0, NULL);
}

struct places {
	size_t metadata_at, metadata_end;
	size_t labels_at, labels_end;
	size_t version_at, version_end;
};

/* Returns where the value begins. */
static size_t print_member(struct stint_buf *buf, const char *key, const struct stint_json *value)
{
	stint_auto_json *name = stint_json_new_string(key); /* escapes what a custom resource may call its fields */

	stint_json_print_to(buf, name);
	stint_buf_putc(buf, ':');

	size_t value_at = buf->length;
	stint_json_print_to(buf, value);
	return value_at;
}

static void print_metadata(struct stint_buf *buf, const struct stint_json *metadata, struct places *places)
{
	bool first = true;
	size_t value_at;

	places->metadata_at = buf->length;
	stint_buf_putc(buf, '{');
	stint_json_each(member, metadata) {
		const char *key = stint_json_key(member);

		if (!first)
			stint_buf_putc(buf, ',');
		first = false;
		value_at = print_member(buf, key, member);
		if (strcmp(key, "labels") == 0 && stint_json_first(member)) {
			places->labels_at = value_at;
			places->labels_end = buf->length;
		} else if (strcmp(key, "resourceVersion") == 0) {
			places->version_at = value_at + 1; /* within its quotes */
			places->version_end = buf->length - 1;
		}
	}
	stint_buf_putc(buf, '}');
	places->metadata_end = buf->length;
}

static void print_object(struct stint_buf *buf, const struct stint_kind *kind, const struct stint_json *object, struct places *places)
{
	stint_buf_printf(buf, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":", kind->kind, kind->api_version);
	print_metadata(buf, stint_json_get(object, "metadata"), places);
	stint_json_each(member, object) {
		const char *key = stint_json_key(member);

		if (strcmp(key, "kind") == 0 || strcmp(key, "apiVersion") == 0 || strcmp(key, "metadata") == 0)
			continue;
		stint_buf_putc(buf, ',');
		print_member(buf, key, member);
	}
	stint_buf_putc(buf, '}');
}

static const char *put_text(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *place = *at;

	memcpy(place, text, size);
	*at += size;
	return place;
}

struct stint_stored *stint_stored_pack(const struct stint_kind *kind, const struct stint_json *object, uint64_t version)
{
	const char *space = stint_json_string_or(stint_json_at(object, "metadata", "namespace"), "");
	const char *name = stint_json_string_or(stint_json_at(object, "metadata", "name"), "");
	const char *uid = stint_json_string_or(stint_json_at(object, "metadata", "uid"), "");
	struct places places = {0};
	stint_auto_buf json = {0};
	stint_auto_buf fields = {0};
	struct stint_stored *stored;
	char *at;

	print_object(&json, kind, object, &places);
	stint_selector_pack(kind, object, &fields);
	stored = stint_alloc(sizeof(*stored) + json.length + 1 + strlen(space) + 1 + strlen(name) + 1 + strlen(uid) + 1 + fields.length);
	at = (char *)(stored + 1);
	memcpy(at, json.data, json.length + 1);
	*stored = (struct stint_stored){
		.kind = kind,
		.version = version,
		.labels = {at + places.labels_at, places.labels_end - places.labels_at},
		.metadata = {at + places.metadata_at, places.metadata_end - places.metadata_at},
		.refs = 1,
		.length = (uint32_t)json.length,
		.version_at = (uint32_t)places.version_at,
		.version_length = (uint32_t)(places.version_end - places.version_at),
		.deleting = stint_json_string_at(object, "metadata", "deletionTimestamp") != NULL,
		.data = at,
	};
	at += json.length + 1;
	stored->space = put_text(&at, space);
	stored->name = put_text(&at, name);
	stored->uid = put_text(&at, uid);
	stored->fields = at;
	if (fields.length > 0)
		memcpy(at, fields.data, fields.length);
	return stored;
}
