/*
 * run: between cli_main and the parts of the framework that it calls. Not for verbs.
 */
#ifndef STINT_CLI_RUN_H
#define STINT_CLI_RUN_H

#include "cli/cli.h"

void cli_session_free(struct cli_session *session);
/* Reads -o: sets ctx->format and ctx->jsonpath, or ctx->err when the command does not have that format. */
bool cli_format_choose(struct cli_context *ctx);
void cli_jsonpath_free(struct cli_jsonpath *path);

#endif
