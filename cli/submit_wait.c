/*
 * submit_wait: `submit --wait`. Looks at the one workload again and again, at most once a second, until it runs or never will. Its requests
 * are a few gets by name, so that waiting for hours costs the cluster little.
 */
#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/pause.h"
#include "cli/submit.h"

enum { SHORTEST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 1000 };

/* True when there is an answer: *exit_code, and ctx->err unless it is 0. */
static bool is_decided(struct cli_context *ctx, const struct stint_workload *workload, int *exit_code)
{
	const char *reason = workload->reason ? workload->reason : "no reason is known";
	const char *message = workload->message ? workload->message : "";
	const char *colon = workload->message ? ": " : "";
	*exit_code = STINT_OK;
	if (workload->phase == STINT_WORKLOAD_SUCCEEDED)
		return true;
	if (workload->phase == STINT_WORKLOAD_RUNNING && workload->pods_running >= workload->pods_wanted)
		return true;
	if (workload->phase == STINT_WORKLOAD_FAILED)
		*exit_code = cli_fail(ctx, STINT_FAILED, "\"%s\" has failed (%s)%s%s", workload->name, reason, colon, message);
	else if (workload->never)
		*exit_code = cli_fail(
			ctx, STINT_UNSCHEDULABLE, "\"%s\" can never run as asked (%s)%s%s", workload->name, reason, colon, message);
	else if (workload->phase == STINT_WORKLOAD_DELETING)
		*exit_code = cli_fail(ctx, STINT_NOT_FOUND, "\"%s\" is being deleted", workload->name);
	return *exit_code != STINT_OK;
}

int cli_wait_for_start(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *name, int64_t timeout_ms)
{
	const int64_t deadline = stint_monotonic_ms() + timeout_ms;
	for (int64_t pause = SHORTEST_PAUSE_MS;; pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS) {
		struct stint_model *model = stint_model_new();
		const struct stint_workload *workload;
		int exit_code = STINT_FAILED;
		struct stint_workload_set *set = stint_workload_read(kube, model, project, name, &workload, &ctx->err);
		bool decided = !set || is_decided(ctx, workload, &exit_code);
		const int64_t left = timeout_ms < 0 ? pause : deadline - stint_monotonic_ms();
		if (!decided && left <= 0) {
			exit_code = cli_fail(ctx, STINT_TIMEOUT,
				"\"%s\" does not run yet (%s%s%s): \"stint why %s -p %s\" tells what it waits for", name,
				stint_workload_phase_name(workload->phase), workload->reason ? ", " : "",
				workload->reason ? workload->reason : "", name, project);
			decided = true;
		}
		const bool lost = !set;
		stint_workload_set_free(set);
		stint_model_free(model);
		if (decided)
			return lost ? cli_failed(ctx) : exit_code;
		if (!cli_pause(stint_kube_loop(kube), left < pause ? left : pause))
			return cli_fail(ctx, STINT_INTERRUPTED, "interrupted: \"%s\" stays in the cluster", name);
	}
}
