/*
 * flags: the global flags, the sets of flags that many commands share, and looking a flag up. Tables and pure functions; no state.
 */
#include "cli/commands.h"
#include "cli/parse.h"

#include <string.h>

const struct cli_flag cli_global_flags[] = {
	{.name = "project",
		.letter = 'p',
		.type = CLI_TEXT,
		.argument = "PROJECT",
		.source = CLI_PROJECT_NAMES,
		.help = "the project to act in"},
	{.name = "namespace",
		.letter = 'n',
		.type = CLI_TEXT,
		.argument = "NAMESPACE",
		.source = CLI_NAMESPACE_NAMES,
		.help = "the same by kubectl's word: a project is a namespace"},
	{.name = "all-projects", .letter = 'A', .type = CLI_SWITCH, .help = "all projects that you may read"},
	{.name = "output",
		.letter = 'o',
		.type = CLI_TEXT,
		.argument = "FORMAT",
		.source = CLI_OUTPUT_FORMATS,
		.help = "how to print: table, wide, name, json, yaml, csv or jsonpath=TEMPLATE"},
	{.name = "kubeconfig",
		.type = CLI_FILE,
		.argument = "FILE",
		.help = "the kubeconfig to use; default: $KUBECONFIG, then ~/.kube/config"},
	{.name = "context",
		.type = CLI_TEXT,
		.argument = "CONTEXT",
		.source = CLI_CONTEXT_NAMES,
		.help = "the kubeconfig's context to use"},
	{.name = "request-timeout",
		.type = CLI_DURATION,
		.argument = "DURATION",
		.help = "how long a request to the cluster may take, as 5s or 1m; a number without a unit is seconds",
		.seconds = true},
	{.name = "verbose",
		.letter = 'v',
		.type = CLI_SWITCH,
		.repeated = true,
		.help = "write each request on standard error: verb, path, status, time; twice: its query, size and sending too"},
	{.name = "no-color", .type = CLI_SWITCH, .help = "no colours, even on a terminal"},
	{.name = "help", .letter = 'h', .type = CLI_SWITCH, .help = "print help for the command"},
	{.name = NULL},
};

static const struct cli_flag list_flags[] = {
	{.name = "sort-by",
		.type = CLI_TEXT,
		.argument = "PATH",
		.source = CLI_SORT_KEYS,
		.help = "order by a column or field, as created; a leading minus reverses"},
	{.name = "no-headers", .type = CLI_SWITCH, .help = "print tables and csv without the line of titles"},
	{.name = "watch", .letter = 'w', .type = CLI_SWITCH, .help = "go on and show changes until interrupted"},
	{.name = NULL},
};
static const struct cli_flag selector_flags[] = {
	{.name = "selector",
		.letter = 'l',
		.type = CLI_TEXT,
		.argument = "SELECTOR",
		.help = "only what has these labels, as team=nlp,tier!=low or 'stage in (a,b)'"},
	{.name = NULL},
};
static const struct cli_flag yes_flags[] = {
	{.name = "yes", .letter = 'y', .type = CLI_SWITCH, .help = "do it without asking"},
	{.name = NULL},
};
static const struct cli_flag dry_run_flags[] = {
	{.name = "dry-run",
		.type = CLI_CHOICE,
		.argument = "client|server|schedule",
		.choices = "none|client|server|schedule",
		.otherwise = "none",
		.help = "store nothing: print the objects (with server the cluster checks them), or with schedule what would happen to "
			"them"},
	{.name = NULL},
};

const struct cli_flag *cli_set_flags(enum cli_flag_set set)
{
	switch (set) {
	case CLI_SET_LIST: return list_flags;
	case CLI_SET_SELECTOR: return selector_flags;
	case CLI_SET_YES: return yes_flags;
	case CLI_SET_DRY_RUN: return dry_run_flags;
	}
	return NULL;
}

const struct cli_flag *cli_flag_at(const struct cli_command *command, size_t index)
{
	const struct cli_flag *tables[6] = {NULL};
	size_t count = 0;
	if (command) {
		if (command->flags)
			tables[count++] = command->flags;
		for (unsigned set = CLI_SET_LIST; set <= CLI_SET_DRY_RUN; set *= 2)
			if (command->sets & set)
				tables[count++] = cli_set_flags((enum cli_flag_set)set);
	}
	tables[count++] = cli_global_flags;
	for (size_t table = 0; table < count; table++)
		for (const struct cli_flag *flag = tables[table]; flag->name; flag++)
			if (index-- == 0)
				return flag;
	return NULL;
}

const struct cli_flag *cli_flag_find(const struct cli_command *command, const char *name, size_t length)
{
	const struct cli_flag *flag;
	for (size_t index = 0; (flag = cli_flag_at(command, index)); index++)
		if (strlen(flag->name) == length && memcmp(flag->name, name, length) == 0)
			return flag;
	return NULL;
}

const struct cli_flag *cli_flag_by_letter(const struct cli_command *command, char letter)
{
	const struct cli_flag *flag;
	for (size_t index = 0; (flag = cli_flag_at(command, index)); index++)
		if (flag->letter == letter)
			return flag;
	return NULL;
}

const char *cli_flag_argument(const struct cli_flag *flag)
{
	if (flag->argument)
		return flag->argument;
	switch (flag->type) {
	case CLI_SWITCH: return NULL;
	case CLI_TEXT: return "TEXT";
	case CLI_INT:
	case CLI_NUMBER: return "N";
	case CLI_DURATION: return "DURATION";
	case CLI_CHOICE: return flag->choices;
	case CLI_FILE: return "FILE";
	case CLI_FOLDER: return "FOLDER";
	}
	return NULL;
}

bool cli_choice_has(const char *choices, const char *word, size_t length)
{
	while (choices) {
		const char *end = strchrnul(choices, '|');
		if ((size_t)(end - choices) == length && memcmp(choices, word, length) == 0)
			return true;
		choices = *end ? end + 1 : NULL;
	}
	return false;
}

char *cli_command_path(const struct cli_command *parent, const struct cli_command *command)
{
	return parent ? stint_format("%s %s", parent->name, command->name) : stint_strdup(command->name);
}
