/*
 * submit_file: `submit -f`: the objects of a person's own file, filled in where it says nothing and created all or none.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>

#include "cli/submit.h"

static struct stint_json *read_file(struct cli_context *ctx, const char *path)
{
	stint_auto_buf text = {0};
	if (!stint_buf_read_file(&text, path, STINT_YAML_MAX_BYTES, &ctx->err)) {
		if (ctx->err->code == STINT_FAILED) /* it is there and is no file that can be read, as a folder */
			ctx->err->code = STINT_USAGE;
		return NULL;
	}
	return stint_yaml_parse(strcmp(path, "-") == 0 ? "standard input" : path, text.data ? text.data : "", text.length, &ctx->err);
}

/* Flags that describe a workload would contradict the file. */
static bool check_file_flags(struct cli_context *ctx)
{
	for (const struct cli_flag *flag = ctx->command->flags; flag->name; flag++) {
		if (strcmp(flag->name, "file") == 0 || strcmp(flag->name, "wait") == 0 || strcmp(flag->name, "timeout") == 0)
			continue;
		if (cli_given(ctx, flag->name))
			return stint_fail(&ctx->err, STINT_USAGE, "--%s and -f cannot stand together: the file says what the workload is",
				flag->name);
	}
	if (ctx->positional_count || ctx->rest_given)
		return stint_fail(
			&ctx->err, STINT_USAGE, "a name or command and -f cannot stand together: the file says what the workload is");
	return true;
}

/* The project of -p or -n, else the namespace of the file's first object, else the usual one. */
static const char *file_project(struct cli_context *ctx, const struct stint_json *objects)
{
	const char *said = stint_json_string_at(stint_json_first(objects), "metadata", "namespace");
	if (cli_given(ctx, "project") || cli_given(ctx, "namespace") || !said)
		return cli_project(ctx);
	return stint_name_check("project", said, 63, &ctx->err) ? said : NULL;
}

/* What is wrong with the content is said with the file's name, as the reader of YAML says it. */
static bool adopt(struct cli_context *ctx, struct stint_json *objects, const char *project, const char *scheduler)
{
	const char *path = cli_text(ctx, "file");
	return stint_objects_adopt(objects, project, scheduler, &ctx->err) ||
		stint_fail_wrap(&ctx->err, "%s", strcmp(path, "-") == 0 ? "standard input" : path);
}

int cli_submit_file(struct cli_context *ctx)
{
	STINT_CLEANUP(stint_surroundings_free) struct stint_surroundings found = {0};
	stint_auto_json *objects = check_file_flags(ctx) ? read_file(ctx, cli_text(ctx, "file")) : NULL;
	if (!objects)
		return cli_failed(ctx);
	stint_autofree char *project = stint_strdup(file_project(ctx, objects));
	stint_autofree char *scheduler = cli_configured_scheduler(ctx);
	if (!project)
		return cli_failed(ctx);
	/* Checked on a copy, because the scheduler's name is known only with a connection. */
	stint_auto_json *checked = stint_json_dup(objects);
	if (!adopt(ctx, checked, project, scheduler))
		return cli_failed(ctx);
	if (strcmp(cli_text(ctx, "dry-run"), "client") == 0)
		return cli_create_objects(ctx, NULL, checked, project, false);
	struct stint_kube *kube = cli_connect(ctx);
	const char *name = stint_json_string_at(stint_json_first(checked), "metadata", "name");
	if (!kube || !stint_surroundings_read(kube, project, name ? name : "", NULL, NULL, &found, &ctx->err) ||
		!cli_check_place(ctx, project, name ? name : "", &found))
		return cli_failed(ctx);
	if (found.scheduler_name && !cli_setting(ctx, "scheduler-names")) {
		free(scheduler);
		scheduler = stint_steal(&found.scheduler_name);
	}
	if (!adopt(ctx, objects, project, scheduler))
		return cli_failed(ctx);
	return cli_create_objects(ctx, kube, objects, project, false);
}
