/*
 * commands: the table of all commands, in the order of help. A new verb adds its line here and defines, in a file of its own,
 * `const struct cli_command cli_command_<verb>`.
 */
#ifndef STINT_CLI_COMMANDS_H
#define STINT_CLI_COMMANDS_H

#include "cli/cli.h"

#define CLI_COMMANDS(X) \
	X(submit)       \
	X(list)         \
	X(describe)     \
	X(logs)         \
	X(exec)         \
	X(attach)       \
	X(port_forward) \
	X(wait)         \
	X(suspend)      \
	X(resume)       \
	X(delete)       \
	X(why)          \
	X(top)          \
	X(dashboard)    \
	X(events)       \
	X(project)      \
	X(department)   \
	X(node)         \
	X(pool)         \
	X(simulate)     \
	X(sandbox)      \
	X(config)       \
	X(whoami)       \
	X(version)      \
	X(completion)   \
	X(help)         \
	X(complete)

/* NULL-ended. */
const struct cli_command *const *cli_commands(void);
/* By name or alias. */
const struct cli_command *cli_command_find(const struct cli_command *const *commands, const char *word);

#endif
