/*
 * wait: until workloads run, have ended or are gone. Looks at each by name, at most once a second, so that waiting for hours costs little;
 * a cluster that has answered once and cannot be reached for a while is no answer.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/cli.h"
#include "cli/pause.h"
#include "cli/wait.h"

enum { SHORTEST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 1000 };

enum target { FOR_RUNNING, FOR_SUCCEEDED, FOR_ENDED, FOR_SUSPENDED, FOR_DELETED };

static enum target target_of(const char *word)
{
	static const char *const words[] = {"running", "succeeded", "ended", "suspended", "deleted"};
	for (size_t at = 0; at < STINT_COUNT(words); at++) {
		if (!strcmp(word, words[at]))
			return (enum target)at;
	}
	return FOR_SUCCEEDED;
}

/* "train" ... (Pending): for the sentence of a time-out. */
static const char *not_yet(enum target target)
{
	switch (target) {
	case FOR_RUNNING: return "does not run yet";
	case FOR_SUCCEEDED: return "has not succeeded yet";
	case FOR_ENDED: return "has not ended yet";
	case FOR_SUSPENDED: return "is not suspended yet";
	case FOR_DELETED: return "still exists";
	}
	return "";
}

static bool is_reached(const struct stint_workload *workload, enum target target)
{
	switch (target) {
	case FOR_RUNNING:
		return workload->phase == STINT_WORKLOAD_SUCCEEDED ||
			(workload->phase == STINT_WORKLOAD_RUNNING && workload->pods_running >= workload->pods_wanted);
	case FOR_SUCCEEDED: return workload->phase == STINT_WORKLOAD_SUCCEEDED;
	case FOR_ENDED: return workload->phase == STINT_WORKLOAD_SUCCEEDED || workload->phase == STINT_WORKLOAD_FAILED;
	case FOR_SUSPENDED: return workload->phase == STINT_WORKLOAD_SUSPENDED;
	case FOR_DELETED: return false;
	}
	return false;
}

static bool never_ends(const struct stint_workload *workload)
{
	return !strcmp(workload->kind, "Deployment") || !strcmp(workload->kind, "StatefulSet") || !strcmp(workload->kind, "ReplicaSet");
}

/* Whether what is waited for can no longer come: ctx->err says why. */
static bool is_hopeless(struct cli_context *ctx, const struct stint_workload *workload, enum target target)
{
	const char *reason = workload->reason ? workload->reason : "no reason is known",
		   *message = workload->message ? workload->message : "";
	const char *colon = *message ? ": " : "";
	if (target == FOR_DELETED)
		return false;
	if (workload->phase == STINT_WORKLOAD_FAILED)
		return cli_fail(ctx, STINT_FAILED, "\"%s\" has failed (%s)%s%s", workload->name, reason, colon, message) != STINT_OK;
	if (workload->phase == STINT_WORKLOAD_DELETING)
		return cli_fail(ctx, STINT_NOT_FOUND, "\"%s\" is being deleted", workload->name) != STINT_OK;
	if (workload->phase == STINT_WORKLOAD_SUCCEEDED)
		return cli_fail(ctx, STINT_FAILED, "\"%s\" has ended already", workload->name) != STINT_OK;
	if (workload->never && target != FOR_SUSPENDED)
		return cli_fail(ctx, STINT_UNSCHEDULABLE, "\"%s\" can never run as asked (%s)%s%s", workload->name, reason, colon,
			       message) != STINT_OK;
	if ((target == FOR_SUCCEEDED || target == FOR_ENDED) && never_ends(workload))
		return cli_fail(ctx, STINT_USAGE,
			       "\"%s\" is a %s, which does not end by itself: wait with --for running, suspended or deleted",
			       workload->name, workload->kind) != STINT_OK;
	return false;
}

struct wait {
	struct stint_kube *kube;
	const char *project;
	enum target target;
	int64_t deadline_ms; /* monotonic; -1: none */
	bool reached; /* the cluster has answered once: it comes back after an interruption */
	bool in_trouble; /* a note has said that the cluster cannot be reached */
	char state[128]; /* for the sentence of a time-out */
};

/* One look at one workload. True: there is an answer, ctx->err unless it is the one that was waited for. */
static bool look(struct cli_context *ctx, struct wait *wait, const char *name)
{
	struct stint_model *model = stint_model_new();
	const struct stint_workload *workload;
	stint_auto_error *err = NULL;
	struct stint_workload_set *set = stint_workload_read(wait->kube, model, wait->project, name, &workload, &err);
	bool decided;
	wait->reached |= set || err->code != STINT_UNREACHABLE;
	if (set) {
		wait->in_trouble = false;
		decided = is_reached(workload, wait->target) || is_hopeless(ctx, workload, wait->target);
		snprintf(wait->state, sizeof(wait->state), "%s%s%s", stint_workload_phase_name(workload->phase),
			workload->reason ? ", " : "", workload->reason ? workload->reason : "");
	} else if (err->code == STINT_NOT_FOUND && wait->target == FOR_DELETED) {
		decided = true;
	} else if (stint_kube_is_passing(err) && wait->reached) {
		if (!wait->in_trouble)
			cli_note(ctx, "%s; trying again", err->message);
		wait->in_trouble = true;
		decided = false;
	} else {
		stint_error_move(&ctx->err, &err);
		decided = true;
	}
	stint_workload_set_free(set);
	stint_model_free(model);
	return decided;
}

static bool wait_for_one(struct cli_context *ctx, struct wait *wait, const char *name)
{
	snprintf(wait->state, sizeof(wait->state), "not seen");
	for (int64_t pause = SHORTEST_PAUSE_MS; !look(ctx, wait, name);) {
		const int64_t left = wait->deadline_ms < 0 ? pause : wait->deadline_ms - stint_monotonic_ms();
		if (left <= 0)
			return stint_fail(&ctx->err, STINT_TIMEOUT, "\"%s\" %s (%s): \"stint %s %s -p %s\" tells more", name,
				not_yet(wait->target), wait->state, wait->target == FOR_RUNNING ? "why" : "describe", name, wait->project);
		if (!cli_pause(stint_kube_loop(wait->kube), left < pause ? left : pause))
			return stint_fail(&ctx->err, STINT_INTERRUPTED, "interrupted");
		pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
	}
	return !ctx->err;
}

static int run(struct cli_context *ctx)
{
	struct wait wait = {.project = cli_project(ctx), .target = target_of(cli_text(ctx, "for")), .deadline_ms = -1};
	if (!wait.project || !(wait.kube = cli_connect(ctx)))
		return cli_failed(ctx);
	if (cli_given(ctx, "timeout"))
		wait.deadline_ms = stint_monotonic_ms() + cli_duration_ms(ctx, "timeout");
	for (size_t at = 0; at < ctx->positional_count; at++) {
		if (!wait_for_one(ctx, &wait, cli_positional(ctx, at)))
			return cli_failed(ctx);
	}
	return STINT_OK;
}

int cli_wait_for_start(struct cli_context *ctx, struct stint_kube *kube, const char *project, const char *name, int64_t deadline_ms)
{
	struct wait wait = {.kube = kube, .project = project, .target = FOR_RUNNING, .deadline_ms = deadline_ms, .reached = true};
	return wait_for_one(ctx, &wait, name) ? STINT_OK : cli_failed(ctx);
}

static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "the workloads to wait for, one after the other", .source = CLI_WORKLOAD_NAMES, .repeated = true},
	{.name = NULL},
};
static const struct cli_flag flags[] = {
	{.name = "for",
		.type = CLI_CHOICE,
		.argument = "STATE",
		.choices = "running|succeeded|ended|suspended|deleted",
		.otherwise = "succeeded",
		.help = "what to wait for; ended is succeeded or failed"},
	{.name = "timeout", .type = CLI_DURATION, .argument = "DURATION", .help = "give up after this long, as 10m; for ever unless set"},
	{.name = NULL},
};

const struct cli_command cli_command_wait = {
	.name = "wait",
	.group = CLI_WORKLOADS,
	.summary = "Wait until workloads run, have ended or are gone",
	.description =
		"It ends at once with the reason when what is waited for can no longer come: 1 when the workload has failed, 7 when it "
		"can never be scheduled as asked, 3 when it is gone.",
	.examples = "stint wait train\n"
		    "stint wait train --for running --timeout 10m\n"
		    "stint delete train -y && stint wait train --for deleted",
	.positionals = positionals,
	.flags = flags,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_TIMEOUT) | CLI_EXIT(STINT_UNSCHEDULABLE),
	.run = run,
};
