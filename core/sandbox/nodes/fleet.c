/*
 * fleet: follows Nodes and Pods in the store and plays those that are virtual. Owns all vnodes and vpods; runs on the API's loop.
 *
 * A pod is moved on when its object changes and when the time has come that its last turn named. A turn that changes nothing writes
 * nothing, so the event of our own write ends the chain.
 */
#include "core/sandbox/nodes/fleet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/tell.h"

enum { TICK_MS = 1000 };

static const char played_annotation[] = "kwok.x-k8s.io/node";

static char *pod_key(const char *space, const char *name)
{
	return stint_format("%s/%s", space, name);
}

struct vpod *fleet_pod(const struct fleet *fleet, const char *space, const char *name)
{
	stint_autofree char *key = pod_key(space, name);
	return stint_map_get(fleet->pods, key);
}

/* ---- who waits for a pod --------------------------------------------------------------------------------------------------- */

void fleet_wait(struct vpod *pod, struct vwaiter *waiter)
{
	waiter->next = pod->waiters;
	if (waiter->next)
		waiter->next->link = &waiter->next;
	waiter->link = &pod->waiters;
	pod->waiters = waiter;
}

void fleet_unwait(struct vwaiter *waiter)
{
	if (!waiter->link)
		return;
	*waiter->link = waiter->next;
	if (waiter->next)
		waiter->next->link = waiter->link;
	waiter->link = NULL;
	waiter->next = NULL;
}

static void wake_waiters(struct vpod *pod, bool gone)
{
	for (struct vwaiter *waiter = pod->waiters, *next; waiter; waiter = next) {
		next = waiter->next;
		if (gone)
			fleet_unwait(waiter);
		waiter->on_change(waiter->user, gone);
	}
}

/* ---- pods ------------------------------------------------------------------------------------------------------------------ */

static void pod_uncount(struct vpod *pod)
{
	if (pod->counted)
		demand_add(&pod->node->used, &pod->amounts, -1);
	pod->counted = false;
}

static void pod_free(void *value)
{
	struct vpod *pod = value;
	wake_waiters(pod, true);
	pod_uncount(pod);
	*pod->link = pod->next;
	if (pod->next)
		pod->next->link = pod->link;
	stint_timer_free(pod->timer);
	demand_free(&pod->amounts);
	free(pod->play);
	free(pod->space);
	free(pod->name);
	free(pod->uid);
	free(pod->ip);
	free(pod);
}

static void write_status(struct vpod *pod, struct stint_json *status)
{
	struct fleet *fleet = pod->fleet;
	struct stint_api_call call = {.kind = fleet->pod_kind, .space = pod->space, .name = pod->name, .manager = "kubelet"};
	stint_auto_json *refusal = NULL;
	if (!stint_api_set_status(fleet->api, &call, pod->uid, status, &refusal))
		stint_log(fleet->api->logger, STINT_LOG_WARN, "pod %s/%s: its status was refused: %s", pod->space, pod->name,
			stint_json_string_or(stint_json_get(refusal, "message"), "no reason given"));
	const struct stint_stored *stored = stint_store_get(fleet->api->store, fleet->pod_kind, pod->space, pod->name);
	pod->version = stored ? stored->version : pod->version;
}

static void pod_step(struct vpod *pod, const struct stint_json *object)
{
	struct fleet *fleet = pod->fleet;
	struct play_turn turn;
	play_step(pod->play, object, pod->node->ip, pod->ip, stint_now_ms(), &turn);
	for (size_t i = 0; i < turn.news_count; i++)
		event_tell(fleet->api, "kubelet", object, turn.news[i].type, turn.news[i].reason, turn.news[i].message);
	if (turn.wake_ms >= 0) {
		int64_t delay_ms = turn.wake_ms - stint_now_ms();
		stint_timer_set(pod->timer, delay_ms > 0 ? delay_ms : 0);
	} else {
		stint_timer_stop(pod->timer);
	}
	if (turn.status)
		write_status(pod, stint_steal(&turn.status));
	if (pod->play->ended)
		pod_uncount(pod);
	if (turn.remove && !pod->removed) {
		pod->removed = true;
		struct stint_delete_options options = {.grace_s = 0, .uid = pod->uid};
		struct stint_api_call call = {.kind = fleet->pod_kind, .space = pod->space, .name = pod->name, .manager = "kubelet"};
		stint_api_delete(fleet->api, &call, &options, NULL, NULL);
	}
	play_turn_free(&turn);
	wake_waiters(pod, false);
}

static void on_timer(void *user)
{
	struct vpod *pod = user;
	const struct stint_stored *stored = stint_store_get(pod->fleet->api->store, pod->fleet->pod_kind, pod->space, pod->name);
	if (!stored || strcmp(stored->uid, pod->uid) != 0)
		return; /* the event that says so is on its way */
	stint_auto_json *object = stint_stored_parse(stored);
	pod_step(pod, object);
}

/* The kubelet's admission: what does not fit is refused for good. */
static bool pod_admit(struct vpod *pod, const struct stint_json *object)
{
	struct vnode *node = pod->node;
	const struct demand_item *excess = demand_excess(&node->allocatable, &node->used, &pod->amounts);
	if (!excess) {
		demand_add(&node->used, &pod->amounts, 1);
		pod->counted = true;
		return true;
	}
	/* cpu is reported in thousandths, as kubelet does; everything else in its unit. */
	int64_t unit = strcmp(excess->resource, "cpu") == 0 ? 1 : 1000;
	stint_autofree char *reason = stint_format("OutOf%s", excess->resource);
	stint_autofree char *message =
		stint_format("Node didn't have enough resource: %s, requested: %" PRId64 ", used: %" PRId64 ", capacity: %" PRId64,
			excess->resource, excess->milli / unit, demand_get(&node->used, excess->resource) / unit,
			demand_get(&node->allocatable, excess->resource) / unit);
	event_tell(pod->fleet->api, "kubelet", object, "Warning", reason, message);
	write_status(pod, play_refuse(object, reason, message, stint_now_ms()));
	pod->play->ended = true;
	return false;
}

static void pod_take(struct fleet *fleet, struct vnode *node, const struct stint_json *object)
{
	struct vpod *pod = stint_alloc(sizeof(*pod));
	pod->fleet = fleet;
	pod->node = node;
	pod->next = node->pods;
	if (pod->next)
		pod->next->link = &pod->next;
	pod->link = &node->pods;
	node->pods = pod;
	pod->space = stint_strdup(stint_json_string_or(stint_json_at(object, "metadata", "namespace"), ""));
	pod->name = stint_strdup(stint_json_string_or(stint_json_at(object, "metadata", "name"), ""));
	pod->uid = stint_strdup(stint_json_string_or(stint_json_at(object, "metadata", "uid"), ""));
	uint32_t number = node->next_pod_ip++;
	bool host = stint_json_bool_or(stint_json_at(object, "spec", "hostNetwork"), false);
	pod->ip = host ? stint_strdup(node->ip)
		       : stint_format("10.%u.%u.%u", 64 + ((node->number >> 8) & 127), node->number & 255, 2 + number % 252);
	pod->timer = stint_timer_new(fleet->api->loop, on_timer, pod);
	pod->play = play_new(object);
	demand_of_pod(object, &pod->amounts);
	stint_autofree char *key = pod_key(pod->space, pod->name);
	stint_map_set(fleet->pods, key, pod);
	bool deleting = stint_json_at(object, "metadata", "deletionTimestamp") != NULL;
	if (!pod->play->ended && !deleting && !pod_admit(pod, object))
		return;
	vpod_learn_devices(pod, object);
	pod_step(pod, object);
}

static void pod_seen(struct fleet *fleet, const struct stint_json *object)
{
	const char *node_name = stint_json_string_at(object, "spec", "nodeName");
	const char *space = stint_json_string_or(stint_json_at(object, "metadata", "namespace"), "");
	const char *name = stint_json_string_or(stint_json_at(object, "metadata", "name"), "");
	struct vnode *node = node_name ? stint_map_get(fleet->nodes, node_name) : NULL;
	if (!node)
		return;
	stint_autofree char *key = pod_key(space, name);
	struct vpod *pod = stint_map_get(fleet->pods, key);
	if (pod && strcmp(pod->uid, stint_json_string_or(stint_json_at(object, "metadata", "uid"), "")) == 0) {
		pod_step(pod, object);
		return;
	}
	if (pod)
		stint_map_remove(fleet->pods, key);
	pod_take(fleet, node, object);
}

/*
 * A turn starts from the pod as it is, which may be newer than the event: its status would else take back what others have written since.
 */
static void pod_changed(struct fleet *fleet, const struct stint_store_event *event)
{
	const struct stint_stored *stored = stint_store_get(fleet->api->store, fleet->pod_kind, event->now->space, event->now->name);
	if (!stored)
		return; /* the event of its end is on its way */
	const struct vpod *known = fleet_pod(fleet, stored->space, stored->name);
	if (known && known->version == stored->version)
		return;
	if (stored->version == event->now->version) {
		pod_seen(fleet, stint_event_now(event));
		return;
	}
	stint_auto_json *object = stint_stored_parse(stored);
	pod_seen(fleet, object);
}

static void on_pod(void *user, const struct stint_store_event *event)
{
	struct fleet *fleet = user;
	if (event->now) {
		pod_changed(fleet, event);
		return;
	}
	stint_autofree char *key = pod_key(event->before->space, event->before->name);
	struct vpod *pod = stint_map_get(fleet->pods, key);
	if (pod && strcmp(pod->uid, event->before->uid) == 0)
		stint_map_remove(fleet->pods, key);
}

/* ---- nodes ----------------------------------------------------------------------------------------------------------------- */

static void node_free(void *value)
{
	struct vnode *node = value;
	demand_free(&node->allocatable);
	demand_free(&node->used);
	free(node->devices);
	free(node->name);
	free(node->ip);
	free(node);
}

static void node_drop(struct fleet *fleet, struct vnode *node)
{
	while (node->pods) {
		stint_autofree char *key = pod_key(node->pods->space, node->pods->name);
		stint_map_remove(fleet->pods, key);
	}
	stint_map_remove(fleet->nodes, node->name);
}

static void node_learn(struct vnode *node, const struct stint_json *object)
{
	demand_free(&node->allocatable);
	demand_of_node(object, &node->allocatable);
	vnode_learn_devices(node, object);
}

/* Pods that were bound to the node before it was there, or before it was marked. */
static void take_waiting_pods(struct fleet *fleet, const struct vnode *node)
{
	if (stint_store_count(fleet->api->store, fleet->pod_kind) == 0)
		return;
	stint_auto_store_list list = {0};
	stint_store_list(fleet->api->store, fleet->pod_kind, NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		if (strcmp(list.items[i]->fields, node->name) != 0)
			continue; /* spec.nodeName is the first selectable field of pods: neither a search nor a parse for each */
		stint_auto_json *object = stint_stored_parse(list.items[i]);
		pod_seen(fleet, object);
	}
}

static void node_take(struct fleet *fleet, const char *name, const struct stint_json *object)
{
	struct vnode *node = stint_alloc(sizeof(*node));
	node->name = stint_strdup(name);
	node->number = fleet->node_number++;
	node->ip = stint_format("10.%u.%u.1", 64 + ((node->number >> 8) & 127), node->number & 255);
	stint_map_set(fleet->nodes, name, node);
	node_learn(node, object);
	vnode_make_ready(fleet, node);
	/* The write may have filled in what the node has. */
	const struct stint_stored *stored = stint_store_get(fleet->api->store, fleet->node_kind, NULL, name);
	if (stored) {
		stint_auto_json *now = stint_stored_parse(stored);
		node_learn(node, now);
	}
	take_waiting_pods(fleet, node);
}

static void node_seen(struct fleet *fleet, const struct stint_json *object)
{
	const char *name = stint_json_string_or(stint_json_at(object, "metadata", "name"), "");
	struct vnode *node = stint_map_get(fleet->nodes, name);
	bool played = stint_json_at(object, "metadata", "annotations", played_annotation) != NULL;
	if (played && !node)
		node_take(fleet, name, object);
	else if (played)
		node_learn(node, object);
	else if (node)
		node_drop(fleet, node);
}

static void on_node(void *user, const struct stint_store_event *event)
{
	struct fleet *fleet = user;
	if (event->now) {
		/* A node that was deleted and made anew within one turn is another node. */
		node_seen(fleet, stint_event_now(event));
		return;
	}
	struct vnode *node = stint_map_get(fleet->nodes, event->before->name);
	if (node)
		node_drop(fleet, node);
}

static void on_tick(void *user)
{
	struct fleet *fleet = user;
	stint_timer_set(fleet->tick, TICK_MS);
	int64_t monotonic_ms = stint_monotonic_ms(), now_ms = stint_now_ms();
	const char *key = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(fleet->nodes, &at, &key, &value);) {
		vnode_beat(fleet, value, monotonic_ms);
		vnode_report_use(fleet, value, now_ms, monotonic_ms);
	}
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static void see_all(struct fleet *fleet, const struct stint_kind *kind, void (*seen)(struct fleet *, const struct stint_json *))
{
	stint_auto_store_list list = {0};
	stint_store_list(fleet->api->store, kind, NULL, &list);
	for (size_t i = 0; i < list.count; i++) {
		stint_auto_json *object = stint_stored_parse(list.items[i]);
		seen(fleet, object);
	}
}

struct fleet *fleet_new(struct stint_api *api)
{
	struct fleet *fleet = stint_alloc(sizeof(*fleet));
	fleet->api = api;
	fleet->nodes = stint_map_new(node_free);
	fleet->pods = stint_map_new(pod_free);
	fleet->node_kind = stint_api_kind(api, "v1", "Node");
	fleet->pod_kind = stint_api_kind(api, "v1", "Pod");
	fleet->lease_kind = stint_api_kind(api, "coordination.k8s.io/v1", "Lease");
	fleet->tick = stint_timer_new(api->loop, on_tick, fleet);
	fleet->hooks = (struct stint_node_api){
		.user = fleet, .log = fleet_log, .exec = fleet_exec, .attach = fleet_attach, .port_forward = fleet_port_forward};
	fleet->streams = channel_set_new(api->loop);
	api->nodes = &fleet->hooks;
	fleet->node_events = stint_store_subscribe(api->store, fleet->node_kind, on_node, fleet);
	fleet->pod_events = stint_store_subscribe(api->store, fleet->pod_kind, on_pod, fleet);
	see_all(fleet, fleet->node_kind, node_seen);
	see_all(fleet, fleet->pod_kind, pod_seen);
	stint_timer_set(fleet->tick, TICK_MS);
	return fleet;
}

void fleet_free(struct fleet *fleet)
{
	if (!fleet)
		return;
	fleet->api->nodes = NULL;
	stint_store_unsubscribe(fleet->node_events);
	stint_store_unsubscribe(fleet->pod_events);
	stint_timer_free(fleet->tick);
	channel_set_free(fleet->streams);
	stint_map_free(fleet->pods);
	stint_map_free(fleet->nodes);
	free(fleet);
}

size_t fleet_node_count(const struct fleet *fleet)
{
	return stint_map_count(fleet->nodes);
}

bool fleet_create_nodes(struct stint_api *api, const struct node_shapes *shapes, struct stint_error **err)
{
	struct stint_api_call call = {.kind = stint_api_kind(api, "v1", "Node"), .manager = "kubelet"};
	for (size_t i = 0; i < shapes->count; i++) {
		for (int64_t index = 0; index < shapes->items[i].count; index++) {
			stint_auto_json *refusal = NULL;
			if (!stint_api_create(api, &call, node_shape_object(&shapes->items[i], index), NULL, &refusal))
				return stint_fail(err, STINT_USAGE, "node %s-%" PRId64 " was refused: %s", shapes->items[i].prefix, index,
					stint_json_string_or(stint_json_get(refusal, "message"), "no reason given"));
		}
	}
	return true;
}
