/*
 * use: see use.h, and the part of the fleet that keeps a node's devices and writes the annotation stint.dev/gpu-use.
 */
#include "core/sandbox/nodes/use.h"

#include <stdlib.h>
#include <string.h>

#include "core/sandbox/nodes/fleet.h"

static const char use_key[] = "stint.dev/gpu-use";
static const char devices_key[] = "stint.dev/gpu-devices";
static const char gpu_resource[] = "nvidia.com/gpu";

/* ---- the values ------------------------------------------------------------------------------------------------------------ */

/* FNV-1a (public domain, Fowler/Noll/Vo) with a final mix: cheap and the same on every machine. */
static uint64_t hash_text(const char *text, uint64_t salt)
{
	uint64_t hash = 0xcbf29ce484222325u ^ salt;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdu;
	return hash ^ (hash >> 33);
}

static int clamp_percent(int value)
{
	return value < 0 ? 0 : value > 100 ? 100 : value;
}

struct use_value use_of_pod(const char *uid, double share, int64_t device_memory_mib, int64_t now_ms)
{
	int level = 55 + (int)(hash_text(uid, 1) % 41);
	int wave = (int)(hash_text(uid, (uint64_t)(now_ms / USE_WAVE_MS) + 16) % 17) - 8;
	int fill = 50 + (int)(hash_text(uid, 2) % 46);
	return (struct use_value){
		.util_percent = clamp_percent((int)((level + wave) * share + 0.5)),
		.memory_mib = (int64_t)((double)device_memory_mib * share * fill / 100.0),
	};
}

static bool moved(const struct use_value *a, const struct use_value *b, int64_t device_memory_mib)
{
	int64_t memory = a->memory_mib - b->memory_mib;
	return abs(a->util_percent - b->util_percent) >= USE_MOVE_PERCENT ||
		(memory < 0 ? -memory : memory) * 100 >= USE_MOVE_PERCENT * (device_memory_mib > 0 ? device_memory_mib : 1);
}

bool use_has_moved(const struct use_value *now, const struct use_value *written, size_t count, int64_t device_memory_mib)
{
	for (size_t i = 0; i < count; i++) {
		if (moved(&now[i], &written[i], device_memory_mib))
			return true;
	}
	return false;
}

bool use_is_due(const struct use_value *now, const struct use_value *written, size_t count, int64_t device_memory_mib,
	int64_t since_change_ms, int64_t since_write_ms)
{
	return since_write_ms >= USE_STAMP_PERIOD_MS ||
		(since_change_ms >= USE_MIN_PERIOD_MS && use_has_moved(now, written, count, device_memory_mib));
}

char *use_device_uuid(const char *node, size_t slot, char out[static USE_UUID_SIZE])
{
	stint_autofree char *seed = stint_format("%s/%zu", node, slot);
	char digest[65];
	stint_sha256_hex(seed, strlen(seed), digest);
	stint_autofree char *text =
		stint_format("GPU-%.8s-%.4s-%.4s-%.4s-%.12s", digest, digest + 8, digest + 12, digest + 16, digest + 20);
	memcpy(out, text, USE_UUID_SIZE);
	return out;
}

char *use_annotation(const char *node, const struct use_value *devices, size_t count, int64_t now_ms)
{
	char uuid[USE_UUID_SIZE], now[STINT_TIME_SIZE];
	stint_time_format(now_ms, now);
	stint_auto_json *list = stint_json_new_array();
	for (size_t slot = 0; slot < count; slot++) {
		struct stint_json *item = stint_json_append(list, stint_json_new_object());
		stint_json_set_int(item, "slot", (int64_t)slot);
		stint_json_set_string(item, "uuid", use_device_uuid(node, slot, uuid));
		stint_json_set_int(item, "util_percent", devices[slot].util_percent);
		stint_json_set_int(item, "memory_mib", devices[slot].memory_mib);
		stint_json_set_string(item, "time", now);
	}
	return stint_json_print(list);
}

/* ---- the fleet's devices --------------------------------------------------------------------------------------------------- */

static int64_t memory_of(const struct stint_json *object)
{
	const char *text = stint_json_string_at(object, "metadata", "labels", "nvidia.com/gpu.memory");
	int64_t memory = 0;
	if (text && stint_parse_int(text, 1, INT64_MAX, &memory))
		return memory >= 1 << 20 ? memory >> 20 : memory; /* so large a number is bytes (kai-api: node labels) */
	const char *product = stint_json_string_at(object, "metadata", "labels", "nvidia.com/gpu.product");
	const struct gpu_model *model = product ? gpu_model_find(product) : NULL;
	return model ? model->memory_mib : 0;
}

void vnode_learn_devices(struct vnode *node, const struct stint_json *object)
{
	int64_t count = demand_get(&node->allocatable, gpu_resource) / 1000;
	count = count < 0 ? 0 : count > SHAPE_MAX_GPUS ? SHAPE_MAX_GPUS : count;
	node->device_memory_mib = memory_of(object);
	if ((size_t)count == node->device_count)
		return;
	free(node->devices);
	node->devices = count > 0 ? stint_alloc((size_t)count * sizeof(node->devices[0])) : NULL;
	node->device_count = (size_t)count;
	/* Many nodes that start together report one after another. */
	int64_t now_ms = stint_monotonic_ms();
	node->use_changed_ms = now_ms - USE_MIN_PERIOD_MS;
	node->use_written_ms = now_ms - USE_STAMP_PERIOD_MS + (node->number % 64) * 200;
}

static uint64_t parse_slots(const char *text)
{
	uint64_t slots = 0;
	char **words = stint_split(text, ", ");
	for (size_t i = 0; words[i]; i++) {
		int64_t slot = 0;
		if (stint_parse_int(words[i], 0, SHAPE_MAX_GPUS - 1, &slot))
			slots |= UINT64_C(1) << slot;
	}
	stint_strings_free(words);
	return slots;
}

/* What a device plugin would pick for a pod that nobody gave devices to. */
static uint64_t lowest_free(const struct vpod *pod, int64_t wanted)
{
	uint64_t taken = 0, slots = 0;
	for (const struct vpod *other = pod->node->pods; other; other = other->next) {
		if (other->counted)
			taken |= other->slots;
	}
	for (size_t slot = 0; slot < pod->node->device_count && wanted > 0; slot++) {
		if (!(taken & UINT64_C(1) << slot)) {
			slots |= UINT64_C(1) << slot;
			wanted--;
		}
	}
	return slots;
}

void vpod_learn_devices(struct vpod *pod, const struct stint_json *object)
{
	const struct stint_json *annotations = stint_json_at(object, "metadata", "annotations");
	const char *devices = stint_json_string_at(annotations, devices_key);
	const char *fraction = stint_json_string_at(annotations, "gpu-fraction"), *memory = stint_json_string_at(annotations, "gpu-memory");
	int64_t whole = demand_get(&pod->amounts, gpu_resource) / 1000, memory_mib = 0;
	pod->share = 1;
	if (whole == 0 && fraction && !stint_parse_double(fraction, 0, 1, &pod->share))
		pod->share = 1;
	else if (whole == 0 && !fraction && memory && stint_parse_int(memory, 1, INT32_MAX, &memory_mib) &&
		pod->node->device_memory_mib > memory_mib)
		pod->share = (double)memory_mib / (double)pod->node->device_memory_mib;
	pod->slots = devices ? parse_slots(devices) : lowest_free(pod, whole);
}

static bool set_annotation(void *user, struct stint_json *object)
{
	stint_json_set_string(stint_json_ensure_object(stint_json_ensure_object(object, "metadata"), "annotations"), use_key, user);
	return true;
}

void vnode_report_use(struct fleet *fleet, struct vnode *node, int64_t now_ms, int64_t monotonic_ms)
{
	int64_t since_change_ms = monotonic_ms - node->use_changed_ms, since_write_ms = monotonic_ms - node->use_written_ms;
	if (node->device_count == 0 || (since_change_ms < USE_MIN_PERIOD_MS && since_write_ms < USE_STAMP_PERIOD_MS))
		return;
	struct use_value now[SHAPE_MAX_GPUS] = {0};
	for (const struct vpod *pod = node->pods; pod; pod = pod->next) {
		if (!pod->counted || pod->slots == 0 || pod->play->started_ms < 0)
			continue;
		struct use_value part = use_of_pod(pod->uid, pod->share, node->device_memory_mib, now_ms);
		for (size_t slot = 0; slot < node->device_count; slot++) {
			if (!(pod->slots & UINT64_C(1) << slot))
				continue;
			now[slot].util_percent = clamp_percent(now[slot].util_percent + part.util_percent);
			now[slot].memory_mib += part.memory_mib;
			if (now[slot].memory_mib > node->device_memory_mib)
				now[slot].memory_mib = node->device_memory_mib;
		}
	}
	if (!use_is_due(now, node->devices, node->device_count, node->device_memory_mib, since_change_ms, since_write_ms))
		return;
	if (use_has_moved(now, node->devices, node->device_count, node->device_memory_mib))
		node->use_changed_ms = monotonic_ms;
	stint_autofree char *text = use_annotation(node->name, now, node->device_count, now_ms);
	struct stint_api_call call = {.kind = fleet->node_kind, .name = node->name, .manager = "kubelet"};
	stint_api_change(fleet->api, &call, set_annotation, text, NULL, NULL);
	memcpy(node->devices, now, node->device_count * sizeof(now[0]));
	node->use_written_ms = monotonic_ms;
}
