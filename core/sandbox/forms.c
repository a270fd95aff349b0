/*
 * Kinds that are two forms of one set of objects: core Events and events.k8s.io Events differ in the names of their fields, the versions of
 * a custom kind in their apiVersion alone. They are stored in one form and converted where they are read and written.
 */
#include "api_internal.h"

#include <string.h>

/* Core Event name, events.k8s.io name; both at the top of the object. */
static const char *const event_names[][2] = {
	{"involvedObject", "regarding"},
	{"message", "note"},
	{"source", "deprecatedSource"},
	{"firstTimestamp", "deprecatedFirstTimestamp"},
	{"lastTimestamp", "deprecatedLastTimestamp"},
	{"count", "deprecatedCount"},
	{"reportingComponent", "reportingController"},
};

static void rename_fields(struct stint_json *object, int from, int to)
{
	for (size_t i = 0; i < STINT_COUNT(event_names); i++) {
		struct stint_json *value = stint_json_take(object, event_names[i][from]);

		if (value)
			stint_json_set(object, event_names[i][to], value);
	}
}

static void convert(const struct stint_kind *from, const struct stint_kind *to, struct stint_json *object)
{
	if (strcmp(from->kind, "Event") == 0 && strcmp(from->plural, "events") == 0) {
		if (*from->group)
			rename_fields(object, 1, 0);
		else
			rename_fields(object, 0, 1);
	}
	stint_json_set_string(object, "apiVersion", to->api_version);
}

struct stint_json *stint_form_read(const struct stint_kind *kind, const struct stint_stored *stored)
{
	struct stint_json *object = stint_stored_parse(stored);

	if (kind != stored->kind)
		convert(stored->kind, kind, object);
	return object;
}

void stint_form_store(const struct stint_api *api, const struct stint_kind *kind, struct stint_json *object)
{
	const struct stint_kind *home = stint_store_home(api->store, kind);

	if (kind != home)
		convert(kind, home, object);
}
