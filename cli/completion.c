/*
 * completion: the scripts for shells. They are small and know nothing of stint's commands: they hand the words to `stint __complete`
 * (cli/complete.c), which answers from the table of commands and, for names, from the cluster. completions/ holds what this prints.
 */
#include <string.h>

#include "cli/cli.h"

static const char bash_script[] =
	"# bash completion for stint; load it with: source <(stint completion bash)\n"
	"_stint() {\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} value\n"
	"\tlocal words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
	"\t[[ $current == = ]] && current=\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS=$'\\t' read -r value _; do\n"
	"\t\tcase $value in\n"
	"\t\t:files) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\") ;;\n"
	"\t\t:folders) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
	"\t\t*) COMPREPLY+=(\"$value\") ;;\n"
	"\t\tesac\n"
	"\tdone < <(\"${COMP_WORDS[0]}\" __complete -- \"${words[@]}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _stint stint\n";

static const char zsh_script[] =
	"#compdef stint\n"
	"# zsh completion for stint; put it as _stint into a folder of $fpath, or: source <(stint completion zsh)\n"
	"_stint() {\n"
	"\tlocal -a values\n"
	"\tlocal line\n"
	"\tfor line in \"${(@f)$(${words[1]} __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
	"\t\tcase $line in\n"
	"\t\t'') ;;\n"
	"\t\t:files) _files ;;\n"
	"\t\t:folders) _files -/ ;;\n"
	"\t\t*) values+=(\"${${line//:/\\\\:}/$'\\t'/:}\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t(( ${#values} )) && _describe -V stint values\n"
	"}\n"
	"if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
	"\t_stint \"$@\"\n"
	"else\n"
	"\tcompdef _stint stint\n"
	"fi\n";

static const char fish_script[] = "# fish completion for stint; load it with: stint completion fish | source\n"
				  "function __stint_complete\n"
				  "\tset -l words (commandline -opc) (commandline -ct)\n"
				  "\tset -l program $words[1]\n"
				  "\tset -e words[1]\n"
				  "\tfor line in ($program __complete -- $words 2>/dev/null)\n"
				  "\t\tswitch $line\n"
				  "\t\t\tcase :files\n"
				  "\t\t\t\t__fish_complete_path (commandline -ct)\n"
				  "\t\t\tcase :folders\n"
				  "\t\t\t\t__fish_complete_directories (commandline -ct)\n"
				  "\t\t\tcase '*'\n"
				  "\t\t\t\techo $line\n"
				  "\t\tend\n"
				  "\tend\n"
				  "end\n"
				  "complete -c stint -f -a '(__stint_complete)'\n";

static int run(struct cli_context *ctx)
{
	const char *shell = cli_positional(ctx, 0);
	fputs(strcmp(shell, "bash") == 0 ? bash_script : strcmp(shell, "zsh") == 0 ? zsh_script : fish_script, ctx->out);
	return STINT_OK;
}

static const struct cli_positional positionals[] = {
	{.name = "SHELL", .help = "bash, zsh or fish", .choices = "bash|zsh|fish"},
	{.name = NULL},
};

const struct cli_command cli_command_completion = {
	.name = "completion",
	.group = CLI_TOOLS,
	.summary = "Print the completion script of a shell",
	.description = "Commands, flags and choices are completed without asking anybody; names of workloads, projects, nodes and the like "
		       "are asked of the "
		       "cluster, for at most a second.",
	.examples = "source <(stint completion bash)\n"
		    "stint completion zsh > ~/.zfunc/_stint\n"
		    "stint completion fish | source",
	.positionals = positionals,
	.no_project = true,
	.run = run,
};
