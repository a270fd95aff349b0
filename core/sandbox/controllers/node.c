/*
 * node: the taints that follow a node's state, as the node lifecycle controller of a real cluster sets them: unschedulable, not-ready
 * and unreachable, all NoSchedule. Other taints are left alone, and so is a node that no kubelet has spoken for.
 */
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/node.h"

static const char unschedulable[] = "node.kubernetes.io/unschedulable", not_ready[] = "node.kubernetes.io/not-ready",
		  unreachable[] = "node.kubernetes.io/unreachable";

static struct stint_json *find_taint(const struct stint_json *taints, const char *key)
{
	stint_json_each(taint, taints) {
		if (strcmp(stint_json_string_or(stint_json_get(taint, "key"), ""), key) == 0 &&
			strcmp(stint_json_string_or(stint_json_get(taint, "effect"), ""), "NoSchedule") == 0)
			return taint;
	}
	return NULL;
}

static bool set_taint(struct stint_json *spec, const char *key, bool wanted, const char *now)
{
	struct stint_json *taints = stint_json_get(spec, "taints"), *taint = find_taint(taints, key);
	if (wanted == (taint != NULL))
		return false;
	if (wanted) {
		taint = stint_json_append(stint_json_ensure_array(spec, "taints"), stint_json_new_object());
		stint_json_set_string(taint, "key", key);
		stint_json_set_string(taint, "effect", "NoSchedule");
		if (strcmp(key, unschedulable) == 0)
			stint_json_set_string(taint, "timeAdded", now);
		return true;
	}
	stint_json_unlink(taints, taint);
	if (stint_json_count(taints) == 0)
		stint_json_remove(spec, "taints");
	return true;
}

bool node_put_taints(struct stint_json *node, int64_t now_ms)
{
	char now[STINT_TIME_SIZE];
	stint_time_format(now_ms, now);
	struct stint_json *spec = stint_json_ensure_object(node, "spec");
	const struct stint_json *status = stint_json_get(node, "status");
	bool unready = condition_is(status, "Ready", "False"), unknown = condition_is(status, "Ready", "Unknown");
	bool changed = set_taint(spec, unschedulable, stint_json_bool_or(stint_json_get(spec, "unschedulable"), false), now);
	changed = set_taint(spec, not_ready, unready, now) || changed;
	return set_taint(spec, unreachable, unknown, now) || changed;
}

static bool change(void *user, struct stint_json *node)
{
	return node_put_taints(node, *(const int64_t *)user);
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	(void)space;
	int64_t now_ms = stint_now_ms();
	struct stint_api_call call = {.kind = hub->node_kind, .name = name, .manager = "kube-controller-manager"};
	if (stint_store_get(hub->api->store, hub->node_kind, NULL, name))
		stint_api_change(hub->api, &call, change, &now_ms, NULL, NULL);
}

const struct controller node_controller = {.name = "node-controller", .api_version = "v1", .kind = "Node", .sync = sync};
