/*
 * forecast: reads the cluster, lets the engine tell what would happen (stint_forecast), and lays it out. See forecast.h.
 */
#include "cli/forecast.h"

#include <stdlib.h>
#include <string.h>

#include <stint/journal.h>
#include <stint/model.h>
#include <stint/workload.h>

#include "cli/cluster_read.h"
#include "cli/live.h"
#include "cli/output/output.h"
#include "cli/scheduler_lease.h"
#include "cli/why_print.h"

#define BUDGETS "disruption budgets"
#define PAST_USE "past use"

static const char *text_at(const struct stint_json *object, const char *key)
{
	return stint_json_string_or(stint_json_get(object, key), "");
}

static int64_t count_at(const struct stint_json *object, const char *key)
{
	return stint_json_int_or(stint_json_get(object, key), 0);
}

static void add_text(struct cli_table *table, const struct stint_json *object, const char *key)
{
	cli_table_add(table, stint_strdup(stint_json_string(stint_json_get(object, key))));
}

static void add_count(struct cli_table *table, const struct stint_json *object, const char *key)
{
	cli_table_add(table, stint_format("%lld", (long long)count_at(object, key)));
}

static void add_gpus(struct cli_table *table, const struct stint_json *object)
{
	double gpus = 0;
	stint_json_double(stint_json_get(object, "gpus"), &gpus);
	cli_table_add(table, cli_show_gpus(gpus));
}

static void print_table(struct cli_context *ctx, struct cli_table *table, const char *title)
{
	stint_auto_buf out = {0};
	cli_table_print(table, &out, true, false, ctx->colour, ctx->columns, 2);
	cli_table_free(table);
	fprintf(ctx->out, "\n%s:\n%s", title, out.data ? out.data : "");
}

/* "node-1", "node-1 and node-2", "node-1 and 3 more"; NULL: none. */
static char *show_nodes(const struct stint_json *nodes)
{
	const size_t count = stint_json_count(nodes);
	const struct stint_json *node = stint_json_first(nodes);
	const char *first = stint_json_string(node);
	if (count == 2)
		return stint_format("%s and %s", first, stint_json_string_or(stint_json_next(node), ""));
	return count > 1 ? stint_format("%s and %zu more", first, count - 1) : stint_strdup(first);
}

/* ---- what others gain and lose ------------------------------------------------------------------------------------------------------- */

static char *show_loss(const struct stint_json *eviction)
{
	double seconds = 0;
	char text[STINT_TIME_SIZE];
	if (!stint_json_double(stint_json_get(eviction, "lost_gpu_seconds"), &seconds))
		return NULL;
	return stint_format("%s of GPU time", stint_duration_format((int64_t)(seconds * 1000), text));
}

static char *show_fate(const struct stint_json *eviction)
{
	const int64_t pods = count_at(eviction, "pods"), again = count_at(eviction, "placed_again"), gone = count_at(eviction, "gone");
	stint_autofree char *nodes = show_nodes(stint_json_get(eviction, "nodes"));
	if (gone == pods)
		return stint_strdup("is gone: nothing owns it");
	if (again == pods)
		return stint_format("starts again on %s", nodes ? nodes : "another node");
	return again ? stint_format("%lld start again, the rest waits", (long long)again) : stint_strdup("waits again");
}

static void print_evictions(struct cli_context *ctx, const struct stint_json *evictions)
{
	static const struct cli_column columns[] = {{.title = "PROJECT"}, {.title = "WORKLOAD"}, {.title = "PODS", .flags = CLI_RIGHT},
		{.title = "GPUS", .flags = CLI_RIGHT}, {.title = "BY"}, {.title = "FOR"}, {.title = "LOSES"}, {.title = "THEN"},
		{.title = NULL}};
	if (!stint_json_first(evictions))
		return;
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(eviction, evictions) {
		const struct stint_json *serves = stint_json_get(eviction, "for");
		add_text(table, eviction, "project");
		add_text(table, eviction, "workload");
		add_count(table, eviction, "pods");
		add_gpus(table, eviction);
		add_text(table, eviction, "action");
		cli_table_add(table, serves ? stint_format("%s/%s", text_at(serves, "project"), text_at(serves, "workload")) : NULL);
		cli_table_add(table, show_loss(eviction));
		cli_table_add(table, show_fate(eviction));
	}
	print_table(ctx, table, "Would be evicted for it");
}

static void print_starts(struct cli_context *ctx, const struct stint_json *starts, const char *title)
{
	static const struct cli_column columns[] = {{.title = "PROJECT"}, {.title = "WORKLOAD"}, {.title = "PODS", .flags = CLI_RIGHT},
		{.title = "GPUS", .flags = CLI_RIGHT}, {.title = "WHEN"}, {.title = "NODE"}, {.title = NULL}};
	if (!stint_json_first(starts))
		return;
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(start, starts) {
		const bool later = stint_json_bool_or(stint_json_get(start, "later"), false);
		add_text(table, start, "project");
		add_text(table, start, "workload");
		add_count(table, start, "pods");
		add_gpus(table, start);
		cli_table_add(table, stint_strdup(later ? "when room is made" : "at once"));
		cli_table_add(table, show_nodes(stint_json_get(start, "nodes")));
	}
	print_table(ctx, table, title);
}

static void print_delayed(struct cli_context *ctx, const struct stint_json *delayed)
{
	static const struct cli_column columns[] = {
		{.title = "PROJECT"}, {.title = "WORKLOAD"}, {.title = "PODS", .flags = CLI_RIGHT}, {.title = NULL}};
	if (!stint_json_first(delayed))
		return;
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(item, delayed) {
		add_text(table, item, "project");
		add_text(table, item, "workload");
		add_count(table, item, "pods");
	}
	print_table(ctx, table, "Would wait instead of starting");
}

/* ---- what is submitted --------------------------------------------------------------------------------------------------------------- */

static char *show_devices(const struct stint_json *placement)
{
	stint_auto_buf text = {0};
	stint_json_each(slot, stint_json_get(placement, "gpu_devices"))
		stint_buf_printf(&text, "%s%lld", text.length ? "," : "", (long long)stint_json_int_or(slot, 0));
	return text.length ? stint_buf_steal(&text) : NULL;
}

static void print_placements(struct cli_context *ctx, const struct stint_json *placements)
{
	static const struct cli_column columns[] = {{.title = "POD"}, {.title = "NODE"}, {.title = "GPUS", .flags = CLI_RIGHT},
		{.title = "DEVICES"}, {.title = "WHEN"}, {.title = NULL}};
	if (!stint_json_first(placements))
		return;
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(placement, placements) {
		const bool later = stint_json_bool_or(stint_json_get(placement, "later"), false);
		add_text(table, placement, "pod");
		add_text(table, placement, "node");
		add_gpus(table, placement);
		cli_table_add(table, show_devices(placement));
		cli_table_add(table, stint_strdup(later ? "when room is made" : "at once"));
	}
	print_table(ctx, table, "Places");
}

static void print_outcome(struct cli_context *ctx, const struct stint_json *workload)
{
	stint_auto_buf text = {0};
	const char *name = text_at(workload, "workload"), *outcome = text_at(workload, "outcome");
	const struct stint_json *pods = stint_json_get(workload, "pods"), *why = stint_json_get(workload, "why");
	const long long total = count_at(pods, "total"), waiting = count_at(pods, "waiting");
	if (strcmp(outcome, "Starts") == 0)
		stint_buf_printf(&text, "%s would start at once\n", name);
	else if (strcmp(outcome, "StartsLater") == 0)
		stint_buf_printf(&text, "%s would start as soon as room is made for it\n", name);
	else if (strcmp(outcome, "StartsInPart") == 0)
		stint_buf_printf(&text, "%s would start with %lld of its %lld pods; the others would wait: %s\n", name, total - waiting,
			total, text_at(why, "reason"));
	else if (strcmp(outcome, "Never") == 0)
		stint_buf_printf(&text, "%s could never run as asked: %s\n", name, text_at(why, "reason"));
	else
		stint_buf_printf(&text, "%s would wait: %s\n", name, text_at(why, "reason"));
	if (why)
		stint_buf_printf(&text, "  %s\n", text_at(why, "message"));
	stint_sanitize(text.data);
	fputs(text.data, ctx->out);
	print_placements(ctx, stint_json_get(workload, "placements"));
	cli_why_print_holders(ctx, why);
	cli_why_print_reclaim(ctx, why);
	cli_why_print_list(ctx, "What would help", stint_json_get(why, "changes"), "text");
	stint_autofree char *starts = cli_why_seconds(why, "starts_in_s");
	if (starts)
		fprintf(ctx->out, "\nIt would start %s at the latest, when what holds it has run out of time.\n", starts);
}

/* ---- queues -------------------------------------------------------------------------------------------------------------------------- */

static char *show_amount(const char *dimension, const struct stint_json *amount)
{
	char number[STINT_QUANTITY_SIZE];
	double value = 0;
	if (!stint_json_double(amount, &value))
		return stint_strdup("none");
	if (value < 0)
		return stint_strdup("unlimited");
	if (strcmp(dimension, "memory") == 0)
		return cli_show_bytes(value);
	return stint_strdup(stint_gpus_format(strcmp(dimension, "cpu") == 0 ? value / 1000 : value, number));
}

static void add_pair(struct cli_table *table, const char *dimension, const struct stint_json *amounts, const char *key)
{
	const struct stint_json *pair = stint_json_get(amounts, key);
	stint_autofree char *before = show_amount(dimension, stint_json_get(pair, "before"));
	stint_autofree char *after = show_amount(dimension, stint_json_get(pair, "after"));
	cli_table_add(table, strcmp(before, after) == 0 ? stint_strdup(after) : stint_format("%s -> %s", before, after));
}

static bool share_is_below_quota(const struct stint_json *amounts)
{
	double share = 0, quota = 0;
	stint_json_double(stint_json_at(amounts, "fair_share", "after"), &share);
	stint_json_double(stint_json_at(amounts, "quota", "after"), &quota);
	return share >= 0 && share < quota;
}

static void print_queues(struct cli_context *ctx, const struct stint_json *queues)
{
	static const struct cli_column columns[] = {{.title = "QUEUE"}, {.title = "RESOURCE"}, {.title = "QUOTA"}, {.title = "LIMIT"},
		{.title = "FAIR SHARE"}, {.title = "IN USE"}, {.title = NULL}};
	static const char *const dimensions[] = {"gpu", "cpu", "memory"};
	if (!stint_json_first(queues))
		return;
	struct cli_table *table = cli_table_new(columns);
	bool asks_too_little = false;
	stint_json_each(queue, queues) {
		for (size_t i = 0; i < STINT_COUNT(dimensions); i++) {
			const struct stint_json *amounts = stint_json_get(queue, dimensions[i]);
			if (!amounts)
				continue;
			asks_too_little |= share_is_below_quota(amounts);
			add_text(table, queue, "name");
			cli_table_add(table, stint_strdup(dimensions[i]));
			add_pair(table, dimensions[i], amounts, "quota");
			add_pair(table, dimensions[i], amounts, "limit");
			add_pair(table, dimensions[i], amounts, "fair_share");
			add_pair(table, dimensions[i], amounts, "allocated");
		}
	}
	print_table(ctx, table, "Shares");
	if (asks_too_little)
		fputs("\nA fair share is of what is asked for now: whoever asks for less than the quota has the quota for sure all the "
		      "same.\n",
			ctx->out);
}

/* ---- asking -------------------------------------------------------------------------------------------------------------------------- */

/* What the live scheduler decides by, as its Lease tells; else what it decides by where nobody has set anything. */
static void find_policy(struct cli_context *ctx, struct stint_kube *kube, struct stint_arena *arena, struct stint_policy *policy)
{
	stint_auto_error *problem = NULL;
	stint_autofree char *text = stint_scheduler_policy_read(kube);
	stint_auto_json *json = text ? stint_json_parse(text, strlen(text), 0, &problem) : NULL;
	if (json && stint_policy_read(json, arena, policy, &problem))
		return;
	cli_note(ctx, "the scheduler's Lease does not tell its settings%s%s: its defaults are taken", problem ? ": " : "",
		problem ? problem->message : "");
	stint_simulate_usual_policy(policy);
}

static void not_considered(struct stint_json *told, const char *what)
{
	stint_json_append(stint_json_ensure_array(told, "not_considered"), stint_json_new_string(what));
}

/* Where the scheduler lets past use count, what it has kept of that beside its Lease. *unknown: it counts, and that cannot be read. */
static struct stint_usage *find_usage(struct stint_kube *kube, int64_t now_ms, bool *unknown)
{
	int64_t seconds = 0;
	stint_auto_json *lease = cli_scheduler_lease(kube, NULL, NULL);
	const struct stint_json *metadata = stint_json_get(lease, "metadata");
	const char *half_life = stint_json_string_at(metadata, "annotations", STINT_ANNOTATION_HALF_LIFE);
	if (!half_life || !stint_parse_int(half_life, 1, INT64_MAX / 1000, &seconds))
		return NULL;
	stint_auto_error *err = NULL;
	stint_auto_json *map = stint_kube_get(kube, &stint_kube_configmaps, text_at(metadata, "namespace"), STINT_USAGE_CONFIG_MAP, &err);
	const char *text = stint_json_string_at(map, "data", "usage");
	struct stint_usage *usage = stint_usage_new(seconds * 1000);
	*unknown = !text || !stint_usage_load(usage, text, strlen(text), now_ms);
	return usage;
}

/* Names of ResourceClaimTemplates anywhere in it, as keys of the map. The depth is bounded by who parsed it. */
static void find_templates(const struct stint_json *value, struct stint_map *names)
{
	static char there;
	const enum stint_json_type type = stint_json_type(value);
	if (type != STINT_JSON_OBJECT && type != STINT_JSON_ARRAY)
		return;
	const char *name = type == STINT_JSON_OBJECT ? stint_json_string(stint_json_get(value, "resourceClaimTemplateName")) : NULL;
	if (name)
		stint_map_set(names, name, &there);
	stint_json_each(child, value)
		find_templates(child, names);
}

/*
 * The templates by which pods of the object would get resource claims, behind `all`: one that comes with it stands before them. One that does not
 * exist lets its pods wait.
 */
static bool add_templates(
	struct cli_context *ctx, struct stint_kube *kube, const struct stint_json *object, const char *space, struct stint_json *all)
{
	struct stint_map *names = stint_map_new(NULL);
	const char *own = stint_json_string_or(stint_json_at(object, "metadata", "namespace"), space), *name = NULL;
	bool fine = true;
	find_templates(object, names);
	for (size_t at = 0; fine && own && stint_map_next(names, &at, &name, NULL);) {
		stint_auto_error *err = NULL;
		struct stint_json *template = stint_kube_get(kube, &stint_kube_resourceclaimtemplates, own, name, &err);
		if (template)
			stint_json_append(all, template);
		else if (err->code == STINT_FORBIDDEN)
			fine = stint_fail(&ctx->err, STINT_FORBIDDEN,
				"you may not get resourceclaimtemplates in namespace \"%s\", and what its pods would get depends on "
				"\"%s\": ask the "
				"administrator for a role that lets you",
				own, name);
		else if (err->code != STINT_NOT_FOUND)
			fine = stint_error_move(&ctx->err, &err);
	}
	stint_map_free(names);
	return fine;
}

static bool note_space(void *user, const char *item, size_t length)
{
	stint_auto_json *budget = stint_json_parse(item, length, 0, NULL);
	const char *space = stint_json_string_at(budget, "metadata", "namespace");
	if (space)
		stint_map_set(user, space, user);
	return true;
}

/*
 * The engine knows no disruption budgets: the scheduler is told of one when an eviction is refused. Where those who would be evicted may be
 * under one, the answer says so, in not_considered. One that may not be looked for may be there.
 */
static void note_budgets(struct stint_kube *kube, struct stint_json *told)
{
	const struct stint_json *evictions = stint_json_get(told, "evictions");
	stint_auto_error *err = NULL;
	if (!stint_json_first(evictions))
		return;
	struct stint_map *spaces = stint_map_new(NULL);
	bool found = !stint_kube_list_each(kube, &stint_kube_poddisruptionbudgets, NULL, NULL, note_space, spaces, &err) &&
		err->code != STINT_NOT_FOUND;
	stint_json_each(eviction, evictions)
		found |= stint_map_has(spaces, text_at(eviction, "project"));
	if (found)
		not_considered(told, BUDGETS);
	stint_map_free(spaces);
}

static void print_not_considered(struct cli_context *ctx, const struct stint_json *told)
{
	static const struct {
		const char *what, *does;
	} rows[] = {
		{BUDGETS, "which can put evictions off"},
		{PAST_USE, "which moves what is due to each project"},
		{"failed binds", "which are tried again after a pause"},
	};
	stint_json_each(what, stint_json_get(told, "not_considered")) {
		for (size_t i = 0; i < STINT_COUNT(rows); i++) {
			if (strcmp(rows[i].what, stint_json_string_or(what, "")) == 0)
				fprintf(ctx->out, "\nNot considered: %s, %s\n", rows[i].what, rows[i].does);
		}
	}
}

static struct stint_json *ask(struct cli_context *ctx, struct stint_kube *kube, const struct stint_json *objects, const char *space)
{
	STINT_CLEANUP(cli_cluster_clear) struct cli_cluster cluster = {0};
	stint_auto_json *all = stint_json_dup(objects);
	stint_json_each(object, objects) {
		if (!add_templates(ctx, kube, object, space, all))
			return NULL;
	}
	const int64_t now_ms = stint_now_ms();
	if (!cli_cluster_read(ctx, kube, "what the scheduler would do depends on all of them", &cluster) ||
		!stint_snapshot_create(cluster.snapshot, cluster.model, all, space, now_ms, &ctx->err))
		return NULL;
	struct stint_arena *arena = stint_arena_new(0);
	struct stint_policy policy;
	find_policy(ctx, kube, arena, &policy);
	char **names = cli_scheduler_names(ctx, kube);
	bool use_unknown = false;
	struct stint_usage *usage = find_usage(kube, now_ms, &use_unknown);
	const struct stint_forecast_question question = {.policy = &policy, .scheduler_names = names, .now_ms = now_ms, .usage = usage};
	struct stint_json *told = stint_forecast(cluster.snapshot, &question);
	stint_usage_free(usage);
	stint_strings_free(names);
	stint_arena_free(arena);
	note_budgets(kube, told);
	if (use_unknown)
		not_considered(told, PAST_USE);
	if (!stint_json_bool_or(stint_json_get(told, "settled"), true))
		cli_note(ctx, "things would go on changing for longer than is looked ahead: what is told is how far it would come");
	return told;
}

int cli_forecast_submit(struct cli_context *ctx, struct stint_kube *kube, const struct stint_json *objects, const char *project)
{
	stint_auto_json *told = ask(ctx, kube, objects, project);
	int exit_code = STINT_OK;
	if (!told)
		return cli_failed(ctx);
	const struct stint_json *workloads = stint_json_get(told, "workloads");
	if (!cli_print_object(ctx, told, stint_json_string_at(stint_json_first(workloads), "workload"), &exit_code)) {
		stint_json_each(workload, workloads)
			print_outcome(ctx, workload);
		if (!stint_json_first(workloads))
			fprintf(ctx->out, "nothing of it has pods to place\n");
		print_evictions(ctx, stint_json_get(told, "evictions"));
		print_delayed(ctx, stint_json_get(told, "delayed"));
		print_starts(ctx, stint_json_get(told, "starts"), "Would start, too");
		print_not_considered(ctx, told);
	}
	stint_json_each(workload, workloads) {
		if (exit_code == STINT_OK && strcmp(text_at(workload, "outcome"), "Never") == 0)
			exit_code = STINT_UNSCHEDULABLE;
	}
	return exit_code;
}

int cli_forecast_share(struct cli_context *ctx, struct stint_kube *kube, const struct stint_json *objects)
{
	stint_auto_json *told = ask(ctx, kube, objects, NULL);
	int exit_code = STINT_OK;
	if (!told)
		return cli_failed(ctx);
	if (cli_print_object(ctx, told, NULL, &exit_code))
		return exit_code;
	const struct stint_json *starts = stint_json_get(told, "starts"), *evictions = stint_json_get(told, "evictions"),
				*delayed = stint_json_get(told, "delayed");
	const bool quiet = !stint_json_first(starts) && !stint_json_first(evictions) && !stint_json_first(delayed);
	fprintf(ctx->out, "%s\n", quiet ? "nothing that runs or waits would change now" : "by this, what runs and what waits would change");
	print_starts(ctx, starts, "Would start");
	print_evictions(ctx, evictions);
	print_delayed(ctx, delayed);
	print_queues(ctx, stint_json_get(told, "queues"));
	print_not_considered(ctx, told);
	return STINT_OK;
}
