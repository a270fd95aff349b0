/*
 * commands: the list that commands.h names, and looking a command up.
 */
#include "cli/commands.h"

#include <string.h>

#include "cli/parse.h"

#define DECLARE(verb) extern const struct cli_command cli_command_##verb __attribute__((weak));
CLI_COMMANDS(DECLARE)

const struct cli_command *const *cli_commands(void)
{
#define ADDRESS(verb) &cli_command_##verb,
	static const struct cli_command *const listed[] = {CLI_COMMANDS(ADDRESS)};
	/* A verb whose file is not linked (a test program that needs a few only) is left out. */
	static const struct cli_command *linked[STINT_COUNT(listed) + 1];
	size_t count = 0;
	for (size_t at = 0; at < STINT_COUNT(listed); at++)
		if (listed[at])
			linked[count++] = listed[at];
	return linked;
}

const struct cli_command *cli_command_find(const struct cli_command *const *commands, const char *word)
{
	for (; *commands; commands++)
		if (strcmp((*commands)->name, word) == 0 || cli_choice_has((*commands)->aliases, word, strlen(word)))
			return *commands;
	return NULL;
}
