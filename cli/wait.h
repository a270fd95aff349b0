/*
 * wait: what other verbs use of it.
 */
#ifndef STINT_CLI_WAIT_H
#define STINT_CLI_WAIT_H

#include "cli/cli.h"

struct stint_kube;

/*
 * Waits until all pods of the workload run, or it has succeeded. deadline_ms: monotonic, -1: none. Returns the exit code: 6 timed out, 7 it can
 * never be scheduled as asked, 1 it has failed; ctx->err says more.
 */
int cli_wait_for_start(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *name, int64_t deadline_ms);

#endif
