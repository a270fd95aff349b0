/*
 * names: what there is to name, for completion: of workloads, projects, nodes and the like.
 */
#ifndef STINT_CLI_NAMES_H
#define STINT_CLI_NAMES_H

#include "cli/cli.h"

/* NULL-ended, for stint_strings_free; empty when nothing is known or the cluster does not answer in time. */
char **cli_names(struct cli_context *ctx, enum cli_source source);

#endif
