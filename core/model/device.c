/*
 * The decoders of ResourceSlice and DeviceClass (resource.k8s.io/v1), and the selectors that classes and claims share.
 *
 * A device that is special in a way that is not understood here is marked, never guessed at: taints, counters that devices share, several
 * allocations of one device, conditions before binding, nodes of its own. A class whose selectors are not understood has a problem.
 */
#include "core/model/device.h"

#include <stdlib.h>

enum { MOST_DEVICES = 1024, MOST_ATTRIBUTES = 256 };

struct stint_resource_slice *stint_resource_slice_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_RESOURCE_SLICE ? (struct stint_resource_slice *)object : NULL;
}

struct stint_device_class *stint_device_class_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_DEVICE_CLASS ? (struct stint_device_class *)object : NULL;
}

/* ---- selectors ------------------------------------------------------------------------------------------------------------------------- */

void note_problem(struct stint_model *model, const char **problem, const char *text)
{
	if (!*problem)
		*problem = stint_text_take(model, text, strlen(text));
}

static bool read_expression(struct decoder *d, char **out)
{
	struct stint_slice key, text;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "expression")) {
			if (read_value(d, &text)) {
				free(*out);
				*out = stint_strndup(text.data, text.length);
			}
		} else {
			stint_cursor_skip(d->c);
		}
	}
	return !d->c->error;
}

bool read_selectors(struct decoder *d, struct stint_device_selectors *out, const char **problem)
{
	struct stint_cel **items = NULL;
	size_t used = 0, capacity = 0;
	selectors_drop(out);
	const bool in_array = enter_array(d);
	while (in_array && stint_cursor_item(d->c)) {
		struct stint_slice key;
		stint_autofree char *expression = NULL;
		const bool inside = enter_object(d);
		while (inside && stint_cursor_key(d->c, &key)) {
			if (KEY_IS(key, "cel"))
				read_expression(d, &expression);
			else
				stint_cursor_skip(d->c);
		}
		stint_auto_error *err = NULL;
		struct stint_cel *cel = expression ? stint_cel_compile(expression, &err) : NULL;
		if (!cel) {
			note_problem(d->model, problem, err ? err->message : "a selector is no CEL expression");
			continue;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used++] = cel;
	}
	out->items = items;
	out->count = (uint32_t)used;
	return !d->c->error;
}

void selectors_drop(struct stint_device_selectors *selectors)
{
	for (uint32_t i = 0; i < selectors->count; i++)
		stint_cel_free(selectors->items[i]);
	stint_free_pointer(&selectors->items);
	selectors->count = 0;
}

/* ---- attributes and capacities -------------------------------------------------------------------------------------------------------- */

/* "domain/name", or a name in the domain of the driver, which may come later in the object: domain stays NULL. */
void split_name(struct stint_model *model, struct stint_slice text, const char **domain, const char **name)
{
	const char *slash = memchr(text.data, '/', text.length);
	const size_t before = slash ? (size_t)(slash - text.data) : 0;
	*domain = slash ? stint_text_take(model, text.data, before) : NULL;
	*name = slash ? stint_text_take(model, slash + 1, text.length - before - 1) : stint_text_take(model, text.data, text.length);
}

static bool read_attribute(struct decoder *d, struct stint_device_attribute *out)
{
	struct stint_slice key;
	bool truth = false;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "int")) {
			out->kind = STINT_ATTRIBUTE_INT;
			read_int64(d, &out->number);
		} else if (KEY_IS(key, "bool")) {
			out->kind = STINT_ATTRIBUTE_BOOL;
			read_bool(d, &truth);
			out->number = truth;
		} else if (KEY_IS(key, "string")) {
			out->kind = STINT_ATTRIBUTE_TEXT;
			read_text(d, &out->text);
		} else if (KEY_IS(key, "version")) {
			out->kind = STINT_ATTRIBUTE_VERSION;
			read_text(d, &out->text);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	if (!out->text)
		out->text = stint_text_take(d->model, "", 0);
	return !d->c->error;
}

static void attributes_drop(struct stint_model *model, struct stint_device *device)
{
	for (uint32_t i = 0; i < device->attributes_count; i++) {
		stint_text_drop(model, device->attributes[i].domain);
		stint_text_drop(model, device->attributes[i].name);
		stint_text_drop(model, device->attributes[i].text);
	}
	stint_free_pointer(&device->attributes);
	device->attributes_count = 0;
}

static bool read_attributes(struct decoder *d, struct stint_device *device)
{
	struct stint_device_attribute *items = NULL;
	size_t used = 0, capacity = 0;
	struct stint_slice key;
	attributes_drop(d->model, device);
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (used == MOST_ATTRIBUTES) {
			decode_fail(d, "a device of more than 256 attributes");
			break;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used] = (struct stint_device_attribute){.kind = STINT_ATTRIBUTE_TEXT};
		split_name(d->model, key, &items[used].domain, &items[used].name);
		read_attribute(d, &items[used++]);
	}
	device->attributes = items;
	device->attributes_count = (uint32_t)used;
	return !d->c->error;
}

static void capacities_drop(struct stint_model *model, struct stint_device *device)
{
	for (uint32_t i = 0; i < device->capacities_count; i++) {
		stint_text_drop(model, device->capacities[i].domain);
		stint_text_drop(model, device->capacities[i].name);
	}
	stint_free_pointer(&device->capacities);
	device->capacities_count = 0;
}

static bool read_capacity(struct decoder *d, struct stint_device_capacity *out)
{
	struct stint_slice key, text;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (!KEY_IS(key, "value"))
			stint_cursor_skip(d->c);
		else if (read_value(d, &text) && !stint_quantity_parse(text, STINT_UNIT_MILLI, &out->milli))
			decode_fail(d, "a capacity that is no quantity");
	}
	return !d->c->error;
}

static bool read_capacities(struct decoder *d, struct stint_device *device)
{
	struct stint_device_capacity *items = NULL;
	size_t used = 0, capacity = 0;
	struct stint_slice key;
	capacities_drop(d->model, device);
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (used == MOST_ATTRIBUTES) {
			decode_fail(d, "a device of more than 256 capacities");
			break;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used] = (struct stint_device_capacity){.milli = 0};
		split_name(d->model, key, &items[used].domain, &items[used].name);
		read_capacity(d, &items[used++]);
	}
	device->capacities = items;
	device->capacities_count = (uint32_t)used;
	return !d->c->error;
}

/* ---- devices ------------------------------------------------------------------------------------------------------------------------------ */

static bool is_empty(struct stint_slice raw)
{
	return stint_slice_is(raw, "null") || stint_slice_is(raw, "[]") || stint_slice_is(raw, "false");
}

static bool read_device(struct decoder *d, struct stint_device *out)
{
	struct stint_slice key, raw;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &out->name);
		else if (KEY_IS(key, "attributes"))
			read_attributes(d, out);
		else if (KEY_IS(key, "capacity"))
			read_capacities(d, out);
		else if (stint_cursor_raw(d->c, &raw) && !is_empty(raw))
			out->special = true;
	}
	if (!d->c->error && !out->name)
		return decode_fail(d, "a device without a name");
	return !d->c->error;
}

static void devices_drop(struct stint_model *model, struct stint_resource_slice *slice)
{
	for (uint32_t i = 0; i < slice->devices_count; i++) {
		struct stint_device device = slice->devices[i];
		stint_text_drop(model, device.name);
		attributes_drop(model, &device);
		capacities_drop(model, &device);
	}
	stint_free_pointer(&slice->devices);
	slice->devices_count = 0;
}

static bool read_devices(struct decoder *d, struct stint_resource_slice *slice)
{
	struct stint_device *items = NULL;
	size_t used = 0, capacity = 0;
	devices_drop(d->model, slice);
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		if (used == MOST_DEVICES) {
			decode_fail(d, "a slice of more than 1024 devices");
			break;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used] = (struct stint_device){.name = NULL};
		read_device(d, &items[used++]);
	}
	slice->devices = items;
	slice->devices_count = (uint32_t)used;
	return !d->c->error;
}

/* ---- slices -------------------------------------------------------------------------------------------------------------------------------- */

static bool read_pool(struct decoder *d, struct stint_resource_slice *slice)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &slice->pool);
		else if (KEY_IS(key, "generation"))
			read_int64(d, &slice->generation);
		else if (KEY_IS(key, "resourceSliceCount"))
			read_int64(d, &slice->slices_total);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool slice_read_member(struct decoder *d, struct stint_object *object, struct stint_slice member)
{
	struct stint_resource_slice *slice = stint_resource_slice_of(object);
	struct stint_slice key;
	if (!KEY_IS(member, "spec"))
		return stint_cursor_skip(d->c);
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "driver"))
			read_name(d, &slice->driver);
		else if (KEY_IS(key, "pool"))
			read_pool(d, slice);
		else if (KEY_IS(key, "nodeName"))
			read_name(d, &slice->node);
		else if (KEY_IS(key, "devices"))
			read_devices(d, slice);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool slice_finish(struct decoder *d, struct stint_object *object)
{
	struct stint_resource_slice *slice = stint_resource_slice_of(object);
	if (!slice->driver || !slice->pool)
		return decode_fail(d, "no driver or no pool");
	for (uint32_t i = 0; i < slice->devices_count; i++) {
		struct stint_device_attribute *attributes = NULL;
		struct stint_device_capacity *capacities = NULL;
		memcpy(&attributes, &slice->devices[i].attributes, sizeof(attributes));
		memcpy(&capacities, &slice->devices[i].capacities, sizeof(capacities));
		for (uint32_t a = 0; a < slice->devices[i].attributes_count; a++)
			attributes[a].domain = attributes[a].domain ? attributes[a].domain : text_again(slice->driver);
		for (uint32_t c = 0; c < slice->devices[i].capacities_count; c++)
			capacities[c].domain = capacities[c].domain ? capacities[c].domain : text_again(slice->driver);
	}
	return true;
}

static void slice_init(struct stint_object *object)
{
	stint_resource_slice_of(object)->slices_total = 1;
}

static void slice_drop(struct stint_object *object)
{
	struct stint_resource_slice *slice = stint_resource_slice_of(object);
	stint_text_drop(object->model, slice->driver);
	stint_text_drop(object->model, slice->pool);
	stint_text_drop(object->model, slice->node);
	devices_drop(object->model, slice);
}

static size_t slice_bytes(const struct stint_object *object)
{
	const struct stint_resource_slice *slice = (const struct stint_resource_slice *)object;
	size_t bytes = slice->devices_count * sizeof(struct stint_device);
	for (uint32_t i = 0; i < slice->devices_count; i++)
		bytes += slice->devices[i].attributes_count * sizeof(struct stint_device_attribute) +
			slice->devices[i].capacities_count * sizeof(struct stint_device_capacity);
	return bytes;
}

const struct kind_decoder decode_resource_slice_kind = {
	.name = "resource slice",
	.size = sizeof(struct stint_resource_slice),
	.annotations = PAIRS_KEPT,
	.init = slice_init,
	.read_member = slice_read_member,
	.finish = slice_finish,
	.drop = slice_drop,
	.bytes = slice_bytes,
};

/* ---- classes ------------------------------------------------------------------------------------------------------------------------------- */

static bool class_read_member(struct decoder *d, struct stint_object *object, struct stint_slice member)
{
	struct stint_device_class *class = stint_device_class_of(object);
	struct stint_slice key;
	if (!KEY_IS(member, "spec"))
		return stint_cursor_skip(d->c);
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "selectors"))
			read_selectors(d, &class->selectors, &class->problem);
		else if (KEY_IS(key, "config"))
			read_raw(d, &class->config);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static void class_init(struct stint_object *object)
{
	(void)object;
}

static void class_drop(struct stint_object *object)
{
	struct stint_device_class *class = stint_device_class_of(object);
	selectors_drop(&class->selectors);
	stint_text_drop(object->model, class->config);
	stint_text_drop(object->model, class->problem);
}

const struct kind_decoder decode_device_class_kind = {
	.name = "device class",
	.size = sizeof(struct stint_device_class),
	.annotations = PAIRS_KEPT,
	.init = class_init,
	.read_member = class_read_member,
	.drop = class_drop,
};
