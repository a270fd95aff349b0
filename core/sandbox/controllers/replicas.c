/*
 * replicas: see replicas.h, and the edge that carries it out.
 */
#include "core/sandbox/controllers/replicas.h"

#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/template.h"

enum { RETRY_MS = 5000 };

void replica_plan_free(struct replica_plan *plan)
{
	pod_list_free(&plan->removals);
	stint_json_free(plan->status);
	*plan = (struct replica_plan){.again_ms = -1};
}

static void set_count(struct stint_json *status, const char *key, int64_t value)
{
	if (value > 0)
		stint_json_set_int(status, key, value);
	else
		stint_json_remove(status, key);
}

static bool has_labels_of_template(const struct stint_json *set, const struct pod_facts *pod)
{
	stint_auto_json *selector = stint_json_new_object();
	const struct stint_json *labels = stint_json_at(set, "spec", "template", "metadata", "labels");
	stint_json_set(selector, "matchLabels", labels ? stint_json_dup(labels) : stint_json_new_object());
	return label_selector_matches_pod(selector, pod);
}

static struct stint_json *new_status(const struct stint_json *set, const struct pod_list *active, int64_t now_ms, int64_t *again_ms)
{
	const struct stint_json *old = stint_json_get(set, "status");
	struct stint_json *status = old ? stint_json_dup(old) : stint_json_new_object();
	int64_t min_ready_ms = 1000 * stint_json_int_or(stint_json_at(set, "spec", "minReadySeconds"), 0);
	int64_t ready = 0, available = 0, labelled = 0;
	for (size_t i = 0; i < active->count; i++) {
		const struct pod_facts *pod = active->items[i];
		ready += pod->ready;
		available += pod_is_available(pod, min_ready_ms, now_ms, again_ms);
		labelled += has_labels_of_template(set, pod);
	}
	stint_json_set_int(status, "replicas", (int64_t)active->count);
	set_count(status, "fullyLabeledReplicas", labelled);
	set_count(status, "readyReplicas", ready);
	set_count(status, "availableReplicas", available);
	stint_json_set_int(status, "observedGeneration", stint_json_int_or(stint_json_at(set, "metadata", "generation"), 0));
	return status;
}

void replica_sync(const struct stint_json *set, const struct pod_list *pods, int64_t now_ms, struct replica_plan *plan)
{
	*plan = (struct replica_plan){.again_ms = -1};
	struct pod_list active = {0};
	for (size_t i = 0; i < pods->count; i++) {
		if (pod_is_active(pods->items[i]))
			pod_list_add(&active, pods->items[i]);
	}
	int64_t missing = stint_json_int_or(stint_json_at(set, "spec", "replicas"), 1) - (int64_t)active.count;
	if (!stint_json_at(set, "metadata", "deletionTimestamp")) {
		if (missing > 0)
			plan->creates = missing < REPLICAS_PER_SYNC ? missing : REPLICAS_PER_SYNC;
		if (missing < 0)
			qsort(active.items, active.count, sizeof(active.items[0]), pod_compare_worth);
		for (int64_t i = 0; i < -missing && i < REPLICAS_PER_SYNC; i++)
			pod_list_add(&plan->removals, active.items[i]);
	}
	struct stint_json *status = new_status(set, &active, now_ms, &plan->again_ms);
	if (plan->creates > 0 || plan->removals.count > 0)
		plan->again_ms = 0; /* the counts follow */
	if (stint_json_equal(status, stint_json_get(set, "status")))
		stint_json_free(status);
	else
		plan->status = status;
	pod_list_free(&active);
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	stint_auto_json *set = hub_read(hub, &replica_controller, space, name);
	if (!set)
		return;
	struct pod_list pods = {0};
	struct replica_plan plan;
	hub_claim_pods(hub, set, &pods);
	replica_sync(set, &pods, stint_now_ms(), &plan);
	for (size_t i = 0; i < plan.removals.count; i++)
		hub_delete_pod(hub, &replica_controller, set, plan.removals.items[i]);
	int64_t made = 0;
	while (made < plan.creates &&
		hub_create_pod(hub, &replica_controller, set, template_pod(set, stint_json_at(set, "spec", "template"))))
		made++;
	if (made < plan.creates) {
		/* Refused: say so and try again later, not at once. */
		plan.again_ms = RETRY_MS;
		if (!plan.status)
			plan.status = stint_json_dup(stint_json_get(set, "status"));
		condition_update(
			plan.status, "ReplicaFailure", "True", "FailedCreate", "a pod was refused: see the events", stint_now_ms());
		stint_json_remove(condition_find(plan.status, "ReplicaFailure"), "lastUpdateTime");
	} else if (condition_find(stint_json_get(set, "status"), "ReplicaFailure")) {
		if (!plan.status)
			plan.status = stint_json_dup(stint_json_get(set, "status"));
		condition_remove(plan.status, "ReplicaFailure");
	}
	if (plan.status)
		hub_write_status(hub, &replica_controller, set, stint_steal(&plan.status));
	if (plan.again_ms >= 0)
		hub_wake(hub, &replica_controller, space, name, plan.again_ms);
	replica_plan_free(&plan);
	pod_list_free(&pods);
}

const struct controller replica_controller = {
	.name = "replicaset-controller", .api_version = "apps/v1", .kind = "ReplicaSet", .sync = sync};
