/*
 * logs: what the processes of a workload have written. Of one pod the bytes as they are, of several pods one log after the other, every
 * line with the name of its pod.
 */
#include "cli/logs.h"

#include <stdlib.h>

/* ---- one pod's log ----------------------------------------------------------------------------------------------------------- */

struct logs_stream *logs_stream_new(struct logs *logs, const char *pod, size_t index)
{
	static const int colours[] = {36, 33, 32, 35, 34, 31};
	struct logs_stream *stream = stint_alloc(sizeof *stream);
	stream->logs = logs;
	stream->pod = stint_strdup(pod);
	if (logs->prefixed && logs->ctx->colour)
		stream->prefix = stint_format("\x1b[%dm[%s]\x1b[0m ", colours[index % STINT_COUNT(colours)], pod);
	else if (logs->prefixed)
		stream->prefix = stint_format("[%s] ", pod);
	stream->text = (struct cli_log_text){.prefix = stream->prefix, .terminal = logs->ctx->columns > 0};
	return stream;
}

void logs_stream_free(struct logs_stream *stream)
{
	if (!stream)
		return;
	stint_kube_call_cancel(stream->call);
	stint_error_free(stream->problem);
	cli_log_text_free(&stream->text);
	free(stream->prefix);
	free(stream->pod);
	free(stream);
}

static void write_out(struct logs_stream *stream, const struct stint_buf *out)
{
	struct logs *logs = stream->logs;
	if (out->length > 0 && fwrite(out->data, 1, out->length, logs->ctx->out) != out->length)
		logs->output_gone = true;
	if (logs->options.follow && !cli_flush(logs->ctx))
		logs->output_gone = true;
}

static bool on_data(void *user, const char *data, size_t length)
{
	struct logs_stream *stream = user;
	stint_auto_buf out = {0};
	stream->has_said = true;
	stream->heard_ms = stint_monotonic_ms();
	cli_log_text_add(&stream->text, data, length, &out);
	write_out(stream, &out);
	return !stream->logs->output_gone;
}

static void on_done(void *user, struct stint_kube_response *response)
{
	struct logs_stream *stream = user;
	stint_auto_buf out = {0};
	cli_log_text_end(&stream->text, &out);
	write_out(stream, &out);
	stream->call = NULL;
	stream->finished = true;
	stream->problem = stint_steal(&response->error);
}

void logs_stream_start(struct logs_stream *stream, const struct stint_kube_log_options *options)
{
	const struct logs *logs = stream->logs;
	stream->finished = false;
	stint_error_clear(&stream->problem);
	stream->call = stint_kube_log_start(logs->kube, logs->project, stream->pod, options, on_data, on_done, stream);
}

/* ---- logs that end ------------------------------------------------------------------------------------------------------------ */

/* True when there was something to read, even if it was nothing. */
static bool print_one(struct logs *logs, const struct stint_pod *pod, size_t index)
{
	struct logs_stream *stream = logs_stream_new(logs, pod->meta.name, index);
	logs_stream_start(stream, &logs->options);
	while (!stream->finished && stint_loop_step(stint_kube_loop(logs->kube), -1))
		;
	const bool waits = pod->phase == STINT_PHASE_PENDING && !stream->has_said;
	const bool fine = stream->finished && !stream->problem && !waits;
	if (!logs->output_gone && waits)
		stint_fail(&logs->ctx->err, STINT_FAILED, "pod \"%s\" has no log yet: it is %s; \"stint why %s -p %s\" tells more",
			stream->pod, stint_pod_state(pod), logs->name, logs->project);
	else if (!logs->output_gone && stream->problem)
		stint_error_move(&logs->ctx->err, &stream->problem);
	cli_pods_look_for(logs->ctx, logs->kube, logs->project, pod->meta.name, logs->options.container, logs->options.previous);
	logs_stream_free(stream);
	return fine;
}

static int print_all(struct logs *logs, const struct cli_pods *pods)
{
	bool any = false;
	int none = STINT_FAILED;
	for (size_t at = 0; at < pods->count && !logs->output_gone; at++) {
		const bool fine = print_one(logs, pods->items[at], at);
		/* Of several pods, those that have none are told and the others shown. */
		const int code = !fine && pods->count > 1 && logs->ctx->err ? (int)logs->ctx->err->code : STINT_OK;
		if (code == STINT_FAILED || code == STINT_NOT_FOUND)
			none = cli_note_error(logs->ctx, &logs->ctx->err);
		any |= fine;
	}
	if (pods->count == 0)
		return cli_fail(logs->ctx, STINT_FAILED, "\"%s\" has no pods, so there is no log", pods->name);
	if (!any && !logs->ctx->err)
		return none;
	return logs->ctx->err ? cli_failed(logs->ctx) : STINT_OK;
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------------ */

static int show(struct logs *logs)
{
	struct cli_pods pods;
	if (!cli_pods_read(logs->ctx, logs->kube, logs->project, logs->name, &pods))
		return cli_failed(logs->ctx);
	int exit_code = STINT_OK;
	if (logs->pod) {
		const struct stint_pod *pod = cli_pods_named(&pods, logs->pod, &logs->ctx->err);
		exit_code = pod ? STINT_OK : cli_failed(logs->ctx);
		pods.one = pod;
		pods.items = &pods.one;
		pods.count = 1;
	} else {
		logs->prefixed = pods.count > 1 || (pods.workload && pods.workload->pods_wanted > 1);
	}
	if (exit_code == STINT_OK)
		exit_code = logs->options.follow ? logs_follow(logs, &pods) : print_all(logs, &pods);
	cli_pods_free(&pods);
	return exit_code;
}

static int run(struct cli_context *ctx)
{
	struct logs logs = {.ctx = ctx, .name = cli_positional(ctx, 0), .pod = cli_text(ctx, "pod")};
	logs.options = (struct stint_kube_log_options){.container = cli_text(ctx, "container"),
		.follow = cli_switch(ctx, "follow"),
		.previous = cli_switch(ctx, "previous"),
		.timestamps = cli_switch(ctx, "timestamps"),
		.tail_lines = cli_given(ctx, "tail") ? cli_int(ctx, "tail") : -1,
		.since_seconds = (cli_duration_ms(ctx, "since") + 999) / 1000};
	if (logs.options.follow && logs.options.previous)
		return cli_fail(ctx, STINT_USAGE, "a former container writes nothing more: --previous and --follow exclude each other");
	logs.kube = cli_connect(ctx);
	logs.project = logs.kube ? cli_project(ctx) : NULL;
	return logs.project ? show(&logs) : cli_failed(ctx);
}

static const struct cli_flag flags[] = {
	{.name = "follow", .letter = 'f', .type = CLI_SWITCH, .help = "go on until the workload ends, pods that start later included"},
	{.name = "tail", .type = CLI_INT, .argument = "N", .low = -1, .high = 1e9, .help = "the last N lines of each pod; otherwise all"},
	{.name = "since", .type = CLI_DURATION, .help = "only what is younger, as 10m or 2h"},
	{.name = "previous", .type = CLI_SWITCH, .help = "of the container before the last restart"},
	{.name = "timestamps", .type = CLI_SWITCH, .help = "begin every line with its time"},
	{.name = "pod", .type = CLI_TEXT, .argument = "POD", .help = "of this pod alone", .source = CLI_POD_NAMES},
	{.name = "container", .letter = 'c', .type = CLI_TEXT, .help = "of this container of each pod"},
	{.name = NULL},
};
static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "the workload, or a pod of it", .source = CLI_WORKLOAD_NAMES},
	{.name = NULL},
};

const struct cli_command cli_command_logs = {
	.name = "logs",
	.group = CLI_WORKLOADS,
	.summary = "Print what a workload has written",
	.description = "Of several pods every line begins with the name of its pod. On a terminal, control characters that could do more "
		       "than colour "
		       "text and redraw a line are shown as \"?\".",
	.examples = "stint logs train-17\n"
		    "stint logs -f train-17 --tail 20\n"
		    "# one worker of a gang\n"
		    "stint logs gang --pod gang-3-x7k2p",
	.positionals = positionals,
	.flags = flags,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_UNREACHABLE),
	.run = run,
};
