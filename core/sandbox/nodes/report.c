/*
 * report: see report.h. Field by field after k8s.io/api core/v1 PodStatus and the rules of the pod life cycle in its documentation.
 */
#include "core/sandbox/nodes/report.h"

#include <stdlib.h>
#include <string.h>

static void set_time(struct stint_json *object, const char *key, int64_t ms)
{
	char text[STINT_TIME_SIZE];
	stint_json_set_string(object, key, stint_time_format(ms, text));
}

static struct stint_json *condition_find(struct stint_json *conditions, const char *type)
{
	stint_json_each(condition, conditions) {
		if (strcmp(stint_json_string_or(stint_json_get(condition, "type"), ""), type) == 0)
			return condition;
	}
	return NULL;
}

static void set_or_remove(struct stint_json *object, const char *key, const char *text)
{
	if (text)
		stint_json_set_string(object, key, text);
	else
		stint_json_remove(object, key);
}

void play_condition_set(struct stint_json *status, const char *type, bool truth, const char *reason, const char *message, int64_t now_ms)
{
	struct stint_json *conditions = stint_json_ensure_array(status, "conditions");
	struct stint_json *condition = condition_find(conditions, type);
	if (!condition) {
		condition = stint_json_append(conditions, stint_json_new_object());
		stint_json_set_string(condition, "type", type);
	}
	const char *word = truth ? "True" : "False";
	if (strcmp(stint_json_string_or(stint_json_get(condition, "status"), ""), word) != 0) {
		stint_json_set_string(condition, "status", word);
		set_time(condition, "lastTransitionTime", now_ms);
	}
	set_or_remove(condition, "reason", reason);
	set_or_remove(condition, "message", message);
}

static char *container_id(const struct stint_json *pod, const char *container, int restarts)
{
	stint_autofree char *seed =
		stint_format("%s/%s/%d", stint_json_string_or(stint_json_at(pod, "metadata", "uid"), ""), container, restarts);
	char digest[65];
	stint_sha256_hex(seed, strlen(seed), digest);
	return stint_format("stint://%s", digest);
}

static struct stint_json *terminated(const struct stint_json *pod, const char *container, const struct play_run *run, int restarts)
{
	struct stint_json *state = stint_json_new_object();
	stint_autofree char *id = container_id(pod, container, restarts);
	stint_json_set_string(state, "containerID", id);
	stint_json_set_int(state, "exitCode", run->exit_code);
	set_time(state, "finishedAt", run->finished_ms);
	stint_json_set_string(state, "reason", run->exit_code == 0 ? "Completed" : "Error");
	set_time(state, "startedAt", run->started_ms);
	return state;
}

static struct stint_json *waiting(const struct stint_json *pod, const char *container, const struct play_box *box)
{
	struct stint_json *state = stint_json_new_object();
	int64_t pause_ms = box->restart_at_ms - box->run.finished_ms;
	if (box->restart_at_ms >= 0 && pause_ms >= 1000) {
		stint_autofree char *message = stint_format("back-off %llds restarting failed container=%s pod=%s_%s(%s)",
			(long long)(pause_ms / 1000), container, stint_json_string_or(stint_json_at(pod, "metadata", "name"), ""),
			stint_json_string_or(stint_json_at(pod, "metadata", "namespace"), ""),
			stint_json_string_or(stint_json_at(pod, "metadata", "uid"), ""));
		stint_json_set_string(state, "message", message);
		stint_json_set_string(state, "reason", "CrashLoopBackOff");
	} else {
		stint_json_set_string(state, "reason", box->restart_at_ms >= 0 ? "ContainerCreating" : "PodInitializing");
	}
	return state;
}

static bool box_is_ready(const struct play_box *box)
{
	if (box->init && !box->sidecar)
		return box->state == PLAY_TERMINATED_STATE && box->run.exit_code == 0;
	return box->state == PLAY_RUNNING;
}

static struct stint_json *container_status(const struct stint_json *pod, const struct stint_json *container, const struct play_box *box)
{
	const char *name = stint_json_string_or(stint_json_get(container, "name"), "");
	const char *image = stint_json_string_or(stint_json_get(container, "image"), "");
	struct stint_json *status = stint_json_new_object();
	bool ran = box->run.started_ms >= 0;
	if (ran) {
		stint_autofree char *id = container_id(pod, name, box->restarts);
		stint_json_set_string(status, "containerID", id);
	}
	stint_json_set_string(status, "image", image);
	stint_json_set_string(status, "imageID", ran ? image : "");
	struct stint_json *last = stint_json_set(status, "lastState", stint_json_new_object());
	if (box->state == PLAY_WAITING && ran)
		stint_json_set(last, "terminated", terminated(pod, name, &box->run, box->restarts));
	else if (box->previous.started_ms >= 0)
		stint_json_set(last, "terminated", terminated(pod, name, &box->previous, box->restarts - 1));
	stint_json_set_string(status, "name", name);
	stint_json_set_bool(status, "ready", box_is_ready(box));
	stint_json_set_int(status, "restartCount", box->restarts);
	stint_json_set_bool(status, "started", box->state == PLAY_RUNNING && (!box->init || box->sidecar));
	struct stint_json *state = stint_json_set(status, "state", stint_json_new_object());
	if (box->state == PLAY_RUNNING)
		set_time(stint_json_ensure_object(state, "running"), "startedAt", box->run.started_ms);
	else if (box->state == PLAY_TERMINATED_STATE && ran)
		stint_json_set(state, "terminated", terminated(pod, name, &box->run, box->restarts));
	else
		stint_json_set(state, "waiting", waiting(pod, name, box));
	return status;
}

static void put_containers(struct stint_json *status, const struct stint_json *pod, const struct play *play)
{
	static const struct {
		const char *spec, *status;
	} lists[] = {{"initContainers", "initContainerStatuses"}, {"containers", "containerStatuses"}};
	size_t index = 0;
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		const struct stint_json *specs = stint_json_at(pod, "spec", lists[i].spec);
		if (stint_json_count(specs) == 0)
			continue;
		struct stint_json *statuses = stint_json_new_array();
		stint_json_each(container, specs) {
			if (index < play->count)
				stint_json_append(statuses, container_status(pod, container, &play->boxes[index++]));
		}
		stint_json_set(status, lists[i].status, statuses);
	}
}

struct summary {
	bool initialized, running, containers_ready, failed;
};

static struct summary summarize(const struct play *play)
{
	struct summary sum = {.initialized = true, .containers_ready = true};
	for (size_t i = 0; i < play->count; i++) {
		const struct play_box *box = &play->boxes[i];
		bool ready = box_is_ready(box);
		if (box->init) {
			sum.initialized = sum.initialized && (ready || (box->state == PLAY_TERMINATED_STATE && box->sidecar));
			if (box->sidecar)
				sum.containers_ready = sum.containers_ready && ready;
			continue;
		}
		sum.containers_ready = sum.containers_ready && ready;
		sum.running = sum.running || box->run.started_ms >= 0;
		/* Never started counts as failed: it was stopped before its work was done. */
		sum.failed = sum.failed || box->run.started_ms < 0 || box->run.exit_code != 0;
	}
	return sum;
}

static bool gates_open(const struct stint_json *pod, struct stint_json *status)
{
	stint_json_each(gate, stint_json_at(pod, "spec", "readinessGates")) {
		const char *type = stint_json_string_or(stint_json_get(gate, "conditionType"), "");
		const struct stint_json *condition = condition_find(stint_json_get(status, "conditions"), type);
		if (strcmp(stint_json_string_or(stint_json_get(condition, "status"), ""), "True") != 0)
			return false;
	}
	return true;
}

static void put_conditions(struct stint_json *status, const struct stint_json *pod, const struct report_input *input,
	const struct summary *sum, const char *phase)
{
	int64_t now = input->now_ms;
	bool ended = input->play->ended;
	const char *why = !ended ? NULL : strcmp(phase, "Succeeded") == 0 ? "PodCompleted" : "PodFailed";
	play_condition_set(status, "PodReadyToStartContainers", !ended, NULL, NULL, now);
	play_condition_set(status, "Initialized", sum->initialized,
		sum->initialized ? (ended && !sum->failed ? why : NULL) : "ContainersNotInitialized", NULL, now);
	const char *not_ready = ended ? why : "ContainersNotReady";
	bool ready = sum->containers_ready && !ended;
	play_condition_set(status, "ContainersReady", ready, ready ? NULL : not_ready, NULL, now);
	bool open = gates_open(pod, status);
	play_condition_set(status, "Ready", ready && open, ready && open ? NULL : ready ? "ReadinessGatesNotReady" : not_ready, NULL, now);
	play_condition_set(status, "PodScheduled", true, NULL, NULL, now);
}

static void put_addresses(struct stint_json *status, const struct report_input *input)
{
	stint_json_set_string(status, "hostIP", input->host_ip);
	struct stint_json *hosts = stint_json_set(status, "hostIPs", stint_json_new_array());
	stint_json_set_string(stint_json_append(hosts, stint_json_new_object()), "ip", input->host_ip);
	stint_json_set_string(status, "podIP", input->pod_ip);
	struct stint_json *pods = stint_json_set(status, "podIPs", stint_json_new_array());
	stint_json_set_string(stint_json_append(pods, stint_json_new_object()), "ip", input->pod_ip);
}

struct stint_json *report_status(const struct stint_json *pod, const struct report_input *input)
{
	const struct stint_json *old = stint_json_get(pod, "status");
	struct stint_json *status = old ? stint_json_dup(old) : stint_json_new_object();
	const struct summary sum = summarize(input->play);
	const char *phase = "Pending";
	if (input->play->ended)
		phase = sum.failed || input->deadline_exceeded ? "Failed" : "Succeeded";
	else if (sum.running)
		phase = "Running";
	stint_json_set_string(status, "phase", phase);
	if (input->deadline_exceeded) {
		stint_json_set_string(status, "reason", "DeadlineExceeded");
		stint_json_set_string(status, "message", "Pod was active on the node longer than the specified deadline");
	}
	if (input->play->started_ms >= 0) {
		set_time(status, "startTime", input->play->started_ms);
		put_addresses(status, input);
	}
	put_containers(status, pod, input->play);
	put_conditions(status, pod, input, &sum, phase);
	return status;
}

struct stint_json *play_refuse(const struct stint_json *pod, const char *reason, const char *message, int64_t now_ms)
{
	const struct stint_json *old = stint_json_get(pod, "status");
	struct stint_json *status = old ? stint_json_dup(old) : stint_json_new_object();
	stint_json_set_string(status, "phase", "Failed");
	stint_json_set_string(status, "reason", reason);
	stint_autofree char *sentence = stint_format("Pod was rejected: %s", message);
	stint_json_set_string(status, "message", sentence);
	set_time(status, "startTime", now_ms);
	return status;
}
