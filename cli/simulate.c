/*
 * simulate: the production engine on a scenario, offline. Reads one file; a cluster is asked by --from-cluster alone, which makes one.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stint/simulate.h>

#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/simulate_cluster.h"
#include "cli/simulate_replay.h"
#include "cli/simulate_trace.h"

enum { MOST_SCENARIO_BYTES = 256 * 1024 * 1024 };

static const char *name_of(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static struct stint_json *read_scenario(const char *path, struct stint_error **err)
{
	stint_auto_buf text = {0};
	if (!stint_buf_read_file(&text, path, MOST_SCENARIO_BYTES, err))
		return NULL;
	if (text.data && stint_starts_with(text.data, "{\"journal\":")) {
		stint_fail(err, STINT_USAGE, "%s is a journal and no scenario: \"stint simulate --replay FILE\" decides it again",
			name_of(path));
		return NULL;
	}
	struct stint_json *scenario = stint_json_parse(text.data ? text.data : "", text.length, STINT_JSON_REJECT_DUPLICATES, err);
	if (!scenario)
		stint_fail_wrap(err, "%s", name_of(path));
	return scenario;
}

/* The form asks that they are ignored; a word that was mistyped is worth a line. */
static void note_unknown_keys(struct cli_context *ctx, const char *path, const struct stint_json *scenario)
{
	static const char *const keys[] = {"version", "kind", "name", "title", "source", "features", "needs", "config", "topologies",
		"nodes", "queues", "workloads", "resourceClaims", "volumeClaims", "run", "expect", "stint", "phase", "total",
		"fairShareUsageFactor"};
	stint_auto_buf unknown = {0};
	stint_json_each(member, scenario) {
		bool known = false;
		for (size_t i = 0; i < STINT_COUNT(keys); i++)
			known = known || strcmp(stint_json_key(member), keys[i]) == 0;
		if (!known)
			stint_buf_printf(&unknown, "%s\"%.60s\"", unknown.length ? ", " : "", stint_json_key(member));
	}
	if (unknown.length)
		cli_note(ctx, "%s: not known and ignored: %.400s", name_of(path), unknown.data);
}

static void keep_lines(void *user, const char *lines, size_t length)
{
	stint_buf_add(user, lines, length);
}

/* NULL: ctx->err names the file and the place in it. */
static struct stint_json *run_scenario(struct cli_context *ctx, const char *path)
{
	const char *journal = cli_text(ctx, "journal");
	stint_auto_json *scenario = read_scenario(path, &ctx->err);
	if (!scenario)
		return NULL;
	note_unknown_keys(ctx, path, scenario);
	stint_auto_buf lines = {0};
	stint_auto_json *result = stint_simulate_recorded(scenario, journal ? keep_lines : NULL, &lines, &ctx->err);
	if (!result) {
		stint_fail_wrap(&ctx->err, "%s", name_of(path));
		return NULL;
	}
	if (journal && !stint_file_write(journal, lines.data, lines.length, 0644, &ctx->err))
		return NULL;
	return stint_steal(&result);
}

static void add_text(struct cli_table *table, const struct stint_json *object, const char *key)
{
	cli_table_add(table, stint_strdup(stint_json_string_at(object, key)));
}

static void print_decisions(struct cli_context *ctx, const struct stint_json *decisions)
{
	static const struct cli_column columns[] = {
		{.title = "ACTION"}, {.title = "DECISION"}, {.title = "POD"}, {.title = "NODE"}, {.title = "FOR"}, {.title = NULL}};
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(decision, decisions) {
		add_text(table, decision, "action");
		add_text(table, decision, "op");
		add_text(table, decision, "pod");
		add_text(table, decision, "node");
		add_text(table, decision, "for");
	}
	stint_auto_buf text = {0};
	cli_table_print(table, &text, true, false, ctx->colour, ctx->columns, 0);
	fputs(text.data ? text.data : "", ctx->out);
	cli_table_free(table);
}

static size_t count_with_status(const struct stint_json *pods, const char *status)
{
	size_t count = 0;
	stint_json_each(pod, pods)
		count += strcmp(stint_json_string_or(stint_json_get(pod, "status"), ""), status) == 0;
	return count;
}

static void print_round(struct cli_context *ctx, const struct stint_json *round)
{
	const struct stint_json *decisions = stint_json_get(round, "decisions"), *pods = stint_json_get(round, "pods");
	fprintf(ctx->out, "round %lld: %zu decisions; of %zu pods %zu wait, %zu have a place to come, %zu leave\n",
		(long long)stint_json_int_or(stint_json_get(round, "round"), 0), stint_json_count(decisions), stint_json_count(pods),
		count_with_status(pods, "Pending"), count_with_status(pods, "Pipelined"), count_with_status(pods, "Releasing"));
	if (stint_json_first(decisions))
		print_decisions(ctx, decisions);
}

static void print_shares(struct cli_context *ctx, const struct stint_json *shares)
{
	static const struct cli_column columns[] = {
		{.title = "QUEUE"}, {.title = "RESOURCE"}, {.title = "FAIR SHARE", .flags = CLI_RIGHT}, {.title = NULL}};
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(queue, shares) {
		stint_json_each(amount, queue) {
			double value = 0;
			stint_json_double(amount, &value);
			cli_table_add(table, stint_strdup(stint_json_key(queue)));
			cli_table_add(table, stint_strdup(stint_json_key(amount)));
			cli_table_add(table, stint_format("%g", value));
		}
	}
	stint_auto_buf text = {0};
	cli_table_print(table, &text, true, false, ctx->colour, ctx->columns, 0);
	fputs(text.data ? text.data : "", ctx->out);
	cli_table_free(table);
}

/* Flags that say how a trace is replayed say nothing without one. */
static bool check_trace_flags(struct cli_context *ctx)
{
	static const char *const flags[] = {"policy", "seeds", "arrivals", "load", "queue-by", "svg"};
	for (size_t i = 0; i < STINT_COUNT(flags); i++) {
		if (cli_given(ctx, flags[i]) && !cli_given(ctx, "trace") && !cli_given(ctx, "nodes"))
			return stint_fail(&ctx->err, STINT_USAGE,
				"--%s is for the replay of a trace: it goes with --trace and --nodes (a scenario says it in its config)",
				flags[i]);
	}
	return true;
}

/* Of a device or a pipe nothing is lost; what is not there yet is nobody's input. */
static bool is_same_file(const char *input, const char *output)
{
	struct stat in, out;
	const int found = strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &in) : stat(input, &in);
	return found == 0 && stat(output, &out) == 0 && S_ISREG(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

/* What is read must not be written over, by whatever name or link it is called. */
static bool check_outputs(struct cli_context *ctx)
{
	static const char *const outputs[] = {"journal", "svg"};
	const char *const inputs[] = {cli_positional(ctx, 0), cli_text(ctx, "trace"), cli_text(ctx, "nodes")};
	for (size_t out = 0; out < STINT_COUNT(outputs); out++) {
		const char *output = cli_text(ctx, outputs[out]);
		for (size_t in = 0; output && in < STINT_COUNT(inputs); in++) {
			if (inputs[in] && is_same_file(inputs[in], output))
				return stint_fail(&ctx->err, STINT_USAGE, "--%s %s would write over the input %s: name another file",
					outputs[out], output, name_of(inputs[in]));
		}
	}
	return true;
}

static int run(struct cli_context *ctx)
{
	const bool other = cli_switch(ctx, "from-cluster") || cli_given(ctx, "trace") || cli_given(ctx, "nodes");
	if (!check_trace_flags(ctx) || !check_outputs(ctx))
		return cli_failed(ctx);
	if (cli_given(ctx, "replay")) {
		if (other || cli_positional(ctx, 0) || cli_given(ctx, "journal"))
			return cli_fail(
				ctx, STINT_USAGE, "--replay takes all from its journal: it goes with no scenario, trace or cluster");
		return cli_simulate_replay(ctx, cli_text(ctx, "replay"));
	}
	if (cli_given(ctx, "journal") && other)
		return cli_fail(ctx, STINT_USAGE, "--journal records the run of a scenario file: it goes with no trace or cluster");
	if (cli_switch(ctx, "from-cluster")) {
		if (cli_positional(ctx, 0) || cli_given(ctx, "trace") || cli_given(ctx, "nodes"))
			return cli_fail(ctx, STINT_USAGE, "--from-cluster makes a scenario: a file or a trace to run excludes it");
		return cli_simulate_cluster(ctx);
	}
	if (cli_given(ctx, "anonymous"))
		return cli_fail(ctx, STINT_USAGE, "--anonymous goes with --from-cluster");
	if (cli_given(ctx, "trace") || cli_given(ctx, "nodes")) {
		if (cli_positional(ctx, 0))
			return cli_fail(ctx, STINT_USAGE, "a scenario file and --trace exclude each other");
		return cli_simulate_trace(ctx);
	}
	if (!cli_positional(ctx, 0))
		return cli_fail(ctx, STINT_USAGE, "name a scenario file, or a trace with --trace and --nodes");
	stint_auto_json *result = run_scenario(ctx, cli_positional(ctx, 0));
	if (!result)
		return cli_failed(ctx);
	int exit_code = STINT_OK;
	if (cli_print_object(ctx, result, NULL, &exit_code))
		return exit_code;
	stint_json_each(round, stint_json_get(result, "rounds"))
		print_round(ctx, round);
	if (stint_json_get(result, "fairShare"))
		print_shares(ctx, stint_json_get(result, "fairShare"));
	return STINT_OK;
}

static const struct cli_positional positionals[] = {
	{.name = "FILE", .help = "the scenario, a JSON document; - is standard input", .optional = true},
	{.name = NULL},
};

static const struct cli_flag flags[] = {
	{.name = "from-cluster", .type = CLI_SWITCH, .help = "run nothing: print the cluster as it is now, as a scenario"},
	{.name = "anonymous", .type = CLI_SWITCH, .help = "with --from-cluster: n-1, q-1, w-1 and such for all names and labels"},
	{.name = "journal",
		.type = CLI_FILE,
		.argument = "OUT",
		.help = "record what goes into the engine and what comes out, as JSON lines"},
	{.name = "replay", .type = CLI_FILE, .argument = "JOURNAL", .help = "decide again what a journal tells, and compare byte for byte"},
	{.name = "trace", .type = CLI_FILE, .argument = "PODS", .help = "replay a trace instead: its list of pods (CSV)"},
	{.name = "nodes", .type = CLI_FILE, .argument = "NODES", .help = "the trace's list of nodes (CSV)"},
	{.name = "policy",
		.type = CLI_TEXT,
		.argument = "POLICY[,...]",
		.repeated = true,
		.help = "random, dotprod, clustering, packing, bestfit, fgd, fragmentation, with --arrivals binpack, spread, "
			"fragmentation; "
			"without it, all of them"},
	{.name = "seeds", .type = CLI_TEXT, .argument = "FIRST-LAST", .otherwise = "42-51", .help = "one run for each seed"},
	{.name = "arrivals",
		.type = CLI_SWITCH,
		.help = "replay the trace in time instead: pods come and go as it says, through the scheduling engine"},
	{.name = "load",
		.type = CLI_NUMBER,
		.argument = "FACTOR",
		.otherwise = "1",
		.low = 0.001,
		.high = 1000000,
		.help = "with --arrivals: how many times faster pods come"},
	{.name = "queue-by",
		.type = CLI_TEXT,
		.argument = "COLUMN",
		.help = "with --arrivals: the column that names a pod's queue; without it qos, where there is one"},
	{.name = "svg", .type = CLI_FILE, .argument = "FILE", .help = "draw the curves into this file"},
	{.name = NULL},
};

const struct cli_command cli_command_simulate = {
	.name = "simulate",
	.group = CLI_TOOLS,
	.summary = "Run the scheduling engine on a scenario, offline",
	.description =
		"A scenario describes nodes, queues and workloads, and for how many rounds to schedule. The engine is the one that runs in "
		"the cluster; no cluster is asked but by --from-cluster. The result has every decision and the state after each round. "
		"docs/scenarios.md of the sources describes the form, and --from-cluster prints one to begin with.\n\n"
		"A scenario of kind fairshare asks only how an amount is divided among queues. Setting skipSimilarFailures is accepted and "
		"changes no result: a search for victims is skipped where it must end as an earlier one did, and nowhere else.\n\n"
		"With --journal the run is recorded: every node, queue, group and pod that the engine was told of, and every decision, a "
		"line "
		"each. With --replay the engine is told the same again; where it does not decide the same, byte for byte, the first line "
		"that "
		"differs is shown and the exit code is 1. stint-scheduler --journal records a live cluster in the same form.\n\n"
		"With --from-cluster the scenario is made: nodes, queues, topologies, and all pods in the groups that the scheduler puts "
		"them "
		"in, to be run once with every action. It needs the right to list them in the whole cluster, and writes nothing. What pods "
		"of "
		"other schedulers use is taken off their nodes; the nodes that selectors and taints leave to a pod have a label of their "
		"own "
		"that stands for them. The scheduler's options are taken to be their defaults.\n\n"
		"With --trace a recorded workload of the openb form is replayed instead: its pods arrive in random order on an empty "
		"cluster "
		"until they ask for 130 % of its GPUs, and stay. The table says which part of the GPUs each policy has allocated when pods "
		"that ask for exactly 100 % have arrived (mean and standard deviation over the seeds), and which part of the cluster is "
		"free "
		"and of no use to a typical pod. The policies but fragmentation are those of Weng et al., Beware of Fragmentation (USENIX "
		"ATC "
		"2023); fragmentation is the strategy of stint's scheduler, once with the whole list as the known mix of requests, "
		"once with the mix learned from what has arrived.\n\n"
		"With --arrivals pods come at the trace's times of creation, divided by --load, and run for as long as they existed. The "
		"engine "
		"places them under queues with equal quotas, one for each value of the column --queue-by. The table has the time that pods "
		"waited, the slowdown (waiting and running against running, of at least 10 s), and which part of the GPUs was used until "
		"the last arrival.",
	.examples = "stint simulate --from-cluster > cluster.json\n"
		    "stint simulate cluster.json\n"
		    "stint simulate cluster.json -o json\n"
		    "stint simulate cluster.json --journal run.jsonl\n"
		    "stint simulate --replay run.jsonl\n"
		    "stint simulate --trace pods.csv --nodes nodes.csv --policy fgd,fragmentation --svg curves.svg\n"
		    "stint simulate --trace pods.csv --nodes nodes.csv --arrivals --load 1.2 --policy binpack,fragmentation",
	.positionals = positionals,
	.flags = flags,
	.formats = CLI_FORMAT_TABLE | CLI_FORMAT_JSON | CLI_FORMAT_YAML | CLI_FORMAT_JSONPATH,
	.no_project = true,
	.exits = CLI_EXIT(STINT_NOT_FOUND) | CLI_EXIT(STINT_FORBIDDEN) | CLI_EXIT(STINT_UNREACHABLE),
	.run = run,
};
