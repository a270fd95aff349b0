/*
 * delete: workloads by name, with their pods and Services.
 */
#include <string.h>

#include "cli/each.h"

static bool act(struct cli_context *ctx, struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err)
{
	if (!stint_workload_delete(kube, workload, err))
		return false;
	stint_autofree char *resource = stint_workload_resource(workload);
	fprintf(ctx->out, "%s/%s deleted\n", resource, workload->name);
	return true;
}

static int run(struct cli_context *ctx)
{
	const char *project = cli_project(ctx);
	struct stint_kube *kube = project ? cli_connect(ctx) : NULL;
	stint_auto_buf names = {0};
	for (size_t at = 0; at < ctx->positional_count; at++)
		stint_buf_printf(&names, "%s%s", at ? ", " : "", ctx->positionals[at]);
	if (!kube || !cli_confirm(ctx, "Delete from project \"%s\": %s?", project, names.data))
		return cli_failed(ctx);
	return cli_for_each_workload(ctx, kube, project, act);
}

static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "workloads to delete", .source = CLI_WORKLOAD_NAMES, .repeated = true},
	{.name = NULL},
};

const struct cli_command cli_command_delete = {
	.name = "delete",
	.aliases = "rm",
	.group = CLI_WORKLOADS,
	.summary = "Delete workloads with all that belongs to them",
	.examples = "stint delete train-17\n"
		    "stint delete -y train-17 train-18 -p vision",
	.positionals = positionals,
	.sets = CLI_SET_YES,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_CONFLICT),
	.run = run,
};
