/*
 * use: see use.h. Counts what stands on every node and device once, in one pass over the pods. Owns copies of the numbers and borrows the
 * objects.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"
#include "cli/use.h"

enum { MANY_DEVICES = 1024 };

static int compare_nodes(const void *a, const void *b)
{
	return strverscmp(((const struct cli_node_use *)a)->node->meta.name, ((const struct cli_node_use *)b)->node->meta.name);
}

/* ---- devices ----------------------------------------------------------------------------------------------------------------------- */

static void read_use(struct cli_node_use *node, int64_t now_ms)
{
	struct stint_gpu_use *uses = NULL;
	const size_t count = stint_node_gpu_use(node->node, &uses);
	for (size_t at = 0; at < node->devices_count; at++)
		node->devices[at].use = (struct stint_gpu_use){.slot = (int32_t)at, .util_percent = -1, .memory_mib = -1, .time_ms = -1};
	for (size_t at = 0; at < count; at++) {
		if ((size_t)uses[at].slot >= node->devices_count)
			continue;
		if (!stint_gpu_use_fresh(&uses[at], now_ms)) {
			uses[at].util_percent = -1;
			uses[at].memory_mib = -1;
		}
		node->devices[uses[at].slot].use = uses[at];
	}
	free(uses);
}

static void take_nodes(struct cli_use *use, struct cli_live *live, int64_t now_ms)
{
	size_t capacity = 0;
	struct stint_object *object;
	for (size_t at = 0; (object = cli_live_next(live, CLI_LIVE_NODES, &at));) {
		const struct stint_node *node = stint_node_of(object);
		const int32_t devices = node->gpu_count < MANY_DEVICES ? node->gpu_count : MANY_DEVICES;
		stint_grow(&use->nodes, &capacity, use->nodes_count + 1, sizeof *use->nodes);
		struct cli_node_use *taken = &use->nodes[use->nodes_count++];
		*taken = (struct cli_node_use){.node = node, .devices_count = devices > 0 ? (size_t)devices : 0};
		taken->devices = stint_alloc((taken->devices_count + 1) * sizeof *taken->devices);
		read_use(taken, now_ms);
	}
	if (use->nodes_count)
		qsort(use->nodes, use->nodes_count, sizeof *use->nodes, compare_nodes);
	for (size_t at = 0; at < use->nodes_count; at++)
		stint_map_set(use->by_name, use->nodes[at].node->meta.name, &use->nodes[at]);
}

/* ---- pods -------------------------------------------------------------------------------------------------------------------------- */

/* A pod that only keeps a device for shares: what it asks for is what they ask for. */
static bool is_holder(const struct stint_pod *pod)
{
	const char *app = stint_object_label(&pod->meta, "app");
	return (pod->meta.space && strcmp(pod->meta.space, "stint-reservation") == 0) ||
		(app && strcmp(app, "kai-resource-reservation") == 0);
}

static void take_devices(
	struct cli_node_use *node, const struct stint_pod *pod, const struct stint_workload *workload, bool known, double gpus)
{
	uint16_t slots[MANY_DEVICES];
	const int count = stint_pod_gpu_devices(pod, slots, MANY_DEVICES);
	for (int at = 0; at < count && at < MANY_DEVICES; at++) {
		if (slots[at] >= node->devices_count)
			continue;
		struct cli_device *device = &node->devices[slots[at]];
		const double share = known ? gpus / count : -1;
		stint_grow(&device->users, &device->users_capacity, device->users_count + 1, sizeof *device->users);
		device->users[device->users_count++] = (struct cli_device_user){pod, workload, share};
		device->allocated += known ? share : 0;
	}
}

static void take_pod(struct cli_use *use, const struct stint_pod *pod, const struct stint_map *workloads)
{
	struct cli_node_use *node = pod->node && !stint_pod_ended(pod) ? stint_map_get(use->by_name, pod->node) : NULL;
	if (!node)
		return;
	node->pods++;
	node->cpu_milli = stint_add_saturated(node->cpu_milli, pod->spec->request.cpu_milli);
	node->memory_bytes = stint_add_saturated(node->memory_bytes, pod->spec->request.memory_bytes);
	double gpus = 0;
	if (is_holder(pod) || pod->spec->gpu.kind == STINT_GPU_NONE)
		return;
	const bool known = stint_pod_gpus(pod, node->node, &gpus);
	node->gpus_allocated += known ? gpus : 0;
	take_devices(node, pod, pod->meta.uid ? stint_map_get(workloads, pod->meta.uid) : NULL, known, gpus);
}

/* pod uid -> the workload that it belongs to. A map holds pointers without const; nothing is written through them. */
static struct stint_map *workloads_by_pod(struct cli_live *live)
{
	struct stint_map *map = stint_map_new(NULL);
	size_t count;
	const struct stint_workload *const *list = stint_workload_set_list(cli_live_workloads(live), &count);
	for (size_t at = 0; at < count; at++) {
		for (size_t pod = 0; pod < list[at]->pods_count; pod++) {
			void *value;
			memcpy(&value, &list[at], sizeof value);
			if (list[at]->pods[pod]->meta.uid)
				stint_map_set(map, list[at]->pods[pod]->meta.uid, value);
		}
	}
	return map;
}

struct cli_use *cli_use_take(struct cli_live *live, int64_t now_ms)
{
	struct cli_use *use = stint_alloc(sizeof *use);
	use->by_name = stint_map_new(NULL);
	use->pods_known = cli_live_has(live, CLI_LIVE_PODS);
	take_nodes(use, live, now_ms);
	struct stint_map *workloads = workloads_by_pod(live);
	struct stint_object *object;
	for (size_t at = 0; (object = cli_live_next(live, CLI_LIVE_PODS, &at));)
		take_pod(use, stint_pod_of(object), workloads);
	stint_map_free(workloads);
	return use;
}

void cli_use_free(struct cli_use *use)
{
	if (!use)
		return;
	for (size_t at = 0; at < use->nodes_count; at++) {
		for (size_t slot = 0; slot < use->nodes[at].devices_count; slot++)
			free(use->nodes[at].devices[slot].users);
		free(use->nodes[at].devices);
	}
	free(use->nodes);
	stint_map_free(use->by_name);
	free(use);
}

/* ---- items ------------------------------------------------------------------------------------------------------------------------- */

static void set_text(struct stint_json *item, const char *key, const char *text)
{
	if (text)
		stint_json_set_string(item, key, text);
}

static double rounded(double value)
{
	return (double)(int64_t)(value * 1000 + 0.5) / 1000;
}

static const char *node_status(const struct stint_node *node)
{
	if (node->ready == STINT_TRUE)
		return node->unschedulable ? "Ready,SchedulingDisabled" : "Ready";
	if (node->ready == STINT_FALSE)
		return node->unschedulable ? "NotReady,SchedulingDisabled" : "NotReady";
	return node->unschedulable ? "Unknown,SchedulingDisabled" : "Unknown";
}

/* The memory of a device as the node's label has it; the model's number is rounded down for placement. 0: not said. */
static int64_t device_memory_mib(const struct stint_node *node)
{
	const char *label = stint_object_label(&node->meta, "nvidia.com/gpu.memory");
	int64_t mib;
	if (node->gpu_memory_mib < 0 || !label || !stint_parse_int(label, 1, INT64_MAX, &mib))
		return 0;
	return mib >= 1024 * 1024 ? mib / (1024 * 1024) : mib; /* so large that it must be bytes */
}

static void add_taints(struct stint_json *item, const struct stint_node *node)
{
	static const char *const effects[] = {"", "NoSchedule", "PreferNoSchedule", "NoExecute"};
	for (uint32_t at = 0; at < node->taints_count; at++) {
		const struct stint_taint *taint = &node->taints[at];
		stint_autofree char *text =
			stint_format("%s%s%s:%s", taint->key, *taint->value ? "=" : "", taint->value, effects[taint->effect]);
		stint_json_append(stint_json_ensure_array(item, "taints"), stint_json_new_string(text));
	}
}

/* Means and sums over the devices that say something: silent ones are not idle ones. */
static void add_busy(struct stint_json *item, const struct cli_node_use *node)
{
	double util = 0;
	int64_t memory_mib = 0;
	size_t utils = 0, memories = 0;
	for (size_t at = 0; at < node->devices_count; at++) {
		const struct stint_gpu_use *use = &node->devices[at].use;
		if (use->util_percent >= 0) {
			util += use->util_percent;
			utils++;
		}
		if (use->memory_mib >= 0) {
			memory_mib += use->memory_mib;
			memories++;
		}
	}
	if (utils)
		stint_json_set_double(item, "gpu_util_percent", rounded(util / (double)utils));
	if (memories)
		stint_json_set_int(item, "gpu_memory_used_mib", memory_mib);
}

struct stint_json *cli_node_item(const struct cli_use *use, const struct cli_node_use *taken)
{
	const struct stint_node *node = taken->node;
	struct stint_json *item = stint_json_new_object();
	char time[STINT_TIME_SIZE];
	stint_json_set_string(item, "name", node->meta.name);
	stint_json_set_string(item, "status", node_status(node));
	set_text(item, "reason", node->ready == STINT_TRUE ? NULL : node->ready_reason);
	stint_json_set_int(item, "gpus", node->gpu_count);
	set_text(item, "gpu_product", node->gpu_product);
	if (device_memory_mib(node)) {
		stint_json_set_int(item, "gpu_memory_mib", device_memory_mib(node));
		stint_json_set_int(item, "gpu_memory_total_mib", device_memory_mib(node) * node->gpu_count);
	}
	stint_json_set_int(item, "cpu_milli", node->allocatable.cpu_milli);
	stint_json_set_int(item, "memory_bytes", node->allocatable.memory_bytes);
	stint_json_set_int(item, "pods_max", node->allocatable.pods);
	if (use->pods_known) {
		stint_json_set_double(item, "gpus_allocated", rounded(taken->gpus_allocated));
		stint_json_set_int(item, "cpu_requested_milli", taken->cpu_milli);
		stint_json_set_int(item, "memory_requested_bytes", taken->memory_bytes);
		stint_json_set_int(item, "pods", taken->pods);
	}
	add_busy(item, taken);
	set_text(item, "pool", stint_object_label(&node->meta, "kai.scheduler/node-pool"));
	stint_json_set_bool(item, "virtual", node->is_virtual);
	add_taints(item, node);
	set_text(item, "version", node->kubelet_version);
	set_text(item, "internal_ip", node->internal_ip);
	if (node->meta.created_ms >= 0)
		stint_json_set_string(item, "created", stint_time_format(node->meta.created_ms, time));
	return item;
}

static struct stint_json *user_item(const struct cli_device_user *user)
{
	struct stint_json *item = stint_json_new_object();
	set_text(item, "project", user->pod->meta.space);
	set_text(item, "workload", user->workload ? user->workload->name : NULL);
	set_text(item, "pod", user->pod->meta.name);
	if (user->share >= 0)
		stint_json_set_double(item, "share", rounded(user->share));
	return item;
}

struct stint_json *cli_device_item(const struct cli_use *use, const struct cli_node_use *node, size_t slot)
{
	const struct cli_device *device = &node->devices[slot];
	struct stint_json *item = stint_json_new_object();
	stint_autofree char *name = stint_format("%s/%zu", node->node->meta.name, slot);
	stint_json_set_string(item, "name", name);
	stint_json_set_string(item, "node", node->node->meta.name);
	stint_json_set_int(item, "slot", (int64_t)slot);
	set_text(item, "product", node->node->gpu_product);
	set_text(item, "uuid", *device->use.uuid ? device->use.uuid : NULL);
	if (device->use.util_percent >= 0)
		stint_json_set_double(item, "util_percent", rounded(device->use.util_percent));
	if (device->use.memory_mib >= 0)
		stint_json_set_int(item, "memory_used_mib", device->use.memory_mib);
	if (device_memory_mib(node->node))
		stint_json_set_int(item, "memory_mib", device_memory_mib(node->node));
	if (!use->pods_known)
		return item;
	stint_json_set_double(item, "allocated", rounded(device->allocated));
	struct stint_json *users = stint_json_ensure_array(item, "users");
	for (size_t at = 0; at < device->users_count; at++)
		stint_json_append(users, user_item(&device->users[at]));
	return item;
}

double cli_workload_util(const struct cli_use *use, const struct stint_workload *workload, double *memory_mib)
{
	double util = 0, memory = 0;
	size_t utils = 0, memories = 0;
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_pod *pod = workload->pods[at];
		const struct cli_node_use *node = pod->node && !stint_pod_ended(pod) ? stint_map_get(use->by_name, pod->node) : NULL;
		uint16_t slots[MANY_DEVICES];
		const int count = node ? stint_pod_gpu_devices(pod, slots, MANY_DEVICES) : 0;
		for (int slot = 0; slot < count && slot < MANY_DEVICES; slot++) {
			if (slots[slot] >= node->devices_count)
				continue;
			const struct stint_gpu_use *device = &node->devices[slots[slot]].use;
			util += device->util_percent >= 0 ? device->util_percent : 0;
			utils += device->util_percent >= 0;
			memory += device->memory_mib >= 0 ? (double)device->memory_mib : 0;
			memories += device->memory_mib >= 0;
		}
	}
	*memory_mib = memories ? memory : -1;
	return utils ? util / (double)utils : -1;
}

/* ---- cells ------------------------------------------------------------------------------------------------------------------------- */

char *cli_show_percent(const struct stint_json *value)
{
	double percent;
	return stint_json_double(value, &percent) ? stint_format("%.0f%%", percent) : stint_strdup("unknown");
}

char *cli_show_part(const struct stint_json *part, const struct stint_json *whole, char *(*show)(double))
{
	double a, b;
	stint_autofree char *left = stint_json_double(part, &a) ? show(a) : NULL, *right = stint_json_double(whole, &b) ? show(b) : NULL;
	return stint_format("%s/%s", left ? left : "unknown", right ? right : "unknown");
}
