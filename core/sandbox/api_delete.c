/*
 * Deleting: preconditions, grace periods of pods, finalizers, what happens to dependents, and namespaces, which go last.
 *
 * An object with finalizers, a pod that a node still runs, and a namespace only get their deletionTimestamp here: whoever holds them
 * finishes (api_update.c removes an object whose last hold has gone; garbage collection answers the orphan and foregroundDeletion
 * finalizers).
 */
#include "api_internal.h"
#include "definitions.h"

#include <stdio.h>
#include <string.h>

enum { MAX_GRACE_S = INT32_MAX };

static bool is_core(const struct stint_kind *kind, const char *name)
{
	return !*kind->group && strcmp(kind->kind, name) == 0;
}

static bool check_preconditions(const struct stint_api_call *call, const struct stint_delete_options *options,
	const struct stint_stored *stored, struct stint_json **status)
{
	char version[24];

	if (options->uid && strcmp(options->uid, stored->uid) != 0)
		return stint_api_mismatch(call, "UID", options->uid, stored->uid, "deleted and then recreated", status);
	(void)snprintf(version, sizeof(version), "%llu", (unsigned long long)stored->version);
	if (options->resource_version && strcmp(options->resource_version, version) != 0)
		return stint_api_mismatch(call, "ResourceVersion", options->resource_version, version, "modified", status);
	return true;
}

static bool check_protected(const struct stint_api_call *call, struct stint_json **status)
{
	static const char *const names[] = {"default", "kube-system", "kube-public"};

	for (size_t i = 0; is_core(call->kind, "Namespace") && i < STINT_COUNT(names); i++) {
		if (strcmp(names[i], call->name) != 0)
			continue;
		*status = stint_status_new(403, "Forbidden", call->kind, call->name, NULL,
			"namespaces \"%s\" is forbidden: this namespace may not be deleted", call->name);
		return false;
	}
	return true;
}

/* ---- finalizers ------------------------------------------------------------------------------------------------------------------- */

static bool has_text(const struct stint_json *array, const char *text)
{
	stint_json_each(item, array) {
		if (strcmp(stint_json_string_or(item, ""), text) == 0)
			return true;
	}
	return false;
}

static void set_text(struct stint_json *object, const char *key, const char *text, bool wanted)
{
	struct stint_json *array = stint_json_get(object, key);

	if (wanted && !has_text(array, text)) {
		stint_json_append(stint_json_ensure_array(object, key), stint_json_new_string(text));
		return;
	}
	for (struct stint_json *item = stint_json_first(array), *next; !wanted && item; item = next) {
		next = stint_json_next(item);
		if (strcmp(stint_json_string_or(item, ""), text) == 0)
			stint_json_unlink(array, item);
	}
	if (array && !stint_json_first(array))
		stint_json_remove(object, key);
}

/* batch/v1 Jobs and ReplicationControllers leave their pods behind unless told otherwise. */
static bool orphans_by_default(const struct stint_kind *kind)
{
	return (strcmp(kind->kind, "Job") == 0 && strcmp(kind->group, "batch") == 0) || is_core(kind, "ReplicationController");
}

static void set_propagation(const struct stint_api_call *call, const struct stint_delete_options *options, struct stint_json *metadata)
{
	const char *how = options->propagation;
	bool orphan, foreground;

	if (how) {
		orphan = strcmp(how, "Orphan") == 0;
		foreground = strcmp(how, "Foreground") == 0;
	} else {
		const struct stint_json *finalizers = stint_json_get(metadata, "finalizers");

		orphan = has_text(finalizers, "orphan");
		foreground = has_text(finalizers, "foregroundDeletion");
		if (!orphan && !foreground)
			orphan = orphans_by_default(call->kind);
	}
	set_text(metadata, "finalizers", "orphan", orphan);
	set_text(metadata, "finalizers", "foregroundDeletion", foreground);
}

int64_t stint_delete_grace(const struct stint_json *asked)
{
	int64_t seconds = stint_json_int_or(asked, -1);

	return asked && seconds < 0 ? 1 : seconds; /* below zero was once taken to mean at once */
}

/* ---- grace ---------------------------------------------------------------------------------------------------------------------- */

/* Seconds that the object stays for its node, at most as many as a time can be told of; 0 for all but pods that run. */
static int64_t grace_of(const struct stint_api_call *call, const struct stint_delete_options *options, const struct stint_json *object)
{
	const char *phase = stint_json_string_or(stint_json_at(object, "status", "phase"), "");
	int64_t grace;

	if (!is_core(call->kind, "Pod"))
		return 0;
	grace = options->grace_s >= 0 ? options->grace_s
				      : stint_json_int_or(stint_json_at(object, "spec", "terminationGracePeriodSeconds"), 30);
	if (!*stint_json_string_or(stint_json_at(object, "spec", "nodeName"), "") || strcmp(phase, "Failed") == 0 ||
		strcmp(phase, "Succeeded") == 0)
		return 0;
	if (grace < 0)
		return 1;
	return grace < MAX_GRACE_S ? grace : MAX_GRACE_S;
}

/* False when nothing changed: it is being deleted already, no later than is asked for now. */
static bool mark(const struct stint_api_call *call, const struct stint_delete_options *options, struct stint_json *object)
{
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	int64_t grace = grace_of(call, options, object), now = stint_now_ms();
	bool deleting = stint_json_get(metadata, "deletionTimestamp") != NULL;
	bool definition = strcmp(call->kind->kind, "CustomResourceDefinition") == 0;
	stint_auto_json *before = stint_json_dup(stint_json_get(metadata, "finalizers"));
	char time[STINT_TIME_SIZE];
	int64_t generation;

	set_propagation(call, options, metadata);
	if (!deleting && definition)
		stint_definition_terminate(object);
	if (deleting) {
		int64_t had = stint_json_int_or(stint_json_get(metadata, "deletionGracePeriodSeconds"), 0);

		if (grace >= had)
			return !stint_json_equal(before, stint_json_get(metadata, "finalizers"));
		/* The end moves closer: counted from when the deletion was asked for. */
		stint_time_parse(stint_json_string(stint_json_get(metadata, "deletionTimestamp")),
			strlen(stint_json_string(stint_json_get(metadata, "deletionTimestamp"))), &now);
		now -= had * 1000;
	} else if (!definition && stint_json_int(stint_json_get(metadata, "generation"), &generation) && generation > 0) {
		stint_json_set_int(metadata, "generation", generation + 1);
	}
	stint_json_set_string(metadata, "deletionTimestamp", stint_time_format(now + grace * 1000, time));
	stint_json_set_int(metadata, "deletionGracePeriodSeconds", grace);
	if (definition || is_core(call->kind, "Namespace"))
		stint_json_remove(metadata, "deletionGracePeriodSeconds");
	if (is_core(call->kind, "Namespace")) {
		stint_json_set_string(stint_json_ensure_object(object, "status"), "phase", "Terminating");
	}
	return true;
}

static bool is_held(const struct stint_api_call *call, const struct stint_json *object)
{
	return stint_json_first(stint_json_at(object, "metadata", "finalizers")) ||
		stint_json_int_or(stint_json_at(object, "metadata", "deletionGracePeriodSeconds"), 0) > 0 ||
		(is_core(call->kind, "Namespace") && stint_json_first(stint_json_at(object, "spec", "finalizers")));
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------------- */

/* Kinds whose registry answers a deletion with the object rather than with a Status. */
static bool answers_with_object(const struct stint_kind *kind)
{
	static const char *const kinds[] = {"Pod", "Service", "ServiceAccount", "PersistentVolume", "PersistentVolumeClaim", "PodTemplate",
		"ResourceQuota", "StorageClass", "CSINode", "CSIDriver", "DeviceClass", "ResourceSlice", "ResourceClaim",
		"ResourceClaimTemplate"};

	for (size_t i = 0; !kind->custom && i < STINT_COUNT(kinds); i++) {
		if (strcmp(kinds[i], kind->kind) == 0)
			return true;
	}
	return false;
}

static struct stint_json *success(const struct stint_api_call *call, const char *uid)
{
	struct stint_json *status = stint_status_success(0), *details = stint_json_ensure_object(status, "details");

	stint_json_set_string(details, "name", call->name);
	if (*call->kind->group)
		stint_json_set_string(details, "group", call->kind->group);
	stint_json_set_string(details, "kind", call->kind->plural);
	stint_json_set_string(details, "uid", uid);
	return status;
}

static bool remove_object(struct stint_api *api, const struct stint_api_call *call, const struct stint_delete_options *options,
	struct stint_json **out, struct stint_json **status)
{
	const char *space = call->kind->namespaced ? call->space : NULL;
	struct stint_stored *stored = stint_store_get(api->store, call->kind, space, call->name);
	stint_auto_json *object = NULL;
	bool marked, held;

	if (!stored)
		return stint_api_not_found(call, status);
	if (!check_protected(call, status) || !check_preconditions(call, options, stored, status))
		return false;
	object = stint_stored_parse(stored);
	marked = mark(call, options, object);
	held = is_held(call, object);
	if (out && !held && !is_core(call->kind, "Pod"))
		*out = answers_with_object(call->kind) ? stint_form_read(call->kind, stored) : success(call, stored->uid);
	if (!call->dry_run) {
		/* A pod's end is seen twice, as a node sees it: marked with no grace left, then gone. */
		if (marked && (held || is_core(call->kind, "Pod")))
			stint_store_put(api->store, call->kind, object);
		if (!held)
			stint_store_delete(api->store, call->kind, space, call->name);
	}
	if (out && !*out) {
		if (stint_store_home(api->store, call->kind) != call->kind)
			stint_json_set_string(object, "apiVersion", call->kind->api_version);
		*out = stint_steal(&object);
	}
	return true;
}

bool stint_api_delete(struct stint_api *api, const struct stint_api_call *call, const struct stint_delete_options *options,
	struct stint_json **out, struct stint_json **status)
{
	static const struct stint_delete_options usual = {.grace_s = -1};
	stint_auto_json *refusal = NULL;
	bool done;

	if (out)
		*out = NULL;
	done = remove_object(api, call, options ? options : &usual, out, &refusal);
	stint_api_tell(status, &refusal);
	return done;
}
