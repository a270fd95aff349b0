/*
 * sandbox: up, down and status of a whole cluster on this machine.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/sandbox/daemon.h"
#include "cli/sandbox/state.h"
#include "cli/scheduler_lease.h"

static int run_up(struct cli_context *ctx)
{
	stint_autofree char *folder = state_folder(cli_text(ctx, "dir"), &ctx->err);
	struct daemon_options options = {.folder = folder, .scheduler = !cli_switch(ctx, "no-scheduler"), .lock_fd = -1};
	if (!folder)
		return cli_failed(ctx);
	stint_auto_buf shapes = {0};
	const char *file = cli_text(ctx, "filename");
	if (file) {
		if (cli_given(ctx, "nodes") || cli_given(ctx, "gpus") || cli_given(ctx, "gpu-model"))
			return cli_fail(ctx, STINT_USAGE, "-f says what the nodes are: leave --nodes, --gpus and --gpu-model out");
		if (!stint_buf_read_file(&shapes, file, STINT_YAML_MAX_BYTES, &ctx->err))
			return cli_failed(ctx);
		stint_buf_puts(&shapes, ""); /* never NULL */
	}
	options.cluster = (struct stint_sandbox_options){
		.dir = folder,
		.port = (int)cli_int(ctx, "port"),
		.nodes = (int)cli_int(ctx, "nodes"),
		.gpus = (int)cli_int(ctx, "gpus"),
		.gpu_model = cli_text(ctx, "gpu-model"),
		.shapes = shapes.data,
		.shapes_name = file,
	};
	cli_hold_interrupts();
	bool started = state_lock(folder, &options.lock_fd, &ctx->err) && daemon_start(&options, &ctx->err);
	stint_close_fd(&options.lock_fd);
	if (started) {
		stint_autofree char *kubeconfig = state_path(folder, "kubeconfig"), *word = state_shell_word(kubeconfig);
		fprintf(ctx->out, "export KUBECONFIG=%s\n", word);
		cli_flush(ctx); /* what is told to nobody would stay unknown after an interrupt */
	}
	cli_release_interrupts();
	return started ? STINT_OK : cli_failed(ctx);
}

static int run_down(struct cli_context *ctx)
{
	stint_autofree char *folder = state_folder(cli_text(ctx, "dir"), &ctx->err);
	if (!folder)
		return cli_failed(ctx);
	pid_t pid = state_running(folder);
	if (pid == 0) {
		state_clear_stale(folder);
		cli_note(ctx, "no sandbox runs in %s", folder);
		return STINT_OK;
	}
	/* Again, as the lock goes from the program that starts a sandbox to its daemon. */
	for (; pid != 0; pid = state_running(folder)) {
		if (!daemon_stop(folder, pid, &ctx->err))
			return cli_failed(ctx);
	}
	return STINT_OK;
}

static struct stint_json *status_of(const char *folder)
{
	struct stint_json *status = stint_json_new_object();
	stint_autofree char *kubeconfig = state_path(folder, "kubeconfig");
	pid_t pid = state_running(folder);
	stint_json_set_bool(status, "running", pid > 0);
	stint_json_set_string(status, "folder", folder);
	if (pid == 0)
		return status;
	stint_json_set_string(status, "kubeconfig", kubeconfig);
	stint_auto_json *state = state_read(folder);
	stint_json_each(member, state)
		stint_json_set(status, stint_json_key(member), stint_json_dup(member));
	stint_json_set_int(status, "pid", pid);
	return status;
}

/* That its process lives says little: one that works renews its Lease. NULL: it does, or that is not known. */
static char *scheduler_trouble(struct cli_context *ctx, const char *kubeconfig)
{
	enum { ASK_MS = 2000 };
	const struct stint_kube_config_options from = {.kubeconfig = kubeconfig};
	const struct stint_kube_options options = {.timeout_ms = ASK_MS};
	stint_auto_kube_config *config = stint_kube_config_load(&from, &ctx->err);
	struct stint_loop *loop = config ? stint_loop_new(&ctx->err) : NULL;
	struct stint_kube *kube = loop ? stint_kube_new(loop, config, &options, &ctx->err) : NULL;
	stint_auto_error *unread = NULL;
	stint_auto_json *lease = kube ? cli_scheduler_lease(kube, NULL, &unread) : NULL;
	char *trouble = kube && !unread ? cli_scheduler_trouble(lease, stint_now_ms()) : NULL;
	stint_kube_free(kube);
	stint_loop_free(loop);
	stint_error_clear(&ctx->err);
	return trouble;
}

static void add_trouble(struct cli_context *ctx, struct stint_json *status)
{
	struct stint_json *scheduler = stint_json_get(status, "scheduler");
	const char *kubeconfig = stint_json_string(stint_json_get(status, "kubeconfig"));
	if (!kubeconfig || !stint_json_bool_or(stint_json_get(scheduler, "wanted"), false))
		return;
	stint_autofree char *trouble = scheduler_trouble(ctx, kubeconfig);
	if (trouble)
		stint_json_set_string(scheduler, "trouble", trouble);
}

static void print_status(struct cli_context *ctx, const struct stint_json *status)
{
	if (!stint_json_bool_or(stint_json_get(status, "running"), false)) {
		fprintf(ctx->out, "no sandbox runs in %s\n", stint_json_string_or(stint_json_get(status, "folder"), ""));
		return;
	}
	const struct stint_json *scheduler = stint_json_get(status, "scheduler");
	bool wanted = stint_json_bool_or(stint_json_get(scheduler, "wanted"), false);
	bool running = stint_json_bool_or(stint_json_get(scheduler, "running"), false);
	fprintf(ctx->out, "running     since %s (process %lld)\n", stint_json_string_or(stint_json_get(status, "started"), "?"),
		(long long)stint_json_int_or(stint_json_get(status, "pid"), 0));
	fprintf(ctx->out, "server      %s\n", stint_json_string_or(stint_json_get(status, "server"), "?"));
	fprintf(ctx->out, "kubeconfig  %s\n", stint_json_string_or(stint_json_get(status, "kubeconfig"), "?"));
	fprintf(ctx->out, "nodes       %lld\n", (long long)stint_json_int_or(stint_json_get(status, "nodes"), 0));
	const char *trouble = stint_json_string(stint_json_get(scheduler, "trouble"));
	const long long restarts = stint_json_int_or(stint_json_get(scheduler, "restarts"), 0);
	fprintf(ctx->out, "scheduler   %s (%lld restart%s)%s%s\n",
		!wanted		  ? "not wanted"
			: running ? "running"
				  : "between two starts",
		restarts, restarts == 1 ? "" : "s", trouble ? ": " : "", trouble ? trouble : "");
}

static int run_status(struct cli_context *ctx)
{
	stint_autofree char *folder = state_folder(cli_text(ctx, "dir"), &ctx->err);
	if (!folder)
		return cli_failed(ctx);
	stint_auto_json *status = status_of(folder);
	add_trouble(ctx, status);
	int exit_code = STINT_OK;
	if (!cli_print_object(ctx, status, NULL, &exit_code))
		print_status(ctx, status);
	if (exit_code == STINT_OK && !stint_json_bool_or(stint_json_get(status, "running"), false))
		return STINT_NOT_FOUND;
	return exit_code;
}

#define DIR_FLAG                                                                                             \
	{                                                                                                    \
		.name = "dir", .type = CLI_FOLDER, .argument = "FOLDER",                                     \
		.help = "where the sandbox lives (default: ${XDG_STATE_HOME:-~/.local/state}/stint/sandbox)" \
	}

static const struct cli_flag up_flags[] = {
	DIR_FLAG,
	{.name = "nodes",
		.type = CLI_INT,
		.argument = "N",
		.otherwise = "4",
		.help = "virtual nodes to begin with",
		.low = 0,
		.high = 20000},
	{.name = "gpus", .type = CLI_INT, .argument = "G", .otherwise = "8", .help = "GPUs of each node", .low = 0, .high = 64},
	{.name = "gpu-model",
		.type = CLI_TEXT,
		.argument = "MODEL",
		.help = "what GPUs they are: H100-80GB-HBM3, L40S, ... (default: A100-SXM4-80GB)"},
	{.name = "filename", .letter = 'f', .type = CLI_FILE, .argument = "SHAPES", .help = "a YAML list of groups of nodes instead"},
	{.name = "port",
		.type = CLI_INT,
		.argument = "P",
		.otherwise = "0",
		.help = "port on loopback; 0: any free one",
		.low = 0,
		.high = 65535},
	{.name = "no-scheduler", .type = CLI_SWITCH, .help = "do not start stint-scheduler"},
	{.name = NULL},
};
static const struct cli_flag dir_flags[] = {DIR_FLAG, {.name = NULL}};

static const struct cli_command up = {
	.name = "up",
	.summary = "Start a cluster on this machine, in the background",
	.description =
		"Starts an API server, virtual nodes with GPUs, the controllers and stint-scheduler, and returns when they are ready. "
		"Nothing runs on the host: pods are played, as their annotations sim/run-seconds, sim/exit-code and sim/log say.\n\n"
		"SHAPES is a list of {count, name, gpus, gpuModel, gpuMemory, cpu, memory, labels, taints}.",
	.examples = "eval \"$(stint sandbox up --nodes 4 --gpus 8)\"\n"
		    "# two kinds of nodes\n"
		    "echo '[{name: big, count: 2, gpus: 8, gpuModel: H200}, {name: small, count: 8, gpus: 1, gpuModel: L4}]' | stint "
		    "sandbox up -f -\n"
		    "# two node pools\n"
		    "echo '[{name: h, count: 2, gpus: 8, gpuModel: H200, labels: {kai.scheduler/node-pool: h200}}, {name: l, count: 8, "
		    "gpus: 1, "
		    "gpuModel: L4, labels: {kai.scheduler/node-pool: l4}}]' | stint sandbox up -f -",
	.flags = up_flags,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_CONFLICT) | CLI_EXIT(STINT_TIMEOUT),
	.no_project = true,
	.run = run_up,
};

static const struct cli_command down = {
	.name = "down",
	.summary = "End the cluster and forget all that is in it",
	.flags = dir_flags,
	.no_project = true,
	.run = run_down,
};

static const struct cli_command status = {
	.name = "status",
	.summary = "Tell whether a sandbox runs, and where",
	.flags = dir_flags,
	.formats = CLI_FORMAT_TABLE | CLI_FORMAT_JSON | CLI_FORMAT_YAML | CLI_FORMAT_JSONPATH,
	.exits = CLI_EXIT(STINT_NOT_FOUND),
	.no_project = true,
	.run = run_status,
};

static const struct cli_command *const children[] = {&up, &down, &status, NULL};

const struct cli_command cli_command_sandbox = {
	.name = "sandbox",
	.group = CLI_TOOLS,
	.summary = "A whole cluster on this machine, embedded: up, down, status",
	.children = children,
};
