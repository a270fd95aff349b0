/*
 * attach: joins our standard streams with the process that a container already runs.
 */
#include <string.h>
#include <unistd.h>

#include <stint/kube.h>

#include "cli/cli.h"
#include "cli/pods.h"
#include "cli/stream_terminal.h"

static int attach_to(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *pod_name)
{
	const char *wanted = cli_text(ctx, "container");
	stint_auto_json *pod = stint_kube_get(kube, &stint_kube_pods, project, pod_name, &ctx->err);
	if (!pod)
		return cli_failed(ctx);
	const struct stint_json *container = cli_pods_container(ctx, pod, wanted);
	if (!container)
		return cli_failed(ctx);
	/* Whether there is a terminal, and an open standard input, was decided when the container was made. */
	const bool has_tty = stint_json_bool_or(stint_json_get(container, "tty"), false);
	const bool has_stdin = stint_json_bool_or(stint_json_get(container, "stdin"), false);
	bool tty = cli_switch(ctx, "tty"), input = cli_switch(ctx, "stdin");
	if (input && !has_stdin) {
		cli_note(ctx, "the container of \"%s\" reads no standard input: going on without it", pod_name);
		input = false;
	}
	if (tty && (!has_tty || !isatty(STDIN_FILENO))) {
		cli_note(ctx, "%s: going on without one", has_tty ? "standard input is no terminal" : "the container has no terminal");
		tty = false;
	}
	const struct stint_kube_exec exec = {.namespace_ = project,
		.pod = pod_name,
		.container = stint_json_string_at(container, "name"),
		.stdin_ = input,
		.stdout_ = true,
		.stderr_ = !has_tty,
		.tty = tty || has_tty};
	return cli_stream_run(ctx, kube, &exec);
}

static int run(struct cli_context *ctx)
{
	return cli_pods_enter(ctx, attach_to);
}

static const struct cli_flag flags[] = {
	{.name = "stdin", .letter = 'i', .type = CLI_SWITCH, .help = "pass standard input to the process, if it reads one"},
	{.name = "tty", .letter = 't', .type = CLI_SWITCH, .help = "join our terminal with the container's, if it has one"},
	{.name = "pod", .type = CLI_TEXT, .argument = "POD", .help = "to this pod; otherwise the first that runs", .source = CLI_POD_NAMES},
	{.name = "container", .letter = 'c', .type = CLI_TEXT, .help = "to this container; otherwise the pod's first"},
	{.name = NULL},
};
static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "the workload, or a pod of it", .source = CLI_WORKLOAD_NAMES},
	{.name = NULL},
};

const struct cli_command cli_command_attach = {
	.name = "attach",
	.group = CLI_WORKLOADS,
	.summary = "Join the process that a workload runs",
	.description = "Shows what the process writes from now on, and passes it our input with -i. Ends when the process ends, with its "
		       "exit code. "
		       "\"stint logs -f\" shows what was written before, too.",
	.examples = "stint attach train-17\n"
		    "stint attach -it notebook",
	.positionals = positionals,
	.flags = flags,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_UNREACHABLE),
	.run = run,
};
