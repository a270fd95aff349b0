/*
 * why: why a workload waits, who has what it needs, and what would start it. The words are the scheduler's; here they are laid out.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/model.h>

#include "cli/output/output.h"
#include "cli/why_fetch.h"
#include "cli/why_print.h"

static const char *text(const struct stint_json *object, const char *key)
{
	return stint_json_string(stint_json_get(object, key));
}

static void print_head(struct cli_context *ctx, const struct stint_json *record)
{
	const char *phase = stint_json_string_or(stint_json_get(record, "phase"), "");
	stint_autofree char *reason = stint_strdup(text(record, "reason"));
	const bool waits = strcmp(phase, "Waiting") == 0;
	stint_autofree char *name = stint_strdup(stint_json_string_or(stint_json_get(record, "workload"), ""));
	stint_autofree char *message = stint_strdup(text(record, "message"));
	stint_sanitize(name);
	if (reason) /* a pod's own condition may say anything */
		stint_sanitize(reason);
	if (message)
		stint_sanitize(message);
	if (waits && stint_json_bool_or(stint_json_get(record, "never"), false))
		fprintf(ctx->out, "%s can never run as asked: %s\n", name, reason ? reason : "no reason is known");
	else if (waits)
		fprintf(ctx->out, "%s waits: %s\n", name, reason ? reason : "no reason is known yet");
	else if (strcmp(phase, "Placed") == 0)
		fprintf(ctx->out, "%s does not wait: all its pods have a place\n", name);
	else
		fprintf(ctx->out, "%s has no pods that could be placed%s%s\n", name, reason ? ": " : "", reason ? reason : "");
	if (message)
		fprintf(ctx->out, "  %s\n", message);
}

static void print_fields(struct cli_context *ctx, const struct stint_json *record, int64_t now_ms)
{
	struct cli_fields *fields = cli_fields_new();
	const struct stint_json *pods = stint_json_get(record, "pods");
	cli_fields_add(fields, "Project", "%s", stint_json_string_or(stint_json_get(record, "project"), ""));
	int64_t position = 0;
	if (stint_json_int(stint_json_get(record, "position"), &position) && position > 0)
		cli_fields_add(fields, "Queue", "%s (number %lld of %lld that wait there)",
			stint_json_string_or(stint_json_get(record, "queue"), "none"), (long long)position,
			(long long)stint_json_int_or(stint_json_get(record, "waiting_in_queue"), 0));
	else
		cli_fields_add(fields, "Queue", "%s", stint_json_string_or(stint_json_get(record, "queue"), ""));
	if (pods)
		cli_fields_add(fields, "Pods", "%lld, %lld waiting", (long long)stint_json_int_or(stint_json_get(pods, "total"), 0),
			(long long)stint_json_int_or(stint_json_get(pods, "waiting"), 0));
	const char *since = text(record, "since");
	if (since) {
		stint_autofree char *age = cli_show_age(since, now_ms);
		cli_fields_add(fields, "For this reason", "since %s", age);
	}
	const struct stint_json *evicted = stint_json_get(record, "evicted");
	if (evicted) {
		stint_autofree char *age = cli_show_age(text(evicted, "last"), now_ms);
		const char *message = text(evicted, "message");
		cli_fields_add(fields, "Evicted", "%s ago%s%s", age, message ? ": " : "", message ? message : "");
	}
	stint_autofree char *starts = cli_why_seconds(record, "starts_in_s");
	if (starts)
		cli_fields_add(fields, "Starts", "%s at the latest, when what holds it has run out of time", starts);
	cli_fields_add(fields, "Told by", "%s", stint_json_string_or(stint_json_get(record, "source"), ""));
	fputc('\n', ctx->out);
	cli_fields_print(fields, ctx);
}

static int run(struct cli_context *ctx)
{
	const char *project = cli_project(ctx), *name = cli_positional(ctx, 0), *url = cli_text(ctx, "scheduler-url");
	if (url && !stint_starts_with(url, "https://"))
		return cli_fail(ctx, STINT_USAGE, "--scheduler-url must start with https://: got \"%s\"", url);
	stint_auto_json *record = project ? cli_why_fetch(ctx, project, name) : NULL;
	if (!record)
		return cli_failed(ctx);
	int exit_code = STINT_OK;
	if (!cli_print_object(ctx, record, name, &exit_code)) {
		print_head(ctx, record);
		cli_why_print_holders(ctx, record);
		cli_why_print_reclaim(ctx, record);
		cli_why_print_list(ctx, "What would help", stint_json_get(record, "changes"), "text");
		cli_why_print_events(ctx, stint_json_get(record, "events"));
		print_fields(ctx, record, stint_now_ms());
	}
	const bool never = stint_json_bool_or(stint_json_get(record, "never"), false);
	return exit_code == STINT_OK && never ? STINT_UNSCHEDULABLE : exit_code;
}

static const struct cli_positional positionals[] = {
	{.name = "NAME", .help = "a workload, or one of its pods", .source = CLI_WORKLOAD_NAMES},
	{.name = NULL},
};

static const struct cli_flag flags[] = {
	{.name = "scheduler-url",
		.type = CLI_TEXT,
		.argument = "URL",
		.help = "where stint-scheduler answers; else the own setting of that name, else what its Lease says"},
	{.name = NULL},
};

const struct cli_command cli_command_why = {
	.name = "why",
	.group = CLI_INSIGHT,
	.summary = "Tell why a workload waits, who has what it needs, and what would start it",
	.description =
		"The scheduler is asked for its own record of the last attempt. Workloads of projects that you may not read appear as "
		"\"another project\". Where the scheduler cannot be reached, the condition and the events of the pods are shown instead, "
		"and "
		"a note says so.\n\nOf a workload that waits for room it is told which rule keeps the scheduler from taking some back from "
		"others (its project would have more than its fair share, nobody has more than is due to him, what they have is not "
		"preemptible ...), and who has more than is due to him.\n\nThe exit code is 7 when the workload can never run as it is "
		"asked for, whoever goes away.",
	.examples = "stint why train-17\n"
		    "stint why train-17 -p vision -o json",
	.positionals = positionals,
	.flags = flags,
	.formats = CLI_FORMATS_OBJECT | CLI_FORMAT_WIDE,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_UNSCHEDULABLE),
	.run = run,
};
