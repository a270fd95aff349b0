/*
 * simulate_replay: the side of `simulate` that replays a journal; simulate.c is the verb.
 */
#ifndef STINT_CLI_SIMULATE_REPLAY_H
#define STINT_CLI_SIMULATE_REPLAY_H

#include "cli/cli.h"

/* `stint simulate --replay PATH`: 0 the same, 1 not. */
int cli_simulate_replay(struct cli_context *ctx, const char *path);

#endif
