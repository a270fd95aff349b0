/*
 * why_print: the parts of a record of why that are laid out in the same way wherever one is shown: who has what is needed, what would help.
 */
#include "cli/why_print.h"

#include <stdlib.h>

#include <stint/model.h>

#include "cli/output/output.h"

static const char *text(const struct stint_json *object, const char *key)
{
	return stint_json_string(stint_json_get(object, key));
}

char *cli_why_seconds(const struct stint_json *object, const char *key)
{
	int64_t seconds = 0;
	char age[STINT_TIME_SIZE];
	if (!stint_json_int(stint_json_get(object, key), &seconds))
		return NULL;
	return stint_format("in %s", stint_duration_format(seconds * 1000, age));
}

void cli_why_print_holders(struct cli_context *ctx, const struct stint_json *record)
{
	static const struct cli_column columns[] = {{.title = "PROJECT"}, {.title = "WORKLOAD"}, {.title = "PODS", .flags = CLI_RIGHT},
		{.title = "GPUS", .flags = CLI_RIGHT}, {.title = "CPU", .flags = CLI_RIGHT | CLI_WIDE},
		{.title = "MEMORY", .flags = CLI_RIGHT | CLI_WIDE}, {.title = "ENDS"}, {.title = NULL}};
	const struct stint_json *holders = stint_json_get(record, "holders");
	if (!stint_json_first(holders))
		return;
	struct cli_table *table = cli_table_new(columns);
	int64_t shown = 0;
	stint_json_each(holder, holders) {
		char number[STINT_QUANTITY_SIZE];
		double gpus = 0, memory = 0;
		stint_json_double(stint_json_get(holder, "gpus"), &gpus);
		stint_json_double(stint_json_get(holder, "memory_bytes"), &memory);
		cli_table_add(table, stint_strdup(text(holder, "project")));
		cli_table_add(table, stint_strdup(text(holder, "workload")));
		cli_table_add(table, stint_format("%lld", (long long)stint_json_int_or(stint_json_get(holder, "pods"), 0)));
		cli_table_add(table, cli_show_gpus(gpus));
		cli_table_add(table,
			stint_strdup(stint_quantity_format_milli(stint_json_int_or(stint_json_get(holder, "cpu_milli"), 0), number)));
		cli_table_add(table, cli_show_bytes(memory));
		const bool leaving = stint_json_bool_or(stint_json_get(holder, "leaving"), false);
		cli_table_add(table, leaving ? stint_strdup("is leaving") : cli_why_seconds(holder, "ends_in_s"));
		shown++;
	}
	stint_auto_buf out = {0};
	cli_table_print(table, &out, true, ctx->format == CLI_FORMAT_WIDE, ctx->colour, ctx->columns, 2);
	cli_table_free(table);
	fprintf(ctx->out, "\nWho has it:\n%s", out.data ? out.data : "");
	const int64_t total = stint_json_int_or(stint_json_get(record, "holders_total"), shown);
	if (total > shown)
		fprintf(ctx->out, "  and %lld more\n", (long long)(total - shown));
}

void cli_why_print_reclaim(struct cli_context *ctx, const struct stint_json *record)
{
	const struct stint_json *reclaim = stint_json_get(record, "reclaim");
	stint_autofree char *line = stint_strdup(text(reclaim, "text"));
	if (!line)
		return;
	stint_sanitize(line);
	fprintf(ctx->out, "\nWhy nothing is taken back for it:\n  %s\n", line);
	cli_why_print_list(ctx, "Who has more than is due", stint_json_at(reclaim, "beyond", "queues"), "text");
}

static void print_line(struct cli_context *ctx, const char *text)
{
	stint_autofree char *line = stint_strdup(text);
	stint_sanitize(line);
	fprintf(ctx->out, "  %s\n", line);
}

void cli_why_print_list(struct cli_context *ctx, const char *title, const struct stint_json *list, const char *key)
{
	if (!stint_json_first(list))
		return;
	fprintf(ctx->out, "\n%s:\n", title);
	stint_json_each(item, list)
		print_line(ctx, stint_json_string_or(stint_json_get(item, key), ""));
}

/* Two of them may contradict each other: the later one holds. */
void cli_why_print_events(struct cli_context *ctx, const struct stint_json *events)
{
	if (!stint_json_first(events))
		return;
	fputs("\nEvents:\n", ctx->out);
	stint_json_each(event, events) {
		stint_autofree char *age = cli_show_age(text(event, "time"), stint_now_ms());
		stint_autofree char *line = stint_format("%s ago, %s: %s", text(event, "time") ? age : "some time",
			stint_json_string_or(stint_json_get(event, "reason"), ""),
			stint_json_string_or(stint_json_get(event, "message"), ""));
		print_line(ctx, line);
	}
}
