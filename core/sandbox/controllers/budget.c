/*
 * budget: the status of PodDisruptionBudgets: how many of the pods that a budget selects are healthy, how many must be, and how many may
 * be evicted now. The Eviction API reads it.
 */
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/deployment.h"
#include "core/sandbox/controllers/hub.h"

enum { DISRUPTED_LIFE_MS = 2 * 60 * 1000 }; /* an eviction that was granted is expected to show by then */

/* The size that the pod's controller is to have; -1: not known. Deployments stand behind ReplicaSets of the same sum. */
static int64_t wanted_by_owner(struct hub *hub, const struct pod_facts *pod)
{
	static const char *const kinds[][2] = {{"ReplicaSet", "apps/v1"}, {"StatefulSet", "apps/v1"}, {"ReplicationController", "v1"}};
	for (size_t i = 0; i < STINT_COUNT(kinds); i++) {
		if (!pod->owner_kind || strcmp(pod->owner_kind, kinds[i][0]) != 0)
			continue;
		const struct stint_kind *kind = stint_api_kind(hub->api, kinds[i][1], kinds[i][0]);
		const struct stint_stored *stored = kind ? stint_store_get(hub->api->store, kind, pod->space, pod->owner_name) : NULL;
		stint_auto_json *owner = stored && strcmp(stored->uid, pod->owner_uid) == 0 ? stint_stored_parse(stored) : NULL;
		return owner ? stint_json_int_or(stint_json_at(owner, "spec", "replicas"), 1) : -1;
	}
	return -1;
}

static int64_t expected_count(struct hub *hub, const struct pod_list *pods)
{
	struct stint_map *seen = stint_map_new(NULL);
	int64_t expected = 0;
	for (size_t i = 0; i < pods->count; i++) {
		struct pod_facts *pod = pods->items[i];
		int64_t wanted = wanted_by_owner(hub, pod);
		if (wanted < 0)
			expected++;
		else if (!stint_map_has(seen, pod->owner_uid)) {
			stint_map_set(seen, pod->owner_uid, pod);
			expected += wanted;
		}
	}
	stint_map_free(seen);
	return expected;
}

static bool is_disrupted(const struct stint_json *disrupted, const char *name)
{
	return stint_json_get(disrupted, name) != NULL;
}

/* Evictions that were granted and whose pods still stand; what is too old or has gone is dropped. */
static struct stint_json *still_disrupted(const struct stint_json *old, const struct pod_list *pods, int64_t now_ms)
{
	struct stint_json *kept = stint_json_new_object();
	for (size_t i = 0; i < pods->count; i++) {
		const struct pod_facts *pod = pods->items[i];
		const char *text = stint_json_string(stint_json_get(old, pod->name));
		int64_t at_ms = 0;
		if (text && !pod->deleting && stint_time_parse(text, strlen(text), &at_ms) && now_ms - at_ms < DISRUPTED_LIFE_MS)
			stint_json_set_string(kept, pod->name, text);
	}
	return kept;
}

static void update(struct hub *hub, const struct stint_json *budget, const struct pod_list *pods)
{
	const struct stint_json *spec = stint_json_get(budget, "spec"), *old = stint_json_get(budget, "status");
	int64_t now_ms = stint_now_ms(), healthy = 0, expected = 0, desired = 0;
	stint_auto_json *status = old ? stint_json_dup(old) : stint_json_new_object();
	stint_auto_json *disrupted = still_disrupted(stint_json_get(old, "disruptedPods"), pods, now_ms);
	for (size_t i = 0; i < pods->count; i++)
		healthy += pods->items[i]->ready && !pods->items[i]->deleting && !is_disrupted(disrupted, pods->items[i]->name);
	const struct stint_json *least = stint_json_get(spec, "minAvailable"), *most = stint_json_get(spec, "maxUnavailable");
	int64_t number = 0;
	if (most || !stint_json_int(least, &number))
		expected = expected_count(hub, pods);
	else
		expected = (int64_t)pods->count;
	if (most)
		desired = expected - int_or_percent(most, expected, true, 0);
	else
		desired = int_or_percent(least, expected, true, 0);
	desired = desired > 0 ? desired : 0;
	int64_t allowed = healthy - desired;
	allowed = allowed > 0 && expected > 0 ? allowed : 0;
	stint_json_set_int(status, "currentHealthy", healthy);
	stint_json_set_int(status, "desiredHealthy", desired);
	stint_json_set_int(status, "disruptionsAllowed", allowed);
	stint_json_set_int(status, "expectedPods", expected);
	stint_json_set_int(status, "observedGeneration", stint_json_int_or(stint_json_at(budget, "metadata", "generation"), 0));
	if (stint_json_count(disrupted) > 0)
		stint_json_set(status, "disruptedPods", stint_json_dup(disrupted));
	else
		stint_json_remove(status, "disruptedPods");
	condition_update(status, "DisruptionAllowed", allowed > 0 ? "True" : "False", allowed > 0 ? "SufficientPods" : "InsufficientPods",
		"", now_ms);
	struct stint_json *condition = condition_find(status, "DisruptionAllowed");
	stint_json_remove(condition, "lastUpdateTime");
	stint_json_set_int(condition, "observedGeneration", stint_json_int_or(stint_json_at(budget, "metadata", "generation"), 0));
	if (!stint_json_equal(status, old))
		hub_write_status(hub, &budget_controller, budget, stint_steal(&status));
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	(void)name;
	stint_auto_store_list budgets = {0};
	stint_store_list(hub->api->store, hub->budget_kind, space, &budgets);
	if (budgets.count == 0)
		return;
	struct pod_list all = {0};
	pod_book_all(hub->pods, space, &all);
	for (size_t i = 0; i < budgets.count; i++) {
		stint_auto_json *budget = stint_stored_parse(budgets.items[i]);
		struct pod_list pods = {0};
		for (size_t j = 0; j < all.count; j++) {
			if (!pod_is_finished(all.items[j]) &&
				label_selector_matches_pod(stint_json_at(budget, "spec", "selector"), all.items[j]))
				pod_list_add(&pods, all.items[j]);
		}
		update(hub, budget, &pods);
		pod_list_free(&pods);
	}
	pod_list_free(&all);
}

const struct controller budget_controller = {
	.name = "disruption-controller", .api_version = "policy/v1", .kind = "PodDisruptionBudget", .by_space = true, .sync = sync};
