/*
 * cluster_read: the whole cluster as the scheduler sees it, once.
 */
#ifndef STINT_CLI_CLUSTER_READ_H
#define STINT_CLI_CLUSTER_READ_H

#include <stint/simulate.h>

#include "cli/cli.h"

struct cli_cluster {
	struct stint_model *model;
	struct stint_snapshot *snapshot;
};
/*
 * Blocks. purpose: why all of it is needed, for the sentence when somebody may not list it. False: ctx->err. Cleared by the caller in either
 * case.
 */
bool cli_cluster_read(struct cli_context *ctx, struct stint_kube *kube, const char *purpose, struct cli_cluster *out);
void cli_cluster_clear(struct cli_cluster *cluster); /* for STINT_CLEANUP */

#endif
