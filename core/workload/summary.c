/*
 * summary: what there is to say about one workload: its type, phase and reason, its pods and GPUs. Pure: reads the owner, the pods and the
 * nodes' device memory.
 */
#include <stdlib.h>
#include <string.h>

#include "set.h"

/* ---- one pod ---------------------------------------------------------------------------------------------------------------------- */

/* GPUs of an ask; false: by memory, and the device's memory is not known. */
static bool gpus_of(const struct stint_gpu_ask *ask, const struct stint_node *node, double *gpus)
{
	*gpus = 0;
	switch (ask->kind) {
	case STINT_GPU_NONE: return true;
	case STINT_GPU_WHOLE: *gpus = ask->devices; return true;
	case STINT_GPU_FRACTION: *gpus = ask->portion * ask->devices; return true;
	case STINT_GPU_MEMORY: break;
	}
	if (!node || node->gpu_memory_mib <= 0)
		return false;
	*gpus = (double)ask->memory_mib / (double)node->gpu_memory_mib * ask->devices;
	return true;
}

bool stint_pod_gpus(const struct stint_pod *pod, const struct stint_node *node, double *gpus)
{
	return gpus_of(&pod->spec->gpu, node, gpus);
}

const char *stint_pod_state(const struct stint_pod *pod)
{
	static const char *const phases[] = {
		[STINT_PHASE_UNKNOWN] = "Unknown",
		[STINT_PHASE_PENDING] = "Pending",
		[STINT_PHASE_RUNNING] = "Running",
		[STINT_PHASE_SUCCEEDED] = "Succeeded",
		[STINT_PHASE_FAILED] = "Failed",
	};
	if (pod->meta.deleted_ms >= 0 && !stint_pod_ended(pod))
		return "Terminating";
	if (pod->phase == STINT_PHASE_FAILED)
		return pod->reason ? pod->reason : pod->terminated_reason ? pod->terminated_reason : "Failed";
	if (pod->waiting_reason && !stint_pod_ended(pod))
		return pod->waiting_reason;
	if (pod->phase == STINT_PHASE_PENDING && !pod->node && pod->gates_count)
		return "SchedulingGated";
	return phases[pod->phase];
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------------- */

static bool is_running(const struct stint_pod *pod)
{
	return pod->phase == STINT_PHASE_RUNNING;
}

static const char *label_of(const struct stint_workload *workload, const char *key)
{
	const char *value = workload->owner ? stint_object_label(&workload->owner->meta, key) : NULL;
	if (!value && workload->owner)
		value = stint_pairs_get(&workload->owner->template_labels, key);
	for (size_t at = 0; !value && at < workload->pods_count; at++)
		value = stint_object_label(&workload->pods[at]->meta, key);
	return value;
}

static enum stint_workload_type type_of(const struct stint_workload *workload)
{
	enum stint_workload_type type;
	const char *label = label_of(workload, STINT_LABEL_TYPE);
	if (label && stint_workload_type_parse(label, &type))
		return type;
	if (strcmp(workload->kind, "Deployment") == 0 || strcmp(workload->kind, "Service") == 0 ||
		strcmp(workload->kind, "ReplicaSet") == 0)
		return STINT_INFERENCE;
	if (strcmp(workload->kind, "Notebook") == 0)
		return STINT_WORKSPACE;
	if (strcmp(workload->kind, "StatefulSet") == 0)
		return workload->owner && workload->owner->replicas > 1 ? STINT_INFERENCE : STINT_WORKSPACE;
	return STINT_TRAINING;
}

static bool is_kind(const struct stint_workload *workload, const char *kind)
{
	return workload->owner && strcmp(workload->kind, kind) == 0;
}

/* How many pods the owner would run at once if nothing were done, suspended or ended; -1: it does not say. */
static int32_t nominal_pods(const struct stint_workload *workload)
{
	const struct stint_owner *owner = workload->owner;
	if (is_kind(workload, "Job")) {
		const int32_t parallelism = owner->parallelism >= 0 ? owner->parallelism : 1;
		return owner->completions >= 0 && owner->completions < parallelism ? owner->completions : parallelism;
	}
	if (!owner || !owner->pod_spec)
		return -1;
	int64_t remembered;
	const char *before = stint_object_annotation(&owner->meta, STINT_ANNOTATION_REPLICAS);
	if (owner->replicas == 0 && before && stint_parse_int(before, 0, INT32_MAX, &remembered))
		return (int32_t)remembered;
	return owner->replicas >= 0 ? owner->replicas : 1;
}

static int32_t wanted_pods(const struct stint_workload *workload, int32_t nominal, int32_t live)
{
	const struct stint_owner *owner = workload->owner;
	if (is_kind(workload, "Job")) {
		if (owner->complete || owner->failed_for_good || owner->suspend == STINT_TRUE)
			return 0;
		const int32_t left = owner->completions >= 0 && owner->succeeded > 0 ? owner->completions - owner->succeeded : nominal;
		return left < nominal ? left : nominal;
	}
	if (nominal < 0)
		return live;
	return owner->replicas >= 0 ? owner->replicas : 1;
}

void sums_add(struct stint_pod_sums *sums, const struct stint_pod *pod, const struct stint_node *node)
{
	double gpus;
	sums->cpu_milli = stint_add_saturated(sums->cpu_milli, pod->spec->request.cpu_milli);
	sums->memory_bytes = stint_add_saturated(sums->memory_bytes, pod->spec->request.memory_bytes);
	if (gpus_of(&pod->spec->gpu, node, &gpus))
		sums->gpus += gpus;
}

static void count_pods(const struct stint_workload_set *set, struct stint_workload *workload)
{
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_pod *pod = workload->pods[at];
		const struct stint_gpu_ask *ask = &pod->spec->gpu;
		double gpus;
		workload->restarts += pod->restarts > 0 ? pod->restarts : 0;
		workload->pods_succeeded += pod->phase == STINT_PHASE_SUCCEEDED;
		workload->pods_failed += pod->phase == STINT_PHASE_FAILED;
		if (pod->started_ms >= 0 && (workload->started_ms < 0 || pod->started_ms < workload->started_ms))
			workload->started_ms = pod->started_ms;
		if (stint_pod_ended(pod))
			continue;
		sums_add(pod->node ? &workload->placed : &workload->unplaced, pod, pod->node ? node_named(set, pod->node) : NULL);
		workload->pods_running += is_running(pod);
		workload->pods_waiting += !pod->node;
		if (!pod->node)
			continue;
		if (ask->kind == STINT_GPU_MEMORY)
			workload->gpu_memory_allocated_mib += ask->memory_mib * ask->devices;
		if (gpus_of(ask, node_named(set, pod->node), &gpus))
			workload->gpus_allocated += gpus;
		else
			workload->gpus_allocated_unknown = true;
	}
}

/* A node whose devices a pod of the workload has been given; NULL: none yet. */
static const struct stint_node *node_of(const struct stint_workload_set *set, const struct stint_workload *workload)
{
	const struct stint_node *node = NULL;
	for (size_t at = 0; !node && at < workload->pods_count; at++)
		if (workload->pods[at]->node)
			node = node_named(set, workload->pods[at]->node);
	return node;
}

static void add_request(
	const struct stint_workload_set *set, struct stint_workload *workload, const struct stint_gpu_ask *ask, int32_t pods)
{
	double gpus;
	if (ask->kind == STINT_GPU_MEMORY)
		workload->gpu_memory_requested_mib += ask->memory_mib * ask->devices * pods;
	if (gpus_of(ask, ask->kind == STINT_GPU_MEMORY ? node_of(set, workload) : NULL, &gpus))
		workload->gpus_requested += gpus * pods;
	else
		workload->gpus_requested_unknown = true;
}

static void sum_requests(const struct stint_workload_set *set, struct stint_workload *workload, int32_t nominal, int32_t live)
{
	const struct stint_pod_spec *spec = workload->owner ? workload->owner->pod_spec : NULL;
	if (spec && nominal >= 0) {
		workload->gpu = spec->gpu;
		add_request(set, workload, &spec->gpu, nominal);
		return;
	}
	if (workload->pods_count)
		workload->gpu = workload->pods[0]->spec->gpu;
	for (size_t at = 0; at < workload->pods_count; at++)
		if (live == 0 || !stint_pod_ended(workload->pods[at]))
			add_request(set, workload, &workload->pods[at]->spec->gpu, 1);
}

static bool asks_for_memory(const struct stint_workload *workload)
{
	bool asks = workload->gpu.kind == STINT_GPU_MEMORY;
	for (size_t at = 0; !asks && at < workload->pods_count; at++)
		asks = workload->pods[at]->spec->gpu.kind == STINT_GPU_MEMORY;
	return asks;
}

static bool is_deleting(const struct stint_workload *workload)
{
	if (workload->owner)
		return workload->owner->meta.deleted_ms >= 0;
	for (size_t at = 0; at < workload->pods_count; at++)
		if (workload->pods[at]->meta.deleted_ms < 0)
			return false;
	return workload->pods_count > 0;
}

static enum stint_workload_phase phase_of(const struct stint_workload *workload, int32_t live)
{
	const struct stint_owner *owner = workload->owner;
	if (is_deleting(workload))
		return STINT_WORKLOAD_DELETING;
	if (owner && owner->complete)
		return STINT_WORKLOAD_SUCCEEDED;
	if (owner && owner->failed_for_good)
		return STINT_WORKLOAD_FAILED;
	if (owner && owner->suspend == STINT_TRUE)
		return STINT_WORKLOAD_SUSPENDED;
	if (owner && !is_kind(workload, "Job") && owner->replicas == 0 && live == 0)
		return STINT_WORKLOAD_SUSPENDED;
	if (live == 0 && workload->pods_count && (!owner || !owner->pod_spec))
		return workload->pods_failed ? STINT_WORKLOAD_FAILED : STINT_WORKLOAD_SUCCEEDED;
	if (workload->pods_running)
		return STINT_WORKLOAD_RUNNING;
	return live > workload->pods_waiting ? STINT_WORKLOAD_STARTING : STINT_WORKLOAD_PENDING;
}

/*
 * stint-scheduler writes conditions of reason Unschedulable (the only one that autoscalers know) with a message "Word: sentence". The word
 * is the reason for us.
 */
static void take_word(struct record *record)
{
	struct stint_workload *workload = &record->workload;
	static const char *const never[] = {"NeverFits", "GangNeverFits", "NeverWithinBounds", "InvalidRequest", "NoDeviceWiring"};
	const char *message = workload->message;
	size_t length = 0;
	while (message && ((message[length] >= 'A' && message[length] <= 'Z') || (message[length] >= 'a' && message[length] <= 'z')))
		length++;
	if (length == 0 || *message > 'Z' || !stint_starts_with(message + length, ": "))
		return;
	workload->reason = record->word = stint_strndup(message, length);
	workload->message = message + length + 2;
	for (size_t at = 0; at < STINT_COUNT(never); at++)
		workload->never |= strcmp(workload->reason, never[at]) == 0;
}

/* A Job whose pods are to be made again, and none of them is there. */
static void explain_absent(struct record *record)
{
	struct stint_workload *workload = &record->workload;
	struct stint_comeback comeback = {0};
	for (size_t at = 0; at < workload->pods_count; at++) {
		if (!stint_pod_ended(workload->pods[at]))
			return;
		stint_comeback_add(&comeback, workload->pods[at], -1);
	}
	if (comeback.last) {
		workload->reason = stint_comeback_is_eviction(&comeback) ? "Evicted" : "BackOff";
		workload->message = record->sentence = stint_comeback_text(&comeback, -1);
	} else if (workload->owner->started_ms >= 0) { /* its controller has seen it */
		workload->reason = "NoPods";
		workload->message = "its controller has not made its pods: after some have failed or were evicted it waits 10 s, the next "
				    "time 20 s, and so on to 10 minutes";
	}
}

static void explain_pending(struct record *record)
{
	struct stint_workload *workload = &record->workload;
	if (is_kind(workload, "Job"))
		explain_absent(record);
	for (size_t at = 0; at < workload->pods_count && !workload->message; at++) {
		const struct stint_pod *pod = workload->pods[at];
		if (stint_pod_ended(pod) || pod->node)
			continue;
		if (pod->scheduled == STINT_FALSE && (!workload->reason || pod->scheduled_message)) {
			workload->reason = pod->scheduled_reason;
			workload->message = pod->scheduled_message;
		} else if (!workload->reason && pod->gates_count) {
			workload->reason = "SchedulingGated";
		}
	}
	take_word(record);
}

static void explain_failed(struct stint_workload *workload)
{
	if (workload->owner) {
		workload->reason = workload->owner->failed_reason;
		workload->message = workload->owner->failed_message;
	}
	/* A pod that its time has ended counts as a failure for the Job, whose own words then hide why. */
	if (workload->reason && strcmp(workload->reason, "BackoffLimitExceeded") == 0) {
		for (size_t at = 0; at < workload->pods_count; at++) {
			const struct stint_pod *pod = workload->pods[at];
			if (pod->phase != STINT_PHASE_FAILED || !pod->reason || strcmp(pod->reason, "DeadlineExceeded") != 0)
				continue;
			workload->reason = pod->reason;
			workload->message = pod->message;
			return;
		}
	}
	for (size_t at = 0; at < workload->pods_count && !workload->reason; at++) {
		const struct stint_pod *pod = workload->pods[at];
		if (pod->phase != STINT_PHASE_FAILED)
			continue;
		workload->reason = pod->reason ? pod->reason : pod->terminated_reason;
		workload->message = pod->message;
	}
}

/* A container that waits after its pod has a place: no image, no volume, or it ends again and again. */
static void explain_started(struct stint_workload *workload)
{
	for (size_t at = 0; at < workload->pods_count; at++) {
		const struct stint_pod *pod = workload->pods[at];
		if (stint_pod_ended(pod) || !pod->waiting_reason)
			continue;
		/* The ordinary way of things is no reason for a pod that runs. */
		if (workload->phase == STINT_WORKLOAD_RUNNING &&
			(strcmp(pod->waiting_reason, "ContainerCreating") == 0 || strcmp(pod->waiting_reason, "PodInitializing") == 0))
			continue;
		workload->reason = pod->waiting_reason;
		workload->message = pod->message;
		return;
	}
}

static void explain(struct record *record)
{
	struct stint_workload *workload = &record->workload;
	switch (workload->phase) {
	case STINT_WORKLOAD_PENDING: explain_pending(record); break;
	case STINT_WORKLOAD_FAILED: explain_failed(workload); break;
	case STINT_WORKLOAD_STARTING:
	case STINT_WORKLOAD_RUNNING: explain_started(workload); break;
	case STINT_WORKLOAD_SUSPENDED:
	case STINT_WORKLOAD_SUCCEEDED:
	case STINT_WORKLOAD_DELETING:
	case STINT_WORKLOAD_PHASES: break;
	}
}

static void set_times(struct stint_workload *workload)
{
	if (workload->phase != STINT_WORKLOAD_SUCCEEDED && workload->phase != STINT_WORKLOAD_FAILED)
		return;
	/* Pods that are gone tell nothing any more. Before that the Job's time would mislead: it counts from before its pods have a place. */
	if (workload->started_ms < 0 && workload->owner)
		workload->started_ms = workload->owner->started_ms;
	if (workload->owner && workload->owner->completed_ms >= 0) {
		workload->ended_ms = workload->owner->completed_ms;
		return;
	}
	for (size_t at = 0; at < workload->pods_count; at++)
		if (workload->pods[at]->ended_ms > workload->ended_ms)
			workload->ended_ms = workload->pods[at]->ended_ms;
}

/* A PodGroup rules over what the workload says itself, as the scheduler has it. */
static void charge(const struct stint_workload_set *set, struct record *record)
{
	struct stint_workload *workload = &record->workload;
	const struct stint_pod *first = workload->pods_count ? workload->pods[0] : NULL;
	free(record->charged);
	record->by_group = first && stint_object_annotation(&first->meta, "pod-group-name");
	record->charged = first ? stint_strdup(queue_of_group(set, first)) : NULL;
	workload->queue = record->charged ? record->charged : label_of(workload, STINT_LABEL_QUEUE);
}

/* In the order in which the scheduler looks: a label on the owner, which can be changed while pods exist, counts before what pods ask for. */
static const char *priority_class_of(const struct stint_workload *workload)
{
	static const char label[] = "priorityClassName";
	const struct stint_owner *owner = workload->owner;
	const struct stint_pod *pod = workload->pods_count ? workload->pods[0] : NULL;
	const char *const names[] = {
		owner ? stint_object_label(&owner->meta, label) : NULL,
		pod ? stint_object_label(&pod->meta, label) : NULL,
		owner && owner->pod_spec ? owner->pod_spec->priority_class : NULL,
		pod ? pod->spec->priority_class : NULL,
	};
	for (size_t at = 0; at < STINT_COUNT(names); at++) {
		if (names[at] && *names[at])
			return names[at];
	}
	return NULL;
}

void summarise(const struct stint_workload_set *set, struct record *record)
{
	struct stint_workload *workload = &record->workload;
	free(stint_steal(&record->word));
	free(stint_steal(&record->sentence));
	count_pods(set, workload);
	const int32_t live = (int32_t)workload->pods_count - workload->pods_succeeded - workload->pods_failed;
	const int32_t nominal = nominal_pods(workload);
	workload->type = type_of(workload);
	charge(set, record);
	workload->priority_class = priority_class_of(workload);
	workload->pods_wanted = wanted_pods(workload, nominal, live);
	sum_requests(set, workload, nominal, live);
	record->by_memory = asks_for_memory(workload);
	workload->phase = phase_of(workload, live);
	const bool ended = workload->phase == STINT_WORKLOAD_SUCCEEDED || workload->phase == STINT_WORKLOAD_FAILED;
	workload->pods_total = ended ? (int32_t)workload->pods_count : workload->pods_wanted > live ? workload->pods_wanted : live;
	/* Pods that the controller has not made yet wait as well. */
	if (!ended && workload->pods_wanted > live)
		workload->pods_waiting += workload->pods_wanted - live;
	explain(record);
	set_times(workload);
}
