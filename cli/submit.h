/*
 * submit: what other verbs use of it.
 */
#ifndef STINT_CLI_SUBMIT_H
#define STINT_CLI_SUBMIT_H

#include "cli/cli.h"

struct stint_kube;

/* Prints whole objects as -o says; `otherwise` is the form when -o was not given. Returns the exit code. */
int cli_print_objects(struct cli_context *ctx, const struct stint_json *objects, enum cli_format otherwise);
/*
 * Waits until all pods of the workload run, or it has ended. timeout_ms -1: for ever. Returns the exit code: 6 timed out, 7 it can never be
 * scheduled as asked, 1 it failed; ctx->err says more.
 */
int cli_wait_for_start(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *name, int64_t timeout_ms);

#endif
