/*
 * Changing an object: replace, the four patches, and changes from within this process. All end in stint_api_commit.
 *
 * Nothing can come between the read and the write of one call, so a conflict is always one that the caller brought along: a
 * resourceVersion or a uid that is no longer true.
 */
#include "api_internal.h"

#include <stdlib.h>
#include <string.h>

/* Kinds of the core that a PUT makes when they are missing. */
static bool created_on_update(const struct stint_kind *kind)
{
	static const char *const kinds[] = {"Lease", "Event", "Endpoints", "Service", "LimitRange", "Role", "RoleBinding", "ClusterRole",
		"ClusterRoleBinding", "RuntimeClass"};

	for (size_t i = 0; i < STINT_COUNT(kinds); i++) {
		if (strcmp(kinds[i], kind->kind) == 0)
			return !kind->custom; /* there are other Services, too */
	}
	return false;
}

/* Kinds whose PUT must carry the resourceVersion it is based on. */
static bool needs_version(const struct stint_kind *kind)
{
	static const char *const kinds[] = {
		"Lease", "PodDisruptionBudget", "CSINode", "CSIDriver", "CSIStorageCapacity", "RuntimeClass", "CustomResourceDefinition"};

	for (size_t i = 0; i < STINT_COUNT(kinds); i++) {
		if (strcmp(kinds[i], kind->kind) == 0)
			return true;
	}
	return kind->custom;
}

static const char *text_at(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

/* Whether this state, which is being deleted, has nothing left that keeps it. */
static bool is_finished(const struct stint_kind *kind, const struct stint_json *object)
{
	const struct stint_json *metadata = stint_json_get(object, "metadata");

	if (!stint_json_get(metadata, "deletionTimestamp") || stint_json_first(stint_json_get(metadata, "finalizers")))
		return false;
	if (stint_json_int_or(stint_json_get(metadata, "deletionGracePeriodSeconds"), 0) > 0)
		return false;
	return strcmp(kind->kind, "Namespace") != 0 || *kind->group || !stint_json_first(stint_json_at(object, "spec", "finalizers"));
}

static void keep_version(struct stint_json *object, const struct stint_json *old)
{
	stint_json_set_string(stint_json_ensure_object(object, "metadata"), "resourceVersion", text_at(old, "resourceVersion"));
}

bool stint_api_commit(struct stint_api *api, const struct stint_api_call *call, struct stint_stored *stored, const struct stint_json *old,
	struct stint_json *object, bool track, struct stint_json **out, struct stint_json **status)
{
	stint_auto_json *owned = object;
	char time[STINT_TIME_SIZE];
	struct stint_writer writer = {stint_api_manager(call), call->subresource, stint_time_format(stint_now_ms(), time)};

	stint_json_set_string(object, "kind", call->kind->kind);
	stint_json_set_string(object, "apiVersion", call->kind->api_version);
	keep_version(object, old);
	stint_schema_default(api->schema, call->kind, object);
	stint_schema_prepare_update(api->schema, call->kind, call->subresource, old, object);
	if (!stint_admit_update(api, call, old, object, status))
		return false;
	if (!stint_schema_validate_update(api->schema, call->kind, call->subresource, old, object, call->warnings, status))
		return false;
	if (track)
		stint_schema_track(api->schema, call->kind, old, object, &writer);
	if (stint_schema_same(old, object)) {
		if (out)
			*out = stint_json_dup(old);
		return true;
	}
	if (!is_finished(call->kind, object) && !stint_api_fits(object, status))
		return false;
	if (!call->dry_run) {
		if (is_finished(call->kind, object)) {
			stint_store_delete(api->store, call->kind, stored->space, stored->name);
		} else if (call->kind == stored->kind) {
			stint_store_put(api->store, call->kind, object);
		} else {
			stint_auto_json *form = stint_json_dup(object);
			struct stint_stored *put;

			stint_form_store(api, call->kind, form);
			put = stint_store_put(api->store, call->kind, form);
			stint_json_free(owned);
			owned = stint_form_read(call->kind, put);
		}
	}
	if (out)
		*out = stint_steal(&owned);
	return true;
}

static struct stint_stored *find_live(struct stint_api *api, const struct stint_api_call *call)
{
	return stint_store_get(api->store, call->kind, call->kind->namespaced ? call->space : NULL, call->name);
}

/* ---- replace ------------------------------------------------------------------------------------------------------------------- */

static bool check_address(const struct stint_api_call *call, struct stint_json *object, bool named, struct stint_json **status)
{
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	const char *name = text_at(object, "name"), *space = text_at(object, "namespace");

	if (*name && strcmp(name, call->name) != 0)
		return stint_api_bad(status, "the name of the object (%s) does not match the name on the URL (%s)", name, call->name);
	if (!*name && named)
		return stint_api_bad(
			status, "the name of the object (%s based on URL) was undeterminable: name must be provided", call->name);
	if (!*name)
		stint_json_set_string(metadata, "name", call->name);
	if (call->kind->namespaced && *space && strcmp(space, call->space) != 0)
		return stint_api_bad(status, "the namespace of the provided object does not match the namespace sent on the request");
	if (call->kind->namespaced)
		stint_json_set_string(metadata, "namespace", call->space);
	return true;
}

static bool check_version(
	const struct stint_api_call *call, const struct stint_json *old, const struct stint_json *object, struct stint_json **status)
{
	const char *version = text_at(object, "resourceVersion");
	int64_t number;

	if (!*version && (call->own_version || needs_version(call->kind))) {
		struct stint_kind by_plural = *call->kind; /* the sentence names the resource, not the kind */
		struct stint_api_call named = {.kind = &by_plural, .name = call->name};

		by_plural.kind = by_plural.plural;
		return stint_api_invalid(&named, status, "FieldValueInvalid", "metadata.resourceVersion",
			"Invalid value: 0: must be specified for an update");
	}
	if (*version && !stint_parse_int(version, 0, INT64_MAX, &number)) {
		*status = stint_status_new(500, "", NULL, NULL, NULL, "strconv.ParseUint: parsing \"%s\": invalid syntax", version);
		stint_json_remove(*status, "reason");
		return false;
	}
	if (*version && strcmp(version, "0") != 0 && strcmp(version, text_at(old, "resourceVersion")) != 0)
		return stint_api_conflict(
			call, status, "the object has been modified; please apply your changes to the latest version and try again");
	return true;
}

static bool replace(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, struct stint_json **out,
	struct stint_json **status)
{
	struct stint_stored *stored = find_live(api, call);
	stint_auto_json *owned = object;
	stint_auto_json *old = NULL;
	const char *uid;

	if (!check_address(call, object, true, status))
		return false;
	if (!stored) {
		if (!created_on_update(call->kind) || call->subresource)
			return stint_api_not_found(call, status);
		if (*text_at(object, "uid"))
			return stint_api_conflict(
				call, status, "Precondition failed: UID in precondition: %s, UID in object meta: ", text_at(object, "uid"));
		stint_json_remove(stint_json_get(object, "metadata"), "resourceVersion");
		return stint_api_create_checked(api, call, stint_steal(&owned), true, out, status);
	}
	uid = text_at(object, "uid");
	if (*uid && strcmp(uid, stored->uid) != 0)
		return stint_api_foreign(call, "UID", uid, stored->uid, status);
	old = stint_form_read(call->kind, stored);
	if (!check_version(call, old, object, status))
		return false;
	return stint_api_commit(api, call, stored, old, stint_steal(&owned), true, out, status);
}

bool stint_api_update(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, struct stint_json **out,
	struct stint_json **status)
{
	stint_auto_json *refusal = NULL;
	bool scale = call->subresource && strcmp(call->subresource, "scale") == 0;
	bool done = scale ? stint_scale_write(api, call, object, out, &refusal) : replace(api, call, object, out, &refusal);

	stint_api_tell(status, &refusal);
	return done;
}

bool stint_api_change(struct stint_api *api, const struct stint_api_call *call, bool (*change)(void *user, struct stint_json *object),
	void *user, struct stint_json **out, struct stint_json **status)
{
	struct stint_stored *stored = find_live(api, call);
	stint_auto_json *refusal = NULL;
	stint_auto_json *old = NULL;
	stint_auto_json *object = NULL;
	bool done = false;

	if (!stored) {
		stint_api_not_found(call, &refusal);
	} else {
		old = stint_form_read(call->kind, stored);
		object = stint_json_dup(old);
		if (change(user, object)) {
			done = stint_api_commit(api, call, stored, old, stint_steal(&object), true, out, &refusal);
		} else {
			done = true;
			if (out)
				*out = stint_steal(&old);
		}
	}
	stint_api_tell(status, &refusal);
	return done;
}

struct status_change {
	const char *uid;
	struct stint_json *status; /* taken when written */
};

static bool put_status(void *user, struct stint_json *object)
{
	struct status_change *change = user;

	if (strcmp(text_at(object, "uid"), change->uid) != 0)
		return false;
	stint_json_set(object, "status", stint_steal(&change->status));
	return true;
}

bool stint_api_set_status(struct stint_api *api, const struct stint_api_call *call, const char *uid, struct stint_json *object_status,
	struct stint_json **status)
{
	struct status_change change = {uid, object_status};
	struct stint_api_call on_status = *call;
	stint_auto_json *refusal = NULL;
	bool done;

	on_status.subresource = "status";
	done = stint_api_change(api, &on_status, put_status, &change, NULL, &refusal) ||
		stint_json_int_or(stint_json_get(refusal, "code"), 0) == 404;
	stint_json_free(change.status);
	if (!done)
		stint_api_tell(status, &refusal);
	return done;
}

/* ---- patches ------------------------------------------------------------------------------------------------------------------- */

static bool patch_tree(struct stint_api *api, const struct stint_api_call *call, enum stint_patch_kind how, struct stint_json *object,
	const struct stint_json *patch, struct stint_json **status)
{
	switch (how) {
	case STINT_PATCH_JSON: return stint_patch_json(object, patch, call->kind, call->name, status);
	case STINT_PATCH_STRATEGIC: return stint_patch_strategic(api->schema, call->kind, object, patch, status);
	default: break;
	}
	if (stint_patch_merge(object, patch))
		return true;
	return stint_api_bad(status, "the body of a merge patch must be a JSON object");
}

static bool patch_scale(struct stint_api *api, const struct stint_api_call *call, enum stint_patch_kind how, const struct stint_json *patch,
	struct stint_json **out, struct stint_json **status)
{
	stint_auto_json *scale = stint_scale_read(api, call, status);
	struct stint_api_call as_scale = *call;

	if (!scale)
		return false;
	as_scale.kind = stint_api_kind(api, "autoscaling/v1", "Scale");
	if (!patch_tree(api, &as_scale, how == STINT_PATCH_APPLY ? STINT_PATCH_MERGE : how, scale, patch, status))
		return false;
	if (!stint_schema_decode(api->schema, as_scale.kind, scale, call->validation, call->warnings, status))
		return false;
	return stint_scale_write(api, call, stint_steal(&scale), out, status);
}

/* An object cannot become one of another kind. */
static bool keeps_kind(const struct stint_api_call *call, const struct stint_json *object, struct stint_json **status)
{
	const char *kind = stint_json_string_or(stint_json_get(object, "kind"), "");
	const char *version = stint_json_string_or(stint_json_get(object, "apiVersion"), "");
	struct stint_json *causes;

	if (strcmp(kind, call->kind->kind) == 0 && strcmp(version, call->kind->api_version) == 0)
		return true;
	causes = stint_json_new_array();
	stint_cause_add(causes, "FieldValueInvalid", "patch", "Invalid value: \"%s, Kind=%s\": the object is a %s of %s", version, kind,
		call->kind->kind, call->kind->api_version);
	*status = stint_status_invalid(NULL, "", causes);
	return false;
}

static bool patch_live(struct stint_api *api, const struct stint_api_call *call, enum stint_patch_kind how, const struct stint_json *patch,
	struct stint_json **out, struct stint_json **status)
{
	struct stint_stored *stored = find_live(api, call);
	stint_auto_json *old = NULL;
	stint_auto_json *object = NULL;

	if (!stored)
		return stint_api_not_found(call, status);
	old = stint_form_read(call->kind, stored);
	object = stint_json_dup(old);
	if (!patch_tree(api, call, how, object, patch, status) || !keeps_kind(call, object, status))
		return false;
	if (!stint_schema_decode_patched(api->schema, call->kind, object, patch, call->validation, call->warnings, status))
		return false;
	if (!check_address(call, object, false, status) ||
		!check_version(&(struct stint_api_call){.kind = call->kind, .name = call->name}, old, object, status))
		return false;
	return stint_api_commit(api, call, stored, old, stint_steal(&object), true, out, status);
}

static bool apply(struct stint_api *api, const struct stint_api_call *call, const struct stint_json *config, bool *created,
	struct stint_json **out, struct stint_json **status)
{
	struct stint_stored *stored = find_live(api, call);
	char time[STINT_TIME_SIZE];
	struct stint_writer writer = {stint_api_manager(call), call->subresource, stint_time_format(stint_now_ms(), time)};
	stint_auto_json *wanted = stint_json_dup(config);
	stint_auto_json *old = NULL;
	stint_auto_json *object = NULL;

	if (!stint_schema_decode_applied(api->schema, call->kind, wanted, call->validation, call->warnings, status))
		return false;
	if (stint_json_first(stint_json_at(wanted, "metadata", "managedFields")))
		return stint_api_bad(status, "metadata.managedFields must be nil");
	if (!check_address(call, wanted, false, status))
		return false;
	if (!stored && call->subresource)
		return stint_api_not_found(call, status);
	if (!stored && *text_at(wanted, "uid"))
		return stint_api_conflict(call, status,
			"uid mismatch: the provided object specified uid %s, and no existing object was found", text_at(wanted, "uid"));
	if (stored) {
		old = stint_form_read(call->kind, stored);
		if (*text_at(wanted, "resourceVersion") && !check_version(call, old, wanted, status))
			return false;
	}
	object = stint_schema_apply(api->schema, call->kind, old, wanted, &writer, call->force, status);
	if (!object)
		return false;
	if (created)
		*created = !stored;
	if (!stored)
		return stint_api_create_checked(api, call, stint_steal(&object), false, out, status);
	return stint_api_commit(api, call, stored, old, stint_steal(&object), false, out, status);
}

bool stint_api_patch(struct stint_api *api, const struct stint_api_call *call, enum stint_patch_kind how, const struct stint_json *patch,
	bool *created, struct stint_json **out, struct stint_json **status)
{
	stint_auto_json *refusal = NULL;
	bool done;

	if (created)
		*created = false;
	if (call->subresource && strcmp(call->subresource, "scale") == 0)
		done = patch_scale(api, call, how, patch, out, &refusal);
	else if (how == STINT_PATCH_APPLY)
		done = apply(api, call, patch, created, out, &refusal);
	else
		done = patch_live(api, call, how, patch, out, &refusal);
	stint_api_tell(status, &refusal);
	return done;
}
