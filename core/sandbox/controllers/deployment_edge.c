/*
 * deployment_edge: carries out what deployment.c decides: ReplicaSets are made, resized, annotated and forgotten, then the status is
 * written.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/deployment.h"
#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/template.h"

static const char revision_key[] = "deployment.kubernetes.io/revision", desired_key[] = "deployment.kubernetes.io/desired-replicas",
		  max_key[] = "deployment.kubernetes.io/max-replicas", manager[] = "kube-controller-manager";

static const char *meta(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

static const struct stint_kind *set_kind(const struct hub *hub)
{
	return stint_api_kind(hub->api, "apps/v1", "ReplicaSet");
}

static const char *controller_uid(const struct stint_json *object)
{
	stint_json_each(owner, stint_json_at(object, "metadata", "ownerReferences")) {
		if (stint_json_bool_or(stint_json_get(owner, "controller"), false))
			return stint_json_string_or(stint_json_get(owner, "uid"), "");
	}
	return NULL;
}

static bool adopt(void *user, struct stint_json *set)
{
	template_own(set, user);
	return true;
}

/* The ReplicaSets that the Deployment controls, as an array; matching orphans are taken in. */
static struct stint_json *claim_sets(struct hub *hub, struct stint_json *deployment)
{
	struct stint_json *sets = stint_json_new_array();
	stint_auto_store_list list = {0};
	stint_store_list(hub->api->store, set_kind(hub), meta(deployment, "namespace"), &list);
	for (size_t i = 0; i < list.count; i++) {
		struct stint_json *set = stint_stored_parse(list.items[i]);
		const char *owner = controller_uid(set);
		if (!owner && !list.items[i]->deleting && !stint_json_at(deployment, "metadata", "deletionTimestamp") &&
			label_selector_matches(stint_json_at(deployment, "spec", "selector"), stint_json_at(set, "metadata", "labels"))) {
			struct stint_api_call call = {
				.kind = set_kind(hub), .space = list.items[i]->space, .name = list.items[i]->name, .manager = manager};
			stint_api_change(hub->api, &call, adopt, deployment, NULL, NULL);
			owner = meta(deployment, "uid");
		}
		if (owner && strcmp(owner, meta(deployment, "uid")) == 0)
			stint_json_append(sets, set);
		else
			stint_json_free(set);
	}
	return sets;
}

/* Whether a pod of an old set is still there, be it on its way out. */
static bool has_old_pods(const struct hub *hub, const struct stint_json *deployment, const struct stint_json *sets)
{
	bool found = false;
	stint_json_each(set, sets) {
		if (template_same(stint_json_at(set, "spec", "template"), stint_json_at(deployment, "spec", "template")))
			continue;
		struct pod_list pods = {0};
		pod_book_owned(hub->pods, meta(set, "uid"), &pods);
		for (size_t i = 0; i < pods.count; i++)
			found = found || !pod_is_finished(pods.items[i]);
		pod_list_free(&pods);
	}
	return found;
}

struct set_change {
	const struct deployment_plan *plan;
	const struct rollout_set *set;
	int64_t desired;
};

static bool put_annotation(struct stint_json *object, const char *key, int64_t value)
{
	stint_autofree char *text = stint_format("%" PRId64, value);
	struct stint_json *annotations = stint_json_ensure_object(stint_json_ensure_object(object, "metadata"), "annotations");
	if (strcmp(stint_json_string_or(stint_json_get(annotations, key), ""), text) == 0)
		return false;
	stint_json_set_string(annotations, key, text);
	return true;
}

static bool change_set(void *user, struct stint_json *object)
{
	const struct set_change *change = user;
	bool changed = false;
	if (change->set->wanted != change->set->replicas) {
		stint_json_set_int(stint_json_ensure_object(object, "spec"), "replicas", change->set->wanted);
		changed = true;
	}
	if (changed || change->plan->write_sizes || change->set->current) {
		changed = put_annotation(object, desired_key, change->desired) || changed;
		changed = put_annotation(object, max_key, change->plan->max_replicas) || changed;
	}
	if (change->set->current && change->plan->revision > 0)
		changed = put_annotation(object, revision_key, change->plan->revision) || changed;
	return changed;
}

static void carry_out_sets(struct hub *hub, const struct stint_json *deployment, const struct deployment_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct rollout_set *set = &plan->sets[i];
		struct stint_api_call call = {.kind = set_kind(hub),
			.space = meta(set->object, "namespace"),
			.name = meta(set->object, "name"),
			.manager = manager};
		struct set_change change = {plan, set, stint_json_int_or(stint_json_at(deployment, "spec", "replicas"), 1)};
		if (set->remove) {
			struct stint_delete_options options = {.grace_s = -1, .propagation = "Background", .uid = meta(set->object, "uid")};
			stint_api_delete(hub->api, &call, &options, NULL, NULL);
		} else if (!stint_json_at(set->object, "metadata", "deletionTimestamp")) {
			stint_api_change(hub->api, &call, change_set, &change, NULL, NULL);
		}
	}
	for (size_t i = 0; i < plan->event_count; i++)
		hub_tell(hub, &deployment_controller, deployment, "Normal", "ScalingReplicaSet", "%s", plan->events[i]);
}

static bool count_collision(void *user, struct stint_json *deployment)
{
	(void)user;
	struct stint_json *status = stint_json_ensure_object(deployment, "status");
	stint_json_set_int(status, "collisionCount", stint_json_int_or(stint_json_get(status, "collisionCount"), 0) + 1);
	return true;
}

static void create_set(struct hub *hub, const struct stint_json *deployment, const struct deployment_plan *plan)
{
	stint_auto_json *made = NULL, *refusal = NULL;
	struct stint_api_call call = {.kind = set_kind(hub), .space = meta(deployment, "namespace"), .manager = manager};
	if (stint_api_create(hub->api, &call, deployment_make_set(deployment, plan), &made, &refusal)) {
		hub_tell(hub, &deployment_controller, deployment, "Normal", "ScalingReplicaSet",
			"Scaled up replica set %s from 0 to %" PRId64, meta(made, "name"), plan->create_replicas);
		return;
	}
	if (stint_json_int_or(stint_json_get(refusal, "code"), 0) == 409) {
		/* Somebody else's set has the name: another one comes out when the count has grown. */
		struct stint_api_call status = {.kind = stint_api_kind(hub->api, "apps/v1", "Deployment"),
			.space = call.space,
			.name = meta(deployment, "name"),
			.subresource = "status",
			.manager = manager};
		stint_api_change(hub->api, &status, count_collision, NULL, NULL, NULL);
		return;
	}
	hub_tell(hub, &deployment_controller, deployment, "Warning", "ReplicaSetCreateError", "Failed to create new replica set: %s",
		stint_json_string_or(stint_json_get(refusal, "message"), "no reason given"));
}

struct revision_change {
	int64_t revision;
};

static bool put_revision(void *user, struct stint_json *deployment)
{
	const struct revision_change *change = user;
	return put_annotation(deployment, revision_key, change->revision);
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	stint_auto_json *deployment = hub_read(hub, &deployment_controller, space, name);
	if (!deployment)
		return;
	stint_auto_json *sets = claim_sets(hub, deployment);
	struct deployment_plan plan;
	deployment_sync(deployment, sets, has_old_pods(hub, deployment, sets), stint_now_ms(), &plan);
	if (!stint_json_at(deployment, "metadata", "deletionTimestamp")) {
		carry_out_sets(hub, deployment, &plan);
		if (plan.create)
			create_set(hub, deployment, &plan);
		struct revision_change change = {plan.revision};
		/* By way of the status: a change of annotations by the main resource would make a new generation. */
		struct stint_api_call call = {.kind = stint_api_kind(hub->api, "apps/v1", "Deployment"),
			.space = space,
			.name = name,
			.subresource = "status",
			.manager = manager};
		if (plan.revision > 0)
			stint_api_change(hub->api, &call, put_revision, &change, NULL, NULL);
	}
	if (plan.status)
		hub_write_status(hub, &deployment_controller, deployment, stint_steal(&plan.status));
	if (plan.again_ms >= 0)
		hub_wake(hub, &deployment_controller, space, name, plan.again_ms);
	deployment_plan_free(&plan);
}

const struct controller deployment_controller = {
	.name = "deployment-controller", .api_version = "apps/v1", .kind = "Deployment", .sync = sync};
