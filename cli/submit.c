/*
 * submit: from flags (or a file) to objects in the cluster. core/workload checks and builds; here is the order of things: nothing is
 * created before everything has been checked, and what was created is removed again when the rest cannot be.
 */
#include "cli/submit.h"
#include "cli/project.h"

#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/forecast.h"
#include "cli/live.h"
#include "cli/output/output.h"
#include "cli/pool.h"
#include "cli/wait.h"

/* NVIDIA's container toolkit installs it under this name. */
#define USUAL_RUNTIME_CLASS "nvidia"

static const char *text_or_null(const struct cli_context *ctx, const char *flag)
{
	return cli_given(ctx, flag) ? cli_text(ctx, flag) : NULL;
}

/* The type that a word was most likely meant to be, or NULL. */
static const char *nearest_type(const char *word)
{
	struct stint_suggestion suggestion = {.word = word};
	stint_suggest(&suggestion, "train");
	stint_suggest(&suggestion, "workspace");
	stint_suggest(&suggestion, "inference");
	return suggestion.best;
}

/* [TYPE] NAME: a word counts as a type only when a name follows. */
static bool read_name(struct cli_context *ctx, struct stint_submission *out)
{
	const char *first = cli_positional(ctx, 0), *second = cli_positional(ctx, 1);
	out->type = STINT_TRAINING;
	out->name = second ? second : first;
	if (!first)
		return stint_fail(
			&ctx->err, STINT_USAGE, "\"stint submit\" needs NAME or a file: stint submit NAME -i IMAGE, or -f job.yaml");
	if (second && !stint_workload_type_parse(first, &out->type) && nearest_type(first))
		return stint_fail(&ctx->err, STINT_USAGE, "\"%s\" is no type of workload: did you mean %s?", first, nearest_type(first));
	if (second && !stint_workload_type_parse(first, &out->type) && !ctx->rest_given)
		return stint_fail(&ctx->err, STINT_USAGE,
			"\"%s\" is no type of workload (train, workspace or inference): if \"%s\" is a command, put -- before it", first,
			second);
	if (second && !stint_workload_type_parse(first, &out->type))
		return stint_fail(&ctx->err, STINT_USAGE, "\"%s\" is no type of workload: there are train, workspace and inference", first);
	return true;
}

static void read_flags(const struct cli_context *ctx, struct stint_submission *out)
{
	out->image = cli_text(ctx, "image");
	out->command = (const char *const *)ctx->rest;
	out->gpus = cli_text(ctx, "gpus");
	out->gpu_memory = cli_text(ctx, "gpu-memory");
	out->devices = cli_text(ctx, "devices");
	out->workers = cli_text(ctx, "workers");
	out->segment_size = cli_text(ctx, "segment-size");
	out->segment_topology = cli_text(ctx, "segment-topology");
	out->cpu = cli_text(ctx, "cpu");
	out->memory = cli_text(ctx, "memory");
	out->shm_size = cli_text(ctx, "shm-size");
	out->workdir = cli_text(ctx, "workdir");
	out->env = cli_texts(ctx, "env");
	out->labels = cli_texts(ctx, "label");
	out->annotations = cli_texts(ctx, "annotation");
	out->node_pools = cli_text(ctx, "node-pools");
	out->node_selectors = cli_texts(ctx, "node-selector");
	out->tolerations = cli_texts(ctx, "toleration");
	out->claims = cli_texts(ctx, "pvc");
	out->ports = cli_texts(ctx, "port");
	out->time = cli_text(ctx, "time");
	out->ttl = cli_text(ctx, "ttl");
	out->retries = text_or_null(ctx, "retries");
	out->runtime_class = cli_text(ctx, "runtime-class");
	out->priority = cli_text(ctx, "priority");
	out->image_pull_policy = cli_text(ctx, "image-pull-policy");
	if (cli_given(ctx, "preemptible"))
		out->preemptible = cli_switch(ctx, "preemptible") ? STINT_TRUE : STINT_FALSE;
}

bool cli_check_place(struct cli_context *ctx, const char *project, const char *name, const struct stint_surroundings *found)
{
	if (found->has_namespace == STINT_FALSE)
		return cli_project_absent(ctx, project, found->has_queue == STINT_TRUE);
	if (found->taken_by)
		return stint_fail(&ctx->err, STINT_CONFLICT,
			"project \"%s\" has a %s \"%s\" already: give the workload another name, or delete that one first", project,
			found->taken_by, name);
	if (found->has_queue == STINT_FALSE)
		cli_note(ctx,
			"namespace \"%s\" is no project yet: its pods go to the default queue, or wait (\"stint project create %s "
			"--adopt\")",
			project, project);
	return true;
}

/* What the cluster has decides what may be named in the pods. */
static bool fit(struct cli_context *ctx, struct stint_kube *kube, struct stint_submission *out, struct stint_surroundings *found)
{
	const char *priority = out->priority ? out->priority : stint_workload_type_priority(out->type);
	const char *setting = cli_setting(ctx, "runtime-class");
	const bool wants_gpu = out->gpus || out->gpu_memory;
	const char *runtime = out->runtime_class ? out->runtime_class : !wants_gpu ? NULL : setting ? setting : USUAL_RUNTIME_CLASS;
	if (!stint_surroundings_read(kube, out->project, out->name, priority, runtime, found, &ctx->err) ||
		!cli_check_place(ctx, out->project, out->name, found))
		return false;
	if (found->has_priority_class == STINT_FALSE) {
		if (out->priority)
			return stint_fail(&ctx->err, STINT_NOT_FOUND,
				"there is no priority class \"%s\": \"kubectl get priorityclasses\" shows those that there are",
				out->priority);
		out->priority = ""; /* a cluster without our classes: pods get its default */
	}
	if (found->has_runtime_class == STINT_FALSE && (out->runtime_class || setting))
		return stint_fail(
			&ctx->err, STINT_NOT_FOUND, "there is no runtime class \"%s\": leave it out, or install it first", runtime);
	if (out->node_pools && !cli_check_pools(ctx, kube, out->node_pools))
		return false;
	if (!out->node_pools && found->default_pools)
		cli_note_pools(ctx, kube, out->project, found->default_pools);
	if (!out->runtime_class)
		out->runtime_class = found->has_runtime_class == STINT_TRUE ? runtime : NULL;
	if (found->scheduler_names)
		out->scheduler_name = found->scheduler_names[0];
	return true;
}

/* ---- objects -> cluster and screen ------------------------------------------------------------------------------------------------- */

static char *resource_name(const struct stint_json *object)
{
	return cli_resource_name(stint_json_string(stint_json_get(object, "apiVersion")), stint_json_string(stint_json_get(object, "kind")),
		stint_json_string_at(object, "metadata", "name"));
}

const struct stint_json *cli_main_object(const struct stint_json *objects)
{
	stint_json_each(object, objects) {
		if (stint_object_runs_pods(object))
			return object;
	}
	return stint_json_first(objects);
}

/* A Service that was not asked for goes without saying; of a file everything is named. */
static void tell_made(struct cli_context *ctx, const struct stint_json *made, const char *project)
{
	stint_json_each(object, made) {
		stint_autofree char *resource = resource_name(object);
		const bool submitted = stint_object_runs_pods(object);
		if (submitted || cli_given(ctx, "file"))
			fprintf(ctx->out, submitted ? "%s submitted to project %s\n" : "%s created in project %s\n", resource, project);
	}
}

/* Whole objects as -o says; `otherwise` is the form when it was not given. The exit code. */
static int print_objects(struct cli_context *ctx, const struct stint_json *objects, enum cli_format otherwise)
{
	const enum cli_format format = ctx->format == CLI_FORMAT_TABLE ? otherwise : ctx->format;
	if (format == CLI_FORMAT_NAME) {
		stint_json_each(object, objects) {
			stint_autofree char *name = resource_name(object);
			fprintf(ctx->out, "%s\n", name);
		}
		return STINT_OK;
	}
	if (format == CLI_FORMAT_YAML) {
		stint_json_each(object, objects) {
			stint_autofree char *yaml = stint_yaml_print(object);
			fprintf(ctx->out, "%s%s", object == stint_json_first(objects) ? "" : "---\n", yaml);
		}
		return STINT_OK;
	}
	/* One object stands for itself, several are a List, as in kubectl. */
	stint_auto_json *list = NULL;
	if (stint_json_count(objects) != 1) {
		list = stint_json_new_object();
		stint_json_set_string(list, "apiVersion", "v1");
		stint_json_set_string(list, "kind", "List");
		stint_json_set(list, "items", stint_json_dup(objects));
	}
	int exit_code = STINT_OK;
	cli_print_object(ctx, list ? list : stint_json_first(objects), NULL, &exit_code);
	return exit_code;
}

/* One after the other: together they may take as long as --timeout says. */
static int wait_for_all(struct cli_context *ctx, struct stint_kube *kube, const struct stint_json *made, const char *project)
{
	const int64_t deadline_ms = cli_given(ctx, "timeout") ? stint_monotonic_ms() + cli_duration_ms(ctx, "timeout") : -1;
	stint_json_each(object, made) {
		if (!stint_object_runs_pods(object))
			continue;
		const char *name = stint_json_string_at(object, "metadata", "name");
		const int exit_code = cli_wait_for_start(ctx, kube, project, name, deadline_ms);
		if (exit_code != STINT_OK)
			return exit_code;
	}
	return STINT_OK;
}

int cli_create_objects(struct cli_context *ctx, struct stint_kube *kube, struct stint_json *objects, const char *project, bool own)
{
	const char *dry_run = cli_text(ctx, "dry-run");
	if (strcmp(dry_run, "client") == 0)
		return print_objects(ctx, objects, CLI_FORMAT_YAML);
	if (strcmp(dry_run, "schedule") == 0)
		return cli_forecast_submit(ctx, kube, objects, project);
	if (cli_switch(ctx, "wait") && !stint_object_runs_pods(cli_main_object(objects)))
		return cli_fail(
			ctx, STINT_USAGE, "nothing in the file runs pods, so there is nothing that --wait could wait for: leave it out");
	const struct stint_create_options options = {.project = project, .dry_run = strcmp(dry_run, "server") == 0, .own = own};
	cli_hold_interrupts();
	stint_auto_json *made = stint_objects_create(kube, objects, &options, &ctx->err);
	cli_release_interrupts();
	/* Something that was not asked about before, or somebody who was faster. */
	if (!made && ctx->err->code == STINT_CONFLICT && strcmp(ctx->err->reason, "AlreadyExists") == 0) {
		stint_autofree char *told = stint_strdup(ctx->err->message);
		return cli_fail(
			ctx, STINT_CONFLICT, "project \"%s\": %s: give the workload another name, or delete that one first", project, told);
	}
	if (!made)
		return cli_failed(ctx);
	if (options.dry_run)
		return print_objects(ctx, made, CLI_FORMAT_YAML);
	if (ctx->format != CLI_FORMAT_TABLE) {
		const int exit_code = print_objects(ctx, made, CLI_FORMAT_NAME);
		if (exit_code != STINT_OK)
			return exit_code;
	} else {
		tell_made(ctx, made, project);
	}
	if (!cli_switch(ctx, "wait"))
		return STINT_OK;
	cli_flush(ctx);
	return wait_for_all(ctx, kube, made, project);
}

/* names: the schedulers that are served, as far as that is known without the cluster. */
static int run_flags(struct cli_context *ctx, char *const *names)
{
	struct stint_submission submission = {0};
	STINT_CLEANUP(stint_surroundings_free) struct stint_surroundings found = {0};
	const bool offline = strcmp(cli_text(ctx, "dry-run"), "client") == 0;
	if (!read_name(ctx, &submission) || !(submission.project = cli_project(ctx)))
		return cli_failed(ctx);
	read_flags(ctx, &submission);
	submission.scheduler_name = names[0];
	/* What is wrong with the words is told before anybody is asked. */
	stint_auto_json *objects = stint_submission_build(&submission, &ctx->err);
	if (!objects)
		return cli_failed(ctx);
	cli_note_sizes(ctx, &submission);
	if (offline)
		return cli_create_objects(ctx, NULL, objects, submission.project, true);
	struct stint_kube *kube = cli_connect(ctx);
	if (!kube || !fit(ctx, kube, &submission, &found))
		return cli_failed(ctx);
	cli_note_claims(ctx, kube, &submission);
	stint_json_clear(&objects);
	objects = stint_submission_build(&submission, &ctx->err);
	return objects ? cli_create_objects(ctx, kube, objects, submission.project, true) : cli_failed(ctx);
}

static int run(struct cli_context *ctx)
{
	if (cli_given(ctx, "timeout") && !cli_switch(ctx, "wait"))
		return cli_fail(ctx, STINT_USAGE, "--timeout is how long --wait waits: say --wait too (how long it may run is --time)");
	if (cli_switch(ctx, "wait") && strcmp(cli_text(ctx, "dry-run"), "none") != 0)
		return cli_fail(ctx, STINT_USAGE, "--wait and --dry-run exclude each other: what is not made never starts");
	char **names = cli_scheduler_names(ctx, NULL);
	const int exit_code = cli_given(ctx, "file") ? cli_submit_file(ctx, names) : run_flags(ctx, names);
	stint_strings_free(names);
	return exit_code;
}

static const struct cli_flag flags[] = {
	{.name = "image", .letter = 'i', .type = CLI_TEXT, .argument = "IMAGE", .help = "the container image"},
	{.name = "gpus",
		.letter = 'g',
		.type = CLI_TEXT,
		.argument = "N",
		.help = "GPUs of each pod: 2, or a part of one, 0.5; none unless given"},
	{.name = "gpu-memory",
		.type = CLI_TEXT,
		.argument = "SIZE",
		.help = "memory of one GPU in place of -g, as 10Gi; at most what stint top gpus shows"},
	{.name = "devices", .type = CLI_TEXT, .argument = "N", .help = "take the part of each of so many GPUs"},
	{.name = "workers",
		.type = CLI_TEXT,
		.argument = "N",
		.help = "run N pods as one gang, all or none; each finds MASTER_ADDR, MASTER_PORT, WORLD_SIZE and RANK"},
	{.name = "segment-size",
		.type = CLI_TEXT,
		.argument = "N",
		.help = "with --workers: cut them, by rank, in segments of N; the last one may be shorter"},
	{.name = "segment-topology",
		.type = CLI_TEXT,
		.argument = "TOPOLOGY:LEVEL",
		.help = "each segment within one domain of that level, as fabric:example.com/rack; different ones may lie apart"},
	{.name = "cpu", .type = CLI_TEXT, .argument = "CORES", .help = "CPU request of each pod, as 4 or 500m"},
	{.name = "memory", .type = CLI_TEXT, .argument = "SIZE", .help = "memory request of each pod, as 64Gi"},
	{.name = "env",
		.letter = 'e',
		.type = CLI_TEXT,
		.argument = "KEY=VALUE",
		.repeated = true,
		.help = "a variable of the environment"},
	{.name = "label", .type = CLI_TEXT, .argument = "KEY=VALUE", .repeated = true, .help = "a label on the workload and its pods"},
	{.name = "annotation",
		.type = CLI_TEXT,
		.argument = "KEY=VALUE",
		.repeated = true,
		.help = "an annotation on the workload and its pods"},
	{.name = "node-pools",
		.type = CLI_TEXT,
		.argument = "POOL[,POOL...]",
		.source = CLI_POOL_NAMES,
		.help = "only nodes of these pools, best first: all of its pods that start together go to the first one that takes them; "
			"without it those of its project (project create --default-node-pools), else every node"},
	{.name = "node-selector", .type = CLI_TEXT, .argument = "KEY=VALUE", .repeated = true, .help = "only nodes with this label"},
	{.name = "toleration", .type = CLI_TEXT, .argument = "KEY[=VALUE][:EFFECT]", .repeated = true, .help = "nodes with this taint too"},
	{.name = "pvc",
		.type = CLI_TEXT,
		.argument = "CLAIM:/PATH[:ro]",
		.repeated = true,
		.help = "mount a PersistentVolumeClaim",
		.source = CLI_CLAIM_NAMES},
	{.name = "shm-size",
		.type = CLI_TEXT,
		.argument = "SIZE",
		.help = "bound of the memory-backed /dev/shm; default: the pod's memory"},
	{.name = "port",
		.type = CLI_TEXT,
		.argument = "PORT[:TARGET]",
		.repeated = true,
		.help = "a port of the Service of a workspace (default 8888) or inference service (default 8080)"},
	{.name = "workdir", .type = CLI_TEXT, .argument = "PATH", .help = "the working directory of the command"},
	{.name = "time",
		.type = CLI_TEXT,
		.argument = "DURATION",
		.help = "how long a pod may run, counted from its start; with it the scheduler can fill gaps (trainings)"},
	{.name = "ttl", .type = CLI_TEXT, .argument = "DURATION", .help = "delete the workload so long after it has ended (trainings)"},
	{.name = "retries",
		.type = CLI_TEXT,
		.argument = "N",
		.otherwise = "0",
		.help = "pods that may fail before the workload fails; evictions never count, but delay as failures do (trainings)"},
	{.name = "priority",
		.type = CLI_TEXT,
		.argument = "CLASS",
		.source = CLI_PRIORITY_CLASS_NAMES,
		.help = "the priority class; default: train, build or inference, after the type"},
	{.name = "preemptible",
		.type = CLI_SWITCH,
		.help = "may borrow above the quota and be evicted; =false: neither. Default: as the priority class"},
	{.name = "runtime-class",
		.type = CLI_TEXT,
		.argument = "CLASS",
		.source = CLI_RUNTIME_CLASS_NAMES,
		.help = "the runtime class of pods with GPUs; default: nvidia, where the cluster has it"},
	{.name = "image-pull-policy",
		.type = CLI_CHOICE,
		.argument = "POLICY",
		.choices = "Always|IfNotPresent|Never",
		.help = "when the image is pulled"},
	{.name = "file",
		.letter = 'f',
		.type = CLI_FILE,
		.argument = "FILE",
		.repeated = true,
		.help = "submit the objects of a YAML or JSON file; - is standard input"},
	{.name = "wait",
		.type = CLI_SWITCH,
		.help = "return when it runs (or has ended), of a file when all do; 7: it can never run as asked"},
	{.name = "timeout", .type = CLI_DURATION, .help = "with --wait: how long, as 10m; then the exit code is 6"},
	{.name = NULL},
};

static const struct cli_positional positionals[] = {
	{.name = "TYPE",
		.help = "train (unless said), workspace or inference; a word counts as a type only when NAME follows",
		.words = "train|workspace|inference",
		.optional = true},
	{.name = "NAME", .help = "the workload's name, unique in its project", .optional = true},
	{.name = NULL},
};

const struct cli_command cli_command_submit = {
	.name = "submit",
	.aliases = "run",
	.group = CLI_WORKLOADS,
	.summary = "Submit a training, a workspace or an inference service",
	.description = "A training is a Job (with --workers an indexed Job and a headless Service), a workspace a StatefulSet of one with "
		       "a Service, an "
		       "inference service a Deployment with a Service. All of them are queued in the project; the scheduler decides when "
		       "and where they run.\n\n"
		       "A pod of a training that has failed or was evicted is made again after 10 s, the next time after 20 s, and so "
		       "on to 10 minutes; each worker counts for itself. \"stint why\" tells when.\n\n"
		       "-f takes the objects of files, all or none. Services, ConfigMaps and Secrets beside a single workload go when it "
		       "is deleted; beside several, or beside other kinds, each object stays until it is deleted itself.\n\n"
		       "-g 0.5 is half a GPU, -g 2 two of them, --gpu-memory 10Gi a size, -g 0.5 --devices 2 half of each of two.\n\n"
		       "--dry-run=schedule reads the cluster and lets the scheduling engine decide on it with the workload added: where "
		       "it would run, who would be evicted or moved for it, or why it would wait and what would help. It needs the right "
		       "to list what the scheduler reads in the whole cluster. The exit code is 7 when it could never run as asked.",
	.usage = "[train|workspace|inference] NAME -i IMAGE [flags] [-- COMMAND [ARG...]]",
	.examples = "# half a GPU for one run\n"
		    "stint submit hello -i python:3.12 -g 0.5 -- python -c 'print(\"hello\")'\n"
		    "# eight pods of eight GPUs, all or none, for at most four hours\n"
		    "stint submit train big -i pytorch:2.5 -g 8 --workers 8 --time 4h -- torchrun train.py\n"
		    "# sixteen workers, each four of them by rank in one rack\n"
		    "stint submit wide -i pytorch:2.5 -g 8 --workers 16 --segment-size 4 --segment-topology fabric:example.com/rack\n"
		    "# a notebook on 10 GiB of a GPU\n"
		    "stint submit workspace lab -i jupyter:1 --gpu-memory 10Gi --port 8888\n"
		    "# on an H100 where there is room, else on an A100\n"
		    "stint submit tune -i pytorch:2.5 -g 1 --node-pools h100,a100\n"
		    "# what would be created\n"
		    "stint submit hello -i python:3.12 -g 1 --dry-run=client\n"
		    "# whether it would start now, where, and at whose cost; or why it would wait\n"
		    "stint submit hello -i python:3.12 -g 1 --dry-run=schedule",
	.positionals = positionals,
	.flags = flags,
	.sets = CLI_SET_DRY_RUN,
	.formats = CLI_FORMAT_TABLE | CLI_FORMAT_NAME | CLI_FORMAT_JSON | CLI_FORMAT_YAML | CLI_FORMAT_JSONPATH,
	.rest = CLI_REST_COMMAND,
	.rest_help = "COMMAND [ARG...]",
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_CONFLICT) | CLI_EXIT(STINT_TIMEOUT) |
		CLI_EXIT(STINT_UNSCHEDULABLE),
	.run = run,
};
