/*
 * output: how `stint` prints lists and objects: tables for people, and name, json, yaml, csv and jsonpath for programs.
 *
 * A list command makes JSON items and describes its columns; everything else (-o, --sort-by, --no-headers, --watch) happens here,
 * the same for all.
 * Cells are never cut: a table that is wider than the terminal wraps its CLI_WRAP column, else it overflows.
 */
#ifndef STINT_CLI_OUTPUT_H
#define STINT_CLI_OUTPUT_H

#include "cli/cli.h"

/* ---- lists ----------------------------------------------------------------------------------------------------------------------- */

enum cli_column_flags {
	CLI_RIGHT = 1, /* numbers */
	CLI_WIDE = 2, /* in -o wide and csv alone */
	CLI_WRAP = 4, /* prose: folded when the terminal is narrow; the last column of a table */
	CLI_STATE = 8, /* a phase or condition: coloured by what the word means */
	CLI_CSV = 16, /* in csv alone: a cell of the table has it with others */
};

struct cli_column {
	const char *title; /* "GPUS" */
	const char *path; /* where the value stands in an item, "pods.running"; also the column's name in csv and --sort-by */
	/* What the table shows; NULL: the value as text, "-" when it is not there. The result is freed. */
	char *(*show)(const struct stint_json *item);
	unsigned flags;
};

struct cli_list {
	const char *api_version; /* of the list document: "stint.dev/v1" */
	const char *kind; /* "WorkloadList" */
	const struct cli_column *columns; /* ended by a row without a title */
	char *(*name)(const struct stint_json *item); /* for -o name: "job.batch/train"; NULL: .name */
	const char *fields; /* what items may have beyond the columns, "started,ended": for --sort-by; NULL: what they have */
	const char *sort; /* the order without --sort-by: paths, "project,name"; NULL: as given */
};

/*
 * Prints the items (a JSON array, which it takes) as -o says. `nothing` is the sentence for people when a table would be empty (on notes;
 * may be NULL). Returns the exit code.
 */
int cli_print_list(struct cli_context *ctx, const struct cli_list *list, struct stint_json *items, const char *nothing);

/*
 * The same for --watch, to be called whenever the items have changed. On a terminal the table is drawn over the former one; else rows that
 * are new or have changed are printed below (with -o json, yaml, name: the changed items, one document each). False: nobody reads any more.
 */
struct cli_watch_view;
struct cli_watch_view *cli_watch_view_new(struct cli_context *ctx, const struct cli_list *list);
bool cli_watch_view_show(struct cli_watch_view *view, struct stint_json *items);
void cli_watch_view_free(struct cli_watch_view *view);

/* ---- one object ------------------------------------------------------------------------------------------------------------------- */

/* Prints the object (not taken) for -o json, yaml, name (name_text), jsonpath. False: the format is the table, which the verb prints. */
bool cli_print_object(struct cli_context *ctx, const struct stint_json *object, const char *name_text, int *exit_code);

/* "Key:   value" lines of a description, aligned within one block. A value of several lines is indented; NULL or "" prints nothing. */
struct cli_fields;
struct cli_fields *cli_fields_new(void);
void cli_fields_add(struct cli_fields *fields, const char *key, const char *format, ...) STINT_PRINTF(3, 4);
void cli_fields_print(struct cli_fields *fields, struct cli_context *ctx); /* and frees them */

/* ---- tables of text, for descriptions and for what is not a list of items ------------------------------------------------------------ */

struct cli_table;
struct cli_table *cli_table_new(const struct cli_column *columns); /* path and show are not used */
void cli_table_add(struct cli_table *table, char *cell); /* takes it; NULL is "-". Cells fill rows from left to right */
void cli_table_print(
	struct cli_table *table, struct stint_buf *out, bool headers, bool wide, bool colour, int terminal_columns, int indent);
void cli_table_free(struct cli_table *table);

/* ---- text for people. Results are freed by the caller. ---------------------------------------------------------------------------- */

char *cli_show_age(const char *rfc3339, int64_t now_ms); /* "4m12s"; "-" for NULL or not a time */
char *cli_show_gpus(double gpus); /* "0.5", "2", "0.333" */
char *cli_show_bytes(double bytes); /* "1.5Gi" */
/* "job.batch/train", as kubectl takes it; what is NULL is left empty. */
char *cli_resource_name(const char *api_version, const char *kind, const char *name);
const char *cli_state_colour(const char *word); /* an SGR sequence, or "" */
extern const char cli_colour_off[];
/* Columns that the text fills on a terminal: UTF-8, wide and combining characters counted as they show. */
size_t cli_text_width(const char *text);

#endif
