/*
 * simulate_cluster: the side of `simulate` that writes a live cluster down as a scenario; simulate.c is the verb.
 */
#ifndef STINT_CLI_SIMULATE_CLUSTER_H
#define STINT_CLI_SIMULATE_CLUSTER_H

#include "cli/cli.h"

/* `stint simulate --from-cluster`; the flags are in simulate.c. */
int cli_simulate_cluster(struct cli_context *ctx);

#endif
