/*
 * why_fetch: where the answer to `stint why` comes from. The scheduler itself is asked first, by the shortest way that works; what its
 * pods' conditions and events say is the last resort.
 */
#ifndef STINT_CLI_WHY_FETCH_H
#define STINT_CLI_WHY_FETCH_H

#include "cli/cli.h"

/*
 * The record that stint-scheduler's why API describes, with `source` added: who told it. From conditions and events it has fewer fields.
 * NULL: ctx->err. What had to be given up on the way is noted.
 */
struct stint_json *cli_why_fetch(struct cli_context *ctx, const char *project, const char *name);

#endif
