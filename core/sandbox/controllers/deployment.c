/*
 * deployment: see deployment.h. A sync reads the sets, decides their sizes, then writes down how far the rollout is.
 */
#include "core/sandbox/controllers/deployment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/conditions.h"
#include "core/sandbox/controllers/template.h"

#define REVISION_KEY "deployment.kubernetes.io/revision"
#define DESIRED_KEY "deployment.kubernetes.io/desired-replicas"
#define MAX_KEY "deployment.kubernetes.io/max-replicas"

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

struct rollout {
	const struct stint_json *deployment, *spec;
	struct deployment_plan *plan;
	int64_t now_ms;
	int64_t replicas, surge, unavailable;
	bool recreate, paused;
	struct rollout_set *current; /* NULL: to be made */
	bool old_pods;
};

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static int64_t number_annotation(const struct stint_json *object, const char *key)
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

static const char *name_of(const struct rollout_set *set)
{
	return stint_json_string_or(stint_json_at(set->object, "metadata", "name"), "");
}

static int by_age(const void *left, const void *right)
{
	const struct rollout_set *a = left, *b = right;
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? -1 : 1;
	return strcmp(name_of(a), name_of(b));
}

static void read_sets(struct rollout *rollout, const struct stint_json *sets)
{
	struct deployment_plan *plan = rollout->plan;
	plan->sets = stint_alloc((stint_json_count(sets) + 1) * sizeof(plan->sets[0]));
	stint_json_each(object, sets) {
		struct rollout_set *set = &plan->sets[plan->count++];
		const struct stint_json *status = stint_json_get(object, "status");
		set->object = object;
		set->revision = number_annotation(object, REVISION_KEY);
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

/* ---- sizes ----------------------------------------------------------------------------------------------------------------- */

static int64_t sum_wanted(const struct deployment_plan *plan)
{
	int64_t sum = plan->create ? plan->create_replicas : 0;
	for (size_t i = 0; i < plan->count; i++)
		sum += plan->sets[i].wanted;
	return sum;
}

static int64_t at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

/* How many the current set may have, by the room that maxSurge leaves. */
static int64_t room_for_current(const struct rollout *rollout, int64_t has)
{
	if (rollout->recreate)
		return rollout->replicas;
	int64_t room = rollout->replicas + rollout->surge - sum_wanted(rollout->plan);
	if (room <= 0)
		return has;
	return has + at_most(room, rollout->replicas - has);
}

static bool has_old_sets_with_pods(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->plan->count; i++) {
		const struct rollout_set *set = &rollout->plan->sets[i];
		if (!set->current && (set->replicas > 0 || set->pods > 0))
			return true;
	}
	return rollout->old_pods;
}

static void roll_recreate(struct rollout *rollout)
{
	bool waits = has_old_sets_with_pods(rollout);
	for (size_t i = 0; i < rollout->plan->count; i++) {
		struct rollout_set *set = &rollout->plan->sets[i];
		if (!set->current)
			set->wanted = 0;
	}
	if (waits)
		return; /* the events of the sets bring us back */
	if (rollout->current) {
		rollout->current->wanted = rollout->replicas;
	} else {
		rollout->plan->create = true;
		rollout->plan->create_replicas = rollout->replicas;
	}
}

/* Old pods that are not available go first: they cost no availability. Returns how many have been taken. */
static int64_t clean_up_unhealthy(const struct rollout *rollout, int64_t limit)
{
	int64_t taken = 0;
	for (size_t i = 0; i < rollout->plan->count && taken < limit; i++) {
		struct rollout_set *set = &rollout->plan->sets[i];
		if (set->current || set->wanted == 0 || set->wanted <= set->available)
			continue;
		int64_t part = at_most(limit - taken, set->wanted - set->available);
		set->wanted -= part;
		taken += part;
	}
	return taken;
}

static void scale_down_old(const struct rollout *rollout)
{
	const struct deployment_plan *plan = rollout->plan;
	int64_t min_available = rollout->replicas - rollout->unavailable, available = 0;
	int64_t new_unavailable = rollout->current ? rollout->current->wanted - rollout->current->available : plan->create_replicas;
	for (size_t i = 0; i < plan->count; i++)
		available += plan->sets[i].available;
	int64_t limit = sum_wanted(plan) - min_available - (new_unavailable > 0 ? new_unavailable : 0);
	if (limit <= 0)
		return;
	clean_up_unhealthy(rollout, limit);
	int64_t spare = available - min_available;
	for (size_t i = 0; i < plan->count && spare > 0; i++) {
		struct rollout_set *set = &plan->sets[i];
		if (set->current || set->wanted == 0)
			continue;
		int64_t part = at_most(spare, set->wanted);
		set->wanted -= part;
		spare -= part;
	}
}

static void roll(struct rollout *rollout)
{
	if (!rollout->current) {
		rollout->plan->create = true;
		rollout->plan->create_replicas = 0;
		rollout->plan->create_replicas = room_for_current(rollout, 0);
		scale_down_old(rollout);
		return;
	}
	struct rollout_set *current = rollout->current;
	if (current->wanted > rollout->replicas)
		current->wanted = rollout->replicas;
	else if (current->wanted < rollout->replicas)
		current->wanted = room_for_current(rollout, current->wanted);
	if (current->wanted == current->replicas)
		scale_down_old(rollout);
}

/* The Deployment was resized since the sets were last annotated. */
static bool was_resized(const struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->plan->count; i++) {
		const struct rollout_set *set = &rollout->plan->sets[i];
		if (set->replicas > 0 && stint_json_string_at(set->object, "metadata", "annotations", DESIRED_KEY) &&
			number_annotation(set->object, DESIRED_KEY) != rollout->replicas)
			return true;
	}
	return false;
}

static struct rollout_set *only_active(const struct rollout *rollout)
{
	struct rollout_set *active = NULL;
	for (size_t i = 0; i < rollout->plan->count; i++) {
		if (rollout->plan->sets[i].replicas == 0)
			continue;
		if (active)
			return NULL;
		active = &rollout->plan->sets[i];
	}
	if (active)
		return active;
	return rollout->current ? rollout->current : rollout->plan->count > 0 ? &rollout->plan->sets[rollout->plan->count - 1] : NULL;
}

/* In the middle of a rollout every set grows or shrinks by its share; what rounding leaves goes to the largest. */
static void resize_in_proportion(const struct rollout *rollout)
{
	struct deployment_plan *plan = rollout->plan;
	int64_t allowed = rollout->replicas > 0 ? rollout->replicas + rollout->surge : 0, total = sum_wanted(plan), added = 0;
	int64_t change = allowed - total;
	struct rollout_set *largest = NULL;
	for (size_t i = 0; i < plan->count; i++) {
		struct rollout_set *set = &plan->sets[i];
		if (set->replicas == 0)
			continue;
		if (!largest || set->replicas > largest->replicas)
			largest = set;
		int64_t base = number_annotation(set->object, MAX_KEY);
		if (base <= 0)
			base = total > 0 ? total : 1;
		int64_t share = (2 * set->replicas * allowed + base) / (2 * base) - set->replicas;
		if (change >= 0)
			share = share < 0 ? 0 : at_most(share, change - added);
		else
			share = share > 0 ? 0 : share < change - added ? change - added : share;
		set->wanted = set->replicas + share;
		added += share;
	}
	if (largest) {
		largest->wanted += change - added;
		if (largest->wanted < 0)
			largest->wanted = 0;
	}
}

static void resize(struct rollout *rollout)
{
	struct rollout_set *active = only_active(rollout);
	rollout->plan->write_sizes = true;
	if (active) {
		active->wanted = rollout->replicas;
		return;
	}
	const struct rollout_set *current = rollout->current;
	if (current && current->replicas == rollout->replicas && current->available == rollout->replicas) {
		for (size_t i = 0; i < rollout->plan->count; i++) {
			if (!rollout->plan->sets[i].current)
				rollout->plan->sets[i].wanted = 0;
		}
	} else if (!rollout->recreate) {
		resize_in_proportion(rollout);
	}
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

/* ---- status ---------------------------------------------------------------------------------------------------------------- */

static void set_count(struct stint_json *status, const char *key, int64_t value)
{
	if (value > 0)
		stint_json_set_int(status, key, value);
	else
		stint_json_remove(status, key);
}

struct tally {
	int64_t pods, updated, ready, available;
};

static bool is_complete(const struct rollout *rollout, const struct tally *tally)
{
	return rollout->current && tally->updated == rollout->replicas && tally->pods == rollout->replicas &&
		tally->available == rollout->replicas;
}

static int64_t time_of(const struct stint_json *value)
{
	const char *text = stint_json_string(value);
	int64_t ms = -1;
	return text && stint_time_parse(text, strlen(text), &ms) ? ms : -1;
}

static void say_progress(struct rollout *rollout, struct stint_json *status, const struct tally *tally)
{
	const struct stint_json *old = stint_json_get(rollout->deployment, "status");
	int64_t deadline_s = stint_json_int_or(stint_json_get(rollout->spec, "progressDeadlineSeconds"), 600);
	if (!rollout->current || rollout->paused || deadline_s >= INT32_MAX)
		return;
	const char *set = name_of(rollout->current);
	const struct stint_json *progress = condition_find(status, "Progressing");
	const char *reason = stint_json_string_or(stint_json_get(progress, "reason"), "");
	bool moved = tally->updated > stint_json_int_or(stint_json_get(old, "updatedReplicas"), 0) ||
		tally->ready > stint_json_int_or(stint_json_get(old, "readyReplicas"), 0) ||
		tally->available > stint_json_int_or(stint_json_get(old, "availableReplicas"), 0) ||
		tally->pods - tally->updated < stint_json_int_or(stint_json_get(old, "replicas"), 0) -
				stint_json_int_or(stint_json_get(old, "updatedReplicas"), 0);
	stint_autofree char *message = NULL;
	if (is_complete(rollout, tally)) {
		message = stint_format("ReplicaSet \"%s\" has successfully progressed.", set);
		condition_update(status, "Progressing", "True", "NewReplicaSetAvailable", message, rollout->now_ms);
		return;
	}
	bool was_complete = strcmp(reason, "NewReplicaSetAvailable") == 0;
	if (was_complete && tally->pods == tally->updated)
		return; /* a pod that fails later does not undo the rollout */
	if (moved || !progress || was_complete) {
		char now[STINT_TIME_SIZE];
		message = stint_format("ReplicaSet \"%s\" is progressing.", set);
		condition_update(status, "Progressing", "True", "ReplicaSetUpdated", message, rollout->now_ms);
		if (moved)
			stint_json_set_string(
				condition_find(status, "Progressing"), "lastUpdateTime", stint_time_format(rollout->now_ms, now));
		return;
	}
	int64_t since_ms = time_of(stint_json_get(progress, "lastUpdateTime"));
	int64_t left_ms = since_ms + deadline_s * 1000 - rollout->now_ms;
	if (strcmp(reason, "ProgressDeadlineExceeded") == 0)
		return;
	if (left_ms > 0) {
		rollout->plan->again_ms = left_ms;
		return;
	}
	message = stint_format("ReplicaSet \"%s\" has timed out progressing.", set);
	condition_update(status, "Progressing", "False", "ProgressDeadlineExceeded", message, rollout->now_ms);
}

static struct tally count_pods(const struct rollout *rollout)
{
	struct tally tally = {0};
	for (size_t i = 0; i < rollout->plan->count; i++) {
		tally.pods += rollout->plan->sets[i].pods;
		tally.ready += rollout->plan->sets[i].ready;
		tally.available += rollout->plan->sets[i].available;
	}
	tally.updated = rollout->current ? rollout->current->pods : 0;
	return tally;
}

static void write_status(struct rollout *rollout, const struct tally *tally)
{
	const struct stint_json *old = stint_json_get(rollout->deployment, "status");
	struct stint_json *status = old ? stint_json_dup(old) : stint_json_new_object();
	int64_t unavailable = sum_wanted(rollout->plan) - tally->available;
	stint_json_set_int(
		status, "observedGeneration", stint_json_int_or(stint_json_at(rollout->deployment, "metadata", "generation"), 0));
	set_count(status, "replicas", tally->pods);
	set_count(status, "updatedReplicas", tally->updated);
	set_count(status, "readyReplicas", tally->ready);
	set_count(status, "availableReplicas", tally->available);
	set_count(status, "unavailableReplicas", unavailable > 0 ? unavailable : 0);
	bool enough = tally->available >= rollout->replicas - rollout->unavailable;
	condition_update(status, "Available", enough ? "True" : "False", enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
		enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.", rollout->now_ms);
	if (rollout->paused)
		condition_update(status, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", rollout->now_ms);
	else
		say_progress(rollout, status, tally);
	if (stint_json_equal(status, old))
		stint_json_free(status);
	else
		rollout->plan->status = status;
}

static void say_scaling(struct rollout *rollout)
{
	struct deployment_plan *plan = rollout->plan;
	for (size_t i = 0; i < plan->count && plan->event_count < DEPLOYMENT_MAX_EVENTS; i++) {
		const struct rollout_set *set = &plan->sets[i];
		if (set->wanted != set->replicas)
			plan->events[plan->event_count++] = stint_format("Scaled %s replica set %s from %" PRId64 " to %" PRId64,
				set->wanted > set->replicas ? "up" : "down", name_of(set), set->replicas, set->wanted);
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
	struct tally tally = count_pods(&rollout);
	if (!stint_json_at(deployment, "metadata", "deletionTimestamp")) {
		if (rollout.paused || was_resized(&rollout))
			resize(&rollout);
		else if (rollout.recreate)
			roll_recreate(&rollout);
		else
			roll(&rollout);
		number_revisions(&rollout);
		if (is_complete(&rollout, &tally))
			forget_old(&rollout);
		say_scaling(&rollout);
	}
	write_status(&rollout, &tally);
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
