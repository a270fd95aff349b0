/*
 * simulate_trace: `stint simulate --trace`: policies against each other on a recorded workload, as a table with a plot for people, JSON for
 * programs, and a picture.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stint/simulate.h>

#include "cli/output/chart.h"
#include "cli/output/output.h"
#include "cli/simulate_trace.h"

enum { MOST_SEEDS = 1000 };

/* ---- what was asked for -------------------------------------------------------------------------------------------------------------- */

static bool read_seeds(struct cli_context *ctx, uint64_t *first, uint64_t *last)
{
	const char *text = cli_text(ctx, "seeds"), *dash = strchr(text, '-');
	stint_autofree char *low = stint_strndup(text, dash ? (size_t)(dash - text) : strlen(text));
	int64_t from, to;
	if (stint_parse_int(low, 0, INT32_MAX, &from) && stint_parse_int(dash ? dash + 1 : low, from, INT32_MAX, &to) &&
		to - from < MOST_SEEDS) {
		*first = (uint64_t)from;
		*last = (uint64_t)to;
		return true;
	}
	cli_fail(ctx, STINT_USAGE, "--seeds: \"%s\" is no range of seeds such as 42-51, of at most %d", text, MOST_SEEDS);
	return false;
}

static bool add_policy(struct cli_context *ctx, const char *word, unsigned *policies)
{
	for (unsigned i = 0; i < STINT_TRACE_LEARNED; i++) {
		if (strcmp(word, stint_trace_policy_name((enum stint_trace_policy)i)) == 0) {
			*policies |= 1u << i;
			return true;
		}
	}
	cli_fail(ctx, STINT_USAGE, "--policy: \"%s\" is none of random, dotprod, clustering, packing, bestfit, fgd, fragmentation", word);
	return false;
}

static bool read_policies(struct cli_context *ctx, unsigned *policies)
{
	*policies = 0;
	for (const char *const *text = cli_texts(ctx, "policy"); *text; text++) {
		char **words = stint_split(*text, ",");
		bool known = true;
		for (size_t i = 0; words[i] && known; i++)
			known = add_policy(ctx, words[i], policies);
		stint_strings_free(words);
		if (!known)
			return false;
	}
	if (!*policies)
		*policies = (1u << STINT_TRACE_LEARNED) - 1;
	return true;
}

/* ---- progress ------------------------------------------------------------------------------------------------------------------------ */

struct progress {
	struct cli_context *ctx;
	int64_t shown_ms;
	bool on_terminal;
};

static bool show_progress(void *user, size_t done, size_t total)
{
	struct progress *progress = user;
	const int64_t now_ms = stint_monotonic_ms();
	if (!progress->on_terminal || (now_ms - progress->shown_ms < 200 && done < total))
		return true;
	progress->shown_ms = now_ms;
	if (done < total)
		fprintf(progress->ctx->notes, "\r%zu of %zu", done, total);
	else
		fputs("\r\033[K", progress->ctx->notes);
	fflush(progress->ctx->notes);
	return true;
}

/* ---- for people ---------------------------------------------------------------------------------------------------------------------- */

static char *percent_of(const struct stint_json *entry, const char *key)
{
	double value;
	return stint_json_double(stint_json_get(entry, key), &value) ? stint_format("%.2f%%", value) : NULL;
}

static void add_row(struct cli_table *table, const struct stint_json *entry, const char *name)
{
	double spread, seconds = 0;
	cli_table_add(table, stint_strdup(name));
	cli_table_add(table, percent_of(entry, "allocation_percent"));
	cli_table_add(table, stint_json_double(stint_json_get(entry, "allocation_spread"), &spread) ? stint_format("%.2f", spread) : NULL);
	cli_table_add(table, percent_of(entry, "fragmentation_percent"));
	stint_json_double(stint_json_get(entry, "seconds"), &seconds);
	cli_table_add(table, stint_format("%.2f", seconds));
}

static void print_table(struct cli_context *ctx, const struct stint_json *result)
{
	static const struct cli_column columns[] = {{.title = "POLICY"}, {.title = "ALLOCATED", .flags = CLI_RIGHT},
		{.title = "SPREAD", .flags = CLI_RIGHT}, {.title = "FRAGMENTED", .flags = CLI_RIGHT},
		{.title = "SECONDS", .flags = CLI_RIGHT}, {.title = NULL}};
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(entry, stint_json_get(result, "policies")) {
		const struct stint_json *learned = stint_json_get(entry, "learned");
		add_row(table, entry, stint_json_string_at(entry, "policy"));
		if (learned)
			add_row(table, learned, "  learned from arrivals");
	}
	stint_auto_buf text = {0};
	cli_table_print(table, &text, true, false, ctx->colour, ctx->columns, 0);
	fputs(text.data ? text.data : "", ctx->out);
	cli_table_free(table);
}

/* ---- the picture --------------------------------------------------------------------------------------------------------------------- */

static void add_curve(struct chart_panel *panel, const struct stint_json *entry, const char *name, const char *key)
{
	struct chart_series *series = chart_panel_series(panel, name);
	stint_json_each(point, stint_json_get(entry, "curve")) {
		double x, y;
		if (stint_json_double(stint_json_get(point, "arrived_percent"), &x) && stint_json_double(stint_json_get(point, key), &y))
			chart_series_add(series, x, y);
	}
}

/* As the C library would decide it. */
static bool is_utf8(void)
{
	const char *names[] = {getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")};
	for (size_t i = 0; i < STINT_COUNT(names); i++) {
		if (names[i] && *names[i])
			return strcasestr(names[i], "utf-8") || strcasestr(names[i], "utf8");
	}
	return false;
}

static struct chart *chart_of(const struct stint_json *result)
{
	struct chart *chart = chart_new("GPUs against arrived load", "arrived load, % of capacity");
	struct chart_panel *allocation = chart_panel_add(chart, "allocated, % of capacity");
	struct chart_panel *fragmentation = chart_panel_add(chart, "free and of no use, % of capacity");
	stint_json_each(entry, stint_json_get(result, "policies")) {
		const char *name = stint_json_string_at(entry, "policy");
		add_curve(allocation, entry, name, "allocation_percent");
		add_curve(fragmentation, entry, name, "fragmentation_percent");
	}
	/* Up to where all of them still take everything there is nothing to see. */
	chart_panel_from(allocation, 80);
	return chart;
}

static bool write_picture(struct cli_context *ctx, const struct chart *chart)
{
	const char *path = cli_text(ctx, "svg");
	if (!path)
		return true;
	stint_auto_buf text = {0};
	chart_print_svg(chart, &text);
	return stint_file_write(path, text.data, text.length, 0644, &ctx->err);
}

static void print_plot(struct cli_context *ctx, const struct chart *chart)
{
	stint_auto_buf plot = {0};
	chart_print_text(chart, &plot, ctx->columns, ctx->colour, is_utf8());
	fputs(plot.data ? plot.data : "", ctx->out);
}

/* ---- arrivals ------------------------------------------------------------------------------------------------------------------------ */

enum { MOST_PLACEMENTS = 3 };

static bool read_placements(struct cli_context *ctx, enum stint_placement *placements, const char **names, size_t *count)
{
	static const struct {
		const char *name;
		enum stint_placement placement;
	} known[MOST_PLACEMENTS] = {{"binpack", STINT_BINPACK}, {"spread", STINT_SPREAD}, {"fragmentation", STINT_FRAGMENTATION}};
	bool wanted[MOST_PLACEMENTS] = {false};
	const bool all = !cli_given(ctx, "policy");
	for (const char *const *text = cli_texts(ctx, "policy"); *text; text++) {
		char **words = stint_split(*text, ",");
		for (size_t w = 0; words[w]; w++) {
			size_t at = 0;
			while (at < MOST_PLACEMENTS && strcmp(words[w], known[at].name) != 0)
				at++;
			if (at < MOST_PLACEMENTS) {
				wanted[at] = true;
				continue;
			}
			cli_fail(ctx, STINT_USAGE, "--policy: \"%s\" is none of binpack, spread, fragmentation, which --arrivals takes",
				words[w]);
			stint_strings_free(words);
			return false;
		}
		stint_strings_free(words);
	}
	*count = 0;
	for (size_t i = 0; i < MOST_PLACEMENTS; i++) {
		if (!all && !wanted[i])
			continue;
		placements[*count] = known[i].placement;
		names[(*count)++] = known[i].name;
	}
	return true;
}

static char *seconds_at(const struct stint_json *entry, const char *part, const char *key)
{
	double value = 0;
	char text[STINT_TIME_SIZE];
	stint_json_double(stint_json_at(entry, part, key), &value);
	return value < 10 ? stint_format("%.1fs", value) : stint_strdup(stint_duration_format((int64_t)(value * 1000), text));
}

static char *number_at(const struct stint_json *entry, const char *part, const char *key)
{
	double value = 0;
	stint_json_double(stint_json_at(entry, part, key), &value);
	return stint_format("%.2f", value);
}

static void print_arrivals(struct cli_context *ctx, const struct stint_json *result)
{
	static const struct cli_column columns[] = {{.title = "POLICY"}, {.title = "WAIT", .flags = CLI_RIGHT},
		{.title = "P50", .flags = CLI_RIGHT}, {.title = "P99", .flags = CLI_RIGHT}, {.title = "SLOWDOWN", .flags = CLI_RIGHT},
		{.title = "P99", .flags = CLI_RIGHT}, {.title = "USED", .flags = CLI_RIGHT}, {.title = "NEVER STARTED", .flags = CLI_RIGHT},
		{.title = NULL}};
	struct cli_table *table = cli_table_new(columns);
	stint_json_each(entry, stint_json_get(result, "policies")) {
		cli_table_add(table, stint_strdup(stint_json_string_at(entry, "policy")));
		cli_table_add(table, seconds_at(entry, "wait", "mean_seconds"));
		cli_table_add(table, seconds_at(entry, "wait", "p50_seconds"));
		cli_table_add(table, seconds_at(entry, "wait", "p99_seconds"));
		cli_table_add(table, number_at(entry, "slowdown", "mean"));
		cli_table_add(table, number_at(entry, "slowdown", "p99"));
		cli_table_add(table, percent_of(entry, "utilisation_percent"));
		cli_table_add(table, stint_format("%lld", (long long)stint_json_int_or(stint_json_get(entry, "never_started"), 0)));
	}
	stint_auto_buf text = {0};
	cli_table_print(table, &text, true, false, ctx->colour, ctx->columns, 0);
	fputs(text.data ? text.data : "", ctx->out);
	cli_table_free(table);
}

static struct chart *chart_of_arrivals(const struct stint_json *result)
{
	static const struct {
		const char *key, *title;
	} panels[] = {{"allocated_percent", "allocated, % of capacity"}, {"waiting_percent", "waiting, % of capacity"}};
	struct chart *chart = chart_new("GPUs over time", "hours");
	for (size_t i = 0; i < STINT_COUNT(panels); i++) {
		struct chart_panel *panel = chart_panel_add(chart, panels[i].title);
		stint_json_each(entry, stint_json_get(result, "policies")) {
			struct chart_series *series = chart_panel_series(panel, stint_json_string_at(entry, "policy"));
			stint_json_each(point, stint_json_get(entry, "timeline")) {
				double x, y;
				if (stint_json_double(stint_json_get(point, "hours"), &x) &&
					stint_json_double(stint_json_get(point, panels[i].key), &y))
					chart_series_add(series, x, y);
			}
		}
	}
	return chart;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------------------- */

static struct stint_json *replay(struct cli_context *ctx, const struct stint_trace *trace, struct progress *progress)
{
	if (cli_switch(ctx, "arrivals")) {
		enum stint_placement placements[MOST_PLACEMENTS];
		const char *names[MOST_PLACEMENTS];
		struct stint_trace_arrivals how = {.placements = placements,
			.names = names,
			.load = cli_number(ctx, "load"),
			.progress = show_progress,
			.user = progress};
		return read_placements(ctx, placements, names, &how.count) ? stint_trace_arrive(trace, &how, &ctx->err) : NULL;
	}
	struct stint_trace_replay how = {.fill = 1.3, .progress = show_progress, .user = progress};
	if (!read_seeds(ctx, &how.first_seed, &how.last_seed) || !read_policies(ctx, &how.policies))
		return NULL;
	return stint_trace_replay(trace, &how, &ctx->err);
}

int cli_simulate_trace(struct cli_context *ctx)
{
	const bool arrivals = cli_switch(ctx, "arrivals");
	struct progress progress = {.ctx = ctx, .on_terminal = isatty(fileno(ctx->notes))};
	if (!cli_text(ctx, "trace") || !cli_text(ctx, "nodes"))
		return cli_fail(ctx, STINT_USAGE, "--trace and --nodes belong together: the list of pods and the list of nodes");
	if (!arrivals && (cli_given(ctx, "load") || cli_given(ctx, "queue-by")))
		return cli_fail(ctx, STINT_USAGE, "--load and --queue-by are for --arrivals");
	if (arrivals && cli_given(ctx, "seeds"))
		return cli_fail(ctx, STINT_USAGE, "--seeds is not for --arrivals, which draws nothing by chance");
	struct stint_trace *trace = stint_trace_read(cli_text(ctx, "trace"), cli_text(ctx, "nodes"), cli_text(ctx, "queue-by"), &ctx->err);
	if (!trace)
		return cli_failed(ctx);
	stint_auto_json *result = replay(ctx, trace, &progress);
	stint_trace_free(trace);
	if (!result)
		return cli_failed(ctx);
	struct chart *chart = arrivals ? chart_of_arrivals(result) : chart_of(result);
	int exit_code = write_picture(ctx, chart) ? STINT_OK : cli_failed(ctx);
	if (exit_code == STINT_OK && !cli_print_object(ctx, result, NULL, &exit_code)) {
		arrivals ? print_arrivals(ctx, result) : print_table(ctx, result);
		print_plot(ctx, chart);
	}
	chart_free(chart);
	return exit_code;
}
