/*
 * help: --help of every level, from the table of commands. The lines are laid out for 100 columns whatever the terminal is, so that what is
 * pasted into a ticket looks the same everywhere.
 */
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "cli/parse.h"

enum { HELP_COLUMNS = 100 };

const struct cli_exit_text cli_exit_texts[] = {
	{STINT_OK, "done"},
	{STINT_FAILED, "failed"},
	{STINT_USAGE, "the command line or a file is wrong; nothing was done"},
	{STINT_NOT_FOUND, "not found"},
	{STINT_FORBIDDEN, "not allowed"},
	{STINT_CONFLICT, "exists already, or was changed by somebody else"},
	{STINT_TIMEOUT, "timed out"},
	{STINT_UNSCHEDULABLE, "can never be scheduled as asked"},
	{STINT_UNREACHABLE, "the cluster cannot be reached"},
	{STINT_INTERRUPTED, "interrupted"},
	{STINT_OK, NULL},
};

bool cli_exit_possible(const struct cli_command *command, enum stint_code code)
{
	if (code == STINT_INTERRUPTED || code <= STINT_USAGE || (code == STINT_UNREACHABLE && command->group != CLI_TOOLS))
		return true;
	return command->exits & CLI_EXIT(code);
}

const char *cli_group_title(enum cli_group group)
{
	switch (group) {
	case CLI_WORKLOADS: return "Workloads";
	case CLI_INSIGHT: return "Understanding";
	case CLI_ADMIN: return "Sharing the cluster";
	case CLI_TOOLS: return "Tools and settings";
	}
	return "";
}

char *cli_usage(const struct cli_command *parent, const struct cli_command *command)
{
	stint_auto_buf text = {0};
	stint_buf_printf(&text, "stint %s%s%s", parent ? parent->name : "", parent ? " " : "", command->name);
	if (command->children && !command->run) {
		stint_buf_puts(&text, " COMMAND");
		return stint_buf_steal(&text);
	}
	if (command->usage) {
		stint_buf_printf(&text, " %s", command->usage);
		return stint_buf_steal(&text);
	}
	for (const struct cli_positional *at = command->positionals; at && at->name; at++)
		stint_buf_printf(
			&text, at->optional ? " [%s%s]" : " %s%s", at->choices ? at->choices : at->name, at->repeated ? "..." : "");
	if (command->flags || command->sets)
		stint_buf_puts(&text, " [flags]");
	if (command->rest == CLI_REST_COMMAND)
		stint_buf_printf(&text, " [-- %s]", command->rest_help);
	return stint_buf_steal(&text);
}

char *cli_flag_spelling(const struct cli_flag *flag)
{
	const char *argument = cli_flag_argument(flag);
	const char letter[] = {'-', flag->letter, ',', ' ', '\0'};
	return stint_format("%s--%s%s%s", flag->letter ? letter : "", flag->name, argument ? " " : "", argument ? argument : "");
}

char *cli_flag_text(const struct cli_flag *flag)
{
	stint_auto_buf text = {0};
	stint_buf_puts(&text, flag->help);
	if (flag->type == CLI_CHOICE && flag->argument && strcmp(flag->argument, flag->choices) != 0) {
		stint_buf_puts(&text, " (one of ");
		for (const char *at = flag->choices; *at; at++)
			if (*at == '|')
				stint_buf_puts(&text, ", ");
			else
				stint_buf_putc(&text, *at);
		stint_buf_putc(&text, ')');
	}
	if (flag->repeated && flag->type != CLI_SWITCH)
		stint_buf_puts(&text, "; may be repeated");
	if (flag->otherwise)
		stint_buf_printf(&text, "; default: %s", flag->otherwise);
	return stint_buf_steal(&text);
}

static const char *const format_words[] = {"table", "wide", "name", "json", "yaml", "csv", "jsonpath=TEMPLATE"};

char *cli_formats_text(unsigned formats)
{
	stint_auto_buf text = {0};
	for (size_t at = 0; at < STINT_COUNT(format_words); at++)
		if (formats & (1u << at))
			stint_buf_printf(&text, "%s%s", text.length ? ", " : "", format_words[at]);
	return stint_buf_steal(&text);
}

/* Text folded at blanks, its lines after the first behind `indent` blanks. `used` columns of the first line are taken. */
static void put_folded(FILE *out, const char *text, size_t indent, size_t used)
{
	while (*text) {
		const size_t word = strcspn(text, " \n");
		if (used > indent && used + 1 + word > HELP_COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			used = indent;
		} else if (used > indent) {
			fputc(' ', out);
			used++;
		}
		fwrite(text, 1, word, out);
		used += word;
		text += word + strspn(text + word, " \n");
	}
	fputc('\n', out);
}

static void put_pair(FILE *out, const char *left, const char *right, size_t width)
{
	const size_t length = strlen(left), indent = width + 4;
	fprintf(out, "  %s", left);
	if (length > width)
		fprintf(out, "\n%*s", (int)indent, "");
	else
		fprintf(out, "%*s", (int)(indent - 2 - length), "");
	put_folded(out, right, indent, indent);
}

/* Paragraphs, divided by empty lines; a paragraph that starts with a blank is printed as it stands. */
static void put_paragraphs(FILE *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		stint_autofree char *paragraph = stint_strndup(text, end ? (size_t)(end - text) : strlen(text));
		if (*text == ' ')
			fprintf(out, "%s\n\n", paragraph);
		else {
			put_folded(out, paragraph, 0, 0);
			fputc('\n', out);
		}
		text = end ? end + 2 : "";
	}
}

enum { FLAG_WIDTH = 28, NAME_WIDTH = 14 };

static bool is_of_projects(const struct cli_flag *flag)
{
	return strcmp(flag->name, "project") == 0 || strcmp(flag->name, "namespace") == 0 || strcmp(flag->name, "all-projects") == 0;
}

static void put_flags(FILE *out, const struct cli_command *command, const struct cli_flag *flags)
{
	for (const struct cli_flag *flag = flags; flag && flag->name; flag++) {
		if (flags == cli_global_flags && command->no_project && is_of_projects(flag))
			continue;
		stint_autofree char *spelling = cli_flag_spelling(flag);
		stint_autofree char *left = flag->letter ? stint_strdup(spelling) : stint_format("    %s", spelling);
		stint_autofree char *right = cli_flag_text(flag);
		if (flags == cli_global_flags && strcmp(flag->name, "output") == 0) {
			if (command->formats == CLI_FORMATS_NONE)
				continue;
			stint_autofree char *formats = cli_formats_text(command->formats);
			free(right);
			right = stint_format("how to print: %s", formats);
		}
		put_pair(out, left, right, FLAG_WIDTH);
	}
}

static void put_all_flags(FILE *out, const struct cli_command *command)
{
	if (command->flags || command->sets)
		fputs("Flags:\n", out);
	put_flags(out, command, command->flags);
	for (unsigned set = CLI_SET_LIST; set <= CLI_SET_DRY_RUN; set *= 2)
		if (command->sets & set)
			put_flags(out, command, cli_set_flags((enum cli_flag_set)set));
	if (command->flags || command->sets)
		fputc('\n', out);
	fputs("Flags of every command:\n", out);
	put_flags(out, command, cli_global_flags);
	fputc('\n', out);
}

static void put_children(FILE *out, const struct cli_command *command)
{
	fputs("Commands:\n", out);
	for (size_t at = 0; command->children[at]; at++)
		put_pair(out, command->children[at]->name, command->children[at]->summary, NAME_WIDTH);
	fprintf(out, "\n\"stint %s COMMAND --help\" tells more.\n", command->name);
}

static void put_aliases(FILE *out, const char *aliases)
{
	fputs("Also: ", out);
	for (; *aliases; aliases++)
		if (*aliases == '|')
			fputs(", ", out);
		else
			fputc(*aliases, out);
	fputs("\n\n", out);
}

void cli_help_command(FILE *out, const struct cli_command *parent, const struct cli_command *command)
{
	stint_autofree char *usage = cli_usage(parent, command);
	fprintf(out, "%s.\n\nUsage: %s\n\n", command->summary, usage);
	if (command->aliases)
		put_aliases(out, command->aliases);
	if (command->description)
		put_paragraphs(out, command->description);
	if (command->children) {
		put_children(out, command);
		if (!command->run)
			return;
		fputc('\n', out);
	}
	if (command->positionals) {
		fputs("Arguments:\n", out);
		for (const struct cli_positional *at = command->positionals; at->name; at++)
			put_pair(out, at->name, at->help, NAME_WIDTH);
		fputc('\n', out);
	}
	put_all_flags(out, command);
	if (command->examples)
		fputs("Examples:\n", out);
	for (const char *line = command->examples; line && *line;) {
		const size_t length = strcspn(line, "\n");
		fprintf(out, "  %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
	if (command->examples)
		fputc('\n', out);
	fputs("Exit codes: ", out);
	for (const struct cli_exit_text *exit_text = cli_exit_texts; exit_text->text; exit_text++)
		if (cli_exit_possible(command, exit_text->code))
			fprintf(out, "%s%d %s", exit_text->code == STINT_OK ? "" : " | ", (int)exit_text->code, exit_text->text);
	fputc('\n', out);
}

void cli_help_overview(FILE *out, const struct cli_command *const *commands)
{
	fputs("stint shares a GPU cluster between people and teams.\n\n"
	      "Usage: stint COMMAND [ARG...] [flags]\n\n",
		out);
	for (enum cli_group group = CLI_WORKLOADS; group <= CLI_TOOLS; group++) {
		fprintf(out, "%s:\n", cli_group_title(group));
		for (size_t at = 0; commands[at]; at++)
			if (commands[at]->group == group && !commands[at]->hidden)
				put_pair(out, commands[at]->name, commands[at]->summary, NAME_WIDTH);
		fputc('\n', out);
	}
	fputs("The first two commands:\n"
	      "  stint sandbox up                                    # a cluster on this machine\n"
	      "  stint submit hello -i python:3.12 -g 0.5 -- python -c 'print(\"hello\")'\n\n"
	      "\"stint COMMAND --help\" tells more, \"stint help --man COMMAND\" prints a manual page.\n",
		out);
}
