/*
 * create: objects made in order, and unmade when one of them fails. Blocks; keeps nothing between calls.
 *
 * A creation whose answer was lost may have been done or not. Each object carries a mark that no other creation has: what is there under
 * its name is deleted only if it has that mark.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <stint/workload.h>

#include "delete.h"

#define ANNOTATION_MARK "stint.dev/creation"

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
	const char *mark, const struct stint_create_options *options, struct stint_error **err)
{
	const struct stint_kube_resource *resource = resource_of(kube, object, err);
	if (!resource)
		return NULL;
	stint_auto_json *ours = options->dry_run ? NULL : stint_json_dup(object);
	if (ours)
		stint_json_set_string(
			stint_json_ensure_object(stint_json_ensure_object(ours, "metadata"), "annotations"), ANNOTATION_MARK, mark);
	if (ours && owner && options->own)
		add_owner(ours, owner);
	/* A misspelt field would otherwise be dropped in silence. */
	const struct stint_kube_write_options write = {.dry_run = options->dry_run, .field_validation = "Strict"};
	return stint_kube_create(kube, resource, namespace_of(object, resource, options->project), NULL, ours ? ours : object, &write, err);
}

static bool has_mark(const struct stint_json *object, const char *mark)
{
	return strcmp(stint_json_string_or(stint_json_at(object, "metadata", "annotations", ANNOTATION_MARK), ""), mark) == 0;
}

/* What a creation with that mark has made; NULL with err: it cannot be told, NULL without: nothing. */
static struct stint_json *find_made(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *space,
	const char *name, const char *mark, struct stint_error **err)
{
	if (name) {
		stint_auto_error *error = NULL;
		stint_auto_json *found = stint_kube_get(kube, resource, space, name, &error);
		if (!found && error->code != STINT_NOT_FOUND)
			stint_error_move(err, &error);
		return has_mark(found, mark) ? stint_steal(&found) : NULL;
	}
	/* The server chose the name. */
	stint_auto_json *list = stint_kube_list(kube, resource, space, NULL, err);
	stint_json_each(item, stint_json_get(list, "items")) {
		if (has_mark(item, mark))
			return stint_json_dup(item);
	}
	return NULL;
}

/* No answer came to the creation: what it may have made all the same goes again. */
static void undo_unanswered(struct stint_kube *kube, const struct stint_json *object, const char *mark,
	const struct stint_create_options *options, struct stint_error **err)
{
	const struct stint_kube_resource *resource = resource_of(kube, object, NULL);
	const char *name = stint_json_string_at(object, "metadata", "name");
	if (!resource)
		return; /* then nothing was sent */
	const char *space = namespace_of(object, resource, options->project);
	stint_auto_error *failed = NULL;
	stint_auto_json *made = find_made(kube, resource, space, name, mark, &failed);
	if (made)
		delete_or_gone(kube, resource, space, stint_json_string_at(made, "metadata", "name"),
			stint_json_string_at(made, "metadata", "uid"), &failed);
	if (failed)
		stint_fail_wrap(err, "%s \"%s\" may have been made all the same (%s)",
			stint_json_string_or(stint_json_get(object, "kind"), ""),
			name ? name : stint_json_string_or(stint_json_at(object, "metadata", "generateName"), ""), failed->message);
}

/* The uid is a precondition: what somebody else has made meanwhile under the name stays. */
static void undo(
	struct stint_kube *kube, const struct stint_json *made, const struct stint_create_options *options, struct stint_error **err)
{
	for (size_t at = stint_json_count(made); at-- > 0;) {
		const struct stint_json *object = stint_json_item(made, at);
		const struct stint_kube_resource *resource = resource_of(kube, object, NULL);
		const char *name = stint_json_string_at(object, "metadata", "name"), *uid = stint_json_string_at(object, "metadata", "uid");
		stint_auto_error *failed = NULL;
		if (resource && !delete_or_gone(kube, resource, namespace_of(object, resource, options->project), name, uid, &failed))
			stint_fail_wrap(err, "%s \"%s\" was made and could not be removed again (%s)",
				stint_json_string_or(stint_json_get(object, "kind"), ""), name, failed->message);
	}
}

struct stint_json *stint_objects_create(
	struct stint_kube *kube, const struct stint_json *objects, const struct stint_create_options *options, struct stint_error **err)
{
	uint64_t random;
	stint_random_bytes(&random, sizeof random);
	stint_autofree char *mark = stint_format("%016" PRIx64, random);
	stint_auto_json *made = stint_json_new_array();
	stint_json_each(object, objects) {
		stint_auto_error *error = NULL;
		struct stint_json *answer = create_one(kube, object, stint_json_first(made), mark, options, &error);
		if (answer) {
			stint_json_append(made, answer);
			continue;
		}
		if (!options->dry_run && (error->code == STINT_TIMEOUT || error->code == STINT_UNREACHABLE))
			undo_unanswered(kube, object, mark, options, &error);
		if (!options->dry_run)
			undo(kube, made, options, &error);
		stint_error_move(err, &error);
		return NULL;
	}
	return stint_steal(&made);
}
