/* A remote command on our standard streams: what exec and attach do once they know the pod. */
#ifndef STINT_CLI_STREAM_TERMINAL_H
#define STINT_CLI_STREAM_TERMINAL_H

#include <stint/kube.h>

#include "cli/cli.h"

/*
 * Runs the stream to its end: our standard input goes there (when exec->stdin_), what comes goes to ctx->out and to ctx->notes. With
 * exec->tty the terminal is raw meanwhile and gives its size; it is restored whichever way the run ends. Gives the exit code of the
 * remote command, 128 + N after signal N, or that of ctx->err.
 */
int cli_stream_run(struct cli_context *ctx, struct stint_kube *kube, const struct stint_kube_exec *exec);

#endif
