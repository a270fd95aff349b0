/*
 * pods/eviction: a deletion that asks the PodDisruptionBudgets first. The budgets' counts are kept by controllers/budget.c.
 */
#include "api_internal.h"
#include "selector.h"

#include <string.h>

static bool too_many(struct stint_json **status, int retry_s, const char *why)
{
	struct stint_json *causes = stint_json_new_array(), *cause = stint_json_append(causes, stint_json_new_object());

	stint_json_set_string(cause, "reason", "DisruptionBudget");
	stint_json_set_string(cause, "message", why);
	*status = stint_status_new(
		429, "TooManyRequests", NULL, NULL, causes, "Cannot evict pod as it would violate the pod's disruption budget.");
	if (retry_s > 0)
		stint_json_set_int(stint_json_get(*status, "details"), "retryAfterSeconds", retry_s);
	return false;
}

static bool is_ready(const struct stint_json *pod)
{
	stint_json_each(condition, stint_json_at(pod, "status", "conditions")) {
		if (strcmp(stint_json_string_or(stint_json_get(condition, "type"), ""), "Ready") == 0)
			return strcmp(stint_json_string_or(stint_json_get(condition, "status"), ""), "True") == 0;
	}
	return false;
}

/* The budgets that cover the pod: their number, and the first of them as a tree. */
static size_t find_budget(struct stint_api *api, const struct stint_stored *pod, struct stint_json **budget)
{
	const struct stint_kind *kind = stint_api_kind(api, "policy/v1", "PodDisruptionBudget");
	stint_auto_store_list list = {0};
	size_t found = 0;

	stint_store_list(api->store, kind, pod->space, &list);
	for (size_t i = 0; i < list.count; i++) {
		stint_auto_json *each = stint_stored_parse(list.items[i]);
		stint_auto_selector *selector = stint_selector_of(stint_json_at(each, "spec", "selector"));

		if (!stint_selector_matches(selector, pod))
			continue;
		if (found++ == 0)
			*budget = stint_steal(&each);
	}
	return found;
}

/* Whether a pod that is not ready may go without asking for one of the allowed disruptions. */
static bool goes_unhealthy(const struct stint_json *budget, const struct stint_json *pod)
{
	const char *policy = stint_json_string_or(stint_json_at(budget, "spec", "unhealthyPodEvictionPolicy"), "IfHealthyBudget");
	const struct stint_json *status = stint_json_get(budget, "status");
	int64_t current = stint_json_int_or(stint_json_get(status, "currentHealthy"), 0);
	int64_t desired = stint_json_int_or(stint_json_get(status, "desiredHealthy"), 0);

	if (is_ready(pod))
		return false;
	return strcmp(policy, "AlwaysAllow") == 0 || (current >= desired && desired > 0);
}

/* Takes one of the budget's allowed disruptions for this pod. */
static bool take(struct stint_api *api, const struct stint_api_call *call, struct stint_json *budget, const char *pod,
	struct stint_json **out_status)
{
	struct stint_json *status = stint_json_ensure_object(budget, "status");
	const char *name = stint_json_string_or(stint_json_at(budget, "metadata", "name"), "");
	int64_t allowed = stint_json_int_or(stint_json_get(status, "disruptionsAllowed"), 0);
	stint_autofree char *why = NULL;
	char time[STINT_TIME_SIZE];

	if (stint_json_int_or(stint_json_get(status, "observedGeneration"), 0) <
		stint_json_int_or(stint_json_at(budget, "metadata", "generation"), 0)) {
		why = stint_format("The disruption budget %s is still being processed by the server.", name);
		return too_many(out_status, 10, why);
	}
	if (allowed <= 0) {
		why = stint_format("The disruption budget %s needs %lld healthy pods and has %lld currently", name,
			(long long)stint_json_int_or(stint_json_get(status, "desiredHealthy"), 0),
			(long long)stint_json_int_or(stint_json_get(status, "currentHealthy"), 0));
		return too_many(out_status, 0, why);
	}
	stint_json_set_int(status, "disruptionsAllowed", allowed - 1);
	stint_json_set_string(stint_json_ensure_object(status, "disruptedPods"), pod, stint_time_format(stint_now_ms(), time));
	if (!call->dry_run)
		stint_store_put(api->store, stint_api_kind(api, "policy/v1", "PodDisruptionBudget"), budget);
	return true;
}

static bool ask_budget(struct stint_api *api, const struct stint_api_call *call, const struct stint_stored *stored,
	const struct stint_json *pod, struct stint_json **status)
{
	const char *phase = stint_json_string_or(stint_json_at(pod, "status", "phase"), "");
	stint_auto_json *budget = NULL;
	size_t budgets;

	if (strcmp(phase, "Pending") == 0 || strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0 || stored->deleting)
		return true;
	budgets = find_budget(api, stored, &budget);
	if (budgets == 0)
		return true;
	if (budgets > 1) {
		*status = stint_status_new(500, "InternalError", NULL, NULL, NULL,
			"This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
		return false;
	}
	return goes_unhealthy(budget, pod) || take(api, call, budget, stored->name, status);
}

/* The victim says why it went, so that a Job's podFailurePolicy can tell an eviction from a failure. */
static bool add_condition(void *user, struct stint_json *pod)
{
	struct stint_json *conditions = stint_json_ensure_array(stint_json_ensure_object(pod, "status"), "conditions"), *condition;
	char time[STINT_TIME_SIZE];

	(void)user;
	stint_json_each(each, conditions) {
		if (strcmp(stint_json_string_or(stint_json_get(each, "type"), ""), "DisruptionTarget") == 0)
			return false;
	}
	condition = stint_json_append(conditions, stint_json_new_object());
	stint_json_set_string(condition, "type", "DisruptionTarget");
	stint_json_set_string(condition, "status", "True");
	stint_json_set_string(condition, "reason", "EvictionByEvictionAPI");
	stint_json_set_string(condition, "message", "Eviction API: evicting");
	stint_json_set(condition, "lastProbeTime", stint_json_new_null());
	stint_json_set_string(condition, "lastTransitionTime", stint_time_format(stint_now_ms(), time));
	return true;
}

static struct stint_delete_options options_of(const struct stint_json *eviction)
{
	const struct stint_json *given = stint_json_get(eviction, "deleteOptions");

	return (struct stint_delete_options){
		.grace_s = stint_delete_grace(stint_json_get(given, "gracePeriodSeconds")),
		.propagation = stint_json_string_at(given, "propagationPolicy"),
		.uid = stint_json_string_at(given, "preconditions", "uid"),
		.resource_version = stint_json_string_at(given, "preconditions", "resourceVersion"),
	};
}

bool stint_api_evict(struct stint_api *api, const struct stint_api_call *call, struct stint_json *eviction, struct stint_json **out,
	struct stint_json **status)
{
	struct stint_api_call pods = *call, conditions;
	stint_auto_json *owned = eviction;
	stint_auto_json *pod = NULL;
	struct stint_delete_options options = options_of(eviction);
	const struct stint_stored *stored;

	pods.kind = stint_api_kind(api, "v1", "Pod");
	pods.subresource = NULL;
	if (strcmp(stint_json_string_or(stint_json_at(eviction, "metadata", "name"), call->name), call->name) != 0)
		return stint_api_bad(status, "name in URL does not match name in Eviction object");
	pods.dry_run |= stint_json_first(stint_json_at(eviction, "deleteOptions", "dryRun")) != NULL;
	stored = stint_store_get(api->store, pods.kind, pods.space, pods.name);
	if (!stored)
		return stint_api_not_found(&pods, status);
	if (options.uid && strcmp(options.uid, stored->uid) != 0)
		return stint_api_mismatch(&pods, "UID", options.uid, stored->uid, "deleted and then recreated", status);
	pod = stint_stored_parse(stored);
	if (!ask_budget(api, &pods, stored, pod, status))
		return false;
	conditions = pods;
	conditions.subresource = "status";
	if (!stored->deleting && !pods.dry_run && !options.resource_version &&
		!stint_api_change(api, &conditions, add_condition, NULL, NULL, status))
		return false;
	if (!stint_api_delete(api, &pods, &options, NULL, status))
		return false;
	if (out)
		*out = stint_status_success(201);
	return true;
}
