/*
 * Creating an object: names, times and identity are given here; defaults, status and validation are the schema's.
 */
#include "api_internal.h"

#include <stdlib.h>
#include <string.h>

enum { SUFFIX = 5, MAX_GENERATED = 63, GENERATE_TRIES = 8 };

static bool check_space(const struct stint_api_call *call, struct stint_json *metadata, struct stint_json **status)
{
	const char *said = stint_json_string_or(stint_json_get(metadata, "namespace"), "");

	if (!call->kind->namespaced) {
		stint_json_remove(metadata, "namespace");
		return true;
	}
	if (*said && strcmp(said, call->space) != 0)
		return stint_api_bad(status, "the namespace of the provided object does not match the namespace sent on the request");
	stint_json_set_string(metadata, "namespace", call->space);
	return true;
}

static void generate_name(struct stint_json *metadata, const char *stem)
{
	char suffix[SUFFIX + 1];
	stint_autofree char *name = NULL;

	stint_random_suffix(suffix, SUFFIX);
	name = stint_format("%.*s%s", MAX_GENERATED - SUFFIX, stem, suffix);
	stint_json_set_string(metadata, "name", name);
}

/* NULL when the name was given, else the stem it was made from. */
static bool check_name(const struct stint_api_call *call, struct stint_json *metadata, const char **stem, struct stint_json **status)
{
	const char *name = stint_json_string_or(stint_json_get(metadata, "name"), "");

	*stem = stint_json_string(stint_json_get(metadata, "generateName"));
	if (call->name && *name && strcmp(name, call->name) != 0)
		return stint_api_bad(status, "the name of the object (%s) does not match the name on the URL (%s)", name, call->name);
	if (call->name && !*name)
		stint_json_set_string(metadata, "name", call->name);
	else if (!*name && *stem && **stem)
		generate_name(metadata, *stem);
	else if (!*name)
		return stint_api_invalid(
			call, status, "FieldValueRequired", "metadata.name", "Required value: name or generateName is required");
	if (*name || call->name)
		*stem = NULL;
	return true;
}

static void give_identity(struct stint_json *metadata)
{
	static const char *const not_on_create[] = {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"};
	char time[STINT_TIME_SIZE], uid[37];

	for (size_t i = 0; i < STINT_COUNT(not_on_create); i++)
		stint_json_remove(metadata, not_on_create[i]);
	stint_json_set_string(metadata, "uid", stint_uuid(uid));
	stint_json_set_string(metadata, "creationTimestamp", stint_time_format(stint_now_ms(), time));
}

/* What the client set and what the defaults made of it is the manager's; status, and what the server adds after this, is nobody's. */
static void track_write(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object)
{
	char time[STINT_TIME_SIZE];
	struct stint_writer writer = {stint_api_manager(call), NULL, stint_time_format(stint_now_ms(), time)};
	struct stint_json *state = call->kind->subresources & STINT_SUB_STATUS ? stint_json_take(object, "status") : NULL;

	stint_schema_track(api->schema, call->kind, NULL, object, &writer);
	if (state)
		stint_json_set(object, "status", state);
}

/* Conditions that the schema gives a new object know no time: it is now. */
static void stamp_conditions(struct stint_json *object)
{
	char time[STINT_TIME_SIZE];

	stint_json_each(condition, stint_json_at(object, "status", "conditions")) {
		if (stint_json_get(condition, "lastTransitionTime"))
			continue;
		stint_json_set(condition, "lastProbeTime", stint_json_new_null());
		stint_json_set_string(condition, "lastTransitionTime", stint_time_format(stint_now_ms(), time));
	}
}

bool stint_api_create_checked(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, bool track,
	struct stint_json **out, struct stint_json **status)
{
	stint_auto_json *owned = object;
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	const struct stint_stored *there;
	const char *stem, *name;

	if (*stint_json_string_or(stint_json_get(metadata, "resourceVersion"), "")) {
		*status = stint_status_new(500, "", NULL, NULL, NULL, "resourceVersion should not be set on objects to be created");
		stint_json_remove(*status, "reason");
		return false;
	}
	if (!check_space(call, metadata, status) || !check_name(call, metadata, &stem, status))
		return false;
	stint_json_set_string(object, "kind", call->kind->kind);
	stint_json_set_string(object, "apiVersion", call->kind->api_version);
	give_identity(metadata);
	stint_schema_default(api->schema, call->kind, object);
	if (track)
		track_write(api, call, object);
	if (!stint_admit_create(api, call, object, status))
		return false;
	stint_schema_prepare_create(api->schema, call->kind, object);
	if (strcmp(call->kind->kind, "Pod") == 0)
		stamp_conditions(object);
	if (!stint_schema_validate_create(api->schema, call->kind, object, call->warnings, status))
		return false;

	if (!stint_api_fits(object, status))
		return false;

	name = stint_json_string_or(stint_json_get(metadata, "name"), "");
	for (int tries = 1; (there = stint_store_get(api->store, call->kind, call->space, name)); tries++) {
		if (!stem || tries >= GENERATE_TRIES) {
			*status = stint_status_new(409, "AlreadyExists", call->kind, name, NULL, "%s%s%s%s \"%s\" already exists",
				there->deleting ? "object is being deleted: " : "", call->kind->plural, *call->kind->group ? "." : "",
				call->kind->group, name);
			return false;
		}
		generate_name(metadata, stem);
		name = stint_json_string(stint_json_get(metadata, "name"));
	}
	if (!call->dry_run) {
		stint_auto_json *kept = NULL;

		if (stint_store_home(api->store, call->kind) != call->kind)
			kept = stint_json_dup(object);
		stint_form_store(api, call->kind, object);
		stint_store_put(api->store, call->kind, object);
		if (kept) {
			stint_json_set(stint_json_get(kept, "metadata"), "resourceVersion",
				stint_json_dup(stint_json_at(object, "metadata", "resourceVersion")));
			stint_json_free(owned);
			owned = stint_steal(&kept);
		}
	}
	if (out)
		*out = stint_steal(&owned);
	return true;
}

bool stint_api_create(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, struct stint_json **out,
	struct stint_json **status)
{
	stint_auto_json *refusal = NULL;
	bool done;

	if (call->subresource && strcmp(call->subresource, "binding") == 0)
		done = stint_api_bind(api, call, object, out, &refusal);
	else if (call->subresource && strcmp(call->subresource, "eviction") == 0)
		done = stint_api_evict(api, call, object, out, &refusal);
	else
		done = stint_api_create_checked(api, call, object, true, out, &refusal);
	stint_api_tell(status, &refusal);
	return done;
}
