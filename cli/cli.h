/*
 * cli: the framework under the verbs of `stint`.
 *
 * A verb is one file with one exported constant, its row of the table of commands (CLI_COMMANDS in commands.h names them all). From
 * the rows come parsing, help, man pages, reference documentation and completion; nothing about a command is said twice.
 * A run owns one cli_context; there is no other state. Verbs write what was asked for to ctx->out and everything else to ctx->notes.
 */
#ifndef STINT_CLI_H
#define STINT_CLI_H

#include <stdio.h>

#include <stint/base.h>
#include <stint/kube.h>
#include <stint/text.h>

struct cli_context;

/* ---- the table of commands ----------------------------------------------------------------------------------------------------- */

struct cli_list; /* cli/output/output.h */

enum cli_group { CLI_WORKLOADS, CLI_INSIGHT, CLI_ADMIN, CLI_TOOLS };

/* What an argument must look like. It is checked while parsing, so that a verb sees only values that are right. */
enum cli_type {
	CLI_SWITCH, /* no argument; `--name=false` switches off */
	CLI_TEXT, /* any text but the empty one */
	CLI_INT, /* a whole number within [low, high] */
	CLI_NUMBER, /* a decimal number within [low, high] */
	CLI_DURATION, /* "90s", "1h30m", "2d", 0 */
	CLI_CHOICE, /* one of `choices`, "a|b|c" */
	CLI_FILE, /* a path; "-" is standard input where the verb says so */
	CLI_FOLDER,
};

/* What completes an argument. Names are asked of the cluster with a short time-out. */
enum cli_source {
	CLI_ANYTHING,
	CLI_WORKLOAD_NAMES,
	CLI_POD_NAMES,
	CLI_PROJECT_NAMES,
	CLI_DEPARTMENT_NAMES,
	CLI_NODE_NAMES,
	CLI_NAMESPACE_NAMES,
	CLI_POOL_NAMES, /* of nodes; as a flag's argument several, divided by commas */
	CLI_CLAIM_NAMES, /* PersistentVolumeClaims */
	CLI_PRIORITY_CLASS_NAMES,
	CLI_RUNTIME_CLASS_NAMES,
	CLI_CONTEXT_NAMES, /* of the kubeconfig */
	CLI_COMMAND_NAMES,
	CLI_SETTING_NAMES,
	CLI_OUTPUT_FORMATS, /* those that the command has */
	CLI_SORT_KEYS, /* of the list that the command prints; a leading minus stays */
};

/* A row without a name ends a table of flags. */
struct cli_flag {
	const char *name; /* "gpus", for --gpus */
	char letter; /* 'g', or 0 */
	enum cli_type type;
	const char *argument; /* how help calls it, "N"; NULL: after the type */
	const char *otherwise; /* the value when the flag is not given; NULL: none */
	const char *help; /* starts in lower case, ends without a full stop */
	enum cli_source source;
	const char *choices;
	const char *words; /* of CLI_TEXT: "a|b|c" for completion alone; the command itself checks them */
	bool repeated; /* may be given several times with several values; else the second is refused (of a switch, the last stands) */
	bool seconds; /* of CLI_DURATION: a number without a unit counts seconds, as in kubectl's flag of that name */
	double low, high; /* of CLI_INT and CLI_NUMBER; both 0: no bounds */
};

/* Flags that many commands share. Help shows them with the command's own. */
enum cli_flag_set {
	CLI_SET_LIST = 1, /* --sort-by --no-headers -w/--watch */
	CLI_SET_SELECTOR = 2, /* -l/--selector */
	CLI_SET_YES = 4, /* -y/--yes */
	CLI_SET_DRY_RUN = 8, /* --dry-run=none|client|server|schedule */
};

/* The values of -o that a command has. */
enum cli_format {
	CLI_FORMAT_TABLE = 1,
	CLI_FORMAT_WIDE = 2,
	CLI_FORMAT_NAME = 4,
	CLI_FORMAT_JSON = 8,
	CLI_FORMAT_YAML = 16,
	CLI_FORMAT_CSV = 32,
	CLI_FORMAT_JSONPATH = 64,
};
enum {
	CLI_FORMATS_LIST = 127, /* all of them */
	CLI_FORMATS_OBJECT = CLI_FORMAT_TABLE | CLI_FORMAT_NAME | CLI_FORMAT_JSON | CLI_FORMAT_YAML | CLI_FORMAT_JSONPATH, /* describe */
	CLI_FORMATS_NONE = 0,
};

/* A row without a name ends the list. A positional that is repeated is the last one. */
struct cli_positional {
	const char *name; /* "NAME" */
	const char *help;
	enum cli_source source;
	bool optional;
	bool repeated;
	const char *choices; /* "bash|zsh|fish" or NULL */
	const char *words; /* an optional one that is there only when it is one of these; they are completed */
};

/* What `--` means to a command. */
enum cli_rest {
	CLI_REST_POSITIONAL, /* what follows are positional arguments that may begin with a dash */
	CLI_REST_COMMAND, /* what follows is a command, for ctx->rest */
};

struct cli_command {
	const char *name; /* "port-forward"; of a child: its own word, "create" */
	const char *aliases; /* "ls|l", or NULL */
	enum cli_group group;
	const char *summary; /* one line without a full stop */
	const char *description; /* paragraphs divided by empty lines; NULL: the summary is enough */
	char *(*more)(void); /* further lines for the manual, made from another table, kept as they are; freed by the caller. May be NULL */
	const char *more_title; /* the heading above them */
	const char *examples; /* lines; one that starts with # explains the one below */
	const char *usage; /* what help shows after the name; NULL: made from positionals, flags and rest_help */
	const struct cli_positional *positionals;
	const struct cli_flag *flags;
	unsigned sets; /* of enum cli_flag_set */
	unsigned formats; /* of enum cli_format */
	const struct cli_list *list; /* of CLI_SET_LIST: what it prints, where it is told what --sort-by may name */
	enum cli_rest rest;
	const char *rest_help; /* how help calls the command after --, "COMMAND [ARG...]" */
	unsigned exits; /* CLI_EXIT bits beyond 0, 1, 2, 130 (and 8, but for CLI_TOOLS), which every command may give */
	bool hidden;
	bool no_project; /* it acts in none: -p, -n and -A are refused, and help leaves them out */
	const struct cli_command *const *children; /* NULL-ended; then run may be NULL */
	int (*run)(struct cli_context *ctx); /* the exit code */
};
#define CLI_EXIT(code) (1u << (code)) /* CLI_EXIT(STINT_NOT_FOUND) | ... */

/* ---- one run ------------------------------------------------------------------------------------------------------------------- */

struct cli_values; /* parsed flags */
struct cli_jsonpath;

struct cli_context {
	const struct cli_command *command;
	const struct cli_command *parent; /* of a child: `project`; else NULL */
	char **positionals; /* NULL-ended */
	size_t positional_count;
	char **rest; /* after --, NULL-ended; of CLI_REST_COMMAND alone. rest_given tells `--` with nothing after it */
	size_t rest_count;
	bool rest_given;

	FILE *out; /* what was asked for */
	FILE *notes; /* errors, warnings, hints */
	bool colour; /* of out: a terminal, and nobody said no */
	int columns; /* width of the terminal behind out; 0: not a terminal, or unknown */
	int rows; /* height of that terminal; 0: unknown */
	int verbose; /* how many -v, since the last --verbose=false */

	enum cli_format format;
	struct cli_jsonpath *jsonpath; /* of CLI_FORMAT_JSONPATH */
	int64_t request_timeout_ms; /* 0: the client's default */

	/*
	 * Where a verb's failing calls put their error: `if (!stint_x(..., &ctx->err)) return cli_failed(ctx);`. The framework prints it.
	 */
	struct stint_error *err;

	struct cli_values *values;
	struct cli_session *session; /* what cli_connect and cli_project have found out */
};

/* The whole program: parse, run, report. main() is a call of it. argv[0] is skipped. */
int cli_main(int argc, char **argv, FILE *out, FILE *notes);

/* ---- what was given. A name that the command has not is a bug of the verb and aborts. ------------------------------------------- */

bool cli_given(const struct cli_context *ctx, const char *flag); /* on the command line */
bool cli_switch(const struct cli_context *ctx, const char *flag);
const char *cli_text(const struct cli_context *ctx, const char *flag); /* the last value, else the default, else NULL */
const char *const *cli_texts(const struct cli_context *ctx, const char *flag); /* all values, NULL-ended; never NULL */
int64_t cli_int(const struct cli_context *ctx, const char *flag); /* 0 when there is neither value nor default */
double cli_number(const struct cli_context *ctx, const char *flag);
int64_t cli_duration_ms(const struct cli_context *ctx, const char *flag);
const char *cli_positional(const struct cli_context *ctx, size_t index); /* NULL when absent */

/* ---- saying things -------------------------------------------------------------------------------------------------------------- */

/* The exit code for ctx->err, which the framework prints after run: for `return cli_failed(ctx)`. STINT_FAILED when there is no error. */
int cli_failed(const struct cli_context *ctx);
/* Sets ctx->err and returns the code: `return cli_fail(ctx, STINT_USAGE, "...")`. */
int cli_fail(struct cli_context *ctx, enum stint_code code, const char *format, ...) STINT_PRINTF(3, 4);
/* "stint: sentence" on ctx->notes, at once. */
void cli_note(struct cli_context *ctx, const char *format, ...) STINT_PRINTF(2, 3);
/* Prints *err as cli_note does, frees it and gives its code: for verbs that go on to the next name after an error. */
int cli_note_error(struct cli_context *ctx, struct stint_error **err);
/*
 * Asks "question [y/N] " on the terminal. True: yes, or -y was given. Without a terminal it sets an error that names -y. The command
 * has CLI_SET_YES.
 */
bool cli_confirm(struct cli_context *ctx, const char *format, ...) STINT_PRINTF(2, 3);
/* Flushes ctx->out; false when its reader has gone or the disk is full: a verb that prints for long then ends. */
bool cli_flush(struct cli_context *ctx);
/* A reader that has gone shows in a write alone; here the pipe is asked. */
bool cli_reader_has_gone(const struct cli_context *ctx);
/* Ctrl-C ends the program at once with 130, which must not happen between two writes that belong together. Calls nest. */
void cli_hold_interrupts(void);
void cli_release_interrupts(void);
/* For who has a connection for each of many clients: the usual soft limit of 1,024 files would be the first to give way. */
void cli_raise_file_limit(void);

/* ---- cluster and settings -------------------------------------------------------------------------------------------------------- */

/*
 * The client for the context of the command line, connected to lazily: the first call reads the kubeconfig and sends nothing.
 * Where there is none anywhere and a sandbox runs, the sandbox's, and a note says so. The context owns it. NULL: ctx->err is set.
 */
struct stint_kube *cli_connect(struct cli_context *ctx);
/* For a client of one's own: where -v goes (after cli_connect), and how much of its requests. */
const struct stint_logger *cli_logger(const struct cli_context *ctx);
enum stint_kube_trace cli_trace(const struct cli_context *ctx);
/*
 * The project (and namespace) that the command is about: -p, -n, STINT_PROJECT, own setting, the context, "default". NULL: ctx->err. With
 * -A it is an error: a command that knows -A asks cli_all_projects first.
 */
const char *cli_project(struct cli_context *ctx);
bool cli_all_projects(const struct cli_context *ctx); /* -A */
/* An own setting (config.yaml), or NULL when it is not set or the file cannot be read (then a note has said so once). */
const char *cli_setting(struct cli_context *ctx, const char *key);

#endif
