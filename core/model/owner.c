/*
 * The decoder of whatever owns pods: Job, ReplicaSet, Deployment, StatefulSet and custom resources. What a kind does not have stays
 * absent; the pod template is read wherever it stands in spec.template.
 */
#include "core/model/private.h"

#include <stint/model_roles.h>

#include <stdlib.h>

struct stint_owner *stint_owner_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_OWNER ? (struct stint_owner *)object : NULL;
}

static void owner_init(struct stint_object *object)
{
	struct stint_owner *owner = stint_owner_of(object);
	owner->parallelism = owner->completions = -1;
	owner->active = owner->succeeded = owner->failed = -1;
	owner->replicas = owner->ready_replicas = -1;
	owner->started_ms = owner->completed_ms = -1;
}

void owner_set_type(struct stint_object *object, const char *api_version, const char *kind_name)
{
	struct stint_owner *owner = stint_owner_of(object);
	if (api_version)
		owner->api_version = stint_text_take(object->model, api_version, strlen(api_version));
	if (kind_name)
		owner->kind_name = stint_text_take(object->model, kind_name, strlen(kind_name));
}

bool read_template_metadata(struct decoder *d, struct stint_owner *owner)
{
	struct stint_slice key;
	if (stint_cursor_peek(d->c) != STINT_JSON_OBJECT)
		return stint_cursor_skip(d->c);
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "labels"))
			read_pairs(d, PAIRS_ALL, &owner->template_labels);
		else if (KEY_IS(key, "annotations"))
			read_pairs(d, PAIRS_KEPT, &owner->template_annotations);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_template(struct decoder *d, struct stint_owner *owner)
{
	const struct spec_extras none = {0};
	struct stint_slice key;
	if (stint_cursor_peek(d->c) != STINT_JSON_OBJECT)
		return stint_cursor_skip(d->c);
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "metadata")) {
			read_template_metadata(d, owner);
		} else if (KEY_IS(key, "spec") && stint_cursor_peek(d->c) == STINT_JSON_OBJECT) {
			spec_unref(d->model, owner->pod_spec);
			owner->pod_spec = spec_new();
			read_pod_spec(d, owner->pod_spec, &none);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	return !d->c->error;
}

/* A custom resource may use these words for other things than numbers: those are not ours. */
static bool read_count(struct decoder *d, int32_t *out)
{
	return stint_cursor_peek(d->c) == STINT_JSON_NUMBER ? read_int32(d, out) : stint_cursor_skip(d->c);
}

static bool read_owner_spec(struct decoder *d, struct stint_owner *owner)
{
	struct stint_slice key, text;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "template")) {
			read_template(d, owner);
		} else if (KEY_IS(key, "parallelism")) {
			read_count(d, &owner->parallelism);
		} else if (KEY_IS(key, "completions")) {
			read_count(d, &owner->completions);
		} else if (KEY_IS(key, "replicas")) {
			read_count(d, &owner->replicas);
		} else if (KEY_IS(key, "suspend") && stint_cursor_peek(d->c) == STINT_JSON_BOOL) {
			read_truth(d, &owner->suspend);
		} else if (KEY_IS(key, "completionMode") && stint_cursor_peek(d->c) == STINT_JSON_STRING) {
			if (read_value(d, &text))
				owner->indexed = KEY_IS(text, "Indexed");
		} else if (is_of_roles(key)) {
			read_roles(d, owner, key);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	return !d->c->error;
}

static bool read_owner_condition(struct decoder *d, struct stint_owner *owner)
{
	struct stint_slice key, text;
	enum stint_truth status = STINT_UNKNOWN;
	enum { TYPE_OTHER, TYPE_COMPLETE, TYPE_FAILED } type = TYPE_OTHER;
	const char *reason = NULL, *message = NULL;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (stint_cursor_peek(d->c) != STINT_JSON_STRING) {
			stint_cursor_skip(d->c);
		} else if (KEY_IS(key, "type")) {
			if (read_value(d, &text))
				type = KEY_IS(text, "Complete") ? TYPE_COMPLETE : KEY_IS(text, "Failed") ? TYPE_FAILED : TYPE_OTHER;
		} else if (KEY_IS(key, "status")) {
			read_status(d, &status);
		} else if (KEY_IS(key, "reason")) {
			read_name(d, &reason);
		} else if (KEY_IS(key, "message")) {
			read_name(d, &message);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	if (type == TYPE_COMPLETE && status == STINT_TRUE)
		owner->complete = true;
	if (type == TYPE_FAILED && status == STINT_TRUE) {
		stint_text_drop(d->model, owner->failed_reason);
		stint_text_drop(d->model, owner->failed_message);
		owner->failed_for_good = true;
		owner->failed_reason = stint_steal(&reason);
		owner->failed_message = stint_steal(&message);
	}
	stint_text_drop(d->model, reason);
	stint_text_drop(d->model, message);
	return !d->c->error;
}

static bool read_owner_conditions(struct decoder *d, struct stint_owner *owner)
{
	if (stint_cursor_peek(d->c) != STINT_JSON_ARRAY)
		return stint_cursor_skip(d->c);
	const bool in_array = stint_cursor_array(d->c);
	while (in_array && stint_cursor_item(d->c)) {
		if (stint_cursor_peek(d->c) == STINT_JSON_OBJECT)
			read_owner_condition(d, owner);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_owner_time(struct decoder *d, int64_t *ms)
{
	return stint_cursor_peek(d->c) == STINT_JSON_STRING ? read_time(d, ms) : stint_cursor_skip(d->c);
}

static bool read_owner_status(struct decoder *d, struct stint_owner *owner)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "active"))
			read_count(d, &owner->active);
		else if (KEY_IS(key, "succeeded"))
			read_count(d, &owner->succeeded);
		else if (KEY_IS(key, "failed"))
			read_count(d, &owner->failed);
		else if (KEY_IS(key, "readyReplicas"))
			read_count(d, &owner->ready_replicas);
		else if (KEY_IS(key, "startTime"))
			read_owner_time(d, &owner->started_ms);
		else if (KEY_IS(key, "completionTime"))
			read_owner_time(d, &owner->completed_ms);
		else if (KEY_IS(key, "conditions"))
			read_owner_conditions(d, owner);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool owner_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_owner *owner = stint_owner_of(object);
	if (KEY_IS(key, "apiVersion"))
		return read_name(d, &owner->api_version);
	if (KEY_IS(key, "kind"))
		return read_name(d, &owner->kind_name);
	if (KEY_IS(key, "spec"))
		return read_owner_spec(d, owner);
	if (KEY_IS(key, "status"))
		return read_owner_status(d, owner);
	return stint_cursor_skip(d->c);
}

static bool owner_finish(struct decoder *d, struct stint_object *object)
{
	struct stint_owner *owner = stint_owner_of(object);
	if (owner->pod_spec) {
		spec_set_gpu(d->model, owner->pod_spec, &owner->template_annotations);
		owner->pod_spec = spec_share(d->model, owner->pod_spec);
	}
	return true;
}

static void owner_drop(struct stint_object *object)
{
	struct stint_owner *owner = stint_owner_of(object);
	struct stint_model *model = object->model;
	stint_text_drop(model, owner->api_version);
	stint_text_drop(model, owner->kind_name);
	stint_text_drop(model, owner->failed_reason);
	stint_text_drop(model, owner->failed_message);
	spec_unref(model, owner->pod_spec);
	pairs_drop(model, &owner->template_labels);
	pairs_drop(model, &owner->template_annotations);
	free(owner->roles);
}

static size_t owner_bytes(const struct stint_object *object)
{
	const struct stint_owner *owner = (const struct stint_owner *)object;
	return (owner->template_labels.count + owner->template_annotations.count) * sizeof(struct stint_pair) +
		(owner->roles ? sizeof(*owner->roles) : 0);
}

const struct kind_decoder decode_owner_kind = {
	.name = "owner of pods",
	.size = sizeof(struct stint_owner),
	.annotations = PAIRS_SHORT,
	.init = owner_init,
	.read_member = owner_read_member,
	.finish = owner_finish,
	.drop = owner_drop,
	.bytes = owner_bytes,
};
