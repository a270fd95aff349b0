/* The decoder of nodes, and the use of their devices. */
#include "core/model/private.h"

#include <stdio.h>
#include <stdlib.h>

static void node_init(struct stint_object *object)
{
	struct stint_node *node = stint_node_of(object);
	node->heartbeat_ms = -1;
	node->gpu_memory_mib = -1;
}

static bool read_node_spec(struct decoder *d, struct stint_node *node)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "taints"))
			read_taints(d, &node->taints, &node->taints_count);
		else if (KEY_IS(key, "unschedulable"))
			read_bool(d, &node->unschedulable);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

struct node_condition {
	enum { CONDITION_OTHER, CONDITION_READY, CONDITION_PRESSURE } kind;
	unsigned pressure;
	enum stint_truth status;
	const char *reason, *message;
	int64_t heartbeat_ms;
};

static void set_condition_type(struct node_condition *condition, struct stint_slice type)
{
	static const struct {
		const char *type;
		unsigned pressure;
	} pressures[] = {
		{"MemoryPressure", STINT_PRESSURE_MEMORY},
		{"DiskPressure", STINT_PRESSURE_DISK},
		{"PIDPressure", STINT_PRESSURE_PID},
		{"NetworkUnavailable", STINT_PRESSURE_NETWORK},
	};
	if (KEY_IS(type, "Ready"))
		condition->kind = CONDITION_READY;
	for (size_t i = 0; i < STINT_COUNT(pressures); i++) {
		if (stint_slice_is(type, pressures[i].type)) {
			condition->kind = CONDITION_PRESSURE;
			condition->pressure = pressures[i].pressure;
		}
	}
}

static bool read_node_condition(struct decoder *d, struct node_condition *condition)
{
	struct stint_slice key, type;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "type")) {
			if (read_value(d, &type))
				set_condition_type(condition, type);
		} else if (KEY_IS(key, "status")) {
			read_status(d, &condition->status);
		} else if (KEY_IS(key, "reason")) {
			read_name(d, &condition->reason);
		} else if (KEY_IS(key, "message")) {
			read_name(d, &condition->message);
		} else if (KEY_IS(key, "lastHeartbeatTime")) {
			read_time(d, &condition->heartbeat_ms);
		} else {
			stint_cursor_skip(d->c);
		}
	}
	return !d->c->error;
}

static bool read_node_conditions(struct decoder *d, struct stint_node *node)
{
	const bool inside = enter_array(d);
	while (inside && stint_cursor_item(d->c)) {
		struct node_condition condition = {.heartbeat_ms = -1};
		read_node_condition(d, &condition);
		if (condition.kind == CONDITION_PRESSURE && condition.status != STINT_FALSE)
			node->pressures |= condition.pressure;
		if (condition.kind == CONDITION_READY) {
			stint_text_drop(d->model, node->ready_reason);
			stint_text_drop(d->model, node->ready_message);
			node->ready = condition.status;
			node->ready_reason = stint_steal(&condition.reason);
			node->ready_message = stint_steal(&condition.message);
			node->heartbeat_ms = condition.heartbeat_ms;
		}
		stint_text_drop(d->model, condition.reason);
		stint_text_drop(d->model, condition.message);
	}
	return !d->c->error;
}

static bool read_addresses(struct decoder *d, struct stint_node *node)
{
	const bool in_array = enter_array(d);
	while (in_array && stint_cursor_item(d->c)) {
		struct stint_slice key, type;
		const char *address = NULL;
		bool internal = false;
		const bool inside = enter_object(d);
		while (inside && stint_cursor_key(d->c, &key)) {
			if (KEY_IS(key, "type")) {
				if (read_value(d, &type))
					internal = KEY_IS(type, "InternalIP");
			} else if (KEY_IS(key, "address")) {
				read_name(d, &address);
			} else {
				stint_cursor_skip(d->c);
			}
		}
		if (internal && !node->internal_ip)
			node->internal_ip = stint_steal(&address);
		stint_text_drop(d->model, address);
	}
	return !d->c->error;
}

static bool read_node_info(struct decoder *d, struct stint_node *node)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "kubeletVersion"))
			read_name(d, &node->kubelet_version);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool read_node_resources(struct decoder *d, struct stint_resources *out)
{
	struct amounts amounts = {0};
	read_amounts(d, &amounts);
	amounts_finish(d->model, &amounts, out);
	return !d->c->error;
}

static bool read_node_status(struct decoder *d, struct stint_node *node)
{
	struct stint_slice key;
	const bool inside = enter_object(d);
	while (inside && stint_cursor_key(d->c, &key)) {
		if (KEY_IS(key, "allocatable"))
			read_node_resources(d, &node->allocatable);
		else if (KEY_IS(key, "capacity"))
			read_node_resources(d, &node->capacity);
		else if (KEY_IS(key, "conditions"))
			read_node_conditions(d, node);
		else if (KEY_IS(key, "addresses"))
			read_addresses(d, node);
		else if (KEY_IS(key, "nodeInfo"))
			read_node_info(d, node);
		else
			stint_cursor_skip(d->c);
	}
	return !d->c->error;
}

static bool node_read_member(struct decoder *d, struct stint_object *object, struct stint_slice key)
{
	struct stint_node *node = stint_node_of(object);
	if (KEY_IS(key, "spec"))
		return read_node_spec(d, node);
	if (KEY_IS(key, "status"))
		return read_node_status(d, node);
	return stint_cursor_skip(d->c);
}

static bool is_true(const char *label)
{
	return label && !strcmp(label, "true");
}

/* kai-engine 1.4: a number so large that it must be bytes is taken for bytes; then whole hundreds of MiB. */
static int64_t memory_label(const char *text)
{
	int64_t value;
	if (!text || !stint_parse_int(text, 1, INT64_MAX, &value))
		return -1;
	if (value >= 1048576)
		value /= 1048576;
	return value / 100 * 100;
}

static bool node_finish(struct decoder *d, struct stint_object *object)
{
	struct stint_node *node = stint_node_of(object);
	int64_t count;
	const char *label = stint_object_label(object, "nvidia.com/gpu.count");
	if (label && stint_parse_int(label, 0, UINT16_MAX, &count))
		node->gpu_count = (int32_t)count;
	else if (node->allocatable.gpu_milli > 0)
		node->gpu_count =
			(int32_t)(node->allocatable.gpu_milli / 1000 > UINT16_MAX ? UINT16_MAX : node->allocatable.gpu_milli / 1000);
	node->gpu_memory_mib = memory_label(stint_object_label(object, "nvidia.com/gpu.memory"));
	node->gpu_product = text_again(stint_object_label(object, "nvidia.com/gpu.product"));
	node->is_virtual = is_true(stint_object_label(object, "stint.dev/virtual")) ||
		is_true(stint_object_label(object, "run.ai/fake.gpu")) || stint_object_annotation(object, "kwok.x-k8s.io/node");
	(void)d;
	return true;
}

static void node_drop(struct stint_object *object)
{
	struct stint_node *node = stint_node_of(object);
	struct stint_model *model = object->model;
	resources_drop(model, &node->allocatable);
	resources_drop(model, &node->capacity);
	taints_drop(model, node->taints, node->taints_count);
	stint_text_drop(model, node->ready_reason);
	stint_text_drop(model, node->ready_message);
	stint_text_drop(model, node->gpu_product);
	stint_text_drop(model, node->internal_ip);
	stint_text_drop(model, node->kubelet_version);
}

static size_t node_bytes(const struct stint_object *object)
{
	const struct stint_node *node = (const struct stint_node *)object;
	return (node->allocatable.extended_count + node->capacity.extended_count) * sizeof(struct stint_extended) +
		node->taints_count * sizeof(struct stint_taint);
}

const struct kind_decoder decode_node_kind = {
	.name = "node",
	.size = sizeof(struct stint_node),
	.annotations = PAIRS_KEPT,
	.init = node_init,
	.read_member = node_read_member,
	.finish = node_finish,
	.drop = node_drop,
	.bytes = node_bytes,
};

/* ---- use of devices ------------------------------------------------------------------------------------------------------------ */

enum { MANY_USES = 256, FRESH_MS = 60000 };

static bool use_time(struct stint_cursor *c, int64_t *ms)
{
	struct stint_slice text;
	if (stint_cursor_peek(c) != STINT_JSON_STRING)
		return stint_cursor_skip(c);
	if (!stint_cursor_string(c, &text, NULL))
		return false;
	if (!stint_time_parse(text.data, text.length, ms))
		*ms = -1;
	return true;
}

static bool use_percent(struct stint_cursor *c, double *out)
{
	struct stint_slice text;
	char copy[32];
	if (stint_cursor_peek(c) != STINT_JSON_NUMBER)
		return stint_cursor_skip(c);
	if (!stint_cursor_number(c, &text))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)(text.length < 31 ? text.length : 31), text.data);
	if (!stint_parse_double(copy, 0, 100, out))
		*out = -1;
	return true;
}

static bool read_use(struct stint_cursor *c, struct stint_gpu_use *use)
{
	struct stint_slice key, text;
	int64_t slot = -1;
	*use = (struct stint_gpu_use){.slot = -1, .util_percent = -1, .memory_mib = -1, .time_ms = -1};
	if (!stint_cursor_object(c))
		return false;
	while (stint_cursor_key(c, &key)) {
		if (KEY_IS(key, "slot")) {
			stint_cursor_int(c, &slot);
		} else if (KEY_IS(key, "uuid")) {
			if (stint_cursor_string(c, &text, NULL))
				snprintf(use->uuid, sizeof(use->uuid), "%.*s", (int)(text.length < 63 ? text.length : 63), text.data);
		} else if (KEY_IS(key, "util_percent")) {
			use_percent(c, &use->util_percent);
		} else if (KEY_IS(key, "memory_mib") && stint_cursor_peek(c) == STINT_JSON_NUMBER) {
			stint_cursor_int(c, &use->memory_mib);
		} else if (KEY_IS(key, "time")) {
			use_time(c, &use->time_ms);
		} else {
			stint_cursor_skip(c);
		}
	}
	use->slot = slot >= 0 && slot <= UINT16_MAX ? (int32_t)slot : -1;
	return !c->error && use->slot >= 0;
}

size_t stint_node_gpu_use(const struct stint_node *node, struct stint_gpu_use **out)
{
	const char *text = stint_object_annotation(&node->meta, "stint.dev/gpu-use");
	struct stint_gpu_use *uses = NULL;
	size_t used = 0, capacity = 0;
	*out = NULL;
	if (!text)
		return 0;
	struct stint_cursor c = stint_cursor_over(text, strlen(text));
	bool good = stint_cursor_array(&c);
	while (good && stint_cursor_item(&c)) {
		stint_grow(&uses, &capacity, used + 1, sizeof(*uses));
		good = used < MANY_USES && read_use(&c, &uses[used]);
		used += good;
	}
	if (!good || !stint_cursor_end(&c)) {
		free(uses);
		return 0;
	}
	*out = uses;
	return used;
}

bool stint_gpu_use_fresh(const struct stint_gpu_use *use, int64_t now_ms)
{
	return use->time_ms >= 0 && now_ms - use->time_ms <= FRESH_MS;
}

const char *stint_node_pool(const struct stint_node *node)
{
	const char *name = stint_object_label(&node->meta, STINT_LABEL_NODE_POOL);
	return name && name[0] ? name : STINT_DEFAULT_POOL;
}
