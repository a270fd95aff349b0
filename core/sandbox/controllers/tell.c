/*
 * tell: see tell.h. The Event's name is made of its content, so a repetition finds its former self without any memory here.
 */
#include "core/sandbox/controllers/tell.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_LIFE_MS = 60 * 60 * 1000, TIME_LENGTH = 20 /* of an RFC 3339 time in whole seconds, UTC */ };

struct repetition {
	const char *now;
};

static bool count_up(void *user, struct stint_json *event)
{
	const struct repetition *repetition = user;
	stint_json_set_int(event, "count", stint_json_int_or(stint_json_get(event, "count"), 1) + 1);
	stint_json_set_string(event, "lastTimestamp", repetition->now);
	return true;
}

static void copy_text(struct stint_json *to, const char *key, const char *text)
{
	if (text)
		stint_json_set_string(to, key, text);
}

static struct stint_json *new_event(
	const char *name, const char *space, const char *component, const struct stint_json *about, const char *now)
{
	struct stint_json *event = stint_json_new_object();
	stint_json_set_string(event, "apiVersion", "v1");
	stint_json_set_string(event, "kind", "Event");
	struct stint_json *metadata = stint_json_ensure_object(event, "metadata");
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(metadata, "namespace", space);
	struct stint_json *involved = stint_json_ensure_object(event, "involvedObject");
	copy_text(involved, "kind", stint_json_string_at(about, "kind"));
	copy_text(involved, "apiVersion", stint_json_string_at(about, "apiVersion"));
	copy_text(involved, "namespace", stint_json_string_at(about, "metadata", "namespace"));
	copy_text(involved, "name", stint_json_string_at(about, "metadata", "name"));
	copy_text(involved, "uid", stint_json_string_at(about, "metadata", "uid"));
	copy_text(involved, "resourceVersion", stint_json_string_at(about, "metadata", "resourceVersion"));
	stint_json_set_string(stint_json_ensure_object(event, "source"), "component", component);
	stint_json_set_string(event, "reportingComponent", component);
	stint_json_set_string(event, "firstTimestamp", now);
	stint_json_set_string(event, "lastTimestamp", now);
	stint_json_set_int(event, "count", 1);
	return event;
}

void event_tell(struct stint_api *api, const char *component, const struct stint_json *about, const char *type, const char *reason,
	const char *message)
{
	const char *object_name = stint_json_string_or(stint_json_at(about, "metadata", "name"), "unknown");
	const char *space = stint_json_string_or(stint_json_at(about, "metadata", "namespace"), "default");
	stint_autofree char *content =
		stint_format("%s/%s/%s/%s", stint_json_string_or(stint_json_at(about, "metadata", "uid"), ""), component, reason, message);
	char digest[65], now[STINT_TIME_SIZE];
	stint_sha256_hex(content, strlen(content), digest);
	stint_autofree char *name = stint_format("%.230s.%.16s", object_name, digest);
	stint_time_format(stint_now_ms(), now);
	struct stint_api_call call = {.kind = stint_api_kind(api, "v1", "Event"), .space = space, .name = name, .manager = component};
	if (stint_store_get(api->store, call.kind, space, name)) {
		struct repetition repetition = {now};
		stint_api_change(api, &call, count_up, &repetition, NULL, NULL);
		return;
	}
	struct stint_json *event = new_event(name, space, component, about, now);
	stint_json_set_string(event, "type", type);
	stint_json_set_string(event, "reason", reason);
	stint_json_set_string(event, "message", message);
	call.name = NULL;
	stint_api_create(api, &call, event, NULL, NULL);
}

/* Without a parse: there is one Event or more for each pod. -1: it does not say. */
static int64_t created_ms(const struct stint_stored *event)
{
	static const char key[] = "\"creationTimestamp\":\"";
	const struct stint_slice metadata = event->metadata;
	const char *found = memmem(metadata.data, metadata.length, key, strlen(key));
	int64_t ms = -1;
	if (!found)
		return -1;
	const char *text = found + strlen(key);
	bool whole = (size_t)(metadata.data + metadata.length - text) >= TIME_LENGTH;
	return whole && stint_time_parse(text, TIME_LENGTH, &ms) ? ms : -1;
}

static int64_t last_seen_ms(const struct stint_json *event)
{
	const char *texts[] = {stint_json_string_at(event, "series", "lastObservedTime"), stint_json_string_at(event, "lastTimestamp"),
		stint_json_string_at(event, "eventTime"), stint_json_string_at(event, "metadata", "creationTimestamp")};
	int64_t latest = -1, at = 0;
	for (size_t i = 0; i < STINT_COUNT(texts); i++) {
		if (texts[i] && stint_time_parse(texts[i], strlen(texts[i]), &at) && at > latest)
			latest = at;
	}
	return latest;
}

/* What a person dated into the past still lives for an hour after it was written. */
static bool has_expired(const struct stint_stored *stored, int64_t now_ms)
{
	if (now_ms - created_ms(stored) <= EVENT_LIFE_MS)
		return false;
	stint_auto_json *event = stint_stored_parse(stored);
	int64_t seen_ms = last_seen_ms(event);
	return seen_ms >= 0 && now_ms - seen_ms > EVENT_LIFE_MS;
}

static void remove_event(struct stint_api *api, const struct stint_stored *event)
{
	struct stint_api_call call = {.kind = event->kind, .space = event->space, .name = event->name};
	stint_api_delete(api, &call, NULL, NULL, NULL);
}

static int by_version(const void *left, const void *right)
{
	const struct stint_stored *a = *(struct stint_stored *const *)left, *b = *(struct stint_stored *const *)right;
	return a->version < b->version ? -1 : a->version > b->version;
}

void events_expire(struct stint_api *api, int64_t now_ms, size_t most)
{
	stint_auto_store_list list = {0};
	stint_store_list(api->store, stint_api_kind(api, "v1", "Event"), NULL, &list);
	if (list.count > most)
		qsort(list.items, list.count, sizeof(list.items[0]), by_version);
	size_t beyond = list.count > most ? list.count - most : 0;
	for (size_t i = 0; i < list.count; i++) {
		if (i < beyond || has_expired(list.items[i], now_ms))
			remove_event(api, list.items[i]);
	}
}
