/*
 * submit_notes: what is odd about a submission and no error: a volume claim that is not there yet, a size without its unit. Told on standard
 * error; the submission goes on.
 */
#include <string.h>

#include <stint/kube.h>
#include <stint/model.h>

#include "cli/submit.h"

enum { MIB = 1024 * 1024 };

/* The API server takes it as bytes, and so do we. */
static void note_size(struct cli_context *ctx, const char *flag, const char *text)
{
	int64_t bytes;
	if (text && stint_quantity_parse(stint_slice_of(text), STINT_UNIT_ONE, &bytes) && bytes > 0 && bytes < MIB)
		cli_note(ctx, "%s %s is less than a mebibyte (%lld byte%s): sizes have units, as 512Mi or 64Gi", flag, text,
			(long long)bytes, bytes == 1 ? "" : "s");
}

void cli_note_sizes(struct cli_context *ctx, const struct stint_submission *submission)
{
	note_size(ctx, "--memory", submission->memory);
	note_size(ctx, "--shm-size", submission->shm_size);
}

void cli_note_claims(struct cli_context *ctx, struct stint_kube *kube, const struct stint_submission *submission)
{
	for (const char *const *text = submission->claims; text && *text; text++) {
		struct stint_error *err = NULL;
		stint_autofree char *name = stint_strndup(*text, strcspn(*text, ":"));
		stint_auto_json *claim = stint_kube_get(kube, &stint_kube_persistentvolumeclaims, submission->project, name, &err);
		if (!claim && err->code == STINT_NOT_FOUND)
			cli_note(ctx, "project \"%s\" has no volume claim \"%s\" yet: the workload waits until somebody has made it",
				submission->project, name);
		stint_error_clear(&err);
	}
}
