/*
 * job_edge: carries out what job.c decides. Pods are made and removed first, then the status is written, then the finalizers of the
 * pods that it counts are taken off.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/controllers/hub.h"
#include "core/sandbox/controllers/job.h"

static const char *meta(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_at(object, "metadata", key), "");
}

static struct job_memory *memory_of(struct hub *hub, const char *uid)
{
	struct job_memory *memory = stint_map_get(hub->job_memories, uid);
	if (memory)
		return memory;
	memory = stint_alloc(sizeof(*memory));
	stint_map_set(hub->job_memories, uid, memory);
	return memory;
}

static void carry_out_pods(struct hub *hub, const struct stint_json *job, struct job_plan *plan)
{
	for (size_t i = 0; i < plan->removals.count; i++) {
		if (plan->removals_uncounted)
			hub_release_pod(hub, plan->removals.items[i]);
		hub_delete_pod(hub, &job_controller, job, plan->removals.items[i]);
	}
	int64_t refused = 0;
	for (size_t i = 0; i < plan->create_count; i++)
		refused += !hub_create_pod(hub, &job_controller, job, job_make_pod(job, &plan->creates[i]));
	if (refused == 0)
		return;
	/* What could not be made is not active; it is tried again after a pause. */
	if (plan->status) {
		int64_t active = stint_json_int_or(stint_json_get(plan->status, "active"), 0) - refused;
		if (active > 0)
			stint_json_set_int(plan->status, "active", active);
		else
			stint_json_remove(plan->status, "active");
	}
	if (plan->again_ms < 0 || plan->again_ms > JOB_BACKOFF_MS)
		plan->again_ms = JOB_BACKOFF_MS;
}

static void remove_job(struct hub *hub, const struct stint_json *job)
{
	struct stint_api_call call = {.kind = stint_api_kind(hub->api, "batch/v1", "Job"),
		.space = meta(job, "namespace"),
		.name = meta(job, "name"),
		.manager = "kube-controller-manager"};
	struct stint_delete_options options = {.grace_s = -1, .propagation = "Foreground", .uid = meta(job, "uid")};
	stint_api_delete(hub->api, &call, &options, NULL, NULL);
}

static bool is_ours(const struct stint_json *job)
{
	const char *manager = stint_json_string(stint_json_at(job, "spec", "managedBy"));
	return !manager || strcmp(manager, "kubernetes.io/job-controller") == 0;
}

static void sync(struct hub *hub, const char *space, const char *name)
{
	stint_auto_json *job = hub_read(hub, &job_controller, space, name);
	if (!job || !is_ours(job))
		return;
	struct pod_list pods = {0};
	struct job_plan plan;
	pod_book_owned(hub->pods, meta(job, "uid"), &pods);
	job_sync(job, &pods, stint_now_ms(), memory_of(hub, meta(job, "uid")), &plan);
	carry_out_pods(hub, job, &plan);
	if (plan.status)
		hub_write_status(hub, &job_controller, job, stint_steal(&plan.status));
	for (size_t i = 0; i < plan.releases.count; i++)
		hub_release_pod(hub, plan.releases.items[i]);
	for (size_t i = 0; i < plan.event_count; i++)
		hub_tell(hub, &job_controller, job, plan.events[i].type, plan.events[i].reason, "%s", plan.events[i].message);
	if (plan.remove_job)
		remove_job(hub, job);
	if (plan.again_ms >= 0)
		hub_wake(hub, &job_controller, space, name, plan.again_ms);
	job_plan_free(&plan);
	pod_list_free(&pods);
}

/* A tracked pod whose Job has gone would keep its finalizer for ever. */
void job_pod_event(struct hub *hub, const struct pod_facts *pod)
{
	if (!pod->tracked || (pod->owner_kind && strcmp(pod->owner_kind, "Job") != 0))
		return;
	if (!pod->owner_kind) {
		hub_release_pod(hub, pod);
		return;
	}
	const struct stint_stored *job = stint_store_get(
		hub->api->store, stint_api_kind(hub->api, "batch/v1", "Job"), pod->space, pod->owner_name ? pod->owner_name : "");
	if (!job || strcmp(job->uid, pod->owner_uid) != 0)
		hub_release_pod(hub, pod);
}

void job_gone(struct hub *hub, const char *uid)
{
	struct pod_list pods = {0};
	stint_map_remove(hub->job_memories, uid);
	pod_book_owned(hub->pods, uid, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		if (pods.items[i]->tracked)
			hub_release_pod(hub, pods.items[i]);
	}
	pod_list_free(&pods);
}

const struct controller job_controller = {.name = "job-controller", .api_version = "batch/v1", .kind = "Job", .sync = sync};
