/*
 * play: see play.h. One step first lets time pass in the containers, then writes down what a kubelet would report.
 */
#include "core/sandbox/nodes/play.h"

#include <stdlib.h>
#include <string.h>

#include "core/sandbox/nodes/report.h"

static void add_news(struct play_turn *turn, const char *type, const char *reason, char *message)
{
	if (turn->news_count == PLAY_MAX_NEWS) {
		free(message);
		return;
	}
	turn->news[turn->news_count++] = (struct play_news){type, reason, message};
}

void play_turn_free(struct play_turn *turn)
{
	stint_json_free(turn->status);
	for (size_t i = 0; i < turn->news_count; i++)
		free(turn->news[i].message);
	*turn = (struct play_turn){.wake_ms = -1};
}

bool play_is_terminal(const struct stint_json *pod)
{
	const char *phase = stint_json_string_or(stint_json_at(pod, "status", "phase"), "");
	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

int play_box_index(const struct stint_json *pod, const char *container)
{
	int index = 0;
	static const char *const lists[] = {"initContainers", "containers"};
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		stint_json_each(item, stint_json_at(pod, "spec", lists[i])) {
			if (strcmp(stint_json_string_or(stint_json_get(item, "name"), ""), container) == 0)
				return index;
			index++;
		}
	}
	return -1;
}

struct play *play_new(const struct stint_json *pod)
{
	const struct stint_json *inits = stint_json_at(pod, "spec", "initContainers");
	size_t init_count = stint_json_count(inits);
	size_t count = init_count + stint_json_count(stint_json_at(pod, "spec", "containers"));
	struct play *play = stint_alloc(sizeof(*play) + count * sizeof(play->boxes[0]));
	play->started_ms = -1;
	play->count = count;
	const struct stint_json *init = stint_json_first(inits);
	for (size_t i = 0; i < count; i++) {
		struct play_box *box = &play->boxes[i];
		box->run = box->previous = (struct play_run){-1, -1, 0};
		box->restart_at_ms = -1;
		box->init = i < init_count;
		if (box->init) {
			box->sidecar = strcmp(stint_json_string_or(stint_json_get(init, "restartPolicy"), ""), "Always") == 0;
			init = stint_json_next(init);
		}
	}
	play->ended = play_is_terminal(pod);
	return play;
}

/* ---- time passes ----------------------------------------------------------------------------------------------------------- */

static void start(struct play_box *box, int64_t at_ms)
{
	if (box->run.started_ms >= 0)
		box->previous = box->run;
	box->run = (struct play_run){at_ms, -1, 0};
	box->state = PLAY_RUNNING;
	box->restart_at_ms = -1;
}

static void finish(struct play_box *box, int64_t at_ms, int exit_code)
{
	box->run.finished_ms = at_ms;
	box->run.exit_code = exit_code;
	box->state = PLAY_TERMINATED_STATE;
}

static void finish_running(struct play *play, int64_t at_ms, int exit_code)
{
	for (size_t i = 0; i < play->count; i++) {
		if (play->boxes[i].state == PLAY_RUNNING)
			finish(&play->boxes[i], at_ms, exit_code);
		play->boxes[i].restart_at_ms = -1;
	}
}

static void sooner(int64_t *wake_ms, int64_t at_ms)
{
	if (*wake_ms < 0 || at_ms < *wake_ms)
		*wake_ms = at_ms;
}

/* Init containers one after another; true when all of them are through. *ready_ms is when the last one was. */
static bool run_init(struct play *play, int64_t now_ms, int64_t *ready_ms, int64_t *wake_ms)
{
	int64_t clock = play->started_ms;
	for (size_t i = 0; i < play->count && play->boxes[i].init; i++) {
		struct play_box *box = &play->boxes[i];
		if (box->state == PLAY_WAITING)
			start(box, clock);
		if (box->sidecar)
			continue;
		int64_t end = box->run.started_ms + PLAY_INIT_MS;
		if (box->state == PLAY_RUNNING && end > now_ms) {
			sooner(wake_ms, end);
			return false;
		}
		if (box->state == PLAY_RUNNING)
			finish(box, end, 0);
		clock = box->run.finished_ms;
	}
	*ready_ms = clock;
	return true;
}

/* As kubelet: the first restart comes at once, then 10 s, 20 s, ... up to 5 minutes. */
static int64_t backoff_ms(int restarts)
{
	if (restarts == 0)
		return 0;
	int64_t delay = PLAY_BACKOFF_MS;
	for (int i = 1; i < restarts && delay < PLAY_BACKOFF_MAX_MS; i++)
		delay *= 2;
	return delay < PLAY_BACKOFF_MAX_MS ? delay : PLAY_BACKOFF_MAX_MS;
}

struct script {
	int64_t run_ms; /* -1: until it is told to stop */
	int exit_code;
	bool restart_on_failure, restart_on_success;
};

static struct script script_of(const struct stint_json *pod)
{
	struct script script = {.run_ms = -1};
	double seconds = 0;
	int64_t code = 0;
	const char *run = stint_json_string_at(pod, "metadata", "annotations", "sim/run-seconds");
	const char *exit_code = stint_json_string_at(pod, "metadata", "annotations", "sim/exit-code");
	if (run && stint_parse_double(run, 0, 1e9, &seconds))
		script.run_ms = (int64_t)(seconds * 1000);
	if (exit_code && stint_parse_int(exit_code, 0, 255, &code))
		script.exit_code = (int)code;
	const char *policy = stint_json_string_or(stint_json_at(pod, "spec", "restartPolicy"), "Always");
	/* The default policy of a pod that no controller keeps: who gives it a length wants it to end. */
	bool bare = stint_json_count(stint_json_at(pod, "metadata", "ownerReferences")) == 0;
	script.restart_on_success = strcmp(policy, "Always") == 0 && !bare;
	script.restart_on_failure = script.restart_on_success || strcmp(policy, "OnFailure") == 0;
	return script;
}

static void run_app(struct play_box *box, const struct script *script, int64_t ready_ms, int64_t now_ms, int64_t *wake_ms)
{
	if (box->state == PLAY_WAITING && box->restart_at_ms < 0)
		start(box, ready_ms);
	if (box->state == PLAY_WAITING && box->restart_at_ms <= now_ms) {
		start(box, box->restart_at_ms);
		box->restarts++;
	}
	if (box->state == PLAY_RUNNING && script->run_ms >= 0) {
		int64_t end = box->run.started_ms + script->run_ms;
		if (end <= now_ms) {
			finish(box, end, script->exit_code);
			if (script->exit_code != 0 ? script->restart_on_failure : script->restart_on_success) {
				/* Never sooner than now: a run of zero seconds must not spin. */
				int64_t delay = backoff_ms(box->restarts);
				box->state = PLAY_WAITING;
				box->restart_at_ms = (end > now_ms - 1000 ? end : now_ms) + (delay > 0 ? delay : 1);
			}
		} else {
			sooner(wake_ms, end);
		}
	}
	if (box->state == PLAY_WAITING)
		sooner(wake_ms, box->restart_at_ms);
}

static bool all_apps_ended(const struct play *play)
{
	for (size_t i = 0; i < play->count; i++) {
		if (!play->boxes[i].init && play->boxes[i].state != PLAY_TERMINATED_STATE)
			return false;
	}
	return true;
}

/* When activeDeadlineSeconds runs out; -1 without one. */
static int64_t deadline_of(const struct play *play, const struct stint_json *pod)
{
	int64_t seconds = 0;
	if (!stint_json_int(stint_json_at(pod, "spec", "activeDeadlineSeconds"), &seconds) || seconds < 0 || seconds > INT32_MAX)
		return -1;
	return play->started_ms + seconds * 1000;
}

static void tell_starts(const struct play *play, const struct stint_json *pod, size_t first_new, struct play_turn *turn)
{
	static const char *const lists[] = {"initContainers", "containers"};
	size_t index = 0;
	for (size_t i = 0; i < STINT_COUNT(lists); i++) {
		stint_json_each(item, stint_json_at(pod, "spec", lists[i])) {
			if (index >= first_new && index < play->count && play->boxes[index].run.started_ms >= 0)
				add_news(turn, "Normal", "Started",
					stint_format("Started container %s", stint_json_string_or(stint_json_get(item, "name"), "")));
			index++;
		}
	}
}

static size_t started_count(const struct play *play)
{
	size_t count = 0;
	while (count < play->count && play->boxes[count].run.started_ms >= 0)
		count++;
	return count;
}

/* Deletion: containers are told to stop and do so at once, whatever the grace period is. */
static void stop(struct play *play, const struct stint_json *pod, const struct report_input *input, struct play_turn *turn)
{
	turn->remove = true;
	if (play->ended)
		return;
	finish_running(play, input->now_ms, PLAY_TERMINATED);
	play->ended = true;
	turn->status = report_status(pod, input);
	add_news(turn, "Normal", "Killing", stint_strdup("Stopping the pod's containers"));
}

void play_step(
	struct play *play, const struct stint_json *pod, const char *host_ip, const char *pod_ip, int64_t now_ms, struct play_turn *turn)
{
	*turn = (struct play_turn){.wake_ms = -1};
	struct report_input input = {.play = play, .host_ip = host_ip, .pod_ip = pod_ip, .now_ms = now_ms};
	if (play_is_terminal(pod))
		play->ended = true; /* somebody else may have said so */
	if (stint_json_at(pod, "metadata", "deletionTimestamp")) {
		stop(play, pod, &input, turn);
		return;
	}
	if (play->ended)
		return;
	if (play->started_ms < 0)
		play->started_ms = now_ms;
	size_t started_before = started_count(play);
	int64_t deadline_ms = deadline_of(play, pod), ready_ms = 0;
	const struct script script = script_of(pod);
	if (deadline_ms >= 0 && deadline_ms <= now_ms) {
		finish_running(play, deadline_ms, PLAY_KILLED);
		play->ended = input.deadline_exceeded = true;
	} else if (run_init(play, now_ms, &ready_ms, &turn->wake_ms)) {
		for (size_t i = 0; i < play->count; i++) {
			if (!play->boxes[i].init)
				run_app(&play->boxes[i], &script, ready_ms, now_ms, &turn->wake_ms);
		}
		if (all_apps_ended(play)) {
			finish_running(play, now_ms, 0); /* sidecars */
			play->ended = true;
		}
	}
	if (play->ended)
		turn->wake_ms = -1;
	else if (deadline_ms >= 0)
		sooner(&turn->wake_ms, deadline_ms);
	tell_starts(play, pod, started_before, turn);
	struct stint_json *status = report_status(pod, &input);
	if (stint_json_equal(status, stint_json_get(pod, "status")))
		stint_json_free(status);
	else
		turn->status = status;
}
