/*
 * submit: between the flags of a submission (submit.c) and its file (submit_file.c).
 */
#ifndef STINT_CLI_SUBMIT_H
#define STINT_CLI_SUBMIT_H

#include <stint/workload.h>

#include "cli/cli.h"

/* `submit -f`. names: the schedulers that are served, as far as that is known without the cluster. */
int cli_submit_file(struct cli_context *ctx, char *const *names);
/* Whether the project is there and the name in it free. False: ctx->err. */
bool cli_check_place(struct cli_context *ctx, const char *project, const char *name, const struct stint_surroundings *found);
/* submit_notes.c: what is odd and no error. */
void cli_note_sizes(struct cli_context *ctx, const struct stint_submission *submission);
void cli_note_claims(struct cli_context *ctx, struct stint_kube *kube, const struct stint_submission *submission);
/* What a file is submitted for: the first of the objects that makes pods, else the first. */
const struct stint_json *cli_main_object(const struct stint_json *objects);
/*
 * Creates the objects (with --dry-run only shows them, or tells what would happen), says what was done, and waits with --wait. own: those after the first are owned by
 * it. kube may be NULL with --dry-run=client. The exit code.
 */
int cli_create_objects(struct cli_context *ctx, struct stint_kube *kube, struct stint_json *objects, const char *project, bool own);

#endif
