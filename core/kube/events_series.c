/* See events_series.h. */
#include "core/kube/events_series.h"

#include <stdlib.h>
#include <string.h>

/* The bucket of an object. */
struct subject {
	struct lru_entry entry;
	int64_t refilled_ms;
	int tokens;
};

/* Events that differ in their message alone. */
struct group {
	struct lru_entry entry;
	int64_t seen_ms;
	char messages[SIMILAR_MAX][65]; /* sha256: a message may be long */
	int messages_count;
	bool combined; /* too many: one series for all until the window passes */
};

static void release_series(struct lru_entry *entry)
{
	struct event_series *series = (struct event_series *)entry;
	free(series->namespace_);
	free(series->name);
	free(series->about);
	free(series->about_name);
	free(series->type);
	free(series->reason);
	free(series->message);
	free(series->annotations);
}

void event_series_init(struct event_series_set *set)
{
	lru_init(&set->subjects, SERIES_MAX, sizeof(struct subject), NULL);
	lru_init(&set->groups, SERIES_MAX, sizeof(struct group), NULL);
	lru_init(&set->series, SERIES_MAX, sizeof(struct event_series), release_series);
}

void event_series_free(struct event_series_set *set)
{
	lru_free(&set->subjects);
	lru_free(&set->groups);
	lru_free(&set->series);
}

static bool take_token(struct event_series_set *set, const char *key, int64_t now_ms)
{
	bool fresh;
	struct subject *subject = lru_use(&set->subjects, key, &fresh);
	if (fresh) {
		subject->tokens = BUCKET_SIZE;
		subject->refilled_ms = now_ms;
	}
	const int64_t refills = (now_ms - subject->refilled_ms) / BUCKET_REFILL_MS;
	if (refills > 0) {
		subject->tokens = refills > BUCKET_SIZE - subject->tokens ? BUCKET_SIZE : subject->tokens + (int)refills;
		subject->refilled_ms += refills * BUCKET_REFILL_MS;
	}
	if (!subject->tokens)
		return false;
	subject->tokens--;
	return true;
}

/* Whether this message is one too many of its group. */
static bool is_combined(struct event_series_set *set, const char *key, const char *message, int64_t now_ms)
{
	bool fresh;
	char hash[65];
	struct group *group = lru_use(&set->groups, key, &fresh);
	if (fresh || now_ms - group->seen_ms > SIMILAR_WINDOW_MS) {
		group->messages_count = 0;
		group->combined = false;
	}
	group->seen_ms = now_ms;
	stint_sha256_hex(message, strlen(message), hash);
	for (int i = 0; i < group->messages_count; i++) {
		if (!strcmp(group->messages[i], hash))
			return group->combined;
	}
	if (group->messages_count == SIMILAR_MAX)
		group->combined = true;
	else
		memcpy(group->messages[group->messages_count++], hash, sizeof(hash));
	return group->combined;
}

/* How much of a message is kept: no character of UTF-8 is cut in two. */
static int kept_length(const char *message)
{
	size_t length = strlen(message);
	if (length <= MESSAGE_MAX_BYTES)
		return (int)length;
	length = MESSAGE_MAX_BYTES;
	while (length && ((unsigned char)message[length] & 0xc0) == 0x80)
		length--;
	return (int)length;
}

static char *about_json(const struct stint_kube_about *about)
{
	stint_auto_json *json = stint_json_new_object();
	const struct {
		const char *key, *value;
	} fields[] = {
		{"kind", about->kind},
		{"namespace", about->namespace_},
		{"name", about->name},
		{"uid", about->uid},
		{"apiVersion", about->api_version},
		{"resourceVersion", about->resource_version},
		{"fieldPath", about->field_path},
	};
	for (size_t i = 0; i < STINT_COUNT(fields); i++) {
		if (fields[i].value)
			stint_json_set_string(json, fields[i].key, fields[i].value);
	}
	return stint_json_print(json);
}

static char *annotations_json(const char *const *annotations)
{
	if (!annotations || !annotations[0])
		return NULL;
	stint_auto_json *json = stint_json_new_object();
	for (size_t i = 0; annotations[i] && annotations[i + 1]; i += 2)
		stint_json_set_string(json, annotations[i], annotations[i + 1]);
	return stint_json_print(json);
}

struct event_series *event_series_add(struct event_series_set *set, const struct stint_kube_about *about, const char *type,
	const char *reason, const char *message, const char *const *annotations, int64_t monotonic_ms, int64_t wall_ms, bool *merged,
	bool *limited)
{
	bool fresh;
	stint_autofree char *subject = stint_format("%s\n%s\n%s\n%s\n%s", about->api_version ? about->api_version : "", about->kind,
		about->namespace_ ? about->namespace_ : "", about->name, about->uid ? about->uid : "");
	stint_autofree char *group = stint_format("%s\n%s\n%s", subject, type, reason);
	const bool combined = is_combined(set, group, message, monotonic_ms);
	stint_autofree char *text =
		stint_format("%s%.*s", combined ? "(combined from similar events): " : "", kept_length(message), message);
	stint_autofree char *key = stint_format("%s\n%s", group, combined ? "" : text);
	struct event_series *series = lru_use(&set->series, key, &fresh);
	if (fresh) {
		series->namespace_ = stint_strdup(about->namespace_ ? about->namespace_ : "default");
		series->about = about_json(about);
		series->about_name = stint_strdup(about->name);
		series->type = stint_strdup(type);
		series->reason = stint_strdup(reason);
		series->first_ms = wall_ms;
	}
	series->count++;
	series->last_ms = wall_ms;
	free(series->message);
	series->message = stint_steal(&text);
	free(series->annotations);
	series->annotations = annotations_json(annotations);
	*merged = !fresh;
	*limited = !take_token(set, subject, monotonic_ms);
	return series;
}
