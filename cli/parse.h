/*
 * parse: a command line against the table of commands. Pure: it reads argv and the tables, and prints nothing.
 *
 * GNU style: --flag=value, --flag value, -n4, -n 4, -yA (switches together), flags and positional arguments in any order, `--`. Long names
 * are never abbreviated, so that a script keeps its meaning when a flag is added. Every value has been checked when parsing ends.
 */
#ifndef STINT_CLI_PARSE_H
#define STINT_CLI_PARSE_H

#include "cli/cli.h"

/* The value of one flag as it was given; values of repeated flags stand one after the other. */
struct cli_value {
	const struct cli_flag *flag;
	const char *text; /* borrowed from argv; "true" or "false" of a switch */
};
struct cli_values {
	struct cli_value *items;
	size_t count, capacity;
	const char ***lists; /* what cli_texts has given, kept so that its results live as long as this */
	size_t lists_count, lists_capacity;
	const struct cli_command *command;
};
void cli_values_free(struct cli_values *values);
bool cli_values_add(struct cli_values *values, const struct cli_flag *flag, const char *text, struct stint_error **err); /* checks it */

struct cli_parsed {
	const struct cli_command *command; /* NULL: none was named */
	const struct cli_command *parent;
	bool help; /* --help stood there; nothing after it has been checked */
	bool version; /* --version before a command */
	struct cli_values *values;
	char **positionals; /* the arrays are NULL-ended and owned, the texts borrowed from argv */
	size_t positional_count;
	char **rest;
	size_t rest_count;
	bool rest_given;
};
/* argv without the program's name. On failure (STINT_USAGE) *out still tells how far it came, and is freed the same way. */
bool cli_parse(const struct cli_command *const *commands, int argc, char **argv, struct cli_parsed *out, struct stint_error **err);
void cli_parsed_free(struct cli_parsed *parsed);

/* All flags that hold for a command, its own first: walk with index 0, 1, ... until NULL. command NULL: the global ones alone. */
const struct cli_flag *cli_flag_at(const struct cli_command *command, size_t index);
const struct cli_flag *cli_flag_find(const struct cli_command *command, const char *name, size_t length);
const struct cli_flag *cli_flag_by_letter(const struct cli_command *command, char letter);
extern const struct cli_flag cli_global_flags[];
/* The flags of one bit of enum cli_flag_set. */
const struct cli_flag *cli_set_flags(enum cli_flag_set set);
/* What help calls the argument of a flag; NULL: it takes none. */
const char *cli_flag_argument(const struct cli_flag *flag);
/* "a|b" holds the word. */
bool cli_choice_has(const char *choices, const char *word, size_t length);
/* The full name of a command, "project create"; freed by the caller. */
char *cli_command_path(const struct cli_command *parent, const struct cli_command *command);

#endif
