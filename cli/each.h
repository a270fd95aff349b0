/*
 * each: verbs that do one thing to every workload that is named: delete, suspend, resume.
 */
#ifndef STINT_CLI_EACH_H
#define STINT_CLI_EACH_H

#include <stint/workload.h>

#include "cli/cli.h"

/*
 * Reads each workload of the positionals and calls act, which says what it did on ctx->out. One that fails is told of and the others are
 * gone on with; the exit code is the first failure's.
 */
int cli_for_each_workload(struct cli_context *ctx, struct stint_kube *kube, const char *project,
	bool (*act)(struct cli_context *ctx, struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err));

#endif
