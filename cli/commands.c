/*
 * commands: the list that commands.h names, and looking a command up.
 */
#include "cli/commands.h"

#include <string.h>

#include "cli/parse.h"

#define DECLARE(verb) extern const struct cli_command cli_command_##verb;
CLI_COMMANDS(DECLARE)

const struct cli_command *const *cli_commands(void)
{
#define ADDRESS(verb) &cli_command_##verb,
	static const struct cli_command *const all[] = {CLI_COMMANDS(ADDRESS) NULL};
	return all;
}

const struct cli_command *cli_command_find(const struct cli_command *const *commands, const char *word)
{
	for (; *commands; commands++)
		if (strcmp((*commands)->name, word) == 0 || cli_choice_has((*commands)->aliases, word, strlen(word)))
			return *commands;
	return NULL;
}
