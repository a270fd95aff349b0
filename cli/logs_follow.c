/*
 * logs_follow: the logs of a workload as they grow.
 *
 * One stream per pod. The pods are read again every few seconds: a pod that did not run yet, one that comes after a retry, a container that
 * was restarted are taken up; it ends when the workload has ended and every stream with it. What is read again is small: the owner by its
 * name, its pods by label.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/logs.h"

enum {
	AGAIN_MS = 1000, /* until the next attempt at a pod that has no log yet, or whose stream was lost */
	MOST_DOUBLINGS = 4, /* of that pause, while the server is away */
	LOOK_MS = 1000, /* between two looks at the pods while something is to come */
	LOOK_RARELY_MS = 10000, /* while all of them are being followed */
	MOST_STREAMS = 256,
};

struct follow {
	struct logs *logs;
	struct logs_stream **streams;
	size_t count, capacity;
	bool over; /* the workload has ended, or is gone */
	bool all_followed; /* every pod has a call under way */
	struct stint_timer *timer; /* wakes the loop; what is due is looked up */
	int64_t looked_ms; /* monotonic: the last look at the pods */
	unsigned failures; /* of such looks, in a row */
};

/* Doubled for each failure in a row. */
static int64_t pause_after(unsigned failures, int64_t pause_ms)
{
	return pause_ms << (failures < MOST_DOUBLINGS ? failures : MOST_DOUBLINGS);
}

static struct logs_stream *find(const struct follow *follow, const char *pod)
{
	for (size_t at = 0; at < follow->count; at++)
		if (strcmp(follow->streams[at]->pod, pod) == 0)
			return follow->streams[at];
	return NULL;
}

static bool is_over(const struct cli_pods *pods)
{
	if (pods->workload)
		return pods->workload->phase == STINT_WORKLOAD_SUCCEEDED || pods->workload->phase == STINT_WORKLOAD_FAILED;
	return stint_pod_ended(pods->items[0]);
}

static void ask_at(struct logs_stream *stream, int64_t when_ms)
{
	stream->state = LOGS_WAITING;
	stream->again_ms = when_ms;
}

/* ---- looking at the pods -------------------------------------------------------------------------------------------------------- */

static void update(struct logs_stream *stream, const struct stint_pod *pod)
{
	stream->pod_ended = stint_pod_ended(pod);
	if (stream->state == LOGS_RESTING && pod->restarts > stream->restarts) {
		stream->has_said = false; /* a new container, a new log */
		ask_at(stream, 0);
	} else if (stream->state == LOGS_RESTING && stream->pod_ended) {
		stream->state = LOGS_ENDED;
	}
	stream->restarts = pod->restarts;
}

static bool add(struct follow *follow, const struct stint_pod *pod)
{
	struct logs *logs = follow->logs;
	if (follow->count == MOST_STREAMS)
		return stint_fail(
			&logs->ctx->err, STINT_USAGE, "\"%s\" has more than %d pods: choose one with --pod", logs->name, MOST_STREAMS);
	if (follow->count > 0 && !logs->prefixed)
		cli_note(logs->ctx, "the log of pod \"%s\" follows", pod->meta.name);
	stint_grow(&follow->streams, &follow->capacity, follow->count + 1, sizeof(*follow->streams));
	struct logs_stream *stream = logs_stream_new(logs, pod->meta.name, follow->count);
	stream->restarts = pod->restarts;
	stream->pod_ended = stint_pod_ended(pod);
	follow->streams[follow->count++] = stream;
	return true;
}

static bool has(const struct cli_pods *pods, const char *name)
{
	for (size_t at = 0; at < pods->count; at++)
		if (strcmp(pods->items[at]->meta.name, name) == 0)
			return true;
	return false;
}

static bool take_pods(struct follow *follow, const struct cli_pods *pods)
{
	follow->over = is_over(pods);
	for (size_t at = 0; at < pods->count; at++) {
		struct logs_stream *stream = find(follow, pods->items[at]->meta.name);
		if (stream)
			update(stream, pods->items[at]);
		else if (!add(follow, pods->items[at]))
			return false;
	}
	for (size_t at = 0; at < follow->count; at++)
		if (follow->streams[at]->state != LOGS_ASKED && !has(pods, follow->streams[at]->pod))
			follow->streams[at]->state = LOGS_ENDED; /* the pod is gone */
	return true;
}

/* Reads the pods again. False: ctx->err is set. */
static bool look(struct follow *follow)
{
	struct logs *logs = follow->logs;
	struct cli_pods pods;
	if (!cli_pods_read(logs->ctx, logs->kube, logs->project, logs->name, &pods)) {
		const bool passing = stint_kube_is_passing(logs->ctx->err);
		follow->over = logs->ctx->err->code == STINT_NOT_FOUND; /* deleted meanwhile: what is followed comes to its end by itself */
		if (follow->over)
			stint_error_clear(&logs->ctx->err);
		else if (passing && follow->failures++ > 0) /* told already */
			stint_error_clear(&logs->ctx->err);
		else if (passing) /* the server may be away for a moment */
			cli_note_error(logs->ctx, &logs->ctx->err);
		return logs->ctx->err == NULL;
	}
	follow->failures = 0;
	if (logs->pod) {
		pods.one = cli_pods_named(&pods, logs->pod, NULL);
		pods.workload = NULL;
		pods.items = &pods.one;
		pods.count = 1;
	}
	follow->over = pods.count == 1 && !pods.items[0];
	const bool fine = follow->over || take_pods(follow, &pods);
	cli_pods_free(&pods);
	return fine;
}

/* ---- following ------------------------------------------------------------------------------------------------------------------ */

/* After a call has ended: what comes next? An answer of 500 is believed at last: the pod's node may be gone for good. */
static void judge(struct logs_stream *stream)
{
	stint_auto_error *problem = stint_steal(&stream->problem);
	if (!problem || stream->heard_ms >= stream->asked_ms)
		stream->lost = 0;
	const int64_t later_ms = stint_monotonic_ms() + pause_after(stream->lost, AGAIN_MS);
	if (!problem && (stream->has_said || stream->is_last)) {
		stream->state = stream->is_last ? LOGS_ENDED : LOGS_RESTING;
	} else if (!problem) {
		ask_at(stream, later_ms); /* a pod without a node has an empty log */
	} else if (problem->code == STINT_USAGE && !stream->is_last &&
		(strstr(problem->message, "waiting to start") || strstr(problem->message, "initializing"))) {
		ask_at(stream, later_ms);
	} else if (stint_kube_is_passing(problem) && (problem->status != 500 || stream->lost < MOST_DOUBLINGS)) {
		if (stream->lost++ == 0)
			cli_note(stream->logs->ctx, "the log of pod \"%s\" was interrupted (%s): it is taken up again when it can be",
				stream->pod, problem->message);
		ask_at(stream, later_ms);
	} else {
		stream->state = LOGS_ENDED;
		if (problem->code != STINT_NOT_FOUND)
			cli_note(stream->logs->ctx, "pod \"%s\": %s", stream->pod, problem->message);
	}
}

static void ask(struct logs_stream *stream)
{
	struct stint_kube_log_options options = stream->logs->options;
	if (stream->has_said) { /* after a lost connection: from the last that came on */
		const int64_t since_ms = stint_monotonic_ms() - stream->heard_ms;
		options.tail_lines = -1;
		options.since_seconds = since_ms / 1000 + 1;
	}
	stream->state = LOGS_ASKED;
	stream->is_last = stream->pod_ended;
	stream->asked_ms = stint_monotonic_ms();
	logs_stream_start(stream, &options);
}

/* Starts what is due; gives when the next attempt is. *busy: something is followed or will be. */
static int64_t advance(struct follow *follow, bool *busy)
{
	int64_t next_ms = INT64_MAX;
	const int64_t now_ms = stint_monotonic_ms();
	*busy = !follow->over;
	follow->all_followed = follow->count > 0;
	for (size_t at = 0; at < follow->count; at++) {
		struct logs_stream *stream = follow->streams[at];
		stream->pod_ended |= follow->over;
		if (stream->state == LOGS_ASKED && stream->finished)
			judge(stream);
		if (stream->state == LOGS_RESTING && follow->over)
			stream->state = LOGS_ENDED;
		if (stream->state == LOGS_WAITING && (stream->again_ms <= now_ms || follow->over))
			ask(stream);
		if (stream->state == LOGS_WAITING && stream->again_ms < next_ms)
			next_ms = stream->again_ms;
		*busy |= stream->state != LOGS_ENDED;
		follow->all_followed &= stream->state == LOGS_ASKED;
	}
	return next_ms;
}

static void wake(void *user)
{
	(void)user; /* the loop turns, and what is due is looked up */
}

static int run(struct follow *follow)
{
	struct logs *logs = follow->logs;
	for (;;) {
		bool busy;
		int64_t next_ms = advance(follow, &busy);
		if (!busy || logs->output_gone || cli_reader_has_gone(logs->ctx))
			return STINT_OK;
		const int64_t look_ms =
			follow->looked_ms + (follow->all_followed ? LOOK_RARELY_MS : pause_after(follow->failures, LOOK_MS));
		if (!follow->over && look_ms < next_ms)
			next_ms = look_ms;
		const int64_t now_ms = stint_monotonic_ms();
		if (next_ms > now_ms + LOOK_MS)
			next_ms = now_ms + LOOK_MS;
		stint_timer_set(follow->timer, next_ms > now_ms ? next_ms - now_ms : 0);
		if (!stint_loop_step(stint_kube_loop(logs->kube), -1))
			return cli_fail(logs->ctx, STINT_INTERRUPTED, "interrupted");
		if (!follow->over && stint_monotonic_ms() >= look_ms) {
			if (!look(follow))
				return cli_failed(logs->ctx);
			follow->looked_ms = stint_monotonic_ms();
		}
	}
}

static void tell_waiting(const struct logs *logs, const struct stint_workload *workload)
{
	if (workload && workload->phase == STINT_WORKLOAD_PENDING)
		cli_note(logs->ctx, "\"%s\" waits (%s): its log comes when it starts", workload->name,
			workload->reason ? workload->reason : stint_workload_phase_name(workload->phase));
}

int logs_follow(struct logs *logs, struct cli_pods *pods)
{
	struct follow follow = {.logs = logs, .looked_ms = stint_monotonic_ms()};
	follow.timer = stint_timer_new(stint_kube_loop(logs->kube), wake, NULL);
	tell_waiting(logs, logs->pod ? NULL : pods->workload);
	int exit_code = take_pods(&follow, pods) ? run(&follow) : cli_failed(logs->ctx);
	for (size_t at = 0; at < follow.count; at++)
		logs_stream_free(follow.streams[at]);
	free(follow.streams);
	stint_timer_free(follow.timer);
	return exit_code;
}
