/*
 * man: manual pages and the reference documentation, from the table of commands. No dates and no versions stand in them, so that making
 * them again without a change gives the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/parse.h"

/* Text for troff: hyphens that can be copied, no accidental requests. */
static void put_troff(FILE *out, const char *text)
{
	bool at_start = true;
	for (; *text; text++) {
		if (at_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		at_start = *text == '\n';
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
	}
}

static void put_heading(FILE *out, const char *macro, const char *text)
{
	fprintf(out, ".%s \"", macro);
	put_troff(out, text);
	fputs("\"\n", out);
}

static void put_term(FILE *out, const char *term, const char *text)
{
	fputs(".TP\n.B ", out);
	put_troff(out, term);
	fputc('\n', out);
	put_troff(out, text);
	fputc('\n', out);
}

static void put_text(FILE *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		stint_autofree char *paragraph = stint_strndup(text, end ? (size_t)(end - text) : strlen(text));
		const bool verbatim = *paragraph == ' ';
		fputs(verbatim ? ".PP\n.nf\n" : ".PP\n", out);
		put_troff(out, paragraph);
		fputs(verbatim ? "\n.fi\n" : "\n", out);
		text = end ? end + 2 : "";
	}
}

static void put_flag_table(FILE *out, const struct cli_flag *flags)
{
	for (; flags && flags->name; flags++) {
		stint_autofree char *spelling = cli_flag_spelling(flags);
		stint_autofree char *text = cli_flag_text(flags);
		put_term(out, spelling, text);
	}
}

/* The flags, arguments and examples of one command, under headings of the given macro. */
static void put_command(FILE *out, const struct cli_command *command, const char *macro)
{
	if (command->positionals)
		put_heading(out, macro, "ARGUMENTS");
	for (const struct cli_positional *at = command->positionals; at && at->name; at++)
		put_term(out, at->name, at->help);
	if (command->flags || command->sets)
		put_heading(out, macro, "OPTIONS");
	put_flag_table(out, command->flags);
	for (unsigned set = CLI_SET_LIST; set <= CLI_SET_DRY_RUN; set *= 2)
		if (command->sets & set)
			put_flag_table(out, cli_set_flags((enum cli_flag_set)set));
	if (command->formats) {
		stint_autofree char *formats = cli_formats_text(command->formats);
		stint_autofree char *text = stint_format("how to print: %s", formats);
		put_term(out, "-o, --output FORMAT", text);
	}
	if (command->examples) {
		put_heading(out, macro, "EXAMPLES");
		fputs(".nf\n", out);
		put_troff(out, command->examples);
		fputs("\n.fi\n", out);
	}
}

static void put_exits(FILE *out, const struct cli_command *command)
{
	put_heading(out, "SH", "EXIT STATUS");
	for (const struct cli_exit_text *exit_text = cli_exit_texts; exit_text->text; exit_text++) {
		bool possible = !command || cli_exit_possible(command, exit_text->code);
		for (size_t at = 0; command && command->children && command->children[at]; at++)
			possible |= cli_exit_possible(command->children[at], exit_text->code);
		stint_autofree char *code = stint_format("%d", (int)exit_text->code);
		if (possible)
			put_term(out, code, exit_text->text);
	}
}

static void put_children(FILE *out, const struct cli_command *command)
{
	for (size_t at = 0; command->children[at]; at++) {
		const struct cli_command *child = command->children[at];
		stint_autofree char *usage = cli_usage(command, child);
		put_heading(out, "SH", usage);
		fputs(".PP\n", out);
		put_troff(out, child->summary);
		fputs(".\n", out);
		if (child->description)
			put_text(out, child->description);
		put_command(out, child, "SS");
	}
}

static void put_overview(FILE *out, const struct cli_command *const *commands)
{
	fputs(".TH STINT 1 \"\" stint \"User Commands\"\n.SH NAME\nstint \\- share a GPU cluster between people and teams\n"
	      ".SH SYNOPSIS\n.B stint\n.I COMMAND\n[ARG...] [flags]\n",
		out);
	for (enum cli_group group = CLI_WORKLOADS; group <= CLI_TOOLS; group++) {
		put_heading(out, "SH", cli_group_title(group));
		for (size_t at = 0; commands[at]; at++) {
			stint_autofree char *page = stint_format("stint-%s(1)", commands[at]->name);
			if (commands[at]->group == group && !commands[at]->hidden)
				put_term(out, page, commands[at]->summary);
		}
	}
	put_heading(out, "SH", "OPTIONS");
	put_flag_table(out, cli_global_flags);
	put_heading(out, "SH", "ENVIRONMENT");
	put_term(out, "KUBECONFIG", "the kubeconfig files to use, divided by colons");
	put_term(out, "STINT_PROJECT", "the project of commands that name none");
	put_term(out, "NO_COLOR", "when set: no colours");
	put_term(out, "XDG_CONFIG_HOME", "where stint/config.yaml is; default: ~/.config");
	put_term(out, "XDG_STATE_HOME", "where stint/sandbox is; default: ~/.local/state");
	put_exits(out, NULL);
}

void cli_man_page(FILE *out, const struct cli_command *const *commands, const struct cli_command *command)
{
	if (!command) {
		put_overview(out, commands);
		return;
	}
	stint_autofree char *usage = cli_usage(NULL, command);
	stint_autofree char *title = stint_format("STINT-%s", command->name);
	for (char *at = title; *at; at++)
		*at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
	fprintf(out, ".TH %s 1 \"\" stint \"User Commands\"\n.SH NAME\nstint\\-", title);
	put_troff(out, command->name);
	fputs(" \\- ", out);
	put_troff(out, command->summary);
	fputs("\n.SH SYNOPSIS\n", out);
	put_troff(out, usage);
	fputs("\n", out);
	if (command->description) {
		put_heading(out, "SH", "DESCRIPTION");
		put_text(out, command->description);
	}
	if (command->more) {
		stint_autofree char *more = command->more();
		put_heading(out, "SH", command->more_title);
		fputs(".PP\n.nf\n", out);
		put_troff(out, more);
		fputs("\n.fi\n", out);
	}
	put_command(out, command, "SH");
	if (command->children)
		put_children(out, command);
	put_exits(out, command);
	fputs(".SH SEE ALSO\n.BR stint (1)\n", out);
}

/* ---- Markdown -------------------------------------------------------------------------------------------------------------------- */

static void put_markdown_flags(FILE *out, const struct cli_flag *flags)
{
	for (; flags && flags->name; flags++) {
		stint_autofree char *spelling = cli_flag_spelling(flags);
		stint_autofree char *text = cli_flag_text(flags);
		fprintf(out, "| `%s` | ", spelling);
		for (const char *at = text; *at; at++)
			fprintf(out, *at == '|' ? "\\%c" : "%c", *at);
		fputs(" |\n", out);
	}
}

static void put_markdown_command(FILE *out, const struct cli_command *parent, const struct cli_command *command)
{
	stint_autofree char *path = cli_command_path(parent, command), *usage = cli_usage(parent, command);
	fprintf(out, "%s stint %s\n\n%s.\n\n", parent ? "###" : "##", path, command->summary);
	fprintf(out, "    %s\n\n", usage);
	if (command->description)
		fprintf(out, "%s\n\n", command->description);
	if (command->more) {
		stint_autofree char *more = command->more();
		fprintf(out, "%s:\n\n```\n%s\n```\n\n", command->more_title, more);
	}
	for (const struct cli_positional *at = command->positionals; at && at->name; at++)
		fprintf(out, "* `%s`: %s\n", at->name, at->help);
	if (command->positionals)
		fputc('\n', out);
	if (command->flags || command->sets) {
		fputs("| flag | meaning |\n|---|---|\n", out);
		put_markdown_flags(out, command->flags);
		for (unsigned set = CLI_SET_LIST; set <= CLI_SET_DRY_RUN; set *= 2)
			if (command->sets & set)
				put_markdown_flags(out, cli_set_flags((enum cli_flag_set)set));
		fputc('\n', out);
	}
	if (command->formats) {
		stint_autofree char *formats = cli_formats_text(command->formats);
		fprintf(out, "Output (`-o`): %s.\n\n", formats);
	}
	if (command->examples)
		fprintf(out, "```sh\n%s\n```\n\n", command->examples);
	if (command->run) {
		fputs("Exit codes:", out);
		for (const struct cli_exit_text *exit_text = cli_exit_texts; exit_text->text; exit_text++)
			if (cli_exit_possible(command, exit_text->code))
				fprintf(out, " %d", (int)exit_text->code);
		fputs(".\n\n", out);
	}
	for (size_t at = 0; command->children && command->children[at]; at++)
		put_markdown_command(out, command, command->children[at]);
}

void cli_reference(FILE *out, const struct cli_command *const *commands)
{
	fputs("# Reference\n\nMade from the table of commands by `stint help --reference`; the lint makes it again and compares.\n\n"
	      "Flags of every command:\n\n| flag | meaning |\n|---|---|\n",
		out);
	put_markdown_flags(out, cli_global_flags);
	fputs("\nExit codes:\n\n| code | meaning |\n|---|---|\n", out);
	for (const struct cli_exit_text *exit_text = cli_exit_texts; exit_text->text; exit_text++)
		fprintf(out, "| %d | %s |\n", (int)exit_text->code, exit_text->text);
	fputc('\n', out);
	for (size_t at = 0; commands[at]; at++)
		if (!commands[at]->hidden)
			put_markdown_command(out, NULL, commands[at]);
}
