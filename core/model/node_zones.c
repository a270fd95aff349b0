/*
 * The decoder of NodeResourceTopology (topology.node.k8s.io/v1alpha2): the zones of a node and the policy by which its kubelet aligns pods
 * with them (kai-engine 7.7). What of a zone is available is not read: exporters tell it late, and the engine adds up what pods have.
 */
#include "core/model/private.h"

#include <ctype.h>
#include <stdlib.h>

enum { MOST_ZONES = 64, MOST_AMOUNTS = 64 }; /* of an object; further ones are not read */

struct stint_node_zones *stint_node_zones_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_NODE_ZONES ? (struct stint_node_zones *)object : NULL;
}

bool stint_zone_counts_bytes(const char *resource)
{
	return strcmp(resource, "memory") == 0 || stint_starts_with(resource, "hugepages-");
}

int32_t stint_zone_number(const char *name, size_t place)
{
	size_t length = strlen(name), start = length;
	int64_t number;
	while (start > 0 && isdigit((unsigned char)name[start - 1]))
		start--;
	return start < length && stint_parse_int(name + start, 0, INT32_MAX, &number) ? (int32_t)number : (int32_t)place;
}

/* ---- zones --------------------------------------------------------------------------------------------------------------------------- */

static bool read_amount(struct decoder *d, struct stint_zone_amount *out)
{
	struct stint_slice key, text = {0}, raw;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name"))
			read_name(d, &out->resource);
		else if (KEY_IS(key, "allocatable") && stint_cursor_raw(d->c, &raw))
			text = raw;
		else
			stint_cursor_skip(d->c);
	}
	if (d->c->error || !out->resource || !text.length)
		return !d->c->error;
	struct stint_cursor cursor = stint_cursor_over(text.data, text.length);
	struct decoder inner = {.model = d->model, .c = &cursor};
	const enum stint_unit unit = stint_zone_counts_bytes(out->resource) ? STINT_UNIT_ONE : STINT_UNIT_MILLI;
	return read_quantity(&inner, unit, &out->allocatable) || decode_fail(d, "an amount of a zone that cannot be read");
}

static bool read_amounts_of_zone(struct decoder *d, struct stint_node_zone *zone)
{
	struct stint_zone_amount *items = NULL;
	size_t used = 0, capacity = 0;
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct stint_zone_amount amount = {0};
		if (!read_amount(d, &amount) || !amount.resource || used == MOST_AMOUNTS) {
			stint_text_drop(d->model, amount.resource);
			continue;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used++] = amount;
	}
	zone->amounts = items;
	zone->amounts_count = (uint32_t)used;
	return !d->c->error;
}

static void zone_drop(struct stint_model *model, const struct stint_node_zone *zone)
{
	for (uint32_t i = 0; i < zone->amounts_count; i++)
		stint_text_drop(model, zone->amounts[i].resource);
	const struct stint_zone_amount *amounts = zone->amounts;
	stint_free_pointer(&amounts);
}

/* False: it is of another type than Node, or broken. */
static bool read_zone(struct decoder *d, size_t place, struct stint_node_zone *zone)
{
	struct stint_slice key, text;
	bool is_node = false, amounts = false;
	zone->number = (int32_t)place;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "name")) {
			if (read_value(d, &text)) {
				stint_autofree char *name = stint_slice_dup(text);
				zone->number = stint_zone_number(name, place);
			}
		} else if (KEY_IS(key, "type")) {
			if (read_value(d, &text))
				is_node = KEY_IS(text, "Node");
		} else if (KEY_IS(key, "resources") && !amounts) {
			amounts = read_amounts_of_zone(d, zone);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	return is_node && !d->c->error;
}

static void zones_drop(struct stint_model *model, struct stint_node_zones *zones)
{
	for (uint32_t i = 0; i < zones->zones_count; i++)
		zone_drop(model, &zones->zones[i]);
	stint_free_pointer(&zones->zones);
	zones->zones = NULL;
	zones->zones_count = 0;
}

static bool read_zones(struct decoder *d, struct stint_node_zones *zones)
{
	struct stint_node_zone *items = NULL;
	size_t used = 0, capacity = 0;
	zones_drop(d->model, zones);
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct stint_node_zone zone = {0};
		if (!read_zone(d, used, &zone) || used == MOST_ZONES) {
			zone_drop(d->model, &zone);
			continue;
		}
		stint_grow(&items, &capacity, used + 1, sizeof(*items));
		items[used++] = zone;
	}
	zones->zones = items;
	zones->zones_count = (uint32_t)used;
	return !d->c->error;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------- */

static bool read_attributes(struct decoder *d, struct stint_node_zones *zones)
{
	const bool in_array = enter_array(d);
	while (in_array && stint_cursor_item(d->c)) {
		struct stint_slice key;
		const char *name = NULL, *value = NULL;
		const bool inside = enter_object(d);
		while (inside && stint_cursor_key(d->c, &key)) {
			if (KEY_IS(key, "name"))
				read_name(d, &name);
			else if (KEY_IS(key, "value"))
				read_name(d, &value);
			else
				stint_cursor_skip(d->c);
		}
		if (name && value && strcmp(name, "topologyManagerPolicy") == 0) {
			stint_text_drop(d->model, zones->policy);
			zones->policy = stint_steal(&value);
		}
		stint_text_drop(d->model, name);
		stint_text_drop(d->model, value);
	}
	return !d->c->error;
}

static bool node_zones_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_node_zones *zones = stint_node_zones_of(object);
	if (KEY_IS(key, "attributes"))
		return read_attributes(d, zones);
	return KEY_IS(key, "zones") ? read_zones(d, zones) : stint_cursor_skip(d->c);
}

static void node_zones_init(struct stint_object *object)
{
	(void)object;
}

static void node_zones_drop(struct stint_object *object)
{
	struct stint_node_zones *zones = stint_node_zones_of(object);
	zones_drop(object->model, zones);
	stint_text_drop(object->model, zones->policy);
}

static size_t node_zones_bytes(const struct stint_object *object)
{
	const struct stint_node_zones *zones = (const struct stint_node_zones *)object;
	size_t bytes = zones->zones_count * sizeof(*zones->zones);
	for (uint32_t i = 0; i < zones->zones_count; i++)
		bytes += zones->zones[i].amounts_count * sizeof(struct stint_zone_amount);
	return bytes;
}

const struct kind_decoder decode_node_zones_kind = {
	.name = "node resource topology",
	.size = sizeof(struct stint_node_zones),
	.annotations = PAIRS_KEPT,
	.init = node_zones_init,
	.read_member = node_zones_read_member,
	.drop = node_zones_drop,
	.bytes = node_zones_bytes,
};
