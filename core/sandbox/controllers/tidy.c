/*
 * tidy: what is done now and then: pods whose node has gone are ended, Events that are old are removed.
 */
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/tell.h"

enum { QUARANTINE_MS = 40000, EVENTS_KEPT = 50000 };

static const char manager[] = "kube-controller-manager";

/* ---- pods of nodes that have gone ------------------------------------------------------------------------------------------ */

static bool mark_lost(void *user, struct stint_json *pod)
{
	const char *message = user;
	struct stint_json *status = stint_json_ensure_object(pod, "status");
	const char *phase = stint_json_string_or(stint_json_get(status, "phase"), "");
	if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0)
		return false;
	stint_json_set_string(status, "phase", "Failed");
	condition_update(status, "DisruptionTarget", "True", "DeletionByPodGC", message, stint_now_ms());
	stint_json_remove(condition_find(status, "DisruptionTarget"), "lastUpdateTime");
	return true;
}

static void end_pod(struct hub *hub, const struct pod_facts *pod)
{
	stint_autofree char *message = stint_strdup("PodGC: node no longer exists");
	struct stint_api_call call = {
		.kind = hub->pod_kind, .space = pod->space, .name = pod->name, .subresource = "status", .manager = manager};
	stint_api_change(hub->api, &call, mark_lost, message, NULL, NULL);
	struct stint_delete_options options = {.grace_s = 0, .uid = pod->uid};
	call.subresource = NULL;
	stint_api_delete(hub->api, &call, &options, NULL, NULL);
}

/* How long the node has been missing, as far as we know; -1: it is there. */
static int64_t missing_for(struct hub *hub, const char *node, int64_t now_ms)
{
	if (stint_store_get(hub->api->store, hub->node_kind, NULL, node))
		return -1;
	const int64_t *since_ms = stint_map_get(hub->missing_nodes, node);
	if (since_ms)
		return now_ms - *since_ms;
	int64_t *now = stint_alloc(sizeof(*now));
	*now = now_ms;
	stint_map_set(hub->missing_nodes, node, now);
	return 0;
}

/* A node may come back under its name, so its pods are given some time. */
static void end_lost_pods(struct hub *hub)
{
	int64_t now_ms = stint_monotonic_ms();
	struct pod_list pods = {0};
	pod_book_all(hub->pods, NULL, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		if (pods.items[i]->node && missing_for(hub, pods.items[i]->node, now_ms) >= QUARANTINE_MS)
			end_pod(hub, pods.items[i]);
	}
	pod_list_free(&pods);
	const char *key = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(hub->missing_nodes, &at, &key, &value);) {
		const int64_t *since_ms = value;
		if (now_ms - *since_ms > 2 * QUARANTINE_MS || stint_store_get(hub->api->store, hub->node_kind, NULL, key))
			stint_map_remove(hub->missing_nodes, key);
	}
}

void tidy(struct hub *hub)
{
	end_lost_pods(hub);
	events_expire(hub->api, stint_now_ms(), EVENTS_KEPT);
}
