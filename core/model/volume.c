/*
 * The decoders of PersistentVolumeClaim, PersistentVolume, StorageClass and ConfigMap, and what follows from one of them alone. The rules
 * of which volume serves which claim are those of Kubernetes' own binder (k8s.io/component-helpers/storage/volume).
 */
#include "core/model/private.h"

#include <stdlib.h>

struct stint_volume_claim *stint_volume_claim_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_VOLUME_CLAIM ? (struct stint_volume_claim *)object : NULL;
}

struct stint_volume *stint_volume_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_VOLUME ? (struct stint_volume *)object : NULL;
}

struct stint_storage_class *stint_storage_class_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_STORAGE_CLASS ? (struct stint_storage_class *)object : NULL;
}

static void init_nothing(struct stint_object *object)
{
	(void)object;
}

static void drop_nothing(struct stint_object *object)
{
	(void)object;
}

/* ---- small pieces ---------------------------------------------------------------------------------------------------------------- */

static bool read_access(struct decoder *d, unsigned *out)
{
	static const struct {
		const char *name;
		unsigned mode;
	} modes[] = {
		{"ReadWriteOnce", STINT_ACCESS_ONCE},
		{"ReadOnlyMany", STINT_ACCESS_READ_ONLY_MANY},
		{"ReadWriteMany", STINT_ACCESS_MANY},
		{"ReadWriteOncePod", STINT_ACCESS_ONCE_POD},
	};
	*out = 0;
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct stint_slice text;
		if (!read_value(d, &text))
			return false;
		for (size_t i = 0; i < STINT_COUNT(modes); i++)
			*out |= stint_slice_is(text, modes[i].name) ? modes[i].mode : 0;
	}
	return !d->c->error;
}

static bool read_block(struct decoder *d, bool *out)
{
	struct stint_slice text;
	if (!read_value(d, &text))
		return false;
	*out = KEY_IS(text, "Block");
	return true;
}

/* `storage` of a ResourceList. */
static bool read_storage(struct decoder *d, int64_t *bytes)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "storage"))
			read_quantity(d, STINT_UNIT_ONE, bytes);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_phase(struct decoder *d, const char *phase, bool *out)
{
	struct stint_slice key, text;
	*out = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (!KEY_IS(key, "phase"))
			stint_cursor_skip(d->c);
		else if (read_value(d, &text))
			*out = stint_slice_is(text, phase);
	}
	return !d->c->error;
}

/* ---- PersistentVolumeClaim --------------------------------------------------------------------------------------------------------- */

static bool read_requests(struct decoder *d, int64_t *bytes)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "requests"))
			read_storage(d, bytes);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_volume_selector(struct decoder *d, struct stint_label_selector **out)
{
	stint_label_selector_free(*out);
	*out = NULL;
	if (stint_cursor_null(d->c))
		return true;
	*out = selector_decode(d->c);
	return !d->c->error;
}

static bool read_claim_spec(struct decoder *d, struct stint_volume_claim *claim)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "storageClassName"))
			read_name(d, &claim->storage_class);
		else if (KEY_IS(key, "volumeAttributesClassName"))
			read_name(d, &claim->attributes_class);
		else if (KEY_IS(key, "volumeName"))
			read_name(d, &claim->volume);
		else if (KEY_IS(key, "accessModes"))
			read_access(d, &claim->access);
		else if (KEY_IS(key, "volumeMode"))
			read_block(d, &claim->block);
		else if (KEY_IS(key, "resources"))
			read_requests(d, &claim->bytes);
		else if (KEY_IS(key, "selector"))
			read_volume_selector(d, &claim->selector);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool claim_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_volume_claim *claim = stint_volume_claim_of(object);
	if (KEY_IS(key, "spec"))
		return read_claim_spec(d, claim);
	return KEY_IS(key, "status") ? read_phase(d, "Lost", &claim->lost) : stint_cursor_skip(d->c);
}

static void claim_drop(struct stint_object *object)
{
	struct stint_volume_claim *claim = stint_volume_claim_of(object);
	stint_text_drop(object->model, claim->storage_class);
	stint_text_drop(object->model, claim->attributes_class);
	stint_text_drop(object->model, claim->volume);
	stint_label_selector_free(claim->selector);
}

const struct kind_decoder decode_volume_claim_kind = {
	.name = "persistent volume claim",
	.size = sizeof(struct stint_volume_claim),
	.annotations = PAIRS_KEPT,
	.init = init_nothing,
	.read_member = claim_read_member,
	.drop = claim_drop,
};

/* ---- PersistentVolume ---------------------------------------------------------------------------------------------------------------- */

static bool read_claim_reference(struct decoder *d, struct stint_volume *volume)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "namespace"))
			read_name(d, &volume->claim_space);
		else if (KEY_IS(key, "name"))
			read_name(d, &volume->claim_name);
		else if (KEY_IS(key, "uid"))
			read_name(d, &volume->claim_uid);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_required(struct decoder *d, struct stint_volume *volume)
{
	struct stint_slice key;
	if (!enter_object(d))
		return !d->c->error;
	volume->anywhere = false;
	while (stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "nodeSelectorTerms"))
			read_node_terms(d, &volume->terms, &volume->terms_count);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_volume_affinity(struct decoder *d, struct stint_volume *volume)
{
	struct stint_slice key;
	volume->anywhere = true;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "required"))
			read_required(d, volume);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_volume_spec(struct decoder *d, struct stint_volume *volume)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "storageClassName"))
			read_name(d, &volume->storage_class);
		else if (KEY_IS(key, "volumeAttributesClassName"))
			read_name(d, &volume->attributes_class);
		else if (KEY_IS(key, "accessModes"))
			read_access(d, &volume->access);
		else if (KEY_IS(key, "volumeMode"))
			read_block(d, &volume->block);
		else if (KEY_IS(key, "capacity"))
			read_storage(d, &volume->bytes);
		else if (KEY_IS(key, "claimRef"))
			read_claim_reference(d, volume);
		else if (KEY_IS(key, "nodeAffinity"))
			read_volume_affinity(d, volume);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static void volume_init(struct stint_object *object)
{
	stint_volume_of(object)->anywhere = true;
}

static bool volume_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_volume *volume = stint_volume_of(object);
	if (KEY_IS(key, "spec"))
		return read_volume_spec(d, volume);
	return KEY_IS(key, "status") ? read_phase(d, "Available", &volume->available) : stint_cursor_skip(d->c);
}

static void volume_drop(struct stint_object *object)
{
	struct stint_volume *volume = stint_volume_of(object);
	stint_text_drop(object->model, volume->storage_class);
	stint_text_drop(object->model, volume->attributes_class);
	stint_text_drop(object->model, volume->claim_space);
	stint_text_drop(object->model, volume->claim_name);
	stint_text_drop(object->model, volume->claim_uid);
	node_terms_drop(object->model, volume->terms, volume->terms_count);
}

static size_t terms_bytes(const struct stint_node_term *terms, uint32_t count)
{
	size_t bytes = count * sizeof(*terms);
	for (uint32_t i = 0; i < count; i++)
		bytes += (terms[i].labels.count + terms[i].fields.count) * sizeof(*terms->labels.items);
	return bytes;
}

static size_t volume_bytes(const struct stint_object *object)
{
	const struct stint_volume *volume = (const struct stint_volume *)object;
	return terms_bytes(volume->terms, volume->terms_count);
}

const struct kind_decoder decode_volume_kind = {
	.name = "persistent volume",
	.size = sizeof(struct stint_volume),
	.annotations = PAIRS_KEPT,
	.init = volume_init,
	.read_member = volume_read_member,
	.drop = volume_drop,
	.bytes = volume_bytes,
};

/* ---- StorageClass and ConfigMap -------------------------------------------------------------------------------------------------------- */

static void class_init(struct stint_object *object)
{
	stint_storage_class_of(object)->anywhere = true;
}

static bool class_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_storage_class *class = stint_storage_class_of(object);
	struct stint_slice text;
	if (KEY_IS(key, "provisioner"))
		return read_name(d, &class->provisioner);
	if (KEY_IS(key, "allowedTopologies")) {
		const bool read = read_topology_terms(d, &class->terms, &class->terms_count);
		class->anywhere = class->terms_count == 0;
		return read;
	}
	if (!KEY_IS(key, "volumeBindingMode"))
		return stint_cursor_skip(d->c);
	if (read_value(d, &text))
		class->waits = KEY_IS(text, "WaitForFirstConsumer");
	return !d->c->error;
}

static void class_drop(struct stint_object *object)
{
	struct stint_storage_class *class = stint_storage_class_of(object);
	stint_text_drop(object->model, class->provisioner);
	node_terms_drop(object->model, class->terms, class->terms_count);
}

static size_t class_bytes(const struct stint_object *object)
{
	const struct stint_storage_class *class = (const struct stint_storage_class *)object;
	return terms_bytes(class->terms, class->terms_count);
}

const struct kind_decoder decode_storage_class_kind = {
	.name = "storage class",
	.size = sizeof(struct stint_storage_class),
	.annotations = PAIRS_KEPT,
	.init = class_init,
	.read_member = class_read_member,
	.drop = class_drop,
	.bytes = class_bytes,
};

static bool skip_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	(void)object;
	(void)key;
	return stint_cursor_skip(d->c);
}

const struct kind_decoder decode_config_map_kind = {
	.name = "config map",
	.size = sizeof(struct stint_object),
	.annotations = PAIRS_KEPT,
	.init = init_nothing,
	.read_member = skip_member,
	.drop = drop_nothing,
};

/* ---- what follows ---------------------------------------------------------------------------------------------------------------------- */

char *stint_pod_volume_claim(const struct stint_pod *pod, const struct stint_pod_volume *volume)
{
	return volume->ephemeral ? stint_format("%s-%s", pod->meta.name, volume->claim) : stint_strdup(volume->claim);
}

bool stint_volume_claim_is_bound(const struct stint_volume_claim *claim)
{
	return claim->volume && stint_object_annotation(&claim->meta, "pv.kubernetes.io/bind-completed");
}

const char *stint_volume_claim_node(const struct stint_volume_claim *claim)
{
	return stint_object_annotation(&claim->meta, "volume.kubernetes.io/selected-node");
}

bool stint_volume_is_for(const struct stint_volume *volume, const struct stint_volume_claim *claim)
{
	return same_text(volume->claim_name, claim->meta.name) && same_text(volume->claim_space, claim->meta.space) &&
		(!volume->claim_uid || same_text(volume->claim_uid, claim->meta.uid));
}

bool stint_volume_serves(const struct stint_volume *volume, const struct stint_volume_claim *claim)
{
	if (volume->meta.deleted_ms >= 0 || volume->bytes < claim->bytes || volume->block != claim->block ||
		!same_text(volume->attributes_class, claim->attributes_class))
		return false;
	if (volume->claim_name)
		return stint_volume_is_for(volume, claim);
	return volume->available && same_text(volume->storage_class, claim->storage_class) &&
		(volume->access & claim->access) == claim->access &&
		(!claim->selector || stint_label_selector_match(claim->selector, &volume->meta.labels));
}

static bool same_labels(const struct stint_pairs *a, const struct stint_pairs *b)
{
	for (uint32_t i = 0; i < a->count && a->count == b->count; i++) {
		if (!same_text(a->items[i].key, b->items[i].key) || !same_text(a->items[i].value, b->items[i].value))
			return false;
	}
	return a->count == b->count;
}

bool stint_volume_is_alike(const struct stint_volume *a, const struct stint_volume *b)
{
	return same_text(a->meta.uid, b->meta.uid) && (a->meta.deleted_ms >= 0) == (b->meta.deleted_ms >= 0) && a->bytes == b->bytes &&
		a->block == b->block && a->access == b->access && same_text(a->attributes_class, b->attributes_class) &&
		same_text(a->storage_class, b->storage_class) && same_text(a->claim_name, b->claim_name) &&
		same_text(a->claim_space, b->claim_space) && same_text(a->claim_uid, b->claim_uid) &&
		(a->claim_name || a->available == b->available) && a->anywhere == b->anywhere &&
		node_terms_equal(a->terms, a->terms_count, b->terms, b->terms_count) && same_labels(&a->meta.labels, &b->meta.labels);
}
