/*
 * heartbeat: what a kubelet writes about its node: status and conditions when it starts, a Lease in kube-node-lease every 10 s, the
 * conditions' heartbeat time every 5 minutes. The intervals are those of kubelet.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/nodes/fleet.h"

enum { LEASE_PERIOD_MS = 10000, LEASE_DURATION_S = 40, HEARTBEAT_PERIOD_MS = 300000 };

static const char lease_space[] = "kube-node-lease";

struct node_condition {
	const char *type, *status, *reason, *message;
};
static const struct node_condition conditions[] = {
	{"MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
	{"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
	{"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
	{"Ready", "True", "KubeletReady", "kubelet is posting ready status"},
};

static void put_condition(struct stint_json *list, const struct node_condition *wanted, const char *now)
{
	struct stint_json *found = NULL;
	stint_json_each(condition, list) {
		if (strcmp(stint_json_string_or(stint_json_get(condition, "type"), ""), wanted->type) == 0)
			found = condition;
	}
	if (!found) {
		found = stint_json_append(list, stint_json_new_object());
		stint_json_set_string(found, "type", wanted->type);
	}
	if (strcmp(stint_json_string_or(stint_json_get(found, "status"), ""), wanted->status) != 0) {
		stint_json_set_string(found, "status", wanted->status);
		stint_json_set_string(found, "lastTransitionTime", now);
	}
	stint_json_set_string(found, "lastHeartbeatTime", now);
	stint_json_set_string(found, "reason", wanted->reason);
	stint_json_set_string(found, "message", wanted->message);
}

static void put_addresses(struct stint_json *status, const struct vnode *node)
{
	struct stint_json *addresses = stint_json_set(status, "addresses", stint_json_new_array());
	struct stint_json *internal = stint_json_append(addresses, stint_json_new_object());
	stint_json_set_string(internal, "type", "InternalIP");
	stint_json_set_string(internal, "address", node->ip);
	struct stint_json *host = stint_json_append(addresses, stint_json_new_object());
	stint_json_set_string(host, "type", "Hostname");
	stint_json_set_string(host, "address", node->name);
}

static void put_info(struct stint_json *status, const struct vnode *node)
{
	char digest[65];
	stint_sha256_hex(node->name, strlen(node->name), digest);
	stint_autofree char *machine = stint_format("%.32s", digest);
	struct stint_json *info = stint_json_ensure_object(status, "nodeInfo");
	static const char *const facts[][2] = {
		{"architecture", "amd64"},
		{"containerRuntimeVersion", "stint://" STINT_VERSION},
		{"kernelVersion", "virtual"},
		{"kubeProxyVersion", ""},
		{"kubeletVersion", "v1.34.4"},
		{"operatingSystem", "linux"},
		{"osImage", "stint virtual node"},
	};
	for (size_t i = 0; i < STINT_COUNT(facts); i++)
		stint_json_set_string(info, facts[i][0], facts[i][1]);
	stint_json_set_string(info, "machineID", machine);
	stint_json_set_string(info, "systemUUID", machine);
	stint_json_set_string(info, "bootID", machine);
}

/* A node that came without sizes gets those of an ordinary server. */
static void put_sizes(struct stint_json *status)
{
	if (stint_json_count(stint_json_get(status, "allocatable")) > 0)
		return;
	struct stint_json *capacity = stint_json_ensure_object(status, "capacity");
	if (stint_json_count(capacity) == 0) {
		stint_json_set_string(capacity, "cpu", "32");
		stint_json_set_string(capacity, "memory", "256Gi");
		stint_json_set_string(capacity, "pods", "110");
	}
	stint_json_set(status, "allocatable", stint_json_dup(capacity));
}

static bool become_ready(void *user, struct stint_json *object)
{
	const struct vnode *node = user;
	char now[STINT_TIME_SIZE];
	stint_time_format(stint_now_ms(), now);
	struct stint_json *status = stint_json_ensure_object(object, "status");
	put_sizes(status);
	put_addresses(status, node);
	put_info(status, node);
	stint_json_set_int(stint_json_ensure_object(stint_json_ensure_object(status, "daemonEndpoints"), "kubeletEndpoint"), "Port", 10250);
	struct stint_json *list = stint_json_ensure_array(status, "conditions");
	for (size_t i = 0; i < STINT_COUNT(conditions); i++)
		put_condition(list, &conditions[i], now);
	return true;
}

static bool beat(void *user, struct stint_json *object)
{
	(void)user;
	char now[STINT_TIME_SIZE];
	stint_time_format(stint_now_ms(), now);
	struct stint_json *list = stint_json_ensure_array(stint_json_ensure_object(object, "status"), "conditions");
	for (size_t i = 0; i < STINT_COUNT(conditions); i++)
		put_condition(list, &conditions[i], now);
	return true;
}

static bool renew(void *user, struct stint_json *lease)
{
	(void)user;
	char now[STINT_TIME_SIZE];
	stint_json_set_string(stint_json_ensure_object(lease, "spec"), "renewTime", stint_time_format_micro(stint_now_us(), now));
	return true;
}

static void lease_create(struct fleet *fleet, const struct vnode *node, const char *node_uid)
{
	char now[STINT_TIME_SIZE];
	struct stint_json *lease = stint_json_new_object();
	stint_json_set_string(lease, "apiVersion", "coordination.k8s.io/v1");
	stint_json_set_string(lease, "kind", "Lease");
	struct stint_json *metadata = stint_json_ensure_object(lease, "metadata");
	stint_json_set_string(metadata, "name", node->name);
	stint_json_set_string(metadata, "namespace", lease_space);
	struct stint_json *owner = stint_json_append(stint_json_ensure_array(metadata, "ownerReferences"), stint_json_new_object());
	stint_json_set_string(owner, "apiVersion", "v1");
	stint_json_set_string(owner, "kind", "Node");
	stint_json_set_string(owner, "name", node->name);
	stint_json_set_string(owner, "uid", node_uid);
	struct stint_json *spec = stint_json_ensure_object(lease, "spec");
	stint_json_set_string(spec, "holderIdentity", node->name);
	stint_json_set_int(spec, "leaseDurationSeconds", LEASE_DURATION_S);
	stint_json_set_string(spec, "renewTime", stint_time_format_micro(stint_now_us(), now));
	struct stint_api_call call = {.kind = fleet->lease_kind, .space = lease_space, .manager = "kubelet"};
	stint_api_create(fleet->api, &call, lease, NULL, NULL);
}

static void lease_renew(struct fleet *fleet, struct vnode *node)
{
	struct stint_api_call call = {.kind = fleet->lease_kind, .space = lease_space, .name = node->name, .manager = "kubelet"};
	if (stint_store_get(fleet->api->store, fleet->lease_kind, lease_space, node->name)) {
		stint_api_change(fleet->api, &call, renew, NULL, NULL, NULL);
		return;
	}
	const struct stint_stored *stored = stint_store_get(fleet->api->store, fleet->node_kind, NULL, node->name);
	if (stored)
		lease_create(fleet, node, stored->uid);
}

void vnode_make_ready(struct fleet *fleet, struct vnode *node)
{
	struct stint_api_call call = {.kind = fleet->node_kind, .name = node->name, .subresource = "status", .manager = "kubelet"};
	stint_auto_json *refusal = NULL;
	if (!stint_api_change(fleet->api, &call, become_ready, node, NULL, &refusal))
		stint_log(fleet->api->logger, STINT_LOG_WARN, "node %s: its status was refused: %s", node->name,
			stint_json_string_or(stint_json_get(refusal, "message"), "no reason given"));
	lease_renew(fleet, node);
	/* Nodes that start together would beat together for ever: each has a phase of its own. */
	int64_t now_ms = stint_monotonic_ms();
	node->lease_at_ms = now_ms + LEASE_PERIOD_MS / 2 + (node->number * 389) % (LEASE_PERIOD_MS / 2);
	node->heartbeat_at_ms = now_ms + HEARTBEAT_PERIOD_MS / 2 + (node->number * 7919) % (HEARTBEAT_PERIOD_MS / 2);
}

void vnode_beat(struct fleet *fleet, struct vnode *node, int64_t monotonic_ms)
{
	if (monotonic_ms >= node->lease_at_ms) {
		node->lease_at_ms = monotonic_ms + LEASE_PERIOD_MS;
		lease_renew(fleet, node);
	}
	if (monotonic_ms >= node->heartbeat_at_ms) {
		node->heartbeat_at_ms = monotonic_ms + HEARTBEAT_PERIOD_MS;
		struct stint_api_call call = {.kind = fleet->node_kind, .name = node->name, .subresource = "status", .manager = "kubelet"};
		stint_api_change(fleet->api, &call, beat, NULL, NULL, NULL);
	}
}
