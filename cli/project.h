/*
 * project: the verbs of `stint project` and `stint department` are the same functions: ctx->parent tells which noun it was.
 */
#ifndef STINT_CLI_PROJECT_H
#define STINT_CLI_PROJECT_H

#include "cli/cli.h"

struct stint_kube;
struct stint_share;

/* Says that there is no such project, or what is left of it. Always false. */
bool cli_project_absent(struct cli_context *ctx, const char *project, bool has_queue);
/* Nothing was found in a project: because there is nothing, or because there is no such project? False: ctx->err says the latter. */
bool cli_project_is_there(struct cli_context *ctx, struct stint_kube *kube, const char *project);

extern const struct cli_command cli_command_department;
extern const struct cli_list cli_project_list, cli_department_list;
bool cli_share_is_department(const struct cli_context *ctx);

/* Notes what is odd about a share that has been written. Costs reads of nodes, queues and workloads, as far as what was said needs them. */
void cli_share_warn(struct cli_context *ctx, struct stint_kube *kube, const struct stint_share *share, bool is_department);

int cli_share_create(struct cli_context *ctx);
int cli_share_update(struct cli_context *ctx);
int cli_share_delete(struct cli_context *ctx);
int cli_share_list(struct cli_context *ctx);
int cli_share_describe(struct cli_context *ctx);

#endif
