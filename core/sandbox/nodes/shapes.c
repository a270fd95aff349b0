/*
 * shapes: see shapes.h. The memory of each model is what its driver reports in MiB, which is what feature discovery puts on nodes.
 */
#include "core/sandbox/nodes/shapes.h"

#include <stdlib.h>
#include <stint/model.h>
#include <string.h>
#include <strings.h>

static const struct gpu_model models[] = {
	{"NVIDIA-A10", "ampere", 23028},
	{"NVIDIA-A100-SXM4-40GB", "ampere", 40960},
	{"NVIDIA-A100-SXM4-80GB", "ampere", 81920},
	{"NVIDIA-A100-PCIE-40GB", "ampere", 40960},
	{"NVIDIA-A100-80GB-PCIe", "ampere", 81920},
	{"NVIDIA-A30", "ampere", 24576},
	{"NVIDIA-A40", "ampere", 46068},
	{"NVIDIA-B200", "blackwell", 183359},
	{"NVIDIA-H100-80GB-HBM3", "hopper", 81559},
	{"NVIDIA-H100-PCIe", "hopper", 81559},
	{"NVIDIA-H200", "hopper", 143771},
	{"NVIDIA-L4", "ada-lovelace", 23034},
	{"NVIDIA-L40S", "ada-lovelace", 46068},
	{"NVIDIA-RTX-A6000", "ampere", 49140},
	{"Tesla-T4", "turing", 15360},
	{"Tesla-V100-SXM2-16GB", "volta", 16384},
	{"Tesla-V100-SXM2-32GB", "volta", 32768},
};
static const char default_model[] = "A100-SXM4-80GB";
static const char *const known_keys[] = {"count", "name", "gpus", "gpuModel", "gpuMemory", "cpu", "memory", "labels", "taints"};

static const char *without_vendor(const char *name)
{
	if (strncasecmp(name, "NVIDIA-", 7) == 0)
		return name + 7;
	return strncasecmp(name, "Tesla-", 6) == 0 ? name + 6 : name;
}

const struct gpu_model *gpu_model_find(const char *name)
{
	const char *bare = without_vendor(name);
	for (size_t i = 0; i < STINT_COUNT(models); i++) {
		if (strcasecmp(without_vendor(models[i].name), bare) == 0)
			return &models[i];
	}
	return NULL;
}

char *gpu_model_names(void)
{
	stint_auto_buf text = {0};
	for (size_t i = 0; i < STINT_COUNT(models); i++)
		stint_buf_printf(&text, "%s%s", i > 0 ? ", " : "", without_vendor(models[i].name));
	return stint_buf_steal(&text);
}

static void shape_free(struct node_shape *shape)
{
	free(shape->prefix);
	free(shape->gpu_product);
	free(shape->gpu_family);
	stint_json_free(shape->labels);
	stint_json_free(shape->taints);
	*shape = (struct node_shape){0};
}

void node_shapes_free(struct node_shapes *shapes)
{
	for (size_t i = 0; i < shapes->count; i++)
		shape_free(&shapes->items[i]);
	free(shapes->items);
	*shapes = (struct node_shapes){0};
}

size_t node_shapes_total(const struct node_shapes *shapes)
{
	size_t total = 0;
	for (size_t i = 0; i < shapes->count; i++)
		total += (size_t)shapes->items[i].count;
	return total;
}

int64_t node_shapes_gpus(const struct node_shapes *shapes)
{
	int64_t total = 0;
	for (size_t i = 0; i < shapes->count; i++)
		total += shapes->items[i].count * shapes->items[i].gpus;
	return total;
}

/* Machines have about 12 cores and 128 GiB a GPU; a node without GPUs is an ordinary server. */
static void default_sizes(struct node_shape *shape)
{
	if (shape->cpu_milli == 0)
		shape->cpu_milli = 1000 * (shape->gpus > 0 ? 12 * shape->gpus : 32);
	if (shape->memory_bytes == 0)
		shape->memory_bytes = (shape->gpus > 0 ? 128 * shape->gpus : 128) << 30;
}

static bool set_model(struct node_shape *shape, const char *name, int64_t memory_mib, struct stint_error **err)
{
	if (shape->gpus == 0)
		return true;
	const struct gpu_model *model = gpu_model_find(name);
	if (!model && memory_mib == 0) {
		stint_autofree char *known = gpu_model_names();
		return stint_fail(err, STINT_USAGE, "GPU model \"%s\" is not known and no gpuMemory says how large it is: take one of %s",
			name, known);
	}
	shape->gpu_product = stint_strdup(model ? model->name : name);
	shape->gpu_family = stint_strdup(model ? model->family : NULL);
	shape->gpu_memory_mib = memory_mib > 0 ? memory_mib : model->memory_mib;
	return true;
}

bool node_shapes_uniform(int64_t count, int64_t gpus, const char *gpu_model, struct node_shapes *shapes, struct stint_error **err)
{
	if (count < 0 || count > SHAPE_MAX_NODES)
		return stint_fail(err, STINT_USAGE, "%lld nodes: a sandbox has 0 to %d", (long long)count, SHAPE_MAX_NODES);
	if (gpus < 0 || gpus > SHAPE_MAX_GPUS)
		return stint_fail(err, STINT_USAGE, "%lld GPUs on a node: a virtual node has 0 to %d", (long long)gpus, SHAPE_MAX_GPUS);
	struct node_shape shape = {.count = count, .gpus = gpus, .prefix = stint_strdup("node")};
	default_sizes(&shape);
	if (!set_model(&shape, gpu_model ? gpu_model : default_model, 0, err)) {
		shape_free(&shape);
		return false;
	}
	stint_grow(&shapes->items, &shapes->capacity, shapes->count + 1, sizeof(shape));
	shapes->items[shapes->count++] = shape;
	return true;
}

/* ---- the YAML form --------------------------------------------------------------------------------------------------------- */

/* A quantity as text or as a bare number. */
static bool read_quantity(const struct stint_json *value, enum stint_unit unit, int64_t *out)
{
	int64_t number = 0;
	if (stint_json_int(value, &number)) {
		if (number < 0 || number > INT64_MAX / 1000)
			return false;
		*out = unit == STINT_UNIT_MILLI ? number * 1000 : number;
		return true;
	}
	double fraction = 0;
	if (stint_json_double(value, &fraction)) {
		if (!(fraction > 0 && fraction < 1e12) || unit != STINT_UNIT_MILLI)
			return false;
		*out = (int64_t)(fraction * 1000 + 0.5);
		return true;
	}
	const char *text = stint_json_string(value);
	return text && stint_quantity_parse(stint_slice_of(text), unit, out) && *out >= 0;
}

static bool read_count(const struct stint_json *entry, const char *key, int64_t high, int64_t *out)
{
	const struct stint_json *value = stint_json_get(entry, key);
	return !value || (stint_json_int(value, out) && *out >= 0 && *out <= high);
}

static bool is_map_of_strings(const struct stint_json *labels)
{
	if (stint_json_type(labels) != STINT_JSON_OBJECT)
		return false;
	stint_json_each(label, labels) {
		if (!stint_json_string(label))
			return false;
	}
	return true;
}

static bool are_taints(const struct stint_json *taints)
{
	if (stint_json_type(taints) != STINT_JSON_ARRAY)
		return false;
	stint_json_each(taint, taints) {
		if (!stint_json_string_at(taint, "key") || !stint_json_string_at(taint, "effect"))
			return false;
	}
	return true;
}

static bool is_node_name(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length <= 200 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length && text[0] != '-' &&
		text[0] != '.';
}

static bool known_keys_only(const struct stint_json *entry, const char *where, struct stint_error **err)
{
	stint_json_each(member, entry) {
		bool known = false;
		for (size_t i = 0; i < STINT_COUNT(known_keys); i++)
			known = known || strcmp(stint_json_key(member), known_keys[i]) == 0;
		if (!known)
			return stint_fail(err, STINT_USAGE,
				"%s: unknown key \"%s\": it takes count, name, gpus, gpuModel, gpuMemory, cpu, memory, labels and taints",
				where, stint_json_key(member));
	}
	return true;
}

static bool read_shape(const struct stint_json *entry, const char *where, struct node_shape *shape, struct stint_error **err)
{
	if (stint_json_type(entry) != STINT_JSON_OBJECT)
		return stint_fail(err, STINT_USAGE, "%s: not a mapping such as {count: 4, gpus: 8}", where);
	if (!known_keys_only(entry, where, err))
		return false;
	if (!read_count(entry, "count", SHAPE_MAX_NODES, &shape->count))
		return stint_fail(err, STINT_USAGE, "%s: count must be a whole number from 0 to %d", where, SHAPE_MAX_NODES);
	if (!read_count(entry, "gpus", SHAPE_MAX_GPUS, &shape->gpus))
		return stint_fail(err, STINT_USAGE, "%s: gpus must be a whole number from 0 to %d", where, SHAPE_MAX_GPUS);
	const char *name = stint_json_string_or(stint_json_get(entry, "name"), "node");
	if (!is_node_name(name))
		return stint_fail(
			err, STINT_USAGE, "%s: name \"%s\" is no node name: lower-case letters, digits, '-' and '.'", where, name);
	shape->prefix = stint_strdup(name);
	const struct stint_json *cpu = stint_json_get(entry, "cpu"), *memory = stint_json_get(entry, "memory");
	if ((cpu && !read_quantity(cpu, STINT_UNIT_MILLI, &shape->cpu_milli)) ||
		(memory && !read_quantity(memory, STINT_UNIT_ONE, &shape->memory_bytes)))
		return stint_fail(err, STINT_USAGE, "%s: cpu and memory must be quantities such as 96 and 1Ti", where);
	int64_t gpu_memory = 0;
	const struct stint_json *size = stint_json_get(entry, "gpuMemory");
	if (size && (!read_quantity(size, STINT_UNIT_ONE, &gpu_memory) || gpu_memory < 1 << 20))
		return stint_fail(err, STINT_USAGE, "%s: gpuMemory must be a quantity of at least 1Mi, such as 80Gi", where);
	const struct stint_json *labels = stint_json_get(entry, "labels"), *taints = stint_json_get(entry, "taints");
	if (labels && !is_map_of_strings(labels))
		return stint_fail(err, STINT_USAGE, "%s: labels must map names to texts", where);
	if (taints && !are_taints(taints))
		return stint_fail(err, STINT_USAGE, "%s: taints must be a list of {key, value, effect}", where);
	shape->labels = labels ? stint_json_dup(labels) : NULL;
	shape->taints = taints ? stint_json_dup(taints) : NULL;
	default_sizes(shape);
	if (!set_model(shape, stint_json_string_or(stint_json_get(entry, "gpuModel"), default_model), gpu_memory >> 20, err))
		return stint_fail_wrap(err, "%s", where);
	return true;
}

static bool add_shape(struct node_shapes *shapes, const struct stint_json *entry, const char *where, struct stint_error **err)
{
	struct node_shape shape = {.count = 1};
	if (!read_shape(entry, where, &shape, err)) {
		shape_free(&shape);
		return false;
	}
	for (size_t i = 0; i < shapes->count; i++) {
		if (strcmp(shapes->items[i].prefix, shape.prefix) == 0) {
			stint_fail(err, STINT_USAGE, "%s: the name \"%s\" is used by an entry before it: give each entry a name of its own",
				where, shape.prefix);
			shape_free(&shape);
			return false;
		}
	}
	stint_grow(&shapes->items, &shapes->capacity, shapes->count + 1, sizeof(shape));
	shapes->items[shapes->count++] = shape;
	return true;
}

bool node_shapes_parse(const char *file_name, const char *data, size_t length, struct node_shapes *shapes, struct stint_error **err)
{
	stint_auto_json *documents = stint_yaml_parse(file_name, data, length, err);
	if (!documents)
		return false;
	size_t number = 0;
	stint_json_each(document, documents) {
		if (stint_json_type(document) != STINT_JSON_ARRAY)
			return stint_fail(err, STINT_USAGE, "%s: not a list of shapes such as [{count: 4, gpus: 8}]", file_name);
		stint_json_each(entry, document) {
			stint_autofree char *where = stint_format("%s: entry %zu", file_name, ++number);
			if (!add_shape(shapes, entry, where, err))
				return false;
		}
	}
	if (number == 0)
		return stint_fail(err, STINT_USAGE, "%s: no shapes in it: write a list such as [{count: 4, gpus: 8}]", file_name);
	if (node_shapes_total(shapes) > SHAPE_MAX_NODES)
		return stint_fail(
			err, STINT_USAGE, "%s: %zu nodes: a sandbox has at most %d", file_name, node_shapes_total(shapes), SHAPE_MAX_NODES);
	return true;
}

/* ---- the Node object ------------------------------------------------------------------------------------------------------- */

static void put_labels(struct stint_json *labels, const struct node_shape *shape, const char *name)
{
	stint_json_set_string(labels, "kubernetes.io/hostname", name);
	stint_json_set_string(labels, "kubernetes.io/os", "linux");
	stint_json_set_string(labels, "kubernetes.io/arch", "amd64");
	stint_json_set_string(labels, "stint.dev/virtual", "true");
	if (shape->gpus > 0) {
		stint_autofree char *memory = stint_format("%lld", (long long)shape->gpu_memory_mib);
		stint_autofree char *count = stint_format("%lld", (long long)shape->gpus);
		stint_json_set_string(labels, "nvidia.com/gpu.present", "true");
		stint_json_set_string(labels, "nvidia.com/gpu.product", shape->gpu_product);
		stint_json_set_string(labels, "nvidia.com/gpu.memory", memory);
		stint_json_set_string(labels, "nvidia.com/gpu.count", count);
		if (shape->gpu_family)
			stint_json_set_string(labels, "nvidia.com/gpu.family", shape->gpu_family);
	}
	stint_json_each(label, shape->labels)
		stint_json_set_string(labels, stint_json_key(label), stint_json_string(label));
}

static void put_resources(struct stint_json *resources, const struct node_shape *shape)
{
	char text[STINT_QUANTITY_SIZE];
	stint_json_set_string(resources, "cpu", stint_quantity_format_milli(shape->cpu_milli, text));
	stint_json_set_string(resources, "memory", stint_quantity_format_bytes(shape->memory_bytes, text));
	stint_json_set_string(resources, "ephemeral-storage", "1Ti");
	stint_json_set_string(resources, "pods", "110");
	if (shape->gpus > 0) {
		stint_autofree char *gpus = stint_format("%lld", (long long)shape->gpus);
		stint_json_set_string(resources, "nvidia.com/gpu", gpus);
	}
}

struct stint_json *node_shape_object(const struct node_shape *shape, int64_t index)
{
	struct stint_json *node = stint_json_new_object();
	stint_json_set_string(node, "apiVersion", "v1");
	stint_json_set_string(node, "kind", "Node");
	struct stint_json *metadata = stint_json_ensure_object(node, "metadata");
	stint_autofree char *name = stint_format("%s-%lld", shape->prefix, (long long)index);
	stint_json_set_string(metadata, "name", name);
	put_labels(stint_json_ensure_object(metadata, "labels"), shape, name);
	stint_json_set_string(stint_json_ensure_object(metadata, "annotations"), "kwok.x-k8s.io/node", "fake");
	struct stint_json *spec = stint_json_ensure_object(node, "spec");
	if (stint_json_count(shape->taints) > 0)
		stint_json_set(spec, "taints", stint_json_dup(shape->taints));
	struct stint_json *status = stint_json_ensure_object(node, "status");
	put_resources(stint_json_ensure_object(status, "capacity"), shape);
	put_resources(stint_json_ensure_object(status, "allocatable"), shape);
	return node;
}
