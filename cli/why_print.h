/*
 * why_print: see why_print.c.
 */
#ifndef STINT_CLI_WHY_PRINT_H
#define STINT_CLI_WHY_PRINT_H

#include "cli/cli.h"

/* "in 2h"; NULL where the object does not say. Freed by the caller. */
char *cli_why_seconds(const struct stint_json *object, const char *key);
/* With a title and an empty line before; nothing where there is nothing. */
void cli_why_print_holders(struct cli_context *ctx, const struct stint_json *record);
void cli_why_print_reclaim(
	struct cli_context *ctx, const struct stint_json *record); /* why nothing is taken back for it, where that is told */
void cli_why_print_list(struct cli_context *ctx, const char *title, const struct stint_json *list, const char *key); /* the texts at key */
void cli_why_print_events(struct cli_context *ctx, const struct stint_json *events); /* {reason, message, time} */

#endif
