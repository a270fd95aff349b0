/*
 * project_write: create, update and delete of projects and departments. core/workload does the work and undoes it; interrupts wait
 * meanwhile.
 */
#include <string.h>

#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/forecast.h"
#include "cli/project.h"

enum { GONE_TIMEOUT_MS = 120000 };

bool cli_share_is_department(const struct cli_context *ctx)
{
	return ctx->parent == &cli_command_department;
}

/* "none" takes them away. */
static const char *read_pools(const struct cli_context *ctx)
{
	const char *pools = cli_text(ctx, "default-node-pools");
	return pools && strcmp(pools, "none") == 0 ? "" : pools;
}

static struct stint_share read_share(const struct cli_context *ctx)
{
	const bool department = cli_share_is_department(ctx);
	return (struct stint_share){
		.name = cli_positional(ctx, 0),
		.department = department ? NULL : cli_text(ctx, "department"),
		.gpus = cli_text(ctx, "gpus"),
		.gpu_limit = cli_text(ctx, "gpu-limit"),
		.weight = cli_text(ctx, "weight"),
		.priority = cli_text(ctx, "priority"),
		.cpu = cli_text(ctx, "cpu"),
		.memory = cli_text(ctx, "memory"),
		.default_pools = department ? NULL : read_pools(ctx),
		.users = department ? NULL : cli_texts(ctx, "user"),
		.groups = department ? NULL : cli_texts(ctx, "group"),
	};
}

static bool is_dry(const struct cli_context *ctx)
{
	return strcmp(cli_text(ctx, "dry-run"), "schedule") == 0;
}

/* Only what would happen has a form. */
static bool check_format(struct cli_context *ctx)
{
	if (is_dry(ctx) || ctx->format == CLI_FORMAT_TABLE)
		return true;
	return stint_fail(&ctx->err, STINT_USAGE, "-o goes with --dry-run=schedule: \"describe\" shows what has been made");
}

static int forecast(struct cli_context *ctx, struct stint_kube *kube, struct stint_json *preview)
{
	const int exit_code = preview ? cli_forecast_share(ctx, kube, preview) : cli_failed(ctx);
	stint_json_free(preview);
	return exit_code;
}

int cli_share_create(struct cli_context *ctx)
{
	const bool department = cli_share_is_department(ctx);
	const struct stint_share share = read_share(ctx);
	/* What is wrong with the words is told before anybody is asked. */
	struct stint_json *queue = check_format(ctx) ? stint_share_queue(&share, department, &ctx->err) : NULL;
	stint_json_free(queue);
	struct stint_kube *kube = queue ? cli_connect(ctx) : NULL;
	if (!kube)
		return cli_failed(ctx);
	if (is_dry(ctx))
		return forecast(ctx, kube,
			stint_share_preview_create(kube, &share, department, !department && cli_switch(ctx, "adopt"), &ctx->err));
	cli_hold_interrupts();
	const bool made = department ? stint_department_create(kube, &share, &ctx->err)
				     : stint_project_create(kube, &share, cli_switch(ctx, "adopt"), &ctx->err);
	cli_release_interrupts();
	if (!made)
		return cli_failed(ctx);
	cli_share_warn(ctx, kube, &share, department);
	fprintf(ctx->out, "%s %s created\n", department ? "department" : "project", share.name);
	return STINT_OK;
}

int cli_share_update(struct cli_context *ctx)
{
	const bool department = cli_share_is_department(ctx);
	struct stint_share share = read_share(ctx);
	share.removed_users = department ? NULL : cli_texts(ctx, "remove-user");
	share.removed_groups = department ? NULL : cli_texts(ctx, "remove-group");
	struct stint_json *queue = check_format(ctx) ? stint_share_queue(&share, department, &ctx->err) : NULL;
	stint_json_free(queue);
	struct stint_kube *kube = queue ? cli_connect(ctx) : NULL;
	bool changed = false;
	if (!kube)
		return cli_failed(ctx);
	if (is_dry(ctx))
		return forecast(ctx, kube, stint_share_preview_update(kube, &share, department, &ctx->err));
	cli_hold_interrupts();
	const bool fine = stint_share_update(kube, &share, department, &changed, &ctx->err);
	cli_release_interrupts();
	if (!fine)
		return cli_failed(ctx);
	cli_share_warn(ctx, kube, &share, department);
	fprintf(ctx->out, "%s %s %s\n", department ? "department" : "project", share.name, changed ? "updated" : "unchanged");
	return STINT_OK;
}

int cli_share_delete(struct cli_context *ctx)
{
	const bool department = cli_share_is_department(ctx);
	const char *name = cli_positional(ctx, 0), *what = department ? "department" : "project";
	const bool cascade = !department && cli_switch(ctx, "cascade");
	if (!stint_name_check(what, name, 63, &ctx->err))
		return cli_failed(ctx);
	struct stint_kube *kube = cli_connect(ctx);
	if (!kube || !cli_confirm(ctx, "Delete %s \"%s\"%s?", what, name, cascade ? " with all that runs in it" : ""))
		return cli_failed(ctx);
	bool goes = false;
	cli_hold_interrupts();
	const bool deleted =
		department ? stint_department_delete(kube, name, &ctx->err) : stint_project_delete(kube, name, cascade, &goes, &ctx->err);
	cli_release_interrupts();
	if (!deleted || (goes && !stint_project_wait_gone(kube, name, GONE_TIMEOUT_MS, &ctx->err)))
		return cli_failed(ctx);
	fprintf(ctx->out, "%s %s deleted\n", what, name);
	return STINT_OK;
}
