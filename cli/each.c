/*
 * each: see each.h.
 */
#include "cli/each.h"

#include <stint/kube.h>

#include <string.h>

/* The name stands among those before it: once is enough, and the second time it would be gone. */
static bool is_again(const struct cli_context *ctx, size_t at)
{
	size_t first = 0;
	while (strcmp(ctx->positionals[first], ctx->positionals[at]) != 0)
		first++;
	return first < at;
}

int cli_for_each_workload(struct cli_context *ctx, struct stint_kube *kube, const char *project,
	bool (*act)(struct cli_context *ctx, struct stint_kube *kube, const struct stint_workload *workload, struct stint_error **err))
{
	int exit_code = STINT_OK;
	for (size_t at = 0; at < ctx->positional_count; at++) {
		if (is_again(ctx, at))
			continue;
		struct stint_model *model = stint_model_new();
		const struct stint_workload *workload;
		stint_auto_error *err = NULL;
		struct stint_workload_set *set = NULL;
		if (stint_name_check("workload", ctx->positionals[at], 253, &err))
			set = stint_workload_read(kube, model, project, ctx->positionals[at], &workload, &err);
		const bool fine = set && act(ctx, kube, workload, &err);
		stint_workload_set_free(set);
		stint_model_free(model);
		if (fine)
			continue;
		const int code = cli_note_error(ctx, &err);
		exit_code = exit_code == STINT_OK ? code : exit_code;
	}
	return exit_code;
}
