/*
 * How a random world goes on: what was decided is carried out, confirmed or fails, pods end and come, nodes are cordoned, limits change.
 */
#ifndef STINT_TEST_LIFE_H
#define STINT_TEST_LIFE_H

#include "world.h"

static struct world_pod *find_pod(struct world *w, const char *name)
{
	for (int g = 0; g < GROUPS; g++) {
		for (int p = 0; p < PODS_PER_GROUP; p++) {
			if (w->groups[g].pods[p].there && strcmp(w->groups[g].pods[p].name, name) == 0)
				return &w->groups[g].pods[p];
		}
	}
	return NULL;
}

/* The decisions happen, but one in ten fails and is undone. */
static void apply(struct cluster *c, struct world *w)
{
	for (size_t i = 0; i < c->last.count; i++) {
		const struct stint_decision d = c->last.decisions[i];
		struct stint_pod_view view;
		struct stint_node_view node;
		stint_engine_pod_view(c->engine, d.pod, &view);
		struct world_pod *pod = find_pod(w, view.pod->meta.name);
		if (d.kind == STINT_DECIDE_EVICT)
			pod->is.status = STINT_POD_RELEASING;
		if (d.kind != STINT_DECIDE_BIND)
			continue;
		stint_engine_node_view(c->engine, d.node, &node);
		pod->is.on = w->node_names[node.name[1] - '0'];
		pod->is.slots = d.devices;
		pod->placed = true;
	}
	for (int g = 0; g < GROUPS; g++) {
		struct world_group *group = &w->groups[g];
		struct stint_group_view view;
		if (!group->there || !stint_engine_group_view(c->engine, stint_engine_group_find(c->engine, group->name), &view))
			continue;
		group->is.started_ms = view.started_ms;
		group->is.last_evicted_ms = view.last_evicted_ms;
		group->is.stale_since_ms = view.stale_since_ms;
	}
}

static void forget_placed(struct world *w)
{
	for (int g = 0; g < GROUPS; g++) {
		for (int p = 0; p < PODS_PER_GROUP; p++)
			w->groups[g].pods[p].placed = false;
	}
}

static void confirm_or_undo(struct cluster *c, struct world *w)
{
	for (int g = 0; g < GROUPS; g++) {
		for (int p = 0; p < PODS_PER_GROUP; p++) {
			struct world_pod *pod = &w->groups[g].pods[p];
			if (!w->groups[g].there || !pod->there || !pod->is.on)
				continue;
			const enum stint_pod_status status = pod_seen(c, pod->name).status;
			if (status == STINT_POD_ASSUMED && chance(10)) {
				stint_engine_pod_undo(c->engine, pod_named(c, pod->name));
				pod->is.on = NULL;
				pod->is.slots = 0;
			} else if (status == STINT_POD_ASSUMED) {
				stint_engine_pod_confirm(c->engine, pod_named(c, pod->name));
				if (chance(50))
					tell_pod(c, &w->groups[g], pod);
			} else if (status == STINT_POD_RELEASING && !w->groups[g].is.parts_count && chance(10)) {
				/* Not of a group with domains: the rest of it may have started in another one meanwhile. */
				/* Undoes an eviction that was decided here and of which no news have come; else nothing. */
				stint_engine_pod_stay(c->engine, pod_named(c, pod->name));
				if (pod_seen(c, pod->name).status != STINT_POD_RELEASING)
					pod->is.status = STINT_POD_PENDING;
			} else if (status == STINT_POD_RELEASING && chance(50)) {
				tell_pod(c, &w->groups[g], pod);
			}
		}
	}
}

static void drop_pod(struct cluster *c, struct world_pod *pod)
{
	stint_engine_pod_remove(c->engine, pod->name);
	pod->there = false;
}

static void live_group(struct cluster *c, struct world *w, struct world_group *group)
{
	bool any = false;
	if (!group->there) {
		if (chance(15)) {
			make_group(w, group);
			tell_group(c, w, group, false);
		}
		return;
	}
	for (int p = 0; p < PODS_PER_GROUP; p++) {
		struct world_pod *pod = &group->pods[p];
		if (!pod->there)
			continue;
		if (pod->is.status == STINT_POD_RELEASING ? chance(50) : chance(3)) {
			drop_pod(c, pod);
		} else if (pod->is.on && chance(8)) {
			pod->is.status = STINT_POD_RELEASING;
			tell_pod(c, group, pod);
		}
		any = any || pod->there;
	}
	if (!any) {
		stint_engine_group_remove(c->engine, stint_engine_group_find(c->engine, group->name));
		group->there = false;
	} else if (chance(3)) {
		group->is.priority = group->is.priority == 50 ? 100 : 50;
		tell_group(c, w, group, false);
	}
}

static void live(struct cluster *c, struct world *w)
{
	confirm_or_undo(c, w);
	for (int g = 0; g < GROUPS; g++)
		live_group(c, w, &w->groups[g]);
	if (chance(20)) {
		const int node = below(NODES);
		w->nodes[node].cordoned = !w->nodes[node].cordoned;
		tell_node(c, w, node);
	}
	if (chance(20)) {
		const int queue = below(QUEUES);
		w->queues[queue].limit = chance(50) ? -1 : 0.5 * (1 + below(12));
		tell_queue(c, w, queue);
	}
	tell_queue(c, w, 0); /* at least some news: without any, reservations stand and a cycle says nothing new */
	if (chance(5)) {
		make_policy(w);
		c->policy = w->policy;
	}
	w->now_ms += 1000 * below(60);
	c->now_ms = w->now_ms;
}

#endif
