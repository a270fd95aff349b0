/*
 * conditions: see conditions.h.
 */
#include "core/sandbox/controllers/conditions.h"

#include <string.h>

struct stint_json *condition_find(const struct stint_json *status, const char *type)
{
	stint_json_each(condition, stint_json_get(status, "conditions")) {
		if (strcmp(stint_json_string_or(stint_json_get(condition, "type"), ""), type) == 0)
			return condition;
	}
	return NULL;
}

bool condition_is(const struct stint_json *status, const char *type, const char *truth)
{
	return strcmp(stint_json_string_or(stint_json_get(condition_find(status, type), "status"), ""), truth) == 0;
}

static struct stint_json *condition_ensure(struct stint_json *status, const char *type)
{
	struct stint_json *condition = condition_find(status, type);
	if (condition)
		return condition;
	condition = stint_json_append(stint_json_ensure_array(status, "conditions"), stint_json_new_object());
	stint_json_set_string(condition, "type", type);
	return condition;
}

static bool text_is(const struct stint_json *object, const char *key, const char *text)
{
	return strcmp(stint_json_string_or(stint_json_get(object, key), ""), text) == 0;
}

bool condition_set(struct stint_json *status, const char *type, const char *truth, const char *reason, const char *message, int64_t now_ms)
{
	struct stint_json *condition = condition_ensure(status, type);
	char now[STINT_TIME_SIZE];
	stint_time_format(now_ms, now);
	bool changed = !text_is(condition, "status", truth);
	bool differs = changed || !text_is(condition, "reason", reason) || !text_is(condition, "message", message);
	if (changed)
		stint_json_set_string(condition, "lastTransitionTime", now);
	if (differs) {
		stint_json_set_string(condition, "lastProbeTime", now);
		stint_json_set_string(condition, "status", truth);
		stint_json_set_string(condition, "reason", reason);
		stint_json_set_string(condition, "message", message);
	}
	return changed;
}

bool condition_update(
	struct stint_json *status, const char *type, const char *truth, const char *reason, const char *message, int64_t now_ms)
{
	struct stint_json *condition = condition_ensure(status, type);
	char now[STINT_TIME_SIZE];
	stint_time_format(now_ms, now);
	bool changed = !text_is(condition, "status", truth);
	if (!changed && text_is(condition, "reason", reason))
		return false;
	if (changed)
		stint_json_set_string(condition, "lastTransitionTime", now);
	stint_json_set_string(condition, "lastUpdateTime", now);
	stint_json_set_string(condition, "status", truth);
	stint_json_set_string(condition, "reason", reason);
	stint_json_set_string(condition, "message", message);
	return true;
}

void condition_remove(struct stint_json *status, const char *type)
{
	struct stint_json *condition = condition_find(status, type);
	if (condition)
		stint_json_unlink(stint_json_get(status, "conditions"), condition);
}
