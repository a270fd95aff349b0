/*
 * use: see use.h. Owns nothing: items are made of what the set of workloads has summed up.
 */
#include "cli/use.h"

#include "cli/output/output.h"

struct cli_use cli_use_take(struct cli_live *live, int64_t now_ms)
{
	struct cli_use use = {.set = cli_live_workloads(live), .pods_known = cli_live_has(live, CLI_LIVE_PODS)};
	use.nodes = stint_workload_set_nodes(use.set, now_ms, &use.nodes_count);
	return use;
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

/* The memory of a device that can be asked for: what its label says, in the steps in which --gpu-memory counts. 0: not said. */
static int64_t device_memory_mib(const struct stint_node *node)
{
	return node->gpu_memory_mib > 0 ? node->gpu_memory_mib : 0;
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
static void add_busy(struct stint_json *item, const struct stint_node_use *node)
{
	int64_t memory_mib = 0;
	size_t memories = 0;
	for (size_t at = 0; at < node->devices_count; at++) {
		memory_mib += node->devices[at].memory_mib >= 0 ? node->devices[at].memory_mib : 0;
		memories += node->devices[at].memory_mib >= 0;
	}
	if (node->util_percent >= 0)
		stint_json_set_double(item, "gpu_util_percent", rounded(node->util_percent));
	if (memories)
		stint_json_set_int(item, "gpu_memory_used_mib", memory_mib);
}

struct stint_json *cli_node_item(const struct cli_use *use, const struct stint_node_use *taken)
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
	set_text(item, "pool", stint_object_label(&node->meta, STINT_LABEL_NODE_POOL));
	stint_json_set_bool(item, "virtual", node->is_virtual);
	add_taints(item, node);
	set_text(item, "version", node->kubelet_version);
	set_text(item, "internal_ip", node->internal_ip);
	if (node->meta.created_ms >= 0)
		stint_json_set_string(item, "created", stint_time_format(node->meta.created_ms, time));
	return item;
}

static struct stint_json *user_item(const struct stint_device_user *user)
{
	struct stint_json *item = stint_json_new_object();
	set_text(item, "project", user->pod->meta.space);
	set_text(item, "workload", user->workload ? user->workload->name : NULL);
	set_text(item, "pod", user->pod->meta.name);
	if (user->share >= 0)
		stint_json_set_double(item, "share", rounded(user->share));
	return item;
}

struct stint_json *cli_device_item(const struct cli_use *use, const struct stint_node_use *node, size_t slot)
{
	const struct stint_device_use *device = &node->devices[slot];
	struct stint_json *item = stint_json_new_object();
	stint_autofree char *name = stint_format("%s/%zu", node->node->meta.name, slot);
	stint_json_set_string(item, "name", name);
	stint_json_set_string(item, "node", node->node->meta.name);
	stint_json_set_int(item, "slot", (int64_t)slot);
	set_text(item, "product", node->node->gpu_product);
	set_text(item, "uuid", device->uuid);
	if (device->util_percent >= 0)
		stint_json_set_double(item, "util_percent", rounded(device->util_percent));
	if (device->memory_mib >= 0)
		stint_json_set_int(item, "memory_used_mib", device->memory_mib);
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

double cli_device_part_mib(const struct stint_device_use *device, const struct stint_pod *pod)
{
	double share = 0;
	bool known = true;
	for (size_t at = 0; at < device->users_count; at++) {
		const struct stint_device_user *user = &device->users[at];
		known = known && user->share >= 0;
		share += user->pod == pod && user->share > 0 ? user->share : 0;
	}
	if (device->memory_mib < 0 || device->users_count < 2)
		return (double)device->memory_mib;
	return known && device->allocated > 0 ? (double)device->memory_mib * share / device->allocated : -1;
}

double cli_workload_util(const struct cli_use *use, const struct stint_workload *workload, double *memory_mib)
{
	double util = 0, memory = 0;
	size_t utils = 0, memories = 0;
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_pod *pod = workload->pods[at];
		const struct stint_node_use *node =
			pod->node && !stint_pod_ended(pod) ? stint_workload_set_node(use->set, pod->node) : NULL;
		uint16_t slots[STINT_NODE_DEVICES_MAX];
		const int count = node ? stint_pod_gpu_devices(pod, slots, STINT_NODE_DEVICES_MAX) : 0;
		for (int slot = 0; slot < count && slot < STINT_NODE_DEVICES_MAX; slot++) {
			if (slots[slot] >= node->devices_count)
				continue;
			const struct stint_device_use *device = &node->devices[slots[slot]];
			util += device->util_percent >= 0 ? device->util_percent : 0;
			utils += device->util_percent >= 0;
			const double part_mib = cli_device_part_mib(device, pod);
			memory += part_mib >= 0 ? part_mib : 0;
			memories += part_mib >= 0;
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
