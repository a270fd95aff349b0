/*
 * help: the table of commands as text for people: --help, man pages and the reference documentation. Pure but for the stream.
 */
#ifndef STINT_CLI_HELP_H
#define STINT_CLI_HELP_H

#include "cli/cli.h"

void cli_help_overview(FILE *out, const struct cli_command *const *commands);
void cli_help_command(FILE *out, const struct cli_command *parent, const struct cli_command *command);

/* A manual page in man(7) macros. command NULL: stint(1) itself. A noun's page holds all its children. */
void cli_man_page(FILE *out, const struct cli_command *const *commands, const struct cli_command *command);
/* docs/reference.md: every command in Markdown. */
void cli_reference(FILE *out, const struct cli_command *const *commands);

/* What follows "stint NAME" in a line of usage; freed by the caller. */
char *cli_usage(const struct cli_command *parent, const struct cli_command *command);
/* "-g, --gpus N"; freed by the caller. */
char *cli_flag_spelling(const struct cli_flag *flag);
/* The help of a flag with its default, choices and whether it repeats; freed by the caller. */
char *cli_flag_text(const struct cli_flag *flag);
/* The formats of -o of a command, "table, json"; freed by the caller. */
char *cli_formats_text(unsigned formats);
const char *cli_group_title(enum cli_group group);

struct cli_exit_text {
	enum stint_code code;
	const char *text;
};
extern const struct cli_exit_text cli_exit_texts[]; /* in the order of codes, ended by a NULL text */
bool cli_exit_possible(const struct cli_command *command, enum stint_code code);

#endif
