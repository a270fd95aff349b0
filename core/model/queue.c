/* The decoders of the small cluster-wide kinds: Queue (kai-api 1.1), Topology (1.4), PriorityClass, and of Namespace. */
#include "core/model/private.h"

struct stint_queue *stint_queue_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_QUEUE ? (struct stint_queue *)object : NULL;
}

struct stint_topology *stint_topology_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_TOPOLOGY ? (struct stint_topology *)object : NULL;
}

struct stint_priority_class *stint_priority_class_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_PRIORITY_CLASS ? (struct stint_priority_class *)object : NULL;
}

struct stint_space *stint_space_of(struct stint_object *object)
{
	return object && object->kind == STINT_KIND_NAMESPACE ? (struct stint_space *)object : NULL;
}

static void init_nothing(struct stint_object *object)
{
	(void)object;
}

static void drop_nothing(struct stint_object *object)
{
	(void)object;
}

/* ---- Queue ------------------------------------------------------------------------------------------------------------------- */

static void queue_init(struct stint_object *object)
{
	struct stint_queue *queue = stint_queue_of(object);
	queue->priority = 100;
	queue->preempt_min_runtime_ms = -1;
	queue->reclaim_min_runtime_ms = -1;
}

static bool read_known_double(struct decoder *d, double *out, bool *known)
{
	*known = !stint_cursor_null(d->c);
	return !*known || read_double(d, out);
}

/* Any negative quota or limit means unlimited and is kept as -1. */
static double in_unit(double value, double unit)
{
	return value < 0 ? -1 : value * unit;
}

static bool read_queue_resource(struct decoder *d, double unit, struct stint_queue_resource *out)
{
	struct stint_slice key;
	*out = (struct stint_queue_resource){0};
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "quota"))
			read_known_double(d, &out->quota, &out->has_quota);
		else if (KEY_IS(key, "overQuotaWeight"))
			read_known_double(d, &out->weight, &out->has_weight);
		else if (KEY_IS(key, "limit"))
			read_known_double(d, &out->limit, &out->has_limit);
		else
			stint_cursor_skip(d->c);
	}
	out->quota = in_unit(out->quota, unit);
	out->limit = in_unit(out->limit, unit);
	return !d->c->error;
}

static bool read_queue_resources(struct decoder *d, struct stint_queue *queue)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	queue->has_resources = inside;
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "gpu"))
			read_queue_resource(d, 1, &queue->gpu);
		else if (KEY_IS(key, "cpu"))
			read_queue_resource(d, 1, &queue->cpu);
		else if (KEY_IS(key, "memory"))
			read_queue_resource(d, 1000 * 1000, &queue->memory);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_queue_spec(struct decoder *d, struct stint_queue *queue)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "displayName")) {
			read_name(d, &queue->display_name);
		} else if (KEY_IS(key, "parentQueue")) {
			read_name(d, &queue->parent);
		} else if (KEY_IS(key, "priority")) {
			queue->priority_known = stint_cursor_peek(d->c) == STINT_JSON_NUMBER;
			read_int32(d, &queue->priority);
		} else if (KEY_IS(key, "resources")) {
			read_queue_resources(d, queue);
		} else if (KEY_IS(key, "preemptMinRuntime")) {
			read_duration(d, &queue->preempt_min_runtime_ms);
		} else if (KEY_IS(key, "reclaimMinRuntime")) {
			read_duration(d, &queue->reclaim_min_runtime_ms);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	return !d->c->error;
}

static bool queue_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	return KEY_IS(key, "spec") ? read_queue_spec(d, stint_queue_of(object)) : stint_cursor_skip(d->c);
}

static void queue_drop(struct stint_object *object)
{
	struct stint_queue *queue = stint_queue_of(object);
	stint_text_drop(object->model, queue->display_name);
	stint_text_drop(object->model, queue->parent);
}

const struct kind_decoder decode_queue_kind = {
	.name = "queue",
	.size = sizeof(struct stint_queue),
	.annotations = PAIRS_SHORT,
	.init = queue_init,
	.read_member = queue_read_member,
	.drop = queue_drop,
};

/* ---- Topology ---------------------------------------------------------------------------------------------------------------- */

static void levels_drop(struct stint_model *model, struct stint_topology *topology)
{
	for (uint32_t i = 0; i < topology->levels_count; i++) {
		stint_text_drop(model, topology->levels[i].node_label);
		stint_text_drop(model, topology->levels[i].alias);
	}
	stint_free_pointer(&topology->levels);
	topology->levels_count = 0;
}

static bool read_level(struct decoder *d, struct stint_topology_level *level)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "nodeLabel"))
			read_name(d, &level->node_label);
		else if (KEY_IS(key, "alias"))
			read_name(d, &level->alias);
		else
			stint_cursor_skip(d->c);
	}
	if (!d->c->error && !level->node_label)
		return decode_fail(d, "a level without a nodeLabel");
	return !d->c->error;
}

static bool read_levels(struct decoder *d, struct stint_topology *topology)
{
	struct stint_topology_level *levels = NULL;
	size_t used = 0, capacity = 0;
	levels_drop(d->model, topology);
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		stint_grow(&levels, &capacity, used + 1, sizeof(*levels));
		levels[used] = (struct stint_topology_level){0};
		read_level(d, &levels[used++]);
	}
	topology->levels = levels;
	topology->levels_count = (uint32_t)used;
	return !d->c->error;
}

static bool topology_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	if (!KEY_IS(key, "spec"))
		return stint_cursor_skip(d->c);
	struct stint_slice member;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &member)) {
		if (KEY_IS(member, "levels"))
			read_levels(d, stint_topology_of(object));
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static void topology_drop(struct stint_object *object)
{
	levels_drop(object->model, stint_topology_of(object));
}

const struct kind_decoder decode_topology_kind = {
	.name = "topology",
	.size = sizeof(struct stint_topology),
	.annotations = PAIRS_SHORT,
	.init = init_nothing,
	.read_member = topology_read_member,
	.drop = topology_drop,
};

/* ---- PriorityClass ------------------------------------------------------------------------------------------------------------- */

static bool priority_class_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_priority_class *class = stint_priority_class_of(object);
	if (KEY_IS(key, "value"))
		return read_int32(d, &class->value);
	if (KEY_IS(key, "globalDefault"))
		return read_bool(d, &class->global_default);
	if (KEY_IS(key, "preemptionPolicy"))
		return read_name(d, &class->preemption_policy);
	return stint_cursor_skip(d->c);
}

static void priority_class_drop(struct stint_object *object)
{
	stint_text_drop(object->model, stint_priority_class_of(object)->preemption_policy);
}

const struct kind_decoder decode_priority_class_kind = {
	.name = "priority class",
	.size = sizeof(struct stint_priority_class),
	.annotations = PAIRS_SHORT,
	.init = init_nothing,
	.read_member = priority_class_read_member,
	.drop = priority_class_drop,
};

/* ---- Namespace ----------------------------------------------------------------------------------------------------------------- */

static bool space_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_slice member, text;
	if (!KEY_IS(key, "status"))
		return stint_cursor_skip(d->c);
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &member)) {
		if (!KEY_IS(member, "phase"))
			stint_cursor_skip(d->c);
		else if (read_value(d, &text))
			stint_space_of(object)->terminating = KEY_IS(text, "Terminating");
	}
	return !d->c->error;
}

const struct kind_decoder decode_space_kind = {
	.name = "namespace",
	.size = sizeof(struct stint_space),
	.annotations = PAIRS_SHORT,
	.init = init_nothing,
	.read_member = space_read_member,
	.drop = drop_nothing,
};
