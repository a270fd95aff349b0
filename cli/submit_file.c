/*
 * submit_file: `submit -f`: the objects of a person's own file, filled in where it says nothing and created all or none.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>

#include "cli/submit.h"

static const char *spoken_path(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static struct stint_json *read_file(struct cli_context *ctx, const char *path)
{
	stint_auto_buf text = {0};
	if (!stint_buf_read_file(&text, path, STINT_YAML_MAX_BYTES, &ctx->err)) {
		if (ctx->err->code == STINT_FAILED) /* it is there and is no file that can be read, as a folder */
			ctx->err->code = STINT_USAGE;
		return NULL;
	}
	return stint_yaml_parse(spoken_path(path), text.data ? text.data : "", text.length, &ctx->err);
}

/* The objects of all files, in their order. */
static struct stint_json *read_files(struct cli_context *ctx)
{
	stint_auto_json *objects = NULL;
	for (const char *const *path = cli_texts(ctx, "file"); *path; path++) {
		struct stint_json *more = read_file(ctx, *path);
		if (!more)
			return NULL;
		if (!objects) {
			objects = more;
			continue;
		}
		stint_json_each(object, more)
			stint_json_append(objects, stint_json_dup(object));
		stint_json_free(more);
	}
	return stint_steal(&objects);
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
static bool adopt(struct cli_context *ctx, struct stint_json *objects, struct stint_adoption *adoption)
{
	const char *const *paths = cli_texts(ctx, "file");
	return stint_objects_adopt(objects, adoption, &ctx->err) ||
		(paths[1] ? false : stint_fail_wrap(&ctx->err, "%s", spoken_path(paths[0])));
}

/* What the file says of schedulers and people may not expect. */
static void tell_schedulers(struct cli_context *ctx, const struct stint_adoption *adoption)
{
	if (adoption->renamed)
		cli_note(ctx,
			"the file names scheduler \"" STINT_KAI_SCHEDULER_NAME "\", which nobody serves here: its pods are given to \"%s\"",
			adoption->scheduler_name);
	if (adoption->foreign)
		cli_note(ctx,
			"the file names scheduler \"%s\", which stint does not serve: those pods are left to it, and no list of stint "
			"shows "
			"them (take schedulerName out of the file to give them to \"%s\")",
			adoption->foreign, adoption->scheduler_name);
}

static bool goes_with_a_workload(const struct stint_json *object)
{
	static const char *const kinds[] = {"Service", "ConfigMap", "Secret"};
	const char *kind = stint_json_string_or(stint_json_get(object, "kind"), "");
	for (size_t at = 0; at < STINT_COUNT(kinds); at++) {
		if (strcmp(kind, kinds[at]) == 0)
			return true;
	}
	return false;
}

/*
 * A workload and what serves it alone: that goes when the workload goes, which therefore comes first. Several workloads share what is beside
 * them, and what may hold data or rights is nobody's: then each object stands for itself.
 */
static bool own_rest(struct stint_json *objects)
{
	struct stint_json *workload = NULL;
	stint_json_each(object, objects) {
		const bool runs = stint_object_runs_pods(object);
		if (runs ? workload != NULL : !goes_with_a_workload(object))
			return false;
		workload = runs ? object : workload;
	}
	if (!workload)
		return false;
	if (workload == stint_json_first(objects))
		return true;
	stint_json_insert(objects, 0, stint_json_dup(workload));
	stint_json_unlink(objects, workload);
	return true;
}

static int submit_objects(struct cli_context *ctx, struct stint_json *objects, const char *project, char *const *names)
{
	STINT_CLEANUP(stint_surroundings_free) struct stint_surroundings found = {0};
	struct stint_adoption adoption = {.project = project, .scheduler_name = names[0], .served = (const char *const *)names};
	/* Checked on a copy, because the names of the scheduler are known only with a connection. */
	stint_auto_json *checked = stint_json_dup(objects);
	if (!adopt(ctx, checked, &adoption))
		return cli_failed(ctx);
	if (strcmp(cli_text(ctx, "dry-run"), "client") == 0) {
		tell_schedulers(ctx, &adoption);
		return cli_create_objects(ctx, NULL, checked, project, false);
	}
	struct stint_kube *kube = cli_connect(ctx);
	const struct stint_json *main_object = cli_main_object(checked);
	/* Names are shared by workloads alone: a ConfigMap may be called what a Job is called. */
	const char *name = stint_object_runs_pods(main_object) ? stint_json_string_at(main_object, "metadata", "name") : NULL;
	if (!kube || !stint_surroundings_read(kube, project, name, NULL, NULL, &found, &ctx->err) ||
		!cli_check_place(ctx, project, name ? name : "", &found))
		return cli_failed(ctx);
	if (found.scheduler_names) {
		adoption.scheduler_name = found.scheduler_names[0];
		adoption.served = (const char *const *)found.scheduler_names;
	}
	if (!adopt(ctx, objects, &adoption))
		return cli_failed(ctx);
	tell_schedulers(ctx, &adoption);
	return cli_create_objects(ctx, kube, objects, project, own_rest(objects));
}

int cli_submit_file(struct cli_context *ctx, char *const *names)
{
	stint_auto_json *objects = check_file_flags(ctx) ? read_files(ctx) : NULL;
	if (!objects)
		return cli_failed(ctx);
	stint_autofree char *project = stint_strdup(file_project(ctx, objects));
	if (!project)
		return cli_failed(ctx);
	return submit_objects(ctx, objects, project, names);
}
