/* What logs.c (the verb, logs that end) and logs_follow.c (logs that go on) share. */
#ifndef STINT_CLI_LOGS_H
#define STINT_CLI_LOGS_H

#include <stint/kube.h>

#include "cli/log_text.h"
#include "cli/pods.h"

struct logs {
	struct cli_context *ctx;
	struct stint_kube *kube;
	const char *project, *name;
	const char *pod; /* --pod, or NULL */
	struct stint_kube_log_options options;
	bool prefixed;
	bool output_gone; /* nobody reads what we write any more */
};

/* The log of one pod on its way to ctx->out. */
struct logs_stream {
	struct logs *logs;
	char *pod;
	char *prefix; /* with its colour; NULL without */
	struct cli_log_text text;
	struct stint_kube_call *call; /* NULL: none under way */
	bool has_said; /* at least one byte has come */
	bool finished; /* the last call has ended */
	struct stint_error *problem; /* how it ended, when not well */
	/* Of logs_follow.c: */
	enum logs_state {
		LOGS_WAITING, /* to be asked for at again_ms */
		LOGS_ASKED, /* a call is under way, or has ended and is not judged yet */
		LOGS_RESTING, /* its container has ended; another may follow */
		LOGS_ENDED,
	} state;
	int64_t again_ms, asked_ms, heard_ms; /* monotonic: next attempt; last attempt; last byte */
	unsigned lost; /* attempts in a row that ended without a byte because the server was away */
	int32_t restarts;
	bool pod_ended; /* the pod was seen to have ended */
	bool is_last; /* the attempt began after that: what it gives is all there is */
};

struct logs_stream *logs_stream_new(struct logs *logs, const char *pod, size_t index);
void logs_stream_free(struct logs_stream *stream);
void logs_stream_start(struct logs_stream *stream, const struct stint_kube_log_options *options);
/* Follows all pods, those that come later too, until the workload has ended. */
int logs_follow(struct logs *logs, struct cli_pods *pods);

#endif
