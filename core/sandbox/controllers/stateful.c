/*
 * stateful: see stateful.h.
 */
#include "core/sandbox/controllers/stateful.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/template.h"

enum { PODS_PER_SYNC = 500, MAX_REPLICAS = 100000 };

void stateful_plan_free(struct stateful_plan *plan)
{
	free(plan->creates);
	pod_list_free(&plan->removals);
	stint_json_free(plan->status);
	*plan = (struct stateful_plan){.again_ms = -1};
}

int64_t stateful_ordinal(const char *set_name, const char *pod_name)
{
	size_t length = strlen(set_name);
	int64_t ordinal = -1;
	if (strncmp(pod_name, set_name, length) != 0 || pod_name[length] != '-')
		return -1;
	return stint_parse_int(pod_name + length + 1, 0, INT32_MAX, &ordinal) ? ordinal : -1;
}

struct scene {
	const struct stint_json *set;
	struct stateful_plan *plan;
	const char *current, *update;
	int64_t now_ms, start, replicas, partition, min_ready_ms;
	bool parallel, on_delete;
	struct pod_facts **pods; /* by ordinal - start; NULL: missing */
	struct pod_list condemned; /* beyond the replicas, highest ordinal first */
	int64_t current_count; /* pods of the current revision that stay: below it, a lost one comes back as it was */
};

static int by_ordinal_down(const void *left, const void *right)
{
	const struct pod_facts *a = *(struct pod_facts *const *)left, *b = *(struct pod_facts *const *)right;
	int64_t x = stateful_ordinal(a->owner_name, a->name), y = stateful_ordinal(b->owner_name, b->name);
	return x > y ? -1 : x < y;
}

static void read_set(struct scene *scene)
{
	const struct stint_json *spec = stint_json_get(scene->set, "spec"), *strategy = stint_json_get(spec, "updateStrategy");
	scene->start = stint_json_int_or(stint_json_at(spec, "ordinals", "start"), 0);
	scene->replicas = stint_json_int_or(stint_json_get(spec, "replicas"), 1);
	if (scene->replicas > MAX_REPLICAS)
		scene->replicas = MAX_REPLICAS;
	scene->min_ready_ms = 1000 * stint_json_int_or(stint_json_get(spec, "minReadySeconds"), 0);
	scene->parallel = strcmp(stint_json_string_or(stint_json_get(spec, "podManagementPolicy"), ""), "Parallel") == 0;
	scene->on_delete = strcmp(stint_json_string_or(stint_json_get(strategy, "type"), ""), "OnDelete") == 0;
	scene->partition = stint_json_int_or(stint_json_at(strategy, "rollingUpdate", "partition"), 0);
}

static bool is_of(const struct pod_facts *pod, const char *revision)
{
	return pod->revision && strcmp(pod->revision, revision) == 0;
}

static void place_pods(struct scene *scene, const struct pod_list *pods)
{
	const char *name = stint_json_string_or(stint_json_at(scene->set, "metadata", "name"), "");
	scene->pods = stint_alloc((size_t)(scene->replicas + 1) * sizeof(scene->pods[0]));
	for (size_t i = 0; i < pods->count; i++) {
		int64_t ordinal = stateful_ordinal(name, pods->items[i]->name);
		scene->current_count += !pods->items[i]->deleting && is_of(pods->items[i], scene->current);
		if (ordinal >= scene->start && ordinal < scene->start + scene->replicas)
			scene->pods[ordinal - scene->start] = pods->items[i];
		else if (ordinal >= 0)
			pod_list_add(&scene->condemned, pods->items[i]);
	}
	if (scene->condemned.count > 1)
		qsort(scene->condemned.items, scene->condemned.count, sizeof(scene->condemned.items[0]), by_ordinal_down);
}

static bool is_healthy(const struct scene *scene, const struct pod_facts *pod)
{
	return pod && pod->phase == POD_RUNNING && pod_is_available(pod, scene->min_ready_ms, scene->now_ms, &scene->plan->again_ms);
}

static void add_create(struct scene *scene, int64_t ordinal)
{
	struct stateful_plan *plan = scene->plan;
	/* Below the partition, and where a rollout has not come to yet, a lost pod comes back as it was. */
	bool current = scene->partition > 0 ? ordinal < scene->start + scene->partition : ordinal < scene->start + scene->current_count;
	stint_grow(&plan->creates, &plan->create_capacity, plan->create_count + 1, sizeof(plan->creates[0]));
	plan->creates[plan->create_count++] = (struct stateful_new_pod){ordinal, current && !scene->on_delete};
}

/* True: everything below and at this step is as it should be, go on to the next. */
static bool tend_replica(struct scene *scene, int64_t index)
{
	struct pod_facts *pod = scene->pods[index];
	if (!pod) {
		add_create(scene, scene->start + index);
		return scene->parallel && scene->plan->create_count < PODS_PER_SYNC;
	}
	if (pod_is_finished(pod) && !pod->deleting) {
		pod_list_add(&scene->plan->removals, pod); /* it is made again when it has gone */
		return scene->parallel;
	}
	return scene->parallel || (!pod->deleting && is_healthy(scene, pod));
}

static bool tend_replicas(struct scene *scene)
{
	for (int64_t i = 0; i < scene->replicas; i++) {
		if (!tend_replica(scene, i))
			return false;
	}
	return true;
}

static bool condemn(struct scene *scene)
{
	for (size_t i = 0; i < scene->condemned.count; i++) {
		struct pod_facts *pod = scene->condemned.items[i];
		if (!pod->deleting)
			pod_list_add(&scene->plan->removals, pod);
		if (!scene->parallel)
			return false;
	}
	return scene->condemned.count == 0;
}

static void roll(struct scene *scene)
{
	if (scene->on_delete)
		return;
	for (int64_t i = scene->replicas - 1; i >= scene->partition && i >= 0; i--) {
		struct pod_facts *pod = scene->pods[i];
		if (pod && !is_of(pod, scene->update) && !pod->deleting) {
			pod_list_add(&scene->plan->removals, pod);
			return;
		}
		if (!is_healthy(scene, pod) || pod->deleting)
			return;
	}
}

static void set_count(struct stint_json *status, const char *key, int64_t value)
{
	if (value > 0)
		stint_json_set_int(status, key, value);
	else
		stint_json_remove(status, key);
}

static void write_status(struct scene *scene, const struct pod_list *pods)
{
	const struct stint_json *old = stint_json_get(scene->set, "status");
	struct stint_json *status = old ? stint_json_dup(old) : stint_json_new_object();
	int64_t total = 0, ready = 0, available = 0, current = 0, updated = 0;
	for (size_t i = 0; i < pods->count; i++) {
		const struct pod_facts *pod = pods->items[i];
		if (pod_is_finished(pod))
			continue;
		total++;
		ready += pod->ready && pod->phase == POD_RUNNING;
		available += pod->phase == POD_RUNNING && pod_is_available(pod, scene->min_ready_ms, scene->now_ms, &scene->plan->again_ms);
		current += !pod->deleting && is_of(pod, scene->current);
		updated += !pod->deleting && is_of(pod, scene->update);
	}
	const char *revision = scene->current;
	if (strcmp(scene->current, scene->update) != 0 && updated == total && ready == total && total == scene->replicas) {
		revision = scene->update;
		current = updated;
	}
	stint_json_set_int(status, "observedGeneration", stint_json_int_or(stint_json_at(scene->set, "metadata", "generation"), 0));
	stint_json_set_int(status, "replicas", total);
	set_count(status, "readyReplicas", ready);
	stint_json_set_int(status, "availableReplicas", available);
	set_count(status, "currentReplicas", current);
	set_count(status, "updatedReplicas", updated);
	stint_json_set_string(status, "currentRevision", revision);
	stint_json_set_string(status, "updateRevision", scene->update);
	stint_json_set_int(status, "collisionCount", stint_json_int_or(stint_json_get(old, "collisionCount"), 0));
	if (stint_json_equal(status, old))
		stint_json_free(status);
	else
		scene->plan->status = status;
}

void stateful_sync(const struct stint_json *set, const struct pod_list *pods, const char *current, const char *update, int64_t now_ms,
	struct stateful_plan *plan)
{
	*plan = (struct stateful_plan){.again_ms = -1};
	struct scene scene = {.set = set, .plan = plan, .current = current, .update = update, .now_ms = now_ms};
	read_set(&scene);
	place_pods(&scene, pods);
	if (!stint_json_at(set, "metadata", "deletionTimestamp")) {
		bool settled = tend_replicas(&scene);
		if (settled || scene.parallel)
			settled = condemn(&scene) && settled;
		if (settled)
			roll(&scene);
	}
	write_status(&scene, pods);
	free(scene.pods);
	pod_list_free(&scene.condemned);
}

/* ---- its pods -------------------------------------------------------------------------------------------------------------- */

/* The volumes of volumeClaimTemplates: claim TEMPLATE-POD. */
static void add_volumes(const struct stint_json *set, struct stint_json *spec, const char *pod_name)
{
	stint_json_each(claim, stint_json_at(set, "spec", "volumeClaimTemplates")) {
		const char *name = stint_json_string_or(stint_json_at(claim, "metadata", "name"), "");
		struct stint_json *volumes = stint_json_ensure_array(spec, "volumes");
		for (struct stint_json *volume = stint_json_first(volumes), *next; volume; volume = next) {
			next = stint_json_next(volume);
			if (strcmp(stint_json_string_or(stint_json_get(volume, "name"), ""), name) == 0)
				stint_json_unlink(volumes, volume);
		}
		struct stint_json *volume = stint_json_append(volumes, stint_json_new_object());
		stint_autofree char *claim_name = stint_format("%s-%s", name, pod_name);
		stint_json_set_string(volume, "name", name);
		stint_json_set_string(stint_json_ensure_object(volume, "persistentVolumeClaim"), "claimName", claim_name);
	}
}

struct stint_json *stateful_make_pod(
	const struct stint_json *set, const struct stint_json *pod_template, int64_t ordinal, const char *revision)
{
	struct stint_json *pod = template_pod(set, pod_template);
	struct stint_json *metadata = stint_json_get(pod, "metadata"), *spec = stint_json_get(pod, "spec");
	stint_autofree char *name = stint_format("%s-%" PRId64, stint_json_string_or(stint_json_at(set, "metadata", "name"), ""), ordinal);
	stint_autofree char *number = stint_format("%" PRId64, ordinal);
	stint_json_set_string(metadata, "name", name);
	struct stint_json *labels = stint_json_ensure_object(metadata, "labels");
	stint_json_set_string(labels, "apps.kubernetes.io/pod-index", number);
	stint_json_set_string(labels, "controller-revision-hash", revision);
	stint_json_set_string(labels, "statefulset.kubernetes.io/pod-name", name);
	stint_json_set_string(spec, "hostname", name);
	const char *service = stint_json_string(stint_json_at(set, "spec", "serviceName"));
	if (service && *service)
		stint_json_set_string(spec, "subdomain", service);
	add_volumes(set, spec, name);
	return pod;
}
