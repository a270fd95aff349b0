/*
 * create: objects made in order, and unmade when one of them fails. Blocks; keeps nothing between calls.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>
#include <stint/workload.h>

static const char *namespace_of(const struct stint_json *object, const struct stint_kube_resource *resource, const char *project)
{
	const char *space = stint_json_string_at(object, "metadata", "namespace");
	return !resource->namespaced ? NULL : space ? space : project;
}

static const struct stint_kube_resource *resource_of(struct stint_kube *kube, const struct stint_json *object, struct stint_error **err)
{
	const char *api_version = stint_json_string(stint_json_get(object, "apiVersion")),
		   *kind = stint_json_string(stint_json_get(object, "kind"));
	if (api_version && kind)
		return stint_kube_discover(kube, api_version, kind, err);
	stint_fail(err, STINT_USAGE, "an object has no apiVersion and kind: every one needs both");
	return NULL;
}

/* The garbage collector removes what is owned when its owner goes. */
static void add_owner(struct stint_json *object, const struct stint_json *owner)
{
	const char *uid = stint_json_string_at(owner, "metadata", "uid");
	if (!uid)
		return;
	struct stint_json *references = stint_json_ensure_array(stint_json_ensure_object(object, "metadata"), "ownerReferences");
	struct stint_json *reference = stint_json_append(references, stint_json_new_object());
	stint_json_set_string(reference, "apiVersion", stint_json_string(stint_json_get(owner, "apiVersion")));
	stint_json_set_string(reference, "kind", stint_json_string(stint_json_get(owner, "kind")));
	stint_json_set_string(reference, "name", stint_json_string_at(owner, "metadata", "name"));
	stint_json_set_string(reference, "uid", uid);
}

static struct stint_json *create_one(struct stint_kube *kube, const struct stint_json *object, const struct stint_json *owner,
	const struct stint_create_options *options, struct stint_error **err)
{
	const struct stint_kube_resource *resource = resource_of(kube, object, err);
	if (!resource)
		return NULL;
	stint_auto_json *owned = owner && options->own && !options->dry_run ? stint_json_dup(object) : NULL;
	if (owned)
		add_owner(owned, owner);
	/* A misspelt field would otherwise be dropped in silence. */
	const struct stint_kube_write_options write = {.dry_run = options->dry_run, .field_validation = "Strict"};
	return stint_kube_create(
		kube, resource, namespace_of(object, resource, options->project), NULL, owned ? owned : object, &write, err);
}

/* The uid is a precondition: what somebody else has made meanwhile under the name stays. */
static void undo(struct stint_kube *kube, const struct stint_json *made, struct stint_error **err)
{
	for (size_t at = stint_json_count(made); at-- > 0;) {
		const struct stint_json *object = stint_json_item(made, at);
		const struct stint_kube_resource *resource = resource_of(kube, object, NULL);
		const char *name = stint_json_string_at(object, "metadata", "name");
		const struct stint_kube_delete_options options = {.uid = stint_json_string_at(object, "metadata", "uid")};
		stint_auto_error *failed = NULL;
		if (!resource ||
			stint_kube_delete(kube, resource, stint_json_string_at(object, "metadata", "namespace"), name, &options, &failed) ||
			failed->code == STINT_NOT_FOUND)
			continue;
		stint_fail_wrap(err, "%s \"%s\" was made and could not be removed again (%s)",
			stint_json_string_or(stint_json_get(object, "kind"), ""), name, failed->message);
	}
}

struct stint_json *stint_objects_create(
	struct stint_kube *kube, const struct stint_json *objects, const struct stint_create_options *options, struct stint_error **err)
{
	stint_auto_json *made = stint_json_new_array();
	stint_json_each(object, objects) {
		struct stint_json *answer = create_one(kube, object, stint_json_first(made), options, err);
		if (answer) {
			stint_json_append(made, answer);
			continue;
		}
		if (!options->dry_run)
			undo(kube, made, err);
		return NULL;
	}
	return stint_steal(&made);
}
