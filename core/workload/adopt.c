/*
 * adopt: objects of a person's own file made ready for a project. What the file says stands, but for KAI's scheduler where nobody serves
 * that name; only what it leaves open is filled in. Kinds
 * are not known one by one: whatever holds a pod template is found by its form, so that custom resources work too.
 */
#include <string.h>

#include <stint/workload.h>

enum { MOST_OBJECTS = 500 };

static bool is_pod_spec(const struct stint_json *spec)
{
	return stint_json_type(stint_json_get(spec, "containers")) == STINT_JSON_ARRAY;
}

static bool is_served_name(const struct stint_adoption *adoption, const char *name)
{
	if (!adoption->served)
		return strcmp(name, adoption->scheduler_name) == 0;
	for (size_t at = 0; adoption->served[at]; at++) {
		if (strcmp(name, adoption->served[at]) == 0)
			return true;
	}
	return false;
}

static void adopt_pods(struct stint_json *metadata_owner, struct stint_json *spec, struct stint_adoption *adoption)
{
	const char *named = stint_json_string(stint_json_get(spec, "schedulerName"));
	const bool foreign = named && !is_served_name(adoption, named), kai = foreign && strcmp(named, STINT_KAI_SCHEDULER_NAME) == 0;
	if (!named || kai)
		stint_json_set_string(spec, "schedulerName", adoption->scheduler_name);
	else if (foreign)
		adoption->foreign = named;
	adoption->renamed |= kai;
	struct stint_json *labels = stint_json_ensure_object(stint_json_ensure_object(metadata_owner, "metadata"), "labels");
	if (!stint_json_get(labels, STINT_LABEL_QUEUE))
		stint_json_set_string(labels, STINT_LABEL_QUEUE, adoption->project);
}

bool stint_object_runs_pods(const struct stint_json *object)
{
	const enum stint_json_type type = stint_json_type(object);
	if (type != STINT_JSON_OBJECT && type != STINT_JSON_ARRAY)
		return false;
	if (type == STINT_JSON_OBJECT && is_pod_spec(stint_json_get(object, "spec")))
		return true;
	stint_json_each(child, object) {
		if (stint_object_runs_pods(child))
			return true;
	}
	return false;
}

/* Every {metadata, spec: {containers}} below value. Returns whether there was one. The depth is bounded by the parser's. */
static bool adopt_templates(struct stint_json *value, struct stint_adoption *adoption)
{
	bool found = false;
	const enum stint_json_type type = stint_json_type(value);
	if (type != STINT_JSON_OBJECT && type != STINT_JSON_ARRAY)
		return false;
	struct stint_json *spec = type == STINT_JSON_OBJECT ? stint_json_get(value, "spec") : NULL;
	if (is_pod_spec(spec)) {
		adopt_pods(value, spec, adoption);
		return true;
	}
	stint_json_each(child, value)
		found |= adopt_templates(child, adoption);
	return found;
}

static bool adopt_one(struct stint_json *object, struct stint_adoption *adoption, struct stint_error **err)
{
	const char *project = adoption->project;
	const char *kind = stint_json_string(stint_json_get(object, "kind"));
	const char *name = stint_json_string_at(object, "metadata", "name"), *space = stint_json_string_at(object, "metadata", "namespace");
	if (stint_json_type(object) != STINT_JSON_OBJECT || !kind || !stint_json_string(stint_json_get(object, "apiVersion")))
		return stint_fail(err, STINT_USAGE, "the file holds something that is no Kubernetes object: give it apiVersion and kind");
	if (!name && !stint_json_string_at(object, "metadata", "generateName"))
		return stint_fail(err, STINT_USAGE, "the %s of the file has no name: give it metadata.name", kind);
	if (space && strcmp(space, project) != 0)
		return stint_fail(err, STINT_USAGE,
			"%s \"%s\" of the file is for namespace \"%s\" and the project is \"%s\": say -p %s, or take the "
			"namespace out of the file",
			kind, name ? name : "", space, project, space);
	struct stint_json *metadata = stint_json_ensure_object(object, "metadata");
	stint_json_set_string(metadata, "namespace", project);
	if (!adopt_templates(object, adoption))
		return true;
	struct stint_json *labels = stint_json_ensure_object(metadata, "labels");
	if (!stint_json_get(labels, STINT_LABEL_QUEUE))
		stint_json_set_string(labels, STINT_LABEL_QUEUE, project);
	return true;
}

/* A List in the file stands for its items. */
static void expand_lists(struct stint_json *objects)
{
	struct stint_json *next;
	size_t index = 0;
	for (struct stint_json *object = stint_json_first(objects); object; object = next, index++) {
		struct stint_json *items = stint_json_get(object, "items");
		next = stint_json_next(object);
		if (!stint_ends_with(stint_json_string_or(stint_json_get(object, "kind"), ""), "List") ||
			stint_json_type(items) != STINT_JSON_ARRAY)
			continue;
		size_t at = index + 1;
		stint_json_each(item, items)
			stint_json_insert(objects, at++, stint_json_dup(item));
		stint_json_unlink(objects, object);
		index = at - 2;
	}
}

bool stint_objects_adopt(struct stint_json *objects, struct stint_adoption *adoption, struct stint_error **err)
{
	adoption->renamed = false;
	adoption->foreign = NULL;
	expand_lists(objects);
	const size_t count = stint_json_count(objects);
	if (count == 0)
		return stint_fail(err, STINT_USAGE, "the file holds no objects: write a Job, a Deployment or another kind into it");
	if (count > MOST_OBJECTS)
		return stint_fail(err, STINT_USAGE, "the file holds %zu objects: submit takes %d at most", count, MOST_OBJECTS);
	stint_json_each(object, objects) {
		if (!adopt_one(object, adoption, err))
			return false;
	}
	return true;
}
