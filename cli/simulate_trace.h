/*
 * simulate_trace: the side of `simulate` that replays a trace; simulate.c is the verb.
 */
#ifndef STINT_CLI_SIMULATE_TRACE_H
#define STINT_CLI_SIMULATE_TRACE_H

#include "cli/cli.h"

/* `stint simulate --trace`; the flags are in simulate.c. */
int cli_simulate_trace(struct cli_context *ctx);

#endif
