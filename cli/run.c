/*
 * run: one run of the program from argv to exit code. Owns the context; sets what is the process's: signals and the checks of standard
 * output. Start-up does nothing that a command might not need: no library is initialised and no file is read before a verb asks.
 */
#include "cli/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/parse.h"

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	_exit(STINT_INTERRUPTED);
}

static void set_signals(void)
{
	struct sigaction action;
	/* Whoever started us in the background with SIGINT ignored keeps it ignored. */
	if (sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
		action = (struct sigaction){.sa_handler = on_interrupt};
		sigaction(SIGINT, &action, NULL);
	}
	/* A reader that has gone is seen as EPIPE, and ends a command quietly. */
	action = (struct sigaction){.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &action, NULL);
}

static int terminal_columns(FILE *stream)
{
	struct winsize size;
	const int fd = fileno(stream);
	if (fd < 0 || !isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	int64_t columns;
	const char *said = getenv("COLUMNS");
	return said && stint_parse_int(said, 1, 10000, &columns) ? (int)columns : 80;
}

static int terminal_rows(FILE *stream)
{
	struct winsize size;
	const int fd = fileno(stream);
	return fd >= 0 && isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

static bool colour_wanted(const struct cli_context *ctx)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	if (ctx->columns == 0 || cli_switch(ctx, "no-color") || (no_color && *no_color))
		return false;
	return term && strcmp(term, "dumb") != 0;
}

/* What was asked for must have arrived: a full disk is an error, a reader that has seen enough is none. */
static int finish_output(struct cli_context *ctx, int exit_code)
{
	errno = 0;
	if (fflush(ctx->out) == 0 && !ferror(ctx->out))
		return exit_code;
	if (errno == EPIPE || cli_reader_has_gone(ctx))
		return exit_code;
	stint_auto_error *err = NULL;
	if (errno)
		stint_fail_errno(&err, errno, "the output cannot be written");
	else /* an earlier write has failed, and its cause is lost */
		stint_fail(&err, STINT_FAILED, "the output could not be written: look at where it goes to");
	return cli_note_error(ctx, &err);
}

/* A flag that would do nothing is a misunderstanding. */
static bool check_project_flags(struct cli_context *ctx)
{
	static const char *const names[] = {"project", "namespace", "all-projects"};
	for (size_t at = 0; ctx->command->no_project && at < STINT_COUNT(names); at++) {
		stint_autofree char *path = cli_command_path(ctx->parent, ctx->command);
		if (cli_given(ctx, names[at]))
			return stint_fail(&ctx->err, STINT_USAGE, "\"stint %s\" acts in no project: leave --%s away", path, names[at]);
	}
	return true;
}

static int count_verbose(const struct cli_values *values)
{
	int count = 0;
	for (size_t at = 0; at < values->count; at++) {
		if (strcmp(values->items[at].flag->name, "verbose") == 0)
			count = strcmp(values->items[at].text, "true") == 0 ? count + 1 : 0;
	}
	return count;
}

static int run_command(struct cli_context *ctx)
{
	ctx->columns = terminal_columns(ctx->out);
	ctx->rows = terminal_rows(ctx->out);
	ctx->colour = colour_wanted(ctx);
	ctx->verbose = count_verbose(ctx->values);
	ctx->request_timeout_ms = cli_duration_ms(ctx, "request-timeout");
	int exit_code = STINT_FAILED;
	if (check_project_flags(ctx) && cli_format_choose(ctx))
		exit_code = ctx->command->run(ctx);
	if (ctx->err) {
		const int code = cli_note_error(ctx, &ctx->err);
		if (exit_code == STINT_OK || exit_code == STINT_FAILED)
			exit_code = code;
	}
	return finish_output(ctx, exit_code);
}

/* A noun without its verb. */
static bool needs_child(const struct cli_command *command, struct stint_error **err)
{
	stint_auto_buf names = {0};
	for (size_t at = 0; command->children[at]; at++)
		stint_buf_printf(&names, "%s%s", at ? ", " : "", command->children[at]->name);
	return stint_fail(err, STINT_USAGE, "\"stint %s\" needs one of its commands: %s", command->name, names.data);
}

static int run_parsed(struct cli_context *ctx, const struct cli_parsed *parsed)
{
	if (parsed->help || (!parsed->command && !parsed->version)) {
		if (parsed->command)
			cli_help_command(ctx->out, parsed->parent, parsed->command);
		else
			cli_help_overview(ctx->out, cli_commands());
		return finish_output(ctx, STINT_OK);
	}
	if (!parsed->command) {
		fprintf(ctx->out, "stint %s\n", STINT_VERSION);
		return finish_output(ctx, STINT_OK);
	}
	if (!parsed->command->run) {
		needs_child(parsed->command, &ctx->err);
		return cli_note_error(ctx, &ctx->err);
	}
	return run_command(ctx);
}

int cli_main(int argc, char **argv, FILE *out, FILE *notes)
{
	struct cli_parsed parsed;
	struct cli_context ctx = {.out = out, .notes = notes};
	int exit_code;
	set_signals();
	if (cli_parse(cli_commands(), argc > 0 ? argc - 1 : 0, argv + 1, &parsed, &ctx.err)) {
		ctx.command = parsed.command;
		ctx.parent = parsed.parent;
		ctx.positionals = parsed.positionals;
		ctx.positional_count = parsed.positional_count;
		ctx.rest = parsed.rest;
		ctx.rest_count = parsed.rest_count;
		ctx.rest_given = parsed.rest_given;
		ctx.values = parsed.values;
		exit_code = run_parsed(&ctx, &parsed);
	} else {
		exit_code = cli_note_error(&ctx, &ctx.err);
	}
	cli_session_free(ctx.session);
	cli_jsonpath_free(ctx.jsonpath);
	stint_error_clear(&ctx.err);
	cli_parsed_free(&parsed);
	return exit_code;
}
