/*
 * deployment: see deployment.h. A sync reads the sets, decides their sizes (rollout_sizes.c), then writes down how far the rollout is
 * (rollout_status.c).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/rollout.h"
#include "core/sandbox/controllers/template.h"

void deployment_plan_free(struct deployment_plan *plan)
{
	free(plan->sets);
	stint_json_free(plan->status);
	for (size_t i = 0; i < plan->event_count; i++)
		free(plan->events[i]);
	*plan = (struct deployment_plan){.again_ms = -1};
}

int64_t int_or_percent(const struct stint_json *value, int64_t of, bool up, int64_t otherwise)
{
	int64_t number = 0;
	if (stint_json_int(value, &number))
		return number;
	const char *text = stint_json_string(value);
	size_t length = text ? strlen(text) : 0;
	if (length < 2 || text[length - 1] != '%')
		return otherwise;
	stint_autofree char *digits = stint_strndup(text, length - 1);
	if (!stint_parse_int(digits, 0, 1000000, &number))
		return otherwise;
	return (of * number + (up ? 99 : 0)) / 100;
}

int64_t rollout_number(const struct stint_json *object, const char *key)
{
	const char *text = stint_json_string_at(object, "metadata", "annotations", key);
	int64_t number = 0;
	return text && stint_parse_int(text, 0, INT64_MAX, &number) ? number : 0;
}

static int64_t created_ms(const struct stint_json *object)
{
	const char *text = stint_json_string_at(object, "metadata", "creationTimestamp");
	int64_t ms = 0;
	return text && stint_time_parse(text, strlen(text), &ms) ? ms : 0;
}

const char *rollout_set_name(const struct rollout_set *set)
{
	return stint_json_string_or(stint_json_at(set->object, "metadata", "name"), "");
}

static int by_age(const void *left, const void *right)
{
	const struct rollout_set *a = left, *b = right;
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? -1 : 1;
	return strcmp(rollout_set_name(a), rollout_set_name(b));
}

static void read_sets(struct rollout *rollout, const struct stint_json *sets)
{
	struct deployment_plan *plan = rollout->plan;
	plan->sets = stint_alloc((stint_json_count(sets) + 1) * sizeof(plan->sets[0]));
	stint_json_each(object, sets) {
		struct rollout_set *set = &plan->sets[plan->count++];
		const struct stint_json *status = stint_json_get(object, "status");
		set->object = object;
		set->revision = rollout_number(object, REVISION_KEY);
		set->replicas = set->wanted = stint_json_int_or(stint_json_at(object, "spec", "replicas"), 1);
		set->available = stint_json_int_or(stint_json_get(status, "availableReplicas"), 0);
		set->ready = stint_json_int_or(stint_json_get(status, "readyReplicas"), 0);
		set->pods = stint_json_int_or(stint_json_get(status, "replicas"), 0);
		set->created_ms = created_ms(object);
	}
	if (plan->count > 1)
		qsort(plan->sets, plan->count, sizeof(plan->sets[0]), by_age);
	const struct stint_json *wanted = stint_json_get(rollout->spec, "template");
	for (size_t i = 0; i < plan->count && !rollout->current; i++) {
		if (template_same(stint_json_at(plan->sets[i].object, "spec", "template"), wanted))
			rollout->current = &plan->sets[i];
	}
	if (rollout->current)
		rollout->current->current = true;
}

static void read_spec(struct rollout *rollout)
{
	const struct stint_json *spec = rollout->spec = stint_json_get(rollout->deployment, "spec");
	const struct stint_json *strategy = stint_json_get(spec, "strategy"), *rolling = stint_json_get(strategy, "rollingUpdate");
	rollout->replicas = stint_json_int_or(stint_json_get(spec, "replicas"), 1);
	rollout->recreate = strcmp(stint_json_string_or(stint_json_get(strategy, "type"), ""), "Recreate") == 0;
	rollout->paused = stint_json_bool_or(stint_json_get(spec, "paused"), false);
	if (rollout->recreate)
		return;
	int64_t quarter_up = (rollout->replicas + 3) / 4, quarter_down = rollout->replicas / 4;
	rollout->surge = int_or_percent(stint_json_get(rolling, "maxSurge"), rollout->replicas, true, quarter_up);
	rollout->unavailable = int_or_percent(stint_json_get(rolling, "maxUnavailable"), rollout->replicas, false, quarter_down);
	if (rollout->surge == 0 && rollout->unavailable == 0)
		rollout->unavailable = 1; /* else nothing could ever move */
	if (rollout->unavailable > rollout->replicas)
		rollout->unavailable = rollout->replicas;
}

/* ---- history --------------------------------------------------------------------------------------------------------------- */

static void number_revisions(struct rollout *rollout)
{
	int64_t highest_old = 0;
	for (size_t i = 0; i < rollout->plan->count; i++) {
		const struct rollout_set *set = &rollout->plan->sets[i];
		if (!set->current && set->revision > highest_old)
			highest_old = set->revision;
	}
	if (rollout->current && rollout->current->revision > highest_old)
		rollout->plan->revision = rollout->current->revision;
	else if (rollout->current || rollout->plan->create)
		rollout->plan->revision = highest_old + 1;
}

/* Old sets without pods beyond revisionHistoryLimit, the lowest revisions first. */
static void forget_old(struct rollout *rollout)
{
	int64_t limit = stint_json_int_or(stint_json_get(rollout->spec, "revisionHistoryLimit"), 10), kept = 0;
	for (size_t i = 0; i < rollout->plan->count; i++)
		kept += !rollout->plan->sets[i].current;
	while (kept > limit) {
		struct rollout_set *lowest = NULL;
		for (size_t i = 0; i < rollout->plan->count; i++) {
			struct rollout_set *set = &rollout->plan->sets[i];
			if (set->current || set->remove || set->replicas > 0 || set->pods > 0 ||
				stint_json_at(set->object, "metadata", "deletionTimestamp"))
				continue;
			if (!lowest || set->revision < lowest->revision)
				lowest = set;
		}
		if (!lowest)
			return;
		lowest->remove = true;
		kept--;
	}
}

/* ---- the sync ------------------------------------------------------------------------------------------------------------- */

static void say_scaling(struct rollout *rollout)
{
	struct deployment_plan *plan = rollout->plan;
	for (size_t i = 0; i < plan->count && plan->event_count < DEPLOYMENT_MAX_EVENTS; i++) {
		const struct rollout_set *set = &plan->sets[i];
		if (set->wanted != set->replicas)
			plan->events[plan->event_count++] = stint_format("Scaled %s replica set %s from %" PRId64 " to %" PRId64,
				set->wanted > set->replicas ? "up" : "down", rollout_set_name(set), set->replicas, set->wanted);
	}
}

void deployment_sync(
	const struct stint_json *deployment, const struct stint_json *sets, bool old_pods, int64_t now_ms, struct deployment_plan *plan)
{
	*plan = (struct deployment_plan){.again_ms = -1};
	struct rollout rollout = {.deployment = deployment, .plan = plan, .now_ms = now_ms, .old_pods = old_pods};
	read_spec(&rollout);
	read_sets(&rollout, sets);
	plan->max_replicas = rollout.replicas + rollout.surge;
	struct rollout_tally tally = rollout_count(&rollout);
	if (!stint_json_at(deployment, "metadata", "deletionTimestamp")) {
		if (rollout.paused || rollout_was_resized(&rollout))
			rollout_resize(&rollout);
		else if (rollout.recreate)
			rollout_recreate(&rollout);
		else
			rollout_roll(&rollout);
		number_revisions(&rollout);
		if (rollout_is_complete(&rollout, &tally))
			forget_old(&rollout);
		say_scaling(&rollout);
	}
	rollout_write_status(&rollout, &tally);
}

struct stint_json *deployment_make_set(const struct stint_json *deployment, const struct deployment_plan *plan)
{
	static const char last_applied[] = "kubectl.kubernetes.io/last-applied-configuration";
	const struct stint_json *spec = stint_json_get(deployment, "spec"), *pod_template = stint_json_get(spec, "template");
	char hash[TEMPLATE_HASH_SIZE];
	template_hash(pod_template, stint_json_int_or(stint_json_at(deployment, "status", "collisionCount"), 0), hash);
	struct stint_json *set = stint_json_new_object();
	stint_json_set_string(set, "apiVersion", "apps/v1");
	stint_json_set_string(set, "kind", "ReplicaSet");
	struct stint_json *metadata = stint_json_ensure_object(set, "metadata");
	stint_autofree char *name = stint_format("%s-%s", stint_json_string_or(stint_json_at(deployment, "metadata", "name"), ""), hash);
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(metadata, "namespace", stint_json_string_or(stint_json_at(deployment, "metadata", "namespace"), ""));
	const struct stint_json *labels = stint_json_at(pod_template, "metadata", "labels");
	stint_json_set(metadata, "labels", labels ? stint_json_dup(labels) : stint_json_new_object());
	stint_json_set_string(stint_json_get(metadata, "labels"), "pod-template-hash", hash);
	struct stint_json *annotations = stint_json_ensure_object(metadata, "annotations");
	stint_json_each(annotation, stint_json_at(deployment, "metadata", "annotations")) {
		if (strcmp(stint_json_key(annotation), last_applied) != 0 && strcmp(stint_json_key(annotation), REVISION_KEY) != 0)
			stint_json_set_string(annotations, stint_json_key(annotation), stint_json_string_or(annotation, ""));
	}
	stint_autofree char *revision = stint_format("%" PRId64, plan->revision), *max = stint_format("%" PRId64, plan->max_replicas);
	stint_autofree char *desired = stint_format("%" PRId64, stint_json_int_or(stint_json_get(spec, "replicas"), 1));
	stint_json_set_string(annotations, REVISION_KEY, revision);
	stint_json_set_string(annotations, DESIRED_KEY, desired);
	stint_json_set_string(annotations, MAX_KEY, max);
	template_own(set, deployment);
	struct stint_json *own = stint_json_ensure_object(set, "spec");
	stint_json_set_int(own, "replicas", plan->create_replicas);
	int64_t min_ready_s = stint_json_int_or(stint_json_get(spec, "minReadySeconds"), 0);
	if (min_ready_s > 0)
		stint_json_set_int(own, "minReadySeconds", min_ready_s);
	stint_json_set(own, "selector", stint_json_dup(stint_json_get(spec, "selector")));
	stint_json_set_string(stint_json_ensure_object(stint_json_get(own, "selector"), "matchLabels"), "pod-template-hash", hash);
	struct stint_json *copy = stint_json_set(own, "template", stint_json_dup(pod_template));
	stint_json_set_string(stint_json_ensure_object(stint_json_ensure_object(copy, "metadata"), "labels"), "pod-template-hash", hash);
	return set;
}
