/*
 * fleet: what the files of core/sandbox/nodes share: the played nodes and the pods bound to them.
 *
 * Invariants: a vpod exists exactly for each pod that is bound to a vnode; its amounts are in the node's `used` while `counted`. A vnode
 * outlives its vpods' pointers to it: when it goes, they go.
 */
#ifndef STINT_SANDBOX_FLEET_H
#define STINT_SANDBOX_FLEET_H

#include "core/sandbox/nodes/channels.h"
#include "core/sandbox/nodes/demand.h"
#include "core/sandbox/nodes/nodes.h"
#include "core/sandbox/nodes/play.h"
#include "core/sandbox/nodes/use.h"

struct vnode {
	char *name;
	char *ip;
	struct demand allocatable, used;
	uint32_t next_pod_ip; /* of the node's /24 or larger block */
	uint32_t number; /* decides its addresses */
	int64_t lease_at_ms, heartbeat_at_ms; /* when the next is due, monotonic */
	/* Devices: what was reported last, and when: any report, and one that told of a change (monotonic). */
	struct use_value *devices;
	size_t device_count;
	int64_t device_memory_mib;
	int64_t use_written_ms, use_changed_ms;
	struct vpod *pods; /* bound to it, in no order */
};

struct vpod {
	struct fleet *fleet;
	struct vnode *node;
	struct vpod *next, **link; /* among the node's pods */
	char *space, *name, *uid;
	char *ip;
	struct play *play;
	struct demand amounts;
	bool counted; /* in node->used */
	bool removed; /* the delete call has been made */
	uint64_t version; /* resourceVersion of our last write: its event tells nothing new */
	struct stint_timer *timer;
	/* What its share of devices is. slots: a bit for each device; 0: none. share: of each, 1 for whole ones. */
	uint64_t slots;
	double share;
	struct vwaiter *waiters; /* streams that follow this pod; see fleet_wait */
};

/* Somebody who wants to know when a pod has moved on: a log that is followed, an attach. */
struct vwaiter {
	void (*on_change)(void *user, bool gone);
	void *user;
	struct vwaiter *next, **link;
};

struct fleet {
	struct stint_api *api;
	struct stint_map *nodes; /* name -> vnode */
	struct stint_map *pods; /* "namespace/name" -> vpod */
	uint32_t node_number;
	struct stint_subscription *node_events, *pod_events;
	struct stint_timer *tick; /* leases, heartbeats and use: once a second */
	struct stint_node_api hooks;
	struct channel_set *streams; /* exec, attach and port-forward connections */
	const struct stint_kind *node_kind, *pod_kind, *lease_kind;
};

struct vpod *fleet_pod(const struct fleet *fleet, const char *space, const char *name);
/* on_change is called after each turn of the pod until fleet_unwait; with gone it is the last call and the waiter is forgotten. */
void fleet_wait(struct vpod *pod, struct vwaiter *waiter);
void fleet_unwait(struct vwaiter *waiter);

/* heartbeat.c */
void vnode_make_ready(struct fleet *fleet, struct vnode *node); /* the status of a running kubelet, and its first Lease */
void vnode_beat(struct fleet *fleet, struct vnode *node, int64_t monotonic_ms);
/* use.c */
void vnode_learn_devices(struct vnode *node, const struct stint_json *object);
void vpod_learn_devices(struct vpod *pod, const struct stint_json *object);
void vnode_report_use(struct fleet *fleet, struct vnode *node, int64_t now_ms, int64_t monotonic_ms);
/* logs.c, exec.c, forward.c: the hooks; user is the fleet */
void fleet_log(void *user, const struct stint_stored *pod, struct stint_httpd_request *request);
void fleet_exec(void *user, const struct stint_stored *pod, struct stint_httpd_request *request);
void fleet_attach(void *user, const struct stint_stored *pod, struct stint_httpd_request *request);
void fleet_port_forward(void *user, const struct stint_stored *pod, struct stint_httpd_request *request);

#endif
