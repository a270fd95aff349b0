/*
 * A model's life, the head of every object, and the decoding of one object: metadata here, the rest by the kind's own decoder. Once
 * decoded an object never changes; its destruction gives every text back to the model.
 */
#include "core/model/private.h"

#include <stdlib.h>

static const struct kind_decoder *const kinds[] = {
	[STINT_KIND_POD] = &decode_pod_kind,
	[STINT_KIND_NODE] = &decode_node_kind,
	[STINT_KIND_QUEUE] = &decode_queue_kind,
	[STINT_KIND_POD_GROUP] = &decode_pod_group_kind,
	[STINT_KIND_TOPOLOGY] = &decode_topology_kind,
	[STINT_KIND_PRIORITY_CLASS] = &decode_priority_class_kind,
	[STINT_KIND_NAMESPACE] = &decode_space_kind,
	[STINT_KIND_EVENT] = &decode_event_kind,
	[STINT_KIND_OWNER] = &decode_owner_kind,
	[STINT_KIND_RESOURCE_CLAIM] = &decode_resource_claim_kind,
	[STINT_KIND_RESOURCE_SLICE] = &decode_resource_slice_kind,
	[STINT_KIND_DEVICE_CLASS] = &decode_device_class_kind,
	[STINT_KIND_VOLUME_CLAIM] = &decode_volume_claim_kind,
	[STINT_KIND_VOLUME] = &decode_volume_kind,
	[STINT_KIND_STORAGE_CLASS] = &decode_storage_class_kind,
	[STINT_KIND_NODE_ZONES] = &decode_node_zones_kind,
	[STINT_KIND_CONFIG_MAP] = &decode_config_map_kind,
};

struct stint_model *stint_model_new(void)
{
	struct stint_model *model = stint_alloc(sizeof(*model));
	stint_random_bytes(&model->seed, sizeof(model->seed));
	return model;
}

void stint_model_free(struct stint_model *model)
{
	if (!model)
		return;
	free(model->slots);
	free(model->specs);
	stint_buf_free(&model->scratch);
	free(model->pairs);
	free(model);
}

void stint_model_measure(const struct stint_model *model, struct stint_model_stats *out)
{
	*out = (struct stint_model_stats){
		.texts = model->texts,
		.text_bytes = model->text_bytes + model->slots_count * sizeof(*model->slots),
		.specs = model->specs_used,
		.objects = model->objects,
		.object_bytes = model->object_bytes + model->specs_count * sizeof(struct stint_pod_spec *),
	};
}

/* ---- metadata ---------------------------------------------------------------------------------------------------------------- */

static void owner_reference_drop(struct stint_model *model, struct stint_owner_reference *owner)
{
	stint_text_drop(model, owner->api_version);
	stint_text_drop(model, owner->kind);
	stint_text_drop(model, owner->name);
	stint_text_drop(model, owner->uid);
	*owner = (struct stint_owner_reference){0};
}

static bool read_owner_reference(struct decoder *d, struct stint_owner_reference *out)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "apiVersion"))
			read_name(d, &out->api_version);
		else if (KEY_IS(key, "kind"))
			read_name(d, &out->kind);
		else if (KEY_IS(key, "name"))
			read_name(d, &out->name);
		else if (KEY_IS(key, "uid"))
			read_name(d, &out->uid);
		else if (KEY_IS(key, "controller"))
			read_bool(d, &out->controller);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_owners(struct decoder *d, struct stint_owner_reference *owner)
{
	owner_reference_drop(d->model, owner);
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct stint_owner_reference next = {0};
		const bool read = read_owner_reference(d, &next);
		if (read && next.kind && (!owner->kind || (next.controller && !owner->controller))) {
			owner_reference_drop(d->model, owner);
			*owner = next;
		} else {
			owner_reference_drop(d->model, &next);
		}
	}
	return !d->c->error;
}

bool read_metadata(struct decoder *d, struct stint_object *object, enum pairs_wanted annotations)
{
	struct stint_slice key;
	struct stint_resource_claim *claim = stint_resource_claim_of(object);
	const bool name_only = object->kind == STINT_KIND_CONFIG_MAP; /* there are many, and only that they are there is asked */
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &object->name);
		else if (KEY_IS(key, "namespace"))
			read_name(d, &object->space);
		else if (KEY_IS(key, "uid"))
			read_name(d, &object->uid);
		else if (KEY_IS(key, "resourceVersion"))
			read_name(d, &object->resource_version);
		else if (KEY_IS(key, "creationTimestamp"))
			read_time(d, &object->created_ms);
		else if (KEY_IS(key, "deletionTimestamp"))
			read_time(d, &object->deleted_ms);
		else if (name_only)
			stint_cursor_skip(d->c);
		else if (KEY_IS(key, "labels"))
			read_pairs(d, PAIRS_ALL, &object->labels);
		else if (KEY_IS(key, "annotations"))
			read_pairs(d, annotations, &object->annotations);
		else if (KEY_IS(key, "ownerReferences"))
			read_owners(d, &object->owner);
		else if (KEY_IS(key, "finalizers") && claim)
			read_names(d, &claim->finalizers, &claim->finalizers_count);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

/* ---- objects ----------------------------------------------------------------------------------------------------------------- */

static size_t object_bytes(const struct stint_object *object)
{
	const struct kind_decoder *kind = kinds[object->kind];
	return kind->size + (object->labels.count + object->annotations.count) * sizeof(struct stint_pair) +
		(kind->bytes ? kind->bytes(object) : 0);
}

static void object_free(struct stint_object *object)
{
	struct stint_model *model = object->model;
	kinds[object->kind]->drop(object);
	stint_text_drop(model, object->space);
	stint_text_drop(model, object->name);
	stint_text_drop(model, object->uid);
	stint_text_drop(model, object->resource_version);
	pairs_drop(model, &object->labels);
	pairs_drop(model, &object->annotations);
	owner_reference_drop(model, &object->owner);
	free(object);
}

struct stint_object *stint_object_ref(struct stint_object *object)
{
	if (object)
		object->refs++;
	return object;
}

void stint_object_unref(struct stint_object *object)
{
	if (!object || --object->refs)
		return;
	object->model->objects--;
	object->model->object_bytes -= object_bytes(object);
	object_free(object);
}

static void release(void *object)
{
	stint_object_unref(object);
}

struct stint_map *stint_object_map_new(void)
{
	return stint_map_new(release);
}

const char *stint_object_label(const struct stint_object *object, const char *key)
{
	return stint_pairs_get(&object->labels, key);
}

const char *stint_object_annotation(const struct stint_object *object, const char *key)
{
	return stint_pairs_get(&object->annotations, key);
}

static bool read_object(struct decoder *d, struct stint_object *object)
{
	const struct kind_decoder *kind = kinds[object->kind];
	struct stint_slice key;
	if (!stint_cursor_object(d->c))
		return false;
	while (stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "metadata"))
			read_metadata(d, object, kind->annotations);
		else
			kind->read_member(d, object, key);
	}
	if (!d->c->error && !stint_cursor_end(d->c))
		decode_fail(d, "bytes after the end of the object");
	if (!d->c->error && !object->name)
		decode_fail(d, "no metadata.name");
	if (!d->c->error && kind->finish)
		kind->finish(d, object);
	return !d->c->error;
}

struct stint_object *stint_object_decode(
	struct stint_model *model, const struct stint_decode_as *as, const char *data, size_t length, struct stint_error **err)
{
	const struct kind_decoder *kind = kinds[as->kind];
	struct stint_cursor cursor = stint_cursor_over(data, length);
	struct decoder d = {.model = model, .c = &cursor};
	struct stint_object *object = stint_alloc(kind->size);
	object->kind = as->kind;
	object->refs = 1;
	object->model = model;
	object->created_ms = -1;
	object->deleted_ms = -1;
	kind->init(object);
	if (as->kind == STINT_KIND_OWNER)
		owner_set_type(object, as->api_version, as->kind_name);
	if (!read_object(&d, object)) {
		stint_fail(err, STINT_FAILED, "cannot read a %s%s%s%s from the server: %s at byte %zu of %zu", kind->name,
			object->name ? " \"" : "", object->name ? object->name : "", object->name ? "\"" : "", cursor.error,
			(size_t)(cursor.at - cursor.start), length);
		object_free(object);
		return NULL;
	}
	model->objects++;
	model->object_bytes += object_bytes(object);
	return object;
}

struct stint_object *stint_object_from_json(
	struct stint_model *model, const struct stint_decode_as *as, const struct stint_json *json, struct stint_error **err)
{
	stint_autofree char *text = stint_json_print(json);
	return stint_object_decode(model, as, text, strlen(text), err);
}
