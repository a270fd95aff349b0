/*
 * forecast: --dry-run=schedule: what the scheduler would do, asked of the same engine on the cluster as it is now. Nothing is written.
 */
#ifndef STINT_CLI_FORECAST_H
#define STINT_CLI_FORECAST_H

#include "cli/cli.h"

/* Of objects that would be submitted to the project. The exit code: STINT_UNSCHEDULABLE when one of them could never run as asked. */
int cli_forecast_submit(struct cli_context *ctx, struct stint_kube *kube, const struct stint_json *objects, const char *project);
/* Of Queues and namespaces that would be created or changed. The exit code. */
int cli_forecast_share(struct cli_context *ctx, struct stint_kube *kube, const struct stint_json *objects);

#endif
