/*
 * exec: runs a command in a pod of a workload, with our standard streams, and ends with its exit code.
 */
#include <unistd.h>

#include <stint/kube.h>

#include "cli/cli.h"
#include "cli/pods.h"
#include "cli/stream_terminal.h"

static int run_in(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *pod)
{
	bool tty = cli_switch(ctx, "tty");
	if (tty && !isatty(STDIN_FILENO)) {
		cli_note(ctx, "standard input is no terminal: going on without one");
		tty = false;
	}
	const struct stint_kube_exec exec = {.namespace_ = project,
		.pod = pod,
		.container = cli_text(ctx, "container"),
		.command = (const char *const *)ctx->rest,
		.stdin_ = cli_switch(ctx, "stdin"),
		.stdout_ = true,
		.stderr_ = !tty,
		.tty = tty};
	const int exit_code = cli_stream_run(ctx, kube, &exec);
	cli_pods_look_for(ctx, kube, project, pod, exec.container, false);
	return ctx->err ? cli_failed(ctx) : exit_code;
}

static int run(struct cli_context *ctx)
{
	if (ctx->rest_count == 0)
		return cli_fail(ctx, STINT_USAGE, "no command is given: say it after --, as in \"stint exec %s -- nvidia-smi\"",
			cli_positional(ctx, 0));
	return cli_pods_enter(ctx, run_in);
}

static const struct cli_flag flags[] = {
	{.name = "stdin", .letter = 'i', .type = CLI_SWITCH, .help = "pass standard input to the command"},
	{.name = "tty", .letter = 't', .type = CLI_SWITCH, .help = "give the command a terminal: ours, raw"},
	{.name = "pod", .type = CLI_TEXT, .argument = "POD", .help = "in this pod; otherwise the first that runs", .source = CLI_POD_NAMES},
	{.name = "container", .letter = 'c', .type = CLI_TEXT, .help = "in this container; otherwise the pod's first"},
	{.name = NULL},
};
static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "the workload, or a pod of it", .source = CLI_WORKLOAD_NAMES},
	{.name = NULL},
};

const struct cli_command cli_command_exec = {
	.name = "exec",
	.group = CLI_WORKLOADS,
	.summary = "Run a command in a workload",
	.description =
		"The command is passed on word by word, without a shell. The exit code is that of the command; of a workload with several "
		"pods the first that runs is taken (rank 0).",
	.examples = "stint exec train-17 -- nvidia-smi\n"
		    "# a shell\n"
		    "stint exec -it notebook -- bash\n"
		    "# a file goes in\n"
		    "stint exec -i train-17 -- sh -c 'cat >/tmp/data' <data",
	.positionals = positionals,
	.flags = flags,
	.rest = CLI_REST_COMMAND,
	.rest_help = "COMMAND [ARG...]",
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_UNREACHABLE),
	.run = run,
};
