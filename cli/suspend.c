/*
 * suspend: `suspend` and `resume`: a workload gives its devices back and stays, and takes its turn again.
 */
#include <string.h>

#include "cli/each.h"

static bool change(
	struct cli_context *ctx, struct stint_kube *kube, const struct stint_workload *workload, bool suspend, struct stint_error **err)
{
	bool changed;
	if (!stint_workload_suspend(kube, workload, suspend, &changed, err))
		return false;
	stint_autofree char *resource = stint_workload_resource(workload);
	const char *word = suspend ? (changed ? "suspended" : "is suspended already") : (changed ? "resumed" : "is not suspended");
	fprintf(ctx->out, "%s/%s %s\n", resource, workload->name, word);
	return true;
}

static bool act_suspend(struct cli_context *ctx, struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err)
{
	return change(ctx, kube, workload, true, err);
}

static bool act_resume(struct cli_context *ctx, struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err)
{
	return change(ctx, kube, workload, false, err);
}

static int run_suspend(struct cli_context *ctx)
{
	const char *project = cli_project(ctx);
	struct stint_kube *kube = project ? cli_connect(ctx) : NULL;
	return kube ? cli_for_each_workload(ctx, kube, project, act_suspend) : cli_failed(ctx);
}

static int run_resume(struct cli_context *ctx)
{
	const char *project = cli_project(ctx);
	struct stint_kube *kube = project ? cli_connect(ctx) : NULL;
	return kube ? cli_for_each_workload(ctx, kube, project, act_resume) : cli_failed(ctx);
}

static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "the workloads", .source = CLI_WORKLOAD_NAMES, .repeated = true},
	{.name = NULL},
};
enum { EXITS = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_CONFLICT) };

const struct cli_command cli_command_suspend = {
	.name = "suspend",
	.group = CLI_WORKLOADS,
	.summary = "Take workloads' pods away and keep the workloads",
	.description = "Their GPUs are free for others meanwhile. A Job's spec.suspend is set; a workspace or inference service is scaled "
		       "to nothing and "
		       "remembers how many pods it had. What the processes had in memory is lost.",
	.examples = "stint suspend train-17",
	.positionals = positionals,
	.exits = EXITS,
	.run = run_suspend,
};

const struct cli_command cli_command_resume = {
	.name = "resume",
	.group = CLI_WORKLOADS,
	.summary = "Let suspended workloads run again",
	.examples = "stint resume train-17",
	.positionals = positionals,
	.exits = EXITS,
	.run = run_resume,
};
