/*
 * help: the verb. It prints what --help prints, manual pages, and the reference documentation; man/ and docs/ hold what it prints, and the
 * lint makes them again.
 */
#include "cli/commands.h"
#include "cli/help.h"

static int run(struct cli_context *ctx)
{
	const struct cli_command *parent = NULL, *command = NULL;
	const struct cli_command *const *commands = cli_commands();
	for (size_t at = 0; at < ctx->positional_count; at++) {
		const struct cli_command *const *among = command ? command->children : commands;
		const struct cli_command *child = among ? cli_command_find(among, ctx->positionals[at]) : NULL;
		if (!child)
			return cli_fail(ctx, STINT_USAGE, "there is no command \"%s\" to help with: \"stint help\" lists them",
				ctx->positionals[at]);
		parent = command;
		command = child;
	}
	if (cli_switch(ctx, "reference"))
		cli_reference(ctx->out, commands);
	else if (cli_switch(ctx, "man"))
		cli_man_page(ctx->out, commands, parent ? parent : command);
	else if (command)
		cli_help_command(ctx->out, parent, command);
	else
		cli_help_overview(ctx->out, commands);
	return STINT_OK;
}

static const struct cli_flag flags[] = {
	{.name = "man", .type = CLI_SWITCH, .help = "print the manual page, for man -l -"},
	{.name = "reference", .type = CLI_SWITCH, .help = "print the reference of all commands in Markdown"},
	{.name = NULL},
};

static const struct cli_positional positionals[] = {
	{.name = "COMMAND",
		.help = "the command, as submit or project create",
		.source = CLI_COMMAND_NAMES,
		.optional = true,
		.repeated = true},
	{.name = NULL},
};

const struct cli_command cli_command_help = {
	.name = "help",
	.group = CLI_TOOLS,
	.summary = "Print help, manual pages and the reference",
	.examples = "stint help project create\n"
		    "stint help --man submit | man -l -",
	.positionals = positionals,
	.flags = flags,
	.no_project = true,
	.run = run,
};
