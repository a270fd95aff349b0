/*
 * pool: node pools, as other verbs ask for them.
 */
#ifndef STINT_CLI_POOL_H
#define STINT_CLI_POOL_H

#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/cli.h"
#include "cli/names.h"

/* The pools that it may use, best first, as its owner or its pods carry them: "h100,a100"; NULL: every node. Valid as the workload. */
const char *cli_pools_of(const struct stint_workload *workload);

/* The pools of its project (of its queue) for what lists none: "h100,a100"; NULL: none, or the Queue may not be read. Freed by the caller. */
char *cli_default_pools(struct stint_kube *kube, const struct stint_workload *workload);
/* The pool whose scheduler it is where each pool has its own: of those that it may use the first. Freed by the caller. */
char *cli_pool_that_serves(struct stint_kube *kube, const struct stint_workload *workload);

/* Every pool of the list has nodes, or nodes may not be read. False: ctx->err. */
bool cli_check_pools(struct cli_context *ctx, struct stint_kube *kube, const char *pools);

/* Says which of the pools have no nodes. */
void cli_note_pools(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *pools);

#endif
